"""Classes whose items are validated, loaded and dumped by a schema of another library (marshmallow, schematics).

A library's adapter describes the schema by :class:`SchemaField` and :class:`SchemaMember`, and carries out what a
:class:`SchemaDriver` promises. *Raw* is what the schema dumps: text, numbers, lists, maps, by the names it dumps them
under. Raw is what is stored; a value is what the schema loads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import msgspec

from ...errors import SchemaError, ValidationError
from ..attributes import NO_DEFAULT, Attribute, AttributeDeclaration
from ..class_mapping import nearest
from ..records import RecordFields
from .base import Adapter

__all__ = [
    "Said",
    "SchemaAdapter",
    "SchemaDriver",
    "SchemaField",
    "SchemaMember",
    "joined",
    "named",
    "refused",
    "schema_record",
]

Problems = list[tuple[str, str]]


class Said(str):
    """What a schema said of a value, unchanged.

    Attributes:
        told: the same without the value, for messages and logs.
    """

    __slots__ = ("told",)
    told: str

    def __new__(cls, text: str, value: Any = None) -> Said:
        said = super().__new__(cls, text)
        said.told = _without(text, value)
        return said

    def __reduce__(self) -> tuple[Any, ...]:
        return _said, (str(self), self.told)


def _said(text: str, told: str) -> Said:
    said = Said(text)
    said.told = told
    return said


def _without(text: str, value: Any) -> str:
    for shown in {repr(value), str(value)} if isinstance(value, (str, bytes, int, float)) or value else ():
        if shown and shown in text:
            text = re.sub(rf"(?<!\w){re.escape(shown)}(?!\w)", "...", text)
    return text


def refused(model: str, problems: Iterable[tuple[str, str]]) -> ValidationError:
    """The error that holds what a schema said."""
    found = tuple(problems)
    told = [(path, getattr(reason, "told", reason)) for path, reason in found]
    text = "; ".join(f"{path}: {reason}" if path else reason for path, reason in told)
    return ValidationError(text, model=model, attribute=found[0][0] or None, errors=found)


def joined(path: str, below: str) -> str:
    """The path of what stands below another."""
    if not path or not below:
        return path or below
    return path + below if below.startswith("[") else f"{path}.{below}"


def named(schema: type[Any], cls: type[Any]) -> str:
    """A schema's name in messages."""
    return f"{cls.__name__}.Schema" if schema.__name__ == "Schema" else schema.__name__


# ---------------------------------------------------------------------- what a schema is made of


class SchemaField:
    """One field of a schema, as the codec of its values needs it: the marker in ``Annotated``.

    Attributes:
        name: the type of its values, as a person writes it.
        stored_as: the annotation of its raw form.
        dump: makes raw of a value, or of raw that the field loads; with True, validated as well. It raises
            ValidationError, whose paths are below the value.
        load: makes a value of raw, without validators; it raises the same.
        members: the members of a map: Python name, stored name and field; None when it has none of its own.
        element: the field of a list's or a set's elements, or of the values of a map that may have any names.
    """

    def __init__(
        self,
        name: str,
        stored_as: Any,
        dump: Callable[[Any, bool], Any],
        load: Callable[[Any], Any],
        *,
        members: Callable[[], Mapping[str, tuple[str, SchemaField]]] | None = None,
        element: SchemaField | None = None,
    ) -> None:
        self.name = name
        self.stored_as = stored_as
        self.dump = dump
        self.load = load
        self.members = members
        self.element = element


class SchemaMember(msgspec.Struct, kw_only=True):
    """One member of a whole schema, which is one attribute of the class.

    Attributes:
        name: the attribute's name in Python.
        key: its name in raw.
        field: how its values are stored.
        kind: the class of its values, where that is one; else object.
        required: whether an item must have it.
        allows_none: whether None is a value of it.
        default, default_factory: what an item without it reads as.
    """

    name: str
    key: str
    field: SchemaField
    kind: Any = object
    required: bool = False
    allows_none: bool = False
    default: Any = NO_DEFAULT
    default_factory: Any = NO_DEFAULT


class SchemaDriver:
    """Puts a schema to work for the instances of one class.

    Attributes:
        name: the schema's name.
        members: what it is made of.
        without_none: names in raw of what is left out when it is None, which is how it reads when it is not there.
    """

    name: str
    members: tuple[SchemaMember, ...]
    without_none: frozenset[str] = frozenset()

    def dump(self, instance: Any) -> dict[str, Any]:
        """Raw of an instance, hooks included; nothing but its members, and None only where it means something.

        Raises:
            ValidationError: an attribute has a value that the schema could not have loaded.
        """
        raise AssertionError(type(self).__name__)

    def check(self, raw: dict[str, Any]) -> None:
        """Refuse raw that the schema would not load.

        Raises:
            ValidationError: with what the schema says, unchanged.
        """
        raise AssertionError(type(self).__name__)

    def load(self, raw: dict[str, Any]) -> dict[str, Any]:
        """The attributes of raw, validated.

        Raises:
            ValidationError: with what the schema says, unchanged.
        """
        raise AssertionError(type(self).__name__)

    def trust(self, raw: dict[str, Any]) -> dict[str, Any]:
        """The attributes of raw, not validated."""
        raise AssertionError(type(self).__name__)

    def made(self, values: dict[str, Any]) -> dict[str, Any]:
        """The attributes of an instance made of what a constructor was given: raw or values, by either name.

        Raises:
            ValidationError: with what the schema says, unchanged.
        """
        return self.load(values)


