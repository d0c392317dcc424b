"""What every mapped class can do: each method hands over to the class's table on the current database."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Literal, Self

from .database import table_of
from .finding import ModelFinding
from .keeping import ModelKeeping
from .key import Key
from .mapping.key_types import PK, SK
from .migrating import ModelMigrating
from .model_batches import ModelBatches
from .operations.drivers import arun, run
from .operations.get import get_item
from .operations.mapped import mapped
from .operations.params import Params
from .operations.target import key_values
from .operations.twins import mark_methods

if TYPE_CHECKING:
    from .expressions import Condition, Update
    from .key import ConditionLike
    from .mapping.key_types import KeyValue
    from .operations.effects import Operation
    from .query import Query

__all__ = ["ModelOperations"]

_NOT_GIVEN: Any = type("_NotGiven", (), {"__repr__": lambda self: "..."})()


def _given(partition_key: Any, sort_key: Any, further: tuple[Any, ...]) -> tuple[Any, ...]:
    if sort_key is not _NOT_GIVEN:
        # In a table of several classes keys may be composed of more than two attributes.
        return (partition_key, sort_key, *further) if further else (partition_key, sort_key)
    return () if partition_key is _NOT_GIVEN else (partition_key,)


if TYPE_CHECKING:

    class _Keyed(Generic[PK, SK]):
        pass
else:

    class _Keyed:
        """Stands for the types of the key, which only type checkers know."""

        __slots__ = ()

        def __class_getitem__(cls, types):
            return cls


_INSTANCE_OPERATIONS = ("delete", "insert", "put", "refresh", "save", "update")


class _ParamsOfClassOrInstance:
    def __get__(self, instance: Any, owner: type[Any]) -> Params:
        from .table import Table

        table = partial(table_of, owner)
        if instance is None:
            return Params(Table, table)
        return Params(Table, table, instance, only=_INSTANCE_OPERATIONS)


class ModelOperations(_Keyed[PK, SK], ModelBatches, ModelFinding, ModelKeeping, ModelMigrating):
    """What a class whose instances are items can do: every operation, on the current database."""

    __slots__ = ()

    # ------------------------------------------------------------------ by key

    @classmethod
    def key(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *further: KeyValue,
        **by_name: Any,
    ) -> Key[Self]:
        """The key of one item, to write it without reading it first."""
        return Key(cls, key_values(mapped(cls).plan, _given(partition_key, sort_key, further), by_name))

    @classmethod
    def get(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *further: KeyValue,
        consistent: bool = False,
        **by_name: Any,
    ) -> Self | None:
        """The item with this key, or None (GetItem). See :meth:`Table.get`."""
        # The most frequent call of all goes straight to its operation.
        table = table_of(cls)
        read: Operation[Self | None] = get_item(
            table._target, _given(partition_key, sort_key, further), by_name, consistent
        )
        return run(table._engine, read)

    @classmethod
    def aget(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *further: KeyValue,
        consistent: bool = False,
        **by_name: Any,
    ) -> Coroutine[Any, Any, Self | None]:
        """The item with this key, or None (GetItem). See :meth:`Table.get`."""
        table = table_of(cls)
        read: Operation[Self | None] = get_item(
            table._target, _given(partition_key, sort_key, further), by_name, consistent
        )
        coroutine: Any = arun(table._engine, read)
        coroutine.__qualname__ = f"{table._shown}.aget"
        return coroutine  # type: ignore[no-any-return]

    @classmethod
    def get_one(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *further: KeyValue,
        consistent: bool = False,
        **by_name: Any,
    ) -> Self:
        """The item with this key; ItemNotFound when there is none (GetItem). See :meth:`Table.get_one`."""
        return table_of(cls).get_one(*_given(partition_key, sort_key, further), consistent=consistent, **by_name)

    @classmethod
    def aget_one(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *further: KeyValue,
        consistent: bool = False,
        **by_name: Any,
    ) -> Coroutine[Any, Any, Self]:
        """The item with this key; ItemNotFound when there is none (GetItem). See :meth:`Table.get_one`."""
        return table_of(cls).aget_one(*_given(partition_key, sort_key, further), consistent=consistent, **by_name)

    @classmethod
    def exists(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *further: KeyValue,
        consistent: bool = False,
        **by_name: Any,
    ) -> bool:
        """Whether there is an item with this key (GetItem). See :meth:`Table.exists`."""
        return table_of(cls).exists(*_given(partition_key, sort_key, further), consistent=consistent, **by_name)

    @classmethod
    def aexists(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *further: KeyValue,
        consistent: bool = False,
        **by_name: Any,
    ) -> Coroutine[Any, Any, bool]:
        """Whether there is an item with this key (GetItem). See :meth:`Table.exists`."""
        return table_of(cls).aexists(*_given(partition_key, sort_key, further), consistent=consistent, **by_name)

    # ------------------------------------------------------------------ many

    @classmethod
    def query(
        cls,
        partition_key: PK | Condition | Mapping[str, Any] = _NOT_GIVEN,
        /,
        *sort_key_or_conditions: SK | Condition | Mapping[str, Any],
        **lookups: Any,
    ) -> Query[Self]:
        """Items with this partition key, in the order of the sort key (Query). See :meth:`Table.query`."""
        given = () if partition_key is _NOT_GIVEN else (partition_key,)
        return table_of(cls).query(*given, *sort_key_or_conditions, **lookups)

    @classmethod
    def scan(cls, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Query[Self]:
        """All items of the table, filtered by these conditions (Scan). See :meth:`Table.scan`."""
        return table_of(cls).scan(*conditions, **lookups)

    # ------------------------------------------------------------------ this item

    def insert(self, *, condition: ConditionLike = None, exactly_once: bool = False) -> None:
        """Store it as a new item; ItemExists when there is one with this key (PutItem). See :meth:`Table.insert`."""
        table_of(type(self)).insert(self, condition=condition, exactly_once=exactly_once)

    def ainsert(self, *, condition: ConditionLike = None, exactly_once: bool = False) -> Coroutine[Any, Any, None]:
        """Store it as a new item; ItemExists when there is one with this key (PutItem). See :meth:`Table.insert`."""
        return table_of(type(self)).ainsert(self, condition=condition, exactly_once=exactly_once)

    def put(
        self,
        *,
        condition: ConditionLike = None,
        return_old: bool = False,
        exactly_once: bool = False,
        check: Literal["loaded"] | None = None,
    ) -> Self | None:
        """Store it whole, replacing what is there (PutItem). See :meth:`Table.put`."""
        table = table_of(type(self))
        write = table._put(self, condition=condition, return_old=return_old, exactly_once=exactly_once, check=check)
        return run(table._engine, write)

    def aput(
        self,
        *,
        condition: ConditionLike = None,
        return_old: bool = False,
        exactly_once: bool = False,
        check: Literal["loaded"] | None = None,
    ) -> Coroutine[Any, Any, Self | None]:
        """Store it whole, replacing what is there (PutItem). See :meth:`Table.put`."""
        table = table_of(type(self))
        write = table._put(self, condition=condition, return_old=return_old, exactly_once=exactly_once, check=check)
        coroutine: Any = arun(table._engine, write)
        coroutine.__qualname__ = f"{table._shown}.aput"
        return coroutine  # type: ignore[no-any-return]

    def save(
        self, *, condition: ConditionLike = None, exactly_once: bool = False, check: Literal["loaded"] | None = None
    ) -> bool:
        """Write what changed since it was loaded; whether anything did (UpdateItem). See :meth:`Table.save`."""
        return table_of(type(self)).save(self, condition=condition, exactly_once=exactly_once, check=check)

    def asave(
        self, *, condition: ConditionLike = None, exactly_once: bool = False, check: Literal["loaded"] | None = None
    ) -> Coroutine[Any, Any, bool]:
        """Write what changed since it was loaded; whether anything did (UpdateItem). See :meth:`Table.save`."""
        return table_of(type(self)).asave(self, condition=condition, exactly_once=exactly_once, check=check)

    def update(
        self,
        *updates: Update,
        condition: ConditionLike = None,
        upsert: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
        **changes: Any,
    ) -> Self:
        """Change attributes in place, atomically, and take the new values (UpdateItem). See :meth:`Table.update`."""
        table = table_of(type(self))
        return table.update(
            self,
            *updates,
            condition=condition,
            upsert=upsert,
            exactly_once=exactly_once,
            expected_version=expected_version,
            **changes,
        )

    def aupdate(
        self,
        *updates: Update,
        condition: ConditionLike = None,
        upsert: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
        **changes: Any,
    ) -> Coroutine[Any, Any, Self]:
        """Change attributes in place, atomically, and take the new values (UpdateItem). See :meth:`Table.update`."""
        table = table_of(type(self))
        return table.aupdate(
            self,
            *updates,
            condition=condition,
            upsert=upsert,
            exactly_once=exactly_once,
            expected_version=expected_version,
            **changes,
        )

    def delete(
        self,
        *,
        condition: ConditionLike = None,
        must_exist: bool = False,
        return_old: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
        check: Literal["loaded"] | None = None,
    ) -> Self | None:
        """Delete the item (DeleteItem). See :meth:`Table.delete`."""
        table = table_of(type(self))
        return table.delete(
            self,
            condition=condition,
            must_exist=must_exist,
            return_old=return_old,
            exactly_once=exactly_once,
            expected_version=expected_version,
            check=check,
        )

    def adelete(
        self,
        *,
        condition: ConditionLike = None,
        must_exist: bool = False,
        return_old: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
        check: Literal["loaded"] | None = None,
    ) -> Coroutine[Any, Any, Self | None]:
        """Delete the item (DeleteItem). See :meth:`Table.delete`."""
        table = table_of(type(self))
        return table.adelete(
            self,
            condition=condition,
            must_exist=must_exist,
            return_old=return_old,
            exactly_once=exactly_once,
            expected_version=expected_version,
            check=check,
        )

    def refresh(self, *, consistent: bool = True) -> None:
        """Read the item again and take all its values (GetItem). See :meth:`Table.refresh`."""
        table_of(type(self)).refresh(self, consistent=consistent)

    def arefresh(self, *, consistent: bool = True) -> Coroutine[Any, Any, None]:
        """Read the item again and take all its values (GetItem). See :meth:`Table.refresh`."""
        return table_of(type(self)).arefresh(self, consistent=consistent)

    # ------------------------------------------------------------------ without a database

    params = _ParamsOfClassOrInstance()

    def to_item(self) -> dict[str, Any]:
        """The item in DynamoDB's JSON, by stored name; binary is ``bytes``.

        Raises:
            ValidationError: something does not fit.
        """
        plan = mapped(type(self)).plan
        return plan.stored(plan.encode(self))

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """The instance of an item in DynamoDB's JSON, such as a stream record's image.

        Raises:
            DecodeError: the item does not fit the class.
        """
        instance: Self | None = mapped(cls).plan.from_wire(dict(item))
        if instance is None:
            from .errors import DecodeError

            raise DecodeError(f"the item is of another class of its table than {cls.__name__}", model=cls.__name__)
        return instance


mark_methods(ModelOperations)
