"""Limits a declaration puts on an attribute's values, checked before a value is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

__all__ = ["Constraints"]


class Constraints(msgspec.Struct, frozen=True, kw_only=True):
    """Limits on a value.

    Attributes:
        ge, gt, le, lt: bounds of a number or of anything that compares with them.
        multiple_of: a number the value must be a multiple of.
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
        return self != Constraints()

    @property
    def sizes(self) -> bool:
        """Whether the length is limited."""
        return self.min_length is not None or self.max_length is not None

    @property
    def bounds(self) -> bool:
        """Whether the magnitude is limited."""
        return any(limit is not None for limit in (self.ge, self.gt, self.le, self.lt, self.multiple_of))

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
        if self.multiple_of is not None and value % self.multiple_of != 0:
            yield f"must be a multiple of {self.multiple_of}"
        if self.min_length is not None and len(value) < self.min_length:
            yield f"must have at least {self.min_length} {_unit(value)}, has {len(value)}"
        if self.max_length is not None and len(value) > self.max_length:
            yield f"must have at most {self.max_length} {_unit(value)}, has {len(value)}"
        if self.pattern is not None and re.search(self.pattern, value) is None:
            yield f"must match the pattern {self.pattern!r}"


def _unit(value: Any) -> str:
    if isinstance(value, str):
        return "characters"
    if isinstance(value, bytes):
        return "bytes"
    return "members"
