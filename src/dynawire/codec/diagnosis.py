"""Finding the value of a stored item that does not fit its class. Runs only after the fast path failed."""

from __future__ import annotations

from typing import Any

from .base import Codec, decode_reason

__all__ = ["locate"]


def locate(codec: Codec, wire: dict[str, Any] | None, path: str = "") -> tuple[str, str, str]:
    """The path of the innermost value that does not decode, what was expected there, and what was found."""
    if wire is None:
        return path.lstrip("."), _expected(codec), "nothing"
    target = codec.narrowed(wire)
    if target.tag in wire:
        for place, part_codec, part in target.parts(wire):
            if part is None or _misfit(part_codec, part) is not None:
                return locate(part_codec, part, path + place)
    tag = next(iter(wire), "none")
    found = f"DynamoDB type {tag}"
    if tag in codec.tags:
        # The type is right, so only the reason tells.
        found += f" ({_misfit(codec, wire) or 'of another form'})"
    return path.lstrip("."), _expected(codec), found


def _expected(codec: Codec) -> str:
    return f"{codec.describe()} (DynamoDB type {' or '.join(sorted(codec.tags))})"


def _misfit(codec: Codec, wire: dict[str, Any]) -> str | None:
    """Why a wire form does not decode; None when it does."""
    try:
        codec.read(wire)
    except Exception as failure:  # noqa: BLE001 - constructors raise what they like
        return decode_reason(failure)
    return None
