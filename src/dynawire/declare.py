"""How attributes are declared: ``Attr[T]`` and the functions that say more than the type does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .errors import SchemaError
from .mapping.attributes import NO_DEFAULT, AttributeDeclaration
from .mapping.constraints import Constraints

if TYPE_CHECKING:
    from .expressions.paths import Path
    from .mapping.keeping import Unique
    from .mapping.markers import Role

__all__ = ["Attr", "attr", "partition_key", "sort_key"]

T = TypeVar("T")


class Attr(Generic[T]):
    """The annotation of a mapped attribute: ``name: Attr[str]``.

    On the class the attribute is a typed :class:`~dynawire.expressions.paths.Path` for conditions, updates and
    projections; on an instance it is the value.

    What may stand in the brackets, by the DynamoDB type it is stored as:

    - S: ``str``, ``datetime`` (aware; ISO 8601 in UTC, so that it sorts), ``date``, ``time``, ``UUID``, ``Enum`` and
      ``Literal`` of str.
    - N: ``int`` and ``Decimal`` to 38 digits, ``float`` (finite, 1E-130 to 9.99E+125), ``timedelta`` (seconds),
      ``Enum`` and ``Literal`` of int, ``Flag``.
    - BOOL: ``bool``. B: ``bytes``.
    - L: ``list``, ``tuple``, ``Sequence``. SS, NS, BS: ``set`` and ``frozenset`` of anything stored as S, N or B; an
      empty one can only be stored by leaving the attribute out, which ``attr(default_factory=set)`` allows.
    - M: ``dict`` with keys that can be written as text, ``TypedDict``, ``NamedTuple``, nested ``Model``,
      ``msgspec.Struct``, dataclass, attrs class.
    - ``T | None``: None is left out, or stored as NULL where an absent attribute reads as something else.
    - A union of types that are stored differently, ``int | float``, ``int | Decimal``, and of classes that have a
      field with a Literal of its own in each (or a Struct's ``tag=``).
    - ``Any``: numbers come back as int, or Decimal when they have a fraction; a tuple comes back as a list.
    - ``Annotated`` with :data:`~dynawire.EpochSeconds`, :data:`~dynawire.Json`, :data:`~dynawire.NaiveDatetime`,
      :class:`~dynawire.Stored` or ``msgspec.Meta``.
    """

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        # What pydantic asks a type for; without it pydantic's own message would lead astray.
        raise SchemaError(
            "Attr[...] is for classes derived from dynawire.Model; the fields of a pydantic model have plain types: "
            "write title: str, and title: str = attr(...) in a PydanticModel"
        )

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: Any) -> Path[T]: ...
        @overload
        def __get__(self, instance: object, owner: Any) -> T: ...
        def __get__(self, instance: object | None, owner: Any) -> Path[T] | T: ...
        def __set__(self, instance: object, value: T) -> None: ...


@overload
def attr(
    *,
    default: T,
    name: str | None = ...,
    ge: Any = ...,
    gt: Any = ...,
    le: Any = ...,
    lt: Any = ...,
    multiple_of: Any = ...,
    min_length: int | None = ...,
    max_length: int | None = ...,
    pattern: str | None = ...,
    store_none: bool = ...,
    immutable: bool = ...,
    unique: bool | Unique = ...,
    mutator: Callable[[Any], Any] | None = ...,
) -> Attr[T]: ...
@overload
def attr(
    *,
    default_factory: Callable[[], T],
    name: str | None = ...,
    ge: Any = ...,
    gt: Any = ...,
    le: Any = ...,
    lt: Any = ...,
    multiple_of: Any = ...,
    min_length: int | None = ...,
    max_length: int | None = ...,
    pattern: str | None = ...,
    store_none: bool = ...,
    immutable: bool = ...,
    unique: bool | Unique = ...,
    mutator: Callable[[Any], Any] | None = ...,
) -> Attr[T]: ...
@overload
def attr(
    *,
    name: str | None = ...,
    ge: Any = ...,
    gt: Any = ...,
    le: Any = ...,
    lt: Any = ...,
    multiple_of: Any = ...,
    min_length: int | None = ...,
    max_length: int | None = ...,
    pattern: str | None = ...,
    store_none: bool = ...,
    immutable: bool = ...,
    unique: bool | Unique = ...,
    mutator: Callable[[Any], Any] | None = ...,
) -> Any: ...
def attr(
    *,
    default: Any = NO_DEFAULT,
    default_factory: Any = NO_DEFAULT,
    name: str | None = None,
    ge: Any = None,
    gt: Any = None,
    le: Any = None,
    lt: Any = None,
    multiple_of: Any = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    store_none: bool = False,
    immutable: bool = False,
    unique: bool | Unique = False,
    mutator: Callable[[Any], Any] | None = None,
) -> Any:
    """Say more about an attribute than its type does.

    Args:
        default: the value of an instance made without it, and of an item stored without it.
        default_factory: a function that makes that value anew each time; for lists, dicts, sets and clocks.
        name: its name in DynamoDB; the Python name unless given.
        ge, gt, le, lt: bounds of a number, date or text.
        multiple_of: a number that divides the value.
        min_length, max_length: bounds of the number of characters, bytes or members.
        pattern: a regular expression that must be found in the text.
        store_none: store None as NULL instead of leaving the attribute out.
        immutable: keep the value it was first stored with: a later write that changes it is refused.
        unique: let no two items have the same value; ``Unique("tenant")`` within the same tenant only.
        mutator: a function that every value but None passes when it is given to the constructor, assigned, or set by an
            update; not the default, nor what is read. ``mutator=str.strip``.

    Limits are checked whenever a value is written, not when it is assigned or read. What is wrong here, such as a
    default that every instance would share, is said by a :class:`~dynawire.SchemaError` when the class is made.
    """
    limits = Constraints(
        ge=ge,
        gt=gt,
        le=le,
        lt=lt,
        multiple_of=multiple_of,
        min_length=min_length,
        max_length=max_length,
        pattern=pattern,
    )
    return AttributeDeclaration(
        **_default(default),
        default_factory=default_factory,
        name=name,
        constraints=limits,
        store_none=store_none,
        immutable=immutable,
        # What is neither is refused, with the class's name, when the class is made.
        unique=_everywhere(unique) if isinstance(unique, bool) else unique,
        mutator=mutator,
    )


@overload
def partition_key(
    *, default: T, name: str | None = ..., pattern: str | None = ..., mutator: Callable[[Any], Any] | None = ...
) -> Attr[T]: ...
@overload
def partition_key(
    *,
    default_factory: Callable[[], T],
    name: str | None = ...,
    pattern: str | None = ...,
    mutator: Callable[[Any], Any] | None = ...,
) -> Attr[T]: ...
@overload
def partition_key(
    *, name: str | None = ..., pattern: str | None = ..., mutator: Callable[[Any], Any] | None = ...
) -> Any: ...
def partition_key(
    *,
    default: Any = NO_DEFAULT,
    default_factory: Any = NO_DEFAULT,
    name: str | None = None,
    pattern: str | None = None,
    mutator: Callable[[Any], Any] | None = None,
) -> Any:
    """Declare the table's partition key (DynamoDB's HASH key): text, a number or binary of 1 to 2048 bytes.

    Args:
        default: the value of an instance made without it.
        default_factory: a function that makes that value anew each time, such as ``uuid.uuid4``.
        name: its name in DynamoDB; the Python name unless given.
        pattern: a regular expression that must be found in the text.
        mutator: as in :func:`attr`. A key that is looked for is taken as it is given.
    """
    return _key(default, default_factory, name, pattern, "partition_key", mutator)


@overload
def sort_key(
    *, default: T, name: str | None = ..., pattern: str | None = ..., mutator: Callable[[Any], Any] | None = ...
) -> Attr[T]: ...
@overload
def sort_key(
    *,
    default_factory: Callable[[], T],
    name: str | None = ...,
    pattern: str | None = ...,
    mutator: Callable[[Any], Any] | None = ...,
) -> Attr[T]: ...
@overload
def sort_key(
    *, name: str | None = ..., pattern: str | None = ..., mutator: Callable[[Any], Any] | None = ...
) -> Any: ...
def sort_key(
    *,
    default: Any = NO_DEFAULT,
    default_factory: Any = NO_DEFAULT,
    name: str | None = None,
    pattern: str | None = None,
    mutator: Callable[[Any], Any] | None = None,
) -> Any:
    """Declare the table's sort key (DynamoDB's RANGE key): text, a number or binary of 1 to 1024 bytes.

    Args:
        default: the value of an instance made without it.
        default_factory: a function that makes that value anew each time.
        name: its name in DynamoDB; the Python name unless given.
        pattern: a regular expression that must be found in the text.
        mutator: as in :func:`attr`. A key that is looked for is taken as it is given.
    """
    return _key(default, default_factory, name, pattern, "sort_key", mutator)


def _key(
    default: Any,
    default_factory: Any,
    name: str | None,
    pattern: str | None,
    role: Role,
    mutator: Callable[[Any], Any] | None,
) -> AttributeDeclaration:
    return AttributeDeclaration(
        **_default(default),
        default_factory=default_factory,
        name=name,
        role=role,
        constraints=Constraints(pattern=pattern),
        mutator=mutator,
    )


def _default(default: Any) -> dict[str, Any]:
    """The default of a declaration; ``counter()`` is one, and says besides where the number comes from."""
    counted = isinstance(default, AttributeDeclaration) and default.counter is not None
    return {"default": default.default, "counter": default.counter} if counted else {"default": default}


def _everywhere(unique: bool) -> Unique | None:
    if not unique:
        return None
    from .mapping.keeping import Unique

    return Unique()
