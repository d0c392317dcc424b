# ruff: noqa: E501 - a case and the message it gives stay on one line

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.engines.embedded.expressions import Placeholders, parse_condition
from dynawire.engines.embedded.numbers import canonical_number
from dynawire.errors import ServiceError

ITEM: dict[str, Any] = {
    "s": {"S": "héllo😀"},
    "n": {"N": "5"},
    "five": {"N": "5"},
    "b": {"B": "YWJj"},
    "t": {"BOOL": True},
    "z": {"NULL": True},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "bs": {"BS": ["YQ==", "Yg=="]},
    "l": {"L": [{"S": "a"}, {"N": "1"}, {"L": [{"N": "7"}]}, {"SS": ["x", "y"]}]},
    "m": {"M": {"k": {"S": "v"}, "d": {"M": {"e": {"N": "1"}}}}},
}
# One value for each type, by type.
ONE_OF_EACH: dict[str, dict[str, Any]] = {
    "S": {"S": "x"},
    "N": {"N": "1"},
    "B": {"B": "YQ=="},
    "BOOL": {"BOOL": True},
    "NULL": {"NULL": True},
    "SS": {"SS": ["a"]},
    "NS": {"NS": ["1"]},
    "BS": {"BS": ["YQ=="]},
    "L": {"L": []},
    "M": {"M": {}},
}


def holds(text: str, *values: dict[str, Any], item: dict[str, Any] = ITEM) -> bool:
    """Whether the condition is true; its values are ``:0``, ``:1`` and so on."""
    before = copy.deepcopy(item)
    named = {f":{position}": copy.deepcopy(value) for position, value in enumerate(values)}
    placeholders = Placeholders(None, named or None)
    condition = parse_condition(text, placeholders)
    placeholders.check_all_used()
    result = condition.matches(item)
    assert item == before
    return result


