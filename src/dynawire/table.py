"""``Table[T]``: every operation on one mapped class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from .batch import TableBatches
from .errors import DynawireError, ExpressionError, ValidationError
from .finding import TableFinding
from .keeping import TableKeeping
from .key import ConditionLike, Key
from .lifecycle import TABLE_TIMEOUT, TableLifecycle
from .migrating import TableMigrating
from .operations.as_loaded import as_loaded
from .operations.delete import prepare_delete
from .operations.effects import Operation
from .operations.get import get_existing, get_item, item_exists, refresh_item
from .operations.hooked import hooked, may_have_hooks
from .operations.own_key import own_key
from .operations.params import Params
from .operations.put import prepare_insert, prepare_put, put_item, put_maintained, put_versioned
from .operations.save import prepare_save
from .operations.target import Target, as_condition, key_values
from .operations.twins import asynchronous, mark_coroutine_functions, sync
from .operations.update import all_updates, prepare_update
from .operations.write import Write, send, send_if_any

if TYPE_CHECKING:
    from .database import Database
    from .expressions import Condition, Paths, Update
    from .query import Index, Query

__all__ = ["TABLE_TIMEOUT", "Table"]

T = TypeVar("T")


class Table(TableBatches[T], TableFinding[T], TableKeeping[T], TableLifecycle, TableMigrating, Generic[T]):
    """One mapped class on one database: every operation, each also as its a-twin for asyncio.

    Made by :meth:`Database.table`. Thread-safe; it holds no state of its own.

    Errors that any operation may raise: :class:`~dynawire.TableNotFound`, :class:`~dynawire.Throttled`,
    :class:`~dynawire.CredentialsError`, :class:`~dynawire.ConnectionFailed`, :class:`~dynawire.ServiceError`; those
    that write also :class:`~dynawire.OutcomeUnknown`, when the response to a request that must not be repeated was
    lost.
    """

    def __init__(self, database: Database, target: Target) -> None:
        self.database = database
        self._target = target
        self._engine = database.engine
        self._shown = target.plan.name

    @property
    def name(self) -> str:
        """The table's full name, prefix included."""
        return self._target.table_name

    @property
    def paths(self) -> Paths:
        """The path of each attribute, by Python name: ``table.paths.title``, ``table.paths["title"]``.

        For conditions, updates and projections of classes that have no paths of their own.
        """
        from .expressions import Paths

        return Paths(self._target.mapped.paths, self._target.plan.name)

    @property
    def model(self) -> type[T]:
        """The mapped class."""
        cls: type[T] = self._target.cls
        return cls

    def __repr__(self) -> str:
        return f"<Table {self.name} of {self._target.plan.name}>"

    # ------------------------------------------------------------------ one item by key

    def key(self, *key: Any, **by_name: Any) -> Key[T]:
        """The key of one item, to write it without reading it first."""
        return Key(self._target.cls, key_values(self._target.plan, key, by_name), self)

    def _get(self, /, *key: Any, consistent: bool = False, **by_name: Any) -> Operation[T | None]:
        """The item with this key, or None (GetItem).

        Args:
            key: the partition key's value, then the sort key's when there is one.
            consistent: a strongly consistent read, at twice the read units.
            by_name: the same by attribute name.

        Raises:
            ValidationError: this can't be a key of the class.
            DecodeError: the stored item does not fit the class.
        """
        return get_item(self._target, key, by_name, consistent)

    def _get_one(self, /, *key: Any, consistent: bool = False, **by_name: Any) -> Operation[T]:
        """The item with this key (GetItem); see :meth:`get`.

        Raises:
            ItemNotFound: there is none.
        """
        return get_existing(self._target, key, by_name, consistent)

    def _exists(self, /, *key: Any, consistent: bool = False, **by_name: Any) -> Operation[bool]:
        """Whether there is an item with this key (GetItem of the key alone). It costs as much as reading the item."""
        return item_exists(self._target, key, by_name, consistent)

    # ------------------------------------------------------------------ writing one item

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
        plain = condition is None and not return_old and not exactly_once and check is None
        if plain and target.family is None and target.mapped.hooks is None:
            upkeep = target.upkeep
            if upkeep is None:
                return put_item(target, item)
            if upkeep.keeping is None:
                return put_versioned(target, item) if upkeep.is_version_alone else put_maintained(target, item)
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
        upkeep = target.upkeep
        plain = condition is None and not return_old and not exactly_once and check is None
        if plain and target.family is not None:
            from .operations.unique_of_others import may_replace_unique

            plain = not may_replace_unique(target)
        put: Callable[[Target, Any], Operation[None]] | None = None
        if plain and upkeep is None:
            put = put_item
        elif plain and upkeep is not None and upkeep.keeping is None:
            put = put_versioned if upkeep.is_version_alone else put_maintained

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

    def _key_values(self, item: Any) -> tuple[Any, ...]:
        """The primary key of an instance, a Key, a tuple or, for a table without sort key, a single value."""
        plan = self._target.plan
        if isinstance(item, self._target.kind):
            return own_key(self._target, item)
        if isinstance(item, Key):
            if item.model is not self._target.cls and not issubclass(self._target.kind, item.model):
                raise ValidationError(f"this is a key of {item.model.__name__}, not of {plan.name}", model=plan.name)
            if item.database not in (None, self.database):
                raise ValidationError(
                    f"this key of {plan.name} was made by the table of another database", model=plan.name
                )
            if item.table_name not in (None, self.name):
                raise ValidationError(
                    f"this key of {plan.name} is of the table {item.table_name}, not of {self.name}", model=plan.name
                )
            return item.values
        if isinstance(item, tuple):
            return item
        if hasattr(type(item), "__mapping__"):
            raise ValidationError(f"expected {plan.name}, got {type(item).__name__}", model=plan.name)
        return (item,)

    def _refresh(self, item: T, *, consistent: bool = True) -> Operation[None]:
        """Read the item again and take all its values, dropping local changes (GetItem).

        Raises:
            ItemNotFound: it was deleted; the instance stays as it is.
        """
        return refresh_item(self._target, item, consistent)

    # ------------------------------------------------------------------ many items

    def query(self, *arguments: Any, **lookups: Any) -> Query[T]:
        """Items with this partition key (DynamoDB's Query), in the order of the sort key.

        Args:
            arguments: the partition key's value, then a value or one condition for the sort key, and any filter
                conditions.
            lookups: the same by name: ``query(state="TX", iata__begins_with="D", visits__gt=3)``.

        Raises:
            ExpressionError: there is no value for the partition key, or the sort key's condition is not one DynamoDB
                has.
        """
        from .operations.reads import read_of_query
        from .query import Query

        return Query(self, read_of_query(self._target, None, arguments, lookups))

    def scan(self, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Query[T]:
        """All items of the table (DynamoDB's Scan), filtered by these conditions. It reads, and costs, the whole
        table.

        Raises:
            ScanNotAllowed: when items are read: the model or the database has ``allow_scan=False``, and
                ``.allow_scan()`` was not asked for.
        """
        from .query import scan_of

        return scan_of(self, None, conditions, lookups)

    def index(self, name: str) -> Index[T]:
        """A secondary index by the name of its class attribute."""
        from .query import Index

        definition = self._target.mapped.mapping.indexes.get(name)
        if definition is None:
            known = ", ".join(self._target.mapped.mapping.indexes) or "none"
            raise ExpressionError(f"{self._target.plan.name} has no index {name!r}; its indexes: {known}")
        return Index(self._target.cls, definition, self)

    get = sync(_get)
    aget = asynchronous(_get)
    get_one = sync(_get_one)
    aget_one = asynchronous(_get_one)
    exists = sync(_exists)
    aexists = asynchronous(_exists)
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
    refresh = sync(_refresh)
    arefresh = asynchronous(_refresh)

    @property
    def params(self) -> Params:
        """The request each operation would send, as a dict, without sending it: ``table.params.get("TX", "DFW")``."""
        return Params(Table, lambda: self)


mark_coroutine_functions()
