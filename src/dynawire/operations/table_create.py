"""CreateTable: the tables that classes declare, and whether those that exist are what they declare."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import TableInUse
from .effects import Operation
from .table_definition import create_table_params
from .tables import describe_table, send_control, update_time_to_live, wait_for_table
from .target import Target

__all__ = ["create_tables"]


def create_tables(targets: Sequence[Target], *, exist_ok: bool, wait: bool, timeout: float) -> Operation[list[str]]:
    """Create tables, with their indexes, streams and time to live; the full names of those that were made.

    All are asked for before any is waited for. One that exists is compared with its class.

    Raises:
        TableInUse: one exists and ``exist_ok`` is false.
        SchemaError: one exists and has another key, or other local indexes, than its class declares.
    """
    made: list[Target] = []
    # Classes may share a table.
    targets = list({target.table_name: target.definition for target in targets}.values())
    for target in targets:
        try:
            yield from send_control("CreateTable", create_table_params(target), changes=True, about=target)
            made.append(target)
        except TableInUse:
            if not exist_ok:
                raise
    for target in targets:
        created = target in made
        ttl = target.mapped.mapping.options.ttl if created else None
        if wait or ttl is not None:
            description = yield from wait_for_table(target.table_name, timeout)
        elif not created:
            description = yield from describe_table(target.table_name, target)
        else:
            continue
        if not created and description is not None:
            from .table_drift import check_existing, time_to_live_drift

            drift = yield from time_to_live_drift(target)
            check_existing(target, description.raw, drift)
        if ttl is not None:
            stored_name = target.mapped.mapping.attributes[ttl].stored_name
            yield from update_time_to_live(target.table_name, stored_name, enabled=True)
    return [target.table_name for target in made]
