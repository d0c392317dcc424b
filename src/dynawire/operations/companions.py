"""Writes that come with others: the guards of unique values, and the counters of gap-free numbers.

What such a write requires of what is stored, and which other items it writes, is worked out when it is sent. It is one
request: a transaction, unless nothing but the item itself is written. What it reckoned with may have changed meanwhile;
then the refusal says what is stored, and it is worked out again, within a budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import (
    ConditionFailed,
    DynawireError,
    RetriesExhausted,
    ServiceError,
    TransactionCancelled,
    TransactionConflict,
)
from .assembly import Assembly, Entry
from .at_once import at_once
from .counters import CounterItem
from .effects import Operation, Request, Sleep
from .guards import OWNER, Claim, unique_conflict
from .numbering import Numbering, numbers_ready
from .target import encode_request, raw_capacity
from .transact import MAX_BYTES, amended_request, cancelled, check_size, named, new_token, reason_of, refused
from .unique import UniqueChange
from .write import Write, send_write

__all__ = ["Companions", "accompanied_params", "send_accompanied", "transact_accompanied"]

MAX_ATTEMPTS = 30
"""How often a write is worked out again because others changed what it reckoned with."""
LONGEST_PAUSE = 0.2

FAILED = frozenset({"ConditionalCheckFailed", "ConditionalCheckFailedException"})
BUSY = frozenset({"TransactionConflict", "ThrottlingError"})

Item = Mapping[str, Any]


class Companions:
    """What a write needs besides its own request.

    Attributes:
        unique: what it does to unique values, or None.
        numbering: the numbers that it takes, or None.
    """

    __slots__ = ("numbering", "unique")

    def __init__(self, unique: UniqueChange | None, numbering: Numbering | None) -> None:
        self.unique = unique
        self.numbering = numbering

    @property
    def need_transaction(self) -> bool:
        """Whether it may take a transaction, which returns no old item."""
        return self.unique is not None or (self.numbering is not None and bool(self.numbering.gap_free))

    @property
    def most(self) -> int:
        """How many operations come with the write at the most."""
        unique = 0 if self.unique is None else self.unique.most
        return unique + (0 if self.numbering is None else len(self.numbering.gap_free))

    def request(self, write: Write) -> dict[str, Any]:
        """The item's own request, with what is required besides."""
        names: dict[str, str] = {}
        values: dict[str, Any] = {}

        def name(stored_name: str) -> str:
            found = f"#d{len(names)}"
            names[found] = stored_name
            return found

        def value(wire: Any) -> str:
            found = f":d{len(values)}"
            values[found] = wire
            return found

        parts = [] if self.unique is None else self.unique.condition(name, value)
        if self.numbering is not None and self.numbering.in_key:
            # An item with a new number is new: one that has the number already is never replaced.
            parts.append(f"attribute_not_exists({name(write.target.plan.key_names[0])})")
        request = write.request
        if not parts:
            return request
        own = request.get("ConditionExpression")
        request = {**request, "ConditionExpression": " AND ".join([f"({own})", *parts] if own else parts)}
        request["ExpressionAttributeNames"] = request.get("ExpressionAttributeNames", {}) | names
        if values:
            request["ExpressionAttributeValues"] = request.get("ExpressionAttributeValues", {}) | values
        return request

    def learn(self, item: Item | None) -> bool:
        """Take in that the item's own request was refused; whether the write is to be worked out again."""
        if self.unique is not None and self.unique.learn(item):
            return True
        # Where a number is part of the key, an item that has the key already is in the way.
        return self.numbering is not None and item is not None and self.numbering.taken()


def accompanied_params(writes: Sequence[Write], token: str) -> dict[str, Any]:
    """The request as it would be if nothing unknown is stored: no unique values, and no number was given."""
    return Assembly(writes).params(token)


# ---------------------------------------------------------------------- sending


