"""``Model``: the base class of mapped classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import msgspec

from .mapping.key_types import PK, SK, KeyTypes
from .metaclass import ModelMeta
from .model_operations import ModelOperations
from .operations.mapped import check_values, mapped

__all__ = ["Model"]

if TYPE_CHECKING:
    from typing import Unpack, dataclass_transform

    from .composed import computed, joined, template
    from .declare import attr, partition_key, sort_key
    from .managed import created_at, discriminator, ttl, updated_at, version
    from .mapping.class_mapping import TableKeywords
    from .mapping.layout import TableLayout
    from .relations import many_to_many, many_to_one, one_to_many, one_to_one

    # Type checkers see a plain class: msgspec's Struct would tell them of other class keywords and of positional
    # parameters, and with a metaclass mypy would not check class keywords at all.

    @dataclass_transform(
        kw_only_default=True,
        field_specifiers=(
            attr,
            partition_key,
            sort_key,
            ttl,
            version,
            created_at,
            updated_at,
            discriminator,
            joined,
            template,
            computed,
            many_to_many,
            many_to_one,
            one_to_many,
            one_to_one,
        ),
    )
    class _Struct:
        __struct_fields__: ClassVar[tuple[str, ...]]

    class _Instance:
        _loaded: Any
else:
    _Struct = ModelMeta("_Struct", (msgspec.Struct,), {"__module__": __name__})

    class _Instance:
        """What every instance keeps beside its attributes: what it was loaded from, and what it is related to."""

        __slots__ = ("_loaded", "_related")

        def __class_getitem__(cls, types):
            if cls is not Model:
                from .errors import SchemaError

                raise SchemaError(f"{cls.__name__}[...]: only Model takes the types of a key, and it has no others")
            return KeyTypes(cls, types)


class Model(_Instance, ModelOperations[PK, SK], _Struct):
    """A class whose instances are items of a DynamoDB table.

    ``class Airport(Model, table="airports")`` declares attributes as ``name: Attr[str]``; one of them is the
    ``partition_key()``, perhaps another the ``sort_key()``. Class keywords: ``table``, ``abstract`` (a mixin: its
    attributes are for derived classes), ``billing``, ``read_units``, ``write_units``, ``stream``, ``ttl``,
    ``hide_expired``, ``table_class``, ``deletion_protection``, ``allow_scan``, ``migrations``, ``tag``. One without
    table nests.

    ``class Airport(Model[str, str], table="airports")`` says of which types the partition key and the sort key are, so
    that type checkers refuse a key of another type (``Model[str, None]`` without sort key). It must agree with the
    attributes. Where any model will do, annotate ``Model[Any, Any]``.

    Models hold no connection: operations run on the database of the block (``with db.use():``), else on the one
    connected last. Every one has an a-twin for asyncio. What each raises is said at that of :class:`~dynawire.Table`.
    """

    if TYPE_CHECKING:

        def __init_subclass__(
            cls,
            *,
            table: str | TableLayout = ...,
            pk: str = ...,
            sk: str = ...,
            kind: str = ...,
            abstract: bool = ...,
            tag: str = ...,
            **options: Unpack[TableKeywords],
        ) -> None: ...

    __paths__: ClassVar[dict[str, Any]] = {}
    __mapped__: ClassVar[Any] = None

    def validate(self) -> None:
        """Check every value as a write would.

        Raises:
            ValidationError: something does not fit; every failure is in ``errors``.
        """
        check_values(mapped(type(self)).plan.encode_for_write, self)

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

        from .mapping.mutators import assign_as_it_is

        twin = self.__copy__()
        memo[id(self)] = twin
        for name in self.__struct_fields__:
            # As it is, past any mutators.
            assign_as_it_is(twin, name, copy.deepcopy(getattr(self, name), memo))
        return twin

    def __reduce__(self) -> tuple[Any, ...]:
        loaded = getattr(self, "_loaded", None)
        wire = None if loaded is None else mapped(type(self)).plan.loaded_wire(loaded)
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        return _restored, (type(self), values, wire)


def _restored(cls: type[Model[Any, Any]], values: dict[str, Any], loaded: dict[str, Any] | None) -> Model[Any, Any]:
    # As they are, past any mutators.
    make: Any = msgspec.StructMeta.__call__
    instance: Model[Any, Any] = make(cls, **values)
    instance._loaded = loaded
    return instance
