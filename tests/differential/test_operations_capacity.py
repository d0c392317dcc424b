"""What calls cost, on every engine, in both forms: measured for every operation, in tasks and in threads."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

import dynawire as dw
from tests.support.databases import Twins, recorded
from tests.support.models import Place, Reading, place

Call = Callable[[Twins, dw.Database], Any]


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Place, Reading)
    Place.put_many([place("A"), place("B", city="Austin"), place("C")])
    recorded(db).clear()


READS: dict[str, Call] = {
    "GetItem": lambda twin, db: twin(Place).get("TX", "A"),
    "GetItem of a missing item": lambda twin, db: twin(Place).get("TX", "none"),
    "GetItem, one": lambda twin, db: twin(Place).get_one("TX", "A", consistent=True),
    "GetItem, exists": lambda twin, db: twin(Place).exists("TX", "A"),
    "GetItem, refresh": lambda twin, db: twin(place("A")).refresh(),
    "Query": lambda twin, db: twin.items(Place.query("TX")),
    "Query, all": lambda twin, db: twin(Place.query("TX")).all(),
    "Query, projection": lambda twin, db: twin.items(Place.query("TX").project(Place.name)),
    "Query, index": lambda twin, db: twin.items(Place.by_city.query("Austin")),
    "Query, count": lambda twin, db: twin(Place.query("TX")).count(),
    "Query, page": lambda twin, db: twin(Place.query("TX")).page(),
    "Query, first": lambda twin, db: twin(Place.query("TX")).first(),
    "Query, one": lambda twin, db: twin(Place.query("TX", "A")).one(),
    "Scan": lambda twin, db: twin.items(Place.scan()),
    "BatchGetItem": lambda twin, db: twin(Place).get_many([("TX", "A"), ("TX", "none")]),
    "TransactGetItems": lambda twin, db: twin(db).transact_get(Place.key("TX", "A")),
}

WRITES: dict[str, Call] = {
    "PutItem, insert": lambda twin, db: twin(place("new")).insert(),
    "PutItem": lambda twin, db: twin(place("A")).put(),
    "PutItem, condition": lambda twin, db: twin(place("A")).put(condition=Place.name.exists()),
    "PutItem, return_old": lambda twin, db: twin(place("A")).put(return_old=True),
    "UpdateItem": lambda twin, db: twin(Place.key("TX", "A")).update(Place.visits.add(1)),
    "DeleteItem": lambda twin, db: twin(Place.key("TX", "A")).delete(),
    "DeleteItem, return_old": lambda twin, db: twin(Place.key("TX", "A")).delete(return_old=True),
    "BatchWriteItem": lambda twin, db: twin(Place).write_many(put=[place("A")], delete=[("TX", "B")]),
    "TransactWriteItems": lambda twin, db: twin.within(db.transaction(), lambda tx: tx.put(place("A"))),
    "TransactWriteItems, once": lambda twin, db: twin(place("A")).put(exactly_once=True),
}


def test_every_operation_is_measured(db: dw.Database, twin: Twins) -> None:
    for kinds, reads in ((READS, True), (WRITES, False)):
        for name, call in kinds.items():
            with db.measure() as meter:
                call(twin, db)
            assert meter.requests == 1, name
            assert meter.calls == [(name.split(",")[0].split(" ")[0], meter.units)], name
            assert meter.units > 0, name
            assert (meter.read_units > 0, meter.write_units > 0) == (reads, not reads), name
            assert meter.tables == {db.table(Place).name: meter.units}, name
            assert f"{meter.read_units:g} read units" in repr(meter)
            assert recorded(db).sent[-1].body["ReturnConsumedCapacity"] == "TOTAL", name


def test_nothing_is_asked_for_outside_a_block(db: dw.Database, twin: Twins) -> None:
    for call in (*READS.values(), *WRITES.values()):
        call(twin, db)
    assert len(recorded(db).sent) >= len(READS) + len(WRITES)
    assert all("ReturnConsumedCapacity" not in sent.body for sent in recorded(db).sent)


def test_saves_are_measured(db: dw.Database, twin: Twins) -> None:
    mine = twin(Place).get("TX", "A")
    with db.measure() as meter:
        assert twin(mine).save() is False
        mine.city = "changed"
        assert twin(mine).save() is True
    assert [operation for operation, _ in meter.calls] == ["UpdateItem"]
    assert meter.write_units > 0


def test_consistent_reads_cost_twice(db: dw.Database, twin: Twins) -> None:
    with db.measure() as eventual:
        twin(Place).get("TX", "A")
    with db.measure() as consistent:
        twin(Place).get("TX", "A", consistent=True)
    assert (eventual.read_units, consistent.read_units) == (0.5, 1)


def test_blocks_inside_blocks(db: dw.Database, twin: Twins) -> None:
    with db.measure() as outer:
        twin(Reading(number=1)).put()  # type: ignore[arg-type]
        with db.measure() as inner:
            twin(Reading).get(1)
        twin(Reading).get(1)
    assert (inner.requests, outer.requests) == (1, 3)
    assert (inner.read_units, inner.write_units) == (0.5, 0)
    assert (outer.read_units, outer.write_units) == (1, 1)
    assert [operation for operation, _ in outer.calls] == ["PutItem", "GetItem", "GetItem"]


def test_a_read_over_several_pages_counts_each(db: dw.Database, twin: Twins) -> None:
    twin(Reading).put_many([Reading(number=number, text="x" * 300_000) for number in range(8)])  # type: ignore[arg-type]
    with db.measure() as meter:
        assert len(twin.items(Reading.scan())) == 8
    assert meter.requests >= 2
    # 8 times 300 KB, eventually consistent.
    assert meter.read_units == pytest.approx(8 * 300_000 / 4096 / 2, rel=0.02)


class Misread(dw.Model, table="places"):
    """What items of places do not fit: their names are no numbers."""

    state: dw.Attr[str] = dw.partition_key()
    code: dw.Attr[str] = dw.sort_key()
    name: dw.Attr[int]


def test_items_that_do_not_fit_their_class_were_paid_for(db: dw.Database, twin: Twins) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "GetItem": lambda: twin(Misread).get("TX", "A"),
        "Query": lambda: twin.items(Misread.query("TX")),
        "Query, page": lambda: twin(Misread.query("TX")).page(size=1),
        "Query, projection": lambda: twin(Misread.query("TX").project(Misread.name)).all(),
        "Scan": lambda: twin(Misread.scan()).first(),
        "BatchGetItem": lambda: twin(Misread).get_many([("TX", "A"), ("TX", "B")]),
        "TransactGetItems": lambda: twin(db).transact_get(Misread.key("TX", "A")),
    }
    for name, call in calls.items():
        with db.measure() as meter, pytest.raises(dw.DecodeError):
            call()
        assert meter.calls == [(name.split(",")[0], meter.units)], name
        assert meter.read_units > 0, name


def test_a_failed_call_adds_nothing_but_stays_an_error(db: dw.Database, twin: Twins) -> None:
    with db.measure() as meter, pytest.raises(dw.ItemExists):
        twin(place("A")).insert()
    assert meter.units == 0


def test_each_thread_has_its_own(db: dw.Database) -> None:
    counts: dict[str, int] = {}

    def work(name: str, calls: int) -> None:
        with db.use(), db.measure() as meter:
            for _ in range(calls):
                Place.get("TX", "A")
            counts[name] = meter.requests

    def plain() -> None:
        with db.use():
            Place.get("TX", "A")

    with db.measure() as meter:
        threads = [threading.Thread(target=work, args=(str(calls), calls)) for calls in (1, 2, 3)]
        # Only a thread that runs in a copy of this context is measured here.
        threads.append(threading.Thread(target=plain))
        threads += [threading.Thread(target=contextvars.copy_context().run, args=(plain,)) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts == {"1": 1, "2": 2, "3": 3}
    assert (meter.requests, meter.read_units) == (5, 2.5)


@pytest.mark.parametrize("twin", ["async"], indirect=True)
def test_tasks_begun_inside_a_block_are_measured(db: dw.Database, twin: Twins) -> None:
    async def measured(calls: int) -> int:
        with db.measure() as meter:
            for _ in range(calls):
                await Place.aget("TX", "A")
                await asyncio.sleep(0)
        return meter.requests

    async def main() -> tuple[list[int], int]:
        with db.measure() as meter:
            each = await asyncio.gather(measured(1), measured(2), measured(3))
            await asyncio.gather(*(Place.aget("TX", "A") for _ in range(4)))
        return list(each), meter.requests

    assert twin.run(main()) == ([1, 2, 3], 10)
