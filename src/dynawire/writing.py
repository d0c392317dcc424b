"""Writing one item of a table: insert, put, save, update and delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from .errors import DynawireError
from .operations.as_loaded import as_loaded
from .operations.delete import prepare_delete
from .operations.get import get_existing
from .operations.hooked import hooked, may_have_hooks
from .operations.put import BarePut, bare_put, prepare_insert, prepare_put
from .operations.save import prepare_save
from .operations.target import as_condition
from .operations.twins import asynchronous, sync
from .operations.update import all_updates, prepare_update
from .operations.write import Write, send, send_if_any

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .expressions import Condition, Update
    from .key import ConditionLike, Key
    from .operations.effects import Operation
    from .operations.target import Target

__all__ = ["TableWriting"]

T = TypeVar("T")


class TableWriting(Generic[T]):
    """What a table does to write one item."""

    _target: Target
    _bare_put: BarePut | None
    _engine: Engine
    _shown: str

    if TYPE_CHECKING:

        def _key_values(self, item: Any) -> tuple[Any, ...]: ...

    def _condition(self, condition: ConditionLike) -> Condition | None:
        return as_condition(self._target, condition)

    def _insert(self, item: T, *, condition: ConditionLike = None, exactly_once: bool = False) -> Operation[None]:
        """Store a new item; never overwrites (PutItem).

        Args:
            item: an instance of the class.
            condition: what must hold besides.
            exactly_once: send it as a transaction with a token, so that a lost response can be retried, at twice the
                write units.

        Raises:
            ItemExists: there is an item with this key already.
            UniqueConflict: another item has a value that is unique.
            RetriesExhausted: others were faster again and again, at a gap-free counter or a unique value.
            ValidationError: a value does not fit; nothing was sent.
            LimitExceeded: the item is over 400 KB; nothing was sent.
        """

        def write() -> Operation[None]:
            return send(prepare_insert(self._target, item, self._condition(condition)), exactly_once)

        return hooked(self._target, "insert", item, write) if may_have_hooks(self._target) else write()

    def _put(
        self,
        item: T,
        *,
        condition: ConditionLike = None,
        return_old: bool = False,
        exactly_once: bool = False,
        check: Literal["loaded"] | None = None,
    ) -> Operation[T | None]:
        """Store the item whole, replacing what is there (PutItem).

        Args:
            item: an instance of the class.
            condition: what must hold of the item that is replaced.
            return_old: give the replaced item, or None.
            exactly_once: see :meth:`insert`; it can't be combined with ``return_old``.
            check: ``"loaded"``: the stored item must still be as this one was loaded, as far as the class knows it.

        Raises:
            ConditionFailed: the condition is false; the stored item is its ``item``.
            ItemChanged: the check found that another writer changed it.
            VersionConflict: the stored item is not of the version of this one.
            UniqueConflict, RetriesExhausted: see :meth:`insert`.
            ValidationError: a value does not fit; nothing was sent.
            LimitExceeded: the item is over 400 KB; nothing was sent.
        """
        target = self._target
        put = self._bare_put
        if put is not None and condition is None and not return_old and not exactly_once and check is None:
            if target.mapped.hooks is None:
                return put(target, item)
            return hooked(target, "put", item, partial(put, target, item))
        return self._put_otherwise(target.of(item), item, condition, return_old, exactly_once, check)

    def _put_otherwise(
        self,
        target: Target,
        item: T,
        condition: ConditionLike,
        return_old: bool,
        exactly_once: bool,
        check: Literal["loaded"] | None,
    ) -> Operation[T | None]:
        put: BarePut | None = None
        if target.family is not None and condition is None and not return_old and not exactly_once and check is None:
            from .operations.unique_of_others import may_replace_unique

            put = None if may_replace_unique(target) else bare_put(target)

        def write() -> Operation[T | None]:
            if put is not None:
                return put(target, item)
            prepared = prepare_put(target, item, self._condition(condition), return_old, check)
            return send(prepared, exactly_once, return_old)

        return hooked(target, "put", item, write) if may_have_hooks(target) else write()

    def _save(
        self,
        item: T,
        *,
        condition: ConditionLike = None,
        exactly_once: bool = False,
        check: Literal["loaded"] | None = None,
    ) -> Operation[bool]:
        """Write what changed since the item was loaded (UpdateItem); a new item is put.

        Nothing changed: nothing is sent, and no condition looked at. None removes an attribute. Attributes the class
        does not know stay as they are, and so do members of maps that did not change.

        With ``check="loaded"`` the stored item must still be as this one was loaded, as far as the class knows it; of a
        new item, there must be none.

        Returns:
            Whether anything was sent.

        Raises:
            ItemNotFound: the item was deleted meanwhile; it is not brought back.
            ItemChanged: the check found that another writer changed it.
            ConditionFailed: the condition is false; or another writer removed or replaced a map of which this changes
                members.
            UniqueConflict, RetriesExhausted: see :meth:`insert`.
            ValidationError: a value does not fit, or a key attribute was changed; nothing was sent.
            LimitExceeded: more changed than one update can say; nothing was sent.
        """

        def write() -> Operation[bool]:
            prepared = prepare_save(self._target, item, self._condition(condition), check=check)
            return send_if_any(prepared, exactly_once)

        return hooked(self._target, "save", item, write) if may_have_hooks(self._target) else write()

    def _update(
        self,
        item: T | Key[T],
        /,
        *updates: Update,
        condition: ConditionLike = None,
        upsert: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
        **changes: Any,
    ) -> Operation[T]:
        """Change attributes in place, atomically (UpdateItem).

        Args:
            item: an instance, which takes the new values of what was updated while its other changes stay, or a key.
            updates: such as ``Airport.visits.add(1)``.
            condition: what must hold of the stored item.
            upsert: create the item when it is missing; refused when the new item would lack attributes it must have.
            exactly_once: send it as a transaction with a token, then read the item, at twice the write units.
            expected_version: the version that must be stored; None: the instance's, and for a key any.
            changes: the same by name: ``name="x"`` sets (None removes), ``visits__add=1``, ``tags__delete={"a"}``.

        Returns:
            The instance given, or for a key the item as it now is.

        Raises:
            ItemNotFound: there is no such item and ``upsert`` is false.
            ConditionFailed: the condition is false; VersionConflict: the version is another.
            UniqueConflict, RetriesExhausted: see :meth:`insert`.
            ExpressionError: the updates overlap, change a key, or there are none.
            DecodeError: the stored item does not fit the class; the update was applied.
        """

        def write(every: Sequence[Update] = updates, lookups: Mapping[str, Any] = changes) -> Operation[T]:
            prepared = self._prepare_update(item, every, lookups, condition, upsert, expected_version)
            if prepared.derived is None:
                return once(prepared)
            from .operations.derived_classes import by_class_of_item

            def prepare(target: Target) -> Write:
                new = upsert and target is self._target
                return self._prepare_update(item, every, lookups, condition, new, expected_version, target)

            return by_class_of_item(self._target, prepare, once)

        def once(prepared: Write) -> Operation[T]:
            if exactly_once or prepared.companions is not None:
                return self._update_once(prepared, self._key_values(item))
            return send(prepared)

        if not may_have_hooks(self._target):
            return write()
        every = all_updates(self._target, updates, changes)
        key = self._key_values(item)
        return hooked(self._target, "update", self._instance(item), lambda: write(every, {}), key=key, updates=every)

    def _update_once(self, write: Write, key: tuple[Any, ...]) -> Operation[T]:
        from .operations.transact import send_exactly_once

        assert write.adopt is not None
        yield from send_exactly_once(write)
        try:
            # Writes reach what has expired, too.
            current = yield from get_existing(self._target.unhidden, key, None, True)
        except DynawireError as error:
            error.add_note("the update was applied; reading the item afterwards failed")
            raise
        found: T = write.adopt(current)
        return found

    def _prepare_update(
        self,
        item: Any,
        updates: Sequence[Update],
        changes: Mapping[str, Any],
        condition: ConditionLike,
        upsert: bool,
        expected_version: int | None,
        target: Target | None = None,
    ) -> Write:
        return prepare_update(
            target or self._target,
            self._wire_key(item),
            updates,
            changes,
            self._condition(condition),
            upsert=upsert,
            instance=item if isinstance(item, self._target.kind) and not self._target.adapter.frozen else None,
            expected_version=expected_version,
        )

    def _delete(
        self,
        item: T | Key[T],
        *,
        condition: ConditionLike = None,
        must_exist: bool = False,
        return_old: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
        check: Literal["loaded"] | None = None,
    ) -> Operation[T | None]:
        """Delete an item (DeleteItem). Deleting what is not there is no error unless ``must_exist``.

        Args:
            item: an instance or a key.
            condition: what must hold of the stored item; with one, a missing item is a failure when the condition
                says so.
            must_exist: raise when there is no such item.
            return_old: give the deleted item, or None when there was none.
            exactly_once: see :meth:`insert`; it can't be combined with ``return_old``.
            expected_version: the version that must be stored; None: the instance's, and for a key any.
            check: ``"loaded"``: the item, unless it is gone, must still be as this instance was loaded.

        Raises:
            ItemNotFound: there is no such item and ``must_exist`` is true.
            ItemChanged: the check found that another writer changed it.
            ConditionFailed: the condition is false; VersionConflict: the version is another.
        """

        def write() -> Operation[T | None]:
            prepared = self._prepare_delete(item, condition, must_exist, return_old, expected_version, check)
            return send(prepared, exactly_once, return_old)

        if not may_have_hooks(self._target):
            return write()
        return hooked(self._target, "delete", self._instance(item), write, key=self._key_values(item))

    def _prepare_delete(
        self,
        item: Any,
        condition: ConditionLike,
        must_exist: bool,
        return_old: bool,
        expected_version: int | None,
        check: str | None,
    ) -> Write:
        return prepare_delete(
            self._target,
            self._wire_key(item),
            self._condition(condition),
            must_exist=must_exist,
            return_old=return_old,
            instance=self._instance(item),
            expected_version=expected_version,
            check=as_loaded(self._target, item, check),
        )

    def _instance(self, item: Any) -> Any:
        """What a write is about, if it is an instance and not a key; else None."""
        return item if isinstance(item, self._target.kind) else None

    def _wire_key(self, item: Any) -> dict[str, Any]:
        return self._target.plan.encode_key(self._key_values(item))

    insert = sync(_insert)
    ainsert = asynchronous(_insert)
    put = sync(_put)
    aput = asynchronous(_put)
    save = sync(_save)
    asave = asynchronous(_save)
    update = sync(_update)
    aupdate = asynchronous(_update)
    delete = sync(_delete)
    adelete = asynchronous(_delete)
