"""Tables that are missing, or not what their classes declare: what the errors name, on every engine, in both forms."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, LocalIndex, Model, attr, partition_key, sort_key
from dynawire.errors import service_error
from tests.support.databases import Twins, case, recorded


class Stop(Model, table="stops"):
    line: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    town: Attr[str | None] = attr(default=None)
    zone: Attr[int | None] = attr(default=None)


class IndexedStop(Stop, table="stops"):
    by_town = GlobalIndex("town")


class OtherIndexStop(Stop, table="stops"):
    by_town = GlobalIndex("town", sort_key="zone")


class RetypedStop(Model, table="stops"):
    line: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    town: Attr[int | None] = attr(default=None)
    by_town = GlobalIndex("town")


class LocalStop(Stop, table="stops"):
    by_zone = LocalIndex("zone")


class OtherLocalStop(Stop, table="stops"):
    by_zone = LocalIndex("zone", projection="KEYS_ONLY")


class ProvisionedStop(Stop, table="stops", billing="PROVISIONED", read_units=1, write_units=1, stream="NEW_IMAGE"):
    pass


class ExpiringStop(Stop, table="stops", ttl="zone"):
    pass


class OtherExpiringStop(Stop, table="stops", ttl="gone"):
    gone: Attr[int | None] = attr(default=None)


class UnsortedStop(Model, table="stops"):
    line: Attr[str] = partition_key()


class TextStop(Model, table="stops"):
    line: Attr[str] = partition_key()
    at: Attr[str] = sort_key()


def calls(db: dw.Database, twin: Twins) -> dict[str, Callable[[], Any]]:
    stop, key = Stop(line="U1", at=1), Stop.key("U1", 1)

    def transaction() -> None:
        twin.within(db.transaction(), lambda tx: tx.put(stop))

    return {
        "get": lambda: twin(Stop).get("U1", 1),
        "get_one": lambda: twin(Stop).get_one("U1", 1),
        "exists": lambda: twin(Stop).exists("U1", 1),
        "measured": lambda: _measured(db, lambda: twin(Stop).get("U1", 1)),
        "insert": lambda: twin(stop).insert(),
        "put": lambda: twin(stop).put(),
        "save": lambda: twin(stop).save(),
        "update": lambda: twin(stop).update(zone=1),
        "update by key": lambda: twin(key).update(zone=1),
        "delete": lambda: twin(key).delete(),
        "refresh": lambda: twin(stop).refresh(),
        "query": lambda: twin.items(Stop.query("U1")),
        "all": lambda: twin(Stop.query("U1")).all(),
        "first": lambda: twin(Stop.query("U1")).first(),
        "page": lambda: twin(Stop.scan()).page(),
        "count": lambda: twin(Stop.scan()).count(),
        "parallel": lambda: twin.items(Stop.scan().parallel(3)),
        "find": lambda: twin.items(Stop.find(town="Graz")),
        "find by key": lambda: twin.items(Stop.find(line="U1", at=1)),
        "find by keys": lambda: twin.items(Stop.find(line="U1", at__in=[1, 2])),
        "update_where": lambda: twin(Stop).update_where(Stop.town == "Graz", zone=1),
        "get_many": lambda: twin(Stop).get_many([("U1", 1)]),
        "put_many": lambda: twin(Stop).put_many([stop]),
        "transaction": transaction,
        "exactly once": lambda: twin(stop).put(exactly_once=True),
        "transact_get": lambda: twin(db).transact_get(key),
        "describe": lambda: twin(db).describe_table(Stop),
        "update_tables": lambda: twin(db).update_tables(Stop),
    }


def _measured(db: dw.Database, call: Callable[[], Any]) -> None:
    with db.measure():
        call()


def test_a_missing_table(db: dw.Database, twin: Twins) -> None:
    for name, call in calls(db, twin).items():
        with case(name), pytest.raises(dw.TableNotFound) as caught:
            call()
        message = caught.value.message
        assert f"{db.table_prefix}stops (of Stop)" in message, name
        assert repr(db.engine.endpoint) in message, name
        assert "db.create_tables(Stop)" in message, name
        assert "connected last" in message, name
        assert (caught.value.endpoint, caught.value.code) == (db.engine.endpoint, "ResourceNotFoundException")
        assert str(caught.value) == message


def test_several_missing_tables(db: dw.Database, twin: Twins) -> None:
    class Line(Model, table="lines"):
        id: Attr[str] = partition_key()

    with pytest.raises(dw.TableNotFound, match=r"stops \(of Stop\), \S+lines \(of Line\).*create_tables\(Stop, Line\)"):
        twin(db).transact_get(Stop.key("U1", 1), Line.key("U1"), Stop.key("U1", 2))


def test_a_table_asked_for_by_name(db: dw.Database, twin: Twins) -> None:
    with pytest.raises(dw.TableNotFound, match=r"no table nowhere in .*list_tables\(\)"):
        twin(db).describe_table("nowhere")


def test_credentials_are_no_part_of_the_endpoint() -> None:
    options = {"access_key_id": "KEYID", "secret_access_key": "hidden", "session_token": "token"}
    with dw.connect("dynamodb://eu-west-1", **options) as database:  # type: ignore[arg-type]
        assert database.engine.endpoint == "https://dynamodb.eu-west-1.amazonaws.com"


def test_a_table_that_is_as_declared_is_told_by_one_request(db: dw.Database, twin: Twins) -> None:
    models = (IndexedStop,)
    twin(db).create_tables(*models)
    recorded(db).clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert twin(db).create_tables(*models) == []
        assert twin(db).create_tables(*models, wait=False) == []
        # What an older program does not know of is no fault.
        assert twin(db).create_tables(Stop) == []
    assert recorded(db).operations() == ["CreateTable", "DescribeTable"] * 3


def test_who_may_not_ask_for_the_time_to_live_may_use_the_table(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(ExpiringStop)
    recorded(db).clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert twin(db).create_tables(ExpiringStop) == []
        for code in ("AccessDeniedException", "UnknownOperationException"):
            recorded(db).answer("DescribeTimeToLive", service_error(code, "no"))
            assert twin(db).create_tables(ExpiringStop) == []
    assert recorded(db).operations() == ["CreateTable", "DescribeTable", "DescribeTimeToLive"] * 3
    twin(db).drop_tables(ExpiringStop)  # for DynamoDB Local, see below


@pytest.mark.parametrize(
    ("existing", "model", "message"),
    [
        (Stop, UnsortedStop, r"has the key \(line: S, at: N\), but UnsortedStop declares \(line: S\)"),
        (Stop, TextStop, r"has the key \(line: S, at: N\), but TextStop declares \(line: S, at: S\)"),
        (UnsortedStop, Stop, r"has the key \(line: S\), but Stop declares \(line: S, at: N\)"),
        (Stop, LocalStop, r"local index by_zone, which LocalStop declares, is missing.*GlobalIndex"),
        (LocalStop, OtherLocalStop, r"local index by_zone, .* has another key or projection"),
    ],
)
def test_what_a_table_keeps_for_life(
    db: dw.Database, twin: Twins, existing: type[Any], model: type[Any], message: str
) -> None:
    twin(db).create_tables(existing)
    for wait in (True, False):
        with pytest.raises(dw.SchemaError, match=message) as caught:
            twin(db).create_tables(model, wait=wait)
        assert caught.value.model == model.__name__


@pytest.mark.parametrize(
    ("existing", "model", "message"),
    [
        (Stop, IndexedStop, r"the index by_town is missing; .*db\.update_tables\(IndexedStop\)"),
        (IndexedStop, OtherIndexStop, r"by_town has another key.*update_tables\(OtherIndexStop, delete_indexes=True\)"),
        (IndexedStop, RetypedStop, r"by_town has another key"),
        (Stop, ExpiringStop, r"declares: time to live is off; .*db\.update_tables\(ExpiringStop\)"),
        (ExpiringStop, OtherExpiringStop, r"declares: time to live is by another attribute; "),
        (
            Stop,
            ProvisionedStop,
            r"billing mode PAY_PER_REQUEST -> PROVISIONED; stream NEW_IMAGE; create_tables\(\)",
        ),
    ],
)
def test_what_can_be_mended(db: dw.Database, twin: Twins, existing: type[Any], model: type[Any], message: str) -> None:
    twin(db).create_tables(existing)
    with pytest.warns(dw.SchemaWarning, match=message) as caught:
        assert twin(db).create_tables(model) == []
    assert "/src/dynawire/" not in caught[0].filename  # it is shown where the caller's line is
    twin(db).update_tables(model, delete_indexes=True)
    assert twin(db).create_tables(model) == []
    # With twelve tables that have a time to live DynamoDB Local makes no more indexes.
    twin(db).drop_tables(model)


def test_an_index_the_table_has_not(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Stop)
    reads = {
        "query": lambda: twin.items(IndexedStop.by_town.query("Graz")),
        "page": lambda: twin(IndexedStop.by_town.query("Graz")).page(),
        "count": lambda: twin(IndexedStop.by_town.scan()).count(),
    }
    for name, read in reads.items():
        with case(name), pytest.raises(dw.ServiceError) as caught:
            read()
        assert "has no index by_town, which IndexedStop declares" in caught.value.message
        assert "db.update_tables(IndexedStop)" in caught.value.message
        assert caught.value.code == "ValidationException"


@pytest.mark.parametrize(
    ("existing", "model", "key"),
    [(Stop, UnsortedStop, ("U1",)), (Stop, TextStop, ("U1", "x")), (UnsortedStop, Stop, ("U1", 1))],
)
def test_another_key(db: dw.Database, twin: Twins, existing: type[Any], model: type[Any], key: Any) -> None:
    twin(db).create_tables(existing)
    names = [name for name in ("line", "at") if name in model.__annotations__]
    item = model(**dict(zip(names, key, strict=True)))
    expected = re.compile(rf"stops \(of {model.__name__}\) in .* another key .*create_tables\({model.__name__}\) says")
    attempts = {
        "get": lambda: twin(model).get(*key),
        "put": lambda: twin(item).put(),
        "delete": lambda: twin(model.key(*key)).delete(),
    }
    if model is Stop:
        attempts["update"] = lambda: twin(model.key(*key)).update(town="Graz", upsert=True)
    if model is TextStop:
        attempts["query"] = lambda: twin.items(model.query("U1", model.at > "a"))
    for name, attempt in attempts.items():
        if (name, model) == ("put", Stop):
            continue  # an item may have more attributes than the table's key
        with case(name), pytest.raises(dw.ServiceError, match=expected):
            attempt()


def test_an_index_of_another_type(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(IndexedStop)
    with pytest.raises(dw.ServiceError, match=r"another key than RetypedStop declares.*delete_indexes=True"):
        twin(RetypedStop(line="U1", at=1, town=3)).put()


def test_a_table_that_exists_or_is_busy(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Stop)
    with pytest.raises(dw.TableInUse, match=r"stops \(of Stop\) exists already in .*; exist_ok=True"):
        twin(db).create_tables(Stop, exist_ok=False)
    recorded(db).answer("DeleteTable", service_error("ResourceInUseException", "Table is being updated"))
    with pytest.raises(dw.TableInUse, match=r"stops in .* is being made, changed or deleted .* later"):
        twin(db).drop_tables(Stop)


def test_refused_requests_and_table_operations_are_counted(db: dw.Database, twin: Twins) -> None:
    with db.measure() as cost:
        twin(db).create_tables(Stop)
        twin(db).describe_table(Stop)
        twin(db).list_tables()
    assert [name for name, _ in cost.calls] == recorded(db).operations()
    assert (cost.requests, cost.refused, cost.units) == (len(recorded(db).sent), 0, 0)
    twin(Stop(line="U1", at=1)).insert()
    with db.measure() as outer, db.measure() as cost:
        with pytest.raises(dw.ItemExists):
            twin(Stop(line="U1", at=1)).insert()
        with pytest.raises(dw.ConditionFailed):
            twin(Stop.key("U1", 1)).update(zone=1, condition=Stop.zone == 5)
        with pytest.raises(dw.ItemNotFound):
            twin(Stop.key("U1", 2)).update(zone=1)
        with pytest.raises(dw.TransactionCancelled):
            twin.within(db.transaction(), lambda tx: tx.insert(Stop(line="U1", at=1)))
    assert (cost.requests, cost.refused) == (outer.requests, outer.refused) == (4, 4)
    assert [name for name, _ in cost.calls] == ["PutItem", "UpdateItem", "UpdateItem", "TransactWriteItems"]
    assert "4 requests (4 refused)" in repr(cost)
    with db.measure() as cost:
        twin(db).drop_tables(Stop)
        with pytest.raises(dw.TableNotFound):
            twin(IndexedStop).put_many([IndexedStop(line="U1", at=1)])
        with pytest.raises(dw.TableNotFound):
            twin.items(Stop.query("U1"))
    assert cost.refused >= 2


def test_a_request_that_was_not_answered_is_not_counted(twin: Twins) -> None:
    with (
        dw.connect("http://127.0.0.1:1", max_attempts=1) as database,
        database.measure() as cost,
        pytest.raises(dw.ConnectionFailed),
    ):
        twin(Stop).get("U1", 1)
    assert (cost.requests, cost.refused) == (0, 0)
