"""Saving: an UpdateItem of what changed since the instance was loaded."""

from __future__ import annotations

import re
from typing import Any

from ..codec.migrated import MigratedItem
from ..errors import ConditionFailed, DynawireError, LimitExceeded, ServiceError, ValidationError
from ..expressions import Comparison, Condition, Placeholders, Value
from .as_loaded import as_loaded, require_all
from .changes import Changes, changes_since
from .derived_classes import DerivedClasses, classes_keeping_more
from .failures import condition_failed, converted, lost_path, missing_or_false
from .migrated import changed_since_read, migrated_unchanged, unchanged
from .put import prepare_put
from .target import Target, encode_json
from .write import Write, with_existence

__all__ = ["prepare_save"]

MAX_EXPRESSION_BYTES = 4096
"""What DynamoDB takes of one expression."""
REFRESH = "another writer changed the item since it was loaded: refresh() the instance, and make the changes again"


def prepare_save(
    target: Target, instance: Any, condition: Condition | None, loaded: Any = None, check: str | None = None
) -> Write | None:
    """Write what changed since the instance was loaded; None when nothing did. A new instance is put.

    Args:
        target: the class and its table.
        instance: the instance.
        condition: what must hold of the stored item.
        loaded: what the instance was loaded from; None: what its adapter knows.
        check: ``"loaded"``: the stored item must still be as the instance was loaded; or None.
    """
    if target.family is not None:
        target = target.of(instance)
    plan = target.plan
    if loaded is None:
        loaded = target.adapter.loaded(instance)
    if loaded is None:
        if not target.adapter.new_is_put:
            raise _unknown(target, instance)
        return prepare_put(target, instance, condition, check=check)
    required = as_loaded(target, instance, check)
    plan.call_before_check(instance)
    try:
        wire = plan.encode(instance)
    except ValidationError as refusal:
        wire = _despite_newer_limits(target, instance, loaded, refusal)
    if plan.check_after is not None:
        plan.check_after(instance)
    upkeep = target.upkeep
    plan.check_size(wire, len(encode_json(wire)))
    before = plan.loaded_wire(loaded)
    changes = changes_since(target, before, wire)
    migrated = before if isinstance(before, MigratedItem) else None
    if upkeep is not None:
        for name in upkeep.kept_by_save:
            changes.leave(name)
        names = changes.names()
        upkeep.refuse_immutable(
            (name for name in names if name in before)
            if migrated is None
            else changed_since_read(migrated, wire, names)
        )
    _refuse_key_change(target, changes)
    if not changes:
        return None
    staged = None
    if upkeep is not None:
        staged = upkeep.stage_save(instance)
        wire.update(staged.values)
        changes.values.update({(name,): value for name, value in staged.values.items()})
    assumed = None if target.computed is None else target.computed.stage_save(changes, wire, before)
    if target.computed is not None and migrated is not None:
        # Items of earlier versions may lack it, whether or not its sources change.
        computed = [name for name in target.computed.by_name if name not in plan.key_names]
        changes.follow(computed, migrated.stored, wire)
    names = changes.names()
    key = {name: wire[name] for name in plan.key_names}
    placeholders, expression, whole = _compiled(target, changes, wire)
    if migrated is not None:
        # What was migrated must be stored as it was, or a part of it would be lost, or a part of two versions stored.
        required, guards = None, unchanged(target, migrated)
    else:
        # Who checks every attribute checks these.
        guards = [_unchanged(target, name, before[name]) for name in whole] if required is None else []
    conditions = [with_existence(target, condition), *guards]
    if staged is not None and staged.condition is not None:
        conditions.append(staged.condition)
    if assumed is not None and required is None:
        conditions += assumed.conditions
    richer = [] if target.family is None else classes_keeping_more(target, names)
    derived = DerivedClasses(target, richer) if richer else None
    if derived is not None:
        conditions.append(derived.condition)

    def request(placeholders: Placeholders, expression: str) -> dict[str, Any]:
        made: dict[str, Any] = {"TableName": target.table_name, "Key": key, "UpdateExpression": expression}
        require_all(target, made, conditions, required, placeholders)
        return made

    def request_anew() -> dict[str, Any]:
        placeholders = Placeholders()
        return request(placeholders, _expression(changes, placeholders))

    def applied(_: bytes | None) -> None:
        if staged is not None:
            staged.take_over(instance)
        # Attributes the class does not know, or that stayed at a default never stored, are no part of what was loaded.
        after = {name: value for name, value in before.items() if name not in names}
        after.update({name: wire[name] for name in names if name in wire})
        target.keep(instance, after)

    def explain(error: ConditionFailed) -> DynawireError:
        if error.wire_item is None or not guards:
            return missing_or_false(target, error, key, "save() never brings a deleted item back")
        if condition is not None:
            return condition_failed(target, error)
        if migrated is not None:
            return migrated_unchanged(target, migrated, error)
        labels = ", ".join(f"{plan.name}.{_label(target, name)}" for name in whole)
        return converted(
            error, target, ConditionFailed, f"{labels} has too many changes to write one by one, and {REFRESH}"
        )

    explained = explain if assumed is None else assumed.explained(target, explain)
    if derived is not None:
        explained = derived.explained(richer, explained, replaced=True)

    def explain_path(error: ServiceError) -> DynawireError:
        return lost_path(target, error, [_label(target, name) for name in changes.nested()], REFRESH)

    plain = condition is None and not guards and required is None and (assumed is None or not assumed.conditions)
    meant = explained if required is None else required.explained(explained, missing=False)
    write = Write(
        target,
        "Update",
        request(placeholders, expression),
        key,
        idempotent=plain and (staged is None or staged.condition is None),
        explain=meant if staged is None else staged.explained(target, meant, missing=False),
        explain_path=explain_path,
        applied=applied,
        amend=None if required is None else required.amending(request_anew),
    )
    if upkeep is not None and upkeep.keeping is not None:
        upkeep.keeping.save(write, before, wire, names)
    return write


