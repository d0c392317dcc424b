"""The planner: from a condition and what a class's table and indexes offer to the cheapest way of reading the items.

Every way is exact: what a key condition does not say is left to the filter, or tested here where DynamoDB has no filter
for it. Of the ways that are possible the cheapest by read units is taken, then by requests; a Scan only when nothing
else serves. A condition is tried as it is on each source, and with each of its OR's taken apart, each side read by
itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import msgspec

from ...errors import ExpressionError
from ...expressions import Condition, Junction, Placeholders, all_of, compile_condition
from ...expressions.evaluation import check_owners
from ...expressions.normal_form import conjuncts, normal_form, top_level_names
from ..target import Target
from ..unstored import refuse_unstored
from .costs import cost_of_scan, selectivity
from .derived import derived_conditions, template_sources
from .facts import Facts
from .merging import are_disjoint, merged
from .plans import AccessPlan, Demand, KeysRead, Read, Refusal, ScanRead
from .sources import Source, sources_of
from .statistics import Statistics
from .ways import MAX_QUERIES, NOTHING, Candidate, Ways, refused

__all__ = ["plan_access"]

MAX_TRIALS = 1_000
"""Conditions that are tried while OR's are taken apart."""
SAFE_COMPARISONS = 10
"""With fewer a filter is looked at only when it is sent; DynamoDB takes 300 operators and 4096 bytes."""


def plan_access(
    target: Target, condition: Condition | None, demand: Demand, statistics: Statistics, *, reasons: bool = False
) -> AccessPlan:
    """The cheapest way to read the items of which a condition holds.

    Args:
        target: the class and its table.
        condition: the condition; None: all items.
        demand: what is wanted besides.
        statistics: what the costs are guessed by.
        reasons: whether it is to be said why other sources are not read; else they are not all looked at.

    Raises:
        ExpressionError: the condition looks at another class's attributes, or nothing gives the order demanded.
    """
    if condition is not None:
        check_owners(condition, target.owner)
        refuse_unstored(target, condition.paths(), "found by")
    if target.belongs is not None:
        condition = target.belongs if condition is None else all_of([condition, target.belongs])
    if condition is not None:
        condition = normal_form(condition)
    planner = _Planner(target, demand, statistics)
    parts = conjuncts(condition)
    found = planner.best(parts, 0, planner.refusals if reasons else None)
    if found is None:
        if demand.order is not None or demand.single:
            planner.best(parts, 0, planner.refusals)
            raise planner.impossible(demand)
        found = Candidate((planner.scan(parts),), True)
    return AccessPlan(
        reads=tuple([_within_limits(read) for read in found.reads]),
        disjoint=found.disjoint,
        cost=found.cost,
        refusals=tuple(planner.refusals),
        statistics=statistics,
        condition=condition,
    )


