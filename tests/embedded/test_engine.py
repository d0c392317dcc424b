"""The engine as a whole: bytes in and out, threads, event loops, forks, closing."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dynawire.engines.embedded import EmbeddedEngine
from dynawire.engines.protocol import Engine
from dynawire.errors import ConnectionFailed, LimitExceeded, ServiceError, TableNotFound
from tests.embedded.calls import Calls, key, table

ADD_ONE = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}


def test_it_is_an_engine() -> None:
    engine: Engine = EmbeddedEngine()
    assert engine.remote is False
    assert json.loads(engine.send("ListTables", b"{}")) == {"TableNames": []}
    engine.close()


def test_nothing_is_opened_before_the_first_request(path: str) -> None:
    engine = EmbeddedEngine(path)
    assert not os.path.exists(path)
    assert repr(engine) == f"<EmbeddedEngine sqlite:///{path}>"
    engine.close()
    assert not os.path.exists(path)
    assert repr(EmbeddedEngine()) == "<EmbeddedEngine memory:>"


def test_a_relative_path_is_that_of_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Calls("relative.db") as calls:
        monkeypatch.chdir("/")
        calls("ListTables")
    assert (tmp_path / "relative.db").exists()


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"TableName": "\xff"}', b'{"TableName": "a", "Key": {}} {}']
)
def test_a_body_that_is_no_request(calls: Calls, body: bytes) -> None:
    with pytest.raises(ServiceError) as caught:
        calls.engine.send("GetItem", body)
    assert caught.value.code == "SerializationException"


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("TableName", 5, "NUMBER_VALUE cannot be converted to String"),
        ("TableName", ["x"], "Start of list found where not expected"),
        ("TableName", {}, "Start of structure or map found where not expected"),
        ("Key", [], "Start of list found where not expected"),
        ("Key", "x", "Unexpected field type"),
        ("ConsistentRead", "x", "STRING_VALUE cannot be converted to Boolean"),
        ("Key", {"p": {"S": 5}}, "NUMBER_VALUE cannot be converted to String"),
        ("Key", {"p": 5}, "Unexpected value type in payload"),
        ("ExpressionAttributeNames", {"#a": 5}, "NUMBER_VALUE cannot be converted to String"),
    ],
)
def test_a_member_of_the_wrong_type(calls: Calls, member: str, value: object, message: str) -> None:
    calls.create()
    request = {"TableName": "things", "Key": key("a"), member: value}
    error = calls.fails("SerializationException", "GetItem", request)
    assert str(error) == f"SerializationException: {message}"


@pytest.mark.parametrize(
    ("operation", "request_", "member", "constraint"),
    [
        ("GetItem", {}, "TableName", "Member must not be null"),
        ("GetItem", {"TableName": "", "Key": {}}, "TableName", "must have length greater than or equal to 1"),
        ("Query", {"TableName": "x", "Limit": 0}, "Limit", "Member must have value greater than or equal to 1"),
        ("Scan", {"TableName": "x", "TotalSegments": 10**7}, "TotalSegments", "must have value less than or equal"),
        ("PutItem", {"TableName": "x", "Item": {}, "ReturnValues": "X"}, "ReturnValues", "enum value set: [ALL_"),
        ("TransactGetItems", {"TransactItems": []}, "TransactItems", "must have length greater than or equal to 1"),
        ("TransactGetItems", {"TransactItems": [{}]}, "TransactItems.1.member.Get", "Member must not be null"),
        ("BatchGetItem", {"RequestItems": {"x": {}}}, "RequestItems.member.Keys", "Member must not be null"),
        ("TransactWriteItems", {"TransactItems": [{}], "ClientRequestToken": "x" * 37}, "ClientRequestToken", "36"),
        ("CreateTable", {"TableName": "x", "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "X"}]},
         "AttributeDefinitions.1.member.AttributeType", "Member must satisfy enum value set: [B, N, S]"),
    ],
)  # fmt: skip
def test_constraints_of_the_api_model(
    calls: Calls, operation: str, request_: dict[str, object], member: str, constraint: str
) -> None:
    error = calls.refused("1 validation error detected: ", operation, request_)
    assert f"Value at '{member}' failed to satisfy constraint: " in str(error)
    assert constraint in str(error)


def test_unknown_members_and_nulls_are_ignored(calls: Calls) -> None:
    calls.create()
    body = {"TableName": "things", "Key": key("a"), "ConsistentRead": None, "Unknown": [1], "AttributesToGet": None}
    assert calls.engine.send("GetItem", json.dumps(body).encode()) == b"{}"


def test_an_unknown_operation(calls: Calls) -> None:
    error = calls.fails("UnknownOperationException", "DescribeBackup")
    assert "DescribeBackup" in str(error)


def test_a_request_of_more_than_16_megabytes(memory: Calls) -> None:
    memory.create()
    body = json.dumps({"TableName": "things", "Key": key("a"), "Unknown": "x" * 16 * 1024 * 1024}).encode()
    with pytest.raises(ServiceError, match="larger than the limit of 16777216 bytes"):
        memory.engine.send("GetItem", body)


def test_a_request_nested_too_deep_to_be_read(calls: Calls) -> None:
    calls.create()
    deep = b'{"L":[' * 5000 + b'{"NULL":true}' + b"]}" * 5000
    body = b'{"TableName":"things","Item":{"p":{"S":"a"},"x":' + deep + b"}}"
    with pytest.raises(ServiceError, match="Nesting Levels have exceeded supported limits"):
        calls.engine.send("PutItem", body)
    assert calls("GetItem", TableName="things", Key=key("a")) == {}


@pytest.mark.parametrize(
    ("operation", "legacy", "instead"),
    [
        ("GetItem", "AttributesToGet", "ProjectionExpression"),
        ("PutItem", "Expected", "ConditionExpression"),
        ("PutItem", "ConditionalOperator", "ConditionExpression"),
        ("DeleteItem", "Expected", "ConditionExpression"),
        ("UpdateItem", "AttributeUpdates", "UpdateExpression"),
        ("UpdateItem", "Expected", "ConditionExpression"),
        ("Query", "KeyConditions", "KeyConditionExpression"),
        ("Query", "QueryFilter", "FilterExpression"),
        ("Query", "AttributesToGet", "ProjectionExpression"),
        ("Scan", "ScanFilter", "FilterExpression"),
        ("Scan", "AttributesToGet", "ProjectionExpression"),
    ],
)
def test_parameters_from_before_expressions_name_their_successors(
    calls: Calls, operation: str, legacy: str, instead: str
) -> None:
    calls.create()
    request = {"TableName": "things", "Key": key("a"), "Item": key("a"), legacy: {"x": {}}}
    assert str(calls.refused(legacy, operation, request)).endswith(f"use {instead}")


def test_batch_get_refuses_legacy_parameters_too(calls: Calls) -> None:
    calls.create()
    wanted = {"things": {"Keys": [key("a")], "AttributesToGet": ["x"]}}
    calls.refused("use ProjectionExpression", "BatchGetItem", RequestItems=wanted)


def test_a_closed_engine_refuses(calls: Calls) -> None:
    calls.create()
    calls.engine.close()
    calls.engine.close()
    for operation in ("GetItem", "Unheard"):
        with pytest.raises(ConnectionFailed, match="closed; connect again"):
            calls(operation, TableName="things", Key=key("a"))
    with pytest.raises(ConnectionFailed, match="closed; connect again"):
        asyncio.run(calls.engine.asend("GetItem", b"{}"))


def test_an_engine_that_was_never_used_can_be_closed(path: str) -> None:
    engine = EmbeddedEngine(path)
    asyncio.run(engine.aclose())
    with pytest.raises(ConnectionFailed):
        engine.send("ListTables", b"{}")


def test_an_engine_that_is_forgotten_leaves_no_warning(calls: Calls) -> None:
    calls.create()
    path = calls.engine._path
    calls.engine.close()
    forgotten = Calls(path)
    forgotten("ListTables")
    del forgotten
    gc.collect()  # an unclosed connection would be an error here


def test_memory_is_gone_when_closed() -> None:
    with Calls() as calls:
        calls.create()
    with Calls() as calls:
        assert calls("ListTables") == {"TableNames": []}


def test_no_update_of_many_threads_is_lost(calls: Calls) -> None:
    calls.create()

    def work(_: int) -> None:
        for _ in range(50):
            calls("UpdateItem", TableName="things", Key=key("a"), **ADD_ONE)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert calls("GetItem", TableName="things", Key=key("a"))["Item"]["n"] == {"N": "400"}


def test_many_threads_read_and_write_at_once(calls: Calls) -> None:
    calls.create(key="p:S s:N")
    stop = threading.Event()

    def write(p: str) -> None:
        for s in range(60):
            calls("PutItem", TableName="things", Item={**key(p, s), "x": {"S": p}})

    def read() -> int:
        count = 0
        while not stop.is_set():
            found = calls.items("Scan", TableName="things", Limit=7)
            assert all(item["x"] == item["p"] for item in found)
            count += 1
        return count

    with ThreadPoolExecutor(6) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        list(pool.map(write, "abcd"))
        stop.set()
        assert all(reader.result() > 0 for reader in readers)
    assert calls("Scan", TableName="things", Select="COUNT")["Count"] == 240


def test_requests_of_an_event_loop(calls: Calls) -> None:
    async def main() -> None:
        engine = calls.engine
        await engine.asend("CreateTable", json.dumps(table()).encode())
        body = json.dumps({"TableName": "things", "Key": key("a"), **ADD_ONE}).encode()
        await asyncio.gather(*(engine.asend("UpdateItem", body) for _ in range(100)))
        got = await engine.asend("GetItem", json.dumps({"TableName": "things", "Key": key("a")}).encode())
        assert json.loads(got)["Item"]["n"] == {"N": "100"}
        with pytest.raises(TableNotFound):
            await engine.asend("GetItem", json.dumps({"TableName": "none", "Key": key("a")}).encode())
        await engine.aclose()

    asyncio.run(main())


def test_one_engine_serves_several_event_loops(calls: Calls) -> None:
    calls.create()
    body = json.dumps({"TableName": "things", "Item": key("a")}).encode()
    for _ in range(3):
        assert asyncio.run(calls.engine.asend("PutItem", body)) == b"{}"


def test_a_file_never_blocks_the_event_loop(path: str) -> None:
    """While a write waits for the file's lock, the loop runs on and reads are answered."""

    async def main(calls: Calls) -> None:
        write = json.dumps({"TableName": "things", "Item": key("a")}).encode()
        read = json.dumps({"TableName": "things", "Key": key("a")}).encode()
        with calls.engine._open().storage.writing() as execute:
            execute("SELECT 1")
            waiting = asyncio.ensure_future(calls.engine.asend("PutItem", write))
            for _ in range(5):
                assert await calls.engine.asend("GetItem", read) == b"{}"
            assert not waiting.done()
        assert await waiting == b"{}"

    with Calls(path) as calls:
        calls.create()
        asyncio.run(main(calls))


