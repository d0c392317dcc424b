"""What may not be written with tables of classes that are not ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from dynawire import connect


@dataclass
class Book:
    isbn: str


class Row(TypedDict):
    id: str


db = connect("memory:")
books = db.table(Book, name="books", partition_key="isbn")
rows = db.table(Row, name="rows", partition_key="id")

books.put("x")  # error: arg-type
books.insert({"isbn": "1"})  # error: arg-type
rows.put({"id": 1})  # error
rows.put({"no": "1"})  # error
db.table(Book, name="books")  # error: call-overload
db.table(Book, name="books", partition_key="isbn", stream="ALL")  # error
db.table(Book, name="books", partition_key="isbn", biling="x")  # error: call-overload
number: int = books.get("1")  # error: assignment
