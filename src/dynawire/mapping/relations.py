"""Relations as a class body declares them: what leads from an item to others."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Literal, get_args, get_origin

import msgspec

from ..errors import SchemaError
from .annotations import Names, annotation_text, inside_brackets
from .class_mapping import nearest
from .habits import is_one_subscript, text_head
from .inherited import declarations_of

__all__ = [
    "CASCADES",
    "Cascade",
    "RelationDeclaration",
    "RelationFacts",
    "RelationKind",
    "check_relations",
    "declared_relations",
    "is_relation",
    "related_annotation",
    "relation_problem",
    "unknown_attribute",
]

RelationKind = Literal["one_to_one", "one_to_many", "many_to_one", "many_to_many"]
Cascade = Literal["save", "delete"] | tuple[Literal["save", "delete"], ...]
CASCADES = ("save", "delete")

_LEADS = {"ToOne": "leads to one other", "ToMany": "leads to several others", "ManyToMany": "links several to several"}
_DECLARED_BY = {
    "ToOne": "many_to_one(...) or one_to_one(...)",
    "ToMany": "one_to_many(...)",
    "ManyToMany": "many_to_many(...)",
}


class RelationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a relation.

    Attributes:
        kind: how many are on either side.
        attributes: Python names of this class's attributes that tell the others, in the order of the others' key.
        to: the other class, its name, or a function that gives it; None: as annotated.
        by: the same as ``attributes`` by name: the others' attribute, this class's attribute.
        index: the index of the others that is queried; None: their table.
        query: gives the query of the others; None: made of the attributes.
        back: name of the other class's relation that leads back.
        cascade: which writes go on to the others.
        auto_create: whether a missing other is made when it is asked for.
        through: the class of the links, its name, or a function that gives it.
        own, other: Python names of the links' attributes that hold the key of this side and of the other.
    """

    kind: RelationKind
    attributes: tuple[Any, ...] = ()
    to: Any = None
    by: Mapping[str, str] | None = None
    index: str | None = None
    query: Callable[[Any], Any] | None = None
    back: str | None = None
    cascade: Any = ()
    auto_create: bool = False
    through: Any = None
    own: Any = ()
    other: Any = ()

    @property
    def is_to_one(self) -> bool:
        """Whether there is one other at the most."""
        return self.kind in ("one_to_one", "many_to_one")

    @property
    def cascades(self) -> tuple[str, ...]:
        """Which writes go on to the others."""
        return (self.cascade,) if isinstance(self.cascade, str) else tuple(self.cascade)

    def problem(self) -> str | None:
        """What is wrong with it, whatever the classes; None when nothing."""
        unnamed = [one for one in self.attributes if not isinstance(one, str)]
        if unnamed:
            shown = getattr(unnamed[0], "__name__", type(unnamed[0]).__name__)
            return f"takes names of attributes, as text, not {shown}; the other class is to=... or the annotation"
        if self.by is not None and (self.attributes or not self.by):
            return (
                "has by=, which says for attributes of the others which attribute of this class has their value; "
                + ("leave the other names out" if self.attributes else "it names none")
            )
        if not isinstance(self.cascade, (str, tuple, list)) or not set(self.cascades) <= set(CASCADES):
            return 'has a cascade= other than "save", "delete", or ("save", "delete")'
        if self.query is not None and (self.attributes or self.by or self.index or self.back):
            return "has query=, which says all; leave attributes, by=, index= and back= out"
        if self.kind == "many_to_one" and not self.attributes and not self.by:
            return (
                "does not say which attribute holds the key of the other item; write for example "
                'many_to_one("customer_id")'
            )
        if self.auto_create and self.index is not None:
            return "has auto_create=, which needs the other's key; an index has none"
        return None


class RelationDeclaration:
    """A relation in a class body. Classes derived from that class share it, so nothing of an item is kept here.

    Attributes:
        facts: what was said of it.
        name: the name of the class attribute.
    """

    def __init__(self, facts: RelationFacts) -> None:
        self.facts = facts
        self.name = ""
        self._annotation: Any = None
        self._names: Names | None = None
        self._found: dict[str, type[Any]] = {}

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name = name

    def declared_in(self, names: Names, annotation: Any) -> None:
        """Where it stands, for the names in it.

        Args:
            names: what they stand for.
            annotation: what stands in the brackets of the annotation; None: there is none.
        """
        self._names = names
        self._annotation = annotation

    def target(self, owner: type[Any]) -> type[Any]:
        """The other class, of whose kind it is not yet known whether it will do.

        Raises:
            SchemaError: there is no such class.
        """
        given = self.facts.to if self.facts.to is not None else self._annotation
        if given is None:
            raise self.error(owner, "does not say to which class it leads; write to=..., or annotate it")
        return self._class("to", given, owner)

    def through(self, owner: type[Any]) -> type[Any]:
        """The class of the links.

        Raises:
            SchemaError: there is no such class.
        """
        return self._class("through", self.facts.through, owner)

    def error(self, owner: type[Any], message: str) -> SchemaError:
        """An error that names class and relation."""
        return SchemaError(f"{owner.__name__}.{self.name} {message}", model=owner.__name__, attribute=self.name)

    def _class(self, role: str, given: Any, owner: type[Any]) -> type[Any]:
        found = self._found.get(role)
        if found is None:
            found = self._found[role] = self._resolved(given, owner)
            if len(self._found) == (1 if self.facts.through is None else 2) and self._names is not None:
                self._names.forget_frame()
        return found

    def _resolved(self, given: Any, owner: type[Any]) -> type[Any]:
        if isinstance(given, type):
            return given
        if callable(given) and not hasattr(given, "__forward_arg__"):
            try:
                given = given()
            except NameError as error:
                raise self._unknown(owner, getattr(error, "name", None) or str(error)) from None
            if not isinstance(given, type):
                raise self.error(owner, f"leads to what its function gives: a class, not {type(given).__name__}")
            return given
        text = getattr(given, "__forward_arg__", given)
        if not isinstance(text, str):
            raise self.error(owner, f"leads to a class, its name, or a function that gives it; not {given!r}")
        return self._by_name(text.strip("\"' "), owner)

    def _by_name(self, text: str, owner: type[Any]) -> type[Any]:
        assert self._names is not None
        try:
            found = self._names.resolve(text)
        except NameError as error:
            found = _imported(text)
            if found is None:
                raise self._unknown(owner, getattr(error, "name", None) or text) from None
        except (AttributeError, SyntaxError, TypeError) as error:
            raise self.error(owner, f"names {text!r}, which can't be evaluated: {error}") from None
        if not isinstance(found, type):
            raise self.error(owner, f"leads to a class; {text} is none")
        return found

    def _unknown(self, owner: type[Any], missing: str) -> SchemaError:
        import sys

        module = owner.__module__
        known = vars(sys.modules.get(module, sys))
        return self.error(
            owner,
            f"names {missing}, which is not defined in {module}{nearest(missing, known)}; define or import it there "
            f'before the relation is used, or give to=lambda: ... or to="package.module.{missing}"',
        )


