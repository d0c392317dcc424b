"""Keyword lookups build the same trees as operators and methods, and refuse what they do not know."""

from __future__ import annotations

from typing import Any

import pytest

from dynawire.errors import ExpressionError, ValidationError
from dynawire.expressions.compiler import compile_condition, compile_update
from dynawire.expressions.lookups import CONDITION_OPERATORS, UPDATE_OPERATORS, parse_lookups, parse_update_lookups
from dynawire.expressions.paths import Path
from dynawire.expressions.placeholders import Placeholders
from tests.expressions.support import PATHS, Airport, Int


def sent(condition: Any) -> Any:
    placeholders = Placeholders()
    return compile_condition(condition, placeholders, Airport), placeholders.names, placeholders.values


def update_sent(update: Any) -> Any:
    placeholders = Placeholders()
    return compile_update([update], placeholders, Airport), placeholders.names, placeholders.values


CONDITIONS: list[tuple[str, Any, Any]] = [
    ("name", "x", lambda: Airport.name == "x"),
    ("city", None, lambda: Airport.city == None),  # noqa: E711
    ("name__eq", "x", lambda: Airport.name == "x"),
    ("name__ne", "x", lambda: Airport.name != "x"),
    ("visits__lt", 1, lambda: Airport.visits < 1),
    ("visits__lte", 1, lambda: Airport.visits <= 1),
    ("visits__gt", 1, lambda: Airport.visits > 1),
    ("visits__gte", 1, lambda: Airport.visits >= 1),
    ("visits__gte", Airport.rank, lambda: Airport.visits >= Airport.rank),
    ("visits__between", (1, 2), lambda: Airport.visits.between(1, 2)),
    ("name__begins_with", "x", lambda: Airport.name.begins_with("x")),
    ("tags__contains", "x", lambda: Airport.tags.contains("x")),
    ("visits__in", [1, 2], lambda: Airport.visits.in_([1, 2])),
    ("visits__is_in", {1}, lambda: Airport.visits.in_([1])),
    ("city__exists", True, Airport.city.exists),
    ("city__exists", False, Airport.city.not_exists),
    ("city__not_exists", True, Airport.city.not_exists),
    ("city__not_exists", False, Airport.city.exists),
    ("city__type", "S", lambda: Airport.city.is_type("S")),
    ("city__attribute_type", str, lambda: Airport.city.is_type("S")),
    ("tags__size", 3, lambda: Airport.tags.size() == 3),
    ("tags__size__gte", 3, lambda: Airport.tags.size() >= 3),
    ("tags__size__between", (1, 2), lambda: Airport.tags.size().between(1, 2)),
    ("address__city", "x", lambda: Airport.address.city == "x"),
    ("address__city__begins_with", "x", lambda: Airport.address.city.begins_with("x")),
    ("address__lines__0__contains", "x", lambda: Airport.address.lines[0].contains("x")),
    ("address__size", 5, lambda: Airport.address["size"] == 5),
    ("address__type__ne", "x", lambda: Airport.address["type"] != "x"),
    ("address__lines__size", 5, lambda: Airport.address.lines.size() == 5),
    ("scores__1__gt", 5, lambda: Airport.scores[1] > 5),
    ("names__de", "x", lambda: Airport.names["de"] == "x"),
    ("names__size__gt", 1, lambda: Airport.names.size() > 1),
    ("names__type__eq", "x", lambda: Airport.names["type"] == "x"),
    ("names__exists", True, Airport.names.exists),
    ("extra__a__0__b__ne", 5, lambda: Airport.extra.a[0].b != 5),
    ("extra__size__x", 5, lambda: Airport.extra["size"].x == 5),
]


@pytest.mark.parametrize(("keyword", "value", "same"), CONDITIONS, ids=[keyword for keyword, _, _ in CONDITIONS])
def test_a_lookup_is_the_same_as_its_expression(keyword: str, value: Any, same: Any) -> None:
    (condition,) = parse_lookups(PATHS, {keyword: value}, "Airport")
    assert sent(condition) == sent(same())


def test_every_operator_is_tried() -> None:
    tried = {keyword.rsplit("__", 1)[-1] for keyword, _, _ in CONDITIONS}
    assert set(CONDITION_OPERATORS) <= tried
    assert set(UPDATE_OPERATORS) <= {keyword.rsplit("__", 1)[-1] for keyword, _, _ in UPDATES}


