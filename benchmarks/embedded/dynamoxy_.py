"""dynamoxy's in-memory DynamoDB."""

from typing import Any

import sample
from rivals import dynamoxy_
from rivals.dynamoxy_ import User, aget, aput, aquery, astop, plain

__all__ = ["aget", "aput", "aquery", "astart", "astop", "aupdate", "plain"]


async def astart(url: str) -> None:
    global _users
    from dynamoxy.testing import memory_client

    client = memory_client()
    await client.create_tables(User)
    dynamoxy_.use(client)
    _users = client.repository(User)
    for number in range(sample.PAGE_ITEMS):
        await _users.put(dynamoxy_.new(number))


async def aupdate() -> Any:
    return await _users.update(User.key("user#1", "order#000050"), User.age.add(1))
