"""Making a mapped class: from the class body to a msgspec Struct with paths, mapping and codec plan."""

from __future__ import annotations

import sys
from typing import Any, ClassVar, dataclass_transform, get_args, get_origin

import msgspec
from msgspec import StructMeta

from .declare import Attr, attr, partition_key, sort_key
from .errors import SchemaError
from .mapping.attributes import NO_DEFAULT, Attribute, AttributeDeclaration
from .mapping.class_mapping import ClassMapping, TableOptions
from .mapping.indexes import IndexDefinition
from .mapping.records import RecordFields, type_hints
from .operations.mapped import MappedClass

__all__ = ["ModelMeta"]

_STRUCT_OPTIONS: dict[str, Any] = {"kw_only": True, "weakref": True}


@dataclass_transform(kw_only_default=True, field_specifiers=(attr, partition_key, sort_key))
class ModelMeta(StructMeta):
    """The type of every Model: compiles the class when it is made.

    Class keywords: ``table`` (the table's name; without it the class can only be nested in others), ``abstract`` (its
    attributes are for the classes derived from it), and those of :class:`~dynawire.mapping.class_mapping.TableOptions`.
    """

    def __new__(
        metacls,
        name: str,
        bases: tuple[type[Any], ...],
        namespace: dict[str, Any],
        *,
        table: str | None = None,
        abstract: bool = False,
        **options: Any,
    ) -> Any:
        if not any(isinstance(base, ModelMeta) for base in bases):
            return StructMeta.__new__(metacls, name, bases, namespace, **_STRUCT_OPTIONS)
        return _ClassMaker(metacls, name, bases, namespace, table, abstract, options).make()

    def __getattribute__(cls, name: str) -> Any:  # noqa: N805 - a metaclass
        # A field's slot descriptor would win over anything else, so the path must be looked up first.
        if name[:1] != "_":
            path = type.__getattribute__(cls, "__paths__").get(name)
            if path is not None:
                return path
        return type.__getattribute__(cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:  # noqa: N805 - a metaclass
        if name in type.__getattribute__(cls, "__paths__"):
            raise AttributeError(f"{cls.__name__}.{name} is an attribute of the mapped class and can't be replaced")
        type.__setattr__(cls, name, value)


class _Paths(dict[str, Any]):
    """The paths of a class whose annotations name something not defined yet: filled at the first look."""

    def __init__(self, complete: Any) -> None:
        super().__init__()
        self._complete = complete

    def get(self, name: str, default: Any = None) -> Any:
        return self._complete().paths.get(name, default)

    def __contains__(self, name: object) -> bool:
        return name in self._complete().paths


class _ClassMaker:
    def __init__(
        self,
        metacls: type[ModelMeta],
        name: str,
        bases: tuple[type[Any], ...],
        namespace: dict[str, Any],
        table: str | None,
        abstract: bool,
        options: dict[str, Any],
    ) -> None:
        self.metacls = metacls
        self.name = name
        self.bases = bases
        self.namespace = namespace
        self.table = table
        self.abstract = abstract
        self.options = self._table_options(options)
        self.declarations: dict[str, AttributeDeclaration] = {}
        self.frame_locals = _caller_locals()

    def make(self) -> Any:
        annotations = _own_annotations(self.namespace)
        inherited = self._inherited_annotations()
        own = {name: _unwrapped(one) for name, one in annotations.items() if self._is_attribute(name, one)}
        self._refuse_reserved(own)
        declared = {name: self.namespace.pop(name) for name in own if name in self.namespace}
        self._refuse_stray()
        self.declarations = self._inherited_declarations() | {name: self._declaration(name, declared) for name in own}
        if self.abstract:
            return self._abstract_class(own, inherited)
        wanted = {**inherited, **own}
        base_fields = {field for base in self.bases for field in getattr(base, "__struct_fields__", ())}
        for name in wanted:
            if name in own or name not in base_fields:
                self.namespace[name] = _struct_field(self.declarations[name])
        kept = {name: one for name, one in annotations.items() if name not in own}
        self.namespace["__annotations__"] = kept | {n: a for n, a in wanted.items() if n in own or n not in base_fields}
        self._bring_namespace()
        self.namespace["__paths__"] = {}
        try:
            cls = StructMeta.__new__(self.metacls, self.name, self._real_bases(), self.namespace, **_STRUCT_OPTIONS)
        except TypeError as error:
            raise self._error(self._layout_advice(str(error))) from None
        self._complete(cls)
        return cls

    # ------------------------------------------------------------------ reading the class body

    def _is_attribute(self, name: str, annotation: Any) -> bool:
        if isinstance(annotation, str):
            bare = annotation.replace("typing.", "").replace("t.", "")
            if bare.startswith("ClassVar"):
                return False
            if "Attr[" in annotation.split("[", 1)[0] + "[":
                return True
        elif annotation is ClassVar or get_origin(annotation) is ClassVar:
            return False
        elif get_origin(annotation) is Attr:
            return True
        shown = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))
        raise self._error(
            f"write {name}: Attr[{shown}], so that type checkers know {self.name}.{name} as a path "
            f"(or ClassVar[{shown}] for what is not an attribute)",
            name,
        )

    def _declaration(self, name: str, declared: dict[str, Any]) -> AttributeDeclaration:
        given = declared.get(name, NO_DEFAULT)
        if isinstance(given, AttributeDeclaration):
            return given
        try:
            declaration: AttributeDeclaration = AttributeDeclaration() if given is NO_DEFAULT else attr_of(given)
        except SchemaError as error:
            raise self._error(f"{name}: {error}", name) from None
        return declaration

    def _refuse_reserved(self, names: Any) -> None:
        reserved = _reserved_names()
        for name in names:
            if name in reserved or name.startswith("_"):
                why = "begins with '_'" if name.startswith("_") else f"is the name of {self.name}'s method {name}()"
                raise self._error(
                    f"{name} {why}; choose another Python name and keep the stored one: {name.strip('_')}_: "
                    "Attr[...] = "
                    f"attr(name={name!r})",
                    name,
                )

    def _refuse_stray(self) -> None:
        for name, value in self.namespace.items():
            if isinstance(value, AttributeDeclaration):
                raise self._error(f"{name} has no type; write {name}: Attr[...] = ...", name)

    def _table_options(self, options: dict[str, Any]) -> TableOptions:
        unknown = set(options) - set(TableOptions.__struct_fields__)
        if unknown:
            known = ", ".join(("table", "abstract", *TableOptions.__struct_fields__))
            raise self._error(f"unknown class keyword {min(unknown)!r}; there are: {known}")
        inherited: dict[str, Any] = {}
        for base in reversed(self.bases):
            if isinstance(base, ModelMeta):
                inherited |= base.__dict__.get("__table_keywords__", {})
        self.namespace["__table_keywords__"] = inherited | options
        return TableOptions(**(inherited | options))

    # ------------------------------------------------------------------ inheritance

    def _model_bases(self) -> list[Any]:
        seen: dict[Any, None] = {}
        for base in reversed(self.bases):
            for one in reversed(base.__mro__):
                if isinstance(one, ModelMeta) and "__declarations__" in one.__dict__:
                    seen[one] = None
        return list(seen)

    def _inherited_declarations(self) -> dict[str, AttributeDeclaration]:
        merged: dict[str, AttributeDeclaration] = {}
        for base in self._model_bases():
            merged |= base.__dict__["__declarations__"]
        return merged

    def _inherited_annotations(self) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for base in self._model_bases():
            merged |= base.__dict__["__attribute_annotations__"]
        return merged

    def _abstract_class(self, own: dict[str, Any], inherited: dict[str, Any]) -> Any:
        if self.table is not None:
            raise self._error("an abstract class has no table; drop abstract=True or table=")
        self.namespace.pop("__annotations__", None)
        self.namespace.pop("__annotate_func__", None)
        self.namespace.pop("__annotate__", None)
        cls = StructMeta.__new__(self.metacls, self.name, self.bases, self._described(own), **_STRUCT_OPTIONS)
        self._remember(cls, inherited | own)
        return cls

    def _described(self, own: dict[str, Any]) -> dict[str, Any]:
        return {**self.namespace, "__paths__": {}, "__abstract__": True}

    def _remember(self, cls: Any, annotations: dict[str, Any]) -> None:
        resolved = dict(annotations)
        scope = {**self._known_names(cls), **self.frame_locals}
        for name, annotation in annotations.items():
            if isinstance(annotation, str):
                # Strings belong to the module they were written in, which is not the module of a class derived here.
                resolved[name] = _Unresolved(annotation, self.namespace.get("__module__", ""), scope)
        type.__setattr__(cls, "__declarations__", self.declarations)
        type.__setattr__(cls, "__attribute_annotations__", resolved)

    def _known_names(self, cls: Any) -> dict[str, Any]:
        return {cls.__name__: cls}

    def _bring_namespace(self) -> None:
        self.namespace.pop("__annotate_func__", None)
        self.namespace.pop("__annotate__", None)
        self.namespace["__abstract__"] = False

    def _real_bases(self) -> tuple[type[Any], ...]:
        return self.bases

    def _layout_advice(self, text: str) -> str:
        if "lay-out conflict" in text:
            names = ", ".join(base.__name__ for base in self.bases)
            return f"{names} each hold attributes of their own; declare the ones that are mixed in with abstract=True"
        return text

    # ------------------------------------------------------------------ completing the class

    def _complete(self, cls: Any) -> None:
        self._remember(cls, {**self._inherited_annotations(), **self._own_of(cls)})
        indexes = {
            name: value
            for base in reversed(cls.__mro__)
            for name, value in base.__dict__.items()
            if isinstance(value, IndexDefinition)
        }
        done: list[MappedClass] = []

        def complete() -> MappedClass:
            if not done:
                done.append(self._mapped(cls, indexes))
                type.__setattr__(cls, "__mapped__", done[0])
                type.__setattr__(cls, "__mapping__", done[0].mapping)
                type.__setattr__(cls, "__paths__", done[0].paths)
            return done[0]

        try:
            complete()
        except NameError:
            # An annotation names a class defined further down: completed when first used.
            type.__setattr__(cls, "__mapped__", staticmethod(complete))
            type.__setattr__(cls, "__mapping__", _LaterMapping(complete))
            type.__setattr__(cls, "__paths__", _Paths(complete))

    def _own_of(self, cls: Any) -> dict[str, Any]:
        own = cls.__dict__.get("__annotations__", None) or self.namespace.get("__annotations__", {})
        return {name: one for name, one in own.items() if name in self.declarations}

    def _mapped(self, cls: Any, indexes: dict[str, IndexDefinition]) -> MappedClass:
        hints = self._hints(cls)
        attributes = [
            Attribute(
                name=name,
                stored_name=declaration.name or name,
                annotation=hints[name],
                default=declaration.default,
                default_factory=declaration.default_factory,
                role=declaration.role,
                constraints=declaration.constraints,
                store_none=declaration.store_none,
            )
            for name, declaration in self.declarations.items()
        ]
        mapping = ClassMapping(cls, table=self.table, attributes=attributes, indexes=indexes, options=self.options)
        # The class may contain itself: its codec looks the mapping up while it is being compiled.
        type.__setattr__(cls, "__mapping__", mapping)
        fields = RecordFields(tuple(attributes), {attribute.name: attribute.name for attribute in attributes})
        return MappedClass(mapping, fields, keeps_loaded=True)

    def _hints(self, cls: Any) -> dict[str, Any]:
        annotations: dict[str, Any] = cls.__dict__["__attribute_annotations__"]
        hints: dict[str, Any] = {}
        for name in self.declarations:
            annotation = annotations[name]
            hints[name] = (
                annotation.resolve() if isinstance(annotation, _Unresolved) else _resolved_inside(annotation, cls)
            )
        return hints

    def _error(self, message: str, attribute: str | None = None) -> SchemaError:
        return SchemaError(f"{self.name}: {message}", model=self.name, attribute=attribute)


