"""One client fixture for the three ways to send: blocking, asyncio, uvloop."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from dynawire.engines.aws import AwsEngine, RetryPolicy


class Waits:
    """Stands in for the passing of time between attempts."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.now = 1000.0

    def policy(self, **limits: Any) -> RetryPolicy:
        return RetryPolicy(clock=lambda: self.now, sleep=self._wait, asleep=self._await, jitter=lambda: 1.0, **limits)

    def _wait(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self.now += seconds

    async def _await(self, seconds: float) -> None:
        self._wait(seconds)


class Client:
    """Sends through engines in one of the three ways, and closes them."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.waits = Waits()
        self._engines: list[AwsEngine] = []
        self._runner: asyncio.Runner | None = None
        if kind != "sync":
            factory = asyncio.new_event_loop
            if kind == "uvloop":
                factory = pytest.importorskip("uvloop").new_event_loop
            self._runner = asyncio.Runner(loop_factory=factory)

    def connect(self, endpoint: str, limits: dict[str, Any] | None = None, **options: Any) -> AwsEngine:
        options.setdefault("retry", self.waits.policy(**(limits or {})))
        engine = AwsEngine(endpoint, **options)
        self._engines.append(engine)
        return engine

    def send(self, engine: AwsEngine, operation: str, body: bytes = b"{}", idempotent: bool = True) -> bytes:
        if self._runner is None:
            return engine.send(operation, body, idempotent)
        return self._runner.run(engine.asend(operation, body, idempotent))

    def close(self) -> None:
        while self._engines:
            engine = self._engines.pop()
            if self._runner is None:
                engine.close()
            else:
                self._runner.run(engine.aclose())
        if self._runner is not None:
            self._runner.close()


@pytest.fixture(params=["sync", "asyncio", "uvloop"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    client = Client(request.param)
    yield client
    client.close()
