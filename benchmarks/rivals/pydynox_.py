"""pydynox: models on a core in Rust."""

from __future__ import annotations

from typing import Any

import sample

IMPORT = "from pydynox import DynamoDBClient, Model, ModelConfig; from pydynox.attributes import StringAttribute"


def start(url: str) -> None:
    global User, _new
    from pydynox import DynamoDBClient, Model, ModelConfig, attributes

    client = DynamoDBClient(
        region=sample.REGION, access_key=sample.ACCESS_KEY, secret_key=sample.SECRET_KEY, endpoint_url=url
    )

    class User(Model):
        model_config = ModelConfig(table=sample.TABLE, client=client)
        pk = attributes.StringAttribute(partition_key=True)
        sk = attributes.StringAttribute(sort_key=True)
        name = attributes.StringAttribute()
        email = attributes.StringAttribute()
        age = attributes.NumberAttribute()
        balance = attributes.NumberAttribute()
        active = attributes.BooleanAttribute()
        tags = attributes.StringSetAttribute()
        created_at = attributes.StringAttribute()
        address = attributes.MapAttribute()
        scores = attributes.ListAttribute()

    _new = User(**sample.item())


async def astart(url: str) -> None:
    start(url)


def get() -> Any:
    return User.sync_get(pk="user#1", sk="order#000001")


def put() -> None:
    _new.sync_save()


def query() -> list[Any]:
    return list(User.sync_query(partition_key="user#1"))


async def aget() -> Any:
    return await User.get(pk="user#1", sk="order#000001")


async def aput() -> None:
    await _new.save()


async def aquery() -> list[Any]:
    return [item async for item in User.query(partition_key="user#1")]


def plain(item: Any) -> Any:
    return sample.plain({name: getattr(item, name) for name in sample.item()})
