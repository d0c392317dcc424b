"""Attributes computed from others: kept by every write, never set by hand."""

from __future__ import annotations

import copy
import enum
import pickle
import re
import traceback
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, attr, computed, joined, partition_key, sort_key, template, updated_at
from dynawire.errors import ConditionFailed, ExpressionError, SchemaError, TransactionCancelled, ValidationError
from tests.support.databases import Twins, raw_update, recorded, stored_item


def total(price: int, count: int) -> int | None:
    return price * count if count else None


class Thing(Model, table="things"):
    id: Attr[str] = partition_key()
    country: Attr[str] = attr(default="DE")
    city: Attr[str | None] = attr(default=None)
    price: Attr[int] = attr(default=1)
    count: Attr[int] = attr(default=0, name="cnt")
    place: Attr[str | None] = joined("country", "city", name="pl")
    rank: Attr[str] = template("P#{price}#{id}")
    lower: Attr[str] = computed(str.lower, "country")
    total: Attr[int | None] = computed(total, "price", "count")

    by_place = GlobalIndex("place", "price")


class Stamped(Model, table="stamped"):
    id: Attr[str] = partition_key()
    owner: Attr[str] = attr(default="ann")
    changed: Attr[datetime | None] = updated_at()
    recent: Attr[str | None] = template("{owner}#{changed}")


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Thing, Stamped)


def computed_of(item: dict[str, Any]) -> dict[str, Any]:
    """What is stored of the computed attributes, without type descriptors."""
    return {name: next(iter(item[name].values())) for name in ("pl", "rank", "lower", "total") if name in item}


def check(db: dw.Database, key: str = "1") -> dict[str, Any]:
    """What is stored is what a put of the item as it is read would store."""
    stored = stored_item(db, Thing(id=key))
    assert stored is not None
    fresh = Thing.from_item(stored).to_item()
    assert computed_of(stored) == computed_of(fresh)
    return computed_of(stored)


def test_an_instance_has_them_at_once() -> None:
    thing = Thing(id="1", city="Bonn", count=3, price=7)
    assert (thing.place, thing.rank, thing.lower, thing.total) == ("DE#Bonn", "P#p017#1", "de", 21)
    thing.city, thing.count = None, 0
    assert (thing.place, thing.total) == (None, None)
    assert thing.to_dict()["rank"] == "P#p017#1"
    assert copy.deepcopy(thing).rank == pickle.loads(pickle.dumps(thing)).rank == thing.rank


def test_every_whole_write_stores_them(db: dw.Database, twin: Twins) -> None:
    first = Thing(id="1", city="Bonn", count=3)
    twin(first).insert()
    assert check(db) == {"pl": "DE#Bonn", "rank": "P#p011#1", "lower": "de", "total": "3"}
    first.city = None
    twin(first).put()
    assert check(db) == {"rank": "P#p011#1", "lower": "de", "total": "3"}
    first.price = -5
    twin(first).put(exactly_once=True)
    assert check(db)["rank"] == "P#n984#1"
    twin(Thing).put_many([Thing(id=str(number), city="a#b") for number in range(30)])
    assert check(db, "29")["pl"] == "DE#a%23b"
    twin.within(db.transaction(), lambda tx: tx.put(Thing(id="1", price=2)))
    assert check(db)["rank"] == "P#p012#1"
    twin(Thing(id="new", country="FR")).save()
    assert check(db, "new")["lower"] == "fr"


def test_a_save_stores_those_whose_sources_changed(db: dw.Database, twin: Twins) -> None:
    thing = Thing(id="1", city="Bonn", count=3)
    twin(thing).insert()
    thing.price = 2
    sent = Thing.params.save(thing)
    assert sorted(sent["ExpressionAttributeNames"].values()) == ["cnt", "id", "price", "rank", "total"]
    twin(thing).save()
    assert check(db) == {"pl": "DE#Bonn", "rank": "P#p012#1", "lower": "de", "total": "6"}
    assert twin(thing).save() is False
    thing.city = None
    twin(thing).save(exactly_once=True)
    thing.country = "FR"
    twin.within(db.transaction(), lambda tx: tx.save(thing))
    assert check(db) == {"rank": "P#p012#1", "lower": "fr", "total": "6"}
    found = twin(Thing).get("1")
    found.city = "Paris"
    twin(found).save()
    assert check(db)["pl"] == "FR#Paris"
    assert [one.id for one in Thing.by_place.query("FR#Paris")] == ["1"]


