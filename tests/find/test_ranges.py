"""What conditions on a sort key become, tried with every pair of conditions and every value."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Condition, Model, attr, partition_key, sort_key
from dynawire.expressions.evaluation import condition_test
from dynawire.expressions.normal_form import normal_form
from dynawire.operations.finding.facts import Facts, KeyRange, range_of
from tests.support.databases import apart


class Numbered(Model, table="numbered"):
    part: Attr[str] = partition_key()
    number: Attr[int] = sort_key()


class Named(Model, table="named"):
    part: Attr[str] = partition_key()
    name: Attr[str] = sort_key()
    other: Attr[str] = attr(default="")


def comparisons(path: Any, values: list[Any]) -> list[Condition]:
    found: list[Condition] = []
    for value in values:
        found += [path == value, path != value, path < value, path <= value, path > value, path >= value]
        found += [~(path < value), ~(path <= value), ~(path > value), ~(path >= value)]
    found += [path.between(low, high) for low, high in itertools.combinations_with_replacement(values, 2)]
    found += [path.in_([values[0], values[-1]]), ~path.between(values[0], values[1])]
    return found


NUMBERS = [0, 1, 2, 3]
NAMES = ["a", "ab", "abc", "b"]


@pytest.fixture(scope="module")
def numbered() -> Iterator[dw.Table[Numbered]]:
    with apart("memory:") as db:
        db.create_tables(Numbered)
        db.table(Numbered).put_many(Numbered(part="p", number=number) for number in range(-1, 5))
        yield db.table(Numbered)


@pytest.fixture(scope="module")
def named() -> Iterator[dw.Table[Named]]:
    with apart("memory:") as db:
        db.create_tables(Named)
        db.table(Named).put_many(Named(part="p", name=name) for name in ["A", *NAMES, "abd", "aé", "c"])
        yield db.table(Named)


def test_every_pair_of_conditions_on_a_number(numbered: dw.Table[Numbered]) -> None:
    # All that hold of the middle of a domain, so that the pairs stay few.
    every = comparisons(Numbered.number, NUMBERS[:3])
    items = {number: {"part": {"S": "p"}, "number": {"N": str(number)}} for number in range(-1, 5)}
    for one, other in itertools.combinations_with_replacement(every, 2):
        condition = one & other if one is not other else one
        expected = [number for number, item in items.items() if condition_test(condition)(item)]
        find = numbered.find(Numbered.part == "p", condition)
        assert [found.number for found in find.order_by(Numbered.number)] == expected, condition
        assert sorted(found.number for found in find) == expected, condition
        assert find.count() == len(expected), condition


def test_every_pair_of_conditions_on_text(named: dw.Table[Named]) -> None:
    name: Any = Named.name
    every = [*comparisons(name, ["ab", "abc"]), *(name.begins_with(prefix) for prefix in ("", "a", "ab", "b"))]
    items = {text: {"part": {"S": "p"}, "name": {"S": text}} for text in ["A", *NAMES, "abd", "aé", "c"]}
    for one, other in itertools.combinations(every, 2):
        condition = one & other
        expected = sorted(text for text, item in items.items() if condition_test(condition)(item))
        assert sorted(found.name for found in named.find(Named.part == "p", condition)) == expected, condition


def range_for(*conditions: Condition) -> KeyRange | bool:
    return range_of(Numbered.number, Facts([normal_form(condition) for condition in conditions]))


@pytest.mark.parametrize(
    ("conditions", "shown", "implied"),
    [
        ([Numbered.number > 1], "Numbered.number > :0", {0}),
        ([Numbered.number > 1, Numbered.number >= 1], "Numbered.number > :0", {0, 1}),
        ([Numbered.number > 1, Numbered.number > 0], "Numbered.number > :0", {0, 1}),
        ([Numbered.number >= 1, Numbered.number <= 3], "Numbered.number BETWEEN :0 AND :1", {0, 1}),
        ([Numbered.number > 1, Numbered.number <= 3], "Numbered.number BETWEEN :0 AND :1", {1}),
        ([Numbered.number > 1, Numbered.number < 3], "Numbered.number BETWEEN :0 AND :1", set()),
        ([Numbered.number.between(0, 5), Numbered.number < 3], "Numbered.number BETWEEN :0 AND :1", {0}),
        ([Numbered.number >= 2, Numbered.number <= 2], "Numbered.number = :0", {0, 1}),
        ([~(Numbered.number < 2)], "Numbered.number >= :0", {0}),
        ([Numbered.number.in_([3, 1])], "Numbered.number BETWEEN :0 AND :1", set()),
    ],
)
def test_the_narrowest_condition(conditions: list[Condition], shown: str, implied: set[int]) -> None:
    found = range_for(*conditions)
    assert isinstance(found, KeyRange)
    assert repr(found.comparison) == shown
    assert found.implied == implied


def test_nothing_and_everything() -> None:
    assert range_for(Numbered.number > 3, Numbered.number < 1) is False
    assert range_for(Numbered.number > 3, Numbered.number <= 3) is False
    assert range_for(Numbered.number != 3) is True
    assert range_for() is True


def test_points_are_told_apart_by_value_and_kept_in_order() -> None:
    points = Facts([Numbered.number.in_([3, 1, 2]), (Numbered.number == 2) | (Numbered.number == 3)]).points
    assert points == {"number": [{"N": "3"}, {"N": "2"}]}
    assert Facts([Numbered.number == 1, Numbered.number == 2]).points == {"number": []}


class Exact(Model, table="exact"):
    number: Attr[float] = partition_key()


def test_equal_numbers_are_one_key() -> None:
    with dw.connect("memory:") as db:
        db.create_tables(Exact)
        table = db.table(Exact)
        table.put(Exact(number=10.0))
        find = table.find(Exact.number.in_([10.0, 1e1, 10]))
        assert find.params() == [("GetItem", {"TableName": "exact", "Key": {"number": {"N": "10.0"}}})]
        assert len(find.all()) == 1
        assert table.find((Exact.number == 10) & (Exact.number == 10.0)).count() == 1
