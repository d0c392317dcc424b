"""Declaring tables for classes that are not ours: what is refused, what is left alone, what is remembered."""

from __future__ import annotations

import copy
import dataclasses
import gc
import json
import pickle
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, NotRequired, TypedDict

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest

import dynawire as dw
from dynawire import GlobalIndex, LocalIndex, SchemaError, attr, partition_key, version
from dynawire.mapping.adapters.tracking import Tracker

if TYPE_CHECKING:
    from decimal import Decimal


@dataclasses.dataclass
class Inner:
    city: str


@dataclasses.dataclass
class Book:
    isbn: str
    title: str
    pages: int = 0
    inner: Inner | None = None


class Plain:
    isbn: str


class Row(NamedTuple):
    isbn: str


class Loose(TypedDict):
    isbn: NotRequired[str]


@dataclasses.dataclass
class Unfinished:
    isbn: str
    price: Decimal


@pytest.mark.parametrize(
    ("cls", "declaration", "said"),
    [
        (Book, {"partition_key": "isbn"}, "needs name="),
        (Book, {"name": "books"}, "needs partition_key="),
        (Book, {"name": "b", "partition_key": "isbn"}, "a table name has"),
        (Book, {"name": "books", "partition_key": "isbm"}, "did you mean 'isbn'"),
        (Book, {"name": "books", "partition_key": "isbn", "sort_key": "titel"}, "did you mean 'title'"),
        (Book, {"name": "books", "partition_key": "isbn", "sort_key": "isbn"}, "both partition_key= and sort_key="),
        (Book, {"name": "books", "partition_key": "inner"}, "inner"),
        (Book, {"name": "books", "partition_key": "isbn", "attributes": {"titel": attr()}}, "did you mean 'title'"),
        (Book, {"name": "books", "partition_key": "isbn", "attributes": {"title": "t"}}, r"takes attr\("),
        (
            Book,
            {"name": "books", "partition_key": "isbn", "attributes": {"title": partition_key()}},
            "write partition_key='title' beside attributes=",
        ),
        (Book, {"name": "books", "partition_key": "isbn", "attributes": {"title": attr(default=[])}}, "share"),
        (Book, {"name": "books", "partition_key": "isbn", "attributes": {"title": attr(name="pages")}}, "both stored"),
        (Book, {"name": "books", "partition_key": "isbn", "attributes": {"title": attr(ge=3)}}, "title"),
        (Book, {"name": "books", "partition_key": "isbn", "indexes": {"x": "title"}}, "takes a GlobalIndex"),
        (
            Book,
            {"name": "books", "partition_key": "isbn", "indexes": {"by_title": GlobalIndex("titel")}},
            "did you mean",
        ),
        (
            Book,
            {"name": "books", "partition_key": "isbn", "indexes": {"by_title": GlobalIndex(())}},
            "needs a partition key",
        ),
        (Book, {"name": "books", "partition_key": "isbn", "indexes": {"by_title": LocalIndex("title")}}, "sort key"),
        (Book, {"name": "books", "partition_key": "isbn", "biling": "PROVISIONED"}, "did you mean 'billing'"),
        (Book, {"name": "books", "partition_key": "isbn", "billing": "x"}, "billing"),
        (Plain, {"name": "books", "partition_key": "isbn"}, "no dataclass, attrs class"),
        (Row, {"name": "books", "partition_key": "isbn"}, "no dataclass, attrs class"),
        (3, {"name": "books", "partition_key": "isbn"}, "no dataclass, attrs class"),
        (Loose, {"name": "books", "partition_key": "isbn"}, "can't be NotRequired"),
        (Unfinished, {"name": "books", "partition_key": "isbn"}, "names Decimal, which is not defined"),
    ],
)
def test_a_wrong_declaration_is_refused(db: dw.Database, cls: Any, declaration: dict[str, Any], said: str) -> None:
    with pytest.raises(dw.SchemaError, match=said):
        db.table(cls, **declaration)


