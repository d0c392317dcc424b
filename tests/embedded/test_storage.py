"""Database files: good ones, bad ones, places where none can be, full disks and locks held by others."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dynawire.engines.embedded import EmbeddedEngine
from dynawire.errors import ConnectionFailed, OutcomeUnknown
from tests.embedded.calls import Calls, index, key
from tests.embedded.test_engine import in_child, needs_fork


def failure(path: str, **options: Any) -> str:
    """How opening a file fails."""
    with Calls(path, **options) as calls, pytest.raises(ConnectionFailed) as caught:
        calls("ListTables")
    assert caught.value.endpoint == f"sqlite:///{path}"
    assert path in str(caught.value)
    return str(caught.value)


def filled(path: str) -> None:
    """A file with a few hundred items, its log written back."""
    with Calls(path, durable=False) as calls:
        calls.create(key="p:S s:N", more="g:S", indexes=[index("by_g", "g")])
        for number in range(300):
            calls("PutItem", TableName="things", Item={**key("a", number), "g": {"S": "g"}, "x": {"S": "x" * 500}})


def test_what_is_written_is_found_again(path: str) -> None:
    filled(path)
    with Calls(path) as calls:
        assert calls("ListTables") == {"TableNames": ["things"]}
        assert calls("Scan", TableName="things", Select="COUNT")["Count"] == 300
        assert calls("Scan", TableName="things", IndexName="by_g", Select="COUNT")["Count"] == 300
        calls("PutItem", TableName="things", Item=key("b", 1))
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    assert not os.path.exists(f"{path}-wal"), "the last to close writes the log back"


def test_an_empty_file_is_a_new_database(path: str) -> None:
    Path(path).touch()
    with Calls(path) as calls:
        assert calls("ListTables") == {"TableNames": []}


@pytest.mark.parametrize("content", [b"hello", b"hello" * 1000, b"\0" * 4096, b"PK\3\4" + b"x" * 9000])
def test_a_file_that_is_no_database(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    assert "is not a database; choose another file" in failure(path)
    assert Path(path).read_bytes() == content


def test_the_database_of_another_program(path: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (x)")
    connection.commit()
    connection.close()
    before = Path(path).read_bytes()
    assert "is an SQLite database of another program" in failure(path)
    assert Path(path).read_bytes() == before


def test_a_file_of_a_later_format(path: str) -> None:
    filled(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    assert "has format 2 and this version of dynawire reads format 1" in failure(path)


@pytest.mark.parametrize("kept", [50, 99, 512, 4096, 5000, 8192, 40_000, -1, -4096])
def test_a_file_that_was_cut_short(path: str, kept: int) -> None:
    filled(path)
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[:kept])
    message = failure(path)
    assert "is damaged or was cut short; restore it" in message or "is not a database" in message


def test_a_page_that_was_overwritten(path: str) -> None:
    filled(path)
    content = bytearray(Path(path).read_bytes())
    for page in range(6, 30):
        content[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    Path(path).write_bytes(content)
    with Calls(path) as calls, pytest.raises(ConnectionFailed, match="is damaged"):
        calls.items("Scan", TableName="things")


def test_what_is_stored_is_no_json(path: str) -> None:
    """Not told as the request's fault."""
    filled(path)
    connection = sqlite3.connect(path)
    (name,) = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 't_'").fetchone()
    connection.execute(f"UPDATE {name} SET item = x'7b226122'")
    connection.commit()
    connection.execute("UPDATE tables SET definition = x'7b' WHERE name = 'things'")
    with Calls(path) as calls:
        calls("ListTables")
        connection.commit()
        for operation, request in (
            ("GetItem", {"Key": key("a", 1), "ProjectionExpression": "x"}),
            ("UpdateItem", {"Key": key("a", 1), "UpdateExpression": "REMOVE x"}),
            (
                "Query",
                {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "a"}}, "Limit": 1},
            ),
        ):
            with pytest.raises(ConnectionFailed, match="is damaged"):
                calls(operation, request, TableName="things")
        calls.fails("SerializationException", "GetItem", TableName="things", Key=5)
    connection.close()
    assert "is damaged" in failure(path)


def test_an_old_sqlite(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 20, 0))
    for engine in (EmbeddedEngine(), EmbeddedEngine(path)):
        with pytest.raises(ConnectionFailed, match=r"needs SQLite 3\.24\.0 or later"):
            engine.send("ListTables", b"{}")


