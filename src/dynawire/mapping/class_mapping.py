"""What a whole class means: its table, its attributes, its primary key and its indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import msgspec

from ..errors import SchemaError
from .attributes import Attribute, stored_name_problem
from .expiring import hiding_problem, stored_as_ttl
from .indexes import MAX_INCLUDED, IndexDeclaration, IndexDefinition

if TYPE_CHECKING:
    from .families import Family
    from .migrations import Migrations
    from .placement import Placement

__all__ = ["ClassMapping", "TableKeywords", "TableOptions", "nearest"]

MAX_KEY_NAME_BYTES = 255
MAX_GLOBAL_INDEXES = 20
MAX_LOCAL_INDEXES = 5
MAX_INCLUDED_IN_ALL = 100
_TABLE_NAME = "3 to 255 characters of a-z, A-Z, 0-9, '_', '-' and '.'"


class TableOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the table is made by ``create_tables``, and whether it may be scanned.

    Attributes:
        billing: ``"PAY_PER_REQUEST"`` (on demand) or ``"PROVISIONED"``.
        read_units, write_units: provisioned capacity units per second; both are needed for ``"PROVISIONED"``.
        stream: the stream's view type (``"NEW_AND_OLD_IMAGES"`` …), or None for no stream.
        ttl: Python name of the attribute that holds an item's time to live, or None.
        hide_expired: whether items past it are hidden from reads.
        table_class: ``"STANDARD"`` or ``"STANDARD_INFREQUENT_ACCESS"``, or None for the service's default.
        deletion_protection: whether DeleteTable is refused.
        allow_scan: whether the class may be scanned; None: as the database says.
        migrations: how items of earlier versions are read; None: there are none.
    """

    billing: Literal["PAY_PER_REQUEST", "PROVISIONED"] = "PAY_PER_REQUEST"
    read_units: int | None = None
    write_units: int | None = None
    stream: Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"] | None = None
    ttl: str | None = None
    hide_expired: bool = False
    table_class: Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"] | None = None
    deletion_protection: bool = False
    allow_scan: bool | None = None
    migrations: type[Migrations] | None = None

    def problem(self) -> str | None:
        """What DynamoDB would refuse of these options; None when nothing."""
        for name, choices in _CHOICES.items():
            chosen = getattr(self, name)
            if chosen not in choices and (chosen is not None or name == "billing"):
                return f"{name}={chosen!r}: write {' or '.join(map(repr, choices))}"
        units = (self.read_units, self.write_units)
        if self.billing == "PROVISIONED" and not all(map(_is_capacity, units)):
            return "billing='PROVISIONED' needs read_units= and write_units=, whole numbers of 1 or more"
        if self.billing == "PAY_PER_REQUEST" and units != (None, None):
            return (
                "read_units and write_units have no meaning with billing='PAY_PER_REQUEST'; leave them out or write "
                "billing='PROVISIONED'"
            )
        for name in ("deletion_protection", "hide_expired"):
            if type(getattr(self, name)) is not bool:
                return f"{name}= is True or False"
        if self.allow_scan is not None and type(self.allow_scan) is not bool:
            return "allow_scan= is True, False or None"
        if self.migrations is not None and not _is_migrations(self.migrations):
            return "migrations= is a class derived from Migrations, not an instance and not Migrations itself"
        return None


class TableKeywords(TypedDict, total=False):
    """The keywords of :class:`TableOptions`, for type checkers."""

    billing: Literal["PAY_PER_REQUEST", "PROVISIONED"]
    read_units: int
    write_units: int
    stream: Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
    ttl: str
    hide_expired: bool
    table_class: Literal["STANDARD", "STANDARD_INFREQUENT_ACCESS"]
    deletion_protection: bool
    allow_scan: bool
    migrations: type[Migrations]


_CHOICES: dict[str, tuple[str, ...]] = {
    "billing": ("PAY_PER_REQUEST", "PROVISIONED"),
    "stream": ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"),
    "table_class": ("STANDARD", "STANDARD_INFREQUENT_ACCESS"),
}


def _is_capacity(units: Any) -> bool:
    return type(units) is int and units >= 1


