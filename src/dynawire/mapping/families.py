"""Classes that share a table and are told apart by one attribute, their discriminator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import SchemaError

__all__ = ["Family"]


class Family:
    """A class with a table and a discriminator, and the classes derived from it.

    Attributes:
        root: the class that has the table.
        name: the discriminator's Python name.
        stored_name: its name in DynamoDB.
        size: how many classes belong to it; it grows when another is declared.
    """

    def __init__(self, root: type[Any], name: str, stored_name: str) -> None:
        self.root = root
        self.name = name
        self.stored_name = stored_name
        self._classes: dict[str, type[Any]] = {}
        self._plans: dict[type[Any], Callable[[], Any]] = {}
        self._tags: dict[type[Any], str] = {}

    @property
    def size(self) -> int:
        return len(self._classes)

    def add(self, cls: type[Any], tag: str, plan: Callable[[], Any]) -> None:
        """Let a class belong to the family.

        Args:
            cls: the class.
            tag: what its items hold in the discriminator.
            plan: gives its codec plan.

        Raises:
            SchemaError: another class has the tag.
        """
        other = self._classes.get(tag)
        # A class that was declared again, as in a notebook, takes the place of the former one.
        if other is not None and (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            raise SchemaError(
                f'{cls.__name__}: its tag {tag!r} is that of {other.__name__} already; write tag="..." with another',
                model=cls.__name__,
            )
        self._classes[tag] = cls
        self._plans[cls] = plan
        self._tags[cls] = tag

    def tag_of(self, cls: type[Any]) -> str:
        """What the items of a class hold."""
        return self._tags[cls]

    def tags_below(self, cls: type[Any]) -> list[str]:
        """What the items of a class and of those derived from it hold."""
        return [tag for tag, one in self._classes.items() if issubclass(one, cls)]

    def classes(self) -> list[type[Any]]:
        """Its classes, in the order they were declared; the root first."""
        return list(self._classes.values())

    def class_of(self, tag: str | None) -> type[Any] | None:
        """The class of an item; None when no class has its tag. An item without a tag is the root's."""
        return self.root if tag is None else self._classes.get(tag)

    def plan_of(self, cls: type[Any]) -> Any:
        """The codec plan of a class of the family."""
        return self._plans[cls]()
