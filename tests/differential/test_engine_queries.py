"""The embedded engine against DynamoDB Local: Query and Scan of tables and indexes."""

# ruff: noqa: E501 - requests stand one to a line

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.differential.engine_pair import Failure, Pair, pair

pytestmark = pytest.mark.dynamodb_local


def attribute(name: str, kind: str = "S") -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


def schema(partition: tuple[str, ...], sort: tuple[str, ...] = ()) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": "HASH"} for name in partition] + [
        {"AttributeName": name, "KeyType": "RANGE"} for name in sort
    ]


def index(name: str, keys: list[dict[str, str]], projection: str, *included: str) -> dict[str, Any]:
    rest = {"NonKeyAttributes": list(included)} if included else {}
    return {"IndexName": name, "KeySchema": keys, "Projection": {"ProjectionType": projection, **rest}}


def key(p: str, s: object) -> dict[str, Any]:
    return {"p": {"S": p}, "s": {"N": str(s)}}


@pytest.fixture(scope="module")
def both(dynamodb_local: str) -> Iterator[Pair]:
    with pair(dynamodb_local, uuid4().hex) as both:
        request = {
            "TableName": "things",
            "AttributeDefinitions": [attribute("p"), attribute("s", "N"), attribute("l"), attribute("g"), attribute("n", "N"), attribute("b", "B")],
            "KeySchema": schema(("p",), ("s",)),
            "BillingMode": "PAY_PER_REQUEST",
            "LocalSecondaryIndexes": [index("lsi", schema(("p",), ("l",)), "INCLUDE", "x")],
            "GlobalSecondaryIndexes": [
                index("gsi", schema(("g",), ("n",)), "KEYS_ONLY"),
                index("all", schema(("g",), ("b",)), "ALL"),
                index("long", schema(("g", "l"), ("n", "b")), "ALL"),
            ],
        }  # fmt: skip
        both.same("CreateTable", request)
        for p in "abc":
            for s in range(5):
                item = {
                    **key(p, s), "x": {"S": f"x{s}"}, "y": {"N": str(s)}, "l": {"S": f"l{9 - s}"}, "g": {"S": "GH"[s % 2]},
                    "n": {"N": str(ord(p) * 10 - s)}, "m": {"M": {"k": {"L": [{"N": str(s)}]}}},
                }  # fmt: skip
                if s != 3:
                    item["b"] = {"B": ["AAE=", "AA==", "AP8=", "", "AQ=="][s]}
                both.same("PutItem", {"TableName": "things", "Item": item})
        yield both


