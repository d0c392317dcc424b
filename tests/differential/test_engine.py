"""The embedded engine against DynamoDB Local: operations on items, batches and transactions, right and wrong ones."""

# ruff: noqa: E501 - requests stand one to a line

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.differential.engine_pair import Failure, Pair, pair

pytestmark = pytest.mark.dynamodb_local


def key(p: str = "a", s: object = 1) -> dict[str, Any]:
    return {"p": {"S": p}, "s": {"N": str(s)}}


def attribute(name: str, kind: str = "S") -> dict[str, str]:
    return {"AttributeName": name, "AttributeType": kind}


def schema(*keys: str) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


@pytest.fixture
def both(dynamodb_local: str) -> Iterator[Pair]:
    with pair(dynamodb_local, uuid4().hex) as both:
        request = {
            "TableName": "full",
            "AttributeDefinitions": [
                attribute("p"),
                attribute("s", "N"),
                attribute("g"),
                attribute("l"),
                attribute("g2", "N"),
            ],
            "KeySchema": schema("p", "s"),
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [
                {"IndexName": "gsi", "KeySchema": schema("g", "g2"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
            ],
            "LocalSecondaryIndexes": [
                {
                    "IndexName": "lsi",
                    "KeySchema": schema("p", "l"),
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]},
                }
            ],
        }
        both.same("CreateTable", request)
        plain = {"TableName": "plain", "AttributeDefinitions": [attribute("p")], "KeySchema": schema("p")}
        both.same("CreateTable", plain, BillingMode="PAY_PER_REQUEST")
        yield both


FULL: dict[str, Any] = {**key(), "x": {"S": "1"}, "l": {"S": "l"}, "g": {"S": "g"}, "g2": {"N": "5"}}
ABSENT = "attribute_not_exists(p)"


