"""What instances were loaded from, kept beside those that can't hold it themselves."""

from __future__ import annotations

import weakref
from typing import Any

__all__ = ["Tracker", "can_be_tracked"]


def can_be_tracked(cls: Any) -> bool:
    """Whether instances of a class can be referred to weakly."""
    return getattr(cls, "__weakrefoffset__", 0) != 0


class Tracker:
    """Something for each instance, by identity, forgotten together with the instance.

    Not a WeakKeyDictionary: that asks for a hash and compares by equality, and neither says which instance it is.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[Any], Any]] = {}

    def keep(self, instance: Any, loaded: Any) -> None:
        """Remember this of an instance, instead of what was remembered before."""
        identity = id(instance)
        kept = self._kept

        def forget(reference: weakref.ref[Any]) -> None:
            found = kept.get(identity)
            # By now another instance may stand in the same place of memory.
            if found is not None and found[0] is reference:
                kept.pop(identity, None)

        kept[identity] = (weakref.ref(instance, forget), loaded)

    def kept(self, instance: Any) -> Any:
        """What is remembered of an instance, or None."""
        found = self._kept.get(id(instance))
        return found[1] if found is not None and found[0]() is instance else None

    def __len__(self) -> int:
        return len(self._kept)
