"""Writing at document paths: maps and lists on the way are copied, so that those they come from stay as they are."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from dynawire.engines.embedded.expressions.operands import BoundPath
from dynawire.engines.embedded.values import MAX_NESTING, Value
from dynawire.errors import DynawireError, service_error

__all__ = ["remove_at", "write_at"]


def write_at(item: dict[Any, Any], path: BoundPath, value: Value) -> None:
    """Put a value at a nested path, copying what lies on the way."""
    if "M" in value or "L" in value:
        _check_nesting(value, len(path) - 1)
    container, last = _copy_way(item, path)
    if type(last) is int and last >= len(container):
        container.append(value)
    else:
        container[last] = value


def remove_at(item: dict[Any, Any], path: BoundPath) -> None:
    """Take away what is at a nested path, if anything, copying what lies on the way."""
    container, last = _copy_way(item, path)
    if type(last) is not int:
        container.pop(last, None)
    elif last < len(container):
        del container[last]


def _copy_way(item: dict[Any, Any], path: BoundPath) -> tuple[Any, str | int]:
    """Copy every map and list on a path, and return the last of them with the path's last element."""
    container: Any = item
    for element, following in pairwise(path):
        if type(element) is int and element >= len(container):
            raise _invalid_path()
        value = container[element] if type(element) is int else container.get(element)
        inner: Any = None
        if value is not None:
            inner = value.get("L" if type(following) is int else "M")
        if inner is None:
            raise _invalid_path()
        copied: Any = list(inner) if type(following) is int else dict(inner)
        container[element] = {"L": copied} if type(following) is int else {"M": copied}
        container = copied
    return container, path[-1]


def _check_nesting(value: Value, depth: int) -> None:
    members = value.get("M")
    inner = members.values() if members is not None else value.get("L")
    if inner is None:
        return
    if depth >= MAX_NESTING:
        raise service_error("ValidationException", "Nesting Levels have exceeded supported limits")
    for member in inner:
        _check_nesting(member, depth + 1)


def _invalid_path() -> DynawireError:
    return service_error(
        "ValidationException", "The document path provided in the update expression is invalid for update"
    )
