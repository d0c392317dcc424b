"""Finding the value of a stored item that does not fit its class. Runs only after the fast path failed."""

from __future__ import annotations

from typing import Any

from ..mapping.value_codec import ALL_TAGS
from .base import Codec, decode_reason

__all__ = ["fit_text", "locate"]

_PLAIN = 'a plain value, not DynamoDB\'s JSON such as {"S": ...}'


def fit_text(expected: str, found: str) -> str:
    """What is wrong with a value: its type, or, of a map whose class refuses it, only what the class says."""
    is_map, _, reason = found.partition("DynamoDB type M (")
    return reason[:-1] if not is_map and reason else f"expected {expected}, found {found}"


def locate(codec: Codec, wire: dict[str, Any] | None, path: str = "") -> tuple[str, str, str]:
    """The path of the innermost value that does not decode, what was expected there, and what was found."""
    if wire is None:
        return path.lstrip("."), _expected(codec), "nothing"
    found = _shape(wire)
    if found is not None:
        return path.lstrip("."), _expected(codec), found
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


def _shape(wire: Any) -> str | None:
    """What stands there when it is no DynamoDB JSON at all, as a caller of from_item() may give; None when it is."""
    if not isinstance(wire, dict) or len(wire) != 1:
        return _PLAIN
    ((tag, payload),) = wire.items()
    if tag not in ALL_TAGS:
        return _PLAIN
    if (tag == "M" and not isinstance(payload, dict)) or (tag == "L" and not isinstance(payload, (list, tuple))):
        return f"DynamoDB type {tag} with {_PLAIN} inside"
    return None


def _expected(codec: Codec) -> str:
    return f"{codec.describe()} (DynamoDB type {' or '.join(sorted(codec.tags))})"


def _misfit(codec: Codec, wire: dict[str, Any]) -> str | None:
    """Why a wire form does not decode; None when it does."""
    try:
        codec.read(wire)
    except Exception as failure:  # noqa: BLE001 - constructors raise what they like
        return decode_reason(failure)
    return None