def query(both: Pair, condition: str | None, values: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": "things", **more}
    if condition is not None:
        request["KeyConditionExpression"] = condition
    if values is not None:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    return both.same("Query", request)


A: dict[str, Any] = {"p": {"S": "a"}}


@pytest.mark.parametrize(
    "more",
    [
        {}, {"Limit": 2}, {"Limit": 5}, {"Limit": 6}, {"ScanIndexForward": False, "Limit": 2}, {"ProjectionExpression": "x"}, {"ProjectionExpression": "m.k[0], s"},
        {"ProjectionExpression": "none"}, {"Select": "COUNT"}, {"Select": "COUNT", "Limit": 2}, {"Select": "SPECIFIC_ATTRIBUTES", "ProjectionExpression": "x"},
        {"Select": "ALL_ATTRIBUTES"}, {"ConsistentRead": True, "ReturnConsumedCapacity": "TOTAL"}, {"ReturnConsumedCapacity": "INDEXES"},
        {"ExclusiveStartKey": key("a", 2)}, {"ExclusiveStartKey": key("a", 99)}, {"ExclusiveStartKey": key("a", "1.5")},
        {"ExclusiveStartKey": key("a", 3), "ScanIndexForward": False}, {"ExclusiveStartKey": key("a", 2), "Limit": 1},
        # Wrong ones.
        {"Limit": 0}, {"Limit": -1}, {"Limit": "x"}, {"Select": "X"}, {"Select": "COUNT", "ProjectionExpression": "x"}, {"Select": "SPECIFIC_ATTRIBUTES"},
        {"Select": "ALL_PROJECTED_ATTRIBUTES"}, {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "x"}, {"FilterExpression": ""},
        {"IndexName": "none"}, {"ExclusiveStartKey": key("b", 2)}, {"ExclusiveStartKey": {"p": {"S": "a"}}}, {"ExclusiveStartKey": {}},
        {"ExclusiveStartKey": {**key("a", 1), "x": {"S": "1"}}}, {"ExclusiveStartKey": {"p": {"S": "a"}, "s": {"S": "1"}}},
        {"ProjectionExpression": "p.q"}, {"ExpressionAttributeNames": {"#x": "x"}}, {"AttributesToGet": ["x"], "ProjectionExpression": "x"},
    ],
    ids=str,
)  # fmt: skip
def test_query_of_a_table(both: Pair, more: dict[str, Any]) -> None:
    query(both, "p = :p", A, **more)


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("p = :p AND s = :s", {**A, "s": {"N": "2.0"}}), ("p = :p AND s < :s", {**A, "s": {"N": "2"}}), ("p = :p AND s <= :s", {**A, "s": {"N": "2"}}),
        ("p = :p AND s > :s", {**A, "s": {"N": "2"}}), ("s >= :s AND p = :p", {**A, "s": {"N": "2"}}), ("p = :p AND s BETWEEN :s AND :t", {**A, "s": {"N": "-1"}, "t": {"N": "1.9"}}),
        ("p = :p", {"p": {"S": "none"}}),
        # Wrong ones.
        (None, None), (None, A), ("s = :p", A), ("p = :p AND x = :p", A), ("p > :p", A), ("p = :p AND begins_with(s, :p)", A), ("p = :p", {"p": {"N": "1"}}),
        ("p = :p AND s = :p", A), ("p = :p", {"p": {"S": ""}}), ("p = :p", {**A, "z": {"S": "1"}}), ("p = :p OR p = :p", A), ("p = :p AND p = :p", A), ("p =", A),
        ("p = :p AND s BETWEEN :s AND :t", {**A, "s": {"N": "2"}, "t": {"N": "1"}}),
    ],
    ids=str,
)  # fmt: skip
def test_key_conditions(both: Pair, condition: str | None, values: dict[str, Any] | None) -> None:
    query(both, condition, values)
    query(both, condition, values, ScanIndexForward=False)


@pytest.mark.parametrize(
    "expression",
    [
        "y > :y",
        "y > :y AND size(x) = :y",
        "attribute_exists(m.k[0])",
        "s > :y",
        "m.k[0] = :y",
        "p.q = :y",
        "y >",
        "NOT y = :y",
    ],
)
def test_filters(both: Pair, expression: str) -> None:
    values = {**A, "y": {"N": "2"}} if ":y" in expression else A
    query(both, "p = :p", values, FilterExpression=expression)
    query(
        both,
        "p = :p",
        values,
        FilterExpression=expression,
        Limit=3,
        ReturnConsumedCapacity="TOTAL",
        ProjectionExpression="x",
    )
    query(both, "p = :p", values, FilterExpression=expression, Select="COUNT")
    query(both, "p = :p", values, FilterExpression=expression, IndexName="lsi", Limit=2)


START = {**key("a", 2), "l": {"S": "l7"}}


