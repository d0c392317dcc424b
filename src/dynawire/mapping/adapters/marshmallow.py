"""marshmallow 3 and 4: a Schema drives a class, whole instances by the schema, single values by its fields."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import marshmallow
from marshmallow import Schema
from marshmallow import ValidationError as MarshmallowError
from marshmallow.exceptions import RegistryError

from ...errors import SchemaError, ValidationError
from ..attributes import NO_DEFAULT
from .marshmallow_fields import Set, StoredForm, converted, fits, plain, raw_of, stored_form
from .marshmallow_schemas import arranged, own
from .schema import Said, SchemaDriver, SchemaField, SchemaMember, joined, named, refused

__all__ = ["MarshmallowDriver", "marshmallow_driver"]

Problems = list[tuple[str, str]]

_loading: ContextVar[frozenset[Any]] = ContextVar("_loading", default=frozenset())


def marshmallow_driver(cls: type[Any], given: Any) -> MarshmallowDriver:
    """The driver of a class's schema.

    Raises:
        SchemaError: what it loads and dumps can't be stored without loss.
        NameError: it nests a schema that is not defined yet.
    """
    try:
        return MarshmallowDriver(cls, own(given))
    except RegistryError as error:
        raise NameError(str(error), name=str(error)) from None


class MarshmallowDriver(SchemaDriver):
    """Puts a marshmallow Schema to work."""

    def __init__(self, cls: type[Any], schema: Schema) -> None:
        self.cls = cls
        self.model = cls.__name__
        self.name = named(type(schema), cls)
        self.schema = schema
        if schema.many:
            raise self._error("many=True is for a list of items; use the schema without it")
        self._forms: dict[str, StoredForm] = {}
        members = [self._member(name, field) for name, field in arranged(schema, self._error).items()]
        self.members = tuple(members)
        self._by_key = {one.key: one for one in members}
        self._keys = {one.name: one.key for one in members}
        self._typed = [(one.name, self._forms[one.name].field) for one in members]
        self._empty = {one.key for one in members if self._reads_empty(one)}
        self._null_is_absent = {one.key for one in members if not one.allows_none}
        self._paths = {one.key: (one.name, self._forms[one.name]) for one in members}
        self._makes_objects = bool(schema._hooks.get("post_load"))
        own_get = schema.get_attribute

        def get_attribute(obj: Any, attr: str, default: Any) -> Any:
            # An attribute that was never given a value is missing, so that dump_default applies.
            if obj.__class__ is cls and attr not in obj.__dict__ and self._keys.get(attr) in self.without_none:
                return default
            return own_get(obj, attr, default)

        schema.get_attribute = get_attribute  # type: ignore[method-assign]

    def _error(self, message: str, name: str | None = None) -> SchemaError:
        where = f"{self.model}: {self.name}{f'.{name}' if name else ''}"
        return SchemaError(f"{where}: {message}", model=self.model, attribute=name)

    def _member(self, field_name: str, field: Any) -> SchemaMember:
        name = field_name if field.attribute is None else field.attribute
        if "." in name:
            raise self._error(
                f"attribute={name!r} reaches into another object, which can't be stored; nest a schema", field_name
            )
        form = self._forms[name] = stored_form(field)
        default, factory = NO_DEFAULT, NO_DEFAULT
        if not field.required:
            default = None
            if field.load_default is not marshmallow.missing and field.load_default is not None:
                given = field.load_default
                # A function even for a constant: marshmallow does not ask whether its validators like it.
                default, factory = NO_DEFAULT, given if callable(given) else lambda: given
        return SchemaMember(
            name=name,
            key=field_name if field.data_key is None else field.data_key,
            field=self._field(field, form, name),
            kind=form.kind,
            required=bool(field.required),
            allows_none=bool(field.allow_none),
            default=default,
            default_factory=factory,
        )

    # ------------------------------------------------------------------ whole instances

    def dump(self, instance: Any) -> dict[str, Any]:
        raw = self.schema.dump(self._loadable(instance))
        if not isinstance(raw, Mapping):
            raise self._error(f"its hooks dump {type(raw).__name__}, and an item is a mapping")
        found = {
            key: plain(self._forms[one.name].field, raw[key])
            for key, one in self._by_key.items()
            if key in raw and not (raw[key] is None and key in self.without_none)
        }
        for key in self._empty:
            if key in found and not found[key]:
                del found[key]
        return found

    def _reads_empty(self, member: SchemaMember) -> bool:
        """Whether it is a set that reads as empty when it is not there, which is how DynamoDB stores an empty one."""
        if not isinstance(self._forms[member.name].field, Set) or member.default_factory is NO_DEFAULT:
            return False
        return not member.default_factory()

    def _loadable(self, instance: Any) -> Any:
        """The instance, or one like it with what the schema loads of the values that it would not have loaded."""
        values = instance.__dict__
        loaded: dict[str, Any] = {}
        problems: Problems = []
        for name, field in self._typed:
            value = values.get(name)
            if value is None or fits(field, value):
                continue
            try:
                loaded[name] = field.deserialize(raw_of(field, value))
            except MarshmallowError as error:
                problems += self._told({self._keys[name]: error.messages}, {self._keys[name]: value})
            except ArithmeticError as error:
                # Its own fields raise what Python's numbers raise, as of an infinite period of time.
                problems.append((name, Said(f"can't be converted: marshmallow raised {type(error).__name__}")))
        if problems:
            raise refused(self.model, problems)
        if not loaded:
            return instance
        twin = object.__new__(type(instance))
        twin.__dict__.update(values)
        twin.__dict__.update(loaded)
        return twin

    def check(self, raw: dict[str, Any]) -> None:
        problems = self._problems_of(lambda: self.schema.validate(raw), raw)
        if problems:
            raise refused(self.model, problems)

    def _problems_of(self, call: Callable[[], Any], raw: Any) -> Problems:
        with _inside(self.cls):
            try:
                return self._told(call() or {}, raw)
            except MarshmallowError as error:  # a handle_error of the user's
                return self._told(error.messages, raw)

    def load(self, raw: dict[str, Any]) -> dict[str, Any]:
        raw = {key: one for key, one in raw.items() if one is not None or key not in self._null_is_absent}
        problems: Problems = []
        found: Any = None
        with _inside(self.cls):
            try:
                found = self.schema.load(raw)
            except MarshmallowError as error:
                problems = self._told(error.messages, raw)
        # Not from inside the except clause: marshmallow's error holds the values.
        if problems:
            raise refused(self.model, problems)
        return self._attributes(found)

    def _attributes(self, found: Any) -> dict[str, Any]:
        if isinstance(found, Mapping):
            return {name: found[name] for name in self._keys if name in found}
        if isinstance(found, self.cls):
            values: dict[str, Any] = found.__dict__
            return values
        # An object of another class that post_load made.
        missing = object()
        given = {name: getattr(found, name, missing) for name in self._keys}
        if all(one is missing for one in given.values()):
            raise self._error(f"its post_load makes {type(found).__name__}, which has none of its attributes")
        return {name: one for name, one in given.items() if one is not missing}

    def trust(self, raw: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        problems: Problems = []
        for key, member in self._by_key.items():
            one = raw.get(key)
            if one is not None or (key in raw and member.allows_none):
                try:
                    values[member.name] = member.field.load(one)
                except ValidationError as error:
                    problems += [(joined(member.name, path), reason) for path, reason in error.errors]
            elif member.default_factory is not NO_DEFAULT:
                values[member.name] = member.default_factory()
        if problems:
            raise refused(self.model, problems)
        return values

    def made(self, values: dict[str, Any]) -> dict[str, Any]:
        if self._makes_objects and self.cls in _loading.get():
            # Its post_load makes an instance of this class, of what is loaded already.
            return {self._paths[name][0] if name in self._paths else name: one for name, one in values.items()}
        raw: dict[str, Any] = {}
        for name, one in values.items():
            key = name if name in self._by_key else self._keys.get(name, name)
            if key in raw:
                raise refused(self.model, [(self._paths[key][0], Said(f"is given twice, also as {key}"))])
            raw[key] = raw_of(self._paths[key][1].field, one) if key in self._paths else one
        return self.load(raw)

    # ------------------------------------------------------------------ single values

    def _field(self, field: Any, form: StoredForm, name: str | None = None) -> SchemaField:
        """What the codecs need of one field."""

        def dump(value: Any, checked: bool) -> Any:
            if value is None:
                return None  # a codec of optional values says whether it may be
            raw: Any = None
            problems: Problems = []
            try:
                loaded = value if fits(field, value) else converted(field, raw_of(field, value))
                raw = plain(field, field._serialize(loaded, field.name, None)) if form.alone else loaded
            except MarshmallowError as error:
                problems = _flat(error.messages, value, form)
            if checked and not problems:
                problems = self._value_problems(field, form, raw, name)
            if problems:
                raise refused(self.model, problems)
            return raw

        def load(raw: Any) -> Any:
            if raw is None:
                return None
            try:
                return converted(field, raw)
            except MarshmallowError as error:
                problems = _flat(error.messages, raw, form)
            raise refused(self.model, problems)

        def members() -> dict[str, tuple[str, SchemaField]]:
            return {
                inner_name: (key, self._field(inner, stored_form(inner))) for inner_name, key, inner in form.members()
            }

        return SchemaField(
            form.name,
            form.stored_as,
            dump,
            load,
            members=members if form.has_members else None,
            element=None if form.element is None else self._field(form.element, stored_form(form.element)),
        )

    def _value_problems(self, field: Any, form: StoredForm, raw: Any, name: str | None) -> Problems:
        """What the schema says of one raw value: its field's validators, and the ``@validates`` of the attribute."""
        try:
            value = field.deserialize(copy.copy(raw))
        except MarshmallowError as error:
            return _flat(error.messages, raw, form)
        if name is None:
            return []
        store = _ErrorStore()
        self.schema._invoke_field_validators(error_store=store, data={name: value}, many=False)  # type: ignore[arg-type]
        return [problem for messages in store.found for problem in _flat(messages, raw, form)]

    def _told(self, messages: Any, raw: Any) -> Problems:
        """What marshmallow says of whole raw, by attribute name."""
        if not isinstance(messages, Mapping):
            return _flat(messages, raw, None)
        problems: Problems = []
        for key, one in messages.items():
            name, form = self._paths.get(key, ("" if key == "_schema" else str(key), None))
            value = raw.get(key) if isinstance(raw, Mapping) else None
            problems += [(joined(name, path), reason) for path, reason in _flat(one, value, form)]
        return problems


