"""What a mapped class does with many items at once, on the current database."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Self

from .database import table_of
from .operations.twins import mark_methods

if TYPE_CHECKING:
    from .errors import DecodeError
    from .operations.batch import BatchGetResult, BatchWriteResult, Progress

__all__ = ["ModelBatches"]


class ModelBatches:
    """Reading and writing any number of items; see the methods of :class:`~dynawire.Table` of the same names."""

    __slots__ = ()

    @classmethod
    def get_many(
        cls,
        keys: Iterable[Any],
        *,
        consistent: bool = False,
        progress: Progress | None = None,
        misfits: list[DecodeError] | None = None,
    ) -> BatchGetResult[Self]:
        """Read any number of items by key (BatchGetItem). See :meth:`Table.get_many`."""
        return table_of(cls).get_many(keys, consistent=consistent, progress=progress, misfits=misfits)

    @classmethod
    def aget_many(
        cls,
        keys: Iterable[Any],
        *,
        consistent: bool = False,
        progress: Progress | None = None,
        misfits: list[DecodeError] | None = None,
    ) -> Coroutine[Any, Any, BatchGetResult[Self]]:
        """Read any number of items by key (BatchGetItem). See :meth:`Table.get_many`."""
        return table_of(cls).aget_many(keys, consistent=consistent, progress=progress, misfits=misfits)

    @classmethod
    def put_many(cls, items: Iterable[Self], *, progress: Progress | None = None) -> BatchWriteResult:
        """Store any number of items whole (BatchWriteItem). See :meth:`Table.put_many`."""
        return table_of(cls).put_many(items, progress=progress)

    @classmethod
    def aput_many(
        cls, items: Iterable[Self], *, progress: Progress | None = None
    ) -> Coroutine[Any, Any, BatchWriteResult]:
        """Store any number of items whole (BatchWriteItem). See :meth:`Table.put_many`."""
        return table_of(cls).aput_many(items, progress=progress)

    @classmethod
    def delete_many(cls, keys: Iterable[Any], *, progress: Progress | None = None) -> BatchWriteResult:
        """Delete any number of items by instance or key (BatchWriteItem). See :meth:`Table.delete_many`."""
        return table_of(cls).delete_many(keys, progress=progress)

    @classmethod
    def adelete_many(
        cls, keys: Iterable[Any], *, progress: Progress | None = None
    ) -> Coroutine[Any, Any, BatchWriteResult]:
        """Delete any number of items by instance or key (BatchWriteItem). See :meth:`Table.delete_many`."""
        return table_of(cls).adelete_many(keys, progress=progress)

    @classmethod
    def write_many(
        cls, *, put: Iterable[Self] = (), delete: Iterable[Any] = (), progress: Progress | None = None
    ) -> BatchWriteResult:
        """Put and delete any number of items together (BatchWriteItem). See :meth:`Table.write_many`."""
        return table_of(cls).write_many(put=put, delete=delete, progress=progress)

    @classmethod
    def awrite_many(
        cls, *, put: Iterable[Self] = (), delete: Iterable[Any] = (), progress: Progress | None = None
    ) -> Coroutine[Any, Any, BatchWriteResult]:
        """Put and delete any number of items together (BatchWriteItem). See :meth:`Table.write_many`."""
        return table_of(cls).awrite_many(put=put, delete=delete, progress=progress)


mark_methods(ModelBatches)