def test_a_model_says_its_table_itself(db: dw.Database) -> None:
    class Note(dw.Model, table="notes"):
        id: dw.Attr[str] = partition_key()

    with pytest.raises(dw.SchemaError, match=r"write db.table\(Note\)"):
        db.table(Note, name="books", partition_key="id")


def test_a_class_without_declaration(db: dw.Database) -> None:
    with pytest.raises(dw.SchemaError, match=r"db.table\(Book, name="):
        db.table(Book)


def test_nothing_is_added_to_the_class(db: dw.Database) -> None:
    for cls in (Book, Loose):
        before = dict(vars(cls))
        key = "isbn" if cls is Book else "id"
        if cls is Loose:

            class Tight(TypedDict):
                id: str

            cls, before = Tight, dict(vars(Tight))
        table = db.table(cls, name=f"{key}-books", partition_key=key)
        table.create()
        assert table.params.get("x")
        assert dict(vars(cls)) == before
        assert table.model is cls


def test_the_same_declaration_gives_the_same_table(db: dw.Database) -> None:
    def declared(**more: Any) -> dw.Table[Book]:
        return db.table(
            Book,
            name="books",
            partition_key="isbn",
            indexes={"by_title": GlobalIndex("title")},
            attributes={"title": attr(name="t")},
            **more,
        )

    books = declared()
    assert declared() is books
    assert db.table(Book) is books
    with pytest.raises(dw.SchemaError, match="not in the same way"):
        declared(stream="KEYS_ONLY")


def test_a_class_may_have_several_tables(db: dw.Database) -> None:
    books = db.table(Book, name="books", partition_key="isbn")
    archive = db.table(Book, name="archive", partition_key="isbn", attributes={"title": attr(name="t")})
    assert db.create_tables(books, archive) == ["books", "archive"]
    with pytest.raises(dw.SchemaError, match=r"several tables \(books, archive\)"):
        db.table(Book)
    book = Book("1", "One")
    books.insert(book)
    with pytest.raises(dw.ValidationError, match="neither loaded nor wrote it"):
        archive.save(book)
    with pytest.raises(dw.SchemaError, match="several tables"), db.transaction() as tx:
        tx.put(book)
    with db.transaction() as tx:
        tx.put(book, table=archive)
        tx.delete(books.key("1"))
    assert db.transact_get(books.key("1"), archive.key("1")) == (None, book)
    with pytest.raises(dw.ValidationError, match="of the table books, not of archive"):
        archive.delete(books.key("1"))
    with pytest.raises(dw.ExpressionError, match="another table of the class Book"):
        archive.scan(books.paths.title == "x").all()
    assert archive.scan(archive.paths.title == "One").all() == [book]
    assert db.drop_tables(archive) == ["archive"]


def test_tables_of_another_database_are_refused(db: dw.Database) -> None:
    with dw.connect("memory:", table_prefix="other-") as other:
        books = other.table(Book, name="books", partition_key="isbn")
        assert books.name == "other-books"
        with pytest.raises(dw.SchemaError, match="another database"):
            db.create_tables(books)
        with pytest.raises(dw.ExpressionError, match="another database"), db.transaction() as tx:
            tx.put(Book("1", "One"), table=books)


def test_a_dict_does_not_tell_its_table(db: dw.Database) -> None:
    with pytest.raises(dw.ExpressionError, match=r"table=\.\.\."), db.transaction() as tx:
        tx.put({"id": "1"})


def test_a_dict_may_have_no_other_members(db: dw.Database) -> None:
    class Tight(TypedDict):
        id: str

    table = db.table(Tight, name="tight", partition_key="id")
    with pytest.raises(dw.ValidationError, match="a member which Tight does not have; it has id"):
        table.put({"id": "1", "more": 2})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(dw.ValidationError, match="is missing"):
        table.put({})  # type: ignore[typeddict-item]
    with pytest.raises(dw.ValidationError):
        table.delete({})  # type: ignore[typeddict-item]