def test_put(both: Pair) -> None:
    def put(item: Any, **more: Any) -> dict[str, Any]:
        return both.same("PutItem", {"TableName": "full", "Item": item}, **more)

    put(FULL, ReturnConsumedCapacity="INDEXES", ReturnValues="ALL_OLD")
    put(FULL, ReturnConsumedCapacity="INDEXES", ReturnValues="ALL_OLD", ReturnItemCollectionMetrics="SIZE")
    put({**FULL, "g": {"S": "other"}}, ReturnConsumedCapacity="TOTAL")
    put({**FULL, "g": {"S": "other"}, "x": {"S": "new"}}, ReturnConsumedCapacity="INDEXES")
    put({**FULL, "more": {"S": "x" * 5000}}, ReturnConsumedCapacity="INDEXES")
    put(key(), ReturnConsumedCapacity="INDEXES", ReturnValues="ALL_OLD")
    put(key(s="1.0"), ReturnConsumedCapacity="NONE", ReturnValues="NONE", ReturnItemCollectionMetrics="NONE")
    put(key(), ConditionExpression=ABSENT)
    put(FULL, ConditionExpression="attribute_exists(p)")
    put(key(), ConditionExpression=ABSENT, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    put(key("new"), ConditionExpression=ABSENT, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    put(key(), ConditionExpression="g2 > :v", ExpressionAttributeValues={":v": {"N": "4"}})
    both.same("Scan", {"TableName": "full"})


LOCAL_ENTRIES = [
    ({"ProjectionType": "ALL"}, {"l": {"S": "l"}}, 204_800),
    ({"ProjectionType": "ALL"}, {}, 409_600),
    ({"ProjectionType": "KEYS_ONLY"}, {"l": {"S": "l"}}, 409_596),
    ({"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x"]}, {"l": {"S": "l"}}, 204_801),
]


@pytest.mark.parametrize(("projection", "more", "most"), LOCAL_ENTRIES)
def test_an_item_and_its_entries_in_local_indexes_have_400_kb_together(
    both: Pair, projection: dict[str, Any], more: dict[str, Any], most: int
) -> None:
    names = ("p", "s", "l")
    both.same(
        "CreateTable",
        {
            "TableName": "local-entries",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in names],
            "KeySchema": [{"AttributeName": "p", "KeyType": "HASH"}, {"AttributeName": "s", "KeyType": "RANGE"}],
            "LocalSecondaryIndexes": [
                {
                    "IndexName": "by-l",
                    "KeySchema": [
                        {"AttributeName": "p", "KeyType": "HASH"},
                        {"AttributeName": "l", "KeyType": "RANGE"},
                    ],
                    "Projection": projection,
                }
            ],
        },
    )
    try:
        for excess in (0, 1):
            item: dict[str, Any] = {"p": {"S": "p"}, "s": {"S": "s"}, **more}
            item["x"] = {"S": "x" * (most + excess - 4 - 2 * len(more) - 1)}
            put = {"TableName": "local-entries", "Item": item}
            assert (both.same("PutItem", put) == {}) is (excess == 0)
            both.same("PutItem", put, ConditionExpression="attribute_exists(q)")
            both.same("BatchWriteItem", {"RequestItems": {"local-entries": [{"PutRequest": {"Item": item}}]}})
            both.same("TransactWriteItems", {"TransactItems": [{"Put": put}]})
        # An update may make more of it.
        update = {"TableName": "local-entries", "Key": {"p": {"S": "u"}, "s": {"S": "s"}}}
        values = {":x": {"S": "x" * 250_000}, ":l": {"S": "l"}}
        both.same("UpdateItem", update, UpdateExpression="SET x = :x, l = :l", ExpressionAttributeValues=values)
    finally:
        # They count items at different times.
        both.local("DeleteTable", b'{"TableName": "local-entries"}')
        both.embedded("DeleteTable", b'{"TableName": "local-entries"}')


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"p": {"S": "a"}},
        {"p": {"N": "1"}, "s": {"N": "1"}},
        {"p": {"S": ""}, "s": {"N": "1"}},
        {"p": {"S": "x" * 2049}, "s": {"N": "1"}},
        {"p": {"S": "a"}, "s": {"N": "abc"}},
        {**key(), "g": {"N": "1"}},
        {**key(), "g": {"S": ""}},
        {**key(), "g": {"S": "x" * 2049}},
        {**key(), "l": {"S": "x" * 1025}},
        {**key(), "g": {"S": "a"}, "g2": {"S": "1"}},
        {**key(), "g": {"NULL": True}},
        {**key(), "big": {"S": "x" * 409_600}},
        {**key(), "x": {}},
        {**key(), "x": {"Q": "1"}},
        {**key(), "x": 5},
    ],
    ids=lambda item: str(item)[:60],
)
def test_put_of_what_does_not_fit(both: Pair, item: Any) -> None:
    both.same("PutItem", {"TableName": "full", "Item": item})
    both.same("Scan", {"TableName": "full"})


@pytest.mark.parametrize(
    "request_",
    [
        {"Item": key()},
        {"TableName": "full"},
        {"TableName": "none", "Item": key()},
        {"TableName": "full", "Item": key(), "ReturnValues": "ALL_NEW"},
        {"TableName": "full", "Item": key(), "ReturnValues": "X"},
        {"TableName": "full", "Item": key(), "ReturnValuesOnConditionCheckFailure": "X"},
        {"TableName": "full", "Item": key(), "ConditionExpression": "attribute_not_exists("},
        {"TableName": "full", "Item": key(), "ConditionExpression": ""},
        {"TableName": "full", "Item": key(), "ExpressionAttributeNames": {"#a": "b"}},
        {"TableName": "full", "Item": key(), "ExpressionAttributeValues": {":a": {"S": "b"}}},
        {
            "TableName": "full",
            "Item": key(),
            "ConditionExpression": ABSENT,
            "ExpressionAttributeValues": {":a": {"S": "b"}},
        },
        {"TableName": "full", "Item": key(), "ConditionExpression": ABSENT, "Expected": {"p": {"Exists": False}}},
    ],
    ids=str,
)
def test_put_with_wrong_parameters(both: Pair, request_: dict[str, Any]) -> None:
    both.same("PutItem", request_)


