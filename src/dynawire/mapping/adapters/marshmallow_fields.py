"""marshmallow's fields: what each stores its values as, and which values it takes without loading them first."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, NotRequired, TypedDict, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from marshmallow import fields

__all__ = ["Set", "StoredForm", "converted", "fits", "plain", "raw_of", "stored_form"]

_COLLECTIONS = (list, tuple, set, frozenset)
_PRIMITIVES = (str, int, float, bool, bytes, Decimal, Mapping, *_COLLECTIONS)
_FORM = "_dynawire_form"


class Set(fields.List):  # type: ignore[type-arg,unused-ignore]
    """A set of values of one field: ``Set(fields.Str())``, stored as DynamoDB's SS, NS or BS.

    It loads a set of any collection and dumps a list. An item without it reads as the empty set, which DynamoDB does
    not have, unless ``required=True`` or another ``load_default`` is given.
    """

    def __init__(self, cls_or_instance: Any, **kwargs: Any) -> None:
        if not kwargs.get("required"):
            kwargs.setdefault("load_default", set)
        super().__init__(cls_or_instance, **kwargs)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> list[Any] | None:
        return None if value is None else [self.inner._serialize(one, attr, obj, **kwargs) for one in sorted(value)]

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> Any:
        return set(super()._deserialize(list(value) if isinstance(value, (set, frozenset)) else value, attr, data))


class StoredForm:
    """How values of one field are stored.

    Attributes:
        name: the type of its values, as a person writes it.
        kind: their class; object when that is not one, or not known.
        kinds: classes of values that need not be loaded first; None: of any, since the field is the user's own.
        element: the field of the values inside, where all have the same.
        is_map: whether these have names.
        has_members: whether it is a nested schema, with fields of its own.
        alone: whether its values can be dumped without the object around them.
    """

    def __init__(self, field: Any) -> None:
        self.field = field
        base, self._serializer = _origin(type(field))
        self._known = self._serializer is None and not _overrides(type(field), base, "_deserialize", "deserialize")
        self._base = base
        self.is_map = issubclass(base, fields.Mapping)
        self.has_members = base is fields.Nested and not field.schema.many
        self.is_many = base is fields.Nested and field.schema.many
        self.alone = not issubclass(base, (fields.Method, fields.Function))
        self.element: Any = None
        if issubclass(base, fields.List):
            self.element = field.inner
        elif self.is_map:
            self.element = field.value_field
        elif self.is_many:
            self.element = _one_of(field)
        self.kinds = self._kinds() if self._known else None
        is_one = self.kinds is not None and len(self.kinds) == 1
        self.kind: Any = self.kinds[0] if is_one and self.kinds else object
        self.name = self._name()
        self._stored_as: Any = None

    def _kinds(self) -> tuple[Any, ...] | None:
        if issubclass(self._base, fields.Enum):
            return (self.field.enum,)
        if issubclass(self._base, Set):
            return (set, frozenset)
        if issubclass(self._base, fields.List) or self.is_many:
            return _COLLECTIONS
        if self.is_map:
            return (self.field.mapping_type,)
        return next((kinds for cls, (kinds, _) in _TABLE.items() if issubclass(self._base, cls)), None)

    def _name(self) -> str:
        if self.has_members:
            return type(self.field.schema).__name__
        if self.element is not None and not self.is_map:
            return f"{'set' if issubclass(self._base, Set) else 'list'}[{stored_form(self.element).name}]"
        if self.kinds is None or self.kind is object:
            return self.kinds[0].__name__ if self.kinds else type(self.field).__name__
        return str(self.kind.__name__)

    @property
    def stored_as(self) -> Any:
        """The annotation of the raw form."""
        if self._stored_as is None:
            self._stored_as = self._annotation(())
        return self._stored_as

    def _annotation(self, around: tuple[int, ...]) -> Any:
        """It, where it stands inside schemas with these fields: one that holds itself is stored as it comes."""
        field, base = self.field, self._base
        if self._serializer is not None:
            return _returned(self._serializer)
        if issubclass(base, fields.Pluck):
            inner = stored_form(field.schema.fields[field.field_name])._annotation(around)
            return list[inner] if field.schema.many else inner  # type: ignore[valid-type]
        if self.has_members:
            here = (*around, id(field.schema.fields))
            if id(field.schema.fields) in around:
                return Any
            members = {
                key: NotRequired[_optional(stored_form(inner)._annotation(here))] for _, key, inner in self.members()
            }
            return _typed_dict(self.name, members)
        if self.element is not None:
            inner = _optional(stored_form(self.element)._annotation(around))
            if self.is_map:
                return dict[str, inner]  # type: ignore[valid-type]
            if issubclass(base, Set):
                return set[_required(inner)]  # type: ignore[misc]
            return list[inner]  # type: ignore[valid-type]
        if self.is_map:
            return dict[str, Any]
        if issubclass(base, fields.Tuple):
            inside = [_optional(stored_form(one)._annotation(around)) for one in field.tuple_fields]
            return tuple[tuple(inside)] if inside else list[Any]  # type: ignore[misc]
        if issubclass(base, fields.Enum):
            return self._enum_annotation()
        found = next((stored for cls, (_, stored) in _TABLE.items() if issubclass(base, cls)), None)
        return Any if found is None else found(field)

    def _enum_annotation(self) -> Any:
        if not self.field.by_value:
            return str
        inner = stored_form(self.field.field).stored_as
        kinds = {type(one.value) for one in self.field.enum}
        return kinds.pop() if inner is Any and len(kinds) == 1 and kinds <= {str, int} else inner

    def members(self) -> Iterator[tuple[str, str, Any]]:
        """Python name, name in raw and field of each member of a nested schema."""
        for name, inner in self.field.schema.load_fields.items():
            yield inner.attribute or name, name if inner.data_key is None else inner.data_key, inner


def stored_form(field: Any) -> StoredForm:
    """How values of a field are stored."""
    found: StoredForm | None = field.__dict__.get(_FORM)
    if found is None or found.field is not field:  # a copy of a field takes it along
        found = StoredForm(field)
        field.__dict__[_FORM] = found
    return found


def _one_of(field: Any) -> Any:
    """The field of one of the many that a field nests."""
    schema = copy.copy(field.schema)
    schema.many = False
    one = fields.Nested(schema, unknown=field.unknown)
    one._schema = schema
    one.name = field.name
    one.parent, one.root = field.parent, field.root
    return one


# ---------------------------------------------------------------------- what the types are


def _str(field: Any) -> Any:
    return str


def _number(kind: type[Any]) -> Callable[[Any], Any]:
    return lambda field: str if field.as_string else kind


def _moment(field: Any) -> Any:
    return float if str(field.format).startswith("timestamp") else str


_ADDRESSES = (IPv4Address, IPv6Address)
_INTERFACES = (IPv4Interface, IPv6Interface)
_TABLE: dict[type[Any], tuple[tuple[Any, ...], Callable[[Any], Any]]] = {
    fields.UUID: ((UUID,), _str),
    fields.String: ((str,), _str),
    fields.Integer: ((int,), _number(int)),
    fields.Float: ((float,), _number(float)),
    fields.Decimal: ((Decimal,), _number(Decimal)),
    fields.Boolean: ((bool,), lambda field: bool),
    fields.Date: ((date,), _str),
    fields.Time: ((time,), _str),
    fields.DateTime: ((datetime,), _moment),
    fields.TimeDelta: ((timedelta,), lambda field: getattr(field, "serialization_type", float)),
    fields.IP: (_ADDRESSES, _str),
    fields.IPInterface: (_INTERFACES, _str),
}


def _origin(kind: type[Any]) -> tuple[type[Any], Any]:
    """The nearest of marshmallow's own field classes, and the user's function that serializes instead of it."""
    serializer = None
    for cls in kind.__mro__:
        if cls.__module__ == fields.__name__ or cls is Set:
            return cls, serializer
        serializer = serializer or cls.__dict__.get("_serialize") or cls.__dict__.get("serialize")
    return fields.Field, serializer


def _overrides(kind: type[Any], base: type[Any], *names: str) -> bool:
    return any(name in cls.__dict__ for cls in kind.__mro__[: kind.__mro__.index(base)] for name in names)


def _returned(serializer: Any) -> Any:
    """What a function is annotated to return, None left out; Any when it does not say, or says several."""
    try:
        hint = get_type_hints(serializer).get("return", Any)
    except NameError:
        return Any
    return _required(hint)


def _required(hint: Any) -> Any:
    if get_origin(hint) not in (Union, types.UnionType):
        return Any if hint is type(None) else hint
    kinds = [one for one in get_args(hint) if one is not type(None)]
    return kinds[0] if len(kinds) == 1 else Any


def _optional(hint: Any) -> Any:
    return Any if hint is Any else hint | None


def _typed_dict(name: str, members: dict[str, Any]) -> Any:
    return TypedDict(name, members, total=False)  # type: ignore[operator]


# ---------------------------------------------------------------------- values and raw


def fits(field: Any, value: Any) -> bool:
    """Whether a value is one that the field loads, so that it can be dumped as it is."""
    form = stored_form(field)
    if value is None:
        return True
    if form.has_members:
        return _fits_schema(form, value)
    if form.kinds is None:
        return not isinstance(value, _PRIMITIVES) or not form.alone or _serializes(field, value)
    kinds = form.kinds
    if not isinstance(value, kinds) or _is_other(value, kinds):
        return False
    if form.element is not None:
        return all(fits(form.element, one) for one in (value.values() if form.is_map else value))
    return True


def _serializes(field: Any, value: Any) -> bool:
    """Whether a field of the user's takes a value for one of its own; raw may look alike."""
    try:
        field._serialize(value, field.name, None)
    except Exception:  # noqa: BLE001 - it is the user's function
        return False
    return True


