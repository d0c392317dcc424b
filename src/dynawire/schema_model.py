"""The base of classes whose items a schema of another library validates, loads and dumps."""

from __future__ import annotations

import sys
from _thread import RLock
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, Unpack

from .errors import SchemaError
from .expressions import Paths
from .library_model import LibraryCompletion, PathsOfClass, class_error, declare_relations
from .mapping.adapters.schema import SchemaAdapter, SchemaDriver, schema_record
from .mapping.annotations import body_annotations
from .mapping.attributes import NO_DEFAULT, AttributeDeclaration
from .mapping.class_mapping import TableKeywords, TableOptions, nearest
from .mapping.indexes import IndexDeclaration
from .mapping.layout import TableLayout
from .mapping.placed import placement_of
from .mapping.relations import RelationDeclaration
from .model_operations import ModelOperations
from .operations.mapped import MappedClass, check_values, mapped

__all__ = ["SchemaModel"]

_completing = RLock()
_LOADING = ("trust", "validate")
_KEYWORDS = ("table", "pk", "sk", "kind", "schema", "load", *TableOptions.__struct_fields__)


class _SchemaModelMeta(type):
    """Takes the schema and what is said of its fields out of a class body, and maps the class."""

    def __new__(
        metacls,
        name: str,
        bases: tuple[type[Any], ...],
        namespace: dict[str, Any],
        *,
        table: str | TableLayout | None = None,
        schema: Any = None,
        load: Literal["trust", "validate"] | None = None,
        **options: Any,
    ) -> Any:
        placing = {key: options.pop(key) for key in ("pk", "sk", "kind") if key in options}
        unknown = options.keys() - set(TableOptions.__struct_fields__)
        if unknown:
            one = min(unknown)
            listing = f"there are: {', '.join(_KEYWORDS)}"
            raise class_error(name, f"unknown class keyword {one!r}{nearest(one, _KEYWORDS, listing)}")
        placed_by = placement_of(name, table, placing | options)
        table = table.name if isinstance(table, TableLayout) else table
        if load is not None and load not in _LOADING:
            raise class_error(name, f"load={load!r}: write 'trust' or 'validate'")
        if options and table is None:
            raise class_error(name, f'{min(options)}= is about a table, and the class has none; write table="..."')
        if schema is not None and "Schema" in namespace:
            raise class_error(name, "has both schema= and a class Schema; keep one of them")
        declared: dict[str, AttributeDeclaration] = {}
        for key, one in list(namespace.items()):
            if isinstance(one, AttributeDeclaration):
                declared[key] = namespace.pop(key)
            elif isinstance(one, IndexDeclaration) and one.problem is not None:
                raise class_error(name, f"the index {key} {one.problem}", key)
        relations = {key: one for key, one in namespace.items() if isinstance(one, RelationDeclaration)}
        if relations:
            declare_relations(name, relations, namespace, table, sys._getframe(1), _RESERVED)
            namespace["__relates__"] = True
        cls: Any = super().__new__(metacls, name, bases, namespace)
        inherited: dict[str, Any] = {}
        declarations: dict[str, AttributeDeclaration] = {}
        for base in reversed(bases):
            inherited |= getattr(base, "__table_keywords__", {})
            declarations |= getattr(base, "__declarations__", {})
        cls.__table_keywords__ = inherited | options
        cls.__declarations__ = declarations | declared
        cls.__annotated__ = frozenset(key for key, one in body_annotations(namespace).items() if "Attr[" in str(one))
        if load is not None:
            cls.__load__ = load
        given = schema if schema is not None else namespace.get("Schema")
        if given is not None:
            cls.Schema = cls.__as_schema__(given, name)
        if getattr(cls, "Schema", None) is None:
            if table is not None or declared:
                raise class_error(name, "needs a schema: an inner class Schema, or schema=")
            return cls
        completion = _Completion(cls, table, placed_by)
        cls.__mapped__ = staticmethod(completion)
        if placed_by is not None:
            placed_by.layout.expect(completion)
        try:
            completion()
        except NameError:
            pass  # it nests a schema that is defined later; it is completed when it is first used
        return cls

    if not TYPE_CHECKING:  # else checkers would believe in any attribute

        def __getattr__(cls, name):
            if name[:1] != "_" and cls.__mapped__ is not None:
                path = mapped(cls).paths.get(name)
                if path is not None:
                    return path
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")


