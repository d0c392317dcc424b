"""What is written in a way that means nothing, and what to write instead."""

from __future__ import annotations

from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from .errors import UsageError

__all__ = ["OF_INSTANCES", "Unlisted", "called_on_class"]

_BY_KEY = frozenset({"update", "delete", "aupdate", "adelete"})
_OPERATIONS = ("delete", "insert", "put", "refresh", "save", "update")
OF_INSTANCES = frozenset({*_OPERATIONS, *(f"a{name}" for name in _OPERATIONS), "to_item", "to_dict", "validate"})
"""Names of the methods of a model's instances."""


def called_on_class(cls: type[Any], name: str, found: Any) -> Any:
    """A method of instances as the class gives it: it can be called with an instance, as ``Model.save(item)`` in a
    method that overrides it, and says what to write when it is called with anything else.
    """
    if not isinstance(found, FunctionType) or not found.__module__.startswith("dynawire."):
        return found

    @wraps(found)
    def method(*args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], cls):
            return found(*args, **kwargs)
        model = cls.__name__
        remedy = f"{model.lower()}.{name}(...)"
        if name in _BY_KEY:
            remedy += f", or on a key, without reading first, {model}.key(...).{name}(...)"
        raise UsageError(f"{model}.{name}() was called on the class; call it on an instance, {remedy}")

    return method


class Unlisted:
    """Base of queries: iterable, and without a length or positions before DynamoDB is asked."""

    __slots__ = ()

    # Type checkers refuse these by themselves.
    if not TYPE_CHECKING:

        def __len__(self) -> NoReturn:
            raise UsageError(
                "a query has no length until it is read: write .count(), which transfers no items, or len(query.all())"
            )

        def __bool__(self) -> NoReturn:
            raise UsageError(
                "a query is neither true nor false until it is read: write query.first() is not None to know whether "
                "anything matches"
            )

        def __getitem__(self, position: Any) -> NoReturn:
            if isinstance(position, slice):
                raise UsageError(
                    "a query can't be sliced: write .limit(n) for the first n items, and .page(size=n, after=cursor) "
                    "to go on from there; DynamoDB skips nothing"
                )
            raise UsageError(
                "a query has no positions: write .first() or .one() for an item, or .all() for a list of all of them"
            )
