from __future__ import annotations

from typing import Any

import pytest

from dynawire.engines.embedded.expressions import Placeholders, parse_condition, parse_projection, parse_update
from dynawire.errors import ServiceError

ONE = {":v": {"N": "1"}}


@pytest.mark.parametrize(
    ("names", "values", "message"),
    [
        ({}, None, "ExpressionAttributeNames must not be empty"),
        (None, {}, "ExpressionAttributeValues must not be empty"),
        ({"a": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"'),
        ({"#": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#"'),
        ({"#a-b": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"'),
        ({"#é": "a"}, None, 'ExpressionAttributeNames contains invalid key: Syntax error; key: "#é"'),
        ({"#a": ""}, None, "ExpressionAttributeNames contains invalid value: Empty attribute name for key #a"),
        ({"#a": "é" * 32_768}, None, "ExpressionAttributeNames contains invalid value: Attribute name is too large"),
        ({"#" + "a" * 255: "a"}, None, "contains a key that is too long; size of key: 256"),
        (None, {"v": {"N": "1"}}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"'),
        (None, {":b": {}, "b": {"S": "a"}}, 'ExpressionAttributeValues contains invalid key: Syntax error; key: "b"'),
        (None, {":v": {"N": "x"}}, "contains invalid value: The parameter cannot be converted"),
        (None, {":v": {"SS": []}}, "An string set  may not be empty for key :v"),
        (None, {":v": {}}, "must contain exactly one of the supported datatypes for key :v"),
        (None, {":v": {"N": "1", "S": "x"}}, "must contain exactly one of the supported datatypes for key :v"),
    ],
)
def test_members_the_service_refuses(names: Any, values: Any, message: str) -> None:
    with pytest.raises(ServiceError) as caught:
        Placeholders(names, values)
    assert caught.value.code == "ValidationException"
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("names", "values"), [(["#a"], None), ({"#a": 5}, None), (None, "x"), (None, {":v": "x"}), (None, {":v": {"N": 1}})]
)
def test_members_of_another_shape(names: Any, values: Any) -> None:
    with pytest.raises(ServiceError) as caught:
        Placeholders(names, values)
    assert caught.value.code == "SerializationException"


def test_values_become_canonical() -> None:
    values = {":v": {"N": "1.0"}}
    condition = parse_condition("a = :v", Placeholders(None, values))
    assert values == {":v": {"N": "1"}}
    assert condition.matches({"a": {"N": "1"}})


def test_undefined_placeholders() -> None:
    with pytest.raises(ServiceError, match=r"attribute value used in expression is not defined; attribute value: :w"):
        parse_condition("a = :w", Placeholders(None, {":v": {"N": "1"}}))
    with pytest.raises(ServiceError, match=r"used in the document path is not defined; attribute name: #b"):
        parse_condition("a.#b = :v", Placeholders({"#a": "a"}, {":v": {"N": "1"}}))
    with pytest.raises(ServiceError, match=r"used in the document path is not defined; attribute name: :b"):
        parse_projection("a.:b", Placeholders(None, None))


def test_an_update_misses_names_before_values() -> None:
    for text in ("SET #a = if_not_exists(:b)", "SET a = :b, c = #a", "SET b = if_not_exists(:b, #a)"):
        with pytest.raises(ServiceError, match="attribute name: #a"):
            parse_update(text, Placeholders(None, None))


def test_every_name_and_value_must_be_used_by_one_of_the_expressions() -> None:
    placeholders = Placeholders({"#a": "a", "#b": "b"}, {":v": {"N": "1"}, ":w": {"N": "2"}})
    parse_condition("#a = :v", placeholders)
    with pytest.raises(ServiceError, match=r"ExpressionAttributeNames unused in expressions: keys: \{#b\}"):
        placeholders.check_all_used()
    parse_projection("#b", placeholders)
    with pytest.raises(ServiceError, match=r"ExpressionAttributeValues unused in expressions: keys: \{:w\}"):
        placeholders.check_all_used()
    parse_update("SET c = :w", placeholders)
    placeholders.check_all_used()


def test_without_an_expression_there_is_nothing_to_name() -> None:
    with pytest.raises(ServiceError, match=r"ExpressionAttributeNames can only be specified when using expressions$"):
        Placeholders({"#a": "a"}, {":v": {"N": "1"}}).check_all_used()
    with pytest.raises(ServiceError, match=r"when using expressions: ConditionExpression is null$"):
        Placeholders(None, {":v": {"N": "1"}}).check_all_used("ConditionExpression is null")
    Placeholders(None, None).check_all_used()


def test_names_are_taken_as_they_are() -> None:
    placeholders = Placeholders({"#a": "a.b[0]", "#b": " "}, None)
    condition = parse_condition("attribute_exists(#a) AND attribute_exists(#b)", placeholders)
    assert condition.matches({"a.b[0]": {"S": "x"}, " ": {"S": "y"}})
    assert condition.paths == {"a.b[0]", " "}
