"""The engine for DynamoDB over HTTP: AWS itself, DynamoDB Local, and whatever else speaks its protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynawire.engines.aws.credentials import Credentials
    from dynawire.engines.aws.engine import AwsEngine
    from dynawire.engines.aws.retry import RetryPolicy

__all__ = ["AwsEngine", "Credentials", "RetryPolicy"]


if not TYPE_CHECKING:
    # Not for type checkers, to which a module with it has every name there is.

    def __getattr__(name: str) -> Any:
        # Importing the package costs nothing: a program that never leaves the embedded engine pays for no socket.
        if name == "AwsEngine":
            from dynawire.engines.aws.engine import AwsEngine

            return AwsEngine
        if name == "Credentials":
            from dynawire.engines.aws.credentials import Credentials

            return Credentials
        if name == "RetryPolicy":
            from dynawire.engines.aws.retry import RetryPolicy

            return RetryPolicy
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
