"""What changed in an instance since it was loaded, found by comparing wire forms, nested values included."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from ..codec.canonical import canonical
from ..codec.migrated import MigratedItem, as_read
from ..errors import ValidationError
from ..mapping.attributes import Attribute

if TYPE_CHECKING:
    from ..codec.plan import ClassPlan
    from .target import Target

__all__ = ["Changes", "WirePath", "canonical", "changes_since", "default_wire"]

WirePath = tuple[str, ...]


class Changes(msgspec.Struct):
    """What a save writes.

    Attributes:
        values: new wire values by path of stored names.
        removed: paths that are no longer there.
    """

    values: dict[WirePath, Any]
    removed: list[WirePath]

    def __bool__(self) -> bool:
        return bool(self.values or self.removed)

    def names(self) -> set[str]:
        """Stored names of the top-level attributes that change."""
        return {path[0] for path in (*self.values, *self.removed)}

    def nested(self) -> dict[str, int]:
        """How many parts of each top-level attribute change, for those that are not written whole."""
        found: dict[str, int] = {}
        for path in (*self.values, *self.removed):
            if len(path) > 1:
                found[path[0]] = found.get(path[0], 0) + 1
        return found

    def leave(self, name: str) -> None:
        """Leave a top-level attribute as it is."""
        self.values = {path: one for path, one in self.values.items() if path[0] != name}
        self.removed = [path for path in self.removed if path[0] != name]

    def follow(self, names: Iterable[str], stored: dict[str, Any], current: dict[str, Any]) -> None:
        """Write these top-level attributes as a whole, where they are stored otherwise."""
        for name in names:
            self.leave(name)
            old, new = stored.get(name), current.get(name)
            if new is None and old is not None:
                self.removed.append((name,))
            elif new is not None and (old is None or canonical(old) != canonical(new)):
                self.values[(name,)] = new

    def write_whole(self, name: str, value: Any) -> None:
        """Write a top-level attribute as a whole instead of its parts."""
        self.leave(name)
        self.values[(name,)] = value


def changes_since(target: Target, loaded: dict[str, Any], current: dict[str, Any]) -> Changes:
    """What makes ``loaded`` into ``current``, two items by stored name.

    Members of maps are compared one by one, so that two writers that change different members of a map both win.
    Lists and sets are written whole. What migrations changed counts, also in attributes the class does not have.
    """
    changes = Changes({}, [])
    read = as_read(loaded)
    # What is computed changes when its sources do, and they are compared.
    for attribute in target.plan.record.fields.attributes:
        name = attribute.stored_name
        old, new = loaded.get(name), current.get(name)
        if new is not None and name not in read and new == default_wire(target.plan, attribute):
            # Absent and still at its default: nothing the user changed.
            new = None
        _compare((name,), old, new, changes)
    if isinstance(loaded, MigratedItem):
        changes.values.update({(name,): wire for name, wire in loaded.others.items() if wire is not None})
        changes.removed += [(name,) for name, wire in loaded.others.items() if wire is None]
    return changes


def default_wire(plan: ClassPlan, attribute: Attribute) -> Any:
    """The wire form of an attribute's default; None when there is none that can be stored."""
    if not attribute.has_default:
        return None
    try:
        return plan.codecs[attribute.name].encode(attribute.make_default())
    except ValidationError:
        return None


def _compare(path: WirePath, old: Any, new: Any, changes: Changes) -> None:
    if new is None:
        if old is not None:
            changes.removed.append(path)
    elif old is None:
        changes.values[path] = new
    elif old == new:
        return
    elif "M" in old and "M" in new:
        for name in {**old["M"], **new["M"]}:
            _compare((*path, name), old["M"].get(name), new["M"].get(name), changes)
    elif canonical(old) != canonical(new):
        changes.values[path] = new
