"""One item at a time: get, exists, insert, put, delete, refresh, with conditions, on every engine, in both forms."""

from __future__ import annotations

from typing import Any

import pytest

import dynawire as dw
from tests.support.databases import Twins, case, raw, recorded, stored_item
from tests.support.models import Address, Place, Reading, place


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Place, Reading)
    recorded(db).clear()


# ---------------------------------------------------------------------- reading


def test_get_gives_what_was_put(twin: Twins) -> None:
    stored = place(
        city="Dallas",
        visits=3,
        rank=-7,
        tags={"hub", "big"},
        scores=[3, 1, 2],
        names={"de": "Dallas", "x y": "ä€😀"},
        address=Address("Main St", "Dallas", 2, "left"),
        addresses=[Address("A", "B")],
        extra={"a": [1, None, True, {"b": b"\x00"}]},
        label="L",
    )
    twin(stored).put()
    found = twin(Place).get("TX", "DFW")
    assert found.to_dict() == stored.to_dict()
    assert found == stored


def test_get_of_a_missing_item_is_none(twin: Twins) -> None:
    assert twin(Place).get("TX", "DFW") is None


@pytest.mark.parametrize("consistent", [False, True])
def test_keys_by_position_and_by_name(db: dw.Database, twin: Twins, consistent: bool) -> None:
    twin(place()).put()
    table = db.table(Place)
    for owner in (Place, table):
        assert twin(owner).get("TX", "DFW", consistent=consistent).code == "DFW"
        assert twin(owner).get("TX", code="DFW", consistent=consistent).code == "DFW"
        assert twin(owner).get(code="DFW", state="TX", consistent=consistent).code == "DFW"
        assert twin(owner).get_one(state="TX", code="DFW", consistent=consistent).code == "DFW"
        assert twin(owner).exists(state="TX", code="DFW", consistent=consistent)
    for key in (Place.key("TX", "DFW"), Place.key("TX", code="DFW"), table.key(state="TX", code="DFW")):
        assert twin(key).get(consistent=consistent).code == "DFW"
        assert twin(key).get_one(consistent=consistent).code == "DFW"
        assert twin(key).exists(consistent=consistent)
    assert {bool(sent.body.get("ConsistentRead")) for sent in recorded(db).sent[1:]} == {consistent}


def test_get_one_of_a_missing_item(twin: Twins) -> None:
    with pytest.raises(dw.ItemNotFound) as caught:
        twin(Place).get_one("TX", "DFW")
    assert caught.value.key == {"state": {"S": "TX"}, "code": {"S": "DFW"}}
    assert caught.value.model == "Place"
    assert "DFW" not in str(caught.value)
    with pytest.raises(dw.ItemNotFound):
        twin(Place.key("TX", "DFW")).get_one()


def test_exists(twin: Twins) -> None:
    assert twin(Place).exists("TX", "DFW") is False
    twin(place()).put()
    assert twin(Place).exists("TX", "DFW") is True


def test_a_stored_item_that_does_not_fit(db: dw.Database, twin: Twins) -> None:
    item = {"state": {"S": "TX"}, "code": {"S": "DFW"}, "name": {"S": "a"}, "lbl": {"N": "5"}}
    raw(db, Place, "PutItem", Item=item)
    for read in (lambda: twin(Place).get("TX", "DFW"), lambda: twin(Place).get_one("TX", "DFW")):
        with pytest.raises(dw.DecodeError) as caught:
            read()
        assert caught.value.path == "label"
        assert caught.value.key == {"state": {"S": "TX"}, "code": {"S": "DFW"}}
        assert caught.value.model == "Place"
    assert twin(Place).exists("TX", "DFW")


# ---------------------------------------------------------------------- insert and put


def test_insert_never_overwrites(db: dw.Database, twin: Twins) -> None:
    first, second = place(name="first"), place(name="second")
    twin(first).insert()
    with pytest.raises(dw.ItemExists) as caught:
        twin(second).insert()
    assert caught.value.item == first
    assert caught.value.code == "ConditionalCheckFailedException"
    assert isinstance(caught.value, dw.ConditionFailed)
    assert "first" not in str(caught.value)
    assert twin(Place).get("TX", "DFW").name == "first"
    # Nothing was taken for stored: a save() puts the whole item.
    assert Place.params.save(second)["Item"]["name"] == {"S": "second"}


def test_insert_with_a_condition(twin: Twins) -> None:
    never = Place.name == "x"
    with pytest.raises(dw.ConditionFailed) as caught:
        twin(place()).insert(condition=never)
    assert type(caught.value) is dw.ConditionFailed
    twin(place()).insert(condition=Place.name.not_exists())
    with pytest.raises(dw.ItemExists):
        twin(place()).insert(condition=never)


def test_put_replaces_the_whole_item(db: dw.Database, twin: Twins) -> None:
    raw(
        db,
        Place,
        "PutItem",
        Item={"state": {"S": "TX"}, "code": {"S": "DFW"}, "name": {"S": "a"}, "unknown": {"S": "b"}},
    )
    assert twin(place(name="new")).put() is None
    assert stored_item(db, place()) == place(name="new").to_item()


