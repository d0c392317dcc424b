"""Conflicts found without a version: the stored item must be as the instance was loaded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynawire as dw
from dynawire import Attr, Model, attr, hooks, partition_key, sort_key, version
from tests.support.databases import Twins, case, raw, raw_update, recorded, stored_item

LOADED: Any = {"check": "loaded"}


class Author(msgspec.Struct):
    name: str
    born: float = 0.0


class Book(Model, table="books"):
    isbn: Attr[str] = partition_key()
    edition: Attr[int] = sort_key(default=1)
    title: Attr[str] = attr(default="", name="t")
    copies: Attr[int] = attr(default=0)
    price: Attr[float] = attr(default=0.0)
    printed: Attr[datetime | None] = attr(default=None)
    serial: Attr[UUID | None] = attr(default=None)
    cost: Attr[Decimal] = attr(default=Decimal(0))
    tags: Attr[set[str]] = attr(default_factory=set)
    pages: Attr[list[float]] = attr(default_factory=list)
    author: Attr[Author | None] = attr(default=None)
    data: Attr[bytes | None] = attr(default=None)


class Counted(Model, table="counted"):
    id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    v: Attr[int] = version()


@pytest.fixture(params=["memory", pytest.param("dynamodb_local", marks=pytest.mark.dynamodb_local)])
def url(request: pytest.FixtureRequest) -> str:
    """One engine of each making: what is tested here is what the service compares."""
    return "memory:" if request.param == "memory" else str(request.getfixturevalue("dynamodb_local"))


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Book, Counted)


def loaded(twin: Twins, **values: Any) -> Any:
    twin(Book(isbn="1", **values)).put()
    found = twin(Book).get("1", 1)
    recorded(dw.database.table_of(Book).database).clear()
    return found


def save(twin: Twins, book: Any, **options: Any) -> Any:
    book.title = "mine"
    return twin(book).save(check="loaded", **options)


def within(twin: Twins, name: str, book: Any) -> None:
    if name == "save":
        book.title = "mine"
    database = dw.database.table_of(Book).database
    twin.within(database.transaction(), lambda tx: getattr(tx, name)(book, check="loaded"))


WRITES: dict[str, Callable[[Twins, Any], Any]] = {
    "save": save,
    "save once": lambda twin, book: save(twin, book, exactly_once=True),
    "save with condition": lambda twin, book: save(twin, book, condition=Book.isbn == "1"),
    "put": lambda twin, book: twin(book).put(check="loaded"),
    "put once": lambda twin, book: twin(book).put(check="loaded", exactly_once=True),
    "put returning": lambda twin, book: twin(book).put(check="loaded", return_old=True),
    "delete": lambda twin, book: twin(book).delete(check="loaded"),
    "delete what must be there": lambda twin, book: twin(book).delete(check="loaded", must_exist=True),
    "save in a transaction": lambda twin, book: within(twin, "save", book),
    "put in a transaction": lambda twin, book: within(twin, "put", book),
    "delete in a transaction": lambda twin, book: within(twin, "delete", book),
}

FULL: dict[str, Any] = {
    "title": "x",
    "copies": 3,
    "price": 0.1,
    "printed": datetime(2026, 1, 2, tzinfo=UTC),
    "serial": UUID(int=7),
    "cost": Decimal("1.50"),
    "tags": {"a", "b"},
    "pages": [1.0, 2.5],
    "author": Author("ann", 1.5),
    "data": b"\x00\xff",
}

CHANGES: dict[str, tuple[str, dict[str, Any], str]] = {
    "number": ("SET #copies = :v", {"v": {"N": "4"}}, "copies"),
    "text": ("SET #t = :v", {"v": {"S": "y"}}, "title"),
    "removed": ("REMOVE #printed", {}, "printed"),
    "nested": ("SET #author.#name = :v", {"v": {"S": "bob"}}, "author"),
    "set": ("ADD #tags :v", {"v": {"SS": ["c"]}}, "tags"),
    "other type": ("SET #copies = :v", {"v": {"S": "many"}}, "copies"),
}


def conflict(call: Callable[[], Any]) -> dw.ItemChanged:
    with pytest.raises((dw.ItemChanged, dw.TransactionCancelled)) as caught:
        call()
    error: Any = caught.value
    if isinstance(error, dw.TransactionCancelled):
        (error,) = error.reasons
    assert isinstance(error, dw.ItemChanged)
    return error


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_another_changed_is_not_overwritten(
    db: dw.Database, twin: Twins, write: Callable[[Twins, Any], Any]
) -> None:
    for change, (expression, values, attribute) in CHANGES.items():
        book = loaded(twin, **FULL)
        raw_update(db, book, expression, **values)
        now = stored_item(db, book)
        error = conflict(lambda book=book: write(twin, book))
        assert error.changed[0].startswith(attribute), change
        assert f"another writer changed {attribute}" in error.message
        assert stored_item(db, book) == now
        assert (error.item is None) == (change == "other type")
        assert error.wire_item is not None
        assert len(recorded(db).sent) == 1


def unordered(item: dict[str, Any] | None) -> dict[str, Any]:
    """An item whose sets are compared as sets."""
    return {name: frozenset(one["SS"]) if "SS" in one else one for name, one in ({} if item is None else item).items()}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_what_nobody_changed_is_written(db: dw.Database, twin: Twins, write: Callable[[Twins, Any], Any]) -> None:
    for values in ({}, FULL):
        book = loaded(twin, **values)
        before = stored_item(db, book)
        write(twin, book)
        after = stored_item(db, book)
        assert after is None or after.get("t") == {"S": "mine"} or unordered(after) == unordered(before)
        assert len(recorded(db).sent) == 1


OTHER_FORMS = {
    "#price": {"N": "0.1000000000000000055511151231257827"},
    "#printed": {"S": "2026-01-02T01:00:00+01:00"},
    "#serial": {"S": "00000000-0000-0000-0000-00000000000A"},
    "#pages": {"L": [{"N": "1"}, {"N": "2.50000000000000000000001"}]},
    "#author": {"M": {"name": {"S": "ann"}, "born": {"N": "1.5"}, "unknown": {"S": "x"}}},
    "#extra": {"S": "of another program"},
    "#data": {"NULL": True},
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_another_form_of_the_same_is_no_conflict(
    db: dw.Database, twin: Twins, write: Callable[[Twins, Any], Any]
) -> None:
    book = loaded(twin, **FULL)
    expression = "SET " + ", ".join(f"{name} = :v{place}" for place, name in enumerate(OTHER_FORMS))
    raw_update(db, book, expression, **{f"v{place}": one for place, one in enumerate(OTHER_FORMS.values())})
    book = twin(Book).get("1", 1)
    assert book.price == 0.1
    recorded(db).clear()
    write(twin, book)
    # Refused once, and sent again with the stored form.
    assert len(recorded(db).sent) == 2
    tokens = [one.body.get("ClientRequestToken") for one in recorded(db).sent]
    assert tokens[0] is None or tokens[0] != tokens[1]

    book = loaded(twin, **FULL)
    raw_update(db, book, expression, **{f"v{place}": one for place, one in enumerate(OTHER_FORMS.values())})
    book = twin(Book).get("1", 1)
    raw_update(db, book, "SET #copies = :v", v={"N": "9"})
    assert conflict(lambda: write(twin, book)).changed == ("copies",)


def test_what_changes_between_the_two_is_a_conflict(db: dw.Database, twin: Twins) -> None:
    book = loaded(twin, price=0.1)
    raw_update(db, book, "SET #price = :p", p=OTHER_FORMS["#price"])
    book = twin(Book).get("1", 1)

    def change(body: Any) -> None:
        raw_update(db, Book(isbn="1"), "SET #copies = :v", v={"N": "9"})

    recorded(db).clear()
    recorded(db).answer("UpdateItem", lambda body: None, change)
    assert conflict(lambda: save(twin, book)).changed == ("copies",)


def test_after_a_write_the_instance_is_as_loaded(db: dw.Database, twin: Twins) -> None:
    book = Book(isbn="1", **FULL)
    twin(book).insert()
    for title in "ab":
        book.title = title
        assert twin(book).save(check="loaded") is True
    twin(book).update(Book.copies.add(2))
    twin(book).put(check="loaded")
    recorded(db).clear()
    assert twin(book).save(check="loaded") is False
    assert recorded(db).sent == []
    twin(book).delete(check="loaded")
    assert stored_item(db, book) is None


def test_a_new_instance_must_not_exist(twin: Twins, db: dw.Database) -> None:
    twin(Book(isbn="1")).save(check="loaded")
    twin(Book(isbn="2")).put(check="loaded")
    for write in (
        lambda: twin(Book(isbn="1")).save(check="loaded"),
        lambda: twin(Book(isbn="2")).put(check="loaded"),
        lambda: within(twin, "save", Book(isbn="1")),
    ):
        error = conflict(write)
        assert "is new, but an item with its key is stored" in error.message
        assert error.item is not None


def test_a_deleted_item(twin: Twins, db: dw.Database) -> None:
    book = loaded(twin, **FULL)
    twin(Book.key("1", 1)).delete()
    with pytest.raises(dw.ItemNotFound):
        save(twin, book)
    assert "was deleted since" in conflict(lambda: twin(book).put(check="loaded")).message
    # Wanted, and so.
    assert twin(book).delete(check="loaded") is None
    with pytest.raises(dw.ItemNotFound):
        twin(book).delete(check="loaded", must_exist=True)
    # An item of which nothing but the key was stored is gone too.
    bare = loaded(twin)
    raw_update(db, bare, "REMOVE #t, #copies, #price, #cost, #pages")
    bare = twin(Book).get("1", 1)
    twin(Book.key("1", 1)).delete()
    assert "was deleted since" in conflict(lambda: twin(bare).put(check="loaded")).message


def test_a_condition_of_ones_own_stays_one(twin: Twins, db: dw.Database) -> None:
    book = loaded(twin, **FULL)
    for call in (
        lambda: save(twin, book, condition=Book.copies > 100),
        lambda: twin(book).put(check="loaded", condition=Book.copies > 100),
        lambda: twin(book).delete(check="loaded", condition=Book.copies > 100),
    ):
        with pytest.raises(dw.ConditionFailed, match="the condition on this Book is false") as caught:
            call()
        assert type(caught.value) is dw.ConditionFailed


def test_together_with_a_version(twin: Twins, db: dw.Database) -> None:
    one = Counted(id="1")
    twin(one).insert()
    stale = twin(Counted).get_one("1")
    one.text = "a"
    assert twin(one).save(check="loaded") is True
    raw_update(db, one, "SET #text = :t", t={"S": "past the version"})
    one.text = "b"
    assert conflict(lambda: twin(one).save(check="loaded")).changed == ("text",)
    stale.text = "c"
    with pytest.raises(dw.VersionConflict):
        twin(stale).save(check="loaded")
    assert issubclass(dw.VersionConflict, dw.ItemChanged)


def test_with_a_hook_that_changes_what_is_loaded(twin: Twins, db: dw.Database) -> None:
    def rename(event: hooks.Event) -> None:
        assert event.item is not None
        if "old" in event.item:
            event.item["t"] = event.item.pop("old")

    book = loaded(twin, title="x")
    raw_update(db, book, "SET #old = :v REMOVE #t", v={"S": "y"})
    with hooks.before_load.connected(rename, sender=Book):
        book = twin(Book).get("1", 1)
        book.copies = 5
        twin(book).save(check="loaded")
        raw_update(db, book, "SET #old = :v", v={"S": "z"})
        book.copies = 6
        assert conflict(lambda: twin(book).save(check="loaded")).changed == ("title",)


def test_classes_of_other_libraries(twin: Twins) -> None:
    from dynawire.pydantic import PydanticModel

    @dataclasses.dataclass
    class Data:
        id: str
        text: str = ""

    @dataclasses.dataclass(slots=True)
    class Slots:
        id: str

    class Page(PydanticModel, table="pages"):
        id: str = partition_key()
        text: str = ""

    with dw.connect("memory:") as db:
        table = db.table(Data, name="data", partition_key="id")
        slots = db.table(Slots, name="slots", partition_key="id")
        pages: Any = db.table(Page)
        db.create_tables(table, slots, Page)
        for one, kind in ((table, Data), (pages, Page)):
            twin(one).put(kind(id="1", text="a"))  # type: ignore[operator]
            mine, yours = twin(one).get("1"), twin(one).get("1")
            yours.text = "yours"
            twin(one).save(yours, check="loaded")
            mine.text = "mine"
            assert conflict(lambda one=one, mine=mine: twin(one).save(mine, check="loaded")).item.text == "yours"
        for call in (
            lambda: twin(table).put(Data("2"), check="loaded"),
            lambda: twin(slots).put(Slots("2"), check="loaded"),
        ):
            with pytest.raises(dw.ValidationError, match=r"check='loaded' compares with what this .* is not known"):
                call()


def test_params_show_it(twin: Twins, db: dw.Database) -> None:
    book = loaded(twin, title="x", copies=2)
    shown = book.params.delete(check="loaded")
    assert shown["ConditionExpression"].count("attribute_not_exists") == 6
    assert {"S": "x"} in shown["ExpressionAttributeValues"].values()


@settings(max_examples=60, deadline=None)
@given(
    price=st.floats(
        allow_nan=False, allow_infinity=False, min_value=-1e100, max_value=1e100, allow_subnormal=False
    ).filter(lambda one: one == 0 or abs(one) > 1e-100),
    at=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
    tags=st.sets(st.text(min_size=1, max_size=4)),
    pages=st.lists(
        st.floats(min_value=-1e30, max_value=1e30).filter(lambda one: one == 0 or abs(one) > 1e-100), max_size=3
    ),
)
def test_what_was_written_is_never_a_conflict(price: float, at: datetime, tags: set[str], pages: list[float]) -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(Book)
        Book(isbn="1", price=price, printed=at.replace(tzinfo=UTC), tags=tags, pages=pages).put()
        book = Book.get_one("1", 1)
        book.copies += 1
        assert book.save(check="loaded") is True
        book.delete(check="loaded")
        assert Book.scan().count() == 0


# ---------------------------------------------------------------------- misuse


def _wide() -> Any:
    names = [f"attribute_{number}" for number in range(200)]
    return type(Model)(
        "Wide",
        (Model,),
        {
            "__module__": __name__,
            "__annotations__": {"id": Attr[str]} | dict.fromkeys(names, Attr[str]),
            "id": partition_key(),
        }
        | {name: attr(default="") for name in names},
        table="wides",
    )


def test_more_than_one_condition_can_say(twin: Twins, db: dw.Database) -> None:
    wide = _wide()
    db.create_tables(wide)
    one = wide(id="1")
    twin(one).put()
    one.attribute_3 = "x"
    for call in (
        lambda: twin(one).save(check="loaded"),
        lambda: twin(one).put(check="loaded"),
        lambda: twin(one).delete(check="loaded"),
    ):
        recorded(db).clear()
        with pytest.raises(dw.LimitExceeded, match=r"all 201 attributes of Wide, .* v: Attr\[int\] = version\(\)"):
            call()
        assert recorded(db).sent == []


def test_misuse(twin: Twins, db: dw.Database) -> None:
    book = loaded(twin)
    table: Any = db.table(Book)
    book.title = "y"
    for call, kind, said in (
        (lambda: twin(book).save(check="version"), dw.ExpressionError, "write check='loaded', or leave it out"),
        (lambda: twin(book).put(check=True), dw.ExpressionError, "write check='loaded'"),
        (lambda: twin(Book(isbn="1")).delete(check="loaded"), dw.ValidationError, "it was not: get"),
        (lambda: twin(table).delete(Book.key("1", 1), check="loaded"), dw.ExpressionError, "this is a key of Book"),
        (lambda: twin(table).delete(("1", 1), check="loaded"), dw.ValidationError, "expected Book, got tuple"),
        (lambda: twin(table).put(Counted(id="1"), check="loaded"), dw.ValidationError, "expected Book"),
        (
            lambda: twin(book).put(check="loaded", condition=Counted.text == "x"),
            dw.ExpressionError,
            "Counted",
        ),
    ):
        recorded(db).clear()
        with pytest.raises(kind, match=said):
            call()
        assert recorded(db).sent == []
    assert raw(db, Book, "Scan")["Count"] == 1


def test_attributes_computed_from_others(twin: Twins, db: dw.Database) -> None:
    class Order(Model, table="orders"):
        user: Attr[str] = partition_key()
        status: Attr[str] = attr(default="new")
        city: Attr[str] = attr(default="x")
        place: Attr[str | None] = dw.joined("status", "city", separator="#")

    db.create_tables(Order)
    twin(Order(user="1")).put()
    order = twin(Order).get_one("1")
    order.status = "paid"
    twin(order).save(check="loaded")
    assert stored_item(db, order)["place"] == {"S": "paid#x"}  # type: ignore[index]
    raw_update(db, order, "SET #city = :c, #place = :p", c={"S": "y"}, p={"S": "paid#y"})
    order.status = "sent"
    assert conflict(lambda: twin(order).save(check="loaded")).changed == ("city", "place")
    twin(order).refresh()
    twin(order).delete(check="loaded")
    assert stored_item(db, order) is None


def test_classes_that_share_a_table(twin: Twins, db: dw.Database) -> None:
    class Animal(Model, table="animals"):
        name: Attr[str] = partition_key()
        kind: Attr[str] = dw.discriminator()

    class Dog(Animal):
        barks: Attr[bool] = attr(default=True)

    db.create_tables(Animal)
    twin(Dog(name="1")).insert()
    mine: Any = twin(Animal).get_one("1")
    mine.barks = False
    twin(db.table(Animal)).save(mine, check="loaded")
    raw_update(db, mine, "SET #barks = :v", v={"BOOL": True})
    assert conflict(lambda: twin(db.table(Animal)).put(mine, check="loaded")).changed == ("barks",)
    twin(mine).refresh()
    twin(mine).delete(check="loaded")
    assert twin(Animal).get("1") is None


class Listed(Model, table="listed"):
    id: Attr[str] = partition_key()
    name: Attr[str | None] = attr(default=None, unique=True)
    alias: Attr[str | None] = attr(default=None, unique=True)
    at: Attr[datetime | None] = attr(default=None)
    note: Attr[str] = attr(default="")


def test_another_form_where_guards_are_written_too(twin: Twins, db: dw.Database) -> None:
    """Their transactions are sent again with the stored form as well; a real change is still one."""
    db.create_tables(Listed)
    form = {"S": "2026-01-01T02:00:00+02:00"}
    names = map(str, range(100))

    def listed() -> Any:
        twin(Listed(id="1", name=next(names), at=datetime(2026, 1, 1, tzinfo=UTC))).put()
        raw_update(db, Listed(id="1"), "SET #at = :v", v=form)
        return twin(Listed).get("1")

    def renamed(one: Any) -> Any:
        one.name = next(names)
        return one

    writes: list[Callable[[Any], Any]] = [
        lambda one: twin(renamed(one)).save(check="loaded"),
        lambda one: twin(renamed(one)).save(check="loaded", exactly_once=True),
        lambda one: twin(renamed(one)).put(check="loaded"),
        lambda one: twin.within(db.transaction(), lambda tx: tx.save(renamed(one), check="loaded")),
        lambda one: twin.within(db.transaction(), lambda tx: tx.delete(one, check="loaded")),
        lambda one: twin(one).delete(check="loaded"),
    ]
    for number, write in enumerate(writes):
        with case(number):
            write(listed())
            stale = listed()
            raw_update(db, stale, "SET #note = :v", v={"S": "other"})
            assert conflict(lambda stale=stale, write=write: write(stale)).changed == ("note",)  # type: ignore[misc]
            twin(Listed.key("1")).delete()
    report = twin(Listed).rebuild_unique(dry_run=True)
    assert (report.items, report.guards, report.removed) == (0, 0, 0)
