"""What may not be written with pydantic models that are items."""

from __future__ import annotations

from pydantic import Field

from dynawire import partition_key
from dynawire.pydantic import PydanticModel


class Book(PydanticModel, table="books"):
    isbn: str = partition_key()
    pages: int = Field(default=0, ge=0)


Book()  # error: call-arg
Book(isbn=1)  # error: arg-type
Book(isbn="1", pagez=1)  # error: call-arg
Book.titel  # error: attr-defined
number: int = Book.get("1")  # error: assignment
Book(isbn="1").save(condtion=None)  # error: call-arg
