"""Capacity units as the service counts them, and how it tells them.

A write costs a unit for each KB of the larger of the old and the new item, and for each index whose entry changes the
same of that entry; an entry that moves is deleted and written. A read costs half a unit for each 4 KB, a consistent one
a unit. Transactions cost twice, on the table though not on its indexes.
"""

from __future__ import annotations

from typing import Any

from dynawire.engines.embedded.tables import Index, Table

__all__ = ["Meter", "read_units", "write_units"]


def write_units(size: int) -> float:
    """The units a write of so many bytes costs."""
    return float(max(1, -(-size // 1024)))


def read_units(size: int, *, consistent: bool | None) -> float:
    """The units a read of so many bytes costs."""
    blocks = max(1, -(-size // 4096))
    return float(blocks) if consistent else blocks / 2


class Meter:
    """The units one request consumed on one table and its indexes."""

    __slots__ = ("_indexes", "_table", "units")

    def __init__(self, table: Table) -> None:
        self._table = table
        self.units = 0.0
        self._indexes: dict[str, float] = {}

    def count(self, units: float, index: Index | None = None) -> None:
        """Add units of the table, or of one of its indexes."""
        if index is None:
            self.units += units
        else:
            self._indexes[index.name] = self._indexes.get(index.name, 0.0) + units

    def report(self, detail: str, *, split: str | None = None) -> dict[str, Any]:
        """A ConsumedCapacity.

        Args:
            detail: ``"TOTAL"`` or ``"INDEXES"``.
            split: ``"ReadCapacityUnits"`` or ``"WriteCapacityUnits"``, which transactions tell besides.
        """
        total = self.units + sum(self._indexes.values())
        report: dict[str, Any] = {"TableName": self._table.name, **_units(total, split)}
        if detail == "INDEXES":
            report["Table"] = _units(self.units, split)
            for name, units in self._indexes.items():
                kind = "LocalSecondaryIndexes" if self._table.indexes[name].local else "GlobalSecondaryIndexes"
                report.setdefault(kind, {})[name] = _units(units, split)
        return report


def _units(units: float, split: str | None) -> dict[str, float]:
    return {"CapacityUnits": units} if split is None else {"CapacityUnits": units, split: units}
