"""Iterating over pages of an engine that waits for a network: fetched ahead, broken off, failed, cancelled."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, partition_key, sort_key
from dynawire.operations import drivers
from tests.support.databases import Twins, twin
from tests.support.recording import RecordingEngine

__all__ = ["twin"]

PAGES = 5
SIZE = 3


class Item(Model, table="items"):
    group: Attr[str] = partition_key()
    number: Attr[int] = sort_key()


def page(body: dict[str, Any]) -> dict[str, Any]:
    """The page of items that a request asks for: five pages of three items in each segment."""
    start = int(body.get("ExclusiveStartKey", {}).get("number", {"N": "0"})["N"])
    offset = body.get("Segment", 0) * 1000
    items = [{"group": {"S": "g"}, "number": {"N": str(offset + start + n)}} for n in range(SIZE)]
    answer: dict[str, Any] = {"Items": items, "Count": SIZE}
    if start + SIZE < PAGES * SIZE:
        answer["LastEvaluatedKey"] = {"group": {"S": "g"}, "number": {"N": str(start + SIZE)}}
    return answer


class Server(RecordingEngine):
    """A remote engine with pages; ``meanwhile`` is called in every request, in the thread that sends it."""

    def __init__(self) -> None:
        super().__init__(remote=True)
        self.meanwhile: Callable[[dict[str, Any]], None] = lambda body: None
        self.failing: dict[int, Exception] = {}
        self.now = 0
        self.most = 0
        self._counting = threading.Lock()

    def _answer(self, operation: str, body: bytes, idempotent: bool) -> bytes:
        self.answer(operation, page)
        prepared, _ = self._prepared(operation, body, idempotent)
        assert prepared is not None
        sent = self.sent[-1].body
        start = int(sent.get("ExclusiveStartKey", {}).get("number", {"N": "0"})["N"])
        error = self.failing.get(start)
        if error is not None:
            raise error
        return prepared

    def send(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        with self._counting:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            answer = self._answer(operation, body, idempotent)
            self.meanwhile(self.sent[-1].body)
            return answer
        finally:
            with self._counting:
                self.now -= 1

    async def asend(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0)
            return self._answer(operation, body, idempotent)
        finally:
            self.now -= 1


@pytest.fixture
def server() -> Iterator[Server]:
    engine = Server()
    with dw.Database(engine).use():
        yield engine


EVERYTHING = list(range(PAGES * SIZE))


def settled(condition: Callable[[], bool]) -> bool:
    """Whether something that other threads bring about comes to be."""
    end = time.monotonic() + 10
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


def page_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("dynawire-pages")]


@pytest.fixture(autouse=True)
def nothing_is_left(server: Server) -> Iterator[None]:
    yield
    gc.collect()
    assert settled(lambda: not page_threads())
    assert server.now == 0


# ---------------------------------------------------------------------- reading all


@pytest.mark.parametrize("ahead", [True, False])
def test_everything_in_order(server: Server, twin: Twins, ahead: bool) -> None:
    query = Item.query("g").fetch_ahead(ahead)
    assert [item.number for item in twin.items(query)] == EVERYTHING
    assert [item.number for item in twin(query).all()] == EVERYTHING
    assert len(server.sent) == 2 * PAGES
    assert [item.number for item in twin.items(query.limit(7))] == EVERYTHING[:7]
    assert len(server.sent) == 2 * PAGES + 3


def test_a_read_of_one_page_takes_no_thread_and_no_task(server: Server, twin: Twins) -> None:
    server.meanwhile = lambda body: seen.append((threading.current_thread(), threading.active_count()))
    seen: list[Any] = []
    query = Item.query("g").limit(2)
    if not twin.is_async:
        before = threading.active_count()
        assert len(list(query)) == 2
        assert seen == [(threading.current_thread(), before)]
        return

    async def main() -> None:
        assert [item.number async for item in query] == [0, 1]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    twin.run(main())
    assert page_threads() == []


# ---------------------------------------------------------------------- one page ahead


def test_the_next_page_is_on_its_way_while_one_is_consumed(server: Server) -> None:
    items = iter(Item.query("g"))
    for number in range(PAGES * SIZE):
        assert next(items).number == number
        expected = min(number // SIZE + 2, PAGES)
        assert settled(lambda expected=expected: len(server.sent) == expected)  # type: ignore[misc]


def test_without_fetching_ahead_a_page_is_asked_for_when_it_is_needed(server: Server) -> None:
    items = iter(Item.query("g").fetch_ahead(False))
    for number in range(PAGES * SIZE):
        assert next(items).number == number
        assert len(server.sent) == number // SIZE + 1
    assert page_threads() == []


def test_the_same_in_an_event_loop(server: Server) -> None:
    async def main() -> None:
        for ahead in (True, False):
            server.clear()
            number = 0
            async for item in Item.query("g").fetch_ahead(ahead):
                assert item.number == number
                await asyncio.sleep(0.001)
                assert len(server.sent) == min(number // SIZE + 1 + ahead, PAGES)
                number += 1
            assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_pages_are_fetched_while_the_consumer_works(server: Server) -> None:
    """The second request ends before the first page is consumed."""
    arrived = threading.Event()
    server.meanwhile = lambda body: arrived.set() if "ExclusiveStartKey" in body else None
    items = iter(Item.query("g"))
    assert next(items).number == 0
    assert arrived.wait(10)


# ---------------------------------------------------------------------- not reading all


@pytest.mark.parametrize("consumed", [1, 3, 4, 8])
def test_breaking_off_sends_at_most_one_request_ahead(server: Server, consumed: int) -> None:
    for taken, _ in enumerate(Item.query("g"), 1):
        if taken == consumed:
            break
    del _
    assert settled(lambda: server.now == 0)
    gc.collect()
    assert settled(lambda: not page_threads())
    assert len(server.sent) <= (consumed - 1) // SIZE + 2


@pytest.mark.parametrize("consumed", [1, 3, 4, 8])
def test_breaking_off_in_an_event_loop(server: Server, consumed: int) -> None:
    async def main() -> None:
        taken = 0
        async for _ in Item.query("g"):
            taken += 1
            if taken == consumed:
                break
        await settle_tasks()

    async def explicitly() -> None:
        items = Item.query("g").__aiter__()
        for _ in range(consumed):
            await anext(items)
        await items.aclose()  # type: ignore[attr-defined]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    for one in (main, explicitly):
        server.clear()
        asyncio.run(one())
        assert len(server.sent) <= (consumed - 1) // SIZE + 2
        assert server.now == 0


async def settle_tasks() -> None:
    """Until the loop's hook for generators that were left has closed them."""
    gc.collect()
    for _ in range(100):
        if asyncio.all_tasks() == {asyncio.current_task()}:
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"tasks are left: {asyncio.all_tasks()}")


