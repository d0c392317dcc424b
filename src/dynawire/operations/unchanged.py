"""That an item is still stored as it was read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ..codec.dynamic import AnyCodec
from ..expressions import Comparison, Condition, Path, Value
from .effects import Operation, Request
from .target import Target, encode_request, raw_capacity

__all__ = ["read_as_stored", "stored_as"]

MAX_GUARDS = 100
"""Attributes that one condition compares: DynamoDB takes 4 KB and 300 operators."""

_decode_json = msgspec.json.Decoder().decode


def stored_as(target: Target, stored: Mapping[str, Any], first: Iterable[str] = ()) -> list[Condition]:
    """Conditions that an item is stored like this: attributes it has are equal, those of the class it lacks are absent.

    Of what is computed, and need not be known of an instance, the sources are compared.

    Args:
        target: the class and its table.
        stored: an item as it came, or its attributes that count.
        first: names that come first, where more than MAX_GUARDS attributes would be compared.
    """
    plan = target.plan
    computed = () if target.computed is None else target.computed.by_name
    own = [name for name in target.mapped.paths_by_stored_name if name not in computed]
    names = dict.fromkeys((*first, *stored, *own))
    # They are the item's for life, those that are in its key alone too.
    keys = {*plan.key_names, *(() if plan.key_only is None else plan.key_only.names)}
    wanted = [name for name in names if name not in keys][:MAX_GUARDS]
    return [_as_stored(target, name, stored.get(name)) for name in wanted]


def _as_stored(target: Target, name: str, wire: Any) -> Condition:
    path = target.mapped.paths_by_stored_name.get(name)
    if path is None:
        path = Path(target.owner, (name,), name, AnyCodec())
    return path.not_exists() if wire is None else Comparison("=", path, (Value(None, wire),))


def read_as_stored(target: Target, key: dict[str, Any]) -> Operation[tuple[Any, dict[str, Any] | None]]:
    """The instance with this key as of now, and the item as it came; None for both when there is none."""
    body = encode_request({"TableName": target.table_name, "Key": key, "ConsistentRead": True})
    response = yield Request("GetItem", body, True, target)
    raw_capacity("GetItem", response)
    instance = target.plan.read_item(response)[0]
    return instance, _decode_json(response).get("Item")
