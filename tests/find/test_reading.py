"""What is sent for a find, and what comes of it, on every engine, blocking and awaiting."""

from __future__ import annotations

from typing import Any

import pytest

import dynawire as dw
from dynawire import ExpressionError, ItemNotFound, MultipleItemsFound
from dynawire.errors import Throttled
from dynawire.operations.finding.sources import sources_of
from tests.support.databases import Twins, raw, raw_update, recorded
from tests.support.models import Grouped, Place, place


@pytest.fixture
def places(db: dw.Database) -> dw.Database:
    """Twelve places of two states; those with an even number are in a city, one in three has a rank."""
    db.create_tables(Place)
    for number in range(12):
        place(
            f"P{number:02}",
            "TX" if number < 8 else "CA",
            city="Austin" if number % 2 == 0 else None,
            visits=number,
            rank=number if number % 3 == 0 else None,
            names={"en": f"n{number}"},
        ).insert()
    recorded(db).clear()
    return db


def codes(items: list[Place]) -> list[str]:
    return sorted(item.code for item in items)


def test_one_key(places: dw.Database, twin: Twins) -> None:
    find = Place.find(state="TX", code="P02")
    (found,) = twin(find).all()
    assert (found.code, found.names) == ("P02", {"en": "n2"})
    assert recorded(places).operations() == ["GetItem"]
    found.visits = 50
    twin(found).save()  # it was loaded whole
    assert twin(Place.find(state="TX", code="P02", visits__gt=40)).exists()
    assert not twin(Place.find(state="TX", code="P02", visits__lt=40)).exists()
    assert twin(Place.find(state="TX", code="nowhere")).all() == []
    assert twin(Place.find(state="TX", code="nowhere")).count() == 0


def test_many_keys_are_read_a_hundred_at_a_time_and_tested_here(places: dw.Database, twin: Twins) -> None:
    states = ["TX", "CA", *(f"S{number:02}" for number in range(98))]
    some = Place.state.in_(states) & (Place.code == "P03")
    find = Place.find(some | ((Place.state == "CA") & (Place.code == "P09")), Place.visits > 2)
    assert codes(twin.items(find)) == ["P03", "P09"]
    sent = recorded(places).sent
    assert [one.operation for one in sent] == ["BatchGetItem", "BatchGetItem"]
    (name,) = sent[0].body["RequestItems"]
    assert [len(one.body["RequestItems"][name]["Keys"]) for one in sent] == [100, 1]
    assert twin(find.project(Place.code, Place.names["en"])).all()[0] == ("P03", "n3")
    asked = recorded(places).sent[-1].body["RequestItems"][name]
    assert set(asked["ExpressionAttributeNames"].values()) == {"state", "code", "names", "visits"}


def any_code(names: list[str]) -> Any:
    return (Place.state == "TX") & Place.code.in_(names)


