"""``Find``: the items of which a condition holds, read in the cheapest way the class's keys and indexes offer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from .errors import DecodeError, ExpressionError
from .expressions import Condition, Path, Placeholders, all_of, compile_projection
from .many import Many, Page, whole_number
from .operations.drivers import AsyncPages, PageSource, stream_pages
from .operations.expiry import expiry_of, no_expiry
from .operations.finding.counting import count_found
from .operations.finding.explaining import Explanation, measured, shown
from .operations.finding.paging import is_single, read_found_page
from .operations.finding.planning import plan_access
from .operations.finding.plans import AccessPlan, Demand
from .operations.finding.reading import Reading, Wanted
from .operations.finding.sources import Source, source_of
from .operations.finding.statistics import known_statistics, learn_statistics
from .operations.finding.suggesting import scan_not_allowed
from .operations.own_items import own_items
from .operations.streaming import astream, collected, stream
from .operations.target import Target, as_condition
from .operations.twins import asynchronous, mark_coroutine_functions, sync
from .query import MAX_SEGMENTS

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .finding import TableFinding
    from .operations.effects import Operation
    from .operations.reads import Read
    from .relating.relation import Relation

__all__ = ["Find", "find_by_query", "find_of"]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a find was told beside its condition."""

    limit: int | None = None
    consistent: bool = False
    projection: tuple[Path[Any], ...] = ()
    order: str | None = None
    reverse: bool = False
    hydrate: bool = True
    scan_allowed: bool = True
    segments: int = 1
    fetch_ahead: bool = True
    using: Source | None = None
    misfits: list[DecodeError] | None = None
    hide_expired: bool = False


