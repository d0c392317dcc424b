"""One step of a workflow: its targets are read, changed, and written if they are still as they were read."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .awaiting import Running, called
from .codec.migrated import MigratedItem
from .errors import (
    ConditionFailed,
    DynawireError,
    ExpressionError,
    OutcomeUnknown,
    StepConflict,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    WorkflowFailed,
)
from .expressions import Condition, all_of
from .key import Key
from .operations.batch import pause
from .operations.delete import prepare_check
from .operations.effects import Sleep
from .operations.get import not_found
from .operations.put import prepare_insert
from .operations.save import prepare_save
from .operations.transact import new_token, transact_write
from .operations.unchanged import read_as_stored, stored_as
from .operations.write import Write

if TYPE_CHECKING:
    from .operations.target import Target
    from .table import Table
    from .workflow import Step, Workflow

__all__ = ["StepRunner", "is_passing"]


class StepRunner:
    """What recorded and transient workflows share: how the changes of a step are made and become writes."""

    def __init__(self, workflow: Workflow, table: Table[Any]) -> None:
        self._workflow = workflow
        self._table = table
        self._name = type(workflow).__name__

    def _steps(self) -> list[Any]:
        """The steps, as the workflow now gives them."""
        from .workflow import Step, Workflow

        steps: Any = self._workflow.steps()
        if hasattr(steps, "__await__"):
            steps.close()
            raise ExpressionError(f"{self._name}.steps() can't be async; what it needs, setup() may find out")
        found = list(steps) if isinstance(steps, Iterable) else None
        if found is None:
            raise ExpressionError(f"{self._name}.steps() must give a list of steps, not {type(steps).__name__}")
        for place, step in enumerate(found):
            if not isinstance(step, (Step, Workflow)):
                raise ExpressionError(
                    f"{self._name}.steps(): step {place + 1} is a {type(step).__name__}; write step(change, key, ...), "
                    "or an instance of a Workflow"
                )
            if isinstance(step, Workflow) and step.transient and not self._workflow.transient:
                raise ExpressionError(
                    f"{self._name}.steps(): step {place + 1} is the transient workflow {type(step).__name__}, which "
                    "could be applied twice after a crash; make it a recorded one"
                )
        return found

    def _what(self, place: int, step: Step) -> str:
        return f"step {place + 1} ({step.name}) of {self._name}"

    def _state(self) -> dict[str, Any]:
        return {name: copy.deepcopy(getattr(self._workflow, name)) for name in self._workflow.__struct_fields__}

    def _restore(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self._workflow, name, value)

    def _record(self, place: int, last: bool) -> list[Write]:
        """The writes that note that a step is done."""
        raise AssertionError

    def _unless_overtaken(self, cancelled: TransactionCancelled) -> Running[bool]:
        """Whether it was not the record that other runners changed."""
        raise AssertionError

    def _lost(self, place: int, error: OutcomeUnknown) -> Running[bool]:
        """Whether a transaction of unknown outcome may be sent again."""
        raise AssertionError

    def _step(self, place: int, step: Step, last: bool) -> Running[bool]:
        """Apply one step; False when other runners were quicker.

        Raises:
            StepConflict: its budget of retries is used up.
        """
        what = self._what(place, step)
        attempt = 0
        conflict: BaseException
        while True:
            state = self._state()
            done = False
            try:
                writes = yield from self._changes(step, what)
                writes = [*self._record(place, last), *writes]
                yield from transact_write(writes, new_token())
                done = True
                return True
            except TransactionCancelled as cancelled:
                self._restore(state)
                if not (yield from self._unless_overtaken(cancelled)):
                    return False
                if not all(is_passing(reason) for reason in cancelled.reasons):
                    raise
                conflict = next((reason for reason in cancelled.reasons if reason is not None), cancelled)
            except OutcomeUnknown as lost:
                self._restore(state)
                if not (yield from self._lost(place, lost)):
                    return False
                conflict = lost
            except WorkflowFailed:
                raise
            except step.retry_on as error:
                conflict = error
            except Exception as error:
                if what not in str(error) and not any(what in note for note in getattr(error, "__notes__", ())):
                    error.add_note(f"raised in {what}; nothing of this step was applied")
                raise
            finally:
                if not done:
                    self._restore(state)
            if attempt >= step.retries:
                raise StepConflict(
                    f"{what} was given up after {attempt} retries ({type(conflict).__name__}); nothing of it was "
                    "applied, and resume() continues with it",
                    attempts=attempt + 1,
                    workflow=self._workflow,
                    step=step.name,
                ) from conflict
            attempt += 1
            yield Sleep(pause(attempt))

    # ------------------------------------------------------------------ targets

    def _changes(self, step: Step, what: str) -> Running[list[Write]]:
        """Read the targets, let the step change them, and say what is to be written."""
        targets: list[_Target] = []
        for given in step.targets:
            target = yield from self._read(given, step, what)
            targets.append(target)
        returned = yield from called(step.change, f"the change of {what}", *(one.item for one in targets))
        added = self._added(returned, targets, what)
        writes = [write for one in targets if (write := one.write(added)) is not None]
        for item in added:
            table = self._table.database.table(type(item))
            writes.append(prepare_insert(table._target, item, None))
        return writes

    def _read(self, given: Any, step: Step, what: str) -> Running[_Target]:
        if not isinstance(given, Key):
            given = yield from called(given, f"the getter of {what}")
        if given is None and step.missing_ok:
            return _Target(None, None, None, None)
        database = self._table.database
        if not isinstance(given, Key):
            if given is None:
                raise ExpressionError(f"the getter of {what} gave nothing; write step(..., missing_ok=True) if it may")
            table = database.table(type(given))
            return _Target(table, given, table._wire_key(given), table._target.adapter.loaded(given))
        if given.database not in (None, database):
            raise ExpressionError(f"{what} has a key of another database than the workflow's")
        table = database._table_of_key(given)
        target = table._target
        key = table._wire_key(given)
        item, stored = yield from read_as_stored(target, key)
        if item is None:
            if not step.missing_ok:
                error = not_found(target, key)
                error.add_note(f"it is a target of {what}; write step(..., missing_ok=True) if it may be missing")
                raise error
            return _Target(table, None, key, None)
        loaded = target.adapter.loaded(item)
        # Where nothing is kept beside an instance, its values as read are what it was loaded from.
        return _Target(table, item, key, target.plan.encode(item) if loaded is None else loaded, stored)

    def _added(self, returned: Any, targets: list[_Target], what: str) -> list[Any]:
        if returned is None:
            return []
        many = returned if isinstance(returned, (list, tuple)) else [returned]
        known = {id(one.item) for one in targets}
        added = [one for one in many if one is not None and id(one) not in known]
        for one in added:
            if not hasattr(type(one), "__mapped__") and type(one) not in self._table.database._tables:
                raise ExpressionError(
                    f"the change of {what} returned a {type(one).__name__}; it returns nothing, or new items to insert"
                )
        return added


def is_passing(reason: DynawireError | None) -> bool:
    """Whether a step may succeed when it is tried again."""
    return reason is None or isinstance(reason, (ConditionFailed, TransactionConflict, Throttled))


class _Target:
    """One item of a step, and what it was when it was read."""

    def __init__(
        self,
        table: Table[Any] | None,
        item: Any,
        key: dict[str, Any] | None,
        loaded: Any,
        stored: dict[str, Any] | None = None,
    ) -> None:
        self.table = table
        self.item = item
        self.key = key
        self.loaded = loaded
        self.stored = stored

    def write(self, added: list[Any]) -> Write | None:
        """What is to be written or checked, so that the change was made of what is stored."""
        if self.table is None or self.key is None:
            return None
        target = self.table._target
        if self.item is None:
            if any(self.table._wire_key(one) == self.key for one in added if isinstance(one, target.kind)):
                return None
            return prepare_check(target, self.key, target.key_path.not_exists())
        if self.loaded is None:
            return prepare_insert(target, self.item, None)
        target = target.of(self.item)
        loaded = target.plan.loaded_wire(self.loaded)
        unchanged = self._unchanged(target, loaded)
        migrated = isinstance(loaded, MigratedItem)
        write = prepare_save(target, self.item, None if migrated else unchanged, loaded)
        if write is not None:
            return write
        exists = target.key_path.exists()
        return prepare_check(target, self.key, exists if unchanged is None else all_of([exists, unchanged]))

    def _unchanged(self, target: Target, loaded: dict[str, Any]) -> Condition | None:
        """That the item is as it was read: by its version, or else all its attributes."""
        version = None if target.upkeep is None else target.upkeep.version
        if version is not None and (number := loaded.get(str(version._steps[0]))) is not None:
            return stored_as(target, {str(version._steps[0]): number})[0]
        # As it came, where that is known: another program may spell the same value differently.
        conditions = stored_as(target, loaded if self.stored is None else self.stored)
        return all_of(conditions) if conditions else None
