"""What the layers above ask of one attribute's codec, without knowing how it is compiled."""

from __future__ import annotations

import re
from typing import Any, Protocol

__all__ = ["ALL_TAGS", "ValueCodec", "WireValue", "shown_path"]

_KEY_OF_A_MAP = r"""\[(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\]"""


ALL_TAGS: frozenset[str] = frozenset({"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"})
"""DynamoDB's ten type descriptors."""

WireValue = dict[str, Any]
"""One attribute value as DynamoDB's JSON writes it: ``{"S": "x"}``. Binary is ``bytes`` when written."""


class ValueCodec(Protocol):
    """Turns values of one Python type into DynamoDB's wire form and back."""

    @property
    def tags(self) -> frozenset[str]:
        """The DynamoDB types a stored value may have: ``{"S"}``, ``{"N", "NULL"}``, all ten for ``Any``."""
        ...

    def encode(self, value: Any) -> WireValue:
        """The wire form of a value.

        Raises:
            ValidationError: the value is not of this type or cannot be stored; ``attribute`` is the path below it.
        """
        ...

    def decode(self, wire: WireValue) -> Any:
        """The value of a wire form whose binary is base64 text, as it came in a response.

        Raises:
            DecodeError: it is stored as something else.
        """
        ...

    def member(self, name: str) -> tuple[str, ValueCodec] | None:
        """The stored name and the codec of a map member, by its Python name; None when there is no such member."""
        ...

    def member_names(self) -> list[str]:
        """The Python names of the map members there are; none when any name may be one."""
        ...

    def element(self) -> ValueCodec | None:
        """The codec of a list's or a set's elements; None when the type has none, or they differ in type."""
        ...

    @property
    def unconstrained(self) -> ValueCodec:
        """The same without limits on values: for what is compared with, or stored already."""
        ...

    def describe(self) -> str:
        """The Python type as a person writes it, such as ``list[int]``."""
        ...


def shown_path(path: str) -> str:
    """A path as messages show it: the keys of dicts are data, and stay in the error's attributes."""
    return re.sub(_KEY_OF_A_MAP, "[...]", path) if "[" in path else path
