"""What a relation is on an instance: the way to the other item, or to the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from .database import current_database
from .errors import ItemNotFound, NotLoaded, UsageError
from .operations.drivers import arun, run
from .operations.effects import Operation
from .operations.twins import asynchronous, sync
from .query import Query
from .relating.linking import linked, unlinked
from .relating.reading import created, link_query, query_of, read_one
from .relating.relationship import Relationship
from .relating.state import forget

if TYPE_CHECKING:
    from .database import Database
    from .engines.protocol import Engine

__all__ = ["LinkedItems", "RelatedItem", "RelatedItems"]

T = TypeVar("T")


class _Related:
    """What a relation is on one instance. It holds nothing: what was read is kept by the instance."""

    __slots__ = ("_instance", "_relationship")

    def __init__(self, instance: Any, relationship: Relationship) -> None:
        self._instance = instance
        self._relationship = relationship

    @property
    def _engine(self) -> Engine:
        return current_database().engine

    @property
    def _shown(self) -> str:
        return repr(self._relationship)

    @property
    def is_loaded(self) -> bool:
        """Whether it was read, assigned or prefetched, so that no request is needed."""
        found = self._relationship.known(self._instance)
        return found is not None and found.is_loaded

    def forget(self) -> None:
        """Forget what was read; the next access reads anew."""
        forget(self._instance, self._relationship.name)

    def _value(self) -> Any:
        found = self._relationship.known(self._instance)
        if found is None or not found.is_loaded:
            raise NotLoaded(
                f"{self._relationship!r} was not read yet; read it with get() or all() (in asyncio: await aget() or "
                f"aall()), or together with many others: query(...).with_({self._relationship!r})"
            )
        return found.value

    # Which database is asked is settled by the call, not when its coroutine is awaited.

    def _read(self, database: Database, consistent: bool, anew: bool) -> Operation[Any]:
        relationship = self._relationship
        found = None if anew else relationship.known(self._instance)
        if found is not None and found.is_loaded:
            return found.value
        return (yield from read_one(database, relationship, self._instance, consistent))

    def _listed(self, database: Database, consistent: bool, anew: bool) -> Operation[list[Any]]:
        return list((yield from self._read(database, consistent, anew)))

    def _written(self) -> str:
        """As it is written in code, for messages: post.author."""
        return f"{type(self._instance).__name__.lower()}.{self._relationship.name}"

    def __repr__(self) -> str:
        return f"<{self._relationship!r}{'' if self.is_loaded else ', not read yet'}>"


class _RelatedMany(_Related, Generic[T]):
    """What leads to several items: iterable, and without positions before they are read."""

    __slots__ = ()

    if TYPE_CHECKING:

        def _all(self, *, consistent: bool = False) -> Operation[list[T]]:
            """All of them: each kind's own."""
            ...

    @property
    def value(self) -> list[T]:
        """All of them as far as they were read or prefetched; never a request.

        Raises:
            NotLoaded: they were not read yet.
        """
        return list(self._value())

    def __iter__(self) -> Iterator[T]:
        return iter(run(self._engine, self._all()))

    async def __aiter__(self) -> AsyncIterator[T]:
        for item in await arun(self._engine, self._all()):
            yield item

    def __len__(self) -> int:
        return len(run(self._engine, self._all()))

    # Type checkers refuse it by themselves.
    if not TYPE_CHECKING:

        def __getitem__(self, position: Any) -> NoReturn:
            shown = position if type(position) is int else "..."
            raise UsageError(f"{self._written()} has no positions until it is read: write .all()[{shown}]")


