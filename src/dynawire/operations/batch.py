"""BatchGetItem and BatchWriteItem over any number of keys and items."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

import msgspec

from ..errors import DynawireError, LimitExceeded, Throttled
from .capacity import active_meter
from .effects import Operation, Request, Sleep, Together
from .target import Target, encode_json

__all__ = ["BatchGetResult", "BatchWriteResult", "Unprocessed", "batch_get", "batch_write"]

T = TypeVar("T")

GET_KEYS = 100
WRITE_REQUESTS = 25
REQUESTS_AT_ONCE = 4
MAX_REQUEST_BYTES = 16 * 1024 * 1024
MAX_ROUNDS = 10
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0

Progress = Callable[[int], None]

_read_get = msgspec.json.Decoder(
    msgspec.defstruct(
        "BatchGetOutput",
        [
            ("Responses", dict[str, list[dict[str, Any]]], {}),
            ("UnprocessedKeys", dict[str, Any], {}),
            ("ConsumedCapacity", Any, None),
        ],
    )
).decode
_read_write = msgspec.json.Decoder(
    msgspec.defstruct(
        "BatchWriteOutput", [("UnprocessedItems", dict[str, list[dict[str, Any]]], {}), ("ConsumedCapacity", Any, None)]
    )
).decode


class Unprocessed(DynawireError):
    """A batch was given up with some of it not processed, after every retry.

    Attributes:
        result: the :class:`BatchGetResult` or :class:`BatchWriteResult` so far; what is left is in its ``unprocessed``.
        cause: the last error the service gave, or None when it only kept returning them.
    """

    result: Any = None
    cause: DynawireError | None = None


class BatchGetResult(Generic[T]):
    """What a batch get found. Iterates over the items.

    Attributes:
        items: the items found, in the order in which their keys were given.
        missing: the keys no item has, as given.
        unprocessed: the keys that were not read; empty unless :class:`Unprocessed` carries this result.
    """

    def __init__(self, items: list[T], missing: list[Any], unprocessed: list[Any]) -> None:
        self.items = items
        self.missing = missing
        self.unprocessed = unprocessed

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return (
            f"<BatchGetResult: {len(self.items)} items, {len(self.missing)} missing, "
            f"{len(self.unprocessed)} unprocessed>"
        )


class BatchWriteResult:
    """What a batch write did.

    Attributes:
        written: how many items were put.
        deleted: how many keys were deleted, whether or not there was an item.
        unprocessed: the instances and keys that were not written; empty unless :class:`Unprocessed` carries this
            result.
    """

    def __init__(self) -> None:
        self.written = 0
        self.deleted = 0
        self.unprocessed: list[Any] = []

    def __repr__(self) -> str:
        return (
            f"<BatchWriteResult: {self.written} written, {self.deleted} deleted, {len(self.unprocessed)} unprocessed>"
        )


def batch_get(
    target: Target, keys: Iterable[Sequence[Any]], consistent: bool, progress: Progress | None
) -> Operation[BatchGetResult[Any]]:
    """Read any number of keys, 100 a request; a key given twice is read once."""
    given: dict[bytes, Any] = {}
    wire_keys: dict[bytes, dict[str, Any]] = {}
    for values in keys:
        wire = target.key(values)
        identity = key_identity(target, wire)
        given.setdefault(identity, values)
        wire_keys[identity] = wire
    found: dict[bytes, Any] = {}
    waiting = list(wire_keys)
    unread: list[bytes] = []
    cause: DynawireError | None = None
    for round_number in range(MAX_ROUNDS):
        unread = []
        chunks = [waiting[start : start + GET_KEYS] for start in range(0, len(waiting), GET_KEYS)]
        moved = 0
        for start in range(0, len(chunks), REQUESTS_AT_ONCE):
            wave = chunks[start : start + REQUESTS_AT_ONCE]
            outcomes = yield Together(
                [_get_request(target, [wire_keys[one] for one in chunk], consistent) for chunk in wave]
            )
            for chunk, outcome in zip(wave, outcomes, strict=True):
                if isinstance(outcome, DynawireError):
                    if not isinstance(outcome, Throttled):
                        raise outcome
                    cause = outcome
                    unread += chunk
                    continue
                before = len(unread)
                _take_get(target, outcome, found, unread)
                moved += len(chunk) - (len(unread) - before)
                if progress is not None:
                    progress(len(chunk) - (len(unread) - before))
        if not unread:
            break
        waiting = unread
        yield Sleep(_pause(round_number, moved))
    result = BatchGetResult(
        [found[one] for one in given if one in found],
        [given[one] for one in given if one not in found and one not in set(unread)],
        [given[one] for one in unread],
    )
    if unread:
        raise Unprocessed(
            f"{len(unread)} of {len(given)} keys of {target.table_name} were still unprocessed after {MAX_ROUNDS} "
            "rounds; they are "
            "in .result.unprocessed, what was read is in .result.items",
            result=result,
            cause=cause,
        )
    return result


def _get_request(target: Target, keys: list[dict[str, Any]], consistent: bool) -> Request:
    entry: dict[str, Any] = {"Keys": keys}
    if consistent:
        entry["ConsistentRead"] = True
    request: dict[str, Any] = {"RequestItems": {target.table_name: entry}}
    if active_meter.get() is not None:
        request["ReturnConsumedCapacity"] = "TOTAL"
    return Request("BatchGetItem", encode_json(request))


def _take_get(target: Target, response: bytes, found: dict[bytes, Any], unread: list[bytes]) -> None:
    output: Any = _read_get(response)
    meter = active_meter.get()
    if meter is not None:
        meter.record("BatchGetItem", output.ConsumedCapacity)
    for item in output.Responses.get(target.table_name, ()):
        found[key_identity(target, item)] = target.plan.from_wire(item)
    for entry in output.UnprocessedKeys.values():
        unread += [key_identity(target, key) for key in entry["Keys"]]


def batch_write(
    target: Target,
    puts: Iterable[Any],
    deletes: Iterable[Sequence[Any]],
    progress: Progress | None,
) -> Operation[BatchWriteResult]:
    """Put any number of instances, then delete any number of keys, 25 a request.

    Of several writes of one key the last wins; what does not fit is refused before its request is sent.
    """
    result = BatchWriteResult()
    entries = _entries(target, puts, deletes)
    retries: dict[bytes, _Entry] = {}
    stalled = 0
    cause: DynawireError | None = None
    while True:
        wave = dict(retries)
        retries = {}
        try:
            for entry in islice(entries, max(0, WRITE_REQUESTS * REQUESTS_AT_ONCE - len(wave))):
                wave.pop(entry.identity, None)
                wave[entry.identity] = entry
        except DynawireError as error:
            if result.written or result.deleted:
                error.add_note(f"before it, {result.written} items were written and {result.deleted} deleted")
            raise
        if not wave:
            return result
        chunks = _chunks(list(wave.values()))
        outcomes = yield Together([_write_request(target, chunk) for chunk in chunks])
        moved = 0
        fatal = False
        for chunk, outcome in zip(chunks, outcomes, strict=True):
            if isinstance(outcome, DynawireError):
                fatal = fatal or not isinstance(outcome, Throttled)
                cause = outcome
                left = chunk
            else:
                left = _take_write(target, outcome, chunk)
            retries.update({entry.identity: entry for entry in left})
            done = [entry for entry in chunk if entry.identity not in retries]
            for entry in done:
                entry.applied(result)
            moved += len(done)
            if progress is not None and done:
                progress(len(done))
        if not retries:
            stalled = 0
            continue
        stalled = 0 if moved else stalled + 1
        if fatal or stalled >= MAX_ROUNDS:
            if fatal and cause is not None and not (result.written or result.deleted):
                raise cause
            result.unprocessed = [entry.given for entry in retries.values()]
            raise Unprocessed(
                f"{len(retries)} writes to {target.table_name} stayed unprocessed ({_why(cause)}); they are in "
                f".result.unprocessed; {result.written} items were written and {result.deleted} deleted before",
                result=result,
                cause=cause,
            )
        yield Sleep(_pause(stalled, moved))


def _why(cause: DynawireError | None) -> str:
    return f"no progress in {MAX_ROUNDS} rounds" if cause is None else f"{type(cause).__name__}: {cause.message}"


class _Entry:
    """One put or delete of a batch."""

    __slots__ = ("given", "identity", "is_put", "json", "wire")

    def __init__(self, target: Target, given: Any, *, is_put: bool) -> None:
        self.given = given
        self.is_put = is_put
        if is_put:
            self.wire = target.plan.encode(given)
            item = encode_json(self.wire)
            target.plan.check_size(self.wire, len(item))
            self.json = b'{"PutRequest":{"Item":' + item + b"}}"
        else:
            self.wire = target.key(given)
            self.json = b'{"DeleteRequest":{"Key":' + encode_json(self.wire) + b"}}"
        self.identity = key_identity(target, self.wire)

    def applied(self, result: BatchWriteResult) -> None:
        """Count it, and let the instance know what is stored."""
        if self.is_put:
            self.given._loaded = self.wire
            result.written += 1
        else:
            result.deleted += 1


def _entries(target: Target, puts: Iterable[Any], deletes: Iterable[Sequence[Any]]) -> Iterator[_Entry]:
    for instance in puts:
        yield _Entry(target, instance, is_put=True)
    for key in deletes:
        yield _Entry(target, key, is_put=False)


def _chunks(entries: list[_Entry]) -> list[list[_Entry]]:
    """As few requests as the limits of 25 writes and 16 MB allow."""
    chunks: list[list[_Entry]] = [[]]
    size = 0
    for entry in entries:
        if len(chunks[-1]) == WRITE_REQUESTS or size + len(entry.json) > MAX_REQUEST_BYTES - 1024:
            chunks.append([])
            size = 0
        chunks[-1].append(entry)
        size += len(entry.json)
    return chunks


def _write_request(target: Target, chunk: list[_Entry]) -> Request:
    writes = b",".join(entry.json for entry in chunk)
    body = b'{"RequestItems":{' + encode_json(target.table_name) + b":[" + writes + b"]}"
    if len(body) > MAX_REQUEST_BYTES:
        raise LimitExceeded(f"a batch write to {target.table_name} would be over 16 MB")
    capacity = b',"ReturnConsumedCapacity":"TOTAL"' if active_meter.get() is not None else b""
    return Request("BatchWriteItem", body + capacity + b"}")


def _take_write(target: Target, response: bytes, chunk: list[_Entry]) -> list[_Entry]:
    output: Any = _read_write(response)
    meter = active_meter.get()
    if meter is not None:
        meter.record("BatchWriteItem", output.ConsumedCapacity)
    unprocessed = output.UnprocessedItems.get(target.table_name)
    if not unprocessed:
        return []
    left: set[bytes] = set()
    for write in unprocessed:
        put = write.get("PutRequest")
        left.add(key_identity(target, put["Item"] if put else write["DeleteRequest"]["Key"]))
    return [entry for entry in chunk if entry.identity in left]


def key_identity(target: Target, wire: dict[str, Any]) -> bytes:
    """The primary key in a form in which equal keys are equal."""
    parts: list[Any] = []
    for name in target.plan.key_names:
        ((tag, payload),) = wire[name].items()
        parts.append([tag, _canonical_number(payload) if tag == "N" else payload])
    return encode_json(parts)


def _canonical_number(text: str) -> str:
    if text.lstrip("-").isdigit() and not text.lstrip("-").startswith("0"):
        return text
    from decimal import Decimal

    number = Decimal(text)
    return f"{number.normalize():f}" if number else "0"


def _pause(round_number: int, moved: int) -> float:
    """Full jitter; the pause stays short while something still moves.

    Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    ceiling = FIRST_PAUSE if moved else min(LONGEST_PAUSE, FIRST_PAUSE * 2**round_number)
    from random import uniform

    return uniform(0, ceiling)
