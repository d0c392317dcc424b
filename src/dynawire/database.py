"""Databases: where requests go. Models find the current one by themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar, Token
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from .engines.protocol import Engine
from .errors import DynawireError, SchemaError, UsageError, ValidationError
from .lifecycle import TABLE_TIMEOUT
from .mapping.indexes import IndexDeclaration
from .operations.capacity import CapacityMeter, active_meter
from .operations.mapped import mapped, not_a_class
from .operations.twins import asynchronous, sync

if TYPE_CHECKING:
    from typing import TypeAlias, Unpack

    from .external import ExternalTables
    from .key import Key
    from .mapping.class_mapping import TableKeywords
    from .mapping.layout import TableLayout
    from .operations.effects import Operation
    from .operations.params import Params
    from .operations.tables import TableDescription
    from .operations.target import Target
    from .table import Table
    from .together import AsyncTransactGet, TransactGet
    from .transaction import Transaction

    AnyTable: TypeAlias = type[Any] | Table[Any] | TableLayout

__all__ = ["WHAT_TO_WRITE", "Database", "made_current", "table_of"]

T = TypeVar("T")
P = ParamSpec("P")

MAX_TABLE_NAME = 255

_bound: ContextVar[Database | None] = ContextVar("dynawire_database", default=None)
_connected: list[Database] = []

WHAT_TO_WRITE = (
    'connect("memory:") for an engine in this process, connect("sqlite:///app.db") for one in a file, '
    'connect("dynamodb://eu-west-1") for AWS, connect("http://localhost:8000") for DynamoDB Local or another endpoint'
)


def _checked_prefix(prefix: str) -> str:
    if not isinstance(prefix, str):
        raise UsageError(f"table_prefix= takes text, not {type(prefix).__name__}; leave it out for none")
    if not all(one.isascii() and (one.isalnum() or one in "_-.") for one in prefix):
        raise DynawireError(f"table_prefix={prefix!r}: table names are made of a-z, A-Z, 0-9, '_', '-' and '.'")
    return prefix


class Database:
    """A connection to one DynamoDB, for sync and async callers, threads and event loops alike.

    Made by :func:`~dynawire.connect`. It ends with :meth:`close`, ``with`` or ``async with``.

    Attributes:
        engine: what carries the requests.
        table_prefix: put before every table name.
        allow_scan: whether classes that do not say so themselves may be scanned.
    """

    def __init__(self, engine: Engine, *, table_prefix: str = "", allow_scan: bool = True) -> None:
        self.engine = engine
        self.table_prefix = _checked_prefix(table_prefix)
        if not isinstance(allow_scan, bool):
            raise UsageError(f"allow_scan= takes True or False, not {type(allow_scan).__name__}")
        self.allow_scan = allow_scan
        self._tables: dict[type[Any], Table[Any]] = {}
        self._external_tables: ExternalTables | None = None

    def __repr__(self) -> str:
        return f"<Database {self.engine!r}>"

    _shown = "Database"

    @property
    def _engine(self) -> Engine:
        return self.engine

    # ------------------------------------------------------------------ which database

    def use(self) -> Use:
        """Make this the database of every model inside the block, in this thread or task only.

        ``with db.use():``, or ``@db.use()`` for a plain function; UsageError for one that is async or a generator.
        """
        return Use(self)

    @overload
    def table(self, model: type[T]) -> Table[T]: ...
    @overload
    def table(
        self,
        model: type[T],
        *,
        name: str,
        partition_key: str,
        sort_key: str | None = ...,
        indexes: Mapping[str, IndexDeclaration] | None = ...,
        attributes: Mapping[str, Any] | None = ...,
        **options: Unpack[TableKeywords],
    ) -> Table[T]: ...
    def table(
        self,
        model: type[T],
        *,
        name: str | None = None,
        partition_key: str | None = None,
        sort_key: str | None = None,
        indexes: Mapping[str, IndexDeclaration] | None = None,
        attributes: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Table[T]:
        """Every operation on a mapped class, on this database.

        With a name, on a class of another library: a dataclass, attrs class, msgspec Struct or TypedDict, to which
        nothing is added. The same declaration gives the same table; a class may have several tables.

        Args:
            model: the class.
            name: the table's name, without prefix.
            partition_key, sort_key: Python names of the key attributes.
            indexes: such as ``{"by_author": GlobalIndex("author")}``, for ``table.index("by_author")``.
            attributes: what is to be said of attributes beyond their types, such as ``{"title": attr(name="t")}``.
            options: how the table is made: the class keywords of a :class:`~dynawire.Model`.

        Raises:
            SchemaError: the class is not mapped to a table, or can't be; or the declaration can't work.
        """
        if name is not None or partition_key is not None:
            return self._external().table(model, name, partition_key, sort_key, indexes, attributes, options)
        if not isinstance(model, type):
            raise not_a_class(model)
        table = self._tables.get(model)
        if table is None:
            if self._external_tables is not None:
                self._external_tables.refuse_ambiguous(model)
            found = mapped(model)
            name = found.mapping.table
            if name is None:
                raise SchemaError(
                    f"{model.__name__} has no table, so it can only be nested in other classes; write class "
                    f'{model.__name__}(Model, table="...")',
                    model=model.__name__,
                )
            if len(self.table_prefix + name) > MAX_TABLE_NAME:
                raise SchemaError(
                    f"the table name {self.table_prefix + name!r} is over {MAX_TABLE_NAME} characters long; shorten "
                    "table_prefix",
                    model=model.__name__,
                )
            from .operations.target import Target
            from .table import Table

            target = Target(found, self.table_prefix + name)
            if getattr(model, "__relates__", False):
                from .relating.cascading import table_with_relations

                table = self._tables[model] = table_with_relations(self, target)
            else:
                table = self._tables[model] = Table(self, target)
        return table

    def _external(self) -> ExternalTables:
        if self._external_tables is None:
            from .external import ExternalTables

            self._external_tables = ExternalTables(self)
        return self._external_tables

    def _table_of(self, model: AnyTable) -> Table[Any]:
        if isinstance(model, type):
            return self.table(model)
        from .mapping.layout import TableLayout
        from .table import Table

        if isinstance(model, TableLayout):
            return self._table_of_layout(model)
        if not isinstance(model, Table):
            return self.table(model)
        if model.database is not self:
            raise SchemaError(f"{model!r} is a table of another database")
        return model

    def _table_of_layout(self, layout: TableLayout) -> Table[Any]:
        """The table of a single-table design as such: its generic keys, and nothing of what is in it."""
        from .operations.layouts import table_of_layout

        return self.table(table_of_layout(layout).cls)

    def _table_of_key(self, key: Key[Any]) -> Table[Any]:
        """The table a key was made from, else that of its class."""
        return key.table if key.database is self else self.table(key.model)

    # ------------------------------------------------------------------ tables

    def _create_tables(
        self,
        *models: AnyTable,
        exist_ok: bool = True,
        wait: bool = True,
        timeout: float = TABLE_TIMEOUT,
    ) -> Operation[list[str]]:
        """Create the tables of these classes, with indexes, stream and time to live (CreateTable).

        Args:
            models: mapped classes, single tables, or tables of this database.
            exist_ok: whether a table that exists already is fine. It is not changed; what it lacks that
                ``update_tables`` can mend, a :class:`~dynawire.SchemaWarning` tells.
            wait: whether to return only when they can be used.
            timeout: for how many seconds to wait for each.

        Returns:
            The full names of those that were made.

        Raises:
            TableInUse: one exists and ``exist_ok`` is false.
            SchemaError: one exists with another key, or other local indexes, than its class declares.
        """
        from .operations.table_create import create_tables

        targets = [self._table_of(model)._target for model in models]
        return create_tables(targets, exist_ok=exist_ok, wait=wait, timeout=timeout)

    def _update_tables(
        self,
        *models: AnyTable,
        delete_indexes: bool = False,
        timeout: float = TABLE_TIMEOUT,
    ) -> Operation[dict[str, list[str]]]:
        """Bring tables to what their classes declare (UpdateTable); by full name, what was done.

        See :meth:`Table.update_definition`.
        """
        done: dict[str, list[str]] = {}
        for model in models:
            table = self._table_of(model)
            done[table.name] = yield from table._update_definition(delete_indexes=delete_indexes, timeout=timeout)
        return done

    def _drop_tables(
        self,
        *models: AnyTable,
        missing_ok: bool = True,
        wait: bool = True,
        timeout: float = TABLE_TIMEOUT,
    ) -> Operation[list[str]]:
        """Delete the tables of these classes with all their items (DeleteTable); the full names of those deleted."""
        from .operations.tables import delete_table

        gone: list[str] = []
        for name in dict.fromkeys(self._table_of(model).name for model in models):
            if (yield from delete_table(name, missing_ok=missing_ok, wait=wait, timeout=timeout)):
                gone.append(name)  # noqa: PERF401 - a comprehension can't yield from
        return gone

    def _list_tables(self) -> Operation[list[str]]:
        """The full names of all tables with this database's prefix (ListTables)."""
        from .operations.tables import list_tables

        return list_tables(self.table_prefix)

    def _describe_table(self, table: type[Any] | TableLayout | str) -> Operation[TableDescription]:
        """What the service says of a table, by class or by full name (DescribeTable).

        Raises:
            TableNotFound: there is none.
        """
        if isinstance(table, str):
            from .operations.tables import describe_table

            return describe_table(table)
        return self._table_of(table)._describe()

    # ------------------------------------------------------------------ transactions

    def transaction(self, *, token: str | None = None) -> Transaction:
        """A transaction: up to 100 writes that all happen or none (TransactWriteItems).

        ``with db.transaction() as tx:`` or ``async with``; it is sent when the block ends without an error.

        Args:
            token: an idempotency token of 1 to 36 characters of your own, valid for ten minutes; made automatically.
        """
        from .transaction import Transaction

        return Transaction(self, token)

    def _transact_get(self, *keys: Key[Any]) -> Operation[tuple[Any, ...]]:
        """Up to 100 items of any tables as of one moment (TransactGetItems).

        Args:
            keys: such as ``Airport.key("TX", "DFW")``.

        Returns:
            The items in the order of the keys, typed for up to five; None stands for one that is not there.

        Raises:
            LimitExceeded: more than 100 keys.
            TransactionCancelled: transactions were in the way, at every attempt.
            DecodeError: an item does not fit its class.
        """
        from .operations.transact import transact_get

        return transact_get([self._located(key) for key in keys])

    def _located(self, key: Key[Any]) -> tuple[Target, dict[str, Any]]:
        from .key import Key

        if not isinstance(key, Key):
            raise ValidationError(
                f'transact_get() takes keys such as Airport.key("TX", "DFW"), not {type(key).__name__}'
            )
        table = self._table_of_key(key)
        return table._target, table._wire_key(key)

    @property
    def params(self) -> Params:
        """The first request each operation would send, as a dict, without sending it."""
        from .operations.params import Params

        return Params(Database, lambda: self)

    create_tables = sync(_create_tables)
    acreate_tables = asynchronous(_create_tables)
    update_tables = sync(_update_tables)
    aupdate_tables = asynchronous(_update_tables)
    drop_tables = sync(_drop_tables)
    adrop_tables = asynchronous(_drop_tables)
    list_tables = sync(_list_tables)
    alist_tables = asynchronous(_list_tables)
    describe_table = sync(_describe_table)
    adescribe_table = asynchronous(_describe_table)
    if TYPE_CHECKING:
        transact_get: TransactGet
        atransact_get: AsyncTransactGet
    else:
        transact_get = sync(_transact_get)
        atransact_get = asynchronous(_transact_get)

    # ------------------------------------------------------------------ cost

    @contextmanager
    def measure(self) -> Iterator[CapacityMeter]:
        """Add up what every call inside the block consumes (ReturnConsumedCapacity).

        It counts the calls of this thread or task, and of tasks begun inside the block, on any database. A block around
        this one counts them too.
        """
        meter = CapacityMeter(active_meter.get())
        token = active_meter.set(meter)
        try:
            yield meter
        finally:
            # In another context, where a fixture that is a generator may end, there is nothing set.
            with suppress(ValueError):
                active_meter.reset(token)

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """End every connection. The database is no longer the default of any model."""
        _forget(self)
        self.engine.close()

    async def aclose(self) -> None:
        """The same inside an event loop."""
        _forget(self)
        await self.engine.aclose()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    async def __aenter__(self) -> Database:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


