"""Reads of the sides of an OR put together: one key is read once, one query is sent once, one item is tested once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any

import msgspec

from ...expressions import Condition, Value, all_of, any_of
from ..identity import key_identity
from ..target import Target
from .costs import Cost
from .facts import value_identity
from .plans import KeyRead, KeysRead, QueryRead, Read

__all__ = ["are_disjoint", "merged"]

MAX_COMPARED = 32
"""Reads that are compared two by two; of more, items are told apart when they are found."""


def merged(target: Target, sides: Iterable[Sequence[Read]], cost_of_keys: Callable[[int], Cost]) -> tuple[Read, ...]:
    """The reads that find what any of these find."""
    keys: dict[bytes, KeyRead] = {}
    queries: dict[Hashable, QueryRead] = {}
    for reads in sides:
        for read in reads:
            if isinstance(read, KeysRead):
                for one in read.keys:
                    identity = key_identity(target.plan.key_names, one.key)
                    other = keys.get(identity)
                    keys[identity] = one if other is None else KeyRead(one.key, _either(other.test, one.test))
            elif isinstance(read, QueryRead):
                same = _same_query(read)
                before = queries.get(same)
                queries[same] = read if before is None else _joined(before, read)
    found: list[Read] = list(queries.values())
    if keys:
        found.insert(0, KeysRead(tuple(keys.values()), cost_of_keys(len(keys))))
    return tuple(found)


def _same_query(read: QueryRead) -> Hashable:
    """Equal for two queries with one key condition."""
    return read.source.label, tuple(
        (one.operator, one.path._steps, tuple(value_identity(v.wire) for v in one.operands if isinstance(v, Value)))
        for one in read.key
    )


def _joined(one: QueryRead, other: QueryRead) -> QueryRead:
    """The query that finds what either does."""
    fetch = one.fetch or other.fetch
    cheaper_first = sorted((one, other), key=lambda read: read.cost)
    joined = msgspec.structs.replace(one, fetch=fetch, cost=cheaper_first[1].cost)
    if fetch == "batch":
        # What the entries lack is tested of the whole items, and so is everything.
        recheck = _either(_meaning(one), _meaning(other))
        clean = one.test is None and other.test is None
        return msgspec.structs.replace(
            joined, filter=_either(one.filter, other.filter) if clean else None, test=None, recheck=recheck
        )
    if one.test is None and other.test is None:
        return msgspec.structs.replace(joined, filter=_either(one.filter, other.filter))
    return msgspec.structs.replace(joined, filter=None, test=_either(_both(one), _both(other)))


def _meaning(read: QueryRead) -> Condition | None:
    return read.recheck if read.fetch == "batch" else _both(read, read.key)


def _both(read: QueryRead, key: Sequence[Condition] = ()) -> Condition | None:
    parts = [*key, *(part for part in (read.filter, read.test) if part is not None)]
    return all_of(parts) if parts else None


def _either(one: Condition | None, other: Condition | None) -> Condition | None:
    """None stands for what is always true."""
    return None if one is None or other is None else any_of([one, other])


def are_disjoint(reads: Sequence[Read]) -> bool:
    """Whether no item can be found by two of these."""
    if len(reads) < 2:
        return True
    if len(reads) > MAX_COMPARED:
        return False
    pinned = [_pinned(read) for read in reads]
    return all(
        any(name in other and other[name] != value for name, value in one.items())
        for place, one in enumerate(pinned)
        for other in pinned[:place]
    )


def _pinned(read: Read) -> dict[str, Any]:
    """The attributes that have one value in everything a read finds."""
    if isinstance(read, KeysRead):
        every = [{name: value_identity(wire) for name, wire in one.key.items()} for one in read.keys]
        first = every[0]
        return {name: value for name, value in first.items() if all(one[name] == value for one in every)}
    if isinstance(read, QueryRead):
        return {
            str(one.path._steps[0]): value_identity(operand.wire)
            for one in read.key
            if one.operator == "="
            for operand in one.operands
            if isinstance(operand, Value)
        }
    return {}
