"""Every flaw known of the libraries that dynawire succeeds: each test shows that it is not here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import marshmallow
import pytest

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    LocalIndex,
    Migrations,
    Model,
    ToOne,
    Workflow,
    attr,
    counter,
    joined,
    many_to_one,
    partition_key,
    sort_key,
    step,
)
from dynawire.marshmallow import MarshmallowModel


class Author(Model, table="authors"):
    id: Attr[str] = partition_key()
    name: Attr[str] = attr(default="")


class Book(Model, table="books"):
    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    title: Attr[str] = attr(default="untitled")
    price: Attr[float] = attr(default=0.0, ge=0, le=100)
    copies: Attr[int] = attr(default=1, ge=0)
    author_id: Attr[str | None] = attr(default=None)
    meta: Attr[dict[str, list[int]]] = attr(default_factory=dict)
    status: Attr[str | None] = attr(default=None)

    author: ToOne[Author] = many_to_one("author_id")

    by_title = LocalIndex("title")
    by_author = GlobalIndex("author_id", "number")


class Reserved(Model, table="reserved"):
    """Its names are words that DynamoDB reserves."""

    name: Attr[str] = partition_key()
    size_: Attr[int] = attr(default=0, name="size")
    values: Attr[list[int]] = attr(default_factory=list)


@pytest.fixture(autouse=True)
def db() -> Iterator[dw.Database]:
    database = dw.connect("memory:")
    with database.use():
        database.create_tables(Author, Book, Reserved)
        yield database
    database.close()


# ---------------------------------------------------------------------- DynamORM


def test_current_marshmallow_works_and_what_is_dumped_was_validated(db: dw.Database) -> None:
    class Shelf(MarshmallowModel, table="shelves"):
        class Schema:
            name = marshmallow.fields.String(required=True)
            level = marshmallow.fields.Integer(validate=marshmallow.validate.Range(max=3))

        name: Attr[str] = partition_key()

    db.create_tables(Shelf)
    shelf = Shelf(name="A", level=1)
    shelf.insert()
    shelf.level = 9
    with pytest.raises(dw.ValidationError) as caught:
        shelf.save()
    assert "3" in str(caught.value)
    assert Shelf.get_one("A").level == 1


def test_what_is_related_is_cached_by_instance_and_not_on_the_class() -> None:
    Author(id="a", name="Ann").insert()
    Author(id="b", name="Bob").insert()
    one, other = Book(shelf="A", number=1, author_id="a"), Book(shelf="A", number=2, author_id="b")
    assert one.author.get_one().name == "Ann"
    assert other.author.get_one().name == "Bob"


def test_a_table_with_a_local_index_can_be_updated_and_so_can_an_indexs_capacity(db: dw.Database) -> None:
    class Provisioned(Model, table="provisioned", billing="PROVISIONED", read_units=1, write_units=1):
        id: Attr[str] = partition_key()
        at: Attr[int] = sort_key()
        kind: Attr[str] = attr(default="plain")

        by_kind = LocalIndex("kind")
        of_kind = GlobalIndex("kind", read_units=1, write_units=1)

    class Larger(Model, table="provisioned", billing="PROVISIONED", read_units=2, write_units=2):
        id: Attr[str] = partition_key()
        at: Attr[int] = sort_key()
        kind: Attr[str] = attr(default="plain")

        by_kind = LocalIndex("kind")
        of_kind = GlobalIndex("kind", read_units=5, write_units=5)

    db.create_tables(Provisioned)
    db.update_tables(Larger)
    import json

    described = json.loads(db.engine.send("DescribeTable", b'{"TableName":"provisioned"}'))["Table"]
    assert described["ProvisionedThroughput"]["ReadCapacityUnits"] == 2
    assert described["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"]["ReadCapacityUnits"] == 5


def test_floats_are_stored() -> None:
    Book(shelf="A", number=1, price=1.1).insert()
    assert Book.get_one("A", 1).price == 1.1


def test_a_batch_reads_more_than_a_hundred_items() -> None:
    Book.put_many([Book(shelf="A", number=number) for number in range(250)])
    assert len(Book.get_many([("A", number) for number in range(250)]).items) == 250


def test_keys_and_attributes_may_be_reserved_words() -> None:
    Reserved(name="a").insert()
    with pytest.raises(dw.ItemExists):
        Reserved(name="a").insert()
    Reserved.key("a").update(Reserved.size_.add(1), Reserved.values.append(1))
    assert Reserved.find(Reserved.size_ == 1).one().values == [1]


def test_a_table_is_billed_on_demand_and_has_a_time_to_live_when_that_is_said(db: dw.Database) -> None:
    class Session(Model, table="sessions", ttl="expires"):
        id: Attr[str] = partition_key()
        expires: Attr[int | None] = attr(default=None)

    db.create_tables(Session)
    description = db.table(Session).describe()
    assert description is not None
    assert b"expires" in db.engine.send("DescribeTimeToLive", b'{"TableName":"sessions"}')
    assert b"PAY_PER_REQUEST" in db.engine.send("DescribeTable", b'{"TableName":"sessions"}')


def test_attributes_are_removed_and_items_deleted_under_a_condition() -> None:
    Book(shelf="A", number=1, status="new").insert()
    Book.key("A", 1).update(Book.status.remove())
    assert Book.get_one("A", 1).status is None
    with pytest.raises(dw.ConditionFailed):
        Book.key("A", 1).delete(condition=Book.copies > 5)
    assert Book.exists("A", 1)


def test_what_a_table_is_made_with_is_inherited(db: dw.Database) -> None:
    class Dated(Model, abstract=True, stream="NEW_IMAGE"):
        id: Attr[str] = partition_key()

    class Event(Dated, table="events"):
        pass

    db.create_tables(Event)
    assert b"NEW_IMAGE" in db.engine.send("DescribeTable", b'{"TableName":"events"}')


def test_changes_inside_of_nested_values_are_saved() -> None:
    Book(shelf="A", number=1, meta={"a": [1]}).insert()
    book = Book.get_one("A", 1)
    book.meta["a"].append(2)
    assert book.save()
    assert Book.get_one("A", 1).meta == {"a": [1, 2]}


def test_the_lookups_that_are_documented_work() -> None:
    Book(shelf="A", number=1, title="Emma").insert()
    assert Book.scan(title__in=["Emma", "Ivanhoe"]).count() == 1
    assert Book.scan(title__type="S").count() == 1
    assert Book.scan(title__type="N").count() == 0


# ---------------------------------------------------------------------- dynamongo


def test_keys_by_name_and_conditions_that_are_a_key_alone_are_read() -> None:
    Book(shelf="A", number=1).insert()
    assert Book.get(shelf="A", number=1) is not None
    found = Book.find((Book.shelf == "A") & (Book.number == 1))
    assert found.one().number == 1
    assert "GetItem" in str(found.explain())


def test_results_of_batches_share_nothing() -> None:
    one = Book.get_many([("A", 1)])
    one.missing.append(("A", 2))
    assert Book.get_many([]).missing == []


def test_and_leaves_its_operands_as_they_are() -> None:
    left = (Book.copies > 1) & (Book.copies < 9)
    before = repr(left)
    assert repr(left & (Book.title == "x")) != before
    assert repr(left) == before


def test_limits_are_for_values_and_not_for_what_is_added() -> None:
    Book(shelf="A", number=1, copies=500).insert()
    Book.key("A", 1).update(Book.copies.add(-200))
    Book.key("A", 1).update(Book.price.add(1.5))
    book = Book.get_one("A", 1)
    assert (book.copies, book.price) == (300, 1.5)


def test_nothing_is_scanned_unless_that_was_said() -> None:
    with pytest.raises(dw.ScanNotAllowed):
        Book.find(Book.title == "Emma").allow_scan(False).all()


def test_conditions_are_negated() -> None:
    Book(shelf="A", number=1, title="Emma").insert()
    assert Book.scan(~(Book.title == "Emma")).count() == 0
    assert Book.scan(~Book.title.begins_with("I")).count() == 1


# ---------------------------------------------------------------------- dynamojo


def test_mutators_run(db: dw.Database) -> None:
    class User(Model, table="users"):
        id: Attr[str] = partition_key()
        email: Attr[str] = attr(mutator=str.lower)

    db.create_tables(User)
    user = User(id="1", email="Ann@Example.org")
    assert user.email == "ann@example.org"
    user.email = "BOB@EXAMPLE.ORG"
    assert user.email == "bob@example.org"


def test_async_calls_leave_the_event_loop_to_others(tmp_path: Any) -> None:
    async def main() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        async with dw.connect(f"sqlite:///{tmp_path / 'books.db'}") as files:
            with files.use():
                await files.acreate_tables(Book)
                ticking = asyncio.ensure_future(tick())
                for number in range(20):
                    await Book(shelf="A", number=number).ainsert()
                ticking.cancel()
        return ticks

    assert asyncio.run(main()) > 20


def test_after_an_update_only_what_changed_since_is_saved() -> None:
    book = Book(shelf="A", number=1)
    book.insert()
    book.update(Book.copies.add(1))
    assert book.save() is False
    Book.key("A", 1).update(copies=9)
    book.title = "Emma"
    book.save()
    assert Book.get_one("A", 1).copies == 9


def test_an_absent_source_breaks_no_joined_attribute(db: dw.Database) -> None:
    class Place(Model, table="places"):
        id: Attr[str] = partition_key()
        country: Attr[str | None] = attr(default=None)
        city: Attr[str | None] = attr(default=None)
        where: Attr[str | None] = joined("country", "city", separator="~")

    db.create_tables(Place)
    place = Place(id="1", city="Lyon")
    place.insert()
    assert place.where is None
    place.country = "FR"
    place.save()
    assert Place.get_one("1").where == "FR~Lyon"


def test_an_update_of_what_is_missing_makes_no_phantom() -> None:
    with pytest.raises(dw.ItemNotFound):
        Book.key("A", 404).update(Book.copies.add(1))
    assert Book.scan().count() == 0


def test_a_sort_key_may_be_named_first() -> None:
    Book(shelf="A", number=1).insert()
    assert Book.query(number__gte=1, shelf="A").count() == 1
    assert Book.find((Book.number == 1) & (Book.shelf == "A")).one().shelf == "A"


# ---------------------------------------------------------------------- dynamodb-mapper


def test_keys_are_counted(db: dw.Database) -> None:
    class Post(Model, table="posts"):
        id: Attr[int] = partition_key(default=counter())

    db.create_tables(Post)
    posts = [Post(), Post()]
    for post in posts:
        post.insert()
    assert [post.id for post in posts] == [1, 2]
    assert Post.scan().count() == 2


def test_a_migrated_item_is_saved_unless_another_changed_it(db: dw.Database) -> None:
    class Steps(Migrations):
        def check_1(self, item: dict[str, Any]) -> bool:
            return "name" in item

        def check_2(self, item: dict[str, Any]) -> bool:
            return "title" in item

        def migrate_to_2(self, item: dict[str, Any]) -> dict[str, Any]:
            item["title"] = item.pop("name")
            return item

    class Film(Model, table="films", migrations=Steps):
        id: Attr[str] = partition_key()
        title: Attr[str]

    db.create_tables(Film)
    db.engine.send("PutItem", b'{"TableName":"films","Item":{"id":{"S":"1"},"name":{"S":"Metropolis"}}}')
    mine, yours = Film.get_one("1"), Film.get_one("1")
    assert mine.save(check="loaded")
    with pytest.raises(dw.ConditionFailed):
        yours.save()


def test_a_recorded_transaction_is_stored(db: dw.Database) -> None:
    class Rename(Workflow, table="workflows"):
        name: Attr[str]

        def steps(self) -> list[Any]:
            return [step(self.rename, Author.key("a"))]

        def rename(self, author: Author) -> None:
            author.name = self.name

    db.create_tables(Rename)
    Author(id="a", name="Ann").insert()
    done = Rename(name="Anna").run()
    assert Rename.get_one(done.workflow_id).status == "done"
    assert Author.get_one("a").name == "Anna"


def test_lists_and_dicts_are_lists_and_maps() -> None:
    Book(shelf="A", number=1, meta={"a": [1]}).insert()
    Book.key("A", 1).update(Book.meta["a"].append(2))
    assert Book.scan(Book.meta["a"].contains(2)).count() == 1


# ---------------------------------------------------------------------- of several of them


def test_decimals_and_floats_mix() -> None:
    Book(shelf="A", number=1, price=0.1).insert()
    Book.key("A", 1).update(Book.price.add(0.2))
    assert Book.get_one("A", 1).price == float(Decimal("0.3"))


def test_a_deleted_item_is_not_brought_back() -> None:
    book = Book(shelf="A", number=1)
    book.insert()
    Book.key("A", 1).delete()
    book.title = "Emma"
    with pytest.raises(dw.ItemNotFound):
        book.save()


def test_a_thousand_items_are_written_and_none_is_lost() -> None:
    assert Book.put_many(Book(shelf="A", number=number) for number in range(1000)).written == 1000
    assert Book.query("A").count() == 1000
