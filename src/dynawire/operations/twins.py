"""From one operation body to its blocking and its awaiting method."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from types import FunctionType
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from ..engines.protocol import Engine
from .drivers import arun, run
from .effects import Operation

__all__ = ["asynchronous", "gives_coroutine", "mark_coroutine_functions", "operation_of", "sync"]

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

# Functions that give coroutines and are not yet marked as coroutine functions.
_unmarked: list[Any] = []


class Runner(Protocol):
    """Something whose operations run on an engine of its own choice, and its name in messages."""

    @property
    def _engine(self) -> Engine: ...

    @property
    def _shown(self) -> str: ...


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
        coroutine: Any = arun(self._engine, body(self, *args, **kwargs))
        # For "coroutine 'Airport.aget' was never awaited".
        coroutine.__qualname__ = self._shown + suffix
        return coroutine  # type: ignore[no-any-return]

    named: Callable[Concatenate[S, P], Coroutine[Any, Any, R]] = _named(method, body, "a")
    suffix = f".{named.__name__}"
    return gives_coroutine(named)


def operation_of(method: Any) -> Any:
    """The operation behind a method made by :func:`sync` or :func:`asynchronous`; None: it is not such a method."""
    return getattr(method, "__operation__", None)


def _named(method: Any, body: Any, prefix: str) -> Any:
    name = prefix + body.__name__.lstrip("_").removeprefix("read_")
    method.__name__ = name
    method.__qualname__ = f"{body.__qualname__.rpartition('.')[0]}.{name}"
    method.__doc__ = body.__doc__
    method.__module__ = body.__module__
    method.__operation__ = body
    method.__wrapped__ = _shown(method, body, prefix)
    return method


def _shown(method: Any, body: Any, prefix: str) -> Any:
    """A function with the signature of the method, for help() and the like: a body gives an operation."""
    shown: Any = FunctionType(body.__code__, body.__globals__, method.__name__, body.__defaults__, body.__closure__)
    shown.__kwdefaults__ = body.__kwdefaults__
    shown.__qualname__ = method.__qualname__
    shown.__doc__ = method.__doc__
    given = str(body.__annotations__["return"]).removeprefix("Operation[").removesuffix("]")
    annotations = {**body.__annotations__, "return": f"Coroutine[Any, Any, {given}]" if prefix else given}
    shown.__annotations__ = method.__annotations__ = annotations
    return shown


# ---------------------------------------------------------------------- telling coroutine functions


def gives_coroutine(function: F) -> F:
    """A function that gives a coroutine, and so is a coroutine function to ``inspect.iscoroutinefunction``."""
    _unmarked.append(function)
    return function


def mark_coroutine_functions() -> None:
    """Have frameworks know coroutine functions (Python 3.12 and later; to asyncio's own function also on 3.11).

    It loads nothing: whoever asks has loaded inspect before, and msgspec or asyncio mostly had.
    """
    inspect: Any = sys.modules.get("inspect")
    if inspect is None:
        return
    mark = getattr(inspect, "markcoroutinefunction", None)
    asyncio: Any = sys.modules.get("asyncio.coroutines")
    if mark is None and asyncio is None:
        return
    while _unmarked:
        function = _unmarked.pop()
        if mark is not None:
            mark(function)
        else:
            function._is_coroutine = asyncio._is_coroutine


def mark_methods(owner: type[Any]) -> None:
    """Mark every method of a class that is the a-twin of another of its methods."""
    for name, method in vars(owner).items():
        if name.startswith("a") and hasattr(owner, name[1:]):
            gives_coroutine(getattr(method, "__func__", method))
