"""Migrations as type checkers see them."""

from __future__ import annotations

from typing import Any, assert_type

import dynawire as dw
from dynawire import Attr, partition_key


class BookMigrations(dw.Migrations):
    def check_1(self, item: dict[str, Any]) -> bool:
        return "title" in item


class FilmMigrations(dw.Migrations, version="schema"):
    def migrate_to_2(self, item: dict[str, Any]) -> dict[str, Any]:
        return item


class Book(dw.Model, table="books", migrations=BookMigrations):
    isbn: Attr[str] = partition_key()


async def run() -> None:
    assert_type(Book.get("1"), Book | None)
    result = Book.migrate_all(segments=2, checkpoint="x.json", progress=lambda so_far: print(so_far.migrated))
    assert_type(result, dw.MigrationResult)
    assert_type(await Book.amigrate_all(resume={}), dw.MigrationResult)
    assert_type(result.failures, list[dw.MigrationFailure])
