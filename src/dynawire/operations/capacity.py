"""Measuring what calls cost: a meter that is active for a block sees every request made in it."""

from __future__ import annotations

from _thread import allocate_lock
from contextvars import ContextVar
from typing import Any

__all__ = ["CapacityMeter", "active_meter"]


class CapacityMeter:
    """What the calls of a block consumed, as DynamoDB reported it (``ReturnConsumedCapacity``).

    Attributes:
        requests: how many requests were answered, those that were refused included.
        refused: how many of them were refused. Refused writes cost units too, which the service does not report and
            which are not counted: a failed condition consumes as much as the write would have.
        read_units, write_units: capacity units consumed; where the service does not split the two, an operation that
            reads counts as reading and one that writes as writing.
        tables: units by table name.
        calls: one ``(operation, units)`` pair per request, in order.
    """

    def __init__(self, outer: CapacityMeter | None = None) -> None:
        self.requests = 0
        self.refused = 0
        self.read_units = 0.0
        self.write_units = 0.0
        self.tables: dict[str, float] = {}
        self.calls: list[tuple[str, float]] = []
        self._outer = outer
        # Threads that run in a copy of the block's context share the meter.
        self._lock = allocate_lock()

    @property
    def units(self) -> float:
        """Read and write units together."""
        return self.read_units + self.write_units

    def record(self, operation: str, reported: Any) -> None:
        """Add what one response reported: nothing, one ConsumedCapacity, or a list of them."""
        entries = reported if isinstance(reported, list) else [reported] if reported else []
        with self._lock:
            self.requests += 1
            total = 0.0
            for entry in entries:
                units = float(entry.get("CapacityUnits") or 0.0)
                total += units
                name = entry.get("TableName", "")
                self.tables[name] = self.tables.get(name, 0.0) + units
                # A replayed transaction reports read units although it is a write.
                only_read = entry.get("ReadCapacityUnits") is not None and entry.get("WriteCapacityUnits") is None
                if only_read or operation in _READS:
                    self.read_units += units
                else:
                    self.write_units += units
            self.calls.append((operation, total))
        if self._outer is not None:
            self._outer.record(operation, reported)

    def refused_one(self, operation: str) -> None:
        """Count a request that was refused."""
        with self._lock:
            self.requests += 1
            self.refused += 1
            self.calls.append((operation, 0.0))
        if self._outer is not None:
            self._outer.refused_one(operation)

    def __repr__(self) -> str:
        units = f"{self.read_units:g} read units, {self.write_units:g} write units"
        refused = f" ({self.refused} refused)" if self.refused else ""
        return f"<CapacityMeter {self.requests} requests{refused}, {units}>"


_READS = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "SearchVectors"})

active_meter: ContextVar[CapacityMeter | None] = ContextVar("dynawire_capacity_meter", default=None)
"""The meter of the innermost measured block, or None."""
