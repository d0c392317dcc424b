"""An engine around an engine: it notes every request, and can answer in the other's place."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from dynawire.engines.protocol import Engine

Answer = Exception | dict[str, Any] | Callable[[dict[str, Any]], "dict[str, Any] | Exception | None"]


class Sent:
    """One request: ``operation``, ``body`` as a dict, ``idempotent``."""

    def __init__(self, operation: str, body: dict[str, Any], idempotent: bool) -> None:
        self.operation = operation
        self.body = body
        self.idempotent = idempotent

    def __repr__(self) -> str:
        return f"{self.operation} {self.body}"


class LoseResponse(Exception):
    """As an answer: the request is applied, and then this error is raised."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class RecordingEngine:
    """Passes requests on to ``inner`` unless an answer was prepared for their operation.

    Attributes:
        sent: every request, in order.
    """

    def __init__(self, inner: Engine | None = None, *, remote: bool | None = None) -> None:
        self.inner = inner
        self.remote = remote if remote is not None else inner.remote if inner is not None else False
        self.sent: list[Sent] = []
        self._answers: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()

    @property
    def endpoint(self) -> str:
        return "recorded:" if self.inner is None else self.inner.endpoint

    def answer(self, operation: str, *answers: Answer) -> None:
        """What the next requests of this operation get: an error, a response, or a function from body to either.

        A function that gives None passes the request on.
        """
        self._answers.setdefault(operation, []).extend(answers)

    def forget_answers(self) -> None:
        """Pass everything on again."""
        self._answers.clear()

    def operations(self) -> list[str]:
        """The names of the operations sent."""
        return [one.operation for one in self.sent]

    def clear(self) -> None:
        """Forget what was sent."""
        self.sent.clear()

    def _prepared(self, operation: str, body: bytes, idempotent: bool) -> tuple[bytes | None, Exception | None]:
        decoded = json.loads(body)
        with self._lock:
            self.sent.append(Sent(operation, decoded, idempotent))
            waiting = self._answers.get(operation)
            answer: Any = waiting.pop(0) if waiting else None
        if callable(answer) and not isinstance(answer, Exception):
            answer = answer(decoded)
        if isinstance(answer, LoseResponse):
            return None, answer.error
        if isinstance(answer, Exception):
            raise answer
        if answer is None and self.inner is None:
            raise AssertionError(f"no answer was prepared for {operation}")
        return (None if answer is None else json.dumps(answer).encode()), None

    def send(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        prepared, after = self._prepared(operation, body, idempotent)
        if prepared is not None:
            return prepared
        assert self.inner is not None
        response = self.inner.send(operation, body, idempotent)
        if after is not None:
            raise after
        return response

    async def asend(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        prepared, after = self._prepared(operation, body, idempotent)
        if prepared is not None:
            return prepared
        assert self.inner is not None
        response = await self.inner.asend(operation, body, idempotent)
        if after is not None:
            raise after
        return response

    def close(self) -> None:
        if self.inner is not None:
            self.inner.close()

    async def aclose(self) -> None:
        if self.inner is not None:
            await self.inner.aclose()