def transact_accompanied(writes: Sequence[Write], token: str | None, *, alone: bool = False) -> Operation[list[Any]]:
    """Apply all writes, with what comes with them, or none.

    Args:
        writes: the writes, of which at least one has companions.
        token: the idempotency token; None: a new one.
        alone: whether a single write that turns out to come with nothing is sent without transaction.

    Raises:
        TransactionCancelled: with one typed reason per write.
        UniqueConflict: two of the writes store one value.
        RetriesExhausted: others kept changing what it reckoned with.
    """
    for attempt in range(MAX_ATTEMPTS):
        # What was not as it was thought to be is known the second time; after that others are at it.
        if attempt > 1:
            yield Sleep(_pause(attempt))
        yield from _make_ready(writes)
        assembly = Assembly(writes)
        if alone and not assembly.entries:
            done, result = yield from _send_alone(writes[0])
        else:
            token = token or new_token()
            done, result = yield from _transact(assembly, _token(token, attempt))
        if done:
            return result
    raise RetriesExhausted(
        f"others kept changing what {', '.join(map(named, writes))} reckoned with, {MAX_ATTEMPTS} times over: unique "
        "values, counters, or keys that were numbered; nothing was written; try again later, and see whether items "
        "with numbers of their own are ahead of a counter",
        attempts=MAX_ATTEMPTS,
    )


def _pause(attempt: int) -> float:
    from random import uniform

    return uniform(0, min(LONGEST_PAUSE, 0.005 * 2**attempt))


def _token(token: str, attempt: int) -> str:
    """The token of an attempt: another request needs another one, and the same again is known by it."""
    if not attempt:
        return token
    from hashlib import sha256

    return sha256(f"{token}:{attempt}".encode()).hexdigest()[:36]


def _make_ready(writes: Sequence[Write]) -> Operation[None]:
    """Find out what must be known before the writes can be worked out."""
    every = [one.companions for one in writes if one.companions is not None]
    numberings = [one.numbering for one in every if one.numbering is not None]
    if numberings:
        yield from numbers_ready(numberings)
    changes = [one.unique for one in every if one.unique is not None and one.unique.stored is None]
    for outcome in (yield from at_once([one.ready() for one in changes])) if changes else ():
        if isinstance(outcome, DynawireError):
            raise outcome


def send_accompanied(write: Write, exactly_once: bool) -> Operation[Any]:
    """Send one write with what comes with it."""
    try:
        results = yield from transact_accompanied([write], None, alone=not exactly_once)
    except TransactionCancelled as cancellation:
        for reason in cancellation.reasons:
            if reason is not None:
                raise reason from None
        raise
    return results[0]


def _send_alone(write: Write) -> Operation[tuple[bool, list[Any]]]:
    companions = write.companions
    assert companions is not None
    # Sent again after a lost response, a new number would find its own item in the way, and go on to another.
    numbered = companions.numbering is not None and companions.numbering.in_key
    single = Write(
        write.target,
        write.action,
        companions.request(write),
        write.key,
        idempotent=write.idempotent and not numbered,
        # What is refused is looked at here first.
        explain=lambda error: error,
        applied=write.applied,
        return_values=write.return_values,
        explain_path=write.explain_path,
    )
    try:
        result = yield from send_write(single)
    except ConditionFailed as error:
        if companions.learn(error.wire_item):
            return False, []
        amended = write.amended(error)
        if amended is not None:
            write.request = amended
            return False, []
        raise write.explained(error) from None
    return True, [result]


def _transact(assembly: Assembly, token: str) -> Operation[tuple[bool, list[Any]]]:
    """Send the transaction as it is worked out; whether it was applied, or is to be worked out again."""
    writes = assembly.writes
    body = encode_request(assembly.params(token))
    if len(body) > MAX_BYTES:
        check_size(writes)
    try:
        # The token makes it safe to send twice.
        response = yield Request("TransactWriteItems", body, about=[one.target for one in writes])
    except TransactionCancelled as error:
        reasons = yield from _Refusal(assembly, error).reasons()
        if reasons is None:
            return False, []
        raise cancelled(error, reasons, [named(one) for one in writes]) from None
    except TransactionConflict:
        return False, []
    except ServiceError as error:
        raise refused(writes, error) from None
    raw_capacity("TransactWriteItems", response)
    return True, [write.applied(None) for write in writes]


# ---------------------------------------------------------------------- what was refused


