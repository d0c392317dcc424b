"""How the items of which a condition holds will be read: the choice of the planner, as data."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from ...expressions import Comparison, Condition
from ...mapping.value_codec import WireValue
from .costs import Cost
from .sources import Source
from .statistics import Statistics

__all__ = ["AccessPlan", "Demand", "KeyRead", "KeysRead", "QueryRead", "Read", "Refusal", "ScanRead"]

WireKey = dict[str, WireValue]


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller wants beside the condition.

    Attributes:
        names: stored names of the attributes that results are made of; None: all of the class.
        consistent: whether reads must be strongly consistent.
        order: stored name of the attribute whose order results must have.
        hydrate: whether whole items may be fetched by key when an index does not hold what is wanted.
        using: the only source that may be read.
        single: whether all must be found by one Query.
    """

    names: frozenset[str] | None = None
    consistent: bool = False
    order: str | None = None
    hydrate: bool = True
    using: Source | None = None
    single: bool = False


class KeyRead(msgspec.Struct, frozen=True):
    """One item, read by its key.

    Attributes:
        key: its wire form.
        test: what must hold of it, found out here, since DynamoDB filters no item that is read by key.
    """

    key: WireKey
    test: Condition | None


class KeysRead(msgspec.Struct, frozen=True):
    """GetItem for one key, BatchGetItem for several.

    Attributes:
        keys: the keys, all different.
        cost: what it is guessed to take.
    """

    keys: tuple[KeyRead, ...]
    cost: Cost


class QueryRead(msgspec.Struct, frozen=True, kw_only=True):
    """One Query.

    Attributes:
        source: what is queried.
        key: the key condition.
        filter: what DynamoDB must test of the entries found.
        test: what is tested here of the entries found, since a filter may not look at key attributes.
        fetch: how what the source does not hold is read: by the ``"service"`` (a local index), by key in a ``"batch"``,
            or not at all.
        recheck: what is tested here of the items fetched in a batch: everything, as they may have changed.
        cost: what it is guessed to take.
    """

    source: Source
    key: tuple[Comparison, ...]
    filter: Condition | None
    test: Condition | None
    fetch: Literal["service", "batch"] | None
    recheck: Condition | None
    cost: Cost


class ScanRead(msgspec.Struct, frozen=True, kw_only=True):
    """One Scan; the attributes are those of :class:`QueryRead`."""

    source: Source
    filter: Condition | None
    test: Condition | None
    fetch: Literal["service", "batch"] | None
    recheck: Condition | None
    cost: Cost


Read = KeysRead | QueryRead | ScanRead


class Refusal(msgspec.Struct, frozen=True):
    """Why a source is not read.

    Attributes:
        label: what is not done: ``"a query on the table"``.
        reason: why.
        remedy: what would let it serve, or None.
    """

    label: str
    reason: str
    remedy: str | None = None

    def __str__(self) -> str:
        text = f"{self.label}: {self.reason}"
        return text if self.remedy is None else f"{text}; {self.remedy}"


class AccessPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the items are read.

    Attributes:
        reads: the reads whose items together are the result; none: no item can match, and nothing is sent.
        disjoint: whether no item can be found by two of them.
        cost: what it is guessed to take.
        refusals: why other sources are not read.
        statistics: what the guesses rest on.
        condition: the condition, in normal form.
    """

    reads: tuple[Read, ...]
    disjoint: bool
    cost: Cost
    refusals: tuple[Refusal, ...]
    statistics: Statistics
    condition: Condition | None

    @property
    def scan(self) -> ScanRead | None:
        """The scan it takes, if it takes one."""
        return next((read for read in self.reads if isinstance(read, ScanRead)), None)

    @property
    def only(self) -> Any:
        """The only read; None when there are none or several."""
        return self.reads[0] if len(self.reads) == 1 else None
