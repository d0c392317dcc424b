"""A transaction that is never begun sends nothing, and says so."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Iterator

import pytest

import dynawire as dw
from dynawire import Attr, Model, partition_key


class Ticket(Model, table="tickets"):
    id: Attr[str] = partition_key()


@pytest.fixture
def db() -> Iterator[dw.Database]:
    with dw.connect("memory:") as database:
        database.create_tables(Ticket)
        yield database


def test_operations_outside_of_a_block(db: dw.Database) -> None:
    def forgotten() -> None:
        transaction = db.transaction()
        transaction.insert(Ticket(id="1"))
        transaction.delete(Ticket.key("2"))
        del transaction
        gc.collect()

    said = r"<Transaction of 2 operations> was never begun, so nothing of it was sent; write `with db.transaction\(\)"
    with pytest.warns(RuntimeWarning, match=said):
        forgotten()
    assert Ticket.scan().count() == 0


def test_whatever_was_meant_is_quiet(db: dw.Database) -> None:
    async def begun() -> None:
        async with db.transaction() as transaction:
            transaction.insert(Ticket(id="1"))

    def failing() -> None:
        with db.transaction() as transaction:
            transaction.insert(Ticket(id="2"))
            raise KeyError

    def later() -> None:
        transaction = db.transaction()
        transaction.insert(Ticket(id="3"))
        with transaction:
            pass

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(begun())
        with pytest.raises(KeyError):
            failing()
        later()
        shown = db.transaction()
        shown.insert(Ticket(id="4"))
        assert shown.params()["TransactItems"]
        del shown
        db.transaction()
        with pytest.raises(dw.ExpressionError):
            db.transaction(token="")
        gc.collect()
    assert sorted(ticket.id for ticket in Ticket.scan()) == ["1", "3"]
