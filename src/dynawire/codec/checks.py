"""What a class's attributes must be besides storable: keys, defaults, time to live. Checked when the class is made."""

from __future__ import annotations

from datetime import timedelta

from ..errors import SchemaError
from ..mapping.attributes import NO_DEFAULT, Attribute
from ..mapping.class_mapping import ClassMapping
from .base import ENCODE_FAILURES, Codec
from .custom import StoredCodec
from .scalars import ScalarCodec, bounded_length
from .unions import OptionalCodec

__all__ = ["check_codecs"]

MAX_PARTITION_KEY_BYTES = 2048
MAX_SORT_KEY_BYTES = 1024
KEY_TAGS = frozenset({"S", "N", "B"})
KEY_TYPES = "text, a number or binary (str, int, Decimal, float, bytes, datetime, UUID, Enum …)"
ALWAYS_EXACT = frozenset(
    {"str", "bytes", "bool", "int", "Decimal", "int | Decimal", "date", "timedelta", "datetime (EpochSeconds)"}
)
"""Types whose values have one form each, or forms that are equal for DynamoDB, as all of a number are."""


def check_codecs(mapping: ClassMapping, codecs: dict[str, Codec]) -> None:
    """Check a class's codecs, and put the bounds of keys on those of its key attributes.

    Raises:
        SchemaError: a key is of a type that can't be one, a default does not fit, or a time to live is no number.
    """
    for name, limit in _key_limits(mapping, codecs).items():
        codecs[name] = _bounded_key(codecs[name], limit)
    for name in {attribute.name for attribute in (*mapping.key, *mapping.key_attributes)}:
        codec = codecs[name]
        if not isinstance(codec, ScalarCodec) or codec.name not in ALWAYS_EXACT:
            from .key_form import exact_key

            codecs[name] = exact_key(codec)
    for attribute in mapping.attributes.values():
        if attribute.upkeep == "discriminator":
            _check_discriminator(mapping, attribute, codecs[attribute.name])
        problem = _default_problem(attribute, codecs[attribute.name])
        if problem is not None:
            raise _error(mapping, attribute, problem)
    if mapping.table is not None and mapping.options.ttl is not None:
        attribute = mapping.attributes[mapping.options.ttl]
        if codecs[attribute.name].tags - {"NULL"} != {"N"}:
            raise _error(
                mapping,
                attribute,
                "time to live (ttl=) is stored as a number of seconds since 1970; write "
                f"{attribute.name}: Attr[datetime] = ttl(), or int",
            )
        if any(issubclass(kind, timedelta) for kind in codecs[attribute.name].kinds):
            raise _error(
                mapping,
                attribute,
                "time to live says when an item expires, not how long it lives: stored so, every item would have "
                f"expired in 1970; write {attribute.name}: Attr[datetime] = ttl(), and datetime.now(UTC) + duration",
            )


def _check_discriminator(mapping: ClassMapping, attribute: Attribute, codec: Codec) -> None:
    if mapping.family is None:
        raise _error(
            mapping,
            attribute,
            "discriminator() is for a Model with a table, which the classes derived from it share; write "
            f'class {mapping.name}(Model, table="...")',
        )
    if codec.kinds != (str,) or codec.tags != {"S"}:
        raise _error(mapping, attribute, f"a discriminator is text; write {attribute.name}: Attr[str]")


def _error(mapping: ClassMapping, attribute: Attribute, message: str) -> SchemaError:
    return SchemaError(f"{mapping.name}.{attribute.name}: {message}", model=mapping.name, attribute=attribute.name)


def _key_limits(mapping: ClassMapping, codecs: dict[str, Codec]) -> dict[str, int]:
    """The most bytes each key attribute may have."""
    limits: dict[str, int] = {}
    for attribute in mapping.key:
        _check_key(mapping, attribute, attribute.role or "key", codecs[attribute.name], frozenset())
        limits[attribute.name] = MAX_SORT_KEY_BYTES if attribute.role == "sort_key" else MAX_PARTITION_KEY_BYTES
    for index_name, index in mapping.indexes.items():
        for name in index.key_names():
            attribute = mapping.attributes[name]
            what = f"key of the index {index_name}"
            # An item without the attribute is left out of the index, so it may be optional.
            _check_key(mapping, attribute, what, codecs[name], frozenset({"NULL"}))
            if attribute.stores_none and "NULL" in codecs[name].tags:
                raise _error(
                    mapping,
                    attribute,
                    f"DynamoDB refuses NULL in a {what}; leave out store_none=, and any default but None, so that "
                    "None is an absent attribute and the item is left out of the index",
                )
            limit = MAX_SORT_KEY_BYTES if name in index.sort_key else MAX_PARTITION_KEY_BYTES
            limits[name] = min(limit, limits.get(name, limit))
    return limits


def _check_key(mapping: ClassMapping, attribute: Attribute, what: str, codec: Codec, beside: frozenset[str]) -> None:
    tags = codec.tags - beside
    if len(tags) != 1 or not tags <= KEY_TAGS:
        raise _error(mapping, attribute, f"a {what} is stored as {KEY_TYPES}, never {codec.describe()}")


def _bounded_key(codec: Codec, limit: int) -> Codec:
    """A key's codec: it refuses what is empty or too long, as DynamoDB does."""
    if isinstance(codec, OptionalCodec):
        return OptionalCodec(_bounded_key(codec.inner, limit))
    if isinstance(codec, StoredCodec):
        copy = codec.copied()
        copy.inner = _bounded_key(codec.inner, limit)
        return copy
    return bounded_length(codec, limit, "is empty; a key attribute must not be", "as a key")


def _default_problem(attribute: Attribute, codec: Codec) -> str | None:
    """What is wrong with a constant default; None when nothing, or when there is none."""
    if attribute.upkeep is not None:
        # Its type decides, and that is checked where it is maintained.
        return None
    default = attribute.default
    if default is NO_DEFAULT or (isinstance(default, frozenset) and not default and codec.is_empty_source("x")):
        return None
    try:
        codec.encode_fast(default)
    except ENCODE_FAILURES as failure:
        if attribute.counter is not None and "N" not in codec.tags:
            # The default is not theirs: it is what an instance has before it is given its number.
            return f"a counter is a whole number; write {attribute.name}: Attr[int]"
        reason = codec.found_problems(default, failure)[0][1]
        remedy = f"; write Attr[{codec.describe()} | None] to allow None" if default is None else ""
        return f"the default {reason}{remedy}"
    return None
