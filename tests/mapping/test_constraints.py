"""Limits as declared: combined, and checked against each other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.mapping.constraints import Constraints


def fits(limits: Constraints, value: Any) -> bool:
    return not list(limits.problems(value))


bounds = st.none() | st.integers(-5, 5)


@st.composite
def number_limits(draw: st.DrawFn) -> Constraints:
    return Constraints(ge=draw(bounds), gt=draw(bounds), le=draw(bounds), lt=draw(bounds))


@given(number_limits(), number_limits(), st.integers(-7, 7))
def test_both_limits_together(one: Constraints, other: Constraints, value: int) -> None:
    assert fits(one.also(other), value) == (fits(one, value) and fits(other, value))


@given(number_limits())
def test_a_contradiction_is_one(limits: Constraints) -> None:
    if limits.contradiction() is not None:
        halves = [Decimal(half) / 2 for half in range(-14, 15)]
        assert not any(fits(limits, value) for value in halves)


@given(st.none() | st.integers(0, 3), st.none() | st.integers(0, 3), st.lists(st.integers(), max_size=5))
def test_lengths_together(least: int | None, most: int | None, value: list[int]) -> None:
    both = Constraints(min_length=least).also(Constraints(max_length=most))
    assert fits(both, value) == ((least or 0) <= len(value) <= (5 if most is None else most))


@pytest.mark.parametrize("name", ["multiple_of", "pattern"])
def test_what_cannot_be_had_twice(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}= is given twice"):
        Constraints(**{name: "x"}).also(Constraints(**{name: "x"}))


def test_given_and_only() -> None:
    limits = Constraints(ge=1, pattern="x", max_length=3)
    assert limits.given() == {"ge": 1, "max_length": 3, "pattern": "x"}
    assert limits.only(frozenset({"ge"})) == Constraints(ge=1)
    assert bool(limits)
    assert not Constraints()
    assert Constraints(ge=0)


@given(st.decimals(-1000, 1000, places=3), st.sampled_from([1, 0.5, 0.1, Decimal("0.001"), 0.3]))
def test_multiples_are_exact(value: Decimal, of: Any) -> None:
    scale = 1000
    expected = int(value * scale) % int(Decimal(str(of)) * scale) == 0
    assert fits(Constraints(multiple_of=of), value) == expected
