"""A mapped class on one table: what every operation needs to build its requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ..codec.plan import ClassPlan
from ..errors import ExpressionError, ValidationError
from ..expressions import Condition, Path, all_of, called, member_hint, parse_lookups
from ..mapping.class_mapping import nearest
from .capacity import active_meter
from .mapped import MappedClass, mapped

if TYPE_CHECKING:
    from .expiry import Expiry

__all__ = ["Target", "as_condition", "encode_json", "encode_request", "key_values", "raw_capacity"]

encode_json = msgspec.json.Encoder().encode
_read_capacity = msgspec.json.Decoder(
    msgspec.defstruct("CapacityOutput", [("ConsumedCapacity", Any, None)], gc=False)
).decode


class Target:
    """A mapped class on one table.

    Attributes:
        mapped: the class.
        plan: its codec plan.
        upkeep: what its writes maintain besides; None: nothing.
        computed: its attributes that are computed from others; None: there are none.
        family: the classes it shares its table with, told apart by a discriminator; or None.
        kind: the class of its instances: dict for a TypedDict.
        owner: what its paths belong to.
        adapter: what differs in the instances of other libraries' classes.
        keep: remembers what an instance was loaded from or last written as.
        keeps_on_instance: whether that does no more than to set its ``_loaded``.
        table_name: the table's full name, prefix included.
        key_path: the partition key's path: every item has it.
        key_of_table: Python names of the table's partition key and of its sort key, if it has one.
        readers: functions that read responses into the class's wire types, made when first needed.
        hides: the time to live past which items are hidden; None: all are read.
        known: what was worked out of the class, or asked of the service, once.
    """

    def __init__(self, mapped: MappedClass, table_name: str) -> None:
        self.mapped = mapped
        self.plan = mapped.plan
        self.upkeep = mapped.upkeep
        self.computed = mapped.computed
        self.cls = mapped.cls
        self.family = mapped.mapping.family
        self.kind = mapped.plan.record.kind
        self.owner = mapped.mapping.owner
        self.hides: Expiry | None = None
        if mapped.mapping.options.hide_expired:
            from .expiry import expiry_of

            self.hides = expiry_of(mapped)
        self.keep = mapped.adapter.keep
        self.keeps_on_instance = mapped.adapter.keeps_on_instance
        self.adapter = mapped.adapter
        self.table_name = table_name
        quoted = encode_json(table_name)
        # Constant beginnings of the two most frequent requests.
        self.get_prefix = b'{"TableName":' + quoted + b',"Key":'
        self.put_prefix = b'{"TableName":' + quoted + b',"Item":'
        self.readers: dict[Any, Any] = {}
        self.known: dict[str, Any] = {}
        key = tuple(attribute.name for attribute in mapped.mapping.key)
        self.key_of_table = key[:1], key[1:]
        self.key_path = mapped.paths_by_stored_name[self.plan.key_names[0]]

    def visible(self, item: Any) -> Any:
        """The instance just read, or None when it is hidden because it has expired."""
        return None if item is not None and self.hides is not None and self.hides.is_past(item) else item

    @property
    def unhidden(self) -> Target:
        """The same, with items that have expired."""
        if self.hides is None:
            return self
        found = Target(self.mapped, self.table_name)
        found.hides = None
        return found

    @property
    def definition(self) -> Target:
        """What the table is made as: this class's own declaration, or that of the table it shares with others."""
        placement = self.mapped.mapping.placement
        if placement is None:
            return self
        from .layouts import table_of_layout

        return Target(table_of_layout(placement.layout), self.table_name)

    def key(self, values: Sequence[Any], by_name: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The wire form of a primary key given by position, by name, or both.

        Raises:
            ValidationError: a part is missing, unknown, given twice, or can't be that key.
        """
        return self.plan.encode_key(key_values(self.plan, values, by_name) if by_name else values)

    @property
    def belongs(self) -> Condition | None:
        """What holds of the items of this class and of no other of its family; None: all items of the table are its."""
        family = self.family
        if family is None or self.cls is family.root:
            return None
        # Found again when another class was declared.
        known: tuple[int, Condition] | None = self.known.get("belongs")
        if known is None or known[0] != family.size:
            path = self.mapped.paths[family.name]
            tags = family.tags_below(self.cls)
            condition = path == tags[0] if len(tags) == 1 else path.in_(tags)
            known = self.known["belongs"] = (family.size, condition)
        return known[1]

    def of(self, instance: Any) -> Target:
        """The target of an instance: another one when it is of a class derived from this one in the same family."""
        if self.family is None or type(instance) is self.cls or not isinstance(instance, self.cls):
            return self
        members: dict[type[Any], Target] = self.known.setdefault("members", {})
        found = members.get(type(instance))
        if found is None:
            found = members[type(instance)] = Target(mapped(type(instance)), self.table_name)
        return found


def key_values(plan: ClassPlan, values: Sequence[Any], by_name: Mapping[str, Any]) -> tuple[Any, ...]:
    """The values of a primary key given by position, by name, or both; partition key first.

    Raises:
        ValidationError: a name is unknown, or a part is given twice.
    """
    if not by_name:
        return tuple(values)
    names = [attribute.name for attribute in plan.key_attributes]
    unknown = [name for name in by_name if name not in names]
    if unknown:
        raise ValidationError(
            f"{unknown[0]!r} is not a key attribute of {plan.name}; its key is "
            f"({', '.join(names)}){nearest(unknown[0], [*names, 'consistent'])}",
            model=plan.name,
        )
    given = dict(zip(names, values, strict=False))
    twice = [name for name in by_name if name in given]
    if twice:
        raise ValidationError(f"{plan.name}: the key attribute {twice[0]!r} is given twice", model=plan.name)
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
        if isinstance(condition, Path):
            value = "True" if condition._codec.tags == {"BOOL"} else "value"
            raise ExpressionError(
                f"{condition!r} is a path, not a condition: compare it, as in {called(condition)} == {value}"
            )
        raise ExpressionError(
            f"{_kind(condition)} is not a condition; write one such as {name}.attribute == value, combined with & | ~"
            f"{member_hint(condition)}"
        )


def _kind(found: object) -> str:
    return f"the path {found!r}" if isinstance(found, Path) else type(found).__name__


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
