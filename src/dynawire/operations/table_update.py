"""UpdateTable: bringing a table to what its class declares, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..errors import DynawireError, SchemaError
from .effects import Operation
from .table_definition import create_table_params
from .tables import describe_table, describe_time_to_live, send_control, update_time_to_live, wait_for_table
from .target import Target

__all__ = ["billing_mode_steps", "setting_steps", "shape_of", "update_table"]

MAX_STEPS = 60


def update_table(target: Target, *, delete_indexes: bool, timeout: float) -> Operation[list[str]]:
    """Bring a table to what its class declares, one UpdateTable at a time, waiting in between.

    Billing mode and capacity, stream, deletion protection, table class, global indexes, time to live.

    Args:
        target: the class and its table.
        delete_indexes: whether global indexes the class does not declare are deleted, and those it declares with
            other keys or another projection replaced.
        timeout: for how many seconds to wait after each step.

    Returns:
        What was done, a line each; empty when nothing differed.

    Raises:
        TableNotFound: there is no such table.
        SchemaError: something differs that can't be changed (keys, local indexes), or only with ``delete_indexes``;
            nothing was sent.
        DynawireError: the table does not become what the class declares.
    """
    target = target.definition
    description = yield from describe_table(target.table_name, target)
    wanted = create_table_params(target)
    _refuse_impossible(target, wanted, description.raw, delete_indexes)
    done: list[str] = []
    while True:
        if not description.is_ready:
            yield from wait_for_table(target.table_name, timeout)
            description = yield from describe_table(target.table_name, target)
        step = next(_steps(wanted, description.raw, delete_indexes), None)
        if step is None:
            break
        text, change = step
        if len(done) == MAX_STEPS:
            raise DynawireError(
                f"table {target.table_name} does not become what {target.plan.name} declares; still to do: {text}"
            )
        request = {"TableName": target.table_name, **change}
        yield from send_control("UpdateTable", request, changes=True, about=target)
        done.append(text)
        yield from wait_for_table(target.table_name, timeout)
        description = yield from describe_table(target.table_name, target)
    yield from _update_ttl(target, done)
    return done


def _refuse_impossible(target: Target, wanted: dict[str, Any], table: dict[str, Any], delete_indexes: bool) -> None:
    name = f"table {target.table_name}"
    for kind in ("KeySchema", "LocalSecondaryIndexes"):
        if shape_of(wanted, kind) != shape_of(table, kind):
            what = "another key" if kind == "KeySchema" else "other local indexes"
            raise SchemaError(
                f"{name} has {what} than {target.plan.name} declares, which a table keeps for life: make a "
                "table of another name and copy the items; nothing was sent",
                model=target.plan.name,
            )
    existing = shape_of(table, "GlobalSecondaryIndexes")
    for index, shape in shape_of(wanted, "GlobalSecondaryIndexes").items():
        if index in existing and existing[index] != shape and not delete_indexes:
            raise SchemaError(
                f"the index {index} of {name} has another key or projection than {target.plan.name} declares; "
                "delete_indexes=True deletes it and makes it anew; nothing was sent",
                model=target.plan.name,
                attribute=index,
            )


def shape_of(table: dict[str, Any], kind: str) -> dict[str, Any]:
    """The keys and projections of a table's key or of its indexes, by name, in a form that can be compared."""
    types = {one["AttributeName"]: one["AttributeType"] for one in table.get("AttributeDefinitions") or ()}

    def key(described: dict[str, Any]) -> list[tuple[str, str, str | None]]:
        schema = described.get("KeySchema") or ()
        return [(one["KeyType"], one["AttributeName"], types.get(one["AttributeName"])) for one in schema]

    if kind == "KeySchema":
        return {"": key(table)}
    return {one["IndexName"]: (key(one), _projection_shape(one)) for one in table.get(kind) or ()}


def _projection_shape(index: dict[str, Any]) -> tuple[str, list[str]]:
    projection = index.get("Projection") or {}
    return projection.get("ProjectionType", "ALL"), sorted(projection.get("NonKeyAttributes") or ())


