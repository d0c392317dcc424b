"""A migrated instance writes back what changed, if the stored item is still what was migrated."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from typing import Any, NotRequired, TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynawire as dw
from dynawire import attr, partition_key, sort_key
from dynawire.codec.dynamic import decode_any, encode_any
from dynawire.operations.target import encode_json
from dynawire.pydantic import PydanticModel
from tests.migrations.books import V1, V2, V3, Account, Book, BookMigrations, Film, put_raw, stored
from tests.support.databases import Twins, raw_update, recorded

BALANCE = {"id": {"S": "1"}}
OLD_ACCOUNT: dict[str, Any] = {**BALANCE, "money": {"N": "5"}, "owner": {"S": "ann"}}


def test_save_writes_the_whole_difference(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    book = twin(Book).get("a", "1")
    book.pages = 13
    book.loan["till"] = "May"
    recorded(db).clear()
    assert twin(book).save() is True
    (sent,) = recorded(db).sent
    changed = sent.body["ExpressionAttributeNames"].values()
    # Neither what the migrations left alone, nor what another spelling of one value would be.
    assert {"tags", "cover", "price", "unknown"} & set(
        sent.body["UpdateExpression"].split(" ") + [name for name in changed if _assigned(sent.body, name)]
    ) == set()
    expected = V3 | {"pages": {"N": "13"}, "loan": {"M": {"who": {"S": "Ann"}, "till": {"S": "May"}}}}
    assert stored(db) == expected
    assert twin(book).save() is False
    book.pages = 14
    twin(book).save()
    assert stored(db) == expected | {"pages": {"N": "14"}}


def _assigned(body: dict[str, Any], name: str) -> bool:
    placeholder = next(key for key, its in body["ExpressionAttributeNames"].items() if its == name)
    words = body["UpdateExpression"].replace(",", " ").split()
    return placeholder in words


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        pytest.param("SET #name = :n", {"n": {"S": "Renamed"}}, id="what the migration read"),
        pytest.param("SET published = :n", {"n": {"S": "2001-01-01"}}, id="what the migration added"),
        pytest.param("SET #tags = :n", {"n": {"SS": ["z"]}}, id="what it left alone"),
        pytest.param("SET #unknown = :n", {"n": {"S": "z"}}, id="what the class does not know"),
        pytest.param("REMOVE #year", {}, id="what it removed"),
    ],
)
def test_a_save_never_undoes_what_another_writer_did(
    expression: str, values: dict[str, Any], db: dw.Database, twin: Twins
) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    book = twin(Book).get("a", "1")
    raw_update(db, book, expression, **values)
    now = stored(db)
    with pytest.raises(
        dw.ConditionFailed, match="was migrated from version 1 when it was loaded, and another"
    ) as error:
        twin(book).save()
    assert isinstance(error.value.item, Book)
    assert stored(db) == now
    twin(book).refresh()
    twin(book).save()
    assert twin(Book).get("a", "1").to_dict() == book.to_dict()


def test_two_readers_of_one_old_item(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    mine, yours = twin(Book).get("a", "1"), twin(Book).get("a", "1")
    yours.title = "Yours"
    twin(yours).save()
    with pytest.raises(dw.ConditionFailed):
        twin(mine).save()  # it would have put the old title back
    assert twin(Book).get("a", "1").title == "Yours"


def test_a_deleted_item_stays_deleted(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    book = twin(Book).get("a", "1")
    twin(Book.key("a", "1")).delete()
    with pytest.raises(dw.ItemNotFound):
        twin(book).save()
    assert stored(db) is None


def test_conditions_of_the_caller_come_first(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    book = twin(Book).get("a", "1")
    with pytest.raises(dw.ConditionFailed, match="the condition on this Book is false"):
        twin(book).save(condition=Book.tags.contains("q"))
    assert twin(book).save(condition=Book.tags.contains("a"), exactly_once=True) is True
    assert stored(db) == V3


def test_in_a_transaction(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    book = twin(Book).get("a", "1")
    raw_update(db, book, "SET #pages = :n", n={"S": "15"})
    with pytest.raises(dw.TransactionCancelled) as cancelled:
        twin.within(db.transaction(), lambda tx: tx.save(book))
    assert "migrated from version 1" in str(cancelled.value.reasons[0])
    twin(book).refresh()
    twin.within(db.transaction(), lambda tx: tx.save(book))
    assert stored(db) == V3 | {"pages": {"N": "15"}}


def test_a_version_is_checked_and_an_immutable_attribute_may_be_migrated(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Account)
    put_raw(db, Account, OLD_ACCOUNT | {"lock": {"N": "7"}})
    mine, yours = twin(Account).get("1"), twin(Account).get("1")
    assert (mine.balance, mine.owner, mine.lock) == (5, "Ann", 7)
    twin(yours).save()
    assert yours.lock == 8
    with pytest.raises(dw.VersionConflict):
        twin(mine).save()
    assert stored(db, Account, BALANCE) == {
        **BALANCE,
        "balance": {"N": "5"},
        "owner": {"S": "Ann"},
        "lock": {"N": "8"},
        "changed": {"S": "2026-01-01T00:00:00+00:00"},
    }
    put_raw(db, Account, OLD_ACCOUNT)
    fresh = twin(Account).get("1")
    fresh.owner = "Bob"
    for write in ("save", "put"):
        with pytest.raises(dw.ValidationError, match="owner is immutable"):
            getattr(twin(fresh), write)()
    fresh.owner = "Ann"
    twin(fresh).put()
    assert twin(Account).get("1").lock == 1


def test_put_and_delete_of_a_migrated_instance(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    book = twin(Book).get("a", "1")
    twin(book).put()
    assert stored(db) == {name: one for name, one in V3.items() if name != "unknown"}
    assert twin(book).save() is False
    put_raw(db, Book, V1)
    twin(twin(Book).get("a", "1")).delete()
    assert stored(db) is None


def test_an_instance_of_an_earlier_version_is_not_updated_in_place(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Book)
    put_raw(db, Book, V1)
    book = twin(Book).get("a", "1")
    with pytest.raises(dw.ExpressionError, match=r"still stored as version 1.*save\(\) it first"):
        twin(book).update(Book.pages.add(1))
    twin(book).save()
    assert twin(book).update(Book.pages.add(1)).pages == 13


def test_with_a_version_attribute_no_update_makes_a_mixture(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Film)
    old = {"id": {"S": "1"}, "name": {"S": " A "}}
    put_raw(db, Film, old)
    for upsert in (False, True):
        with pytest.raises(dw.ConditionFailed, match="the stored item is not of version 3 of Film") as error:
            twin(Film.key("1")).update(Film.title.set("B"), upsert=upsert)
        assert error.value.item.title == "A"
    assert stored(db, Film, {"id": {"S": "1"}}) == old
    with pytest.raises(dw.ItemNotFound):
        twin(Film.key("2")).update(Film.title.set("B"))
    made = twin(Film.key("2")).update(Film.title.set("B"), upsert=True)
    assert (made.title, made.schema) == ("B", 3)
    assert twin(Film.key("2")).update(Film.seen.add(1)).seen == 1
    with pytest.raises(dw.ExpressionError, match="schema says which version the item is"):
        twin(Film.key("2")).update(Film.schema.set(2))
    film = twin(Film).get("1")
    assert twin(film).save() is True
    assert stored(db, Film, {"id": {"S": "1"}}) == {"id": {"S": "1"}, "title": {"S": "A"}, "schema": {"N": "3"}}
    twin.within(db.transaction(), lambda tx: tx.update(Film.key("1"), Film.seen.add(1)))
    assert twin(Film).get("1").seen == 1


def test_update_where_reports_the_items_of_earlier_versions(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Film)
    put_raw(db, Film, {"id": {"S": "1"}, "schema": {"N": "2"}, "title": {"S": "A"}, "seen": {"N": "0"}})
    twin(Film(id="2", title="B")).put()
    result = twin(Film).update_where(Film.seen == 0, Film.seen.add(1))
    assert (result.matched, result.written, result.skipped, result.failed) == (2, 1, 0, 1)
    ((key, error),) = result.failures
    assert key == ("1",)
    assert "the stored item is not of version 3 of Film" in error.message
    assert twin(Film).delete_where(Film.seen == 0).written == 1


# ---------------------------------------------------------------------- other libraries' classes


@dataclasses.dataclass
class Data:
    shelf: str
    isbn: str
    title: str
    pages: int = 0
    published: date | None = None
    format: int = 3


class Dict(TypedDict):
    shelf: str
    isbn: str
    title: str
    pages: int
    published: NotRequired[date]


class Pydantic(PydanticModel, table="books", migrations=BookMigrations):
    shelf: str = partition_key()
    isbn: str = sort_key()
    title: str
    pages: int = attr(default=0)
    published: date | None = None
    format: int = 3


@pytest.mark.parametrize("cls", [Data, Pydantic])
def test_classes_of_other_libraries(cls: Any) -> None:
    with dw.connect("memory:") as db:
        table = _table(db, cls)
        _store(db, V1)
        book = table.get("a", "1")
        assert (book.title, book.pages) == ("Old", 12)
        book.pages = 13
        assert table.save(book) is True
        after = table.get("a", "1")
        assert (after.title, after.pages, after.format) == ("Old", 13, 3)
        _store(db, V2)
        assert table.migrate_all().migrated == 1
        assert table.get("a", "1").format == 3


def test_dicts_are_read_and_migrated_but_not_saved() -> None:
    with dw.connect("memory:") as db:
        table = _table(db, Dict)
        _store(db, V1)
        assert table.get("a", "1")["title"] == "Old"
        with pytest.raises(dw.ValidationError, match="can't be referred to weakly"):
            table.save(table.get("a", "1"))
        assert table.migrate_all().migrated == 1
        assert table.migrate_all().current == 1


def _table(db: dw.Database, cls: Any) -> Any:
    if cls is Pydantic:
        table = db.table(cls)
    else:
        table = db.table(cls, name="books", partition_key="shelf", sort_key="isbn", migrations=BookMigrations)
    table.create()
    return table


def _store(db: dw.Database, item: dict[str, Any]) -> None:
    db.engine.send("PutItem", encode_json({"TableName": "books", "Item": item}))


# ---------------------------------------------------------------------- anything stored

_values = st.recursive(
    st.one_of(
        st.text(max_size=3),
        st.integers(-(10**20), 10**20),
        st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000),
        st.booleans(),
        st.none(),
        st.binary(max_size=3),
        st.sets(st.text(max_size=2), min_size=1, max_size=3),
        st.sets(st.binary(max_size=2), min_size=1, max_size=3),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(min_size=1, max_size=2), inner, max_size=2),
    max_leaves=4,
)
_names = st.sampled_from(["a", "b", "c", "d"])
_items = st.dictionaries(_names, _values)


class _Given(dw.Migrations):
    """Replaces whatever is stored by what a test says."""

    after: dict[str, Any]

    def check_1(self, item: dict[str, Any]) -> bool:
        return "v" not in item

    def check_2(self, item: dict[str, Any]) -> bool:
        return "v" in item

    def migrate_to_2(self, item: dict[str, Any]) -> dict[str, Any]:
        return {"id": item["id"], "v": 2, **_Given.after}


class Anything(dw.Model, table="anything", migrations=_Given):
    id: dw.Attr[str] = partition_key()
    a: dw.Attr[Any] = attr(default="default", store_none=True)
    b: dw.Attr[Any] = attr(default=None)


@settings(max_examples=150, deadline=None)
@given(before=_items, after=_items)
def test_whatever_a_migration_makes_is_stored_by_save_and_by_migrate_all(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(Anything)
        for write in (lambda: Anything.get_one("1").save(), lambda: Anything.migrate_all(segments=1).migrated == 1):
            item = {name: encode_any(value) for name, value in before.items()}
            _send(db, "PutItem", Item={"id": {"S": "1"}, **item})
            _Given.after = after
            assert write()
            _Given.after = {"a": "never again"}
            assert Anything.get_one("1").save() is False
            found = _send(db, "GetItem", Key={"id": {"S": "1"}})["Item"]
            assert {name: decode_any(wire) for name, wire in found.items()} == {"id": "1", "v": 2, **after}


def _send(db: dw.Database, operation: str, **request: Any) -> Any:
    return json.loads(db.engine.send(operation, encode_json({"TableName": "anything", **request})))
