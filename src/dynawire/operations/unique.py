"""Unique attributes: which guards a write takes and gives back.

For each value of a unique attribute there is an item of its own, its guard, whose key is made of the value, and which
holds the key of the item that has it. It is written in the transaction of the item, so that of two writers of one value
one fails. The technique is Amazon's own ("Simulating Amazon DynamoDB unique constraints using transactions", 2019).

Which guard a write gives back depends on what is stored. That is what the instance was loaded from, or is read first;
either way the write requires that it is still so, and begins again with what is stored if it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ..codec.plan import ClassPlan
from ..errors import DecodeError, ExpressionError, SchemaError, ValidationError
from ..expressions import Update, Value
from ..expressions.updates import IfNotExists
from ..mapping.attributes import Attribute
from ..mapping.class_mapping import ClassMapping
from ..mapping.families import Family
from ..mapping.value_codec import ValueCodec
from .effects import Operation, Request
from .guards import Claim, Orphan
from .mapped import MappedClass, mapped
from .reserved import digest, first_with, scalar
from .target import Target, encode_request, raw_capacity

if TYPE_CHECKING:
    from .write import Write

__all__ = [
    "UniqueAttribute",
    "UniqueChange",
    "Uniqueness",
    "read_attributes",
    "same_values",
    "unique_attributes",
    "updated_values",
]

Item = Mapping[str, Any]
After = Callable[[Item], Item]

_PLAIN: tuple[Any, ...] = (str, int, bytes, bool, str | None, int | None, bytes | None, bool | None)
_SCALARS = frozenset({"S", "N", "B", "NULL"})
_SCOPES = _SCALARS | {"BOOL"}
_read_item = msgspec.json.Decoder(dict[str, Any]).decode


class UniqueAttribute:
    """One attribute whose values are unique.

    Attributes:
        label: its Python name.
        name: what its values are unique under.
        is_named: whether that was given, so that attributes of other classes may share it.
        names: stored names of what its value is made of: its own, then those of the scope.
        told_by: stored name of what tells the class of an item, where several share a table; or None.
    """

    __slots__ = ("_codecs", "_family", "_has", "_ignore_case", "is_named", "label", "name", "names", "told_by")

    def __init__(self, mapping: ClassMapping, plan: ClassPlan, attribute: Attribute) -> None:
        def wrong(message: str) -> SchemaError:
            return SchemaError(f"{mapping.name}.{attribute.name}: {message}", model=mapping.name, attribute=label)

        assert attribute.unique is not None
        label = self.label = attribute.name
        if mapping.table is None:
            raise wrong('unique= is for a class with a table; write table="..."')
        if attribute.role is not None:
            raise wrong("a key attribute can't be unique=; the whole key of an item is unique by itself")
        if attribute.upkeep is not None:
            raise wrong(f"{attribute.upkeep}() can't be unique=")
        tags = plan.codecs[label].tags
        if not tags <= _SCALARS:
            raise wrong("unique= is for what is stored as text, a number or binary, not for sets, lists and maps")
        self._ignore_case = attribute.unique.ignore_case
        if self._ignore_case and not tags <= {"S", "NULL"}:
            raise wrong("ignore_case= is for text")
        scope = [mapping.attribute(name, f"the scope of the unique {label}") for name in attribute.unique.scope]
        for one in scope:
            if one.name == label:
                raise wrong("its scope can't be the attribute itself")
            if not plan.codecs[one.name].tags <= _SCOPES:
                raise wrong(f"its scope {one.name} must be stored as text, a number, binary or a bool")
        self.names = (attribute.stored_name, *(one.stored_name for one in scope))
        self._codecs = [None if _is_plain(one.annotation) else plan.codecs[one.name] for one in (attribute, *scope)]
        self.is_named = attribute.unique.name is not None
        self.name = attribute.unique.name or f"{first_with(mapping, label)}.{attribute.stored_name}"
        self._family = mapping.family
        self.told_by = None if mapping.family is None else mapping.family.stored_name
        self._has: dict[type[Any], bool] = {mapping.cls: True}

    @property
    def identity(self) -> tuple[Any, ...]:
        """What tells it from others; derived classes share the values of what they inherit."""
        return self.name, self.names

    def may_be_anothers(self, item: Item) -> bool:
        """Whether the value of an item that a guard is for may be in an attribute of another class."""
        return self.is_named and bool(item) and self.names[0] not in item

    def code(self, item: Item) -> bytes | None:
        """What tells the guard of an item's value from others; None when it has no value, which needs no guard."""
        if self._family is not None and not self._is_of(self._family, item):
            # An item of another class may store something else under the name.
            return None
        value, *scope = [
            scalar(_as_written(codec, item.get(name))) for name, codec in zip(self.names, self._codecs, strict=True)
        ]
        if value is None:
            return None
        if self._ignore_case:
            value = value[0], value[1].casefold()
        return digest(self.name, value, *scope)

    def _is_of(self, family: Family, item: Item) -> bool:
        """Whether an item is of a class that has the attribute."""
        # One that is not known here has what the first has.
        cls = family.class_of(item.get(family.stored_name, {}).get("S")) or family.root
        has = self._has.get(cls)
        if has is None:
            has = self._has[cls] = self.identity in {one.identity for one in unique_attributes(mapped(cls))}
        return has


