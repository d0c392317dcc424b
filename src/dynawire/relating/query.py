"""Queries that read related items together with their own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ..errors import ExpressionError
from ..expressions import Path
from ..many import Page
from ..operations.drivers import arun, run
from ..operations.effects import Operation
from ..operations.twins import asynchronous, sync
from ..query import Query
from .relation import Relation, checked_relations, prefetch

if TYPE_CHECKING:
    from ..operations.reads import Read
    from ..table import Table

__all__ = ["RelatedQuery", "no_tuples", "related_query"]

T = TypeVar("T")


class RelatedQuery(Query[T]):
    """A query whose items come with what they lead to.

    What ``all()``, ``first()``, ``one()`` and ``page()`` give has it read at once, after the items; an iteration reads
    it page by page. What several items of one page lead to by key is read once.
    """

    __slots__ = ("_relations",)

    def __init__(self, table: Table[Any], read: Read, relations: tuple[Relation[Any], ...]) -> None:
        super().__init__(table, read)
        self._relations = relations

    def _with(self, **changes: Any) -> Query[Any]:
        return RelatedQuery(self._table, msgspec.structs.replace(self._read, **changes), self._relations)

    def with_(self, *relations: Relation[Any]) -> Query[T]:
        """See :meth:`Query.with_`."""
        more = checked_relations(relations, self._read.target.cls)
        return RelatedQuery(self._table, self._read, self._relations + more)

    def project(self, *paths: Path[Any]) -> Query[Any]:
        """Refused: tuples lead nowhere."""
        raise no_tuples()

    def hydrate(self) -> Any:
        """Refused."""
        raise ExpressionError("write hydrate().with_(...), not with_(...).hydrate()")

    def _prefetch(self, items: list[T]) -> Operation[None]:
        return prefetch(self._table.database, items, self._relations, self._read.consistent)

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
        items: list[T] = Query[T](self._table, self._read).all()
        run(self._engine, self._prefetch(items))
        return items

    async def aall(self) -> list[T]:
        """Every item, as a list."""
        items: list[T] = await Query[T](self._table, self._read).aall()
        await arun(self._engine, self._prefetch(items))
        return items

    def _read_page(self, size: int = 25, after: str | None = None) -> Operation[Page[T]]:
        """One page. See :meth:`Query.page`."""
        page = yield from super()._read_page(size, after)
        yield from self._prefetch(page.items)
        return page

    def _up_to(self, count: int) -> Operation[list[T]]:
        items = yield from super()._up_to(count)
        yield from self._prefetch(items)
        return items

    page = sync(_read_page)  # type: ignore[arg-type]
    apage = asynchronous(_read_page)  # type: ignore[arg-type]


def no_tuples() -> ExpressionError:
    """The error of reading tuples along relations."""
    return ExpressionError("project() gives tuples, which have no relations; leave with_() out, or project()")


def related_query(query: Query[T], relations: tuple[Any, ...]) -> Query[T]:
    """A query whose items come with what these relations lead to."""
    if query._read.projection:
        raise no_tuples()
    return RelatedQuery(query._table, query._read, checked_relations(relations, query._read.target.cls))
