"""boto3's client, which gives and takes DynamoDB's tagged values."""

from __future__ import annotations

from typing import Any

import sample

IMPORT = "import boto3"

_KEY = {"pk": {"S": "user#1"}, "sk": {"S": "order#000001"}}
_ITEM = sample.wire_item(sample.item())


def start(url: str) -> None:
    global client
    import boto3

    client = boto3.client(
        "dynamodb",
        endpoint_url=url or None,
        region_name=sample.REGION,
        aws_access_key_id=sample.ACCESS_KEY,
        aws_secret_access_key=sample.SECRET_KEY,
    )


def get() -> Any:
    return client.get_item(TableName=sample.TABLE, Key=_KEY)["Item"]


def put() -> None:
    client.put_item(TableName=sample.TABLE, Item=_ITEM)


def query() -> list[Any]:
    items: list[Any] = client.query(
        TableName=sample.TABLE, KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": {"S": "user#1"}}
    )["Items"]
    return items


def plain(item: Any) -> Any:
    return sample.untagged({"M": item})
