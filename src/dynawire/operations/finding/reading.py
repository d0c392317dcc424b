"""Carrying out an access plan: its requests, what is tested and fetched in between, each item once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from ...codec.reading import Page
from ...errors import DecodeError, DynawireError
from ...expressions import Condition, Path
from ...expressions.evaluation import Test, condition_test
from ...expressions.normal_form import top_level_names
from ..at_once import at_once
from ..effects import Operation, Request, Together
from ..identity import key_identity
from ..pages import PageReader, ReadPlan
from ..projected import value_at
from ..reads import Read as PagedRead
from ..reads import compile_read
from ..streaming import Items, Stream
from ..target import Target, encode_json
from .fetching import KEYS_PER_REQUEST, fetch_items
from .plans import AccessPlan, KeysRead, QueryRead, ScanRead

__all__ = ["Reading", "Wanted"]

AT_ONCE = 8
"""Queries that are sent together."""
KEYS_AT_ONCE = 4 * KEYS_PER_REQUEST

WireItem = dict[str, Any]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is made of the items.

    Attributes:
        projection: the attributes that are read as tuples; none: whole instances.
        keys: only keys, in wire form.
        limit: how many are returned at the most.
        consistent: whether reads are strongly consistent.
        reverse: whether in descending order of the sort key.
        segments: in how many parts a scan is read at the same time.
        misfits: takes the errors of items that do not fit the class; None: the first one is raised.
    """

    projection: tuple[Path[Any], ...] = ()
    keys: bool = False
    limit: int | None = None
    consistent: bool = False
    reverse: bool = False
    segments: int = 1
    misfits: list[DecodeError] | None = None

    def names(self, target: Target) -> frozenset[str] | None:
        """Stored names of the attributes that are needed; None: all of the class."""
        if self.keys:
            return frozenset(target.plan.key_names)
        return frozenset(str(path._steps[0]) for path in self.projection) or None


