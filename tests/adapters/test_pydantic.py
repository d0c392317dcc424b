"""Pydantic models that are items: all that pydantic can do stays, and pydantic stays out of what it must not see."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar
from uuid import UUID, uuid4

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator

import dynawire as dw
from dynawire import EpochSeconds, GlobalIndex, attr, partition_key, sort_key
from dynawire.pydantic import PydanticModel

T = TypeVar("T")


class Color(Enum):
    RED = "red"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = Field(default=9, ge=0)


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    tricks: list[str] = []


class Box(BaseModel, Generic[T]):
    content: T


IntBox = Box[int]


class Owner(PydanticModel, table="owners"):
    """Something of everything."""

    model_config = ConfigDict(populate_by_name=True, validate_assignment=True)

    id: UUID = partition_key(default_factory=uuid4)
    name: Annotated[str, attr(name="n"), Field(min_length=1)]
    age: int = Field(default=0, ge=0, alias="yearsOld")
    pet: Cat | Dog | None = Field(default=None, discriminator="kind")
    pets: list[Cat] = Field(default_factory=list)
    box: IntBox | None = None
    color: Color | None = None
    price: Decimal = Decimal("1.5")
    at: Annotated[datetime | None, EpochSeconds] = None
    url: pydantic.HttpUrl | None = None
    secret: pydantic.SecretStr | None = None
    hidden: str = Field(default="", exclude=True)
    _cache: int = 5

    by_name = GlobalIndex("name")

    @field_validator("name")
    @classmethod
    def no_digits(cls, name: str) -> str:
        if any(one.isdigit() for one in name):
            raise ValueError("has digits")
        return name.strip()

    @computed_field
    def label(self) -> str:
        return f"{self.name} ({self.age})"


class Trusted(PydanticModel, table="owners", load="trust"):
    id: UUID = partition_key()
    name: str = attr(name="n")
    age: int = Field(default=0, ge=0)
    _seen: list[int] = pydantic.PrivateAttr(default_factory=list)


@pytest.fixture
def owners(db: dw.Database) -> dw.Database:
    db.create_tables(Owner)
    return db


def ada() -> Owner:
    return Owner(
        name=" Ada ",
        yearsOld=3,
        pet=Dog(tricks=["sit"]),
        pets=[Cat(lives=1)],
        box=IntBox(content=4),
        color=Color.RED,
        at=datetime(2026, 1, 2, tzinfo=UTC),
        url=pydantic.HttpUrl("https://example.com/x"),
        secret=pydantic.SecretStr("hush"),
        hidden="stored all the same",
    )


def test_everything_comes_back(owners: dw.Database) -> None:
    owner = ada()
    owner.insert()
    found = Owner.get_one(owner.id)
    assert found == owner
    assert type(found.pet) is Dog
    assert found.model_dump() == owner.model_dump()
    assert (found.label, found._cache, found.hidden) == ("Ada (3)", 5, "stored all the same")
    item = owner.to_item()
    assert item["n"] == {"S": "Ada"}
    assert item["age"] == {"N": "3"}
    assert item["at"] == {"N": "1767312000"}
    assert item["url"] == {"S": "https://example.com/x"}
    assert item["secret"] == {"S": "hush"}
    assert not {"label", "_cache", "yearsOld"} & item.keys()
    assert Owner.from_item(json.loads(json.dumps(item))) == owner


def test_it_stays_a_pydantic_model() -> None:
    owner = ada()
    assert list(owner.model_dump(by_alias=True))[:3] == ["id", "name", "yearsOld"]
    assert Owner.model_validate_json(owner.model_dump_json(exclude={"secret"})).name == "Ada"
    schema = Owner.model_json_schema()
    assert schema["required"] == ["name"]
    assert "paths" not in schema["properties"]
    with pytest.raises(pydantic.ValidationError, match="has digits"):
        Owner(name="R2")
    with pytest.raises(pydantic.ValidationError):
        owner.age = -1
    assert repr(owner).startswith("Owner(")


def test_paths_of_the_class(owners: dw.Database) -> None:
    ada().insert()
    assert Owner.find(Owner.name == "Ada").count() == 1  # type: ignore[arg-type]
    assert Owner.scan(Owner.paths.box.content == 4, age__gte=3).count() == 1
    assert [one.name for one in Owner.by_name.query("Ada")] == ["Ada"]
    assert pickle.loads(pickle.dumps(Owner.paths.name)) is Owner.name
    with pytest.raises(dw.ExpressionError, match="did you mean 'name'"):
        Owner.paths.nam  # noqa: B018
    with pytest.raises(AttributeError):
        Owner.nam  # type: ignore[attr-defined]  # noqa: B018


def test_pydantic_takes_no_path_for_a_default(owners: dw.Database) -> None:
    class Child(Owner, table="children"):
        toys: int = 0

    class Grandchild(Child, table="grandchildren"):
        name: str

    assert Child.model_fields["name"].is_required()
    assert Grandchild(name="x").name == "x"
    assert Grandchild.model_rebuild(force=True)
    assert Grandchild(name="x").toys == 0
    assert [index.definition.name for index in (Child.by_name,)] == ["by_name"]
    owners.create_tables(Grandchild)
    Grandchild(name="x", toys=2).insert()
    assert Grandchild.scan(Grandchild.paths.toys == 2).one().toys == 2
    assert Grandchild.scan(Owner.paths.age == 0).count() == 1
    assert (Child.key(uuid4()).model, Child(name="x").to_item()["n"]) == (Child, {"S": "x"})
    assert Grandchild(name="x").to_item()["name"] == {"S": "x"}


def test_save_of_copies(owners: dw.Database) -> None:
    owner = ada()
    assert owner.save() is True
    for twin in (owner.model_copy(), owner.model_copy(deep=True), copy.copy(owner), pickle.loads(pickle.dumps(owner))):
        assert twin == owner
        assert twin.save() is False
    changed = owner.model_copy(update={"age": 8})
    assert "SET #n0 = :v0" in changed.params.save()["UpdateExpression"]
    assert changed.save() is True
    assert owner == ada().model_copy(update={"id": owner.id})
    assert pickle.loads(pickle.dumps(ada())).params.save().keys() == {"TableName", "Item"}


def test_what_was_loaded_is_no_part_of_equality(owners: dw.Database) -> None:
    owner = ada()
    same = owner.model_copy()
    owner.insert()
    assert owner == same
    assert "_loaded" not in owner.model_dump()


def put_raw(db: dw.Database, age: int) -> UUID:
    key = uuid4()
    item = {"id": {"S": str(key)}, "n": {"S": "Ada"}, "age": {"N": str(age)}}
    db.engine.send("PutItem", json.dumps({"TableName": "owners", "Item": item}).encode())
    return key


def test_loading_validates_unless_told_to_trust(owners: dw.Database) -> None:
    key = put_raw(owners, -7)
    with pytest.raises(dw.DecodeError, match="age: Input should be greater than or equal to 0") as caught:
        Owner.get(key)
    assert caught.value.key == {"id": {"S": str(key)}}
    assert "-7" not in str(caught.value)
    found = Trusted.get_one(key)
    assert (found.age, found._seen) == (-7, [])
    found.age = -8
    assert found.save() is True
    assert found.model_fields_set == {"id", "name", "age"}
    with pytest.raises(dw.DecodeError, match="age"):
        Trusted.from_item({"id": {"S": str(key)}, "n": {"S": "x"}, "age": {"S": "old"}})


def test_an_item_in_a_query_that_pydantic_refuses_can_be_collected(owners: dw.Database) -> None:
    put_raw(owners, -7)
    put_raw(owners, 7)
    misfits: list[dw.DecodeError] = []
    assert [one.age for one in Owner.scan().collect_misfits(misfits)] == [7]
    assert len(misfits) == 1


def test_taking_values_does_not_validate_again(owners: dw.Database) -> None:
    owner = ada()
    owner.insert()
    owner.update(Owner.paths.age.add(2), name="Eva")
    assert (owner.age, owner.name, owner.label) == (5, "Eva", "Eva (5)")
    Owner.key(owner.id).update(age=40)
    owner.refresh()
    assert owner.age == 40
    assert owner.save() is False


def test_pydantic_models_nest_in_other_classes(db: dw.Database) -> None:
    class Zoo(dw.Model, table="zoo"):
        id: dw.Attr[str] = partition_key()
        pet: dw.Attr[Cat | Dog]
        link: dw.Attr[pydantic.HttpUrl | None] = attr(default=None)

    db.create_tables(Zoo)
    Zoo(id="1", pet=Cat(), link=pydantic.HttpUrl("https://a.b/")).insert()
    zoo = Zoo.get_one("1")
    assert (zoo.pet, str(zoo.link)) == (Cat(), "https://a.b/")
    assert Zoo.scan(Zoo.pet.kind == "cat").count() == 1
    zoo.pet.lives = 3  # type: ignore[union-attr]
    assert zoo.params.save()["ExpressionAttributeNames"]["#n1"] == "lives"
    with pytest.raises(dw.DecodeError, match="lives: Input should be"):
        Zoo.from_item({"id": {"S": "1"}, "pet": {"M": {"kind": {"S": "cat"}, "lives": {"N": "-1"}}}})


def test_names_that_are_defined_later(db: dw.Database) -> None:
    class Early(PydanticModel, table="early"):
        id: str = partition_key()
        late: Late | None = None

    with pytest.raises(dw.SchemaError, match="not defined"):
        db.create_tables(Early)

    class Late(BaseModel):
        x: int = 1

    Early.model_rebuild(_types_namespace={"Late": Late})
    db.create_tables(Early)
    Early(id="1", late=Late()).put()
    assert Early.get_one("1").late == Late()


def test_a_model_without_a_table(db: dw.Database) -> None:
    class Part(PydanticModel):
        x: int = 1

    class Whole(PydanticModel, table="wholes", stream="KEYS_ONLY"):
        id: str = partition_key()
        rank: int = sort_key(default=0)
        part: Part = Part()

    db.create_tables(Whole)
    whole = Whole(id="1")
    whole.insert()
    assert Whole.get("1", 0) == whole
    assert db.describe_table(Whole).name == "wholes"
    with pytest.raises(dw.SchemaError, match="has no table"):
        Part.get("x")


def declared_with(**namespace: Any) -> Any:
    keywords = namespace.pop("keywords", {"table": "things"})
    return type(PydanticModel)("Thing", (PydanticModel,), {"__module__": __name__, **namespace}, **keywords)


@pytest.mark.parametrize(
    ("namespace", "said"),
    [
        ({"__annotations__": {"id": str}}, "no partition key"),
        ({"__annotations__": {"id": str}, "id": partition_key(), "keywords": {"table": "x"}}, "a table name has"),
        ({"keywords": {"table": "things", "load": "lazily"}}, "write 'trust' or 'validate'"),
        ({"keywords": {"stream": "KEYS_ONLY"}}, "the class has none"),
        (
            {"keywords": {"abstract": True}},
            "unknown class keyword 'abstract'; a PydanticModel without table= is a base",
        ),
        ({"__annotations__": {"id": str, "query": str}, "id": partition_key()}, "choose another Python name"),
        ({"__annotations__": {"id": str, "paths": str}, "id": partition_key()}, "choose another Python name"),
        ({"__annotations__": {"id": str}, "id": partition_key(), "by_x": GlobalIndex(())}, "needs a partition key"),
        ({"__annotations__": {"id": str}, "id": partition_key(), "by_x": GlobalIndex("y")}, "by_x names the attribute"),
        ({"__annotations__": {"id": str, "x": list[int]}, "id": partition_key(), "x": attr(default=[])}, "share"),
        (
            {"__annotations__": {"id": str}, "id": partition_key(), "model_config": ConfigDict(extra="allow")},
            "would be lost",
        ),
        ({"__annotations__": {"id": str, "x": complex}, "id": partition_key()}, "x: the type complex"),
    ],
)
def test_a_wrong_declaration_is_refused(db: dw.Database, namespace: dict[str, Any], said: str) -> None:
    with pytest.raises(dw.SchemaError, match=said):
        db.table(declared_with(**namespace))


def test_a_value_pydantic_alone_knows_is_refused_when_it_would_not_come_back(db: dw.Database) -> None:
    class Rounded:
        def __init__(self, value: float) -> None:
            self.value = value

        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            from pydantic_core import core_schema

            return core_schema.no_info_plain_validator_function(
                lambda given: given if isinstance(given, Rounded) else cls(given),
                serialization=core_schema.plain_serializer_function_ser_schema(
                    lambda one: round(one.value), return_schema=core_schema.int_schema()
                ),
            )

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Rounded) and self.value == other.value

        __hash__ = None  # type: ignore[assignment]

    class Measure(PydanticModel, table="measures"):
        id: str = partition_key()
        value: Rounded

    db.create_tables(Measure)
    Measure(id="1", value=Rounded(2)).insert()
    assert Measure.get_one("1").value == Rounded(2)
    with pytest.raises(dw.ValidationError, match="value"):
        Measure(id="2", value=Rounded(2.5)).insert()


def test_fastapi_takes_and_gives_it(owners: dw.Database) -> None:
    fastapi = pytest.importorskip("fastapi")
    app = fastapi.FastAPI()

    @app.post("/owners", response_model=Owner)
    async def create(owner: Owner) -> Owner:
        await owner.ainsert()
        return await Owner.aget_one(owner.id)

    create.__annotations__.update(owner=Owner)

    def post(body: dict[str, Any]) -> tuple[int, Any]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": "/owners", "query_string": b"", "http_version": "1.1"}
        headers = [(b"content-type", b"application/json")]
        asyncio.run(app(scope | {"headers": headers, "root_path": "", "scheme": "http"}, receive, send))
        return sent[0]["status"], json.loads(b"".join(message.get("body", b"") for message in sent[1:]))

    status, answer = post({"name": "Ada", "yearsOld": 3, "pet": {"kind": "cat"}})
    assert (status, answer["label"], answer["yearsOld"]) == (200, "Ada (3)", 3)
    assert answer["pet"] == {"kind": "cat", "lives": 9}
    assert post({"name": "R2"})[0] == 422
    assert Owner.scan().count() == 1
    assert app.openapi()["components"]["schemas"]


def test_pydantic_is_imported_only_when_used() -> None:
    program = """if True:
        import sys, dataclasses, dynawire as dw
        @dataclasses.dataclass
        class Book:
            id: str
        books = dw.connect("memory:").table(Book, name="books", partition_key="id")
        books.create()
        books.put(Book("1"))
        assert "pydantic" not in sys.modules and "dynawire.pydantic" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", program], check=True)