@contextmanager
def _inside(cls: type[Any]) -> Iterator[None]:
    token = _loading.set(_loading.get() | {cls})
    try:
        yield
    finally:
        _loading.reset(token)


class _ErrorStore:
    """Takes what ``@validates`` methods say."""

    def __init__(self) -> None:
        self.found: list[Any] = []

    def store_error(self, messages: Any, field_name: str = "", index: int | None = None) -> None:
        self.found.append(messages)


# ---------------------------------------------------------------------- what marshmallow says


def _flat(messages: Any, value: Any, form: StoredForm | None) -> Problems:
    """Messages, which may stand in maps by key and by position, with the path of each."""
    if isinstance(messages, Mapping):
        problems: Problems = []
        for key, one in messages.items():
            if form is not None and form.is_map and isinstance(one, Mapping):
                # By what is wrong: the key, or the value, whose own messages these are.
                one = [*_flat(one.get("key", []), key, None), *_flat(one.get("value", []), None, None)]
                problems += [(joined(f"[{key!r}]", path), reason) for path, reason in one]
                continue
            step, inner, inside = _step(key, value, form)
            problems += [(joined(step, path), reason) for path, reason in _flat(one, inner, inside)]
        return problems
    if isinstance(messages, (list, tuple)):
        return [problem for one in messages for problem in _flat(one, value, form)]
    return [("", Said(str(messages), value))]


def _step(key: Any, value: Any, form: StoredForm | None) -> tuple[str, Any, StoredForm | None]:
    """Where a key of messages leads: a step of the path, the value there, and how that is stored."""
    if key == "_schema":
        return "", value, form
    try:
        inner = value[key]
    except (KeyError, IndexError, TypeError):
        inner = None
    if isinstance(key, int):
        return f"[{key}]", inner, None if form is None or form.element is None else stored_form(form.element)
    if form is not None and form.has_members:
        for name, stored, field in form.members():
            if stored == key:
                return name, inner, stored_form(field)
    return str(key), inner, None
