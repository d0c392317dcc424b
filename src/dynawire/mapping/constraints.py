"""Limits a declaration puts on an attribute's values, checked before a value is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

__all__ = ["Constraints"]

BOUNDS = ("ge", "gt", "le", "lt")
LENGTHS = ("min_length", "max_length")


class Constraints(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on a value.

    Attributes:
        ge, gt, le, lt: bounds of a number or of anything that compares with them.
        multiple_of: a number the value must be a multiple of, counted exactly in decimal.
        min_length, max_length: bounds of ``len(value)``: characters, bytes or members.
        pattern: a regular expression that must be found in a ``str`` (anchor it with ``^`` and ``$`` yourself).
    """

    ge: Any = None
    gt: Any = None
    le: Any = None
    lt: Any = None
    multiple_of: Any = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None

    def __bool__(self) -> bool:
        return any(getattr(self, name) is not None for name in self.__struct_fields__)

    def given(self) -> dict[str, Any]:
        """The limits there are, by name."""
        return {name: limit for name in self.__struct_fields__ if (limit := getattr(self, name)) is not None}

    def only(self, names: frozenset[str]) -> Constraints:
        """Those of the limits that have one of these names."""
        return Constraints(**{name: limit for name, limit in self.given().items() if name in names})

    def also(self, other: Constraints) -> Constraints:
        """Both limits together.

        Raises:
            ValueError: both give a limit that can't be had twice.
        """
        mine, theirs = self.given(), other.given()
        for name in mine.keys() & theirs.keys():
            if name in ("multiple_of", "pattern"):
                raise ValueError(f"{name}= is given twice, in attr() and in Annotated")
            pick = max if name in ("ge", "gt", "min_length") else min
            theirs[name] = pick(mine[name], theirs[name])
        return Constraints(**(mine | theirs))

    def contradiction(self) -> str | None:
        """Why the limits make no sense, whatever the type of the value; None when they do."""
        for name in LENGTHS:
            length = getattr(self, name)
            if length is not None and (type(length) is not int or length < 0):
                return f"{name}= is a whole number, 0 or more"
        if None not in (self.min_length, self.max_length) and self.min_length > self.max_length:  # type: ignore[operator]
            return "min_length= is above max_length=, so no value would fit"
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except (re.error, TypeError) as error:
                return f"pattern= is not a regular expression: {error}"
        if self.multiple_of is not None and not (
            type(self.multiple_of).__name__ in ("int", "float", "Decimal") and self.multiple_of > 0
        ):
            return "multiple_of= is a number above 0"
        for low, low_is_in in ((self.ge, True), (self.gt, False)):
            for high, high_is_in in ((self.le, True), (self.lt, False)):
                if low is None or high is None:
                    continue
                if low > high or (low == high and not (low_is_in and high_is_in)):
                    return "the lower bound is not below the upper one, so no value would fit"
        return None

    def problems(self, value: Any) -> Iterator[str]:
        """What is wrong with a value of the right type, without the value."""
        if self.ge is not None and not value >= self.ge:
            yield f"must be >= {self.ge}"
        if self.gt is not None and not value > self.gt:
            yield f"must be > {self.gt}"
        if self.le is not None and not value <= self.le:
            yield f"must be <= {self.le}"
        if self.lt is not None and not value < self.lt:
            yield f"must be < {self.lt}"
        if self.multiple_of is not None and not _is_multiple(value, self.multiple_of):
            yield f"must be a multiple of {self.multiple_of}"
        if self.min_length is not None and len(value) < self.min_length:
            yield f"must have at least {self.min_length} {_unit(value, self.min_length)}, has {len(value)}"
        if self.max_length is not None and len(value) > self.max_length:
            yield f"must have at most {self.max_length} {_unit(value, self.max_length)}, has {len(value)}"
        if self.pattern is not None and re.search(self.pattern, value) is None:
            yield f"must match the pattern {self.pattern!r}"


def _is_multiple(value: Any, of: Any) -> bool:
    if isinstance(value, int) and isinstance(of, int):
        return value % of == 0
    from decimal import Decimal
    from fractions import Fraction

    # A float means the decimal that its repr shows: 0.3 is a multiple of 0.1, though 0.3 % 0.1 is not 0.
    exact = [Fraction(Decimal(repr(one)) if isinstance(one, float) else one) for one in (value, of)]
    return (exact[0] / exact[1]).denominator == 1


def _unit(value: Any, count: int) -> str:
    unit = "character" if isinstance(value, str) else "byte" if isinstance(value, bytes) else "member"
    return unit if count == 1 else f"{unit}s"
