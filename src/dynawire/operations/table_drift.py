"""Where a table that exists already is not what its class declares."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import chain
from typing import Any

from ..errors import CredentialsError, SchemaError, SchemaWarning, ServiceError
from .effects import Operation
from .table_definition import create_table_params
from .table_update import billing_mode_steps, setting_steps, shape_of
from .tables import describe_time_to_live
from .target import Target

__all__ = ["check_existing", "time_to_live_drift"]


def time_to_live_drift(target: Target) -> Operation[list[str]]:
    """What to say of the time to live of an existing table: one may have been made without, or the making have been
    interrupted before it was switched on. Nothing is asked for a class that declares none.
    """
    mapping = target.mapped.mapping
    if mapping.options.ttl is None:
        return []
    wanted = mapping.attributes[mapping.options.ttl].stored_name
    try:
        found = yield from describe_time_to_live(target.table_name)
    except (ServiceError, CredentialsError):
        # Who may use a table need not be allowed to ask.
        return []
    if found == wanted:
        return []
    return ["time to live is off" if found is None else "time to live is by another attribute"]


def check_existing(target: Target, table: dict[str, Any], further: Sequence[str] = ()) -> None:
    """See that an existing table is what its class declares, capacity units aside: those are set elsewhere too.

    Warns of what ``update_tables`` can mend (:class:`~dynawire.SchemaWarning`).

    Args:
        target: the class and its table.
        table: what DescribeTable says of the table.
        further: what else is to be told.

    Raises:
        SchemaError: the table's key or a local index is another one, which a table keeps for life.
    """
    wanted = create_table_params(target)
    model, name = target.plan.name, target.table_name
    if shape_of(wanted, "KeySchema") != shape_of(table, "KeySchema"):
        raise SchemaError(
            f"the table {name} exists and has the key ({_key(table)}), but {model} declares ({_key(wanted)}). A table "
            'keeps its key for life: give the class that key, or another table="...", and copy the items; nothing was '
            "changed",
            model=model,
        )
    existing = shape_of(table, "LocalSecondaryIndexes")
    for index, one in shape_of(wanted, "LocalSecondaryIndexes").items():
        if existing.get(index) != one:
            state = "has another key or projection" if index in existing else "is missing"
            raise SchemaError(
                f"the table {name} exists, and its local index {index}, which {model} declares, {state}. A table keeps "
                'its local indexes for life: declare a GlobalIndex instead, or give the class another table="..." and '
                "copy the items; nothing was changed",
                model=model,
                attribute=index,
            )
    existing, declared = shape_of(table, "GlobalSecondaryIndexes"), shape_of(wanted, "GlobalSecondaryIndexes")
    others = [index for index in declared if index in existing and existing[index] != declared[index]]
    found = [f"the index {index} is missing" for index in declared if index not in existing]
    found += [f"the index {index} has another key or projection" for index in others]
    found += [text for text, _ in chain(billing_mode_steps(wanted, table), setting_steps(wanted, table))]
    found += further
    if found:
        import warnings

        anew = ", delete_indexes=True" if others else ""
        warnings.warn(
            f"the table {name} exists and is not what {model} declares: {'; '.join(found)}; create_tables() changes "
            f"no table, db.update_tables({model}{anew}) does",
            SchemaWarning,
            stacklevel=_outside(),
        )


def _key(table: dict[str, Any]) -> str:
    return ", ".join(f"{attribute}: {kind}" for _, attribute, kind in shape_of(table, "KeySchema")[""])


def _outside() -> int:
    """How many frames up the caller of this package is."""
    level = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("dynawire."):
        frame = frame.f_back
        level += 1
    return level
