"""moto, called through boto3's client."""

from __future__ import annotations

import sample
from rivals import boto3_
from rivals.boto3_ import get, plain, put, query

__all__ = ["fill", "get", "plain", "put", "query", "start", "stop", "update"]


def start(url: str) -> None:
    global _mock
    from moto import mock_aws

    _mock = mock_aws()
    _mock.start()
    boto3_.start("")
    fill()


def fill() -> None:
    """Create the table with the sample items in it."""
    boto3_.client.create_table(**sample.table_definition())
    for number in range(sample.PAGE_ITEMS):
        boto3_.client.put_item(TableName=sample.TABLE, Item=sample.wire_item(sample.item(number)))


def stop() -> None:
    _mock.stop()


def update() -> None:
    boto3_.client.update_item(
        TableName=sample.TABLE,
        Key={"pk": {"S": "user#1"}, "sk": {"S": "order#000050"}},
        UpdateExpression="ADD age :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
