"""What every codec is: a pair of source templates for the fast path, and a slow path that says what is wrong.

A codec for one DynamoDB type describes the *payload*: what stands inside ``{"S": payload}``. The tag around it is the
same for all, so it is written here once. Codecs of several types (unions, ``Any``) override the tagged forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..errors import DecodeError, ValidationError
from ..mapping.constraints import Constraints
from ..mapping.value_codec import WireValue
from .misfit import Misfit
from .source import Scope

__all__ = ["Codec", "Problem", "wire_struct"]

Problem = tuple[str, str]
"""A path below the value and what is wrong there."""

_wire_structs: dict[tuple[tuple[str, Any], ...], type[msgspec.Struct]] = {}


def wire_struct(payloads: tuple[tuple[str, Any], ...]) -> type[msgspec.Struct]:
    """The struct msgspec reads a tagged value into: one field per tag, all optional when there are several."""
    found = _wire_structs.get(payloads)
    if found is None:
        fields: list[Any]
        if len(payloads) == 1:
            fields = list(payloads)
        else:
            fields = [(tag, payload | msgspec.UnsetType, msgspec.UNSET) for tag, payload in payloads]
        found = msgspec.defstruct("Wire" + "".join(tag for tag, _ in payloads), fields, gc=False)
        _wire_structs[payloads] = found
    return found


class Codec:
    """Turns values of one Python type into DynamoDB's wire form and back.

    Attributes:
        tag: DynamoDB's type descriptor of what it writes, or "" when that depends on the value.
        payload_type: the type msgspec reads inside the tag.
    """

    tag: str = ""
    payload_type: Any = Any
    constraints: Constraints = Constraints()

    # ------------------------------------------------------------------ what a codec of one tag defines

    def describe(self) -> str:
        """The Python type as a person writes it."""
        raise AssertionError(type(self).__name__)

    def payload_source(self, scope: Scope, value: str) -> str:
        """Source of the payload of the value held by the variable ``value``; it raises Misfit on a wrong value."""
        raise AssertionError(type(self).__name__)

    def value_source(self, scope: Scope, payload: str) -> str:
        """Source of the value of a payload; ``payload`` is cheap to evaluate and holds no walrus."""
        return payload

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        """Everything wrong with a value. The default says what one attempt to encode it raises."""
        try:
            self.encode_fast(value)
        except Misfit as misfit:
            yield path, str(misfit)

    # ------------------------------------------------------------------ the tagged forms

    @property
    def tags(self) -> frozenset[str]:
        """The DynamoDB types a stored value may have."""
        return frozenset((self.tag,))

    @property
    def payloads(self) -> tuple[tuple[str, Any], ...]:
        """Every tag with the type msgspec reads inside it."""
        return ((self.tag, self.payload_type),)

    @property
    def wire_type(self) -> Any:
        """The type msgspec reads the tagged value into."""
        return wire_struct(self.payloads)

    def encode_source(self, scope: Scope, value: str) -> str:
        """Source of the wire form of the value held by the variable ``value``."""
        return f'{{"{self.tag}": {self.payload_source(scope, value)}}}'

    def decode_source(self, scope: Scope, wire: str) -> str:
        """Source of the value of a wire struct; ``wire`` is cheap to evaluate and holds no walrus."""
        return self.value_source(scope, f"{wire}.{self.tag}")

    def is_empty_source(self, value: str) -> str | None:
        """Source of a test for a value that can only be stored by leaving it out (an empty set), if there is one."""
        return None

    def member(self, name: str) -> tuple[str, Codec] | None:
        """The stored name and the codec of a map member; None when there is no such member."""
        return None

    def element(self) -> Codec | None:
        """The codec of a list's or a set's elements; None when the type has none."""
        return None

    # ------------------------------------------------------------------ compiled on first use

    @property
    def encode_fast(self) -> Callable[[Any], WireValue]:
        """The compiled encoder; it raises Misfit."""
        function = self.__dict__.get("_encode")
        if function is None:
            scope = Scope()
            function = scope.function("encode", "value", [f"return {self.encode_source(scope, 'value')}"])
            self.__dict__["_encode"] = function
        return function

    @property
    def decode_fast(self) -> Callable[[Any], Any]:
        """The compiled builder from the wire struct; it raises Misfit."""
        function = self.__dict__.get("_decode")
        if function is None:
            scope = Scope()
            function = scope.function("decode", "wire", [f"return {self.decode_source(scope, 'wire')}"])
            self.__dict__["_decode"] = function
        return function

    def encode(self, value: Any) -> WireValue:
        """The wire form of a value.

        Raises:
            ValidationError: the value is not of this type or cannot be stored.
        """
        try:
            return self.encode_fast(value)
        except Misfit:
            found = tuple(self.problems(value, ""))
            path, reason = found[0]
            raise ValidationError(reason, attribute=path or None, errors=found) from None

    def decode(self, wire: WireValue) -> Any:
        """The value of a wire form as it came in a response.

        Raises:
            DecodeError: it is stored as something else.
        """
        try:
            return self.decode_fast(msgspec.json.decode(msgspec.json.encode(wire), type=self.wire_type, strict=False))
        except (msgspec.ValidationError, Misfit, ValueError):
            found = "/".join(wire)
            raise DecodeError(
                f"expected {self.describe()}, found DynamoDB type {found}", expected=self.describe(), found=found
            ) from None

    @property
    def unconstrained(self) -> Codec:
        """The same codec without limits: a value to compare with, or to add, need not be one the attribute may have."""
        return self.constrained(Constraints()) if self.constraints else self

    def constrained(self, constraints: Constraints) -> Codec:
        """The same codec with limits on its values."""
        copy: Codec = object.__new__(type(self))
        copy.__dict__.update({k: v for k, v in self.__dict__.items() if k not in ("_encode", "_decode")})
        copy.constraints = constraints
        return copy
