"""The requests on tables, as msgspec reads them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from dynawire.engines.embedded.definitions import (
    AttributeDefinition,
    GlobalIndexDefinition,
    IndexDefinition,
    KeySchemaElement,
    Stream,
    Tag,
    Throughput,
)

__all__ = [
    "CreateTable",
    "DeleteTable",
    "DescribeEndpoints",
    "DescribeLimits",
    "DescribeTable",
    "DescribeTimeToLive",
    "IndexUpdate",
    "ListTables",
    "ListTagsOfResource",
    "TagResource",
    "UntagResource",
    "UpdateTable",
    "UpdateTimeToLive",
]

_TableName = Annotated[str, Meta(min_length=1, max_length=1024)]
_IndexName = Annotated[str, Meta(min_length=3, max_length=255, pattern="^[a-zA-Z0-9_.-]+$")]
_BillingMode = Literal["PROVISIONED", "PAY_PER_REQUEST"]
_TableClass = Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"]


class CreateTable(Struct, kw_only=True):
    """CreateTable. Members whose type is Any are not for an embedded table."""

    TableName: _TableName
    AttributeDefinitions: list[AttributeDefinition] | None = None
    KeySchema: Annotated[list[KeySchemaElement], Meta(min_length=1)] | None = None
    LocalSecondaryIndexes: list[IndexDefinition] | None = None
    GlobalSecondaryIndexes: list[GlobalIndexDefinition] | None = None
    BillingMode: _BillingMode | None = None
    ProvisionedThroughput: Throughput | None = None
    OnDemandThroughput: dict[str, int] | None = None
    WarmThroughput: dict[str, int] | None = None
    StreamSpecification: Stream | None = None
    SSESpecification: dict[str, Any] | None = None
    Tags: list[Tag] | None = None
    TableClass: _TableClass | None = None
    DeletionProtectionEnabled: bool | None = None
    ResourcePolicy: Any = None
    GlobalTableSourceArn: Any = None
    GlobalTableSettingsReplicationMode: Any = None
    VectorIndexes: Any = None


class _NamedIndex(Struct, kw_only=True):
    """An index to be deleted."""

    IndexName: _IndexName


class _ChangedIndex(Struct, kw_only=True):
    """An index whose settings change."""

    IndexName: _IndexName
    ProvisionedThroughput: Throughput | None = None
    OnDemandThroughput: dict[str, int] | None = None
    WarmThroughput: dict[str, int] | None = None


class IndexUpdate(Struct, kw_only=True):
    """One change of the global indexes: exactly one of its members is given."""

    Update: _ChangedIndex | None = None
    Create: GlobalIndexDefinition | None = None
    Delete: _NamedIndex | None = None


class UpdateTable(Struct, kw_only=True):
    """UpdateTable. Members whose type is Any are not for an embedded table."""

    TableName: _TableName
    AttributeDefinitions: list[AttributeDefinition] | None = None
    BillingMode: _BillingMode | None = None
    ProvisionedThroughput: Throughput | None = None
    OnDemandThroughput: dict[str, int] | None = None
    WarmThroughput: dict[str, int] | None = None
    GlobalSecondaryIndexUpdates: list[IndexUpdate] | None = None
    StreamSpecification: Stream | None = None
    SSESpecification: dict[str, Any] | None = None
    TableClass: _TableClass | None = None
    DeletionProtectionEnabled: bool | None = None
    ReplicaUpdates: Any = None
    MultiRegionConsistency: Any = None
    GlobalTableWitnessUpdates: Any = None
    GlobalTableSettingsReplicationMode: Any = None
    DisassociationProtectionEnabled: Any = None
    VectorIndexUpdates: Any = None


class DescribeTable(Struct, kw_only=True):
    """DescribeTable."""

    TableName: _TableName


class DeleteTable(Struct, kw_only=True):
    """DeleteTable."""

    TableName: _TableName


class ListTables(Struct, kw_only=True):
    """ListTables."""

    ExclusiveStartTableName: str | None = None
    Limit: Annotated[int, Meta(ge=1, le=100)] | None = None


class _TimeToLive(Struct, kw_only=True):
    """The attribute that says when an item expires."""

    Enabled: bool
    AttributeName: Annotated[str, Meta(min_length=1, max_length=255)]


class UpdateTimeToLive(Struct, kw_only=True):
    """UpdateTimeToLive."""

    TableName: _TableName
    TimeToLiveSpecification: _TimeToLive


class DescribeTimeToLive(Struct, kw_only=True):
    """DescribeTimeToLive."""

    TableName: _TableName


class TagResource(Struct, kw_only=True):
    """TagResource."""

    ResourceArn: Annotated[str, Meta(min_length=1, max_length=1283)]
    Tags: list[Tag]


class UntagResource(Struct, kw_only=True):
    """UntagResource."""

    ResourceArn: Annotated[str, Meta(min_length=1, max_length=1283)]
    TagKeys: list[Annotated[str, Meta(min_length=1, max_length=128)]]


class ListTagsOfResource(Struct, kw_only=True):
    """ListTagsOfResource."""

    ResourceArn: Annotated[str, Meta(min_length=1, max_length=1283)]
    NextToken: str | None = None


class DescribeLimits(Struct, kw_only=True):
    """DescribeLimits."""


class DescribeEndpoints(Struct, kw_only=True):
    """DescribeEndpoints."""