Step = tuple[str, dict[str, Any]]
"""What is done, and the parameters of its UpdateTable."""


def _steps(wanted: dict[str, Any], table: dict[str, Any], delete_indexes: bool) -> Iterator[Step]:
    """The changes that are still needed, the most urgent first."""
    yield from billing_mode_steps(wanted, table)
    billing = _billing_mode(table)
    if billing == wanted["BillingMode"] == "PROVISIONED" and not _same_units(
        table.get("ProvisionedThroughput"), wanted["ProvisionedThroughput"]
    ):
        yield "capacity of the table", {"ProvisionedThroughput": wanted["ProvisionedThroughput"]}
    yield from setting_steps(wanted, table)
    yield from _index_steps(wanted, table, billing, delete_indexes)


def _billing_mode(table: dict[str, Any]) -> str:
    mode: str = (table.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED")
    return mode


def billing_mode_steps(wanted: dict[str, Any], table: dict[str, Any]) -> Iterator[Step]:
    """The change of the billing mode, if it needs one, with the capacity of table and indexes."""
    billing = _billing_mode(table)
    if billing == wanted["BillingMode"]:
        return
    change: dict[str, Any] = {"BillingMode": wanted["BillingMode"]}
    if wanted["BillingMode"] == "PROVISIONED":
        change["ProvisionedThroughput"] = wanted["ProvisionedThroughput"]
        declared = {one["IndexName"]: one for one in wanted.get("GlobalSecondaryIndexes") or ()}
        updates = [
            {
                "Update": {
                    "IndexName": one["IndexName"],
                    "ProvisionedThroughput": declared.get(one["IndexName"], wanted)["ProvisionedThroughput"],
                }
            }
            for one in table.get("GlobalSecondaryIndexes") or ()
        ]
        if updates:
            change["GlobalSecondaryIndexUpdates"] = updates
    yield f"billing mode {billing} -> {wanted['BillingMode']}", change


def setting_steps(wanted: dict[str, Any], table: dict[str, Any]) -> Iterator[Step]:
    """The changes of stream, deletion protection and table class that are needed."""
    yield from _stream_steps(wanted, table)
    if bool(table.get("DeletionProtectionEnabled")) != bool(wanted.get("DeletionProtectionEnabled")):
        enabled = bool(wanted.get("DeletionProtectionEnabled"))
        yield f"deletion protection {'on' if enabled else 'off'}", {"DeletionProtectionEnabled": enabled}
    table_class = (table.get("TableClassSummary") or {}).get("TableClass", "STANDARD")
    if wanted.get("TableClass") and wanted["TableClass"] != table_class:
        yield f"table class {table_class} -> {wanted['TableClass']}", {"TableClass": wanted["TableClass"]}


def _stream_steps(wanted: dict[str, Any], table: dict[str, Any]) -> Iterator[Step]:
    now = table.get("StreamSpecification") or {}
    want = wanted.get("StreamSpecification")
    if now.get("StreamEnabled") and (want is None or want["StreamViewType"] != now.get("StreamViewType")):
        # A view type can't be changed: the stream is switched off first.
        yield "stream off", {"StreamSpecification": {"StreamEnabled": False}}
    elif want is not None and not now.get("StreamEnabled"):
        yield f"stream {want['StreamViewType']}", {"StreamSpecification": want}


def _index_steps(wanted: dict[str, Any], table: dict[str, Any], billing: str, delete_indexes: bool) -> Iterator[Step]:
    existing = {one["IndexName"]: one for one in table.get("GlobalSecondaryIndexes") or ()}
    declared = {one["IndexName"]: one for one in wanted.get("GlobalSecondaryIndexes") or ()}
    shapes = shape_of(wanted, "GlobalSecondaryIndexes")
    for name, shape in shape_of(table, "GlobalSecondaryIndexes").items():
        if delete_indexes and shapes.get(name) != shape:
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