def unique_attributes(found: MappedClass) -> tuple[UniqueAttribute, ...]:
    """The unique attributes of a class."""
    keeping = None if found.upkeep is None else found.upkeep.keeping
    return () if keeping is None or keeping.unique is None else keeping.unique.attributes


def _is_plain(annotation: Any) -> bool:
    """Whether each value has one text in DynamoDB, however it was written."""
    return annotation in _PLAIN


def _as_written(codec: ValueCodec | None, wire: dict[str, Any] | None) -> dict[str, Any] | None:
    """A stored value as this class writes it: others may write the same UUID or time as another text."""
    if codec is None or wire is None or "NULL" in wire:
        return wire
    try:
        return codec.unconstrained.encode(codec.decode(wire))
    except (DecodeError, ValidationError):
        return wire


class Uniqueness:
    """The unique attributes of a class.

    Attributes:
        attributes: in order.
        names: stored names of all that their values are made of.
        depends: the same, and of what tells the class of an item.
    """

    def __init__(self, mapping: ClassMapping, plan: ClassPlan) -> None:
        self.attributes = tuple(
            UniqueAttribute(mapping, plan, one) for one in mapping.attributes.values() if one.unique is not None
        )
        self.names = tuple(dict.fromkeys(name for one in self.attributes for name in one.names))
        self.depends = self.names if mapping.family is None else (*self.names, mapping.family.stored_name)

    def touched(self, names: set[str]) -> list[UniqueAttribute]:
        """Those whose guards depend on these stored names."""
        return [one for one in self.attributes if not names.isdisjoint(one.names)]


class UniqueChange:
    """What one write does to unique values.

    Attributes:
        stored: the stored values it reckons with; None: they must be read first.
        not_ours: codes of guards that are for other items, so that they are not given back.
        orphans: by code the items that guards to be taken are for, and that have the value no more.
    """

    def __init__(
        self,
        write: Write,
        attributes: list[UniqueAttribute],
        stored: Item | None,
        after: After,
        *,
        conditional: bool = True,
        lost: Sequence[UniqueAttribute] = (),
    ) -> None:
        """
        Args:
            write: the item's.
            attributes: the unique attributes that it may change.
            stored: what is stored, as far as is known.
            after: the values after the write, of those before it.
            conditional: whether the write must be told to look for these values; an insert looks for none anyway.
            lost: unique attributes that the item has no more after the write, whatever is stored under their names.
        """
        self.not_ours: set[bytes] = set()
        self.orphans: dict[bytes, Orphan] = {}
        self._write = write
        self._attributes = attributes
        self._lost: tuple[UniqueAttribute, ...] = ()
        self._given = stored
        self._after = after
        self._conditional = conditional
        self.lose(lost)

    def lose(self, attributes: Sequence[UniqueAttribute]) -> None:
        """Reckon with unique attributes that the item has no more after the write, before it is sent."""
        self._lost += tuple(attributes)
        every = (*self._attributes, *self._lost)
        self.names = tuple(dict.fromkeys(name for one in every for name in one.names))
        told_by = every[0].told_by if every else None
        self._depends = self.names if told_by is None else (*self.names, told_by)
        self.stored: Item | None = None if self._given is None else self._of(self._given)

    def _of(self, item: Item) -> Item:
        return {name: item[name] for name in self._depends if name in item}

    def _matters(self, stored: Item) -> tuple[str, ...]:
        """What must be stored as it is: of which class the item is does not matter without any value."""
        return self._depends if any(name in stored for name in self.names) else self.names

    @property
    def most(self) -> int:
        """How many guards it takes and gives back at the most."""
        return 2 * len(self._attributes) + len(self._lost)

    def ready(self) -> Operation[None]:
        """Read what is stored, if that is not known."""
        if self.stored is None:
            found = yield from read_attributes(self._write.target, self._write.key, self._depends)
            self.stored = self._of(found or {})

    def condition(self, name: Callable[[str], str], value: Callable[[Any], str]) -> list[str]:
        """What the item's own request must require besides; the functions give placeholders."""
        if not self._conditional:
            return []
        stored = self.stored or {}
        return [
            f"{name(one)} = {value(stored[one])}" if one in stored else f"attribute_not_exists({name(one)})"
            for one in self._matters(stored)
        ]

    def learn(self, item: Item | None) -> bool:
        """Reckon with what is stored, as a refusal says; whether that is something else than before."""
        if not self._conditional:
            return False
        found = self._of(item or {})
        if same_values(found, self.stored or {}, self._matters(found)):
            return False
        self.stored = found
        self.not_ours.clear()
        self.orphans.clear()
        return True

    def claims(self) -> list[Claim]:
        """The guards it takes and gives back."""
        before = self.stored or {}
        after = self._after(before)
        found: list[Claim] = []
        target, key = self._write.target, self._write.key
        for one in self._attributes:
            old, new = one.code(before), one.code(after)
            if old == new:
                continue
            if old is not None and old not in self.not_ours:
                found.append(Claim(target, one, old, False, key))
            if new is not None:
                claim = Claim(target, one, new, True, key)
                claim.orphan = self.orphans.get(new)
                found.append(claim)
        for one in self._lost:
            old = one.code(before)
            if old is not None and old not in self.not_ours:
                found.append(Claim(target, one, old, False, key))
        return found


