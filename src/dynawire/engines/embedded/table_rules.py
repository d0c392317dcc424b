"""The rules a table's declaration must follow: keys, indexes, projections, throughput, stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NoReturn

from dynawire.engines.embedded.definitions import (
    AttributeDefinition,
    GlobalIndexDefinition,
    IndexDefinition,
    KeySchemaElement,
    Stream,
    TableDefinition,
    Throughput,
)
from dynawire.engines.embedded.failures import validation
from dynawire.errors import service_error

__all__ = [
    "attribute_types",
    "check_billing",
    "check_stream",
    "check_table",
    "refuse_unsupported",
    "used_attributes",
]

MAX_GLOBAL_INDEXES: Final = 20
MAX_LOCAL_INDEXES: Final = 5
MAX_INDEX_KEYS: Final = 4
"""Partition key attributes, and sort key attributes, that a global index may have."""
MAX_PROJECTED: Final = 100
"""Attributes that all indexes of a table may include by name."""

_INVALID: Final = "One or more parameter values were invalid: "


def check_table(table: TableDefinition) -> None:
    """See that a declared table, or one that would come of a change, is one that DynamoDB could make.

    Raises:
        ServiceError: ``ValidationException``.
        LimitExceeded: it has too many indexes.
    """
    types = attribute_types(table.AttributeDefinitions)
    _check_table_key(table.KeySchema, types)
    names: set[str] = set()
    indexes: list[IndexDefinition] = [*table.LocalSecondaryIndexes, *table.GlobalSecondaryIndexes]
    for index in indexes:
        if index.IndexName in names:
            _refuse(f"Duplicate index name: {index.IndexName}")
        names.add(index.IndexName)
        _check_projection(index)
    for index in table.LocalSecondaryIndexes:
        _check_local(index, table.KeySchema, types)
    for index in table.GlobalSecondaryIndexes:
        _check_index_key(index, types)
    if len(table.LocalSecondaryIndexes) > MAX_LOCAL_INDEXES:
        _refuse(f"Number of LocalSecondaryIndexes exceeds per-table limit of {MAX_LOCAL_INDEXES}")
    if len(table.GlobalSecondaryIndexes) > MAX_GLOBAL_INDEXES:
        raise service_error(
            "LimitExceededException", f"GlobalSecondaryIndex count exceeds the per-table limit of {MAX_GLOBAL_INDEXES}"
        )
    projected = sum(len(index.Projection.NonKeyAttributes or ()) for index in indexes)
    if projected > MAX_PROJECTED:
        _refuse(f"Number of projected attributes of all indexes, {projected}, exceeds the limit of {MAX_PROJECTED}")
    unused = types.keys() - used_attributes(table)
    if unused:
        _refuse(
            "Some AttributeDefinitions are not used; the number of attributes in key schemas must match "
            f"the number of attributes defined in AttributeDefinitions. Unused: [{', '.join(sorted(unused))}]"
        )


def attribute_types(definitions: Iterable[AttributeDefinition]) -> dict[str, str]:
    """The declared type of each key attribute.

    Raises:
        ServiceError: ``ValidationException`` when one is declared twice.
    """
    types: dict[str, str] = {}
    for each in definitions:
        if each.AttributeName in types:
            _refuse(f"Cannot have two attributes with the same name: {each.AttributeName}")
        types[each.AttributeName] = each.AttributeType
    return types


def used_attributes(table: TableDefinition) -> set[str]:
    """The attributes that are part of the key of the table or an index."""
    schemas = [table.KeySchema]
    schemas += [index.KeySchema for index in table.LocalSecondaryIndexes]
    schemas += [index.KeySchema for index in table.GlobalSecondaryIndexes]
    return {key.AttributeName for schema in schemas for key in schema}


def check_billing(mode: str, throughput: Throughput | None, indexes: Sequence[GlobalIndexDefinition]) -> None:
    """See that throughput is given where it is paid for, and nowhere else.

    Raises:
        ServiceError: ``ValidationException``.
    """
    if mode == "PAY_PER_REQUEST":
        if throughput is not None or any(index.ProvisionedThroughput is not None for index in indexes):
            _refuse(
                "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"
            )
        return
    if throughput is None:
        _refuse("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED")
    for index in indexes:
        if index.ProvisionedThroughput is None:
            _refuse(
                "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED "
                f"for index: {index.IndexName}"
            )


def check_stream(stream: Stream) -> None:
    """See that a stream has a view type exactly when it is enabled.

    Raises:
        ServiceError: ``ValidationException``.
    """
    if stream.StreamEnabled and stream.StreamViewType is None:
        _refuse("Table StreamViewType must not be null or empty when enabling streams")
    if not stream.StreamEnabled and stream.StreamViewType is not None:
        _refuse("Table StreamEnabled was false but a StreamViewType was present")


def refuse_unsupported(given: Mapping[str, object]) -> None:
    """Refuse parameters that ask for what an embedded table cannot be.

    Raises:
        ServiceError: ``ValidationException``.
    """
    for name, value in given.items():
        if value is not None:
            raise validation(f"{name} is not supported by the embedded engine; leave it out")


def _check_table_key(schema: Sequence[KeySchemaElement], types: Mapping[str, str]) -> None:
    if len(schema) > 2:
        _refuse("Key Schema too big: a table's KeySchema has one HASH key and at most one RANGE key")
    _check_key_kinds([key.KeyType for key in schema])
    if len(schema) == 2 and schema[1].KeyType == "HASH":
        raise validation("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type")
    if len(schema) == 2 and schema[0].AttributeName == schema[1].AttributeName:
        raise validation(
            "Invalid KeySchema: Both the Hash Key and the Range Key element in the KeySchema have the same name"
        )
    _check_defined(schema, types, None)


def _check_key_kinds(kinds: Sequence[str]) -> None:
    if kinds[0] != "HASH":
        raise validation("Invalid KeySchema: The first KeySchemaElement is not a HASH key type")
    if sorted(kinds) != list(kinds):
        raise validation("Invalid KeySchema: HASH keys must be specified first, RANGE keys after them")


def _check_index_key(index: IndexDefinition, types: Mapping[str, str]) -> None:
    kinds: list[str] = [key.KeyType for key in index.KeySchema]
    _check_key_kinds(kinds)
    for kind, name in (("HASH", "partition"), ("RANGE", "sort")):
        if kinds.count(kind) > MAX_INDEX_KEYS:
            _refuse(f"Too many {name} keys. GSI can have at most {MAX_INDEX_KEYS} {name} keys: {index.IndexName}")
    names = [key.AttributeName for key in index.KeySchema]
    if len(set(names)) < len(names):
        raise validation(f"Invalid KeySchema: two keys of index {index.IndexName} have the same name")
    _check_defined(index.KeySchema, types, index.IndexName)


def _check_local(index: IndexDefinition, table_key: Sequence[KeySchemaElement], types: Mapping[str, str]) -> None:
    if len(table_key) < 2:
        _refuse("Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex")
    _check_index_key(index, types)
    if len(index.KeySchema) < 2:
        _refuse(f"Index KeySchema does not have a range key for index: {index.IndexName}")
    if len(index.KeySchema) > 2 or index.KeySchema[1].KeyType == "HASH":
        _refuse(f"A LocalSecondaryIndex has one HASH key and one RANGE key: {index.IndexName}")
    if index.KeySchema[0].AttributeName != table_key[0].AttributeName:
        _refuse(
            f"Index KeySchema does not have the same leading hash key as table KeySchema for index: {index.IndexName}. "
            f"index hash key: {index.KeySchema[0].AttributeName}, table hash key: {table_key[0].AttributeName}"
        )


def _check_defined(schema: Sequence[KeySchemaElement], types: Mapping[str, str], index: str | None) -> None:
    missing = [key.AttributeName for key in schema if key.AttributeName not in types]
    if missing:
        what = "key attributes" if index is None else f"index key attributes of {index}"
        _refuse(
            f"Some {what} are not defined in AttributeDefinitions. "
            f"Keys: [{', '.join(missing)}], AttributeDefinitions: [{', '.join(types)}]"
        )


def _check_projection(index: IndexDefinition) -> None:
    kind, included = index.Projection.ProjectionType, index.Projection.NonKeyAttributes
    if kind is None:
        _refuse("Unknown ProjectionType: null")
    if kind == "INCLUDE":
        if included is None:
            _refuse("ProjectionType is INCLUDE, but NonKeyAttributes is not specified")
        if len(set(included)) < len(included):
            _refuse(f"Duplicate attribute name in NonKeyAttributes of index: {index.IndexName}")
    elif included is not None:
        _refuse(f"ProjectionType is {kind}, but NonKeyAttributes is specified")


def _refuse(message: str) -> NoReturn:
    raise validation(_INVALID + message)