def test_what_another_writer_changed_is_noticed(db: dw.Database, twin: Twins) -> None:
    twin(Thing(id="1", city="Bonn")).insert()
    mine, yours = twin(Thing).get("1"), twin(Thing).get("1")
    yours.country = "FR"
    twin(yours).save()
    mine.city = "Paris"
    with pytest.raises(
        ConditionFailed, match=r"another writer changed Thing.country, from which place is computed"
    ) as info:
        twin(mine).save()
    assert info.value.item.country == "FR"
    with pytest.raises(ConditionFailed, match=r"Thing\.country"):
        twin(mine).update(city="Paris")
    with pytest.raises(TransactionCancelled, match=r"Thing\.country"):
        twin.within(db.transaction(), lambda tx: tx.save(mine))
    check(db)
    # What has nothing to do with it is no conflict.
    twin(mine).refresh()
    yours.price = 5
    twin(yours).save()
    mine.city = "Lyon"
    twin(mine).save()
    assert check(db) == {"pl": "FR#Lyon", "rank": "P#p015#1", "lower": "fr"}
    twin(mine).update(city=None)
    assert "pl" not in check(db)


def test_updates_by_key_need_every_source(db: dw.Database, twin: Twins) -> None:
    twin(Thing(id="1", city="Bonn")).insert()
    key = Thing.key("1")
    sent = len(recorded(db).sent)
    with pytest.raises(
        ExpressionError,
        match=r"Thing.city is one of the sources of place, and so is country, .* set country in this update too, "
        r"require it \(condition=Thing.country == ...\), or update an instance",
    ):
        twin(key).update(city="Paris")
    with pytest.raises(ExpressionError, match=r"Thing.price is a source of rank, .* give price a value"):
        twin(key).update(Thing.price.add(1))
    with pytest.raises(ExpressionError, match=r"set count in this update"):
        twin(key).update(price=2)
    assert len(recorded(db).sent) == sent
    assert twin(key).update(city="Paris", country="FR").place == "FR#Paris"
    assert twin(key).update(city="Lyon", condition=Thing.country == "FR").place == "FR#Lyon"
    with pytest.raises(ConditionFailed):
        twin(key).update(city="Rome", condition=Thing.country == "IT")
    # Leaving one source out leaves it out, whatever the others are.
    assert twin(key).update(city=None).place is None
    assert twin(key).update(price=2, count=4).total == 8
    assert twin(key).update(price=3, count=4, exactly_once=True).total == 12
    twin.within(db.transaction(), lambda tx: tx.update(key, price=5, count=6))
    assert check(db) == {"rank": "P#p015#1", "lower": "fr", "total": "30"}


def test_updates_of_an_instance_take_from_it_what_it_was_loaded_as(db: dw.Database, twin: Twins) -> None:
    twin(Thing(id="1", city="Bonn")).insert()
    thing = twin(Thing).get("1")
    thing.country = "XX"  # not saved, so it is no source
    twin(thing).update(city="Paris")
    assert (check(db)["pl"], thing.country) == ("DE#Paris", "XX")
    twin(thing).save()
    assert check(db)["pl"] == "XX#Paris"
    with pytest.raises(ExpressionError, match=r"give price a value"):
        twin(thing).update(Thing.price.add(1))
    twin(thing).update(Thing.count.set(2), price=4)
    assert (thing.rank, check(db)["total"]) == ("P#p014#1", "8")
    fresh = Thing(id="1", country="XX")
    twin(fresh).update(city="Rome")
    assert check(db)["pl"] == "XX#Rome"


def test_a_source_that_is_absent_counts_as_its_default(db: dw.Database, twin: Twins) -> None:
    raw_update(db, Thing(id="1"), "SET city = :c", c={"S": "Bonn"})
    thing = twin(Thing).get("1")
    twin(thing).update(city="Paris")
    assert stored_item(db, thing)["pl"] == {"S": "DE#Paris"}  # type: ignore[index]
    raw_update(db, Thing(id="1"), "SET country = :c", c={"S": "FR"})
    with pytest.raises(ConditionFailed, match=r"Thing\.country"):
        twin(thing).update(city="Rome")


