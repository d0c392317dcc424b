"""Codecs of classes stored as maps: one generated encoder and one generated builder per class."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import msgspec

from ..mapping.attributes import NO_DEFAULT, Attribute
from ..mapping.class_mapping import nearest
from ..mapping.records import RecordFields
from ..mapping.value_codec import WireValue
from .base import ENDLESS, MAX_DEPTH, Codec, Problem
from .misfit import Misfit
from .scalars import wrong_type
from .source import Scope, made_later
from .unions import OptionalCodec

__all__ = ["LazyRecordCodec", "RecordCodec"]

_CONSTANTS = (str, int, bool, bytes, type(None))
_MISSING: Any = object()
MAX_INLINE_FIELDS = 12
MAX_INLINE_STEPS = 4


class RecordCodec(Codec):
    """A class stored as a map, member by member.

    Attributes:
        cls: the class.
        fields: what it is made of.
        codecs: one codec per field, by Python name.
        wire_members: the struct msgspec reads the map into; its fields are ``f0``, ``f1`` … in the order of the fields.
        encode_members: the generated function from an instance to its wire members, by stored name; it raises
            ENCODE_FAILURES.
    """

    tag = "M"
    _build: Callable[[Any], Any] | None = None

    def __init__(
        self, cls: type[Any], fields: RecordFields, codecs: dict[str, Codec], wire_members: Any = None
    ) -> None:
        self.cls = cls
        self.kind = dict if fields.is_dict else cls
        self.kinds = (self.kind,)
        self.fields = fields
        self.codecs = codecs
        self.depth = max((codec.depth for codec in codecs.values()), default=0) + 1
        self.wire_members = self.wire_struct() if wire_members is None else wire_members
        self.payload_type = self.wire_members
        self.encode_members: Callable[[Any], dict[str, Any]] = made_later(self, "encode_members", self.compile_encoder)

    def wire_struct(
        self,
        unstored: Collection[str] = (),
        more: Mapping[str, tuple[str, Any]] | None = None,
        *,
        more_may_lack: bool = False,
    ) -> type[msgspec.Struct]:
        """The struct msgspec reads an item into.

        Args:
            unstored: stored names of attributes that need not be there.
            more: further members, each with its stored name and type.
            more_may_lack: whether those need not be there.
        """
        required: list[Any] = []
        optional: list[Any] = []
        for name, (_, wire_type) in (more or {}).items():
            if more_may_lack:
                optional.append((name, wire_type | None, None))
            else:
                required.append((name, wire_type))
        renames = {name: stored_name for name, (stored_name, _) in (more or {}).items()}
        for position, attribute in enumerate(self.fields.attributes):
            wire_type = self.codecs[attribute.name].wire_type
            name = f"f{position}"
            renames[name] = attribute.stored_name
            if self.may_be_absent(attribute) or attribute.stored_name in unstored:
                optional.append((name, wire_type | None, None))
            else:
                required.append((name, wire_type))
        return msgspec.defstruct(
            f"Wire{self.cls.__name__}", [*required, *optional], rename=renames, gc=False, kw_only=True
        )

    def describe(self) -> str:
        return self.cls.__name__

    def may_be_absent(self, attribute: Attribute) -> bool:
        """Whether an item without it can be read."""
        return (
            attribute.has_default
            or isinstance(self.codecs[attribute.name], OptionalCodec)
            or attribute.name in self.fields.optional_members
        )

    def _leaves_none_out(self, attribute: Attribute) -> bool:
        return isinstance(self.codecs[attribute.name], OptionalCodec) and not attribute.stores_none

    # ------------------------------------------------------------------ encoding

    def compile_encoder(
        self, completing: Callable[[Scope], list[str]] | None = None
    ) -> Callable[[Any], dict[str, Any]]:
        """Generate the function from an instance to its wire members.

        Args:
            completing: gives source lines that complete the members, which they know as ``w``.
        """
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
                later.append(f"    w[{stored}] = {codec.encode_source(scope, value)}")
                later.append("    expected += 1")
                continue
            member = f"o[{attribute.name!r}]" if self.fields.is_dict else f"o.{attribute.name}"
            loads.append(f"{value} = {member}")
            if self._leaves_none_out(attribute):
                assert isinstance(codec, OptionalCodec)
                later.append(f"if {value} is not None:")
                later.append(f"    w[{stored}] = {codec.inner.encode_source(scope, value)}")
                continue
            empty = codec.is_empty_source(value)
            if empty is not None and attribute.has_default:
                test = f"{empty} and {scope.bind(_reads_back_empty)}({scope.bind(attribute)})"
                later.append(f"if not ({test}):")
                later.append(f"    w[{stored}] = {codec.encode_source(scope, value)}")
            else:
                entries.append(f"{stored}: {codec.encode_source(scope, value)}")
        if self.fields.tag is not None:
            name, tag = self.fields.tag
            entries.append(f"{name!r}: {_tag_wire(tag)!r}")
        display = f"{{{', '.join(entries)}}}"
        if self.fields.is_dict:
            required = len(self.fields.attributes) - len(self.fields.optional_members)
            loads.append(f"expected = {required}")
            later.append("if len(o) != expected:")
            later.append(f"    {scope.bind(self)}.refuse_unknown(o)")
        if completing is not None:
            later += completing(scope)
        if later:
            body = [*loads, f"w = {display}", *later, "return w"]
        else:
            body = [*loads, f"return {display}"]
        return scope.function(f"encode_{self.cls.__name__}", "o", body)

    def refuse_unknown(self, value: dict[str, Any]) -> None:
        """Refuse members that the TypedDict does not have: they would be lost."""
        raise Misfit("; ".join(reason for _, reason in self._unknown_members(value, "")))

    def _unknown_members(self, value: dict[Any, Any], path: str) -> Iterator[Problem]:
        for name in value.keys() - self.codecs.keys():
            near = nearest(name, self.codecs) if isinstance(name, str) else ""
            known = near or f"; it has {', '.join(self.codecs)}"
            yield path, f"has a member which {self.cls.__name__} does not have{known}"

    def payload_source(self, scope: Scope, value: str) -> str:
        codec = scope.bind(self)
        test = f"{value}.__class__ is {scope.bind(self.kind)}"
        return f"({codec}.encode_members({value}) if {test} else {codec}.wrong_class({value}))"

    def wrong_class(self, value: Any) -> Any:
        """Refuse a value of another class; a subclass too, since its own fields would be lost."""
        if isinstance(value, self.kind) and self.fields.is_dict:
            return self.encode_members(value)
        raise wrong_type(self.cls.__name__, value)

    # ------------------------------------------------------------------ decoding

    @property
    def build(self) -> Callable[[Any], Any]:
        """The generated function from the wire struct to an instance; it raises Misfit, or as constructors do."""
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

    def build_lines(self, scope: Scope, wire: str = "w") -> tuple[list[str], str]:
        """The lines that come first, and the expression of the instance."""
        if self.fields.is_dict:
            return self._dict_lines(scope)
        arguments: list[str] = []
        afterwards: list[str] = []
        for position, attribute in enumerate(self.fields.attributes):
            source = self.member_source(scope, position, wire)
            keyword = self.fields.keywords.get(attribute.name)
            if keyword is None:
                # Past __setattr__: the class may be frozen.
                afterwards.append(f"{scope.bind(object.__setattr__)}(instance, {attribute.name!r}, {source})")
            else:
                arguments.append(f"{keyword}={source}")
        cls = scope.bind(self.cls if self.fields.make is None else self.fields.make)
        call = f"{cls}.__new__({cls})" if self.fields.bare else f"{cls}({', '.join(arguments)})"
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
        # A small class is built on the spot, without a call of its own builder.
        is_plain = not self.fields.is_dict and len(self.fields.keywords) == len(self.fields.attributes)
        if is_plain and len(self.fields.attributes) <= MAX_INLINE_FIELDS and payload.count(".") <= MAX_INLINE_STEPS:
            return self.build_lines(scope, payload)[1]
        return f"{scope.bind(self)}.build({payload})"

    def instance_of(self, payload: Any) -> Any:
        """The instance of raw members."""
        return self.build(msgspec.json.decode(payload, type=self.wire_members, strict=False))

    # ------------------------------------------------------------------ the slow path

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if not isinstance(value, self.kind) or (value.__class__ is not self.kind and not self.fields.is_dict):
            yield path, str(wrong_type(self.cls.__name__, value))
        else:
            yield from self.member_problems(value, path)

    def member_problems(self, value: Any, path: str) -> Iterator[Problem]:
        """What is wrong with the members of an instance."""
        prefix = f"{path}." if path else ""
        for attribute in self.fields.attributes:
            name = attribute.name
            member = value.get(name, _MISSING) if self.fields.is_dict else getattr(value, name, _MISSING)
            if member is _MISSING:
                if name not in self.fields.optional_members:
                    yield prefix + name, "is missing"
            elif not (self.codecs[name].is_empty(member) and _reads_back_empty(attribute)):
                yield from self.codecs[name].problems(member, prefix + name)
        if self.fields.is_dict:
            yield from self._unknown_members(value, path)

    # ------------------------------------------------------------------ what is inside

    def member(self, name: str) -> tuple[str, Codec] | None:
        for attribute in self.fields.attributes:
            if attribute.name == name:
                return attribute.stored_name, self.codecs[name]
        return None

    def member_names(self) -> list[str]:
        return [attribute.name for attribute in self.fields.attributes]

    def parts(self, wire: WireValue) -> Iterator[tuple[str, Codec, WireValue | None]]:
        members = wire["M"]
        for attribute in self.fields.attributes:
            found = members.get(attribute.stored_name)
            if found is not None or not self.may_be_absent(attribute):
                yield f".{attribute.name}", self.codecs[attribute.name], found

    def strip_limits(self) -> Codec:
        codecs = {name: codec.unconstrained for name, codec in self.codecs.items()}
        if all(codecs[name] is self.codecs[name] for name in codecs):
            return self
        return RecordCodec(self.cls, self.fields, codecs, self.wire_members)


class LazyRecordCodec(Codec):
    """A class that contains itself: its members are read only when the instance around them is built."""

    tag = "M"
    payload_type = msgspec.Raw
    depth = ENDLESS

    def __init__(self, cls: type[Any], resolve: Callable[[], Codec]) -> None:
        self.cls = cls
        self.kinds = (dict if issubclass(cls, dict) else cls,)
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
        return f"{scope.bind(self)}.instance_of({payload})"

    def instance_of(self, payload: Any) -> Any:
        """The instance of raw members."""
        return self.target.instance_of(payload)

    def problems(self, value: Any, path: str) -> Iterator[Problem]:
        if path.count(".") > MAX_DEPTH:
            yield path, f"is nested deeper than the {MAX_DEPTH} levels DynamoDB takes"
        else:
            yield from self.target.problems(value, path)

    def member(self, name: str) -> tuple[str, Codec] | None:
        return self.target.member(name)

    def member_names(self) -> list[str]:
        return self.target.member_names()

    def narrowed(self, wire: WireValue) -> Codec:
        return self.target

    def strip_limits(self) -> Codec:
        return LazyRecordCodec(self.cls, lambda: self.target.unconstrained)


def _reads_back_empty(attribute: Attribute) -> bool:
    """Whether an absent attribute reads as an empty set."""
    if not attribute.has_default:
        return False
    default = attribute.make_default()
    return isinstance(default, (set, frozenset)) and not default


def _tag_wire(tag: str | int) -> WireValue:
    return {"S": tag} if isinstance(tag, str) else {"N": str(tag)}


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
