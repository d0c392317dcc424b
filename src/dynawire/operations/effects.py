"""What an operation may ask of its driver."""

from __future__ import annotations

from collections.abc import Generator
from contextvars import ContextVar
from typing import Any, TypeVar

import msgspec

from ..errors import DynawireError
from .hooks import Event, Hook

__all__ = ["Effect", "Invoke", "Operation", "Request", "Sleep", "Together", "shown_only"]

R = TypeVar("R")


class Request(msgspec.Struct, gc=False):
    """Send one DynamoDB request; the result is the response body.

    Attributes:
        operation: DynamoDB's operation name.
        body: the request as JSON.
        idempotent: whether sending it twice does no more than sending it once.
        about: the Target, or the Targets, it is about: errors name them; None: there is none.
    """

    operation: str
    body: bytes
    idempotent: bool = True
    about: Any = None


class Sleep(msgspec.Struct, gc=False):
    """Wait for this many seconds; the result is None."""

    seconds: float


class Together(msgspec.Struct):
    """Send several requests, at the same time where the engine waits for a network.

    The result is a list with, for each request in order, its response body or the error it raised.
    """

    requests: list[Request]


class Invoke(msgspec.Struct, gc=False):
    """Call hooks, one after the other, and await what they give to await; the result is None.

    Attributes:
        hooks: the hooks, called with the event.
        event: what happens.
        asynchronous: the first of those that the whole operation calls which must be awaited, by its label; or None.
    """

    hooks: tuple[Hook, ...]
    event: Event
    asynchronous: str | None = None

    def call(self) -> None:
        """Call them, blocking.

        Raises:
            DynawireError: one must be awaited.
        """
        event = self.event
        if self.asynchronous is not None:
            raise _unawaited(self.asynchronous, event.operation)
        for hook in self.hooks:
            result = hook.call_for(event)
            if result is not None and hasattr(type(result), "__await__"):
                if hasattr(result, "close"):
                    result.close()
                raise _unawaited(hook.label, event.operation)

    async def acall(self) -> None:
        """Call them, and await what is to be awaited."""
        event = self.event
        for hook in self.hooks:
            result = hook.call_for(event)
            if result is not None and hasattr(type(result), "__await__"):
                await result


def _unawaited(label: str, operation: str) -> DynawireError:
    return DynawireError(
        f"the hook {label} must be awaited, and {operation}() does not wait for it: call a{operation}() (a transaction "
        "with async with), or make the hook a plain function"
    )


shown_only: ContextVar[bool] = ContextVar("dynawire_shown_only", default=False)
"""Whether an operation's first request is only shown, so that none of the program's functions may be called."""

Effect = Request | Sleep | Together | Invoke
Operation = Generator[Effect, Any, R]
"""An operation that gives an R when it is carried out."""
