"""The four things that can be done to one item: put, delete, update, check a condition.

Each is planned before the database is touched, then runs in a transaction: by itself or together with others.
"""

from __future__ import annotations

from collections.abc import Callable

from dynawire.engines.embedded.capacity import Meter, write_units
from dynawire.engines.embedded.catalog import Catalog
from dynawire.engines.embedded.decoding import encode
from dynawire.engines.embedded.expressions import Condition, Placeholders, Update, parse_condition, parse_update
from dynawire.engines.embedded.failures import Rejected, table_not_found, validation
from dynawire.engines.embedded.parameters import NO_PLACEHOLDERS, placeholders_of
from dynawire.engines.embedded.requests import CheckAction, DeleteAction, PutAction, UpdateAction, UpdateItem
from dynawire.engines.embedded.storage import Execute
from dynawire.engines.embedded.tables import Index, Key, Table
from dynawire.engines.embedded.values import MAX_ITEM_SIZE, Item, check_item, check_value, item_size, value_size
from dynawire.errors import ServiceError

__all__ = [
    "Change",
    "Check",
    "Delete",
    "Put",
    "Stored",
    "UpdateChange",
    "as_rejected",
    "fetch",
    "find_table",
    "plan_check",
    "plan_delete",
    "plan_put",
    "plan_update",
    "store",
]

Stored = tuple[bytes, int]
"""An item as it is stored: its JSON and its size."""


class Change:
    """What is to be done to one item.

    Attributes:
        table: its table.
        key: where it is.
        matches: whether the condition on it holds; None: there is none.
        tells_old: whether it is to be told when the condition fails.
        writes: whether it may change.
    """

    __slots__ = ("key", "matches", "table", "tells_old")

    writes = True

    def __init__(self, table: Table, key: Key, condition: Condition | None, on_failure: str | None = None) -> None:
        self.table = table
        self.key = key
        self.matches: Callable[[Item], bool] | None = None if condition is None else condition.matches
        self.tells_old = on_failure == "ALL_OLD"

    def result(self, old: Item | None, old_size: int) -> tuple[Item | None, int]:
        """The item afterwards and its size; None when there is none.

        Raises:
            Rejected: it cannot be done to this item.
        """
        raise AssertionError("each kind of change has its own result")


class Put(Change):
    """Replace an item."""

    __slots__ = ("item", "size")

    item: Item
    size: int

    def result(self, old: Item | None, old_size: int) -> tuple[Item | None, int]:
        return self.item, self.size


class Delete(Change):
    """Remove an item."""

    __slots__ = ()

    def result(self, old: Item | None, old_size: int) -> tuple[Item | None, int]:
        return None, 0


class Check(Change):
    """Leave an item as it is."""

    __slots__ = ()

    writes = False


class UpdateChange(Change):
    """Change an item, which is made when it does not exist."""

    __slots__ = ("attributes", "update")

    attributes: Item
    update: Update | None

    def result(self, old: Item | None, old_size: int) -> tuple[Item | None, int]:
        update = self.update
        if old is None:
            old = self.attributes
            old_size = item_size(old)
        if update is None:
            return dict(old), old_size
        try:
            new = update.apply(old)
        except ServiceError as error:
            raise as_rejected(error) from None
        size = old_size
        for name in update.top_level_names:
            before, after = old.get(name), new.get(name)
            if before is not after:
                length = len(name.encode())
                if before is not None:
                    size -= length + value_size(before)
                if after is not None:
                    size += length + value_size(after)
        # The service also measures the update itself, without the key.
        cost = 3 + 19 * update.setting + 2 * update.clearing
        if size + cost > MAX_ITEM_SIZE and max(size, size - item_size(self.attributes) + cost) > MAX_ITEM_SIZE:
            raise Rejected("Item size to update has exceeded the maximum allowed size")
        self.table.check_index_keys(new)
        return new, size


def plan_put(catalog: Catalog, request: PutAction) -> Put:
    """Plan a put. What is wrong with the request is raised first, then what does not fit its table.

    Raises:
        ServiceError: the request is wrong in itself.
        Rejected: the item does not fit its table.
    """
    placeholders = _placeholders(request)
    item = request.Item
    size = check_item(item)
    if size > MAX_ITEM_SIZE:
        raise validation("Item size has exceeded the maximum allowed size")
    condition = _condition(request, placeholders)
    table = find_table(catalog, request.TableName)
    if condition is not None:
        condition.check_key_paths(table.key_types, table.index_key_names)
    change = Put(table, table.item_key(item), condition, request.ReturnValuesOnConditionCheckFailure)
    change.item = item
    change.size = size
    if table.index_list:
        table.check_index_keys(item)
        if table.local:
            table.check_local_entries(item, size)
    return change


def plan_delete(catalog: Catalog, request: DeleteAction) -> Delete:
    """Plan a delete; errors as of :func:`plan_put`."""
    condition = _condition(request, _placeholders(request))
    table = find_table(catalog, request.TableName)
    if condition is not None:
        condition.check_key_paths(table.key_types, table.index_key_names)
    return Delete(table, table.key(request.Key), condition, request.ReturnValuesOnConditionCheckFailure)


