"""Finds that read related items together with their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

from ..expressions import Condition, Path
from ..find import Find
from ..many import Page
from ..operations.drivers import arun, run
from ..operations.effects import Operation
from ..operations.twins import asynchronous, sync
from .query import no_tuples
from .relation import Relation, checked_relations, prefetch

if TYPE_CHECKING:
    from ..table import Table

__all__ = ["related_find"]

T = TypeVar("T")


class RelatedFind(Find[T]):
    """A find whose items come with what they lead to, read as for a query."""

    __slots__ = ("_relations",)

    def __init__(
        self, table: Table[Any], condition: Condition | None, options: Any, relations: tuple[Relation[Any], ...]
    ) -> None:
        super().__init__(table, condition, options)
        self._relations = relations

    @property
    def _plain(self) -> Find[T]:
        return Find(self._table, self._condition, self._options)

    def _made(self, condition: Condition | None, options: Any) -> Find[Any]:
        table: Any = self._table
        return RelatedFind(table, condition, options, self._relations)

    def with_(self, *relations: Relation[Any]) -> Find[T]:
        """See :meth:`Query.with_`."""
        table: Any = self._table
        more = self._relations + checked_relations(relations, self._target.cls)
        return RelatedFind(table, self._condition, self._options, more)

    def project(self, *paths: Path[Any]) -> Find[Any]:
        """Refused: tuples lead nowhere."""
        raise no_tuples()

    def _prefetch(self, items: list[T]) -> Operation[None]:
        table: Any = self._table
        return prefetch(table.database, items, self._relations, self._options.consistent)

    def _pages(self) -> Iterator[list[T]]:
        for page in super()._pages():
            run(self._engine, self._prefetch(page))
            yield page

    async def _apages(self) -> AsyncGenerator[list[T], None]:
        async with aclosing(super()._apages()) as pages:
            async for page in pages:
                await arun(self._engine, self._prefetch(page))
                yield page

    def all(self) -> list[T]:
        """Every item, as a list."""
        items = self._plain.all()
        run(self._engine, self._prefetch(items))
        return items

    async def aall(self) -> list[T]:
        """Every item, as a list."""
        items = await self._plain.aall()
        await arun(self._engine, self._prefetch(items))
        return items

    def _up_to(self, count: int, *, keys: bool = False) -> Operation[list[T]]:
        items = yield from super()._up_to(count, keys=keys)
        if not keys:
            yield from self._prefetch(items)
        return items

    def _page(self, size: int = 25, after: str | None = None) -> Operation[Page[T]]:
        """One page. See :meth:`Find.page`."""
        page = yield from super()._page(size, after)
        yield from self._prefetch(page.items)
        return page

    page = sync(_page)  # type: ignore[arg-type]
    apage = asynchronous(_page)  # type: ignore[arg-type]


def related_find(find: Find[T], relations: tuple[Any, ...]) -> Find[T]:
    """A find whose items come with what these relations lead to."""
    if find._options.projection:
        raise no_tuples()
    table: Any = find._table
    return RelatedFind(table, find._condition, find._options, checked_relations(relations, find._target.cls))
