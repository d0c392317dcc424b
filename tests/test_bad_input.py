"""Bad input: the right error, nothing sent, nothing changed. On every engine, in both forms."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key, sort_key
from tests.support.databases import Twins, case, db, recorded, stored_item, twin, url

__all__ = ["db", "twin", "url"]


class Inner(msgspec.Struct):
    """A map inside."""

    number: int
    below: list[Any] = []


class Thing(Model, table="things"):
    """Something of everything that can be wrong."""

    id: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    text: Attr[str] = attr(default="")
    number: Attr[int] = attr(default=0)
    real: Attr[float] = attr(default=0.0)
    exact: Attr[Decimal] = attr(default=Decimal(0))
    names: Attr[set[str] | None] = attr(default=None)
    numbers: Attr[list[int]] = attr(default_factory=list)
    inner: Attr[Inner | None] = attr(default=None)
    any: Attr[Any] = attr(default=None)


class Nowhere(Model, table="nowhere"):
    """A class whose table does not exist."""

    id: Attr[str] = partition_key()


@pytest.fixture
def stored(db: dw.Database, twin: Twins) -> Thing:
    """An item that was read."""
    db.create_tables(Thing)
    Thing(id="a", at=1, text="before").put()
    found = Thing.get_one("a", 1)
    recorded(db).clear()
    return found


def nested(levels: int) -> Any:
    """A list inside a list inside a list."""
    value: Any = "x"
    for _ in range(levels):
        value = [value]
    return value


VALUES: list[tuple[str, Any, str]] = [
    ("text", 5, "text"),
    ("text", None, "text"),
    ("text", b"x", "text"),
    ("number", "5", "number"),
    ("number", 5.5, "number"),
    ("number", True, "number"),
    ("number", 10**38 + 1, "number"),
    ("number", 10**126, "number"),
    ("real", float("nan"), "real"),
    ("real", float("inf"), "real"),
    ("real", -float("inf"), "real"),
    ("real", 1e127, "real"),
    ("real", 1e-131, "real"),
    ("real", "1.5", "real"),
    ("exact", Decimal("NaN"), "exact"),
    ("exact", Decimal("Infinity"), "exact"),
    ("exact", Decimal("1." + "1" * 38), "exact"),
    ("exact", Decimal(10**38 + 1), "exact"),
    ("exact", Decimal("1E+126"), "exact"),
    ("exact", Decimal("1E-131"), "exact"),
    ("exact", 1.5, "exact"),
    ("names", {1}, "names{}"),
    ("names", ["x"], "names"),
    ("names", set(), "names"),
    ("numbers", [1, "2"], "numbers[1]"),
    ("numbers", (1,), "numbers"),
    ("numbers", [1, None], "numbers[1]"),
    ("inner", {"number": 1}, "inner"),
    ("inner", Inner("x"), "inner.number"),  # type: ignore[arg-type]
    ("any", object(), "any"),
    ("any", {"a": [float("nan")]}, "any"),
    ("any", {1: "x"}, "any"),
    ("any", {"x", 1}, "any"),
    ("any", {"a": set()}, "any"),
    ("any", Decimal("1." + "1" * 38), "any"),
    ("id", "", "id"),
    ("id", "x" * 2049, "id"),
    ("id", 5, "id"),
    ("id", None, "id"),
    ("at", "1", "at"),
    ("at", 10**39 + 1, "at"),
]


def refused(
    db: dw.Database, stored: Thing, kind: type[Exception] | tuple[type[Exception], ...], calls: list[Callable[[], Any]]
) -> list[Exception]:
    """Each call raises this error, sends nothing, and leaves what is stored and what was loaded as it was."""
    before = stored_item(db, Thing(id="a", at=1))
    values = stored.to_dict()
    found: list[Exception] = []
    for call in calls:
        with pytest.raises(kind) as caught:
            call()
        found.append(caught.value)
        assert isinstance(caught.value, dw.DynawireError)
        assert recorded(db).sent == []
    assert stored_item(db, Thing(id="a", at=1)) == before
    assert {name: repr(one) for name, one in stored.to_dict().items()} == {n: repr(one) for n, one in values.items()}
    return found


def test_values_that_do_not_fit(db: dw.Database, twin: Twins, stored: Thing) -> None:
    for name, value, path in VALUES:
        with case(name, value):
            check_value(db, twin, stored, name, value, path)


def check_value(db: dw.Database, twin: Twins, stored: Thing, name: str, value: Any, path: str) -> None:
    wrong = Thing.get_one("a", 1)
    setattr(wrong, name, value)
    recorded(db).clear()
    writes: list[Callable[[], Any]] = [
        lambda: twin(wrong).put(),
        lambda: twin(wrong).put(return_old=True),
        lambda: twin(wrong).insert(),
        lambda: twin(wrong).save(),
        lambda: twin(wrong).put(exactly_once=True),
        lambda: twin(Thing).put_many([wrong]),
        lambda: twin.within(db.transaction(), lambda tx: tx.insert(wrong)),
        lambda: twin.within(db.transaction(), lambda tx: tx.save(wrong)),
        lambda: Thing.params.put(wrong),
    ]
    errors = refused(db, stored, dw.ValidationError, writes)
    for error in errors:
        assert isinstance(error, dw.ValidationError)
        assert error.model == "Thing"
        assert error.attribute == path
        assert f"Thing.{path}" in error.message
        assert isinstance(value, (int, float, str)) or value is None or repr(value) not in error.message
    # The value stays where it was put, so that the program can look at it.
    assert repr(getattr(wrong, name)) == repr(value)


def test_values_of_updates_and_conditions(db: dw.Database, twin: Twins, stored: Thing) -> None:
    for name, value, _ in VALUES:
        if name not in ("id", "at"):
            with case(name, value):
                check_update(db, twin, stored, name, value)


def check_update(db: dw.Database, twin: Twins, stored: Thing, name: str, value: Any) -> None:
    key = Thing.key("a", 1)
    calls: list[Callable[[], Any]] = []
    if value is not None or name != "text":
        calls.append(lambda: twin(Thing.query("a").where(getattr(Thing, name) == value)).all())
    calls += [
        lambda: twin(key).update(**{name: value}),
        lambda: twin(stored).update(getattr(Thing, name).set(value)),
        lambda: twin.within(db.transaction(), lambda tx: tx.update(key, **{name: value})),
    ]
    refused(db, stored, (dw.ValidationError, dw.ExpressionError), calls)


KEYS: list[Any] = [
    ("", 1),
    ("x" * 2049, 1),
    (5, 1),
    (None, 1),
    ("a", "1"),
    ("a", None),
    ("a", 1.5),
    ("a", 10**39 + 1),
    ("a",),
    (),
    (["a"], 1),
]


def test_keys_that_cannot_be(db: dw.Database, twin: Twins, stored: Thing) -> None:
    for key in KEYS:
        with case(key):
            check_key(db, twin, stored, key)


def check_key(db: dw.Database, twin: Twins, stored: Thing, key: tuple[Any, ...]) -> None:
    table = db.table(Thing)
    calls: list[Callable[[], Any]] = [
        lambda: twin(table).get(*key),
        lambda: twin(table).get_one(*key),
        lambda: twin(table).exists(*key),
        lambda: twin(table.key(*key)).update(text="x"),
        lambda: twin(table).delete(key),
        lambda: twin(table).get_many([("a", 1), key]),
        lambda: twin(table).delete_many([key]),
        lambda: twin.within(db.transaction(), lambda tx: tx.delete(table.key(*key))),
        lambda: twin(db).transact_get(table.key(*key)),
    ]
    if len(key) == 2:
        calls += [
            lambda: twin(Thing).get(*key),
            lambda: twin(Thing.key(*key)).delete(),
            lambda: twin(Thing).get(id=key[0], at=key[1]),
            lambda: twin(Thing.query(*key)).all(),
        ]
    refused(db, stored, (dw.ValidationError, dw.ExpressionError), calls)


def test_names_that_are_no_key(db: dw.Database, twin: Twins, stored: Thing) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: twin(Thing).get(idd="a", at=1),
        lambda: twin(Thing).get("a", id="a"),
        lambda: twin(Thing).get(id="a"),
        lambda: Thing.key("a", att=1),
        lambda: twin(db.table(Thing)).get("a", 1, 2),
        lambda: twin(Thing).get("a", 1, 2),
    ]
    errors = refused(db, stored, dw.ValidationError, calls)
    assert "did you mean 'id'" in str(errors[0])
    assert "given twice" in str(errors[1])
    with pytest.raises(dw.ValidationError, match="did you mean 'consistent'"):
        Thing.get("a", 1, consistant=True)
    assert "(id, at)" in str(errors[2])


def test_an_item_of_401_kb(db: dw.Database, twin: Twins, stored: Thing) -> None:
    big = Thing(id="big", at=1, text="x" * 401 * 1024)
    calls: list[Callable[[], Any]] = [
        lambda: twin(big).put(),
        lambda: twin(big).insert(),
        lambda: twin(Thing).put_many([big]),
        lambda: twin.within(db.transaction(), lambda tx: tx.put(big)),
    ]
    errors = refused(db, stored, dw.LimitExceeded, calls)
    assert all("409,600" in str(error) for error in errors)
    loaded = Thing.get_one("a", 1)
    loaded.text = big.text
    recorded(db).clear()
    refused(db, stored, dw.LimitExceeded, [lambda: twin(loaded).save()])
    # As much as DynamoDB takes is taken: names and the other attributes count.
    rest = len("id" + "big" + "at" + "text" + "number" + "real" + "exact" + "numbers") + 2 + 1 + 1 + 1 + 3
    big.any = None
    fits = Thing(id="big", at=1, text="x" * (409_600 - rest - len("any") - 1))
    twin(fits).put()
    assert twin(Thing).exists("big", 1)
    fits.text += "x"
    recorded(db).clear()
    refused(db, stored, dw.LimitExceeded, [lambda: twin(fits).put()])


@pytest.mark.parametrize("levels", [32, 40, 300, 100_000])
def test_nesting_beyond_31(db: dw.Database, twin: Twins, stored: Thing, levels: int) -> None:
    deep = Thing(id="deep", at=1, any=nested(levels))
    calls: list[Callable[[], Any]] = [
        lambda: twin(deep).put(),
        lambda: twin(deep).insert(),
        lambda: twin(Thing).put_many([deep]),
        lambda: twin.within(db.transaction(), lambda tx: tx.put(deep)),
    ]
    errors = refused(db, stored, dw.LimitExceeded, calls)
    assert all("31 levels" in str(error) and "Thing.any" in str(error) for error in errors)
    # Not with repr(): that alone is too deep for Python.
    deep.any = None


def test_nesting_of_31_levels_is_taken(db: dw.Database, twin: Twins, stored: Thing) -> None:
    deep = Thing(id="deep", at=1, any=nested(31))
    twin(deep).put()
    assert twin(Thing).get("deep", 1) == deep


def test_an_unknown_table(db: dw.Database, twin: Twins) -> None:
    item = Nowhere(id="x")
    calls: list[Callable[[], Any]] = [
        lambda: twin(item).put(),
        lambda: twin(item).insert(),
        lambda: twin(Nowhere).get("x"),
        lambda: twin(Nowhere.key("x")).delete(),
        lambda: twin(Nowhere.query("x")).all(),
        lambda: twin.items(Nowhere.scan()),
        lambda: twin(Nowhere).put_many([item]),
        lambda: twin(Nowhere).get_many(["x"]),
        lambda: twin.within(db.transaction(), lambda tx: tx.put(item)),
        lambda: twin(db).describe_table(Nowhere),
        lambda: twin(db.table(Nowhere)).update_definition(),
    ]
    for call in calls:
        with pytest.raises(dw.TableNotFound) as caught:
            call()
        assert caught.value.code == "ResourceNotFoundException"
    assert getattr(item, "_loaded", None) is None


def test_a_second_insert(db: dw.Database, twin: Twins, stored: Thing) -> None:
    second = Thing(id="a", at=1, text="second")
    for options in ({}, {"exactly_once": True}, {"condition": Thing.text == "before"}):
        with pytest.raises(dw.ItemExists) as caught:
            twin(second).insert(**options)
        assert caught.value.item == stored
        assert "before" not in caught.value.message
    with pytest.raises(dw.TransactionCancelled):
        twin.within(db.transaction(), lambda tx: tx.insert(second))
    assert twin(Thing).get("a", 1).text == "before"


def test_a_cursor_from_another_query(db: dw.Database, twin: Twins, stored: Thing) -> None:
    twin(Thing).put_many([Thing(id="a", at=number) for number in range(5)])
    cursor = twin(Thing.query("a")).page(size=2).cursor
    recorded(db).clear()
    calls: list[Callable[[], Any]] = [
        lambda: twin(Thing.query("b")).page(after=cursor),
        lambda: twin(Thing.scan()).page(after=cursor),
        lambda: twin(Thing.query("a")).page(after="garbage"),
    ]
    for call in calls:
        with pytest.raises(dw.ExpressionError):
            call()
    assert recorded(db).sent == []


def test_what_is_no_item(db: dw.Database, twin: Twins, stored: Thing) -> None:
    for wrong in (5, "x", None, {"id": "a", "at": 1}, Nowhere(id="x"), Thing):
        with case(wrong):
            check_item(db, twin, stored, wrong)


def check_item(db: dw.Database, twin: Twins, stored: Thing, wrong: Any) -> None:
    table = db.table(Thing)
    calls: list[Callable[[], Any]] = [
        lambda: twin(table).put(wrong),
        lambda: twin(table).insert(wrong),
        lambda: twin(table).save(wrong),
        lambda: twin(table).refresh(wrong),
        lambda: twin(table).update(wrong, text="x"),
        lambda: twin(table).delete(wrong),
        lambda: twin(table).put_many([wrong]),
        lambda: twin(table).delete_many([wrong]),
        lambda: twin(table).get_many([wrong]),
    ]
    refused(db, stored, dw.ValidationError, calls)


# ---------------------------------------------------------------------- places that cannot be used


def every_call(twin: Twins, database: dw.Database) -> list[Callable[[], Any]]:
    table = database.table(Thing)
    item = Thing(id="x", at=1)
    return [
        lambda: twin(database).create_tables(Thing),
        lambda: twin(table).get("x", 1),
        lambda: twin(table).put(item),
        lambda: twin(table).insert(item),
        lambda: twin(table).update(item, Thing.number.add(1)),
        lambda: twin(table).put_many([item]),
        lambda: twin.items(table.scan()),
        lambda: twin.within(database.transaction(), lambda tx: tx.put(item)),
    ]


def test_an_unreachable_host(twin: Twins) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        database = dw.connect(f"http://127.0.0.1:{port}", max_attempts=1)
        for call in every_call(twin, database):
            with pytest.raises(dw.ConnectionFailed) as caught:
                call()
            assert caught.value.endpoint == f"http://127.0.0.1:{port}"
    twin.run(database.aclose()) if twin.is_async else database.close()


def test_a_host_that_does_not_exist(twin: Twins) -> None:
    database = dw.connect("http://nowhere.invalid:8000", max_attempts=1)
    with pytest.raises(dw.ConnectionFailed, match=r"nowhere\.invalid"):
        twin(database.table(Thing)).get("x", 1)
    twin.run(database.aclose()) if twin.is_async else database.close()


def written_file(path: Path) -> None:
    with dw.connect(f"sqlite:///{path}") as database:
        database.create_tables(Thing)
        database.table(Thing).put_many([Thing(id="x", at=number, text="y" * 1000) for number in range(200)])


@pytest.mark.parametrize("keep", [0.5, 10_000, 100])
def test_a_truncated_database_file(tmp_path: Path, twin: Twins, keep: float) -> None:
    path = tmp_path / "app.db"
    written_file(path)
    size = path.stat().st_size
    os.truncate(path, int(size * keep) if keep < 1 else int(keep))
    content = path.read_bytes()
    database = dw.connect(f"sqlite:///{path}")
    errors: list[dw.DynawireError] = []
    for call in every_call(twin, database)[1:]:
        try:
            call()
        except dw.DynawireError as error:
            errors.append(error)
    assert errors
    assert all(type(error) is dw.ConnectionFailed and str(path) in error.message for error in errors), errors
    twin.run(database.aclose()) if twin.is_async else database.close()
    if len(errors) == 7:
        assert path.read_bytes() == content


@pytest.mark.parametrize("content", [b"not a database at all, but text", b"\x00" * 5000])
def test_a_file_that_is_no_database(tmp_path: Path, twin: Twins, content: bytes) -> None:
    path = tmp_path / "app.db"
    path.write_bytes(content)
    database = dw.connect(f"sqlite:///{path}")
    for call in every_call(twin, database):
        with pytest.raises(dw.ConnectionFailed, match=r"app\.db"):
            call()
    twin.run(database.aclose()) if twin.is_async else database.close()
    assert path.read_bytes() == content


def test_a_directory_that_does_not_exist(tmp_path: Path, twin: Twins) -> None:
    database = dw.connect(f"sqlite:///{tmp_path}/nothing/app.db")
    for call in every_call(twin, database):
        with pytest.raises(dw.ConnectionFailed, match="nothing"):
            call()
    twin.run(database.aclose()) if twin.is_async else database.close()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A directory in which no file can be made."""
    if os.geteuid() == 0:
        # Root may write anywhere but here.
        yield Path("/proc")
        return
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    yield folder
    folder.chmod(stat.S_IRWXU)


def test_a_read_only_directory(read_only: Path, twin: Twins) -> None:
    database = dw.connect(f"sqlite:///{read_only}/app.db")
    for call in every_call(twin, database):
        with pytest.raises(dw.ConnectionFailed, match=r"app\.db"):
            call()
    twin.run(database.aclose()) if twin.is_async else database.close()
    assert not (read_only / "app.db").exists()


def test_a_directory_instead_of_a_file(tmp_path: Path, twin: Twins) -> None:
    database = dw.connect(f"sqlite:///{tmp_path}")
    with pytest.raises(dw.ConnectionFailed):
        twin(database.table(Thing)).get("x", 1)
    twin.run(database.aclose()) if twin.is_async else database.close()
