"""What an instance was loaded from, when its item had to be migrated."""

from __future__ import annotations

from typing import Any

__all__ = ["MigratedItem", "as_read"]

WireItem = dict[str, Any]


class MigratedItem(dict[str, Any]):
    """What a migrated instance was loaded from: the attributes of its class as they are stored, by stored name.

    Attributes:
        version: the version of the stored item.
        stored: the whole stored item; binary is ``bytes``.
        migrated: the attributes of the class as the migrations left them.
        others: what the migrations changed besides: the new value by stored name, or None for what they removed.
        touched: stored names of all that the migrations added, changed or removed.
    """

    def __init__(self, attributes: WireItem, stored: WireItem, version: int) -> None:
        super().__init__(attributes)
        self.stored = stored
        self.version = version
        self.migrated: WireItem = {}
        self.others: dict[str, Any] = {}
        self.touched: list[str] = []

    def __reduce__(self) -> tuple[Any, ...]:
        return MigratedItem, (dict(self), self.stored, self.version), self.__dict__


def as_read(loaded: WireItem) -> WireItem:
    """What the class was given of a loaded item: after its migrations, where there were any."""
    return loaded.migrated if isinstance(loaded, MigratedItem) else loaded
