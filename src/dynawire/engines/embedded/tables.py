"""A table ready for use: its key's encoding, its indexes' entries, and the SQL of both, prepared from its definition.

In SQLite a table is ``(hk, sk, size, item)`` and an index ``(hk, sk, bhk, bsk, size, item)``: the partition, the sort
key, those of the indexed item, the size DynamoDB counts, and the item or what the index has of it, as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NoReturn

from dynawire.engines.embedded.definitions import IndexDefinition, KeySchemaElement, Statistics, TableDefinition
from dynawire.engines.embedded.failures import Rejected, validation
from dynawire.engines.embedded.keys import KeyAttribute, composite, hashed, refuse_empty, refuse_size
from dynawire.engines.embedded.values import MAX_ITEM_SIZE, Item, check_value, item_size, type_of

__all__ = ["Index", "Key", "Table"]

Key = tuple[bytes, bytes]
"""Where an item or an index entry is: its partition and its sort key."""

_INVALID: Final = "One or more parameter values were invalid: "
_KEY_MISMATCH: Final = "The provided key element does not match the schema"


class _Order:
    """What tables and indexes have in common: a key that their rows are ordered by.

    Attributes:
        name: as requests call it.
        source: its table in SQLite.
        partition_keys, sort_keys: its key's attributes; indexes may have up to four of each.
        key_types: the types of them.
        key_names: the attributes that say where a row is, in the order LastEvaluatedKey has them.
    """

    __slots__ = (
        "key_names",
        "key_types",
        "name",
        "partition_keys",
        "partition_names",
        "sort_keys",
        "sort_names",
        "source",
    )

    def __init__(self, name: str, source: str, schema: Sequence[KeySchemaElement], types: dict[str, str]) -> None:
        self.name = name
        self.source = source
        self.partition_keys = [
            KeyAttribute.of(key.AttributeName, types[key.AttributeName], partition=True)
            for key in schema
            if key.KeyType == "HASH"
        ]
        self.sort_keys = [
            KeyAttribute.of(key.AttributeName, types[key.AttributeName], partition=False)
            for key in schema
            if key.KeyType == "RANGE"
        ]
        keys = self.partition_keys + self.sort_keys
        self.partition_names = tuple(key.name for key in self.partition_keys)
        self.sort_names = tuple(key.name for key in self.sort_keys)
        self.key_types = {key.name: key.type for key in keys}
        self.key_names = tuple(key.name for key in keys)


class Table(_Order):
    """A table.

    Attributes:
        definition: what it was made from.
        indexes: all its indexes by name.
        index_list: the same, local ones first.
        index_key_names: the attributes that are part of an index's key only.
        local: whether any of them is local.
        retired: whether it was deleted or its indexes have changed since: nothing may be written by it any more.
        fetch, upsert, delete: SQL on one item.
        stored: the definition as the catalog keeps it.
        counted: how many items it and its indexes had when they were last counted.
        counted_until: until when that is told again, by the monotonic clock.
    """

    __slots__ = (
        "_index_keys",
        "_length",
        "_partition",
        "_sort",
        "counted",
        "counted_until",
        "definition",
        "delete",
        "fetch",
        "index_key_names",
        "index_list",
        "indexes",
        "local",
        "retired",
        "stored",
        "upsert",
    )

    def __init__(self, definition: TableDefinition, stored: bytes = b"") -> None:
        types = {each.AttributeName: each.AttributeType for each in definition.AttributeDefinitions}
        super().__init__(definition.TableName, f"t{definition.number}", definition.KeySchema, dict(types))
        self.definition = definition
        self.stored = stored
        self.retired = False
        self.counted: list[Statistics] = []
        self.counted_until = 0.0
        self._partition = self.partition_keys[0]
        self._sort = self.sort_keys[0] if self.sort_keys else None
        self._length = len(self.key_names)
        self.fetch = f"SELECT item, size FROM {self.source} WHERE hk = ? AND sk = ?"
        self.delete = f"DELETE FROM {self.source} WHERE hk = ? AND sk = ?"
        self.upsert = (
            f"INSERT INTO {self.source} VALUES (?, ?, ?, ?) "
            "ON CONFLICT (hk, sk) DO UPDATE SET item = excluded.item, size = excluded.size"
        )
        numbers = definition.index_numbers
        self.index_list = [
            Index(self, index, f"i{numbers[index.IndexName]}", dict(types), local=is_local)
            for is_local, indexes in (
                (True, definition.LocalSecondaryIndexes),
                (False, definition.GlobalSecondaryIndexes),
            )
            for index in indexes
        ]
        self.indexes = {index.name: index for index in self.index_list}
        self.local = bool(definition.LocalSecondaryIndexes)
        self.index_key_names = frozenset(
            name for index in self.index_list for name in index.key_types if name not in self.key_types
        )
        # The key attributes of indexes, with the index to name when a value does not fit.
        self._index_keys = [
            (key, index.name)
            for index in self.index_list
            for key in (*index.partition_keys, *index.sort_keys)
            if key.name not in self.key_types or key.limit < self._limit(key.name)
        ]

    def key(self, key: Item) -> Key:
        """Where the item is that a request's ``Key`` names.

        Raises:
            Rejected: it does not have exactly the key attributes with their types.
            ServiceError: ``ValidationException`` for a value that is empty, too long or not a value.
        """
        if len(key) == self._length:
            partition = self._partition
            encoded = partition.encode(key.get(partition.name))
            if encoded and len(encoded) <= partition.limit:
                place = hashed(encoded)
                sort = self._sort
                if sort is None:
                    return place, b""
                encoded = sort.encode(key.get(sort.name))
                if encoded and len(encoded) <= sort.limit:
                    return place, encoded
        for value in key.values():
            check_value(value)
        if key.keys() != self.key_types.keys():
            raise Rejected(_KEY_MISMATCH)
        for attribute in self.partition_keys + self.sort_keys:
            if type_of(key[attribute.name]) != attribute.type:
                raise Rejected(_KEY_MISMATCH)
        # Members that count for nothing are gone now.
        return self._place(key)

    def item_key(self, item: Item) -> Key:
        """Where a checked item belongs.

        Raises:
            Rejected: a key attribute is missing or of another type.
            ServiceError: ``ValidationException`` for a value that is empty or too long.
        """
        partition = self._partition
        encoded = partition.encode(item.get(partition.name))
        if encoded and len(encoded) <= partition.limit:
            place = hashed(encoded)
            sort = self._sort
            if sort is None:
                return place, b""
            encoded = sort.encode(item.get(sort.name))
            if encoded and len(encoded) <= sort.limit:
                return place, encoded
        for attribute in self.partition_keys + self.sort_keys:
            value = item.get(attribute.name)
            if value is None:
                raise Rejected(f"{_INVALID}Missing the key {attribute.name} in the item")
            if type_of(value) != attribute.type:
                raise Rejected(
                    f"{_INVALID}Type mismatch for key {attribute.name} "
                    f"expected: {attribute.type} actual: {type_of(value)}"
                )
        return self._place(item)

    def check_index_keys(self, item: Item) -> None:
        """See that a checked item can be in every index whose key attributes it has.

        Raises:
            Rejected: one is of another type.
            ServiceError: ``ValidationException`` when one is empty or too long.
        """
        for attribute, index in self._index_keys:
            value = item.get(attribute.name)
            if value is not None:
                encoded = attribute.encode(value)
                if not encoded or len(encoded) > attribute.limit:
                    _refuse_index_key(attribute, index, value, encoded)

    def check_local_entries(self, item: Item, size: int) -> None:
        """See that an item that is put has at most 400 KB together with its entries in local indexes.

        DynamoDB Local counts the partition key once where an index holds not all, and asks this of no update.

        Raises:
            ServiceError: ``ValidationException``, it has more.
        """
        local = [index for index in self.index_list if index.local]
        if size * (1 + len(local)) <= MAX_ITEM_SIZE:
            return
        total = size
        for index in local:
            if index.place(item) is not None:
                view, entry_size = index.view_size(item, size)
                total += entry_size
                if view is not item:
                    name = self.key_names[0]
                    total -= item_size({name: item[name]})
        if total > MAX_ITEM_SIZE:
            raise validation("Item size has exceeded the maximum allowed size")

    def _limit(self, name: str) -> int:
        return next(key.limit for key in self.partition_keys + self.sort_keys if key.name == name)

    def _place(self, key: Item) -> Key:
        parts = []
        for attribute in self.partition_keys + self.sort_keys:
            encoded = attribute.encode(key[attribute.name])
            if not encoded:
                refuse_empty(attribute)
            if len(encoded) > attribute.limit:
                refuse_size(attribute)
            parts.append(encoded)
        return hashed(parts[0]), parts[1] if len(parts) > 1 else b""


class Index(_Order):
    """A secondary index.

    Attributes:
        local: whether it is local.
        names: the attributes it has; None for all.
        upsert, delete: SQL on one entry.
    """

    __slots__ = ("delete", "local", "names", "upsert")

    def __init__(
        self, table: Table, definition: IndexDefinition, source: str, types: dict[str, str], *, local: bool
    ) -> None:
        super().__init__(definition.IndexName, source, definition.KeySchema, types)
        self.local = local
        # LastEvaluatedKey has the table's key first, then what the index's adds.
        own = [name for name in self.key_names if name not in table.key_types]
        self.key_names = (*table.key_names, *own)
        projection = definition.Projection
        self.names: tuple[str, ...] | None = None
        if projection.ProjectionType != "ALL":
            included = [name for name in projection.NonKeyAttributes or () if name not in self.key_names]
            self.names = (*self.key_names, *included)
        self.upsert = (
            f"INSERT INTO {source} VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (hk, sk, bhk, bsk) DO UPDATE SET item = excluded.item, size = excluded.size"
        )
        self.delete = f"DELETE FROM {source} WHERE hk = ? AND sk = ? AND bhk = ? AND bsk = ?"

    def place(self, item: Item) -> Key | None:
        """Where the index has an item, or None when it does not: a key attribute is missing or does not fit."""
        partition = _joined(self.partition_keys, item)
        if partition is None:
            return None
        if not self.sort_keys:
            return hashed(partition), b""
        sort = _joined(self.sort_keys, item)
        return None if sort is None else (hashed(partition), sort)

    def view(self, item: Item) -> Item:
        """What the index has of an item."""
        if self.names is None:
            return item
        return {name: item[name] for name in self.names if name in item}

    def view_size(self, item: Item, size: int) -> tuple[Item, int]:
        """The same with its size, given the item's."""
        if self.names is None:
            return item, size
        view = self.view(item)
        return view, item_size(view)


def _joined(keys: Sequence[KeyAttribute], item: Item) -> bytes | None:
    parts = []
    for key in keys:
        value = item.get(key.name)
        if value is None:
            return None
        encoded = key.encode(value)
        if not encoded or len(encoded) > key.limit:
            return None
        parts.append(encoded)
    return parts[0] if len(parts) == 1 else composite(parts)


def _refuse_index_key(attribute: KeyAttribute, index: str, value: Any, encoded: bytes | None) -> NoReturn:
    if encoded is None:
        raise Rejected(
            f"{_INVALID}Type mismatch for Index Key {attribute.name} "
            f"Expected: {attribute.type} Actual: {type_of(value)} IndexName: {index}"
        )
    if not encoded:
        kind = "string" if attribute.type == "S" else "binary"
        raise validation(
            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. "
            f"The AttributeValue for a key attribute cannot contain an empty {kind} value. "
            f"IndexName: {index}, IndexKey: {attribute.name}"
        )
    raise validation(
        f"{_INVALID}Size limit exceeded for Index Key {attribute.name}, "
        f"at most {attribute.limit} bytes. IndexName: {index}"
    )
