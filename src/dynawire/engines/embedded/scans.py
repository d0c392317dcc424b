"""Scan: all items of a table or index, or those of one segment, in the order of their hashes."""

from __future__ import annotations

from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.failures import validation
from dynawire.engines.embedded.keys import hash_bound
from dynawire.engines.embedded.pages import PagePlan, Start, answer_page, check_select, plan_page, start_of
from dynawire.engines.embedded.parameters import placeholders_of, refuse_legacy
from dynawire.engines.embedded.requests import Scan

__all__ = ["scan"]


def scan(database: Database, request: Scan) -> bytes:
    if request.ScanFilter is not None or request.AttributesToGet is not None or request.ConditionalOperator is not None:
        _refuse_legacy(request)
    check_select(request)
    _check_segment(request.Segment, request.TotalSegments)
    placeholders = placeholders_of(
        request.ExpressionAttributeNames,
        request.ExpressionAttributeValues,
        {"FilterExpression": request.FilterExpression},
        request.ProjectionExpression,
    )
    plan = plan_page(database, request, placeholders, lambda source: ())
    low, high = b"", None
    if request.TotalSegments is not None and request.Segment is not None:
        low = hash_bound(request.Segment, request.TotalSegments) or b""
        high = hash_bound(request.Segment + 1, request.TotalSegments)
    start = start_of(plan, request.ExclusiveStartKey)
    if start is not None:
        partition = start.place[0]
        if partition < low or (high is not None and partition >= high):
            raise validation(
                "The provided starting key is invalid: Invalid ExclusiveStartKey. "
                "Please use ExclusiveStartKey with correct Segment. "
                f"TotalSegments: {request.TotalSegments} Segment: {request.Segment}"
            )
    sql, parameters = _select(plan, low, high, start)
    rows = database.storage.fetch_page(sql, parameters, plan.limit)
    return answer_page(plan, rows, request.ReturnConsumedCapacity)


def _check_segment(segment: int | None, total: int | None) -> None:
    if segment is None and total is None:
        return
    if segment is None:
        raise validation(
            "The Segment parameter is required but was not present in the request "
            "when parameter TotalSegments is present"
        )
    if total is None:
        raise validation(
            "The TotalSegments parameter is required but was not present in the request "
            "when Segment parameter is present"
        )
    if segment >= total:
        raise validation(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )


def _select(plan: PagePlan, low: bytes, high: bytes | None, start: Start | None) -> tuple[str, list[object]]:
    """The statement that reads the page."""
    where = []
    parameters: list[object] = []
    order = "r.hk, r.sk" if plan.via is None else "r.hk, r.sk, r.bhk, r.bsk"
    if start is not None:
        where.append(f"({order}) > ({', '.join('?' * (2 if plan.via is None else 4))})")
        parameters += start.place if plan.via is None else (*start.place, *start.base)
    elif low:
        where.append("r.hk >= ?")
        parameters.append(low)
    if high is not None:
        where.append("r.hk < ?")
        parameters.append(high)
    limit = ""
    if plan.limit is not None:
        limit = " LIMIT ?"
        parameters.append(plan.limit)
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT {plan.columns} FROM {plan.source}{condition} ORDER BY {order}{limit}", parameters


def _refuse_legacy(request: Scan) -> None:
    refuse_legacy(
        {
            "ScanFilter": (request.ScanFilter, "FilterExpression"),
            "AttributesToGet": (request.AttributesToGet, "ProjectionExpression"),
            "ConditionalOperator": (request.ConditionalOperator, "FilterExpression"),
        },
        {
            "FilterExpression": request.FilterExpression,
            "ProjectionExpression": request.ProjectionExpression,
        },
    )
