"""What can't be declared of single tables, told when the class is made."""

from __future__ import annotations

import dataclasses
import gc
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

import dynawire as dw
from dynawire import (
    Attr,
    GlobalIndex,
    IndexMap,
    LocalIndex,
    Model,
    SingleTable,
    attr,
    joined,
    partition_key,
    updated_at,
)
from dynawire.errors import SchemaError


def made(**keywords: Any) -> Callable[..., Any]:
    """A class in a table of its own, made with these keywords and these members."""

    def make(table: SingleTable | None = None, **members: Any) -> Any:
        class Made(
            Model,
            **{
                "table": table or SingleTable("made", global_indexes=2, local_indexes=1),
                "pk": "A#{a}",
                "sk": "B#{b}",
                **keywords,
            },
        ):
            a: Attr[str]
            b: Attr[str]
            n: Attr[int | None] = attr(default=None)
            tags: Attr[set[str]] = attr(default_factory=set)
            changed: Attr[datetime | None] = updated_at()
            both: Attr[str] = joined("a", "b")
            locals().update(members)

        return Made

    return make


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (made(pk="A#{aa}"), r"pk= is composed of 'aa', an attribute Made does not have; did you mean 'a'\?"),
        (made(sk="B#{n}"), "sk= is composed of n, which may be None; a key is never None"),
        (made(sk="B#{tags}"), "the key sk can't be composed of tags, which is set"),
        (made(sk="{both}"), "computed from both, which is computed itself"),
        (made(sk="{changed}"), "changed, which may be None"),
        (made(sk="{a}{b}"), "sk= is a template that can't work: {a} must be followed by the separator '#'"),
        (made(sk=""), "sk= is empty"),
        (made(pk=7), "pk= is text, not int"),
        (made(kind=""), "kind= is text"),
        (made(billing="PROVISIONED"), r"billing= is said where the table is: SingleTable\(\.\.\., billing=\.\.\.\)"),
        (made(table="plain"), r"kind= places a class|pk= places a class in a SingleTable"),
        (made(spk="x"), "spk= is said|unknown class keyword"),
    ],
)
def test_class_keywords(make: Callable[..., Any], reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        make()


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (IndexMap("gsi7", pk="x", sk="y"), "is mapped to 'gsi7', an index made does not have; its indexes: gsi0, gsi1"),
        (IndexMap("gsi0", pk="x"), r'sk= is missing: IndexMap\("gsi0", sk="\.\.\."\)'),
        (IndexMap("gsi0", sk="x"), "pk= is missing"),
        (IndexMap("gsi0", pk="{zz}", sk="x"), "pk= is composed of 'zz'"),
        (IndexMap("gsi0", pk="{a", sk="x"), "pk= is a template that can't work"),
        (IndexMap("lsi0", pk="x", sk="y"), "pk= is that of the table, for lsi0 is a local index; leave it out"),
        (IndexMap("gsi0", pk="x", sk="y", when={}), "has a when= that is no condition"),
        (IndexMap("gsi0", pk="x", sk="y", when={"zz": 1}), "has a when= that can't work: Made has no attribute 'zz'"),
        (IndexMap("gsi0", pk="x", sk="y", when={"a": 1.5}), "has a when= that can't work: Made.a"),
        (IndexMap(None, pk="x", sk="y"), "names the generic index first"),  # type: ignore[arg-type]
        (GlobalIndex("a"), r'by is an index of a table of its own; .* write by = IndexMap\("gsi0"'),
    ],
)
def test_index_maps(index: Any, reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        made()(by=index)


def test_classes_that_are_not_ours_have_tables_of_their_own() -> None:
    @dataclasses.dataclass
    class Book:
        isbn: str

    with (
        dw.connect("memory:") as db,
        pytest.raises(SchemaError, match=r"Book can't be placed in the single"),
    ):
        db.table(Book, name=SingleTable("books"), partition_key="isbn")  # type: ignore[arg-type]


def test_one_generic_index_is_mapped_once() -> None:
    with pytest.raises(SchemaError, match=r"one and other are both mapped to gsi0"):
        made()(one=IndexMap("gsi0", pk="x", sk="y"), other=IndexMap("gsi0", pk="x", sk="y"))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: SingleTable("x y z"), "a table name has"),
        (lambda: SingleTable("abc", global_indexes=21), "global_indexes=21: a table has 0 to 20"),
        (lambda: SingleTable("abc", local_indexes=-1), "local_indexes=-1: a table has 0 to 5"),
        (lambda: SingleTable("abc", global_indexes={"g": "x"}), "the index 'g' is no index"),  # type: ignore[dict-item]
        (lambda: SingleTable("abc", global_indexes={"gsi": GlobalIndex("pk", "x")}), "'pk' is the name of two"),
        (lambda: SingleTable("abc", global_indexes={"gsi": GlobalIndex(["x", "y"])}), "has one partition key"),
        (lambda: SingleTable("abc", global_indexes={"gsi": GlobalIndex("x", projection=["y"])}), "projection='ALL'"),
        (lambda: SingleTable("abc", sort_key=None, local_indexes=1), "is local, which needs a table with a sort key"),
        (lambda: SingleTable("abc", separator="ab"), "one printable ASCII character"),
        (lambda: SingleTable("abc", biling="x"), "unknown keyword 'biling'; did you mean 'billing'"),  # type: ignore[call-arg]
        (lambda: SingleTable("abc", billing="PROVISIONED"), "needs read_units= and write_units="),
        (lambda: SingleTable("abc", kind="pk"), "'pk' is the name of two"),
    ],
)
def test_tables(make: Callable[[], Any], reason: str) -> None:
    with pytest.raises(SchemaError, match=reason):
        make()


