"""The embedded engine and DynamoDB Local side by side: the same request to both, the answers compared.

What is known to differ is listed here, nowhere else.
"""

# ruff: noqa: E501 - wordings stand one to a line

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from dynawire.engines.embedded import EmbeddedEngine
from dynawire.errors import ConditionFailed, DynawireError, TransactionCancelled

# Messages that differ: what DynamoDB Local says, and what the engine says, as the service does. Anything else must be
# equal to the letter.
# fmt: off
WORDING: list[tuple[str, str]] = [
    # DynamoDB Local has words of its own for what is missing.
    (r"Cannot do operations on a non-existent table", r"Requested resource not found.*"),
    (r"Cannot create preexisting table", r"Table already exists: .+"),
    # The service tells members' constraints alike, since 2026 without values; DynamoDB Local does so for a few.
    (r"(1 validation error detected: )?Value .*(Member must .*)", r"1 validation error detected: Value at '.+' failed to satisfy constraint: Member must .*"),
    (r"(Cannot have null key|.* cannot be null|.* must have some requests set|.* cannot have a null or no requests set|.*required: \w+ has empty list|.*cannot be null or empty: \w+).*", r"1 validation error detected: Value at '.+' failed to satisfy constraint: Member must .*"),
    (r"(Limit must be greater than or equal to 1|Limit in ListTables must be <= 100|Member must have length less than or equal to 100|Member must satisfy enum value set: .*|Select must be .*|The supplied Item contains a null AttributeValue)", r"1 validation error detected: Value at '.+' failed to satisfy constraint: Member must .*"),
    (r"Return values set to invalid value", r"(ReturnValues can only be ALL_OLD or NONE|1 validation error .*Member must satisfy enum value set: .*)"),
    # Keys that do not fit.
    (r"One of the required keys was not given a value", r"One or more parameter values were invalid: Missing the key \w+ in the item"),
    (r"(The number of conditions on the keys is invalid|One or more parameter values were invalid: Type mismatch for key|Invalid attribute value type)", r"The provided key element does not match the schema"),
    (r"One or more parameter values were invalid: Type mismatch for key", r"One or more parameter values were invalid: Type mismatch for key \w+ expected: \w+ actual: \w+"),
    (r"(One or more parameter values were invalid: Type mismatch for Index Key|Invalid attribute value type)", r"One or more parameter values were invalid: Type mismatch for Index Key \w+ Expected: \w+ Actual: \w+ IndexName: \w+"),
    (r"Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024 bytes", r"One or more parameter values were invalid: (Size of hashkey has exceeded the maximum size limit of 2048 bytes|Aggregated size of all range keys has exceeded the size limit of 1024 bytes)"),
    (r"One or more parameter values were invalid: Size limit exceeded", r"One or more parameter values were invalid: Size limit exceeded for Index Key .*"),
    (r"The provided starting key (does not match the range key predicate|is invalid)|Exclusive Start Key must have same size as table's key schema|Type mismatch for attribute to update|Exclusive start key must lie within the segment", r"The provided starting key is invalid: .*"),
    (r"The number of conditions on the keys is invalid|One or more parameter values were invalid: Type mismatch for key", r"Transaction cancelled, .* \[ValidationError\]"),
    (r"Query condition missed key schema element", r"Query condition missed key schema element: \w+"),
    # Values stay out of messages.
    (r"(Invalid KeyConditionExpression: The BETWEEN operator requires upper bound .*); lower bound operand: .*", r"Invalid KeyConditionExpression: The BETWEEN operator requires upper bound .*"),
    (r"A value provided cannot be converted into a number", r"The parameter cannot be converted to a numeric value"),
    (r"If segment is specified, total segment must also be specified", r"The TotalSegments parameter is required but .*"),
    (r"If total segments is specified, a particular segment must .*", r"The Segment parameter is required but .*"),
    (r"1 validation error detected: Value '\d' at 'segment' .*", r"The Segment parameter is zero-based and must be less than .*"),
    (r"TimeToLive is active on a different AttributeName", r"TimeToLive is active on a different AttributeName: .*"),
    (r"", r"The request has the ClientRequestToken of an earlier transaction but other parameters; .*"),
    (r"The conditional request failed\.", r"The conditional request failed"),
    # Tables.
    (r"Invalid table/index name\. .*", r"1 validation error detected: Value at '.+' failed to satisfy constraint: Member must .*"),
    (r"No defined key schema\. .*", r"1 validation error detected: Value at 'KeySchema' .*"),
    (r"No Attribute Schema Defined", r"One or more parameter values were invalid: No Attribute Schema Defined"),
    (r"No Hash Key specified in schema\. .*", r"(Invalid KeySchema: The first KeySchemaElement is not a HASH key type|1 validation .*)"),
    (r"Too many hash keys specified\. .*", r"Invalid KeySchema: The second KeySchemaElement is not a RANGE key type"),
    (r"Two keys can not have the same name", r"Invalid KeySchema: Both the Hash Key and the Range Key element .*"),
    (r"Invalid key order\. .*", r"Invalid KeySchema: HASH keys must be specified first, .*"),
    (r"Key Schema too big\. .*", r"One or more parameter values were invalid: Key Schema too big: .*"),
    (r"(Range Key not specified in Attribute Definitions\.  Type unknown\.|Attribute \w+ is not defined in AttributeDefinitions)", r"One or more parameter values were invalid: Some (index )?key attributes .*are not defined in AttributeDefinitions.*"),
    (r"No Attribute Schema Defined", r"One or more parameter values were invalid: Some index key attributes .*are not defined in .*"),
    (r"The number of attributes in key schema must match .*", r"One or more parameter values were invalid: Some AttributeDefinitions are not used; .*"),
    (r"Cannot have two attributes with the same name", r"One or more parameter values were invalid: (Cannot have two attributes with the same name|Duplicate attribute name in NonKeyAttributes).*"),
    (r"No provisioned throughput specified for the (table|global secondary index)", r"One or more parameter values were invalid: (ReadCapacityUnits and WriteCapacityUnits must both be specified|Neither .*)"),
    (r"No provisioned throughput specified for the (table|global secondary index)", r"One or more parameter values were invalid: ReadCapacityUnits and WriteCapacityUnits must both be specified .*"),
    (r"Table read and write throughput must be at least 1, and cannot be null", r"1 validation error .* Member must have value greater than or equal to 1"),
    (r"(GSI|LSI) list is empty/invalid", r"One or more parameter values were invalid: List of \w+SecondaryIndexes is empty"),
    (r"(Two global secondary indices have the same name|Local Secondary Indices AND Global .* different names)", r"One or more parameter values were invalid: Duplicate index name: \w+"),
    (r"Indexes must have a projection specified", r"(One or more parameter values were invalid: Unknown ProjectionType: null|1 validation error .*Member must not be null)"),
    (r"If Projection type INCLUDE is specified, .*", r"(One or more parameter values were invalid: ProjectionType is INCLUDE, but NonKeyAttributes is not specified|1 validation error .*)"),
    (r"No attributes should be specified to be projected .*", r"One or more parameter values were invalid: ProjectionType is ALL, but NonKeyAttributes is specified"),
    (r"No more than 20 attributes per table can be projected .*", r"One or more parameter values were invalid: Number of projected attributes .*"),
    (r"GlobalSecondaryIndex count exceeds the per-table limit", r"GlobalSecondaryIndex count exceeds the per-table limit of 20"),
    (r"Cannot have more than 5 local secondary indexes per table", r"One or more parameter values were invalid: Number of LocalSecondaryIndexes exceeds per-table limit of 5"),
    (r"Local Secondary indices are not allowed on hash tables, .*", r"One or more parameter values were invalid: Table KeySchema does not have a range key, .*"),
    (r"Local Secondary indices must have the same hash key as the main table", r"One or more parameter values were invalid: Index KeySchema does not have the same leading hash key .*"),
    (r"Local secondary indices must have a range key", r"One or more parameter values were invalid: Index KeySchema does not have a range key for index: \w+"),
    (r"Too many (partition|sort) keys\. .*", r"One or more parameter values were invalid: Too many (partition|sort) keys\. .*"),
    (r"Invalid StreamViewType: .*", r"One or more parameter values were invalid: Table Stream(ViewType|Enabled) .*"),
    (r"Nothing to update", r"At least one of .*: Nothing to update"),
    (r"Update global secondary index action is null", r".*Only one of Create, Update or Delete .*"),
    (r"invalid attribute, SchemaElement redefined .*", r"One or more parameter values were invalid: Attribute \w+ is of type .*"),
    (r"Requested resource not found", r"Requested resource not found: Index: \w+ not found"),
]
# fmt: on

