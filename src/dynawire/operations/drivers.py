"""Carrying out operations on an engine: :func:`run` blocks, :func:`arun` awaits. Nothing else differs between the two.

The pattern is psycopg 3's: protocol logic as generators, waiting kept apart.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..engines.protocol import Engine
from ..errors import DynawireError
from .effects import Operation, Request, Sleep, Together

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["PageSource", "arun", "astream", "run", "stream"]

R = TypeVar("R")
MAX_PARALLEL_REQUESTS = 8


def run(engine: Engine, operation: Operation[R]) -> R:
    """Carry out an operation, blocking."""
    try:
        effect = operation.send(None)
        while True:
            if isinstance(effect, Request):
                try:
                    result: Any = engine.send(effect.operation, effect.body, effect.idempotent)
                except DynawireError as error:
                    effect = operation.throw(error)
                    continue
            elif isinstance(effect, Sleep):
                time.sleep(effect.seconds)
                result = None
            else:
                assert isinstance(effect, Together)
                result = _send_together(engine, effect.requests)
            effect = operation.send(result)
    except StopIteration as done:
        value: R = done.value
        return value


async def arun(engine: Engine, operation: Operation[R]) -> R:
    """Carry out an operation without blocking the event loop."""
    try:
        effect = operation.send(None)
        while True:
            if isinstance(effect, Request):
                try:
                    result: Any = await engine.asend(effect.operation, effect.body, effect.idempotent)
                except DynawireError as error:
                    effect = operation.throw(error)
                    continue
            elif isinstance(effect, Sleep):
                import asyncio

                await asyncio.sleep(effect.seconds)
                result = None
            else:
                assert isinstance(effect, Together)
                result = await _asend_together(engine, effect.requests)
            effect = operation.send(result)
    except StopIteration as done:
        value: R = done.value
        return value


def _outcome(engine: Engine, request: Request) -> bytes | DynawireError:
    try:
        return engine.send(request.operation, request.body, request.idempotent)
    except DynawireError as error:
        return error


async def _aoutcome(engine: Engine, request: Request) -> bytes | DynawireError:
    try:
        return await engine.asend(request.operation, request.body, request.idempotent)
    except DynawireError as error:
        return error


def _send_together(engine: Engine, requests: list[Request]) -> list[bytes | DynawireError]:
    if len(requests) == 1 or not engine.remote:
        return [_outcome(engine, request) for request in requests]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(requests), MAX_PARALLEL_REQUESTS)) as pool:
        return list(pool.map(lambda request: _outcome(engine, request), requests))


async def _asend_together(engine: Engine, requests: list[Request]) -> list[bytes | DynawireError]:
    if len(requests) == 1 or not engine.remote:
        return [await _aoutcome(engine, request) for request in requests]
    import asyncio

    return list(await asyncio.gather(*(_aoutcome(engine, request) for request in requests)))


# ---------------------------------------------------------------------- pages


class PageSource(Protocol):
    """A read of several pages: what to send next, and the items of what came back."""

    def next_request(self) -> Request | None:
        """The request for the next page; None when there is no more to read."""
        ...

    def take(self, response: bytes) -> list[Any]:
        """The items of a response; after it, ``next_request`` is for the page that follows."""
        ...


def stream(engine: Engine, sources: list[PageSource], *, fetch_ahead: bool = True) -> Iterator[Any]:
    """The items of one or more paged reads, one by one.

    Where the engine waits for a network, the next page is on its way while the items of this one are consumed, and
    several sources are read at the same time. At most one page a source is held.
    """
    if engine.remote and (len(sources) > 1 or fetch_ahead):
        yield from _stream_ahead(engine, sources)
        return
    for source in sources:
        while (request := source.next_request()) is not None:
            yield from source.take(engine.send(request.operation, request.body, request.idempotent))


def _stream_ahead(engine: Engine, sources: list[PageSource]) -> Iterator[Any]:
    if len(sources) == 1:
        # Most reads have one page: the first is fetched here, and only a second one is worth a thread.
        source = sources[0]
        request = source.next_request()
        if request is None:
            return
        items = source.take(engine.send(request.operation, request.body, request.idempotent))
        following = source.next_request()
        if following is None:
            yield from items
            return
        first = items
    else:
        first = []
        following = None
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    pool = ThreadPoolExecutor(min(len(sources), MAX_PARALLEL_REQUESTS), thread_name_prefix="dynawire-pages")
    pending: dict[Future[bytes], PageSource] = {}

    def submit(source: PageSource, request: Request | None) -> None:
        if request is not None:
            pending[pool.submit(engine.send, request.operation, request.body, request.idempotent)] = source

    try:
        if following is not None:
            submit(sources[0], following)
            yield from first
        else:
            for source in sources:
                submit(source, source.next_request())
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                source = pending.pop(future)
                items = source.take(future.result())
                submit(source, source.next_request())
                yield from items
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


async def astream(engine: Engine, sources: list[PageSource], *, fetch_ahead: bool = True) -> AsyncIterator[Any]:
    """The same as :func:`stream`, without blocking the event loop."""
    if not engine.remote or not (len(sources) > 1 or fetch_ahead):
        for source in sources:
            while (request := source.next_request()) is not None:
                for item in source.take(await engine.asend(request.operation, request.body, request.idempotent)):
                    yield item
        return
    import asyncio

    pending: dict[asyncio.Task[bytes], PageSource] = {}

    def submit(source: PageSource) -> None:
        request = source.next_request()
        if request is not None:
            sending = engine.asend(request.operation, request.body, request.idempotent)
            pending[asyncio.ensure_future(sending)] = source

    try:
        for source in sources:
            submit(source)
        while pending:
            done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                source = pending.pop(task)
                items = source.take(task.result())
                submit(source)
                for item in items:
                    yield item
    finally:
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.gather(*pending, return_exceptions=True)
