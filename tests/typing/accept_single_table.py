"""What may be written with several classes in one table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, assert_type

from dynawire import (
    Attr,
    Collected,
    Collection,
    GlobalIndex,
    Index,
    IndexMap,
    Key,
    Model,
    Query,
    SingleTable,
    attr,
    connect,
)

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


db = connect("memory:")
assert_type(db.create_tables(User, Order, shop), list[str])
assert_type(User(user_id="1").name, str)
assert_type(User.get("1"), User | None)
assert_type(Order.get(user_id="1", created_at=datetime.now(UTC)), Order | None)
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
