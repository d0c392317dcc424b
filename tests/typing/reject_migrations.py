"""Migrations as they must not be written."""

from __future__ import annotations

import dynawire as dw
from dynawire import Attr, partition_key


class Book(dw.Model, table="books", migrations="BookMigrations"):  # error
    isbn: Attr[str] = partition_key()


class FilmMigrations(dw.Migrations, version=2):  # error
    pass


Book.migrate_all(segments="2")  # error
Book.migrate_all(checkpoint=5)  # error
