"""What the body of a mapped class declares, read and checked as far as types need not be known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, get_args, get_origin

import msgspec

from ..errors import SchemaError
from .annotations import Names, annotation_text, body_annotations, inside_brackets
from .attributes import NO_DEFAULT, AttributeDeclaration
from .habits import annotation_advice, body_advice, is_attr, is_one_subscript, text_head
from .indexes import IndexDeclaration
from .relations import RelationDeclaration, is_relation, related_annotation, relation_problem

__all__ = ["ClassBody", "DeclaredAttribute", "inherited_attributes"]


class DeclaredAttribute:
    """An attribute as one class body declares it. Classes derived from that class share it.

    Attributes:
        annotation: what stands inside ``Attr[...]``: a type, or text until it is resolved.
        declaration: what ``attr()`` said of it.
    """

    __slots__ = ("_names", "annotation", "declaration")

    def __init__(self, annotation: Any, declaration: AttributeDeclaration, names: Names | None) -> None:
        self.annotation = annotation
        self.declaration = declaration
        self._names = names

    def with_default(self, default: Any) -> DeclaredAttribute:
        """The same attribute with another default."""
        copy = DeclaredAttribute(self.annotation, msgspec.structs.replace(self.declaration, default=default), None)
        copy._names = self._names
        return copy

    def resolve(self) -> Any:
        """Its type, markers included.

        Raises:
            NameError: the annotation names something that is not defined yet.
        """
        if self._names is not None:
            self.annotation = self._names.resolve(self.annotation)
            self._names = None
        return self.annotation


def inherited_attributes(bases: Iterable[type[Any]]) -> dict[str, DeclaredAttribute]:
    """The attributes of all base classes; of several with one name, that of the class Python finds first."""
    found: dict[str, DeclaredAttribute] = {}
    seen: set[type[Any]] = set()
    for base in reversed(tuple(bases)):
        for cls in reversed(base.__mro__):
            if cls not in seen:
                seen.add(cls)
                found |= cls.__dict__.get("__declared__", {})
    return found


class ClassBody:
    """The body of a class that is being made.

    Attributes:
        declared: its attributes, in order.
        other_annotations: the annotations that are none (``ClassVar``).
        relations: its relations, each with what stands in the brackets of its annotation, or None.
    """

    def __init__(
        self,
        name: str,
        namespace: Mapping[str, Any],
        names: Names,
        *,
        attribute_type: Any,
        reserved: frozenset[str],
        inherited: Mapping[str, DeclaredAttribute],
    ) -> None:
        self.name = name
        self._namespace = namespace
        self._names = names
        self._attribute_type = attribute_type
        self._reserved = reserved
        self.declared: dict[str, DeclaredAttribute] = {}
        self.other_annotations: dict[str, Any] = {}
        self.relations: dict[str, Any] = {}
        for attribute, annotation in body_annotations(dict(namespace)).items():
            if isinstance(namespace.get(attribute), RelationDeclaration):
                self.relations[attribute] = self._related(attribute, annotation)
                self.other_annotations[attribute] = annotation
            elif self._is_attribute(attribute, annotation):
                self._check_name(attribute)
                declaration = self._declaration(attribute)
                inside = inside_brackets(annotation)
                if is_attr(inside, attribute_type):
                    raise self.error(f"{attribute}: Attr stands in Attr; write Attr[...] once", attribute)
                self.declared[attribute] = DeclaredAttribute(inside, declaration, names)
            else:
                self.other_annotations[attribute] = annotation
        self._check_rest(inherited)

    def error(self, message: str, attribute: str | None = None) -> SchemaError:
        """An error that names the class."""
        return SchemaError(f"{self.name}: {message}", model=self.name, attribute=attribute)

    def _is_attribute(self, name: str, annotation: Any) -> bool:
        text = annotation_text(annotation)
        kind = self._names.head(text) if text is not None else get_origin(annotation) or annotation
        if text is not None and kind is None:
            # Imported for type checkers only: nothing but its name is known here.
            kind = {"Attr": self._attribute_type, "ClassVar": ClassVar}.get(text_head(text))
        if kind is ClassVar:
            return False
        if kind is self._attribute_type and (get_args(annotation) if text is None else is_one_subscript(text)):
            return True
        advice = annotation_advice(name, annotation, self._attribute_type)
        if advice is not None:
            raise self.error(f"{name}: {advice}", name)
        shown = text if text is not None else getattr(annotation, "__name__", str(annotation))
        if is_relation(kind):
            raise self.error(
                f"{name} is a relation without declaration; write {name}: {shown} = many_to_one(...)", name
            )
        inner = "..." if kind is self._attribute_type else shown
        raise self.error(
            f"write {name}: Attr[{inner}], so that type checkers know {self.name}.{name} as a path "
            f"(or ClassVar[{inner}] for what is not an attribute)",
            name,
        )

    def _related(self, name: str, annotation: Any) -> Any:
        """What stands in the brackets of a relation's annotation."""
        text = annotation_text(annotation)
        kind = self._names.head(text) if text is not None else get_origin(annotation) or annotation
        if kind is self._attribute_type:
            shown = type(self._namespace[name]).__name__
            raise self.error(f"{name} is a relation, which is not stored; write {name}: {shown}[...] = ...", name)
        return related_annotation(annotation)

    def _declaration(self, name: str) -> AttributeDeclaration:
        given = self._namespace.get(name, NO_DEFAULT)
        if isinstance(given, IndexDeclaration):
            raise self.error(
                f"{name} is an index, which has no Attr[...]; write {name} = {type(given).__name__}(...)", name
            )
        declaration = given if isinstance(given, AttributeDeclaration) else AttributeDeclaration(default=given)
        problem = declaration.problem()
        if problem is not None:
            raise self.error(f"{name} {problem}", name)
        return declaration

    def _check_name(self, name: str) -> None:
        if name.startswith("_"):
            why = "begins with '_'"
        elif name in self._reserved:
            why = f"is the name of {self.name}'s own {name}"
        else:
            return
        other = f"{name.strip('_')}_"
        raise self.error(
            f"{name} {why}; choose another Python name and keep the stored one: {other}: Attr[...] = "
            f"attr(name={name!r})",
            name,
        )

    def _check_rest(self, inherited: Mapping[str, DeclaredAttribute]) -> None:
        for name, value in self._namespace.items():
            if name in self.declared:
                continue
            advice = body_advice(name, value)
            if advice is not None:
                raise self.error(advice, name)
            if isinstance(value, AttributeDeclaration):
                raise self.error(f"{name} has no type; write {name}: Attr[...] = ...", name)
            if isinstance(value, RelationDeclaration):
                self.relations.setdefault(name, None)
                annotation = self.other_annotations.get(name)
                problem = relation_problem(name, value, self._reserved, annotation, self._names)
                if problem is not None:
                    raise self.error(problem, name)
            if isinstance(value, IndexDeclaration):
                if name in self._reserved:
                    raise self.error(
                        f"the index {name} has the name of {self.name}'s own {name}; choose another Python name and "
                        f"keep the stored one with {type(value).__name__}(..., name={name!r})",
                        name,
                    )
                if value.problem is not None:
                    raise self.error(f"the index {name} {value.problem}", name)
            if name in inherited:
                raise self.error(
                    f"{name} is an attribute of a base class; to give it another default, write "
                    f"{name}: Attr[...] = attr(default=...)",
                    name,
                )
