"""The signal a generated encoder gives; whoever catches it finds out where and why."""

from __future__ import annotations

__all__ = ["Misfit"]


class Misfit(ValueError):
    """A value does not fit its attribute. The text says why and never holds the value."""
