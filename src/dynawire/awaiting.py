"""Operations that call functions of the user's, which may be async: :func:`drive` blocks, :func:`adrive` awaits."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeVar

import msgspec

from .engines.protocol import Engine
from .errors import DynawireError, ExpressionError
from .operations.drivers import arun, run
from .operations.effects import Effect, Operation

__all__ = ["Awaited", "Running", "adrive", "called", "drive"]

R = TypeVar("R")


class Awaited(msgspec.Struct):
    """Await this; the result is what it gives."""

    awaitable: Any
    what: str


Running = Generator[Effect | Awaited, Any, R]
"""An operation that calls functions of the user's, which may be async."""


def drive(engine: Engine, running: Running[R]) -> R:
    """Carry it out, blocking.

    Raises:
        ExpressionError: a function of the user's is async.
    """
    try:
        return run(engine, _without_awaiting(running))
    finally:
        running.close()


def _without_awaiting(running: Running[R]) -> Operation[R]:
    result: Any = None
    error: DynawireError | None = None
    while True:
        try:
            effect = running.send(result) if error is None else running.throw(error)
        except StopIteration as done:
            value: R = done.value
            return value
        result, error = None, None
        if isinstance(effect, Awaited):
            close = getattr(effect.awaitable, "close", None)
            if close is not None:
                close()
            error = ExpressionError(f"{effect.what} is async, which only an a-twin can await: use arun() or aresume()")
            continue
        try:
            result = yield effect
        except DynawireError as caught:
            error = caught


class _Result(msgspec.Struct):
    value: Any


async def adrive(engine: Engine, running: Running[R]) -> R:
    """The same without blocking the event loop."""
    result: Any = None
    error: BaseException | None = None
    try:
        while True:
            outcome = await arun(engine, _until_awaited(running, result, error))
            if isinstance(outcome, _Result):
                value: R = outcome.value
                return value
            result, error = None, None
            try:
                result = await outcome.awaitable
            except BaseException as caught:  # noqa: BLE001 - it goes on inside the operation
                error = caught
    finally:
        running.close()


def _until_awaited(running: Running[Any], result: Any, error: BaseException | None) -> Operation[Awaited | _Result]:
    while True:
        try:
            effect = running.send(result) if error is None else running.throw(error)
        except StopIteration as done:
            return _Result(done.value)
        if isinstance(effect, Awaited):
            return effect
        result, error = None, None
        try:
            result = yield effect
        except DynawireError as caught:
            error = caught


def called(function: Callable[..., Any], what: str, *arguments: Any) -> Running[Any]:
    """Call a function of the user's, which may be async."""
    result = function(*arguments)
    if hasattr(result, "__await__"):
        result = yield Awaited(result, what)
    return result
