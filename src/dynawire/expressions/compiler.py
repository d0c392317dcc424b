"""Trees into DynamoDB's expression text, every name and value as a placeholder.

Grammar and precedence: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
Parentheses stand only where precedence needs them: DynamoDB refuses redundant ones.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, Protocol

from ..errors import ExpressionError
from ..mapping.value_codec import WireValue
from .comparing import Size
from .conditions import Comparison, Condition, Junction, Negation
from .operands import Expression, Value, called, member_hint
from .overlaps import refuse_overlaps
from .paths import Path
from .placeholders import Placeholders
from .updates import Arithmetic, IfNotExists, ListAppend, Update

__all__ = [
    "MAX_EXPRESSION_BYTES",
    "MAX_OPERATORS",
    "check_owner",
    "compile_condition",
    "compile_projection",
    "compile_update",
    "shown_condition",
    "shown_operand",
    "shown_update",
]

MAX_EXPRESSION_BYTES: Final = 4096
"""Length DynamoDB takes of one expression, in bytes, before the names and values are put in."""
MAX_OPERATORS: Final = 300
"""Operators and functions DynamoDB takes in one expression."""

_SYMBOLS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")
_SHORTEST_OPERATOR: Final = 4


class _Names(Protocol):
    """Where names and values go: into a request, or into a message."""

    def path(self, path: Path[Any]) -> str: ...

    def value(self, wire: WireValue) -> str: ...


class _Request:
    """Names and values go into a request's placeholders; the paths must belong to its class."""

    __slots__ = ("owner", "placeholders", "value")

    def __init__(self, placeholders: Placeholders, owner: type[Any] | None) -> None:
        self.placeholders = placeholders
        self.owner = owner
        self.value = placeholders.value

    def path(self, path: Path[Any]) -> str:
        if path._owner is not self.owner:
            check_owner(path, self.owner)
        return self.placeholders.path(path._steps)


