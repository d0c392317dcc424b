"""Primary keys in a form in which equal keys are equal, whatever text their numbers were written as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

__all__ = ["canonical_number", "key_identity"]

_encode_json = msgspec.json.Encoder().encode


def key_identity(key_names: Sequence[str], wire: dict[str, Any]) -> bytes:
    """The primary key in an item or a key.

    Args:
        key_names: stored names of the key attributes.
        wire: an item or a key; binary is ``bytes`` or the base64 text of a response.
    """
    parts: list[Any] = []
    for name in key_names:
        ((tag, payload),) = wire[name].items()
        parts.append((tag, canonical_number(payload) if tag == "N" else payload))
    return _encode_json(parts)


def canonical_number(text: str) -> str:
    """One text for each number: significant digits and a power of ten. Exact for any number of digits."""
    if not text.isdigit():
        return _canonical_decimal(text)
    digits = text.lstrip("0")
    significant = digits.rstrip("0")
    zeros = len(digits) - len(significant)
    return f"{significant}e{zeros}" if zeros else significant or "0"


def _canonical_decimal(text: str) -> str:
    from ..mapping.template_parts import significant_digits

    sign, significant, first = significant_digits(text)
    if not significant:
        return "0"
    power = first + 1 - len(significant)
    return ("-" if sign else "") + significant + (f"e{power}" if power else "")
