"""What queries and finds have in common: the items they give, one by one, as a list, a page, the first or the only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .errors import DynawireError, ExpressionError, ItemNotFound
from .misuse import Unlisted
from .operations.twins import asynchronous, sync

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .operations.drivers import AsyncPages
    from .operations.effects import Operation
    from .operations.target import Target

__all__ = ["Many", "MultipleItemsFound", "Page", "whole_number"]

T = TypeVar("T")


class MultipleItemsFound(DynawireError):
    """``one()`` found more than one item."""


class Page(Generic[T]):
    """One page of a query. Iterates over its items.

    Attributes:
        items: the items, never more than the size asked for.
        cursor: an opaque, URL-safe text to go on with (``page(after=cursor)``); None at the end. Of a query with a
            filter the last page may be empty, for the service can't know what still fits. It holds the key of the last
            item, encoded but not encrypted.
    """

    __slots__ = ("cursor", "items")

    def __init__(self, items: list[T], cursor: str | None) -> None:
        self.items = items
        self.cursor = cursor

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        return f"<Page: {len(self.items)} items, {'more follow' if self.cursor else 'the last'}>"


class Many(Unlisted, Generic[T]):
    """Gives items page by page, up to a limit."""

    __slots__ = ()

    _shown: str
    """Its class's name, for coroutines that are not awaited."""
    _called: str
    """What it is called in messages."""

    if TYPE_CHECKING:
        # Each kind's own.

        @property
        def _engine(self) -> Engine: ...
        @property
        def _target(self) -> Target: ...
        @property
        def _limit(self) -> int | None:
            """How many items it gives at the most."""

        def _pages(self) -> Iterator[list[T]]: ...
        def _apages(self) -> AsyncPages | AsyncGenerator[list[T], None]: ...
        def _up_to(self, count: int) -> Operation[list[T]]:
            """Up to so many items."""
            ...

    def __iter__(self) -> Iterator[T]:
        left = self._limit
        if left == 0:
            return
        for page in self._pages():
            if left is None:
                yield from page
                continue
            # Each segment of a parallel scan reads up to the limit by itself.
            yield from page[:left]
            left -= len(page)
            if left <= 0:
                return

    async def __aiter__(self) -> AsyncIterator[T]:
        left = self._limit
        if left == 0:
            return
        async with aclosing(self._apages()) as pages:
            async for page in pages:
                for item in page if left is None else page[:left]:
                    yield item
                if left is not None:
                    left -= len(page)
                    if left <= 0:
                        return

    def all(self) -> list[T]:
        """Every item, as a list."""
        limit = self._limit
        items: list[T] = []
        if limit != 0:
            for page in self._pages():
                items += page
                if limit is not None and len(items) >= limit:
                    break
        return items if limit is None else items[:limit]

    async def aall(self) -> list[T]:
        """Every item, as a list."""
        limit = self._limit
        items: list[T] = []
        if limit != 0:
            pages = self._apages()
            try:
                async for page in pages:
                    items += page
                    if limit is not None and len(items) >= limit:
                        break
            finally:
                await pages.aclose()
        return items if limit is None else items[:limit]

    def _first(self) -> Operation[T | None]:
        """The first item, or None. Of a find it is one of them, the first with ``order_by``."""
        items = yield from self._up_to(1)
        return items[0] if items else None

    def _one(self) -> Operation[T]:
        """The only item.

        Raises:
            ItemNotFound: there is none.
            MultipleItemsFound: there are several.
        """
        items = yield from self._up_to(2)
        name = self._target.plan.name
        if not items:
            raise ItemNotFound(f"no {name} matches this {self._called}", code="", model=name)
        if len(items) > 1:
            raise MultipleItemsFound(f"more than one {name} matches this {self._called}; use first(), or narrow it")
        return items[0]

    first = sync(_first)
    afirst = asynchronous(_first)
    one = sync(_one)
    aone = asynchronous(_one)


def whole_number(what: str, given: Any, least: int, most: int | None = None) -> None:
    """Refuse what is not a whole number within limits."""
    if type(given) is not int or given < least or (most is not None and given > most):
        limits = f"{least:,} or more" if most is None else f"{least:,} to {most:,}"
        raise ExpressionError(f"{what} takes a whole number, {limits}")
