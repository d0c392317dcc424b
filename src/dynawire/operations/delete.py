"""DeleteItem, and the ConditionCheck of a transaction: what needs only the key."""

from __future__ import annotations

from typing import Any

from ..errors import ConditionFailed, DynawireError, ValidationError
from ..expressions import Condition, Placeholders, all_of
from .as_loaded import AsLoaded, require_all
from .failures import condition_failed, missing_or_false, no_version
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
    instance: Any = None,
    expected_version: int | None = None,
    check: AsLoaded | None = None,
) -> Write:
    """Delete the item.

    Args:
        target: the class and its table.
        key: the wire form of the item's key.
        condition: what must hold of the stored item.
        must_exist: whether a missing item is an error.
        return_old: whether the deleted item comes back.
        instance: of which version the item must be; None: any.
        expected_version: the same without an instance.
        check: what is required of the item as the instance was loaded, or None.
    """
    if target.family is not None:
        target = target.of(instance)
    plan = target.plan
    if check is not None and check.is_new:
        raise ValidationError(
            f"check='loaded' compares with what this {plan.name} was loaded from, and it was not: get() it, or delete "
            "it without the check; nothing was sent",
            model=plan.name,
        )
    both = with_existence(target, condition) if must_exist else condition
    if target.belongs is not None and not must_exist:
        own = target.key_path.not_exists() | target.belongs
        both = own if both is None else all_of([own, both])
    staged = None
    if target.upkeep is not None:
        staged = target.upkeep.stage_delete(instance, expected_version)
    elif expected_version is not None:
        raise no_version(plan.name)
    if staged is not None and staged.condition is not None:
        # An item that is gone already is no conflict: that was wanted.
        current = staged.condition if must_exist else target.key_path.not_exists() | staged.condition
        both = current if both is None else all_of([both, current])

    def request() -> dict[str, Any]:
        made: dict[str, Any] = {"TableName": target.table_name, "Key": key}
        conditions = [] if both is None else [both]
        require_all(target, made, conditions, check, Placeholders(), or_missing=not must_exist)
        return made

    def applied(response: bytes | None) -> Any:
        # The instance keeps what it was loaded from: a later save() finds the item gone, and does not put it back.
        return plan.read_attributes(response)[0] if return_old and response is not None else None

    def explain(error: ConditionFailed) -> DynawireError:
        if must_exist:
            return missing_or_false(target, error, key, "it may have been deleted already")
        return condition_failed(target, error)

    meant = explain if check is None else check.explained(explain, missing=False)
    write = Write(
        target,
        "Delete",
        request(),
        key,
        idempotent=both is None and not return_old and check is None,
        explain=meant if staged is None else staged.explained(target, meant, missing=False),
        applied=applied,
        amend=None if check is None else check.amending(request),
        return_values="ALL_OLD" if return_old else None,
    )
    if target.upkeep is not None and target.upkeep.keeping is not None:
        target.upkeep.keeping.delete(write, instance)
    if target.family is not None and check is None and not return_old:
        from .unique_of_others import give_back_deleted

        give_back_deleted(write)
    return write


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
