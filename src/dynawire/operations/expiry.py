"""Items past their time to live, which DynamoDB deletes only within days: hidden where that was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from time import time
from typing import Any

from ..errors import ExpressionError, ValidationError
from ..expressions import Comparison, Condition, Path, Value
from .mapped import MappedClass

__all__ = ["Expiry", "Moment", "expiry_of", "no_expiry"]


class Moment(dict[str, Any]):
    """The wire form of the time now: it differs from page to page, and is no part of what tells queries apart."""


class Expiry:
    """The time to live of one class's items.

    Attributes:
        path: the path of the attribute that holds it.
        stored_name: its name in DynamoDB.
    """

    def __init__(self, mapped: MappedClass, name: str) -> None:
        self.path: Path[Any] = mapped.paths[name]
        self.stored_name = str(self.path._steps[0])
        self._adapter = mapped.adapter

    def condition(self) -> Condition:
        """What holds of items that have not expired: those without a time to live are among them."""
        return ~self.expired()

    def expired(self) -> Condition:
        """What holds of items that have expired."""
        return Comparison("<=", self.path, (self._now(),))

    def key_condition(self) -> Condition:
        """The same where the time to live is a sort key, which every entry has."""
        return Comparison(">", self.path, (self._now(),))

    def _now(self) -> Value:
        return Value(None, Moment(N=str(int(time()))))

    def is_past(self, instance: Any) -> bool:
        """Whether an instance has expired."""
        try:
            value = self._adapter.value(instance, self.path._label)
        except KeyError:
            # An optional member of a TypedDict.
            return False
        if value is None:
            return False
        try:
            return self.is_stored_past({self.stored_name: self.path._codec.encode(value)})
        except ValidationError:
            return False

    def is_stored_past(self, item: Mapping[str, Any]) -> bool:
        """Whether an item in DynamoDB's JSON has expired."""
        stored = item.get(self.stored_name, {}).get("N")
        return stored is not None and float(stored) <= int(time())


def expiry_of(mapped: MappedClass) -> Expiry | None:
    """The time to live of a class's items; None when no attribute holds it."""
    name = mapped.mapping.options.ttl
    return None if name is None or mapped.mapping.table is None else Expiry(mapped, name)


def no_expiry(name: str) -> ExpressionError:
    """The error of hiding what never expires."""
    return ExpressionError(
        f"{name} has no time to live, so that no {name} expires; declare one, as in expires: Attr[datetime] = ttl()"
    )
