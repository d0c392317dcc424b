"""Sizes as DynamoDB counts them.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

from typing import Any

__all__ = ["MAX_ITEM_BYTES", "item_size", "nesting"]

MAX_ITEM_BYTES = 409_600


def item_size(wire: dict[str, Any]) -> int:
    """The size in bytes of an item whose binary is ``bytes``."""
    return sum(len(name.encode()) + _value_size(value) for name, value in wire.items())


def _value_size(wire: dict[str, Any]) -> int:
    ((tag, payload),) = wire.items()
    if tag == "S":
        return len(payload.encode())
    if tag == "N":
        return _number_size(payload)
    if tag == "B":
        return len(payload)
    if tag in ("BOOL", "NULL"):
        return 1
    if tag == "M":
        return 3 + sum(len(name.encode()) + 1 + _value_size(one) for name, one in payload.items())
    if tag == "L":
        return 3 + sum(1 + _value_size(one) for one in payload)
    if tag == "NS":
        return sum(map(_number_size, payload))
    return sum(len(one if isinstance(one, bytes) else one.encode()) for one in payload)


def _number_size(text: str) -> int:
    mantissa, _, exponent = text.lstrip("+-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = whole + fraction
    significant = digits.lstrip("0")
    point = len(whole) - (len(digits) - len(significant)) + int(exponent or 0)
    significant = significant.rstrip("0")
    if not significant:
        return 1
    before = min(max(point, 0), len(significant))
    after = len(significant) - before
    return 1 + (before + 1) // 2 + (after + 1) // 2 + text.startswith("-")


def nesting(wire: dict[str, Any]) -> int:
    """How many levels of maps and lists a value has."""
    ((tag, payload),) = wire.items()
    if tag == "M":
        return 1 + max(map(nesting, payload.values()), default=0)
    if tag == "L":
        return 1 + max(map(nesting, payload), default=0)
    return 0
