"""Classes with a marshmallow Schema: whole items go through the schema, single values through its fields."""

from __future__ import annotations

import copy
import dataclasses
import enum
import json
import pickle
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from typing import Any
from uuid import UUID, uuid4

import marshmallow
import pytest
from marshmallow import EXCLUDE, INCLUDE, Schema, fields, post_dump, post_load, pre_dump, pre_load, validate, validates
from marshmallow import ValidationError as MarshmallowError

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    ToMany,
    ToOne,
    attr,
    created_at,
    discriminator,
    hooks,
    joined,
    many_to_one,
    one_to_many,
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)
from dynawire.marshmallow import MarshmallowModel, Set


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Point:
    x: int
    y: int


class PointField(fields.Field):  # type: ignore[misc,type-arg,unused-ignore]
    """``Point(1, 2)`` is the text ``1,2``."""

    default_error_messages = {"point": "Not a point."}  # noqa: RUF012

    def _serialize(self, value: Any, attr: Any, obj: Any, **_: Any) -> str | None:
        return None if value is None else f"{value.x},{value.y}"

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Point:
        try:
            x, y = value.split(",")
            return Point(int(x), int(y))
        except (AttributeError, ValueError):
            raise self.make_error("point") from None


class Shouted(fields.Field):  # type: ignore[misc,type-arg,unused-ignore]
    """It does not say what it dumps."""

    def _serialize(self, value, attr, obj, **_):  # type: ignore[no-untyped-def]
        return None if value is None else value.upper()

    def _deserialize(self, value, attr, data, **_):  # type: ignore[no-untyped-def]
        return value.lower()


class GeoSchema(Schema):
    lat = fields.Float(required=True)
    secret = fields.Str(load_only=True)


class AddressSchema(Schema):
    city = fields.Str(required=True, data_key="town", validate=validate.Length(min=2))
    since = fields.Date()
    geo = fields.Nested(GeoSchema)


class NodeSchema(Schema):
    name = fields.Str(required=True)
    at = fields.Date()
    hidden = fields.Str(load_only=True)
    children = fields.List(fields.Nested(lambda: NodeSchema(exclude=())))


class EverythingSchema(Schema):
    id = fields.UUID(required=True)
    text = fields.Str()
    whole = fields.Int(strict=True)
    text_number = fields.Int(as_string=True)
    real = fields.Float()
    price = fields.Decimal(places=2)
    text_price = fields.Decimal(as_string=True)
    yes = fields.Bool()
    at = fields.DateTime()
    aware = fields.AwareDateTime(default_timezone=UTC)
    naive = fields.NaiveDateTime(format="%Y-%m-%d %H:%M")
    stamp = fields.DateTime(format="timestamp")
    day = fields.Date(format="%d.%m.%Y")
    clock = fields.Time()
    took = fields.TimeDelta(precision="seconds")
    url = fields.Url()
    mail = fields.Email()
    ip = fields.IPv4()
    color = fields.Enum(Color)
    color_value = fields.Enum(Color, by_value=True)
    level = fields.Enum(Level, by_value=fields.Int)
    level_value = fields.Enum(Level, by_value=True)
    raw = fields.Raw()
    point = PointField()
    shouted = Shouted()
    days = fields.List(fields.Date())
    pair = fields.Tuple((fields.Str(), fields.Int()))
    counts = fields.Dict(keys=fields.Str(), values=fields.Int())
    loose = fields.Dict()
    words = Set(fields.Str())
    numbers = Set(fields.Int())
    address = fields.Nested(AddressSchema)
    addresses = fields.List(fields.Nested(AddressSchema))
    many = fields.Nested(AddressSchema, many=True)
    city = fields.Pluck(AddressSchema, "city")
    node = fields.Nested(NodeSchema)
    password = fields.Str(load_only=True)
    seen = fields.Int(dump_only=True)
    label = fields.Method("make_label")
    twice = fields.Function(lambda one: 2 * (one.whole or 0))

    def make_label(self, one: Any) -> str:
        return f"<{one.text}>"


class Everything(MarshmallowModel, table="everything", schema=EverythingSchema):
    id: Attr[UUID] = partition_key()


