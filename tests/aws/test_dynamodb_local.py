"""The engine against AWS's DynamoDB Local."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dynawire.engines.aws import AwsEngine
from dynawire.errors import ConditionFailed, ServiceError, TableInUse, TableNotFound, TransactionCancelled
from tests.aws.conftest import Client


@pytest.fixture
def call(client: Client, dynamodb_local: str) -> Any:
    # An access key of its own for each way to send: they see different databases.
    engine: AwsEngine = client.connect(
        dynamodb_local, access_key_id=f"awsengine{client.kind}", secret_access_key="secret"
    )

    def call(operation: str, idempotent: bool = True, **request: Any) -> Any:
        return json.loads(client.send(engine, operation, json.dumps(request).encode(), idempotent))

    for name in call("ListTables")["TableNames"]:
        call("DeleteTable", TableName=name)
    call(
        "CreateTable",
        TableName="things",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return call


def test_items(call: Any) -> None:
    item = {"pk": {"S": "ä"}, "n": {"N": "1"}, "text": {"S": "x" * 300_000}}
    call("PutItem", TableName="things", Item=item)
    assert call("GetItem", TableName="things", Key={"pk": {"S": "ä"}})["Item"] == item
    assert call("GetItem", TableName="things", Key={"pk": {"S": "absent"}}) == {}
    updated = call(
        "UpdateItem",
        idempotent=False,
        TableName="things",
        Key={"pk": {"S": "ä"}},
        UpdateExpression="ADD n :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
        ReturnValues="UPDATED_NEW",
    )
    assert updated["Attributes"] == {"n": {"N": "2"}}
    assert call("Scan", TableName="things", Select="COUNT")["Count"] == 1


def test_errors(call: Any) -> None:
    with pytest.raises(TableNotFound) as caught:
        call("GetItem", TableName="absent", Key={"pk": {"S": "a"}})
    assert (caught.value.code, caught.value.status) == ("ResourceNotFoundException", 400)
    assert caught.value.request_id
    with pytest.raises(ServiceError, match="ValidationException") as refused:
        call("GetItem", TableName="things", Key={"wrong": {"S": "a"}})
    assert type(refused.value) is ServiceError
    with pytest.raises(TableInUse):
        call(
            "CreateTable",
            TableName="things",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
    put = {"TableName": "things", "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"}
    call("PutItem", **put)
    with pytest.raises(ConditionFailed) as failed:
        call("PutItem", **put, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert failed.value.wire_item == {"pk": {"S": "a"}}
    with pytest.raises(TransactionCancelled) as cancelled:
        call("TransactWriteItems", TransactItems=[{"Put": put}])
    assert [reason["Code"] for reason in cancelled.value.wire_reasons] == ["ConditionalCheckFailed"]
    with pytest.raises(ServiceError):
        call("NoSuchOperation")
