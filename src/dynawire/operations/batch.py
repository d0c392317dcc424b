"""What batch reads and batch writes share: their results, and how long to wait for what stayed unprocessed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from ..errors import DynawireError

__all__ = [
    "MAX_STALLED_ROUNDS",
    "REQUESTS_AT_ONCE",
    "BatchGetResult",
    "BatchWriteResult",
    "Progress",
    "Unprocessed",
    "at_index",
    "pause",
    "why",
]

T = TypeVar("T")

REQUESTS_AT_ONCE = 4
MAX_STALLED_ROUNDS = 10
"""Rounds without any progress after which a batch is given up."""
FIRST_PAUSE = 0.05
LONGEST_PAUSE = 5.0

Progress = Callable[[int], None]


class Unprocessed(DynawireError):
    """A batch was given up with some of it not processed, after every retry.

    Attributes:
        result: the :class:`BatchGetResult` or :class:`BatchWriteResult` so far; what is left is in its ``unprocessed``.
        cause: the last error the service gave, or None when it only kept returning them.
    """

    result: Any = None
    cause: DynawireError | None = None


class BatchGetResult(Generic[T]):
    """What a batch get found. Iterates over the items.

    Attributes:
        items: the items found, in the order in which their keys were given.
        missing: the keys no item has, as given.
        unprocessed: the keys that were not read, as given; empty unless :class:`Unprocessed` carries this result.
    """

    def __init__(self, items: list[T], missing: list[Any], unprocessed: list[Any]) -> None:
        self.items = items
        self.missing = missing
        self.unprocessed = unprocessed

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return (
            f"<BatchGetResult: {len(self.items)} items, {len(self.missing)} missing, "
            f"{len(self.unprocessed)} unprocessed>"
        )


class BatchWriteResult:
    """What a batch write did. An error that ends one has it as its ``result``.

    Attributes:
        written: how many items were put.
        deleted: how many keys were deleted, whether or not there was an item.
        unprocessed: the instances and keys that were not written, as given, the one an error is about included; empty
            unless an error carries this result. What a generator has not given yet is still in it.
        failed_at: where, counted from 0, the item or key stood that could not be written or taken; else None.
    """

    def __init__(self) -> None:
        self.failed_at: int | None = None
        self.written = 0
        self.deleted = 0
        self.unprocessed: list[Any] = []

    def __repr__(self) -> str:
        return (
            f"<BatchWriteResult: {self.written} written, {self.deleted} deleted, {len(self.unprocessed)} unprocessed>"
        )


def pause(stalled_rounds: int) -> float:
    """How many seconds to wait before what stayed unprocessed is sent again, after so many rounds without progress.

    Full jitter. Source: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
    """
    from random import uniform

    return uniform(0, min(LONGEST_PAUSE, FIRST_PAUSE * 2**stalled_rounds))


def at_index(error: DynawireError, what: str, index: int) -> None:
    """Have an error about one of many say which."""
    error.message = f"the {what} at index {index}: {error.message}"
    error.args = (error.message,)


def why(cause: DynawireError | None) -> str:
    """Why a batch was given up, for a message."""
    rounds = f"no progress in {MAX_STALLED_ROUNDS} rounds"
    return rounds if cause is None else f"{type(cause).__name__}: {cause.message}"
