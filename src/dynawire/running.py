"""Running workflows: each step's changes and the record that it is done are one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .awaiting import Running, called
from .errors import (
    ConditionFailed,
    ExpressionError,
    ItemExists,
    ItemNotFound,
    OutcomeUnknown,
    StepConflict,
    TransactionCancelled,
    TransactionConflict,
    VersionConflict,
    WorkflowFailed,
)
from .operations.delete import prepare_check
from .operations.get import get_item, refresh_item
from .operations.put import prepare_insert
from .operations.save import prepare_save
from .operations.transact import new_token, send_exactly_once, transact_write
from .operations.write import Write
from .stepping import StepRunner, is_passing

if TYPE_CHECKING:
    from .table import Table
    from .workflow import Workflow

__all__ = ["run_workflow"]

MAX_OVERTAKINGS = 100
"""How often a runner looks again because others changed the workflow's own item."""
MAX_NESTING = 32
"""How deep workflows may stand in workflows; what is deeper leads to itself."""


def run_workflow(workflow: Workflow, table: Table[Any]) -> Running[None]:
    """Run a workflow from where it stands to its end.

    Raises:
        WorkflowFailed: it failed, now or earlier.
        StepConflict: other writers were in the way of a step more often than its budget allows.
    """
    runner = _Transient(workflow, table) if workflow.transient else _Recorded(workflow, table)
    return runner.run()


# ---------------------------------------------------------------------- recorded


class _Recorded(StepRunner):
    """A workflow that is an item: what it does and that it did so are one."""

    def __init__(self, workflow: Workflow, table: Table[Any]) -> None:
        super().__init__(workflow, table)
        self._target = table._target

    def run(self) -> Running[None]:
        workflow = self._workflow
        if self._target.adapter.loaded(workflow) is None:
            yield from self._begin()
        if workflow.workflow not in ("", self._name):
            raise ExpressionError(
                f"this workflow was started as {workflow.workflow}, not as {self._name}; resume it with its own class"
            )
        overtaken = 0
        while overtaken <= MAX_OVERTAKINGS:
            if workflow.status == "done":
                return
            if workflow.status == "failed":
                raise self._failed(None)
            try:
                advanced = yield from (self._set_up() if workflow.status == "pending" else self._next())
            except WorkflowFailed as failed:
                if failed.workflow is workflow:
                    raise
                advanced = yield from self._fail(failed)
            if not advanced:
                overtaken += 1
                yield from self._refresh()
        raise StepConflict(
            f"other runners of this {self._name} were quicker {MAX_OVERTAKINGS} times; resume() continues",
            attempts=overtaken,
            workflow=workflow,
            step=None,
        )

    # ------------------------------------------------------------------ its own item

    def _begin(self) -> Running[None]:
        workflow = self._workflow
        state = self._state()
        workflow.workflow = workflow.unfinished = self._name
        workflow.status, workflow.steps_done, workflow.plan, workflow.failure = "pending", 0, [], None
        try:
            yield from send_exactly_once(prepare_insert(self._target, workflow, None))
        except ItemExists as error:
            self._restore(state)
            error.add_note(f"a {self._name} of this workflow_id was started already; resume() continues it")
            raise
        except BaseException:
            self._restore(state)
            raise

    def _set_up(self) -> Running[bool]:
        """Let it prepare itself, once as far as is stored; False when other runners were quicker."""
        workflow = self._workflow

        def prepare() -> Running[None]:
            yield from called(workflow.setup, f"setup() of {self._name}")
            names = [_step_name(step) for step in self._steps()]
            workflow.workflow = workflow.unfinished = self._name
            workflow.plan, workflow.steps_done, workflow.status = names, 0, "running"
            if not names:
                workflow.status, workflow.unfinished = "done", None

        return (yield from self._saved(prepare))

    def _fail(self, failed: WorkflowFailed) -> Running[bool]:
        """Record that it failed; False when other runners were quicker."""
        workflow = self._workflow

        def fail() -> Running[None]:
            workflow.status, workflow.failure, workflow.unfinished = "failed", failed.message, None
            yield from ()

        if not (yield from self._saved(fail)):
            return False
        raise self._failed(failed) from failed.__cause__

    def _failed(self, failed: WorkflowFailed | None) -> WorkflowFailed:
        workflow = self._workflow
        place = workflow.steps_done
        step = workflow.plan[place] if place < len(workflow.plan) else "setup"
        error = failed or WorkflowFailed(workflow.failure or "")
        error.__dict__.update(workflow=workflow, step=step)
        return error

    def _saved(self, change: Callable[[], Running[None]]) -> Running[bool]:
        """Change the workflow's own attributes and save them; False when other runners changed it meanwhile."""
        state = self._state()
        done = False
        try:
            yield from change()
            write = prepare_save(self._target, self._workflow, None)
            assert write is not None
            yield from send_exactly_once(write)
            done = True
            return True
        except (VersionConflict, TransactionConflict):
            return False
        finally:
            if not done:
                self._restore(state)

    def _refresh(self) -> Running[None]:
        try:
            yield from refresh_item(self._target, self._workflow, True)
        except ItemNotFound as error:
            error.add_note(f"this {self._name} was deleted while it was running")
            raise

    # ------------------------------------------------------------------ steps

    def _next(self) -> Running[bool]:
        workflow = self._workflow
        steps = self._steps()
        names = [_step_name(step) for step in steps]
        if names != workflow.plan:
            raise ExpressionError(
                f"the steps of this {self._name} are not those it was started with: then ({', '.join(workflow.plan)}), "
                f"now ({', '.join(names)}); finish it with the program that started it, or let steps() depend on what "
                "setup() stores"
            )
        place = workflow.steps_done
        last = place + 1 == len(steps)
        step = steps[place]
        if hasattr(step, "change"):
            return (yield from self._step(place, step, last))
        return (yield from self._sub(place, step, last))

    def _record(self, place: int, last: bool) -> list[Write]:
        workflow = self._workflow
        workflow.steps_done = place + 1
        if last:
            workflow.status, workflow.unfinished = "done", None
        write = prepare_save(self._target, workflow, None)
        assert write is not None
        return [write]

    def _unless_overtaken(self, cancelled: TransactionCancelled) -> Running[bool]:
        # The record is the first of the operations.
        yield from ()
        return not (cancelled.reasons and isinstance(cancelled.reasons[0], ConditionFailed))

    def _lost(self, place: int, error: OutcomeUnknown) -> Running[bool]:
        # If it is applied yet, a second one of the same version is refused.
        before = self._workflow.revision
        yield from self._refresh()
        return bool(self._workflow.revision == before)

    def _sub(self, place: int, sub: Workflow, last: bool) -> Running[bool]:
        """Run a workflow to its end, and then record this step if that is done."""
        workflow = self._workflow
        table = self._table.database.table(type(sub))
        sub.workflow_id = f"{workflow.workflow_id}/{place + 1}"
        if sub.workflow_id.count("/") > MAX_NESTING:
            raise ExpressionError(
                f"{self._name}.steps(): workflows of workflows are more than {MAX_NESTING} deep; does {self._name} "
                "lead to itself?"
            )
        found = yield from get_item(table._target, (sub.workflow_id,), None, True)
        try:
            yield from run_workflow(found or sub, table)
        except ItemExists:
            # Another runner of this workflow was quicker.
            found = yield from get_item(table._target, (sub.workflow_id,), None, True)
            if found is None:
                raise
            yield from run_workflow(found, table)
        except WorkflowFailed as failed:
            raise WorkflowFailed(f"its {type(sub).__name__} failed: {failed.message}") from failed
        state = self._state()
        done = False
        key = table._wire_key(sub)
        is_done = table._target.mapped.paths["status"] == "done"
        try:
            yield from transact_write(
                [*self._record(place, last), prepare_check(table._target, key, is_done)], new_token()
            )
            done = True
            return True
        except TransactionCancelled as cancelled:
            if not all(map(is_passing, cancelled.reasons)):
                raise
            return False
        except OutcomeUnknown:
            return False
        finally:
            if not done:
                self._restore(state)


