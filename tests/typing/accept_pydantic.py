"""Pydantic models that are items: what checkers know of them."""

from __future__ import annotations

from typing import Annotated, assert_type

from pydantic import BaseModel, Field, computed_field

from dynawire import GlobalIndex, Key, Table, attr, connect, partition_key, sort_key
from dynawire.pydantic import PydanticModel


class Part(BaseModel):
    x: int = 0


class Book(PydanticModel, table="books", load="trust", stream="KEYS_ONLY"):
    isbn: str = partition_key()
    number: int = sort_key()
    title: Annotated[str, attr(name="t")]
    author: str = attr(name="a")
    pages: int = Field(default=0, ge=0)
    part: Part | None = None

    by_title = GlobalIndex("title")

    @computed_field
    def label(self) -> str:
        return self.title


class Longer(Book, table="longer"):
    more: str = ""


db = connect("memory:")
book = Book(isbn="1", number=1, title="x", author="y")
assert_type(book.pages, int)
assert_type(Book.get("1", 1), Book | None)
assert_type(Longer.get_one("1", 1), Longer)
assert_type(Book.query("1").all(), list[Book])
assert_type(Book.key("1", 1), Key[Book])
assert_type(book.save(), bool)
assert_type(book.update(pages=3), Book)
assert_type(db.table(Book), Table[Book])
assert_type(Book.by_title.query("x").first(), Book | None)
assert_type(book.model_copy(), Book)
Book.scan((Book.paths.pages > 3) & Book.paths["title"].exists())
book.update(Book.paths.pages.add(1), condition=Book.paths.title == "x")
Longer(isbn="1", number=1, title="x", author="y", more="z").insert()
