"""``Order.customer``: a relation of a class, as queries take it, to read the items it leads to together with others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ..errors import DynawireError, ExpressionError
from ..operations.at_once import at_once
from ..operations.effects import Operation
from .reading import read_missing
from .relationship import Relationship, relationships

if TYPE_CHECKING:
    from ..database import Database

__all__ = ["Relation", "checked_relations", "prefetch"]

T = TypeVar("T")


class Relation(Generic[T]):
    """A relation of a class: ``Order.customer``. On an instance the same name is the other item, or the others.

    It is for what reads along relations: ``Order.query(...).with_(Order.customer)``, ``prefetch(orders,
    Order.customer)``.
    """

    __slots__ = ("_then", "name", "owner")

    def __init__(self, owner: type[Any], name: str, then: tuple[Relation[Any], ...] = ()) -> None:
        self.owner = owner
        self.name = name
        self._then = then

    def with_(self, *relations: Relation[Any]) -> Relation[T]:
        """The same, and from the items it leads to further: ``Post.comments.with_(Comment.author)``.

        Raises:
            ExpressionError: these are no relations of the class it leads to.
            SchemaError: one of them can't work.
        """
        return Relation(self.owner, self.name, self._then + checked_relations(relations, self.resolved.target))

    @property
    def resolved(self) -> Relationship:
        """What it means.

        Raises:
            SchemaError: it can't work.
        """
        return relationships(self.owner)[self.name]

    def __repr__(self) -> str:
        return f"<relation {self.owner.__name__}.{self.name}>"


def checked_relations(given: Sequence[Any], cls: type[Any]) -> tuple[Relation[Any], ...]:
    """Relations that lead on from the items of a class.

    Raises:
        ExpressionError: they are none, or of another class.
        SchemaError: one of them can't work.
    """
    if not given:
        raise ExpressionError(f"with_() needs at least one relation of {cls.__name__}")
    for one in given:
        if not isinstance(one, Relation):
            raise ExpressionError(
                f"with_() takes relations of {cls.__name__}, such as Order.customer; not {type(one).__name__}"
            )
        if not issubclass(cls, one.owner):
            raise ExpressionError(f"{one!r} is of {one.owner.__name__}, and the items are of {cls.__name__}")
        one.resolved  # noqa: B018 - now, so that a mistake in the declaration is told before anything is sent
    return tuple(given)


def prefetch(
    database: Database, items: Iterable[Any], relations: Sequence[Relation[Any]], consistent: bool = False
) -> Operation[None]:
    """Read what items lead to, as far as they do not know it, and keep it with them."""
    kept = list(items)
    if not kept:
        return
    for outcome in (yield from at_once([_along(database, kept, relation, consistent) for relation in relations])):
        if isinstance(outcome, DynawireError):
            raise outcome


def _along(database: Database, items: list[Any], relation: Relation[Any], consistent: bool) -> Operation[None]:
    others = yield from read_missing(database, items, relation.resolved, consistent)
    if relation._then:
        yield from prefetch(database, others, relation._then, consistent)
