"""Whatever is stored: what is read together is what each item reads by itself, and a deletion leaves nothing behind."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

import dynawire as dw
from tests.relations.library import CLASSES, Author, Book, Interest, Licence, Line, Loan, Order, Portrait, Shop, Subject

IDS = st.sampled_from("abcd")
authors = st.builds(Author, id=IDS, agent_id=st.none() | IDS)
books = st.builds(Book, shelf=st.just("S"), number=st.integers(1, 6), author_id=IDS, pages=st.integers(0, 999))
loans = st.builds(Loan, id=IDS, shelf=st.just("S"), number=st.integers(1, 6))
interests = st.builds(Interest, author_id=IDS, subject=IDS)


def key(item: object) -> object:
    return item.to_item() if isinstance(item, dw.Model) else item


@settings(max_examples=60, deadline=None)
@given(
    st.lists(authors, max_size=4),
    st.lists(books, max_size=8),
    st.lists(loans, max_size=3, unique_by=lambda loan: loan.number),
    st.lists(interests, max_size=6),
    st.lists(IDS, max_size=3),
)
def test_together_as_alone(
    some_authors: list[Author],
    some_books: list[Book],
    some_loans: list[Loan],
    some_interests: list[Interest],
    some_subjects: list[str],
) -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(*CLASSES)
        Author.put_many(some_authors)
        Book.put_many(some_books)
        Loan.put_many({loan.id: loan for loan in some_loans}.values())
        Interest.put_many(some_interests)
        Subject.put_many(Subject(name=name) for name in some_subjects)
        Portrait.put_many(Portrait(author_id=author.id) for author in some_authors[:2])

        for one, alone in zip(
            Book.scan().with_(Book.loan, Book.author.with_(Author.books, Author.agent)), Book.scan(), strict=True
        ):
            assert key(one.loan.value_or_none) == key(alone.loan.get())
            author = one.author.value_or_none
            assert key(author) == key(alone.author.get())
            if author is not None:
                assert list(map(key, author.books.value)) == list(map(key, alone.author.value.books))
                assert key(author.agent.value_or_none) == key(alone.author.value.agent.get())
        relations = (Author.books, Author.clients, Author.subjects.with_(Subject.authors), Author.long_books)
        for together, alone_ in zip(Author.scan().with_(*relations), Author.scan(), strict=True):
            for name in ("books", "clients", "subjects", "long_books"):
                found = getattr(together, name).value
                assert list(map(key, found)) == list(map(key, getattr(alone_, name)))
            for subject in together.subjects.value:
                assert together.id in [author.id for author in subject.authors.value]


@settings(max_examples=30, deadline=None)
@given(
    st.sets(st.tuples(st.sampled_from("st"), st.integers(0, 120)), max_size=150),
    st.sets(st.tuples(st.sampled_from("st"), st.integers(0, 3), st.integers(0, 60)), max_size=150),
)
def test_deletion_leaves_nothing_and_takes_nothing_else(
    orders: set[tuple[str, int]], lines: set[tuple[str, int, int]]
) -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(*CLASSES)
        Shop.insert(Shop(id="s"))
        Licence(shop_id="s").put()
        for shop_id, number in orders:
            Order(shop_id=shop_id, number=number).put()
        Line.put_many(Line(shop_id=shop_id, order=order, place=f"{order}-{place}") for shop_id, order, place in lines)
        Shop.get_one("s").delete()
        assert (Shop.scan().count(), Licence.scan().count()) == (0, 0)
        assert {(one.shop_id, one.number) for one in Order.scan()} == {one for one in orders if one[0] == "t"}
        # A line goes with its order.
        kept = {one for one in lines if one[:2] not in {order for order in orders if order[0] == "s"}}
        assert {(one.shop_id, one.order, int(one.place.partition("-")[2])) for one in Line.scan()} == kept
