"""Making the guards of unique values agree with the items: for items that are older than the declaration, or that were
written or deleted by other means.

Items are read page by page with the guards of their values, then guards with the items that they are for. What
disagrees is put right in a transaction that requires that both are still as they were read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ..codec.reading import NO_POSITION
from ..errors import ExpressionError, TransactionCancelled
from .at_once import at_once
from .batch import MAX_STALLED_ROUNDS, Progress, Unprocessed, pause
from .capacity import active_meter
from .effects import Operation, Request, Sleep
from .guards import GUARD, OWNER, Claim, Orphan
from .identity import key_identity
from .pages import PageReader, ReadPlan
from .reads import Read, compile_read
from .target import encode_request, raw_capacity
from .transact import new_token
from .unique import Uniqueness

__all__ = ["Duplicate", "UniqueReport", "rebuild_unique"]

KEYS_PER_REQUEST = 100
ATTEMPTS = 3
"""How often one guard is looked at again because somebody changed it meanwhile."""

Item = Mapping[str, Any]


class Duplicate(msgspec.Struct, frozen=True):
    """Two items that have one value of a unique attribute.

    Attributes:
        attribute: the attribute.
        key: the key's values of the item that the value counts for.
        other: the key's values of the other one.
    """

    attribute: str
    key: tuple[Any, ...]
    other: tuple[Any, ...]


class UniqueReport:
    """What ``rebuild_unique`` found and did.

    Attributes:
        items: how many items were looked at.
        guards: how many guards were looked at.
        added: how many guards were missing, and are there now.
        removed: how many guards were for items that no longer have the value, and are gone now.
        changed: how many items or guards were changed by others meanwhile, and left to them.
        duplicates: items that have a value which another one has; nothing was changed for them.
        dry_run: whether nothing was to be changed; ``added`` and ``removed`` then say what would have been.
    """

    def __init__(self, *, dry_run: bool) -> None:
        self.items = 0
        self.guards = 0
        self.added = 0
        self.removed = 0
        self.changed = 0
        self.duplicates: list[Duplicate] = []
        self.dry_run = dry_run

    def __repr__(self) -> str:
        return (
            f"<UniqueReport: {self.items} items and {self.guards} guards, {self.added} guards missing, "
            f"{self.removed} without item, {len(self.duplicates)} duplicates"
            f"{'; nothing was to be changed' if self.dry_run else ''}>"
        )


def rebuild_unique(read: Read, *, dry_run: bool, progress: Progress | None, segments: int) -> Operation[UniqueReport]:
    """Make guards agree with items.

    Args:
        read: a scan of the class's items.
        dry_run: only look.
        progress: called with the number of items and guards done since the last call.
        segments: in how many parts the table is read at the same time.

    Raises:
        ExpressionError: the class has no unique attributes.
    """
    target = read.target
    keeping = None if target.upkeep is None else target.upkeep.keeping
    if keeping is None or keeping.unique is None:
        name = target.plan.name
        raise ExpressionError(f"{name} has no unique attributes; declare one with attr(unique=True)")
    return _Rebuilding(read, keeping.unique, dry_run, progress).run(segments)


class _Rebuilding:
    def __init__(self, read: Read, unique: Uniqueness, dry_run: bool, progress: Progress | None) -> None:
        self._scan = msgspec.structs.replace(read, consistent=True)
        target = self._target = read.target
        self._unique = unique
        self._progress = progress
        self._key_names = target.plan.key_names
        self._report = UniqueReport(dry_run=dry_run)

    def run(self, segments: int) -> Operation[UniqueReport]:
        for part in (self._items, self._guards):
            outcomes = yield from at_once([part(one) for one in _segments(segments)])
            for outcome in outcomes:
                if isinstance(outcome, Exception):
                    outcome.add_note(f"it ended rebuild_unique() after {self._report!r}; what was done stays so")
                    raise outcome
        return self._report

    def _done(self, count: int) -> None:
        if self._progress is not None and count:
            self._progress(count)

    # -------------------------------------------------------------- items without guard

    def _items(self, segment: dict[str, Any]) -> Operation[None]:
        plan = compile_read(self._scan)
        request = {**plan.request, **segment}
        pages = PageReader(ReadPlan("Scan", request, _raw_items, False, plan.key_names, self._target))
        while (following := pages.next_request()) is not None:
            items = pages.take((yield following))
            # Of few items, so that what was read is fresh when it is compared.
            for start in range(0, len(items), KEYS_PER_REQUEST):
                yield from self._guarded(items[start : start + KEYS_PER_REQUEST])

    def _guarded(self, items: Sequence[Item]) -> Operation[None]:
        wanted = [(item, claim) for item in items for claim in self._claims(item)]
        found = yield from self._read([claim.key for _, claim in wanted])
        for item, claim in wanted:
            guard = found.get(self._identity(claim.key))
            if guard is None or not self._is_of(guard, claim.owner):
                yield from self._add(item, claim, guard)
        self._report.items += len(items)
        self._done(len(items))

    def _is_of(self, guard: Item, owner: Item) -> bool:
        former = guard.get(OWNER, {}).get("M")
        return former is not None and self._identity(former) == self._identity(owner)

    def _claims(self, item: Item) -> Iterator[Claim]:
        key = {name: item[name] for name in self._key_names}
        for one in self._unique.attributes:
            code = one.code(item)
            if code is not None:
                yield Claim(self._target, one, code, True, key)

    def _add(self, item: Item, claim: Claim, guard: Item | None) -> Operation[None]:
        """Write a guard that is missing, or that is for an item without the value."""
        for _ in range(ATTEMPTS):
            former: Orphan | None = None
            if guard is not None:
                owner = guard.get(OWNER, {}).get("M")
                if owner is None:
                    raise ExpressionError(
                        f"an item of table {self._target.table_name} has a key that is reserved for guards of unique "
                        f"values, and is none; give it another key, or name {claim.unique.label}'s values otherwise "
                        "with Unique(name=...)"
                    )
                if self._is_of(guard, claim.owner):
                    return
                former, _ = yield from claim.judge(owner)
                if former is None:
                    self._duplicate(claim, owner)
                    return
            if self._report.dry_run:
                self._report.added += 1
                return
            entries: list[dict[str, Any]] = [{"Put": claim.taking(None if former is None else former.owner)}]
            entries.append({"ConditionCheck": Orphan(claim.owner, item, self._unique.depends).check(self._target)})
            if former is not None:
                entries.append({"ConditionCheck": former.check(self._target)})
            reasons = yield from self._transact(entries)
            if reasons is None:
                self._report.added += 1
                return
            if reasons[1]:
                break
            guard = (yield from self._read([claim.key])).get(self._identity(claim.key))
        # Who changed it meanwhile has seen to its guards.
        self._report.changed += 1

    def _duplicate(self, claim: Claim, owner: Item) -> None:
        self._report.duplicates.append(Duplicate(claim.unique.label, self._values(owner), self._values(claim.owner)))

    def _values(self, key: Item) -> tuple[Any, ...]:
        plan, computed = self._target.plan, self._target.computed
        values = dict(key) if computed is None else computed.sources_of_key(dict(key))
        attributes = zip(plan.key_attributes, plan.key_codecs, strict=True)
        return tuple(codec.decode(values[attribute.stored_name]) for attribute, codec in attributes)

    # -------------------------------------------------------------- guards without item

    def _guards(self, segment: dict[str, Any]) -> Operation[None]:
        attributes = {one.name: one for one in self._unique.attributes}
        values = {f":g{place}": {"S": name} for place, name in enumerate(attributes)}
        request: dict[str, Any] = {
            "TableName": self._target.table_name,
            "ConsistentRead": True,
            "FilterExpression": f"#g IN ({', '.join(values)})",
            "ExpressionAttributeNames": {"#g": GUARD},
            "ExpressionAttributeValues": values,
            **segment,
        }
        pages = PageReader(ReadPlan("Scan", request, _raw_items, False, self._key_names, self._target))
        while (following := pages.next_request()) is not None:
            guards = [one for one in pages.take((yield following)) if "M" in one.get(OWNER, {})]
            for start in range(0, len(guards), KEYS_PER_REQUEST):
                some = guards[start : start + KEYS_PER_REQUEST]
                owners = yield from self._read([one[OWNER]["M"] for one in some])
                for guard in some:
                    unique = attributes[guard[GUARD]["S"]]
                    owner = owners.get(self._identity(guard[OWNER]["M"])) or {}
                    code = unique.code(owner)
                    right = code is not None and self._identity(
                        Claim(self._target, unique, code, False, {}).key
                    ) == self._identity(guard)
                    if not right and not unique.may_be_anothers(owner):
                        yield from self._remove(guard, owner)
                self._report.guards += len(some)
                self._done(len(some))

    def _remove(self, guard: Item, owner: Item) -> Operation[None]:
        if not self._report.dry_run:
            former = guard[OWNER]["M"]
            delete = {
                "TableName": self._target.table_name,
                "Key": {name: guard[name] for name in self._key_names},
                "ConditionExpression": "#o = :o",
                "ExpressionAttributeNames": {"#o": OWNER},
                "ExpressionAttributeValues": {":o": {"M": former}},
            }
            check = Orphan(former, owner, self._unique.depends).check(self._target)
            reasons = yield from self._transact([{"Delete": delete}, {"ConditionCheck": check}])
            if reasons is not None:
                self._report.changed += 1
                return
        self._report.removed += 1

    # -------------------------------------------------------------- requests

    def _identity(self, key: Item) -> bytes:
        return key_identity(self._key_names, dict(key))

    def _transact(self, entries: list[dict[str, Any]]) -> Operation[list[bool] | None]:
        """None when it was applied, else which of the entries were refused."""
        stalled = 0
        while True:
            request = {"TransactItems": entries, "ClientRequestToken": new_token()}
            try:
                response = yield Request("TransactWriteItems", encode_request(request), about=self._target)
            except TransactionCancelled as error:
                codes = [reason.get("Code") or "None" for reason in error.wire_reasons]
                if "ConditionalCheckFailed" in codes:
                    return [code == "ConditionalCheckFailed" for code in codes]
                if stalled >= MAX_STALLED_ROUNDS:
                    raise
                stalled += 1
                yield Sleep(pause(stalled))
                continue
            raw_capacity("TransactWriteItems", response)
            return None

    def _read(self, keys: Sequence[Item]) -> Operation[dict[bytes, Item]]:
        """Items by the identity of their keys (BatchGetItem, consistent)."""
        found: dict[bytes, Item] = {}
        waiting = {self._identity(key): key for key in keys}
        stalled = 0
        while waiting:
            table = self._target.table_name
            some = list(waiting)[:KEYS_PER_REQUEST]
            request: dict[str, Any] = {
                "RequestItems": {table: {"Keys": [waiting[one] for one in some], "ConsistentRead": True}}
            }
            response: _BatchOutput = _read_batch(
                (yield Request("BatchGetItem", encode_request(request), about=self._target))
            )
            meter = active_meter.get()
            if meter is not None:
                meter.record("BatchGetItem", response.ConsumedCapacity)
            found.update({self._identity(item): item for item in response.Responses.get(table, ())})
            unread = response.UnprocessedKeys.get(table, {}).get("Keys", ())
            left = {self._identity(key) for key in unread}
            waiting = {one: key for one, key in waiting.items() if one not in some or one in left}
            stalled = stalled + 1 if len(left) == len(some) else 0
            if stalled >= MAX_STALLED_ROUNDS:
                raise Unprocessed(
                    f"{len(waiting)} keys of {table} stayed unread; run it again", result=None, cause=None
                )
            if left:
                yield Sleep(pause(stalled))
        return found


class _BatchOutput(msgspec.Struct):
    Responses: dict[str, list[dict[str, Any]]] = {}
    UnprocessedKeys: dict[str, Any] = {}
    ConsumedCapacity: Any = None


class _PageOutput(msgspec.Struct):
    Items: list[dict[str, Any]] = []
    LastEvaluatedKey: msgspec.Raw = NO_POSITION
    ConsumedCapacity: Any = None


_read_batch = msgspec.json.Decoder(_BatchOutput).decode
_read_page = msgspec.json.Decoder(_PageOutput).decode


def _raw_items(response: bytes, _: Any) -> tuple[list[dict[str, Any]], Any]:
    page = _read_page(response)
    return page.Items, page


def _segments(total: int) -> list[dict[str, Any]]:
    return [{}] if total == 1 else [{"Segment": number, "TotalSegments": total} for number in range(total)]
