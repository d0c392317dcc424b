"""A DynamoDB that always gives the same answers, so that what is measured is the client.

Run as a program it prints its port and serves until its standard input ends. A Scan gives pages of 100 items until it
has given as many items as asked for by its argument.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from typing import Any

import httptools
import msgspec

import sample

_HEADERS = (
    "HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sat, 21 Nov 2026 00:00:00 GMT\r\n"
    "Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
    "x-amzn-RequestId: QK8V5EXAMPLE0000000000000000000VV4KQNSO5AEMVJF66Q9ASUAAJG\r\nx-amz-crc32: %d\r\n\r\n"
)


def answer(body: bytes) -> bytes:
    """A whole HTTP response with DynamoDB's headers."""
    return (_HEADERS % (len(body), zlib.crc32(body))).encode() + body


def canned_answers() -> dict[bytes, bytes]:
    """The response of each operation that never changes."""
    stored = sample.wire_item(sample.item())
    description = sample.table_definition() | {"TableStatus": "ACTIVE", "ItemCount": 0, "TableSizeBytes": 0}
    description["TableArn"] = f"arn:aws:dynamodb:{sample.REGION}:123456789012:table/{sample.TABLE}"
    bodies = {
        b"GetItem": msgspec.json.encode({"Item": stored}),
        b"PutItem": b"{}",
        b"UpdateItem": msgspec.json.encode({"Attributes": stored}),
        b"Query": sample.page_body(),
        b"DescribeTable": msgspec.json.encode({"Table": description}),
    }
    return {operation: answer(body) for operation, body in bodies.items()}


class Pages:
    """The pages of a long Scan: each continues where its ExclusiveStartKey says."""

    def __init__(self, items: int) -> None:
        self.items = items
        self._page = sample.page_body()[:-1]

    def answer(self, request: bytes) -> bytes:
        start = msgspec.json.decode(request).get("ExclusiveStartKey")
        given = int(start["sk"]["S"].rpartition("#")[2]) if start else 0
        given += sample.PAGE_ITEMS
        if given >= self.items:
            return answer(self._page + b"}")
        key = msgspec.json.encode(sample.wire_item({"pk": "user#1", "sk": f"order#{given:09}"}))
        return answer(self._page + b',"LastEvaluatedKey":' + key + b"}")


class Connection(asyncio.Protocol):
    """One client: an answer per request, by its X-Amz-Target."""

    def __init__(self, canned: dict[bytes, bytes], pages: Pages) -> None:
        self._canned = canned
        self._pages = pages
        self._target = b""
        self._body: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"x-amz-target":
            self._target = value.rpartition(b".")[2]

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        body = b"".join(self._body)
        self._body.clear()
        self._transport.write(self._pages.answer(body) if self._target == b"Scan" else self._canned[self._target])


async def serve(scan_items: int) -> None:
    loop = asyncio.get_running_loop()
    canned, pages = canned_answers(), Pages(scan_items)
    server = await loop.create_server(lambda: Connection(canned, pages), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        ended = loop.run_in_executor(None, sys.stdin.buffer.read)
        # The loop never sleeps: waking an idle processor would be charged to the client's send, at a price that depends
        # on the machine's mood (on a virtual one as much as the whole call).
        while not ended.done():  # noqa: ASYNC110 - spinning is the point
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
