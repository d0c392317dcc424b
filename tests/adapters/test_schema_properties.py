"""Whatever an instance holds: it is refused, or what is stored can be read again and is stored the same once more."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate

import dynawire as dw
from dynawire import Attr, partition_key
from dynawire.marshmallow import MarshmallowModel, Set
from tests.support.schematics_here import WITHOUT_SCHEMATICS


class PartSchema(Schema):
    name = fields.Str(required=True, validate=validate.Length(min=1))
    day = fields.Date(allow_none=True)
    parts = fields.List(fields.Nested(lambda: PartSchema(exclude=())))


class Marshmallow(MarshmallowModel, table="things"):
    class Schema:
        id = fields.Str(required=True)
        text = fields.Str(allow_none=True, load_default="x")
        whole = fields.Int(validate=validate.Range(min=-5))
        real = fields.Float(load_default=1.5)
        price = fields.Decimal(places=2)
        yes = fields.Bool()
        day = fields.Date(load_default=None)
        at = fields.AwareDateTime(default_timezone=UTC)
        span = fields.TimeDelta()
        words = Set(fields.Str())
        numbers = fields.List(fields.Int())
        counts = fields.Dict(keys=fields.Str(validate=validate.Length(min=1)), values=fields.Int(allow_none=True))
        raw = fields.Raw(allow_none=True)
        part = fields.Nested(PartSchema)

    id: Attr[str] = partition_key()


CLASSES: list[Any] = [Marshmallow]

if WITHOUT_SCHEMATICS is None:
    from schematics import types

    from dynawire.schematics import SchematicsModel, SetType

    class Schematics(SchematicsModel, table="things"):
        class Schema:
            id = types.StringType(required=True)
            text = types.StringType(default="x")
            whole = types.IntType(min_value=-5)
            real = types.FloatType(default=1.5)
            price = types.DecimalType()
            yes = types.BooleanType()
            day = types.DateType()
            at = types.UTCDateTimeType()
            span = types.TimedeltaType()
            words = SetType(types.StringType)
            numbers = types.ListType(types.IntType)
            counts = types.DictType(types.IntType)
            raw = types.BaseType()
            part = types.DictType(types.StringType)

        id: Attr[str] = partition_key()

    CLASSES.append(Schematics)

texts = st.text(st.characters(codec="utf-8"), max_size=5)
whole = st.integers(-9, 10**40)
days = st.dates(date(1900, 1, 1))
scalars = st.one_of(
    st.none(),
    texts,
    whole,
    st.floats(),
    st.booleans(),
    days,
    st.decimals(allow_nan=False, places=3),
    st.datetimes(datetime(1980, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the time zone
    st.timedeltas(timedelta(0), timedelta(days=999)),
)
anything = st.recursive(
    scalars,
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(texts, inside, max_size=3), st.sets(texts)),
    max_leaves=5,
)
parts = st.recursive(
    st.fixed_dictionaries({}, optional={"name": texts, "day": st.one_of(days, st.none())}),
    lambda inside: st.fixed_dictionaries({"name": texts}, optional={"parts": st.lists(inside, max_size=2)}),
    max_leaves=4,
)
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "text": texts,
    "whole": whole,
    "real": st.floats(-1e9, 1e9),
    "price": st.decimals(-999, 999, places=3),
    "yes": st.booleans(),
    "day": days,
    "at": st.datetimes(datetime(1980, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - hypothesis adds the time zone
    "span": st.timedeltas(timedelta(0), timedelta(days=999)),
    "words": st.sets(texts, max_size=3),
    "numbers": st.lists(st.integers(-99, 99), max_size=3),
    "counts": st.dictionaries(texts, st.one_of(st.integers(0, 9), st.none()), max_size=3),
    "raw": anything,
    "part": st.one_of(parts, st.dictionaries(texts, texts, max_size=2)),
}
values = st.fixed_dictionaries({}, optional={name: st.one_of(one, one, anything) for name, one in FITTING.items()})


@pytest.mark.parametrize("cls", CLASSES)
@given(values=values)
def test_what_is_stored_can_be_read(cls: Any, values: dict[str, Any]) -> None:
    one = cls(id="1")
    for name, value in values.items():
        setattr(one, name, value)
    try:
        item = one.to_item()
    except dw.ValidationError:
        return
    found = cls.from_item(json.loads(json.dumps(item, default=list)))
    assert shown(found.to_item()) == shown(item)


def shown(item: dict[str, Any]) -> Any:
    """The item with its numbers as the numbers they are."""
    return json.loads(json.dumps(item, sort_keys=True), object_hook=_numbers)


def _numbers(members: dict[str, Any]) -> Any:
    if members.keys() == {"N"}:
        return Decimal(members["N"])
    if members.keys() in ({"SS"}, {"NS"}):
        return sorted(next(iter(members.values())))
    return members
