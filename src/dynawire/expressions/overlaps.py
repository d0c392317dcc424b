"""Which document paths may stand together: DynamoDB refuses two of which one lies inside the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ExpressionError
from .operands import called
from .paths import Path

__all__ = ["refuse_overlaps"]


def refuse_overlaps(paths: Sequence[Path[Any]], what: str) -> None:
    """Refuse paths that are the same, lie inside one another, or take one place for a map and for a list.

    Args:
        paths: the paths of one expression.
        what: what they are, for the message: ``"updates"``, ``"projections"``.

    Raises:
        ExpressionError: two of them cannot stand together.
    """
    if len({path._steps[0] for path in paths}) == len(paths):
        return
    ends: dict[tuple[str | int, ...], Path[Any]] = {}
    kinds: dict[tuple[str | int, ...], Path[Any]] = {}
    for path in paths:
        if path._steps in ends:
            raise ExpressionError(f"two {what} are of {called(path)}; keep one")
        ends[path._steps] = path
    for path in paths:
        steps = path._steps
        for length in range(1, len(steps)):
            place = steps[:length]
            outer = ends.get(place)
            if outer is not None:
                raise ExpressionError(
                    f"two {what} overlap: {called(path)} lies inside {called(outer)}; keep one of them"
                )
            other = kinds.setdefault(place, path)
            if type(other._steps[length]) is not type(steps[length]):
                raise ExpressionError(
                    f"two {what} conflict: {called(other)} and {called(path)} take one place for a list and for a map"
                )
