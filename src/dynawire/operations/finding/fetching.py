"""Items by their keys, as they are stored: GetItem for one, BatchGetItem for several."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from ...errors import DynawireError, Throttled
from ...expressions import Placeholders
from ..batch import MAX_STALLED_ROUNDS, REQUESTS_AT_ONCE, BatchGetResult, Unprocessed, pause, why
from ..capacity import active_meter
from ..effects import Operation, Request, Sleep, Together
from ..identity import key_identity
from ..target import Target, encode_json

__all__ = ["KEYS_PER_REQUEST", "fetch_items"]

KEYS_PER_REQUEST = 100

WireItem = dict[str, Any]


class _GetOutput(msgspec.Struct):
    Item: WireItem | None = None
    ConsumedCapacity: Any = None


class _BatchOutput(msgspec.Struct):
    Responses: dict[str, list[WireItem]] = {}
    UnprocessedKeys: dict[str, Any] = {}
    ConsumedCapacity: Any = None


_read_get = msgspec.json.Decoder(_GetOutput).decode
_read_batch = msgspec.json.Decoder(_BatchOutput).decode


def fetch_items(
    target: Target, keys: Sequence[WireItem], names: Collection[str] | None, *, consistent: bool
) -> Operation[list[WireItem | None]]:
    """The item of each key, in order; None where there is none.

    Args:
        target: the class and its table.
        keys: different keys, wire forms.
        names: stored names of the attributes to read; None: all.
        consistent: whether reads are strongly consistent.

    Raises:
        Unprocessed: some were still not read after every retry.
    """
    options: dict[str, Any] = {"ConsistentRead": True} if consistent else {}
    if names is not None:
        placeholders = Placeholders()
        wanted = dict.fromkeys((*target.plan.key_names, *names))
        options["ProjectionExpression"] = ", ".join([placeholders.name(name) for name in wanted])
        placeholders.apply(options)
    if len(keys) == 1:
        item = yield from _get(target, keys[0], options)
        return [item]
    identities = [key_identity(target.plan.key_names, key) for key in keys]
    found = yield from _batch(target, dict(zip(identities, keys, strict=True)), options)
    return [found.get(identity) for identity in identities]


def _get(target: Target, key: WireItem, options: WireItem) -> Operation[WireItem | None]:
    request = {"TableName": target.table_name, "Key": key, **options}
    meter = active_meter.get()
    if meter is not None:
        request["ReturnConsumedCapacity"] = "TOTAL"
    response = yield Request("GetItem", encode_json(request), True, target)
    output = _read_get(response)
    if meter is not None:
        meter.record("GetItem", output.ConsumedCapacity)
    return output.Item


def _batch(target: Target, keys: dict[bytes, WireItem], options: WireItem) -> Operation[dict[bytes, WireItem]]:
    found: dict[bytes, WireItem] = {}
    waiting = list(keys)
    stalled = 0
    meter = active_meter.get()
    while waiting:
        left: list[bytes] = []
        cause: DynawireError | None = None
        chunks = [waiting[start : start + KEYS_PER_REQUEST] for start in range(0, len(waiting), KEYS_PER_REQUEST)]
        for start in range(0, len(chunks), REQUESTS_AT_ONCE):
            wave = chunks[start : start + REQUESTS_AT_ONCE]
            requests = [_batch_request(target, [keys[one] for one in chunk], options) for chunk in wave]
            outcomes = yield Together(requests)
            for chunk, outcome in zip(wave, outcomes, strict=True):
                if isinstance(outcome, Throttled):
                    cause = outcome
                    left += chunk
                    continue
                if isinstance(outcome, DynawireError):
                    raise outcome
                output = _read_batch(outcome)
                if meter is not None:
                    meter.record("BatchGetItem", output.ConsumedCapacity)
                for item in output.Responses.get(target.table_name, ()):
                    found[key_identity(target.plan.key_names, item)] = item
                unprocessed = output.UnprocessedKeys.get(target.table_name)
                if unprocessed:
                    left += [key_identity(target.plan.key_names, key) for key in unprocessed["Keys"]]
        stalled = stalled + 1 if len(left) == len(waiting) else 0
        waiting = left
        if stalled >= MAX_STALLED_ROUNDS:
            raise Unprocessed(
                f"{len(left)} of {len(keys)} items of {target.table_name} were not read ({why(cause)})",
                result=BatchGetResult([], [], [keys[one] for one in left]),
                cause=cause,
            )
        if waiting:
            yield Sleep(pause(stalled))
    return found


def _batch_request(target: Target, keys: list[WireItem], options: WireItem) -> Request:
    request: dict[str, Any] = {"RequestItems": {target.table_name: {"Keys": keys, **options}}}
    if active_meter.get() is not None:
        request["ReturnConsumedCapacity"] = "TOTAL"
    return Request("BatchGetItem", encode_json(request), True, target)
