"""Compiling: limits, conflicts, projections, and requests."""

from __future__ import annotations

from typing import Any

import pytest

from dynawire.errors import ExpressionError
from dynawire.expressions.compiler import compile_condition, compile_projection, compile_update
from dynawire.expressions.conditions import all_of, any_of
from dynawire.expressions.placeholders import Placeholders
from tests.expressions.support import Airport, Hotel


def test_a_request_gets_only_what_is_used() -> None:
    placeholders = Placeholders()
    request: dict[str, Any] = {}
    placeholders.apply(request)
    assert request == {}
    request["ProjectionExpression"] = compile_projection([Airport.name], placeholders, Airport)
    placeholders.apply(request)
    assert request == {"ProjectionExpression": "#n0", "ExpressionAttributeNames": {"#n0": "n"}}
    request["FilterExpression"] = compile_condition(Airport.name == "x", placeholders, Airport)
    placeholders.apply(request)
    assert request == {
        "ProjectionExpression": "#n0",
        "FilterExpression": "#n0 = :v0",
        "ExpressionAttributeNames": {"#n0": "n"},
        "ExpressionAttributeValues": {":v0": {"S": "x"}},
    }


def test_equal_documents_and_sets_share_a_placeholder() -> None:
    placeholders = Placeholders()
    wires: list[Any] = [
        {"L": [{"N": "1"}]},
        {"M": {"a": {"L": []}}},
        {"SS": ["a", "b"]},
        {"BOOL": True},
        {"NULL": True},
        {"N": "1"},
        {"S": "1"},
        {"B": b"1"},
    ]
    first = [placeholders.value(wire) for wire in wires]
    assert len(set(first)) == len(wires)
    copies: list[Any] = [{"L": [{"N": "1"}]}, {"M": {"a": {"L": []}}}, {"SS": ["a", "b"]}, *wires[3:]]
    assert [placeholders.value(wire) for wire in copies] == first
    assert len(placeholders.values) == len(wires)


def test_a_projection_names_what_to_read() -> None:
    placeholders = Placeholders()
    paths = [Airport.name, Airport.address.city, Airport.address.zip_code, Airport.scores[1], Airport.scores[0]]
    assert compile_projection(paths, placeholders, Airport) == "#n0, #n1.#n2, #n1.#n3, #n4[1], #n4[0]"
    assert placeholders.names == {"#n0": "n", "#n1": "address", "#n2": "c", "#n3": "zip", "#n4": "scores"}


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (list, "nothing to project"),
        (lambda: ["name"], "a path is needed, found str"),
        (lambda: [Airport.name == "x"], "is not a path"),
        (lambda: [Hotel.name], "Hotel.name is an attribute of Hotel"),
        (lambda: [Airport.name, Airport.name], "two projections are of Airport.name; keep one"),
        (lambda: [Airport.address.city, Airport.address], "Airport.address.city lies inside Airport.address"),
        (lambda: [Airport.extra.a, Airport.extra.a.b.c], "Airport.extra.a.b.c lies inside Airport.extra.a;"),
        (lambda: [Airport.extra.a, Airport.extra[0]], "two projections conflict: Airport.extra.a and Airport.extra.0."),
        (lambda: [Airport.extra[f"attribute{i}"] for i in range(500)], "the projection is .* bytes long"),
    ],
)
def test_a_projection_dynamodb_would_refuse_is_refused(paths: Any, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        compile_projection(paths(), Placeholders(), Airport)


def test_300_operators_pass_and_301_do_not() -> None:
    def compiled(condition: Any) -> str:
        return compile_condition(condition, Placeholders(), Airport)

    negated = [~Airport.visits.exists()]
    comparisons = [Airport.visits == 1] * 149
    assert compiled(any_of([*comparisons, Airport.visits == 1])).count("=") == 150  # 150 and 149 OR
    assert compiled(any_of([*comparisons, *negated]))  # 149 + 2 + 149 OR
    with pytest.raises(ExpressionError, match="has 301 operators and functions, and DynamoDB takes at most 300"):
        compiled(any_of([*comparisons, Airport.visits == 1, Airport.visits == 2]))
    with pytest.raises(ExpressionError, match="has 302 operators"):
        compiled(any_of([Airport.name.size() == 1] * 101))
    with pytest.raises(ExpressionError, match="has 303 operators"):
        compiled(any_of([Airport.name.size() == Airport.state.size()] * 76))


def test_4096_bytes_pass_and_more_do_not() -> None:
    def compiled(values: int) -> int:
        conditions = [Airport.visits.in_(range(i * 100, i * 100 + 100)) for i in range(5)]
        last = Airport.visits.in_(range(1000, 1000 + values))
        return len(compile_condition(all_of([*conditions, last]), Placeholders(), Airport))

    fitting = next(values for values in range(100, 0, -1) if _fits(compiled, values))
    assert 4096 - len(", :v699") < compiled(fitting) <= 4096
    with pytest.raises(ExpressionError, match="bytes long, and DynamoDB takes at most 4096"):
        compiled(fitting + 1)


def _fits(compiled: Any, values: int) -> bool:
    try:
        return bool(compiled(values))
    except ExpressionError:
        return False


def test_a_condition_nested_beyond_pythons_stack_is_refused() -> None:
    condition: Any = Airport.visits == 1
    for _ in range(2000):
        condition = (condition & (Airport.visits == 1)) | (Airport.visits == 2)
    with pytest.raises(ExpressionError, match="nested too deeply"):
        compile_condition(condition, Placeholders(), Airport)
    assert "nested too deeply" in repr(condition)
    assert sum(1 for _ in condition.paths()) == 4001


def test_without_an_owner_paths_of_any_class_are_taken() -> None:
    placeholders = Placeholders()
    assert compile_condition((Hotel.name == "x") & (Airport.state == "y"), placeholders) == "#n0 = :v0 AND #n1 = :v1"
    assert compile_update([Airport.created.add(1)], Placeholders(), Airport) == "ADD #n0 :v0"
