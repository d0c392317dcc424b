"""Writing instances of classes with migrations: what is stored must still be what was migrated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..codec.migrated import MigratedItem
from ..errors import ConditionFailed, DynawireError, ExpressionError, ItemChanged
from ..expressions import Condition, Update
from .changes import canonical
from .failures import converted
from .target import Target
from .unchanged import stored_as

__all__ = [
    "changed_since_read",
    "is_older",
    "latest_only",
    "migrated_unchanged",
    "not_migrated",
    "older_version",
    "unchanged",
]

_OLDER = "is_older"


def unchanged(target: Target, loaded: MigratedItem) -> list[Condition]:
    """That an item is stored as it was when it was migrated.

    All of it counts, since a migration may have computed anything of anything: the attributes it touched first, then
    the others.
    """
    return stored_as(target, loaded.stored, loaded.touched)


def migrated_unchanged(target: Target, loaded: MigratedItem, error: ConditionFailed) -> DynawireError:
    """The error when it is not."""
    return converted(
        error,
        target,
        ItemChanged,
        f"this {target.plan.name} was migrated from version {loaded.version} when it was loaded, and another writer "
        "changed or migrated the stored item since (see .item); nothing was written; refresh() the instance, and make "
        "the changes again",
    )


def changed_since_read(loaded: MigratedItem, wire: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Those of the names whose values were changed after the migrations."""
    read = loaded.migrated
    return [
        name for name in names if name in read and (name not in wire or canonical(read[name]) != canonical(wire[name]))
    ]


# ---------------------------------------------------------------------- updates


def not_migrated(target: Target, instance: Any) -> None:
    """Refuse to update an item of an earlier version in place.

    Raises:
        ExpressionError: the instance was migrated and not saved since.
    """
    loaded = None if instance is None else target.adapter.loaded(instance)
    found = None if loaded is None else target.plan.loaded_wire(loaded)
    if isinstance(found, MigratedItem):
        name = target.plan.name
        raise ExpressionError(
            f"this {name} is still stored as version {found.version}, so an update would change only a part of it to "
            f"the latest version; save() it first, or {name}.migrate_all(); nothing was sent"
        )


def latest_only(target: Target, updates: list[Update], *, upsert: bool) -> Condition | None:
    """That the item to update is of the latest version, as far as an attribute tells; an upsert sets that.

    Without a version attribute DynamoDB can't tell: None.
    """
    plan = target.plan
    assert plan.versions is not None
    attribute = plan.versions.attribute
    if attribute is None:
        return None
    path = target.mapped.paths_by_stored_name[attribute]
    if any(update.path._steps[0] == attribute for update in updates):
        raise ExpressionError(
            f"{plan.name}.{path._label} says which version the item is, and only a migration changes that; leave it "
            "out of the update"
        )
    latest = plan.versions.latest
    condition = path == latest
    if upsert:
        updates.append(path.set(latest))
        condition = target.key_path.not_exists() | condition
    return condition


def older_version(target: Target, error: ConditionFailed) -> DynawireError | None:
    """The error when the stored item is of another version than the latest; None when it is of that."""
    plan = target.plan
    assert plan.versions is not None
    attribute = plan.versions.attribute
    if (
        attribute is None
        or error.wire_item is None
        or error.wire_item.get(attribute) == {"N": str(plan.versions.latest)}
    ):
        return None
    older = converted(
        error,
        target,
        ConditionFailed,
        f"the stored item is not of version {plan.versions.latest} of {plan.name}, and an update would change only a "
        f"part of it; nothing was written; get() and save() it first, or {plan.name}.migrate_all()",
    )
    older.__dict__[_OLDER] = True
    return older


def is_older(error: ConditionFailed) -> bool:
    """Whether a condition failed because the stored item is of an earlier version."""
    return _OLDER in error.__dict__
