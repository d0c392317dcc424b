"""Reading many items: a query or scan built step by step, and the indexes it may run on."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import msgspec

from .errors import DecodeError, ExpressionError
from .expressions import Condition, Path, Placeholders, all_of, compile_projection
from .many import Many, Page, whole_number
from .mapping.indexes import IndexDefinition
from .misuse import missing_from_index
from .operations.drivers import AsyncPages, stream_pages
from .operations.own_items import own_items
from .operations.pages import count_items, first_items, read_page
from .operations.params import Params
from .operations.reads import Read, check_filter, compile_read, hiding_expired, read_of_query, readers, segments
from .operations.target import as_condition
from .operations.twins import asynchronous, sync

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .find import Find
    from .operations.effects import Operation
    from .operations.target import Target
    from .relating.relation import Relation
    from .table import Table

__all__ = ["MAX_SEGMENTS", "Index", "Query", "QueryParams"]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
MAX_SEGMENTS = 1_000_000


class QueryParams(Params):
    """Shows the requests of a query: called, the first of iterating; by its methods those of ``page`` etc."""

    __slots__ = ()

    def __call__(self) -> dict[str, Any]:
        """The first request of iterating over the query."""
        request = next(readers(self._owner()._read)).next_request()
        shown: dict[str, Any] = {} if request is None else msgspec.json.decode(request.body)
        return shown


class Query(Many[T]):
    """A read of many items with one partition key value (DynamoDB's Query), or of all (Scan).

    It never changes: every step gives a new one, so that a query can be kept and built upon. Nothing is sent until it
    is iterated (``for``, ``async for``) or asked for a result. Pages are fetched as they are needed, the next one ahead
    where the engine waits for a network.

    Whole items are read: from a local index that does not hold every attribute they are fetched from the table (one
    more read for each); of a global index ``hydrate()`` reads them by their keys, ``project(...)`` what it holds.
    """

    __slots__ = ("_read", "_table")

    def __init__(self, table: Table[Any], read: Read) -> None:
        self._table = table
        self._read = read

    # ------------------------------------------------------------------ building

    def _with(self, **changes: Any) -> Query[Any]:
        return Query(self._table, msgspec.structs.replace(self._read, **changes))

    def where(self, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Query[T]:
        """Keep only items for which all of this holds (FilterExpression).

        The service reads and charges for the items a filter drops.

        Raises:
            ExpressionError: it is about a key attribute of what is queried, which belongs into ``query()`` itself, or
                about one the index does not hold.
        """
        more = as_condition(self._read.target, conditions, lookups)
        if more is None:
            return self
        both = more if self._read.filter is None else all_of([self._read.filter, more])
        query = self._with(filter=both)
        check_filter(query._read)
        return query

    def reverse(self, reverse: bool = True) -> Query[T]:
        """Descending order of the sort key (``ScanIndexForward: false``)."""
        if self._read.key_conditions is None:
            raise ExpressionError("a scan has no order to reverse; only a query does")
        return self._with(reverse=reverse)

    def limit(self, count: int | None) -> Query[T]:
        """Return at most this many items. It counts returned items, after the filter, and is not the page size."""
        if count is not None:
            whole_number("limit", count, 0)
        return self._with(limit=count)

    def consistent(self, consistent: bool = True) -> Query[T]:
        """Strongly consistent reads, at twice the read units. A global index has none."""
        index = self._read.index
        if consistent and index is not None and index.is_global:
            raise ExpressionError(
                f"the global index {index.name} is eventually consistent by nature; query the table or a local index"
            )
        return self._with(consistent=consistent)

    def parallel(self, segments: int) -> Query[T]:
        """Scan in this many segments (1 to 1,000,000), up to 16 of them at the same time where the engine waits for a
        network. The order of items is then arbitrary.
        """
        if self._read.key_conditions is not None:
            raise ExpressionError("only a scan can be parallel; a query reads one partition")
        whole_number("parallel", segments, 1, MAX_SEGMENTS)
        return self._with(segments=segments)

    def allow_scan(self, allowed: bool = True) -> Query[T]:
        """Whether this may be a scan, whatever the model and the database say."""
        return self._with(scan_allowed=allowed)

    def hide_expired(self, hide: bool = True) -> Query[T]:
        """Whether items past their time to live are left out, whatever the class says.

        The service filters them, and reads and charges for them.

        Raises:
            ExpressionError: the class has no time to live, or the index does not hold it.
        """
        query = self._with(hide_expired=hide)
        if hide:
            hiding_expired(query._read)
        return query

    def hydrate(self) -> Find[T]:
        """The whole items, where the index does not hold all of them: their keys are read from the index, in its order,
        and the items by key (BatchGetItem, 100 a request).

        What it filters is tested again of the items, which may have changed since the index did; one that no longer
        matches, or is gone, is left out. It costs the read units of both. What is added by ``where`` may also be about
        what the index does not hold.
        """
        from .find import find_by_query

        read = self._read
        parts = [*(read.key_conditions or ()), *((read.filter,) if read.filter is not None else ())]
        return find_by_query(self._table, read, all_of(parts) if parts else None)

    def with_(self, *relations: Relation[Any]) -> Query[T]:
        """Read what the items lead to together with them: ``Order.query(...).with_(Order.customer)``.

        Along relations to one item by its key it takes one BatchGetItem for 100 different items, whatever the number of
        those that lead there. Along relations that are queried (to many, or by index) it takes one query for each item,
        all sent together. What links lead to takes both: a query for each item, one BatchGetItem for 100 others.

        Args:
            relations: of this class; ``Post.comments.with_(Comment.author)`` leads on from there.

        Raises:
            ExpressionError: one is of another class; or ``project()`` gives tuples, which lead nowhere.
            SchemaError: one can't work.
        """
        from .relating.query import related_query

        return related_query(self, relations)

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
        compile_projection(paths, Placeholders(), self._read.target.owner)
        return self._with(projection=paths)

    # ------------------------------------------------------------------ results

    def _pages(self) -> Iterator[list[T]]:
        return stream_pages(self._engine, readers(self._read), fetch_ahead=self._read.fetch_ahead)

    def _apages(self) -> AsyncPages | AsyncGenerator[list[T], None]:
        return AsyncPages(self._engine, readers(self._read), fetch_ahead=self._read.fetch_ahead)

    def _read_page(self, size: int = 25, after: str | None = None) -> Operation[Page[T]]:
        """One page.

        Args:
            size: how many items at the most, 1 or more. With a filter as many requests are sent as it takes to fill
                the page; without one, one item more is read, to know whether any follows.
            after: the cursor of the page before; None begins.

        Raises:
            ExpressionError: the cursor is none, or belongs to another query; the query has a limit, or is parallel.
        """
        whole_number("page(size=...)", size, 1)
        if self._read.segments > 1:
            raise ExpressionError("a parallel scan has no pages; iterate over it")
        if self._read.limit is not None:
            raise ExpressionError("a page has a size of its own: leave limit() out, and give page(size=...)")
        items, cursor = yield from read_page(compile_read(self._read, "pages"), size, after)
        return Page(items, cursor)

    def _up_to(self, count: int) -> Operation[list[T]]:
        limit = self._read.limit
        return first_items(compile_read(self._read), count if limit is None else min(count, limit))

    def _count(self) -> Operation[int]:
        """How many items match (``Select: COUNT``), up to the limit. It costs as many read units as reading them."""
        return count_items(compile_read(self._read, "count"), segments(self._read), self._read.limit)

    page = sync(_read_page)
    apage = asynchronous(_read_page)
    count = sync(_count)
    acount = asynchronous(_count)

    @property
    def params(self) -> QueryParams:
        """The request it would send, as a dict, without sending it: ``query.params()``, ``query.params.count()``."""
        return QueryParams(Query, lambda: self, only=("count", "first", "one", "page"))

    _shown = "Query"
    _called = "query"

    @property
    def _target(self) -> Target:
        return self._read.target

    @property
    def _limit(self) -> int | None:
        return self._read.limit

    @property
    def _engine(self) -> Engine:
        return self._table._engine

    def __repr__(self) -> str:
        return f"<{'scan' if self._read.key_conditions is None else 'query'} of {self._read.what}>"


class Index(Generic[T]):
    """A secondary index of a class, ready to be read: ``Airport.by_city.query("Austin")``."""

    __slots__ = ("_cls", "_table", "definition")

    def __init__(self, cls: type[T], definition: IndexDefinition, table: Table[T] | None = None) -> None:
        self._cls = cls
        self.definition = definition
        self._table = table

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> None:
            raise missing_from_index(self, name)

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
        table = self._bound()
        return Query(table, read_of_query(table._target, self.definition, arguments, lookups))

    def scan(self, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Query[T]:
        """All items of the index (DynamoDB's Scan with IndexName), filtered by these conditions."""
        return scan_of(self._bound(), self.definition, conditions, lookups)

    def __repr__(self) -> str:
        return f"<index {self.definition.name} of {self._cls.__name__}>"


def scan_of(
    table: Table[Any], index: IndexDefinition | None, conditions: tuple[Any, ...], lookups: Mapping[str, Any]
) -> Query[Any]:
    """A scan of a table or an index."""
    target = table._target
    hide = target.hides is not None
    read = Read(target=target, index=index, scan_allowed=table._scan_allowed, hide_expired=hide)
    own = own_items(table._target)
    if own is not None:
        read = msgspec.structs.replace(read, filter=own)
    return Query(table, read).where(*conditions, **lookups)
