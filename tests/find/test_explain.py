"""What ``explain`` shows, sends and measures."""

from __future__ import annotations

from typing import Any

import pytest

import dynawire as dw
from dynawire.errors import CredentialsError
from dynawire.operations.finding import statistics
from tests.support.databases import Twins, recorded
from tests.support.models import Place, place

SECRET = "Zanzibar"


@pytest.fixture
def places(db: dw.Database) -> dw.Database:
    db.create_tables(Place)
    for number in range(6):
        place(f"P{number}", city=SECRET, visits=number, rank=number).insert()
    recorded(db).clear()
    return db


def test_a_tree(places: dw.Database, twin: Twins) -> None:
    find = Place.find(
        ((Place.state == "TX") & (Place.code == "P1") & (Place.visits > 0))
        | (Place.city.in_([SECRET, "x"]) & (Place.name > "a") & (Place.name < "z") & (Place.rank > 2))
    )
    head, *tree = str(twin(find).explain(describe=False)).splitlines()
    assert head.startswith(
        "find Place where Place.state = :0 AND Place.code = :1 AND Place.visits > :2 OR Place.city IN"
    )
    assert tree == [
        "├─ GetItem on the table",
        "│  ├─ key: Place.state = :0 AND Place.code = :1",
        "│  ├─ tested here: Place.visits > :0",
        "│  └─ about 0.5 read units, 1 item read",
        "├─ Query on the global index by_city, 2 queries",
        "│  ├─ key: Place.city = :0 AND Place.name BETWEEN :1 AND :2",
        "│  ├─ filter: Place.rank > :0",
        "│  ├─ tested here: Place.name > :0 AND Place.name < :1",
        "│  └─ about 5 read units, 35 items read",
        "├─ not taken",
        "│  ├─ a query on the local index by_rank: its partition key state is not given by == or in_",
        "│  ├─ a query on the local index by_rank_keys: its partition key state is not given by == or in_",
        "│  ├─ a query on the global index by_city_keys: its partition key city is not given by == or in_",
        "│  └─ a query on the global index by_city_some: its partition key city is not given by == or in_",
        "└─ estimated: 5.5 read units, 3 requests (assuming 10,000 items of 1,024 bytes)",
    ]
    assert recorded(places).sent == []


def test_an_index_completed_by_key(places: dw.Database, twin: Twins) -> None:
    explanation = twin(Place.by_city_keys.query(SECRET).hydrate()).explain(describe=False)
    (step,) = explanation.steps
    assert step.fetches == "BatchGetItem of the whole items, of which is tested here: Place.city = :0"
    assert "└─ about" in str(explanation)


def test_nothing_to_send(places: dw.Database, twin: Twins) -> None:
    explanation = twin(Place.find((Place.state == "a") & (Place.state == "b"))).explain(describe=False)
    assert str(explanation).splitlines()[1:] == [
        "├─ nothing is sent: no item can match",
        "└─ estimated: 0 read units, 0 requests (assuming 10,000 items of 1,024 bytes)",
    ]


def test_running_measures(places: dw.Database, twin: Twins) -> None:
    find = Place.find((Place.city == SECRET) & (Place.visits > 3))
    with places.measure() as cost:
        found = twin(find).all()
    recorded(places).clear()
    measured = twin(find).explain(run=True, describe=False).measured
    assert measured is not None
    assert (measured.requests, measured.examined, measured.returned) == (cost.requests, 6, 2) == (1, 6, len(found))
    assert measured.read_units == cost.read_units
    assert recorded(places).operations() == ["Query"]
    text = str(twin(find).explain(run=True, describe=False))
    assert text.splitlines()[-1] == "└─ measured: 0.5 read units, 1 request, 6 examined, 2 returned"


def test_running_measures_every_kind_of_request(places: dw.Database, twin: Twins) -> None:
    keys = (Place.state == "TX") & Place.code.in_(["P1", "P2", "nowhere"])
    cases: list[tuple[Any, tuple[int, int, int]]] = [
        (Place.find(state="TX", code="P1"), (1, 1, 1)),
        (Place.find(state="TX", code="nowhere"), (1, 0, 0)),
        (Place.find(keys & (Place.visits > 1)), (1, 2, 1)),
        (Place.by_city_keys.query(SECRET).hydrate(), (2, 12, 6)),
        (Place.find(visits=3), (1, 6, 1)),
        (Place.find(visits=3).limit(0), (0, 0, 0)),
        (Place.find(keys | (Place.city == SECRET)), (2, 8, 6)),
    ]
    for find, (requests, examined, returned) in cases:
        with places.measure() as cost:
            twin(find).all()
        measured = twin(find).explain(run=True, describe=False).measured
        assert (measured.requests, measured.examined, measured.returned) == (requests, examined, returned), find
        assert measured.read_units == cost.read_units, find


