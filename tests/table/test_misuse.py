"""Calls that mean nothing say what to write instead, and send nothing."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, attr, discriminator, misuse, partition_key, sort_key


class Airport(Model, table="airports"):
    """A class with an index."""

    state: Attr[str] = partition_key()
    iata: Attr[str] = sort_key()
    city: Attr[str | None] = attr(default=None)
    visits: Attr[int] = attr(default=0)

    open: Attr[bool] = attr(default=False)

    by_city = GlobalIndex(partition_key="city", sort_key="visits", projection="KEYS_ONLY")


class Careful(Airport, table="airports"):
    """A class that overrides operations."""

    def save(self, **options: Any) -> bool:  # type: ignore[override]
        return Airport.save(self, **options) or super().save()

    @classmethod
    def put(cls) -> str:  # type: ignore[override]
        return "mine"


@pytest.fixture(autouse=True)
def db() -> Iterator[dw.Database]:
    with dw.connect("memory:") as database:
        database.create_tables(Airport)
        Airport(state="TX", iata="DFW", city="Dallas").insert()
        yield database


@pytest.mark.parametrize("name", ["insert", "put", "save", "refresh", "asave", "to_item", "to_dict", "validate"])
def test_operations_of_instances_called_on_the_class(name: str) -> None:
    for arguments in ((), ("TX",), ({"state": "TX"},)):
        with pytest.raises(dw.UsageError, match=rf"Airport\.{name}\(\) was called on the class; .*airport\.{name}\("):
            getattr(Airport, name)(*arguments)


@pytest.mark.parametrize("name", ["update", "delete", "aupdate", "adelete"])
def test_operations_by_key_called_on_the_class(name: str) -> None:
    for arguments in ((), (Airport.visits.add(1),), ("TX", "DFW")):
        with pytest.raises(dw.UsageError, match=rf"or on a key, without reading first, Airport\.key\(...\)\.{name}\("):
            getattr(Airport, name)(*arguments)


def test_methods_of_the_class_can_be_called_with_an_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    airport = Airport.get_one("TX", "DFW")
    airport.visits = 3
    assert Airport.save(airport)
    careful = Careful.get_one("TX", "DFW")
    careful.visits = 4
    assert careful.save()
    assert (Airport.get_one("TX", "DFW").visits, Careful.put()) == (4, "mine")
    assert inspect.signature(Airport.save) == inspect.signature(Model.save)
    monkeypatch.setattr(Airport, "save", lambda self: "replaced")
    assert airport.save() == "replaced"  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("operation", ["create_tables", "drop_tables", "update_tables"])
@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ([Airport], r"not a list of them; write them one by one, or \*classes"),
        ((Airport,), r"not a tuple of them; write them one by one, or \*classes"),
        (Airport(state="TX", iata="DFW"), "not an instance; write the class, Airport"),
        ("airports", "a mapped class is needed, not str"),
    ],
)
def test_tables_of_something_else(db: dw.Database, operation: str, argument: Any, message: str) -> None:
    with pytest.raises(dw.UsageError, match=message):
        getattr(db, operation)(argument)


@pytest.mark.parametrize("item", [("TX", "DFW"), "TX", None, [1], 5])
@pytest.mark.parametrize("operation", ["insert", "put", "save", "update", "delete"])
def test_transactions_of_something_else(db: dw.Database, operation: str, item: Any) -> None:
    message = rf"such as Airport\.key\(...\); not {type(item).__name__}"
    with pytest.raises(dw.UsageError, match=message), db.transaction() as tx:
        getattr(tx, operation)(item)
    with pytest.raises(dw.UsageError, match="not the class Airport itself"), db.transaction() as tx:
        getattr(tx, operation)(Airport)


QUERIES: list[Callable[[], Any]] = [lambda: Airport.query("TX"), Airport.scan, lambda: Airport.find(city="Dallas")]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_is_no_list(query: Callable[[], Any]) -> None:
    for call, message in [
        (lambda: len(query()), r"\.count\(\)"),
        (lambda: query()[0], r"\.first\(\) or \.one\(\)"),
        (lambda: query()[0:3], r"\.limit\(n\)"),
        (lambda: bool(query()), r"query\.first\(\) is not None"),
    ]:
        with pytest.raises(dw.UsageError, match=message):
            call()
    assert [len(list(query())), len([*query()]), len(tuple(query()))] == [1, 1, 1]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (lambda: Airport.query(city="Dallas"), r"'state' is not given; .* write Airport\.by_city\.query\(...\)"),
        (lambda: Airport.query(Airport.city == "Dallas"), r"write Airport\.by_city\.query\(...\)"),
        (lambda: Airport.query(city="Dallas", visits__gt=1), r"write Airport\.by_city\.query\(...\)"),
        (lambda: Airport.by_city.query(state="TX"), r"'city' is not given; .* write Airport\.query\(...\)"),
        (lambda: Airport.query(visits=1), r"write Airport\.find\(...\), which chooses"),
        (lambda: Airport.query(iata="DFW"), r"write Airport\.find\(...\), which chooses"),
        (Airport.query, r"give its value, or write Airport\.scan\(\)"),
        (lambda: Airport.query("TX", iata__gt="A", iata__lt="F"), r"write Airport\.iata\.between\(low, high\)"),
        (lambda: Airport.query("TX", limit=3), r"has no attribute 'limit'; .* write query\(...\)\.limit\(...\)"),
        (lambda: Airport.query("TX", reverse=True), r"write query\(...\)\.reverse\(\)"),
        (lambda: Airport.query("TX", scan_index_forward=False), r"write query\(...\)\.reverse\(\)"),
        (lambda: Airport.scan(consistent_read=True), r"write query\(...\)\.consistent\(\)"),
        (lambda: Airport.query("TX", filter=Airport.visits > 3), r"write query\(...\)\.where\(...\)"),
        (lambda: Airport.query("TX", index="by_city"), r"write Airport\.name_of_the_index\.query\(...\)"),
    ],
)
def test_a_query_that_can_not_be(query: Callable[[], Any], message: str) -> None:
    with pytest.raises(dw.ExpressionError, match=message):
        query()


def test_of_other_libraries_classes_a_table_is_named(db: dw.Database) -> None:
    from dataclasses import dataclass

    @dataclass
    class Book:
        isbn: str
        author: str

    table = db.table(
        Book, name="books", partition_key="isbn", indexes={"by_author": GlobalIndex(partition_key="author")}
    )
    with pytest.raises(dw.ExpressionError, match=r'write table\.index\("by_author"\)\.query\(...\)'):
        table.query(author="Ada")
    with pytest.raises(dw.ExpressionError, match=r"write table\.find\(...\)"):
        table.query(isbn__gt="1")


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (
            (Path("/srv/app.db"),),
            {},
            r'connect\(\) takes a URL, not \w+Path; write connect\("sqlite:////srv/app\.db"\)',
        ),
        ((Path("app.db"),), {}, r'write connect\("sqlite:///app\.db"\)'),
        ((5,), {}, r'takes a URL, not int; connect\("memory:"\)'),
        (("app.db",), {}, r'write connect\("sqlite:///app\.db"\)'),
        (("memory:",), {"table_prefix": None}, "table_prefix= takes text, not NoneType"),
        (("memory:",), {"tableprefix": "a"}, "no option 'tableprefix'; did you mean 'table_prefix'"),
        (("http://localhost:1",), {"allow_scans": True}, "no option 'allow_scans'; did you mean 'allow_scan'"),
    ],
)
def test_connecting_to_something_else(arguments: Any, options: Any, message: str) -> None:
    with pytest.raises(dw.DynawireError, match=message):
        dw.connect(*arguments, **options)


class Old(Model, table="prices"):
    """A class before limits were set."""

    id: Attr[str] = partition_key()
    price: Attr[Decimal]
    names: Attr[dict[str, str]] = attr(default_factory=dict)
    note: Attr[str] = attr(default="")


class New(Model, table="prices"):
    """The same, with limits that what is stored breaks."""

    id: Attr[str] = partition_key()
    price: Attr[Decimal] = attr(ge=Decimal(100))
    names: Attr[dict[str, str]] = attr(default_factory=dict, max_length=1)
    note: Attr[str] = attr(default="", max_length=3)


@pytest.fixture
def stored(db: dw.Database) -> New:
    db.create_tables(Old)
    Old(id="1", price=Decimal(5), names={"a": "x", "b": "y"}).insert()
    return New.get_one("1")


def test_what_breaks_newer_limits_and_is_not_changed_can_be_saved(db: dw.Database, stored: New) -> None:
    stored.note = "new"
    assert stored.save()
    assert not stored.save()
    with db.transaction() as tx:
        stored.note = "abc"
        tx.save(stored)
    assert New.get_one("1").to_dict() == {"id": "1", "price": Decimal(5), "names": {"a": "x", "b": "y"}, "note": "abc"}
    stored.update(New.note.set("x"))
    stored.price = Decimal(500)
    assert stored.save()
    assert New.get_one("1").price == 500


def test_what_breaks_limits_and_is_changed_can_not(stored: New) -> None:
    for name, value in [("price", Decimal(6)), ("names", {"a": "x", "b": "z"}), ("note", "long"), ("note", 5)]:
        wrong = New.get_one("1")
        setattr(wrong, name, value)
        with pytest.raises(dw.ValidationError, match=f"New.{name}"):
            wrong.save()
        with pytest.raises(dw.ValidationError):
            wrong.put()
    assert New.get_one("1") == stored


def test_what_dynamodb_computes_is_not_checked(stored: New) -> None:
    assert stored.update(New.price.add(-4)).price == 1
    assert stored.update(New.price.set(New.price - 4)).price == -3
    with pytest.raises(dw.ValidationError, match="must be >= 100"):
        stored.update(price=Decimal(3))


@pytest.mark.parametrize(
    ("look", "message"),
    [
        (lambda: Airport.vists, "Airport has no attribute 'vists'; did you mean 'visits'"),
        (lambda: Airport.by_cty, "did you mean 'by_city'"),
        (lambda: Airport.objects, r"write Airport\.query"),
        (lambda: Airport.filter, r"write Airport\.query"),
        (lambda: Airport.create, r"write Airport\(...\)\.insert\(\)"),
        (lambda: Airport.batch_get, r"write Airport\.get_many\(keys\)"),
        (lambda: Airport.query("TX").filter, r"a query has no 'filter'; write \.where\(...\)"),
        (lambda: Airport.find(city="Dallas").values, r"write \.project\(...\)"),
        (lambda: Airport.scan().limt, "did you mean 'limit'"),
        (lambda: Airport.by_city.get, r"an index has no 'get'; write \.query\(...\)\.one\(\)"),
        (lambda: Airport.by_city.scn, "did you mean 'scan'"),
        (lambda: Airport.delete_all, r"write Airport\.delete_where\(condition\)"),
        (lambda: Airport.query("TX").delete, r"write Model\.delete_where\(condition\)"),
        (lambda: dw.Transaction.__new__(dw.Transaction).commit, "a transaction has no 'commit'; all is sent when its"),
        (lambda: dw.Transaction.__new__(dw.Transaction).aput, r"write put\(...\), without await: all is sent"),
        (lambda: dw.Transaction.__new__(dw.Transaction).chek, "did you mean 'check'"),
        (lambda: Airport.params.query, r"; not 'query'; write query\(...\)\.params\(\)"),
        (lambda: Airport.params.gett, "; not 'gett'$"),
    ],
)
def test_names_that_there_are_not(look: Callable[[], Any], message: str) -> None:
    with pytest.raises(AttributeError, match=message) as caught:
        look()
    assert caught.value.name
    assert not hasattr(Airport, "objects")
    assert not hasattr(Airport.scan(), "filter")


def test_paths_and_values_of_another_class_of_the_same_name(db: dw.Database) -> None:
    """As in two modules of a program, or in a notebook whose cell was run again."""

    def another() -> Any:
        class Kind(Enum):
            BIG = "big"

        class Airport(Model, table="airports"):
            state: Attr[str] = partition_key()
            iata: Attr[str] = sort_key()
            kind: Attr[Kind | None] = attr(default=None)

        return Airport, Kind

    (older, wrong), (newer, _) = another(), another()
    mine = r"tests\.\S+\.test_paths\S+\.Airport"
    with pytest.raises(
        dw.ExpressionError, match=f"is an attribute of {mine}, and the request is for {mine}; write Air"
    ):
        newer.scan(older.iata == "x").params()
    with pytest.raises(dw.ValidationError, match=r"must be Kind, not another class of this name \(tests\.\S+\.Kind\)"):
        newer(state="TX", iata="DFW", kind=wrong.BIG).insert()


@pytest.mark.parametrize("advised", [misuse._CLASS, misuse._QUERY, misuse._INDEX, misuse._TRANSACTION])
def test_what_is_advised_there_is(advised: dict[str, str]) -> None:
    there = (dw.Model, dw.Query, dw.Find, dw.Index, dw.Key, dw.Database, dw.Transaction)
    known = {name for one in there for name in dir(one)}
    for advice in advised.values():
        for name in re.findall(r"\b([a-z_]+)\(", advice):
            assert name in known, advice


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Airport.visits > 1 & Airport.visits < 5, r"write parentheses: \(visits > 1\) & \(visits < 5\)"),
        (
            lambda: Airport.visits & (Airport.visits > 1),
            r"is a path, not a condition: compare it, as in visits == True",
        ),
        (lambda: 1 | Airport.visits, "is a path, not a condition"),
        (
            lambda: Airport.scan(Airport.visits),
            r"a path, not a condition: compare it, as in Airport.visits == value",
        ),
        (lambda: Airport.scan(Airport.open), r"compare it, as in Airport.open == True"),
        (lambda: Airport.visits.set(Airport.city.size()), r"Airport.visits = …: size\(\) belongs in a condition"),
        (lambda: Airport.by_city.query("x").all(), r"does not hold open, .*: write \.hydrate\(\)"),
        (lambda: Airport.visits.set(None), r"cannot be None; declare it optional, or, if it has a default, write"),
        (lambda: ~Airport.visits, r"write visits == False"),
        (lambda: Airport.city.startswith("D"), r"has no member 'startswith'; write \.begins_with\(...\)"),
        (lambda: Airport.city.is_null, r"Airport\.city == None is true of what is absent or NULL"),
        (lambda: Airport.visits.exact(3), "write =="),
        (lambda: Airport.visits.decrement(3), r"write \.set\(Airport\.visits - number\)"),
        (lambda: Airport.scan(Airport.city is None), "`is` compares in Python, so write == None"),
        (lambda: Airport.key("TX", "DFW").update(Airport.visits + 1), r"a sum is not an update; write one such as"),
    ],
)
def test_expressions_that_mean_nothing(build: Callable[[], Any], message: str) -> None:
    with pytest.raises(dw.ExpressionError, match=message):
        build()


class Book(Model, table="books"):
    """A class without sort key: each character of a text could be a key."""

    isbn: Attr[str] = partition_key()


@pytest.mark.parametrize("name", ["get_many", "put_many", "delete_many"])
def test_one_where_several_are_needed(db: dw.Database, name: str) -> None:
    db.create_tables(Book)
    Book.put_many(Book(isbn=one) for one in "abc")
    for one in ("abc", b"abc", {"isbn": "a"}, Book(isbn="a"), Book.key("a"), None, 5):
        with pytest.raises(dw.UsageError, match=rf"not one {type(one).__name__}: {name}\(\["):
            getattr(Book, name)(one)
    with pytest.raises(dw.UsageError, match=r"write_many\(put=\[item\], delete=\[key\]\)"):
        Book.write_many(delete="abc")
    assert Book.scan().count() == 3
    assert [book.isbn for book in Book.get_many(["a", "b"])] == ["a", "b"]


class Pet(Model, table="pets"):
    """A class of several, before limits were set."""

    id: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()
    age: Attr[int] = attr(default=0)


class StrictPet(Model, table="pets"):
    """The same, with a limit that what is stored breaks."""

    id: Attr[str] = partition_key()
    kind: Attr[str] = discriminator()
    age: Attr[int] = attr(default=0, le=30)
    name: Attr[str] = attr(default="")


class Pony(Pet, tag="pony"):
    """A kind of pet."""


class StrictPony(StrictPet, tag="pony"):
    """The same kind."""


def test_the_class_of_an_item_stays_under_newer_limits_too(db: dw.Database) -> None:
    db.create_tables(Pet)
    Pony(id="1", age=50).insert()
    pony = StrictPony.get_one("1")
    pony.name = "Old"
    assert pony.save()
    pony.kind = "dog"
    with pytest.raises(dw.ValidationError):
        pony.save()
    assert StrictPony.get_one("1").to_dict() == {"id": "1", "kind": "pony", "age": 50, "name": "Old"}
