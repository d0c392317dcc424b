"""What stands beside an operator: a document path, the size of one, a constant, or a value computed by SET."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from ..errors import ExpressionError, ValidationError
from ..mapping.value_codec import WireValue, shown_path

if TYPE_CHECKING:
    from .comparing import Size
    from .paths import Path

__all__ = [
    "SET_TAGS",
    "Comparand",
    "Expression",
    "Operand",
    "Value",
    "called",
    "constant",
    "described",
    "encoded",
    "member_hint",
    "misplaced",
    "unfit",
]

T_co = TypeVar("T_co", covariant=True)

SET_TAGS = frozenset({"SS", "NS", "BS"})


class Expression:
    """Base of all that an expression is made of, and that is therefore never a value to send."""

    __slots__ = ()


class Comparand(Expression, Generic[T_co]):
    """What a condition can compare: a path, or the size of what a path holds."""

    __slots__ = ()


class Operand(Expression, Generic[T_co]):
    """What SET can assign: a path, or a value computed from paths and constants."""

    __slots__ = ()


class Value(msgspec.Struct, frozen=True, eq=False):
    """A constant in an expression.

    Attributes:
        value: the Python value as it was given.
        wire: its wire form, made when the expression was built: a later change of ``value`` does not change it.
    """

    value: Any
    wire: WireValue

    def __repr__(self) -> str:
        return "<value>"

    def __rich_repr__(self) -> Any:
        # The default of msgspec would show the value.
        return iter(())


def called(path: Path[Any] | Size) -> str:
    """A path's name in a message: ``Airport.address.city``."""
    return f"{path._owner.__name__}.{path._label}" if path._owner is not None else path._label


def described(path: Path[Any] | Size) -> str:
    """A path's name and type in a message: ``Airport.address.city is str``."""
    return f"{called(path)} is {path._codec.describe()}"


def located(path: Path[Any] | Size, error: ValidationError, what: str = "") -> ValidationError:
    """What a codec refused, with the class and the whole path.

    Args:
        path: what the value was for.
        error: what the codec raised.
        what: what of it the value is, when it is not the whole: ``"a member"``.
    """
    below = shown_path(error.attribute or "")
    if not what:
        text = f"{_joined(called(path), below)}: {error.message}"
    else:
        # A schema library's own words are a sentence by themselves.
        gap = ": " if error.errors and error.message != error.errors[0][1] else " "
        text = f"{called(path)}: {f'{below} of ' if below else ''}{what}{gap}{error.message}"
    model = path._owner.__name__ if path._owner is not None else None
    errors = tuple((_joined(path._label, below), reason) for below, reason in error.errors)
    return ValidationError(
        text,
        model=model,
        attribute=_joined(path._label, error.attribute),
        errors=errors or ((path._label, error.message),),
    )


def _joined(label: str, below: str | None) -> str:
    if not below:
        return label
    return label + below if below.startswith(("[", "{")) else f"{label}.{below}"


def member_hint(found: object) -> str:
    """What a message adds about something that stands where an expression belongs: the name before it may be that of a
    path's method, and a comparison with a method is a bool.
    """
    if not isinstance(found, (bool, MethodType)):
        return ""
    compared = "; `is` compares in Python, so write == None" if isinstance(found, bool) else ""
    return compared + '; a map member whose name is that of a path\'s method is reached as path["name"]'


def encoded(path: Path[Any] | Size, codec: Any, value: Any, what: str = "") -> WireValue:
    """The wire form of a value for a path, by the codec of what the value stands for.

    Args:
        path: what the value is for.
        codec: that of the value.
        value: the value.
        what: what messages call a value that is not the whole, ``"a member"``.

    Raises:
        ExpressionError: the value is an empty set.
        ValidationError: the codec refuses it; the message names class and path.
    """
    try:
        wire: WireValue = codec.encode(value)
    except ValidationError as error:
        if isinstance(value, (set, frozenset)) and not value:
            raise ExpressionError(
                f"{called(path)}: DynamoDB holds no empty set; it is stored by leaving the attribute out: "
                "write .remove() to store it, .not_exists() to look for it"
            ) from None
        if isinstance(value, MethodType):
            raise unfit(path, f"{error.message}{member_hint(value)}") from None
        raise located(path, error, what) from None
    return wire


def constant(path: Path[Any] | Size, value: Any) -> Value:
    """A constant to compare with what a path holds. The attribute's limits (``ge=`` …) do not apply to it."""
    return Value(value, encoded(path, path._operand_codec, value))


def unfit(path: Path[Any] | Size, reason: str) -> ValidationError:
    """The error for a value that is not of the kind an operator takes."""
    return ValidationError(
        f"{called(path)}: {reason}",
        model=path._owner.__name__ if path._owner is not None else None,
        attribute=path._label,
        errors=((path._label, reason),),
    )


def misplaced(path: Path[Any] | Size, place: str, other: object) -> ExpressionError:
    """The error for an expression where another kind of expression belongs."""
    kind = type(other).__name__
    reason = {
        "Arithmetic": "DynamoDB computes in updates only, not in conditions",
        "IfNotExists": "if_not_exists belongs in an update",
        "Size": "size() belongs in a condition; DynamoDB's updates have no such function",
        "Update": "an update is not a value",
    }.get(kind, "a condition is not a value; use & | ~ to combine conditions")
    return ExpressionError(f"{called(path)} {place} …: {reason}")
