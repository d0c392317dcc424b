"""Transactions on every engine, in both forms; conflicts and lost responses are injected."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

import dynawire as dw
from dynawire.errors import service_error
from tests.support.databases import Twins, at_once, raw, raw_update, recorded, stored_item
from tests.support.models import Address, Place, Reading, place
from tests.support.recording import LoseResponse


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Place, Reading)
    recorded(db).clear()


def everything(twin: Twins) -> list[Any]:
    found = [*twin.items(Place.scan()), *twin.items(Reading.scan())]
    return sorted((type(item).__name__, str(sorted(item.to_dict().items(), key=str))) for item in found)


def test_all_operations_happen_together(db: dw.Database, twin: Twins) -> None:
    put, saved, updated, deleted, checked = (place(code) for code in ("PUT", "SAV", "UPD", "DEL", "CHK"))
    twin(Place).put_many([put, saved, updated, deleted, checked])
    recorded(db).clear()
    put.name, saved.city = "put", "saved"
    inserted = Reading(number=Decimal(1), text="new")

    def body(tx: dw.Transaction) -> None:
        tx.insert(inserted)
        tx.put(put)
        tx.save(saved)
        tx.update(updated, Place.visits.add(2), name="updated")
        tx.update(Place.key("TX", "NEW"), Place.visits.add(1), name="upserted", upsert=True)
        tx.delete(deleted)
        tx.delete(Place.key("TX", "nothing there"))
        tx.check(checked, Place.visits == 0)
        tx.check(Place.key("TX", "none"), Place.name.not_exists())
        assert len(tx) == 9
        assert repr(tx) == "<Transaction of 9 operations>"
        assert recorded(db).sent == []

    twin.within(db.transaction(), body)
    assert recorded(db).operations() == ["TransactWriteItems"]
    assert twin(Reading).get(1).text == "new"
    assert twin(Place).get("TX", "PUT").name == "put"
    assert twin(Place).get("TX", "SAV").city == "saved"
    found = twin(Place).get("TX", "UPD")
    assert (found.visits, found.name) == (2, "updated")
    assert twin(Place).get("TX", "NEW").visits == 1
    assert twin(Place).get("TX", "DEL") is None
    # What was written is known.
    for item in (inserted, put, saved):
        assert twin(item).save() is False


def test_an_error_inside_the_block_sends_nothing(db: dw.Database, twin: Twins) -> None:
    mine = place()

    def body(tx: dw.Transaction) -> None:
        tx.insert(mine)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        twin.within(db.transaction(), body)
    assert recorded(db).sent == []
    assert "Item" in Place.params.save(mine)


def test_an_empty_transaction_sends_nothing(db: dw.Database, twin: Twins) -> None:
    stored = place()
    twin(stored).put()
    recorded(db).clear()
    twin.within(db.transaction(), lambda tx: None)
    twin.within(db.transaction(), lambda tx: tx.save(stored))
    assert recorded(db).sent == []


def test_a_transaction_is_sent_once(db: dw.Database, twin: Twins) -> None:
    used: list[dw.Transaction] = []
    twin.within(db.transaction(), used.append)
    with pytest.raises(dw.ExpressionError, match="sent already"):
        used[0].insert(place())
    with pytest.raises(dw.ExpressionError, match="sent already"):
        twin.within(used[0], lambda tx: None)


def failing(db: dw.Database, twin: Twins, body: Any) -> dw.TransactionCancelled:
    before = everything(twin)
    with pytest.raises(dw.TransactionCancelled) as caught:
        twin.within(db.transaction(), body)
    assert everything(twin) == before
    assert caught.value.code in ("TransactionCanceledException", "ValidationException")
    return caught.value


def test_each_operation_has_its_reason(db: dw.Database, twin: Twins) -> None:
    there = place("A", name="secret")
    twin(there).put()

    def body(tx: dw.Transaction) -> None:
        tx.insert(place("A", name="other"))
        tx.put(place("ok"))
        tx.put(place("B"), condition=Place.visits == 3)
        tx.update(Place.key("TX", "C"), Place.visits.add(1))
        tx.delete(Place.key("TX", "D"), must_exist=True)
        tx.check(Place.key("TX", "E"), Place.name.exists())
        tx.delete(Place.key("TX", "F"))

    error = failing(db, twin, body)
    kinds = [None if reason is None else type(reason) for reason in error.reasons]
    assert kinds == [
        dw.ItemExists,
        None,
        dw.ConditionFailed,
        dw.ItemNotFound,
        dw.ItemNotFound,
        dw.ConditionFailed,
        None,
    ]
    first: Any = error.reasons[0]
    assert first.item == there
    assert first.model == "Place"
    missing: Any = error.reasons[3]
    assert missing.key == {"state": {"S": "TX"}, "code": {"S": "C"}}
    assert len(error.wire_reasons) == 7
    assert "operation 1 (Put of Place): ItemExists" in error.message
    assert "operation 4 (Update of Place): ItemNotFound" in error.message
    assert "secret" not in error.message


def test_a_false_condition_has_the_stored_item(db: dw.Database, twin: Twins) -> None:
    there = place("A", visits=7)
    twin(there).put()
    changed = twin(Place).get("TX", "A")
    changed.name = "changed"
    for add in (
        lambda tx: tx.save(changed, condition=Place.visits == 3),
        lambda tx: tx.put(changed, condition={"visits": 3}),
        lambda tx: tx.update(changed, Place.visits.add(1), condition=Place.visits == 3),
        lambda tx: tx.delete(changed, condition=Place.visits == 3),
        lambda tx: tx.check(changed, Place.visits == 3),
        lambda tx: tx.check(changed, {"visits": 7}, Place.name == "other"),
    ):
        error = failing(db, twin, add)
        (reason,) = error.reasons
        assert type(reason) is dw.ConditionFailed
        assert reason.item == there
        assert changed.name == "changed"
        assert changed.visits == 7
    assert twin(changed).save()


def test_the_instances_after_a_failure_are_as_before(db: dw.Database, twin: Twins) -> None:
    loaded = place("A", visits=1)
    twin(loaded).put()
    loaded.city = "unsaved"
    new = place("B")

    def body(tx: dw.Transaction) -> None:
        tx.insert(new)
        tx.update(loaded, Place.visits.set(5), name="n")
        tx.check(Place.key("TX", "none"), Place.name.exists())

    failing(db, twin, body)
    assert (loaded.visits, loaded.name, loaded.city) == (1, "name A", "unsaved")
    assert Place.params.save(loaded)["ExpressionAttributeValues"] == {":v0": {"S": "unsaved"}}
    assert "Item" in Place.params.save(new)


def test_the_instances_after_a_success(db: dw.Database, twin: Twins) -> None:
    mine = place("A", visits=1, city="Dallas", tags={"a"}, address=Address("A", "B"))
    twin(mine).put()
    mine.rank = 99

    def body(tx: dw.Transaction) -> None:
        tx.update(
            mine,
            Place.name.set("new"),
            Place.city.remove(),
            Place.tags.remove(),
            Place.visits.add(1),
            Place.address.city.set("C"),
        )

    twin.within(db.transaction(), body)
    # Constants are known; what the service computed is seen after refresh(). Local changes stay.
    assert (mine.name, mine.city, mine.tags, mine.rank) == ("new", None, set(), 99)
    assert (mine.visits, mine.address) == (1, Address("A", "B"))
    assert Place.params.save(mine)["ExpressionAttributeValues"] == {":v0": {"N": "99"}}
    twin(mine).refresh()
    assert (mine.visits, mine.address, mine.rank) == (2, Address("A", "C"), None)
    # What was changed after the operation was noted is not taken for written.
    mine.name = "first"

    def change_later(tx: dw.Transaction) -> None:
        tx.save(mine)
        mine.name = "second"

    twin.within(db.transaction(), change_later)
    assert twin(Place).get("TX", "A").name == "first"
    assert twin(mine).save() is True
    assert twin(Place).get("TX", "A").name == "second"


# ---------------------------------------------------------------------- refused before anything is sent


def test_one_item_twice(db: dw.Database, twin: Twins) -> None:
    def body(tx: dw.Transaction) -> None:
        tx.put(Reading(number=Decimal("1.0")))
        tx.put(place())
        tx.delete(Reading.key(1))

    with pytest.raises(dw.ExpressionError, match=r"operations 1 \(Put of Reading\) and 3 \(Delete of Reading\)"):
        twin.within(db.transaction(), body)
    assert recorded(db).sent == []


def test_more_than_100_operations(db: dw.Database, twin: Twins) -> None:
    def body(count: int, tx: dw.Transaction) -> None:
        for number in range(count):
            tx.put(Reading(number=number))  # type: ignore[arg-type]

    with pytest.raises(dw.LimitExceeded, match="at most 100 operations, this one has 101"):
        twin.within(db.transaction(), partial(body, 101))
    assert recorded(db).sent == []
    twin.within(db.transaction(), partial(body, 100))
    assert twin(Reading.scan()).count() == 100


def test_more_than_4_mb(db: dw.Database, twin: Twins) -> None:
    def body(count: int, tx: dw.Transaction) -> None:
        for number in range(count):
            tx.put(Reading(number=number, text="x" * 400_000))  # type: ignore[arg-type]

    with pytest.raises(dw.LimitExceeded, match=r"at most 4 MB, the items of this one have 4\.2"):
        twin.within(db.transaction(), partial(body, 11))
    assert recorded(db).sent == []
    twin.within(db.transaction(), partial(body, 10))
    assert twin(Reading.scan()).count() == 10


def test_what_is_refused_inside_the_block(db: dw.Database, twin: Twins) -> None:
    wrong: list[Any] = [
        (lambda tx: tx.insert(place(visits=-1)), dw.ValidationError),
        (lambda tx: tx.put(5), dw.UsageError),
        (lambda tx: tx.put(Place.key("TX", "A")), dw.ValidationError),
        (lambda tx: tx.save(Place.key("TX", "A")), dw.ValidationError),
        (lambda tx: tx.update(Place.key("TX", "A")), dw.ExpressionError),
        (lambda tx: tx.update(Place.key("TX", "A"), Place.code.set("x")), dw.ExpressionError),
        (lambda tx: tx.update(Place.key("TX", "A"), Place.visits.add(1), upsert=True), dw.ExpressionError),
        (lambda tx: tx.delete(Place.key("TX")), dw.ValidationError),
        (lambda tx: tx.check(Place.key("TX", "A"), None), dw.ExpressionError),
        (lambda tx: tx.check(Place.key("TX", "A"), "x"), dw.ExpressionError),
    ]
    for add, kind in wrong:
        with pytest.raises(kind):
            twin.within(db.transaction(), add)
    assert recorded(db).sent == []


@pytest.mark.parametrize("token", ["", "x" * 37])
def test_tokens(db: dw.Database, token: str) -> None:
    with pytest.raises(dw.ExpressionError, match="1 to 36 characters"):
        db.transaction(token=token)


def test_a_token_of_ones_own(db: dw.Database, twin: Twins) -> None:
    key = Place.key("TX", "A")
    mine = f"{db.table_prefix}mine"
    twin(place("A")).put()

    def body(count: int, tx: dw.Transaction) -> None:
        assert tx.token == mine
        tx.update(key, Place.visits.add(count))

    twin.within(db.transaction(token=mine), partial(body, 1))
    twin.within(db.transaction(token=mine), partial(body, 1))
    assert twin(key).get().visits == 1
    with pytest.raises(dw.ServiceError) as caught:
        twin.within(db.transaction(token=mine), partial(body, 2))
    assert caught.value.code == "IdempotentParameterMismatchException"
    assert db.transaction().token != db.transaction().token


def test_params(db: dw.Database, twin: Twins) -> None:
    shown: list[dict[str, Any]] = []

    def body(tx: dw.Transaction) -> None:
        assert tx.params() == {"TransactItems": [], "ClientRequestToken": "t"}
        tx.insert(Reading(number=Decimal(1)))
        shown.append(tx.params())
        raise KeyError

    with pytest.raises(KeyError):
        twin.within(db.transaction(token="t"), body)
    assert shown == [
        {
            "TransactItems": [
                {
                    "Put": {
                        "TableName": db.table(Reading).name,
                        "Item": {"number": {"N": "1"}, "text": {"S": ""}},
                        "ConditionExpression": "attribute_not_exists(#n0)",
                        "ExpressionAttributeNames": {"#n0": "number"},
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                }
            ],
            "ClientRequestToken": "t",
        }
    ]


def test_keys_of_another_database(db: dw.Database, twin: Twins) -> None:
    with dw.connect("memory:") as other:
        key = other.table(Reading).key(1)
        for call in (
            lambda: twin.within(db.transaction(), lambda tx: tx.delete(key)),
            lambda: twin(db).transact_get(key),
            lambda: twin(db.table(Reading)).delete(key),
            lambda: twin(db.table(Reading)).get_many([key]),
        ):
            with pytest.raises(dw.ValidationError, match="another database"):
                call()
    assert recorded(db).sent == []


# ---------------------------------------------------------------------- conflicts and lost responses


def test_an_error_has_the_same_code_alone_and_in_a_transaction(db: dw.Database, twin: Twins) -> None:
    twin(place("A")).put()
    codes = []
    for once in (False, True):
        with pytest.raises(dw.ItemExists) as caught:
            twin(place("A")).insert(exactly_once=once)
        codes.append(caught.value.code)
    error = failing(db, twin, lambda tx: tx.insert(place("A")))
    assert isinstance(error.reasons[0], dw.ItemExists)
    codes.append(error.reasons[0].code)
    assert codes == ["ConditionalCheckFailedException"] * 3
    # As it came:
    assert [reason["Code"] for reason in error.wire_reasons] == ["ConditionalCheckFailed"]


def conflict(*codes: str) -> dw.DynawireError:
    reasons = [{"Code": code} for code in codes]
    return service_error("TransactionCanceledException", "x", fields={"CancellationReasons": reasons})


def test_conflicts_are_tried_again_with_the_same_token(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    busy = service_error("TransactionInProgressException", "busy")
    recorded(db).answer("TransactWriteItems", conflict("TransactionConflict", "None"), busy, None)

    def body(tx: dw.Transaction) -> None:
        tx.insert(place("A"))
        tx.insert(place("B"))

    twin.within(db.transaction(), body)
    assert twin(Place).exists("TX", "B")
    sent = [one for one in recorded(db).sent if one.operation == "TransactWriteItems"]
    assert len(sent) == 3
    assert len({one.body["ClientRequestToken"] for one in sent}) == 1
    assert len(no_waiting) == 2


def test_conflicts_that_do_not_end(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("TransactWriteItems", *[conflict("TransactionConflict") for _ in range(9)])
    error = failing(db, twin, lambda tx: tx.insert(place("A")))
    assert [type(reason) for reason in error.reasons] == [dw.TransactionConflict]
    assert len(no_waiting) == 5


def test_a_false_condition_is_not_tried_again(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("TransactWriteItems", conflict("TransactionConflict", "ConditionalCheckFailed"))

    def body(tx: dw.Transaction) -> None:
        tx.insert(place("A"))
        tx.check(Place.key("TX", "B"), Place.name.exists())

    error = failing(db, twin, body)
    assert [type(reason) for reason in error.reasons] == [dw.TransactionConflict, dw.ConditionFailed]
    assert no_waiting == []


def test_a_lost_response_is_known_by_its_token(db: dw.Database, twin: Twins) -> None:
    twin(place("A")).put()
    lost = dw.OutcomeUnknown("lost", operation="TransactWriteItems", endpoint="x")
    recorded(db).answer("TransactWriteItems", LoseResponse(lost))
    tokens: list[str] = []

    def body(tx: dw.Transaction) -> None:
        tokens.append(tx.token)
        tx.update(Place.key("TX", "A"), Place.visits.add(1))

    with pytest.raises(dw.OutcomeUnknown):
        twin.within(db.transaction(), body)
    assert recorded(db).sent[-1].idempotent
    # It may be sent again with its token, and is applied once.
    twin.within(db.transaction(token=tokens[0]), body)
    assert twin(Place).get("TX", "A").visits == 1


def test_transactions_at_the_same_time(db: dw.Database, twin: Twins) -> None:
    twin(Place).put_many([place("A"), place("B")])

    def move() -> Any:
        if not twin.is_async:
            with db.transaction() as tx:
                add(tx)
            return None

        async def within() -> None:
            async with db.transaction() as tx:
                add(tx)

        return within()

    def add(tx: dw.Transaction) -> None:
        tx.update(Place.key("TX", "A"), Place.rank.add(-1))
        tx.update(Place.key("TX", "B"), Place.rank.add(1))

    outcomes = at_once(twin, [move] * 6)
    applied = sum(outcome is None for outcome in outcomes)
    assert all(outcome is None or isinstance(outcome, dw.TransactionCancelled) for outcome in outcomes)
    assert applied >= 1
    assert (twin(Place).get("TX", "A").rank, twin(Place).get("TX", "B").rank) == (-applied, applied)


# ---------------------------------------------------------------------- what the service refuses


@pytest.mark.parametrize("operations", [1, 2])
def test_a_part_of_what_is_not_there(db: dw.Database, twin: Twins, operations: int) -> None:
    mine = place("A")
    twin(mine).put()

    def body(tx: dw.Transaction) -> None:
        tx.update(mine, Place.address.city.set("C"))
        if operations == 2:
            tx.put(place("B"))

    error = failing(db, twin, body)
    assert type(error.reasons[0]) is dw.ConditionFailed
    assert "Place.address.city" in error.message


def test_a_map_that_another_writer_took_away(db: dw.Database, twin: Twins) -> None:
    mine = place("A", address=Address("A", "B"))
    twin(mine).put()
    assert mine.address is not None
    mine.address.city = "C"
    raw_update(db, mine, "REMOVE #address")
    error = failing(db, twin, lambda tx: tx.save(mine))
    assert "refresh()" in error.message
    assert stored_item(db, mine) is not None


def test_an_unknown_table(db: dw.Database, twin: Twins) -> None:
    class Nowhere(dw.Model, table="nowhere"):
        id: dw.Attr[str] = dw.partition_key()

    for call in (
        lambda: twin.within(db.transaction(), lambda tx: tx.put(Nowhere(id="x"))),
        lambda: twin(db).transact_get(Nowhere.key("x")),
    ):
        with pytest.raises(dw.TableNotFound):
            call()


# ---------------------------------------------------------------------- transact_get


def test_transact_get(db: dw.Database, twin: Twins) -> None:
    twin(place("A")).put()
    twin(Reading(number=Decimal(1), text="t")).put()
    recorded(db).clear()
    key = Place.key("TX", "A")
    found = twin(db).transact_get(Reading.key(1), key, Place.key("TX", "none"), Reading.key(Decimal("1.0")), key)
    assert [type(item).__name__ for item in found] == ["Reading", "Place", "NoneType", "Reading", "Place"]
    assert found[0] == found[3] == Reading(number=Decimal(1), text="t")
    assert len(recorded(db).sent[0].body["TransactItems"]) == 3
    assert twin(found[1]).save() is False
    assert twin(db).transact_get() == ()
    assert len(recorded(db).sent) == 1
    shown = db.params.transact_get(Reading.key(1))
    assert shown == {"TransactItems": [{"Get": {"TableName": db.table(Reading).name, "Key": {"number": {"N": "1"}}}}]}


def test_transact_get_limits(db: dw.Database, twin: Twins) -> None:
    assert twin(db).transact_get(*[Reading.key(number) for number in range(100)]) == (None,) * 100
    recorded(db).clear()
    with pytest.raises(dw.LimitExceeded, match="at most 100 items, this one 101"):
        twin(db).transact_get(*[Reading.key(number) for number in range(101)])
    for wrong in (("TX", "A"), "x", place(), None):
        with pytest.raises(dw.ValidationError, match="takes keys"):
            twin(db).transact_get(wrong)
    assert recorded(db).sent == []


def test_transact_get_tries_conflicts_again(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    recorded(db).answer("TransactGetItems", conflict("TransactionConflict"), None)
    assert twin(db).transact_get(Reading.key(1)) == (None,)
    recorded(db).answer("TransactGetItems", *[conflict("None", "TransactionConflict") for _ in range(6)])
    with pytest.raises(dw.TransactionCancelled) as caught:
        twin(db).transact_get(Reading.key(1), Reading.key(2))
    assert [type(reason) for reason in caught.value.reasons] == [type(None), dw.TransactionConflict]
    assert "operation 2 (Get from" in caught.value.message


def test_transact_get_of_what_does_not_fit(db: dw.Database, twin: Twins) -> None:
    raw(db, Reading, "PutItem", Item={"number": {"N": "1"}, "text": {"N": "5"}})
    with pytest.raises(dw.DecodeError) as caught:
        twin(db).transact_get(Reading.key(1))
    assert caught.value.key == {"number": {"N": "1"}}
