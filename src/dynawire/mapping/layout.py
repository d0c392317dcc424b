"""A table that several classes share: generic keys, generic indexes, and who is in it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import SchemaError
from .indexes import IndexDeclaration
from .templates import separator_problem

if TYPE_CHECKING:
    from .placement import Placement

__all__ = ["DEFAULT_KIND", "TableLayout"]

DEFAULT_KIND = "_kind"


class TableLayout:
    """What a single table is made of.

    Attributes:
        name: its name without the database's prefix.
        partition_key, sort_key: stored names of its key; no sort key: None.
        indexes: the generic indexes, by name; their keys are given by stored names.
        separator: the separator of every template in it.
        kind: stored name of the attribute that says of which class an item is; None: there is none.
        store_keys: whether what the primary key is composed of is stored beside it.
        options: how the table is made.
        made: what the layers above make of it, once.
    """

    def __init__(
        self,
        name: str,
        *,
        partition_key: str,
        sort_key: str | None,
        indexes: Mapping[str, IndexDeclaration],
        separator: str,
        kind: str | None,
        store_keys: bool,
        options: Mapping[str, Any],
    ) -> None:
        self.name = name
        self.partition_key = partition_key
        self.sort_key = sort_key
        self.indexes = dict(indexes)
        self.separator = separator
        self.kind = kind
        self.store_keys = store_keys
        self.options = dict(options)
        self.made: Any = None
        self._expected: list[Callable[[], Any]] = []
        self._placed: dict[tuple[str, str], tuple[weakref.ref[Any], Placement]] = {}
        self._check()

    def _error(self, message: str) -> SchemaError:
        return SchemaError(f"SingleTable({self.name!r}): {message}")

    def _check(self) -> None:
        problem = separator_problem(self.separator)
        if problem is not None:
            raise self._error(problem)
        names = [self.partition_key, *((self.sort_key,) if self.sort_key is not None else ())]
        for name, index in self.indexes.items():
            if not isinstance(index, IndexDeclaration):
                raise self._error(f'the index {name!r} is no index; write GlobalIndex("gsi0_pk", "gsi0_sk")')
            if index.problem is not None:
                raise self._error(f"the index {name} {index.problem}")
            if len(index.partition_key) > 1 or len(index.sort_key) > 1 or isinstance(index.projection, tuple):
                raise self._error(
                    f"the index {name}: a generic index has one partition key, one sort key at the most, and "
                    "projection='ALL' or 'KEYS_ONLY'"
                )
            names += [*index.partition_key, *index.sort_key]
        names += [self.kind] if self.kind is not None else []
        twice = sorted({one for one in names if names.count(one) > 1})
        if twice:
            raise self._error(f"{twice[0]!r} is the name of two of its attributes; each generic key is one of its own")

    def key_names(self, index: str | None) -> tuple[str, str | None]:
        """Stored names of the partition key and the sort key of the table, or of an index."""
        if index is None:
            return self.partition_key, self.sort_key
        found = self.indexes[index]
        partition_key = found.partition_key[0] if found.partition_key else self.partition_key
        return partition_key, found.sort_key[0] if found.sort_key else None

    # ------------------------------------------------------------------ who is in it

    def expect(self, complete: Callable[[], Any]) -> None:
        """A class will have its items here that is not complete yet: this completes it, when all must be known."""
        self._expected.append(complete)

    def add(self, cls: Any, placement: Placement) -> None:
        """A class has its items here.

        Raises:
            SchemaError: items of another class could have the same key, or can't be told from its own.
        """
        identity = (cls.__module__, cls.__qualname__)
        for other, its in self._living():
            # A class that is declared again, as in a notebook, takes the place of the older one.
            if (other.__module__, other.__qualname__) != identity:
                self._check_apart(cls, placement, other, its)
        self._placed[identity] = (weakref.ref(cls), placement)

    def _living(self) -> list[tuple[Any, Placement]]:
        return [(cls, placement) for reference, placement in self._placed.values() if (cls := reference()) is not None]

    def _check_apart(self, cls: Any, mine: Placement, other: Any, its: Placement) -> None:
        def wrong(message: str) -> SchemaError:
            return SchemaError(f"{cls.__name__}: {message}", model=cls.__name__)

        keys = [name for name in (self.partition_key, self.sort_key) if name is not None]
        if all(mine.keys[name].overlaps(its.keys[name]) for name in keys):
            raise wrong(
                f"an item could have the key of one of {other.__name__}, for the templates of both may give one text; "
                f'begin one with a literal of its own, such as sk="{cls.__name__.upper()}{self.separator}..."'
            )
        if mine.kind is not None and mine.kind == its.kind:
            raise wrong(f"{other.__name__} has the kind {mine.kind!r} already; give one of them another with kind=...")
        for index in (None, *self.indexes) if self.kind is None else ():
            if self._is_mixed(mine, its, index):
                where = self.name if index is None else index
                raise wrong(
                    f"a query of {where} could not tell its items from those of {other.__name__}, for the table was "
                    "declared with kind=None; let the sort keys begin with literals of which none begins the other"
                )

    def _is_mixed(self, mine: Placement, its: Placement, index: str | None) -> bool:
        partition_key, sort_key = self.key_names(index)
        both = [one.keys.get(partition_key) for one in (mine, its)]
        if both[0] is None or both[1] is None or not both[0].overlaps(both[1]):
            return False
        if sort_key is None or sort_key not in mine.keys or sort_key not in its.keys:
            return sort_key is None
        one, other = mine.keys[sort_key].literals[0], its.keys[sort_key].literals[0]
        return one.startswith(other) or other.startswith(one)

    def classes(self) -> list[type[Any]]:
        """The classes that have their items here, in the order in which they were declared."""
        self._complete()
        return [cls for cls, _ in self._living()]

    def _complete(self) -> None:
        while self._expected:
            self._expected.pop(0)()

    def class_of(self, item: Mapping[str, Any]) -> Any:
        """The class of an item in DynamoDB's JSON; None: of none that is known."""
        self._complete()
        kind = None if self.kind is None else item.get(self.kind, {}).get("S")
        for cls, placement in self._living():
            if kind == placement.kind if kind is not None else self._has_keys_of(item, placement):
                family = cls.__dict__.get("__family__")
                if family is None:
                    return cls
                return family.class_of(item.get(family.stored_name, {}).get("S")) or cls
        return None

    def _has_keys_of(self, item: Mapping[str, Any], placement: Placement) -> bool:
        """Whether an item without kind has the primary key of a class's items."""
        return all(
            placement.keys[name].may_have_made(item.get(name, {}).get("S"))
            for name in (self.partition_key, self.sort_key)
            if name is not None
        )
