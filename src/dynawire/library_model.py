"""What models of other libraries have in common: how they are mapped when first used, their relations and paths."""

from __future__ import annotations

from _thread import RLock
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import TYPE_CHECKING, Any

from .errors import SchemaError
from .expressions import Paths
from .mapping.annotations import Names, body_annotations
from .mapping.attributes import Attribute
from .mapping.class_mapping import ClassMapping
from .mapping.indexes import declared_indexes
from .mapping.placed import PlacedKeywords, class_mapping
from .mapping.relations import RelationDeclaration, check_relations, related_annotation, relation_problem
from .operations.mapped import MappedClass, mapped

__all__ = ["LibraryCompletion", "PathsOfClass", "class_error", "declare_relations"]

# One for all classes, since mapping one may map those it refers to.
_completing = RLock()


class LibraryCompletion:
    """Maps a class once its library knows every name in it.

    Attributes:
        table: the name of its table; None: it has none, as a base of others, or what is nested in them.
    """

    def __init__(self, cls: Any, table: str | None, placed_by: PlacedKeywords | None) -> None:
        self._cls = cls
        self.table = table
        self._placed_by = placed_by

    def __call__(self) -> MappedClass:
        """The class, mapped."""
        with _completing:
            found = self._cls.__mapped__
            return found if isinstance(found, MappedClass) else self._complete()

    if TYPE_CHECKING:

        def _complete(self) -> MappedClass:
            """Map the class: each library's own."""
            ...

    def _mapping(self, attributes: Sequence[Attribute]) -> ClassMapping:
        """What a class with these attributes means."""
        cls = self._cls
        if getattr(cls, "__relates__", False):
            check_relations(cls, [one.name for one in attributes])
        return class_mapping(
            cls, self.table, list(attributes), declared_indexes(cls), cls.__table_keywords__, self._placed_by
        )


class PathsOfClass:
    """The attribute ``paths`` of a class whose attributes type checkers do not know as paths."""

    def __get__(self, instance: object, owner: type[Any]) -> Paths:
        return Paths(mapped(owner).paths, owner.__name__)


def declare_relations(
    model: str,
    relations: Mapping[str, RelationDeclaration],
    namespace: dict[str, Any],
    table: str | None,
    frame: FrameType,
    reserved: frozenset[str],
) -> None:
    """Tell the relations in a class body what the names in their annotations stand for.

    Args:
        model: name of the class.
        relations: its relations.
        namespace: its body.
        table: its table's name, or None.
        frame: where the class statement stands.
        reserved: the names of methods.

    Raises:
        SchemaError: one can't work.
    """
    annotations = body_annotations(namespace)
    for name, relation in relations.items():
        names = Names(namespace["__module__"], frame)
        problem = relation_problem(name, relation, reserved, annotations.get(name), names)
        if problem is None and table is None:
            problem = f'{name} is a relation, but the class has no table; write table="..."'
        if problem is not None:
            raise class_error(model, problem, name)
        relation.declared_in(names, related_annotation(annotations.get(name)))


def class_error(model: str, message: str, attribute: str | None = None) -> SchemaError:
    """An error that names a class by which nothing can be found yet."""
    return SchemaError(f"{model}: {message}", model=model, attribute=attribute)