def _is_other(value: Any, kinds: tuple[Any, ...]) -> bool:
    """Whether a value is of a subclass that means something else: a bool is no int, a datetime no date."""
    return (isinstance(value, bool) and bool not in kinds) or (isinstance(value, datetime) and datetime not in kinds)


def _fits_schema(form: StoredForm, value: Any) -> bool:
    members = {name: inner for name, _, inner in form.members()}
    if isinstance(value, Mapping):
        return value.keys() <= members.keys() and all(fits(members[name], one) for name, one in value.items())
    if isinstance(value, _PRIMITIVES):
        return False
    return all(fits(inner, getattr(value, name, None)) for name, inner in members.items())


def raw_of(field: Any, value: Any) -> Any:
    """Raw of a value, or of what is raw already; what is wrong stays, for the field to say so when it loads it."""
    form = stored_form(field)
    if value is None:
        return None
    if form.has_members:
        return _raw_of_schema(form, value)
    if form.element is not None:
        if form.is_map:
            return {key: raw_of(form.element, one) for key, one in value.items()} if _is_map(value) else value
        return [raw_of(form.element, one) for one in value] if isinstance(value, _COLLECTIONS) else value
    if form.kinds is None:
        return value if isinstance(value, _PRIMITIVES) else field._serialize(value, field.name, None)
    is_value = isinstance(value, form.kinds) and not _is_other(value, form.kinds)
    return field._serialize(value, field.name, None) if is_value else value


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


