"""What changed in an instance since it was loaded, found by comparing wire forms, nested values included."""

from __future__ import annotations

from typing import Any

import msgspec

from .target import Target

__all__ = ["Changes", "changes_since"]

MAX_MEMBER_CHANGES = 20
"""Above so many changed members of one map, the whole map is written: expressions are limited to 4 KB."""

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


def changes_since(target: Target, loaded: dict[str, Any], current: dict[str, Any]) -> Changes:
    """What makes ``loaded`` into ``current``, two items by stored name.

    Members of maps are compared one by one, so that two writers that change different members of a map both win.
    Lists and sets are written whole.
    """
    changes = Changes({}, [])
    for name in target.mapped.paths_by_stored_name:
        _compare((name,), loaded.get(name), current.get(name), changes)
        if name not in loaded and (name,) in changes.values and current[name] == target.plan.default_wire(name):
            # Never stored and still at its default: nothing the user changed.
            del changes.values[(name,)]
    return changes


def _compare(path: WirePath, old: Any, new: Any, changes: Changes) -> None:
    if new is None:
        if old is not None:
            changes.removed.append(path)
        return
    if old is None:
        changes.values[path] = new
        return
    if old == new or _canonical(old) == _canonical(new):
        return
    if "M" in old and "M" in new:
        inner = Changes({}, [])
        for name in {**old["M"], **new["M"]}:
            _compare((*path, name), old["M"].get(name), new["M"].get(name), inner)
        if len(inner.values) + len(inner.removed) <= MAX_MEMBER_CHANGES and len(inner.removed) < len(old["M"]):
            changes.values.update(inner.values)
            changes.removed.extend(inner.removed)
            return
    changes.values[path] = new


def _canonical(wire: dict[str, Any]) -> Any:
    """A form in which equal values are equal: the order of a set's members means nothing."""
    ((tag, payload),) = wire.items()
    if tag in ("SS", "NS", "BS"):
        return tag, frozenset(payload)
    if tag == "L":
        return tag, [_canonical(one) for one in payload]
    if tag == "M":
        return tag, {name: _canonical(one) for name, one in payload.items()}
    return tag, payload
