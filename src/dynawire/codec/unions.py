"""Codecs of optional values, unions, and the two kinds of number side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from .base import Codec, Problem
from .misfit import Misfit
from .scalars import ScalarCodec
from .source import Scope

__all__ = ["NumberCodec", "OptionalCodec", "UnionCodec"]


def _no_value(wire: Any) -> None:
    """None for a stored NULL; anything else is of another type than declared, and must not turn into None."""
    if getattr(wire, "NULL", None) is not True:
        raise Misfit("a stored value has another type")


class OptionalCodec(Codec):
    """``T | None``; None is stored as NULL where it can't be left out."""

    def __init__(self, inner: Codec) -> None:
        self.inner = inner
        self.tag = inner.tag

    def describe(self) -> str:
        return f"{self.inner.describe()} | None"

    @property
    def tags(self) -> frozenset[str]:
        return self.inner.tags | {"NULL"}

    @property
    def payloads(self) -> tuple[tuple[str, Any], ...]:
        return (*self.inner.payloads, ("NULL", bool))

    def encode_source(self, scope: Scope, value: str) -> str:
        return f'({{"NULL": True}} if {value} is None else {self.inner.encode_source(scope, value)})'

    def decode_source(self, scope: Scope, wire: str) -> str:
        payload = scope.fresh("p")
        present = self.inner.value_source(scope, payload)
        unset, none = scope.bind(msgspec.UNSET), scope.bind(_no_value)
        return f"({present} if ({payload} := {wire}.{self.inner.tag}) is not {unset} else {none}({wire}))"

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        return iter(()) if value is None else self.inner.problems(value, path)

    def is_empty_source(self, value: str) -> str | None:
        return None  # an absent attribute reads as None, so an empty set has nowhere to go

    def member(self, name: str) -> tuple[str, Codec] | None:
        return self.inner.member(name)

    def element(self) -> Codec | None:
        return self.inner.element()

    @property
    def unconstrained(self) -> Codec:
        inner = self.inner.unconstrained
        return self if inner is self.inner else OptionalCodec(inner)

    def constrained(self, constraints: Any) -> Codec:
        return OptionalCodec(self.inner.constrained(constraints))


class UnionCodec(Codec):
    """``A | B`` of types stored as different DynamoDB types, perhaps with None."""

    def __init__(self, variants: list[Codec], optional: bool) -> None:
        self.variants = variants
        self.optional = optional

    def describe(self) -> str:
        names = [variant.describe() for variant in self.variants]
        return " | ".join([*names, "None"] if self.optional else names)

    @property
    def tags(self) -> frozenset[str]:
        tags: frozenset[str] = frozenset().union(*(variant.tags for variant in self.variants))
        return tags | {"NULL"} if self.optional else tags

    @property
    def payloads(self) -> tuple[tuple[str, Any], ...]:
        payloads = tuple(payload for variant in self.variants for payload in variant.payloads)
        return (*payloads, ("NULL", bool)) if self.optional else payloads

    def encode_source(self, scope: Scope, value: str) -> str:
        return f"{scope.bind(self)}.encode_variant({value})"

    def encode_variant(self, value: Any) -> Any:
        """The wire form by the variant that takes the value."""
        if value is None and self.optional:
            return {"NULL": True}
        for variant in self.variants:
            try:
                return variant.encode_fast(value)
            except Misfit:
                continue
        raise Misfit(self._reason(value))

    def _reason(self, value: Any) -> str:
        for variant in self.variants:
            if isinstance(value, getattr(variant, "kind", ())):
                for _, reason in variant.problems(value, ""):
                    return reason
        return f"must be {self.describe()}, not {type(value).__name__}"

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        try:
            self.encode_variant(value)
        except Misfit as misfit:
            yield path, str(misfit)

    def decode_source(self, scope: Scope, wire: str) -> str:
        unset, none = scope.bind(msgspec.UNSET), scope.bind(_no_value)
        source = ""
        for variant in self.variants:
            payload = scope.fresh("p")
            present = variant.value_source(scope, payload)
            source += f"{present} if ({payload} := {wire}.{variant.tag}) is not {unset} else "
        return f"({source}{none}({wire}))"

    def member(self, name: str) -> tuple[str, Codec] | None:
        return next((found for variant in self.variants if (found := variant.member(name))), None)

    def element(self) -> Codec | None:
        return next((found for variant in self.variants if (found := variant.element())), None)

    def constrained(self, constraints: Any) -> Codec:
        takers = [
            variant.constrained(constraints) if not variant.tags & {"BOOL"} else variant for variant in self.variants
        ]
        return UnionCodec(takers, self.optional)


class NumberCodec(ScalarCodec):
    """``int | float``, ``int | Decimal`` …: whole numbers come back as int, others as the other type."""

    def __init__(self, variants: list[ScalarCodec]) -> None:
        names = [variant.name for variant in variants]
        fraction = next((variant for variant in variants if variant.name == "Decimal"), None) or next(
            variant for variant in variants if variant.name == "float"
        )
        whole_as_int = "int" in names

        def to_payload(value: Any) -> str:
            for variant in variants:
                if type(value) is variant.kind:
                    return str(variant.to_payload(value))
            raise Misfit(f"must be {' | '.join(names)}, not {type(value).__name__}")

        def from_payload(text: str) -> Any:
            if whole_as_int and "." not in text and "E" not in text.upper():
                return int(text)
            return fraction.kind(text)

        super().__init__(" | ".join(names), "N", object, str, to_payload, from_payload=from_payload)