def test_what_belongs_elsewhere() -> None:
    table = SingleTable("elsewhere", kind=None, sort_key=None)
    with pytest.raises(SchemaError, match=r"a is declared partition_key\(\), but the keys of elsewhere are generic"):

        class Keyed(Model, table=table, pk="A#{a}"):
            a: Attr[str] = partition_key()

    with pytest.raises(SchemaError, match=r"kind= is given, but elsewhere was declared with kind=None"):

        class Kind(Model, table=table, pk="A#{a}", kind="a"):
            a: Attr[str]

    with pytest.raises(SchemaError, match=r"sk= is given, but elsewhere has no sort key"):

        class Sorted(Model, table=table, pk="A#{a}", sk="B"):
            a: Attr[str]

    with pytest.raises(SchemaError, match=r"pk= is missing"):

        class Unkeyed(Model, table=table):
            a: Attr[str]

    with pytest.raises(SchemaError, match=r"pk has the name of a generic key of elsewhere"):

        class Named(Model, table=table, pk="A#{a}"):
            a: Attr[str]
            pk: Attr[str]

    with pytest.raises(SchemaError, match=r"by is mapped to a generic index, but the class is in no SingleTable"):

        class Alone(Model, table="alone"):
            a: Attr[str] = partition_key()
            by = IndexMap("gsi0", pk="{a}", sk="x")

    with pytest.raises(SchemaError, match=r"pk= places a class in a SingleTable"):

        class Plain(Model, table="plain", pk="A#{a}"):
            a: Attr[str] = partition_key()


def test_items_of_two_classes_never_have_one_key() -> None:
    table = SingleTable("apart")

    class First(Model, table=table, pk="X#{a}", sk="FIRST"):
        a: Attr[str]

    class Second(Model, table=table, pk="X#{a}", sk="FIRST#{b}"):
        a: Attr[str]
        b: Attr[str]

    with pytest.raises(
        SchemaError, match=r"Third: an item could have the key of one of Second, .* sk=\"THIRD#\.\.\.\""
    ):

        class Third(Model, table=table, pk="X#{a}", sk="{b}#{a}"):
            a: Attr[str]
            b: Attr[str]

    with pytest.raises(SchemaError, match=r"First has the kind 'First' already"):

        class Fourth(Model, table=table, pk="Y#{a}", sk="FOURTH", kind="First"):
            a: Attr[str]

    assert table.classes() == [First, Second]


def test_a_class_that_is_declared_again_takes_the_place_of_the_older_one() -> None:
    table = SingleTable("again")

    def declare() -> Any:
        class Cell(Model, table=table, pk="X#{a}", sk="CELL"):
            a: Attr[str]

        return Cell

    declare()
    second = declare()
    assert table.classes() == [second]
    del second
    gc.collect()
    assert table.classes() == []


def test_without_a_kind_the_sort_keys_must_tell() -> None:
    table = SingleTable("kindless", kind=None, global_indexes=1)

    class A(Model, table=table, pk="X#{x}", sk="A#{y}"):
        x: Attr[str]
        y: Attr[str]
        by = IndexMap("gsi0", pk="Y#{y}", sk="A#{x}")

    with pytest.raises(SchemaError, match=r"a query of kindless could not tell its items from those of A"):

        class B(Model, table=table, pk="X#{x}", sk="A#{y}#B"):
            x: Attr[str]
            y: Attr[str]

    with pytest.raises(SchemaError, match=r"a query of gsi0 could not tell"):

        class C(Model, table=table, pk="X#{x}", sk="C#{y}"):
            x: Attr[str]
            y: Attr[str]
            by = IndexMap("gsi0", pk="Y#{y}", sk="{x}")

    class D(Model, table=table, pk="X#{x}", sk="D#{y}"):
        x: Attr[str]
        y: Attr[str]
        by = IndexMap("gsi0", pk="Y#{y}", sk="D#{x}")

    with dw.connect("memory:") as db:
        db.create_tables(A, D)
        A(x="1", y="2").put()
        D(x="1", y="2").put()
        assert "_kind" not in A(x="1", y="2").to_item()
        for kind in (A, D):
            for found in (kind.query("1"), kind.scan(), kind.find(), kind.by.query("2"), kind.by.scan()):
                assert [type(one) for one in found] == [kind]


def test_generic_indexes_may_be_given() -> None:
    table = SingleTable(
        "given",
        global_indexes={"gsi": GlobalIndex("p", projection="KEYS_ONLY")},
        local_indexes={"lsi": LocalIndex("s")},
    )
    assert [index.name for index in table.indexes.values()] == ["gsi", "lsi"]
    assert repr(table) == "<SingleTable given of no class>"


def test_time_to_live_is_the_tables() -> None:
    table = SingleTable("expiring", ttl="expires")

    class Session(Model, table=table, pk="S#{id}", sk="S", hide_expired=True):
        id: Attr[str]
        until: Attr[datetime | None] = dw.ttl(name="expires", default=None)

    assert Session.__mapping__.options.ttl == "until"
    with pytest.raises(SchemaError, match=r"Other.until is declared as ttl\(\), and expiring has none, or another"):

        class Other(Model, table=table, pk="O#{id}", sk="O"):
            id: Attr[str]
            until: Attr[datetime] = dw.ttl()

    with dw.connect("memory:") as db:
        db.create_tables(Session)
        Session(id="1", until=datetime(2000, 1, 1).astimezone()).put()
        assert Session.get("1") is None
        assert Session.query("1").all() == []
        assert len(Session.query("1").hide_expired(False).all()) == 1
