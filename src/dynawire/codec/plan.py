"""The codec plan of a mapped class: everything compiled that its operations need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ..errors import DecodeError, LimitExceeded, SchemaError, ValidationError
from ..mapping.attributes import NO_DEFAULT, Attribute
from ..mapping.class_mapping import ClassMapping
from ..mapping.records import RecordFields
from .diagnosis import locate
from .dynamic import MAX_DEPTH, AnyCodec
from .misfit import Misfit
from .records import LazyRecordCodec, RecordCodec
from .resolve import attribute_codec
from .scalars import ScalarCodec
from .size import MAX_ITEM_BYTES, item_size, nesting
from .source import Scope
from .unions import OptionalCodec

__all__ = ["NO_POSITION", "ClassPlan", "Page"]

MAX_PARTITION_KEY_BYTES = 2048
MAX_SORT_KEY_BYTES = 1024
KEY_TAGS = frozenset({"S", "N", "B"})

WireItem = dict[str, Any]
_DECODE_FAILURES = (msgspec.ValidationError, Misfit, ValueError, TypeError)


NO_POSITION = msgspec.Raw()
"""Stands for a missing LastEvaluatedKey."""


class Page(msgspec.Struct, gc=False):
    """One page of a Query or Scan as it came.

    Attributes:
        Items: the items, decoded as far as the plan's wire types go.
        Count, ScannedCount: items after and before the filter.
        LastEvaluatedKey: where the next page starts, as raw JSON; NO_POSITION when this was the last.
        ConsumedCapacity: what it cost, when asked for.
    """

    Items: Any = ()
    Count: int = 0
    ScannedCount: int = 0
    LastEvaluatedKey: msgspec.Raw = NO_POSITION
    ConsumedCapacity: Any = None


class ClassPlan:
    """Everything compiled for one mapped class.

    Attributes:
        mapping: what the class means.
        codecs: one codec per attribute, by Python name.
        key_codecs: the primary key's codecs, partition key first.
        key_names: stored names of the primary key's attributes.
    """

    def __init__(self, mapping: ClassMapping, fields: RecordFields, *, keeps_loaded: bool) -> None:
        self.mapping = mapping
        self.name = mapping.name
        self.codecs = {
            attribute.name: attribute_codec(attribute, mapping.name) for attribute in mapping.attributes.values()
        }
        self._check_keys()
        self.record = RecordCodec(mapping.cls, fields, self.codecs)
        self.key_attributes = mapping.key
        self.key_codecs = tuple(self.codecs[attribute.name] for attribute in mapping.key)
        self.key_names = tuple(attribute.stored_name for attribute in mapping.key)
        self._deep = any(_may_nest_without_end(codec) for codec in self.codecs.values())
        self._compile(keeps_loaded)

    # ------------------------------------------------------------------ declaration

    def _check_keys(self) -> None:
        limits = {attribute.name: limit for attribute, limit in self._key_limits()}
        for name, limit in limits.items():
            codec = self.codecs[name]
            inner = codec.inner if isinstance(codec, OptionalCodec) else codec
            if isinstance(inner, ScalarCodec) and inner.kind in (str, bytes):
                bounded = _bounded_key(inner, limit)
                self.codecs[name] = OptionalCodec(bounded) if isinstance(codec, OptionalCodec) else bounded

    def _key_limits(self) -> list[tuple[Attribute, int]]:
        mapping = self.mapping
        found: list[tuple[Attribute, int]] = []
        for attribute in mapping.key:
            self._check_key(attribute, attribute.role or "key", optional=False)
            found.append((attribute, MAX_SORT_KEY_BYTES if attribute.role == "sort_key" else MAX_PARTITION_KEY_BYTES))
        for index_name, index in mapping.indexes.items():
            for name in index.key_names():
                attribute = mapping.attributes[name]
                self._check_key(attribute, f"key of the index {index_name}", optional=True)
                limit = MAX_SORT_KEY_BYTES if name in index.sort_key else MAX_PARTITION_KEY_BYTES
                found.append((attribute, limit))
        return sorted(found, key=lambda pair: -pair[1])

    def _check_key(self, attribute: Attribute, what: str, *, optional: bool) -> None:
        codec = self.codecs[attribute.name]
        tags = codec.tags - {"NULL"} if optional else codec.tags
        if len(tags) != 1 or not tags <= KEY_TAGS:
            allowed = "text, a number or binary (str, int, Decimal, float, bytes, datetime, UUID, Enum …)"
            raise SchemaError(
                f"{self.name}.{attribute.name}: a {what} is stored as {allowed}, never {codec.describe()}",
                model=self.name,
                attribute=attribute.name,
            )
        if optional and attribute.store_none:
            raise SchemaError(
                f"{self.name}.{attribute.name}: DynamoDB refuses NULL in the {what}; leave store_none out, so that "
                "None is an "
                "absent attribute and the item is left out of the index",
                model=self.name,
                attribute=attribute.name,
            )

    # ------------------------------------------------------------------ compiling

    def _compile(self, keeps_loaded: bool) -> None:
        record = self.record
        scope = Scope()
        lines, instance = record.build_lines(scope)
        body = [*lines, f"o = {instance}"]
        if keeps_loaded:
            body.append("o._loaded = w")
        self.build: Callable[[Any], Any] = scope.function(f"build_{self.name}", "w", [*body, "return o"])
        loop = ["items = []", "add = items.append", "for w in wires:", *(f"    {line}" for line in body), "    add(o)"]
        self.build_many: Callable[[Any], list[Any]] = scope.function(
            f"build_many_{self.name}", "wires", [*loop, "return items"]
        )
        item_output = msgspec.defstruct(
            "ItemOutput", [("Item", record.wire_members | None, None), ("ConsumedCapacity", Any, None)], gc=False
        )
        self._read_item = msgspec.json.Decoder(item_output, strict=False).decode
        attributes_output = msgspec.defstruct(
            "AttributesOutput",
            [("Attributes", record.wire_members | None, None), ("ConsumedCapacity", Any, None)],
            gc=False,
        )
        self._read_attributes = msgspec.json.Decoder(attributes_output, strict=False).decode
        page_output = msgspec.defstruct(
            "PageOutput",
            [("Items", list[record.wire_members], ()), *_page_fields],  # type: ignore[name-defined]
            gc=False,
        )
        self._read_page = msgspec.json.Decoder(page_output, strict=False).decode

    # ------------------------------------------------------------------ writing

    def encode(self, instance: Any) -> WireItem:
        """The item of an instance, by stored name; binary is ``bytes``.

        Raises:
            ValidationError: a value does not fit; every failure found is in ``errors``.
            LimitExceeded: it is nested deeper than DynamoDB takes.
        """
        try:
            wire = self.record.encode_members(instance)
        except (Misfit, RecursionError):
            raise self.refusal(instance) from None
        if self._deep:
            self._check_depth(wire)
        return wire

    def _check_depth(self, wire: WireItem) -> None:
        for attribute in self.mapping.attributes.values():
            value = wire.get(attribute.stored_name)
            if value is not None and nesting(value) > MAX_DEPTH:
                raise LimitExceeded(
                    f"{self.name}.{attribute.name} is nested deeper than the {MAX_DEPTH} levels DynamoDB takes; "
                    "nothing was sent"
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
                "names included; "
                "nothing was sent"
            )

    def refusal(self, instance: Any) -> ValidationError:
        """The error that names everything wrong with an instance."""
        if type(instance) is not self.mapping.cls:
            return ValidationError(f"expected {self.name}, got {type(instance).__name__}", model=self.name)
        try:
            found = tuple(self.record.member_problems(instance, ""))
        except RecursionError:
            found = (("", f"is nested deeper than the {MAX_DEPTH} levels DynamoDB takes"),)
        text = "; ".join(f"{self.name}.{path} {reason}" if path else f"{self.name} {reason}" for path, reason in found)
        return ValidationError(
            f"{text}; nothing was sent", model=self.name, attribute=found[0][0] if found else None, errors=found
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
            if len(codecs) == 1:
                return {self.key_names[0]: codecs[0].encode_fast(values[0])}
            names = self.key_names
            return {names[0]: codecs[0].encode_fast(values[0]), names[1]: codecs[1].encode_fast(values[1])}
        except Misfit:
            for attribute, codec, value in zip(self.key_attributes, codecs, values, strict=True):
                for _, reason in codec.problems(value, ""):
                    raise ValidationError(
                        f"{self.name}.{attribute.name} {reason}", model=self.name, attribute=attribute.name
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
        return tuple(getattr(instance, attribute.name) for attribute in self.key_attributes)

    # ------------------------------------------------------------------ reading

    def read_item(self, response: bytes) -> tuple[Any, Any]:
        """The instance in a GetItem response, or None, and the consumed capacity."""
        try:
            output: Any = self._read_item(response)
            wire = output.Item
            return (None if wire is None else self.build(wire)), output.ConsumedCapacity
        except _DECODE_FAILURES:
            raise self.misfit_in(_untyped(response).get("Item")) from None

    def read_attributes(self, response: bytes) -> tuple[Any, Any]:
        """The instance in the ``Attributes`` of a write's response, or None, and the consumed capacity."""
        try:
            output: Any = self._read_attributes(response)
            wire = output.Attributes
            return (None if wire is None else self.build(wire)), output.ConsumedCapacity
        except _DECODE_FAILURES:
            raise self.misfit_in(_untyped(response).get("Attributes")) from None

    def read_page(self, response: bytes, misfits: list[DecodeError] | None = None) -> tuple[list[Any], Page]:
        """The instances in a Query or Scan response, and the page.

        Args:
            response: the response body.
            misfits: takes the errors of items that do not fit; None: the first one is raised.
        """
        try:
            page: Any = self._read_page(response)
            return self.build_many(page.Items), page
        except _DECODE_FAILURES:
            return self._read_page_slowly(response, misfits)

    def _read_page_slowly(self, response: bytes, misfits: list[DecodeError] | None) -> tuple[list[Any], Page]:
        page = msgspec.json.decode(response, type=Page)
        instances: list[Any] = []
        for item in page.Items:
            try:
                instances.append(self.from_wire(item))
            except DecodeError as error:
                if misfits is None:
                    raise
                misfits.append(error)
        return instances, page

    def from_wire(self, item: WireItem) -> Any:
        """The instance of an item as DynamoDB's JSON writes it.

        Raises:
            DecodeError: the item does not fit the class.
        """
        try:
            wire = msgspec.json.decode(msgspec.json.encode(item), type=self.record.wire_members, strict=False)
            return self.build(wire)
        except _DECODE_FAILURES:
            raise self.misfit_in(item) from None

    def misfit_in(self, item: WireItem | None) -> DecodeError:
        """The error that says which value of an item does not fit the class, and where."""
        path, expected, found = locate(self.record, {"M": item or {}})
        key = {name: item[name] for name in self.key_names if name in item} if item else None
        key_text = " and ".join(f"{name} ({'/'.join(wire)})" for name, wire in (key or {}).items())
        return DecodeError(
            f"{self.name}.{path}: expected {expected}, found {found}, in the item of table "
            f"{self.mapping.table or self.name} "
            f"whose key {key_text or 'is unknown'} is in this error's .key",
            model=self.name,
            key=key,
            path=path,
            expected=expected,
            found=found,
        )

    # ------------------------------------------------------------------ what was loaded

    def loaded_wire(self, loaded: Any) -> WireItem:
        """The item an instance was loaded from or last written as, encoded as this plan encodes it."""
        if isinstance(loaded, dict):
            return loaded
        wire: WireItem = self.record.encode_members(self.build(loaded))
        present = {
            attribute.stored_name
            for position, attribute in enumerate(self.record.fields.attributes)
            if getattr(loaded, f"f{position}") is not None
        }
        return {name: value for name, value in wire.items() if name in present}

    def default_wire(self, name: str) -> Any:
        """The wire form of the default of an attribute, by stored name; None without a constant one."""
        for attribute in self.mapping.attributes.values():
            if attribute.stored_name == name and attribute.default is not NO_DEFAULT and attribute.default is not None:
                return self.codecs[attribute.name].encode(attribute.default)
        return None


