"""``Table[T]``: every operation on one mapped class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .batch import TableBatches
from .errors import ExpressionError, ValidationError
from .finding import TableFinding
from .keeping import TableKeeping
from .key import Key
from .lifecycle import TABLE_TIMEOUT, TableLifecycle
from .migrating import TableMigrating
from .operations.effects import Operation
from .operations.get import get_existing, get_item, item_exists, refresh_item
from .operations.own_key import own_key
from .operations.params import Params
from .operations.put import bare_put
from .operations.target import Target, key_values
from .operations.twins import asynchronous, mark_coroutine_functions, sync
from .writing import TableWriting

if TYPE_CHECKING:
    from .database import Database
    from .expressions import Condition, Paths
    from .query import Index, Query

__all__ = ["TABLE_TIMEOUT", "Table"]

T = TypeVar("T")


class Table(
    TableWriting[T], TableBatches[T], TableFinding[T], TableKeeping[T], TableLifecycle, TableMigrating, Generic[T]
):
    """One mapped class on one database: every operation, each also as its a-twin for asyncio.

    Made by :meth:`Database.table`. Thread-safe; it holds no state of its own.

    Errors that any operation may raise: :class:`~dynawire.TableNotFound`, :class:`~dynawire.Throttled`,
    :class:`~dynawire.CredentialsError`, :class:`~dynawire.ConnectionFailed`, :class:`~dynawire.ServiceError`; those
    that write also :class:`~dynawire.OutcomeUnknown`, when the response to a request that must not be repeated was
    lost.
    """

    def __init__(self, database: Database, target: Target) -> None:
        self.database = database
        self._target = target
        # In a family it depends on what is put, and on what it replaces.
        self._bare_put = bare_put(target) if target.family is None else None
        self._engine = database.engine
        self._shown = target.plan.name

    @property
    def name(self) -> str:
        """The table's full name, prefix included."""
        return self._target.table_name

    @property
    def paths(self) -> Paths:
        """The path of each attribute, by Python name: ``table.paths.title``, ``table.paths["title"]``.

        For conditions, updates and projections of classes that have no paths of their own.
        """
        from .expressions import Paths

        return Paths(self._target.mapped.paths, self._target.plan.name)

    @property
    def model(self) -> type[T]:
        """The mapped class."""
        cls: type[T] = self._target.cls
        return cls

    def __repr__(self) -> str:
        return f"<Table {self.name} of {self._target.plan.name}>"

    # ------------------------------------------------------------------ one item by key

    def key(self, *key: Any, **by_name: Any) -> Key[T]:
        """The key of one item, to write it without reading it first."""
        return Key(self._target.cls, key_values(self._target.plan, key, by_name), self)

    def _get(self, /, *key: Any, consistent: bool = False, **by_name: Any) -> Operation[T | None]:
        """The item with this key, or None (GetItem).

        Args:
            key: the partition key's value, then the sort key's when there is one.
            consistent: a strongly consistent read, at twice the read units.
            by_name: the same by attribute name.

        Raises:
            ValidationError: this can't be a key of the class.
            DecodeError: the stored item does not fit the class.
        """
        return get_item(self._target, key, by_name, consistent)

    def _get_one(self, /, *key: Any, consistent: bool = False, **by_name: Any) -> Operation[T]:
        """The item with this key (GetItem); see :meth:`get`.

        Raises:
            ItemNotFound: there is none.
        """
        return get_existing(self._target, key, by_name, consistent)

    def _exists(self, /, *key: Any, consistent: bool = False, **by_name: Any) -> Operation[bool]:
        """Whether there is an item with this key (GetItem of the key alone). It costs as much as reading the item."""
        return item_exists(self._target, key, by_name, consistent)

    def _key_values(self, item: Any) -> tuple[Any, ...]:
        """The primary key of an instance, a Key, a tuple or, for a table without sort key, a single value."""
        plan = self._target.plan
        if isinstance(item, self._target.kind):
            return own_key(self._target, item)
        if isinstance(item, Key):
            if item.model is not self._target.cls and not issubclass(self._target.kind, item.model):
                raise ValidationError(f"this is a key of {item.model.__name__}, not of {plan.name}", model=plan.name)
            if item.database not in (None, self.database):
                raise ValidationError(
                    f"this key of {plan.name} was made by the table of another database", model=plan.name
                )
            if item.table_name not in (None, self.name):
                raise ValidationError(
                    f"this key of {plan.name} is of the table {item.table_name}, not of {self.name}", model=plan.name
                )
            return item.values
        if isinstance(item, tuple):
            return item
        if hasattr(type(item), "__mapping__"):
            raise ValidationError(f"expected {plan.name}, got {type(item).__name__}", model=plan.name)
        return (item,)

    def _refresh(self, item: T, *, consistent: bool = True) -> Operation[None]:
        """Read the item again and take all its values, dropping local changes (GetItem).

        Raises:
            ItemNotFound: it was deleted; the instance stays as it is.
        """
        return refresh_item(self._target, item, consistent)

    # ------------------------------------------------------------------ many items

    def query(self, *arguments: Any, **lookups: Any) -> Query[T]:
        """Items with this partition key (DynamoDB's Query), in the order of the sort key.

        Args:
            arguments: the partition key's value, then a value or one condition for the sort key, and any filter
                conditions.
            lookups: the same by name: ``query(state="TX", iata__begins_with="D", visits__gt=3)``.

        Raises:
            ExpressionError: there is no value for the partition key, or the sort key's condition is not one DynamoDB
                has.
        """
        # By their whole names: inside a function, a relative import takes twice as long.
        from dynawire.operations.reads import read_of_query
        from dynawire.query import Query

        return Query(self, read_of_query(self._target, None, arguments, lookups))

    def scan(self, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Query[T]:
        """All items of the table (DynamoDB's Scan), filtered by these conditions. It reads, and costs, the whole
        table.

        Raises:
            ScanNotAllowed: when items are read: the model or the database has ``allow_scan=False``, and
                ``.allow_scan()`` was not asked for.
        """
        from .query import scan_of

        return scan_of(self, None, conditions, lookups)

    def index(self, name: str) -> Index[T]:
        """A secondary index by the name of its class attribute."""
        from .query import Index

        definition = self._target.mapped.mapping.indexes.get(name)
        if definition is None:
            known = ", ".join(self._target.mapped.mapping.indexes) or "none"
            raise ExpressionError(f"{self._target.plan.name} has no index {name!r}; its indexes: {known}")
        return Index(self._target.cls, definition, self)

    get = sync(_get)
    aget = asynchronous(_get)
    get_one = sync(_get_one)
    aget_one = asynchronous(_get_one)
    exists = sync(_exists)
    aexists = asynchronous(_exists)
    refresh = sync(_refresh)
    arefresh = asynchronous(_refresh)

    @property
    def params(self) -> Params:
        """The request each operation would send, as a dict, without sending it: ``table.params.get("TX", "DFW")``."""
        return Params(Table, lambda: self)


mark_coroutine_functions()
