"""Items as the predecessors stored them are read, changed and saved without loss.

Each fixture is such an item in DynamoDB's JSON. Their forms: dynamodb-mapper writes lists and dicts as ``json.dumps``,
booleans as 0 and 1, datetimes in UTC with microseconds, and leaves empty values out; DynamORM and dynamongo write what
marshmallow and schematics dump; dynamojo writes readable attributes, joined ones, and key attributes that mirror them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import marshmallow
import pytest
from marshmallow import fields
from schematics import types

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    IndexMap,
    Json,
    Model,
    NaiveDatetime,
    SingleTable,
    Stored,
    attr,
    computed,
    counter,
    joined,
    partition_key,
    sort_key,
)
from dynawire.marshmallow import MarshmallowModel
from dynawire.schematics import SchematicsModel

Item = dict[str, dict[str, Any]]

NAIVE = datetime(2020, 1, 2, 3, 4, 5, 6)  # noqa: DTZ001  # as the old libraries made them

# As schematics 2.1 stores a datetime with a zone: always microseconds, and no colon in the offset.
SchematicsTime = Annotated[
    datetime,
    Stored(lambda value: value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f%z"), datetime.fromisoformat),
]
# As dynamodb-mapper does.
MapperTime = Annotated[
    datetime,
    Stored(lambda value: value.astimezone(UTC).isoformat(timespec="microseconds"), datetime.fromisoformat),
]
ZeroOne = Annotated[bool, Stored(int, bool, int)]
TextDecimal = Annotated[Decimal, Stored(str, Decimal)]


class Sale(Model, table="sales"):
    """What DynamORM wrote with a schematics schema."""

    shop: Attr[str] = partition_key()
    at: Attr[SchematicsTime] = sort_key()
    price: Attr[TextDecimal]
    paid: Attr[bool] = attr(default=False)
    shipped: Attr[datetime | None] = attr(default=None)
    local: Attr[Annotated[datetime, NaiveDatetime] | None] = attr(default=None)
    took: Attr[timedelta | None] = attr(default=None)
    lines: Attr[list[dict[str, Any]]] = attr(default_factory=list)
    note: Attr[str | None] = attr(default=None)


SALE: Item = {
    "shop": {"S": "a"},
    "at": {"S": "2020-01-02T03:04:05.000000+0000"},
    "price": {"S": "1.50"},
    "paid": {"BOOL": True},
    "shipped": {"S": "2020-01-03T00:00:00.000000+0000"},
    "local": {"S": "2020-01-02T03:04:05.000006"},
    "took": {"N": "120"},
    "lines": {"L": [{"M": {"sku": {"S": "x"}, "count": {"N": "2"}}}]},
    "unknown": {"NULL": True},
}


class BookSchema(marshmallow.Schema):
    isbn = fields.String(required=True)
    title = fields.String()
    printed = fields.DateTime()
    price = fields.Decimal()
    year = fields.Integer(load_default=2020)
    shelf = fields.Dict()


class Book(MarshmallowModel, table="books", schema=BookSchema):
    """What DynamORM wrote with a marshmallow schema, by that schema."""

    isbn: Attr[str] = partition_key()


BOOK: Item = {
    "isbn": {"S": "1"},
    "printed": {"S": "2020-01-02T03:04:05"},
    "price": {"N": "1.5"},
    "shelf": {"M": {"row": {"N": "3"}}},
    "unknown": {"S": "x"},
}


class OldDecimal(types.BaseType):  # type: ignore[misc]  # schematics has no types for type checkers
    """schematics' DecimalType as it is stored after all: as text."""

    primitive_type = str

    def to_native(self, value: Any, context: Any = None) -> Decimal:
        return Decimal(value)

    def to_primitive(self, value: Any, context: Any = None) -> str:
        return str(value)


class Visit(SchematicsModel, table="visits"):
    """What DynamORM and dynamongo wrote, by the schematics types that both use."""

    class Schema:
        id = types.UUIDType(required=True)
        at = types.DateTimeType()
        day = types.DateType()
        took = types.TimedeltaType()
        paid = OldDecimal()
        ok = types.BooleanType()
        tags = types.ListType(types.StringType)

    id: Attr[UUID] = partition_key()


VISIT: Item = {
    "id": {"S": "00000000-0000-0000-0000-000000000003"},
    "at": {"S": "2020-01-02T03:04:05.000000+0000"},
    "day": {"S": "2020-01-02"},
    "took": {"N": "120"},
    "paid": {"S": "1.50"},
    "ok": {"BOOL": False},
    "tags": {"L": [{"S": "a"}]},
}


