"""SQLite as the operations use it: leases of connections, transactions and pages.

In memory there is one connection and one thread at a time uses it. A file has a connection for each thread at work, one
writer at a time in this process and, by SQLite's own lock, in all; readers never wait. Its log is written ahead (WAL),
so that what was acknowledged survives the end of the process at any moment.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from operator import itemgetter
from types import TracebackType
from typing import Any, Final, Protocol
from weakref import WeakSet

from dynawire.engines.embedded.failures import StaleTable
from dynawire.engines.embedded.files import closed, connect_memory, open_file
from dynawire.errors import ConnectionFailed

__all__ = [
    "MAX_PAGE",
    "CommitFailed",
    "Execute",
    "FileStorage",
    "Lease",
    "MemoryStorage",
    "Row",
    "Rows",
    "Storage",
    "on_fork",
]

MAX_PAGE: Final = 1_048_576
"""Bytes of items after which a page of a query or scan ends. The item that crosses it is the page's last."""

Execute = Callable[..., sqlite3.Cursor]
"""Runs one statement: SQL and its parameters."""

Row = tuple[Any, ...]
Rows = tuple[list[Row], int, bool]
"""Rows of which the second column is the size; the sum of the sizes; whether the page ended before the rows did."""

_CATALOG_VERSION: Final = "SELECT value FROM meta WHERE name = 'catalog'"
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
    """

    path: str | None
    catalog_version: int
    catalog_lock: threading.Lock

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

    def writing(self) -> Lease:
        """A transaction: committed at the end of the block, undone when it raises.

        Raises:
            StaleTable: another process has changed table definitions.
        """
        ...

    def close(self) -> None:
        """Further use is refused."""
        ...


class MemoryStorage:
    """A database in memory, of this process only."""

    path: str | None = None

    def __init__(self) -> None:
        self.catalog_version = 0
        self.catalog_lock = threading.Lock()
        self._connection = connect_memory()
        self._execute: Execute = self._connection.execute
        self._lock = threading.Lock()
        self._locked = _Locked(self._lock, self._connection)
        self._transaction = _LockedTransaction(self._lock, self._connection)
        on_fork(self)

    def fetch_one(self, sql: str, parameters: Sequence[Any]) -> Row | None:
        with self._lock:
            row: Row | None = self._execute(sql, parameters).fetchone()
            return row

    def fetch_page(self, sql: str, parameters: Sequence[Any], limit: int | None) -> Rows:
        with self._lock:
            return _take_page(self._execute(sql, parameters), limit)

    def reading(self) -> Lease:
        return self._locked

    snapshot = writing_once = reading

    def writing(self) -> Lease:
        return self._transaction

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __del__(self) -> None:
        # Nothing is lost that was not lost already; Python 3.13 wants connections closed.
        self._connection.close()

    def after_fork(self) -> None:
        # A copy would part from the original without a word; whoever forks wants one database.
        self._execute = _refuse_copy
        self._lock = threading.Lock()
        self._locked = self._transaction = _Refusing()  # type: ignore[assignment]


class _Locked:
    """The one connection, alone."""

    __slots__ = ("_connection", "_execute", "_lock")

    def __init__(self, lock: threading.Lock, connection: sqlite3.Connection) -> None:
        self._lock = lock
        self._connection = connection
        self._execute: Execute = connection.execute

    def __enter__(self) -> Execute:
        self._lock.acquire()
        return self._execute

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()


class _LockedTransaction(_Locked):
    """The one connection in a transaction."""

    __slots__ = ()

    def __enter__(self) -> Execute:
        self._lock.acquire()
        try:
            _begin(self._connection, "BEGIN")
        except BaseException:
            self._lock.release()
            raise
        return self._execute

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            _end(self._connection, kind is None)
        finally:
            self._lock.release()


class _Refusing:
    """What a forked process has in place of the memory of its parent."""

    def __enter__(self) -> Execute:
        _refuse_copy()
        raise AssertionError

    def __exit__(self, *_: object) -> None:
        """Never entered."""


def _refuse_copy(*_: object) -> sqlite3.Cursor:
    raise ConnectionFailed(
        "This memory: database belongs to the process that was forked; a copy would go its own way. "
        "Connect after the fork, or use sqlite:///path to share one database.",
        endpoint="memory:",
    )


class FileStorage:
    """A database in a file, shared by any number of threads and processes.

    Args:
        path: the file; made when it does not exist, its directory is not.
        durable: whether a commit waits for the disk; see :func:`open_file`.
        timeout: seconds to wait for a lock that another process holds.

    Raises:
        ConnectionFailed: it cannot be opened.
    """

    path: str | None

    def __init__(self, path: str, *, durable: bool, timeout: float) -> None:
        self.path = self._path = path
        self.catalog_version = 0
        self.catalog_lock = threading.Lock()
        self._durable = durable
        self.timeout = timeout
        self._closed = False
        self._idle: list[sqlite3.Connection] = []
        self._idle.append(open_file(self._path, durable=durable, timeout=timeout))
        self._write_lock = threading.Lock()
        on_fork(self)

    def fetch_one(self, sql: str, parameters: Sequence[Any]) -> Row | None:
        connection = self.take()
        try:
            row: Row | None = connection.execute(sql, parameters).fetchone()
            return row
        finally:
            self.give(connection)

    def fetch_page(self, sql: str, parameters: Sequence[Any], limit: int | None) -> Rows:
        connection = self.take()
        try:
            return _take_page(connection.execute(sql, parameters), limit)
        finally:
            self.give(connection)

    def reading(self) -> Lease:
        return _Borrowed(self)

    def snapshot(self) -> Lease:
        return _Snapshot(self)

    def writing(self) -> Lease:
        return _Writing(self, self._write_lock)

    writing_once = writing

    def close(self) -> None:
        self._closed = True
        while self._idle:
            self._idle.pop().close()

    def __del__(self) -> None:
        self.close()

    def take(self) -> sqlite3.Connection:
        """A connection that nobody else uses."""
        try:
            return self._idle.pop()
        except IndexError:
            if self._closed:
                raise closed() from None
            return open_file(self._path, durable=self._durable, timeout=self.timeout)

    def give(self, connection: sqlite3.Connection) -> None:
        """Return it."""
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def after_fork(self) -> None:
        # SQLite's connections must not be used, nor closed, by a child of the process that opened them.
        _abandoned.extend(self._idle)
        self._idle = []
        self._write_lock = threading.Lock()
        self.catalog_lock = threading.Lock()


class _Borrowed:
    """A connection of a file."""

    __slots__ = ("_connection", "_storage")

    def __init__(self, storage: FileStorage) -> None:
        self._storage = storage
        self._connection: sqlite3.Connection

    def __enter__(self) -> Execute:
        self._connection = self._storage.take()
        return self._connection.execute

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._storage.give(self._connection)


class _Snapshot(_Borrowed):
    """A connection that sees one state."""

    __slots__ = ()

    def __enter__(self) -> Execute:
        self._connection = connection = self._storage.take()
        try:
            _begin(connection, "BEGIN")
        except BaseException:
            self._storage.give(connection)
            raise
        return connection.execute

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            _end(self._connection, commit=False)
        finally:
            self._storage.give(self._connection)


class _Writing(_Borrowed):
    """The connection of the one writer, in a transaction."""

    __slots__ = ("_lock",)

    def __init__(self, storage: FileStorage, lock: threading.Lock) -> None:
        super().__init__(storage)
        self._lock = lock

    def __enter__(self) -> Execute:
        storage = self._storage
        self._lock.acquire()
        try:
            self._connection = connection = storage.take()
            execute = connection.execute
            try:
                _begin(connection, "BEGIN IMMEDIATE")
                if execute(_CATALOG_VERSION).fetchone()[0] != storage.catalog_version:
                    raise StaleTable
            except BaseException:
                _end(connection, commit=False)
                storage.give(connection)
                raise
        except BaseException:
            self._lock.release()
            raise
        return execute

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            _end(self._connection, kind is None)
        finally:
            self._storage.give(self._connection)
            self._lock.release()


def _begin(connection: sqlite3.Connection, statement: str) -> None:
    if connection.in_transaction:
        # Left by a thread that was interrupted at the worst moment.
        connection.execute("ROLLBACK")
    connection.execute(statement)


def _end(connection: sqlite3.Connection, commit: bool) -> None:
    if commit:
        try:
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            _end(connection, commit=False)
            if (error.sqlite_errorcode & 0xFF) == sqlite3.SQLITE_IOERR:
                raise CommitFailed from error
            raise
    elif connection.in_transaction:
        connection.execute("ROLLBACK")


def _take_page(cursor: sqlite3.Cursor, limit: int | None) -> Rows:
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
_abandoned: list[sqlite3.Connection] = []


def on_fork(owner: _Inherited) -> None:
    """Have the ``after_fork`` of an object called in every process that is forked from this one."""
    _inherited.add(owner)


def _after_fork() -> None:
    for owner in list(_inherited):
        owner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
