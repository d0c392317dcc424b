"""How conditions are written: the operators and methods of a path, and of the size of what it holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

import msgspec

from ..errors import ExpressionError, ValidationError
from ..mapping.value_codec import ALL_TAGS, WireValue
from .conditions import Comparison, Condition, Junction, any_of
from .operands import SET_TAGS, Comparand, Expression, Value, called, constant, described, encoded, misplaced, unfit
from .placeholders import wire_key

if TYPE_CHECKING:
    from .paths import Path

__all__ = ["MAX_IN", "Comparable", "Size", "Testable", "in_order"]

T = TypeVar("T")
U = TypeVar("U")

MAX_IN = 100
"""Operands DynamoDB takes in one IN."""

_ORDERED = frozenset({"S", "N", "B"})
_PREFIXED = frozenset({"S", "B"})
_SIZED = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})
_CONTAINING = _SIZED - {"M"}
_WITHOUT_NULL = ALL_TAGS - {"NULL"}

_EXISTS = "attribute_exists"
_NOT_EXISTS = "attribute_not_exists"


class Comparable(Comparand[T], Generic[T]):
    """What compares with values: ``== != < <= > >=``, ``between``, ``in_``.

    A comparison with an attribute that an item does not have is false, except ``!=``, which is true.
    """

    __slots__ = ()

    def __eq__(self, other: T | Comparand[T | None]) -> Condition:  # type: ignore[override]
        if other is None:
            return _is_none(self)
        return _compare(self, "=", other)

    def __ne__(self, other: T | Comparand[T | None]) -> Condition:  # type: ignore[override]
        if other is None:
            return _is_not_none(self)
        return _compare(self, "<>", other)

    __hash__ = object.__hash__

    def __lt__(self, other: T | Comparand[T | None]) -> Condition:
        return _compare_order(self, "<", other)

    def __le__(self, other: T | Comparand[T | None]) -> Condition:
        return _compare_order(self, "<=", other)

    def __gt__(self, other: T | Comparand[T | None]) -> Condition:
        return _compare_order(self, ">", other)

    def __ge__(self, other: T | Comparand[T | None]) -> Condition:
        return _compare_order(self, ">=", other)

    def between(self, low: T | Comparand[T | None], high: T | Comparand[T | None]) -> Condition:
        """True when ``low <= path <= high``: DynamoDB's BETWEEN, both ends included.

        Raises:
            ExpressionError: ``low`` is above ``high``, or they have no order.
        """
        return _between(self, low, high)

    def in_(self, values: Iterable[T | Comparand[T | None]]) -> Condition:
        """True when it equals one of the values: DynamoDB's IN. None among them stands for a missing attribute.

        Args:
            values: 1 to 100 different values.

        Raises:
            ExpressionError: there is no value, or there are more than 100.
        """
        return _in(self, values)


class Testable(Comparable[T], Generic[T]):
    """What only a path can be asked: DynamoDB's functions of a condition."""

    __slots__ = ()

    @overload
    def begins_with(self: Comparand[str | None], prefix: str | Comparand[str | None]) -> Condition: ...
    @overload
    def begins_with(self: Comparand[bytes | None], prefix: bytes | Comparand[bytes | None]) -> Condition: ...
    def begins_with(self: Any, prefix: Any) -> Condition:
        """True when the text or binary starts with this: DynamoDB's begins_with.

        Of a date, an UUID or an Enum it is the stored text that is tested.
        """
        if self.codec.tags.isdisjoint(_PREFIXED):
            raise ExpressionError(f"{described(self)}: begins_with works on text and binary only")
        if isinstance(prefix, Expression):
            return Comparison("begins_with", self, (_other(self, "begins_with", prefix),))
        wire = _part(self, prefix)
        if wire is None:
            raise unfit(self, f"begins_with takes a str for text and bytes for binary, not {type(prefix).__name__}")
        return Comparison("begins_with", self, (Value(prefix, wire),))

    @overload
    def contains(self: Comparand[str | None], value: str | Comparand[str | None]) -> Condition: ...
    @overload
    def contains(self: Comparand[bytes | None], value: bytes | Comparand[bytes | None]) -> Condition: ...
    @overload
    def contains(self: Testable[list[U]], value: U | Comparand[U | None]) -> Condition: ...
    @overload
    def contains(self: Testable[list[U] | None], value: U | Comparand[U | None]) -> Condition: ...
    @overload
    def contains(self: Testable[tuple[U, ...]], value: U | Comparand[U | None]) -> Condition: ...
    @overload
    def contains(self: Testable[tuple[U, ...] | None], value: U | Comparand[U | None]) -> Condition: ...
    @overload
    def contains(self: Testable[set[U]], value: U | Comparand[U | None]) -> Condition: ...
    @overload
    def contains(self: Testable[set[U] | None], value: U | Comparand[U | None]) -> Condition: ...
    @overload
    def contains(self: Testable[frozenset[U]], value: U | Comparand[U | None]) -> Condition: ...
    @overload
    def contains(self: Testable[frozenset[U] | None], value: U | Comparand[U | None]) -> Condition: ...
    def contains(self: Any, value: Any) -> Condition:
        """True when the text or binary has this part, or the list or set has this member: DynamoDB's contains."""
        tags = self.codec.tags
        if tags.isdisjoint(_CONTAINING):
            raise ExpressionError(f"{described(self)}: contains works on text, binary, lists and sets only")
        if isinstance(value, Expression):
            if not isinstance(value, Comparable):
                raise misplaced(self, "contains", value)
            _refuse_itself(self, "contains", value)
            return Comparison("contains", self, (_operand(value),))
        wire = _part(self, value)
        if wire is None:
            wire = _member(self, value)
        return Comparison("contains", self, (Value(value, wire),))

    def exists(self) -> Condition:
        """True when the item has this attribute, even with the value NULL: DynamoDB's attribute_exists."""
        return Comparison(_EXISTS, _path(self), ())

    def not_exists(self) -> Condition:
        """True when the item does not have this attribute: DynamoDB's attribute_not_exists."""
        return Comparison(_NOT_EXISTS, _path(self), ())

    def is_type(self, kind: str | type[Any] | None) -> Condition:
        """True when the stored value has this type: DynamoDB's attribute_type.

        Args:
            kind: DynamoDB's descriptor (``"S"``, ``"NS"`` …), or a Python type: str, int, float, Decimal, bool, bytes,
                list, tuple, dict, set, frozenset, None.

        Raises:
            ExpressionError: it is neither.
        """
        names = _type_names(self, kind)
        return any_of(Comparison("attribute_type", _path(self), (Value(name, {"S": name}),)) for name in names)

    def size(self) -> Size:
        """Its size, to compare with an int or with another path: DynamoDB's size.

        Text counts in UTF-16 code units, as DynamoDB does: 1 for most characters, 2 for an emoji. Binary counts in
        bytes; lists, maps and sets in members.
        """
        path = _path(self)
        if path.codec.tags.isdisjoint(_SIZED):
            raise ExpressionError(f"{described(path)}: only text, binary, lists, maps and sets have a size")
        return Size(path)


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
    """The size of what a path holds, made by :meth:`Testable.size`. It never changes.

    Attributes:
        path: the path whose value is measured.
    """

    path: Path[Any]

    codec: ClassVar[_SizeCodec] = _SizeCodec()
    operand_codec: ClassVar[_SizeCodec] = codec

    @property
    def owner(self) -> type[Any] | None:
        """The class the path belongs to."""
        return self.path.owner

    @property
    def label(self) -> str:
        """Its name in messages."""
        return f"{self.path.label}.size()"

    def __repr__(self) -> str:
        return f"<{called(self)}>"


