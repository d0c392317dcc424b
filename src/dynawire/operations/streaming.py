"""Operations that hand over items while they go on: :func:`stream` blocks, :func:`astream` awaits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from typing import Any

import msgspec

from ..engines.protocol import Engine
from ..errors import DynawireError
from .drivers import arun, run
from .effects import Effect, Operation

__all__ = ["Items", "Stream", "astream", "collected", "next_items", "stream"]


class Items(msgspec.Struct, gc=False):
    """Hand these over to the caller; the result is None, when the caller asks for more."""

    items: list[Any]


Stream = Generator[Effect | Items, Any, None]
"""An operation that hands over items while it is carried out."""


def stream(engine: Engine, operation: Stream) -> Iterator[list[Any]]:
    """Carry out an operation as far as its items are asked for, blocking."""
    try:
        while (items := run(engine, next_items(operation))) is not None:
            yield items
    finally:
        operation.close()


async def astream(engine: Engine, operation: Stream) -> AsyncGenerator[list[Any], None]:
    """The same without blocking the event loop."""
    try:
        while (items := await arun(engine, next_items(operation))) is not None:
            yield items
    finally:
        operation.close()


def collected(operation: Stream, limit: int | None) -> Operation[list[Any]]:
    """The items of a stream, up to a limit."""
    found: list[Any] = []
    try:
        while limit is None or len(found) < limit:
            items = yield from next_items(operation)
            if items is None:
                break
            found += items
    finally:
        operation.close()
    return found if limit is None else found[:limit]


def next_items(operation: Stream) -> Operation[list[Any] | None]:
    """The part of a stream up to the next items; None at the end."""
    result: Any = None
    error: DynawireError | None = None
    while True:
        try:
            effect = operation.send(result) if error is None else operation.throw(error)
        except StopIteration:
            return None
        if isinstance(effect, Items):
            return effect.items
        result, error = None, None
        try:
            result = yield effect
        except DynawireError as caught:
            error = caught
