"""What every write maintains, on classes of other libraries."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any, TypedDict

import attrs
import pydantic
import pytest
from marshmallow import fields

import dynawire as dw
from dynawire import attr, created_at, partition_key, updated_at, version
from dynawire.marshmallow import MarshmallowModel
from dynawire.pydantic import PydanticModel


@dataclasses.dataclass
class Data:
    id: str
    text: str = ""
    owner: str | None = None
    v: int = 0
    created: datetime | None = None
    updated: datetime | None = None


@attrs.define
class Attrs:
    id: str
    text: str = ""
    owner: str | None = None
    v: int = 0
    created: datetime | None = None
    updated: datetime | None = None


class Pydantic(PydanticModel, table="documents"):
    id: str = partition_key()
    text: str = attr(default="")
    owner: str | None = attr(default=None, immutable=True)
    v: int = version()
    created: datetime | None = created_at()
    updated: datetime | None = updated_at()


class Marshmallow(MarshmallowModel, table="documents"):
    class Schema:
        id = fields.Str(required=True)
        text = fields.Str(load_default="")
        owner = fields.Str()
        v = fields.Int()
        created = fields.AwareDateTime(default_timezone=UTC)
        updated = fields.AwareDateTime(default_timezone=UTC)

    id = partition_key()
    owner = attr(immutable=True)
    v = version()
    created = created_at()
    updated = updated_at()


MAINTAINED = {
    "owner": attr(immutable=True),
    "v": version(),
    "created": created_at(),
    "updated": updated_at(),
}


@pytest.fixture(params=[Data, Attrs, Pydantic, Marshmallow])
def table(request: pytest.FixtureRequest) -> Any:
    with dw.connect("memory:") as db:
        cls: Any = request.param
        if cls in (Pydantic, Marshmallow):
            found = db.table(cls)
        else:
            found = db.table(cls, name="documents", partition_key="id", attributes=MAINTAINED)
        found.create()
        yield found


def test_a_write_of_an_old_version_is_refused(table: Any) -> None:
    document = table.model(id="1")
    table.insert(document)
    assert document.v == 1
    assert document.created == document.updated is not None
    mine, yours = table.get("1"), table.get("1")
    yours.text = "yours"
    assert table.save(yours)
    mine.text = "mine"
    for write in (table.save, table.put, table.delete):
        with pytest.raises(dw.VersionConflict):
            write(mine)
    assert mine.v == 1
    table.refresh(mine)
    assert (mine.text, mine.v) == ("yours", 2)
    table.update(mine, text="mine")
    assert (mine.text, mine.v) == ("mine", 3)
    assert mine.created < mine.updated


def test_an_immutable_attribute_keeps_its_value(table: Any) -> None:
    table.insert(table.model(id="1", owner="ann"))
    document = table.get("1")
    document.owner = "bob"
    with pytest.raises(dw.ValidationError, match="owner is immutable"):
        table.save(document)
    with pytest.raises(dw.ValidationError, match="owner is immutable"):
        table.update(table.key("1"), owner="bob")
    assert table.get("1").owner == "ann"


def test_dicts_have_versions_too(db: dw.Database) -> None:
    class Document(TypedDict):
        id: str
        text: str
        v: int

    table = db.table(Document, name="dicts", partition_key="id", attributes={"v": version()})
    table.create()
    document: Document = {"id": "1", "text": "", "v": 0}
    table.put(document)
    assert document["v"] == 1
    other = table.get_one("1")
    table.update(other, text="other")
    assert other["v"] == 2
    with pytest.raises(dw.VersionConflict):
        table.put(document)


def test_what_is_frozen_has_no_version(db: dw.Database) -> None:
    @dataclasses.dataclass(frozen=True)
    class Frozen:
        id: str
        v: int = 0

    with pytest.raises(dw.SchemaError, match="frozen"):
        db.table(Frozen, name="frozen", partition_key="id", attributes={"v": version()})

    class Kept(PydanticModel, table="kept"):
        model_config = pydantic.ConfigDict(frozen=True)

        id: str = partition_key()
        v: int = version()

    with pytest.raises(dw.SchemaError, match="frozen"):
        db.table(Kept)
