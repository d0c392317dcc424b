"""Tables of classes that are not ours: what checkers know of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict, assert_type

import attrs
import msgspec

from dynawire import GlobalIndex, Key, Table, attr, connect


@dataclass
class Book:
    isbn: str
    title: str


@attrs.define
class Author:
    name: str


class Event(msgspec.Struct):
    id: str


class Row(TypedDict):
    id: str


db = connect("memory:")
books = db.table(
    Book,
    name="books",
    partition_key="isbn",
    sort_key="title",
    indexes={"by_title": GlobalIndex("title")},
    attributes={"title": attr(name="t")},
    stream="KEYS_ONLY",
)
assert_type(books, Table[Book])
assert_type(books.get("1", "x"), Book | None)
assert_type(books.get_one("1", "x"), Book)
assert_type(books.query("1").all(), list[Book])
assert_type(books.index("by_title").query("x").first(), Book | None)
assert_type(books.update(Book("1", "x"), title="y"), Book)
assert_type(books.key("1", "x"), Key[Book])
assert_type(books.save(Book("1", "x")), bool)
books.scan(books.paths.title.begins_with("x") | (books.paths["isbn"] == "1"))
assert_type(db.table(Author, name="authors", partition_key="name").get("x"), Author | None)
assert_type(db.table(Event, name="events", partition_key="id").get("x"), Event | None)
rows = db.table(Row, name="rows", partition_key="id")
assert_type(rows.get("x"), Row | None)
rows.put({"id": "1"})
with db.transaction() as tx:
    tx.put({"id": "1"}, table=rows)
db.create_tables(books, rows, Author)
