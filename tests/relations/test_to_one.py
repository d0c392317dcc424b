"""Relations to one other item: reading, assigning, creating, deleting."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import RelationError
from tests.relations.library import Author, Book, Loan, Order, Portrait, Review, Shop
from tests.support.databases import Twins
from tests.support.recording import RecordingEngine


@pytest.fixture
def book(sent: RecordingEngine) -> Book:
    Author(id="ann", name="Ann").put()
    Book(shelf="A", number=1, author_id="ann").put()
    book = Book.get_one("A", 1)
    sent.clear()
    return book


def test_read_when_asked_for_and_once(book: Book, twin: Twins, sent: RecordingEngine) -> None:
    assert sent.operations() == []
    assert not book.author.is_loaded
    author = twin(book.author).get()
    assert isinstance(author, Author)
    assert author.name == "Ann"
    assert twin(book.author).get() is author
    assert book.author.value is author
    assert book.author.value_or_none is author
    assert twin(book.author).get_one() is author
    assert sent.operations() == ["GetItem"]


def test_kept_by_the_instance_and_not_the_class(book: Book, twin: Twins) -> None:
    """What DynamORM does wrong: there, one related object is shared by all instances."""
    Author(id="bob", name="Bob").put()
    other = Book(shelf="B", number=2, author_id="bob")
    same = Book(shelf="A", number=3, author_id="ann")
    assert twin(book.author).get_one().name == "Ann"
    assert not other.author.is_loaded
    assert not same.author.is_loaded
    assert twin(other.author).get_one().name == "Bob"
    assert book.author.value.name == "Ann"
    assert twin(same.author).get_one() is not book.author.value


def test_missing(sent: RecordingEngine, twin: Twins) -> None:
    book = Book(shelf="A", number=1, author_id="nobody")
    assert twin(book.author).get() is None
    assert book.author.value_or_none is None
    with pytest.raises(dw.ItemNotFound, match=r"Book\.author: there is no such Author"):
        twin(book.author).get_one()
    with pytest.raises(dw.ItemNotFound):
        _ = book.author.value
    assert sent.operations() == ["GetItem"]


def test_no_key_no_request(sent: RecordingEngine, twin: Twins) -> None:
    author = Author(id="ann")
    assert twin(author.agent).get() is None
    loan = Loan(id="1", shelf="A")
    assert twin(loan.book).get() is None
    assert sent.operations() == []


def test_not_loaded_is_told(book: Book, sent: RecordingEngine) -> None:
    for ask in (lambda: book.author.value, lambda: book.author.value_or_none):
        with pytest.raises(dw.NotLoaded, match=r"Book\.author was not read yet.*with_\(Book\.author\)"):
            ask()
    assert sent.operations() == []


def test_another_key_is_read_anew(book: Book, twin: Twins, sent: RecordingEngine) -> None:
    Author(id="bob").put()
    twin(book.author).get()
    book.author_id = "bob"
    assert not book.author.is_loaded
    assert twin(book.author).get_one().id == "bob"


def test_refresh_and_forget(book: Book, twin: Twins, sent: RecordingEngine) -> None:
    author = twin(book.author).get()
    Author.key("ann").update(name="Anna")
    assert book.author.value.name == "Ann"
    assert twin(book.author).refresh().name == "Anna"
    assert book.author.value.name == "Anna"
    assert book.author.value is not author
    book.author.forget()
    assert not book.author.is_loaded
    sent.clear()
    assert twin(book.author).get(consistent=True).name == "Anna"
    assert sent.sent[0].body["ConsistentRead"] is True


def test_the_database_is_that_of_the_call(book: Book, twin: Twins) -> None:
    with dw.connect("memory:") as other:
        other.create_tables(Author, Book)
        other.table(Author).put(Author(id="ann", name="of the other"))
        other.table(Book).put(Book(shelf="B", number=1, author_id="ann"))
        author = Author(id="ann")
        if not twin.is_async:
            with other.use():
                assert book.author.get_one().name == "of the other"
                assert len(author.books) == 1
            return

        async def later() -> None:
            with other.use():
                reading, listing = book.author.aget_one(), author.books.aall()
            assert (await reading).name == "of the other"
            assert [one.shelf for one in await listing] == ["B"]

        twin.run(later())


def test_a_write_does_not_store_it(book: Book, twin: Twins, sent: RecordingEngine) -> None:
    twin(book.author).get()
    book.title = "T"
    twin(book).save()
    assert book.author.is_loaded
    assert set(book.to_item()) == {"shelf", "number", "author_id", "title", "pages"}
    assert "author" not in book.to_dict()


# ---------------------------------------------------------------------- assigning


def test_assigning_sets_the_key(sent: RecordingEngine, twin: Twins) -> None:
    ann, bob = Author(id="ann"), Author(id="bob")
    book = Book(shelf="A", number=1, author_id="ann")
    book.author = bob
    assert (book.author_id, book.author.value) == ("bob", bob)
    book.author.set(ann)
    assert (book.author_id, book.author.value) == ("ann", ann)
    ann.agent = bob
    assert (ann.agent_id, twin(ann.agent).get()) == ("bob", bob)
    ann.agent = None
    assert ann.agent_id is None
    assert ann.agent.value_or_none is None
    assert sent.operations() == []  # neither of them is stored


def test_assigning_the_other_side_sets_its_key(sent: RecordingEngine) -> None:
    ann = Author(id="ann")
    portrait = Portrait(author_id="")
    ann.portrait = portrait
    assert portrait.author_id == "ann"
    assert portrait.author.value is ann
    book, loan = Book(shelf="A", number=1, author_id="ann"), Loan(id="1")
    book.loan = loan
    assert (loan.shelf, loan.number) == ("A", 1)
    assert loan.book.value is book


def test_assigning_where_the_key_is_shared(sent: RecordingEngine) -> None:
    """An item that has no key yet takes the other's; else what is assigned takes the key of what it is assigned to."""
    portrait, ann = Portrait(author_id=""), Author(id="ann")
    portrait.author = ann
    assert (portrait.author_id, ann.id, ann.portrait.value) == ("ann", "ann", portrait)
    bob = Author(id="bob")
    bob.portrait = portrait
    assert (portrait.author_id, bob.id) == ("bob", "bob")
    nobody = Author(id="")
    with pytest.raises(RelationError, match=r"the Portrait has no author_id yet"):
        nobody.portrait = Portrait(author_id="")


