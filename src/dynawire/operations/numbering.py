"""The numbers that writes of new items take from counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from ..errors import DynawireError
from .at_once import at_once
from .counters import CounterAttribute, CounterItem, last_number
from .effects import Operation
from .target import Target

if TYPE_CHECKING:
    from .upkeep import Staged
    from .write import Write

__all__ = ["Numbering", "numbers_ready"]


class Numbering:
    """The numbers that the write of one new item takes.

    The item is encoded again with its numbers, on a copy: the instance gets them when it was stored.
    """

    def __init__(
        self,
        target: Target,
        instance: Any,
        wire: dict[str, Any],
        staged: Staged,
        attributes: list[CounterAttribute],
    ) -> None:
        self._target = target
        self._instance = instance
        self._wire = wire
        self._staged = staged
        self._attributes = attributes
        self._numbers: dict[str, int] = {}
        self._skipped: dict[str, int] = {}
        self.counters = {one.label: one.item_of(target, wire) for one in attributes}
        self.last: dict[str, int | None] = {}
        self.in_key = any(one.in_key for one in attributes)

    @property
    def gap_free(self) -> list[CounterAttribute]:
        """The attributes whose numbers are taken in the transaction."""
        return [one for one in self._attributes if one.gap_free]

    def missing(self) -> list[CounterItem]:
        """The counters of which a number must be taken, or the last one read, before the write can be worked out."""
        return [
            self.counters[one.label]
            for one in self._attributes
            if one.label not in (self.last if one.gap_free else self._numbers)
        ]

    def give(self, counter: CounterItem, number: int | None) -> None:
        """Take a number that was missing: the item's own, or the last one of a gap-free counter."""
        label = counter.attribute.label
        if counter.attribute.gap_free:
            self.last[label] = number
        else:
            assert number is not None
            self._numbers[label] = number

    def learn(self, counter: CounterItem, last: int | None) -> None:
        """Take in which number a counter gave last."""
        for one in self.gap_free:
            if self.counters[one.label].identity == counter.identity:
                self.last[one.label] = last
                self._skipped.pop(one.label, None)

    def skip(self, attribute: CounterAttribute) -> int:
        """How many gap-free numbers are left out because other items have them already."""
        return self._skipped.get(attribute.label, 0)

    def number(self, write: Write, gap_free: Mapping[str, int]) -> None:
        """Encode the item with its numbers.

        Args:
            write: the item's.
            gap_free: the numbers that are taken in the transaction, by Python name.
        """
        plan, adapter = self._target.plan, self._target.adapter
        twin = copy(self._instance)
        for one in self._attributes:
            number = gap_free.get(one.label, self._numbers.get(one.label, one.start))
            adapter.assign(twin, one.label, number)
            self._staged.values[one.stored_name] = {"N": str(number)}
            self._staged.taken[one.label] = number
        wire = plan.encode(twin)
        self._wire.clear()
        self._wire.update(wire)
        assert self._target.upkeep is not None
        self._target.upkeep.complete(self._wire, self._staged)
        if plan.key_only is not None:
            # What is stored is another dict then, without what is in the key alone.
            stored = write.request["Item"]
            stored.clear()
            stored.update(plan.stored(self._wire))
        for name in plan.key_names:
            write.key[name] = self._wire[name]

    def taken(self) -> bool:
        """Another item has the key: go on to the next number. Whether that helps."""
        found = [one for one in self._attributes if one.in_key]
        for one in found:
            self._numbers.pop(one.label, None)
            if one.gap_free:
                self._skipped[one.label] = self.skip(one) + 1
        return bool(found)


def numbers_ready(numberings: Sequence[Numbering]) -> Operation[None]:
    """Find out what new items that are stored together need of their counters: one request for each counter.

    Of one counter the first item has the lowest number.
    """
    wanted: dict[tuple[str, bytes], list[tuple[Numbering, CounterItem]]] = {}
    for numbering in numberings:
        for counter in numbering.missing():
            wanted.setdefault((counter.target.table_name, counter.identity), []).append((numbering, counter))
    found = yield from at_once([_numbers_of(those[0][1], len(those)) for those in wanted.values()])
    for those, numbers in zip(wanted.values(), found, strict=True):
        if isinstance(numbers, DynawireError):
            raise numbers
        for (numbering, counter), number in zip(those, numbers, strict=True):
            numbering.give(counter, number)


def _numbers_of(counter: CounterItem, count: int) -> Operation[Sequence[int | None]]:
    if not counter.attribute.gap_free:
        return (yield from counter.next(count))
    last = yield from last_number(counter)
    return [last] * count
