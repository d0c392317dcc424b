"""``PydanticModel``: a pydantic 2 model whose instances are items. Needs the extra ``dynawire[pydantic]``."""

from __future__ import annotations

import sys
from _thread import RLock
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, dataclass_transform

import msgspec
from pydantic import BaseModel, Field, PrivateAttr

from .declare import Attr, attr, partition_key, sort_key
from .expressions import Paths
from .library_model import LibraryCompletion, PathsOfClass, class_error, declare_relations
from .managed import created_at, ttl, updated_at, version
from .mapping.adapters.pydantic import PydanticAdapter, pydantic_fields, trusting
from .mapping.annotations import body_annotations
from .mapping.attributes import NO_DEFAULT, AttributeDeclaration
from .mapping.class_mapping import TableOptions
from .mapping.habits import is_attr, keyword_advice, refuse_unread_mixins
from .mapping.indexes import IndexDeclaration
from .mapping.layout import TableLayout
from .mapping.migrations import Migrations
from .mapping.placed import placement_of
from .mapping.relations import RelationDeclaration, check_relations
from .model_operations import ModelOperations
from .operations.mapped import MappedClass, mapped
from .relations import many_to_many, many_to_one, one_to_many, one_to_one

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)  # it has no public name

__all__ = ["PydanticModel"]

_completing = RLock()
_LOADING = ("trust", "validate")


@dataclass_transform(
    kw_only_default=True,
    field_specifiers=(
        Field,
        PrivateAttr,
        attr,
        partition_key,
        sort_key,
        ttl,
        version,
        created_at,
        updated_at,
        many_to_many,
        many_to_one,
        one_to_many,
        one_to_one,
    ),
)
class _PydanticMeta(ModelMetaclass):
    def __new__(
        metacls,
        name: str,
        bases: tuple[type[Any], ...],
        namespace: dict[str, Any],
        *,
        table: str | TableLayout | None = None,
        load: Literal["trust", "validate"] | None = None,
        **keywords: Any,
    ) -> Any:
        options = {key: keywords.pop(key) for key in TableOptions.__struct_fields__ if key in keywords}
        placing: dict[str, Any] = {key: keywords.pop(key) for key in ("pk", "sk", "kind") if key in keywords}
        placed_by = placement_of(name, table, placing | options)
        table = table.name if isinstance(table, TableLayout) else table
        if load is not None and load not in _LOADING:
            raise class_error(name, f"load={load!r}: write 'trust' or 'validate'")
        if options and table is None:
            raise class_error(name, f'{min(options)}= is about a table, and the class has none; write table="..."')
        relations = {key: one for key, one in namespace.items() if isinstance(one, RelationDeclaration)}
        if relations:
            declare_relations(name, relations, namespace, table, sys._getframe(1), _RESERVED)
            _take_relations(bases, namespace, relations)
        if any(isinstance(base, _PydanticMeta) for base in bases):
            _check_names(name, namespace)
            _check_habits(name, bases, namespace, keywords)
        # pydantic would take both for defaults.
        indexes = {key: one for key, one in namespace.items() if isinstance(one, IndexDeclaration)}
        declared = {key: one for key, one in namespace.items() if isinstance(one, AttributeDeclaration)}
        for key, index in indexes.items():
            del namespace[key]
            if index.problem is not None:
                raise class_error(name, f"the index {key} {index.problem}", key)
        for key, declaration in declared.items():
            problem = declaration.problem()
            if problem is not None:
                raise class_error(name, f"{key} {problem}", key)
            namespace[key] = _field(declaration)
        # Of every field: one declared again without a word does not inherit what was said before.
        namespace["__declarations__"] = {key: declared.get(key) for key in body_annotations(namespace)}
        cls: Any = super().__new__(metacls, name, bases, namespace, **keywords)
        if not any(isinstance(base, _PydanticMeta) for base in bases):
            return cls
        if not cls.__pydantic_complete__:
            # pydantic looked for local names where the class statement is not: in this function.
            cls.model_rebuild(raise_errors=False, _types_namespace=dict(sys._getframe(1).f_locals))
        for key, index in indexes.items():
            type.__setattr__(cls, key, index)
            index.__set_name__(cls, key)  # type: ignore[attr-defined]
        for key, relation in relations.items():
            type.__setattr__(cls, key, relation)
            relation.__set_name__(cls, key)
        if relations:
            type.__setattr__(cls, "__relates__", True)
        inherited: dict[str, Any] = {}
        for base in reversed(bases):
            inherited |= getattr(base, "__table_keywords__", {})
        type.__setattr__(cls, "__table_keywords__", inherited | options)
        if load is not None:
            type.__setattr__(cls, "__load__", load)
        if getattr(cls, "__relates__", False) and cls.__pydantic_complete__:
            check_relations(cls, cls.model_fields)
        completion = _Completion(cls, table, placed_by)
        type.__setattr__(cls, "__mapped__", staticmethod(completion))
        if placed_by is not None:
            placed_by.layout.expect(completion)
        return cls

    if not TYPE_CHECKING:  # else checkers would believe in any attribute

        def __getattr__(cls, name):  # noqa: N805 - a metaclass
            # pydantic asks a class's attributes for defaults; it must not take paths for them.
            if name[:1] != "_" and name in cls.__dict__.get("__pydantic_fields__", ()):
                asking = sys._getframe(1).f_globals.get("__name__") or ""
                if not asking.startswith("pydantic.") and cls.__mapped__ is not None:
                    return mapped(cls).paths[name]
            return super().__getattr__(name)


