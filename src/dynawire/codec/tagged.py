"""The codec of several classes that are all stored as maps, told apart by one member: a tagged union."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..mapping.value_codec import WireValue
from .base import Codec, Problem
from .misfit import Misfit
from .records import LazyRecordCodec, RecordCodec
from .scalars import wrong_type
from .source import Scope

__all__ = ["RecordUnionCodec"]

AnyRecord = RecordCodec | LazyRecordCodec


class RecordUnionCodec(Codec):
    """Several classes stored as maps, told apart by one member.

    Args:
        variants: the codec of each class, by the text of the member's payload.
        stored_name: the member's name in DynamoDB.
        name: its name in Python; a TypedDict's class is told by it, since its instances are dicts.
    """

    tag = "M"
    payload_type = msgspec.Raw

    def __init__(self, variants: Mapping[str, AnyRecord], stored_name: str, name: str) -> None:
        self.variants_by_tag = dict(variants)
        self._stored_name = stored_name
        self._name = name
        self._by_class = {variant.cls: variant for variant in variants.values()}
        self.kinds = tuple(kind for variant in self._by_class.values() for kind in variant.kinds)
        self.depth = max(variant.depth for variant in variants.values())
        self._peek = msgspec.json.Decoder(
            msgspec.defstruct("Peek", [("tagged", dict[str, Any])], rename={"tagged": stored_name})
        )

    def describe(self) -> str:
        return " | ".join(variant.describe() for variant in self._by_class.values())

    def payload_source(self, scope: Scope, value: str) -> str:
        return f"{scope.bind(self)}.members_of({value})"

    def members_of(self, value: Any) -> Any:
        """The wire members of an instance of one of the classes."""
        variant = self._variant_of(value)
        if variant is None:
            raise wrong_type(self.describe(), value)
        return variant.encode_fast(value)["M"]

    def _variant_of(self, value: Any) -> AnyRecord | None:
        if not isinstance(value, dict):
            return self._by_class.get(value.__class__)
        tag = value.get(self._name)
        return self.variants_by_tag.get(str(getattr(tag, "value", tag)))

    def value_source(self, scope: Scope, payload: str) -> str:
        return f"{scope.bind(self)}.instance_of({payload})"

    def instance_of(self, payload: Any) -> Any:
        """The instance of raw members, of the class its tag names."""
        peeked: Any = self._peek.decode(payload)
        return self._target(peeked.tagged).instance_of(payload)

    def _target(self, tag: dict[str, Any]) -> AnyRecord:
        variant = self.variants_by_tag.get(str(next(iter(tag.values()), "")))
        if variant is None:
            raise Misfit(f"a map whose {self._stored_name} names none of {self.describe()}")
        return variant

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        variant = self._variant_of(value)
        if variant is None:
            yield path, str(wrong_type(self.describe(), value))
        else:
            yield from variant.problems(value, path)

    def member(self, name: str) -> tuple[str, Codec] | None:
        return next((found for variant in self._by_class.values() if (found := variant.member(name))), None)

    def member_names(self) -> list[str]:
        return list(dict.fromkeys(name for variant in self._by_class.values() for name in variant.member_names()))

    def narrowed(self, wire: WireValue) -> Codec:
        tag = wire.get("M", {}).get(self._stored_name)
        try:
            return self if tag is None else self._target(tag).narrowed(wire)
        except Misfit:
            return self

    def strip_limits(self) -> Codec:
        variants = {tag: variant.unconstrained for tag, variant in self.variants_by_tag.items()}
        if all(variants[tag] is self.variants_by_tag[tag] for tag in variants):
            return self
        return RecordUnionCodec(variants, self._stored_name, self._name)  # type: ignore[arg-type]