def plan_check(catalog: Catalog, request: CheckAction) -> Check:
    """Plan a condition check; errors as of :func:`plan_put`."""
    condition = _condition(request, _placeholders(request))
    table = find_table(catalog, request.TableName)
    if condition is not None:
        condition.check_key_paths(table.key_types, table.index_key_names)
    return Check(table, table.key(request.Key), condition, request.ReturnValuesOnConditionCheckFailure)


def plan_update(catalog: Catalog, request: UpdateAction | UpdateItem) -> UpdateChange:
    """Plan an update; errors as of :func:`plan_put`."""
    expression = request.UpdateExpression
    condition = update = None
    placeholders = placeholders_of(
        request.ExpressionAttributeNames,
        request.ExpressionAttributeValues,
        {"UpdateExpression": expression, "ConditionExpression": request.ConditionExpression},
    )
    if expression is not None:
        update = parse_update(expression, placeholders)
    if request.ConditionExpression is not None:
        condition = parse_condition(request.ConditionExpression, placeholders)
    placeholders.check_all_used()
    table = find_table(catalog, request.TableName)
    if update is not None:
        update.check_key_paths(table.key_types, table.index_key_names)
    if condition is not None:
        condition.check_key_paths(table.key_types, table.index_key_names)
    key = request.Key
    change = UpdateChange(table, table.key(key), condition, request.ReturnValuesOnConditionCheckFailure)
    for value in key.values():
        check_value(value)
    change.attributes = key
    change.update = update
    if update is not None:
        try:
            update.check_key_names(table.key_types)
        except ServiceError as error:
            raise as_rejected(error) from None
    return change


def find_table(catalog: Catalog, name: str) -> Table:
    """The table of a request on items.

    Raises:
        ServiceError: ``ResourceNotFoundException``, or ``ValidationException`` for what cannot be a table's name.
    """
    table = catalog.tables.get(name) or catalog.find(name)
    if table is None:
        raise table_not_found()
    return table


def as_rejected(error: ServiceError) -> Rejected:
    """A ``ValidationException`` about one item as the reason of a cancellation."""
    return Rejected(error.message.removeprefix(f"{error.code}: "))


def fetch(execute: Execute, change: Change) -> Stored | None:
    """The item as it is."""
    row: Stored | None = execute(change.table.fetch, change.key).fetchone()
    return row


def store(
    execute: Execute,
    change: Change,
    old: Item | None,
    old_size: int,
    new: Item | None,
    new_size: int,
    meter: Meter | None,
) -> bytes | None:
    """Write the result of a change, to the table and its indexes.

    Args:
        execute: the transaction.
        change: the change.
        old: the item before; may be left out where the table has no index.
        old_size: its size, 0 without one.
        new: the item afterwards; None deletes it.
        new_size: its size.
        meter: where to count units, or None.

    Returns:
        The new item as stored.
    """
    table, (hk, sk) = change.table, change.key
    if new is None:
        data = None
        execute(table.delete, (hk, sk))
    else:
        data = encode(new)
        execute(table.upsert, (hk, sk, new_size, data))
    if meter is not None:
        meter.count(write_units(max(old_size, new_size)))
    for index in table.index_list:
        _store_entry(execute, index, change.key, old, old_size, new, new_size, data, meter)
    return data


def _store_entry(
    execute: Execute,
    index: Index,
    key: Key,
    old: Item | None,
    old_size: int,
    new: Item | None,
    new_size: int,
    data: bytes | None,
    meter: Meter | None,
) -> None:
    before = None if old is None else index.place(old)
    after = None if new is None else index.place(new)
    units = 0.0
    view_size = 0
    if after is not None:
        assert new is not None
        view, view_size = index.view_size(new, new_size)
        if before == after:
            assert old is not None
            old_view, old_view_size = index.view_size(old, old_size)
            if view == old_view:
                return
            units = write_units(max(view_size, old_view_size))
        else:
            units = write_units(view_size)
        if view is not new:
            data = encode(view)
        execute(index.upsert, (*after, *key, view_size, data))
    if before is not None and before != after:
        assert old is not None
        execute(index.delete, (*before, *key))
        units += write_units(index.view_size(old, old_size)[1])
    if units and meter is not None:
        meter.count(units, index)


def _placeholders(request: PutAction | DeleteAction | CheckAction) -> Placeholders:
    names, values = request.ExpressionAttributeNames, request.ExpressionAttributeValues
    if names is None and values is None:
        return NO_PLACEHOLDERS if request.ConditionExpression is None else Placeholders(None, None)
    return placeholders_of(names, values, {"ConditionExpression": request.ConditionExpression})


def _condition(request: PutAction | DeleteAction | CheckAction, placeholders: Placeholders) -> Condition | None:
    if request.ConditionExpression is None:
        return None
    condition = parse_condition(request.ConditionExpression, placeholders)
    placeholders.check_all_used()
    return condition