class Find(Many[T]):
    """The items of which a condition holds, however they are best read.

    From the condition alone it is chosen whether they are read by key (GetItem, BatchGetItem), by one or several
    Queries on the table or its indexes, or by a Scan, which is taken only when nothing else serves and only where it is
    allowed. The result is that of a scan filtered by the condition, of items that fit their class; ``explain()`` shows
    how it is read, and why.

    It never changes: every step gives a new one. Nothing is sent until it is iterated (``for``, ``async for``) or asked
    for a result. Unless ``order_by`` is asked for, items come in any order.
    """

    __slots__ = ("_condition", "_options", "_table")

    def __init__(self, table: TableFinding[Any], condition: Condition | None, options: Any) -> None:
        self._table = table
        self._condition = condition
        self._options: _Options = options

    # ------------------------------------------------------------------ building

    def _made(self, condition: Condition | None, options: Any) -> Find[Any]:
        return Find(self._table, condition, options)

    def _with(self, **changes: Any) -> Find[Any]:
        return self._made(self._condition, msgspec.structs.replace(self._options, **changes))

    def where(self, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Find[T]:
        """Only items of which all of this holds too. How they are read is chosen anew."""
        more = as_condition(self._target, conditions, lookups)
        if more is None:
            return self
        both = more if self._condition is None else all_of([self._condition, more])
        return self._made(both, self._options)

    def limit(self, count: int | None) -> Find[T]:
        """Return at most this many items."""
        if count is not None:
            whole_number("limit", count, 0)
        return self._with(limit=count)

    def consistent(self, consistent: bool = True) -> Find[T]:
        """Strongly consistent reads, at twice the read units. Global indexes have none, so none is then read."""
        return self._with(consistent=consistent)

    def order_by(self, path: Path[Any], *, reverse: bool = False) -> Find[T]:
        """Items in the order of an attribute, read by one query on a key or index whose sort key it is.

        Args:
            path: the attribute.
            reverse: whether in descending order.

        Raises:
            ExpressionError: it is no attribute of the class itself; or, when items are read, nothing gives this order.
        """
        if not isinstance(path, Path):
            example = f"{self._target.plan.name}.{next(iter(self._target.mapped.paths))}"
            raise ExpressionError(f"order_by() takes a path, such as {example}; found {type(path).__name__}")
        found = self._target.mapped.paths.get(path._label)
        if found is None or found._steps != path._steps:
            raise ExpressionError(f"order_by() takes an attribute of {self._target.plan.name} itself, no part of one")
        return self._with(order=str(found._steps[0]), reverse=reverse)

    def hydrate(self, hydrate: bool = True) -> Find[T]:
        """Whether an index that does not hold all that is wanted may be read, and the whole items then fetched by key.

        It is allowed by default. The items fetched are tested again, as they may have changed since the index did.
        """
        return self._with(hydrate=hydrate)

    def allow_scan(self, allowed: bool = True, *, segments: int = 1) -> Find[T]:
        """Whether a scan may be taken when nothing else serves, whatever the model and the database say.

        Args:
            allowed: whether it may.
            segments: in how many parts it is then read at the same time, 1 to 1,000,000.
        """
        whole_number("allow_scan(segments=...)", segments, 1, MAX_SEGMENTS)
        return self._with(scan_allowed=allowed, segments=segments)

    def hide_expired(self, hide: bool = True) -> Find[T]:
        """Whether items past their time to live are left out, whatever the class says.

        Raises:
            ExpressionError: the class has no time to live.
        """
        if hide and expiry_of(self._target.mapped) is None:
            raise no_expiry(self._target.plan.name)
        return self._with(hide_expired=hide)

    def with_(self, *relations: Relation[Any]) -> Find[T]:
        """Read what the items lead to together with them. See :meth:`Query.with_`."""
        from .relating.find import related_find

        return related_find(self, relations)

    def fetch_ahead(self, fetch_ahead: bool = True) -> Find[T]:
        """Whether the next page is fetched while this one is consumed (default), or only when it is needed."""
        return self._with(fetch_ahead=fetch_ahead)

    def collect_misfits(self, misfits: list[DecodeError]) -> Find[T]:
        """Append an error to this list for each item that does not fit the class, instead of stopping at the first."""
        return self._with(misfits=misfits)

    @overload
    def project(self, a: Path[A], /) -> Find[tuple[A]]: ...
    @overload
    def project(self, a: Path[A], b: Path[B], /) -> Find[tuple[A, B]]: ...
    @overload
    def project(self, a: Path[A], b: Path[B], c: Path[C], /) -> Find[tuple[A, B, C]]: ...
    @overload
    def project(self, a: Path[A], b: Path[B], c: Path[C], d: Path[D], /) -> Find[tuple[A, B, C, D]]: ...
    @overload
    def project(self, a: Path[A], b: Path[B], c: Path[C], d: Path[D], e: Path[E], /) -> Find[tuple[A, B, C, D, E]]: ...
    @overload
    def project(self, *paths: Path[Any]) -> Find[tuple[Any, ...]]: ...
    def project(self, *paths: Path[Any]) -> Find[Any]:
        """Only these attributes, as typed tuples. An index that holds them all may then be the cheapest to read."""
        if not paths:
            raise ExpressionError("project() needs at least one attribute")
        compile_projection(paths, Placeholders(), self._target.owner)
        return self._with(projection=paths)

    # ------------------------------------------------------------------ planning

    @property
    def _target(self) -> Target:
        target: Target = self._table._target
        return target

    _shown = "Find"
    _called = "find"

    @property
    def _limit(self) -> int | None:
        return self._options.limit

    @property
    def _engine(self) -> Engine:
        return self._table._engine

    def _wanted(self, *, keys: bool = False, limit: int | None = None) -> Wanted:
        options = self._options
        limits = [one for one in (limit, options.limit) if one is not None]
        return Wanted(
            projection=() if keys else options.projection,
            keys=keys,
            limit=min(limits, default=None),
            consistent=options.consistent,
            reverse=options.reverse,
            segments=options.segments,
            misfits=options.misfits,
        )

    def _plan(
        self, wanted: Wanted, *, single: bool = False, using: Source | None = None, reasons: bool = False
    ) -> AccessPlan:
        options = self._options
        demand = Demand(
            names=wanted.names(self._target),
            consistent=options.consistent,
            # The order of what is only counted does not matter.
            order=None if wanted.keys else options.order,
            hydrate=options.hydrate,
            using=using or options.using,
            single=single,
        )
        condition = self._condition
        expiry = expiry_of(self._target.mapped) if options.hide_expired else None
        if expiry is not None:
            condition = expiry.condition() if condition is None else all_of([condition, expiry.condition()])
        return plan_access(self._target, condition, demand, known_statistics(self._target), reasons=reasons)

    def _reading(self, wanted: Wanted) -> Reading:
        plan = self._plan(wanted)
        self._check_scan(plan, wanted)
        return Reading(self._target, plan, wanted)

    def _check_scan(self, plan: AccessPlan, wanted: Wanted) -> None:
        if plan.scan is not None and not self._options.scan_allowed:
            explained = self._plan(wanted, reasons=True)
            raise scan_not_allowed(self._target, explained, consistent=self._options.consistent)

    # ------------------------------------------------------------------ results

    def _pages(self) -> Iterator[list[T]]:
        reading = self._reading(self._wanted())
        readers = reading.page_readers()
        if not readers:
            return stream(self._engine, reading.stream())
        sources: list[PageSource] = [*readers]
        return stream_pages(self._engine, sources, fetch_ahead=self._options.fetch_ahead)

    def _apages(self) -> AsyncPages | AsyncGenerator[list[T], None]:
        reading = self._reading(self._wanted())
        readers = reading.page_readers()
        if not readers:
            return astream(self._engine, reading.stream())
        sources: list[PageSource] = [*readers]
        return AsyncPages(self._engine, sources, fetch_ahead=self._options.fetch_ahead)

    def _up_to(self, count: int, *, keys: bool = False) -> Operation[list[T]]:
        """Up to so many items."""
        wanted = self._wanted(limit=count, keys=keys)
        if wanted.limit == 0:
            return []
        return (yield from collected(self._reading(wanted).stream(), wanted.limit))

    def _exists(self) -> Operation[bool]:
        """Whether any item matches; only keys are sent back."""
        items = yield from self._up_to(1, keys=True)
        return bool(items)

    def _count(self) -> Operation[int]:
        """How many items match, up to the limit. It costs as many read units as reading them."""
        wanted = self._wanted(keys=True)
        if wanted.limit == 0:
            return 0
        return (yield from count_found(self._reading(wanted)))

    def _page(self, size: int = 25, after: str | None = None) -> Operation[Page[T]]:
        """One page, of a find that takes one query (or scan).

        Args:
            size: how many items at the most, 1 or more.
            after: the cursor of the page before; None begins.

        Raises:
            ExpressionError: it takes several requests; the cursor is none, or belongs to another query; there is a
                limit, or a parallel scan.
        """
        whole_number("page(size=...)", size, 1)
        if self._options.limit is not None:
            raise ExpressionError("a page has a size of its own: leave limit() out, and give page(size=...)")
        wanted = self._wanted()

        def choose(using: Source | None) -> AccessPlan:
            plan = self._plan(wanted, using=using)
            if not is_single(plan):
                plan = self._plan(wanted, using=using, single=True)
            self._check_scan(plan, wanted)
            if plan.scan is not None and wanted.segments > 1:
                raise ExpressionError("a parallel scan has no pages; iterate over it")
            return plan

        items, cursor = yield from read_found_page(self._target, choose, wanted, size, after)
        return Page(items, cursor)

    # ------------------------------------------------------------------ showing

    def params(self) -> list[tuple[str, dict[str, Any]]]:
        """Operation and parameters of each request that iterating sends before any answer, without sending it."""
        requests = self._reading(self._wanted()).requests()
        return [(request.operation, msgspec.json.decode(request.body)) for request in requests]

    def _explain(self, *, run: bool = False, describe: bool = True) -> Operation[Explanation]:
        """How the items are read, as a tree: ``print(find.explain())``. Nothing else is sent unless ``run``.

        Args:
            run: whether to read them too, and measure what it takes.
            describe: whether DescribeTable is asked how many items there are, once an hour; the estimates rest on it,
                and so does the choice from then on. Without it, assumptions are made.

        Raises:
            ScanNotAllowed: ``run`` would scan where that is not allowed.
        """
        if describe:
            yield from learn_statistics(self._target)
        wanted = self._wanted()
        plan = self._plan(wanted, reasons=True)
        explanation = shown(self._target, plan, scan_allowed=self._options.scan_allowed)
        if not run:
            return explanation
        self._check_scan(plan, wanted)
        found = yield from measured(Reading(self._target, plan, wanted).stream(), wanted.limit)
        return msgspec.structs.replace(explanation, measured=found)

    exists = sync(_exists)
    aexists = asynchronous(_exists)
    count = sync(_count)
    acount = asynchronous(_count)
    page = sync(_page)
    apage = asynchronous(_page)
    explain = sync(_explain)
    aexplain = asynchronous(_explain)

    def __repr__(self) -> str:
        where = "" if self._condition is None else f" where {self._condition!r}"
        return f"<find of {self._target.plan.name}{where}>"


def find_of(table: TableFinding[T], conditions: Sequence[Any], lookups: Mapping[str, Any]) -> Find[T]:
    """The find of what a caller gives."""
    condition = as_condition(table._target, [own_items(table._target), *conditions], lookups)
    hide = table._target.hides is not None
    return Find(table, condition, _Options(scan_allowed=table._scan_allowed, hide_expired=hide))


def find_by_query(table: TableFinding[T], read: Read, condition: Condition | None) -> Find[T]:
    """The find that reads what a query does, from the same source and in the same order, and whole items.

    Args:
        table: the table.
        read: what the query was told.
        condition: its key condition and filter.
    """
    options = _Options(
        using=source_of(table._target, read.index),
        limit=read.limit,
        consistent=read.consistent,
        projection=read.projection,
        reverse=read.reverse,
        segments=read.segments,
        fetch_ahead=read.fetch_ahead,
        scan_allowed=read.scan_allowed,
        misfits=read.misfits,
        hide_expired=read.hide_expired,
    )
    return Find(table, condition, options)


# This module is loaded later than the others.
mark_coroutine_functions()
