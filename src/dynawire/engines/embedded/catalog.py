"""The table definitions of a database: read when needed, kept ready for use, changed in transactions."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from dynawire.engines.embedded.definitions import TableDefinition
from dynawire.engines.embedded.failures import validation
from dynawire.engines.embedded.storage import Execute, Storage
from dynawire.engines.embedded.tables import Table

__all__ = ["Catalog"]

_is_table_name = re.compile(r"[a-zA-Z0-9_.-]{3,255}").fullmatch
_ALL: Final = "SELECT name, definition FROM tables"
_VERSION: Final = "SELECT value FROM meta WHERE name = 'catalog'"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(TableDefinition).decode


class Catalog:
    """The tables of one storage.

    Attributes:
        tables: those known, by name. Another process may have made or changed some since.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.tables: dict[str, Table] = {}
        self.load()

    def load(self) -> None:
        """Read all definitions again and retire what has changed."""
        # One after the other, so that what is kept last is what was read last.
        with self._storage.catalog_lock:
            with self._storage.snapshot() as execute:
                version: int = execute(_VERSION).fetchone()[0]
                rows = execute(_ALL).fetchall()
            tables = {}
            for name, stored in rows:
                known = self.tables.get(name)
                if known is None or known.retired or known.stored != stored:
                    known = Table(_decode(stored), stored)
                tables[name] = known
            for name, table in self.tables.items():
                if tables.get(name) is not table:
                    table.retired = True
            self.tables = tables
            self._storage.catalog_version = version

    def is_current(self) -> bool:
        """Whether no definition was changed since they were read."""
        row = self._storage.fetch_one(_VERSION, ())
        return row is not None and row[0] == self._storage.catalog_version

    def find(self, name: str) -> Table | None:
        """The table of a name or ARN that was not among those known; None when there is none.

        Raises:
            ServiceError: ``ValidationException`` for what cannot be a table's name.
        """
        name = self.table_name(name)
        table = self.tables.get(name)
        if table is None and self._storage.path is not None:
            self.load()
            table = self.tables.get(name)
        return table

    @staticmethod
    def table_name(name: str) -> str:
        """The name in a table's name or ARN.

        Raises:
            ServiceError: ``ValidationException`` when it is neither.
        """
        if name.startswith("arn:"):
            name = name.partition(":table/")[2]
        if _is_table_name(name) is None:
            raise validation(
                "Invalid table/index name.  Table/index names must be between 3 and 255 characters long, "
                "and may contain only the characters a-z, A-Z, 0-9, '_', '-', and '.'"
            )
        return name

    @staticmethod
    def next_number(execute: Execute) -> int:
        """A number no table or index of this database ever had. In a transaction."""
        number: int = execute("SELECT value FROM meta WHERE name = 'next'").fetchone()[0]
        execute("UPDATE meta SET value = ? WHERE name = 'next'", (number + 1,))
        return number

    @staticmethod
    def save(execute: Execute, definition: TableDefinition, old: Table | None = None) -> None:
        """Keep a new definition, or one in place of an old one. Last in a transaction; then :meth:`load`."""
        execute(
            "INSERT INTO tables VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition",
            (definition.TableName, _encode(definition)),
        )
        _count_change(execute)
        if old is not None:
            # Before others may write again: they may still have the old table in hand.
            old.retired = True

    @staticmethod
    def remove(execute: Execute, table: Table) -> None:
        """Forget a table. Last in a transaction; then :meth:`load`."""
        execute("DELETE FROM tables WHERE name = ?", (table.name,))
        _count_change(execute)
        table.retired = True

    @staticmethod
    def copy(table: Table) -> TableDefinition:
        """A definition to change and save, without touching the one in use."""
        return _decode(_encode(table.definition))


def _count_change(execute: Execute) -> None:
    execute("UPDATE meta SET value = value + 1 WHERE name = 'catalog'")
