"""Every operation on the same book, whatever library its class comes from."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

import dynawire as dw
from tests.adapters.libraries import Library


def stored(library: Library, number: int = 1) -> dict[str, Any]:
    """The item as it is stored."""
    database = library.table.database
    answer = database.engine.send("GetItem", json.dumps({"TableName": "books", "Key": key(number)}).encode())
    item: dict[str, Any] = json.loads(answer).get("Item", {})
    return item


def key(number: int = 1) -> dict[str, Any]:
    return {"shelf": {"S": "A"}, "number": {"N": str(number)}}


def test_what_is_put_comes_back(library: Library) -> None:
    book = library.make(pages=3, tags=frozenset({"x"}) if library.frozen else {"x"}, address=library.address("Bonn"))
    library.table.put(book)
    found = library.table.get("A", 1)
    assert found == book or vars_of(library, found) == vars_of(library, book)
    assert type(found) is type(book)
    assert stored(library)["t"] == {"S": "One"}
    assert stored(library)["address"] == {"M": {"city": {"S": "Bonn"}, "zip": {"S": ""}}}
    assert library.table.get("A", 2) is None


def vars_of(library: Library, book: Any) -> dict[str, Any]:
    names = ("shelf", "number", "title", "author", "pages", "tags", "note")
    return {name: library.get(book, name) for name in names}


def test_get_one_and_exists(library: Library) -> None:
    library.table.insert(library.make())
    assert library.get(library.table.get_one("A", 1), "title") == "One"
    assert library.table.exists(shelf="A", number=1)
    assert not library.table.exists("A", 2)
    with pytest.raises(dw.ItemNotFound):
        library.table.get_one("A", 2)


def test_insert_never_overwrites(library: Library) -> None:
    library.table.insert(library.make())
    with pytest.raises(dw.ItemExists):
        library.table.insert(library.make(title="Two"))
    assert library.get(library.table.get("A", 1), "title") == "One"


def test_put_gives_the_replaced_item(library: Library) -> None:
    assert library.table.put(library.make(), return_old=True) is None
    old = library.table.put(library.make(title="Two"), return_old=True)
    assert library.get(old, "title") == "One"


def test_a_wrong_value_is_refused_before_anything_is_sent(library: Library) -> None:
    wrong = library.make()
    if library.frozen:
        object.__setattr__(wrong, "author", library.wrong)
        assert library.get(wrong, "author") == library.wrong
    else:
        library.set(wrong, "author", library.wrong)
    with pytest.raises(dw.ValidationError, match="author"):
        library.table.put(wrong)
    with pytest.raises(dw.ValidationError, match="expected"):
        library.table.put(object())
    assert library.table.scan().count() == 0


def test_save_writes_what_changed(library: Library) -> None:
    if library.frozen or not library.tracked:
        pytest.skip("instances that can't be changed or tracked have tests of their own")
    library.table.put(library.make(note="a", address=library.address("Bonn")))
    book = library.table.get_one("A", 1)
    assert library.table.save(book) is False
    library.set(book, "title", "Two")
    library.set(book, "note", None)
    library.get(book, "address").city = "Ulm"
    assert set(library.table.params.save(book)["ExpressionAttributeNames"].values()) >= {"t", "note", "city"}
    library.table.update(library.table.key("A", 1), pages=9)
    assert library.table.save(book) is True
    assert library.table.save(book) is False
    item = stored(library)
    assert (item["t"], item["pages"]) == ({"S": "Two"}, {"N": "9"})
    assert "note" not in item
    assert item["address"]["M"]["city"] == {"S": "Ulm"}


def test_save_keeps_what_the_class_does_not_know(library: Library) -> None:
    if library.frozen or not library.tracked:
        pytest.skip("instances that can't be changed or tracked have tests of their own")
    item = key() | {"t": {"S": "One"}, "author": {"S": "Ann"}, "foreign": {"S": "stays"}}
    library.table.database.engine.send("PutItem", json.dumps({"TableName": "books", "Item": item}).encode())
    book = library.table.get_one("A", 1)
    library.set(book, "pages", 4)
    library.table.save(book)
    assert stored(library)["foreign"] == {"S": "stays"}


def test_save_never_brings_a_deleted_item_back(library: Library) -> None:
    if library.frozen or not library.tracked:
        pytest.skip("instances that can't be changed or tracked have tests of their own")
    book = library.make()
    library.table.insert(book)
    library.table.delete(library.table.key("A", 1))
    library.set(book, "pages", 4)
    with pytest.raises(dw.ItemNotFound):
        library.table.save(book)


def test_a_key_keeps_for_life(library: Library) -> None:
    if library.frozen or not library.tracked:
        pytest.skip("instances that can't be changed or tracked have tests of their own")
    book = library.make()
    library.table.insert(book)
    library.set(book, "number", 2)
    with pytest.raises(dw.ValidationError, match="part of the key"):
        library.table.save(book)


def test_save_of_what_is_not_known_never_guesses(library: Library) -> None:
    book = library.make()
    if library.knows_new:
        assert library.table.save(book) is True
        return
    with pytest.raises(dw.ValidationError, match=r"use insert\(\) or put\(\)"):
        library.table.save(book)
    assert library.table.scan().count() == 0
    with pytest.raises(dw.ValidationError, match="expected"):
        library.table.save(object())


def test_save_where_nothing_can_be_tracked_is_refused_after_a_read_too(library: Library) -> None:
    library.table.put(library.make())
    book = library.table.get_one("A", 1)
    if library.tracked:
        assert library.table.save(book) is False
    else:
        with pytest.raises(dw.ValidationError, match=r"weak"):
            library.table.save(book)


def test_update_of_an_instance(library: Library) -> None:
    book = library.make()
    library.table.insert(book)
    path = library.table.paths
    given = library.table.update(book, path.pages.add(2), path.title.set("Two"), condition=path.author == "Ann")
    assert (given is book) is not library.frozen
    assert (library.get(given, "pages"), library.get(given, "title")) == (2, "Two")
    assert library.get(library.table.get_one("A", 1), "pages") == 2
    if library.frozen:
        assert library.get(book, "pages") == 0
    with pytest.raises(dw.ConditionFailed):
        library.table.update(book, pages=7, condition=path.pages == 0)


def test_update_by_key(library: Library) -> None:
    library.table.insert(library.make())
    found = library.table.key("A", 1).update(pages__add=1, tags__add={"x"})
    assert (library.get(found, "pages"), library.get(found, "tags")) == (1, {"x"})
    with pytest.raises(dw.ItemNotFound):
        library.table.key("A", 9).update(pages=1)
    made = library.table.update(library.table.key("A", 9), upsert=True, title="N", author="Nina")
    assert library.get(made, "number") == 9


def test_update_removes(library: Library) -> None:
    book = library.make(note="a")
    library.table.insert(book)
    given = library.table.update(book, note__remove=True)
    assert library.get(given, "note") is None
    assert "note" not in stored(library)
    with pytest.raises(dw.ExpressionError, match="title"):
        library.table.update(book, title__remove=True)


def test_an_update_leaves_local_changes_to_be_saved(library: Library) -> None:
    if library.frozen or not library.tracked:
        pytest.skip("instances that can't be changed or tracked have tests of their own")
    book = library.make()
    library.table.insert(book)
    library.set(book, "author", "Eva")
    library.table.update(book, pages=5)
    assert library.get(book, "author") == "Eva"
    assert library.table.save(book) is True
    assert stored(library)["author"] == {"S": "Eva"}


def test_delete(library: Library) -> None:
    book = library.make()
    library.table.insert(book)
    old = library.table.delete(book, return_old=True, must_exist=True)
    assert library.get(old, "title") == "One"
    assert library.table.get("A", 1) is None
    with pytest.raises(dw.ItemNotFound):
        library.table.delete(library.table.key("A", 1), must_exist=True)


def test_refresh(library: Library) -> None:
    book = library.make()
    library.table.insert(book)
    library.table.key("A", 1).update(pages=8)
    if library.frozen:
        with pytest.raises(dw.ValidationError, match=r"frozen.*get\(\)"):
            library.table.refresh(book)
        return
    library.set(book, "title", "Two")
    library.table.refresh(book)
    assert (library.get(book, "pages"), library.get(book, "title")) == (8, "One")
    if library.tracked:
        assert library.table.save(book) is False


def test_query_scan_find_and_projection(library: Library) -> None:
    table, path = library.table, library.table.paths
    for number in range(1, 6):
        table.put(library.make(number=number, title=f"T{number}", pages=number))
    assert [library.get(one, "number") for one in table.query("A", path.number >= 4)] == [4, 5]
    assert [library.get(one, "number") for one in table.query("A").where(path.pages > 3)] == [4, 5]
    assert [library.get(one, "number") for one in table.query(shelf="A", number__lt=3).reverse()] == [2, 1]
    assert [library.get(one, "title") for one in table.index("by_author").query("Ann", title__gt="T3")] == ["T4", "T5"]
    assert {library.get(one, "number") for one in table.scan(pages__lte=2)} == {1, 2}
    assert [library.get(one, "number") for one in table.find(author="Ann", title="T2")] == [2]
    assert table.query("A").project(path.number, path.title).limit(2).all() == [(1, "T1"), (2, "T2")]
    page = table.query("A").page(size=2)
    assert [library.get(one, "number") for one in table.query("A").page(size=2, after=page.cursor)] == [3, 4]
    assert table.query("A").count() == 5
    table.update_where(path.pages > 3, pages__add=10)
    assert sorted(library.get(one, "pages") for one in table.scan()) == [1, 2, 3, 14, 15]
    assert table.delete_where(path.pages > 3).written == 2


def test_batches(library: Library) -> None:
    table = library.table
    books = [library.make(number=number) for number in range(30)]
    assert table.put_many(books).written == 30
    assert len(table.get_many([("A", number) for number in range(30)])) == 30
    if library.tracked:
        assert table.save(books[3]) is False
    assert table.delete_many([books[0], table.key("A", 1), ("A", 2)]).deleted == 3
    assert table.scan().count() == 27


def test_transactions(library: Library, db: dw.Database) -> None:
    table, path = library.table, library.table.paths
    first, second = library.make(), library.make(number=2)
    with db.transaction() as tx:
        tx.insert(first, table=table)
        tx.put(second, table=table)
    if library.tracked and not library.frozen:
        library.set(first, "title", "Two")
    with db.transaction() as tx:
        if library.tracked:
            tx.save(first, table=table)
        tx.update(table.key("A", 2), pages=4, note__remove=True)
        tx.insert(library.make(number=3), table=table)
    with db.transaction() as tx:
        tx.delete(table.key("A", 3))
        tx.check(table.key("A", 2), path.pages == 4)
    one, two, three = db.transact_get(*(table.key("A", number) for number in (1, 2, 3)))
    assert library.get(one, "title") == ("Two" if library.tracked and not library.frozen else "One")
    assert library.get(two, "pages") == 4
    assert three is None
    with pytest.raises(dw.TransactionCancelled), db.transaction() as tx:
        tx.insert(first, table=table)


def test_exactly_once(library: Library) -> None:
    book = library.make()
    library.table.insert(book, exactly_once=True)
    given = library.table.update(book, pages__add=1, exactly_once=True)
    assert library.get(given, "pages") == 1


def test_asynchronous(library: Library) -> None:
    async def program() -> list[Any]:
        await library.table.ainsert(library.make())
        await library.table.aupdate(library.table.key("A", 1), pages=2)
        assert library.get(await library.table.aget("A", 1), "pages") == 2
        return [one async for one in library.table.query("A")]

    assert len(asyncio.run(program())) == 1


def test_an_item_that_does_not_fit_names_the_place(library: Library) -> None:
    item = key() | {"t": {"S": "One"}, "author": {"S": "Ann"}, "pages": {"S": "many"}}
    library.table.database.engine.send("PutItem", json.dumps({"TableName": "books", "Item": item}).encode())
    with pytest.raises(dw.DecodeError, match="pages") as caught:
        library.table.get("A", 1)
    assert caught.value.path == "pages"


def test_paths_are_checked_by_name(library: Library) -> None:
    paths = library.table.paths
    with pytest.raises(dw.ExpressionError, match="did you mean 'title'"):
        paths.titel  # noqa: B018
    with pytest.raises(dw.ExpressionError, match="did you mean 'title'"):
        paths["titel"]
    with pytest.raises(dw.ExpressionError, match="titel"):
        library.table.scan(titel="x")
    assert not hasattr(paths, "titel")
    assert "title" in paths
    assert set(dir(paths)) == set(paths)
    assert len(paths) == len(list(paths)) == 8
