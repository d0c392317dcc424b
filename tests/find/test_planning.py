"""Which way is chosen, and why not another."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Condition, ExpressionError, GlobalIndex, LocalIndex, Model, attr, partition_key, sort_key
from dynawire.expressions import any_of
from dynawire.expressions.normal_form import conjuncts, normal_form
from dynawire.operations.finding.facts import is_present
from dynawire.operations.finding.statistics import Statistics
from tests.find.things import Thing, offer


class Airport(Model, table="airports"):
    state: Attr[str] = partition_key()
    iata: Attr[str] = sort_key()
    name: Attr[str]
    city: Attr[str | None] = attr(default=None)
    country: Attr[str] = attr(default="US")
    visits: Attr[int] = attr(default=0)
    rank: Attr[int | None] = attr(default=None)
    notes: Attr[str] = attr(default="")

    by_city = GlobalIndex("city", "name")
    by_country = GlobalIndex("country", "visits", projection="KEYS_ONLY")
    by_visits = LocalIndex("visits", projection=["name"])
    by_place = GlobalIndex(["country", "city"], ["rank", "name"])


class Hotel(Model, table="hotels"):
    id: Attr[str] = partition_key()
    stars: Attr[int]


A = Airport


@pytest.fixture(autouse=True)
def db() -> Iterator[dw.Database]:
    with dw.connect("memory:") as database:
        database.create_tables(Airport, Hotel, Thing)
        yield database


def steps(find: dw.Find[Any]) -> list[tuple[Any, ...]]:
    """Access, index, how many, key condition, filter, tested here, how the rest is fetched."""
    return [
        (
            one.access,
            one.index,
            one.times,
            one.key_condition,
            one.filter,
            one.tested_here,
            one.fetches and one.fetches[:5],
        )
        for one in find.explain(describe=False).steps
    ]


FULL_KEY = "Airport.state = :0 AND Airport.iata = :1"

CHOICES: list[tuple[Condition, list[tuple[Any, ...]]]] = [
    # By key.
    ((A.state == "TX") & (A.iata == "DFW"), [("GetItem", None, 1, FULL_KEY, None, None, None)]),
    (
        (A.iata == "DFW") & (A.visits > 3) & (A.state == "TX"),
        [("GetItem", None, 1, FULL_KEY, None, "Airport.visits > :0", None)],
    ),
    ((A.state == "TX") & A.iata.in_(["DFW", "AUS"]), [("BatchGetItem", None, 2, FULL_KEY, None, None, None)]),
    (A.state.in_(["TX", "CA"]) & A.iata.in_(["DFW", "AUS"]), [("BatchGetItem", None, 4, FULL_KEY, None, None, None)]),
    (
        ((A.state == "TX") & (A.iata == "DFW")) | ((A.state == "CA") & (A.iata == "LAX") & (A.visits > 3)),
        [("BatchGetItem", None, 2, FULL_KEY, None, "Airport.visits > :0", None)],
    ),
    ((A.state == "TX") & ~(A.iata != "DFW"), [("GetItem", None, 1, FULL_KEY, None, None, None)]),
    # One query.
    (A.state == "TX", [("Query", None, 1, "Airport.state = :0", None, None, None)]),
    (
        (A.state == "TX") & A.iata.begins_with("D"),
        [("Query", None, 1, "Airport.state = :0 AND begins_with(Airport.iata, :1)", None, None, None)],
    ),
    (
        (A.state == "TX") & (A.iata != "DFW") & (A.notes == "x"),
        [("Query", None, 1, "Airport.state = :0", "Airport.notes = :0", "Airport.iata <> :0", None)],
    ),
    ((A.city == "Dallas"), [("Query", "by_city", 1, "Airport.city = :0", None, None, None)]),
    (
        (A.city == "Dallas") & (A.name >= "D") & (A.state != "TX"),
        [("Query", "by_city", 1, "Airport.city = :0 AND Airport.name >= :1", "Airport.state <> :0", None, None)],
    ),
    # What is known is not tested again.
    (
        (A.city == "Dallas") & ((A.city == "Austin") | (A.visits > 3)) & A.city.begins_with("Da"),
        [("Query", "by_city", 1, "Airport.city = :0", "Airport.visits > :0", None, None)],
    ),
    # Several.
    (A.city.in_(["Dallas", "Austin"]), [("Query", "by_city", 2, "Airport.city = :0", None, None, None)]),
    (
        ((A.city == "Dallas") | (A.city == "Austin")) & (A.name > "D"),
        [("Query", "by_city", 2, "Airport.city = :0 AND Airport.name > :1", None, None, None)],
    ),
    (
        (A.city == "Dallas") | (A.state == "TX"),
        [
            ("Query", "by_city", 1, "Airport.city = :0", None, None, None),
            ("Query", None, 1, "Airport.state = :0", None, None, None),
        ],
    ),
    # The same query twice is one, with both filters.
    (
        ((A.city == "Dallas") & (A.visits > 3)) | ((A.city == "Dallas") & (A.rank == 1)),
        [("Query", "by_city", 1, "Airport.city = :0", "Airport.visits > :0 OR Airport.rank = :1", None, None)],
    ),
    # An OR that no key can use stays a filter.
    (
        (A.city == "Dallas") & ((A.visits > 3) | (A.rank == 1)),
        [("Query", "by_city", 1, "Airport.city = :0", "Airport.visits > :0 OR Airport.rank = :1", None, None)],
    ),
    # An index that holds less.
    (
        (A.country == "US") & (A.visits > 3),
        [("Query", "by_country", 1, "Airport.country = :0 AND Airport.visits > :1", None, None, "Batch")],
    ),
    (
        (A.country == "US") & (A.city == "Dallas") & (A.rank == 1),
        [
            (
                "Query",
                "by_place",
                1,
                "Airport.country = :0 AND Airport.city = :1 AND Airport.rank = :2",
                None,
                None,
                None,
            )
        ],
    ),
    # Nothing.
    ((A.state == "TX") & (A.state == "CA"), []),
    ((A.city == "Dallas") & (A.name > "x") & (A.name < "b"), []),
    (A.state.in_(["TX"]) & (A.state != "TX"), []),
    (((A.city == "Dallas") & (A.city == "Austin")) | ((A.state == "TX") & (A.state == "CA")), []),
    # Everything.
    (A.notes == "x", [("Scan", None, 1, None, "Airport.notes = :0", None, None)]),
    (
        (A.state == "TX") | (A.notes == "x"),
        [("Scan", None, 1, None, "Airport.state = :0 OR Airport.notes = :1", None, None)],
    ),
    (A.iata == "DFW", [("Scan", None, 1, None, "Airport.iata = :0", None, None)]),
    (A.state > "TX", [("Scan", None, 1, None, "Airport.state > :0", None, None)]),
]


@pytest.mark.parametrize(("condition", "expected"), CHOICES, ids=[repr(condition) for condition, _ in CHOICES])
def test_choice(condition: Condition, expected: list[tuple[Any, ...]]) -> None:
    assert steps(Airport.find(condition)) == expected


def test_keywords_choose_alike() -> None:
    assert steps(Airport.find(state="TX", iata="DFW")) == steps(Airport.find((A.state == "TX") & (A.iata == "DFW")))
    assert steps(Airport.find(city__in=["a", "b"], name__gt="x"))[0][:3] == ("Query", "by_city", 2)
    assert steps(Airport.find({"city": "Dallas"}, A.visits > 3).where(name="x")) == steps(
        Airport.find((A.city == "Dallas") & (A.visits > 3) & (A.name == "x"))
    )


def test_hundreds_of_keys_in_an_or() -> None:
    condition = any_of((A.state == "TX") & (A.iata == f"A{number}") for number in range(300))
    (step,) = Airport.find(condition).explain(describe=False).steps
    assert (step.access, step.times, step.read_units) == ("BatchGetItem", 300, 150)


# ---------------------------------------------------------------------- what is wanted beside the condition


def test_a_projection_can_spare_the_table() -> None:
    find = Airport.find((A.country == "US") & (A.visits > 3))
    assert steps(find.project(A.state, A.visits))[0][6] is None
    assert steps(find.project(A.state, A.notes))[0][6] == "Batch"


def test_a_filter_can_need_the_table() -> None:
    find = Airport.find((A.country == "US") & (A.visits > 3) & (A.notes == "x")).project(A.state)
    assert steps(find)[0][4:] == (None, None, "Batch")


def test_a_local_index_is_completed_by_the_service() -> None:
    find = Airport.find((A.state == "TX") & (A.visits > 3) & (A.notes == "x") & (A.name > "a"))
    offered = find.order_by(A.visits)
    assert steps(offered) == [
        (
            "Query",
            "by_visits",
            1,
            "Airport.state = :0 AND Airport.visits > :1",
            "Airport.name > :0",
            "Airport.notes = :0",
            "the s",
        )
    ]


def test_hydrating_can_be_forbidden() -> None:
    find = Airport.find((A.country == "US") & (A.visits > 3)).hydrate(False)
    assert steps(find)[0][0] == "Scan"
    assert any("does not hold city, name, notes, rank" in one.reason for one in find.explain(describe=False).not_taken)


def test_consistent_reads_use_no_global_index() -> None:
    find = Airport.find(A.city == "Dallas").consistent()
    assert steps(find)[0][0] == "Scan"
    assert "a global index has no consistent reads; leave out consistent()" in str(find.explain(describe=False))
    assert (
        find.explain(describe=False).read_units == 2 * Airport.find(A.notes == "x").explain(describe=False).read_units
    )
    assert steps(Airport.find(A.state == "TX").consistent())[0][:2] == ("Query", None)


def test_order() -> None:
    find = Airport.find((A.state == "TX") & (A.visits > 3))
    assert steps(find.order_by(A.iata))[0][:2] == ("Query", None)
    assert steps(find.order_by(A.visits))[0][:2] == ("Query", "by_visits")
    assert steps(Airport.find(A.city == "x").order_by(A.name))[0][:2] == ("Query", "by_city")
    assert (
        steps(Airport.find((A.country == "x") & (A.city == "x") & (A.rank == 1)).order_by(A.name))[0][1] == "by_place"
    )
    with pytest.raises(
        ExpressionError, match=r"in the order of notes by one query .*declare an index with sort_key='notes'"
    ):
        find.order_by(A.notes).all()
    with pytest.raises(ExpressionError, match="it takes more than one query"):
        Airport.find(A.city.in_(["x", "y"])).order_by(A.name).all()
    with pytest.raises(ExpressionError, match="takes an attribute of Airport itself"):
        find.order_by(Hotel.stars)
    with pytest.raises(ExpressionError, match=r"order_by\(\) takes a path, such as Airport\.\w+; found str"):
        find.order_by("visits")  # type: ignore[arg-type]


# ---------------------------------------------------------------------- sparse indexes


def test_an_index_that_may_lack_items_is_not_read() -> None:
    # Items without visits are in the table, and match; in the index by_country they are not.
    find = Airport.find(A.country == "US")
    assert steps(find)[0][0] == "Scan"
    (why,) = [one for one in find.explain(describe=False).not_taken if "by_country" in one.label]
    assert why.reason == "items without visits are not in it, and the condition holds of such items too"
    assert why.remedy == "add & Airport.visits.exists() to the condition, which then means items that have one"
    assert steps(find.where(A.visits.exists()))[0][:2] == ("Query", "by_country")


@pytest.mark.parametrize(
    ("condition", "present"),
    [
        (Thing.rank == 1, True),
        (Thing.rank.in_([1, 2]), True),
        (Thing.rank.between(1, 2), True),
        (Thing.rank < Thing.number, True),
        ((Thing.rank == 1) | (Thing.rank > 5), True),
        (Thing.rank != None, True),  # noqa: E711
        (Thing.rank.is_type(int), True),
        (Thing.rank == Thing.number, True),
        (Thing.rank.exists(), False),  # it may be NULL
        (Thing.rank != 1, False),
        (Thing.rank.is_type(None), False),
        (~(Thing.rank < 1), False),
        ((Thing.rank == 1) | (Thing.number > 5), False),
        (Thing.rank.in_([None, 1]), False),
    ],
)
def test_what_shows_that_an_attribute_is_there(condition: Condition, present: bool) -> None:
    assert is_present("rank", conjuncts(normal_form(condition))) is present


# ---------------------------------------------------------------------- costs


def known(items: int, size: int, **indexes: tuple[int, int]) -> Statistics:
    return Statistics(items=items, size_bytes=size, indexes=indexes, assumed=False)


def test_the_cheaper_index_is_read(db: dw.Database) -> None:
    find = Thing.find((Thing.colour == "r") & (Thing.number == 1) & (Thing.size_ == 2))
    whole, keys = "by_colour", "by_colour_number"
    # Whole items come from the one; keys of few small items, which are then fetched, from the other.
    offer(
        db.table(Thing), [whole, keys], known(10**6, 10**8, by_colour=(10**6, 10**8), by_colour_number=(10**6, 10**7))
    )
    assert steps(find)[0][1] == whole
    offer(db.table(Thing), [whole, keys], known(10**6, 10**8, by_colour=(10**6, 10**10), by_colour_number=(10, 1000)))
    assert steps(find)[0][1] == keys


def test_many_values_are_read_one_by_one_or_as_a_range(db: dw.Database) -> None:
    find = Thing.find((Thing.part == "a") & Thing.number.in_([1, 5, 9]))
    offer(db.table(Thing), [], known(10**6, 10**9))
    assert steps(find) == [("BatchGetItem", None, 3, "Thing.part = :0 AND Thing.number = :1", None, None, None)]
    offer(db.table(Thing), [], known(9, 900))
    key = "Thing.part = :0 AND Thing.number BETWEEN :1 AND :2"
    assert steps(find) == [("Query", None, 1, key, None, "Thing.number IN (:0, :1, :2)", None)]


def test_an_or_is_taken_apart_only_if_that_is_cheaper(db: dw.Database) -> None:
    find = Thing.find((Thing.part == "a") & ((Thing.number == 1) | (Thing.number > 5)))
    offer(db.table(Thing), [], known(10**8, 10**11))
    assert [step[0] for step in steps(find)] == ["GetItem", "Query"]
    offer(db.table(Thing), [], known(9, 900))
    assert [step[0] for step in steps(find)] == ["Query"]


def test_a_small_index_is_scanned_instead_of_the_table(db: dw.Database) -> None:
    find = Thing.find(Thing.rank > 3)
    offer(db.table(Thing), ["by_many", "by_rank"], known(10**6, 10**9, by_many=(10, 1000), by_rank=(10, 1000)))
    assert steps(find)[0][:2] == ("Scan", None)  # its items may lack note
    assert steps(find.where(Thing.note > "x", Thing.size_ > 0))[0][:2] == ("Scan", "by_many")
    assert steps(find.project(Thing.part, Thing.rank))[0][:2] == ("Scan", "by_rank")
    assert steps(find.project(Thing.part, Thing.rank).consistent())[0][:2] == ("Scan", None)


def test_too_many_queries_are_not_sent(db: dw.Database) -> None:
    names = [f"n{number}" for number in range(60)]
    find = Airport.find(A.city.in_(names) & A.name.in_(names))
    explanation = find.explain(describe=False)
    assert (explanation.steps[0].access, explanation.steps[0].times) == ("Query", 60)
    many = Thing.find(Thing.colour.in_(names) & Thing.rank.in_(range(60)) & (Thing.size_ == 1) & (Thing.note == "x"))
    offer(db.table(Thing), ["by_many"], known(10**9, 10**12))
    assert steps(many)[0][0] == "Scan"
    assert "it would take more than 100 queries" in str(many.explain(describe=False))


def test_what_is_too_long_for_a_filter_is_tested_here() -> None:
    Airport(state="TX", iata="DFW", name="x", city="Dallas", visits=399).insert()
    either = any_of((A.visits == number) & (A.notes == "") for number in range(400))
    for condition, key in ((either, None), ((A.city == "Dallas") & either, "Airport.city = :0")):
        find = Airport.find(condition)
        ((_, _, _, key_condition, filtered, tested, _),) = steps(find)
        assert (key_condition, filtered) == (key, None)
        assert tested.startswith("Airport.visits = :0 AND Airport.notes = :1 OR ")
        assert find.count() == len(find.all()) == len(find.page(10).items) == 1
    # The same query from every side is one query.
    sides = any_of((A.city == "Dallas") & (A.visits == number) for number in range(400))
    assert steps(Airport.find(sides))[0][:4] == ("Query", "by_city", 1, "Airport.city = :0")
    assert Airport.find(sides).one().visits == 399


def test_choosing_ends_however_many_ways_there_are() -> None:
    condition = A.notes == ""
    for number in range(14):
        condition = condition & ((A.city == f"c{number}") | (A.state == f"s{number}") | (A.country == f"x{number}"))
    begun = time.perf_counter()
    assert Airport.find(condition).all() == []
    assert time.perf_counter() - begun < 10
    # Each value of city contradicts the others.
    assert len(Airport.find((A.visits == 1) & condition).explain(describe=False).steps) < 5


def test_not_taken_says_why() -> None:
    text = str(Airport.find((A.state == "TX") & (A.iata == "DFW") & (A.city == "Dallas")).explain(describe=False))
    assert "a query on the global index by_country: its partition key country is not given by == or in_" in text
    assert re.search(r"on the global index by_city: about [0-9.]+ read units, more than the 0.5 of what is taken", text)
    text = str(Airport.find((A.state == "TX") | (A.notes == "x")).explain(describe=False))
    assert "a query for each side of |: Airport.notes = :0 has no key to query by" in text


class Base(Model, abstract=True):
    id: Attr[str] = partition_key()
    created: Attr[int] = attr(default=0)


class Cat(Base, table="cats"):
    lives: Attr[int] = attr(default=9)


class Dog(Base, table="dogs"):
    tricks: Attr[int] = attr(default=0)


def test_a_condition_on_a_sibling_is_refused(db: dw.Database) -> None:
    db.create_tables(Cat, Dog)
    Cat(id="a", lives=3).insert()
    assert Cat.find((Cat.id == "a") & (Cat.lives < 9) & (Cat.created == 0)).count() == 1
    for condition in (Dog.tricks > 1, Dog.id == "a", (Cat.id == "a") & (Dog.tricks > 1), Cat.lives > Dog.tricks):
        for call in (
            lambda condition=condition: Cat.find(condition).all(),
            lambda condition=condition: Cat.find(condition).explain(),
            lambda condition=condition: Cat.find(condition).count(),
            lambda condition=condition: Cat.delete_where(condition),
        ):
            with pytest.raises(
                ExpressionError, match=r"Dog\.(tricks|id) is an attribute of Dog, and the request is for Cat"
            ):
                call()
    with pytest.raises(ExpressionError, match=r"Dog\.tricks is an attribute of Dog"):
        Cat.find(Cat.id == "a").project(Dog.tricks)  # type: ignore[arg-type]


def test_a_condition_on_another_class_is_refused() -> None:
    # Not told to write Airport.stars, as there is none.
    with pytest.raises(
        ExpressionError, match=r"Hotel\.stars is an attribute of Hotel, and the request is for Airport$"
    ):
        Airport.find((A.state == "TX") & (Hotel.stars > 3)).all()
    with pytest.raises(ExpressionError, match="str is not a condition"):
        Airport.find("TX")  # type: ignore[arg-type]
