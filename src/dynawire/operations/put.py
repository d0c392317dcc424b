"""PutItem: replace, create, or only create the whole item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..codec.size import MAX_ITEM_BYTES
from ..errors import ConditionFailed, DynawireError, ItemExists
from ..expressions import Condition, Placeholders, all_of
from .as_loaded import AsLoaded, as_loaded, require_all
from .capacity import active_meter
from .effects import Operation, Request
from .failures import condition_failed, converted, version_conflict
from .target import Target, encode_json, raw_capacity
from .write import Write

__all__ = ["BarePut", "bare_put", "prepare_insert", "prepare_put"]

BarePut = Callable[[Target, Any], Operation[None]]
"""Puts an instance, whatever is stored."""


def bare_put(target: Target) -> BarePut | None:
    """The shortest way to put an item of a class without condition; None: it writes other items besides."""
    upkeep = target.upkeep
    if upkeep is None:
        return put_item
    if upkeep.keeping is not None:
        return None
    return put_versioned if upkeep.is_version_alone else put_maintained


def put_item(target: Target, instance: Any) -> Operation[None]:
    """Replace or create the whole item, without condition: the shortest path from an instance to the wire.

    It is for classes without upkeep.
    """
    plan = target.plan
    wire = plan.encode_for_write(instance)
    item = encode_json(wire if plan.key_only is None else plan.stored(wire))
    if len(item) > MAX_ITEM_BYTES:
        plan.check_size(wire, len(item))
    if active_meter.get() is None:
        yield Request("PutItem", target.put_prefix + item + b"}", True, target)
    else:
        response = yield Request(
            "PutItem", target.put_prefix + item + b',"ReturnConsumedCapacity":"TOTAL"}', True, target
        )
        raw_capacity("PutItem", response)
    if target.keeps_on_instance:
        instance._loaded = wire
    else:
        target.keep(instance, wire)


def put_versioned(target: Target, instance: Any) -> Operation[None]:
    """The same for a class that has a version, and nothing else that is maintained."""
    plan = target.plan
    upkeep = target.upkeep
    assert upkeep is not None
    wire = plan.encode_for_write(instance)
    stored_version = wire[upkeep.version_name]
    version = int(stored_version["N"])
    if version < 0:
        upkeep.version_of(instance)
    stored_version["N"] = str(version + 1)
    item = encode_json(wire if plan.key_only is None else plan.stored(wire))
    if len(item) > MAX_ITEM_BYTES:
        plan.check_size(wire, len(item))
    measured = active_meter.get() is not None
    end = b',"ReturnConsumedCapacity":"TOTAL"}' if measured else b"}"
    body = b"".join((target.put_prefix, item, upkeep.condition_members(version), end))
    try:
        response = yield Request("PutItem", body, False, target)
    except ConditionFailed as error:
        raise version_conflict(target, version, error) from None
    if measured:
        raw_capacity("PutItem", response)
    upkeep.assign(instance, upkeep.version_label, version + 1)
    if target.keeps_on_instance:
        instance._loaded = wire
    else:
        target.keep(instance, wire)


def put_maintained(target: Target, instance: Any) -> Operation[None]:
    """The same for a class with upkeep."""
    plan = target.plan
    upkeep = target.upkeep
    assert upkeep is not None
    wire = plan.encode_for_write(instance)
    staged = upkeep.stage_put(instance, wire)
    item = encode_json(wire if plan.key_only is None else plan.stored(wire))
    if len(item) > MAX_ITEM_BYTES:
        plan.check_size(wire, len(item))
    version = staged.version
    condition = b"" if version is None else upkeep.condition_members(version)
    measured = active_meter.get() is not None
    end = b',"ReturnConsumedCapacity":"TOTAL"}' if measured else b"}"
    try:
        response = yield Request(
            "PutItem", b"".join((target.put_prefix, item, condition, end)), version is None, target
        )
    except ConditionFailed as error:
        raise version_conflict(target, version, error) from None
    if measured:
        raw_capacity("PutItem", response)
    staged.take_over(instance)
    if target.keeps_on_instance:
        instance._loaded = wire
    else:
        target.keep(instance, wire)


def prepare_put(
    target: Target, instance: Any, condition: Condition | None, return_old: bool = False, check: str | None = None
) -> Write:
    """Replace or create the whole item."""
    if target.family is not None:
        target = target.of(instance)
    return _put(
        target,
        instance,
        condition,
        idempotent=condition is None and not return_old,
        explain=lambda error: condition_failed(target, error),
        return_old=return_old,
        check=as_loaded(target, instance, check),
    )


def prepare_insert(target: Target, instance: Any, condition: Condition | None) -> Write:
    """Create the item; refuse when there is one with this key."""
    if target.family is not None:
        target = target.of(instance)

    def explain(error: ConditionFailed) -> DynawireError:
        if condition is not None and error.wire_item is None:
            return condition_failed(target, error)
        return converted(
            error,
            target,
            ItemExists,
            f"table {target.table_name} already holds an item of {target.plan.name} with this key; use put() to "
            "replace it, or update() to change it",
        )

    absent = target.key_path.not_exists()
    if target.hides is not None:
        # What no read shows any more is in nobody's way.
        absent = absent | target.hides.expired()
    both = absent if condition is None else all_of([absent, condition])
    return _put(target, instance, both, idempotent=False, explain=explain, return_old=False, insert=True)


def _put(
    target: Target,
    instance: Any,
    condition: Condition | None,
    *,
    idempotent: bool,
    explain: Callable[[ConditionFailed], DynawireError],
    return_old: bool,
    insert: bool = False,
    check: AsLoaded | None = None,
) -> Write:
    plan = target.plan
    upkeep = target.upkeep
    keeping = None if upkeep is None else upkeep.keeping
    source = instance
    if keeping is None:
        wire = plan.encode_for_write(instance)
    else:
        # What is called first sees the instance itself, and not a copy with a number.
        plan.call_before_check(instance)
        source = keeping.numbered(instance)
        wire = plan.encode(source)
        if plan.check_after is not None:
            plan.check_after(source)
    staged = None
    if upkeep is not None:
        staged = upkeep.stage_put(instance, wire, insert=insert)
        if staged.condition is not None:
            condition = staged.condition if condition is None else all_of([condition, staged.condition])
            idempotent = False
            explain = staged.explained(target, explain)
    stored = plan.stored(wire)
    plan.check_size(stored, len(encode_json(stored)))

    def request() -> dict[str, Any]:
        made: dict[str, Any] = {"TableName": target.table_name, "Item": stored}
        require_all(target, made, [] if condition is None else [condition], check, Placeholders())
        return made

    def applied(response: bytes | None) -> Any:
        if staged is not None:
            staged.take_over(instance)
        target.keep(instance, wire)
        return plan.read_attributes(response)[0] if return_old and response is not None else None

    write = Write(
        target,
        "Put",
        request(),
        {name: wire[name] for name in plan.key_names},
        idempotent=idempotent and check is None,
        explain=explain if check is None else check.explained(explain, missing=True),
        applied=applied,
        amend=None if check is None else check.amending(request),
        return_values="ALL_OLD" if return_old else None,
    )
    if keeping is not None and staged is not None:
        keeping.put(write, instance, wire, staged, unnumbered=source is not instance, insert=insert)
    # An insert replaces at most what has expired; with a check it is known what is replaced.
    if target.family is not None and check is None and not return_old and (not insert or target.hides is not None):
        from .unique_of_others import give_back_replaced

        give_back_replaced(write)
    return write
