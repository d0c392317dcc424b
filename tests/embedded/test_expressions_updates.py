# ruff: noqa: E501 - a case and the message it gives stay on one line

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.engines.embedded.expressions import Placeholders, Update, parse_update
from dynawire.errors import ServiceError

ITEM: dict[str, Any] = {
    "pk": {"S": "key"},
    "s": {"S": "x"},
    "n": {"N": "5"},
    "ss": {"SS": ["a", "b"]},
    "ns": {"NS": ["1", "2"]},
    "l": {"L": [{"S": "a"}, {"N": "1"}, {"L": [{"N": "7"}]}, {"SS": ["x"]}, {"M": {"k": {"N": "1"}}}]},
    "m": {"M": {"k": {"S": "v"}, "d": {"M": {"e": {"N": "1"}}}, "ss": {"SS": ["x"]}}},
}
ONE = {"N": "1"}


def parse(text: str, *values: dict[str, Any]) -> Update:
    named = {f":{position}": copy.deepcopy(value) for position, value in enumerate(values)}
    placeholders = Placeholders(None, named or None)
    update = parse_update(text, placeholders)
    placeholders.check_all_used()
    return update


def updated(text: str, *values: dict[str, Any], item: dict[str, Any] = ITEM) -> dict[str, Any]:
    """The item after the update; its values are ``:0``, ``:1`` and so on."""
    before = copy.deepcopy(item)
    result = parse(text, *values).apply(item, ["pk"])
    assert item == before
    return result


def refusal(text: str, *values: dict[str, Any]) -> str:
    with pytest.raises(ServiceError) as caught:
        updated(text, *values)
    assert caught.value.code == "ValidationException"
    return caught.value.message.removeprefix("ValidationException: ")


@pytest.mark.parametrize(
    ("text", "values", "name", "result"),
    [
        ("SET q = :0", [ONE], "q", ONE),
        ("SET n = :0", [{"S": "y"}], "n", {"S": "y"}),
        ("SET n = s", [], "n", {"S": "x"}),
        ("SET q = (s)", [], "q", {"S": "x"}),
        ("SET n = n + :0", [ONE], "n", {"N": "6"}),
        ("SET n = :0 - n", [ONE], "n", {"N": "-4"}),
        ("SET n = (n - :0)", [{"N": "0.1"}], "n", {"N": "4.9"}),
        ("SET n = n + n", [], "n", {"N": "10"}),
        ("SET q = n - n", [], "q", {"N": "0"}),
        ("SET q = if_not_exists(n, :0)", [ONE], "q", {"N": "5"}),
        ("SET q = if_not_exists(z, :0)", [ONE], "q", ONE),
        ("SET q = if_not_exists(m.k, :0)", [ONE], "q", {"S": "v"}),
        ("SET q = if_not_exists(y, if_not_exists(n, :0))", [ONE], "q", {"N": "5"}),
        ("SET q = if_not_exists(z, :0) + :0", [ONE], "q", {"N": "2"}),
        ("SET q = :0 + if_not_exists(n, :0)", [ONE], "q", {"N": "6"}),
        ("SET q = list_append(:0, :0)", [{"L": [ONE]}], "q", {"L": [ONE, ONE]}),
        ("SET q = list_append(if_not_exists(z, :0), :0)", [{"L": [ONE]}], "q", {"L": [ONE, ONE]}),
        ("SET q = l[2][0]", [], "q", {"N": "7"}),
        ("SET m.k = :0", [ONE], "m", {"M": {"k": ONE, "d": {"M": {"e": ONE}}, "ss": {"SS": ["x"]}}}),
        ("SET m.d.f = n", [], "m", {"M": {"k": {"S": "v"}, "d": {"M": {"e": ONE, "f": {"N": "5"}}}, "ss": {"SS": ["x"]}}}),
        ("REMOVE m.d, m.ss", [], "m", {"M": {"k": {"S": "v"}}}),
        ("REMOVE m.zz", [], "m", ITEM["m"]),
        ("DELETE m.ss :0", [{"SS": ["x"]}], "m", {"M": {"k": {"S": "v"}, "d": {"M": {"e": ONE}}}}),
        ("ADD n :0", [{"N": "2.5"}], "n", {"N": "7.5"}),
        ("ADD q :0", [{"N": "2.5"}], "q", {"N": "2.5"}),
        ("ADD ss :0", [{"SS": ["c", "a"]}], "ss", {"SS": ["a", "b", "c"]}),
        ("ADD ns :0", [{"NS": ["2.0", "3"]}], "ns", {"NS": ["1", "2", "3"]}),
        ("ADD q :0", [{"BS": ["YQ=="]}], "q", {"BS": ["YQ=="]}),
        ("ADD m.d.e :0", [ONE], "m", {"M": {"k": {"S": "v"}, "d": {"M": {"e": {"N": "2"}}}, "ss": {"SS": ["x"]}}}),
        ("DELETE ss :0", [{"SS": ["a", "z"]}], "ss", {"SS": ["b"]}),
        ("DELETE ns :0", [{"NS": ["1.0"]}], "ns", {"NS": ["2"]}),
        ("DELETE ss :0", [{"SS": ["a", "b"]}], "ss", None),
        ("DELETE q :0", [{"SS": ["a", "b"]}], "q", None),
        ("REMOVE s", [], "s", None),
        ("REMOVE q", [], "q", None),
    ],
)  # fmt: skip
def test_one_action(text: str, values: list[dict[str, Any]], name: str, result: dict[str, Any] | None) -> None:
    expected = {**ITEM, name: result}
    if result is None:
        del expected[name]
    assert updated(text, *values) == expected


