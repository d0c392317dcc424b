"""Identifiers that sort by time: their format, their order, and that none is given twice."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest

import dynawire as dw
from dynawire import Attr, Model, ids, partition_key, sort_key, ulid, uuid, uuid7

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid_number(text: str) -> int:
    number = 0
    for character in text:
        number = number * 32 + ALPHABET.index(character)
    return number


def test_a_ulid_is_the_time_and_chance() -> None:
    before = time.time_ns() // 1_000_000
    text = ulid()
    after = time.time_ns() // 1_000_000
    assert len(text) == 26
    assert before <= ulid_number(text) >> 80 <= after


def test_a_uuid7_is_the_time_and_chance() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid7()
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after


def test_the_example_of_the_rfc(monkeypatch: pytest.MonkeyPatch) -> None:
    # RFC 9562, appendix A.6.
    monkeypatch.setattr(ids, "_next_uuid7", lambda: 0x017F22E279B0 << 74 | 0xCC3 << 62 | 0x18C4DC0C0C07398F)
    assert uuid7() == UUID("017F22E2-79B0-7CC3-98C4-DC0C0C07398F")


def test_a_uuid_is_chance_alone() -> None:
    made = [uuid() for _ in range(100)]
    assert len(set(made)) == 100
    assert {(one.version, one.variant) for one in made} == {(4, RFC_4122)}


@pytest.mark.parametrize("make", [ulid, uuid7])
def test_each_is_greater_than_the_last(make: object) -> None:
    assert callable(make)
    made = [str(make()) for _ in range(5000)]
    assert made == sorted(set(made))


@pytest.mark.parametrize("make", [ulid, uuid7])
def test_the_clock_may_be_set_back_or_stand_still(make: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(make)
    made = [str(make())]
    now = time.time_ns()
    for moved in (0, 0, -3_600_000_000_000, -3_600_000_000_000, 3_600_000_000):
        monkeypatch.setattr(ids, "time_ns", lambda moved=moved: now + moved)
        made.append(str(make()))
    assert made == sorted(set(made))


def test_none_left_in_a_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = ids._Increasing(8)
    monkeypatch.setattr(ids, "time_ns", lambda: 1_000_000)
    made = [numbers() for _ in range(100)]
    assert made == sorted(set(made))


def test_threads_never_share_one() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: [ulid() for _ in range(300)], range(8)))
    assert len({one for some in made for one in some}) == 2400


def test_a_forked_process_goes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    # What a fork copies: the state, as of the same millisecond.
    parent, child = ids._Increasing(80), ids._Increasing(80)
    monkeypatch.setattr(ids, "time_ns", lambda: 1_000_000)
    parent()
    child._process, child._last = parent._process, parent._last
    monkeypatch.setattr(os, "getpid", lambda: -1)
    inherited = child._last
    monkeypatch.setattr(ids, "_random", lambda bits: 5)
    assert child() == 1 << 80 | 5 != inherited + 6


def test_as_keys() -> None:
    class Event(Model, table="events"):
        id: Attr[str] = partition_key(default_factory=ulid)
        part: Attr[UUID] = sort_key(default_factory=uuid7)
        at: Attr[datetime]

    with dw.connect("memory:") as db, db.use():
        db.create_tables(Event)
        event = Event(at=datetime.now(UTC))
        event.insert()
        assert Event.get_one(event.id, event.part).at == event.at
        parts = [uuid7() for _ in range(20)]
        Event.put_many(Event(id="x", part=part, at=event.at) for part in reversed(parts))
        assert [one.part for one in Event.query("x")] == parts
