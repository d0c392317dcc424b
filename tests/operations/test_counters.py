"""Numbers of new items on every engine: which are given, when, and what is left of them when a write fails."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, counter, partition_key, sort_key, template, updated_at, version
from dynawire.errors import service_error
from tests.support.databases import Twins, at_once, raw, recorded, stored_item
from tests.support.recording import LoseResponse


class Ticket(Model, table="tickets"):
    id: Attr[int] = partition_key(default=counter())
    text: Attr[str] = attr(default="")


class Order(Model, table="orders"):
    customer: Attr[str] = partition_key()
    number: Attr[int] = sort_key(default=counter("customer", start=1000), name="no")
    serial: Attr[int] = counter(gap_free=True)
    text: Attr[str] = attr(default="", unique=True)
    v: Attr[int] = version()


class Invoice(Model, table="invoices"):
    """Gap-free in the key."""

    year: Attr[int] = partition_key()
    number: Attr[int] = sort_key(default=counter("year", gap_free=True))
    text: Attr[str] = attr(default="")


class Line(Model, table="lines"):
    id: Attr[bytes] = partition_key()
    position: Attr[int] = attr(default=counter(block=5, series="lines"), name="pos")


MODELS = (Ticket, Order, Invoice, Line)


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(*MODELS)
    recorded(db).clear()


def failed() -> Exception:
    return service_error("ConditionalCheckFailedException", "The conditional request failed")


# ---------------------------------------------------------------------- who gets a number


def test_partition_key(db: dw.Database, twin: Twins) -> None:
    first = Ticket(text="a")
    assert first.id == 0
    twin(first).insert()
    assert first.id == 1
    assert recorded(db).operations() == ["UpdateItem", "PutItem"]
    for store in (
        lambda one: twin(one).put(),
        lambda one: twin(one).save(),
        lambda one: twin(db.table(Ticket)).put(one),
    ):
        ticket = Ticket()
        store(ticket)
    assert ticket.id == 4
    assert stored_item(db, first) == {"id": {"N": "1"}, "text": {"S": "a"}}
    assert sorted(one.id for one in twin.items(Ticket.scan())) == [1, 2, 3, 4]
    assert twin(Ticket.find()).count() == 4
    # What has a number keeps it.
    first.text = "b"
    recorded(db).clear()
    twin(first).save()
    twin(first).put()
    twin(Ticket(id=77)).insert()
    assert recorded(db).operations() == ["UpdateItem", "PutItem", "PutItem"]
    assert twin(Ticket.counter_of("id")).last() == 4


def test_sort_key_by_scope(db: dw.Database, twin: Twins) -> None:
    orders = [Order(customer=customer, text=f"{number}") for number, customer in enumerate("aabab")]
    for order in orders:
        twin(order).insert()
    assert [one.number for one in orders] == [1000, 1001, 1000, 1002, 1001]
    assert [one.serial for one in orders] == [1, 2, 3, 4, 5]
    assert [one.number for one in twin.items(Order.query("a"))] == [1000, 1001, 1002]
    assert len(twin.items(Order.scan())) == 5
    # The key's number, and then one request for the rest of them.
    recorded(db).clear()
    twin(Order(customer="c", text="x")).insert()
    assert recorded(db).operations() == ["UpdateItem", "GetItem", "TransactWriteItems"]


def test_blocks_are_handed_out_without_asking(db: dw.Database, twin: Twins) -> None:
    lines = [Line(id=bytes([number])) for number in range(6)]
    for line in lines:
        twin(line).insert()
    assert [one.position for one in lines] == [1, 2, 3, 4, 5, 6]
    assert recorded(db).operations() == ["UpdateItem", *["PutItem"] * 5, "UpdateItem", "PutItem"]
    assert twin(Line.counter_of("position")).last() == 10
    # Another process takes the next block.
    other = dw.Database(db.engine, table_prefix=db.table_prefix)
    line = Line(id=b"other")
    twin(other.table(Line)).insert(line)
    assert line.position == 11


def test_blocks_of_many_at_the_same_time(db: dw.Database, twin: Twins) -> None:
    lines = [Line(id=bytes([number])) for number in range(12)]
    calls: list[Callable[[], Any]] = [one.ainsert if twin.is_async else one.insert for one in lines]
    assert at_once(twin, calls) == [None] * 12
    assert len({one.position for one in lines}) == 12
    last = twin(Line.counter_of("position")).last()
    # Whoever finds none left takes a block; none of it is lost.
    for number in range(12, last):
        twin(Line(id=bytes([number]))).insert()
    assert twin(Line.counter_of("position")).last() == last
    assert sorted(one.position for one in twin.items(Line.scan())) == list(range(1, last + 1))


def test_forked_process_takes_its_own_block(db: dw.Database, twin: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    twin(Line(id=b"a")).insert()
    parent = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: parent + 1)
    child = Line(id=b"b")
    twin(child).insert()
    assert child.position == 6


def test_in_transactions(db: dw.Database, twin: Twins) -> None:
    orders = [Order(customer=customer, text=f"{number}") for number, customer in enumerate("aab")]
    ticket = Ticket()

    def body(tx: dw.Transaction) -> None:
        for order in orders:
            tx.insert(order)
        tx.insert(Ticket(id=9))
        tx.put(ticket)
        assert [one.number for one in orders] == [0, 0, 0]

    twin.within(db.transaction(), body)
    assert [(one.number, one.serial, one.v) for one in orders] == [(1000, 1, 1), (1001, 2, 1), (1000, 3, 1)]
    assert ticket.id == 1
    (sent,) = [one for one in recorded(db).sent if one.operation == "TransactWriteItems"]
    # Five items, three guards, and one change of the gap-free counter.
    assert len(sent.body["TransactItems"]) == 9
    invoices = [Invoice(year=year) for year in (1, 2, 1)]

    def more(tx: dw.Transaction) -> None:
        for invoice in invoices:
            tx.save(invoice)

    twin.within(db.transaction(), more)
    assert [one.number for one in invoices] == [1, 1, 2]


def test_failed_write_leaves_the_instance_without_number(db: dw.Database, twin: Twins) -> None:
    twin(Order(customer="a", text="x")).insert()
    order = Order(customer="a", text="x")
    with pytest.raises(dw.UniqueConflict):
        twin(order).insert()
    assert (order.number, order.serial, order.v) == (0, 0, 0)
    order.text = "y"
    twin(order).insert()
    # The key's number that was taken is left out, the gap-free one is not.
    assert (order.number, order.serial) == (1002, 2)
    with pytest.raises(dw.ConditionFailed):
        twin(Invoice(year=1)).put(condition=Invoice.text == "never")
    with pytest.raises(dw.TransactionCancelled):
        twin.within(db.transaction(), lambda tx: (tx.insert(Invoice(year=1)), tx.insert(Order(customer="b", text="x"))))
    invoice = Invoice(year=1)
    twin(invoice).insert()
    assert invoice.number == 1


def test_numbers_that_items_have_already_are_passed_over(db: dw.Database, twin: Twins) -> None:
    for number in (1, 2, 4):
        twin(Ticket(id=number, text="by hand")).insert()
        twin(Invoice(year=1, number=number)).insert()
    for store in ("insert", "put"):
        ticket, invoice = Ticket(), Invoice(year=1)
        getattr(twin(ticket), store)()
        getattr(twin(invoice), store)()
        assert ticket.id == invoice.number == (3 if store == "insert" else 5)
    tickets = [Ticket(), Ticket()]
    twin.within(db.transaction(), lambda tx: [tx.insert(one) for one in tickets])
    assert [one.id for one in tickets] == [6, 7]
    assert twin(Ticket).get(1).text == "by hand"


def test_so_many_items_in_the_way_that_it_gives_up(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    twin(Ticket).put_many([Ticket(id=number) for number in range(1, 60)])
    ticket = Ticket()
    with pytest.raises(dw.RetriesExhausted, match="ahead of a counter") as caught:
        twin(ticket).insert()
    assert caught.value.attempts == 30
    assert ticket.id == 0
    handle = Ticket.counter_of("id")
    assert twin(handle).raise_to(59) is True
    assert twin(handle).raise_to(20) is False
    twin(ticket).insert()
    assert ticket.id == 60


def test_gap_free_numbers_of_many_at_the_same_time(db: dw.Database, twin: Twins) -> None:
    invoices = [Invoice(year=2026) for _ in range(6)]
    calls: list[Callable[[], Any]] = [one.ainsert if twin.is_async else one.insert for one in invoices]
    assert at_once(twin, calls) == [None] * 6
    assert sorted(one.number for one in invoices) == [1, 2, 3, 4, 5, 6]


def test_conflicts_with_other_transactions_are_tried_again(
    db: dw.Database, twin: Twins, no_waiting: list[float]
) -> None:
    conflict = service_error("TransactionConflictException", "busy")
    cancelled = service_error(
        "TransactionCanceledException",
        "busy",
        fields={"CancellationReasons": [{"Code": "None"}, {"Code": "TransactionConflict"}]},
    )
    recorded(db).answer("TransactWriteItems", conflict, cancelled)
    invoice = Invoice(year=1)
    twin(invoice).insert()
    tokens = [one.body.get("ClientRequestToken") for one in recorded(db).sent if "Transact" in one.operation]
    assert (invoice.number, len(tokens), len(no_waiting)) == (1, 3, 1)
    recorded(db).answer("TransactWriteItems", *[conflict] * 30)
    with pytest.raises(dw.RetriesExhausted):
        twin(Invoice(year=1)).insert()


def test_lost_response_never_stores_an_item_twice(db: dw.Database, twin: Twins) -> None:
    lost = dw.OutcomeUnknown("lost", operation="PutItem")
    recorded(db).answer("PutItem", LoseResponse(lost))
    ticket = Ticket()
    with pytest.raises(dw.OutcomeUnknown):
        twin(ticket).put()
    sent = recorded(db).sent
    # Taking a number twice only leaves one out; storing twice would make two items.
    assert [one.idempotent for one in sent] == [True, False]
    assert len(twin.items(Ticket.scan())) == 1
    twin(ticket).insert(exactly_once=True)
    assert ticket.id == 2


# ---------------------------------------------------------------------- the counter itself


def test_counter_of(db: dw.Database, twin: Twins) -> None:
    handle = db.table(Order).counter_of("number", customer="a")
    assert repr(handle) == "<counter of Order.number>"
    assert twin(handle).last() is None
    assert twin(handle).take(3) == range(1000, 1003)
    assert twin(handle).last() == 1002
    assert twin(handle).take() == range(1003, 1004)
    assert twin(Order.counter_of("number", customer="b")).last() is None
    tickets = [Ticket(id=number) for number in twin(Ticket.counter_of("id")).take(3)]
    twin(Ticket).put_many(tickets)
    assert [one.id for one in tickets] == [1, 2, 3]
    line = Line(id=b"a")
    twin(line).insert()
    twin(Line.counter_of("position")).raise_to(100)
    line = Line(id=b"b")
    twin(line).insert()
    # What was taken ahead is let go.
    assert line.position == 101


def test_own_place_of_the_counter(db: dw.Database, twin: Twins) -> None:
    class Row(Model, table="tickets"):
        id: Attr[int] = partition_key(default=counter(key=-1, attribute="__max_hash_key__"))
        text: Attr[str] = attr(default="")

    raw(db, Row, "PutItem", Item={"id": {"N": "-1"}, "__max_hash_key__": {"N": "41"}})
    row = Row(text="x")
    twin(row).insert()
    assert row.id == 42
    assert [one.id for one in twin.items(Row.scan())] == [42]
    assert twin(Row.find(Row.text == "x")).count() == 1
    assert raw(db, Row, "GetItem", Key={"id": {"N": "-1"}})["Item"] == {
        "id": {"N": "-1"},
        "__max_hash_key__": {"N": "42"},
    }
    with pytest.raises(dw.ValidationError, match="reserved"):
        twin(Row(id=-1)).insert()
    raw(db, Row, "PutItem", Item={"id": {"N": "-1"}, "__max_hash_key__": {"S": "41"}})
    with pytest.raises((dw.ExpressionError, dw.ServiceError)):
        twin(Row()).insert()
    with pytest.raises(dw.ExpressionError, match="holds no whole number"):
        twin(Row.counter_of("id")).last()


def test_series_that_classes_share(db: dw.Database, twin: Twins) -> None:
    class Note(Model, table="lines"):
        id: Attr[bytes] = partition_key()
        number: Attr[int | None] = attr(default=counter(series="lines"))

    note, line = Note(id=b"n"), Line(id=b"l")
    twin(note).insert()
    twin(line).insert()
    assert (note.number, line.position) == (1, 2)


def test_old_items_stay_without_number(db: dw.Database, twin: Twins) -> None:
    raw(db, Line, "PutItem", Item={"id": {"B": "AA=="}})
    line = twin(Line).get(b"\x00")
    assert line.position == 0
    assert twin(line).save() is False


class Job(Model, table="jobs"):
    """Text that is computed from a number, and from what every write maintains."""

    queue: Attr[str] = partition_key()
    number: Attr[int] = sort_key(default=counter("queue", gap_free=True))
    changed: Attr[datetime | None] = updated_at(clock=lambda: datetime(2026, 1, 2, tzinfo=UTC))
    label: Attr[str] = template("job#{number:05}")
    state: Attr[str | None] = template("{number:d}#{changed}")


def test_attributes_computed_from_a_number(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Job)
    twin(Job(queue="a")).insert()
    job = Job(queue="a")
    twin(job).put()
    item = stored_item(db, job)
    assert item is not None
    assert (item["number"], item["label"]) == ({"N": "2"}, {"S": "job#00002"})
    assert item["state"]["S"].startswith("2#2026-01-02T00:00:00")


def test_a_counter_is_a_whole_number() -> None:
    with pytest.raises(dw.SchemaError, match=r"^Text\.number: a counter is a whole number; write number: Attr\[int\]$"):

        class Text(Model, table="texts"):
            id: Attr[str] = partition_key()
            number: Attr[str] = counter()

    with pytest.raises(dw.SchemaError, match=r"^TextKey\.id: a counter is a whole number; write id: Attr\[int\]$"):

        class TextKey(Model, table="texts"):
            id: Attr[str] = partition_key(default=counter())

    with pytest.raises(
        dw.SchemaError, match=r"^Float\.number: a counter is a whole number; write number: Attr\[int\]$"
    ):

        class Float(Model, table="texts"):
            id: Attr[str] = partition_key()
            number: Attr[float] = counter()
