"""Single-table design: one table with generic keys, and several classes in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, Unpack, overload

from .errors import ExpressionError, SchemaError
from .index import GlobalIndex, LocalIndex
from .mapping.class_mapping import MAX_GLOBAL_INDEXES, MAX_LOCAL_INDEXES, TableOptions, nearest
from .mapping.indexes import IndexDeclaration
from .mapping.layout import DEFAULT_KIND, TableLayout
from .mapping.templates import DEFAULT_SEPARATOR
from .operations.layouts import table_of_layout

if TYPE_CHECKING:
    from .collection import Collection
    from .mapping.class_mapping import TableKeywords

__all__ = ["SingleTable"]

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")


class SingleTable(TableLayout):
    """A table that several classes share, with generic keys and indexes that developers never name.

    ``shop = SingleTable("shop", global_indexes=2)``; then ``class Order(Model, table=shop, pk="USER#{user_id}",
    sk="ORDER#{created_at}#{order_id}")``.

    Args:
        name: its name, without the database's prefix.
        global_indexes: how many generic global indexes it has (0 to 20): ``gsi0`` with the keys ``gsi0_pk`` and
            ``gsi0_sk``, and so on. Or the indexes of an existing table, by name:
            ``{"GSI1": GlobalIndex("GSI1PK", "GSI1SK")}``.
        local_indexes: how many local ones (0 to 5): ``lsi0`` with the sort key ``lsi0_sk``, and so on; or a mapping.
        partition_key, sort_key: stored names of the table's keys; sort_key=None: it has none.
        separator: the character that ends each component of every template.
        kind: stored name of the attribute that says of which class an item is. None: there is none; then the sort keys
            must tell the classes apart.
        store_keys: whether the attributes that a primary key is composed of are stored beside it. If not, they are read
            out of the key, and can't be looked at by filters and conditions.
        options: how it is made: the class keywords of a :class:`~dynawire.Model`; ``ttl`` is a stored name.

    Raises:
        SchemaError: it can't be made so.
    """

    def __init__(
        self,
        name: str,
        *,
        global_indexes: int | Mapping[str, GlobalIndex] = 0,
        local_indexes: int | Mapping[str, LocalIndex] = 0,
        partition_key: str = "pk",
        sort_key: str | None = "sk",
        separator: str = DEFAULT_SEPARATOR,
        kind: str | None = DEFAULT_KIND,
        store_keys: bool = True,
        **options: Unpack[TableKeywords],
    ) -> None:
        unknown = sorted(set(options) - set(TableOptions.__struct_fields__))
        if unknown:
            raise SchemaError(
                f"SingleTable({name!r}): unknown keyword {unknown[0]!r}"
                f"{nearest(unknown[0], TableOptions.__struct_fields__)}"
            )
        if "migrations" in options:
            raise SchemaError(f"SingleTable({name!r}): migrations= is said at each class that has some")
        if isinstance(global_indexes, int):
            _check_count(name, "global_indexes", global_indexes, MAX_GLOBAL_INDEXES)
            global_indexes = {f"gsi{one}": GlobalIndex(f"gsi{one}_pk", f"gsi{one}_sk") for one in range(global_indexes)}
        if isinstance(local_indexes, int):
            _check_count(name, "local_indexes", local_indexes, MAX_LOCAL_INDEXES)
            local_indexes = {f"lsi{one}": LocalIndex(f"lsi{one}_sk") for one in range(local_indexes)}
        super().__init__(
            name,
            partition_key=partition_key,
            sort_key=sort_key,
            indexes={key: _named(key, index) for key, index in {**global_indexes, **local_indexes}.items()},
            separator=separator,
            kind=kind,
            store_keys=store_keys,
            options=options,
        )
        # Refuses at once what the service would refuse.
        table_of_layout(self)

    @overload
    def collection(self, a: type[A], /, *, index: str | None = None) -> Collection[A]: ...
    @overload
    def collection(self, a: type[A], b: type[B], /, *, index: str | None = None) -> Collection[A | B]: ...
    @overload
    def collection(
        self, a: type[A], b: type[B], c: type[C], /, *, index: str | None = None
    ) -> Collection[A | B | C]: ...
    @overload
    def collection(
        self, a: type[A], b: type[B], c: type[C], d: type[D], /, *, index: str | None = None
    ) -> Collection[A | B | C | D]: ...
    @overload
    def collection(self, *models: type[Any], index: str | None = None, **named: type[Any]) -> Collection[Any]: ...
    def collection(self, *models: type[Any], index: str | None = None, **named: type[Any]) -> Collection[Any]:
        """Classes whose items stand in one partition, to be read together by one query.

        ``shop.collection(User, Order).query(user_id="1")`` has ``.users`` and ``.orders``, and iterates over all of
        them in the order of the sort key. Items of other classes that stand among them are in ``.others``.

        Args:
            models: the classes.
            index: a generic index in which they stand together; None: the table.
            named: further classes, each under a name of its own instead of that of the class in the plural.

        Raises:
            UsageError: one is no class.
            ExpressionError: one is not in this table; two have one name; or the index is unknown.
        """
        from .collection import Collection, member_names

        if index is not None and index not in self.indexes:
            known = ", ".join(self.indexes) or "none"
            raise ExpressionError(f"{self.name} has no index {index!r}; its indexes: {known}")
        return Collection(self, member_names(self, models, named), index)

    def __repr__(self) -> str:
        return f"<SingleTable {self.name} of {', '.join(cls.__name__ for cls in self.classes()) or 'no class'}>"


def _check_count(name: str, what: str, count: int, most: int) -> None:
    if not 0 <= count <= most:
        raise SchemaError(f"SingleTable({name!r}): {what}={count}: a table has 0 to {most} of them")


def _named(name: str, index: Any) -> Any:
    if not isinstance(index, IndexDeclaration):
        return index
    return IndexDeclaration(
        is_global=index.is_global,
        partition_key=index.partition_key,
        sort_key=index.sort_key,
        projection=index.projection,
        name=index.name or name,
        read_units=index.read_units,
        write_units=index.write_units,
    )
