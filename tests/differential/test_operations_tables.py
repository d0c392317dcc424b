"""Tables on every engine, in both forms: made, described, listed, changed, waited for, dropped."""

from __future__ import annotations

from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, LocalIndex, Model, attr, partition_key, sort_key
from dynawire.errors import service_error
from tests.support.databases import Twins, recorded
from tests.support.models import Place, Reading, place


def described(twin: Twins, db: dw.Database, model: type[Any]) -> dict[str, Any]:
    raw: dict[str, Any] = twin(db).describe_table(model).raw
    return raw


def made(name: str, bases: tuple[Any, ...] = (Model,), *, body: dict[str, Any] | None = None, **options: Any) -> Any:
    """A class for the table ``changing``, made anew for each shape."""
    annotations = {"id": Attr[str], "at": Attr[int], "color": Attr[str | None], "size": Attr[int | None]}
    annotations["expires"] = Attr[int | None]
    namespace = {
        "__annotations__": annotations,
        "__module__": __name__,
        "id": partition_key(),
        "at": sort_key(),
        **{name: attr(default=None) for name in ("color", "size", "expires")},
        **(body or {}),
    }
    return type(Model)(name, bases, namespace, table="changing", **options)


# ---------------------------------------------------------------------- making


def test_make_describe_list_drop(db: dw.Database, twin: Twins) -> None:
    names = [db.table_prefix + name for name in ("places", "readings")]
    assert twin(db).list_tables() == []
    assert twin(db).create_tables(Place, Reading) == names
    assert twin(db).create_tables(Place, Reading) == []
    assert sorted(twin(db).list_tables()) == sorted(names)
    description = twin(db).describe_table(Place)
    assert (description.name, description.status, description.is_ready) == (names[0], "ACTIVE", True)
    assert description.indexes == {"by_city": "ACTIVE", "by_city_keys": "ACTIVE", "by_city_some": "ACTIVE"}
    assert twin(db).describe_table(names[1]).name == names[1]
    assert twin(db.table(Place)).describe().name == names[0]
    assert twin(db).drop_tables(Place, Reading) == names
    assert twin(db).drop_tables(Place, Reading) == []
    assert twin(db).list_tables() == []
    with pytest.raises(dw.TableNotFound):
        twin(db).describe_table(Place)


def test_one_table(db: dw.Database, twin: Twins) -> None:
    table = db.table(Reading)
    assert twin(table).create() is True
    assert twin(table).create() is False
    with pytest.raises(dw.TableInUse):
        twin(table).create(exist_ok=False)
    with pytest.raises(dw.TableInUse):
        twin(db).create_tables(Reading, exist_ok=False)
    assert twin(table).drop() is True
    assert twin(table).drop() is False
    with pytest.raises(dw.TableNotFound):
        twin(table).drop(missing_ok=False)
    with pytest.raises(dw.TableNotFound):
        twin(db).drop_tables(Reading, missing_ok=False)
    assert twin(table).create(wait=False) is True


def test_an_existing_table_is_not_changed(db: dw.Database, twin: Twins) -> None:
    plain, indexed = made("Plain"), made("Indexed", body={"by_color": GlobalIndex("color")})
    twin(db).create_tables(plain)
    with pytest.warns(dw.SchemaWarning, match=r"the index by_color is missing; .* db\.update_tables\(Indexed\) does"):
        assert twin(db).create_tables(indexed) == []
    assert "GlobalSecondaryIndexes" not in described(twin, db, indexed)


