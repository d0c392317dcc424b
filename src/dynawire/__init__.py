"""dynawire: the Python object mapper for Amazon DynamoDB."""

from __future__ import annotations

from .database import Database, connect
from .declare import Attr, attr, partition_key, sort_key
from .errors import (
    ConditionFailed,
    ConnectionFailed,
    CredentialsError,
    DecodeError,
    DynawireError,
    ExpressionError,
    ItemExists,
    ItemNotFound,
    LimitExceeded,
    OutcomeUnknown,
    SchemaError,
    ServiceError,
    TableInUse,
    TableNotFound,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    UniqueConflict,
    ValidationError,
    VersionConflict,
)
from .expressions import Condition, Path, Update
from .index import GlobalIndex, LocalIndex
from .key import Key
from .mapping.markers import EpochSeconds, Json, NaiveDatetime, Stored
from .model import Model
from .operations.batch import BatchGetResult, BatchWriteResult, Unprocessed
from .operations.capacity import CapacityMeter
from .operations.tables import TableDescription
from .query import Index, MultipleItemsFound, Page, Query
from .table import Table
from .transaction import Transaction

__version__ = "0.1.0"

__all__ = [
    "Attr",
    "BatchGetResult",
    "BatchWriteResult",
    "CapacityMeter",
    "Condition",
    "ConditionFailed",
    "ConnectionFailed",
    "CredentialsError",
    "Database",
    "DecodeError",
    "DynawireError",
    "EpochSeconds",
    "ExpressionError",
    "GlobalIndex",
    "Index",
    "ItemExists",
    "ItemNotFound",
    "Json",
    "Key",
    "LimitExceeded",
    "LocalIndex",
    "Model",
    "MultipleItemsFound",
    "NaiveDatetime",
    "OutcomeUnknown",
    "Page",
    "Path",
    "Query",
    "SchemaError",
    "ServiceError",
    "Stored",
    "Table",
    "TableDescription",
    "TableInUse",
    "TableNotFound",
    "Throttled",
    "Transaction",
    "TransactionCancelled",
    "TransactionConflict",
    "UniqueConflict",
    "Unprocessed",
    "Update",
    "ValidationError",
    "VersionConflict",
    "attr",
    "connect",
    "partition_key",
    "sort_key",
]
