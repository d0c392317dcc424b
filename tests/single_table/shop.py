"""The classes of a shop in one table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dynawire as dw
from dynawire import Attr, IndexMap, Model, attr, joined, updated_at, version

shop = dw.SingleTable("shop", global_indexes=3, local_indexes=1)


class User(Model, table=shop, pk="USER#{user_id}", sk="PROFILE"):
    user_id: Attr[str]
    name: Attr[str] = attr(default="")
    email: Attr[str | None] = attr(default=None)
    visits: Attr[int] = attr(default=0)

    by_email = IndexMap("gsi0", pk="EMAIL#{email}", sk="USER")


class Order(Model, table=shop, pk="USER#{user_id}", sk="ORDER#{created_at}#{order_id}"):
    user_id: Attr[str]
    created_at: Attr[datetime]
    order_id: Attr[str]
    status: Attr[str] = attr(default="open", name="st")
    total: Attr[int] = attr(default=0)
    note: Attr[str | None] = attr(default=None)
    label: Attr[str] = joined("order_id", "total")

    by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{created_at}")
    open_by_total = IndexMap("gsi1", pk="OPEN", sk="{total}", when={"status": "open"})
    by_note = IndexMap("gsi2", pk="NOTE#{note}#{status}", sk="{total:06}#{order_id}")
    by_total = IndexMap("lsi0", sk="TOTAL#{total}")


class Line(Model, table=shop, pk="USER#{user_id}", sk="ORDER#{created_at}#{order_id}#LINE#{number}"):
    user_id: Attr[str]
    created_at: Attr[datetime]
    order_id: Attr[str]
    number: Attr[int]
    product: Attr[str] = attr(default="")
    v: Attr[int] = version()
    changed: Attr[datetime | None] = updated_at()

    by_product = IndexMap("gsi0", pk="PRODUCT#{product}", sk="{changed}")


class Setting(Model, table=shop, pk="SETTING", sk="{name}", kind="setting"):
    name: Attr[str]
    value: Attr[str] = attr(default="")


def day(number: int) -> datetime:
    return datetime(2026, 1, number, tzinfo=UTC)


def order(number: int, user_id: str = "1", **values: Any) -> Order:
    return Order(user_id=user_id, created_at=day(number), order_id=f"o{number}", **values)
