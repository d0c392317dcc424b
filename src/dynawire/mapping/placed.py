"""What a class statement says of where its items are: in a table of their own, or in one that several classes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import SchemaError
from .attributes import Attribute
from .class_mapping import ClassMapping, TableOptions
from .indexes import IndexDeclaration

if TYPE_CHECKING:
    from .families import Family
    from .layout import TableLayout

__all__ = ["IndexMapping", "PlacedKeywords", "class_mapping", "placement_of"]


class IndexMapping(IndexDeclaration):
    """What a class body says of the place of its items in a generic index. Derived classes share it."""

    def __init__(self, index: str, pk: str | None, sk: str | None, when: Mapping[str, Any] | None) -> None:
        super().__init__(is_global=True, partition_key="pk", sort_key=None, projection="ALL", name=None)
        self.index = index
        self.pk = pk
        self.sk = sk
        self.when = when
        if type(index) is not str:
            self.problem = 'names the generic index first: IndexMap("gsi0", pk="...", sk="...")'
        elif when is not None and not (hasattr(when, "items") and when):
            self.problem = 'has a when= that is no condition; write lookups: when={"status": "open"}'


class PlacedKeywords(msgspec.Struct, frozen=True, kw_only=True):
    """What a class statement says of its place: ``table=``, ``pk=``, ``sk=``, ``kind=``."""

    layout: TableLayout
    pk: str | None = None
    sk: str | None = None
    kind: str | None = None


def placement_of(name: str, table: Any, keywords: dict[str, Any]) -> PlacedKeywords | None:
    """What a class statement says of its place; it is taken out of the keywords. None: the class has its own table.

    Raises:
        SchemaError: it can't work.
    """
    given = {one: keywords.pop(one) for one in ("pk", "sk", "kind") if one in keywords}
    if not _is_layout(table):
        if given:
            raise SchemaError(
                f"{name}: {min(given)}= places a class in a SingleTable; write table=dw.SingleTable(...), and declare "
                "the keys of a table of its own by partition_key() and sort_key()",
                model=name,
            )
        return None
    of_table = sorted(set(keywords) - {"allow_scan", "hide_expired", "load", "migrations"})
    if of_table:
        raise SchemaError(
            f"{name}: {of_table[0]}= is said where the table is: SingleTable(..., {of_table[0]}=...)", model=name
        )
    for one in given:
        if not isinstance(given[one], str) or (one == "kind" and not given[one]):
            raise SchemaError(f"{name}: {one}= is text, not {type(given[one]).__name__}", model=name)
    return PlacedKeywords(layout=table, **given)


def _is_layout(table: Any) -> bool:
    if table is None or isinstance(table, str):
        return False
    from .layout import TableLayout

    return isinstance(table, TableLayout)


def class_mapping(
    cls: Any,
    table: str | None,
    attributes: list[Attribute],
    indexes: Mapping[str, IndexDeclaration],
    keywords: Mapping[str, Any],
    said: PlacedKeywords | None,
    family: Family | None = None,
) -> ClassMapping:
    """What a class means, that has a table of its own, none, or a place in a single table.

    Args:
        cls: the class.
        table: its table's name.
        attributes: what it declares.
        indexes: its indexes, by the name of the class attribute.
        keywords: how the table is made.
        said: what the class statement says of its place; None: it has its own table.
        family: the classes it shares its table with, told apart by a discriminator.

    Raises:
        SchemaError: a template is missing or can't work, or an index is unknown.
    """
    if said is None:
        for name, index in indexes.items():
            if isinstance(index, IndexMapping):
                raise SchemaError(
                    f"{cls.__name__}: {name} is mapped to a generic index, but the class is in no SingleTable; "
                    'write table=dw.SingleTable(...), or GlobalIndex("...")',
                    model=cls.__name__,
                    attribute=name,
                )
        options = TableOptions(**keywords)
        return ClassMapping(cls, table=table, attributes=attributes, indexes=indexes, options=options, family=family)
    from .placement import placed_mapping

    return placed_mapping(cls, table, attributes, indexes, keywords, said, family)
