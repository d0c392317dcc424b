"""GetItem, PutItem, UpdateItem, DeleteItem: what the differential tests cannot see, where DynamoDB Local differs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynawire.errors import ConditionFailed
from tests.embedded.calls import Calls, Item, index, key

LIMIT = 409_600


def item_of(size: int, **more: dict[str, Any]) -> Item:
    """An item with the key ``{"p": {"S": "a"}}`` of exactly so many bytes."""
    filled = {**key("a"), "x": {"S": ""}, **more}
    assert not more
    return {**filled, "x": {"S": "x" * (size - 3)}}


def put(calls: Calls, item: Item, **more: Any) -> dict[str, Any]:
    return calls("PutItem", TableName="things", Item=item, **more)


def get(calls: Calls, wanted: Item) -> Item | None:
    found: Item | None = calls("GetItem", TableName="things", Key=wanted).get("Item")
    return found


def update(calls: Calls, wanted: Item, expression: str, values: dict[str, Any] | None = None, **more: Any) -> Any:
    values = {f":{name}": value for name, value in values.items()} if values else None
    request = {"TableName": "things", "Key": wanted, "UpdateExpression": expression}
    return calls("UpdateItem", request, ExpressionAttributeValues=values, **more)


def test_an_item_comes_back_as_it_was_put(calls: Calls) -> None:
    calls.create()
    item = {
        **key("ä\u2028😀\0"),
        "": {"S": "no"},
        "S": {"S": ""},
        "N": {"N": "-123456789012345678901234567890.12345678"},
        "B": {"B": "AP8="},
        "empty": {"B": ""},
        "BOOL": {"BOOL": False},
        "NULL": {"NULL": True},
        "SS": {"SS": ["", "b"]},
        "NS": {"NS": ["1", "-2.5"]},
        "BS": {"BS": ["AA==", ""]},
        "M": {"M": {"a.b": {"M": {}}, "#": {"L": []}}},
        "L": {"L": [{"L": [{"S": "\ud7ff"}]}, {"NULL": True}]},
    }
    del item[""]
    put(calls, item)
    assert get(calls, key("ä\u2028😀\0")) == item
    assert calls.items("Scan", TableName="things") == [item]


def test_numbers_are_stored_in_canonical_form(calls: Calls) -> None:
    calls.create(key="p:S s:N")
    put(calls, {**key("a", "+01.50e1"), "n": {"N": "-0.0"}, "s2": {"NS": ["1e3", ".5"]}})
    expected = {**key("a", "15"), "n": {"N": "0"}, "s2": {"NS": ["1000", "0.5"]}}
    for same in ("15", "15.000", "1.5E1", "0015"):
        assert get(calls, key("a", same)) == expected
    update(calls, key("a", "0.015e3"), "SET n = :n", {"n": {"N": "1E2"}})
    assert get(calls, key("a", 15)) == {**expected, "n": {"N": "100"}}
    update(calls, key("b", "7.0"), "SET n = :n", {"n": {"N": "1"}})
    assert get(calls, key("b", 7)) == {**key("b", 7), "n": {"N": "1"}}


def test_binary_keys_are_the_same_however_they_are_written(calls: Calls) -> None:
    calls.create(key="p:B")
    put(calls, {"p": {"B": "AP8="}})
    assert get(calls, {"p": {"B": "AP8="}}) == {"p": {"B": "AP8="}}
    calls.fails("SerializationException", "GetItem", TableName="things", Key={"p": {"B": "AP8"}})
    calls.refused("cannot contain an empty binary value. Key: p", "GetItem", TableName="things", Key={"p": {"B": ""}})


def test_an_item_may_have_400_kilobytes(calls: Calls) -> None:
    calls.create()
    put(calls, item_of(LIMIT))
    assert get(calls, key("a")) == item_of(LIMIT)
    calls.refused(
        "Item size has exceeded the maximum allowed size", "PutItem", TableName="things", Item=item_of(LIMIT + 1)
    )
    assert get(calls, key("a")) == item_of(LIMIT)


@pytest.mark.parametrize(
    ("size", "expression", "fits"),
    [
        # 3 bytes and 19 for each action that writes, 2 for each that clears, without the key's 2.
        (LIMIT - 20, "SET y = :y", True),
        (LIMIT - 19, "SET y = :y", False),
        (LIMIT - 3, "REMOVE y", True),
        (LIMIT - 2, "REMOVE y", False),
        (LIMIT - 39, "SET y = :y, z = :y", True),
        (LIMIT - 38, "SET y = :y, z = :y", False),
    ],
)
def test_the_size_of_an_update_counts(memory: Calls, size: int, expression: str, fits: bool) -> None:
    """An update's own size is 3 bytes and those of its actions."""
    memory.create()
    added = 3 * expression.count(":y")
    put(memory, item_of(size - added))
    values = {"y": {"S": "yy"}} if added else None
    if fits:
        update(memory, key("a"), expression, values)
    else:
        memory.refused(
            "Item size to update has exceeded the maximum allowed size", "UpdateItem", TableName="things", Key=key("a"),
            UpdateExpression=expression, ExpressionAttributeValues={":y": {"S": "yy"}} if added else None,
        )  # fmt: skip
        assert get(memory, key("a")) == item_of(size - added)


