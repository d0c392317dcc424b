"""Queries and scans of tables and indexes, on every engine, in both forms."""

from __future__ import annotations

from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key, sort_key
from tests.support.databases import Twins, raw, recorded
from tests.support.models import Address, Grouped, Place, Reading, place


class Timed(Model, table="timed"):
    """A numeric sort key."""

    id: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    value: Attr[str] = attr(default="")


CODES = ["AUS", "DAL", "DFW", "DXX", "HOU"]


@pytest.fixture(autouse=True)
def stored(db: dw.Database) -> None:
    db.create_tables(Place, Timed, Grouped, Reading)
    Place.put_many(
        [
            *(
                place(
                    code,
                    city="Austin" if number < 2 else "Houston" if number < 4 else None,
                    visits=number,
                    rank=10 - number if number != 3 else None,
                    tags={code, "all"},
                    scores=[number, number + 1, number + 2],
                    names={"short": code.lower()},
                    address=Address(f"{code} St", f"{code} City", number),
                    addresses=[Address("A", code), Address("B", code * 2)],
                )
                for number, code in enumerate(CODES)
            ),
            place("LAX", state="CA", visits=9, city="Austin"),
        ]
    )
    Timed(id="x", at=5).put()
    recorded(db).clear()


def codes(items: list[Any]) -> list[str]:
    return [item.code for item in items]


# ---------------------------------------------------------------------- key conditions


QUERIES: list[tuple[Any, list[str]]] = [
    (lambda: Place.query("TX"), CODES),
    (lambda: Place.query(state="TX"), CODES),
    (lambda: Place.query(Place.state == "TX"), CODES),
    (lambda: Place.query("none"), []),
    (lambda: Place.query("TX", "DFW"), ["DFW"]),
    (lambda: Place.query("TX", code="DFW"), ["DFW"]),
    (lambda: Place.query("TX", Place.code == "DFW"), ["DFW"]),
    (lambda: Place.query("TX", Place.code > "DFW"), ["DXX", "HOU"]),
    (lambda: Place.query("TX", Place.code >= "DFW"), ["DFW", "DXX", "HOU"]),
    (lambda: Place.query("TX", Place.code < "DFW"), ["AUS", "DAL"]),
    (lambda: Place.query("TX", Place.code <= "DFW"), ["AUS", "DAL", "DFW"]),
    (lambda: Place.query("TX", Place.code.between("B", "DM")), ["DAL", "DFW"]),
    (lambda: Place.query("TX", (Place.code >= "B") & (Place.code <= "DM")), ["DAL", "DFW"]),
    (lambda: Place.query("TX", Place.code.begins_with("D")), ["DAL", "DFW", "DXX"]),
    (lambda: Place.query("TX", code__begins_with="D"), ["DAL", "DFW", "DXX"]),
    (lambda: Place.query(state="TX", code__between=("B", "DM")), ["DAL", "DFW"]),
    (lambda: Place.query("TX", [Place.code > "B", Place.visits > 2]), ["DXX", "HOU"]),
    (lambda: Place.query("TX", {"code__gt": "B", "visits__gt": 2}), ["DXX", "HOU"]),
    (lambda: Place.query("TX", Place.visits > 2), ["DXX", "HOU"]),
    (lambda: Place.query("TX", visits__gt=2), ["DXX", "HOU"]),
    (lambda: Place.query("TX", (Place.visits == 0) | (Place.name == "name HOU")), ["AUS", "HOU"]),
    (lambda: Place.query("TX").where(Place.visits > 0).where(visits__lt=3), ["DAL", "DFW"]),
    (lambda: Place.query("TX").where(Place.tags.contains("DFW")), ["DFW"]),
    (lambda: Place.query("TX").where(Place.address.city == "DAL City"), ["DAL"]),
    (lambda: Place.query("TX").where(Place.scores[0] == 4), ["HOU"]),
    (lambda: Place.query("TX").where(), CODES),
    (lambda: Place.query("TX").reverse(), CODES[::-1]),
    (lambda: Place.query("TX").reverse().reverse(False), CODES),
    (lambda: Place.query("TX").consistent(), CODES),
    (lambda: Place.query("TX").limit(2), CODES[:2]),
    (lambda: Place.query("TX").limit(2).limit(None), CODES),
    (lambda: Place.query("TX").limit(0), []),
    (lambda: Place.query("TX").limit(99), CODES),
    (lambda: Place.query("TX").reverse().limit(2), ["HOU", "DXX"]),
    # A limit counts what is returned, not what the filter drops.
    (lambda: Place.query("TX").where(Place.visits > 1).limit(2), ["DFW", "DXX"]),
    (lambda: Place.query("TX").where(Place.visits > 3).limit(1), ["HOU"]),
    (lambda: Place.query("TX").where(Place.visits > 30).limit(1), []),
    (lambda: Place.query("TX").fetch_ahead(False), CODES),
]


