"""GetItem."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..errors import ItemNotFound, ValidationError
from ..expressions import Placeholders, compile_projection
from .capacity import active_meter
from .effects import Operation, Request
from .own_key import own_key
from .target import Target, encode_json, encode_request, raw_capacity

__all__ = ["get_existing", "get_item", "item_exists", "refresh_item"]

_decode_json = msgspec.json.Decoder().decode


def get_item(
    target: Target, key: Sequence[Any], by_name: Mapping[str, Any] | None = None, consistent: bool = False
) -> Operation[Any]:
    """The item with this key, or None."""
    body = target.get_prefix + encode_json(target.key(key, by_name))
    body += b',"ConsistentRead":true' if consistent else b""
    if active_meter.get() is None:
        response = yield Request("GetItem", body + b"}", True, target)
        item = target.plan.read_item(response)[0]
        return item if target.hides is None else target.visible(item)
    response = yield Request("GetItem", body + b',"ReturnConsumedCapacity":"TOTAL"}', True, target)
    # Before it is read: an item that does not fit its class has been paid for too.
    raw_capacity("GetItem", response)
    return target.visible(target.plan.read_item(response)[0])


def get_existing(
    target: Target, key: Sequence[Any], by_name: Mapping[str, Any] | None = None, consistent: bool = False
) -> Operation[Any]:
    """The item with this key.

    Raises:
        ItemNotFound: there is none.
    """
    item = yield from get_item(target, key, by_name, consistent)
    if item is None:
        raise not_found(target, target.key(key, by_name))
    return item


def item_exists(
    target: Target, key: Sequence[Any], by_name: Mapping[str, Any] | None = None, consistent: bool = False
) -> Operation[bool]:
    """Whether there is an item with this key; only what tells is sent back."""
    if target.belongs is not None:
        # Of which class it is, the key does not tell.
        return (yield from get_item(target, key, by_name, consistent)) is not None
    placeholders = Placeholders()
    paths = [target.mapped.paths_by_stored_name[name] for name in target.plan.key_names]
    hides = target.hides
    if hides is not None and hides.stored_name not in target.plan.key_names:
        paths.append(hides.path)
    request: dict[str, Any] = {
        "TableName": target.table_name,
        "Key": target.key(key, by_name),
        "ProjectionExpression": compile_projection(paths, placeholders, target.owner),
    }
    placeholders.apply(request)
    if consistent:
        request["ConsistentRead"] = True
    response = yield Request("GetItem", encode_request(request), True, target)
    raw_capacity("GetItem", response)
    found = _decode_json(response).get("Item")
    return found is not None and (hides is None or not hides.is_stored_past(found))


def refresh_item(target: Target, instance: Any, consistent: bool = True) -> Operation[None]:
    """Read an instance's item again and take all its values.

    Raises:
        ItemNotFound: it is gone; the instance stays as it was.
        ValidationError: it is no instance of the class, or can't be changed.
    """
    if target.family is not None:
        target = target.of(instance)
    plan = target.plan
    if not isinstance(instance, target.kind):
        raise plan.refusal(instance)
    if target.adapter.frozen:
        raise ValidationError(f"{plan.name} is frozen, so it can't take other values; get() it again", model=plan.name)
    current = yield from get_existing(target, own_key(target, instance), None, consistent)
    adapter = target.adapter
    for attribute in plan.record.fields.attributes:
        adapter.take(instance, current, attribute.name)
    target.keep(instance, adapter.loaded(current))


def not_found(target: Target, key: dict[str, Any]) -> ItemNotFound:
    """The error for a key no item has."""
    return ItemNotFound(
        f"no item of {target.plan.name} has this key (see .key) in table {target.table_name}",
        code="",
        key=key,
        model=target.plan.name,
    )