A, B, C = {"S": "a"}, {"S": "b"}, {"S": "c"}


@pytest.mark.parametrize(
    ("text", "values", "result"),
    [
        ("SET l[1] = :0", [A], [A, A, C]),
        ("SET l[9] = :0", [A], [A, B, C, A]),
        ("SET l[8] = :0, l[7] = :1", [A, B], [A, B, C, B, A]),
        ("SET l[7] = :0, l[0] = :1, l[6] = :2", [A, C, B], [C, B, C, B, A]),
        ("REMOVE l[0]", [], [B, C]),
        ("REMOVE l[0], l[1]", [], [C]),
        ("REMOVE l[2], l[0]", [], [B]),
        ("REMOVE l[0], l[1], l[2]", [], []),
        ("REMOVE l[9]", [], [A, B, C]),
        ("SET l[1] = :0 REMOVE l[0]", [A], [A, C]),
        ("SET l[9] = :0 REMOVE l[0], l[2]", [A], [B, A]),
        ("REMOVE l[0] SET l[2] = l[0]", [], [B, A]),
        ("SET l[5] = :0 REMOVE l[3]", [A], [A, B, C, A]),
        ("REMOVE l[3], l[0] SET l[7] = :0, l[6] = :1", [A, B], [B, C, B, A]),
        ("ADD l[5] :0", [ONE], [A, B, C, ONE]),
    ],
)
def test_list_elements(text: str, values: list[dict[str, Any]], result: list[dict[str, Any]]) -> None:
    assert updated(text, *values, item={"l": {"L": [A, B, C]}}) == {"l": {"L": result}}


def test_elements_are_removed_by_their_original_index_at_every_depth() -> None:
    result = updated("REMOVE l[4].k, l[0], l[2][0] DELETE l[3] :0", {"SS": ["x"]})
    assert result["l"] == {"L": [{"N": "1"}, {"L": []}, {"M": {}}]}


def test_operands_are_read_before_anything_changes() -> None:
    result = updated("SET n = s, s = n, q = m.k REMOVE m.k ADD m.d.e :0", ONE)
    assert (result["n"], result["s"], result["q"]) == ({"S": "x"}, {"N": "5"}, {"S": "v"})
    assert result["m"] == {"M": {"d": {"M": {"e": {"N": "2"}}}, "ss": {"SS": ["x"]}}}


def test_copies_are_independent() -> None:
    once = updated("SET q = m, r = m")
    twice = updated("SET q.k = :0", ONE, item=once)
    assert twice["q"]["M"]["k"] == ONE
    assert twice["r"] == once["q"] == ITEM["m"]


