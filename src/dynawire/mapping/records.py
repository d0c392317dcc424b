"""The fields of classes that are stored as maps: Models, Structs, dataclasses, attrs classes, TypedDicts,
NamedTuples.
"""

from __future__ import annotations

import sys
from typing import Any, get_args, get_origin

import msgspec

from ..errors import SchemaError
from .attributes import NO_DEFAULT, Attribute

__all__ = ["RecordFields", "record_fields", "type_hints"]


class RecordFields(msgspec.Struct, frozen=True):
    """What a class stored as a map is made of.

    Attributes:
        attributes: its fields.
        keywords: by field name, the constructor's parameter; a field that is missing here is set afterwards.
        is_dict: whether its instances are dicts (TypedDict).
        optional_members: names of TypedDict members that may be absent.
    """

    attributes: tuple[Attribute, ...]
    keywords: dict[str, str]
    is_dict: bool = False
    optional_members: frozenset[str] = frozenset()


def type_hints(cls: type[Any], extra: dict[str, Any] | None = None) -> dict[str, Any]:
    """The class's resolved annotations, markers included.

    Raises:
        NameError: an annotation names something that is not defined yet.
    """
    from typing import get_type_hints

    return get_type_hints(cls, localns=extra, include_extras=True)


def record_fields(cls: Any) -> RecordFields | None:
    """The fields of a class stored as a map, or None when the class is none of these."""
    if not isinstance(cls, type):
        origin = get_origin(cls)
        if origin is None or not isinstance(origin, type):
            return None
        raise SchemaError(
            f"{cls}: generic classes with arguments can't be stored; make a subclass with its types filled in"
        )
    mapping = getattr(cls, "__mapping__", None)
    if mapping is not None:
        attributes = tuple(mapping.attributes.values())
        return RecordFields(attributes, {attribute.name: attribute.name for attribute in attributes})
    if issubclass(cls, msgspec.Struct):
        return _struct(cls)
    if "__dataclass_fields__" in cls.__dict__ or hasattr(cls, "__dataclass_fields__"):
        return _dataclass(cls)
    if hasattr(cls, "__attrs_attrs__"):
        return _attrs(cls)
    if issubclass(cls, dict) and hasattr(cls, "__required_keys__"):
        return _typed_dict(cls)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return _named_tuple(cls)
    return None


def _struct(cls: type[msgspec.Struct]) -> RecordFields:
    hints = type_hints(cls)
    attributes = [
        Attribute(
            name=field.name,
            stored_name=field.encode_name,
            annotation=hints[field.name],
            default=NO_DEFAULT if field.default is msgspec.NODEFAULT else field.default,
            default_factory=NO_DEFAULT if field.default_factory is msgspec.NODEFAULT else field.default_factory,
        )
        for field in msgspec.structs.fields(cls)
    ]
    return RecordFields(tuple(attributes), {attribute.name: attribute.name for attribute in attributes})


def _dataclass(cls: type[Any]) -> RecordFields:
    import dataclasses

    hints = type_hints(cls)
    attributes: list[Attribute] = []
    keywords: dict[str, str] = {}
    for field in dataclasses.fields(cls):
        default = NO_DEFAULT if field.default is dataclasses.MISSING else field.default
        factory = NO_DEFAULT if field.default_factory is dataclasses.MISSING else field.default_factory
        attributes.append(
            Attribute(
                name=field.name,
                stored_name=field.name,
                annotation=hints[field.name],
                default=default,
                default_factory=factory,
            )
        )
        if field.init:
            keywords[field.name] = field.name
    return RecordFields(tuple(attributes), keywords)


def _attrs(cls: Any) -> RecordFields:
    attrs = sys.modules["attr"]
    hints = type_hints(cls)
    attributes: list[Attribute] = []
    keywords: dict[str, str] = {}
    for field in cls.__attrs_attrs__:
        default, factory = NO_DEFAULT, NO_DEFAULT
        if isinstance(field.default, attrs.Factory):
            if field.default.takes_self:
                raise SchemaError(
                    f"{cls.__name__}.{field.name}: a default that takes self can't be made while reading an item; "
                    "use a plain factory",
                    model=cls.__name__,
                    attribute=field.name,
                )
            factory = field.default.factory
        elif field.default is not attrs.NOTHING:
            default = field.default
        annotation = hints.get(field.name, Any)
        attributes.append(
            Attribute(
                name=field.name,
                stored_name=field.name,
                annotation=annotation,
                default=default,
                default_factory=factory,
            )
        )
        if field.init:
            keywords[field.name] = field.alias
    return RecordFields(tuple(attributes), keywords)


def _typed_dict(cls: Any) -> RecordFields:
    from typing import NotRequired, Required

    attributes: list[Attribute] = []
    for name, hint in type_hints(cls).items():
        annotation = get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint
        attributes.append(Attribute(name=name, stored_name=name, annotation=annotation))
    return RecordFields(
        tuple(attributes),
        {attribute.name: attribute.name for attribute in attributes},
        is_dict=True,
        optional_members=frozenset(cls.__optional_keys__),
    )


def _named_tuple(cls: Any) -> RecordFields:
    hints = type_hints(cls)
    attributes = tuple(
        Attribute(
            name=name,
            stored_name=name,
            annotation=hints.get(name, Any),
            default=cls._field_defaults.get(name, NO_DEFAULT),
        )
        for name in cls._fields
    )
    return RecordFields(attributes, {attribute.name: attribute.name for attribute in attributes})
