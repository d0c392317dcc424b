"""Equal keys have equal identities, different ones different."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.operations.identity import canonical_number, key_identity

DIGITS = st.text("0123456789", min_size=1, max_size=38)
NUMBERS = st.builds(
    lambda sign, digits, places, exponent: Decimal(f"{sign}{digits}E{exponent}").scaleb(-places),
    st.sampled_from(["", "-"]),
    DIGITS,
    st.integers(0, 38),
    st.integers(-40, 40),
)


@given(NUMBERS, NUMBERS)
def test_numbers_are_the_same_exactly_when_they_are_equal(one: Decimal, other: Decimal) -> None:
    assert (canonical_number(str(one)) == canonical_number(str(other))) == (one == other)


@given(NUMBERS)
def test_however_a_number_is_written(number: Decimal) -> None:
    texts = {str(number), f"{number:f}", f"{number:E}", f"{number:f}" + ("" if "." in f"{number:f}" else ".000")}
    assert len({canonical_number(text) for text in texts}) == 1


@given(NUMBERS)
def test_the_precision_of_the_program_does_not_matter(number: Decimal) -> None:
    with localcontext() as context:
        context.prec = 3
        assert Decimal(canonical_number(str(number))) == number


@given(st.integers(-(10**38), 10**38))
def test_ints(number: int) -> None:
    assert canonical_number(str(number)) == canonical_number(str(Decimal(number)))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("0", "0"), ("-0", "0"), ("0.000", "0"), ("100", "1e2"), ("1E+2", "1e2"), ("-1.50", "-15e-1"), ("007", "7")],
)
def test_forms(text: str, canonical: str) -> None:
    assert canonical_number(text) == canonical


def test_keys_of_different_types_and_attributes_differ() -> None:
    keys = [
        {"a": {"S": "1"}, "b": {"S": "2"}},
        {"a": {"S": "2"}, "b": {"S": "1"}},
        {"a": {"N": "1"}, "b": {"S": "2"}},
        {"a": {"S": '1","x'}, "b": {"S": "2"}},
        {"a": {"B": b"1"}, "b": {"S": "2"}},
    ]
    assert len({key_identity(("a", "b"), key) for key in keys}) == len(keys)


def test_binary_as_written_and_as_read() -> None:
    assert key_identity(("a",), {"a": {"B": b"\x00\xff"}}) == key_identity(("a",), {"a": {"B": "AP8="}, "x": {"S": ""}})
