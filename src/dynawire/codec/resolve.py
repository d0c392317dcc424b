"""From an annotation to its codec."""

from __future__ import annotations

import collections.abc
import enum
import sys
import types
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from ..errors import SchemaError
from ..mapping.annotations import Names
from ..mapping.attributes import Attribute
from ..mapping.markers import EpochSeconds, Json, NaiveDatetime, Stored
from ..mapping.records import RecordFields, record_fields
from .base import Codec
from .containers import DictCodec, ListCodec, SetCodec, TupleCodec
from .custom import StoredCodec, json_codec
from .dynamic import AnyCodec
from .limits import Unsupported, limited, meta_limits
from .records import LazyRecordCodec, RecordCodec
from .scalars import ScalarCodec, scalar_codec
from .unions import NumberCodec, OptionalCodec, UnionCodec

if TYPE_CHECKING:
    from ..mapping.adapters.schema import SchemaField
    from .tagged import RecordUnionCodec

__all__ = ["Resolver"]

_CACHE = "__dynawire_record__"
_REMEDY = "use a supported type, or say how with Annotated[..., dynawire.Stored(encode, decode, as_type)]"
_BUILT_IN = (str, int, float, bytes, bytearray, list, dict, set, frozenset, tuple)


class Resolver:
    """Finds the codecs of annotations. One serves for one class and what is nested in it.

    Args:
        names: what the names in annotations of classes made in a function may stand for.
    """

    def __init__(self, names: Names | None = None) -> None:
        self._names = names
        self._open: set[Any] = set()
        self._records: dict[Any, RecordCodec] = {}

    def attribute_codecs(self, attributes: collections.abc.Iterable[Attribute], model: type[Any]) -> dict[str, Codec]:
        """The codec of each attribute of a class, by name.

        Raises:
            SchemaError: a type can't be stored, a limit has no meaning for it, or a default does not fit.
            NameError: an annotation names something that is not defined yet.
        """
        codecs = {attribute.name: self._attribute_codec(attribute, model.__name__) for attribute in attributes}
        for cls, codec in self._records.items():
            try:
                type.__setattr__(cls, _CACHE, codec)
            except TypeError:
                pass  # a class that takes no attributes is compiled again where it is used
        return codecs

    def _attribute_codec(self, attribute: Attribute, model: str) -> Codec:
        try:
            return limited(self.codec(attribute.annotation), attribute.constraints)
        except Unsupported as reason:
            raise SchemaError(f"{model}.{attribute.name}: {reason}", model=model, attribute=attribute.name) from None

    def record_codec(self, cls: type[Any]) -> RecordCodec | None:
        """The codec of a class stored as a map; None when it is none."""
        found: RecordCodec | None = self._records.get(cls) or cls.__dict__.get(_CACHE)
        if found is not None:
            return found
        fields = record_fields(cls, self._names)
        if fields is None:
            return None
        if getattr(cls, "__mapped__", cls) is None:
            raise Unsupported(f"{cls.__name__} is abstract, so it has no instances; name a class derived from it")
        self._open.add(cls)
        try:
            codecs = {one.name: self._attribute_codec(one, cls.__name__) for one in fields.attributes}
        finally:
            self._open.discard(cls)
        codec = RecordCodec(cls, fields, codecs)
        self._records[cls] = codec
        return codec

    def codec(self, annotation: Any) -> Codec:
        """The codec of one annotation.

        Raises:
            Unsupported: there is none.
        """
        if annotation is Any or annotation is object:
            return AnyCodec()
        origin = get_origin(annotation)
        if origin is Annotated:
            return self._annotated(annotation)
        plain = _unaliased(annotation)
        if plain is not annotation:
            return self._aliased(annotation, plain)
        if origin is Union or origin is types.UnionType:
            return self._union(get_args(annotation))
        if origin is Literal:
            return _literal(get_args(annotation))
        if isinstance(annotation, TypeVar) or annotation is None or annotation is type(None):
            raise Unsupported(f"{_name(annotation)} can't be stored; name the types it may be")
        if isinstance(origin or annotation, type):
            return self._class(annotation, origin or annotation, get_args(annotation))
        raise _unsupported(annotation)

    def _aliased(self, annotation: Any, plain: Any) -> Codec:
        if annotation in self._open:
            raise Unsupported(f"the type {_name(annotation)} holds itself, and only classes may; use Any, or a class")
        self._open.add(annotation)
        try:
            return self.codec(plain)
        finally:
            self._open.discard(annotation)

    def _class(self, annotation: Any, kind: Any, arguments: tuple[Any, ...]) -> Codec:
        scalar = scalar_codec(kind)
        if scalar is not None:
            return scalar
        if issubclass(kind, enum.Enum):
            from .enums import enum_codec

            return _choice(enum_codec(kind), kind.__name__)
        container = self._container(annotation, kind, arguments)
        if container is not None:
            return container
        if kind in self._open:
            return LazyRecordCodec(kind, lambda: _compiled(kind))
        record = None if arguments else self.record_codec(kind)
        if record is not None:
            return record
        if kind.__module__ == "dynawire.declare":
            raise _unsupported(annotation)
        if hasattr(kind, "__get_pydantic_core_schema__"):
            from ..mapping.adapters.pydantic import type_stored

            marker = type_stored(annotation)
            if marker is not None:
                # Not instances of the kind: those of EmailStr are plain text.
                return StoredCodec(
                    _name(annotation), self.codec(marker.as_type), marker.encode, marker.decode, (object,)
                )
        if kind is bytearray:
            raise Unsupported("bytearray comes back as bytes; write bytes")
        base = next((one.__name__ for one in _BUILT_IN if issubclass(kind, one)), None)
        if base is not None:
            raise Unsupported(f"{_name(annotation)} is a subclass of {base}, and would come back as {base}; {_REMEDY}")
        raise _unsupported(annotation)

    def _container(self, annotation: Any, kind: Any, arguments: tuple[Any, ...]) -> Codec | None:
        if kind is list:
            return ListCodec(self.codec(arguments[0] if arguments else Any))
        if kind in (collections.abc.Sequence, collections.abc.MutableSequence):
            return ListCodec(self.codec(arguments[0] if arguments else Any), accepts=(tuple,))
        if kind in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
            key, value = arguments or (str, Any)
            accepts = () if kind is dict else (collections.abc.Mapping,)
            key_codec = self._key_codec(key)
            return DictCodec(key_codec, self.codec(value), accepts=accepts, injective=key_codec.injective)
        if kind is set or kind is frozenset:
            return self._set(kind, arguments)
        if kind in (collections.abc.Set, collections.abc.MutableSet):
            return self._set(set, arguments, accepts=(frozenset,))
        if kind is tuple:
            # tuple[()] has no arguments either, but is not the class itself.
            return self._tuple(arguments if hasattr(annotation, "__args__") else (Any, ...))
        return None

    def _set(self, kind: type[Any], arguments: tuple[Any, ...], accepts: tuple[type[Any], ...] = ()) -> Codec:
        if not arguments:
            raise Unsupported(f"{kind.__name__} needs the type of its members, such as {kind.__name__}[str]")
        element = self.codec(arguments[0])
        if isinstance(element, (ScalarCodec, StoredCodec)) and element.tag in ("S", "N", "B"):
            injective = isinstance(element, ScalarCodec) and element.injective
            return SetCodec(element, kind, accepts=accepts, injective=injective)
        raise Unsupported(
            f"{kind.__name__}[{_name(arguments[0])}]: a DynamoDB set holds text, numbers or binary; use a list, or "
            "Annotated[..., Json]"
        )

    def _tuple(self, arguments: tuple[Any, ...]) -> Codec:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return ListCodec(self.codec(arguments[0]), tuple)
        return TupleCodec([self.codec(argument) for argument in arguments])

    def _key_codec(self, annotation: Any) -> ScalarCodec:
        codec = self.codec(annotation)
        if isinstance(codec, ScalarCodec) and codec.tag in ("S", "N"):
            return codec
        raise Unsupported(f"a map's keys are text; {_name(annotation)} can't be written as text")

    # ------------------------------------------------------------------ markers

    def _annotated(self, annotation: Any) -> Codec:
        inner, *metadata = get_args(annotation)
        markers: list[Any] = [one for one in metadata if one is EpochSeconds or one is Json or one is NaiveDatetime]
        markers += [one for one in metadata if isinstance(one, Stored) or _is_schema_field(one)]
        metas = [one for one in metadata if isinstance(one, msgspec.Meta)]
        if any(one.tz is False for one in metas):
            markers.append(NaiveDatetime)
        if len(markers) > 1:
            raise Unsupported("two markers say how it is stored; keep one")
        if Stored in metadata:
            raise Unsupported("Stored has no functions; write Stored(encode, decode, as_type)")
        codec = self._marked(inner, markers[0]) if markers else self.codec(inner)
        for meta in metas:
            codec = limited(codec, meta_limits(meta))
        return codec

    def _marked(self, inner: Any, marker: Any) -> Codec:
        optional, kind = _split_optional(inner)
        if isinstance(marker, Stored):
            codec = self._stored(kind, marker)
        elif _is_schema_field(marker):
            codec = self._field(marker)
        elif marker is Json:
            try:
                codec = json_codec(kind, _name(kind))
            except TypeError as error:
                raise Unsupported(f"{_name(kind)} has no JSON form: {error}") from None
        else:
            plain = _plain(kind)
            if (getattr(plain, "__module__", ""), getattr(plain, "__name__", "")) != ("datetime", "datetime"):
                raise Unsupported(f"{marker!r} is for datetime, not {_name(kind)}")
            from .dates import epoch_seconds_codec, naive_datetime_codec

            codec = epoch_seconds_codec() if marker is EpochSeconds else naive_datetime_codec()
        return OptionalCodec(codec) if optional else codec

    def _field(self, field: SchemaField) -> Codec:
        from .dumped import FieldCodec

        return FieldCodec(field, self.codec(field.stored_as), lambda other: Resolver().codec(Annotated[object, other]))

    def _stored(self, kind: Any, marker: Stored) -> Codec:
        inner = self.codec(marker.as_type)
        if len(inner.tags) != 1:
            raise Unsupported(
                f"as_type={_name(marker.as_type)} may be stored as {' or '.join(sorted(inner.tags))}; name a type that "
                "is stored as one of DynamoDB's (a value of None is left out by itself)"
            )
        if not all(map(callable, (marker.encode, marker.decode))):
            raise Unsupported("Stored takes two functions: Stored(encode, decode, as_type)")
        return StoredCodec(_name(kind), inner, marker.encode, marker.decode, _classes(kind))

    # ------------------------------------------------------------------ unions

    def _union(self, arguments: tuple[Any, ...]) -> Codec:
        members, choices, optional = _flat(arguments)
        codecs = [self.codec(member) for member in members]
        if choices:
            codecs.append(_literal(tuple(choices)))
        for codec in codecs:
            if isinstance(codec, AnyCodec):
                return codec
        optional = optional or any(isinstance(codec, OptionalCodec) for codec in codecs)
        codecs = [codec.inner if isinstance(codec, OptionalCodec) else codec for codec in codecs]
        codecs = [one for codec in codecs for one in (codec.variants if isinstance(codec, UnionCodec) else [codec])]
        codecs = self._merged_records(_merged_numbers(codecs))
        by_tag: dict[str, Codec] = {}
        for codec in codecs:
            for tag in codec.tags:
                other = by_tag.setdefault(tag, codec)
                if other is not codec:
                    raise Unsupported(
                        f"{other.describe()} and {codec.describe()} are both stored as {tag}, so what is read could "
                        "not be told apart; keep one of them, or say how with Annotated[..., "
                        "dynawire.Stored(encode, decode, as_type)]"
                    )
        whole = codecs[0] if len(codecs) == 1 else UnionCodec(codecs)
        return OptionalCodec(whole) if optional else whole

    def _merged_records(self, codecs: list[Codec]) -> list[Codec]:
        records = [codec for codec in codecs if isinstance(codec, (RecordCodec, LazyRecordCodec))]
        if len(records) < 2:
            return codecs
        fields = [found for record in records if (found := record_fields(record.cls, self._names)) is not None]
        return [codec for codec in codecs if codec not in records] + [_tagged(records, fields)]