class RelatedItem(_Related, Generic[T]):
    """The one other item that an instance leads to: ``order.customer``.

    Nothing is read until it is asked for, and then it is kept with the instance. When the attributes that tell the
    other item change, it is read anew. Requests go to the current database, as those of the instance do.
    """

    __slots__ = ()

    def _get(self, *, consistent: bool = False) -> Operation[T | None]:
        """The other item, read if that was not done yet (GetItem, or Query of an index); None when there is none.

        With ``auto_create=True`` one that is missing is made and stored.

        Args:
            consistent: a strongly consistent read, at twice the read units; not of a global index.

        Raises:
            MultipleItemsFound: the index holds several.
        """
        return self._read_or_created(current_database(), consistent)

    def _read_or_created(self, database: Database, consistent: bool) -> Operation[T | None]:
        found: T | None = yield from self._read(database, consistent, False)
        if found is None and self._relationship.facts.auto_create:
            found = yield from created(database, self._relationship, self._instance)
        return found

    def _get_one(self, *, consistent: bool = False) -> Operation[T]:
        """The other item; see :meth:`get`.

        Raises:
            ItemNotFound: there is none.
        """
        return self._present(self._read_or_created(current_database(), consistent))

    def _present(self, reading: Operation[T | None]) -> Operation[T]:
        found = yield from reading
        if found is None:
            raise self._missing()
        return found

    def _refresh(self, *, consistent: bool = True) -> Operation[T | None]:
        """Read the other item again, whatever is known of it."""
        return self._read(current_database(), consistent, True)

    def _delete(self) -> Operation[None]:
        """Delete the other item (DeleteItem). It is read first if that was not done yet."""
        return self._deleted(current_database())

    def _deleted(self, database: Database) -> Operation[None]:
        found = yield from self._read(database, False, False)
        if found is not None:
            yield from database.table(type(found))._delete(found)
            self._relationship.keep(self._instance, None)

    def _missing(self) -> ItemNotFound:
        name = self._relationship.target.__name__
        return ItemNotFound(f"{self._relationship!r}: there is no such {name}", code="", model=name)

    @property
    def value(self) -> T:
        """The other item as far as it was read, assigned or prefetched; never a request.

        Raises:
            NotLoaded: it was not read yet.
            ItemNotFound: it was read, and there is none.
        """
        found: T | None = self._value()
        if found is None:
            raise self._missing()
        return found

    @property
    def value_or_none(self) -> T | None:
        """The same, and None when there is none; never a request.

        Raises:
            NotLoaded: it was not read yet.
        """
        found: T | None = self._value()
        return found

    def set(self, other: T | None) -> None:
        """Relate the instance to another item, or to none: what assigning does. Nothing is sent.

        The attributes that tell one item from the other take their values: those of this instance where they refer to
        the other's key, else those of the other item, which has yet to be stored.

        Raises:
            RelationError: it is of another class, has no key yet, or would need a stored item's key to change.
        """
        relationship, instance = self._relationship, self._instance
        if other is None:
            relationship.disconnect(instance)
            relationship.keep(instance, None)
            return
        relationship.connect(instance, other)
        relationship.keep(instance, other)

    get = sync(_get)
    aget = asynchronous(_get)
    get_one = sync(_get_one)
    aget_one = asynchronous(_get_one)
    refresh = sync(_refresh)
    arefresh = asynchronous(_refresh)
    delete = sync(_delete)
    adelete = asynchronous(_delete)

    # Type checkers refuse it by themselves.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or hasattr(type(self), name):
                # What copy and pickle look for, or a property that raised AttributeError itself: its own error is told.
                return object.__getattribute__(self, name)
            raise AttributeError(
                f"{self._written()} leads to the other item: write .get_one().{name}, or .value.{name} once it is read",
                name=name,
                obj=self,
            )


