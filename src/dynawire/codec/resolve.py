"""From an annotation to its codec."""

from __future__ import annotations

import collections.abc
import enum
import types
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from ..errors import SchemaError
from ..mapping.attributes import Attribute
from ..mapping.constraints import Constraints
from ..mapping.markers import EpochSeconds, Json, NaiveDatetime, Stored
from ..mapping.records import record_fields
from .base import Codec
from .containers import DictCodec, ListCodec, SetCodec, TupleCodec
from .custom import StoredCodec, epoch_seconds_codec, json_codec
from .dynamic import AnyCodec
from .records import LazyRecordCodec, RecordCodec, RecordUnionCodec
from .scalars import ScalarCodec, enum_codec, literal_codec, scalar_codec
from .unions import NumberCodec, OptionalCodec, UnionCodec

__all__ = ["attribute_codec", "record_codec"]

_records: dict[Any, RecordCodec] = {}
_open: dict[Any, None] = {}


class _Unsupported(Exception):
    """Why an annotation has no codec."""


def attribute_codec(attribute: Attribute, model: str) -> Codec:
    """The codec of one attribute.

    Raises:
        SchemaError: its type can't be stored, or a constraint has no meaning for it.
    """
    try:
        codec = _codec(attribute.annotation)
        return _constrain(codec, attribute.constraints) if attribute.constraints else codec
    except _Unsupported as reason:
        raise SchemaError(f"{model}.{attribute.name}: {reason}", model=model, attribute=attribute.name) from None


def record_codec(cls: type[Any]) -> RecordCodec:
    """The codec of a class stored as a map.

    Raises:
        SchemaError: the class or one of its fields can't be stored.
    """
    found = _records.get(cls)
    if found is not None:
        return found
    fields = record_fields(cls)
    if fields is None:
        raise SchemaError(f"{cls.__name__} is not a class dynawire can store")
    _open[cls] = None
    try:
        codecs = {attribute.name: attribute_codec(attribute, cls.__name__) for attribute in fields.attributes}
    finally:
        del _open[cls]
    codec = RecordCodec(cls, fields, codecs)
    _records[cls] = codec
    return codec


def _codec(annotation: Any) -> Codec:
    if annotation is Any or annotation is object:
        return AnyCodec()
    origin = get_origin(annotation)
    if origin is Annotated:
        return _annotated(annotation)
    if type(annotation).__name__ == "TypeAliasType":
        return _codec(annotation.__value__)
    supertype = getattr(annotation, "__supertype__", None)
    if supertype is not None:
        return _codec(supertype)
    if origin is Union or origin is types.UnionType:
        return _union(get_args(annotation))
    if origin is Literal:
        return _literal(get_args(annotation))
    if isinstance(annotation, TypeVar) or annotation is None or annotation is type(None):
        raise _Unsupported(f"{_name(annotation)} can't be stored; name the types it may be")
    if isinstance(origin or annotation, type):
        return _class(annotation, origin or annotation, get_args(annotation))
    raise _Unsupported(f"the type {_name(annotation)} can't be stored{_remedy}")


_remedy = "; use a supported type, or say how with Annotated[..., dynawire.Stored(encode, decode, as_type)]"


def _class(annotation: Any, kind: Any, arguments: tuple[Any, ...]) -> Codec:
    scalar = scalar_codec(kind)
    if scalar is not None:
        return scalar
    if issubclass(kind, enum.Enum):
        return _checked(enum_codec(kind), kind.__name__)
    if kind in (list, collections.abc.Sequence, collections.abc.MutableSequence):
        return ListCodec(_codec(arguments[0] if arguments else Any))
    if kind in (dict, collections.abc.Mapping, collections.abc.MutableMapping):
        key, value = arguments or (str, Any)
        return DictCodec(_key_codec(key), _codec(value))
    if kind in (set, frozenset, collections.abc.Set, collections.abc.MutableSet):
        return _set(frozenset if kind is frozenset else set, arguments)
    if kind is tuple:
        return _tuple(arguments)
    if record_fields(annotation) is not None:
        return LazyRecordCodec(kind, lambda: record_codec(kind)) if kind in _open else record_codec(kind)
    if kind.__bases__ and (scalar_base := _scalar_base(kind)):
        raise _Unsupported(
            f"{kind.__name__} is a subclass of {scalar_base}, and would come back as {scalar_base}{_remedy}"
        )
    raise _Unsupported(f"the type {_name(annotation)} can't be stored{_remedy}")


def _scalar_base(kind: type[Any]) -> str:
    return next((base.__name__ for base in (str, int, float, bytes, list, dict, set) if issubclass(kind, base)), "")


def _annotated(annotation: Any) -> Codec:
    inner, *metadata = get_args(annotation)
    marker = next(
        (one for one in metadata if one in (EpochSeconds, Json, NaiveDatetime) or isinstance(one, Stored)), None
    )
    codec = _codec(inner) if marker is None else _marked(inner, marker)
    for one in metadata:
        if isinstance(one, msgspec.Meta):
            limits = {
                name: getattr(one, name) for name in Constraints.__struct_fields__ if getattr(one, name) is not None
            }
            if limits:
                codec = _constrain(codec, Constraints(**limits))
    return codec


