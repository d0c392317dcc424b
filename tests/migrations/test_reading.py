"""Items of earlier versions are read as what the class is today, by every way of reading whole items."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import dynawire as dw
from dynawire.operations.target import encode_json
from tests.migrations.books import KEY, V1, V2, V3, VALUES, Account, Book, BookMigrations, Film, put_raw, stored
from tests.support.databases import Twins, case, raw, recorded


def test_every_way_of_reading(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    for item in (V1, V3):
        put_raw(db, Book, item)
        for name, read in _ways(db, twin, item).items():
            with case(name):
                assert read().to_dict() == VALUES
        assert stored(db) == {**item, "tags": {"SS": ["a", "b"]}}  # reading changes nothing


def _ways(db: dw.Database, twin: Twins, item: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    return {
        "get": lambda: twin(Book).get("a", "1"),
        "get_one": lambda: twin(Book).get_one("a", "1", consistent=True),
        "key": lambda: twin(Book.key("a", "1")).get(),
        "query": lambda: twin(Book.query("a")).all()[0],
        "iterated": lambda: twin.items(Book.query("a"))[0],
        "page": lambda: twin(Book.scan()).page(size=5).items[0],
        "scan": lambda: twin(Book.scan().parallel(2)).first(),
        "get_many": lambda: twin(Book).get_many([("a", "1")]).items[0],
        "transact_get": lambda: twin(db).transact_get(Book.key("a", "1"))[0],
        "find": lambda: twin(Book.find(shelf="a")).all()[0],
        "find in batches": lambda: twin(Book.find(shelf__in=["a", "b"])).all()[0],
        "table": lambda: twin(db.table(Book)).get("a", "1"),
        "from_item": lambda: Book.from_item(item),
        "refresh": lambda: _refreshed(twin),
    }


def _refreshed(twin: Twins) -> Book:
    book = Book(shelf="a", isbn="1", title="?")
    twin(book).refresh()
    return book


def test_an_index_gives_those_that_it_holds(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V2)
    (book,) = twin(Book.by_title.query("Old")).all()
    assert (book.pages, book.published) == (12, VALUES["published"])


def test_what_was_written_comes_back_migrated(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    old = twin(Book(shelf="a", isbn="1", title="New")).put(return_old=True)
    assert old.to_dict() == VALUES
    put_raw(db, Book, V1)
    with pytest.raises(dw.ItemExists) as exists:
        twin(Book(shelf="a", isbn="1", title="New")).insert()
    assert exists.value.item is None or exists.value.item.to_dict() == VALUES
    assert twin(Book.key("a", "1")).delete(return_old=True).to_dict() == VALUES


def test_the_highest_version_that_an_item_looks_like_counts(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, {**V2, "name": {"S": "also a name"}})
    assert twin(Book).get("a", "1").title == "Old"


def test_projections_give_what_is_stored(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V2)
    assert twin(Book.query("a").project(Book.title, Book.published)).all() == [("Old", None)]


def test_a_version_attribute(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Film)
    put_raw(db, Film, {"id": {"S": "1"}, "name": {"S": " A "}})
    put_raw(db, Film, {"id": {"S": "2"}, "name": {"S": " B "}, "title": {"S": " B "}, "schema": {"N": "2"}})
    put_raw(db, Film, {"id": {"S": "3"}, "title": {"S": " C "}, "schema": {"N": "3"}})
    found = sorted((film.id, film.title, film.schema) for film in twin(Film.scan()).all())
    assert found == [("1", "A", 3), ("2", "B", 3), ("3", " C ", 3)]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"N": "4"}, "says that it is of version 4, which is not known here; a newer program wrote it"),
        ({"N": "0"}, "says that it is of version 0, which is not known here;? in"),
        ({"S": "2"}, "its attribute schema is no version"),
        ({"N": "2.5"}, "its attribute schema is no version"),
    ],
)
def test_a_version_that_is_not_known(schema: Any, message: str) -> None:
    with dw.connect("memory:") as db:
        item = {"id": {"S": "1"}, "title": {"S": "x"}, "schema": schema}
        db.create_tables(Film)
        db.engine.send("PutItem", encode_json({"TableName": "films", "Item": item}))
        for read in (lambda: Film.get("1"), lambda: Film.get_many(["1"]), lambda: Film.scan().all()):
            with pytest.raises(dw.DecodeError, match=message) as error:
                read()
            assert error.value.key == {"id": {"S": "1"}}


def test_an_item_no_check_recognises_is_named_with_its_key(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, {**KEY, "secret": {"S": "hidden"}})
    put_raw(db, Book, {**V1, "isbn": {"S": "2"}})
    with pytest.raises(dw.DecodeError, match="none of its checks recognises this item") as error:
        twin(Book).get("a", "1")
    assert (error.value.model, error.value.key, error.value.version) == ("Book", KEY, None)
    assert "hidden" not in str(error.value)
    misfits: list[dw.DecodeError] = []
    assert [book.isbn for book in twin(Book.query("a").collect_misfits(misfits)).all()] == ["2"]
    assert [misfit.key for misfit in misfits] == [KEY]
    misfits = []
    assert len(twin(Book).get_many([("a", "1"), ("a", "2")], misfits=misfits).items) == 1
    assert [misfit.key for misfit in misfits] == [KEY]


def test_a_migrated_item_that_does_not_fit_is_told_as_what_it_became(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, {**V1, "loan": {"M": {"who": {"N": "1"}}}})
    with pytest.raises(dw.DecodeError, match=r"loan\[\.\.\.\]: expected str") as error:
        twin(Book).get("a", "1")
    assert error.value.path == "loan['who']"
    assert error.value.version == 1
    assert error.value.key == KEY


def test_a_copy_knows_what_was_loaded(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    for copied in (copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))):
        put_raw(db, Book, V1)
        book = copied(twin(Book).get("a", "1"))
        assert twin(book).save() is True
        assert stored(db) == V3


def test_items_of_the_latest_version_are_not_decoded_twice_as_values() -> None:
    calls: list[int] = []

    class Counted(BookMigrations):
        def check_3(self, item: dict[str, Any]) -> bool:
            calls.append(3)
            return super().check_3(item)

        def check_2(self, item: dict[str, Any]) -> bool:
            raise AssertionError("a higher check said yes")

    class Counting(dw.Model, table="books", migrations=Counted):
        shelf: dw.Attr[str] = dw.partition_key()
        isbn: dw.Attr[str] = dw.sort_key()
        title: dw.Attr[str]

    assert Counting.from_item(V3).title == "Old"
    assert calls == [3]


def test_what_a_check_or_a_failed_migration_changes_is_a_copy(db: dw.Database, twin: Twins) -> None:
    class Careless(dw.Migrations):
        def check_1(self, item: dict[str, Any]) -> bool:
            item["inner"].clear()
            return "old" in item

        def check_2(self, item: dict[str, Any]) -> bool:
            return "new" in item

        def migrate_to_2(self, item: dict[str, Any]) -> dict[str, Any]:
            item["new"] = item.pop("old") + item["inner"].pop()
            return item

    class Careful(dw.Model, table="careful", migrations=Careless):
        id: dw.Attr[str] = dw.partition_key()
        new: dw.Attr[int]
        inner: dw.Attr[list[int]]

    twin(db).create_tables(Careful)
    put_raw(db, Careful, {"id": {"S": "1"}, "old": {"N": "1"}, "inner": {"L": [{"N": "5"}, {"N": "6"}]}})
    found = twin(Careful).get("1")
    assert (found.new, found.inner) == (7, [5])
    # dynamodb-mapper's flaw: its migrator changed the raw data, and then every checked save conflicted.
    assert twin(found).save() is True
    assert stored(db, Careful, {"id": {"S": "1"}}) == {
        "id": {"S": "1"},
        "new": {"N": "7"},
        "inner": {"L": [{"N": "5"}]},
    }


def test_an_inherited_class_has_the_migrations(db: dw.Database, twin: Twins) -> None:
    class Special(Account, table="special"):
        bonus: dw.Attr[int] = dw.attr(default=0)

    twin(db).create_tables(Special)
    raw(db, Special, "PutItem", Item={"id": {"S": "1"}, "money": {"N": "5"}, "owner": {"S": "ann"}})
    assert twin(Special).get("1").balance == 5
    assert recorded(db).operations()[-1] == "GetItem"