def refusal(text: str, *values: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as caught:
        holds(text, *values)
    assert caught.value.code == "ValidationException"
    return caught.value.message.removeprefix("ValidationException: Invalid ConditionExpression: ")


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("n = :0", {"N": "5.0"}, True),
        ("n = :0", {"N": "5.1"}, False),
        ("n = :0", {"S": "5"}, False),
        ("q = :0", {"S": "5"}, False),
        ("n <> :0", {"S": "5"}, True),
        ("q <> :0", {"S": "5"}, True),
        ("n <> :0", {"N": "5"}, False),
        (":0 = n", {"N": "5"}, True),
        ("NOT q = :0", {"N": "5"}, True),
        ("s < :0", {"S": "i"}, True),
        ("s > :0", {"S": "hz"}, True),
        ("s <= :0", {"N": "9"}, False),
        ("n < :0", {"N": "10"}, True),
        ("n < :0", {"N": "5.00000000000000000001"}, True),
        ("n <= :0", {"N": "5"}, True),
        ("n >= :0", {"N": "-7"}, True),
        ("n > :0", {"N": "5"}, False),
        (":0 > n", {"N": "6"}, True),
        ("b < :0", {"B": "YWJk"}, True),
        ("b > :0", {"B": "YWI="}, True),
        ("q < :0", {"N": "1"}, False),
        ("NOT q < :0", {"N": "1"}, True),
        ("ss = :0", {"SS": ["b", "a"]}, True),
        ("ns = :0", {"NS": ["2.0", "1"]}, True),
        ("bs = :0", {"BS": ["Yg==", "YQ=="]}, True),
        ("l = :0", {"L": [{"S": "a"}, {"N": "1"}, {"L": [{"N": "7.0"}]}, {"SS": ["y", "x"]}]}, True),
        ("m <> :0", {"M": {"k": {"S": "v"}}}, True),
        ("z = :0", {"NULL": True}, True),
        ("t = :0", {"BOOL": False}, False),
        ("m.k = :0", {"S": "v"}, True),
        ("m.d.e = :0", {"N": "1"}, True),
        ("l[2][0] = :0", {"N": "7"}, True),
        ("l[9] = :0", {"N": "7"}, False),
        ("m[0] = :0", {"N": "7"}, False),
        ("l.k = :0", {"N": "7"}, False),
        ("s.k = :0", {"N": "7"}, False),
        ("ss[0] = :0", {"S": "a"}, False),
    ],
)
def test_comparisons(text: str, value: dict[str, Any], expected: bool) -> None:
    assert holds(text, value) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n = five", True),
        ("n <> five", False),
        ("n <= five", True),
        ("n < five", False),
        ("n = s", False),
        ("n <> s", True),
        ("n < s", False),
        ("q = r", False),
        ("q <> r", True),
        ("q < r", False),
        ("n = q", False),
        ("q <> n", True),
        ("ss = ns", False),
        ("attribute_exists(m.k)", True),
        ("attribute_exists(l[3])", True),
        ("attribute_exists(l[4])", False),
        ("attribute_exists(m[0])", False),
        ("attribute_not_exists(m.d.f)", True),
        ("attribute_not_exists(s.x)", True),
        ("attribute_not_exists(z)", False),
        ("size(l) > size(m)", True),
        ("size(l) IN (five, n)", False),
        ("n BETWEEN size(ss) AND size(s)", True),
        ("contains(l, q)", False),
        ("contains(q, l)", False),
        ("begins_with(s, q)", False),
    ],
)
def test_attributes_with_each_other(text: str, expected: bool) -> None:
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "low", "high", "expected"),
    [
        ("n BETWEEN :0 AND :1", {"N": "1"}, {"N": "10"}, True),
        ("n BETWEEN :0 AND :1", {"N": "5"}, {"N": "5"}, True),
        ("n BETWEEN :0 AND :1", {"N": "6"}, {"N": "10"}, False),
        ("n BETWEEN :0 AND :1", {"S": "1"}, {"S": "9"}, False),
        ("q BETWEEN :0 AND :1", {"N": "1"}, {"N": "10"}, False),
        (":0 BETWEEN n AND five AND n < :1", {"N": "5"}, {"N": "6"}, True),
        ("n BETWEEN :0 AND five AND n = :1", {"N": "1"}, {"N": "5"}, True),
        ("n BETWEEN five AND :0 OR s = :1", {"S": "9"}, {"N": "5"}, False),
        ("size(s) BETWEEN :0 AND :1", {"N": "7"}, {"N": "7"}, True),
        ("size(s) BETWEEN :0 AND :1", {"S": "1"}, {"S": "9"}, False),
    ],
)
def test_between(text: str, low: dict[str, Any], high: dict[str, Any], expected: bool) -> None:
    assert holds(text, low, high) is expected


def test_in() -> None:
    assert holds("n IN (:0, :1)", {"S": "5"}, {"N": "5"})
    assert holds("ss IN (:0)", {"SS": ["b", "a"]})
    assert holds("n IN (q, five)")
    assert not holds("n IN (:0, :1)", {"S": "5"}, {"N": "6"})
    assert not holds("q IN (:0)", {"N": "5"})


@pytest.mark.parametrize(
    ("path", "size"),
    [("s", 7), ("b", 3), ("ss", 2), ("ns", 2), ("bs", 2), ("l", 4), ("m", 2), ("m.k", 1), ("l[2]", 1)],
)
def test_size(path: str, size: int) -> None:
    assert holds(f"size({path}) = :0", {"N": str(size)})
    assert not holds(f"size({path}) < :0", {"N": str(size)})
    assert not holds(f"size({path}) = :0", {"N": str(size + 1)})


@pytest.mark.parametrize("path", ["n", "t", "z", "q", "m.x", "l[9]"])
def test_what_has_no_size_equals_nothing(path: str) -> None:
    assert not holds(f"size({path}) = :0", {"N": "1"})
    assert not holds(f"size({path}) < :0", {"N": "1"})
    assert holds(f"size({path}) <> :0", {"N": "1"})


