"""From key attributes to the bytes SQLite orders by, and from key conditions to ranges of them.

A partition is a 4-byte hash of its encoded key followed by that key: a table's order is pseudo-random but stable, and a
segment of a parallel scan is a range of hashes. A sort key is its value's order-preserving encoding. Where an index has
several attributes, each part is escaped and ended (``00`` as ``00 FF``, the end as ``00 00``), which keeps their order
and keeps different parts from giving one key.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn
from zlib import crc32

from dynawire.engines.embedded.expressions import KeyCondition
from dynawire.engines.embedded.failures import validation
from dynawire.engines.embedded.numbers import canonical_number, encode_number

__all__ = [
    "MAX_PARTITION_KEY",
    "MAX_SORT_KEY",
    "KeyAttribute",
    "KeyRange",
    "composite",
    "hash_bound",
    "hashed",
    "key_range",
    "refuse_empty",
    "refuse_size",
]

MAX_PARTITION_KEY: Final = 2048
"""Bytes a partition key value may have."""

MAX_SORT_KEY: Final = 1024
"""Bytes a sort key value may have."""

KeyRange = tuple[bytes, bytes, bytes | None]
"""A partition, the first sort key of a range in it, and the first behind the range; None: to the partition's end."""


class KeyAttribute(NamedTuple):
    """One attribute of a key.

    Attributes:
        name: the attribute.
        type: ``"S"``, ``"N"`` or ``"B"``.
        limit: bytes its value may have.
        encode: a value's bytes, empty for an empty value, None for one that is of another type or not one value.
    """

    name: str
    type: str
    limit: int
    encode: Callable[[Any], bytes | None]

    @classmethod
    def of(cls, name: str, kind: str, *, partition: bool) -> KeyAttribute:
        return cls(name, kind, MAX_PARTITION_KEY if partition else MAX_SORT_KEY, _ENCODERS[kind])


def hashed(encoded: bytes) -> bytes:
    """A partition's bytes from its encoded key."""
    return crc32(encoded).to_bytes(4, "big") + encoded


def hash_bound(segment: int, total: int) -> bytes | None:
    """The first hash of a segment, of as many as there are; None behind the last one."""
    return None if segment == total else ((segment << 32) // total).to_bytes(4, "big")


def composite(parts: Sequence[bytes]) -> bytes:
    """Encoded attributes as one key that orders by the first, then by the second, and so on."""
    return b"".join([_ended(part) for part in parts])


def key_range(
    partition_keys: Sequence[KeyAttribute], sort_keys: Sequence[KeyAttribute], condition: KeyCondition
) -> KeyRange:
    """Where the items are that a key condition asks for.

    Raises:
        ServiceError: ``ValidationException`` when a value is too long for a key.
    """
    parts = [_encoded(key, value) for key, value in zip(partition_keys, condition.partition, strict=True)]
    partition = hashed(parts[0] if len(parts) == 1 else composite(parts))
    equal = [_encoded(key, value) for key, value in zip(sort_keys, condition.sort, strict=False)]
    if len(sort_keys) < 2:
        if equal:
            return partition, equal[0], equal[0] + b"\0"
        if condition.range is None:
            return partition, b"", None
        operator, values = condition.range
        bounds = [_encoded(sort_keys[0], value) for value in values]
        return partition, *_plain_bounds(operator, bounds)
    prefix = composite(equal)
    if condition.range is None:
        return partition, prefix, _behind_prefix(prefix)
    operator, values = condition.range
    bounds = [_encoded(sort_keys[len(equal)], value) for value in values]
    return partition, *_composite_bounds(prefix, operator, bounds)


def refuse_empty(key: KeyAttribute) -> NoReturn:
    raise validation(
        "One or more parameter values are not valid. The AttributeValue for a key attribute "
        f"cannot contain an empty {'string' if key.type == 'S' else 'binary'} value. Key: {key.name}"
    )


def refuse_size(key: KeyAttribute) -> NoReturn:
    if key.limit == MAX_PARTITION_KEY:
        raise validation(
            "One or more parameter values were invalid: "
            f"Size of hashkey has exceeded the maximum size limit of {key.limit} bytes"
        )
    raise validation(
        "One or more parameter values were invalid: "
        f"Aggregated size of all range keys has exceeded the size limit of {key.limit} bytes"
    )


def _string(value: Any) -> bytes | None:
    if type(value) is dict and len(value) == 1 and type(text := value.get("S")) is str:
        return text.encode()
    return None


def _number(value: Any) -> bytes | None:
    if type(value) is dict and len(value) == 1 and type(text := value.get("N")) is str:
        return encode_number(canonical_number(text))
    return None


def _binary(value: Any) -> bytes | None:
    if type(value) is dict and len(value) == 1 and type(text := value.get("B")) is str:
        try:
            return a2b_base64(text, strict_mode=True)
        except (Base64Error, ValueError):
            return None
    return None


_ENCODERS: Final[Mapping[str, Callable[[Any], bytes | None]]] = {"S": _string, "N": _number, "B": _binary}


def _encoded(key: KeyAttribute, value: Any) -> bytes:
    """The bytes of a value that is known to be of the key's type."""
    encoded = key.encode(value)
    if not encoded:
        refuse_empty(key)
    if len(encoded) > key.limit:
        refuse_size(key)
    return encoded


def _escaped(part: bytes) -> bytes:
    return part.replace(b"\0", b"\0\xff") if b"\0" in part else part


def _ended(part: bytes) -> bytes:
    return _escaped(part) + b"\0\0"


def _behind_prefix(prefix: bytes) -> bytes | None:
    """The first bytes behind all that begin with these; None when there are none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes((kept[-1] + 1,)) if kept else None


def _plain_bounds(operator: str, values: Sequence[bytes]) -> tuple[bytes, bytes | None]:
    """The half-open range of single sort keys. The first bytes behind x are x followed by zero."""
    first = values[0]
    if operator == "<":
        return b"", first
    if operator == "<=":
        return b"", first + b"\0"
    if operator == ">":
        return first + b"\0", None
    if operator == ">=":
        return first, None
    if operator == "BETWEEN":
        return first, values[1] + b"\0"
    return first, _behind_prefix(first)


def _composite_bounds(prefix: bytes, operator: str, values: Sequence[bytes]) -> tuple[bytes, bytes | None]:
    """The same for the attribute behind those that are given by ``=``; others may follow it."""
    start = prefix + _ended(values[0])
    if operator == "<":
        return prefix, start
    if operator == "<=":
        return prefix, _behind_prefix(start)
    if operator == ">":
        return _behind_prefix(start) or start, _behind_prefix(prefix)
    if operator == ">=":
        return start, _behind_prefix(prefix)
    if operator == "BETWEEN":
        return start, _behind_prefix(prefix + _ended(values[1]))
    beginning = prefix + _escaped(values[0])
    return beginning, _behind_prefix(beginning)
