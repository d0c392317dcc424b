"""Putting limits (``ge=``, ``max_length=`` …) on codecs, and refusing those that have no meaning for a type."""

from __future__ import annotations

from typing import Any

import msgspec

from ..mapping.constraints import BOUNDS, Constraints
from .base import ENCODE_FAILURES, Codec
from .unions import OptionalCodec, UnionCodec

__all__ = ["Unsupported", "limited", "meta_limits"]

_MEANINGS = {
    "multiple_of": "for numbers",
    "min_length": "for what has a length",
    "max_length": "for what has a length",
    "pattern": "for text",
}


class Unsupported(Exception):
    """Why an annotation has no codec."""


def meta_limits(meta: msgspec.Meta) -> Constraints:
    """The limits that a ``msgspec.Meta`` gives."""
    given = {name: getattr(meta, name) for name in Constraints.__struct_fields__}
    return Constraints(**{name: limit for name, limit in given.items() if limit is not None})


def limited(codec: Codec, constraints: Constraints) -> Codec:
    """A codec with limits beside those it has.

    Raises:
        Unsupported: a limit has no meaning for the type.
    """
    if not constraints:
        return codec
    problem = constraints.contradiction()
    if problem is not None:
        raise Unsupported(problem)
    bare = codec.inner if isinstance(codec, OptionalCodec) else codec
    both: Codec
    if isinstance(bare, UnionCodec):
        both = _limited_union(bare, constraints)
    else:
        _require_meaning(bare, constraints)
        try:
            both = bare.constrained(bare.constraints.also(constraints))
        except ValueError as error:
            raise Unsupported(str(error)) from None
    return OptionalCodec(both) if isinstance(codec, OptionalCodec) else both


def _limited_union(union: UnionCodec, constraints: Constraints) -> UnionCodec:
    """Each limit is for those of the types it has a meaning for, and that is one at least."""
    variants = list(union.variants)
    for name, limit in constraints.given().items():
        alone = Constraints(**{name: limit})
        takers = [position for position, one in enumerate(variants) if _meaning_problem(one, name, limit) is None]
        if not takers:
            raise Unsupported(_meaning_problem(union.variants[0], name, limit) or "")
        for position in takers:
            variants[position] = limited(variants[position], alone)
    return UnionCodec(variants)


def _require_meaning(codec: Codec, constraints: Constraints) -> None:
    for name, limit in constraints.given().items():
        problem = _meaning_problem(codec, name, limit)
        if problem is not None:
            raise Unsupported(problem)


def _meaning_problem(codec: Codec, name: str, limit: Any) -> str | None:
    if name not in codec.limitable:
        return f"{name}= is {_MEANINGS.get(name, 'for numbers, dates and text')}, not for {codec.describe()}"
    if name in BOUNDS:
        # The limit must be a value of the type, and have an order.
        try:
            codec.unconstrained.encode_fast(limit)
            _ = limit <= limit
        except (*ENCODE_FAILURES, TypeError):
            return (
                f"{name}= is compared with values of the type {codec.describe()}, so it must be one that has an order"
            )
    return None
