"""BatchWriteItem over any number of items and keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from ..errors import DynawireError, Throttled
from .batch import MAX_STALLED_ROUNDS, REQUESTS_AT_ONCE, BatchWriteResult, Progress, Unprocessed, at_index, pause, why
from .capacity import active_meter
from .effects import Invoke, Operation, Request, Sleep, Together
from .hooked import HookedCall, after_all, hooked_call
from .identity import key_identity
from .target import Target, encode_json
from .upkeep import Staged

__all__ = ["batch_write"]

WRITES_PER_REQUEST = 25
MAX_REQUEST_BYTES = 16 * 1024 * 1024


class _Output(msgspec.Struct):
    UnprocessedItems: dict[str, list[dict[str, Any]]] = {}
    ConsumedCapacity: Any = None


_read_output = msgspec.json.Decoder(_Output).decode


class _Entry:
    """One put or delete of a batch."""

    __slots__ = ("call", "given", "identity", "json", "keep", "put_wire", "staged")

    def __init__(self, target: Target, given: Any, key: Sequence[Any] | None, call: HookedCall | None = None) -> None:
        if target.family is not None:
            target = target.of(given)
        self.given = given
        self.call = call
        self.keep = target.keep
        self.put_wire: dict[str, Any] | None = None
        self.staged: Staged | None = None
        upkeep = target.upkeep
        if key is None:
            if upkeep is not None:
                upkeep.refuse_in_batch("use put() or db.transaction() for each item")
            wire = self.put_wire = target.plan.encode_for_write(given)
            if upkeep is not None:
                if upkeep.keeping is not None:
                    upkeep.keeping.refuse_put_in_batch(given)
                self.staged = upkeep.stage_put(given, wire)
            item = encode_json(target.plan.stored(wire))
            target.plan.check_size(wire, len(item))
            self.json = b'{"PutRequest":{"Item":' + item + b"}}"
        else:
            if upkeep is not None and isinstance(given, target.cls):
                upkeep.refuse_in_batch("delete() the instance, or give its key to delete any version")
            if upkeep is not None and upkeep.keeping is not None:
                upkeep.keeping.refuse_unique_in_batch()
            wire = target.key(key)
            self.json = b'{"DeleteRequest":{"Key":' + encode_json(wire) + b"}}"
        self.identity = key_identity(target.plan.key_names, wire)

    def applied(self, result: BatchWriteResult) -> None:
        """Count it, and let the instance know what is stored."""
        if self.put_wire is not None:
            if self.staged is not None:
                self.staged.take_over(self.given)
            self.keep(self.given, self.put_wire)
            result.written += 1
        else:
            result.deleted += 1


class _Source:
    """The writes still to be sent, taken from the caller's iterables as they are needed.

    Attributes:
        error: what the iterables or a value of them raised; nothing is taken after it.
    """

    def __init__(
        self, target: Target, puts: Iterable[Any], deletes: Iterable[Any], key_values: Callable[[Any], Sequence[Any]]
    ) -> None:
        self._target = target
        self._key_values = key_values
        self._collections = isinstance(puts, Collection), isinstance(deletes, Collection)
        self._puts = iter(puts)
        self._deletes = iter(deletes)
        self._entries = self._read()
        self._what = "item"
        self._index = 0
        # Given by the caller and not in any wave: what an error came up with, and what was taken together with it.
        self._at_hand: list[Any] = []
        self._dropped: list[Any] = []
        self.error: Exception | None = None
        self._after = False

    def _read(self) -> Iterator[_Entry | Invoke]:
        """The writes; before each of them what is to be called first."""
        at_hand = self._at_hand
        for instance in self._puts:
            at_hand.append(instance)
            call = hooked_call(self._target, "put", instance)
            if call is not None:
                yield from call.before()
            entry = _Entry(self._target, instance, None, call)
            at_hand.clear()
            self._index += 1
            yield entry
        self._what, self._index = "key", 0
        for given in self._deletes:
            at_hand.append(given)
            key = self._key_values(given)
            deleted = given if isinstance(given, self._target.kind) else None
            call = hooked_call(self._target, "delete", deleted, tuple(key))
            if call is not None:
                yield from call.before()
            entry = _Entry(self._target, given, key, call)
            at_hand.clear()
            self._index += 1
            yield entry

    def fill(self, wave: dict[bytes, _Entry], size: int) -> Operation[None]:
        """Add entries to a wave until it has this many; of several writes of one key the last wins."""
        fresh: list[_Entry] = []
        missing = size - len(wave)
        try:
            # One by one, so that what was taken before an error is known.
            while len(fresh) < missing and (entry := next(self._entries, None)) is not None:
                if isinstance(entry, Invoke):
                    yield entry
                else:
                    fresh.append(entry)
        except Exception as error:  # noqa: BLE001 - whatever the caller's generator raises is raised again later
            # What was taken together with it is not sent: a caller that gives a list finds that nothing was.
            self.error = error
            self._dropped = [entry.given for entry in fresh]
            return
        for entry in fresh:
            wave.pop(entry.identity, None)
            wave[entry.identity] = entry

    def stop(self, error: Exception) -> None:
        """Take nothing more, for this error of a hook that was called after a write."""
        if self.error is None:
            self.error = error
            self._after = True

    def failure(self, result: BatchWriteResult) -> Exception:
        """The error, which says where it came up and what was written before, and has the result."""
        error = self.error
        assert error is not None
        if not self._after:
            result.failed_at = self._index
        result.unprocessed = list(self.rest())
        before = f"{result.written} items were written and {result.deleted} deleted"
        kept = f"{len(result.unprocessed)} that were given are not written and in .result.unprocessed"
        if self._after:
            error.add_note(f"{before}; {kept}")
        elif isinstance(error, DynawireError):
            at_index(error, self._what, self._index)
            if result.written or result.deleted:
                text = error.message.removesuffix("; nothing was sent")
                error.message = f"{text}; it was not sent; before it, {before}; {kept}"
                error.args = (error.message,)
        else:
            error.add_note(f"before the {self._what} at index {self._index}, {before}; {kept}")
        with suppress(AttributeError, TypeError):  # another's error may have no room for it
            error.result = result  # type: ignore[attr-defined]
        return error

    def rest(self) -> Iterator[Any]:
        """What was given and not sent, and what was not taken from collections; an iterator keeps its rest."""
        yield from self._dropped
        yield from self._at_hand
        if self._collections[0]:
            yield from self._puts
        if self._collections[1]:
            yield from self._deletes


def batch_write(
    target: Target,
    puts: Iterable[Any],
    deletes: Iterable[Any],
    key_values: Callable[[Any], Sequence[Any]],
    progress: Progress | None,
) -> Operation[BatchWriteResult]:
    """Put any number of instances, then delete any number of keys, 25 a request, one write of a key at a time.

    An error in the iterables or in a value of them is raised when what was sent before is written completely.

    Args:
        target: the class and its table.
        puts: instances.
        deletes: keys as the caller gives them.
        key_values: gives the values of such a key.
        progress: called with the number of writes done since the last call.
    """
    result = BatchWriteResult()
    source = _Source(target, puts, deletes, key_values)
    waiting: dict[bytes, _Entry] = {}
    stalled = 0
    while True:
        if source.error is None:
            yield from source.fill(waiting, WRITES_PER_REQUEST * REQUESTS_AT_ONCE)
        if not waiting:
            if source.error is None:
                return result
            raise source.failure(result)
        chunks = _chunks(list(waiting.values()))
        outcomes = yield Together([_request(target, chunk) for chunk in chunks])
        waiting = {}
        throttled: DynawireError | None = None
        fatal: DynawireError | None = None
        moved = 0
        applied: list[HookedCall] = []
        for chunk, outcome in zip(chunks, outcomes, strict=True):
            left = chunk
            if isinstance(outcome, Throttled):
                throttled = outcome
            elif isinstance(outcome, DynawireError):
                fatal = fatal or outcome
            else:
                left = _unprocessed(target, outcome, chunk)
            waiting.update({entry.identity: entry for entry in left})
            done = [entry for entry in chunk if entry.identity not in waiting]
            for entry in done:
                entry.applied(result)
            applied += [entry.call for entry in done if entry.call is not None]
            moved += len(done)
            if progress is not None and done:
                progress(len(done))
        if applied:
            try:
                yield from after_all(applied)
            except Exception as error:  # noqa: BLE001 - hooks raise what they like
                # As with an error in the iterables: what was begun is written completely.
                source.stop(error)
        if not waiting:
            stalled = 0
            continue
        stalled = 0 if moved else stalled + 1
        if fatal is not None and not (result.written or result.deleted):
            result.unprocessed = [*(entry.given for entry in waiting.values()), *source.rest()]
            fatal.result = result
            raise fatal
        if fatal is not None or stalled >= MAX_STALLED_ROUNDS:
            cause = fatal or throttled
            result.unprocessed = [*(entry.given for entry in waiting.values()), *source.rest()]
            raise Unprocessed(
                f"{len(result.unprocessed)} writes to {target.table_name} stayed unprocessed ({why(cause)}); they are "
                f"in .result.unprocessed; {result.written} items were written and {result.deleted} deleted before",
                result=result,
                cause=cause,
            )
        yield Sleep(pause(stalled))


def _chunks(entries: list[_Entry]) -> list[list[_Entry]]:
    """As few requests as the limits of 25 writes and 16 MB allow."""
    chunks: list[list[_Entry]] = [[]]
    size = 0
    for entry in entries:
        if len(chunks[-1]) == WRITES_PER_REQUEST or size + len(entry.json) > MAX_REQUEST_BYTES - 1024:
            chunks.append([])
            size = 0
        chunks[-1].append(entry)
        size += len(entry.json) + 1
    return chunks


def _request(target: Target, chunk: list[_Entry]) -> Request:
    writes = b",".join(entry.json for entry in chunk)
    capacity = b',"ReturnConsumedCapacity":"TOTAL"' if active_meter.get() is not None else b""
    table = encode_json(target.table_name)
    return Request(
        "BatchWriteItem", b'{"RequestItems":{' + table + b":[" + writes + b"]}" + capacity + b"}", True, target
    )


def _unprocessed(target: Target, response: bytes, chunk: list[_Entry]) -> list[_Entry]:
    output = _read_output(response)
    meter = active_meter.get()
    if meter is not None:
        meter.record("BatchWriteItem", output.ConsumedCapacity)
    unprocessed = output.UnprocessedItems.get(target.table_name)
    if not unprocessed:
        return []
    left: set[bytes] = set()
    for write in unprocessed:
        put = write.get("PutRequest")
        wire = put["Item"] if put else write["DeleteRequest"]["Key"]
        left.add(key_identity(target.plan.key_names, wire))
    return [entry for entry in chunk if entry.identity in left]
