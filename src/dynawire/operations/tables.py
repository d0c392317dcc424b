"""DescribeTable, ListTables, UpdateTimeToLive, DeleteTable, and waiting for them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..errors import DynawireError, ServiceError, TableNotFound
from .capacity import active_meter
from .effects import Operation, Request, Sleep
from .target import Target, encode_json

__all__ = [
    "TableDescription",
    "delete_table",
    "describe_table",
    "describe_time_to_live",
    "list_tables",
    "send_control",
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
        indexes: the status of each global index, by name; empty where the service tells none.
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
        return self.status == "ACTIVE" and not backfilling and set(self.indexes.values()) <= {"ACTIVE", ""}

    @property
    def what_lacks(self) -> str:
        """The status of the table, or of those of its indexes that can't be used yet."""
        if self.status != "ACTIVE":
            return self.status
        lacking = [f"{name} is {one}" for name, one in self.indexes.items() if one not in ("ACTIVE", "")]
        return f"ACTIVE, but its index {', '.join(lacking)}" if lacking else "ACTIVE, but an index is being filled"


def send_control(
    operation: str, request: dict[str, Any], *, changes: bool = False, about: Target | None = None
) -> Operation[dict[str, Any]]:
    """Send a request about tables, and count it where requests are measured; they consume no units.

    Args:
        operation: DynamoDB's operation name.
        request: its parameters.
        changes: whether it changes anything, and so is not sent twice.
        about: the class and its table, for errors.
    """
    response = yield Request(operation, encode_json(request), not changes, about)
    meter = active_meter.get()
    if meter is not None:
        meter.record(operation, None)
    answer: dict[str, Any] = _decode(response)
    return answer


def describe_table(table_name: str, about: Target | None = None) -> Operation[TableDescription]:
    """What the service says of a table."""
    answer = yield from send_control("DescribeTable", {"TableName": table_name}, about=about)
    return TableDescription.read(answer["Table"])


def list_tables(prefix: str) -> Operation[list[str]]:
    """The names of all tables that begin with ``prefix``, over as many pages as it takes."""
    names: list[str] = []
    request: dict[str, Any] = {}
    while True:
        page = yield from send_control("ListTables", request)
        names += [name for name in page.get("TableNames", ()) if name.startswith(prefix)]
        last = page.get("LastEvaluatedTableName")
        if last is None:
            return names
        request = {"ExclusiveStartTableName": last}


def wait_for_table(table_name: str, timeout: float, *, gone: bool = False) -> Operation[TableDescription | None]:
    """Wait until a table and its indexes are ACTIVE, which gives its description, or until it is gone.

    A table that is not there counts as one that is about to be: DescribeTable may lag behind CreateTable.

    Raises:
        DynawireError: it did not happen in time.
    """
    waited = 0.0
    for pause in _pauses():
        try:
            description = yield from describe_table(table_name)
            if not gone and description.is_ready:
                return description
            status = description.status if gone else description.what_lacks
        except TableNotFound:
            if gone:
                return None
            status = "not there yet"
        if waited >= timeout:
            wanted = "gone" if gone else "ready"
            raise DynawireError(f"table {table_name} is {status}, and was not {wanted} within {timeout:g} seconds")
        yield Sleep(pause)
        waited += pause
    return None


def _pauses() -> Iterator[float]:
    pause = FIRST_POLL
    while True:
        yield pause
        pause = min(pause * 1.5, LONGEST_POLL)


def delete_table(table_name: str, *, missing_ok: bool, wait: bool, timeout: float) -> Operation[bool]:
    """Delete a table with all its items; True when there was one."""
    try:
        yield from send_control("DeleteTable", {"TableName": table_name}, changes=True)
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
        yield from send_control("UpdateTimeToLive", request, changes=True)
    except ServiceError as error:
        if "already" not in error.message:
            raise


def describe_time_to_live(table_name: str) -> Operation[str | None]:
    """The stored name of the attribute that holds items' time to live; None when it is off."""
    answer = yield from send_control("DescribeTimeToLive", {"TableName": table_name})
    found = answer.get("TimeToLiveDescription") or {}
    if found.get("TimeToLiveStatus") in ("ENABLED", "ENABLING"):
        name: str | None = found.get("AttributeName")
        return name
    return None
