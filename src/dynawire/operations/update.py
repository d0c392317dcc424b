"""UpdateItem: change attributes in place, atomically."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ..errors import ConditionFailed, DynawireError, ExpressionError, ServiceError
from ..expressions import (
    Condition,
    Path,
    Placeholders,
    Update,
    Value,
    all_of,
    called,
    compile_update,
    member_hint,
    parse_update_lookups,
)
from ..mapping.attributes import Attribute
from .derived_classes import DerivedClasses, classes_keeping_more, refuse_derived
from .failures import condition_failed, lost_path, missing_or_false, no_version
from .migrated import latest_only, not_migrated, older_version
from .target import Target
from .write import Write, add_condition, with_existence

__all__ = ["all_updates", "prepare_update"]


def all_updates(target: Target, updates: Sequence[Any], lookups: Mapping[str, Any]) -> list[Update]:
    """The updates given as such, and those by keyword.

    Raises:
        ExpressionError: something is no update.
    """
    return [*_checked(target, updates), *parse_update_lookups(target.mapped.paths, lookups, target.plan.name)]


def prepare_update(
    target: Target,
    key: dict[str, Any],
    updates: Sequence[Update],
    lookups: Mapping[str, Any],
    condition: Condition | None,
    *,
    upsert: bool,
    instance: Any = None,
    expected_version: int | None = None,
) -> Write:
    """Change attributes in place, atomically; the new item comes back.

    Args:
        target: the class and its table.
        key: the wire form of the item's key.
        updates: the changes.
        lookups: further changes, by keyword.
        condition: what must hold of the stored item.
        upsert: whether to create the item when it is missing.
        instance: takes over the new values of what was updated; None: the call gives a new instance.
        expected_version: the version that must be stored; None: that of the instance, and any without one.
    """
    if target.family is not None:
        target = target.of(instance)
    plan = target.plan
    every = all_updates(target, updates, lookups)
    given = len(every)
    latest = None
    if plan.versions is not None:
        not_migrated(target, instance)
        latest = latest_only(target, every, upsert=upsert)
    staged = None
    if target.upkeep is not None:
        staged = target.upkeep.stage_update(every, instance, expected_version, upsert=upsert)
    elif expected_version is not None:
        raise no_version(plan.name)
    if target.family is not None:
        _keep_class(target, every, upsert)
        refuse_derived(target, every)
    assumed = None
    if target.computed is not None and given:
        loaded = None if instance is None else partial(_loaded_wire, target, instance)
        assumed = target.computed.stage_update(every, key, condition, loaded, upsert=upsert)
    if not given:
        # What is maintained is no update by itself: the error is that of an empty one.
        every = []
    placeholders = Placeholders()
    request: dict[str, Any] = {
        "TableName": target.table_name,
        "Key": key,
        "UpdateExpression": compile_update(every, placeholders, target.owner, key_names=plan.key_names),
    }
    _refuse_removal(target, every)
    if upsert:
        _refuse_phantom(target, every)
    required = condition if upsert else with_existence(target, condition)
    if upsert and target.belongs is not None:
        own = target.key_path.not_exists() | target.belongs
        required = own if required is None else all_of([own, required])
    if staged is not None and staged.condition is not None:
        required = staged.condition if required is None else all_of([required, staged.condition])
    if assumed is not None and assumed.conditions:
        required = all_of([*assumed.conditions, *(() if required is None else (required,))])
    if latest is not None:
        required = latest if required is None else all_of([required, latest])
    touched = {str(update.path._steps[0]) for update in every}
    richer = [] if target.family is None else classes_keeping_more(target, touched)
    derived = DerivedClasses(target, richer) if richer else None
    if derived is not None:
        required = derived.condition if required is None else all_of([required, derived.condition])
    add_condition(target, request, required, placeholders)

    def applied(response: bytes | None) -> Any:
        if response is not None:
            return adopt(plan.read_attributes(response)[0])
        if instance is not None:
            _take_constants(target, instance, every)
        return instance

    def adopt(current: Any) -> Any:
        if instance is None:
            return current
        _take_over(target, instance, current, touched)
        return instance

    def explain(error: ConditionFailed) -> DynawireError:
        if latest is not None and (older := older_version(target, error)) is not None:
            return older
        if upsert:
            return condition_failed(target, error)
        return missing_or_false(target, error, key, "update(..., upsert=True) would create it")

    explained = explain if assumed is None else assumed.explained(target, explain)
    if staged is not None:
        explained = staged.explained(target, explained, missing=upsert)
    if derived is not None:
        explained = derived.explained(richer, explained, replaced=instance is not None)
    nested = [update.path._label for update in every if len(update.path._steps) > 1]

    def explain_path(error: ServiceError) -> DynawireError:
        return lost_path(target, error, nested, "set the whole attribute first")

    write = Write(
        target,
        "Update",
        request,
        key,
        idempotent=condition is None
        and (staged is None or staged.condition is None)
        and (assumed is None or not assumed.conditions)
        and latest is None
        and all(map(_is_idempotent, every)),
        explain=explained,
        explain_path=explain_path if nested else None,
        applied=applied,
        adopt=adopt,
        return_values="ALL_NEW",
    )
    write.derived = derived
    if target.upkeep is not None and target.upkeep.keeping is not None:
        target.upkeep.keeping.update(write, every, upsert=upsert)
    return write


def _loaded_wire(target: Target, instance: Any) -> dict[str, Any]:
    """The item an instance was loaded as; of one never loaded, what it would be stored as."""
    loaded = target.adapter.loaded(instance)
    return target.plan.encode(instance) if loaded is None else target.plan.loaded_wire(loaded)


def _keep_class(target: Target, updates: list[Update], upsert: bool) -> None:
    """Let an item that an upsert creates be of the class, and no update change that."""
    family = target.family
    assert family is not None
    if any(update.path._steps[0] == family.stored_name for update in updates):
        raise ExpressionError(
            f"{target.plan.name}.{family.name} says of which class the item is; leave it out of the update"
        )
    if upsert:
        updates.append(target.mapped.paths[family.name].set_if_not_exists(family.tag_of(target.cls)))


def _is_idempotent(update: Update) -> bool:
    """Whether applying it twice does no more than once: constants set, members of sets added or deleted."""
    if isinstance(update.path._steps[-1], int):
        # A SET beyond the end of a list appends, and elements after a removed one move up.
        return False
    if update.action == "SET":
        return isinstance(update.operand, Value)
    if update.action == "ADD":
        return isinstance(update.operand, Value) and "N" not in update.operand.wire
    return True


def _checked(target: Target, updates: Sequence[Any]) -> list[Update]:
    for update in updates:
        if not isinstance(update, Update):
            raise _not_an_update(target.plan.name, update)
    return list(updates)


def _not_an_update(name: str, found: Any) -> ExpressionError:
    if isinstance(found, Condition):
        return ExpressionError(
            f"{found!r} is a condition, not an update: == compares; to assign, write {name}.attribute.set(value), and "
            "give a condition as condition=..."
        )
    if isinstance(found, Mapping):
        return ExpressionError("update() takes changes by keyword: write update(**changes)")
    what = type(found).__name__
    if isinstance(found, Path):
        return ExpressionError(f"the path {found!r} is not an update; write {called(found)}.set(value)")
    if what == "Arithmetic":
        what = "a sum"
    return ExpressionError(
        f"{what} is not an update; write one such as {name}.attribute.set(value){member_hint(found)}"
    )


def _must_be_there(target: Target) -> dict[str, Attribute]:
    """The attributes, by stored name, without which an item can't be read as the class; those of the key left out."""
    return {
        attribute.stored_name: attribute
        for attribute in target.mapped.mapping.attributes.values()
        if attribute.role is None
        and attribute.computed is None
        and not (target.plan.key_only is not None and attribute.stored_name in target.plan.key_only.names)
        and not target.plan.record.may_be_absent(attribute)
    }