def test_size_of_a_value() -> None:
    assert holds("size(:0) < n", {"S": "four"})
    assert holds("size(:0) < n", {"L": []})
    for tag in ("N", "BOOL", "NULL"):
        message = refusal("size(:0) < n", ONE_OF_EACH[tag])
        assert message.endswith(f"operator or function: size, operand type: {tag}")


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("begins_with(s, :0)", {"S": "hé"}, True),
        ("begins_with(s, :0)", {"S": ""}, True),
        ("begins_with(s, :0)", {"S": "e"}, False),
        ("begins_with(s, :0)", {"B": "YQ=="}, False),
        ("begins_with(b, :0)", {"B": "YWI="}, True),
        ("begins_with(b, :0)", {"B": "Yg=="}, False),
        ("begins_with(n, :0)", {"S": "5"}, False),
        ("begins_with(:0, m.k)", {"S": "value"}, True),
        ("contains(s, :0)", {"S": "llo"}, True),
        ("contains(s, :0)", {"S": ""}, True),
        ("contains(s, :0)", {"N": "1"}, False),
        ("contains(n, :0)", {"N": "5"}, False),
        ("contains(b, :0)", {"B": "Yg=="}, True),
        ("contains(b, :0)", {"S": "b"}, False),
        ("contains(ss, :0)", {"S": "a"}, True),
        ("contains(ss, :0)", {"SS": ["a"]}, False),
        ("contains(ns, :0)", {"N": "1.0"}, True),
        ("contains(ns, :0)", {"S": "1"}, False),
        ("contains(bs, :0)", {"B": "YQ=="}, True),
        ("contains(l, :0)", {"N": "1.0"}, True),
        ("contains(l, :0)", {"L": [{"N": "7"}]}, True),
        ("contains(l, :0)", {"SS": ["y", "x"]}, True),
        ("contains(m, :0)", {"S": "k"}, False),
        ("contains(:0, n)", {"NS": ["5", "6"]}, True),
        ("contains(:0, n)", {"L": [{"S": "5"}]}, False),
        ("attribute_type(s, :0)", {"S": "S"}, True),
        ("attribute_type(s, :0)", {"S": "N"}, False),
        ("attribute_type(q, :0)", {"S": "S"}, False),
        ("attribute_type(z, :0)", {"S": "NULL"}, True),
        ("attribute_type(z, :0)", {"S": "BOOL"}, False),
        ("attribute_type(m.d, :0)", {"S": "M"}, True),
        ("attribute_type(size(s), :0)", {"S": "N"}, True),
    ],
)
def test_functions(text: str, value: dict[str, Any], expected: bool) -> None:
    assert holds(text, value) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("t = :0 OR t = :1 AND t = :1", True),
        ("(t = :0 OR t = :1) AND t = :1", False),
        ("NOT t = :1 AND t = :0", True),
        ("NOT (t = :1 OR t = :0)", False),
        ("NOT NOT t = :0 AND NOT t = :1", True),
        ("t = :0 AND t = :0 AND t = :1", False),
        ("t = :1 OR t = :1 OR t = :0", True),
        ("NOT (t = :0 AND NOT (t = :1 OR t = :0))", True),
    ],
)
def test_and_or_not(text: str, expected: bool) -> None:
    assert holds(text, {"BOOL": True}, {"BOOL": False}) is expected


