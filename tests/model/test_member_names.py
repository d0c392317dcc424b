"""Attributes and map members whose names are also those of paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

import dynawire as dw
from dynawire import Attr, Model, Path, attr, partition_key


class Box(Model):
    """A map whose members have the names a path once had for itself."""

    owner: Attr[str]
    label: Attr[str]
    steps: Attr[int]
    codec: Attr[str]
    operand_codec: Attr[str]
    stores_none: Attr[bool]


class Odd(msgspec.Struct):
    """A map whose members have the names of a path's methods."""

    size: int
    set: str
    add: int


class Parcel(Model, table="parcels"):
    """Top-level attributes may have any of these names."""

    id: Attr[str] = partition_key()
    box: Attr[Box]
    odd: Attr[Odd]
    owner: Attr[str] = attr(default="")
    size: Attr[int] = attr(default=0)
    set: Attr[int] = attr(default=0)
    values: Attr[int] = attr(default=0)


@pytest.fixture
def db() -> Any:
    with dw.connect("memory:") as database:
        database.create_tables(Parcel)
        box = Box(owner="ann", label="red", steps=3, codec="c", operand_codec="o", stores_none=True)
        Parcel(id="1", box=box, odd=Odd(1, "s", 2), owner="bob", size=5, set=6).insert()
        yield database


@pytest.mark.usefixtures("db")
def test_members_with_a_paths_former_names() -> None:
    for name in Box.__struct_fields__:
        path = getattr(Parcel.box, name)
        assert isinstance(path, Path)
        assert Parcel.scan(path == getattr(Parcel.get_one("1").box, name)).count() == 1
    Parcel.key("1").update(Parcel.box.label.set("blue"), Parcel.box.steps.add(1))
    assert Parcel.scan().project(Parcel.box.label, Parcel.box.steps, Parcel.owner).all() == [("blue", 4, "bob")]


@pytest.mark.usefixtures("db")
def test_attributes_with_a_methods_name() -> None:
    found = Parcel.scan((Parcel.size == 5) & (Parcel.set == 6) & (Parcel.values == 0))
    assert found.project(Parcel.size, Parcel.owner).all() == [(5, "bob")]


def test_no_public_name_of_a_path_but_methods_hides_a_member() -> None:
    assert [name for name in dir(Path) if not name.startswith("_") and not callable(getattr(Path, name))] == []


HINT = r'a map member whose name is that of a path\'s method is reached as path\["name"\]'

REFUSED: list[Callable[[], Any]] = [
    lambda: Parcel.scan(Parcel.odd.size == 1),
    lambda: Parcel.scan(Parcel.odd.size),  # type: ignore[arg-type]
    lambda: Parcel.find(Parcel.odd.size == 1),
    lambda: Parcel.scan((Parcel.id == "1") & (Parcel.odd.set == "s")),
    lambda: Parcel.scan(Parcel.size == Parcel.odd.size),
    lambda: Parcel.size.in_([Parcel.odd.size]),
    lambda: Parcel.scan().project(Parcel.odd.size),
    lambda: Parcel.key("1").update(Parcel.odd.set),  # type: ignore[arg-type]
    lambda: Parcel.key("1").update(Parcel.size.set(1), condition=Parcel.odd.size == 1),
]


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("call", REFUSED)
def test_a_method_where_a_member_was_meant(call: Callable[[], Any]) -> None:
    with pytest.raises(dw.DynawireError, match=HINT):
        call()


@pytest.mark.usefixtures("db")
def test_members_with_a_methods_name_are_reached_by_brackets_and_lookups() -> None:
    assert Parcel.scan((Parcel.odd["size"] == 1) & (Parcel.odd["set"] == "s")).count() == 1
    assert Parcel.scan(odd__size=1, odd__set="s").count() == 1
    Parcel.key("1").update(Parcel.odd["set"].set("t"), Parcel.odd["add"].add(1))
    assert Parcel.get_one("1").odd == Odd(1, "t", 3)


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Parcel.key("1").update(Parcel.size == 3), "is a condition, not an update: == compares; to assign"),
        (lambda: Parcel.key("1").update({"size": 3}), r"write update\(\*\*changes\)"),
        (
            lambda: Parcel.key("1").update(Parcel.size),
            r"the path <Parcel.size> is not an update; write Parcel.size.set\(value\)",
        ),
        (
            lambda: Parcel.scan(Parcel.size),
            "<Parcel.size> is a path, not a condition: compare it, as in",
        ),
        (lambda: Parcel.scan("size = 3"), "str is not a condition; write one such as Parcel.attribute == value"),
    ],
)
def test_something_else_than_a_condition_or_an_update(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(dw.ExpressionError, match=message):
        call()