def _imported(text: str) -> Any:
    """What a dotted name stands for, if its module can be imported."""
    from importlib import import_module

    module, _, name = text.rpartition(".")
    if not module:
        return None
    try:
        return getattr(import_module(module), name, None)
    except ImportError:
        return None


def is_relation(kind: Any) -> bool:
    """Whether this is what the annotation of a relation begins with."""
    return isinstance(kind, type) and issubclass(kind, RelationDeclaration)


def relation_problem(
    name: str, declaration: RelationDeclaration, reserved: frozenset[str], annotation: Any, names: Names
) -> str | None:
    """Why a class can't have this relation under this name, whatever the other class; None when it can.

    Args:
        name: the name of the class attribute.
        declaration: what stands there.
        reserved: the names of methods.
        annotation: its annotation; None: there is none.
        names: what the names in that stand for.
    """
    if name.startswith("_"):
        return f"the relation {name} begins with '_'; choose another name"
    if name in reserved:
        return f"the relation {name} has the name of a method; choose another name"
    problem = declaration.facts.problem()
    if problem is None and annotation is not None:
        problem = _annotation_problem(name, declaration, annotation, names)
    return None if problem is None else f"the relation {name} {problem}"


def _annotation_problem(name: str, declaration: RelationDeclaration, annotation: Any, names: Names) -> str | None:
    """Why a relation can't be annotated so; None when it can, or when that is not known yet."""
    text = annotation_text(annotation)
    kind: Any = names.head(text) if text is not None else get_origin(annotation) or annotation
    if kind is ClassVar:
        return _annotation_problem(name, declaration, inside_brackets(annotation), names)
    meant, call = type(declaration).__name__, declaration.facts.kind
    # What is imported for type checkers only is known by its name alone.
    found = kind.__name__ if is_relation(kind) else text_head(text) if text is not None and kind is None else None
    if found in _LEADS and found != meant:
        return (
            f"is annotated {found}[...], but {call}() {_LEADS[meant]}; write {name}: {meant}[...] = {call}(...), or "
            f"declare it with {_DECLARED_BY[found]}"
        )
    is_whole = text is None or "[" not in text or is_one_subscript(text)
    if kind is None or kind is Any or (found is not None and is_whole):
        return None
    return f"is annotated as something else, but {call}() {_LEADS[meant]}; write {name}: {meant}[...] = {call}(...)"


def declared_relations(cls: type[Any]) -> dict[str, RelationDeclaration]:
    """What a class and its bases say of relations, by name; none of it is looked into."""
    return declarations_of(cls, RelationDeclaration)


def check_relations(cls: type[Any], attributes: Collection[str]) -> None:
    """Refuse relations that lead by attributes their class does not have.

    Args:
        cls: a class that is no longer abstract.
        attributes: Python names of its attributes.

    Raises:
        SchemaError: one does; it names the class, the relation and the attribute.
    """
    for declaration in declared_relations(cls).values():
        facts = declaration.facts
        for name in facts.by.values() if facts.by is not None else facts.attributes:
            if name not in attributes:
                raise declaration.error(cls, unknown_attribute(name, cls, attributes))


def unknown_attribute(name: Any, cls: type[Any], attributes: Collection[str]) -> str:
    """What is said of a relation that names an attribute a class does not have."""
    shown = repr(name) if isinstance(name, str) else f"of type {type(name).__name__}"
    listing = f"its attributes: {', '.join(attributes) or 'none'}"
    return f"names the attribute {shown}, which {cls.__name__} does not have{nearest(str(name), attributes, listing)}"


def related_annotation(annotation: Any) -> Any:
    """What stands in the brackets of a relation's annotation, be it a ClassVar or not; None when nothing does."""
    text = annotation_text(annotation)
    if text is None:
        inside = get_args(annotation)
        return (
            None if not inside else related_annotation(inside[0]) if get_origin(annotation) is ClassVar else inside[0]
        )
    if re.search(_BRACKETS, text) is None:
        return None
    return related_annotation(inside_brackets(text)) if text_head(text) == "ClassVar" else inside_brackets(text)


_BRACKETS = r"\[\s*[^\s\]].*\]"
"""Brackets with something inside."""
