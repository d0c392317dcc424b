"""An instance is of the item it was loaded from: whatever its key is stored as, and whatever became of it meanwhile."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import marshmallow
import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key, sort_key
from dynawire.marshmallow import MarshmallowModel
from tests.support.databases import Twins, raw, recorded


class Mode(enum.Enum):
    """Knows its values in any case."""

    ON = "on"

    @classmethod
    def _missing_(cls, value: object) -> Mode | None:
        return cls.ON if isinstance(value, str) and value.lower() == "on" else None


def milliseconds(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


AsInJavaScript = Annotated[datetime, dw.Stored(milliseconds, datetime.fromisoformat)]
Lower = Annotated[str, dw.Stored(str.lower, str)]
INSTANT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def model(annotation: Any) -> type[Any]:
    """A class with a sort key of this type."""

    class Entry(Model, table="entries"):
        id: Attr[str] = partition_key()
        at: Attr[annotation] = sort_key()
        count: Attr[int] = attr(default=0)

    return Entry


OTHER_FORMS: list[tuple[Any, dict[str, str]]] = [
    (datetime, {"S": "2026-01-02T03:04:05Z"}),
    (datetime, {"S": "2026-01-02T03:04:05.000+00:00"}),
    (datetime, {"S": "2026-01-02T04:04:05+01:00"}),
    (Annotated[datetime, dw.NaiveDatetime], {"S": "2026-01-02T03:04:05.000"}),
    (time, {"S": "03:04"}),
    (UUID, {"S": "12345678-1234-5678-1234-5678ABCDEF00"}),
    (UUID, {"S": "123456781234567812345678abcdef00"}),
    (Mode, {"S": "ON"}),
    (Lower, {"S": "Mixed"}),
    (AsInJavaScript, {"S": "2026-01-02T03:04:05Z"}),
    (Annotated[Decimal, dw.Stored(round, Decimal, Decimal)], {"N": "1.5"}),
    (float, {"N": "0.10000000000000000000001"}),
    (int | float, {"N": "0.10000000000000000000001"}),
]


@pytest.mark.parametrize(("annotation", "stored"), OTHER_FORMS)
def test_a_key_in_another_form_is_not_read_as_that_of_another_item(
    db: dw.Database, twin: Twins, annotation: Any, stored: dict[str, str]
) -> None:
    entry = model(annotation)
    db.create_tables(entry)
    key = {"id": {"S": "x"}, "at": stored}
    raw(db, entry, "PutItem", Item=key)
    for read in (twin(entry.query("x")).all, twin(entry.scan()).first, twin(entry.find(count=None)).all):
        with pytest.raises(dw.DecodeError, match="in another form than it is written here") as caught:
            read()
        assert (caught.value.path, caught.value.key) == ("at", key)
        assert not any(text in caught.value.message for text in stored.values())
    misfits: list[dw.DecodeError] = []
    assert twin(entry.query("x").collect_misfits(misfits)).all() == []


ONE_FORM: list[tuple[Any, dict[str, str], Any]] = [
    (datetime, {"S": "2026-01-02T03:04:05+00:00"}, INSTANT),
    (date, {"S": "2026-01-02"}, date(2026, 1, 2)),
    (time, {"S": "03:04:00"}, time(3, 4)),
    (UUID, {"S": "12345678-1234-5678-1234-5678abcdef00"}, UUID("12345678-1234-5678-1234-5678abcdef00")),
    (Mode, {"S": "on"}, Mode.ON),
    (Lower, {"S": "mixed"}, "mixed"),
    (AsInJavaScript, {"S": "2026-01-02T03:04:05.000Z"}, INSTANT),
    (Annotated[datetime, dw.EpochSeconds], {"N": "1767323045"}, INSTANT),
    (timedelta, {"N": "1.50"}, timedelta(seconds=1.5)),
    (float, {"N": "2"}, 2.0),
    (float, {"N": "1E-5"}, 1e-5),
    (int, {"N": "7.0"}, 7),
    (Decimal, {"N": "1.50"}, Decimal("1.5")),
    (Annotated[int, dw.Stored(Decimal, int, Decimal)], {"N": "7.00"}, 7),
]


@pytest.mark.parametrize(("annotation", "stored", "value"), ONE_FORM)
def test_every_form_of_the_same_key_is_read_and_written(
    db: dw.Database, twin: Twins, annotation: Any, stored: dict[str, str], value: Any
) -> None:
    entry = model(annotation)
    db.create_tables(entry)
    raw(db, entry, "PutItem", Item={"id": {"S": "x"}, "at": stored})
    found = twin(entry.query("x")).one()
    assert found.at == value
    found.count = 1
    assert twin(found).save() is True
    assert twin(found).update(entry.count.add(1)).count == 2
    twin(found).refresh()
    twin(found).put()
    assert len(twin(entry.scan()).all()) == 1
    assert twin(entry).get("x", value) == found
    twin(found).delete(must_exist=True)


class Visit(MarshmallowModel, table="visits"):
    """Its schema reads times in any form."""

    class Schema(marshmallow.Schema):
        at = marshmallow.fields.AwareDateTime(required=True)

    at: Attr[datetime] = partition_key()


# ---------------------------------------------------------------------- a key that is changed


class Note(Model, table="notes"):
    """Something with a key of two parts."""

    id: Attr[str] = partition_key()
    at: Attr[datetime] = sort_key()
    count: Attr[int] = attr(default=0)


@dataclasses.dataclass
class Page:
    """A class of another library."""

    id: str
    count: int = 0


def refused_calls(db: dw.Database, twin: Twins, item: Any) -> list[Callable[[], Any]]:
    table = db.table(type(item)) if isinstance(item, Model) else db.table(Page, name="pages", partition_key="id")
    return [
        lambda: twin(table).update(item, count=5),
        lambda: twin(table).update(item, count=5, upsert=True),
        lambda: twin(table).delete(item),
        lambda: twin(table).refresh(item),
        lambda: twin(table).delete_many([item]),
        lambda: twin.within(db.transaction(), lambda tx: tx.update(item, count=5)),
        lambda: twin.within(db.transaction(), lambda tx: tx.delete(item)),
        lambda: table.params.delete(item),
        lambda: table.params.update(item, count=5),
    ]


def refused(db: dw.Database, twin: Twins, item: Any, name: str) -> None:
    values = item.to_dict() if isinstance(item, Model) else dataclasses.asdict(item)
    recorded(db).clear()
    calls = refused_calls(db, twin, item)[: None if isinstance(item, Model) else 5]
    for call in calls:
        with pytest.raises(dw.ValidationError, match="part of the key, and not as it was loaded") as caught:
            call()
        assert caught.value.attribute == name
        assert recorded(db).sent == []
    assert values == (item.to_dict() if isinstance(item, Model) else dataclasses.asdict(item))


def test_an_instance_whose_key_was_changed_is_of_no_other_item(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Note)
    other = Note(id="y", at=INSTANT)
    for loaded in (Note(id="x", at=INSTANT), None):
        if loaded is not None:
            twin(loaded).insert()
            twin(other).put()
        found = loaded or twin(Note).get("x", INSTANT)
        found.id = "y"
        refused(db, twin, found, "id")
        found.id, found.at = "x", INSTANT + timedelta(seconds=1)
        refused(db, twin, found, "at")
        # The same instant is the same key.
        found.at = INSTANT.astimezone(timezone(timedelta(hours=5)))
        twin(found).update(Note.count.add(1))
        twin(found).refresh()
    twin(found).delete(must_exist=True)
    assert twin(Note.scan()).all() == [other]
    # A copy under another key is a new item, which that instance is of from then on.
    other.id = "z"
    twin(other).insert()
    twin(other).delete(must_exist=True)
    assert [note.id for note in twin(Note.scan()).all()] == ["y"]


def test_what_can_be_no_key_is_refused_as_that(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Note)
    note = Note(id="x", at=INSTANT)
    twin(note).insert()
    for wrong in (5, "", None):
        note.id = wrong  # type: ignore[assignment]
        with pytest.raises(dw.ValidationError, match=r"^Note\.id (must be str|is empty)"):
            twin(note).delete()


def test_an_instance_that_changes_its_key_as_it_is_read(db: dw.Database, twin: Twins) -> None:
    class Tag(Model, table="tags"):
        name: Attr[str] = partition_key()

        def __post_init__(self) -> None:
            self.name = self.name.lower()

    db.create_tables(Tag)
    raw(db, Tag, "PutItem", Item={"name": {"S": "Hub"}})
    tag = twin(Tag.scan()).one()
    assert tag.name == "hub"
    with pytest.raises(dw.ValidationError, match=r"Tag\.name is part of the key, and not as it was loaded"):
        twin(tag).delete()


def test_the_same_of_classes_of_other_libraries(db: dw.Database, twin: Twins) -> None:
    table = db.table(Page, name="pages", partition_key="id")
    twin(table).create()
    twin(table).put(Page("x"))
    page = twin(table).get("x")
    page.id = "y"
    refused(db, twin, page, "id")


def test_the_same_of_keys_that_a_schema_loads(db: dw.Database, twin: Twins) -> None:
    db.create_tables(Visit)
    raw(db, Visit, "PutItem", Item={"at": {"S": "2026-01-02T03:04:05Z"}})
    with pytest.raises(dw.DecodeError, match="in another form than it is written here"):
        twin(Visit.scan()).all()
    twin(Visit(at=INSTANT)).insert()
    raw(db, Visit, "DeleteItem", Key={"at": {"S": "2026-01-02T03:04:05Z"}})
    visit = twin(Visit.scan()).one()
    visit.at += timedelta(seconds=1)
    with pytest.raises(dw.ValidationError, match="not as it was loaded"):
        twin(visit).delete()