# ---------------------------------------------------------------------- the class around it


class SchemaRecord(msgspec.Struct, frozen=True):
    """How whole instances become raw and come back; what a codec of the class calls.

    Attributes:
        keys: by attribute name, the name in raw.
        dump, check: the driver's.
        make: makes an instance of raw.
    """

    keys: dict[str, str]
    dump: Callable[[Any], dict[str, Any]]
    check: Callable[[dict[str, Any]], None]
    make: Callable[[dict[str, Any]], Any]


def schema_record(
    cls: type[Any], driver: SchemaDriver, declared: Mapping[str, AttributeDeclaration], *, trust: bool
) -> RecordFields:
    """What a class with a schema is made of.

    Args:
        cls: the class.
        driver: puts its schema to work.
        declared: what the class says of single attributes: keys, stored names, upkeep.
        trust: whether items that are read are loaded without validation.

    Raises:
        SchemaError: a declaration can't work.
    """
    names = [one.name for one in driver.members]
    for name, said in declared.items():
        if said.computed is not None:
            raise _error(cls, name, "can't be computed by dynawire beside a schema; compute it there, or use a Model")
        if name not in names:
            raise _error(
                cls, name, f"{driver.name} has no field {name!r}{nearest(name, names)}; declare it there", named=False
            )
    attributes = tuple(_attribute(cls, one, declared.get(one.name)) for one in driver.members)
    keys = {one.name: one.key for one in driver.members}
    driver.without_none = frozenset(
        keys[one.name] for one in attributes if one.has_default and one.default is None and not one.store_none
    )
    new = object.__new__
    load = driver.trust if trust else driver.load

    def make(raw: dict[str, Any]) -> Any:
        values = load(raw)
        instance = new(cls)
        instance.__dict__.update(values)
        return instance

    return RecordFields(
        attributes, {name: name for name in names}, schema=SchemaRecord(keys, driver.dump, driver.check, make)
    )


def _attribute(cls: type[Any], member: SchemaMember, said: AttributeDeclaration | None) -> Attribute:
    said = said or AttributeDeclaration()
    problem = said.problem()
    if problem is not None:
        raise _error(cls, member.name, problem)
    if said.constraints:
        limit = next(iter(said.constraints.given()))
        raise _error(cls, member.name, f"{limit}= is for the schema to say; write a validator in its field")
    if said.mutator is not None:
        raise _error(cls, member.name, "has a mutator=, which is for the schema to say; write a pre_load, or a field")
    if said.upkeep == "discriminator":
        raise _error(cls, member.name, "discriminator() is for a Model; a schema tells classes apart by itself")
    maintained = said.upkeep is not None or said.counter is not None
    if not maintained and (said.default is not NO_DEFAULT or said.default_factory is not NO_DEFAULT):
        raise _error(cls, member.name, "a default is for the schema to say; write it in its field")
    if maintained and member.required:
        kind = said.upkeep or "counter"
        raise _error(cls, member.name, f"{kind}() is set by writes, so its field can't be required")
    default, factory = (said.default, NO_DEFAULT) if maintained else (member.default, member.default_factory)
    if said.role is not None and default is None:
        default = NO_DEFAULT  # every item has its key
    is_number = said.upkeep == "version" or said.counter is not None
    optional = not is_number and (member.allows_none or (default is None and not member.required))
    annotation: Any = member.kind
    if optional and said.role is None and member.field.stored_as is not Any:
        annotation = annotation | None
    same = {name: getattr(said, name) for name in _SAID_ALIKE}
    return Attribute(
        **same
        | {
            "name": member.name,
            "stored_name": member.key if said.name is None else said.name,
            "annotation": Annotated[annotation, member.field],
            "default": default,
            "default_factory": factory,
            "store_none": said.store_none or (member.required and member.allows_none and said.role is None),
        }
    )


_SAID_ALIKE = frozenset(AttributeDeclaration.__struct_fields__) & frozenset(Attribute.__struct_fields__)


def _error(cls: type[Any], name: str, message: str, *, named: bool = True) -> SchemaError:
    text = f"{cls.__name__}: {name} {message}" if named else f"{cls.__name__}: {message}"
    return SchemaError(text, model=cls.__name__, attribute=name)


class SchemaAdapter(Adapter):
    """Instances with a dict of attributes, in which those that were never given a value are missing."""

    def take(self, instance: Any, current: Any, name: str) -> None:
        values = current.__dict__
        if name in values:
            instance.__dict__[name] = values[name]
        else:
            instance.__dict__.pop(name, None)

    def assign(self, instance: Any, name: str, value: Any) -> None:
        instance.__dict__[name] = value

    def drop(self, instance: Any, name: str, default: Any) -> None:
        if default is None:
            instance.__dict__.pop(name, None)
        else:
            instance.__dict__[name] = default
