"""Reading and writing any number of items of a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .misuse import several
from .operations.twins import asynchronous, sync

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .errors import DecodeError
    from .operations.batch import BatchGetResult, BatchWriteResult, Progress
    from .operations.effects import Operation
    from .operations.target import Target

__all__ = ["TableBatches"]

T = TypeVar("T")
KeyLike = Any


class TableBatches(Generic[T]):
    """What a table does with many items at once."""

    _target: Target
    _engine: Engine
    _shown: str

    if TYPE_CHECKING:

        def _key_values(self, item: Any) -> tuple[Any, ...]: ...

    def _get_many(
        self,
        keys: Iterable[KeyLike],
        *,
        consistent: bool = False,
        progress: Progress | None = None,
        misfits: list[DecodeError] | None = None,
    ) -> Operation[BatchGetResult[T]]:
        """Read any number of items by key (BatchGetItem, 100 a request, several at a time).

        Args:
            keys: keys, tuples of key values, or single values for a table without sort key; one given twice is read
                once.
            consistent: strongly consistent reads, at twice the read units.
            progress: called with the number of keys done since the last call.
            misfits: takes an error for each item that does not fit the class, instead of stopping at the first.

        Raises:
            Unprocessed: some were still not read after every retry; the error has what was.
            DecodeError: an item does not fit the class.
        """
        from .operations.batch_get import batch_get

        return batch_get(
            self._target, several(keys, "get_many([key])"), self._key_values, consistent, progress, misfits
        )

    def _put_many(self, items: Iterable[T], *, progress: Progress | None = None) -> Operation[BatchWriteResult]:
        """Store any number of items whole, replacing what is there (BatchWriteItem, 25 a request).

        Args:
            items: instances; a generator is consumed as it is written. Of several with one key the last wins.
            progress: called with the number of items done since the last call.

        Raises:
            ValidationError, LimitExceeded: an item does not fit. It is checked up to 100 items ahead of what is sent;
                the message says which it is and how many were written before, and ``result`` has what was given and
                is not written.
            Unprocessed: some were still not written after every retry, or the service refused a request; what was
                not written is in its ``result.unprocessed`` (what a generator had not given yet is still in it).

        It is not atomic: use a transaction where all or nothing matters.
        """
        from .operations.batch_write import batch_write

        return batch_write(self._target, several(items, "put_many([item])"), (), self._key_values, progress)

    def _delete_many(
        self, keys: Iterable[T | KeyLike], *, progress: Progress | None = None
    ) -> Operation[BatchWriteResult]:
        """Delete any number of items by instance or key (BatchWriteItem, 25 a request); see :meth:`put_many`."""
        from .operations.batch_write import batch_write

        return batch_write(self._target, (), several(keys, "delete_many([key])"), self._key_values, progress)

    def _write_many(
        self, *, put: Iterable[T] = (), delete: Iterable[T | KeyLike] = (), progress: Progress | None = None
    ) -> Operation[BatchWriteResult]:
        """Put and delete any number of items together (BatchWriteItem, 25 a request); see :meth:`put_many`."""
        from .operations.batch_write import batch_write

        what = "write_many(put=[item], delete=[key])"
        return batch_write(self._target, several(put, what), several(delete, what), self._key_values, progress)

    get_many = sync(_get_many)
    aget_many = asynchronous(_get_many)
    put_many = sync(_put_many)
    aput_many = asynchronous(_put_many)
    delete_many = sync(_delete_many)
    adelete_many = asynchronous(_delete_many)
    write_many = sync(_write_many)
    awrite_many = asynchronous(_write_many)
