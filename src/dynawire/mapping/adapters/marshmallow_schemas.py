"""Schemas of marshmallow as classes take them: an instance of our own, which loads and dumps all that is stored."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from marshmallow import INCLUDE, Schema, fields

from ...errors import SchemaError

__all__ = ["arranged", "as_schema", "own"]


def as_schema(given: Any, name: str) -> Any:
    """The Schema class or instance that was meant: a plain class with fields becomes a Schema."""
    if isinstance(given, Schema) or (isinstance(given, type) and issubclass(given, Schema)):
        return given
    if isinstance(given, type):
        body = {"Meta": given.__dict__["Meta"]} if "Meta" in given.__dict__ else {}
        # With a dot: marshmallow finds schemas by name, and this is none to be found instead of another.
        return type(f"{name}.Schema", (given, Schema), {**body, "__module__": given.__module__})
    raise SchemaError(
        f"{name}: the schema is a marshmallow Schema, its instance, or a class with marshmallow fields, not "
        f"{type(given).__name__}",
        model=name,
    )


def own(given: Any) -> Schema:
    """An instance of the schema that is ours to arrange."""
    if isinstance(given, type):
        schema: Schema = given()
        return schema
    schema = copy.copy(given)
    _take_fields(schema)
    return schema


def _take_fields(schema: Schema) -> None:
    """Give a copied schema fields of its own, as marshmallow does when a schema is made."""
    schema.declared_fields = copy.deepcopy(schema.declared_fields)
    schema._init_fields()


def arranged(
    schema: Schema, error: Callable[..., SchemaError], around: Mapping[Any, Schema] = MappingProxyType({})
) -> dict[str, Any]:
    """The fields that are stored. What is load_only or dump_only is so for the world outside, not for the table."""
    if schema.unknown == INCLUDE:
        raise error(
            "unknown=INCLUDE lets it load what it does not dump, and that would be lost; declare a field for it, such "
            "as more = fields.Dict(), or write unknown=EXCLUDE"
        )
    stored = {name: field for name, field in schema.fields.items() if not _is_computed(field)}
    schema.load_fields = dict(stored)
    schema.dump_fields = dict(stored)
    around = {**around, _same(schema): schema}
    for field in stored.values():
        for nested in _nested(field):
            if nested.unknown == INCLUDE:
                raise error("a nested field has unknown=INCLUDE; what it loads besides its fields would be lost")
            nested._schema = None
            inner = nested.schema
            outer = around.get(_same(inner))
            if outer is None:
                _take_fields(inner)  # it may be an instance of the user's, or share its fields with one
                arranged(inner, error, around)
            else:  # it holds itself
                nested._schema = copy.copy(outer)
                nested._schema.many = inner.many
    return stored


def _is_computed(field: Any) -> bool:
    return isinstance(field, fields.Constant) or (
        isinstance(field, (fields.Method, fields.Function)) and bool(field.dump_only)
    )


def _same(schema: Schema) -> tuple[Any, frozenset[str]]:
    return type(schema), frozenset(schema.fields)


def _nested(field: Any) -> Iterator[Any]:
    """The Nested fields in a field."""
    if isinstance(field, fields.Nested):
        yield field
    for name in ("inner", "value_field"):
        inside = getattr(field, name, None)
        if inside is not None:
            yield from _nested(inside)
    for one in getattr(field, "tuple_fields", ()):
        yield from _nested(one)
