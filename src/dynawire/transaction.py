"""Transactions: several writes that all happen, or none."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from .errors import ExpressionError, UsageError
from .expressions import Update
from .key import ConditionLike, Key
from .operations.delete import prepare_check
from .operations.drivers import arun, run
from .operations.effects import Operation
from .operations.hooked import HookedWrite, hooked_call, transact_hooked, written_by
from .operations.put import prepare_insert, prepare_put
from .operations.save import prepare_save
from .operations.target import Target
from .operations.transact import new_token, transact_params
from .operations.update import all_updates
from .operations.write import Write
from .table import Table

if TYPE_CHECKING:
    from .database import Database

__all__ = ["Transaction"]

T = TypeVar("T")


class Transaction:
    """Up to 100 writes on any tables of one database, applied together (TransactWriteItems).

    Nothing is sent until the block ends; an error inside it sends nothing. It carries an idempotency token, so a lost
    response is retried safely, and it is retried while other transactions are in its way. It costs twice the write
    units.

    An instance changes only after the transaction succeeded. Values that an ``update`` computes are not returned by
    DynamoDB: ``refresh()`` the instance to see them.

    Attributes:
        token: the idempotency token. After :class:`~dynawire.OutcomeUnknown` the same operations can be sent again with
            it, within ten minutes, and are applied once.

    Raises (at the end of the block):
        TransactionCancelled: with one typed reason per operation, in order.
        LimitExceeded: more than 100 operations, or over 4 MB; nothing was sent.
        ExpressionError: two operations on one item; nothing was sent.
    """

    def __init__(self, database: Database, token: str | None) -> None:
        if token is not None and not 1 <= len(token) <= 36:
            raise ExpressionError("an idempotency token has 1 to 36 characters")
        self._database = database
        self.token = new_token() if token is None else token
        self._writes: list[Write | HookedWrite] = []
        self._done = False
        # Whether it was begun, or only looked at: else what it holds is lost.
        self._meant = False

    # Type checkers refuse these by themselves.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            from .misuse import missing_from_transaction

            raise missing_from_transaction(self, name)

    def insert(self, item: Any, *, condition: ConditionLike = None, table: Table[Any] | None = None) -> None:
        """Store a new item; the transaction is cancelled when there is one with this key.

        Args:
            item: an instance.
            condition: what must hold besides.
            table: the item's table, for an instance whose class does not tell: a dict of a TypedDict, or a class that
                has several tables.
        """
        table = self._table(item, table)
        target, required = table._target, table._condition(condition)
        self._write(target, "insert", item, lambda: prepare_insert(target, item, required))

    def put(
        self,
        item: Any,
        *,
        condition: ConditionLike = None,
        table: Table[Any] | None = None,
        check: Literal["loaded"] | None = None,
    ) -> None:
        """Store an item whole, replacing what is there; ``table`` as in :meth:`insert`, ``check`` as in
        :meth:`Table.put`.
        """
        table = self._table(item, table)
        target, required = table._target, table._condition(condition)
        self._write(target, "put", item, lambda: prepare_put(target, item, required, check=check))

    def save(
        self,
        item: Any,
        *,
        condition: ConditionLike = None,
        table: Table[Any] | None = None,
        check: Literal["loaded"] | None = None,
    ) -> None:
        """Write what changed since the item was loaded, if anything did; ``table`` as in :meth:`insert`, ``check`` as
        in :meth:`Table.save`.
        """
        table = self._table(item, table)
        target, required = table._target, table._condition(condition)
        self._write(target, "save", item, lambda: prepare_save(target, item, required, check=check))

    def update(
        self,
        item: Any,
        *updates: Update,
        condition: ConditionLike = None,
        upsert: bool = False,
        expected_version: int | None = None,
        **changes: Any,
    ) -> None:
        """Change attributes in place; ``item`` is an instance or a key. See :meth:`Table.update`."""
        table = self._table(item)
        every = all_updates(table._target, updates, changes)

        def prepare() -> Write:
            return table._prepare_update(item, every, {}, condition, upsert, expected_version)

        self._write(table._target, "update", table._instance(item), prepare, table._key_values(item), every)

    def delete(
        self,
        item: Any,
        *,
        condition: ConditionLike = None,
        must_exist: bool = False,
        expected_version: int | None = None,
        check: Literal["loaded"] | None = None,
    ) -> None:
        """Delete an item, by instance or key; ``check`` as in :meth:`Table.delete`."""
        table = self._table(item)

        def prepare() -> Write:
            return table._prepare_delete(item, condition, must_exist, False, expected_version, check)

        self._write(table._target, "delete", table._instance(item), prepare, table._key_values(item))

    def check(self, item: Any, condition: ConditionLike, *more: ConditionLike) -> None:
        """Cancel the transaction unless this holds of an item that it does not write (ConditionCheck)."""
        table = self._table(item)
        found = table._condition([condition, *more])  # type: ignore[list-item]
        if found is None:
            raise ExpressionError("check() needs a condition")
        self._add(prepare_check(table._target, table._wire_key(item), found))

    def params(self) -> dict[str, Any]:
        """The request as it now stands, without sending it."""
        self._meant = True
        return transact_params(written_by(self._writes), self.token)

    def __len__(self) -> int:
        return len(self._writes)

    def _table(self, item: Any, table: Table[Any] | None = None) -> Table[Any]:
        if table is not None:
            if table.database is not self._database:
                raise ExpressionError(f"{table!r} is a table of another database than the transaction's")
            return table
        if isinstance(item, Key):
            return self._database._table_of_key(item)
        if type(item) is dict:
            raise ExpressionError(
                "a dict does not tell its table: write table=... to insert, put or save it, and table.key(...) to "
                "update, delete or check it"
            )
        kind = type(item)
        if isinstance(item, type) or kind.__module__ == "builtins":
            what = f"the class {item.__name__} itself" if isinstance(item, type) else f"{kind.__name__}"
            raise UsageError(
                f"a transaction takes instances, and to update, delete or check one a key such as Airport.key(...); "
                f"not {what}"
            )
        return self._database.table(kind)

    def _write(
        self,
        target: Target,
        operation: str,
        instance: Any,
        prepare: Callable[[], Write | None],
        key: tuple[Any, ...] | None = None,
        updates: list[Update] | None = None,
    ) -> None:
        """Add a write: as it now is, or, where hooks may change it, as it is when the transaction is sent."""
        call = hooked_call(target, operation, instance, key, updates)
        if call is not None:
            self._add(HookedWrite(call, prepare))
            return
        write = prepare()
        if write is not None:
            self._add(write)

    def _add(self, write: Write | HookedWrite) -> None:
        self._refuse_second_use()
        self._writes.append(write)

    def _sending(self) -> Operation[int]:
        return transact_hooked(self._writes, self.token)

    def _finish(self, error: type[BaseException] | None) -> bool:
        self._done = True
        return error is None and bool(self._writes)

    def _refuse_second_use(self) -> None:
        if self._done:
            raise ExpressionError("this transaction was sent already; begin another with db.transaction()")

    def __enter__(self) -> Transaction:
        self._refuse_second_use()
        self._meant = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._finish(kind):
            run(self._database.engine, self._sending())

    async def __aenter__(self) -> Transaction:
        self._refuse_second_use()
        self._meant = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._finish(kind):
            await arun(self._database.engine, self._sending())

    def __del__(self) -> None:
        # Without __init__ having ended there is nothing to lose.
        if getattr(self, "_writes", None) and not self._meant:
            import warnings

            warnings.warn(
                f"{self!r} was never begun, so nothing of it was sent; write `with db.transaction() as tx:` (or `async "
                "with`) around its operations",
                RuntimeWarning,
                stacklevel=2,
                source=self,
            )

    def __repr__(self) -> str:
        return f"<Transaction of {len(self._writes)} operations>"
