"""Items of classes in a single table: developers name readable attributes, keys follow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynawire as dw
from dynawire import Attr, IndexMap, Model, attr
from dynawire.errors import (
    ConditionFailed,
    ExpressionError,
    ItemExists,
    ItemNotFound,
    TransactionCancelled,
    ValidationError,
    VersionConflict,
)
from tests.single_table.shop import Line, Order, Setting, User, day, order, shop
from tests.support.databases import Twins, raw, recorded, stored_item

LINE: dict[str, Any] = {"user_id": "1", "created_at": day(1), "order_id": "o1", "number": 2}
OF_FIRST: dict[str, Any] = {"user_id": "1", "created_at": day(1), "order_id": "o1"}


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    assert db.create_tables(User, Order, Line, Setting, shop) == [db.table(User).name]
    assert recorded(db).operations().count("CreateTable") == 1


def keys_of(db: dw.Database, item: Any) -> dict[str, Any]:
    """The generic attributes that are stored."""
    stored = stored_item(db, item)
    assert stored is not None
    generic = ("pk", "sk", "gsi0_pk", "gsi0_sk", "gsi1_pk", "gsi1_sk", "gsi2_pk", "gsi2_sk", "lsi0_sk", "_kind")
    return {name: stored[name]["S"] for name in generic if name in stored}


def test_the_table_is_made_once_with_every_index(db: dw.Database, twin: Twins) -> None:
    table = db.describe_table(Order).raw
    assert [(one["AttributeName"], one["KeyType"]) for one in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    assert {one["IndexName"] for one in table["GlobalSecondaryIndexes"]} == {"gsi0", "gsi1", "gsi2"}
    assert [one["IndexName"] for one in table["LocalSecondaryIndexes"]] == ["lsi0"]
    assert twin(db).create_tables(User, Order) == []
    assert twin(db).update_tables(User) == {db.table(User).name: []}
    assert twin(db.table(Line)).create() is False
    assert twin(db).drop_tables(User, Order, shop) == [db.table(User).name]


def test_keys_by_position_of_however_many_attributes(twin: Twins) -> None:
    line = Line(**LINE)
    twin(line).insert()
    assert Line.key("1", day(1), "o1", 2) == Line.key(**LINE)
    assert twin(Line).get("1", day(1), "o1", 2) == line
    assert twin(Line).get_one("1", day(1), "o1", number=2, consistent=True) == line
    assert twin(Line).exists("1", day(1), "o1", 2) is True
    assert twin(Line).get("1", day(1), "o1", 3) is None
    for wrong in ((), ("1", day(1)), ("1", day(1), "o1", 2, 3)):
        with pytest.raises(ValidationError, match=f"give 4 values, not {len(wrong)}"):
            twin(Line).get(*wrong)


def test_what_leaves_a_sparse_index_needs_nothing_else_known(twin: Twins) -> None:
    table = dw.SingleTable("todo", global_indexes=2)

    class Todo(Model, table=table, pk="TODO#{number}", sk="TODO"):
        number: Attr[int]
        state: Attr[str] = attr(default="open")
        marks: Attr[dict[str, int]] = attr(default_factory=dict)
        who: Attr[str | None] = attr(default=None)

        by_who = IndexMap("gsi0", pk="WHO#{who}", sk="{number}", when={"state__ne": "done", "marks__size__lt": 2})
        every = IndexMap("gsi1", pk="EVERY", sk="{who}", when={"state__in": ["open", "held"]})

    def stored() -> tuple[int, int]:
        return Todo.by_who.query("ann").count(), Todo.every.query().count()

    with dw.connect("memory:") as db, db.use():
        db.create_tables(table)
        Todo(number=1, who="ann").insert()
        assert stored() == (1, 1)
        twin(Todo.key(1)).update(state="done")
        assert stored() == (0, 0)
        with pytest.raises(ExpressionError, match="so is who, whose value is not known here"):
            twin(Todo.key(1)).update(state="open")
        with pytest.raises(ExpressionError, match="so is who, whose value is not known here"):
            twin(Todo.key(1)).update(state="late")
        twin(Todo.get_one(1)).update(state="open")
        assert stored() == (1, 1)
        mine, theirs = Todo.get_one(1), Todo.get_one(1)
        theirs.who = "bob"
        theirs.save()
        mine.state = "done"
        twin(mine).save()  # whoever has it: what is done is in no index
        assert (stored(), Todo.by_who.query("bob").count()) == ((0, 0), 0)
        assert Todo.get_one(1).who == "bob"
        # Of a map only a part may change, so it is not enough.
        with pytest.raises(ExpressionError, match="whose value is not known here"):
            twin(Todo.key(1)).update(Todo.marks["a"].set(1))


def test_keys_are_what_the_templates_say(db: dw.Database, twin: Twins) -> None:
    one = order(1, user_id="a#b", note="x")
    twin(one).insert()
    assert keys_of(db, one) == {
        "pk": "USER#a%23b",
        "sk": "ORDER#2026-01-01T00:00:00+00:00#o1",
        "gsi0_pk": "STATUS#open",
        "gsi0_sk": "2026-01-01T00:00:00+00:00",
        "gsi1_pk": "OPEN",
        "gsi1_sk": "p010",
        "gsi2_pk": "NOTE#x#open",
        "gsi2_sk": "000000#o1",
        "lsi0_sk": "TOTAL#p010",
        "_kind": "Order",
    }
    twin(Setting(name="theme")).put()
    assert keys_of(db, Setting(name="theme")) == {"pk": "SETTING", "sk": "theme", "_kind": "setting"}
    assert twin(Setting).get("theme").name == "theme"


def test_every_way_to_an_item_takes_readable_attributes(db: dw.Database, twin: Twins) -> None:
    twin(User(user_id="1", name="Ann")).insert()
    twin(order(1)).insert()
    assert twin(User).get("1").name == "Ann"
    assert twin(Order).get(**OF_FIRST).status == "open"
    assert twin(Order).get("1", day(1), order_id="o1").status == "open"
    assert twin(Order).get_one(**OF_FIRST, consistent=True).order_id == "o1"
    assert twin(Order).exists(**OF_FIRST)
    assert not twin(Order).exists(user_id="2", created_at=day(1), order_id="o1")
    assert twin(Order).get(user_id="1", created_at=day(2), order_id="o1") is None
    found = twin(Order).get_many([order(1), Order.key(**OF_FIRST), ("1", day(9), "o9")])
    assert [one.order_id for one in found.items] == ["o1"]
    both = twin(db).transact_get(User.key("1"), Order.key(**OF_FIRST), User.key("9"))
    assert [type(one) for one in both] == [User, Order, type(None)]
    with pytest.raises(ItemNotFound) as info:
        twin(User).get_one("9")
    assert info.value.key == {"pk": {"S": "USER#9"}, "sk": {"S": "PROFILE"}}
    with pytest.raises(ItemExists):
        twin(User(user_id="1")).insert()
    one = twin(Order).get(**OF_FIRST)
    twin(one).refresh()
    twin(one).delete(must_exist=True)
    twin(User.key("1")).delete(must_exist=True)
    assert twin(User).get("1") is None


def test_a_save_changes_the_keys_with_their_sources(db: dw.Database, twin: Twins) -> None:
    twin(order(1)).insert()
    one = twin(Order).get(**OF_FIRST)
    one.status = "paid"
    twin(one).save()
    assert keys_of(db, one) == {
        "pk": "USER#1",
        "sk": "ORDER#2026-01-01T00:00:00+00:00#o1",
        "gsi0_pk": "STATUS#paid",
        "gsi0_sk": "2026-01-01T00:00:00+00:00",
        "gsi1_sk": "p010",
        "gsi2_sk": "000000#o1",
        "lsi0_sk": "TOTAL#p010",
        "_kind": "Order",
    }
    one.note, one.total = "n", 7
    twin.within(db.transaction(), lambda tx: tx.save(one))
    assert keys_of(db, one)["gsi2_pk"] == "NOTE#n#paid"
    assert keys_of(db, one)["gsi2_sk"] == "000007#o1"
    assert one.label == stored_item(db, one)["label"]["S"] == "o1#p017"  # type: ignore[index]
    assert twin(one).save() is False
    one.user_id = "2"
    with pytest.raises(ValidationError, match=r"Order.user_id is part of the key"):
        twin(one).save()


def test_an_update_changes_the_keys_with_their_sources(db: dw.Database, twin: Twins) -> None:
    twin(order(1)).insert()
    key = Order.key(**OF_FIRST)
    # The key tells created_at and order_id; nothing else is needed for these.
    assert twin(key).update(total=30).total == 30
    assert keys_of(db, order(1))["lsi0_sk"] == "TOTAL#p0230"
    with pytest.raises(ExpressionError, match=r"Order.status is one of the sources of .*, and so is (total|note)"):
        twin(key).update(status="paid")
    twin(key).update(status="paid", note=None, total=31)
    assert "gsi2_pk" not in keys_of(db, order(1))
    twin(key).update(status="late", condition=(Order.note.not_exists()) & (Order.total == 31))
    assert keys_of(db, order(1))["gsi0_pk"] == "STATUS#late"
    one = twin(Order).get(**OF_FIRST)
    twin(one).update(note="x", exactly_once=True)
    assert keys_of(db, one)["gsi2_pk"] == "NOTE#x#late"
    other = twin(Order).get(**OF_FIRST)
    twin(other).update(status="open")
    with pytest.raises(ConditionFailed, match=r"another writer changed Order.status"):
        twin(one).update(note="y")
    for update in (Order.user_id.set("2"), Order.order_id.set("x")):
        with pytest.raises(ExpressionError, match=r"is part of the primary key, which cannot be updated"):
            twin(key).update(update)


def test_an_upsert_makes_whole_items(db: dw.Database, twin: Twins) -> None:
    with pytest.raises(ExpressionError, match=r"upsert=True could create a Order without .*: set"):
        twin(Order.key(**OF_FIRST)).update(note="x", status="open", upsert=True)
    twin(Order.key(**OF_FIRST)).update(note="x", status="open", total=5, upsert=True)
    stored = stored_item(db, order(1))
    assert stored == order(1, note="x", total=5).to_item()
    twin(User.key("7")).update(User.visits.add(1), upsert=True)
    stored = stored_item(db, User(user_id="7"))
    assert stored is not None
    assert stored["user_id"] == {"S": "7"}
    assert stored["_kind"] == {"S": "User"}
    assert twin(User).get("7").visits == 1
    assert [one.user_id for one in User.scan()] == ["7"]


def test_batches_and_update_where(db: dw.Database, twin: Twins) -> None:
    twin(Order).put_many([order(number, note="n" if number % 2 else None) for number in range(1, 8)])
    twin(User(user_id="1")).put()
    result = twin(Order).update_where((Order.user_id == "1") & (Order.note == "n") & (Order.total == 0), status="sold")
    assert result.written == 4
    assert keys_of(db, order(1))["gsi2_pk"] == "NOTE#n#sold"
    with pytest.raises(ExpressionError, match=r"set status in this update too"):
        twin(Order).update_where((Order.user_id == "1") & (Order.note == "n"), note="x")
    assert twin(Order).delete_where(Order.user_id == "1", dry_run=True).matched == 7
    assert twin(Order).delete_where(Order.status == "sold").written == 4
    twin(Order).delete_many([order(2), Order.key(user_id="1", created_at=day(4), order_id="o4")])
    assert [one.order_id for one in Order.query("1")] == ["o6"]
    assert twin(User).exists("1")
    twin(Order).write_many(put=[order(9)], delete=[order(6)])
    assert [one.order_id for one in Order.query("1")] == ["o9"]


def test_versions_and_times_hold_as_anywhere(db: dw.Database, twin: Twins) -> None:
    line = Line(**LINE, product="a")
    twin(line).insert()
    assert keys_of(db, line)["gsi0_sk"] == line.changed.isoformat()  # type: ignore[union-attr]
    stale = twin(Line).get(**LINE)
    line.product = "b"
    twin(line).save()
    stored = keys_of(db, line)
    assert (stored["gsi0_pk"], stored["gsi0_sk"]) == ("PRODUCT#b", line.changed.isoformat())  # type: ignore[union-attr]
    stale.product = "c"
    with pytest.raises(VersionConflict):
        twin(stale).save()
    twin(Line.key(**LINE)).update(product="d", expected_version=2)
    assert keys_of(db, line)["gsi0_pk"] == "PRODUCT#d"
    with pytest.raises(TransactionCancelled):
        twin.within(db.transaction(), lambda tx: tx.put(line))
    twin.within(db.transaction(), lambda tx: tx.update(Line.key(**LINE), product="e"))
    found = twin(Line).get(**LINE)
    assert keys_of(db, line)["gsi0_sk"] == found.changed.isoformat()


def test_the_class_of_an_item(db: dw.Database) -> None:
    assert shop.class_of(order(1).to_item()) is Order
    assert shop.class_of(Setting(name="x").to_item()) is Setting
    for item in (order(1), Line(**LINE), User(user_id="x"), Setting(name="x")):
        without_kind = {name: wire for name, wire in item.to_item().items() if name != "_kind"}
        assert shop.class_of(without_kind) is type(item)
    assert shop.class_of({"pk": {"S": "USER#1"}, "sk": {"S": "INVOICE#1"}}) is None
    assert shop.class_of({"pk": {"S": "USER#1"}, "sk": {"S": "PROFILE"}, "_kind": {"S": "Other"}}) is None
    assert shop.class_of({}) is None
    assert repr(shop) == "<SingleTable shop of User, Order, Line, Setting>"


def test_generic_keys_are_nowhere_to_be_seen() -> None:
    one = order(1)
    for name in ("pk", "sk", "gsi0_pk", "_kind"):
        assert not hasattr(one, name)
        assert not hasattr(Order, name)
        assert name not in one.to_dict()
    with pytest.raises(ExpressionError, match=r"has no attribute 'pk'"):
        Order.key(**OF_FIRST).update(pk="x")
    with pytest.raises(ExpressionError, match=r"has no attribute 'pk'"):
        Order.query(pk="USER#1")
    with pytest.raises(
        ValidationError, match=r"'sk' is not a key attribute of Order; its key is \(user_id, created_at"
    ):
        Order.get(user_id="1", sk="x")


def test_a_table_that_exists_with_keys_of_other_names(db: dw.Database, twin: Twins) -> None:
    old = dw.SingleTable(
        "old",
        partition_key="PK",
        sort_key="SK",
        global_indexes={"GSI1": dw.GlobalIndex("GSI1PK", "GSI1SK")},
        kind="type",
        separator="|",
    )

    class Thing(Model, table=old, pk="THING|{id}", sk="V|{number:04}", kind="thing"):
        id: Attr[str]
        number: Attr[int]
        owner: Attr[str]
        by_owner = dw.IndexMap("GSI1", pk="{owner}", sk="THING")

    db.create_tables(Thing)
    raw(
        db,
        Thing,
        "PutItem",
        Item={
            "PK": {"S": "THING|a"},
            "SK": {"S": "V|0007"},
            "GSI1PK": {"S": "ann"},
            "GSI1SK": {"S": "THING"},
            "type": {"S": "thing"},
            "id": {"S": "a"},
            "number": {"N": "7"},
            "owner": {"S": "ann"},
        },
    )
    one = twin(Thing).get("a", 7)
    assert one.owner == "ann"
    assert [each.number for each in Thing.by_owner.query("ann")] == [7]
    one.owner = "bob|x"
    twin(one).save()
    assert stored_item(db, one)["GSI1PK"] == {"S": "bob%7Cx"}  # type: ignore[index]


@pytest.mark.parametrize("store_keys", [True, False])
def test_an_item_under_a_key_that_its_attributes_do_not_compose(db: dw.Database, twin: Twins, store_keys: bool) -> None:
    old = dw.SingleTable("old", store_keys=store_keys)

    class Thing(Model, table=old, pk="THING#{id}", sk="V#{number:04}"):
        id: Attr[str]
        number: Attr[int]
        size: Attr[int] = attr(default=0)

    db.create_tables(old)
    # As another program wrote it, without zeros.
    thing = Thing(id="a", number=7)
    stored = thing.to_item() | {"sk": {"S": "V#7"}}
    raw(db, Thing, "PutItem", Item=stored)
    if not store_keys:
        # What is read out of the key has to be of the template's form.
        with pytest.raises(dw.DecodeError, match=r"^Thing\.number: expected int"):
            twin(Thing.query(id="a")).one()
        return
    found = twin(Thing.query(id="a")).one()
    recorded(db).clear()
    for call in (
        lambda: twin(found).delete(),
        lambda: twin(found).update(size=1),
        lambda: twin(found).update(size=1, upsert=True),
        lambda: twin(found).refresh(),
        lambda: twin(Thing).delete_many([found]),
        lambda: twin.within(db.transaction(), lambda tx: tx.delete(found)),
    ):
        with pytest.raises(ValidationError, match="this Thing is stored under another sk than its attributes compose"):
            call()
    assert recorded(db).sent == []
    assert twin(Thing).update_where((Thing.id == "a") & (Thing.size == 0), size=3).written == 1
    assert [one.size for one in twin(Thing.query(id="a")).all()] == [3]
    assert twin(Thing).delete_where((Thing.id == "a") & (Thing.size == 3)).written == 1
    assert twin(Thing.query(id="a")).all() == []
    # Written again, it is under the key of its attributes.
    twin(found).put()
    assert twin(Thing).get(id="a", number=7) == found
    twin(found).delete(must_exist=True)


def test_a_table_without_sort_key(db: dw.Database, twin: Twins) -> None:
    flat = dw.SingleTable("flat", sort_key=None)

    class A(Model, table=flat, pk="A#{id}"):
        id: Attr[str]

    class B(Model, table=flat, pk="B#{id}"):
        id: Attr[str]

    db.create_tables(A, B)
    twin(A(id="1")).insert()
    twin(B(id="1")).insert()
    assert (twin(A).get("1").id, twin(B).get("1").id) == ("1", "1")
    assert [type(one) for one in A.scan()] == [A]
    assert [type(one) for one in B.query("1")] == [B]


def test_a_family_of_classes_is_one_kind(db: dw.Database, twin: Twins) -> None:
    zoo = dw.SingleTable("zoo", global_indexes=1)

    class Animal(Model, table=zoo, pk="ANIMAL#{id}", sk="ANIMAL"):
        id: Attr[str]
        species: Attr[str] = dw.discriminator()
        by_species = dw.IndexMap("gsi0", pk="ANIMALS", sk="{species}#{id}")

    class Dog(Animal):
        barks: Attr[int] = dw.attr(default=0)

    class Keeper(Model, table=zoo, pk="KEEPER#{id}", sk="KEEPER"):
        id: Attr[str]

    db.create_tables(Animal, Dog, Keeper)
    twin(Animal(id="1")).insert()
    twin(Dog(id="2", barks=3)).insert()
    twin(Keeper(id="1")).insert()
    assert zoo.classes() == [Animal, Keeper]
    assert [type(one) for one in twin.items(Animal.by_species.query())] == [Animal, Dog]
    assert [type(one) for one in twin.items(Dog.by_species.query())] == [Dog]
    assert {type(one) for one in twin.items(Animal.scan())} == {Animal, Dog}
    assert [one.id for one in twin.items(Dog.find())] == ["2"]
    assert type(twin(Animal).get("2")) is Dog
    dog = twin(Dog).get("2")
    dog.barks = 4
    twin(dog).save()
    twin(Dog.key("3")).update(barks=1, upsert=True)
    assert stored_item(db, Dog(id="3"))["gsi0_sk"] == {"S": "Dog#3"}  # type: ignore[index]
    assert zoo.class_of(dog.to_item()) is Dog
    assert zoo.class_of(Animal(id="1").to_item()) is Animal


def test_conflicts_without_a_version(db: dw.Database, twin: Twins) -> None:
    twin(order(1)).insert()
    mine, yours = twin(Order).get(**OF_FIRST), twin(Order).get(**OF_FIRST)
    yours.status = "paid"
    assert twin(yours).save(check="loaded") is True
    mine.total = 5
    with pytest.raises(dw.ItemChanged, match=r"another writer changed status of this Order") as info:
        twin(mine).save(check="loaded")
    assert info.value.changed == ("status",)
    twin(twin(Order).get(**OF_FIRST)).delete(check="loaded")
    assert not twin(Order).exists(**OF_FIRST)


empties = dw.SingleTable("empties", global_indexes=1)


class Seat(Model, table=empties, pk="SEAT#{hall}#{row}", sk="AT#{number}"):
    hall: Attr[str]
    row: Attr[str] = attr(default="")
    number: Attr[str] = attr(default="x")
    guest: Attr[str] = attr(default="")

    by_guest = IndexMap("gsi0", pk="GUEST#{guest}", sk="G")


def test_a_key_of_empty_values_alone_is_refused(db: dw.Database, twin: Twins) -> None:
    """It would be one key for every such item. Beside others, and in indexes, an empty value is one like any other."""
    db.create_tables(empties)
    pk = r"Seat\.hall, Seat\.row are empty, so that the key pk, composed by 'SEAT#\{hall\}#\{row\}', would be the same"
    sk = r"Seat\.number is empty, so that the key sk, composed by 'AT#\{number\}', .* give it a value; nothing was sent"

    def transaction() -> None:
        with db.transaction() as tx:
            tx.put(Seat(hall="", number="1"))

    refused: list[tuple[Any, str]] = [
        (lambda: twin(Seat(hall="", number="1")).put(), pk),
        (lambda: twin(Seat(hall="a", number="")).insert(), sk),
        (lambda: twin(Seat(hall="a", number="")).save(), sk),
        (lambda: twin(Seat.key(hall="", row="", number="1")).get(), pk),
        (lambda: twin(Seat.key(hall="a", row="", number="")).update(guest="b", upsert=True), sk),
        (lambda: twin(Seat.key(hall="a", row="", number="")).delete(), sk),
        (lambda: Seat.put_many([Seat(hall="")]), pk),
        (lambda: Seat.get_many([("", "", "1")]), pk),
        (lambda: Seat.query(hall="", row="").all(), pk),
        (transaction, pk),
    ]
    with db.measure() as cost:
        for write, message in refused:
            with pytest.raises(ValidationError, match=message) as caught:
                write()
            assert (caught.value.model, caught.value.attribute) == ("Seat", "hall" if message is pk else "number")
    assert cost.requests == 0
    seats = [Seat(hall="", row="1"), Seat(hall="1"), Seat(hall="1", number="y")]
    for seat in seats:
        twin(seat).insert()
    assert {(one.hall, one.row, one.number) for one in Seat.scan()} == {("", "1", "x"), ("1", "", "x"), ("1", "", "y")}
    assert [one.to_item()["pk"]["S"] for one in seats] == ["SEAT##1", "SEAT#1#", "SEAT#1#"]
    assert Seat.by_guest.query("").count() == 3


@given(st.lists(st.tuples(*[st.text("#%a", max_size=2)] * 3), min_size=1, max_size=8))
def test_no_two_items_have_one_key(values: list[tuple[str, str, str]]) -> None:
    keys: dict[tuple[str, str], tuple[str, str, str]] = {}
    for hall, row, number in values:
        seat = Seat(hall=hall, row=row, number=number)
        if not (hall or row) or not number:
            with pytest.raises(ValidationError, match=r"(is|are) empty"):
                seat.to_item()
            continue
        item = seat.to_item()
        assert Seat.params.get(hall, row, number)["Key"] == {name: item[name] for name in ("pk", "sk")}
        assert keys.setdefault((item["pk"]["S"], item["sk"]["S"]), (hall, row, number)) == (hall, row, number)
