"""What conditions and updates may be written on typed paths."""
# ruff: noqa: E711, E712

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Literal, assert_type
from uuid import UUID

from dynawire.expressions import Condition, Path, Update


class Color(StrEnum):
    """An enumeration stored as text."""

    RED = "red"


class Address:
    """A class stored as a map."""


class Airport:
    """Paths as the mapper makes them of class attributes."""

    name: Path[str]
    city: Path[str | None]
    visits: Path[int]
    rank: Path[int | None]
    height: Path[float]
    width: Path[float | None]
    price: Path[Decimal]
    fee: Path[Decimal | None]
    amount: Path[int | float]
    open: Path[bool]
    photo: Path[bytes]
    icon: Path[bytes | None]
    kind: Path[Literal["big", "small"]]
    mode: Path[Literal["a", "b"] | None]
    color: Path[Color]
    built: Path[datetime]
    ident: Path[UUID]
    tags: Path[set[str]]
    codes: Path[frozenset[int] | None]
    scores: Path[list[int]]
    notes: Path[list[str] | None]
    row: Path[tuple[int, ...]]
    hotels: Path[list[Address]]
    names: Path[dict[str, int]]
    ratings: Path[dict[str, float] | None]
    address: Path[Address]
    either: Path[int | str]
    extra: Path[Any]


a = Airport


def condition(found: Condition) -> None: ...
def update(found: Update) -> None: ...


def comparisons(values: Iterable[str], moment: datetime) -> None:
    condition(a.name == "x")
    condition(a.name != "x")
    condition(a.city == "x")
    condition(a.city == None)
    condition(a.city != None)
    condition(a.visits == 1)
    condition(a.rank == 1)
    condition(a.height == 1)
    condition(a.height == 1.5)
    condition(a.price == Decimal(1))
    condition(a.open == True)
    condition(a.kind == "big")
    condition(a.mode == "a")
    condition(a.color == Color.RED)
    condition(a.ident == UUID(int=1))
    condition(a.tags == {"x"})
    condition(a.scores == [1])
    condition(a.names == {"x": 1})
    condition(a.either == 1)
    condition(a.either == "x")
    condition(a.extra == 1)
    condition(a.visits < 1)
    condition(a.rank <= 1)
    condition(a.height > 1)
    condition(a.width >= 1.5)
    condition(a.built < moment)
    condition(a.photo < b"x")
    condition(a.extra < "x")
    condition(a.visits > 1)
    condition(a.rank > 1)
    condition(a.visits.between(1, 2))
    condition(a.rank.between(1, 2))
    condition(a.name.between("a", "b"))
    condition(a.name.in_(["a", "b"]))
    condition(a.name.in_(values))
    condition(a.rank.in_([1, None]))
    condition(a.visits.in_({1, 2}))
    condition(a.visits.in_(range(3)))


def comparisons_with_paths() -> None:
    condition(a.visits == a.rank)
    condition(a.rank < a.visits)
    condition(a.height > a.visits)
    condition(a.name == a.city)
    condition(a.name == a.extra)
    condition(a.extra == a.name)
    condition(a.visits > a.name.size())
    condition(a.visits.between(a.rank, 5))
    condition(a.visits.in_([a.rank, 5]))
    condition(a.name.size() == a.visits)
    condition(a.name.size() > a.tags.size())
    condition(a.name.size().between(1, 2))
    condition(a.name.size() > 3)


def functions() -> None:
    condition(a.name.begins_with("x"))
    condition(a.city.begins_with("x"))
    condition(a.kind.begins_with("x"))
    condition(a.mode.begins_with("x"))
    condition(a.color.begins_with("x"))
    condition(a.photo.begins_with(b"x"))
    condition(a.icon.begins_with(b"x"))
    condition(a.extra.begins_with("x"))
    condition(a.extra.begins_with(b"x"))
    condition(a.name.begins_with(a.city))
    condition(a.name.contains("x"))
    condition(a.city.contains("x"))
    condition(a.photo.contains(b"x"))
    condition(a.tags.contains("x"))
    condition(a.codes.contains(1))
    condition(a.scores.contains(1))
    condition(a.notes.contains("x"))
    condition(a.row.contains(1))
    condition(a.scores.contains(a.visits))
    condition(a.extra.contains(1))
    condition(a.name.exists())
    condition(a.name.not_exists())
    condition(a.name.is_type("S"))
    condition(a.name.is_type(str))
    condition(a.name.is_type(None))


