"""``update_where`` and ``delete_where`` on every engine, blocking and awaiting."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    ExpressionError,
    GlobalIndex,
    Model,
    SingleTable,
    attr,
    computed,
    discriminator,
    partition_key,
    sort_key,
    ttl,
    updated_at,
)
from dynawire.errors import CredentialsError, OutcomeUnknown, ServiceError, Throttled
from dynawire.operations.at_once import at_once
from dynawire.operations.drivers import run
from dynawire.operations.effects import Operation, Request, Sleep, Together
from tests.support.databases import Twins, case, raw, raw_update, recorded, stored_item
from tests.support.models import Place, place
from tests.support.recording import LoseResponse, RecordingEngine


@pytest.fixture
def places(db: dw.Database) -> dw.Database:
    """Twenty places; ten of them in a city."""
    db.create_tables(Place)
    for number in range(20):
        place(f"P{number:02}", city="Austin" if number % 2 else "Dallas", visits=number).insert()
    recorded(db).clear()
    return db


def visits(db: dw.Database) -> dict[str, int]:
    return dict(db.table(Place).scan().project(Place.code, Place.visits).all())


def test_update(places: dw.Database, twin: Twins) -> None:
    done: list[int] = []
    result = twin(Place).update_where(
        (Place.city == "Austin") & (Place.visits > 9), Place.visits.add(100), label="big", progress=done.append
    )
    assert (result.matched, result.written, result.skipped, result.failed) == (5, 5, 0, 0)
    assert result.failures == []
    assert sum(done) == 5
    assert repr(result) == "<WhereResult: 5 matched, 5 written, 0 changed meanwhile and skipped, 0 failed>"
    found = visits(places)
    assert [found[f"P{number:02}"] for number in (7, 9, 11, 13)] == [7, 9, 111, 113]
    assert Place.get_one("TX", "P11").label == "big"
    operations = recorded(places).operations()
    assert operations[0] == "Query"
    assert operations.count("UpdateItem") == 5


def test_delete(places: dw.Database, twin: Twins) -> None:
    done: list[int] = []
    result = twin(places.table(Place)).delete_where({"city": "Dallas", "visits__lt": 10}, progress=done.append)
    assert (result.matched, result.written, result.skipped, result.failed, sum(done)) == (5, 5, 0, 0, 5)
    assert set(visits(places)) == {f"P{number:02}" for number in range(20)} - {"P00", "P02", "P04", "P06", "P08"}


def test_a_dry_run_writes_nothing(places: dw.Database, twin: Twins) -> None:
    done: list[int] = []
    result = twin(Place).delete_where(Place.city == "Austin", dry_run=True, progress=done.append)
    assert (result.matched, result.written, result.dry_run, sum(done)) == (10, 0, True, 10)
    assert repr(result) == "<WhereResult: 10 matched, nothing was to be written>"
    result = twin(Place).update_where(Place.city == "Austin", visits=1, dry_run=True)
    assert (result.matched, result.written) == (10, 0)
    assert set(recorded(places).operations()) == {"Query"}
    assert len(visits(places)) == 20


def test_what_changed_meanwhile_is_left_alone(places: dw.Database, twin: Twins) -> None:
    def read_and_change(body: dict[str, Any]) -> dict[str, Any]:
        found = raw(places, Place, "Query", **body)
        raw_update(places, place("P03"), "SET #visits = :visits", visits={"N": "1000"})
        raw(places, Place, "DeleteItem", Key={"state": {"S": "TX"}, "code": {"S": "P05"}})
        return found

    recorded(places).answer("Query", read_and_change)
    result = twin(Place).update_where((Place.city == "Austin") & (Place.visits < 100), Place.visits.add(1))
    assert (result.matched, result.written, result.skipped, result.failed) == (10, 8, 2, 0)
    found = visits(places)
    assert found["P03"] == 1000
    assert "P05" not in found  # not brought back
    assert found["P01"] == 2

    def read_and_replace(body: dict[str, Any]) -> dict[str, Any]:
        found = raw(places, Place, "Query", **body)
        raw_update(places, place("P03"), "SET #city = :city", city={"S": "Dallas"})
        raw(places, Place, "DeleteItem", Key={"state": {"S": "TX"}, "code": {"S": "P07"}})
        return found

    recorded(places).answer("Query", read_and_replace)
    result = twin(Place).delete_where(Place.city == "Austin")
    assert (result.matched, result.written, result.skipped) == (9, 7, 2)
    assert "P03" in visits(places)


def pages_of_ten(db: dw.Database, model: Any) -> None:
    """Answer each query with a page of ten, as the service does of large items."""
    engine = recorded(db)

    def small_page(body: dict[str, Any]) -> dict[str, Any]:
        engine.answer("Query", small_page)
        return raw(db, model, "Query", **body, Limit=10)

    engine.answer("Query", small_page)


class Moving(Model, table="moving"):
    id: Attr[str] = partition_key()
    kind: Attr[str] = attr(default="a")
    score: Attr[int]

    by_score = GlobalIndex("kind", "score")


def test_an_item_that_moves_ahead_in_its_index_is_written_once(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Moving)
    for number in range(30):
        Moving(id=f"m{number:02}", score=number).insert()
    pages_of_ten(db, Moving)
    result = twin(Moving).update_where((Moving.kind == "a") & (Moving.score < 1000), Moving.score.add(15))
    assert (result.matched, result.written, result.skipped) == (30, 30, 0)
    found = dict(db.table(Moving).scan().project(Moving.id, Moving.score).all())
    assert found == {f"m{number:02}": number + 15 for number in range(30)}


class Followed(Model, table="followed"):
    id: Attr[str] = partition_key()
    status: Attr[str] = attr(default="open")
    score: Attr[int]
    times: Attr[int] = attr(default=0)
    rank: Attr[int] = computed(lambda score: score, "score")

    by_status = GlobalIndex("status", "rank")


class Timed(Model, table="timed"):
    id: Attr[str] = partition_key()
    status: Attr[str] = attr(default="open")
    times: Attr[int] = attr(default=0)
    changed: Attr[datetime | None] = updated_at()

    by_status = GlobalIndex("status", "changed")


def test_an_item_that_moves_by_what_follows_from_the_update_is_written_once(db: dw.Database, twin: Twins) -> None:
    """Its key in the index is computed from what is updated, or is the time of the write."""
    db.create_tables(Followed, Timed)
    for number in range(30):
        Followed(id=str(number), score=number).put()
        Timed(id=str(number)).put()
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)
    models: list[tuple[Any, Any, dict[str, Any]]] = [
        (Followed, Followed.status == "open", {"score": 1000, "times__add": 1}),
        (Timed, (Timed.status == "open") & (Timed.changed > long_ago), {"times__add": 1}),
    ]
    for model, condition, changes in models:
        with case(model.__name__):
            assert model.find(condition).explain(describe=False).steps[0].index == "by_status"
            pages_of_ten(db, model)
            result = twin(model).update_where(condition, **changes)
            assert (result.matched, result.written) == (30, 30)
            assert {one.times for one in model.scan()} == {1}


def test_an_item_that_cannot_be_written_does_not_stop_the_others(places: dw.Database, twin: Twins) -> None:
    raw_update(places, place("P03"), "SET #scores = :scores", scores={"S": "no list"})
    result = twin(Place).update_where(Place.city == "Austin", Place.scores.append(1))
    assert (result.matched, result.written, result.skipped, result.failed) == (10, 9, 0, 1)
    ((key, error),) = result.failures
    assert key == ("TX", "P03")
    assert isinstance(error, ServiceError)
    assert error.code == "ValidationException"
    lost = twin(Place).update_where(Place.city == "Austin", Place.address.city.set("x"))
    assert (lost.written, lost.failed) == (0, 10)
    assert "no such map" in lost.failures[0][1].message


def test_a_lost_response_is_a_failure_and_not_sent_twice(places: dw.Database, twin: Twins) -> None:
    engine = recorded(places)
    engine.answer("UpdateItem", LoseResponse(OutcomeUnknown("lost", operation="UpdateItem")))
    result = twin(Place).update_where(Place.city == "Austin", Place.visits.add(1))
    assert (result.written, result.failed) == (9, 1)
    assert isinstance(result.failures[0][1], OutcomeUnknown)
    assert engine.operations().count("UpdateItem") == 10
    assert sum(visits(places).values()) == sum(range(20)) + 10


def test_what_stops_everything_is_raised(places: dw.Database, twin: Twins) -> None:
    engine = recorded(places)
    engine.answer("DeleteItem", *[lambda body: None] * 8, CredentialsError("no right", code="AccessDeniedException"))
    with pytest.raises(CredentialsError) as caught:
        twin(Place).delete_where(Place.city == "Austin")
    (note,) = caught.value.__notes__
    assert note.startswith("it ended update_where() or delete_where() after <WhereResult: 10 matched, 8 written")


def test_when_nothing_can_be_written_it_ends(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Place)
    db.table(Place).put_many(place(f"P{number:03}", city="Austin") for number in range(150))
    with pytest.raises(dw.DynawireError) as caught:
        twin(Place).update_where(Place.city == "Austin", Place.address.city.set("x"))
    assert "150 matched, 0 written" in caught.value.__notes__[0]
    assert recorded(db).operations().count("UpdateItem") <= 104


def test_throttled_writes_are_sent_again_more_slowly(places: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(places).answer("UpdateItem", *[Throttled("slow down", code="ThrottlingException")] * 12)
    result = twin(Place).update_where(Place.city == "Austin", visits=0)
    assert (result.written, result.failed) == (10, 0)
    assert len(no_waiting) == 2
    recorded(places).answer("UpdateItem", *[Throttled("slow down", code="ThrottlingException")] * 1000)
    no_waiting.clear()
    result = twin(Place).update_where(Place.state == "TX", visits=0)
    assert (result.written, result.failed) == (0, 20)
    assert len(no_waiting) == 30


def test_so_many_a_second(places: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    twin(Place).update_where(Place.state == "TX", visits=0, per_second=4)
    first, second = no_waiting
    assert 1 < first <= 2
    assert 3 < second <= 4
    for wrong in (0, -1):
        with pytest.raises(ExpressionError, match="per_second= is a number above 0"):
            twin(Place).update_where(Place.state == "TX", visits=0, per_second=wrong)


def test_so_many_a_second_in_real_time() -> None:
    with dw.connect("memory:") as db:
        db.create_tables(Place)
        db.table(Place).put_many(place(f"P{number}") for number in range(20))
        begun = time.monotonic()
        assert Place.delete_where(Place.state == "TX", per_second=100).written == 20
        assert time.monotonic() - begun >= 0.16


def test_what_is_refused_before_anything_is_sent(places: dw.Database, twin: Twins) -> None:
    austin = Place.city == "Austin"
    for call, message in (
        (lambda: twin(Place).delete_where(None), r"delete_where\(\) needs a condition"),
        (lambda: twin(Place).update_where({}, visits=1), r"update_where\(\) needs a condition"),
        (lambda: twin(Place).update_where(austin), "nothing to update"),
        (lambda: twin(Place).update_where(austin, code="x"), "part of the primary key"),
        (lambda: twin(Place).update_where(austin, Place.name.remove()), "can't be removed"),
        (lambda: twin(Place).update_where(austin, nothing=1), "has no attribute 'nothing'"),
        (lambda: twin(Place).update_where(austin, Place.visits > 1), "is a condition, not an update|is not an update"),
    ):
        with pytest.raises(ExpressionError, match=message):
            call()
    with pytest.raises(dw.ValidationError):
        twin(Place).update_where(austin, visits="many")
    assert recorded(places).sent == []


everything = SingleTable("everything")


class Shelved(Model, table=everything, pk="SHELF#{id}", sk="SELF"):
    id: Attr[str]
    kind: Attr[str] = discriminator()


class Book(Shelved):
    title: Attr[str] = attr(default="")


class Named(Model, table="named", hide_expired=True):
    id: Attr[str] = partition_key()
    name: Attr[str | None] = attr(default=None, unique=True)
    until: Attr[int | None] = ttl(default=None)


@pytest.mark.parametrize("model", [Place, Shelved, Book, Named])
def test_without_a_condition_nothing_is_written(db: dw.Database, twin: Twins, model: Any) -> None:
    """Though every find of some classes has conditions of its own: the kind of item, the class, no guards."""
    db.create_tables(model)
    (place("P1") if model is Place else model(id="1")).insert()
    recorded(db).clear()
    label = next(iter(model.__mapping__.attributes))
    nothing: list[Any] = [None, {}, [], (), [None, {}]]
    for empty in nothing:
        with case(empty):
            with pytest.raises(ExpressionError, match=r"delete_where\(\) needs a condition"):
                twin(model).delete_where(empty)
            with pytest.raises(ExpressionError, match=r"update_where\(\) needs a condition"):
                twin(model).update_where(empty, **{label: "x"})
    assert recorded(db).sent == []
    assert model.scan().count() == 1


def test_only_keys_are_read(places: dw.Database, twin: Twins) -> None:
    twin(Place).update_where(Place.city == "Austin", visits=5)
    first = recorded(places).sent[0]
    assert set(first.body["ExpressionAttributeNames"].values()) >= {"state", "code"}
    assert "tags" not in first.body["ExpressionAttributeNames"].values()
    updates = [one for one in recorded(places).sent if one.operation == "UpdateItem"]
    assert all("ReturnValues" not in one.body for one in updates)
    assert stored_item(places, place("P01"))["visits"] == {"N": "5"}  # type: ignore[index]


def test_values_stay_out_of_sight(places: dw.Database, twin: Twins) -> None:
    result = twin(Place).delete_where(Place.city == "Austin", dry_run=True)
    assert "Austin" not in repr(result)


# ---------------------------------------------------------------------- side by side


def asking(name: str, count: int) -> Operation[list[str]]:
    answers = []
    for number in range(count):
        try:
            response = yield Request("GetItem", f'{{"n": "{name}{number}"}}'.encode())
        except Throttled:
            answers.append("throttled")
            continue
        answers.append(response.decode())
    return answers


def test_operations_side_by_side() -> None:
    sent: list[Any] = []

    def failing() -> Operation[Any]:
        yield Sleep(0.001)
        raise ServiceError("no", code="x")

    def together() -> Operation[Any]:
        found = yield Together([Request("GetItem", b'{"n": "t"}'), Request("GetItem", b'{"n": "u"}')])
        return found

    engine = RecordingEngine()
    engine.answer(
        "GetItem", *[lambda body: {"n": body["n"]}] * 4, Throttled("slow", code="x"), *[lambda b: {"n": b["n"]}] * 5
    )
    results: list[Any] = run(engine, at_once([asking("a", 2), asking("b", 3), failing(), together(), asking("c", 0)]))
    sent += [one.body["n"] for one in engine.sent]
    assert sent == ["a0", "b0", "t", "u", "a1", "b1", "b2"]
    a, b, error, both, nothing = results
    assert a == ['{"n": "a0"}', "throttled"]
    assert b == ['{"n": "b0"}', '{"n": "b1"}', '{"n": "b2"}']
    assert isinstance(error, ServiceError)
    assert both == [b'{"n": "t"}', b'{"n": "u"}']
    assert nothing == []


class Measurement(Model, table="measurements"):
    device: Attr[bytes] = partition_key(name="d")
    at: Attr[float] = sort_key()
    left: Attr[int] = attr(default=1)


def test_keys_of_every_type_come_back_as_they_went(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Measurement)
    for number in range(3):
        Measurement(device=b"\x00\xff", at=number + 0.5).insert()
    result = twin(Measurement).update_where(Measurement.device == b"\x00\xff", left=0)
    assert (result.matched, result.written) == (3, 3)
    recorded(db).answer("DeleteItem", ServiceError("no", code="InternalServerError"))
    result = twin(Measurement).delete_where((Measurement.device == b"\x00\xff") & (Measurement.at > 1))
    assert (result.written, result.failed) == (1, 1)
    assert result.failures[0][0] in ((b"\x00\xff", 1.5), (b"\x00\xff", 2.5))