class _Completion(LibraryCompletion):
    """Maps a class when it is first used: by then pydantic knows every name in its annotations."""

    def _complete(self) -> MappedClass:
        cls = self._cls
        try:
            fields = pydantic_fields(cls)
        except NameError as error:
            raise class_error(cls.__name__, f"{error} is not defined; define it, or call model_rebuild()") from None
        if fields is None:
            raise class_error(cls.__name__, "a RootModel has no attributes; nest it in a model that has a key")
        mapping = self._mapping(fields.attributes)
        if cls.__load__ == "trust":
            fields = msgspec.structs.replace(fields, make=trusting(cls))
        found = MappedClass(mapping, fields, PydanticAdapter(cls, fields, _slot))
        type.__setattr__(cls, "__mapped__", found)
        return found


class PydanticModel(BaseModel, ModelOperations[Any, Any], metaclass=_PydanticMeta):
    """A pydantic model whose instances are items of a DynamoDB table.

    ``class Book(PydanticModel, table="books")``: one field is the ``partition_key()``, perhaps another the
    ``sort_key()``, given as its value (``isbn: str = partition_key()``) or in its type (``Annotated[str,
    partition_key()]``); indexes are class attributes. It stays a pydantic model with all that pydantic can do, and has
    every operation of a :class:`~dynawire.Model`.

    Class keywords: ``table``; ``load``: ``"validate"`` (default: pydantic checks every item read) or ``"trust"`` (only
    types are checked, as stored); those of a Model (``billing``, ``stream``, ``ttl`` …); and pydantic's own.

    ``Book.title`` is a path for conditions, updates and projections, and so is ``Book.paths.title``, which type
    checkers know as one.
    """

    __slots__ = ("_loaded", "_related")

    if TYPE_CHECKING:
        paths: ClassVar[Paths]

        def __init_subclass__(
            cls,
            *,
            table: str | TableLayout = ...,
            pk: str = ...,
            sk: str = ...,
            kind: str = ...,
            load: Literal["trust", "validate"] = ...,
            billing: Literal["PAY_PER_REQUEST", "PROVISIONED"] = ...,
            read_units: int = ...,
            write_units: int = ...,
            stream: Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] = ...,
            ttl: str = ...,
            hide_expired: bool = ...,
            table_class: Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"] = ...,
            deletion_protection: bool = ...,
            allow_scan: bool = ...,
            migrations: type[Migrations] = ...,
            **config: Any,
        ) -> None: ...

    __mapped__: ClassVar[Any] = None
    __load__: ClassVar[str] = "validate"
    __table_keywords__: ClassVar[dict[str, Any]] = {}

    # What was loaded must come along, or save() of a copy would put it as a new item.

    def __copy__(self) -> Self:
        twin: Self = super().__copy__()
        _slot.__set__(twin, getattr(self, "_loaded", None))
        return twin

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        twin: Self = super().__deepcopy__(memo)
        _slot.__set__(twin, getattr(self, "_loaded", None))
        return twin

    def __getstate__(self) -> dict[Any, Any]:
        loaded = getattr(self, "_loaded", None)
        wire = None if loaded is None else mapped(type(self)).plan.loaded_wire(loaded)
        return super().__getstate__() | {"_loaded": wire}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        _slot.__set__(self, state.pop("_loaded", None))
        super().__setstate__(state)


_slot: Any = PydanticModel.__dict__["_loaded"]
if not TYPE_CHECKING:
    type.__setattr__(PydanticModel, "paths", PathsOfClass())
_RESERVED = frozenset(name for name in (*dir(ModelOperations), "paths") if not name.startswith("_"))


def _field(declaration: AttributeDeclaration) -> Any:
    if declaration.default_factory is not NO_DEFAULT:
        factory: Callable[[], Any] = declaration.default_factory
        return Field(default_factory=factory)
    return Field() if declaration.default is NO_DEFAULT else Field(default=declaration.default)


def _take_relations(
    bases: tuple[type[Any], ...], namespace: dict[str, Any], relations: dict[str, RelationDeclaration]
) -> None:
    """Take the relations out of a class body: pydantic would make fields of them."""
    annotations = body_annotations(namespace)
    for name in relations:
        del namespace[name]
        annotations.pop(name, None)
    for annotate in ("__annotate__", "__annotate_func__"):
        namespace.pop(annotate, None)
    namespace["__annotations__"] = annotations
    assign_field = namespace.get("__setattr__", bases[0].__setattr__)

    def assign(self: Any, name: str, value: Any) -> None:
        # pydantic would look for a field.
        (object.__setattr__ if name in relations else assign_field)(self, name, value)

    namespace["__setattr__"] = assign


def _check_names(model: str, namespace: dict[str, Any]) -> None:
    for name in body_annotations(namespace):
        if name in _RESERVED:
            raise class_error(
                model,
                f"{name} is the name of {model}'s own {name}; choose another Python name and keep the stored one: "
                f"{name}_: ... = attr(name={name!r})",
                name,
            )


def _check_habits(
    model: str, bases: tuple[type[Any], ...], namespace: dict[str, Any], keywords: dict[str, Any]
) -> None:
    for name in keywords:
        advice = keyword_advice(name)
        if name == "abstract":
            advice = "a PydanticModel without table= is a base for others as it is"
        if advice is not None:
            raise class_error(model, f"unknown class keyword {name!r}; {advice}")
    for name, annotation in body_annotations(namespace).items():
        if is_attr(annotation, Attr):
            text = f"{name}: Attr[...] is for a Model; write the plain type here, {name}: ..."
            raise class_error(model, text, name)
    refuse_unread_mixins(
        bases,
        Attr,
        lambda cls: issubclass(cls, BaseModel),
        "PydanticModel",
        lambda text, at: class_error(model, text, at),
    )