class _Unresolved(msgspec.Struct):
    """An annotation written as text, with what is needed to resolve it."""

    text: str
    module: str
    scope: dict[str, Any]

    def resolve(self) -> Any:
        module = sys.modules.get(self.module)
        carrier = type("_Carrier", (), {"__annotations__": {"it": self.text}, "__module__": self.module})
        names = {**(module.__dict__ if module else {}), **self.scope}
        return type_hints(carrier, names)["it"]


class _LaterMapping:
    """Stands for the mapping of a class that is completed when first used."""

    def __init__(self, complete: Any) -> None:
        self._complete = complete

    def __getattr__(self, name: str) -> Any:
        return getattr(self._complete().mapping, name)


def attr_of(default: Any) -> AttributeDeclaration:
    """The declaration of ``name: Attr[T] = default``."""
    declaration: AttributeDeclaration = attr(default=default)  # type: ignore[assignment]
    return declaration


def _struct_field(declaration: AttributeDeclaration) -> Any:
    if declaration.default_factory is not NO_DEFAULT:
        return msgspec.field(default_factory=declaration.default_factory)
    if declaration.default is not NO_DEFAULT:
        return msgspec.field(default=declaration.default)
    return msgspec.field()


def _own_annotations(namespace: dict[str, Any]) -> dict[str, Any]:
    found = namespace.get("__annotations__")
    if found is None and sys.version_info >= (3, 14):
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        if annotate is not None:
            found = annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF)
    return dict(found or {})


def _unwrapped(annotation: Any) -> Any:
    if isinstance(annotation, str):
        return annotation[annotation.index("[") + 1 : annotation.rindex("]")]
    return get_args(annotation)[0]


def _resolved_inside(annotation: Any, cls: Any) -> Any:
    """An annotation whose arguments may be text: ``list["Node"]``."""
    carrier = type("_Carrier", (), {"__annotations__": {"it": annotation}, "__module__": cls.__module__})
    module = sys.modules.get(cls.__module__)
    return type_hints(carrier, {**(module.__dict__ if module else {}), cls.__name__: cls})["it"]


def _caller_locals() -> dict[str, Any]:
    """The local names where the class statement stands, for annotations that name classes made in a function."""
    frame = sys._getframe(1)
    while frame.f_globals.get("__name__") == __name__:
        if frame.f_back is None:
            return {}
        frame = frame.f_back
    return dict(frame.f_locals) if frame.f_locals is not frame.f_globals else {}


def _reserved_names() -> frozenset[str]:
    from .model import Model

    return frozenset(name for name in dir(Model) if not name.startswith("_"))
