"""Reading many items: a query or scan built step by step, and the indexes it may run on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import msgspec

from .errors import DecodeError, DynawireError, ExpressionError, ItemNotFound
from .expressions import (
    Condition,
    Path,
    Placeholders,
    all_of,
    compile_condition,
    compile_projection,
    parse_lookups,
    split_key_condition,
)
from .mapping.indexes import IndexDefinition
from .operations.drivers import PageSource, astream_pages, stream_pages
from .operations.pages import PageReader, ReadPlan, count_items, read_page
from .operations.projected import tuple_reader
from .operations.target import Target, as_condition
from .operations.twins import asynchronous, sync

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .operations.effects import Operation
    from .table import Table

__all__ = ["Index", "MultipleItemsFound", "Page", "Query"]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
MAX_SEGMENTS = 1_000_000


class MultipleItemsFound(DynawireError):
    """``one()`` found more than one item."""


class Page(Generic[T]):
    """One page of a query. Iterates over its items.

    Attributes:
        items: the items, never more than the size asked for.
        cursor: an opaque, URL-safe text to go on with (``page(after=cursor)``); None at the end. It holds the key of
            the last item, encoded but not encrypted.
    """

    __slots__ = ("cursor", "items")

    def __init__(self, items: list[T], cursor: str | None) -> None:
        self.items = items
        self.cursor = cursor

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"<Page: {len(self.items)} items, {'more follow' if self.cursor else 'the last'}>"


class _Options(msgspec.Struct, frozen=True):
    """What a query was told, beside its conditions."""

    reverse: bool = False
    limit: int | None = None
    consistent: bool = False
    segments: int = 1
    fetch_ahead: bool = True
    projection: tuple[Path[Any], ...] = ()
    misfits: list[DecodeError] | None = None


class Query(Generic[T]):
    """A read of many items with one partition key value (DynamoDB's Query), or of all (Scan).

    It never changes: every step gives a new one, so that a query can be kept and built upon. Nothing is sent until it
        is
    iterated (``for``, ``async for``) or asked for a result. Pages are fetched as they are needed, the next one ahead.
    """

    __slots__ = ("_filter", "_index", "_key_conditions", "_options", "_table")

    def __init__(
        self,
        table: Table[Any],
        index: IndexDefinition | None,
        key_conditions: tuple[Condition, ...] | None,
        filter_condition: Condition | None,
        options: _Options | None = None,
    ) -> None:
        self._table = table
        self._index = index
        self._key_conditions = key_conditions
        self._filter = filter_condition
        self._options = options or _Options()

    # ------------------------------------------------------------------ building

    def _with(self, **changes: Any) -> Query[Any]:
        options = msgspec.structs.replace(self._options, **changes)
        return Query(self._table, self._index, self._key_conditions, self._filter, options)

    def where(self, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Query[T]:
        """Keep only items for which all of this holds (FilterExpression).

        The service reads and charges for the items a filter drops. A key attribute of what is queried can't be
        filtered.
        """
        more = as_condition(self._table._target, conditions, lookups)
        if more is None:
            return self
        both = more if self._filter is None else all_of([self._filter, more])
        return Query(self._table, self._index, self._key_conditions, both, self._options)

    def reverse(self, reverse: bool = True) -> Query[T]:
        """Descending order of the sort key (``ScanIndexForward: false``)."""
        if self._key_conditions is None:
            raise ExpressionError("a scan has no order to reverse; only a query does")
        return self._with(reverse=reverse)

    def limit(self, count: int | None) -> Query[T]:
        """Return at most this many items. It counts returned items, after the filter, and is not the page size."""
        if count is not None and count < 0:
            raise ExpressionError("limit() takes 0 or more")
        return self._with(limit=count)

    def consistent(self, consistent: bool = True) -> Query[T]:
        """Strongly consistent reads, at twice the read units. A global index has none."""
        if consistent and self._index is not None and self._index.is_global:
            raise ExpressionError(
                f"the global index {self._index.name} is eventually consistent by nature; query the table or a local "
                "index"
            )
        return self._with(consistent=consistent)

    def parallel(self, segments: int) -> Query[T]:
        """Scan in this many segments at the same time (1 to 1,000,000). The order of items is then arbitrary."""
        if self._key_conditions is not None:
            raise ExpressionError("only a scan can be parallel; a query reads one partition")
        if not 1 <= segments <= MAX_SEGMENTS:
            raise ExpressionError(f"parallel() takes 1 to {MAX_SEGMENTS:,} segments")
        return self._with(segments=segments)

    def fetch_ahead(self, fetch_ahead: bool = True) -> Query[T]:
        """Whether the next page is fetched while this one is consumed (default), or only when it is needed."""
        return self._with(fetch_ahead=fetch_ahead)

    def collect_misfits(self, misfits: list[DecodeError]) -> Query[T]:
        """Append an error to this list for each item that does not fit the class, instead of stopping at the first."""
        return self._with(misfits=misfits)

    @overload
    def project(self, a: Path[A], /) -> Query[tuple[A]]: ...
    @overload
    def project(self, a: Path[A], b: Path[B], /) -> Query[tuple[A, B]]: ...
    @overload
    def project(self, a: Path[A], b: Path[B], c: Path[C], /) -> Query[tuple[A, B, C]]: ...
    @overload
    def project(self, a: Path[A], b: Path[B], c: Path[C], d: Path[D], /) -> Query[tuple[A, B, C, D]]: ...
    @overload
    def project(self, a: Path[A], b: Path[B], c: Path[C], d: Path[D], e: Path[E], /) -> Query[tuple[A, B, C, D, E]]: ...
    @overload
    def project(self, *paths: Path[Any]) -> Query[tuple[Any, ...]]: ...
    def project(self, *paths: Path[Any]) -> Query[Any]:
        """Only these attributes, as typed tuples (ProjectionExpression). It saves transfer, not read units."""
        if not paths:
            raise ExpressionError("project() needs at least one attribute")
        compile_projection(paths, Placeholders(), self._table._target.cls)
        return self._with(projection=paths)

    # ------------------------------------------------------------------ compiling

    def _plan(self, *, paging: bool = False) -> ReadPlan:
        target = self._table._target
        options = self._options
        placeholders = Placeholders()
        request: dict[str, Any] = {"TableName": target.table_name}
        if self._index is not None:
            request["IndexName"] = self._index.name
        if self._key_conditions is not None:
            text = compile_condition(all_of(self._key_conditions), placeholders, target.cls)
            request["KeyConditionExpression"] = text
            if options.reverse:
                request["ScanIndexForward"] = False
        if self._filter is not None:
            request["FilterExpression"] = compile_condition(self._filter, placeholders, target.cls)
        key_names = self._position_names(target)
        if options.projection:
            self._refuse_unprojected(path.label for path in options.projection)
            paths = list(options.projection)
            if paging:
                # A position is made of key attributes, so they must come along.
                present = {path.steps[0] for path in paths}
                paths += [target.mapped.paths_by_stored_name[name] for name in key_names if name not in present]
            request["ProjectionExpression"] = compile_projection(paths, placeholders, target.cls)
            read: Any = tuple_reader(target, options.projection)
        else:
            self._refuse_unprojected(
                attribute.name
                for attribute in target.mapped.mapping.attributes.values()
                if not target.plan.record.may_be_absent(attribute)
            )
            read = target.plan.read_page
        placeholders.apply(request)
        if options.consistent:
            request["ConsistentRead"] = True
        operation = "Scan" if self._key_conditions is None else "Query"
        return ReadPlan(operation, request, read, self._filter is not None, key_names, options.misfits)

    def _position_names(self, target: Target) -> tuple[str, ...]:
        names = list(target.plan.key_names)
        if self._index is not None:
            attributes = target.mapped.mapping.attributes
            names += [attributes[name].stored_name for name in self._index.key_names()]
        return tuple(dict.fromkeys(names))

    def _refuse_unprojected(self, wanted: Any) -> None:
        index = self._index
        if index is None or index.projection == "ALL" or not index.is_global:
            return
        held = {*index.key_names(), *(attribute.name for attribute in self._table._target.plan.key_attributes)}
        if isinstance(index.projection, tuple):
            held |= set(index.projection)
        absent = [name for name in wanted if name.split(".", 1)[0].split("[", 1)[0] not in held]
        if absent:
            raise ExpressionError(
                f"the index {index.name} does not hold {', '.join(absent)}: ask for what it holds with "
                f".project(...), read the items by key with get_many(), or declare the index with projection='ALL'"
            )

    def _sources(self) -> list[PageSource]:
        plan = self._plan()
        options = self._options
        if options.segments == 1:
            return [PageReader(plan, options.limit)]
        return [
            PageReader(
                msgspec.structs.replace(
                    plan, request={**plan.request, "Segment": segment, "TotalSegments": options.segments}
                ),
                options.limit,
            )
            for segment in range(options.segments)
        ]

    def params(self) -> dict[str, Any]:
        """The first request this would send, without sending it."""
        source = self._sources()[0]
        request = source.next_request()
        shown: dict[str, Any] = {} if request is None else msgspec.json.decode(request.body)
        return shown

    # ------------------------------------------------------------------ results

    def _pages(self) -> Iterator[list[T]]:
        return stream_pages(self._table._engine, self._sources(), fetch_ahead=self._options.fetch_ahead)

    def _apages(self) -> AsyncGenerator[list[T], None]:
        return astream_pages(self._table._engine, self._sources(), fetch_ahead=self._options.fetch_ahead)

    def __iter__(self) -> Iterator[T]:
        left = self._options.limit
        for page in self._pages():
            if left is None:
                yield from page
                continue
            # Each segment of a parallel scan reads up to the limit by itself.
            yield from page[:left]
            left -= len(page)
            if left <= 0:
                return

    async def __aiter__(self) -> AsyncIterator[T]:
        left = self._options.limit
        async with aclosing(self._apages()) as pages:
            async for page in pages:
                for item in page if left is None else page[:left]:
                    yield item
                if left is not None:
                    left -= len(page)
                    if left <= 0:
                        return

    def all(self) -> list[T]:
        """Every item, as a list."""
        items: list[T] = []
        for page in self._pages():
            items += page
        return items if self._options.limit is None else items[: self._options.limit]

    async def aall(self) -> list[T]:
        """Every item, as a list."""
        items: list[T] = []
        async with aclosing(self._apages()) as pages:
            async for page in pages:
                items += page
        return items if self._options.limit is None else items[: self._options.limit]

    def _read_page(self, size: int = 25, after: str | None = None) -> Operation[Page[T]]:
        """One page.

        Args:
            size: how many items at the most, 1 or more. With a filter as many requests are sent as it takes to fill
                the page.
            after: the cursor of the page before; None begins.

        Raises:
            ExpressionError: the cursor is none, or belongs to another query.
        """
        if size < 1:
            raise ExpressionError("a page has at least one item; give size=1 or more")
        if self._options.segments > 1:
            raise ExpressionError("a parallel scan has no pages; iterate over it")
        items, cursor = yield from read_page(self._plan(paging=True), size, after)
        return Page(items, cursor)

    def _first(self) -> Operation[T | None]:
        """The first item, or None."""
        items, _ = yield from read_page(self._plan(paging=True), 1, None)
        return items[0] if items else None

    def _one(self) -> Operation[T]:
        """The only item.

        Raises:
            ItemNotFound: there is none.
            MultipleItemsFound: there are several.
        """
        items, _ = yield from read_page(self._plan(paging=True), 2, None)
        name = self._table._target.plan.name
        if not items:
            raise ItemNotFound(f"no {name} matches this query", code="", model=name)
        if len(items) > 1:
            raise MultipleItemsFound(f"more than one {name} matches this query; use first(), or narrow it")
        item: T = items[0]
        return item

    def _count(self) -> Operation[int]:
        """How many items match (``Select: COUNT``). It costs as many read units as reading them."""
        segments = self._options.segments
        parts = (
            [{"Segment": segment, "TotalSegments": segments} for segment in range(segments)] if segments > 1 else [{}]
        )
        found = yield from count_items(self._plan(), parts)
        return found if self._options.limit is None else min(found, self._options.limit)

    page = sync(_read_page)
    apage = asynchronous(_read_page)
    first = sync(_first)
    afirst = asynchronous(_first)
    one = sync(_one)
    aone = asynchronous(_one)
    count = sync(_count)
    acount = asynchronous(_count)

    @property
    def _engine(self) -> Engine:
        return self._table._engine

    def __repr__(self) -> str:
        kind = "scan" if self._key_conditions is None else "query"
        where = f" on {self._index.name}" if self._index is not None else ""
        return f"<{kind} of {self._table._target.plan.name}{where}>"


def build_query(
    table: Table[Any],
    index: IndexDefinition | None,
    arguments: Sequence[Any],
    lookups: Mapping[str, Any],
) -> Query[Any]:
    """The query of what a caller gives: values of the partition key, then conditions, or lookups by name.

    Raises:
        ExpressionError: no value for the partition key, or more than one condition on the sort key.
    """
    target = table._target
    mapping = target.mapped.mapping
    if index is None:
        partition = tuple(attribute.name for attribute in mapping.key[:1])
        sort = tuple(attribute.name for attribute in mapping.key[1:])
    else:
        partition, sort = index.partition_key, index.sort_key
    paths = target.mapped.paths
    conditions: list[Condition] = []
    values = iter((*partition, *sort))
    for argument in arguments:
        if isinstance(argument, (Condition, Mapping)) or (
            isinstance(argument, (list, tuple)) and not isinstance(argument, str)
        ):
            found = as_condition(target, argument)
            if found is not None:
                conditions.append(found)
            continue
        name = next(values, None)
        if name is None:
            raise ExpressionError(
                f"too many key values for {_what(target, index)}, whose key is ({', '.join((*partition, *sort))})"
            )
        conditions.append(paths[name] == argument)
    conditions += parse_lookups(paths, lookups, target.plan.name) if lookups else []
    attributes = mapping.attributes
    split = split_key_condition(
        conditions,
        [attributes[name].stored_name for name in partition],
        [attributes[name].stored_name for name in sort],
    )
    if split.reasons:
        raise ExpressionError(f"query of {_what(target, index)}: {'; '.join(split.reasons)}")
    return Query(table, index, split.key, all_of(split.rest) if split.rest else None)


def _what(target: Target, index: IndexDefinition | None) -> str:
    return f"{target.plan.name}" if index is None else f"{target.plan.name}.{index.name}"


class Index(Generic[T]):
    """A secondary index of a class, ready to be read: ``Airport.by_city.query("Austin")``."""

    __slots__ = ("_cls", "_table", "definition")

    def __init__(self, cls: type[T], definition: IndexDefinition, table: Table[T] | None = None) -> None:
        self._cls = cls
        self.definition = definition
        self._table = table

    def _bound(self) -> Table[T]:
        if self._table is not None:
            return self._table
        from .database import table_of

        return table_of(self._cls)

    def query(self, *arguments: Any, **lookups: Any) -> Query[T]:
        """Items with this partition key value of the index (DynamoDB's Query with IndexName).

        Args:
            arguments: the values of the index's partition key attributes, then values or one condition for its sort key
                attributes, left to right, and any filter conditions.
            lookups: the same by name: ``query(city="Austin", name__begins_with="A")``.
        """
        return build_query(self._bound(), self.definition, arguments, lookups)

    def scan(self, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Query[T]:
        """All items of the index (DynamoDB's Scan with IndexName), filtered by these conditions."""
        table = self._bound()
        return Query(table, self.definition, None, as_condition(table._target, conditions, lookups))

    def __repr__(self) -> str:
        return f"<index {self.definition.name} of {self._cls.__name__}>"