def _despite_newer_limits(target: Target, instance: Any, loaded: Any, refusal: ValidationError) -> dict[str, Any]:
    """The item of an instance that breaks limits: an attribute that is as it was stored may be older than they are.

    Raises:
        ValidationError: the refusal, when it is about more than that.
    """
    plan = target.plan
    # A refusal that lists no values is about the instance as a whole, such as a discriminator that was changed.
    wire = plan.encode_without_limits(instance) if refusal.errors else None
    if wire is None:
        raise refusal
    changed = changes_since(target, plan.loaded_wire(loaded), wire).names()
    attributes = target.mapped.mapping.attributes
    for path, reason in refusal.errors:
        attribute = attributes.get(re.split(r"[.\[{]", path, maxsplit=1)[0])
        # What another library's schema says holds of the whole instance whenever it is written.
        if attribute is None or attribute.stored_name in changed or hasattr(reason, "told"):
            raise refusal
    return wire


def _unknown(target: Target, instance: Any) -> ValidationError:
    plan = target.plan
    if instance.__class__ is not target.kind:
        return plan.refusal(instance)
    return ValidationError(
        f"save() writes what changed in this {plan.name} since it was loaded, and that is not known: "
        f"{target.adapter.why_unknown()}; use insert() or put() to store it whole, or update() to change attributes; "
        "nothing was sent",
        model=plan.name,
    )


def _refuse_key_change(target: Target, changes: Changes) -> None:
    changed = changes.names()
    for attribute in target.plan.key_attributes:
        if attribute.stored_name in changed:
            raise ValidationError(
                f"{target.plan.name}.{attribute.name} is part of the key, which an item keeps for life; to rename the "
                "item, insert() a copy with the new key and delete() the old one, best in one db.transaction(); "
                "nothing was sent",
                model=target.plan.name,
                attribute=attribute.name,
            )


def _compiled(target: Target, changes: Changes, wire: dict[str, Any]) -> tuple[Placeholders, str, list[str]]:
    """The expression, and stored names of the attributes that are written whole because they have too many changes.

    Those overwrite members another writer may have changed meanwhile, so the caller must make sure nobody did.
    """
    whole: list[str] = []
    while True:
        placeholders = Placeholders()
        expression = _expression(changes, placeholders)
        if len(expression) <= MAX_EXPRESSION_BYTES:
            return placeholders, expression, whole
        nested = changes.nested()
        if not nested:
            raise LimitExceeded(
                f"save() would change {len(changes.names())} attributes of this {target.plan.name} at once, more than "
                "DynamoDB's 4 KB of one update can name; write the item whole with put(); nothing was sent"
            )
        widest = max(nested, key=lambda name: nested[name])
        changes.write_whole(widest, wire[widest])
        whole.append(widest)


def _expression(changes: Changes, placeholders: Placeholders) -> str:
    clauses: list[str] = []
    if changes.values:
        assigned = [f"{placeholders.path(path)} = {placeholders.value(one)}" for path, one in changes.values.items()]
        clauses.append("SET " + ", ".join(assigned))
    if changes.removed:
        clauses.append("REMOVE " + ", ".join(placeholders.path(path) for path in changes.removed))
    return " ".join(clauses)


def _unchanged(target: Target, name: str, loaded: dict[str, Any]) -> Condition:
    return Comparison("=", target.mapped.paths_by_stored_name[name], (Value(None, loaded),))


def _label(target: Target, name: str) -> str:
    return target.mapped.paths_by_stored_name[name]._label
