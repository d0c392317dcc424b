"""Codecs that markers ask for: JSON text, and types of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..mapping.value_codec import WireValue
from .base import Codec, Problem
from .misfit import Misfit, place_of
from .scalars import LENGTH, NUMBER, ScalarCodec, wrong_type
from .source import Scope

__all__ = ["StoredCodec", "json_codec"]


def json_codec(annotation: Any, name: str) -> ScalarCodec:
    """A value as JSON text.

    Raises:
        TypeError: msgspec has no JSON form of the type.
    """
    msgspec.json.schema(annotation)  # a decoder would not mind unknown types until it meets one
    decoder = msgspec.json.Decoder(annotation)
    encoder = msgspec.json.Encoder()

    def to_payload(value: Any) -> str:
        try:
            text = encoder.encode(value)
            back = decoder.decode(text)
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            raise Misfit(f"is not {name} as JSON can hold it ({type(error).__name__})") from None
        if back != value and not (_has_no_equality(type(value)) and encoder.encode(back) == text):
            raise Misfit(f"would not come back equal from JSON; it can't hold it as {name}")
        return text.decode()

    def from_payload(text: str) -> Any:
        try:
            return decoder.decode(text)
        except msgspec.ValidationError:
            raise Misfit(f"JSON text that is not {name}") from None
        except msgspec.DecodeError:
            raise Misfit("text that is not JSON") from None

    return ScalarCodec(
        f"{name} (Json)", "S", object, str, to_payload, from_payload=from_payload, limitable=LENGTH, injective=False
    )


def _has_no_equality(kind: Any) -> bool:
    return kind.__eq__ is object.__eq__ or getattr(getattr(kind, "__struct_config__", None), "eq", True) is False


class StoredCodec(Codec):
    """A type of the user's own, stored as another type by two functions.

    Limits are put on the user's value, which must bear them.
    """

    limitable = NUMBER | LENGTH

    def __init__(
        self,
        name: str,
        inner: Codec,
        encode: Callable[[Any], Any],
        decode: Callable[[Any], Any],
        kinds: tuple[type[Any], ...],
    ) -> None:
        self.name = name
        self.inner = inner
        self.to_stored = encode
        self.from_stored = decode
        self.kinds = kinds
        self.tag = inner.tag
        self.payload_type = inner.payload_type
        self.depth = inner.depth

    def describe(self) -> str:
        return self.name

    def stored(self, value: Any) -> Any:
        """What is stored for a value of the user's."""
        if not isinstance(value, self.kinds):
            raise wrong_type(self.name, value)
        try:
            broken = next(self.constraints.problems(value), None)
        except Exception as error:  # noqa: BLE001 - it is the user's function
            raise Misfit(f"can't be compared with its limits: {place_of(error)}") from None
        if broken is not None:
            raise Misfit(broken)
        try:
            return self.to_stored(value)
        except Misfit:
            raise
        except Exception as error:  # noqa: BLE001 - it is the user's function
            raise Misfit(f"could not be encoded: its encode function raised {place_of(error)}") from None

    def restored(self, stored: Any) -> Any:
        """The user's value for what is stored."""
        try:
            return self.from_stored(stored)
        except Exception as error:  # noqa: BLE001 - it is the user's function
            raise Misfit(f"its decode function raised {place_of(error)}") from None

    def payload_source(self, scope: Scope, value: str) -> str:
        stored = scope.fresh()
        inner = self.inner.payload_source(scope, stored)
        return f"(({stored} := {scope.bind(self)}.stored({value})), {inner})[1]"

    def value_source(self, scope: Scope, payload: str) -> str:
        return f"{scope.bind(self)}.restored({self.inner.value_source(scope, payload)})"

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        try:
            stored = self.stored(value)
        except Misfit as misfit:
            yield path, str(misfit)
        else:
            yield from self.inner.problems(stored, path)

    def member(self, name: str) -> tuple[str, Codec] | None:
        return self.inner.member(name)

    def member_names(self) -> list[str]:
        return self.inner.member_names()

    def element(self) -> Codec | None:
        return self.inner.element()

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue | None]]:
        return self.inner.narrowed(wire).parts(wire)

    def strip_limits(self) -> Codec:
        inner = self.inner.unconstrained
        if not self.constraints and inner is self.inner:
            return self
        return StoredCodec(self.name, inner, self.to_stored, self.from_stored, self.kinds)
