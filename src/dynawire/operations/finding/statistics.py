"""How many items a table and its indexes hold and how large they are, as DescribeTable tells; or what is assumed."""

from __future__ import annotations

from typing import Any

import msgspec

from ...errors import DynawireError
from ..effects import Operation
from ..tables import TableDescription, describe_table
from ..target import Target
from .sources import Source

__all__ = ["ASSUMED", "Statistics", "known_statistics", "learn_statistics", "statistics_of"]

MAX_AGE = 3_600
"""Seconds after which DescribeTable is asked again. On AWS its counts are up to six hours old themselves."""

ASSUMED_ITEMS = 10_000
ASSUMED_BYTES = 1_024
ASSUMED_KEYS_BYTES = 128
"""Of an index entry that has only keys."""
ASSUMED_PRESENT = 1 / 2
"""Of items in an index whose key attributes may be None."""


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """How many items there are and how large they are.

    Attributes:
        items, size_bytes: of the table.
        indexes: the same of each index that is told of, by name.
        assumed: whether these are assumptions, and not what DescribeTable says.
    """

    items: int
    size_bytes: int
    indexes: dict[str, tuple[int, int]]
    assumed: bool = True

    def entries(self, source: Source) -> float:
        """How many entries a source has."""
        told = None if source.index is None else self.indexes.get(source.index.name)
        if told is not None:
            return float(told[0])
        return self.items * ASSUMED_PRESENT if source.rare else float(self.items)

    def entry_bytes(self, source: Source) -> float:
        """The size of one of them."""
        told = None if source.index is None else self.indexes.get(source.index.name)
        if told is not None and told[0]:
            return told[1] / told[0]
        item_bytes = self.size_bytes / self.items
        if source.held is None:
            return item_bytes
        return min(item_bytes, ASSUMED_KEYS_BYTES if source.missing else item_bytes)

    def __str__(self) -> str:
        what = f"{self.items:,} items of {self.size_bytes / self.items:,.0f} bytes"
        return f"assuming {what}" if self.assumed else f"from DescribeTable: {what}"


ASSUMED = Statistics(items=ASSUMED_ITEMS, size_bytes=ASSUMED_ITEMS * ASSUMED_BYTES, indexes={})
"""What is assumed of a table that was never asked, or said that it is empty: its count is up to six hours old."""


def statistics_of(description: TableDescription) -> Statistics:
    """What DescribeTable says; assumptions where it says that the table is empty."""
    if not description.item_count or not description.size_bytes:
        return ASSUMED
    raw: dict[str, Any] = description.raw
    every = [*(raw.get("GlobalSecondaryIndexes") or ()), *(raw.get("LocalSecondaryIndexes") or ())]
    return Statistics(
        items=description.item_count,
        size_bytes=description.size_bytes,
        indexes={one["IndexName"]: (one.get("ItemCount", 0), one.get("IndexSizeBytes", 0)) for one in every},
        assumed=False,
    )


def known_statistics(target: Target) -> Statistics:
    """What is known of a table without asking."""
    known: Statistics = target.known.get("statistics", ASSUMED)
    return known


def learn_statistics(target: Target) -> Operation[None]:
    """Ask DescribeTable, unless it was asked within the hour. Where it may not be asked, assumptions stay."""
    from time import monotonic

    asked = target.known.get("statistics_asked_at")
    now = monotonic()
    if asked is not None and now - asked < MAX_AGE:
        return
    try:
        description = yield from describe_table(target.table_name)
    except DynawireError:
        # Rights to read items do not include it; and where there is no table, reading says so itself.
        return
    target.known["statistics_asked_at"] = now
    target.known["statistics"] = statistics_of(description)
