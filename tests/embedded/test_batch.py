"""BatchGetItem and BatchWriteItem where DynamoDB Local cannot tell."""

from __future__ import annotations

from typing import Any

from tests.embedded.calls import Calls, index, key


def puts(*items: Any) -> list[Any]:
    return [{"PutRequest": {"Item": item}} for item in items]


def test_keys_that_are_equal_as_numbers_are_duplicates(calls: Calls) -> None:
    """DynamoDB Local reads and writes them twice."""
    calls.create(key="p:S s:N")
    same = [key("a", "1"), key("a", "1.0")]
    calls.refused(
        "Provided list of item keys contains duplicates", "BatchGetItem", RequestItems={"things": {"Keys": same}}
    )
    calls.refused(
        "Provided list of item keys contains duplicates", "BatchWriteItem", RequestItems={"things": puts(*same)}
    )
    assert calls.items("Scan", TableName="things") == []


def test_limits_count_over_all_tables(calls: Calls) -> None:
    for name in ("one", "two"):
        calls.create(name)
    keys = {"one": {"Keys": [key(f"{n}") for n in range(60)]}, "two": {"Keys": [key(f"{n}") for n in range(41)]}}
    calls.refused("Too many items requested for the BatchGetItem call", "BatchGetItem", RequestItems=keys)
    writes = {"one": puts(*map(key, "abcdefghijklm")), "two": puts(*map(key, "abcdefghijklm"))}
    calls.refused("Too many items requested for the BatchWriteItem call", "BatchWriteItem", RequestItems=writes)
    many = {"one": puts(*(key(f"{n}") for n in range(26)))}
    calls.refused("Member must have length less than or equal to 25", "BatchWriteItem", RequestItems=many)
    many_keys = {"one": {"Keys": [key(f"{n}") for n in range(101)]}}
    calls.refused("Member must have length less than or equal to 100", "BatchGetItem", RequestItems=many_keys)


def test_what_is_not_found_is_left_out(calls: Calls) -> None:
    calls.create()
    calls("BatchWriteItem", RequestItems={"things": puts(key("a"), key("c"))})
    answer = calls("BatchGetItem", RequestItems={"things": {"Keys": [key("a"), key("b"), key("c")]}})
    assert answer == {"Responses": {"things": [key("a"), key("c")]}, "UnprocessedKeys": {}}
    told = calls("BatchGetItem", RequestItems={"things": {"Keys": [key("b")]}}, ReturnConsumedCapacity="TOTAL")
    assert told["ConsumedCapacity"] == [{"TableName": "things", "CapacityUnits": 0.5}]


def test_beyond_16_megabytes_keys_stay_unprocessed(calls: Calls) -> None:
    for name in ("one", "two"):
        calls.create(name)
    item = {"x": {"S": "x" * 400_000}}
    for start in range(0, 50, 25):
        calls(
            "BatchWriteItem", RequestItems={"one": puts(*({**key(f"{n}"), **item} for n in range(start, start + 25)))}
        )
    calls("BatchWriteItem", RequestItems={"two": puts({**key("1"), **item})})
    rest = {
        "one": {
            "Keys": [key(f"{n}") for n in range(50)],
            "ProjectionExpression": "#p",
            "ExpressionAttributeNames": {"#p": "p"},
            "ConsistentRead": True,
        },
        "two": {"Keys": [key("1"), key("none")]},
    }
    read: list[tuple[str, str]] = []
    rounds = 0
    while rest:
        answer = calls("BatchGetItem", RequestItems=rest)
        read += [(name, item["p"]["S"]) for name, items in answer["Responses"].items() for item in items]
        if rounds == 0:
            # What is left can be sent as it is.
            assert answer["UnprocessedKeys"]["one"] == {**rest["one"], "Keys": [key(f"{n}") for n in range(41, 50)]}
        rest = answer["UnprocessedKeys"]
        rounds += 1
    assert rounds == 2
    assert sorted(read) == sorted([("one", f"{n}") for n in range(50)] + [("two", "1")])


def test_a_batch_with_one_wrong_write_writes_nothing(calls: Calls) -> None:
    calls.create(more="g:S", indexes=[index("by_g", "g")])
    for wrong in (
        {"PutRequest": {"Item": {"q": {"S": "x"}}}},
        {"PutRequest": {"Item": {**key("b"), "g": {"N": "1"}}}},
        {"DeleteRequest": {"Key": {"q": {"S": "x"}}}},
        {"PutRequest": {"Item": {**key("b"), "x": {"SS": []}}}},
        {},
        {"PutRequest": {"Item": key("b")}, "DeleteRequest": {"Key": key("c")}},
    ):
        calls.fails("ValidationException", "BatchWriteItem", RequestItems={"things": [*puts(key("a")), wrong]})
    calls.fails(
        "ResourceNotFoundException", "BatchWriteItem", RequestItems={"things": puts(key("a")), "none": puts(key("a"))}
    )
    assert calls.items("Scan", TableName="things") == []


def test_units_of_batches(calls: Calls) -> None:
    calls.create(key="p:S s:N", more="g:S", indexes=[index("by_g", "g")])
    item = {**key("a", 1), "g": {"S": "g"}, "x": {"S": "x" * 1500}}
    told = calls("BatchWriteItem", RequestItems={"things": puts(item, key("b", 1))}, ReturnConsumedCapacity="INDEXES")
    assert told["ConsumedCapacity"] == [
        {
            "TableName": "things",
            "CapacityUnits": 5,
            "Table": {"CapacityUnits": 3},
            "GlobalSecondaryIndexes": {"by_g": {"CapacityUnits": 2}},
        }
    ]
    assert told["UnprocessedItems"] == {}
