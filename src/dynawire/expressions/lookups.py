"""Conditions and updates in keyword form: ``name__ne="x"``, ``address__city="y"``, ``visits__add=1``.

A keyword is an attribute's name, then names of map members or indexes of list elements, then perhaps an operator, all
joined by two underscores. It builds the same trees as the operators and methods of a path.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any, Final

from ..errors import ExpressionError
from ..mapping.class_mapping import nearest
from .conditions import Condition
from .habits import operator_advice, unknown_attribute
from .operands import called, described
from .paths import Path
from .updates import Update

__all__ = ["CONDITION_OPERATORS", "UPDATE_OPERATORS", "parse_lookups", "parse_update_lookups"]

_SEPARATOR = "__"


def parse_lookups(
    root: Mapping[str, Path[Any]], lookups: Mapping[str, Any], model_name: str = "the class"
) -> list[Condition]:
    """The conditions that keywords ask for; all must be true.

    ``name="x"`` means equal, ``name=None`` absent or NULL. Operators: see ``CONDITION_OPERATORS``; ``size`` may be
    followed by a comparison (``tags__size__gt=3``). Where a map with declared members has one named like an operator,
    the member is meant; elsewhere the operator is, and ``data__type__eq="x"`` means the member.

    Args:
        root: the paths of the class's attributes, by Python name.
        lookups: the keywords and their values.
        model_name: the class's name, for messages.

    Raises:
        ExpressionError: an attribute, member or operator is unknown, or does not fit the attribute or the value.
        ValidationError: a value does not fit the attribute.
    """
    conditions: list[Condition] = []
    for keyword, value in lookups.items():
        path, operators = _resolve(root, keyword, model_name, CONDITION_OPERATORS)
        if len(operators) == 2:
            conditions.append(CONDITION_OPERATORS[operators[1]](path.size(), value))
        else:
            conditions.append(CONDITION_OPERATORS[operators[0] if operators else "eq"](path, value))
    return conditions


def parse_update_lookups(
    root: Mapping[str, Path[Any]], lookups: Mapping[str, Any], model_name: str = "the class"
) -> list[Update]:
    """The updates that keywords ask for.

    ``name="x"`` assigns, ``name=None`` removes what may be None. Operators: see ``UPDATE_OPERATORS``.

    Args:
        root: the paths of the class's attributes, by Python name.
        lookups: the keywords and their values.
        model_name: the class's name, for messages.

    Raises:
        ExpressionError: an attribute, member or operator is unknown, or does not fit the attribute or the value.
        ValidationError: a value does not fit the attribute.
    """
    updates: list[Update] = []
    for keyword, value in lookups.items():
        path, operators = _resolve(root, keyword, model_name, UPDATE_OPERATORS)
        updates.append(UPDATE_OPERATORS[operators[0] if operators else "set"](path, value))
    return updates


def _between(path: Any, bounds: Any) -> Condition:
    if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:
        raise ExpressionError(f"{called(path)}: __between takes a pair, (low, high)")
    condition: Condition = path.between(*bounds)
    return condition


def _exists(path: Any, wanted: Any) -> Condition:
    _require_bool(path, "exists", wanted)
    condition: Condition = path.exists() if wanted else path.not_exists()
    return condition


def _not_exists(path: Any, wanted: Any) -> Condition:
    _require_bool(path, "not_exists", wanted)
    return _exists(path, not wanted)


def _remove(path: Any, wanted: Any) -> Update:
    _require_bool(path, "remove", wanted)
    if not wanted:
        raise ExpressionError(f"{called(path)}: __remove=False would change nothing; leave it out")
    update: Update = path.remove()
    return update


def _require_bool(path: Any, operator: str, wanted: Any) -> None:
    if not isinstance(wanted, bool):
        raise ExpressionError(f"{called(path)}: __{operator} takes True or False, not {type(wanted).__name__}")


_COMPARISONS: Final[dict[str, Callable[[Any, Any], Condition]]] = {
    "eq": lambda path, value: path == value,
    "ne": lambda path, value: path != value,
    "lt": lambda path, value: path < value,
    "lte": lambda path, value: path <= value,
    "gt": lambda path, value: path > value,
    "gte": lambda path, value: path >= value,
    "between": _between,
    "in": lambda path, values: path.in_(values),
    "is_in": lambda path, values: path.in_(values),
}

CONDITION_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Condition]]] = {
    **_COMPARISONS,
    "begins_with": lambda path, prefix: path.begins_with(prefix),
    "contains": lambda path, value: path.contains(value),
    "exists": _exists,
    "not_exists": _not_exists,
    "type": lambda path, kind: path.is_type(kind),
    "attribute_type": lambda path, kind: path.is_type(kind),
    "size": lambda path, size: path.size() == size,
}
"""What a keyword of a condition may end with, and what it does to the path and the keyword's value."""

