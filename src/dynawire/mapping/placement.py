"""How the items of one class lie in a table that several classes share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

import msgspec

from ..errors import SchemaError
from .attributes import Attribute
from .class_mapping import ClassMapping, TableOptions, nearest
from .computed import ComputedDeclaration
from .families import Family
from .indexes import IndexDeclaration
from .layout import TableLayout
from .placed import IndexMapping, PlacedKeywords
from .templates import Template

__all__ = ["Placement", "placed_mapping"]


class Placement(msgspec.Struct, frozen=True, kw_only=True):
    """Where the items of a class are.

    Attributes:
        layout: the table.
        keys: the templates of its keys by the key's stored name, those of the primary key first.
        key_sources: Python names of the attributes the primary key is composed of, in order.
        kind: what the items' kind is, or None.
        indexes: by the name of the class attribute, the generic index.
    """

    layout: TableLayout
    keys: dict[str, Template]
    key_sources: tuple[str, ...]
    kind: str | None
    indexes: dict[str, str]

    def key_names(self, index: str | None) -> tuple[str, str | None]:
        """Stored names of the partition key and the sort key of the table, or of a generic index."""
        return self.layout.key_names(index)


def placed_mapping(
    cls: Any,
    table: str | None,
    attributes: list[Attribute],
    indexes: Mapping[str, IndexDeclaration],
    keywords: Mapping[str, Any],
    said: PlacedKeywords,
    family: Family | None,
) -> ClassMapping:
    """What a class means that has a place in a single table; see :func:`~.placed.class_mapping`."""
    is_root = family is None or family.root is cls
    if family is not None and not is_root and said.kind is None and said.layout.kind is not None:
        # Their items are of one kind, and of several classes.
        said = msgspec.structs.replace(said, kind=family.root.__name__)
    placement, attributes, indexes = _Placing(cls, said, attributes).result(indexes)
    if not said.layout.store_keys:
        _check_unstored(cls, placement, attributes)
    made = {**said.layout.options, **keywords}
    ttl = next((one for one in attributes if one.ttl and one.stored_name != made.get("ttl")), None)
    if ttl is not None:
        raise SchemaError(
            f"{cls.__name__}.{ttl.name} is declared as ttl(), and {said.layout.name} has none, or another; "
            f"write SingleTable(..., ttl={ttl.stored_name!r})",
            model=cls.__name__,
            attribute=ttl.name,
        )
    if made.get("ttl") is not None:
        made["ttl"] = next((one.name for one in attributes if one.stored_name == made["ttl"]), None)
    mapping = ClassMapping(
        cls,
        table=table,
        attributes=attributes,
        indexes=indexes,
        options=TableOptions(**made),
        placement=placement,
        family=family,
    )
    if is_root:
        said.layout.add(cls, placement)
    return mapping


def _check_unstored(cls: Any, placement: Placement, attributes: Iterable[Attribute]) -> None:
    """Refuse what needs an attribute to be stored that is in the key alone."""
    unique = {one.name: one.unique for one in attributes if one.unique is not None}
    needed = {name: f"the scope of the unique {one}" for one in unique for name in unique[one].scope}
    needed |= dict.fromkeys(unique, "unique=")
    for name in placement.key_sources:
        if name in needed:
            raise SchemaError(
                f"{cls.__name__}.{name} is {needed[name]}, and so must be stored, but {placement.layout.name} has it "
                "in the key alone; leave out store_keys=False",
                model=cls.__name__,
                attribute=name,
            )


class _Placing:
    def __init__(self, cls: Any, said: PlacedKeywords, attributes: list[Attribute]) -> None:
        self._name = cls.__name__
        self._said = said
        self._layout = said.layout
        self._attributes = attributes
        self._by_name = {one.name: one for one in attributes}
        self._hidden: list[Attribute] = []
        self._keys: dict[str, Template] = {}

    def result(
        self, indexes: Mapping[str, IndexDeclaration]
    ) -> tuple[Placement, list[Attribute], dict[str, IndexDeclaration]]:
        layout, said = self._layout, self._said
        for attribute in self._attributes:
            if attribute.role is not None:
                raise self._error(
                    f"{attribute.name} is declared {attribute.role}(), but the keys of {layout.name} are generic; "
                    'declare it as it is, and name it in the templates: class X(Model, table=..., pk="X#{...}")',
                    attribute.name,
                )
        partition_key, sort_key = layout.key_names(None)
        sources = self._key(partition_key, "pk", said.pk, "partition_key")
        if sort_key is not None:
            sources += self._key(sort_key, "sk", said.sk, "sort_key")
        elif said.sk is not None:
            raise self._error(f"sk= is given, but {layout.name} has no sort key")
        found: dict[str, IndexDeclaration] = {}
        mapped: dict[str, str] = {}
        for name, declared in indexes.items():
            found[name] = self._index(name, declared, mapped)
        kind = None
        if layout.kind is not None:
            kind = self._name if said.kind is None else said.kind
            self._hide(layout.kind, Template(kind, layout.separator, (kind,), ()))
        elif said.kind is not None:
            raise self._error(f"kind= is given, but {layout.name} was declared with kind=None")
        placement = Placement(
            layout=layout, keys=self._keys, key_sources=tuple(dict.fromkeys(sources)), kind=kind, indexes=mapped
        )
        self._check_names()
        return placement, [*self._attributes, *self._hidden], found

    def _error(self, message: str, attribute: str | None = None) -> SchemaError:
        return SchemaError(f"{self._name}: {message}", model=self._name, attribute=attribute)

    def _template(self, what: str, text: str) -> Template:
        try:
            template = Template.parse(text, self._layout.separator)
        except ValueError as error:
            raise self._error(f"{what} is a template that can't work: {error}") from None
        for name in template.names:
            if name not in self._by_name:
                raise self._error(
                    f"{what} is composed of {name!r}, an attribute {self._name} does not "
                    f"have{nearest(name, self._by_name)}",
                    name,
                )
        return template

    def _key(self, stored_name: str, keyword: str, text: str | None, role: Any) -> tuple[str, ...]:
        """A key of the table; Python names of its sources."""
        if text is None:
            raise self._error(f'{keyword}= is missing: class {self._name}(Model, table=..., {keyword}="...")')
        template = self._template(f"{keyword}=", text)
        for name in template.names:
            source = self._by_name[name]
            if _may_be_none(source.annotation):
                raise self._error(f"{keyword}= is composed of {name}, which may be None; a key is never None", name)
            if source.upkeep is not None:
                raise self._error(
                    f"{keyword}= is composed of {name}, which every write sets; a key never changes", name
                )
        if not any(template.literals) and not template.components:
            raise self._error(f"{keyword}= is empty; a key has at least one character")
        self._hide(stored_name, template, role=role)
        return template.names

    def _index(self, name: str, declared: IndexDeclaration, mapped: dict[str, str]) -> IndexDeclaration:
        """A generic index as this class has it."""
        if not isinstance(declared, IndexMapping):
            raise self._error(
                f"{name} is an index of a table of its own; the indexes of {self._layout.name} are generic: write "
                f'{name} = IndexMap("gsi0", pk="...", sk="...")',
                name,
            )
        generic = self._layout.indexes.get(declared.index)
        if generic is None:
            known = ", ".join(self._layout.indexes) or "none"
            raise self._error(
                f"{name} is mapped to {declared.index!r}, an index {self._layout.name} does not have; its "
                f"indexes: {known}",
                name,
            )
        other = next((one for one, index in mapped.items() if index == declared.index), None)
        if other is not None:
            raise self._error(f"{other} and {name} are both mapped to {declared.index}; an item is there once", name)
        mapped[name] = declared.index
        partition_key, sort_key = self._layout.key_names(declared.index)
        texts = {partition_key: declared.pk, sort_key: declared.sk}
        if not generic.is_global:
            if declared.pk is not None:
                raise self._error(
                    f"{name}: pk= is that of the table, for {declared.index} is a local index; leave it out", name
                )
            del texts[partition_key]
        elif sort_key is None and declared.sk is not None:
            raise self._error(f"{name}: sk= is given, but {declared.index} has no sort key", name)
        when = declared.when
        for stored_name, text in texts.items():
            if stored_name is None:
                continue
            keyword = "pk" if stored_name == partition_key else "sk"
            if text is None:
                raise self._error(f'{name}: {keyword}= is missing: IndexMap("{declared.index}", {keyword}="...")', name)
            self._hide(stored_name, self._template(f"{name}: {keyword}=", text), when=when)
            # One condition on one of the keys is enough to leave the item out of the index.
            when = None
        return generic

    def _hide(self, stored_name: str, template: Template, *, role: Any = None, when: Any = None) -> None:
        if stored_name != self._layout.kind:
            self._keys[stored_name] = template
        is_sparse = when is not None or any(_may_be_none(self._by_name[name].annotation) for name in template.names)
        self._hidden.append(
            Attribute(
                name=stored_name,
                stored_name=stored_name,
                annotation=str | None if is_sparse else str,
                role=role,
                hidden=True,
                computed=ComputedDeclaration(
                    sources=template.names,
                    template=template,
                    missing="absent" if is_sparse else "error",
                    when=None if when is None else dict(when),
                ),
            )
        )

    def _check_names(self) -> None:
        for hidden in self._hidden:
            for attribute in self._attributes:
                if hidden.stored_name in (attribute.name, attribute.stored_name):
                    raise self._error(
                        f"{attribute.name} has the name of a generic key of {self._layout.name}, {hidden.stored_name}; "
                        "give it another name, or declare the table with other names of keys",
                        attribute.name,
                    )


def _may_be_none(annotation: Any) -> bool:
    if hasattr(annotation, "__metadata__"):
        return _may_be_none(get_args(annotation)[0])
    return annotation is None or annotation is type(None) or any(map(_may_be_none, _union(annotation)))


def _union(annotation: Any) -> Iterable[Any]:
    from types import UnionType
    from typing import Union, get_origin

    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else ()
