"""One page of what a plan finds. Its cursor says which source it was read from, so that the next page is too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...errors import ExpressionError
from ...expressions import Value
from ..cursors import decode_cursor, encode_cursor
from ..effects import Operation
from ..expiry import Moment
from ..streaming import collected
from ..target import Target
from .plans import AccessPlan, KeysRead, QueryRead, ScanRead
from .reading import Reading, Wanted
from .sources import Source, sources_of

__all__ = ["is_single", "read_found_page"]

SEPARATOR = "~"
"""Neither in the name of an index nor in a cursor of a query, and safe in a URL."""


def is_single(plan: AccessPlan) -> bool:
    """Whether one query, scan or key finds everything."""
    return not plan.reads or (
        plan.only is not None and not (isinstance(plan.only, KeysRead) and len(plan.only.keys) > 1)
    )


def read_found_page(
    target: Target, choose: Callable[[Source | None], AccessPlan], wanted: Wanted, size: int, after: str | None
) -> Operation[tuple[list[Any], str | None]]:
    """Up to ``size`` results after a cursor, and the cursor that follows them; None at the end.

    Args:
        target: the class and its table.
        choose: gives the plan, of one read, when only this source may be read.
        wanted: what is made of the items.
        size: how many results at the most.
        after: the cursor of the page before.
    """
    source, inner = (None, None) if after is None else _taken_apart(target, after)
    try:
        reading, start = _continued(Reading(target, choose(None), wanted), inner)
    except ExpressionError:
        if inner is None:
            raise
        # What is known of the table may have changed since, and another way be taken now.
        reading, start = _continued(Reading(target, choose(source), wanted), inner)
    read = reading.plan.only
    if read is None or isinstance(read, KeysRead):
        items = yield from collected(reading.stream(), size)
        return items, None
    operation, request = _described(reading, read)
    items, position = yield from reading.page(read, size, start)
    if position is None:
        return items, None
    name = "" if read.source.index is None else read.source.index.name
    return items, name + SEPARATOR + encode_cursor(operation, request, position)


def _continued(reading: Reading, inner: str | None) -> tuple[Reading, Any]:
    """A reading, and where it starts: after a cursor.

    Raises:
        ExpressionError: the cursor is not one of it.
    """
    read = reading.plan.only
    if inner is None:
        return reading, None
    if read is None or isinstance(read, KeysRead):
        raise ExpressionError("this cursor belongs to another query; pass None to begin")
    return reading, decode_cursor(*_described(reading, read), inner)


def _taken_apart(target: Target, cursor: str) -> tuple[Source, str]:
    name, separator, inner = str(cursor).partition(SEPARATOR)
    for source in sources_of(target):
        if separator and name == ("" if source.index is None else source.index.name):
            return source, inner
    raise ExpressionError(
        "this is not a cursor that page() of a find gave; pass page.cursor of the page before, unchanged, or None to "
        "begin"
    )


def _described(reading: Reading, read: QueryRead | ScanRead) -> tuple[str, dict[str, Any]]:
    """What a cursor belongs to: the request, and what is tested here."""
    plan = reading.read_plan(read, paging=True)
    request = dict(plan.request)
    for name, condition in (("test", read.test), ("recheck", read.recheck)):
        if condition is not None:
            values = [
                None if isinstance(one.wire, Moment) else one.wire
                for part in condition.comparisons()
                for one in part.operands
                if isinstance(one, Value)
            ]
            request[name] = [repr(condition), values]
    return plan.operation, request
