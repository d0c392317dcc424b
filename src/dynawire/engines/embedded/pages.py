"""What Query and Scan share: which attributes are wanted, the start of a page, its items, its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from dynawire.engines.embedded.capacity import Meter, read_units
from dynawire.engines.embedded.changes import find_table
from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.decoding import decode_item, encode
from dynawire.engines.embedded.expressions import (
    Condition,
    Placeholders,
    Projection,
    parse_condition,
    parse_projection,
)
from dynawire.engines.embedded.failures import Rejected, validation
from dynawire.engines.embedded.parameters import wants
from dynawire.engines.embedded.partial import filtered, projected
from dynawire.engines.embedded.requests import Page
from dynawire.engines.embedded.storage import Rows
from dynawire.engines.embedded.tables import Index, Key, Table
from dynawire.engines.embedded.values import Item

__all__ = ["PagePlan", "Start", "answer_page", "check_select", "plan_page", "start_of"]

_INVALID_START: Final = "The provided starting key is invalid"


class PagePlan(NamedTuple):
    """A page to be read.

    Attributes:
        table: the table.
        via: the index it is read through, or None.
        source: its table in SQLite.
        columns: what to select: item, size and, when items are fetched from the table, the size in the index.
        fetches: whether the index does not have all that is wanted, so that items are fetched from the table.
        condition: the filter.
        projection: the projection.
        consistent: whether the read is consistent.
        counts: whether only the number of items is wanted.
        limit: how many items to look at.
    """

    table: Table
    via: Index | None
    source: str
    columns: str
    fetches: bool
    condition: Condition | None
    projection: Projection | None
    consistent: bool
    counts: bool
    limit: int | None


class Start(NamedTuple):
    """Behind which row a page begins.

    Attributes:
        place: its partition and sort key in what is read.
        base: those of its item in the table.
    """

    place: Key
    base: Key


def check_select(request: Page) -> None:
    """The rules on Select that need no table.

    Raises:
        ServiceError: ``ValidationException``.
    """
    select = request.Select
    if select is None:
        return
    if select == "ALL_PROJECTED_ATTRIBUTES" and request.IndexName is None:
        raise validation("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
    if select == "SPECIFIC_ATTRIBUTES":
        if request.ProjectionExpression is None:
            raise validation(
                "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
            )
    elif request.ProjectionExpression is not None:
        what = "only the Count" if select == "COUNT" else select
        raise validation(f"Cannot specify the ProjectionExpression when choosing to get {what}")


def plan_page(
    database: Database, request: Page, placeholders: Placeholders, key_names: Callable[[Table | Index], Iterable[str]]
) -> PagePlan:
    """Read the filter and projection, find table and index, and check that they go together.

    Args:
        database: where the table is.
        request: the request.
        placeholders: what its expressions share. All but those here have been read.
        key_names: which attributes the filter may not look at.

    Raises:
        ServiceError: ``ValidationException``, ``ResourceNotFoundException``.
    """
    condition = projection = None
    if request.FilterExpression is not None:
        condition = parse_condition(request.FilterExpression, placeholders, "FilterExpression")
    if request.ProjectionExpression is not None:
        projection = parse_projection(request.ProjectionExpression, placeholders)
    placeholders.check_all_used()
    table = find_table(database.catalog, request.TableName)
    for each in (condition, projection):
        if each is not None:
            each.check_key_paths(table.key_types, table.index_key_names)
    index = None
    source: Table | Index = table
    if request.IndexName is not None:
        source = index = find_index(database, table, request.IndexName)
    paths = condition.paths if condition is not None else frozenset()
    if paths:
        for name in key_names(source):
            if name in paths:
                raise validation(
                    f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}"
                )
    fetches = False
    if index is not None:
        fetches = _check_index_read(request, index, paths, projection)
    columns = "b.item, b.size, r.size" if fetches else "r.item, r.size"
    origin = f"{source.source} r"
    if fetches:
        origin += f" CROSS JOIN {table.source} b ON b.hk = r.bhk AND b.sk = r.bsk"
    return PagePlan(
        table,
        index,
        origin,
        columns,
        fetches,
        condition,
        projection,
        bool(request.ConsistentRead),
        request.Select == "COUNT",
        request.Limit,
    )


def find_index(database: Database, table: Table, name: str) -> Index:
    """An index of a table, which another process may have made just now.

    Raises:
        ServiceError: ``ValidationException``.
    """
    index = table.indexes.get(name)
    if index is None and database.storage.path is not None:
        database.catalog.load()
        index = find_table(database.catalog, table.name).indexes.get(name)
    if index is None:
        raise validation(f"The table does not have the specified index: {name}")
    return index


def start_of(plan: PagePlan, key: Item | None) -> Start | None:
    """Behind which row the page begins that an ExclusiveStartKey asks for.

    Raises:
        ServiceError: ``ValidationException`` when it is not a key of what is read.
    """
    if key is None:
        return None
    names = (plan.via or plan.table).key_names
    if key.keys() != set(names):
        if len(key) != len(names) and plan.via is None and key:
            raise validation(f"{_INVALID_START}: Exclusive Start Key must have same size as table's key schema")
        raise validation(f"{_INVALID_START}: The provided key element does not match the schema")
    table = plan.table
    try:
        base = table.key({name: key[name] for name in table.key_names})
        if plan.via is None:
            return Start(base, base)
        table.check_index_keys(key)
    except Rejected as error:
        raise validation(f"{_INVALID_START}: {error}") from None
    place = plan.via.place(key)
    if place is None:
        raise validation(f"{_INVALID_START}: The provided key element does not match the schema")
    return Start(place, base)


def answer_page(plan: PagePlan, rows: Rows, detail: str | None) -> bytes:
    """The answer to a query or scan."""
    page, size, more = rows
    found = [row[0] for row in page]
    kept = found if plan.condition is None else filtered(found, plan.condition)
    parts = []
    if not plan.counts:
        if plan.projection is None:
            parts = [b'"Items":[', b",".join(kept), b"],"]
        else:
            parts = [b'"Items":', projected(kept, plan.projection), b","]
    parts.append(b'"Count":%d,"ScannedCount":%d' % (len(kept), len(found)))
    if more:
        last = decode_item(found[-1])
        names = (plan.via or plan.table).key_names
        parts += (b',"LastEvaluatedKey":', encode({name: last[name] for name in names}))
    if wants(detail):
        parts += (b',"ConsumedCapacity":', encode(_consumed(plan, page, size, str(detail))))
    return b"{%b}" % b"".join(parts)


def _check_index_read(request: Page, index: Index, filtered: Iterable[str], projection: Projection | None) -> bool:
    """See that an index can give what is wanted; whether the items have to be fetched from the table."""
    name = index.name
    if not index.local and request.ConsistentRead:
        raise validation("Consistent reads are not supported on global secondary indexes")
    if index.names is None:
        return False
    missing = sorted(set(filtered).difference(index.names))
    if missing:
        raise validation(
            f"One or more parameter values were invalid: Secondary index {name} does not project "
            f"one or more filter attributes: [{', '.join(missing)}]"
        )
    wanted = projection.top_level_names.difference(index.names) if projection is not None else frozenset()
    everything = request.Select == "ALL_ATTRIBUTES"
    if index.local:
        return everything or bool(wanted)
    if everything:
        raise validation(
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported "
            f"for global secondary index {name} because its projection type is not ALL"
        )
    if wanted:
        raise validation(
            f"One or more parameter values were invalid: Global secondary index {name} "
            f"does not project [{', '.join(sorted(wanted))}]"
        )
    return False


def _consumed(plan: PagePlan, page: list[tuple[Any, ...]], size: int, detail: str) -> dict[str, Any]:
    meter = Meter(plan.table)
    if plan.fetches:
        for row in page:
            meter.count(read_units(row[1], consistent=plan.consistent))
        size = sum(row[2] for row in page)
    meter.count(read_units(size, consistent=plan.consistent), plan.via)
    return meter.report(detail)
