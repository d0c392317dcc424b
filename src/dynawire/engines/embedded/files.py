"""The database file: making one, knowing one's own, and what is to be done when SQLite cannot."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import Final

from dynawire.errors import ConnectionFailed, DynawireError

__all__ = [
    "cannot_use",
    "closed",
    "connect_memory",
    "damaged",
    "identity",
    "is_missing_table",
    "open_file",
    "replaced",
]

APPLICATION: Final = 0x64796E77
"""``dynw``: SQLite's application id of files that are dynawire's."""

FORMAT: Final = 1
"""SQLite's user version: the version of the layout below."""

# The first with "ON CONFLICT DO UPDATE".
_SQLITE: Final = (3, 24, 0)

# Of pages with 8 KB, items of up to 2 KB lie inside; larger ones take pages of their own.
_PAGE_SIZE: Final = 8192

# Bytes to which the log is cut after it was written back.
_LOG_SIZE: Final = 64 * 1024 * 1024

_LAYOUT: Final = (
    # catalog: counts the changes to table definitions. next: the next number of a table or index.
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE tables (name TEXT PRIMARY KEY, definition BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE tokens (token TEXT PRIMARY KEY, digest BLOB NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX tokens_by_expiry ON tokens (expires)",
    "INSERT INTO meta VALUES ('catalog', 0), ('next', 1)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {FORMAT}",
)


def connect_memory() -> sqlite3.Connection:
    """A new, empty database in memory."""
    _check_sqlite()
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=512)
    connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
    for statement in _LAYOUT:
        connection.execute(statement)
    return connection


def open_file(path: str, *, durable: bool, timeout: float) -> sqlite3.Connection:
    """A connection to a database file, which is made when there is none.

    Args:
        path: the file.
        durable: whether each commit waits until it is on the disk and thus survives a loss of power. Without, it
            survives the end of the process.
        timeout: seconds to wait for another process that has the file locked.

    Raises:
        ConnectionFailed: the file cannot be opened, is not dynawire's, or is damaged.
    """
    _check_sqlite()
    connection: sqlite3.Connection | None = None
    try:
        connection = sqlite3.connect(
            path, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        connection.execute(f"PRAGMA page_size = {_PAGE_SIZE}")
        _identify(connection, path)
        _write_ahead(connection, timeout)
        if connection.execute("PRAGMA application_id").fetchone()[0] == 0:
            _lay_out(connection, path)
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("PRAGMA cache_size = -16384")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_SIZE}")
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, sqlite3.Error):
            raise cannot_use(error, path, timeout) from error
        raise
    return connection


def _check_sqlite() -> None:
    if sqlite3.sqlite_version_info < _SQLITE:
        raise ConnectionFailed(
            f"The embedded engine needs SQLite {'.'.join(map(str, _SQLITE))} or later, "
            f"and this Python has {sqlite3.sqlite_version}; use another build of Python.",
            endpoint=None,
        )


def _identify(connection: sqlite3.Connection, path: str) -> None:
    """See that the file is empty or one of ours, before anything is written to it."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application == APPLICATION:
        if version != FORMAT:
            raise _failure(
                path,
                f"has format {version} and this version of dynawire reads format {FORMAT}; "
                "use the version of dynawire that wrote it, or another file",
            )
        if _is_cut(connection, path):
            raise damaged(path)
    elif application or version or tables:
        raise _failure(path, "is an SQLite database of another program; choose another file")


def _is_cut(connection: sqlite3.Connection, path: str) -> bool:
    """Whether the last page is incomplete, which SQLite does not mind. With a log it may be about to be written."""
    log = f"{path}-wal"
    if os.path.exists(log) and os.path.getsize(log):
        return False
    return os.path.getsize(path) % int(connection.execute("PRAGMA page_size").fetchone()[0]) != 0


def _write_ahead(connection: sqlite3.Connection, timeout: float) -> None:
    """Switch to the write-ahead log. SQLite does not wait here when another process opens the file just now."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if _code(error) not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _lay_out(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Another process may have done it meanwhile.
        _identify(connection, path)
        if connection.execute("PRAGMA application_id").fetchone()[0] == 0:
            for statement in _LAYOUT:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def identity(path: str) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def replaced(path: str) -> ConnectionFailed:
    return _failure(
        path,
        "was deleted or replaced by another while it was open, so that a write would be lost: nothing was applied; "
        "connect again",
    )


def is_missing_table(error: sqlite3.Error) -> bool:
    """Whether a statement named a table that is not there any more."""
    return "no such table" in str(error)


def closed() -> ConnectionFailed:
    return ConnectionFailed("This database is closed; connect again.", endpoint=None)


def damaged(path: str | None) -> ConnectionFailed:
    if path is None:
        return ConnectionFailed("What is in memory is damaged; connect again.", endpoint="memory:")
    return _failure(path, "is damaged or was cut short; restore it from a copy, or delete it to begin anew")


def cannot_use(error: sqlite3.Error, path: str | None, timeout: float) -> DynawireError:
    """What SQLite's failure means and what to do. Nothing was applied."""
    if isinstance(error, sqlite3.ProgrammingError) and "closed" in str(error):
        return closed()
    code = _code(error)
    if path is None:
        if code in (sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_FULL):
            return ConnectionFailed("Out of memory: nothing was applied.", endpoint="memory:")
        return ConnectionFailed(f"SQLite failed ({error}): nothing was applied.", endpoint="memory:")
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL):
        return _failure(
            path,
            f"was locked by another process for {timeout:g} seconds: nothing was applied; "
            "try again, and keep transactions of other programs on this file short",
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT):
        return _failure(path, "is not a database; choose another file")
    if code == sqlite3.SQLITE_CORRUPT:
        return damaged(path)
    if code == sqlite3.SQLITE_FULL:
        return _failure(path, "cannot grow, the disk is full: nothing was applied; make room and try again")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return _failure(path, _why_not(path))
    return _failure(path, f"cannot be used, SQLite says: {error}; nothing was applied")


def _why_not(path: str) -> str:
    """Why a file cannot be opened or written, as far as can be told."""
    directory = os.path.dirname(path)
    if not os.path.exists(directory):
        return f"cannot be made: the directory {directory} does not exist; make it first"
    if not os.path.isdir(directory):
        return f"cannot be made: {directory} is not a directory"
    if os.path.isdir(path):
        return "is a directory; name a file in it"
    if os.path.exists(path) and not _may(path, os.R_OK | os.W_OK):
        return "cannot be written; give this user the right to read and write it"
    if not _may(directory, os.W_OK | os.X_OK):
        return f"cannot be used: the directory {directory} is read-only, and the database keeps its log beside the file"
    return "cannot be opened for writing; look at the rights of the file and its directory and at the file system"


def _may(path: str, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def _code(error: sqlite3.Error) -> int:
    """SQLite's primary result code, or 0."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def _failure(path: str, what: str) -> ConnectionFailed:
    return ConnectionFailed(f"The database file {path} {what}.", endpoint=f"sqlite:///{path}")
