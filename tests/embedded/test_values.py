from __future__ import annotations

import base64
import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.engines.embedded.values import (
    MAX_ITEM_SIZE,
    check_item,
    check_value,
    compare_values,
    encode_key_value,
    item_size,
    type_of,
    value_size,
    values_equal,
)
from dynawire.errors import ServiceError

texts = st.text(max_size=6)
numbers = st.one_of(st.integers(-99, 99).map(str), st.decimals(-9, 9, places=2).map(str))
binaries = st.binary(max_size=6).map(lambda data: base64.b64encode(data).decode())
scalars = st.one_of(
    st.builds(lambda text: {"S": text}, texts),
    st.builds(lambda text: {"N": text}, numbers),
    st.builds(lambda text: {"B": text}, binaries),
    st.booleans().map(lambda flag: {"BOOL": flag}),
    st.just({"NULL": True}),
)
sets = st.one_of(
    st.lists(texts, min_size=1, max_size=4, unique=True).map(lambda members: {"SS": members}),
    st.lists(st.integers(-9, 9).map(str), min_size=1, max_size=4, unique=True).map(lambda members: {"NS": members}),
    st.lists(binaries, min_size=1, max_size=4, unique=True).map(lambda members: {"BS": members}),
)
names = st.text(min_size=1, max_size=4)
values = st.recursive(
    scalars | sets,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda members: {"L": members}),
        st.dictionaries(names, inner, max_size=3).map(lambda members: {"M": members}),
    ),
    max_leaves=8,
)


def nested(levels: int, kind: str = "M") -> dict[str, Any]:
    value: dict[str, Any] = {"S": "x"}
    for _ in range(levels):
        value = {"M": {"a": value}} if kind == "M" else {"L": [value]}
    return value


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "é😀"}, 6),
        ({"N": "-1.5"}, 4),
        ({"B": "YWJj"}, 3),
        ({"B": "YQ=="}, 1),
        ({"B": ""}, 0),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"SS": ["a", "é"]}, 3),
        ({"NS": ["1", "22"]}, 4),
        ({"BS": ["YQ==", "YWI="]}, 3),
        ({"L": []}, 3),
        ({"L": [{"S": "a"}, {"L": []}]}, 3 + 2 + 4),
        ({"M": {}}, 3),
        ({"M": {"é": {"S": "a"}}}, 3 + 2 + 1 + 1),
    ],
)
def test_size(value: dict[str, Any], size: int) -> None:
    assert check_value(value) == size
    assert value_size(value) == size
    assert item_size({"name": value}) == check_item({"name": value}) == 4 + size


@given(st.dictionaries(names, values, max_size=4))
def test_checking_and_measuring_agree_and_checking_twice_changes_nothing(item: dict[str, Any]) -> None:
    size = check_item(item)
    assert size == item_size(item)
    once = copy.deepcopy(item)
    assert check_item(item) == size
    assert item == once


def test_the_limit_is_400_kilobytes() -> None:
    assert MAX_ITEM_SIZE == 409_600
    assert check_item({"a": {"S": "x" * (MAX_ITEM_SIZE - 1)}}) == MAX_ITEM_SIZE


def test_numbers_and_base64_become_canonical_in_place() -> None:
    item = {
        "n": {"N": "1.50"},
        "s": {"NS": ["1e2", "+3"]},
        "m": {"M": {"k": {"L": [{"N": "-0"}]}}},
        "b": {"B": "YR=="},
        "bs": {"BS": ["YR==", "Yg=="]},
    }
    check_item(item)
    assert item == {
        "n": {"N": "1.5"},
        "s": {"NS": ["100", "3"]},
        "m": {"M": {"k": {"L": [{"N": "0"}]}}},
        "b": {"B": "YQ=="},
        "bs": {"BS": ["YQ==", "Yg=="]},
    }


def test_members_the_service_does_not_know_or_that_are_null_are_ignored() -> None:
    item: dict[str, Any] = {"a": {"S": "x", "N": None}, "b": {"Z": 1, "N": "1.0"}}
    check_item(item)
    assert item == {"a": {"S": "x"}, "b": {"N": "1"}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "Supplied AttributeValue is empty"),
        ({"X": "a"}, "Supplied AttributeValue is empty"),
        ({"S": None}, "Supplied AttributeValue is empty"),
        (None, "Supplied AttributeValue is empty"),
        ({"M": {"a": {}}}, "Supplied AttributeValue is empty"),
        ({"L": [{}]}, "Supplied AttributeValue is empty"),
        ({"S": "a", "N": "1"}, "Supplied AttributeValue has more than one datatypes set"),
        ({"NULL": False}, "Null attribute value types must have the value of true"),
        ({"SS": []}, "An string set  may not be empty"),
        ({"NS": []}, "An number set  may not be empty"),
        ({"BS": []}, "Binary sets should not be empty"),
        ({"SS": ["a", "a"]}, "Input collection contains duplicates"),
        ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
        ({"BS": ["YQ==", "YR=="]}, "Input collection of type BS contains duplicates"),
        ({"N": "abc"}, "cannot be converted to a numeric value"),
        ({"NS": ["1", ""]}, "cannot be converted to a numeric value"),
        ({"M": {"": {"S": "x"}}}, "Empty attribute name"),
        ({"M": {"a" * 65_536: {"S": "x"}}}, "Attribute name is too large"),
        (nested(32), "Nesting Levels have exceeded supported limits"),
        (nested(32, "L"), "Nesting Levels have exceeded supported limits"),
        (nested(5_000), "Nesting Levels have exceeded supported limits"),
    ],
)
def test_values_the_service_refuses(value: Any, message: str) -> None:
    with pytest.raises(ServiceError, match=message) as caught:
        check_item({"a": value})
    assert caught.value.code == "ValidationException"


