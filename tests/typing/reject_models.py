"""What may not be written with mapped classes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from dynawire import (
    Attr,
    GlobalIndex,
    Model,
    Stored,
    attr,
    connect,
    joined,
    partition_key,
    sort_key,
    template,
    updated_at,
    version,
)


class Airport(Model, table="airports"):
    state: Attr[str] = partition_key()
    iata: Attr[str] = sort_key()
    name: Attr[str]
    city: Attr[str | None] = attr(default=None)
    latitude: Attr[float] = attr(default=0)
    visits: Attr[int] = attr(default=0, ge=0)
    tags: Attr[set[str]] = attr(default_factory=set)
    scores: Attr[list[int]] = attr(default_factory=list)

    by_city = GlobalIndex(partition_key="city")


class Reading(Model[str, int], table="readings"):
    sensor: Attr[str] = partition_key()
    at: Attr[int] = sort_key()


class Session(Model[UUID, None], table="sessions"):
    id: Attr[UUID] = partition_key()


class Wrong(Model, table="wrong"):
    a: Attr[int] = attr(default="x")  # error: arg-type
    b: Attr[int] = attr(default=None)  # error: arg-type
    c: Attr[set[str]] = attr(default_factory=list)  # error: arg-type
    d: Attr[str] = partition_key(default=1)  # error: arg-type
    e: Attr[str] = attr(min_length="3")  # error
    f: Attr[str] = attr(patern="x")  # error
    g: Attr[str] = attr(default="x", default_factory=str)  # error


class Keyword(Model, tabel="x"):  # error: call-arg
    pass


class Billing(Model, table="xxx", billing="FREE"):  # error: arg-type
    pass


airport = Airport(state="TX", iata="DFW", name="x")
Airport(state="TX", iata="DFW")  # error: call-arg
Airport(state=1, iata="DFW", name="x")  # error: arg-type
Airport(state="TX", iata="DFW", name=None)  # error: arg-type
Airport(state="TX", iata="DFW", name="x", visit=1)  # error: call-arg
Airport("TX", "DFW", "x")  # error
Airport(state="TX", iata="DFW", name="x", tags=["a"])  # error: arg-type

airport.visits = "x"  # error: assignment
airport.name = None  # error: assignment
airport.visit = 1  # error: attr-defined
airport.visit  # error: attr-defined
airport.name.add(1)  # error: attr-defined
airport.tags.add(1)  # error: arg-type
Airport.visit  # error: attr-defined
airport.city = 1  # error: assignment

Airport.visits >= "x"  # error: operator
Airport.name < 1  # error: operator
Airport.scan(Airport.name == 1)  # error: arg-type
Airport.scan(Airport.visits)  # error: arg-type
Airport.query("TX").where(Airport.visits > "3")  # error: operator
Airport.by_city.query("x").where(Airport.nam == "x")  # error: attr-defined
airport.update(Airport.visits.add("x"))  # error
airport.update(Airport.visits.set("x"))  # error: arg-type
airport.update(Airport.name.add(1))  # error
airport.update(Airport.visits == 3)  # error: arg-type

Airport.get(None, "DFW")  # error: arg-type
Airport.get(["TX"], "DFW")  # error: arg-type
Airport.get({"TX"}, "DFW")  # error: arg-type
Airport.get("TX", "DFW", None)  # error: arg-type
Airport.get("TX", "DFW", consistent="yes")  # error: arg-type
Airport.get(("TX", "DFW"))  # error: arg-type
Airport.get(airport)  # error: arg-type
Airport.key(None)  # error: arg-type
Airport.query(None)  # error: arg-type
Airport.query(["TX"])  # error: arg-type
Reading.get(1, 1)  # error: arg-type
Reading.get("a", "b")  # error: arg-type
Reading.get_one("a", None)  # error: arg-type
Reading.exists(UUID(int=1), 1)  # error: arg-type
Reading.query(1)  # error: arg-type
Reading.query("a", "b")  # error: arg-type
Session.get("a")  # error: arg-type
Session.get(UUID(int=1), "b")  # error: arg-type

found: Airport = Airport.get("TX", "DFW")  # error: assignment
Airport.get("TX", "DFW").name  # error: union-attr
items: list[Reading] = Airport.query("TX").all()  # error: assignment
first: Airport = Airport.query("TX").first()  # error: assignment
rows: list[tuple[str, str]] = Airport.query("TX").project(Airport.iata, Airport.visits).all()  # error: assignment
Stored(1, 2)  # error: arg-type

db = connect("memory:")
wrong: Reading | None = db.table(Airport).get("TX", "DFW")  # error: assignment
db.table(Airport).put(Reading(sensor="x", at=1))  # error: arg-type
Airport.put_many([Reading(sensor="x", at=1)])  # error
two: tuple[Airport | None, Airport | None] = db.transact_get(Airport.key("TX", "A"), Reading.key("a", 1))  # error
db.transact_get(Airport.key("TX", "A"), Reading.key("a", 1))[0].name  # error: union-attr
db.transact_get(("TX", "A"))  # error


async def awaited() -> None:
    read: Airport = await Airport.aget("TX", "DFW")  # error: assignment
    await Reading.aget(1, 1)  # error: arg-type
    Airport.aget("TX", "DFW").name  # error: attr-defined
    print(read)


def reads(read: Airport) -> None:
    number: int = read.visits
    text: str = read.city  # error: assignment
    text = read.visits  # error: assignment
    print(number, text)


def uses(model: type[Model[Any, Any]]) -> None:
    model.scan(1)  # error: arg-type


class Versioned(Model, table="versioned"):
    id: Attr[str] = partition_key()
    owner: Attr[str] = attr(default="", immutable="yes")  # error
    v: Attr[int] = version()
    updated: Attr[datetime | None] = updated_at()


versioned = Versioned(id="a", v=3)  # error: call-arg
versioned = Versioned(id="a", updated=None)  # error: call-arg
versioned.v = "3"  # error: assignment
later: datetime = versioned.updated  # error: assignment
Versioned.key("a").update(expected_version="3")  # error: arg-type
updated_at(clock=lambda: 3)  # error


class Composed(Model, table="composed"):
    first: Attr[str] = partition_key()
    both: Attr[str] = joined("first", "first")
    other: Attr[str] = template("{first}", missing="none")  # error: arg-type
    third: Attr[str] = joined("first", 7)  # error: arg-type


Composed(first="a", both="b")  # error: call-arg
versioned.save(check="version")  # error: arg-type
versioned.put(check=True)  # error: arg-type


class Mutating(Model, table="mutating"):
    id: Attr[str] = partition_key(mutator="lower")  # error
    name: Attr[str] = attr(default="", mutator=3)  # error
