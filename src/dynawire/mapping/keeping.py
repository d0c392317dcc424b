"""What is declared of attributes that need items of their own: unique values and numbers from a counter."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Counter", "Unique"]


class Unique:
    """How the values of an attribute are unique: ``attr(unique=Unique("tenant"))``; ``unique=True`` is ``Unique()``.

    Args:
        scope: names of attributes within whose values each value is unique: with ``"tenant"`` two tenants may have the
            same. None: in the whole table.
        ignore_case: whether text that differs in case only is the same.
        name: what the values are unique under; the class's and the attribute's name unless given. Attributes of the
            same name in one table share their values. Give it before renaming a class or attribute.
    """

    __slots__ = ("ignore_case", "name", "scope")

    def __init__(self, *scope: str, ignore_case: bool = False, name: str | None = None) -> None:
        self.scope = scope
        self.ignore_case = ignore_case
        self.name = name

    def problem(self) -> str | None:
        """What is wrong with it, whatever the attribute; None when nothing."""
        return _names_problem("Unique", self.scope) or _name_problem("Unique(name=...)", self.name)

    def _parts(self) -> tuple[Any, ...]:
        return self.scope, self.ignore_case, self.name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unique) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def __repr__(self) -> str:
        shown = [repr(one) for one in self.scope]
        if self.ignore_case:
            shown.append("ignore_case=True")
        if self.name is not None:
            shown.append(f"name={self.name!r}")
        return f"Unique({', '.join(shown)})"


class Counter(msgspec.Struct, frozen=True, kw_only=True):
    """Where an attribute's numbers come from; see :func:`dynawire.counter`."""

    scope: tuple[str, ...] = ()
    start: int = 1
    block: int = 1
    gap_free: bool = False
    series: str | None = None
    key: Any = None
    attribute: str | None = None

    def problem(self) -> str | None:
        """What is wrong with it, whatever the attribute; None when nothing."""
        problem = _names_problem("counter", self.scope) or _name_problem("counter(series=...)", self.series)
        if problem is not None:
            return problem
        for name in ("start", "block"):
            given = getattr(self, name)
            if type(given) is not int or given < 1:
                return f"has a counter({name}=...) that is not a whole number of 1 or more"
        if self.gap_free and self.block != 1:
            return "has a counter() with both gap_free= and block=; numbers taken ahead leave gaps: keep one of them"
        if self.attribute is not None and (problem := _name_problem("counter(attribute=...)", self.attribute)):
            return problem
        if self.key is not None and self.scope:
            return "has a counter() with both a scope and key=; one item can't count for several"
        return None


def _names_problem(what: str, names: Any) -> str | None:
    for name in names:
        if not isinstance(name, str) or not name:
            return f'has a {what}(...) whose scope is not made of attribute names; write {what}("tenant")'
    if len(set(names)) != len(names):
        return f"has a {what}(...) that names one attribute twice"
    return None


def _name_problem(what: str, name: Any) -> str | None:
    if name is not None and (not isinstance(name, str) or not 1 <= len(name) <= 255):
        return f"has a {what} that is not text of 1 to 255 characters"
    return None
