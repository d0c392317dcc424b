"""What somebody stumbled over who used it for the first time."""

from __future__ import annotations

import dataclasses
import traceback
from pathlib import Path
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Migrations, Model, attr, hooks, partition_key, version


@dataclasses.dataclass
class Refusing:
    id: str
    x: int

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError(f"{self.id} has {self.x}")


class Versioned(Model, table="versioned"):
    id: Attr[str] = partition_key()
    text: Attr[str] = attr(default="")
    v: Attr[int] = version()


class Steps(Migrations):
    def check_1(self, item: dict[str, Any]) -> bool:
        return "name" in item

    def check_2(self, item: dict[str, Any]) -> bool:
        return "title" in item

    def migrate_to_2(self, item: dict[str, Any]) -> dict[str, Any]:
        item["title"] = item.pop("name")
        return item


class Film(Model, table="films", migrations=Steps):
    id: Attr[str] = partition_key()
    title: Attr[str]


def test_what_a_constructor_says_of_values_is_in_no_traceback() -> None:
    with dw.connect("memory:") as db:
        table = db.table(Refusing, name="refusing", partition_key="id")
        table.create()
        item = Refusing("s3cr3t", 1)
        item.x = -5
        table.insert(item)
        reads = [
            lambda: table.get("s3cr3t"),
            lambda: table.scan().all(),
            lambda: table.query("s3cr3t").first(),
            lambda: table.get_many(["s3cr3t"]),
        ]
        for read in reads:
            with pytest.raises(
                dw.DecodeError, match=r"^Refusing: its constructor raised ValueError at .*, in an"
            ) as caught:
                read()
            shown = "".join(traceback.format_exception(caught.value)).replace('"s3cr3t"', "").replace("'s3cr3t'", "")
            assert "s3cr3t has" not in shown.replace(str(caught.value.key), "")


def test_migrating_a_table_refuses_what_would_fail_later(tmp_path: Path) -> None:
    with dw.connect("memory:") as db:
        db.create_tables(Film)
        db.engine.send("PutItem", b'{"TableName":"films","Item":{"id":{"S":"1"},"name":{"S":"M"}}}')
        wrong: Any = 5
        with pytest.raises(dw.ExpressionError, match="progress="):
            Film.migrate_all(progress=wrong)
        with pytest.raises(dw.ExpressionError, match="can't be written"):
            Film.migrate_all(checkpoint=tmp_path / "missing" / "state.json")
        assert b'"name"' in db.engine.send("GetItem", b'{"TableName":"films","Key":{"id":{"S":"1"}}}')
        assert Film.migrate_all(checkpoint=tmp_path / "state.json").migrated == 1


def test_a_forgotten_colon() -> None:
    with pytest.raises(dw.DynawireError, match='connect\\("memory:"\\)'):
        dw.connect("memory")


def test_a_version_expected_by_key_is_told_as_one() -> None:
    with dw.connect("memory:") as db:
        db.create_tables(Versioned)
        Versioned(id="1").insert()
        for write in (
            lambda: Versioned.key("1").delete(expected_version=5),
            lambda: Versioned.key("1").update(text="x", expected_version=5),
        ):
            with pytest.raises(dw.VersionConflict, match="expected_version="):
                write()


def test_a_hook_with_parentheses() -> None:
    with pytest.raises(dw.SchemaError, match="without parentheses"):
        hooks.before_save()
