"""Classes with a schematics Model for a schema: whole items go through it, single values through its types."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.support.schematics_here import WITHOUT_SCHEMATICS

if WITHOUT_SCHEMATICS is not None:
    pytest.skip(WITHOUT_SCHEMATICS, allow_module_level=True)

from schematics import Model, types
from schematics.exceptions import ValidationError as SchematicsError
from schematics.transforms import blacklist

import dynawire as dw
from dynawire import Attr, GlobalIndex, attr, created_at, partition_key, sort_key, version
from dynawire.schematics import SchematicsModel, SetType


class Geo(Model):  # type: ignore[misc]
    lat = types.FloatType(required=True)
    secret = types.StringType()

    class Options:
        roles = {"default": blacklist("secret")}  # noqa: RUF012


class Address(Model):  # type: ignore[misc]
    city = types.StringType(required=True, serialized_name="town", min_length=2)
    since = types.DateType()
    geo = types.ModelType(Geo)
    tags = SetType(types.StringType)


class Node(Model):  # type: ignore[misc]
    name = types.StringType(required=True)
    children = types.ListType(types.ModelType("Node"))


class Text(types.BaseType):  # type: ignore[misc]
    """It says nothing of what it exports."""

    def to_native(self, value: Any, context: Any = None) -> Any:
        return value[::-1] if isinstance(value, str) else value[0]

    def to_primitive(self, value: Any, context: Any = None) -> Any:
        return value[::-1]


class EverythingSchema(Model):  # type: ignore[misc]
    id = types.UUIDType(required=True)
    text = types.StringType()
    whole = types.IntType(min_value=-9)
    real = types.FloatType()
    price = types.DecimalType()
    yes = types.BooleanType()
    day = types.DateType()
    at = types.DateTimeType()
    utc = types.UTCDateTimeType()
    stamp = types.TimestampType()
    took = types.TimedeltaType(precision="minutes")
    digest = types.MD5Type()
    url = types.URLType()
    mail = types.EmailType()
    ip = types.IPv4Type()
    where = types.GeoPointType()
    said = types.MultilingualStringType(default_locale="en_US")
    any = types.BaseType()
    choice = types.StringType(choices=["a", "b"])
    either = types.UnionType((types.IntType, types.StringType))
    days = types.ListType(types.DateType)
    counts = types.DictType(types.IntType)
    words = SetType(types.StringType)
    numbers = SetType(types.IntType)
    address = types.ModelType(Address)
    addresses = types.ListType(types.ModelType(Address))
    node = types.ModelType(Node)
    poly = types.PolyModelType([Geo])
    silent = types.StringType(serialize_when_none=False)

    @types.serializable
    def label(self) -> str:
        return f"<{self.text}>"

    class Options:
        roles = {"default": blacklist("text")}  # noqa: RUF012


class Everything(SchematicsModel, table="everything", schema=EverythingSchema):
    id: Attr[UUID] = partition_key()


VALUES: dict[str, tuple[Any, Any]] = {
    "text": ("x", {"S": "x"}),
    "whole": (3, {"N": "3"}),
    "real": (1.5, {"N": "1.5"}),
    "price": (Decimal("1.5"), {"N": "1.5"}),
    "yes": (False, {"BOOL": False}),
    "day": (date(2026, 1, 2), {"S": "2026-01-02"}),
    "at": (datetime(2026, 1, 2, 3, tzinfo=UTC), {"S": "2026-01-02T03:00:00.000000+0000"}),
    "utc": (datetime(2026, 1, 2, 3), {"S": "2026-01-02T03:00:00.000000Z"}),  # noqa: DTZ001
    "stamp": (datetime(2026, 1, 2, tzinfo=UTC), {"N": "1767312000.0"}),
    "took": (timedelta(seconds=90), {"N": "1.5"}),
    "digest": ("a" * 32, {"S": "a" * 32}),
    "url": ("https://a.org/x", {"S": "https://a.org/x"}),
    "mail": ("a@b.org", {"S": "a@b.org"}),
    "ip": ("1.2.3.4", {"S": "1.2.3.4"}),
    "where": ([1.5, 2.0], {"L": [{"N": "1.5"}, {"N": "2.0"}]}),
    "said": ({"en_US": "x", "de_DE": "y"}, {"M": {"en_US": {"S": "x"}, "de_DE": {"S": "y"}}}),
    "any": ({"a": [1]}, {"M": {"a": {"L": [{"N": "1"}]}}}),
    "choice": ("a", {"S": "a"}),
    "either": ("x", {"S": "x"}),
    "days": ([date(2026, 1, 2)], {"L": [{"S": "2026-01-02"}]}),
    "counts": ({"a": 1}, {"M": {"a": {"N": "1"}}}),
    "words": ({"a"}, {"SS": ["a"]}),
    "numbers": ({7}, {"NS": ["7"]}),
    "address": (
        Address({"city": "Bonn", "since": "2026-01-02", "geo": {"lat": 1.5, "secret": "x"}, "tags": ["a"]}),
        {
            "M": {
                "town": {"S": "Bonn"},
                "since": {"S": "2026-01-02"},
                "geo": {"M": {"lat": {"N": "1.5"}, "secret": {"S": "x"}}},
                "tags": {"SS": ["a"]},
            }
        },
    ),
    "addresses": ([Address({"city": "Bonn"})], {"L": [{"M": {"town": {"S": "Bonn"}}}]}),
    "node": (
        Node({"name": "a", "children": [{"name": "b"}]}),
        {"M": {"name": {"S": "a"}, "children": {"L": [{"M": {"name": {"S": "b"}}}]}}},
    ),
    "poly": (Geo({"lat": 2.0}), {"M": {"lat": {"N": "2.0"}}}),
    "silent": ("x", {"S": "x"}),
}


@pytest.fixture
def everything(db: dw.Database) -> dw.Table[Everything]:
    db.create_tables(Everything)
    return db.table(Everything)


@pytest.mark.parametrize("name", VALUES)
def test_what_a_type_is_stored_as(everything: dw.Table[Everything], name: str) -> None:
    value, wire = VALUES[name]
    one = Everything(id=str(uuid4()))
    setattr(one, name, value)
    one.insert()
    assert one.to_item()[name] == wire
    for load in ("validate", "trust"):
        cls = type(SchematicsModel)("Again", (Everything,), {}, table="everything", load=load)
        found = cls.get_one(one.id)
        assert getattr(found, name) == value
        assert type(getattr(found, name)) is type(value)
        assert found.save() is False
    # A single value goes through its type, in updates and in conditions.
    path = getattr(Everything, name)
    everything.update(everything.key(one.id), path.set(value))
    assert Everything.get_one(one.id).to_item()[name] == wire
    assert everything.scan(path == value).count() == 1
    assert everything.scan(path.exists()).project(path).all() == [(value,)]


def test_the_constructor_takes_raw_and_values() -> None:
    key = uuid4()
    raw = Everything(id=str(key), day="2026-01-02", price="1.5", words=["a", "a"], address={"town": "Bonn"})
    same = Everything(id=key, day=date(2026, 1, 2), price=Decimal("1.5"), words={"a"}, address={"city": "Bonn"})
    assert raw == same
    assert raw.to_item() == same.to_item()
    assert raw.address.city == "Bonn"


def test_what_is_computed_is_not_stored_and_what_a_role_hides_is() -> None:
    item = Everything(id=uuid4(), text="x").to_item()
    assert "label" not in item
    assert item["text"] == {"S": "x"}


@pytest.mark.parametrize(
    ("name", "value", "path", "said"),
    [
        ("text", (), "text", "Couldn't interpret '()' as string."),
        ("whole", "many", "whole", "Value 'many' is not int."),
        ("whole", -99, "whole", "Int value should be greater than or equal to -9."),
        ("choice", "hush", "choice", "Value (hush) must be one of ['a', 'b']."),
        ("days", [date(2026, 1, 1), "hush"], "days[1]", "Could not parse hush. Should be ISO 8601 (YYYY-MM-DD)."),
        ("days", 5, "days", "Could not interpret the value as a list"),
        ("counts", {"a": "many"}, "counts['a']", "Value 'many' is not int."),
        ("address", {"city": "B"}, "address.city", "String value is too short."),
        ("address", {}, "address.city", "This field is required."),
        ("addresses", [{"city": "Bonn"}, {"city": "B"}], "addresses[1].city", "String value is too short."),
        ("address", 5, "address", "Input must be a mapping or 'Address' instance"),
        ("url", "x", "url", "Not a well-formed URL."),
        ("id", None, "id", "This field is required."),
    ],
)
def test_what_schematics_says_arrives_unchanged(name: str, value: Any, path: str, said: str) -> None:
    def refusal(write: Any) -> list[tuple[str, str]]:
        with pytest.raises(dw.ValidationError) as caught:
            write()
        assert not any(shown in str(caught.value) for shown in ("hush", "many"))
        assert (caught.value.attribute, caught.value.model) == (path, "Everything")
        return [(where, str(reason)) for where, reason in pickle.loads(pickle.dumps(caught.value)).errors]

    one = Everything(id=uuid4())
    setattr(one, name, value)
    assert refusal(one.validate) == [(path, said)]
    if value is not None:
        assert refusal(lambda: Everything(id=uuid4(), **{name: value})) == [(path, said)]
        assert refusal(lambda: getattr(Everything, name).set(value)) == [(path, said)]


def test_every_failure_is_told() -> None:
    with pytest.raises(dw.ValidationError) as caught:
        Everything(whole="x", url="y", txt="z")
    assert sorted(caught.value.errors) == [
        ("id", "This field is required."),
        ("txt", "Rogue field"),
        ("url", "Not a well-formed URL."),
        ("whole", "Value 'x' is not int."),
    ]


def test_numbers_too_large_for_a_date_are_refused() -> None:
    one = Everything(id=uuid4())
    one.utc, one.took = 1e12, 1e15
    with pytest.raises(dw.ValidationError) as caught:
        one.validate()
    assert [path for path, _ in caught.value.errors] == ["utc", "took"]
    with pytest.raises(dw.ValidationError, match="schematics raised OverflowError"):
        Everything(id=uuid4(), utc=1e12)


def test_validators_of_the_model(db: dw.Database) -> None:
    class Range(SchematicsModel, table="ranges"):
        class Schema(Model):  # type: ignore[misc]
            id = types.StringType(required=True)
            low = types.IntType(default=0)
            high = types.IntType()

            def validate_high(self, data: Any, value: Any) -> None:
                if value is not None and value < data["low"]:
                    raise SchematicsError("below low")

        id: Attr[str] = partition_key()

    db.create_tables(Range)
    with pytest.raises(dw.ValidationError) as caught:
        Range(id="1", low=3, high=2)
    assert caught.value.errors == (("high", "below low"),)
    one = Range(id="1", low=3)
    one.insert()
    one.high = 1
    with pytest.raises(dw.ValidationError, match=r"Range\.high: below low; nothing was sent"):
        one.save()
    # Of a single value only its type knows.
    with pytest.raises(dw.DecodeError, match="below low"):
        one.update(high=2)


def test_what_is_not_there(db: dw.Database) -> None:
    class Absent(SchematicsModel, table="absent"):
        class Schema:
            id = types.StringType(required=True)
            plain = types.StringType()
            default = types.IntType(default=3)
            fresh = types.ListType(types.IntType, default=list)
            shared = types.ListType(types.IntType, default=[1])
            needed = types.IntType(required=True, default=5)
            tags = SetType(types.StringType)
            kept = types.StringType()

        id: Attr[str] = partition_key()
        kept: Attr[str | None] = attr(store_none=True)

    db.create_tables(Absent)
    one = Absent(id="1")
    assert (one.plain, one.default, one.fresh, one.needed, one.tags) == (None, 3, [], 5, set())
    one.shared.append(2)
    one.insert()
    assert one.to_item().keys() == {"id", "default", "fresh", "shared", "needed", "kept"}
    assert one.to_item()["kept"] == {"NULL": True}
    item = {"id": {"S": "2"}, "plain": {"NULL": True}, "foreign": {"S": "stays"}}
    db.engine.send("PutItem", json.dumps({"TableName": "absent", "Item": item}).encode())
    found = Absent.get_one("2")
    assert (found.plain, found.default, found.shared, found.needed, found.tags) == (None, 3, [1], 5, set())
    found.default = None
    assert found.save()
    assert Absent.get_one("2").default is None
    found.needed = None
    with pytest.raises(dw.ValidationError, match=r"needed: This field is required\."):
        found.save()
    Absent.key("2").update(Absent.tags.add({"b"}))
    assert Absent.get_one("2").tags == {"b"}


def test_reading(everything: dw.Table[Everything], db: dw.Database) -> None:
    class Trusting(SchematicsModel, table="everything", load="trust", schema=EverythingSchema):
        id: Attr[UUID] = partition_key()

    def put_raw(**more: Any) -> UUID:
        key = uuid4()
        item = {"id": {"S": str(key)}, **more}
        db.engine.send("PutItem", json.dumps({"TableName": "everything", "Item": item}).encode())
        return key

    key = put_raw(url={"S": "hush"}, day={"S": "2026-01-02"})
    with pytest.raises(dw.DecodeError, match=r"url: Not a well-formed URL\.") as caught:
        Everything.get(key)
    assert caught.value.key == {"id": {"S": str(key)}}
    assert (Trusting.get_one(key).url, Trusting.get_one(key).day) == ("hush", date(2026, 1, 2))
    with pytest.raises(dw.ValidationError, match="url: Not a well-formed URL"):
        Trusting.get_one(key).validate()
    key = put_raw(day={"S": "hush"})
    for cls in (Everything, Trusting):
        with pytest.raises(dw.DecodeError, match="Could not parse") as caught:
            cls.get(key)
        assert "hush" not in str(caught.value)


def test_paths_and_copies(everything: dw.Table[Everything]) -> None:
    one = Everything(id=uuid4(), address={"city": "Bonn", "geo": {"lat": 1}}, days=["2026-01-02"], counts={"a": 1})
    one.insert()
    path = Everything.address
    assert everything.scan(path.city == "Bonn", path.geo.lat.between(1, 2)).count() == 1
    assert everything.scan(Everything.days[0] == date(2026, 1, 2), Everything.counts["a"] > 0).count() == 1
    one.update(path.city.set("Ulm"), Everything.days.append("2026-01-03"), whole__add=2)
    assert (one.address.city, one.days[1], one.whole) == ("Ulm", date(2026, 1, 3), 2)
    for wrong in (lambda: path.city.set("U"), lambda: Everything.days.append("x"), lambda: Everything.whole.add(1.5)):
        with pytest.raises(dw.ValidationError):
            wrong()
    with pytest.raises(dw.ExpressionError, match="did you mean 'city'"):
        path.citi  # noqa: B018
    for twin in (copy.copy(one), copy.deepcopy(one), pickle.loads(pickle.dumps(one))):
        assert twin == one
        assert twin.save() is False
    one.address.city = "Köln"
    assert set(one.params.save()["ExpressionAttributeNames"].values()) == {"address", "town", "id"}
    assert Everything.from_item(json.loads(json.dumps(one.to_item()))) == one


def test_maintained_attributes(db: dw.Database) -> None:
    class Document(SchematicsModel, table="documents"):
        class Schema:
            id = types.StringType(required=True)
            text = types.StringType()
            v = types.IntType()
            created = types.DateTimeType()

        id: Attr[str] = partition_key()
        v: Attr[int] = version()
        created: Attr[datetime | None] = created_at()

    db.create_tables(Document)
    one = Document(id="1")
    one.insert()
    mine, yours = Document.get_one("1"), Document.get_one("1")
    assert (mine.v, mine.created) == (1, one.created)
    assert yours.text is None
    yours.text = "yours"
    assert yours.save()
    mine.text = "mine"
    with pytest.raises(dw.VersionConflict):
        mine.save()


def test_classes_derived_from_others(db: dw.Database) -> None:
    class Common:
        id = types.StringType(required=True)

    class Base(SchematicsModel, table="bases"):
        class Schema(Common):
            title = types.StringType()

        id: Attr[str] = partition_key()
        by_title = GlobalIndex("title")

    class Derived(Base, table="derived"):
        class Schema(Base.Schema):  # type: ignore[name-defined,misc]
            pages = types.IntType(required=True)

        pages: Attr[int] = sort_key()

    db.create_tables(Base, Derived)
    Derived(id="1", title="x", pages=3).insert()
    assert [found.pages for found in Derived.by_title.query("x")] == [3]
    assert Base.scan().count() == 0


def declared_with(**namespace: Any) -> Any:
    keywords = namespace.pop("keywords", {"table": "things"})
    body = {"__module__": __name__, "__qualname__": "Thing", **namespace}
    return type(SchematicsModel)("Thing", (SchematicsModel,), body, **keywords)


def schema_of(**more: Any) -> Any:
    return type("ThingSchema", (), {"id": types.StringType(required=True), **more})


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        ({}, "needs a schema"),
        ({"Schema": schema_of()}, "no partition key"),
        ({"Schema": 3}, "not int"),
        ({"keywords": {"schema": "Id", "table": "things"}}, "not str"),
        ({"Schema": schema_of(title=types.StringType()), "titel": partition_key()}, "did you mean 'title'"),
        ({"Schema": schema_of(), "id": partition_key(pattern="^a")}, "pattern= is for the schema to say"),
        ({"Schema": schema_of(), "id": partition_key(default="x")}, "a default is for the schema to say"),
        ({"Schema": schema_of(v=types.IntType(required=True)), "id": partition_key(), "v": version()}, "required"),
        ({"Schema": schema_of(v=types.FloatType()), "id": partition_key(), "v": version()}, "a whole number"),
        ({"Schema": schema_of(query=types.IntType()), "id": partition_key()}, "Thing's own query"),
        ({"Schema": schema_of(k=Text()), "k": partition_key()}, "a partition_key is stored as"),
        ({"Schema": schema_of(k=types.ListType(types.IntType)), "k": partition_key()}, "a partition_key is stored as"),
        ({"Schema": schema_of(s=SetType(types.BooleanType)), "id": partition_key()}, "DynamoDB set holds text"),
        ({"Schema": schema_of(x=types.IntType(serialized_name='a"')), "id": partition_key()}, "quotation mark"),
    ],
)
def test_a_wrong_declaration_is_refused(db: dw.Database, namespace: dict[str, Any], said: str) -> None:
    with pytest.raises(dw.SchemaError, match=said):
        declared_with(**namespace)
