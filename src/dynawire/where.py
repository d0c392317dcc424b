"""``update_where`` and ``delete_where``: writing every item of which a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .expressions import Update, parse_update_lookups
from .find import Find
from .operations.batch import Progress
from .operations.delete import prepare_delete
from .operations.derived_classes import by_class_of_item, changed_names
from .operations.finding.plans import AccessPlan, KeysRead
from .operations.finding.reading import Wanted
from .operations.finding.where import WhereResult, wire_values, write_found
from .operations.hooked import hooked
from .operations.target import Target
from .operations.update import prepare_update
from .operations.write import Write, send

if TYPE_CHECKING:
    from .operations.effects import Operation

__all__ = ["delete_where", "update_where"]


def update_where(
    find: Find[Any],
    updates: Sequence[Update],
    changes: Mapping[str, Any],
    *,
    dry_run: bool,
    progress: Progress | None,
    per_second: float | None,
) -> Operation[WhereResult]:
    """Update what a find finds; see :meth:`Table.update_where`."""
    target, condition = find._target, find._condition
    every = (*updates, *parse_update_lookups(target.mapped.paths, changes, target.plan.name))

    def prepare(key: dict[str, Any], updates: Sequence[Update] = every, target: Target = target) -> Write:
        write = prepare_update(target, key, updates, {}, condition, upsert=False)
        # What it returns would only be thrown away.
        write.return_values = None
        return write

    def write(key: dict[str, Any], updates: Sequence[Update] = every) -> Operation[Any]:
        if target.family is None:
            return send(prepare(key, updates))
        return by_class_of_item(target, lambda target: prepare(key, updates, target), send)

    def begin(key: dict[str, Any]) -> Operation[Any]:
        if target.mapped.hooks is None:
            return write(key)
        changed = list(every)
        return hooked(
            target,
            "update",
            None,
            lambda: write(key, changed),
            key=wire_values(target, key),
            updates=changed,
        )

    # Refuse what DynamoDB would refuse before anything is read.
    prepare({})
    return _write(find, begin, changed_names(target, every), dry_run, progress, per_second)


def delete_where(
    find: Find[Any], *, dry_run: bool, progress: Progress | None, per_second: float | None
) -> Operation[WhereResult]:
    """Delete what a find finds; see :meth:`Table.delete_where`."""
    target, condition = find._target, find._condition

    def prepare(key: dict[str, Any]) -> Write:
        return prepare_delete(target, key, condition, must_exist=True)

    def begin(key: dict[str, Any]) -> Operation[Any]:
        write = send(prepare(key))
        if target.mapped.hooks is None:
            return write
        return hooked(target, "delete", None, lambda: write, key=wire_values(target, key))

    prepare({})
    return _write(find, begin, set(), dry_run, progress, per_second)


def _write(
    find: Find[Any],
    begin: Callable[[dict[str, Any]], Operation[Any]],
    touched: set[str],
    dry_run: bool,
    progress: Progress | None,
    per_second: float | None,
) -> Operation[WhereResult]:
    reading = find._reading(Wanted(keys=True))
    return write_found(
        find._target,
        reading.stream(),
        begin,
        dry_run=dry_run,
        progress=progress,
        per_second=per_second,
        # A hook may change whatever it likes.
        once=find._target.mapped.hooks is not None or _may_move(reading.plan, touched),
    )


def _may_move(plan: AccessPlan, touched: set[str]) -> bool:
    """Whether changing these attributes can move an index entry to where it is found again."""
    return any(not isinstance(read, KeysRead) and not read.source.key.isdisjoint(touched) for read in plan.reads)
