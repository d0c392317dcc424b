"""Making a mapped class: from the class body to a msgspec Struct with paths, mapping and codec plan."""

from __future__ import annotations

import sys
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, cast

import msgspec
from msgspec import StructMeta

from .completion import Completion, resolve_early
from .declare import Attr
from .errors import SchemaError
from .mapping.annotations import Names
from .mapping.attributes import NO_DEFAULT, AttributeDeclaration
from .mapping.class_body import ClassBody, DeclaredAttribute, inherited_attributes
from .mapping.class_mapping import ClassMapping, TableOptions, nearest
from .mapping.habits import keyword_advice, refuse_unread_mixins
from .mapping.key_types import KeyTypes
from .mapping.placed import placement_of
from .mapping.relations import check_relations
from .misuse import OF_INSTANCES, called_on_class, missing_from_class

if TYPE_CHECKING:
    from .mapping.layout import TableLayout
    from .mapping.mutators import Mutator

__all__ = ["ModelMeta"]

_STRUCT_OPTIONS: dict[str, Any] = {"kw_only": True, "weakref": True}


class ModelMeta(StructMeta):
    """The type of every Model: compiles the class when it is made.

    Class keywords: ``table`` (the table's name; without it the class can only be nested in others), ``abstract`` (its
    attributes are for the classes derived from it), and those of :class:`~dynawire.mapping.class_mapping.TableOptions`.

    Raises:
        SchemaError: the declaration can't work; the error names class and attribute and says what to write.
    """

    def __new__(
        metacls,
        name: str,
        bases: tuple[type[Any], ...],
        namespace: dict[str, Any],
        /,
        *,
        table: str | TableLayout | None = None,
        abstract: bool = False,
        tag: str | None = None,
        **options: Any,
    ) -> Any:
        """Make the class; see :class:`~dynawire.Model` for what may be written."""
        if not any(hasattr(base, "__paths__") for base in bases):
            # Model itself, and what it is made of.
            return StructMeta.__new__(metacls, name, bases, namespace, **_STRUCT_OPTIONS)
        names = Names(namespace.get("__module__", ""), _declaring_frame(namespace.get("__module__")))
        placed_by = placement_of(name, table, options)
        table_name: str | None = placed_by.layout.name if placed_by is not None else cast("str | None", table)
        inherited = inherited_attributes(bases)
        body = ClassBody(
            name, namespace, names, attribute_type=Attr, reserved=_reserved_names(bases), inherited=inherited
        )
        if body.relations:
            if table_name is None and not abstract and not any(hasattr(base, "__family__") for base in bases):
                relation = next(iter(body.relations))
                raise body.error(f'{relation} is a relation, but the class has no table; write table="..."', relation)
            namespace["__relates__"] = True
            for relation, annotation in body.relations.items():
                where = Names(namespace.get("__module__", ""), _declaring_frame(namespace.get("__module__")))
                namespace[relation].declared_in(where, annotation)
        refuse_unread_mixins(bases, Attr, _is_model, "Model, abstract=True", body.error)
        declared = inherited | body.declared
        fields = body.declared if abstract else _missing_fields(bases, inherited) | body.declared
        tagged = None if abstract else _tagged(body, declared, tag)
        if tagged is not None:
            declared, fields = declared | tagged, fields | tagged
        elif tag is not None:
            raise body.error("tag= is what its items hold in a discriminator(), and the class has none")
        fields = {attribute: one for attribute, one in fields.items() if one.declaration.computed is None}
        for attribute, one in body.declared.items():
            namespace.pop(attribute, None)
            if one.declaration.computed is not None:
                from .composed import ComputedAttribute

                _check_computed(body, attribute, bases)
                namespace[attribute] = ComputedAttribute(attribute)
        namespace.update(
            __declared__=body.declared,
            __table_keywords__=_table_keywords(body, bases, options, table_name, abstract),
            __key_types__=_key_types(bases, namespace),
            __mapped__=None,
            __paths__={},
        )
        for annotate in ("__annotate__", "__annotate_func__"):
            namespace.pop(annotate, None)
        if abstract:
            if table_name is not None:
                raise body.error("an abstract class has no table; drop abstract=True or table=")
            namespace["__annotations__"] = dict.fromkeys(body.other_annotations, ClassVar)
            namespace["__paths__"] = _AbstractPaths(name, declared)
            made = StructMeta.__new__(_AbstractModelMeta, name, bases, namespace, **_STRUCT_OPTIONS)
            made.__annotations__.update(body.other_annotations)
            resolve_early(made, names, declared)
            return made
        mutators = _mutators(name, body, declared, namespace)
        if mutators or any(getattr(base, "__mutators__", None) for base in bases):
            from .mapping.mutators import assigning

            namespace.update(__mutators__=mutators, __setattr__=assigning(mutators))
        for attribute, one in fields.items():
            namespace[attribute] = _struct_field(one.declaration)
        # msgspec does not know a ClassVar by every name that it may have in annotations that are text.
        namespace["__annotations__"] = dict.fromkeys(body.other_annotations, ClassVar) | {
            attribute: one.annotation for attribute, one in fields.items()
        }
        try:
            cls = StructMeta.__new__(metacls, name, bases, namespace, **_STRUCT_OPTIONS)
        except TypeError as error:
            raise body.error(_layout_advice(str(error), bases)) from None
        if type(cls) is not metacls or metacls is _AbstractModelMeta:
            # An abstract base would hand on that no instance can be made.
            type.__setattr__(cls, "__class__", ModelMeta)
        if mutators:
            type.__setattr__(cls, "__class__", _MutatingModelMeta)
        cls.__annotations__.update(body.other_annotations)
        if getattr(cls, "__relates__", False):
            check_relations(cls, declared)
        completion = Completion(cls, names, declared, table_name, placed_by)
        if tagged is not None and (table_name is not None or any(hasattr(base, "__family__") for base in bases)):
            completion.join_family(*tagged.items())
        completion.begin()
        return cls

    @property
    def __mapping__(cls) -> ClassMapping:  # noqa: N805 - a metaclass
        """What the class means."""
        completion = cls.__dict__.get("__completion__")
        if completion is None:
            raise AttributeError(f"{cls.__name__} is abstract, or Model itself")
        mapping: ClassMapping = completion.mapping()
        return mapping

    def __getattribute__(cls, name: str) -> Any:  # noqa: N805 - a metaclass
        # A field's slot descriptor would win over anything else, so the path must be looked up first.
        if name[:1] != "_":
            path = type.__getattribute__(cls, "__paths__").get(name)
            if path is not None:
                return path
            if name in OF_INSTANCES:
                return called_on_class(cls, name, type.__getattribute__(cls, name))
        return type.__getattribute__(cls, name)

    if not TYPE_CHECKING:  # else checkers would believe in any attribute

        def __getattr__(cls, name: str) -> None:  # noqa: N805 - a metaclass
            raise missing_from_class(cls, name)

    def __setattr__(cls, name: str, value: Any) -> None:  # noqa: N805 - a metaclass
        _refuse_change(cls, name)
        type.__setattr__(cls, name, value)

    def __delattr__(cls, name: str) -> None:  # noqa: N805 - a metaclass
        _refuse_change(cls, name)
        type.__delattr__(cls, name)


