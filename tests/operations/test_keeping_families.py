"""Unique values and numbers of classes that share a table and are told apart by a discriminator."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, computed, counter, discriminator, partition_key, version
from tests.support.databases import Twins, case, recorded, stored_item


class Animal(Model, table="animals"):
    id: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()
    name: Attr[str | None] = attr(default=None)


class Dog(Animal):
    chip: Attr[str | None] = attr(default=None, unique=True)
    number: Attr[int] = counter()


class Puppy(Dog):
    age: Attr[int] = attr(default=0)


class Vehicle(Model, table="vehicles"):
    id: Attr[int] = partition_key(default=counter())
    kind: Attr[str] = discriminator()
    plate: Attr[str | None] = attr(default=None, unique=True)


class Car(Vehicle):
    doors: Attr[int] = attr(default=4)


class Bus(Vehicle):
    seats: Attr[int] = attr(default=40)


class Cat(Animal):
    tag: Attr[str | None] = attr(default=None, unique=True)
    chip: Attr[str | None] = attr(default=None)  # stored as that of a dog, and not unique


def guards(db: dw.Database, table: str) -> dict[str, list[str]]:
    """The keys of the items that guards are for, by what they are guards of."""
    found: dict[str, list[str]] = {}
    for item in json.loads(db.engine.send("Scan", json.dumps({"TableName": db.table_prefix + table}).encode()))[
        "Items"
    ]:
        if "dynawire#owner" in item:
            found.setdefault(item["dynawire#unique"]["S"], []).append(item["dynawire#owner"]["M"]["id"]["S"])
    return {name: sorted(owners) for name, owners in found.items()}


def test_guards_of_an_item_that_another_class_replaces_or_deletes(db: dw.Database, twin: Twins) -> None:
    """They are given back, whatever class the write is of."""
    db.create_tables(Animal)

    def in_transaction(write: Any) -> None:
        with db.transaction() as tx:
            write(tx)

    ways: list[Any] = [
        lambda: twin(Animal.key("d")).delete(),
        lambda: twin(Animal.key("d")).delete(must_exist=True),
        lambda: twin(Animal.key("d")).delete(condition=Dog.chip == "1"),
        lambda: twin(Animal.key("d")).delete(exactly_once=True),
        lambda: twin(Animal).delete_where(Animal.id == "d"),
        lambda: in_transaction(lambda tx: tx.delete(Animal.key("d"))),
        lambda: twin(Animal(id="d")).put(),
        lambda: twin(Animal(id="d")).put(condition=Animal.id.exists()),
        lambda: twin(Animal(id="d")).save(),
        lambda: twin(Cat(id="d", tag="t", chip="1")).put(),
        lambda: twin(Dog(id="d")).put(),
        lambda: in_transaction(lambda tx: tx.put(Cat(id="d"))),
    ]
    for place, way in enumerate(ways):
        with case(place):
            twin(Dog(id="d", chip="1")).put()
            assert guards(db, "animals") == {"Dog.chip": ["d"]}
            way()
            left = guards(db, "animals")
            assert left == ({"Cat.tag": ["d"]} if place == 9 else {})
            twin(Dog(id="x", chip="1")).insert()
            twin(Dog.key("x")).delete()
            twin(Animal.key("d")).delete()
            assert guards(db, "animals") == {}


def test_what_is_not_written_gives_nothing_back(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Animal)
    twin(Dog(id="d", chip="1")).insert()
    with pytest.raises(dw.ConditionFailed):
        twin(Animal.key("d")).delete(condition=Animal.name == "Rex")
    with pytest.raises(dw.ConditionFailed):
        twin(Animal(id="d")).put(condition=Animal.name == "Rex")
    with pytest.raises(dw.ItemExists):
        twin(Animal(id="d")).insert()
    with pytest.raises(dw.ItemNotFound):
        twin(Animal.key("e")).delete(must_exist=True)
    with pytest.raises(dw.ConditionFailed):
        twin(Cat.key("d")).delete()
    assert guards(db, "animals") == {"Dog.chip": ["d"]}
    assert twin(Animal).get("d") == Dog(id="d", chip="1", number=1)


def test_one_request_where_nothing_is_given_back(db: dw.Database, twin: Twins) -> None:
    """As a rule what is written has no unique values of others: then it costs nothing to make sure of that."""
    db.create_tables(Animal)
    twin(Animal(id="a")).insert()
    for write, operation in (
        (lambda: twin(Animal(id="a", name="x")).put(), "PutItem"),
        (lambda: twin(Animal.key("a")).delete(), "DeleteItem"),
        (lambda: twin(Animal.key("a")).delete(), "DeleteItem"),
        (lambda: twin(Animal(id="a")).put(), "PutItem"),
    ):
        recorded(db).clear()
        write()
        assert recorded(db).operations() == [operation]
    # What can't go along with a transaction is done as ever, and leaves the guard, which is in nobody's way.
    twin(Dog(id="d", chip="1")).insert()
    assert twin(Animal.key("d")).delete(return_old=True) == Dog(id="d", chip="1", number=1)
    assert guards(db, "animals") == {"Dog.chip": ["d"]}
    twin(Dog(id="e", chip="1")).insert()
    report = twin(Dog).rebuild_unique()
    assert (report.added, report.removed) == (0, 0)


def test_attributes_of_a_derived_class(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Animal)
    twin(Animal(id="a")).insert()
    twin(Dog(id="d", chip="1")).insert()
    puppy = Puppy(id="p", chip="2")
    twin(puppy).insert()
    assert puppy.number == 2
    for other in (Dog(id="x", chip="2"), Puppy(id="x", chip="1")):
        with case(other.chip), pytest.raises(dw.UniqueConflict) as caught:
            twin(other).insert()
        assert type(caught.value.item) is (Puppy if other.chip == "2" else Dog)
    assert sorted(one.id for one in twin.items(Animal.scan())) == ["a", "d", "p"]
    assert sorted(one.id for one in twin.items(Dog.scan())) == ["d", "p"]
    assert twin(Animal.find()).count() == 3
    report = twin(Dog).rebuild_unique()
    assert (report.items, report.guards, report.added, report.removed) == (2, 2, 0, 0)
    twin(Animal.key("d")).delete()
    assert guards(db, "animals") == {"Dog.chip": ["p"]}
    twin(Dog(id="e", chip="1")).insert()
    loaded = twin(Animal).get("p")
    loaded.chip = None
    twin(loaded).save()
    twin(Dog(id="f", chip="2")).insert()


class Shape(Model, table="shapes"):
    id: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()
    name: Attr[str] = attr(default="")
    size: Attr[int] = attr(default=0)


class Named(Shape):
    lower: Attr[str] = computed(str.lower, "name")


class Counted(Shape):
    v: Attr[int] = version()


def test_an_instance_whose_item_became_one_of_another_class(db: dw.Database, twin: Twins) -> None:
    """What the other class keeps would not follow from its changes."""
    db.create_tables(Shape)
    for place, (replacing, name, refused) in enumerate(
        ((Named(id="1", name="B"), "name", True), (Named(id="1"), "size", False), (Counted(id="1"), "size", True))
    ):
        changes: dict[str, Any] = {"name": "X"} if name == "name" else {"size": 7}
        for way in ("save", "update"):
            with case(place, way):
                stale = Shape(id="1", name="A")
                twin(stale).put()
                twin(type(replacing)(id="1", name=replacing.name)).put()
                before = stored_item(db, Shape(id="1"))
                if way == "save":
                    setattr(stale, name, changes[name])
                write = twin(stale).save if way == "save" else partial(twin(stale).update, **changes)
                if not refused:
                    write()
                    assert twin(Shape).get("1").size == 7
                    continue
                with pytest.raises(
                    dw.ConditionFailed, match=r"is of (Named|Counted) now, and this instance of Shape: "
                ):
                    write()
                assert stored_item(db, Shape(id="1")) == before


def test_attributes_of_the_base_class(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Vehicle)
    vehicles = [Car(plate="a"), Bus(plate="b"), Vehicle(plate="c")]
    for vehicle in vehicles:
        twin(vehicle).insert()
    assert [one.id for one in vehicles] == [1, 2, 3]
    with pytest.raises(dw.UniqueConflict) as caught:
        twin(Car(plate="b")).insert()
    assert type(caught.value.item) is Bus
    twin(Vehicle.key(2)).delete()
    twin(Car(plate="b")).insert()
    assert [type(one).__name__ for one in sorted(twin.items(Vehicle.scan()), key=lambda one: one.id)] == [
        "Car",
        "Vehicle",
        "Car",
    ]
    report = twin(Vehicle).rebuild_unique()
    assert (report.items, report.guards, report.added, report.removed) == (3, 3, 0, 0)