def test_upsert_creates_items_that_are_as_they_say(db: dw.Database, twin: Twins) -> None:
    key = Thing.key("1")
    with pytest.raises(ExpressionError, match=r"could create a Thing without .*: set .* in this update"):
        twin(key).update(city="Bonn", country="DE", upsert=True)
    twin(key).update(city="Bonn", country="DE", price=2, count=0, upsert=True)
    assert check(db) == {"pl": "DE#Bonn", "rank": "P#p012#1", "lower": "de"}


def test_update_where_maintains_them(db: dw.Database, twin: Twins) -> None:
    twin(Thing).put_many([Thing(id=str(number), city="Bonn", count=number) for number in range(5)])
    sent = len(recorded(db).sent)
    with pytest.raises(ExpressionError, match=r"set country in this update"):
        twin(Thing).update_where(Thing.city == "Bonn", city="Köln")
    assert len(recorded(db).sent) == sent
    result = twin(Thing).update_where((Thing.city == "Bonn") & (Thing.country == "DE"), city="Köln")
    assert result.written == 5
    assert check(db, "3")["pl"] == "DE#Köln"
    twin(Thing).update_where(Thing.count > 2, country="FR", city=None)
    assert check(db, "3") == {"rank": "P#p011#3", "lower": "fr", "total": "3"}


def test_maintained_times_can_be_sources(db: dw.Database, twin: Twins) -> None:
    one = Stamped(id="1")
    assert one.recent is None
    twin(one).insert()
    assert one.changed is not None
    assert one.recent == f"ann#{one.changed.isoformat()}"

    def same() -> bool:
        stored = stored_item(db, one)
        assert stored is not None
        return stored["recent"] == {"S": one.recent} == {"S": f"{one.owner}#{stored['changed']['S']}"}

    assert same()
    one.owner = "bob"
    twin(one).save()
    assert same()
    twin(one).update(owner="eve")
    assert same()
    twin(Stamped).put_many([one])
    assert same()
    # By key: every update sets the time, so whatever else the text is made of must be known.
    twin(Stamped.key("1")).update(owner="kim")
    assert stored_item(db, one)["recent"]["S"].startswith("kim#")  # type: ignore[index]


# ---------------------------------------------------------------------- reading


def test_they_are_paths(db: dw.Database, twin: Twins) -> None:
    twin(Thing).put_many([Thing(id="1", city="Bonn", count=2), Thing(id="2", country="FR", city="Lyon")])
    assert [one.id for one in Thing.find(Thing.place == "FR#Lyon")] == ["2"]
    assert [one.id for one in Thing.scan(lower="de")] == ["1"]
    assert twin.items(Thing.query("1").project(Thing.place, Thing.total)) == [("DE#Bonn", 2)]
    assert twin.items(Thing.query("2").project(Thing.place, Thing.total)) == [("FR#Lyon", None)]
    assert Thing.find(Thing.rank.begins_with("P#")).count() == 2
    found = twin(Thing).get("1")
    twin(found).refresh()
    assert found.place == "DE#Bonn"


# ---------------------------------------------------------------------- kinds of sources


class Colour(enum.Enum):
    RED = "r#d"


class Level(enum.IntEnum):
    LOW = -1


class Every(Model, table="every"):
    id: Attr[UUID] = partition_key()
    n: Attr[int] = sort_key()
    a: Attr[str] = attr(default="a#b")
    f: Attr[float] = attr(default=0.5)
    x: Attr[Decimal] = attr(default=Decimal("-1.5"))
    b: Attr[bool] = attr(default=True)
    d: Attr[date] = attr(default=date(2026, 1, 2))
    t: Attr[datetime] = attr(default=datetime(2026, 1, 2, tzinfo=UTC))
    l: Attr[timedelta] = attr(default=timedelta(seconds=90))  # noqa: E741
    c: Attr[Colour] = attr(default=Colour.RED)
    v: Attr[Level] = attr(default=Level.LOW)
    text: Attr[str] = template("{id}#{n}#{n:03}#{n:d}#{a}#{f}#{x}#{b}#{d}#{t}#{l}#{c}#{v}")


