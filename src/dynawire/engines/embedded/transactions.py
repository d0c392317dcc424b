"""TransactGetItems and TransactWriteItems: all or nothing, and once only where a client token is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from dynawire.engines.embedded.capacity import Meter, read_units, write_units
from dynawire.engines.embedded.catalog import Catalog
from dynawire.engines.embedded.changes import (
    Change,
    fetch,
    find_table,
    plan_check,
    plan_delete,
    plan_put,
    plan_update,
    store,
)
from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.decoding import decode_item, encode
from dynawire.engines.embedded.expressions import Projection, parse_projection
from dynawire.engines.embedded.failures import Rejected, StaleTable, validation
from dynawire.engines.embedded.items import collection_metrics
from dynawire.engines.embedded.parameters import placeholders_of, wants
from dynawire.engines.embedded.partial import projected_item
from dynawire.engines.embedded.requests import GetAction, TransactGetItems, TransactWriteItem, TransactWriteItems
from dynawire.engines.embedded.storage import Execute
from dynawire.engines.embedded.tables import Key, Table
from dynawire.engines.embedded.values import Item
from dynawire.errors import DynawireError, service_error

__all__ = ["transact_get_items", "transact_write_items"]

MAX_TRANSACTION: Final = 4 * 1024 * 1024
"""Bytes of items one transaction may read or write."""

TOKEN_SECONDS: Final = 600
"""How long a client token is remembered."""

_MULTIPLE: Final = "Transaction request cannot include multiple operations on one item"
_canonical: Final = msgspec.json.Encoder(order="sorted").encode

Reason = dict[str, Any]
_NO_REASON: Final[Reason] = {"Code": "None"}


def transact_get_items(database: Database, request: TransactGetItems) -> bytes:
    gets = [each.Get for each in request.TransactItems]
    projections = [_projection(get) for get in gets]
    reasons: list[Reason] = []
    plans: list[tuple[Table, Key]] = []
    for get, projection in zip(gets, projections, strict=True):
        table = find_table(database.catalog, get.TableName)
        if projection is not None:
            projection.check_key_paths(table.key_types, table.index_key_names)
        try:
            plans.append((table, table.key(get.Key)))
            reasons.append(_NO_REASON)
        except Rejected as error:
            reasons.append(_invalid(error))
    if len({(table.name, key) for table, key in plans}) < len(plans):
        raise validation(_MULTIPLE)
    if len(plans) < len(gets):
        raise _cancelled(reasons)
    with database.storage.snapshot() as execute:
        rows = [execute(table.fetch, key).fetchone() for table, key in plans]
    if sum(row[1] for row in rows if row is not None) > MAX_TRANSACTION:
        raise validation("The aggregate size of the items of a transaction cannot exceed 4MB: read fewer at once")
    responses = []
    for row, projection in zip(rows, projections, strict=True):
        if row is None:
            responses.append(b"{}")
        elif projection is None:
            responses.append(b'{"Item":' + row[0] + b"}")
        else:
            responses.append(b'{"Item":' + projected_item(row[0], projection) + b"}")
    parts = [b'{"Responses":[', b",".join(responses), b"]"]
    if wants(request.ReturnConsumedCapacity):
        meters = _Meters()
        for (table, _), row in zip(plans, rows, strict=True):
            meters.of(table).count(2 * read_units(row[1] if row is not None else 0, consistent=True))
        parts += (b',"ConsumedCapacity":', encode(meters.report(request.ReturnConsumedCapacity, "ReadCapacityUnits")))
    parts.append(b"}")
    return b"".join(parts)


def transact_write_items(database: Database, request: TransactWriteItems) -> bytes:
    changes, keys, reasons = _plan(database.catalog, request.TransactItems)
    places = {(change.table.name, change.key) for change in changes if change is not None}
    if len(places) < sum(change is not None for change in changes):
        raise validation(_MULTIPLE)
    meters = _Meters()
    token = request.ClientRequestToken
    replayed = False
    with database.storage.writing() as execute:
        if any(change is not None and change.table.retired for change in changes):
            raise StaleTable
        if token is not None:
            replayed = _seen(execute, token, request)
        if replayed:
            for change in changes:
                if change is not None:
                    row = fetch(execute, change)
                    meters.of(change.table).count(2 * read_units(row[1] if row else 0, consistent=True))
        else:
            _apply(execute, changes, reasons, meters if wants(request.ReturnConsumedCapacity) else None)
    answer: dict[str, Any] = {}
    if wants(request.ReturnConsumedCapacity):
        split = "ReadCapacityUnits" if replayed else "WriteCapacityUnits"
        answer["ConsumedCapacity"] = meters.report(request.ReturnConsumedCapacity, split)
    if request.ReturnItemCollectionMetrics == "SIZE":
        metrics: dict[str, list[dict[str, Any]]] = {}
        for change, key in zip(changes, keys, strict=True):
            if change is not None and change.table.local and change.writes:
                metrics.setdefault(change.table.name, []).append(collection_metrics(change.table, key))
        if metrics:
            answer["ItemCollectionMetrics"] = metrics
    return encode(answer)


class _Meters:
    """A meter for each table of a transaction."""

    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}

    def of(self, table: Table) -> Meter:
        meter = self._meters.get(table.name)
        if meter is None:
            meter = self._meters[table.name] = Meter(table)
        return meter

    def report(self, detail: str | None, split: str) -> list[dict[str, Any]]:
        return [meter.report(str(detail), split=split) for meter in self._meters.values()]


def _projection(get: GetAction) -> Projection | None:
    expression = get.ProjectionExpression
    if expression is None and get.ExpressionAttributeNames is None:
        return None
    placeholders = placeholders_of(get.ExpressionAttributeNames, None, {}, expression)
    if expression is None:
        return None
    projection = parse_projection(expression, placeholders)
    placeholders.check_all_used()
    return projection


_PLANNERS: Final[tuple[tuple[str, str, Callable[[Catalog, Any], Change]], ...]] = (
    ("ConditionCheck", "Key", plan_check),
    ("Put", "Item", plan_put),
    ("Delete", "Key", plan_delete),
    ("Update", "Key", plan_update),
)


def _plan(
    catalog: Catalog, actions: Sequence[TransactWriteItem]
) -> tuple[list[Change | None], list[Item], list[Reason]]:
    """Every action's change, or None and the reason; its item or key; the reasons so far.

    Raises:
        ServiceError: the request is wrong in itself.
    """
    changes: list[Change | None] = []
    keys: list[Item] = []
    reasons: list[Reason] = []
    size = 0
    for action in actions:
        given = [
            (getattr(action, name), key, plan) for name, key, plan in _PLANNERS if getattr(action, name) is not None
        ]
        if not given:
            raise validation("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
        if len(given) > 1:
            raise validation("TransactItems can only contain one of Check, Put, Update or Delete")
        ((request, key, plan),) = given
        keys.append(getattr(request, key))
        try:
            change = plan(catalog, request)
            changes.append(change)
            reasons.append(_NO_REASON)
            size += getattr(change, "size", 0)
        except Rejected as error:
            changes.append(None)
            reasons.append(_invalid(error))
    _check_size(size)
    return changes, keys, reasons


def _apply(execute: Execute, changes: Sequence[Change | None], reasons: list[Reason], meters: _Meters | None) -> None:
    """Do all that is planned, or nothing.

    Raises:
        TransactionCancelled: with a reason for each action.
    """
    results: list[tuple[Change, Item | None, int, Item | None, int]] = []
    size = 0
    for number, change in enumerate(changes):
        if change is None:
            continue
        row = fetch(execute, change)
        old, old_size = (None, 0) if row is None else (decode_item(row[0]), row[1])
        if change.matches is not None and not change.matches(old or {}):
            reasons[number] = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
            if change.tells_old and old is not None:
                reasons[number]["Item"] = old
            continue
        new, new_size = old, old_size
        if change.writes:
            try:
                new, new_size = change.result(old, old_size)
            except Rejected as error:
                reasons[number] = _invalid(error)
                continue
            size += new_size
        results.append((change, old, old_size, new, new_size))
    if any(reason is not _NO_REASON for reason in reasons):
        raise _cancelled(reasons)
    _check_size(size)
    for change, old, old_size, new, new_size in results:
        meter = meters.of(change.table) if meters is not None else None
        single = meter.units if meter is not None else 0.0
        if change.writes:
            store(execute, change, old, old_size, new, new_size, meter)
        elif meter is not None:
            meter.count(write_units(old_size))
        if meter is not None:
            # Twice on the table, once on its indexes.
            meter.count(meter.units - single)


def _check_size(size: int) -> None:
    if size > MAX_TRANSACTION:
        raise validation(f"Transaction payload size cannot exceed 4MB. Payload Size: {size}")


def _seen(execute: Execute, token: str, request: TransactWriteItems) -> bool:
    """Whether this transaction was done before, within the time a token is remembered. If not, it is remembered now.

    Raises:
        ServiceError: ``IdempotentParameterMismatchException`` when the token was given with another request.
    """
    from hashlib import blake2b

    now = int(time.time())
    digest = blake2b(_canonical(request.TransactItems), digest_size=32).digest()
    execute("DELETE FROM tokens WHERE expires <= ?", (now,))
    row = execute("SELECT digest FROM tokens WHERE token = ?", (token,)).fetchone()
    if row is None:
        execute("INSERT INTO tokens VALUES (?, ?, ?)", (token, digest, now + TOKEN_SECONDS))
        return False
    if row[0] != digest:
        raise service_error(
            "IdempotentParameterMismatchException",
            "The request has the ClientRequestToken of an earlier transaction but other parameters; "
            "give every transaction a token of its own",
        )
    return True


def _invalid(error: Rejected) -> Reason:
    return {"Code": "ValidationError", "Message": str(error)}


def _cancelled(reasons: Sequence[Reason]) -> DynawireError:
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return service_error(
        "TransactionCanceledException", message, fields={"CancellationReasons": [dict(reason) for reason in reasons]}
    )
