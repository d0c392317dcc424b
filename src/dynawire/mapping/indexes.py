"""Secondary indexes as declared: their keys and what they project."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ..errors import SchemaError

__all__ = ["IndexDefinition", "Projection"]

Projection = Literal["ALL", "KEYS_ONLY"] | Sequence[Any]
MAX_KEY_ATTRIBUTES = 4


class IndexDefinition:
    """A secondary index of a table.

    Attributes:
        name: its name in DynamoDB; the name of the class attribute unless given.
        is_global: a global secondary index, or else a local one.
        partition_key: Python names of its partition key attributes; for a local index, filled in from the table.
        sort_key: Python names of its sort key attributes, possibly none.
        projection: ``"ALL"``, ``"KEYS_ONLY"``, or the Python names of the attributes to include beside the keys.
        read_units, write_units: provisioned throughput of a global index; None: the table's.
    """

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
        self.name = name or ""
        self.is_global = is_global
        self.partition_key = _names(partition_key)
        self.sort_key = _names(sort_key)
        self.projection: str | tuple[str, ...] = projection if isinstance(projection, str) else _names(projection)
        self.read_units = read_units
        self.write_units = write_units
        if isinstance(self.projection, str) and self.projection not in ("ALL", "KEYS_ONLY"):
            raise SchemaError(
                f"projection={self.projection!r} is not one of DynamoDB's: write projection='ALL', 'KEYS_ONLY', or a "
                "list "
                "of the attributes to include"
            )
        for what, names in (("partition", self.partition_key), ("sort", self.sort_key)):
            if len(names) > MAX_KEY_ATTRIBUTES:
                raise SchemaError(f"an index has at most {MAX_KEY_ATTRIBUTES} {what} key attributes, not {len(names)}")

    def key_names(self) -> tuple[str, ...]:
        """Python names of all its key attributes, partition first."""
        return self.partition_key + self.sort_key

    def __repr__(self) -> str:
        kind = "GlobalIndex" if self.is_global else "LocalIndex"
        return f"<{kind} {self.name} ({', '.join(self.key_names())})>"


def _names(given: str | Sequence[Any] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str):
        return (given,)
    return tuple(getattr(one, "declared_name", None) or str(one) for one in given)
