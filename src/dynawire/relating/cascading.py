"""Writes that go on to related items, as their relations declare it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import DynawireError, ExpressionError, TransactionCancelled
from ..key import Key
from ..mapping.relations import declared_relations
from ..operations.at_once import at_once
from ..operations.effects import Operation
from ..operations.hooked import send_hooked, written_by
from ..operations.identity import key_identity
from ..operations.target import Target
from ..operations.transact import MAX_ACTIONS, new_token, transact_write
from ..operations.twins import asynchronous, sync
from ..operations.write import Write
from ..table import Table
from ..transaction import Transaction
from .reading import all_items, link_query, query_of, read_one
from .relationship import Relationship, cascading_relationships
from .state import forget

if TYPE_CHECKING:
    from ..database import Database

__all__ = ["RelatedTable", "table_with_relations"]

T = TypeVar("T")


class RelatedTable(Table[T]):
    """The table of a class whose writes of an instance go on to related items."""

    # The options are those of Table's methods, handed on as they are.

    def _insert(self, item: T, **options: Any) -> Operation[None]:
        """Store a new item, and save the items it is related to with ``cascade="save"``. See :meth:`Table.insert`."""
        along = _along(self, item)
        if not along.others:
            yield from super()._insert(item, **options)
            return
        rest = _of_transaction(options)
        yield from along.send(lambda tx: tx.insert(item, **rest))

    def _put(self, item: T, **options: Any) -> Operation[T | None]:
        """Store the item whole, and save the items it is related to with ``cascade="save"``. See :meth:`Table.put`."""
        along = _along(self, item)
        if not along.others:
            return (yield from super()._put(item, **options))
        rest = _of_transaction(options)
        yield from along.send(lambda tx: tx.put(item, **rest))
        return None

    def _save(self, item: T, **options: Any) -> Operation[bool]:
        """Write what changed of the item, and of the items it is related to with ``cascade="save"``. See
        :meth:`Table.save`.
        """
        along = _along(self, item)
        if not along.others:
            return (yield from super()._save(item, **options))
        rest = _of_transaction(options)
        return (yield from along.send(lambda tx: tx.save(item, **rest)))

    def _delete(self, item: T | Key[T], **options: Any) -> Operation[T | None]:
        """Delete the item, and those it is related to with ``cascade="delete"``. See :meth:`Table.delete`."""
        others: list[Any] = []
        if isinstance(item, self._target.kind):
            others = yield from _deleted_too(self.database, item, {_identity(self.database, item)})
        if not others:
            return (yield from super()._delete(item, **options))
        yield from _delete_all(self, item, others, _of_transaction(options))
        return None

    insert = sync(_insert)  # type: ignore[arg-type]
    ainsert = asynchronous(_insert)  # type: ignore[arg-type]
    put = sync(_put)  # type: ignore[arg-type]
    aput = asynchronous(_put)  # type: ignore[arg-type]
    save = sync(_save)  # type: ignore[arg-type]
    asave = asynchronous(_save)  # type: ignore[arg-type]
    delete = sync(_delete)  # type: ignore[arg-type]
    adelete = asynchronous(_delete)  # type: ignore[arg-type]


def table_with_relations(database: Database, target: Target) -> Table[Any]:
    """The table of a class that has relations."""
    cascades = any(one.facts.cascades for one in declared_relations(target.cls).values())
    return RelatedTable(database, target) if cascades else Table(database, target)


# ---------------------------------------------------------------------- saving


class _Along:
    """The items that are written together with one, in order.

    Attributes:
        others: those besides it.
    """

    def __init__(self, database: Database, item: Any) -> None:
        self._database = database
        self._item = item
        self._order: list[Any] = []
        self._visit(item, set())
        self.others = [one for one in self._order if one is not item]

    def _visit(self, instance: Any, seen: set[int]) -> None:
        if id(instance) in seen:
            return
        seen.add(id(instance))
        behind: list[Any] = []
        for relationship in cascading_relationships(type(instance), "save"):
            known = relationship.known(instance)
            value = None if known is None else known.value
            others = value if isinstance(value, list) else [] if value is None else [value]
            if relationship.owner_follows:
                # What others refer to comes first, so that nothing ever refers to what is not there.
                for other in others:
                    self._visit(other, seen)
            else:
                behind += others
        self._order.append(instance)
        for other in behind:
            self._visit(other, seen)

    def send(self, write_item: Callable[[Transaction], None]) -> Operation[bool]:
        """Write them all; whether there was anything to write.

        Args:
            write_item: writes the item itself.
        """
        writes = [_Step(self._database) for _ in self._order]
        for step, instance in zip(writes, self._order, strict=True):
            if instance is self._item:
                write_item(step)
            else:
                step.save(instance)
        steps = _packed(self._database, writes)
        written = 0
        for step in steps:
            written += yield from step.sent()
        return written > 0


def _along(table: Table[Any], item: Any) -> _Along:
    if not isinstance(item, table._target.kind):
        raise table._target.plan.refusal(item)
    return _Along(table.database, item)


class _Step(Transaction):
    """Writes that are sent together, as part of another operation and not by a block of the caller's."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, None)
        self._meant = True

    @property
    def operations(self) -> int:
        """How many of the hundred operations of a transaction it takes at the most."""
        return sum(write.operations for write in self._writes)

    def add(self, other: _Step) -> None:
        """Send the writes of another one too."""
        self._writes += other._writes

    def sent(self) -> Operation[int]:
        """Send them, and say how many there were; where only one of them failed, raise what it raises alone."""
        if len(self._writes) == 1:
            return (yield from send_hooked(self._writes[0]))
        try:
            return (yield from self._sending())
        except TransactionCancelled as cancelled:
            reasons = [reason for reason in cancelled.reasons if reason is not None]
            if len(reasons) != 1:
                raise
            reasons[0].add_note("the items it is related to were not written either")
            raise reasons[0] from None


