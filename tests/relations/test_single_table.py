"""Relations of classes in one table, whose keys are composed of readable attributes: they lead by the readable ones."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    IndexMap,
    ManyToMany,
    Model,
    SingleTable,
    ToMany,
    ToOne,
    attr,
    counter,
    discriminator,
    joined,
    many_to_many,
    many_to_one,
    one_to_many,
    one_to_one,
    ttl,
)
from tests.support.databases import Twins

app = SingleTable("relations-app", global_indexes=2)


class User(Model, table=app, pk="USER#{user_id}", sk="PROFILE"):
    user_id: Attr[str]

    orders: ToMany[Order] = one_to_many(back="user", cascade=("save", "delete"))
    groups: ManyToMany[Group] = many_to_many(
        "Membership", own="user_id", other="group_id", back="users", cascade="delete"
    )


class Order(Model, table=app, pk="USER#{user_id}", sk="ORDER#{number}"):
    user_id: Attr[str]
    number: Attr[int]
    status: Attr[str] = attr(default="open")

    user: ToOne[User] = many_to_one("user_id", back="orders")
    state: ToOne[State] = many_to_one("status", back="orders")

    by_status = IndexMap("gsi1", pk="STATUS#{status}", sk="{number}")


class State(Model, table=app, pk="STATE#{name}", sk="STATE"):
    name: Attr[str]

    orders: ToMany[Order] = one_to_many(index="by_status", back="state")
    by_name: ToMany[Order] = one_to_many(by={"status": "name"}, index="by_status")


class Group(Model, table=app, pk="GROUP#{group_id}", sk="GROUP"):
    group_id: Attr[str]

    users: ManyToMany[User] = many_to_many("Membership", own="group_id", other="user_id", back="groups")


class Membership(Model, table=app, pk="USER#{user_id}", sk="MEMBER#{group_id}"):
    """The link, in the same table: an adjacency list."""

    user_id: Attr[str]
    group_id: Attr[str]
    since: Attr[int] = attr(default=0)

    by_group = IndexMap("gsi0", pk="GROUP#{group_id}", sk="USER#{user_id}")


@pytest.fixture
def user() -> Iterator[User]:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(User)
        user = User(user_id="1")
        user.orders.append(*(Order(user_id="", number=number) for number in range(3)))
        user.save()
        State(name="open").insert()
        yield User.get_one("1")


def test_one_and_many(user: User) -> None:
    assert [order.number for order in user.orders] == [0, 1, 2]
    orders = Order.query(user_id="1").with_(Order.user, Order.state).all()
    assert {id(order.user.value) for order in orders} == {id(orders[0].user.value)}
    assert orders[0].state.value.name == "open"
    assert [order.number for order in user.orders.query(Order.number > 0).reverse()] == [2, 1]


def test_by_index(user: User) -> None:
    state = State.get_one("open")
    assert [order.number for order in state.orders] == [0, 1, 2]
    assert [order.number for order in state.by_name] == [0, 1, 2]
    order = state.orders.value[0]
    order.state = State(name="paid")
    order.save()
    assert [order.number for order in state.orders.refresh()] == [1, 2]
    assert [order.number for order in State(name="paid").orders] == [0]


def test_links_in_the_same_table(user: User) -> None:
    staff, guests = Group(group_id="staff"), Group(group_id="guests")
    staff.insert()
    guests.insert()
    user.groups.add(staff, guests, since=2026)
    assert [group.group_id for group in user.groups] == ["guests", "staff"]
    assert [one.user_id for one in staff.users] == ["1"]
    assert [link.since for link in staff.users.links()] == [2026]
    staff.users.remove(user)
    assert [group.group_id for group in user.groups] == ["guests"]


def test_deleting(user: User) -> None:
    group = Group(group_id="staff")
    group.insert()
    group.users.add(user)
    user.delete()
    counts = [cls.scan().count() for cls in (User, Order, Membership, Group, State)]
    assert counts == [0, 0, 0, 1, 1]


slim = SingleTable("relations-slim", store_keys=False, ttl="until")


class Seller(Model, table=slim, pk="SELLER#{seller_id}", sk="PROFILE"):
    seller_id: Attr[str]

    offers: ToMany[Offer] = one_to_many(back="seller", cascade=("save", "delete"))
    settings: ToOne[Settings] = one_to_one(auto_create=True, cascade="delete")


class Settings(Model, table=slim, pk="SELLER#{seller_id}", sk="SETTINGS"):
    seller_id: Attr[str]
    theme: Attr[str] = attr(default="light")
    shown: Attr[str] = joined("seller_id", "theme")


class Offer(Model, table=slim, pk="SELLER#{seller_id}", sk="OFFER#{number}", hide_expired=True):
    seller_id: Attr[str]
    number: Attr[int] = counter("seller_id")
    kind: Attr[str] = discriminator()
    code: Attr[str | None] = attr(default=None, unique=True)
    until: Attr[int | None] = ttl(default=None)

    seller: ToOne[Seller] = many_to_one("seller_id", back="offers")


class Auction(Offer):
    price: Attr[int] = attr(default=0)


def test_numbers_classes_and_times_of_what_is_related(db: dw.Database, twin: Twins) -> None:
    """Everything at once, in a table that has the keys' attributes in the keys alone."""
    db.create_tables(slim)
    seller = Seller(seller_id="s")
    seller.offers.append(Offer(seller_id="", code="a"), Auction(seller_id="", code="b"), Offer(seller_id="", code="c"))
    twin(seller).save()
    assert [(type(one), one.number) for one in twin(seller.offers).all()] == [(Offer, 1), (Auction, 2), (Offer, 3)]
    found = twin(Seller.scan().with_(Seller.offers.with_(Offer.seller))).one()
    assert [(type(one), one.number, one.code) for one in found.offers.value] == [
        (Offer, 1, "a"),
        (Auction, 2, "b"),
        (Offer, 3, "c"),
    ]
    assert twin(seller.settings).get().theme == "light"
    assert Settings.get_one("s").shown == "s#light"
    past = Offer.get_one("s", 3)
    past.until = int(time.time()) - 10
    past.save()
    assert [one.number for one in twin(seller.offers).refresh()] == [1, 2]
    twin(seller).delete()
    assert Offer.scan().hide_expired(False).count() == Seller.scan().count() == Settings.scan().count() == 0
    Offer(seller_id="t", code="c").insert()
