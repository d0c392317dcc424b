"""Items that dynawire keeps for a class in the class's own table: guards of unique values, and counters.

Their keys are reserved: text and binary keys begin with ``dynawire#``, numbers are fractions of 38 digits between
-1E-99 and -1E-100. Every kind of key takes one, and no other item has them. They have no attribute that a secondary
index could be keyed by, other than the table's own key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..codec.plan import ClassPlan
from ..expressions import Placeholders
from ..mapping.class_mapping import ClassMapping
from .identity import canonical_number

if TYPE_CHECKING:
    from .keeping import Keeping
    from .target import Target

__all__ = ["PREFIX", "digest", "first_with", "hidden", "is_reserved", "key_tag", "reserved_key", "scalar"]

PREFIX = "dynawire#"
LOWEST, HIGHEST = "-1E-99", "-1E-100"
MAX_NAME_BYTES = 900

_encode_json = msgspec.json.Encoder().encode


def key_tag(plan: ClassPlan, place: int) -> str:
    """The DynamoDB type of a key attribute: S, N or B."""
    (tag,) = plan.codecs[plan.mapping.key[place].name].tags - {"NULL"}
    return tag


def scalar(wire: dict[str, Any] | None) -> Any:
    """A form in which equal values are equal; None for one that is not stored, or is NULL."""
    if wire is None:
        return None
    ((tag, payload),) = wire.items()
    if tag == "NULL":
        return None
    if tag == "N":
        return tag, canonical_number(payload)
    if isinstance(payload, bytes):
        # A response has base64.
        from binascii import b2a_base64

        return tag, b2a_base64(payload, newline=False).decode()
    return tag, payload


def digest(*parts: Any) -> bytes:
    """What tells these values from others: SHA-256 of their JSON, binary as base64."""
    from hashlib import sha256

    return sha256(_encode_json(parts)).digest()


def reserved_key(plan: ClassPlan, kind: str, name: str, code: bytes) -> dict[str, Any]:
    """The key of an item that is kept for a class.

    Args:
        plan: the class's.
        kind: what it is for.
        name: what it is kept under, for those who look into the table.
        code: tells it from others.
    """
    key: dict[str, Any] = {}
    for place, stored_name in enumerate(plan.key_names):
        tag = key_tag(plan, place)
        if tag == "N":
            # As many digits as a number has: no integer and no float is one of these.
            number = 10**37 + int.from_bytes(code[:16], "big") % (9 * 10**37)
            key[stored_name] = {"N": HIGHEST if place else f"-{number}E-137"}
            continue
        text = PREFIX
        if not place:
            named = name if len(name.encode()) <= MAX_NAME_BYTES else ""
            text = f"{PREFIX}{kind}#{named}#{code.hex()}"
        key[stored_name] = {tag: text if tag == "S" else text.encode()}
    return key


def is_reserved(target: Target, item: dict[str, Any]) -> bool:
    """Whether a key is one of those that are kept for the class. Binary is ``bytes``."""
    plan = target.plan
    ((tag, payload),) = item[plan.key_names[0]].items()
    if tag == "N":
        from decimal import Decimal

        if Decimal(LOWEST) <= Decimal(payload) <= Decimal(HIGHEST):
            return True
    elif payload.startswith(PREFIX if tag == "S" else PREFIX.encode()):
        return True
    upkeep = target.upkeep
    fixed = () if upkeep is None or upkeep.keeping is None else upkeep.keeping.fixed_keys
    return any(all(scalar(item[name]) == scalar(key[name]) for name in key) for key in fixed)


def first_with(mapping: ClassMapping, label: str) -> str:
    """The name of the class that has the attribute first: those derived from it share values and numbers."""
    from .mapped import mapped

    for base in reversed(mapping.cls.__mro__):
        found = base.__dict__.get("__mapped__")
        if base is mapping.cls or found is None:
            continue
        if isinstance(found, staticmethod) and getattr(found.__func__, "table", "") is None:
            # Not to be mapped: what it declares may be for classes that have a table.
            continue
        other = mapped(base).mapping
        if other.table == mapping.table and label in other.attributes:
            return other.name
    return mapping.name


def hidden(target: Target, placeholders: Placeholders) -> str | None:
    """The filter that leaves these items out of a scan; None for a class that has none.

    It looks at the key alone, which every index holds.
    """
    upkeep = target.upkeep
    if target.family is None and (upkeep is None or upkeep.keeping is None):
        return None
    keepings = _keepings(target)
    if not keepings:
        return None
    plan = target.plan
    name = placeholders.name(plan.key_names[0])
    tag = key_tag(plan, 0)
    if tag == "N":
        low, high = placeholders.value({"N": LOWEST}), placeholders.value({"N": HIGHEST})
        parts = [f"NOT ({name} BETWEEN {low} AND {high})"]
    else:
        beginning = placeholders.value({tag: PREFIX if tag == "S" else PREFIX.encode()})
        parts = [f"NOT begins_with({name}, {beginning})"]
    for key in [key for keeping in keepings for key in keeping.fixed_keys]:
        same = [f"{placeholders.name(one)} = {placeholders.value(wire)}" for one, wire in key.items()]
        parts.append(f"NOT ({' AND '.join(same)})")
    return " AND ".join(parts)


def _keepings(target: Target) -> list[Keeping]:
    """What keeps items of its own in the class's table: the class, or others of its family."""
    upkeeps = [target.upkeep]
    if target.family is not None:
        from .mapped import mapped

        upkeeps = [mapped(cls).upkeep for cls in target.family.classes()]
    return [one.keeping for one in upkeeps if one is not None and one.keeping is not None]
