"""What may be written with several classes in one table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, assert_type

from dynawire import (
    Attr,
    Collected,
    Collection,
    Find,
    GlobalIndex,
    Index,
    IndexMap,
    Key,
    Model,
    Query,
    SingleTable,
    WhereResult,
    attr,
    connect,
)
from dynawire.pydantic import PydanticModel

shop = SingleTable("shop", global_indexes=2, local_indexes=1, billing="PROVISIONED", read_units=1, write_units=1)
other = SingleTable("other", global_indexes={"GSI1": GlobalIndex("GSI1PK", "GSI1SK")}, kind=None, ttl="expires")


class User(Model, table=shop, pk="USER#{user_id}", sk="PROFILE", kind="user"):
    user_id: Attr[str]
    name: Attr[str] = attr(default="")


class Order(Model, table=shop, pk="USER#{user_id}", sk="ORDER#{created_at}"):
    user_id: Attr[str]
    created_at: Attr[datetime]
    status: Attr[str] = attr(default="open")

    by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{created_at}", when={"status__ne": "new"})


class Entry(Model, table=shop, pk="USER#{user_id}", sk="ENTRY#{created_at}#{number}"):
    user_id: Attr[str]
    created_at: Attr[datetime]
    number: Attr[int]


db = connect("memory:")
assert_type(db.create_tables(User, Order, shop), list[str])
assert_type(User(user_id="1").name, str)
assert_type(User.get("1"), User | None)
assert_type(Order.get(user_id="1", created_at=datetime.now(UTC)), Order | None)
assert_type(Entry.get("1", datetime.now(UTC), 2), Entry | None)
assert_type(Entry.key("1", datetime.now(UTC), 2), Key[Entry])
assert_type(Order.key(user_id="1", created_at=datetime.now(UTC)), Key[Order])
assert_type(Order.query(user_id="1", created_at__gte=datetime.now(UTC)), Query[Order])
assert_type(Order.by_status, Index[Order])
assert_type(Order.by_status.query(status="open"), Query[Order])

both = shop.collection(User, Order)
assert_type(both, Collection[User | Order])
found = both.reverse().limit(10).query(user_id="1")
assert_type(found, Collected[User | Order])
assert_type(list(found), list[User | Order])
assert_type(found.of(Order), list[Order])
assert_type(found.users, list[Any])
assert_type(shop.collection(User, index="gsi0"), Collection[User])


class Line(Model, table=shop, pk="USER#{user_id}", sk="ORDER#{created_at}#LINE#{number:03}"):
    user_id: Attr[str]
    created_at: Attr[datetime]
    number: Attr[int]
    total: Attr[int] = attr(default=0)

    by_total = IndexMap("lsi0", sk="{total}")


class Note(PydanticModel, table=shop, pk="NOTE#{id}", sk="NOTE"):
    id: str
    text: str = ""


assert_type(Note.get("1"), Note | None)
assert_type(Order.find(Order.status == "open"), Find[Order])
assert_type(Order.find(user_id="1").all(), list[Order])
assert_type(Order.by_status.query(status="open").first(), Order | None)
assert_type(Line.by_total.query("1", Line.total > 3).all(), list[Line])
assert_type(Order.scan().where(Order.status != "open").project(Order.status), Query[tuple[str]])
assert_type(Order.update_where(Order.status == "open", status="late"), WhereResult)
assert_type(db.table(Order).get(user_id="1", created_at=datetime.now(UTC)), Order | None)

three = shop.collection(User, Order, Line)
assert_type(three, Collection[User | Order | Line])
assert_type(three.consistent().after(None).query(user_id="1").items, list[User | Order | Line])
assert_type(shop.collection(User, Order, Line, Note), Collection[User | Order | Line | Note])
assert_type(shop.collection(Order, people=User), Collection[Any])
assert_type(found.others, list[dict[str, Any]])
assert_type(found.cursor, str | None)
assert_type(len(found), int)
assert_type(both.params.query(user_id="1"), dict[str, Any])
assert_type(shop.name, str)
assert_type(shop.classes(), list[type[Any]])
for one in found:
    if isinstance(one, Order):
        assert_type(one.status, str)
    else:
        assert_type(one, User)
with db.transaction() as tx:
    tx.put(User(user_id="1"))
    tx.update(Order.key(user_id="1", created_at=datetime.now(UTC)), Order.status.set("paid"))


async def read() -> None:
    assert_type(await both.aquery(user_id="1"), Collected[User | Order])
    assert_type([one async for one in Order.by_status.query(status="open")], list[Order])
    assert_type(await Order.aget(user_id="1", created_at=datetime.now(UTC)), Order | None)
