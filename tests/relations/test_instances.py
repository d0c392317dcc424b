"""What is known of related items goes with the instance: not with copies, and not beyond its life."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest

import dynawire as dw
from tests.relations.library import CLASSES, Author, Book


def loaded_author() -> Author:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(*CLASSES)
        author = Author(id="ann")
        author.put()
        Book(shelf="A", number=1, author_id="ann").put()
        author.books.all()
        author.subjects.all()
        return author


def test_copies() -> None:
    author = loaded_author()
    for twin in (copy.copy(author), copy.deepcopy(author), pickle.loads(pickle.dumps(author))):
        assert twin == author
        assert not twin.books.is_loaded
        assert repr(twin) == repr(author)
        twin.name = "x"
        assert twin != author
    assert author.books.is_loaded


def test_cycles_are_collected() -> None:
    author = loaded_author()
    (book,) = author.books.value
    assert book.author.value is author
    references = [weakref.ref(author), weakref.ref(book)]
    del author, book
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_no_instance_has_anything_before() -> None:
    author = Author(id="ann")
    assert not hasattr(author, "_related")
    assert not author.books.is_loaded
    assert not hasattr(author, "_related")


def test_shown() -> None:
    author = Author(id="ann")
    assert repr(Author.books) == "<relation Author.books>"
    assert repr(author.books) == "<Author.books, not read yet>"
    author.agent = None
    assert repr(author.agent) == "<Author.agent>"


def test_what_belongs_to_the_other_item() -> None:
    book = Book(shelf="A", number=1, author_id="ann")
    with pytest.raises(
        AttributeError,
        match=r"^book\.author leads to the other item: write \.get_one\(\)\.name, or \.value\.name once it",
    ):
        _ = book.author.name  # type: ignore[attr-defined]
    with pytest.raises(dw.NotLoaded):
        _ = book.author.value
    assert not hasattr(book.author, "__deepcopy__")
    with pytest.raises(AttributeError, match="'RelatedItem' object has no attribute '_name'"):
        _ = book.author._name  # type: ignore[attr-defined]
    assert repr(copy.copy(book.author)) == repr(pickle.loads(pickle.dumps(book)).author) == repr(book.author)


def test_several_have_no_positions() -> None:
    author = Author(id="ann")
    with pytest.raises(dw.UsageError, match=r"^author\.books has no positions.*: write \.all\(\)\[0\]$"):
        _ = author.books[0]  # type: ignore[index]
    with pytest.raises(dw.UsageError, match=r"^author\.subjects has .*: write \.all\(\)\[\.\.\.\]$"):
        _ = author.subjects[:2]  # type: ignore[index]
