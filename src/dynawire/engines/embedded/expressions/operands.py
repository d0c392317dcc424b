"""Operands with names and values put in: where a value comes from when an item is looked at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from dynawire.engines.embedded.expressions.lexer import invalid
from dynawire.engines.embedded.expressions.placeholders import Placeholders
from dynawire.engines.embedded.expressions.tree import Call, Node, Path, ValueReference
from dynawire.engines.embedded.values import Item, Value, decode_binary
from dynawire.errors import DynawireError, service_error

__all__ = [
    "BoundPath",
    "Operand",
    "Scope",
    "bind_operand",
    "bind_operands",
    "find",
    "path_text",
    "refuse_key_paths",
    "refuse_same_operands",
    "same_operands",
]

BoundPath = tuple[str | int, ...]
"""A document path: the attribute's name, then map members and list indexes."""

_NO_SIZE = frozenset({"N", "BOOL", "NULL"})


class Scope:
    """One expression being bound: the member it came in, and the request's placeholders."""

    __slots__ = ("kind", "placeholders")

    def __init__(self, kind: str, placeholders: Placeholders) -> None:
        self.kind = kind
        self.placeholders = placeholders


class Operand:
    """A path, a value from the request, or a ``size``.

    Attributes:
        path: the path, or None.
        value: the request's value, or None.
        type: the type known before any item is seen, or None.
        get: the operand's value in an item, or None where there is none.
    """

    __slots__ = ("get", "path", "type", "value")

    def __init__(
        self, path: BoundPath | None, value: Value | None, known: str | None, get: Callable[[Item], Value | None]
    ) -> None:
        self.path = path
        self.value = value
        self.type = known
        self.get = get


def bind_operand(node: Node, scope: Scope) -> Operand:
    """Bind a path, a placeholder or a ``size``."""
    if isinstance(node, Path):
        path = scope.placeholders.path(scope.kind, node)
        return Operand(path, None, None, _getter(path))
    if isinstance(node, ValueReference):
        value = scope.placeholders.value(scope.kind, node.name)
        for known in value:
            return Operand(None, value, known, lambda item: value)
    assert isinstance(node, Call)
    return _bind_size(node, scope)


def bind_operands(node: Call, scope: Scope, count: int) -> list[Operand]:
    """Bind a function's operands, of which there must be ``count``, with the first distinct from the others."""
    operands = [bind_operand(operand, scope) for operand in node.operands]
    if len(operands) != count:
        raise invalid(
            scope.kind,
            "Incorrect number of operands for operator or function; "
            f"operator or function: {node.function}, number of operands: {len(operands)}",
        )
    refuse_same_operands(node.function, operands, scope)
    return operands


def refuse_same_operands(operator: str, operands: list[Operand], scope: Scope) -> None:
    """Refuse an operator whose first operand, a path, comes again."""
    first = operands[0].path
    if first is not None and any(operand.path == first for operand in operands[1:]):
        raise same_operands(scope.kind, operator, first)


def same_operands(kind: str, operator: str, path: BoundPath) -> DynawireError:
    """The error for an operator that has one path twice."""
    return invalid(
        kind,
        "The first operand must be distinct from the remaining operands for this operator or function; "
        f"operator: {operator}, first operand: {path_text(path)}",
    )


def find(item: Item, path: BoundPath) -> Value | None:
    """The value at a path, or None."""
    members: Any = item
    value: Value | None = None
    for element in path:
        if isinstance(element, str):
            if value is not None:
                members = value.get("M")
                if members is None:
                    return None
            value = members.get(element)
            if value is None:
                return None
        else:
            assert value is not None
            elements = value.get("L")
            if elements is None or element >= len(elements):
                return None
            value = elements[element]
    return value


def refuse_key_paths(
    nested: Iterable[Path], placeholders: Placeholders, key_names: Collection[str], index_key_names: Collection[str]
) -> None:
    """Refuse a path that goes into a key attribute.

    Raises:
        ServiceError: ``ValidationException``.
    """
    for node in nested:
        name = placeholders.path("", node)[0]
        for kind, names in (("Key", key_names), ("IndexKey", index_key_names)):
            if name in names:
                raise service_error(
                    "ValidationException",
                    "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
                    f"{kind}: {name}",
                )


def path_text(path: BoundPath) -> str:
    """A path as the service writes it in its errors."""
    return f"[{', '.join(element if type(element) is str else f'[{element}]' for element in path)}]"


def _getter(path: BoundPath) -> Callable[[Item], Value | None]:
    if len(path) == 1:
        name = path[0]
        return lambda item: item.get(name)  # type: ignore[arg-type]
    return lambda item: find(item, path)


def _bind_size(node: Call, scope: Scope) -> Operand:
    (operand,) = bind_operands(node, scope, 1)
    if operand.type in _NO_SIZE:
        raise invalid(
            scope.kind,
            "Incorrect operand type for operator or function; "
            f"operator or function: {node.function}, operand type: {operand.type}",
        )
    get = operand.get

    def size(item: Item) -> Value | None:
        value = get(item)
        if value is None:
            return None
        for tag, content in value.items():
            if tag in _NO_SIZE:
                break
            if tag == "S":
                # The service counts UTF-16 units.
                length = len(content) if content.isascii() else len(content.encode("utf-16-le")) // 2
            elif tag == "B":
                length = len(decode_binary(content))
            else:
                length = len(content)
            return {"N": str(length)}
        return None

    return Operand(None, None, "N", size)
