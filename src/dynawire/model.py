"""``Model``: the base class of mapped classes. Every method hands over to the class's table on the current database."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, dataclass_transform

import msgspec

from .database import table_of
from .declare import attr, partition_key, sort_key
from .errors import DecodeError, SchemaError
from .expressions import Condition, Update
from .finding import ModelFinding
from .key import ConditionLike, Key
from .managed import created_at, updated_at, version
from .mapping.key_types import PK, SK, KeyTypes
from .metaclass import ModelMeta
from .operations.batch import BatchGetResult, BatchWriteResult, Progress
from .operations.drivers import arun, run
from .operations.effects import Operation
from .operations.get import get_item
from .operations.mapped import mapped
from .operations.params import Params
from .operations.target import key_values
from .query import Query
from .table import Table

__all__ = ["Model", "ModelOperations"]


_NOT_GIVEN: Any = type("_NotGiven", (), {"__repr__": lambda self: "..."})()


def _given(partition_key: Any, sort_key: Any) -> tuple[Any, ...]:
    if sort_key is not _NOT_GIVEN:
        return partition_key, sort_key
    return () if partition_key is _NOT_GIVEN else (partition_key,)


if TYPE_CHECKING:
    # Type checkers see a plain class: msgspec's Struct would tell them of other class keywords and of positional
    # parameters, and with a metaclass mypy would not check class keywords at all.

    class _Struct:
        __struct_fields__: ClassVar[tuple[str, ...]]

    class _Instance:
        _loaded: Any

    class _Keyed(Generic[PK, SK]):
        pass
else:
    _Struct = ModelMeta("_Struct", (msgspec.Struct,), {"__module__": __name__})

    class _Instance:
        """What every instance keeps beside its attributes: the item it was loaded from or last written as."""

        __slots__ = ("_loaded",)

        def __class_getitem__(cls, types):
            if cls is not Model:
                raise SchemaError(f"{cls.__name__}[...]: only Model takes the types of a key, and it has no others")
            return KeyTypes(cls, types)

    class _Keyed:
        """Stands for the types of the key, which only type checkers know."""

        __slots__ = ()

        def __class_getitem__(cls, types):
            return cls


_INSTANCE_OPERATIONS = ("delete", "insert", "put", "refresh", "save", "update")


class _ParamsOfClassOrInstance:
    def __get__(self, instance: Any, owner: type[Any]) -> Params:
        table = partial(table_of, owner)
        if instance is None:
            return Params(Table, table)
        return Params(Table, table, instance, only=_INSTANCE_OPERATIONS)


class ModelOperations(_Keyed[PK, SK], ModelFinding):
    """What a class whose instances are items can do: every operation, on the current database."""

    __slots__ = ()

    # ------------------------------------------------------------------ by key

    @classmethod
    def key(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        **by_name: Any,
    ) -> Key[Self]:
        """The key of one item, to write it without reading it first."""
        return Key(cls, key_values(mapped(cls).plan, _given(partition_key, sort_key), by_name))

    @classmethod
    def get(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *,
        consistent: bool = False,
        **by_name: Any,
    ) -> Self | None:
        """The item with this key, or None (GetItem). See :meth:`Table.get`."""
        # The most frequent call of all goes straight to its operation.
        table = table_of(cls)
        read: Operation[Self | None] = get_item(table._target, _given(partition_key, sort_key), by_name, consistent)
        return run(table._engine, read)

    @classmethod
    def aget(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *,
        consistent: bool = False,
        **by_name: Any,
    ) -> Coroutine[Any, Any, Self | None]:
        """The item with this key, or None (GetItem). See :meth:`Table.get`."""
        table = table_of(cls)
        return arun(table._engine, get_item(table._target, _given(partition_key, sort_key), by_name, consistent))

    @classmethod
    def get_one(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *,
        consistent: bool = False,
        **by_name: Any,
    ) -> Self:
        """The item with this key; ItemNotFound when there is none (GetItem). See :meth:`Table.get_one`."""
        return table_of(cls).get_one(*_given(partition_key, sort_key), consistent=consistent, **by_name)

    @classmethod
    def aget_one(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *,
        consistent: bool = False,
        **by_name: Any,
    ) -> Coroutine[Any, Any, Self]:
        """The item with this key; ItemNotFound when there is none (GetItem). See :meth:`Table.get_one`."""
        return table_of(cls).aget_one(*_given(partition_key, sort_key), consistent=consistent, **by_name)

    @classmethod
    def exists(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *,
        consistent: bool = False,
        **by_name: Any,
    ) -> bool:
        """Whether there is an item with this key (GetItem). See :meth:`Table.exists`."""
        return table_of(cls).exists(*_given(partition_key, sort_key), consistent=consistent, **by_name)

    @classmethod
    def aexists(
        cls,
        partition_key: PK = _NOT_GIVEN,
        sort_key: SK = _NOT_GIVEN,
        /,
        *,
        consistent: bool = False,
        **by_name: Any,
    ) -> Coroutine[Any, Any, bool]:
        """Whether there is an item with this key (GetItem). See :meth:`Table.exists`."""
        return table_of(cls).aexists(*_given(partition_key, sort_key), consistent=consistent, **by_name)

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

    @classmethod
    def get_many(
        cls,
        keys: Iterable[Any],
        *,
        consistent: bool = False,
        progress: Progress | None = None,
        misfits: list[DecodeError] | None = None,
    ) -> BatchGetResult[Self]:
        """Read any number of items by key (BatchGetItem). See :meth:`Table.get_many`."""
        return table_of(cls).get_many(keys, consistent=consistent, progress=progress, misfits=misfits)

    @classmethod
    def aget_many(
        cls,
        keys: Iterable[Any],
        *,
        consistent: bool = False,
        progress: Progress | None = None,
        misfits: list[DecodeError] | None = None,
    ) -> Coroutine[Any, Any, BatchGetResult[Self]]:
        """Read any number of items by key (BatchGetItem). See :meth:`Table.get_many`."""
        return table_of(cls).aget_many(keys, consistent=consistent, progress=progress, misfits=misfits)

    @classmethod
    def put_many(cls, items: Iterable[Self], *, progress: Progress | None = None) -> BatchWriteResult:
        """Store any number of items whole (BatchWriteItem). See :meth:`Table.put_many`."""
        return table_of(cls).put_many(items, progress=progress)

    @classmethod
    def aput_many(
        cls, items: Iterable[Self], *, progress: Progress | None = None
    ) -> Coroutine[Any, Any, BatchWriteResult]:
        """Store any number of items whole (BatchWriteItem). See :meth:`Table.put_many`."""
        return table_of(cls).aput_many(items, progress=progress)

    @classmethod
    def delete_many(cls, keys: Iterable[Any], *, progress: Progress | None = None) -> BatchWriteResult:
        """Delete any number of items by instance or key (BatchWriteItem). See :meth:`Table.delete_many`."""
        return table_of(cls).delete_many(keys, progress=progress)

    @classmethod
    def adelete_many(
        cls, keys: Iterable[Any], *, progress: Progress | None = None
    ) -> Coroutine[Any, Any, BatchWriteResult]:
        """Delete any number of items by instance or key (BatchWriteItem). See :meth:`Table.delete_many`."""
        return table_of(cls).adelete_many(keys, progress=progress)

    @classmethod
    def write_many(
        cls, *, put: Iterable[Self] = (), delete: Iterable[Any] = (), progress: Progress | None = None
    ) -> BatchWriteResult:
        """Put and delete any number of items together (BatchWriteItem). See :meth:`Table.write_many`."""
        return table_of(cls).write_many(put=put, delete=delete, progress=progress)

    @classmethod
    def awrite_many(
        cls, *, put: Iterable[Self] = (), delete: Iterable[Any] = (), progress: Progress | None = None
    ) -> Coroutine[Any, Any, BatchWriteResult]:
        """Put and delete any number of items together (BatchWriteItem). See :meth:`Table.write_many`."""
        return table_of(cls).awrite_many(put=put, delete=delete, progress=progress)

    # ------------------------------------------------------------------ this item

    def insert(self, *, condition: ConditionLike = None, exactly_once: bool = False) -> None:
        """Store it as a new item; ItemExists when there is one with this key (PutItem). See :meth:`Table.insert`."""
        table_of(type(self)).insert(self, condition=condition, exactly_once=exactly_once)

    def ainsert(self, *, condition: ConditionLike = None, exactly_once: bool = False) -> Coroutine[Any, Any, None]:
        """Store it as a new item; ItemExists when there is one with this key (PutItem). See :meth:`Table.insert`."""
        return table_of(type(self)).ainsert(self, condition=condition, exactly_once=exactly_once)

    def put(
        self, *, condition: ConditionLike = None, return_old: bool = False, exactly_once: bool = False
    ) -> Self | None:
        """Store it whole, replacing what is there (PutItem). See :meth:`Table.put`."""
        table = table_of(type(self))
        write = table._put(self, condition=condition, return_old=return_old, exactly_once=exactly_once)
        return run(table._engine, write)

    def aput(
        self, *, condition: ConditionLike = None, return_old: bool = False, exactly_once: bool = False
    ) -> Coroutine[Any, Any, Self | None]:
        """Store it whole, replacing what is there (PutItem). See :meth:`Table.put`."""
        table = table_of(type(self))
        write = table._put(self, condition=condition, return_old=return_old, exactly_once=exactly_once)
        return arun(table._engine, write)

    def save(self, *, condition: ConditionLike = None, exactly_once: bool = False) -> bool:
        """Write what changed since it was loaded; whether anything did (UpdateItem). See :meth:`Table.save`."""
        return table_of(type(self)).save(self, condition=condition, exactly_once=exactly_once)

    def asave(self, *, condition: ConditionLike = None, exactly_once: bool = False) -> Coroutine[Any, Any, bool]:
        """Write what changed since it was loaded; whether anything did (UpdateItem). See :meth:`Table.save`."""
        return table_of(type(self)).asave(self, condition=condition, exactly_once=exactly_once)

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
        )

    def adelete(
        self,
        *,
        condition: ConditionLike = None,
        must_exist: bool = False,
        return_old: bool = False,
        exactly_once: bool = False,
        expected_version: int | None = None,
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
        return mapped(type(self)).plan.encode(self)

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """The instance of an item in DynamoDB's JSON, such as a stream record's image.

        Raises:
            DecodeError: the item does not fit the class.
        """
        instance: Self = mapped(cls).plan.from_wire(dict(item))
        return instance


@dataclass_transform(
    kw_only_default=True, field_specifiers=(attr, partition_key, sort_key, version, created_at, updated_at)
)
class Model(_Instance, ModelOperations[PK, SK], _Struct):
    """A class whose instances are items of a DynamoDB table.

    ``class Airport(Model, table="airports")`` declares attributes as ``name: Attr[str]``; one of them is the
    ``partition_key()``, perhaps another the ``sort_key()``. Class keywords: ``table``, ``abstract`` (a mixin: its
    attributes are for the classes derived from it), ``billing``, ``read_units``, ``write_units``, ``stream``,
    ``ttl``, ``table_class``, ``deletion_protection``, ``allow_scan``. A Model without a table can be nested in others.

    ``class Airport(Model[str, str], table="airports")`` says of which types the partition key and the sort key are, so
    that type checkers refuse a key of another type (``Model[str, None]`` without sort key). It must agree with the
    attributes. Where any model will do, annotate ``Model[Any, Any]``.

    Models hold no connection: operations run on the database of the block (``with db.use():``), else on the one
    connected last. Every operation has an a-twin for asyncio. What each raises is said at the method of
    :class:`~dynawire.Table` of the same name.
    """

    if TYPE_CHECKING:

        def __init_subclass__(
            cls,
            *,
            table: str = ...,
            abstract: bool = ...,
            billing: Literal["PAY_PER_REQUEST", "PROVISIONED"] = ...,
            read_units: int = ...,
            write_units: int = ...,
            stream: Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] = ...,
            ttl: str = ...,
            table_class: Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"] = ...,
            deletion_protection: bool = ...,
            allow_scan: bool = ...,
        ) -> None: ...

    __paths__: ClassVar[dict[str, Any]] = {}
    __mapped__: ClassVar[Any] = None

    def validate(self) -> None:
        """Check every value as a write would.

        Raises:
            ValidationError: something does not fit; every failure is in ``errors``.
        """
        mapped(type(self)).plan.encode(self)

    def to_dict(self) -> dict[str, Any]:
        """The attributes by Python name, nested Models and Structs as they are."""
        return {name: getattr(self, name) for name in mapped(type(self)).paths}

    def __repr__(self) -> str:
        # Values never reach a log by way of a repr; to_dict() shows them.
        names = ", ".join(mapped(type(self)).paths)
        return f"<{type(self).__name__} ({names})>"

    def __rich_repr__(self) -> Any:
        return iter(mapped(type(self)).paths)

    # What was loaded must come along, or save() of a copy would put it as a new item.

    def __copy__(self) -> Self:
        twin: Self = msgspec.Struct.__copy__(self)  # type: ignore[attr-defined]
        twin._loaded = getattr(self, "_loaded", None)
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        import copy

        twin = self.__copy__()
        memo[id(self)] = twin
        for name in self.__struct_fields__:
            setattr(twin, name, copy.deepcopy(getattr(self, name), memo))
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        loaded = getattr(self, "_loaded", None)
        wire = None if loaded is None else mapped(type(self)).plan.loaded_wire(loaded)
        return _restored, (type(self), self.to_dict(), wire)


def _restored(cls: type[Model[Any, Any]], values: dict[str, Any], loaded: dict[str, Any] | None) -> Model[Any, Any]:
    instance = cls(**values)
    instance._loaded = loaded
    return instance
