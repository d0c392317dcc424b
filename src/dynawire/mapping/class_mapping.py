"""What a whole class means: its table, its attributes, its primary key and its indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from ..errors import SchemaError
from .attributes import Attribute
from .indexes import IndexDefinition

__all__ = ["ClassMapping", "TableOptions", "nearest"]

MAX_KEY_NAME_BYTES = 255
MAX_ATTRIBUTE_NAME_BYTES = 65_535


class TableOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the table is made by ``create_tables``.

    Attributes:
        billing: ``"PAY_PER_REQUEST"`` (on demand) or ``"PROVISIONED"``.
        read_units, write_units: provisioned capacity units per second; both are needed for ``"PROVISIONED"``.
        stream: the stream's view type (``"NEW_AND_OLD_IMAGES"`` …), or None for no stream.
        ttl: Python name of the attribute that holds an item's time to live, or None.
        table_class: ``"STANDARD"`` or ``"STANDARD_INFREQUENT_ACCESS"``, or None for the service's default.
        deletion_protection: whether DeleteTable is refused.
    """

    billing: Literal["PAY_PER_REQUEST", "PROVISIONED"] = "PAY_PER_REQUEST"
    read_units: int | None = None
    write_units: int | None = None
    stream: Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] | None = None
    ttl: str | None = None
    table_class: Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"] | None = None
    deletion_protection: bool = False

    def check(self, owner: str) -> None:
        """Refuse combinations DynamoDB refuses."""
        units = (self.read_units, self.write_units)
        if self.billing not in ("PAY_PER_REQUEST", "PROVISIONED"):
            raise SchemaError(
                f"{owner}: billing={self.billing!r}: write 'PAY_PER_REQUEST' or 'PROVISIONED'", model=owner
            )
        if self.billing == "PROVISIONED" and not all(one is not None and one >= 1 for one in units):
            raise SchemaError(
                f"{owner}: billing='PROVISIONED' needs read_units= and write_units=, 1 or more", model=owner
            )
        if self.billing == "PAY_PER_REQUEST" and units != (None, None):
            raise SchemaError(
                f"{owner}: read_units and write_units have no meaning with billing='PAY_PER_REQUEST'; "
                "leave them out or write billing='PROVISIONED'",
                model=owner,
            )


