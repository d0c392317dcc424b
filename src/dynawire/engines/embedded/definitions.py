"""What is known of a table: as it is declared in requests, kept in the catalog and described in answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, to_builtins

__all__ = [
    "ARN_PREFIX",
    "AttributeDefinition",
    "GlobalIndexDefinition",
    "IndexDefinition",
    "IndexProjection",
    "KeySchemaElement",
    "Statistics",
    "Stream",
    "TableDefinition",
    "Tag",
    "Throughput",
    "describe",
]

ARN_PREFIX: Final = "arn:aws:dynamodb:local:000000000000:table/"
"""What a table's ARN begins with; its name follows."""

_KeyName = Annotated[str, Meta(min_length=1, max_length=255)]
_IndexName = Annotated[str, Meta(min_length=3, max_length=255, pattern="^[a-zA-Z0-9_.-]+$")]
_Units = Annotated[int, Meta(ge=1)]


class AttributeDefinition(Struct, frozen=True):
    """The type of a key attribute."""

    AttributeName: _KeyName
    AttributeType: Literal["B", "N", "S"]


class KeySchemaElement(Struct, frozen=True):
    """A key attribute's part in a key."""

    AttributeName: _KeyName
    KeyType: Literal["HASH", "RANGE"]


class IndexProjection(Struct, frozen=True, omit_defaults=True):
    """Which attributes an index has."""

    ProjectionType: Literal["ALL", "INCLUDE", "KEYS_ONLY"] | None = None
    NonKeyAttributes: Annotated[list[_KeyName], Meta(min_length=1, max_length=20)] | None = None


class Throughput(Struct, frozen=True):
    """Capacity units a second. Nothing is throttled; they are kept and told."""

    ReadCapacityUnits: _Units
    WriteCapacityUnits: _Units


class Stream(Struct, frozen=True, omit_defaults=True):
    """Whether a table has a stream, and of what."""

    StreamEnabled: bool
    StreamViewType: Literal["NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"] | None = None


class Tag(Struct, frozen=True):
    """A tag of a table."""

    Key: Annotated[str, Meta(min_length=1, max_length=128)]
    Value: Annotated[str, Meta(max_length=256)]


class IndexDefinition(Struct, kw_only=True, omit_defaults=True):
    """A local secondary index."""

    IndexName: _IndexName
    KeySchema: Annotated[list[KeySchemaElement], Meta(min_length=1)]
    Projection: IndexProjection


class GlobalIndexDefinition(IndexDefinition, kw_only=True, omit_defaults=True):
    """A global secondary index."""

    ProvisionedThroughput: Throughput | None = None
    OnDemandThroughput: dict[str, int] | None = None
    WarmThroughput: dict[str, int] | None = None


class TableDefinition(Struct, kw_only=True, omit_defaults=True):
    """A table, as the catalog keeps it.

    Attributes:
        number: names its table in SQLite; never used again for another.
        index_numbers: the same for its indexes.
        created: when it was made, in seconds since the epoch.
        billing_changed: when its billing mode was last chosen.
        stream_label: the name of its stream.
        time_to_live: the attribute that says when an item expires.
    """

    TableName: str
    TableId: str
    AttributeDefinitions: list[AttributeDefinition]
    KeySchema: list[KeySchemaElement]
    number: int
    index_numbers: dict[str, int] = {}
    created: float
    LocalSecondaryIndexes: list[IndexDefinition] = []
    GlobalSecondaryIndexes: list[GlobalIndexDefinition] = []
    BillingMode: Literal["PROVISIONED", "PAY_PER_REQUEST"] = "PROVISIONED"
    billing_changed: float | None = None
    ProvisionedThroughput: Throughput | None = None
    OnDemandThroughput: dict[str, int] | None = None
    WarmThroughput: dict[str, int] | None = None
    StreamSpecification: Stream | None = None
    stream_label: str | None = None
    TableClass: Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"] | None = None
    SSESpecification: dict[str, Any] | None = None
    DeletionProtectionEnabled: bool = False
    time_to_live: str | None = None
    tags: dict[str, str] = {}

    @property
    def arn(self) -> str:
        return ARN_PREFIX + self.TableName


