"""The fields of classes that are stored as maps: Models, Structs, dataclasses, attrs classes, TypedDicts,
NamedTuples.
"""

from __future__ import annotations

import sys
from keyword import iskeyword
from typing import Any, get_args, get_origin

import msgspec

from ..errors import SchemaError
from .annotations import Names, type_hints
from .attributes import NO_DEFAULT, Attribute, stored_name_problem
from .misplaced import misplaced_default, misplaced_in_type

__all__ = ["RecordFields", "record_fields"]


class RecordFields(msgspec.Struct, frozen=True):
    """What a class stored as a map is made of.

    Attributes:
        attributes: its fields.
        keywords: by field name, the constructor's parameter; a field that is missing here is set afterwards.
        is_dict: whether its instances are dicts (TypedDict).
        optional_members: names of TypedDict members that may be absent.
        bare: whether instances are made without calling the constructor, which takes other parameters.
        make: makes an instance of keywords; None: the class itself.
        tag: stored name and value of the member that tells the class from others (a Struct's ``tag=``), or None.
        schema: dumps and loads whole instances (a ``SchemaRecord``); None: they are read attribute by attribute.
    """

    attributes: tuple[Attribute, ...]
    keywords: dict[str, str]
    is_dict: bool = False
    optional_members: frozenset[str] = frozenset()
    bare: bool = False
    make: Any = None
    tag: tuple[str, str | int] | None = None
    schema: Any = None


def record_fields(cls: Any, names: Names | None = None) -> RecordFields | None:
    """The fields of a class stored as a map, or None when the class is none of these.

    Args:
        cls: the class.
        names: further names its annotations may use.

    Raises:
        SchemaError: it is of such a kind, and yet can't be stored.
        NameError: an annotation names something that is not defined yet.
    """
    found = _fields_of(cls, names)
    if found is None:
        return None
    for attribute in found.attributes:
        problem = stored_name_problem(attribute.stored_name)
        is_ours = hasattr(cls, "__mapping__")
        if not is_ours:
            problem = misplaced_default(cls.__name__, attribute.name, attribute.default) or problem
        problem = misplaced_in_type(cls.__name__, attribute.name, attribute.annotation, is_ours=is_ours) or problem
        # The names become part of generated source.
        if not found.is_dict and (not attribute.name.isidentifier() or iskeyword(attribute.name)):
            problem = "is not a name that can be written in Python"
        if problem is not None:
            raise _unreadable(cls, attribute.name, problem)
    return found


def _fields_of(cls: Any, names: Names | None) -> RecordFields | None:
    mapping = getattr(cls, "__mapping__", None)
    if mapping is not None:
        found = _named(tuple(one for one in mapping.attributes.values() if one.computed is None))
        if getattr(cls, "__mutators__", None):
            from .mutators import made_as_stored

            return msgspec.structs.replace(found, make=made_as_stored(cls))
        return found
    if hasattr(cls, "__pydantic_core_schema__") and hasattr(cls, "model_fields"):
        from .adapters.pydantic import pydantic_fields

        return pydantic_fields(cls)
    if issubclass(cls, msgspec.Struct):
        return _struct(cls, names)
    if hasattr(cls, "__dataclass_fields__"):
        return _dataclass(cls, names)
    if hasattr(cls, "__attrs_attrs__"):
        return _attrs(cls, names)
    if issubclass(cls, dict) and hasattr(cls, "__required_keys__"):
        return _typed_dict(cls, names)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return _named_tuple(cls, names)
    return None


def _named(attributes: tuple[Attribute, ...], tag: tuple[str, str | int] | None = None) -> RecordFields:
    return RecordFields(attributes, {attribute.name: attribute.name for attribute in attributes}, tag=tag)


def _struct(cls: type[msgspec.Struct], names: Names | None) -> RecordFields:
    hints = type_hints(cls, names)
    # Not msgspec.structs.fields, which resolves annotations by itself and knows no local names.
    given = cls.__struct_defaults__
    defaults = (msgspec.NODEFAULT,) * (len(cls.__struct_fields__) - len(given)) + given
    attributes = []
    default: Any
    for name, stored_name, default in zip(cls.__struct_fields__, cls.__struct_encode_fields__, defaults, strict=True):
        factory = NO_DEFAULT
        if type(default).__name__ == "Factory":
            default, factory = NO_DEFAULT, default.factory
        elif default is msgspec.NODEFAULT:
            default = NO_DEFAULT
        attributes.append(
            Attribute(
                name=name,
                stored_name=stored_name,
                annotation=hints[name],
                default=default,
                default_factory=factory,
            )
        )
    config = cls.__struct_config__
    tag = (config.tag_field, config.tag) if config.tag_field is not None and config.tag is not None else None
    return _named(tuple(attributes), tag)