class Use:
    """The block in which a database is that of every model: ``with db.use():``."""

    _meant = False
    _token: Token[Database | None]

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> Database:
        self._meant = True
        self._token = _bound.set(self._database)
        return self._database

    def __exit__(self, *exc_info: object) -> None:
        try:
            _bound.reset(self._token)
        except ValueError:
            # The block ends in another context than it began in, as those of fixtures and dependencies that are
            # generators may: there is nothing set here, nor was there for what ran here meanwhile.
            import warnings

            warnings.warn(
                "a `with db.use():` block ended in another context than it began in; what ran in this one did not "
                "use its database: write a dependency or fixture that yields inside the block as an async "
                "generator or as middleware, or call db.table(...)",
                RuntimeWarning,
                stacklevel=2,
            )

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """The function, run inside the block.

        Raises:
            UsageError: what it gives runs later, when the block is over: a coroutine or a generator.
        """
        from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction

        self._meant = True
        if iscoroutinefunction(function) or isgeneratorfunction(function) or isasyncgenfunction(function):
            name = getattr(function, "__qualname__", "it")
            raise UsageError(
                f"@db.use() would be over before {name}() runs: it gives a coroutine or a generator; write "
                "`with db.use():` inside it"
            )

        @wraps(function)
        def using(*args: P.args, **keywords: P.kwargs) -> T:
            with Use(self._database):
                return function(*args, **keywords)

        return using

    def __del__(self) -> None:
        if not self._meant:
            import warnings

            warnings.warn(
                "db.use() by itself binds nothing: write `with db.use():` around what is for this database, or "
                "db.table(...); a model's default is the database connected last",
                RuntimeWarning,
                stacklevel=2,
            )


def made_current(database: Database) -> None:
    """Make a database that was just connected the default of every model."""
    _connected.append(database)


def _forget(database: Database) -> None:
    _connected[:] = [one for one in _connected if one is not database]


def current_database() -> Database:
    """The database of this block or task, else the one connected last.

    Raises:
        DynawireError: there is none.
    """
    database = _bound.get()
    if database is not None:
        return database
    if _connected:
        return _connected[-1]
    raise DynawireError(f"no database is connected; write {WHAT_TO_WRITE}")


def table_of(model: type[T]) -> Table[T]:
    """Every operation on a mapped class, on the current database."""
    database = _bound.get()
    if database is None:
        database = _connected[-1] if _connected else current_database()
    table = database._tables.get(model)
    return table if table is not None else database.table(model)
