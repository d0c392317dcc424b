"""Lookups as other libraries write them say how they are written here."""

from __future__ import annotations

from typing import Any

import pytest

from dynawire.errors import ExpressionError
from dynawire.expressions import parse_lookups, parse_update_lookups
from dynawire.expressions.habits import _CONDITIONS, _UPDATES
from dynawire.expressions.lookups import CONDITION_OPERATORS, UPDATE_OPERATORS
from tests.expressions.support import PATHS


def refused(lookup: str, *, updates: bool = False) -> str:
    parse: Any = parse_update_lookups if updates else parse_lookups
    with pytest.raises(ExpressionError) as caught:
        parse(PATHS, {lookup: "x"}, "Airport")
    return caught.value.message


@pytest.mark.parametrize(
    ("lookup", "advice"),
    [
        ("name__startswith", "write name__begins_with=..."),
        ("name__exact", "write name__eq=..."),
        ("visits__range", "write visits__between=..."),
        ("visits__le", "write visits__lte=..."),
        ("visits__ge", "write visits__gte=..."),
        ("visits__not", "write visits__ne=..."),
        ("name__isnull", "name=None is true of what is absent or NULL, name__ne=None of what is there"),
        ("name__icontains", "DynamoDB tells upper from lower case"),
        ("name__endswith", "DynamoDB has no such test"),
        ("name__not_in", "write ~Airport.name.in_(values)"),
        ("address__zip_code__startswith", "write address__zip_code__begins_with=..."),
        ("visits__add", "'add' is an update's operator"),
        ("name__", "write name=... for =="),
        ("address.zip_code", "joined by two underscores"),
        ("scores[0]", "joined by two underscores"),
        ("visits>", "joined by two underscores"),
        ("limit", "write query(...).limit(...)"),
        ("index", "write Airport.name_of_the_index.query(...)"),
        ("vists", "did you mean 'visits'? There are: "),
    ],
)
def test_conditions(lookup: str, advice: str) -> None:
    assert advice in refused(lookup)


@pytest.mark.parametrize(
    ("lookup", "advice"),
    [
        ("visits__inc", "write visits__add=..."),
        ("visits__decrement", "write visits__minus=..."),
        ("scores__push", "write scores__append=..."),
        ("name__unset", "write name__remove=..."),
        ("visits__gt", "'gt' is a condition's operator: give it as condition=..."),
        ("name__", "write name=... for set"),
        ("limit", "Airport has no attribute 'limit'; there are: "),
    ],
)
def test_updates(lookup: str, advice: str) -> None:
    assert advice in refused(lookup, updates=True)


def test_what_is_advised_is_there() -> None:
    assert {one for one in _CONDITIONS.values() if one.isidentifier()} <= CONDITION_OPERATORS.keys()
    assert {one for one in _UPDATES.values() if one.isidentifier()} <= UPDATE_OPERATORS.keys()
    assert not _CONDITIONS.keys() & CONDITION_OPERATORS.keys()
    assert not _UPDATES.keys() & UPDATE_OPERATORS.keys()
