"""What may be written with mapped classes."""

from __future__ import annotations

import dataclasses
from collections.abc import Coroutine
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, assert_type
from uuid import UUID, uuid4

from dynawire import (
    Attr,
    Condition,
    EpochSeconds,
    GlobalIndex,
    Json,
    Key,
    LocalIndex,
    Model,
    Page,
    Path,
    Query,
    Stored,
    attr,
    computed,
    connect,
    created_at,
    discriminator,
    joined,
    partition_key,
    sort_key,
    template,
    ttl,
    updated_at,
    version,
)


class Address(Model):
    street: Attr[str]
    zip: Attr[str | None] = attr(default=None)


@dataclasses.dataclass
class Point:
    x: float
    y: float


class Timestamps(Model, abstract=True):
    created: Attr[datetime] = attr(default_factory=lambda: datetime.now(UTC))
    expires: Attr[Annotated[datetime | None, EpochSeconds]] = attr(default=None)


class Airport(Timestamps, table="airports", ttl="expires", stream="NEW_IMAGE"):
    state: Attr[str] = partition_key()
    iata: Attr[str] = sort_key()
    name: Attr[str]
    city: Attr[str | None] = attr(default=None)
    latitude: Attr[float] = attr(default=0)
    visits: Attr[int] = attr(default=0, ge=0)
    price: Attr[Decimal] = attr(default=Decimal(1), multiple_of=Decimal("0.01"))
    kind: Attr[Literal["big", "small"]] = attr(default="small")
    tags: Attr[set[str]] = attr(default_factory=set)
    scores: Attr[list[int]] = attr(default_factory=list, max_length=3)
    address: Attr[Address | None] = attr(default=None)
    point: Attr[Annotated[Point, Json]]
    colour: Attr[Annotated[Point, Stored(str, lambda text: Point(1, 2))]]
    either: Attr[int | str] = attr(default=1)
    extra: Attr[Any] = attr(default=None)
    limit: ClassVar[int] = 3

    by_city = GlobalIndex(partition_key="city", sort_key="name", projection=["visits"])
    by_name = LocalIndex("name")

    @property
    def title(self) -> str:
        return self.name.title()


class Session(Model[UUID], table="sessions"):
    id: Attr[UUID] = partition_key(default_factory=uuid4)


class Reading(Model[str, int], table="readings"):
    sensor: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    value: Attr[float]


class Single(Model[int, None], table="singles"):
    id: Attr[int] = partition_key()


def construction() -> Airport:
    Address(street="x")
    Reading(sensor="x", at=1, value=1)
    Session()
    return Airport(state="TX", iata="DFW", name="x", point=Point(1, 2), colour=Point(1, 2), city="y", tags={"a"})


def instances(airport: Airport) -> None:
    assert_type(airport.state, str)
    assert_type(airport.city, str | None)
    assert_type(airport.visits, int)
    assert_type(airport.tags, set[str])
    assert_type(airport.point, Point)
    assert_type(airport.created, datetime)
    assert_type(airport.either, int | str)
    assert_type(airport.title, str)
    assert_type(Airport.limit, int)
    airport.city = None
    airport.latitude = 1
    airport.visits += 1
    airport.tags.add("x")
    if airport.address is not None:
        airport.address.street = "y"


def paths() -> None:
    assert_type(Airport.state, Path[str])
    assert_type(Airport.city, Path[str | None])
    assert_type(Airport.created, Path[datetime])
    assert_type(Airport.visits >= 3, Condition)
    assert_type(Airport.scores[0], Path[int])


def keys() -> None:
    Airport.get("TX", "DFW")
    Airport.get(state="TX", iata="DFW")
    Airport.get("TX", iata="DFW", consistent=True)
    Session.get(uuid4())
    Session.get(id=uuid4())
    Reading.get("a", 1)
    Reading.key("a", 1).update(Reading.value.set(3))
    Single.get(1)
    assert_type(Airport.get("TX", "DFW"), Airport | None)
    assert_type(Airport.get_one("TX", "DFW"), Airport)
    assert_type(Airport.exists("TX", "DFW"), bool)
    assert_type(Airport.key("TX", "DFW"), Key[Airport])
    assert_type(Reading.key("a", 1).get(), Reading | None)


def queries() -> None:
    assert_type(Airport.query("TX"), Query[Airport])
    assert_type(Airport.query("TX", Airport.iata.begins_with("D")).where(Airport.visits > 3), Query[Airport])
    assert_type(Airport.query("TX", "DFW"), Query[Airport])
    assert_type(Airport.query(state="TX", iata__begins_with="D"), Query[Airport])
    assert_type(Airport.query(Airport.state == "TX"), Query[Airport])
    assert_type(Reading.query("a", Reading.at > 3), Query[Reading])
    assert_type(Reading.query("a", 3), Query[Reading])
    assert_type(Airport.query("TX").first(), Airport | None)
    assert_type(Airport.query("TX").one(), Airport)
    assert_type(Airport.query("TX").all(), list[Airport])
    assert_type(Airport.query("TX").page(size=3), Page[Airport])
    assert_type(Airport.query("TX").project(Airport.iata, Airport.visits), Query[tuple[str, int]])
    assert_type(Airport.scan(name__ne="x").count(), int)
    assert_type(Airport.by_city.query("Austin").reverse().limit(3), Query[Airport])
    assert_type(Airport.by_name.query("TX", "x").first(), Airport | None)
    for airport in Airport.scan():
        assert_type(airport, Airport)
    for iata, visits in Airport.query("TX").project(Airport.iata, Airport.visits):
        assert_type(iata, str)
        assert_type(visits, int)


