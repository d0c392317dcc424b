"""The tables of one database whose classes are not ours."""

from __future__ import annotations

from _thread import RLock
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .errors import SchemaError, UsageError
from .mapping.adapters.external import ExternalDeclaration
from .mapping.indexes import IndexDeclaration
from .mapping.layout import TableLayout
from .operations.external import map_external
from .operations.target import Target
from .table import Table

if TYPE_CHECKING:
    from .database import Database

__all__ = ["ExternalTables"]

T = TypeVar("T")


class ExternalTables:
    """What ``db.table(cls, name=...)`` declared: by class and table name. A class may have several tables."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._declared: dict[type[Any], dict[str, tuple[ExternalDeclaration, Table[Any]]]] = {}
        self._declaring = RLock()

    def table(
        self,
        model: type[T],
        name: str | None,
        partition_key: str | None,
        sort_key: str | None,
        indexes: Mapping[str, IndexDeclaration] | None,
        attributes: Mapping[str, Any] | None,
        options: Mapping[str, Any],
    ) -> Table[T]:
        """The table of a class under a name; see :meth:`Database.table`."""
        if isinstance(model, str):
            raise UsageError(
                'db.table() takes a class, not text: write db.table(Note, name="...", partition_key="...") with the '
                "class itself; the text that names the table is name="
            )
        shown = getattr(model, "__name__", type(model).__name__)
        if hasattr(model, "__mapped__"):
            raise SchemaError(f"{shown} says itself which table it has; write db.table({shown})", model=shown)
        if isinstance(name, TableLayout):
            raise SchemaError(
                f"{shown} can't be placed in the single table {name.name}: that takes Models, "
                "PydanticModels, MarshmallowModels and SchematicsModels, whose class statements say the templates of "
                "their keys",
                model=shown,
            )
        if name is None or partition_key is None:
            missing = "name" if name is None else "partition_key"
            raise SchemaError(
                f'{shown} needs {missing}=; write db.table({shown}, name="...", partition_key="...")', model=shown
            )
        declaration = ExternalDeclaration(
            name=name,
            partition_key=partition_key,
            sort_key=sort_key,
            indexes=dict(indexes or {}),
            attributes=dict(attributes or {}),
            options=dict(options),
        )
        with self._declaring:
            known = self._declared.get(model, {})
            found = known.get(name)
            if found is None:
                target = Target(map_external(model, declaration), self._database.table_prefix + name)
                table: Table[T] = Table(self._database, target)
                self._declared.setdefault(model, {})[name] = declaration, table
                self._make_known(model, table)
                return table
        if not _same(found[0], declaration):
            raise SchemaError(
                f"{shown} is mapped to the table {name} already, and not in the same way; keep the table that "
                "db.table(...) gave, or write the same again",
                model=shown,
            )
        return found[1]

    def _make_known(self, model: type[Any], table: Table[Any]) -> None:
        # Which of several tables an instance of the class belongs to must be said.
        if len(self._declared[model]) == 1:
            self._database._tables[model] = table
        else:
            self._database._tables.pop(model, None)

    def refuse_ambiguous(self, model: type[Any]) -> None:
        """Refuse a class that alone does not tell its table.

        Raises:
            SchemaError: it has several.
        """
        known = self._declared.get(model)
        if known:
            name = model.__name__
            raise SchemaError(
                f"{name} has several tables ({', '.join(known)}); use the one that db.table({name}, name=...) gave",
                model=name,
            )


def _same(one: ExternalDeclaration, other: ExternalDeclaration) -> bool:
    """Whether two declarations say the same; indexes are told by what they declare."""
    plain, others = (msgspec.structs.replace(each, indexes={}) for each in (one, other))
    return plain == others and _shown(one) == _shown(other)


def _shown(declaration: ExternalDeclaration) -> dict[str, dict[str, Any]]:
    return {name: vars(index) for name, index in declaration.indexes.items()}
