"""What is written in a way that means nothing, and what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from .errors import UsageError
from .mapping.class_mapping import nearest

__all__ = [
    "OF_INSTANCES",
    "Unlisted",
    "called_on_class",
    "missing_from_class",
    "missing_from_index",
    "missing_from_transaction",
    "several",
]

_BY_KEY = frozenset({"update", "delete", "aupdate", "adelete"})
_OPERATIONS = ("delete", "insert", "put", "refresh", "save", "update")
OF_INSTANCES = frozenset({*_OPERATIONS, *(f"a{name}" for name in _OPERATIONS), "to_item", "to_dict", "validate"})
"""Names of the methods of a model's instances."""


_CLASS = {
    "objects": "{model}.query(...), {model}.find(...) and {model}.scan()",
    "filter": "{model}.query(partition_key, ...), or {model}.find(...), which chooses how items are read",
    "all": "{model}.scan() for all items, {model}.query(partition_key) for those of one partition",
    "first": "{model}.query(...).first()",
    "count": "{model}.query(...).count()",
    "create": "{model}(...).insert()",
    "get_or_create": "{model}.get(...), and {model}(...).insert(), which raises ItemExists",
    "update_or_create": "{model}.key(...).update(..., upsert=True)",
    "update_item": "{model}.key(...).update(...)",
    "get_item": "{model}.get(...)",
    "put_item": "{model}(...).put()",
    "delete_item": "{model}.key(...).delete()",
    "batch_get": "{model}.get_many(keys)",
    "batch_write": "{model}.put_many(items), delete_many(keys) or write_many(...)",
    "bulk_create": "{model}.put_many(items)",
    "create_table": "db.create_tables({model})",
    "delete_table": "db.drop_tables({model})",
    "delete_all": "{model}.delete_where(condition)",
}
_QUERY = {
    "filter": ".where(...)",
    "exclude": ".where(~(...))",
    "order_by": ".reverse(), or find(...).order_by(...)",
    "sort": ".reverse(), or find(...).order_by(...)",
    "get": ".one() or .first()",
    "list": ".all()",
    "to_list": ".all()",
    "fetch": ".all()",
    "execute": ".all()",
    "items": ".all()",
    "last": ".reverse().first()",
    "exists": ".first() is not None",
    "values": ".project(...)",
    "values_list": ".project(...)",
    "only": ".project(...)",
    "select": ".project(...)",
    "page_size": ".page(size=...)",
    "offset": ".page(size=..., after=cursor); DynamoDB skips nothing",
    "skip": ".page(size=..., after=cursor); DynamoDB skips nothing",
    "update": "Model.update_where(condition, ...)",
    "delete": "Model.delete_where(condition)",
}
_INDEX = {
    "get": ".query(...).one() or .first()",
    "get_one": ".query(...).one()",
    "filter": ".query(...)",
    "all": ".scan()",
}
_WRITES = ("insert", "put", "save", "update", "delete", "check")
_AT_THE_END = "all is sent when its `with` or `async with` block ends"
_TRANSACTION = {
    **dict.fromkeys(("commit", "execute", "send", "write", "flush"), _AT_THE_END),
    **{f"a{one}": f"write {one}(...), without await: {_AT_THE_END}" for one in _WRITES},
    "rollback": "an error that leaves its block sends nothing",
    "get": "write db.transact_get(...), which reads as of one moment",
    "condition_check": "write check(...)",
}


def missing_from_class(cls: type[Any], name: str) -> AttributeError:
    """The error for a class attribute that there is not."""
    if name[:1] == "_":
        # What Python and its libraries look for, and mostly do not find.
        return AttributeError(f"{cls.__name__} has no attribute {name!r}", name=name, obj=cls)
    advice = _CLASS.get(name)
    hint = f"; write {advice.format(model=cls.__name__)}" if advice else nearest(name, _public(cls))
    return AttributeError(f"{cls.__name__} has no attribute {name!r}{hint}", name=name, obj=cls)


def missing_from_index(index: object, name: str) -> AttributeError:
    """The error for an attribute that an index has not."""
    return _missing(index, name, "an index", _INDEX)


def missing_from_transaction(transaction: object, name: str) -> AttributeError:
    """The error for an attribute that a transaction has not."""
    advice = _TRANSACTION.get(name)
    hint = f"; {advice}" if advice else nearest(name, _public(type(transaction)))
    return AttributeError(f"a transaction has no {name!r}{hint}", name=name, obj=transaction)


def _missing(found: object, name: str, what: str, advised: Mapping[str, str]) -> AttributeError:
    advice = advised.get(name)
    hint = f"; write {advice}" if advice else nearest(name, _public(type(found)))
    return AttributeError(f"{what} has no {name!r}{hint}", name=name, obj=found)


def _public(cls: type[Any]) -> list[str]:
    return [name for name in dir(cls) if not name.startswith("_")]


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


def several(given: Any, call: str) -> Any:
    """What was given, if it is several of something: text would be taken for as many keys as it has characters.

    Raises:
        UsageError: it is one of something.
    """
    if isinstance(given, (str, bytes, bytearray, Mapping)) or not hasattr(given, "__iter__"):
        raise UsageError(f"several are needed, in a list or from a generator, not one {type(given).__name__}: {call}")
    return given


class Unlisted:
    """Base of queries: iterable, and without a length or positions before DynamoDB is asked."""

    __slots__ = ()

    # Type checkers refuse these by themselves.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            raise _missing(self, name, "a query", _QUERY)

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
