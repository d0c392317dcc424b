# ruff: noqa: E501 - a case and the message it gives stay on one line

from __future__ import annotations

from typing import Any

import pytest

from dynawire.engines.embedded.expressions import (
    KeyCondition,
    Placeholders,
    parse_key_condition,
    read_key_conditions,
)
from dynawire.errors import ServiceError

VALUES: dict[str, dict[str, Any]] = {
    ":p": {"S": "a"},
    ":n": {"N": "1"},
    ":m": {"N": "2"},
    ":s": {"S": "b"},
    ":b": {"B": "YQ=="},
    ":e": {"S": ""},
    ":y": {"B": ""},
    ":t": {"BOOL": True},
}
P, N, M, S, B = (VALUES[name] for name in (":p", ":n", ":m", ":s", ":b"))
SIMPLE = (("pk",), ("sk",), {"pk": "S", "sk": "N"})
TEXTUAL = (("pk",), ("sk",), {"pk": "S", "sk": "S"})
BINARY = (("pk",), ("sk",), {"pk": "S", "sk": "B"})
HASH = (("pk",), (), {"pk": "S"})
LONG = (("h1", "h2"), ("r1", "r2", "r3"), {"h1": "S", "h2": "N", "r1": "S", "r2": "N", "r3": "B"})
Key = tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]


def parse(text: str, key: Key) -> KeyCondition:
    used = {name: dict(value) for name, value in VALUES.items() if name in text}
    placeholders = Placeholders(None, used or None)
    condition = parse_key_condition(text, placeholders, *key)
    placeholders.check_all_used()
    return condition


def refusal(text: str, key: Key) -> str:
    with pytest.raises(ServiceError) as caught:
        parse(text, key)
    assert caught.value.code == "ValidationException"
    return caught.value.message.removeprefix("ValidationException: ")


