"""Filters and projections of stored items, reading no more of them than is asked for.

msgspec skips what a struct does not name, several times faster than it builds it. So a struct is made for each
set of attributes: as raw JSON where they are copied to an answer, as values where an expression looks at them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from dynawire.engines.embedded.decoding import encode
from dynawire.engines.embedded.expressions import Condition, Projection
from dynawire.engines.embedded.values import Item

__all__ = ["filtered", "projected", "projected_item"]

_CACHED: Final = 256


def filtered(items: Sequence[bytes], condition: Condition) -> list[bytes]:
    """The stored items that fulfil a condition."""
    names = tuple(sorted(condition.paths))
    matches = condition.matches
    return [stored for stored, item in zip(items, _read(items, names), strict=True) if matches(item)]


def projected(items: Sequence[bytes], projection: Projection) -> bytes:
    """What a projection selects of stored items, as a JSON array."""
    if all(len(path) == 1 for path in projection.paths):
        names = tuple(str(path[0]) for path in projection.paths)
        return encode(_raw_decoder(names).decode(_array(items)))
    project = projection.project
    return encode([project(item) for item in _read(items, tuple(sorted(projection.top_level_names)))])


def projected_item(item: bytes, projection: Projection) -> bytes:
    """What a projection selects of one stored item."""
    return projected((item,), projection)[1:-1]


def _read(items: Sequence[bytes], names: tuple[str, ...]) -> list[Item]:
    """Stored items with only these attributes."""
    # Attribute values are never null: that stands for an attribute the item does not have.
    return [
        {name: value for name, value in zip(names, msgspec.structs.astuple(item), strict=True) if value is not None}
        for item in _decoder(names).decode(_array(items))
    ]


def _array(items: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(items) + b"]"


@lru_cache(_CACHED)
def _decoder(names: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
    return _struct_decoder(names, Any, None)


@lru_cache(_CACHED)
def _raw_decoder(names: tuple[str, ...]) -> msgspec.json.Decoder[list[Any]]:
    return _struct_decoder(names, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET)


def _struct_decoder(names: tuple[str, ...], kind: Any, default: object) -> msgspec.json.Decoder[list[Any]]:
    fields = {f"attribute{number}": name for number, name in enumerate(names)}
    struct = msgspec.defstruct("Attributes", [(field, kind, default) for field in fields], rename=fields, gc=False)
    return msgspec.json.Decoder(list[struct])  # type: ignore[valid-type]
