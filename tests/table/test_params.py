"""``params``: the request of every operation, without sending it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import dynawire as dw
from tests.support.models import Place, Reading, place
from tests.support.recording import RecordingEngine


@pytest.fixture(autouse=True)
def db() -> Iterator[dw.Database]:
    """A database whose engine refuses every request."""
    with dw.Database(RecordingEngine(), table_prefix="p-").use() as database:
        yield database
    assert database.engine.sent == []  # type: ignore[attr-defined]


NAME = "p-places"
KEY = {"state": {"S": "TX"}, "code": {"S": "A"}}
ITEM = {
    **KEY,
    "name": {"S": "name A"},
    "visits": {"N": "0"},
    "scores": {"L": []},
    "names": {"M": {}},
    "addresses": {"L": []},
    "lbl": {"S": "none"},
}


def stored() -> Place:
    """An instance as if it had been read."""
    return Place.from_item({**ITEM, "city": {"S": "Austin"}})


def shown(request: dict[str, Any]) -> dict[str, Any]:
    """The request without what any instance of the class has."""
    item = request.get("Item")
    if item is not None:
        request = {**request, "Item": {name: one for name, one in item.items() if name != "extra"}}
    return request


def test_reads() -> None:
    assert Place.params.get("TX", "A") == {"TableName": NAME, "Key": KEY}
    assert Place.params.get(code="A", state="TX") == {"TableName": NAME, "Key": KEY}
    assert Place.params.get_one("TX", "A", consistent=True) == {"TableName": NAME, "Key": KEY, "ConsistentRead": True}
    assert Place.key("TX", "A").params.get() == {"TableName": NAME, "Key": KEY}
    assert Place.params.exists("TX", "A") == Place.key("TX", "A").params.exists()
    assert Place.params.exists("TX", "A") == {
        "TableName": NAME,
        "Key": KEY,
        "ProjectionExpression": "#n0, #n1",
        "ExpressionAttributeNames": {"#n0": "state", "#n1": "code"},
    }
    assert stored().params.refresh() == {"TableName": NAME, "Key": KEY, "ConsistentRead": True}


def test_writes_of_instances(db: dw.Database) -> None:
    new = place("A")
    assert shown(new.params.put()) == {"TableName": NAME, "Item": ITEM}
    assert shown(Place.params.put(new)) == shown(db.table(Place).params.put(new)) == shown(new.params.save())
    assert new.params.put(return_old=True)["ReturnValues"] == "ALL_OLD"
    insert = new.params.insert()
    assert insert["ConditionExpression"] == "attribute_not_exists(#n0)"
    assert insert["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    both = new.params.insert(condition=Place.visits > 3)
    assert both["ConditionExpression"] == "attribute_not_exists(#n0) AND #n1 > :v0"
    once = new.params.insert(exactly_once=True)
    assert list(once["TransactItems"][0]) == ["Put"]
    assert len(once["ClientRequestToken"]) == 36


def test_saves() -> None:
    mine = stored()
    assert mine.params.save() == {}
    mine.name, mine.city = "new", None
    assert mine.params.save() == {
        "TableName": NAME,
        "Key": KEY,
        "UpdateExpression": "SET #n0 = :v0 REMOVE #n1",
        "ConditionExpression": "attribute_exists(#n2)",
        "ExpressionAttributeNames": {"#n0": "name", "#n1": "city", "#n2": "state"},
        "ExpressionAttributeValues": {":v0": {"S": "new"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_updates_and_deletes() -> None:
    expected = {
        "TableName": NAME,
        "Key": KEY,
        "UpdateExpression": "SET #n0 = :v0 ADD #n1 :v1",
        "ConditionExpression": "attribute_exists(#n2) AND #n1 < :v2",
        "ExpressionAttributeNames": {"#n0": "name", "#n1": "visits", "#n2": "state"},
        "ExpressionAttributeValues": {":v0": {"S": "x"}, ":v1": {"N": "1"}, ":v2": {"N": "5"}},
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    arguments = (Place.visits.add(1),)
    options: dict[str, Any] = {"name": "x", "condition": Place.visits < 5}
    key = Place.key("TX", "A")
    # Keywords come after the updates given by position.
    assert sorted(Place.params.update(key, *arguments, **options)) == sorted(expected)
    assert key.params.update(Place.name.set("x"), *arguments, condition=Place.visits < 5) == expected
    assert stored().params.update(*arguments, **options) == key.params.update(*arguments, **options)
    assert key.params.delete() == stored().params.delete() == {"TableName": NAME, "Key": KEY}
    assert key.params.delete(return_old=True, must_exist=True) == {
        "TableName": NAME,
        "Key": KEY,
        "ConditionExpression": "attribute_exists(#n0)",
        "ExpressionAttributeNames": {"#n0": "state"},
        "ReturnValues": "ALL_OLD",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_a_measured_block_shows_in_them(db: dw.Database) -> None:
    with db.measure() as meter:
        assert Place.params.get("TX", "A")["ReturnConsumedCapacity"] == "TOTAL"
        assert Place.query("TX").params()["ReturnConsumedCapacity"] == "TOTAL"
    assert meter.requests == 0


def test_what_has_no_params() -> None:
    for owner, known in (
        (Place.params, "create, delete"),
        (stored().params, "delete, insert, put, refresh, save, update"),
        (Place.key("TX", "A").params, "delete, exists, get, get_one, update"),
        (Place.query("TX").params, "count, first, one, page"),
    ):
        for name in ("nothing", "aget", "query", "_get"):
            with pytest.raises(AttributeError, match=known):
                getattr(owner, name)
    assert dir(stored().params) == ["delete", "insert", "put", "refresh", "save", "update"]
    assert repr(stored().params) == "<params: delete, insert, put, refresh, save, update>"
    with pytest.raises(AttributeError):
        stored().params.get("TX", "A")


def test_what_an_operation_refuses_its_params_refuse() -> None:
    with pytest.raises(dw.ValidationError):
        Place.params.get("TX")
    with pytest.raises(dw.ValidationError):
        place(visits=-1).params.put()
    with pytest.raises(dw.ExpressionError):
        Place.key("TX", "A").params.update()
    with pytest.raises(dw.LimitExceeded):
        Reading(number=Decimal(1), text="x" * 410_000).params.put()
