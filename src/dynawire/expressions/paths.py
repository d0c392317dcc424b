"""The path of an attribute, or of something inside it: what conditions, updates and projections are written with."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from ..errors import ExpressionError
from ..mapping.class_mapping import nearest
from ..mapping.value_codec import ALL_TAGS, ValueCodec
from .functions import Testable
from .habits import method_advice
from .operands import called, described
from .updating import Updatable

__all__ = ["Path", "UnknownMember"]

T = TypeVar("T")
U = TypeVar("U")

MAX_STEPS = 32
"""Names and indexes DynamoDB takes in one document path."""
MAX_INDEX = 2**31 - 1
"""Largest index into a list that DynamoDB takes."""
MAX_KEPT = 256
"""Paths inside one path that are kept once reached: the names of a dict's members may be without end."""

_set = object.__setattr__


class UnknownMember(ExpressionError, AttributeError):
    """The type has no such map member. An AttributeError too, so that ``hasattr`` answers False."""


class Path(Testable[T], Updatable[T], Generic[T]):
    """A document path: the attribute of a class, a member of its map, an element of its list.

    ``Airport.visits`` is one; ``Airport.address.city``, ``Airport.scores[0]`` and ``Airport.names["de"]`` lead further
    in. A member whose name is that of a path's method is reached by its name in brackets: ``Airport.address["size"]``.
    A path never changes, and as ``==`` makes a condition, paths are told apart by ``is``.
    """

    # All that is not a method has a name that begins with '_', so that it hides no member of a map.
    # _owner: the class it belongs to, or None.
    # _steps: stored names of map members and indexes of list elements, from the top-level attribute on.
    # _label: the same in Python's names, for messages: "address.city".
    # _codec: turns its values into DynamoDB's form and back.
    # _operand_codec: the codec without the attribute's limits, for values to compare with.
    # _stores_none: whether None is stored as NULL instead of being left out.
    # _mutate: what a value that is set passes first; None: nothing.

    __slots__ = (
        "_codec",
        "_inside",
        "_label",
        "_mutate",
        "_operand_codec",
        "_outer",
        "_owner",
        "_step",
        "_steps",
        "_stores_none",
    )

    _owner: type[Any] | None
    _steps: tuple[str | int, ...]
    _label: str
    _codec: ValueCodec
    _operand_codec: ValueCodec
    _stores_none: bool
    _mutate: Callable[[Any], Any] | None
    _inside: dict[str | int, Path[Any]]
    _outer: Path[Any] | None
    _step: str | int | None

    def __init__(
        self,
        owner: type[Any] | None,
        steps: tuple[str | int, ...],
        label: str,
        codec: ValueCodec,
        *,
        stores_none: bool = False,
        mutate: Callable[[Any], Any] | None = None,
    ) -> None:
        _set(self, "_owner", owner)
        _set(self, "_steps", steps)
        _set(self, "_label", label)
        _set(self, "_codec", codec)
        _set(self, "_operand_codec", codec.unconstrained)
        _set(self, "_stores_none", stores_none)
        _set(self, "_mutate", mutate)
        _set(self, "_inside", {})
        _set(self, "_outer", None)
        _set(self, "_step", None)

    @overload
    def __getitem__(self: Path[list[U]], key: int) -> Path[U]: ...
    @overload
    def __getitem__(self: Path[list[U] | None], key: int) -> Path[U]: ...
    @overload
    def __getitem__(self: Path[tuple[U, ...]], key: int) -> Path[U]: ...
    @overload
    def __getitem__(self: Path[tuple[U, ...] | None], key: int) -> Path[U]: ...
    @overload
    def __getitem__(self: Path[dict[str, U]], key: str) -> Path[U]: ...
    @overload
    def __getitem__(self: Path[dict[str, U] | None], key: str) -> Path[U]: ...
    @overload
    def __getitem__(self, key: int | str) -> Path[Any]: ...
    def __getitem__(self: Any, key: int | str) -> Path[Any]:
        if isinstance(key, bool) or not isinstance(key, (int, str)):
            raise ExpressionError(f"{called(self)}[…] takes the name of a map member or the index of a list element")
        if isinstance(key, str):
            return _member(self, key)
        if "L" in self._codec.tags:
            return _element(self, key)
        if "M" in self._codec.tags:
            return _member(self, str(key))
        raise ExpressionError(f"{described(self)}, which has no elements to reach by index")

    def __getattr__(self, name: str) -> Path[Any]:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return _member(self, name)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise ExpressionError(
            f"{called(self)} is a path and cannot be assigned to; pass {self._label}.{name}.set(value) to update()"
        )

    def __delattr__(self, name: str) -> NoReturn:
        raise ExpressionError(
            f"{called(self)} is a path and cannot be deleted from; pass {self._label}.{name}.remove() to update()"
        )

    def __setitem__(self, key: object, value: object) -> NoReturn:
        raise ExpressionError(
            f"{called(self)} is a path and cannot be assigned to; pass {self._label}[…].set(value) to update()"
        )

    def __delitem__(self, key: object) -> NoReturn:
        raise ExpressionError(
            f"{called(self)} is a path and cannot be deleted from; pass {self._label}[…].remove() to update()"
        )

    def __bool__(self) -> bool:
        # Not NoReturn: type checkers would pass over what follows `if path:`.
        raise ExpressionError(
            f"{called(self)} is a path, neither true nor false: compare it, as in {self._label} == True, and write "
            "& | ~ instead of and, or, not"
        )

    def __contains__(self, member: object) -> NoReturn:
        raise ExpressionError(f"{called(self)} is a path: write {self._label}.contains(value) instead of in")

    def __iter__(self) -> NoReturn:
        raise ExpressionError(f"{called(self)} is a path: its elements are in the database; read an item to see them")

    if not TYPE_CHECKING:
        # Type checkers refuse these by themselves.

        def __and__(self, other: object) -> NoReturn:
            raise ExpressionError(
                f"{self!r} is a path, not a condition: compare it, as in {self._label} == True; & and | bind "
                f"tighter than comparisons, so write parentheses: ({self._label} > 1) & ({self._label} < 5)"
            )

        __rand__ = __or__ = __ror__ = __and__

        def __invert__(self) -> NoReturn:
            raise ExpressionError(f"{self!r} is a path, not a condition: write {self._label} == False")

    def __repr__(self) -> str:
        return f"<{called(self)}>"

    def __copy__(self) -> Path[T]:
        return self

    def __deepcopy__(self, memo: object) -> Path[T]:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Found again by name, as classes are: a path is the same object wherever its class is.
        if self._outer is not None:
            return operator.getitem, (self._outer, self._step)
        return getattr, (self._owner, self._label)