def _dataclass(cls: type[Any], names: Names | None) -> RecordFields:
    import dataclasses

    hints = type_hints(cls, names)
    attributes: list[Attribute] = []
    keywords: dict[str, str] = {}
    for name, field in cls.__dataclass_fields__.items():
        missing = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if isinstance(hints.get(name), dataclasses.InitVar) and missing:
            raise _unreadable(cls, name, "an InitVar without default is not stored, so it can't be given while reading")
    validated = cls.__dict__.get("__pydantic_fields__")
    for field in dataclasses.fields(cls):
        default = NO_DEFAULT if field.default is dataclasses.MISSING else field.default
        factory = NO_DEFAULT if field.default_factory is dataclasses.MISSING else field.default_factory
        parameter = field.name
        if validated is not None and field.name in validated:
            # A dataclass of pydantic's: there may be a Field(), which is no value, and names the parameter.
            from .adapters.pydantic import field_default

            default, factory = field_default(validated[field.name])
            alias = validated[field.name].validation_alias
            parameter = alias if isinstance(alias, str) else field.name
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
            keywords[field.name] = parameter
    bare = validated is None and not _takes(cls.__init__, keywords)
    return RecordFields(tuple(attributes), {} if bare else keywords, bare=bare)


def _attrs(cls: Any, names: Names | None) -> RecordFields:
    attrs = sys.modules["attr"]
    hints = type_hints(cls, names)
    attributes: list[Attribute] = []
    keywords: dict[str, str] = {}
    for field in cls.__attrs_attrs__:
        default, factory = NO_DEFAULT, NO_DEFAULT
        if isinstance(field.default, attrs.Factory):
            if field.default.takes_self:
                raise _unreadable(
                    cls,
                    field.name,
                    "a default that takes self can't be made while reading an item; use a plain factory",
                )
            factory = field.default.factory
        elif field.default is not attrs.NOTHING:
            default = field.default
        annotation = hints.get(field.name, Any if field.type is None else field.type)
        attributes.append(
            Attribute(
                name=field.name, stored_name=field.name, annotation=annotation, default=default, default_factory=factory
            )
        )
        if field.init:
            keywords[field.name] = field.alias
    # attrs writes __init__ itself or, when told not to, __attrs_init__ beside the user's own.
    bare = "__attrs_init__" in cls.__dict__
    return RecordFields(tuple(attributes), {} if bare else keywords, bare=bare)


def _takes(constructor: Any, keywords: dict[str, str]) -> bool:
    """Whether the constructor is the generated one, or takes what that would: a class may bring its own."""
    code = getattr(constructor, "__code__", None)
    if code is None:
        return not keywords
    return keywords.keys() <= set(code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount])


def _typed_dict(cls: Any, names: Names | None) -> RecordFields:
    attributes: list[Attribute] = []
    optional: set[str] = set()
    for name, hint in type_hints(cls, names).items():
        # __optional_keys__ does not see NotRequired in annotations that are text (PEP 563).
        is_optional = name in cls.__optional_keys__
        while getattr(get_origin(hint), "_name", None) in ("Required", "NotRequired", "ReadOnly"):
            kind = getattr(get_origin(hint), "_name", "")
            is_optional = {"Required": False, "NotRequired": True}.get(kind, is_optional)
            hint = get_args(hint)[0]
        if is_optional:
            optional.add(name)
        attributes.append(Attribute(name=name, stored_name=name, annotation=hint))
    keywords = {attribute.name: attribute.name for attribute in attributes}
    return RecordFields(tuple(attributes), keywords, is_dict=True, optional_members=frozenset(optional))


def _named_tuple(cls: Any, names: Names | None) -> RecordFields:
    hints = type_hints(cls, names)
    return _named(
        tuple(
            Attribute(
                name=name,
                stored_name=name,
                annotation=hints.get(name, Any),
                default=cls._field_defaults.get(name, NO_DEFAULT),
            )
            for name in cls._fields
        )
    )


def _unreadable(cls: type[Any], name: str, reason: str) -> SchemaError:
    return SchemaError(f"{cls.__name__}.{name}: {reason}", model=cls.__name__, attribute=name)
