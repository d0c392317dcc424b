"""A class with every kind of key and index, random items of it, and random conditions on them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

import dynawire as dw
from dynawire import Attr, Condition, GlobalIndex, LocalIndex, Model, attr, partition_key, sort_key
from dynawire.expressions import any_of
from dynawire.operations.finding.sources import sources_of
from dynawire.operations.finding.statistics import ASSUMED, Statistics


class Thing(Model, table="things"):
    """Attributes that every item has (colour), need not have (rank, note, memo), or lacks where it is old (size)."""

    part: Attr[str] = partition_key(name="p")
    number: Attr[int] = sort_key()
    colour: Attr[str] = attr(name="c")
    size_: Attr[int] = attr(default=0, name="size")
    rank: Attr[int | None] = attr(default=None)
    note: Attr[str | None] = attr(default=None)
    memo: Attr[str | None] = attr(default=None, store_none=True)
    mark: Attr[bytes | None] = attr(default=None)
    weight: Attr[Decimal] = attr(default=Decimal(0))
    tags: Attr[set[str]] = attr(default_factory=set)
    places: Attr[list[int]] = attr(default_factory=list)

    by_colour = GlobalIndex("colour", "size_")
    by_colour_number = GlobalIndex("colour", "number", projection="KEYS_ONLY")
    by_rank = GlobalIndex("rank", projection="KEYS_ONLY")
    by_rank_colour = GlobalIndex("rank", "colour", projection=["note", "memo"])
    by_note = GlobalIndex("colour", "note", projection=["rank"])
    by_many = GlobalIndex(["colour", "rank"], ["size_", "note"])
    by_mark = GlobalIndex("mark", "weight")
    by_note_here = LocalIndex("note", projection="KEYS_ONLY")
    by_size_here = LocalIndex("size_")


PARTS, COLOURS, NOTES = ["a", "b", "é"], ["r", "g", "b"], ["x", "xy", "y"]
NUMBERS = [-1, 0, 1, 2, 10]
MARKS = [b"\x00", b"\x00\xff", b"a"]
WEIGHTS = [Decimal("-1.5"), Decimal("1E+2"), Decimal("99.99999999999999999999999999999999999")]

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "part": st.sampled_from(PARTS),
    "number": st.sampled_from(NUMBERS),
    "colour": st.sampled_from(COLOURS),
    "size_": st.sampled_from(NUMBERS),
    "rank": st.sampled_from(NUMBERS),
    "note": st.sampled_from(NOTES),
    "memo": st.sampled_from(NOTES),
    "mark": st.sampled_from(MARKS),
    "weight": st.sampled_from(WEIGHTS),
}


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    """One item in wire form; what it may lack it often lacks."""
    made = Thing(**{name: draw(values) for name, values in VALUES.items()}, tags=draw(st.sets(st.sampled_from(NOTES))))
    made.places = draw(st.lists(st.sampled_from(NUMBERS), max_size=3))
    if draw(st.booleans()):
        made.memo = None
    wire = made.to_item()
    for name in ("size", "rank", "note", "memo", "mark", "weight"):
        if draw(st.integers(0, 2)) == 0:
            wire.pop(name, None)
    return wire


@st.composite
def leaves(draw: st.DrawFn) -> Condition:
    """One test; most are of attributes that are part of a key."""
    name = draw(st.sampled_from([*VALUES, "part", "number", "colour", "rank"]))
    path: Any = getattr(Thing, name)
    values = VALUES[name]
    kind = draw(st.integers(0, 11))
    if kind <= 3:
        return path == draw(values)
    if kind == 4:
        return path.in_(draw(st.lists(values, min_size=1, max_size=4)))
    if kind == 5:
        low, high = sorted([draw(values), draw(values)])
        return path.between(low, high)
    if kind <= 8:
        value = draw(values)
        return draw(st.sampled_from([path < value, path <= value, path > value, path >= value, path != value]))
    if kind == 9 and name in ("part", "colour", "note", "memo"):
        part = draw(st.sampled_from(["", "x", "xy", "r", "é"]))
        return draw(st.sampled_from([path.begins_with(part), path.contains(part)]))
    if kind == 9 and name == "mark":
        part = draw(st.sampled_from([b"", b"\x00", b"\xff"]))
        return draw(st.sampled_from([path.begins_with(part), path.contains(part)]))
    if kind == 10:
        return draw(st.sampled_from(OTHERS))
    return draw(st.sampled_from([path.exists(), path.not_exists(), path == None, path != None]))  # noqa: E711


OTHERS: list[Condition] = [
    Thing.rank.in_([None, 1]),
    Thing.rank.is_type(int),
    Thing.memo.is_type(None),
    Thing.note.size() > 1,
    Thing.note.size() != 1,
    Thing.part.size() == 1,
    Thing.note == Thing.memo,
    Thing.number < Thing.size_,
    Thing.rank == Thing.number,
    Thing.colour.between(Thing.note, "z"),
    Thing.tags.contains("x"),
    Thing.tags.contains(Thing.note),
    Thing.places[0] == 1,
    Thing.places.contains(2),
    Thing.places == [],
]


KEYS: list[tuple[list[str], list[str]]] = [
    (["part"], ["number"]),
    (["colour"], ["size_"]),
    (["colour"], ["number"]),
    (["rank"], ["colour"]),
    (["colour"], ["note"]),
    (["colour", "rank"], ["size_", "note"]),
    (["part"], ["note"]),
    (["mark"], ["weight"]),
    (["part"], ["size_"]),
]


@st.composite
def keyed(draw: st.DrawFn) -> Condition:
    """What a key or an index could be queried by, and something besides."""
    partition, sort = draw(st.sampled_from(KEYS))
    tests: list[Condition] = []
    for name in (*partition, *sort[: draw(st.integers(0, len(sort)))]):
        path: Any = getattr(Thing, name)
        values = VALUES[name]
        if draw(st.integers(0, 2)) == 0:
            tests.append(path.in_(draw(st.lists(values, min_size=1, max_size=3))))
        else:
            tests.append(path == draw(values))
    for name in draw(st.lists(st.sampled_from([*sort, "number", "note"]), max_size=2)):
        path, value = getattr(Thing, name), draw(VALUES[name])
        tests.append(draw(st.sampled_from([path < value, path <= value, path > value, path >= value, ~(path < value)])))
        if name == "note" and draw(st.booleans()):
            tests.append(path.begins_with("x"))
    tests += draw(st.lists(leaves(), max_size=2))
    found = tests[0]
    for test in draw(st.permutations(tests[1:])):
        found = found & test
    return found


def trees(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return (
        st.tuples(inner, inner).map(lambda two: two[0] & two[1])
        | st.tuples(inner, inner, inner).map(lambda three: three[0] & three[1] & three[2])
        | st.tuples(inner, inner).map(lambda two: two[0] | two[1])
        | inner.map(lambda one: ~one)
    )


def conditions() -> st.SearchStrategy[Condition]:
    """Trees of any tests, and of what keys can be queried by."""
    several = st.lists(keyed(), min_size=2, max_size=4).map(any_of)
    both = st.tuples(several, keyed() | leaves()).map(lambda two: two[0] & two[1])
    return st.one_of(keyed(), several, both, st.recursive(leaves() | keyed(), trees, max_leaves=8))


@st.composite
def statistics(draw: st.DrawFn) -> Statistics:
    """What might be known of the table: it sways the choice and never the result."""
    if draw(st.booleans()):
        return ASSUMED
    count = draw(st.integers(1, 10**6))
    indexes = {
        name: (draw(st.integers(0, count)), draw(st.integers(0, 10**8)))
        for name in draw(st.sets(st.sampled_from(INDEXES)))
    }
    return Statistics(items=count, size_bytes=draw(st.integers(1, 10**9)), indexes=indexes, assumed=False)


INDEXES = [
    "by_colour",
    "by_colour_number",
    "by_rank",
    "by_rank_colour",
    "by_note",
    "by_many",
    "by_mark",
    "by_note_here",
    "by_size_here",
]


def offer(table: dw.Table[Any], indexes: Iterable[str], known: Statistics) -> None:
    """Let only these indexes be there, and this be known of the table."""
    target = table._target
    target.known.clear()
    wanted = {None, *indexes}
    target.known["sources"] = tuple(
        source for source in sources_of(target) if (None if source.index is None else source.index.name) in wanted
    )
    target.known["statistics"] = known


def store(db: dw.Database, wires: Iterable[dict[str, Any]]) -> None:
    """Put items past the mapper."""
    for wire in wires:
        db.engine.send("PutItem", msgspec.json.encode({"TableName": db.table(Thing).name, "Item": wire}))


def plain(thing: Thing) -> str:
    """An item in a form that can be compared and sorted."""
    return json.dumps(thing.to_dict(), default=lambda value: sorted(value) if isinstance(value, set) else repr(value))
