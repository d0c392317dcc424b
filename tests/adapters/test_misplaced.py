"""Declarations of dynawire's in classes that are not: refused where the class is used, never a value or nothing."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any, NamedTuple

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    Model,
    SchemaError,
    attr,
    computed,
    counter,
    joined,
    many_to_one,
    partition_key,
    sort_key,
    ttl,
    version,
)
from dynawire.pydantic import PydanticModel

DECLARATIONS: list[tuple[Any, str, str]] = [
    (partition_key(), r"partition_key\(\)", r"db\.table\(Wrong, name=\.\.\., partition_key=\"x\"\)"),
    (sort_key(), r"sort_key\(\)", r"sort_key=\"x\"\)"),
    (attr(default=3), r"attr\(\)", r"attributes=\{\"x\": attr\(\.\.\.\)\}\)"),
    (version(), r"version\(\)", r"attributes=\{\"x\": version\(\.\.\.\)\}\)"),
    (ttl(), r"ttl\(\)", r"attributes=\{\"x\": ttl\(\.\.\.\)\}\)"),
    (counter(), r"counter\(\)", r"attributes=\{\"x\": attr\(default=counter\(\)\)\}\)"),
    (joined("id", "y"), r"joined\(\)", r"let the class compute it, or make Wrong a Model"),
    (computed(str.lower, "id"), r"computed\(\)", r"let the class compute it"),
    (GlobalIndex("y"), r"GlobalIndex\(\.\.\.\)", r"indexes=\{\"x\": GlobalIndex\(\.\.\.\)\}\)"),
    (many_to_one("id"), r"many_to_one\(\.\.\.\)", r"make Wrong a Model or a PydanticModel, or keep the other's key"),
]


def of_pydantic(default: Any) -> Any:
    return pydantic.create_model("Wrong", id=(str, ...), x=(Any, default))


def of_pydantic_field(default: Any) -> Any:
    return pydantic.create_model("Wrong", id=(str, ...), x=(Any, pydantic.Field(default=default)))


def of_dataclass(default: Any) -> Any:
    return dataclasses.make_dataclass("Wrong", [("id", str), ("x", Any, default)])


def of_pydantic_dataclass(default: Any) -> Any:
    return pydantic.dataclasses.dataclass(config={"arbitrary_types_allowed": True})(of_dataclass(default))


def of_attrs(default: Any) -> Any:
    return attrs.make_class("Wrong", {"id": attrs.field(type=str), "x": attrs.field(type=Any, default=default)})


def of_struct(default: Any) -> Any:
    return msgspec.defstruct("Wrong", [("id", str), ("x", Any, default)])


MAKERS = [of_pydantic, of_pydantic_field, of_dataclass, of_pydantic_dataclass, of_attrs, of_struct]


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(("declaration", "shown", "remedy"), DECLARATIONS)
def test_as_a_default(db: dw.Database, make: Any, declaration: Any, shown: str, remedy: str) -> None:
    wrong = make(declaration)
    said = rf"Wrong[.: ]+x:? (has|is) {shown},? .*only a class of dynawire's reads( that)?; .*{remedy}"
    with pytest.raises(SchemaError, match=said) as caught:
        db.table(wrong, name="wrong", partition_key="id")
    assert (caught.value.model, caught.value.attribute) == ("Wrong", "x")
    with pytest.raises(SchemaError, match=said):

        class Outer(Model, table="outer"):
            id: Attr[str] = partition_key()
            inner: Attr[wrong]  # type: ignore[valid-type]


def test_as_a_default_of_a_named_tuple() -> None:
    class Wrong(NamedTuple):
        x: Any = version()

    with pytest.raises(SchemaError, match=r"Wrong\.x: has version\(\) as its default"):

        class Outer(Model, table="outer"):
            id: Attr[str] = partition_key()
            inner: Attr[Wrong]


def test_in_the_field_of_a_pydantic_model() -> None:
    class Wrong(PydanticModel, table="wrong"):
        id: str = pydantic.Field(default=partition_key())  # type: ignore[arg-type]

    with pytest.raises(SchemaError, match=r"Wrong: id has partition_key\(\) as its default"):
        Wrong.key("1")


@dataclasses.dataclass
class InType:
    id: str
    x: Annotated[int, attr(name="xx")] = 0


class InStruct(msgspec.Struct):
    id: str
    x: list[Annotated[int, attr(ge=1)]] = []


class InsideAField(pydantic.BaseModel):
    id: str
    x: list[Annotated[int, attr(ge=1)]] = []


@pytest.mark.parametrize("cls", [InType, InStruct, InsideAField])
def test_inside_a_type(db: dw.Database, cls: Any) -> None:
    with pytest.raises(
        SchemaError,
        match=r"x: has attr\(\) inside its type, .* db\.table\(\w+, name=\.\.\., attributes=\{\"x\": attr\(",
    ):
        db.table(cls, name="wrong", partition_key="id")


def test_inside_the_type_of_a_model() -> None:
    with pytest.raises(
        SchemaError, match=r"Wrong\.x: has attr\(\) inside its type, .*; write x: Attr\[\.\.\.\] = attr"
    ):

        class Wrong(Model, table="wrong"):
            id: Attr[str] = partition_key()
            x: Attr[Annotated[str, attr(name="y")]]


@dataclasses.dataclass
class WithIndex:
    id: str
    x: int = 0
    by_x = GlobalIndex("x")


@dataclasses.dataclass
class WithKey:
    id = partition_key()
    x: str = ""


@pytest.mark.parametrize(
    ("cls", "said"),
    [
        (WithIndex, r"by_x is GlobalIndex\(\.\.\.\), which only .* indexes=\{\"by_x\": GlobalIndex\(\.\.\.\)\}\)"),
        (WithKey, r"id is partition_key\(\), which only a class of dynawire's reads; .*partition_key=\"id\"\)"),
    ],
)
def test_as_an_attribute_of_the_class(db: dw.Database, cls: Any, said: str) -> None:
    with pytest.raises(SchemaError, match=said):
        db.table(cls, name="wrong", partition_key="x")


def test_an_attribute_of_the_class_that_is_given(db: dw.Database) -> None:
    """A class may keep what the table is told."""
    index = WithIndex.__dict__["by_x"]
    table = db.table(WithIndex, name="right", partition_key="id", indexes={"by_x": index})
    table.create()
    table.insert(WithIndex("1", 2))
    assert table.index("by_x").query(2).one() == WithIndex("1", 2)
