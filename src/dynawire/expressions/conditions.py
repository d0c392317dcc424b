"""The tree of a condition: tests joined by AND and OR, and negated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from ..errors import ExpressionError
from .operands import Expression, Value, member_hint

if TYPE_CHECKING:
    from .comparing import Size
    from .paths import Path

__all__ = ["Comparison", "Condition", "Junction", "Negation", "all_of", "any_of"]


class Condition(Expression, msgspec.Struct, frozen=True, eq=False):
    """Something that is true or false of an item: DynamoDB's condition, filter or key condition.

    Made by comparing paths (``Airport.visits < 100``), combined by ``&``, ``|`` and ``~``. It never changes; two
    conditions are equal only when they are the same object.
    """

    def __and__(self, other: Condition) -> Condition:
        return _joined("AND", self, other)

    def __or__(self, other: Condition) -> Condition:
        return _joined("OR", self, other)

    def __rand__(self, other: Any) -> NoReturn:
        raise _not_a_condition(other)

    def __ror__(self, other: Any) -> NoReturn:
        raise _not_a_condition(other)

    def __invert__(self) -> Condition:
        return Negation(self)

    def __bool__(self) -> bool:
        # Not NoReturn: type checkers would pass over what follows `if condition:`.
        raise ExpressionError(
            "a condition is true or false only in DynamoDB: write & | ~ instead of and, or, not (with parentheses "
            "around each comparison), .between(low, high) instead of low <= path <= high, and .in_([...]) instead of in"
        )

    def __repr__(self) -> str:
        from .compiler import shown_condition

        return shown_condition(self)

    def __rich_repr__(self) -> Any:
        return iter((repr(self),))

    def walk(self) -> Iterator[Condition]:
        """This condition and every one inside it, from left to right, outer ones first."""
        waiting: list[Condition] = [self]
        while waiting:
            condition = waiting.pop()
            yield condition
            if isinstance(condition, Junction):
                waiting.extend(reversed(condition.conditions))
            elif isinstance(condition, Negation):
                waiting.append(condition.condition)

    def comparisons(self) -> Iterator[Comparison]:
        """The tests it is made of, from left to right."""
        return (condition for condition in self.walk() if isinstance(condition, Comparison))

    def paths(self) -> Iterator[Path[Any]]:
        """Every path it looks at, from left to right, as often as it does."""
        from .comparing import Size

        for comparison in self.comparisons():
            yield comparison.path
            for operand in comparison.operands:
                if not isinstance(operand, Value):
                    yield operand.path if isinstance(operand, Size) else operand


class Comparison(Condition, frozen=True, eq=False):
    """One test of what a path holds.

    Attributes:
        operator: as DynamoDB writes it: ``=``, ``<>``, ``<``, ``<=``, ``>``, ``>=``, ``BETWEEN``, ``IN``,
            ``begins_with``, ``contains``, ``attribute_exists``, ``attribute_not_exists``, ``attribute_type``.
        path: the path on the left.
        operands: what it is compared with: ``Value``, ``Path`` or ``Size``; two for BETWEEN, 1 to 100 for IN, none
            for attribute_exists and attribute_not_exists.
        sized: whether the size of what the path holds is tested instead of its value.
    """

    operator: str
    path: Path[Any]
    operands: tuple[Value | Path[Any] | Size, ...]
    sized: bool = False


class Junction(Condition, frozen=True, eq=False):
    """Conditions joined by one operator.

    Attributes:
        operator: ``AND`` or ``OR``.
        conditions: two or more, none of them joined by the same operator.
    """

    operator: str
    conditions: tuple[Condition, ...]


class Negation(Condition, frozen=True, eq=False):
    """True when its condition is not. Comparisons with a missing attribute are false, so their negation is true.

    Attributes:
        condition: what is negated; never itself a negation.
    """

    condition: Condition

    def __invert__(self) -> Condition:
        return self.condition


def all_of(conditions: Iterable[Condition]) -> Condition:
    """All of these, joined by AND; a single one as it is.

    Raises:
        ExpressionError: there is none.
    """
    return _join_many("AND", conditions)


def any_of(conditions: Iterable[Condition]) -> Condition:
    """Any of these, joined by OR; a single one as it is.

    Raises:
        ExpressionError: there is none.
    """
    return _join_many("OR", conditions)


def _join_many(operator: str, conditions: Iterable[Condition]) -> Condition:
    if isinstance(conditions, Condition):
        name = "all_of" if operator == "AND" else "any_of"
        raise ExpressionError(f"{name}() takes several conditions in a list, or from a generator: {name}([a, b])")
    parts: list[Condition] = []
    for condition in conditions:
        parts.extend(_parts(operator, condition))
    if not parts:
        raise ExpressionError("there is no condition to combine")
    return parts[0] if len(parts) == 1 else Junction(operator, tuple(parts))


def _joined(operator: str, first: Condition, second: Condition) -> Condition:
    return Junction(operator, _parts(operator, first) + _parts(operator, second))


def _parts(operator: str, condition: Condition) -> tuple[Condition, ...]:
    if isinstance(condition, Junction) and condition.operator == operator:
        return condition.conditions
    if not isinstance(condition, Condition):
        raise _not_a_condition(condition)
    return (condition,)


def _not_a_condition(found: Any) -> ExpressionError:
    from .paths import Path

    if isinstance(found, Path):
        return ExpressionError(f"{found!r} is a path, not a condition: compare it, as in {found._label} == True")
    return ExpressionError(
        f"a condition is needed, found {type(found).__name__}; write one such as path == value{member_hint(found)}"
    )