def test_what_a_batch_leaves_is_asked_for_again(places: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    engine = recorded(places)
    name = places.table(Place).name

    def leave_all_but_one(body: dict[str, Any]) -> dict[str, Any]:
        keys = body["RequestItems"][name]["Keys"]
        wire = raw(places, Place, "GetItem", Key=keys[0])["Item"]
        return {"Responses": {name: [wire]}, "UnprocessedKeys": {name: {"Keys": keys[1:]}}}

    engine.answer(
        "BatchGetItem", leave_all_but_one, Throttled("slow down", code="ThrottlingException"), leave_all_but_one
    )
    assert codes(twin(Place.find(any_code(["P00", "P01", "P02"]))).all()) == ["P00", "P01", "P02"]
    assert engine.operations() == ["BatchGetItem"] * 4
    assert len(no_waiting) == 3


def test_a_batch_that_never_moves_is_given_up(places: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(places).answer("BatchGetItem", *[Throttled("slow down", code="ThrottlingException")] * 20)
    with pytest.raises(dw.Unprocessed, match="2 of 2 items"):
        twin(Place.find(any_code(["P00", "P01"]))).all()
    assert len(no_waiting) == 9


def test_several_queries_give_each_item_once(places: dw.Database, twin: Twins) -> None:
    find = Place.find((Place.city == "Austin") | (Place.state == "TX") | any_code(["P00", "P01"]))
    assert codes(twin.items(find)) == [f"P{number:02}" for number in range(8)] + ["P08", "P10"]
    assert sorted(recorded(places).operations()) == ["BatchGetItem", "Query", "Query"]
    assert twin(find).count() == 10
    assert len(twin(find.limit(9)).all()) == 9
    assert len(twin.items(find.limit(3))) == 3
    assert twin(find.limit(0)).all() == twin.items(find.limit(0)) == []
    assert twin(find.limit(7)).count() == 7
    assert twin(find.limit(0)).count() == 0


def test_queries_that_cannot_meet_are_counted_by_the_service(places: dw.Database, twin: Twins) -> None:
    find = Place.find(Place.state.in_(["TX", "CA"]), visits__gt=5)
    assert twin(find).count() == 6
    assert [one.body.get("Select") for one in recorded(places).sent] == ["COUNT", "COUNT"]
    assert twin(find.limit(3)).count() == 3


def test_nothing_is_sent_for_what_cannot_be(places: dw.Database, twin: Twins) -> None:
    find = Place.find((Place.state == "TX") & (Place.state == "CA"))
    assert twin(find).all() == twin.items(find) == []
    assert (twin(find).count(), twin(find).exists(), twin(find).first()) == (0, False, None)
    assert twin(find).page().items == []
    assert find.params() == []
    assert recorded(places).sent == []


def test_first_one_exists(places: dw.Database, twin: Twins) -> None:
    assert twin(Place.find(city="Austin", visits=4)).one().code == "P04"
    assert twin(Place.find(city="Austin").order_by(Place.name)).first().code == "P00"
    assert twin(Place.find(city="Austin").order_by(Place.name, reverse=True)).first().code == "P10"
    assert twin(Place.find(city="Dallas")).first() is None
    with pytest.raises(ItemNotFound, match="no Place matches this find"):
        twin(Place.find(city="Dallas")).one()
    with pytest.raises(MultipleItemsFound, match="more than one Place"):
        twin(Place.find(city="Austin")).one()
    recorded(places).clear()
    assert twin(Place.find(city="Austin")).exists()
    (sent,) = recorded(places).sent
    assert set(sent.body["ExpressionAttributeNames"].values()) >= {"state", "code"}
    assert "names" not in sent.body["ExpressionAttributeNames"].values()
    assert sent.body["Limit"] == 1


def test_order(places: dw.Database, twin: Twins) -> None:
    find = Place.find(state="TX", visits__gte=2)
    assert [one.code for one in twin(find.order_by(Place.code)).all()] == [f"P{number:02}" for number in range(2, 8)]
    down = twin(find.order_by(Place.code, reverse=True)).all()
    assert [one.code for one in down] == [f"P{number:02}" for number in range(7, 1, -1)]
    ranked = Place.find(state="TX", rank__gt=0).order_by(Place.rank, reverse=True)
    assert [one.rank for one in twin(ranked).all()] == [6, 3]


def test_consistent_reads(places: dw.Database, twin: Twins) -> None:
    for find in (
        Place.find(state="TX", code="P01"),
        Place.find(any_code(["P01", "P02"])),
        Place.find(state="TX"),
        Place.find(city="Austin"),
    ):
        recorded(places).clear()
        assert twin(find.consistent()).all()
        for sent in recorded(places).sent:
            body = sent.body
            entry = next(iter(body["RequestItems"].values())) if sent.operation == "BatchGetItem" else body
            assert entry["ConsistentRead"] is True
            assert "IndexName" not in body


# ---------------------------------------------------------------------- indexes that hold less


def test_an_index_of_keys_is_completed_by_key_in_its_order(places: dw.Database, twin: Twins) -> None:
    query = Place.by_city_keys.query("Austin")
    with pytest.raises(ExpressionError, match="does not hold"):
        twin(query).all()
    found = twin(query.hydrate()).all()
    order = [key for (key,) in twin(query.project(Place.code)).all()]
    assert [one.code for one in found] == order
    assert {one.names["en"] for one in found} == {f"n{number}" for number in (0, 2, 4, 6, 8, 10)}
    assert recorded(places).operations()[:2] == ["Query", "BatchGetItem"]
    some = Place.by_city_some.query("Austin", Place.visits > 2)
    assert [one.visits for one in twin(some.reverse().hydrate()).all()] == [10, 8, 6, 4]
    assert [one.visits for one in twin.items(some.limit(2).hydrate())] == [4, 6]
    assert twin(some.hydrate().where(names={"en": "n8"})).one().visits == 8
    assert twin(some.hydrate()).count() == 4


def test_a_local_index_is_completed_by_the_service(places: dw.Database, twin: Twins) -> None:
    find = Place.find(state="TX", rank__gt=0, names={"en": "n3"}).order_by(Place.rank)
    offer_only(places, "by_rank_keys")
    (found,) = twin(find).all()
    assert (found.code, found.names) == ("P03", {"en": "n3"})
    assert twin(find).count() == 1
    (sent,) = {one.body["IndexName"] for one in recorded(places).sent}
    assert sent == "by_rank_keys"
    assert recorded(places).sent[0].body["Select"] == "ALL_ATTRIBUTES"
    hydrated = Place.by_rank_keys.query("TX").hydrate()
    assert [one.rank for one in twin(hydrated).all()] == [0, 3, 6]


def offer_only(db: dw.Database, index: str) -> None:
    target = db.table(Place)._target
    sources = sources_of(target)
    target.known["sources"] = (
        sources[0],
        *(one for one in sources if one.index is not None and one.index.name == index),
    )


def test_what_changed_since_the_index_did_is_tested_again(places: dw.Database, twin: Twins) -> None:
    engine = recorded(places)
    find = Place.by_city_keys.query("Austin").hydrate().where(visits__lt=100)

    def change_meanwhile(body: dict[str, Any]) -> None:
        raw_update(places, place("P02"), "SET #visits = :visits", visits={"N": "100"})
        raw_update(places, place("P04"), "SET #city = :city", city={"S": "Dallas"})
        raw(places, Place, "DeleteItem", Key={"state": {"S": "TX"}, "code": {"S": "P06"}})

    engine.answer("BatchGetItem", change_meanwhile)
    assert codes(twin(find).all()) == ["P00", "P08", "P10"]


def test_sides_that_are_one_query_are_fetched_and_tested_once(places: dw.Database, twin: Twins) -> None:
    offer_only(places, "by_city_keys")
    engine = recorded(places)
    sides = ((Place.city == "Austin") & (Place.visits > 7)) | ((Place.city == "Austin") & (Place.names["en"] == "n2"))
    assert codes(twin(Place.find(sides)).all()) == ["P02", "P08", "P10"]
    assert engine.operations() == ["Query", "BatchGetItem"]
    # One side needs the keys only, and is tested whole as well.
    sides = ((Place.city == "Austin") & (Place.code < "P03")) | ((Place.city == "Austin") & (Place.visits > 7))

    def change_meanwhile(body: dict[str, Any]) -> None:
        raw_update(places, place("P02"), "SET #city = :city", city={"S": "Dallas"})

    engine.answer("BatchGetItem", change_meanwhile)
    assert codes(twin(Place.find(sides)).all()) == ["P00", "P08", "P10"]


def test_several_indexes_of_keys_are_completed_together(places: dw.Database, twin: Twins) -> None:
    offer_only(places, "by_city_keys")
    place("P99", city="Dallas", visits=99).insert()
    recorded(places).clear()
    assert codes(twin(Place.find(Place.city.in_(["Austin", "Dallas", "nowhere"]), Place.visits > 7)).all()) == [
        "P08",
        "P10",
        "P99",
    ]
    # Six keys of the one city in a request, the only key of the other in another.
    assert recorded(places).operations() == ["Query", "Query", "Query", "BatchGetItem", "GetItem"]


def test_an_error_among_several_requests_is_raised(places: dw.Database, twin: Twins) -> None:
    offer_only(places, "by_city_keys")
    find = Place.find(Place.city.in_(["Austin", "Dallas"]))
    for operation in ("Query", "BatchGetItem"):
        recorded(places).answer(operation, dw.CredentialsError("no right", code="AccessDeniedException"))
        with pytest.raises(dw.CredentialsError):
            twin(find).all()


def test_a_limit_counts_what_is_left_after_fetching(places: dw.Database, twin: Twins) -> None:
    find = Place.by_city_keys.query("Austin").hydrate().where(visits__gt=5)
    for count in range(1, 5):
        assert len(twin(find.limit(count)).all()) == min(count, 3)
    assert twin(find).first().visits > 5
    assert twin(Place.by_city_keys.query("Austin").hydrate().where(visits=6)).one().code == "P06"


# ---------------------------------------------------------------------- pages


def pages(twin: Twins, find: dw.Find[Any], size: int) -> list[list[Any]]:
    found = []
    cursor = None
    while True:
        page = twin(find).page(size, cursor)
        found.append(page.items)
        cursor = page.cursor
        if cursor is None:
            return found


def test_pages_of_one_query(places: dw.Database, twin: Twins) -> None:
    assert [len(page) for page in pages(twin, Place.find(city="Austin"), 2)] == [2, 2, 2]
    assert [len(page) for page in pages(twin, Place.find(state="TX"), 3)] == [3, 3, 2]
    assert [len(page) for page in pages(twin, Place.find(state="TX", code="P01"), 3)] == [1]
    assert [one.code for page in pages(twin, Place.find(names={"en": "n3"}), 3) for one in page] == ["P03"]  # a scan


@pytest.fixture
def crowd(db: dw.Database) -> dw.Database:
    db.create_tables(Place)
    db.table(Place).put_many(
        place(f"P{number:03}", city="Austin", visits=number, tags={"odd" if number % 2 else "even"})
        for number in range(120)
    )
    recorded(db).clear()
    return db


@pytest.mark.parametrize("size", [1, 7, 50])
def test_pages_of_what_is_tested_here(crowd: dw.Database, twin: Twins, size: int) -> None:
    tested = Place.find((Place.state == "TX") & Place.code.contains("3"))
    expected = [f"P{number:03}" for number in range(120) if "3" in f"P{number:03}"]
    found = pages(twin, tested, size)
    assert [one.code for page in found for one in page] == expected
    assert all(len(page) == size for page in found[:-2])
    hydrated = Place.by_city_keys.query("Austin").hydrate().where(Place.visits > 9, Place.tags.contains("odd"))
    found = pages(twin, hydrated, size)
    assert sorted(one.code for page in found for one in page) == [f"P{number:03}" for number in range(11, 120, 2)]
    assert all(len(page) <= size for page in found)
    projected = pages(twin, tested.project(Place.visits), size)
    assert [one for page in projected for one in page] == [(int(code[1:]),) for code in expected]


def test_limits_of_what_is_tested_here(crowd: dw.Database, twin: Twins) -> None:
    tested = Place.find((Place.state == "TX") & Place.code.contains("3"))
    for count in (1, 5, 30):
        assert len(twin(tested.limit(count)).all()) == min(count, 21)
        assert twin(tested.limit(count)).count() == min(count, 21)


def test_cursors_belong_to_their_find(crowd: dw.Database, twin: Twins) -> None:
    find = Place.find((Place.state == "TX") & Place.code.contains("3"))
    cursor = twin(find).page(2).cursor
    with pytest.raises(ExpressionError, match="belongs to another query"):
        twin(Place.find((Place.state == "TX") & Place.code.contains("4"))).page(2, cursor)
    with pytest.raises(ExpressionError, match="belongs to another query"):
        twin(Place.find(state="TX", code="P001")).page(2, cursor)
    for wrong in ("", "x", "nowhere~x", "~x", twin(Place.query("TX")).page(2).cursor, 5):
        with pytest.raises(ExpressionError, match="not a cursor"):
            twin(find).page(2, wrong)
    assert twin(find).page(2, cursor).items[0].code == "P023"


def test_pages_where_one_side_of_an_or_can_not_be(crowd: dw.Database, twin: Twins) -> None:
    """That it can't be shows in the key of the table, and not in that of the index which is read."""
    nothing = (Place.state == "TX") & (Place.code > "P900") & (Place.code < "P100")
    find = Place.find(nothing | (Place.city == "Austin") & (Place.visits > 100))
    (step,) = find.explain(describe=False).steps
    assert (step.access, step.index) == ("Query", "by_city")
    assert sorted(one.visits for page in pages(twin, find, 5) for one in page) == list(range(101, 120))


def test_what_has_no_pages(crowd: dw.Database, twin: Twins) -> None:
    with pytest.raises(ExpressionError, match="no single query finds these items of Place"):
        twin(Place.find((Place.city == "Austin") | (Place.state == "TX"))).page()
    with pytest.raises(ExpressionError, match="a page has a size of its own"):
        twin(Place.find(state="TX").limit(3)).page()
    with pytest.raises(ExpressionError, match="whole number, 1 or more"):
        twin(Place.find(state="TX")).page(0)
    with pytest.raises(ExpressionError, match="a parallel scan has no pages"):
        twin(Place.find(visits=3).allow_scan(segments=2)).page()
    # Several keys are several requests; as a range they are one query.
    assert codes(twin(Place.find(any_code(["P001", "P003"]))).page().items) == ["P001", "P003"]


# ---------------------------------------------------------------------- the rest


def test_a_scan_in_parts(crowd: dw.Database, twin: Twins) -> None:
    find = Place.find(Place.visits >= 20).allow_scan(segments=3)
    assert codes(twin(find).all()) == [f"P{number:03}" for number in range(20, 120)]
    assert sorted(one.body["Segment"] for one in recorded(crowd).sent) == [0, 1, 2]
    assert twin(find).count() == 100
    assert len(twin(find.limit(10)).all()) == 10
    with pytest.raises(ExpressionError, match="whole number, 1 to 1,000,000"):
        find.allow_scan(segments=0)


def test_keys_of_several_attributes(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Grouped)
    for tenant in "ab":
        for year in (2023, 2024):
            for month in (1, 2, 3):
                Grouped(id=f"{tenant}{year}{month}", tenant=tenant, region="eu", year=year, month=month).insert()
    recorded(db).clear()
    find = Grouped.find(tenant="a", region="eu", year=2024, month__gte=2)
    assert [one.id for one in twin(find.order_by(Grouped.month)).all()] == ["a20242", "a20243"]
    several = Grouped.find(tenant__in=["a", "b"], region="eu", year__in=[2023, 2024], month=1)
    assert sorted(one.id for one in twin(several).all()) == ["a20231", "a20241", "b20231", "b20241"]
    assert set(recorded(db).operations()) == {"Query"}


def test_items_that_do_not_fit(places: dw.Database, twin: Twins) -> None:
    raw_update(places, place("P02"), "REMOVE #name")
    for find in (
        Place.find(any_code(["P01", "P02"])),
        Place.find(state="TX"),
        Place.find((Place.state == "TX") & Place.code.contains("P")),
        Place.by_city_keys.query("Austin").hydrate(),
    ):
        with pytest.raises(dw.DecodeError):
            twin(find).all()
        misfits: list[dw.DecodeError] = []
        assert "P02" not in codes(twin(find.collect_misfits(misfits)).all())
        assert [one.path for one in misfits] == ["name"]


def test_params_show_every_request(places: dw.Database) -> None:
    find = Place.find((Place.city == "Austin") | ((Place.state == "TX") & (Place.code == "P01")))
    key, query = find.params()
    assert key == (
        "GetItem",
        {"TableName": places.table(Place).name, "Key": {"state": {"S": "TX"}, "code": {"S": "P01"}}},
    )
    assert query[0] == "Query"
    assert query[1]["IndexName"] == "by_city"
    assert [operation for operation, _ in Place.find(any_code(["P00", "P01"])).params()] == ["BatchGetItem"]
    assert recorded(places).sent == []


def test_a_find_never_changes(places: dw.Database) -> None:
    find = Place.find(state="TX")
    for other in (
        find.limit(1),
        find.where(visits=3),
        find.order_by(Place.code),
        find.project(Place.code),
        find.consistent(),
    ):
        assert other is not find
    assert find.where() is find
    assert find.limit(None).count() == 8
    assert repr(find) == "<find of Place where Place.state = :0>"
    assert repr(Place.find()) == "<find of Place>"
    with pytest.raises(ExpressionError, match="project\\(\\) needs at least one"):
        find.project()
    with pytest.raises(ExpressionError, match="whole number, 0 or more"):
        find.limit(-1)


def test_what_is_read_is_measured(places: dw.Database, twin: Twins) -> None:
    with places.measure() as cost:
        found = twin(Place.find((Place.city == "Austin") | any_code(["P01", "P03"]))).all()
    assert codes(found) == ["P00", "P01", "P02", "P03", "P04", "P06", "P08", "P10"]
    assert cost.requests == 2
    assert cost.read_units == 1.5
