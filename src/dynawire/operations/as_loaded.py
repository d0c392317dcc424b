"""Conflicts found without a version: ``check="loaded"`` requires that the stored item is as the instance was loaded.

The condition compares every attribute with the form in which dynawire writes what was loaded. Another program may have
stored the same value in another form: ``1.50``, or a time with another offset. The service then finds the condition
false and returns the item; if that reads as what was loaded, the write is sent once more, its condition made of the
item as it is stored. So nothing needs to be kept of the form in which an item was read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import (
    ConditionFailed,
    DecodeError,
    DynawireError,
    ExpressionError,
    ItemChanged,
    LimitExceeded,
    ValidationError,
)
from ..expressions import Comparison, Condition, Placeholders, Value, all_of
from .changes import canonical
from .failures import converted
from .target import Target
from .write import add_condition

__all__ = ["AsLoaded", "as_loaded", "require_all"]

Explain = Callable[[ConditionFailed], DynawireError]
WireItem = dict[str, Any]


class AsLoaded:
    """What one write requires: the item as an instance was loaded; of a new instance, that there is none.

    Args:
        target: the class and its table.
        before: what the instance was loaded from or last written as; None: it is new.
    """

    def __init__(self, target: Target, before: WireItem | None) -> None:
        self._target = target
        self._before = before
        self._stored = before
        plan = target.plan
        keys = {*plan.key_names, *(() if plan.key_only is None else plan.key_only.names)}
        # Generic keys are as what they are composed of.
        attributes = target.mapped.mapping.attributes.values()
        self._names = [one.stored_name for one in attributes if not one.hidden and one.stored_name not in keys]

    @property
    def is_new(self) -> bool:
        """Whether there must be no item."""
        return self._before is None

    def condition(self) -> Condition:
        """What must hold of the stored item."""
        target = self._target
        if self._stored is None:
            return target.key_path.not_exists()
        parts: list[Condition] = [target.key_path.exists()]
        for name in self._names:
            path = target.mapped.paths_by_stored_name[name]
            wire = self._stored.get(name)
            parts.append(path.not_exists() if wire is None else Comparison("=", path, (Value(None, wire),)))
        return all_of(parts)

    def amend(self, error: ConditionFailed) -> bool:
        """Whether the stored item only has another form; the condition is then about that, and can be sent again."""
        found, before = error.wire_item, self._before
        if found is None or before is None or self._stored is not before or self.changed(error):
            return False
        self._stored = dict(found)
        return any(found.get(name) != before.get(name) for name in self._names)

    def amending(self, request: Callable[[], dict[str, Any]]) -> Callable[[ConditionFailed], dict[str, Any] | None]:
        """What a write does about a failed condition: make its request anew, where that helps."""
        return lambda error: request() if self.amend(error) else None

    def changed(self, error: ConditionFailed) -> list[str]:
        """Python names of the attributes that are not as they were loaded, of an item that is still there."""
        if error.wire_item is None or self._before is None:
            return []
        labels = self._target.mapped.paths_by_stored_name
        try:
            now = self._target.plan.normalised(dict(error.wire_item))
        except DecodeError as misfit:
            return [misfit.path] if misfit.path else [labels[name]._label for name in self._names]
        return [labels[name]._label for name in self._names if not _equal(now.get(name), self._before.get(name))]

    def explained(self, explain: Explain, *, missing: bool) -> Explain:
        """An explanation of a failed condition that knows a changed item from other reasons.

        Args:
            explain: explains the other reasons.
            missing: whether an item that is gone is a conflict; otherwise that is another reason.
        """
        target = self._target
        name = target.plan.name

        def conflict_or(error: ConditionFailed) -> DynawireError:
            if self.is_new:
                if error.wire_item is None:
                    return explain(error)
                what = (
                    f"this {name} is new, but an item with its key is stored already (see .item); nothing was written; "
                    "get() the item and change that"
                )
                return converted(error, target, ItemChanged, what)
            if error.wire_item is None:
                if not missing:
                    return explain(error)
                what = f"this {name} was deleted since it was loaded; nothing was written; insert() stores it anew"
                return converted(error, target, ItemChanged, what)
            changed = self.changed(error)
            if not changed:
                return explain(error)
            what = (
                f"another writer changed {', '.join(changed)} of this {name} since it was loaded (see .item for what "
                "is stored); nothing was written; refresh() the instance, and make the changes again"
            )
            conflict = converted(error, target, ItemChanged, what)
            conflict.__dict__["changed"] = tuple(changed)
            return conflict

        return conflict_or


def _equal(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return one is other
    return bool(one == other or canonical(one) == canonical(other))


def as_loaded(target: Target, instance: Any, check: str | None) -> AsLoaded | None:
    """What ``check=`` asks for; None: nothing.

    Raises:
        ExpressionError: it is neither ``"loaded"`` nor None.
        ValidationError: it is no instance of the class, or what it was loaded from is not known.
    """
    if check is None:
        return None
    if check != "loaded":
        raise ExpressionError(f"check={check!r}: write check='loaded', or leave it out")
    target = target.of(instance)
    plan, adapter = target.plan, target.adapter
    if not isinstance(instance, target.kind):
        if hasattr(instance, "values") and hasattr(instance, "model"):
            raise ExpressionError(
                f"check='loaded' compares with what an instance was loaded from, and this is a key of {plan.name}; "
                "write a condition=, or get() the item"
            )
        raise plan.refusal(instance)
    loaded = adapter.loaded(instance)
    if loaded is not None:
        return AsLoaded(target, plan.loaded_wire(loaded))
    if adapter.new_is_put:
        return AsLoaded(target, None)
    raise ValidationError(
        f"check='loaded' compares with what this {plan.name} was loaded from, and that is not known: "
        f"{adapter.why_unknown()}; write a condition= instead; nothing was sent",
        model=plan.name,
    )


def require_all(
    target: Target,
    request: dict[str, Any],
    conditions: list[Condition],
    check: AsLoaded | None,
    placeholders: Placeholders,
    *,
    or_missing: bool = False,
) -> None:
    """Put conditions, and that of a check, into a request.

    Args:
        target: the class and its table.
        request: the request.
        conditions: what must hold besides.
        check: what is required of the item as it was loaded, or None.
        placeholders: those of the request.
        or_missing: whether an item that is gone fulfils the check.

    Raises:
        LimitExceeded: it is more than DynamoDB takes in one condition.
    """
    if check is None:
        add_condition(target, request, all_of(conditions) if conditions else None, placeholders)
        return
    required = check.condition()
    if or_missing:
        required = target.key_path.not_exists() | required
    try:
        add_condition(target, request, all_of([*conditions, required]), placeholders)
    except ExpressionError:
        if conditions:
            # Where the fault is theirs, their own error says so.
            add_condition(target, {}, all_of(conditions), Placeholders())
        count = len(target.mapped.paths)
        raise LimitExceeded(
            f"check='loaded' compares all {count} attributes of {target.plan.name}, more than DynamoDB takes in one "
            "condition (4 KB, 300 operators); declare a version instead, as in v: Attr[int] = version(); nothing was "
            "sent"
        ) from None
