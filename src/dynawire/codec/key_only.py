"""Attributes that are stored in the key alone, which is composed of them, and read out of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..mapping.class_mapping import ClassMapping
from ..mapping.templates import BoundTemplate
from .misfit import Misfit
from .records import RecordCodec

__all__ = ["KeyOnly", "keep_stored_key", "key_only_of"]


class _KeyText(msgspec.Struct, gc=False):
    S: str


class KeyOnly:
    """The attributes of a class that are in the key alone.

    Attributes:
        names: their stored names.
        templates: how the key is composed of them, by the key's stored name; known when the class is complete.
    """

    def __init__(self, record: RecordCodec, names: frozenset[str], key_names: Sequence[str]) -> None:
        self.names = names
        self.templates: Mapping[str, BoundTemplate] = {}
        self._key_names = key_names
        self._members = [
            (f"f{position}", attribute.stored_name, record.codecs[attribute.name].wire_type)
            for position, attribute in enumerate(record.fields.attributes)
            if attribute.stored_name in names
        ]
        key = {f"k{place}": (name, _KeyText) for place, name in enumerate(key_names)}
        record.wire_members = record.wire_struct(names, key)

    def stored(self, wire: dict[str, Any]) -> dict[str, Any]:
        """What of an item is stored."""
        return {name: one for name, one in wire.items() if name not in self.names}

    def with_sources(self, item: dict[str, Any]) -> dict[str, Any]:
        """An item with what is in its key, as far as that can be read."""
        found = dict(item)
        for name, template in self.templates.items():
            found |= template.read(item.get(name, {}).get("S") or "") or {}
        return found

    def restore(self, wire: Any) -> None:
        """Give the struct of an item just read what is in its key.

        Raises:
            Misfit: the key is of another form.
        """
        found: dict[str, Any] = {}
        for place, name in enumerate(self._key_names):
            template = self.templates[name]
            part = template.read(getattr(wire, f"k{place}").S)
            if part is None:
                raise Misfit(f"a key that is not of the form {template.template.text}")
            found |= part
        for member, stored_name, wire_type in self._members:
            setattr(wire, member, msgspec.convert(found[stored_name], wire_type, strict=False))


def keep_stored_key(mapping: ClassMapping, record: RecordCodec) -> None:
    """Keep with what is read the key it is stored under, to be compared with the one that its attributes compose."""
    names = [attribute.stored_name for attribute in mapping.key]
    if {attribute.stored_name for attribute in record.fields.attributes}.isdisjoint(names):
        key = {f"k{place}": (name, _KeyText) for place, name in enumerate(names)}
        record.wire_members = record.wire_struct(more=key, more_may_lack=True)


def key_only_of(mapping: ClassMapping, record: RecordCodec) -> KeyOnly:
    """The attributes of a class that are in the key alone."""
    names = frozenset(attribute.stored_name for attribute in mapping.key_attributes)
    return KeyOnly(record, names, [attribute.stored_name for attribute in mapping.key])
