"""What is written by a key of a base class keeps what the item's own class keeps besides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    Model,
    Unique,
    attr,
    discriminator,
    joined,
    partition_key,
    updated_at,
    version,
)
from tests.support.databases import Twins, case, recorded


class Animal(Model, table="animals"):
    id: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()
    age: Attr[int] = attr(default=0)
    name: Attr[str] = attr(default="")
    mail: Attr[str | None] = attr(default=None, unique=True)


class Cat(Animal):
    lives: Attr[int] = attr(default=9)


class Dog(Animal):
    v: Attr[int] = version()
    toy: Attr[str] = attr(default="")


class Puppy(Dog):
    changed: Attr[datetime | None] = updated_at()


class Bird(Animal):
    song: Attr[str] = attr(default="")
    call: Attr[str] = joined("name", "age")

    by_call = GlobalIndex("call")


class Fish(Animal):
    tank: Attr[str] = attr(default="")
    number: Attr[int | None] = attr(default=None, unique=Unique("age"))


@pytest.fixture
def zoo(db: dw.Database) -> dw.Database:
    db.create_tables(Animal)
    for one in (
        Animal(id="a"),
        Cat(id="c"),
        Dog(id="d"),
        Puppy(id="p"),
        Bird(id="b", name="Bo"),
        Fish(id="f", number=1),
    ):
        one.insert()
    recorded(db).clear()
    return db


def sent(db: dw.Database) -> list[str]:
    return [one.operation for one in recorded(db).sent]


def test_updates_by_key_raise_the_version_of_the_items_own_class(zoo: dw.Database, twin: Twins) -> None:
    stale = Dog.get_one("d")
    forms: list[dict[str, Any]] = [{}, {"exactly_once": True}, {"upsert": True}, {"condition": Animal.age >= 0}]
    for number, form in enumerate(forms, 2):
        with case(*form):
            found = twin(Animal.key("d")).update(Animal.age.add(1), **form)
            assert (type(found), found.age, found.v) == (Dog, number - 1, number)
    stale.toy = "ball"
    with pytest.raises(dw.VersionConflict):
        twin(stale).save()
    puppy = Puppy.get_one("p")
    for key in (Animal.key("p"), Dog.key("p")):
        after = twin(key).update(age=3)
        assert after.changed > puppy.changed
        puppy = after
    assert puppy.v == 3


def test_it_takes_a_second_request_only_where_it_must(zoo: dw.Database, twin: Twins) -> None:
    for key, requests in (("a", 1), ("c", 1), ("d", 2), ("p", 2), ("b", 2)):
        with case(key):
            recorded(zoo).clear()
            twin(Animal.key(key)).update(age=3, name="x")
            assert sent(zoo) == ["UpdateItem"] * requests
    # For birds nothing follows from another e-mail address.
    recorded(zoo).clear()
    twin(Animal.key("b")).update(mail="b")
    assert [one for one in sent(zoo) if one != "GetItem"] == ["TransactWriteItems"]
    recorded(zoo).clear()
    with pytest.raises(dw.ItemNotFound):
        twin(Animal.key("nobody")).update(age=3)
    assert sent(zoo) == ["UpdateItem"]
    twin(Animal.key("nobody")).update(age=3, upsert=True)
    assert type(Animal.get_one("nobody")) is Animal


def test_what_is_computed_follows(zoo: dw.Database, twin: Twins) -> None:
    bird = twin(Animal.key("b")).update(age=4, name="Bea")
    assert bird.call == "Bea#p014"
    assert Bird.by_call.query("Bea#p014").one().id == "b"
    with pytest.raises(dw.ExpressionError, match=r"Bird\.age is one of the sources of call, and so is name"):
        twin(Animal.key("b")).update(age=5)
    assert Bird.get_one("b").age == 4


def test_unique_values_follow(zoo: dw.Database, twin: Twins) -> None:
    Fish(id="g", number=1, age=7).insert()
    with pytest.raises(dw.UniqueConflict):
        twin(Animal.key("f")).update(age=7)
    twin(Animal.key("f")).update(age=8)
    with pytest.raises(dw.UniqueConflict):
        twin(Fish(id="h", number=1, age=8)).insert()
    report = twin(Fish).rebuild_unique()
    assert (report.added, report.removed, report.duplicates) == (0, 0, [])


def test_update_where_follows_the_rules_of_each_item(zoo: dw.Database, twin: Twins) -> None:
    result = twin(Animal).update_where((Cat.lives > 3) | (Animal.age >= 0), age=2, name="x")
    assert (result.matched, result.written, result.skipped, result.failed) == (6, 6, 0, 0)
    assert {one.id: one.age for one in Animal.scan()} == dict.fromkeys("abcdfp", 2)
    assert (Dog.get_one("d").v, Puppy.get_one("p").v, Bird.get_one("b").call) == (2, 2, "x#p012")


def test_what_the_rules_of_one_items_class_refuse_stops_no_other(zoo: dw.Database, twin: Twins) -> None:
    """A bird's call is made of its age and its name, and the update says one of them only."""
    result = twin(Animal).update_where(Animal.age >= 0, age=2)
    assert (result.matched, result.written, result.skipped, result.failed) == (6, 5, 0, 1)
    ((key, error),) = result.failures
    assert key == ("b",)
    assert "Bird.age is one of the sources of call, and so is name" in error.message
    with pytest.raises(dw.ExpressionError, match=r"Bird\.age is one of the sources"):
        twin(Bird).update_where(Bird.age >= 0, age=2)


