"""What class bodies declare, as a class derived from them has it."""

from __future__ import annotations

from typing import Any, TypeVar

__all__ = ["declarations_of"]

T = TypeVar("T")


def declarations_of(cls: type[Any], kind: type[T]) -> dict[str, T]:
    """The declarations of a kind in a class and its bases, by name, unless something else took the name's place."""
    found: dict[str, T] = {}
    for base in reversed(cls.__mro__):
        for name, value in base.__dict__.items():
            found.pop(name, None)
            if isinstance(value, kind):
                found[name] = value
    return found
