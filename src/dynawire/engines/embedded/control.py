"""CreateTable, UpdateTable, DeleteTable, DescribeTable, ListTables. What is asked for is done before the answer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from dynawire.engines.embedded.catalog import Catalog
from dynawire.engines.embedded.database import Database
from dynawire.engines.embedded.decoding import decode_item, encode
from dynawire.engines.embedded.definitions import (
    GlobalIndexDefinition,
    Statistics,
    Stream,
    TableDefinition,
    describe,
)
from dynawire.engines.embedded.failures import StaleTable, table_exists, table_not_found, validation
from dynawire.engines.embedded.storage import Execute
from dynawire.engines.embedded.table_requests import (
    CreateTable,
    DeleteTable,
    DescribeTable,
    IndexUpdate,
    ListTables,
    UpdateTable,
)
from dynawire.engines.embedded.table_rules import (
    attribute_types,
    check_billing,
    check_stream,
    check_table,
    refuse_unsupported,
    used_attributes,
)
from dynawire.engines.embedded.tables import Index, Table
from dynawire.errors import service_error

# Seconds.
_LONG_COUNT: Final = 0.05

__all__ = ["create_table", "delete_table", "describe_table", "known_table", "list_tables", "update_table"]


def create_table(database: Database, request: CreateTable) -> bytes:
    refuse_unsupported(
        {
            "VectorIndexes": request.VectorIndexes,
            "ResourcePolicy": request.ResourcePolicy,
            "GlobalTableSourceArn": request.GlobalTableSourceArn,
            "GlobalTableSettingsReplicationMode": request.GlobalTableSettingsReplicationMode,
        }
    )
    name = Catalog.table_name(request.TableName)
    definition = _declared(name, request)
    check_table(definition)
    check_billing(definition.BillingMode, request.ProvisionedThroughput, definition.GlobalSecondaryIndexes)
    if request.StreamSpecification is not None:
        check_stream(request.StreamSpecification)
        _set_stream(definition, request.StreamSpecification)
    with database.storage.definition_lock:
        if name in database.catalog.tables:
            raise table_exists(name)
        _create(database, definition)
    nothing = [Statistics()] * (1 + len(definition.index_numbers))
    return encode({"TableDescription": describe(definition, nothing)})


def _create(database: Database, definition: TableDefinition) -> None:
    with database.storage.writing() as execute:
        definition.number = Catalog.next_number(execute)
        execute(
            f"CREATE TABLE t{definition.number} (hk BLOB NOT NULL, sk BLOB NOT NULL, size INTEGER NOT NULL, "
            "item BLOB NOT NULL, PRIMARY KEY (hk, sk)) WITHOUT ROWID"
        )
        for index in (*definition.LocalSecondaryIndexes, *definition.GlobalSecondaryIndexes):
            definition.index_numbers[index.IndexName] = _make_index(execute)
        Catalog.save(execute, definition)
    database.catalog.load()


def describe_table(database: Database, request: DescribeTable) -> bytes:
    table = known_table(database, request.TableName)
    with database.storage.snapshot() as execute:
        statistics = _statistics(execute, table)
    return encode({"Table": describe(table.definition, statistics)})


def delete_table(database: Database, request: DeleteTable) -> bytes:
    with database.storage.definition_lock:
        table = known_table(database, request.TableName)
        if table.definition.DeletionProtectionEnabled:
            raise validation(
                "Resource cannot be deleted as it is currently protected against deletion. "
                "Disable deletion protection first."
            )
        with database.storage.writing() as execute:
            if table.retired:
                raise StaleTable
            execute(f"DROP TABLE {table.source}")
            for index in table.index_list:
                execute(f"DROP TABLE {index.source}")
            Catalog.remove(execute, table)
        database.catalog.load()
    nothing = [Statistics()] * (1 + len(table.index_list))
    return encode({"TableDescription": describe(table.definition, nothing, status="DELETING")})


def list_tables(database: Database, request: ListTables) -> bytes:
    after = request.ExclusiveStartTableName
    if after is not None:
        after = Catalog.table_name(after)
    if database.storage.path is not None:
        database.catalog.load()
    # The service orders names by UTF-8, which for these characters is Python's order.
    names = sorted(name for name in database.catalog.tables if after is None or name > after)
    limit = request.Limit or 100
    answer: dict[str, Any] = {"TableNames": names[:limit]}
    if len(names) > limit:
        answer["LastEvaluatedTableName"] = names[limit - 1]
    return encode(answer)


def update_table(database: Database, request: UpdateTable) -> bytes:
    refuse_unsupported(
        {
            "ReplicaUpdates": request.ReplicaUpdates,
            "MultiRegionConsistency": request.MultiRegionConsistency,
            "GlobalTableWitnessUpdates": request.GlobalTableWitnessUpdates,
            "GlobalTableSettingsReplicationMode": request.GlobalTableSettingsReplicationMode,
            "DisassociationProtectionEnabled": request.DisassociationProtectionEnabled,
            "VectorIndexUpdates": request.VectorIndexUpdates,
        }
    )
    with database.storage.definition_lock:
        definition = _update(database, request)
    with database.storage.snapshot() as execute:
        statistics = _statistics(execute, Table(definition))
    return encode({"TableDescription": describe(definition, statistics)})


def _update(database: Database, request: UpdateTable) -> TableDefinition:
    table = known_table(database, request.TableName)
    definition = Catalog.copy(table)
    _change_settings(definition, request)
    made, gone = _change_indexes(definition, request)
    check_table(definition)
    if request.BillingMode is not None or request.ProvisionedThroughput is not None or made is not None:
        check_billing(definition.BillingMode, definition.ProvisionedThroughput, definition.GlobalSecondaryIndexes)
    with database.storage.writing() as execute:
        if table.retired:
            raise StaleTable
        if gone is not None:
            execute(f"DROP TABLE {table.indexes[gone].source}")
        if made is not None:
            definition.index_numbers[made.IndexName] = _make_index(execute)
            _backfill(execute, Table(definition), made.IndexName)
        Catalog.save(execute, definition, table)
    database.catalog.load()
    return definition


def known_table(database: Database, name: str) -> Table:
    """The table of a request on tables.

    Raises:
        ServiceError: ``ResourceNotFoundException``, or ``ValidationException`` for what cannot be a table's name.
    """
    table = database.catalog.tables.get(name) or database.catalog.find(name)
    if table is None:
        raise table_not_found(Catalog.table_name(name))
    if table.retired:
        raise StaleTable
    return table


def _declared(name: str, request: CreateTable) -> TableDefinition:
    """The definition a request declares."""
    if request.KeySchema is None:
        raise validation(
            "1 validation error detected: Value at 'KeySchema' failed to satisfy constraint: Member must not be null"
        )
    if not request.AttributeDefinitions:
        raise validation("One or more parameter values were invalid: No Attribute Schema Defined")
    for kind, indexes in (
        ("LocalSecondaryIndexes", request.LocalSecondaryIndexes),
        ("GlobalSecondaryIndexes", request.GlobalSecondaryIndexes),
    ):
        if indexes is not None and not indexes:
            raise validation(f"One or more parameter values were invalid: List of {kind} is empty")
    from uuid import uuid4

    now = time.time()
    return TableDefinition(
        TableName=name,
        TableId=str(uuid4()),
        AttributeDefinitions=request.AttributeDefinitions,
        KeySchema=request.KeySchema,
        number=0,
        created=now,
        LocalSecondaryIndexes=list(request.LocalSecondaryIndexes or ()),
        GlobalSecondaryIndexes=list(request.GlobalSecondaryIndexes or ()),
        BillingMode=request.BillingMode or "PROVISIONED",
        billing_changed=now if request.BillingMode == "PAY_PER_REQUEST" else None,
        ProvisionedThroughput=request.ProvisionedThroughput,
        OnDemandThroughput=request.OnDemandThroughput,
        WarmThroughput=request.WarmThroughput,
        TableClass=request.TableClass,
        SSESpecification=request.SSESpecification,
        DeletionProtectionEnabled=bool(request.DeletionProtectionEnabled),
        tags={tag.Key: tag.Value for tag in request.Tags or ()},
    )


def _change_settings(definition: TableDefinition, request: UpdateTable) -> None:
    """Take over what a request changes of a table itself."""
    if (
        request.BillingMode is None
        and request.ProvisionedThroughput is None
        and request.OnDemandThroughput is None
        and request.WarmThroughput is None
        and not request.GlobalSecondaryIndexUpdates
        and request.StreamSpecification is None
        and request.SSESpecification is None
        and request.TableClass is None
        and request.DeletionProtectionEnabled is None
    ):
        raise validation(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or "
            "SSESpecification or ReplicaUpdates is required: Nothing to update"
        )
    if request.BillingMode is not None and request.BillingMode != definition.BillingMode:
        definition.BillingMode = request.BillingMode
        definition.billing_changed = time.time()
        if request.BillingMode == "PAY_PER_REQUEST":
            definition.ProvisionedThroughput = None
            for index in definition.GlobalSecondaryIndexes:
                index.ProvisionedThroughput = None
    if request.ProvisionedThroughput is not None:
        definition.ProvisionedThroughput = request.ProvisionedThroughput
    if request.OnDemandThroughput is not None:
        definition.OnDemandThroughput = request.OnDemandThroughput
    if request.WarmThroughput is not None:
        definition.WarmThroughput = request.WarmThroughput
    if request.StreamSpecification is not None:
        _change_stream(definition, request.StreamSpecification)
    if request.SSESpecification is not None:
        definition.SSESpecification = request.SSESpecification
    if request.TableClass is not None:
        definition.TableClass = request.TableClass
    if request.DeletionProtectionEnabled is not None:
        definition.DeletionProtectionEnabled = request.DeletionProtectionEnabled


def _change_stream(definition: TableDefinition, stream: Stream) -> None:
    check_stream(stream)
    enabled = definition.StreamSpecification is not None
    if stream.StreamEnabled and enabled:
        raise validation("Table already has an enabled stream")
    if not stream.StreamEnabled and not enabled:
        raise validation("Table has no stream to disable")
    _set_stream(definition, stream)


def _set_stream(definition: TableDefinition, stream: Stream) -> None:
    if stream.StreamEnabled:
        from datetime import UTC, datetime

        definition.StreamSpecification = stream
        definition.stream_label = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
    else:
        definition.StreamSpecification = None


def _change_indexes(
    definition: TableDefinition, request: UpdateTable
) -> tuple[GlobalIndexDefinition | None, str | None]:
    """Take over what a request changes of the global indexes: the one made, and the name of the one deleted."""
    updates = request.GlobalSecondaryIndexUpdates or ()
    _check_updates(updates)
    made = gone = None
    indexes = {index.IndexName: index for index in definition.GlobalSecondaryIndexes}
    for update in updates:
        if update.Create is not None:
            made = update.Create
            if made.IndexName in definition.index_numbers:
                raise validation(f"One or more parameter values were invalid: Duplicate index name: {made.IndexName}")
            indexes[made.IndexName] = made
            continue
        named = update.Delete or update.Update
        assert named is not None
        index = indexes.get(named.IndexName)
        if index is None:
            raise service_error(
                "ResourceNotFoundException", f"Requested resource not found: Index: {named.IndexName} not found"
            )
        if update.Delete is not None:
            gone = named.IndexName
            del indexes[gone], definition.index_numbers[gone]
        elif update.Update is not None:
            for name in ("ProvisionedThroughput", "OnDemandThroughput", "WarmThroughput"):
                value = getattr(update.Update, name)
                if value is not None:
                    setattr(index, name, value)
    definition.GlobalSecondaryIndexes = list(indexes.values())
    _merge_attributes(definition, request)
    return made, gone


def _check_updates(updates: Sequence[IndexUpdate]) -> None:
    for update in updates:
        if sum(action is not None for action in (update.Create, update.Update, update.Delete)) != 1:
            raise validation(
                "One or more parameter values were invalid: "
                "Only one of Create, Update or Delete is to be given in each of GlobalSecondaryIndexUpdates"
            )
    if sum(update.Update is None for update in updates) > 1:
        raise service_error(
            "LimitExceededException",
            "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table",
        )


def _merge_attributes(definition: TableDefinition, request: UpdateTable) -> None:
    """Add the attributes a new index needs and forget those that no key has any more."""
    types = attribute_types(definition.AttributeDefinitions)
    for name, kind in attribute_types(request.AttributeDefinitions or ()).items():
        if types.get(name, kind) != kind:
            raise validation(
                "One or more parameter values were invalid: "
                f"Attribute {name} is of type {types[name]} in the keys of the table and cannot become {kind}"
            )
    used = used_attributes(definition)
    merged = {
        each.AttributeName: each for each in (*definition.AttributeDefinitions, *(request.AttributeDefinitions or ()))
    }
    definition.AttributeDefinitions = [each for name, each in merged.items() if name in used]


def _make_index(execute: Execute) -> int:
    """The number of a new, empty index."""
    number = Catalog.next_number(execute)
    execute(
        f"CREATE TABLE i{number} (hk BLOB NOT NULL, sk BLOB NOT NULL, bhk BLOB NOT NULL, bsk BLOB NOT NULL, "
        "size INTEGER NOT NULL, item BLOB NOT NULL, PRIMARY KEY (hk, sk, bhk, bsk)) WITHOUT ROWID"
    )
    return number


def _backfill(execute: Execute, table: Table, name: str) -> None:
    """Fill a new index from its table. As in the service, items whose values do not fit its key stay out of it."""
    index: Index = table.indexes[name]
    rows = execute(f"SELECT hk, sk, item, size FROM {table.source}")
    while chunk := rows.fetchmany(256):
        for hk, sk, data, size in chunk:
            item = decode_item(data)
            place = index.place(item)
            if place is not None:
                view, view_size = index.view_size(item, size)
                execute(index.upsert, (*place, hk, sk, view_size, data if view is item else encode(view)))


def _statistics(execute: Execute, table: Table) -> list[Statistics]:
    """Of the table, then of its indexes. What took long to count is told again for a while; the service takes hours."""
    start = time.monotonic()
    if start < table.counted_until:
        return table.counted
    table.counted = [
        Statistics(*execute(f"SELECT count(*), coalesce(sum(size), 0) FROM {source.source}").fetchone())
        for source in (table, *table.index_list)
    ]
    took = time.monotonic() - start
    if took > _LONG_COUNT:
        table.counted_until = start + 100 * took
    return table.counted