VALUES: dict[str, tuple[Any, Any]] = {
    "text": ("x", {"S": "x"}),
    "whole": (3, {"N": "3"}),
    "text_number": (3, {"S": "3"}),
    "real": (1.5, {"N": "1.5"}),
    "price": (Decimal("1.50"), {"N": "1.50"}),
    "text_price": (Decimal("1.5"), {"S": "1.5"}),
    "yes": (True, {"BOOL": True}),
    "at": (datetime(2026, 1, 2, 3, tzinfo=UTC), {"S": "2026-01-02T03:00:00+00:00"}),
    "aware": (datetime(2026, 1, 2, 3, tzinfo=UTC), {"S": "2026-01-02T03:00:00+00:00"}),
    "naive": (datetime(2026, 1, 2, 3, 4), {"S": "2026-01-02 03:04"}),  # noqa: DTZ001
    "stamp": (datetime(2026, 1, 2), {"N": "1767312000.0"}),  # noqa: DTZ001
    "day": (date(2026, 1, 2), {"S": "02.01.2026"}),
    "clock": (time(3, 4), {"S": "03:04:00"}),
    "url": ("https://a.org", {"S": "https://a.org"}),
    "mail": ("a@b.org", {"S": "a@b.org"}),
    "ip": (IPv4Address("1.2.3.4"), {"S": "1.2.3.4"}),
    "color": (Color.RED, {"S": "RED"}),
    "color_value": (Color.BLUE, {"S": "b"}),
    "level": (Level.HIGH, {"N": "2"}),
    "level_value": (Level.LOW, {"N": "1"}),
    "raw": ({"a": [1, "b"]}, {"M": {"a": {"L": [{"N": "1"}, {"S": "b"}]}}}),
    "point": (Point(1, 2), {"S": "1,2"}),
    "shouted": ("ab", {"S": "AB"}),
    "days": ([date(2026, 1, 2)], {"L": [{"S": "2026-01-02"}]}),
    "pair": (("a", 1), {"L": [{"S": "a"}, {"N": "1"}]}),
    "counts": ({"a": 1}, {"M": {"a": {"N": "1"}}}),
    "loose": ({"a": "b"}, {"M": {"a": {"S": "b"}}}),
    "words": ({"a"}, {"SS": ["a"]}),
    "numbers": ({7}, {"NS": ["7"]}),
    "address": (
        {"city": "Bonn", "since": date(2026, 1, 2), "geo": {"lat": 1.5, "secret": "x"}},
        {
            "M": {
                "town": {"S": "Bonn"},
                "since": {"S": "2026-01-02"},
                "geo": {"M": {"lat": {"N": "1.5"}, "secret": {"S": "x"}}},
            }
        },
    ),
    "addresses": ([{"city": "Bonn"}], {"L": [{"M": {"town": {"S": "Bonn"}}}]}),
    "many": ([{"city": "Bonn"}], {"L": [{"M": {"town": {"S": "Bonn"}}}]}),
    "city": ({"city": "Bonn"}, {"S": "Bonn"}),
    "node": (
        {"name": "a", "hidden": "x", "children": [{"name": "b", "hidden": "y", "at": date(2026, 1, 2)}]},
        {
            "M": {
                "name": {"S": "a"},
                "hidden": {"S": "x"},
                "children": {
                    "L": [{"M": {"name": {"S": "b"}, "hidden": {"S": "y"}, "at": {"S": "2026-01-02"}}}],
                },
            }
        },
    ),
    "password": ("pw", {"S": "pw"}),
    "seen": (4, {"N": "4"}),
}


@pytest.fixture
def everything(db: dw.Database) -> dw.Table[Everything]:
    db.create_tables(Everything)
    return db.table(Everything)


@pytest.mark.parametrize("name", VALUES)
def test_what_a_field_is_stored_as(everything: dw.Table[Everything], name: str) -> None:
    value, wire = VALUES[name]
    one = Everything(id=str(uuid4()))
    setattr(one, name, value)
    one.insert()
    assert one.to_item()[name] == wire
    for load in ("validate", "trust"):
        cls = type(MarshmallowModel)("Again", (Everything,), {}, table="everything", load=load)
        found = cls.get_one(one.id)
        assert getattr(found, name) == value
        assert type(getattr(found, name)) is type(value)
        assert found.save() is False
    # A single value goes through its field, in updates and in conditions.
    path = getattr(Everything, name)
    everything.update(everything.key(one.id), path.set(value))
    assert Everything.get_one(one.id).to_item()[name] == wire
    assert everything.scan(path == value).count() == 1
    assert everything.scan(path.exists()).project(path).all() == [(value,)]


def test_a_time_span_is_a_number_of_its_unit(everything: dw.Table[Everything]) -> None:
    one = Everything(id=uuid4(), took=timedelta(minutes=2))
    one.insert()
    assert float(one.to_item()["took"]["N"]) == 120
    assert Everything.get_one(one.id).took == timedelta(minutes=2)


def test_the_constructor_loads_raw_and_values_alike() -> None:
    key = uuid4()
    raw = Everything(
        id=str(key),
        day="02.01.2026",
        price="1.5",
        point="1,2",
        color="RED",
        days=["2026-01-02"],
        words=["a", "a"],
        address={"town": "Bonn", "since": "2026-01-02"},
    )
    same = Everything(
        id=key,
        day=date(2026, 1, 2),
        price=Decimal("1.50"),
        point=Point(1, 2),
        color=Color.RED,
        days=[date(2026, 1, 2)],
        words={"a"},
        address={"city": "Bonn", "since": date(2026, 1, 2)},
    )
    assert raw == same
    assert raw.to_item() == same.to_item()


def test_what_is_computed_is_not_stored(everything: dw.Table[Everything]) -> None:
    one = Everything(id=uuid4(), text="x", whole=2, password="pw")
    assert not {"label", "twice"} & one.to_item().keys()
    outside = EverythingSchema().dump(one)
    assert (outside["label"], outside["twice"]) == ("<x>", 4)
    assert "password" not in outside


def test_values_that_are_not_those_of_the_field_are_loaded_when_written(everything: dw.Table[Everything]) -> None:
    one = Everything(id=uuid4())
    one.day, one.whole = "03.01.2026", 4
    one.address = {"town": "Bonn"}
    one.insert()
    found = Everything.get_one(one.id)
    assert (found.day, found.address) == (date(2026, 1, 3), {"city": "Bonn"})
    assert everything.scan(Everything.day == "03.01.2026").count() == 1
    assert Everything.get(str(one.id)) == found


