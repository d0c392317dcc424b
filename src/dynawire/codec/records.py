"""Codecs of classes stored as maps: one generated encoder and one generated builder per class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..mapping.attributes import NO_DEFAULT, Attribute
from ..mapping.records import RecordFields
from ..mapping.value_codec import WireValue
from .base import Codec, Problem
from .misfit import Misfit
from .source import Scope
from .unions import OptionalCodec

__all__ = ["LazyRecordCodec", "RecordCodec", "RecordUnionCodec"]

_CONSTANTS = (str, int, bool, bytes, type(None))


class RecordCodec(Codec):
    """A class stored as a map, member by member.

    Attributes:
        cls: the class.
        fields: what it is made of.
        codecs: one codec per field, by Python name.
        wire_members: the struct msgspec reads the map into; its fields are ``f0``, ``f1`` … in the order of the fields.
    """

    tag = "M"

    def __init__(self, cls: type[Any], fields: RecordFields, codecs: dict[str, Codec]) -> None:
        self.cls = cls
        self.kind = dict if fields.is_dict else cls
        self.fields = fields
        self.codecs = codecs
        self._encode_members: Callable[[Any], dict[str, Any]] | None = None
        self._build: Callable[[Any], Any] | None = None
        members: list[Any] = []
        renames: dict[str, str] = {}
        required: list[Any] = []
        for position, attribute in enumerate(fields.attributes):
            wire_type = codecs[attribute.name].wire_type
            name = f"f{position}"
            renames[name] = attribute.stored_name
            if self.may_be_absent(attribute):
                members.append((name, wire_type | None if not isinstance(wire_type, str) else wire_type, None))
            else:
                required.append((name, wire_type))
        self.wire_members = msgspec.defstruct(
            f"Wire{cls.__name__}", [*required, *members], rename=renames, gc=False, kw_only=True
        )
        self.payload_type = self.wire_members

    def describe(self) -> str:
        return self.cls.__name__

    def may_be_absent(self, attribute: Attribute) -> bool:
        """Whether an item without it can be read."""
        return (
            attribute.has_default
            or isinstance(self.codecs[attribute.name], OptionalCodec)
            or attribute.name in self.fields.optional_members
        )

    # ------------------------------------------------------------------ encoding

    @property
    def encode_members(self) -> Callable[[Any], dict[str, Any]]:
        """The generated function from an instance to its wire members, by stored name; it raises Misfit."""
        if self._encode_members is None:
            self._encode_members = self._compile_encoder()
        return self._encode_members

    def _compile_encoder(self) -> Callable[[Any], dict[str, Any]]:
        scope = Scope()
        loads: list[str] = []
        entries: list[str] = []
        later: list[str] = []
        for attribute in self.fields.attributes:
            codec = self.codecs[attribute.name]
            value = scope.fresh()
            stored = repr(attribute.stored_name)
            if attribute.name in self.fields.optional_members:
                later.append(f"if {attribute.name!r} in o:")
                later.append(f"    {value} = o[{attribute.name!r}]")
                later.append(f"    members[{stored}] = {codec.encode_source(scope, value)}")
                continue
            member = f"o[{attribute.name!r}]" if self.fields.is_dict else f"o.{attribute.name}"
            loads.append(f"{value} = {member}")
            if isinstance(codec, OptionalCodec) and not attribute.store_none:
                later.append(f"if {value} is not None:")
                later.append(f"    members[{stored}] = {codec.inner.encode_source(scope, value)}")
                continue
            empty = codec.is_empty_source(value)
            if empty is not None and _reads_back_empty(attribute):
                later.append(f"if not ({empty}):")
                later.append(f"    members[{stored}] = {codec.encode_source(scope, value)}")
            else:
                entries.append(f"{stored}: {codec.encode_source(scope, value)}")
        display = f"{{{', '.join(entries)}}}"
        if later:
            body = [*loads, f"members = {display}", *later, "return members"]
        else:
            body = [*loads, f"return {display}"]
        return scope.function(f"encode_{self.cls.__name__}", "o", body)

    def payload_source(self, scope: Scope, value: str) -> str:
        codec = scope.bind(self)
        test = f"{value}.__class__ is {scope.bind(self.kind)}"
        return f"({codec}.encode_members({value}) if {test} else {codec}.wrong_class({value}))"

    def wrong_class(self, value: Any) -> Any:
        """Refuse a value of another class; a subclass too, since its own fields would be lost."""
        if isinstance(value, self.kind) and self.fields.is_dict:
            return self.encode_members(value)
        raise Misfit(f"must be {self.cls.__name__}, not {type(value).__name__}")

    # ------------------------------------------------------------------ decoding

    @property
    def build(self) -> Callable[[Any], Any]:
        """The generated function from the wire struct to an instance; it raises Misfit."""
        if self._build is None:
            scope = Scope()
            lines, instance = self.build_lines(scope)
            self._build = scope.function(f"build_{self.cls.__name__}", "w", [*lines, f"return {instance}"])
        return self._build

    def member_source(self, scope: Scope, position: int, wire: str = "w") -> str:
        """Source of the value of the field at this position."""
        attribute = self.fields.attributes[position]
        codec = self.codecs[attribute.name]
        member = f"{wire}.f{position}"
        if not self.may_be_absent(attribute):
            return codec.decode_source(scope, member)
        found = scope.fresh("m")
        present = codec.decode_source(scope, found)
        return f"({_default_source(scope, attribute)} if ({found} := {member}) is None else {present})"

    def build_lines(self, scope: Scope) -> tuple[list[str], str]:
        """The lines that come first, and the expression of the instance."""
        if self.fields.is_dict:
            return self._dict_lines(scope)
        arguments: list[str] = []
        afterwards: list[str] = []
        for position, attribute in enumerate(self.fields.attributes):
            source = self.member_source(scope, position)
            keyword = self.fields.keywords.get(attribute.name)
            if keyword is None:
                afterwards.append(f"object.__setattr__(instance, {attribute.name!r}, {source})")
            else:
                arguments.append(f"{keyword}={source}")
        call = f"{scope.bind(self.cls)}({', '.join(arguments)})"
        if not afterwards:
            return [], call
        return [f"instance = {call}", *afterwards], "instance"

    def _dict_lines(self, scope: Scope) -> tuple[list[str], str]:
        entries: list[str] = []
        later: list[str] = []
        for position, attribute in enumerate(self.fields.attributes):
            if attribute.name in self.fields.optional_members:
                found = scope.fresh("m")
                source = self.codecs[attribute.name].decode_source(scope, found)
                later += [
                    f"{found} = w.f{position}",
                    f"if {found} is not None:",
                    f"    d[{attribute.name!r}] = {source}",
                ]
            else:
                entries.append(f"{attribute.name!r}: {self.member_source(scope, position)}")
        return [f"d = {{{', '.join(entries)}}}", *later], "d"

    def value_source(self, scope: Scope, payload: str) -> str:
        return f"{scope.bind(self)}.build({payload})"

    # ------------------------------------------------------------------ the slow path

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, self.kind) or (value.__class__ is not self.kind and not self.fields.is_dict):
            yield path, f"must be {self.cls.__name__}, not {type(value).__name__}"
            return
        yield from self.member_problems(value, path)

    def member_problems(self, value: Any, path: str) -> Iterator[Problem]:
        """What is wrong with the members of an instance."""
        prefix = f"{path}." if path else ""
        for attribute in self.fields.attributes:
            codec = self.codecs[attribute.name]
            if self.fields.is_dict:
                if attribute.name not in value:
                    if attribute.name not in self.fields.optional_members:
                        yield prefix + attribute.name, "is missing"
                    continue
                member = value[attribute.name]
            else:
                member = getattr(value, attribute.name)
            if not (isinstance(member, (set, frozenset)) and not member and _reads_back_empty(attribute)):
                yield from codec.problems(member, prefix + attribute.name)

    def member(self, name: str) -> tuple[str, Codec] | None:
        for attribute in self.fields.attributes:
            if attribute.name == name:
                return attribute.stored_name, self.codecs[name]
        return None

    def member_names(self) -> list[str]:
        """Python names of its members."""
        return [attribute.name for attribute in self.fields.attributes]

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue | None]]:
        """Each member's place, codec and wire form; None for one that is missing."""
        members = wire["M"]
        for attribute in self.fields.attributes:
            found = members.get(attribute.stored_name)
            if found is not None or not self.may_be_absent(attribute):
                yield f".{attribute.name}", self.codecs[attribute.name], found