def _reached(outer: Path[Any], step: str | int, stored: str | int, label: str, codec: ValueCodec) -> Path[Any]:
    if len(outer._steps) == MAX_STEPS:
        raise ExpressionError(f"{called(outer)} is {MAX_STEPS} steps deep, the most DynamoDB takes in a path")
    # Inside a list or a map NULL is a value like any other.
    path: Path[Any] = Path(outer._owner, (*outer._steps, stored), label, codec, stores_none=True)
    _set(path, "_outer", outer)
    _set(path, "_step", step)
    if len(outer._inside) < MAX_KEPT:
        outer._inside[step] = path
    return path


def _element(path: Path[Any], index: int) -> Path[Any]:
    kept = path._inside.get(index)
    if kept is not None:
        return kept
    if not 0 <= index <= MAX_INDEX:
        raise ExpressionError(f"{called(path)}[{index}]: DynamoDB counts list elements from 0 on, and not from the end")
    codec = path._codec.element()
    if codec is None:
        raise ExpressionError(f"{described(path)}: its elements differ in type and cannot be reached one by one")
    return _reached(path, index, index, f"{path._label}[{index}]", codec)


def _member(path: Path[Any], name: str) -> Path[Any]:
    kept = path._inside.get(name)
    if kept is not None:
        return kept
    found = path._codec.member(name)
    if found is None:
        raise _unknown_member(path, name)
    stored, codec = found
    label = f"{path._label}.{name}" if name.isidentifier() else f"{path._label}[{name!r}]"
    return _reached(path, name, stored, label, codec)


def _unknown_member(path: Path[Any], name: str) -> UnknownMember:
    members = path._codec.member_names()
    methods = [method for method in dir(Path) if not method.startswith("_")]
    if "M" not in path._codec.tags and path._codec.tags != ALL_TAGS:
        advice = method_advice(path._label, called(path), name)
        near = f"; {advice}" if advice else nearest(name, methods)
        return UnknownMember(f"{described(path)}, which has no member {name!r}{near}")
    known = f"; it has {', '.join(members)}" if members else ""
    return UnknownMember(
        f"{described(path)}, which has no member {name!r}{nearest(name, [*members, *methods]) or known}"
    )
