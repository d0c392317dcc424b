"""The planner: from a condition and what a class's table and indexes offer to the cheapest way of reading the items.

Every way is exact: what a key condition does not say is left to the filter, or tested here where DynamoDB has no filter
for it. Of the ways that are possible the cheapest by read units is taken, then by requests; a Scan only when nothing
else serves. A condition is tried as it is on each source, and with each of its OR's taken apart, each side read by
itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any

from ...errors import ExpressionError
from ...expressions import Comparison, Condition, Junction, Value, all_of
from ...expressions.evaluation import check_owners
from ...expressions.normal_form import conjuncts, normal_form, reduced, top_level_names
from ...mapping.value_codec import WireValue
from ..target import Target
from .costs import Cost, cost_of_keys, cost_of_query, cost_of_scan, selectivity
from .facts import Facts, KeyRange, is_present, range_of
from .merging import are_disjoint, merged
from .plans import AccessPlan, Demand, KeyRead, KeysRead, QueryRead, Read, Refusal, ScanRead
from .sources import Source, sources_of
from .statistics import Statistics

__all__ = ["plan_access"]

MAX_QUERIES = 100
"""Queries that one find may take."""
MAX_KEYS = 1_000
"""Items that one find may read by key."""
MAX_TRIALS = 1_000
"""Conditions that are tried while OR's are taken apart."""

Known = dict[str, WireValue]


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
        check_owners(condition, target.cls)
        condition = normal_form(condition)
    planner = _Planner(target, demand, statistics)
    parts = conjuncts(condition)
    found = planner.best(parts, 0, planner.refusals if reasons else None)
    if found is None:
        if demand.order is not None or demand.single:
            planner.best(parts, 0, planner.refusals)
            raise planner.impossible(demand)
        found = _Candidate((planner.scan(parts),), True)
    return AccessPlan(
        reads=found.reads,
        disjoint=found.disjoint,
        cost=found.cost,
        refusals=tuple(planner.refusals),
        statistics=statistics,
        condition=condition,
    )


class _Candidate:
    """A way to read everything."""

    __slots__ = ("cost", "disjoint", "label", "reads")

    def __init__(self, reads: tuple[Read, ...], disjoint: bool, label: str = "") -> None:
        self.reads = reads
        self.disjoint = disjoint
        self.label = label
        self.cost = Cost(0.0, 0.0, 0.0)
        for read in reads:
            self.cost = self.cost.plus(read.cost)


_NOTHING = _Candidate((), True)


