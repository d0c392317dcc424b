"""Two writers of one item, any sequence of changes and saves: what is stored is what both meant."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key
from tests.support.databases import connected


class Shared(Model, table="shared"):
    """An item with plain attributes, a map, and a map of maps."""

    id: Attr[str] = partition_key()
    text: Attr[str | None] = attr(default=None)
    number: Attr[int] = attr(default=0)
    tags: Attr[set[str]] = attr(default_factory=set)
    names: Attr[dict[str, str]] = attr(default_factory=dict)
    extra: Attr[Any] = attr(default_factory=dict)


ATTRIBUTES = ("text", "number", "tags", "names", "extra")
LETTERS = st.sampled_from("abc")
WRITERS = st.integers(0, 1)
MISSING: Any = object()


class Gone(Exception):
    """A member was to be written into what is no map."""


def difference(old: Any, new: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The paths at which two values differ, and the new value there; maps are looked into."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in {**old, **new}:
            yield from difference(old.get(name, MISSING), new.get(name, MISSING), (*path, name))
    elif type(old) is not type(new) or old != new:
        yield path, new


def apply(stored: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    parent: Any = stored
    for name in path[:-1]:
        parent = parent.get(name) if isinstance(parent, dict) else None
        if not isinstance(parent, dict):
            raise Gone
    if value is MISSING:
        parent.pop(path[-1], None)
    else:
        parent[path[-1]] = copy.deepcopy(value)


def values(item: Shared) -> dict[str, Any]:
    """The attributes that are stored: neither None nor an empty set, which are stored by leaving them out."""
    found = {name: getattr(item, name) for name in ATTRIBUTES}
    return copy.deepcopy({name: one for name, one in found.items() if one is not None and one != set()})


class Writers(RuleBasedStateMachine):
    """The program's two instances, what each was loaded from, and what must be stored."""

    url = "memory:"

    def __init__(self) -> None:
        super().__init__()
        self.db = connected(self.url)
        self.db.create_tables(Shared)
        self.table = self.db.table(Shared)
        self.stored: dict[str, Any] | None = None
        self.items: list[Shared] = []
        self.loaded: list[dict[str, Any]] = []

    def teardown(self) -> None:
        if self.url != "memory:":
            self.db.drop_tables(Shared)
        self.db.close()

    @initialize()
    def begin(self) -> None:
        self.table.put(Shared(id="x", names={"a": "1"}, extra={"a": {"b": 1}}))
        self.items = [self.table.get_one("x"), self.table.get_one("x")]
        self.stored = values(self.items[0])
        self.loaded = [values(item) for item in self.items]

    @contextmanager
    def refused(self, kind: type[Exception]) -> Iterator[None]:
        with pytest.raises(kind):
            yield

    # ------------------------------------------------------------------ local changes

    @rule(writer=WRITERS, text=st.one_of(st.none(), LETTERS), number=st.integers(0, 3), tags=st.sets(LETTERS))
    def assign(self, writer: int, text: str | None, number: int, tags: set[str]) -> None:
        item = self.items[writer]
        item.text, item.number, item.tags = text, number, tags

    @rule(writer=WRITERS, name=LETTERS, value=st.one_of(st.none(), LETTERS))
    def change_member(self, writer: int, name: str, value: str | None) -> None:
        names = self.items[writer].names
        if value is None:
            names.pop(name, None)
        else:
            names[name] = value

    @rule(writer=WRITERS, outer=LETTERS, inner=LETTERS, value=st.one_of(st.integers(0, 2), st.lists(st.integers(0, 1))))
    def change_deep(self, writer: int, outer: str, inner: str, value: Any) -> None:
        extra = self.items[writer].extra
        if isinstance(extra, dict):
            inside = extra.setdefault(outer, {})
            if isinstance(inside, dict):
                inside[inner] = value
            else:
                extra[outer] = {inner: value}

    @rule(writer=WRITERS, value=st.sampled_from(["text", 5, {}, {"a": {}}, {"a": 1}, [1]]))
    def replace_extra(self, writer: int, value: Any) -> None:
        self.items[writer].extra = copy.deepcopy(value)

    # ------------------------------------------------------------------ operations

    @rule(writer=WRITERS)
    def save(self, writer: int) -> None:
        item = self.items[writer]
        now = values(item)
        changes = [
            one
            for name in ATTRIBUTES
            for one in difference(self.loaded[writer].get(name, MISSING), now.get(name, MISSING), (name,))
        ]
        if not changes:
            assert self.table.save(item) is False
            return
        if self.stored is None:
            with self.refused(dw.ItemNotFound):
                self.table.save(item)
            return
        after = copy.deepcopy(self.stored)
        try:
            for path, value in changes:
                # All paths are looked for in the item as it was.
                apply(copy.deepcopy(self.stored), path, value)
                apply(after, path, value)
        except Gone:
            with self.refused(dw.ConditionFailed):
                self.table.save(item)
            return
        assert self.table.save(item) is True
        self.stored, self.loaded[writer] = after, now

    @rule(writer=WRITERS)
    def refresh(self, writer: int) -> None:
        if self.stored is None:
            with self.refused(dw.ItemNotFound):
                self.table.refresh(self.items[writer])
        else:
            self.table.refresh(self.items[writer])
            self.loaded[writer] = values(self.items[writer])

    @rule(writer=WRITERS)
    def put(self, writer: int) -> None:
        self.table.put(self.items[writer])
        self.stored = values(self.items[writer])
        self.loaded[writer] = values(self.items[writer])

    @rule(writer=WRITERS)
    def insert(self, writer: int) -> None:
        if self.stored is not None:
            with self.refused(dw.ItemExists):
                self.table.insert(self.items[writer])
        else:
            self.table.insert(self.items[writer])
            self.stored = values(self.items[writer])
            self.loaded[writer] = values(self.items[writer])

    @rule(writer=WRITERS, amount=st.integers(1, 3), tag=LETTERS)
    def update(self, writer: int, amount: int, tag: str) -> None:
        item = self.items[writer]
        updates = (Shared.number.add(amount), Shared.tags.add({tag}))
        if self.stored is None:
            with self.refused(dw.ItemNotFound):
                self.table.update(item, *updates)
            return
        self.table.update(item, *updates)
        self.stored["number"] = self.stored.get("number", 0) + amount
        self.stored["tags"] = self.stored.get("tags", set()) | {tag}
        assert (item.number, item.tags) == (self.stored["number"], self.stored["tags"])
        self.loaded[writer]["number"] = item.number
        self.loaded[writer]["tags"] = set(item.tags)

    @rule(writer=WRITERS)
    def delete(self, writer: int) -> None:
        self.table.delete(self.items[writer])
        self.stored = None

    @invariant()
    def what_is_stored_is_what_was_meant(self) -> None:
        found = self.table.get("x", consistent=True)
        assert (None if found is None else values(found)) == self.stored


def test_on_the_embedded_engine() -> None:
    run_state_machine_as_test(Writers, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))


@pytest.mark.dynamodb_local
def test_on_dynamodb_local(dynamodb_local: str) -> None:
    class OnDynamoDBLocal(Writers):
        url = dynamodb_local

    run_state_machine_as_test(OnDynamoDBLocal, settings=settings(max_examples=8, stateful_step_count=25, deadline=None))