class ClassMapping:
    """What a mapped class means.

    Attributes:
        cls: the class.
        owner: what its paths belong to: the class, or, of a class that may have several tables, a stand-in.
        name: its name.
        table: the table's name without the database's prefix; None for a class that is only nested in others.
        attributes: by Python name, in the order declared.
        partition_key, sort_key: the primary key's attributes; None when there is none.
        indexes: by the name of the class attribute.
        options: how the table is made.
        placement: how its items lie in a table that it shares with other classes; None: it has its own.
        family: the classes it shares its table with, told apart by a discriminator; None: it has the table alone.
    """

    def __init__(
        self,
        cls: type[Any],
        *,
        table: str | None,
        attributes: Iterable[Attribute],
        indexes: Mapping[str, IndexDeclaration],
        options: TableOptions,
        owner: type[Any] | None = None,
        placement: Placement | None = None,
        family: Family | None = None,
    ) -> None:
        self.cls = cls
        self.family = family
        self.owner = cls if owner is None else owner
        self.name = cls.__name__
        self.table = table
        self.attributes = {attribute.name: stored_as_ttl(attribute) for attribute in attributes}
        self.options = self._with_ttl(options)
        self.placement = placement
        self.partition_key = self._only("partition_key")
        self.sort_key = self._only("sort_key")
        self.indexes: dict[str, IndexDefinition] = {}
        self._check_names()
        if table is None:
            self._check_nested(indexes)
            return
        self._check_table(table)
        partition_key = tuple(attribute.name for attribute in self.key[:1])
        self.indexes = {name: declared.of(name, partition_key) for name, declared in indexes.items()}
        self._check_indexes()
        problem = hiding_problem(self.options.ttl, self.indexes, [one.name for one in self.key])
        if self.options.hide_expired and problem is not None:
            raise self._error(problem)

    @property
    def key(self) -> tuple[Attribute, ...]:
        """The primary key's attributes, partition key first."""
        return tuple(attribute for attribute in (self.partition_key, self.sort_key) if attribute is not None)

    @property
    def key_attributes(self) -> tuple[Attribute, ...]:
        """The attributes by which developers name an item: the primary key's, or what that is composed of."""
        if self.placement is None:
            return self.key
        return tuple(self.attributes[name] for name in self.placement.key_sources)

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

    def _with_ttl(self, options: TableOptions) -> TableOptions:
        """The options with the attribute that is declared as time to live."""
        found = [attribute.name for attribute in self.attributes.values() if attribute.ttl]
        if not found:
            return options
        if len(found) > 1:
            raise self._error(f"a table has one time to live, but {' and '.join(found)} are each ttl(); keep one")
        if options.ttl not in (None, found[0]):
            raise self._error(
                f"{found[0]} is declared as ttl(), and the class keyword ttl={options.ttl!r} names another attribute; "
                "leave the keyword out",
                found[0],
            )
        return msgspec.structs.replace(options, ttl=found[0])

    def _only(self, role: str) -> Attribute | None:
        found = [attribute for attribute in self.attributes.values() if attribute.role == role]
        if len(found) > 1:
            names = " and ".join(attribute.name for attribute in found)
            raise self._error(
                f"a table has one {role}, but {names} are each declared {role}(); keep one", found[1].name
            )
        return found[0] if found else None

    def _check_names(self) -> None:
        by_stored_name: dict[str, str] = {}
        for attribute in self.attributes.values():
            stored = attribute.stored_name
            problem = stored_name_problem(stored)
            if problem is not None:
                raise self._error(f"{attribute.name} {problem}; give it another with attr(name=...)", attribute.name)
            if stored in by_stored_name:
                raise self._error(
                    f"{by_stored_name[stored]} and {attribute.name} are both stored as {stored!r}; "
                    "give one of them another name with attr(name=...)",
                    attribute.name,
                )
            by_stored_name[stored] = attribute.name

    def _check_nested(self, indexes: Mapping[str, IndexDeclaration]) -> None:
        remedy = f'give it one with table="...", as in class {self.name}(Model, table="...")'
        for attribute in self.key:
            raise self._error(
                f"{attribute.name} is a {attribute.role}, but the class has no table; {remedy}", attribute.name
            )
        for name in indexes:
            raise self._error(f"{name} is an index, but the class has no table; {remedy}", name)

    def _check_table(self, table: str) -> None:
        if not _is_table_name(table):
            raise self._error(f"table={table!r}: a table name has {_TABLE_NAME}")
        if self.partition_key is None:
            raise self._error("no partition key; declare one attribute with partition_key()")
        problem = self.options.problem()
        if problem is not None:
            raise self._error(problem)
        if self.options.ttl is not None:
            self.attribute(self.options.ttl, "ttl=")
        for attribute in self.key:
            self._check_key_name(attribute)
            if attribute.store_none:
                raise self._error(
                    f"{attribute.name} is a key; a key is never None, so store_none has no meaning", attribute.name
                )

    def _check_key_name(self, attribute: Attribute) -> None:
        if len(attribute.stored_name.encode()) > MAX_KEY_NAME_BYTES:
            raise self._error(f"{attribute.name}: a key's name has at most {MAX_KEY_NAME_BYTES} bytes", attribute.name)

    def _check_indexes(self) -> None:
        names: set[str] = set()
        for attribute_name, index in self.indexes.items():
            if index.name in names:
                raise self._error(
                    f"two indexes are named {index.name!r}; give one of them another name with name=...", attribute_name
                )
            names.add(index.name)
            problem = self._index_problem(index)
            if problem is not None:
                raise self._error(f"the index {attribute_name} {problem}", attribute_name)
        for is_global, limit in ((True, MAX_GLOBAL_INDEXES), (False, MAX_LOCAL_INDEXES)):
            count = sum(index.is_global is is_global for index in self.indexes.values())
            if count > limit:
                raise self._error(
                    f"a table has at most {limit} {'global' if is_global else 'local'} indexes, not {count}"
                )
        included = sum(len(index.projection) for index in self.indexes.values() if isinstance(index.projection, tuple))
        if included > MAX_INCLUDED_IN_ALL:
            raise self._error(
                f"its indexes include {included} attributes in all; DynamoDB takes at most {MAX_INCLUDED_IN_ALL}: use "
                "projection='ALL' for some of them"
            )

    def _index_problem(self, index: IndexDefinition) -> str | None:
        """What DynamoDB would refuse of an index; None when nothing."""
        if not _is_table_name(index.name):
            return f"has the name {index.name!r}; an index name has {_TABLE_NAME}"
        if not index.is_global and self.sort_key is None:
            return "is local, which needs a table with a sort key; use GlobalIndex"
        included = index.projection if isinstance(index.projection, tuple) else ()
        for name in (*index.key_names(), *included):
            attribute = self.attributes.get(name)
            if attribute is None:
                return f"names the attribute {name!r}, which {self.name} does not have{nearest(name, self.attributes)}"
            self._check_key_name(attribute)
        if len(set(index.key_names())) != len(index.key_names()):
            return "names one attribute twice in its key"
        if isinstance(index.projection, tuple) and not 1 <= len(set(included)) == len(included) <= MAX_INCLUDED:
            return f"includes {len(included)} attributes; DynamoDB takes 1 to {MAX_INCLUDED} different ones"
        units = (index.read_units, index.write_units)
        if units != (None, None):
            if self.options.billing != "PROVISIONED":
                return "has capacity units, which need a class with billing='PROVISIONED'"
            if not all(one is None or _is_capacity(one) for one in units):
                return "has capacity units that are not whole numbers of 1 or more"
        return None


def _is_table_name(name: object) -> bool:
    return (
        isinstance(name, str)
        and 3 <= len(name) <= 255
        and all(one.isascii() and (one.isalnum() or one in "_.-") for one in name)
    )


def nearest(name: str, known: Iterable[str], listing: str = "") -> str:
    """``"; did you mean 'x'?"`` for a misspelt name, or nothing; then the listing, if any, as its continuation."""
    import difflib

    close = difflib.get_close_matches(name, list(known), 1)
    if not close:
        return f"; {listing}" if listing else ""
    meant = f"; did you mean {close[0]!r}?"
    return f"{meant} {listing[0].upper()}{listing[1:]}" if listing else meant


def _is_migrations(given: Any) -> bool:
    from .migrations import is_migrations

    return is_migrations(given)
