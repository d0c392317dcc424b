"""DynamoDB's attribute values as its JSON carries them: one check that also measures, equality, key bytes.

A value is a dict of one member, ``{"S": "x"}``, as ``msgspec.json.decode`` gives it. :func:`check_value` makes it
canonical (numbers, Base64 text), so that afterwards equal scalars have equal text.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Any, Final, NoReturn

from dynawire.engines.embedded.numbers import (
    SMALL_NUMBERS,
    canonical_number,
    compare_numbers,
    encode_number,
    number_size,
)
from dynawire.errors import service_error

__all__ = [
    "MAX_ITEM_SIZE",
    "MAX_NAME_SIZE",
    "MAX_NESTING",
    "TYPE_NAMES",
    "Item",
    "Value",
    "check_item",
    "check_value",
    "compare_values",
    "decode_binary",
    "encode_key_value",
    "item_size",
    "type_of",
    "value_size",
    "values_equal",
]

TYPE_NAMES: Final = ("B", "NULL", "SS", "BOOL", "L", "BS", "N", "NS", "S", "M")

Value = dict[str, Any]
"""An attribute value: one member, its name the type."""

Item = dict[str, Value]
"""Attribute values by attribute name."""

MAX_ITEM_SIZE: Final = 409_600
"""Bytes an item may have."""

MAX_NAME_SIZE: Final = 65_535
"""Bytes an attribute name may have."""

MAX_NESTING: Final = 31
"""How many maps and lists may stand inside each other as one attribute; the item is the thirty-second level."""


def check_item(item: Item) -> int:
    """Validate a whole item, make its values canonical in place, and return its size in bytes.

    Raises:
        ServiceError: ``SerializationException`` where the JSON is of another shape, ``ValidationException`` where a
            value or name breaks a rule. The 400 KB limit is the caller's to check: operations word it differently.
    """
    if type(item) is not dict:
        _refuse_shape(item)
    return _check_members(item, 0)


def _check_members(item: Item, depth: int) -> int:
    size = 0
    for name, value in item.items():
        length = len(name) if name.isascii() else len(name.encode())
        if not 0 < length <= MAX_NAME_SIZE:
            _refuse_name(name)
        size += length
        # The commonest types without a call.
        if type(value) is dict and len(value) == 1:
            if "S" in value:
                text = value["S"]
                if type(text) is str:
                    size += len(text) if text.isascii() else len(text.encode())
                    continue
            elif "N" in value:
                text = value["N"]
                if type(text) is str:
                    small = SMALL_NUMBERS.get(text)
                    if small is None:
                        value["N"] = text = canonical_number(text)
                        small = number_size(text)
                    size += small
                    continue
        size += check_value(value, depth)
    return size


def check_value(value: Value, depth: int = 0) -> int:
    """The same for one attribute value.

    Args:
        value: the attribute value.
        depth: how many maps and lists it stands in.
    """
    if type(value) is not dict or len(value) != 1:
        _reduce_to_one(value)
    ((tag, content),) = value.items()
    check = _CHECKS.get(tag)
    if check is None:
        _refuse(_EMPTY)
    return check(value, content, depth)


def item_size(item: Item) -> int:
    """The size in bytes DynamoDB counts for a checked item."""
    size = 0
    for name, value in item.items():
        size += (len(name) if name.isascii() else len(name.encode())) + value_size(value)
    return size


def value_size(value: Value) -> int:
    """The size in bytes DynamoDB counts for a checked attribute value."""
    for tag, content in value.items():
        if tag == "S":
            return _text_size(content)
        if tag == "N":
            return number_size(content)
        if tag == "M":
            return 3 + sum(_text_size(name) + 1 + value_size(member) for name, member in content.items())
        if tag == "L":
            return 3 + sum(1 + value_size(member) for member in content)
        if tag == "B":
            return _binary_size(content)
        if tag == "SS":
            return sum(map(_text_size, content))
        if tag == "NS":
            return sum(map(number_size, content))
        if tag == "BS":
            return sum(map(_binary_size, content))
    return 1


def encode_key_value(value: Value) -> bytes:
    """The bytes of a checked key attribute value: within one type they order as DynamoDB orders the values."""
    ((tag, content),) = value.items()
    if tag == "S":
        encoded: bytes = content.encode()
        return encoded
    if tag == "N":
        return encode_number(content)
    if tag == "B":
        return a2b_base64(content)
    raise service_error("ValidationException", _INVALID + "a key attribute is of type S, N or B")


def values_equal(a: Value, b: Value) -> bool:
    """Whether two checked values are equal as DynamoDB has it: of one type, sets without order, numbers by value."""
    if a == b:
        return True
    for tag, content in a.items():
        other = b.get(tag)
        if other is None or tag not in _CONTAINERS or len(content) != len(other):
            return False
        if tag == "M":
            for name, member in content.items():
                counterpart = other.get(name)
                if counterpart is None or not values_equal(member, counterpart):
                    return False
            return True
        if tag == "L":
            return all(map(values_equal, content, other))
        return set(content) == set(other)
    return False


def compare_values(a: Value, b: Value) -> int | None:
    """Negative, zero or positive as ``a`` is less than, equal to or greater than ``b``; None when they have no order.

    Only two strings (by UTF-8), two numbers or two binaries (by unsigned bytes) have one.
    """
    for tag, content in a.items():
        other = b.get(tag)
        if other is None:
            return None
        if tag == "N":
            return compare_numbers(content, other)
        if tag == "B":
            content, other = a2b_base64(content), a2b_base64(other)
        elif tag != "S":
            return None
        # Python orders text by code point, which is the order of its UTF-8.
        return 0 if content == other else -1 if content < other else 1
    return None


def type_of(value: Value) -> str:
    """The type of a checked value, as DynamoDB abbreviates it: ``"S"``, ``"NS"`` and so on."""
    return next(iter(value))


def decode_binary(text: str) -> bytes:
    """The bytes of a checked Base64 text."""
    return a2b_base64(text)


_EMPTY = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
_TWO = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
_INVALID = "One or more parameter values were invalid: "
_CONTAINERS = frozenset({"M", "L", "SS", "NS", "BS"})


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _binary_size(text: str) -> int:
    return len(text) // 4 * 3 - text.endswith("=") - text.endswith("==")


def _check_string(value: Value, content: Any, depth: int) -> int:
    if type(content) is not str:
        _refuse_shape(content, "String")
    return len(content) if content.isascii() else len(content.encode())


def _check_number(value: Value, content: Any, depth: int) -> int:
    if type(content) is not str:
        _refuse_shape(content, "String")
    small = SMALL_NUMBERS.get(content)
    if small is not None:
        return small
    value["N"] = text = canonical_number(content)
    return number_size(text)


def _check_binary(value: Value, content: Any, depth: int) -> int:
    value["B"] = text = _canonical_binary(content)
    return _binary_size(text)


def _check_bool(value: Value, content: Any, depth: int) -> int:
    if type(content) is not bool:
        _refuse_shape(content, "Boolean")
    return 1


def _check_null(value: Value, content: Any, depth: int) -> int:
    if type(content) is not bool:
        _refuse_shape(content, "Boolean")
    if not content:
        _refuse(_INVALID + "Null attribute value types must have the value of true")
    return 1


def _check_map(value: Value, content: Any, depth: int) -> int:
    if type(content) is not dict:
        _refuse_shape(content, "Map")
    depth += 1
    if depth > MAX_NESTING:
        _refuse_nesting()
    return 3 + len(content) + _check_members(content, depth)


def _check_list(value: Value, content: Any, depth: int) -> int:
    if type(content) is not list:
        _refuse_shape(content, "List")
    depth += 1
    if depth > MAX_NESTING:
        _refuse_nesting()
    size = 3 + len(content)
    for member in content:
        if type(member) is dict and len(member) == 1 and "N" in member and type(member["N"]) is str:
            size += _check_number(member, member["N"], depth)
        else:
            size += check_value(member, depth)
    return size


def _check_string_set(value: Value, content: Any, depth: int) -> int:
    _check_set(content)
    if not content:
        _refuse(_INVALID + "An string set  may not be empty")
    if len(set(content)) != len(content):
        _refuse(_INVALID + "Input collection contains duplicates")
    return sum(map(_text_size, content))


def _check_number_set(value: Value, content: Any, depth: int) -> int:
    _check_set(content)
    if not content:
        _refuse(_INVALID + "An number set  may not be empty")
    value["NS"] = numbers = [canonical_number(text) for text in content]
    if len(set(numbers)) != len(numbers):
        _refuse("Input collection contains duplicates")
    return sum(map(number_size, numbers))


def _check_binary_set(value: Value, content: Any, depth: int) -> int:
    _check_set(content)
    if not content:
        _refuse(_INVALID + "Binary sets should not be empty")
    value["BS"] = binaries = [_canonical_binary(text) for text in content]
    if len(set(binaries)) != len(binaries):
        _refuse(_INVALID + "Input collection of type BS contains duplicates.")
    return sum(map(_binary_size, binaries))


_CHECKS: dict[str, Callable[[Value, Any, int], int]] = {
    "S": _check_string,
    "N": _check_number,
    "B": _check_binary,
    "BOOL": _check_bool,
    "NULL": _check_null,
    "M": _check_map,
    "L": _check_list,
    "SS": _check_string_set,
    "NS": _check_number_set,
    "BS": _check_binary_set,
}


def _check_set(content: Any) -> None:
    if type(content) is not list:
        _refuse_shape(content, "List")
    for member in content:
        if type(member) is not str:
            if member is None:
                _refuse(_INVALID + "An string set may not have a null string as a member")
            _refuse_shape(member, "String")


def _canonical_binary(text: Any) -> str:
    """Base64 text with nothing in it that decoding ignores: equal bytes, equal text."""
    if type(text) is not str:
        _refuse_shape(text, "Blob")
    try:
        data = a2b_base64(text, strict_mode=True)
    except (Base64Error, ValueError):
        raise service_error(
            "SerializationException", "Base64 text cannot be decoded: its length, alphabet or padding is wrong"
        ) from None
    return b2a_base64(data, newline=False).decode("ascii")


def _reduce_to_one(value: Any) -> None:
    """Leave the one member that counts: the service ignores those it does not know and those that are null."""
    if type(value) is not dict:
        _refuse_shape(value)
    known = [(tag, content) for tag, content in value.items() if tag in _CHECKS and content is not None]
    if not known:
        _refuse(_EMPTY)
    if len(known) > 1:
        _refuse(_TWO)
    value.clear()
    value.update(known)


def _refuse_shape(found: Any, expected: str = "") -> NoReturn:
    """Refuse JSON of a shape that the protocol does not have at this place."""
    if found is None:
        _refuse(_EMPTY)
    if type(found) is list:
        message = (
            "Start of list found where not expected" if expected else "Unexpected list, expected an AttributeValue"
        )
    elif type(found) is dict:
        message = "Start of structure or map found where not expected"
    elif not expected or expected in ("Map", "List"):
        message = "Unexpected value type in payload"
    else:
        kind = {bool: "TRUE_VALUE" if found is True else "FALSE_VALUE", str: "STRING_VALUE"}.get(
            type(found), "NUMBER_VALUE"
        )
        message = f"{kind} cannot be converted to {expected}"
    raise service_error("SerializationException", message)


def _refuse_name(name: str) -> NoReturn:
    if not name:
        _refuse("Empty attribute name")
    _refuse(f"{_INVALID}Attribute name is too large, must be less than {MAX_NAME_SIZE + 1} bytes")


def _refuse_nesting() -> NoReturn:
    _refuse(
        "Nesting Levels have exceeded supported limits: "
        "Attributes in the item have nested levels beyond supported limit"
    )


def _refuse(message: str) -> NoReturn:
    raise service_error("ValidationException", message)
