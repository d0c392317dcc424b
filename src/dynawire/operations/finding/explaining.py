"""Showing an access plan as a tree, with what it is guessed to take and, once it was carried out, what it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ...errors import DynawireError
from ...expressions import all_of
from ...expressions.operands import called
from ..capacity import active_meter
from ..effects import Effect, Operation, Request, Together
from ..streaming import Items, Stream
from ..target import Target
from .plans import AccessPlan, KeysRead, QueryRead, Read, Refusal
from .suggesting import suggested_index

__all__ = ["Explanation", "Measured", "Step", "measured", "shown", "steps_of"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a find reads, or several alike that differ in values only. No item value is in it.

    Attributes:
        access: ``"GetItem"``, ``"BatchGetItem"``, ``"Query"`` or ``"Scan"``.
        source: what is read: ``"the table"``, ``"the global index by_city"``.
        index: the index's name; None: the table.
        times: how many queries, or keys.
        key_condition: what selects the entries that are read.
        filter: what the service tests of them; they are read and paid for before.
        tested_here: what the service can't test, so that it is tested here.
        fetches: how whole items are read that the index does not hold, or None.
        read_units, items: guesses of what it takes and how many entries it reads.
    """

    access: str
    source: str
    index: str | None
    times: int
    key_condition: str | None
    filter: str | None
    tested_here: str | None
    fetches: str | None
    read_units: float
    items: float


class Measured(msgspec.Struct, kw_only=True):
    """What carrying it out took.

    Attributes:
        requests: how many requests were answered.
        read_units: what they consumed, as the service reported it.
        examined: items and index entries that were read, before any filter.
        returned: items that match.
    """

    requests: int = 0
    read_units: float = 0.0
    examined: int = 0
    returned: int = 0


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """How a find reads: ``str()`` shows it as a tree. No item value is in it.

    Attributes:
        find: what is looked for.
        steps: how it is read; none: no item can match, and nothing is sent.
        not_taken: why other sources are not read.
        read_units, requests: guesses of what it takes.
        rests_on: what the guesses rest on.
        scan_allowed: whether a scan, should it take one, may be sent.
        suggestion: the index that would spare the scan, as it is declared, or None.
        measured: what it took, when it was carried out.
    """

    find: str
    steps: tuple[Step, ...]
    not_taken: tuple[Refusal, ...]
    read_units: float
    requests: float
    rests_on: str
    scan_allowed: bool
    suggestion: str | None = None
    measured: Measured | None = None

    def __str__(self) -> str:
        lines = [*map(_step_tree, self.steps)] or [("nothing is sent: no item can match", [])]
        if self.not_taken:
            lines.append(("not taken", [str(one) for one in self.not_taken]))
        if self.suggestion is not None:
            lines.append((f"would serve: {self.suggestion}", []))
        if not self.scan_allowed and any(step.access == "Scan" for step in self.steps):
            lines.append(("the scan is not allowed: reading raises ScanNotAllowed", []))
        lines.append((f"estimated: {_cost(self.read_units, self.requests)} ({self.rests_on})", []))
        if self.measured is not None:
            took = self.measured
            cost = _cost(took.read_units, took.requests)
            lines.append((f"measured: {cost}, {took.examined:,} examined, {took.returned:,} returned", []))
        return "\n".join([self.find, *_tree(lines)])

    __repr__ = __str__


def _step_tree(step: Step) -> tuple[str, list[str]]:
    what = f"{step.access} on {step.source}"
    if step.times > 1:
        what += f", {step.times} {'keys' if step.access == 'BatchGetItem' else 'queries'}"
    parts = [
        f"{title}: {text}"
        for title, text in (
            ("key", step.key_condition),
            ("filter", step.filter),
            ("tested here", step.tested_here),
            ("then", step.fetches),
        )
        if text is not None
    ]
    parts.append(f"about {_count(step.read_units, 'read unit')}, {_count(round(step.items), 'item')} read")
    return what, parts


def _tree(lines: Sequence[tuple[str, list[str]]]) -> Iterator[str]:
    for place, (head, parts) in enumerate(lines):
        last = place == len(lines) - 1
        yield f"{'└' if last else '├'}─ {head}"
        for inner, part in enumerate(parts):
            yield f"{' ' if last else '│'}  {'└' if inner == len(parts) - 1 else '├'}─ {part}"


def _cost(units: float, requests: float) -> str:
    return f"{_count(units, 'read unit')}, {_count(requests, 'request')}"


def _count(number: float, what: str) -> str:
    return f"{_number(number)} {what}{'' if number == 1 else 's'}"


