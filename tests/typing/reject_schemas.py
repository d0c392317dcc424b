"""What may not be written with classes that have a schema, as far as their attributes are annotated."""

from __future__ import annotations

from dynawire import Attr, partition_key
from dynawire.marshmallow import MarshmallowModel


class Book(MarshmallowModel, table="books", schema=object):
    isbn: Attr[str] = partition_key()
    pages: Attr[int]


class Lazy(MarshmallowModel, table="lazy", load="lazily"):  # error: arg-type
    pass


book = Book(isbn="1")
Book("1")  # error: call-arg
book.pages = "3"  # error: assignment
Book.pages > "3"  # error: operator
Book.titel  # error: attr-defined
number: int = book.isbn  # error: assignment
book.save(condtion=None)  # error: call-arg
