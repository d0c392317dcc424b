"""Migrations of classes in a single table, whose keys are composed of attributes."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import Attr, Model, SingleTable
from tests.migrations.books import Item, put_raw, stored
from tests.support.databases import Twins

shop = SingleTable("shop", global_indexes=1)


class PersonMigrations(dw.Migrations):
    def check_1(self, item: Item) -> bool:
        return "called" in item

    def check_2(self, item: Item) -> bool:
        return "name" in item

    def migrate_to_2(self, item: Item) -> Item:
        item["name"] = item.pop("called")
        if item["name"] == "Mallory":
            item["id"] = "another"
        return item


class Person(Model, table=shop, pk="PERSON#{id}", sk="SELF", migrations=PersonMigrations):
    id: Attr[str]
    name: Attr[str]

    by_name = dw.IndexMap("gsi0", pk="NAME#{name}", sk="PERSON")


class Thing(Model, table=shop, pk="THING#{id}", sk="SELF"):
    id: Attr[str]


def old(number: str, name: str) -> Item:
    key = {"pk": {"S": f"PERSON#{number}"}, "sk": {"S": "SELF"}}
    return {**key, "id": {"S": number}, "called": {"S": name}, "_kind": {"S": "Person"}}


def test_generic_keys_of_indexes_follow(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(shop)
    put_raw(db, Person, old("1", "Ann"))
    put_raw(db, Person, old("2", "Bob"))
    twin(Thing(id="1")).put()
    ann = twin(Person).get("1")
    assert twin(ann).save() is True
    assert stored(db, Person, {"pk": {"S": "PERSON#1"}, "sk": {"S": "SELF"}}) == {
        "pk": {"S": "PERSON#1"},
        "sk": {"S": "SELF"},
        "_kind": {"S": "Person"},
        "id": {"S": "1"},
        "name": {"S": "Ann"},
        "gsi0_pk": {"S": "NAME#Ann"},
        "gsi0_sk": {"S": "PERSON"},
    }
    result = twin(Person).migrate_all()
    assert (result.migrated, result.failures) == (1, [])
    assert [one.id for one in twin(Person.by_name.query(name="Bob")).all()] == ["2"]
    assert twin(Thing).get("1") is not None


def test_a_key_is_composed_of_what_stays(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(shop)
    put_raw(db, Person, old("1", "Mallory"))
    with pytest.raises(dw.DecodeError, match="changed what the key pk is composed of") as error:
        twin(Person).get("1")
    assert error.value.version == 1
    assert len(twin(Person).migrate_all().failures) == 1


def test_migrations_are_of_a_class_and_not_of_a_table() -> None:
    with pytest.raises(dw.SchemaError, match="migrations= is said at each class"):
        SingleTable("other", migrations=PersonMigrations)


slim = SingleTable("slim", global_indexes=1, store_keys=False)


class Reader(Model, table=slim, pk="READER#{id}", sk="SELF", migrations=PersonMigrations):
    """What its key is composed of is in the key alone."""

    id: Attr[str]
    name: Attr[str]

    by_name = dw.IndexMap("gsi0", pk="NAME#{name}", sk="READER")


def test_items_with_attributes_in_the_key_alone(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(slim)
    for number in "12":
        key = {"pk": {"S": f"READER#{number}"}, "sk": {"S": "SELF"}}
        put_raw(db, Reader, {**key, "called": {"S": f"N{number}"}, "_kind": {"S": "Reader"}})
    reader, stale = twin(Reader).get("1"), twin(Reader).get("1")
    assert twin(reader).save() is True
    stale.name = "other"
    with pytest.raises(dw.ConditionFailed, match="was migrated from version 1"):
        twin(stale).save()
    assert stored(db, Reader, {"pk": {"S": "READER#1"}, "sk": {"S": "SELF"}}) == {
        "pk": {"S": "READER#1"},
        "sk": {"S": "SELF"},
        "_kind": {"S": "Reader"},
        "name": {"S": "N1"},
        "gsi0_pk": {"S": "NAME#N1"},
        "gsi0_sk": {"S": "READER"},
    }
    result = twin(Reader).migrate_all()
    assert (result.migrated, result.failures) == (1, [])
    assert [one.id for one in twin(Reader.by_name.query(name="N2")).all()] == ["2"]