class User(Model, table="prefix-users"):
    """What dynamongo wrote."""

    email: Attr[str] = partition_key(name="email")
    name: Attr[str | None] = attr(default=None)  # None and "" were not stored
    born: Attr[int | None] = attr(default=None)
    cities: Attr[list[str]] = attr(default_factory=list)
    profile: Attr[dict[str, Any]] = attr(default_factory=dict)
    created: Attr[Annotated[datetime, NaiveDatetime] | None] = attr(default=None)  # datetime.now() has no zone
    seen: Attr[SchematicsTime | None] = attr(default=None)
    ip: Attr[str | None] = attr(default=None)
    wait: Attr[timedelta | None] = attr(default=None)


USER: Item = {
    "email": {"S": "jo@example.org"},
    "born": {"N": "1990"},
    "cities": {"L": [{"S": "Nairobi"}]},
    "profile": {"M": {"height": {"N": "180"}, "links": {"L": []}}},
    "created": {"S": "2020-01-02T03:04:05.000006"},
    "seen": {"S": "2020-01-02T03:04:05.000000+0000"},
    "ip": {"S": "192.0.2.1"},
    "wait": {"N": "90"},
}


class Game(Model, table="games"):
    """What dynamodb-mapper wrote: a hash and a range key, both of them of types that it stores as text."""

    players: Attr[
        Annotated[
            tuple[str, ...], Stored(lambda value: json.dumps(list(value)), lambda text: tuple(json.loads(text)), str)
        ]
    ] = partition_key()
    at: Attr[MapperTime] = sort_key()
    title: Attr[str] = attr(default="")
    score: Attr[int] = attr(default=0)
    ratio: Attr[float] = attr(default=0.0)
    won: Attr[ZeroOne] = attr(default=False)
    cheats: Attr[set[str]] = attr(default_factory=set)
    moves: Attr[Annotated[list[Any], Json]] = attr(default_factory=list)
    extra: Attr[Annotated[dict[str, Any], Json]] = attr(default_factory=dict)
    ended: Attr[datetime | None] = attr(default=None)


GAME: Item = {
    "players": {"S": '["duke", "doomguy"]'},
    "at": {"S": "2012-05-31T12:00:00.000000+00:00"},
    "won": {"N": "1"},
    "cheats": {"SS": ["idkfa"]},
    "moves": {"S": json.dumps([1, {"to": "é", "from": None}], sort_keys=True)},
    "extra": {"S": json.dumps({"b": [1, 2.5], "a": {}}, sort_keys=True)},
    "ended": {"S": "2012-05-31T12:30:00.000000+00:00"},
}


app = SingleTable("app", global_indexes=20, local_indexes=5, separator="~", kind=None)


class Alarm(Model, table=app, pk="{account}", sk="{at}"):
    """What dynamojo wrote: readable attributes, a joined one, and the generic keys that mirror them."""

    account: Attr[str]
    at: Attr[str]
    type: Attr[str]
    name: Attr[str]
    severity: Attr[int] = attr(default=1)
    owner: Attr[str | None] = attr(default=None, store_none=True)  # None was stored as NULL
    more: Attr[dict[str, Any]] = attr(default_factory=dict)
    search: Attr[str] = joined("type", "name", "at", separator="~")

    by_type = IndexMap("gsi0", pk="{type}", sk="{at}")
    by_owner = IndexMap("gsi1", pk="{owner}", sk="{at}")
    by_search = IndexMap("lsi0", sk="{type}~{name}~{at}")


ALARM: Item = {
    "pk": {"S": "acme"},
    "sk": {"S": "2024-01-02T03:04:05"},
    "gsi0_pk": {"S": "DISK"},
    "gsi0_sk": {"S": "2024-01-02T03:04:05"},
    "gsi1_sk": {"S": "2024-01-02T03:04:05"},  # its partition key was left out: there is no owner
    "lsi0_sk": {"S": "DISK~disk #1 full~2024-01-02T03:04:05"},
    "account": {"S": "acme"},
    "at": {"S": "2024-01-02T03:04:05"},
    "type": {"S": "DISK"},
    "name": {"S": "disk #1 full"},
    "severity": {"N": "5"},
    "owner": {"NULL": True},
    "more": {"M": {"a": {"M": {"b": {"NULL": True}}}}},
    "search": {"S": "DISK~disk #1 full~2024-01-02T03:04:05"},
    "unknown": {"L": []},
}


class BareAlarm(Model, table="bare-alarms"):
    """What dynamojo wrote with ``store_aliases=False``: readable attributes are in the keys alone."""

    account: Attr[str] = partition_key(name="pk")
    at: Attr[str] = sort_key(name="sk")
    type: Attr[str | None] = attr(default=None, name="gsi0_pk")
    at_again: Attr[str] = computed(str, "at", name="gsi0_sk")
    severity: Attr[int] = attr(default=1)

    by_type = GlobalIndex("type", "at_again", name="gsi0")


