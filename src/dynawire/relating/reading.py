"""Reading the items that others lead to: of one, or of many at once in as few requests as DynamoDB allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import DynawireError, ExpressionError, ItemExists
from ..expressions import Condition
from ..many import MultipleItemsFound
from ..operations.at_once import at_once
from ..operations.effects import Operation
from ..operations.identity import key_identity
from ..operations.reads import readers
from ..query import Query
from .relationship import Relationship
from .state import Known

if TYPE_CHECKING:
    from ..database import Database
    from ..operations.target import Target
    from ..table import Table

__all__ = ["all_items", "created", "link_query", "query_of", "read_missing", "read_one"]

R = TypeVar("R")


def query_of(
    database: Database,
    relationship: Relationship,
    instance: Any,
    conditions: Sequence[Any] = (),
    lookups: Mapping[str, Any] | None = None,
) -> Query[Any]:
    """The query of the items an instance leads to, narrowed by conditions.

    Raises:
        ExpressionError: it can't be made of what the instance has, or of these conditions.
    """
    facts = relationship.facts
    values = [one for one in conditions if not isinstance(one, (Condition, Mapping))]
    if values:
        raise ExpressionError(
            f"the query of {relationship!r} knows its key already; it takes conditions, such as "
            f"{relationship.target.__name__}.attribute > value, not {type(values[0]).__name__}"
        )
    if facts.query is not None:
        made = facts.query(instance)
        if not isinstance(made, Query) or not issubclass(made._read.target.cls, relationship.target):
            raise ExpressionError(
                f"query= of {relationship!r} gives {made!r}; it must give a query of {relationship.target.__name__}"
            )
        return made.where(*conditions, **(lookups or {}))
    table = database.table(relationship.target)
    source = table if facts.index is None else table.index(facts.index)
    paths = table._target.mapped.paths
    equal = [paths[theirs] == getattr(instance, own) for own, theirs in relationship.pairs]
    return source.query(*equal, *conditions, **(lookups or {}))


def link_query(database: Database, relationship: Relationship, instance: Any) -> Query[Any]:
    """The query of the links of an instance."""
    links = relationship.links
    assert links is not None
    table = database.table(links.cls)
    paths = table._target.mapped.paths
    source = table if links.index is None else table.index(links.index)
    return source.query(*[paths[name] == getattr(instance, own) for own, name in links.own])


def all_items(query: Query[Any]) -> Operation[list[Any]]:
    """Every item of a query."""
    items: list[Any] = []
    for reader in readers(query._read):
        while (request := reader.next_request()) is not None:
            response = yield request
            items += reader.take(response)
    return items


# ---------------------------------------------------------------------- one


def read_one(database: Database, relationship: Relationship, instance: Any, consistent: bool) -> Operation[Any]:
    """Read what one instance leads to, keep it with the instance, and give it."""
    key = relationship.key_of(instance)
    if None not in key and relationship.facts.is_to_one and relationship.by_key:
        table = database.table(relationship.target)
        found = yield from table._get(*_target_key(table._target, relationship, instance), consistent=consistent)
        relationship.keep(instance, found)
        return found
    yield from _read(database, relationship, [instance], consistent)
    current = relationship.known(instance)
    assert current is not None
    return current.value


def created(database: Database, relationship: Relationship, instance: Any) -> Operation[Any]:
    """The other item, made and stored because it was missing; the one of another writer who was faster."""
    table = database.table(relationship.target)
    made = relationship.target(**{theirs: getattr(instance, own) for own, theirs in relationship.pairs})
    try:
        yield from table._insert(made)
    except ItemExists:
        made = yield from table._get_one(*_target_key(table._target, relationship, instance), consistent=True)
    relationship.keep(instance, made)
    return made


def _target_key(target: Target, relationship: Relationship, instance: Any) -> tuple[Any, ...]:
    values = {theirs: getattr(instance, own) for own, theirs in relationship.pairs}
    return tuple(values[attribute.name] for attribute in target.plan.key_attributes)


# ---------------------------------------------------------------------- many at once


def read_missing(
    database: Database, items: Iterable[Any], relationship: Relationship, consistent: bool
) -> Operation[list[Any]]:
    """Read what these instances lead to, as far as they do not know it yet; all of it, each once.

    It takes one BatchGetItem for 100 items that are found by key, and one query for each that is found by query, all
    sent together.
    """
    kept = list(items)
    missing = [item for item in kept if (found := relationship.known(item)) is None or not found.is_loaded]
    if missing:
        yield from _read(database, relationship, missing, consistent)
    others: dict[int, Any] = {}
    for item in kept:
        current = relationship.known(item)
        value = None if current is None else current.value
        for other in value if isinstance(value, list) else () if value is None else (value,):
            others[id(other)] = other
    return list(others.values())


def _read(database: Database, relationship: Relationship, items: list[Any], consistent: bool) -> Operation[None]:
    """Read what these instances lead to, each different key once, and keep it with them."""
    groups: dict[Any, list[Any]] = {}
    for item in items:
        # What a query of one's own looks at is not known, so that each instance has one.
        groups.setdefault(id(item) if relationship.facts.query is not None else relationship.key_of(item), []).append(
            item
        )
    asking = {key: group[0] for key, group in groups.items() if not (isinstance(key, tuple) and None in key)}
    first = list(asking.values())
    if relationship.links is not None:
        values = yield from _linked(database, relationship, first, consistent)
    elif not relationship.facts.is_to_one:
        queries = [query_of(database, relationship, item) for item in first]
        values = yield from _together([all_items(_consistent(query, consistent)) for query in queries])
    elif relationship.by_key:
        table = database.table(relationship.target)
        keys = [_target_key(table._target, relationship, item) for item in first]
        values = yield from _by_key(table, keys, consistent)
    else:
        queries = [query_of(database, relationship, item) for item in first]
        found = yield from _together([_consistent(query, consistent)._up_to(2) for query in queries])
        values = [_only(relationship, one) for one in found]
    by_group = dict(zip(asking, values, strict=True))
    to_one = relationship.facts.is_to_one
    for key, group in groups.items():
        for item in group:
            value: Any = by_group.get(key) if to_one else list(by_group.get(key, ()))
            before = relationship.known(item)
            if not to_one and before is not None and not before.is_loaded:
                value = _merged(database.table(relationship.target), value, before)
            relationship.keep(item, value)


def _together(operations: list[Operation[R]]) -> Operation[list[R]]:
    results: list[R] = []
    for outcome in (yield from at_once(operations)):
        if isinstance(outcome, DynawireError):
            raise outcome
        results.append(outcome)
    return results


def _consistent(query: Query[Any], consistent: bool) -> Query[Any]:
    index = query._read.index
    return query.consistent() if consistent and (index is None or not index.is_global) else query


def _by_key(table: Table[Any], keys: list[tuple[Any, ...]], consistent: bool) -> Operation[list[Any]]:
    """The items of these keys in order, None for one that is missing."""
    target = table._target
    result = yield from table._get_many(keys, consistent=consistent)
    found = {_identity(target, target.plan.key_values(item)): item for item in result}
    return [found.get(_identity(target, key)) for key in keys]


def _identity(target: Target, key: Sequence[Any]) -> bytes:
    return key_identity(target.plan.key_names, target.plan.encode_key(key))


def _only(relationship: Relationship, found: list[Any]) -> Any:
    if len(found) > 1:
        raise MultipleItemsFound(
            f"{relationship!r} leads to one {relationship.target.__name__}, but there are several; declare it "
            "one_to_many"
        )
    return found[0] if found else None


def _linked(
    database: Database, relationship: Relationship, items: list[Any], consistent: bool
) -> Operation[list[list[Any]]]:
    """For each item the others that its links lead to, in their order; a link to one that is missing is passed over."""
    links = relationship.links
    assert links is not None
    paths = database.table(links.cls)._target.mapped.paths
    held = [paths[name] for name, _ in links.other]
    queries = [link_query(database, relationship, item).project(*held) for item in items]
    rows = yield from _together([all_items(_consistent(query, consistent)) for query in queries])
    table = database.table(relationship.target)
    order = [attribute.name for attribute in table._target.plan.key_attributes]
    places = [[theirs for _, theirs in links.other].index(name) for name in order]
    keys_of = [[tuple(row[place] for place in places) for row in each] for each in rows]
    keys = list(dict.fromkeys(key for each in keys_of for key in each))
    found = dict(zip(keys, (yield from _by_key(table, keys, consistent)) if keys else (), strict=True))
    return [[other for key in each if (other := found[key]) is not None] for each in keys_of]


def _merged(table: Table[Any], read: list[Any], before: Known) -> list[Any]:
    """What was read, with those that were appended in place of what is stored of them, or after it."""
    identity: Callable[[Any], bytes] = lambda item: _identity(table._target, table._target.plan.key_values(item))  # noqa: E731
    appended = {identity(item): item for item in before.value}
    merged = [appended.pop(identity(item), item) for item in read]
    return merged + list(appended.values())
