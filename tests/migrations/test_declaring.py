"""Mistakes in migrations, found when they are declared or when they run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, attr, partition_key
from dynawire.operations.target import encode_json

Item = dict[str, Any]


def yes(self: Any, item: Item) -> bool:
    return True


def same(self: Any, item: Item) -> Item:
    return item


async def later(self: Any, item: Item) -> Item:
    return item


@pytest.mark.parametrize(
    ("body", "keywords", "message"),
    [
        ({}, {}, "M: no versions; write check_1"),
        ({"check_1": yes, "check_2": yes}, {}, "M.check_2: there is no migrate_to_2, so no earlier item"),
        (
            {"check_1": yes, "check_2": yes, "check_3": yes, "migrate_to_3": same},
            {},
            "M.check_2: there is no migrate_to_2",
        ),
        ({"check_1": yes, "migrate_to_2": same}, {}, "M.migrate_to_2: there is no check_2"),
        ({"check_1": yes, "migrate_to_1": same}, {}, "M.migrate_to_1: 1 is the first version"),
        ({"check_one": yes}, {}, r"M.check_one: 'one' is no version; write check_2 for version 2, and _check_one"),
        ({"check_01": yes}, {}, "'01' is no version"),
        ({"check_1": yes, "migrate_to_two": same}, {}, "'two' is no version"),
        ({"check_1": yes, "migrate_2": same}, {}, "M.migrate_2: would never be called; write migrate_to_N"),
        ({"check_1": True}, {}, "M.check_1: must be a method"),
        ({"check_1": later}, {}, "M.check_1: .* can't be async; drop 'async'"),
        ({"check_1": yes, "check_2": yes, "migrate_to_2": later}, {}, "M.migrate_to_2: .* can't be async"),
        ({}, {"version": "v"}, "M: no migrations; write migrate_to_2"),
        ({"migrate_to_2": same, "check_1": yes}, {"version": "v"}, "M.check_1: the attribute v tells the version"),
        ({"migrate_to_0": same}, {"version": "v"}, "no version before 0"),
        ({"migrate_to_2": same}, {"version": ""}, "version= is the stored name"),
        ({"migrate_to_2": same}, {"version": 3}, "version= is the stored name"),
    ],
)
def test_a_chain_that_can_not_work(body: dict[str, Any], keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(dw.SchemaError, match=message):
        type("M", (dw.Migrations,), body, **keywords)


class Fine(dw.Migrations):
    def check_1(self, item: Item) -> bool:
        return "old" in item

    def check_5(self, item: Item) -> bool:
        return "new" in item

    def migrate_to_5(self, item: Item) -> Item:
        item["new"] = item.pop("old")
        return item


class ByAttribute(dw.Migrations, version="v"):
    def migrate_to_1(self, item: Item) -> Item:
        return item


class Demanding(Fine):
    def __init__(self, secret: str) -> None:
        self.secret = secret


@pytest.mark.parametrize("given", [Fine(), dw.Migrations, dict, "Fine"])
def test_what_is_no_class_of_migrations(given: Any) -> None:
    with pytest.raises(dw.SchemaError, match="migrations= is a class derived from Migrations"):

        class Note(dw.Model, table="notes", migrations=given):
            id: Attr[str] = partition_key()


def test_migrations_that_the_class_can_not_have() -> None:
    with pytest.raises(dw.SchemaError, match="migrations= is about a table, and the class has none"):

        class Nested(dw.Model, migrations=Fine):  # type: ignore[call-arg]
            id: Attr[str]

    with pytest.raises(dw.SchemaError, match=r"Demanding\(\) raised TypeError.*made without arguments"):

        class Note(dw.Model, table="notes", migrations=Demanding):
            id: Attr[str] = partition_key()

    with pytest.raises(dw.SchemaError, match=r"declares no attribute .*; write v: Attr\[int\] = attr\(default=1\)"):

        class Unversioned(dw.Model, table="notes", migrations=ByAttribute):
            id: Attr[str] = partition_key()

    with pytest.raises(dw.SchemaError, match="keeps the version in 'v', and Stale has it otherwise"):

        class Stale(dw.Model, table="notes", migrations=ByAttribute):
            id: Attr[str] = partition_key()
            v: Attr[int] = attr(default=0)


def _made(migrate: Callable[[Any, Item], Any], check: Callable[[Any, Item], Any] | None = None) -> Any:
    """A class whose items of version 1 have an attribute old, and whose migration is this."""
    body = {
        "check_1": lambda self, item: "old" in item,
        "check_2": check or (lambda self, item: "new" in item),
        "migrate_to_2": migrate,
    }
    migrations: Any = type("Faulty", (dw.Migrations,), body)

    class Note(dw.Model, table="notes", migrations=migrations):
        id: Attr[str] = partition_key()
        new: Attr[Any] = attr(default=None)
        lock: Attr[int] = dw.version()

    return Note


def _raises(self: Any, item: Item) -> Item:
    raise RuntimeError(f"a secret: {item['old']}")


def _endless(self: Any, item: Item) -> Item:
    return _endless(self, item)


OLD = {"id": {"S": "k"}, "old": {"S": "hidden"}, "lock": {"N": "3"}}


@pytest.mark.parametrize(
    ("migrate", "message"),
    [
        pytest.param(_raises, "migrate_to_2 raised RuntimeError at .*test_declaring.py", id="raises"),
        pytest.param(_endless, "migrate_to_2 raised RecursionError", id="calls itself"),
        pytest.param(lambda self, item: None, "migrate_to_2 returned NoneType; return the item", id="None"),
        pytest.param(lambda self, item: [item], "migrate_to_2 returned list", id="no dict"),
        pytest.param(lambda self, item: item, "gave an item that check_2 does not recognise, .*again", id="loops"),
        pytest.param(
            lambda self, item: {**item, "id": "other", "new": 1}, "the migrations changed id, .* key", id="key changed"
        ),
        pytest.param(lambda self, item: {"new": 1}, "the migrations changed id", id="key dropped"),
        pytest.param(
            lambda self, item: {**item, "new": 1, "lock": 4}, r"changed lock, which is its version\(\)", id="version"
        ),
        pytest.param(
            lambda self, item: {**item, "new": 1, "more": object()},
            "left more, and its value of type object has no DynamoDB type",
            id="no DynamoDB type",
        ),
        pytest.param(lambda self, item: {**item, "new": set()}, "left new, and its value is an empty", id="empty set"),
        pytest.param(lambda self, item: {**item, "new": 1, 5: 1}, "a name that is no text", id="name"),
        pytest.param(lambda self, item: {**item, "new": 1, "": 1}, "a name that is no text, or empty", id="no name"),
    ],
)
def test_a_migration_that_goes_wrong(migrate: Any, message: str) -> None:
    note = _made(migrate)
    with dw.connect("memory:") as db, db.use():
        db.create_tables(note)
        db.engine.send("PutItem", encode_json({"TableName": "notes", "Item": OLD}))
        for read in (
            lambda: note.get("k"),
            lambda: note.scan().all(),
            lambda: note.get_many(["k"]),
            lambda: db.transact_get(note.key("k")),
            lambda: note.from_item(OLD),
        ):
            with pytest.raises(dw.DecodeError, match=message) as error:
                read()
            assert error.value.key == {"id": {"S": "k"}}
            assert error.value.version == 1
            assert "of version 1 of table notes" in str(error.value)
            assert "hidden" not in str(error.value)
        result = note.migrate_all()
        (failure,) = result.failures
        assert (failure.key, failure.version, result.migrated) == ({"id": {"S": "k"}}, 1, 0)
        assert "hidden" not in repr(result)
        assert "hidden" not in repr(failure)
        assert not result.is_complete


def test_a_check_that_raises_is_named() -> None:
    note = _made(lambda self, item: item, check=lambda self, item: item["missing"])
    with pytest.raises(dw.DecodeError, match=r"check_2 raised KeyError at .*; a check answers for any item"):
        note.from_item(OLD)


def test_numbers_may_be_left_out_and_the_first_be_any() -> None:
    class Note(dw.Model, table="notes", migrations=Fine):
        id: Attr[str] = partition_key()
        new: Attr[str]

    assert Note.from_item({"id": {"S": "1"}, "old": {"S": "x"}}).new == "x"
