"""The codec of ``Any``: the value says which DynamoDB type it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..mapping.value_codec import ALL_TAGS
from .base import Codec, Problem
from .misfit import Misfit
from .numbers import decimal_text, float_text, int_text
from .source import Scope

__all__ = ["MAX_DEPTH", "AnyCodec", "decode_any", "encode_any"]

MAX_DEPTH = 32
"""Levels of nesting DynamoDB takes in one attribute."""


class AnyCodec(Codec):
    """``Any``: text, numbers (int, float, Decimal), bool, None, bytes, list, tuple, dict with str keys, sets of one
    kind.

    Whole numbers come back as int and other numbers as Decimal, which alone is exact; a tuple comes back as a list.
    """

    kind = object

    def describe(self) -> str:
        return "Any"

    @property
    def tags(self) -> frozenset[str]:
        return ALL_TAGS

    @property
    def wire_type(self) -> Any:
        return dict[str, Any]

    def encode_source(self, scope: Scope, value: str) -> str:
        return f"{scope.bind(encode_any)}({value})"

    def decode_source(self, scope: Scope, wire: str) -> str:
        return f"{scope.bind(decode_any)}({wire})"

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        try:
            encode_any(value)
        except Misfit as misfit:
            yield path, str(misfit)

    def member(self, name: str) -> tuple[str, Codec] | None:
        return name, self

    def element(self) -> Codec | None:
        return self


def encode_any(value: Any, depth: int = 0) -> dict[str, Any]:
    """The wire form of a value of any kind DynamoDB has."""
    kind = type(value)
    if kind is str:
        return {"S": value}
    if kind is bool:
        return {"BOOL": value}
    if kind is int:
        return {"N": int_text(value)}
    if kind is float:
        return {"N": float_text(value)}
    if value is None:
        return {"NULL": True}
    if depth >= MAX_DEPTH:
        raise Misfit(f"is nested deeper than the {MAX_DEPTH} levels DynamoDB takes")
    if isinstance(value, dict):
        return {"M": {_member_name(name): encode_any(one, depth + 1) for name, one in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"L": [encode_any(one, depth + 1) for one in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"B": bytes(value)}
    if isinstance(value, (set, frozenset)):
        return _encode_set(value)
    return _encode_other(value)


def _member_name(name: Any) -> str:
    if isinstance(name, str):
        return name
    raise Misfit(f"has a map key of type {type(name).__name__}; DynamoDB's maps have text keys")


def _encode_other(value: Any) -> dict[str, Any]:
    # Subclasses of the simple types, and Decimal without importing it for everybody.
    if isinstance(value, str):
        return {"S": str.__str__(value)}
    if isinstance(value, int):
        return {"N": int_text(int(value))}
    if isinstance(value, float):
        return {"N": float_text(float(value))}
    if type(value).__name__ == "Decimal" and hasattr(value, "as_tuple"):
        return {"N": decimal_text(value)}
    raise Misfit(
        f"of type {type(value).__name__} has no DynamoDB type; declare the attribute with its own type instead of Any"
    )


def _encode_set(value: Any) -> dict[str, Any]:
    if not value:
        raise Misfit("is an empty set, which DynamoDB cannot store")
    wires = [encode_any(one) for one in value]
    tags = {tag for wire in wires for tag in wire}
    if len(tags) != 1 or not tags <= {"S", "N", "B"}:
        raise Misfit("is a set that is not all text, all numbers or all bytes")
    tag = tags.pop()
    return {tag + "S": [wire[tag] for wire in wires]}


def decode_any(wire: dict[str, Any]) -> Any:
    """The value of a wire form whose binary is base64 text."""
    for tag, payload in wire.items():
        if tag == "S" or tag == "BOOL":
            return payload
        if tag == "N":
            return _number(payload)
        if tag == "M":
            return {name: decode_any(one) for name, one in payload.items()}
        if tag == "L":
            return [decode_any(one) for one in payload]
        if tag == "NULL":
            return None
        if tag == "SS":
            return set(payload)
        if tag == "NS":
            return {_number(one) for one in payload}
        if tag == "B":
            return _bytes(payload)
        if tag == "BS":
            return {_bytes(one) for one in payload}
    raise Misfit("a stored value has no DynamoDB type")


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        from decimal import Decimal

        number = Decimal(text)
        return int(number) if number == number.to_integral_value() else number


def _bytes(payload: Any) -> bytes:
    if isinstance(payload, bytes):
        return payload
    from binascii import a2b_base64

    return a2b_base64(payload)
