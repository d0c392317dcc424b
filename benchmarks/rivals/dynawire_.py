"""dynawire itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dynawire as dw
import sample
from dynawire import Attr, Model, partition_key, sort_key
from dynawire.operations.mapped import mapped

IMPORT = "from dynawire import Attr, GlobalIndex, Model, attr, connect, partition_key, sort_key"


class Address(Model):
    street: Attr[str]
    city: Attr[str]
    zip: Attr[str]
    geo: Attr[list[float]]


class User(Model, table=sample.TABLE):
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    name: Attr[str]
    email: Attr[str]
    age: Attr[int]
    balance: Attr[float]
    active: Attr[bool]
    tags: Attr[set[str]]
    created_at: Attr[str]
    address: Attr[Address]
    scores: Attr[list[int]]


def new(number: int = 1) -> User:
    values = sample.item(number)
    return User(**(values | {"address": Address(**values["address"])}))


_new = new()


def start(url: str) -> None:
    global _database
    _database = dw.connect(
        url, region=sample.REGION, access_key_id=sample.ACCESS_KEY, secret_access_key=sample.SECRET_KEY
    )


def stop() -> None:
    _database.close()


def get() -> Any:
    return User.get("user#1", "order#000001")


def put() -> None:
    _new.put()


def query() -> list[User]:
    return User.query("user#1").all()


async def aget() -> Any:
    return await User.aget("user#1", "order#000001")


async def aput() -> None:
    await _new.aput()


async def aquery() -> list[User]:
    return await User.query("user#1").aall()


def plain(item: Any) -> Any:
    values = {name: getattr(item, name) for name in sample.item()}
    values["address"] = {name: getattr(item.address, name) for name in sample.item()["address"]}
    return sample.plain(values)


def page_reader() -> Callable[[bytes], list[Any]]:
    """What a query reads each response with."""
    plan = mapped(User).plan
    return lambda body: plan.read_page(body)[0]
