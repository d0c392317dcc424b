"""A database in a file, shared by threads and processes.

It has a connection for each thread at work, one writer at a time in this process and, by SQLite's own lock, in all;
readers never wait. Its log is written ahead (WAL), so that what was acknowledged survives the end of the process at any
moment.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

from dynawire.engines.embedded.failures import StaleTable
from dynawire.engines.embedded.files import closed, identity, open_file, replaced
from dynawire.engines.embedded.storage import Execute, Lease, Row, Rows, begin, end, on_fork, take_page

__all__ = ["FileStorage"]

_CATALOG_VERSION: Final = "SELECT value FROM meta WHERE name = 'catalog'"

# The connections of the process this one was forked from: never used, never closed.
_abandoned: list[sqlite3.Connection] = []


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
        self.definition_lock = threading.Lock()
        self._durable = durable
        self.timeout = timeout
        self._closed = False
        self._idle: list[sqlite3.Connection] = []
        self._idle.append(open_file(self._path, durable=durable, timeout=timeout))
        self._identity = identity(path)
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
            return take_page(connection.execute(sql, parameters), limit)
        finally:
            self.give(connection)

    def reading(self) -> Lease:
        return _Borrowed(self)

    def snapshot(self) -> Lease:
        return _Snapshot(self)

    def check_file(self) -> None:
        """See that the file is still the one that was opened: a write to one that was deleted would be lost.

        Raises:
            ConnectionFailed: it is not.
        """
        if identity(self._path) != self._identity:
            raise replaced(self._path)

    def writing(self) -> Lease:
        return _Writing(self, self._write_lock)

    writing_once = writing_one = writing

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
        self.definition_lock = threading.Lock()


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
            begin(connection, "BEGIN")
        except BaseException:
            self._storage.give(connection)
            raise
        return connection.execute

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            end(self._connection, commit=False)
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
            storage.check_file()
            self._connection = connection = storage.take()
            execute = connection.execute
            try:
                begin(connection, "BEGIN IMMEDIATE")
                if execute(_CATALOG_VERSION).fetchone()[0] != storage.catalog_version:
                    raise StaleTable
            except BaseException:
                end(connection, commit=False)
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
            end(self._connection, kind is None)
        finally:
            self._storage.give(self._connection)
            self._lock.release()
