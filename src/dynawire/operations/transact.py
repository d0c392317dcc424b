"""TransactWriteItems and TransactGetItems."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..errors import (
    ConditionFailed,
    DynawireError,
    ExpressionError,
    LimitExceeded,
    TransactionCancelled,
    TransactionConflict,
    service_error,
)
from .batch import key_identity
from .capacity import active_meter
from .effects import Operation, Request, Sleep
from .target import Target, encode_json, encode_request, raw_capacity
from .writes import Write

__all__ = ["MAX_ACTIONS", "new_token", "send_exactly_once", "transact_get", "transact_params", "transact_write"]

MAX_ACTIONS = 100
MAX_CONFLICT_RETRIES = 5
MAX_BYTES = 4 * 1024 * 1024

_read_responses = msgspec.json.Decoder(
    msgspec.defstruct("TransactGetOutput", [("Responses", list[dict[str, Any]], ()), ("ConsumedCapacity", Any, None)])
).decode


def new_token() -> str:
    """A ClientRequestToken: DynamoDB applies a transaction once per token for ten minutes."""
    from uuid import uuid4

    return str(uuid4())


def transact_params(writes: Sequence[Write], token: str) -> dict[str, Any]:
    """The parameters of a TransactWriteItems.

    Raises:
        LimitExceeded: more than 100 operations.
        ExpressionError: two operations on one item.
    """
    if len(writes) > MAX_ACTIONS:
        raise LimitExceeded(
            f"a transaction takes at most {MAX_ACTIONS} operations, this one has {len(writes)}; nothing was sent; use "
            "put_many() where all-or-nothing is not needed"
        )
    seen: dict[tuple[str, bytes], int] = {}
    entries: list[dict[str, Any]] = []
    for position, write in enumerate(writes):
        identity = (write.target.table_name, key_identity(write.target, write.key))
        first = seen.setdefault(identity, position)
        if first != position:
            raise ExpressionError(
                f"operations {first + 1} ({_named(writes[first])}) and {position + 1} ({_named(write)}) of this "
                "transaction are on "
                "one item, which DynamoDB refuses; combine them into one update, or its condition into the write"
            )
        request = write.request
        if "ConditionExpression" in request:
            request = {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        entries.append({write.action: request})
    return {"TransactItems": entries, "ClientRequestToken": token}


def _named(write: Write) -> str:
    return f"{write.action} of {write.target.plan.name}"


def transact_write(writes: Sequence[Write], token: str) -> Operation[list[Any]]:
    """Apply all writes or none; retried as a whole while other transactions are in the way.

    Raises:
        TransactionCancelled: with one typed reason per operation.
    """
    if not writes:
        return []
    body = encode_request(transact_params(writes, token))
    if len(body) > 2 * MAX_BYTES:
        raise LimitExceeded(
            f"a transaction takes at most 4 MB, this request has {len(body) / 1024 / 1024:.1f}; nothing was sent"
        )
    response = b""
    attempt = 0
    while True:
        try:
            # The token makes it safe to send twice.
            response = yield Request("TransactWriteItems", body, True)
            break
        except TransactionCancelled as error:
            if attempt >= MAX_CONFLICT_RETRIES or not _only_conflicts(error):
                raise explained(writes, error) from None
        except TransactionConflict:
            if attempt >= MAX_CONFLICT_RETRIES:
                raise
        yield Sleep(_pause(attempt))
        attempt += 1
    raw_capacity("TransactWriteItems", response)
    return [write.applied(None) for write in writes]


def _only_conflicts(error: TransactionCancelled) -> bool:
    codes = {reason.get("Code") or "None" for reason in error.wire_reasons}
    return "TransactionConflict" in codes and codes <= {"TransactionConflict", "None", "ThrottlingError"}


def _pause(attempt: int) -> float:
    from random import uniform

    return uniform(0, 0.05 * 2**attempt)


def explained(writes: Sequence[Write], error: TransactionCancelled) -> TransactionCancelled:
    """The cancellation with one typed reason per operation."""
    reasons: list[DynawireError | None] = []
    for position, wire_reason in enumerate(error.wire_reasons):
        code = wire_reason.get("Code") or "None"
        if code == "None":
            reasons.append(None)
            continue
        reason = service_error(
            code, wire_reason.get("Message") or "", request_id=error.request_id, status=error.status, fields=wire_reason
        )
        if isinstance(reason, ConditionFailed) and position < len(writes):
            reason = writes[position].explain(reason)
        reasons.append(reason)
    described = [
        f"operation {position + 1} ({_named(writes[position])}): {type(reason).__name__}: {reason.message}"
        for position, reason in enumerate(reasons)
        if reason is not None and position < len(writes)
    ]
    return TransactionCancelled(
        "the transaction was cancelled, nothing was changed: " + ("; ".join(described) or error.message),
        code=error.code,
        request_id=error.request_id,
        status=error.status,
        reasons=tuple(reasons),
        wire_reasons=error.wire_reasons,
    )


def send_exactly_once(write: Write) -> Operation[Any]:
    """Send one write as a transaction with a token, so that a lost response never leaves its outcome unknown.

    It costs twice the write units.
    """
    try:
        yield from transact_write([write], new_token())
    except TransactionCancelled as cancelled:
        for reason in cancelled.reasons:
            if reason is not None:
                raise reason from None
        raise


def transact_get(reads: Sequence[tuple[Target, dict[str, Any]]]) -> Operation[list[Any]]:
    """Read up to 100 items of any tables as of one moment; None stands for an item that is not there."""
    if len(reads) > MAX_ACTIONS:
        raise LimitExceeded(f"a transaction reads at most {MAX_ACTIONS} items, this one {len(reads)}; nothing was sent")
    if not reads:
        return []
    entries = [{"Get": {"TableName": target.table_name, "Key": key}} for target, key in reads]
    request: dict[str, Any] = {"TransactItems": entries}
    if active_meter.get() is not None:
        request["ReturnConsumedCapacity"] = "TOTAL"
    response = b""
    attempt = 0
    while True:
        try:
            response = yield Request("TransactGetItems", encode_json(request))
            break
        except (TransactionCancelled, TransactionConflict) as error:
            conflict = not isinstance(error, TransactionCancelled) or _only_conflicts(error)
            if not conflict or attempt >= MAX_CONFLICT_RETRIES:
                raise
        yield Sleep(_pause(attempt))
        attempt += 1
    output: Any = _read_responses(response)
    meter = active_meter.get()
    if meter is not None:
        meter.record("TransactGetItems", output.ConsumedCapacity)
    return [
        target.plan.from_wire(entry["Item"]) if entry.get("Item") else None
        for (target, _), entry in zip(reads, output.Responses, strict=True)
    ]
