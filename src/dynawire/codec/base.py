"""What every codec is: a pair of source templates for the fast path, and a slow path that says what is wrong.

A codec for one DynamoDB type describes the *payload*: what stands inside ``{"S": payload}``. The tag around it is the
same for all, so it is written here once. Codecs of several types (unions, ``Any``) override the tagged forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, Self, get_args, get_origin

import msgspec

from ..errors import DecodeError, LimitExceeded, ValidationError
from ..mapping.constraints import Constraints
from ..mapping.value_codec import ALL_TAGS, WireValue
from .misfit import Misfit, TooDeep, place_of
from .source import Scope

__all__ = ["ENCODE_FAILURES", "MAX_DEPTH", "Codec", "Problem", "wire_struct"]

Problem = tuple[str, str]
"""A path below the value and what is wrong there."""

MAX_DEPTH = 31
"""Levels of lists and maps DynamoDB takes in one attribute: 32 with the item itself."""

ENDLESS = 10**6
"""The depth of a type that holds itself."""

ENCODE_FAILURES = (Misfit, AttributeError, KeyError, RecursionError)
"""What a generated encoder raises: a misfit, a member that is missing, a value that holds itself."""

MAX_PROBLEMS = 100
MAX_LOOPS = 8
"""Comprehensions inside one another; CPython 3.12.1 crashes at 20."""

_NO_LIMITS = Constraints()
_shared_structs: dict[tuple[tuple[str, Any], ...], type[msgspec.Struct]] = {}


def wire_struct(payloads: tuple[tuple[str, Any], ...]) -> type[msgspec.Struct]:
    """The struct msgspec reads a tagged value into: one field per tag, all optional when there are several."""
    # Only those of built-in types are kept: a struct kept for ever would keep the classes in it.
    shared = all(map(_is_built_in, (payload for _, payload in payloads)))
    found = _shared_structs.get(payloads) if shared else None
    if found is None:
        fields: list[Any]
        if len(payloads) == 1:
            fields = list(payloads)
        else:
            fields = [(tag, payload | msgspec.UnsetType, msgspec.UNSET) for tag, payload in payloads]
        found = msgspec.defstruct("Wire" + "".join(tag for tag, _ in payloads), fields, gc=False)
        if shared:
            _shared_structs[payloads] = found
    return found


def _is_built_in(payload: Any) -> bool:
    if get_origin(payload) is list:
        return _is_built_in(get_args(payload)[0])
    return isinstance(payload, type) and get_origin(payload) is None and not issubclass(payload, msgspec.Struct)


class Codec:
    """Turns values of one Python type into DynamoDB's wire form and back.

    Attributes:
        tag: DynamoDB's type descriptor of what it writes, or "" when that depends on the value.
        payload_type: the type msgspec reads inside the tag.
        kinds: the classes of its values, for telling the members of a union apart.
        limitable: names of the limits (``ge``, ``min_length`` …) that have a meaning for its values.
        constraints: the limits on its values.
        depth: how many levels of lists and maps its values may have.
    """

    tag: str = ""
    payload_type: Any = Any
    kinds: tuple[type[Any], ...] = ()
    limitable: frozenset[str] = frozenset()
    constraints: Constraints = _NO_LIMITS
    depth: int = 0
    _encode: Callable[[Any], WireValue] | None = None
    _decode: Callable[[Any], Any] | None = None
    _without_limits: Codec | None = None
    _wire_type: Any = None

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
        if self._wire_type is None:
            self._wire_type = wire_struct(self.payloads)
        return self._wire_type

    def encode_source(self, scope: Scope, value: str) -> str:
        """Source of the wire form of the value held by the variable ``value``."""
        return f'{{"{self.tag}": {self.payload_source(scope, value)}}}'

    def decode_source(self, scope: Scope, wire: str) -> str:
        """Source of the value of a wire struct; ``wire`` is cheap to evaluate and holds no walrus."""
        return self.value_source(scope, f"{wire}.{self.tag}")

    def encode_apart(self, scope: Scope, value: str) -> str:
        """The same where it stands in a loop: a call, when the loops inside would be nested too deep for Python."""
        if MAX_LOOPS <= self.depth < ENDLESS:
            return f"{scope.bind(self)}.encode_fast({value})"
        return self.encode_source(scope, value)

    def decode_apart(self, scope: Scope, wire: str) -> str:
        """The same where it stands in a loop."""
        if MAX_LOOPS <= self.depth < ENDLESS:
            return f"{scope.bind(self)}.decode_fast({wire})"
        return self.decode_source(scope, wire)

    # ------------------------------------------------------------------ what is inside

    def is_empty_source(self, value: str) -> str | None:
        """Source of a test for a value that can only be stored by leaving it out (an empty set), if there is one."""
        return None

    def is_empty(self, value: Any) -> bool:
        """Whether a value can only be stored by leaving it out: the same test."""
        return False

    def member(self, name: str) -> tuple[str, Codec] | None:
        """The stored name and the codec of a map member; None when there is no such member."""
        return None

    def member_names(self) -> list[str]:
        """The Python names of the map members there are; none when any name may be one."""
        return []

    def element(self) -> Codec | None:
        """The codec of a list's or a set's elements; None when the type has none, or they differ in type."""
        return None

    def narrowed(self, wire: WireValue) -> Codec:
        """The codec of those it is made of that reads this wire form; itself when it is made of none."""
        return self

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue | None]]:
        """Place, codec and wire form of each value inside; None for one that is missing."""
        return iter(())

    # ------------------------------------------------------------------ compiled on first use

    @property
    def encode_fast(self) -> Callable[[Any], WireValue]:
        """The compiled encoder; it raises one of ENCODE_FAILURES."""
        if self._encode is None:
            scope = Scope()
            self._encode = scope.function("encode", "value", [f"return {self.encode_source(scope, 'value')}"])
        return self._encode

    @property
    def decode_fast(self) -> Callable[[Any], Any]:
        """The compiled builder from the wire struct; it raises Misfit, or what a constructor raises."""
        if self._decode is None:
            scope = Scope()
            self._decode = scope.function("decode", "wire", [f"return {self.decode_source(scope, 'wire')}"])
        return self._decode

    def encode(self, value: Any) -> WireValue:
        """The wire form of a value.

        Raises:
            ValidationError: the value is not of this type or cannot be stored.
            LimitExceeded: it is nested deeper than DynamoDB takes.
        """
        try:
            return (self._encode or self.encode_fast)(value)
        except (TooDeep, RecursionError):
            raise LimitExceeded(f"a value is nested deeper than the {MAX_DEPTH} levels DynamoDB takes") from None
        except ENCODE_FAILURES as failure:
            found = self.found_problems(value, failure)
        path, reason = found[0]
        raise ValidationError(getattr(reason, "told", reason), attribute=path or None, errors=found)

    def stated(self, model: str, path: str, reason: str) -> str:
        """One problem of an instance of a class, as part of a message."""
        return f"{model}.{path} {reason}" if path else f"{model} {reason}"

    def found_problems(self, value: Any, failure: Exception) -> tuple[Problem, ...]:
        """Everything wrong with a value whose encoding failed."""
        found = tuple(islice(self.problems(value, ""), MAX_PROBLEMS))
        if not found and not isinstance(failure, Misfit):
            raise failure
        return found or (("", str(failure)),)

    def decode(self, wire: WireValue) -> Any:
        """The value of a wire form as it came in a response.

        Raises:
            DecodeError: it is stored as something else.
        """
        try:
            return self.read(wire)
        except Exception as failure:  # noqa: BLE001 - constructors raise what they like
            found = "/".join(sorted(ALL_TAGS.intersection(wire))) or "none"
            reason = decode_reason(failure)
            raise DecodeError(
                f"expected {self.describe()}, found DynamoDB type {found}{reason and f' ({reason})'}",
                expected=self.describe(),
                found=found,
            ) from None

    def read(self, wire: WireValue) -> Any:
        """The value of a wire form; it raises whatever msgspec, a builder or a constructor raises."""
        return self.decode_fast(msgspec.json.decode(msgspec.json.encode(wire), type=self.wire_type, strict=False))

    # ------------------------------------------------------------------ limits

    def constrained(self, constraints: Constraints) -> Codec:
        """The same codec with these limits on its values."""
        copy = self.copied()
        copy.constraints = constraints
        return copy

    @property
    def unconstrained(self) -> Codec:
        """The same codec without limits, at any depth: a value to compare with, or one that is stored already, need
        not be one the attribute may have.
        """
        if self._without_limits is None:
            self._without_limits = self.strip_limits()
        return self._without_limits

    def strip_limits(self) -> Codec:
        return self.constrained(_NO_LIMITS) if self.constraints else self

    def copied(self) -> Self:
        """A codec like this one, with nothing compiled."""
        copy = object.__new__(type(self))
        compiled = ("_encode", "_decode", "_without_limits")
        copy.__dict__.update({name: one for name, one in self.__dict__.items() if name not in compiled})
        return copy


def decode_reason(failure: Exception) -> str:
    """Why reading failed, as far as more can be said than that the type is another."""
    if isinstance(failure, Misfit):
        return str(failure)
    if isinstance(failure, ValidationError):
        return failure.message  # a schema library's own
    if isinstance(failure, msgspec.MsgspecError):
        return ""
    return f"its constructor raised {place_of(failure)}"
