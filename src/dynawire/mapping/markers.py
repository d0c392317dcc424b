"""Markers for ``Annotated``: how one attribute is stored when its type alone does not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec

__all__ = ["EpochSeconds", "Json", "NaiveDatetime", "Stored"]


class _Marker(msgspec.Struct, frozen=True):
    name: str

    def __repr__(self) -> str:
        return f"dynawire.{self.name}"


EpochSeconds: Final = _Marker("EpochSeconds")
"""``Annotated[datetime, EpochSeconds]``: a number of whole seconds since 1970-01-01 UTC, as time to live needs it.

A fraction of a second is dropped when stored."""

Json: Final = _Marker("Json")
"""``Annotated[T, Json]``: one string that holds the value as JSON text, for columns that must not be native maps."""

NaiveDatetime: Final = _Marker("NaiveDatetime")
"""``Annotated[datetime, NaiveDatetime]``: a datetime without time zone, stored without offset; aware ones are
refused."""


class Stored(msgspec.Struct, frozen=True):
    """``Annotated[T, Stored(to, back, as_type)]``: a type of your own, stored by two functions.

    Attributes:
        encode: makes a ``as_type`` of a value of yours. What it raises becomes a :class:`~dynawire.ValidationError`.
        decode: makes your value again of what was stored. What it raises becomes a :class:`~dynawire.DecodeError`.
        as_type: what is stored: any type dynawire can store (``str``, ``int``, ``bytes``, ``dict[str, str]`` …).
    """

    encode: Callable[[Any], Any]
    decode: Callable[[Any], Any]
    as_type: Any = str


Role = Literal["partition_key", "sort_key"]
UpkeepKind = Literal["version", "created_at", "updated_at", "discriminator"]
