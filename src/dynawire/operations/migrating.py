"""Rewriting the items of a table that are of earlier versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import msgspec

from ..codec.migrating import MigratingPlan
from ..codec.reading import Page
from ..errors import (
    ConditionFailed,
    DecodeError,
    DynawireError,
    ExpressionError,
    LimitExceeded,
    OutcomeUnknown,
    SchemaError,
    Throttled,
    TransactionConflict,
    UniqueConflict,
    ValidationError,
)
from .at_once import at_once
from .batch import MAX_STALLED_ROUNDS, pause
from .capacity import CapacityMeter, active_meter
from .checkpoints import Checkpoints
from .effects import Operation, Request, Sleep
from .own_items import own_items
from .pages import PageReader, ReadPlan
from .reads import Read, compile_read
from .save import prepare_save
from .target import Target, encode_request, raw_capacity
from .write import send

__all__ = ["MAX_MIGRATION_SEGMENTS", "MigrationFailure", "MigrationResult", "migrate_all"]

AT_ONCE = 8
"""Items that are written together."""
MAX_ATTEMPTS = 10
"""How often an item is read and written that other writers keep changing."""
MAX_MIGRATION_SEGMENTS = 256

_decode_json = msgspec.json.Decoder().decode
_read_page = msgspec.json.Decoder(Page).decode

WireItem = dict[str, Any]


class MigrationFailure(msgspec.Struct, frozen=True):
    """One item that was not migrated; it is stored as it was.

    Attributes:
        key: its primary key, as DynamoDB writes it: ``{"isbn": {"S": "..."}}``.
        version: the version it is stored as; None: none that is known.
        reason: why.
    """

    key: dict[str, Any]
    version: int | None
    reason: str

    def __repr__(self) -> str:
        # Keys are values of an item.
        return f"<MigrationFailure of an item of version {self.version}: {self.reason}>"


class MigrationResult(msgspec.Struct, kw_only=True):
    """What ``migrate_all()`` did, or has done so far.

    Attributes:
        scanned: items read.
        current: items of the latest version already.
        migrated: items written as the latest version; in a dry run those that would be.
        deleted: items that were deleted between being read and being written.
        failures: items that were not migrated, each with its key and why.
        by_version: how many items of each version were found.
        segments: in how many parts the table is read.
        segments_done: how many of them are done.
        read_units, write_units: capacity units consumed, as DynamoDB reported them.
        dry_run: whether nothing was to be written.
        resumed: whether it continued an earlier run, whose numbers are included.
    """

    scanned: int = 0
    current: int = 0
    migrated: int = 0
    deleted: int = 0
    failures: list[MigrationFailure] = []
    by_version: dict[int, int] = {}
    segments: int = 1
    segments_done: int = 0
    read_units: float = 0.0
    write_units: float = 0.0
    dry_run: bool = False
    resumed: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether every item is of the latest version now: all were read, and none failed."""
        return self.segments_done == self.segments and not self.failures and not self.dry_run

    def __repr__(self) -> str:
        done = "would be migrated" if self.dry_run else "migrated"
        return (
            f"<MigrationResult: {self.scanned} scanned, {self.migrated} {done}, {self.current} current, "
            f"{self.deleted} deleted meanwhile, {len(self.failures)} failed; {self.segments_done} of {self.segments} "
            "segments done>"
        )


class _Segment(msgspec.Struct):
    """How far one part of the table was read.

    Attributes:
        position: the key after which it goes on; None: from the beginning.
        done: whether it is at its end.
    """

    position: dict[str, Any] | None = None
    done: bool = False


class _State(msgspec.Struct, kw_only=True):
    """A checkpoint."""

    table: str
    model: str
    version: int
    segments: list[_Segment]
    result: MigrationResult


def migrate_all(
    target: Target,
    *,
    segments: int,
    page_size: int,
    dry_run: bool,
    progress: Callable[[MigrationResult], None] | None,
    read_units: float | None,
    write_units: float | None,
    checkpoint: Checkpoints,
) -> Operation[MigrationResult]:
    """Read a table in segments, and write every item of an earlier version as the latest one.

    Raises:
        SchemaError: the class has no migrations.
        ExpressionError: the checkpoint is of other work.
    """
    plan = target.plan
    if not isinstance(plan, MigratingPlan):
        raise SchemaError(
            f'{plan.name} has no migrations; write class {plan.name}(..., table="...", migrations=...)', model=plan.name
        )
    for name, rate in (("read_units", read_units), ("write_units", write_units)):
        if rate is not None and not (type(rate) in (int, float) and rate > 0):
            raise ExpressionError(f"{name}= is a number of capacity units per second above 0, or None for no limit")
    if progress is not None and not callable(progress):
        raise ExpressionError(f"progress= is a function that takes the result so far, not {type(progress).__name__}")
    checkpoint.refuse_unwritable()
    state = _resumed(target, checkpoint.resumed, segments, dry_run)
    return _Migrating(target, plan, state, page_size, progress, read_units, write_units, checkpoint).run()


