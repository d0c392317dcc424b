"""Counters: which attributes have one, the item that holds the last number, and numbers taken ahead."""

from __future__ import annotations

import os
from _thread import allocate_lock
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Any

import msgspec

from ..codec.plan import ClassPlan
from ..errors import ExpressionError, SchemaError, ValidationError
from ..mapping.adapters.base import Adapter
from ..mapping.attributes import Attribute
from ..mapping.class_mapping import ClassMapping
from .effects import Operation, Request
from .identity import key_identity
from .reserved import digest, first_with, reserved_key, scalar
from .target import Target, encode_request, raw_capacity

__all__ = ["CounterAttribute", "CounterItem", "counter_attributes", "last_number", "take_numbers"]

COUNTER = "dynawire#counter"
"""The attribute of a counter's item that says what it counts."""
LAST = "dynawire#last"
"""The attribute that holds the last number given."""
MAX_POOLS = 10_000
"""Counters of which numbers taken ahead are kept; beyond that those of the oldest are let go."""

Item = Mapping[str, Any]

_read_any = msgspec.json.Decoder(dict[str, Any]).decode


class CounterAttribute:
    """An attribute that numbers come from a counter for.

    Attributes:
        label: its Python name.
        stored_name: its name in DynamoDB.
        in_key: whether it is part of the primary key, or that is computed from it.
        start: the first number.
        block: how many numbers are taken at a time.
        gap_free: whether the number is taken in the transaction that stores the item.
        scope: the attributes for each of whose values numbers are counted apart.
        last: the name of the counter item's attribute that holds the last number.
        fixed_key: the counter item's key, where it was given.
    """

    def __init__(self, mapping: ClassMapping, plan: ClassPlan, adapter: Adapter, attribute: Attribute) -> None:
        label = self.label = attribute.name

        def wrong(message: str) -> SchemaError:
            return SchemaError(f"{mapping.name}.{label}: {message}", model=mapping.name, attribute=label)

        counter = attribute.counter
        assert counter is not None
        if mapping.table is None:
            raise wrong('counter() is for a class with a table; write table="...", or a plain attribute')
        if adapter.frozen:
            raise wrong(f"counter() gives its number to the instance that was stored, and {mapping.name} is frozen")
        if not plan.codecs[label].tags <= {"N", "NULL"} or not _is_int(attribute.annotation):
            raise wrong(f"a counter is a whole number; write {label}: Attr[int]")
        if attribute.role == "partition_key" and counter.scope and mapping.sort_key is None:
            raise wrong("a partition key must differ in the whole table, so its counter() takes no scope")
        self.scope = tuple(mapping.attribute(name, f"the scope of the counter {label}") for name in counter.scope)
        for one in self.scope:
            if one.counter is not None:
                raise wrong(f"its scope can't be {one.name}, which has a counter() itself")
            if not plan.codecs[one.name].tags <= {"S", "N", "B", "BOOL", "NULL"}:
                raise wrong(f"its scope {one.name} must be stored as text, a number, binary or a bool")
        self.stored_name = attribute.stored_name
        self.in_key = any(one is attribute or label in one.computed_from for one in mapping.key)
        self.start = counter.start
        self.block = counter.block
        self.gap_free = counter.gap_free
        self.series = counter.series or f"{first_with(mapping, label)}.{attribute.stored_name}"
        self.last = counter.attribute or LAST
        self.fixed_key = None if counter.key is None else _fixed_key(plan, counter.key, wrong)

    def item_of(self, target: Target, item: Item) -> CounterItem:
        """The counter for an item with these values of the scope.

        Raises:
            ValidationError: one of them has no value.
        """
        values = []
        for one in self.scope:
            value = scalar(item.get(one.stored_name))
            if value is None:
                name = target.plan.name
                raise ValidationError(
                    f"{name}.{one.name} must have a value: the counter of {name}.{self.label} counts apart for each; "
                    "nothing was sent",
                    model=name,
                    attribute=one.name,
                )
            values.append(value)
        key = self.fixed_key
        if key is None:
            key = reserved_key(target.plan, "counter", self.series, digest(self.series, *values))
        return CounterItem(target, self, key)


def _is_int(annotation: Any) -> bool:
    """Whether a type is int, or int | None, Annotated or not."""
    from typing import get_args

    if hasattr(annotation, "__metadata__"):
        return _is_int(annotation.__origin__)
    kinds = get_args(annotation)
    if kinds:
        return all(one is type(None) or _is_int(one) for one in kinds)
    return annotation is int


def _fixed_key(plan: ClassPlan, given: Any, wrong: Any) -> dict[str, Any]:
    try:
        return plan.encode_key(given if isinstance(given, tuple) else (given,))
    except ValidationError as error:
        raise wrong(f"counter(key=...) is no key of the table: {error.message}") from None


def counter_attributes(mapping: ClassMapping, plan: ClassPlan, adapter: Adapter) -> tuple[CounterAttribute, ...]:
    """The attributes of a class that have counters.

    Raises:
        SchemaError: one of them can't have one.
    """
    return tuple(
        CounterAttribute(mapping, plan, adapter, one) for one in mapping.attributes.values() if one.counter is not None
    )


# ---------------------------------------------------------------------- one counter


