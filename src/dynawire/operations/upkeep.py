"""Attributes that dynawire maintains: the version, and the times of creation and of the last change.

What a write adds for them is staged beside the instance: wire values, a condition, and what the instance takes over
when the write succeeded. The instance itself is left alone until then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from ..codec.migrated import as_read
from ..codec.plan import ClassPlan
from ..errors import ConditionFailed, DynawireError, ExpressionError, SchemaError, ValidationError
from ..expressions import Condition, Path, Placeholders, Update, Value, compile_condition
from ..expressions.updates import IfNotExists
from ..mapping.adapters.base import Adapter
from ..mapping.attributes import Attribute
from ..mapping.class_mapping import ClassMapping
from ..mapping.value_codec import ValueCodec
from .changes import canonical
from .failures import no_version, version_conflict

if TYPE_CHECKING:
    from .computed import ComputedAttributes
    from .keeping import Keeping
    from .target import Target

__all__ = ["Staged", "Upkeep"]

Explain = Callable[[ConditionFailed], DynawireError]


class Staged:
    """What one write adds for the maintained attributes.

    Attributes:
        version: the version that must be stored (0: none); None: any.
        values: new wire values by stored name.
        taken: what the instance takes over, by Python name.
        by_key: whether the write is of a key alone.
    """

    __slots__ = ("_upkeep", "by_key", "taken", "values", "version")

    def __init__(self, upkeep: Upkeep, version: int | None, *, by_key: bool = False) -> None:
        self._upkeep = upkeep
        self.by_key = by_key
        self.version = version if upkeep.version is not None else None
        self.values: dict[str, Any] = {}
        self.taken: dict[str, Any] = {}

    @property
    def condition(self) -> Condition | None:
        """What requires the version; None: any version will do."""
        return None if self.version is None else self._upkeep.requires(self.version)

    def take_over(self, instance: Any) -> None:
        """Give the instance what is now stored."""
        assign = self._upkeep.assign
        for label, value in self.taken.items():
            assign(instance, label, value)

    def is_conflict(self, error: ConditionFailed) -> bool:
        """Whether the stored item is not of the version that was expected."""
        if self.version is None or self._upkeep.version is None:
            return False
        if error.wire_item is None:
            return self.version > 0
        stored = error.wire_item.get(self._upkeep.version_name)
        return stored != {"N": str(self.version)} and not (self.version == 0 and stored is None)

    def explained(self, target: Target, explain: Explain, *, missing: bool = True) -> Explain:
        """An explanation of a failed condition that knows a conflict of versions from other reasons.

        Args:
            target: the class and its table.
            explain: explains the other reasons.
            missing: whether an item that is gone is a conflict; otherwise that is another reason.
        """
        if self.version is None:
            return explain

        def conflict_or(error: ConditionFailed) -> DynawireError:
            if self.is_conflict(error) and (missing or error.wire_item is not None):
                return version_conflict(target, self.version, error, by_key=self.by_key)
            return explain(error)

        return conflict_or


class _Time:
    """A time that writes set.

    Attributes:
        stored_name: its name in DynamoDB.
        name: its name in Python.
        codec: how it is stored.
        clock: gives it.
        exact: whether what is read back is what the clock gave.
    """

    __slots__ = ("clock", "codec", "exact", "name", "stored_name")

    def __init__(self, attribute: Attribute, codec: ValueCodec) -> None:
        self.stored_name = attribute.stored_name
        self.name = attribute.name
        self.codec = codec
        self.clock = attribute.clock or _now
        sample = datetime(2000, 1, 2, 3, 4, 5, 678901, UTC)
        self.exact = self.clock is _now and repr(codec.decode(codec.encode(sample))) == repr(sample)


class Upkeep:
    """What the writes of one class maintain.

    Attributes:
        name: the class's name.
        paths: the maintained attributes by stored name.
        version: the path of the version, or None.
        version_name, version_label: its name in DynamoDB, and in Python.
        is_version_alone: whether nothing but a version is maintained.
        adapter: how instances are read and changed.
        keeping: unique values and numbers, which need items of their own; None: the class has neither.
    """

    def __init__(
        self,
        mapping: ClassMapping,
        paths: Mapping[str, Path[Any]],
        plan: ClassPlan,
        adapter: Adapter,
        computed: ComputedAttributes | None,
    ) -> None:
        self.name = mapping.name
        self.adapter = adapter
        self._mapping = mapping
        self._plan = plan
        self._codecs = plan.codecs
        self.paths: dict[str, Path[Any]] = {}
        self.version: Path[Any] | None = None
        self.version_name = self.version_label = ""
        self._created: list[_Time] = []
        self._updated: list[_Time] = []
        for attribute in mapping.attributes.values():
            if attribute.upkeep in (None, "discriminator"):
                continue
            self._check(attribute)
            path = paths[attribute.name]
            self.paths[attribute.stored_name] = path
            if attribute.upkeep == "version":
                if self.version is not None:
                    raise self._error(attribute, f"{self.version._label} is the version already; keep one")
                self.version, self.version_name, self.version_label = path, attribute.stored_name, attribute.name
            elif attribute.upkeep == "created_at":
                self._created.append(_Time(attribute, path._codec))
            else:
                self._updated.append(_Time(attribute, path._codec))
        self._computed = computed if computed is not None and computed.of_maintained else None
        self._immutable = {one.stored_name: one.name for one in mapping.attributes.values() if one.immutable}
        self.keeping: Keeping | None = None
        if any(one.unique is not None or one.counter is not None for one in mapping.attributes.values()):
            from .keeping import Keeping

            self.keeping = Keeping(mapping, plan, adapter)
        # For a put, which does without one function more.
        self.assign = setattr if type(adapter).assign is Adapter.assign else adapter.assign
        self._condition_of_new: bytes | None = None
        self._condition_parts: tuple[bytes, bytes] | None = None
        self.is_version_alone = self.version is not None and not (
            self._created or self._updated or self._immutable or self._computed or self.keeping
        )

    # ------------------------------------------------------------------ the version

    def requires(self, version: int) -> Condition:
        """The condition that the stored item is of this version; 0: that it has none."""
        path = self.version
        assert path is not None
        # Items of the time before the class had a version count as version 0.
        return path == version if version else path.not_exists() | (path == 0)

    def condition_members(self, version: int) -> bytes:
        """What requires a version, as members of a request's JSON, each after a comma."""
        if version == 0:
            if self._condition_of_new is None:
                self._condition_of_new = self._compiled(0)
            return self._condition_of_new
        if self._condition_parts is None:
            before, _, after = self._compiled(1).partition(b'{"N":"1"}')
            self._condition_parts = before + b'{"N":"', b'"}' + after
        before, after = self._condition_parts
        return b"%b%d%b" % (before, version, after)

    def _compiled(self, version: int) -> bytes:
        placeholders = Placeholders()
        expression = compile_condition(self.requires(version), placeholders, self._mapping.owner)
        members: dict[str, Any] = {"ConditionExpression": expression}
        placeholders.apply(members)
        members["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return b"," + msgspec.json.encode(members)[1:-1]

    def _error(self, attribute: Attribute, message: str) -> SchemaError:
        return SchemaError(f"{self.name}.{attribute.name}: {message}", model=self.name, attribute=attribute.name)

    def _check(self, attribute: Attribute) -> None:
        kind = f"{attribute.upkeep}()"
        if self._mapping.table is None:
            raise self._error(attribute, f'{kind} is for a class with a table; write table="...", or a plain attribute')
        if self.adapter.frozen:
            raise self._error(attribute, f"{kind} changes the instance that was written, and {self.name} is frozen")
        for index_name, index in self._mapping.indexes.items():
            if attribute.upkeep == "version" and attribute.name in index.key_names():
                raise self._error(attribute, f"a version can't be a key of the index {index_name}")
        codec = self._codecs[attribute.name]
        if attribute.upkeep == "version":
            bare = getattr(attribute.annotation, "__origin__", attribute.annotation)
            if bare is not int or codec.tags != {"N"}:
                raise self._error(attribute, f"a version is a whole number; write {attribute.name}: Attr[int]")
            return
        try:
            codec.encode(datetime(2000, 1, 1, tzinfo=UTC))
            codec.encode(None)
        except ValidationError:
            raise self._error(
                attribute,
                f"{kind} holds a datetime with time zone, and None until the item was written; write "
                f"{attribute.name}: Attr[datetime | None]",
            ) from None

    # ------------------------------------------------------------------ whole items

    def stage_put(self, instance: Any, wire: dict[str, Any], *, insert: bool = False) -> Staged:
        """What a put or an insert adds; its values are put into ``wire`` as well.

        An insert requires that there is no item, so it expects no version besides; it still counts on from the one the
        instance has, so that an item that was deleted and inserted again never repeats a version.
        """
        version = None if self.version is None else self.version_of(instance)
        staged = Staged(self, None if insert else version)
        if version is not None:
            self._raise_version(staged, version)
        is_new = self.adapter.loaded(instance) is None
        times = self._updated
        if is_new and self._created:
            times = [*(one for one in self._created if one.stored_name not in wire), *times]
        if times:
            self._stamp(staged, times)
        if self._immutable and not is_new:
            self._refuse_changed(instance, wire)
        self.complete(wire, staged)
        return staged

    def complete(self, wire: dict[str, Any], staged: Staged) -> None:
        """Put what is maintained into an item, and what is computed of it."""
        wire.update(staged.values)
        if self._computed is not None:
            self._computed.add(wire)

    def _refuse_changed(self, instance: Any, wire: dict[str, Any]) -> None:
        before = as_read(self._plan.loaded_wire(self.adapter.loaded(instance)))
        changed = [
            name
            for name in self._immutable
            if name in before and (name not in wire or canonical(before[name]) != canonical(wire[name]))
        ]
        self.refuse_immutable(changed)

    def refuse_immutable(self, changed: Iterable[str]) -> None:
        """Refuse to change attributes that keep their first value.

        Raises:
            ValidationError: one of these stored names is declared ``immutable=True``.
        """
        for name in changed:
            label = self._immutable.get(name)
            if label is not None:
                raise ValidationError(
                    f"{self.name}.{label} is immutable: it keeps the value it was stored with; nothing was sent",
                    model=self.name,
                    attribute=label,
                )

    # ------------------------------------------------------------------ changes

    @property
    def kept_by_save(self) -> set[str]:
        """Stored names of what a save sets by itself, whatever the instance holds."""
        version = set() if self.version is None else {self.version_name}
        return version | {one.stored_name for one in self._updated}

    def stage_save(self, instance: Any) -> Staged:
        """What a save that changes something adds."""
        return self._stage_change(self._instance_version(instance))

    def _stage_change(self, version: int | None, created: Sequence[_Time] = ()) -> Staged:
        staged = Staged(self, version)
        if version is not None:
            self._raise_version(staged, version)
        self._stamp(staged, [*self._updated, *created])
        return staged

    def _raise_version(self, staged: Staged, version: int) -> None:
        assert self.version is not None
        staged.values[self.version_name] = {"N": str(version + 1)}
        staged.taken[self.version._label] = version + 1

    def stage_update(
        self, updates: list[Update], instance: Any, expected_version: int | None, *, upsert: bool
    ) -> Staged:
        """What an update adds; its updates are appended to those given.

        Without instance and expected version any version will do, and it is raised by one.

        Raises:
            ExpressionError: an update changes what is maintained.
            ValidationError: an update changes an immutable attribute.
        """
        for update in updates:
            if update.path._steps[0] in self.paths:
                raise ExpressionError(
                    f"{self.name}.{update.path._label} is maintained by every write; leave it out of the update"
                )
        changing = [one for one in updates if not (upsert and _keeps_first(one))]
        self.refuse_immutable(str(one.path._steps[0]) for one in changing)
        version = self._expected(instance, expected_version)
        staged = self._stage_change(version, self._created if upsert else ())
        staged.by_key = instance is None
        first = {one.stored_name: staged.values.pop(one.stored_name) for one in self._created} if upsert else {}
        for name, wire in staged.values.items():
            path = self.paths[name]
            updates.append(Update("SET", path, Value(staged.taken[path._label], wire)))
        if self.version is not None and version is None:
            updates.append(self.version.add(1))
        updates += [self.paths[name].set_if_not_exists(staged.taken[self.paths[name]._label]) for name in first]
        return staged

    def stage_delete(self, instance: Any, expected_version: int | None) -> Staged:
        """What a delete requires."""
        return Staged(self, self._expected(instance, expected_version), by_key=instance is None)

    def _expected(self, instance: Any, expected_version: int | None) -> int | None:
        if expected_version is not None:
            if self.version is None:
                raise no_version(self.name)
            return _whole(self.name, "expected_version", expected_version)
        return None if instance is None else self._instance_version(instance)

    def _instance_version(self, instance: Any) -> int | None:
        return None if self.version is None else self.version_of(instance)

    def version_of(self, instance: Any) -> int:
        """The version an instance has."""
        label = self.version_label
        return _whole(self.name, label, self.adapter.value(instance, label))

    def _stamp(self, staged: Staged, times: Iterable[_Time]) -> None:
        """Stage the time now. One reading of a clock serves all that use it."""
        read: dict[Any, datetime] = {}
        for one in times:
            now = read.get(one.clock)
            if now is None:
                now = read[one.clock] = one.clock()
            wire = staged.values[one.stored_name] = one.codec.encode(now)
            staged.taken[one.name] = now if one.exact else one.codec.decode(wire)

    def refuse_in_batch(self, what: str) -> None:
        """Refuse what a batch can't do with a versioned class.

        Raises:
            ExpressionError: the class has a version.
        """
        if self.version is not None:
            raise ExpressionError(
                f"{self.name}.{self.version._label} is a version(), which a batch can't check: {what}; nothing of it "
                "was sent"
            )


def _now() -> datetime:
    return datetime.now(UTC)


def _whole(name: str, attribute: str, version: Any) -> int:
    if type(version) is not int or version < 0:
        raise ValidationError(
            f"{name}.{attribute}: a version is a whole number of 0 or more; nothing was sent",
            model=name,
            attribute=attribute,
        )
    return version


def _keeps_first(update: Update) -> bool:
    """Whether an update leaves an attribute alone that has a value already."""
    operand = update.operand
    return (
        isinstance(operand, IfNotExists) and len(update.path._steps) == 1 and operand.path._steps == update.path._steps
    )