def test_an_item_that_does_not_exist() -> None:
    assert updated("SET a = :0 ADD c :0 REMOVE b", ONE, item={"pk": {"S": "k"}}) == {
        "pk": {"S": "k"},
        "a": ONE,
        "c": ONE,
    }


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SET q.a = :0", [ONE]),
        ("SET s.a = :0", [ONE]),
        ("SET s[0] = :0", [ONE]),
        ("SET ss[0] = :0", [ONE]),
        ("SET m[0] = :0", [ONE]),
        ("SET l.k = :0", [ONE]),
        ("SET m.zz.y = :0", [ONE]),
        ("SET l[99].a = :0", [ONE]),
        ("ADD m.zz.y :0", [ONE]),
        ("REMOVE q.a", []),
        ("REMOVE s.a", []),
        ("REMOVE l.k", []),
        ("REMOVE m[0]", []),
        ("REMOVE l[99].a", []),
        ("DELETE q.a :0", [{"SS": ["a"]}]),
    ],
)
def test_paths_that_do_not_fit_the_item(text: str, values: list[dict[str, Any]]) -> None:
    message = refusal(text, *values)
    assert message == "The document path provided in the update expression is invalid for update"


@pytest.mark.parametrize("text", ["SET q = z", "SET q = z + n", "SET q = l[99]", "SET q = s.a", "SET q = list_append(z, l)", "SET q = if_not_exists(z, y)", "SET q = if_not_exists(s, z)"])  # fmt: skip
def test_operands_that_do_not_exist(text: str) -> None:
    assert refusal(text) == "The provided expression refers to an attribute that does not exist in the item"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("SET q = s + :0", [ONE]),
        ("SET q = n - l", []),
        ("SET q = if_not_exists(z, :0) + n", [A]),
        ("SET q = list_append(s, :0)", [{"L": []}]),
        ("SET q = list_append(if_not_exists(z, :0), l)", [A]),
        ("ADD s :0", [ONE]),
        ("ADD n :0", [{"SS": ["1"]}]),
        ("ADD ss :0", [{"NS": ["1"]}]),
        ("ADD l[0] :0", [ONE]),
        ("DELETE n :0", [{"SS": ["a"]}]),
        ("DELETE ss :0", [{"NS": ["1"]}]),
    ],
)
def test_stored_values_of_the_wrong_type(text: str, values: list[dict[str, Any]]) -> None:
    assert refusal(text, *values) == "An operand in the update expression has an incorrect data type"


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("SET q = n + :0", [A], "operator or function: +, operand type: S"),
        ("SET q = :0 - n", [{"L": []}], "operator or function: -, operand type: L"),
        ("SET q = list_append(l, :0)", [A], "operator or function: list_append, operand type: S"),
        ("SET q = list_append(l)", [], "operator or function: list_append, number of operands: 1"),
        ("SET q = if_not_exists(l, n, s)", [], "operator or function: if_not_exists, number of operands: 3"),
        ("SET q = if_not_exists(:0, :0)", [A], "Operator or function requires a document path; operator or function: if_not_exists"),
        ("SET q = if_not_exists(m.k, m.k)", [], "operator: if_not_exists, first operand: [m, k]"),
        ("ADD q :0", [A], "operator: ADD, operand type: STRING"),
        ("ADD q :0", [{"L": []}], "operator: ADD, operand type: LIST"),
        ("ADD q :0", [{"BOOL": True}], "operator: ADD, operand type: BOOLEAN"),
        ("DELETE q :0", [ONE], "operator: DELETE, operand type: NUMBER"),
        ("DELETE q :0", [{"M": {}}], "operator: DELETE, operand type: MAP"),
        ("SET q = list_append(:0, s) ADD r :0", [A], "operator: ADD, operand type: STRING"),
        ("SET a = n, a = n", [], "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]"),
        ("SET m.k = n REMOVE m", [], "path one: [m, k], path two: [m]"),
        ("SET l[0] = n, l[0].a = n", [], "path one: [l, [0]], path two: [l, [0], a]"),
        ("REMOVE q SET m.k = n, m[0] = n", [], "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [m, k], path two: [m, [0]]"),
        ("REMOVE m[0], m.k, m[0]", [], "Two document paths overlap with each other"),
    ],
)  # fmt: skip
def test_updates_the_service_refuses(text: str, values: list[dict[str, Any]], message: str) -> None:
    found = refusal(text, *values)
    assert found.startswith("Invalid UpdateExpression: ")
    assert message in found


