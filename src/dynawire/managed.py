"""Declaring attributes that every write maintains: the version, and the times of creation and of the last change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from .mapping.attributes import AttributeDeclaration

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["created_at", "updated_at", "version"]

# ``init`` is for type checkers alone: it tells them that the attribute is no parameter of the constructor.


def version(*, name: str | None = None, init: Literal[False] = False) -> Any:
    """Declare the item's version, for optimistic locking.

    ``v: Attr[int] = version()``. Every write raises it by one, and a write of an instance requires that the stored
    version is the instance's, so that nobody overwrites what another wrote meanwhile; otherwise it raises
    :class:`~dynawire.VersionConflict`. It is 0 until the item was written, and 0 in items stored without one. A class
    has one version at the most.

    Args:
        name: its name in DynamoDB; the Python name unless given.
        init: always False: it is no parameter of the constructor.
    """
    return AttributeDeclaration(default=0, name=name, upkeep="version")


def created_at(
    *, name: str | None = None, clock: Callable[[], datetime] | None = None, init: Literal[False] = False
) -> Any:
    """Declare the time of the item's creation.

    ``created: Attr[datetime | None] = created_at()``. It is set by the first write of a new instance that has
    none, and by an upsert that creates the item.

    Args:
        name: its name in DynamoDB; the Python name unless given.
        clock: gives the time, an aware datetime, instead of the system's clock (in UTC).
        init: always False: it is no parameter of the constructor.
    """
    return AttributeDeclaration(default=None, name=name, upkeep="created_at", clock=clock)


def updated_at(
    *, name: str | None = None, clock: Callable[[], datetime] | None = None, init: Literal[False] = False
) -> Any:
    """Declare the time of the item's last change.

    ``updated: Attr[datetime | None] = updated_at()``. Every write sets it; a save that changes nothing is no write.

    Args:
        name: its name in DynamoDB; the Python name unless given.
        clock: gives the time, an aware datetime, instead of the system's clock (in UTC).
        init: always False: it is no parameter of the constructor.
    """
    return AttributeDeclaration(default=None, name=name, upkeep="updated_at", clock=clock)