def _number(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


# ---------------------------------------------------------------------- from a plan


def shown(target: Target, plan: AccessPlan, *, scan_allowed: bool) -> Explanation:
    """A plan for a person."""
    where = "" if plan.condition is None else f" where {plan.condition!r}"
    steps = steps_of(target, plan)
    # A source that serves a side of an OR is taken, though not for the whole.
    taken = {f"a query on {step.source}" for step in steps if step.access != "Scan"}
    return Explanation(
        find=f"find {target.plan.name}{where}",
        steps=steps,
        not_taken=tuple(refusal for refusal in plan.refusals if refusal.label not in taken),
        read_units=plan.cost.units,
        requests=plan.cost.requests,
        rests_on=str(plan.statistics),
        scan_allowed=scan_allowed,
        suggestion=None if plan.scan is None else suggested_index(target, plan),
    )


def steps_of(target: Target, plan: AccessPlan) -> tuple[Step, ...]:
    """A plan's reads, those put together that differ in values only."""
    steps: dict[tuple[Any, ...], Step] = {}
    for read in plan.reads:
        step = _step(target, read)
        alike = (step.access, step.source, step.key_condition, step.filter, step.tested_here, step.fetches)
        before = steps.get(alike)
        if before is not None:
            step = msgspec.structs.replace(
                step,
                times=before.times + step.times,
                read_units=before.read_units + step.read_units,
                items=before.items + step.items,
            )
        steps[alike] = step
    return tuple(steps.values())


def _step(target: Target, read: Read) -> Step:
    if isinstance(read, KeysRead):
        tests = dict.fromkeys(repr(one.test) for one in read.keys if one.test is not None)
        several = len(read.keys) > 1
        return Step(
            access="BatchGetItem" if several else "GetItem",
            source="the table",
            index=None,
            times=len(read.keys),
            key_condition=" AND ".join(
                f"{called(target.mapped.paths_by_stored_name[name])} = :{place}"
                for place, name in enumerate(read.keys[0].key)
            ),
            filter=None,
            tested_here=" or ".join(tests) or None,
            fetches=None,
            read_units=read.cost.units,
            items=read.cost.entries,
        )
    source = read.source
    fetches = None
    if read.fetch is not None:
        fetches = "the service fetches the whole items"
    if read.fetch == "batch":
        tested = "" if read.recheck is None else f", of which is tested here: {read.recheck!r}"
        fetches = f"BatchGetItem of the whole items{tested}"
    return Step(
        access="Query" if isinstance(read, QueryRead) else "Scan",
        source=source.label,
        index=None if source.index is None else source.index.name,
        times=1,
        key_condition=repr(all_of(read.key)) if isinstance(read, QueryRead) else None,
        filter=None if read.filter is None else repr(read.filter),
        tested_here=None if read.test is None else repr(read.test),
        fetches=fetches,
        read_units=read.cost.units,
        items=read.cost.entries,
    )


# ---------------------------------------------------------------------- measuring


NOTHING = msgspec.Raw()


class _Counts(msgspec.Struct):
    """What a response of GetItem, BatchGetItem, Query or Scan tells of its cost."""

    ScannedCount: int = 0
    Item: msgspec.Raw = NOTHING
    Responses: dict[str, list[msgspec.Raw]] = {}
    ConsumedCapacity: Any = None


_read_counts = msgspec.json.Decoder(_Counts).decode


def measured(stream: Stream, limit: int | None) -> Operation[Measured]:
    """Carry out a stream and add up what it takes."""
    total = Measured()
    result: Any = None
    error: DynawireError | None = None
    try:
        while limit is None or total.returned < limit:
            try:
                effect = stream.send(result) if error is None else stream.throw(error)
            except StopIteration:
                break
            result, error = None, None
            if isinstance(effect, Items):
                total.returned += len(effect.items)
                continue
            try:
                result = yield _asking_for_capacity(effect)
            except DynawireError as caught:
                error = caught
                continue
            for response in result if isinstance(effect, Together) else [result]:
                if isinstance(response, bytes):
                    _add(total, response)
    finally:
        stream.close()
    if limit is not None:
        total.returned = min(total.returned, limit)
    return total


def _asking_for_capacity(effect: Effect) -> Effect:
    if active_meter.get() is not None:
        return effect
    if isinstance(effect, Together):
        return Together([_with_capacity(request) for request in effect.requests])
    return _with_capacity(effect) if isinstance(effect, Request) else effect


def _with_capacity(request: Request) -> Request:
    settings = request.idempotent, request.about
    return Request(request.operation, request.body[:-1] + b',"ReturnConsumedCapacity":"TOTAL"}', *settings)


def _add(total: Measured, response: bytes) -> None:
    counts = _read_counts(response)
    total.requests += 1
    total.examined += counts.ScannedCount + (counts.Item is not NOTHING) + sum(map(len, counts.Responses.values()))
    reported = counts.ConsumedCapacity
    for entry in reported if isinstance(reported, list) else [reported] if reported else []:
        total.read_units += float(entry.get("CapacityUnits") or 0.0)
