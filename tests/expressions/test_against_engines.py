"""What is sent means what it says: random trees against plain Python, on the embedded engine and on DynamoDB Local."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from dynawire.engines.embedded.expressions import placeholders as embedded
from dynawire.engines.embedded.expressions.conditions import parse_condition
from dynawire.engines.embedded.expressions.parser import condition_tree
from dynawire.engines.embedded.expressions.updates import parse_update
from dynawire.engines.embedded.values import check_item, values_equal
from dynawire.errors import DynawireError
from dynawire.expressions.compiler import compile_condition, compile_update
from dynawire.expressions.placeholders import Placeholders
from tests.expressions.support import Airport
from tests.expressions.trees import Case, Change, Item, changes, conditions, items, stored


def on_the_wire(value: Any) -> Any:
    """What the engine reads: binary as base64 text."""
    return msgspec.json.decode(msgspec.json.encode(value))


def given_to_the_engine(placeholders: Placeholders) -> embedded.Placeholders:
    return embedded.Placeholders(placeholders.names or None, on_the_wire(placeholders.values) or None)


def engine_item(item: Item) -> Any:
    wire = on_the_wire(stored(item))
    check_item(wire)  # makes the values canonical
    return wire


@given(case=conditions(), item=items())
@settings(max_examples=150, deadline=None)
def test_a_condition_means_the_same_in_python_and_in_the_engine(case: Case, item: Item) -> None:
    placeholders = Placeholders()
    text = compile_condition(case.condition, placeholders, Airport)
    names = given_to_the_engine(placeholders)
    condition = parse_condition(text, names)
    names.check_all_used()
    assert condition.matches(engine_item(item)) == case.holds(item)


@given(case=conditions())
@settings(max_examples=100, deadline=None)
def test_every_pair_of_parentheses_is_needed(case: Case) -> None:
    text = compile_condition(case.condition, Placeholders(), Airport)
    tree = condition_tree("ConditionExpression", text)
    for opening in grouping_parentheses(text):
        closing = matching(text, opening)
        without = text[:opening] + text[opening + 1 : closing] + text[closing + 1 :]
        try:
            assert condition_tree("ConditionExpression", without).root != tree.root
        except DynawireError:
            continue


def grouping_parentheses(text: str) -> Iterator[int]:
    """Where a parenthesis opens that belongs neither to a function nor to IN."""
    for found in re.finditer(r"\(", text):
        before = text[: found.start()]
        if not re.search(r"([a-z_]+|IN )$", before):
            yield found.start()


def matching(text: str, opening: int) -> int:
    depth = 0
    for position in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise AssertionError(f"unbalanced: {text}")


@given(updates=changes(), item=items(), visits=st.integers(-3, 3))
@settings(max_examples=100, deadline=None)
def test_an_update_does_the_same_in_python_and_in_the_engine(updates: list[Change], item: Item, visits: int) -> None:
    before = {**item, "visits": visits}
    after = dict(before)
    for each in updates:
        each.change(before, after)
    placeholders = Placeholders()
    text = compile_update([each.update for each in updates], placeholders, Airport)
    names = given_to_the_engine(placeholders)
    found = parse_update(text, names).apply(engine_item(before))
    names.check_all_used()
    assert values_equal({"M": found}, {"M": engine_item(after)})


class Local:
    """A table on DynamoDB Local."""

    def __init__(self, url: str) -> None:
        import botocore.session

        session = botocore.session.get_session()
        self.client = session.create_client(
            "dynamodb", "eu-west-1", endpoint_url=url, aws_access_key_id="expressions", aws_secret_access_key="x"
        )
        key: dict[str, Any] = {"AttributeName": "pk"}
        self.client.create_table(
            TableName="items",
            KeySchema=[{**key, "KeyType": "HASH"}],
            AttributeDefinitions=[{**key, "AttributeType": "N"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, number: int, item: Item) -> None:
        self.client.put_item(TableName="items", Item={**stored(item), "pk": {"N": str(number)}})

    def matching(self, condition: Any) -> set[int]:
        placeholders = Placeholders()
        request: dict[str, Any] = {"FilterExpression": compile_condition(condition, placeholders, Airport)}
        placeholders.apply(request)
        found = self.client.scan(TableName="items", **request)["Items"]
        return {int(item["pk"]["N"]) for item in found}

    def update(self, number: int, updates: list[Any]) -> dict[str, Any]:
        placeholders = Placeholders()
        request: dict[str, Any] = {"UpdateExpression": compile_update(updates, placeholders, Airport)}
        placeholders.apply(request)
        answer = self.client.update_item(
            TableName="items", Key={"pk": {"N": str(number)}}, ReturnValues="ALL_NEW", **request
        )
        found: dict[str, Any] = answer["Attributes"]
        return found


@pytest.fixture(scope="module")
def local(dynamodb_local: str) -> Local:
    return Local(dynamodb_local)


# Without shrinking, which takes minutes over the network.
LOCAL = settings(max_examples=30, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@given(cases=st.lists(conditions(), min_size=5, max_size=10), some=st.lists(items(), min_size=5, max_size=5))
@settings(LOCAL, max_examples=15)
def test_a_condition_means_the_same_in_python_and_in_dynamodb_local(
    local: Local, cases: list[Case], some: list[Item]
) -> None:
    for number, item in enumerate(some):
        local.put(number, item)
    for case in cases:
        expected = {number for number, item in enumerate(some) if case.holds(item)}
        assert local.matching(case.condition) == expected


@given(updates=changes(), item=items(), visits=st.integers(-3, 3))
@settings(LOCAL)
def test_an_update_does_the_same_in_python_and_in_dynamodb_local(
    local: Local, updates: list[Change], item: Item, visits: int
) -> None:
    before = {**item, "visits": visits}
    after = dict(before)
    for each in updates:
        each.change(before, after)
    local.put(0, before)
    found = local.update(0, [each.update for each in updates])
    del found["pk"]
    wire: Any = on_the_wire(found)
    check_item(wire)
    assert values_equal({"M": wire}, {"M": engine_item(after)})
