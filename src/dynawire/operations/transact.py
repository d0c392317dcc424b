"""TransactWriteItems and TransactGetItems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ..codec.size import item_size
from ..errors import (
    DynawireError,
    ExpressionError,
    LimitExceeded,
    ServiceError,
    TransactionCancelled,
    TransactionConflict,
    service_error,
)
from .capacity import active_meter
from .effects import Operation, Request, Sleep
from .failures import is_lost_path
from .identity import key_identity
from .target import Target, encode_json, encode_request, raw_capacity
from .write import Write

__all__ = [
    "MAX_ACTIONS",
    "MAX_BYTES",
    "amended_request",
    "cancelled",
    "check_size",
    "named",
    "new_token",
    "reason_of",
    "refused",
    "send_exactly_once",
    "transact_get",
    "transact_params",
    "transact_write",
]

MAX_ACTIONS = 100
MAX_CONFLICT_RETRIES = 5
MAX_BYTES = 4 * 1024 * 1024


class _Output(msgspec.Struct):
    Responses: list[dict[str, Any]] = []
    ConsumedCapacity: Any = None


_read_output = msgspec.json.Decoder(_Output).decode


def new_token() -> str:
    """A ClientRequestToken: DynamoDB applies a transaction once per token for ten minutes."""
    from uuid import uuid4

    return str(uuid4())


# ---------------------------------------------------------------------- writing


def transact_params(writes: Sequence[Write], token: str) -> dict[str, Any]:
    """The parameters of a TransactWriteItems.

    Raises:
        LimitExceeded: more than 100 operations.
        ExpressionError: two operations on one item.
    """
    if any(write.companions is not None for write in writes):
        from .companions import accompanied_params

        return accompanied_params(writes, token)
    if len(writes) > MAX_ACTIONS:
        raise LimitExceeded(
            f"a transaction takes at most {MAX_ACTIONS} operations, this one has {len(writes)}; nothing was sent; use "
            "put_many() where all-or-nothing is not needed"
        )
    seen: dict[tuple[str, bytes], int] = {}
    entries: list[dict[str, Any]] = []
    for position, write in enumerate(writes):
        identity = (write.target.table_name, key_identity(write.target.plan.key_names, write.key))
        first = seen.setdefault(identity, position)
        if first != position:
            raise ExpressionError(
                f"operations {first + 1} ({named(writes[first])}) and {position + 1} ({named(write)}) of this "
                "transaction are on one item, which DynamoDB refuses; combine them into one update, or its condition "
                "into the write"
            )
        request = write.request
        if "ConditionExpression" in request:
            request = {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        entries.append({write.action: request})
    return {"TransactItems": entries, "ClientRequestToken": token}


def named(write: Write) -> str:
    """An operation as messages name it."""
    return f"{write.action} of {write.target.plan.name}"


def _targets(targets: Iterable[Target]) -> list[Target]:
    return list({target.table_name: target for target in targets}.values())


def transact_write(writes: Sequence[Write], token: str) -> Operation[list[Any]]:
    """Apply all writes or none; retried as a whole while other transactions are in the way.

    Raises:
        TransactionCancelled: with one typed reason per operation.
    """
    if not writes:
        return []
    if any(write.companions is not None for write in writes):
        from .companions import transact_accompanied

        return (yield from transact_accompanied(writes, token))
    while True:
        body = encode_request(transact_params(writes, token))
        if len(body) > MAX_BYTES:
            check_size(writes)
        try:
            # The token makes it safe to send twice.
            response = yield from _unless_in_conflict(
                Request("TransactWriteItems", body, True, _targets(write.target for write in writes))
            )
            break
        except TransactionCancelled as error:
            if _amend(writes, error):
                token = _following(token)
                continue
            by_position = dict(enumerate(writes))
            reasons = [reason_of(error, wire, by_position.get(place)) for place, wire in enumerate(error.wire_reasons)]
            raise cancelled(error, reasons, [named(write) for write in writes]) from None
        except ServiceError as error:
            raise refused(writes, error) from None
    raw_capacity("TransactWriteItems", response)
    return [write.applied(None) for write in writes]


def _amend(writes: Sequence[Write], error: TransactionCancelled) -> bool:
    """Whether every write that failed has another request, which it then has instead."""
    amended: list[tuple[Write, dict[str, Any]]] = []
    for place, wire in enumerate(error.wire_reasons):
        if (wire.get("Code") or "None") != "None":
            write = writes[place] if place < len(writes) else None
            request = None if write is None else amended_request(error, wire, write)
            if write is None or request is None:
                return False
            amended.append((write, request))
    for write, request in amended:
        write.request = request
    return bool(amended)


def _following(token: str) -> str:
    """The token of what is sent instead of a transaction: the same each time, so that sending all again is safe."""
    from hashlib import blake2b

    return blake2b(token.encode(), digest_size=16).hexdigest()


def check_size(writes: Sequence[Write]) -> None:
    """Refuse items that are too many for one transaction."""
    size = sum(item_size(write.request["Item"]) for write in writes if write.action == "Put")
    if size > MAX_BYTES:
        raise LimitExceeded(
            f"a transaction writes at most 4 MB, the items of this one have {size / 1024 / 1024:.1f}; nothing was sent"
        )


def _unless_in_conflict(request: Request) -> Operation[bytes]:
    """The response; the request is repeated while other transactions hold its items."""
    attempt = 0
    while True:
        try:
            response: bytes = yield request
            return response
        except TransactionCancelled as error:
            if attempt >= MAX_CONFLICT_RETRIES or not _only_conflicts(error):
                raise
        except TransactionConflict:
            if attempt >= MAX_CONFLICT_RETRIES:
                raise
        yield Sleep(_pause(attempt))
        attempt += 1


def _only_conflicts(error: TransactionCancelled) -> bool:
    codes = {reason.get("Code") or "None" for reason in error.wire_reasons}
    return "TransactionConflict" in codes and codes <= {"TransactionConflict", "None", "ThrottlingError"}


def _pause(attempt: int) -> float:
    from random import uniform

    return uniform(0, 0.05 * 2**attempt)


# ---------------------------------------------------------------------- what went wrong


def reason_of(error: TransactionCancelled, wire_reason: Mapping[str, Any], write: Write | None) -> DynawireError | None:
    """The typed reason of one operation; None when it is without fault."""
    if (wire_reason.get("Code") or "None") == "None":
        return None
    reason = _service_error(error, wire_reason)
    return reason if write is None else write.explained(reason)


def amended_request(error: TransactionCancelled, wire_reason: Mapping[str, Any], write: Write) -> dict[str, Any] | None:
    """What to send instead of an operation that was refused; None: there is nothing."""
    return write.amended(_service_error(error, wire_reason))


def _service_error(error: TransactionCancelled, wire_reason: Mapping[str, Any]) -> DynawireError:
    return service_error(
        wire_reason.get("Code") or "",
        wire_reason.get("Message") or "",
        request_id=error.request_id,
        status=error.status,
        fields=wire_reason,
    )


def cancelled(
    error: ServiceError, reasons: Sequence[DynawireError | None], names: Sequence[str]
) -> TransactionCancelled:
    """The cancellation with one typed reason per operation."""
    described = [
        f"operation {position + 1} ({name}): {type(reason).__name__}: {reason.message}"
        for position, (name, reason) in enumerate(zip(names, reasons, strict=False))
        if reason is not None
    ]
    return TransactionCancelled(
        "the transaction was cancelled, nothing was changed: " + ("; ".join(described) or error.message),
        code=error.code,
        request_id=error.request_id,
        status=error.status,
        reasons=tuple(reasons),
        wire_reasons=error.wire_reasons if isinstance(error, TransactionCancelled) else (),
    )


def refused(writes: Sequence[Write], error: ServiceError) -> ServiceError:
    """The error of a request that was refused as a whole, with a reason where only one operation can be at fault."""
    if is_lost_path(error):
        suspects = [position for position, write in enumerate(writes) if write.explain_path is not None]
        if len(suspects) == 1:
            reasons: list[DynawireError | None] = [None] * len(writes)
            reasons[suspects[0]] = writes[suspects[0]].explained(error)
            return cancelled(error, reasons, [named(write) for write in writes])
    return error


def send_exactly_once(write: Write) -> Operation[Any]:
    """Send one write as a transaction with a token, so that a lost response can be retried.

    It costs twice the write units.
    """
    try:
        yield from transact_write([write], new_token())
    except TransactionCancelled as cancelled:
        for reason in cancelled.reasons:
            if reason is not None:
                raise reason from None
        raise


# ---------------------------------------------------------------------- reading


def transact_get(reads: Sequence[tuple[Target, dict[str, Any]]]) -> Operation[tuple[Any, ...]]:
    """Read up to 100 items of any tables as of one moment; None stands for an item that is not there.

    An item asked for twice is read once, and stands in both places.
    """
    places: dict[tuple[str, bytes], int] = {}
    entries: list[dict[str, Any]] = []
    wanted: list[int] = []
    for target, key in reads:
        identity = (target.table_name, key_identity(target.plan.key_names, key))
        place = places.setdefault(identity, len(entries))
        if place == len(entries):
            entries.append({"Get": {"TableName": target.table_name, "Key": key}})
        wanted.append(place)
    if len(entries) > MAX_ACTIONS:
        raise LimitExceeded(
            f"a transaction reads at most {MAX_ACTIONS} items, this one {len(entries)}; nothing was sent"
        )
    if not entries:
        return ()
    request: dict[str, Any] = {"TransactItems": entries}
    if active_meter.get() is not None:
        request["ReturnConsumedCapacity"] = "TOTAL"
    try:
        response = yield from _unless_in_conflict(
            Request("TransactGetItems", encode_json(request), True, _targets(target for target, _ in reads))
        )
    except TransactionCancelled as error:
        reasons = [reason_of(error, wire, None) for wire in error.wire_reasons]
        raise cancelled(error, reasons, [f"Get from {entry['Get']['TableName']}" for entry in entries]) from None
    output = _read_output(response)
    meter = active_meter.get()
    if meter is not None:
        meter.record("TransactGetItems", output.ConsumedCapacity)
    return tuple(
        target.visible(target.plan.from_wire(item)) if (item := output.Responses[place].get("Item")) else None
        for (target, _), place in zip(reads, wanted, strict=True)
    )
