"""Collections: one query, several classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model
from dynawire.errors import DecodeError, ExpressionError, ValidationError
from tests.single_table.shop import Line, Order, Setting, User, day, order, shop
from tests.support.databases import Twins, raw, recorded


@pytest.fixture(autouse=True)
def stocked(db: dw.Database) -> None:
    db.create_tables(shop)
    User(user_id="1", name="Ann").put()
    User(user_id="2", name="Bob").put()
    for number in (1, 2):
        order(number).put()
        for line in (1, 2):
            Line(user_id="1", created_at=day(number), order_id=f"o{number}", number=line, product="p").put()


def shown(found: Any) -> list[str]:
    return [type(one).__name__ for one in found]


def test_one_query_gives_several_classes_in_order(db: dw.Database, twin: Twins) -> None:
    sent = len(recorded(db).sent)
    found = twin(shop.collection(User, Order, Line)).query(user_id="1")
    assert len(recorded(db).sent) == sent + 1
    assert shown(found) == ["Order", "Line", "Line", "Order", "Line", "Line", "User"]
    assert [one.name for one in found.users] == ["Ann"]
    assert [one.order_id for one in found.orders] == ["o1", "o2"]
    assert [one.number for one in found.of(Line)] == [one.number for one in found.lines] == [1, 2, 1, 2]
    assert (len(found), found.others, found.cursor) == (7, [], None)
    found.users[0].name = "Anne"
    assert twin(found.users[0]).save() is True
    assert repr(found) == "<Collected: 7 of User, Order, Line>"
    assert {"users", "orders", "lines"} <= set(dir(found))


def test_items_of_others_are_reported(db: dw.Database, twin: Twins) -> None:
    raw(db, User, "PutItem", Item={"pk": {"S": "USER#1"}, "sk": {"S": "X"}, "_kind": {"S": "Strange"}})
    raw(db, User, "PutItem", Item={"pk": {"S": "USER#1"}, "sk": {"S": "Y"}})
    found = twin(shop.collection(User, Order)).query(user_id="1")
    assert shown(found) == ["Order", "Order", "User"]
    assert [item["sk"]["S"] for item in found.others[-2:]] == ["X", "Y"]
    assert len(found.others) == 6
    assert "and 6 others" in repr(found)


def test_no_more_is_read_than_what_their_sort_keys_have_in_common(db: dw.Database, twin: Twins) -> None:
    collection = shop.collection(Order, Line).reverse().consistent()
    request = collection.params.query(user_id="1")
    assert request["ExpressionAttributeValues"] == {":v0": {"S": "USER#1"}, ":v1": {"S": "ORDER#"}}
    assert (request["ScanIndexForward"], request["ConsistentRead"]) == (False, True)
    found = twin(collection).query(user_id="1")
    assert shown(found) == ["Line", "Line", "Order", "Line", "Line", "Order"]
    assert found.others == []


def test_page_by_page(db: dw.Database, twin: Twins) -> None:
    collection = shop.collection(User, Order).limit(3)
    pages = []
    cursor = None
    while True:
        found = twin(collection.after(cursor)).query(user_id="1")
        pages.append((shown(found), len(found.others)))
        cursor = found.cursor
        if cursor is None:
            break
    assert pages == [(["Order"], 2), (["Order"], 2), (["User"], 0)]
    first = twin(collection).query(user_id="1")
    rest = twin(shop.collection(User, Order).after(first.cursor)).query(user_id="1")
    assert shown(rest) == ["Order", "User"]
    with pytest.raises(ExpressionError, match=r"cursor"):
        twin(collection.after(first.cursor)).query(user_id="2")


def test_names_of_their_own(db: dw.Database, twin: Twins) -> None:
    found = twin(shop.collection(Order, people=User)).query(user_id="1")
    assert (len(found.people), len(found.orders)) == (1, 2)
    with pytest.raises(AttributeError, match=r"this collection has orders, people; not 'users'"):
        _ = found.users
    with pytest.raises(ExpressionError, match=r"Line is not in this collection of Order, User"):
        found.of(Line)


def test_a_collection_in_an_index(db: dw.Database, twin: Twins) -> None:
    mixed = dw.SingleTable("mixed", global_indexes=1)

    class Category(Model, table=mixed, pk="C#{id}", sk="C"):
        id: Attr[str]
        shelf: Attr[str]
        by_shelf = dw.IndexMap("gsi0", pk="SHELF#{shelf}", sk="CATEGORY#{id}")

    class BookBox(Model, table=mixed, pk="B#{id}", sk="B"):
        id: Attr[str]
        place: Attr[str]
        by_shelf = dw.IndexMap("gsi0", pk="SHELF#{place}", sk="BOX#{id}")

    class Address(Model, table=mixed, pk="A#{id}", sk="A"):
        id: Attr[str]
        shelf: Attr[str]
        by_shelf = dw.IndexMap("gsi0", pk="SHELF#{shelf}", sk="ADDRESS#{id}")

    db.create_tables(mixed)
    twin(Category(id="1", shelf="x")).put()
    twin(BookBox(id="2", place="x")).put()
    twin(Address(id="3", shelf="x")).put()
    found = twin(mixed.collection(Category, Address, index="gsi0")).query(shelf="x")
    assert shown(found) == ["Address", "Category"]
    assert (len(found.categories), len(found.addresses), len(found.others)) == (1, 1, 1)
    with pytest.raises(
        ExpressionError, match=r"the partition key of BookBox here is composed of place: 'shelf' is none"
    ):
        twin(mixed.collection(Category, BookBox, index="gsi0")).query(shelf="x")
    assert [name for name in dir(found) if name == "book_boxes"] == []
    with pytest.raises(ExpressionError, match=r"eventually consistent"):
        mixed.collection(Category, index="gsi0").consistent()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (shop.collection, r"takes the classes that are read together"),
        (lambda: shop.collection(User, User), r"User can't be found under the name 'users', which is taken"),
        (lambda: shop.collection(items=User), r"under the name 'items'"),
        (lambda: shop.collection(User, index="gsi9"), r"shop has no index 'gsi9'; its indexes: gsi0, gsi1, gsi2, lsi0"),
        (lambda: shop.collection(Setting, index="gsi0").query(), r"Setting is not in the index gsi0 of shop"),
        (
            lambda: shop.collection(User, Setting).query(user_id="1"),
            r"of Setting here is composed of nothing, for it is",
        ),
        (
            lambda: shop.collection(User).query(),
            r"the partition key of User here is composed of user_id: user_id is missing",
        ),
        (lambda: shop.collection(User).query(user="1"), r"'user' is none of it; did you mean 'user_id'"),
        (lambda: shop.collection(User).limit(0), r"limit takes a whole number, 1 or more"),
        (lambda: shop.collection(User, Order, index="gsi0").query(email="x"), r"of Order here is composed of status"),
    ],
)
def test_what_can_not_be_collected(make: Callable[[], Any], reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        make()


class Elsewhere(Model, table="elsewhere"):
    id: Attr[str] = dw.partition_key()


def test_what_is_no_class_of_the_table_is_refused_at_once() -> None:
    for wrong in ("User", User(user_id="1")):
        with pytest.raises(dw.UsageError, match=r"a mapped class is needed"):
            shop.collection(User, wrong)  # type: ignore[arg-type]
    for other in (Elsewhere, int):
        with pytest.raises(ExpressionError, match=rf"^{other.__name__} is not in the single table shop"):
            shop.collection(other)
    with pytest.raises(ExpressionError, match=r"Elsewhere is not in the single table shop"):
        shop.collection(User, others=Elsewhere)


def test_the_key_is_given_by_name(db: dw.Database, twin: Twins) -> None:
    with pytest.raises(dw.UsageError, match=r"by name: write query\(user_id=\.\.\.\)"):
        twin(shop.collection(User, Order)).query("1")
    with pytest.raises(dw.UsageError, match=r"write query\(\)$"):
        shop.collection(Setting).params.query("1")


def test_values_are_checked(db: dw.Database, twin: Twins) -> None:
    with pytest.raises(ValidationError, match=r"User\.user_id: must be str, not int"):
        twin(shop.collection(User)).query(user_id=1)
    raw(db, User, "PutItem", Item={"pk": {"S": "USER#1"}, "sk": {"S": "PROFILE"}, "_kind": {"S": "User"}})
    with pytest.raises(DecodeError, match=r"User.user_id"):
        twin(shop.collection(User)).query(user_id="1")


def test_classes_of_pydantic(db: dw.Database, twin: Twins) -> None:
    from dynawire.pydantic import PydanticModel

    table = dw.SingleTable("pydantic", global_indexes=1)

    class Author(PydanticModel, table=table, pk="AUTHOR#{id}", sk="AUTHOR"):
        id: str
        name: str = ""
        by_name = dw.IndexMap("gsi0", pk="NAME#{name}", sk="{id}")

    class Book(PydanticModel, table=table, pk="AUTHOR#{author}", sk="BOOK#{number:03}", kind="book"):
        author: str
        number: int
        title: str = ""

    assert table.classes() == [Author, Book]
    db.create_tables(table)
    twin(Author(id="1", name="Ann")).insert()
    for number in (2, 10):
        twin(Book(author="1", number=number)).insert()
    assert [one.number for one in twin.items(Book.query("1", Book.number > 2))] == [10]
    author = twin(Author).get("1")
    author.name = "Bob"
    twin(author).save()
    assert [one.id for one in twin.items(Author.by_name.query("Bob"))] == ["1"]
    found = twin(table.collection(Author, Book)).query  # its classes name the partition differently
    with pytest.raises(ExpressionError, match=r"of Author here is composed of id"):
        found(author="1")
    assert [one.number for one in twin(table.collection(Book)).query(author="1").books] == [2, 10]
