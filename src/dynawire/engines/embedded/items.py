"""GetItem, PutItem, UpdateItem and DeleteItem."""

from __future__ import annotations

from typing import Any

from dynawire.engines.embedded.capacity import Meter, read_units
from dynawire.engines.embedded.changes import (
    Change,
    Put,
    UpdateChange,
    fetch,
    find_table,
    plan_delete,
    plan_put,
    plan_update,
    store,
)
from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.decoding import decode_item, encode
from dynawire.engines.embedded.expressions import parse_projection
from dynawire.engines.embedded.failures import StaleTable, condition_failed, validation
from dynawire.engines.embedded.parameters import placeholders_of, refuse_legacy, wants
from dynawire.engines.embedded.partial import projected_item
from dynawire.engines.embedded.requests import DeleteItem, GetItem, PutItem, UpdateItem
from dynawire.engines.embedded.tables import Table
from dynawire.engines.embedded.values import Item

__all__ = ["collection_metrics", "delete_item", "get_item", "put_item", "update_item"]


def get_item(database: Database, request: GetItem) -> bytes:
    projection = None
    if (
        request.ProjectionExpression is not None
        or request.ExpressionAttributeNames is not None
        or request.AttributesToGet is not None
    ):
        if request.AttributesToGet is not None:
            refuse_legacy(
                {"AttributesToGet": (request.AttributesToGet, "ProjectionExpression")},
                {"ProjectionExpression": request.ProjectionExpression},
            )
        expression = request.ProjectionExpression
        placeholders = placeholders_of(request.ExpressionAttributeNames, None, {}, expression)
        if expression is not None:
            projection = parse_projection(expression, placeholders)
            placeholders.check_all_used()
    table = find_table(database.catalog, request.TableName)
    if projection is not None:
        projection.check_key_paths(table.key_types, table.index_key_names)
    row = database.storage.fetch_one(table.fetch, table.key(request.Key))
    if row is None:
        answer = b"{}"
    elif projection is None:
        answer = b'{"Item":' + row[0] + b"}"
    else:
        answer = b'{"Item":' + projected_item(row[0], projection) + b"}"
    detail = request.ReturnConsumedCapacity
    if detail is not None and detail != "NONE":
        meter = Meter(table)
        meter.count(read_units(row[1] if row else 0, consistent=request.ConsistentRead))
        answer = _with(answer, "ConsumedCapacity", meter.report(detail))
    return answer


def put_item(database: Database, request: PutItem) -> bytes:
    if request.Expected is not None or request.ConditionalOperator is not None:
        _refuse_expected(request)
    _check_returns(request.ReturnValues)
    return _write(database, request, plan_put(database.catalog, request))


def delete_item(database: Database, request: DeleteItem) -> bytes:
    if request.Expected is not None or request.ConditionalOperator is not None:
        _refuse_expected(request)
    _check_returns(request.ReturnValues)
    return _write(database, request, plan_delete(database.catalog, request))


def update_item(database: Database, request: UpdateItem) -> bytes:
    if request.AttributeUpdates is not None or request.Expected is not None or request.ConditionalOperator is not None:
        refuse_legacy(
            {
                "AttributeUpdates": (request.AttributeUpdates, "UpdateExpression"),
                "Expected": (request.Expected, "ConditionExpression"),
                "ConditionalOperator": (request.ConditionalOperator, "ConditionExpression"),
            },
            {
                "UpdateExpression": request.UpdateExpression,
                "ConditionExpression": request.ConditionExpression,
            },
        )
    return _write(database, request, plan_update(database.catalog, request))


def collection_metrics(table: Table, item: Item) -> dict[str, Any]:
    """An ItemCollectionMetrics for the collection of an item or key. The engine does not estimate its size."""
    name = table.partition_names[0]
    return {"ItemCollectionKey": {name: item[name]}, "SizeEstimateRangeGB": [0.0, 1.0]}


def _write(database: Database, request: PutItem | DeleteItem | UpdateItem, change: Change) -> bytes:
    table = change.table
    detail = request.ReturnConsumedCapacity
    returns = request.ReturnValues
    meter = Meter(table) if wants(detail) else None
    if (
        type(change) is not UpdateChange
        and change.matches is None
        and meter is None
        and not table.index_list
        and not wants(returns)
    ):
        # Nothing depends on what was there.
        new, size = change.result(None, 0)
        with database.storage.writing_once() as execute:
            if table.retired:
                raise StaleTable
            store(execute, change, None, 0, new, size, None)
        return b"{}"
    # The item is all that is written, unless it has entries in indexes.
    storage = database.storage
    with storage.writing() if table.index_list else storage.writing_one() as execute:
        if table.retired:
            raise StaleTable
        found = fetch(execute, change)
        data, old_size = found or (None, 0)
        old = None
        if change.matches is not None or table.index_list or type(change) is UpdateChange:
            old = None if data is None else decode_item(data)
            if change.matches is not None and not change.matches(old or {}):
                raise condition_failed(old if change.tells_old else None)
        new, size = change.result(old, old_size)
        new_data = store(execute, change, old, old_size, new, size, meter)
    answer = _attributes(change, returns, data, old, new_data, new) if wants(returns) else b"{}"
    if meter is not None:
        answer = _with(answer, "ConsumedCapacity", meter.report(str(detail)))
    if request.ReturnItemCollectionMetrics == "SIZE" and table.local:
        key = change.item if type(change) is Put else request.Key  # type: ignore[union-attr]
        answer = _with(answer, "ItemCollectionMetrics", collection_metrics(table, key))
    return answer


def _attributes(
    change: Change, returns: str | None, data: bytes | None, old: Item | None, new_data: bytes | None, new: Item | None
) -> bytes:
    """The answer with what ReturnValues asks for."""
    if returns == "ALL_OLD":
        return b"{}" if data is None else b'{"Attributes":' + data + b"}"
    if returns == "ALL_NEW":
        assert new_data is not None
        return b'{"Attributes":' + new_data + b"}"
    assert type(change) is UpdateChange
    item = old if returns == "UPDATED_OLD" else new
    part = change.update.project_updated(item) if change.update is not None and item is not None else None
    return encode({"Attributes": part}) if part else b"{}"


def _with(answer: bytes, name: str, value: object) -> bytes:
    """An answer with one more member."""
    separator = b"" if answer == b"{}" else b","
    return b"".join((answer[:-1], separator, b'"', name.encode(), b'":', encode(value), b"}"))


def _check_returns(returns: str | None) -> None:
    if returns is not None and returns != "NONE" and returns != "ALL_OLD":
        raise validation("ReturnValues can only be ALL_OLD or NONE")


def _refuse_expected(request: PutItem | DeleteItem) -> None:
    refuse_legacy(
        {
            "Expected": (request.Expected, "ConditionExpression"),
            "ConditionalOperator": (request.ConditionalOperator, "ConditionExpression"),
        },
        {"ConditionExpression": request.ConditionExpression},
    )