def test_get(both: Pair) -> None:
    def get(wanted: Any, **more: Any) -> dict[str, Any]:
        return both.same("GetItem", {"TableName": "full", "Key": wanted}, **more)

    nested = {"M": {"a": {"L": [{"N": "1"}, {"N": "2"}]}, "b": {"SS": ["x", "y"]}}}
    both.same("PutItem", {"TableName": "full", "Item": {**FULL, "m": nested}})
    get(key())
    get(key(s="1.00"))
    get(key("none"))
    for expression in ("x, g", "none", "m.a[1], m.b, s", "m.a[7]", "m", "", "x(", "x, x", "m, m.a", "p.q"):
        get(key(), ProjectionExpression=expression)
    get(key(), ProjectionExpression="#x", ExpressionAttributeNames={"#x": "x"})
    get(key(), ProjectionExpression="x", ExpressionAttributeNames={"#x": "x"})
    get(key(), ProjectionExpression="#y")
    get(key(), ExpressionAttributeNames={"#x": "x"})
    get(key(), ProjectionExpression="x", AttributesToGet=["x"])
    for detail in ("TOTAL", "INDEXES", "NONE"):
        for consistent in (True, False):
            get(key(), ReturnConsumedCapacity=detail, ConsistentRead=consistent)
            get(key("none"), ReturnConsumedCapacity=detail, ConsistentRead=consistent)
    wrong: list[Any] = [
        {}, {"p": {"S": "a"}}, {**key(), "x": {"S": "1"}}, {"p": {"N": "1"}, "s": {"N": "1"}}, {"p": {"S": ""}, "s": {"N": "1"}},
        {"p": {"S": "x" * 2049}, "s": {"N": "1"}}, key(s="abc"), {"p": {"SS": ["a"]}, "s": {"N": "1"}}, {"p": {}, "s": {"N": "1"}},
    ]  # fmt: skip
    for each in wrong:
        assert isinstance(get(each), Failure)
    both.same("GetItem", {"TableName": "none", "Key": key()})
    both.same("GetItem", {"TableName": "full"})
    both.same("GetItem", {"Key": key()})
    for body in (b"{bad", b"", b"[]", b'{"TableName":"full","Key":[]}', b'{"TableName":"full","Key":null}'):
        assert both.same("GetItem", body)["code"] in ("SerializationException", "ValidationException")


