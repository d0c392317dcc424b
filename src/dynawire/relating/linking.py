"""The links of many-to-many relations: one item for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..errors import DynawireError, RelationError
from ..operations.at_once import at_once
from ..operations.effects import Operation
from .relationship import Relationship, is_unnumbered
from .state import forget

if TYPE_CHECKING:
    from ..database import Database

__all__ = ["linked", "unlinked"]

AT_ONCE = 8
"""Single writes that are sent together."""


def linked(
    database: Database,
    relationship: Relationship,
    instance: Any,
    others: Sequence[Any],
    attributes: dict[str, Any],
) -> Operation[None]:
    """Store a link from an instance to each of these others."""
    links = relationship.links
    assert links is not None
    ends = {tuple(one.values()): one for one in (_ends(relationship, instance, other) for other in others)}
    made = [links.cls(**one, **attributes) for one in ends.values()]
    if not made:
        return
    table = database.table(links.cls)
    upkeep = table._target.upkeep
    try:
        if len(made) == 1:
            yield from table._put(made[0])
        elif upkeep is not None and (upkeep.version is not None or upkeep.keeping is not None):
            # A batch can't keep what these have.
            yield from _one_by_one([table._put(one) for one in made])
        else:
            yield from table._put_many(made)
    finally:
        # When it failed, some may have been written all the same.
        _forget(relationship, instance, others)


def unlinked(database: Database, relationship: Relationship, instance: Any, others: Sequence[Any]) -> Operation[None]:
    """Delete the link from an instance to each of these others."""
    links = relationship.links
    assert links is not None
    table = database.table(links.cls)
    names = [attribute.name for attribute in table._target.plan.key_attributes]
    ends = [_ends(relationship, instance, other) for other in others]
    keys = [table.key(*(each[name] for name in names)) for each in ends]
    if not keys:
        return
    upkeep = table._target.upkeep
    try:
        if len(keys) == 1:
            yield from table._delete(keys[0])
        elif upkeep is not None and upkeep.keeping is not None:
            yield from _one_by_one([table._delete(key) for key in dict.fromkeys(keys)])
        else:
            yield from table._delete_many(keys)
    finally:
        _forget(relationship, instance, others)


def _one_by_one(writes: Sequence[Operation[Any]]) -> Operation[None]:
    """Carry out single writes, some together; the first error is raised when those begun with it have ended."""
    for start in range(0, len(writes), AT_ONCE):
        for outcome in (yield from at_once(writes[start : start + AT_ONCE])):
            if isinstance(outcome, DynawireError):
                raise outcome


def _ends(relationship: Relationship, instance: Any, other: Any) -> dict[str, Any]:
    """The attributes of the link between two items.

    Raises:
        RelationError: the other is none of its class, or either has no key yet.
    """
    relationship.check(other)
    links = relationship.links
    assert links is not None
    sources = [(link, instance, own) for own, link in links.own]
    sources += [(link, other, theirs) for link, theirs in links.other]
    ends = {link: getattr(one, name) for link, one, name in sources}
    for name, one, source in sources:
        if ends[name] is None or is_unnumbered(one, source):
            raise RelationError(
                f"{relationship!r}: an item has no key yet, so {links.cls.__name__}.{name} has no value; give it one "
                "first",
                model=relationship.owner.__name__,
                attribute=relationship.name,
            )
    return ends


def _forget(relationship: Relationship, instance: Any, others: Sequence[Any]) -> None:
    """Let both sides forget whom they are linked to, which is read anew, and in the service's order, when asked for."""
    forget(instance, relationship.name)
    back = relationship.back
    if back is not None:
        for other in others:
            forget(other, back.name)
