"""Migrations of classes whose attributes or keys are composed of others."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key, template
from tests.migrations.books import Item, put_raw, stored
from tests.support.databases import Twins


class PersonMigrations(dw.Migrations):
    def check_1(self, item: Item) -> bool:
        return "name" in item

    def check_2(self, item: Item) -> bool:
        return "last" in item

    def migrate_to_2(self, item: Item) -> Item:
        item["first"], item["last"] = item.pop("name").split(" ")
        return item


class Person(Model, table="people", migrations=PersonMigrations):
    id: Attr[str] = partition_key()
    first: Attr[str]
    last: Attr[str]
    city: Attr[str] = attr(default="")
    sorted_name: Attr[str | None] = template("{last}#{first}")
    home: Attr[str | None] = template("HOME#{id}")


OLD: Item = {"id": {"S": "1"}, "name": {"S": "Ann Lee"}, "sorted_name": {"S": "stale"}}
NEW: Item = {
    "id": {"S": "1"},
    "first": {"S": "Ann"},
    "last": {"S": "Lee"},
    "sorted_name": {"S": "Lee#Ann"},
    "home": {"S": "HOME#1"},
}


@pytest.mark.parametrize("how", ["save", "migrate_all"])
def test_what_is_computed_is_written_along(how: str, db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Person)
    put_raw(db, Person, OLD)
    person = twin(Person).get("1")
    assert person.sorted_name == "Lee#Ann"
    if how == "save":
        twin(person).save()
    else:
        assert twin(Person).migrate_all().migrated == 1
    assert stored(db, Person, {"id": {"S": "1"}}) == NEW
