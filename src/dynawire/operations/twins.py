"""From one operation body to its blocking and its awaiting method."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from .effects import Operation

__all__ = ["asynchronous", "sync"]

P = ParamSpec("P")
R = TypeVar("R")
A = TypeVar("A")


class Runner(Protocol):
    """Something whose operations run on an engine of its own choice."""

    def _run(self, operation: Operation[A]) -> A: ...

    def _arun(self, operation: Operation[A]) -> Awaitable[A]: ...


S = TypeVar("S", bound=Runner)


def sync(body: Callable[Concatenate[S, P], Operation[R]]) -> Callable[Concatenate[S, P], R]:
    """The blocking method of an operation."""

    def method(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        return self._run(body(self, *args, **kwargs))

    named: Callable[Concatenate[S, P], R] = _named(method, body, "")
    return named


def asynchronous(
    body: Callable[Concatenate[S, P], Operation[R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """The method of an operation that does not block the event loop."""

    async def method(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._arun(body(self, *args, **kwargs))

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
