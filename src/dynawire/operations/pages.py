"""Query and Scan: the requests of one read over as many pages as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from ..codec.reading import NO_POSITION
from ..errors import DecodeError, DynawireError
from .capacity import active_meter
from .effects import Operation, Request, Together
from .target import Target, encode_json, raw_capacity

__all__ = ["PageReader", "ReadPlan", "count_items", "first_items", "read_page"]

MAX_STEP = 100_000
"""The largest Limit that is asked for while a filter drops items."""
PARTS_AT_ONCE = 16

Reader = Callable[[bytes, list[DecodeError] | None], tuple[list[Any], Any]]


class _CountOutput(msgspec.Struct):
    Count: int = 0
    LastEvaluatedKey: msgspec.Raw = NO_POSITION
    ConsumedCapacity: Any = None


class _RawOutput(msgspec.Struct):
    Items: list[msgspec.Raw] = []


_read_count = msgspec.json.Decoder(_CountOutput).decode
_read_raw = msgspec.json.Decoder(_RawOutput).decode


class ReadPlan(msgspec.Struct):
    """One Query or Scan, compiled.

    Attributes:
        operation: ``Query`` or ``Scan``.
        request: its parameters without paging.
        read: makes the results of a response.
        filtered: whether a filter drops items after DynamoDB's own limit was applied.
        key_names: stored names of the attributes that make up a position: the table's key and the index's.
        target: the class and its table.
        misfits: takes the errors of items that do not fit the class; None: the first one is raised.
    """

    operation: str
    request: dict[str, Any]
    read: Reader
    filtered: bool
    key_names: tuple[str, ...]
    target: Target
    misfits: list[DecodeError] | None = None


class PageReader:
    """Reads one plan page by page, up to a limit of returned items.

    Args:
        plan: what is read.
        limit: how many items are returned at the most; None: all.
        start: where to begin, as raw JSON; None: at the beginning.
        look_ahead: read one item more than the limit where that costs no request, so that ``position`` is None at
            the very end.

    DynamoDB's own ``Limit`` counts items before the filter. Without a filter it is the number still wanted; with one
    it begins there and doubles from request to request, so that neither a selective filter takes thousands of requests
    nor a first match reads a whole megabyte.
    """

    def __init__(
        self,
        plan: ReadPlan,
        limit: int | None = None,
        start: msgspec.Raw | None = None,
        *,
        look_ahead: bool = False,
    ) -> None:
        self._plan = plan
        self._left = limit
        self._ahead = int(look_ahead and not plan.filtered)
        self._step = limit if limit is None else limit + self._ahead
        self._begun = False
        self.position: msgspec.Raw | None = start

    def next_request(self) -> Request | None:
        """The request for the next page; None when there is no more to read."""
        if self._left == 0 or (self._begun and self.position is None):
            return None
        request = dict(self._plan.request)
        if self.position is not None:
            request["ExclusiveStartKey"] = self.position
        if self._step is not None:
            request["Limit"] = self._step
        if active_meter.get() is not None:
            request["ReturnConsumedCapacity"] = "TOTAL"
        return Request(self._plan.operation, encode_json(request), True, self._plan.target)

    def take(self, response: bytes) -> list[Any]:
        """The items of a response; ``position`` then stands after the last of them."""
        plan = self._plan
        self._begun = True
        known_misfits = len(plan.misfits) if plan.misfits is not None else 0
        # Before they are read: items that do not fit their class have been paid for too.
        if active_meter.get() is not None:
            raw_capacity(plan.operation, response)
        items, page = plan.read(response, plan.misfits)
        self.position = _position(page)
        left = self._left
        if left is None or self._step is None:
            return items
        if len(items) > left:
            items = items[:left]
            self.position = self._position_after(response, left, known_misfits)
        self._left = left - len(items)
        self._step = min(self._step * 2, MAX_STEP) if plan.filtered else self._left + self._ahead
        return items

    def _position_after(self, response: bytes, kept: int, known_misfits: int) -> msgspec.Raw:
        """The position of the last item kept, which has no LastEvaluatedKey of its own."""
        plan = self._plan
        place = kept - 1
        if plan.misfits is not None and len(plan.misfits) > known_misfits:
            # Items that do not fit stand in between, and those after the last one kept come again with the next page.
            place = -1
            misfits: list[DecodeError] = []
            for raw in _read_raw(response).Items:
                place += 1
                fits, _ = plan.read(b'{"Items":[' + bytes(raw) + b"]}", misfits)
                kept -= len(fits)
                if kept == 0:
                    break
            plan.misfits[known_misfits:] = misfits
        key = _key_reader(plan.key_names)(response).Items[place]
        return msgspec.Raw(encode_json(key))


@lru_cache(maxsize=256)
def _key_reader(names: tuple[str, ...]) -> Callable[[bytes], Any]:
    """A function that reads only the key attributes of a response's items."""
    fields = [(f"k{place}", msgspec.Raw | msgspec.UnsetType, msgspec.UNSET) for place in range(len(names))]
    renames = {f"k{place}": name for place, name in enumerate(names)}
    key = msgspec.defstruct("PositionKey", fields, rename=renames, gc=False)
    output = msgspec.defstruct("KeysOutput", [("Items", list[key], ())], gc=False)  # type: ignore[valid-type]
    return msgspec.json.Decoder(output).decode