@pytest.mark.parametrize(
    "value",
    [
        "text",
        5,
        [],
        {"S": 5},
        {"S": True},
        {"S": ["a"]},
        {"S": {}},
        {"N": 5},
        {"N": 1.5},
        {"B": 5},
        {"B": "YQ"},
        {"B": "Y Q="},
        {"B": "é"},
        {"BOOL": "true"},
        {"BOOL": 1},
        {"NULL": "true"},
        {"M": []},
        {"M": "a"},
        {"L": {}},
        {"SS": "a"},
        {"SS": [5]},
        {"NS": [5]},
        {"BS": ["?"]},
    ],
)
def test_json_of_another_shape_is_a_serialization_error(value: Any) -> None:
    with pytest.raises(ServiceError) as caught:
        check_item({"a": value})
    assert caught.value.code == "SerializationException"
    with pytest.raises(ServiceError):
        check_value(copy.deepcopy(value))


def test_an_item_is_a_map() -> None:
    for item in ([], "x", 5):
        with pytest.raises(ServiceError) as caught:
            check_item(item)  # type: ignore[arg-type]
        assert caught.value.code == "SerializationException"


def test_errors_do_not_show_values() -> None:
    for value in ({"N": "s3cret"}, {"SS": ["s3cret", "s3cret"]}, {"B": "s3cret!"}, {"NS": ["s3cret"]}):
        with pytest.raises(ServiceError) as caught:
            check_item({"a": value})
        assert "s3cret" not in str(caught.value)


def test_what_is_allowed() -> None:
    check_item(
        {
            "a" * 65_535: {"S": ""},
            "b": {"B": ""},
            "ss": {"SS": [""]},
            "bs": {"BS": [""]},
            "m": nested(31),
            "l": nested(31, "L"),
        }
    )


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        ({"S": "x"}, {"S": "x"}, True),
        ({"S": "1"}, {"N": "1"}, False),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}, True),
        ({"SS": ["a", "b"]}, {"SS": ["a"]}, False),
        ({"SS": ["1"]}, {"NS": ["1"]}, False),
        ({"NS": ["1.0", "2"]}, {"NS": ["2.00", "1"]}, True),
        ({"NS": ["100000000000000001"]}, {"NS": ["100000000000000002"]}, False),
        ({"BS": ["YQ==", "Yg=="]}, {"BS": ["Yg==", "YQ=="]}, True),
        ({"L": [{"SS": ["a", "b"]}]}, {"L": [{"SS": ["b", "a"]}]}, True),
        ({"L": [{"N": "1"}, {"N": "2"}]}, {"L": [{"N": "2"}, {"N": "1"}]}, False),
        ({"M": {"k": {"SS": ["a", "b"]}, "n": {"N": "1.0"}}}, {"M": {"n": {"N": "1"}, "k": {"SS": ["b", "a"]}}}, True),
        ({"M": {"k": {"N": "1"}}}, {"M": {"j": {"N": "1"}}}, False),
        ({"BOOL": True}, {"BOOL": False}, False),
        ({"NULL": True}, {"BOOL": True}, False),
    ],
)
def test_equality(a: dict[str, Any], b: dict[str, Any], equal: bool) -> None:
    check_value(a)
    check_value(b)
    assert values_equal(a, b) is equal
    assert values_equal(b, a) is equal


@given(values, st.randoms(use_true_random=False))
def test_a_value_equals_itself_with_its_sets_shuffled(value: dict[str, Any], random: Any) -> None:
    def shuffled(value: dict[str, Any]) -> dict[str, Any]:
        ((tag, content),) = value.items()
        if tag in ("SS", "NS", "BS"):
            return {tag: random.sample(content, len(content))}
        if tag == "L":
            return {tag: [shuffled(member) for member in content]}
        if tag == "M":
            return {tag: {name: shuffled(member) for name, member in content.items()}}
        return dict(value)

    check_value(value)
    assert values_equal(value, shuffled(value))


@given(texts, texts)
def test_strings_order_by_their_utf8(a: str, b: str) -> None:
    order = compare_values({"S": a}, {"S": b})
    assert order is not None
    assert (order < 0, order > 0) == (a.encode() < b.encode(), a.encode() > b.encode())
    assert (order < 0) == (encode_key_value({"S": a}) < encode_key_value({"S": b}))


@given(st.binary(max_size=5), st.binary(max_size=5))
def test_binaries_order_by_their_bytes(a: bytes, b: bytes) -> None:
    x, y = ({"B": base64.b64encode(data).decode()} for data in (a, b))
    order = compare_values(x, y)
    assert order is not None
    assert (order < 0, order > 0) == (a < b, a > b)
    assert encode_key_value(x) == a


def test_other_values_have_no_order() -> None:
    assert compare_values({"S": "1"}, {"N": "1"}) is None
    for value in ({"BOOL": True}, {"NULL": True}, {"SS": ["a"]}, {"L": []}, {"M": {}}):
        assert compare_values(value, value) is None


def test_only_scalars_are_keys() -> None:
    assert encode_key_value({"N": "1"}) < encode_key_value({"N": "1.5"}) < encode_key_value({"N": "20"})
    with pytest.raises(ServiceError):
        encode_key_value({"BOOL": True})


def test_type_of() -> None:
    assert type_of({"NS": ["1"]}) == "NS"


def test_what_the_json_decoder_gives_is_checked_as_it_is() -> None:
    item = msgspec.json.decode(b'{"a":{"M":{"n":{"N":"1e1"}}},"b":{"L":[{"BOOL":true}]}}')
    assert check_item(item) == 1 + (3 + 1 + 1 + 2) + 1 + (3 + 1 + 1)
    assert item["a"]["M"]["n"] == {"N": "10"}
