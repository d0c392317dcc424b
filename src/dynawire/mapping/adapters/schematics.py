"""schematics: one of its Models as the schema of a class, whole instances by the Model, single values by its types."""

from __future__ import annotations

import copy
import copyreg
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, NotRequired, TypedDict

from schematics import Model, types
from schematics.exceptions import BaseError, CompoundError, DataError, FieldError
from schematics.models import ModelDict
from schematics.transforms import get_import_context
from schematics.types.serializable import Serializable
from schematics.undefined import Undefined
from schematics.validate import get_validation_context, validate

from ...errors import SchemaError, ValidationError
from ..attributes import NO_DEFAULT
from .schema import Said, SchemaDriver, SchemaField, SchemaMember, joined, named, refused

__all__ = ["SchematicsDriver", "SetType", "as_schema", "schematics_driver"]

Problems = list[tuple[str, str]]

# schematics' own Models can be neither copied in depth nor pickled, for what they keep their values in can't.
copyreg.pickle(ModelDict, lambda kept: (ModelDict, (dict(kept.unsafe), dict(kept.converted), dict(kept.valid))))


class SetType(types.ListType):  # type: ignore[misc]
    """A set of values of one type: ``SetType(StringType)``, stored as DynamoDB's SS, NS or BS.

    It converts any collection to a set and exports a list. An item without it reads as the empty set, which DynamoDB
    does not have, unless ``required=True`` or another ``default`` is given.
    """

    native_type = set

    def __init__(self, field: Any, **keywords: Any) -> None:
        if not keywords.get("required"):
            keywords.setdefault("default", set)
        super().__init__(field, **keywords)

    def _convert(self, value: Any, context: Any) -> Any:
        return set(super()._convert(value, context))

    def _export(self, list_instance: Any, format: Any, context: Any) -> Any:
        return super()._export(sorted(list_instance), format, context)


def as_schema(given: Any, name: str) -> Any:
    """The schematics Model that was meant: a plain class with schematics types becomes one."""
    if not isinstance(given, type):
        raise SchemaError(
            f"{name}: the schema is a schematics Model, or a class with schematics types, not {type(given).__name__}",
            model=name,
        )
    if issubclass(given, Model):
        return given
    body: dict[str, Any] = {}
    for base in reversed(given.__mro__[:-1]):
        body |= {key: one for key, one in base.__dict__.items() if key not in ("__dict__", "__weakref__")}
    meta: Any = type(Model)
    return meta(f"{name}.Schema", (Model,), body)


def schematics_driver(cls: type[Any], schema: Any) -> SchematicsDriver:
    """The driver of a class's schema.

    Raises:
        SchemaError: one of its types can't be stored.
    """
    return SchematicsDriver(cls, schema)


