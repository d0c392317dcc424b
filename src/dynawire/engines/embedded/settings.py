"""The operations on what belongs to tables and to the account: time to live, tags, limits, endpoints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dynawire.engines.embedded.catalog import Catalog
from dynawire.engines.embedded.control import known_table
from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.decoding import encode
from dynawire.engines.embedded.definitions import TableDefinition
from dynawire.engines.embedded.failures import StaleTable, validation
from dynawire.engines.embedded.table_requests import (
    DescribeEndpoints,
    DescribeLimits,
    DescribeTimeToLive,
    ListTagsOfResource,
    TagResource,
    UntagResource,
    UpdateTimeToLive,
)

__all__ = [
    "describe_endpoints",
    "describe_limits",
    "describe_time_to_live",
    "list_tags_of_resource",
    "tag_resource",
    "untag_resource",
    "update_time_to_live",
]

_MAX_TAGS = 50


def update_time_to_live(database: Database, request: UpdateTimeToLive) -> bytes:
    specification = request.TimeToLiveSpecification

    def change(definition: TableDefinition) -> None:
        current = definition.time_to_live
        if current is not None and current != specification.AttributeName:
            raise validation(f"TimeToLive is active on a different AttributeName: current AttributeName is {current}")
        if specification.Enabled == (current is not None):
            raise validation(f"TimeToLive is already {'enabled' if specification.Enabled else 'disabled'}")
        definition.time_to_live = specification.AttributeName if specification.Enabled else None

    _change(database, request.TableName, change)
    return encode({"TimeToLiveSpecification": specification})


def describe_time_to_live(database: Database, request: DescribeTimeToLive) -> bytes:
    name = known_table(database, request.TableName).definition.time_to_live
    description = {"TimeToLiveStatus": "DISABLED"}
    if name is not None:
        description = {"TimeToLiveStatus": "ENABLED", "AttributeName": name}
    return encode({"TimeToLiveDescription": description})


def tag_resource(database: Database, request: TagResource) -> bytes:
    def change(definition: TableDefinition) -> None:
        definition.tags = {**definition.tags, **{tag.Key: tag.Value for tag in request.Tags}}
        if len(definition.tags) > _MAX_TAGS:
            raise validation(f"One or more parameter values were invalid: Too many Tags, at most {_MAX_TAGS}")

    _change(database, request.ResourceArn, change)
    return b"{}"


def untag_resource(database: Database, request: UntagResource) -> bytes:
    def change(definition: TableDefinition) -> None:
        definition.tags = {key: value for key, value in definition.tags.items() if key not in request.TagKeys}

    _change(database, request.ResourceArn, change)
    return b"{}"


def list_tags_of_resource(database: Database, request: ListTagsOfResource) -> bytes:
    tags = known_table(database, request.ResourceArn).definition.tags
    return encode({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})


def describe_limits(database: Database, request: DescribeLimits) -> bytes:
    limits: dict[str, Any] = {
        "AccountMaxReadCapacityUnits": 80_000,
        "AccountMaxWriteCapacityUnits": 80_000,
        "TableMaxReadCapacityUnits": 40_000,
        "TableMaxWriteCapacityUnits": 40_000,
    }
    return encode(limits)


def describe_endpoints(database: Database, request: DescribeEndpoints) -> bytes:
    return encode({"Endpoints": [{"Address": "localhost", "CachePeriodInMinutes": 1440}]})


def _change(database: Database, name: str, change: Callable[[TableDefinition], None]) -> None:
    """Change what is kept of the table of a name or ARN."""
    with database.storage.definition_lock:
        table = known_table(database, name)
        definition = Catalog.copy(table)
        change(definition)
        with database.storage.writing() as execute:
            if table.retired:
                raise StaleTable
            Catalog.save(execute, definition, table)
        database.catalog.load()