class _Planner:
    def __init__(self, target: Target, demand: Demand, statistics: Statistics) -> None:
        self.target = target
        self.paths = target.mapped.paths_by_stored_name
        self.demand = demand
        self.statistics = statistics
        self.table = sources_of(target)[0]
        self.sources = sources_of(target) if demand.using is None else (demand.using,)
        self.key_names = frozenset(name for source in self.sources for name in source.key)
        self.cheapest = 1.0 if demand.consistent else 0.5
        self.trials = 0
        self.refusals: list[Refusal] = []

    # ------------------------------------------------------------------ all conditions at once

    def best(self, parts: Sequence[Condition], first: int, refusals: list[Refusal] | None = None) -> _Candidate | None:
        """The cheapest way without a scan to read the items of which all these hold; None: there is none.

        Args:
            parts: the conditions.
            first: the place from which on OR's are taken apart.
            refusals: takes why sources are not read.
        """
        self.trials += 1
        facts = Facts(parts)
        if not all(facts.points.values()):
            return _NOTHING
        usable: list[_Candidate] = []
        for source in self.sources:
            refusal = self._refused(source, parts, facts)
            if refusal is None:
                found = list(self._ways(source, parts, facts))
                if any(not way.reads for way in found):
                    return _NOTHING
                usable += found
                if refusals is None and found and self._is_cheapest(found[0]):
                    return found[0]
                if not found:
                    refusal = _refusal(source, f"it would take more than {MAX_QUERIES} queries")
            if refusal is not None and refusals is not None:
                refusals.append(refusal)
        best = min(usable, key=lambda way: way.cost, default=None)
        if best is None or not self._is_cheapest(best):
            apart = self._apart(parts, first, refusals)
            if apart is not None and (best is None or apart.cost < best.cost):
                best = apart
        if refusals is not None and best is not None:
            dearer = {way.label: way for way in reversed(usable) if way.label != best.label}
            refusals += [Refusal(f"a query on {label}", _dearer(way, best)) for label, way in reversed(dearer.items())]
        return best

    def _is_cheapest(self, way: _Candidate) -> bool:
        """Whether nothing can be cheaper: one request for one item, for a read unit or half of one."""
        return way.cost.units <= self.cheapest and way.cost.requests <= 1 and way.cost.entries <= 1

    def _apart(self, parts: Sequence[Condition], first: int, refusals: list[Refusal] | None) -> _Candidate | None:
        """The cheapest way that reads the sides of an OR by themselves."""
        if self.demand.order is not None or self.demand.single:
            return None
        best: _Candidate | None = None
        for place in range(first, len(parts)):
            part = parts[place]
            if not isinstance(part, Junction) or self.key_names.isdisjoint(top_level_names(part)):
                continue
            sides: list[_Candidate] = []
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
                reads = merged(self.target, [side.reads for side in sides], self._cost_of_keys)
                candidate = _Candidate(reads, are_disjoint(reads))
                if len(reads) <= MAX_QUERIES and (best is None or candidate.cost < best.cost):
                    best = candidate
        return best

    # ------------------------------------------------------------------ one source

    def _refused(self, source: Source, parts: Sequence[Condition], facts: Facts) -> Refusal | None:
        """Why a source can't be queried for the items of which all these hold."""
        demand = self.demand
        values = 1
        for name in source.partition:
            points = facts.points.get(name)
            if points is None:
                return _refusal(source, f"its partition key {self._label(name)} is not given by == or in_")
            values *= len(points)
        if values > 1 and (demand.single or demand.order is not None):
            return _refusal(source, "it takes more than one query")
        if source.kind == "global" and demand.consistent:
            return _refusal(source, "a global index has no consistent reads", "leave out consistent()")
        return self._incomplete(source, parts) or self._disordered(source, facts)

    def _incomplete(self, source: Source, parts: Sequence[Condition]) -> Refusal | None:
        for name in sorted(source.sparse) if self.demand.using is None else ():
            if not is_present(name, parts):
                attribute = f"{self.target.plan.name}.{self._label(name)}"
                return _refusal(
                    source,
                    f"items without {self._label(name)} are not in it, and the condition holds of such items too",
                    f"add & {attribute}.exists() to the condition, which then means items that have one",
                )
        if source.kind == "global" and not self.demand.hydrate:
            missing = self._missing(source, parts)
            if missing:
                return _refusal(source, f"it does not hold {missing}", "leave out hydrate(False)")
        return None

    def _disordered(self, source: Source, facts: Facts) -> Refusal | None:
        if self.demand.order is None:
            return None
        for name in source.sort:
            if name == self.demand.order:
                return None
            if len(facts.points.get(name, ())) != 1:
                break
        if source.kind == "table" and all(len(facts.points.get(name, ())) == 1 for name in source.sort):
            return None
        return _refusal(source, f"its items do not come in the order of {self._label(self.demand.order)}")

    def _holds(self, source: Source) -> bool:
        names = self.demand.names
        return not source.missing if names is None else source.holds(names)

    def _missing(self, source: Source, parts: Sequence[Condition]) -> str:
        held = source.held
        if held is None:
            return ""
        wanted = {name for part in parts for name in top_level_names(part)}
        names = (source.missing if self.demand.names is None else self.demand.names - held) | (wanted - held)
        return ", ".join(sorted(map(self._label, names)))

    def _label(self, stored_name: str) -> str:
        return self.paths[stored_name].label

    def _ways(self, source: Source, parts: Sequence[Condition], facts: Facts) -> Iterator[_Candidate]:
        """The ways to query a source: several values of sort key attributes one by one, or as a range."""
        several = not self.demand.single and self.demand.order is None
        for one_by_one in (True, False) if several else (False,):
            known: list[Known] = [{}]
            for name in source.partition:
                known = _with_values(known, name, facts.points[name])
            equalities = 0
            for name in source.sort:
                points = facts.points.get(name)
                if points is None or (len(points) > 1 and not one_by_one):
                    break
                known = _with_values(known, name, points)
                equalities += 1
            whole_key = source.kind == "table" and equalities == len(source.sort)
            if len(known) <= (MAX_KEYS if whole_key else MAX_QUERIES):
                yield self._way(source, parts, facts, known, equalities)
            if not one_by_one or not any(len(facts.points.get(name, ())) > 1 for name in source.sort):
                return

    def _way(
        self, source: Source, parts: Sequence[Condition], facts: Facts, every: list[Known], equalities: int
    ) -> _Candidate:
        settled = facts.settled((*source.partition, *source.sort[:equalities]))
        if source.kind == "table" and equalities == len(source.sort):
            keys = [
                KeyRead(known, all_of(rest) if rest else None)
                for known in every
                if (rest := _left(parts, known, settled)) is not None
            ]
            if not keys:
                return _NOTHING
            return _Candidate((KeysRead(tuple(keys), self._cost_of_keys(len(keys))),), True, source.label)
        key_range: KeyRange | bool = True
        if equalities < len(source.sort):
            key_range = range_of(self.paths[source.sort[equalities]], facts)
            if key_range is False:
                return _NOTHING
        queries = [self._query(source, parts, known, key_range, settled) for known in every]
        return _Candidate(tuple(query for query in queries if query is not None), True, source.label)

    def _query(
        self,
        source: Source,
        parts: Sequence[Condition],
        known: Known,
        key_range: KeyRange | bool,
        settled: frozenset[int],
    ) -> QueryRead | None:
        """The query for these values of key attributes; None when nothing it finds could match."""
        key = [Comparison("=", self.paths[name], (Value(None, wire),)) for name, wire in known.items()]
        part = 1.0
        if isinstance(key_range, KeyRange):
            key.append(key_range.comparison)
            settled |= key_range.implied
            part = key_range.selectivity
        rest = _left(parts, known, settled)
        if rest is None:
            return None
        names = [set(top_level_names(condition)) for condition in rest]
        fetch: Any = None
        if not self._holds(source) or not all(map(source.holds, names)):
            fetch = "service" if source.kind == "local" else "batch"
        by_service: list[Condition] = []
        here: list[Condition] = []
        for condition, looks_at in zip(rest, names, strict=True):
            held = source.holds(looks_at)
            if held and source.key.isdisjoint(looks_at):
                by_service.append(condition)
            elif held or fetch == "service":
                here.append(condition)
        filtered = all_of(by_service) if by_service else None
        cost = cost_of_query(
            source,
            self.table,
            self.statistics,
            sort_equalities=len(known) - len(source.partition),
            range_selectivity=part,
            fetched=None if fetch is None else selectivity(filtered),
            consistent=self.demand.consistent,
        )
        return QueryRead(
            source=source,
            key=tuple(key),
            filter=filtered,
            test=all_of(here) if here else None,
            fetch=fetch,
            recheck=all_of(parts) if fetch == "batch" and parts else None,
            cost=cost,
        )

    def _cost_of_keys(self, count: int) -> Cost:
        return cost_of_keys(count, self.table, self.statistics, consistent=self.demand.consistent)

    # ------------------------------------------------------------------ everything

    def scan(self, parts: Sequence[Condition]) -> ScanRead:
        """The cheapest scan: of the table, or of an index that has all that is wanted of all items that match."""
        condition = all_of(parts) if parts else None
        names = set() if condition is None else set(top_level_names(condition))
        best: ScanRead | None = None
        for source in self.sources:
            if source.kind == "global" and self.demand.consistent:
                continue
            complete = self._incomplete(source, parts) is None
            covers = self._holds(source) and source.holds(names)
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
            return ScanRead(source=source, filter=condition, fetch=None, recheck=None, cost=cost)
        held = [part for part in parts if source.holds(top_level_names(part))]
        filtered = all_of(held) if held else None
        fetched = self._cost_of_keys(ceil(cost.entries * selectivity(filtered)))
        cost = cost.plus(fetched._replace(entries=0.0))
        return ScanRead(source=source, filter=filtered, fetch="batch", recheck=condition, cost=cost)

    def impossible(self, demand: Demand) -> ExpressionError:
        """The error for a demand that nothing meets."""
        why = "; ".join(f"{refusal.label}: {refusal.reason}" for refusal in self.refusals)
        if demand.order is not None:
            label = self._label(demand.order)
            return ExpressionError(
                f"nothing gives the items of {self.target.plan.name} in the order of {label} by one query ({why}); "
                f"declare an index with sort_key={label!r} whose partition key the condition gives by ==, or sort the "
                "list"
            )
        return ExpressionError(f"no single query finds these items of {self.target.plan.name} ({why})")


def _with_values(every: list[Known], name: str, points: Sequence[WireValue]) -> list[Known]:
    return [{**known, name: wire} for known in every for wire in points]


def _left(parts: Sequence[Condition], known: Known, settled: frozenset[int]) -> list[Condition] | None:
    """What is left of the conditions when these values are known; None when one of them is false.

    Args:
        parts: the conditions.
        known: values by stored name.
        settled: places of conditions that hold then.
    """
    rest: list[Condition] = []
    for place, part in enumerate(parts):
        if place in settled:
            continue
        found = reduced(part, known)
        if found is False:
            return None
        if found is not True:
            rest.append(found)
    return rest


def _refusal(source: Source, reason: str, remedy: str | None = None) -> Refusal:
    return Refusal(f"a query on {source.label}", reason, remedy)


def _dearer(way: _Candidate, best: _Candidate) -> str:
    if way.cost.units > best.cost.units:
        return f"about {way.cost.units:,.1f} read units, more than the {best.cost.units:,.1f} of what is taken"
    if way.cost.requests > best.cost.requests:
        return f"{way.cost.requests:,.0f} requests, more than the {best.cost.requests:,.0f} of what is taken"
    return "it costs no less than what is taken"
