"""Which conditions become a query's key condition, which its filter, and what DynamoDB would not take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dynawire.expressions.key_conditions import split_key_condition
from tests.expressions.support import Airport

a = Airport


def split(*conditions: Any, partition: Any = ("state",), sort: Any = ("iata",)) -> tuple[list[str], list[str], Any]:
    found = split_key_condition(conditions, partition, sort)
    return [repr(each) for each in found.key], [repr(each) for each in found.rest], found.reasons


TX = "Airport.state = :0"

SIMPLE: list[tuple[Callable[[], list[Any]], list[str], list[str]]] = [
    (lambda: [a.state == "TX"], [TX], []),
    (lambda: [a.state == "TX", a.state == "TX"], [TX], []),
    (lambda: [a.visits > 3, a.state == "TX"], [TX], ["Airport.visits > :0"]),
    (lambda: [(a.visits > 3) & (a.state == "TX") & (a.iata > "D")], [TX, "Airport.iata > :0"], ["Airport.visits > :0"]),
    (lambda: [a.iata == "D", a.state == "TX"], [TX, "Airport.iata = :0"], []),
    (lambda: [a.state == "TX", a.iata <= "D"], [TX, "Airport.iata <= :0"], []),
    (lambda: [a.state == "TX", a.iata.between("A", "D")], [TX, "Airport.iata BETWEEN :0 AND :1"], []),
    (lambda: [a.state == "TX", a.iata.begins_with("D")], [TX, "begins_with(Airport.iata, :0)"], []),
    (lambda: [a.state == "TX", a.iata.begins_with("")], [TX], []),
    (lambda: [a.state == "TX", a.iata.begins_with(""), a.iata > "A"], [TX, "Airport.iata > :0"], []),
    (lambda: [a.state == "TX", a.iata >= "A", a.iata <= "D"], [TX, "Airport.iata BETWEEN :0 AND :1"], []),
    (lambda: [a.state == "TX", a.iata <= "D", a.iata >= "A"], [TX, "Airport.iata BETWEEN :0 AND :1"], []),
    (lambda: [a.state == "TX", (a.name == "x") | (a.city == "y")], [TX], ["Airport.name = :0 OR Airport.city = :1"]),
]


@pytest.mark.parametrize(("conditions", "key", "rest"), SIMPLE)
def test_what_can_be_queried_is_divided(conditions: Callable[[], list[Any]], key: list[str], rest: list[str]) -> None:
    assert split(*conditions()) == (key, rest, ())


def test_bounds_become_the_right_between() -> None:
    found = split_key_condition([a.state == "TX", a.iata <= "D", a.iata >= "A"], ["state"], ["iata"])
    assert [operand.value for operand in found.key[1].operands] == ["A", "D"]


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [a.iata == "D"],
        [a.state > "TX"],
        [a.state != "TX"],
        [a.state.in_(["TX"])],
        [(a.state == "TX") | (a.state == "CA")],
        [~(a.state == "TX")],
        [a.state == a.name],
        [a.state.size() == 2],
        [a.state == None],  # noqa: E711
        [a.state.exists()],
    ],
)
def test_without_an_equal_partition_key_there_is_no_query(conditions: list[Any]) -> None:
    key, rest, reasons = split(*conditions)
    assert key == []
    assert rest == [repr(condition) for condition in conditions]
    named = any(path._steps == ("state",) for condition in conditions for path in condition.paths())
    assert len(reasons) == 1
    assert ("Airport.state is the partition key" in reasons[0]) == named
    assert ("the partition key 'state' is not given" in reasons[0]) != named


@pytest.mark.parametrize(
    ("conditions", "key", "rest", "named"),
    [
        ([a.state == "CA"], [TX], [TX], "state"),
        ([a.state != "CA"], [TX], ["Airport.state <> :0"], "state"),
        ([a.iata != "D"], [TX], ["Airport.iata <> :0"], "iata"),
        ([a.iata > "A", a.iata < "D"], [TX, "Airport.iata > :0"], ["Airport.iata < :0"], "iata"),
        ([a.iata >= "D", a.iata <= "A"], [TX, "Airport.iata >= :0"], ["Airport.iata <= :0"], "iata"),
        ([a.iata == "A", a.iata == "D"], [TX, "Airport.iata = :0"], ["Airport.iata = :0"], "iata"),
        ([a.iata == a.name], [TX], ["Airport.iata = Airport.name"], "iata"),
        ([a.iata.contains("x")], [TX], ["contains(Airport.iata, :0)"], "iata"),
        (
            [(a.iata == "A") | (a.name == "x")],
            [TX],
            ["Airport.iata = :0 OR Airport.name = :1"],
            "iata",
        ),
    ],
)
def test_key_attributes_left_for_the_filter_are_told(
    conditions: list[Any], key: list[str], rest: list[str], named: str
) -> None:
    found = split(a.state == "TX", *conditions)
    assert found[:2] == (key, rest)
    assert len(found[2]) == 1
    assert f"Airport.{named} is part of the key, and DynamoDB takes the key's attributes in no filter" in found[2][0]


def test_a_key_of_the_table_may_filter_an_index() -> None:
    assert split(a.city == "Austin", a.state == "TX", partition=["city"], sort=["n"]) == (
        ["Airport.city = :0"],
        ["Airport.state = :0"],
        (),
    )


def test_keys_are_known_by_their_stored_names() -> None:
    assert split(a.city == "Austin", a.name > "B", partition=["city"], sort=["n"])[0] == [
        "Airport.city = :0",
        "Airport.name > :0",
    ]


@pytest.mark.parametrize(
    ("conditions", "key", "left"),
    [
        ([a.name == "1", a.iata == "2", a.visits > 3], ["iata = :0", "name = :0", "visits > :0"], ""),
        ([a.visits == 3, a.name == "1", a.iata == "2"], ["iata = :0", "name = :0", "visits = :0"], ""),
        ([a.iata == "2", a.name > "1"], ["iata = :0", "name > :0"], ""),
        ([a.iata == "2", a.visits > 1], ["iata = :0"], "visits"),
        ([a.iata > "2", a.name == "1"], ["iata > :0"], "name"),
        ([a.name == "1"], [], "name"),
    ],
)
def test_sort_keys_of_several_attributes_are_used_from_the_first_on(
    conditions: list[Any], key: list[str], left: str
) -> None:
    found, _, reasons = split(
        a.state == "TX", a.city == "x", *conditions, partition=["state", "city"], sort=["iata", "n", "v"]
    )
    assert found == ["Airport.state = :0", "Airport.city = :0", *(f"Airport.{each}" for each in key)]
    assert bool(reasons) == bool(left)
    assert all(f"Airport.{left} is part of the key" in reason for reason in reasons)


def test_every_missing_partition_key_attribute_is_told() -> None:
    _, _, reasons = split(a.city == "x", partition=["state", "city", "n"], sort=[])
    assert reasons == ("the partition key 'state' is not given", "the partition key 'n' is not given")