def _step_name(step: Any) -> str:
    name: str = step.name if hasattr(step, "change") else type(step).__name__
    return name


# ---------------------------------------------------------------------- transient


class _Transient(StepRunner):
    """A workflow that is not recorded: each step is applied once, and after a crash nobody knows which were."""

    def run(self) -> Running[None]:
        workflow = self._workflow
        try:
            yield from called(workflow.setup, f"setup() of {self._name}")
            steps = self._steps()
            workflow.workflow, workflow.plan = self._name, [_step_name(step) for step in steps]
            workflow.status, workflow.steps_done = "running", 0
            for place, step in enumerate(steps):
                if hasattr(step, "change"):
                    yield from self._step(place, step, place + 1 == len(steps))
                else:
                    yield from run_workflow(step, self._table.database.table(type(step)))
                workflow.steps_done = place + 1
        except WorkflowFailed as failed:
            workflow.status, workflow.failure = "failed", failed.message
            place = workflow.steps_done
            step_name = workflow.plan[place] if workflow.plan else "setup"
            failed.__dict__.update(workflow=workflow, step=step_name)
            raise
        workflow.status = "done"

    def _record(self, place: int, last: bool) -> list[Write]:
        return []

    def _unless_overtaken(self, cancelled: TransactionCancelled) -> Running[bool]:
        yield from ()
        return True

    def _lost(self, place: int, error: OutcomeUnknown) -> Running[bool]:
        yield from ()
        raise error
