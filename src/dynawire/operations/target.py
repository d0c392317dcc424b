"""A mapped class on one table: what every operation needs to build its requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..errors import ExpressionError, ValidationError
from ..expressions import Condition, all_of, parse_lookups
from ..mapping.class_mapping import nearest
from .capacity import active_meter
from .mapped import MappedClass

__all__ = ["Target", "as_condition", "encode_request", "raw_capacity"]

encode_json = msgspec.json.Encoder().encode
_read_capacity = msgspec.json.Decoder(
    msgspec.defstruct("CapacityOutput", [("ConsumedCapacity", Any, None)], gc=False)
).decode


class Target:
    """A mapped class on one table.

    Attributes:
        mapped: the class.
        plan: its codec plan.
        table_name: the table's full name, prefix included.
    """

    def __init__(self, mapped: MappedClass, table_name: str) -> None:
        self.mapped = mapped
        self.plan = mapped.plan
        self.cls = mapped.cls
        self.table_name = table_name
        quoted = encode_json(table_name)
        # Constant beginnings of the two most frequent requests.
        self.get_prefix = b'{"TableName":' + quoted + b',"Key":'
        self.put_prefix = b'{"TableName":' + quoted + b',"Item":'

    def key(self, values: Sequence[Any], by_name: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The wire form of a primary key given by position, by name, or both.

        Raises:
            ValidationError: a part is missing, unknown, given twice, or can't be that key.
        """
        return self.plan.encode_key(self.key_values(values, by_name) if by_name else values)

    def key_values(self, values: Sequence[Any], by_name: Mapping[str, Any] | None = None) -> tuple[Any, ...]:
        """The values of a primary key, partition key first."""
        if not by_name:
            return tuple(values)
        names = [attribute.name for attribute in self.plan.key_attributes]
        unknown = [name for name in by_name if name not in names]
        if unknown:
            raise ValidationError(
                f"{unknown[0]!r} is not a key attribute of {self.plan.name}; its key is "
                f"({', '.join(names)}){nearest(unknown[0], names)}",
                model=self.plan.name,
            )
        given = dict(zip(names, values, strict=False))
        twice = [name for name in by_name if name in given]
        if twice:
            raise ValidationError(
                f"{self.plan.name}: the key attribute {twice[0]!r} is given twice", model=self.plan.name
            )
        given.update(by_name)
        return tuple(given[name] for name in names if name in given) + tuple(values[len(names) :])


def as_condition(target: Target, condition: Any, lookups: Mapping[str, Any] | None = None) -> Condition | None:
    """One condition of what a caller may give: a Condition, lookups as a mapping, several of these, or nothing.

    Raises:
        ExpressionError: it is none of these.
    """
    found: list[Condition] = []
    _collect(target, condition, found)
    if lookups:
        found += parse_lookups(target.mapped.paths, lookups, target.plan.name)
    if not found:
        return None
    return found[0] if len(found) == 1 else all_of(found)


def _collect(target: Target, condition: Any, found: list[Condition]) -> None:
    if condition is None:
        return
    if isinstance(condition, Condition):
        found.append(condition)
    elif isinstance(condition, Mapping):
        found += parse_lookups(target.mapped.paths, condition, target.plan.name)
    elif isinstance(condition, (list, tuple)):
        for one in condition:
            _collect(target, one, found)
    else:
        name = target.plan.name
        raise ExpressionError(
            f"{type(condition).__name__} is not a condition; write one such as {name}.attribute == value, combined "
            "with & | ~"
        )


def encode_request(request: dict[str, Any]) -> bytes:
    """The request as JSON; it asks for the consumed capacity inside a measured block."""
    if active_meter.get() is not None:
        request = {**request, "ReturnConsumedCapacity": "TOTAL"}
    return encode_json(request)


def raw_capacity(operation: str, response: bytes) -> None:
    """Record what a response without typed reading reports."""
    meter = active_meter.get()
    if meter is not None:
        output: Any = _read_capacity(response)
        meter.record(operation, output.ConsumedCapacity)
