"""The ways to read what a condition asks for from one table or index, each exact: what its key does not say is left to
the filter, or tested here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...expressions import Comparison, Condition, Value, all_of
from ...expressions.normal_form import reduced, top_level_names
from ...mapping.value_codec import WireValue
from ..target import Target
from .costs import Cost, cost_of_keys, cost_of_query, selectivity
from .facts import Facts, KeyRange, is_present, range_of
from .plans import Demand, KeyRead, KeysRead, QueryRead, Read, Refusal
from .sources import Source, sources_of
from .statistics import Statistics

__all__ = ["MAX_QUERIES", "NOTHING", "Candidate", "Ways", "refused"]

MAX_QUERIES = 100
"""Queries that one find may take."""
MAX_KEYS = 1_000
"""Items that one find may read by key."""

Known = dict[str, WireValue]


class Candidate:
    """A way to read everything."""

    __slots__ = ("cost", "disjoint", "label", "reads")

    def __init__(self, reads: tuple[Read, ...], disjoint: bool, label: str = "") -> None:
        self.reads = reads
        self.disjoint = disjoint
        self.label = label
        self.cost = Cost(0.0, 0.0, 0.0)
        for read in reads:
            self.cost = self.cost.plus(read.cost)


NOTHING = Candidate((), True)


class Ways:
    """Looks at one source after the other for what a caller demands.

    Attributes:
        target: the class and its table.
        paths: by stored name, the path of each attribute.
        demand: what the caller wants beside the condition.
        statistics: what costs are guessed by.
        table: the table itself.
    """

    def __init__(self, target: Target, demand: Demand, statistics: Statistics) -> None:
        self.target = target
        self.paths = target.mapped.paths_by_stored_name
        self.demand = demand
        self.statistics = statistics
        self.table = sources_of(target)[0]

    def refusal(self, source: Source, parts: Sequence[Condition], facts: Facts) -> Refusal | None:
        """Why a source can't be queried for the items of which all these hold; None when it can."""
        demand = self.demand
        values = 1
        for name in source.partition:
            points = facts.points.get(name)
            if points is None:
                return refused(source, f"its partition key {self.label(name)} is not given by == or in_")
            values *= len(points)
        if values > 1 and (demand.single or demand.order is not None):
            return refused(source, "it takes more than one query")
        if source.kind == "global" and demand.consistent:
            return refused(source, "a global index has no consistent reads", "leave out consistent()")
        return self.incomplete(source, parts) or self._disordered(source, facts)

    def incomplete(self, source: Source, parts: Sequence[Condition]) -> Refusal | None:
        """Why a source may lack some of the items of which all these hold, or what is wanted of them."""
        for name in sorted(source.sparse) if self.demand.using is None else ():
            if not is_present(name, parts):
                lacking = self._lacking(name, parts)
                if lacking is None:
                    return refused(source, "not every item that fulfils the condition is in it")
                attribute = f"{self.target.plan.name}.{self.label(lacking)}"
                test = (
                    f"({attribute} != None)" if "NULL" in self.paths[lacking]._codec.tags else f"{attribute}.exists()"
                )
                return refused(
                    source,
                    f"items without {self.label(lacking)} are not in it, and the condition holds of such items too",
                    f"add & {test} to the condition, which then means items that have one",
                )
        if source.kind == "global" and not self.demand.hydrate:
            missing = self._missing(source, parts)
            if missing:
                return refused(source, f"it does not hold {missing}", "leave out hydrate(False)")
        return None

    def _lacking(self, name: str, parts: Sequence[Condition]) -> str | None:
        """The attribute without which an item lacks this key: itself, or what it is composed of; None: not just one."""
        if self.target.mapped.mapping.placement is None:
            return name
        assert self.target.computed is not None
        computation = self.target.computed.by_name[name]
        may_lack = [
            source
            for source in ({} if computation.template is None else dict.fromkeys(computation.template.sources))
            if "NULL" in self.paths[source]._codec.tags and not is_present(source, parts)
        ]
        return may_lack[0] if len(may_lack) == 1 and computation.when is None else None

    def _disordered(self, source: Source, facts: Facts) -> Refusal | None:
        if self.demand.order is None:
            return None
        for name in source.sort:
            if name == self.demand.order or self._composes_in_order(name, facts):
                return None
            if len(facts.points.get(name, ())) != 1:
                break
        if source.kind == "table" and all(len(facts.points.get(name, ())) == 1 for name in source.sort):
            return None
        return refused(source, f"its items do not come in the order of {self.label(self.demand.order)}")

    def holds(self, source: Source) -> bool:
        """Whether a source has all that is wanted of an item."""
        names = self.demand.names
        return not source.missing if names is None else source.holds(names)

    def _missing(self, source: Source, parts: Sequence[Condition]) -> str:
        held = source.held
        if held is None:
            return ""
        wanted = {name for part in parts for name in top_level_names(part)}
        names = (source.missing if self.demand.names is None else self.demand.names - held) | (wanted - held)
        return ", ".join(sorted(map(self.label, names)))

    def _composes_in_order(self, name: str, facts: Facts) -> bool:
        """Whether the texts of a generic key are in the order demanded: all before that attribute in them is given."""
        placement, computed = self.target.mapped.mapping.placement, self.target.computed
        if placement is None or computed is None or name not in placement.keys:
            return False
        template = computed.by_name[name].template
        assert template is not None
        for source, part in zip(template.sources, template.parts, strict=True):
            if source == self.demand.order:
                return part.ordered
            if len(facts.points.get(source, ())) != 1:
                return False
        return False

    def label(self, stored_name: str) -> str:
        """The Python name of an attribute."""
        placement = self.target.mapped.mapping.placement
        template = None if placement is None else placement.keys.get(stored_name)
        if template is None:
            return self.paths[stored_name]._label
        computed = self.target.computed
        when = None if computed is None else computed.by_name[stored_name].when
        return f"{stored_name} ({template.text}{'' if when is None else f' when {when!r}'})"

    def of(self, source: Source, parts: Sequence[Condition], facts: Facts) -> Iterator[Candidate]:
        """The ways to query a source: several values of sort key attributes one by one, or as a range.

        None when that takes too many queries; one without reads when no item can match.
        """
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
    ) -> Candidate:
        settled = facts.settled((*source.partition, *source.sort[:equalities])) | facts.implied
        if source.kind == "table" and equalities == len(source.sort):
            keys = [
                KeyRead(known, all_of(rest) if rest else None)
                for known in every
                if (rest := _left(parts, known, settled)) is not None
            ]
            if not keys:
                return NOTHING
            return Candidate((KeysRead(tuple(keys), self.cost_of_keys(len(keys))),), True, source.label)
        key_range: KeyRange | bool = True
        if equalities < len(source.sort):
            key_range = range_of(self.paths[source.sort[equalities]], facts)
            if key_range is False:
                return NOTHING
            if isinstance(key_range, KeyRange) and source.sort[equalities] in facts.vacant:
                key_range = key_range._replace(selectivity=1.0)
        queries = [self._query(source, parts, known, key_range, settled) for known in every]
        return Candidate(tuple(query for query in queries if query is not None), True, source.label)

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
        if not self.holds(source) or not all(map(source.holds, names)):
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

    def cost_of_keys(self, count: int) -> Cost:
        """What reading so many items by key takes."""
        return cost_of_keys(count, self.table, self.statistics, consistent=self.demand.consistent)


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


def refused(source: Source, reason: str, remedy: str | None = None) -> Refusal:
    """Why a source is not queried."""
    return Refusal(f"a query on {source.label}", reason, remedy)