def test_update(both: Pair) -> None:
    def update(expression: str | None, values: Any = None, wanted: Any = None, **more: Any) -> dict[str, Any]:
        request = {"TableName": "full", "Key": wanted or key(), **more}
        if expression is not None:
            request["UpdateExpression"] = expression
        if values:
            request["ExpressionAttributeValues"] = values
        return both.same("UpdateItem", request)

    update("SET y = :a", {":a": {"S": "q"}}, ReturnValues="ALL_NEW", ReturnConsumedCapacity="INDEXES")
    for returns in ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"):
        update(
            "SET y = :a, n = if_not_exists(n, :z) + :i",
            {":a": {"S": returns}, ":i": {"N": "1"}, ":z": {"N": "0"}},
            ReturnValues=returns,
        )
        update("REMOVE gone", ReturnValues=returns)
        update(None, ReturnValues=returns)
        update("SET y = :a", {":a": {"S": "1"}}, key("made " + returns), ReturnValues=returns)
    update("SET g = :g, g2 = :n, l = :g", {":g": {"S": "g"}, ":n": {"N": "1"}}, ReturnConsumedCapacity="INDEXES")
    update("SET g2 = :n", {":n": {"N": "2"}}, ReturnConsumedCapacity="INDEXES")
    update("SET x = :n", {":n": {"N": "2"}}, ReturnConsumedCapacity="INDEXES")
    update("SET unseen = :n", {":n": {"N": "2"}}, ReturnConsumedCapacity="INDEXES")
    update("REMOVE g", ReturnConsumedCapacity="INDEXES", ReturnItemCollectionMetrics="SIZE")
    update(
        "SET y = :a",
        {":a": {"S": "1"}},
        key("no"),
        ConditionExpression="attribute_exists(p)",
        ReturnValuesOnConditionCheckFailure="ALL_OLD",
    )
    update("SET y = :a", {":a": {"S": "1"}}, ConditionExpression=ABSENT, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    update("REMOVE y", wanted=key("emptied"))
    update("DELETE y :a", {":a": {"SS": ["q"]}}, key("emptied twice"))
    update("ADD c :one, t :set", {":one": {"N": "1"}, ":set": {"NS": ["3", "1"]}}, ReturnValues="UPDATED_NEW")
    update("ADD c :one, t :set", {":one": {"N": "1"}, ":set": {"NS": ["2", "1"]}}, ReturnValues="UPDATED_OLD")
    update("SET big = :a", {":a": {"S": "x" * 409_600}})
    update("SET l = :a", {":a": {"S": ""}})["message"] if False else None
    for wrong in ("", "SET", "SET p = :a", "SET y = :b", "SET y = :a, y = :a", "REMOVE y", "SET q.r = :a"):
        assert isinstance(update(wrong, {":a": {"S": "q"}}), Failure)
    assert isinstance(update("REMOVE y", wanted={"p": {"S": "a"}}), Failure)
    assert isinstance(update("REMOVE y", AttributeUpdates={"y": {"Action": "DELETE"}}), Failure)
    both.same("Scan", {"TableName": "full"})
    both.same("Scan", {"TableName": "full", "IndexName": "gsi"})
    both.same("Scan", {"TableName": "full", "IndexName": "lsi"})


def test_delete(both: Pair) -> None:
    def delete(wanted: Any, **more: Any) -> dict[str, Any]:
        return both.same("DeleteItem", {"TableName": "full", "Key": wanted}, **more)

    both.same("PutItem", {"TableName": "full", "Item": FULL})
    delete(key("none"), ReturnValues="ALL_OLD", ReturnConsumedCapacity="INDEXES", ReturnItemCollectionMetrics="SIZE")
    delete(key("none"), ConditionExpression="attribute_exists(p)")
    delete(key(), ConditionExpression=ABSENT, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    delete(key(), ReturnValues="UPDATED_OLD")
    delete({"p": {"S": "a"}})
    delete(key(), ReturnValues="ALL_OLD", ReturnConsumedCapacity="INDEXES")
    delete(key(), ReturnValues="ALL_OLD")
    both.same("Scan", {"TableName": "full", "IndexName": "gsi"})


def test_batch_get(both: Pair) -> None:
    def get(wanted: Any, **more: Any) -> dict[str, Any]:
        return both.same("BatchGetItem", {"RequestItems": wanted}, **more)

    for number in range(4):
        both.same("PutItem", {"TableName": "full", "Item": {**FULL, **key("a", number)}})
    get({"full": {"Keys": [key("a", 1), key("a", 2)]}, "plain": {"Keys": [{"p": {"S": "1"}}]}})
    get({"full": {"Keys": [key("a", 1)], "ConsistentRead": True}}, ReturnConsumedCapacity="TOTAL")
    get({"full": {"Keys": [key("a", 1)], "ProjectionExpression": "x, #s", "ExpressionAttributeNames": {"#s": "s"}}})
    get({"full": {"Keys": [key("a", 1)]}}, ReturnConsumedCapacity="INDEXES")
    wrong: list[Any] = [
        {}, {"full": {"Keys": []}}, {"full": {}}, {"none": {"Keys": [key()]}}, {"full": {"Keys": [{"p": {"S": "a"}}]}},
        {"full": {"Keys": [key()], "ProjectionExpression": "("}}, {"full": {"Keys": [key()], "ExpressionAttributeNames": {"#a": "b"}}},
        {"full": {"Keys": [{"p": {"S": ""}, "s": {"N": "1"}}]}}, {"full": {"Keys": [key(), key()]}},
        {"full": {"Keys": [{"p": {"N": "1"}, "s": {"N": "1"}}]}},
    ]  # fmt: skip
    for each in wrong:
        assert isinstance(get(each), Failure)


def test_batch_get_stops_at_16_megabytes(both: Pair) -> None:
    for start in (0, 25):
        puts = [
            {"PutRequest": {"Item": {"p": {"S": f"{number}"}, "b": {"S": "x" * 400_000}}}}
            for number in range(start, start + 25)
        ]
        both.same("BatchWriteItem", {"RequestItems": {"plain": puts}})
    wanted = {"plain": {"Keys": [{"p": {"S": f"{number}"}} for number in range(50)], "ConsistentRead": True}}
    body = json.dumps({"RequestItems": wanted, "ReturnConsumedCapacity": "TOTAL"}).encode()
    # Which keys are left is each side's own choice.
    for answer in (both.local("BatchGetItem", body), both.embedded("BatchGetItem", body)):
        assert len(answer["Responses"]["plain"]) == 41
        assert len(answer["UnprocessedKeys"]["plain"]["Keys"]) == 9
        assert answer["ConsumedCapacity"] == [{"TableName": "plain", "CapacityUnits": 41 * 98.0}]
    # A page of a scan ends with the item that crosses 1 MB.
    scanned = both.embedded("Scan", b'{"TableName":"plain","ReturnConsumedCapacity":"TOTAL"}')
    local = both.local("Scan", b'{"TableName":"plain","ReturnConsumedCapacity":"TOTAL"}')
    assert scanned["Count"] == local["Count"] == 3
    assert scanned["ConsumedCapacity"] == local["ConsumedCapacity"]


def test_batch_write(both: Pair) -> None:
    def write(wanted: Any, **more: Any) -> dict[str, Any]:
        return both.same("BatchWriteItem", {"RequestItems": wanted}, **more)

    def put(item: Any) -> Any:
        return {"PutRequest": {"Item": item}}

    def delete(wanted: Any) -> Any:
        return {"DeleteRequest": {"Key": wanted}}

    # With indexes DynamoDB Local counts a unit too many for the table.
    write({"full": [put(FULL), put(key("w", 1)), delete(key("w", 2))]})
    write({"full": [put(key("w", 2)), delete(key("w", 1))], "plain": [put({"p": {"S": "1"}, "b": {"S": "x" * 3000}})]})
    write({"plain": [delete({"p": {"S": "1"}}), put({"p": {"S": "2"}})]}, ReturnConsumedCapacity="INDEXES")
    write({"plain": [put({"p": {"S": "1"}, "b": {"S": "x" * 3000}})]}, ReturnConsumedCapacity="TOTAL")
    write({"full": [delete(key())]})
    wrong: list[Any] = [
        {}, {"full": []}, {"full": [put(key()), delete(key())]}, {"none": [put(key())]}, {"full": [{**put(key()), **delete(key())}]},
        {"full": [put({"p": {"S": "a"}})]}, {"full": [put({**key(), "g": {"N": "1"}})]}, {"full": [delete({"p": {"S": "a"}})]},
        {"full": [put({**key(), "b": {"S": "x" * 409_600}})]}, {"full": [delete({"p": {"S": ""}, "s": {"N": "1"}})]},
        {"full": [put(key("no")), put({**key(), "x": {"N": "abc"}})]},
    ]  # fmt: skip
    for each in wrong:
        assert isinstance(write(each), Failure)
    both.same("Scan", {"TableName": "full"})


def test_transact_get(both: Pair) -> None:
    def get(*gets: Any, **more: Any) -> dict[str, Any]:
        return both.same("TransactGetItems", {"TransactItems": list(gets)}, **more)

    def one(wanted: Any, table: str = "full", **more: Any) -> Any:
        return {"Get": {"TableName": table, "Key": wanted, **more}}

    both.same("PutItem", {"TableName": "full", "Item": FULL})
    both.same("PutItem", {"TableName": "plain", "Item": {"p": {"S": "1"}, "b": {"S": "x" * 5000}}})
    get(one(key()), one(key("none")))
    get(one(key(), ProjectionExpression="x"), ReturnConsumedCapacity="TOTAL")
    get(one(key()), one({"p": {"S": "1"}}, "plain"), ReturnConsumedCapacity="INDEXES")
    wrong = [
        (one(key()), one(key())), (one(key(), "none"),), (one({"p": {"S": "a"}}),), (one(key(), ProjectionExpression="x("),),
        (one({"p": {"N": "1"}, "s": {"N": "1"}}),), (one({"p": {"S": ""}, "s": {"N": "1"}}),), [one(key("a", n)) for n in range(101)],
        (), ({},),
    ]  # fmt: skip
    for each in wrong:
        assert isinstance(get(*each), Failure)


def test_transact_write(both: Pair) -> None:
    def write(*actions: Any, **more: Any) -> dict[str, Any]:
        return both.same("TransactWriteItems", {"TransactItems": list(actions)}, **more)

    def put(item: Any, table: str = "full", **more: Any) -> Any:
        return {"Put": {"TableName": table, "Item": item, **more}}

    def delete(wanted: Any, **more: Any) -> Any:
        return {"Delete": {"TableName": "full", "Key": wanted, **more}}

    def update(wanted: Any, expression: str, **more: Any) -> Any:
        return {"Update": {"TableName": "full", "Key": wanted, "UpdateExpression": expression, **more}}

    def check(wanted: Any, condition: str, **more: Any) -> Any:
        return {"ConditionCheck": {"TableName": "full", "Key": wanted, "ConditionExpression": condition, **more}}

    # With indexes DynamoDB Local counts their units twice too.
    write(put(FULL), put(key("t", 2)))
    write(put({"p": {"S": "1"}, "b": {"S": "x" * 3000}}, "plain"), ReturnConsumedCapacity="TOTAL")
    write(put({"p": {"S": "1"}}, "plain"), put({"p": {"S": "2"}}, "plain"), ReturnConsumedCapacity="INDEXES")
    write(put(key("t", 1), ConditionExpression=ABSENT), put(key("t", 3)), check(key("t", 2), "attribute_exists(p)"))
    write(put(key("t", 1), ConditionExpression=ABSENT), put(key("t", 4)))
    write(
        put(key("t", 2), ConditionExpression=ABSENT, ReturnValuesOnConditionCheckFailure="ALL_OLD"),
        check(key("t", 77), "attribute_exists(p)", ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    )
    write(check(key("t", 1), "attribute_exists(p)"), ReturnConsumedCapacity="TOTAL")
    write(
        update(key("t", 1), "ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}),
        delete(key("t", 2)),
    )
    write(
        delete(key("t", 1), ConditionExpression="attribute_exists(zz)"),
        delete(key("t", 2)),
        check(key("t", 9), "attribute_exists(p)"),
    )
    token = {"ClientRequestToken": uuid4().hex}
    write(update(key("t", 1), "ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}), **token)
    write(update(key("t", 1), "ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}}), **token)
    write(update(key("t", 1), "ADD n :one", ExpressionAttributeValues={":one": {"N": "2"}}), **token)
    wrong: list[Any] = [
        (), ({},), ({**put(key()), **delete(key())},), (put(key()), delete(key())), (put(key(), "none"),),
        (put({"p": {"N": "1"}, "s": {"N": "1"}}),), (delete({"p": {"N": "1"}, "s": {"N": "1"}}),),
        (put({"p": {"S": ""}, "s": {"N": "1"}}),), (delete({"p": {"S": ""}, "s": {"N": "1"}}),), (put({**key(), "g": {"N": "1"}}),),
        (put({**key(), "b": {"S": "x" * 409_600}}),), (update(key("t", 1), "SET p = :b", ExpressionAttributeValues={":b": {"S": "1"}}),),
        (update(key("t", 1), "SET g = :b", ExpressionAttributeValues={":b": {"N": "1"}}),), ({"Put": {}},),
        (put(key(), ExpressionAttributeValues={":a": {"S": "1"}}),), (put({**key(), "x": {"N": "zz"}}),), (check(key(), "attribute_exists("),),
        [put(key("t", n)) for n in range(101)], [put({**key("t", n), "b": {"S": "x" * 400_000}}) for n in range(11)],
    ]  # fmt: skip
    for each in wrong:
        assert isinstance(write(*each), Failure)
    both.same("Scan", {"TableName": "full"})
    both.same("Scan", {"TableName": "full", "IndexName": "gsi"})
