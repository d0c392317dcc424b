"""dynawire: the Python object mapper for Amazon DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .connecting import connect
from .declare import Attr, attr, partition_key, sort_key
from .errors import (
    ConditionFailed,
    ConnectionFailed,
    CredentialsError,
    DecodeError,
    DynawireError,
    ExpressionError,
    ItemChanged,
    ItemExists,
    ItemNotFound,
    LimitExceeded,
    NotLoaded,
    OutcomeUnknown,
    RelationError,
    RetriesExhausted,
    ScanNotAllowed,
    SchemaError,
    SchemaWarning,
    ServiceError,
    StepConflict,
    TableInUse,
    TableNotFound,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    UniqueConflict,
    UsageError,
    ValidationError,
    VersionConflict,
    WorkflowFailed,
)
from .expressions import Condition, Path, Update
from .model import Model
from .operations.twins import mark_coroutine_functions

if TYPE_CHECKING:
    from . import hooks
    from .collection import Collected, Collection
    from .composed import computed, joined, template
    from .database import Database
    from .expressions import UnknownMember, all_of, any_of
    from .find import Find
    from .ids import ulid, uuid, uuid7
    from .index import GlobalIndex, IndexMap, LocalIndex
    from .key import Key
    from .managed import counter, created_at, discriminator, ttl, updated_at, version
    from .many import MultipleItemsFound, Page
    from .mapping.keeping import Unique
    from .mapping.markers import EpochSeconds, Json, NaiveDatetime, Stored
    from .mapping.migrations import Migrations
    from .operations.batch import BatchGetResult, BatchWriteResult, Unprocessed
    from .operations.capacity import CapacityMeter
    from .operations.finding.explaining import Explanation
    from .operations.finding.where import WhereResult
    from .operations.migrating import MigrationFailure, MigrationResult
    from .operations.tables import TableDescription
    from .query import Index, Query
    from .related import LinkedItems, RelatedItem, RelatedItems
    from .relating.relation import Relation
    from .relations import (
        ManyToMany,
        ToMany,
        ToOne,
        aprefetch,
        many_to_many,
        many_to_one,
        one_to_many,
        one_to_one,
        prefetch,
    )
    from .single_table import SingleTable
    from .table import Table
    from .transaction import Transaction
    from .workflow import Step, Workflow, WorkflowReport, step

__version__ = "0.1.0"

__all__ = [
    "Attr",
    "BatchGetResult",
    "BatchWriteResult",
    "CapacityMeter",
    "Collected",
    "Collection",
    "Condition",
    "ConditionFailed",
    "ConnectionFailed",
    "CredentialsError",
    "Database",
    "DecodeError",
    "DynawireError",
    "EpochSeconds",
    "Explanation",
    "ExpressionError",
    "Find",
    "GlobalIndex",
    "Index",
    "IndexMap",
    "ItemChanged",
    "ItemExists",
    "ItemNotFound",
    "Json",
    "Key",
    "LimitExceeded",
    "LinkedItems",
    "LocalIndex",
    "ManyToMany",
    "MigrationFailure",
    "MigrationResult",
    "Migrations",
    "Model",
    "MultipleItemsFound",
    "NaiveDatetime",
    "NotLoaded",
    "OutcomeUnknown",
    "Page",
    "Path",
    "Query",
    "RelatedItem",
    "RelatedItems",
    "Relation",
    "RelationError",
    "RetriesExhausted",
    "ScanNotAllowed",
    "SchemaError",
    "SchemaWarning",
    "ServiceError",
    "SingleTable",
    "Step",
    "StepConflict",
    "Stored",
    "Table",
    "TableDescription",
    "TableInUse",
    "TableNotFound",
    "Throttled",
    "ToMany",
    "ToOne",
    "Transaction",
    "TransactionCancelled",
    "TransactionConflict",
    "Unique",
    "UniqueConflict",
    "UnknownMember",
    "Unprocessed",
    "Update",
    "UsageError",
    "ValidationError",
    "VersionConflict",
    "WhereResult",
    "Workflow",
    "WorkflowFailed",
    "WorkflowReport",
    "all_of",
    "any_of",
    "aprefetch",
    "attr",
    "computed",
    "connect",
    "counter",
    "created_at",
    "discriminator",
    "hooks",
    "joined",
    "many_to_many",
    "many_to_one",
    "one_to_many",
    "one_to_one",
    "partition_key",
    "prefetch",
    "sort_key",
    "step",
    "template",
    "ttl",
    "ulid",
    "updated_at",
    "uuid",
    "uuid7",
    "version",
]

# What a program does not use costs it nothing: a process that reads one item starts in a fraction of the time.
_LOADED_WHEN_USED = {
    name: module
    for module, names in {
        "collection": ("Collected", "Collection"),
        "composed": ("computed", "joined", "template"),
        "database": ("Database",),
        "expressions": ("UnknownMember", "all_of", "any_of"),
        "find": ("Find",),
        "ids": ("ulid", "uuid", "uuid7"),
        "index": ("GlobalIndex", "IndexMap", "LocalIndex"),
        "key": ("Key",),
        "managed": ("counter", "created_at", "discriminator", "ttl", "updated_at", "version"),
        "mapping.keeping": ("Unique",),
        "mapping.markers": ("EpochSeconds", "Json", "NaiveDatetime", "Stored"),
        "mapping.migrations": ("Migrations",),
        "operations.batch": ("BatchGetResult", "BatchWriteResult", "Unprocessed"),
        "operations.capacity": ("CapacityMeter",),
        "operations.finding.explaining": ("Explanation",),
        "operations.finding.where": ("WhereResult",),
        "operations.migrating": ("MigrationFailure", "MigrationResult"),
        "operations.tables": ("TableDescription",),
        "many": ("MultipleItemsFound", "Page"),
        "query": ("Index", "Query"),
        "related": ("LinkedItems", "RelatedItem", "RelatedItems"),
        "relating.relation": ("Relation",),
        "relations": (
            "ManyToMany",
            "ToMany",
            "ToOne",
            "aprefetch",
            "many_to_many",
            "many_to_one",
            "one_to_many",
            "one_to_one",
            "prefetch",
        ),
        "single_table": ("SingleTable",),
        "table": ("Table",),
        "transaction": ("Transaction",),
        "workflow": ("Step", "Workflow", "WorkflowReport", "step"),
    }.items()
    for name in names
}


mark_coroutine_functions()


if not TYPE_CHECKING:
    # Not for type checkers, to which a module with it has every name there is.

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name == "hooks":
            return import_module(".hooks", __name__)
        module = _LOADED_WHEN_USED.get(name)
        if module is None:
            # With these Python adds the name that may be meant.
            raise AttributeError(
                f"module {__name__!r} has no attribute {name!r}", name=name, obj=import_module(__name__)
            )
        found = globals()[name] = getattr(import_module(f".{module}", __name__), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