def test_keys_and_indexes_as_declared(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Place)
    raw = described(twin, db, Place)
    assert raw["KeySchema"] == [
        {"AttributeName": "state", "KeyType": "HASH"},
        {"AttributeName": "code", "KeyType": "RANGE"},
    ]
    types = {one["AttributeName"]: one["AttributeType"] for one in raw["AttributeDefinitions"]}
    assert types == {"state": "S", "code": "S", "name": "S", "city": "S", "rank": "N", "visits": "N"}
    local = {one["IndexName"]: one for one in raw["LocalSecondaryIndexes"]}
    assert {name: one["Projection"]["ProjectionType"] for name, one in local.items()} == {
        "by_rank": "ALL",
        "by_rank_keys": "KEYS_ONLY",
    }
    some = next(one for one in raw["GlobalSecondaryIndexes"] if one["IndexName"] == "by_city_some")
    assert some["Projection"]["ProjectionType"] == "INCLUDE"
    assert sorted(some["Projection"]["NonKeyAttributes"]) == ["name", "tags"]
    assert [one["AttributeName"] for one in some["KeySchema"]] == ["city", "visits"]
    assert raw["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_options_as_declared(db: dw.Database, twin: Twins) -> None:
    full = made(
        "Full",
        body={
            "by_color": GlobalIndex("color", read_units=3, write_units=4),
            "by_size": GlobalIndex("size", name="sizes"),
            "local": LocalIndex("size"),
        },
        billing="PROVISIONED",
        read_units=5,
        write_units=6,
        stream="NEW_AND_OLD_IMAGES",
        ttl="expires",
        deletion_protection=True,
    )
    assert twin(db).create_tables(full) == [db.table(full).name]
    raw = described(twin, db, full)
    assert units(raw) == (5, 6)
    indexes = {one["IndexName"]: one for one in raw["GlobalSecondaryIndexes"]}
    assert (units(indexes["by_color"]), units(indexes["sizes"])) == ((3, 4), (5, 6))
    assert raw["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert raw["DeletionProtectionEnabled"] is True
    assert time_to_live(db, full) == "expires"
    with pytest.raises(dw.ServiceError, match="protect"):
        twin(db).drop_tables(full)
    # A table that differs in nothing stays as it is.
    recorded(db).clear()
    assert twin(db.table(full)).update_definition() == []
    assert {"UpdateTable", "UpdateTimeToLive"}.isdisjoint(recorded(db).operations())


def units(described: dict[str, Any]) -> tuple[int, int]:
    throughput = described["ProvisionedThroughput"]
    return throughput["ReadCapacityUnits"], throughput["WriteCapacityUnits"]


def time_to_live(db: dw.Database, model: type[Any]) -> str | None:
    from dynawire.operations.drivers import run
    from dynawire.operations.tables import describe_time_to_live

    return run(db.engine, describe_time_to_live(db.table(model).name))


def test_params_show_the_request(db: dw.Database) -> None:
    model = made("Shown", body={"by_size": GlobalIndex("size", "color")}, table_class="STANDARD_INFREQUENT_ACCESS")
    assert model.params.create() == {
        "TableName": f"{db.table_prefix}changing",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by_size",
                "KeySchema": [
                    {"AttributeName": "size", "KeyType": "HASH"},
                    {"AttributeName": "color", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"},
            {"AttributeName": "at", "AttributeType": "N"},
            {"AttributeName": "size", "AttributeType": "N"},
            {"AttributeName": "color", "AttributeType": "S"},
        ],
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
    }
    assert db.params.create_tables(model)["TableName"] == f"{db.table_prefix}changing"
    assert db.params.drop_tables(model) == {"TableName": f"{db.table_prefix}changing"}
    assert db.params.list_tables() == {}
    assert recorded(db).sent == []


# ---------------------------------------------------------------------- listing


def test_names_are_listed_over_several_pages(db: dw.Database, twin: Twins) -> None:
    mine = [f"{db.table_prefix}{number}" for number in range(5)]
    recorded(db).answer(
        "ListTables",
        {"TableNames": ["other", mine[0], mine[1]], "LastEvaluatedTableName": mine[1]},
        {"TableNames": [mine[2]], "LastEvaluatedTableName": mine[2]},
        {"TableNames": [], "LastEvaluatedTableName": "x"},
        {"TableNames": [mine[3], mine[4], "zzz"]},
    )
    assert twin(db).list_tables() == mine
    starts = [sent.body.get("ExclusiveStartTableName") for sent in recorded(db).sent]
    assert starts == [None, mine[1], mine[2], "x"]


# ---------------------------------------------------------------------- changing


def test_indexes_are_added_and_deleted(db: dw.Database, twin: Twins) -> None:
    plain = made("Plain")
    twin(db).create_tables(plain)
    twin(plain).put_many([plain(id="x", at=number, color="red" if number % 2 else None) for number in range(10)])
    indexed = made("Indexed", body={"by_color": GlobalIndex("color", "at"), "by_size": GlobalIndex("size")})
    assert twin(db).update_tables(indexed) == {
        db.table(plain).name: ["index by_color created", "index by_size created"]
    }
    # The items that were there are in the index.
    assert [item.at for item in twin.items(indexed.by_color.query("red"))] == [1, 3, 5, 7, 9]
    assert twin(db.table(indexed)).update_definition() == []
    # An index the class does not declare is deleted only when that is asked for.
    assert twin(db.table(plain)).update_definition() == []
    assert twin(db.table(plain)).update_definition(delete_indexes=True) == [
        "index by_color deleted",
        "index by_size deleted",
    ]
    raw = described(twin, db, plain)
    assert not raw.get("GlobalSecondaryIndexes")
    assert {one["AttributeName"] for one in raw["AttributeDefinitions"]} == {"id", "at"}


@pytest.mark.parametrize(
    "index",
    [
        GlobalIndex("color", "at"),
        GlobalIndex("color", projection="KEYS_ONLY"),
        GlobalIndex("color", projection=["size"]),
    ],
    ids=["key", "keys only", "include"],
)
def test_an_index_with_another_key_or_projection(db: dw.Database, twin: Twins, index: Any) -> None:
    same = GlobalIndex("size")
    twin(db).create_tables(made("Before", body={"by_color": GlobalIndex("color"), "same": same}))
    table = db.table(made("After", body={"by_color": index, "same": same}))
    recorded(db).clear()
    with pytest.raises(dw.DynawireError, match=r"index by_color .* another key or projection .* delete_indexes=True"):
        twin(table).update_definition()
    assert recorded(db).operations() == ["DescribeTable"]
    # DynamoDB Local takes a second for each step, so one of them will do.
    if index.projection == "ALL" or not db.engine.remote:
        assert twin(table).update_definition(delete_indexes=True) == [
            "index by_color deleted",
            "index by_color created",
        ]
        assert twin(table).update_definition() == []


def test_what_a_table_keeps_for_life(db: dw.Database, twin: Twins) -> None:
    class Other(Model, table="changing"):
        id: Attr[str] = partition_key()

    class Typed(Model, table="changing"):
        id: Attr[bytes] = partition_key()
        at: Attr[int] = sort_key()

    twin(db).create_tables(made("Before"))
    for model, what in (
        (Other, "another key"),
        (Typed, "another key"),
        (made("Local", body={"local": LocalIndex("size")}), "other local indexes"),
    ):
        recorded(db).clear()
        with pytest.raises(dw.DynawireError, match=f"{what} than {model.__name__} declares"):
            twin(db.table(model)).update_definition(delete_indexes=True)
        assert recorded(db).operations() == ["DescribeTable"]


def test_billing_and_capacity_are_changed(db: dw.Database, twin: Twins) -> None:
    indexed = {"by_color": GlobalIndex("color")}
    on_demand = made("OnDemand", body=indexed)
    twin(db).create_tables(on_demand)
    provisioned = made("Provisioned", body=indexed, billing="PROVISIONED", read_units=5, write_units=6)
    assert twin(db.table(provisioned)).update_definition() == ["billing mode PAY_PER_REQUEST -> PROVISIONED"]
    raw = described(twin, db, provisioned)
    assert (units(raw), units(raw["GlobalSecondaryIndexes"][0])) == ((5, 6), (5, 6))
    more = made(
        "More",
        body={"by_color": GlobalIndex("color", read_units=8, write_units=9)},
        billing="PROVISIONED",
        read_units=7,
        write_units=6,
    )
    assert twin(db.table(more)).update_definition() == ["capacity of the table", "capacity of the index by_color"]
    raw = described(twin, db, more)
    assert (units(raw), units(raw["GlobalSecondaryIndexes"][0])) == ((7, 6), (8, 9))
    assert twin(db.table(on_demand)).update_definition() == ["billing mode PROVISIONED -> PAY_PER_REQUEST"]
    assert described(twin, db, on_demand)["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_streams_are_changed(db: dw.Database, twin: Twins) -> None:
    plain, keys, images = made("Plain"), made("Keys", stream="KEYS_ONLY"), made("Images", stream="NEW_IMAGE")
    twin(db).create_tables(plain)
    assert twin(db.table(keys)).update_definition() == ["stream KEYS_ONLY"]
    assert twin(db.table(images)).update_definition() == ["stream off", "stream NEW_IMAGE"]
    assert described(twin, db, images)["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    assert twin(db.table(plain)).update_definition() == ["stream off"]


def test_time_to_live_is_changed(db: dw.Database, twin: Twins) -> None:
    plain, expiring, sized = made("Plain"), made("Expiring", ttl="expires"), made("Sized", ttl="size")
    twin(db).create_tables(plain)
    assert twin(db.table(expiring)).update_definition() == ["time to live on (expires)"]
    assert time_to_live(db, expiring) == "expires"
    assert twin(db.table(expiring)).update_definition() == []
    assert twin(db.table(sized)).update_definition() == ["time to live off (expires)", "time to live on (size)"]
    assert twin(db.table(plain)).update_definition() == ["time to live off (size)"]
    assert time_to_live(db, plain) is None


def test_deletion_protection_is_changed(db: dw.Database, twin: Twins) -> None:
    protected, plain = made("Protected", deletion_protection=True), made("Plain")
    twin(db).create_tables(protected)
    assert twin(db.table(plain)).update_definition() == ["deletion protection off"]
    assert twin(db.table(protected)).update_definition() == ["deletion protection on"]
    twin(db.table(plain)).update_definition()
    assert twin(db.table(plain)).drop()


def test_a_table_that_is_not_there_is_not_waited_for(db: dw.Database, twin: Twins) -> None:
    with pytest.raises(dw.TableNotFound):
        twin(db.table(Reading)).update_definition()
    with pytest.raises(dw.TableNotFound):
        twin(db).update_tables(Reading)


def test_a_table_that_never_becomes_what_is_declared(db: dw.Database, twin: Twins) -> None:
    model = made("Protected", deletion_protection=True)
    twin(db).create_tables(made("Plain"))
    recorded(db).answer("UpdateTable", *[{"TableDescription": {}}] * 100)
    with pytest.raises(dw.DynawireError, match="does not become what Protected declares; still to do: deletion"):
        twin(db.table(model)).update_definition()


# ---------------------------------------------------------------------- waiting


def status(name: str, index: str | None = None, backfilling: bool = False) -> dict[str, Any]:
    indexes = [{"IndexName": "i", "IndexStatus": index, "Backfilling": backfilling}] if index else []
    return {"Table": {"TableName": "x", "TableStatus": name, "GlobalSecondaryIndexes": indexes}}


def missing() -> dw.DynawireError:
    return service_error("ResourceNotFoundException", "not yet")


def test_waiting_until_all_is_active(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("CreateTable", {"TableDescription": {"TableStatus": "CREATING"}})
    recorded(db).answer(
        "DescribeTable",
        missing(),
        status("CREATING"),
        status("UPDATING", "CREATING"),
        status("ACTIVE", "CREATING"),
        status("ACTIVE", "ACTIVE", backfilling=True),
        status("ACTIVE", "ACTIVE"),
    )
    assert twin(db).create_tables(Reading) == [db.table(Reading).name]
    assert len(recorded(db).sent) == 7
    assert no_waiting == sorted(no_waiting)
    assert len(no_waiting) == 5


def test_waiting_until_it_is_gone(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("DeleteTable", {"TableDescription": {}})
    recorded(db).answer("DescribeTable", status("DELETING"), status("DELETING"), missing())
    assert twin(db).drop_tables(Reading) == [db.table(Reading).name]
    assert len(no_waiting) == 2


def test_waiting_ends(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("CreateTable", {})
    recorded(db).answer("DescribeTable", *[status("CREATING")] * 100)
    with pytest.raises(dw.DynawireError, match=r"is CREATING, and was not ready within 10 seconds"):
        twin(db.table(Reading)).create(timeout=10)
    assert 10 <= sum(no_waiting) <= 15
    for answer, told in (
        (status("ACTIVE", "CREATING"), "is ACTIVE, but its index i is CREATING, and"),
        (status("ACTIVE", "ACTIVE", backfilling=True), "is ACTIVE, but an index is being filled, and"),
    ):
        recorded(db).forget_answers()
        recorded(db).answer("CreateTable", {})
        recorded(db).answer("DescribeTable", *[answer] * 100)
        with pytest.raises(dw.DynawireError, match=told):
            twin(db.table(Reading)).create(timeout=10)
    recorded(db).forget_answers()
    recorded(db).answer("DescribeTable", *[status("DELETING")] * 100)
    recorded(db).answer("DeleteTable", {})
    with pytest.raises(dw.DynawireError, match=r"was not gone within 0\.5 seconds"):
        twin(db.table(Reading)).drop(timeout=0.5)
    recorded(db).answer("CreateTable", {})
    assert twin(db.table(Reading)).create(wait=False) is True


def test_time_to_live_waits_for_the_table(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    model = made("Expiring", ttl="expires")
    recorded(db).answer("CreateTable", {})
    recorded(db).answer("DescribeTable", status("CREATING"), status("ACTIVE"))
    recorded(db).answer("UpdateTimeToLive", {})
    assert twin(db.table(model)).create(wait=False) is True
    assert recorded(db).operations() == ["CreateTable", "DescribeTable", "DescribeTable", "UpdateTimeToLive"]


def test_nothing_of_a_lost_response_is_repeated(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Reading)
    twin(db).drop_tables(Reading)
    changing = [sent for sent in recorded(db).sent if sent.operation in ("CreateTable", "DeleteTable")]
    assert [sent.idempotent for sent in changing] == [False, False]


# ---------------------------------------------------------------------- prefixes


def test_two_prefixes_are_two_databases(db: dw.Database, twin: Twins) -> None:
    other = dw.Database(db.engine, table_prefix=f"{db.table_prefix}other-")
    twin(db).create_tables(Place)
    twin(other).create_tables(Place)
    twin(db.table(Place)).put(place(name="one"))
    twin(other.table(Place)).put(place(name="two"))
    assert twin(db.table(Place)).get("TX", "DFW").name == "one"
    assert twin(other.table(Place)).get("TX", "DFW").name == "two"
    assert twin(other).list_tables() == [f"{db.table_prefix}other-places"]
    assert len(twin(db).list_tables()) == 2