def _marked(inner: Any, marker: Any) -> Codec:
    optional, kind = _split_optional(inner)
    codec: Codec
    if isinstance(marker, Stored):
        codec = StoredCodec(_name(kind), _codec(marker.as_type), marker.encode, marker.decode, get_origin(kind) or kind)
    elif marker is Json:
        codec = json_codec(kind, _name(kind))
    else:
        if (getattr(kind, "__module__", ""), getattr(kind, "__name__", "")) != ("datetime", "datetime"):
            raise _Unsupported(f"{marker!r} is for datetime, not {_name(kind)}")
        codec = (
            epoch_seconds_codec() if marker is EpochSeconds else _checked(scalar_codec(kind, naive=True), "datetime")
        )
    return OptionalCodec(codec) if optional else codec


def _split_optional(annotation: Any) -> tuple[bool, Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        members = [one for one in get_args(annotation) if one is not type(None)]
        if len(members) < len(get_args(annotation)):
            return True, Union[tuple(members)]  # noqa: UP007 - built at run time
    return False, annotation


def _union(arguments: tuple[Any, ...]) -> Codec:
    members: list[Any] = []
    for argument in arguments:
        if get_origin(argument) is Literal and None in get_args(argument):
            members += [Literal[tuple(value for value in get_args(argument) if value is not None)], type(None)]
        else:
            members.append(argument)
    optional = type(None) in members
    codecs = [_codec(member) for member in members if member is not type(None)]
    if any(isinstance(codec, AnyCodec) for codec in codecs):
        return AnyCodec()
    numbers = [
        codec for codec in codecs if isinstance(codec, ScalarCodec) and codec.name in ("int", "float", "Decimal")
    ]
    if len(numbers) > 1:
        codecs = [codec for codec in codecs if codec not in numbers] + [NumberCodec(numbers)]
    records = [codec for codec in codecs if isinstance(codec, RecordCodec)]
    if len(records) > 1:
        codecs = [codec for codec in codecs if codec not in records] + [_record_union(records)]
    by_tag: dict[str, Codec] = {}
    for codec in codecs:
        other = by_tag.setdefault(codec.tag, codec)
        if other is not codec:
            raise _Unsupported(
                f"{other.describe()} and {codec.describe()} are both stored as {codec.tag}, so what is read could "
                "not be told "
                f"apart; keep one of them, or say how with Annotated[..., dynawire.Stored(encode, decode, as_type)]"
            )
    if len(codecs) == 1:
        return OptionalCodec(codecs[0]) if optional else codecs[0]
    return UnionCodec(codecs, optional)


def _record_union(records: list[RecordCodec]) -> RecordUnionCodec:
    names = " and ".join(record.describe() for record in records)
    for candidate in records[0].fields.attributes:
        variants: dict[str, RecordCodec] = {}
        count = 0
        for record in records:
            attribute = next((one for one in record.fields.attributes if one.name == candidate.name), None)
            if attribute is None or get_origin(attribute.annotation) is not Literal:
                break
            values = get_args(attribute.annotation)
            count += len(values)
            variants.update({str(value): record for value in values})
        else:
            if len(variants) == count:
                return RecordUnionCodec(variants, candidate.stored_name)
    raise _Unsupported(
        f"{names} are all stored as maps, so what is read could not be told apart; give each a field of one name whose "
        'type is a Literal of its own, such as kind: Literal["card"]'
    )


def _literal(values: tuple[Any, ...]) -> Codec:
    named = tuple(value for value in values if value is not None)
    codec = _checked(literal_codec(named), "Literal")
    return OptionalCodec(codec) if len(named) < len(values) else codec


def _checked(codec: ScalarCodec | str | None, name: str) -> ScalarCodec:
    if isinstance(codec, ScalarCodec):
        return codec
    raise _Unsupported(f"{name} can't be stored: {codec}")


def _key_codec(annotation: Any) -> Codec:
    codec = _codec(annotation)
    if isinstance(codec, ScalarCodec) and codec.tag in ("S", "N"):
        return codec
    raise _Unsupported(f"a map's keys are text; {_name(annotation)} can't be written as text")


def _set(kind: type[Any], arguments: tuple[Any, ...]) -> Codec:
    if not arguments:
        raise _Unsupported(f"{kind.__name__} needs the type of its members, such as {kind.__name__}[str]")
    element = _codec(arguments[0])
    if isinstance(element, (ScalarCodec, StoredCodec)) and element.tag in ("S", "N", "B"):
        return SetCodec(element, kind)
    raise _Unsupported(
        f"{kind.__name__}[{_name(arguments[0])}]: a DynamoDB set holds text, numbers or binary; use a list, or "
        "Annotated[..., Json]"
    )


def _tuple(arguments: tuple[Any, ...]) -> Codec:
    if not arguments:
        return ListCodec(AnyCodec(), tuple)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return ListCodec(_codec(arguments[0]), tuple)
    return TupleCodec([_codec(argument) for argument in arguments])


def _constrain(codec: Codec, constraints: Constraints) -> Codec:
    target = codec.inner if isinstance(codec, OptionalCodec) else codec
    tags = target.tags
    if constraints.pattern is not None and "S" not in tags:
        raise _Unsupported(f"pattern= is for text, not {codec.describe()}")
    if constraints.sizes and not tags & {"S", "B", "L", "M", "SS", "NS", "BS"}:
        raise _Unsupported(f"min_length= and max_length= are for what has a length, not {codec.describe()}")
    if constraints.bounds and (tags & {"BOOL", "L", "M", "SS", "NS", "BS"} or isinstance(target, AnyCodec)):
        raise _Unsupported(f"ge=, gt=, le=, lt= and multiple_of= are for numbers and dates, not {codec.describe()}")
    return codec.constrained(constraints)


def _name(annotation: Any) -> str:
    return (
        annotation.__name__
        if isinstance(annotation, type) and not get_args(annotation)
        else str(annotation).replace("typing.", "")
    )