def test_queries(twin: Twins) -> None:
    for number, (make, expected) in enumerate(QUERIES):
        query = make()
        assert codes(twin.items(query)) == expected, number
        assert codes(twin(query).all()) == expected, number
        # A query can be run again.
        assert codes(twin(query).all()) == expected, number
        assert twin(query).count() == len(expected), number
        first = twin(query).first()
        assert (first.code if first else None) == (expected[0] if expected else None), number


INDEX_QUERIES: list[tuple[Any, list[str]]] = [
    (lambda: Place.by_rank.query("TX"), ["HOU", "DFW", "DAL", "AUS"]),
    (lambda: Place.by_rank.query("TX", 8), ["DFW"]),
    (lambda: Place.by_rank.query("TX", Place.rank > 8), ["DAL", "AUS"]),
    (lambda: Place.by_rank.query("TX", rank__between=(7, 9)).reverse(), ["DAL", "DFW"]),
    (lambda: Place.by_rank.query("TX").where(Place.visits > 1), ["HOU", "DFW"]),
    # The table's sort key is no key of the index.
    (lambda: Place.by_rank.query("TX").where(Place.code != "DFW"), ["HOU", "DAL", "AUS"]),
    (lambda: Place.by_rank.query("TX").consistent(), ["HOU", "DFW", "DAL", "AUS"]),
    (lambda: Place.by_rank_keys.query("TX"), ["HOU", "DFW", "DAL", "AUS"]),
    (lambda: Place.by_city.query("Houston"), ["DFW", "DXX"]),
    (lambda: Place.by_city.query("Houston", "name DXX"), ["DXX"]),
    (lambda: Place.by_city.query("Houston", Place.name.begins_with("name DF")), ["DFW"]),
    (lambda: Place.by_city.query(city="Houston", name__gt="name DG"), ["DXX"]),
    (lambda: Place.by_city.query("Austin").where(Place.state == "CA"), ["LAX"]),
    (lambda: Place.by_city.query("nowhere"), []),
]


def test_index_queries(twin: Twins) -> None:
    for number, (make, expected) in enumerate(INDEX_QUERIES):
        query = make()
        found = twin.items(query)
        assert codes(found) == expected, number
        assert twin(query).count() == len(expected), number
        for item in found:
            # Whole items, whatever the index holds.
            assert item == twin(Place).get(item.state, item.code), number
            assert twin(item).save() is False, number


def test_index_scans(twin: Twins) -> None:
    assert sorted(codes(twin.items(Place.by_city.scan()))) == ["AUS", "DAL", "DFW", "DXX", "LAX"]
    assert sorted(codes(twin.items(Place.by_city.scan(Place.visits > 2)))) == ["DXX", "LAX"]
    assert sorted(codes(twin.items(Place.by_rank.scan()))) == ["AUS", "DAL", "DFW", "HOU"]
    assert sorted(codes(twin.items(Place.by_rank_keys.scan(code__ne="AUS")))) == ["DAL", "DFW", "HOU"]


