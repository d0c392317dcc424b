"""CreateTable, DescribeTable, ListTables, UpdateTable, UpdateTimeToLive, DeleteTable, and waiting for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..codec.base import Codec
from ..errors import DynawireError, ServiceError, TableInUse, TableNotFound
from ..mapping.indexes import IndexDefinition
from .effects import Operation, Request, Sleep
from .target import Target, encode_json

__all__ = [
    "TableDescription",
    "create_table",
    "create_table_params",
    "delete_table",
    "describe_table",
    "describe_time_to_live",
    "list_tables",
    "update_table",
    "update_time_to_live",
    "wait_for_table",
]

_decode = msgspec.json.Decoder().decode
FIRST_POLL = 0.2
LONGEST_POLL = 5.0


class TableDescription(msgspec.Struct, kw_only=True):
    """What DescribeTable says of a table.

    Attributes:
        name: the table's full name.
        status: ``"ACTIVE"``, ``"CREATING"``, ``"UPDATING"``, ``"DELETING"`` …
        item_count, size_bytes: as of the service's last count, which on AWS is up to six hours old.
        indexes: the status of each global index, by name.
        raw: everything the service said, in DynamoDB's own terms.
    """

    name: str
    status: str
    item_count: int
    size_bytes: int
    indexes: dict[str, str]
    raw: dict[str, Any]

    @classmethod
    def read(cls, table: dict[str, Any]) -> TableDescription:
        """The description in a response."""
        return cls(
            name=table.get("TableName", ""),
            status=table.get("TableStatus", ""),
            item_count=table.get("ItemCount", 0),
            size_bytes=table.get("TableSizeBytes", 0),
            indexes={one["IndexName"]: one.get("IndexStatus", "") for one in table.get("GlobalSecondaryIndexes") or ()},
            raw=table,
        )

    @property
    def is_ready(self) -> bool:
        """Whether the table and all its global indexes can be used."""
        backfilling = any(one.get("Backfilling") for one in self.raw.get("GlobalSecondaryIndexes") or ())
        return self.status == "ACTIVE" and not backfilling and all(one == "ACTIVE" for one in self.indexes.values())


def create_table_params(target: Target) -> dict[str, Any]:
    """The parameters of the CreateTable that makes this class's table."""
    mapping = target.mapped.mapping
    options = mapping.options
    needed = [attribute.name for attribute in mapping.key]
    request: dict[str, Any] = {
        "TableName": target.table_name,
        "KeySchema": _key_schema(target, needed[:1], needed[1:]),
        "BillingMode": options.billing,
    }
    if options.billing == "PROVISIONED":
        request["ProvisionedThroughput"] = _throughput(options.read_units, options.write_units)
    for index in mapping.indexes.values():
        kind = "GlobalSecondaryIndexes" if index.is_global else "LocalSecondaryIndexes"
        request.setdefault(kind, []).append(index_params(target, index))
        needed += index.key_names()
    request["AttributeDefinitions"] = _attribute_definitions(target, needed)
    if options.stream is not None:
        request["StreamSpecification"] = {"StreamEnabled": True, "StreamViewType": options.stream}
    if options.table_class is not None:
        request["TableClass"] = options.table_class
    if options.deletion_protection:
        request["DeletionProtectionEnabled"] = True
    return request


def index_params(target: Target, index: IndexDefinition) -> dict[str, Any]:
    """One index as CreateTable and UpdateTable write it."""
    options = target.mapped.mapping.options
    params: dict[str, Any] = {
        "IndexName": index.name,
        "KeySchema": _key_schema(target, index.partition_key, index.sort_key),
        "Projection": _projection(target, index),
    }
    if index.is_global and options.billing == "PROVISIONED":
        params["ProvisionedThroughput"] = _throughput(
            index.read_units or options.read_units, index.write_units or options.write_units
        )
    return params


def _key_schema(target: Target, partition: Any, sort: Any) -> list[dict[str, str]]:
    stored = target.mapped.mapping.attributes
    return [{"AttributeName": stored[name].stored_name, "KeyType": "HASH"} for name in partition] + [
        {"AttributeName": stored[name].stored_name, "KeyType": "RANGE"} for name in sort
    ]


def _projection(target: Target, index: IndexDefinition) -> dict[str, Any]:
    if isinstance(index.projection, str):
        return {"ProjectionType": index.projection}
    stored = target.mapped.mapping.attributes
    return {
        "ProjectionType": "INCLUDE",
        "NonKeyAttributes": [stored[name].stored_name for name in index.projection],
    }


def _throughput(read_units: int | None, write_units: int | None) -> dict[str, Any]:
    return {"ReadCapacityUnits": read_units, "WriteCapacityUnits": write_units}


def _attribute_definitions(target: Target, names: Any) -> list[dict[str, str]]:
    mapping = target.mapped.mapping
    return [
        {
            "AttributeName": mapping.attributes[name].stored_name,
            "AttributeType": _key_type(target.plan.codecs[name]),
        }
        for name in dict.fromkeys(names)
    ]


