"""What the SET action of an update gives: values, paths, sums, ``list_append`` and ``if_not_exists``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from dynawire.engines.embedded.expressions.lexer import invalid
from dynawire.engines.embedded.expressions.operands import BoundPath, find, same_operands
from dynawire.engines.embedded.expressions.placeholders import Placeholders
from dynawire.engines.embedded.expressions.tree import Arithmetic, Call, Node, Path, ValueReference
from dynawire.engines.embedded.numbers import add_numbers
from dynawire.engines.embedded.values import Item, Value
from dynawire.errors import DynawireError, service_error

__all__ = ["Reader", "bind_set_operand", "wrong_data_type"]

Reader = Callable[[Item], Value]
"""Gives an operand's value in an item, or raises."""

_KIND: Final = "UpdateExpression"


def bind_set_operand(node: Node, placeholders: Placeholders) -> tuple[str | None, Reader]:
    """An operand of SET: its type as far as it is known before an item is seen, and how to read it."""
    if isinstance(node, ValueReference):
        value = placeholders.value(_KIND, node.name)
        return next(iter(value)), lambda item: value
    if isinstance(node, Path):
        path = placeholders.path(_KIND, node)

        def read(item: Item) -> Value:
            found = find(item, path)
            if found is None:
                raise _missing()
            return found

        return None, read
    if isinstance(node, Arithmetic):
        return "N", _bind_arithmetic(node, placeholders)
    assert isinstance(node, Call)
    return _FUNCTIONS[node.function](node, placeholders)


def _bind_arithmetic(node: Arithmetic, placeholders: Placeholders) -> Reader:
    readers = _bind_all((node.left, node.right), "N", node.operator, placeholders)
    left, right = readers
    sign = 1 if node.operator == "+" else -1

    def read(item: Item) -> Value:
        a = left(item).get("N")
        b = right(item).get("N")
        if a is None or b is None:
            raise wrong_data_type()
        return {"N": add_numbers(a, b, sign)}

    return read


def _bind_list_append(node: Call, placeholders: Placeholders) -> tuple[str | None, Reader]:
    _require_two(node)
    first, second = _bind_all(node.operands, "L", node.function, placeholders)

    def read(item: Item) -> Value:
        a = first(item).get("L")
        b = second(item).get("L")
        if a is None or b is None:
            raise wrong_data_type()
        return {"L": [*a, *b]}

    return "L", read


def _bind_if_not_exists(node: Call, placeholders: Placeholders) -> tuple[str | None, Reader]:
    # One inside another, as deep as they may be, is a row of paths and what to take when none of them exists.
    paths: list[BoundPath] = []
    otherwise: Node = node
    while isinstance(otherwise, Call) and otherwise.function == "if_not_exists":
        _require_two(otherwise)
        target, otherwise = otherwise.operands
        if not isinstance(target, Path):
            raise invalid(_KIND, "Operator or function requires a document path; operator or function: if_not_exists")
        path = placeholders.path(_KIND, target)
        if isinstance(otherwise, Path) and placeholders.path(_KIND, otherwise) == path:
            raise same_operands(_KIND, "if_not_exists", path)
        paths.append(path)
    _, fallback = bind_set_operand(otherwise, placeholders)

    def read(item: Item) -> Value:
        # The service wants the second operand to exist even when it is not needed.
        value = fallback(item)
        for path in paths:
            found = find(item, path)
            if found is not None:
                return found
        return value

    return None, read


_FUNCTIONS: Final[dict[str, Callable[[Call, Placeholders], tuple[str | None, Reader]]]] = {
    "list_append": _bind_list_append,
    "if_not_exists": _bind_if_not_exists,
}


def _bind_all(nodes: Iterable[Node], wanted: str, operator: str, placeholders: Placeholders) -> list[Reader]:
    readers = []
    for node in nodes:
        known, read = bind_set_operand(node, placeholders)
        if known is not None and known != wanted:
            raise invalid(
                _KIND,
                "Incorrect operand type for operator or function; "
                f"operator or function: {operator}, operand type: {known}",
            )
        readers.append(read)
    return readers


def _require_two(node: Call) -> None:
    if len(node.operands) != 2:
        raise invalid(
            _KIND,
            "Incorrect number of operands for operator or function; "
            f"operator or function: {node.function}, number of operands: {len(node.operands)}",
        )


def wrong_data_type() -> DynawireError:
    """The error for a stored value of another type than the operation needs."""
    return service_error("ValidationException", "An operand in the update expression has an incorrect data type")


def _missing() -> DynawireError:
    return service_error(
        "ValidationException", "The provided expression refers to an attribute that does not exist in the item"
    )
