"""The key of an instance that names its item: the one it was loaded with, since an item keeps its key for life."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..codec.source import Scope
from ..errors import ValidationError
from .target import Target

if TYPE_CHECKING:
    from ..codec.plan import ClassPlan

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
    if plan.mapping.placement is None and loaded.__class__ is plan.members:
        read = target.known.get("key_as_loaded")
        if read is None:
            read = target.known["key_as_loaded"] = _key_reader(plan)
        if read(loaded) == values:
            return values
    if not isinstance(loaded, (dict, plan.members)):
        loaded = plan.loaded_wire(loaded)
    for attribute, codec, member, value in zip(
        plan.key_attributes, plan.key_codecs, _members(plan), values, strict=True
    ):
        if isinstance(loaded, dict):
            before = loaded.get(attribute.stored_name)
        else:
            wire = getattr(loaded, member)
            before = None if wire is None else codec.unconstrained.encode(codec.decode_fast(wire))
        if before is None:
            continue
        try:
            now = codec.encode(value)
        except ValidationError:
            return values  # what can be no key at all is refused with its reason where the key is encoded
        if before != now:
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


def _members(plan: ClassPlan) -> list[str]:
    """The names of the key's attributes in the struct an item is read into."""
    order = [attribute.name for attribute in plan.record.fields.attributes]
    return [f"f{order.index(attribute.name)}" for attribute in plan.key_attributes]


def _key_reader(plan: ClassPlan) -> Callable[[Any], tuple[Any, ...]]:
    """The generated function from what an item was read into to the values of its key."""
    scope = Scope()
    parts = [
        codec.decode_source(scope, f"w.{member}") for codec, member in zip(plan.key_codecs, _members(plan), strict=True)
    ]
    return scope.function("key_as_loaded", "w", [f"return ({', '.join(parts)},)"])


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