def _position(page: Any) -> msgspec.Raw | None:
    """Where the next page starts; a copy, since the raw key would keep the whole response alive."""
    key: msgspec.Raw = page.LastEvaluatedKey
    return None if key is NO_POSITION else key.copy()


def read_page(plan: ReadPlan, size: int, after: str | None) -> Operation[tuple[list[Any], str | None]]:
    """Up to ``size`` items after a cursor, and the cursor that follows them; None at the end."""
    from .cursors import decode_cursor, encode_cursor

    start = None if after is None else decode_cursor(plan.operation, plan.request, after)
    reader = PageReader(plan, size, start, look_ahead=True)
    items: list[Any] = []
    while (request := reader.next_request()) is not None:
        response = yield request
        items += reader.take(response)
    position = reader.position
    return items, None if position is None else encode_cursor(plan.operation, plan.request, position)


def first_items(plan: ReadPlan, count: int) -> Operation[list[Any]]:
    """Up to ``count`` items from the beginning."""
    reader = PageReader(plan, count)
    items: list[Any] = []
    while (request := reader.next_request()) is not None:
        response = yield request
        items += reader.take(response)
    return items


def count_items(plan: ReadPlan, parts: Iterator[dict[str, Any]], limit: int | None) -> Operation[int]:
    """How many items match, up to a limit; only numbers are sent back.

    Args:
        plan: what is read.
        parts: further parameters of each part that is counted (segments of a scan); one empty one for all.
        limit: at which number to stop; None: at the end.
    """
    total = 0
    active: list[tuple[dict[str, Any], msgspec.Raw | None]] = []
    meter = active_meter.get()
    while limit is None or total < limit:
        active += [(part, None) for part in islice(parts, PARTS_AT_ONCE - len(active))]
        if not active:
            break
        requests: list[Request] = []
        for part, position in active:
            request = {**plan.request, **part, "Select": "COUNT"}
            if position is not None:
                request["ExclusiveStartKey"] = position
            if limit is not None and not plan.filtered:
                request["Limit"] = limit - total
            if meter is not None:
                request["ReturnConsumedCapacity"] = "TOTAL"
            requests.append(Request(plan.operation, encode_json(request), True, plan.target))
        outcomes = yield Together(requests)
        begun, active = active, []
        for (part, _), outcome in zip(begun, outcomes, strict=True):
            if isinstance(outcome, DynawireError):
                raise outcome
            page = _read_count(outcome)
            if meter is not None:
                meter.record(plan.operation, page.ConsumedCapacity)
            total += page.Count
            position = _position(page)
            if position is not None:
                active.append((part, position))
    return total if limit is None else min(total, limit)
