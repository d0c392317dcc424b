"""The book of the behavioural tests, with a schema of schematics."""

from __future__ import annotations

from typing import Any

import schematics
from schematics import types

import dynawire as dw
from dynawire import Attr, GlobalIndex, partition_key, sort_key
from dynawire.schematics import SchematicsModel, SetType
from tests.adapters.libraries import Library


class SchematicsAddress(schematics.Model):
    city = types.StringType(required=True)
    zip = types.StringType(default="")


class SchematicsSchema(schematics.Model):
    shelf = types.StringType(required=True)
    number = types.IntType(required=True)
    title = types.StringType(required=True, serialized_name="t")
    author = types.StringType(required=True)
    pages = types.IntType(default=0)
    tags = SetType(types.StringType)
    note = types.StringType()
    address = types.ModelType(SchematicsAddress)


class SchematicsBook(SchematicsModel, table="books", schema=SchematicsSchema):
    shelf = partition_key()
    number = sort_key()

    by_author = GlobalIndex("author", "title")


class Schematics(Library):
    wrong: Any = ()  # a number is text enough for schematics
    knows_new = True
    cls = SchematicsBook

    @staticmethod
    def address(city: str) -> SchematicsAddress:
        return SchematicsAddress({"city": city})

    def placed(self, db: dw.Database) -> dw.Table[Any]:
        return db.table(self.cls)


class TrustingSchematicsBook(SchematicsModel, table="books", schema=SchematicsSchema, load="trust"):
    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()

    by_author = GlobalIndex("author", "title")


class TrustingSchematics(Schematics):
    cls = TrustingSchematicsBook
