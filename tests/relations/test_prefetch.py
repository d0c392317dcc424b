"""Related items of many items in as few requests as there can be: counted."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import Attr, Model, partition_key
from tests.relations.library import Author, Book, Loan, Portrait, Shop, Subject
from tests.support.databases import Twins
from tests.support.recording import RecordingEngine


def fill(authors: int, books_each: int) -> None:
    Author.put_many(Author(id=f"a{number:03}") for number in range(authors))
    Book.put_many(
        Book(shelf="S", number=number, author_id=f"a{number % authors:03}") for number in range(authors * books_each)
    )


@pytest.mark.parametrize(("authors", "books_each"), [(1, 1), (1, 20), (7, 6), (50, 3)])
def test_to_one_by_key_takes_two_requests_however_many(
    authors: int, books_each: int, sent: RecordingEngine, twin: Twins
) -> None:
    fill(authors, books_each)
    sent.clear()
    books = twin(Book.query("S").with_(Book.author)).all()
    assert len(books) == authors * books_each
    assert {book.author.value.id for book in books} == {f"a{number:03}" for number in range(authors)}
    assert all(book.author.value.id == book.author_id for book in books)
    assert sent.operations() == ["Query", "BatchGetItem"]


def test_one_batch_for_a_hundred_different_others(sent: RecordingEngine, twin: Twins) -> None:
    fill(205, 1)
    sent.clear()
    books = twin(Book.query("S").with_(Book.author)).all()
    assert len({id(book.author.value) for book in books}) == 205
    assert sent.operations() == ["Query"] + ["BatchGetItem"] * 3


def test_without_it_each_item_asks(sent: RecordingEngine, twin: Twins) -> None:
    """The N+1 requests that ``with_`` is for."""
    fill(2, 5)
    sent.clear()
    for book in twin.items(Book.query("S")):
        twin(book.author).get()
    assert sent.operations() == ["Query"] + ["GetItem"] * 10


def test_one_instance_for_one_item(sent: RecordingEngine, twin: Twins) -> None:
    fill(1, 3)
    first, *others = twin(Book.query("S").with_(Book.author)).all()
    assert all(book.author.value is first.author.value for book in others)


def test_to_many_takes_a_query_each_and_links_a_batch_more(sent: RecordingEngine, twin: Twins) -> None:
    fill(4, 3)
    for author in Author.scan():
        author.subjects.add(Subject(name="art"), Subject(name=author.id))
    Subject.put_many([Subject(name="art"), *(Subject(name=f"a{number:03}") for number in range(4))])
    sent.clear()
    authors = twin(Author.scan().with_(Author.books, Author.subjects)).all()
    assert sorted(sent.operations()) == ["BatchGetItem"] + ["Query"] * 8 + ["Scan"]
    for author in authors:
        assert [book.number % 4 for book in author.books.value] == [int(author.id[1:])] * 3
        assert all(book.author.value is author for book in author.books.value)
        assert [one.name for one in author.subjects.value] == [author.id, "art"]
    assert authors[0].subjects.value[1] is authors[1].subjects.value[1]


def test_further_from_there(sent: RecordingEngine, twin: Twins) -> None:
    fill(3, 2)
    Author.put_many([Author(id="a000", agent_id="z"), Author(id="a001", agent_id="z"), Author(id="z")])
    Portrait(author_id="z").put()
    sent.clear()
    along = Book.author.with_(Author.agent.with_(Author.portrait), Author.subjects)
    books = twin(Book.query("S").with_(along)).all()
    assert [book.author.value.agent.value_or_none is not None for book in books] == [True, True, False] * 2
    assert books[0].author.value.agent.value.portrait.value.style == "oil"
    assert books[0].author.value.subjects.value == []
    # Books, authors, agents, portraits; a query of links for each author.
    assert sent.operations().count("BatchGetItem") == 3
    assert sent.operations().count("Query") == 4


def test_by_index(sent: RecordingEngine, twin: Twins) -> None:
    fill(1, 3)
    Loan(id="1", shelf="S", number=1).put()
    sent.clear()
    books = twin(Book.query("S").with_(Book.loan)).all()
    assert [book.loan.value_or_none is not None for book in books] == [False, True, False]
    assert books[1].loan.value.book.value is books[1]
    assert sent.operations() == ["Query"] * 4


def test_missing_others_and_missing_keys(sent: RecordingEngine, twin: Twins) -> None:
    Author.put_many([Author(id="x", agent_id="gone"), Author(id="y")])
    authors = twin(Author.scan().with_(Author.agent)).all()
    assert [author.agent.value_or_none for author in authors] == [None, None]
    assert all(author.agent.is_loaded for author in authors)
    sent.clear()
    twin(Author.scan().where(id="none").with_(Author.agent, Author.books)).all()
    assert sent.operations() == ["Scan"]  # nothing found, nothing more to read


def test_every_way_of_reading(sent: RecordingEngine, twin: Twins) -> None:
    fill(1, 5)
    query = Book.query("S").with_(Book.author)
    read = [twin.items(query), twin(query).all(), [twin(query).first()], twin(query).page(size=2).items]
    read += [twin(query.limit(3)).all(), twin(query.reverse().where(pages=0)).all(), [twin(query.limit(1)).one()]]
    read += [twin(Book.by_author.query("a000").with_(Book.author)).all()]
    assert [len(items) for items in read] == [5, 5, 1, 2, 3, 5, 1, 5]
    sent.clear()
    assert all(book.author.value.id == "a000" for items in read for book in items)
    assert sent.operations() == []
    assert twin(query).count() == 5
    first = twin(query).page(size=3)
    assert [book.number for book in twin(query).page(size=3, after=first.cursor)] == [3, 4]


def test_found_items(sent: RecordingEngine, twin: Twins) -> None:
    fill(2, 3)
    find = Book.find(Book.shelf == "S").with_(Book.author)
    read = [twin.items(find), twin(find).all(), [twin(find).first()], twin(find).page(size=2).items]
    read += [twin(find.limit(3)).all(), twin(find.where(number__lt=2)).all(), [twin(find.where(number=1)).one()]]
    read += [twin(find.with_(Book.loan).consistent()).all(), twin(Book.query("S").hydrate().with_(Book.author)).all()]
    assert [len(items) for items in read] == [6, 6, 1, 2, 3, 2, 1, 6, 6]
    sent.clear()
    assert all(book.author.value.id == book.author_id for items in read for book in items)
    assert twin(find).exists()
    assert twin(find).count() == 6
    assert set(sent.operations()) == {"Query"}
    for refused in (lambda: find.project(Book.pages), lambda: Book.find().project(Book.pages).with_(Book.author)):
        with pytest.raises(dw.ExpressionError, match=r"project\(\) gives tuples"):
            refused()  # type: ignore[no-untyped-call]


def test_consistent_reads(sent: RecordingEngine, twin: Twins) -> None:
    fill(1, 1)
    sent.clear()
    twin(Book.query("S").consistent().with_(Book.author, Book.loan)).all()
    by_operation = {one.operation: one.body for one in sent.sent[:2]}
    (request,) = by_operation["BatchGetItem"]["RequestItems"].values()
    assert request["ConsistentRead"] is True
    assert len(sent.sent) == 3


def test_of_items_at_hand(sent: RecordingEngine, twin: Twins) -> None:
    fill(3, 1)
    books = twin(Book.query("S")).all()
    books[0].author.get()
    sent.clear()
    if twin.is_async:
        twin.run(dw.aprefetch(books, Book.author.with_(Author.portrait)))
    else:
        dw.prefetch(iter(books), Book.author.with_(Author.portrait))
    assert [book.author.value.id for book in books] == ["a000", "a001", "a002"]
    # What is known already is not read again.
    (request,) = sent.sent[0].body["RequestItems"].values()
    assert len(request["Keys"]) == 2
    assert sent.operations() == ["BatchGetItem"] * 2
    sent.clear()
    dw.prefetch(books, Book.author)
    dw.prefetch([], Book.author)
    assert sent.operations() == []


def test_on_a_table_of_another_database(sent: RecordingEngine, twin: Twins) -> None:
    with dw.connect("memory:") as other:
        other.create_tables(Book, Author)
        other.table(Author).put(Author(id="ann", name="of the other"))
        other.table(Book).put(Book(shelf="S", number=1, author_id="ann"))
        (book,) = twin(other.table(Book).query("S").with_(Book.author)).all()
        assert book.author.value.name == "of the other"
    assert sent.operations() == []


class Shorter(Model, table="shorter"):
    id: Attr[str] = partition_key()


def test_refused(sent: RecordingEngine) -> None:
    wrong: list[object] = ["author", Book.author_id, Author, None]
    for one in wrong:
        with pytest.raises(dw.ExpressionError, match=r"with_\(\) takes relations of Book, such as"):
            Book.query("S").with_(one)  # type: ignore[arg-type]
    with pytest.raises(dw.ExpressionError, match=r"<relation Author\.books> is of Author, and the items are of Book"):
        Book.query("S").with_(Author.books)
    with pytest.raises(dw.ExpressionError, match=r"is of Shop, and the items are of Author"):
        Book.query("S").with_(Book.author.with_(Shop.orders))
    with pytest.raises(dw.ExpressionError, match=r"needs at least one relation of Book"):
        Book.query("S").with_()
    tuples = r"project\(\) gives tuples, which have no relations"
    with pytest.raises(dw.ExpressionError, match=tuples):
        Book.query("S").with_(Book.author).project(Book.pages)
    with pytest.raises(dw.ExpressionError, match=tuples):
        Book.query("S").project(Book.pages).with_(Book.author)  # type: ignore[arg-type]
    with pytest.raises(dw.ExpressionError, match=r"is of Author, and the items are of Shorter"):
        dw.prefetch([Shorter(id="x")], Author.books)
    assert sent.operations() == []


def test_an_error_in_between_is_told(sent: RecordingEngine, twin: Twins) -> None:
    fill(1, 1)
    sent.answer("BatchGetItem", dw.TableNotFound("gone", code="ResourceNotFoundException"))
    with pytest.raises(dw.TableNotFound):
        twin(Book.query("S").with_(Book.author)).all()


def test_one_item_instead_of_several(sent: RecordingEngine) -> None:
    book = Book(shelf="S", number=1, author_id="a")
    with pytest.raises(dw.UsageError, match=r"takes several items: prefetch\(\[item\], ...\); not one Book"):
        dw.prefetch(book, Book.author)  # type: ignore[arg-type]
    assert sent.operations() == []
