"""Limits of a declaration: which values pass, and what is said of those that don't."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire import Attr, Model, Stored, ValidationError, attr, partition_key
from dynawire.codec.limits import limited
from dynawire.codec.resolve import Resolver
from dynawire.mapping.constraints import Constraints


def refusal(annotation: Any, value: Any, **limits: Any) -> str | None:
    try:
        limited(Resolver().codec(annotation), Constraints(**limits)).encode(value)
    except ValidationError as error:
        return str(error)
    return None


CASES: list[tuple[Any, dict[str, Any], Any, str | None]] = [
    (int, {"ge": 1}, 1, None),
    (int, {"ge": 1}, 0, "must be >= 1"),
    (int, {"gt": 1}, 1, "must be > 1"),
    (int, {"le": 1}, 2, "must be <= 1"),
    (int, {"lt": 1}, 1, "must be < 1"),
    (int, {"ge": 10**40}, 10**40, None),
    (int, {"multiple_of": 3}, -9, None),
    (int, {"multiple_of": 3}, 10, "must be a multiple of 3"),
    (float, {"multiple_of": 0.1}, 0.3, None),
    (float, {"multiple_of": 0.1}, 0.35, "must be a multiple of 0.1"),
    (float, {"multiple_of": 2}, 1e22, None),
    (Decimal, {"multiple_of": Decimal("0.01")}, Decimal("1E+100"), None),
    (Decimal, {"multiple_of": Decimal("0.01")}, Decimal("0.001"), "must be a multiple of 0.01"),
    (Decimal, {"ge": 0}, Decimal("-0.1"), "must be >= 0"),
    (int | float, {"ge": 0}, -0.5, "must be >= 0"),
    (int | float, {"multiple_of": 0.5}, 3, None),
    (int | None, {"ge": 1}, None, None),
    (int | None, {"ge": 1}, 0, "must be >= 1"),
    (str, {"min_length": 1}, "", "must have at least 1 character, has 0"),
    (str, {"max_length": 2}, "éàü", "must have at most 2 characters, has 3"),
    (str, {"pattern": "^a+$"}, "aa", None),
    (str, {"pattern": "^a+$"}, "ab", "must match the pattern '^a+$'"),
    (str, {"pattern": "é"}, "é", None),
    (str, {"ge": "b"}, "a", "must be >= b"),
    (bytes, {"max_length": 1}, b"ab", "must have at most 1 byte, has 2"),
    (bytes, {"max_length": 1}, bytearray(b"ab"), "must have at most 1 member, has 2"),
    (list[int], {"min_length": 1, "max_length": 2}, [], "must have at least 1 member, has 0"),
    (list[int], {"min_length": 1, "max_length": 2}, [1, 2], None),
    (set[int], {"max_length": 1}, {1, 2}, "must have at most 1 member, has 2"),
    (dict[str, int], {"max_length": 1}, {"a": 1, "b": 2}, "must have at most 1 member, has 2"),
    (tuple[int, ...], {"max_length": 1}, (1, 2), "must have at most 1 member, has 2"),
    (date, {"ge": date(2020, 1, 1)}, date(2019, 1, 1), "must be >= 2020-01-01"),
    (datetime, {"gt": datetime(2020, 1, 1, tzinfo=UTC)}, datetime(2020, 1, 1, tzinfo=UTC), "must be > 2020"),
    (
        datetime,
        {"gt": datetime(2020, 1, 1, tzinfo=UTC)},
        datetime(2020, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        "without time zone",
    ),
    (int, {"ge": 1}, "x", "must be int, not str"),
    (float, {"ge": 1}, float("nan"), "not a finite number"),
    (int | str, {"ge": 1, "max_length": 2}, "abc", "must have at most 2 characters"),
    (int | str, {"ge": 1, "max_length": 2}, 0, "must be >= 1"),
    (Annotated[Fraction, Stored(str, Fraction)], {"ge": Fraction(1)}, Fraction(1, 2), "must be >= 1"),
    (Annotated[Fraction, Stored(str, Fraction)], {"max_length": 1}, Fraction(1, 2), "TypeError"),
    (Annotated[int, msgspec.Meta(ge=3)], {"ge": 1}, 2, "must be >= 3"),
    (Annotated[int, msgspec.Meta(ge=1)], {"ge": 3}, 2, "must be >= 3"),
    (Annotated[int, msgspec.Meta(ge=1), msgspec.Meta(le=3)], {"multiple_of": 2}, 4, "must be <= 3"),
    (list[Annotated[int, msgspec.Meta(ge=1)]], {}, [1, 0], "must be >= 1"),
    (
        dict[Annotated[str, msgspec.Meta(max_length=1)], int],
        {},
        {"ab": 1},
        "has a key (number 1) that must have at most",
    ),
    (Annotated[int, msgspec.Meta(ge=1)] | float, {}, 0, "must be >= 1"),
    (Annotated[int, msgspec.Meta(ge=1)] | None, {}, None, None),
]


@pytest.mark.parametrize(("annotation", "limits", "value", "reason"), CASES)
def test_limits(annotation: Any, limits: dict[str, Any], value: Any, reason: str | None) -> None:
    said = refusal(annotation, value, **limits)
    assert said == reason if reason is None else said is not None and reason in said


@given(st.integers(-50, 50), st.integers(-5, 5), st.integers(-5, 5), st.integers(1, 7))
def test_the_fast_path_and_the_slow_one_agree(value: int, low: int, high: int, step: int) -> None:
    if low > high:
        low, high = high, low
    expected = low <= value <= high and value % step == 0
    assert (refusal(int, value, ge=low, le=high, multiple_of=step) is None) == expected
    assert (refusal(float, float(value), ge=low, le=high, multiple_of=step) is None) == expected
    assert (refusal(Decimal, Decimal(value), ge=low, le=high, multiple_of=step) is None) == expected


@given(st.text(max_size=6), st.integers(0, 4), st.integers(4, 6))
def test_lengths(value: str, least: int, most: int) -> None:
    assert (refusal(str, value, min_length=least, max_length=most) is None) == (least <= len(value) <= most)


def test_every_failure_is_collected() -> None:
    class Checked(Model, table="checked"):
        id: Attr[str] = partition_key(pattern="^[a-z]+$")
        age: Attr[int] = attr(ge=0, default=0)
        names: Attr[list[str]] = attr(default_factory=list, max_length=1)

    Checked(id="a").validate()
    with pytest.raises(ValidationError) as caught:
        Checked(id="A", age=-1, names=["secret", "other"]).validate()
    error = caught.value
    assert [path for path, _ in error.errors] == ["id", "age", "names"]
    assert (error.model, error.attribute) == ("Checked", "id")
    assert "secret" not in str(error)
    assert "nothing was sent" not in str(error)
    # A value to compare with need not be one the attribute may have.
    assert (Checked.age > -5) is not None


def test_keys_have_bounds_of_their_own() -> None:
    class Keyed(Model, table="keyed"):
        id: Attr[str] = partition_key()

    Keyed(id="x" * 2048).validate()
    for bad, reason in (("", "is empty"), ("x" * 2049, "2,049 bytes"), ("é" * 1025, "2,050 bytes")):
        with pytest.raises(ValidationError, match=rf"Keyed\.id .*{reason}"):
            Keyed(id=bad).validate()
        with pytest.raises(ValidationError, match=rf"Keyed\.id .*{reason}"):
            Keyed.__mapped__.plan.encode_key((bad,))
