"""Single-item writes, prepared once for all ways of sending them: alone, exactly once, or inside a transaction.

PutItem, UpdateItem, DeleteItem and ConditionCheck differ in what they ask and in what a refusal means; a
:class:`Write` holds both, so that a transaction keeps the same rules as a single write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import (
    ConditionFailed,
    DecodeError,
    DynawireError,
    ExpressionError,
    ItemExists,
    ItemNotFound,
    ValidationError,
)
from ..expressions import (
    Condition,
    Placeholders,
    Update,
    Value,
    all_of,
    compile_condition,
    compile_update,
    parse_update_lookups,
)
from .capacity import active_meter
from .changes import changes_since
from .effects import Operation, Request
from .target import Target, encode_json, encode_request, raw_capacity

__all__ = [
    "Write",
    "prepare_check",
    "prepare_delete",
    "prepare_insert",
    "prepare_put",
    "prepare_save",
    "prepare_update",
    "put_item",
    "send_write",
]


class Write:
    """One write of one item, ready to be sent.

    Attributes:
        action: the member name of a TransactWriteItems entry: Put, Update, Delete or ConditionCheck.
        request: the parameters that a single write and a transaction share.
        key: the wire form of the item's primary key.
        return_values: ReturnValues of the single write, or None.
        idempotent: whether sending it twice does no more than sending it once.
        explain: makes the error of a failed condition.
        applied: takes over what was written, and gives the call's result; it receives the single write's response,
            or None when it was sent in a transaction.
    """

    __slots__ = ("action", "applied", "explain", "idempotent", "key", "request", "return_values", "target")

    def __init__(
        self,
        target: Target,
        action: str,
        request: dict[str, Any],
        key: dict[str, Any],
        *,
        idempotent: bool,
        explain: Callable[[ConditionFailed], DynawireError],
        applied: Callable[[bytes | None], Any],
        return_values: str | None = None,
    ) -> None:
        self.target = target
        self.action = action
        self.request = request
        self.key = key
        self.idempotent = idempotent
        self.explain = explain
        self.applied = applied
        self.return_values = return_values


def send_write(write: Write) -> Operation[Any]:
    """Send one write alone."""
    request = write.request
    if write.return_values is not None:
        request = {**request, "ReturnValues": write.return_values}
    if "ConditionExpression" in request:
        # Costs nothing when the condition holds, and tells a missing item from a false condition when it does not.
        request = {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    operation = f"{write.action}Item"
    try:
        response = yield Request(operation, encode_request(request), write.idempotent)
    except ConditionFailed as error:
        raise write.explain(error) from None
    raw_capacity(operation, response)
    return write.applied(response)


# ---------------------------------------------------------------------- put and insert


def put_item(target: Target, instance: Any) -> Operation[None]:
    """Replace or create the whole item, without condition: the shortest path from an instance to the wire."""
    plan = target.plan
    wire = plan.encode(instance)
    item = encode_json(wire)
    plan.check_size(wire, len(item))
    meter = active_meter.get()
    if meter is None:
        yield Request("PutItem", target.put_prefix + item + b"}")
    else:
        response = yield Request("PutItem", target.put_prefix + item + b',"ReturnConsumedCapacity":"TOTAL"}')
        raw_capacity("PutItem", response)
    instance._loaded = wire


def prepare_put(target: Target, instance: Any, condition: Condition | None, return_old: bool = False) -> Write:
    """Replace or create the whole item."""
    return _put(
        target,
        instance,
        condition,
        idempotent=condition is None and not return_old,
        explain=lambda error: _condition_failed(target, error),
        return_old=return_old,
    )


def prepare_insert(target: Target, instance: Any, condition: Condition | None) -> Write:
    """Create the item; refuse when there is one with this key."""

    def explain(error: ConditionFailed) -> DynawireError:
        if condition is not None and error.wire_item is None:
            return _condition_failed(target, error)
        return _converted(
            error,
            target,
            ItemExists,
            f"table {target.table_name} already holds an item of {target.plan.name} with this key; use put() to "
            "replace it, or update() to change it",
        )

    absent = target.mapped.paths[target.plan.key_attributes[0].name].not_exists()
    both = absent if condition is None else all_of([absent, condition])
    return _put(target, instance, both, idempotent=False, explain=explain, return_old=False)


def _put(
    target: Target,
    instance: Any,
    condition: Condition | None,
    *,
    idempotent: bool,
    explain: Callable[[ConditionFailed], DynawireError],
    return_old: bool,
) -> Write:
    plan = target.plan
    wire = plan.encode(instance)
    plan.check_size(wire, len(encode_json(wire)))
    request: dict[str, Any] = {"TableName": target.table_name, "Item": wire}
    _add_condition(target, request, condition, Placeholders())

    def applied(response: bytes | None) -> Any:
        instance._loaded = wire
        return plan.read_attributes(response)[0] if return_old and response is not None else None

    return Write(
        target,
        "Put",
        request,
        {name: wire[name] for name in plan.key_names},
        idempotent=idempotent,
        explain=explain,
        applied=applied,
        return_values="ALL_OLD" if return_old else None,
    )


# ---------------------------------------------------------------------- save


def prepare_save(target: Target, instance: Any, condition: Condition | None) -> Write | None:
    """Write what changed since the instance was loaded; None when nothing did. A new instance is put."""
    plan = target.plan
    loaded = getattr(instance, "_loaded", None)
    if loaded is None:
        return prepare_put(target, instance, condition)
    before = plan.loaded_wire(loaded)
    wire = plan.encode(instance)
    plan.check_size(wire, len(encode_json(wire)))
    changes = changes_since(target, before, wire)
    changed_names = {path[0] for path in (*changes.values, *changes.removed)}
    for name in plan.key_names:
        if name in changed_names:
            attribute = target.mapped.paths_by_stored_name[name].label
            raise ValidationError(
                f"{plan.name}.{attribute} is part of the key, which an item keeps for life; to rename the item, "
                "insert() a copy "
                "with the new key and delete() the old one, best in one db.transaction()",
                model=plan.name,
                attribute=attribute,
            )
    if not changes:
        return None
    placeholders = Placeholders()
    request: dict[str, Any] = {
        "TableName": target.table_name,
        "Key": {name: wire[name] for name in plan.key_names},
        "UpdateExpression": _changes_expression(changes.values, changes.removed, placeholders),
    }
    exists = target.mapped.paths[plan.key_attributes[0].name].exists()
    _add_condition(target, request, exists if condition is None else all_of([exists, condition]), placeholders)

    def applied(_: bytes | None) -> None:
        # Attributes the class does not know, or that stayed at a default never stored, are no part of what was loaded.
        after = {name: value for name, value in before.items() if name not in changed_names}
        after.update({name: wire[name] for name in changed_names if name in wire})
        instance._loaded = after

    return Write(
        target,
        "Update",
        request,
        request["Key"],
        idempotent=condition is None,
        explain=lambda error: _missing_or_false(
            target, error, request["Key"], "save() never brings a deleted item back"
        ),
        applied=applied,
    )


def _changes_expression(
    values: Mapping[tuple[str, ...], Any], removed: Sequence[tuple[str, ...]], placeholders: Placeholders
) -> str:
    clauses: list[str] = []
    if values:
        clauses.append(
            "SET "
            + ", ".join(f"{placeholders.path(path)} = {placeholders.value(value)}" for path, value in values.items())
        )
    if removed:
        clauses.append("REMOVE " + ", ".join(placeholders.path(path) for path in removed))
    return " ".join(clauses)


# ---------------------------------------------------------------------- update


def prepare_update(
    target: Target,
    key: dict[str, Any],
    updates: Sequence[Update],
    lookups: Mapping[str, Any],
    condition: Condition | None,
    *,
    upsert: bool,
    instance: Any = None,
) -> Write:
    """Change attributes in place, atomically; the new item comes back."""
    plan = target.plan
    every = [*_checked_updates(target, updates), *parse_update_lookups(target.mapped.paths, lookups, plan.name)]
    placeholders = Placeholders()
    request: dict[str, Any] = {
        "TableName": target.table_name,
        "Key": key,
        "UpdateExpression": compile_update(every, placeholders, target.cls, key_names=plan.key_names),
    }
    if upsert:
        _refuse_phantom(target, every)
        both = condition
    else:
        exists = target.mapped.paths[plan.key_attributes[0].name].exists()
        both = exists if condition is None else all_of([exists, condition])
    _add_condition(target, request, both, placeholders)
    touched = {str(update.path.steps[0]) for update in every}

    def applied(response: bytes | None) -> Any:
        if response is None:
            return None
        current, _ = plan.read_attributes(response)
        if instance is None:
            return current
        _take_over(target, instance, current, touched)
        return instance

    hint = "update(..., upsert=True) would create it"
    return Write(
        target,
        "Update",
        request,
        key,
        idempotent=condition is None and all(map(_is_idempotent, every)),
        explain=lambda error: (
            _condition_failed(target, error) if upsert else _missing_or_false(target, error, key, hint)
        ),
        applied=applied,
        return_values="ALL_NEW",
    )


def _is_idempotent(update: Update) -> bool:
    """Whether applying it twice does no more than once: constants set, members of sets added or deleted."""
    if update.action == "SET":
        return isinstance(update.operand, Value)
    if update.action == "REMOVE":
        return not isinstance(update.path.steps[-1], int)
    return update.action == "DELETE" or (isinstance(update.operand, Value) and "N" not in update.operand.wire)


def _checked_updates(target: Target, updates: Sequence[Any]) -> list[Update]:
    for update in updates:
        if not isinstance(update, Update):
            raise ExpressionError(
                f"{type(update).__name__} is not an update; write one such as {target.plan.name}.attribute.set(value)"
            )
    return list(updates)


def _refuse_phantom(target: Target, updates: Sequence[Update]) -> None:
    """Refuse an upsert whose new item could not be read as the class it was written by."""
    given = {
        str(update.path.steps[0])
        for update in updates
        if len(update.path.steps) == 1 and update.action in ("SET", "ADD")
    }
    missing = [
        attribute.name
        for attribute in target.mapped.mapping.attributes.values()
        if attribute.role is None
        and attribute.stored_name not in given
        and not target.plan.record.may_be_absent(attribute)
    ]
    if missing:
        raise ExpressionError(
            f"upsert=True could create a {target.plan.name} without {', '.join(missing)}, which it must have: set "
            f"{'it' if len(missing) == 1 else 'them'} in this update, or declare a default"
        )


def _take_over(target: Target, instance: Any, current: Any, touched: set[str]) -> None:
    """Take the new values of the updated attributes; local changes of others stay to be saved."""
    plan = target.plan
    before = getattr(instance, "_loaded", None)
    if before is None:
        # Never loaded: what it holds besides may or may not be stored, so the whole item counts as read now.
        merged = plan.loaded_wire(current._loaded)
    else:
        now = plan.loaded_wire(current._loaded)
        merged = {name: value for name, value in plan.loaded_wire(before).items() if name not in touched}
        merged.update({name: now[name] for name in touched if name in now})
    for stored_name in touched:
        path = target.mapped.paths_by_stored_name.get(stored_name)
        if path is not None:
            setattr(instance, path.label, getattr(current, path.label))
    instance._loaded = merged


# ---------------------------------------------------------------------- delete and check


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
    request: dict[str, Any] = {"TableName": target.table_name, "Key": key}
    both = condition
    if must_exist:
        exists = target.mapped.paths[plan.key_attributes[0].name].exists()
        both = exists if condition is None else all_of([exists, condition])
    _add_condition(target, request, both, Placeholders())

    def applied(response: bytes | None) -> Any:
        # The instance keeps what it was loaded from: a later save() finds the item gone, and does not put it back.
        return plan.read_attributes(response)[0] if return_old and response is not None else None

    def explain(error: ConditionFailed) -> DynawireError:
        if must_exist:
            return _missing_or_false(target, error, key, "it may have been deleted already")
        return _condition_failed(target, error)

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
    _add_condition(target, request, condition, Placeholders())
    return Write(
        target,
        "ConditionCheck",
        request,
        key,
        idempotent=True,
        explain=lambda error: _condition_failed(target, error),
        applied=lambda _: None,
    )


# ---------------------------------------------------------------------- conditions and their failures


def _add_condition(
    target: Target, request: dict[str, Any], condition: Condition | None, placeholders: Placeholders
) -> None:
    if condition is not None:
        request["ConditionExpression"] = compile_condition(condition, placeholders, target.cls)
    placeholders.apply(request)


def _old_item(target: Target, error: ConditionFailed) -> Any:
    if error.wire_item is None:
        return None
    try:
        return target.plan.from_wire(dict(error.wire_item))
    except DecodeError:
        return None


def _converted(error: ConditionFailed, target: Target, kind: type[ConditionFailed], message: str) -> ConditionFailed:
    return kind(
        message,
        code=error.code,
        request_id=error.request_id,
        status=error.status,
        model=target.plan.name,
        item=_old_item(target, error),
        wire_item=error.wire_item,
    )


def _condition_failed(target: Target, error: ConditionFailed) -> ConditionFailed:
    state = "the stored item is in .item" if error.wire_item is not None else "no item has this key"
    return _converted(
        error,
        target,
        ConditionFailed,
        f"the condition on this {target.plan.name} is false ({state}); nothing was written",
    )


def _missing_or_false(target: Target, error: ConditionFailed, key: dict[str, Any], hint: str) -> DynawireError:
    if error.wire_item is not None:
        return _condition_failed(target, error)
    missing = _converted(
        error,
        target,
        ItemNotFound,
        f"no item of {target.plan.name} has this key (see .key) in table {target.table_name}; nothing was written; "
        f"{hint}",
    )
    missing.__dict__["key"] = key
    return missing
