"""Unique attributes and counters on classes of other libraries."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import Annotated, Any, NotRequired, TypedDict

import attrs
import msgspec
import pytest
from marshmallow import fields

import dynawire as dw
from dynawire import Unique, attr, counter, created_at, partition_key, version
from dynawire.marshmallow import MarshmallowModel
from dynawire.pydantic import PydanticModel


@dataclasses.dataclass
class Data:
    id: str
    email: str | None = None
    team: str | None = None
    nick: str | None = None
    number: int = 0


@dataclasses.dataclass(slots=True)
class Slots:
    id: str
    email: str | None = None
    team: str | None = None
    nick: str | None = None
    number: int = 0


@attrs.define
class Attrs:
    id: str
    email: str | None = None
    team: str | None = None
    nick: str | None = None
    number: int = 0


class Struct(msgspec.Struct, kw_only=True):
    id: str
    email: str | None = None
    team: str | None = None
    nick: str | None = None
    number: int = 0


class Typed(TypedDict):
    id: str
    email: NotRequired[str | None]
    team: NotRequired[str | None]
    nick: NotRequired[str | None]
    number: NotRequired[int]


class Annotations(PydanticModel, table="people"):
    id: Annotated[str, partition_key()]
    email: Annotated[str | None, attr(unique=True)] = None
    team: str | None = None
    nick: Annotated[str | None, attr(unique=Unique("team"))] = None
    number: Annotated[int, attr(default=counter())] = 0


class Pydantic(PydanticModel, table="people"):
    id: str = partition_key()
    email: str | None = attr(default=None, unique=True)
    team: str | None = None
    nick: str | None = attr(default=None, unique=Unique("team"))
    number: int = counter()


class MarshmallowPerson(MarshmallowModel, table="people"):
    class Schema:
        id = fields.Str(required=True)
        email = fields.Str()
        team = fields.Str()
        nick = fields.Str()
        number = fields.Int()

    id = partition_key()
    email = attr(unique=True)
    nick = attr(unique=Unique("team"))
    number = counter()


SAID = {"email": attr(unique=True), "nick": attr(unique=Unique("team")), "number": counter()}


@pytest.fixture(params=[Data, Slots, Attrs, Struct, Typed, Annotations, Pydantic, MarshmallowPerson])
def table(request: pytest.FixtureRequest) -> Any:
    cls: Any = request.param
    with dw.connect("memory:") as db, db.use():
        if issubclass(cls, (PydanticModel, MarshmallowModel)):
            found = db.table(cls)
        else:
            found = db.table(cls, name="people", partition_key="id", attributes=SAID)
        db.create_tables(found)
        yield found


def value(person: Any, name: str) -> Any:
    return person[name] if isinstance(person, dict) else getattr(person, name)


def test_unique_values(table: Any) -> None:
    make = table.model
    ann = make(id="1", email="a", nick="n")
    table.insert(ann)
    for other in (make(id="2", email="a"), make(id="2", nick="n")):
        with pytest.raises(dw.UniqueConflict) as caught:
            table.insert(other)
        assert value(caught.value.item, "id") == "1"
    table.put(make(id="1", email="b", nick="n"))
    table.insert(make(id="2", email="a", nick="n", team="t"))
    table.update(table.key("1"), email="c")
    table.insert(make(id="3", email="b"))
    table.delete(table.get("3"))
    table.delete(ann)
    table.insert(make(id="4", email="b"))
    report = table.rebuild_unique(dry_run=True)
    assert (report.items, report.guards, report.added, report.removed) == (2, 3, 0, 0)
    assert sorted(value(one, "id") for one in table.scan()) == ["2", "4"]


def test_save_where_it_is_known_what_changed(table: Any) -> None:
    one = table.model(id="1", email="a")
    table.insert(one)
    if isinstance(one, (Slots, Struct, dict)):
        pytest.skip("what it was loaded from can't be known")
    loaded = table.get("1")
    loaded.email = "b"
    table.save(loaded)
    table.insert(table.model(id="2", email="a"))
    loaded.email = "a"
    with pytest.raises(dw.UniqueConflict):
        table.save(loaded)
    assert table.get("1").email == "b"


def test_numbers(table: Any) -> None:
    people = [table.model(id=str(number)) for number in range(3)]
    for person in people:
        table.insert(person)
    assert [value(one, "number") for one in people] == [1, 2, 3]
    assert [value(table.get(str(number)), "number") for number in range(3)] == [1, 2, 3]
    mine = table.model(id="9", number=77)
    table.put(mine)
    assert value(mine, "number") == 77
    with table.database.transaction() as tx:
        tx.insert(last := table.model(id="10"), table=table)
    assert value(last, "number") == 4
    assert table.counter_of("number").last() == 4


class Kept(PydanticModel):
    """A base without a table: what writes maintain is for the classes derived from it."""

    created: datetime | None = created_at()
    revision: int = version()


class Member(Kept, table="members"):
    id: int = counter()
    team: Annotated[str, partition_key()]
    email: Annotated[str, attr(unique=True)]


def test_unique_values_and_numbers_of_a_class_whose_base_has_no_table() -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(Member)
        member = Member(team="a", email="x")
        member.insert()
        assert (member.id, member.revision) == (1, 1)
        assert member.created is not None
        with pytest.raises(dw.UniqueConflict):
            Member(team="b", email="x").insert()
        with pytest.raises(dw.SchemaError, match="is for a class with a table"):
            Kept.get("a")


def test_frozen_class_can_have_unique_values() -> None:
    @dataclasses.dataclass(frozen=True)
    class Frozen:
        id: str
        email: str | None = None

    with dw.connect("memory:") as db:
        table = db.table(Frozen, name="frozen", partition_key="id", attributes={"email": attr(unique=True)})
        db.create_tables(table)
        table.insert(Frozen("1", "a"))
        assert table.update(Frozen("1"), email="b") == Frozen("1", "b")
        table.insert(Frozen("2", "a"))
        with pytest.raises(dw.UniqueConflict):
            table.put(Frozen("3", "b"))