def test_in_a_transaction_the_reason_names_the_class(zoo: dw.Database, twin: Twins) -> None:
    def two(tx: dw.Transaction) -> None:
        tx.update(Animal.key("c"), age=5)
        tx.update(Animal.key("d"), age=5)

    with pytest.raises(dw.TransactionCancelled) as caught:
        twin.within(zoo.transaction(), two)
    assert caught.value.reasons[0] is None
    assert isinstance(caught.value.reasons[1], dw.ExpressionError)
    assert "write Dog.key(...).update(...)" in str(caught.value.reasons[1])
    assert {one.age for one in Animal.scan()} == {0}
    twin.within(zoo.transaction(), lambda tx: tx.update(Dog.key("d"), age=5))
    assert (Dog.get_one("d").age, Dog.get_one("d").v) == (5, 2)


def test_an_item_of_unique_values_and_more(zoo: dw.Database, twin: Twins) -> None:
    """The base class keeps something with this update, and the derived one more."""
    assert twin(Animal.key("d")).update(mail="x").v == 2
    with pytest.raises(dw.UniqueConflict):
        twin(Animal.key("c")).update(mail="x")


def test_attributes_of_derived_classes_are_not_updated_by_keys_of_the_base(zoo: dw.Database, twin: Twins) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: twin(Animal.key("d")).update(Dog.toy.set("ball")),
        lambda: twin(Animal.key("c")).update(Dog.toy.set("ball")),
        lambda: twin(Animal).update_where(Animal.age == 0, Dog.toy.set("ball")),
        lambda: twin.within(zoo.transaction(), lambda tx: tx.update(Animal.key("d"), Dog.toy.set("ball"))),
    ]
    for call in calls:
        with pytest.raises(dw.ExpressionError, match=r"write Dog\.key\(\.\.\.\)\.update"):
            call()
    assert sent(zoo) == []


def test_batches_delete_instances_of_derived_classes_by_their_rules(zoo: dw.Database, twin: Twins) -> None:
    class Plain(Model, table="plain"):
        id: Attr[str] = partition_key()
        kind: Attr[str] = discriminator()

    class Versioned(Plain):
        v: Attr[int] = version()

    zoo.create_tables(Plain)
    one = Versioned(id="1")
    one.insert()
    with pytest.raises(dw.ExpressionError, match=r"Versioned\.v is a version"):
        twin(Plain).delete_many([one])
    assert twin(Plain).delete_many([Plain.key("1")]).deleted == 1