def test_a_transaction_that_an_interruption_left_open(calls: Calls) -> None:
    """What is written after it does not end with it."""
    calls.create()
    storage: Any = calls.engine._open().storage
    connection = storage._connection if storage.path is None else storage.take()
    connection.execute("BEGIN")
    connection.execute("UPDATE meta SET value = 77 WHERE name = 'next'")
    if storage.path is not None:
        storage.give(connection)
    calls("PutItem", TableName="things", Item=key("a"))
    assert not connection.in_transaction
    assert connection.execute("SELECT value FROM meta WHERE name = 'next'").fetchone()[0] < 77
    assert calls("GetItem", TableName="things", Key=key("a"))["Item"] == key("a")


def test_a_directory_that_does_not_exist(tmp_path: Path) -> None:
    message = failure(str(tmp_path / "none" / "test.db"))
    assert f"the directory {tmp_path / 'none'} does not exist; make it first" in message


def test_a_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert f"{tmp_path / 'file'} is not a directory" in failure(str(tmp_path / "file" / "test.db"))


def test_a_path_that_is_a_directory(tmp_path: Path) -> None:
    assert "is a directory; name a file in it" in failure(str(tmp_path))


def as_nobody(work: Callable[[], object]) -> str:
    """What a function returns, run without the rights of root."""

    def without_rights() -> object:
        if os.geteuid() == 0:
            os.setegid(65534)
            os.seteuid(65534)
        return work()

    return in_child(without_rights)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_read_only_directory(path: str) -> None:
    directory = Path(path).parent
    for parent in directory.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    filled(path)
    os.chmod(path, 0o666)
    directory.chmod(0o555)
    try:
        for name in ("test.db", "new.db"):
            told = as_nobody(lambda name=name: EmbeddedEngine(str(directory / name)).send("ListTables", b"{}"))  # type: ignore[misc]
            assert told.startswith("ConnectionFailed: "), told
            assert f"the directory {directory} is read-only" in told
    finally:
        directory.chmod(0o755)


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_file_without_the_right_to_write(path: str) -> None:
    directory = Path(path).parent
    for parent in directory.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
    filled(path)
    directory.chmod(0o777)
    os.chmod(path, 0o444)

    def write() -> object:
        with Calls(path) as calls:
            return calls("PutItem", TableName="things", Item=key("a", 1))

    told = as_nobody(write)
    assert told.startswith("ConnectionFailed: "), told
    assert "give this user the right to read and write it" in told


