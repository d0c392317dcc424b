"""What an instance knows of the items it is related to. It is kept by the instance, never by its class."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Known", "forget", "keep", "known"]


class Known:
    """What one instance knows of the other side of one relation.

    Attributes:
        key: the values of the instance's attributes that told the others when they were read; when those change, this
            does not count any more.
        value: the other item or None, or a list of the others.
        is_loaded: whether the value is all there is; otherwise it holds only what was appended.
    """

    __slots__ = ("is_loaded", "key", "value")

    def __init__(self, key: tuple[Any, ...], value: Any, is_loaded: bool = True) -> None:
        self.key = key
        self.value = value
        self.is_loaded = is_loaded


class _Related:
    """All that an instance knows, by name of the relation."""

    __slots__ = ("by_name",)

    def __init__(self) -> None:
        self.by_name: dict[str, Known] = {}


def known(instance: Any, name: str) -> Known | None:
    """What an instance knows of a relation."""
    related = getattr(instance, "_related", None)
    return None if related is None else related.by_name.get(name)


def keep(instance: Any, name: str, what: Known) -> None:
    """Let an instance know of a relation."""
    related = getattr(instance, "_related", None)
    if related is None:
        related = _Related()
        if isinstance(instance, msgspec.Struct):
            # By way of the Struct, which so lets the garbage collector know that it may be part of a cycle.
            instance._related = related  # type: ignore[attr-defined]
        else:
            # pydantic would look for a field.
            type(instance)._related.__set__(instance, related)
    related.by_name[name] = what


def forget(instance: Any, name: str) -> None:
    """Let an instance forget a relation."""
    related = getattr(instance, "_related", None)
    if related is not None:
        related.by_name.pop(name, None)
