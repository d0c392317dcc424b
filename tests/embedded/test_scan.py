"""Scan: every item once, whatever the pages and segments."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.embedded.calls import Calls, index, key


def fill(calls: Calls, partitions: int, sorts: int = 1) -> set[tuple[str, str]]:
    found = set()
    for p in range(partitions):
        for s in range(sorts):
            calls("PutItem", TableName="things", Item={**key(f"p{p}", s), "g": {"S": f"g{p % 5}"}})
            found.add((f"p{p}", str(s)))
    return found


def keys(items: list[dict[str, dict[str, str]]]) -> list[tuple[str, str]]:
    return [(item["p"]["S"], item["s"]["N"]) for item in items]


@pytest.fixture
def filled(calls: Calls) -> Calls:
    calls.create(
        key="p:S s:N",
        more="g:S",
        local=[index("lsi", "p", "g", "KEYS_ONLY")],
        indexes=[index("by_g", "g"), index("keys", "g", "s", "KEYS_ONLY")],
    )
    return calls


@pytest.mark.parametrize("name", [None, "lsi", "by_g", "keys"])
@pytest.mark.parametrize("limit", [None, 1, 7, 60])
def test_every_item_once(filled: Calls, name: str | None, limit: int | None) -> None:
    expected = fill(filled, 20, 3)
    found = keys(filled.items("Scan", TableName="things", IndexName=name, Limit=limit))
    assert len(found) == len(set(found)) == 60
    assert set(found) == expected
    # The order is always the same.
    assert keys(filled.items("Scan", TableName="things", IndexName=name)) == found


@pytest.mark.parametrize("name", [None, "by_g"])
@pytest.mark.parametrize("total", [1, 2, 3, 7, 100, 1_000_000])
def test_segments_are_the_whole_without_overlap(filled: Calls, name: str | None, total: int) -> None:
    expected = fill(filled, 30, 2)
    segments = range(total) if total <= 100 else []
    found = []
    for segment in segments:
        found += keys(
            filled.items("Scan", TableName="things", IndexName=name, Segment=segment, TotalSegments=total, Limit=4)
        )
    if segments:
        assert len(found) == len(expected)
        assert set(found) == expected
    else:
        first = filled("Scan", TableName="things", IndexName=name, Segment=0, TotalSegments=total)
        last = filled("Scan", TableName="things", IndexName=name, Segment=total - 1, TotalSegments=total)
        assert first["Count"] + last["Count"] < 60


def test_segments_are_about_equal(memory: Calls) -> None:
    memory.create(key="p:S s:N")
    fill(memory, 2000)
    request = {"TableName": "things", "TotalSegments": 4, "Select": "COUNT"}
    counts = [memory("Scan", request, Segment=segment)["Count"] for segment in range(4)]
    assert sum(counts) == 2000
    assert min(counts) > 400


def test_a_start_key_of_another_segment(filled: Calls) -> None:
    fill(filled, 20)
    first = filled("Scan", TableName="things", Segment=0, TotalSegments=2, Limit=1)["LastEvaluatedKey"]
    error = filled.refused(
        "The provided starting key is invalid", "Scan", TableName="things", Segment=1, TotalSegments=2,
        ExclusiveStartKey=first,
    )  # fmt: skip
    assert "TotalSegments: 2 Segment: 1" in str(error)
    assert "p1" not in str(error)


def test_a_start_key_need_not_exist(filled: Calls) -> None:
    expected = fill(filled, 20)
    # Between which items a key lies is pseudo-random, but both parts together are all.
    after = keys(filled("Scan", TableName="things", ExclusiveStartKey=key("nowhere", 7))["Items"])
    assert set(after) < expected
    for wrong in ({}, {"p": {"S": "a"}}, {**key("a", 1), "g": {"S": "g"}}, {"p": {"N": "1"}, "s": {"N": "1"}}):
        filled.refused("The provided starting key is invalid", "Scan", TableName="things", ExclusiveStartKey=wrong)


@given(
    st.sets(st.tuples(st.text(max_size=5).filter(bool), st.integers(-5, 5)), max_size=30),
    st.integers(1, 5),
    st.integers(1, 4),
)
@settings(max_examples=40, deadline=None)
def test_pages_of_segments_of_any_keys(items: set[tuple[str, int]], limit: int, total: int) -> None:
    with Calls() as calls:
        calls.create(key="p:S s:N")
        for p, s in items:
            calls("PutItem", TableName="things", Item=key(p, s))
        found = []
        for segment in range(total):
            found += keys(calls.items("Scan", TableName="things", Limit=limit, Segment=segment, TotalSegments=total))
        assert sorted(found) == sorted((p, str(s)) for p, s in items)


def test_a_filter_and_a_projection(filled: Calls) -> None:
    fill(filled, 20)
    request = {
        "TableName": "things", "FilterExpression": "g = :g AND #p <> :p", "ProjectionExpression": "#p",
        "ExpressionAttributeNames": {"#p": "p"}, "ExpressionAttributeValues": {":g": {"S": "g1"}, ":p": {"S": "p1"}},
    }  # fmt: skip
    found = filled.items("Scan", request, Limit=3)
    assert sorted(item["p"]["S"] for item in found) == ["p11", "p16", "p6"]
    assert all(item.keys() == {"p"} for item in found)
    answer = filled("Scan", request)
    assert (answer["Count"], answer["ScannedCount"]) == (3, 20)


def test_a_scan_while_items_are_written_ends(filled: Calls) -> None:
    fill(filled, 10)
    start = None
    seen = set()
    for number in range(100, 140):
        answer = filled("Scan", TableName="things", Limit=3, ExclusiveStartKey=start)
        seen |= set(keys(answer["Items"]))
        filled("PutItem", TableName="things", Item=key(f"p{number}", 0))
        start = answer.get("LastEvaluatedKey")
        if start is None:
            break
    assert start is None
    assert seen >= {(f"p{number}", "0") for number in range(10)}
