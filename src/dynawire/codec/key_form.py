"""Codecs of the attributes that make a key: they read only what they would write.

What is stored in another form than dynawire writes (a time ending in ``Z``, a UUID in capitals) would be read as a
value that makes another key, under which there is no item: a delete would delete nothing, a put would make a second
item. So an item with such a key is a misfit.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .base import Codec
from .checks import ALWAYS_EXACT
from .custom import StoredCodec
from .misfit import Misfit
from .scalars import ScalarCodec
from .unions import OptionalCodec

__all__ = ["OTHER_FORM", "exact_key"]

OTHER_FORM = (
    "in another form than it is written here, which makes it the key of another item; declare it str, or say how it is "
    "written with Annotated[..., dynawire.Stored(encode, decode)]"
)


def exact_key(codec: Codec) -> Codec:
    """A key's codec: it refuses to read what it would write otherwise."""
    if isinstance(codec, OptionalCodec):
        return OptionalCodec(exact_key(codec.inner))
    if type(codec) is StoredCodec:
        return _ExactStoredCodec(codec)
    if isinstance(codec, ScalarCodec) and codec.name not in ALWAYS_EXACT:
        return _exact_scalar(codec)
    return codec


def _exact_scalar(codec: ScalarCodec) -> ScalarCodec:
    copy = codec.copied()
    payload_type, from_payload, to_payload = codec.payload_type, codec.from_payload, codec.to_payload
    is_number = codec.tag == "N"

    def read(text: str) -> Any:
        value = text if payload_type is str else msgspec.convert(text, payload_type, strict=False)
        if from_payload is not None:
            value = from_payload(value)
        written = to_payload(value)
        if written != text and not (is_number and _same_number(written, text)):
            raise Misfit(OTHER_FORM)
        return value

    copy.payload_type = str
    copy.from_payload = read
    return copy


class _ExactStoredCodec(StoredCodec):
    """A key of the user's own type: its functions must lead back to what is stored."""

    def __init__(self, codec: StoredCodec) -> None:
        super().__init__(codec.name, codec.inner, codec.to_stored, codec.from_stored, codec.kinds)
        self.constraints = codec.constraints
        # Limits do not count for what is stored already.
        plain = codec.unconstrained
        assert isinstance(plain, StoredCodec)
        self._plain = plain

    def restored(self, stored: Any) -> Any:
        value = super().restored(stored)
        encode = self._plain.inner.encode_fast
        written, found = encode(self._plain.stored(value))[self.tag], encode(stored)[self.tag]
        if written != found and not (self.tag == "N" and _same_number(written, found)):
            raise Misfit(OTHER_FORM)
        return value

    def strip_limits(self) -> Codec:
        plain = super().strip_limits()
        return self if plain is self else exact_key(plain)


def _same_number(one: str, other: str) -> bool:
    from decimal import Decimal

    return Decimal(one) == Decimal(other)
