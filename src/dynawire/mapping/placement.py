"""How the items of one class lie in a table that several classes share."""

from __future__ import annotations

import msgspec

__all__ = ["Placement"]


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where the items of a class are."""