def test_a_file_that_another_program_keeps_locked(path: str) -> None:
    filled(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with Calls(path, lock_timeout=0.2) as calls:
        # Readers never wait.
        assert calls("GetItem", TableName="things", Key=key("a", 1))["Item"]["s"] == {"N": "1"}
        for operation, members in (("PutItem", {"Item": key("b", 1)}), ("DeleteItem", {"Key": key("a", 1)})):
            with pytest.raises(
                ConnectionFailed, match=r"locked by another process for 0\.2 seconds: nothing was applied"
            ):
                calls(operation, TableName="things", **members)
        other.execute("COMMIT")
        assert calls("PutItem", TableName="things", Item=key("b", 1)) == {}
        assert calls("Scan", TableName="things", Select="COUNT")["Count"] == 301
    other.close()


def test_a_file_that_another_program_locks_as_a_whole(path: str) -> None:
    filled(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE meta SET value = value")
    assert "was locked by another process" in failure(path, lock_timeout=0.1)
    other.execute("ROLLBACK")
    other.close()
    with Calls(path) as calls:
        assert calls("ListTables") == {"TableNames": ["things"]}


def limit_growth(calls: Calls) -> Callable[[], None]:
    """Let a file not grow any more, as on a full disk; what this returns ends that."""
    storage: Any = calls.engine._open().storage
    connection = storage.take()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    storage.give(connection)

    def end() -> None:
        connection = storage.take()
        connection.execute("PRAGMA max_page_count = 1073741823")
        storage.give(connection)

    return end


def test_a_full_disk(path: str) -> None:
    filled(path)
    big = {"x": {"S": "x" * 100_000}}
    with Calls(path) as calls:
        end = limit_growth(calls)
        requests: list[tuple[str, dict[str, Any]]] = [
            ("PutItem", {"TableName": "things", "Item": {**key("big", 1), "g": {"S": "g"}, **big}}),
            ("UpdateItem", {"TableName": "things", "Key": key("a", 1), "UpdateExpression": "SET x = :x",
                            "ExpressionAttributeValues": {":x": big["x"]}}),
            ("BatchWriteItem", {"RequestItems": {"things": [
                {"DeleteRequest": {"Key": key("a", 7)}}, {"PutRequest": {"Item": {**key("big", 2), **big}}}]}}),
            ("TransactWriteItems", {"TransactItems": [
                {"Delete": {"TableName": "things", "Key": key("a", 8)}},
                {"Put": {"TableName": "things", "Item": {**key("big", 3), **big}}}]}),
        ]  # fmt: skip
        for operation, request in requests:
            with pytest.raises(ConnectionFailed, match="the disk is full: nothing was applied; make room"):
                calls(operation, request)
        # Nothing of them is there, and the database goes on.
        assert calls("Scan", TableName="things", Select="COUNT")["Count"] == 300
        assert calls("Scan", TableName="things", IndexName="by_g", Select="COUNT")["Count"] == 300
        assert calls("GetItem", TableName="things", Key=key("a", 1))["Item"]["x"] == {"S": "x" * 500}
        end()
        assert calls(*requests[0]) == {}


RLIMIT = """
import resource, signal, sys
from tests.embedded.calls import Calls, key
calls = Calls(sys.argv[1])
calls.create(key="p:S s:N")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
done = 0
try:
    for number in range(100):
        calls("PutItem", TableName="things", Item={**key("a", number), "x": {"S": "x" * 5000}})
        done += 1
except Exception as error:
    print(type(error).__name__, error)
print(done, calls("Scan", TableName="things", Select="COUNT")["Count"])
"""


def test_a_file_that_may_not_grow(path: str) -> None:
    """The real thing: the system refuses to write."""
    import subprocess
    import sys

    told = subprocess.run([sys.executable, "-c", RLIMIT, path], capture_output=True, text=True, check=True)
    first, second = told.stdout.strip().splitlines()
    assert first.startswith("ConnectionFailed")
    assert "nothing was applied" in first
    done, found = second.split()
    assert int(done) == int(found) > 5
    with Calls(path) as calls:
        assert calls("Scan", TableName="things", Select="COUNT")["Count"] == int(done)


def test_a_commit_in_doubt_is_told_as_such(path: str) -> None:
    """The disk fails when all is written: SQLite cannot know what will be found."""

    class Failing:
        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            if sql == "COMMIT":
                error = sqlite3.OperationalError("disk I/O error")
                error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
                raise error
            return self._connection.execute(sql, *parameters)

    with Calls(path) as calls:
        calls.create()
        storage: Any = calls.engine._open().storage
        storage.give(Failing(storage.take()))
        with pytest.raises(OutcomeUnknown) as caught:
            calls("PutItem", TableName="things", Item=key("a"))
        assert caught.value.operation == "PutItem"
        assert caught.value.endpoint == f"sqlite:///{path}"


def test_durable_files_wait_for_the_disk(path: str) -> None:
    for durable, expected in ((True, 2), (False, 1)):
        with Calls(path, durable=durable) as calls:
            calls("ListTables")
            storage: Any = calls.engine._open().storage
            connection = storage.take()
            assert connection.execute("PRAGMA synchronous").fetchone()[0] == expected
            assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
            storage.give(connection)


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_file_that_is_gone_while_it_is_open(path: str, how: str) -> None:
    filled(path)
    with Calls(path) as calls:
        calls("PutItem", TableName="things", Item=key("before", 1))
        calls("ListTables")
        for name in (path, f"{path}-wal", f"{path}-shm"):
            Path(name).unlink(missing_ok=True)
        if how == "replaced":
            filled(path)
        # An acknowledged write would be found by nobody.
        for _ in range(2):
            with pytest.raises(ConnectionFailed, match=r"was deleted or replaced .*nothing was applied; connect"):
                calls("PutItem", TableName="things", Item=key("after", 1))
            with pytest.raises(ConnectionFailed, match="was deleted or replaced"):
                calls("TransactWriteItems", TransactItems=[{"Put": {"TableName": "things", "Item": key("after", 2)}}])
            with pytest.raises(ConnectionFailed, match="was deleted or replaced"):
                calls("DeleteTable", TableName="things")
    with Calls(path) as calls:
        assert calls("ListTables")["TableNames"] == ([] if how == "deleted" else ["things"])
        if how == "replaced":
            assert calls("Scan", TableName="things", Select="COUNT")["Count"] == 300
