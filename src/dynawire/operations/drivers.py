"""Carrying out operations on an engine: :func:`run` blocks, :func:`arun` awaits. Nothing else differs between the two.

The pattern is psycopg 3's: protocol logic as generators, waiting kept apart.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from ..engines.protocol import Engine
from ..errors import DynawireError
from .effects import Invoke, Operation, Request, Sleep, Together
from .refusals import explain

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["AsyncPages", "PageSource", "arun", "run", "stream_pages"]

R = TypeVar("R")
MAX_PARALLEL_REQUESTS = 8
MAX_PARALLEL_SOURCES = 16


def run(engine: Engine, operation: Operation[R]) -> R:
    """Carry out an operation, blocking."""
    try:
        effect = operation.send(None)
        while True:
            if isinstance(effect, Request):
                try:
                    result: Any = engine.send(effect.operation, effect.body, effect.idempotent)
                except DynawireError as error:
                    explain(error, effect, engine)
                    effect = operation.throw(error)
                    continue
            elif isinstance(effect, Invoke):
                try:
                    effect.call()
                except Exception as error:  # noqa: BLE001 - hooks raise what they like
                    effect = operation.throw(error)
                    continue
                result = None
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
                    explain(error, effect, engine)
                    effect = operation.throw(error)
                    continue
            elif isinstance(effect, Invoke):
                try:
                    await effect.acall()
                except Exception as error:  # noqa: BLE001 - hooks raise what they like
                    effect = operation.throw(error)
                    continue
                result = None
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


def _explained(
    engine: Engine, requests: list[Request], outcomes: list[bytes | DynawireError]
) -> list[bytes | DynawireError]:
    # Here and not where they came up: another thread has not the context in which they are measured.
    for request, outcome in zip(requests, outcomes, strict=True):
        if isinstance(outcome, DynawireError):
            explain(outcome, request, engine)
    return outcomes


def _send_together(engine: Engine, requests: list[Request]) -> list[bytes | DynawireError]:
    if len(requests) == 1 or not engine.remote:
        return _explained(engine, requests, [_outcome(engine, request) for request in requests])
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(requests), MAX_PARALLEL_REQUESTS)) as pool:
        outcomes = list(pool.map(lambda request: _outcome(engine, request), requests))
    return _explained(engine, requests, outcomes)


async def _asend_together(engine: Engine, requests: list[Request]) -> list[bytes | DynawireError]:
    if len(requests) == 1 or not engine.remote:
        return _explained(engine, requests, [await _aoutcome(engine, request) for request in requests])
    import asyncio

    outcomes = await asyncio.gather(*(_aoutcome(engine, request) for request in requests))
    return _explained(engine, requests, list(outcomes))


# ---------------------------------------------------------------------- pages


def _response(engine: Engine, request: Request) -> bytes:
    try:
        return engine.send(request.operation, request.body, request.idempotent)
    except DynawireError as error:
        explain(error, request, engine)
        raise


def _raised(engine: Engine, request: Request, outcome: bytes | DynawireError) -> bytes:
    if isinstance(outcome, DynawireError):
        explain(outcome, request, engine)
        raise outcome
    return outcome


async def _aresponse(engine: Engine, request: Request) -> bytes:
    try:
        return await engine.asend(request.operation, request.body, request.idempotent)
    except DynawireError as error:
        explain(error, request, engine)
        raise


class PageSource(Protocol):
    """A read of several pages: what to send next, and the items of what came back."""

    def next_request(self) -> Request | None:
        """The request for the next page; None when there is no more to read."""
        ...

    def take(self, response: bytes) -> list[Any]:
        """The items of a response; after it, ``next_request`` is for the page that follows."""
        ...


def stream_pages(engine: Engine, sources: Iterable[PageSource], *, fetch_ahead: bool = True) -> Iterator[list[Any]]:
    """The pages of one or more paged reads.

    Where the engine waits for a network, the next page is on its way while the items of this one are consumed, and
    several sources are read at the same time, up to MAX_PARALLEL_SOURCES of them. At most one page a source is held.
    """
    waiting = iter(sources)
    alone, another = next(waiting, None), next(waiting, None)
    if alone is None:
        return
    if another is not None and engine.remote:
        yield from _pages_ahead(engine, chain((alone, another), waiting))
        return
    for source in chain((alone,), () if another is None else (another,), waiting):
        request = source.next_request()
        while request is not None:
            page = source.take(_response(engine, request))
            request = source.next_request()
            if request is not None and engine.remote and fetch_ahead:
                # Most reads have one page: only a second one is worth a thread.
                yield from _pages_ahead(engine, iter(()), page, source, request)
                return
            yield page


def _pages_ahead(
    engine: Engine,
    waiting: Iterator[PageSource],
    first_page: list[Any] | None = None,
    begun: PageSource | None = None,
    following: Request | None = None,
) -> Iterator[list[Any]]:
    from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

    pool = ThreadPoolExecutor(MAX_PARALLEL_SOURCES, thread_name_prefix="dynawire-pages")
    pending: dict[Future[bytes | DynawireError], tuple[PageSource, Request]] = {}

    def submit(source: PageSource, request: Request | None) -> None:
        if request is not None:
            pending[pool.submit(_outcome, engine, request)] = source, request

    def fill() -> None:
        while len(pending) < MAX_PARALLEL_SOURCES and (source := next(waiting, None)) is not None:
            submit(source, source.next_request())

    try:
        if begun is not None:
            submit(begun, following)
        fill()
        if first_page:
            yield first_page
        while pending:
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                source, request = pending.pop(future)
                page = source.take(_raised(engine, request, future.result()))
                submit(source, source.next_request())
                fill()
                yield page
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


class AsyncPages:
    """The same as :func:`stream_pages`, without blocking the event loop.

    No asynchronous generator, because most reads have one page, and to set one up costs as much as sending the request.
    """

    def __init__(self, engine: Engine, sources: Iterable[PageSource], *, fetch_ahead: bool = True) -> None:
        waiting = iter(sources)
        begun = list(islice(waiting, 2))
        self._engine = engine
        self._sources = chain(begun, waiting)
        self._source: PageSource | None = None
        self._request: Request | None = None
        self._fetch_ahead = fetch_ahead and engine.remote
        self._ahead = _apages_ahead(engine, self._sources) if len(begun) == 2 and engine.remote else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Any]:
        if self._ahead is not None:
            return await anext(self._ahead)
        while self._request is None:
            source = self._source = next(self._sources, None)
            if source is None:
                raise StopAsyncIteration
            self._request = source.next_request()
        source = self._source
        assert source is not None
        try:
            page = source.take(await _aresponse(self._engine, self._request))
        except StopAsyncIteration as error:
            # Of a hook or a constructor, for one: here it would say that there are no more pages.
            raise RuntimeError("reading a page raised StopAsyncIteration") from error
        self._request = source.next_request()
        if self._request is not None and self._fetch_ahead:
            self._ahead = _apages_ahead(self._engine, iter(()), page, source, self._request)
            return await anext(self._ahead)
        return page

    async def aclose(self) -> None:
        """Give up what is still on its way."""
        if self._ahead is not None:
            await self._ahead.aclose()


async def _apages_ahead(
    engine: Engine,
    waiting: Iterator[PageSource],
    first_page: list[Any] | None = None,
    begun: PageSource | None = None,
    following: Request | None = None,
) -> AsyncGenerator[list[Any], None]:
    import asyncio

    pending: dict[asyncio.Task[bytes], PageSource] = {}

    def submit(source: PageSource, request: Request | None) -> None:
        if request is not None:
            pending[asyncio.ensure_future(_aresponse(engine, request))] = source

    def fill() -> None:
        while len(pending) < MAX_PARALLEL_SOURCES and (source := next(waiting, None)) is not None:
            submit(source, source.next_request())

    try:
        if begun is not None:
            submit(begun, following)
        fill()
        if first_page:
            yield first_page
        while pending:
            done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                source = pending.pop(task)
                page = source.take(task.result())
                submit(source, source.next_request())
                fill()
                yield page
    finally:
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.gather(*pending, return_exceptions=True)
