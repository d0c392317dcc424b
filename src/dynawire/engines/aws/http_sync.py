"""The blocking transport: kept-alive sockets in a pool that threads share."""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence

from dynawire.engines.aws.http1 import BadResponse, Response, ResponseReader
from dynawire.engines.aws.retry import AttemptFailed
from dynawire.engines.aws.transport import (
    IDLE_LIMIT,
    JUST_USED,
    READ_SIZE,
    Origin,
    connect_share,
    prepare,
    unread_check,
)

__all__ = ["SyncConnection", "SyncPool"]

_LOOK_AGAIN = 1.0
"""Seconds after which a thread that waits for a connection looks by itself: one that vanished without being given back
(a KeyboardInterrupt between two instructions) wakes nobody."""


class SyncConnection:
    """One kept-alive connection. Used by one thread at a time.

    Args:
        origin: where :meth:`connect` leads.

    Attributes:
        idle_since: when its last response ended, by ``time.monotonic()``; 0 before the first.
        unread: ``unread(0)`` is not empty when there is something to read: an idle connection is of no more use then.
    """

    __slots__ = (
        "__weakref__",
        "_buffer",
        "_origin",
        "_patience",
        "_reader",
        "_secure",
        "_sock",
        "_timeout",
        "idle_since",
        "unread",
    )

    unread: Callable[[int], Sequence[object]]

    def __init__(self, origin: Origin) -> None:
        self._sock: socket.socket | None = None
        self._origin = origin
        self._timeout = origin.timeout
        self._secure = origin.endpoint.secure
        self._reader = ResponseReader()
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._patience: float | None = origin.timeout
        self.idle_since = 0.0

    def connect(self) -> None:
        """Connect.

        Raises:
            AttemptFailed: it could not be done.
        """
        sock = self._sock = _connect(self._origin)
        if not self._secure and _set_kernel_timeout(sock, self._timeout):
            # With Python's own timeout every send and receive would be preceded by a poll(): 5 µs per call.
            self._patience = None
        sock.settimeout(self._patience)
        self.unread = unread_check(sock)

    def roundtrip(self, message: bytes, started: float) -> Response | bytes:
        """Send a request and read its response.

        Args:
            message: the request.
            started: now, by ``time.monotonic()``.

        Returns:
            The response, as :meth:`ResponseReader.feed` gives it.

        Raises:
            AttemptFailed: there is no response. The connection must be closed then, and after any other exception.
        """
        sock = self._sock
        assert sock is not None
        sent = 0
        try:
            sent = sock.send(message)
            if sent != len(message):
                self._send_rest(sock, message, sent, started)
            received = sock.recv_into(self._buffer)
            response = self._reader.feed(self._buffer[:received]) if received else self._reader.end()
            if response is None:
                response = self._read_rest(sock, started)
        except BadResponse as error:
            raise AttemptFailed(str(error), sent=True) from error
        except OSError as error:
            # TLS does not tell how much of a record left, so only of a plain socket is it certain that nothing did.
            untouched = sent == 0 and not self._secure
            if isinstance(error, (TimeoutError, BlockingIOError)):
                reason = f"no answer within {self._timeout:g} s"
            else:
                reason = f"the connection broke ({error.strerror or type(error).__name__})"
            stale = untouched and self.idle_since > 0.0
            raise AttemptFailed(reason, sent=not untouched, stale=stale) from error
        if self._secure and sock.pending():  # type: ignore[attr-defined]
            if isinstance(response, bytes):
                return Response(200, {}, response, False)
            response.reusable = False
        return response

    def __del__(self) -> None:
        # An idle connection is a cache, not something its owner must remember to close.
        self.close()

    def close(self) -> None:
        """Close it. Tells the peer nothing beyond that, so a forked child does not end its parent's connections."""
        if self._sock is not None:
            self._sock.close()

    def _send_rest(self, sock: socket.socket, message: bytes, sent: int, started: float) -> None:
        view = memoryview(message)
        while sent < len(message):
            sock.settimeout(self._remaining(started))
            sent += sock.send(view[sent:])
        sock.settimeout(self._patience)

    def _read_rest(self, sock: socket.socket, started: float) -> Response | bytes:
        response = None
        while response is None:
            sock.settimeout(self._remaining(started))
            received = sock.recv_into(self._buffer)
            response = self._reader.feed(self._buffer[:received]) if received else self._reader.end()
        sock.settimeout(self._patience)
        return response

    def _remaining(self, started: float) -> float:
        remaining = started + self._timeout - time.monotonic()
        if remaining <= 0.0:
            raise TimeoutError
        return remaining


