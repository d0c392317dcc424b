"""DeleteItem, and the ConditionCheck of a transaction: what needs only the key."""

from __future__ import annotations

from typing import Any

from ..errors import ConditionFailed, DynawireError
from ..expressions import Condition, Placeholders
from .failures import condition_failed, missing_or_false
from .target import Target
from .write import Write, add_condition, with_existence

__all__ = ["prepare_check", "prepare_delete"]


def prepare_delete(
    target: Target,
    key: dict[str, Any],
    condition: Condition | None,
    *,
    must_exist: bool = False,
    return_old: bool = False,
) -> Write:
    """Delete the item."""
    plan = target.plan
    both = with_existence(target, condition) if must_exist else condition
    request: dict[str, Any] = {"TableName": target.table_name, "Key": key}
    add_condition(target, request, both, Placeholders())

    def applied(response: bytes | None) -> Any:
        # The instance keeps what it was loaded from: a later save() finds the item gone, and does not put it back.
        return plan.read_attributes(response)[0] if return_old and response is not None else None

    def explain(error: ConditionFailed) -> DynawireError:
        if must_exist:
            return missing_or_false(target, error, key, "it may have been deleted already")
        return condition_failed(target, error)

    return Write(
        target,
        "Delete",
        request,
        key,
        idempotent=both is None and not return_old,
        explain=explain,
        applied=applied,
        return_values="ALL_OLD" if return_old else None,
    )


def prepare_check(target: Target, key: dict[str, Any], condition: Condition) -> Write:
    """A condition on an item that the transaction does not write."""
    request: dict[str, Any] = {"TableName": target.table_name, "Key": key}
    add_condition(target, request, condition, Placeholders())
    return Write(
        target,
        "ConditionCheck",
        request,
        key,
        idempotent=True,
        explain=lambda error: condition_failed(target, error),
        applied=lambda _: None,
    )
