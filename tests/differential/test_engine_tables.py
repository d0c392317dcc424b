"""The embedded engine against DynamoDB Local: operations on tables, right and wrong ones."""

# ruff: noqa: E501 - requests stand one to a line

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.differential.engine_pair import Failure, Pair, pair

pytestmark = pytest.mark.dynamodb_local

UNITS = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 6}


@pytest.fixture
def both(dynamodb_local: str) -> Iterator[Pair]:
    with pair(dynamodb_local, uuid4().hex) as both:
        yield both


def attributes(text: str) -> list[dict[str, str]]:
    """``"p:S s:N"``."""
    return [dict(zip(("AttributeName", "AttributeType"), each.split(":"), strict=True)) for each in text.split()]


def schema(text: str) -> list[dict[str, str]]:
    """``"p s"`` is partition and sort key; ``"a b | c"`` has several."""
    partition, _, sort = text.partition(" | ") if " | " in text else text.partition(" ")
    return [{"AttributeName": name, "KeyType": "HASH"} for name in partition.split()] + [
        {"AttributeName": name, "KeyType": "RANGE"} for name in sort.split()
    ]


def index(name: str = "idx", keys: Any = "p", kind: str | None = "ALL", **more: Any) -> dict[str, Any]:
    keys = schema(keys) if isinstance(keys, str) else keys
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": kind} if kind else {}, **more}


def projection(kind: str, *names: str) -> dict[str, Any]:
    return {"Projection": {"ProjectionType": kind, "NonKeyAttributes": list(names)}}


TABLE: dict[str, Any] = {
    "TableName": "table", "AttributeDefinitions": attributes("p:S"), "KeySchema": schema("p"), "BillingMode": "PAY_PER_REQUEST",
}  # fmt: skip
SORTED = {"AttributeDefinitions": attributes("p:S s:S l:S"), "KeySchema": schema("p s")}
HASH_A, RANGE_A = {"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "p", "KeyType": "RANGE"}


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"AttributeDefinitions": attributes("p:N s:B"), "KeySchema": schema("p s")},
        {"BillingMode": None, "ProvisionedThroughput": UNITS},
        {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS, "GlobalSecondaryIndexes": [index(ProvisionedThroughput=UNITS)]},
        {"GlobalSecondaryIndexes": [index("by_a", "a b"), index("by_b", "b", "KEYS_ONLY")], "AttributeDefinitions": attributes("p:S a:N b:B")},
        {**SORTED, "LocalSecondaryIndexes": [index("lsi", "p l", **projection("INCLUDE", "x", "y"))]},
        {"GlobalSecondaryIndexes": [index(keys="a b | c d")], "AttributeDefinitions": attributes("p:S a:S b:S c:N d:B")},
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}},
        {"DeletionProtectionEnabled": True},
        {"GlobalSecondaryIndexes": [index(**projection("INCLUDE", "p"))]},
    ],
    ids=str,
)  # fmt: skip
def test_create_and_describe(both: Pair, change: dict[str, Any]) -> None:
    request = {name: value for name, value in {**TABLE, **change}.items() if value is not None}
    assert not isinstance(both.same("CreateTable", request), Failure)
    both.same("CreateTable", request)
    both.same("DescribeTable", {"TableName": "table"})
    both.same("ListTables", {})
    if "DeletionProtectionEnabled" in change:
        assert isinstance(both.same("DeleteTable", {"TableName": "table"}), Failure)
    else:
        # DynamoDB Local calls a table that was just deleted active.
        for ask in (both.local, both.embedded):
            assert not isinstance(ask("DeleteTable", b'{"TableName":"table"}'), Failure)
        assert isinstance(both.same("DescribeTable", {"TableName": "table"}), Failure)


