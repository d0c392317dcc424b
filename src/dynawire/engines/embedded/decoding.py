"""From request bytes to structs, and from msgspec's complaints to the service's.

Two kinds: a ``SerializationException`` where the JSON is not of the protocol's types, a ``ValidationException`` where a
member breaks a constraint of the API model. As the service does since 2026, only the first is told, without its value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from dynawire.engines.embedded.failures import serialization, validation
from dynawire.errors import DynawireError

__all__ = ["decode_item", "decoder", "encode", "refused"]

T = TypeVar("T", bound=msgspec.Struct)

encode: Final = msgspec.json.Encoder().encode
"""Any JSON value as bytes."""

decode_item: Final = msgspec.json.Decoder(dict[str, Any]).decode
"""A stored item."""


def decoder(kind: type[T]) -> Callable[[bytes], T]:
    """The function that reads requests of this kind."""
    return msgspec.json.Decoder(kind).decode


def refused(error: Exception, kind: type[msgspec.Struct]) -> DynawireError:
    """The service's error for a request of this kind that could not be decoded."""
    if isinstance(error, RecursionError):
        return validation("Nesting Levels have exceeded supported limits")
    if not isinstance(error, msgspec.ValidationError):
        return serialization("The request is not JSON in UTF-8")
    message, _, where = str(error).partition(" - at `")
    path = _member_path(where.removesuffix("`"))
    missing = _is_missing(message)
    if missing is not None:
        return _constraint(f"{path}.{missing[1]}" if path else missing[1], "Member must not be null")
    if path and message.endswith(", got `null`"):
        return _constraint(path, "Member must not be null")
    if message.startswith("Invalid enum value"):
        values = ", ".join(_enumerations(kind).get(path.rpartition(".")[2], ()))
        return _constraint(path, f"Member must satisfy enum value set: [{values}]")
    bound = _is_bound(message)
    if bound is not None:
        subject = "length" if bound["length"] else "value"
        relation = "greater" if bound["relation"] == ">=" else "less"
        return _constraint(path, f"Member must have {subject} {relation} than or equal to {bound['limit']}")
    pattern = _is_pattern(message)
    if pattern is not None:
        return _constraint(path, f"Member must satisfy regular expression pattern: {pattern[1].strip('^$')}")
    return serialization(_type_mismatch(message))


_is_missing = re.compile(r"Object missing required field `(\w+)`").fullmatch
_is_bound = re.compile(r"Expected `[^`]+` (?P<length>of length )?(?P<relation>[<>]=) (?P<limit>\d+)").fullmatch
_is_pattern = re.compile(r"Expected `str` matching regex '(.*)'").fullmatch
_is_mismatch = re.compile(r"Expected `(?P<expected>\w+).*`, got `(?P<found>\w+)`").fullmatch
_steps = re.compile(r"\.(\w+)|\[(\d+)\]|\[\.\.\.\]")

_SCALARS: Final = {"str": "String", "int": "Integer", "float": "Double", "bool": "Boolean"}
_FOUND: Final = {"str": "STRING_VALUE", "int": "NUMBER_VALUE", "float": "DECIMAL_VALUE", "bool": "TRUE_VALUE"}


def _constraint(path: str, constraint: str) -> DynawireError:
    return validation(f"1 validation error detected: Value at '{path}' failed to satisfy constraint: {constraint}")


def _member_path(where: str) -> str:
    """Msgspec's ``$.TransactItems[0].Put`` as the service writes it: ``TransactItems.1.member.Put``."""
    parts = []
    for step in _steps.finditer(where):
        name, index = step.groups()
        parts.append(name or (f"{int(index) + 1}.member" if index else "member"))
    return ".".join(parts)


def _type_mismatch(message: str) -> str:
    match = _is_mismatch(message)
    if match is None:
        return "Unexpected field type"
    if match["found"] == "array":
        return "Start of list found where not expected"
    if match["found"] == "object":
        return "Start of structure or map found where not expected"
    expected = _SCALARS.get(match["expected"])
    if expected is None:
        return "Unexpected field type"
    return f"{_FOUND.get(match['found'], 'NULL_VALUE')} cannot be converted to {expected}"


def _enumerations(kind: type[msgspec.Struct]) -> dict[str, tuple[str, ...]]:
    """The values of every enumerated member of a kind of request, by the member's name."""
    found: dict[str, tuple[str, ...]] = {}
    seen: set[type] = set()

    def note_struct(struct: type) -> None:
        if struct not in seen:
            seen.add(struct)
            for name, hint in get_type_hints(struct, include_extras=True).items():
                note(name, hint)

    def note(name: str, hint: Any) -> None:
        if get_origin(hint) is Literal:
            found[name] = get_args(hint)
        elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            note_struct(hint)
        else:
            for argument in get_args(hint):
                note(name, argument)

    note_struct(kind)
    return found
