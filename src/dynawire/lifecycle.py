"""Making, changing and deleting the table of a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .operations.twins import asynchronous, sync

if TYPE_CHECKING:
    from .engines.protocol import Engine
    from .operations.effects import Operation
    from .operations.tables import TableDescription
    from .operations.target import Target

__all__ = ["TABLE_TIMEOUT", "TableLifecycle"]

TABLE_TIMEOUT = 300.0


class TableLifecycle:
    """What is done with a table itself."""

    _target: Target
    _engine: Engine
    _shown: str

    if TYPE_CHECKING:

        @property
        def name(self) -> str:
            """The table's full name."""
            ...

    def _create(self, *, exist_ok: bool = True, wait: bool = True, timeout: float = TABLE_TIMEOUT) -> Operation[bool]:
        """Create the table as its class declares it (CreateTable, UpdateTimeToLive).

        Args:
            exist_ok: whether a table that exists already is fine. It is not changed; what it lacks that
                :meth:`update_definition` can mend, a :class:`~dynawire.SchemaWarning` tells.
            wait: whether to return only when it can be used.
            timeout: for how many seconds to wait.

        Returns:
            Whether it was made.

        Raises:
            TableInUse: it exists and ``exist_ok`` is false.
            SchemaError: it exists with another key, or other local indexes, than the class declares.
        """
        from .operations.table_create import create_tables

        made = yield from create_tables([self._target], exist_ok=exist_ok, wait=wait, timeout=timeout)
        return bool(made)

    def _describe(self) -> Operation[TableDescription]:
        """What the service says of the table (DescribeTable).

        Raises:
            TableNotFound: there is none.
        """
        from .operations.tables import describe_table

        return describe_table(self.name, self._target)

    def _update_definition(
        self, *, delete_indexes: bool = False, timeout: float = TABLE_TIMEOUT
    ) -> Operation[list[str]]:
        """Bring the table to what its class declares (UpdateTable, UpdateTimeToLive): billing, capacity, stream,
        indexes.

        Args:
            delete_indexes: whether global indexes the class does not declare are deleted, and those it declares with
                other keys or another projection replaced.
            timeout: for how many seconds to wait for each step.

        Returns:
            What was done, a line each; empty when nothing differed.

        Raises:
            TableNotFound: there is no such table.
            SchemaError: something differs that can't be changed (keys, local indexes), or only with
                ``delete_indexes``; nothing was sent.
        """
        from .operations.table_update import update_table

        return update_table(self._target, delete_indexes=delete_indexes, timeout=timeout)

    def _drop(self, *, missing_ok: bool = True, wait: bool = True, timeout: float = TABLE_TIMEOUT) -> Operation[bool]:
        """Delete the table with all its items (DeleteTable); True when there was one."""
        from .operations.tables import delete_table

        return delete_table(self.name, missing_ok=missing_ok, wait=wait, timeout=timeout)

    create = sync(_create)
    acreate = asynchronous(_create)
    describe = sync(_describe)
    adescribe = asynchronous(_describe)
    update_definition = sync(_update_definition)
    aupdate_definition = asynchronous(_update_definition)
    drop = sync(_drop)
    adrop = asynchronous(_drop)