class Reading:
    """One carrying out of a plan.

    Args:
        target: the class and its table.
        plan: the plan.
        wanted: what is made of the items.
    """

    def __init__(self, target: Target, plan: AccessPlan, wanted: Wanted) -> None:
        self.target = target
        self.plan = plan
        self.wanted = wanted
        self.names = wanted.names(target)
        self.make = self._maker()
        # Shared by all reads: what one found, another does not give again.
        self.seen: set[bytes] | None = None if plan.disjoint else set()

    def _maker(self) -> Callable[[WireItem], Any]:
        target, projection = self.target, self.wanted.projection
        if self.wanted.keys:
            key_names = target.plan.key_names
            return lambda item: {name: item[name] for name in key_names}
        if projection:
            return lambda item: tuple([value_at(target, item, path, path._steps) for path in projection])
        return target.plan.from_wire

    # ------------------------------------------------------------------ as paged reads

    def page_readers(self) -> list[PageReader] | None:
        """A reader for each read, when Query and Scan are all it takes; else None."""
        readers: list[PageReader] = []
        for read in self.plan.reads:
            if isinstance(read, KeysRead) or read.fetch == "batch":
                return None
            readers += self._readers(read)
        return readers

    def requests(self) -> list[Request]:
        """The requests that are sent before any answer."""
        found: list[Request] = []
        for read in self.plan.reads:
            if isinstance(read, KeysRead):
                effect = next(self._keys(read))
                found += effect.requests if isinstance(effect, Together) else []
                found += [effect] if isinstance(effect, Request) else []
            else:
                found += [request for reader in self._readers(read) if (request := reader.next_request()) is not None]
        return found

    def _readers(self, read: QueryRead | ScanRead) -> Iterator[PageReader]:
        plan = self.read_plan(read)
        parts: list[dict[str, Any]] = [{}]
        if isinstance(read, ScanRead) and self.wanted.segments > 1:
            total = self.wanted.segments
            parts = [{"Segment": segment, "TotalSegments": total} for segment in range(total)]
        for part in parts:
            kind = _SiftedReader if isinstance(plan.read, _Sifter) else PageReader
            yield kind(msgspec.structs.replace(plan, request={**plan.request, **part}), self.wanted.limit)

    def paged(self, read: QueryRead | ScanRead) -> PagedRead:
        """A Query or Scan as the operations know it."""
        return PagedRead(
            target=self.target,
            index=read.source.index,
            key_conditions=read.key if isinstance(read, QueryRead) else None,
            filter=read.filter,
            reverse=self.wanted.reverse,
            consistent=self.wanted.consistent,
            projection=self.wanted.projection,
            misfits=self.wanted.misfits,
        )

    def read_plan(self, read: QueryRead | ScanRead, *, paging: bool = False) -> ReadPlan:
        """A Query or Scan, compiled.

        Args:
            read: the read.
            paging: whether its positions are needed.
        """
        paged = self.paged(read)
        plain = read.test is None and read.fetch != "batch" and self.seen is None and not self.wanted.keys
        if plain:
            return compile_read(paged, "pages" if paging else "items")
        names = self._entry_names(read)
        by_name = self.target.mapped.paths_by_stored_name
        projection = () if names is None else tuple(by_name[name] for name in names)
        plan = compile_read(msgspec.structs.replace(paged, projection=projection), "pages")
        sifter = _Sifter(self, read)
        sifts = read.filter is not None or read.test is not None or self.seen is not None or read.fetch == "batch"
        return msgspec.structs.replace(plan, read=sifter, filtered=sifts)

    def _entry_names(self, read: QueryRead | ScanRead) -> list[str] | None:
        """Which attributes of the entries are read; None: all."""
        if read.fetch == "batch":
            return _names(self.target.plan.key_names, read.test)
        return None if self.names is None else _names(self.names, read.test)

    def page(
        self, read: QueryRead | ScanRead, size: int, start: msgspec.Raw | None
    ) -> Operation[tuple[list[Any], msgspec.Raw | None]]:
        """Up to ``size`` results from a position on, and the position that follows them; None at the end."""
        plan = self.read_plan(read, paging=True)
        kind = _SiftedReader if isinstance(plan.read, _Sifter) else PageReader
        reader = kind(plan, size, start, look_ahead=True)
        results: list[Any] = []
        while (request := reader.next_request()) is not None:
            response = yield request
            items = reader.take(response)
            results += yield from self._whole(read, reader, items)
        return results, reader.position

    # ------------------------------------------------------------------ as a stream

    def stream(self) -> Stream:
        """Read everything, handing over the results as they come."""
        for read in self.plan.reads:
            if isinstance(read, KeysRead):
                yield from self._keys(read)
        waiting = [
            (read, reader)
            for read in self.plan.reads
            if not isinstance(read, KeysRead)
            for reader in self._readers(read)
        ]
        while waiting:
            wave = [
                (read, reader, request)
                for read, reader in waiting[:AT_ONCE]
                if (request := reader.next_request()) is not None
            ]
            later = waiting[AT_ONCE:]
            responses = yield from _send([request for _, _, request in wave])
            found = [reader.take(response) for (_, reader, _), response in zip(wave, responses, strict=True)]
            results = yield from at_once(
                [self._whole(read, reader, items) for (read, reader, _), items in zip(wave, found, strict=True)]
            )
            for outcome in results:
                if isinstance(outcome, DynawireError):
                    raise outcome
                yield Items(outcome)
            waiting = [(read, reader) for read, reader, _ in wave] + later

    def _keys(self, read: KeysRead) -> Stream:
        tests = [None if one.test is None else condition_test(one.test) for one in read.keys]
        names = None if self.names is None else _names(self.names, *(one.test for one in read.keys))
        at_once = KEYS_AT_ONCE if self.wanted.limit is None else KEYS_PER_REQUEST
        for start in range(0, len(read.keys), at_once):
            some = read.keys[start : start + at_once]
            items = yield from fetch_items(
                self.target, [one.key for one in some], names, consistent=self.wanted.consistent
            )
            passed = [
                item
                for item, test in zip(items, tests[start : start + at_once], strict=True)
                if item is not None and (test is None or test(item))
            ]
            yield Items(self.made(passed))

    def _whole(self, read: QueryRead | ScanRead, reader: PageReader, found: list[Any]) -> Operation[list[Any]]:
        """The results of what a page gave: it is them, or the keys of the items that are now fetched, in order."""
        if read.fetch != "batch" or not found:
            return found
        names = None if self.names is None else _names(self.names, read.recheck)
        items = yield from fetch_items(self.target, found, names, consistent=self.wanted.consistent)
        test = _always if read.recheck is None else condition_test(read.recheck)
        results = self.made([item for item in items if item is not None and test(item)])
        assert isinstance(reader, _SiftedReader)
        reader.give_back(len(found) - len(results))
        return results

    def is_new(self, item: WireItem) -> bool:
        """Whether no read has given this item; it is then taken as given."""
        if self.seen is None:
            return True
        identity = key_identity(self.target.plan.key_names, item)
        if identity in self.seen:
            return False
        self.seen.add(identity)
        return True

    def made(self, items: Sequence[WireItem]) -> list[Any]:
        """The results of items that match."""
        results: list[Any] = []
        for item in items:
            if self.is_new(item):
                self.add(item, results)
        return results

    def add(self, item: WireItem, results: list[Any]) -> bool:
        """Add the result of an item; False when it does not fit the class and that is put up with."""
        try:
            results.append(self.make(item))
        except DecodeError as error:
            if self.wanted.misfits is None:
                raise
            self.wanted.misfits.append(error)
            return False
        return True


