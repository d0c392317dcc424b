"""How updates are written: the methods of a path that say what to change."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, overload

from ..errors import ExpressionError
from ..mapping.value_codec import ALL_TAGS, WireValue
from .numbers import is_number, number
from .operands import SET_TAGS, Expression, Operand, Value, called, described, encoded, misplaced, unfit
from .updates import Arithmetic, IfNotExists, ListAppend, Summable, Update

if TYPE_CHECKING:
    from decimal import Decimal

    from .paths import Path

__all__ = ["Updatable"]

T = TypeVar("T")
U = TypeVar("U")

_WITHOUT_NULL = ALL_TAGS - {"NULL"}
_EMPTY_LIST = Value((), {"L": []})


class Updatable(Summable[T], Generic[T]):
    """What can be done to a path in an update: DynamoDB's SET, REMOVE, ADD and DELETE.

    All updates of one request see the item as it was before. Values go through the attribute's codec, and its limits
    (``ge=``, ``pattern=`` …) apply to whole values and list members, not to numbers that are added.
    """

    __slots__ = ()

    def set(self, value: T | Operand[T]) -> Update:
        """Assign a value: ``path.set("x")``, ``path.set(other_path)``, ``path.set(path + 1)``.

        None removes the attribute, except where None is stored as NULL: in an attribute declared with
        ``store_none=True``, in a list and in a map.

        Raises:
            ExpressionError: None or an empty set where DynamoDB cannot hold it; an operand of another type.
            ValidationError: the value does not fit the attribute.
        """
        path: Any = self
        if path._mutate is not None and not isinstance(value, Expression):
            value = path._mutate(value)
        if value is None and "NULL" in path._codec.tags and not path._stores_none:
            return Update("REMOVE", path)
        if isinstance(value, Expression):
            return Update("SET", path, _assignable(path, value))
        return Update("SET", path, _whole_value(path, value))

    def set_if_not_exists(self, value: T | Operand[T]) -> Update:
        """Assign a value unless the path has one: short for ``path.set(path.if_not_exists(value))``."""
        return Update("SET", _path(self), self.if_not_exists(value))

    def if_not_exists(self, value: T | Operand[T]) -> IfNotExists[T]:
        """What the path holds, or this if it is not there: for ``set``, ``+`` and ``-``. DynamoDB's if_not_exists.

        Raises:
            ExpressionError: None, or a sum, which DynamoDB does not take here.
            ValidationError: the value does not fit the attribute.
        """
        path: Any = self
        if not isinstance(value, Expression):
            if path._mutate is not None:
                value = path._mutate(value)
            if value is None and not path._stores_none:
                raise ExpressionError(f"{called(path)}: if_not_exists(None) would store nothing; give a value")
            return IfNotExists(path, _whole_value(path, value))
        if isinstance(value, Arithmetic):
            raise ExpressionError(f"{called(path)}: DynamoDB computes no sum inside if_not_exists; add outside it")
        return IfNotExists(path, _assignable(path, value))

    def remove(self) -> Update:
        """Remove the attribute, map member or list element. Removing what is not there is fine.

        Elements after a removed one move up.
        """
        return Update("REMOVE", _path(self))

    @overload
    def add(self: Operand[float | Decimal | None], value: int) -> Update: ...
    @overload
    def add(self: Updatable[float], value: float) -> Update: ...
    @overload
    def add(self: Updatable[float | None], value: float) -> Update: ...
    @overload
    def add(self: Updatable[Decimal], value: Decimal) -> Update: ...
    @overload
    def add(self: Updatable[Decimal | None], value: Decimal) -> Update: ...
    @overload
    def add(self: Updatable[builtins.set[U]], value: AbstractSet[U]) -> Update: ...
    @overload
    def add(self: Updatable[builtins.set[U] | None], value: AbstractSet[U]) -> Update: ...
    @overload
    def add(self: Updatable[frozenset[U]], value: AbstractSet[U]) -> Update: ...
    @overload
    def add(self: Updatable[frozenset[U] | None], value: AbstractSet[U]) -> Update: ...
    def add(self: Any, value: Any) -> Update:
        """Add a number to the number stored, or members to the set stored. DynamoDB's ADD.

        Where nothing is stored, the number counts from 0 and the set begins empty.

        Raises:
            ExpressionError: the attribute is neither a number nor a set, or there is nothing to add.
            ValidationError: the number or a member does not fit.
        """
        tags = self._codec.tags
        if "N" not in tags and tags.isdisjoint(SET_TAGS):
            hint = "; write .extend(values)" if "L" in tags else "; write .set(value)"
            raise ExpressionError(f"{described(self)}: add works on numbers and sets only{hint}")
        if is_number(value) and "N" in tags:
            return Update("ADD", self, Value(value, number(self, value)))
        return Update("ADD", self, _members(self, "add", value))

    @overload
    def delete(self: Updatable[builtins.set[U]], members: AbstractSet[U]) -> Update: ...
    @overload
    def delete(self: Updatable[builtins.set[U] | None], members: AbstractSet[U]) -> Update: ...
    @overload
    def delete(self: Updatable[frozenset[U]], members: AbstractSet[U]) -> Update: ...
    @overload
    def delete(self: Updatable[frozenset[U] | None], members: AbstractSet[U]) -> Update: ...
    def delete(self: Any, members: Any) -> Update:
        """Delete members from the set stored; the last one takes the attribute with it. DynamoDB's DELETE.

        Raises:
            ExpressionError: the attribute is not a set, or there is nothing to delete.
            ValidationError: a member does not fit.
        """
        if self._codec.tags.isdisjoint(SET_TAGS):
            raise ExpressionError(f"{described(self)}: delete takes members out of sets only; write .remove()")
        return Update("DELETE", self, _members(self, "delete", members))

    @overload
    def append(self: Updatable[list[U]], value: U, *, create: bool = ...) -> Update: ...
    @overload
    def append(self: Updatable[list[U] | None], value: U, *, create: bool = ...) -> Update: ...
    @overload
    def append(self: Updatable[tuple[U, ...]], value: U, *, create: bool = ...) -> Update: ...
    @overload
    def append(self: Updatable[tuple[U, ...] | None], value: U, *, create: bool = ...) -> Update: ...
    def append(self: Any, value: Any, *, create: bool = True) -> Update:
        """Put one element at the end of the list: DynamoDB's list_append.

        Args:
            value: the element.
            create: begin with an empty list if there is none; else DynamoDB refuses the update of an item without it.

        Raises:
            ExpressionError: the attribute is not a list.
            ValidationError: the element does not fit.
        """
        return Update("SET", self, ListAppend(_list(self, "append", create), _elements(self, (value,))))

    @overload
    def prepend(self: Updatable[list[U]], value: U, *, create: bool = ...) -> Update: ...
    @overload
    def prepend(self: Updatable[list[U] | None], value: U, *, create: bool = ...) -> Update: ...
    @overload
    def prepend(self: Updatable[tuple[U, ...]], value: U, *, create: bool = ...) -> Update: ...
    @overload
    def prepend(self: Updatable[tuple[U, ...] | None], value: U, *, create: bool = ...) -> Update: ...
    def prepend(self: Any, value: Any, *, create: bool = True) -> Update:
        """Put one element at the beginning of the list; otherwise like :meth:`append`."""
        second = _list(self, "prepend", create)
        return Update("SET", self, ListAppend(_elements(self, (value,)), second))

    @overload
    def extend(self: Updatable[list[U]], values: Iterable[U] | Updatable[list[U]], *, create: bool = ...) -> Update: ...
    @overload
    def extend(
        self: Updatable[list[U] | None], values: Iterable[U] | Updatable[list[U]], *, create: bool = ...
    ) -> Update: ...
    @overload
    def extend(
        self: Updatable[tuple[U, ...]], values: Iterable[U] | Updatable[tuple[U, ...]], *, create: bool = ...
    ) -> Update: ...
    @overload
    def extend(
        self: Updatable[tuple[U, ...] | None], values: Iterable[U] | Updatable[tuple[U, ...]], *, create: bool = ...
    ) -> Update: ...
    def extend(self: Any, values: Any, *, create: bool = True) -> Update:
        """Put several elements, or another list of the item, at the end of the list; otherwise like :meth:`append`."""
        first = _list(self, "extend", create)
        if isinstance(values, Expression):
            return Update("SET", self, ListAppend(first, _assignable(self, values)))
        if isinstance(values, (str, bytes)):
            raise unfit(self, f"extend takes a list of elements, not {type(values).__name__}; write .append(value)")
        elements = _elements(self, values)
        if not elements.value:
            raise ExpressionError(f"{called(self)}: extend has no element, so nothing would change; leave it out")
        return Update("SET", self, ListAppend(first, elements))

    def __iadd__(self, other: object) -> NoReturn:  # type: ignore[misc]
        raise _not_in_place(self, "+=", "add(number)")

    def __isub__(self, other: object) -> NoReturn:  # type: ignore[misc]
        raise _not_in_place(self, "-=", "add(-number)")

    def __ior__(self, other: object) -> NoReturn:
        raise _not_in_place(self, "|=", "add({...})")


def _path(path: Any) -> Path[Any]:
    return path  # type: ignore[no-any-return]


def _not_in_place(path: Any, operator: str, remedy: str) -> ExpressionError:
    return ExpressionError(
        f"{called(path)} {operator}: a path holds no value to change; pass {path._label}.{remedy} to update()"
    )


def _whole_value(path: Any, value: Any) -> Value:
    if value is None and "NULL" not in path._codec.tags:
        is_attribute = len(path._steps) == 1
        remedy = "declare it optional, or, if it has a default, write .remove()" if is_attribute else "write .remove()"
        raise ExpressionError(f"{described(path)}, which cannot be None; {remedy} to remove it from the item")
    return Value(value, encoded(path, path._codec, value))


def _assignable(path: Any, operand: Any) -> Any:
    """An operand on the right of a SET."""
    if not isinstance(operand, Operand):
        raise misplaced(path, "=", operand)
    if isinstance(operand, Arithmetic):
        tags, shown = frozenset({"N"}), "a sum is a number"
    else:
        source: Any = operand.path if isinstance(operand, IfNotExists) else operand
        tags, shown = source._codec.tags, described(source)
    if (path._codec.tags & tags).isdisjoint(_WITHOUT_NULL):
        raise ExpressionError(f"{described(path)} and {shown}: DynamoDB would store a value of another type")
    return operand


def _list(path: Any, method: str, create: bool) -> Any:
    if "L" not in path._codec.tags:
        hint = "; write .add({...})" if path._codec.tags & SET_TAGS else ""
        raise ExpressionError(f"{described(path)}: {method} works on lists only{hint}")
    return IfNotExists(path, _EMPTY_LIST) if create else path


def _elements(path: Any, values: Iterable[Any]) -> Value:
    values = tuple(values)
    codec = path._codec.element()
    if codec is None:
        raise ExpressionError(f"{described(path)}, of a fixed number of elements; write .set(value)")
    return Value(values, {"L": [encoded(path, codec, value, "an element") for value in values]})


def _members(path: Any, method: str, members: Any) -> Value:
    """The wire form of a set of members. Sorted, so that equal sets give equal requests."""
    tags = path._codec.tags
    if not isinstance(members, AbstractSet):
        takes = " or ".join(
            name for name, takes in (("a number", "N" in tags and method == "add"), ("a set", tags & SET_TAGS)) if takes
        )
        if isinstance(members, Expression):
            raise ExpressionError(
                f"{called(path)}: {method} takes {takes}, not another path; DynamoDB computes with paths in .set() only"
            )
        raise unfit(path, f"{method} takes {takes}, not {type(members).__name__}")
    if tags.isdisjoint(SET_TAGS):
        raise unfit(path, f"{method} takes a number, not {type(members).__name__}")
    if not members:
        raise ExpressionError(f"{called(path)}: {method} has no member, so nothing would change; leave it out")
    codec = path._codec.element()
    wires = [encoded(path, codec, member, "a member") for member in members]
    kinds = {tag for wire in wires for tag in wire}
    kind = kinds.pop()
    if kinds or kind + "S" not in tags & SET_TAGS:
        raise unfit(path, f"{method} takes a set that is all text, all numbers or all binary")
    return Value(frozenset(members), _set_wire(kind, wires))


def _set_wire(kind: str, wires: list[WireValue]) -> WireValue:
    return {kind + "S": sorted(wire[kind] for wire in wires)}
