"""Rewriting a whole table: every item once, none lost, whatever happens meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dynawire as dw
from dynawire.errors import service_error
from dynawire.operations.batch import MAX_STALLED_ROUNDS
from tests.migrations.books import KEY, V1, V2, V3, Account, Book, Film, put_raw, stored
from tests.support.databases import Twins, connected, raw, raw_update, recorded
from tests.support.recording import LoseResponse

THROTTLED = service_error("ProvisionedThroughputExceededException", "slow down")


def fill(db: dw.Database, twin: Twins, items: int = 40) -> None:
    """A third of each version, by number."""
    twin(db).create_tables(Book)
    for number in range(items):
        put_raw(db, Book, {**(V1, V2, V3)[number % 3], "shelf": {"S": f"{number}"}, "isbn": {"S": "1"}})


def everything(db: dw.Database) -> list[dict[str, Any]]:
    """The items of the table as they are stored, in order."""
    found: list[dict[str, Any]] = raw(db, Book, "Scan", ConsistentRead=True)["Items"]
    return sorted(found, key=lambda item: int(item["shelf"]["S"]))


def is_all_migrated(db: dw.Database, items: int = 40) -> bool:
    found = everything(db)
    return len(found) == items and all(item.get("format") == {"N": "3"} for item in found)


def test_a_whole_table(db: dw.Database, twin: Twins) -> None:
    fill(db, twin)
    seen: list[tuple[int, int]] = []
    dry = twin(Book).migrate_all(dry_run=True)
    assert (dry.scanned, dry.migrated, dry.current, dry.is_complete) == (40, 27, 13, False)
    assert not {"UpdateItem", "PutItem", "TransactWriteItems"} & set(recorded(db).operations())
    result = twin(Book).migrate_all(
        segments=3, page_size=5, progress=lambda so_far: seen.append((so_far.scanned, so_far.migrated))
    )
    assert (result.scanned, result.current, result.migrated, result.deleted) == (40, 13, 27, 0)
    assert (result.by_version, result.failures, result.segments_done) == ({1: 14, 2: 13, 3: 13}, [], 3)
    assert result.is_complete
    assert seen == sorted(seen)
    assert seen[-1] == (40, 27)
    assert result.read_units > 0
    assert result.write_units >= 27
    assert is_all_migrated(db)
    assert everything(db)[0] == {**V3, "shelf": {"S": "0"}, "tags": everything(db)[0]["tags"]}
    again = twin(db.table(Book)).migrate_all(segments=1)
    assert (again.migrated, again.current) == (0, 40)
    assert repr(again).startswith("<MigrationResult: 40 scanned, 0 migrated, 40 current")


def test_items_nobody_recognises_are_reported_and_stay(db: dw.Database, twin: Twins) -> None:
    fill(db, twin, 6)
    strange = {**KEY, "shelf": {"S": "100"}, "what": {"S": "x"}}
    broken = {**V1, "shelf": {"S": "101"}, "pages": {"S": "many"}}
    unfit = {**V1, "shelf": {"S": "102"}, "pages": {"S": "-5"}}  # ge=0
    for item in (strange, broken, unfit):
        put_raw(db, Book, item)
    result = twin(Book).migrate_all()
    found = {failure.key["shelf"]["S"]: failure for failure in result.failures}
    assert found.keys() == {"100", "101", "102"}
    assert "none of its checks recognises" in found["100"].reason
    assert "migrate_to_2 raised ValueError" in found["101"].reason
    assert "Book.pages" in found["102"].reason
    assert [found[one].version for one in ("100", "101", "102")] == [None, 1, 1]
    assert (result.migrated, result.is_complete) == (4, False)
    assert [item for item in everything(db) if int(item["shelf"]["S"]) >= 100] == [
        item | ({"tags": everything(db)[-1]["tags"]} if "tags" in item else {}) for item in (strange, broken, unfit)
    ]


def test_another_writer_wins_and_its_item_is_migrated_again(db: dw.Database, twin: Twins) -> None:
    fill(db, twin, 1)
    book = Book(shelf="0", isbn="1", title="?")

    def meanwhile(body: dict[str, Any]) -> None:
        raw_update(db, book, "SET #pages = :n", n={"S": "77"})

    recorded(db).answer("UpdateItem", meanwhile)
    result = twin(Book).migrate_all(segments=1)
    assert (result.migrated, result.failures, result.by_version) == (1, [], {1: 1})
    (item,) = everything(db)
    assert item["pages"] == {"N": "77"}
    assert recorded(db).operations()[-4:] == ["Scan", "UpdateItem", "GetItem", "UpdateItem"]


def test_an_item_migrated_or_deleted_by_somebody_else_meanwhile(db: dw.Database, twin: Twins) -> None:
    fill(db, twin, 2)
    for number, change in ((0, "PutItem"), (1, "DeleteItem")):
        key = {"shelf": {"S": f"{number}"}, "isbn": {"S": "1"}}
        extra = {"Item": {**V3, **key}} if change == "PutItem" else {"Key": key}

        def meanwhile(body: dict[str, Any], change: str = change, extra: Any = extra, key: Any = key) -> None:
            assert body["Key"] == key
            raw(db, Book, change, **extra)

        recorded(db).forget_answers()
        recorded(db).answer("UpdateItem", meanwhile)
        put_raw(db, Book, {**V1, **key})
        for other in {0, 1} - {number}:
            put_raw(db, Book, {**V3, "shelf": {"S": f"{other}"}, "isbn": {"S": "1"}})
        result = twin(Book).migrate_all(segments=1)
        assert (result.migrated, result.failures) == (0, [])
        assert (result.current, result.deleted) == ((2, 0) if change == "PutItem" else (1, 1))


def test_an_item_that_never_rests_is_reported(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    fill(db, twin, 1)
    pages = iter(range(1000))

    def meanwhile(body: dict[str, Any]) -> None:
        raw_update(db, Book(shelf="0", isbn="1", title="?"), "SET #pages = :n", n={"S": str(next(pages))})

    recorded(db).answer("UpdateItem", *[meanwhile] * 10)
    result = twin(Book).migrate_all(segments=1)
    assert [failure.reason for failure in result.failures] == [
        "other writers changed it 10 times while it was being migrated"
    ]
    assert result.failures[0].key == {"shelf": {"S": "0"}, "isbn": {"S": "1"}}


def test_a_lost_response_is_looked_into(db: dw.Database, twin: Twins) -> None:
    fill(db, twin, 1)
    recorded(db).answer("UpdateItem", LoseResponse(dw.OutcomeUnknown("lost", operation="UpdateItem")))
    result = twin(Book).migrate_all(segments=1)
    assert (result.migrated, result.current) == (1, 0)
    put_raw(db, Book, {**V1, "shelf": {"S": "0"}})
    recorded(db).answer("UpdateItem", dw.OutcomeUnknown("lost", operation="UpdateItem"))  # and not applied
    result = twin(Book).migrate_all(segments=1)
    assert (result.migrated, result.failures) == (1, [])
    assert is_all_migrated(db, 1)


def test_throttling_slows_it_down(db: dw.Database, twin: Twins, no_waiting: list[float]) -> None:
    fill(db, twin, 4)
    recorded(db).answer("Scan", THROTTLED)
    recorded(db).answer("UpdateItem", THROTTLED, THROTTLED)
    assert twin(Book).migrate_all(segments=1).migrated == 3
    assert len(no_waiting) >= 2
    put_raw(db, Book, {**V1, "shelf": {"S": "0"}})
    recorded(db).answer("UpdateItem", *[THROTTLED] * (MAX_STALLED_ROUNDS + 1))
    with pytest.raises(dw.Throttled) as error:
        twin(Book).migrate_all(segments=1)
    assert any("it ended migrate_all() at <MigrationResult" in note for note in error.value.__notes__)
    recorded(db).forget_answers()
    assert twin(Book).migrate_all().migrated == 1


def test_rates_are_kept(twin: Twins, no_waiting: list[float]) -> None:
    db = connected("memory:")
    with db, db.use():
        fill(db, twin, 30)
        result = twin(Book).migrate_all(segments=1, page_size=10, write_units=2)
        assert is_all_migrated(db, 30)
        # The waits are not really waited, so each is counted from the beginning: the longest is that of the last.
        assert max(no_waiting) == pytest.approx(result.write_units / 2, rel=0.5)
        no_waiting.clear()
        result = twin(Book).migrate_all(segments=2, page_size=3, read_units=1)
        assert max(no_waiting) > result.read_units / 2
        with db.measure() as cost:
            twin(Book).migrate_all(segments=1)
        again = twin(Book).migrate_all(segments=1)
        assert (cost.requests, cost.read_units) == (1, again.read_units)


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("applied", [False, True])
def test_it_resumes_after_a_crash_at_any_request(applied: bool, twin: Twins, tmp_path: Path) -> None:
    db = connected("memory:")
    with db, db.use():
        twin(db).create_tables(Book)
        place = tmp_path / "progress.json"
        crash_at = 0
        while True:
            for number in range(9):
                put_raw(db, Book, {**(V1, V2, V3)[number % 3], "shelf": {"S": f"{number}"}, "isbn": {"S": "1"}})
            crashed = _crash(db, crash_at, applied)
            ended = True
            try:
                twin(Book).migrate_all(segments=2, page_size=2, checkpoint=place)
            except Killed:
                ended = False
            db.engine = crashed
            db.table(Book)._engine = crashed
            if ended:
                break
            resumed = place.exists()
            result = twin(Book).migrate_all(segments=2, page_size=2, checkpoint=place)
            assert (result.resumed, result.scanned, result.is_complete) == (resumed, 9, True)
            assert not place.exists()
            assert is_all_migrated(db, 9)
            crash_at += 1
        assert crash_at > 9
        assert not place.exists()


def _crash(db: dw.Database, at: int, applied: bool) -> Any:
    """Make the engine die at a request, before or after it is applied; the engine that was."""
    healthy = db.engine

    class Dying:
        remote = False
        count = 0

        def _is_last(self) -> bool:
            self.count += 1
            return self.count > at

        def send(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
            last = self._is_last()
            if last and not applied:
                raise Killed
            response = healthy.send(operation, body, idempotent)
            if last:
                raise Killed
            return response

        async def asend(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
            return self.send(operation, body, idempotent)

    dying: Any = Dying()
    db.engine = dying
    db.table(Book)._engine = dying
    return healthy


def test_a_checkpoint_may_be_kept_by_the_caller(db: dw.Database, twin: Twins) -> None:
    fill(db, twin)
    states: list[str] = []
    whole = twin(Book).migrate_all(
        segments=2, page_size=4, dry_run=True, checkpoint=lambda state: states.append(json.dumps(state))
    )
    assert len(states) > 3
    for state in states:
        resumed = twin(Book).migrate_all(dry_run=True, resume=json.loads(state))
        for name in ("scanned", "migrated", "current", "by_version", "segments_done", "segments"):
            assert getattr(resumed, name) == getattr(whole, name), name
    recorded(db).clear()
    twin(Book).migrate_all(dry_run=True, resume=json.loads(states[-1]))
    assert recorded(db).operations() == []


def test_failures_come_along(db: dw.Database, twin: Twins, tmp_path: Path) -> None:
    fill(db, twin, 8)
    put_raw(db, Book, {**KEY, "shelf": {"S": "100"}, "what": {"S": "x"}})
    states: list[dict[str, Any]] = []
    whole = twin(Book).migrate_all(segments=1, page_size=1, checkpoint=states.append)
    assert len(whole.failures) == 1
    for state in states:
        resumed = twin(Book).migrate_all(segments=1, resume=state)
        assert [failure.key for failure in resumed.failures] == [failure.key for failure in whole.failures]


def test_a_checkpoint_of_other_work_is_refused(twin: Twins, tmp_path: Path) -> None:
    db = connected("memory:")
    with db, db.use():
        fill(db, twin, 4)
        twin(db).create_tables(Film)
        states: list[dict[str, Any]] = []
        twin(Book).migrate_all(segments=1, dry_run=True, checkpoint=states.append)
        for model, changed, message in (
            (Film, {}, "its table is '.*books', not '.*films'"),
            (Book, {"model": "Other"}, "its model is 'Other', not 'Book'"),
            (Book, {"version": 9}, "its version is 9, not 3"),
            (Book, {"segments": 5}, r"no checkpoint of migrate_all\(\)"),
        ):
            with pytest.raises(dw.ExpressionError, match=message):
                twin(model).migrate_all(dry_run=True, resume=states[0] | changed)
        with pytest.raises(dw.ExpressionError, match="this checkpoint is of a dry run"):
            twin(Book).migrate_all(resume=states[0])
        torn = tmp_path / "torn.json"
        torn.write_text('{"table": ')
        with pytest.raises(dw.ExpressionError, match="holds no checkpoint"):
            twin(Book).migrate_all(checkpoint=torn)
        torn.write_text('{"table": 1}')
        with pytest.raises(dw.ExpressionError, match="no checkpoint of migrate_all"):
            twin(Book).migrate_all(checkpoint=str(torn))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"segments": 0}, "segments= takes a whole number, 1 to 256"),
        ({"segments": 257}, "segments= takes"),
        ({"page_size": 0}, "page_size= takes a whole number, 1 to 1,000"),
        ({"read_units": 0}, "read_units= is a number"),
        ({"write_units": -1.5}, "write_units= is a number"),
        ({"write_units": "5"}, "write_units= is a number"),
        ({"checkpoint": 5}, "checkpoint= takes the path"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with dw.connect("memory:") as db, db.use(), pytest.raises(dw.ExpressionError, match=message):
        db.table(Book).migrate_all(**arguments)


def test_a_class_without_migrations() -> None:
    class Plain(dw.Model, table="plain"):
        id: dw.Attr[str] = dw.partition_key()

    with dw.connect("memory:") as db, db.use(), pytest.raises(dw.SchemaError, match="Plain has no migrations; write"):
        Plain.migrate_all()


def test_a_missing_table_stops_it_at_once(twin: Twins) -> None:
    with connected("memory:") as db, db.use(), pytest.raises(dw.TableNotFound):
        twin(Book).migrate_all()


def test_versions_and_times_are_maintained(db: dw.Database, twin: Twins) -> None:
    twin(db).create_tables(Account)
    put_raw(db, Account, {"id": {"S": "1"}, "money": {"N": "5"}, "owner": {"S": "ann"}, "lock": {"N": "4"}})
    held = twin(Account).get("1")
    assert twin(Account).migrate_all().migrated == 1
    item = stored(db, Account, {"id": {"S": "1"}})
    assert item is not None
    assert (item["lock"], item["balance"], item["changed"]["S"][:4]) == ({"N": "5"}, {"N": "5"}, "2026")
    with pytest.raises(dw.VersionConflict):
        twin(held).save()


def test_a_table_that_may_not_be_scanned_is_migrated_when_asked(twin: Twins) -> None:
    db = connected("memory:", allow_scan=False)
    with db, db.use():
        fill(db, twin, 3)
        assert twin(Book).migrate_all().migrated == 2


def test_params_show_the_first_request() -> None:
    with dw.connect("memory:") as db, db.use():
        shown = db.table(Book).params.migrate_all(segments=2, page_size=7)
        assert shown == {
            "TableName": "books",
            "Limit": 7,
            "Segment": 0,
            "TotalSegments": 2,
            "ReturnConsumedCapacity": "TOTAL",
        }
