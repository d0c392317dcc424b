"""An item that is too large only together with its entries in local indexes: the error says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import dynawire as dw
from dynawire import Attr, LocalIndex, Model, attr, partition_key, sort_key


class Entry(Model, table="entries"):
    book: Attr[str] = partition_key()
    page: Attr[int] = sort_key()
    word: Attr[str | None] = attr(default=None)
    text: Attr[str] = attr(default="")
    by_word = LocalIndex("word")


@pytest.fixture(autouse=True)
def db() -> Iterator[dw.Database]:
    with dw.connect("memory:") as database:
        database.create_tables(Entry)
        yield database


def test_an_item_too_large_for_its_local_index() -> None:
    entry = Entry(book="b", page=1, word="w", text="x" * 250_000)
    for write in (entry.put, entry.insert, lambda: Entry.put_many([entry])):
        with pytest.raises(dw.ServiceError, match=r"\(of Entry\) .* together with its entries in local .* 400 KB"):
            write()
    assert Entry.scan().count() == 0
    entry.word = None  # a local index has no entry of it then
    entry.put()
    with pytest.raises(dw.ServiceError, match=r"would be larger.* 400 KB .* nothing was written"):
        Entry.key("b", 1).update(text="y" * 409_600)
    assert Entry.get_one("b", 1).text == entry.text