def test_keys_of_several_attributes(twin: Twins) -> None:
    for number in range(12):
        twin(Grouped(id=str(number), tenant="a", region="eu", year=2020 + number // 4, month=number % 4)).put()
    twin(Grouped(id="other", tenant="a", region="us", year=2020, month=0)).put()

    def found(query: Any) -> list[str]:
        return [item.id for item in twin.items(query)]

    index = Grouped.by_group
    assert found(index.query("a", "eu")) == [str(number) for number in range(12)]
    assert found(index.query("a", "us")) == ["other"]
    assert found(index.query("a", "eu", 2021)) == ["4", "5", "6", "7"]
    assert found(index.query("a", "eu", 2021, 2)) == ["6"]
    assert found(index.query("a", "eu", 2021, Grouped.month >= 2)) == ["6", "7"]
    assert found(index.query(tenant="a", region="eu", year__gt=2021).reverse()) == ["11", "10", "9", "8"]
    assert found(index.query(month__lt=2, year=2020, region="eu", tenant="a")) == ["0", "1"]
    pages, cursor = [], None
    while True:
        page = twin(index.query("a", "eu")).page(size=5, after=cursor)
        pages.append([item.id for item in page])
        cursor = page.cursor
        if cursor is None:
            break
    assert pages == [["0", "1", "2", "3", "4"], ["5", "6", "7", "8", "9"], ["10", "11"]]
    with pytest.raises(dw.ExpressionError, match="region"):
        index.query("a")


def test_numeric_sort_keys(twin: Twins) -> None:
    for at in (-10, 0, 3, 20, 100):
        twin(Timed(id="n", at=at)).put()
    assert [item.at for item in twin.items(Timed.query("n"))] == [-10, 0, 3, 20, 100]
    assert [item.at for item in twin.items(Timed.query("n", Timed.at > 2))] == [3, 20, 100]
    assert [item.at for item in twin.items(Timed.query("n", at__between=(-20, 3)).reverse())] == [3, 0, -10]


# ---------------------------------------------------------------------- what is refused, with nothing sent


REFUSED: list[tuple[Any, str]] = [
    (Place.query, "'state' is not given"),
    (lambda: Place.query(Place.visits > 3), "'state' is not given"),
    (lambda: Place.query(None), "Place.state is part of the key"),
    (lambda: Place.query("TX", None), "Place.code is part of the key"),
    (lambda: Place.query("TX", "DFW", "x"), "too many key values"),
    (lambda: Place.query(Place.state > "TX"), "needs as == value"),
    (lambda: Place.query(Place.state.in_(["TX", "CA"])), "needs as == value"),
    (lambda: Place.query("TX", Place.code != "DFW"), "Place.code"),
    (lambda: Place.query("TX", Place.code.contains("F")), "Place.code"),
    (lambda: Place.query("TX", Place.code > "A", Place.code > "B"), "Place.code"),
    (lambda: Place.query("TX", (Place.code == "A") | (Place.code == "B")), "Place.code"),
    (lambda: Place.query("TX").where(Place.code == "DFW"), r"Place\.code is part of the key .* query\(\) itself"),
    (lambda: Place.query("TX").where(Place.state == "TX"), r"Place\.state is part of the key"),
    (lambda: Place.query("TX").where((Place.visits > 1) | (Place.code == "A")), r"Place\.code is part of the key"),
    (lambda: Place.query("TX").where(code__ne="DFW"), r"Place\.code is part of the key"),
    (lambda: Place.by_city.query("Austin").where(name__ne="x"), r"Place\.name is part of the key"),
    (lambda: Place.by_city.query("Austin").consistent(), "eventually consistent"),
    (lambda: Place.by_city_keys.query("Austin").where(Place.visits > 3), "does not hold visits"),
    (lambda: Place.by_city_keys.scan(Place.tags.contains("x")), "does not hold tags"),
    (lambda: Place.by_city_some.query("Austin", Place.rank > 3), "does not hold rank"),
    (lambda: Place.by_rank_keys.query("TX", Place.visits > 3), "does not hold visits"),
    (lambda: Place.scan().reverse(), "a scan has no order"),
    (lambda: Place.query("TX").parallel(2), "only a scan can be parallel"),
    (lambda: Place.scan().parallel(0), "parallel takes a whole number, 1 to 1,000,000"),
    (lambda: Place.scan().parallel(1_000_001), "parallel takes a whole number"),
    (lambda: Place.query("TX").limit(-1), "limit takes a whole number, 0 or more"),
    (lambda: Place.query("TX").limit(2.5), "limit takes a whole number"),
    (lambda: Place.query("TX").limit(True), "limit takes a whole number"),
    (lambda: Place.query("TX").project(), "at least one attribute"),
    (lambda: Place.query("TX").project("name"), "path"),
    (lambda: Place.query("TX").project(Place.name, Place.name), "two projections"),
    (lambda: Place.query("TX").project(Place.address, Place.address.city), "overlap"),
    (lambda: Place.query("TX").project(Timed.value), "Timed"),
    (lambda: Place.query("TX").where(Timed.value == "x").params(), "Timed"),
    (lambda: Place.query("TX").where("x"), "not a condition"),
    (lambda: Place.query("TX", nothing=1), "has no attribute 'nothing'"),
    (lambda: Place.scan(visit=1), "did you mean 'visits'"),
]


def test_refused(db: dw.Database) -> None:
    for make, message in REFUSED:
        with pytest.raises(dw.ExpressionError, match=message):
            make()
    assert recorded(db).sent == []


NO_KEYS: list[Any] = [
    lambda: Place.query("TX", 5),
    lambda: Place.query(5),
    lambda: Place.query(""),
    lambda: Place.query("x" * 2049),
    lambda: Place.query("TX", "x" * 1025),
    lambda: Timed.query("x", float("nan")),
]


def test_values_that_are_no_key(db: dw.Database) -> None:
    for make in NO_KEYS:
        with pytest.raises(dw.ValidationError):
            make()
    assert recorded(db).sent == []


@pytest.mark.parametrize("index", ["by_city_keys", "by_city_some"])
def test_whole_items_are_not_read_from_an_index_that_lacks_attributes(db: dw.Database, twin: Twins, index: str) -> None:
    query = getattr(Place, index).query("Austin")
    for call in (
        lambda: twin.items(query),
        lambda: twin(query).all(),
        lambda: twin(query).first(),
        lambda: twin(query).one(),
        lambda: twin(query).page(),
        query.params,
    ):
        with pytest.raises(dw.ExpressionError, match=r"does not hold .*scores.*\.project"):
            call()
    assert recorded(db).sent == []
    # What needs no attribute needs none.
    assert twin(query).count() == 3


# ---------------------------------------------------------------------- projection


def test_projections(twin: Twins) -> None:
    query = Place.query("TX", Place.code.begins_with("D"))
    assert twin.items(query.project(Place.code, Place.visits)) == [("DAL", 1), ("DFW", 2), ("DXX", 3)]
    assert twin.items(query.project(Place.rank)) == [(9,), (8,), (None,)]
    assert twin(query.project(Place.tags)).all() == [({code, "all"},) for code in ("DAL", "DFW", "DXX")]
    assert twin(query.project(Place.label, Place.extra)).first() == ("none", None)
    assert twin(query.project(Place.address.city, Place.names["short"], Place.scores[1])).first() == (
        "DAL City",
        "dal",
        2,
    )
    assert twin(query.project(Place.address)).first() == (Address("DAL St", "DAL City", 1),)
    assert twin(query.project(Place.addresses[1].city)).all() == [("DALDAL",), ("DFWDFW",), ("DXXDXX",)]
    assert twin(query.project(Place.names["missing"], Place.address.note, Place.scores[7])).first() == (None,) * 3
    assert twin(query.project(Place.code).limit(2)).all() == [("DAL",), ("DFW",)]
    assert twin(query.project(Place.code).where(Place.visits == 3)).one() == ("DXX",)
    assert twin(query.project(Place.code)).count() == 3
    assert twin(query.project(Place.visits).reverse()).page(size=2).items == [(3,), (2,)]
    assert min(twin.items(Place.scan().project(Place.state, Place.code))) == ("CA", "LAX")


def test_several_elements_of_one_list(twin: Twins) -> None:
    query = Place.query("TX", "HOU")
    assert twin(query.project(Place.scores[2], Place.scores[0])).one() == (6, 4)
    assert twin(query.project(Place.scores[0], Place.scores[9], Place.scores[1])).one() == (4, None, 5)
    assert twin(query.project(Place.addresses[1].street, Place.addresses[0].note)).one() == ("B", None)
    assert twin(query.project(Place.addresses[0].note, Place.addresses[1].note)).one() == (None, None)
    assert twin(query.project(Place.addresses[1].street, Place.addresses[1].city)).one() == ("B", "HOUHOU")
    twin(place("ODD", extra=[[1, 2], [3, 4], {"a": [5, 6]}])).put()
    query = Place.query("TX", "ODD")
    assert twin(query.project(Place.extra[1][0])).one() == (3,)
    assert twin(query.project(Place.extra[0][1], Place.extra[1][0])).one() == (2, 3)
    assert twin(query.project(Place.extra[2]["a"][1], Place.extra[2]["a"][0], Place.code)).one() == (6, 5, "ODD")


def test_projections_of_indexes(db: dw.Database, twin: Twins) -> None:
    keys = Place.by_city_keys.query("Houston")
    assert sorted(twin.items(keys.project(Place.state, Place.code, Place.city))) == [
        ("TX", "DFW", "Houston"),
        ("TX", "DXX", "Houston"),
    ]
    some = Place.by_city_some.query("Houston")
    assert twin.items(some.project(Place.name, Place.visits)) == [("name DFW", 2), ("name DXX", 3)]
    assert twin.items(some.where(Place.tags.contains("DFW")).project(Place.code)) == [("DFW",)]
    # A local index fetches from the table what it does not hold.
    assert twin.items(Place.by_rank_keys.query("TX", 8).project(Place.name, Place.scores)) == [("name DFW", [2, 3, 4])]
    recorded(db).clear()
    with pytest.raises(dw.ExpressionError, match="does not hold visits"):
        twin.items(keys.project(Place.visits))
    with pytest.raises(dw.ExpressionError, match="does not hold address"):
        twin(some.project(Place.address.city)).first()
    assert recorded(db).sent == []


def test_a_projected_attribute_that_does_not_fit(db: dw.Database, twin: Twins) -> None:
    key = {"state": {"S": "TX"}, "code": {"S": "BAD"}}
    raw(db, Place, "PutItem", Item={**key, "lbl": {"N": "1"}, "address": {"M": {"city": {"N": "1"}}}})
    query = Place.query("TX", "BAD")
    for paths, path, found in (
        ((Place.code, Place.label), "label", "DynamoDB type N"),
        ((Place.code, Place.name), "name", "nothing"),
        ((Place.code, Place.address.city), "address.city", "N"),
    ):
        with pytest.raises(dw.DecodeError) as caught:
            twin(query.project(*paths)).all()
        assert caught.value.path == path
        assert found in str(caught.value.found) or caught.value.found == found.removeprefix("DynamoDB type ")
        assert caught.value.model == "Place"
        assert caught.value.key == {"code": {"S": "BAD"}}
    misfits: list[dw.DecodeError] = []
    assert twin(Place.query("TX").project(Place.label).collect_misfits(misfits)).all() == [("none",)] * 5
    assert [error.path for error in misfits] == ["label"]


# ---------------------------------------------------------------------- results


def test_one(twin: Twins) -> None:
    assert twin(Place.query("TX", "DFW")).one().code == "DFW"
    assert twin(Place.query("TX").where(Place.visits == 4)).one().code == "HOU"
    with pytest.raises(dw.ItemNotFound, match="no Place matches"):
        twin(Place.query("none")).one()
    with pytest.raises(dw.MultipleItemsFound, match="more than one Place"):
        twin(Place.query("TX")).one()
    with pytest.raises(dw.MultipleItemsFound):
        twin(Place.query("TX").where(Place.visits > 2)).one()
    assert twin(Place.query("TX").limit(1)).one().code == "AUS"
    assert twin(Place.query("TX").limit(0)).first() is None


def test_scans(twin: Twins) -> None:
    assert sorted(codes(twin.items(Place.scan()))) == sorted([*CODES, "LAX"])
    assert sorted(codes(twin.items(Place.scan(Place.visits > 3)))) == ["HOU", "LAX"]
    assert sorted(codes(twin.items(Place.scan({"visits__gt": 3}, state="CA")))) == ["LAX"]
    assert sorted(codes(twin.items(Place.scan().where(Place.code == "LAX")))) == ["LAX"]
    assert len(twin.items(Place.scan().limit(4))) == 4
    assert len(twin.items(Place.scan().consistent())) == 6
    assert twin(Place.scan(visits__gt=3)).count() == 2
    assert twin(Place.scan(visits__gt=3).limit(1)).count() == 1
    assert twin(Place.scan().limit(5)).count() == 5


@pytest.mark.parametrize("segments", [1, 2, 3, 7])
def test_parallel_scans(twin: Twins, segments: int) -> None:
    numbers = list(range(60))
    twin(Reading).put_many([Reading(number=number, text="x" * (number % 3)) for number in numbers])
    scan = Reading.scan().parallel(segments)
    assert sorted(item.number for item in twin.items(scan)) == numbers
    assert sorted(item.number for item in twin(scan).all()) == numbers
    assert twin(scan).count() == 60
    assert twin(scan.where(text="")).count() == 20
    assert sorted(item.number for item in twin.items(scan.where(text="xx"))) == numbers[2::3]
    for limit in (0, 1, 7, 59, 60, 61):
        found = [item.number for item in twin.items(scan.limit(limit))]
        assert len(found) == len(set(found)) == min(limit, 60)
        assert len(twin(scan.limit(limit)).all()) == min(limit, 60)
        assert twin(scan.limit(limit)).count() == min(limit, 60)
    assert sorted(twin.items(scan.project(Reading.number))) == [(number,) for number in numbers]


def test_items_that_do_not_fit_can_be_collected(db: dw.Database, twin: Twins) -> None:
    for code in ("BAD", "DBB"):
        raw(db, Place, "PutItem", Item={"state": {"S": "TX"}, "code": {"S": code}, "lbl": {"N": "1"}})
    with pytest.raises(dw.DecodeError) as caught:
        twin.items(Place.query("TX"))
    assert caught.value.key == {"state": {"S": "TX"}, "code": {"S": "BAD"}}
    misfits: list[dw.DecodeError] = []
    query = Place.query("TX").collect_misfits(misfits)
    assert codes(twin.items(query)) == CODES
    assert [error.key["code"]["S"] for error in misfits if error.key] == ["BAD", "DBB"]
    # Misfits are no returned items, so a limit does not count them.
    misfits.clear()
    assert codes(twin.items(query.limit(3))) == CODES[:3]
    assert codes(twin(query.reverse().limit(2)).all()) == ["HOU", "DXX"]
    assert twin(query).first().code == "AUS"


def test_params_show_the_request(db: dw.Database) -> None:
    query = Place.query("TX", Place.code.begins_with("D")).where(Place.visits > 3).reverse()
    name = db.table(Place).name
    assert query.params() == {
        "TableName": name,
        "KeyConditionExpression": "#n0 = :v0 AND begins_with(#n1, :v1)",
        "FilterExpression": "#n2 > :v2",
        "ExpressionAttributeNames": {"#n0": "state", "#n1": "code", "#n2": "visits"},
        "ExpressionAttributeValues": {":v0": {"S": "TX"}, ":v1": {"S": "D"}, ":v2": {"N": "3"}},
        "ScanIndexForward": False,
    }
    assert query.params.count()["Select"] == "COUNT"
    assert query.params.first()["Limit"] == 1
    assert query.params.one()["Limit"] == 2
    assert query.params.page(size=7)["Limit"] == 7
    assert Place.query("TX").params.page(size=7)["Limit"] == 8
    assert Place.query("TX").limit(0).params() == {}
    assert Place.by_city.query("x").params()["IndexName"] == "by_city"
    assert Place.by_rank_keys.query("x").params()["Select"] == "ALL_ATTRIBUTES"
    assert "Select" not in Place.by_rank.query("x").params()
    assert Place.scan().parallel(3).params() == {"TableName": name, "Segment": 0, "TotalSegments": 3}
    assert Place.scan().consistent().limit(2).params() == {"TableName": name, "ConsistentRead": True, "Limit": 2}
    assert recorded(db).sent == []
    with pytest.raises(AttributeError, match="count, first, one, page"):
        query.params.all()


def test_a_query_never_changes() -> None:
    query = Place.query("TX")
    before = query.params()
    query.reverse().where(Place.visits > 3).limit(2).consistent().project(Place.name)
    assert query.params() == before