def test_an_error_of_the_consumer(server: Server, twin: Twins) -> None:
    def consume(item: Any) -> None:
        if item.number == 4:
            raise KeyError("mine")

    async def main() -> None:
        try:
            async for item in Item.query("g"):
                consume(item)
        finally:
            await settle_tasks()

    def blocking() -> None:
        for item in Item.query("g"):
            consume(item)

    with pytest.raises(KeyError, match="mine"):
        twin.run(main()) if twin.is_async else blocking()
    assert settled(lambda: server.now == 0)
    assert len(server.sent) <= 3


def test_cancelling_the_consumer(server: Server) -> None:
    async def consume() -> None:
        async for item in Item.query("g"):
            if item.number == 4:
                await asyncio.sleep(3600)

    third = asyncio.Event()

    def note(body: dict[str, Any]) -> dict[str, Any]:
        if len(server.sent) == 3:
            third.set()
        return page(body)

    server.answer("Query", *([note] * 3))

    async def main() -> None:
        task = asyncio.create_task(consume())
        await third.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settle_tasks()

    asyncio.run(main())
    assert len(server.sent) == 3


# ---------------------------------------------------------------------- errors


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("failing", [0, 3, 6, 12])
def test_what_came_before_an_error_is_given_first(server: Server, twin: Twins, ahead: bool, failing: int) -> None:
    server.failing[failing] = dw.Throttled("too fast")
    found: list[int] = []
    query = Item.query("g").fetch_ahead(ahead)

    async def main() -> None:
        async for item in query:
            found.append(item.number)  # noqa: PERF401 - what came before the error counts

    def blocking() -> None:
        found.extend(item.number for item in query)

    with pytest.raises(dw.Throttled):
        twin.run(main()) if twin.is_async else blocking()
    assert found == EVERYTHING[:failing]


def test_an_item_that_does_not_fit_on_a_later_page(server: Server, twin: Twins) -> None:
    bad = {"Items": [{"group": {"S": "g"}, "number": {"S": "x"}}], "Count": 1}

    def second(body: dict[str, Any]) -> dict[str, Any]:
        return bad if "ExclusiveStartKey" in body else page(body)

    server.answer("Query", second, second)
    with pytest.raises(dw.DecodeError) as caught:
        twin.items(Item.query("g"))
    assert caught.value.path == "number"


# ---------------------------------------------------------------------- parallel scans


@pytest.mark.parametrize("segments", [2, 5, 40])
def test_segments_at_the_same_time(server: Server, twin: Twins, segments: int) -> None:
    scan = Item.scan().parallel(segments)
    found = [item.number for item in twin.items(scan)]
    assert sorted(found) == [segment * 1000 + number for segment in range(segments) for number in EVERYTHING]
    assert len(server.sent) == segments * PAGES
    assert server.most <= drivers.MAX_PARALLEL_SOURCES
    if twin.is_async:
        assert server.most == min(segments, drivers.MAX_PARALLEL_SOURCES)
    assert len(twin.items(scan.limit(7))) == 7


def test_segments_are_really_read_at_the_same_time(server: Server) -> None:
    together = threading.Barrier(3)
    server.meanwhile = lambda body: together.wait(10) and None
    assert len(list(Item.scan().parallel(3))) == 3 * PAGES * SIZE


def test_very_many_segments_hold_few_pages(server: Server, twin: Twins) -> None:
    """Segments that nobody waits for yet are not begun."""
    scan = Item.scan().parallel(1_000_000)
    if twin.is_async:

        async def main() -> None:
            items = scan.__aiter__()
            await anext(items)
            await items.aclose()  # type: ignore[attr-defined]

        twin.run(main())
    else:
        items = iter(scan)
        next(items)
        del items
    assert settled(lambda: server.now == 0)
    assert len(server.sent) <= drivers.MAX_PARALLEL_SOURCES + 1


def test_a_failing_segment(server: Server, twin: Twins) -> None:
    server.failing[6] = dw.Throttled("too fast")
    with pytest.raises(dw.Throttled):
        twin.items(Item.scan().parallel(4))


def test_counting_goes_on_at_the_same_time(server: Server, twin: Twins) -> None:
    assert twin(Item.scan().parallel(20)).count() == 20 * PAGES * SIZE
    assert server.most <= drivers.MAX_PARALLEL_SOURCES
    if twin.is_async:
        assert server.most > 1
    server.clear()
    assert twin(Item.scan().parallel(20).limit(5)).count() == 5
    assert len(server.sent) <= 16
    assert twin(Item.query("g")).count() == PAGES * SIZE
    server.failing[3] = dw.Throttled("too fast")
    with pytest.raises(dw.Throttled):
        twin(Item.query("g")).count()
