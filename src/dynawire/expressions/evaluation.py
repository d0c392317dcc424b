"""Whether a condition holds of an item, found out here: GetItem has no filter, and a Query's may not look at its key.

The rules are DynamoDB's: a comparison with what is not there or has another type is false, ``<>`` is then true; numbers
are exact, sets have no order, text is ordered by its UTF-8 bytes (Python orders it by code points, which is the same).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from ..errors import ExpressionError
from ..mapping.value_codec import WireValue
from .comparing import Size
from .compiler import check_owner
from .conditions import Comparison, Condition, Junction, Negation
from .operands import Value
from .paths import Path

__all__ = ["Test", "check_owners", "condition_test", "ordering"]

Item = Mapping[str, WireValue]
Test = Callable[[Item], bool]
_Getter = Callable[[Item], Any]

_ORDERED = frozenset({"S", "N", "B"})
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def condition_test(condition: Condition) -> Test:
    """A function that says whether the condition holds of an item.

    The item is one of a request, whose binary is ``bytes``, or of a response, whose binary is base64 text.
    """
    try:
        return _test(condition)
    except RecursionError:
        raise ExpressionError("the condition is nested too deeply") from None


def check_owners(condition: Condition, owner: type[Any]) -> None:
    """Refuse a condition that looks at an attribute of another class.

    Raises:
        ExpressionError: it does.
    """
    for path in condition.paths():
        check_owner(path, owner)


def ordering(wire: WireValue) -> Any:
    """What S, N and B values are ordered by: of two values of one type, these compare as DynamoDB compares them."""
    return _plain(wire)[1]


def _test(condition: Condition) -> Test:
    if isinstance(condition, Comparison):
        return _comparison(condition)
    if isinstance(condition, Negation):
        inner = _test(condition.condition)
        return lambda item: not inner(item)
    assert isinstance(condition, Junction)
    parts = [_test(part) for part in condition.conditions]
    if condition.operator == "AND":
        return lambda item: all(part(item) for part in parts)
    return lambda item: any(part(item) for part in parts)


def _comparison(comparison: Comparison) -> Test:
    get = _size_of(comparison.path) if comparison.sized else _plain_at(comparison.path)
    kind = comparison.operator
    if kind == "attribute_exists":
        return lambda item: get(item) is not None
    if kind == "attribute_not_exists":
        return lambda item: get(item) is None
    operands = [_operand(one) for one in comparison.operands]
    if kind == "IN":
        return lambda item: (found := get(item)) is not None and any(found == choice(item) for choice in operands)
    other = operands[0]
    if kind == "=":
        return lambda item: (found := get(item)) is not None and found == other(item)
    if kind == "<>":
        return lambda item: (found := get(item)) is None or found != other(item)
    if kind == "BETWEEN":
        top = operands[1]
        return lambda item: (
            _in_order(operator.le, other(item), found := get(item)) and _in_order(operator.le, found, top(item))
        )
    if kind in _ORDERS:
        order = _ORDERS[kind]
        return lambda item: _in_order(order, get(item), other(item))
    if kind == "attribute_type":
        return lambda item: (found := get(item)) is not None and ("S", found[0]) == other(item)
    test = {"begins_with": _begins_with, "contains": _contains}[kind]
    return lambda item: (found := get(item)) is not None and (part := other(item)) is not None and test(found, part)


def _operand(operand: Value | Path[Any] | Size) -> _Getter:
    if isinstance(operand, Value):
        constant = _plain(operand.wire)
        return lambda item: constant
    return _size_of(operand.path) if isinstance(operand, Size) else _plain_at(operand)


def _at(path: Path[Any]) -> _Getter:
    name, steps = str(path._steps[0]), path._steps[1:]
    if not steps:
        return lambda item: item.get(name)

    def find(item: Item) -> Any:
        wire: Any = item.get(name)
        for step in steps:
            if wire is None:
                return None
            if isinstance(step, str):
                wire = wire.get("M", {}).get(step)
            else:
                elements = wire.get("L", ())
                wire = elements[step] if step < len(elements) else None
        return wire

    return find


def _plain_at(path: Path[Any]) -> _Getter:
    find = _at(path)
    return lambda item: None if (wire := find(item)) is None else _plain(wire)


def _size_of(path: Path[Any]) -> _Getter:
    find = _plain_at(path)

    def size(item: Item) -> Any:
        found = find(item)
        if found is None or found[0] in ("N", "BOOL", "NULL"):
            return None
        tag, content = found
        # Text counts in UTF-16 code units.
        return "N", len(content.encode("utf-16-le", "surrogatepass")) // 2 if tag == "S" else len(content)

    return size


def _plain(wire: WireValue) -> tuple[str, Any]:
    """A value in a form in which equal values are equal."""
    ((tag, payload),) = wire.items()
    if tag == "N":
        return tag, _number(payload)
    if tag == "B":
        return tag, _bytes(payload)
    if tag == "L":
        return tag, [_plain(one) for one in payload]
    if tag == "M":
        return tag, {name: _plain(one) for name, one in payload.items()}
    if tag == "NS":
        return tag, frozenset(map(_number, payload))
    if tag == "BS":
        return tag, frozenset(map(_bytes, payload))
    if tag == "SS":
        return tag, frozenset(payload)
    return tag, payload


def _number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        from decimal import Decimal

        return Decimal(text)  # exact: only arithmetic rounds


def _bytes(payload: bytes | str) -> bytes:
    if isinstance(payload, bytes):
        return payload
    from binascii import a2b_base64

    return a2b_base64(payload)


def _in_order(order: Callable[[Any, Any], bool], low: Any, high: Any) -> bool:
    if low is None or high is None or low[0] != high[0] or low[0] not in _ORDERED:
        return False
    return order(low[1], high[1])


def _begins_with(found: tuple[str, Any], prefix: tuple[str, Any]) -> bool:
    return found[0] == prefix[0] and found[0] in ("S", "B") and found[1].startswith(prefix[1])


def _contains(found: tuple[str, Any], wanted: tuple[str, Any]) -> bool:
    tag, content = found
    if tag == "L":
        return wanted in content
    if tag in ("S", "B"):
        return wanted[0] == tag and wanted[1] in content
    return tag in ("SS", "NS", "BS") and wanted[0] == tag[0] and wanted[1] in content
