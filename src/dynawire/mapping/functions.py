"""Functions that users give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["is_async"]

_ASYNC_FLAGS = 0x80 | 0x100 | 0x200
"""CO_COROUTINE, CO_ITERABLE_COROUTINE and CO_ASYNC_GENERATOR of a code object."""


def is_async(function: Callable[..., Any]) -> bool:
    """Whether it gives what has to be awaited; without inspect, which is slow to import."""
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & _ASYNC_FLAGS)
