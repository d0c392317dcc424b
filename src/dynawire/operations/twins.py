"""From one operation body to its blocking and its awaiting method."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from ..engines.protocol import Engine
from .drivers import arun, run
from .effects import Operation

__all__ = ["asynchronous", "sync"]

P = ParamSpec("P")
R = TypeVar("R")


class Runner(Protocol):
    """Something whose operations run on an engine of its own choice."""

    @property
    def _engine(self) -> Engine: ...


S = TypeVar("S", bound=Runner)


def sync(body: Callable[Concatenate[S, P], Operation[R]]) -> Callable[Concatenate[S, P], R]:
    """The blocking method of an operation."""

    def method(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        return run(self._engine, body(self, *args, **kwargs))

    named: Callable[Concatenate[S, P], R] = _named(method, body, "")
    return named


def asynchronous(
    body: Callable[Concatenate[S, P], Operation[R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """The method of an operation that does not block the event loop."""

    # Not a coroutine function around a coroutine: every level is one more object and one more frame to resume.
    def method(self: S, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:
        return arun(self._engine, body(self, *args, **kwargs))

    named: Callable[Concatenate[S, P], Coroutine[Any, Any, R]] = _named(method, body, "a")
    return named


def _named(method: Any, body: Any, prefix: str) -> Any:
    name = prefix + body.__name__.lstrip("_").removeprefix("read_")
    method.__name__ = name
    method.__qualname__ = f"{body.__qualname__.rpartition('.')[0]}.{name}"
    method.__doc__ = body.__doc__
    method.__module__ = body.__module__
    method.__wrapped__ = body
    return method
