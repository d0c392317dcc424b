"""A transaction of writes that come with others, as it is worked out: all its entries, each item once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ExpressionError, LimitExceeded
from .counters import CounterItem
from .guards import Claim, unique_conflict
from .identity import key_identity
from .target import Target
from .transact import MAX_ACTIONS, named

if TYPE_CHECKING:
    from .companions import Companions
    from .write import Write

__all__ = ["Assembly", "Entry"]

Item = Mapping[str, Any]


class Entry:
    """One entry of a transaction besides the items' own.

    Attributes:
        place: which write it belongs to.
        action: the member name of a TransactWriteItems entry.
        request: its parameters.
        about: the claim, the claim whose former owner is looked at, or the counter.
        kind: what it is for.
    """

    __slots__ = ("about", "action", "kind", "place", "request")

    def __init__(self, place: int, kind: str, action: str, request: dict[str, Any], about: Any) -> None:
        self.place = place
        self.kind = kind
        self.action = action
        self.request = request
        self.about = about


class Assembly:
    """A transaction as it is worked out: each write's own entry, in order, then those that come with them."""

    def __init__(self, writes: Sequence[Write]) -> None:
        self.writes = writes
        self.entries: list[Entry] = []
        self._number()
        self._guard()

    @staticmethod
    def identity(target: Target, key: Item) -> tuple[str, bytes]:
        """What tells an item from others."""
        return target.table_name, key_identity(target.plan.key_names, dict(key))

    def _accompanied(self) -> list[tuple[int, Write, Companions]]:
        return [(place, one, one.companions) for place, one in enumerate(self.writes) if one.companions is not None]

    def _number(self) -> None:
        counters: dict[tuple[str, bytes], tuple[int, CounterItem, int | None, int]] = {}
        for place, write, companions in self._accompanied():
            numbering = companions.numbering
            if numbering is None:
                continue
            gap_free: dict[str, int] = {}
            for one in numbering.gap_free:
                counter = numbering.counters[one.label]
                identity = write.target.table_name, counter.identity
                last = numbering.last.get(one.label)
                known = counters.get(identity) or (place, counter, last, one.start - 1 if last is None else last)
                number = gap_free[one.label] = known[3] + 1 + numbering.skip(one)
                counters[identity] = (*known[:3], number)
            numbering.number(write, gap_free)
        for place, counter, last, to in counters.values():
            self.entries.append(Entry(place, "counter", "Update", counter.move(last, to), counter))

    def _guard(self) -> None:
        given: dict[tuple[str, bytes], tuple[int, Claim]] = {}
        taken: dict[tuple[str, bytes], tuple[int, Claim]] = {}
        for place, write, companions in self._accompanied():
            for claim in companions.unique.claims() if companions.unique is not None else ():
                identity = self.identity(write.target, claim.key)
                known = taken if claim.takes else given
                if identity in known and claim.takes:
                    raise unique_conflict(claim, None, None)
                known.setdefault(identity, (place, claim))
        checked: set[tuple[str, bytes]] = set()
        for identity, (place, claim) in taken.items():
            former = given.pop(identity, None)
            orphan = claim.orphan if former is None else None
            owner = None if former is None else former[1].owner
            if orphan is not None:
                owner = orphan.owner
                identity = self.identity(claim.target, owner)
                if identity not in checked:
                    checked.add(identity)
                    self.entries.append(Entry(place, "orphan", "ConditionCheck", orphan.check(claim.target), claim))
            self.entries.append(Entry(place, "take", "Put", claim.taking(owner), claim))
        for place, claim in given.values():
            self.entries.append(Entry(place, "give back", "Delete", claim.giving_back(), claim))

    def writes_item(self, target: Target, key: Item) -> bool:
        """Whether one of the writes is of the item with this key."""
        wanted = self.identity(target, key)
        return any(self.identity(write.target, write.key) == wanted for write in self.writes)

    def params(self, token: str) -> dict[str, Any]:
        """The parameters of the TransactWriteItems.

        Raises:
            LimitExceeded: more than 100 operations.
            ExpressionError: two operations on one item.
        """
        writes = self.writes
        total = len(writes) + len(self.entries)
        if total > MAX_ACTIONS:
            raise LimitExceeded(
                f"a transaction takes at most {MAX_ACTIONS} operations; this one has {len(writes)}, and "
                f"{len(self.entries)} of unique values and counters that come with them; nothing was sent; make it "
                "several transactions"
            )
        seen: dict[tuple[str, bytes], int] = {}
        items: list[dict[str, Any]] = []
        for position, write in enumerate(writes):
            first = seen.setdefault(self.identity(write.target, write.key), position)
            if first != position:
                raise ExpressionError(
                    f"operations {first + 1} ({named(writes[first])}) and {position + 1} ({named(write)}) of this "
                    "transaction are on one item, which DynamoDB refuses; combine them into one update, or its "
                    "condition into the write"
                )
            items.append({write.action: _telling(_own_request(write))})
        items += [{one.action: _telling(one.request)} for one in self.entries]
        return {"TransactItems": items, "ClientRequestToken": token}


def _own_request(write: Write) -> dict[str, Any]:
    return write.request if write.companions is None else write.companions.request(write)


def _telling(request: dict[str, Any]) -> dict[str, Any]:
    if "ConditionExpression" in request:
        return {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return request
