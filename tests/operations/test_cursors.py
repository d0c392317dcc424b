"""A cursor made by one process is good in another, and only for its own query."""

from __future__ import annotations

import os
import subprocess
import sys

import msgspec
import pytest

import dynawire as dw
from dynawire.operations.cursors import decode_cursor, encode_cursor

PROGRAM = """
import dynawire as dw
from dynawire import Attr, Model, attr, partition_key, sort_key

class Place(Model, table="places"):
    state: Attr[str] = partition_key()
    code: Attr[int] = sort_key()
    tags: Attr[set[str]] = attr(default_factory=set)
    name: Attr[str] = attr(default="x")

with dw.connect("memory:") as db:
    db.create_tables(Place)
    Place.put_many([Place(state="TX", code=n, tags={"a", "b", "c", "d", "e"}) for n in range(5)])
    query = Place.query("TX").where(Place.tags == {"e", "d", "c", "b", "a"}).where(Place.name.in_({"x", "y", "z"}))
    print(query.page(size=2).cursor)
"""


def test_the_same_in_every_process() -> None:
    """Python orders sets differently in each."""
    cursors = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(cursors) == 1


POSITION = msgspec.Raw(b'{"state":{"S":"TX"},"code":{"N":"5"}}')
REQUEST = {"TableName": "t", "ExpressionAttributeValues": {":v0": {"SS": ["b", "a"]}, ":v1": {"M": {"x": {"L": []}}}}}


def test_there_and_back() -> None:
    cursor = encode_cursor("Query", REQUEST, POSITION)
    for extra in ({}, {"Limit": 5}, {"ConsistentRead": True}):
        assert bytes(decode_cursor("Query", {**REQUEST, **extra}, cursor)) == bytes(POSITION)
    values = {":v0": {"SS": ["a", "b"]}, ":v1": {"M": {"x": {"L": []}}}}
    assert decode_cursor("Query", {**REQUEST, "ExpressionAttributeValues": values}, cursor)


@pytest.mark.parametrize(
    "other",
    [
        {"TableName": "u"},
        {"IndexName": "i"},
        {"ScanIndexForward": False},
        {"ExpressionAttributeValues": {":v0": {"SS": ["b", "c"]}, ":v1": {"M": {"x": {"L": []}}}}},
        {"ExpressionAttributeValues": {":v0": {"SS": ["b", "a"]}, ":v1": {"M": {"x": {"L": [{"S": ""}]}}}}},
    ],
)
def test_for_another_request(other: dict[str, object]) -> None:
    cursor = encode_cursor("Query", REQUEST, POSITION)
    with pytest.raises(dw.ExpressionError, match="belongs to another query"):
        decode_cursor("Query", {**REQUEST, **other}, cursor)
    with pytest.raises(dw.ExpressionError, match="belongs to another query"):
        decode_cursor("Scan", REQUEST, cursor)


def test_every_changed_character_is_noticed() -> None:
    cursor = encode_cursor("Query", REQUEST, POSITION)
    for place in range(len(cursor)):
        for character in "A-9":
            changed = cursor[:place] + character + cursor[place + 1 :]
            if changed != cursor:
                with pytest.raises(dw.ExpressionError, match="not a cursor"):
                    decode_cursor("Query", REQUEST, changed)
