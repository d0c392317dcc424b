"""``migrate_all``, as tables and models have it; loaded when it is used."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from .operations.twins import asynchronous, mark_methods, sync

if TYPE_CHECKING:
    from .database import Database
    from .engines.protocol import Engine
    from .operations.checkpoints import CheckpointLike
    from .operations.effects import Operation
    from .operations.migrating import MigrationResult
    from .operations.target import Target

__all__ = ["ModelMigrating", "TableMigrating"]


class TableMigrating:
    """What a table does with the items of earlier versions."""

    database: Database
    _target: Target
    _engine: Engine
    _shown: str

    def _migrate_all(
        self,
        *,
        segments: int = 4,
        page_size: int = 100,
        dry_run: bool = False,
        progress: Callable[[MigrationResult], None] | None = None,
        read_units: float | None = None,
        write_units: float | None = None,
        checkpoint: CheckpointLike = None,
        resume: Mapping[str, Any] | None = None,
    ) -> Operation[MigrationResult]:
        """Write every item of an earlier version as the latest one: the table is read in parallel segments (Scan), and
        each such item written under the condition that nobody changed it meanwhile (UpdateItem); if somebody did, it is
        read and migrated again.

        It may run while the table is in use, and as often as one likes: items of the latest version are left alone.
        Each write does what ``save()`` does: it raises a ``version()`` and sets ``updated_at()``.

        Args:
            segments: in how many parts the table is read at the same time, 1 to 256; when it resumes, those of the
                checkpoint.
            page_size: how many items of a segment are read at a time, 1 to 1,000.
            dry_run: read and migrate, but write nothing: what would be done, and which items would fail.
            progress: called with the result so far, after every page of the segments.
            read_units, write_units: capacity units a second consumed on average at the most; None: no limit.
            checkpoint: the path of a file that keeps how far it got: a call that finds it goes on from there, and it is
                removed at the end. Or a function that receives the same as a dict which can be written as JSON.
            resume: such a dict to go on from.

        Returns:
            What was done. Items that could not be migrated, because no version recognises them or a migration failed,
            are in its ``failures`` with their keys, and stay as they are.

        Raises:
            SchemaError: the class has no migrations.
            ExpressionError: the checkpoint is of another table, class or version, or an argument is out of range.
            DynawireError: the service refused; what was written stays, and a checkpoint goes on from there.
        """
        from .many import whole_number
        from .operations.checkpoints import Checkpoints
        from .operations.migrating import MAX_MIGRATION_SEGMENTS, migrate_all

        whole_number("segments=", segments, 1, MAX_MIGRATION_SEGMENTS)
        whole_number("page_size=", page_size, 1, 1000)
        return migrate_all(
            self._target,
            segments=segments,
            page_size=page_size,
            dry_run=dry_run,
            progress=progress,
            read_units=read_units,
            write_units=write_units,
            checkpoint=Checkpoints(checkpoint, resume),
        )

    migrate_all = sync(_migrate_all)
    amigrate_all = asynchronous(_migrate_all)


class ModelMigrating:
    """What a model does with the items of earlier versions, on the current database."""

    __slots__ = ()

    @classmethod
    def migrate_all(
        cls,
        *,
        segments: int = 4,
        page_size: int = 100,
        dry_run: bool = False,
        progress: Callable[[MigrationResult], None] | None = None,
        read_units: float | None = None,
        write_units: float | None = None,
        checkpoint: CheckpointLike = None,
        resume: Mapping[str, Any] | None = None,
    ) -> MigrationResult:
        """Write every item of an earlier version as the latest one (UpdateItem). See :meth:`Table.migrate_all`."""
        return _table_of(cls).migrate_all(
            segments=segments,
            page_size=page_size,
            dry_run=dry_run,
            progress=progress,
            read_units=read_units,
            write_units=write_units,
            checkpoint=checkpoint,
            resume=resume,
        )

    @classmethod
    def amigrate_all(
        cls,
        *,
        segments: int = 4,
        page_size: int = 100,
        dry_run: bool = False,
        progress: Callable[[MigrationResult], None] | None = None,
        read_units: float | None = None,
        write_units: float | None = None,
        checkpoint: CheckpointLike = None,
        resume: Mapping[str, Any] | None = None,
    ) -> Coroutine[Any, Any, MigrationResult]:
        """Write every item of an earlier version as the latest one (UpdateItem). See :meth:`Table.migrate_all`."""
        return _table_of(cls).amigrate_all(
            segments=segments,
            page_size=page_size,
            dry_run=dry_run,
            progress=progress,
            read_units=read_units,
            write_units=write_units,
            checkpoint=checkpoint,
            resume=resume,
        )


mark_methods(ModelMigrating)


def _table_of(cls: type[Any]) -> TableMigrating:
    from .database import table_of

    return table_of(cls)
