"""What a refused write means: the service's error as the error of the call that sent it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import (
    ConditionFailed,
    DynawireError,
    ExpressionError,
    ItemNotFound,
    ServiceError,
    VersionConflict,
)

if TYPE_CHECKING:
    from .target import Target

__all__ = [
    "condition_failed",
    "converted",
    "is_lost_path",
    "is_of_another_class",
    "lost_path",
    "missing_or_false",
    "no_version",
    "version_conflict",
]

E = TypeVar("E", bound=ConditionFailed)


def converted(
    error: ServiceError,
    target: Target,
    kind: type[E],
    message: str,
    wire_item: Mapping[str, Any] | None = None,
) -> E:
    """The error as another kind, with the stored item when the service gave it, or this other item."""
    if wire_item is None and isinstance(error, ConditionFailed):
        wire_item = error.wire_item
    return kind(
        message,
        code=error.code,
        request_id=error.request_id,
        status=error.status,
        model=target.plan.name,
        item=_read(target, wire_item),
        wire_item=wire_item,
    )


def _read(target: Target, wire_item: Mapping[str, Any] | None) -> Any:
    if wire_item is None:
        return None
    try:
        return target.plan.from_wire(dict(wire_item))
    except Exception:  # noqa: BLE001 - hooks raise what they like
        # It stays in wire_item: the failed condition matters more than an item that does not fit the class.
        return None


def condition_failed(target: Target, error: ConditionFailed) -> ConditionFailed:
    """The condition the caller gave is false."""
    if is_of_another_class(target, error.wire_item):
        return converted(
            error,
            target,
            ItemNotFound,
            f"the item with this key is not of {target.plan.name} but of another class of its table; nothing was "
            "written",
        )
    state = "the stored item is in .item" if error.wire_item is not None else "no item has this key"
    return converted(
        error,
        target,
        ConditionFailed,
        f"the condition on this {target.plan.name} is false ({state}); nothing was written",
    )


def is_of_another_class(target: Target, wire_item: Mapping[str, Any] | None) -> bool:
    """Whether a stored item is of a class that shares the table, and not of the target's."""
    family = target.family
    if family is None or wire_item is None or target.belongs is None:
        return False
    return wire_item.get(family.stored_name, {}).get("S") not in family.tags_below(target.cls)


def missing_or_false(target: Target, error: ConditionFailed, key: dict[str, Any], hint: str) -> ConditionFailed:
    """A condition that begins with the item's existence is false."""
    if error.wire_item is not None:
        return condition_failed(target, error)
    missing = converted(
        error,
        target,
        ItemNotFound,
        f"no item of {target.plan.name} has this key (see .key) in table {target.table_name}; nothing was written; "
        f"{hint}",
    )
    missing.__dict__["key"] = key
    return missing


def is_lost_path(error: ServiceError) -> bool:
    """Whether the service says that an update changes a part of something that is not stored."""
    return error.code in ("ValidationException", "ValidationError") and "document path" in error.message.lower()


def lost_path(target: Target, error: ServiceError, labels: list[str], hint: str) -> ConditionFailed:
    """A part of a map or list was to be changed, which the stored item does not have, or no longer."""
    names = ", ".join(f"{target.plan.name}.{label}" for label in labels)
    return converted(
        error,
        target,
        ConditionFailed,
        f"{names}: the stored item has no such map or list to change a part of; nothing was written; {hint}",
    )


def version_conflict(
    target: Target, version: int | None, error: ConditionFailed, *, by_key: bool = False
) -> DynawireError:
    """The error of a stored version that is not the one expected, of an instance or by key."""
    name = target.plan.name
    if by_key:
        what = f"the stored {name} is not of the version that expected_version= says (see .item); nothing was written"
    elif error.wire_item is None:
        what = f"this {name} was deleted since it was loaded; nothing was written; insert() stores it anew"
    elif version == 0:
        what = (
            f"this {name} is new, but an item with its key is stored already (see .item); nothing was written; "
            "get() the item and change that"
        )
    else:
        what = (
            f"another writer changed this {name} since it was loaded (see .item for what is stored); nothing was "
            "written; refresh() the instance, and make the changes again"
        )
    return converted(error, target, VersionConflict, what)


def no_version(name: str) -> ExpressionError:
    """The error of an expected version for a class that has none."""
    return ExpressionError(f"expected_version: {name} has no version; declare one with Attr[int] = version()")