@given(
    st.lists(
        st.sampled_from(
            ["SET x = :s", "SET y = :m", "REMOVE x", "ADD n :n", "SET y.k = :s", "ADD t :t", "DELETE t :t"]
        ),
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None)
def test_sizes_are_right_after_any_updates(expressions: list[str]) -> None:
    """The size kept beside an item is that of the item: told by the table's size."""
    values = {"s": {"S": "ä" * 7}, "m": {"M": {"k": {"L": [{"N": "1"}]}}}, "n": {"N": "99.5"}, "t": {"NS": ["1", "22"]}}
    with Calls() as calls, Calls() as fresh:
        calls.create()
        fresh.create()
        put(calls, {**key("a"), "y": {"M": {}}})
        for expression in expressions:
            name = expression[-1]
            needed = {name: values[name]} if ":" in expression else None
            if expression == "SET y.k = :s" and "y" not in (get(calls, key("a")) or {}):
                continue
            update(calls, key("a"), expression, needed)
        put(fresh, get(calls, key("a")) or {})
        sizes = [each("DescribeTable", TableName="things")["Table"]["TableSizeBytes"] for each in (calls, fresh)]
        assert sizes[0] == sizes[1]


def test_nesting_of_31_levels(calls: Calls) -> None:
    calls.create()

    def nested(levels: int) -> dict[str, Any]:
        value: dict[str, Any] = {"S": "x"}
        for level in range(levels):
            value = {"M": {"m": value}} if level % 2 else {"L": [value]}
        return value

    put(calls, {**key("a"), "x": nested(31)})
    assert get(calls, key("a")) == {**key("a"), "x": nested(31)}
    calls.refused("Nesting Levels have exceeded", "PutItem", TableName="things", Item={**key("a"), "x": nested(32)})


def test_update_refuses_index_keys_that_do_not_fit(calls: Calls) -> None:
    """DynamoDB Local lets them pass."""
    calls.create(more="g:S", indexes=[index("by_g", "g")])
    put(calls, {**key("a"), "g": {"S": "g"}})
    for value, message in (
        ({"N": "1"}, "Type mismatch for Index Key g Expected: S Actual: N IndexName: by_g"),
        ({"S": ""}, "cannot contain an empty string value. IndexName: by_g, IndexKey: g"),
        ({"S": "x" * 2049}, "Size limit exceeded for Index Key g, at most 2048 bytes"),
    ):
        calls.refused(
            message, "UpdateItem", TableName="things", Key=key("a"), UpdateExpression="SET g = :g",
            ExpressionAttributeValues={":g": value},
        )  # fmt: skip
    assert calls.items("Scan", TableName="things", IndexName="by_g") == [{**key("a"), "g": {"S": "g"}}]


def test_updated_attributes_are_those_of_the_paths(calls: Calls) -> None:
    """DynamoDB Local answers with whole attributes, the service with what was updated of them."""
    calls.create()
    put(calls, {**key("a"), "m": {"M": {"x": {"N": "1"}, "y": {"N": "2"}}}, "n": {"N": "5"}})
    values = {"one": {"N": "1"}}
    old = update(calls, key("a"), "SET m.x = m.x + :one, n = n - :one", values, ReturnValues="UPDATED_OLD")
    assert old == {"Attributes": {"m": {"M": {"x": {"N": "1"}}}, "n": {"N": "5"}}}
    new = update(calls, key("a"), "SET m.x = m.x + :one, n = n - :one", values, ReturnValues="UPDATED_NEW")
    assert new == {"Attributes": {"m": {"M": {"x": {"N": "3"}}}, "n": {"N": "3"}}}
    assert update(calls, key("a"), "REMOVE m.y", ReturnValues="UPDATED_NEW") == {}


def test_a_failed_condition_tells_the_item_when_asked(calls: Calls) -> None:
    calls.create()
    item = {**key("a"), "n": {"N": "1"}}
    put(calls, item)
    request = {"TableName": "things", "ConditionExpression": "n > :n", "ExpressionAttributeValues": {":n": {"N": "1"}}}
    for operation, members in (
        ("PutItem", {"Item": key("a")}),
        ("DeleteItem", {"Key": key("a")}),
        ("UpdateItem", {"Key": key("a"), "UpdateExpression": "REMOVE n"}),
    ):
        with pytest.raises(ConditionFailed) as caught:
            calls(operation, request, ReturnValuesOnConditionCheckFailure="ALL_OLD", **members)
        assert caught.value.wire_item == item
        assert str(caught.value) == "ConditionalCheckFailedException: The conditional request failed"
        with pytest.raises(ConditionFailed) as caught:
            calls(operation, request, **members)
        assert caught.value.wire_item is None
    assert get(calls, key("a")) == item


def test_item_collection_metrics_where_there_is_a_local_index(calls: Calls) -> None:
    """DynamoDB Local never tells them."""
    calls.create(key="p:S s:N", more="l:S", local=[index("lsi", "p", "l")])
    calls.create("plain", key="p:S s:N")
    metrics = {"ItemCollectionKey": {"p": {"S": "a"}}, "SizeEstimateRangeGB": [0.0, 1.0]}
    wanted = {"ReturnItemCollectionMetrics": "SIZE"}
    for operation, members in (
        ("PutItem", {"Item": key("a", 1)}),
        ("UpdateItem", {"Key": key("a", 1)}),
        ("DeleteItem", {"Key": key("a", 1)}),
    ):
        assert calls(operation, wanted, TableName="things", **members) == {"ItemCollectionMetrics": metrics}
        assert calls(operation, wanted, TableName="plain", **members) == {}
    batch = {
        "things": [{"PutRequest": {"Item": key("a", 1)}}, {"DeleteRequest": {"Key": key("b", 1)}}],
        "plain": [{"PutRequest": {"Item": key("a", 1)}}],
    }
    told = calls("BatchWriteItem", wanted, RequestItems=batch)["ItemCollectionMetrics"]
    assert list(told) == ["things"]
    assert [each["ItemCollectionKey"]["p"]["S"] for each in told["things"]] == ["a", "b"]
    told = calls(
        "TransactWriteItems", wanted, TransactItems=[{"Put": {"TableName": "things", "Item": key("a", 1)}}]
    )["ItemCollectionMetrics"]  # fmt: skip
    assert told == {"things": [metrics]}


@pytest.mark.parametrize(
    ("old", "new", "units"),
    [(None, 10, 1), (None, 1024, 1), (None, 1025, 2), (5000, 10, 5), (10, 5000, 5), (5000, None, 5)],
)
def test_a_write_costs_the_larger_item(calls: Calls, old: int | None, new: int | None, units: int) -> None:
    calls.create()
    if old is not None:
        put(calls, item_of(old))
    if new is None:
        answer = calls("DeleteItem", TableName="things", Key=key("a"), ReturnConsumedCapacity="TOTAL")
    else:
        answer = put(calls, item_of(new), ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": "things", "CapacityUnits": units}


def test_writes_cost_units_of_the_indexes_they_change(calls: Calls) -> None:
    calls.create(
        key="p:S s:N", more="g:S l:S", local=[index("lsi", "p", "l", "KEYS_ONLY")],
        indexes=[index("all", "g"), index("keys", "g", "", "KEYS_ONLY"), index("some", "g", "", "INCLUDE", "x")],
    )  # fmt: skip

    def cost(operation: str, **members: Any) -> dict[str, float]:
        told = calls(operation, TableName="things", ReturnConsumedCapacity="INDEXES", **members)["ConsumedCapacity"]
        arms = {**told.get("GlobalSecondaryIndexes", {}), **told.get("LocalSecondaryIndexes", {})}
        units = {name: arm["CapacityUnits"] for name, arm in arms.items()}
        assert told["CapacityUnits"] == told["Table"]["CapacityUnits"] + sum(units.values())
        return {"": told["Table"]["CapacityUnits"], **units}

    item = {**key("a", 1), "g": {"S": "g"}, "x": {"S": "x" * 1500}, "y": {"S": "y"}}
    assert cost("PutItem", Item=item) == {"": 2, "all": 2, "keys": 1, "some": 2}
    assert cost("PutItem", Item=item) == {"": 2}
    # Only an index that has the attribute.
    changes = {"Key": key("a", 1), "UpdateExpression": "SET y = :v", "ExpressionAttributeValues": {":v": {"S": "z"}}}
    assert cost("UpdateItem", **changes) == {"": 2, "all": 2}
    assert cost("UpdateItem", **{**changes, "UpdateExpression": "SET x = :v"}) == {"": 2, "all": 2, "some": 2}
    # A key that moves is deleted and written.
    moves = {**changes, "UpdateExpression": "SET g = :v, l = :v"}
    assert cost("UpdateItem", **moves) == {"": 1, "all": 2, "keys": 2, "some": 2, "lsi": 1}
    assert cost("UpdateItem", Key=key("a", 1), UpdateExpression="REMOVE g") == {"": 1, "all": 1, "keys": 1, "some": 1}
    assert cost("DeleteItem", Key=key("a", 1)) == {"": 1, "lsi": 1}
    assert cost("DeleteItem", Key=key("a", 1)) == {"": 1}


@pytest.mark.parametrize(
    ("size", "consistent", "units"), [(10, False, 0.5), (4096, True, 1), (4097, True, 2), (9000, False, 1.5)]
)
def test_a_read_costs_by_4_kilobytes(calls: Calls, size: int, consistent: bool, units: float) -> None:
    calls.create()
    put(calls, item_of(size))
    request = {
        "TableName": "things",
        "Key": key("a"),
        "ConsistentRead": consistent,
        "ReturnConsumedCapacity": "INDEXES",
    }
    assert calls("GetItem", request)["ConsumedCapacity"] == {
        "TableName": "things", "CapacityUnits": units, "Table": {"CapacityUnits": units},
    }  # fmt: skip


def test_values_never_appear_in_messages(calls: Calls) -> None:
    calls.create(key="p:S s:N", more="g:S", indexes=[index("by_g", "g")])
    secret = "s3cret"
    for members in (
        {"Item": {"p": {"S": secret}}},
        {"Item": {"p": {"S": secret}, "s": {"S": secret}}},
        {"Item": {**key(secret, 1), "x": {"N": secret}}},
        {"Item": {**key(secret, 1), "x": {"S": secret, "N": "1"}}},
        {"Item": {**key(secret, 1), "g": {"B": "c2VjcmV0"}}},
        {"Item": key(secret, 1), "ConditionExpression": "p = :v", "ExpressionAttributeValues": {":v": {"N": secret}}},
        {"Item": key(secret, 1), "ReturnValues": secret},
        {"Item": {**key(secret, 1), "x": {"B": secret}}},
    ):  # fmt: skip
        with pytest.raises(Exception, match="Exception: ") as caught:
            calls("PutItem", TableName="things", **members)
        assert secret not in str(caught.value)
        assert secret not in repr(caught.value)
