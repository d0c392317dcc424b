"""BatchGetItem and BatchWriteItem."""

from __future__ import annotations

from typing import Any, Final

from dynawire.engines.embedded.capacity import Meter, read_units
from dynawire.engines.embedded.changes import Change, fetch, find_table, plan_delete, plan_put, store
from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.decoding import decode_item, encode
from dynawire.engines.embedded.expressions import Projection, parse_projection
from dynawire.engines.embedded.failures import StaleTable, validation
from dynawire.engines.embedded.items import collection_metrics
from dynawire.engines.embedded.parameters import placeholders_of, refuse_legacy, wants
from dynawire.engines.embedded.partial import projected_item
from dynawire.engines.embedded.requests import (
    BatchGetItem,
    BatchWriteItem,
    DeleteAction,
    KeysAndAttributes,
    PutAction,
    WriteRequest,
)
from dynawire.engines.embedded.storage import Execute
from dynawire.engines.embedded.tables import Key, Table
from dynawire.engines.embedded.values import Item

__all__ = ["batch_get_item", "batch_write_item"]

MAX_BATCH_READ: Final = 16 * 1024 * 1024
"""Bytes of items a BatchGetItem answers with; keys beyond are unprocessed."""

_MAX_KEYS: Final = 100
_MAX_WRITES: Final = 25


def batch_get_item(database: Database, request: BatchGetItem) -> bytes:
    wanted = request.RequestItems
    if sum(len(each.Keys) for each in wanted.values()) > _MAX_KEYS:
        raise validation("Too many items requested for the BatchGetItem call")
    projections = {name: _projection(each) for name, each in wanted.items()}
    plans = [_plan_read(database, name, each, projections[name]) for name, each in wanted.items()]
    reader = _Reader()
    responses: list[bytes] = []
    unprocessed: dict[str, Any] = {}
    meters: list[Meter] = []
    with database.storage.reading() as execute:
        for (table, keys), (name, each) in zip(plans, wanted.items(), strict=True):
            meter = Meter(table)
            items, read = reader.read(execute, table, keys, projections[name], meter, each.ConsistentRead)
            responses.append(encode(name) + b":[" + b",".join(items) + b"]")
            meters.append(meter)
            if read < len(keys):
                unprocessed[name] = _rest(each, read)
    parts = [b'{"Responses":{', b",".join(responses), b'},"UnprocessedKeys":', encode(unprocessed)]
    if wants(request.ReturnConsumedCapacity):
        detail = str(request.ReturnConsumedCapacity)
        parts += (b',"ConsumedCapacity":', encode([meter.report(detail) for meter in meters]))
    parts.append(b"}")
    return b"".join(parts)


class _Reader:
    """Reads items until they are too much for one answer."""

    def __init__(self) -> None:
        self._size = 0

    def read(
        self,
        execute: Execute,
        table: Table,
        keys: list[Key],
        projection: Projection | None,
        meter: Meter,
        consistent: bool | None,
    ) -> tuple[list[bytes], int]:
        """The items found, and how many of the keys were read."""
        items: list[bytes] = []
        for number, key in enumerate(keys):
            row = execute(table.fetch, key).fetchone()
            if row is not None and self._size + row[1] > MAX_BATCH_READ:
                # Nothing of the tables that follow fits either: the answer is full.
                self._size = MAX_BATCH_READ
                return items, number
            meter.count(read_units(row[1] if row is not None else 0, consistent=consistent))
            if row is not None:
                self._size += row[1]
                data = row[0]
                items.append(data if projection is None else projected_item(data, projection))
        return items, len(keys)


def _projection(request: KeysAndAttributes) -> Projection | None:
    expression = request.ProjectionExpression
    if request.AttributesToGet is not None:
        refuse_legacy(
            {"AttributesToGet": (request.AttributesToGet, "ProjectionExpression")},
            {"ProjectionExpression": expression},
        )
    if expression is None and request.ExpressionAttributeNames is None:
        return None
    placeholders = placeholders_of(request.ExpressionAttributeNames, None, {}, expression)
    if expression is None:
        return None
    projection = parse_projection(expression, placeholders)
    placeholders.check_all_used()
    return projection


def _plan_read(
    database: Database, name: str, request: KeysAndAttributes, projection: Projection | None
) -> tuple[Table, list[Key]]:
    table = find_table(database.catalog, name)
    if projection is not None:
        projection.check_key_paths(table.key_types, table.index_key_names)
    keys = [table.key(key) for key in request.Keys]
    if len(set(keys)) < len(keys):
        raise validation("Provided list of item keys contains duplicates")
    return table, keys


def _rest(request: KeysAndAttributes, read: int) -> dict[str, Any]:
    """What of a request for one table is left to be asked for again."""
    rest: dict[str, Any] = {"Keys": request.Keys[read:]}
    for name in ("ConsistentRead", "ProjectionExpression", "ExpressionAttributeNames"):
        value = getattr(request, name)
        if value is not None:
            rest[name] = value
    return rest


def batch_write_item(database: Database, request: BatchWriteItem) -> bytes:
    wanted = request.RequestItems
    if sum(map(len, wanted.values())) > _MAX_WRITES:
        raise validation("Too many items requested for the BatchWriteItem call")
    plans: list[tuple[Table, list[tuple[Change, Item]]]] = []
    for name, entries in wanted.items():
        planned = [_plan_write(database, name, entry) for entry in entries]
        if len({change.key for change, _ in planned}) < len(planned):
            raise validation("Provided list of item keys contains duplicates")
        plans.append((planned[0][0].table, planned))
    detail = request.ReturnConsumedCapacity
    meters = []
    with database.storage.writing() as execute:
        for table, planned in plans:
            meter = Meter(table) if wants(detail) else None
            for change, _ in planned:
                _write(execute, change, meter)
            if meter is not None:
                meters.append(meter)
    answer: dict[str, Any] = {"UnprocessedItems": {}}
    if meters:
        answer["ConsumedCapacity"] = [meter.report(str(detail)) for meter in meters]
    if request.ReturnItemCollectionMetrics == "SIZE":
        metrics = {
            table.name: [collection_metrics(table, key) for _, key in planned]
            for table, planned in plans
            if table.local
        }
        if metrics:
            answer["ItemCollectionMetrics"] = metrics
    return encode(answer)


def _plan_write(database: Database, name: str, request: WriteRequest) -> tuple[Change, Item]:
    """One write of a batch, and its item or key."""
    put, delete = request.PutRequest, request.DeleteRequest
    if put is not None and delete is None:
        return plan_put(database.catalog, PutAction(TableName=name, Item=put.Item)), put.Item
    if delete is not None and put is None:
        return plan_delete(database.catalog, DeleteAction(TableName=name, Key=delete.Key)), delete.Key
    raise validation(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
        if put is not None
        else "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    )


def _write(execute: Execute, change: Change, meter: Meter | None) -> None:
    table = change.table
    if table.retired:
        raise StaleTable
    old, old_size = None, 0
    if table.index_list or meter is not None:
        row = fetch(execute, change)
        if row is not None:
            old, old_size = decode_item(row[0]), row[1]
    new, size = change.result(old, old_size)
    store(execute, change, old, old_size, new, size, meter)
