"""A class that had two earlier versions, and items as the programs of those times wrote them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import dynawire as dw
from dynawire import Attr, GlobalIndex, attr, partition_key, sort_key
from tests.support.databases import raw

Item = dict[str, Any]


class BookMigrations(dw.Migrations):
    """1: a name, and pages as text. 2: title, pages as a number. 3: published as a date, a note of the version."""

    def check_1(self, item: Item) -> bool:
        return "name" in item

    def check_2(self, item: Item) -> bool:
        return "title" in item

    def migrate_to_2(self, item: Item) -> Item:
        item["title"] = item.pop("name")
        item["pages"] = int(item.get("pages", "0"))
        return item

    def check_3(self, item: Item) -> bool:
        return item.get("format") == 3

    def migrate_to_3(self, item: Item) -> Item:
        year = item.pop("year", None)
        if year is not None:
            item["published"] = date(year, 1, 1)  # what the class's attribute takes
        return {**item, "format": 3}


class Book(dw.Model, table="books", migrations=BookMigrations):
    shelf: Attr[str] = partition_key()
    isbn: Attr[str] = sort_key()
    title: Attr[str]
    pages: Attr[int] = attr(default=0, ge=0)
    published: Attr[date | None] = attr(default=None)
    cover: Attr[bytes | None] = attr(default=None)
    tags: Attr[set[str]] = attr(default_factory=set)
    price: Attr[float | None] = attr(default=None)
    loan: Attr[dict[str, str]] = attr(default_factory=dict)
    format: Attr[int] = attr(default=3)

    by_title = GlobalIndex(partition_key="title")


KEY = {"shelf": {"S": "a"}, "isbn": {"S": "1"}}
V1: Item = {
    **KEY,
    "name": {"S": "Old"},
    "pages": {"S": "12"},
    "year": {"N": "1999"},
    "cover": {"B": "aGk="},
    "tags": {"SS": ["b", "a"]},
    "price": {"N": "10000000000000000"},
    "loan": {"M": {"who": {"S": "Ann"}}},
    "unknown": {"L": [{"B": "aGk="}, {"BS": ["aGk="]}]},
}
V2: Item = {**KEY, "title": {"S": "Old"}, "pages": {"N": "12"}, "year": {"N": "1999"}}
V3: Item = {
    **KEY,
    "title": {"S": "Old"},
    "pages": {"N": "12"},
    "published": {"S": "1999-01-01"},
    "cover": {"B": "aGk="},
    "tags": {"SS": ["a", "b"]},
    "price": {"N": "10000000000000000"},
    "loan": {"M": {"who": {"S": "Ann"}}},
    "unknown": {"L": [{"B": "aGk="}, {"BS": ["aGk="]}]},
    "format": {"N": "3"},
}
VALUES = {
    "shelf": "a",
    "isbn": "1",
    "title": "Old",
    "pages": 12,
    "published": date(1999, 1, 1),
    "cover": b"hi",
    "tags": {"a", "b"},
    "price": 1e16,
    "loan": {"who": "Ann"},
    "format": 3,
}


def put_raw(db: dw.Database, model: type[Any], item: Item) -> None:
    """Store an item as an earlier program did."""
    raw(db, model, "PutItem", Item=item)


def stored(db: dw.Database, model: type[Any] = Book, key: Item = KEY) -> Item | None:
    """What is stored; sets in order."""
    item: Item | None = raw(db, model, "GetItem", Key=key, ConsistentRead=True).get("Item")
    if item is None:
        return None
    return {name: {"SS": sorted(one["SS"])} if "SS" in one else one for name, one in item.items()}


class VersionedMigrations(dw.Migrations, version="schema"):
    def migrate_to_2(self, item: Item) -> Item:
        return {**item, "title": item["name"]}

    def migrate_to_3(self, item: Item) -> Item:
        item["title"] = item["title"].strip()
        del item["name"]
        return item


class Film(dw.Model, table="films", migrations=VersionedMigrations):
    id: Attr[str] = partition_key()
    title: Attr[str]
    seen: Attr[int] = attr(default=0)
    schema: Attr[int] = attr(default=3)


class AccountMigrations(dw.Migrations):
    def check_1(self, item: Item) -> bool:
        return "money" in item

    def check_2(self, item: Item) -> bool:
        return "balance" in item

    def migrate_to_2(self, item: Item) -> Item:
        item["balance"] = item.pop("money")
        item["owner"] = item["owner"].title()
        return item


class Account(dw.Model, table="accounts", migrations=AccountMigrations):
    id: Attr[str] = partition_key()
    balance: Attr[int]
    owner: Attr[str] = attr(immutable=True)
    lock: Attr[int] = dw.version()
    changed: Attr[datetime | None] = dw.updated_at(clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
