"""BatchGetItem over any number of keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec

from ..errors import DecodeError, DynawireError, Throttled
from .batch import MAX_STALLED_ROUNDS, REQUESTS_AT_ONCE, BatchGetResult, Progress, Unprocessed, at_index, pause, why
from .capacity import active_meter
from .effects import Operation, Request, Sleep, Together
from .identity import key_identity
from .target import Target, encode_json, raw_capacity

__all__ = ["batch_get"]

KEYS_PER_REQUEST = 100

Reader = Callable[[bytes], Any]


class _AnyOutput(msgspec.Struct):
    """A response whose items are read as they came."""

    Responses: dict[str, list[dict[str, Any]]] = {}
    UnprocessedKeys: dict[str, Any] = {}
    ConsumedCapacity: Any = None


_read_any = msgspec.json.Decoder(_AnyOutput).decode


class _Reading:
    """What is known of each key so far; a key is told by its identity.

    Attributes:
        given: each key as the caller gave it, in order.
        wire: each key's wire form.
        found: the instance each key has.
        misfits: takes the errors of items that do not fit the class; None: the first one is raised.
        misfitting: the keys of those items.
    """

    def __init__(self, target: Target, misfits: list[DecodeError] | None) -> None:
        self.target = target
        self.given: dict[bytes, Any] = {}
        self.wire: dict[bytes, dict[str, Any]] = {}
        self.found: dict[bytes, Any] = {}
        self.misfits = misfits
        self.misfitting: set[bytes] = set()

    def add(self, given: Any, values: Sequence[Any]) -> None:
        """A key to read; one that is there already is not read twice."""
        wire = self.target.key(values)
        identity = key_identity(self.target.plan.key_names, wire)
        self.given.setdefault(identity, given)
        self.wire[identity] = wire

    def request(self, keys: list[bytes], consistent: bool) -> Request:
        """The request for some of the keys."""
        entry: dict[str, Any] = {"Keys": [self.wire[key] for key in keys]}
        if consistent:
            entry["ConsistentRead"] = True
        request: dict[str, Any] = {"RequestItems": {self.target.table_name: entry}}
        if active_meter.get() is not None:
            request["ReturnConsumedCapacity"] = "TOTAL"
        return Request("BatchGetItem", encode_json(request), True, self.target)

    def take(self, response: bytes) -> list[bytes]:
        """Take the items of a response; the keys it did not process."""
        plan = self.target.plan
        # Before they are read: items that do not fit their class have been paid for too.
        raw_capacity("BatchGetItem", response)
        output: Any = None
        if self.target.family is None and plan.load_before is None and plan.load_after is None:
            output = self._taken_at_once(response)
        if output is None:
            # One by one: each is of a class of its own, or it is to be said which does not fit, and where.
            output = _read_any(response)
            self._take_slowly(output.Responses.get(self.target.table_name, ()))
        unprocessed = output.UnprocessedKeys.get(self.target.table_name)
        return [key_identity(plan.key_names, key) for key in unprocessed["Keys"]] if unprocessed else []

    def _taken_at_once(self, response: bytes) -> Any:
        """The response, its items taken; None when one does not fit."""
        plan = self.target.plan
        try:
            output = _typed_reader(self.target)(response)
            items = plan.build_many(output.Responses.items)
        except Exception:  # noqa: BLE001 - constructors raise what they like
            return None
        for item in items if self.target.hides is None else filter(self.target.visible, items):
            self.found[key_identity(plan.key_names, plan.encode_key(plan.key_values(item)))] = item
        return output

    def _take_slowly(self, items: Iterable[dict[str, Any]]) -> None:
        plan = self.target.plan
        for item in items:
            identity = key_identity(plan.key_names, item)
            try:
                instance = self.target.visible(plan.from_wire(item))
                if instance is not None:
                    self.found[identity] = instance
            except DecodeError as error:
                if self.misfits is None:
                    raise
                self.misfits.append(error)
                self.misfitting.add(identity)

    def result(self, unread: Sequence[bytes]) -> BatchGetResult[Any]:
        """What was found and what was not."""
        known = {*self.found, *self.misfitting, *unread}
        return BatchGetResult(
            [self.found[key] for key in self.given if key in self.found],
            [given for key, given in self.given.items() if key not in known],
            [self.given[key] for key in unread],
        )


def batch_get(
    target: Target,
    keys: Iterable[Any],
    key_values: Callable[[Any], Sequence[Any]],
    consistent: bool,
    progress: Progress | None,
    misfits: list[DecodeError] | None = None,
) -> Operation[BatchGetResult[Any]]:
    """Read any number of keys, 100 a request; a key given twice is read once.

    Args:
        target: the class and its table.
        keys: keys as the caller gives them.
        key_values: gives the values of such a key.
        consistent: whether reads are strongly consistent.
        progress: called with the number of keys done since the last call.
        misfits: takes the errors of items that do not fit the class; None: the first one is raised.
    """
    reading = _Reading(target, misfits)
    for index, given in enumerate(keys):
        try:
            reading.add(given, key_values(given))
        except DynawireError as error:
            at_index(error, "key", index)
            raise
    waiting = list(reading.wire)
    stalled = 0
    while waiting:
        unread: list[bytes] = []
        cause: DynawireError | None = None
        chunks = [waiting[start : start + KEYS_PER_REQUEST] for start in range(0, len(waiting), KEYS_PER_REQUEST)]
        for start in range(0, len(chunks), REQUESTS_AT_ONCE):
            wave = chunks[start : start + REQUESTS_AT_ONCE]
            outcomes = yield Together([reading.request(chunk, consistent) for chunk in wave])
            for chunk, outcome in zip(wave, outcomes, strict=True):
                if isinstance(outcome, Throttled):
                    cause = outcome
                    left = chunk
                elif isinstance(outcome, DynawireError):
                    raise outcome
                else:
                    left = reading.take(outcome)
                unread += left
                if progress is not None and len(left) < len(chunk):
                    progress(len(chunk) - len(left))
        stalled = stalled + 1 if len(unread) == len(waiting) else 0
        waiting = unread
        if stalled >= MAX_STALLED_ROUNDS:
            raise Unprocessed(
                f"{len(unread)} of {len(reading.wire)} keys of {target.table_name} were not read ({why(cause)}); they "
                "are in .result.unprocessed, what was read is in .result.items",
                result=reading.result(unread),
                cause=cause,
            )
        if waiting:
            yield Sleep(pause(stalled))
    return reading.result(())


def _typed_reader(target: Target) -> Reader:
    """A function that reads a response's items straight into the class's wire types."""
    reader = target.readers.get("BatchGetItem")
    if reader is None:
        members = target.plan.members
        responses = msgspec.defstruct(
            "BatchGetResponses",
            [("items", list[members], ())],  # type: ignore[valid-type]
            rename={"items": target.table_name},
            frozen=True,  # as a default must be
            gc=False,
        )
        output = msgspec.defstruct(
            "BatchGetOutput",
            [
                ("Responses", responses, responses()),
                ("UnprocessedKeys", dict[str, Any], {}),
                ("ConsumedCapacity", Any, None),
            ],
            gc=False,
        )
        reader = target.readers["BatchGetItem"] = msgspec.json.Decoder(output, strict=False).decode
    return reader
