"""The codec of ``Any``: the value says which DynamoDB type it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..mapping.value_codec import ALL_TAGS
from .base import ENDLESS, MAX_DEPTH, Codec, Problem
from .misfit import Misfit, TooDeep
from .numbers import decimal_text, float_text, int_text
from .source import Scope

__all__ = ["AnyCodec", "decode_any", "encode_any"]


class AnyCodec(Codec):
    """``Any``: text, numbers (int, float, Decimal), bool, None, bytes, list, tuple, dict with str keys, sets of one
    kind.

    Whole numbers come back as int and other numbers as Decimal, which alone is exact; a tuple comes back as a list.
    """

    kinds = (object,)
    depth = ENDLESS

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
        return {"S": value if value.isascii() else _text(value)}
    if kind is bool:
        return {"BOOL": value}
    if kind is int:
        return {"N": int_text(value)}
    if kind is float:
        return {"N": float_text(value)}
    if value is None:
        return {"NULL": True}
    if kind is dict or isinstance(value, dict):
        _check_depth(depth)
        return {"M": {_member_name(name): encode_any(one, depth + 1) for name, one in value.items()}}
    if kind is list or isinstance(value, (list, tuple)):
        _check_depth(depth)
        return {"L": [encode_any(one, depth + 1) for one in value]}
    if isinstance(value, (bytes, bytearray)):
        return {"B": bytes(value)}
    if isinstance(value, (set, frozenset)):
        return _encode_set(value)
    return _encode_other(value)


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise TooDeep(f"is nested deeper than the {MAX_DEPTH} levels DynamoDB takes")


def _text(value: str) -> str:
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Misfit("holds a lone surrogate, which is not valid text") from None
    return text


def _member_name(name: Any) -> str:
    if type(name) is str and name and name.isascii():
        return name
    if not isinstance(name, str):
        raise Misfit(f"has a map key of type {type(name).__name__}; DynamoDB's maps have text keys")
    if not name:
        raise Misfit("has an empty map key; DynamoDB's maps have no member without a name")
    return _text(name)


def _encode_other(value: Any) -> dict[str, Any]:
    # Subclasses of the simple types, and Decimal without importing it for everybody.
    if isinstance(value, str):
        return {"S": _text(value)}
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
    payloads = [wire[tag] for wire in wires]
    if tag == "N" and len({type(one) for one in value}) > 1:
        from decimal import Decimal

        # 0.1 and Decimal("0.1") differ for Python and are one number in DynamoDB.
        if len({Decimal(one) for one in payloads}) != len(payloads):
            raise Misfit("is a set with two members that are stored as the same number")
    return {tag + "S": payloads}


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
    raise Misfit("a value without DynamoDB type")


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
    import binascii

    try:
        return binascii.a2b_base64(payload, strict_mode=True)
    except binascii.Error:
        raise Misfit("binary that is not base64") from None
