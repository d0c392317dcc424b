"""Query: order, ranges, pages, and start keys."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedded.calls import Calls, Item, index, key


def query(values: dict[str, Any], condition: str = "p = :p", **more: Any) -> dict[str, Any]:
    return {
        "TableName": "things",
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": {f":{name}": value for name, value in values.items()},
        **more,
    }


def fill(calls: Calls, count: int, size: int = 0) -> list[Item]:
    items = [{**key("a", number), **({"x": {"S": "x" * size}} if size else {})} for number in range(count)]
    for start in range(0, count, 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        calls("BatchWriteItem", RequestItems={"things": puts})
    return items


A: dict[str, Any] = {"p": {"S": "a"}}


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 300, 3000])
def test_all_items_come_in_order(calls: Calls, count: int) -> None:
    calls.create(key="p:S s:N")
    items = fill(calls, count)
    calls("PutItem", TableName="things", Item=key("b", 5))
    answer = calls("Query", query(A))
    assert answer["Items"] == items
    assert answer["Count"] == answer["ScannedCount"] == count
    assert "LastEvaluatedKey" not in answer
    assert calls("Query", query(A, ScanIndexForward=False))["Items"] == items[::-1]
    assert calls("Query", query(A, Select="COUNT")) == {"Count": count, "ScannedCount": count}


@pytest.mark.parametrize("limit", [1, 2, 7, 128, 129, 299, 300, 301])
@pytest.mark.parametrize("forward", [True, False])
def test_pages_by_limit(calls: Calls, limit: int, forward: bool) -> None:
    calls.create(key="p:S s:N")
    items = fill(calls, 300)
    request = query(A, Limit=limit, ScanIndexForward=forward)
    assert calls.items("Query", request) == (items if forward else items[::-1])
    answer = calls("Query", request)
    assert answer["Count"] == min(limit, 300)
    # There is a next page when the limit was reached, whether anything is on it or not.
    assert ("LastEvaluatedKey" in answer) == (limit <= 300)
    if limit <= 300:
        last = answer["Items"][-1]
        assert answer["LastEvaluatedKey"] == {"p": last["p"], "s": last["s"]}


def test_a_page_ends_with_the_item_that_crosses_a_megabyte(calls: Calls) -> None:
    calls.create(key="p:S s:N")
    items = fill(calls, 5, 300_000)
    answer = calls("Query", query(A, ReturnConsumedCapacity="TOTAL"))
    assert answer["Items"] == items[:4]
    assert answer["LastEvaluatedKey"] == key("a", 3)
    # The bytes of the page are summed, then rounded once.
    assert answer["ConsumedCapacity"]["CapacityUnits"] == -(-sum(300_000 + 5 for _ in range(4)) // 4096) / 2
    rest = calls("Query", query(A, ExclusiveStartKey=answer["LastEvaluatedKey"]))
    assert rest["Items"] == items[4:]
    assert "LastEvaluatedKey" not in rest


def test_the_megabyte_counts_before_filter_and_projection(calls: Calls) -> None:
    calls.create(key="p:S s:N")
    fill(calls, 250, 9000)
    request = query({**A, "s": {"S": "none"}}, FilterExpression="x = :s", ProjectionExpression="s")
    answer = calls("Query", request)
    assert answer["Items"] == []
    assert 100 < answer["ScannedCount"] < 130
    assert answer["LastEvaluatedKey"] == key("a", answer["ScannedCount"] - 1)
    assert calls.items("Query", request) == []
    counted = calls("Query", query(A, Select="COUNT"))
    assert counted["Count"] == answer["ScannedCount"]


def test_a_megabyte_of_small_items(calls: Calls) -> None:
    calls.create(key="p:S s:N")
    items = fill(calls, 2500, 1000)
    pages = []
    start = None
    while True:
        answer = calls("Query", query(A), ExclusiveStartKey=start)
        pages.append(answer["Count"])
        start = answer.get("LastEvaluatedKey")
        if start is None:
            break
    # Four bytes for the names, one for the value of p and two or three for that of s.
    assert pages[0] == pages[1] == 1042
    assert sum(pages) == len(items)


def test_a_limit_counts_items_before_the_filter(calls: Calls) -> None:
    calls.create(key="p:S s:N", more="x:S", local=[index("lsi", "p", "x")])
    fill(calls, 30, 1)
    request = query({**A, "x": {"S": "y"}}, FilterExpression="attribute_exists(y) OR size(p) = size(:x)", Limit=10)
    calls.refused("Filter Expression can only contain non-primary key attributes", "Query", request)
    request = query(A, FilterExpression="attribute_not_exists(y)", Limit=10, IndexName="lsi")
    answer = calls("Query", request)
    assert (answer["Count"], answer["ScannedCount"]) == (10, 10)


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (key("b", 1), "outside query boundaries"),
        (key("a", 1), "outside query boundaries"),
        (key("a", 9), "outside query boundaries"),
        ({"p": {"S": "a"}}, "must have same size"),
        ({"p": {"S": "a"}, "s": {"S": "1"}}, "does not match the schema"),
        ({}, "does not match the schema"),
        ({"p": {"S": "a"}, "x": {"N": "1"}}, "does not match the schema"),
    ],
)
def test_a_start_key_that_does_not_belong_to_the_query(calls: Calls, start: Item, message: str) -> None:
    calls.create(key="p:S s:N")
    fill(calls, 10)
    bounds = {"low": {"N": "3"}, "high": {"N": "7"}}
    for forward in (True, False):
        request = query({**A, **bounds}, "p = :p AND s BETWEEN :low AND :high", ScanIndexForward=forward)
        error = calls.refused("The provided starting key is invalid: ", "Query", request, ExclusiveStartKey=start)
        assert message in str(error)


def test_a_start_key_need_not_exist(calls: Calls) -> None:
    calls.create(key="p:S s:N")
    items = fill(calls, 10)
    assert calls("Query", query(A), ExclusiveStartKey=key("a", "3.5"))["Items"] == items[4:]
    assert calls("Query", query(A), ExclusiveStartKey=key("a", "-7"))["Items"] == items
    assert calls("Query", query(A), ExclusiveStartKey=key("a", "77"))["Items"] == []


def test_a_page_of_a_deleted_start_goes_on(calls: Calls) -> None:
    calls.create(key="p:S s:N")
    items = fill(calls, 10)
    start = calls("Query", query(A), Limit=5)["LastEvaluatedKey"]
    calls("DeleteItem", TableName="things", Key=start)
    assert calls("Query", query(A), ExclusiveStartKey=start)["Items"] == items[5:]


def test_an_empty_query_costs_half_a_unit(calls: Calls) -> None:
    calls.create(key="p:S s:N")
    told = calls("Query", query(A), ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert told == {"TableName": "things", "CapacityUnits": 0.5}


texts = st.text(st.sampled_from("\0\x01aä\u7fff\uffff😀"), min_size=1, max_size=4)
binaries = st.binary(min_size=1, max_size=3)
numbers = st.one_of(st.integers(-(10**38) + 1, 10**38 - 1), st.decimals(-1000, 1000, allow_nan=False, places=5))


def ordered(kind: str, value: Any) -> Any:
    return value.encode() if kind == "S" else value


def wire(kind: str, value: Any) -> dict[str, Any]:
    import base64

    if kind == "S":
        return {"S": value}
    if kind == "N":
        return {"N": str(value)}
    return {"B": base64.b64encode(value).decode()}


@given(data=st.data(), kind=st.sampled_from("SNB"))
@settings(max_examples=60, deadline=None)
def test_every_condition_selects_what_it_says(data: st.DataObject, kind: str) -> None:
    """Keys of each type in their order; every operator against the same test in Python."""
    values = data.draw(st.lists({"S": texts, "N": numbers, "B": binaries}[kind], unique=True, min_size=1, max_size=12))
    low, high = sorted(
        (data.draw(st.sampled_from(values)), data.draw({"S": texts, "N": numbers, "B": binaries}[kind])),
        key=lambda value: ordered(kind, value),
    )
    with Calls() as calls:
        calls.create(key=f"p:S s:{kind}")
        for value in values:
            calls(
                "PutItem", TableName="things", Item={"p": {"S": "a"}, "s": wire(kind, value), "v": {"S": repr(value)}}
            )
        tests: dict[str, Any] = {
            "": lambda v: True,
            "s = :low": lambda v: v == low,
            "s < :high": lambda v: ordered(kind, v) < ordered(kind, high),
            "s <= :high": lambda v: ordered(kind, v) <= ordered(kind, high),
            "s > :low": lambda v: ordered(kind, v) > ordered(kind, low),
            "s >= :low": lambda v: ordered(kind, v) >= ordered(kind, low),
            "s BETWEEN :low AND :high": lambda v: ordered(kind, low) <= ordered(kind, v) <= ordered(kind, high),
        }
        if kind != "N":
            tests["begins_with(s, :low)"] = lambda v: v.startswith(low)
        for condition, test in tests.items():
            given_values = {
                name: wire(kind, v) for name, v in (("low", low), ("high", high)) if f":{name}" in condition
            }
            expected = [repr(v) for v in sorted(values, key=lambda v: ordered(kind, v)) if test(v)]
            expression = f"p = :p AND {condition}" if condition else "p = :p"
            for limit in (None, 1, 3):
                for forward in (True, False):
                    request = query({**A, **given_values}, expression, Limit=limit, ScanIndexForward=forward)
                    found = [item["v"]["S"] for item in calls.items("Query", request)]
                    assert found == (expected if forward else expected[::-1]), condition