class LazyRecordCodec(Codec):
    """A class that contains itself: its members are read only when the instance around them is built."""

    tag = "M"
    payload_type = msgspec.Raw

    def __init__(self, cls: type[Any], resolve: Callable[[], Codec]) -> None:
        self.cls = cls
        self.kind = cls
        self._resolve = resolve

    @property
    def target(self) -> RecordCodec:
        """The codec this one stands for."""
        codec = self._resolve()
        assert isinstance(codec, RecordCodec)
        return codec

    def describe(self) -> str:
        return self.cls.__name__

    def payload_source(self, scope: Scope, value: str) -> str:
        return f"{scope.bind(self)}.members_of({value})"

    def members_of(self, value: Any) -> Any:
        """The wire members of an instance."""
        target = self.target
        return target.encode_members(value) if value.__class__ is target.kind else target.wrong_class(value)

    def value_source(self, scope: Scope, payload: str) -> str:
        return f"{scope.bind(self)}.read({payload})"

    def read(self, payload: Any) -> Any:
        """The instance of raw members."""
        target = self.target
        return target.build(msgspec.json.decode(payload, type=target.wire_members, strict=False))

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if path.count(".") > MAX_PATH_LEVELS:
            yield path, "is nested deeper than the 32 levels DynamoDB takes"
        else:
            yield from self.target.problems(value, path)

    def member(self, name: str) -> tuple[str, Codec] | None:
        return self.target.member(name)


