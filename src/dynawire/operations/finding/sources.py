"""Where the items of a class can be read: its table and its indexes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from ...mapping.attributes import Attribute
from ...mapping.indexes import IndexDefinition
from ..target import Target

__all__ = ["Source", "source_of", "sources_of"]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A table or one of its indexes. Names are stored names.

    Attributes:
        kind: what it is.
        index: the index; None: the table.
        partition: its partition key's attributes.
        sort: its sort key's attributes in their order.
        key: all attributes of its key, which a Query's filter may not look at.
        held: the attributes its entries have; None: all.
        missing: those of the class it does not have.
        sparse: attributes of its key that an item of the class need not have; it is then not in the index.
        rare: those of them that may be None, so that many items may lack them.
        label: what it is called in messages.
    """

    kind: Literal["table", "local", "global"]
    index: IndexDefinition | None
    partition: tuple[str, ...]
    sort: tuple[str, ...]
    key: frozenset[str]
    held: frozenset[str] | None
    missing: frozenset[str]
    sparse: frozenset[str]
    rare: frozenset[str]
    label: str

    def holds(self, names: Iterable[str]) -> bool:
        """Whether its entries have all of these attributes."""
        return self.held is None or self.held.issuperset(names)


def sources_of(target: Target) -> tuple[Source, ...]:
    """The table and then its indexes, in the order in which they are declared."""
    found: tuple[Source, ...] | None = target.known.get("sources")
    if found is None:
        found = target.known["sources"] = tuple(_sources(target))
    return found


def source_of(target: Target, index: IndexDefinition | None) -> Source:
    """The table, or one of its indexes."""
    name = None if index is None else index.name
    return next(
        source for source in sources_of(target) if (None if source.index is None else source.index.name) == name
    )


def _sources(target: Target) -> Iterable[Source]:
    mapping = target.mapped.mapping
    key = target.plan.key_names
    yield Source(
        kind="table",
        index=None,
        partition=key[:1],
        sort=key[1:],
        key=frozenset(key),
        held=None,
        missing=frozenset(),
        sparse=frozenset(),
        rare=frozenset(),
        label="the table",
    )
    every = frozenset(attribute.stored_name for attribute in mapping.attributes.values())
    for index in mapping.indexes.values():
        attributes = [mapping.attributes[name] for name in index.key_names()]
        names = tuple(attribute.stored_name for attribute in attributes)
        held = None
        if index.projection != "ALL":
            included = index.projection if isinstance(index.projection, tuple) else ()
            held = frozenset((*key, *names, *(mapping.attributes[name].stored_name for name in included)))
        yield Source(
            kind="global" if index.is_global else "local",
            index=index,
            partition=names[: len(index.partition_key)],
            sort=names[len(index.partition_key) :],
            key=frozenset(names),
            held=held,
            missing=frozenset() if held is None else every - held,
            sparse=frozenset(one.stored_name for one in attributes if _may_lack(target, one)),
            rare=frozenset(one.stored_name for one in attributes if "NULL" in target.plan.codecs[one.name].tags),
            label=f"the {'global' if index.is_global else 'local'} index {index.name}",
        )


def _may_lack(target: Target, attribute: Attribute) -> bool:
    return attribute.role is None and target.plan.record.may_be_absent(attribute)