@pytest.mark.parametrize(
    ("name", "value", "path", "said"),
    [
        ("text", 5, "text", "Not a valid string."),
        ("whole", "3", "whole", "Not a valid integer."),
        ("whole", True, "whole", "Not a valid integer."),
        ("day", "2026", "day", "Not a valid date."),
        ("day", 2026, "day", "Not a valid date."),
        ("days", [date(2026, 1, 1), "x"], "days[1]", "Not a valid date."),
        ("days", "x", "days", "Not a valid list."),
        ("color", "GREEN", "color", "Must be one of: RED, BLUE."),
        ("counts", {"a": "x"}, "counts['a']", "Not a valid integer."),
        ("address", {"city": "B"}, "address.city", "Shorter than minimum length 2."),
        ("address", {}, "address.city", "Missing data for required field."),
        ("address", {"city": "Bonn", "citty": "x"}, "address.citty", "Unknown field."),
        ("address", {"city": "Bonn", "geo": {"lat": "x"}}, "address.geo.lat", "Not a valid number."),
        ("addresses", [{"city": "Bonn"}, {"city": 5}], "addresses[1].city", "Not a valid string."),
        ("point", "1", "point", "Not a point."),
        ("url", "x", "url", "Not a valid URL."),
        ("id", None, "id", "Field may not be null."),
        ("text", None, "", ""),
    ],
)
def test_what_marshmallow_says_arrives_unchanged(name: str, value: Any, path: str, said: str) -> None:
    def refusal(write: Any) -> list[tuple[str, str]]:
        with pytest.raises(dw.ValidationError) as caught:
            write()
        assert "2026" not in str(caught.value)
        assert (caught.value.attribute, caught.value.model) == (path, "Everything")
        return [(where, str(reason)) for where, reason in pickle.loads(pickle.dumps(caught.value)).errors]

    one = Everything(id=uuid4())
    setattr(one, name, value)
    if not said:
        one.validate()
        return
    if name == "point":
        one.point = Point(1, "x")  # type: ignore[arg-type]
    assert refusal(one.validate) == [(path, said)]
    if value is not None:
        assert refusal(lambda: Everything(id=uuid4(), **{name: value})) == [(path, said)]
        assert refusal(lambda: getattr(Everything, name).set(value)) == [(path, said)]


def test_an_object_that_is_no_such_map() -> None:
    one = Everything(id=uuid4())
    one.address = date(2026, 1, 2)
    with pytest.raises(dw.ValidationError) as caught:
        one.validate()
    assert caught.value.errors == (("address.city", "Missing data for required field."),)


def test_every_failure_is_told() -> None:
    with pytest.raises(dw.ValidationError) as caught:
        Everything(whole="x", text=5, txt="y")
    assert sorted(caught.value.errors) == [
        ("id", "Missing data for required field."),
        ("text", "Not a valid string."),
        ("txt", "Unknown field."),
        ("whole", "Not a valid integer."),
    ]


def test_a_field_given_under_both_its_names() -> None:
    class Twice(MarshmallowModel, schema=AddressSchema):
        pass

    with pytest.raises(dw.ValidationError, match="city: is given twice, also as town"):
        Twice(city="Bonn", town="Ulm")


def test_messages_with_values_are_told_without_them() -> None:
    class Echoing(MarshmallowModel, table="echoing"):
        class Schema:
            id = fields.Str(required=True, validate=validate.Equal("a", error="{input} is not {other}"))

        id: Attr[str] = partition_key()

    with pytest.raises(dw.ValidationError) as caught:
        Echoing(id="hush")
    assert caught.value.errors == (("id", "hush is not a"),)
    assert str(caught.value) == "id: ... is not a"
    with pytest.raises(dw.ValidationError) as caught:
        Echoing.id.set("hush")
    assert "hush" not in str(caught.value)
    echoing = Echoing(id="a")
    echoing.id = "hush"
    with pytest.raises(dw.ValidationError) as caught:
        echoing.validate()
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


# ---------------------------------------------------------------------- absent, None and defaults


class Absent(MarshmallowModel, table="absent"):
    class Schema:
        id = fields.Str(required=True)
        plain = fields.Str()
        default = fields.Int(load_default=3)
        fresh = fields.List(fields.Int(), load_default=list)
        nullable = fields.Int(load_default=3, allow_none=True)
        needed = fields.Int(required=True, allow_none=True)
        dumped = fields.Str(dump_default="d")
        kept = fields.Str(allow_none=True)

    id: Attr[str] = partition_key()
    kept: Attr[str | None] = attr(store_none=True)


@pytest.fixture
def absent(db: dw.Database) -> dw.Table[Absent]:
    db.create_tables(Absent)
    return db.table(Absent)


def test_what_is_not_there(absent: dw.Table[Absent]) -> None:
    one = Absent(id="1", needed=None)
    assert (one.plain, one.default, one.fresh, one.nullable, one.dumped) == (None, 3, [], 3, None)
    one.insert()
    item = one.to_item()
    assert "plain" not in item
    assert (item["needed"], item["dumped"], item["kept"]) == ({"NULL": True}, {"S": "d"}, {"NULL": True})
    found = Absent.get_one("1")
    assert (found.plain, found.needed, found.dumped, found.kept) == (None, None, "d", None)
    assert found.save() is False
    found.nullable = None
    assert found.save()
    assert Absent.get_one("1").nullable is None
    found.default = None
    with pytest.raises(dw.ValidationError, match="default: Field may not be null"):
        found.save()


def test_an_item_stored_without_what_has_a_default(absent: dw.Table[Absent], db: dw.Database) -> None:
    item = {"id": {"S": "1"}, "needed": {"N": "1"}, "plain": {"NULL": True}, "foreign": {"S": "stays"}}
    db.engine.send("PutItem", json.dumps({"TableName": "absent", "Item": item}).encode())
    found = Absent.get_one("1")
    assert (found.plain, found.default, found.fresh, found.nullable) == (None, 3, [], 3)
    assert found.fresh is not Absent.get_one("1").fresh
    # What reads the same is not written; what dump_default adds is.
    assert found.params.save()["UpdateExpression"].startswith("SET ")
    found.default = 4
    found.save()
    assert json.loads(db.engine.send("GetItem", b'{"TableName": "absent", "Key": {"id": {"S": "1"}}}'))["Item"][
        "foreign"
    ] == {"S": "stays"}


