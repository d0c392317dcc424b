"""The embedded engine: DynamoDB inside the process, in memory or in a file."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import msgspec

from dynawire.engines.embedded import (
    batches,
    control,
    items,
    queries,
    requests,
    scans,
    settings,
    table_requests,
    transactions,
)
from dynawire.engines.embedded.catalog import Catalog
from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.decoding import decoder, refused
from dynawire.engines.embedded.failures import Rejected, StaleTable, validation
from dynawire.engines.embedded.file_storage import FileStorage
from dynawire.engines.embedded.files import cannot_use, closed, damaged, is_missing_table
from dynawire.engines.embedded.memory_storage import MemoryStorage
from dynawire.engines.embedded.storage import CommitFailed, Storage, on_fork
from dynawire.errors import (
    ConnectionFailed,
    DynawireError,
    OutcomeUnknown,
    ServiceError,
    ValidationError,
    service_error,
)

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

__all__ = ["EmbeddedEngine"]

MAX_REQUEST: Final = 16 * 1024 * 1024
"""Bytes a request may have."""

# How often a request is read again because another process changed the tables meanwhile.
_ATTEMPTS: Final = 50

_Run = Callable[[Database, Any], bytes]

_OPERATIONS: Final[dict[str, tuple[type[msgspec.Struct], _Run]]] = {
    kind.__name__: (kind, run)
    for kind, run in (
        (requests.GetItem, items.get_item),
        (requests.PutItem, items.put_item),
        (requests.UpdateItem, items.update_item),
        (requests.DeleteItem, items.delete_item),
        (requests.Query, queries.query),
        (requests.Scan, scans.scan),
        (requests.BatchGetItem, batches.batch_get_item),
        (requests.BatchWriteItem, batches.batch_write_item),
        (requests.TransactGetItems, transactions.transact_get_items),
        (requests.TransactWriteItems, transactions.transact_write_items),
        (table_requests.CreateTable, control.create_table),
        (table_requests.UpdateTable, control.update_table),
        (table_requests.DeleteTable, control.delete_table),
        (table_requests.DescribeTable, control.describe_table),
        (table_requests.ListTables, control.list_tables),
        (table_requests.UpdateTimeToLive, settings.update_time_to_live),
        (table_requests.DescribeTimeToLive, settings.describe_time_to_live),
        (table_requests.TagResource, settings.tag_resource),
        (table_requests.UntagResource, settings.untag_resource),
        (table_requests.ListTagsOfResource, settings.list_tags_of_resource),
        (table_requests.DescribeLimits, settings.describe_limits),
        (table_requests.DescribeEndpoints, settings.describe_endpoints),
    )
}

# Those that were asked for, with what reads their requests.
_ready: dict[str, tuple[Callable[[bytes], Any], _Run]] = {}

# What ends a request otherwise than by the service's errors.
_SIGNALS: Final = (
    Rejected,
    StaleTable,
    CommitFailed,
    sqlite3.Error,
    msgspec.MsgspecError,
    UnicodeDecodeError,
    RecursionError,
)

# Threads that read a file for event loops.
_READERS: Final = 4

_READS: Final = frozenset(
    {"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"}
    | {name for name in _OPERATIONS if name.startswith(("Describe", "List"))}
)


class EmbeddedEngine:
    """An engine that answers DynamoDB's protocol itself, on SQLite.

    Any thread may use it. In memory its data belongs to this process and ends with :meth:`close`. In a file it is
    shared by all processes that open it, and what was acknowledged survives the end of the process at any moment.
    Nothing is opened before the first request. After a fork a file is opened anew, memory refuses the child.

    Args:
        path: the database file, made when it does not exist; None: in memory.
        durable: whether a write to a file is acknowledged only when it is on the disk, so that it survives a loss of
            power too. Without, it survives the end of the process and costs less.
        lock_timeout: seconds to wait for another process that has the file locked.

    Raises:
        ValidationError: an option is of another type, or no number of seconds up to a day.
    """

    remote = False

    def __init__(self, path: str | None = None, *, durable: bool = True, lock_timeout: float = 10.0) -> None:
        _check_options(durable, lock_timeout)
        self._path = None if path is None else os.path.abspath(path)
        self._durable = durable
        self._lock_timeout = lock_timeout
        self._operations = _ready
        self._closed = False
        self._database: Database | None = None
        self._opening = threading.Lock()
        self._executors: tuple[ThreadPoolExecutor, ThreadPoolExecutor] | None = None
        on_fork(self)

    def __repr__(self) -> str:
        return f"<EmbeddedEngine {self.endpoint}>"

    def send(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        """Answer one request.

        Args:
            operation: the DynamoDB operation.
            body: the request as JSON, at most 16 MB.
            idempotent: of no meaning here, where an answer cannot be lost.

        Raises:
            ServiceError: and its kinds, what the service would answer.
            ConnectionFailed: the file cannot be used; nothing was applied.
            OutcomeUnknown: the disk failed at the worst moment.
        """
        entry = self._operations.get(operation)
        if entry is None or len(body) > MAX_REQUEST:
            entry = self._prepare(operation, body)
        decode, run = entry
        try:
            return run(self._database or self._open(), decode(body))
        except _SIGNALS as error:
            return self._recover(error, operation, body)
        except ServiceError:
            if self._path is None or self._is_current():
                raise
            # It was judged by definitions that another process has changed.
            return self._recover(StaleTable(), operation, body)

    async def asend(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        """The same without blocking the event loop: a file is read and written by threads, one of which writes."""
        if self._path is None:
            return self.send(operation, body, idempotent)
        from asyncio import get_running_loop

        readers, writer = self._executors or self._start()
        executor = readers if operation in _READS else writer
        return await get_running_loop().run_in_executor(executor, self.send, operation, body, idempotent)

    def close(self) -> None:
        """Close the database. In memory its data is gone. Further requests are refused."""
        self._closed = True
        self._operations = {}
        executors, self._executors = self._executors, None
        for executor in executors or ():
            executor.shutdown()
        with self._opening:
            database, self._database = self._database, None
            if database is not None:
                database.storage.close()

    async def aclose(self) -> None:
        """The same without blocking the event loop."""
        if self._path is None:
            self.close()
            return
        from asyncio import to_thread

        await to_thread(self.close)

    def after_fork(self) -> None:
        """Forget the threads that the process this one was forked from has."""
        self._opening = threading.Lock()
        self._executors = None

    def _open(self) -> Database:
        with self._opening:
            if self._database is None:
                if self._closed:
                    raise closed()
                storage: Storage
                if self._path is None:
                    storage = MemoryStorage()
                else:
                    storage = FileStorage(self._path, durable=self._durable, timeout=self._lock_timeout)
                self._database = Database(storage, Catalog(storage))
            return self._database

    def _start(self) -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
        from concurrent.futures import ThreadPoolExecutor

        with self._opening:
            if self._executors is None:
                if self._closed:
                    raise closed()
                # More writers would only wait for each other, and keep readers waiting with them.
                self._executors = (
                    ThreadPoolExecutor(_READERS, thread_name_prefix="dynawire-read"),
                    ThreadPoolExecutor(1, thread_name_prefix="dynawire-write"),
                )
            return self._executors

    def _prepare(self, operation: str, body: bytes) -> tuple[Callable[[bytes], Any], _Run]:
        """What an operation needs that is asked for the first time, or why it is refused."""
        if self._closed:
            raise closed()
        if operation not in _OPERATIONS:
            raise service_error(
                "UnknownOperationException",
                f"An unknown operation was requested: the embedded engine has no {operation}.",
            )
        if len(body) > MAX_REQUEST:
            raise service_error(
                "RequestEntityTooLarge",
                f"The request is larger than the limit of {MAX_REQUEST} bytes; send less at once",
            )
        kind, run = _OPERATIONS[operation]
        entry = _ready[operation] = decoder(kind), run
        return entry

    def _recover(self, error: Exception, operation: str, body: bytes) -> bytes:
        """Do a request again that met a change of the tables by others; raise what anything else means."""
        decode, run = _ready[operation]
        for _ in range(_ATTEMPTS):
            if isinstance(error, sqlite3.Error):
                if not is_missing_table(error):
                    raise cannot_use(error, self._path, self._lock_timeout) from error
            elif isinstance(error, Rejected):
                if self._path is None or self._is_current():
                    raise validation(str(error)) from None
            elif not isinstance(error, StaleTable):
                raise self._meaning(error, operation, body) from None
            try:
                database = self._open()
                database.catalog.load()
                return run(database, decode(body))
            except _SIGNALS as failure:
                error = failure
        raise ConnectionFailed(
            f"{self!r}: the tables changed {_ATTEMPTS} times while {operation} was tried; nothing was applied.",
            endpoint=self.endpoint,
        )

    def _is_current(self) -> bool:
        """Whether the table definitions in use are those of the file."""
        try:
            return self._open().catalog.is_current()
        except sqlite3.Error:
            return True

    def _meaning(self, error: Exception, operation: str, body: bytes) -> DynawireError:
        if isinstance(error, CommitFailed):
            return OutcomeUnknown(
                f"The disk failed while {operation} was committed: it may or may not be found applied.",
                operation=operation,
                endpoint=self.endpoint,
            )
        try:
            _ready[operation][0](body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
            return refused(wrong, _OPERATIONS[operation][0])
        # The request is in order: what could not be read is what is stored.
        return damaged(self._path)

    @property
    def endpoint(self) -> str:
        """``memory:``, or the file as a URL."""
        return "memory:" if self._path is None else f"sqlite:///{self._path}"


def _check_options(durable: Any, lock_timeout: Any) -> None:
    if not isinstance(durable, bool):
        raise ValidationError(f"durable= takes True or False, not {type(durable).__name__}.")
    if not isinstance(lock_timeout, (int, float)) or isinstance(lock_timeout, bool):
        raise ValidationError(f"lock_timeout= takes seconds, a number, not {type(lock_timeout).__name__}.")
    if not 0 <= lock_timeout <= 86_400:
        raise ValidationError(f"lock_timeout={lock_timeout!r} is not between 0 and 86400.")
