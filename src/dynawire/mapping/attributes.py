"""One attribute of a mapped class, as declared and as resolved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from .constraints import Constraints

if TYPE_CHECKING:
    from .computed import ComputedDeclaration
    from .keeping import Counter, Unique
    from .markers import Role, UpkeepKind

__all__ = ["NO_DEFAULT", "Attribute", "AttributeDeclaration", "stored_name_problem"]

MAX_NAME_BYTES = 65_535


class _NoDefault:
    """Says that no default was given, which None would not."""

    def __repr__(self) -> str:
        return "NO_DEFAULT"

    def __reduce__(self) -> str:
        return "NO_DEFAULT"


NO_DEFAULT: Any = _NoDefault()


class AttributeDeclaration(msgspec.Struct, frozen=True, kw_only=True):
    """What ``attr()``, ``partition_key()``, ``version()`` and their like leave in the class body."""

    default: Any = NO_DEFAULT
    default_factory: Callable[[], Any] | Any = NO_DEFAULT
    name: str | None = None
    role: Role | None = None
    constraints: Constraints = Constraints()
    store_none: bool = False
    immutable: bool = False
    upkeep: UpkeepKind | None = None
    clock: Callable[[], Any] | None = None
    ttl: bool = False
    mutator: Callable[[Any], Any] | None = None
    computed: ComputedDeclaration | None = None
    unique: Unique | None = None
    counter: Counter | None = None

    def problem(self) -> str | None:
        """What is wrong with the declaration, whatever the type of the attribute; None when nothing."""
        if self.default is not NO_DEFAULT and self.default_factory is not NO_DEFAULT:
            return "has both default= and default_factory=; give one of them"
        if self.default_factory is not NO_DEFAULT and not callable(self.default_factory):
            kind = type(self.default_factory).__name__
            return f"has a default_factory= of type {kind}; it takes a function without parameters, such as list"
        if self.default is not NO_DEFAULT and _is_mutable(self.default):
            kind = type(self.default).__name__
            return (
                f"has a default= of type {kind}, which every instance would share; write "
                f"default_factory={kind if kind in _BUILT_IN else 'lambda: ...'}"
            )
        if self.clock is not None and not callable(self.clock):
            return "has a clock= that can't be called; it takes a function that gives an aware datetime"
        if self.computed is not None and self.computed.problem is not None:
            return self.computed.problem
        if isinstance(self.default, AttributeDeclaration):
            return "has another declaration for its default; only counter() may be one"
        if self.unique is not None:
            from .keeping import Unique

            if not isinstance(self.unique, Unique):
                return 'has a unique= that is neither True nor Unique(...), such as Unique("tenant")'
            if (problem := self.unique.problem()) is not None:
                return problem
        if self.counter is not None and (problem := self.counter.problem()) is not None:
            return problem
        if self.mutator is not None and not callable(self.mutator):
            return "has a mutator= that can't be called; it takes a function of one value, such as str.strip"
        if self.mutator is not None:
            from .functions import is_async

            if is_async(self.mutator):
                return "has a mutator= that is async, which no assignment awaits; wait in a hook: hooks.before_save"
        return self.constraints.contradiction()

    def attribute(self, name: str, annotation: Any, **known: Any) -> Attribute:
        """The attribute that is declared so.

        Args:
            name: its name in Python.
            annotation: its type, ``Annotated`` markers included.
            known: what is said elsewhere, as of :class:`Attribute`: a default by the class's own library, a role by
                ``db.table()``.
        """
        found = Attribute(
            name=name,
            stored_name=name if self.name is None else self.name,
            annotation=annotation,
            default=self.default,
            default_factory=self.default_factory,
            role=self.role,
            constraints=self.constraints,
            store_none=self.store_none,
            immutable=self.immutable,
            upkeep=self.upkeep,
            clock=self.clock,
            ttl=self.ttl,
            unique=self.unique,
            counter=self.counter,
            mutator=self.mutator,
            computed=self.computed,
        )
        return msgspec.structs.replace(found, **known) if known else found


_BUILT_IN = frozenset({"list", "dict", "set", "bytearray"})


def _is_mutable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return True
    if isinstance(value, msgspec.Struct):
        return not value.__struct_config__.frozen
    parameters = getattr(value, "__dataclass_params__", None)
    return parameters is not None and not parameters.frozen


def stored_name_problem(name: object) -> str | None:
    """Why an attribute or a map member can't have this name; None when it can."""
    if not isinstance(name, str) or not 1 <= len(name.encode(errors="surrogatepass")) <= MAX_NAME_BYTES:
        return f"has a stored name that is not text of 1 to {MAX_NAME_BYTES:,} bytes"
    # DynamoDB takes them, but msgspec reads no member with such a name into a class.
    if any(one in '"\\' or one < " " or "\ud800" <= one <= "\udfff" for one in name):
        return "has a stored name with a quotation mark, a backslash, a control character or a lone surrogate"
    return None


class Attribute(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute of a mapped class.

    Attributes:
        name: the name in Python.
        stored_name: the name in DynamoDB.
        annotation: the declared type, ``Annotated`` markers included.
        default: the value of an instance made without it and of an item stored without it, or NO_DEFAULT.
        default_factory: makes that value anew each time, or NO_DEFAULT.
        role: its place in the table's primary key, or None.
        constraints: limits on its values.
        store_none: whether None was asked to be stored as NULL.
        immutable: whether it keeps the value it was first stored with.
        upkeep: what every write maintains it as, or None.
        clock: gives its time instead of the system's clock, or None.
        ttl: whether it says when the item expires.
        mutator: what every value assigned to it passes first, or None.
        computed: how it is computed from others, or None. Instances then do not hold it.
        hidden: whether developers never name it: a generic key of a table that several classes share.
        unique: how its values are unique, or None.
        counter: where a new item's number comes from, or None.
    """

    name: str
    stored_name: str
    annotation: Any
    default: Any = NO_DEFAULT
    default_factory: Callable[[], Any] | Any = NO_DEFAULT
    role: Role | None = None
    constraints: Constraints = Constraints()
    store_none: bool = False
    immutable: bool = False
    upkeep: UpkeepKind | None = None
    clock: Callable[[], Any] | None = None
    ttl: bool = False
    unique: Unique | None = None
    counter: Counter | None = None
    mutator: Callable[[Any], Any] | None = None
    computed: ComputedDeclaration | None = None
    hidden: bool = False

    @property
    def computed_from(self) -> tuple[str, ...]:
        """Python names of the attributes it is computed from."""
        return () if self.computed is None else self.computed.sources

    @property
    def is_maintained(self) -> bool:
        """Whether writes do more for it than to encode its value."""
        return (
            self.upkeep not in (None, "discriminator")
            or self.immutable
            or self.unique is not None
            or self.counter is not None
        )

    @property
    def has_default(self) -> bool:
        """Whether an instance can be made, and an item read, without it."""
        return self.default is not NO_DEFAULT or self.default_factory is not NO_DEFAULT

    @property
    def stores_none(self) -> bool:
        """Whether None is stored as NULL: left out, it would come back as another default."""
        return self.store_none or (self.has_default and self.default is not None)

    def make_default(self) -> Any:
        """The default value; a new one each time when it comes from a factory."""
        return self.default if self.default_factory is NO_DEFAULT else self.default_factory()