def test_classes_made_in_a_function_may_name_each_other(db: dw.Database) -> None:
    @dataclasses.dataclass
    class Part:
        name: str
        parts: list[Part] = dataclasses.field(default_factory=list)

    @dataclasses.dataclass
    class Whole:
        id: int
        part: Part

    table = db.table(Whole, name="wholes", partition_key="id")
    table.create()
    whole = Whole(1, Part("a", [Part("b")]))
    table.put(whole)
    assert table.get(1) == whole
    assert table.paths.part.name.begins_with("a") is not None


def test_limits_and_defaults_given_beside_the_class(db: dw.Database) -> None:
    table = db.table(
        Book, name="books", partition_key="isbn", attributes={"title": attr(min_length=2, default_factory=lambda: "-")}
    )
    table.create()
    with pytest.raises(dw.ValidationError, match="title"):
        table.put(Book("1", "x"))
    db.engine.send("PutItem", b'{"TableName": "books", "Item": {"isbn": {"S": "2"}}}')
    assert table.get("2") == Book("2", "-")


@dataclasses.dataclass
class Checked:
    id: str
    upper: str = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        if not self.id:
            raise ValueError("low is above pages")
        self.upper = self.id.upper()


def test_post_init_runs_when_an_item_is_read(db: dw.Database) -> None:
    table = db.table(Checked, name="checked", partition_key="id")
    table.create()
    table.put(Checked("a"))
    book = table.get_one("a")
    assert book.upper == "A"
    assert table.save(book) is False


def test_a_struct_keeps_its_own_names_and_tag(db: dw.Database) -> None:
    class Event(msgspec.Struct, rename="camel", tag="event", weakref=True):
        event_id: str
        seen_at: int = 0

    table = db.table(Event, name="events", partition_key="event_id")
    table.create()
    event = Event("1")
    table.put(event)
    assert table.params.put(event)["Item"]["eventId"] == {"S": "1"}
    event.seen_at = 2
    table.save(event)
    assert table.get("1") == event


def test_attrs_with_private_names_and_converters(db: dw.Database) -> None:
    @attrs.define
    class Counted:
        id: str
        _count: int = attrs.field(converter=int, default=0)

    table = db.table(Counted, name="counted", partition_key="id")
    table.create()
    table.put(Counted("a", count="3"))
    assert table.get("a") == Counted("a", count=3)


# ---------------------------------------------------------------------- what is remembered


def test_a_copy_is_another_instance(db: dw.Database) -> None:
    table = db.table(Book, name="books", partition_key="isbn")
    table.create()
    book = Book("1", "One")
    table.insert(book)
    for other in (copy.copy(book), copy.deepcopy(book), dataclasses.replace(book), pickle.loads(pickle.dumps(book))):
        with pytest.raises(dw.ValidationError, match="a copy is another instance"):
            table.save(other)


def test_what_was_loaded_goes_with_the_instance() -> None:
    tracker = Tracker()
    books = [Book(str(number), "x") for number in range(10)]
    for number, book in enumerate(books):
        tracker.keep(book, number)
        tracker.keep(book, -number)
    assert [tracker.kept(book) for book in books] == [-number for number in range(10)]
    assert tracker.kept(Book("0", "x")) is None
    del book, books[5:]
    gc.collect()
    assert len(tracker) == 5
    assert [tracker.kept(book) for book in books] == [0, -1, -2, -3, -4]


def test_equal_and_unhashable_instances_are_told_apart() -> None:
    tracker = Tracker()
    one, same = Book("1", "x"), Book("1", "x")
    tracker.keep(one, "one")
    assert tracker.kept(same) is None
    tracker.keep(same, "same")
    assert (tracker.kept(one), tracker.kept(same)) == ("one", "same")


def test_text_where_the_class_belongs() -> None:
    with dw.connect("memory:") as db, pytest.raises(dw.UsageError, match=r"takes a class, not text"):
        db.table("Book", name="books", partition_key="isbn")  # type: ignore[type-var, unused-ignore]


