"""The asyncio transport: kept-alive connections in a pool per event loop. Works on uvloop too."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncGenerator

from dynawire.engines.aws.connection_async import AsyncConnection
from dynawire.engines.aws.credentials import CredentialKeeper, Credentials
from dynawire.engines.aws.transport import (
    IDLE_LIMIT,
    JUST_USED,
    READ_SIZE,
    Origin,
    connect_share,
    prepare,
)

__all__ = ["AsyncPool"]

_GOODBYE = 1.0
"""Seconds that closing waits for the loop to let go of the sockets."""


class AsyncPool:
    """The connections of one event loop. Used only from tasks of that loop, except :meth:`close_from_outside`.

    Args:
        origin: where they lead.
        limit: how many there may be at once; tasks that find none free wait, first come first served.

    Attributes:
        loop: the running loop.
        timeout: seconds a request may take.
        secure: whether they use TLS.
        closed: whether :meth:`close` was called.
    """

    __slots__ = (
        "_guard",
        "_idle",
        "_limit",
        "_live",
        "_origin",
        "_places",
        "_refreshing",
        "_waiters",
        "closed",
        "loop",
        "secure",
        "timeout",
    )

    def __init__(self, origin: Origin, limit: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.timeout = origin.timeout
        self.secure = origin.endpoint.secure
        self.closed = False
        self._origin = origin
        self._limit = limit
        self._idle: deque[AsyncConnection] = deque()
        self._live: set[AsyncConnection] = set()
        self._places = limit
        """How many more connections may be made. One that is handed to a waiter stays taken."""
        self._waiters: deque[asyncio.Future[AsyncConnection | None]] = deque()
        self._guard: AsyncGenerator[None, None] | None = None
        self._refreshing: asyncio.Future[Credentials] | None = None

    def take(self, idempotent: bool) -> AsyncConnection | None:
        """A connection that was usable a moment ago, or None when :meth:`open` must be awaited.

        Args:
            idempotent: whether the request may be sent again, so that a connection just used needs no look.
        """
        if self._idle:
            now = self.loop.time()
            while self._idle:
                connection = self._idle.pop()
                idle = now - connection.idle_since
                if not connection.broken and (
                    (idempotent and idle < JUST_USED) or (idle < IDLE_LIMIT and not connection.unread(0))
                ):
                    return connection
                self.discard(connection)
        return None

    async def open(self) -> AsyncConnection | None:
        """A connection: a new one, or one given back while waiting for a place; None when the pool is closed.

        Raises:
            AttemptFailed: a new one could not be made.
        """
        while not self.closed:
            if self._places > 0:
                self._places -= 1
                break
            connection = await self._wait()
            if connection is None:
                break
            if not connection.broken:
                return connection
            # Its end came between its return and now.
            self.discard(connection)
        if self.closed:
            return None
        try:
            if self._guard is None:
                self._guard = self._end_with_loop()
                await anext(self._guard)
            connection = await _connect(self, self._origin)
        except BaseException:
            self._free_place()
            raise
        self._live.add(connection)
        return connection

    def give_back(self, connection: AsyncConnection) -> None:
        """Return a connection whose response was read to its end."""
        if connection.broken or self.closed:
            self.discard(connection)
            return
        connection.idle_since = self.loop.time()
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(connection)
        else:
            self._idle.append(connection)

    def discard(self, connection: AsyncConnection) -> None:
        """Close a connection that must not be used again."""
        connection.abort()
        self.forget(connection)

    def forget(self, connection: AsyncConnection) -> None:
        """The connection is gone; its place is free."""
        if connection in self._live:
            self._live.remove(connection)
            self._free_place()

    async def credentials(self, keeper: CredentialKeeper) -> Credentials:
        """Renew credentials in another thread, once for all tasks, which wait for it only when they must."""
        refreshing = self._refreshing
        if refreshing is None:
            refreshing = self._refreshing = self.loop.run_in_executor(None, keeper.refresh)
            refreshing.add_done_callback(self._refreshed)
        held = keeper.usable
        return held if held is not None else await asyncio.shield(refreshing)

    def close(self) -> list[asyncio.Future[None]]:
        """Close the idle connections now, and those in use when they are given back.

        Returns:
            What is done when the loop has let go of the idle ones.
        """
        self.closed = True
        lost = []
        while self._idle:
            connection = self._idle.pop()
            lost.append(connection.lost)
            self.discard(connection)
        while (waiter := self._next_waiter()) is not None:
            waiter.set_result(None)
        return lost

    async def aclose(self) -> None:
        """Close, and wait until the loop has let go of the idle connections."""
        lost = self.close()
        if lost:
            await asyncio.wait(lost, timeout=_GOODBYE)
        if self._guard is not None and not self._live:
            await self._guard.aclose()

    def close_from_outside(self) -> None:
        """Close from another thread, or when the loop no longer runs."""
        with contextlib.suppress(RuntimeError):  # The loop is closed, and its connections with it.
            self.loop.call_soon_threadsafe(self.close)

    async def _end_with_loop(self) -> AsyncGenerator[None, None]:
        # A loop's runner (asyncio.run) ends unfinished asynchronous generators before it closes the loop, which is the
        # one chance to close connections that the caller did not.
        try:
            yield
        finally:
            connections = list(self._live)
            self.close()
            for connection in connections:
                connection.fail("the event loop is ending")
            if connections:
                await asyncio.wait([connection.lost for connection in connections], timeout=_GOODBYE)

    async def _wait(self) -> AsyncConnection | None:
        """Wait for a connection given back, or (None) for the place of one that ended."""
        waiter: asyncio.Future[AsyncConnection | None] = self.loop.create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except BaseException:
            if not waiter.done() or waiter.cancelled():
                waiter.cancel()
            elif (connection := waiter.result()) is not None:
                # What it was given at the very moment it was cancelled goes to the next.
                self.give_back(connection)
            elif not self.closed:
                self._free_place()
            raise

    def _next_waiter(self) -> asyncio.Future[AsyncConnection | None] | None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                return waiter
        return None

    def _free_place(self) -> None:
        waiter = self._next_waiter()
        if waiter is not None:
            waiter.set_result(None)
        else:
            self._places += 1

    def _refreshed(self, refreshing: asyncio.Future[Credentials]) -> None:
        self._refreshing = None
        if not refreshing.cancelled():
            refreshing.exception()  # Marks it as seen when every task that waited for it was cancelled.


async def _connect(pool: AsyncPool, origin: Origin) -> AsyncConnection:
    loop = pool.loop
    try:
        async with asyncio.timeout(origin.connect_timeout):
            # Reading the system's CA certificates takes tens of milliseconds.
            context = await loop.run_in_executor(None, origin.tls) if origin.endpoint.secure else None
            sock = await _connect_any(loop, origin)
            try:
                prepare(sock)
                tunnel = origin.tunnel()
                if tunnel is not None:
                    await loop.sock_sendall(sock, tunnel.request)
                    while not tunnel.feed(await loop.sock_recv(sock, READ_SIZE)):
                        pass
            except BaseException:
                sock.close()
                raise
            name = origin.endpoint.host if context is not None else None
            # From here on the transport owns the socket.
            _, connection = await loop.create_connection(
                lambda: AsyncConnection(pool), sock=sock, ssl=context, server_hostname=name
            )
            return connection
    except OSError as error:
        raise origin.unreachable(error) from error


async def _connect_any(loop: asyncio.AbstractEventLoop, origin: Origin) -> socket.socket:
    deadline = loop.time() + origin.connect_timeout
    addresses = await loop.getaddrinfo(*origin.peer, type=socket.SOCK_STREAM)
    failure: OSError = OSError("no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            async with asyncio.timeout(connect_share(deadline - loop.time(), len(addresses) - position)):
                await loop.sock_connect(sock, address)
            return sock
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
    raise failure
