"""Migrations of classes that share a table: each item is migrated and read as its own class."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, discriminator, partition_key
from tests.migrations.books import Item, put_raw, stored
from tests.support.databases import Twins, case


class PetMigrations(dw.Migrations):
    def check_1(self, item: Item) -> bool:
        return "called" in item

    def check_2(self, item: Item) -> bool:
        return "name" in item

    def migrate_to_2(self, item: Item) -> Item:
        if item["called"] == "Shape":
            item["kind"] = "Shifter"
        item["name"] = item.pop("called")
        return item


class DogMigrations(PetMigrations):
    def check_3(self, item: Item) -> bool:
        return "barks" in item

    def migrate_to_3(self, item: Item) -> Item:
        return {**item, "barks": True}


class Pet(Model, table="pets", migrations=PetMigrations):
    id: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()
    name: Attr[str]


class Cat(Pet):
    lives: Attr[int] = attr(default=9)


class Dog(Pet, migrations=DogMigrations):
    barks: Attr[bool]


OLD = [
    {"id": {"S": "1"}, "kind": {"S": "Cat"}, "called": {"S": "Tom"}, "lives": {"N": "7"}},
    {"id": {"S": "2"}, "kind": {"S": "Dog"}, "called": {"S": "Rex"}},
    {"id": {"S": "3"}, "called": {"S": "Bob"}},
    {"id": {"S": "4"}, "kind": {"S": "Dog"}, "name": {"S": "Ben"}},
]
FOUND = [("1", Cat, "Tom"), ("2", Dog, "Rex"), ("3", Pet, "Bob"), ("4", Dog, "Ben")]


def _seen(pets: list[Pet]) -> list[tuple[str, type[Pet], str]]:
    return sorted(((pet.id, type(pet), pet.name) for pet in pets), key=lambda one: one[0])


def test_each_is_read_as_its_own_class(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Pet)
    for item in OLD:
        put_raw(db, Pet, item)
    ways = {
        "get": lambda: [twin(Pet).get(item["id"]["S"]) for item in OLD],
        "scan": lambda: twin(Pet.scan()).all(),
        "get_many": lambda: twin(Pet).get_many(["1", "2", "3", "4"]).items,
        "transact_get": lambda: twin(db).transact_get(*(Pet.key(item["id"]["S"]) for item in OLD)),
    }
    for name, read in ways.items():
        with case(name):
            assert _seen(read()) == FOUND
    assert _seen(twin(Dog.scan()).all()) == [one for one in FOUND if one[1] is Dog]
    assert twin(Dog).get("1") is None


def test_each_is_saved_as_its_own_class(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Pet)
    put_raw(db, Pet, OLD[0])
    put_raw(db, Pet, OLD[1])
    tom, rex = twin(Pet).get("1"), twin(Pet).get("2")
    tom.lives = 6
    assert twin(tom).save() is True
    assert twin(rex).save() is True
    assert stored(db, Pet, {"id": {"S": "1"}}) == {
        "id": {"S": "1"},
        "kind": {"S": "Cat"},
        "name": {"S": "Tom"},
        "lives": {"N": "6"},
    }
    assert stored(db, Pet, {"id": {"S": "2"}}) == {
        "id": {"S": "2"},
        "kind": {"S": "Dog"},
        "name": {"S": "Rex"},
        "barks": {"BOOL": True},
    }


def test_a_whole_table_and_one_class_of_it(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Pet)
    for item in OLD:
        put_raw(db, Pet, item)
    result = twin(Dog).migrate_all()
    assert (result.scanned, result.migrated, result.failures) == (2, 2, [])
    result = twin(Pet).migrate_all()
    assert (result.scanned, result.migrated, result.current, result.failures) == (4, 2, 2, [])
    assert _seen(twin(Pet.scan()).all()) == FOUND
    assert twin(Pet).migrate_all().current == 4


def test_the_class_of_an_item_stays(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Pet)
    put_raw(db, Pet, {**OLD[0], "called": {"S": "Shape"}})
    with pytest.raises(dw.DecodeError, match="changed kind, which says of which class the item is"):
        twin(Pet).get("1")


class Tool(Model, table="tools"):
    id: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()
    uses: Attr[int] = attr(default=0)


class SawMigrations(dw.Migrations, version="schema"):
    def migrate_to_2(self, item: Item) -> Item:
        return {**item, "teeth": 2 * item.pop("pairs")}


class Saw(Tool, migrations=SawMigrations):
    teeth: Attr[int] = attr(default=0)
    schema: Attr[int] = attr(default=2)


def test_a_key_of_the_base_class_updates_no_part_of_an_earlier_version(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Tool)
    old = {"id": {"S": "1"}, "kind": {"S": "Saw"}, "pairs": {"N": "9"}, "uses": {"N": "0"}}
    put_raw(db, Tool, old)
    with pytest.raises(dw.ConditionFailed, match="not of version 2 of Saw"):
        twin(Tool.key("1")).update(Tool.uses.add(1))
    assert stored(db, Tool, {"id": {"S": "1"}}) == old
    twin(twin(Saw).get_one("1")).save()
    saw = twin(Tool.key("1")).update(Tool.uses.add(1))
    assert (type(saw), saw.teeth, saw.uses) == (Saw, 18, 1)
