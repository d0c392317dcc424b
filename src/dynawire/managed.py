"""Declaring attributes that look after themselves: the version, the times of creation, change and expiry, numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from .mapping.attributes import NO_DEFAULT, AttributeDeclaration
from .mapping.keeping import Counter

if TYPE_CHECKING:
    from datetime import datetime

    from .declare import Attr

__all__ = ["counter", "created_at", "discriminator", "ttl", "updated_at", "version"]

T = TypeVar("T")

# ``init`` is for type checkers alone: it tells them that the attribute is no parameter of the constructor.


def discriminator(*, name: str | None = None, init: Literal[False] = False) -> Any:
    """Declare the attribute that says of which class an item is.

    ``kind: Attr[str] = discriminator()``. Classes derived from the class share its table; each has a tag, its name
    unless ``class Dog(Animal, tag="dog")`` says another, and every write stores it. Reads of the base class give
    instances of the right classes; those of a derived class see its items, and those of classes derived from it, alone.
    An item without the attribute, stored before there was one, is of the base class.

    Args:
        name: its name in DynamoDB; the Python name unless given.
        init: always False: it is no parameter of the constructor.
    """
    return AttributeDeclaration(default="", name=name, upkeep="discriminator")


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


@overload
def ttl(*, default: T, name: str | None = ...) -> Attr[T]: ...
@overload
def ttl(*, default_factory: Callable[[], T], name: str | None = ...) -> Attr[T]: ...
@overload
def ttl(*, name: str | None = ...) -> Any: ...
def ttl(*, default: Any = NO_DEFAULT, default_factory: Any = NO_DEFAULT, name: str | None = None) -> Any:
    """Declare when the item expires: DynamoDB's time to live.

    ``expires: Attr[datetime] = ttl()``, or ``expires: Attr[datetime | None] = ttl(default=None)`` where an item may
    live for ever. It is stored as a number of whole seconds since 1970, as the service needs it, and ``create_tables``
    switches time to live on for it. An ``int`` is those seconds themselves. The service deletes an expired item within
    days; until then it is read like any other, unless the class says ``hide_expired=True``.

    Args:
        default: the time of an instance made without it, and of an item stored without it.
        default_factory: a function that makes that time anew each time.
        name: its name in DynamoDB; the Python name unless given.
    """
    return AttributeDeclaration(default=default, default_factory=default_factory, name=name, ttl=True)


def counter(
    *scope: str,
    start: int = 1,
    block: int = 1,
    gap_free: bool = False,
    series: str | None = None,
    key: Any = None,
    attribute: str | None = None,
) -> Any:
    """Number new items: the default of an attribute or key of whole numbers.

    ``number: Attr[int] = counter()``, ``id: Attr[int] = partition_key(default=counter())``, ``number: Attr[int] =
    sort_key(default=counter("customer"))``. An instance has the number 0 until it is first stored, by ``insert``,
    ``put``, ``save`` or in a transaction; one that has a number already keeps it. The last number given is kept in an
    item of its own in the same table.

    Args:
        scope: names of attributes for each of whose values numbers are counted apart.
        start: the first number, 1 or more.
        block: how many numbers a process takes at a time, to hand them out without asking again; those that are left
            when it ends are never used.
        gap_free: take the number in the same transaction as the item is stored, so that none is ever left out. Those
            who store at the same time wait for each other.
        series: what the numbers are counted under; the class's and the attribute's name unless given. Attributes of
            the same series in one table share their numbers.
        key: the key of the counter's item, instead of a reserved one.
        attribute: the name, in that item, of the last number given.
    """
    return AttributeDeclaration(
        default=0,
        counter=Counter(
            scope=scope,
            start=start,
            block=block,
            gap_free=gap_free,
            series=series,
            key=key,
            attribute=attribute,
        ),
    )
