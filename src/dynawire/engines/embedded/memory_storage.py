"""A database in memory: one connection, which one thread at a time uses."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from dynawire.engines.embedded.files import connect_memory
from dynawire.engines.embedded.storage import Execute, Lease, Row, Rows, begin, end, on_fork, take_page
from dynawire.errors import ConnectionFailed

__all__ = ["MemoryStorage"]


class MemoryStorage:
    """A database in memory, of this process only."""

    path: str | None = None

    def __init__(self) -> None:
        self.catalog_version = 0
        self.catalog_lock = threading.Lock()
        self.definition_lock = threading.Lock()
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
            return take_page(self._execute(sql, parameters), limit)

    def reading(self) -> Lease:
        return self._locked

    # Nobody else has the connection meanwhile, and one statement is a transaction by itself.
    snapshot = writing_once = writing_one = reading

    def writing(self) -> Lease:
        return self._transaction

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def __del__(self) -> None:
        # Nothing is lost that was not lost already; Python 3.13 wants connections closed.
        if (connection := getattr(self, "_connection", None)) is not None:
            connection.close()

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
        try:
            if self._connection.in_transaction:
                # Left by a thread that was interrupted at the worst moment.
                self._connection.execute("ROLLBACK")
        except BaseException:
            self._lock.release()
            raise
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
            begin(self._connection, "BEGIN")
        except BaseException:
            self._lock.release()
            raise
        return self._execute

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            end(self._connection, kind is None)
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