class _Refusal:
    """A cancelled transaction: what it tells of what is stored, and whether it is worth another attempt."""

    def __init__(self, assembly: Assembly, error: TransactionCancelled) -> None:
        self._assembly = assembly
        self._error = error
        # Some services answer with fewer reasons than there are entries.
        total = len(assembly.writes) + len(assembly.entries)
        self._wire = [*error.wire_reasons, *({} for _ in range(total))][:total]

    def reasons(self) -> Operation[list[DynawireError | None] | None]:
        """One reason per write; None: there is something new to work it out with."""
        own = self._wire[: len(self._assembly.writes)]
        others = self._wire[len(own) :]
        codes = {one.get("Code") or "None" for one in self._wire} - {"None"}
        again = bool(codes) and codes <= BUSY
        reasons: list[DynawireError | None] = [None] * len(own)
        for place, (write, wire) in enumerate(zip(self._assembly.writes, own, strict=True)):
            if _failed(wire) and write.companions is not None and write.companions.learn(wire.get("Item")):
                again = True
            elif _failed(wire) and (amended := amended_request(self._error, wire, write)) is not None:
                write.request = amended
                again = True
            elif wire.get("Code") not in BUSY:
                reasons[place] = reason_of(self._error, wire, write)
        if any(reason is not None for reason in reasons):
            return self._with_busy(reasons)
        if again:
            # What the others were refused for may not be so with what is known now.
            return None
        for entry, wire in zip(self._assembly.entries, others, strict=True):
            code = wire.get("Code") or "None"
            if _failed(wire):
                conflict = yield from self._refused(entry, wire)
                if conflict is None:
                    again = True
                elif reasons[entry.place] is None:
                    reasons[entry.place] = conflict
            elif code != "None" and code not in BUSY:
                reasons[entry.place] = reasons[entry.place] or reason_of(self._error, wire, None)
        if any(reason is not None for reason in reasons):
            return self._with_busy(reasons)
        return None if again or codes & BUSY else reasons

    def _with_busy(self, reasons: list[DynawireError | None]) -> list[DynawireError | None]:
        """The reasons, and that other transactions were in the way where they were."""
        return [
            reason_of(self._error, wire, None) if reason is None and wire.get("Code") in BUSY else reason
            for reason, wire in zip(reasons, self._wire, strict=False)
        ]

    def _refused(self, entry: Entry, wire: Item) -> Operation[DynawireError | None]:
        """What the refusal of an entry means: the error it is, or None when it can be worked out."""
        stored = wire.get("Item")
        write = self._assembly.writes[entry.place]
        assert write.companions is not None
        unique = write.companions.unique
        if entry.kind == "counter":
            self._counted(entry.about, stored)
        elif entry.kind == "give back":
            # It is another item's: this one had the value before it was unique.
            assert unique is not None
            unique.not_ours.add(entry.about.code)
        elif entry.kind == "orphan":
            assert unique is not None
            unique.orphans.clear()
        else:
            return (yield from self._not_free(entry.about, unique, stored))
        return None

    def _counted(self, counter: CounterItem, stored: Item | None) -> None:
        last = counter.number_in(stored)
        for write in self._assembly.writes:
            numbering = None if write.companions is None else write.companions.numbering
            if numbering is not None:
                numbering.learn(counter, last)

    def _not_free(
        self, claim: Claim, unique: UniqueChange | None, guard: Item | None
    ) -> Operation[DynawireError | None]:
        assert unique is not None
        owner = (guard or {}).get(OWNER, {}).get("M")
        error = reason_of(self._error, {"Code": "ConditionalCheckFailed"}, None)
        assert isinstance(error, ConditionFailed)
        if owner is None:
            # Not a guard of ours, or one that has just been given back.
            if guard is None:
                return None
            return unique_conflict(claim, error, None)
        orphan, item = yield from claim.judge(owner)
        if orphan is not None and not self._assembly.writes_item(claim.target, owner):
            # Deleted by other means, such as time to live: the value is free.
            unique.orphans[claim.code] = orphan
            return None
        return unique_conflict(claim, error, item, owner)


def _failed(wire: Item) -> bool:
    return wire.get("Code") in FAILED
