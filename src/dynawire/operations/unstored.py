"""Attributes that a table with ``store_keys=False`` holds in its keys alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..errors import ExpressionError
from ..expressions import Path

if TYPE_CHECKING:
    from .target import Target

__all__ = ["refuse_unstored"]


def refuse_unstored(target: Target, paths: Iterable[Path[Any]], what: str) -> None:
    """Refuse what the service could not do with an attribute that is in the key alone.

    Raises:
        ExpressionError: one of the paths is such an attribute.
    """
    if target.plan.key_only is None:
        return
    unstored = target.plan.key_only.names
    for path in paths:
        if path._steps[0] in unstored:
            raise ExpressionError(
                f"{target.plan.name}.{path._label} is stored in the key alone (store_keys=False), so it can't be "
                f"{what}: give it to query() as the next part of the key, with == or a range (<= instead of <), or "
                "store what keys are composed of"
            )