def _of_transaction(options: dict[str, Any]) -> dict[str, Any]:
    """What a transaction takes of the options of a single write. Its token makes it happen once anyway."""
    if options.get("return_old"):
        raise ExpressionError(
            "with related items this is a transaction, which returns no old item; drop return_old=True, or read it "
            "first"
        )
    return {name: one for name, one in options.items() if name not in ("exactly_once", "return_old")}


# ---------------------------------------------------------------------- deleting


def _deleted_too(database: Database, item: Any, seen: set[tuple[str, bytes]]) -> Operation[list[Any]]:
    """The stored items that go together with one, each after those that go with it."""
    found: list[Any] = []
    for relationship in cascading_relationships(type(item), "delete"):
        if None in relationship.key_of(item):
            continue
        if relationship.links is not None:
            others = yield from _link_keys(database, relationship, item)
        elif relationship.facts.is_to_one:
            other = yield from read_one(database, relationship, item, False)
            others = [] if other is None else [other]
        else:
            # Writes reach what has expired, too.
            others = yield from all_items(query_of(database, relationship, item).hide_expired(False))
        for other in others:
            identity = _identity(database, other)
            if identity not in seen:
                seen.add(identity)
                found.append(other)
    if not any(declared_relations(type(other)) for other in found):
        return found
    behind = yield from at_once([_deleted_too(database, other, seen) for other in found])
    ordered: list[Any] = []
    for other, its_others in zip(found, behind, strict=True):
        if isinstance(its_others, DynawireError):
            raise its_others
        ordered += [*its_others, other]
    return ordered


def _link_keys(database: Database, relationship: Relationship, item: Any) -> Operation[list[Key[Any]]]:
    """The keys of the links of an item; an index need not hold more of them."""
    links = relationship.links
    assert links is not None
    table = database.table(links.cls)
    paths = [table._target.mapped.paths[attribute.name] for attribute in table._target.plan.key_attributes]
    rows = yield from all_items(link_query(database, relationship, item).hide_expired(False).project(*paths))
    return [table.key(*row) for row in rows]


def _identity(database: Database, item: Any) -> tuple[str, bytes]:
    table = database._table_of_key(item) if isinstance(item, Key) else database.table(type(item))
    return table.name, key_identity(table._target.plan.key_names, table._wire_key(item))


def _delete_all(table: Table[Any], item: Any, others: list[Any], options: dict[str, Any]) -> Operation[None]:
    """Delete others and the item: all or nothing up to 100 items, else in steps of which the item's is the last."""
    last = _Step(table.database)
    last.delete(item, **options)
    (own,) = written_by(last._writes)
    deletes = [_Step(table.database) for _ in others]
    for step, other in zip(deletes, others, strict=True):
        step.delete(other)
    room, first = MAX_ACTIONS - last.operations, len(deletes)
    while first and deletes[first - 1].operations <= room:
        first -= 1
        room -= deletes[first].operations
    steps = _packed(table.database, deletes[:first])
    if steps and "ConditionExpression" in own.request:
        # Nothing of it is deleted when it can be known that the item itself will not be.
        yield from _sent_check(own)
    for step in deletes[first:]:
        last.add(step)
    for step in [*steps, last]:
        yield from step.sent()
    for relationship in cascading_relationships(type(item), "delete"):
        forget(item, relationship.name)


def _packed(database: Database, writes: list[_Step]) -> list[_Step]:
    """The same in as few transactions as the hundred operations of each allow, in order."""
    steps: list[_Step] = []
    for write in writes:
        if not steps or steps[-1].operations + write.operations > MAX_ACTIONS:
            steps.append(_Step(database))
        steps[-1].add(write)
    return steps


def _sent_check(write: Write) -> Operation[None]:
    check = Write(
        write.target,
        "ConditionCheck",
        write.request,
        write.key,
        idempotent=True,
        explain=write.explain,
        applied=lambda _: None,
    )
    try:
        yield from transact_write([check], new_token())
    except TransactionCancelled as cancelled:
        for reason in cancelled.reasons:
            if reason is not None:
                raise reason from None
        raise
