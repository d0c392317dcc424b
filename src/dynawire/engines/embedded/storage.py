"""SQLite as the operations use it: leases of connections, transactions and pages, in memory or in a file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from operator import itemgetter
from types import TracebackType
from typing import Any, Final, Protocol
from weakref import WeakSet

__all__ = [
    "MAX_PAGE",
    "CommitFailed",
    "Execute",
    "Lease",
    "Row",
    "Rows",
    "Storage",
    "begin",
    "end",
    "on_fork",
    "take_page",
]

MAX_PAGE: Final = 1_048_576
"""Bytes of items after which a page of a query or scan ends. The item that crosses it is the page's last."""

Execute = Callable[..., sqlite3.Cursor]
"""Runs one statement: SQL and its parameters."""

Row = tuple[Any, ...]
Rows = tuple[list[Row], int, bool]
"""Rows of which the second column is the size; the sum of the sizes; whether the page ended before the rows did."""

# All is written, but the disk did not say that it is safe there.
_IN_DOUBT: Final = (sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC)

_size_of = itemgetter(1)


class CommitFailed(Exception):
    """A commit failed in a way that leaves open whether it will be found applied."""


class Lease(Protocol):
    """A connection for as long as a ``with`` block lasts."""

    def __enter__(self) -> Execute: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...


class Storage(Protocol):
    """Where the tables are.

    Attributes:
        path: the file, or None in memory.
        catalog_version: the version of the table definitions that are in use; set by the catalog.
        catalog_lock: held while they are read.
        definition_lock: held while one is changed, so that threads wait for each other and do not start over.
    """

    path: str | None
    catalog_version: int
    catalog_lock: threading.Lock
    definition_lock: threading.Lock

    def fetch_one(self, sql: str, parameters: Sequence[Any]) -> Row | None:
        """The first row of a query, or None."""
        ...

    def fetch_page(self, sql: str, parameters: Sequence[Any], limit: int | None) -> Rows:
        """Rows until a page is full. The statement itself keeps to the limit."""
        ...

    def reading(self) -> Lease:
        """For several queries, each of which may see another state."""
        ...

    def snapshot(self) -> Lease:
        """For several queries that see one state."""
        ...

    def writing_once(self) -> Lease:
        """For one statement that writes."""
        ...

    def writing_one(self) -> Lease:
        """For queries and then one statement that writes, as :meth:`writing`."""
        ...

    def writing(self) -> Lease:
        """A transaction: committed at the end of the block, undone when it raises.

        Raises:
            StaleTable: another process has changed table definitions.
        """
        ...

    def close(self) -> None:
        """Further use is refused."""
        ...


def begin(connection: sqlite3.Connection, statement: str) -> None:
    if connection.in_transaction:
        # Left by a thread that was interrupted at the worst moment.
        connection.execute("ROLLBACK")
    connection.execute(statement)


def end(connection: sqlite3.Connection, commit: bool) -> None:
    if commit:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            end(connection, commit=False)
            if error.sqlite_errorcode in _IN_DOUBT:
                raise CommitFailed from error
            raise
    elif connection.in_transaction:
        connection.execute("ROLLBACK")


def take_page(cursor: sqlite3.Cursor, limit: int | None) -> Rows:
    """Rows until there are no more, the limit is reached or the page is full."""
    rows: list[Row] = []
    size = 0
    wanted = 128 if limit is None else min(limit, 128)
    while True:
        chunk = cursor.fetchmany(wanted)
        total = sum(map(_size_of, chunk))
        if size + total > MAX_PAGE:
            for row in chunk:
                rows.append(row)
                size += row[1]
                if size > MAX_PAGE:
                    break
            cursor.close()
            return rows, size, True
        rows += chunk
        size += total
        if len(rows) == limit:
            cursor.close()
            return rows, size, True
        if len(chunk) < wanted:
            return rows, size, False
        # As many as will probably fit; items of one table are mostly of one size.
        wanted = max(1, min(1024, (MAX_PAGE - size) * len(rows) // max(size, 1) + 1))
        if limit is not None:
            wanted = min(wanted, limit - len(rows))


class _Inherited(Protocol):
    def after_fork(self) -> None: ...


_inherited: WeakSet[_Inherited] = WeakSet()


def on_fork(owner: _Inherited) -> None:
    """Have the ``after_fork`` of an object called in every process that is forked from this one."""
    _inherited.add(owner)


def _after_fork() -> None:
    for owner in list(_inherited):
        owner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
