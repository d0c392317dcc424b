"""Any sequence of writes, by two writers, in every form: each key attribute is what its template says."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

import dynawire as dw
from dynawire import Attr, IndexMap, Model, attr, computed, discriminator, template, updated_at, version
from dynawire.errors import ConditionFailed, ExpressionError, TransactionCancelled
from tests.support.databases import connected

table = dw.SingleTable("state", global_indexes=3, local_indexes=1)


class Plain(Model, table=table, pk="T#{tenant}", sk="A#{number}#{name}"):
    tenant: Attr[str]
    number: Attr[int]
    name: Attr[str]
    a: Attr[str | None] = attr(default=None)
    b: Attr[str] = attr(default="d", name="bb")
    n: Attr[int] = attr(default=0)
    m: Attr[int | None] = attr(default=None)
    both: Attr[str | None] = template("{a}~{n}", separator="~")
    twice: Attr[int] = computed(lambda n: 2 * n, "n")

    first = IndexMap("gsi0", pk="A#{a}#{b}", sk="{n}#{name}")
    second = IndexMap("gsi1", pk="B#{b}", sk="{m}", when={"n__gt": 1})
    local = IndexMap("lsi0", sk="{m}#{b}")


class Kept(Model, table=table, pk="T#{tenant}", sk="K#{number}#{name}"):
    tenant: Attr[str]
    number: Attr[int]
    name: Attr[str]
    a: Attr[str | None] = attr(default=None)
    b: Attr[str] = attr(default="d", name="bb")
    n: Attr[int] = attr(default=0)
    m: Attr[int | None] = attr(default=None)
    v: Attr[int] = version()
    changed: Attr[datetime | None] = updated_at()

    first = IndexMap("gsi0", pk="K#{a}#{b}", sk="{changed}")
    second = IndexMap("gsi2", pk="B#{b}#{n:03}", sk="{m}", when={"a__exists": True})


class Parent(Model, table=table, pk="T#{tenant}", sk="P#{number}#{name}"):
    """With derived classes: what is written by a key of this one keeps what those have besides."""

    tenant: Attr[str]
    number: Attr[int]
    name: Attr[str]
    kind: Attr[str] = discriminator()
    a: Attr[str | None] = attr(default=None)
    b: Attr[str] = attr(default="d", name="bb")
    n: Attr[int] = attr(default=0)
    m: Attr[int | None] = attr(default=None)

    first = IndexMap("gsi0", pk="P#{a}#{b}", sk="{n}")


class Child(Parent):
    third = IndexMap("gsi2", pk="C#{b}", sk="{m}")


class Grandchild(Child):
    v: Attr[int] = version()
    twice: Attr[int] = computed(lambda n: 2 * n, "n")


bare_table = dw.SingleTable("bare", global_indexes=2, local_indexes=1, store_keys=False, kind=None)


class Bare(Model, table=bare_table, pk="T#{tenant}", sk="A#{number}#{name}"):
    """The same, with the attributes of its key in the key alone."""

    tenant: Attr[str]
    number: Attr[int]
    name: Attr[str]
    a: Attr[str | None] = attr(default=None)
    b: Attr[str] = attr(default="d", name="bb")
    n: Attr[int] = attr(default=0)
    m: Attr[int | None] = attr(default=None)
    v: Attr[int] = version()
    changed: Attr[datetime | None] = updated_at()

    first = IndexMap("gsi0", pk="A#{a}#{b}", sk="{number}#{changed}")
    second = IndexMap("gsi1", pk="B#{b}", sk="{m}#{tenant}", when={"n__gt": 1})
    local = IndexMap("lsi0", sk="{m}#{b}")


EXPECTED = (ConditionFailed, ExpressionError, TransactionCancelled)
CLASSES = st.sampled_from([Plain, Kept, Parent, Child, Grandchild, Bare])
KEYS = st.tuples(st.sampled_from(["x", "y#"]), st.integers(-1, 1), st.sampled_from(["p", ""]))
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "a": st.sampled_from([None, "a", "a#", "%"]),
        "b": st.sampled_from(["d", "e~"]),
        "n": st.integers(0, 3),
        "m": st.sampled_from([None, 0, -5, 12]),
    },
)
FORMS = st.sampled_from(["plain", "exactly once", "transaction"])


class Writers(RuleBasedStateMachine):
    """Two writers, each with the items it has loaded."""

    url = "memory:"

    def __init__(self) -> None:
        super().__init__()
        self.db = connected(self.url)
        self.db.drop_tables(table, bare_table)
        self.db.create_tables(table, bare_table)
        self.loaded: dict[tuple[int, Any, Any], Any] = {}

    def key(self, kind: Any, key: tuple[str, int, str]) -> dict[str, Any]:
        tenant, number, name = key
        return {"tenant": tenant, "number": number, "name": name}

    @rule(kind=CLASSES, key=KEYS, changes=CHANGES, insert=st.booleans(), form=FORMS)
    def put(self, kind: Any, key: Any, changes: Any, insert: bool, form: str) -> None:
        item = kind(**self.key(kind, key), **changes)
        self.write("insert" if insert else "put", item, form)
        self.loaded[0, kind, key] = item

    @rule(kind=CLASSES, keys=st.lists(KEYS, max_size=3), changes=CHANGES)
    def put_many(self, kind: Any, keys: Any, changes: Any) -> None:
        with self.allowed():
            self.db.table(kind).put_many([kind(**self.key(kind, key), **changes) for key in keys])

    @rule(writer=st.integers(0, 1), kind=CLASSES, key=KEYS)
    def load(self, writer: int, kind: Any, key: Any) -> None:
        found = self.db.table(kind).get(**self.key(kind, key))
        if found is not None:
            self.loaded[writer, kind, key] = found

    @rule(writer=st.integers(0, 1), kind=CLASSES, key=KEYS, changes=CHANGES, form=FORMS)
    def save(self, writer: int, kind: Any, key: Any, changes: Any, form: str) -> None:
        item = self.loaded.get((writer, kind, key))
        if item is not None:
            for name, value in changes.items():
                setattr(item, name, value)
            self.write("save", item, form)

    @rule(writer=st.integers(0, 1), kind=CLASSES, key=KEYS, changes=CHANGES, form=FORMS, upsert=st.booleans())
    def update_instance(self, writer: int, kind: Any, key: Any, changes: Any, form: str, upsert: bool) -> None:
        item = self.loaded.get((writer, kind, key))
        if item is not None:
            self.write("update", item, form, upsert=upsert, **changes)

    @rule(kind=CLASSES, key=KEYS, changes=CHANGES, known=CHANGES, form=FORMS, upsert=st.booleans())
    def update_key(self, kind: Any, key: Any, changes: Any, known: Any, form: str, upsert: bool) -> None:
        conditions = [getattr(kind, name) == value for name, value in known.items() if value is not None]
        item = self.db.table(kind).key(**self.key(kind, key))
        self.write("update", item, form, upsert=upsert, condition=conditions, **changes)

    @rule(kind=CLASSES, changes=CHANGES, known=CHANGES)
    def update_where(self, kind: Any, changes: Any, known: Any) -> None:
        with self.allowed():
            self.db.table(kind).update_where(known or {"b": "d"}, **changes)

    @rule(kind=CLASSES, key=KEYS)
    def delete(self, kind: Any, key: Any) -> None:
        # Refused where the item is of a class that shares the table.
        with self.allowed():
            self.db.table(kind).key(**self.key(kind, key)).delete()

    def allowed(self) -> Any:
        return contextlib.suppress(*EXPECTED)

    def write(self, name: str, item: Any, form: str, **options: Any) -> None:
        with self.allowed(), self.db.use():
            if form == "transaction":
                with self.db.transaction() as tx:
                    getattr(tx, name)(item, **options)
            else:
                getattr(item, name)(**options, **({"exactly_once": True} if form == "exactly once" else {}))

    @invariant()
    def keys_are_what_their_templates_say(self) -> None:
        for home, kinds in ((table, (Plain, Kept, Parent)), (bare_table, (Bare,))):
            for item in self.everything(home, kinds):
                kind = home.class_of(item)
                read = kind.from_item(item)
                said = read.to_item()
                attributes = kind.__mapping__.attributes.values()
                names = {one.stored_name for one in attributes if one.computed is not None} | {"tenant"}
                assert {name: item.get(name) for name in names} == {name: said.get(name) for name in names}
                with self.db.use():
                    assert kind.get(tenant=read.tenant, number=read.number, name=read.name) is not None

    def everything(self, home: dw.SingleTable, kinds: tuple[Any, ...]) -> list[dict[str, Any]]:
        body = json.dumps({"TableName": self.db.table(kinds[0]).name}).encode()
        answer = json.loads(self.db.engine.send("Scan", body))
        found: list[dict[str, Any]] = answer["Items"]
        assert len(found) == sum(self.db.table(kind).scan().count() for kind in kinds)
        return found

    def teardown(self) -> None:
        self.db.close()


def test_keys_never_drift() -> None:
    run_state_machine_as_test(Writers, settings=settings(max_examples=50, stateful_step_count=25, deadline=None))


@pytest.mark.dynamodb_local
def test_keys_never_drift_on_dynamodb_local(dynamodb_local: str) -> None:
    class OnDynamoDBLocal(Writers):
        url = dynamodb_local

    run_state_machine_as_test(OnDynamoDBLocal, settings=settings(max_examples=5, stateful_step_count=20, deadline=None))