@pytest.mark.parametrize(
    "change",
    [
        {"TableName": None}, {"TableName": "a b c"}, {"TableName": "x" * 256},
        {"KeySchema": None}, {"KeySchema": []}, {"AttributeDefinitions": None}, {"AttributeDefinitions": []},
        {"KeySchema": [RANGE_A]}, {"KeySchema": [HASH_A, RANGE_A]}, {"KeySchema": [HASH_A, {"AttributeName": "b", "KeyType": "HASH"}]},
        {"KeySchema": schema("p b")}, {"KeySchema": [*schema("p b"), {"AttributeName": "c", "KeyType": "RANGE"}]}, {"KeySchema": [{"AttributeName": "p", "KeyType": "X"}]},
        {"AttributeDefinitions": attributes("p:S b:S")}, {"AttributeDefinitions": attributes("p:S p:S")}, {"AttributeDefinitions": attributes("p:X")},
        {"BillingMode": None}, {"BillingMode": None, "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 1}}, {"BillingMode": "X"}, {"BillingMode": "PROVISIONED"},
        {"GlobalSecondaryIndexes": []}, {"GlobalSecondaryIndexes": [index(keys="b")]}, {"GlobalSecondaryIndexes": [index(), index()]}, {"GlobalSecondaryIndexes": [index(kind=None)]},
        {"GlobalSecondaryIndexes": [index(kind="INCLUDE")]}, {"GlobalSecondaryIndexes": [index(**projection("ALL", "x"))]}, {"GlobalSecondaryIndexes": [index(**projection("INCLUDE"))]},
        {"GlobalSecondaryIndexes": [index(**projection("INCLUDE", "x", "x"))]}, {"GlobalSecondaryIndexes": [index(f"idx{n}") for n in range(21)]},
        {"GlobalSecondaryIndexes": [index(f"idx{n}", **projection("INCLUDE", *(f"x{m}" for m in range(20)))) for n in range(6)]},
        {"GlobalSecondaryIndexes": [index("i")]}, {"BillingMode": None, "ProvisionedThroughput": UNITS, "GlobalSecondaryIndexes": [index()]},
        {"LocalSecondaryIndexes": [index()]}, {**SORTED, "LocalSecondaryIndexes": [index(keys="s l")]}, {**SORTED, "AttributeDefinitions": attributes("p:S s:S"), "LocalSecondaryIndexes": [index()]},
        {**SORTED, "LocalSecondaryIndexes": [index(f"idx{n}", "p l") for n in range(6)]}, {**SORTED, "LocalSecondaryIndexes": [index(keys="p l")], "GlobalSecondaryIndexes": [index()]},
        {"GlobalSecondaryIndexes": [index(keys="a b c d e | ")], "AttributeDefinitions": attributes("p:S a:S b:S c:S d:S e:S")},
        {"GlobalSecondaryIndexes": [index(keys="p | a b c d e")], "AttributeDefinitions": attributes("p:S a:S b:S c:S d:S e:S")},
        {"GlobalSecondaryIndexes": [index(keys=[HASH_A, *schema("a")[:0], {"AttributeName": "a", "KeyType": "RANGE"}, {"AttributeName": "b", "KeyType": "HASH"}])], "AttributeDefinitions": attributes("p:S a:S b:S")},
        {"StreamSpecification": {"StreamEnabled": True}}, {"StreamSpecification": {"StreamEnabled": False, "StreamViewType": "KEYS_ONLY"}},
    ],
    ids=lambda change: str(change)[:100],
)  # fmt: skip
def test_create_of_what_cannot_be(both: Pair, change: dict[str, Any]) -> None:
    request = {name: value for name, value in {**TABLE, **change}.items() if value is not None}
    assert isinstance(both.same("CreateTable", request), Failure)
    both.same("ListTables", {})


def test_list_tables(both: Pair) -> None:
    for name in ("beta", "alpha", "Gamma", "delta.1", "delta-1"):
        both.same("CreateTable", {**TABLE, "TableName": name})
    both.same("ListTables", {})
    both.same("ListTables", {"Limit": 2})
    both.same("ListTables", {"Limit": 5})
    both.same("ListTables", {"Limit": 2, "ExclusiveStartTableName": "alpha"})
    both.same("ListTables", {"ExclusiveStartTableName": "between"})
    for wrong in ({"Limit": 0}, {"Limit": 101}):
        assert isinstance(both.same("ListTables", wrong), Failure)


@pytest.mark.parametrize("operation", ["DescribeTable", "DeleteTable", "DescribeTimeToLive"])
def test_tables_that_do_not_exist(both: Pair, operation: str) -> None:
    both.same(operation, {"TableName": "none"})
    both.same(operation, {})


def test_time_to_live(both: Pair) -> None:
    both.same("CreateTable", TABLE)

    def update(enabled: bool, name: str) -> dict[str, Any]:
        return both.same(
            "UpdateTimeToLive",
            {"TableName": "table", "TimeToLiveSpecification": {"Enabled": enabled, "AttributeName": name}},
        )

    both.same("DescribeTimeToLive", {"TableName": "table"})
    for enabled, name in (
        (True, "ttl"),
        (True, "ttl"),
        (True, "other"),
        (False, "other"),
        (False, "ttl"),
        (False, "ttl"),
    ):
        update(enabled, name)
        both.same("DescribeTimeToLive", {"TableName": "table"})


def settle(both: Pair, indexes: int) -> None:
    """Wait until DynamoDB Local has finished what the engine does at once."""
    for _ in range(100):
        table = both.local("DescribeTable", b'{"TableName":"table"}')["Table"]
        states = [each["IndexStatus"] for each in table.get("GlobalSecondaryIndexes", [])]
        if states == ["ACTIVE"] * indexes:
            return
        time.sleep(0.1)
    pytest.fail(f"DynamoDB Local's indexes stay {states}")


def test_update_of_indexes(both: Pair) -> None:
    both.same("CreateTable", TABLE)
    for number in range(30):
        item = {"p": {"S": str(number)}, "g": {"S": "gG"[number % 2]}, "h": {"N": str(number)}, "x": {"S": "x"}}
        if number % 5 == 0:
            item["g"] = {"N": "1"}  # of no use as a key
        if number % 7 == 0:
            del item["h"]
        both.same("PutItem", {"TableName": "table", "Item": item})

    def update(*updates: Any, definitions: str = "", fails: bool = False) -> None:
        request = {"TableName": "table", "GlobalSecondaryIndexUpdates": list(updates)}
        if definitions:
            request["AttributeDefinitions"] = attributes(definitions)
        if fails:
            assert isinstance(both.same("UpdateTable", request), Failure)
            return
        for ask in (both.local, both.embedded):
            # Here DynamoDB Local still works on it.
            assert not isinstance(ask("UpdateTable", json.dumps(request).encode()), Failure)

    create = {"Create": index("by_g", "g h")}
    update(create, fails=True)
    update(create, {"Create": index("by_h", "h")}, definitions="g:S h:N", fails=True)
    update({}, fails=True)
    update(create, definitions="g:S h:N")
    settle(both, 1)
    # DynamoDB Local counts the items that are not in the index for their key's type.
    described = both.embedded("DescribeTable", b'{"TableName":"table"}')["Table"]
    assert described["GlobalSecondaryIndexes"][0]["ItemCount"] == 20
    for g in "gG":
        values = {":g": {"S": g}}
        answer = both.same(
            "Query",
            {
                "TableName": "table",
                "IndexName": "by_g",
                "KeyConditionExpression": "g = :g",
                "ExpressionAttributeValues": values,
            },
        )
        assert answer["Count"] > 5, g
    update({"Create": index("by_h", "h")}, definitions="h:S", fails=True)
    update({"Create": index("by_h", "h", "KEYS_ONLY")}, definitions="h:N")
    settle(both, 2)
    both.same("Scan", {"TableName": "table", "IndexName": "by_h"})
    update({"Delete": {"IndexName": "none"}}, fails=True)
    update({"Delete": {"IndexName": "by_g"}})
    settle(both, 1)
    both.same("DescribeTable", {"TableName": "table"})
    both.same("Scan", {"TableName": "table", "IndexName": "by_g"})
    both.same("PutItem", {"TableName": "table", "Item": {"p": {"S": "new"}, "g": {"N": "1"}, "h": {"N": "1"}}})
    both.same("PutItem", {"TableName": "table", "Item": {"p": {"S": "new"}, "h": {"S": "1"}}})
    both.same("Scan", {"TableName": "table", "IndexName": "by_h"})


def test_update_of_settings(both: Pair) -> None:
    both.same("CreateTable", TABLE)

    def update(**members: Any) -> dict[str, Any]:
        return both.same("UpdateTable", {"TableName": "table", **members})

    update()
    update(TableName="none")
    update(GlobalSecondaryIndexUpdates=[])
    update(BillingMode="PROVISIONED")
    update(DeletionProtectionEnabled=True)
    update(DeletionProtectionEnabled=False)
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    for specification in (stream, stream, {"StreamEnabled": False}, {"StreamEnabled": False}, {"StreamEnabled": True}):
        update(StreamSpecification=specification)
    assert not isinstance(update(BillingMode="PROVISIONED", ProvisionedThroughput=UNITS), Failure)
    update(BillingMode="PAY_PER_REQUEST")
