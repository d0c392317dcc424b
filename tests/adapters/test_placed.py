"""Classes of each library that can have a place in a single table: their keys are what their templates say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate

import dynawire as dw
from dynawire import Attr, IndexMap, Model, SingleTable, attr, version
from dynawire.database import current_database
from dynawire.marshmallow import MarshmallowModel
from dynawire.pydantic import PydanticModel
from tests.support.schematics_here import WITHOUT_SCHEMATICS

STORED = SingleTable("stored", global_indexes=2, local_indexes=1)
IN_KEY = SingleTable("in-key", global_indexes=2, local_indexes=1, store_keys=False)
SORT_KEY = "ORDER#{day}#{number}"
TABLES = ((STORED, ""), (IN_KEY, "InKey"))


def native(table: SingleTable, name: str) -> Any:
    class Order(Model, table=table, pk=name + "#{user}", sk=SORT_KEY, kind=name):
        user: Attr[str]
        day: Attr[date]
        number: Attr[int]
        status: Attr[str] = attr(default="open", name="st")
        total: Attr[int] = attr(default=0)
        note: Attr[str | None] = attr(default=None)
        code: Attr[str | None] = attr(default=None, unique=True)
        v: Attr[int] = version()

        by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{total}")
        big = IndexMap("gsi1", pk="BIG#{note}", sk="{day}", when={"total__gte": 10})
        by_note = IndexMap("lsi0", sk="{note}")

    return Order


def pydantic(table: SingleTable, name: str) -> Any:
    class Order(PydanticModel, table=table, pk=name + "#{user}", sk=SORT_KEY, kind=name):
        user: str
        day: date
        number: int
        status: str = attr(default="open", name="st")
        total: int = 0
        note: str | None = None
        code: str | None = attr(default=None, unique=True)
        v: int = version()

        by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{total}")
        big = IndexMap("gsi1", pk="BIG#{note}", sk="{day}", when={"total__gte": 10})
        by_note = IndexMap("lsi0", sk="{note}")

    return Order


class OrderSchema(Schema):
    user = fields.Str(required=True)
    day = fields.Date(required=True)
    number = fields.Int(required=True)
    status = fields.Str(load_default="open", data_key="st", validate=validate.Length(min=1))
    total = fields.Int(load_default=0)
    note = fields.Str(load_default=None)
    code = fields.Str(load_default=None)
    v = fields.Int()


def marshmallow(table: SingleTable, name: str, load: Any = "validate") -> Any:
    class Order(
        MarshmallowModel, table=table, pk=name + "#{user}", sk=SORT_KEY, kind=name, schema=OrderSchema, load=load
    ):
        __qualname__ = name  # or the second one would take the place of the first

        code: Attr[str | None] = attr(unique=True)
        v: Attr[int] = version()

        by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{total}")
        big = IndexMap("gsi1", pk="BIG#{note}", sk="{day}", when={"total__gte": 10})
        by_note = IndexMap("lsi0", sk="{note}")

    return Order


def trusting_marshmallow(table: SingleTable, name: str) -> Any:
    return marshmallow(table, name, "trust")


def schematics(table: SingleTable, name: str) -> Any:
    from schematics import types

    from dynawire.schematics import SchematicsModel

    class Order(SchematicsModel, table=table, pk=name + "#{user}", sk=SORT_KEY, kind=name):
        class Schema:
            user = types.StringType(required=True)
            day = types.DateType(required=True)
            number = types.IntType(required=True)
            status = types.StringType(required=True, default="open", serialized_name="st", min_length=1)
            total = types.IntType(required=True, default=0)
            note = types.StringType()
            code = types.StringType()
            v = types.IntType()

        code: Attr[str | None] = attr(unique=True)
        v: Attr[int] = version()

        by_status = IndexMap("gsi0", pk="STATUS#{status}", sk="{total}")
        big = IndexMap("gsi1", pk="BIG#{note}", sk="{day}", when={"total__gte": 10})
        by_note = IndexMap("lsi0", sk="{note}")

    return Order


MAKERS = [native, pydantic, marshmallow, trusting_marshmallow, *([schematics] if WITHOUT_SCHEMATICS is None else [])]
MODELS: dict[str, Any] = {}
for _table, _suffix in TABLES:
    for _make in MAKERS:
        _made = _make(_table, f"{_make.__name__}{_suffix}")
        MODELS[f"{_make.__name__}{_suffix}"] = _made

DAY = date(2026, 1, 2)


@pytest.fixture(params=list(MODELS))
def model(request: pytest.FixtureRequest) -> Iterator[Any]:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(STORED, IN_KEY)
        yield MODELS[request.param]


def stored(model: Any) -> list[dict[str, Any]]:
    """Every item as it lies in the table, guards left out."""
    db = current_database()
    answer = json.loads(db.engine.send("Scan", json.dumps({"TableName": db.table(model).name}).encode()))
    return [item for item in answer["Items"] if not item["pk"]["S"].startswith("dynawire#")]


def keys_of(item: dict[str, Any]) -> dict[str, str]:
    return {name: wire["S"] for name, wire in item.items() if name in ("pk", "sk") or name[:3] in ("gsi", "lsi")}


def test_keys_are_what_the_templates_say(model: Any) -> None:
    order = model(user="a#b", day=DAY, number=7, code="x")
    order.insert()
    (item,) = stored(model)
    kind = item["_kind"]["S"]
    assert keys_of(item) == {
        "pk": f"{kind}#a%23b",
        "sk": "ORDER#2026-01-02#p017",
        "gsi0_pk": "STATUS#open",
        "gsi0_sk": "p010",
        "gsi1_sk": "2026-01-02",  # without its partition key it is in no index
    }
    assert ("user" in item) is ("InKey" not in kind)
    found = model.get_one(user="a#b", day=DAY, number=7)
    assert found == order
    found.note, found.total = "n", 12
    assert found.save() is True
    (item,) = stored(model)
    assert keys_of(item) == {
        "pk": f"{kind}#a%23b",
        "sk": "ORDER#2026-01-02#p017",
        "gsi0_pk": "STATUS#open",
        "gsi0_sk": "p0212",
        "gsi1_pk": "BIG#n",
        "gsi1_sk": "2026-01-02",
        "lsi0_sk": "n",
    }
    key = model.key(user="a#b", day=DAY, number=7)
    assert key.update(status="paid", condition=model.total == 12).status == "paid"
    assert keys_of(stored(model)[0])["gsi0_pk"] == "STATUS#paid"
    with pytest.raises(dw.ExpressionError, match="set total in this update too"):
        key.update(note="m")
    key.update(note=None)
    assert {"gsi1_pk", "lsi0_sk"}.isdisjoint(stored(model)[0])
    with pytest.raises(dw.VersionConflict):
        found.delete()
    with pytest.raises(dw.UniqueConflict):
        model(user="z", day=DAY, number=1, code="x").insert()
    key.delete()
    assert stored(model) == []


def test_readable_attributes_are_all_one_names(model: Any) -> None:
    for number in (2, 12, 100):
        model(user="u", day=DAY, number=number, total=number, note="n").put()
    model(user="u", day=date(2026, 2, 1), number=1).put()
    assert [one.number for one in model.query(user="u")] == [2, 12, 100, 1]
    assert [one.number for one in model.query(user="u", day=DAY, number__gte=12).reverse()] == [100, 12]
    assert [one.number for one in model.by_status.query("open", total__between=(3, 50))] == [12]
    assert {one.number for one in model.big.query(note="n")} == {12, 100}
    assert [one.number for one in model.by_note.query("u", note="n").where(total__lt=100)] == [2, 12]
    find = model.find(model.status == "open", total__lt=5)
    assert sorted(one.number for one in find) == [1, 2]
    assert find.explain(describe=False).steps[0].index == "gsi0"
    layout = STORED if "InKey" not in stored(model)[0]["_kind"]["S"] else IN_KEY
    assert len(layout.collection(found=model).query(user="u").found) == 4
    assert layout.class_of(stored(model)[0]) is model
    assert model.update_where(model.status == "open", status="paid").written == 4
    assert model.by_status.query(status="paid").count() == 4
    assert model.delete_where(model.status == "paid").written == 4


changes = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from(["open", "a#b"]),
        "total": st.sampled_from([0, 10, 200]),
        "note": st.sampled_from([None, "n", "%"]),
    },
)
writes = st.lists(st.tuples(st.sampled_from(["put", "save", "update", "loaded"]), changes), max_size=6)


@pytest.mark.parametrize("name", list(MODELS))
@given(steps=writes)
@settings(max_examples=15, deadline=None)
def test_keys_never_drift(name: str, steps: list[Any]) -> None:
    model = MODELS[name]
    with dw.connect("memory:") as db, db.use():
        db.create_tables(STORED, IN_KEY)
        order = model(user="u", day=DAY, number=1)
        order.insert()
        for kind, values in steps:
            if kind == "loaded":
                order = model.get_one(user="u", day=DAY, number=1)
            try:
                if kind == "update":
                    order.update(**values)
                    continue
                for label, value in values.items():
                    setattr(order, label, value)
                getattr(order, "put" if kind == "put" else "save")()
            except (dw.ExpressionError, dw.ConditionFailed):
                assert kind == "update"
            finally:
                (item,) = stored(model)
                read = model.from_item(item)
                assert read.to_item() == item


def test_a_date_of_any_form_stays_one_component() -> None:
    """A schema may write the separator into it, and so may functions of the user's."""
    table = SingleTable("forms")

    class Day(MarshmallowModel, table=table, pk="DAY#{at}#{name}", sk="DAY"):
        class Schema:
            at = fields.AwareDateTime(required=True, format="%Y#%m#%d%z")
            name = fields.Str(required=True)

    own_form = dw.Stored(
        as_type=str,
        encode=lambda at: at.strftime("%Y#%m#%d%z"),
        decode=lambda text: datetime.strptime(text, "%Y#%m#%d%z"),
    )

    class Own(Model, table=table, pk="OWN#{at}#{name}", sk="OWN"):
        at: Attr[Annotated[datetime, own_form]]
        name: Attr[str]

    with dw.connect("memory:") as db, db.use():
        db.create_tables(table)
        at = datetime(2026, 1, 2, tzinfo=UTC)
        models: list[Any] = [Day, Own]
        for model in models:
            model(at=at, name="x").insert()
            assert model.get_one(at=at, name="x").name == "x"
        texts = {item["pk"]["S"] for item in stored(Day)}
        assert texts == {"DAY#2026%2301%2302+0000#x", "OWN#2026%2301%2302+0000#x"}


def test_wrong_places_of_schemas() -> None:
    def made(**keywords: Any) -> None:
        class Made(MarshmallowModel, **keywords):
            class Schema:
                user = fields.Str(required=True)
                maybe = fields.Str()
                many = fields.List(fields.Str(), required=True)

    for keywords, said in (
        ({"table": STORED}, r"pk= is missing"),
        ({"table": STORED, "pk": "A#{user}"}, r"sk= is missing"),
        ({"table": STORED, "pk": "A#{nobody}", "sk": "B"}, r"composed of 'nobody', an attribute Made does not have"),
        ({"table": STORED, "pk": "A#{maybe}", "sk": "B"}, r"maybe, which may be None"),
        ({"table": STORED, "pk": "A#{many}", "sk": "B"}, r"can't be composed of many"),
        ({"table": STORED, "pk": "A#{user}", "sk": "B", "billing": "PROVISIONED"}, r"billing= is said where the table"),
        ({"table": "plain", "pk": "A#{user}"}, r"pk= places a class in a SingleTable"),
        ({"pk": "A#{user}"}, r"pk= places a class in a SingleTable"),
    ):
        with pytest.raises(dw.SchemaError, match=said):
            made(**keywords)
