"""Hooks: what is called for which operation, in which order, and what follows from what they raise."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, ClassVar, TypedDict

import pytest

import dynawire as dw
from dynawire import Attr, Model, ToOne, attr, hooks, partition_key, version
from tests.support.databases import Twins, raw_update, recorded, stored_item

NAMES = [name for name in hooks.__all__ if name[0].islower()]


@pytest.fixture
def url() -> str:
    return "memory:"


class Book(Model, table="books"):
    isbn: Attr[str] = partition_key()
    title: Attr[str] = attr(default="")
    copies: Attr[int] = attr(default=0)


class Novel(Book, table="novels"):
    pages: Attr[int] = attr(default=0)


class Plain(Model, table="plains"):
    id: Attr[str] = partition_key()


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Book, Novel, Plain)
    recorded(db).clear()


@pytest.fixture
def heard(db: dw.Database, twin: Twins) -> Iterator[list[tuple[str, str]]]:
    """Every event of Book and what derives from it, with its operation; connected functions are async where all is."""
    found: list[tuple[str, str]] = []

    def hear(event: hooks.Event) -> None:
        found.append((event.name, event.operation))

    async def ahear(event: hooks.Event) -> None:
        await asyncio.sleep(0)
        hear(event)

    with ExitStack() as stack:
        for name in NAMES:
            waits = twin.is_async and not name.endswith(("load", "validate"))
            stack.enter_context(getattr(hooks, name).connected(ahear if waits else hear, sender=Book))
        yield found


def names(heard: list[tuple[str, str]]) -> list[str]:
    found = [name for name, _ in heard]
    heard.clear()
    return found


SAVED = ["before_save", "before_validate", "after_validate", "after_save"]
INSERTED = ["before_save", "before_insert", "before_validate", "after_validate", "after_insert", "after_save"]
LOADED = ["before_load", "after_load"]


def test_which_hooks_are_called(heard: list[tuple[str, str]], twin: Twins) -> None:
    book = Book(isbn="1")
    twin(book).insert()
    assert {operation for _, operation in heard} == {"insert", "validate"}
    assert names(heard) == INSERTED
    twin(book).put()
    assert {operation for _, operation in heard} == {"put", "validate"}
    assert names(heard) == SAVED
    twin(book).put(condition=Book.copies == 0)
    assert names(heard) == SAVED
    twin(book).put(exactly_once=True)
    assert names(heard) == SAVED
    book.title = "a"
    assert twin(book).save() is True
    assert names(heard) == SAVED
    twin(Book(isbn="2")).save()
    assert names(heard) == SAVED
    twin(book).update(Book.copies.add(1))
    assert names(heard) == ["before_update", *LOADED, "after_update"]
    twin(book).update(copies=1, exactly_once=True)
    assert names(heard) == ["before_update", *LOADED, "after_update"]
    twin(Book.key("1")).update(copies=2)
    assert names(heard) == ["before_update", *LOADED, "after_update"]
    twin(book).delete()
    assert names(heard) == ["before_delete", "after_delete"]
    twin(Book.key("1")).delete()
    assert names(heard) == ["before_delete", "after_delete"]
    book.validate()
    assert names(heard) == ["before_validate", "after_validate"]
    twin(Plain(id="1")).put()
    assert names(heard) == []


def test_reading_calls_the_hooks_of_loading(heard: list[tuple[str, str]], twin: Twins, db: dw.Database) -> None:
    twin(Book).put_many([Book(isbn=str(number)) for number in range(3)])
    heard.clear()
    reads: dict[str, tuple[Callable[[], Any], int]] = {
        "get": (lambda: twin(Book).get("1"), 1),
        "get of nothing": (lambda: twin(Book).get("x"), 0),
        "refresh": (lambda: twin(Book(isbn="1")).refresh(), 1),
        "query": (lambda: twin(Book.query("1")).all(), 1),
        "scan": (lambda: twin.items(Book.scan()), 3),
        "page": (lambda: twin(Book.scan()).page(size=2), 2),
        "find": (lambda: twin(Book.find(Book.title == "")).all(), 3),
        "get_many": (lambda: twin(Book).get_many(["1", "2", "x"]), 2),
        "transact_get": (lambda: twin(db).transact_get(Book.key("1"), Book.key("x")), 1),
        "from_item": (lambda: Book.from_item({"isbn": {"S": "1"}}), 1),
        "old": (lambda: twin(Book(isbn="1")).delete(return_old=True), 1),
    }
    for what, (read, count) in reads.items():
        read()
        found = [name for name, operation in heard if operation == "load"]
        assert sorted(found) == sorted(LOADED * (count if what != "page" else len(found) // 2)), what
        if what == "page":
            assert len(found) >= 4
        heard.clear()
    # What is only looked at becomes no instance.
    twin(Book).exists("1")
    twin(Book.scan().project(Book.title)).all()
    twin(Book.scan()).count()
    assert names(heard) == []


def test_what_a_hook_raises_never_passes_for_the_end_of_a_read(twin: Twins) -> None:
    twin(Book(isbn="1")).put()

    def fail(event: hooks.Event) -> None:
        raise StopAsyncIteration

    with hooks.after_load.connected(fail, sender=Book):
        for read in (lambda: twin(Book.scan()).all(), lambda: twin.items(Book.query("1"))):
            with pytest.raises((StopAsyncIteration, RuntimeError)):
                read()


def test_nothing_changed_nothing_written(heard: list[tuple[str, str]], twin: Twins, db: dw.Database) -> None:
    book = Book(isbn="1")
    twin(book).put()
    heard.clear()
    recorded(db).clear()
    assert twin(book).save() is False
    assert names(heard) == ["before_save", "before_validate", "after_validate"]
    assert recorded(db).sent == []


def test_in_batches(heard: list[tuple[str, str]], twin: Twins) -> None:
    books = [Book(isbn=str(number)) for number in range(30)]
    twin(Book).put_many(iter(books))
    found = names(heard)
    assert [found.count(name) for name in SAVED] == [30] * 4
    assert found.index("after_save") > 60
    assert set(found) == set(SAVED)
    twin(Book).delete_many([books[0], "1", Book.key("2")])
    assert names(heard) == ["before_delete"] * 3 + ["after_delete"] * 3
    twin(Book).write_many(put=[Book(isbn="1")], delete=["5"])
    assert names(heard) == [*SAVED[:3], "before_delete", "after_save", "after_delete"]


def test_in_transactions(heard: list[tuple[str, str]], twin: Twins, db: dw.Database) -> None:
    loaded = Book(isbn="0")
    twin(loaded).put()
    heard.clear()
    added: list[str] = []

    def body(tx: dw.Transaction) -> None:
        tx.insert(Book(isbn="1"))
        tx.put(Book(isbn="2"))
        tx.save(Book(isbn="3"))
        tx.save(loaded)  # nothing changed
        tx.put(Plain(id="1"))
        tx.update(Book.key("4"), copies=1, upsert=True)
        tx.delete(Book.key("5"))
        added.extend(names(heard))
        assert len(tx.params()["TransactItems"]) == 6

    twin.within(db.transaction(), body)
    assert added == []
    found = names(heard)
    assert found == [
        *["before_validate", "after_validate"] * 4,  # for params()
        *[
            "before_save",
            "before_insert",
            "before_save",
            "before_save",
            "before_save",
            "before_update",
            "before_delete",
        ],
        *["before_validate", "after_validate"] * 4,
        *["after_insert", "after_save", "after_save", "after_save", "after_update", "after_delete"],
    ]
    assert len(recorded(db).sent[-1].body["TransactItems"]) == 6


def test_writes_of_what_is_found(heard: list[tuple[str, str]], twin: Twins) -> None:
    twin(Book).put_many([Book(isbn=str(number)) for number in range(3)])
    heard.clear()
    keys: list[Any] = []
    with hooks.before_update.connected(lambda event: keys.append((event.key, event.instance)), sender=Book):
        assert twin(Book).update_where(Book.copies == 0, copies=1).written == 3
    assert sorted(keys) == [(("0",), None), (("1",), None), (("2",), None)]
    assert sorted(names(heard)) == ["after_update"] * 3 + ["before_update"] * 3
    assert twin(Book).delete_where(Book.copies == 1).written == 3
    assert sorted(names(heard)) == ["after_delete"] * 3 + ["before_delete"] * 3


def test_params_call_nothing(heard: list[tuple[str, str]]) -> None:
    book = Book(isbn="1")
    assert book.params.insert()["Item"]["isbn"] == {"S": "1"}
    assert Book.key("1").params.update(copies=1)["Key"] == {"isbn": {"S": "1"}}
    book.params.delete()
    assert [name for name in names(heard) if "validate" not in name] == []


# ---------------------------------------------------------------------- on the class


class Tidy(Model, table="tidies"):
    id: Attr[str] = partition_key()
    title: Attr[str] = attr(default="")
    slug: Attr[str] = attr(default="")
    editor: Attr[str | None] = attr(default=None)
    log: ClassVar[list[Any]] = []

    @hooks.before_save
    def make_slug(self) -> None:
        self.slug = self.title.lower()

    @hooks.before_update
    @hooks.before_delete
    def note(self, event: hooks.Event) -> None:
        self.log.append((event.name, event.key, self.title))

    @hooks.before_update
    @classmethod
    def sign(cls, event: hooks.Event) -> None:
        event.updates.append(cls.editor.set("me"))

    @hooks.after_save
    @staticmethod
    def saved() -> None:
        Tidy.log.append("saved")

    @hooks.before_validate
    def fix(self) -> None:
        if self.title == "fixable":
            self.title = "fixed"

    @hooks.after_validate
    def check(self) -> None:
        if self.title == "bad":
            raise ValueError("bad title")

    @hooks.before_load
    @classmethod
    def old_name(cls, event: hooks.Event) -> None:
        assert event.item is not None
        if "name" in event.item:
            event.item["title"] = event.item.pop("name")

    @hooks.after_load
    def loaded(self) -> None:
        self.log.append(("loaded", self.id))


class Loud(Tidy, table="louds"):
    def make_slug(self) -> None:
        self.slug = self.title.upper()

    saved = None  # type: ignore[assignment]


@pytest.fixture
def tidies(db: dw.Database) -> list[Any]:
    db.create_tables(Tidy, Loud)
    Tidy.log.clear()
    return Tidy.log


def test_a_hook_changes_what_is_stored(tidies: list[Any], twin: Twins, db: dw.Database) -> None:
    for write in ("insert", "put", "save"):
        tidy = Tidy(id=write, title="Hello")
        getattr(twin(tidy), write)()
        assert tidy.slug == "hello"
        assert stored_item(db, tidy)["slug"] == {"S": "hello"}  # type: ignore[index]
        tidy.title = "World"
        twin(tidy).save()
        assert stored_item(db, tidy)["slug"] == {"S": "world"}  # type: ignore[index]
        assert twin(tidy).save() is False
    many = [Tidy(id=f"many{number}", title="A") for number in range(3)]
    twin(Tidy).put_many(many)
    twin.within(db.transaction(), lambda tx: tx.put(Tidy(id="tx", title="B")))
    assert [one.slug for one in twin(Tidy).get_many(["many0", "many2", "tx"])] == ["a", "a", "b"]
    fixable = Tidy(id="fix", title="fixable")
    fixable.validate()
    assert fixable.title == "fixed"
    assert tidies.count("saved") == 6 + 3 + 1


def test_a_hook_adds_to_an_update(tidies: list[Any], twin: Twins) -> None:
    tidy = Tidy(id="1", title="T")
    twin(tidy).insert()
    tidies.clear()
    twin(tidy).update(title="U")
    assert (tidy.title, tidy.editor) == ("U", "me")
    # A method needs an instance; a classmethod does not.
    assert tidies == [("before_update", ("1",), "T"), ("loaded", "1")]
    tidies.clear()
    assert twin(Tidy.key("1")).update(title="V").editor == "me"
    assert tidies == [("loaded", "1")]
    twin(tidy).delete()
    assert tidies[-1] == ("before_delete", ("1",), "U")


def test_a_hook_changes_an_item_before_it_is_loaded(tidies: list[Any], twin: Twins, db: dw.Database) -> None:
    tidy = Tidy(id="1")
    twin(tidy).insert()
    raw_update(db, tidy, "SET #name = :n REMOVE #title", n={"S": "old"})
    for read in (
        lambda: twin(Tidy).get("1"),
        lambda: twin(Tidy.query("1")).first(),
        lambda: twin(Tidy.scan()).one(),
        lambda: twin(Tidy.find(Tidy.id == "1")).one(),
        lambda: twin(Tidy).get_many(["1"]).items[0],
        lambda: twin(db).transact_get(Tidy.key("1"))[0],
        lambda: twin(Tidy.key("1")).update(slug="x"),
    ):
        assert read().title == "old"


def test_derived_classes_have_the_hooks_of_their_base(tidies: list[Any], twin: Twins) -> None:
    loud = Loud(id="1", title="Hello")
    twin(loud).insert()
    assert loud.slug == "HELLO"
    assert "saved" not in tidies
    with pytest.raises(ValueError, match="bad title"):
        twin(Loud(id="2", title="bad")).insert()


def test_classes_that_share_a_table(db: dw.Database, twin: Twins) -> None:
    called: list[str] = []

    class Animal(Model, table="animals"):
        name: Attr[str] = partition_key()
        kind: Attr[str] = dw.discriminator()

    class Dog(Animal):
        barks: Attr[bool] = attr(default=True)

        @hooks.before_save
        def bark(self) -> None:
            called.append(f"save {self.name}")

        @hooks.before_load
        @classmethod
        def before(cls, event: hooks.Event) -> None:
            called.append(f"before {cls.__name__}")

        @hooks.after_load
        def loaded(self) -> None:
            called.append(f"loaded {self.name}")

    db.create_tables(Animal)
    animals: Any = db.table(Animal)
    twin(animals).put(Dog(name="1"))
    twin(animals).put_many([Dog(name="2"), Animal(name="3")])
    twin.within(db.transaction(), lambda tx: tx.put(Dog(name="4"), table=animals))
    twin(animals).save(Dog(name="5"))
    assert called == ["save 1", "save 2", "save 4", "save 5"]
    called.clear()
    assert len(twin(Animal.scan()).all()) == 5
    assert sorted(called) == ["before Dog"] * 4 + ["loaded 1", "loaded 2", "loaded 4", "loaded 5"]
    called.clear()
    for read in (lambda: twin(Animal).get("1"), lambda: twin(Animal).get_many(["1"]), lambda: twin(Dog.scan()).first()):
        read()
        assert called[0] == "before Dog"
        assert called[1].startswith("loaded ")
        called.clear()


def test_items_that_are_written_along(db: dw.Database, twin: Twins) -> None:
    called: list[str] = []

    class Author(Model, table="authors"):
        id: Attr[str] = partition_key()
        name: Attr[str] = attr(default="")

        @hooks.before_save
        def before(self) -> None:
            called.append(f"before {self.id}")

        @hooks.after_save
        def after(self) -> None:
            called.append(f"after {self.id}")

    class Poem(Model, table="poems"):
        id: Attr[str] = partition_key()
        author_id: Attr[str | None] = attr(default=None)
        author: ToOne[Author] = dw.many_to_one("author_id", to="Author", cascade="save")

    db.create_tables(Author, Poem)
    poem = Poem(id="1", author_id="a")
    poem.author = Author(id="a")
    assert twin(poem).save() is True
    assert called == ["before a", "after a"]
    called.clear()
    assert twin(poem).save() is False
    assert called == ["before a"]


def test_abstract_classes_and_bases_that_are_no_models(db: dw.Database) -> None:
    class Stamped:
        __slots__ = ()

        @hooks.before_save
        def stamp(self: Any) -> None:
            self.by = "stamp"

    class Base(Model, abstract=True):
        by: Attr[str] = attr(default="")

        @hooks.before_insert
        def base(self) -> None:
            self.by += " base"

    class Both(Stamped, Base, table="both"):
        id: Attr[str] = partition_key()

    db.create_tables(Both)
    both = Both(id="1")
    both.insert()
    assert both.by == "stamp base"


def test_classes_of_other_libraries(twin: Twins) -> None:
    @dataclasses.dataclass
    class Data:
        id: str
        text: str = ""

        @hooks.before_save
        def shout(self) -> None:
            self.text = self.text.upper()

    class Row(TypedDict):
        id: str
        text: str

    def shout(event: hooks.Event) -> None:
        event.instance["text"] = event.instance["text"].upper()

    with dw.connect("memory:") as db:
        data = db.table(Data, name="data", partition_key="id")
        rows = db.table(Row, name="rows", partition_key="id")
        db.create_tables(data, rows)
        twin(data).put(Data("1", "a"))
        assert twin(data).get_one("1").text == "A"
        with hooks.before_save.connected(shout, sender=Row):
            twin(rows).put({"id": "1", "text": "a"})
            twin.within(db.transaction(), lambda tx: tx.put({"id": "2", "text": "b"}, table=rows))
        assert sorted(one["text"] for one in twin(rows.scan()).all()) == ["A", "B"]
        with hooks.before_save.connected(shout, sender=Row), pytest.raises(dw.ValidationError, match="expected Row"):
            twin(rows).put(3)


def test_pydantic_models(db: dw.Database, twin: Twins) -> None:
    from dynawire.pydantic import PydanticModel

    class Page(PydanticModel, table="pages"):
        id: str = partition_key()
        text: str = attr(default="")

        @hooks.before_save
        def shout(self) -> None:
            self.text = self.text.upper()

        @hooks.after_load
        def whisper(self) -> None:
            self.text = self.text.lower()

    db.create_tables(Page)
    page = Page(id="1", text="a")
    twin(page).insert()
    assert page.text == "A"
    assert twin(Page).get_one("1").text == "a"


# ---------------------------------------------------------------------- what they raise


class Refused(Exception):
    pass


def refuse(event: hooks.Event) -> None:
    raise Refused(event.name)


WRITES: dict[str, tuple[str, Callable[[Twins, dw.Database], Any]]] = {
    "insert": ("before_save", lambda twin, db: twin(Book(isbn="n")).insert()),
    "insert, inner": ("before_insert", lambda twin, db: twin(Book(isbn="n")).insert()),
    "put": ("before_save", lambda twin, db: twin(Book(isbn="n")).put()),
    "save": ("before_save", lambda twin, db: twin(Book(isbn="n")).save()),
    "validate": ("before_validate", lambda twin, db: twin(Book(isbn="n")).put()),
    "validated": ("after_validate", lambda twin, db: twin(Book(isbn="n")).save()),
    "update": ("before_update", lambda twin, db: twin(Book(isbn="1")).update(copies=1)),
    "update by key": ("before_update", lambda twin, db: twin(Book.key("1")).update(copies=1)),
    "delete": ("before_delete", lambda twin, db: twin(Book(isbn="1")).delete()),
    "delete by key": ("before_delete", lambda twin, db: twin(Book.key("1")).delete()),
    "put_many": ("before_save", lambda twin, db: twin(Book).put_many([Book(isbn="n")])),
    "delete_many": ("before_delete", lambda twin, db: twin(Book).delete_many(["1"])),
    "transaction": ("before_save", lambda twin, db: twin.within(db.transaction(), lambda tx: tx.put(Book(isbn="n")))),
    "transaction, delete": (
        "before_delete",
        lambda twin, db: twin.within(db.transaction(), lambda tx: tx.delete(Book.key("1"))),
    ),
}


@pytest.mark.parametrize(("name", "write"), WRITES.values(), ids=WRITES)
def test_a_raising_hook_stops_the_write(
    db: dw.Database, twin: Twins, name: str, write: Callable[[Twins, dw.Database], Any]
) -> None:
    Book(isbn="1").put()
    recorded(db).clear()
    with getattr(hooks, name).connected(refuse, sender=Book), pytest.raises(Refused, match=name):
        write(twin, db)
    assert recorded(db).sent == []


def test_a_write_that_fails_has_no_after(db: dw.Database, twin: Twins, heard: list[tuple[str, str]]) -> None:
    twin(Book(isbn="1")).put()
    heard.clear()
    with pytest.raises(dw.ItemExists):
        twin(Book(isbn="1")).insert()
    with pytest.raises(dw.ItemNotFound):
        twin(Book.key("x")).update(copies=1)
    with pytest.raises(dw.TransactionCancelled):
        twin.within(db.transaction(), lambda tx: tx.insert(Book(isbn="1")))
    assert {"after_save", "after_insert", "after_update"}.isdisjoint(names(heard))


def test_what_is_raised_afterwards_says_that_it_was_written(db: dw.Database, twin: Twins) -> None:
    book = Book(isbn="1")
    with hooks.after_save.connected(refuse, sender=Book):
        with pytest.raises(Refused) as caught:
            twin(book).insert()
        assert caught.value.__notes__ == ["the insert of this Book was applied; only its after_save hook failed"]
    assert twin(book).save() is False
    with hooks.after_delete.connected(refuse, sender=Book), pytest.raises(Refused) as caught:
        twin(Book.key("1")).delete()
    assert caught.value.__notes__ == ["the delete of this Book was applied; only its after_delete hook failed"]
    assert twin(Book).get("1") is None


def test_after_a_transaction_every_hook_is_called(db: dw.Database, twin: Twins) -> None:
    called: list[Any] = []

    def fail(event: hooks.Event) -> None:
        called.append(event.key)
        raise Refused

    def body(tx: dw.Transaction) -> None:
        tx.put(Book(isbn="1"))
        tx.put(Book(isbn="2"))

    with hooks.after_save.connected(fail, sender=Book), pytest.raises(Refused) as caught:
        twin.within(db.transaction(), body)
    assert called == [("1",), ("2",)]
    assert caught.value.__notes__ == [
        "the put of this Book was applied; only its after_save hook failed",
        "another hook failed after it: Refused",
    ]
    assert twin(Book.scan()).count() == 2


def test_a_hook_that_raises_in_a_batch(db: dw.Database, twin: Twins) -> None:
    def refuse_some(event: hooks.Event) -> None:
        if event.key == ("150",):
            raise Refused

    books = [Book(isbn=str(number)) for number in range(200)]
    with hooks.before_save.connected(refuse_some, sender=Book), pytest.raises(Refused) as caught:
        twin(Book).put_many(books)
    assert twin(Book.scan()).count() == 100
    assert "the item at index 150, 100 items were written and 0 deleted" in caught.value.__notes__[0]
    result = caught.value.result  # type: ignore[attr-defined]
    assert (result.written, result.failed_at, len(result.unprocessed)) == (100, 150, 100)

    with hooks.before_save.connected(refuse_some, sender=Book), pytest.raises(Refused):
        twin(Book).put_many(books[150:])
    assert twin(Book.scan()).count() == 100


def test_a_hook_that_raises_after_a_part_of_a_batch(db: dw.Database, twin: Twins) -> None:
    called: list[Any] = []

    def refuse_some(event: hooks.Event) -> None:
        called.append(event.key)
        if event.key == ("5",):
            raise Refused

    books = [Book(isbn=str(number)) for number in range(200)]
    with hooks.after_save.connected(refuse_some, sender=Book), pytest.raises(Refused) as caught:
        twin(Book).put_many(books)
    # What was begun is written, and told; nothing more is begun.
    assert len(called) == 100
    assert twin(Book.scan()).count() == 100
    assert caught.value.__notes__[0] == "the put of this Book was applied; only its after_save hook failed"
    assert "100 items were written and 0 deleted; 100 that were given are not written" in caught.value.__notes__[1]
    assert len(caught.value.result.unprocessed) == 100  # type: ignore[attr-defined]


def test_hooks_of_loading_that_raise(twin: Twins, db: dw.Database) -> None:
    twin(Book(isbn="1")).put()
    for name in ("before_load", "after_load"):
        with getattr(hooks, name).connected(refuse, sender=Book):
            for read in (
                lambda: twin(Book).get("1"),
                lambda: twin(Book.scan()).all(),
                lambda: twin(Book).get_many(["1"]),
                lambda: twin(Book.find(Book.title == "")).all(),
                lambda: twin(db).transact_get(Book.key("1")),
            ):
                with pytest.raises(Refused, match=name):
                    read()
            with pytest.raises(dw.ItemExists) as caught:
                twin(Book(isbn="1")).insert()
            assert caught.value.item is None
            assert caught.value.wire_item is not None


# ---------------------------------------------------------------------- sync and async


class Waiting(Model, table="waitings"):
    id: Attr[str] = partition_key()
    done: ClassVar[list[str]] = []

    @hooks.before_save
    async def before(self) -> None:
        await asyncio.sleep(0)
        self.done.append("before")

    @hooks.after_delete
    @classmethod
    async def after(cls, event: hooks.Event) -> None:
        await asyncio.sleep(0)
        cls.done.append("after")


def test_async_hooks(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Waiting)
    recorded(db).clear()
    Waiting.done.clear()
    one = Waiting(id="1")
    calls: dict[str, Callable[[], Any]] = {
        "put": lambda: twin(one).put(),
        "save": lambda: twin(one).save(),
        "delete": lambda: twin(one).delete(),
        "delete by key": lambda: twin(Waiting.key("1")).delete(),
        "put_many": lambda: twin(Waiting).put_many([one]),
        "transaction": lambda: twin.within(db.transaction(), lambda tx: tx.put(Waiting(id="2"))),
    }
    for name, call in calls.items():
        if twin.is_async:
            call()
            continue
        with pytest.raises(
            dw.DynawireError, match=r"the hook Waiting\.\w+ must be awaited, .* call a(put|save|delete)"
        ):
            call()
        assert recorded(db).sent == [], name
    assert Waiting.done == (["before", "before", "after", "after", "before", "before"] if twin.is_async else [])


def test_what_a_plain_function_gives_to_await(db: dw.Database, twin: Twins) -> None:
    called: list[str] = []

    async def wait(event: hooks.Event) -> None:
        called.append(event.name)

    def later(event: hooks.Event) -> Any:
        return wait(event)

    with hooks.before_save.connected(later, sender=Book):
        if twin.is_async:
            twin(Book(isbn="1")).put()
            assert called == ["before_save"]
        else:
            with pytest.raises(dw.DynawireError, match=r"later must be awaited"):
                Book(isbn="1").put()
            assert recorded(db).sent == []


def test_a_hook_may_write_and_read(db: dw.Database, twin: Twins) -> None:
    def count(event: hooks.Event) -> None:
        if not twin.is_async:
            Plain(id=event.key[0]).put()

    async def acount(event: hooks.Event) -> None:
        await Plain(id=event.key[0]).aput()

    with hooks.after_save.connected(acount if twin.is_async else count, sender=Book):
        twin(Book(isbn="1")).put()
    assert twin(Plain).exists("1")


def test_with_a_version(db: dw.Database, twin: Twins) -> None:
    class Counted(Model, table="counted"):
        id: Attr[str] = partition_key()
        title: Attr[str] = attr(default="")
        v: Attr[int] = version()
        seen: ClassVar[list[int]] = []

        @hooks.before_save
        def before(self) -> None:
            self.seen.append(self.v)
            self.title += "."

        @hooks.after_save
        def after(self) -> None:
            self.seen.append(self.v)

    db.create_tables(Counted)
    one = Counted(id="1")
    twin(one).put()
    twin(one).save()
    assert (Counted.seen, one.v) == ([0, 1, 1, 2], 2)
    stale = twin(Counted).get_one("1")
    twin(one).put()
    with pytest.raises(dw.VersionConflict):
        twin(stale).save()
    assert Counted.seen == [0, 1, 1, 2, 2, 3, 2]


# ---------------------------------------------------------------------- from outside


def test_senders_and_order() -> None:
    called: list[str] = []

    def everything(event: hooks.Event) -> None:
        called.append(f"every {event.model.__name__}")

    def books(event: hooks.Event) -> None:
        called.append(f"books {event.model.__name__}")

    with (
        hooks.before_save.connected(everything),
        hooks.before_save.connected(books, sender=Book),
        hooks.before_save.connected(books, sender=Book),
    ):
        Book(isbn="1").put()
        Novel(isbn="1").put()
        Plain(id="1").put()

        class Later(Book, table="laters"):
            pass

        dw.database.table_of(Later).create()
        Later(isbn="1").put()
    assert called == [
        "every Book",
        "books Book",
        "every Novel",
        "books Novel",
        "every Plain",
        "every Later",
        "books Later",
    ]
    Book(isbn="1").put()
    assert len(called) == 7


def test_decorators_and_disconnecting() -> None:
    called: list[str] = []

    @hooks.after_save.connect(sender=Book)
    def after(event: hooks.Event) -> None:
        called.append(repr(event))

    @hooks.after_save.connect
    def every(event: hooks.Event) -> None:
        called.append("every")

    Book(isbn="1").put()
    assert called == ["<Event after_save of Book>", "every"]
    hooks.after_save.disconnect(after)
    hooks.after_save.disconnect(every)
    Book(isbn="1").put()
    assert len(called) == 3
    hooks.after_save.disconnect(after, sender=Book)
    hooks.after_save.disconnect(after, sender=Book)
    Book(isbn="1").put()
    assert len(called) == 3
    assert dw.database.table_of(Book)._target.mapped.hooks is None


def test_a_connected_function_stays_alive_and_a_class_does_not() -> None:
    called: list[str] = []
    hooks.before_save.connect(lambda event: called.append("called"), sender=Plain)
    gc.collect()
    Plain(id="1").put()
    assert called == ["called"]
    from dynawire.operations.hooks import _connected

    _connected["before_save"].clear()
    hooks.before_save.connect(refuse, sender=Plain)
    hooks.before_save.disconnect(refuse, sender=Plain)

    def made() -> Any:
        class Short(Model, table="shorts"):
            id: Attr[str] = partition_key()

        return weakref.ref(Short.__mapped__)

    short = made()
    gc.collect()
    assert short() is None


def test_events_have_what_a_hook_needs(twin: Twins) -> None:
    seen: list[Any] = []

    def see(event: hooks.Event) -> None:
        seen.append((event.operation, event.model, event.instance, event.key, [repr(one) for one in event.updates]))

    book = Book(isbn="1")
    with (
        hooks.before_save.connected(see, sender=Book),
        hooks.before_update.connected(see, sender=Book),
        hooks.before_delete.connected(see, sender=Book),
    ):
        twin(book).put()
        twin(book).update(Book.copies.add(1), title="x")
        twin(Book.key("1")).delete()
    assert [one[:4] for one in seen] == [
        ("put", Book, book, ("1",)),
        ("update", Book, book, ("1",)),
        ("delete", Book, None, ("1",)),
    ]
    assert [len(one[4]) for one in seen] == [0, 2, 0]


# ---------------------------------------------------------------------- misuse


def _class(method: Any, event: str = "before_save") -> Any:
    return type(Model)(
        "Made",
        (Model,),
        {
            "__module__": __name__,
            "__annotations__": {"id": Attr[str]},
            "id": partition_key(),
            "hook": getattr(hooks, event)(method),
        },
        table="made",
    )


def _two(self: Any, event: Any, more: Any) -> None: ...


def _keyword(self: Any, *, more: Any) -> None: ...


def _none() -> None: ...


async def _waits(self: Any) -> None: ...


def _fine(self: Any) -> None: ...


MISUSE: dict[str, tuple[Callable[[], Any], str]] = {
    "two parameters": (
        lambda: _class(_two),
        r"Made\.hook is called by before_save .* write hook\(self\) or \(self, event\)",
    ),
    "keyword": (lambda: _class(_keyword), r"Made\.hook is called by before_save"),
    "no parameter": (lambda: _class(_none), r"Made\.hook is called by before_save"),
    "classmethod": (lambda: _class(classmethod(_two)), r"write hook\(cls\) or \(cls, event\)"),
    "no method": (lambda: hooks.before_save(3), "@before_save marks a method of a mapped class, and this is int"),
    "class": (lambda: hooks.before_save(Book), "and this is ModelMeta"),
    "load without instance": (lambda: _class(_fine, "before_load"), "make it a classmethod"),
    "async load": (
        lambda: _class(_waits, "after_load"),
        "Made.hook is a coroutine function, and after_load can't wait",
    ),
    "async validate": (lambda: _class(_waits, "before_validate"), "before_validate can't wait"),
    "connected async load": (lambda: hooks.after_load.connect(_waits), "_waits is a coroutine function"),
    "connected without parameter": (lambda: hooks.before_save.connect(_none), r"write _none\(event\)"),
    "connected with two": (lambda: hooks.before_save.connect(_two), r"write _two\(event\)"),
    "connected with three": (lambda: hooks.before_save.connect(lambda a, b: None), "is called with the event"),
    "connected no function": (lambda: hooks.before_save.connect(3), "takes a function of one parameter"),  # type: ignore[call-overload]
    "strange sender": (lambda: hooks.before_save.connect(refuse, sender="Book"), "takes a class, not str"),  # type: ignore[call-overload]
}


@pytest.mark.parametrize(("make", "said"), MISUSE.values(), ids=MISUSE)
def test_misuse(make: Callable[[], Any], said: str) -> None:
    with pytest.raises(dw.SchemaError, match=said):
        make()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("before_svae", "did you mean 'before_save'"),
        ("before_put", r"put\(\) calls before_save"),
        ("on_x", "there are: "),
    ],
)
def test_unknown_hooks(name: str, said: str) -> None:
    with pytest.raises(AttributeError, match=said):
        getattr(hooks, name)


def test_the_wrong_class_is_refused_before_any_hook(heard: list[tuple[str, str]], db: dw.Database, twin: Twins) -> None:
    table: Any = db.table(Book)
    for write in ("insert", "put", "save"):
        with pytest.raises(dw.ValidationError, match="expected Book"):
            getattr(twin(table), write)(Plain(id="1"))
    with pytest.raises(dw.ValidationError, match="expected Book"):
        twin(table).put_many([Plain(id="1")])
    assert names(heard) == []
