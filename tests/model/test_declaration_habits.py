"""What people write out of habit from other libraries is refused where it is written, with what to write here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Optional

import msgspec
import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, attr, partition_key


class Typed:
    """A plain mixin with a typed attribute."""

    created: Attr[str] = attr(default="x")


class Untyped:
    """A plain mixin with an attribute that has no type."""

    created = attr(default="x")


class Bare:
    """A plain mixin that says only the type."""

    created: Attr[str]


class Below(Typed):
    """What a mixin inherits counts too."""


class Harmless:
    """Methods, indexes, plain annotations and class attributes of a plain class are fine."""

    LIMIT = 5
    cache: dict[str, int]
    by_city = GlobalIndex("city")

    def shout(self) -> str:
        return str(self.city).upper()  # type: ignore[attr-defined]


@pytest.mark.parametrize("mixin", [Typed, Untyped, Bare, Below])
def test_a_plain_mixin_with_attributes(mixin: type[Any]) -> None:
    at_fault = Typed if mixin is Below else mixin
    message = (
        rf"Thing: {at_fault.__name__}, one of its bases, declares created, .* lost; write class {at_fault.__name__}"
    )
    with pytest.raises(dw.SchemaError, match=message + r"\(Model, abstract=True\)") as caught:

        class Thing(mixin, Model, table="things"):  # type: ignore[misc]
            id: Attr[str] = partition_key()

    assert (caught.value.model, caught.value.attribute) == ("Thing", "created")


def test_a_plain_mixin_without_attributes() -> None:
    class City(Harmless, Model, table="cities"):
        id: Attr[str] = partition_key()
        city: Attr[str]

    assert City(id="1", city="Rome").shout() == "ROME"
    assert (City.LIMIT, list(City(id="1", city="Rome").to_dict())) == (5, ["id", "city"])


def init() -> None:
    class Thing(Model, table="things"):
        id: Attr[str] = partition_key()

        def __init__(self, id: str) -> None:
            self.id = id


def new() -> None:
    class Thing(Model, abstract=True):
        id: Attr[str] = partition_key()

        def __new__(cls, id: str) -> Any:
            return id


def annotated() -> None:
    class Thing(Model, table="things"):
        id: Annotated[Attr[str], "x"] = partition_key()


def optional() -> None:
    class Thing(Model, table="things"):
        id: Attr[str] = partition_key()
        city: Optional[Attr[str]] = attr(default=None)  # noqa: UP045


def union() -> None:
    class Thing(Model, table="things"):
        id: Attr[str] = partition_key()
        city: Attr[str] | None = attr(default=None)


def final() -> None:
    class Thing(Model, table="things"):
        id: Attr[str] = partition_key()
        city: Final[Attr[str]] = attr(default="")


def twice() -> None:
    class Thing(Model, table="things"):
        id: Attr[Attr[str]] = partition_key()


def inside() -> None:
    class Thing(Model, table="things"):
        id: Attr[str] = partition_key()
        names: Attr[list[Attr[str]]]


def dunder_table() -> None:
    class Thing(Model):
        __tablename__ = "things"
        id: Attr[str] = partition_key()


def meta() -> None:
    class Thing(Model):
        id: Attr[str] = partition_key()

        class Meta:
            table_name = "things"


def config() -> None:
    class Thing(Model, table="things"):
        model_config = {"frozen": True}  # noqa: RUF012
        id: Attr[str] = partition_key()


def keyword(**options: Any) -> Callable[[], None]:
    def declare() -> None:
        class Thing(Model, **options):
            id: Attr[str] = partition_key()

    return declare


DECLARATIONS: list[tuple[Callable[[], None], str]] = [
    (init, r"Thing: defines __init__, which would never be called; .* __post_init__\(self\)"),
    (new, r"Thing: defines __new__, which would never be called; .* __post_init__\(self\)"),
    (annotated, r"Thing: id: Annotated stands inside: write id: Attr\[Annotated\[..., ...\]\]"),
    (optional, r"Thing: city: None and other types stand inside: write city: Attr\[... \| None\]"),
    (union, r"Thing: city: None and other types stand inside: write city: Attr\[... \| None\]"),
    (final, r"Thing: city: Attr stands outside: write city: Attr\[...\]; .*immutable=True"),
    (twice, r"Thing: id: Attr stands in Attr; write Attr\[...\] once"),
    (inside, r"Thing.names: Attr\[...\] stands around the whole type of an attribute"),
    (dunder_table, r'Thing: has __tablename__ = ..., .*class keyword: \(Model, table="..."\)'),
    (meta, r'Thing: has a Meta of settings, .*class keywords: \(Model, table="..."'),
    (config, r'Thing: has a model_config of settings, .*class keywords: \(Model, table="..."'),
    (keyword(table_name="things"), r"unknown class keyword 'table_name'; the table is named by table="),
    (keyword(name="things"), r"unknown class keyword 'name'; the table is named by table="),
    (keyword(table_prefix="a"), r"unknown class keyword 'table_prefix'; a prefix is the database's: connect"),
    (keyword(tabel="things"), r"unknown class keyword 'tabel'; did you mean 'table'\?"),
]


@pytest.mark.parametrize(("declare", "message"), DECLARATIONS, ids=lambda one: getattr(one, "__name__", ""))
def test_habits_in_a_class_body(declare: Callable[[], None], message: str) -> None:
    with pytest.raises(dw.SchemaError, match=message):
        declare()


def test_habits_in_annotations_that_are_types() -> None:
    module = {"__name__": __name__, "Model": Model, "Attr": Attr, "Annotated": Annotated, "Optional": Optional}
    for annotation, message in [
        ("Annotated[Attr[str], 1]", "Annotated stands inside"),
        ("Optional[Attr[str]]", "None and other types stand inside"),
        ("Attr[str] | None", "None and other types stand inside"),
        ("Attr[Attr[str]]", "Attr stands in Attr"),
    ]:
        source = f"class Thing(Model, table='things'):\n    id: {annotation}\n"
        with pytest.raises(dw.SchemaError, match=message):
            exec(compile(source, "<test>", "exec", dont_inherit=True), module)


@dataclass
class WithAttr:
    """A dataclass written as if it were a Model."""

    id: Attr[str]


@dataclass
class WithDefault:
    """A dataclass with attr() as default."""

    id: str
    at: int = attr(default=0, ge=0)  # type: ignore[assignment]


class StructWithDefault(msgspec.Struct):
    """A Struct with attr() as default."""

    id: str
    at: int = attr(default=0, ge=0)  # type: ignore[assignment]


@dataclass
class Fine:
    """A dataclass as it should be."""

    id: str
    at: int = field(default=0)


def test_attr_in_other_libraries_classes() -> None:
    with dw.connect("memory:") as db:
        with pytest.raises(dw.SchemaError, match=r"WithAttr.id: Attr\[...\] stands around .* write the plain type"):
            db.table(WithAttr, name="things", partition_key="id")
        for cls in (WithDefault, StructWithDefault):
            with pytest.raises(dw.SchemaError, match=r"at: has attr\(\) as its default, .*attributes={\"at\": attr"):
                db.table(cls, name="things", partition_key="id")
        db.table(Fine, name="things", partition_key="id", attributes={"at": attr(ge=0)})


def test_attr_in_pydantic_models() -> None:
    pydantic = pytest.importorskip("pydantic")
    from dynawire.pydantic import PydanticModel

    with pytest.raises(dw.SchemaError, match=r"the fields of a pydantic model have plain types"):

        class Plain(pydantic.BaseModel):  # type: ignore[misc, name-defined]
            id: Attr[str]

    with pytest.raises(dw.SchemaError, match=r"Book: id: Attr\[...\] is for a Model; write the plain type here"):

        class Book(PydanticModel, table="books"):
            id: Attr[str] = partition_key()

    with pytest.raises(dw.SchemaError, match=r"Tome: unknown class keyword 'table_name'; the table is named by table="):

        class Tome(PydanticModel, table_name="books"):
            id: str = partition_key()

    with pytest.raises(dw.SchemaError, match=r"Typed, one of its bases, declares created, .*\(PydanticModel\)"):

        class Codex(Typed, PydanticModel, table="books"):
            id: str = partition_key()
