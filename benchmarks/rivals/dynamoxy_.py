"""dynamoxy, async only: models on a core in Rust."""

from typing import Any

from dynamoxy import Attr, Client, Credentials, Document, Model, partition_key, sort_key

import sample

IMPORT = "from dynamoxy import Attr, Client, Model, field, partition_key"


class Address(Document):
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


async def astart(url: str) -> None:
    use(Client(region=sample.REGION, endpoint_url=url, credentials=Credentials(sample.ACCESS_KEY, sample.SECRET_KEY)))


def use(client: Client) -> None:
    global _client, _users, _new
    _client = client
    _users = client.repository(User)
    _new = new()


async def astop() -> None:
    await _client.close()


async def aget() -> Any:
    return await _users.get("user#1", "order#000001")


async def aput() -> None:
    await _users.put(_new)


async def aquery() -> list[Any]:
    items: list[Any] = await _users.query(pk="user#1").all()
    return items


def plain(item: Any) -> Any:
    values = {name: getattr(item, name) for name in sample.item()}
    values["address"] = {name: getattr(item.address, name) for name in sample.item()["address"]}
    return sample.plain(values)
