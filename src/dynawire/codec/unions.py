"""Codecs of optional values, unions, and the two kinds of number side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ..mapping.constraints import Constraints
from ..mapping.value_codec import WireValue
from .base import Codec, Problem
from .misfit import Misfit
from .scalars import NUMBER, ScalarCodec, wrong_type
from .source import Scope

__all__ = ["NumberCodec", "OptionalCodec", "UnionCodec"]


def _no_value(wire: Any) -> None:
    """None for a stored NULL; anything else is of another type than declared, and must not turn into None."""
    if getattr(wire, "NULL", None) is not True:
        raise Misfit("a value of another type")


def _first_present(scope: Scope, variants: Sequence[Codec], wire: str) -> str:
    """Source of the value of the variant whose tag is present; None if it is NULL; else a misfit."""
    unset, none = scope.bind(msgspec.UNSET), scope.bind(_no_value)
    source = ""
    for variant in variants:
        payload = scope.fresh("p")
        present = variant.value_source(scope, payload)
        source += f"{present} if ({payload} := {wire}.{variant.tag}) is not {unset} else "
    return f"({source}{none}({wire}))"


class OptionalCodec(Codec):
    """``T | None``; None is stored as NULL where it can't be left out."""

    def __init__(self, inner: Codec) -> None:
        self.inner = inner
        self.tag = inner.tag
        self.limitable = inner.limitable
        self.kinds = (*inner.kinds, type(None))
        self.depth = inner.depth

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
        return _first_present(scope, getattr(self.inner, "variants", (self.inner,)), wire)

    def is_empty_source(self, value: str) -> str | None:
        return self.inner.is_empty_source(value)

    def is_empty(self, value: Any) -> bool:
        return self.inner.is_empty(value)

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        return iter(()) if value is None else self.inner.problems(value, path)

    def member(self, name: str) -> tuple[str, Codec] | None:
        return self.inner.member(name)

    def member_names(self) -> list[str]:
        return self.inner.member_names()

    def element(self) -> Codec | None:
        return self.inner.element()

    def narrowed(self, wire: WireValue) -> Codec:
        return self if "NULL" in wire else self.inner.narrowed(wire)

    def constrained(self, constraints: Constraints) -> Codec:
        return OptionalCodec(self.inner.constrained(constraints))

    def strip_limits(self) -> Codec:
        inner = self.inner.unconstrained
        return self if inner is self.inner else OptionalCodec(inner)


class UnionCodec(Codec):
    """Several types, told apart by DynamoDB's type descriptor."""

    def __init__(self, variants: list[Codec]) -> None:
        self.variants = variants
        self.kinds = tuple(kind for variant in variants for kind in variant.kinds)
        self.limitable = frozenset().union(*(variant.limitable for variant in variants))
        self.depth = max(variant.depth for variant in variants)
        # One class may be that of several: a set is one of text, of numbers or of binary by what is in it.
        self._by_class = {
            kind: variant for variant in variants for kind in variant.kinds if self.kinds.count(kind) == 1
        }

    def describe(self) -> str:
        return " | ".join(variant.describe() for variant in self.variants)

    @property
    def tags(self) -> frozenset[str]:
        return frozenset().union(*(variant.tags for variant in self.variants))

    @property
    def payloads(self) -> tuple[tuple[str, Any], ...]:
        return tuple(payload for variant in self.variants for payload in variant.payloads)

    def encode_source(self, scope: Scope, value: str) -> str:
        return f"{scope.bind(self)}.encode_variant({value})"

    def encode_variant(self, value: Any) -> Any:
        """The wire form by the variant that takes the value."""
        variant = self._by_class.get(value.__class__)
        if variant is not None:
            return variant.encode_fast(value)
        for variant in self.variants:
            try:
                return variant.encode_fast(value)
            except Misfit:
                continue
        raise wrong_type(self.describe(), value)

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        variant = self._by_class.get(value.__class__)
        if variant is not None:
            yield from variant.problems(value, path)
            return
        found = list(super().problems(value, path))
        sharing = [variant for variant in self.variants if found and value.__class__ in variant.kinds]
        # What is nearest to one of them is told as that one tells it.
        yield from min((list(variant.problems(value, path)) for variant in sharing), key=len, default=found)

    def is_empty_source(self, value: str) -> str | None:
        tests = [test for variant in self.variants if (test := variant.is_empty_source(value)) is not None]
        return f"({' or '.join(tests)})" if tests else None

    def is_empty(self, value: Any) -> bool:
        return any(variant.is_empty(value) for variant in self.variants)

    def decode_source(self, scope: Scope, wire: str) -> str:
        return _first_present(scope, self.variants, wire)

    def member(self, name: str) -> tuple[str, Codec] | None:
        return next((found for variant in self.variants if (found := variant.member(name))), None)

    def member_names(self) -> list[str]:
        return [name for variant in self.variants for name in variant.member_names()]

    def element(self) -> Codec | None:
        return next((found for variant in self.variants if (found := variant.element())), None)

    def narrowed(self, wire: WireValue) -> Codec:
        return next((variant.narrowed(wire) for variant in self.variants if variant.tag in wire), self)

    def constrained(self, constraints: Constraints) -> Codec:
        return UnionCodec([variant.constrained(constraints.only(variant.limitable)) for variant in self.variants])

    def strip_limits(self) -> Codec:
        variants = [variant.unconstrained for variant in self.variants]
        same = all(new is old for new, old in zip(variants, self.variants, strict=True))
        return self if same else UnionCodec(variants)


class NumberCodec(ScalarCodec):
    """``int | float`` or ``int | Decimal``: whole numbers come back as int, others as the other type."""

    def __init__(self, whole: ScalarCodec, fraction: ScalarCodec) -> None:
        self.whole = whole
        self.fraction = fraction
        name = f"{whole.name} | {fraction.name}"

        def to_payload(value: Any) -> str:
            if isinstance(value, int) and not isinstance(value, bool):
                return str(whole.slow_payload(value))
            if not isinstance(value, fraction.kind):
                raise wrong_type(name, value)
            text = str(fraction.slow_payload(value))
            if isinstance(value, float) and value.is_integer() and abs(value) >= MAX_EXACT and _as_int(text) != value:
                raise Misfit(
                    "is a float that would come back as another number, an int; declare it float, or give an int"
                )
            return text

        def from_payload(text: str) -> Any:
            if "." not in text and "E" not in text and "e" not in text:
                return int(text)
            return fraction.kind(text)

        super().__init__(name, "N", int, str, to_payload, from_payload=from_payload, limitable=NUMBER)
        self.kinds = (int, fraction.kind)

    def strip_limits(self) -> Codec:
        whole, fraction = self.whole.unconstrained, self.fraction.unconstrained
        if not self.constraints and whole is self.whole and fraction is self.fraction:
            return self
        assert isinstance(whole, ScalarCodec)
        assert isinstance(fraction, ScalarCodec)
        return NumberCodec(whole, fraction)


MAX_EXACT = 2.0**53
"""Above, ``repr`` may show a whole float as another whole number that reads back as the same float."""


def _as_int(text: str) -> int:
    from decimal import Decimal

    return int(Decimal(text))
