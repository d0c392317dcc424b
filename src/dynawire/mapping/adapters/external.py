"""Classes that are not ours: dataclasses, attrs classes, msgspec Structs, pydantic models, TypedDicts.

Nothing is added to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_origin

import msgspec

from ...errors import SchemaError
from ..annotations import Names
from ..attributes import NO_DEFAULT, Attribute, AttributeDeclaration
from ..class_mapping import ClassMapping, TableOptions, nearest
from ..indexes import IndexDeclaration
from ..misplaced import is_declaration, unread
from ..records import RecordFields, record_fields
from ..relations import is_relation
from .base import Adapter
from .tracking import Tracker, can_be_tracked

__all__ = ["ExternalDeclaration", "external_adapter", "external_mapping"]


class ExternalDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """What ``db.table(cls, name=...)`` says of a class.

    Attributes:
        name: the table's name, without the database's prefix.
        partition_key, sort_key: Python names of the key attributes.
        indexes: by the name they are asked for.
        attributes: what is said of single attributes beyond their types, by Python name.
        options: how the table is made.
    """

    name: str
    partition_key: str
    sort_key: str | None = None
    indexes: Mapping[str, IndexDeclaration] = {}
    attributes: Mapping[str, AttributeDeclaration] = {}
    options: Mapping[str, Any] = {}


# ---------------------------------------------------------------------- what the class means


def external_mapping(cls: Any, declaration: ExternalDeclaration, names: Names) -> tuple[ClassMapping, RecordFields]:
    """What a class that is not ours means to a table, and what it is made of.

    Raises:
        SchemaError: it is not of a kind that can be mapped, or the declaration can't work.
        NameError: an annotation names something that is not defined.
    """
    fields = _fields(cls, names)
    wrong = _Wrong(cls.__name__)
    wrong.unless_known(declaration.attributes, fields, "attributes=")
    roles: dict[str, Any] = {declaration.partition_key: "partition_key"}
    if declaration.sort_key is not None:
        if declaration.sort_key in roles:
            raise wrong(f"{declaration.sort_key} can't be both partition_key= and sort_key=", declaration.sort_key)
        roles[declaration.sort_key] = "sort_key"
    for role in ("partition_key", "sort_key"):
        wrong.unless_known([name for name, its in roles.items() if its == role], fields, f"{role}=")
    for name in roles:
        if name in fields.optional_members:
            raise wrong(f"{name} is a key, which every item has; it can't be NotRequired", name)
    attributes = [
        _attribute(wrong, one, declaration.attributes.get(one.name), roles.get(one.name)) for one in fields.attributes
    ]
    for name, index in declaration.indexes.items():
        if not isinstance(index, IndexDeclaration):
            raise wrong(f"indexes={{{name!r}: ...}} takes a GlobalIndex(...) or LocalIndex(...)", name)
        if index.problem is not None:
            raise wrong(f"the index {name} {index.problem}", name)
    given = (*declaration.indexes.values(), *declaration.attributes.values())
    for base in cls.__mro__:
        for name, value in base.__dict__.items():
            if is_declaration(value) and not any(value is one for one in given):
                raise wrong(f"{name} {unread(cls.__name__, name, value)}", name)
    unknown = set(declaration.options) - set(TableOptions.__struct_fields__)
    if unknown:
        known = ("name", "partition_key", "sort_key", "indexes", "attributes", *TableOptions.__struct_fields__)
        name = min(unknown)
        listing = f"there are: {', '.join(known)}"
        raise wrong(f"unknown keyword {name!r}{nearest(name, known, listing)}")
    mapping = ClassMapping(
        cls,
        table=declaration.name,
        attributes=attributes,
        indexes=declaration.indexes,
        options=TableOptions(**declaration.options),
        # Not the class itself: it may have other tables, where its attributes are stored under other names.
        owner=type(cls.__name__, (), {"__module__": cls.__module__, "__slots__": ()}),
    )
    return mapping, msgspec.structs.replace(fields, attributes=tuple(attributes))


class _Wrong:
    """Makes the errors of one class."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, message: str, attribute: str | None = None) -> SchemaError:
        return SchemaError(f"{self._name}: {message}", model=self._name, attribute=attribute)

    def unless_known(self, names: Any, fields: RecordFields, where: str) -> None:
        known = [attribute.name for attribute in fields.attributes]
        for name in names:
            if name not in known:
                raise self(
                    f"{where} names the attribute {name!r}, which {self._name} does not have{nearest(name, known)}",
                    name,
                )


def _fields(cls: Any, names: Names) -> RecordFields:
    fields = record_fields(cls, names) if isinstance(cls, type) else None
    if fields is None or (issubclass(cls, tuple)):
        name = getattr(cls, "__name__", type(cls).__name__)
        raise SchemaError(
            f"{name} can't be mapped to a table: it is no dataclass, attrs class, msgspec Struct, pydantic model or "
            f'TypedDict; write class {name}(Model, table="...")',
            model=name,
        )
    return fields