def same_values(one: Item, other: Item, names: tuple[str, ...]) -> bool:
    """Whether two items agree in these attributes. NULL is a value here, as it is to the service."""
    return all(_exact(one.get(name)) == _exact(other.get(name)) for name in names)


def _exact(wire: dict[str, Any] | None) -> Any:
    return "NULL" if wire is not None and "NULL" in wire else scalar(wire)


def updated_values(name: str, updates: list[Update], attributes: list[UniqueAttribute]) -> After:
    """What updates make of the values that guards depend on.

    Args:
        name: the class's.
        updates: the updates.
        attributes: the unique attributes that they touch.

    Raises:
        ExpressionError: the new value would only be known to the service.
    """
    watched = {one for attribute in attributes for one in attribute.names}
    # An upsert says of which class a new item is.
    watched |= {attribute.told_by for attribute in attributes if attribute.told_by is not None}
    changing = [one for one in updates if one.path._steps[0] in watched]
    for update in changing:
        operand = update.operand
        known = update.action == "REMOVE" or (
            update.action == "SET"
            and (
                isinstance(operand, Value)
                or (
                    isinstance(operand, IfNotExists)
                    and operand.path._steps == update.path._steps
                    and isinstance(operand.otherwise, Value)
                )
            )
        )
        if not known or len(update.path._steps) > 1:
            raise ExpressionError(
                f"{name}.{update.path._label} is unique, or the scope of a unique attribute: its new value must be "
                f"known to make sure of that; set it to a value, as in {name}.{update.path._label}.set(...)"
            )

    def after(before: Item) -> Item:
        values = dict(before)
        for update in changing:
            stored_name = str(update.path._steps[0])
            if update.action == "REMOVE":
                values.pop(stored_name, None)
            elif isinstance(update.operand, Value):
                values[stored_name] = update.operand.wire
            elif stored_name not in before:
                values[stored_name] = update.operand.otherwise.wire  # type: ignore[union-attr]
        return values

    return after


def read_attributes(target: Target, key: Item, names: tuple[str, ...]) -> Operation[Item | None]:
    """These attributes of a stored item, as of now; None when there is no item."""
    wanted = dict.fromkeys((*target.plan.key_names, *names))
    request = {
        "TableName": target.table_name,
        "Key": key,
        "ConsistentRead": True,
        "ProjectionExpression": ", ".join(f"#d{place}" for place in range(len(wanted))),
        "ExpressionAttributeNames": {f"#d{place}": name for place, name in enumerate(wanted)},
    }
    response = yield Request("GetItem", encode_request(request), about=target)
    raw_capacity("GetItem", response)
    found: Item | None = _read_item(response).get("Item")
    return found
