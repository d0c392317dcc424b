from __future__ import annotations

from decimal import Context, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.engines.embedded.numbers import (
    add_numbers,
    canonical_number,
    compare_numbers,
    encode_number,
    number_size,
)
from dynawire.errors import ServiceError

EXACT = Context(prec=400, Emin=-1000, Emax=1000)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    """Any number DynamoDB holds, written in one of the ways it accepts."""
    digits = draw(st.text("0123456789", min_size=1, max_size=38))
    point = draw(st.integers(0, len(digits)))
    exponent = draw(st.integers(-130 + (len(digits) - point), 125 - point))
    text = draw(st.sampled_from(["", "-", "+"])) + digits[:point]
    if point < len(digits) or draw(st.booleans()):
        text += "." + digits[point:]
    if text.strip("+-") == ".":
        text += "0"
    return text + draw(st.sampled_from([f"e{exponent}", f"E{exponent:+d}"]))


def text_of(number: Decimal) -> str:
    normal = number.normalize(EXACT)
    return format(normal, "f") if normal else "0"


plain = st.one_of(
    st.integers(-(10**12), 10**12).map(str),
    st.decimals(-(10**6), 10**6, places=4, allow_nan=False).map(str),
    numbers(),
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0", "0"),
        ("-0", "0"),
        ("0.00", "0"),
        ("0e999", "0"),
        ("-0e-999999999999", "0"),
        ("+5", "5"),
        ("5.", "5"),
        (".5", "0.5"),
        ("-.5", "-0.5"),
        ("1.e5", "100000"),
        ("007", "7"),
        ("1.50", "1.5"),
        ("100", "100"),
        ("1E3", "1000"),
        ("-12.5e-3", "-0.0125"),
        ("1e125", "1" + "0" * 125),
        ("1e-130", "0." + "0" * 129 + "1"),
        ("9" * 38, "9" * 38),
        ("1" * 38 + "000", "1" * 38 + "000"),
        ("0." + "0" * 50 + "1" * 38, "0." + "0" * 50 + "1" * 38),
    ],
)
def test_canonical_text(text: str, canonical: str) -> None:
    assert canonical_number(text) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+",
        ".",
        "e5",
        "+e2",
        "1e",
        "1e+",
        "1+2",
        "1.2.3",
        " 1",
        "1 ",
        "1\n",
        "0x1",
        "1_0",
        "NaN",
        "Infinity",
        "--1",
        "1d",
        "١",
    ],
)
def test_what_is_not_a_number_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="The parameter cannot be converted to a numeric value"):
        canonical_number(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1" * 39, "Attempting to store more than 38 significant digits in a Number"),
        ("0." + "1" * 39, "Attempting to store more than 38 significant digits in a Number"),
        ("1" + "0" * 38 + "1", "Attempting to store more than 38 significant digits in a Number"),
        ("1e126", "Number overflow"),
        ("-1e126", "Number overflow"),
        ("10e125", "Number overflow"),
        ("1e99999999999999999999999999", "Number overflow"),
        ("1e-131", "Number underflow"),
        ("-0.1e-130", "Number underflow"),
        ("1e-99999999999999999999999999", "Number underflow"),
    ],
)
def test_numbers_out_of_bounds_are_refused(text: str, message: str) -> None:
    with pytest.raises(ServiceError, match=message) as caught:
        canonical_number(text)
    assert caught.value.code == "ValidationException"
    assert text not in str(caught.value)


@given(numbers())
def test_canonical_text_keeps_the_value_and_is_its_own_canonical_text(text: str) -> None:
    canonical = canonical_number(text)
    assert Decimal(canonical) == Decimal(text)
    assert canonical == text_of(Decimal(text))
    assert canonical_number(canonical) == canonical


@given(plain, plain)
def test_encoded_numbers_order_as_the_numbers(a: str, b: str) -> None:
    a, b = canonical_number(a), canonical_number(b)
    encoded_a, encoded_b = encode_number(a), encode_number(b)
    x, y = Decimal(a), Decimal(b)
    assert (encoded_a < encoded_b) == (x < y)
    assert (encoded_a == encoded_b) == (x == y)
    assert len(encoded_a) <= 22
    order = compare_numbers(a, b)
    assert (order < 0, order == 0) == (x < y, x == y)


@given(st.integers(1, 10**19), st.integers(-3, 3), st.booleans())
def test_neighbours_that_a_float_cannot_tell_apart_keep_their_order(base: int, step: int, negative: bool) -> None:
    sign = -1 if negative else 1
    a, b = str(sign * base * 10**18), str(sign * (base * 10**18 + step))
    a, b = canonical_number(a), canonical_number(b)
    assert (encode_number(a) < encode_number(b)) == (Decimal(a) < Decimal(b))
    assert (compare_numbers(a, b) < 0) == (Decimal(a) < Decimal(b))


@given(plain, plain, st.sampled_from([1, -1]))
def test_sums_are_exact_or_refused(a: str, b: str, sign: int) -> None:
    a, b = canonical_number(a), canonical_number(b)
    exact = (EXACT.add if sign == 1 else EXACT.subtract)(Decimal(a), Decimal(b)).normalize(EXACT)
    digits = len(exact.as_tuple().digits)
    if exact and (digits > 38 or not -130 <= exact.adjusted() <= 125):
        with pytest.raises(ServiceError):
            add_numbers(a, b, sign)
    else:
        assert add_numbers(a, b, sign) == text_of(exact)


def test_sums_beyond_the_range_are_refused() -> None:
    with pytest.raises(ServiceError, match="Number overflow"):
        add_numbers("9" + "0" * 125, "9" + "0" * 125)
    with pytest.raises(ServiceError, match="38 significant digits"):
        add_numbers("1" + "0" * 38, "1")
    assert add_numbers("1" + "0" * 37, "1") == "1" + "0" * 36 + "1"
    assert add_numbers("5", "5", -1) == "0"
    assert add_numbers("-0.5", "0.5") == "0"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 1),
        ("1", 2),
        ("10", 2),
        ("12", 2),
        ("100", 2),
        ("123", 3),
        ("-1", 3),
        ("0.5", 2),
        ("0.001", 2),
        ("1.05", 3),
        ("-12.5", 4),
        ("9" * 38, 20),
        ("-" + "9" * 38, 21),
        ("1" + "0" * 125, 2),
    ],
)
def test_size(text: str, size: int) -> None:
    assert number_size(text) == size


@given(numbers())
def test_size_counts_pairs_of_significant_digits(text: str) -> None:
    canonical = canonical_number(text)
    whole, _, fraction = canonical.lstrip("-").partition(".")
    if fraction:
        whole = whole.lstrip("0")
        fraction = fraction if whole else fraction.lstrip("0")
    else:
        whole = whole.strip("0")
    expected = 1 + -(-len(whole) // 2) + -(-len(fraction) // 2) + canonical.startswith("-")
    assert number_size(canonical) == expected