class ClassMapping:
    """What a mapped class means.

    Attributes:
        cls: the class.
        table: the table's name without the database's prefix; None for a class that is only nested in others.
        attributes: by Python name, in the order declared.
        partition_key, sort_key: the primary key's attributes; None when there is none.
        indexes: by the name of the class attribute.
        options: how the table is made.
    """

    def __init__(
        self,
        cls: type[Any],
        *,
        table: str | None,
        attributes: Iterable[Attribute],
        indexes: Mapping[str, IndexDefinition],
        options: TableOptions,
    ) -> None:
        self.cls = cls
        self.name = cls.__name__
        self.table = table
        self.attributes = {attribute.name: attribute for attribute in attributes}
        self.indexes = dict(indexes)
        self.options = options
        self.partition_key = self._only("partition_key")
        self.sort_key = self._only("sort_key")
        self._check_names()
        if table is None:
            self._check_nested()
        else:
            self._check_table(table)

    @property
    def key(self) -> tuple[Attribute, ...]:
        """The primary key's attributes, partition key first."""
        return tuple(attribute for attribute in (self.partition_key, self.sort_key) if attribute is not None)

    def attribute(self, name: str, where: str) -> Attribute:
        """The attribute of this Python name.

        Raises:
            SchemaError: there is none; the message says which name is near.
        """
        found = self.attributes.get(name)
        if found is None:
            raise self._error(
                f"{where} names the attribute {name!r}, which {self.name} does not "
                f"have{nearest(name, self.attributes)}",
                name,
            )
        return found

    def _error(self, message: str, attribute: str | None = None) -> SchemaError:
        return SchemaError(f"{self.name}: {message}", model=self.name, attribute=attribute)

    def _only(self, role: str) -> Attribute | None:
        found = [attribute for attribute in self.attributes.values() if attribute.role == role]
        if len(found) > 1:
            names = ", ".join(attribute.name for attribute in found)
            raise self._error(
                f"a table has one {role}, but {names} are each declared {role}(); keep one", found[1].name
            )
        return found[0] if found else None

    def _check_names(self) -> None:
        by_stored_name: dict[str, str] = {}
        for attribute in self.attributes.values():
            stored = attribute.stored_name
            if stored in by_stored_name:
                raise self._error(
                    f"{by_stored_name[stored]} and {attribute.name} are both stored as {stored!r}; "
                    "give one of them another name with attr(name=...)",
                    attribute.name,
                )
            by_stored_name[stored] = attribute.name
            if not stored or len(stored.encode()) > MAX_ATTRIBUTE_NAME_BYTES:
                raise self._error(
                    f"{attribute.name}: a stored name has 1 to {MAX_ATTRIBUTE_NAME_BYTES:,} bytes", attribute.name
                )

    def _check_nested(self) -> None:
        for attribute in self.key:
            raise self._error(
                f"{attribute.name} is a {attribute.role} but the class has no table; write class {self.name}(Model, "
                f'table="...")',
                attribute.name,
            )
        for name in self.indexes:
            raise self._error(f"{name} is an index but the class has no table", name)

    def _check_table(self, table: str) -> None:
        if not 3 <= len(table) <= 255 or not all(c.isascii() and (c.isalnum() or c in "_.-") for c in table):
            raise self._error(
                f"table={table!r}: a table name has 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.'"
            )
        if self.partition_key is None:
            raise self._error("no partition key; declare one attribute with partition_key()")
        self.options.check(self.name)
        if self.options.ttl is not None:
            self.attribute(self.options.ttl, "ttl=")
        for attribute in self.key:
            if len(attribute.stored_name.encode()) > MAX_KEY_NAME_BYTES:
                raise self._error(
                    f"{attribute.name}: a key's name has at most {MAX_KEY_NAME_BYTES} bytes", attribute.name
                )
            if attribute.store_none:
                raise self._error(
                    f"{attribute.name} is a key; a key is never None, so store_none has no meaning", attribute.name
                )
        self._check_indexes()

    def _check_indexes(self) -> None:
        names: set[str] = set()
        for attribute_name, index in self.indexes.items():
            index.name = index.name or attribute_name
            where = f"the index {attribute_name}"
            if not index.is_global:
                assert self.partition_key is not None
                index.partition_key = (self.partition_key.name,)
                if self.sort_key is None:
                    raise self._error(
                        f"{where} is local, which needs a table with a sort key; use GlobalIndex", attribute_name
                    )
            if index.name in names:
                raise self._error(f"two indexes are named {index.name!r}", attribute_name)
            names.add(index.name)
            if not 3 <= len(index.name) <= 255 or not all(
                c.isascii() and (c.isalnum() or c in "_.-") for c in index.name
            ):
                raise self._error(
                    f"{where}: an index name has 3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.'", attribute_name
                )
            included = index.projection if isinstance(index.projection, tuple) else ()
            for name in index.key_names() + included:
                self.attribute(name, where)
            if len(set(index.key_names())) != len(index.key_names()):
                raise self._error(f"{where} names one attribute twice in its key", attribute_name)
            if isinstance(index.projection, tuple) and not 1 <= len(included) <= 20:
                raise self._error(
                    f"{where} includes {len(included)} attributes; DynamoDB takes 1 to 20", attribute_name
                )
        if sum(index.is_global for index in self.indexes.values()) > 20:
            raise self._error("a table has at most 20 global indexes")
        if sum(not index.is_global for index in self.indexes.values()) > 5:
            raise self._error("a table has at most 5 local indexes")


def nearest(name: str, known: Iterable[str]) -> str:
    """``"; did you mean 'x'?"`` for a misspelt name, or nothing."""
    import difflib

    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""
