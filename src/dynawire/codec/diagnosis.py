"""Finding the value of a stored item that does not fit its class. Runs only after the fast path failed."""

from __future__ import annotations

from typing import Any

from ..errors import DecodeError
from .base import Codec

__all__ = ["locate"]


def locate(codec: Codec, wire: dict[str, Any] | None, path: str = "") -> tuple[str, str, str]:
    """The path of the innermost value that does not decode, what was expected there, and the type found."""
    if wire is None:
        return path.lstrip("."), codec.describe(), "nothing"
    tag = next(iter(wire), "")
    inner = getattr(codec, "inner", None)
    target: Any = inner if isinstance(inner, Codec) and tag != "NULL" else codec
    target = getattr(target, "target", target)
    if tag == target.tag and hasattr(target, "parts"):
        for place, part_codec, part in target.parts(wire):
            if part is None or not _decodes(part_codec, part):
                return locate(part_codec, part, path + place)
    found = f"DynamoDB type {tag}"
    if tag in codec.tags:
        found += " of another form"
    return path.lstrip("."), f"{codec.describe()} (DynamoDB type {' or '.join(sorted(codec.tags))})", found


def _decodes(codec: Codec, wire: dict[str, Any]) -> bool:
    try:
        codec.decode(wire)
    except DecodeError:
        return False
    return True