def test_running_inside_a_measured_block(places: dw.Database, twin: Twins) -> None:
    with places.measure() as cost:
        measured = twin(Place.find(city=SECRET)).explain(run=True, describe=False).measured
    assert cost.requests == 1
    assert measured.read_units == cost.read_units == 0.5


def test_no_value_is_shown(places: dw.Database, twin: Twins) -> None:
    find = Place.find(
        (Place.city == SECRET) | ((Place.state == SECRET) & (Place.code == SECRET) & (Place.name != SECRET))
    )
    for explanation in (twin(find).explain(run=True), twin(find.where(names={"a": SECRET})).explain()):
        assert SECRET not in str(explanation)
        assert SECRET not in repr(explanation)
        assert SECRET not in repr(explanation.steps)


# ---------------------------------------------------------------------- statistics


def test_the_table_is_asked_once_an_hour(places: dw.Database, twin: Twins, monkeypatch: pytest.MonkeyPatch) -> None:
    find = Place.find(city=SECRET)
    first = twin(find).explain()
    assert first.rests_on.startswith("from DescribeTable: 6 items of ")
    assert first.read_units == 0.5
    twin(find).explain()
    twin(Place.find(state="TX")).explain()
    assert recorded(places).operations() == ["DescribeTable"]
    target = places.table(Place)._target
    target.known["statistics_asked_at"] -= statistics.MAX_AGE
    twin(find).explain()
    assert recorded(places).operations() == ["DescribeTable"] * 2


def test_an_empty_table_may_have_been_filled_since_it_was_counted(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Place)
    assert twin(Place.find(city="x")).explain().rests_on == "assuming 10,000 items of 1,024 bytes"


def test_where_the_table_may_not_be_described(places: dw.Database, twin: Twins) -> None:
    recorded(places).answer("DescribeTable", CredentialsError("no right", code="AccessDeniedException"))
    assert twin(Place.find(city=SECRET)).explain().rests_on == "assuming 10,000 items of 1,024 bytes"
    assert twin(Place.find(city=SECRET)).explain().rests_on.startswith("from DescribeTable")


def test_reading_never_asks(places: dw.Database, twin: Twins) -> None:
    assert len(twin(Place.find(city=SECRET)).all()) == 6
    assert recorded(places).operations() == ["Query"]


def test_what_is_known_of_indexes() -> None:
    from dynawire.operations.finding.sources import source_of, sources_of
    from dynawire.operations.mapped import mapped
    from dynawire.operations.tables import TableDescription
    from dynawire.operations.target import Target

    target = Target(mapped(Place), "places")
    description = TableDescription.read(
        {
            "TableName": "places",
            "ItemCount": 1000,
            "TableSizeBytes": 500_000,
            "GlobalSecondaryIndexes": [{"IndexName": "by_city", "ItemCount": 10, "IndexSizeBytes": 1_000}],
            "LocalSecondaryIndexes": [{"IndexName": "by_rank", "ItemCount": 0, "IndexSizeBytes": 0}],
        }
    )
    found = statistics.statistics_of(description)
    table = sources_of(target)[0]
    assert (found.entries(table), found.entry_bytes(table)) == (1000, 500)
    indexes = {name: source_of(target, index) for name, index in target.mapped.mapping.indexes.items()}
    assert (found.entries(indexes["by_city"]), found.entry_bytes(indexes["by_city"])) == (10, 100)
    assert (found.entries(indexes["by_rank"]), found.entry_bytes(indexes["by_rank"])) == (0, 500)
    # Of an index that is not told of: half of the items may lack its key, and keys are small.
    assert found.entries(indexes["by_city_keys"]) == 500
    assert found.entry_bytes(indexes["by_city_keys"]) == statistics.ASSUMED_KEYS_BYTES
