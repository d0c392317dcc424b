"""CPU time of one request through the HTTP engine, beside the floor that a bare socket sets on the same machine.

    python benchmarks/http_engine.py [--requests N] [--rounds N]

A server in another process sends a canned GetItem response of 1 KB over kept-alive loopback connections. What is
printed is the client's CPU time (``time.process_time``, user and system) per request, the least of several interleaved
rounds: only the ratios carry over to other machines. ``bare socket`` sends a ready-made request and reads until the
response has the expected length, so nothing can cost less; ``bare protocol`` is the same on an event loop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from typing import Any

from dynawire.engines.aws import AwsEngine, Credentials
from dynawire.engines.aws.endpoints import resolve_endpoint
from dynawire.engines.aws.http1 import ResponseReader
from dynawire.engines.aws.signing import RequestSigner

_ITEM = {
    "pk": {"S": "user#1"},
    "sk": {"S": "order#000001"},
    "text": {"S": "x" * 880},
    "tags": {"SS": ["a", "b"]},
    "age": {"N": "41"},
}
_BODY = json.dumps({"Item": _ITEM}, separators=(",", ":")).encode()
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nServer: Server\r\nDate: Sat, 21 Nov 2026 03:00:00 GMT\r\n"
    b"Content-Type: application/x-amz-json-1.0\r\nContent-Length: %d\r\nConnection: keep-alive\r\n"
    b"x-amzn-RequestId: ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGHIJKLMNOPQR\r\nx-amz-crc32: %d\r\n\r\n%b"
) % (len(_BODY), zlib.crc32(_BODY), _BODY)
_REQUEST = b'{"TableName":"bench","Key":{"pk":{"S":"user#1"},"sk":{"S":"order#000001"}}}'


def _serve() -> None:
    """Answer every request, which arrives in one piece, with the canned response."""

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            while connection.recv(65536):
                connection.sendall(_RESPONSE)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=answer, args=(connection,), daemon=True).start()


class _BareProtocol(asyncio.Protocol):
    transport: asyncio.Transport
    waiter: asyncio.Future[None]
    missing = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.missing -= len(data)
        if self.missing <= 0:
            self.waiter.set_result(None)


def _measure(call: Callable[[], object], requests: int) -> float:
    begun = time.process_time()
    for _ in range(requests):
        call()
    return (time.process_time() - begun) / requests * 1e6


def _sync_cases(port: int) -> dict[str, Callable[[], object]]:
    endpoint = f"http://127.0.0.1:{port}"
    engine = AwsEngine(endpoint, access_key_id="AKIDEXAMPLE", secret_access_key="secret")
    signer, credentials = RequestSigner(resolve_endpoint(endpoint)), Credentials("AKIDEXAMPLE", "secret")
    message = signer.request("GetItem", _REQUEST, credentials)
    bare = socket.create_connection(("127.0.0.1", port))
    bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader = ResponseReader()

    def floor() -> None:
        bare.sendall(message)
        missing = len(_RESPONSE)
        while missing > 0:
            missing -= len(bare.recv(65536))

    return {
        "bare socket": floor,
        "send": lambda: engine.send("GetItem", _REQUEST),
        " of which signing": lambda: signer.request("GetItem", _REQUEST, credentials),
        " of which reading": lambda: reader.feed(_RESPONSE),
    }


async def _async_round(port: int, requests: int) -> dict[str, float]:
    engine = AwsEngine(f"http://127.0.0.1:{port}", access_key_id="AKIDEXAMPLE", secret_access_key="secret")
    message = RequestSigner(resolve_endpoint(engine.endpoint)).request("GetItem", _REQUEST, Credentials("A", "secret"))
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(_BareProtocol, "127.0.0.1", port)

    async def floor(count: int) -> None:
        for _ in range(count):
            protocol.missing = len(_RESPONSE)
            protocol.waiter = loop.create_future()
            transport.write(message)
            await protocol.waiter

    async def asend(count: int) -> None:
        for _ in range(count):
            await engine.asend("GetItem", _REQUEST)

    result = {}
    for name, run in (("bare protocol", floor), ("asend", asend)):
        await run(max(requests // 10, 1))
        begun = time.process_time()
        await run(requests)
        result[name] = (time.process_time() - begun) / requests * 1e6
    transport.close()
    await engine.aclose()
    return result


def _loops() -> dict[str, Any]:
    loops: dict[str, Any] = {"asyncio": asyncio.new_event_loop}
    try:
        import uvloop
    except ImportError:
        return loops
    return loops | {"uvloop": uvloop.new_event_loop}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=3000, help="requests per round")
    parser.add_argument("--rounds", type=int, default=7, help="rounds, of which the least counts")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve()
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())
            best: dict[str, float] = {}
            sync_cases = _sync_cases(port)
            for _ in range(options.rounds):
                found = {name: _measure(case, options.requests) for name, case in sync_cases.items()}
                for loop_name, factory in _loops().items():
                    with asyncio.Runner(loop_factory=factory) as runner:
                        costs = runner.run(_async_round(port, options.requests))
                    found |= {f"{name} ({loop_name})": cost for name, cost in costs.items()}
                best = {name: min(cost, best.get(name, cost)) for name, cost in found.items()}
        finally:
            server.kill()
    floor = best["bare socket"]
    print(f"{'client CPU per request':28}{'µs':>8}{'× bare socket':>16}")
    for name, cost in best.items():
        print(f"{name:28}{cost:8.1f}{cost / floor:16.2f}")


if __name__ == "__main__":
    main()