@pytest.mark.parametrize(
    "more",
    [
        {}, {"Limit": 2}, {"Limit": 2, "ScanIndexForward": False}, {"Limit": 2, "Select": "ALL_ATTRIBUTES", "ReturnConsumedCapacity": "INDEXES"},
        {"Limit": 2, "ProjectionExpression": "y", "ReturnConsumedCapacity": "INDEXES"}, {"ProjectionExpression": "x, l"}, {"Select": "ALL_PROJECTED_ATTRIBUTES"},
        {"ConsistentRead": True}, {"Select": "COUNT", "Limit": 2, "ReturnConsumedCapacity": "TOTAL"}, {"ExclusiveStartKey": START}, {"ExclusiveStartKey": START, "ScanIndexForward": False},
        {"ExclusiveStartKey": START, "Select": "ALL_ATTRIBUTES"},
        # Wrong ones.
        {"FilterExpression": "attribute_exists(y)"}, {"FilterExpression": "attribute_exists(l)"}, {"ExclusiveStartKey": key("a", 1)}, {"ExclusiveStartKey": {**START, "p": {"S": "b"}}},
        {"ExclusiveStartKey": {**START, "l": {"N": "7"}}},
    ],
    ids=str,
)  # fmt: skip
def test_query_of_a_local_index(both: Pair, more: dict[str, Any]) -> None:
    query(both, "p = :p", A, IndexName="lsi", **more)
    query(both, "p = :p AND l > :l", {**A, "l": {"S": "l5"}}, IndexName="lsi", **more)


@pytest.mark.parametrize(
    "more",
    [
        {}, {"Limit": 3}, {"Limit": 3, "ScanIndexForward": False}, {"Select": "ALL_PROJECTED_ATTRIBUTES"}, {"ProjectionExpression": "p, n"}, {"Limit": 20}, {"Select": "COUNT"},
        {"Limit": 1, "ReturnConsumedCapacity": "INDEXES"}, {"ExclusiveStartKey": {**key("b", 2), "g": {"S": "G"}, "n": {"N": "978"}}},
        # Wrong ones.
        {"Select": "ALL_ATTRIBUTES"}, {"ProjectionExpression": "x"}, {"FilterExpression": "attribute_exists(x)"}, {"ConsistentRead": True}, {"ExclusiveStartKey": key("a", 1)},
        {"ExclusiveStartKey": {**key("b", 2), "g": {"S": "H"}, "n": {"N": "978"}}}, {"FilterExpression": "attribute_exists(g)"}, {"FilterExpression": "attribute_exists(p)"},
    ],
    ids=str,
)  # fmt: skip
def test_query_of_a_global_index(both: Pair, more: dict[str, Any]) -> None:
    query(both, "g = :g", {"g": {"S": "G"}}, IndexName="gsi", **more)
    query(
        both,
        "g = :g AND n BETWEEN :a AND :b",
        {"g": {"S": "G"}, "a": {"N": "970"}, "b": {"N": "980"}},
        IndexName="gsi",
        **more,
    )


def test_query_by_binary_keys_and_by_several_attributes(both: Pair) -> None:
    g: dict[str, Any] = {"g": {"S": "G"}}
    for condition in ("g = :g", "g = :g AND b > :b", "g = :g AND b <= :b", "g = :g AND begins_with(b, :b)"):
        values = {**g, "b": {"B": "AA=="}} if ":b" in condition else g
        # Only what ties have in common: their order is each side's own.
        query(both, condition, values, IndexName="all", ProjectionExpression="b")
    long = {**g, "l": {"S": "l9"}, "n": {"N": "970"}, "b": {"B": "AAE="}}
    for condition in (
        "g = :g AND l = :l", "g = :g AND l = :l AND n = :n", "g = :g AND l = :l AND n > :n", "g = :g AND l = :l AND n = :n AND b = :b",
        "g = :g AND l = :l AND n = :n AND b < :b", "g = :g AND l = :l AND n = :n AND begins_with(b, :b)", "b = :b AND g = :g AND n = :n AND l = :l",
        # Wrong ones.
        "g = :g", "g = :g AND l > :l", "g = :g AND l = :l AND b = :b", "g = :g AND l = :l AND n > :n AND b = :b", "g = :g AND n = :n",
    ):  # fmt: skip
        values = {name: value for name, value in long.items() if f":{name}" in condition}
        query(both, condition, values, IndexName="long")
        query(both, condition, values, IndexName="long", Limit=1, ScanIndexForward=False)