class _Message:
    """Names are shown as they are in Python, values are numbered and never shown."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values = 0

    def path(self, path: Path[Any]) -> str:
        return called(path)

    def value(self, wire: WireValue) -> str:
        self.values += 1
        return f":{self.values - 1}"


def compile_condition(condition: Condition, placeholders: Placeholders, owner: type[Any] | None = None) -> str:
    """The text of a ConditionExpression, FilterExpression or KeyConditionExpression.

    Args:
        condition: what must be true; join several with ``all_of``.
        placeholders: takes the names and values.
        owner: the mapped class the request is for; None: paths of any class.

    Raises:
        ExpressionError: it is not a condition, looks at another class's attribute, or exceeds DynamoDB's limits (4096
            bytes, 300 operators).
    """
    if not isinstance(condition, Condition):
        raise _not_a(condition, "a condition", "compare a path, as in Airport.visits < 100")
    try:
        text = _condition(condition, _Request(placeholders, owner))
    except RecursionError:
        raise ExpressionError(
            f"the condition is nested too deeply; DynamoDB takes at most {MAX_OPERATORS} operators"
        ) from None
    if len(text) > MAX_OPERATORS * _SHORTEST_OPERATOR:
        _check_operators(condition)
        _check_length(text, "condition")
    return text


def compile_update(
    updates: Sequence[Update],
    placeholders: Placeholders,
    owner: type[Any] | None = None,
    *,
    key_names: Collection[str] = (),
) -> str:
    """The text of an UpdateExpression.

    Args:
        updates: the actions, in any order.
        placeholders: takes the names and values.
        owner: the mapped class the request is for; None: paths of any class.
        key_names: stored names of the primary key's attributes, which cannot be updated.

    Raises:
        ExpressionError: there is no update, something is not one, it changes the key or another class's attribute, two
            change the same or overlapping paths, or it exceeds DynamoDB's limit (4096 bytes).
    """
    request = _Request(placeholders, owner)
    clauses: dict[str, list[str]] = {}
    for update in updates:
        if not isinstance(update, Update):
            raise _not_a(update, "an update", "write path.set(value), .add(number), .remove() …")
        if key_names and update.path._steps[0] in key_names:
            raise ExpressionError(
                f"{called(update.path)} is part of the primary key, which cannot be updated; "
                "delete the item and insert it anew"
            )
        clauses.setdefault(update.action, []).append(_action(update, request))
    if not clauses:
        raise ExpressionError("there is nothing to update; give at least one update, such as path.set(value)")
    if len(updates) > 1:
        refuse_overlaps([update.path for update in updates], "updates")
    text = " ".join([f"{action} {', '.join(clauses[action])}" for action in _CLAUSES if action in clauses])
    _check_length(text, "update")
    return text


def compile_projection(paths: Iterable[Path[Any]], placeholders: Placeholders, owner: type[Any] | None = None) -> str:
    """The text of a ProjectionExpression.

    Args:
        paths: what to read.
        placeholders: takes the names.
        owner: the mapped class the request is for; None: paths of any class.

    Raises:
        ExpressionError: there is no path, something is not one or belongs to another class, two are the same or
            overlap, or it exceeds DynamoDB's limit (4096 bytes).
    """
    request = _Request(placeholders, owner)
    wanted: list[Path[Any]] = []
    for path in paths:
        if not isinstance(path, Path):
            raise _not_a(path, "a path", "write the attribute itself, as in project(Airport.name)")
        wanted.append(path)
    if not wanted:
        raise ExpressionError("there is nothing to project; give at least one path, such as Airport.name")
    refuse_overlaps(wanted, "projections")
    text = ", ".join([request.path(path) for path in wanted])
    _check_length(text, "projection")
    return text


def shown_condition(condition: Condition) -> str:
    """A condition for a person: ``Airport.visits < :0``, without values."""
    try:
        return _condition(condition, _Message())
    except RecursionError:
        return "<a condition nested too deeply to be shown>"


def shown_update(update: Update) -> str:
    """An update for a person: ``SET Airport.visits = :0``, without values."""
    return f"{update.action} {_action(update, _Message())}"


def shown_operand(operand: Any) -> str:
    """A computed value for a person: ``Airport.visits + :0``, without values."""
    return _operand(operand, _Message())


def _condition(condition: Condition, names: _Names) -> str:
    if isinstance(condition, Comparison):
        return _comparison(condition, names)
    if isinstance(condition, Junction):
        # AND binds tighter than OR, and a junction never holds one of its own kind.
        parts = [
            f"({_condition(part, names)})"
            if condition.operator == "AND" and isinstance(part, Junction)
            else _condition(part, names)
            for part in condition.conditions
        ]
        return f" {condition.operator} ".join(parts)
    if isinstance(condition, Negation):
        inner = condition.condition
        text = _condition(inner, names)
        return f"NOT ({text})" if isinstance(inner, Junction) else f"NOT {text}"
    raise TypeError(f"unknown kind of condition: {type(condition).__name__}")


def _comparison(comparison: Comparison, names: _Names) -> str:
    left = names.path(comparison.path)
    if comparison.sized:
        left = f"size({left})"
    operator = comparison.operator
    operands = comparison.operands
    if operator in _SYMBOLS:
        return f"{left} {operator} {_operand(operands[0], names)}"
    texts = [_operand(operand, names) for operand in operands]
    if operator == "BETWEEN":
        return f"{left} BETWEEN {texts[0]} AND {texts[1]}"
    if operator == "IN":
        return f"{left} IN ({', '.join(texts)})"
    return f"{operator}({', '.join([left, *texts])})"


def _action(update: Update, names: _Names) -> str:
    path = names.path(update.path)
    if update.action == "REMOVE":
        return path
    operand = _operand(update.operand, names)
    return f"{path} = {operand}" if update.action == "SET" else f"{path} {operand}"


def _operand(operand: Any, names: _Names) -> str:
    if isinstance(operand, Value):
        return names.value(operand.wire)
    if isinstance(operand, Path):
        return names.path(operand)
    if isinstance(operand, Size):
        return f"size({names.path(operand.path)})"
    if isinstance(operand, Arithmetic):
        return f"{_operand(operand.left, names)} {operand.operator} {_operand(operand.right, names)}"
    if isinstance(operand, IfNotExists):
        return f"if_not_exists({names.path(operand.path)}, {_operand(operand.otherwise, names)})"
    if isinstance(operand, ListAppend):
        return f"list_append({_operand(operand.first, names)}, {_operand(operand.second, names)})"
    raise TypeError(f"unknown kind of operand: {type(operand).__name__}")


def check_owner(path: Path[Any], owner: type[Any] | None) -> None:
    """Refuse a path of another class; one of a class that the class inherits from is fine.

    So is one of a class derived from it that shares its table.

    Raises:
        ExpressionError: it belongs to another class.
    """
    if owner is None or path._owner is None or issubclass(owner, path._owner):
        return
    if getattr(owner, "__family__", None) is not None and issubclass(path._owner, owner):
        return
    if path._owner.__name__ == owner.__name__ and not (
        hasattr(path._owner, "__mapped__") and hasattr(owner, "__mapped__")
    ):
        raise ExpressionError(
            f"this path of {called(path)} belongs to another table of the class {owner.__name__}; take it from the "
            f"paths of the table that is asked: table.paths.{path._label}"
        )
    theirs, mine = path._owner.__name__, owner.__name__
    if theirs == mine:
        theirs, mine = (f"{one.__module__}.{one.__qualname__}" for one in (path._owner, owner))
    first = path._label.partition(".")[0].partition("[")[0]
    remedy = f"; write {owner.__name__}.{path._label}" if isinstance(getattr(owner, first, None), Path) else ""
    raise ExpressionError(f"{called(path)} is an attribute of {theirs}, and the request is for {mine}{remedy}")


def _check_operators(condition: Condition) -> None:
    count = 0
    for node in condition.walk():
        if isinstance(node, Junction):
            count += len(node.conditions) - 1
        else:
            count += 1
            if isinstance(node, Comparison):
                count += node.sized + sum(isinstance(operand, Size) for operand in node.operands)
    if count > MAX_OPERATORS:
        raise ExpressionError(
            f"the condition has {count} operators and functions, and DynamoDB takes at most {MAX_OPERATORS}; "
            "write path.in_(values) for many values, or split the request"
        )


def _check_length(text: str, kind: str) -> None:
    # Placeholders are ASCII, so characters are bytes.
    if len(text) > MAX_EXPRESSION_BYTES:
        raise ExpressionError(
            f"the {kind} is {len(text)} bytes long, and DynamoDB takes at most {MAX_EXPRESSION_BYTES}; "
            "split the request, or handle a whole map instead of its members"
        )


def _not_a(found: Any, wanted: str, remedy: str) -> ExpressionError:
    if isinstance(found, Path):
        return ExpressionError(f"{found!r} is a path, not {wanted}; {remedy}")
    if isinstance(found, Condition) and wanted == "an update":
        return ExpressionError(f"{found!r} is a condition, not an update; to assign, write path.set(value)")
    if isinstance(found, Expression):
        return ExpressionError(f"{found!r} is not {wanted}; {remedy}")
    return ExpressionError(f"{wanted} is needed, found {type(found).__name__}; {remedy}{member_hint(found)}")