def test_put_gives_the_old_item_on_request(twin: Twins) -> None:
    assert twin(place(name="one")).put(return_old=True) is None
    old = twin(place(name="two")).put(return_old=True)
    assert old.name == "one"
    # It is a loaded instance like any other.
    old.city = "Austin"
    assert twin(old).save()
    assert twin(Place).get("TX", "DFW").name == "two"
    assert twin(Place).get("TX", "DFW").city == "Austin"


CONDITIONS: list[Any] = [
    lambda: Place.visits == 3,
    lambda: {"visits": 3},
    lambda: {"visits__gte": 3, "name": "a"},
    lambda: [Place.visits == 3, Place.name == "a"],
    lambda: [Place.visits > 2, {"name__ne": "b"}],
    lambda: (Place.visits > 2) & ~(Place.name == "b"),
]


def test_conditions_that_hold(twin: Twins) -> None:
    for number, make in enumerate(CONDITIONS):
        with case(number):
            stored = place(name="a", visits=3)
            twin(stored).put()
            condition = make()
            twin(stored).put(condition=condition)
            stored.city = "Dallas"
            assert twin(stored).save(condition=condition)
            assert twin(stored).update(Place.rank.set(1), condition=condition).rank == 1
            assert twin(Place.key("TX", "DFW")).update(Place.rank.add(1), condition=condition).rank == 2
            twin(Place.key("TX", "DFW")).delete(condition=condition)
            assert twin(Place).get("TX", "DFW") is None


FALSE_CONDITIONS: list[Any] = [
    lambda: Place.visits == 4,
    lambda: {"visits": 4},
    lambda: [Place.visits == 3, Place.name == "other"],
    lambda: {"visits": 3, "name": "other"},
    lambda: [Place.visits == 3, {"name": "other"}],
]


def test_conditions_that_fail_change_nothing(db: dw.Database, twin: Twins) -> None:
    for number, make in enumerate(FALSE_CONDITIONS):
        with case(number):
            check_false_condition(db, twin, make())


def check_false_condition(db: dw.Database, twin: Twins, condition: Any) -> None:
    stored = place(name="a", visits=3)
    twin(stored).put()
    before = stored_item(db, place())
    changed = twin(Place).get("TX", "DFW")
    changed.name = "changed"
    calls = [
        lambda: twin(changed).put(condition=condition),
        lambda: twin(changed).put(condition=condition, return_old=True),
        lambda: twin(changed).save(condition=condition),
        lambda: twin(changed).update(Place.visits.add(1), condition=condition),
        lambda: twin(changed).update(Place.visits.add(1), condition=condition, upsert=True, name="z"),
        lambda: twin(changed).delete(condition=condition),
        lambda: twin(changed).delete(condition=condition, must_exist=True),
        lambda: twin(changed).delete(condition=condition, return_old=True),
        lambda: twin(Place.key("TX", "DFW")).update(Place.visits.add(1), condition=condition),
        lambda: twin(Place.key("TX", "DFW")).delete(condition=condition),
        lambda: twin(changed).put(condition=condition, exactly_once=True),
        lambda: twin(changed).save(condition=condition, exactly_once=True),
        lambda: twin(changed).update(Place.visits.add(1), condition=condition, exactly_once=True),
        lambda: twin(changed).delete(condition=condition, exactly_once=True),
    ]
    for call in calls:
        with pytest.raises(dw.ConditionFailed) as caught:
            call()
        error = caught.value
        assert type(error) is dw.ConditionFailed
        assert error.item == stored
        assert error.wire_item == before
        assert error.model == "Place"
        assert "changed" not in error.message
        assert stored_item(db, place()) == before
        assert changed.to_dict() == {**stored.to_dict(), "name": "changed"}
    # What was loaded is still known: the change can be saved afterwards.
    assert twin(changed).save()
    assert twin(Place).get("TX", "DFW").name == "changed"


def test_a_condition_on_a_missing_item(twin: Twins) -> None:
    with pytest.raises(dw.ConditionFailed) as caught:
        twin(place()).put(condition=Place.visits == 3)
    assert (type(caught.value), caught.value.item) == (dw.ConditionFailed, None)
    assert "no item has this key" in caught.value.message
    with pytest.raises(dw.ConditionFailed) as caught:
        twin(place()).delete(condition=Place.visits == 3)
    assert (type(caught.value), caught.value.item) == (dw.ConditionFailed, None)


def test_the_item_of_a_failed_condition_that_does_not_fit(db: dw.Database, twin: Twins) -> None:
    item = {"state": {"S": "TX"}, "code": {"S": "DFW"}, "name": {"S": "a"}, "lbl": {"N": "5"}}
    raw(db, Place, "PutItem", Item=item)
    with pytest.raises(dw.ItemExists) as caught:
        twin(place()).insert()
    assert (caught.value.item, caught.value.wire_item) == (None, item)