def test_every_kind_of_source(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Every)
    one = Every(id=UUID(int=1), n=7)
    twin(one).insert()
    assert one.text == (
        "00000000-0000-0000-0000-000000000001#p017#007#7#a%23b#p4995#n49984z#true#2026-01-02#"
        "2026-01-02T00:00:00+00:00#p5019#r%23d#n988"
    )
    assert stored_item(db, one)["text"] == {"S": one.text}  # type: ignore[index]
    with pytest.raises(ValidationError, match=r"Every.n is not between 0 and 999, as :03 in the template says"):
        twin(Every(id=UUID(int=1), n=-1)).put()


# ---------------------------------------------------------------------- what can't be


def test_they_can_not_be_set(db: dw.Database) -> None:
    thing = Thing(id="1")
    with pytest.raises(AttributeError, match=r"Thing.place is computed from country, city, and can't be set"):
        thing.place = "x"
    with pytest.raises(AttributeError, match=r"can't be set"):
        del thing.place
    with pytest.raises(TypeError, match=r"place"):
        Thing(id="1", place="x")  # type: ignore[call-arg]
    for update in (Thing.place.set("x"), Thing.place.remove(), Thing.total.add(1)):
        with pytest.raises(ExpressionError, match=r"is computed from .*; update those instead"):
            Thing.key("1").update(update)
    with pytest.raises(ExpressionError, match=r"computed from"):
        Thing.key("1").update(place="x", upsert=True)
    with pytest.raises(ExpressionError, match=r"computed from"):
        Thing.update_where(Thing.id == "1", place="x")


def test_a_missing_source_can_be_an_error(db: dw.Database, twin: Twins) -> None:
    class Strict(Model, table="strict"):
        id: Attr[str] = partition_key()
        a: Attr[str | None] = attr(default=None)
        both: Attr[str] = joined("id", "a", missing="error")

    db.create_tables(Strict)
    with pytest.raises(ValidationError, match=r"Strict.a is None, and both is computed from it"):
        twin(Strict(id="1")).insert()
    one = Strict(id="1", a="x")
    twin(one).insert()
    one.a = None
    with pytest.raises(ValidationError, match=r"Strict\.a is None"):
        twin(one).save()
    with pytest.raises(ValidationError, match=r"Strict\.a is None"):
        twin(Strict.key("1")).update(a=None)


def test_a_key_that_is_too_long_is_refused(db: dw.Database, twin: Twins) -> None:
    twin(Thing(id="1", city="ü" * 900)).put()
    with pytest.raises(
        ValidationError, match=r"Thing: place, computed from country, city, has 2,.* DynamoDB takes at most 2,048"
    ):
        twin(Thing(id="1", city="ü" * 1100)).put()


async def awaited(text: str) -> str:
    return text


def shouted(text: str) -> str:
    if text == "secret":
        raise RuntimeError(f"no {text} here")
    if text == "own":
        raise ValidationError("in words of one's own", model="Raising", attribute="shout")
    return text.upper()


class Raising(Model, table="raising"):
    id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="x")
    other: Attr[int] = attr(default=1)
    shout: Attr[str] = computed(shouted, "text")
    character: Attr[str] = computed(chr, "other")