class _Completion(LibraryCompletion):
    """Maps a class, once what its schema nests is defined."""

    def _complete(self) -> MappedClass:
        cls = self._cls
        driver: SchemaDriver = cls.__drive__(cls, cls.Schema)
        self._check_names(driver)
        fields = schema_record(cls, driver, cls.__declarations__, trust=cls.__load__ == "trust")
        mapping = self._mapping(fields.attributes)
        found = MappedClass(mapping, fields, SchemaAdapter(fields))
        cls.__driver__ = driver
        cls.__unset__ = {one.name: one.default if one.default is not NO_DEFAULT else None for one in fields.attributes}
        cls.__mapped__ = found
        return found

    def _check_names(self, driver: SchemaDriver) -> None:
        cls = self._cls
        known = [one.name for one in driver.members]
        for name in known:
            if not name.isidentifier():
                raise class_error(cls.__name__, f"{name!r} is not a name that can be written in Python", name)
            if name in _RESERVED or name.startswith("_"):
                raise class_error(
                    cls.__name__,
                    f"{name} is the name of {cls.__name__}'s own {name}; give the field another name in Python and "
                    "keep the stored one",
                    name,
                )
            found = next((base.__dict__[name] for base in cls.__mro__ if name in base.__dict__), None)
            if found is not None:
                raise class_error(
                    cls.__name__,
                    f"{name} is a field of its schema and, in the class, {_article(found)}; rename one of them, or "
                    f"write {name} = attr() to say more of the field",
                    name,
                )
        for name in cls.__annotated__ - set(known):
            raise class_error(
                cls.__name__, f"{driver.name} has no field {name!r}{nearest(name, known)}; declare it there", name
            )


if TYPE_CHECKING:
    # Type checkers see no metaclass: with one, mypy would not check class keywords at all.

    class _WithSchema:
        pass
else:
    _WithSchema = _SchemaModelMeta("_WithSchema", (), {"__slots__": (), "__mapped__": None, "__module__": __name__})


class SchemaModel(_WithSchema, ModelOperations[Any, Any]):
    """What classes with a schema have in common, whatever library it is of."""

    __slots__ = ("__weakref__", "_loaded", "_related")

    if TYPE_CHECKING:
        paths: ClassVar[Paths]

        def __init_subclass__(
            cls,
            *,
            table: str | TableLayout = ...,
            pk: str = ...,
            sk: str = ...,
            kind: str = ...,
            schema: Any = ...,
            load: Literal["trust", "validate"] = ...,
            **options: Unpack[TableKeywords],
        ) -> None: ...

    __mapped__: ClassVar[Any] = None
    __load__: ClassVar[str] = "validate"
    __table_keywords__: ClassVar[dict[str, Any]] = {}
    __declarations__: ClassVar[dict[str, AttributeDeclaration]] = {}
    __annotated__: ClassVar[frozenset[str]] = frozenset()
    __driver__: ClassVar[Any] = None
    __unset__: ClassVar[dict[str, Any]] = {}
    # How the library takes a schema, and puts it to work: functions.
    __as_schema__: ClassVar[Any]
    __drive__: ClassVar[Any]

    def __init__(self, /, **values: Any) -> None:
        """Load what is given: by field name or by the name it has outside, as values or as the schema takes them.

        Raises:
            ValidationError: the schema refuses it; what it says is in ``errors``, unchanged.
        """
        cls = type(self)
        if cls.__mapped__ is None:
            raise SchemaError(f"{cls.__name__} has no schema, so it has no instances", model=cls.__name__)
        mapped(cls)  # completes it
        driver: SchemaDriver = cls.__driver__
        vars(self).update(driver.made(values))

    if not TYPE_CHECKING:

        def __getattr__(self, name):
            try:
                return type(self).__unset__[name]
            except KeyError:
                text = f"{type(self).__name__!r} object has no attribute {name!r}"
                raise AttributeError(text, name=name, obj=self) from None

        def __setattr__(self, name, value):
            if name in type(self).__unset__:
                self.__dict__[name] = value
            elif name[:1] == "_" or hasattr(type(self), name):
                object.__setattr__(self, name, value)
            else:
                cls = type(self)
                raise AttributeError(
                    f"{cls.__name__} has no attribute {name!r}{nearest(name, cls.__unset__)}", name=name, obj=self
                )

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).__unset__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        # Values never reach a log by way of a repr; to_dict() shows them.
        return f"<{type(self).__name__} ({', '.join(type(self).__unset__)})>"

    def validate(self) -> None:
        """Check every value as a write would.

        Raises:
            ValidationError: something does not fit; every failure is in ``errors``.
        """
        check_values(mapped(type(self)).plan.encode, self)

    def to_dict(self) -> dict[str, Any]:
        """The attributes by Python name, nested values as they are."""
        return {name: getattr(self, name) for name in type(self).__unset__}

    # What was loaded must come along, or save() of a copy would put it as a new item.

    def __copy__(self) -> Self:
        twin: Self = object.__new__(type(self))
        vars(twin).update(vars(self))
        twin._loaded = getattr(self, "_loaded", None)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        import copy

        twin = self.__copy__()
        memo[id(self)] = twin
        vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin

    def __getstate__(self) -> dict[str, Any]:
        loaded = getattr(self, "_loaded", None)
        wire = None if loaded is None else mapped(type(self)).plan.loaded_wire(loaded)
        return {"values": vars(self), "loaded": wire}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state["values"])
        self._loaded = state["loaded"]


if not TYPE_CHECKING:
    SchemaModel.paths = PathsOfClass()
_RESERVED = frozenset(name for name in (*dir(SchemaModel), "Schema") if not name.startswith("__"))


def _article(found: Any) -> str:
    return "a method" if callable(found) else f"a {type(found).__name__}"