_page_fields: Mapping[str, Any] | Any = [
    ("Count", int, 0),
    ("ScannedCount", int, 0),
    ("LastEvaluatedKey", msgspec.Raw, NO_POSITION),
    ("ConsumedCapacity", Any, None),
]


def _untyped(response: bytes) -> dict[str, Any]:
    decoded: dict[str, Any] = msgspec.json.decode(response)
    return decoded


def _bounded_key(codec: ScalarCodec, limit: int) -> ScalarCodec:
    copy = codec.constrained(codec.constraints)
    assert isinstance(copy, ScalarCodec)
    to_payload = codec.to_payload

    def checked(value: Any) -> Any:
        payload = to_payload(value)
        size = len(payload.encode() if isinstance(payload, str) else payload)
        if size == 0:
            raise Misfit("is empty; a key attribute must not be")
        if size > limit:
            raise Misfit(f"has {size:,} bytes as a key; DynamoDB takes at most {limit:,}")
        return payload

    copy.to_payload = checked
    # A character has at most four bytes in UTF-8.
    copy.fast_test = (
        f"{codec.fast_test} and 0 < len({{}}) <= {limit // 4}" if codec.fast_test else f"0 < len({{}}) <= {limit // 4}"
    )
    return copy


def _may_nest_without_end(codec: Any) -> bool:
    if isinstance(codec, (AnyCodec, LazyRecordCodec)):
        return True
    if isinstance(codec, OptionalCodec):
        return _may_nest_without_end(codec.inner)
    if isinstance(codec, RecordCodec):
        return any(map(_may_nest_without_end, codec.codecs.values()))
    inner = getattr(codec, "values", None) or getattr(codec, "elements", None) or getattr(codec, "variants", None)
    if isinstance(inner, dict):
        inner = list(inner.values())
    return any(map(_may_nest_without_end, inner if isinstance(inner, list) else [inner])) if inner else False
