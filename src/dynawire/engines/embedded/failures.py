"""What operations raise: the service's refusals in the service's words, and two signals that stay inside the engine."""

from __future__ import annotations

from dynawire.errors import DynawireError, service_error

__all__ = [
    "Rejected",
    "StaleTable",
    "condition_failed",
    "serialization",
    "table_exists",
    "table_not_found",
    "validation",
]


class Rejected(Exception):
    """A key or item does not fit its table, or an update its item.

    By itself the request fails with a ``ValidationException``; inside a transaction it is the reason why the
    transaction was cancelled.
    """


class StaleTable(Exception):
    """Another thread or process replaced the table's definition since the request was read: it is to be read again."""


def validation(message: str) -> DynawireError:
    return service_error("ValidationException", message)


def serialization(message: str) -> DynawireError:
    return service_error("SerializationException", message)


def condition_failed(item: dict[str, object] | None = None) -> DynawireError:
    fields = None if item is None else {"Item": item}
    return service_error("ConditionalCheckFailedException", "The conditional request failed", fields=fields)


def table_not_found(name: str | None = None) -> DynawireError:
    """Operations on tables name the table, operations on items do not."""
    detail = "" if name is None else f": Table: {name} not found"
    return service_error("ResourceNotFoundException", f"Requested resource not found{detail}")


def table_exists(name: str) -> DynawireError:
    return service_error("ResourceInUseException", f"Table already exists: {name}")
