"""Migrations of classes with unique values."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key
from tests.migrations.books import Item, put_raw
from tests.support.databases import Twins


class UserMigrations(dw.Migrations):
    def check_1(self, item: Item) -> bool:
        return "mail" in item

    def check_2(self, item: Item) -> bool:
        return "email" in item

    def migrate_to_2(self, item: Item) -> Item:
        item["email"] = item.pop("mail")
        return item


class User(Model, table="users", migrations=UserMigrations):
    id: Attr[str] = partition_key()
    email: Attr[str] = attr(unique=True)


def test_values_are_claimed_and_conflicts_reported(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(User)
    for number in range(3):
        put_raw(db, User, {"id": {"S": f"{number}"}, "mail": {"S": f"{number % 2}@x.org"}})
    result = twin(User).migrate_all(segments=1)
    assert (result.migrated, len(result.failures)) == (2, 1)
    assert "email" in result.failures[0].reason
    assert result.failures[0].version == 1
    with pytest.raises(dw.UniqueConflict):
        twin(User(id="9", email="1@x.org")).insert()