class _Pool:
    """Numbers taken ahead, handed out in order. Thread-safe."""

    __slots__ = ("_lock", "_process", "_ranges")

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._process = os.getpid()
        self._ranges: list[tuple[int, int]] = []

    def take(self) -> int | None:
        with self._lock:
            if self._process != os.getpid():
                # Of a forked process: these are the parent's.
                self._process = os.getpid()
                self._ranges.clear()
            if not self._ranges:
                return None
            first, last = heappop(self._ranges)
            if first < last:
                heappush(self._ranges, (first + 1, last))
            return first

    def add(self, first: int, last: int) -> None:
        with self._lock:
            if first <= last:
                heappush(self._ranges, (first, last))


class CounterItem:
    """A counter: the item that holds the last number given.

    Attributes:
        target: the class and its table.
        attribute: what it numbers.
        key: the wire form of its key.
        identity: tells it from other items of the table.
    """

    __slots__ = ("attribute", "identity", "key", "target")

    def __init__(self, target: Target, attribute: CounterAttribute, key: dict[str, Any]) -> None:
        self.target = target
        self.attribute = attribute
        self.key = key
        self.identity = key_identity(target.plan.key_names, key)

    def _pool(self) -> _Pool:
        pools: dict[bytes, _Pool] = self.target.known.setdefault("number pools", {})
        pool = pools.get(self.identity)
        if pool is None:
            while len(pools) >= MAX_POOLS:
                pools.pop(next(iter(pools)), None)
            pool = pools.setdefault(self.identity, _Pool())
        return pool

    def forget_numbers(self) -> None:
        """Let go of the numbers that were taken ahead."""
        pools: dict[bytes, _Pool] = self.target.known.get("number pools", {})
        pools.pop(self.identity, None)

    def next(self, count: int) -> Operation[list[int]]:
        """The next numbers: those that were taken ahead, then from the counter."""
        block = self.attribute.block
        if block == 1:
            first = yield from take_numbers(self, count)
            return list(range(first, first + count))
        pool = self._pool()
        found: list[int] = []
        while len(found) < count and (number := pool.take()) is not None:
            found.append(number)
        missing = count - len(found)
        if missing:
            taken = -(-missing // block) * block
            first = yield from take_numbers(self, taken)
            pool.add(first + missing, first + taken - 1)
            found += range(first, first + missing)
        return found

    def _names(self) -> dict[str, str]:
        return {"#l": self.attribute.last}

    def _base(self) -> dict[str, Any]:
        return {"TableName": self.target.table_name, "Key": self.key}

    def read_request(self) -> Request:
        """GetItem of the last number."""
        request = self._base() | {
            "ConsistentRead": True,
            "ProjectionExpression": "#l",
            "ExpressionAttributeNames": self._names(),
        }
        return Request("GetItem", encode_request(request), about=self.target)

    def take_request(self, count: int) -> Request:
        """UpdateItem that takes numbers. Sent twice, it only leaves some out."""
        expression = "SET #l = if_not_exists(#l, :s) + :n"
        values = {":s": {"N": str(self.attribute.start - 1)}, ":n": {"N": str(count)}}
        request = self._base() | {"ReturnValues": "UPDATED_NEW"} | self._said(expression, values)
        return Request("UpdateItem", encode_request(request), about=self.target)

    def move(self, last: int | None, to: int) -> dict[str, Any]:
        """The Update of a transaction that gives the numbers up to one, if the last was this one.

        Args:
            last: the last number given; None: none yet.
            to: the last number from now on.
        """
        values: dict[str, Any] = {":t": {"N": str(to)}}
        condition = "attribute_not_exists(#l)"
        if last is not None:
            condition = "#l = :o"
            values[":o"] = {"N": str(last)}
        return self._base() | {"ConditionExpression": condition} | self._said("SET #l = :t", values)

    def raise_request(self, to: int) -> Request:
        """UpdateItem that leaves out the numbers up to one."""
        said = self._said("SET #l = :t", {":t": {"N": str(to)}})
        condition = {"ConditionExpression": "attribute_not_exists(#l) OR #l < :t"}
        return Request("UpdateItem", encode_request(self._base() | condition | said), about=self.target)

    def _said(self, expression: str, values: dict[str, Any]) -> dict[str, Any]:
        names = self._names()
        if self.attribute.fixed_key is None:
            # For those who look into the table.
            names["#c"] = COUNTER
            values[":c"] = {"S": self.attribute.series}
            expression += ", #c = :c"
        return {
            "UpdateExpression": expression,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    def number_in(self, item: Item | None) -> int | None:
        """The last number given, of the counter's item as the service sends it; None: none yet.

        Raises:
            ExpressionError: what is stored is no whole number.
        """
        wire = (item or {}).get(self.attribute.last)
        if wire is None:
            return None
        try:
            return int(wire["N"])
        except (KeyError, ValueError):
            raise ExpressionError(
                f"the counter of {self.target.plan.name}.{self.attribute.label}: its item's attribute "
                f"{self.attribute.last!r} holds no whole number; correct it, or name another with "
                "counter(attribute=...)"
            ) from None


def take_numbers(counter: CounterItem, count: int) -> Operation[int]:
    """Take some numbers; the first of them."""
    response = yield counter.take_request(count)
    raw_capacity("UpdateItem", response)
    last = counter.number_in(_read_any(response).get("Attributes"))
    assert last is not None
    return last - count + 1


def last_number(counter: CounterItem) -> Operation[int | None]:
    """The last number given; None: none yet."""
    response = yield counter.read_request()
    raw_capacity("GetItem", response)
    return counter.number_in(_read_any(response).get("Item"))
