"""Guards: the items that stand for the values of unique attributes, and the requests that write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import ConditionFailed, DecodeError, UniqueConflict
from ..mapping.families import Family
from .effects import Operation, Request
from .failures import converted
from .mapped import mapped
from .reserved import reserved_key
from .target import Target, encode_request, raw_capacity

if TYPE_CHECKING:
    from .unique import UniqueAttribute

__all__ = ["GUARD", "OWNER", "Claim", "Orphan", "unique_conflict"]

GUARD = "dynawire#unique"
"""The attribute of a guard that says what it is for."""
OWNER = "dynawire#owner"
"""The attribute of a guard that holds the key of the item that has the value."""

Item = Mapping[str, Any]

_read_item = msgspec.json.Decoder(dict[str, Any]).decode


class Orphan:
    """The item that a guard was taken for, and that has the value no more.

    Attributes:
        owner: the wire form of its key.
    """

    __slots__ = ("_names", "_stored", "owner")

    def __init__(self, owner: Item, stored: Item, names: tuple[str, ...]) -> None:
        self.owner = owner
        self._stored = stored
        self._names = names

    def check(self, target: Target) -> dict[str, Any]:
        """The ConditionCheck that it is still as it was read."""
        names = {f"#d{place}": name for place, name in enumerate(self._names)}
        values = {f":d{place}": self._stored[name] for place, name in enumerate(self._names) if name in self._stored}
        request: dict[str, Any] = {
            "TableName": target.table_name,
            "Key": dict(self.owner),
            "ConditionExpression": " AND ".join(
                f"#d{place} = :d{place}" if name in self._stored else f"attribute_not_exists(#d{place})"
                for place, name in enumerate(self._names)
            ),
            "ExpressionAttributeNames": names,
        }
        if values:
            request["ExpressionAttributeValues"] = values
        return request


class Claim:
    """A guard that a write takes or gives back.

    Attributes:
        target: the class and its table.
        unique: the attribute.
        code: tells the guard from others.
        takes: whether it is taken.
        key: the wire form of the guard's key.
        owner: the wire form of the key of the item.
        orphan: the item that the guard is for, and that has the value no more; None: the guard must be free.
    """

    __slots__ = ("code", "key", "orphan", "owner", "takes", "target", "unique")

    def __init__(self, target: Target, unique: UniqueAttribute, code: bytes, takes: bool, owner: Item) -> None:
        self.target = target
        self.unique = unique
        self.code = code
        self.takes = takes
        self.owner = owner
        self.key = reserved_key(target.plan, "unique", unique.name, code)
        self.orphan: Orphan | None = None

    def taking(self, former: Item | None) -> dict[str, Any]:
        """The Put of the guard: it must be free, or for this item, or for the one that has the value no more."""
        names = {"#k": self.target.plan.key_names[0], "#o": OWNER}
        values: dict[str, Any] = {":o": {"M": dict(self.owner)}}
        condition = "attribute_not_exists(#k) OR #o = :o"
        if former is not None:
            values[":f"] = {"M": dict(former)}
            condition += " OR #o = :f"
        return {
            "TableName": self.target.table_name,
            "Item": {**self.key, GUARD: {"S": self.unique.name}, OWNER: {"M": dict(self.owner)}},
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }

    def giving_back(self) -> dict[str, Any]:
        """The Delete of the guard, if it is for this item."""
        return {
            "TableName": self.target.table_name,
            "Key": self.key,
            "ConditionExpression": "attribute_not_exists(#k) OR #o = :o",
            "ExpressionAttributeNames": {"#k": self.target.plan.key_names[0], "#o": OWNER},
            "ExpressionAttributeValues": {":o": {"M": dict(self.owner)}},
        }

    def judge(self, owner: Item) -> Operation[tuple[Orphan | None, Item | None]]:
        """Whether the item that the guard is for has the value no more; and that item."""
        upkeep = self.target.upkeep
        assert upkeep is not None
        assert upkeep.keeping is not None
        assert upkeep.keeping.unique is not None
        request = {"TableName": self.target.table_name, "Key": dict(owner), "ConsistentRead": True}
        response = yield Request("GetItem", encode_request(request), about=self.target)
        raw_capacity("GetItem", response)
        item: Item | None = _read_item(response).get("Item")
        if self.unique.code(item or {}) == self.code or self.unique.may_be_anothers(item or {}):
            return None, item
        return Orphan(owner, item or {}, upkeep.keeping.unique.depends), item


def unique_conflict(
    claim: Claim, error: ConditionFailed | None, wire_item: Item | None, owner: Item | None = None
) -> UniqueConflict:
    """Another item has the value.

    Args:
        claim: what could not be taken.
        error: what the service answered; None: it was found before anything was sent.
        wire_item: the item that has it, if it could be read.
        owner: the wire form of its key, if it is known.
    """
    target, label = claim.target, claim.unique.label
    name = target.plan.name
    scope = " within its scope" if len(claim.unique.names) > 1 else ""
    if error is None:
        what = f"two operations of this transaction store the same {label}"
    else:
        what = f"another item has this {label} already" + ("" if owner is None else " (see .key and .item)")
    message = f"{name}.{label} is unique{scope}, and {what}; nothing was written"
    if error is None:
        return UniqueConflict(message, code="", model=name, attribute=label)
    conflict = converted(error, target, UniqueConflict, message, wire_item)
    if conflict.item is None and target.family is not None and wire_item is not None:
        # Of another class of the family.
        conflict.__dict__["item"] = _of_family(target.family, wire_item)
    conflict.__dict__.update(attribute=label, key=owner)
    return conflict


def _of_family(family: Family, wire_item: Item) -> Any:
    try:
        return mapped(family.root).plan.from_wire(dict(wire_item))
    except DecodeError:
        return None
