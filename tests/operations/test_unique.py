"""Unique attributes on every engine: which writes are refused, which guards are taken and given back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, Unique, attr, partition_key, sort_key, ttl, version
from dynawire.operations.guards import GUARD, OWNER
from tests.support.databases import Twins, at_once, case, raw, raw_update, recorded, stored_item
from tests.support.recording import LoseResponse


class User(Model, table="users"):
    id: Attr[str] = partition_key()
    email: Attr[str | None] = attr(default=None, unique=True, name="mail")
    tenant: Attr[str | None] = attr(default=None)
    nick: Attr[str | None] = attr(default=None, unique=Unique("tenant", ignore_case=True))
    visits: Attr[int] = attr(default=0)


class Part(Model, table="parts"):
    """Numbers and binary, in a table with a sort key and a version."""

    shelf: Attr[int] = partition_key()
    place: Attr[bytes] = sort_key()
    weight: Attr[Decimal | None] = attr(default=None, unique=True)
    seal: Attr[bytes | None] = attr(default=None, unique=True)
    v: Attr[int] = version()

    by_place = GlobalIndex("place", sort_key="shelf")


class Blob(Model, table="blobs"):
    id: Attr[bytes] = partition_key()
    number: Attr[int] = sort_key()
    name: Attr[str] = attr(default="", unique=Unique(name="blob names"))


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(User, Part, Blob)
    recorded(db).clear()


def guards(db: dw.Database, model: type[Any] = User) -> list[dict[str, Any]]:
    """The guards of a class, past the mapper."""
    items = raw(db, model, "Scan", ConsistentRead=True)["Items"]
    return [item for item in items if GUARD in item]


def check(db: dw.Database, model: type[Any] = User) -> None:
    """Every value of an item has a guard, and every guard an item."""
    report = db.table(model).rebuild_unique(dry_run=True)
    assert (report.added, report.removed, report.duplicates) == (0, 0, []), report


def conflict(attribute: str, call: Callable[[], Any]) -> dw.UniqueConflict:
    with pytest.raises(dw.UniqueConflict) as caught:
        call()
    assert caught.value.attribute == attribute
    return caught.value


# ---------------------------------------------------------------------- one item


def test_insert_takes_a_guard_in_the_same_request(db: dw.Database, twin: Twins) -> None:
    twin(User(id="1", email="ann@x", nick="Ann")).insert()
    assert recorded(db).operations() == ["TransactWriteItems"]
    assert [len(one.body["TransactItems"]) for one in recorded(db).sent] == [3]
    assert sorted(one[GUARD]["S"] for one in guards(db)) == ["User.mail", "User.nick"]
    assert {str(one[OWNER]) for one in guards(db)} == {"{'M': {'id': {'S': '1'}}}"}
    error = conflict("email", lambda: twin(User(id="2", email="ann@x")).insert())
    assert error.key == {"id": {"S": "1"}}
    assert error.model == "User"
    assert error.item.nick == "Ann"
    assert "ann@x" not in str(error)
    assert twin(User).get("2") is None
    twin(User(id="2", email="bob@x")).insert()
    check(db)


def test_insert_of_a_key_that_exists(db: dw.Database, twin: Twins) -> None:
    twin(User(id="1", email="ann@x")).insert()
    with pytest.raises(dw.ItemExists):
        twin(User(id="1", email="ann@x")).insert()
    with pytest.raises(dw.ItemExists):
        twin(User(id="1", email="other@x")).insert()
    check(db)


def test_none_needs_no_guard(db: dw.Database, twin: Twins) -> None:
    for number in range(3):
        twin(User(id=str(number))).insert()
    assert guards(db) == []
    # A single request, as if nothing were unique.
    assert recorded(db).operations() == ["PutItem"] * 3


def test_save_moves_the_guard(db: dw.Database, twin: Twins) -> None:
    ann, bob = User(id="1", email="ann@x"), User(id="2", email="bob@x")
    twin(ann).insert()
    twin(bob).insert()
    ann.email = "bob@x"
    conflict("email", twin(ann).save)
    assert twin(User).get("1").email == "ann@x"
    ann.email = "new@x"
    recorded(db).clear()
    assert twin(ann).save() is True
    assert recorded(db).operations() == ["TransactWriteItems"]
    bob.email = "ann@x"
    twin(bob).save()
    ann.email = None
    twin(ann).save()
    ann.visits = 3
    recorded(db).clear()
    twin(ann).save()
    assert recorded(db).operations() == ["UpdateItem"]
    assert len(guards(db)) == 1
    check(db)


def test_save_when_another_writer_changed_the_value(db: dw.Database, twin: Twins) -> None:
    ann = User(id="1", email="a@x")
    twin(ann).insert()
    twin(User.key("1")).update(email="b@x")
    ann.email = "c@x"
    twin(ann).save()
    assert twin(User).get("1").email == "c@x"
    assert len(guards(db)) == 1
    check(db)


def test_put_replaces_and_frees(db: dw.Database, twin: Twins) -> None:
    ann = User(id="1", email="ann@x", nick="a")
    twin(ann).put()
    twin(ann).put()
    # Nothing is known of what this replaces.
    twin(User(id="1", email="new@x")).put()
    check(db)
    assert len(guards(db)) == 1
    conflict("email", lambda: twin(User(id="2", email="new@x")).put())
    # What was loaded is no longer so.
    ann.email = "newer@x"
    twin(ann).put()
    twin(User(id="2", email="new@x")).save()
    check(db)
    assert len(guards(db)) == 3


def test_put_of_what_did_not_change_is_one_put(db: dw.Database, twin: Twins) -> None:
    ann = User(id="1", email="ann@x")
    twin(ann).insert()
    recorded(db).clear()
    ann.visits = 1
    twin(ann).put()
    assert recorded(db).operations() == ["PutItem"]
    raw_update(db, ann, "SET #mail = :m", m={"S": "past us"})
    twin(ann).put()
    assert twin(User).get("1").email == "ann@x"


def test_update_by_instance_and_by_key(db: dw.Database, twin: Twins) -> None:
    ann = User(id="1", email="ann@x")
    twin(ann).insert()
    twin(User(id="2", email="bob@x")).insert()
    twin(ann).update(User.visits.add(2), email="ann@y")
    assert (ann.email, ann.visits) == ("ann@y", 2)
    key = User.key("1")
    assert twin(key).update(User.email.set("ann@z"), User.visits.add(1)).visits == 3
    conflict("email", lambda: twin(key).update(email="bob@x"))
    assert twin(User).get("1").email == "ann@z"
    recorded(db).clear()
    twin(key).update(User.visits.add(1))
    assert recorded(db).operations() == ["UpdateItem"]
    twin(key).update(User.email.set_if_not_exists("never"))
    assert twin(User).get("1").email == "ann@z"
    twin(key).update(User.email.remove())
    twin(key).update(User.email.set_if_not_exists("at last"), exactly_once=True)
    assert twin(User).get("1").email == "at last"
    with pytest.raises(dw.ItemNotFound):
        twin(User.key("none")).update(email="free")
    with pytest.raises(dw.ConditionFailed):
        twin(key).update(email="free", condition=User.visits == 1000)
    twin(User.key("3")).update(email="free", upsert=True)
    check(db)
    assert len(guards(db)) == 3


def test_delete_frees(db: dw.Database, twin: Twins) -> None:
    for delete in (
        lambda one: twin(one).delete(),
        lambda one: twin(User.key("1")).delete(),
        lambda one: twin(db.table(User)).delete(User(id="1")),
        lambda one: twin(one).delete(exactly_once=True, must_exist=True),
    ):
        ann = User(id="1", email="ann@x", nick="x")
        twin(ann).insert()
        delete(ann)
        assert guards(db) == []
        twin(ann).delete()
    with pytest.raises(dw.ItemNotFound):
        twin(User.key("1")).delete(must_exist=True)
    twin(User(id="2", email="ann@x")).insert()
    with pytest.raises(dw.ConditionFailed):
        twin(User.key("2")).delete(condition=User.visits == 7)
    check(db)


def test_delete_when_another_writer_changed_the_value(db: dw.Database, twin: Twins) -> None:
    ann = User(id="1", email="a@x")
    twin(ann).insert()
    twin(User.key("1")).update(email="b@x")
    twin(ann).delete()
    assert guards(db) == []


def test_scope_and_case(db: dw.Database, twin: Twins) -> None:
    twin(User(id="1", tenant="t", nick="Straße")).insert()
    twin(User(id="2", tenant="u", nick="Straße")).insert()
    twin(User(id="3", nick="Straße")).insert()
    error = conflict("nick", lambda: twin(User(id="4", tenant="t", nick="STRASSE")).insert())
    assert "within its scope" in error.message
    conflict("nick", lambda: twin(User(id="4", nick="straße")).insert())
    # The scope alone moves the guard.
    conflict("nick", lambda: twin(User.key("2")).update(tenant="t"))
    twin(User.key("2")).update(tenant="w")
    twin(User(id="4", tenant="u", nick="strasse")).insert()
    third = twin(User).get("3")
    third.nick, third.tenant = "STRASSE", "v"
    twin(third).save()
    third.nick = "strasse"
    recorded(db).clear()
    # The same guard as before.
    twin(third).save()
    assert [one.operation for one in recorded(db).sent] == ["UpdateItem"]
    check(db)


def test_numbers_binary_and_sort_keys(db: dw.Database, twin: Twins) -> None:
    first = Part(shelf=1, place=b"a", weight=Decimal("1.50"), seal=b"\x00\xff")
    twin(first).insert()
    error = conflict("weight", lambda: twin(Part(shelf=1, place=b"b", weight=Decimal("1.5"))).insert())
    assert error.key == {"shelf": {"N": "1"}, "place": {"B": "YQ=="}}
    conflict("seal", lambda: twin(Part(shelf=-5, place=b"b", seal=b"\x00\xff")).insert())
    twin(Part(shelf=2, place=b"b", weight=Decimal(15))).insert()
    first.seal = b"\x01"
    twin(first).save()
    assert first.v == 2
    twin(Part.key(1, b"a")).update(weight=Decimal(99), expected_version=2)
    with pytest.raises(dw.VersionConflict):
        twin(first).delete()
    twin(first).refresh()
    twin(first).delete()
    check(db, Part)
    assert len(guards(db, Part)) == 1
    for number in range(3):
        twin(Blob(id=b"\xff", number=number, name=f"n{number}")).insert()
    assert conflict("name", lambda: twin(Blob(id=b"x", number=1, name="n2")).insert()).key == {
        "id": {"B": "/w=="},
        "number": {"N": "2"},
    }
    check(db, Blob)
    assert {one[GUARD]["S"] for one in guards(db, Blob)} == {"blob names"}


def test_guards_are_hidden(db: dw.Database, twin: Twins) -> None:
    for number in range(4):
        twin(Part(shelf=number, place=b"p", weight=Decimal(number), seal=bytes([number]))).insert()
    table = db.table(Part)
    assert len(guards(db, Part)) == 8
    assert len(twin.items(Part.scan())) == 4
    assert len(twin.items(Part.scan(Part.weight > 1))) == 2
    assert len(twin.items(Part.scan().limit(3))) == 3
    assert len(twin.items(Part.scan().parallel(3))) == 4
    assert twin(Part.scan()).count() == 4
    assert len(twin.items(table.index("by_place").scan())) == 4
    assert len(twin.items(Part.by_place.query(b"p"))) == 4
    assert len(twin.items(Part.find(Part.weight < 3))) == 3
    assert twin(Part.find()).count() == 4
    page = twin(Part.scan()).page(size=3)
    rest = twin(Part.scan()).page(size=3, after=page.cursor)
    assert len(page) + len(rest) == 4
    for one in twin.items(Part.scan().project(Part.shelf, Part.weight)):
        assert one[0] == one[1]


def test_update_where_and_delete_where(db: dw.Database, twin: Twins) -> None:
    for number in range(4):
        twin(User(id=str(number), email=f"{number}@x", visits=number % 2)).insert()
    result = twin(User).update_where(User.visits == 1, email=None)
    assert (result.written, result.failed) == (2, 0)
    assert len(guards(db)) == 2
    result = twin(User).update_where(User.visits == 0, email="same@x")
    assert (result.written, result.skipped, result.failed) == (1, 0, 1)
    assert isinstance(result.failures[0][1], dw.UniqueConflict)
    check(db)
    result = twin(User).delete_where(User.id.exists())
    assert (result.matched, result.written) == (4, 4)
    assert raw(db, User, "Scan")["Items"] == []


# ---------------------------------------------------------------------- transactions


def test_transactions(db: dw.Database, twin: Twins) -> None:
    ann, bob = User(id="1", email="ann@x"), User(id="2", email="bob@x")

    def both(tx: dw.Transaction) -> None:
        tx.insert(ann)
        tx.put(bob)
        tx.put(User(id="3"))

    twin.within(db.transaction(), both)
    assert recorded(db).operations() == ["TransactWriteItems"]
    check(db)

    def swap(tx: dw.Transaction) -> None:
        ann.email, bob.email = "bob@x", "ann@x"
        tx.save(ann)
        tx.save(bob)

    twin.within(db.transaction(), swap)
    assert (twin(User).get("1").email, twin(User).get("2").email) == ("bob@x", "ann@x")
    check(db)

    def replace(tx: dw.Transaction) -> None:
        tx.delete(User.key("1"))
        tx.update(User.key("2"), email="bob@x")
        tx.insert(User(id="4", email="ann@x"))

    twin.within(db.transaction(), replace)
    assert (twin(User).get("2").email, twin(User).get("4").email) == ("bob@x", "ann@x")
    assert len(guards(db)) == 2
    check(db)


def test_conflict_in_a_transaction_is_the_reason_of_its_operation(db: dw.Database, twin: Twins) -> None:
    twin(User(id="1", email="ann@x")).insert()

    def body(tx: dw.Transaction) -> None:
        tx.insert(User(id="2", email="bob@x"))
        tx.insert(User(id="3", email="ann@x"))

    with pytest.raises(dw.TransactionCancelled) as caught:
        twin.within(db.transaction(), body)
    first, second = caught.value.reasons
    assert first is None
    assert isinstance(second, dw.UniqueConflict)
    assert (second.attribute, second.key) == ("email", {"id": {"S": "1"}})
    assert "operation 2 (Put of User): UniqueConflict" in caught.value.message
    assert twin(User).get("2") is None
    check(db)


def test_one_value_twice_in_a_transaction_is_refused_before_sending(db: dw.Database, twin: Twins) -> None:
    def body(tx: dw.Transaction) -> None:
        tx.insert(User(id="1", email="ann@x"))
        tx.insert(User(id="2", email="ann@x"))

    error = conflict("email", lambda: twin.within(db.transaction(), body))
    assert "two operations of this transaction" in error.message
    assert recorded(db).sent == []


def test_guards_count_as_operations(db: dw.Database, twin: Twins) -> None:
    def body(count: int) -> Callable[[dw.Transaction], None]:
        def insert(tx: dw.Transaction) -> None:
            for number in range(count):
                tx.insert(User(id=str(number), email=f"{number}@x", nick=str(number)))

        return insert

    with pytest.raises(dw.LimitExceeded, match="this one has 34, and 68 of unique values"):
        twin.within(db.transaction(), body(34))
    assert recorded(db).sent == []
    twin.within(db.transaction(), body(33))
    assert len(twin.items(User.scan())) == 33
    check(db)


def test_two_writes_of_one_item_are_refused(db: dw.Database, twin: Twins) -> None:
    def body(tx: dw.Transaction) -> None:
        tx.update(User.key("1"), email="x")
        tx.delete(User.key("1"))

    with pytest.raises(dw.ExpressionError, match="on one item"):
        twin.within(db.transaction(), body)


def test_lost_response_is_sent_again_with_its_token(db: dw.Database, twin: Twins) -> None:
    lost = dw.OutcomeUnknown("lost", operation="TransactWriteItems")
    recorded(db).answer("TransactWriteItems", LoseResponse(lost))
    with pytest.raises(dw.OutcomeUnknown), db.use():
        twin(User(id="1", email="ann@x")).insert()
    # The engine repeats what is idempotent; a transaction with a token is.
    (sent,) = recorded(db).sent
    assert sent.idempotent
    assert sent.body["ClientRequestToken"]
    check(db)


# ---------------------------------------------------------------------- races


def test_of_two_inserts_with_one_value_one_wins(db: dw.Database, twin: Twins) -> None:
    calls = [
        (lambda number=number: User(id=str(number), email="ann@x").ainsert())
        if twin.is_async
        else (lambda number=number: User(id=str(number), email="ann@x").insert())
        for number in range(4)
    ]
    outcomes = at_once(twin, calls)
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType"] + ["UniqueConflict"] * 3
    assert len(twin.items(User.scan())) == 1
    check(db)


def test_value_that_another_takes_meanwhile(db: dw.Database, twin: Twins) -> None:
    ann = User(id="1", email="a@x")
    twin(ann).insert()

    def meanwhile(body: dict[str, Any]) -> None:
        engine.forget_answers()
        twin(User(id="2", email="b@x")).insert()

    engine = recorded(db)
    engine.answer("TransactWriteItems", meanwhile if not twin.is_async else _sync_insert)
    ann.email = "b@x"
    conflict("email", twin(ann).save)
    assert twin(User).get("1").email == "a@x"
    check(db)


def _sync_insert(body: dict[str, Any]) -> None:
    recorded(dw.database._bound.get()).forget_answers()  # type: ignore[arg-type]
    User(id="2", email="b@x").insert()


# ---------------------------------------------------------------------- other writers


def test_value_of_an_item_deleted_by_other_means_is_free(db: dw.Database, twin: Twins) -> None:
    for number in (1, 2):
        twin(User(id=str(number), email=f"{number}@x", nick=str(number))).insert()
    raw(db, User, "DeleteItem", Key={"id": {"S": "1"}})
    raw_update(db, User(id="2"), "SET #mail = :m REMOVE #nick", m={"S": "else"})
    twin(User(id="3", email="1@x", nick="1")).insert()
    twin(User(id="4", email="2@x", nick="2")).insert()
    assert len(guards(db)) == 4
    assert {one[OWNER]["M"]["id"]["S"] for one in guards(db)} == {"3", "4"}


def test_items_from_before_the_attribute_was_unique(db: dw.Database, twin: Twins) -> None:
    for number, mail in enumerate(["a", "b", "b", "c"]):
        raw(db, User, "PutItem", Item={"id": {"S": str(number)}, "mail": {"S": mail}})
    # Without guard they can be changed and deleted.
    twin(User.key("3")).delete()
    twin(User.key("0")).update(email="z")
    # A duplicate lets go of a value that has the guard of another.
    (duplicate,) = twin(db.table(User)).rebuild_unique().duplicates
    second = twin(User).get(*duplicate.other)
    second.email = "own"
    twin(second).save()
    check(db)
    assert len(guards(db)) == 3


def test_rebuild(db: dw.Database, twin: Twins) -> None:
    items = [{"id": {"S": str(number)}, "mail": {"S": f"{number // 2}"}} for number in range(6)]
    items += [{"id": {"S": "n"}}, {"id": {"S": "null"}, "mail": {"NULL": True}}]
    for item in items:
        raw(db, User, "PutItem", Item=item)
    twin(User(id="gone", email="gone@x", nick="gone")).insert()
    raw(db, User, "DeleteItem", Key={"id": {"S": "gone"}})
    twin(User(id="changed", email="before@x")).insert()
    raw_update(db, User(id="changed"), "SET #mail = :m", m={"S": "after@x"})
    seen: list[int] = []

    dry = twin(User).rebuild_unique(dry_run=True)
    assert (dry.items, dry.guards, dry.added, dry.removed) == (9, 3, 7, 3)
    report = twin(User).rebuild_unique(progress=seen.append, segments=2)
    assert (report.items, report.added, report.removed, report.changed) == (9, 4, 3, 0)
    assert sum(seen) == report.items + report.guards
    assert len(report.duplicates) == 3
    for one in report.duplicates:
        assert one.attribute == "email"
        assert int(one.key[0]) // 2 == int(one.other[0]) // 2
        assert one.key != one.other
    assert "4 guards missing, 3 without item, 3 duplicates" in repr(report)
    again = twin(User).rebuild_unique()
    assert (again.added, again.removed, len(again.duplicates)) == (0, 0, 3)
    for one in report.duplicates:
        twin(User.key(*one.other)).delete()
    check(db)
    conflict("email", lambda: twin(User(id="new", email="after@x")).insert())
    twin(User(id="new", email="before@x")).insert()


def test_rebuild_leaves_to_others_what_they_change_meanwhile(db: dw.Database, twin: Twins) -> None:
    raw(db, User, "PutItem", Item={"id": {"S": "1"}, "mail": {"S": "old"}})
    engine = recorded(db)

    def meanwhile(_: dict[str, Any]) -> None:
        engine.forget_answers()
        raw(db, User, "PutItem", Item={"id": {"S": "1"}, "mail": {"S": "new"}})

    engine.answer("TransactWriteItems", meanwhile)
    report = twin(User).rebuild_unique()
    assert (report.added, report.changed) == (0, 1)
    assert stored_item(db, User(id="1")) == {"id": {"S": "1"}, "mail": {"S": "new"}}


class Seat(Model, table="seats", hide_expired=True):
    id: Attr[str] = partition_key()
    code: Attr[str] = attr(default="", unique=True)
    expires: Attr[int | None] = ttl(default=None)


def test_insert_over_an_expired_item_frees_its_values(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Seat)
    twin(Seat(id="1", code="a", expires=1)).insert()
    twin(Seat(id="1", code="b")).insert()
    with pytest.raises(dw.ItemExists):
        twin(Seat(id="1", code="c")).insert()
    twin(Seat(id="2", code="a")).insert()
    assert len(guards(db, Seat)) == 2
    check(db, Seat)


class Device(Model, table="devices"):
    id: Attr[Decimal] = partition_key()
    serial: Attr[UUID | None] = attr(default=None, unique=True)
    since: Attr[datetime | None] = attr(default=None, unique=Unique("serial"))


def test_values_that_others_write_as_another_text(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Device)
    serial = uuid4()
    item = {"id": {"N": "1.50"}, "serial": {"S": str(serial).upper()}, "since": {"S": "2026-01-02T00:00:00Z"}}
    raw(db, Device, "PutItem", Item=item)
    assert twin(Device).rebuild_unique().added == 2
    assert twin(Device).rebuild_unique().added == 0
    conflict("serial", lambda: twin(Device(id=Decimal(2), serial=serial)).insert())
    device = twin(Device).get(Decimal("1.5"))
    device.since = None
    twin(device).save()
    assert len(guards(db, Device)) == 1
    twin(device).delete()
    assert guards(db, Device) == []


class Staff(Model, table="people"):
    id: Attr[str] = partition_key()
    mail: Attr[str | None] = attr(default=None, unique=Unique(name="mail"))


class Guest(Model, table="people"):
    id: Attr[str] = partition_key()
    contact: Attr[str | None] = attr(default=None, unique=Unique(name="mail"))


def test_classes_that_share_values_under_a_name(db: dw.Database, twin: Twins) -> None:
    """Whatever their attributes are called, in a table of theirs or in a single one."""
    house = dw.SingleTable("house")

    class Room(Model, table=house, pk="ROOM#{id}", sk="ROOM"):
        id: Attr[str]
        title: Attr[str | None] = attr(default=None, unique=Unique(name="title"))

    class Door(Model, table=house, pk="DOOR#{id}", sk="DOOR"):
        id: Attr[str]
        label: Attr[str | None] = attr(default=None, unique=Unique(name="title"))

    classes: list[tuple[Any, str, Any, str]] = [(Staff, "mail", Guest, "contact"), (Room, "title", Door, "label")]
    for one, own, other, others in classes:
        with case(one.__name__):
            db.create_tables(one)
            twin(one(id="1", **{own: "x"})).insert()
            twin(other(id="2", **{others: "y"})).insert()
            for taken in (other(id="3", **{others: "x"}), one(id="3", **{own: "y"})):
                with pytest.raises(dw.UniqueConflict):
                    twin(taken).insert()
            for cls in (one, other):
                report = twin(cls).rebuild_unique()
                assert (report.added, report.removed, report.duplicates) == (0, 0, [])
            twin(one.key("1")).update(**{own: None})
            twin(other(id="3", **{others: "x"})).insert()
            twin(other.key("2")).delete()
            twin(one(id="4", **{own: "y"})).insert()
