"""Writing every item of which a condition holds: found first, then written one by one under that condition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from ...errors import (
    ConditionFailed,
    DynawireError,
    ExpressionError,
    LimitExceeded,
    OutcomeUnknown,
    ServiceError,
    TableNotFound,
    Throttled,
    TransactionConflict,
    UniqueConflict,
)
from ..at_once import at_once
from ..batch import MAX_STALLED_ROUNDS, Progress, pause
from ..derived_classes import is_of_one_item
from ..effects import Operation, Sleep
from ..identity import key_identity
from ..migrated import is_older
from ..streaming import Stream, next_items
from ..target import Target

__all__ = ["WhereResult", "wire_values", "write_found"]

AT_ONCE = 8
"""Writes that are sent together."""
MAX_FAILURES = 100
"""Failures that are kept; and so many at the very beginning stop everything."""

WireKey = dict[str, Any]
FALSE_CONDITION = frozenset({"ConditionalCheckFailedException", "ConditionalCheckFailed"})
ONE_ITEM_ONLY = (ServiceError, LimitExceeded, OutcomeUnknown)


class WhereResult:
    """What ``update_where`` or ``delete_where`` did.

    Attributes:
        matched: how many items were found.
        written: how many were updated or deleted.
        skipped: how many were left alone, because the condition no longer held of them.
        failed: how many could not be written.
        failures: the key's values and the error of each of those, up to a hundred.
        dry_run: whether nothing was to be written.
    """

    def __init__(self, *, dry_run: bool) -> None:
        self.matched = 0
        self.written = 0
        self.skipped = 0
        self.failed = 0
        self.failures: list[tuple[tuple[Any, ...], DynawireError]] = []
        self.dry_run = dry_run

    def __repr__(self) -> str:
        if self.dry_run:
            return f"<WhereResult: {self.matched} matched, nothing was to be written>"
        return (
            f"<WhereResult: {self.matched} matched, {self.written} written, {self.skipped} changed meanwhile and "
            f"skipped, {self.failed} failed>"
        )


def write_found(
    target: Target,
    found: Stream,
    begin: Callable[[WireKey], Operation[Any]],
    *,
    dry_run: bool,
    progress: Progress | None,
    per_second: float | None,
    once: bool,
) -> Operation[WhereResult]:
    """Write the items that a stream finds.

    Args:
        target: the class and its table.
        found: hands over wire forms of keys.
        begin: begins the write of one, which must be conditional.
        dry_run: count what is found and write nothing.
        progress: called with the number of items done since the last call.
        per_second: how many writes are sent in a second at the most; None: as fast as they are answered.
        once: whether a write may move an item to where it is found again, so that keys are remembered.

    Raises:
        DynawireError: what stops everything, such as a missing table or right; its notes say how much was done.
    """
    if per_second is not None and not per_second > 0:
        raise ExpressionError("per_second= is a number above 0, or None for no limit")
    result = WhereResult(dry_run=dry_run)
    seen: set[bytes] = set()
    begun, sent = monotonic(), 0
    try:
        while (keys := (yield from next_items(found))) is not None:
            if once:
                keys = [key for key in keys if _is_new(target, key, seen)]
            result.matched += len(keys)
            for start in range(0, len(keys), AT_ONCE):
                some = keys[start : start + AT_ONCE]
                if not dry_run:
                    early = 0.0 if per_second is None else begun + sent / per_second - monotonic()
                    if early > 0:
                        yield Sleep(early)
                    sent += len(some)
                    yield from _write(target, some, begin, result)
                if progress is not None:
                    progress(len(some))
    except DynawireError as error:
        if result.matched and not dry_run:
            error.add_note(f"it ended update_where() or delete_where() after {result!r}")
        raise
    finally:
        found.close()
    return result


def _is_new(target: Target, key: WireKey, seen: set[bytes]) -> bool:
    identity = key_identity(target.plan.key_names, key)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _write(
    target: Target, keys: Sequence[WireKey], begin: Callable[[WireKey], Operation[Any]], result: WhereResult
) -> Operation[None]:
    """Write some items; those that are throttled again, more slowly, until nothing moves any more."""
    stalled = 0
    while keys:
        outcomes: list[Any] = yield from at_once([begin(key) for key in keys])
        again: list[WireKey] = []
        for key, outcome in zip(keys, outcomes, strict=True):
            if isinstance(outcome, (Throttled, TransactionConflict)) and stalled < MAX_STALLED_ROUNDS:
                again.append(key)
            else:
                _count(target, key, outcome, result)
        stalled = stalled + 1 if len(again) == len(keys) else 0
        keys = again
        if keys:
            yield Sleep(pause(stalled))


def _count(target: Target, key: WireKey, outcome: Any, result: WhereResult) -> None:
    if not isinstance(outcome, DynawireError):
        result.written += 1
    elif isinstance(outcome, UniqueConflict) or (isinstance(outcome, ConditionFailed) and is_older(outcome)):
        result.failed += 1
        _keep(target, key, outcome, result)
    elif isinstance(outcome, ConditionFailed) and outcome.code in FALSE_CONDITION:
        result.skipped += 1
    elif isinstance(outcome, TableNotFound) or not (isinstance(outcome, ONE_ITEM_ONLY) or is_of_one_item(outcome)):
        raise outcome
    else:
        result.failed += 1
        _keep(target, key, outcome, result)
        if result.failed == MAX_FAILURES and not result.written and not result.skipped:
            raise outcome


def _keep(target: Target, key: WireKey, error: DynawireError, result: WhereResult) -> None:
    if len(result.failures) < MAX_FAILURES:
        result.failures.append((wire_values(target, key), error))


def wire_values(target: Target, key: WireKey) -> tuple[Any, ...]:
    """The values of a key in its wire form."""
    plan = target.plan
    computed = target.computed
    values = key if computed is None else computed.sources_of_key(key)
    attributes = zip(plan.key_attributes, plan.key_codecs, strict=True)
    return tuple(codec.decode(values[attribute.stored_name]) for attribute, codec in attributes)