@pytest.mark.parametrize(
    ("text", "key", "partition", "sort", "last"),
    [
        ("pk = :p", SIMPLE, (P,), (), None),
        ("pk = :p", HASH, (P,), (), None),
        (":p = pk", SIMPLE, (P,), (), None),
        ("(pk = (:p))", SIMPLE, (P,), (), None),
        ("pk = :p AND sk = :n", SIMPLE, (P,), (N,), None),
        ("sk = :n AND (pk = :p)", SIMPLE, (P,), (N,), None),
        ("pk = :p AND sk < :n", SIMPLE, (P,), (), ("<", (N,))),
        ("pk = :p AND :n < sk", SIMPLE, (P,), (), (">", (N,))),
        ("pk = :p AND :n >= sk", SIMPLE, (P,), (), ("<=", (N,))),
        ("pk = :p AND sk >= :n", SIMPLE, (P,), (), (">=", (N,))),
        ("pk = :p AND sk BETWEEN :n AND :m", SIMPLE, (P,), (), ("BETWEEN", (N, M))),
        ("pk = :p AND sk BETWEEN :n AND :n", SIMPLE, (P,), (), ("BETWEEN", (N, N))),
        ("pk = :p AND begins_with(sk, :s)", TEXTUAL, (P,), (), ("begins_with", (S,))),
        ("pk = :p AND begins_with(sk, :b)", BINARY, (P,), (), ("begins_with", (B,))),
        ("h1 = :p AND h2 = :n", LONG, (P, N), (), None),
        ("h2 = :n AND r1 = :s AND h1 = :p", LONG, (P, N), (S,), None),
        ("h1 = :p AND (h2 = :n AND r1 > :s)", LONG, (P, N), (), (">", (S,))),
        ("r2 > :m AND h1 = :p AND r1 = :s AND h2 = :n", LONG, (P, N), (S,), (">", (M,))),
        ("h1 = :p AND h2 = :n AND r1 = :s AND r2 = :m AND r3 = :b", LONG, (P, N), (S, M, B), None),
        ("h1 = :p AND h2 = :n AND r1 = :s AND r2 = :m AND begins_with(r3, :b)", LONG, (P, N), (S, M), ("begins_with", (B,))),
    ],
)  # fmt: skip
def test_key_conditions(
    text: str,
    key: Key,
    partition: tuple[dict[str, Any], ...],
    sort: tuple[dict[str, Any], ...],
    last: tuple[str, tuple[dict[str, Any], ...]] | None,
) -> None:
    assert parse(text, key) == KeyCondition(partition, sort, last)


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("pk = :p OR sk = :n", "OR"),
        ("pk = :p AND (sk = :n OR sk = :m)", "OR"),
        ("pk = :p AND sk > :n OR sk < :m", "OR"),
        ("NOT pk = :p", "NOT"),
        ("pk = :p AND NOT sk = :n", "NOT"),
        ("pk <> :p", "<>"),
        ("pk IN (:p)", "IN"),
        ("pk IN (sk, size(pk))", "IN"),
        ("contains(pk, :p)", "contains"),
        ("attribute_exists(pk)", "attribute_exists"),
        ("attribute_not_exists(pk)", "attribute_not_exists"),
    ],
)
def test_operators_key_conditions_do_not_have(text: str, operator: str) -> None:
    assert refusal(text, SIMPLE) == f"Invalid operator used in KeyConditionExpression: {operator}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size(pk) = :n", "KeyConditionExpressions cannot contain nested operations"),
        ("pk = :p AND sk > size(pk)", "KeyConditionExpressions cannot contain nested operations"),
        ("pk BETWEEN size(sk) AND size(q)", "KeyConditionExpressions cannot contain nested operations"),
        ("pk = sk", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
        ("pk > sk.b", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
        ("begins_with(pk, sk)", "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
        ("pk.a = :p", "KeyConditionExpressions cannot have conditions on nested attributes"),
        ("pk[0] > sk", "KeyConditionExpressions cannot have conditions on nested attributes"),
        (":p = :s", "Invalid condition in KeyConditionExpression: No key attribute specified"),
        (":n BETWEEN sk AND :m", "Invalid condition in KeyConditionExpression: BETWEEN operator must have the key attribute as its first operand"),
        ("begins_with(:p, pk)", "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its first operand"),
        ("pk = :p AND pk = :s", "KeyConditionExpressions must only contain one condition per key"),
        ("pk = :p AND sk > :n AND sk < :m", "KeyConditionExpressions must only contain one condition per key"),
        ("(q > :n AND r > :n) AND (r > :n AND s > :n)", "KeyConditionExpressions must only contain one condition per key"),
        ("", "Invalid KeyConditionExpression: The expression can not be empty;"),
        ("pk = :q", "Invalid KeyConditionExpression: An expression attribute value used in expression is not defined; attribute value: :q"),
        ("status = :p", "Invalid KeyConditionExpression: Attribute name is a reserved keyword; reserved keyword: status"),
        ("pk = pk", "Invalid KeyConditionExpression: The first operand must be distinct from the remaining operands"),
        ("pk = :p AND begins_with(sk, :n)", "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"),
        ("pk = :p AND sk < :t", "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"),
        ("pk = :p AND sk BETWEEN :m AND :n", "Invalid KeyConditionExpression: The BETWEEN operator requires upper bound to be greater than or equal to lower bound"),
        ("pk = :p AND sk BETWEEN :s AND :n", "Invalid KeyConditionExpression: The BETWEEN operator requires same data type"),
        ("attribute_type(pk, :n)", "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: attribute_type"),
    ],
)  # fmt: skip
def test_what_is_wrong_without_a_table(text: str, message: str) -> None:
    """The service says these before it looks for the table."""
    used = {name: dict(value) for name, value in VALUES.items() if name in text}
    with pytest.raises(ServiceError) as caught:
        read_key_conditions(text, Placeholders(None, used or None))
    assert caught.value.message.startswith(f"ValidationException: {message}")


@pytest.mark.parametrize(
    ("text", "key", "message"),
    [
        ("sk = :n", SIMPLE, "Query condition missed key schema element: pk"),
        ("pk = :p AND q = :n", SIMPLE, "Query condition missed key schema element: sk"),
        ("q = :p", HASH, "Query condition missed key schema element: pk"),
        ("pk = :p AND q = :n", HASH, "Query key condition not supported"),
        ("pk > :p", SIMPLE, "Query key condition not supported"),
        ("begins_with(pk, :p)", SIMPLE, "Query key condition not supported"),
        ("pk BETWEEN :p AND :s AND sk = :n", SIMPLE, "Query key condition not supported"),
        ("pk = :p AND sk = :n AND q = :m", SIMPLE, "Conditions can be of length 1 or 2 only"),
        ("pk = :n", SIMPLE, "One or more parameter values were invalid: Condition parameter type does not match schema type"),
        ("pk = :p AND sk = :p", SIMPLE, "One or more parameter values were invalid: Condition parameter type does not match schema type"),
        ("pk = :p AND sk = :t", SIMPLE, "One or more parameter values were invalid: Condition parameter type does not match schema type"),
        ("pk = :e", SIMPLE, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"),
        ("pk = :p AND begins_with(sk, :e)", TEXTUAL, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: sk"),
        ("pk = :p AND sk > :y", BINARY, "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty binary value. Key: sk"),
        ("h1 = :p", LONG, "HASH key attributes h2 must have equality conditions specified in the query"),
        ("r1 = :p", LONG, "HASH key attributes h1, h2 must have equality conditions specified in the query"),
        ("h1 = :p AND h2 > :n", LONG, "HASH key attributes h2 must have equality conditions specified in the query"),
        ("h1 = :p AND h2 = :n AND q = :m", LONG, "Query condition missed key schema element: r1"),
        ("h1 = :p AND h2 = :n AND r2 = :m", LONG, "RANGE key attributes r1 must have equality conditions specified in the query because a condition is present on key attribute r2"),
        ("h1 = :p AND h2 = :n AND r1 > :s AND r2 = :m", LONG, "RANGE key attributes r1 must have equality conditions specified in the query because a condition is present on key attribute r2"),
        ("h1 = :p AND h2 = :n AND r1 = :s AND r3 = :b", LONG, "RANGE key attributes r2 must have equality conditions specified in the query because a condition is present on key attribute r3"),
        ("h1 = :p AND h2 = :n AND r1 = :n", LONG, "One or more parameter values were invalid: Condition parameter type does not match schema type"),
    ],
)  # fmt: skip
def test_conditions_that_do_not_fit_the_key(text: str, key: Key, message: str) -> None:
    used = {name: dict(value) for name, value in VALUES.items() if name in text}
    conditions = read_key_conditions(text, Placeholders(None, used))
    with pytest.raises(ServiceError) as caught:
        conditions.resolve(*key)
    assert caught.value.message == f"ValidationException: {message}"


def test_names_behind_placeholders() -> None:
    placeholders = Placeholders({"#p": "pk", "#s": "sk"}, {":p": {"S": "a"}, ":n": {"N": "1.0"}})
    conditions = read_key_conditions("#s = :n AND #p = :p", placeholders)
    assert conditions.names == {"pk", "sk"}
    assert conditions.resolve(*SIMPLE) == KeyCondition(({"S": "a"},), ({"N": "1"},), None)


def test_its_text_holds_no_values() -> None:
    assert repr(parse("pk = :p AND sk > :n", SIMPLE)) == "KeyCondition(partition: 1, sort: 0, range: >)"
    assert repr(parse("pk = :p AND sk = :n", SIMPLE)) == "KeyCondition(partition: 1, sort: 1, range: None)"
