"""Declaring relations between classes, and reading along those of many instances at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, overload

from .database import current_database
from .errors import UsageError
from .mapping.relations import Cascade, RelationDeclaration, RelationFacts
from .operations.drivers import arun, run
from .operations.effects import Operation
from .query import Query
from .related import LinkedItems, RelatedItem, RelatedItems
from .relating.relation import Relation, checked_relations
from .relating.relation import prefetch as prefetching
from .relating.relationship import relationships

if TYPE_CHECKING:
    from .engines.protocol import Engine

__all__ = [
    "ManyToMany",
    "ToMany",
    "ToOne",
    "aprefetch",
    "many_to_many",
    "many_to_one",
    "one_to_many",
    "one_to_one",
    "prefetch",
]

T = TypeVar("T")


class _Declared(RelationDeclaration, Generic[T]):
    _kind: Any = None

    if not TYPE_CHECKING:

        def __get__(self, instance, owner):
            if instance is None:
                # A class that is not ours would take the relation for a default, which could not be told from a value.
                return Relation(owner, self.name) if hasattr(owner, "__mapped__") else self
            return self._kind(instance, relationships(type(instance))[self.name])

        def __set__(self, instance, value):
            relationship = relationships(type(instance))[self.name]
            if not relationship.facts.is_to_one:
                way = "append()" if relationship.links is None else "add() and remove()"
                raise AttributeError(f"{relationship!r} can't be assigned; use {relationship!r}.{way}")
            RelatedItem(instance, relationship).set(value)

        def __delete__(self, instance):
            relationship = relationships(type(instance))[self.name]
            if not relationship.facts.is_to_one:
                raise AttributeError(f"{relationship!r} can't be deleted; delete the items themselves")
            RelatedItem(instance, relationship).delete()


class ToOne(_Declared[T]):
    """The annotation of a relation to one other item: ``customer: ToOne[Customer] = many_to_one("customer_id")``.

    On the class it is a :class:`Relation`, on an instance a :class:`RelatedItem`. It is no attribute of the item: it is
    not stored, and no parameter of the constructor. ``order.customer = customer`` relates, ``del order.customer``
    deletes the other item.
    """

    _kind = RelatedItem

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Relation[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> RelatedItem[T]: ...
        def __get__(self, instance: object | None, owner: Any) -> Relation[T] | RelatedItem[T]: ...
        def __set__(self, instance: object, value: T | None) -> None: ...
        def __delete__(self, instance: object) -> None: ...


class ToMany(_Declared[T]):
    """The annotation of a relation to several others: ``orders: ToMany[Order] = one_to_many(index="by_customer")``.

    On the class it is a :class:`Relation`, on an instance a :class:`RelatedItems`. It is no attribute of the item.
    """

    _kind = RelatedItems

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Relation[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> RelatedItems[T]: ...
        def __get__(self, instance: object | None, owner: Any) -> Relation[T] | RelatedItems[T]: ...


class ManyToMany(_Declared[T]):
    """The annotation of a relation of several to several: ``tags: ManyToMany[Tag] = many_to_many(...)``.

    On the class it is a :class:`Relation`, on an instance a :class:`LinkedItems`. It is no attribute of the item.
    """

    _kind = LinkedItems

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Relation[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> LinkedItems[T]: ...
        def __get__(self, instance: object | None, owner: Any) -> Relation[T] | LinkedItems[T]: ...


@overload
def many_to_one(
    *attributes: str,
    to: type[T] | Callable[[], type[T]],
    by: Mapping[str, str] | None = ...,
    index: str | None = ...,
    back: str | None = ...,
    cascade: Cascade = ...,
    init: Literal[False] = ...,
) -> ToOne[T]: ...
@overload
def many_to_one(
    *attributes: str,
    to: str | None = ...,
    by: Mapping[str, str] | None = ...,
    index: str | None = ...,
    back: str | None = ...,
    cascade: Cascade = ...,
    init: Literal[False] = ...,
) -> Any: ...
def many_to_one(
    *attributes: str,
    to: Any = None,
    by: Mapping[str, str] | None = None,
    index: str | None = None,
    back: str | None = None,
    cascade: Cascade = (),
    init: Literal[False] = False,
) -> Any:
    """Declare that many items of this class lead to one other.

    ``customer: ToOne[Customer] = many_to_one("customer_id")``

    Args:
        attributes: Python names of this class's attributes that hold the other's key, partition key first; with
            ``index``, the key of that index.
        to: the other class, where the annotation does not tell: itself, a function that gives it, or its name
            (``"Customer"``, ``"shop.models.Customer"``).
        by: the same as ``attributes`` by name: ``{"id": "customer_id"}``, the other's attribute first.
        index: the other's index that is queried (Query); None: the other is read by key (GetItem).
        back: name of the other class's relation that leads back. What is read along one is then known along both.
        cascade: ``"save"``: saving an instance saves the other too. ``"delete"``: deleting it deletes the other too.
        init: always False: it is no parameter of the constructor.

    Raises (when the class is made, or else when the relation is first used):
        SchemaError: it can't work.
    """
    return ToOne(_facts("many_to_one", attributes, to, by, index, back, cascade))


@overload
def one_to_one(
    *attributes: str,
    to: type[T] | Callable[[], type[T]],
    by: Mapping[str, str] | None = ...,
    index: str | None = ...,
    back: str | None = ...,
    cascade: Cascade = ...,
    auto_create: bool = ...,
    init: Literal[False] = ...,
) -> ToOne[T]: ...
@overload
def one_to_one(
    *attributes: str,
    to: str | None = ...,
    by: Mapping[str, str] | None = ...,
    index: str | None = ...,
    back: str | None = ...,
    cascade: Cascade = ...,
    auto_create: bool = ...,
    init: Literal[False] = ...,
) -> Any: ...
def one_to_one(
    *attributes: str,
    to: Any = None,
    by: Mapping[str, str] | None = None,
    index: str | None = None,
    back: str | None = None,
    cascade: Cascade = (),
    auto_create: bool = False,
    init: Literal[False] = False,
) -> Any:
    """Declare that one item leads to one other.

    ``profile: ToOne[Profile] = one_to_one("id")``

    See :func:`many_to_one` for what is not said here.

    Args:
        attributes: Python names of this class's attributes that have the values of the other's key, or of the index's;
            its own key attributes unless given.
        to, by, back, cascade, init: as of :func:`many_to_one`.
        index: the other's index that is queried, where the other refers to this item by attributes of no key.
        auto_create: whether ``get()`` makes and stores the other item when there is none. Its class must have defaults
            for all but the key.
    """
    return ToOne(_facts("one_to_one", attributes, to, by, index, back, cascade, auto_create=auto_create))


@overload
def one_to_many(
    *attributes: str,
    to: type[T] | Callable[[], type[T]],
    by: Mapping[str, str] | None = ...,
    index: str | None = ...,
    back: str | None = ...,
    cascade: Cascade = ...,
    init: Literal[False] = ...,
) -> ToMany[T]: ...
@overload
def one_to_many(
    *attributes: str,
    to: str | None = ...,
    by: Mapping[str, str] | None = ...,
    index: str | None = ...,
    query: Callable[[Any], Query[Any]] | None = ...,
    back: str | None = ...,
    cascade: Cascade = ...,
    init: Literal[False] = ...,
) -> Any: ...
def one_to_many(
    *attributes: str,
    to: Any = None,
    by: Mapping[str, str] | None = None,
    index: str | None = None,
    query: Callable[[Any], Query[Any]] | None = None,
    back: str | None = None,
    cascade: Cascade = (),
    init: Literal[False] = False,
) -> Any:
    """Declare that one item leads to many others.

    ``orders: ToMany[Order] = one_to_many(index="by_customer")``

    Args:
        attributes: Python names of this class's attributes that have the values of the others' key, or of the index's:
            the partition key, and any beginning of the sort key's attributes. Its own key attributes unless given.
        to, by, init: as of :func:`many_to_one`.
        index: the others' index that is queried; None: their table.
        query: a function that gives the query of the others for an instance, where attributes do not say it.
        back: name of the others' relation that leads back.
        cascade: ``"save"``: saving an instance saves those that were read or appended. ``"delete"``: deleting it
            deletes all of them that are stored.
    """
    return ToMany(_facts("one_to_many", attributes, to, by, index, back, cascade, query=query))


@overload
def many_to_many(
    through: type[Any] | Callable[[], type[Any]] | str,
    *,
    own: str | Sequence[str],
    other: str | Sequence[str],
    to: type[T] | Callable[[], type[T]],
    index: str | None = ...,
    back: str | None = ...,
    cascade: Cascade = ...,
    init: Literal[False] = ...,
) -> ManyToMany[T]: ...
@overload
def many_to_many(
    through: type[Any] | Callable[[], type[Any]] | str,
    *,
    own: str | Sequence[str],
    other: str | Sequence[str],
    to: str | None = ...,
    index: str | None = ...,
    back: str | None = ...,
    cascade: Cascade = ...,
    init: Literal[False] = ...,
) -> Any: ...
def many_to_many(
    through: Any,
    *,
    own: str | Sequence[str],
    other: str | Sequence[str],
    to: Any = None,
    index: str | None = None,
    back: str | None = None,
    cascade: Cascade = (),
    init: Literal[False] = False,
) -> Any:
    """Declare that many items of this class are linked to many others, by items of a third class (an adjacency list).

    ``tags: ManyToMany[Tag] = many_to_many("Tagging", own="post_id", other="tag")``

    Args:
        through: the class of the links: itself, a function that gives it, or its name. Its key is made of what ``own``
            and ``other`` name, so that every link is stored once.
        own: the links' attributes that hold the key of this side, partition key first.
        other: the links' attributes that hold the key of the other side.
        to, init: as of :func:`many_to_one`.
        index: the links' index in which those of one item of this side stand together; found by itself unless given.
        back: name of the other class's relation that leads back.
        cascade: ``"save"``: saving an instance saves the others that were read. ``"delete"``: deleting it deletes its
            links, never the others.
    """
    links: dict[str, Any] = {"through": through, "own": own, "other": other}
    return ManyToMany(_facts("many_to_many", (), to, None, index, back, cascade, **links))


def _facts(
    kind: Any,
    attributes: tuple[Any, ...],
    to: Any,
    by: Mapping[str, str] | None,
    index: str | None,
    back: str | None,
    cascade: Any,
    **more: Any,
) -> RelationFacts:
    return RelationFacts(
        kind=kind, attributes=attributes, to=to, by=by, index=index, back=back, cascade=cascade, **more
    )


# ---------------------------------------------------------------------- of many instances


def _prefetching(items: Iterable[Any], relations: tuple[Any, ...], consistent: bool) -> tuple[Engine, Operation[None]]:
    # An instance of a Pydantic model is iterable.
    if isinstance(items, (str, Mapping)) or not hasattr(items, "__iter__") or hasattr(type(items), "__mapped__"):
        raise UsageError(f"prefetch() takes several items: prefetch([item], ...); not one {type(items).__name__}")
    kept = list(items)
    for cls in dict.fromkeys(map(type, kept)):
        checked_relations(relations, cls)
    database = current_database()
    return database.engine, prefetching(database, kept, relations, consistent)


def prefetch(items: Iterable[Any], *relations: Relation[Any], consistent: bool = False) -> None:
    """Read what items of one class lead to, in as few requests as DynamoDB allows, and keep it with them.

    What is known already is not read again. See :meth:`Query.with_` for what it takes.

    Args:
        items: instances.
        relations: such as ``Order.customer``, or ``Post.comments.with_(Comment.author)``.
        consistent: strongly consistent reads, at twice the read units; not of global indexes.
    """
    run(*_prefetching(items, relations, consistent))


async def aprefetch(items: Iterable[Any], *relations: Relation[Any], consistent: bool = False) -> None:
    """The same as :func:`prefetch`, without blocking the event loop."""
    await arun(*_prefetching(items, relations, consistent))
