"""Secondary indexes as a class declares them, and as its callers use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .mapping.indexes import IndexDeclaration, Projection
from .mapping.placed import IndexMapping

if TYPE_CHECKING:
    from .query import Index

__all__ = ["GlobalIndex", "IndexMap", "LocalIndex"]

M = TypeVar("M")


class _DeclaredIndex(IndexDeclaration):
    _attribute = ""

    def __set_name__(self, owner: type[object], name: str) -> None:
        self._attribute = name

    def __get__(self, instance: object | None, owner: type[M]) -> Index[M]:
        from .operations.mapped import mapped
        from .query import Index

        if getattr(owner, "__mapped__", None) is None:
            # An abstract class has no table, and so only what is declared.
            return self  # type: ignore[return-value]
        return Index(owner, mapped(owner).mapping.indexes[self._attribute])


class GlobalIndex(_DeclaredIndex):
    """A global secondary index (DynamoDB's GSI): other keys over all items of the table.

    Args:
        partition_key: Python name of its partition key attribute, or up to four names.
        sort_key: Python name of its sort key attribute, up to four names, or None.
        projection: ``"ALL"`` (default), ``"KEYS_ONLY"``, or the names of 1 to 20 attributes to include beside the keys.
        name: its name in DynamoDB; the name of the class attribute unless given.
        read_units, write_units: provisioned capacity units per second; the table's unless given.

    An item without one of the key attributes is not in the index. A table has at most 20.
    """

    def __init__(
        self,
        partition_key: str | Sequence[str],
        sort_key: str | Sequence[str] | None = None,
        *,
        projection: Projection = "ALL",
        name: str | None = None,
        read_units: int | None = None,
        write_units: int | None = None,
    ) -> None:
        super().__init__(
            is_global=True,
            partition_key=partition_key,
            sort_key=sort_key,
            projection=projection,
            name=name,
            read_units=read_units,
            write_units=write_units,
        )


class LocalIndex(_DeclaredIndex):
    """A local secondary index (DynamoDB's LSI): another sort key within each partition of the table.

    Args:
        sort_key: Python name of its sort key attribute.
        projection: ``"ALL"`` (default), ``"KEYS_ONLY"``, or the names of 1 to 20 attributes to include beside the keys.
        name: its name in DynamoDB; the name of the class attribute unless given.

    It can only be made together with its table, which has at most 5.
    """

    def __init__(self, sort_key: str, *, projection: Projection = "ALL", name: str | None = None) -> None:
        super().__init__(is_global=False, partition_key=(), sort_key=sort_key, projection=projection, name=name)


class IndexMap(IndexMapping, _DeclaredIndex):
    """The place of a class's items in a generic index of a :class:`~dynawire.SingleTable`.

    ``by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{created_at}")``, then
    ``Order.by_status.query(status="open")``.

    Args:
        index: the generic index's name.
        pk: the template of its partition key; none for a local index, which has that of the table.
        sk: the template of its sort key; none for an index without one.
        when: lookups that an item must fulfil to be in the index: ``when={"status": "open"}``; None: all items.

    An item of which a source is None is not in the index.
    """

    def __init__(
        self,
        index: str,
        *,
        pk: str | None = None,
        sk: str | None = None,
        when: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(index, pk, sk, when)
