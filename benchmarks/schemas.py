"""The benchmark's item with a schema of marshmallow and of schematics, as far as these are installed."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import dynawire as dw
import sample
from dynawire import partition_key, sort_key

__all__ = ["schema_tables"]


def schema_tables(db: dw.Database) -> list[tuple[str, dw.Table[Any], Any]]:
    """Name, table and class of addresses of each variant."""
    found = []
    for make in (_marshmallow, _schematics):
        try:
            found += make(db)
        except ImportError as error:
            print(f"left out: {error.name} is not installed")
    return found


def _marshmallow(db: dw.Database) -> list[tuple[str, dw.Table[Any], Any]]:
    from marshmallow import Schema, fields

    from dynawire.marshmallow import MarshmallowModel, Set

    class AddressSchema(Schema):
        street = fields.Str(required=True)
        city = fields.Str(required=True)
        zip = fields.Str(required=True)
        geo = fields.List(fields.Float(), required=True)

    class UserSchema(Schema):
        pk = fields.Str(required=True)
        sk = fields.Str(required=True)
        name = fields.Str(required=True)
        email = fields.Str(required=True)
        age = fields.Int(required=True)
        balance = fields.Float(required=True)
        active = fields.Bool(required=True)
        tags = Set(fields.Str(), required=True)
        created_at = fields.Str(required=True)
        address = fields.Nested(AddressSchema, required=True)
        scores = fields.List(fields.Int(), required=True)

    class Trusting(MarshmallowModel, table=sample.TABLE, schema=UserSchema, load="trust"):
        pk = partition_key()
        sk = sort_key()

    class Validating(Trusting, table=sample.TABLE, load="validate"):
        pass

    release = version("marshmallow")
    return [
        (f"marshmallow {release}, 'trust'", db.table(Trusting), dict),
        (f"marshmallow {release}, 'validate'", db.table(Validating), dict),
    ]


def _schematics(db: dw.Database) -> list[tuple[str, dw.Table[Any], Any]]:
    from schematics import Model, types

    from dynawire.schematics import SchematicsModel, SetType

    class Address(Model):  # type: ignore[misc,unused-ignore]
        street = types.StringType(required=True)
        city = types.StringType(required=True)
        zip = types.StringType(required=True)
        geo = types.ListType(types.FloatType, required=True)

    class UserSchema(Model):  # type: ignore[misc,unused-ignore]
        pk = types.StringType(required=True)
        sk = types.StringType(required=True)
        name = types.StringType(required=True)
        email = types.StringType(required=True)
        age = types.IntType(required=True)
        balance = types.FloatType(required=True)
        active = types.BooleanType(required=True)
        tags = SetType(types.StringType, required=True)
        created_at = types.StringType(required=True)
        address = types.ModelType(Address, required=True)
        scores = types.ListType(types.IntType, required=True)

    class Trusting(SchematicsModel, table=sample.TABLE, schema=UserSchema, load="trust"):
        pk = partition_key()
        sk = sort_key()

    class Validating(Trusting, table=sample.TABLE, load="validate"):
        pass

    return [
        ("schematics, load='trust'", db.table(Trusting), dict),
        ("schematics, load='validate'", db.table(Validating), dict),
    ]