def _path(path: Any) -> Path[Any]:
    return path  # type: ignore[no-any-return]


def _operand(operand: Any) -> Path[Any] | Size:
    return operand  # type: ignore[no-any-return]


def _comparison(left: Any, operator: str, operands: tuple[Any, ...]) -> Comparison:
    if isinstance(left, Size):
        return Comparison(operator, left.path, operands, True)
    return Comparison(operator, left, operands)


def _compare(left: Any, operator: str, other: Any) -> Comparison:
    right = _other(left, operator, other) if isinstance(other, Expression) else constant(left, other)
    return _comparison(left, operator, (right,))


def _compare_order(left: Any, operator: str, other: Any) -> Comparison:
    _require_order(left, operator)
    return _comparison(left, operator, (_ordered(left, operator, other),))


def _require_order(left: Any, operator: str) -> None:
    if left.codec.tags.isdisjoint(_ORDERED):
        raise ExpressionError(f"{described(left)}: {operator} works on text, numbers and binary only")


def _ordered(left: Any, operator: str, other: Any) -> Any:
    """The right side of a comparison that needs an order."""
    if isinstance(other, Expression):
        right = _other(left, operator, other)
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
            operands.append(_other(left, "in_", value))
        else:
            operand = constant(left, value)
            key = wire_key(operand.wire)
            if key is None or key not in seen:
                seen.add(key)
                operands.append(operand)
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