def _key_type(codec: Codec) -> str:
    (tag,) = codec.tags - {"NULL"}
    return tag


# ---------------------------------------------------------------------- operations


def create_table(target: Target, *, exist_ok: bool, wait: bool, timeout: float) -> Operation[bool]:
    """Create the table, with its indexes, stream and time to live; True when it was made, False when it was there.

    Raises:
        TableInUse: it exists and ``exist_ok`` is false.
    """
    try:
        yield Request("CreateTable", encode_json(create_table_params(target)), False)
        created = True
    except TableInUse:
        if not exist_ok:
            raise
        created = False
    ttl = target.mapped.mapping.options.ttl
    if wait or (created and ttl is not None):
        yield from wait_for_table(target.table_name, timeout)
    if created and ttl is not None:
        stored_name = target.mapped.mapping.attributes[ttl].stored_name
        yield from update_time_to_live(target.table_name, stored_name, enabled=True)
    return created


def describe_table(table_name: str) -> Operation[TableDescription]:
    """What the service says of a table."""
    response = yield Request("DescribeTable", encode_json({"TableName": table_name}))
    return TableDescription.read(_decode(response)["Table"])


def list_tables(prefix: str) -> Operation[list[str]]:
    """The names of all tables that begin with ``prefix``, over as many pages as it takes."""
    names: list[str] = []
    request: dict[str, Any] = {}
    while True:
        response = yield Request("ListTables", encode_json(request))
        page = _decode(response)
        names += [name for name in page.get("TableNames", ()) if name.startswith(prefix)]
        last = page.get("LastEvaluatedTableName")
        if last is None:
            return names
        request = {"ExclusiveStartTableName": last}


def wait_for_table(table_name: str, timeout: float, *, gone: bool = False) -> Operation[None]:
    """Wait until a table and its indexes are ACTIVE, or until it is gone.

    Raises:
        DynawireError: it did not happen in time.
    """
    waited = 0.0
    for pause in _pauses():
        try:
            description = yield from describe_table(table_name)
            status = description.status
            if not gone and description.is_ready:
                return
        except TableNotFound:
            if gone:
                return
            status = "not there yet"
        if waited >= timeout:
            wanted = "gone" if gone else "ACTIVE"
            raise DynawireError(f"table {table_name} is {status} and was not {wanted} within {timeout:g} seconds")
        yield Sleep(pause)
        waited += pause


def _pauses() -> Iterator[float]:
    pause = FIRST_POLL
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_POLL)


def delete_table(table_name: str, *, missing_ok: bool, wait: bool, timeout: float) -> Operation[bool]:
    """Delete a table with all its items; True when there was one."""
    try:
        yield Request("DeleteTable", encode_json({"TableName": table_name}), False)
    except TableNotFound:
        if not missing_ok:
            raise
        return False
    if wait:
        yield from wait_for_table(table_name, timeout, gone=True)
    return True


def update_time_to_live(table_name: str, attribute: str, *, enabled: bool) -> Operation[None]:
    """Switch time to live on or off (UpdateTimeToLive); nothing happens when it is so already."""
    request = {"TableName": table_name, "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": enabled}}
    try:
        yield Request("UpdateTimeToLive", encode_json(request), False)
    except ServiceError as error:
        if "already" not in error.message:
            raise


def describe_time_to_live(table_name: str) -> Operation[str | None]:
    """The stored name of the attribute that holds items' time to live; None when it is off."""
    response = yield Request("DescribeTimeToLive", encode_json({"TableName": table_name}))
    found = _decode(response).get("TimeToLiveDescription") or {}
    if found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
        name: str | None = found.get("AttributeName")
        return name
    return None


def update_table(target: Target, *, delete_indexes: bool, timeout: float) -> Operation[list[str]]:
    """Bring a table to what its class declares, one UpdateTable at a time, waiting in between.

    Billing mode and capacity, stream, deletion protection, table class, capacity of global indexes, missing global
    indexes, time to live; and, when asked for, global indexes the class does not declare are deleted.

    Returns:
        What was done, a line each; empty when nothing differed.

    Raises:
        ServiceError: DynamoDB can't make the change (keys, local indexes).
    """
    done: list[str] = []
    yield from wait_for_table(target.table_name, timeout)
    while True:
        description = yield from describe_table(target.table_name)
        step = next(_steps(target, description.raw, delete_indexes), None)
        if step is None:
            break
        text, change = step
        yield Request("UpdateTable", encode_json({"TableName": target.table_name, **change}), False)
        done.append(text)
        yield from wait_for_table(target.table_name, timeout)
        if len(done) > MAX_STEPS:
            raise DynawireError(
                f"table {target.table_name} does not become what {target.plan.name} declares; the last step was: {text}"
            )
    yield from _update_ttl(target, done)
    return done


