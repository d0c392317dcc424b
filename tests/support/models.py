"""The mapped classes that the tests of operations share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from dynawire import Attr, GlobalIndex, LocalIndex, Model, attr, partition_key, sort_key


class Address(msgspec.Struct):
    """A nested map."""

    street: str
    city: str
    floor: int = 0
    note: str | None = None


class Place(Model, table="places"):
    """Something of everything."""

    state: Attr[str] = partition_key()
    code: Attr[str] = sort_key()
    name: Attr[str]
    city: Attr[str | None] = attr(default=None)
    visits: Attr[int] = attr(default=0, ge=0)
    rank: Attr[int | None] = attr(default=None)
    tags: Attr[set[str]] = attr(default_factory=set)
    scores: Attr[list[int]] = attr(default_factory=list)
    names: Attr[dict[str, str]] = attr(default_factory=dict)
    address: Attr[Address | None] = attr(default=None)
    addresses: Attr[list[Address]] = attr(default_factory=list)
    extra: Attr[Any] = attr(default=None)
    label: Attr[str] = attr(default="none", name="lbl")

    by_rank = LocalIndex("rank")
    by_rank_keys = LocalIndex("rank", projection="KEYS_ONLY")
    by_city = GlobalIndex("city", "name")
    by_city_keys = GlobalIndex("city", projection="KEYS_ONLY")
    by_city_some = GlobalIndex("city", "visits", projection=["name", "tags"])


class Reading(Model, table="readings"):
    """A number as the only key."""

    number: Attr[Decimal] = partition_key()
    text: Attr[str] = attr(default="")


class Grouped(Model, table="grouped"):
    """Keys made of several attributes."""

    id: Attr[str] = partition_key()
    tenant: Attr[str]
    region: Attr[str]
    year: Attr[int]
    month: Attr[int]

    by_group = GlobalIndex(["tenant", "region"], ["year", "month"])


def place(code: str = "DFW", state: str = "TX", **values: Any) -> Place:
    """A place with what it must have."""
    return Place(state=state, code=code, **{"name": f"name {code}", **values})
