"""The key of an instance that names its item: the one it was loaded with, since an item keeps its key for life."""

from __future__ import annotations

from typing import Any

from ..codec.canonical import canonical
from ..errors import ValidationError
from .target import Target

__all__ = ["own_key"]


def own_key(target: Target, instance: Any) -> tuple[Any, ...]:
    """The values of an instance's primary key, partition key first.

    Raises:
        ValidationError: they are not those it was loaded with, so that they name another item, or none.
    """
    plan = target.plan
    values = plan.key_values(instance)
    loaded = target.adapter.loaded(instance)
    if loaded is None:
        return values
    if not isinstance(loaded, (dict, plan.members)):
        loaded = plan.loaded_wire(loaded)
    places = target.known.get("key_places")
    if places is None:
        order = [attribute.name for attribute in plan.record.fields.attributes]
        places = target.known["key_places"] = [
            (attribute, codec, f"f{order.index(attribute.name)}")
            for attribute, codec in zip(plan.key_attributes, plan.key_codecs, strict=True)
        ]
    for (attribute, codec, member), value in zip(places, values, strict=True):
        if isinstance(loaded, dict):
            before = loaded.get(attribute.stored_name)
        else:
            wire = getattr(loaded, member)
            if wire is None:
                continue
            was = codec.decode_fast(wire)
            if was == value:
                continue
            before = codec.unconstrained.encode(was)
        if before is None:
            continue
        try:
            now = codec.encode(value)
        except ValidationError:
            return values  # what can be no key at all is refused with its reason where the key is encoded
        if canonical(before) != canonical(now):
            raise ValidationError(
                f"{plan.name}.{attribute.name} is part of the key, and not as it was loaded, so it names another item; "
                f"refresh() and update() and delete() are of the item that was loaded; for another one write "
                f"{plan.name}.key(...); nothing was sent",
                model=plan.name,
                attribute=attribute.name,
            )
    if plan.mapping.placement is not None:
        _refuse_drift(target, plan.encode_key(values), loaded)
    return values


def _refuse_drift(target: Target, composed: dict[str, Any], loaded: Any) -> None:
    """Refuse an item of a single table that is stored under another key than its attributes compose, as other programs
    may have written it: by that key another item would be written, or none.
    """
    plan = target.plan
    for place, name in enumerate(plan.key_names):
        if isinstance(loaded, dict):
            stored = loaded.get(name)
        else:
            part = getattr(loaded, f"k{place}", None)
            stored = None if part is None else {"S": part.S}
        if stored is not None and stored != composed[name]:
            raise ValidationError(
                f"this {plan.name} is stored under another {name} than its attributes compose, so it would not be the "
                f"one that is written; {plan.name}.update_where() and delete_where() write it as it is stored; nothing "
                "was sent",
                model=plan.name,
            )
