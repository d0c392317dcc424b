"""DynamoDB's numbers as text: validation, canonical form, order-preserving bytes, exact sums, size.

A number travels as decimal text of at most 38 significant digits, with a magnitude of 1E-130 to 9.99…E+125. Inside the
engine it is always canonical: no sign but ``-``, no exponent, no leading or trailing zeros. Two canonical texts are
therefore equal exactly when the numbers are.
"""

from __future__ import annotations

import re
from typing import NoReturn

from dynawire.errors import service_error

__all__ = [
    "MAX_DIGITS",
    "SMALL_NUMBERS",
    "add_numbers",
    "canonical_number",
    "compare_numbers",
    "encode_number",
    "number_size",
]

MAX_DIGITS = 38
"""Significant digits DynamoDB keeps."""

_HIGHEST_POINT = 126
_LOWEST_POINT = -129
"""A number is 0.digits times ten to the power of its point: 9.99…E+125 has the point 126, 1E-130 has -129."""

# Most numbers people write are canonical as they stand; one match tells.
_is_canonical = re.compile(r"0|-?(?:[1-9][0-9]{0,37}|(?:0|[1-9][0-9]{0,18})\.[0-9]{0,18}[1-9])").fullmatch
_read = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?)([0-9]+))?").fullmatch

_ZERO = b"\x80"
# Pairs of digits written as hexadecimal are 0x00..0x99; these are the same backwards.
_BACKWARDS = bytes(0x99 - byte if byte <= 0x99 else byte for byte in range(256))


def canonical_number(text: str) -> str:
    """The canonical text of a number.

    Accepts an optional sign, digits with at most one point (``.5`` and ``5.`` too) and an optional exponent.

    Raises:
        ServiceError: ``ValidationException`` for anything else, more than 38 significant digits, or a magnitude out of
            range.
    """
    if _is_canonical(text):
        return text
    negative, digits, point = _take_apart(text)
    if not digits:
        return "0"
    if len(digits) > MAX_DIGITS:
        _refuse("Attempting to store more than 38 significant digits in a Number")
    if point > _HIGHEST_POINT:
        _refuse("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if point < _LOWEST_POINT:
        _refuse("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    return _put_together(negative, digits, point)


def encode_number(text: str) -> bytes:
    """Bytes that compare as the numbers do, at most 22 of them, from canonical text.

    A class byte (negative, zero, positive), the biased power of ten, then two digits a byte, written as in hexadecimal.
    Of a negative number everything is complemented and ended by 0xFF, so that the longer of two with a common start
    comes first.
    """
    if text.isdigit():
        negative, digits, point = False, text.rstrip("0"), len(text)
    else:
        negative, digits, point = _take_apart(text)
    if not digits:
        return _ZERO
    if len(digits) & 1:
        digits += "0"
    packed = bytes.fromhex(digits)
    exponent = point - _LOWEST_POINT
    if negative:
        return bytes((0x40, 255 - exponent)) + packed.translate(_BACKWARDS) + b"\xff"
    return bytes((0xC0, exponent)) + packed


def compare_numbers(a: str, b: str) -> int:
    """Negative, zero or positive as the canonical number ``a`` is less than, equal to or greater than ``b``."""
    if a == b:
        return 0
    # Rounding to a float keeps the order; only what it makes equal needs all the digits.
    x, y = float(a), float(b)
    if x == y:
        return -1 if encode_number(a) < encode_number(b) else 1
    return -1 if x < y else 1


def add_numbers(a: str, b: str, sign: int = 1) -> str:
    """The exact ``a + b``, or ``a - b`` with ``sign=-1``, as canonical text.

    Raises:
        ServiceError: ``ValidationException`` when the result has more than 38 significant digits or is out of range.
    """
    if len(a) < 38 and len(b) < 38 and "." not in a and "." not in b:
        return str(int(a) + sign * int(b))
    whole_a, scale_a = _scaled(a)
    whole_b, scale_b = _scaled(b)
    scale = max(scale_a, scale_b)
    total = whole_a * 10 ** (scale - scale_a) + sign * whole_b * 10 ** (scale - scale_b)
    if not scale:
        return canonical_number(str(total))
    return canonical_number(f"{total}e-{scale}")


def number_size(text: str) -> int:
    """The bytes DynamoDB counts for a canonical number: one, one for every two digits, one more when negative."""
    if text.isdigit():
        significant = len(text.rstrip("0"))
        return 1 + (significant + 1) // 2
    whole, _, fraction = text.partition(".")
    negative = whole[0] == "-"
    if negative:
        whole = whole[1:]
    if not fraction:
        whole = whole.rstrip("0")
    elif whole == "0":
        whole = ""
        fraction = fraction.lstrip("0")
    return 1 + (len(whole) + 1) // 2 + (len(fraction) + 1) // 2 + negative


def _take_apart(text: str) -> tuple[bool, str, int]:
    """Sign, significant digits without zeros at either end, and the power of ten of ``0.digits``."""
    match = _read(text)
    if match is None:
        _refuse("The parameter cannot be converted to a numeric value")
    sign, whole, fraction, exponent_sign, exponent = match.groups("")
    digits = whole + fraction
    if not digits:
        _refuse("The parameter cannot be converted to a numeric value")
    significant = digits.lstrip("0")
    point = len(whole) - (len(digits) - len(significant))
    significant = significant.rstrip("0")
    if exponent and significant:
        # A long exponent is out of range whatever it says, and int() refuses very long ones.
        exponent = exponent.lstrip("0")
        power = int(exponent or "0") if len(exponent) < 9 else 10**9
        point += -power if exponent_sign == "-" else power
    return sign == "-" and bool(significant), significant, point


def _put_together(negative: bool, digits: str, point: int) -> str:
    if point <= 0:
        text = f"0.{'0' * -point}{digits}"
    elif point >= len(digits):
        text = digits + "0" * (point - len(digits))
    else:
        text = f"{digits[:point]}.{digits[point:]}"
    return "-" + text if negative else text


def _scaled(text: str) -> tuple[int, int]:
    """A canonical number as an integer and how many of its digits stand behind the point."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction), len(fraction)


def _refuse(message: str) -> NoReturn:
    raise service_error("ValidationException", message)


SMALL_NUMBERS = {str(number): number_size(str(number)) for number in range(1000)}
"""The sizes of the numbers that are the most frequent, all of them canonical as they stand."""
