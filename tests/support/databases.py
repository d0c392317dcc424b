"""Fixtures: a database on each engine, and the two forms of every call. A conftest imports those it needs."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import json
import os
import re
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import dynawire as dw
from dynawire import database as database_module
from dynawire.operations import drivers
from tests.support.recording import RecordingEngine

_numbers = itertools.count(1)


class Twins:
    """Calls the methods of an object in one form: as they are, or their a-twins on an event loop.

    ``twin(airport).save()`` is ``airport.save()`` or ``await airport.asave()``.
    """

    def __init__(self, runner: asyncio.Runner | None) -> None:
        self._runner = runner
        self.is_async = runner is not None

    def __call__(self, owner: Any) -> Any:
        return _Twin(self, owner)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in a copy of this context."""
        assert self._runner is not None
        return self._runner.run(coroutine, context=contextvars.copy_context())

    def items(self, query: Any) -> list[Any]:
        """The items of a query, by ``for`` or ``async for``."""
        if self._runner is None:
            return list(iter(query))

        async def collect() -> list[Any]:
            return [item async for item in query]

        found: list[Any] = self.run(collect())
        return found

    def within(self, manager: Any, body: Callable[[Any], None]) -> None:
        """Run ``body`` inside ``with`` or ``async with``."""
        if self._runner is None:
            with manager as entered:
                body(entered)
            return

        async def enter() -> None:
            async with manager as entered:
                body(entered)

        self.run(enter())


class _Twin:
    def __init__(self, twins: Twins, owner: Any) -> None:
        self._twins = twins
        self._owner = owner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if not self._twins.is_async:
            method: Callable[..., Any] = getattr(self._owner, name)
            return method

        def call(*args: Any, **kwargs: Any) -> Any:
            async def awaited() -> Any:
                return await getattr(self._owner, f"a{name}")(*args, **kwargs)

            return self._twins.run(awaited())

        return call


@pytest.fixture(params=["sync", "async"])
def twin(request: pytest.FixtureRequest) -> Iterator[Twins]:
    """Each test runs twice: with the blocking methods and with their a-twins."""
    if request.param == "sync":
        yield Twins(None)
        return
    with asyncio.Runner() as runner:
        yield Twins(runner)


@pytest.fixture(
    params=["memory", "sqlite", pytest.param("dynamodb_local", marks=pytest.mark.dynamodb_local)],
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of each engine."""
    if request.param == "memory":
        return "memory:"
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    endpoint: str = request.getfixturevalue("dynamodb_local")
    return endpoint


def recorded(database: dw.Database) -> RecordingEngine:
    """The recording engine of a database made by these fixtures."""
    assert isinstance(database.engine, RecordingEngine)
    return database.engine


@pytest.fixture
def db(url: str, twin: Twins) -> Iterator[dw.Database]:
    """A database on each engine, the current one of the test, with tables of its own and a recording engine."""
    database = connected(url)
    with database.use():
        yield database
    if twin.is_async:
        twin.run(database.aclose())
    else:
        database.close()


def connected(url: str, **options: Any) -> dw.Database:
    """A database with a recording engine and tables of its own."""
    prefix = f"t{os.getpid()}-{next(_numbers)}-"
    database = dw.connect(url, table_prefix=prefix, **options)
    database.engine = RecordingEngine(database.engine)
    return database


@contextmanager
def apart(url: str, **options: Any) -> Iterator[dw.Database]:
    """A database that is no other test's current one, for fixtures of a whole module."""
    with dw.connect(url, **options) as database:
        database_module._connected.remove(database)
        yield database


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Operations do not wait; the seconds they would have waited, in order."""
    waited: list[float] = []

    async def asleep(seconds: float, result: Any = None) -> Any:
        waited.append(seconds)
        return result

    monkeypatch.setattr(drivers.time, "sleep", waited.append)
    monkeypatch.setattr(asyncio, "sleep", asleep)
    return waited


def raw(db: dw.Database, model: type[Any], operation: str, **request: Any) -> dict[str, Any]:
    """Send a request past the mapper, and unrecorded."""
    engine = recorded(db).inner
    assert engine is not None
    body = json.dumps({"TableName": db.table(model).name, **request}).encode()
    answer: dict[str, Any] = json.loads(engine.send(operation, body))
    return answer


def stored_item(db: dw.Database, item: Any) -> dict[str, Any] | None:
    """What is stored with an instance's key, past the mapper."""
    key = db.table(type(item))._wire_key(item)
    return raw(db, type(item), "GetItem", Key=key, ConsistentRead=True).get("Item")


def raw_update(db: dw.Database, item: Any, expression: str, **values: dict[str, Any]) -> None:
    """Another writer changes the item of an instance: ``raw_update(db, place, "SET #name = :n", n={"S": "x"})``."""
    names = {name: name[1:] for name in re.findall(r"#\w+", expression)}
    request: dict[str, Any] = {"Key": db.table(type(item))._wire_key(item), "UpdateExpression": expression}
    if names:
        request["ExpressionAttributeNames"] = names
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    raw(db, type(item), "UpdateItem", **request)


def at_once(twin: Twins, calls: list[Callable[[], Any]]) -> list[Any]:
    """Make calls at the same time: in threads, or as tasks where they give coroutines. Their results or errors."""
    if twin.is_async:

        async def gather() -> list[Any]:
            return await asyncio.gather(*(call() for call in calls), return_exceptions=True)

        outcomes: list[Any] = twin.run(gather())
    else:
        start = threading.Barrier(len(calls))

        def run(call: Callable[[], Any]) -> Any:
            start.wait()
            return call()

        with ThreadPoolExecutor(len(calls)) as pool:
            futures = [pool.submit(contextvars.copy_context().run, run, call) for call in calls]
        outcomes = [future.exception() or future.result() for future in futures]
    return outcomes


@contextmanager
def case(*what: Any) -> Iterator[None]:
    """Says which of several cases failed; a database for each would take too long."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the case {what!r}")
        raise
