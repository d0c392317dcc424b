"""Secondary indexes: as a class body declares them, and as one class has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from .inherited import declarations_of

__all__ = ["MAX_INCLUDED", "IndexDeclaration", "IndexDefinition", "Projection", "declared_indexes"]

Projection = Literal["ALL", "KEYS_ONLY"] | Sequence[str]
MAX_KEY_ATTRIBUTES = 4
MAX_INCLUDED = 20
"""Attributes an index can include beside the keys."""


class IndexDefinition(msgspec.Struct, frozen=True, kw_only=True):
    """A secondary index of one class's table.

    Attributes:
        name: its name in DynamoDB.
        is_global: a global secondary index, or else a local one.
        partition_key: Python names of its partition key attributes.
        sort_key: Python names of its sort key attributes, possibly none.
        projection: ``"ALL"``, ``"KEYS_ONLY"``, or the Python names of the attributes to include beside the keys.
        read_units, write_units: provisioned throughput of a global index; None: the table's.
    """

    name: str
    is_global: bool
    partition_key: tuple[str, ...]
    sort_key: tuple[str, ...]
    projection: str | tuple[str, ...]
    read_units: int | None = None
    write_units: int | None = None

    def key_names(self) -> tuple[str, ...]:
        """Python names of all its key attributes, partition first."""
        return self.partition_key + self.sort_key


class IndexDeclaration:
    """What a class body says of an index. Classes derived from it share it, so it never changes."""

    def __init__(
        self,
        *,
        is_global: bool,
        partition_key: str | Sequence[str],
        sort_key: str | Sequence[str] | None,
        projection: Projection,
        name: str | None,
        read_units: int | None = None,
        write_units: int | None = None,
    ) -> None:
        self.is_global = is_global
        self.name = name
        self.read_units = read_units
        self.write_units = write_units
        self.partition_key: tuple[str, ...] = ()
        self.sort_key: tuple[str, ...] = ()
        self.projection: str | tuple[str, ...] = "ALL"
        self.problem: str | None = None
        """What is wrong with it, whatever the class; None when nothing."""
        try:
            self.partition_key = _names(partition_key, "partition_key")
            self.sort_key = _names(sort_key, "sort_key")
            self.projection = _projection(projection)
        except ValueError as error:
            self.problem = str(error)
        else:
            self.problem = self._key_problem()

    def _key_problem(self) -> str | None:
        if self.is_global and not self.partition_key:
            return 'needs a partition key: GlobalIndex(partition_key="...")'
        if not self.is_global and len(self.sort_key) != 1:
            return 'is local and has one sort key: LocalIndex("...")'
        for what, names in (("partition", self.partition_key), ("sort", self.sort_key)):
            if len(names) > MAX_KEY_ATTRIBUTES:
                return f"has {len(names)} {what} key attributes; DynamoDB takes at most {MAX_KEY_ATTRIBUTES}"
        return None

    def of(self, attribute_name: str, table_partition_key: tuple[str, ...]) -> IndexDefinition:
        """The index as a class with this partition key has it."""
        return IndexDefinition(
            name=attribute_name if self.name is None else self.name,
            is_global=self.is_global,
            partition_key=self.partition_key if self.is_global else table_partition_key,
            sort_key=self.sort_key,
            projection=self.projection,
            read_units=self.read_units,
            write_units=self.write_units,
        )

    def __repr__(self) -> str:
        kind = "GlobalIndex" if self.is_global else "LocalIndex"
        return f"<{kind} ({', '.join(self.partition_key + self.sort_key)})>"


def _projection(given: Any) -> str | tuple[str, ...]:
    if isinstance(given, str):
        if given not in ("ALL", "KEYS_ONLY"):
            raise ValueError(
                f"has projection={given!r}: write projection='ALL', 'KEYS_ONLY', or a list of the attributes to include"
            )
        return given
    return _names(given, "projection")


def _names(given: Any, what: str) -> tuple[str, ...]:
    if given is None:
        return ()
    names = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, (list, tuple)) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise ValueError(f"has a {what}= that is not made of names: write the names of attributes as text")
    return names


def declared_indexes(cls: type[Any]) -> dict[str, IndexDeclaration]:
    """What a class and its bases say of indexes, by the name of the class attribute."""
    return declarations_of(cls, IndexDeclaration)
