"""Codecs that markers ask for: epoch seconds, JSON text, and types of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from .base import Codec, Problem
from .misfit import Misfit
from .scalars import ScalarCodec
from .source import Scope

__all__ = ["StoredCodec", "epoch_seconds_codec", "json_codec"]


def epoch_seconds_codec() -> ScalarCodec:
    """A datetime as a number of whole seconds since 1970-01-01 UTC."""
    from datetime import UTC, datetime, timedelta

    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    second = timedelta(seconds=1)

    def to_payload(value: Any) -> str:
        if not isinstance(value, datetime):
            raise Misfit(f"must be datetime, not {type(value).__name__}")
        if value.utcoffset() is None:
            raise Misfit("is a datetime without time zone; give it one (tzinfo=timezone.utc)")
        return str((value - epoch) // second)

    def from_payload(seconds: int) -> Any:
        try:
            return epoch + timedelta(seconds=seconds)
        except OverflowError:
            raise Misfit("a stored number of seconds is beyond the years 1 to 9999") from None

    return ScalarCodec("datetime (EpochSeconds)", "N", datetime, int, to_payload, from_payload=from_payload)


def json_codec(annotation: Any, name: str) -> ScalarCodec:
    """A value as JSON text."""
    decoder = msgspec.json.Decoder(annotation)
    encoder = msgspec.json.Encoder()

    def to_payload(value: Any) -> str:
        try:
            text = encoder.encode(value)
            decoder.decode(text)
            return text.decode()
        except (msgspec.ValidationError, TypeError, ValueError) as error:
            raise Misfit(f"is not {name} as JSON can hold it ({type(error).__name__})") from None

    def from_payload(text: str) -> Any:
        return decoder.decode(text)

    return ScalarCodec(f"{name} (Json)", "S", object, str, to_payload, from_payload=from_payload)


class StoredCodec(Codec):
    """A type of the user's own, stored as another type by two functions."""

    def __init__(
        self, name: str, inner: Codec, encode: Callable[[Any], Any], decode: Callable[[Any], Any], kind: Any
    ) -> None:
        self.name = name
        self.inner = inner
        self.to_stored = encode
        self.from_stored = decode
        self.kind = kind if isinstance(kind, type) else object
        self.tag = inner.tag
        self.payload_type = inner.payload_type

    def describe(self) -> str:
        return self.name

    @property
    def tags(self) -> frozenset[str]:
        return self.inner.tags

    @property
    def payloads(self) -> tuple[tuple[str, Any], ...]:
        return self.inner.payloads

    @property
    def wire_type(self) -> Any:
        return self.inner.wire_type

    def _stored(self, value: Any) -> Any:
        if not isinstance(value, self.kind):
            raise Misfit(f"must be {self.name}, not {type(value).__name__}")
        for problem in self.constraints.problems(value):
            raise Misfit(problem)
        try:
            return self.to_stored(value)
        except Misfit:
            raise
        except Exception as error:
            raise Misfit(f"could not be encoded: the encode function raised {type(error).__name__}") from error

    def _restored(self, stored: Any) -> Any:
        try:
            return self.from_stored(stored)
        except Exception as error:
            raise Misfit(f"the decode function raised {type(error).__name__}") from error

    def payload_source(self, scope: Scope, value: str) -> str:
        stored = scope.fresh()
        inner = self.inner.payload_source(scope, stored)
        return f"(({stored} := {scope.bind(self)}._stored({value})), {inner})[1]"

    def encode_source(self, scope: Scope, value: str) -> str:
        stored = scope.fresh()
        return f"(({stored} := {scope.bind(self)}._stored({value})), {self.inner.encode_source(scope, stored)})[1]"

    def value_source(self, scope: Scope, payload: str) -> str:
        return f"{scope.bind(self)}._restored({self.inner.value_source(scope, payload)})"

    def decode_source(self, scope: Scope, wire: str) -> str:
        return f"{scope.bind(self)}._restored({self.inner.decode_source(scope, wire)})"

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        try:
            stored = self._stored(value)
        except Misfit as misfit:
            yield path, str(misfit)
        else:
            yield from self.inner.problems(stored, path)
