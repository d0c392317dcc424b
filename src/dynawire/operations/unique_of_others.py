"""Unique values of other classes of a family: what a write of one class may find stored of another.

A put may replace an item of another class, and a delete by a key of a base class may delete one of a derived class. If
that has unique values, their guards are to be given back. As a rule it has none, so the write only requires that no
such attribute is stored. Where one is, the refusal tells its value, and its guard is given back in the transaction of
the write.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .companions import Companions
from .derived_classes import classes_below
from .mapped import mapped
from .unique import UniqueAttribute, UniqueChange, unique_attributes

if TYPE_CHECKING:
    from .target import Target
    from .write import Write

__all__ = ["give_back_deleted", "give_back_replaced", "may_replace_unique"]


def may_replace_unique(target: Target) -> bool:
    """Whether what a put replaces may have unique values that the class itself does not have."""
    return bool(_of_family(target))


def give_back_replaced(write: Write) -> None:
    """Let a put give back the unique values of an item of another class that it replaces."""
    _lose(write, _of_family(write.target))


def give_back_deleted(write: Write) -> None:
    """Let a delete give back the unique values of an item of a derived class."""
    target = write.target
    _lose(write, _worked_out(target, "unique below", classes_below(target)))


def _of_family(target: Target) -> list[UniqueAttribute]:
    assert target.family is not None
    return _worked_out(target, "unique of others", target.family.classes())


def _worked_out(target: Target, name: str, classes: Iterable[type[Any]]) -> list[UniqueAttribute]:
    """The unique attributes of these classes that a class does not have itself."""
    assert target.family is not None
    # Worked out again when another class was declared.
    known: tuple[int, list[UniqueAttribute]] | None = target.known.get(name)
    if known is None or known[0] != target.family.size:
        own = {one.identity for one in unique_attributes(target.mapped)}
        others = {one.identity: one for cls in classes for one in unique_attributes(mapped(cls))}
        found = [one for identity, one in others.items() if identity not in own]
        known = target.known[name] = (target.family.size, found)
    return known[1]


def _lose(write: Write, attributes: list[UniqueAttribute]) -> None:
    if not attributes:
        return
    companions = write.companions
    if companions is not None and companions.unique is not None:
        companions.unique.lose(attributes)
        return
    change = UniqueChange(write, [], {}, lambda _: {}, lost=attributes)
    write.companions = Companions(change, None if companions is None else companions.numbering)
