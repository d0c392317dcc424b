"""What can't be unique or numbered, and what can't be done with it: the right error, and nothing sent."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Annotated, Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, Unique, attr, counter, created_at, partition_key, sort_key, version
from tests.support.databases import case, connected, recorded


class User(Model, table="users"):
    id: Attr[str] = partition_key()
    tenant: Attr[str | None] = attr(default=None)
    email: Attr[str | None] = attr(default=None, unique=True)
    size: Attr[int | None] = attr(default=None, unique=Unique("tenant"))


class Order(Model, table="orders"):
    customer: Attr[str] = partition_key()
    number: Attr[int] = sort_key(default=counter("customer"))
    serial: Attr[int] = counter("year", gap_free=True)
    year: Attr[int | None] = attr(default=None)


class Plain(Model, table="plain"):
    id: Attr[int] = partition_key()


def declared(annotation: Any, value: Any, **more: Any) -> Callable[[], Any]:
    """Declare a class with this attribute ``x``."""

    def declare() -> Any:
        annotations = {"id": Attr[str], "x": annotation, **{name: kind for name, (kind, _) in more.items()}}
        values = {"id": partition_key(), "x": value, **{name: one for name, (_, one) in more.items()}}
        return type(Model)(
            "Wrong", (Model,), {"__module__": __name__, "__annotations__": annotations} | values, table="w-w"
        )

    return declare


OTHER, MANY = (Attr[str], attr()), (Attr[list[str]], attr())
DECLARATIONS: list[tuple[str, Callable[[], Any]]] = [
    ("not for sets, lists and maps", declared(Attr[list[int]], attr(default_factory=list, unique=True))),
    ("not for sets, lists and maps", declared(Attr[bool], attr(default=False, unique=True))),
    ("not for sets, lists and maps", declared(Attr[Any], attr(unique=True))),
    ("neither True nor Unique", declared(Attr[str], attr(unique="tenant"))),  # type: ignore[call-overload]
    ("scope is not made of attribute names", declared(Attr[str], attr(unique=Unique(3)))),  # type: ignore[arg-type]
    ("names one attribute twice", declared(Attr[str], attr(unique=Unique("id", "id")))),
    ("does not have; did you mean 'tenant'", declared(Attr[str], attr(unique=Unique("tenent")), tenant=OTHER)),
    ("can't be the attribute itself", declared(Attr[str], attr(unique=Unique("x")))),
    ("its scope tags must be stored as", declared(Attr[str], attr(unique=Unique("tags")), tags=MANY)),
    ("ignore_case= is for text", declared(Attr[int], attr(unique=Unique(ignore_case=True)))),
    ("text of 1 to 255 characters", declared(Attr[str], attr(unique=Unique(name="")))),
    ("a counter is a whole number; write x: Attr[int]", declared(Attr[str], attr(default=counter()))),
    ("a counter is a whole number; write x: Attr[int]", declared(Attr[float], counter())),
    ("whole number of 1 or more", declared(Attr[int], counter(start=0))),
    ("whole number of 1 or more", declared(Attr[int], counter(block=True))),
    ("both gap_free= and block=", declared(Attr[int], counter(block=2, gap_free=True))),
    ("scope is not made of attribute names", declared(Attr[int], counter(""))),
    ("does not have", declared(Attr[int], counter("nobody"))),
    ("which has a counter", declared(Attr[int], counter("y"), y=(Attr[int], counter()))),
    ("no key of the table", declared(Attr[int], counter(key=b"x"))),
    ("no key of the table", declared(Attr[int], counter(key=("a", "b")))),
    ("both a scope and key=", declared(Attr[int], counter("id", key="k"))),
    ("text of 1 to 255 characters", declared(Attr[int], counter(series=""))),
    ("text of 1 to 255 characters", declared(Attr[int], counter(attribute=""))),
    ("only counter", declared(Attr[int], attr(default=version()))),
    ("both default= and default_factory=", declared(Attr[int], attr(default=counter(), default_factory=int))),
]  # fmt: skip


def test_declarations() -> None:
    for text, declare in DECLARATIONS:
        with case(text), pytest.raises(dw.SchemaError) as caught:
            declare()
        with case(text):
            assert text in caught.value.message
            assert "Wrong" in caught.value.message
            assert caught.value.attribute


def test_classes_that_can_have_neither() -> None:
    with pytest.raises(dw.SchemaError, match="for a class with a table"):

        class Nested(Model):
            number: Attr[int] = counter()

    with pytest.raises(dw.SchemaError, match="for a class with a table"):

        class Inner(Model):
            name: Attr[str] = attr(unique=True)

    with pytest.raises(dw.SchemaError, match="takes no scope"):

        class ByKind(Model, table="by-kind"):
            id: Attr[int] = partition_key(default=counter("kind"))
            kind: Attr[str]

    @dataclasses.dataclass(frozen=True)
    class Frozen:
        id: str
        number: int = 0

    with dw.connect("memory:") as db:
        with pytest.raises(dw.SchemaError, match="Frozen is frozen"):
            db.table(Frozen, name="frozen", partition_key="id", attributes={"number": counter()})
        with pytest.raises(dw.SchemaError, match="a key attribute can't be unique"):
            db.table(Frozen, name="frozen", partition_key="id", attributes={"id": attr(unique=True)})


USES: list[tuple[type[Exception], str, Callable[[dw.Database], Any]]] = [
    (dw.ExpressionError, "a batch can't make sure", lambda db: User.put_many([User(id="1")])),
    (dw.ExpressionError, "a batch can't make sure", lambda db: User.delete_many(["1"])),
    (dw.ExpressionError, "a batch can't make sure", lambda db: User.write_many(put=[User(id="1")])),
    (dw.ExpressionError, "has no number yet", lambda db: Order.put_many([Order(customer="a", serial=3)])),
    (dw.ExpressionError, "must be known", lambda db: User.key("1").update(User.size.add(1))),
    (dw.ExpressionError, "must be known", lambda db: User.key("1").update(User.size.set(User.size + 1))),
    (dw.ExpressionError, "must be known", lambda db: User.key("1").update(User.email.set(User.tenant))),
    (dw.ExpressionError, "must be known", lambda db: User.key("1").update(User.tenant.set_if_not_exists(User.email))),
    (dw.ExpressionError, "must be known", lambda db: User.update_where(User.tenant == "t", User.size.add(1))),
    (dw.ExpressionError, "returns no old item", lambda db: User(id="1", email="x").put(return_old=True)),
    (dw.ExpressionError, "returns no old item", lambda db: User.key("1").delete(return_old=True)),
    (dw.ExpressionError, "returns no old item", lambda db: Order(customer="a", year=1).put(return_old=True)),
    (dw.ExpressionError, "create a Order without serial", lambda db: Order.key("a", 1).update(year=3, upsert=True)),
    (dw.ValidationError, "Order.year must have a value", lambda db: Order(customer="a").insert()),
    (dw.ValidationError, "reserved", lambda db: User(id="dynawire#unique#mine").insert()),
    (dw.ValidationError, "reserved", lambda db: User(id="dynawire#unique#mine").put()),
    (dw.ValidationError, "must be str", lambda db: User(id="1", email=3).insert()),  # type: ignore[arg-type]
    (dw.ExpressionError, "Plain.id has no counter", lambda db: Plain.counter_of("id")),
    (dw.ExpressionError, "did you mean 'number'", lambda db: Order.counter_of("numbr", customer="a")),
    (dw.ValidationError, "has the scope customer", lambda db: Order.counter_of("number")),
    (dw.ValidationError, "has the scope customer", lambda db: Order.counter_of("number", year=3)),
    (dw.ValidationError, "Order.year must have a value", lambda db: Order.counter_of("serial", year=None)),
    (dw.ValidationError, "", lambda db: Order.counter_of("number", customer=3)),
    (dw.ExpressionError, "is gap-free", lambda db: Order.counter_of("serial", year=3).take()),
    (dw.ExpressionError, "whole number of 1 or more", lambda db: Order.counter_of("number", customer="a").take(0)),
    (dw.ExpressionError, "whole number of 1 or more", lambda db: Order.counter_of("number", customer="a").take(True)),
    (dw.ExpressionError, "whole number of 1 or more", lambda db: Order.counter_of("number", customer="a").raise_to(-1)),
    (dw.ExpressionError, "has no unique attributes", lambda db: Plain.rebuild_unique()),
    (dw.ExpressionError, "whole number of 1 or more", lambda db: User.rebuild_unique(segments=0)),
]


def test_uses() -> None:
    with connected("memory:") as db, db.use():
        db.create_tables(User, Order, Plain)
        recorded(db).clear()
        for kind, text, use in USES:
            with case(text), pytest.raises(kind) as caught:
                use(db)
            with case(text):
                assert text in str(caught.value)
                assert recorded(db).sent == []


def test_values_stay_out_of_messages() -> None:
    with connected("memory:") as db, db.use():
        db.create_tables(User)
        User(id="first-key", email="secret@x").insert()
        with pytest.raises(dw.UniqueConflict) as caught:
            User(id="second-key", email="secret@x").insert()
        for shown in (str(caught.value), repr(caught.value), repr(User.rebuild_unique())):
            assert "secret" not in shown
            assert "-key" not in shown


def test_what_is_no_guard_in_the_place_of_one() -> None:
    with connected("memory:") as db, db.use():
        db.create_tables(User)
        User(id="1", email="x").insert()
        table = db.table(User)
        inner = recorded(db).inner
        assert inner is not None
        guard = next(one for one in _items(db) if "dynawire#owner" in one)["id"]["S"]
        body = {"TableName": table.name, "Item": {"id": {"S": guard}}}
        inner.send("PutItem", json.dumps(body).encode())
        with pytest.raises(dw.UniqueConflict) as caught:
            User(id="2", email="x").insert()
        assert caught.value.key is None
        with pytest.raises(dw.ExpressionError, match="reserved for guards"):
            User.rebuild_unique()


def _items(db: dw.Database) -> list[dict[str, Any]]:
    from tests.support.databases import raw

    items: list[dict[str, Any]] = raw(db, User, "Scan")["Items"]
    return items


def test_same_declaration_again() -> None:
    @dataclasses.dataclass
    class Book:
        isbn: str
        title: str = ""
        number: Annotated[int, "kept"] = 0

    with dw.connect("memory:") as db:
        said = {"title": attr(unique=Unique("isbn")), "number": counter(start=5)}
        table = db.table(Book, name="books", partition_key="isbn", attributes=said)
        again = {"title": attr(unique=Unique("isbn")), "number": counter(start=5)}
        assert db.table(Book, name="books", partition_key="isbn", attributes=again) is table
        with pytest.raises(dw.SchemaError, match="not in the same way"):
            db.table(Book, name="books", partition_key="isbn", attributes={"title": attr(unique=True)})
    assert repr(Unique("a", ignore_case=True, name="n")) == "Unique('a', ignore_case=True, name='n')"
    assert Unique("a") != Unique("b")
    assert hash(Unique("a")) == hash(Unique("a"))
    with pytest.raises(dw.SchemaError, match="only counter"):

        class Wrong(Model, table="wrong"):
            id: Attr[str] = partition_key()
            at: Attr[Any] = attr(default=created_at())
