"""CPU of the embedded engine, inside ``send``: microseconds per operation, in memory and in a file.

python benchmarks/embedded_engine.py [--file PATH] [--only NAME]
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from dynawire.engines.embedded import EmbeddedEngine

ITEM = {
    "state": {"S": "TX"},
    "iata": {"S": "DFW"},
    "name": {"S": "Dallas-Fort Worth International"},
    "city": {"S": "Dallas-Fort Worth"},
    "latitude": {"N": "32.89595056"},
    "longitude": {"N": "-97.0372"},
    "visits": {"N": "0"},
    "active": {"BOOL": True},
    "tags": {"SS": ["hub", "international", "american"]},
    "runways": {"L": [{"N": "4085"}, {"N": "4084"}, {"N": "2743"}]},
    "contact": {"M": {"phone": {"S": "+1 972 973 3112"}, "web": {"S": "https://www.dfwairport.com"}}},
}
KEY = {"state": ITEM["state"], "iata": ITEM["iata"]}


def body(**request: object) -> bytes:
    return json.dumps(request).encode()


def cost(call: Callable[[], object], seconds: float = 0.4) -> float:
    """Microseconds of CPU per call: the best of several rounds."""
    call()
    rounds, best = 5, float("inf")
    start = time.process_time()
    count = 0
    while time.process_time() - start < seconds / rounds:
        call()
        count += 1
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(count):
            call()
        best = min(best, (time.process_time() - start) / count)
    return best * 1e6


def prepare(engine: EmbeddedEngine) -> None:
    attributes = [{"AttributeName": name, "AttributeType": "S"} for name in ("state", "iata", "city")]
    key = [{"AttributeName": "state", "KeyType": "HASH"}, {"AttributeName": "iata", "KeyType": "RANGE"}]
    common = {"KeySchema": key, "BillingMode": "PAY_PER_REQUEST"}
    engine.send("CreateTable", body(TableName="airports", AttributeDefinitions=attributes[:2], **common))
    index = {
        "IndexName": "by_city",
        "KeySchema": [{"AttributeName": "city", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    engine.send(
        "CreateTable",
        body(TableName="indexed", AttributeDefinitions=attributes, GlobalSecondaryIndexes=[index], **common),
    )
    for state in ("TX", "CA", "NY"):
        for start in range(0, 100, 25):
            puts = [
                {"PutRequest": {"Item": {**ITEM, "state": {"S": state}, "iata": {"S": f"D{number:02}"}}}}
                for number in range(start, start + 25)
            ]
            engine.send("BatchWriteItem", body(RequestItems={"airports": puts}))
    engine.send("PutItem", body(TableName="airports", Item=ITEM))


def measures(engine: EmbeddedEngine) -> dict[str, Callable[[], object]]:
    query = {"TableName": "airports", "KeyConditionExpression": "#p = :p", "ExpressionAttributeNames": {"#p": "state"}}
    values = {":p": {"S": "CA"}}
    requests = {
        "get": ("GetItem", body(TableName="airports", Key=KEY)),
        "get, projection": ("GetItem", body(TableName="airports", Key=KEY, ProjectionExpression="city, visits")),
        "put": ("PutItem", body(TableName="airports", Item=ITEM)),
        "put, condition": (
            "PutItem",
            body(TableName="airports", Item=ITEM, ConditionExpression="attribute_exists(iata)"),
        ),
        "put, one index": ("PutItem", body(TableName="indexed", Item=ITEM)),
        "update": (
            "UpdateItem",
            body(
                TableName="airports",
                Key=KEY,
                UpdateExpression="SET #v = #v + :one",
                ExpressionAttributeNames={"#v": "visits"},
                ExpressionAttributeValues={":one": {"N": "1"}},
            ),
        ),
        "update, condition, ALL_NEW": (
            "UpdateItem",
            body(
                TableName="airports",
                Key=KEY,
                UpdateExpression="SET #v = #v + :one",
                ConditionExpression="#v < :limit",
                ExpressionAttributeNames={"#v": "visits"},
                ExpressionAttributeValues={":one": {"N": "1"}, ":limit": {"N": "999999999"}},
                ReturnValues="ALL_NEW",
            ),
        ),
        "delete (nothing there)": (
            "DeleteItem",
            body(TableName="airports", Key={"state": {"S": "TX"}, "iata": {"S": "no"}}),
        ),
        "query, 100 items": ("Query", body(**query, ExpressionAttributeValues=values)),
        "query, 10 items": ("Query", body(**query, ExpressionAttributeValues=values, Limit=10)),
        "query, 100 items, filter": (
            "Query",
            body(**query, FilterExpression="visits < :v", ExpressionAttributeValues={**values, ":v": {"N": "5"}}),
        ),
        "query, 100 items, projection": (
            "Query",
            body(**query, ExpressionAttributeValues=values, ProjectionExpression="iata, city"),
        ),
        "scan, 100 items": ("Scan", body(TableName="airports", Limit=100)),
        "batch get, 25 items": (
            "BatchGetItem",
            body(
                RequestItems={
                    "airports": {"Keys": [{"state": {"S": "CA"}, "iata": {"S": f"D{n:02}"}} for n in range(25)]}
                }
            ),
        ),
        "batch write, 25 items": (
            "BatchWriteItem",
            body(
                RequestItems={
                    "airports": [{"PutRequest": {"Item": {**ITEM, "iata": {"S": f"X{n:02}"}}}} for n in range(25)]
                }
            ),
        ),
        "transaction, 2 puts": (
            "TransactWriteItems",
            body(
                TransactItems=[
                    {"Put": {"TableName": "airports", "Item": {**ITEM, "iata": {"S": f"T{n}"}}}} for n in range(2)
                ]
            ),
        ),
    }
    send = engine.send
    return {name: (lambda o=operation, b=request: send(o, b)) for name, (operation, request) in requests.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", help="measure this new file instead of a temporary one")
    parser.add_argument("--only", default="", help="only measures whose name contains this")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = arguments.file or str(Path(directory) / "benchmark.db")
        engines = {
            "memory": EmbeddedEngine(),
            "file": EmbeddedEngine(path),
            "file, not durable": EmbeddedEngine(str(Path(directory) / "fast.db"), durable=False),
        }
        for engine in engines.values():
            prepare(engine)
        calls = {kind: measures(engine) for kind, engine in engines.items()}
        print(f"{'µs of CPU per call':34}" + "".join(f"{kind:>20}" for kind in engines))
        for name in calls["memory"]:
            if arguments.only in name:
                print(f"{name:34}" + "".join(f"{cost(each[name]):20.1f}" for each in calls.values()), flush=True)
        for engine in engines.values():
            engine.close()


if __name__ == "__main__":
    main()
