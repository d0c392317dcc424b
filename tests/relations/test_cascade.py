"""Writes that go on to related items, and those that do not."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    ManyToMany,
    Model,
    ToMany,
    attr,
    counter,
    many_to_many,
    one_to_many,
    partition_key,
    sort_key,
    template,
)
from tests.relations.library import Author, Book, City, Good, Licence, Line, Offer, Order, Shop, Subject
from tests.support.databases import Twins, recorded
from tests.support.recording import RecordingEngine


def numbers(operations: list[str]) -> dict[str, int]:
    return {name: operations.count(name) for name in sorted(set(operations))}


def a_shop(orders: int = 2) -> Shop:
    shop = Shop(id="s")
    shop.city = City(name="York")
    shop.licence = Licence(shop_id="")
    for number in range(orders):
        order = Order(shop_id="", number=number)
        shop.orders.append(order)
        order.lines.append(Line(shop_id="", place=f"{number}-1"))
    return shop


def stored() -> dict[str, int]:
    classes: list[type[Model]] = [Shop, City, Licence, Order, Line, Offer, Good]
    return {cls.__name__: count for cls in classes if (count := cls.scan().count())}


# ---------------------------------------------------------------------- saving


@pytest.mark.parametrize("method", ["save", "insert", "put"])
def test_a_new_item_and_what_it_leads_to_in_one_transaction(method: str, sent: RecordingEngine, twin: Twins) -> None:
    shop = a_shop()
    getattr(twin(shop), method)()
    assert sent.operations() == ["TransactWriteItems"]
    assert stored() == {"Shop": 1, "City": 1, "Licence": 1, "Order": 2, "Line": 2}
    assert Shop.get_one("s").city_name == "York"
    assert [(line.shop_id, line.order) for line in Line.scan()] == [("s", 0), ("s", 1)]
    assert (shop.v, [order.v for order in shop.orders]) == (1, [1, 1])
    sent.clear()
    assert twin(shop).save() is False
    assert sent.operations() == []


def test_only_what_changed(sent: RecordingEngine, twin: Twins) -> None:
    a_shop().save()
    shop = Shop.get_one("s")
    first, second = shop.orders.all()
    second.state = "paid"
    sent.clear()
    assert twin(shop).save() is True
    assert sent.operations() == ["UpdateItem"]
    assert Order.get_one("s", 1).state == "paid"
    first.state = "paid"
    shop.city.get_one().size = 5
    sent.clear()
    assert twin(shop).save() is True
    assert sent.operations() == ["TransactWriteItems"]
    assert City.get_one("York").size == 5


def test_what_was_not_read_is_not_read(sent: RecordingEngine, twin: Twins) -> None:
    a_shop().save()
    shop = Shop.get_one("s")
    shop.city_name = "Ely"
    sent.clear()
    twin(shop).save()
    assert sent.operations() == ["UpdateItem"]


def test_linked_items_are_saved_and_links_are_not(sent: RecordingEngine, twin: Twins) -> None:
    shop = Shop(id="s")
    shop.insert()
    good = Good(name="tea")
    twin(shop.goods).add(good)
    assert stored() == {"Shop": 1, "Offer": 1}
    twin(good).insert()
    assert [one.name for one in twin(shop.goods).all()] == ["tea"]


def test_all_or_nothing(sent: RecordingEngine, twin: Twins) -> None:
    City(name="York").put()
    Order(shop_id="s", number=0).put()  # of another writer: version 1
    shop = a_shop()
    with pytest.raises(dw.VersionConflict) as caught:
        twin(shop).save()
    assert caught.value.model == "Order"
    assert any("not written either" in note for note in caught.value.__notes__)
    assert stored() == {"City": 1, "Order": 1}
    assert (shop.v, shop.orders.value if shop.orders.is_loaded else None) == (0, None)


def test_the_items_own_failure(sent: RecordingEngine, twin: Twins) -> None:
    Shop(id="s").put()
    with pytest.raises(dw.ItemExists):
        twin(a_shop()).insert()
    with pytest.raises(dw.ConditionFailed):
        twin(a_shop(1)).put(condition=Shop.city_name == "Hull")
    assert stored() == {"Shop": 1}
    with pytest.raises(dw.ExpressionError, match=r"drop return_old=True"):
        twin(a_shop()).put(return_old=True)


def test_several_failures(sent: RecordingEngine, twin: Twins) -> None:
    Order(shop_id="s", number=0).put()
    Order(shop_id="s", number=1).put()
    with pytest.raises(dw.TransactionCancelled) as caught:
        twin(a_shop()).save()
    assert [type(one) for one in caught.value.reasons if one] == [dw.VersionConflict] * 2


def test_a_bad_value_anywhere_sends_nothing(sent: RecordingEngine, twin: Twins) -> None:
    shop = a_shop()
    shop.city.value.size = "big"  # type: ignore[assignment]
    with pytest.raises(dw.ValidationError, match=r"City\.size"):
        twin(shop).save()
    assert sent.operations() == []


def test_over_a_hundred_go_in_several_transactions(sent: RecordingEngine, twin: Twins) -> None:
    shop = a_shop(70)
    twin(shop).save()
    assert sent.operations() == ["TransactWriteItems"] * 2
    assert [len(one.body["TransactItems"]) for one in sent.sent] == [100, 43]
    assert stored() == {"Shop": 1, "City": 1, "Licence": 1, "Order": 70, "Line": 70}
    # What others refer to goes first.
    first = sent.sent[0].body["TransactItems"]
    assert [next(iter(one.values()))["TableName"].rpartition("-")[2] for one in first[:2]] == ["cities", "shops"]


def test_no_cascade_where_none_is_declared(sent: RecordingEngine, twin: Twins) -> None:
    author = Author(id="ann")
    author.books.append(Book(shelf="A", number=1, author_id=""))
    twin(author).save()
    assert sent.operations() == ["PutItem"]
    assert Book.scan().count() == 0


def test_wrong_class(sent: RecordingEngine, db: dw.Database, twin: Twins) -> None:
    for method in ("insert", "put", "save"):
        with pytest.raises(dw.ValidationError, match=r"expected Shop, got City"):
            getattr(twin(db.table(Shop)), method)(City(name="x"))


# ---------------------------------------------------------------------- deleting


def test_deleting_in_one_transaction(sent: RecordingEngine, twin: Twins) -> None:
    a_shop().save()
    Shop(id="t").put()
    Order(shop_id="t", number=1).put()
    shop = Shop.get_one("s")
    shop.goods.add(Good(name="tea"), Good(name="jam"))
    Good(name="tea").put()
    sent.clear()
    twin(shop).delete()
    assert numbers(sent.operations()) == {"GetItem": 1, "Query": 4, "TransactWriteItems": 1}
    # The city is not deleted with a shop, nor goods, but the links to them.
    assert stored() == {"Shop": 1, "City": 1, "Order": 1, "Good": 1}


def test_links_only(sent: RecordingEngine, twin: Twins) -> None:
    ann, art = Author(id="ann"), Subject(name="art")
    ann.put()
    art.put()
    ann.subjects.add(art)
    twin(art).delete()
    assert Author.get("ann") is not None
    assert twin(ann.subjects).count() == 0


def test_nothing_to_delete_besides(sent: RecordingEngine, twin: Twins) -> None:
    shop = Shop(id="s")
    shop.put()
    sent.clear()
    assert twin(shop).delete(return_old=True).id == "s"
    assert sent.operations()[-1] == "DeleteItem"
    with pytest.raises(dw.ItemNotFound):
        twin(shop).delete(must_exist=True)


def test_a_condition_stops_it_all(sent: RecordingEngine, twin: Twins) -> None:
    a_shop().save()
    shop = Shop.get_one("s")
    before = stored()
    with pytest.raises(dw.ConditionFailed):
        twin(shop).delete(condition=Shop.city_name == "Hull")
    Shop.key("s").update(city_name="Hull")
    with pytest.raises(dw.VersionConflict):
        twin(shop).delete()
    with pytest.raises(dw.ExpressionError, match=r"drop return_old=True"):
        twin(Shop.get_one("s")).delete(return_old=True)
    assert stored() == before


class Box(Model, table="boxes"):
    id: Attr[str] = partition_key()
    full: Attr[bool] = attr(default=False)
    things: ToMany[Thing] = one_to_many(cascade="delete")


class Thing(Model, table="box-things"):
    box: Attr[str] = partition_key()
    number: Attr[int] = sort_key()


@pytest.mark.parametrize("things", [98, 99, 100, 199, 250])
def test_any_number(things: int, sent: RecordingEngine, twin: Twins, db: dw.Database) -> None:
    db.create_tables(Box, Thing)
    Box(id="b").put()
    Thing.put_many(Thing(box="b", number=number) for number in range(things))
    recorded(db).clear()
    twin(Box.get_one("b")).delete()
    sizes = [len(one.body.get("TransactItems", [one])) for one in sent.sent if "Get" not in one.operation][1:]
    assert sum(sizes) == things + 1
    assert len(sizes) == -(-(things + 1) // 100)
    last = sent.sent[-1].body["TransactItems"]
    assert any(one["Delete"]["TableName"].endswith("boxes") for one in last)
    assert (Box.scan().count(), Thing.scan().count()) == (0, 0)


class Shelf(Model, table="shelves"):
    id: Attr[str] = partition_key()
    books: ToMany[Volume] = one_to_many(cascade=("save", "delete"))


class Volume(Model, table="volumes"):
    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    barcode: Attr[str] = attr(unique=True)


def test_guards_of_unique_values_count_too(sent: RecordingEngine, twin: Twins, db: dw.Database) -> None:
    db.create_tables(Shelf, Volume)
    shelf = Shelf(id="s")
    for number in range(80):
        shelf.books.append(Volume(shelf="s", number=number, barcode=f"{number}"))
    twin(shelf).save()
    assert Volume.scan().count() == 80
    recorded(db).clear()
    twin(shelf).delete()
    sizes = [len(one.body["TransactItems"]) for one in sent.sent if one.operation == "TransactWriteItems"]
    assert sum(sizes) == 1 + 2 * 80
    assert max(sizes) <= 100
    assert (Shelf.scan().count(), Volume.scan().count()) == (0, 0)
    assert Volume.rebuild_unique(dry_run=True).guards == 0


class Bill(Model, table="bills"):
    id: Attr[int] = partition_key(default=counter())
    items: ToMany[Item] = one_to_many(cascade="save")


class Item(Model, table="items-of-bills"):
    bill_id: Attr[int] = partition_key()
    place: Attr[int] = sort_key()


class Sheet(Model, table="sheets"):
    id: Attr[int] = partition_key(default=counter())
    ref: Attr[str] = template("sheet-{id:d}")
    cells: ToMany[Cell] = one_to_many("ref", cascade="save")


class Cell(Model, table="cells"):
    sheet: Attr[str] = partition_key()
    place: Attr[int] = sort_key()


class Tag(Model, table="tags"):
    id: Attr[str] = partition_key()
    notes: ManyToMany[Note] = many_to_many("Tagged", own="tag_id", other="note_id")


class Tagged(Model, table="tagged"):
    tag_id: Attr[str] = partition_key()
    note_id: Attr[int] = sort_key()


class Note(Model, table="notes"):
    id: Attr[int] = partition_key(default=counter())


def test_items_of_one_that_has_no_number_yet(twin: Twins, db: dw.Database) -> None:
    db.create_tables(Bill, Item)
    bill = Bill()
    with pytest.raises(dw.RelationError, match="has no id yet: store it first"):
        bill.items.append(Item(bill_id=0, place=1))
    twin(bill).insert()
    bill.items.append(Item(bill_id=0, place=1))
    twin(bill).save()
    assert Item.get_one(1, 1).bill_id == bill.id
    db.create_tables(Tag, Tagged, Note)
    tag, note = Tag(id="t"), Note()
    tag.insert()
    with pytest.raises(dw.RelationError, match="has no key yet"):
        twin(tag.notes).add(note)
    twin(note).insert()
    twin(tag.notes).add(note)
    assert Tagged.get_one("t", 1).note_id == note.id


def test_items_of_one_whose_number_is_part_of_what_leads_to_them(twin: Twins, db: dw.Database) -> None:
    """Else they would be stored under sheet-0, where nothing finds them."""
    db.create_tables(Sheet, Cell)
    sheet = Sheet()
    cell = Cell(sheet="", place=1)
    with pytest.raises(
        dw.RelationError, match=r"Sheet.cells: the Sheet has no ref yet: store it first, to be numbered"
    ):
        sheet.cells.append(cell)
    assert cell.sheet == ""
    twin(sheet).insert()
    sheet.cells.append(cell)
    twin(sheet).save()
    assert Cell.get_one("sheet-1", 1) == cell


def test_many_with_a_condition_that_fails(sent: RecordingEngine, twin: Twins, db: dw.Database) -> None:
    db.create_tables(Box, Thing)
    Box(id="b").put()
    Thing.put_many(Thing(box="b", number=number) for number in range(120))
    recorded(db).clear()
    with pytest.raises(dw.ConditionFailed):
        twin(Box.get_one("b")).delete(condition=Box.full == True)  # noqa: E712
    assert Thing.scan().count() == 120
    assert "ConditionCheck" in sent.sent[-2].body["TransactItems"][0]
    twin(Box.get_one("b")).delete(condition=Box.full == False)  # noqa: E712
    assert (Box.scan().count(), Thing.scan().count()) == (0, 0)


def test_broken_off_and_done_again(sent: RecordingEngine, twin: Twins, db: dw.Database) -> None:
    """The item itself goes last, so that what is left can be deleted by deleting it again."""
    db.create_tables(Box, Thing)
    Box(id="b").put()
    Thing.put_many(Thing(box="b", number=number) for number in range(250))
    sent.answer("TransactWriteItems", lambda _: None, dw.ServiceError("broken", code="InternalServerError"))
    with pytest.raises(dw.ServiceError):
        twin(Box.get_one("b")).delete()
    assert (Box.scan().count(), Thing.scan().count()) == (1, 150)
    twin(Box.get_one("b")).delete()
    assert (Box.scan().count(), Thing.scan().count()) == (0, 0)


def test_what_names_one_item_writes_one_item(sent: RecordingEngine, twin: Twins, db: dw.Database) -> None:
    """By key, in batches and in transactions nothing goes on to others."""
    a_shop().save()
    twin(Shop.key("s")).delete()
    assert stored() == {"City": 1, "Licence": 1, "Order": 2, "Line": 2}
    with db.transaction() as tx:
        tx.put(a_shop(1))
        tx.delete(Order.key("s", 0))
    assert stored() == {"Shop": 1, "City": 1, "Licence": 1, "Order": 1, "Line": 2}


def test_params_show_it(sent: RecordingEngine, db: dw.Database) -> None:
    shop = a_shop(1)
    request = shop.params.save()
    assert len(request["TransactItems"]) == 5
    assert db.table(Shop).params.insert(shop)["TransactItems"]
    assert sent.operations() == []
