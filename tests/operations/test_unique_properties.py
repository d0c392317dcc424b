"""Whatever is written, by many at a time, and wherever writers die: values are unique, and guards agree with items."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

import dynawire as dw
from dynawire import Attr, Model, Unique, attr, counter, discriminator, partition_key, version
from tests.support.databases import connected, recorded

IDS, MAILS, TEAMS = ["1", "2", "3"], ["a", "b", "c", None], ["t", "u", None]


class Member(Model, table="members"):
    id: Attr[str] = partition_key()
    email: Attr[str | None] = attr(default=None, unique=True)
    team: Attr[str | None] = attr(default=None)
    nick: Attr[str | None] = attr(default=None, unique=Unique("team"))
    note: Attr[int] = attr(default=0)


class Versioned(Model, table="versioned"):
    id: Attr[str] = partition_key()
    email: Attr[str | None] = attr(default=None, unique=True)
    team: Attr[str | None] = attr(default=None)
    nick: Attr[str | None] = attr(default=None, unique=Unique("team"))
    note: Attr[int] = attr(default=0)
    v: Attr[int] = version()


class Kin(Model, table="kin"):
    id: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()
    note: Attr[int] = attr(default=0)


class Near(Kin):
    email: Attr[str | None] = attr(default=None, unique=True)
    team: Attr[str | None] = attr(default=None)
    nick: Attr[str | None] = attr(default=None, unique=Unique("team"))


class Far(Kin):
    """Stores as an ordinary attribute, and as the scope of another, what is unique of its sibling."""

    email: Attr[str | None] = attr(default=None)
    nick: Attr[str | None] = attr(default=None)
    team: Attr[str | None] = attr(default=None, unique=Unique("nick"))


MODELS: list[Any] = [Member, Versioned]


class Died(BaseException):
    """The writer's process ends here."""


REFUSALS = (dw.ConditionFailed, dw.TransactionCancelled, dw.RetriesExhausted)

change = st.fixed_dictionaries(
    {}, optional={"email": st.sampled_from(MAILS), "team": st.sampled_from(TEAMS), "nick": st.sampled_from(MAILS)}
)
step = st.tuples(
    st.sampled_from(["insert", "put", "save", "put loaded", "update", "update key", "upsert", "delete", "delete key"]),
    st.sampled_from(IDS),
    change,
    # Whether it is done together with the next one, in a transaction.
    st.booleans(),
    # Whether the instance is read just before, or long ago.
    st.booleans(),
)


