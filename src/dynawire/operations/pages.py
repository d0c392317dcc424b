"""Query and Scan: the requests of one read over as many pages as it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ..codec.plan import NO_POSITION
from ..errors import DecodeError, ExpressionError
from .capacity import active_meter
from .effects import Operation, Request
from .target import encode_json

__all__ = ["PageReader", "ReadPlan", "count_items", "read_page"]

_decode_raw_page = msgspec.json.Decoder(
    msgspec.defstruct("RawPage", [("Items", list[dict[str, Any]], ())], gc=False)
).decode
_decode_count = msgspec.json.Decoder(
    msgspec.defstruct(
        "CountPage",
        [("Count", int, 0), ("LastEvaluatedKey", msgspec.Raw, NO_POSITION), ("ConsumedCapacity", Any, None)],
        gc=False,
    )
).decode

Reader = Callable[[bytes, list[DecodeError] | None], tuple[list[Any], Any]]


class ReadPlan(msgspec.Struct):
    """One Query or Scan, compiled.

    Attributes:
        operation: ``Query`` or ``Scan``.
        request: its parameters without paging.
        read: makes the results of a response.
        filtered: whether a filter drops items after DynamoDB's own limit was applied.
        key_names: stored names of the attributes that make up a position: the table's key and the index's.
        misfits: takes the errors of items that do not fit the class; None: the first one is raised.
    """

    operation: str
    request: dict[str, Any]
    read: Reader
    filtered: bool
    key_names: tuple[str, ...]
    misfits: list[DecodeError] | None = None

    def fingerprint(self) -> str:
        """A short digest of the read, so that a cursor can tell its own query from another."""
        from hashlib import blake2b

        shared = {name: value for name, value in self.request.items() if name not in ("Limit", "ConsistentRead")}
        return blake2b(encode_json([self.operation, shared]), digest_size=6).hexdigest()

    def encode_cursor(self, position: Any) -> str:
        """An opaque, URL-safe text for a position in this read."""
        from base64 import urlsafe_b64encode

        return urlsafe_b64encode(encode_json([self.fingerprint(), position])).rstrip(b"=").decode()

    def decode_cursor(self, cursor: str) -> msgspec.Raw:
        """The position a cursor stands for.

        Raises:
            ExpressionError: it is no cursor, or belongs to another query.
        """
        from base64 import urlsafe_b64decode

        try:
            text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            fingerprint, position = msgspec.json.decode(text, type=tuple[str, msgspec.Raw])
        except (ValueError, TypeError, AttributeError, msgspec.MsgspecError):
            raise ExpressionError(
                "this is not a cursor dynawire made; pass page.cursor of the page before, unchanged, or None to begin"
            ) from None
        if fingerprint != self.fingerprint():
            raise ExpressionError(
                "this cursor belongs to another query; repeat the query it came from (same table, index, key, filter, "
                "projection, order and values), or pass None to begin"
            )
        return position


class PageReader:
    """Reads one plan page by page, up to a limit of returned items.

    Args:
        plan: what is read.
        limit: how many items are returned at the most; None: all.
        start: where to begin, as raw JSON; None: at the beginning.

    DynamoDB's own ``Limit`` counts items before the filter. Without a filter it is the number still wanted; with one
    it begins there and doubles from request to request, so that neither a selective filter takes thousands of requests
    nor a first match reads a whole megabyte.
    """

    def __init__(self, plan: ReadPlan, limit: int | None = None, start: msgspec.Raw | None = None) -> None:
        self._plan = plan
        self._left = limit
        self._step = limit
        self._begun = False
        self.position: msgspec.Raw | None = start
        self.overshot = False
        """Whether items beyond the limit were read and dropped; ``position`` then stands after the last one kept."""

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
        return Request(self._plan.operation, encode_json(request))

    def take(self, response: bytes) -> list[Any]:
        """The items of a response."""
        plan = self._plan
        self._begun = True
        items, page = plan.read(response, plan.misfits)
        meter = active_meter.get()
        if meter is not None:
            meter.record(plan.operation, page.ConsumedCapacity)
        self.position = _position(page)
        if self._left is None:
            return items
        if len(items) > self._left:
            items = items[: self._left]
            self.position = self._position_of(response, self._left - 1)
            self.overshot = True
        self._left -= len(items)
        assert self._step is not None
        self._step = min(self._step * 2, MAX_STEP) if plan.filtered else self._left
        return items

    def _position_of(self, response: bytes, place: int) -> msgspec.Raw:
        page: Any = _decode_raw_page(response)
        item = page.Items[place]
        return msgspec.Raw(encode_json({name: item[name] for name in self._plan.key_names if name in item}))


MAX_STEP = 100_000


def _position(page: Any) -> msgspec.Raw | None:
    """Where the next page starts; a copy, since the raw key would keep the whole response alive."""
    key: msgspec.Raw = page.LastEvaluatedKey
    return None if key is NO_POSITION else key.copy()


def read_page(plan: ReadPlan, size: int, after: str | None) -> Operation[tuple[list[Any], str | None]]:
    """Up to ``size`` items after a cursor, and the cursor that follows them; None at the end."""
    reader = PageReader(plan, size, None if after is None else plan.decode_cursor(after))
    items: list[Any] = []
    while (request := reader.next_request()) is not None:
        response = yield request
        items += reader.take(response)
    return items, None if reader.position is None else plan.encode_cursor(reader.position)


def count_items(plan: ReadPlan, sources: Sequence[dict[str, Any]]) -> Operation[int]:
    """How many items match; only numbers are sent back.

    Args:
        plan: what is read.
        sources: further parameters of each part that is counted (segments of a scan); one empty one for all.
    """
    total = 0
    for source in sources:
        position: msgspec.Raw | None = None
        while True:
            request = {**plan.request, **source, "Select": "COUNT"}
            request.pop("ProjectionExpression", None)
            if position is not None:
                request["ExclusiveStartKey"] = position
            meter = active_meter.get()
            if meter is not None:
                request["ReturnConsumedCapacity"] = "TOTAL"
            response = yield Request(plan.operation, encode_json(request))
            page: Any = _decode_count(response)
            if meter is not None:
                meter.record(plan.operation, page.ConsumedCapacity)
            total += page.Count
            position = _position(page)
            if position is None:
                break
    return total
