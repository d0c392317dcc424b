"""What reading is guessed to take: how many entries, requests and read units.

Read units: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
How selective a condition is: System R's guesses (see ``facts``). How many entries share a partition key value is not
told by anybody; with n entries and k partition key attributes it is guessed to be the (k+1)th root of n.
"""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from ...expressions import Comparison, Condition, Negation
from ...expressions.normal_form import alternatives, conjuncts
from .facts import SELECTIVITY
from .sources import Source
from .statistics import Statistics

__all__ = ["Cost", "cost_of_keys", "cost_of_query", "cost_of_scan", "selectivity"]

UNIT_BYTES = 4096
PAGE_BYTES = 1024 * 1024
KEYS_PER_REQUEST = 100
UNKNOWN_SELECTIVITY = 1 / 2


class Cost(NamedTuple):
    """What a read takes; of two, the one that compares less is cheaper.

    Attributes:
        units: read units.
        requests: how many requests.
        entries: how many items or index entries are read.
    """

    units: float
    requests: float
    entries: float

    def plus(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(self.units + other.units, self.requests + other.requests, self.entries + other.entries)


def cost_of_keys(count: int, table: Source, statistics: Statistics, *, consistent: bool) -> Cost:
    """GetItem or BatchGetItem: each item is rounded up by itself."""
    blocks = max(1, ceil(statistics.entry_bytes(table) / UNIT_BYTES))
    return Cost(count * blocks * _per_block(consistent), ceil(count / KEYS_PER_REQUEST), count)


def cost_of_query(
    source: Source,
    table: Source,
    statistics: Statistics,
    *,
    sort_equalities: int,
    range_selectivity: float,
    fetched: float | None,
    consistent: bool,
) -> Cost:
    """One Query.

    Args:
        source: what is queried.
        table: the table.
        statistics: how many items there are.
        sort_equalities: how many sort key attributes have ``=``.
        range_selectivity: what part the condition on the next one leaves.
        fetched: what part of the entries found is then read whole from the table; None: the source has all.
        consistent: whether reads are strongly consistent.
    """
    if source.kind == "table" and sort_equalities == len(source.sort):
        entries = 1.0
    else:
        every = statistics.entries(source)
        part = SELECTIVITY["="] ** sort_equalities * range_selectivity
        entries = max(1.0, every ** (1 / (len(source.partition) + 1)) * part)
    cost = _pages(entries, statistics.entry_bytes(source), consistent=consistent)
    if fetched is not None:
        blocks = max(1, ceil(statistics.entry_bytes(table) / UNIT_BYTES))
        whole = max(1.0, entries * fetched)
        # A local index fetches by itself.
        requests = 0 if source.kind == "local" else ceil(whole / KEYS_PER_REQUEST)
        cost = cost.plus(Cost(whole * blocks * _per_block(consistent), requests, 0))
    return cost


def cost_of_scan(source: Source, statistics: Statistics, *, consistent: bool) -> Cost:
    """A scan of everything."""
    return _pages(max(1.0, statistics.entries(source)), statistics.entry_bytes(source), consistent=consistent)


def _pages(entries: float, entry_bytes: float, *, consistent: bool) -> Cost:
    size = entries * entry_bytes
    return Cost(max(1, ceil(size / UNIT_BYTES)) * _per_block(consistent), max(1, ceil(size / PAGE_BYTES)), entries)


def _per_block(consistent: bool) -> float:
    return 1.0 if consistent else 0.5


def selectivity(condition: Condition | None) -> float:
    """What part of the items a filter is guessed to leave."""
    part = 1.0
    for one in conjuncts(condition):
        part *= _leaves(one)
    return part


def _leaves(condition: Condition) -> float:
    if isinstance(condition, Negation):
        return 1 - _leaves(condition.condition)
    if isinstance(condition, Comparison):
        if condition.operator == "IN":
            return min(1 / 2, len(condition.operands) * SELECTIVITY["="])
        return SELECTIVITY.get(condition.operator, UNKNOWN_SELECTIVITY)
    dropped = 1.0
    for one in alternatives(condition):
        dropped *= 1 - selectivity(one)
    return 1 - dropped