BARE: Item = {
    "pk": {"S": "acme"},
    "sk": {"S": "2024-01-02"},
    "gsi0_pk": {"S": "DISK"},
    "gsi0_sk": {"S": "2024-01-02"},
    "severity": {"N": "5"},
}


@dataclass(frozen=True)
class Case:
    model: Any
    key: tuple[Any, ...]
    item: Item
    values: dict[str, Any]
    change: tuple[str, Any]
    stored: dict[str, Any]

    @property
    def partition_key(self) -> str:
        return {"pk": "account"}.get(name := next(iter(self.item)), name)


CASES = {
    "dynamorm": Case(
        Sale,
        ("a", datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)),
        SALE,
        {
            "price": Decimal("1.50"),
            "paid": True,
            "shipped": datetime(2020, 1, 3, tzinfo=UTC),
            "local": NAIVE,
            "took": timedelta(minutes=2),
            "lines": [{"sku": "x", "count": 2}],
            "note": None,
        },
        ("price", Decimal("2.50")),
        {"S": "2.50"},
    ),
    "dynamorm-marshmallow": Case(
        Book,
        ("1",),
        BOOK,
        {"printed": NAIVE.replace(microsecond=0), "price": Decimal("1.5"), "year": 2020, "shelf": {"row": 3}},
        ("printed", NAIVE.replace(year=2021, microsecond=0)),
        {"S": "2021-01-02T03:04:05"},
    ),
    "dynamorm-schematics": Case(
        Visit,
        (UUID(int=3),),
        VISIT,
        {
            "at": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
            "day": date(2020, 1, 2),
            "took": timedelta(minutes=2),
            "paid": Decimal("1.50"),
            "ok": False,
            "tags": ["a"],
        },
        ("paid", Decimal("2.50")),
        {"S": "2.50"},
    ),
    "dynamongo": Case(
        User,
        ("jo@example.org",),
        USER,
        {
            "name": None,
            "born": 1990,
            "cities": ["Nairobi"],
            "profile": {"height": 180, "links": []},
            "created": NAIVE,
            "seen": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC),
            "wait": timedelta(seconds=90),
        },
        ("seen", datetime(2021, 1, 2, tzinfo=UTC)),
        {"S": "2021-01-02T00:00:00.000000+0000"},
    ),
    "dynamojo": Case(
        Alarm,
        ("acme", "2024-01-02T03:04:05"),
        ALARM,
        {
            "account": "acme",
            "type": "DISK",
            "severity": 5,
            "owner": None,
            "more": {"a": {"b": None}},
            "search": "DISK~disk #1 full~2024-01-02T03:04:05",
        },
        ("severity", 6),
        {"N": "6"},
    ),
    "dynamojo-without-aliases": Case(
        BareAlarm,
        ("acme", "2024-01-02"),
        BARE,
        {"type": "DISK", "at_again": "2024-01-02", "severity": 5},
        ("severity", 6),
        {"N": "6"},
    ),
    "dynamodb-mapper": Case(
        Game,
        (("duke", "doomguy"), datetime(2012, 5, 31, 12, tzinfo=UTC)),
        GAME,
        {
            "title": "",
            "score": 0,
            "ratio": 0.0,
            "won": True,
            "cheats": {"idkfa"},
            "moves": [1, {"to": "é", "from": None}],
            "extra": {"a": {}, "b": [1, 2.5]},
            "ended": datetime(2012, 5, 31, 12, 30, tzinfo=UTC),
        },
        ("won", False),
        {"N": "0"},
    ),
}


@pytest.fixture
def db() -> Iterator[dw.Database]:
    with dw.connect("memory:") as database:
        yield database


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest, db: dw.Database) -> Case:
    stored: Case = request.param
    db.create_tables(stored.model)
    put_raw(db, stored.model, stored.item)
    return stored


def put_raw(db: dw.Database, model: Any, item: Item) -> None:
    db.engine.send("PutItem", json.dumps({"TableName": db.table(model).name, "Item": item}).encode())


def all_raw(db: dw.Database, model: Any) -> list[Item]:
    found: list[Item] = json.loads(db.engine.send("Scan", json.dumps({"TableName": db.table(model).name}).encode()))[
        "Items"
    ]
    return found


def test_is_read(case: Case) -> None:
    item = case.model.get_one(*case.key)
    assert {name: getattr(item, name) for name in case.values} == case.values
    name = case.partition_key
    assert case.model.query(**{name: case.key[0]}).one() == item
    assert case.model.scan().one() == item
    assert case.model.get_many([case.key]).items == [item]


def test_what_is_unchanged_is_not_written(case: Case, db: dw.Database) -> None:
    item = case.model.get_one(*case.key)
    assert item.save() is False
    assert all_raw(db, case.model) == [case.item]