def combinations() -> None:
    condition((a.visits > 1) & (a.name == "x") | ~(a.city == None))


def inside() -> None:
    assert_type(a.scores[0], Path[int])
    assert_type(a.notes[0], Path[str])
    assert_type(a.row[0], Path[int])
    assert_type(a.names["x"], Path[int])
    assert_type(a.ratings["x"], Path[float])
    assert_type(a.hotels[0], Path[Address])
    assert_type(a.hotels[0].city, Path[Any])
    assert_type(a.address.city, Path[Any])
    assert_type(a.address["size"], Path[Any])
    assert_type(a.extra["x"][0], Path[Any])
    condition(a.address.city == "x")
    condition(a.names["x"] > 1)
    update(a.hotels[0].stars.add(1))


def assignments() -> None:
    update(a.name.set("x"))
    update(a.city.set(None))
    update(a.name.set(a.name))
    update(a.city.set(a.name))
    update(a.height.set(1))
    update(a.tags.set({"x"}))
    update(a.scores.set([1]))
    update(a.names.set({"x": 1}))
    update(a.kind.set("big"))
    update(a.extra.set(None))
    update(a.visits.set(a.extra))
    update(a.visits.set_if_not_exists(1))
    update(a.city.set_if_not_exists("x"))
    update(a.visits.remove())


def arithmetic() -> None:
    update(a.visits.set(a.visits + 1))
    update(a.visits.set(1 + a.visits))
    update(a.visits.set(a.visits - 1))
    update(a.visits.set(1 - a.visits))
    update(a.visits.set(a.visits + a.rank))
    update(a.rank.set(a.rank + 1))
    update(a.rank.set(a.visits + 1))
    update(a.height.set(a.height + 1))
    update(a.height.set(a.height + 1.5))
    update(a.height.set(1.5 + a.height))
    update(a.height.set(a.visits + 1))
    update(a.width.set(a.width - 1.5))
    update(a.price.set(a.price + 1))
    update(a.price.set(a.price + Decimal("0.1")))
    update(a.fee.set(Decimal("0.1") - a.fee))
    update(a.amount.set(a.amount + 1))
    update(a.extra.set(a.extra + 1))
    update(a.visits.set(a.extra + 1))
    update(a.visits.set(a.visits.if_not_exists(0) + 1))
    update(a.rank.set(a.rank.if_not_exists(0) + 1))
    update(a.visits.set(a.visits.if_not_exists(a.extra)))
    update(a.height.set(a.height.if_not_exists(0.0) - 1.5))


def additions() -> None:
    update(a.visits.add(1))
    update(a.rank.add(-1))
    update(a.height.add(1))
    update(a.height.add(1.5))
    update(a.width.add(1.5))
    update(a.price.add(1))
    update(a.price.add(Decimal("0.1")))
    update(a.fee.add(Decimal("0.1")))
    update(a.amount.add(1))
    update(a.tags.add({"x"}))
    update(a.tags.add(frozenset({"x"})))
    update(a.codes.add({1}))
    update(a.extra.add(1))
    update(a.extra.add({"x"}))
    update(a.tags.delete({"x"}))
    update(a.codes.delete({1}))
    update(a.extra.delete({"x"}))


def lists(values: Iterable[int]) -> None:
    update(a.scores.append(1))
    update(a.notes.append("x"))
    update(a.row.append(1))
    update(a.hotels.append(Address()))
    update(a.extra.append(1))
    update(a.scores.prepend(1))
    update(a.notes.prepend("x", create=False))
    update(a.scores.extend([1, 2]))
    update(a.scores.extend(values))
    update(a.scores.extend(a.scores))
    update(a.scores.extend(a.extra))
    update(a.notes.extend(["x"], create=False))


def whole_numbers_compare_with_decimals() -> None:
    condition(a.price == 1)
    condition(a.price != 1)
    condition(a.price > 5)
    condition(a.fee <= 5)
    condition(a.price >= a.visits)
    condition(a.price.between(1, Decimal("2.5")))
    condition(a.price.in_([1, Decimal("2.5")]))
    condition(a.fee.in_([1, None]))