def test_assigning_what_is_found_by_index(sent: RecordingEngine, twin: Twins) -> None:
    review = Review(id="1", title="none")
    assert twin(review.book).get() is None
    book = Book(shelf="A", number=1, author_id="ann", title="Emma")
    review.book = book
    assert (review.title, book.title) == ("Emma", "Emma")
    review.book = None
    assert review.title is None
    book.put()
    assert twin(Review(id="2", title="Emma").book).get_one().number == 1


def test_assigning_where_the_attribute_is_part_of_the_own_key(sent: RecordingEngine) -> None:
    order = Order(shop_id="", number=1)
    order.shop = Shop(id="s")
    assert (order.shop_id, order.shop.value.id) == ("s", "s")
    order.insert()
    with pytest.raises(RelationError, match=r"Order\.shop_id is part of its key"):
        order.shop = Shop(id="t")
    with pytest.raises(RelationError, match=r"Order\.shop: None can't be assigned"):
        order.shop = None
    assert (order.shop_id, order.shop.value.id) == ("s", "s")


@pytest.mark.parametrize("wrong", [Portrait(author_id="ann"), "ann", 1, {"id": "ann"}, Author])
def test_wrong_type(book: Book, wrong: object, sent: RecordingEngine) -> None:
    with pytest.raises(RelationError, match=r"Book\.author leads to Author, not ") as caught:
        book.author = wrong  # type: ignore[assignment]
    assert isinstance(caught.value, (TypeError, dw.ValidationError))
    assert isinstance(caught.value, TypeError)
    assert (caught.value.model, caught.value.attribute) == ("Book", "author")
    assert book.author_id == "ann"
    assert not book.author.is_loaded


def test_refused_assignments(book: Book, sent: RecordingEngine) -> None:
    nameless = Author(id="x")
    nameless.id = None  # type: ignore[assignment]
    with pytest.raises(RelationError, match=r"the Author has no id yet; give it one first"):
        book.author = nameless
    Portrait(author_id="bob").put()
    stored = Portrait.get_one("bob")
    ann = Author(id="ann")
    with pytest.raises(RelationError, match=r"Portrait\.author_id is part of its key, which a stored item keeps"):
        ann.portrait = stored
    with pytest.raises(RelationError, match=r"Author\.portrait: None can't be assigned.*delete the other item"):
        ann.portrait = None
    with pytest.raises(RelationError, match=r"Book\.loan: None can't be assigned, since the other item holds the key"):
        book.loan = None
    assert stored.author_id == "bob"
    assert not ann.portrait.is_loaded


# ---------------------------------------------------------------------- by index, created, deleted


def test_by_index(book: Book, twin: Twins, sent: RecordingEngine) -> None:
    assert twin(book.loan).get() is None
    Loan(id="1", shelf="A", number=1).put()
    assert twin(book.loan).refresh(consistent=False).id == "1"
    assert book.loan.value.book.value is book
    Loan(id="2", shelf="A", number=1).put()
    with pytest.raises(dw.MultipleItemsFound, match=r"Book\.loan leads to one Loan, but there are several"):
        twin(book.loan).refresh()
    assert sent.operations() == ["Query", "PutItem", "Query", "PutItem", "Query"]


def test_created_when_missing(sent: RecordingEngine, twin: Twins) -> None:
    ann = Author(id="ann")
    portrait = twin(ann.portrait).get()
    assert (portrait.author_id, portrait.style, portrait.author.value) == ("ann", "oil", ann)
    assert sent.operations() == ["GetItem", "PutItem"]
    assert Portrait.get_one("ann").style == "oil"
    assert twin(Author(id="ann").portrait).get().style == "oil"


def test_another_creates_it_first(sent: RecordingEngine, twin: Twins) -> None:
    def meanwhile(body: dict[str, object]) -> None:
        sent.forget_answers()
        Portrait(author_id="ann", style="ink").put()

    sent.answer("PutItem", meanwhile)
    assert twin(Author(id="ann").portrait).get_one().style == "ink"
    assert Portrait.get_one("ann").style == "ink"


def test_deleting_the_other(book: Book, twin: Twins, sent: RecordingEngine) -> None:
    twin(book.author).delete()
    assert sent.operations() == ["GetItem", "DeleteItem"]
    assert Author.get("ann") is None
    assert book.author.value_or_none is None
    sent.clear()
    twin(book.author).delete()
    assert sent.operations() == []


def test_del(book: Book, sent: RecordingEngine) -> None:
    del book.author
    assert Author.get("ann") is None
    assert Book.get("A", 1) is not None


def test_no_part_of_the_instance(book: Book, twin: Twins) -> None:
    twin(book.author).get()
    assert book == Book.get("A", 1)
    assert "author=" not in repr(book)
    with pytest.raises(TypeError):
        Book(shelf="A", number=1, author_id="x", author=Author(id="x"))  # type: ignore[call-arg]
