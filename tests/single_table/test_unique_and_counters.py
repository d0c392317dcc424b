"""Unique values and numbered items of classes that share a table."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import Attr, IndexMap, Model, SingleTable, attr, counter, joined
from tests.support.databases import Twins

mall = SingleTable("mall", global_indexes=1)


class User(Model, table=mall, pk="USER#{user_id}", sk="PROFILE"):
    user_id: Attr[int] = counter()
    email: Attr[str | None] = attr(default=None, unique=True)

    by_email = IndexMap("gsi0", pk="EMAIL#{email}", sk="USER")


class Order(Model, table=mall, pk="USER#{user_id}", sk="ORDER#{number}"):
    user_id: Attr[int]
    number: Attr[int] = counter("user_id", gap_free=True)


class Note(Model, table=mall, pk="NOTE#{id}", sk="NOTE"):
    id: Attr[str]


def test_guards_and_counters_lie_in_the_shared_table_and_are_nobodys_items(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(mall)
    for email in ("x", "y"):
        twin(User(email=email)).insert()
    with pytest.raises(dw.UniqueConflict) as conflict:
        twin(User(email="x")).insert()
    assert conflict.value.item.user_id == 1
    for user_id in (1, 1, 2):
        twin(Order(user_id=user_id)).insert()
    twin(Note(id="1")).put()
    assert [(one.user_id, one.number) for one in sorted(twin(Order.scan()).all(), key=lambda one: one.number)] in (
        [(1, 1), (2, 1), (1, 2)],
        [(2, 1), (1, 1), (1, 2)],
    )
    assert {one.user_id for one in twin(User.scan()).all()} == {1, 2, 3} - {3}
    assert len(twin(Note.scan()).all()) == 1


def test_a_value_is_handed_over(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(mall)
    first = User(email="x")
    twin(first).insert()
    twin(User.key(first.user_id)).update(email="z")
    twin(User(email="x")).insert()
    assert twin(User.by_email.query(email="z")).one().user_id == first.user_id
    twin(User.key(first.user_id)).delete()
    twin(User(email="z")).insert()
    report = twin(User).rebuild_unique()
    assert (report.added, report.removed, report.duplicates) == (0, 0, [])


bare = SingleTable("mall-bare", global_indexes=1, store_keys=False)


class Ticket(Model, table=bare, pk="SHOW#{show}", sk="TICKET#{number}"):
    """Its number is in its key alone."""

    show: Attr[str]
    number: Attr[int] = counter("show")
    serial: Attr[int] = counter(gap_free=True)
    seat: Attr[str | None] = attr(default=None, unique=True)
    label: Attr[str] = joined("number", "serial")

    by_seat = IndexMap("gsi0", pk="SEAT#{seat}", sk="{number}")


class Receipt(Model, table=bare, pk="SHOW#{show}", sk="RECEIPT#{number}"):
    show: Attr[str]
    number: Attr[int] = counter("show", gap_free=True)


def test_numbers_that_are_in_the_key_alone(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(bare)
    tickets = [Ticket(show="a", seat=seat) for seat in ("1", "2", None, None)]
    twin(tickets[0]).insert()
    twin(tickets[1]).put(exactly_once=True)

    def two(tx: dw.Transaction) -> None:
        tx.insert(tickets[2])
        tx.insert(tickets[3])

    twin.within(db.transaction(), two)
    assert [(one.number, one.serial) for one in tickets] == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert [one.number for one in twin.items(Ticket.query("a"))] == [1, 2, 3, 4]
    for one in tickets:
        stored = twin(Ticket).get_one("a", one.number)
        assert (stored, stored.label) == (one, one.label)
    assert [one.number for one in twin.items(Ticket.by_seat.query("2"))] == [2]
    receipts = [Receipt(show="a") for _ in range(3)]
    for receipt in receipts:
        twin(receipt).save()
    assert [one.number for one in twin.items(Receipt.query("a"))] == [one.number for one in receipts] == [1, 2, 3]
