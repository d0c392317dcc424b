"""What an engine is: the seam between dynawire's operations and whatever answers DynamoDB's protocol."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Engine"]


class Engine(Protocol):
    """Sends one DynamoDB operation and returns the response body.

    A body is the operation's JSON as DynamoDB's JSON 1.0 protocol defines it, a response likewise. What the service
    refuses is raised as an error of :mod:`dynawire.errors`, made by :func:`dynawire.errors.service_error`.
    """

    remote: bool
    """Whether a call waits for a network: callers fetch ahead and send in parallel only when it does."""

    @property
    def endpoint(self) -> str:
        """Where requests go, as a URL without credentials: for messages."""
        ...

    def send(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        """Send one request and wait for its answer.

        Args:
            operation: DynamoDB's operation name, such as ``"PutItem"``.
            body: the request as JSON.
            idempotent: whether sending it twice leaves the same state and answer as sending it once. One that is
                not is never sent again once it may have been applied.

        Raises:
            ConnectionFailed: the endpoint could not be reached; nothing was applied.
            OutcomeUnknown: the response was lost and the request is not idempotent.
            DynawireError: what the service answered, by its code.
        """
        ...

    async def asend(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        """The same, without blocking the event loop."""
        ...

    def close(self) -> None:
        """End every connection and release every resource. Further calls are refused."""
        ...

    async def aclose(self) -> None:
        """The same for resources that belong to the running event loop, then everything else."""
        ...