# ---------------------------------------------------------------------- delete


def test_delete(twin: Twins) -> None:
    stored = place(name="a")
    twin(stored).put()
    assert twin(stored).delete() is None
    assert twin(Place).get("TX", "DFW") is None
    assert twin(stored).delete() is None


def test_delete_gives_the_old_item_on_request(twin: Twins) -> None:
    stored = place(name="a")
    twin(stored).put()
    assert twin(Place.key("TX", "DFW")).delete(return_old=True) == stored
    assert twin(Place.key("TX", "DFW")).delete(return_old=True) is None
    assert twin(stored).delete(return_old=True) is None


def test_delete_of_what_must_exist(twin: Twins) -> None:
    with pytest.raises(dw.ItemNotFound) as caught:
        twin(Place.key("TX", "DFW")).delete(must_exist=True)
    assert caught.value.key == {"state": {"S": "TX"}, "code": {"S": "DFW"}}
    twin(place()).put()
    old = twin(place()).delete(must_exist=True, return_old=True, condition=Place.name == "name DFW")
    assert old.code == "DFW"


def test_delete_by_table_takes_instances_keys_and_tuples(db: dw.Database, twin: Twins) -> None:
    table, numbers = db.table(Place), db.table(Reading)
    for one in (place(), Place.key("TX", "DFW"), table.key("TX", "DFW"), ("TX", "DFW")):
        twin(place()).put()
        twin(table).delete(one)
        assert not twin(Place).exists("TX", "DFW")
    twin(Reading(number=5)).put()
    twin(numbers).delete(5)
    assert not twin(Reading).exists(5)


# ---------------------------------------------------------------------- refresh


def test_refresh_takes_all_values(db: dw.Database, twin: Twins) -> None:
    mine = place(name="a", tags={"x"})
    twin(mine).put()
    raw(
        db,
        Place,
        "UpdateItem",
        Key={"state": {"S": "TX"}, "code": {"S": "DFW"}},
        UpdateExpression="SET #n = :n REMOVE tags",
        ExpressionAttributeNames={"#n": "name"},
        ExpressionAttributeValues={":n": {"S": "b"}},
    )
    mine.city = "local change"
    twin(mine).refresh()
    assert (mine.name, mine.city, mine.tags) == ("b", None, set())
    assert twin(mine).save() is False
    assert recorded(db).sent[-1].body["ConsistentRead"] is True
    twin(mine).refresh(consistent=False)
    assert "ConsistentRead" not in recorded(db).sent[-1].body


def test_refresh_of_a_deleted_item(twin: Twins) -> None:
    mine = place(name="a")
    twin(mine).put()
    twin(Place.key("TX", "DFW")).delete()
    mine.name = "b"
    with pytest.raises(dw.ItemNotFound):
        twin(mine).refresh()
    assert mine.name == "b"


# ---------------------------------------------------------------------- exactly once


def test_exactly_once(db: dw.Database, twin: Twins) -> None:
    mine = place(name="a", visits=1)
    twin(mine).insert(exactly_once=True)
    with pytest.raises(dw.ItemExists):
        twin(place()).insert(exactly_once=True)
    twin(mine).put(exactly_once=True)
    mine.name = "b"
    assert twin(mine).save(exactly_once=True) is True
    assert twin(mine).save(exactly_once=True) is False
    mine.city = "unsaved"
    raw(
        db,
        Place,
        "UpdateItem",
        Key={"state": {"S": "TX"}, "code": {"S": "DFW"}},
        UpdateExpression="SET visits = :v",
        ExpressionAttributeValues={":v": {"N": "10"}},
    )
    assert twin(mine).update(Place.visits.add(1), exactly_once=True) is mine
    assert (mine.visits, mine.city) == (11, "unsaved")
    assert twin(mine).save() is True
    assert twin(Place.key("TX", "DFW")).update(Place.visits.add(1), exactly_once=True).visits == 12
    assert twin(Place).get("TX", "DFW").city == "unsaved"
    twin(mine).delete(exactly_once=True)
    assert twin(Place).get("TX", "DFW") is None
    with pytest.raises(dw.ItemNotFound):
        twin(mine).update(Place.visits.add(1), exactly_once=True)
    with pytest.raises(dw.ItemNotFound):
        twin(mine).delete(must_exist=True, exactly_once=True)
    assert {name for name in recorded(db).operations() if name not in ("GetItem", "UpdateItem")} == {
        "TransactWriteItems"
    }


def test_exactly_once_returns_no_old_item(db: dw.Database, twin: Twins) -> None:
    for call in (
        lambda: twin(place()).put(exactly_once=True, return_old=True),
        lambda: twin(place()).delete(exactly_once=True, return_old=True),
    ):
        with pytest.raises(dw.ExpressionError, match="drop return_old=True"):
            call()
    assert not recorded(db).sent
