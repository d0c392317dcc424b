"""Query: the items of one partition, in the order of their sort keys."""

from __future__ import annotations

from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.expressions import read_key_conditions
from dynawire.engines.embedded.failures import validation
from dynawire.engines.embedded.keys import key_range
from dynawire.engines.embedded.pages import PagePlan, Start, answer_page, check_select, plan_page, start_of
from dynawire.engines.embedded.parameters import placeholders_of, refuse_legacy
from dynawire.engines.embedded.requests import Query

__all__ = ["query"]


def query(database: Database, request: Query) -> bytes:
    if (
        request.KeyConditions is not None
        or request.QueryFilter is not None
        or request.AttributesToGet is not None
        or request.ConditionalOperator is not None
    ):
        _refuse_legacy(request)
    expression = request.KeyConditionExpression
    check_select(request)
    placeholders = placeholders_of(
        request.ExpressionAttributeNames,
        request.ExpressionAttributeValues,
        {"FilterExpression": request.FilterExpression, "KeyConditionExpression": expression},
        request.ProjectionExpression,
    )
    if expression is None:
        raise validation(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    conditions = read_key_conditions(expression, placeholders)
    plan = plan_page(database, request, placeholders, lambda source: source.partition_names + source.sort_names)
    source = plan.via or plan.table
    condition = conditions.resolve(source.partition_names, source.sort_names, source.key_types)
    partition, low, high = key_range(source.partition_keys, source.sort_keys, condition)
    start = start_of(plan, request.ExclusiveStartKey)
    if start is not None:
        _check_start(start, partition, low, high)
    forward = request.ScanIndexForward is not False
    sql, parameters = _select(plan, partition, low, high, start, forward)
    rows = database.storage.fetch_page(sql, parameters, plan.limit)
    return answer_page(plan, rows, request.ReturnConsumedCapacity)


def _check_start(start: Start, partition: bytes, low: bytes, high: bytes | None) -> None:
    place, sort = start.place
    if place != partition or sort < low or (high is not None and sort >= high):
        raise validation(
            "The provided starting key is invalid: "
            "The provided starting key is outside query boundaries based on provided conditions"
        )


def _select(
    plan: PagePlan, partition: bytes, low: bytes, high: bytes | None, start: Start | None, forward: bool
) -> tuple[str, list[object]]:
    """The statement that reads the page."""
    where = ["r.hk = ?"]
    parameters: list[object] = [partition]
    if start is not None:
        # Where several entries of an index have one key, the table's key is what orders them.
        columns, marks = ("r.sk", "?") if plan.via is None else ("(r.sk, r.bhk, r.bsk)", "(?, ?, ?)")
        where.append(f"{columns} {'>' if forward else '<'} {marks}")
        parameters += (start.place[1],) if plan.via is None else (start.place[1], *start.base)
    if low and (start is None or not forward):
        where.append("r.sk >= ?")
        parameters.append(low)
    if high is not None and (start is None or forward):
        where.append("r.sk < ?")
        parameters.append(high)
    direction = "" if forward else " DESC"
    order = "r.sk" if plan.via is None else f"r.sk{direction}, r.bhk{direction}, r.bsk"
    limit = ""
    if plan.limit is not None:
        limit = " LIMIT ?"
        parameters.append(plan.limit)
    return (
        f"SELECT {plan.columns} FROM {plan.source} WHERE {' AND '.join(where)} ORDER BY {order}{direction}{limit}",
        parameters,
    )


def _refuse_legacy(request: Query) -> None:
    refuse_legacy(
        {
            "KeyConditions": (request.KeyConditions, "KeyConditionExpression"),
            "QueryFilter": (request.QueryFilter, "FilterExpression"),
            "AttributesToGet": (request.AttributesToGet, "ProjectionExpression"),
            "ConditionalOperator": (request.ConditionalOperator, "FilterExpression"),
        },
        {
            "ProjectionExpression": request.ProjectionExpression,
            "FilterExpression": request.FilterExpression,
            "KeyConditionExpression": request.KeyConditionExpression,
        },
    )