class _Planner:
    def __init__(self, target: Target, demand: Demand, statistics: Statistics) -> None:
        self.target = target
        self.ways = Ways(target, demand, statistics)
        self.demand = demand
        self.statistics = statistics
        self.sources = sources_of(target) if demand.using is None else (demand.using,)
        self.templates = target.mapped.mapping.placement is not None
        self.key_names = frozenset(name for source in self.sources for name in source.key) | template_sources(target)
        self.cheapest = 1.0 if demand.consistent else 0.5
        self.trials = 0
        self.refusals: list[Refusal] = []

    # ------------------------------------------------------------------ all conditions at once

    def best(self, parts: Sequence[Condition], first: int, refusals: list[Refusal] | None = None) -> Candidate | None:
        """The cheapest way without a scan to read the items of which all these hold; None: there is none.

        Args:
            parts: the conditions.
            first: the place from which on OR's are taken apart.
            refusals: takes why sources are not read.
        """
        self.trials += 1
        facts = Facts(parts)
        if not all(facts.points.values()):
            return NOTHING
        asked = parts
        if self.templates:
            derived, vacant = derived_conditions(self.target, asked)
            parts = [*asked, *derived]
            facts = Facts(parts, range(len(asked), len(parts)), vacant)
        usable: list[Candidate] = []
        for source in self.sources:
            refusal = self.ways.refusal(source, parts, facts)
            if refusal is None:
                found = list(self.ways.of(source, parts, facts))
                if any(not way.reads for way in found):
                    return NOTHING
                usable += found
                if refusals is None and found and self._is_cheapest(found[0]):
                    return found[0]
                if not found:
                    refusal = refused(source, f"it would take more than {MAX_QUERIES} queries")
            if refusal is not None and refusals is not None:
                refusals.append(refusal)
        best = min(usable, key=lambda way: way.cost, default=None)
        if best is None or not self._is_cheapest(best):
            apart = self._apart(asked, first, refusals)
            if apart is not None and (best is None or apart.cost < best.cost):
                best = apart
        if refusals is not None and best is not None:
            dearer = {way.label: way for way in reversed(usable) if way.label != best.label}
            refusals += [Refusal(f"a query on {label}", _dearer(way, best)) for label, way in reversed(dearer.items())]
        return best

    def _is_cheapest(self, way: Candidate) -> bool:
        """Whether nothing can be cheaper: one request for one item, for a read unit or half of one."""
        return way.cost.units <= self.cheapest and way.cost.requests <= 1 and way.cost.entries <= 1

    def _apart(self, parts: Sequence[Condition], first: int, refusals: list[Refusal] | None) -> Candidate | None:
        """The cheapest way that reads the sides of an OR by themselves."""
        if self.demand.order is not None or self.demand.single:
            return None
        best: Candidate | None = None
        for place in range(first, len(parts)):
            part = parts[place]
            if not isinstance(part, Junction) or self.key_names.isdisjoint(top_level_names(part)):
                continue
            sides: list[Candidate] = []
            for side in part.conditions:
                if self.trials >= MAX_TRIALS:
                    break
                rest = [*parts[:place], *parts[place + 1 :], *conjuncts(side)]
                found = self.best(rest, place)
                if found is None:
                    if refusals is not None:
                        refusals.append(Refusal("a query for each side of |", f"{side!r} has no key to query by"))
                    break
                sides.append(found)
            if len(sides) == len(part.conditions):
                reads = merged(self.target, [side.reads for side in sides], self.ways.cost_of_keys)
                candidate = Candidate(reads, are_disjoint(reads))
                if len(reads) <= MAX_QUERIES and (best is None or candidate.cost < best.cost):
                    best = candidate
        return best

    # ------------------------------------------------------------------ everything

    def scan(self, parts: Sequence[Condition]) -> ScanRead:
        """The cheapest scan: of the table, or of an index that has all that is wanted of all items that match."""
        condition = all_of(parts) if parts else None
        names = set() if condition is None else set(top_level_names(condition))
        best: ScanRead | None = None
        for source in self.sources:
            if source.kind == "global" and self.demand.consistent:
                continue
            complete = self.ways.incomplete(source, parts) is None
            covers = self.ways.holds(source) and source.holds(names)
            if (complete and covers) or source.kind == "table" or self.demand.using is not None:
                found = self._scan_of(source, condition, parts, covers=covers)
                if best is None or found.cost < best.cost:
                    best = found
        assert best is not None
        return best

    def _scan_of(
        self, source: Source, condition: Condition | None, parts: Sequence[Condition], *, covers: bool
    ) -> ScanRead:
        cost = cost_of_scan(source, self.statistics, consistent=self.demand.consistent)
        if covers:
            return ScanRead(source=source, filter=condition, test=None, fetch=None, recheck=None, cost=cost)
        held = [part for part in parts if source.holds(top_level_names(part))]
        filtered = all_of(held) if held else None
        fetched = self.ways.cost_of_keys(ceil(cost.entries * selectivity(filtered)))
        cost = cost.plus(fetched._replace(entries=0.0))
        return ScanRead(source=source, filter=filtered, test=None, fetch="batch", recheck=condition, cost=cost)

    def impossible(self, demand: Demand) -> ExpressionError:
        """The error for a demand that nothing meets."""
        why = "; ".join(f"{refusal.label}: {refusal.reason}" for refusal in self.refusals)
        if demand.order is not None:
            label = self.ways.label(demand.order)
            return ExpressionError(
                f"nothing gives the items of {self.target.plan.name} in the order of {label} by one query ({why}); "
                f"declare an index with sort_key={label!r} whose partition key the condition gives by ==, or sort the "
                "list"
            )
        return ExpressionError(f"no single query finds these items of {self.target.plan.name} ({why})")


def _within_limits(read: Read) -> Read:
    """The same read, what is too long for DynamoDB's filter tested here."""
    if (
        isinstance(read, KeysRead)
        or read.filter is None
        or sum(1 for _ in read.filter.comparisons()) < SAFE_COMPARISONS
    ):
        return read
    try:
        compile_condition(read.filter, Placeholders())
    except ExpressionError:
        tests = [read.filter] if read.test is None else [read.filter, read.test]
        return msgspec.structs.replace(read, filter=None, test=all_of(tests))
    return read


def _dearer(way: Candidate, best: Candidate) -> str:
    if way.cost.units > best.cost.units:
        return f"about {way.cost.units:,.1f} read units, more than the {best.cost.units:,.1f} of what is taken"
    if way.cost.requests > best.cost.requests:
        return f"{way.cost.requests:,.0f} requests, more than the {best.cost.requests:,.0f} of what is taken"
    return "it costs no less than what is taken"