def _flat(arguments: tuple[Any, ...]) -> tuple[list[Any], list[Any], bool]:
    """The members of a union, its literal values, and whether None is among them; unions inside are opened."""
    members: list[Any] = []
    choices: list[Any] = []
    optional = False
    for argument in arguments:
        plain = _plain(argument)
        if plain is type(None) or plain is None:
            optional = True
        elif get_origin(plain) is Literal:
            values = get_args(plain)
            optional = optional or None in values
            choices += [value for value in values if value is not None]
        elif get_origin(plain) in (Union, types.UnionType):
            inner, inner_choices, inner_optional = _flat(get_args(plain))
            members += inner
            choices += inner_choices
            optional = optional or inner_optional
        else:
            members.append(argument)
    return members, choices, optional


def _merged_numbers(codecs: list[Codec]) -> list[Codec]:
    numbers = {
        codec.name: codec
        for codec in codecs
        if isinstance(codec, ScalarCodec) and codec.name in ("int", "float", "Decimal")
    }
    if len(numbers) < 2:
        return codecs
    if "float" in numbers and "Decimal" in numbers:
        raise Unsupported(
            "float and Decimal are both stored as N, so what is read could not be told apart; keep one of them"
        )
    merged = NumberCodec(numbers.pop("int"), *numbers.values())
    return [codec for codec in codecs if codec not in (merged.whole, merged.fraction)] + [merged]