def _resumed(target: Target, kept: Mapping[str, Any] | None, segments: int, dry_run: bool) -> _State:
    assert target.plan.versions is not None
    state = _State(
        table=target.table_name,
        model=target.plan.name,
        version=target.plan.versions.latest,
        segments=[_Segment() for _ in range(segments)],
        result=MigrationResult(segments=segments, dry_run=dry_run),
    )
    if kept is None:
        return state
    try:
        found = msgspec.convert(dict(kept), _State, strict=False)
    except (msgspec.ValidationError, TypeError, ValueError):
        raise ExpressionError("this is no checkpoint of migrate_all(); begin without it") from None
    for name in ("table", "model", "version"):
        if getattr(found, name) != getattr(state, name):
            raise ExpressionError(
                f"this checkpoint is of another migration: its {name} is {getattr(found, name)!r}, not "
                f"{getattr(state, name)!r}; begin without it"
            )
    if found.result.dry_run != dry_run:
        raise ExpressionError(
            f"this checkpoint is of {'a dry run' if found.result.dry_run else 'no dry run'}; begin without it"
        )
    found.result.resumed = True
    return found


class _Migrating:
    def __init__(
        self,
        target: Target,
        plan: MigratingPlan,
        state: _State,
        page_size: int,
        progress: Callable[[MigrationResult], None] | None,
        read_units: float | None,
        write_units: float | None,
        checkpoint: Checkpoints,
    ) -> None:
        self._target = target
        self._plan = plan
        self._state = state
        self._result = state.result
        self._progress = progress
        self._rates = (read_units, write_units)
        self._checkpoint = checkpoint
        self._meter = CapacityMeter(active_meter.get())
        self._before = (state.result.read_units, state.result.write_units)
        compiled = compile_read(Read(target=target, filter=own_items(target)))
        request = {**compiled.request, "Limit": page_size}
        self._read = msgspec.structs.replace(compiled, request=request, read=_raw_items, misfits=None)

    def run(self) -> Operation[MigrationResult]:
        self._begun = monotonic()
        segments = self._state.segments
        readers = {
            place: _reader(self._read, place, len(segments), segment)
            for place, segment in enumerate(segments)
            if not segment.done
        }
        try:
            while readers:
                yield from self._round(readers)
                for place in [one for one in readers if segments[one].done]:
                    del readers[place]
                self._result.segments_done = sum(segment.done for segment in segments)
                self._count_units()
                self._checkpoint.keep(msgspec.to_builtins(self._state, str_keys=True))
                if self._progress is not None:
                    self._progress(self._result)
        except DynawireError as error:
            error.add_note(f"it ended migrate_all() at {self._result!r}")
            raise
        self._checkpoint.done()
        return self._result

    def _round(self, readers: Mapping[int, PageReader]) -> Operation[None]:
        """The next page of every segment."""
        yield from self._keep_pace()
        pages: list[list[WireItem]] = yield from self._all_of([self._page(reader) for reader in readers.values()])
        items = [item for page in pages for item in page]
        self._result.scanned += len(items)
        for start in range(0, len(items), AT_ONCE):
            yield from self._keep_pace()
            yield from self._all_of([self._item(item) for item in items[start : start + AT_ONCE]])
        for place, reader in readers.items():
            position = reader.position
            segment = self._state.segments[place]
            segment.position = None if position is None else _decode_json(position)
            segment.done = position is None

    def _all_of(self, operations: list[Operation[Any]]) -> Operation[list[Any]]:
        outcomes = yield from at_once([self._metered(one) for one in operations])
        for outcome in outcomes:
            if isinstance(outcome, DynawireError):
                raise outcome
        return outcomes

    def _page(self, reader: PageReader) -> Operation[list[WireItem]]:
        response = yield from _persistently(reader.next_request)
        return reader.take(response)

    # ------------------------------------------------------------------ one item

    def _item(self, item: WireItem) -> Operation[None]:
        """Migrate one item, as often as other writers change it meanwhile."""
        result = self._result
        key = {name: item[name] for name in self._plan.key_names}
        version: int | None = None
        maybe_written = False
        for attempt in range(MAX_ATTEMPTS):
            try:
                instance, loaded = self._plan.open(item)
                if loaded is None:
                    if maybe_written:
                        result.migrated += 1
                    else:
                        result.current += 1
                        self._count_version(self._state.version)
                    return
                if version is None:
                    version = loaded.version
                    self._count_version(version)
                write = prepare_save(self._target, instance, None, loaded)
            except (DecodeError, ValidationError, LimitExceeded) as error:
                of_version = error.version if isinstance(error, DecodeError) else version
                result.failures.append(MigrationFailure(key, of_version, error.message))
                return
            if write is None or result.dry_run:
                result.migrated += 1
                return
            try:
                yield from _calmly(lambda write=write: send(write))  # type: ignore[misc]
            except UniqueConflict as error:
                result.failures.append(MigrationFailure(key, version, error.message))
                return
            except OutcomeUnknown:
                maybe_written = True
            except ConditionFailed:
                maybe_written = False
            except LimitExceeded as error:
                result.failures.append(MigrationFailure(key, version, error.message))
                return
            else:
                result.migrated += 1
                return
            if attempt:
                yield Sleep(pause(attempt))
            found = yield from self._again(key)
            if found is None:
                result.deleted += 1
                return
            item = found
        reason = f"other writers changed it {MAX_ATTEMPTS} times while it was being migrated"
        result.failures.append(MigrationFailure(key, version, reason))

    def _count_version(self, version: int) -> None:
        self._result.by_version[version] = self._result.by_version.get(version, 0) + 1

    def _again(self, key: WireItem) -> Operation[WireItem | None]:
        body = encode_request({"TableName": self._target.table_name, "Key": key, "ConsistentRead": True})
        response = yield from _persistently(lambda: Request("GetItem", body, True, self._target))
        raw_capacity("GetItem", response)
        item: WireItem | None = _decode_json(response).get("Item")
        return item

    # ------------------------------------------------------------------ pace

    def _metered(self, operation: Operation[Any]) -> Operation[Any]:
        """The same operation, with what it consumes reported to this run's meter."""
        result: Any = None
        error: DynawireError | None = None
        while True:
            token = active_meter.set(self._meter)
            try:
                effect = operation.send(result) if error is None else operation.throw(error)
            except StopIteration as done:
                return done.value
            finally:
                active_meter.reset(token)
            result, error = None, None
            try:
                result = yield effect
            except DynawireError as caught:
                error = caught

    def _keep_pace(self) -> Operation[None]:
        """Wait until what was consumed fits the rates."""
        consumed = (self._meter.read_units, self._meter.write_units)
        needed = max(
            (units / rate for units, rate in zip(consumed, self._rates, strict=True) if rate is not None), default=0.0
        )
        early = self._begun + needed - monotonic()
        if early > 0:
            yield Sleep(early)

    def _count_units(self) -> None:
        read, written = self._before
        self._result.read_units = read + self._meter.read_units
        self._result.write_units = written + self._meter.write_units
        self._meter.calls.clear()


def _reader(read: ReadPlan, place: int, total: int, segment: _Segment) -> PageReader:
    if total > 1:
        read = msgspec.structs.replace(read, request={**read.request, "Segment": place, "TotalSegments": total})
    start = None if segment.position is None else msgspec.Raw(msgspec.json.encode(segment.position))
    return PageReader(read, start=start)


def _raw_items(response: bytes, _: Any) -> tuple[list[Any], Any]:
    page = _read_page(response)
    return list(page.Items), page


def _persistently(request: Callable[[], Request | None]) -> Operation[bytes]:
    """The response of a request that may be repeated."""

    def ask() -> Operation[bytes]:
        one = request()
        assert one is not None
        response: bytes = yield one
        return response

    answered: bytes = yield from _calmly(ask)
    return answered


def _calmly(make: Callable[[], Operation[Any]]) -> Operation[Any]:
    """Carry out an operation, again and more slowly while it is throttled or a transaction is in its way."""
    attempt = 0
    while True:
        try:
            return (yield from make())
        except (Throttled, TransactionConflict):
            if attempt >= MAX_STALLED_ROUNDS:
                raise
        yield Sleep(pause(attempt))
        attempt += 1
