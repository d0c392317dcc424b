"""What an operation may ask of its driver."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, TypeVar

import msgspec

__all__ = ["Effect", "Operation", "Request", "Sleep", "Together"]

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


Effect = Request | Sleep | Together
Operation = Generator[Effect, Any, R]
"""An operation that gives an R when it is carried out."""
