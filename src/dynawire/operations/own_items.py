"""What tells a placed class's items from others in its table."""

from __future__ import annotations

from collections.abc import Collection

from ..expressions import Comparison, Condition, Value, all_of
from .target import Target

__all__ = ["own_items"]


def own_items(target: Target, key: Collection[str] = ()) -> Condition | None:
    """What tells a placed class's items from others in its table; None: nothing, or the class has its own table.

    Args:
        target: the class and its table.
        key: stored names of the key that is queried, at which a filter may not look; its condition tells already.
    """
    placement = target.mapped.mapping.placement
    if placement is None:
        return None
    kind = placement.layout.kind
    if kind is not None:
        return Comparison("=", target.mapped.paths_by_stored_name[kind], (Value(None, {"S": placement.kind}),))
    parts: list[Condition] = []
    for name in (one for one in target.plan.key_names if one not in key):
        path = target.mapped.paths_by_stored_name[name]
        template = placement.keys[name]
        text = {"S": template.literals[0]}
        if not template.components:
            parts.append(Comparison("=", path, (Value(None, text),)))
        elif template.literals[0]:
            parts.append(Comparison("begins_with", path, (Value(None, text),)))
    return all_of(parts) if parts else None