class SyncPool:
    """Connections for any number of threads.

    Args:
        origin: where they lead.
        limit: how many there may be at once; a thread that finds none free waits for one.
    """

    __slots__ = ("_changed", "_idle", "_limit", "_live", "_origin", "_waiting", "closed")

    def __init__(self, origin: Origin, limit: int) -> None:
        self._origin = origin
        self._limit = limit
        self.closed = False
        self._begin()

    def take(self, now: float, idempotent: bool) -> SyncConnection | None:
        """A connection that was usable a moment ago, or a new one; None when the pool is closed.

        Args:
            now: ``time.monotonic()``.
            idempotent: whether the request may be sent again, so that a connection just used needs no look.

        Raises:
            AttemptFailed: a new one was needed and could not be made.
        """
        while True:
            try:
                connection = self._idle.pop()
            except IndexError:
                fresh = self._open()
                if fresh is not None or self.closed:
                    return fresh
                continue
            idle = now - connection.idle_since
            if (idempotent and idle < JUST_USED) or (idle < IDLE_LIMIT and not connection.unread(0)):
                return connection
            self.discard(connection)

    def give_back(self, connection: SyncConnection) -> None:
        """Return a connection whose response was read to its end."""
        connection.idle_since = now = time.monotonic()
        if self._idle:
            self._trim(now)
        self._idle.append(connection)
        if self._waiting or self.closed:
            self._after_return()

    def discard(self, connection: SyncConnection) -> None:
        """Close a connection that must not be used again."""
        connection.close()
        with self._changed:
            self._live.discard(connection)
            self._changed.notify()

    def close(self) -> None:
        """Close the idle connections now, and those in use when they are given back."""
        self.closed = True
        self._after_return()

    def after_fork(self) -> None:
        """Begin anew in a child process; the parent goes on with the connections it has."""
        inherited = list(self._live)
        self._begin()
        for connection in inherited:
            connection.close()

    def _begin(self) -> None:
        # The one used last is taken first, so that a pool grown by a burst lets the rest grow old. append and pop of a
        # deque are atomic: the usual case takes no lock.
        self._idle: deque[SyncConnection] = deque()
        # Weak, so that a connection lost by an interrupt gives its place back by itself.
        self._live: weakref.WeakSet[SyncConnection] = weakref.WeakSet()
        self._changed = threading.Condition()
        self._waiting = 0

    def _open(self) -> SyncConnection | None:
        """A new connection; None when one was given back meanwhile, or the pool was closed."""
        connection = SyncConnection(self._origin)
        with self._changed:
            self._waiting += 1
            try:
                while not self._idle and not self.closed and len(self._live) >= self._limit:
                    self._changed.wait(_LOOK_AGAIN)
                if self._idle or self.closed:
                    return None
                self._live.add(connection)
            finally:
                self._waiting -= 1
        try:
            connection.connect()
        except BaseException:
            self.discard(connection)
            raise
        return connection

    def _trim(self, now: float) -> None:
        """Close the connection idle for the longest when it is too old to be used again."""
        try:
            oldest = self._idle.popleft()
        except IndexError:
            return
        if now - oldest.idle_since < IDLE_LIMIT:
            self._idle.appendleft(oldest)
        else:
            self.discard(oldest)

    def _after_return(self) -> None:
        while self.closed:
            try:
                self.discard(self._idle.pop())
            except IndexError:
                break
        with self._changed:
            self._changed.notify(self._waiting if self.closed else 1)


def _connect(origin: Origin) -> socket.socket:
    deadline = time.monotonic() + origin.connect_timeout
    context = origin.tls()
    try:
        sock = _connect_any(origin, deadline)
    except OSError as error:
        raise origin.unreachable(error) from error
    try:
        prepare(sock)
        tunnel = origin.tunnel()
        if tunnel is not None:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            sock.sendall(tunnel.request)
            while not tunnel.feed(sock.recv(READ_SIZE)):
                sock.settimeout(max(deadline - time.monotonic(), 0.001))
        if context is not None:
            sock.settimeout(max(deadline - time.monotonic(), 0.001))
            sock = context.wrap_socket(sock, server_hostname=origin.endpoint.host)
    except OSError as error:
        sock.close()
        raise origin.unreachable(error) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _connect_any(origin: Origin, deadline: float) -> socket.socket:
    addresses = socket.getaddrinfo(*origin.peer, type=socket.SOCK_STREAM)
    failure: OSError = OSError("no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(connect_share(deadline - time.monotonic(), len(addresses) - position))
            sock.connect(address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
    raise failure


def _set_kernel_timeout(sock: socket.socket, seconds: float) -> bool:
    """Have the kernel end sends and receives that take too long; False where that is not to be had."""
    if os.name != "posix":
        return False
    value = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))
    try:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            sock.setsockopt(socket.SOL_SOCKET, option, value)
            # Read back, because the layout of the value is the C library's; the kernel rounds it to its clock's tick.
            whole, rest = struct.unpack("ll", sock.getsockopt(socket.SOL_SOCKET, option, len(value)))
            if abs(whole + rest / 1_000_000 - seconds) > 0.05:
                return False
    except (OSError, struct.error):
        return False
    return True