def _raw_of_schema(form: StoredForm, value: Any) -> Any:
    if not isinstance(value, Mapping):
        if isinstance(value, _PRIMITIVES):
            return value
        if _fits_schema(form, value):
            return form.field.schema.dump(value)
        # An object, of which the fields shall say what is wrong.
        value = {name: one for name, _, _ in form.members() if (one := getattr(value, name, None)) is not None}
    by_key = {key: inner for _, key, inner in form.members()}
    keys = {name: key for name, key, _ in form.members()}
    raw: dict[Any, Any] = {}
    for name, one in value.items():
        key = name if name in by_key else keys.get(name, name)
        raw[key] = raw_of(by_key[key], one) if key in by_key else one
    return raw


def converted(field: Any, raw: Any) -> Any:
    """The value of raw, without the field's validators. Nested schemas validate all the same."""
    for function in getattr(field, "pre_load", ()):
        raw = function(raw)
    value = field._deserialize(raw, field.name, {})
    for function in getattr(field, "post_load", ()):
        value = function(value)
    return value


def plain(field: Any, raw: Any) -> Any:
    """What a field dumped as it is stored: sets as sets, and no None inside that means nothing."""
    form = stored_form(field)
    if raw is None:
        return None
    if form.has_members and isinstance(raw, Mapping):
        by_key = {key: inner for _, key, inner in form.members()}
        members = {key: plain(by_key[key], one) if key in by_key else one for key, one in raw.items()}
        return {key: one for key, one in members.items() if not _says_nothing(by_key.get(key), one)}
    if form.element is None or not isinstance(raw, (Mapping, *_COLLECTIONS)):
        return raw
    if form.is_map:
        return {key: plain(form.element, one) for key, one in raw.items()} if isinstance(raw, Mapping) else raw
    inside = [plain(form.element, one) for one in raw]
    return set(inside) if isinstance(field, Set) else inside


def _says_nothing(field: Any, raw: Any) -> bool:
    if field is None or field.required:
        return False
    return (raw is None and not field.allow_none) or (isinstance(raw, set) and not raw)