@pytest.mark.parametrize(
    "more",
    [
        {}, {"Select": "COUNT", "ReturnConsumedCapacity": "TOTAL"}, {"ProjectionExpression": "x, m.k"}, {"IndexName": "gsi"}, {"IndexName": "lsi"}, {"IndexName": "all"},
        {"IndexName": "lsi", "Select": "ALL_ATTRIBUTES"}, {"IndexName": "gsi", "ReturnConsumedCapacity": "INDEXES"}, {"ConsistentRead": True, "ReturnConsumedCapacity": "INDEXES"},
        # Wrong ones.
        {"Segment": 0}, {"TotalSegments": 2}, {"Segment": 2, "TotalSegments": 2}, {"Segment": -1, "TotalSegments": 2}, {"Segment": 0, "TotalSegments": 1_000_001},
        {"Limit": 0}, {"IndexName": "none"}, {"IndexName": "gsi", "Select": "ALL_ATTRIBUTES"}, {"IndexName": "gsi", "ConsistentRead": True},
        {"Select": "COUNT", "ProjectionExpression": "x"}, {"ExclusiveStartKey": {"p": {"S": "a"}}}, {"ExpressionAttributeNames": {"#x": "x"}},
    ],
    ids=str,
)  # fmt: skip
def test_scan(both: Pair, more: dict[str, Any]) -> None:
    both.same("Scan", {"TableName": "things"}, **more)


def test_scan_with_filter_may_look_at_keys(both: Pair) -> None:
    values = {":v": {"S": "b"}}
    assert (
        both.same("Scan", {"TableName": "things", "FilterExpression": "p = :v", "ExpressionAttributeValues": values})[
            "Count"
        ]
        == 5
    )
    both.same("Scan", {"TableName": "things", "FilterExpression": "p.q = :v", "ExpressionAttributeValues": values})
    both.same("Scan", {"TableName": "none"})
    both.same("Query", {"TableName": "none", "KeyConditionExpression": "p = :v", "ExpressionAttributeValues": values})


def test_a_start_key_belongs_to_its_segment(both: Pair) -> None:
    for ask in (both.local, both.embedded):
        refused = [
            isinstance(
                ask(
                    "Scan",
                    json.dumps(
                        {
                            "TableName": "things",
                            "Segment": segment,
                            "TotalSegments": 2,
                            "ExclusiveStartKey": key("a", 1),
                        }
                    ).encode(),
                ),
                Failure,
            )
            for segment in (0, 1)
        ]
        assert sorted(refused) == [False, True]


numbers = st.one_of(
    st.integers(-1000, 1000).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-100, max_value=100).map(str),
    st.sampled_from(["1e20", "-1e20", "1e-20", "0.1", "0.10", "123456789012345678901234567890", "-0"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sorts=st.lists(numbers, min_size=1, max_size=12),
    bound=numbers,
    operator=st.sampled_from(["<", "<=", ">", ">=", "="]),
    forward=st.booleans(),
    limit=st.integers(1, 5),
)
def test_numbers_order_alike(
    both: Pair, sorts: list[str], bound: str, operator: str, forward: bool, limit: int
) -> None:
    partition = uuid4().hex
    for sort in sorts:
        both.same("PutItem", {"TableName": "things", "Item": key(partition, sort)})
    request: dict[str, Any] = {
        "TableName": "things", "KeyConditionExpression": f"p = :p AND s {operator} :s",
        "ExpressionAttributeValues": {":p": {"S": partition}, ":s": {"N": bound}}, "ScanIndexForward": forward, "Limit": limit,
    }  # fmt: skip
    while True:
        body = json.dumps(request).encode()
        local, embedded = both.local("Query", body), both.embedded("Query", body)
        assert local["Items"] == embedded["Items"], body
        # At the last key that the condition allows DynamoDB Local sees that nothing can follow.
        start = local.get("LastEvaluatedKey")
        assert start in (None, embedded.get("LastEvaluatedKey"))
        if start is None:
            if "LastEvaluatedKey" in embedded:
                request["ExclusiveStartKey"] = embedded["LastEvaluatedKey"]
                assert both.embedded("Query", json.dumps(request).encode())["Items"] == []
            return
        request["ExclusiveStartKey"] = start
