"""The requests on items, as msgspec reads them: one struct per operation, its constraints those of the API model.

Members the service does not know are ignored, ``null`` means absent. Members of the API before expressions are read
only to be refused with the name of their successor.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeVar

from msgspec import Meta, Struct

__all__ = [
    "BatchGetItem",
    "BatchWriteItem",
    "CheckAction",
    "DeleteAction",
    "DeleteItem",
    "Expressions",
    "GetAction",
    "GetItem",
    "KeysAndAttributes",
    "Page",
    "PutAction",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItem",
    "TransactWriteItems",
    "UpdateAction",
    "UpdateItem",
    "WriteRequest",
]

_T = TypeVar("_T")

# A table's name or ARN. Names of the wrong form are told from missing tables where the table is looked up.
_TableName = Annotated[str, Meta(min_length=1, max_length=1024)]
_Attributes = dict[str, Any]
_Names = dict[str, str]
_UpTo100 = Annotated[list[_T], Meta(min_length=1, max_length=100)]

_Capacity = Literal["INDEXES", "TOTAL", "NONE"]
_Metrics = Literal["SIZE", "NONE"]
_OnFailure = Literal["ALL_OLD", "NONE"]
_ReturnValues = Literal["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"]
_Select = Literal["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"]


class Expressions(Struct, kw_only=True, gc=False):
    """What every request with expressions may have."""

    ExpressionAttributeNames: _Names | None = None
    ExpressionAttributeValues: _Attributes | None = None


class _OnItem(Expressions, kw_only=True, gc=False):
    TableName: _TableName
    ReturnValuesOnConditionCheckFailure: _OnFailure | None = None


class _Conditional(_OnItem, kw_only=True, gc=False):
    ConditionExpression: str | None = None


class PutAction(_Conditional, kw_only=True, gc=False):
    """A put, by itself or in a transaction."""

    Item: _Attributes


class DeleteAction(_Conditional, kw_only=True, gc=False):
    """A delete, by itself or in a transaction."""

    Key: _Attributes


class UpdateAction(_Conditional, kw_only=True, gc=False):
    """An update in a transaction."""

    Key: _Attributes
    UpdateExpression: str


class CheckAction(_OnItem, kw_only=True, gc=False):
    """A condition on an item that a transaction leaves as it is."""

    Key: _Attributes
    ConditionExpression: str


class PutItem(PutAction, kw_only=True, gc=False):
    """PutItem."""

    ReturnValues: _ReturnValues | None = None
    ReturnConsumedCapacity: _Capacity | None = None
    ReturnItemCollectionMetrics: _Metrics | None = None
    Expected: Any = None
    ConditionalOperator: Any = None


class DeleteItem(DeleteAction, kw_only=True, gc=False):
    """DeleteItem."""

    ReturnValues: _ReturnValues | None = None
    ReturnConsumedCapacity: _Capacity | None = None
    ReturnItemCollectionMetrics: _Metrics | None = None
    Expected: Any = None
    ConditionalOperator: Any = None


class UpdateItem(_Conditional, kw_only=True, gc=False):
    """UpdateItem. Without an expression it only sees to it that the item exists."""

    Key: _Attributes
    UpdateExpression: str | None = None
    ReturnValues: _ReturnValues | None = None
    ReturnConsumedCapacity: _Capacity | None = None
    ReturnItemCollectionMetrics: _Metrics | None = None
    AttributeUpdates: Any = None
    Expected: Any = None
    ConditionalOperator: Any = None


class GetItem(Struct, kw_only=True, gc=False):
    """GetItem."""

    TableName: _TableName
    Key: _Attributes
    ConsistentRead: bool | None = None
    ProjectionExpression: str | None = None
    ExpressionAttributeNames: _Names | None = None
    ReturnConsumedCapacity: _Capacity | None = None
    AttributesToGet: Any = None


class Page(Expressions, kw_only=True, gc=False):
    """What Query and Scan have in common."""

    TableName: _TableName
    IndexName: str | None = None
    Select: _Select | None = None
    Limit: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    ConsistentRead: bool | None = None
    ExclusiveStartKey: _Attributes | None = None
    ProjectionExpression: str | None = None
    FilterExpression: str | None = None
    ReturnConsumedCapacity: _Capacity | None = None
    AttributesToGet: Any = None
    ConditionalOperator: Any = None


class Query(Page, kw_only=True, gc=False):
    """Query."""

    KeyConditionExpression: str | None = None
    ScanIndexForward: bool | None = None
    KeyConditions: Any = None
    QueryFilter: Any = None


class Scan(Page, kw_only=True, gc=False):
    """Scan."""

    Segment: Annotated[int, Meta(ge=0, le=999_999)] | None = None
    TotalSegments: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    ScanFilter: Any = None


class KeysAndAttributes(Struct, kw_only=True, gc=False):
    """What BatchGetItem reads from one table."""

    Keys: _UpTo100[_Attributes]
    ConsistentRead: bool | None = None
    ProjectionExpression: str | None = None
    ExpressionAttributeNames: _Names | None = None
    AttributesToGet: Any = None


class BatchGetItem(Struct, kw_only=True, gc=False):
    """BatchGetItem."""

    RequestItems: Annotated[dict[_TableName, KeysAndAttributes], Meta(min_length=1, max_length=100)]
    ReturnConsumedCapacity: _Capacity | None = None


class PutEntry(Struct, kw_only=True, gc=False):
    """A put of a batch."""

    Item: _Attributes


class DeleteEntry(Struct, kw_only=True, gc=False):
    """A delete of a batch."""

    Key: _Attributes


class WriteRequest(Struct, kw_only=True, gc=False):
    """One of the two."""

    PutRequest: PutEntry | None = None
    DeleteRequest: DeleteEntry | None = None


class BatchWriteItem(Struct, kw_only=True, gc=False):
    """BatchWriteItem."""

    RequestItems: Annotated[
        dict[_TableName, Annotated[list[WriteRequest], Meta(min_length=1, max_length=25)]],
        Meta(min_length=1, max_length=25),
    ]
    ReturnConsumedCapacity: _Capacity | None = None
    ReturnItemCollectionMetrics: _Metrics | None = None


class GetAction(Struct, kw_only=True, gc=False):
    """A read of a transaction."""

    TableName: _TableName
    Key: _Attributes
    ProjectionExpression: str | None = None
    ExpressionAttributeNames: _Names | None = None


class TransactGetItem(Struct, kw_only=True, gc=False):
    """Its envelope."""

    Get: GetAction


class TransactGetItems(Struct, kw_only=True, gc=False):
    """TransactGetItems."""

    TransactItems: _UpTo100[TransactGetItem]
    ReturnConsumedCapacity: _Capacity | None = None


class TransactWriteItem(Struct, kw_only=True, gc=False, omit_defaults=True):
    """One action of a transaction."""

    ConditionCheck: CheckAction | None = None
    Put: PutAction | None = None
    Delete: DeleteAction | None = None
    Update: UpdateAction | None = None


class TransactWriteItems(Struct, kw_only=True, gc=False):
    """TransactWriteItems."""

    TransactItems: _UpTo100[TransactWriteItem]
    ClientRequestToken: Annotated[str, Meta(min_length=1, max_length=36)] | None = None
    ReturnConsumedCapacity: _Capacity | None = None
    ReturnItemCollectionMetrics: _Metrics | None = None
