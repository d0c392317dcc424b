"""The codec plan of a mapped class: everything compiled that its operations need."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import LimitExceeded, ValidationError
from ..mapping.adapters.base import Adapter
from ..mapping.annotations import Names
from ..mapping.class_mapping import ClassMapping
from ..mapping.records import RecordFields
from ..mapping.value_codec import shown_path
from .base import ENCODE_FAILURES, MAX_DEPTH, Codec
from .checks import check_codecs
from .misfit import Misfit, TooDeep
from .reading import ReadingPlan, WireItem
from .records import RecordCodec
from .resolve import Resolver
from .size import MAX_ITEM_BYTES, item_size, nesting
from .source import Scope, made_later

if TYPE_CHECKING:
    from ..mapping.migrations import Versions
    from .key_only import KeyOnly

__all__ = ["ClassPlan"]


class ClassPlan(ReadingPlan):
    """Everything compiled for one mapped class.

    Attributes:
        mapping: what the class means.
        codecs: one codec per attribute, by Python name.
        key_codecs: the primary key's codecs, partition key first.
        key_names: stored names of the primary key's attributes.
        key_only: the attributes that are in the key alone, which is composed of them; None: there are none.
        versions: what its migrations say; None: it has none.
        check_before, check_after: called for an instance around the check of its values; None: nothing is.
        encode_for_write: encodes what is to be written: ``encode``, or ``encode_checked`` where that calls something.
        load_before: called for an item that is about to become an instance; None: nothing is.
        load_after: called for an instance that was made of an item; None: nothing is.
    """

    versions: Versions | None = None

    def __init__(
        self, mapping: ClassMapping, fields: RecordFields, adapter: Adapter, names: Names | None = None
    ) -> None:
        self.mapping = mapping
        self.name = mapping.name
        self.codecs = Resolver(names).attribute_codecs(mapping.attributes.values(), mapping.cls)
        check_codecs(mapping, self.codecs)
        self.record = _record_codec(mapping.cls, fields, self.codecs)
        self.key_attributes = mapping.key_attributes
        self.key_codecs = tuple(self.codecs[attribute.name] for attribute in self.key_attributes)
        self.key_names = tuple(attribute.stored_name for attribute in mapping.key)
        self.key_only = _key_only(mapping, self.record)
        self._deep = [
            attribute for attribute in mapping.attributes.values() if self.codecs[attribute.name].depth > MAX_DEPTH
        ]
        self.adapter = adapter
        self._completing: Callable[[Scope], list[str]] | None = None
        self._compile_key: Callable[[], Callable[[WireItem], WireItem]] | None = None
        self.check_before: Callable[[Any], None] | None = None
        self.check_after: Callable[[Any], None] | None = None
        self.load_before: Callable[[WireItem], None] | None = None
        self.load_after: Callable[[Any], None] | None = None
        self.encode_for_write: Callable[[Any], WireItem] = self.encode
        self._compile()

    def compute_with(
        self,
        completing: Callable[[Scope], list[str]],
        compile_key: Callable[[], Callable[[WireItem], WireItem]] | None = None,
    ) -> None:
        """Say what completes every item, in source lines, and how to compile what makes the key of its sources."""
        self._completing = completing
        self._compile_key = compile_key

    # ------------------------------------------------------------------ compiling

    @property
    def members(self) -> Any:
        """The type msgspec reads an item into, for ``build``."""
        return self.record.wire_members

    def _compile(self) -> None:
        # Each when first called: many a program reads a class without ever writing it, or the other way round.
        self.build: Callable[[Any], Any] = made_later(self, "build", self._builder)
        self.build_many: Callable[[Any], list[Any]] = made_later(self, "build_many", self._page_builder)
        self._encode_members: Callable[[Any], WireItem] = made_later(self, "_encode_members", self._member_encoder)
        self._encode_key: Callable[[Sequence[Any]], WireItem] = made_later(self, "_encode_key", self._key_encoder)
        self._compile_reading()

    def _instance_lines(self, scope: Scope) -> list[str]:
        lines, instance = self.record.build_lines(scope)
        restored = [] if self.key_only is None else [f"{scope.bind(self.key_only.restore)}(w)"]
        found = [*restored, *lines, f"o = {instance}"]
        if self.adapter.keeps_on_instance:
            found.append("o._loaded = w")
        elif self.adapter.tracks:
            found.append(f"{scope.bind(self.adapter.keep)}(o, w)")
        return found

    def _member_encoder(self) -> Callable[[Any], WireItem]:
        return self.record.compile_encoder(self._completing)

    def _builder(self) -> Callable[[Any], Any]:
        scope = Scope()
        return scope.function(f"build_{self.name}", "w", [*self._instance_lines(scope), "return o"])

    def _page_builder(self) -> Callable[[Any], list[Any]]:
        scope = Scope()
        lines = [f"    {line}" for line in self._instance_lines(scope)]
        loop = ["items = []", "add = items.append", "for w in wires:", *lines, "    add(o)", "return items"]
        return scope.function(f"build_many_{self.name}", "wires", loop)

    def _key_encoder(self) -> Callable[[Sequence[Any]], WireItem]:
        scope = Scope()
        values = [scope.fresh() for _ in self.key_codecs]
        members = [
            f"{attribute.stored_name!r}: {codec.encode_source(scope, value)}"
            for attribute, codec, value in zip(self.key_attributes, self.key_codecs, values, strict=True)
        ]
        unpacked = [f"{', '.join(values)}, = values"] if values else []
        key = f"{{{', '.join(members)}}}"
        if self._compile_key is not None:
            key = f"{scope.bind(self._compile_key())}({key})"
        return scope.function(f"encode_key_{self.name}", "values", [*unpacked, f"return {key}"])

    # ------------------------------------------------------------------ writing

    def stored(self, wire: WireItem) -> WireItem:
        """What of an item is stored: all but what is in its key alone."""
        return wire if self.key_only is None else self.key_only.stored(wire)

    def encode(self, instance: Any) -> WireItem:
        """The item of an instance, by stored name; binary is ``bytes``.

        Raises:
            ValidationError: it is not of this class, or a value does not fit; every failure found is in ``errors``.
            LimitExceeded: it is nested deeper than DynamoDB takes.
        """
        try:
            wire = self._encode_members(instance)
        except (TooDeep, RecursionError):
            raise self._too_deep(instance) from None
        except ENCODE_FAILURES as failure:
            refusal = self.refusal(instance, failure)
        except TypeError:
            if instance.__class__ is self.record.kind:
                raise
            # What is no dict has no members to look up.
            refusal = self.refusal(instance)
        else:
            if instance.__class__ is not self.record.kind:
                raise self.refusal(instance)
            if self._deep:
                self._check_depth(wire)
            return wire
        raise refusal

    def encode_without_limits(self, instance: Any) -> WireItem | None:
        """The item of an instance whose values may be beyond the limits of their attributes; None when it is not of
        this class, or does not fit for another reason.
        """
        if instance.__class__ is not self.record.kind:
            return None
        record = self.record.unconstrained
        assert isinstance(record, RecordCodec)
        try:
            return record.encode_members(instance)
        except (*ENCODE_FAILURES, ValidationError):
            return None

    def encode_checked(self, instance: Any) -> WireItem:
        """The item of an instance, as :meth:`encode` gives it, with what is called around that."""
        self.call_before_check(instance)
        wire = self.encode(instance)
        if self.check_after is not None:
            self.check_after(instance)
        return wire

    def call_before_check(self, instance: Any) -> None:
        """Call what is called before the values of an instance are checked."""
        if self.check_before is not None and instance.__class__ is self.record.kind:
            self.check_before(instance)

    def _check_depth(self, wire: WireItem) -> None:
        for attribute in self._deep:
            value = wire.get(attribute.stored_name)
            if value is not None and nesting(value) > MAX_DEPTH:
                raise self._nested_too_deep(attribute.name)

    def _too_deep(self, instance: Any) -> LimitExceeded:
        for name, codec in self.codecs.items():
            try:
                codec.encode_fast(self.adapter.value(instance, name))
            except (TooDeep, RecursionError):
                return self._nested_too_deep(name)
            except ENCODE_FAILURES:
                continue
        return self._nested_too_deep("")

    def _nested_too_deep(self, name: str) -> LimitExceeded:
        return LimitExceeded(
            f"{self.name}{name and f'.{name}'} is nested deeper than the {MAX_DEPTH} levels DynamoDB takes in one "
            "attribute; nothing was sent"
        )

    def check_size(self, wire: WireItem, json_bytes: int) -> None:
        """Refuse an item DynamoDB would refuse for its size.

        Args:
            wire: the item.
            json_bytes: the length of its JSON, which is never less than the item's own size.

        Raises:
            LimitExceeded: it is over 409,600 bytes.
        """
        if json_bytes > MAX_ITEM_BYTES and (size := item_size(wire)) > MAX_ITEM_BYTES:
            raise LimitExceeded(
                f"this {self.name} has {size:,} bytes; a DynamoDB item has at most {MAX_ITEM_BYTES:,} (400 KB), "
                "names included; nothing was sent"
            )

    def refusal(self, instance: Any, failure: Exception | None = None) -> ValidationError:
        """The error that names everything wrong with an instance.

        Args:
            instance: what was to be written.
            failure: what its encoder raised.
        """
        if type(instance) is not self.record.kind:
            return ValidationError(f"expected {self.name}, got {type(instance).__name__}", model=self.name)
        found = self.record.found_problems(instance, failure or Misfit("can't be stored"))
        text = "; ".join(self.record.stated(self.name, shown_path(path), reason) for path, reason in found)
        return ValidationError(
            f"{text}; nothing was sent", model=self.name, attribute=found[0][0] or None, errors=found
        )

    def encode_key(self, values: Sequence[Any]) -> WireItem:
        """The primary key of these values, partition key first.

        Raises:
            ValidationError: too few, too many, or a value that can't be that key.
        """
        codecs = self.key_codecs
        if len(values) != len(codecs):
            raise self._wrong_key_count(values)
        try:
            return self._encode_key(values)
        except Misfit:
            for attribute, codec, value in zip(self.key_attributes, codecs, values, strict=True):
                for _, reason in codec.problems(value, ""):
                    raise ValidationError(
                        codec.stated(self.name, attribute.name, reason), model=self.name, attribute=attribute.name
                    ) from None
            raise

    def _wrong_key_count(self, values: Sequence[Any]) -> ValidationError:
        names = [attribute.name for attribute in self.key_attributes]
        return ValidationError(
            f"the key of {self.name} is ({', '.join(names)}): give {len(names)} value{'s' * (len(names) > 1)}, not "
            f"{len(values)}",
            model=self.name,
        )

    def key_values(self, instance: Any) -> tuple[Any, ...]:
        """The primary key's values of an instance."""
        value = self.adapter.value
        try:
            return tuple(value(instance, attribute.name) for attribute in self.key_attributes)
        except (AttributeError, KeyError):
            raise self.refusal(instance) from None


def _record_codec(cls: type[Any], fields: RecordFields, codecs: dict[str, Codec]) -> RecordCodec:
    if fields.schema is None:
        return RecordCodec(cls, fields, codecs)
    from .dumped import DumpedRecordCodec

    return DumpedRecordCodec(cls, fields, codecs)


def _key_only(mapping: ClassMapping, record: RecordCodec) -> KeyOnly | None:
    if mapping.placement is None:
        return None
    from .key_only import keep_stored_key, key_only_of

    if not mapping.placement.layout.store_keys:
        return key_only_of(mapping, record)
    keep_stored_key(mapping, record)
    return None
