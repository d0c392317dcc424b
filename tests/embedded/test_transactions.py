"""TransactGetItems and TransactWriteItems: all or nothing, once, and why not."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dynawire.engines.embedded import transactions
from dynawire.errors import ServiceError, TableNotFound, TransactionCancelled
from tests.embedded.calls import Calls, Item, index, key


def put(item: Item, table: str = "things", **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item, **more}}


def delete(wanted: Item, **more: Any) -> dict[str, Any]:
    return {"Delete": {"TableName": "things", "Key": wanted, **more}}


def update(wanted: Item, expression: str, table: str = "things", **values: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": table, "Key": wanted, "UpdateExpression": expression}
    if values:
        request["ExpressionAttributeValues"] = {f":{name}": value for name, value in values.items()}
    return {"Update": request}


def check(wanted: Item, condition: str, **more: Any) -> dict[str, Any]:
    return {"ConditionCheck": {"TableName": "things", "Key": wanted, "ConditionExpression": condition, **more}}


def cancelled(calls: Calls, *actions: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    """The reasons why a transaction is cancelled, after which nothing has changed."""
    before = calls.items("Scan", TableName="things")
    with pytest.raises(TransactionCancelled) as caught:
        calls("TransactWriteItems", TransactItems=list(actions), **more)
    reasons = [dict(reason) for reason in caught.value.wire_reasons]
    codes = ", ".join(reason["Code"] for reason in reasons)
    assert str(caught.value).endswith(f"please refer cancellation reasons for specific reasons [{codes}]")
    assert calls.items("Scan", TableName="things") == before
    return reasons


NONE = {"Code": "None"}
FAILED = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
ABSENT = "attribute_not_exists(p)"
EXISTS = "attribute_exists(p)"


@pytest.fixture
def things(calls: Calls) -> Calls:
    calls.create(more="g:S", indexes=[index("by_g", "g")])
    for name in "ab":
        calls("PutItem", TableName="things", Item={**key(name), "n": {"N": "1"}})
    return calls


def test_all_is_done(things: Calls) -> None:
    things("TransactWriteItems", TransactItems=[
        put({**key("new"), "g": {"S": "g"}}, ConditionExpression=ABSENT),
        delete(key("a"), ConditionExpression=EXISTS),
        update(key("b"), "ADD n :one SET g = :g", one={"N": "1"}, g={"S": "g"}),
        check(key("c"), ABSENT),
    ])  # fmt: skip
    found = {item["p"]["S"]: item for item in things.items("Scan", TableName="things")}
    assert found.keys() == {"new", "b"}
    assert found["b"]["n"] == {"N": "2"}
    assert things("Scan", TableName="things", IndexName="by_g", Select="COUNT")["Count"] == 2


def test_a_reason_for_each_action(things: Calls) -> None:
    reasons = cancelled(
        things,
        put(key("new")),
        put(key("a"), ConditionExpression=ABSENT),
        delete(key("none"), ConditionExpression=EXISTS),
        update(key("b"), "SET x = absent"),
        check(key("c"), ABSENT),
        put({**key("d"), "g": {"N": "1"}}),
    )
    assert reasons[:3] == [NONE, FAILED, FAILED]
    assert reasons[3]["Code"] == "ValidationError"
    assert reasons[3]["Message"] == "The provided expression refers to an attribute that does not exist in the item"
    assert reasons[4] == NONE
    assert reasons[5]["Code"] == "ValidationError"
    assert "Type mismatch for Index Key g" in reasons[5]["Message"]


def test_a_reason_has_the_item_when_asked(things: Calls) -> None:
    tell = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    reasons = cancelled(
        things,
        put(key("a"), ConditionExpression=ABSENT, **tell),
        check(key("none"), EXISTS, **tell),
        check(key("b"), ABSENT),
    )
    assert reasons == [{**FAILED, "Item": {**key("a"), "n": {"N": "1"}}}, FAILED, FAILED]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (put({"q": {"S": "x"}}), "Missing the key p in the item"),
        (put({"p": {"N": "1"}}), "Type mismatch for key p expected: S actual: N"),
        (delete({"p": {"N": "1"}}), "The provided key element does not match the schema"),
        (check({"q": {"S": "1"}}, ABSENT), "The provided key element does not match the schema"),
        (update({**key("a"), "x": {"S": "1"}}, "REMOVE n"), "The provided key element does not match the schema"),
        (update(key("a"), "SET p = :p", p={"S": "x"}), "Cannot update attribute p. This attribute is part of the key"),
        (update(key("a"), "SET x = :x", x={"S": "x" * 409_600}), "Item size to update has exceeded the maximum"),
        (
            update(key("a"), "SET q.r = :x", x={"S": "x"}),
            "The document path provided in the update",
        ),
        (
            update(key("a"), "ADD n :x", x={"NS": ["1"]}),
            "incorrect data type",
        ),
        (update(key("a"), "SET g = :x", x={"N": "1"}), "Type mismatch for Index Key g"),
    ],
)
def test_what_does_not_fit_cancels(things: Calls, action: dict[str, Any], message: str) -> None:
    reasons = cancelled(things, put(key("new")), action)
    assert reasons[0] == NONE
    assert reasons[1]["Code"] == "ValidationError"
    assert message in reasons[1]["Message"]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([put({"p": {"S": ""}})], "cannot contain an empty string value. Key: p"),
        ([put({**key("a"), "x": {"S": "x" * 409_600}})], "Item size has exceeded the maximum allowed size"),
        ([put(key("a")), delete(key("a"))], "cannot include multiple operations on one item"),
        ([put(key("a")), check(key("a"), EXISTS)], "cannot include multiple operations on one item"),
        ([{}], "should contain Delete or Put or Update request"),
        ([{**put(key("a")), **delete(key("b"))}], "can only contain one of Check, Put, Update or Delete"),
        ([put({**key(f"{n}"), "x": {"S": "x" * 400_000}}) for n in range(11)], "cannot exceed 4MB"),
        ([put(key(f"{n}")) for n in range(101)], "Member must have length less than or equal to 100"),
        ([put({**key("a"), "x": {"N": "x"}})], "cannot be converted to a numeric value"),
        ([put(key("a"), ConditionExpression="p =")], "Invalid ConditionExpression: Syntax error"),
        ([update(key("a"), "SET")], "Invalid UpdateExpression: Syntax error"),
        ([{"Update": {"TableName": "things", "Key": key("a")}}], "TransactItems.1.member.Update.UpdateExpression"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_request_wrong_in_itself(things: Calls, actions: list[dict[str, Any]], message: str) -> None:
    things.refused(message, "TransactWriteItems", TransactItems=[*actions, put(key("new"))][:101])
    assert things("Scan", TableName="things", Select="COUNT")["Count"] == 2


def test_updates_may_not_make_more_than_4_megabytes(things: Calls) -> None:
    for number in range(11):
        things("PutItem", TableName="things", Item={**key(f"{number}"), "x": {"S": "x" * 390_000}})
    actions = [update(key(f"{number}"), "SET y = :y", y={"S": "y"}) for number in range(11)]
    things.refused("cannot exceed 4MB", "TransactWriteItems", TransactItems=actions)
    things("TransactWriteItems", TransactItems=actions[:10])
    # What is deleted does not count.
    things("TransactWriteItems", TransactItems=[delete(key(f"{number}")) for number in range(11)])


def test_a_table_that_does_not_exist(things: Calls) -> None:
    with pytest.raises(TableNotFound):
        things("TransactWriteItems", TransactItems=[put(key("new")), put(key("x"), "none")])
    assert things("GetItem", TableName="things", Key=key("new")) == {}


def test_tables_are_told_apart(things: Calls) -> None:
    things.create("others")
    things("TransactWriteItems", TransactItems=[put(key("same")), put(key("same"), "others")])
    gets = [{"Get": {"TableName": name, "Key": key("same")}} for name in ("things", "others")]
    assert things("TransactGetItems", TransactItems=gets)["Responses"] == [{"Item": key("same")}] * 2


def test_a_token_makes_once_of_twice(things: Calls) -> None:
    request = {"TransactItems": [update(key("a"), "ADD n :one", one={"N": "1"})], "ClientRequestToken": "t"}
    first = things("TransactWriteItems", request, ReturnConsumedCapacity="TOTAL")
    again = things("TransactWriteItems", request, ReturnConsumedCapacity="TOTAL")
    assert first["ConsumedCapacity"] == [{"TableName": "things", "CapacityUnits": 2, "WriteCapacityUnits": 2}]
    # What is repeated is only read.
    assert again["ConsumedCapacity"] == [{"TableName": "things", "CapacityUnits": 2, "ReadCapacityUnits": 2}]
    assert things("GetItem", TableName="things", Key=key("a"))["Item"]["n"] == {"N": "2"}
    # The same request, written otherwise.
    actions = [update(key("a"), "ADD n :one", one={"N": "1.0"})]
    things("TransactWriteItems", TransactItems=actions, ClientRequestToken="t")
    assert things("GetItem", TableName="things", Key=key("a"))["Item"]["n"] == {"N": "2"}
    things("TransactWriteItems", request, ClientRequestToken="other")
    assert things("GetItem", TableName="things", Key=key("a"))["Item"]["n"] == {"N": "3"}


def test_a_token_belongs_to_its_request(things: Calls) -> None:
    things("TransactWriteItems", TransactItems=[put(key("new"))], ClientRequestToken="t")
    error = things.fails(
        "IdempotentParameterMismatchException", "TransactWriteItems", TransactItems=[put(key("other"))],
        ClientRequestToken="t",
    )  # fmt: skip
    assert isinstance(error, ServiceError)
    assert things("GetItem", TableName="things", Key=key("other")) == {}


def test_a_cancelled_transaction_leaves_its_token_free(things: Calls) -> None:
    actions = [put(key("new"), ConditionExpression=ABSENT), check(key("c"), EXISTS)]
    cancelled(things, *actions, ClientRequestToken="t")
    things("PutItem", TableName="things", Item=key("c"))
    things("TransactWriteItems", TransactItems=actions, ClientRequestToken="t")
    assert things("GetItem", TableName="things", Key=key("new")) != {}


def test_a_token_is_remembered_for_ten_minutes(things: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    request = {"TransactItems": [update(key("a"), "ADD n :one", one={"N": "1"})], "ClientRequestToken": "t"}
    now = time.time()
    for later, n in ((0, "2"), (598, "2"), (602, "3"), (1190, "3")):
        monkeypatch.setattr(transactions.time, "time", lambda later=later: now + later)
        things("TransactWriteItems", request)
        assert things("GetItem", TableName="things", Key=key("a"))["Item"]["n"] == {"N": n}


def test_units_of_transactions(things: Calls) -> None:
    big = {**key("big"), "g": {"S": "g"}, "x": {"S": "x" * 1500}}
    told = things(
        "TransactWriteItems", TransactItems=[put(big), check(key("a"), EXISTS), delete(key("none"))],
        ReturnConsumedCapacity="INDEXES",
    )["ConsumedCapacity"]  # fmt: skip
    # Twice on the table, once on an index.
    assert told == [
        {
            "TableName": "things",
            "CapacityUnits": 10,
            "WriteCapacityUnits": 10,
            "Table": {"CapacityUnits": 8, "WriteCapacityUnits": 8},
            "GlobalSecondaryIndexes": {"by_g": {"CapacityUnits": 2, "WriteCapacityUnits": 2}},
        }
    ]
    gets = [{"Get": {"TableName": "things", "Key": wanted}} for wanted in (key("big"), key("none"))]
    told = things("TransactGetItems", TransactItems=gets, ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"]
    assert told == [{"TableName": "things", "CapacityUnits": 4, "ReadCapacityUnits": 4}]


def test_reads_of_a_transaction(things: Calls) -> None:
    gets = [
        {"Get": {"TableName": "things", "Key": key("a"), "ProjectionExpression": "n"}},
        {"Get": {"TableName": "things", "Key": key("none")}},
        {"Get": {"TableName": "things", "Key": key("b")}},
    ]
    answer = things("TransactGetItems", TransactItems=gets)
    assert answer == {"Responses": [{"Item": {"n": {"N": "1"}}}, {}, {"Item": {**key("b"), "n": {"N": "1"}}}]}
    things.refused("multiple operations on one item", "TransactGetItems", TransactItems=[gets[0], gets[0]])
    with pytest.raises(TransactionCancelled) as caught:
        things("TransactGetItems", TransactItems=[gets[0], {"Get": {"TableName": "things", "Key": {"p": {"N": "1"}}}}])
    assert [reason["Code"] for reason in caught.value.wire_reasons] == ["None", "ValidationError"]


def test_a_transaction_reads_at_most_4_megabytes(things: Calls) -> None:
    for number in range(11):
        things("PutItem", TableName="things", Item={**key(f"{number}"), "x": {"S": "x" * 400_000}})
    gets = [{"Get": {"TableName": "things", "Key": key(f"{number}")}} for number in range(11)]
    things.refused("cannot exceed 4MB", "TransactGetItems", TransactItems=gets)
    assert len(things("TransactGetItems", TransactItems=gets[:10])["Responses"]) == 10


def test_readers_see_all_of_a_transaction_or_nothing(things: Calls) -> None:
    """One moves amounts between two items; others read both: their sum never changes."""
    for name, amount in (("a", 100), ("b", 0)):
        things("PutItem", TableName="things", Item={**key(name), "n": {"N": str(amount)}})

    def move(_: int) -> None:
        for _ in range(60):
            one = {"one": {"N": "1"}}
            actions = [update(key("a"), "SET n = n - :one", **one), update(key("b"), "SET n = n + :one", **one)]
            things("TransactWriteItems", TransactItems=actions)

    def read(_: int) -> set[int]:
        gets = [{"Get": {"TableName": "things", "Key": key(name)}} for name in "ab"]
        sums = set()
        for _ in range(60):
            items = things("TransactGetItems", TransactItems=gets)["Responses"]
            sums.add(sum(int(each["Item"]["n"]["N"]) for each in items))
        return sums

    with ThreadPoolExecutor(4) as pool:
        moving = pool.submit(move, 0)
        assert set().union(*pool.map(read, range(3))) == {100}
        moving.result()
    assert things("GetItem", TableName="things", Key=key("b"))["Item"]["n"] == {"N": "60"}
