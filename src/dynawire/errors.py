"""Every error dynawire raises, in one tree under :class:`DynawireError`.

Each error carries what a program needs as attributes and what a person needs as its message. Item values and
credentials are never part of a message or a ``repr``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "ConditionFailed",
    "ConnectionFailed",
    "CredentialsError",
    "DecodeError",
    "DynawireError",
    "ExpressionError",
    "ItemChanged",
    "ItemExists",
    "ItemNotFound",
    "LimitExceeded",
    "NotLoaded",
    "OutcomeUnknown",
    "RelationError",
    "RetriesExhausted",
    "ScanNotAllowed",
    "SchemaError",
    "SchemaWarning",
    "ServiceError",
    "StepConflict",
    "TableInUse",
    "TableNotFound",
    "Throttled",
    "TransactionCancelled",
    "TransactionConflict",
    "UniqueConflict",
    "UsageError",
    "ValidationError",
    "VersionConflict",
    "WorkflowFailed",
]


class DynawireError(Exception):
    """Base of everything dynawire raises on purpose.

    Attributes:
        message: what went wrong, and what to do.
        result: of a batch that the error ended, what was done and what was not; else None.
    """

    result: Any = None

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.__dict__.update(details)

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword details do not survive the default pickling of exceptions (process pools, task queues).
        return (_rebuild, (type(self), self.message, dict(self.__dict__)))


def _rebuild(kind: type[DynawireError], message: str, state: dict[str, Any]) -> DynawireError:
    error = kind.__new__(kind, message)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class ValidationError(DynawireError, ValueError):
    """A value does not fit the attribute it was given for. Raised before anything is sent.

    Attributes:
        model: name of the mapped class, or None when no class is involved.
        attribute: path of the offending value inside the class (``"address.zip"``), or None.
        errors: every failure found, as ``(path, reason)`` pairs.
    """

    model: str | None = None
    attribute: str | None = None
    errors: Sequence[tuple[str, str]] = ()


class RelationError(ValidationError, TypeError):
    """An item can't be related to another: it is of another class, has no key yet, or its key can't change any more.
    Nothing was changed or sent.
    """


class NotLoaded(DynawireError):
    """What a relation leads to was asked for without a request, and was not read yet."""


class SchemaError(DynawireError, TypeError):
    """A class, attribute or index is declared in a way that cannot work. Raised when the class is made.

    Attributes:
        model: name of the class.
        attribute: name of the attribute or index at fault, or None.
    """

    model: str | None = None
    attribute: str | None = None


class SchemaWarning(UserWarning):
    """A table exists and is not what its class declares; ``db.update_tables(...)`` makes it so."""


class DecodeError(DynawireError, ValueError):
    """A stored item does not fit the class it was read for.

    Attributes:
        model: name of the class.
        key: the item's primary key as read, by stored attribute name (kept out of the message).
        path: where in the item the value stands (``"address.zip"``).
        expected: what the class expects there, in DynamoDB's terms.
        found: what is stored there, in DynamoDB's terms (a type, never a value).
        version: the version the item is stored as, when it could not be migrated; else None.
    """

    model: str | None = None
    key: Mapping[str, Any] | None = None
    path: str | None = None
    expected: str | None = None
    found: str | None = None
    version: int | None = None


class UsageError(DynawireError, TypeError):
    """Something was called with what it does not take, or on what it is not for. Nothing was sent."""


class ExpressionError(DynawireError, ValueError):
    """A condition, update, projection or lookup is not one that DynamoDB could run."""


class ScanNotAllowed(DynawireError):
    """Reading this would scan a whole table or index, on a model or database with ``allow_scan=False``. Nothing was
    sent.

    Attributes:
        model: name of the class.
        suggestion: the index that would serve, as it is declared (``GlobalIndex(partition_key="city")``), or None.
    """

    model: str | None = None
    suggestion: str | None = None


class LimitExceeded(DynawireError):
    """A limit of DynamoDB (item size, nesting, request size, table count) would be, or was, exceeded.

    Attributes:
        code: the service's error code when the service found it, else None.
        request_id: the service's request id, or None.
    """

    code: str | None = None
    request_id: str | None = None


class CredentialsError(DynawireError):
    """No usable credentials, or the service refused them (``UnrecognizedClientException``, ``AccessDeniedException``
    …).

    Attributes:
        code: the service's error code when the service refused them, else None.
        request_id: the service's request id, or None.
    """

    code: str | None = None
    request_id: str | None = None


class ConnectionFailed(DynawireError, ConnectionError):
    """The endpoint could not be reached, and nothing was applied.

    Attributes:
        endpoint: the URL that was tried.
    """

    endpoint: str | None = None


class OutcomeUnknown(DynawireError):
    """The response to a write was lost: it may or may not have been applied, and sending it twice could apply it twice.

    Attributes:
        operation: name of the DynamoDB operation.
        endpoint: the URL it was sent to.
    """

    operation: str | None = None
    endpoint: str | None = None


class RetriesExhausted(DynawireError):
    """Others kept changing what a write reckoned with, until its budget of attempts was used up. Nothing was written.

    Attributes:
        attempts: how many there were.
    """

    attempts: int = 0


class WorkflowFailed(DynawireError):
    """A workflow can't succeed: raise it in a step or in ``setup()`` with the reason, and ``run()`` and ``resume()``
    raise it once that is recorded. It is not applied further, and not resumed.

    Attributes:
        workflow: the workflow.
        step: the name of the step that failed; ``"setup"`` before the first.
    """

    workflow: Any = None
    step: str | None = None


class StepConflict(RetriesExhausted):
    """Other writers were in the way of a workflow's step more often than it may be tried again. Nothing of the step was
    applied, and ``resume()`` continues with it.

    Attributes:
        workflow: the workflow.
        step: the name of the step, or None when it was not a step's items that others changed.
    """

    workflow: Any = None
    step: str | None = None


class ServiceError(DynawireError):
    """DynamoDB refused the request.

    Attributes:
        code: DynamoDB's error code, such as ``"ValidationException"``.
        request_id: the service's request id, or None.
        status: the HTTP status, or None on an embedded engine.
    """

    code: str = ""
    request_id: str | None = None
    status: int | None = None


class Throttled(ServiceError):
    """Still throttled after every retry (``ProvisionedThroughputExceededException``, ``ThrottlingException`` …)."""


class TableNotFound(ServiceError):
    """The table does not exist in this database (``ResourceNotFoundException``).

    Attributes:
        endpoint: the URL of the database.
    """

    endpoint: str | None = None


class TableInUse(ServiceError):
    """The table exists already, or is being created, updated or deleted (``ResourceInUseException``)."""


class TransactionConflict(ServiceError):
    """A transaction holds the item (``TransactionConflictException``, ``TransactionInProgressException``). Nothing
    was applied.
    """


class ConditionFailed(ServiceError):
    """The condition of a write was false; nothing was changed (``ConditionalCheckFailedException``).

    Attributes:
        item: the stored item, when it was asked for with ``return_old=True`` (or ``"condition"``), else None.
        model: name of the class written, or None.
    """

    item: Any = None
    model: str | None = None
    wire_item: Mapping[str, Any] | None = None


class ItemExists(ConditionFailed):
    """``insert()`` found an item with the same key."""


class ItemNotFound(ConditionFailed):
    """No item has this key.

    Attributes:
        key: the key that was asked for, by attribute name (kept out of the message).
    """

    key: Mapping[str, Any] | None = None


class ItemChanged(ConditionFailed):
    """Another writer changed or deleted the item since it was loaded.

    Attributes:
        changed: Python names of the attributes that are not as they were loaded, as far as they are known.
    """

    changed: tuple[str, ...] = ()


class VersionConflict(ItemChanged):
    """Another writer changed the item since it was loaded: the stored version is not the one expected."""


class UniqueConflict(ConditionFailed):
    """Another item already has this value of a unique attribute; its ``item`` is that other item.

    Attributes:
        attribute: the attribute that must be unique.
        key: the key of the item that has the value, in DynamoDB's JSON (kept out of the message); None when two
            operations of one transaction store the same value.
    """

    attribute: str | None = None
    key: Mapping[str, Any] | None = None


class TransactionCancelled(ServiceError):
    """The transaction was cancelled as a whole; nothing was changed (``TransactionCanceledException``).

    Attributes:
        reasons: one entry per operation, in order: None for those without fault, else the typed error.
        wire_reasons: the service's ``CancellationReasons`` as they came.
    """

    reasons: Sequence[DynawireError | None] = ()
    wire_reasons: Sequence[Mapping[str, Any]] = ()


_CODES_OF_REASONS = {
    "ConditionalCheckFailed": "ConditionalCheckFailedException",
    "ItemCollectionSizeLimitExceeded": "ItemCollectionSizeLimitExceededException",
    "ProvisionedThroughputExceeded": "ProvisionedThroughputExceededException",
    "ThrottlingError": "ThrottlingException",
    "TransactionConflict": "TransactionConflictException",
    "ValidationError": "ValidationException",
}
"""The codes that the reasons of a cancelled transaction have, and those of the same errors of a request."""
THROTTLING_CODES = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "ThrottlingException",
        "ThrottlingError",
        "Throttling",
        "RequestLimitExceeded",
        "RequestThrottledException",
        "TooManyRequestsException",
        "SlowDown",
    }
)
_LIMIT_CODES = frozenset({"LimitExceededException", "ItemCollectionSizeLimitExceededException"})
_CREDENTIAL_CODES = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_CONFLICT_CODES = frozenset(
    {
        "TransactionConflictException",
        "TransactionConflict",
        "TransactionInProgressException",
    }
)


def service_error(
    code: str,
    message: str,
    *,
    request_id: str | None = None,
    status: int | None = None,
    fields: Mapping[str, Any] | None = None,
) -> DynawireError:
    """The error for a DynamoDB error response.

    Args:
        code: the error code without its namespace (``"ConditionalCheckFailedException"``), or that of a reason of a
            cancelled transaction (``"ConditionalCheckFailed"``), which stands for the former.
        message: the service's message, which DynamoDB keeps free of item values.
        request_id: the service's request id.
        status: the HTTP status.
        fields: the whole error body; ``Item`` and ``CancellationReasons`` are taken from it.
    """
    body = fields or {}
    code = _CODES_OF_REASONS.get(code, code)
    text = f"{code}: {message}" if message else code
    details: dict[str, Any] = {"code": code, "request_id": request_id}
    if code in _LIMIT_CODES:
        return LimitExceeded(text, **details)
    if code in _CREDENTIAL_CODES:
        return CredentialsError(text, **details)
    details["status"] = status
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(text, wire_item=body.get("Item"), **details)
    if code == "TransactionCanceledException":
        return TransactionCancelled(text, wire_reasons=body.get("CancellationReasons") or (), **details)
    if code in THROTTLING_CODES:
        return Throttled(text, **details)
    if code == "ResourceNotFoundException":
        return TableNotFound(text, **details)
    if code in ("ResourceInUseException", "TableAlreadyExistsException"):
        return TableInUse(text, **details)
    if code in _CONFLICT_CODES:
        return TransactionConflict(text, **details)
    return ServiceError(text, **details)
