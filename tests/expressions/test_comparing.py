"""Conditions as they are written, their text, and what is refused before anything is sent."""

from __future__ import annotations

import pickle
import re
from typing import Any

import pytest

from dynawire.errors import ExpressionError, ValidationError
from dynawire.expressions.compiler import compile_condition
from dynawire.expressions.conditions import Comparison, Junction, all_of, any_of
from dynawire.expressions.placeholders import Placeholders
from tests.expressions.support import Airport, Base, Hotel


def compiled(condition: Any) -> tuple[str, dict[str, str], dict[str, Any]]:
    placeholders = Placeholders()
    text = compile_condition(condition, placeholders, Airport)
    return text, placeholders.names, placeholders.values


def readable(condition: Any) -> str:
    """The text with names and values put in, values as Python shows them."""
    text, names, values = compiled(condition)
    for placeholder, wire in reversed(list(values.items())):
        ((_, payload),) = wire.items()
        text = text.replace(placeholder, repr(payload) if not isinstance(payload, bool) else str(wire))
    for placeholder, name in reversed(list(names.items())):
        text = text.replace(placeholder, name)
    return text


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (lambda: Airport.visits == 1, "v = '1'"),
        (lambda: Airport.visits != 1, "v <> '1'"),
        (lambda: Airport.visits < 1, "v < '1'"),
        (lambda: Airport.visits <= 1, "v <= '1'"),
        (lambda: Airport.visits > 1, "v > '1'"),
        (lambda: Airport.visits >= 1, "v >= '1'"),
        (lambda: 1 < Airport.visits, "v > '1'"),  # noqa: SIM300
        (lambda: Airport.visits < Airport.rank, "v < rank"),
        (lambda: Airport.visits == Airport.name.size(), "v = size(n)"),
        (lambda: Airport.visits.between(1, 5), "v BETWEEN '1' AND '5'"),
        (lambda: Airport.visits.between(Airport.rank, 5), "v BETWEEN rank AND '5'"),
        (lambda: Airport.visits.in_([1, 2]), "v IN ('1', '2')"),
        (lambda: Airport.visits.in_({1}), "v IN ('1')"),
        (lambda: Airport.visits.in_([Airport.rank, 2]), "v IN (rank, '2')"),
        (lambda: Airport.visits.in_(iter([2, 2, 3])), "v IN ('2', '3')"),
        (lambda: Airport.name.begins_with("D"), "begins_with(n, 'D')"),
        (lambda: Airport.name.begins_with(Airport.state), "begins_with(n, state)"),
        (lambda: Airport.photo.begins_with(b"D"), "begins_with(photo, b'D')"),
        (lambda: Airport.city.begins_with("D"), "begins_with(city, 'D')"),
        (lambda: Airport.name.contains("D"), "contains(n, 'D')"),
        (lambda: Airport.name.contains(Airport.state), "contains(n, state)"),
        (lambda: Airport.photo.contains(b"D"), "contains(photo, b'D')"),
        (lambda: Airport.tags.contains("D"), "contains(tags, 'D')"),
        (lambda: Airport.years.contains(5), "contains(years, '5')"),
        (lambda: Airport.scores.contains(5), "contains(scores, '5')"),
        (lambda: Airport.notes.contains(None), "contains(notes, {'NULL': True})"),
        (lambda: Airport.extra.contains(5), "contains(extra, '5')"),
        (lambda: Airport.scores.contains(Airport.name.size()), "contains(scores, size(n))"),
        (Airport.visits.exists, "attribute_exists(v)"),
        (Airport.visits.not_exists, "attribute_not_exists(v)"),
        (lambda: Airport.visits.is_type("S"), "attribute_type(v, 'S')"),
        (lambda: Airport.visits.is_type(int), "attribute_type(v, 'N')"),
        (lambda: Airport.visits.is_type(None), "attribute_type(v, 'NULL')"),
        (lambda: Airport.tags.is_type(set), "attribute_type(tags, 'SS')"),
        (
            lambda: Airport.visits.is_type(set),
            "attribute_type(v, 'BS') OR attribute_type(v, 'NS') OR attribute_type(v, 'SS')",
        ),
        (lambda: Airport.name.size() > 3, "size(n) > '3'"),
        (lambda: Airport.name.size() == Airport.visits, "size(n) = v"),
        (lambda: Airport.name.size() < Airport.tags.size(), "size(n) < size(tags)"),
        (lambda: Airport.name.size().between(1, 2), "size(n) BETWEEN '1' AND '2'"),
        (lambda: Airport.name.size().in_([1, 2]), "size(n) IN ('1', '2')"),
        (lambda: Airport.address.zip_code == "1", "address.zip = '1'"),
        (lambda: Airport.scores[1] > 1, "scores[1] > '1'"),
        (lambda: Airport.created == 1, "created = '1'"),
    ],
)
def test_how_a_condition_is_written_and_sent(condition: Any, text: str) -> None:
    assert readable(condition()) == text