@pytest.mark.parametrize("tag", sorted(ONE_OF_EACH))
def test_types_an_operator_takes(tag: str) -> None:
    value = ONE_OF_EACH[tag]
    wrong = "Incorrect operand type for operator or function; operator or function: {}, operand type: " + tag
    ordered = tag in ("S", "N", "B")
    for text, operator, takes in (
        ("n < :0", "<", ordered),
        (":0 >= n", ">=", ordered),
        ("n BETWEEN :0 AND n2", "BETWEEN", ordered),
        (":0 BETWEEN n AND n2", "BETWEEN", ordered),
        ("begins_with(s, :0)", "begins_with", tag in ("S", "B")),
        ("begins_with(:0, s)", "begins_with", tag in ("S", "B")),
        ("n = :0", "=", True),
        ("n IN (:0)", "IN", True),
        ("contains(s, :0)", "contains", True),
        ("contains(:0, s)", "contains", True),
    ):
        if takes:
            holds(text, value)
        else:
            assert refusal(text, value) == wrong.format(operator)
    if tag != "S":
        assert refusal("attribute_type(s, :0)", value) == wrong.format("attribute_type")


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("begins_with(s, size(s))", [], "operator or function: begins_with, operand type: N"),
        ("size(size(s)) = n", [], "operator or function: size, operand type: N"),
        ("attribute_type(s, s2)", [], "operator or function: attribute_type, operand type: {"),
        ("attribute_type(s, :0)", [{"S": "X"}], "Invalid attribute type name found; "),
        ("attribute_exists(:0)", [{"S": "X"}], "Operator or function requires a document path; operator or function: attribute_exists"),
        ("attribute_not_exists(size(s))", [], "Operator or function requires a document path; "),
        ("attribute_exists(s, n)", [], "operator or function: attribute_exists, number of operands: 2"),
        ("begins_with(s)", [], "operator or function: begins_with, number of operands: 1"),
        ("size(s, n) = n", [], "operator or function: size, number of operands: 2"),
        ("s = s", [], "operator: =, first operand: [s]"),
        ("m.k <> m.k", [], "operator: <>, first operand: [m, k]"),
        ("l[0] < l[0]", [], "operator: <, first operand: [l, [0]]"),
        ("n BETWEEN :0 AND n", [{"N": "1"}], "operator: BETWEEN, first operand: [n]"),
        ("n IN (:0, n)", [{"N": "1"}], "operator: IN, first operand: [n]"),
        ("contains(s, s)", [], "operator: contains, first operand: [s]"),
        ("n BETWEEN :0 AND :1", [{"N": "10"}, {"N": "9"}], "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"),
        ("n BETWEEN :0 AND :1", [{"B": "Yg=="}, {"B": "YQ=="}], "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"),
        ("n BETWEEN :0 AND :1", [{"N": "10"}, {"S": "9"}], "The BETWEEN operator requires same data type for lower and upper bounds"),
    ],
)  # fmt: skip
def test_operands_the_service_refuses(text: str, values: list[dict[str, Any]], message: str) -> None:
    assert message in refusal(text, *values)


def test_messages_hold_no_values() -> None:
    for text, values in (
        ("n BETWEEN :0 AND :1", [{"S": "s3cret2"}, {"S": "s3cret1"}]),
        ("attribute_type(n, :0)", [{"S": "s3cret"}]),
        ("n < :0", [{"SS": ["s3cret"]}]),
    ):
        assert "s3cret" not in refusal(text, *values)


def test_the_attributes_it_looks_at() -> None:
    placeholders = Placeholders({"#x": "x"}, {":0": {"N": "1"}})
    condition = parse_condition("#x.y = :0 AND size(a[0]) IN (b, c.d)", placeholders)
    assert condition.paths == {"x", "a", "b", "c"}


def test_paths_into_key_attributes() -> None:
    condition = parse_condition("a.b = :0 AND pk = :0", Placeholders(None, {":0": {"N": "1"}}))
    condition.check_key_paths(["pk"], ["b"])
    with pytest.raises(ServiceError, match=r"Key attributes must be scalars; .* are not allowed: Key: a"):
        condition.check_key_paths(["a"])
    with pytest.raises(ServiceError, match=r"Key attributes must be scalars; .* are not allowed: IndexKey: a"):
        condition.check_key_paths(["pk"], ["a"])


def test_filters_say_so() -> None:
    with pytest.raises(ServiceError, match=r"Invalid FilterExpression: Syntax error"):
        parse_condition("a", Placeholders(None, None), kind="FilterExpression")


@given(
    st.decimals(-1000, 1000, places=3).map(str),
    st.decimals(-1000, 1000, places=3).map(str),
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
)
def test_numbers_compare_as_numbers(stored: str, given_number: str, operator: str) -> None:
    x, y = float(stored), float(given_number)
    expected = {"=": x == y, "<>": x != y, "<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y}[operator]
    item = {"a": {"N": canonical_number(stored)}}
    assert holds(f"a {operator} :0", {"N": given_number}, item=item) is expected
