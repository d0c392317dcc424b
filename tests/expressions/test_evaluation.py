"""Conditions tested here mean what they mean to the service, as written and rewritten."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynawire.engines.embedded.expressions import placeholders as embedded
from dynawire.engines.embedded.expressions.conditions import parse_condition
from dynawire.engines.embedded.values import check_item
from dynawire.errors import ExpressionError
from dynawire.expressions import Comparison, Junction, Negation, Path, Value, all_of
from dynawire.expressions.compiler import compile_condition
from dynawire.expressions.evaluation import check_owners, condition_test, ordering
from dynawire.expressions.normal_form import alternatives, conjuncts, normal_form, reduced, top_level_names
from dynawire.expressions.placeholders import Placeholders
from tests.expressions.support import Airport, Hotel
from tests.expressions.trees import Case, Item, conditions, items, stored


def as_received(item: Item) -> Any:
    """The item as it stands in a response: binary is base64 text."""
    return msgspec.json.decode(msgspec.json.encode(stored(item)))


@given(case=conditions(), item=items())
@settings(max_examples=300)
def test_a_condition_tested_here_holds_when_it_holds(case: Case, item: Item) -> None:
    test = condition_test(case.condition)
    assert test(stored(item)) == test(as_received(item)) == case.holds(item)


@given(case=conditions(), item=items())
@settings(max_examples=200)
def test_the_normal_form_means_the_same(case: Case, item: Item) -> None:
    normal = normal_form(case.condition)
    assert condition_test(normal)(stored(item)) == case.holds(item)
    for part in normal.walk():
        assert not isinstance(part, Negation) or isinstance(part.condition, Comparison)


@given(case=conditions(), item=items(), data=st.data())
@settings(max_examples=200)
def test_what_is_left_with_known_values_means_the_same(case: Case, item: Item, data: st.DataObject) -> None:
    wire = stored(item)
    normal = normal_form(case.condition)
    known = data.draw(st.sets(st.sampled_from(sorted(wire)))) if wire else set()
    left = reduced(normal, {name: wire[name] for name in known})
    if isinstance(left, bool):
        assert left == case.holds(item)
    else:
        assert condition_test(left)(wire) == case.holds(item)
        assert set(top_level_names(left)) <= set(top_level_names(normal))


WIRES: list[dict[str, Any]] = [
    {"S": "a"},
    {"S": ""},
    {"N": "1"},
    {"N": "1.0"},
    {"N": "1E1"},
    {"N": "10"},
    {"N": "-0"},
    {"N": "12345678901234567890123456789012345678"},
    {"N": "12345678901234567890123456789012345677"},
    {"B": b"a"},
    {"BOOL": True},
    {"BOOL": False},
    {"NULL": True},
    {"SS": ["a", "b"]},
    {"SS": ["b", "a"]},
    {"NS": ["1.0", "2"]},
    {"NS": ["2", "1"]},
    {"BS": [b"a"]},
    {"L": [{"N": "1.0"}, {"S": "a"}]},
    {"L": [{"N": "1"}, {"S": "a"}]},
    {"M": {"a": {"N": "1"}, "b": {"NULL": True}}},
    {"M": {"b": {"NULL": True}, "a": {"N": "1.0"}}},
]
OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "IN", "BETWEEN", "begins_with", "contains"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_pair_of_types_is_as_in_the_engine(operator: str) -> None:
    """Also pairs that no typed path would give: one attribute beside another."""
    left, right = Airport.extra, Path(Airport, ("other",), "other", Airport.extra._codec)
    operands = (right, right) if operator == "BETWEEN" else (right,)
    condition = Comparison(operator, left, operands)
    placeholders = Placeholders()
    text = compile_condition(condition, placeholders)
    if operator == "BETWEEN":
        # DynamoDB refuses the same operand twice.
        third = Path(Airport, ("third",), "third", Airport.extra._codec)
        condition = Comparison(operator, left, (right, third))
        placeholders = Placeholders()
        text = compile_condition(condition, placeholders)
    names = embedded.Placeholders(placeholders.names, None)
    engine = parse_condition(text, names)
    test = condition_test(condition)
    for one in [None, *WIRES]:
        for other in [None, *WIRES]:
            item = {
                name: wire for name, wire in (("extra", one), ("other", other), ("third", other)) if wire is not None
            }
            received = msgspec.json.decode(msgspec.json.encode(item))
            canonical = msgspec.json.decode(msgspec.json.encode(item))
            check_item(canonical)
            assert test(received) == engine.matches(canonical), (operator, one, other)


def test_order_is_the_services() -> None:
    texts = ["", "Z", "a", "é", "￿", "\U0001f600"]
    assert sorted(texts, key=lambda text: ordering({"S": text})) == sorted(texts, key=str.encode)
    assert ordering({"N": "1e2"}) == ordering({"N": "100"}) > ordering({"N": "99.99999999999999999999999999999999999"})
    assert ordering({"B": "YQ=="}) == ordering({"B": b"a"})


def test_parts() -> None:
    a, b = Airport.visits > 1, Airport.name == "x"
    assert conjuncts(a & b) == (a, b)
    assert conjuncts(a | b)[0] is not a
    assert conjuncts(None) == ()
    assert alternatives(a | b) == (a, b)
    assert alternatives(a) == (a,)


def test_a_negated_comparison_with_another_attribute_stays_negated() -> None:
    # What <> says of an item without the other attribute is left to the service.
    assert isinstance(normal_form(~(Airport.visits == Airport.rank)), Negation)
    assert isinstance(normal_form(~(Airport.tags.size() == 3)), Negation)
    changed = normal_form(~(Airport.visits == 3))
    assert isinstance(changed, Comparison)
    assert changed.operator == "<>"


def test_deep_trees_are_refused_and_not_fatal() -> None:
    condition = Airport.visits > 0
    for _ in range(3000):
        condition = (condition & (Airport.rank > 0)) | (Airport.name == "x")
    with pytest.raises(ExpressionError, match="nested too deeply"):
        normal_form(condition)
    with pytest.raises(ExpressionError, match="nested too deeply"):
        condition_test(condition)


def test_attributes_of_another_class_are_refused() -> None:
    with pytest.raises(ExpressionError, match=r"Hotel\.name is an attribute of Hotel"):
        check_owners((Airport.visits > 1) & (Hotel.name == "x"), Airport)
    check_owners((Airport.visits > 1) & (Airport.created == 1), Airport)  # inherited


def test_missing_operands() -> None:
    nothing: dict[str, Any] = {}
    assert condition_test(Comparison("<>", Airport.visits, (Value(1, {"N": "1"}),)))(nothing)
    assert not condition_test(all_of([Airport.visits.between(Airport.rank, 5)]))(nothing)
    assert isinstance(Airport.visits.in_([1, 2]) | (Airport.visits > 3), Junction)