def _refuse_removal(target: Target, updates: Sequence[Update]) -> None:
    removed = [update.path for update in updates if update.action == "REMOVE" and len(update.path._steps) == 1]
    needed = _must_be_there(target) if removed else {}
    for path in removed:
        if path._steps[0] in needed:
            raise ExpressionError(
                f"{target.plan.name}.{path._label} can't be removed: an item without it could no longer be read; "
                "declare it optional, or with a default"
            )


def _refuse_phantom(target: Target, updates: Sequence[Update]) -> None:
    """Refuse an upsert whose new item could not be read as the class it was written by."""
    given = {
        update.path._steps[0] for update in updates if len(update.path._steps) == 1 and update.action in ("SET", "ADD")
    }
    missing = [attribute.name for name, attribute in _must_be_there(target).items() if name not in given]
    if missing:
        raise ExpressionError(
            f"upsert=True could create a {target.plan.name} without {', '.join(missing)}, which it must have: set "
            f"{'it' if len(missing) == 1 else 'them'} in this update, or declare a default"
        )


# ---------------------------------------------------------------------- the instance afterwards


def _take_over(target: Target, instance: Any, current: Any, touched: set[str]) -> None:
    """Take the new values of the updated attributes; local changes of others stay to be saved."""
    plan = target.plan
    adapter = target.adapter
    before, read = adapter.loaded(instance), adapter.loaded(current)
    now = {} if read is None else plan.loaded_wire(read)
    if before is None:
        # Never loaded: what it holds besides may or may not be stored, so the whole item counts as read now.
        merged = now
    else:
        merged = {name: value for name, value in plan.loaded_wire(before).items() if name not in touched}
        merged.update({name: now[name] for name in touched if name in now})
    for stored_name in touched:
        if target.computed is None or stored_name not in target.computed.by_name:
            adapter.take(instance, current, target.mapped.paths_by_stored_name[stored_name]._label)
    target.keep(instance, merged)


def _take_constants(target: Target, instance: Any, updates: Sequence[Update]) -> None:
    """Take what a transaction, which returns no values, is known to have stored: whole attributes set or removed."""
    adapter = target.adapter
    loaded = adapter.loaded(instance)
    after = None if loaded is None else dict(target.plan.loaded_wire(loaded))
    for update in updates:
        path = update.path
        name = str(path._steps[0])
        if len(path._steps) > 1 or (target.computed is not None and name in target.computed.by_name):
            continue
        if update.action == "SET" and isinstance(update.operand, Value):
            adapter.assign(instance, path._label, path._codec.decode(update.operand.wire))
            if after is not None:
                after[name] = update.operand.wire
        elif update.action == "REMOVE":
            attribute = target.mapped.mapping.attributes[path._label]
            adapter.drop(instance, path._label, attribute.make_default() if attribute.has_default else None)
            if after is not None:
                after.pop(name, None)
    if after is not None:
        target.keep(instance, after)
