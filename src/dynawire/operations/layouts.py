"""The table of a single-table design as a mapped class of its own: its generic keys and indexes, and nothing else."""

from __future__ import annotations

from typing import Any

from ..mapping.adapters.base import Adapter
from ..mapping.attributes import Attribute
from ..mapping.class_mapping import ClassMapping, TableOptions
from ..mapping.layout import TableLayout
from ..mapping.records import RecordFields
from .mapped import MappedClass

__all__ = ["table_of_layout"]


def table_of_layout(layout: TableLayout) -> MappedClass:
    """The mapped class that stands for the table itself."""
    found = layout.made
    if not isinstance(found, MappedClass):
        found = layout.made = _made(layout)
    return found


def _made(layout: TableLayout) -> MappedClass:
    cls: Any = type(layout.name, (), {"__slots__": ()})
    attributes = [
        Attribute(name=layout.partition_key, stored_name=layout.partition_key, annotation=str, role="partition_key")
    ]
    if layout.sort_key is not None:
        attributes.append(Attribute(name=layout.sort_key, stored_name=layout.sort_key, annotation=str, role="sort_key"))
    others = [name for index in layout.indexes.values() for name in (*index.partition_key, *index.sort_key)]
    attributes += [Attribute(name=name, stored_name=name, annotation=str | None, default=None) for name in others]
    ttl = layout.options.get("ttl")
    if ttl is not None:
        attributes.append(Attribute(name=ttl, stored_name=ttl, annotation=float | None, default=None))
    mapping = ClassMapping(
        cls,
        table=layout.name,
        attributes=attributes,
        indexes=layout.indexes,
        options=TableOptions(**layout.options),
    )
    fields = RecordFields(tuple(attributes), {})
    found = MappedClass(mapping, fields, Adapter(fields))
    cls.__mapped__ = found
    return found