class _Sifter:
    """Reads a page's items as they are stored, tests them and makes the results.

    Attributes:
        kept: the items that gave a result, each with how many misfits were known after it.
    """

    def __init__(self, reading: Reading, read: QueryRead | ScanRead) -> None:
        self.reading = reading
        self.test: Test = _always if read.test is None else condition_test(read.test)
        self.keys_only = read.fetch == "batch"
        self.kept: list[tuple[WireItem, int]] = []

    def __call__(self, response: bytes, misfits: list[DecodeError] | None) -> tuple[list[Any], Any]:
        page = msgspec.json.decode(response, type=Page)
        results: list[Any] = []
        self.kept = []
        reading = self.reading
        key_names = reading.target.plan.key_names
        for item in page.Items:
            if not self.test(item):
                continue
            if self.keys_only:
                # Whether it matches is known only of the whole item.
                results.append({name: item[name] for name in key_names})
            elif not reading.is_new(item) or not reading.add(item, results):
                continue
            self.kept.append((item, 0 if misfits is None else len(misfits)))
        return results, page


class _SiftedReader(PageReader):
    """Reads pages whose items are tested here, so that a result's place is not its item's."""

    def give_back(self, count: int) -> None:
        """So many of the items taken were no results in the end."""
        if self._left is not None:
            self._left += count

    def _position_after(self, response: bytes, kept: int, known_misfits: int) -> msgspec.Raw:
        sifter, misfits = self._plan.read, self._plan.misfits
        assert isinstance(sifter, _Sifter)
        item, misfits_then = sifter.kept[kept - 1]
        if misfits is not None:
            # Those after the last one kept come again with the next page.
            del misfits[misfits_then:]
        return msgspec.Raw(encode_json({name: item[name] for name in self._plan.key_names}))


def _send(requests: list[Request]) -> Operation[list[bytes]]:
    if not requests:
        return []
    if len(requests) == 1:
        response: bytes = yield requests[0]
        return [response]
    outcomes: list[Any] = yield Together(requests)
    for outcome in outcomes:
        if isinstance(outcome, DynawireError):
            raise outcome
    return outcomes


def _names(wanted: Sequence[str] | frozenset[str], *tested: Condition | None) -> list[str]:
    return sorted({*wanted, *(name for one in tested if one is not None for name in top_level_names(one))})


def _always(item: Any) -> bool:
    return True