def _other(left: Any, operator: str, other: Expression) -> Any:
    """A path or size to compare with."""
    if not isinstance(other, Comparable):
        raise misplaced(left, operator, other)
    right: Any = other
    _refuse_itself(left, operator, right)
    if (left.codec.tags & right.codec.tags).isdisjoint(_WITHOUT_NULL):
        raise ExpressionError(
            f"{described(left)} and {described(right)}: values of different types are never equal and have no order"
        )
    return right


def _refuse_itself(left: Any, operator: str, right: Any) -> None:
    # DynamoDB refuses a path as both operands, yet takes the same size() twice.
    if not isinstance(left, Size) and not isinstance(right, Size) and left.steps == right.steps:
        raise ExpressionError(f"{called(left)}: {operator} compares it with itself")


def _is_none(left: Any) -> Condition:
    """What reads as None: an attribute that is not there, or NULL."""
    if isinstance(left, Size):
        raise ExpressionError(f"{called(left)}: a size is a number; write {left.path.label} == None or .not_exists()")
    return Junction("OR", (Comparison(_NOT_EXISTS, left, ()), Comparison("=", left, (_null(),))))


def _is_not_none(left: Any) -> Condition:
    if isinstance(left, Size):
        raise ExpressionError(f"{called(left)}: a size is a number; write {left.path.label} != None or .exists()")
    # Of a missing attribute <> is true, so its existence is asked for as well.
    return Junction("AND", (Comparison(_EXISTS, left, ()), Comparison("<>", left, (_null(),))))


def _null() -> Value:
    return Value(None, {"NULL": True})


def _part(path: Any, value: Any) -> WireValue | None:
    """The wire form of a piece of text or binary, if that is what is stored and what is given.

    A piece need not be a whole value, so the codec is not asked.
    """
    tags = path.codec.tags
    if isinstance(value, str) and "S" in tags:
        return {"S": str.__str__(value)}
    if isinstance(value, (bytes, bytearray)) and "B" in tags:
        return {"B": bytes(value)}
    return None


def _member(path: Any, value: Any) -> WireValue:
    if path.codec.tags.isdisjoint(SET_TAGS | {"L"}):
        raise unfit(path, f"contains takes a str for text and bytes for binary, not {type(value).__name__}")
    codec = path.codec.element()
    if codec is None:
        raise ExpressionError(
            f"{described(path)}: its elements have no common type; compare one, as in path[0] == value"
        )
    return encoded(path, getattr(codec, "unconstrained", codec), value)


def _type_names(path: Any, kind: Any) -> list[str]:
    if isinstance(kind, str) and kind in ALL_TAGS:
        return [kind]
    if kind is None or kind is type(None):
        return ["NULL"]
    if kind in (set, frozenset):
        return sorted(path.codec.tags & SET_TAGS or SET_TAGS)
    name = kind.__name__ if isinstance(kind, type) else ""
    found = {
        "str": "S",
        "int": "N",
        "float": "N",
        "Decimal": "N",
        "bool": "BOOL",
        "bytes": "B",
        "list": "L",
        "tuple": "L",
        "dict": "M",
    }.get(name)
    if found is None:
        raise ExpressionError(
            f"{called(path)}: is_type takes one of {', '.join(sorted(ALL_TAGS))}, or str, int, float, Decimal, bool, "
            "bytes, list, dict, set, None"
        )
    return [found]