def test_equal_names_and_equal_values_share_a_placeholder() -> None:
    text, names, values = compiled(
        (Airport.visits > 1) & (Airport.rank < 1) & (Airport.name == "1") & (Airport.visits != 1)
    )
    assert text == "#n0 > :v0 AND #n1 < :v0 AND #n2 = :v1 AND #n0 <> :v0"
    assert names == {"#n0": "v", "#n1": "rank", "#n2": "n"}
    assert values == {":v0": {"N": "1"}, ":v1": {"S": "1"}}


def test_none_means_absent_or_null() -> None:
    assert readable(Airport.city == None) == "attribute_not_exists(city) OR city = {'NULL': True}"  # noqa: E711
    assert readable(Airport.city != None) == "attribute_exists(city) AND city <> {'NULL': True}"  # noqa: E711
    text = "city IN ('a') OR attribute_not_exists(city) OR city = {'NULL': True}"
    assert readable(Airport.city.in_(["a", None])) == text
    assert readable(Airport.city.in_([None])) == "attribute_not_exists(city) OR city = {'NULL': True}"


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (lambda a, b, c, d: a & b & c & d, "a AND b AND c AND d"),
        (lambda a, b, c, d: (a & b) & (c & d), "a AND b AND c AND d"),
        (lambda a, b, c, d: a & (b | c), "a AND (b OR c)"),
        (lambda a, b, c, d: (a & b) | (c & d), "a AND b OR c AND d"),
        (lambda a, b, c, d: (a | b) & (c | d), "(a OR b) AND (c OR d)"),
        (lambda a, b, c, d: ~a, "NOT a"),
        (lambda a, b, c, d: ~~a, "a"),
        (lambda a, b, c, d: ~(a & b), "NOT (a AND b)"),
        (lambda a, b, c, d: ~(a | b) & ~c, "NOT (a OR b) AND NOT c"),
        (lambda a, b, c, d: a | b & c | d, "a OR b AND c OR d"),
        (lambda a, b, c, d: all_of([a, b & c]), "a AND b AND c"),
        (lambda a, b, c, d: any_of([a | b, c & d]), "a OR b OR c AND d"),
        (lambda a, b, c, d: all_of([a]), "a"),
        (lambda a, b, c, d: a & (b | (c & (d | a))), "a AND (b OR c AND (d OR a))"),
    ],
)
def test_parentheses_stand_only_where_they_are_needed(condition: Any, text: str) -> None:
    leaves = [Airport.extra[name].exists() for name in "abcd"]
    assert re.sub(r"attribute_exists\(extra\.(\w)\)", r"\1", readable(condition(*leaves))) == text


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda: (Airport.visits > 1) and True, "write & | ~ instead of and, or, not"),
        (lambda: not (Airport.visits > 1), "write & | ~ instead of and, or, not"),
        (lambda: 1 < Airport.visits < 5, r"\.between\(low, high\) instead of"),
        (lambda: (Airport.visits > 1) & True, "a condition is needed, found bool"),
        (lambda: False | (Airport.visits > 1), 'reached as path\\["name"\\]'),
        (lambda: (Airport.visits > 1) & Airport.open, "<Airport.open> is a path, not a condition: .* open == True"),
        (lambda: Airport.open & (Airport.visits > 1), "<Airport.open> is a path, not a condition"),
        (lambda: all_of([]), "no condition to combine"),
        (lambda: Airport.visits.in_([]), r"Airport\.visits: in_ has no value"),
        (lambda: Airport.visits.in_(range(101)), "in_ has 101 values, and DynamoDB takes at most 100"),
        (lambda: Airport.state.in_("TX"), r"in_ takes a list of values, not a str"),
        (lambda: Airport.name.in_(Airport.notes), "in_ takes a list of values, not a Path"),
        (lambda: Airport.visits.between(5, 1), r"Airport\.visits: between\(low, high\) has low above high"),
        (lambda: Airport.name.between("b", "a"), "low above high"),
        (lambda: Airport.visits.between(None, 1), "None has no order"),
        (lambda: Airport.extra.between(1, "a"), "two bounds of one type"),
        (lambda: Airport.city < None, r"Airport\.city: None has no order"),
        (lambda: Airport.open < True, r"Airport\.open is bool: < works on text, numbers and binary only"),
        (lambda: Airport.address > {}, "Airport.address is Address: >"),
        (lambda: Airport.scores <= [1], r"Airport\.scores is list\[int\]: <="),
        (lambda: Airport.tags.between({"a"}, {"b"}), "between works on"),
        (lambda: Airport.extra < True, "compares text, numbers and binary only, not bool"),
        (lambda: Airport.visits > Airport.open, "values of different types"),
        (lambda: Airport.visits == Airport.name, "Airport.visits is int and Airport.name is str: values of different"),
        (lambda: Airport.visits == Airport.visits, "compares it with itself"),
        (lambda: Airport.scores[0] == Airport.scores[0], "compares it with itself"),
        (lambda: Airport.name.contains(Airport.name), "compares it with itself"),
        (lambda: Airport.visits == Airport.visits + 1, "DynamoDB computes in updates only"),
        (lambda: Airport.visits == Airport.rank.if_not_exists(1), "if_not_exists belongs in an update"),
        (lambda: Airport.visits == Airport.rank.set(1), "an update is not a value"),
        (lambda: Airport.open == (Airport.visits > 1), "a condition is not a value"),
        (lambda: Airport.scores.contains(Airport.visits + 1), "contains …: DynamoDB computes in updates only"),
        (lambda: Airport.visits.begins_with("1"), "Airport.visits is int: begins_with works on text and binary"),
        (
            lambda: Airport.extra.begins_with(Airport.name.size()),
            r"name.size\(\) is int: begins_with takes text or binary",
        ),
        (lambda: Airport.visits.contains(1), "Airport.visits is int: contains works on"),
        (lambda: Airport.address.contains("x"), "Airport.address is Address: contains works on"),
        (lambda: Airport.pair.contains(1), "no common type"),
        (Airport.visits.size, "Airport.visits is int: only text, binary, lists, maps and sets have a size"),
        (Airport.open.size, "have a size"),
        (lambda: Airport.name.size() == None, r"a size is a number; write name == None"),  # noqa: E711
        (lambda: Airport.name.size() != None, r"a size is a number; write name != None"),  # noqa: E711
        (lambda: Airport.name.size() == Airport.state, "values of different types"),
        (lambda: Airport.tags == set(), r"no empty set; .*\.not_exists\(\)"),
        (lambda: Airport.visits.is_type("X"), "is_type takes one of B, BOOL, BS"),
        (lambda: Airport.visits.is_type(object), "is_type takes one of"),
        (
            lambda: compiled(Hotel.name == "x"),
            r"Hotel\.name is an attribute of Hotel, .* is for Airport; .*Airport\.name",
        ),
        (lambda: compile_condition(Airport.name == "x", Placeholders(), Base), "the request is for Base"),
        (lambda: compiled(Airport.visits.in_ == 3), "a condition is needed, found bool; .*reached as path"),
        (lambda: Airport.name in ["a", "b"], r"\.in_\(\[...\]\) instead of in"),
        (lambda: any_of(Airport.name == "a"), r"in a list, or from a generator: any_of\(\[a, b\]\)"),
        (lambda: compiled(Airport.open), "<Airport.open> is a path, not a condition"),
        (lambda: compiled(Airport.visits.add(1)), "ADD Airport.visits :0 is not a condition"),
    ],
)
def test_what_dynamodb_could_not_run_is_refused_with_the_remedy(misuse: Any, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        misuse()


@pytest.mark.parametrize(
    ("misuse", "attribute", "message"),
    [
        (lambda: Airport.visits < "1", "visits", "Airport.visits: must be int, not str"),
        (lambda: Airport.visits.in_([1, "x"]), "visits", "Airport.visits: must be int, not str"),
        (lambda: Airport.scores == [1, "x"], "scores[1]", r"Airport.scores\[1\]: must be int, not str"),
        (lambda: Airport.address.city == 5, "address.city", "Airport.address.city: must be str, not int"),
        (lambda: Airport.tags.contains(5), "tags", "Airport.tags: a member must be str, not int"),
        (lambda: Airport.name.contains(5), "name", "contains takes a str for text and bytes for binary, not int"),
        (lambda: Airport.name.begins_with(b"x"), "name", "begins_with takes a str for text and bytes for binary"),
        (lambda: Airport.name.size() > "3", "name.size()", "a size is a whole number"),
        (lambda: Airport.name.size() > -1, "name.size()", "a size is a whole number"),
    ],
)
def test_a_value_of_another_type_is_refused_with_class_and_path(misuse: Any, attribute: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message) as caught:
        misuse()
    assert caught.value.model == "Airport"
    assert caught.value.attribute == attribute
    assert all(path == attribute for path, _ in caught.value.errors)
    assert caught.value.errors


def test_limits_on_stored_values_do_not_limit_what_they_are_compared_with() -> None:
    assert readable(Airport.iata >= "D") == "iata >= 'D'"
    assert readable(Airport.iata.begins_with("D")) == "begins_with(iata, 'D')"
    assert readable(Airport.visits > -1) == "v > '-1'"


def test_a_condition_never_shows_values() -> None:
    condition = (Airport.visits < 123456) & (Airport.name == "secret") | ~Airport.city.in_(["secret", None])
    shown = (
        "Airport.visits < :0 AND Airport.name = :1 OR "
        "NOT (Airport.city IN (:2) OR attribute_not_exists(Airport.city) OR Airport.city = :3)"
    )
    assert repr(condition) == shown
    everything = "".join(
        repr([operand for comparison in condition.comparisons() for operand in comparison.operands])
        + repr(list(condition.__rich_repr__()))
        + repr([list(getattr(o, "__rich_repr__", list)()) for c in condition.comparisons() for o in c.operands])
    )
    assert "secret" not in everything
    assert "123456" not in everything


def test_a_size_is_shown_and_never_changes() -> None:
    size = Airport.name.size()
    assert repr(size) == "<Airport.name.size()>"
    with pytest.raises(AttributeError):
        size.path = Airport.city
    assert repr(pickle.loads(pickle.dumps(size))) == repr(size)


def test_conditions_are_told_apart_by_identity_and_never_change() -> None:
    first, second = Airport.visits < 1, Airport.visits < 1
    assert len({first, second, first}) == 2
    with pytest.raises(AttributeError):
        first.operator = ">"
    joined = first & second
    assert joined is not first
    assert repr(first) == "Airport.visits < :0"
    assert repr(pickle.loads(pickle.dumps(joined))) == repr(joined)


def test_a_value_is_taken_when_the_condition_is_made() -> None:
    scores = [1]
    condition = Airport.scores == scores
    scores.append(2)
    assert compiled(condition)[2] == {":v0": {"L": [{"N": "1"}]}}


def test_a_condition_can_be_walked() -> None:
    condition = (Airport.visits < Airport.rank) & ~((Airport.name.size() > Airport.tags.size()) | (Airport.city == "x"))
    assert [path._label for path in condition.paths()] == ["visits", "rank", "name", "tags", "city"]
    comparisons = list(condition.comparisons())
    assert [(c.operator, c.path._label, c.sized) for c in comparisons] == [
        ("<", "visits", False),
        (">", "name", True),
        ("=", "city", False),
    ]
    assert comparisons[2].operands[0].value == "x"
    assert [type(node) for node in condition.walk()][:2] == [Junction, Comparison]
