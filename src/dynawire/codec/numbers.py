"""Numbers as DynamoDB holds them: exact decimal text of at most 38 significant digits, 1E-130 to 9.99…E+125.

Limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .misfit import Misfit

if TYPE_CHECKING:
    from decimal import Decimal

__all__ = ["MAX_FAST_FLOAT", "MAX_FAST_INT", "MIN_FAST_FLOAT", "decimal_text", "float_text", "int_text"]

MAX_DIGITS = 38
MAX_FAST_INT = 10**MAX_DIGITS
"""Every int of a smaller magnitude fits."""
MIN_FAST_FLOAT = 1e-130
MAX_FAST_FLOAT = 1e126
"""Every float of a magnitude from MIN_FAST_FLOAT up to below MAX_FAST_FLOAT fits: ``repr`` has at most 17 digits."""


def int_text(value: int) -> str:
    """The number's text.

    Raises:
        Misfit: it has more than 38 significant digits or is beyond the range.
    """
    if -MAX_FAST_INT < value < MAX_FAST_INT:
        return int.__repr__(value)
    if abs(value) >= 10**126:
        raise Misfit("is beyond DynamoDB's range of numbers (below 1E+126)")
    text = int.__repr__(value)
    if len(text.lstrip("-").rstrip("0")) > MAX_DIGITS:
        raise Misfit("has more than the 38 significant digits a DynamoDB number can hold")
    return text


def float_text(value: float) -> str:
    """The number's text, exactly as ``repr`` gives it.

    Raises:
        Misfit: it is not a finite number or is beyond the range.
    """
    if not math.isfinite(value):
        raise Misfit("is not a finite number; DynamoDB stores neither NaN nor infinities")
    if value and not MIN_FAST_FLOAT <= abs(value) < MAX_FAST_FLOAT:
        raise Misfit("is beyond DynamoDB's range of numbers (1E-130 to 9.99E+125)")
    return float.__repr__(value)


def decimal_text(value: Decimal) -> str:
    """The number's text, never rounded.

    Raises:
        Misfit: it is not finite, has more than 38 significant digits, or is beyond the range.
    """
    if not value.is_finite():
        raise Misfit("is not a finite number; DynamoDB stores neither NaN nor infinities")
    if value.__class__.__module__ != "decimal":
        from decimal import Decimal

        value = Decimal(value)  # a class derived from it may show its values otherwise, as money rounded to cents
    text = str(value)
    if len(text) <= MAX_DIGITS and "E" not in text and "e" not in text:
        # msgspec reads "-0" as 0, and the key of a map must be written as it is read.
        return "0" if text == "-0" else text
    if not value:
        return "0"
    _sign, digits, _exponent = value.as_tuple()
    if len("".join(map(str, digits)).strip("0")) > MAX_DIGITS:
        raise Misfit("has more than the 38 significant digits a DynamoDB number can hold")
    if not -130 <= value.adjusted() <= 125:
        raise Misfit("is beyond DynamoDB's range of numbers (1E-130 to 9.99E+125)")
    return text