@pytest.mark.parametrize("text", ["SET pk = :0", "SET pk.a = :0", "ADD a :0, pk :0", "REMOVE a, pk SET b = :0"])
def test_key_attributes_cannot_change(text: str) -> None:
    message = refusal(text, ONE)
    assert message == (
        "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"
    )


def test_paths_into_index_key_attributes() -> None:
    update = parse("SET q = if_not_exists(g.a, :0)", ONE)
    update.check_key_paths(["pk"], ["q"])
    with pytest.raises(ServiceError, match=r"are not allowed: IndexKey: g"):
        update.check_key_paths(["pk"], ["g"])


@pytest.mark.parametrize(
    ("text", "values", "message"),
    [
        ("SET n = n + :0", [{"N": "1e38"}], "more than 38 significant digits"),
        ("ADD n :0", [{"N": "1e40"}], "more than 38 significant digits"),
        ("SET n = :0 + :1", [{"N": "9e125"}, {"N": "9e125"}], "Number overflow"),
        ("SET n = :0 - :1", [{"N": "1.5e-129"}, {"N": "1.49e-129"}], "Number underflow"),
    ],
)
def test_sums_out_of_bounds(text: str, values: list[dict[str, Any]], message: str) -> None:
    assert message in refusal(text, *values)


def test_nesting() -> None:
    deep: dict[str, Any] = {"S": "x"}
    for _ in range(30):
        deep = {"M": {"a": deep}}
    assert updated("SET m.q = :0", deep)["m"]["M"]["q"] == deep
    assert refusal("SET m.d.q = :0", deep) == "Nesting Levels have exceeded supported limits"
    assert refusal("SET l[2][0] = :0", deep) == "Nesting Levels have exceeded supported limits"


@pytest.mark.parametrize(
    ("text", "values", "old", "new"),
    [
        ("SET n = :0", [ONE], {"n": {"N": "5"}}, {"n": ONE}),
        ("SET q = :0", [ONE], {}, {"q": ONE}),
        ("REMOVE n", [], {"n": {"N": "5"}}, {}),
        ("SET m.k = :0", [ONE], {"m": {"M": {"k": {"S": "v"}}}}, {"m": {"M": {"k": ONE}}}),
        ("SET l[1] = :0", [A], {"l": {"L": [{"N": "1"}]}}, {"l": {"L": [A]}}),
        ("SET l[9] = :0", [A], {}, {}),
        ("DELETE ss :0", [{"SS": ["a"]}], {"ss": {"SS": ["a", "b"]}}, {"ss": {"SS": ["b"]}}),
    ],
)
def test_what_was_updated(text: str, values: list[dict[str, Any]], old: dict[str, Any], new: dict[str, Any]) -> None:
    update = parse(text, *values)
    assert update.project_updated(ITEM) == old
    assert update.project_updated(update.apply(ITEM)) == new


def test_what_an_update_tells() -> None:
    update = parse("SET a = :0, b.c[1] = :0 REMOVE d ADD e :0 DELETE f :1", ONE, {"SS": ["a"]})
    assert update.paths == (("a",), ("b", "c", 1), ("d",), ("e",), ("f",))
    assert update.top_level_names == {"a", "b", "d", "e", "f"}
    assert (update.setting, update.clearing) == (3, 2)


@given(
    st.lists(st.integers(0, 9), max_size=6),
    st.lists(st.integers(0, 9), unique=True, max_size=4),
    st.lists(st.integers(0, 9), unique=True, max_size=4),
)
def test_list_updates_as_a_list_of_slots(elements: list[int], setting: list[int], removing: list[int]) -> None:
    setting = [index for index in setting if index not in removing]
    clauses = []
    if setting:
        clauses.append("SET " + ", ".join(f"l[{index}] = :0" for index in setting))
    if removing:
        clauses.append("REMOVE " + ", ".join(f"l[{index}]" for index in removing))
    if not clauses:
        return
    # A model: slots by index, those beyond the end appended in order, those removed left out.
    slots = {index: str(element) for index, element in enumerate(elements)} | dict.fromkeys(setting, "new")
    item = {"l": {"L": [{"S": str(element)} for element in elements]}}
    values = [{"S": "new"}] if setting else []
    result = updated(" ".join(clauses), *values, item=item)
    assert result == {"l": {"L": [{"S": slots[index]} for index in sorted(slots) if index not in removing]}}
