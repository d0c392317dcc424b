"""pydantic 2: the fields of its models, how instances are made of stored values, and its own types."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, PydanticUserError, SecretBytes, SecretStr, TypeAdapter
from pydantic import ValidationError as PydanticError
from pydantic_core import PydanticUndefined

from ...errors import SchemaError, ValidationError
from ..attributes import NO_DEFAULT, Attribute, AttributeDeclaration
from ..markers import EpochSeconds, Json, NaiveDatetime, Stored
from ..misplaced import is_declaration, misplaced_default
from ..records import RecordFields
from .base import Adapter

__all__ = [
    "PydanticAdapter",
    "assign_field",
    "field_default",
    "pydantic_fields",
    "trusting",
    "type_stored",
    "validating",
]

_UNCHANGING = (str, int, float, bool, bytes, type(None))


# ---------------------------------------------------------------------- fields


def pydantic_fields(cls: type[BaseModel]) -> RecordFields | None:
    """What a pydantic model is made of; None for a RootModel, which is no map.

    Raises:
        SchemaError: it can't be stored without loss.
        NameError: an annotation names something that is not defined yet.
    """
    if cls.__pydantic_root_model__:
        return None
    if not cls.__pydantic_complete__ and not cls.model_rebuild(raise_errors=False):
        raise NameError(f"a type of {cls.__name__}", name=f"a type of {cls.__name__}")
    if cls.model_config.get("extra") == "allow":
        raise SchemaError(
            f"{cls.__name__}: extra='allow' lets an instance hold what the class does not know, and that would be "
            "lost; declare a field for it, such as more: dict[str, Any]",
            model=cls.__name__,
        )
    declared = _declarations(cls)
    attributes = tuple(_attribute(cls, name, field, declared.get(name)) for name, field in cls.model_fields.items())
    return RecordFields(attributes, {one.name: one.name for one in attributes}, make=validating(cls))


def _declarations(cls: type[BaseModel]) -> dict[str, AttributeDeclaration | None]:
    found: dict[str, AttributeDeclaration | None] = {}
    for base in reversed(cls.__mro__):
        found |= base.__dict__.get("__declarations__", {})
    return found


def _attribute(cls: type[BaseModel], name: str, field: Any, said: AttributeDeclaration | None) -> Attribute:
    said = said or next((one for one in field.metadata if isinstance(one, AttributeDeclaration)), None)
    said = said or AttributeDeclaration()
    problem = said.problem() or misplaced_default(cls.__name__, name, field.default)
    if said.computed is not None:
        problem = "is a field, so it can't be computed by dynawire; use pydantic's computed_field, or a Model"
    if problem is not None:
        raise SchemaError(f"{cls.__name__}: {name} {problem}", model=cls.__name__, attribute=name)
    if said.mutator is not None:
        raise SchemaError(
            f"{cls.__name__}: {name} has a mutator=, and pydantic has its own: write Annotated[..., "
            "BeforeValidator(...)], and model_config = ConfigDict(validate_assignment=True) for assignments too",
            model=cls.__name__,
            attribute=name,
        )
    markers = [
        one
        for one in field.metadata
        if one is EpochSeconds or one is Json or one is NaiveDatetime or isinstance(one, (Stored, msgspec.Meta))
    ]
    annotation = field.annotation
    for marker in markers:
        annotation = Annotated[annotation, marker]
    default, factory = field_default(field)
    return said.attribute(name, annotation, default=default, default_factory=factory)


def field_default(field: Any) -> tuple[Any, Any]:
    """The default of an item stored without the field. A factory that needs the other fields makes none."""
    if field.default_factory is not None:
        return NO_DEFAULT, NO_DEFAULT if field.default_factory_takes_validated_data else field.default_factory
    if field.default is PydanticUndefined:
        return NO_DEFAULT, NO_DEFAULT
    if type(field.default) in _UNCHANGING or isinstance(field.default, Enum) or is_declaration(field.default):
        return field.default, NO_DEFAULT
    # pydantic gives each instance a copy of its own.
    return NO_DEFAULT, field.get_default


# ---------------------------------------------------------------------- instances


def validating(cls: type[BaseModel]) -> Callable[..., Any]:
    """A function that makes an instance of stored values and lets pydantic check them."""

    def make(**values: Any) -> Any:
        try:
            return cls.model_validate(values, by_alias=False, by_name=True)
        except PydanticError as error:
            problems = _problems(error)
        # Not from inside the except clause: pydantic's error holds the values.
        raise ValidationError(
            "; ".join(f"{path}: {reason}" if path else reason for path, reason in problems),
            model=cls.__name__,
            errors=problems,
        )

    return make


def _problems(error: PydanticError) -> tuple[tuple[str, str], ...]:
    """The messages of pydantic itself, without the values it saw."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple((".".join(map(str, one["loc"])), one["msg"]) for one in found)


def trusting(cls: type[BaseModel]) -> Callable[..., Any]:
    """A function that makes an instance of stored values without checking: ``model_construct`` by field name."""
    new = cls.__new__
    set_values = object.__setattr__
    names = frozenset(cls.model_fields)

    def make(**values: Any) -> Any:
        instance = new(cls)
        set_values(instance, "__dict__", values)
        set_values(instance, "__pydantic_fields_set__", set(names))
        set_values(instance, "__pydantic_extra__", None)
        set_values(instance, "__pydantic_private__", None)
        if cls.__pydantic_post_init__:
            instance.model_post_init(None)
        return instance

    return make


class PydanticAdapter(Adapter):
    """Instances of a pydantic model of ours, with a slot for what they were loaded from."""

    keeps_on_instance = False

    def __init__(self, cls: type[BaseModel], fields: RecordFields, slot: Any) -> None:
        super().__init__(fields)
        self.frozen = bool(cls.model_config.get("frozen"))
        # Past pydantic's own __setattr__, which is for fields.
        self.keep = slot.__set__  # type: ignore[method-assign]

    def assign(self, instance: Any, name: str, value: Any) -> None:
        assign_field(instance, name, value)


def assign_field(instance: Any, name: str, value: Any) -> None:
    """Give an instance a value that is stored: it was checked, and assigning may check it again, or be forbidden."""
    instance.__dict__[name] = value
    instance.__pydantic_fields_set__.add(name)


# ---------------------------------------------------------------------- pydantic's own types

_STORED_AS = {"string": str, "integer": int, "number": float, "boolean": bool, "array": list[Any], "object": dict}


def type_stored(kind: Any) -> Stored | None:
    """How a type that only pydantic understands is stored: in the form it has in JSON. None: it has none.

    A value that would not come back equal is refused when it is written.
    """
    if kind is SecretStr or kind is SecretBytes:
        return Stored(lambda secret: secret.get_secret_value(), kind, str if kind is SecretStr else bytes)
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        form = adapter.json_schema(mode="serialization").get("type")
    except PydanticUserError:
        return None
    if form not in _STORED_AS:
        return None

    def encode(value: Any) -> Any:
        stored = adapter.dump_python(value, mode="json", warnings="error")
        if adapter.validate_python(stored) != value:
            raise ValueError("would not come back equal")
        return stored

    return Stored(encode, adapter.validate_python, dict[str, Any] if form == "object" else _STORED_AS[form])