UPDATE_OPERATORS: Final[Mapping[str, Callable[[Any, Any], Update]]] = {
    "set": lambda path, value: path.set(value),
    "remove": _remove,
    "add": lambda path, value: path.add(value),
    "delete": lambda path, members: path.delete(members),
    "append": lambda path, value: path.append(value),
    "prepend": lambda path, value: path.prepend(value),
    "extend": lambda path, values: path.extend(values),
    "plus": lambda path, number: path.set(path + number),
    "minus": lambda path, number: path.set(path - number),
    "if_not_exists": lambda path, value: path.set_if_not_exists(value),
}
"""What a keyword of an update may end with, and what it does to the path and the keyword's value."""


def _resolve(
    root: Mapping[str, Path[Any]], keyword: str, model_name: str, operators: Mapping[str, Any]
) -> tuple[Path[Any], list[str]]:
    """The path a keyword names, and the operators after it: none, one, or ``size`` and a comparison."""
    name = _leading(keyword, root)
    if name is None:
        unknown = keyword.partition(_SEPARATOR)[0]
        raise ExpressionError(
            unknown_attribute(model_name, unknown, keyword, root, updates=operators is UPDATE_OPERATORS)
        )
    path = root[name]
    end = len(name)
    while end < len(keyword):
        rest = keyword[end + len(_SEPARATOR) :]
        parts = rest.split(_SEPARATOR)
        if _ends_in_operators(path, parts, operators):
            return path, parts
        part = _leading(rest, path._codec.member_names()) or parts[0]
        path = _inside(path, part, keyword[:end], operators)
        end += len(_SEPARATOR) + len(part)
    return path, []


def _leading(keyword: str, names: Container[str]) -> str | None:
    """The longest of these names that the keyword is or begins with; names may hold underscores, also at their end."""
    end = len(keyword)
    while end > 0:
        if keyword[:end] in names:
            return keyword[:end]
        # One place further left, so that of three underscores the first may be the name's.
        end = keyword.rfind(_SEPARATOR, 0, end + 1)
    return None


def _ends_in_operators(path: Path[Any], rest: list[str], operators: Mapping[str, Any]) -> bool:
    first = rest[0]
    if first not in operators or _declares(path, first):
        return False
    return len(rest) == 1 or (first == "size" and len(rest) == 2 and rest[1] in _COMPARISONS)


def _declares(path: Path[Any], name: str) -> bool:
    """Whether the type itself names this member, unlike a dict, which has members of any name."""
    return path._codec.member(name) is not None and path._codec.member("\0") is None


def _inside(path: Path[Any], part: str, name: str, operators: Mapping[str, Any]) -> Path[Any]:
    if part.isdecimal() and "L" in path._codec.tags:
        return path[int(part)]
    if path._codec.member(part) is None:
        members = path._codec.member_names()
        updates = operators is UPDATE_OPERATORS
        others = CONDITION_OPERATORS if updates else UPDATE_OPERATORS
        advice = operator_advice(called(path), name, part, others, updates=updates)
        listing = f"operators: {', '.join(operators)}"
        near = f"; {advice}; {listing}" if advice else nearest(part, [*members, *operators], listing)
        raise ExpressionError(f"{described(path)}, which has no member and no operator {part!r}{near}")
    return path[part]
