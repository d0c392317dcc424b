"""What was acknowledged survives kill -9; processes that share a file see and respect each other."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.calls import Calls, attributes, index, key, schema

ROOT = Path(__file__).parents[2]


def start(program: str, *arguments: object) -> subprocess.Popen[str]:
    """Another Python that runs a program, its output to be read as it comes."""
    return subprocess.Popen(
        [sys.executable, "-u", "-c", program, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return output


WRITER = """
import sys
from tests.embedded.calls import Calls, key
calls = Calls(sys.argv[1], durable=sys.argv[2] == "True")
number = 0
while True:
    batch = [{"PutRequest": {"Item": {**key("batch", number * 10 + n), "g": {"S": "g"}}}} for n in range(10)]
    actions = [{"Put": {"TableName": "things", "Item": {**key("pair", number), "g": {"S": "g"}}}},
               {"Put": {"TableName": "things", "Item": key("twin", number)}}]
    calls("PutItem", TableName="things", Item={**key("one", number), "g": {"S": "g"}})
    calls("UpdateItem", TableName="things", Key=key("count", 0), UpdateExpression="ADD n :one",
          ExpressionAttributeValues={":one": {"N": "1"}})
    calls("BatchWriteItem", RequestItems={"things": batch})
    calls("TransactWriteItems", TransactItems=actions)
    print(number, flush=True)
    number += 1
"""


@pytest.mark.parametrize("durable", [True, False])
def test_what_was_acknowledged_survives_kill_9(path: str, durable: bool) -> None:
    with Calls(path) as calls:
        calls.create(key="p:S s:N", more="g:S", indexes=[index("by_g", "g", "s")])
    process = start(WRITER, path, durable)
    assert process.stdout is not None
    acknowledged = -1
    for line in process.stdout:
        acknowledged = int(line)
        if acknowledged >= 25:
            break
    process.send_signal(signal.SIGKILL)
    for line in process.stdout:
        acknowledged = int(line)
    process.wait()
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()

    with Calls(path) as calls:
        found = calls.items("Scan", TableName="things")
        by_kind: dict[str, set[int]] = {}
        for item in found:
            by_kind.setdefault(item["p"]["S"], set()).add(int(item["s"]["N"]))
        expected = set(range(acknowledged + 1))
        assert expected <= by_kind["one"]
        assert set(range((acknowledged + 1) * 10)) <= by_kind["batch"]
        # What was not acknowledged is there as a whole or not at all.
        assert expected <= by_kind["pair"] == by_kind["twin"]
        assert len(by_kind["batch"]) % 10 == 0
        (count,) = (item for item in found if item["p"]["S"] == "count")
        assert acknowledged + 1 <= int(count["n"]["N"]) <= acknowledged + 2
        # The index has what the table has.
        indexed = calls.items("Scan", TableName="things", IndexName="by_g")
        assert sorted(map(str, indexed)) == sorted(str(item) for item in found if "g" in item)
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


COUNTER = """
import sys
from tests.embedded.calls import Calls, key
path, times = sys.argv[1], int(sys.argv[2])
with Calls(path, durable=False) as calls:
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(times):
        calls("UpdateItem", TableName="things", Key=key("a"), UpdateExpression="ADD n :one",
              ExpressionAttributeValues={":one": {"N": "1"}})
"""


def test_no_update_of_two_processes_is_lost(path: str) -> None:
    with Calls(path, durable=False) as calls:
        calls.create()
        processes = [start(COUNTER, path, 150) for _ in range(2)]
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for _ in range(50):
            calls("UpdateItem", TableName="things", Key=key("a"), UpdateExpression="ADD n :one",
                  ExpressionAttributeValues={":one": {"N": "1"}})  # fmt: skip
        for process in processes:
            finish(process)
        assert calls("GetItem", TableName="things", Key=key("a"))["Item"]["n"] == {"N": "350"}


def test_many_processes_make_one_file(path: str) -> None:
    """All at once, from nothing: one lays it out, the others find it."""
    program = """
import sys
from tests.embedded.calls import Calls, table
with Calls(sys.argv[1]) as calls:
    try:
        calls("CreateTable", table("shared"))
        print("made")
    except Exception as error:
        print(type(error).__name__)
    calls("CreateTable", table(f"own{sys.argv[2]}"))
