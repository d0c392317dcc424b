"""The wire form of a number that is added to, or subtracted from, a stored one.

It is a difference and not a value of the attribute: the attribute's limits (``ge=`` …) do not apply to it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..mapping.value_codec import WireValue
from .operands import unfit

if TYPE_CHECKING:
    from .paths import Path

__all__ = ["is_number", "number"]

_MAX_DIGITS = 38
_NOT_FINITE = "is not finite; DynamoDB stores neither NaN nor infinities"
_WHOLE_ONLY = frozenset({"int", "int | None"})


def is_number(value: Any) -> bool:
    """Whether a value is an int, float or Decimal. A bool is not a number in DynamoDB."""
    if isinstance(value, (int, float)):
        return not isinstance(value, bool)
    return type(value).__name__ == "Decimal" and hasattr(value, "as_tuple")


def number(path: Path[Any], value: Any) -> WireValue:
    """The wire form of an int, float or Decimal, exact.

    Raises:
        ValidationError: it is not finite, has more than 38 significant digits, is beyond DynamoDB's range, or has a
            fraction while the attribute is an int.
    """
    if isinstance(value, int):
        value = int(value)
        if -(10**_MAX_DIGITS) < value < 10**_MAX_DIGITS:
            return {"N": str(value)}
    elif isinstance(value, float):
        value = float(value)
        if not math.isfinite(value):
            raise unfit(path, f"the number {_NOT_FINITE}")
    reason = _problem(value)
    if reason:
        raise unfit(path, f"the number {reason}")
    if not isinstance(value, int) and path._codec.describe() in _WHOLE_ONLY and value != int(value):
        raise unfit(path, "the number has a fraction, and the attribute holds whole numbers")
    return {"N": str(value)}


def _problem(value: Any) -> str | None:
    from decimal import Decimal

    if isinstance(value, float):
        value = repr(value)
    elif isinstance(value, int) and abs(value) >= 10**126:
        return "is beyond DynamoDB's range of numbers (1E-130 to 9.99E+125)"
    exact = Decimal(value)
    if not exact.is_finite():
        return _NOT_FINITE
    digits = "".join(map(str, exact.as_tuple().digits)).strip("0")
    if len(digits) > _MAX_DIGITS:
        return "has more than the 38 significant digits a DynamoDB number can hold"
    if exact and not -130 <= exact.adjusted() <= 125:
        return "is beyond DynamoDB's range of numbers (1E-130 to 9.99E+125)"
    return None