class Statistics(Struct, frozen=True):
    """How many items a table or index has, and their size in bytes."""

    items: int = 0
    bytes: int = 0


def describe(table: TableDefinition, statistics: Sequence[Statistics], *, status: str = "ACTIVE") -> dict[str, Any]:
    """A TableDescription.

    Args:
        table: the table.
        statistics: of the table, then of its local, then of its global indexes.
        status: the TableStatus.
    """
    of_table, *of_indexes = statistics
    description: dict[str, Any] = {
        "AttributeDefinitions": to_builtins(table.AttributeDefinitions),
        "TableName": table.TableName,
        "KeySchema": to_builtins(table.KeySchema),
        "TableStatus": status,
        "CreationDateTime": table.created,
        "ProvisionedThroughput": _throughput(table.ProvisionedThroughput),
        "TableSizeBytes": of_table.bytes,
        "ItemCount": of_table.items,
        "TableArn": table.arn,
        "TableId": table.TableId,
        "DeletionProtectionEnabled": table.DeletionProtectionEnabled,
    }
    if table.billing_changed is not None:
        billing: dict[str, Any] = {"BillingMode": table.BillingMode}
        if table.BillingMode == "PAY_PER_REQUEST":
            billing["LastUpdateToPayPerRequestDateTime"] = table.billing_changed
        description["BillingModeSummary"] = billing
    each = iter(of_indexes)
    if table.LocalSecondaryIndexes:
        description["LocalSecondaryIndexes"] = [
            _describe_index(table, index, next(each)) for index in table.LocalSecondaryIndexes
        ]
    if table.GlobalSecondaryIndexes:
        description["GlobalSecondaryIndexes"] = [
            _describe_global(table, index, next(each)) for index in table.GlobalSecondaryIndexes
        ]
    _describe_options(table, description)
    return description


def _describe_options(table: TableDefinition, description: dict[str, Any]) -> None:
    if table.StreamSpecification is not None:
        description["StreamSpecification"] = to_builtins(table.StreamSpecification)
    if table.stream_label is not None:
        description["LatestStreamLabel"] = table.stream_label
        description["LatestStreamArn"] = f"{table.arn}/stream/{table.stream_label}"
    if table.TableClass is not None:
        description["TableClassSummary"] = {"TableClass": table.TableClass}
    if table.SSESpecification and table.SSESpecification.get("Enabled"):
        kind = table.SSESpecification.get("SSEType") or "KMS"
        description["SSEDescription"] = {"Status": "ENABLED", "SSEType": kind}
    if table.OnDemandThroughput is not None:
        description["OnDemandThroughput"] = table.OnDemandThroughput
    if table.WarmThroughput is not None:
        description["WarmThroughput"] = {**table.WarmThroughput, "Status": "ACTIVE"}


def _describe_index(table: TableDefinition, index: IndexDefinition, statistics: Statistics) -> dict[str, Any]:
    return {
        "IndexName": index.IndexName,
        "KeySchema": to_builtins(index.KeySchema),
        "Projection": to_builtins(index.Projection),
        "IndexSizeBytes": statistics.bytes,
        "ItemCount": statistics.items,
        "IndexArn": f"{table.arn}/index/{index.IndexName}",
    }


def _describe_global(table: TableDefinition, index: GlobalIndexDefinition, statistics: Statistics) -> dict[str, Any]:
    description = _describe_index(table, index, statistics)
    description["IndexStatus"] = "ACTIVE"
    description["ProvisionedThroughput"] = _throughput(index.ProvisionedThroughput)
    if index.OnDemandThroughput is not None:
        description["OnDemandThroughput"] = index.OnDemandThroughput
    if index.WarmThroughput is not None:
        description["WarmThroughput"] = {**index.WarmThroughput, "Status": "ACTIVE"}
    return description


def _throughput(units: Throughput | None) -> dict[str, int]:
    return {
        "NumberOfDecreasesToday": 0,
        "ReadCapacityUnits": units.ReadCapacityUnits if units else 0,
        "WriteCapacityUnits": units.WriteCapacityUnits if units else 0,
    }
