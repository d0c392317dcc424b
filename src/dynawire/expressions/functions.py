"""How conditions are written that only a path can be asked: DynamoDB's functions of a condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from ..errors import ExpressionError
from ..mapping.value_codec import ALL_TAGS, WireValue
from .comparing import Comparable, Size, other_operand, refuse_itself
from .conditions import Comparison, Condition, any_of
from .operands import SET_TAGS, Comparand, Expression, Value, called, described, encoded, misplaced, unfit

if TYPE_CHECKING:
    from .paths import Path

__all__ = ["Testable"]

T = TypeVar("T")
U = TypeVar("U")

_PREFIXED = frozenset({"S", "B"})
_SIZED = frozenset({"S", "B", "SS", "NS", "BS", "L", "M"})
_CONTAINING = _SIZED - {"M"}


class Testable(Comparable[T], Generic[T]):
    """What only a path can be asked, not a size."""

    __slots__ = ()

    @overload
    def begins_with(self: Comparand[str | None], prefix: str | Comparand[str | None]) -> Condition: ...
    @overload
    def begins_with(self: Comparand[bytes | None], prefix: bytes | Comparand[bytes | None]) -> Condition: ...
    def begins_with(self: Any, prefix: Any) -> Condition:
        """True when the text or binary starts with this: DynamoDB's begins_with.

        Of a date, an UUID or an Enum it is the stored text that is tested.
        """
        if self._codec.tags.isdisjoint(_PREFIXED):
            raise ExpressionError(f"{described(self)}: begins_with works on text and binary only")
        if isinstance(prefix, Expression):
            other = other_operand(self, "begins_with", prefix)
            if other._codec.tags.isdisjoint(_PREFIXED):
                raise ExpressionError(f"{described(other)}: begins_with takes text or binary only")
            return Comparison("begins_with", self, (other,))
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
        tags = self._codec.tags
        if tags.isdisjoint(_CONTAINING):
            raise ExpressionError(f"{described(self)}: contains works on text, binary, lists and sets only")
        if isinstance(value, Expression):
            if not isinstance(value, Comparable):
                raise misplaced(self, "contains", value)
            refuse_itself(self, "contains", value)
            return Comparison("contains", self, (_operand(value),))
        wire = _part(self, value)
        if wire is None:
            wire = _member(self, value)
        return Comparison("contains", self, (Value(value, wire),))

    def exists(self) -> Condition:
        """True when the item has this attribute, even with the value NULL: DynamoDB's attribute_exists."""
        return Comparison("attribute_exists", _path(self), ())

    def not_exists(self) -> Condition:
        """True when the item does not have this attribute: DynamoDB's attribute_not_exists."""
        return Comparison("attribute_not_exists", _path(self), ())

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
        if path._codec.tags.isdisjoint(_SIZED):
            raise ExpressionError(f"{described(path)}: only text, binary, lists, maps and sets have a size")
        return Size(path)


def _path(path: Any) -> Path[Any]:
    return path  # type: ignore[no-any-return]


def _operand(operand: Any) -> Path[Any] | Size:
    return operand  # type: ignore[no-any-return]


def _part(path: Any, value: Any) -> WireValue | None:
    """The wire form of a piece of text or binary, if that is what is stored and what is given.

    A piece need not be a whole value, so the codec is not asked.
    """
    tags = path._codec.tags
    if isinstance(value, str) and "S" in tags:
        return {"S": str.__str__(value)}
    if isinstance(value, (bytes, bytearray)) and "B" in tags:
        return {"B": bytes(value)}
    return None


def _member(path: Any, value: Any) -> WireValue:
    if path._codec.tags.isdisjoint(SET_TAGS | {"L"}):
        raise unfit(path, f"contains takes a str for text and bytes for binary, not {type(value).__name__}")
    codec = path._codec.element()
    if codec is None:
        raise ExpressionError(
            f"{described(path)}: its elements have no common type; compare it whole, as in path == value"
        )
    return encoded(path, codec.unconstrained, value, "a member")


def _type_names(path: Any, kind: Any) -> list[str]:
    if isinstance(kind, str) and kind in ALL_TAGS:
        return [kind]
    if kind is None or kind is type(None):
        return ["NULL"]
    if kind in (set, frozenset):
        return sorted(path._codec.tags & SET_TAGS or SET_TAGS)
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
