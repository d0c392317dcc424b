"""Unique values and numbers of classes that share a table and are told apart by a discriminator."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, counter, discriminator, partition_key
from tests.support.databases import Twins, case


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
    # By a key of the base class its guard is not known: it stays, and is in nobody's way.
    twin(Animal.key("d")).delete()
    twin(Dog(id="e", chip="1")).insert()
    loaded = twin(Animal).get("p")
    loaded.chip = None
    twin(loaded).save()
    twin(Dog(id="f", chip="2")).insert()


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