class Careful(pydantic.BaseModel, validate_assignment=True):
    id: str
    pages: int = pydantic.Field(default=0, ge=0)
    kept: int = pydantic.Field(default=0, frozen=True)
    low: int = 0
    title: str = pydantic.Field(default="", alias="Title")
    _seen: int = pydantic.PrivateAttr(default=7)

    @pydantic.model_validator(mode="after")
    def in_order(self) -> Any:
        if self.low > self.pages:
            raise ValueError("low is above pages")
        return self

    @pydantic.computed_field
    def twice(self) -> int:
        return 2 * self.pages


@attrs.define
class Guarded:
    id: str
    pages: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    kept: int = attrs.field(default=0, on_setattr=attrs.setters.frozen)


@pydantic.dataclasses.dataclass(config={"validate_assignment": True})
class CarefulData:
    id: str
    pages: int = pydantic.Field(default=0, ge=0, validation_alias="Pages")
    kept: int = pydantic.Field(default=0, frozen=True)
    title: str = ""


@pytest.mark.parametrize("cls", [Careful, Guarded, CarefulData])
def test_what_is_stored_is_taken_over_past_what_guards_assignments(db: dw.Database, cls: Any) -> None:
    """The write is done by then: an error would say that it is not, and hold the value."""
    table = db.table(cls, name="careful", partition_key="id")
    table.create()
    one = cls(id="1")
    table.insert(one)
    assert table.update(one, pages=5, kept=3) is one
    assert (one.pages, one.kept) == (5, 3)
    with db.transaction() as tx:
        tx.update(one, kept=4)
    assert one.kept == 4
    assert table.get_one("1") == one
    with pytest.raises(dw.DecodeError) as caught:
        table.update(one, pages=-1)
    assert "-1" not in str(caught.value)
    assert one.pages == 5


def test_a_plain_pydantic_model(db: dw.Database) -> None:
    table = db.table(Careful, name="careful", partition_key="id", attributes={"low": attr(name="l")})
    table.create()
    one = Careful(id="1", pages=3, low=2, Title="One")
    table.insert(one)
    assert table.get_one("1").title == "One"
    stored = json.loads(db.engine.send("GetItem", b'{"TableName":"careful","Key":{"id":{"S":"1"}}}'))["Item"]
    assert stored.keys() == {"id", "pages", "kept", "l", "title"}  # by field name; nothing computed or private
    one.title = "Two"
    assert table.save(one) is True
    with pytest.raises(dw.ValidationError, match=r"a copy is another instance"):
        table.save(one.model_copy(update={"title": "Three"}))
    with pytest.raises(dw.DecodeError, match=r"Careful: Value error, low is above pages"):
        table.update(table.key("1"), table.paths.low.set(9))


class Said(pydantic.BaseModel):
    id: str
    v: Annotated[int, version()] = 0
    name: Annotated[str, attr(name="n", min_length=1)] = "x"


def test_a_plain_pydantic_model_says_more_inside_annotated(db: dw.Database) -> None:
    table = db.table(Said, name="said", partition_key="id")
    table.create()
    one = Said(id="1")
    table.insert(one)
    other = table.get_one("1")
    assert one.v == 1
    one.name = "y"
    table.save(one)
    other.name = "z"
    with pytest.raises(dw.VersionConflict):
        table.save(other)
    with pytest.raises(dw.ValidationError):
        table.update(one, name="")
    assert table.params.get("1")["Key"] == {"id": {"S": "1"}}


def test_what_a_plain_pydantic_model_can_not_be(db: dw.Database) -> None:
    class Loose(pydantic.BaseModel, extra="allow"):
        id: str

    class Root(pydantic.RootModel[list[int]]):
        pass

    with pytest.raises(SchemaError, match=r"Loose: extra='allow' lets an instance hold what the class does not know"):
        db.table(Loose, name="loose", partition_key="id")
    with pytest.raises(SchemaError, match=r"Root can't be mapped to a table"):
        db.table(Root, name="root", partition_key="id")
    with pytest.raises(SchemaError, match=r"unknown keyword 'load'"):
        db.table(Said, name="said", partition_key="id", load="trust")