def in_child(work: object) -> str:
    """What a function returns in a forked process, or its error."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            result = work()  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001 - told to the parent
            result = f"{type(error).__name__}: {error}"
        os.write(writer, str(result).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as stream:
        return stream.read()


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_a_file_is_opened_anew(path: str) -> None:
    with Calls(path) as calls:
        calls.create()
        asyncio.run(calls.engine.asend("PutItem", json.dumps({"TableName": "things", "Item": key("a")}).encode()))

        def child() -> object:
            calls("PutItem", TableName="things", Item=key("b"))
            body = json.dumps({"TableName": "things", "Item": key("c")}).encode()
            asyncio.run(calls.engine.asend("PutItem", body))
            return calls("Scan", TableName="things", Select="COUNT")["Count"]

        assert in_child(child) == "3"
        calls("PutItem", TableName="things", Item=key("d"))
        assert calls("Scan", TableName="things", Select="COUNT")["Count"] == 4


@needs_fork
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_memory_refuses_the_child(memory: Calls) -> None:
    memory.create()
    for request in (
        lambda: memory("GetItem", TableName="things", Key=key("a")),
        lambda: memory("PutItem", TableName="things", Item=key("a")),
        lambda: memory("Scan", TableName="things"),
        lambda: memory("CreateTable", table("other")),
    ):
        assert in_child(request).startswith("ConnectionFailed: This memory: database belongs to the process")
    assert in_child(lambda: Calls()("ListTables")) == "{'TableNames': []}"
    assert memory("ListTables") == {"TableNames": ["things"]}


def test_too_many_indexes_are_a_matter_of_limits(memory: Calls) -> None:
    from tests.embedded.calls import index

    with pytest.raises(LimitExceeded):
        memory.create(indexes=[index(f"idx{number}", "p") for number in range(21)])


def test_requests_are_quick(memory: Calls) -> None:
    """Not a benchmark: a hundred times the usual cost would be a mistake."""
    memory.create()
    body = json.dumps({"TableName": "things", "Key": key("a")}).encode()
    start = time.process_time()
    for _ in range(1000):
        memory.engine.send("GetItem", body)
    assert time.process_time() - start < 1