def test_a_function_that_raises(db: dw.Database, twin: Twins) -> None:
    """A ValidationError that names what can't be computed and where, without the value, and nothing is written."""
    db.create_tables(Raising)
    stored = Raising(id="1")
    stored.insert()
    before = stored_item(db, stored)
    changed = Raising.get_one("1")
    changed.text = "secret"

    def transaction() -> None:
        with db.transaction() as tx:
            tx.put(Raising(id="1", text="secret"))

    writes: list[Any] = [
        lambda: twin(Raising(id="1", text="secret")).put(),
        lambda: twin(Raising(id="2", text="secret")).insert(),
        lambda: twin(changed).save(),
        lambda: twin(Raising.get_one("1")).update(text="secret"),
        lambda: twin(Raising.key("1")).update(text="secret"),
        lambda: twin(Raising.key("2")).update(text="secret", upsert=True),
        lambda: Raising.put_many([Raising(id="2"), Raising(id="1", text="secret")]),
        lambda: Raising.update_where(Raising.id == "1", text="secret"),
        changed.to_item,
        lambda: changed.shout,
        transaction,
    ]
    for write in writes:
        with pytest.raises(ValidationError, match=r"Raising\.shout could not be computed from text") as caught:
            write()
        error = caught.value
        assert (error.model, error.attribute) == ("Raising", "shout")
        assert re.search(r"its function raised RuntimeError at .*test_computed\.py:\d+$", error.errors[0][1])
        shown = "".join(traceback.format_exception(error)).split("ValidationError: ", 1)[1]
        assert "secret" not in shown + repr(error.__cause__) + repr(error.__context__)
    assert stored_item(db, stored) == before
    assert changed.text == "secret"
    changed.text = 7  # type: ignore[assignment]
    with pytest.raises(ValidationError, match=r"^Raising\.text must be str, not int, and shout is computed from it$"):
        _ = changed.shout
    with pytest.raises(ValidationError, match=r"^in words of one's own"):
        Raising(id="1", text="own").put()
    with pytest.raises(
        ValidationError, match=r"Raising\.character could .* from other: its function raised ValueError$"
    ):
        Raising(id="1", other=-5).put()


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        (lambda: joined("a"), "joins two or more"),
        (lambda: joined("a", 7), "joins two or more"),  # type: ignore[arg-type]
        (lambda: joined("a", "b", separator="ab"), "one printable ASCII character"),
        (lambda: joined("a", "b", missing="skip"), "missing='skip'; write 'absent' or 'error'"),  # type: ignore[arg-type]
        (lambda: joined("a", "bb"), "computed from 'bb', an attribute Wrong does not have; did you mean 'b'"),
        (lambda: joined("a", "tags"), "can't be composed of tags, which is set"),
        (lambda: joined("a", "raw"), "can't be composed of raw, which is bytes"),
        (lambda: joined("a", "other"), "other, which is computed itself"),
        (lambda: joined("a", "v"), r"v, a version\(\)"),
        (
            lambda: joined("a", "maybe"),
            r"is absent when maybe is None; write x: Attr\[str \| None\], or missing='error'",
        ),
        (lambda: template("{a}{b}"), "must be followed by the separator"),
        (lambda: template("{a:08}"), "a width, or d, is for numbers"),
        (lambda: template("{f:d}"), "d is for whole numbers"),
        (lambda: template("{a"), "has a template that can't work"),
        (lambda: computed(7, "a"), "takes a function first"),  # type: ignore[arg-type]
        (lambda: computed(str.lower), "names the attributes"),
        (lambda: computed(max, "a", "a"), "names an attribute twice"),
        (lambda: computed(str.lower, "zz"), "computed from 'zz'"),
        (lambda: computed(awaited, "a"), "is computed by an async function"),
    ],
)
def test_misuse_is_told_when_the_class_is_made(declared: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):

        class Wrong(Model, table="wrong"):
            a: Attr[str] = partition_key()
            b: Attr[str]
            f: Attr[float] = attr(default=0.0)
            maybe: Attr[str | None] = attr(default=None)
            tags: Attr[set[str]] = attr(default_factory=set)
            raw: Attr[bytes] = attr(default=b"")
            v: Attr[int] = dw.version()
            other: Attr[str] = joined("a", "b")
            x: Attr[str] = declared()


def test_more_misuse_of_declarations() -> None:
    with pytest.raises(SchemaError, match=r"composed by a template, so it is text; write x: Attr\[str\]"):

        class Number(Model, table="number"):
            a: Attr[str] = partition_key()
            x: Attr[int] = template("{a}")

    with pytest.raises(SchemaError, match=r"the class has no table"):

        class Nested(Model):
            a: Attr[str]
            x: Attr[str] = template("{a}")

    class Base(Model):
        x: Attr[str]

    with pytest.raises(SchemaError, match=r"x is an attribute of a base class"):

        class Derived(Base, table="derived"):
            a: Attr[str] = partition_key()
            x: Attr[str] = template("{a}")


def test_they_are_inherited(db: dw.Database) -> None:
    class Named(Model, abstract=True):
        name: Attr[str]
        lower: Attr[str] = computed(str.lower, "name")

    class Person(Named, table="people"):
        id: Attr[str] = partition_key()

    class Employee(Person, table="employees"):
        number: Attr[int] = attr(default=0)

    assert Person(id="1", name="ANN").lower == Employee(id="1", name="ANN").lower == "ann"
    assert Employee(id="1", name="ANN").to_item()["lower"] == {"S": "ann"}
    assert repr(Employee.lower) == "<Employee.lower>"
    with pytest.raises(AttributeError):
        Employee(id="1", name="ANN").lower = "x"
