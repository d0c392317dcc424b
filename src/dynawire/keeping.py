"""Counters, and the guards of unique values, as tables and models have them; loaded when they are used."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from .errors import ConditionFailed, ExpressionError, ValidationError
from .mapping.class_mapping import nearest
from .operations.twins import asynchronous, mark_methods, sync

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .operations.batch import Progress
    from .operations.counters import CounterItem
    from .operations.effects import Operation
    from .operations.rebuild_unique import UniqueReport
    from .operations.target import Target

__all__ = ["CounterOf", "ModelKeeping", "TableKeeping"]

T = TypeVar("T")

MAX_SEGMENTS = 1_000_000


class CounterOf:
    """The counter of one attribute, for one scope: to look at it, to take numbers ahead, or to leave some out.

    Made by :meth:`Table.counter_of`.
    """

    _shown = "Table.counter_of()"

    def __init__(self, engine: Engine, counter: CounterItem) -> None:
        self._engine = engine
        self._counter = counter

    def _take(self, count: int = 1) -> Operation[range]:
        """Take some numbers, for items that are given theirs by hand, as in ``put_many`` (UpdateItem).

        Args:
            count: how many, 1 or more.

        Raises:
            ExpressionError: the counter is gap-free: numbers are taken when items are stored.
        """
        from .operations.counters import take_numbers

        _whole("take", count, 1)
        if self._counter.attribute.gap_free:
            raise ExpressionError(
                f"{self._name} is gap-free, and numbers taken ahead could be left out; insert() the items instead"
            )
        first = yield from take_numbers(self._counter, count)
        return range(first, first + count)

    def _last(self) -> Operation[int | None]:
        """The last number given, or taken ahead by some process; None: none yet (GetItem)."""
        from .operations.counters import last_number

        return (yield from last_number(self._counter))

    def _raise_to(self, number: int) -> Operation[bool]:
        """Leave out the numbers up to this one, as after an import of items with numbers of their own (UpdateItem).

        Numbers that other processes took ahead are still used.

        Args:
            number: the last number that is left out.

        Returns:
            Whether the counter was below it.
        """
        from .operations.target import raw_capacity

        _whole("raise_to", number, 1)
        self._counter.forget_numbers()
        try:
            response = yield self._counter.raise_request(number)
        except ConditionFailed:
            return False
        raw_capacity("UpdateItem", response)
        return True

    take = sync(_take)
    atake = asynchronous(_take)
    last = sync(_last)
    alast = asynchronous(_last)
    raise_to = sync(_raise_to)
    araise_to = asynchronous(_raise_to)

    @property
    def _name(self) -> str:
        return f"{self._counter.target.plan.name}.{self._counter.attribute.label}"

    def __repr__(self) -> str:
        return f"<counter of {self._name}>"


def _whole(what: str, given: Any, least: int) -> None:
    if type(given) is not int or given < least:
        raise ExpressionError(f"{what}() takes a whole number of {least} or more")


class TableKeeping(Generic[T]):
    """What a table does with counters and with the guards of unique values."""

    _target: Target
    _engine: Engine
    _shown: str

    def counter_of(self, attribute: str, **scope: Any) -> CounterOf:
        """The counter of an attribute.

        Args:
            attribute: its Python name.
            scope: the values of the counter's scope, if it has one: ``counter_of("number", customer="ann")``.

        Raises:
            ExpressionError: the attribute has no counter.
            ValidationError: these are not the attributes of its scope, or a value does not fit.
        """
        target = self._target
        keeping = None if target.upkeep is None else target.upkeep.keeping
        counters = {one.label: one for one in (() if keeping is None else keeping.counters)}
        found = counters.get(attribute)
        if found is None:
            raise ExpressionError(
                f"{target.plan.name}.{attribute} has no counter; declare it with "
                f"counter(){nearest(attribute, counters)}"
            )
        names = [one.name for one in found.scope]
        if set(names) != set(scope):
            raise ValidationError(
                f"the counter of {target.plan.name}.{attribute} has "
                + (f"the scope {', '.join(names)}: give a value for each, by name" if names else "no scope"),
                model=target.plan.name,
                attribute=attribute,
            )
        item = {one.stored_name: target.plan.codecs[one.name].encode(scope[one.name]) for one in found.scope}
        return CounterOf(self._engine, found.item_of(target, item))

    def _rebuild_unique(
        self, *, dry_run: bool = False, progress: Progress | None = None, segments: int = 1
    ) -> Operation[UniqueReport]:
        """Make the guards of unique values agree with the items, and report values that several items have.

        For items that were stored before an attribute was unique, and for what was written or deleted by other means:
        batches of other programs, time to live. It reads the whole table twice, strongly consistently (Scan,
        BatchGetItem), and writes what is missing or left over (TransactWriteItems). Other writers may go on meanwhile,
        if they know that the attribute is unique. It can be run again at any time.

        Args:
            dry_run: only look.
            progress: called with the number of items and guards done since the last call.
            segments: in how many parts the table is read at the same time.

        Raises:
            ExpressionError: the class has no unique attributes.
        """
        from .operations.rebuild_unique import rebuild_unique
        from .query import scan_of

        _whole("rebuild_unique(segments=...)", segments, 1)
        table: Any = self
        scan = scan_of(table, None, (), {})._read
        # The class's own items; those that have expired have their values until they are deleted.
        read = msgspec.structs.replace(scan, scan_allowed=True, hide_expired=False)
        return rebuild_unique(read, dry_run=dry_run, progress=progress, segments=segments)

    rebuild_unique = sync(_rebuild_unique)
    arebuild_unique = asynchronous(_rebuild_unique)


class ModelKeeping:
    """The same of the table of a class, on the current database."""

    __slots__ = ()

    @classmethod
    def counter_of(cls, attribute: str, **scope: Any) -> CounterOf:
        """The counter of an attribute. See :meth:`Table.counter_of`."""
        return _table_of(cls).counter_of(attribute, **scope)

    @classmethod
    def rebuild_unique(
        cls, *, dry_run: bool = False, progress: Progress | None = None, segments: int = 1
    ) -> UniqueReport:
        """Make the guards of unique values agree with the items. See :meth:`Table.rebuild_unique`."""
        return _table_of(cls).rebuild_unique(dry_run=dry_run, progress=progress, segments=segments)

    @classmethod
    def arebuild_unique(
        cls, *, dry_run: bool = False, progress: Progress | None = None, segments: int = 1
    ) -> Coroutine[Any, Any, UniqueReport]:
        """Make the guards of unique values agree with the items. See :meth:`Table.rebuild_unique`."""
        return _table_of(cls).arebuild_unique(dry_run=dry_run, progress=progress, segments=segments)


mark_methods(ModelKeeping)


def _table_of(cls: type[Any]) -> TableKeeping[Any]:
    from .database import table_of

    return table_of(cls)