def _tagged(records: list[RecordCodec | LazyRecordCodec], fields: list[RecordFields]) -> RecordUnionCodec:
    from .tagged import RecordUnionCodec

    tags = [one.tag for one in fields]
    by_tag = {str(tag[1]): record for tag, record in zip(tags, records, strict=True) if tag is not None}
    names = {tag[0] if tag else "" for tag in tags}
    if len(names) == 1 and len(by_tag) == len(records):
        name = names.pop()
        return RecordUnionCodec(by_tag, name, name)
    for candidate in fields[0].attributes:
        variants: dict[str, RecordCodec | LazyRecordCodec] = {}
        count = 0
        for record, one in zip(records, fields, strict=True):
            attribute = next((its for its in one.attributes if its.name == candidate.name), None)
            if attribute is None or attribute.stored_name != candidate.stored_name:
                break
            if get_origin(attribute.annotation) is not Literal:
                break
            values = [
                value.value if isinstance(value, enum.Enum) else value for value in get_args(attribute.annotation)
            ]
            count += len(values)
            variants.update({str(value): record for value in values})
        else:
            if len(variants) == count:
                return RecordUnionCodec(variants, candidate.stored_name, candidate.name)
    raise Unsupported(
        f"{' and '.join(record.describe() for record in records)} are all stored as maps, so what is read could not be "
        "told apart; give each a field of one name whose type is a Literal of its own, such as "
        'kind: Literal["card"]'
    )


