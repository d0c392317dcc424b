"""Classes with a schema of marshmallow or schematics: what checkers know of the attributes that are annotated."""

from __future__ import annotations

from typing import assert_type

from marshmallow import fields

from dynawire import Attr, GlobalIndex, IndexMap, Key, Path, SingleTable, Table, attr, connect, partition_key, version
from dynawire.marshmallow import MarshmallowModel, Set
from dynawire.schematics import SchematicsModel


class Book(MarshmallowModel, table="books", load="trust", stream="KEYS_ONLY"):
    class Schema:
        isbn = fields.Str(required=True)
        title = fields.Str()
        pages = fields.Int(load_default=0)
        tags = Set(fields.Str())
        v = fields.Int()

    isbn: Attr[str] = partition_key()
    title: Attr[str | None] = attr(name="t")
    pages: Attr[int]
    tags: Attr[set[str]]
    v: Attr[int] = version()

    by_title = GlobalIndex("title")


class Other(SchematicsModel, table="others", schema=Book.Schema):
    isbn: Attr[str] = partition_key()


shop = SingleTable("shop", global_indexes=1)


class Order(MarshmallowModel, table=shop, pk="USER#{user}", sk="ORDER#{number}", kind="order"):
    class Schema:
        user = fields.Str(required=True)
        number = fields.Int(required=True)

    user: Attr[str]
    number: Attr[int]

    by_number = IndexMap("gsi0", pk="NUMBER#{number}", sk="{user}")


class Line(SchematicsModel, table=shop, pk="USER#{user}", sk="LINE", schema=Order.Schema):
    pass


assert_type(Order.get(user="1", number=1), Order | None)
assert_type(shop.collection(Order).query(user="1").of(Order), list[Order])

db = connect("memory:")
book = Book(isbn="1", title="x", pages="3")
assert_type(book.pages, int)
assert_type(book.title, str | None)
assert_type(Book.pages, Path[int])
assert_type(Book.get("1"), Book | None)
assert_type(Book.query("1").all(), list[Book])
assert_type(Book.key("1"), Key[Book])
assert_type(book.update(Book.pages.add(1), Book.tags.add({"x"})), Book)
assert_type(db.table(Book), Table[Book])
Book.scan((Book.pages > 3) & Book.paths.title.exists())
book.pages = 4
assert_type(Other.get_one("1").isbn, str)
