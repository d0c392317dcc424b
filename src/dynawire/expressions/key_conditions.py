"""Which of a query's conditions can be its key condition, and which must filter what the key condition finds.

DynamoDB's rule: ``=`` on every partition key attribute; on the sort key attributes, from the first on without a gap,
any number of ``=`` and then at most one of ``<  <=  >  >=  BETWEEN  begins_with``. A table and a local index have one
of each; a global index has up to four. The key's own attributes may not stand in the filter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .comparing import in_order
from .conditions import Comparison, Condition, Junction
from .operands import Value, called

__all__ = ["KeySplit", "split_key_condition", "taken_apart"]

_KEY_OPERATORS = frozenset({"=", "<", "<=", ">", ">=", "BETWEEN", "begins_with"})
_KEY_TAGS = frozenset({"S", "N", "B"})


class KeySplit(NamedTuple):
    """How conditions that must all be true divide for one table or index.

    Attributes:
        key: the key condition: the partition key first, then the sort key in its order. Empty when a partition key
            attribute has no ``=``: then it cannot be queried.
        rest: the other conditions, for the filter.
        reasons: what stands in the way of a query: partition key attributes without ``=``; or, when each has one,
            conditions on key attributes that cannot be part of the key condition, for DynamoDB refuses them in a
            filter. Empty: the query can be sent.
    """

    key: tuple[Comparison, ...]
    rest: tuple[Condition, ...]
    reasons: tuple[str, ...]


def split_key_condition(
    conditions: Iterable[Condition], partition_names: Sequence[str], sort_names: Sequence[str] = ()
) -> KeySplit:
    """Divide conditions into key condition and filter.

    Bounds given apart, ``>=`` and ``<=``, become one BETWEEN; a condition given twice counts once; ``begins_with("")``
    on a sort key, which is true of every item, is left out.

    Args:
        conditions: all must be true; those joined by AND are taken apart.
        partition_names: stored names of the partition key's attributes, 1 to 4.
        sort_names: stored names of the sort key's attributes in their order, 0 to 4.
    """
    every = taken_apart(conditions)
    names = {*partition_names, *sort_names}
    usable: dict[str, list[Comparison]] = {name: [] for name in names}
    for condition in every:
        if isinstance(condition, Comparison) and condition.path._steps[0] in names and _is_usable(condition):
            usable[str(condition.path._steps[0])].append(condition)

    key: list[Comparison] = []
    used: list[Condition] = []
    for name in partition_names:
        equal = next((condition for condition in usable[name] if condition.operator == "="), None)
        if equal is None:
            return KeySplit((), tuple(every), _missing(every, partition_names, usable))
        key.append(equal)
        used += [condition for condition in usable[name] if condition is equal or _is_same(condition, equal)]
    for name in sort_names:
        used += [condition for condition in usable[name] if _is_always_true(condition)]
        candidates = [condition for condition in usable[name] if not _is_always_true(condition)]
        if not candidates:
            break
        chosen, covered = _choose(candidates)
        key.append(chosen)
        used += covered
        if chosen.operator != "=":
            break

    if len(used) == len(every):
        return KeySplit(tuple(key), (), ())
    rest = [condition for condition in every if not any(condition is one for one in used)]
    return KeySplit(tuple(key), tuple(rest), _left_over(rest, names))


def taken_apart(conditions: Iterable[Condition]) -> list[Condition]:
    """Conditions that must all hold, those joined by AND one by one."""
    parts: list[Condition] = []
    for condition in conditions:
        if isinstance(condition, Junction) and condition.operator == "AND":
            parts.extend(condition.conditions)
        else:
            parts.append(condition)
    return parts


def _is_usable(comparison: Comparison) -> bool:
    return (
        comparison.operator in _KEY_OPERATORS
        and len(comparison.path._steps) == 1
        and not comparison.sized
        and all(
            isinstance(operand, Value) and not _KEY_TAGS.isdisjoint(operand.wire) for operand in comparison.operands
        )
    )


def _wires(comparison: Comparison) -> list[object]:
    return [operand.wire for operand in comparison.operands if isinstance(operand, Value)]


def _is_same(one: Comparison, other: Comparison) -> bool:
    return one.operator == other.operator and _wires(one) == _wires(other)


def _is_always_true(comparison: Comparison) -> bool:
    return comparison.operator == "begins_with" and _wires(comparison) in ([{"S": ""}], [{"B": b""}])


def _choose(candidates: list[Comparison]) -> tuple[Comparison, list[Comparison]]:
    """The one condition for a sort key attribute, and all those it stands for."""
    by_operator = {condition.operator: condition for condition in reversed(candidates)}
    chosen = by_operator.get("=")
    if chosen is None:
        low, high = by_operator.get(">="), by_operator.get("<=")
        if low is not None and high is not None:
            (bottom,), (top,) = low.operands, high.operands
            if isinstance(bottom, Value) and isinstance(top, Value) and in_order(bottom.wire, top.wire):
                between = Comparison("BETWEEN", low.path, (bottom, top))
                return between, [each for each in candidates if _is_same(each, low) or _is_same(each, high)]
        chosen = candidates[0]
    return chosen, [condition for condition in candidates if _is_same(condition, chosen)]


def _missing(
    every: list[Condition], partition_names: Sequence[str], usable: dict[str, list[Comparison]]
) -> tuple[str, ...]:
    reasons: list[str] = []
    for name in partition_names:
        if any(condition.operator == "=" for condition in usable[name]):
            continue
        path = next((path for one in every for path in one.paths() if path._steps == (name,)), None)
        if path is None:
            reasons.append(f"the partition key {name!r} is not given")
        else:
            reasons.append(
                f"{called(path)} is the partition key, which a query needs as == value, given for itself or joined by &"
            )
    return tuple(reasons)


def _left_over(rest: list[Condition], names: set[str]) -> tuple[str, ...]:
    found = {
        path._steps[0]: f"{called(path)} is part of the key, and DynamoDB takes the key's attributes in no filter: "
        "== once for a partition key; for sort keys == from the first on, then one of < <= > >= between begins_with"
        f"{_range_advice(condition)}"
        for condition in rest
        for path in condition.paths()
        if path._steps[0] in names
    }
    return tuple(found.values())


def _range_advice(condition: Condition) -> str:
    if isinstance(condition, Comparison) and condition.operator in ("<", "<=", ">", ">="):
        return f"; for a range with two ends write {called(condition.path)}.between(low, high), which includes both"
    return ""
