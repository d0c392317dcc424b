"""The same book, written with each library; what differs between them is told by flags."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, NotRequired, TypedDict

import attrs
import marshmallow
import msgspec
import pydantic
import pydantic.dataclasses
from marshmallow import fields, post_load

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, attr, partition_key, sort_key
from dynawire.marshmallow import MarshmallowModel, Set
from dynawire.pydantic import PydanticModel
from tests.support.schematics_here import WITHOUT_SCHEMATICS

BY_AUTHOR = {"by_author": GlobalIndex("author", "title")}
NAMES = {"title": attr(name="t")}


class Library:
    """Books of one library.

    Attributes:
        knows_new: whether save() puts a new instance.
        tracked: whether save() knows what an instance was loaded from.
        frozen: whether instances can't be changed.
        wrong: what is no text.
    """

    wrong: Any = 5
    knows_new = False
    tracked = True
    frozen = False
    cls: Any = None
    address: Any = None

    def __init__(self, db: dw.Database) -> None:
        self.table: dw.Table[Any] = self.placed(db)

    def placed(self, db: dw.Database) -> dw.Table[Any]:
        return db.table(
            self.cls, name="books", partition_key="shelf", sort_key="number", indexes=BY_AUTHOR, attributes=NAMES
        )

    def make(self, **values: Any) -> Any:
        return self.cls(**{"shelf": "A", "number": 1, "title": "One", "author": "Ann"} | values)

    def get(self, book: Any, name: str) -> Any:
        return getattr(book, name)

    def set(self, book: Any, name: str, value: Any) -> None:
        setattr(book, name, value)


class NativeAddress(msgspec.Struct):
    city: str
    zip: str = ""


class NativeBook(Model, table="books"):
    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    title: Attr[str] = attr(name="t")
    author: Attr[str]
    pages: Attr[int] = attr(default=0)
    tags: Attr[set[str]] = attr(default_factory=set)
    note: Attr[str | None] = attr(default=None)
    address: Attr[NativeAddress | None] = attr(default=None)

    by_author = GlobalIndex("author", "title")


class Native(Library):
    knows_new = True
    cls = NativeBook
    address = NativeAddress

    def placed(self, db: dw.Database) -> dw.Table[Any]:
        return db.table(NativeBook)


@dataclasses.dataclass
class DataAddress:
    city: str
    zip: str = ""


@dataclasses.dataclass
class DataBook:
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: set[str] = dataclasses.field(default_factory=set)
    note: str | None = None
    address: DataAddress | None = None


class Dataclass(Library):
    cls = DataBook
    address = DataAddress


@dataclasses.dataclass(frozen=True)
class FrozenDataBook:
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: frozenset[str] = frozenset()
    note: str | None = None
    address: DataAddress | None = None


class FrozenDataclass(Library):
    frozen = True
    cls = FrozenDataBook
    address = DataAddress


@dataclasses.dataclass(slots=True)
class SlottedDataBook:
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: set[str] = dataclasses.field(default_factory=set)
    note: str | None = None
    address: DataAddress | None = None


class SlottedDataclass(Library):
    tracked = False
    cls = SlottedDataBook
    address = DataAddress


@attrs.define
class AttrsAddress:
    city: str
    zip: str = ""


@attrs.define
class AttrsBook:
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: set[str] = attrs.field(factory=set)
    note: str | None = None
    address: AttrsAddress | None = None


class Attrs(Library):
    cls = AttrsBook
    address = AttrsAddress


@attrs.frozen
class FrozenAttrsBook:
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: frozenset[str] = frozenset()
    note: str | None = None
    address: AttrsAddress | None = None


class FrozenAttrs(Library):
    frozen = True
    cls = FrozenAttrsBook
    address = AttrsAddress


class StructBook(msgspec.Struct):
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: set[str] = set()
    note: str | None = None
    address: NativeAddress | None = None


class Struct(Library):
    tracked = False
    cls = StructBook
    address = NativeAddress


class WeakStructBook(msgspec.Struct, weakref=True):
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: set[str] = set()
    note: str | None = None
    address: NativeAddress | None = None


class WeakStruct(Library):
    cls = WeakStructBook
    address = NativeAddress


class DictAddress(TypedDict):
    city: str
    zip: str


class DictBook(TypedDict):
    shelf: str
    number: int
    title: str
    author: str
    pages: NotRequired[int]
    tags: NotRequired[set[str]]
    note: NotRequired[str | None]
    address: NotRequired[DictAddress | None]


class Dict(Library):
    tracked = False
    cls = DictBook

    @staticmethod
    def address(city: str) -> Any:
        return {"city": city, "zip": ""}

    def get(self, book: Any, name: str) -> Any:
        absent: dict[str, Callable[[], Any]] = {"pages": int, "tags": set}
        return book[name] if name in book else absent.get(name, lambda: None)()

    def set(self, book: Any, name: str, value: Any) -> None:
        book[name] = value


class PydanticAddress(pydantic.BaseModel):
    city: str
    zip: str = ""


class PydanticBook(PydanticModel, table="books"):
    shelf: str = partition_key()
    number: int = sort_key()
    title: str = attr(name="t")
    author: str
    pages: int = 0
    tags: set[str] = pydantic.Field(default_factory=set)
    note: str | None = None
    address: PydanticAddress | None = None

    by_author = GlobalIndex("author", "title")


class Pydantic(Library):
    knows_new = True
    cls = PydanticBook

    @staticmethod
    def address(city: str) -> PydanticAddress:
        return PydanticAddress(city=city)

    def placed(self, db: dw.Database) -> dw.Table[Any]:
        return db.table(self.cls)


class TrustingPydanticBook(PydanticBook, table="books", load="trust"):
    pass


class TrustingPydantic(Pydantic):
    cls = TrustingPydanticBook


class FrozenPydanticBook(PydanticBook, table="books", frozen=True):
    pass


class FrozenPydantic(Pydantic):
    frozen = True
    cls = FrozenPydanticBook


class PlainPydanticBook(pydantic.BaseModel):
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: set[str] = pydantic.Field(default_factory=set)
    note: str | None = None
    address: PydanticAddress | None = None


class PlainPydantic(Library):
    cls = PlainPydanticBook

    @staticmethod
    def address(city: str) -> PydanticAddress:
        return PydanticAddress(city=city)


class CheckingPydanticBook(PlainPydanticBook, validate_assignment=True):
    pass


class CheckingPydantic(PlainPydantic):
    cls = CheckingPydanticBook

    def set(self, book: Any, name: str, value: Any) -> None:
        if value is self.wrong:
            book.__dict__[name] = value  # it would not take it otherwise
        else:
            setattr(book, name, value)


class FrozenPlainPydanticBook(PlainPydanticBook, frozen=True):
    pass


class FrozenPlainPydantic(PlainPydantic):
    frozen = True
    cls = FrozenPlainPydanticBook


@pydantic.dataclasses.dataclass
class PydanticDataBook:
    shelf: str
    number: int
    title: str
    author: str
    pages: int = 0
    tags: set[str] = pydantic.Field(default_factory=set)
    note: str | None = pydantic.Field(default=None)
    address: DataAddress | None = None


class PydanticDataclass(Library):
    cls = PydanticDataBook
    address = DataAddress


class AddressSchema(marshmallow.Schema):
    city = fields.Str(required=True)
    zip = fields.Str(load_default="")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> DataAddress:
        return DataAddress(**data)


class BookSchema(marshmallow.Schema):
    shelf = fields.Str(required=True)
    number = fields.Int(required=True)
    title = fields.Str(required=True, data_key="t")
    author = fields.Str(required=True)
    pages = fields.Int(load_default=0)
    tags = Set(fields.Str())
    note = fields.Str(load_default=None)
    address = fields.Nested(AddressSchema)


class MarshmallowBook(MarshmallowModel, table="books", schema=BookSchema):
    shelf = partition_key()
    number = sort_key()

    by_author = GlobalIndex("author", "title")


class Marshmallow(Library):
    knows_new = True
    cls = MarshmallowBook
    address = DataAddress

    def placed(self, db: dw.Database) -> dw.Table[Any]:
        return db.table(self.cls)


class TrustingMarshmallowBook(MarshmallowModel, table="books", load="trust"):
    """Its schema is written inside, and nothing in it knows of dynawire."""

    class Schema:
        shelf = fields.String(required=True)
        number = fields.Integer(required=True)
        title = fields.String(required=True)
        author = fields.String(required=True)
        pages = fields.Integer(load_default=0)
        tags = Set(fields.String())
        note = fields.String()
        address = fields.Nested(AddressSchema)

    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    title: Attr[str] = attr(name="t")

    by_author = GlobalIndex("author", "title")


class TrustingMarshmallow(Marshmallow):
    cls = TrustingMarshmallowBook


LIBRARIES: list[type[Library]] = [
    Native,
    Pydantic,
    TrustingPydantic,
    FrozenPydantic,
    PlainPydantic,
    CheckingPydantic,
    FrozenPlainPydantic,
    PydanticDataclass,
    Dataclass,
    FrozenDataclass,
    SlottedDataclass,
    Attrs,
    FrozenAttrs,
    Struct,
    WeakStruct,
    Dict,
    Marshmallow,
    TrustingMarshmallow,
]

if WITHOUT_SCHEMATICS is None:
    from tests.adapters.schematics_library import Schematics, TrustingSchematics

    LIBRARIES += [Schematics, TrustingSchematics]
