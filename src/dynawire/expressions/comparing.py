"""How comparisons are written, of a path and of the size of what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

import msgspec

from ..errors import ExpressionError, ValidationError
from ..mapping.value_codec import ALL_TAGS, WireValue
from .conditions import Comparison, Condition, Junction
from .operands import Comparand, Expression, Value, called, constant, described, misplaced
from .placeholders import wire_key

if TYPE_CHECKING:
    from decimal import Decimal

    from .paths import Path

    _Decimals = int | Decimal | Comparand[int | Decimal | None]

__all__ = ["MAX_IN", "Comparable", "Size", "in_order", "other_operand", "refuse_itself"]

T = TypeVar("T")

MAX_IN = 100
"""Operands DynamoDB takes in one IN."""

_ORDERED = frozenset({"S", "N", "B"})
_WITHOUT_NULL = ALL_TAGS - {"NULL"}


class Comparable(Comparand[T], Generic[T]):
    """What compares with values: ``== != < <= > >=``, ``between``, ``in_``.

    A comparison with an attribute that an item does not have is false, except ``!=``, which is true.

    ``path == None`` is true when the attribute is missing or NULL, for both read as None; ``path != None`` when it is
    there and not NULL. With ``in_``, None stands for the same. To tell missing from NULL, write ``path.not_exists()``
    or ``path.is_type(None)``.

    Values go through the attribute's codec, yet its limits (``ge=``, ``pattern=`` …) do not apply: what is compared
    with need not be a value the attribute may have.
    """

    __slots__ = ()

    @overload  # type: ignore[override]
    def __eq__(self: Comparand[Decimal | None], other: _Decimals) -> Condition: ...
    @overload
    def __eq__(self, other: T | Comparand[T | None]) -> Condition: ...
    def __eq__(self: Any, other: Any) -> Condition:  # pyright: ignore[reportIncompatibleMethodOverride]
        if other is None:
            return _is_none(self)
        return _compare(self, "=", other)

    @overload  # type: ignore[override]
    def __ne__(self: Comparand[Decimal | None], other: _Decimals) -> Condition: ...
    @overload
    def __ne__(self, other: T | Comparand[T | None]) -> Condition: ...
    def __ne__(self: Any, other: Any) -> Condition:  # pyright: ignore[reportIncompatibleMethodOverride]
        if other is None:
            return _is_not_none(self)
        return _compare(self, "<>", other)

    __hash__ = object.__hash__

    @overload
    def __lt__(self: Comparand[Decimal | None], other: _Decimals) -> Condition: ...
    @overload
    def __lt__(self, other: T | Comparand[T | None]) -> Condition: ...
    def __lt__(self: Any, other: Any) -> Condition:
        return _compare_order(self, "<", other)

    @overload
    def __le__(self: Comparand[Decimal | None], other: _Decimals) -> Condition: ...
    @overload
    def __le__(self, other: T | Comparand[T | None]) -> Condition: ...
    def __le__(self: Any, other: Any) -> Condition:
        return _compare_order(self, "<=", other)

    @overload
    def __gt__(self: Comparand[Decimal | None], other: _Decimals) -> Condition: ...
    @overload
    def __gt__(self, other: T | Comparand[T | None]) -> Condition: ...
    def __gt__(self: Any, other: Any) -> Condition:
        return _compare_order(self, ">", other)

    @overload
    def __ge__(self: Comparand[Decimal | None], other: _Decimals) -> Condition: ...
    @overload
    def __ge__(self, other: T | Comparand[T | None]) -> Condition: ...
    def __ge__(self: Any, other: Any) -> Condition:
        return _compare_order(self, ">=", other)

    @overload
    def between(self: Comparand[Decimal | None], low: _Decimals, high: _Decimals) -> Condition: ...
    @overload
    def between(self, low: T | Comparand[T | None], high: T | Comparand[T | None]) -> Condition: ...
    def between(self: Any, low: Any, high: Any) -> Condition:
        """True when ``low <= path <= high``: DynamoDB's BETWEEN, both ends included.

        Raises:
            ExpressionError: ``low`` is above ``high``, or they have no order.
        """
        return _between(self, low, high)

    @overload
    def in_(self: Comparand[Decimal | None], values: Iterable[_Decimals | None]) -> Condition: ...
    @overload
    def in_(self, values: Iterable[T | Comparand[T | None]]) -> Condition: ...
    def in_(self: Any, values: Any) -> Condition:
        """True when it equals one of the values: DynamoDB's IN. None among them stands for a missing attribute.

        Args:
            values: 1 to 100 different values.

        Raises:
            ExpressionError: there is no value, or there are more than 100.
        """
        return _in(self, values)


class _SizeCodec:
    """How a size is written: a whole number from 0."""

    tags = frozenset({"N"})

    def encode(self, value: Any) -> WireValue:
        if type(value) is not int or value < 0:
            raise ValidationError("a size is a whole number, 0 or more")
        return {"N": str(value)}

    def describe(self) -> str:
        return "int"


class Size(Comparable[int], msgspec.Struct, frozen=True, eq=False):
    """The size of what a path holds, made by ``path.size()``. It never changes.

    Attributes:
        path: the path whose value is measured.
    """

    path: Path[Any]

    _codec: ClassVar[_SizeCodec] = _SizeCodec()
    _operand_codec: ClassVar[_SizeCodec] = _codec

    @property
    def _owner(self) -> type[Any] | None:
        """The class the path belongs to."""
        return self.path._owner

    @property
    def _label(self) -> str:
        """Its name in messages."""
        return f"{self.path._label}.size()"

    def __repr__(self) -> str:
        return f"<{called(self)}>"


def _comparison(left: Any, operator: str, operands: tuple[Any, ...]) -> Comparison:
    if isinstance(left, Size):
        return Comparison(operator, left.path, operands, True)
    return Comparison(operator, left, operands)


def _compare(left: Any, operator: str, other: Any) -> Comparison:
    right = other_operand(left, operator, other) if isinstance(other, Expression) else constant(left, other)
    return _comparison(left, operator, (right,))


def _compare_order(left: Any, operator: str, other: Any) -> Comparison:
    _require_order(left, operator)
    return _comparison(left, operator, (_ordered(left, operator, other),))


def _require_order(left: Any, operator: str) -> None:
    if left._codec.tags.isdisjoint(_ORDERED):
        raise ExpressionError(f"{described(left)}: {operator} works on text, numbers and binary only")


def _ordered(left: Any, operator: str, other: Any) -> Any:
    """The right side of a comparison that needs an order."""
    if isinstance(other, Expression):
        right = other_operand(left, operator, other)
        _require_order(right, operator)
        return right
    if other is None:
        raise ExpressionError(
            f"{called(left)}: None has no order, so {operator} cannot compare with it; write == None or .not_exists()"
        )
    value = constant(left, other)
    if _ORDERED.isdisjoint(value.wire):
        kind = type(other).__name__
        raise ExpressionError(f"{called(left)}: {operator} compares text, numbers and binary only, not {kind}")
    return value


def _between(left: Any, low: Any, high: Any) -> Comparison:
    _require_order(left, "between")
    bottom, top = _ordered(left, "between", low), _ordered(left, "between", high)
    if isinstance(bottom, Value) and isinstance(top, Value):
        if bottom.wire.keys() != top.wire.keys():
            raise ExpressionError(f"{called(left)}: between needs two bounds of one type")
        if not in_order(bottom.wire, top.wire):
            raise ExpressionError(f"{called(left)}: between(low, high) has low above high; exchange them")
    return _comparison(left, "BETWEEN", (bottom, top))


def in_order(low: WireValue, high: WireValue) -> bool:
    """Whether ``low <= high`` for two wire values of one type, S, N or B, as DynamoDB orders them."""
    ((tag, bottom),), ((_, top),) = low.items(), high.items()
    if tag == "N":
        from decimal import Decimal

        bottom, top = Decimal(bottom), Decimal(top)
    # DynamoDB orders text by its UTF-8 bytes, which is Python's order by code points.
    return bool(bottom <= top)


def _in(left: Any, values: Any) -> Condition:
    if isinstance(values, (str, bytes, Expression)):
        kind = type(values).__name__
        raise ExpressionError(
            f"{called(left)}: in_ takes a list of values, not a {kind}; "
            + (
                "write other.contains(path) to look into a list"
                if isinstance(values, Expression)
                else "write in_([...])"
            )
        )
    operands: list[Any] = []
    with_none = False
    seen: set[Any] = set()
    for value in values:
        if value is None:
            with_none = True
        elif isinstance(value, Expression):
            operands.append(other_operand(left, "in_", value))
        else:
            operand = constant(left, value)
            key = wire_key(operand.wire)
            if key is None or key not in seen:
                seen.add(key)
                operands.append(operand)
    if isinstance(values, (set, frozenset)):
        # Equal sets give equal requests in every process, so that a cursor belongs to the query in each of them.
        operands.sort(key=lambda operand: repr(getattr(operand, "wire", operand)))
    if len(operands) > MAX_IN:
        raise ExpressionError(
            f"{called(left)}: in_ has {len(operands)} values, and DynamoDB takes at most {MAX_IN}; "
            "split them over several requests, or get items by their keys in a batch"
        )
    if operands:
        found: Condition = _comparison(left, "IN", tuple(operands))
        return found | _is_none(left) if with_none else found
    if with_none:
        return _is_none(left)
    raise ExpressionError(f"{called(left)}: in_ has no value, so nothing could match; leave the request out")


def other_operand(left: Any, operator: str, other: Expression) -> Any:
    """A path or size to compare with."""
    if not isinstance(other, Comparable):
        raise misplaced(left, operator, other)
    right: Any = other
    refuse_itself(left, operator, right)
    if (left._codec.tags & right._codec.tags).isdisjoint(_WITHOUT_NULL):
        raise ExpressionError(
            f"{described(left)} and {described(right)}: values of different types are never equal and have no order"
        )
    return right


def refuse_itself(left: Any, operator: str, right: Any) -> None:
    """Refuse a path as both operands, as DynamoDB does. The same size() twice is fine."""
    if not isinstance(left, Size) and not isinstance(right, Size) and left._steps == right._steps:
        raise ExpressionError(f"{called(left)}: {operator} compares it with itself")


def _is_none(left: Any) -> Condition:
    """What reads as None: an attribute that is not there, or NULL."""
    if isinstance(left, Size):
        raise ExpressionError(f"{called(left)}: a size is a number; write {left.path._label} == None or .not_exists()")
    return Junction("OR", (Comparison("attribute_not_exists", left, ()), Comparison("=", left, (_null(),))))


def _is_not_none(left: Any) -> Condition:
    if isinstance(left, Size):
        raise ExpressionError(f"{called(left)}: a size is a number; write {left.path._label} != None or .exists()")
    # Of a missing attribute <> is true, so its existence is asked for as well.
    return Junction("AND", (Comparison("attribute_exists", left, ()), Comparison("<>", left, (_null(),))))


def _null() -> Value:
    return Value(None, {"NULL": True})