UPDATES: list[tuple[str, Any, Any]] = [
    ("name", "x", lambda: Airport.name.set("x")),
    ("city", None, Airport.city.remove),
    ("rank", None, lambda: Airport.rank.set(None)),
    ("name__set", "x", lambda: Airport.name.set("x")),
    ("city__remove", True, Airport.city.remove),
    ("visits__add", 1, lambda: Airport.visits.add(1)),
    ("tags__add", {"x"}, lambda: Airport.tags.add({"x"})),
    ("tags__delete", {"x"}, lambda: Airport.tags.delete({"x"})),
    ("scores__append", 1, lambda: Airport.scores.append(1)),
    ("scores__prepend", 1, lambda: Airport.scores.prepend(1)),
    ("scores__extend", [1, 2], lambda: Airport.scores.extend([1, 2])),
    ("visits__plus", 1, lambda: Airport.visits.set(Airport.visits + 1)),
    ("visits__minus", 1, lambda: Airport.visits.set(Airport.visits - 1)),
    ("visits__if_not_exists", 1, lambda: Airport.visits.set_if_not_exists(1)),
    ("address__city", "x", lambda: Airport.address.city.set("x")),
    ("address__size__add", 1, lambda: Airport.address["size"].add(1)),
    ("scores__0", 1, lambda: Airport.scores[0].set(1)),
    ("scores__0__remove", True, Airport.scores[0].remove),
    ("extra__a__b__append", 1, lambda: Airport.extra.a.b.append(1)),
]


@pytest.mark.parametrize(("keyword", "value", "same"), UPDATES, ids=[keyword for keyword, _, _ in UPDATES])
def test_an_update_lookup_is_the_same_as_its_expression(keyword: str, value: Any, same: Any) -> None:
    (update,) = parse_update_lookups(PATHS, {keyword: value}, "Airport")
    assert update_sent(update) == update_sent(same())


def test_several_lookups_keep_their_order() -> None:
    found = parse_lookups(PATHS, {"visits__gt": 1, "name": "x"})
    assert [repr(condition) for condition in found] == ["Airport.visits > :0", "Airport.name = :0"]
    assert parse_lookups(PATHS, {}) == []
    assert parse_update_lookups(PATHS, {}) == []


def test_an_attribute_whose_name_holds_two_underscores_is_found() -> None:
    root = {"a__b": Path(Airport, ("a__b",), "a__b", Int()), "a": Path(Airport, ("a",), "a", Int())}
    (condition,) = parse_lookups(root, {"a__b__gt": 1})
    assert repr(condition) == "Airport.a__b > :0"


def test_a_name_that_ends_in_an_underscore_takes_operators() -> None:
    root = {name: Path(Airport, (name,), name, Int()) for name in ("key_", "key__", "plain")}
    for keyword, same in (
        ("key_", "Airport.key_ = :0"),
        ("key___gt", "Airport.key_ > :0"),
        ("key__", "Airport.key__ = :0"),
        ("key____gt", "Airport.key__ > :0"),
        ("key___between", "Airport.key_ BETWEEN :0 AND :1"),
    ):
        (condition,) = parse_lookups(root, {keyword: (1, 2) if "between" in keyword else 1})
        assert repr(condition) == same
    (update,) = parse_update_lookups(root, {"key___add": 1})
    assert update_sent(update) == update_sent(root["key_"].add(1))
    for keyword in ("plain___gt", "key_____gt", "___gt"):
        with pytest.raises(ExpressionError, match=r"has no attribute|no member and no operator"):
            parse_lookups(root, {keyword: 1}, "Airport")


@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("nme", "x", r"Airport has no attribute 'nme'; did you mean 'name'\?"),
        ("nme__gt", "x", r"Airport has no attribute 'nme'; did you mean 'name'\?"),
        (
            "name__begin_with",
            "x",
            r"Airport.name is str, .*; did you mean 'begins_with'\? Operators: eq, ne,",
        ),
        ("visits__add", 1, r"Airport.visits is int, which has no member and no operator 'add'"),
        ("address__cty", "x", r"Airport.address is Address, .*'cty'; did you mean 'city'\?"),
        ("name__eq__x", "x", "Airport.name is str, which has no member and no operator 'eq'"),
        ("visits__between", 5, r"__between takes a pair, \(low, high\)"),
        ("visits__between", (1, 2, 3), "takes a pair"),
        ("visits__exists", "yes", "__exists takes True or False, not str"),
        ("visits__not_exists", None, "__not_exists takes True or False, not NoneType"),
        ("visits__in", [], "in_ has no value"),
        ("visits__begins_with", "x", "begins_with works on text and binary only"),
        ("scores__-1", 5, "no member and no operator '-1'"),
    ],
)
def test_an_unknown_or_wrong_lookup_is_refused_with_the_nearest_match(keyword: str, value: Any, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse_lookups(PATHS, {keyword: value}, "Airport")


@pytest.mark.parametrize(
    ("keyword", "value", "message"),
    [
        ("visit", 1, "did you mean 'visits'"),
        ("visits__gt", 1, "no operator 'gt'.*; operators: set, remove, add,"),
        ("city__remove", False, "__remove=False would change nothing"),
        ("city__remove", 1, "__remove takes True or False, not int"),
        ("name", None, "cannot be None; declare it optional, or, if it has a default, write .remove"),
    ],
)
def test_a_wrong_update_lookup_is_refused(keyword: str, value: Any, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        parse_update_lookups(PATHS, {keyword: value}, "Airport")


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"Airport\.address\.city: must be str, not int"):
        parse_lookups(PATHS, {"address__city": 5})
