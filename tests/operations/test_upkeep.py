"""Attributes that every write maintains: the version, the times, and those that never change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    EpochSeconds,
    GlobalIndex,
    Model,
    attr,
    created_at,
    partition_key,
    sort_key,
    updated_at,
    version,
)
from tests.support.databases import Twins, raw_update, recorded, stored_item

START = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


class Clock:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


clock = Clock()


class Book(Model, table="books"):
    isbn: Attr[str] = partition_key()
    edition: Attr[int] = sort_key(default=1)
    title: Attr[str] = attr(default="")
    copies: Attr[int] = attr(default=0)
    v: Attr[int] = version(name="ver")


class Note(Model, table="notes"):
    id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    author: Attr[str | None] = attr(default=None, immutable=True, name="by")
    tags: Attr[set[str]] = attr(default_factory=set, immutable=True)
    created: Attr[datetime | None] = created_at(clock=clock)
    updated: Attr[Annotated[datetime, EpochSeconds] | None] = updated_at(clock=clock, name="upd")


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Book, Note)


def loaded(twin: Twins, isbn: str = "1") -> Any:
    found = twin(Book).get(isbn, 1)
    assert found is not None
    return found


# ---------------------------------------------------------------------- version


def test_every_write_raises_the_version(db: dw.Database, twin: Twins) -> None:
    book = Book(isbn="1")
    assert book.v == 0
    twin(book).insert()
    assert book.v == 1
    twin(book).put()
    assert book.v == 2
    book.title = "a"
    assert twin(book).save() is True
    assert book.v == 3
    twin(book).update(Book.copies.add(2))
    assert (book.v, book.copies) == (4, 2)
    twin(book).put(exactly_once=True)
    assert book.v == 5
    book.title = "b"
    twin(book).save(exactly_once=True)
    assert book.v == 6
    twin(book).update(Book.copies.add(1), exactly_once=True)
    assert (book.v, book.copies) == (7, 3)
    assert stored_item(db, book)["ver"] == {"N": "7"}  # type: ignore[index]
    assert loaded(twin).v == 7
    assert twin(book).save() is False


def test_a_save_without_change_is_no_request_and_raises_nothing(db: dw.Database, twin: Twins) -> None:
    book = Book(isbn="1")
    twin(book).insert()
    before = len(recorded(db).sent)
    assert twin(book).save() is False
    assert (len(recorded(db).sent), book.v) == (before, 1)


def change_and_save(twin: Twins, book: Any, **options: Any) -> None:
    book.title = "mine"
    twin(book).save(**options)


STALE_WRITES: dict[str, Callable[[Twins, Any], Any]] = {
    "save": change_and_save,
    "put": lambda twin, book: twin(book).put(),
    "put with condition": lambda twin, book: twin(book).put(condition=Book.copies == 5),
    "put returning": lambda twin, book: twin(book).put(return_old=True),
    "update": lambda twin, book: twin(book).update(title="mine"),
    "upsert": lambda twin, book: twin(book).update(title="mine", upsert=True),
    "delete": lambda twin, book: twin(book).delete(),
    "delete of what must be there": lambda twin, book: twin(book).delete(must_exist=True),
    "save once": lambda twin, book: change_and_save(twin, book, exactly_once=True),
    "put once": lambda twin, book: twin(book).put(exactly_once=True),
    "update once": lambda twin, book: twin(book).update(title="mine", exactly_once=True),
    "delete once": lambda twin, book: twin(book).delete(exactly_once=True),
    "key update": lambda twin, book: twin(Book.key("1", 1)).update(title="mine", expected_version=1),
    "key delete": lambda twin, book: twin(Book.key("1", 1)).delete(expected_version=1),
    "new put": lambda twin, book: twin(Book(isbn="1")).put(),
    "new save": lambda twin, book: twin(Book(isbn="1")).save(),
}


@pytest.mark.parametrize("write", STALE_WRITES.values(), ids=STALE_WRITES)
def test_no_write_overwrites_what_another_wrote(
    db: dw.Database, twin: Twins, write: Callable[[Twins, Any], Any]
) -> None:
    twin(Book(isbn="1")).insert()
    mine, other = loaded(twin), loaded(twin)
    twin(other).update(Book.copies.add(5))
    with pytest.raises(dw.VersionConflict) as caught:
        write(twin, mine)
    assert caught.value.item.copies == 5
    assert (caught.value.item.v, caught.value.model) == (2, "Book")
    assert mine.v == 1
    assert loaded(twin).to_dict() == other.to_dict()
    twin(mine).refresh()
    mine.title = "after"
    twin(mine).save()
    assert (mine.v, mine.copies) == (3, 5)


def test_in_transactions(db: dw.Database, twin: Twins) -> None:
    books = [Book(isbn=str(number)) for number in range(5)]
    twin.within(db.transaction(), lambda tx: [tx.put(books[0]), tx.insert(books[1]), *map(tx.put, books[2:])])
    assert [book.v for book in books] == [1] * 5
    books[0].title = "saved"

    def write(tx: dw.Transaction) -> None:
        tx.save(books[0])
        tx.put(books[1])
        tx.update(books[2], title="updated")
        tx.update(Book.key("3", 1), Book.copies.add(1))
        tx.delete(books[4])
        # Nothing is taken over before the transaction succeeded.
        assert [book.v for book in books] == [1] * 5

    twin.within(db.transaction(), write)
    assert [book.v for book in books] == [2, 2, 2, 1, 1]
    assert [twin(Book).get_one(str(number), 1).v for number in range(4)] == [2, 2, 2, 2]
    assert twin(Book).get("4", 1) is None
    # The instance that was updated goes on from there.
    books[2].title = "again"
    twin(books[2]).save()
    assert books[2].v == 3

    stale = books[3]
    with pytest.raises(dw.TransactionCancelled) as caught:
        twin.within(db.transaction(), lambda tx: [tx.put(books[0]), tx.update(stale, title="stale")])
    assert caught.value.reasons[0] is None
    assert isinstance(caught.value.reasons[1], dw.VersionConflict)
    assert (books[0].v, stale.v, stale.title) == (2, 1, "")


def test_keys_without_expected_version_write_any_version(twin: Twins) -> None:
    key = Book.key("1", 1)
    assert twin(key).update(title="made", upsert=True).v == 1
    assert twin(key).update(title="b").v == 2
    assert twin(key).update(title="c", expected_version=2).v == 3
    twin(key).delete(expected_version=3)
    assert twin(Book).get("1", 1) is None
    assert twin(key).update(title="d", upsert=True, expected_version=0).v == 1
    twin(key).delete()


def test_an_item_that_was_deleted(twin: Twins) -> None:
    book = Book(isbn="1")
    twin(book).insert()
    twin(Book.key("1", 1)).delete()
    with pytest.raises(dw.VersionConflict, match="deleted since it was loaded"):
        twin(book).put()
    with pytest.raises(dw.VersionConflict, match="deleted since it was loaded"):
        twin(book).update(title="x", upsert=True)
    book.title = "x"
    with pytest.raises(dw.ItemNotFound):
        twin(book).save()
    with pytest.raises(dw.ItemNotFound):
        twin(book).update(title="x")
    with pytest.raises(dw.ItemNotFound):
        twin(book).delete(must_exist=True)
    twin(book).delete()  # gone is what was wanted
    twin(book).insert()
    # A version never comes back: whoever still holds the first one must notice.
    assert book.v == 2


def test_insert_of_what_is_there_stays_item_exists(twin: Twins) -> None:
    twin(Book(isbn="1")).insert()
    again = Book(isbn="1")
    with pytest.raises(dw.ItemExists):
        twin(again).insert()
    assert again.v == 0


def test_the_callers_condition_is_told_apart(twin: Twins) -> None:
    book = Book(isbn="1")
    twin(book).insert()
    book.title = "x"
    for write in (twin(book).save, twin(book).put, twin(book).delete):
        with pytest.raises(dw.ConditionFailed) as caught:
            write(condition=Book.copies > 3)
        assert type(caught.value) is dw.ConditionFailed
        assert book.v == 1


@pytest.mark.parametrize("stored", ["", "SET #ver = :v"])
def test_items_from_before_there_was_a_version(db: dw.Database, twin: Twins, stored: str) -> None:
    twin(Book(isbn="1")).insert()
    book = Book(isbn="1")
    if stored:
        raw_update(db, book, stored, v={"N": "0"})
    else:
        raw_update(db, book, "REMOVE #ver")
    first, second = loaded(twin), loaded(twin)
    assert first.v == 0
    first.title = "first"
    twin(first).save()
    assert first.v == 1
    second.title = "second"
    with pytest.raises(dw.VersionConflict):
        twin(second).save()


def test_an_assigned_version_is_what_is_expected(twin: Twins) -> None:
    book = Book(isbn="1")
    twin(book).insert()
    twin(book).update(title="b")
    # Such as the version that came back with a form.
    book.v = 1
    book.title = "c"
    with pytest.raises(dw.VersionConflict):
        twin(book).save()
    book.v = 2
    twin(book).save()
    assert book.v == 3


def test_where_writes_raise_it_too(twin: Twins) -> None:
    twin(Book(isbn="1")).insert()
    twin(Book).update_where(Book.isbn == "1", Book.copies.add(1))
    assert loaded(twin).v == 2


def test_batches_refuse_what_they_cannot_check(db: dw.Database, twin: Twins) -> None:
    book = Book(isbn="1")
    sent = len(recorded(db).sent)
    with pytest.raises(dw.ExpressionError, match=r"Book\.v is a version\(\).*use put\(\) or db\.transaction\(\)"):
        twin(Book).put_many([book])
    with pytest.raises(dw.ExpressionError, match=r"Book\.v"):
        twin(Book).write_many(put=[book])
    with pytest.raises(dw.ExpressionError, match="give its key"):
        twin(Book).delete_many([book])
    assert len(recorded(db).sent) == sent
    assert book.v == 0
    twin(book).insert()
    assert twin(Book).delete_many([("1", 1)]).deleted == 1


def test_misuse_of_versions(twin: Twins) -> None:
    book = Book(isbn="1")
    twin(book).insert()
    with pytest.raises(dw.ExpressionError, match=r"Book\.v is maintained by every write"):
        twin(book).update(v=3)
    with pytest.raises(dw.ExpressionError, match=r"Book\.v is maintained"):
        twin(Book.key("1", 1)).update(Book.v.add(3))
    with pytest.raises(dw.ExpressionError):
        twin(book).update()
    with pytest.raises(dw.ExpressionError, match="Note has no version"):
        twin(Note.key("1")).update(text="x", expected_version=1)
    with pytest.raises(dw.ExpressionError, match="Note has no version"):
        twin(Note.key("1")).delete(expected_version=1)
    for wrong in (-1, "1", True):
        with pytest.raises(dw.ValidationError, match="whole number of 0 or more"):
            twin(Book.key("1", 1)).delete(expected_version=wrong)
    book.v = -3
    with pytest.raises(dw.ValidationError, match=r"Book\.v"):
        twin(book).put()
    assert loaded(twin).v == 1


# ---------------------------------------------------------------------- times


def test_times_are_set_by_writes(db: dw.Database, twin: Twins) -> None:
    note = Note(id="1")
    assert (note.created, note.updated) == (None, None)
    begin = clock.time
    twin(note).insert()
    # One reading of one clock for both; what is stored in seconds has no fraction on the instance either.
    assert note.created == begin + timedelta(seconds=1)
    assert note.updated == note.created.replace(microsecond=0)
    created = note.created

    note.text = "x"
    twin(note).save()
    twin(note).put()
    twin(note).update(text="y")
    assert note.created == created
    assert note.updated == (begin + timedelta(seconds=4)).replace(microsecond=0)
    assert twin(note).save() is False
    assert twin(Note).get_one("1").to_dict() == note.to_dict()

    twin(note).put(exactly_once=True)
    found = twin(Note).get_one("1")
    assert (found.created, found.updated) == (created, note.updated)
    twin.within(db.transaction(), lambda tx: tx.update(note, text="z"))
    assert twin(Note).get_one("1").updated == note.updated == found.updated + timedelta(seconds=1)


def test_a_failed_write_sets_no_time(twin: Twins) -> None:
    twin(Note(id="1")).insert()
    note = Note(id="1")
    with pytest.raises(dw.ItemExists):
        twin(note).insert()
    assert (note.created, note.updated) == (None, None)


def test_batches_and_keys_set_times(twin: Twins) -> None:
    notes = [Note(id="1"), Note(id="2")]
    twin(Note).put_many(notes)
    assert all(note.created and note.updated for note in notes)
    assert twin(Note).get_one("2").to_dict() == notes[1].to_dict()
    first = twin(Note.key("1")).update(text="x", upsert=True)
    assert first.created == notes[0].created
    assert first.updated > notes[0].updated
    made = twin(Note.key("3")).update(text="x", upsert=True)
    assert made.created is not None
    assert made.created.replace(microsecond=0) == made.updated


def test_an_imported_time_of_creation_is_kept(db: dw.Database, twin: Twins) -> None:
    note = Note(id="1")
    note.created = START
    twin(note).put()
    assert twin(Note).get_one("1").created == START
    raw_update(db, note, "REMOVE #created")
    old = twin(Note).get_one("1")
    twin(old).put()
    # Nobody knows when it was made, so nothing is made up.
    assert old.created is None


def test_times_are_not_updated_by_hand(twin: Twins) -> None:
    for name in ("created", "updated"):
        with pytest.raises(dw.ExpressionError, match=rf"Note\.{name} is maintained"):
            twin(Note.key("1")).update(**{name: START})


def test_the_system_clock() -> None:
    class Stamped(Model, table="stamped"):
        id: Attr[str] = partition_key()
        at: Attr[datetime | None] = created_at()
        then: Attr[datetime | None] = updated_at()

    with dw.connect("memory:") as other, other.use():
        other.create_tables(Stamped)
        stamped = Stamped(id="1")
        before = datetime.now(UTC)
        stamped.insert()
        assert stamped.at is not None
        assert before <= stamped.at <= datetime.now(UTC)
        assert (stamped.at.tzinfo, stamped.then) == (UTC, stamped.at)


# ---------------------------------------------------------------------- immutable


def test_immutable_attributes_keep_their_first_value(db: dw.Database, twin: Twins) -> None:
    note = Note(id="1", author="me", tags={"a", "b", "c"})
    note.author = "you"  # not stored yet
    twin(note).insert()
    note = twin(Note).get_one("1")
    note.text = "x"
    twin(note).save()
    twin(note).put()  # the same set in another order is no change
    sent = len(recorded(db).sent)
    note.author = "other"
    for write in (twin(note).save, twin(note).put):
        with pytest.raises(dw.ValidationError, match=r"Note\.author is immutable") as caught:
            write()
        assert caught.value.attribute == "author"
    note.author = None
    with pytest.raises(dw.ValidationError, match=r"Note\.author"):
        twin(note).put()
    for owner in (note, Note.key("1")):
        with pytest.raises(dw.ValidationError, match=r"Note\.author"):
            twin(owner).update(author="other")
    with pytest.raises(dw.ValidationError, match=r"Note\.tags"):
        twin(note).update(Note.tags.add({"d"}))
    with pytest.raises(dw.ValidationError, match=r"Note\.author"):
        db.transaction().save(note)
    assert len(recorded(db).sent) == sent
    assert twin(Note).get_one("1").author == "you"


def test_an_immutable_attribute_may_come_later(twin: Twins) -> None:
    note = Note(id="1")
    twin(note).insert()
    note.author = "me"
    twin(note).save()
    note.author = "you"
    with pytest.raises(dw.ValidationError, match=r"Note\.author"):
        twin(note).save()
    made = twin(Note.key("2")).update(Note.author.set_if_not_exists("me"), upsert=True)
    again = twin(Note.key("2")).update(Note.author.set_if_not_exists("you"), upsert=True)
    assert (made.author, again.author) == ("me", "me")


# ---------------------------------------------------------------------- declarations


def test_wrong_declarations() -> None:
    with pytest.raises(dw.SchemaError, match=r"Text\.v: a version is a whole number; write v: Attr\[int\]"):

        class Text(Model, table="wrong"):
            id: Attr[str] = partition_key()
            v: Attr[str] = version()

    with pytest.raises(dw.SchemaError, match=r"Two\.w: v is the version already"):

        class Two(Model, table="wrong"):
            id: Attr[str] = partition_key()
            v: Attr[int] = version()
            w: Attr[int] = version()

    with pytest.raises(dw.SchemaError, match=r"Nested\.v: version\(\) is for a class with a table"):

        class Nested(Model):
            v: Attr[int] = version()

    with pytest.raises(dw.SchemaError, match=r"Indexed\.v: a version can't be a key of the index by_v"):

        class Indexed(Model, table="wrong"):
            id: Attr[str] = partition_key()
            v: Attr[int] = version()

            by_v = GlobalIndex("v")

    with pytest.raises(dw.SchemaError, match=r"Naive\.at.*datetime"):

        class Naive(Model, table="wrong"):
            id: Attr[str] = partition_key()
            at: Attr[str | None] = created_at()

    with pytest.raises(dw.SchemaError, match=r"Clocked: at has a clock= that can't be called"):

        class Clocked(Model, table="wrong"):
            id: Attr[str] = partition_key()
            at: Attr[datetime | None] = created_at(clock=3)  # type: ignore[arg-type]


def test_mixins_carry_them(twin: Twins) -> None:
    class Versioned(Model, abstract=True):
        v: Attr[int] = version()

    class Page(Versioned, table="books"):
        isbn: Attr[str] = partition_key()
        edition: Attr[int] = sort_key(default=1)

    page = Page(isbn="p")
    twin(page).insert()
    twin(page).put()
    assert page.v == 2
