"""One asyncio connection: a request goes out, its response resumes the task that sent it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from dynawire.engines.aws.http1 import BadResponse, Response, ResponseReader
from dynawire.engines.aws.resuming import resume
from dynawire.engines.aws.retry import AttemptFailed
from dynawire.engines.aws.transport import IDLE_LIMIT, READ_SIZE, unread_check

if TYPE_CHECKING:
    from dynawire.engines.aws.http_async import AsyncPool

__all__ = ["AsyncConnection"]


class AsyncConnection(asyncio.BufferedProtocol):
    """One kept-alive connection. Carries one request at a time.

    Args:
        pool: the pool it belongs to.

    Attributes:
        unread: ``unread(0)`` is not empty when there is something to read that the loop has not seen yet.
        idle_since: when its last response ended, by the loop's clock.
        broken: whether it must not be used again.
        lost: done when the loop has let go of the socket.
    """

    __slots__ = (
        "_buffer",
        "_deadline",
        "_held",
        "_in_read",
        "_pool",
        "_reader",
        "_secure",
        "_timer",
        "_transport",
        "_waiter",
        "broken",
        "idle_since",
        "lost",
        "unread",
    )

    unread: Callable[[int], Sequence[object]]
    _transport: asyncio.Transport

    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool
        self._reader = ResponseReader()
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._waiter: asyncio.Future[Response | bytes] | None = None
        self._secure = pool.secure
        self._in_read = False
        """Whether a task goes on with a response before what came with it is seen: maybe the connection's end."""
        self._held: bytes | None = None
        """A request to be sent after that read."""
        self._timer: asyncio.TimerHandle | None = None
        self._deadline = 0.0
        self.idle_since = pool.loop.time()
        self.broken = False
        self.lost: asyncio.Future[None] = pool.loop.create_future()

    def send(self, message: bytes, idempotent: bool) -> asyncio.Future[Response | bytes]:
        """Send a request.

        Args:
            message: the request.
            idempotent: whether it may be sent again when its response is lost.

        Returns:
            Its response to come, or :class:`AttemptFailed`. After any other exception, cancellation included, the
            connection must be discarded: its response may still be on its way.
        """
        pool = self._pool
        waiter = self._waiter = pool.loop.create_future()
        self._deadline = deadline = pool.loop.time() + pool.timeout
        timer = self._timer
        # One timer serves many requests: it is moved when it rings, and only an earlier deadline replaces it.
        if timer is None or timer.when() > deadline:
            self._ring_at(deadline)
        if self._in_read and not idempotent:
            self._held = message
            pool.loop.call_soon(self._write_held)
        else:
            self._transport.write(message)
        return waiter

    def abort(self) -> None:
        """Close it at once, and leave whoever waits for a response to their own devices."""
        self.broken = True
        self._waiter = None
        self._transport.abort()

    def fail(self, reason: str) -> None:
        """Close it at once, and tell whoever waits for a response."""
        waiter = self._waiter
        self.abort()
        if waiter is not None and not waiter.done():
            waiter.set_exception(self._failure(reason))

    # Called by the loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.unread = unread_check(transport.get_extra_info("socket"))
        self._ring_at(self.idle_since + IDLE_LIMIT)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        waiter = self._waiter
        if waiter is None:
            # Nothing was asked: whatever this is, it must not become the answer to the next request.
            self.abort()
            return
        try:
            response = self._reader.feed(self._buffer[:nbytes])
        except BadResponse as error:
            self.fail(str(error))
            return
        if response is not None:
            self._waiter = None
            if not isinstance(response, bytes) and not response.reusable:
                self.broken = True
            if not waiter.done():
                # Of TLS, the end can come out of the same read as the response; of a socket, a look at it tells.
                self._in_read = self._secure
                resume(waiter, response)
                self._in_read = False

    def eof_received(self) -> None:
        self._ended(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._ended(exc)
        if not self.lost.done():
            self.lost.set_result(None)
        self._pool.forget(self)

    def _ended(self, error: Exception | None) -> None:
        self.broken = True
        waiter = self._waiter
        self._waiter = None
        if waiter is None or waiter.done():
            return
        try:
            if error is not None:
                raise BadResponse(f"the connection broke ({getattr(error, 'strerror', None) or type(error).__name__})")
            waiter.set_result(self._reader.end())
        except BadResponse as bad:
            waiter.set_exception(self._failure(str(bad)))

    def _failure(self, reason: str) -> AttemptFailed:
        unsent = self._held is not None
        return AttemptFailed(reason, sent=not unsent, stale=unsent)

    def _write_held(self) -> None:
        message, self._held = self._held, None
        if message is not None and not self.broken:
            self._transport.write(message)

    def _ring_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._pool.loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now = self._pool.loop.time()
        if self._waiter is None:
            if now - self.idle_since >= IDLE_LIMIT:
                self.abort()
            else:
                self._ring_at(self.idle_since + IDLE_LIMIT)
        elif now >= self._deadline:
            self.fail(f"no answer within {self._pool.timeout:g} s")
        else:
            self._ring_at(self._deadline)
