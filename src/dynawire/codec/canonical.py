"""Comparing wire forms."""

from __future__ import annotations

from typing import Any

__all__ = ["canonical"]


def canonical(wire: dict[str, Any]) -> Any:
    """A form in which equal values are equal: the order of a set's members means nothing."""
    ((tag, payload),) = wire.items()
    if tag in ("SS", "NS", "BS"):
        return tag, frozenset(payload)
    if tag == "L":
        return tag, [canonical(one) for one in payload]
    if tag == "M":
        return tag, {name: canonical(one) for name, one in payload.items()}
    return tag, payload
