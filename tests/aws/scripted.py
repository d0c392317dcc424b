"""A server that answers requests as a script says, well or badly, over real sockets."""

from __future__ import annotations

import json
import socket
import struct
import threading
import zlib
from collections.abc import Callable
from typing import Any, Self

RELEASE_TIMEOUT = 30.0
"""Seconds after which a step that waits for the test gives up; reached only when the test has failed already."""


class Request:
    """One request as it was received."""

    def __init__(self, head: bytes, body: bytes, connection: int) -> None:
        self.head = head
        self.body = body
        self.connection = connection

    @property
    def headers(self) -> dict[str, str]:
        pairs = (line.split(": ", 1) for line in self.head.decode().split("\r\n")[1:])
        return {name.lower(): value for name, value in pairs}

    @property
    def operation(self) -> str:
        return self.headers["x-amz-target"].partition(".")[2]


class Peer:
    """The server's end of one connection."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.sock = sock
        self.number = number
        self._buffer = b""

    def read_request(self) -> Request | None:
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        length = int(Request(head, b"", 0).headers.get("content-length", "0"))
        while len(self._buffer) < length:
            if not self._more():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Request(head, body, self.number)

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _more(self) -> bool:
        try:
            data = self.sock.recv(65536)
        except OSError:
            return False
        self._buffer += data
        return bool(data)


Step = Callable[[Peer, Request], bool | None]
"""Answers one request; False closes the connection after it."""


def response(
    body: bytes = b"{}",
    status: int = 200,
    headers: dict[str, str] | None = None,
    *,
    length: bool = True,
    crc: bool = True,
) -> bytes:
    fields = {"Content-Type": "application/x-amz-json-1.0", "x-amzn-RequestId": "REQUEST1"}
    if length:
        fields["Content-Length"] = str(len(body))
    if crc:
        fields["x-amz-crc32"] = str(zlib.crc32(body))
    fields |= headers or {}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode() + body


def reply(*args: Any, **keywords: Any) -> Step:
    data = response(*args, **keywords)

    def step(peer: Peer, request: Request) -> None:
        peer.send(data)

    return step


def echo(peer: Peer, request: Request) -> None:
    """Answer with what was asked, so that a test sees whose answer it got."""
    peer.send(response(request.body))


def fault(
    code: str, message: str = "No.", status: int = 400, headers: dict[str, str] | None = None, **fields: Any
) -> Step:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message, **fields}
    return reply(json.dumps(body).encode(), status, headers)


def raw(*parts: bytes) -> Step:
    """Send bytes as they are, then close."""

    def step(peer: Peer, request: Request) -> bool:
        for part in parts:
            peer.send(part)
        return False

    return step


def hang_up(peer: Peer, request: Request) -> bool:
    """Close without an answer."""
    return False


def reset(peer: Peer, request: Request) -> bool:
    peer.reset()
    return False


class Gate:
    """A step that reports its request, waits for the test, then goes on with another step."""

    def __init__(self, then: Step = echo) -> None:
        self.arrived = threading.Event()
        self.open = threading.Event()
        self._then = then
        self.on_arrival: Callable[[], object] = lambda: None

    def __call__(self, peer: Peer, request: Request) -> bool | None:
        self.arrived.set()
        self.on_arrival()
        self.open.wait(RELEASE_TIMEOUT)
        try:
            return self._then(peer, request)
        except OSError:
            return False


class ScriptedServer:
    """Listens on a loopback port; the n-th request gets the n-th step of the script, and ``echo`` after its end.

    Args:
        script: the steps.
        wrap: makes a TLS socket of an accepted one.
        greet: called for each accepted connection before its first request; False closes it.
    """

    def __init__(
        self,
        *script: Step,
        wrap: Callable[[socket.socket], socket.socket] | None = None,
        greet: Callable[[Peer], bool] | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.ended = threading.Event()
        """Set whenever the server has closed a connection."""
        self._script = list(script)
        self._wrap = wrap
        self._greet = greet
        self._lock = threading.Lock()
        self._peers: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if wrap else 'http'}://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *error: object) -> None:
        # shutdown(), because close() alone does not wake a thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            peers = list(self._peers)
        for sock in peers:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in list(self._threads):
            thread.join(RELEASE_TIMEOUT)

    @property
    def bodies(self) -> list[bytes]:
        return [request.body for request in self.requests]

    def _start(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
                self._peers.add(sock)
            self._start(self._serve, sock, self.connections)

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._wrap is not None:
                plain, sock = sock, self._wrap(sock)
                with self._lock:
                    self._peers.discard(plain)
                    self._peers.add(sock)
            self._talk(Peer(sock, number))
        except OSError:
            pass
        finally:
            with self._lock:
                self._peers.discard(sock)
            sock.close()
            self.ended.set()

    def _talk(self, peer: Peer) -> None:
        if self._greet is not None and not self._greet(peer):
            return
        while (request := peer.read_request()) is not None:
            with self._lock:
                self.requests.append(request)
                step = self._script.pop(0) if self._script else echo
            if step(peer, request) is False:
                return