class _AbstractModelMeta(ModelMeta):
    """The type of abstract Models: they have no instances."""

    def __call__(cls, *_: Any, **__: Any) -> Any:  # noqa: N805 - a metaclass
        raise SchemaError(
            f"{cls.__name__} is abstract: its attributes are for the classes derived from it, and only those have "
            "instances",
            model=cls.__name__,
        )


class _MutatingModelMeta(ModelMeta):
    """The type of Models with mutators, through which the arguments of the constructor pass."""

    def __call__(cls, *values: Any, **by_name: Any) -> Any:  # noqa: N805 - a metaclass
        from .mapping.mutators import mutated

        return super().__call__(*values, **mutated(cls.__mutators__, by_name))


class _AbstractPaths(dict[str, Any]):
    """Stands for the paths of an abstract class, which has none."""

    def __init__(self, cls_name: str, names: dict[str, Any]) -> None:
        super().__init__()
        self._cls_name = cls_name
        self._names = names

    def get(self, name: str, default: Any = None) -> Any:
        if name in self._names:
            raise AttributeError(
                f"{self._cls_name}.{name}: {self._cls_name} is abstract; write the name of a class derived from it"
            )
        return default

    def __contains__(self, name: object) -> bool:
        return name in self._names


def _mutators(
    cls_name: str, body: ClassBody, declared: dict[str, DeclaredAttribute], namespace: dict[str, Any]
) -> dict[str, Mutator]:
    found = {name: one.declaration.mutator for name, one in declared.items() if one.declaration.mutator is not None}
    if not found:
        return {}
    if "__setattr__" in namespace:
        raise body.error(
            f"{min(found)} has a mutator=, which needs a __setattr__ of its own; leave out that of the class"
        )
    from .mapping.mutators import mutator_of

    return {name: mutator_of(cls_name, name, one) for name, one in found.items()}