MAX_PATH_LEVELS = 40


class RecordUnionCodec(Codec):
    """Several classes stored as maps, told apart by a field whose type is a Literal of its own in each."""

    tag = "M"
    payload_type = msgspec.Raw

    def __init__(self, variants: dict[str, RecordCodec], stored_name: str) -> None:
        self.variants = variants
        self.by_class = {variant.cls: variant for variant in variants.values()}
        self.kind: Any = tuple(self.by_class)
        self._peek = msgspec.json.Decoder(
            msgspec.defstruct("Peek", [("tagged", dict[str, Any])], rename={"tagged": stored_name})
        )

    def describe(self) -> str:
        return " | ".join(variant.describe() for variant in self.by_class.values())

    def payload_source(self, scope: Scope, value: str) -> str:
        return f"{scope.bind(self)}.members_of({value})"

    def members_of(self, value: Any) -> Any:
        """The wire members of an instance of one of the classes."""
        variant = self.by_class.get(value.__class__)
        if variant is None:
            raise Misfit(f"must be {self.describe()}, not {type(value).__name__}")
        return variant.encode_members(value)

    def value_source(self, scope: Scope, payload: str) -> str:
        return f"{scope.bind(self)}.read({payload})"

    def read(self, payload: Any) -> Any:
        """The instance of raw members, of the class its discriminator names."""
        peeked: Any = self._peek.decode(payload)
        tagged = peeked.tagged
        variant = self.variants.get(str(next(iter(tagged.values()), "")))
        if variant is None:
            raise Misfit(f"a stored map is none of {self.describe()}")
        return variant.build(msgspec.json.decode(payload, type=variant.wire_members, strict=False))

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        variant = self.by_class.get(value.__class__)
        if variant is None:
            yield path, f"must be {self.describe()}, not {type(value).__name__}"
        else:
            yield from variant.problems(value, path)


def _reads_back_empty(attribute: Attribute) -> bool:
    """Whether an absent attribute reads as an empty set."""
    if not attribute.has_default:
        return False
    default = attribute.make_default()
    return isinstance(default, (set, frozenset)) and not default


def _default_source(scope: Scope, attribute: Attribute) -> str:
    if attribute.default_factory is not NO_DEFAULT:
        if attribute.default_factory in (list, dict, set):
            return {list: "[]", dict: "{}", set: "set()"}[attribute.default_factory]
        return f"{scope.bind(attribute.default_factory)}()"
    if attribute.default is NO_DEFAULT:
        return "None"
    if type(attribute.default) in _CONSTANTS:
        return repr(attribute.default)
    return scope.bind(attribute.default)
