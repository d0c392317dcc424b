"""Lost responses and refusals: what is sent again, what is raised, and that nothing changes in the program."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

import dynawire as dw
from dynawire.errors import service_error
from tests.support.databases import Twins, recorded, stored_item
from tests.support.models import Place, Reading, place
from tests.support.recording import LoseResponse


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Place, Reading)
    recorded(db).clear()


def calls(twin: Twins, mine: Place) -> dict[str, tuple[str, bool, Any]]:
    """Each write: its operation, whether it may be sent twice, and the call."""
    key = Place.key("TX", "DFW")
    return {
        "put": ("PutItem", True, lambda: twin(mine).put()),
        "put, condition": ("PutItem", False, lambda: twin(mine).put(condition=Place.name.exists())),
        "put, old": ("PutItem", False, lambda: twin(mine).put(return_old=True)),
        "insert": ("PutItem", False, lambda: twin(place("new", name="changed")).insert()),
        "save": ("UpdateItem", True, lambda: twin(mine).save()),
        "save, condition": ("UpdateItem", False, lambda: twin(mine).save(condition=Place.name.exists())),
        "set": ("UpdateItem", True, lambda: twin(mine).update(visits=5)),
        "set, condition": ("UpdateItem", False, lambda: twin(mine).update(visits=5, condition=Place.name.exists())),
        "add": ("UpdateItem", False, lambda: twin(mine).update(Place.visits.add(1))),
        "add by key": ("UpdateItem", False, lambda: twin(key).update(Place.visits.add(1))),
        "delete": ("DeleteItem", True, lambda: twin(mine).delete()),
        "delete, condition": ("DeleteItem", False, lambda: twin(mine).delete(condition=Place.name.exists())),
        "delete, must exist": ("DeleteItem", False, lambda: twin(mine).delete(must_exist=True)),
        "delete, old": ("DeleteItem", False, lambda: twin(mine).delete(return_old=True)),
        "put, once": ("TransactWriteItems", True, lambda: twin(mine).put(exactly_once=True)),
        "add, once": (
            "TransactWriteItems",
            True,
            lambda: twin(mine).update(Place.visits.add(1), exactly_once=True),
        ),
        "batch": ("BatchWriteItem", True, lambda: twin(Place).put_many([mine])),
    }


def prepared(db: dw.Database, twin: Twins) -> Place:
    """A stored place that was changed since."""
    twin(place("new")).delete()
    twin(place(visits=1)).put()
    mine: Place = twin(Place).get("TX", "DFW")
    mine.name = "changed"
    recorded(db).clear()
    return mine


def errors() -> list[Exception]:
    return [
        dw.OutcomeUnknown("lost", operation="x", endpoint="y"),
        dw.ConnectionFailed("refused", endpoint="y"),
        service_error("InternalServerError", "broken", status=500),
        service_error("ProvisionedThroughputExceededException", "too fast"),
        service_error("ResourceNotFoundException", "gone"),
        service_error("AccessDeniedException", "no"),
        service_error("ItemCollectionSizeLimitExceededException", "too much"),
    ]


def test_only_what_can_be_repeated_is_marked_so(db: dw.Database, twin: Twins) -> None:
    for name in calls(twin, place()):
        mine = prepared(db, twin)
        operation, idempotent, call = calls(twin, mine)[name]
        call()
        sent = recorded(db).sent[0]
        assert (sent.operation, sent.idempotent) == (operation, idempotent), name


def test_an_error_reaches_the_caller_and_changes_nothing_in_the_instance(
    db: dw.Database, twin: Twins, no_waiting: list[float]
) -> None:
    for name in calls(twin, place()):
        for error in errors():
            mine = prepared(db, twin)
            before = mine.to_dict()
            changes = Place.params.save(mine)
            operation, _, call = calls(twin, mine)[name]
            recorded(db).answer(operation, *[error] * 40)
            with pytest.raises(type(error)) if operation != "BatchWriteItem" else pytest.raises(dw.DynawireError):
                call()
            recorded(db).forget_answers()
            assert mine.to_dict() == before, name
            assert Place.params.save(mine) == changes, name
            assert (stored_item(db, mine) or {})["name"] == {"S": "name DFW"}, name


def test_a_response_lost_after_the_write(db: dw.Database, twin: Twins) -> None:
    """Whether it was applied is unknown, so the instance stays as it was; what is stored may be newer."""
    for name in calls(twin, place()):
        mine = prepared(db, twin)
        before = mine.to_dict()
        operation, _, call = calls(twin, mine)[name]
        recorded(db).answer(operation, LoseResponse(dw.OutcomeUnknown("lost", operation=operation, endpoint="x")))
        with pytest.raises(dw.OutcomeUnknown):
            call()
        assert mine.to_dict() == before, name
        # What save() would write is still known, unless the item is gone.
        if not name.startswith("delete"):
            assert twin(mine).save() is True, name
            assert twin(Place).get("TX", "DFW").name == "changed", name


def test_the_read_after_an_update_exactly_once_fails(db: dw.Database, twin: Twins) -> None:
    mine = prepared(db, twin)
    recorded(db).answer("GetItem", dw.ConnectionFailed("refused"))
    with pytest.raises(dw.ConnectionFailed) as caught:
        twin(mine).update(Place.visits.add(1), city="Dallas", exactly_once=True)
    assert caught.value.__notes__ == ["the update was applied; reading the item afterwards failed"]
    # What is known to be stored is taken over, what was computed is not.
    assert (mine.visits, mine.city, mine.name) == (1, "Dallas", "changed")
    assert (stored_item(db, mine) or {})["visits"] == {"N": "2"}


def test_an_item_deleted_right_after_an_update_exactly_once(db: dw.Database, twin: Twins) -> None:
    mine = prepared(db, twin)
    recorded(db).answer("GetItem", {})
    with pytest.raises(dw.ItemNotFound) as caught:
        twin(mine).update(Place.visits.add(1), exactly_once=True)
    assert any("was applied" in note for note in caught.value.__notes__)


def test_reads_pass_errors_on(db: dw.Database, twin: Twins) -> None:
    reads: list[tuple[str, Any]] = [
        ("GetItem", lambda: twin(Place).get("TX", "DFW")),
        ("GetItem", lambda: twin(Place).exists("TX", "DFW")),
        ("GetItem", lambda: twin(place()).refresh()),
        ("Query", lambda: twin.items(Place.query("TX"))),
        ("Query", lambda: twin(Place.query("TX")).count()),
        ("Query", lambda: twin(Place.query("TX")).page()),
        ("Scan", lambda: twin.items(Place.scan().parallel(3))),
        ("TransactGetItems", lambda: twin(db).transact_get(Reading.key(Decimal(1)))),
        ("ListTables", lambda: twin(db).list_tables()),
        ("DescribeTable", lambda: twin(db).describe_table(Place)),
    ]
    for operation, call in reads:
        for error in errors():
            recorded(db).answer(operation, *[error] * 5)
            with pytest.raises(type(error)) as caught:
                call()
            assert caught.value is error
            recorded(db).forget_answers()
    assert all(sent.idempotent for sent in recorded(db).sent)
