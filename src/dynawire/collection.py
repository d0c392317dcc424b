"""Collections: items of several classes of a single table, read together by one query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, Never, TypeVar

from .database import current_database
from .errors import ExpressionError
from .many import whole_number
from .mapping.layout import TableLayout
from .operations.collecting import Unclaimed, by_name, collect, collection_plan, members_of, refuse_others
from .operations.params import Params
from .operations.twins import asynchronous, sync

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .operations.effects import Operation

__all__ = ["Collected", "Collection", "member_names"]

T = TypeVar("T")
C = TypeVar("C")


class Collected(Generic[T]):
    """What a collection found: iterates over the items in their order, and has a list for each class.

    ``found.users``, ``found.orders`` are lists by the classes' names in the plural (or by the names that were given to
    ``collection()``); ``found.of(User)`` is the same, and typed.

    Attributes:
        items: the items of the classes asked for, in the order of the sort key.
        others: the items of other classes, known or not, that stand among them, in DynamoDB's JSON.
        cursor: with a limit, what to go on with (``after(cursor)``); None at the end.
    """

    def __init__(self, members: Mapping[str, type[Any]], found: list[Any], cursor: str | None) -> None:
        self._members = members
        self.items: list[T] = [one for one in found if not isinstance(one, Unclaimed)]
        self.others: list[dict[str, Any]] = [one.item for one in found if isinstance(one, Unclaimed)]
        self.cursor = cursor

    def of(self, model: type[C]) -> list[C]:
        """The items of one of the classes.

        Raises:
            ExpressionError: the class was not asked for.
        """
        if model not in self._members.values():
            raise ExpressionError(f"{model.__name__} is not in this collection of {_listed(self._members)}")
        return [one for one in self.items if isinstance(one, model)]

    def __getattr__(self, name: str) -> list[Any]:
        members = self.__dict__.get("_members", {})
        if name in members:
            return self.of(members[name])
        raise AttributeError(f"this collection has {', '.join(members)}; not {name!r}")

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._members]

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        others = f", and {len(self.others)} others" if self.others else ""
        return f"<Collected: {len(self.items)} of {_listed(self._members)}{others}>"


class Collection(Generic[T]):
    """Classes of a single table whose items stand in one partition, to be read together.

    Made by :meth:`SingleTable.collection`. It never changes: every step gives a new one. It reads on the current
    database.
    """

    def __init__(
        self, layout: TableLayout, members: Mapping[str, type[Any]], index: str | None, **options: Any
    ) -> None:
        self._layout = layout
        self._members = dict(members)
        self._index = index
        self._options = {"reverse": False, "consistent": False, "limit": None, "after": None, **options}

    def _with(self, **options: Any) -> Collection[T]:
        return Collection(self._layout, self._members, self._index, **{**self._options, **options})

    def reverse(self, reverse: bool = True) -> Collection[T]:
        """Descending order of the sort key."""
        return self._with(reverse=reverse)

    def consistent(self, consistent: bool = True) -> Collection[T]:
        """Strongly consistent reads, at twice the read units. A global index has none."""
        if consistent and self._index is not None and self._layout.indexes[self._index].is_global:
            raise ExpressionError(f"the global index {self._index} is eventually consistent by nature")
        return self._with(consistent=consistent)

    def limit(self, count: int | None) -> Collection[T]:
        """Read at most this many items, others among them; ``cursor`` of what is found leads on."""
        if count is not None:
            whole_number("limit", count, 1)
        return self._with(limit=count)

    def after(self, cursor: str | None) -> Collection[T]:
        """Go on after this cursor; None begins."""
        return self._with(after=cursor)

    def _query(self, /, *values: Never, **key: Any) -> Operation[Collected[T]]:
        """The items of one partition (Query, as many pages as it takes).

        Args:
            values: none: what stands by position has no name.
            key: the attributes that the partition key is composed of, by Python name.

        Raises:
            UsageError: something is given by position.
            ExpressionError: one is missing or unknown, or the classes do not stand in one partition.
            DecodeError: an item does not fit its class.
        """
        database = current_database()
        targets = [database.table(model)._target for model in self._members.values()]
        members = members_of(self._layout, targets, self._index)
        if values:
            raise by_name(members)
        plan = collection_plan(
            self._layout,
            members,
            key,
            index=self._index,
            reverse=self._options["reverse"],
            consistent=self._options["consistent"],
        )
        items, cursor = yield from collect(plan, self._options["limit"], self._options["after"])
        return Collected(self._members, items, cursor)

    _shown = "Collection"
    query = sync(_query)
    aquery = asynchronous(_query)

    @property
    def params(self) -> Params:
        """The request it would send, as a dict, without sending it: ``collection.params.query(user_id="1")``."""
        return Params(Collection, lambda: self)

    @property
    def _engine(self) -> Engine:
        return current_database().engine

    def __repr__(self) -> str:
        return f"<Collection of {_listed(self._members)}>"


def member_names(
    layout: TableLayout, models: tuple[type[Any], ...], named: Mapping[str, type[Any]]
) -> dict[str, type[Any]]:
    """The names under which the items of each class are found.

    Raises:
        UsageError: one is no class.
        ExpressionError: there is none, one is not in the table, two have one name, or it is that of something else.
    """
    refuse_others(layout, [*models, *named.values()])
    found: dict[str, type[Any]] = {}
    for name, model in [*((_plural(model.__name__), model) for model in models), *named.items()]:
        if (
            name in found
            or model in found.values()
            or hasattr(Collected, name)
            or name in ("items", "others", "cursor")
        ):
            raise ExpressionError(
                f"{model.__name__} can't be found under the name {name!r}, which is taken; give it another: "
                f"collection(..., some_name={model.__name__})"
            )
        found[name] = model
    if not found:
        raise ExpressionError("collection() takes the classes that are read together: collection(User, Order)")
    return found


def _plural(name: str) -> str:
    """The name of a class in snake case and in the plural: OrderLine is order_lines, Category categories."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    if snake.endswith(("s", "x", "z", "ch", "sh")):
        return f"{snake}es"
    if snake.endswith("y") and snake[-2:-1] not in "aeiou":
        return f"{snake[:-1]}ies"
    return f"{snake}s"


def _listed(members: Mapping[str, type[Any]]) -> str:
    return ", ".join(model.__name__ for model in members.values())
