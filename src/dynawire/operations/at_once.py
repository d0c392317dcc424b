"""Several operations carried out side by side, their requests sent together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from ..errors import DynawireError
from .effects import Effect, Invoke, Operation, Request, Sleep, Together

__all__ = ["at_once"]

R = TypeVar("R")


def at_once(operations: Sequence[Operation[R]]) -> Operation[list[R | DynawireError]]:
    """Carry out several operations in step; for each in order its result, or the error it raised."""
    results: list[Any] = [None] * len(operations)
    waiting: dict[int, Effect] = {}

    def resume(place: int, answer: Any) -> None:
        operation = operations[place]
        try:
            waiting[place] = operation.throw(answer) if isinstance(answer, Exception) else operation.send(answer)
        except StopIteration as done:
            results[place] = done.value
        except DynawireError as error:
            results[place] = error

    for place in range(len(operations)):
        resume(place, None)
    while waiting:
        now = dict(waiting)
        waiting.clear()
        requests = [request for effect in now.values() for request in _requests(effect)]
        answers = iter((yield Together(requests)) if requests else ())
        pause = max((effect.seconds for effect in now.values() if isinstance(effect, Sleep)), default=None)
        if pause is not None:
            yield Sleep(pause)
        for place, effect in now.items():
            if isinstance(effect, Invoke):
                raised: Exception | None = None
                try:
                    yield effect
                except Exception as error:  # noqa: BLE001 - hooks raise what they like
                    raised = error
                resume(place, raised)
            elif isinstance(effect, Together):
                resume(place, [next(answers) for _ in effect.requests])
            else:
                resume(place, next(answers) if isinstance(effect, Request) else None)
    return results


def _requests(effect: Effect) -> list[Request]:
    if isinstance(effect, Together):
        return effect.requests
    return [effect] if isinstance(effect, Request) else []
