"""``Key[T]``: one item of a mapped class, without reading it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .database import table_of
from .expressions import Condition, Update
from .operations.effects import Operation
from .operations.params import Params
from .operations.twins import asynchronous, sync

if TYPE_CHECKING:
    from .database import Database
    from .engines.protocol import Engine
    from .table import Table

__all__ = ["ConditionLike", "Key"]

T_co = TypeVar("T_co", covariant=True)

ConditionLike = Condition | Mapping[str, Any] | Sequence[Condition | Mapping[str, Any]] | None
"""What a condition can be given as: itself, lookups as a mapping, or several that must all hold."""


class Key(Generic[T_co]):
    """The key of one item: write it without reading it first. ``Airport.key("TX", "DFW").update(...)``.

    Each method is the one of :class:`Table` with this key as its item.
    """

    __slots__ = ("_table", "model", "values")

    def __init__(self, model: type[T_co], values: tuple[Any, ...], table: Table[T_co] | None = None) -> None:
        self.model = model
        self.values = values
        self._table = table

    @property
    def table(self) -> Table[T_co]:
        """The table it belongs to: the one it was made from, else the class's on the current database."""
        return table_of(self.model) if self._table is None else self._table

    @property
    def database(self) -> Database | None:
        """The database of the table it was made from, or None."""
        return None if self._table is None else self._table.database

    @property
    def table_name(self) -> str | None:
        """The full name of the table it was made from, or None."""
        return None if self._table is None else self._table.name

    _shown = "Key"

    @property
    def _engine(self) -> Engine:
        return self.table._engine

    def _get(self, *, consistent: bool = False) -> Operation[T_co | None]:
        """See :meth:`Table.get`."""
        return self.table._get(*self.values, consistent=consistent)

    def _get_one(self, *, consistent: bool = False) -> Operation[T_co]:
        """See :meth:`Table.get_one`."""
        return self.table._get_one(*self.values, consistent=consistent)

    def _exists(self, *, consistent: bool = False) -> Operation[bool]:
        """See :meth:`Table.exists`."""
        return self.table._exists(*self.values, consistent=consistent)

    def _update(
        self,
        /,
        *updates: Update,
        condition: ConditionLike = None,
        upsert: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
        **changes: Any,
    ) -> Operation[T_co]:
        """See :meth:`Table.update`; gives the item as it now is."""
        return self.table._update(
            self,
            *updates,
            condition=condition,
            upsert=upsert,
            exactly_once=exactly_once,
            expected_version=expected_version,
            **changes,
        )

    def _delete(
        self,
        *,
        condition: ConditionLike = None,
        must_exist: bool = False,
        return_old: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
    ) -> Operation[T_co | None]:
        """See :meth:`Table.delete`."""
        return self.table._delete(
            self,
            condition=condition,
            must_exist=must_exist,
            return_old=return_old,
            exactly_once=exactly_once,
            expected_version=expected_version,
        )

    get = sync(_get)
    aget = asynchronous(_get)
    get_one = sync(_get_one)
    aget_one = asynchronous(_get_one)
    exists = sync(_exists)
    aexists = asynchronous(_exists)
    update = sync(_update)
    aupdate = asynchronous(_update)
    delete = sync(_delete)
    adelete = asynchronous(_delete)

    @property
    def params(self) -> Params:
        """The request each operation would send, as a dict, without sending it."""
        return Params(Key, lambda: self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Key) and (self.model, self.values) == (other.model, other.values)

    def __hash__(self) -> int:
        return hash((self.model, self.values))

    def __repr__(self) -> str:
        # The values are part of an item, so they are not shown.
        return f"<Key of {self.model.__name__}>"