class SchematicsDriver(SchemaDriver):
    """Puts a schematics Model to work."""

    def __init__(self, cls: type[Any], schema: Any) -> None:
        self.model = cls.__name__
        self.name = named(schema, cls)
        self.schema = schema
        self._fields = dict(_stored_fields(schema))
        self.members = tuple(self._member(name, field) for name, field in self._fields.items())
        self._by_key = {one.key: one for one in self.members}
        self._empty = {
            one.key
            for one in self.members
            if isinstance(self._fields[one.name], SetType)
            and one.default_factory is not NO_DEFAULT
            and not one.default_factory()
        }

    def _member(self, name: str, field: Any) -> SchemaMember:
        default, factory = (NO_DEFAULT, NO_DEFAULT) if field.required else (None, NO_DEFAULT)
        if field._default is not Undefined and field._default is not None:
            given = field._default
            # A function even for a constant: schematics does not ask whether its validators like it.
            default, factory = NO_DEFAULT, given if callable(given) else lambda: copy.copy(given)
        return SchemaMember(
            name=name,
            key=_key(name, field),
            field=self._field(field),
            kind=_kind(field),
            required=bool(field.required) and factory is NO_DEFAULT,
            allows_none=not field.required,
            default=default,
            default_factory=factory,
        )

    # ------------------------------------------------------------------ whole instances

    def dump(self, instance: Any) -> dict[str, Any]:
        problems: Problems = []
        raw: dict[str, Any] = {}
        for name, field in self._fields.items():
            value = getattr(instance, name)
            key = _key(name, field)
            if value is None:
                if key not in self.without_none:
                    raw[key] = None
                continue
            try:
                raw[key] = raw_of(field, converted(field, value))
            except BaseError as error:
                problems += [(joined(name, path), reason) for path, reason in _flat(error, value, field)]
            except ArithmeticError as error:  # of a number too large for a date, of which schematics does not think
                problems.append((name, _overflow(error)))
        if problems:
            raise refused(self.model, problems)
        for key in self._empty:
            if key in raw and not raw[key]:
                del raw[key]
        return raw

    def check(self, raw: dict[str, Any]) -> None:
        self._validated(raw, strict=False)

    def load(self, raw: dict[str, Any]) -> dict[str, Any]:
        return self._validated(raw, strict=True)

    def _validated(self, raw: dict[str, Any], *, strict: bool) -> dict[str, Any]:
        found: Any = None
        model: Any = None
        try:
            try:
                model = self.schema(raw, strict=strict)
            except DataError:
                # Once more, to hear of everything that is wrong.
                keywords = {"oo": True, "apply_defaults": True, "init_values": True}
                validate(self.schema._schema, self.schema(init=False), raw_data=dict(raw), strict=strict, **keywords)
                raise
            model.validate()
        except DataError as error:
            found = error.errors
        except ArithmeticError as error:
            found = {"": [_overflow(error)]}
        if found is not None:
            raise refused(self.model, self._told(found, raw))
        return {name: value for name in self._fields if (value := model.get(name)) is not None}

    def trust(self, raw: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        problems: Problems = []
        for key, member in self._by_key.items():
            one = raw.get(key)
            if one is not None:
                try:
                    values[member.name] = member.field.load(one)
                except ValidationError as error:
                    problems += [(joined(member.name, path), reason) for path, reason in error.errors]
            elif key not in raw and member.default_factory is not NO_DEFAULT:
                values[member.name] = member.default_factory()
        if problems:
            raise refused(self.model, problems)
        return values

    def _told(self, errors: Any, raw: Mapping[str, Any]) -> Problems:
        problems: Problems = []
        for key, one in errors.items():
            member = self._by_key.get(key)
            name, field = (str(key), None) if member is None else (member.name, self._fields[member.name])
            problems += [(joined(name, path), reason) for path, reason in _flat(one, raw.get(key), field)]
        return problems

    # ------------------------------------------------------------------ single values

    def _field(self, field: Any) -> SchemaField:
        """What the codecs need of one type."""

        def dump(value: Any, checked: bool) -> Any:
            if value is None:
                return None
            try:
                native = converted(field, value)
                if checked:
                    field.validate(native, get_validation_context(oo=True))
                return raw_of(field, native)
            except BaseError as error:
                problems = _flat(error, value, field)
            raise refused(self.model, problems)

        def load(raw: Any) -> Any:
            if raw is None:
                return None
            try:
                return converted(field, raw)
            except BaseError as error:
                problems = _flat(error, raw, field)
            raise refused(self.model, problems)

        def members() -> dict[str, tuple[str, SchemaField]]:
            inside = _stored_fields(field.model_class)
            return {name: (_key(name, inner), self._field(inner)) for name, inner in inside}

        is_model = isinstance(field, types.ModelType)
        element = field.field if isinstance(field, (types.ListType, types.DictType)) else None
        return SchemaField(
            _name(field),
            stored_as(field),
            dump,
            load,
            members=members if is_model else None,
            element=None if element is None else self._field(element),
        )


# ---------------------------------------------------------------------- types


def _stored_fields(model: Any) -> Iterator[tuple[str, Any]]:
    """The fields of a Model; what it computes (``@serializable``) is not stored."""
    for name, field in model._schema.fields.items():
        if not isinstance(field, Serializable):
            yield name, field


def _key(name: str, field: Any) -> str:
    return str(field.serialized_name or name)


def _kind(field: Any) -> Any:
    """The class of a type's values; object when it is not one."""
    if isinstance(field, types.MultilingualStringType) or not isinstance(field.native_type, type):
        return object
    return field.native_type


def _name(field: Any) -> str:
    if isinstance(field, types.ListType):
        return f"{field.native_type.__name__}[{_name(field.field)}]"
    kind = _kind(field)
    return str(type(field).__name__ if kind is object else kind.__name__)


_PRIMITIVES: dict[Any, Any] = {str: str, int: int, float: float, bool: bool, bytes: bytes}


def stored_as(field: Any, around: tuple[Any, ...] = ()) -> Any:
    """The annotation of a type's raw form. A Model that holds itself is stored there as it comes."""
    if isinstance(field, types.ModelType):
        model = field.model_class
        if model in around:
            return Any
        members = {
            _key(name, inner): NotRequired[_optional(stored_as(inner, (*around, model)))]
            for name, inner in _stored_fields(model)
        }
        return TypedDict(model.__name__, members, total=False)  # type: ignore[operator]
    if isinstance(field, SetType):
        return set[stored_as(field.field)]  # type: ignore[misc]
    if isinstance(field, types.ListType):
        return list[_optional(stored_as(field.field, around))]  # type: ignore[misc]
    if isinstance(field, types.DictType):
        return dict[str, _optional(stored_as(field.field, around))]  # type: ignore[misc]
    for kind, (annotation, _) in _SPECIAL.items():
        if isinstance(field, kind):
            return annotation
    return _PRIMITIVES.get(field.primitive_type, Any)


def _optional(annotation: Any) -> Any:
    return Any if annotation is Any else annotation | None


def converted(field: Any, value: Any) -> Any:
    """The value of raw, or of a value; validators do not run."""
    return field.convert(value, get_import_context(oo=True))


def raw_of(field: Any, value: Any) -> Any:
    """Raw of a value: what it exports as a primitive, whatever roles and export levels say."""
    if value is None:
        return None
    if isinstance(value, Model):
        return _raw_of_model(value)
    if isinstance(field, SetType):
        return {raw_of(field.field, one) for one in value}
    if isinstance(field, types.ListType):
        return [raw_of(field.field, one) for one in value]
    if isinstance(field, types.DictType):
        return {key: raw_of(field.field, one) for key, one in value.items()}
    for kind, (_, convert) in _SPECIAL.items():
        if isinstance(field, kind):
            return convert(field, value)
    return field.to_primitive(value)


def _raw_of_model(model: Any) -> dict[str, Any]:
    raw = {}
    for name, field in _stored_fields(type(model)):
        value = raw_of(field, model.get(name))
        reads_as = field.default
        if value is None and (reads_as is None or reads_as is Undefined):
            continue
        if isinstance(value, set) and not value and not reads_as:
            continue
        raw[_key(name, field)] = value
    return raw


def _raw_of_union(field: Any, value: Any) -> Any:
    chosen, native = field._resolve(value, None)
    return raw_of(chosen, native)


def _raw_of_delta(field: Any, value: Any) -> float:
    from datetime import timedelta

    return value / timedelta(**{field.precision: 1})  # type: ignore[no-any-return]


_SPECIAL: dict[Any, tuple[Any, Callable[[Any, Any], Any]]] = {
    # As numbers, and whole: schematics itself exports text, and drops fractions.
    types.DecimalType: (Decimal, lambda field, value: value),
    types.TimedeltaType: (float, _raw_of_delta),
    types.GeoPointType: (list[float], lambda field, value: [float(one) for one in field._normalize(value)]),
    types.MultilingualStringType: (dict[str, str], lambda field, value: dict(value)),
    types.UnionType: (Any, _raw_of_union),
}


# ---------------------------------------------------------------------- what schematics says


def _overflow(error: ArithmeticError) -> Said:
    return Said(f"can't be converted: schematics raised {type(error).__name__}")


def _flat(found: Any, value: Any, field: Any) -> Problems:
    """Messages, which may stand in maps by name and by position, with the path of each."""
    if isinstance(found, (CompoundError, DataError, FieldError)):
        found = found.errors
    if isinstance(found, Mapping):
        problems: Problems = []
        for key, one in found.items():
            step, inner_value, inner = _step(key, value, field)
            problems += [(joined(step, path), reason) for path, reason in _flat(one, inner_value, inner)]
        return problems
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [problem for one in found for problem in _flat(one, value, field)]
    return [("", Said(str(found), value))]


def _step(key: Any, value: Any, field: Any) -> tuple[str, Any, Any]:
    """Where a key of messages leads: a step of the path, the value there, and its type."""
    try:
        inner = value[key]
    except (KeyError, IndexError, TypeError):
        inner = None
    if isinstance(field, types.ModelType):
        for name, one in _stored_fields(field.model_class):
            if _key(name, one) == key:
                return name, inner, one
    if isinstance(field, (types.ListType, types.DictType)):
        return f"[{key!r}]", inner, field.field
    return str(key), inner, None
