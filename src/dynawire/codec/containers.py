"""Codecs of lists, tuples, sets and dicts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..mapping.value_codec import WireValue
from .base import Codec, Problem
from .misfit import Misfit
from .source import Scope

__all__ = ["DictCodec", "ListCodec", "SetCodec", "TupleCodec"]


class _ContainerCodec(Codec):
    """What lists, tuples, sets and dicts share: one exact class on the fast path, subclasses on the slow one."""

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
        """The payload of an instance of a subclass; everything else is a misfit."""
        for problem in self.own_problems(value):
            raise Misfit(problem)
        return self.encode_fast(self.kind(value))[self.tag]

    def own_problems(self, value: Any) -> Iterator[str]:
        """What is wrong with the container itself."""
        if not isinstance(value, self.kind):
            yield f"must be {self.describe()}, not {type(value).__name__}"
        else:
            yield from self.constraints.problems(value)

    def element_problems(self, value: Any, path: str) -> Iterator[Problem]:
        """What is wrong with its elements."""
        raise AssertionError(type(self).__name__)

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        own = list(self.own_problems(value))
        if own:
            yield from ((path, problem) for problem in own)
        else:
            yield from self.element_problems(value, path)


class ListCodec(_ContainerCodec):
    """``list[T]`` or ``tuple[T, ...]``, stored as L."""

    tag = "L"

    def __init__(self, element: Codec, kind: type[Any] = list) -> None:
        self.elements = element
        self.kind = kind
        self.payload_type = list[element.wire_type]  # type: ignore[name-defined]

    def describe(self) -> str:
        inner = self.elements.describe()
        return f"list[{inner}]" if self.kind is list else f"tuple[{inner}, ...]"

    def items_source(self, scope: Scope, value: str) -> str:
        one = scope.fresh()
        return f"[{self.elements.encode_source(scope, one)} for {one} in {value}]"

    def value_source(self, scope: Scope, payload: str) -> str:
        one = scope.fresh("w")
        source = f"[{self.elements.decode_source(scope, one)} for {one} in {payload}]"
        return source if self.kind is list else f"tuple({source})"

    def element_problems(self, value: Any, path: str) -> Iterator[Problem]:
        for position, one in enumerate(value):
            yield from self.elements.problems(one, f"{path}[{position}]")

    def element(self) -> Codec:
        return self.elements

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue]]:
        """Each element's place, codec and wire form."""
        for position, one in enumerate(wire["L"]):
            yield f"[{position}]", self.elements, one


class TupleCodec(_ContainerCodec):
    """``tuple[A, B]``, stored as L of exactly as many elements."""

    tag = "L"
    kind = tuple

    def __init__(self, elements: list[Codec]) -> None:
        self.elements = elements
        self.payload_type = tuple.__class_getitem__(tuple(one.wire_type for one in elements) or ((),))

    def describe(self) -> str:
        return f"tuple[{', '.join(one.describe() for one in self.elements)}]"

    def fast_tests(self, value: str) -> list[str]:
        return [*super().fast_tests(value), f"len({value}) == {len(self.elements)}"]

    def items_source(self, scope: Scope, value: str) -> str:
        encoders = [scope.bind(one) for one in self.elements]
        return f"[{', '.join(f'{name}.encode_fast({value}[{i}])' for i, name in enumerate(encoders))}]"

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

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue]]:
        """Each element's place, codec and wire form."""
        for position, (codec, one) in enumerate(zip(self.elements, wire["L"], strict=False)):
            yield f"[{position}]", codec, one


class SetCodec(_ContainerCodec):
    """``set[T]`` or ``frozenset[T]`` of text, numbers or binary, stored as SS, NS or BS."""

    def __init__(self, element: Codec, kind: type[Any] = set) -> None:
        self.elements = element
        self.kind = kind
        self.tag = element.tag + "S"
        self.payload_type = list[element.payload_type]  # type: ignore[name-defined]

    def describe(self) -> str:
        return f"{self.kind.__name__}[{self.elements.describe()}]"

    def fast_tests(self, value: str) -> list[str]:
        return [*super().fast_tests(value), value]

    def is_empty_source(self, value: str) -> str | None:
        return f"{value}.__class__ is {self.kind.__name__} and not {value}"

    def items_source(self, scope: Scope, value: str) -> str:
        one = scope.fresh()
        return f"[{self.elements.payload_source(scope, one)} for {one} in {value}]"

    def value_source(self, scope: Scope, payload: str) -> str:
        one = scope.fresh("w")
        inner = self.elements.value_source(scope, one)
        # Always a new set: the payload stays behind as what was loaded, and must not change with the instance.
        if inner == one:
            return f"{self.kind.__name__}({payload})"
        return f"{self.kind.__name__}([{inner} for {one} in {payload}])"

    def own_problems(self, value: Any) -> Iterator[str]:
        yield from super().own_problems(value)
        if isinstance(value, self.kind) and not value:
            yield (
                "is an empty set, which DynamoDB cannot store; declare attr(default_factory=set) so that an empty "
                "set is "
                "stored as an absent attribute, or remove the attribute"
            )

    def element_problems(self, value: Any, path: str) -> Iterator[Problem]:
        for one in value:
            yield from self.elements.problems(one, f"{path}{{}}")

    def element(self) -> Codec:
        return self.elements


class DictCodec(_ContainerCodec):
    """``dict[K, V]``, stored as M; keys that are not text are written as text."""

    tag = "M"
    kind = dict

    def __init__(self, key: Codec, value: Codec) -> None:
        self.keys = key
        self.values = value
        self.payload_type = dict[str, value.wire_type]  # type: ignore[name-defined]

    def describe(self) -> str:
        return f"dict[{self.keys.describe()}, {self.values.describe()}]"

    def items_source(self, scope: Scope, value: str) -> str:
        key, one = scope.fresh(), scope.fresh()
        pair = f"{self.keys.payload_source(scope, key)}: {self.values.encode_source(scope, one)}"
        return f"{{{pair} for {key}, {one} in {value}.items()}}"

    def value_source(self, scope: Scope, payload: str) -> str:
        key, one = scope.fresh("k"), scope.fresh("w")
        key_source = key if self.keys.payload_type is str else f"{scope.bind(_key_reader(self.keys))}({key})"
        if key_source == key:
            key_source = self.keys.value_source(scope, key)
        return f"{{{key_source}: {self.values.decode_source(scope, one)} for {key}, {one} in {payload}.items()}}"

    def element_problems(self, value: Any, path: str) -> Iterator[Problem]:
        for position, (key, one) in enumerate(value.items()):
            found = list(self.keys.problems(key, ""))
            # A key is a value of the item too, so the path shows where it stands instead of what it is.
            if found:
                yield path, f"key number {position + 1} {found[0][1]}"
            else:
                yield from self.values.problems(one, f"{path}[{key!r}]" if isinstance(key, str) else f"{path}[...]")

    def member(self, name: str) -> tuple[str, Codec] | None:
        return name, self.values

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue]]:
        """Each member's place, codec and wire form."""
        for key, one in wire["M"].items():
            yield f"[{key!r}]", self.values, one


def _key_reader(codec: Codec) -> Callable[[str], Any]:
    scope = Scope()
    convert = scope.function("convert", "payload", [f"return {codec.value_source(scope, 'payload')}"])

    def read(text: str) -> Any:
        return convert(msgspec.convert(text, codec.payload_type, strict=False))

    return read
