"""Conditions rewritten without changing what they mean: negations pushed inwards, known values put in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import ExpressionError
from ..mapping.value_codec import WireValue
from .conditions import Comparison, Condition, Junction, Negation, all_of, any_of
from .evaluation import condition_test
from .operands import Value

__all__ = ["alternatives", "conjuncts", "normal_form", "reduced", "top_level_names"]

_OPPOSITES = {
    "=": "<>",
    "<>": "=",
    "attribute_exists": "attribute_not_exists",
    "attribute_not_exists": "attribute_exists",
}


def normal_form(condition: Condition) -> Condition:
    """The same condition with negations only right before comparisons (De Morgan).

    A comparison of what an item does not have is false and not unknown, so this is exact; ``NOT a < b`` is not
    ``a >= b``, since both are false of an item without ``a``.

    Raises:
        ExpressionError: it is nested too deeply.
    """
    try:
        return _pushed(condition, negated=False)
    except RecursionError:
        raise ExpressionError("the condition is nested too deeply") from None


def _pushed(condition: Condition, *, negated: bool) -> Condition:
    if isinstance(condition, Negation):
        return _pushed(condition.condition, negated=not negated)
    if isinstance(condition, Junction):
        parts = [_pushed(part, negated=negated) for part in condition.conditions]
        return all_of(parts) if (condition.operator == "AND") is not negated else any_of(parts)
    if not negated:
        return condition
    assert isinstance(condition, Comparison)
    opposite = _OPPOSITES.get(condition.operator)
    if opposite is None or condition.sized or not all(isinstance(one, Value) for one in condition.operands):
        return Negation(condition)
    return Comparison(opposite, condition.path, condition.operands)


def conjuncts(condition: Condition | None) -> tuple[Condition, ...]:
    """The conditions that must all hold."""
    if condition is None:
        return ()
    if isinstance(condition, Junction) and condition.operator == "AND":
        return condition.conditions
    return (condition,)


def alternatives(condition: Condition) -> tuple[Condition, ...]:
    """The conditions of which one must hold."""
    if isinstance(condition, Junction) and condition.operator == "OR":
        return condition.conditions
    return (condition,)


def top_level_names(condition: Condition) -> Iterator[str]:
    """The stored names of the attributes it looks at, as often as it does."""
    return (str(path._steps[0]) for path in condition.paths())


def reduced(condition: Condition, known: Mapping[str, WireValue]) -> Condition | bool:
    """What is left of a condition in normal form of items whose attributes of these names have these values."""
    if isinstance(condition, Junction):
        is_and = condition.operator == "AND"
        left: list[Condition] = []
        for part in condition.conditions:
            found = reduced(part, known)
            if isinstance(found, bool):
                if found is not is_and:
                    return found
            else:
                left.append(found)
        if not left:
            return is_and
        return all_of(left) if is_and else any_of(left)
    if all(name in known for name in top_level_names(condition)):
        return condition_test(condition)(known)
    return condition