class Writer:
    """Carries out steps, with instances that it read at some time."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.known: dict[str, Any] = {}
        self.inserted: set[str] = set()

    def write(self, kind: str, key: str, values: dict[str, Any], fresh: bool, on: Any = None) -> None:
        """Do a step, on a transaction or at once."""
        model = self.model
        if kind in ("insert", "put"):
            one = model(id=key, **values)
            on.insert(one) if on and kind == "insert" else on.put(one) if on else getattr(one, kind)()
            return
        if kind in ("update key", "upsert", "delete key"):
            one = model.key(key)
        else:
            one = None if fresh else self.known.get(key)
            one = self.known[key] = one or model.get(key) or model(id=key)
        if kind.startswith("delete"):
            on.delete(one) if on else one.delete()
        elif kind in ("update", "update key", "upsert"):
            more = {"note__add": 1, **values}
            on.update(one, upsert=kind == "upsert", **more) if on else one.update(upsert=kind == "upsert", **more)
        else:
            for name, value in values.items():
                setattr(one, name, value)
            method = "save" if kind == "save" else "put"
            getattr(on, method)(one) if on else getattr(one, method)()


def consistent(db: dw.Database, model: Any) -> None:
    """No value twice, a guard for every value, and no other guards."""
    items = model.scan().all()
    for values in (
        [one.email for one in items if one.email is not None],
        [(one.team, one.nick) for one in items if one.nick is not None],
    ):
        assert max(Counter(values).values(), default=1) == 1, values
    report = db.table(model).rebuild_unique(dry_run=True)
    assert (report.added, report.removed, report.duplicates) == (0, 0, []), report


@given(st.sampled_from(MODELS), st.lists(step, max_size=12))
def test_any_sequence_of_writes(model: Any, steps: list[Any]) -> None:
    with connected("memory:") as db, db.use():
        db.create_tables(model)
        writer = Writer(model)
        for first, second in zip_longest(steps[::2], steps[1::2]):
            try:
                if second is not None and first[3] and first[1] != second[1]:
                    with db.transaction() as tx:
                        for kind, key, values, _, fresh in (first, second):
                            writer.write(kind, key, values, fresh, tx)
                else:
                    for kind, key, values, _, fresh in (first, second) if second is not None else (first,):
                        writer.write(kind, key, values, fresh)
                        consistent(db, model)
            except REFUSALS:
                pass
            consistent(db, model)


@given(st.lists(st.tuples(st.sampled_from([Kin, Near, Far]), step), max_size=12))
def test_any_sequence_of_writes_of_a_family(steps: list[Any]) -> None:
    """Items are replaced by those of other classes, and deleted by keys of the base class."""
    with connected("memory:") as db, db.use():
        db.create_tables(Kin)
        writers = {model: Writer(model) for model in (Kin, Near, Far)}
        for model, (kind, key, values, in_transaction, fresh) in steps:
            given = {} if model is Kin else values
            try:
                if in_transaction:
                    with db.transaction() as tx:
                        writers[model].write(kind, key, given, fresh, tx)
                else:
                    writers[model].write(kind, key, given, fresh)
            except REFUSALS:
                pass
            consistent(db, Near)
            items = Far.scan().all()
            assert max(Counter((one.nick, one.team) for one in items if one.team).values(), default=1) == 1
            report = db.table(Far).rebuild_unique(dry_run=True)
            assert (report.added, report.removed, report.duplicates) == (0, 0, []), report


@given(st.sampled_from(MODELS), st.lists(step, max_size=5), step, st.integers(0, 4), st.booleans())
def test_writer_that_dies_between_any_two_requests(
    model: Any, steps: list[Any], last: Any, after: int, applied: bool
) -> None:
    with connected("memory:") as db, db.use():
        db.create_tables(model)
        writer = Writer(model)
        for kind, key, values, _, fresh in steps:
            try:
                writer.write(kind, key, values, fresh)
            except REFUSALS:
                pass
        engine = recorded(db)
        inner = engine.inner
        assert inner is not None
        left = [after]

        def send(operation: str, body: bytes, idempotent: bool = True) -> bytes:
            left[0] -= 1
            if left[0] < 0:
                if left[0] == -1 and applied:
                    inner.send(operation, body, idempotent)
                raise Died
            return inner.send(operation, body, idempotent)

        engine.send = send  # type: ignore[method-assign]
        try:
            writer.write(last[0], last[1], last[2], last[4])
        except (Died, *REFUSALS):
            pass
        engine.send = inner.send  # type: ignore[method-assign]
        consistent(db, model)


@pytest.fixture(params=["memory", "sqlite"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dw.Database]:
    """A database for several threads at a time."""
    with connected("memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'shared.db'}") as db:
        yield db


@pytest.mark.parametrize("model", MODELS)
def test_any_writers_at_the_same_time(shared: dw.Database, model: Any) -> None:
    shared.create_tables(model)
    kinds = ["insert", "put", "save", "put loaded", "update", "update key", "upsert", "delete", "delete key"]

    def work(seed: int) -> None:
        dice = random.Random(seed)
        with shared.use():
            writer = Writer(model)
            for _ in range(25):
                values = {
                    name: dice.choice(choices)
                    for name, choices in (("email", MAILS), ("team", TEAMS), ("nick", MAILS))
                    if dice.random() < 0.6
                }
                try:
                    writer.write(dice.choice(kinds), dice.choice(IDS), values, dice.random() < 0.5)
                except REFUSALS:
                    pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    with shared.use():
        consistent(shared, model)


class Ticket(Model, table="tickets"):
    id: Attr[int] = partition_key(default=counter())
    seat: Attr[str] = attr(default="", unique=True)
    serial: Attr[int] = counter(gap_free=True)
    batch: Attr[int] = counter(block=7)


def test_numbers_and_seats_at_the_same_time(shared: dw.Database) -> None:
    shared.create_tables(Ticket)

    def work(worker: int) -> int:
        sold = 0
        with shared.use():
            for number in range(12):
                try:
                    Ticket(seat=f"{number}").insert()
                    sold += 1
                except dw.UniqueConflict:
                    pass
        return sold

    with ThreadPoolExecutor(4) as pool:
        sold = sum(pool.map(work, range(4)))
    with shared.use():
        tickets = Ticket.scan().all()
        assert len(tickets) == sold == 12
        assert sorted(one.serial for one in tickets) == list(range(1, 13))
        assert len({one.batch for one in tickets}) == len({one.id for one in tickets}) == 12
