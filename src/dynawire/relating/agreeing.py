"""Whether the attributes that a relation leads by can have the values of those that it leads to."""

from __future__ import annotations

from collections.abc import Iterable

from ..operations.mapped import MappedClass

__all__ = ["disagreement"]


def disagreement(one: MappedClass, other: MappedClass, pairs: Iterable[tuple[str, str]]) -> str | None:
    """What is wrong with a pair of attributes whose values are never equal; None: nothing is.

    Only what is stored as different types of DynamoDB is: of one type there may be two annotations of the same values.

    Args:
        one: a class.
        other: another.
        pairs: names of an attribute of each, of which the values should be equal.
    """
    for mine, theirs in pairs:
        left, right = one.plan.codecs[mine], other.plan.codecs[theirs]
        if (left.tags - {"NULL"}).isdisjoint(right.tags):
            return (
                f"leads by {one.cls.__name__}.{mine}, {left.describe()}, and {other.cls.__name__}.{theirs}, "
                f"{right.describe()}, which are never equal; name attributes of one type"
            )
    return None