def test_an_empty_set_is_an_absent_attribute(db: dw.Database) -> None:
    class Tagged(MarshmallowModel, table="tagged"):
        class Schema:
            id = fields.Str(required=True)
            tags = Set(fields.Str())
            others = Set(fields.Str(), required=True)
            inner = fields.Nested({"tags": Set(fields.Str())})

        id: Attr[str] = partition_key()

    db.create_tables(Tagged)
    one = Tagged(id="1", others=["a"], inner={"tags": []})
    one.insert()
    assert one.to_item() == {"id": {"S": "1"}, "others": {"SS": ["a"]}, "inner": {"M": {}}}
    assert (Tagged.get_one("1").tags, Tagged.get_one("1").inner) == (set(), {"tags": set()})
    Tagged.key("1").update(Tagged.tags.add({"b", "c"}), Tagged.others.delete({"x"}))
    assert Tagged.get_one("1").tags == {"b", "c"}
    one.others = set()
    with pytest.raises(dw.ValidationError, match="others is an empty set"):
        one.validate()


# ---------------------------------------------------------------------- hooks and validators


class Hooked(MarshmallowModel, table="hooked"):
    log: list[str] = []  # noqa: RUF012

    class Schema(Schema):
        id = fields.Str(required=True)
        name = fields.Str(data_key="n")
        low = fields.Int()
        high = fields.Int()

        @pre_load
        def before(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
            Hooked.log.append("pre_load")
            return {**data, "n": data["n"].strip()} if "n" in data else data

        @post_load
        def after(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
            Hooked.log.append("post_load")
            return {**data, "name": data["name"].lower()} if "name" in data else data

        @pre_dump
        def before_dump(self, one: Any, **_: Any) -> Any:
            Hooked.log.append("pre_dump")
            return one

        @post_dump
        def after_dump(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
            Hooked.log.append("post_dump")
            if "n" in data:
                data["n"] = data["n"].upper()
            return data

        @validates("low")
        def not_thirteen(self, value: int, **_: Any) -> None:
            if value == 13:
                raise MarshmallowError("Unlucky.")

        @marshmallow.validates_schema
        def in_order(self, data: dict[str, Any], **_: Any) -> None:
            if data.get("low", 0) > data.get("high", 100):
                raise MarshmallowError("low is above high")

    id: Attr[str] = partition_key()


def test_hooks_run_when_whole_items_are_loaded_and_dumped(db: dw.Database) -> None:
    db.create_tables(Hooked)
    Hooked.log.clear()
    one = Hooked(id="1", name=" Ada ")
    assert (one.name, Hooked.log) == ("ada", ["pre_load", "post_load"])
    Hooked.log.clear()
    assert one.to_item()["n"] == {"S": "ADA"}
    assert Hooked.log == ["pre_dump", "post_dump", "pre_load"]
    one.insert()
    assert Hooked.get_one("1").name == "ada"
    assert Hooked.get_one("1").save() is False
    # A single value goes through its field alone.
    Hooked.log.clear()
    Hooked.key("1").update(name="EVA", low=3)
    assert "post_load" in Hooked.log  # of the item that came back
    assert Hooked.get_one("1").name == "eva"


def test_validators_of_schema_and_field(db: dw.Database) -> None:
    with pytest.raises(dw.ValidationError) as caught:
        Hooked(id="1", low=13)
    assert caught.value.errors == (("low", "Unlucky."),)
    with pytest.raises(dw.ValidationError) as caught:
        Hooked(id="1", low=3, high=2)
    assert caught.value.errors == (("", "low is above high"),)
    with pytest.raises(dw.ValidationError, match=r"Hooked\.low: Unlucky"):
        Hooked.low.set(13)
    assert (Hooked.low == 13) is not None  # a value to compare with need not be a valid one
    one = Hooked(id="1", low=3)
    one.high = 1
    with pytest.raises(dw.ValidationError, match=r"Hooked: low is above high$"):
        one.validate()


def test_hooks_that_go_wrong(db: dw.Database) -> None:
    class Wrong(MarshmallowModel, table="wrong"):
        class Schema(Schema):
            id = fields.Str(required=True)

            @pre_dump
            def before(self, one: Any, **_: Any) -> Any:
                return one.nowhere

        id: Attr[str] = partition_key()

    class Lost(MarshmallowModel, table="lost"):
        class Schema(Schema):
            id = fields.Str(required=True)

            @post_load
            def after(self, data: Any, **_: Any) -> Any:
                return 5

            @post_dump
            def after_dump(self, data: Any, **_: Any) -> Any:
                return [data]

        id: Attr[str] = partition_key()

    with pytest.raises(AttributeError, match="nowhere"):
        Wrong(id="1").to_item()
    with pytest.raises(dw.SchemaError, match="its post_load makes int"):
        Lost(id="1")
    with pytest.raises(dw.SchemaError, match="its hooks dump list"):
        object.__new__(Lost).to_item()


def test_what_post_dump_adds(db: dw.Database) -> None:
    def declared(unknown: Any) -> Any:
        class Linked(MarshmallowModel, table="linked"):
            class Schema(Schema):
                class Meta:
                    pass

                id = fields.Str(required=True)

                @post_dump
                def link(self, data: Any, **_: Any) -> Any:
                    return {**data, "link": "/1"}

            id: Attr[str] = partition_key()

        Linked.Schema.opts.unknown = unknown
        return Linked

    assert declared(EXCLUDE)(id="1").to_item() == {"id": {"S": "1"}}


def test_a_schema_that_makes_its_objects(db: dw.Database) -> None:
    class PersonSchema(Schema):
        id = fields.Str(required=True)
        name = fields.Str(load_default="x")

        @post_load
        def make(self, data: dict[str, Any], **_: Any) -> Any:
            return Person(**data)

    class Person(MarshmallowModel, table="people", schema=PersonSchema):
        id: Attr[str] = partition_key()

    @dataclasses.dataclass
    class Plain:
        id: str
        name: str

    class PlainSchema(PersonSchema):
        @post_load
        def make(self, data: dict[str, Any], **_: Any) -> Any:
            return Plain(**data)

    class Other(MarshmallowModel, table="people", schema=PlainSchema):
        id: Attr[str] = partition_key()

    db.create_tables(Person)
    Person(id="1", name="Ada").insert()
    person = Person.get_one("1")
    assert (type(person), person.name) == (Person, "Ada")
    assert person.save() is False
    assert type(PersonSchema().load({"id": "2"})) is Person
    assert Other.get_one("1").to_dict() == {"id": "1", "name": "Ada"}


def test_a_hook_may_read_others_of_its_class(db: dw.Database) -> None:
    class Person(MarshmallowModel, table="people"):
        class Schema(Schema):
            id = fields.Str(required=True)
            born = fields.Date()
            parent = fields.Str()

            @post_load
            def check(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
                if "parent" in data and Person.get_one(data["parent"]).born >= data["born"]:
                    raise MarshmallowError("is no child", "parent")
                return data

        id: Attr[str] = partition_key()

    db.create_tables(Person)
    Person(id="1", born="2000-01-02").insert()
    Person(id="2", born="2026-01-02", parent="1").insert()
    assert Person.get_one("2").born == date(2026, 1, 2)
    with pytest.raises(dw.ValidationError, match="parent: is no child"):
        Person(id="3", born="1999-01-02", parent="1")


# ---------------------------------------------------------------------- reading


def put_raw(db: dw.Database, **more: Any) -> UUID:
    key = uuid4()
    item = {"id": {"S": str(key)}, **more}
    db.engine.send("PutItem", json.dumps({"TableName": "everything", "Item": item}).encode())
    return key


def test_what_does_not_fit_is_told_with_its_key(everything: dw.Table[Everything], db: dw.Database) -> None:
    key = put_raw(db, url={"S": "hush"})
    with pytest.raises(dw.DecodeError, match=r"url: Not a valid URL\.") as caught:
        Everything.get(key)
    assert caught.value.key == {"id": {"S": str(key)}}
    assert "hush" not in str(caught.value)
    key = put_raw(db, day={"S": "hush"})
    with pytest.raises(dw.DecodeError, match=r"Not a valid date") as caught:
        Everything.get(key)
    key = put_raw(db, whole={"S": "many"})
    with pytest.raises(dw.DecodeError, match=r"Everything.whole: expected int") as caught:
        Everything.get(key)
    assert caught.value.path == "whole"
    misfits: list[dw.DecodeError] = []
    assert everything.scan().collect_misfits(misfits).all() == []
    assert len(misfits) == 3


def test_trusted_items_are_converted_and_not_validated(everything: dw.Table[Everything], db: dw.Database) -> None:
    class Trusting(MarshmallowModel, table="everything", load="trust", schema=EverythingSchema):
        id: Attr[UUID] = partition_key()

    key = put_raw(db, url={"S": "no url"}, day={"S": "02.01.2026"})
    found = Trusting.get_one(key)
    assert (found.url, found.day) == ("no url", date(2026, 1, 2))
    with pytest.raises(dw.DecodeError, match=r"day: expected .* \(Not a valid date"):
        Trusting.get(put_raw(db, day={"S": "2026"}))
    found.text = "x"
    for write in (found.save, found.put, found.validate):
        with pytest.raises(dw.ValidationError, match="url: Not a valid URL"):
            write()
    found.whole = "many"  # of another type
    with pytest.raises(dw.ValidationError, match="whole: Not a valid integer"):
        found.save()


# ---------------------------------------------------------------------- instances


def test_instances(everything: dw.Table[Everything]) -> None:
    one = Everything(id=uuid4(), text="x")
    assert one == Everything(id=one.id, text="x") != Everything(id=one.id)
    assert one != "x"
    assert repr(one).startswith("<Everything (id, text")
    assert "x" not in repr(one)[30:32]
    assert one.to_dict()["text"] == "x"
    with pytest.raises(TypeError):
        hash(one)
    with pytest.raises(AttributeError, match="no attribute 'tekst'; did you mean 'text'"):
        one.tekst = "y"
    with pytest.raises(AttributeError, match="tekst"):
        one.tekst  # noqa: B018
    with pytest.raises(AttributeError, match="tekst"):
        Everything.tekst  # noqa: B018
    one._note = "of my own"
    assert copy.copy(one)._note == "of my own"


def test_save_of_copies(everything: dw.Table[Everything]) -> None:
    one = Everything(id=uuid4(), text="x", address={"city": "Bonn"})
    assert "Item" in pickle.loads(pickle.dumps(one)).params.save()
    assert one.save() is True
    for twin in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert twin == one
        assert twin.save() is False
    deep = copy.deepcopy(one)
    deep.address["city"] = "Ulm"
    assert one.address == {"city": "Bonn"}
    assert "#n1" in deep.params.save()["UpdateExpression"]


def test_from_item() -> None:
    one = Everything(id=uuid4(), price="1.5", words={"a"})
    assert Everything.from_item(json.loads(json.dumps(one.to_item()))) == one


def test_paths(everything: dw.Table[Everything]) -> None:
    address = {"city": "Bonn", "since": date(2026, 1, 2), "geo": {"lat": 1.5}}
    one = Everything(id=uuid4(), address=address, days=[date(2026, 1, 2)], counts={"a": 1}, node={"name": "a"})
    one.insert()
    path = Everything.address
    assert everything.scan(path.city == "Bonn", path.since < date(2027, 1, 1), path.geo.lat.between(1, 2)).count() == 1
    assert everything.scan(Everything.days[0] == date(2026, 1, 2), Everything.counts["a"] > 0).count() == 1
    assert everything.scan(Everything.days.contains(date(2026, 1, 2))).count() == 1
    assert everything.scan(address__city="Bonn", whole__not_exists=True).count() == 1
    one.update(path.city.set("Ulm"), Everything.days.append(date(2026, 1, 3)), Everything.counts["b"].set(2))
    one.update(Everything.node.children.append({"name": "b"}), whole__add=2)
    assert (one.address["city"], one.days[1], one.counts["b"], one.whole) == ("Ulm", date(2026, 1, 3), 2, 2)
    assert everything.scan(Everything.node.children[0].name == "b").count() == 1
    for wrong in (
        lambda: path.city.set("U"),
        lambda: Everything.days.append("x"),
        lambda: Everything.counts["a"].set("x"),
        lambda: path.since == "x",
        lambda: Everything.whole.add(1.5),
    ):
        with pytest.raises(dw.ValidationError):
            wrong()
    with pytest.raises(dw.ExpressionError, match="did you mean 'city'"):
        path.citi  # noqa: B018
    assert pickle.loads(pickle.dumps(Everything.text)) is Everything.paths.text


# ---------------------------------------------------------------------- schemas that exist, and classes around them


def test_the_schema_of_others_stays_as_it_is(db: dw.Database) -> None:
    address = AddressSchema()
    outer = Schema.from_dict({"id": fields.Str(required=True), "address": fields.Nested(address)})(exclude=())

    class Made(MarshmallowModel, table="made", schema=outer):
        id: Attr[str] = partition_key()

    db.create_tables(Made)
    Made(id="1", address={"city": "Bonn", "geo": {"lat": 1, "secret": "x"}}).insert()
    assert Made.get_one("1").address["geo"] == {"lat": 1.0, "secret": "x"}
    assert list(outer.fields["address"].schema.fields["geo"].schema.dump_fields) == ["lat"]
    assert "secret" not in address.dump({"city": "x", "geo": {"lat": 1, "secret": "x"}})["geo"]


def test_an_instance_says_which_fields_and_what_of_unknown_ones(db: dw.Database) -> None:
    class Few(MarshmallowModel, table="few", schema=EverythingSchema(only=("id", "address.city"), unknown=EXCLUDE)):
        id: Attr[UUID] = partition_key()

    few = Few(id=uuid4(), address={"city": "Bonn"}, text="x", other=1)
    assert few.to_dict() == {"id": few.id, "address": {"city": "Bonn"}}
    assert list(Few.paths) == ["id", "address"]


def test_classes_derived_from_others(db: dw.Database) -> None:
    class Base(MarshmallowModel, stream="KEYS_ONLY", table="bases"):
        class Schema(Schema):
            id = fields.Str(required=True)
            title = fields.Str()

        id: Attr[str] = partition_key()
        title: Attr[str] = attr(name="t")
        by_title = GlobalIndex("title")

        @property
        def shown(self) -> str:
            return f"<{self.title}>"

    class Derived(Base, table="derived"):
        class Schema(Base.Schema):
            pages = fields.Int()

        pages: Attr[int] = sort_key()

    db.create_tables(Base, Derived)
    Derived(id="1", title="x", pages=3).insert()
    one = Derived.get_one("1", 3)
    assert (one.shown, one.to_item()["t"]) == ("<x>", {"S": "x"})
    assert [found.pages for found in Derived.by_title.query("x")] == [3]
    with pytest.raises(AttributeError):
        one.shown = "y"
    assert Base.scan().count() == 0


def test_a_schema_named_before_it_is_defined(db: dw.Database) -> None:
    class Early(MarshmallowModel, table="early"):
        class Schema:
            id = fields.Str(required=True)
            late = fields.Nested("LateOneSchema")

        id: Attr[str] = partition_key()

    with pytest.raises(NameError, match="LateOneSchema"):
        Early(id="1")

    class LateOneSchema(Schema):
        x = fields.Int()

    db.create_tables(Early)
    Early(id="1", late={"x": 1}).insert()
    assert Early.get_one("1").late == {"x": 1}
    assert Early.scan(Early.late.x == 1).count() == 1


def test_maintained_attributes(db: dw.Database) -> None:
    class Document(MarshmallowModel, table="documents"):
        class Schema:
            id = fields.Str(required=True)
            text = fields.Str()
            owner = fields.Str()
            v = fields.Int(dump_only=True)
            created = fields.AwareDateTime(default_timezone=UTC)
            updated = fields.AwareDateTime(default_timezone=UTC)

        id: Attr[str] = partition_key()
        owner: Attr[str] = attr(immutable=True)
        v: Attr[int] = version()
        created: Attr[datetime | None] = created_at()
        updated: Attr[datetime | None] = updated_at()

    db.create_tables(Document)
    one = Document(id="1", owner="ann")
    assert (one.v, one.created) == (0, None)
    one.insert()
    assert (one.v, one.created) == (1, one.updated)
    mine, yours = Document.get_one("1"), Document.get_one("1")
    yours.text = "yours"
    assert yours.save()
    mine.text = "mine"
    with pytest.raises(dw.VersionConflict):
        mine.save()
    assert mine.v == 1
    with pytest.raises(dw.ValidationError, match="owner is immutable"):
        mine.update(owner="bob")


class Writer(MarshmallowModel, table="writers"):
    class Schema:
        id = fields.Str(required=True)

    id: Attr[str] = partition_key()
    texts: ToMany[Text] = one_to_many(index="by_writer", back="writer", cascade="save")


class Text(MarshmallowModel, table="texts"):
    class Schema:
        writer_id = fields.Str(required=True)
        number = fields.Int(required=True)

    number: Attr[int] = partition_key()
    by_writer = GlobalIndex("writer_id", "number")
    writer: ToOne[Writer] = many_to_one("writer_id", back="texts")


def test_relations(db: dw.Database) -> None:
    db.create_tables(Writer, Text)
    ada = Writer(id="ada")
    ada.insert()
    Text(writer_id="ada", number=1).insert()
    text = Text.get_one(1)
    assert text.writer.get() == ada
    assert [one.number for one in ada.texts] == [1]
    text = Text(writer_id="eve", number=2)
    text.writer = ada
    assert (text.writer_id, text.writer.value) == ("ada", ada)
    assert "writer" not in text.to_item()
    with pytest.raises(dw.SchemaError, match="the class has no table"):
        declared_with(Schema=Id, keywords={}, boss=many_to_one("id"))
    with pytest.raises(dw.SchemaError, match=r"names the attribute 'idd', which \w+ does not have; did you mean 'id'"):
        declared_with(Schema=Id, id=partition_key(), boss=many_to_one("idd", to=Writer))


def test_hooks_of_the_class(db: dw.Database) -> None:
    class Article(MarshmallowModel, table="articles"):
        class Schema:
            id = fields.Str(required=True)
            title = fields.Str(required=True)
            slug = fields.Str(validate=validate.Length(min=2))

        id: Attr[str] = partition_key()
        title: Attr[str]
        slug: Attr[str]

        @hooks.before_save
        def make_slug(self) -> None:
            self.slug = self.title.lower()

        @hooks.after_load
        def seen(self) -> None:
            self._seen = True

    db.create_tables(Article)
    article = Article(id="1", title="Dust")
    article.insert()
    assert Article.get_one("1").slug == "dust"
    assert Article.get_one("1")._seen
    article.title = "D"
    with pytest.raises(dw.ValidationError, match="slug: Shorter than minimum length 2"):
        article.save()


def test_time_to_live(db: dw.Database) -> None:
    class Session(MarshmallowModel, table="sessions", hide_expired=True):
        class Schema:
            id = fields.Str(required=True)
            until = fields.DateTime(format="timestamp")

        id: Attr[str] = partition_key()
        until: Attr[datetime | None] = ttl()

    db.create_tables(Session)
    Session(id="old", until=datetime(2020, 1, 2)).insert()  # noqa: DTZ001
    Session(id="new", until=datetime(2120, 1, 2)).insert()  # noqa: DTZ001
    Session(id="always").insert()
    assert sorted(one.id for one in Session.scan()) == ["always", "new"]
    assert Session.get("old") is None


# ---------------------------------------------------------------------- what is refused


def declared_with(**namespace: Any) -> Any:
    keywords = namespace.pop("keywords", {"table": "things"})
    body = {"__module__": __name__, "__qualname__": "Thing", **namespace}
    return type(MarshmallowModel)("Thing", (MarshmallowModel,), body, **keywords)


class Id:
    id = fields.Str(required=True)


def schema_of(**more: Any) -> Any:
    return type("ThingSchema", (Schema,), {"id": fields.Str(required=True), **more})


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        ({}, "needs a schema"),
        ({"id": partition_key(), "keywords": {}}, "needs a schema"),
        ({"Schema": Id}, "no partition key"),
        ({"Schema": Id, "keywords": {"table": "x"}, "id": partition_key()}, "a table name has"),
        ({"Schema": Id, "keywords": {"tabel": "things"}}, "unknown class keyword 'tabel'; did you mean 'table'"),
        ({"Schema": Id, "keywords": {"stream": "KEYS_ONLY"}}, "the class has none"),
        ({"Schema": Id, "keywords": {"table": "things", "load": "lazily"}}, "write 'trust' or 'validate'"),
        ({"Schema": Id, "keywords": {"table": "things", "schema": Id}}, "both schema= and a class Schema"),
        ({"Schema": 3}, "not int"),
        ({"keywords": {"schema": "Id", "table": "things"}}, "not str"),
        ({"Schema": schema_of(title=fields.Str()), "titel": partition_key()}, "no field 'titel'; did you mean 'title'"),
        ({"Schema": Id, "id": partition_key(), "__annotations__": {"di": "Attr[str]"}}, "no field 'di'"),
        ({"Schema": Id, "id": partition_key(pattern="^a")}, "pattern= is for the schema to say"),
        ({"Schema": Id, "id": partition_key(default="x")}, "a default is for the schema to say"),
        ({"Schema": schema_of(x=fields.Int()), "id": partition_key(), "x": attr(ge=3)}, "ge= is for the schema"),
        ({"Schema": schema_of(x=fields.Int()), "id": partition_key(), "x": attr(default=[])}, "share"),
        (
            {"Schema": schema_of(v=fields.Int(required=True)), "id": partition_key(), "v": version()},
            "can't be required",
        ),
        ({"Schema": schema_of(v=fields.Str()), "id": partition_key(), "v": version()}, "a whole number"),
        ({"Schema": schema_of(c=fields.Str()), "id": partition_key(), "c": created_at()}, "holds a datetime"),
        ({"Schema": schema_of(t=fields.Str()), "id": partition_key(), "t": ttl()}, "a number of seconds"),
        (
            {"Schema": schema_of(t=fields.Int()), "id": partition_key(), "t": ttl(default=1)},
            "a default is for the schema",
        ),
        ({"Schema": schema_of(k=fields.Str()), "id": partition_key(), "k": discriminator()}, "is for a Model"),
        ({"Schema": schema_of(k=fields.Str()), "id": partition_key(), "k": attr(mutator=str.strip)}, "has a mutator="),
        ({"Schema": Id, "id": partition_key(), "k": joined("id", "id")}, "can't be computed by dynawire"),
        ({"Schema": schema_of(query=fields.Int()), "id": partition_key()}, "Thing's own query"),
        ({"Schema": schema_of(paths=fields.Int()), "id": partition_key()}, "Thing's own paths"),
        ({"Schema": schema_of(_x=fields.Int()), "id": partition_key()}, "another name in Python"),
        ({"Schema": schema_of(x=fields.Int()), "id": partition_key(), "x": lambda self: 1}, "a method"),
        ({"Schema": schema_of(x=fields.Int(attribute="a b")), "id": partition_key()}, "not a name"),
        ({"Schema": schema_of(x=fields.Int(attribute="a.b")), "id": partition_key()}, "reaches into another object"),
        ({"Schema": schema_of(x=fields.Int(data_key='a"b')), "id": partition_key()}, "quotation mark"),
        ({"Schema": schema_of(x=fields.Int()), "id": partition_key(), "x": attr(name="id")}, "both stored as 'id'"),
        ({"Schema": schema_of(k=fields.List(fields.Str())), "k": partition_key()}, "a partition_key is stored as"),
        ({"Schema": schema_of(k=Shouted(required=True)), "k": partition_key()}, "a partition_key is stored as"),
        ({"Schema": schema_of(k=fields.Bool()), "k": partition_key()}, "a partition_key is stored as"),
        ({"Schema": schema_of(s=Set(fields.Bool())), "id": partition_key()}, "DynamoDB set holds text"),
        ({"Schema": Id, "id": partition_key(), "by_x": GlobalIndex("x")}, "names the attribute 'x'"),
        ({"Schema": Id, "id": partition_key(), "by_x": GlobalIndex(())}, "needs a partition key"),
        ({"keywords": {"schema": schema_of()(many=True), "table": "things"}, "id": partition_key()}, "many=True"),
        (
            {"keywords": {"schema": schema_of()(unknown=INCLUDE), "table": "t"}, "id": partition_key()},
            "unknown=INCLUDE",
        ),
        (
            {"Schema": schema_of(n=fields.Nested(GeoSchema, unknown=INCLUDE)), "id": partition_key()},
            "nested field has unknown=INCLUDE",
        ),
    ],
)
def test_a_wrong_declaration_is_refused(db: dw.Database, namespace: dict[str, Any], said: str) -> None:
    with pytest.raises(dw.SchemaError, match=said):
        declared_with(**namespace)


def test_a_class_without_schema_or_table(db: dw.Database) -> None:
    class Base(MarshmallowModel):
        def shout(self) -> str:
            return str(self.id).upper()

    class Part(Base):
        class Schema:
            id = fields.Str()

    with pytest.raises(dw.SchemaError, match="Base has no schema"):
        Base()
    assert Part(id="a").shout() == "A"
    with pytest.raises(dw.SchemaError, match="has no table"):
        Part.get("x")
    with pytest.raises(dw.SchemaError, match="not mapped"):
        db.table(Base)


def test_a_field_of_the_users_own_that_raises(db: dw.Database) -> None:
    one = Everything(id=uuid4())
    one.shouted = 5
    with pytest.raises(AttributeError):  # it is the user's function that is wrong
        one.validate()
    with pytest.raises(dw.ValidationError, match="its schema raised AttributeError at"):
        Everything.shouted.set(5)
    with pytest.raises(dw.ValidationError, match=r"Everything\.raw"):
        Everything(id=uuid4(), raw=object()).validate()
    with pytest.raises(dw.ValidationError, match="real"):
        Everything(id=uuid4(), real=float("nan"))


def test_marshmallow_is_imported_only_when_used() -> None:
    program = """if True:
        import sys, dynawire as dw
        class Book(dw.Model, table="books"):
            id: dw.Attr[str] = dw.partition_key()
        dw.connect("memory:").create_tables(Book)
        Book(id="1").put()
        assert not {"marshmallow", "schematics", "dynawire.marshmallow", "dynawire.schematics"} & set(sys.modules)
    """
    subprocess.run([sys.executable, "-c", program], check=True)


class TitleMigrations(dw.Migrations):
    def check_1(self, item: dict[str, Any]) -> bool:
        return "name" in item

    def check_2(self, item: dict[str, Any]) -> bool:
        return "t" in item

    def migrate_to_2(self, item: dict[str, Any]) -> dict[str, Any]:
        item["t"] = item.pop("name")
        return item


class Migrating(MarshmallowModel, table="migrating", migrations=TitleMigrations):
    class Schema:
        id = fields.Str(required=True)
        title = fields.Str(required=True, data_key="t", validate=validate.Length(max=3))
        pages = fields.Int(load_default=0)

    id: Attr[str] = partition_key()


def test_the_schema_loads_what_migrations_left(db: dw.Database) -> None:
    db.create_tables(Migrating)
    for number, name in enumerate(("one", "two", "three")):
        item = {"id": {"S": str(number)}, "name": {"S": name}, "more": {"N": "1"}}
        db.engine.send("PutItem", json.dumps({"TableName": "migrating", "Item": item}).encode())
    one = Migrating.get_one("0")
    one.pages = 5
    assert one.save() is True
    answer = json.loads(db.engine.send("GetItem", b'{"TableName": "migrating", "Key": {"id": {"S": "0"}}}'))
    assert answer["Item"] == {
        "id": {"S": "0"},
        "t": {"S": "one"},
        "pages": {"N": "5"},
        "more": {"N": "1"},
    }
    with pytest.raises(dw.DecodeError, match=r"Longer than maximum length 3\."):
        Migrating.get("2")
    report = Migrating.migrate_all()
    assert (report.migrated, report.current, [one.key for one in report.failures]) == (1, 1, [{"id": {"S": "2"}}])


def test_numbers_that_are_no_period_of_time_are_refused(db: dw.Database) -> None:
    class Trip(MarshmallowModel, table="trips"):
        class Schema:
            id = fields.Str(required=True)
            took = fields.TimeDelta()

        id: Attr[str] = partition_key()

    db.create_tables(Trip)
    trip = Trip(id="a")
    for wrong in (Decimal("Infinity"), float("inf"), Decimal("NaN")):
        trip.took = wrong  # type: ignore[attr-defined]
        with pytest.raises(dw.ValidationError, match=r"took") as caught:
            trip.put()
        assert [path for path, _ in caught.value.errors] == ["took"]
    assert Trip.get("a") is None
