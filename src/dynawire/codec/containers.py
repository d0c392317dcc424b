"""Codecs of lists, tuples, sets and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from ..mapping.value_codec import WireValue
from .base import Codec, Problem
from .misfit import Misfit
from .scalars import LENGTH, bounded_length, wrong_type
from .source import Scope

__all__ = ["DictCodec", "ListCodec", "SetCodec", "TupleCodec"]


class _ContainerCodec(Codec):
    """What lists, tuples, sets and dicts share: one exact class on the fast path, other classes on the slow one."""

    limitable = LENGTH
    kind: type[Any]

    def items_source(self, scope: Scope, value: str) -> str:
        """Source of the payload of a value known to be of ``kind``."""
        raise AssertionError(type(self).__name__)

    def fast_tests(self, value: str) -> list[str]:
        """Sources of the tests the fast path needs."""
        tests = [f"{value}.__class__ is {self.kind.__name__}"]
        if self.constraints.min_length is not None:
            tests.append(f"len({value}) >= {self.constraints.min_length}")
        if self.constraints.max_length is not None:
            tests.append(f"len({value}) <= {self.constraints.max_length}")
        return tests

    def payload_source(self, scope: Scope, value: str) -> str:
        slow = f"{scope.bind(self)}.slow_payload({value})"
        return f"({self.items_source(scope, value)} if {' and '.join(self.fast_tests(value))} else {slow})"

    def slow_payload(self, value: Any) -> Any:
        """The payload of an instance of another class that is taken; everything else is a misfit."""
        for problem in self.own_problems(value):
            raise Misfit(problem)
        return self.encode_fast(self.kind(value))[self.tag]

    def own_problems(self, value: Any) -> Iterator[str]:
        """What is wrong with the container itself."""
        if not isinstance(value, self.kinds):
            yield str(wrong_type(self.describe(), value))
        else:
            yield from self.constraints.problems(value)

    def element_problems(self, value: Any, path: str) -> Iterator[Problem]:
        """What is wrong with its elements."""
        raise AssertionError(type(self).__name__)

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        own = list(self.own_problems(value))
        if own:
            yield from ((path, problem) for problem in own)
            return
        found = False
        for problem in self.element_problems(value, path):
            found = True
            yield problem
        if not found:
            # Members that are fine one by one may not go together.
            yield from super().problems(value, path)


class ListCodec(_ContainerCodec):
    """``list[T]``, ``Sequence[T]`` or ``tuple[T, ...]``, stored as L."""

    tag = "L"

    def __init__(self, element: Codec, kind: type[Any] = list, *, accepts: tuple[type[Any], ...] = ()) -> None:
        self.elements = element
        self.kind = kind
        self.kinds = (kind, *accepts)
        self.payload_type = list[element.wire_type]  # type: ignore[name-defined]
        self.depth = element.depth + 1

    def describe(self) -> str:
        inner = self.elements.describe()
        return f"list[{inner}]" if self.kind is list else f"tuple[{inner}, ...]"

    def items_source(self, scope: Scope, value: str) -> str:
        one = scope.fresh()
        return f"[{self.elements.encode_apart(scope, one)} for {one} in {value}]"

    def value_source(self, scope: Scope, payload: str) -> str:
        one = scope.fresh("w")
        source = f"[{self.elements.decode_apart(scope, one)} for {one} in {payload}]"
        return source if self.kind is list else f"tuple({source})"

    def element_problems(self, value: Any, path: str) -> Iterator[Problem]:
        for position, one in enumerate(value):
            yield from self.elements.problems(one, f"{path}[{position}]")

    def element(self) -> Codec:
        return self.elements

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue | None]]:
        for position, one in enumerate(wire["L"]):
            yield f"[{position}]", self.elements, one

    def strip_limits(self) -> Codec:
        return _with_elements(self, "elements", self.elements.unconstrained)


class TupleCodec(_ContainerCodec):
    """``tuple[A, B]``, stored as L of exactly as many elements."""

    tag = "L"
    kind = tuple
    kinds = (tuple,)
    limitable = frozenset()

    def __init__(self, elements: list[Codec]) -> None:
        self.elements = elements
        self.payload_type = tuple.__class_getitem__(tuple(one.wire_type for one in elements))
        self.depth = max((one.depth for one in elements), default=0) + 1

    def describe(self) -> str:
        return f"tuple[{', '.join(one.describe() for one in self.elements) or '()'}]"

    def fast_tests(self, value: str) -> list[str]:
        return [*super().fast_tests(value), f"len({value}) == {len(self.elements)}"]

    def items_source(self, scope: Scope, value: str) -> str:
        loads: list[str] = []
        parts: list[str] = []
        for position, codec in enumerate(self.elements):
            one = scope.fresh()
            loads.append(f"({one} := {value}[{position}])")
            parts.append(codec.encode_source(scope, one))
        return f"({', '.join(loads)}, [{', '.join(parts)}])[-1]" if parts else "[]"

    def value_source(self, scope: Scope, payload: str) -> str:
        parts = [one.decode_source(scope, f"{payload}[{i}]") for i, one in enumerate(self.elements)]
        return f"({', '.join(parts)},)" if parts else "()"

    def own_problems(self, value: Any) -> Iterator[str]:
        yield from super().own_problems(value)
        if isinstance(value, tuple) and len(value) != len(self.elements):
            yield f"must have exactly {len(self.elements)} elements, has {len(value)}"

    def element_problems(self, value: Any, path: str) -> Iterator[Problem]:
        for position, (codec, one) in enumerate(zip(self.elements, value, strict=True)):
            yield from codec.problems(one, f"{path}[{position}]")

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue | None]]:
        for position, (codec, one) in enumerate(zip(self.elements, wire["L"], strict=False)):
            yield f"[{position}]", codec, one

    def strip_limits(self) -> Codec:
        elements = [one.unconstrained for one in self.elements]
        if all(new is old for new, old in zip(elements, self.elements, strict=True)):
            return self
        copy = self.copied()
        copy.elements = elements
        return copy


class SetCodec(_ContainerCodec):
    """``set[T]`` or ``frozenset[T]`` of text, numbers or binary, stored as SS, NS or BS."""

    def __init__(
        self, element: Codec, kind: type[Any] = set, *, accepts: tuple[type[Any], ...] = (), injective: bool = True
    ) -> None:
        self.elements = element
        self.kind = kind
        self.kinds = (kind, *accepts)
        self.tag = element.tag + "S"
        self.payload_type = list[element.payload_type]  # type: ignore[name-defined]
        self._injective = injective

    def describe(self) -> str:
        return f"{self.kind.__name__}[{self.elements.describe()}]"

    def fast_tests(self, value: str) -> list[str]:
        return [*super().fast_tests(value), value]

    def is_empty_source(self, value: str) -> str | None:
        kinds = ", ".join(kind.__name__ for kind in self.kinds)
        return f"({value}.__class__ is {self.kind.__name__} or isinstance({value}, ({kinds},))) and not {value}"

    def is_empty(self, value: Any) -> bool:
        return isinstance(value, self.kinds) and not value

    def items_source(self, scope: Scope, value: str) -> str:
        one = scope.fresh()
        source = f"[{self.elements.payload_source(scope, one)} for {one} in {value}]"
        return source if self._injective else f"{scope.bind(_distinct)}({source})"

    def value_source(self, scope: Scope, payload: str) -> str:
        one = scope.fresh("w")
        inner = self.elements.value_source(scope, one)
        # Always a new set: the payload stays behind as what was loaded, and must not change with the instance.
        if inner == one:
            return f"{self.kind.__name__}({payload})"
        return f"{self.kind.__name__}([{inner} for {one} in {payload}])"

    def own_problems(self, value: Any) -> Iterator[str]:
        yield from super().own_problems(value)
        if isinstance(value, self.kinds) and not value:
            yield (
                "is an empty set, which DynamoDB cannot store; declare attr(default_factory=set) so that an empty set "
                "is stored as an absent attribute, or remove the attribute"
            )

    def element_problems(self, value: Any, path: str) -> Iterator[Problem]:
        for one in value:
            yield from self.elements.problems(one, f"{path}{{}}")

    def element(self) -> Codec:
        return self.elements

    def strip_limits(self) -> Codec:
        return _with_elements(self, "elements", self.elements.unconstrained)


class DictCodec(_ContainerCodec):
    """``dict[K, V]``, stored as M; keys that are not text are written as text."""

    tag = "M"
    kind = dict

    def __init__(
        self, key: Codec, value: Codec, *, accepts: tuple[type[Any], ...] = (), injective: bool = True
    ) -> None:
        self.keys = bounded_length(key, None, "is empty; DynamoDB's maps have no member without a name")
        self.values = value
        self.kinds = (dict, *accepts)
        self.payload_type = dict[str, value.wire_type]  # type: ignore[name-defined]
        self.depth = value.depth + 1
        self._injective = injective

    def describe(self) -> str:
        return f"dict[{self.keys.describe()}, {self.values.describe()}]"

    def items_source(self, scope: Scope, value: str) -> str:
        key, one = scope.fresh(), scope.fresh()
        pair = f"{self.keys.payload_source(scope, key)}: {self.values.encode_apart(scope, one)}"
        source = f"{{{pair} for {key}, {one} in {value}.items()}}"
        return source if self._injective else f"{scope.bind(_all_there)}({source}, {value})"

    def value_source(self, scope: Scope, payload: str) -> str:
        key, one = scope.fresh("k"), scope.fresh("w")
        if self.keys.payload_type is str and getattr(self.keys, "from_payload", None) is None:
            key_source = self.keys.value_source(scope, key)
        else:
            key_source = f"{scope.bind(_key_reader(self.keys))}({key})"
        return f"{{{key_source}: {self.values.decode_apart(scope, one)} for {key}, {one} in {payload}.items()}}"

    def element_problems(self, value: Mapping[Any, Any], path: str) -> Iterator[Problem]:
        for position, (key, one) in enumerate(value.items()):
            found = next((reason for _, reason in self.keys.problems(key, "")), None)
            if found is not None:
                yield path, f"has a key (number {position + 1}) that {found}"
            else:
                name = self.keys.encode_fast(key)[self.keys.tag]
                yield from self.values.problems(one, f"{path}[{name!r}]")

    def member(self, name: str) -> tuple[str, Codec] | None:
        return name, self.values

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue | None]]:
        for key, one in wire["M"].items():
            yield f"[{key!r}]", self.values, one

    def strip_limits(self) -> Codec:
        # Limits on the keys themselves stay: a map with other keys is another map.
        return _with_elements(self, "values", self.values.unconstrained)


def _with_elements(codec: Codec, name: str, elements: Codec) -> Codec:
    """A container's codec without limits of its own, and with other codecs inside."""
    if not codec.constraints and getattr(codec, name) is elements:
        return codec
    copy = codec.constrained(type(codec.constraints)())
    setattr(copy, name, elements)
    return copy


def _distinct(payloads: list[Any]) -> list[Any]:
    if len(set(payloads)) != len(payloads):
        raise Misfit("has two members that are stored as the same value")
    return payloads


def _all_there(members: dict[str, Any], value: Any) -> dict[str, Any]:
    if len(members) != len(value):
        raise Misfit("has two keys that are stored as the same text")
    return members


def _key_reader(codec: Codec) -> Callable[[str], Any]:
    scope = Scope()
    convert = scope.function("convert", "payload", [f"return {codec.value_source(scope, 'payload')}"])
    encode = codec.unconstrained.encode_fast

    def read(text: str) -> Any:
        try:
            value = convert(msgspec.convert(text, codec.payload_type, strict=False))
        except msgspec.ValidationError:
            raise Misfit(f"has a key that is no {codec.describe()}") from None
        # Names of members are text, so what is written otherwise is another member, beside the one that was read.
        if encode(value)[codec.tag] != text:
            raise Misfit(
                f"has a key in another form than {codec.describe()} is written in here, so that a change would add a "
                "second one; declare the keys str, which takes any"
            )
        return value

    return read