async def awaited() -> None:
    assert_type(await Airport.aget("TX", "DFW"), Airport | None)
    assert_type(await Airport.aget_one("TX", "DFW"), Airport)
    assert_type(await Reading.query("a").afirst(), Reading | None)
    async for airport in Airport.by_city.query("Austin"):
        assert_type(airport, Airport)
    waiting: Coroutine[Any, Any, Reading | None] = Reading.aget("a", 1)
    await waiting


def writes(airport: Airport) -> None:
    airport.insert()
    assert_type(airport.save(), bool)
    assert_type(airport.update(Airport.visits.add(1), condition=Airport.visits < 100), Airport)
    assert_type(airport.delete(return_old=True), Airport | None)
    assert_type(Airport.key("TX", "DFW").update(Airport.tags.add({"hub"}), upsert=True), Airport)
    Airport.put_many([airport])
    Airport.get_many([("TX", "DFW"), Airport.key("TX", "AUS")])
    db = connect("memory:")
    assert_type(db.table(Airport).get("TX", "DFW"), Airport | None)
    with db.transaction() as tx:
        tx.insert(airport)
        tx.update(Airport.key("TX", "DFW"), Airport.visits.add(1))
        tx.check(Airport.key("TX", "AUS"), Airport.visits == 5)
    keys = [Airport.key("TX", "DFW"), Airport.key("TX", "AUS")]
    assert_type(db.transact_get(*keys), tuple[Airport | None, ...])
    assert_type(db.transact_get(keys[0], Reading.key("a", 1)), tuple[Airport | None, Reading | None])


async def together() -> None:
    db = connect("memory:")
    found, single, reading = await db.atransact_get(
        Airport.key("TX", "DFW"), Single.key(1), db.table(Reading).key("a", 1)
    )
    assert_type(found, Airport | None)
    assert_type(single, Single | None)
    assert_type(reading, Reading | None)


def any_model(model: type[Model[Any, Any]], instance: Model[Any, Any]) -> None:
    model.scan()
    instance.validate()


any_model(Reading, Reading(sensor="a", at=1, value=2))
any_model(Airport, construction())
assert_type(Airport.from_item({}), Airport)


class Versioned(Model, table="versioned"):
    id: Attr[str] = partition_key()
    owner: Attr[str | None] = attr(default=None, immutable=True)
    v: Attr[int] = version(name="ver")
    created: Attr[datetime | None] = created_at()
    updated: Attr[datetime | None] = updated_at(clock=lambda: datetime.now(UTC))
    last: Attr[str]


versioned = Versioned(id="a", last="b")
assert_type(versioned.v, int)
assert_type(versioned.created, datetime | None)
assert_type(Versioned.v, Path[int])
versioned.v = 3
Versioned.key("a").update(last="c", expected_version=3)
Versioned.key("a").delete(expected_version=3)


class Expiring(Model, table="expiring", hide_expired=True):
    id: Attr[str] = partition_key()
    expires: Attr[datetime | None] = ttl(default=None)
    until: Attr[datetime] = ttl(default_factory=lambda: datetime.now(UTC))
    at: Attr[int] = ttl()


assert_type(Expiring(id="a", at=1).expires, datetime | None)
assert_type(Expiring.query("a").hide_expired(False), Query[Expiring])
assert_type(Expiring.find(Expiring.expires < datetime.now(UTC)).hide_expired(False).first(), Expiring | None)


class Composed(Model, table="composed"):
    first: Attr[str] = partition_key()
    second: Attr[str | None] = attr(default=None)
    both: Attr[str | None] = joined("first", "second", separator="~")
    code: Attr[str] = template("X#{first}", missing="error")
    folded: Attr[str] = computed(str.casefold, "first")


composed = Composed(first="a")
assert_type(composed.both, str | None)
assert_type(Composed.folded, Path[str])


class Animal(Model, table="animals"):
    name: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()


class Dog(Animal, tag="dog"):
    barks: Attr[bool]


assert_type(Dog(name="Rex", barks=True).kind, str)
assert_type(Dog.get("Rex"), Dog | None)
for animal in Animal.scan(Dog.barks == True):  # noqa: E712 - a condition
    assert_type(animal, Animal)


assert_type(versioned.save(check="loaded"), bool)
versioned.delete(check="loaded", must_exist=True)
versioned.put(check="loaded", return_old=True)


class Mutating(Model, table="mutating"):
    id: Attr[str] = partition_key(mutator=str.lower)
    name: Attr[str] = attr(default="", mutator=str.strip)
    nick: Attr[str | None] = attr(default=None, mutator=lambda one: one.title())


assert_type(Mutating(id="a").nick, str | None)