@pytest.mark.parametrize("check", [None, "loaded"])
def test_a_change_changes_nothing_else(case: Case, db: dw.Database, check: Any) -> None:
    item = case.model.get_one(*case.key)
    name, value = case.change
    setattr(item, name, value)
    assert item.save(check=check) is True
    assert all_raw(db, case.model) == [case.item | {name: case.stored}]
    assert getattr(case.model.get_one(*case.key), name) == value


def test_an_update_by_key_reaches_it(case: Case, db: dw.Database) -> None:
    name, value = case.change
    assert getattr(case.model.key(*case.key).update(**{name: value}), name) == value
    assert all_raw(db, case.model) == [case.item | {name: case.stored}]


def test_what_is_put_anew_reads_the_same(case: Case, db: dw.Database) -> None:
    item = case.model.get_one(*case.key)
    item.put(check="loaded")
    assert len(all_raw(db, case.model)) == 1  # the same key
    again = case.model.get_one(*case.key)
    assert {name: getattr(again, name) for name in case.values} == case.values


def test_it_is_deleted_as_it_was_loaded(case: Case, db: dw.Database) -> None:
    case.model.get_one(*case.key).delete(check="loaded")
    assert all_raw(db, case.model) == []


def test_conditions_compare_with_the_stored_form(db: dw.Database) -> None:
    db.create_tables(Game, Sale)
    put_raw(db, Game, GAME)
    put_raw(db, Sale, SALE)
    assert Game.find(Game.won == True).count() == 1  # noqa: E712
    assert Game.scan(won=False).count() == 0
    noon = datetime(2012, 5, 31, 12, tzinfo=UTC)
    assert Game.query(Game.players == ("duke", "doomguy"), Game.at >= noon).count() == 1
    assert Game.query(Game.players == ("duke", "doomguy"), Game.at > noon).count() == 0
    assert (
        Sale.query("a", at__between=(datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 2, 1, tzinfo=UTC))).count() == 1
    )


def test_dynamojos_indexes_find_its_items_and_follow_their_changes(db: dw.Database) -> None:
    db.create_tables(app)
    put_raw(db, Alarm, ALARM)
    (alarm,) = Alarm.by_type.query("DISK", at__begins_with="2024-").all()
    assert Alarm.by_search.query(account="acme", type="DISK", name="disk #1 full").one() == alarm
    assert Alarm.find(Alarm.type == "DISK").all() == [alarm]
    assert Alarm.by_owner.query("ann").all() == []

    alarm.name, alarm.owner = "gone", "ann"
    assert alarm.save(check="loaded") is True
    text = {"S": "DISK~gone~2024-01-02T03:04:05"}
    changed = {"name": {"S": "gone"}, "owner": {"S": "ann"}, "gsi1_pk": {"S": "ann"}, "search": text, "lsi0_sk": text}
    assert all_raw(db, Alarm) == [ALARM | changed]
    assert Alarm.by_owner.query("ann").one() == alarm


def test_dynamojos_bare_keys_are_found_by_their_index(db: dw.Database) -> None:
    db.create_tables(BareAlarm)
    put_raw(db, BareAlarm, BARE)
    assert BareAlarm.by_type.query("DISK", at_again__gte="2024").one().to_item() == BARE


class Entry(Model, table="entries"):
    """A class of dynamodb-mapper's with an auto-increment hash key."""

    id: Attr[int] = partition_key(default=counter(key=-1, attribute="__max_hash_key__"))
    text: Attr[str] = attr(default="")


MAXIMUM: Item = {"id": {"N": "-1"}, "__max_hash_key__": {"N": "7"}}


def test_the_auto_increment_row_goes_on_counting(db: dw.Database) -> None:
    db.create_tables(Entry)
    put_raw(db, Entry, MAXIMUM)
    put_raw(db, Entry, {"id": {"N": "7"}, "text": {"S": "seven"}})
    put_raw(db, Entry, {"id": {"N": "8"}, "text": {"S": "by hand"}})

    entry = Entry(text="nine")
    entry.insert()  # 8 is taken, as dynamodb-mapper saw to as well
    assert entry.id == 9
    assert {one.id for one in Entry.scan()} == {7, 8, 9}  # the row is no entry
    assert Entry.counter_of("id").last() == 9
    assert {"id": {"N": "-1"}, "__max_hash_key__": {"N": "9"}} in all_raw(db, Entry)


def test_the_auto_increment_row_is_left_alone_by_what_writes_many(db: dw.Database) -> None:
    db.create_tables(Entry)
    put_raw(db, Entry, MAXIMUM)
    put_raw(db, Entry, {"id": {"N": "7"}})
    assert Entry.update_where(Entry.id > -9, Entry.text.set("new"), allow_scan=True).written == 1
    assert Entry.delete_where(Entry.id > -9, allow_scan=True).written == 1
    assert all_raw(db, Entry) == [MAXIMUM]
