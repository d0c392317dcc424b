"""PynamoDB: models on botocore."""

from __future__ import annotations

from typing import Any

import sample

IMPORT = "from pynamodb.models import Model; from pynamodb.attributes import UnicodeAttribute"


def start(url: str) -> None:
    global User, _new
    from pynamodb import attributes
    from pynamodb.models import Model

    class Address(attributes.MapAttribute[str, Any]):
        street = attributes.UnicodeAttribute()
        city = attributes.UnicodeAttribute()
        zip = attributes.UnicodeAttribute()
        geo = attributes.ListAttribute(of=attributes.NumberAttribute)

    class User(Model):
        class Meta:
            table_name = sample.TABLE
            host = url
            region = sample.REGION
            aws_access_key_id = sample.ACCESS_KEY
            aws_secret_access_key = sample.SECRET_KEY

        pk = attributes.UnicodeAttribute(hash_key=True)
        sk = attributes.UnicodeAttribute(range_key=True)
        name = attributes.UnicodeAttribute()
        email = attributes.UnicodeAttribute()
        age = attributes.NumberAttribute()
        balance = attributes.NumberAttribute()
        active = attributes.BooleanAttribute()
        tags = attributes.UnicodeSetAttribute()
        created_at = attributes.UnicodeAttribute()
        address = Address()
        scores = attributes.ListAttribute(of=attributes.NumberAttribute)

    _new = User(**(sample.item() | {"address": Address(**sample.item()["address"])}))


def get() -> Any:
    return User.get("user#1", "order#000001")


def put() -> None:
    _new.save()


def query() -> list[Any]:
    return list(User.query("user#1"))


def plain(item: Any) -> Any:
    values = {name: getattr(item, name) for name in sample.item()}
    values["address"] = {name: getattr(item.address, name) for name in sample.item()["address"]}
    return sample.plain(values)
