"""``find``, ``update_where`` and ``delete_where``, as tables and models have them; loaded when they are used."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from .errors import ExpressionError
from .operations.twins import asynchronous, mark_methods, sync

if TYPE_CHECKING:
    from .database import Database
    from .engines.protocol import Engine
    from .expressions import Condition, Update
    from .find import Find
    from .key import ConditionLike
    from .operations.batch import Progress
    from .operations.effects import Operation
    from .operations.finding.where import WhereResult
    from .operations.target import Target

__all__ = ["ModelFinding", "TableFinding"]

T = TypeVar("T")


class TableFinding(Generic[T]):
    """What a table does with the items of which a condition holds."""

    database: Database
    _target: Target
    _engine: Engine
    _shown: str

    def find(self, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Find[T]:
        """The items of which all this holds, read by key, by queries or by a scan: whatever is cheapest.

        Args:
            conditions: such as ``(Airport.city == "Austin") & (Airport.visits > 3)``; none: every item.
            lookups: the same by name: ``find(city="Austin", visits__gt=3)``.

        Raises:
            ScanNotAllowed: when items are read: only a scan would serve, and none is allowed.
        """
        from .find import find_of

        return find_of(self, conditions, lookups)

    def _update_where(
        self,
        condition: ConditionLike,
        /,
        *updates: Update,
        dry_run: bool = False,
        progress: Progress | None = None,
        per_second: float | None = None,
        allow_scan: bool | None = None,
        **changes: Any,
    ) -> Operation[WhereResult]:
        """Update every item of which a condition holds: found as by ``find``, written one by one (UpdateItem).

        Each write is made only if the condition still holds of the item, which is otherwise skipped. It is not atomic:
        when it ends early, what was written stays written.

        Args:
            condition: what holds of the items.
            updates: such as ``Airport.visits.set(0)``.
            dry_run: only count the items found.
            progress: called with the number of items done since the last call.
            per_second: how many items are written in a second at the most; None: as fast as the service answers.
            allow_scan: whether the items may be found by a scan; None: as the model and the database say.
            changes: the updates by name, as in ``update()``.

        Returns:
            How many items were found, written, skipped because they had changed, and failed.

        Raises:
            ExpressionError: there is no condition, or the updates are none that DynamoDB could run.
            ScanNotAllowed: the items could only be found by a scan, and none is allowed.
        """
        from .where import update_where

        return update_where(
            self._find_where("update_where", condition, allow_scan),
            updates,
            changes,
            dry_run=dry_run,
            progress=progress,
            per_second=per_second,
        )

    def _delete_where(
        self,
        condition: ConditionLike,
        /,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
        per_second: float | None = None,
        allow_scan: bool | None = None,
    ) -> Operation[WhereResult]:
        """Delete every item of which a condition holds (DeleteItem); see :meth:`update_where`."""
        from .where import delete_where

        find = self._find_where("delete_where", condition, allow_scan)
        return delete_where(find, dry_run=dry_run, progress=progress, per_second=per_second)

    def _find_where(self, name: str, condition: ConditionLike, allow_scan: bool | None) -> Find[T]:
        from .find import find_of
        from .operations.target import as_condition

        # Of the caller: a find has conditions of its own, such as that items are of the class.
        if as_condition(self._target, condition) is None:
            raise ExpressionError(
                f"{name}() needs a condition; for every item write one that always holds, such as "
                "partition_key.exists()"
            )
        # Writes reach whatever is stored, items that have expired among them.
        find = find_of(self, (condition,), {}).hide_expired(False)
        return find if allow_scan is None else find.allow_scan(allow_scan)

    @property
    def _scan_allowed(self) -> bool:
        by_model = self._target.mapped.mapping.options.allow_scan
        return self.database.allow_scan if by_model is None else by_model

    update_where = sync(_update_where)
    aupdate_where = asynchronous(_update_where)
    delete_where = sync(_delete_where)
    adelete_where = asynchronous(_delete_where)


class ModelFinding:
    """What a model does with the items of which a condition holds, on the current database."""

    __slots__ = ()

    @classmethod
    def find(cls, *conditions: Condition | Mapping[str, Any], **lookups: Any) -> Find[Self]:
        """The items of which all this holds, read in the cheapest way there is. See :meth:`Table.find`."""
        return _table_of(cls).find(*conditions, **lookups)

    @classmethod
    def update_where(
        cls,
        condition: ConditionLike,
        /,
        *updates: Update,
        dry_run: bool = False,
        progress: Progress | None = None,
        per_second: float | None = None,
        allow_scan: bool | None = None,
        **changes: Any,
    ) -> WhereResult:
        """Update every item of which a condition holds, one by one (UpdateItem). See :meth:`Table.update_where`."""
        return _table_of(cls).update_where(
            condition,
            *updates,
            dry_run=dry_run,
            progress=progress,
            per_second=per_second,
            allow_scan=allow_scan,
            **changes,
        )

    @classmethod
    def aupdate_where(
        cls,
        condition: ConditionLike,
        /,
        *updates: Update,
        dry_run: bool = False,
        progress: Progress | None = None,
        per_second: float | None = None,
        allow_scan: bool | None = None,
        **changes: Any,
    ) -> Coroutine[Any, Any, WhereResult]:
        """Update every item of which a condition holds, one by one (UpdateItem). See :meth:`Table.update_where`."""
        return _table_of(cls).aupdate_where(
            condition,
            *updates,
            dry_run=dry_run,
            progress=progress,
            per_second=per_second,
            allow_scan=allow_scan,
            **changes,
        )

    @classmethod
    def delete_where(
        cls,
        condition: ConditionLike,
        /,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
        per_second: float | None = None,
        allow_scan: bool | None = None,
    ) -> WhereResult:
        """Delete every item of which a condition holds, one by one (DeleteItem). See :meth:`Table.delete_where`."""
        return _table_of(cls).delete_where(
            condition, dry_run=dry_run, progress=progress, per_second=per_second, allow_scan=allow_scan
        )

    @classmethod
    def adelete_where(
        cls,
        condition: ConditionLike,
        /,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
        per_second: float | None = None,
        allow_scan: bool | None = None,
    ) -> Coroutine[Any, Any, WhereResult]:
        """Delete every item of which a condition holds, one by one (DeleteItem). See :meth:`Table.delete_where`."""
        return _table_of(cls).adelete_where(
            condition, dry_run=dry_run, progress=progress, per_second=per_second, allow_scan=allow_scan
        )


mark_methods(ModelFinding)


def _table_of(cls: type[T]) -> TableFinding[T]:
    from .database import table_of

    return table_of(cls)
