"""Time to live: how the attribute that holds it is stored, and what hiding expired items needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from .attributes import Attribute
from .indexes import IndexDefinition
from .markers import EpochSeconds

__all__ = ["hiding_problem", "stored_as_ttl"]


def stored_as_ttl(attribute: Attribute) -> Attribute:
    """The attribute, its datetime stored as a number of seconds if it is declared with ``ttl()``."""
    annotation = attribute.annotation
    if not attribute.ttl or not _is_plain_datetime(annotation):
        return attribute
    return msgspec.structs.replace(attribute, annotation=Annotated[annotation, EpochSeconds])


def _is_plain_datetime(annotation: Any) -> bool:
    """Whether a type is datetime, or a union with it, without being told how to store it."""
    if get_origin(annotation) in (Union, UnionType):
        return datetime in get_args(annotation)
    return annotation is datetime


def hiding_problem(ttl: str | None, indexes: Mapping[str, IndexDefinition], key: Iterable[str]) -> str | None:
    """Why expired items can't be hidden; None when they can.

    Args:
        ttl: Python name of the attribute that holds the time to live, or None.
        indexes: the class's indexes.
        key: Python names of the table's key attributes.
    """
    if ttl is None:
        return (
            "hide_expired=True needs an attribute that says when an item expires; declare one, as in "
            "expires: Attr[datetime] = ttl()"
        )
    for name, index in indexes.items():
        held = {*index.key_names(), *key, *(index.projection if isinstance(index.projection, tuple) else ())}
        if index.projection != "ALL" and ttl not in held:
            return (
                f"the index {name} does not hold {ttl}, so that hide_expired=True could not tell there which items "
                "have expired; include it in the index's projection"
            )
    return None