def _attribute(wrong: _Wrong, found: Attribute, said: AttributeDeclaration | None, role: Any) -> Attribute:
    if is_relation(get_origin(found.annotation)):
        raise wrong(
            f"{found.name} is a relation, which only Model and PydanticModel classes have, for nothing is added to "
            "this one; keep the other's key in an attribute",
            found.name,
        )
    if said is None:
        return msgspec.structs.replace(found, role=role) if role is not None else found
    if not isinstance(said, AttributeDeclaration):
        raise wrong(f"attributes={{{found.name!r}: ...}} takes attr(...)", found.name)
    if said.computed is not None:
        raise wrong(f"{found.name} is a field of the class, so it can't be computed; leave it to the class", found.name)
    if said.role is not None:
        raise wrong(f"{found.name}: write {said.role}={found.name!r} beside attributes=, not {said.role}()", found.name)
    problem = said.problem()
    if problem is not None:
        raise wrong(f"{found.name} {problem}", found.name)
    if said.mutator is not None:
        raise wrong(
            f"{found.name} has a mutator=, and to a class that is not ours nothing is added; call it where the value "
            "is made, or in a hook: hooks.before_save.connect(function, sender=...)",
            found.name,
        )
    known: dict[str, Any] = {"role": role}
    if said.name is None:
        known["stored_name"] = found.stored_name
    if said.default is NO_DEFAULT and said.default_factory is NO_DEFAULT:
        known |= {"default": found.default, "default_factory": found.default_factory}
    return said.attribute(found.name, found.annotation, **known)


# ---------------------------------------------------------------------- its instances


def external_adapter(cls: Any, fields: RecordFields) -> Adapter:
    """What the operations need of the instances of such a class."""
    if fields.is_dict:
        return _Dicts(fields)
    kind = _Tracked if can_be_tracked(cls) else _Untracked
    adapter = kind(fields)
    if hasattr(cls, "__pydantic_fields_set__"):
        from .pydantic import assign_field

        adapter.assign = assign_field  # type: ignore[method-assign]
    elif hasattr(cls, "__attrs_attrs__") or "__pydantic_fields__" in cls.__dict__:
        # Past what checks an assignment: what is stored was checked when it was read.
        adapter.assign = object.__setattr__  # type: ignore[method-assign,assignment]
    adapter.frozen = _is_frozen(cls)
    return adapter


def _is_frozen(cls: Any) -> bool:
    parameters = getattr(cls, "__dataclass_params__", None)
    if parameters is not None:
        return bool(parameters.frozen)
    config = getattr(cls, "__struct_config__", None)
    if config is not None:
        return bool(config.frozen)
    if hasattr(cls, "__pydantic_fields_set__"):
        return bool(cls.model_config.get("frozen"))
    # attrs: a frozen class has this function in the place of __setattr__.
    return getattr(cls.__setattr__, "__name__", "") == "_frozen_setattrs"


class _Untracked(Adapter):
    """Instances that can't be referred to weakly: slots without ``__weakref__``, Structs without ``weakref=True``."""

    keeps_on_instance = False
    tracks = False
    new_is_put = False

    def keep(self, instance: Any, loaded: Any) -> None:
        pass

    def loaded(self, instance: Any) -> Any:
        return None

    def why_unknown(self) -> str:
        return "its class has no room for weak references, so what it was loaded from can't be kept beside it"


class _Dicts(_Untracked):
    """Dicts of a TypedDict."""

    def why_unknown(self) -> str:
        return "a dict can't be referred to weakly, so what it was loaded from can't be kept beside it"

    def value(self, instance: Any, name: str) -> Any:
        return instance[name]

    def assign(self, instance: Any, name: str, value: Any) -> None:
        instance[name] = value

    def take(self, instance: Any, current: Any, name: str) -> None:
        if name in current:
            instance[name] = current[name]
        else:
            instance.pop(name, None)

    def drop(self, instance: Any, name: str, default: Any) -> None:
        if name in self.fields.optional_members:
            instance.pop(name, None)
        else:
            instance[name] = default


class _Tracked(Adapter):
    """Instances whose origin is kept beside them for as long as they live."""

    keeps_on_instance = False
    new_is_put = False

    def __init__(self, fields: RecordFields) -> None:
        super().__init__(fields)
        tracker = Tracker()
        self.keep = tracker.keep  # type: ignore[method-assign]
        self.loaded = tracker.kept  # type: ignore[method-assign]

    def why_unknown(self) -> str:
        return "this table neither loaded nor wrote it, and a copy is another instance"
