"""The tree of an update: one action on one path, and the values SET can compute."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

import msgspec

from ..errors import ExpressionError
from .numbers import is_number, number
from .operands import Expression, Operand, Value, described, misplaced, unfit

if TYPE_CHECKING:
    from decimal import Decimal

    from .paths import Path

    _Ints = Operand[int | None]
    _Floats = Operand[float | None]
    _Decimals = Operand[Decimal | None]

__all__ = ["Arithmetic", "Computed", "IfNotExists", "ListAppend", "Summable", "Update"]

T_co = TypeVar("T_co", covariant=True)


class Update(Expression, msgspec.Struct, frozen=True, eq=False):
    """One action of DynamoDB's UpdateExpression, made by the methods of a path. It never changes.

    Attributes:
        action: the clause it belongs to.
        path: what it changes; ``path._steps[0]`` is the top-level attribute.
        operand: for SET what is assigned, for ADD and DELETE the number or the members (a ``Value``), for REMOVE None.
            A constant is a ``Value``, whose ``value`` is the Python value.
    """

    action: Literal["SET", "REMOVE", "ADD", "DELETE"]
    path: Path[Any]
    operand: Value | Operand[Any] | None = None

    def paths(self) -> Iterator[Path[Any]]:
        """The path it changes and every path it reads."""
        yield self.path
        if isinstance(self.operand, Operand):
            yield from _paths_in(self.operand)

    def __repr__(self) -> str:
        from .compiler import shown_update

        return shown_update(self)

    def __rich_repr__(self) -> Any:
        return iter((repr(self),))


class Summable(Operand[T_co]):
    """What ``+`` and ``-`` compute with in a SET: a path to a number, or ``path.if_not_exists(number)``.

    DynamoDB computes exactly, with up to 38 digits, from the values before the update.
    """

    __slots__ = ()

    # The overloads overlap where every operand is None, which computes nothing.
    @overload
    def __add__(self: _Ints, other: int | _Ints) -> Operand[int]: ...  # type: ignore[overload-overlap]
    @overload
    def __add__(self: _Decimals, other: Decimal | int | _Decimals | _Ints) -> Operand[Decimal]: ...  # type: ignore[overload-overlap]
    @overload
    def __add__(self: _Floats, other: float | _Floats) -> Operand[float]: ...
    def __add__(self: Any, other: Any) -> Any:
        return _arithmetic(self, "+", other)

    @overload
    def __radd__(self: _Ints, other: int) -> Operand[int]: ...  # type: ignore[overload-overlap]
    @overload
    def __radd__(self: _Decimals, other: Decimal | int) -> Operand[Decimal]: ...
    @overload
    def __radd__(self: _Floats, other: float) -> Operand[float]: ...
    def __radd__(self: Any, other: Any) -> Any:
        return _arithmetic(other, "+", self)

    @overload
    def __sub__(self: _Ints, other: int | _Ints) -> Operand[int]: ...  # type: ignore[overload-overlap]
    @overload
    def __sub__(self: _Decimals, other: Decimal | int | _Decimals | _Ints) -> Operand[Decimal]: ...  # type: ignore[overload-overlap]
    @overload
    def __sub__(self: _Floats, other: float | _Floats) -> Operand[float]: ...
    def __sub__(self: Any, other: Any) -> Any:
        return _arithmetic(self, "-", other)

    @overload
    def __rsub__(self: _Ints, other: int) -> Operand[int]: ...  # type: ignore[overload-overlap]
    @overload
    def __rsub__(self: _Decimals, other: Decimal | int) -> Operand[Decimal]: ...
    @overload
    def __rsub__(self: _Floats, other: float) -> Operand[float]: ...
    def __rsub__(self: Any, other: Any) -> Any:
        return _arithmetic(other, "-", self)


class Computed(Summable[T_co], msgspec.Struct, frozen=True, eq=False):
    """A value that DynamoDB computes while it updates. It never changes."""

    def __repr__(self) -> str:
        from .compiler import shown_operand

        return shown_operand(self)

    def __rich_repr__(self) -> Any:
        return iter((repr(self),))


class Arithmetic(Computed[T_co], frozen=True, eq=False):
    """``left + right`` or ``left - right``, of paths, numbers and ``if_not_exists``.

    Attributes:
        operator: ``+`` or ``-``.
        left, right: what is added or subtracted: ``Path``, ``IfNotExists`` or ``Value``.
    """

    operator: str
    left: Any
    right: Any


class IfNotExists(Computed[T_co], frozen=True, eq=False):
    """What a path holds, or else something other: DynamoDB's if_not_exists.

    Attributes:
        path: what is looked at.
        otherwise: used when the path is not there: ``Value``, ``Path`` or ``IfNotExists``.
    """

    path: Path[Any]
    otherwise: Any


class ListAppend(Computed[T_co], frozen=True, eq=False):
    """Two lists one after the other: DynamoDB's list_append.

    Attributes:
        first, second: the lists: ``Path``, ``IfNotExists`` or ``Value``.
    """

    first: Any
    second: Any


def _paths_in(operand: Any) -> Iterator[Path[Any]]:
    if isinstance(operand, Arithmetic):
        parts = (operand.left, operand.right)
    elif isinstance(operand, IfNotExists):
        parts = (operand.path, operand.otherwise)
    elif isinstance(operand, ListAppend):
        parts = (operand.first, operand.second)
    elif isinstance(operand, Value):
        return
    else:
        yield operand
        return
    for part in parts:
        yield from _paths_in(part)


def _arithmetic(left: Any, operator: str, right: Any) -> Arithmetic[Any]:
    chained = next((side for side in (left, right) if isinstance(side, Arithmetic)), None)
    if chained is not None:
        raise ExpressionError(
            f"{chained!r}: DynamoDB takes one + or - in a SET; put the constants together in Python: path + (a + b)"
        )
    known = left if isinstance(left, Operand) else right
    path = known.path if isinstance(known, IfNotExists) else known
    return Arithmetic(operator, _term(path, operator, left), _term(path, operator, right))


def _term(path: Any, operator: str, term: Any) -> Any:
    if is_number(term):
        return Value(term, number(path, term))
    if isinstance(term, Summable):
        source: Any = term.path if isinstance(term, IfNotExists) else term
        tags = source._codec.tags
        if "N" in tags:
            return term
        hint = "; write .extend(values)" if "L" in tags else ""
        raise ExpressionError(f"{described(source)}: DynamoDB's {operator} computes with numbers only{hint}")
    if isinstance(term, Expression):
        raise misplaced(path, operator, term)
    raise unfit(path, f"{operator} takes an int, float or Decimal, not {type(term).__name__}")
