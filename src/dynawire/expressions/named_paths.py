"""The paths of a class that has none as attributes of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import ExpressionError
from ..mapping.class_mapping import nearest
from .paths import Path

__all__ = ["Paths", "UnknownAttribute"]


class UnknownAttribute(ExpressionError, AttributeError):
    """The class has no such attribute. An AttributeError too, so that ``hasattr`` answers False."""


class Paths:
    """The path of each attribute of a class, by Python name: ``paths.title``, or ``paths["title"]``.

    A misspelt name is an :class:`~dynawire.ExpressionError` that says which one is near.
    """

    __slots__ = ("_model", "_paths")

    def __init__(self, paths: Mapping[str, Path[Any]], model: str) -> None:
        self._paths = paths
        self._model = model

    def __getitem__(self, name: str) -> Path[Any]:
        found = self._paths.get(name)
        if found is None:
            listing = f"there are: {', '.join(self._paths)}"
            raise UnknownAttribute(f"{self._model} has no attribute {name!r}{nearest(name, self._paths, listing)}")
        return found

    def __getattr__(self, name: str) -> Path[Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, name: object) -> bool:
        return name in self._paths

    def __dir__(self) -> list[str]:
        return list(self._paths)

    def __repr__(self) -> str:
        return f"<paths of {self._model}: {', '.join(self._paths)}>"
