"""What type checkers know of ``db.transact_get``: the class of each item, in the order of the keys."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from .key import Key

__all__ = ["AsyncTransactGet", "TransactGet"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")


class TransactGet(Protocol):
    """The blocking method."""

    @overload
    def __call__(self, a: Key[A], /) -> tuple[A | None]: ...
    @overload
    def __call__(self, a: Key[A], b: Key[B], /) -> tuple[A | None, B | None]: ...
    @overload
    def __call__(self, a: Key[A], b: Key[B], c: Key[C], /) -> tuple[A | None, B | None, C | None]: ...
    @overload
    def __call__(
        self, a: Key[A], b: Key[B], c: Key[C], d: Key[D], /
    ) -> tuple[A | None, B | None, C | None, D | None]: ...
    @overload
    def __call__(
        self, a: Key[A], b: Key[B], c: Key[C], d: Key[D], e: Key[E], /
    ) -> tuple[A | None, B | None, C | None, D | None, E | None]: ...
    @overload
    def __call__(self, *keys: Key[A]) -> tuple[A | None, ...]: ...


class AsyncTransactGet(Protocol):
    """Its a-twin."""

    @overload
    def __call__(self, a: Key[A], /) -> Coroutine[Any, Any, tuple[A | None]]: ...
    @overload
    def __call__(self, a: Key[A], b: Key[B], /) -> Coroutine[Any, Any, tuple[A | None, B | None]]: ...
    @overload
    def __call__(
        self, a: Key[A], b: Key[B], c: Key[C], /
    ) -> Coroutine[Any, Any, tuple[A | None, B | None, C | None]]: ...
    @overload
    def __call__(
        self, a: Key[A], b: Key[B], c: Key[C], d: Key[D], /
    ) -> Coroutine[Any, Any, tuple[A | None, B | None, C | None, D | None]]: ...
    @overload
    def __call__(
        self, a: Key[A], b: Key[B], c: Key[C], d: Key[D], e: Key[E], /
    ) -> Coroutine[Any, Any, tuple[A | None, B | None, C | None, D | None, E | None]]: ...
    @overload
    def __call__(self, *keys: Key[A]) -> Coroutine[Any, Any, tuple[A | None, ...]]: ...