def _check_computed(body: ClassBody, name: str, bases: tuple[type[Any], ...]) -> None:
    if any(name in getattr(base, "__struct_fields__", ()) for base in bases):
        raise body.error(
            f"{name} is an attribute of a base class, and so can't be computed; give it another name", name
        )


def _tagged(
    body: ClassBody, declared: dict[str, DeclaredAttribute], tag: str | None
) -> dict[str, DeclaredAttribute] | None:
    """The discriminator of a class, with the class's own tag; None when it has none."""
    found = [name for name, one in declared.items() if one.declaration.upkeep == "discriminator"]
    if not found:
        return None
    if len(found) > 1:
        raise body.error(f"{found[0]} is the discriminator already; keep one", found[1])
    if tag == "":
        raise body.error('tag= is a text that is not empty, such as tag="dog"')
    return {found[0]: declared[found[0]].with_default(body.name if tag is None else tag)}


def _struct_field(declaration: AttributeDeclaration) -> Any:
    if declaration.default_factory is not NO_DEFAULT:
        return msgspec.field(default_factory=declaration.default_factory)
    if declaration.default is not NO_DEFAULT:
        return msgspec.field(default=declaration.default)
    return msgspec.field()


def _missing_fields(
    bases: tuple[type[Any], ...], inherited: dict[str, DeclaredAttribute]
) -> dict[str, DeclaredAttribute]:
    """The inherited attributes for which no base has a field: those of abstract classes."""
    present = {field for base in bases for field in getattr(base, "__struct_fields__", ())}
    return {name: one for name, one in inherited.items() if name not in present}


def _table_keywords(
    body: ClassBody, bases: tuple[type[Any], ...], options: dict[str, Any], table: str | None, abstract: bool
) -> dict[str, Any]:
    unknown = set(options) - set(TableOptions.__struct_fields__)
    if unknown:
        known = ("table", "abstract", *TableOptions.__struct_fields__)
        name = min(unknown)
        advice = keyword_advice(name)
        if advice is not None:
            raise body.error(f"unknown class keyword {name!r}; {advice}")
        listing = f"there are: {', '.join(known)}"
        raise body.error(f"unknown class keyword {name!r}{nearest(name, known, listing)}")
    of_table = options.keys() - {"migrations"} if any(hasattr(base, "__family__") for base in bases) else options.keys()
    if of_table and table is None and not abstract:
        raise body.error(f'{min(of_table)}= is about a table, and the class has none; write table="..."')
    inherited: dict[str, Any] = {}
    for base in reversed(bases):
        inherited |= getattr(base, "__table_keywords__", {})
    if "billing" in options:
        # Capacity units belong to the way of billing they were written with.
        inherited = {name: one for name, one in inherited.items() if name not in ("read_units", "write_units")}
    return inherited | options


def _key_types(bases: tuple[type[Any], ...], namespace: dict[str, Any]) -> KeyTypes | None:
    given = [one for one in namespace.get("__orig_bases__", ()) if isinstance(one, KeyTypes)]
    given += [found for base in bases if (found := getattr(base, "__key_types__", None)) is not None]
    return given[0] if given else None


def _layout_advice(text: str, bases: tuple[type[Any], ...]) -> str:
    if "lay-out conflict" in text:
        names = " and ".join(base.__name__ for base in bases)
        return f"{names} each hold attributes of their own; declare those that are mixed in with abstract=True"
    return text


def _refuse_change(cls: Any, name: str) -> None:
    found = type.__getattribute__(cls, "__paths__")
    if name in found:
        raise AttributeError(f"{cls.__name__}.{name} is an attribute of the mapped class and can't be replaced")


def _declaring_frame(module: Any) -> FrameType | None:
    """Where the class statement stands: its local names are for annotations that name classes made in a function."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") != module:
        frame = frame.f_back
    return frame


def _is_model(cls: type[Any]) -> bool:
    return "__declared__" in cls.__dict__


def _reserved_names(bases: tuple[type[Any], ...]) -> frozenset[str]:
    """The public names of Model, the first class that has paths."""
    (model, *_) = (cls for base in bases for cls in reversed(base.__mro__) if "__paths__" in cls.__dict__)
    return frozenset(name for name in dir(model) if not name.startswith("_"))