class RelatedItems(_RelatedMany[T]):
    """The other items that an instance leads to: ``for comment in post.comments``, ``async for``, ``all()``.

    Nothing is read until they are asked for, and then they are kept with the instance; ``refresh()`` reads them again.
    ``len()`` reads them all, as iterating does; ``count()`` only counts.
    """

    __slots__ = ()

    def _all(self, *, consistent: bool = False) -> Operation[list[T]]:
        """All of them, in the order of the key they are found by, read if that was not done yet (Query).

        Args:
            consistent: strongly consistent reads, at twice the read units; not of a global index.
        """
        return self._listed(current_database(), consistent, False)

    def _refresh(self, *, consistent: bool = False) -> Operation[list[T]]:
        """Read all of them again, whatever is known of them."""
        self.forget()
        return self._listed(current_database(), consistent, True)

    def _count(self) -> Operation[int]:
        """How many there are (``Select: COUNT``), as stored now. It costs as many read units as reading them."""
        return self.query()._count()

    def query(self, *conditions: Any, **lookups: Any) -> Query[T]:
        """The query of them, to be narrowed, ordered or paged: ``post.comments.query(Comment.at > noon).reverse()``.

        What it gives is not kept with the instance.

        Args:
            conditions: for the sort key and, as filter, for other attributes.
            lookups: the same by name.
        """
        made: Query[T] = query_of(current_database(), self._relationship, self._instance, conditions, lookups)
        return made

    def filter(self, *conditions: Any, **lookups: Any) -> Query[T]:
        """The same as :meth:`query`."""
        return self.query(*conditions, **lookups)

    def append(self, *others: T) -> None:
        """Relate further items to the instance. Nothing is sent: ``insert()`` them, or ``save()`` the instance where
        the relation has ``cascade="save"``.

        Raises:
            RelationError: one is of another class, or is stored already and has another key.
        """
        relationship, instance = self._relationship, self._instance
        for other in others:
            relationship.connect(instance, other)
        found = relationship.known(instance)
        value = [] if found is None else found.value
        value += [other for other in others if all(other is not one for one in value)]
        relationship.keep(instance, value, is_loaded=found is not None and found.is_loaded)

    all = sync(_all)
    aall = asynchronous(_all)
    refresh = sync(_refresh)
    arefresh = asynchronous(_refresh)
    count = sync(_count)
    acount = asynchronous(_count)


class LinkedItems(_RelatedMany[T]):
    """The other items that an instance is linked to, and the links: ``post.tags.add(tag)``, ``post.tags.all()``.

    Each link is an item of its own, found from both sides.
    """

    __slots__ = ()

    def _all(self, *, consistent: bool = False) -> Operation[list[T]]:
        """All of them, in the order of the links' key, read if that was not done yet (Query of the links, BatchGetItem
        of the others). Links to items that are not there are passed over.

        Args:
            consistent: strongly consistent reads, at twice the read units; not of a global index.
        """
        return self._listed(current_database(), consistent, False)

    def _refresh(self, *, consistent: bool = False) -> Operation[list[T]]:
        """Read all of them again, whatever is known of them."""
        return self._listed(current_database(), consistent, True)

    def _count(self) -> Operation[int]:
        """How many links there are (``Select: COUNT``), as stored now."""
        return self.links()._count()

    def _add(self, /, *others: T, **attributes: Any) -> Operation[None]:
        """Link the instance to others: put one item for each link (BatchWriteItem). A link that is there is replaced.

        Args:
            others: the items. They are not stored by this.
            attributes: further attributes of the links.

        Raises:
            RelationError: one is of another class, or has no key yet.
        """
        return linked(current_database(), self._relationship, self._instance, others, attributes)

    def _remove(self, *others: T) -> Operation[None]:
        """Delete the links to others (BatchWriteItem); one that is not there is no error. The others stay.

        Raises:
            RelationError: one is of another class, or has no key yet.
        """
        return unlinked(current_database(), self._relationship, self._instance, others)

    def links(self) -> Query[Any]:
        """The query of the links themselves, for their further attributes."""
        return link_query(current_database(), self._relationship, self._instance)

    all = sync(_all)
    aall = asynchronous(_all)
    refresh = sync(_refresh)
    arefresh = asynchronous(_refresh)
    count = sync(_count)
    acount = asynchronous(_count)
    add = sync(_add)
    aadd = asynchronous(_add)
    remove = sync(_remove)
    aremove = asynchronous(_remove)
