"""What the service's refusals mean for the class whose request it was: which table of which database, and what to do.

The driver explains an error before the operation sees it, so that no operation needs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from ..errors import ConnectionFailed, CredentialsError, DynawireError, ServiceError, TableInUse, TableNotFound
from .capacity import active_meter

if TYPE_CHECKING:
    from ..engines.protocol import Engine
    from .effects import Request
    from .target import Target

__all__ = ["explain"]

_VALIDATION = ("ValidationException", "ValidationError")

# Requests are made of what the class declares, so that these mean that the table is of another making.
# The texts are the service's, in lower case.
_OTHER_KEYS = (
    "does not match the schema",
    "number of conditions on the keys is invalid",  # DynamoDB Local
    "missing the key ",
    "one of the required keys was not given a value",  # DynamoDB Local
    "type mismatch for key",
    "query condition missed key schema element",
    "condition parameter type does not match schema type",
)
_OTHER_INDEX_KEYS = "type mismatch for index key"
_TOO_LARGE = ("item size has exceeded", "item size to update has exceeded")
_NO_SUCH_INDEX = "does not have the specified index"
_INDEX_IN_THE_MAKING = "backfilling global secondary index"


def explain(error: DynawireError, request: Request, engine: Engine) -> None:
    """Count a request that was refused, and have its error name table, class and database and say what to do."""
    meter = active_meter.get()
    if meter is not None and not isinstance(error, (ConnectionFailed, CredentialsError)):
        meter.refused_one(request.operation)
    if not isinstance(error, ServiceError) or "endpoint" in error.__dict__:
        return
    about = request.about
    targets: Sequence[Target] = () if about is None else about if isinstance(about, (list, tuple)) else (about,)
    place = f"the database {engine.endpoint!r}"
    if isinstance(error, TableNotFound):
        _say(error, _not_found(request, targets, place), engine)
    elif isinstance(error, TableInUse):
        _say(error, _in_use(request, targets, place), engine)
    elif error.code in _VALIDATION and targets:
        drifted = _drifted(error.message.lower(), request, targets, place)
        if drifted is not None:
            _say(error, drifted, engine)


def _say(error: ServiceError, text: str, engine: Engine) -> None:
    error.message = f"{text} ({error.message})"
    error.args = (error.message,)
    error.__dict__["endpoint"] = engine.endpoint


def _not_found(request: Request, targets: Sequence[Target], place: str) -> str:
    elsewhere = (
        "or use the database that has it: models use the one connected last, or that of a `with db.use():` block"
    )
    if not targets:
        return f"there is no table {_table_name(request)} in {place}; db.list_tables() tells which there are"
    names = ", ".join(_named(target) for target in targets)
    missing = f"there is no table {names} in {place}"
    if len(targets) > 1:
        missing = f"one of these tables is not in {place}: {names}"
    return f"{missing}; make it with db.create_tables({_classes(targets)}), {elsewhere}"


def _in_use(request: Request, targets: Sequence[Target], place: str) -> str:
    name = _named(targets[0]) if targets else _table_name(request)
    if request.operation == "CreateTable":
        return f"the table {name} exists already in {place}; exist_ok=True takes it as it is"
    return f"the table {name} in {place} is being made, changed or deleted by somebody; try again a little later"


def _drifted(text: str, request: Request, targets: Sequence[Target], place: str) -> str | None:
    """What differs between the table and its class; None: it is something else."""
    classes = _classes(targets)
    table = f"the table {', '.join(_named(target) for target in targets)} in {place}"
    if any(one in text for one in _TOO_LARGE):
        copies = " together with its entries in local indexes" if _has_local_index(targets) else ""
        return (
            f"an item of {table} would be larger{copies} than the 400 KB DynamoDB takes, attribute names included; "
            "nothing was written; keep large values elsewhere, or split them among several items"
        )
    if _NO_SUCH_INDEX in text:
        return (
            f"{table} has no index {_index_name(request)}, which {classes} declares: the table is older than the "
            f"class; db.update_tables({classes}) adds it"
        )
    if _INDEX_IN_THE_MAKING in text:
        return (
            f"the index {_index_name(request)} of {table} is still being filled; try again later "
            f"(db.update_tables({classes}) waits for it)"
        )
    if _OTHER_INDEX_KEYS in text:
        return (
            f"an index of {table} has another key than {classes} declares; db.update_tables({classes}, "
            "delete_indexes=True) makes it anew"
        )
    if any(one in text for one in _OTHER_KEYS):
        return (
            f"{table} has another key than {classes} declares, or attributes of another type in it; "
            f"db.create_tables({classes}) says what differs. A table keeps its key for life: give the class the key of "
            'the table, or another table="..."'
        )
    return None


def _has_local_index(targets: Sequence[Target]) -> bool:
    return any(not index.is_global for target in targets for index in target.mapped.mapping.indexes.values())


def _classes(targets: Sequence[Target]) -> str:
    return ", ".join(target.plan.name for target in targets)


def _named(target: Target) -> str:
    return f"{target.table_name} (of {target.plan.name})"


class _Names(msgspec.Struct):
    TableName: str = ""
    IndexName: str = ""


def _table_name(request: Request) -> str:
    return msgspec.json.decode(request.body, type=_Names).TableName


def _index_name(request: Request) -> str:
    return msgspec.json.decode(request.body, type=_Names).IndexName