def _is_schema_field(marker: Any) -> bool:
    # Only what made one has loaded the module.
    schema = sys.modules.get("dynawire.mapping.adapters.schema")
    return schema is not None and isinstance(marker, schema.SchemaField)


def _compiled(cls: type[Any]) -> RecordCodec:
    found = cls.__dict__.get(_CACHE) or Resolver().record_codec(cls)
    assert isinstance(found, RecordCodec)
    return found


def _unaliased(annotation: Any) -> Any:
    """What a NewType or a type alias stands for; everything else as it is."""
    origin = get_origin(annotation)
    if type(annotation).__name__ == "TypeAliasType":
        return annotation.__value__
    if type(origin).__name__ == "TypeAliasType":
        return origin.__value__[get_args(annotation)]
    supertype = getattr(annotation, "__supertype__", None)
    return annotation if supertype is None else supertype


def _plain(annotation: Any) -> Any:
    """What a type stands for in the end, through any number of names."""
    while (plain := _unaliased(annotation)) is not annotation:
        annotation = plain
    return annotation


def _classes(annotation: Any) -> tuple[type[Any], ...]:
    """The classes whose instances are values of a type, as far as these can be told."""
    plain = _plain(annotation)
    if get_origin(plain) in (Union, types.UnionType):
        return tuple(kind for one in get_args(plain) for kind in _classes(one))
    kind = get_origin(plain) or plain
    # An instance of a protocol can't be told.
    return (kind,) if isinstance(kind, type) and not getattr(kind, "_is_protocol", False) else (object,)


def _split_optional(annotation: Any) -> tuple[bool, Any]:
    plain = _plain(annotation)
    if get_origin(plain) in (Union, types.UnionType):
        members = [one for one in get_args(plain) if one is not type(None)]
        if len(members) < len(get_args(plain)):
            return True, Union[tuple(members)]  # noqa: UP007 - built at run time
    return False, annotation


def _literal(values: tuple[Any, ...]) -> Codec:
    from .enums import literal_codec

    named = tuple(value for value in values if value is not None)
    codec = _choice(literal_codec(named), "Literal")
    return OptionalCodec(codec) if len(named) < len(values) else codec


def _choice(codec: ScalarCodec | str, name: str) -> ScalarCodec:
    if isinstance(codec, ScalarCodec):
        return codec
    raise Unsupported(f"{name} can't be stored: {codec}; or say how with Annotated[..., dynawire.Stored(...)]")


def _unsupported(annotation: Any) -> Unsupported:
    origin = get_origin(annotation) or annotation
    if (getattr(origin, "__module__", ""), getattr(origin, "__name__", "")) == ("dynawire.declare", "Attr"):
        return Unsupported(
            "Attr[...] stands around the whole type of an attribute of a Model, and nowhere else; write the plain type"
        )
    return Unsupported(f"the type {_name(annotation)} can't be stored; {_REMEDY}")


def _name(annotation: Any) -> str:
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("typing.", "")
