"""Relations to many others: reading, narrowing, counting, appending; links of many to many."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    ManyToMany,
    Model,
    RelationError,
    attr,
    counter,
    many_to_many,
    partition_key,
    sort_key,
    version,
)
from tests.relations.library import Author, Book, Interest, Order, Shop, Subject
from tests.support.databases import Twins
from tests.support.recording import RecordingEngine


@pytest.fixture
def ann(sent: RecordingEngine) -> Author:
    Book.put_many([Book(shelf="A", number=number, author_id="ann", pages=number * 200) for number in range(1, 6)])
    Book(shelf="B", number=1, author_id="bob").put()
    sent.clear()
    return Author(id="ann")


def test_read_when_asked_for_and_once(ann: Author, twin: Twins, sent: RecordingEngine) -> None:
    assert not ann.books.is_loaded
    with pytest.raises(dw.NotLoaded, match=r"Author\.books was not read yet"):
        _ = ann.books.value
    assert [book.number for book in twin.items(ann.books)] == [1, 2, 3, 4, 5]
    assert twin(ann.books).all() == twin.items(ann.books) == ann.books.value
    assert len(ann.books) == 5
    assert all(book.author.value is ann for book in ann.books.value)
    assert sent.operations() == ["Query"]
    assert sent.sent[0].body["IndexName"] == "by_author"


def test_what_is_given_is_the_callers(ann: Author, twin: Twins) -> None:
    twin(ann.books).all().clear()
    ann.books.value.clear()
    assert len(ann.books) == 5


def test_len_reads_as_iterating_does(ann: Author, sent: RecordingEngine) -> None:
    assert len(ann.books) == 5
    assert ann.books.is_loaded
    assert list(ann.books) == ann.books.value
    assert sent.operations() == ["Query"]


def test_count_only_counts(ann: Author, twin: Twins, sent: RecordingEngine) -> None:
    assert twin(ann.books).count() == 5
    assert sent.sent[0].body["Select"] == "COUNT"
    assert not ann.books.is_loaded


def test_query_and_filter(ann: Author, twin: Twins, sent: RecordingEngine) -> None:
    found = twin.items(ann.books.query(Book.shelf == "A", Book.number > 3).reverse())
    assert [book.number for book in found] == [5, 4]
    assert [book.number for book in twin.items(ann.books.filter(pages__gt=500))] == [3, 4, 5]
    assert twin(ann.books.query().limit(2)).all() == twin(ann.books).all()[:2]
    assert [book.number for book in twin(ann.long_books).all()] == [3, 4, 5]
    assert [book.number for book in twin.items(ann.long_books.query(pages__lt=900))] == [3, 4]


def test_refresh(ann: Author, twin: Twins) -> None:
    assert len(twin(ann.books).all()) == 5
    Book(shelf="A", number=6, author_id="ann").put()
    assert len(twin(ann.books).all()) == 5
    assert len(twin(ann.books).refresh()) == len(ann.books.value) == 6


def test_own_class(sent: RecordingEngine, twin: Twins) -> None:
    Author.put_many([Author(id="x", agent_id="z"), Author(id="y", agent_id="z"), Author(id="z")])
    agent = Author.get_one("z")
    assert [client.id for client in twin(agent.clients).all()] == ["x", "y"]
    assert all(client.agent.value is agent for client in agent.clients.value)


def test_table_and_consistent(sent: RecordingEngine, twin: Twins) -> None:
    shop = Shop(id="s")
    assert twin(shop.orders).all(consistent=True) == []
    assert sent.sent[0].body["ConsistentRead"] is True
    assert "IndexName" not in sent.sent[0].body
    assert twin(shop.orders).refresh() == []


def test_appended(sent: RecordingEngine, twin: Twins) -> None:
    Order(shop_id="s", number=1).put()
    shop = Shop(id="s")
    new, known = Order(shop_id="", number=2), Order(shop_id="s", number=1, state="mine")
    shop.orders.append(new, known)
    assert new.shop_id == "s"
    assert new.shop.value is shop
    assert not shop.orders.is_loaded  # only what was appended is known
    assert twin(shop.orders).all() == [known, new]
    assert shop.orders.value[0] is known
    shop.orders.append(known, third := Order(shop_id="", number=3))
    assert [one.number for one in shop.orders.value] == [1, 2, 3]
    assert shop.orders.value[2] is third


def test_refused(ann: Author, sent: RecordingEngine) -> None:
    with pytest.raises(RelationError, match=r"Author\.books leads to Book, not Author"):
        ann.books.append(ann)  # type: ignore[arg-type]
    Order(shop_id="other", number=1).put()
    with pytest.raises(RelationError, match=r"Order\.shop_id is part of its key"):
        Shop(id="s").orders.append(Order.get_one("other", 1))
    with pytest.raises(AttributeError, match=r"Author\.books can't be assigned; use Author\.books\.append\(\)"):
        ann.books = []  # type: ignore[assignment]
    with pytest.raises(AttributeError, match=r"Author\.subjects can't be assigned.*add\(\) and remove\(\)"):
        ann.subjects = []  # type: ignore[assignment]
    with pytest.raises(AttributeError, match=r"can't be deleted"):
        del ann.books
    with pytest.raises(dw.ExpressionError, match=r"the query of Author\.books knows its key already.*not str"):
        ann.books.query("ann")


# ---------------------------------------------------------------------- many to many


def test_links(sent: RecordingEngine, twin: Twins) -> None:
    ann, bob = Author(id="ann"), Author(id="bob")
    subjects = [Subject(name=name) for name in ("art", "law", "war")]
    Author.put_many([ann, bob])
    Subject.put_many(subjects)
    art, law, war = subjects
    twin(ann.subjects).add(war, art, since=1999)
    twin(bob.subjects).add(law)
    twin(law.authors).add(ann)
    sent.clear()
    assert [one.name for one in twin(ann.subjects).all()] == ["art", "law", "war"]
    assert sent.operations() == ["Query", "BatchGetItem"]
    assert [one.id for one in twin.items(law.authors)] == ["ann", "bob"]
    assert [link.since for link in twin.items(ann.subjects.links())] == [1999, 0, 1999]
    assert twin(ann.subjects).count() == 3
    sent.clear()
    twin(ann.subjects).remove(art, war)
    twin(law.authors).remove(bob)
    assert sent.operations() == ["BatchWriteItem", "DeleteItem"]
    assert [one.name for one in twin(ann.subjects).all()] == ["law"]
    assert twin(bob.subjects).all() == []
    assert twin(art.authors).all() == []
    assert Subject.get("art") is not None
    assert len(ann.subjects) == 1


def test_links_are_read_anew_on_both_sides(sent: RecordingEngine, twin: Twins) -> None:
    ann, art = Author(id="ann"), Subject(name="art")
    ann.put()
    art.put()
    assert twin(ann.subjects).all() == twin(art.authors).all() == []
    twin(ann.subjects).add(art)
    assert [one.name for one in twin(ann.subjects).all()] == ["art"]
    assert [one.id for one in twin(art.authors).all()] == ["ann"]


def test_links_to_what_is_not_there(sent: RecordingEngine, twin: Twins) -> None:
    ann = Author(id="ann")
    twin(ann.subjects).add(Subject(name="gone"))
    assert twin(ann.subjects).all() == []
    assert twin(ann.subjects).count() == 1
    twin(ann.subjects).add()
    twin(ann.subjects).remove()
    assert sent.operations() == ["PutItem", "Query", "BatchGetItem", "Query"]


def test_links_twice_are_one(sent: RecordingEngine, twin: Twins) -> None:
    ann, art = Author(id="ann"), Subject(name="art")
    twin(ann.subjects).add(art, since=1)
    twin(art.authors).add(ann, since=2)
    assert [(one.author_id, one.subject, one.since) for one in Interest.scan()] == [("ann", "art", 2)]


def test_refused_links(sent: RecordingEngine, twin: Twins) -> None:
    ann = Author(id="ann")
    with pytest.raises(RelationError, match=r"Author\.subjects leads to Subject, not Author"):
        twin(ann.subjects).add(ann)
    nameless = Subject(name="x")
    nameless.name = None  # type: ignore[assignment]
    with pytest.raises(RelationError, match=r"no key yet, so Interest\.subject has no value"):
        twin(ann.subjects).remove(nameless)
    with pytest.raises(TypeError):
        twin(ann.subjects).add(Subject(name="x"), colour="red")
    assert sent.operations() == []


class Member(Model, table="members"):
    id: Attr[str] = partition_key()

    clubs: ManyToMany[Club] = many_to_many("Joining", own="member", other="club", back="members", cascade="delete")


class Club(Model, table="clubs"):
    id: Attr[str] = partition_key()

    members: ManyToMany[Member] = many_to_many("Joining", own="club", other="member", back="clubs")


class Joining(Model, table="joinings"):
    """A link with everything that a batch can't keep."""

    member: Attr[str] = partition_key()
    club: Attr[str] = sort_key()
    badge: Attr[str | None] = attr(default=None, unique=True)
    number: Attr[int] = counter()
    v: Attr[int] = version()

    by_club = GlobalIndex("club", "member", projection="KEYS_ONLY")


def test_links_that_a_batch_can_not_write(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Member, Club, Joining)
    member, clubs = Member(id="m"), [Club(id=f"c{number:02}") for number in range(12)]
    twin(Club).put_many(clubs)
    twin(member).insert()
    twin(member.clubs).add(*clubs, clubs[0])
    assert [one.id for one in twin(member.clubs).all()] == [one.id for one in clubs]
    assert sorted(link.number for link in member.clubs.links()) == list(range(1, 13))
    with pytest.raises(dw.VersionConflict):
        twin(member.clubs).add(clubs[3])
    other = Member(id="n")
    assert twin(other.clubs).all() == []
    with pytest.raises(dw.UniqueConflict):
        twin(other.clubs).add(clubs[0], clubs[1], badge="x")
    assert len(twin(other.clubs).all()) == 1  # what it knew does not count any more
    twin(member.clubs).remove(*clubs[:10], clubs[0])
    assert [one.id for one in twin(member.clubs).all()] == ["c10", "c11"]
    assert twin(Joining).rebuild_unique(dry_run=True).removed == 0
    twin(member).delete()
    assert [one.member for one in Joining.scan()] == ["n"]
