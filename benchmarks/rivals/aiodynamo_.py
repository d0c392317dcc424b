"""aiodynamo, async only, on aiohttp: dicts of Python values."""

from __future__ import annotations

from typing import Any

import sample

IMPORT = "import aiohttp; from aiodynamo.client import Client; from aiodynamo.http.aiohttp import AIOHTTP"

_KEY = {"pk": "user#1", "sk": "order#000001"}
_ITEM = sample.item()


async def astart(url: str) -> None:
    global _session, _table, _condition
    from aiodynamo.client import Client
    from aiodynamo.credentials import Key, StaticCredentials
    from aiodynamo.expressions import HashKey
    from aiodynamo.http.aiohttp import AIOHTTP
    from aiohttp import ClientSession
    from yarl import URL

    credentials = StaticCredentials(Key(sample.ACCESS_KEY, sample.SECRET_KEY))
    _session = ClientSession()
    client = Client(AIOHTTP(_session), credentials, sample.REGION, URL(url))
    _table = client.table(sample.TABLE)
    _condition = HashKey("pk", "user#1")


async def astop() -> None:
    await _session.close()


async def aget() -> Any:
    return await _table.get_item(_KEY)


async def aput() -> None:
    await _table.put_item(_ITEM)


async def aquery() -> list[Any]:
    return [item async for item in _table.query(_condition)]


def plain(item: Any) -> Any:
    return sample.plain(item)