# Error codes that differ: DynamoDB Local's and the engine's.
CODES = {
    # DynamoDB Local stumbles over JSON of the wrong types; the service tells what it met.
    ("InternalFailure", "SerializationException"),
    ("InternalFailure", "ValidationException"),
    # An index too many is a matter of limits.
    ("ValidationException", "LimitExceededException"),
}

# Members of a table's description that are made by each side itself.
OWN = {
    "CreationDateTime", "IndexArn", "IndexSizeBytes", "LastDecreaseDateTime", "LastIncreaseDateTime", "LastUpdateToPayPerRequestDateTime",
    "LatestStreamArn", "LatestStreamLabel", "ProvisionedThroughput", "TableArn", "TableId", "BillingModeSummary",
    "OnDemandThroughput", "TableClassSummary", "SSEDescription", "Backfilling",
}  # fmt: skip


class Failure(dict[str, Any]):
    """An error as both sides tell it: code, message and what comes with it."""


class Pair:
    """Both sides, with tables of this pair's own."""

    def __init__(self, url: str, access_key: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        self._authorization = (
            f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=host, Signature=0"
        )
        self.engine = EmbeddedEngine()

    def close(self) -> None:
        self._connection.close()
        self.engine.close()

    def local(self, operation: str, body: bytes) -> dict[str, Any]:
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": self._authorization,
        }
        self._connection.request("POST", "/", body, headers)
        response = self._connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        if response.status == 200:
            return answer
        code = answer.pop("__type").rpartition("#")[2]
        return Failure(answer, code=code, message=answer.pop("Message", answer.pop("message", "")))

    def embedded(self, operation: str, body: bytes) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = json.loads(self.engine.send(operation, body))
        except DynawireError as error:
            code = str(getattr(error, "code", type(error).__name__))
            failure = Failure(code=code, message=error.message.removeprefix(f"{code}: "))
            if isinstance(error, ConditionFailed) and error.wire_item is not None:
                failure["Item"] = error.wire_item
            if isinstance(error, TransactionCancelled):
                failure["CancellationReasons"] = list(error.wire_reasons)
            return failure
        return answer

    def same(self, operation: str, request: Any, **members: Any) -> dict[str, Any]:
        """Send a request to both, assert that they answer alike, and return the engine's answer."""
        body = request if isinstance(request, bytes) else json.dumps({**request, **members}).encode()
        local, embedded = self.local(operation, body), self.embedded(operation, body)
        context = f"{operation} {body[:600].decode(errors='replace')}\nlocal:    {str(local)[-900:]}\nembedded: {str(embedded)[-900:]}"
        if b'"ReturnConsumedCapacity"' not in body:
            # DynamoDB Local tells it unasked when a delete finds nothing.
            local.pop("ConsumedCapacity", None)
        if isinstance(local, Failure) or isinstance(embedded, Failure):
            assert isinstance(local, Failure), context
            assert isinstance(embedded, Failure), context
            self._same_failure(local, embedded, context)
        else:
            assert comparable(operation, local) == comparable(operation, embedded), context
        return embedded

    def _same_failure(self, local: Failure, embedded: Failure, context: str) -> None:
        codes = (local["code"], embedded["code"])
        assert codes[0] == codes[1] or codes in CODES, context
        if codes[0] != "InternalFailure":
            assert same_wording(local["message"], embedded["message"]), context
        assert unordered(local.get("Item")) == unordered(embedded.get("Item")), context
        reasons = (local.get("CancellationReasons", []), embedded.get("CancellationReasons", []))
        if local["code"] == "TransactionCanceledException" and reasons[0]:
            assert len(reasons[0]) == len(reasons[1]), context
            for ours, theirs in zip(*reasons, strict=True):
                assert ours.get("Code") == theirs.get("Code"), context
                assert same_wording(ours.get("Message", ""), theirs.get("Message", "")), context
                assert unordered(ours.get("Item")) == unordered(theirs.get("Item")), context


