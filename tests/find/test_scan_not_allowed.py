"""Where no scan is allowed: the error, what it suggests, and how one is allowed all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, ScanNotAllowed, SchemaError, attr, partition_key, sort_key
from tests.support.databases import Twins, recorded
from tests.support.models import Place, place


class Guarded(Model, table="guarded", allow_scan=False):
    state: Attr[str] = partition_key()
    iata: Attr[str] = sort_key()
    name: Attr[str]
    city: Attr[str | None] = attr(default=None)
    visits: Attr[int] = attr(default=0)
    rank: Attr[int | None] = attr(default=None)
    kind: Attr[str | int] = attr(default="")
    open: Attr[bool] = attr(default=True)
    home: Attr[str | None] = attr(default=None)
    country: Attr[str] = attr(default="US")

    by_rank = GlobalIndex("rank", projection="KEYS_ONLY")
    by_country = GlobalIndex("country", "visits", projection="KEYS_ONLY")
    by_home = GlobalIndex("home")


class Small(Model, table="small", allow_scan=True):
    id: Attr[str] = partition_key()


class Derived(Guarded, table="derived"):
    pass


G = Guarded


@pytest.fixture
def guarded(db: dw.Database) -> dw.Database:
    db.create_tables(Guarded)
    Guarded(state="TX", iata="DFW", name="x", city="Dallas").insert()
    recorded(db).clear()
    return db


SUGGESTIONS: list[tuple[Any, str | None]] = [
    (G.city == "Dallas", 'GlobalIndex(partition_key="city")'),
    ((G.city == "Dallas") & (G.visits > 3), 'GlobalIndex(partition_key="city", sort_key="visits")'),
    ((G.visits > 3) & G.city.in_(["a", "b"]), 'GlobalIndex(partition_key="city", sort_key="visits")'),
    ((G.city == "Dallas") & (G.name == "x"), 'GlobalIndex(partition_key="city", sort_key="name")'),
    ((G.city == "Dallas") & (G.open == True), 'GlobalIndex(partition_key="city")'),  # noqa: E712
    ((G.iata == "DFW"), 'GlobalIndex(partition_key="iata")'),
    ((G.home == "x") | (G.city == "Dallas"), 'GlobalIndex(partition_key="city")'),
    ((G.home == "x") | (G.city != "Dallas"), None),
    ((G.open == True), None),  # noqa: E712
    ((G.kind == "x"), None),
    (G.visits > 3, None),
    (None, None),
]


@pytest.mark.parametrize(("condition", "suggestion"), SUGGESTIONS, ids=[repr(one) for one, _ in SUGGESTIONS])
def test_the_index_that_would_serve_is_suggested(condition: Any, suggestion: str | None) -> None:
    with dw.connect("memory:"):
        with pytest.raises(ScanNotAllowed) as caught:
            Guarded.find(condition).all()
        assert caught.value.suggestion == suggestion
        assert caught.value.model == "Guarded"
        remedy = "narrow it by == or in_" if suggestion is None else f"declare {suggestion} in Guarded"
        assert remedy in caught.value.message
        assert caught.value.message.endswith(
            "; or allow it with .allow_scan(), for update_where() and delete_where() with allow_scan=True"
        )
        assert "Dallas" not in caught.value.message


def test_a_change_of_the_condition_is_suggested() -> None:
    with dw.connect("memory:"):
        with pytest.raises(ScanNotAllowed, match=r"add & Guarded\.visits\.exists\(\) to the condition") as caught:
            Guarded.find(country="US").all()
        assert caught.value.suggestion is None
        with pytest.raises(ScanNotAllowed, match=r"leave out consistent\(\), for a query on the global index by_home"):
            Guarded.find(home="x").consistent().all()
        with pytest.raises(
            ScanNotAllowed, match=r"leave out hydrate\(False\), for a query on the global index by_rank"
        ):
            Guarded.find(rank=1).hydrate(False).all()
        with pytest.raises(ScanNotAllowed, match=r"declare GlobalIndex\(.*\) in Guarded and leave out consistent\(\)"):
            Guarded.find(city="x").consistent().all()


WAYS: list[Callable[[Twins, Any], Any]] = [
    lambda twin, read: twin(read).all(),
    lambda twin, read: twin.items(read),
    lambda twin, read: twin(read).first(),
    lambda twin, read: twin(read).one(),
    lambda twin, read: twin(read).count(),
    lambda twin, read: twin(read).page(),
    lambda twin, read: read.params(),
]


def test_nothing_is_sent(guarded: dw.Database, twin: Twins) -> None:
    for way in WAYS:
        for read in (Guarded.find(city="Dallas"), Guarded.scan(city="Dallas"), Guarded.scan(), Guarded.by_home.scan()):
            with pytest.raises(ScanNotAllowed):
                way(twin, read)
    for call in (
        lambda: twin(Guarded.find(city="Dallas")).exists(),
        lambda: twin(Guarded.find(city="Dallas")).explain(run=True, describe=False),
        lambda: twin(Guarded).delete_where(Guarded.city == "Dallas"),
        lambda: twin(Guarded).update_where(Guarded.city == "Dallas", visits=3),
    ):
        with pytest.raises(ScanNotAllowed):
            call()
    assert recorded(guarded).sent == []


def test_it_can_be_allowed_for_once(guarded: dw.Database, twin: Twins) -> None:
    assert twin(Guarded.find(city="Dallas").allow_scan()).count() == 1
    assert twin(Guarded.scan(city="Dallas").allow_scan()).one().iata == "DFW"
    assert twin(Guarded.find().allow_scan(segments=2)).count() == 1
    assert twin(Guarded).update_where(Guarded.city == "Dallas", visits=3, allow_scan=True).written == 1
    with pytest.raises(ScanNotAllowed):
        twin(Guarded.find(city="Dallas").allow_scan().allow_scan(False)).count()


def test_what_needs_no_scan_is_read(guarded: dw.Database, twin: Twins) -> None:
    assert twin(Guarded.find(state="TX", iata="DFW")).one().name == "x"
    assert twin(Guarded.find(state="TX", city="Dallas")).count() == 1
    assert twin(Guarded.query("TX")).count() == 1
    assert twin(Guarded.find(home="x")).all() == []


def test_explain_shows_it(guarded: dw.Database, twin: Twins) -> None:
    text = str(twin(Guarded.find(city="Dallas", visits__gt=1)).explain(describe=False))
    assert 'would serve: GlobalIndex(partition_key="city", sort_key="visits")' in text
    assert "the scan is not allowed: reading raises ScanNotAllowed" in text
    assert "not allowed" not in str(twin(Guarded.find(city="Dallas").allow_scan()).explain(describe=False))


def test_scan_of_what_find_could_query(guarded: dw.Database, twin: Twins) -> None:
    with pytest.raises(ScanNotAllowed, match=r"scan\(\) of Guarded is not allowed: write find\(\)") as caught:
        twin(Guarded.scan(state="TX")).all()
    assert caught.value.suggestion is None


@pytest.fixture
def strict() -> Iterator[dw.Database]:
    with dw.connect("memory:", allow_scan=False) as db:
        db.create_tables(Place, Small, Guarded)
        place("A").insert()
        Small(id="x").insert()
        yield db


def test_a_database_that_allows_none(strict: dw.Database) -> None:
    with pytest.raises(ScanNotAllowed):
        Place.find(visits=0).all()
    with pytest.raises(ScanNotAllowed):
        Place.scan().all()
    assert Place.scan().allow_scan().count() == 1
    assert Small.scan().count() == Small.find().count() == 1  # the class says so itself
    with pytest.raises(ScanNotAllowed):
        Guarded.find(city="x").all()


def test_the_class_keyword() -> None:
    with dw.connect("memory:") as db:
        db.create_tables(Derived)
        with pytest.raises(ScanNotAllowed):  # inherited
            Derived.find(city="x").all()
    with pytest.raises(SchemaError, match="allow_scan= is True, False or None"):

        class Wrong(Model, table="wrong", allow_scan="never"):  # type: ignore[call-arg]
            id: Attr[str] = partition_key()
