"""Attributes that are in the key alone, and are read out of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

import dynawire as dw
from dynawire import Attr, IndexMap, Model, attr
from dynawire.errors import DecodeError, ExpressionError, SchemaError, ValidationError
from tests.single_table.shop import day
from tests.support.databases import Twins, raw, stored_item

bare = dw.SingleTable("bare-keys", global_indexes=1, store_keys=False)


class Order(Model, table=bare, pk="USER#{user_id}#{tenant}", sk="ORDER#{placed}#{number}#{share}#{urgent}"):
    user_id: Attr[str]
    tenant: Attr[UUID] = attr(default=UUID(int=1), name="t")
    placed: Attr[datetime]
    number: Attr[int]
    share: Attr[Decimal] = attr(default=Decimal("0.5"))
    urgent: Attr[bool] = attr(default=False)
    status: Attr[str] = attr(default="open")

    by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{placed}#{number}")


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(bare)


def order(number: int = -7, **values: Any) -> Order:
    return Order(user_id="a#b%", placed=day(1), number=number, **values)


def test_they_are_not_stored_and_come_back(db: dw.Database, twin: Twins) -> None:
    one = order()
    twin(one).insert()
    stored = stored_item(db, one)
    assert stored == one.to_item()
    assert stored is not None
    assert stored.keys() == {"pk", "sk", "gsi0_pk", "gsi0_sk", "_kind", "status"}
    found = twin(Order).get(
        user_id="a#b%", tenant=UUID(int=1), placed=day(1), number=-7, share=Decimal("0.5"), urgent=False
    )
    assert found.to_dict() == one.to_dict()
    assert Order.from_item(stored).to_dict() == one.to_dict()
    for some in (
        Order.query("a#b%", UUID(int=1)),
        Order.scan(),
        Order.by_status.query("open"),
        Order.find(status="open"),
    ):
        assert [each.to_dict() for each in twin.items(some)] == [one.to_dict()]
    assert twin(bare.collection(Order)).query(user_id="a#b%", tenant=UUID(int=1)).orders[0].number == -7
    assert twin(Order).get_many([one]).items[0].number == -7
    assert twin(db).transact_get(Order.key(**key_of(one)))[0].number == -7


def key_of(one: Order) -> dict[str, Any]:
    names = ("user_id", "tenant", "placed", "number", "share", "urgent")
    return {name: getattr(one, name) for name in names}


def test_every_write_keeps_them_out(db: dw.Database, twin: Twins) -> None:
    twin(Order).put_many([order(number) for number in range(3)])
    one = twin(Order).get(**key_of(order(1)))
    one.status = "paid"
    assert twin(one).save() is True
    assert twin(one).save() is False
    twin(one).update(status="sent")
    twin(Order.key(**key_of(order(9)))).update(status="new", upsert=True)
    twin.within(db.transaction(), lambda tx: tx.put(order(5)))
    for number in (1, 9, 5, 2):
        stored = stored_item(db, order(number))
        assert stored is not None
        assert "number" not in stored
        assert "user_id" not in stored
        assert Order.from_item(stored).number == number
    assert [each.number for each in twin.items(Order.by_status.query("sent"))] == [1]
    one.number = 3
    with pytest.raises(ValidationError, match=r"Order.number is part of the key"):
        twin(one).save()
    twin(order(5)).delete(must_exist=True)
    assert twin(Order).update_where(Order.status == "open", status="late").written == 2


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: Order.query("a", UUID(int=1), Order.number == 3).params(), "filtered by"),
        (lambda: Order.query("a", UUID(int=1)).where(Order.number == 3).params(), "filtered by"),
        (lambda: Order.scan(user_id="a").params(), "filtered by"),
        (lambda: Order.find(Order.user_id == "a").all(), "found by"),
        (lambda: Order.query("a", UUID(int=1)).project(Order.number).params(), "projected"),
        (
            lambda: Order.key(**key_of(order())).update(status="x", condition=Order.number == 3),
            "looked at by a condition",
        ),
        (lambda: order().put(condition=Order.number == 3), "looked at"),
    ],
)
def test_what_the_service_could_not_see_is_refused(db: dw.Database, make: Callable[[], Any], what: str) -> None:
    with pytest.raises(
        ExpressionError, match=rf"is stored in the key alone \(store_keys=False\), so it can't be {what}"
    ):
        make()


def test_a_key_of_another_form_does_not_fit(db: dw.Database) -> None:
    one = order()
    one.put()
    stored = one.to_item()
    stored["sk"] = {"S": "ORDER#never#p011#p4995#false"}
    raw(db, Order, "PutItem", Item=stored)
    with pytest.raises(DecodeError) as info:
        Order.scan().all()
    assert info.value.path == "placed"
    assert info.value.key["sk"] == stored["sk"]  # type: ignore[index]
    stored["sk"] = {"S": "ORDER#x"}
    with pytest.raises(DecodeError):
        Order.from_item(stored)


def test_what_needs_them_stored_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"User.team is the scope of the unique name, and so must be stored"):

        class User(Model, table=bare, pk="TEAM#{team}", sk="USER#{id}"):
            team: Attr[str]
            id: Attr[str]
            name: Attr[str] = attr(unique=dw.Unique("team"))


def test_conflicts_without_a_version(db: dw.Database, twin: Twins) -> None:
    twin(order()).insert()
    mine, yours = twin(Order).get(**key_of(order())), twin(Order).get(**key_of(order()))
    yours.status = "paid"
    assert twin(yours).save(check="loaded") is True
    mine.status = "late"
    with pytest.raises(dw.ItemChanged, match=r"another writer changed status of this Order"):
        twin(mine).save(check="loaded")
    twin(yours).delete(check="loaded")