"""
    processes = [start(program, path, number) for number in range(4)]
    told = sorted(finish(process).strip() for process in processes)
    assert told == ["TableInUse", "TableInUse", "TableInUse", "made"]
    with Calls(path) as calls:
        assert calls("ListTables") == {"TableNames": ["own0", "own1", "own2", "own3", "shared"]}


SERVER = """
import json, sys
from tests.embedded.calls import Calls
with Calls(sys.argv[1], durable=False) as calls:
    for line in sys.stdin:
        operation, request = json.loads(line)
        try:
            answer = calls(operation, request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
"""


class Other:
    """An engine in another process, on the same file."""

    def __init__(self, path: str) -> None:
        self._process = start(SERVER, path)

    def __call__(self, operation: str, **request: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([operation, request]) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        finish(self._process)


def test_changes_of_tables_by_another_process_are_noticed(path: str) -> None:
    other = Other(path)
    with Calls(path, durable=False) as calls:
        # A table made by the other.
        assert calls("ListTables") == {"TableNames": []}
        definitions = {"AttributeDefinitions": attributes("p:S"), "KeySchema": schema("p")}
        other("CreateTable", TableName="things", BillingMode="PAY_PER_REQUEST", **definitions)
        calls("PutItem", TableName="things", Item={**key("a"), "g": {"S": "g"}})
        assert other("GetItem", TableName="things", Key=key("a"))["Item"]["g"] == {"S": "g"}
        # An index made by the other: the next write keeps it.
        other("UpdateTable", TableName="things", AttributeDefinitions=attributes("g:S"),
              GlobalSecondaryIndexUpdates=[{"Create": index("by_g", "g")}])  # fmt: skip
        calls("PutItem", TableName="things", Item={**key("b"), "g": {"S": "g"}})
        calls("DeleteItem", TableName="things", Key=key("a"))
        query = {
            "TableName": "things",
            "IndexName": "by_g",
            "KeyConditionExpression": "g = :g",
            "ExpressionAttributeValues": {":g": {"S": "g"}},
        }
        assert calls("Query", query)["Items"] == other("Query", **query)["Items"] == [{**key("b"), "g": {"S": "g"}}]
        wrong = {**key("c"), "g": {"N": "1"}}
        calls.refused("Type mismatch for Index Key g", "PutItem", TableName="things", Item=wrong)
        # The index deleted by the other, then a table of the same name made anew.
        other("UpdateTable", TableName="things", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by_g"}}])
        calls("PutItem", TableName="things", Item=wrong)
        calls.refused("does not have the specified index", "Query", query)
        other("DeleteTable", TableName="things")
        definitions = {"AttributeDefinitions": attributes("q:N"), "KeySchema": schema("q")}
        other("CreateTable", TableName="things", BillingMode="PAY_PER_REQUEST", **definitions)
        calls.refused(
            "does not match the schema", "GetItem", TableName="things", Key={"p": {"S": "a"}, "x": {"S": "y"}}
        )
        calls("PutItem", TableName="things", Item={"q": {"N": "1"}})
        assert other("Scan", TableName="things")["Items"] == [{"q": {"N": "1"}}]
        # The table deleted by the other, met by every kind of request.
        other("DeleteTable", TableName="things")
        for operation, members in (
            ("GetItem", {"Key": {"q": {"N": "1"}}}),
            ("PutItem", {"Item": {"q": {"N": "1"}}}),
            ("Scan", {}),
            ("DescribeTable", {}),
            ("DeleteTable", {}),
        ):
            calls.fails("ResourceNotFoundException", operation, TableName="things", **members)
    other.close()


def test_time_to_live_and_tags_are_shared(path: str) -> None:
    other = Other(path)
    with Calls(path) as calls:
        calls.create()
        arn = calls("DescribeTable", TableName="things")["Table"]["TableArn"]
        other("TagResource", ResourceArn=arn, Tags=[{"Key": "a", "Value": "b"}])
        calls("UpdateTimeToLive", TableName="things", TimeToLiveSpecification={"Enabled": True, "AttributeName": "t"})
        # The engine that wrote last had read the other's change first.
        assert calls("ListTagsOfResource", ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
        calls("TagResource", ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
        assert len(calls("ListTagsOfResource", ResourceArn=arn)["Tags"]) == 2
    other.close()


def test_a_transaction_is_done_once_whoever_repeats_it(path: str) -> None:
    request = {
        "ClientRequestToken": "token",
        "TransactItems": [
            {
                "Update": {
                    "TableName": "things",
                    "Key": key("a"),
                    "UpdateExpression": "ADD n :one",
                    "ExpressionAttributeValues": {":one": {"N": "1"}},
                }
            }
        ],
    }
    with Calls(path) as calls:
        calls.create()
        calls("TransactWriteItems", request)
        other = Other(path)
        assert other("TransactWriteItems", **request) == {}
        other.close()
    with Calls(path) as calls:
        calls("TransactWriteItems", request)
        assert calls("GetItem", TableName="things", Key=key("a"))["Item"]["n"] == {"N": "1"}