def same_wording(local: str, embedded: str) -> bool:
    if local == embedded:
        return True
    return any(re.fullmatch(a, local, re.DOTALL) and re.fullmatch(b, embedded, re.DOTALL) for a, b in WORDING)


def unordered(value: Any) -> Any:
    """A value whose sets compare whatever their order."""
    if isinstance(value, dict):
        return {
            key: sorted(member) if key in ("SS", "NS", "BS") else unordered(member) for key, member in value.items()
        }
    if isinstance(value, list):
        return [unordered(member) for member in value]
    return value


def comparable(operation: str, answer: Any) -> Any:
    """An answer without what may differ."""
    answer = unordered(answer)
    if "ConsumedCapacity" in answer:
        answer["ConsumedCapacity"] = _capacity(answer["ConsumedCapacity"])
    # DynamoDB Local never tells ItemCollectionMetrics.
    answer.pop("ItemCollectionMetrics", None)
    if operation in ("Scan", "BatchGetItem"):
        # The order is each side's own.
        for items in [answer.get("Items", [])] if operation == "Scan" else answer["Responses"].values():
            items.sort(key=_text)
    for member in ("TableDescription", "Table"):
        if member in answer:
            answer[member] = _description(answer[member])
    return answer


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _capacity(consumed: Any) -> Any:
    """Without the split that transactions of the service tell and DynamoDB Local does not."""
    if isinstance(consumed, list):
        return sorted((_capacity(each) for each in consumed), key=lambda each: str(each["TableName"]))
    if isinstance(consumed, dict):
        return {
            name: _capacity(value)
            for name, value in consumed.items()
            if name not in ("ReadCapacityUnits", "WriteCapacityUnits")
        }
    return consumed


def _description(description: Any) -> Any:
    if isinstance(description, list):
        return sorted((_description(each) for each in description), key=_text)
    if isinstance(description, dict):
        kept = {name: value for name, value in description.items() if name not in OWN}
        return {name: value if name == "KeySchema" else _description(value) for name, value in kept.items()}
    return description


@contextmanager
def pair(url: str, access_key: str) -> Iterator[Pair]:
    both = Pair(url, access_key)
    try:
        yield both
    finally:
        both.close()