MAX_STEPS = 60


def _steps(target: Target, table: dict[str, Any], delete_indexes: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """The changes that are still needed, the most urgent first."""
    wanted = create_table_params(target)
    billing = (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
    if billing != wanted["BillingMode"]:
        change: dict[str, Any] = {"BillingMode": wanted["BillingMode"]}
        if wanted["BillingMode"] == "PROVISIONED":
            change["ProvisionedThroughput"] = wanted["ProvisionedThroughput"]
            existing = {one["IndexName"] for one in table.get("GlobalSecondaryIndexes") or ()}
            updates = [
                {"Update": {"IndexName": one["IndexName"], "ProvisionedThroughput": one["ProvisionedThroughput"]}}
                for one in wanted.get("GlobalSecondaryIndexes") or ()
                if one["IndexName"] in existing
            ]
            if updates:
                change["GlobalSecondaryIndexUpdates"] = updates
        yield f"billing mode {billing} -> {wanted['BillingMode']}", change
    elif billing == "PROVISIONED" and not _same_units(
        table.get("ProvisionedThroughput"), wanted["ProvisionedThroughput"]
    ):
        yield "capacity of the table", {"ProvisionedThroughput": wanted["ProvisionedThroughput"]}
    yield from _stream_steps(wanted, table)
    if bool(table.get("DeletionProtectionEnabled")) != bool(wanted.get("DeletionProtectionEnabled")):
        enabled = bool(wanted.get("DeletionProtectionEnabled"))
        yield f"deletion protection {'on' if enabled else 'off'}", {"DeletionProtectionEnabled": enabled}
    table_class = (table.get("TableClassSummary") or {}).get("TableClass", "STANDARD")
    if wanted.get("TableClass") and wanted["TableClass"] != table_class:
        yield f"table class {table_class} -> {wanted['TableClass']}", {"TableClass": wanted["TableClass"]}
    yield from _index_steps(wanted, table, billing, delete_indexes)


def _stream_steps(wanted: dict[str, Any], table: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    now = table.get("StreamSpecification") or {}
    want = wanted.get("StreamSpecification")
    if now.get("StreamEnabled") and (want is None or want["StreamViewType"] != now.get("StreamViewType")):
        # A view type can't be changed: the stream is switched off first.
        yield "stream off", {"StreamSpecification": {"StreamEnabled": False}}
    elif want is not None and not now.get("StreamEnabled"):
        yield f"stream {want['StreamViewType']}", {"StreamSpecification": want}


def _index_steps(
    wanted: dict[str, Any], table: dict[str, Any], billing: str, delete_indexes: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    existing = {one["IndexName"]: one for one in table.get("GlobalSecondaryIndexes") or ()}
    declared = {one["IndexName"]: one for one in wanted.get("GlobalSecondaryIndexes") or ()}
    for name in existing:
        if delete_indexes and name not in declared:
            yield f"index {name} deleted", {"GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": name}}]}
    for name, index in declared.items():
        found = existing.get(name)
        if found is None:
            keys = {one["AttributeName"] for one in index["KeySchema"]}
            keys |= {one["AttributeName"] for one in table.get("KeySchema") or ()}
            for other in existing.values():
                keys |= {one["AttributeName"] for one in other["KeySchema"]}
            for other in table.get("LocalSecondaryIndexes") or ():
                keys |= {one["AttributeName"] for one in other["KeySchema"]}
            known = {one["AttributeName"]: one for one in table.get("AttributeDefinitions") or ()}
            known |= {one["AttributeName"]: one for one in wanted["AttributeDefinitions"]}
            definitions = [known[one] for one in sorted(keys)]
            yield (
                f"index {name} created",
                {"AttributeDefinitions": definitions, "GlobalSecondaryIndexUpdates": [{"Create": index}]},
            )
        elif billing == "PROVISIONED" and not _same_units(
            found.get("ProvisionedThroughput"), index.get("ProvisionedThroughput")
        ):
            update = {"IndexName": name, "ProvisionedThroughput": index["ProvisionedThroughput"]}
            yield f"capacity of the index {name}", {"GlobalSecondaryIndexUpdates": [{"Update": update}]}


def _same_units(now: dict[str, Any] | None, want: dict[str, Any] | None) -> bool:
    if want is None:
        return True
    return all((now or {}).get(name) == value for name, value in want.items())


def _update_ttl(target: Target, done: list[str]) -> Operation[None]:
    mapping = target.mapped.mapping
    now = yield from describe_time_to_live(target.table_name)
    want = None if mapping.options.ttl is None else mapping.attributes[mapping.options.ttl].stored_name
    if now == want:
        return
    if now is not None:
        yield from update_time_to_live(target.table_name, now, enabled=False)
        done.append(f"time to live off ({now})")
    if want is not None:
        yield from update_time_to_live(target.table_name, want, enabled=True)
        done.append(f"time to live on ({want})")
