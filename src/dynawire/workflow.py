"""``Workflow``: changes of several items, one after the other, each applied exactly once whatever crashes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, Self, TypeVar

from .awaiting import Running, adrive, drive
from .database import table_of
from .declare import Attr, attr, partition_key
from .errors import DecodeError, ExpressionError, SchemaError, WorkflowFailed
from .expressions import Condition
from .ids import ulid
from .index import GlobalIndex
from .key import Key
from .managed import created_at, updated_at, version
from .many import whole_number
from .model import Model
from .operations.get import get_existing
from .operations.pages import PageReader
from .operations.reads import compile_read, read_of_query
from .running import run_workflow
from .table import Table

__all__ = ["Step", "Workflow", "WorkflowReport", "step"]

W = TypeVar("W", bound="Workflow")

MAX_RETRIES = 1000

Status = Literal["pending", "running", "done", "failed"]


class Step:
    """One step of a workflow, made by :func:`step`."""

    __slots__ = ("change", "missing_ok", "name", "retries", "retry_on", "targets")

    def __init__(
        self,
        change: Callable[..., Any],
        targets: tuple[Any, ...],
        name: str,
        retries: int,
        retry_on: tuple[type[Exception], ...],
        missing_ok: bool,
    ) -> None:
        self.change = change
        self.targets = targets
        self.name = name
        self.retries = retries
        self.retry_on = retry_on
        self.missing_ok = missing_ok

    def __repr__(self) -> str:
        return f"<Step {self.name} of {len(self.targets)} targets>"


def step(
    change: Callable[..., Any],
    *targets: Key[Any] | Callable[[], Any],
    name: str | None = None,
    retries: int = 10,
    retry_on: type[Exception] | tuple[type[Exception], ...] = (),
    missing_ok: bool = False,
) -> Step:
    """One step: what is read, and what is changed of it.

    Args:
        change: called with the item of each target; it changes them and, if it likes, attributes of the workflow. It
            returns nothing, or new items to insert. It may be called several times, and only the changes of the last
            call are written, so it does nothing else. In ``arun()`` it may be async. Raising
            :class:`~dynawire.WorkflowFailed` ends the workflow as failed; after any other error it can be resumed.
        targets: keys of items, which are read consistently; or getters: functions without arguments that give an item
            as it was read, or a key. All of them and the workflow are written in one transaction, so there are 99 at
            most. An item that is not changed must still be as it was read.
        name: what it is called in the workflow's ``plan``; the change's own name unless given.
        retries: how often it is tried again because other writers changed its targets.
        retry_on: errors of the change after which it is tried again, within the same budget.
        missing_ok: whether a target may be missing; the change is then given None, and may return it as a new item.

    Raises:
        ExpressionError: an argument is none of these.
    """
    given: Any = change
    if not callable(given) or isinstance(given, Workflow):
        raise ExpressionError(f"step() takes a function first, then keys; not {type(change).__name__}")
    target: Any
    for target in targets:
        if not isinstance(target, Key) and (not callable(target) or isinstance(target, type)):
            raise ExpressionError(
                f"a target of a step is a key such as Account.key(...), or a function that gives an item; not "
                f"{type(target).__name__}"
            )
    whole_number("retries=", retries, 0, MAX_RETRIES)
    errors: tuple[Any, ...] = retry_on if isinstance(retry_on, tuple) else (retry_on,)
    if not all(isinstance(one, type) and issubclass(one, Exception) for one in errors):
        raise ExpressionError("retry_on= takes classes of errors")
    named = str(name or getattr(given, "__name__", type(given).__name__))
    return Step(change, targets, named, retries, errors, missing_ok)


class WorkflowReport:
    """What ``resume_all()`` did.

    Attributes:
        done: workflows that are done now.
        failed: workflows that failed now; why is in their ``failure``.
        stuck: ``(workflow_id, error)`` of those that can be resumed again.
    """

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.failed: list[Any] = []
        self.stuck: list[tuple[str, Exception]] = []

    def __repr__(self) -> str:
        return f"<WorkflowReport: {len(self.done)} done, {len(self.failed)} failed, {len(self.stuck)} stuck>"


class Workflow(Model[str, None], abstract=True):
    """Changes of several items that must all happen, recorded in an item of its own: it survives crashes.

    ``class Transfer(Workflow, table="workflows")`` declares attributes as any Model, and ``steps()``. ``run()`` inserts
    it, calls ``setup()``, and applies the steps one by one. The changes of a step and the record that it is done are
    **one transaction** (TransactWriteItems), conditional on the record and on what the step has read: each step is
    applied exactly once, whoever runs it, however often, and wherever a process ends. ``resume()`` continues one,
    ``resume_all()`` all that are not finished.

    A step that can't succeed raises :class:`~dynawire.WorkflowFailed`: the workflow is then ``failed`` for good. Steps
    that are done stay done; what to do about them is the program's, in steps of another workflow.

    Several classes may share one table. A class with ``transient = True`` is not recorded: its steps are each applied
    once, but after a crash nobody knows which; it can't be resumed.

    Attributes:
        workflow_id: its key; a ULID unless given. One id starts one workflow, however often it is run.
        workflow: the name of its class. A class that is renamed no longer finds those begun under its old name.
        status: ``pending`` (before its setup is stored), ``running``, ``done`` or ``failed``.
        steps_done: how many steps are done.
        plan: the names of its steps, as they were when it started.
        failure: why it failed.
        revision: its version.
        started, changed: when it was begun, and when its last step was done.
        unfinished: the class's name until it is done or failed: the key of the index of those that are not.
    """

    transient: ClassVar[bool] = False

    workflow_id: Attr[str] = partition_key(default_factory=ulid)
    workflow: Attr[str] = attr(default="")
    status: Attr[Status] = attr(default="pending")
    steps_done: Attr[int] = attr(default=0, ge=0)
    plan: Attr[list[str]] = attr(default_factory=list)
    failure: Attr[str | None] = attr(default=None)
    revision: Attr[int] = version()
    started: Attr[datetime | None] = created_at()
    changed: Attr[datetime | None] = updated_at()
    unfinished: Attr[str | None] = attr(default=None)

    by_unfinished = GlobalIndex(partition_key="unfinished", sort_key="workflow_id")

    # ------------------------------------------------------------------ what a class says

    def setup(self) -> Any:
        """Prepare it: look things up, set attributes. What it sets is stored once, before the first step.

        It may run again after a crash, so it writes nothing else. In ``arun()`` it may be async.
        """

    def steps(self) -> Sequence[Step | Workflow]:
        """The steps, in order: :func:`step`, or other workflows, which run to their end as one step.

        It is called before every step and gives the same steps each time, whatever their number and names depend on
        being attributes that ``setup()`` set.
        """
        raise SchemaError(
            f"{type(self).__name__} has no steps; define steps(self), which returns a list of step(change, key, ...)",
            model=type(self).__name__,
        )

    # ------------------------------------------------------------------ running

    def run(self) -> Self:
        """Run it to its end, from where it stands; itself.

        Raises:
            ItemExists: one with its workflow_id was started before; resume() that.
            WorkflowFailed: it failed, now or earlier; ``failure`` says why.
            StepConflict: other writers were in the way of a step more often than its budget of retries.
            Exception: what a setup, a getter or a change raised. As after any error but WorkflowFailed nothing of the
                step was applied, and resume() continues with it.
        """
        table = table_of(type(self))
        drive(table._engine, run_workflow(self, table))
        return self

    async def arun(self) -> Self:
        """Run it to its end without blocking the event loop. See :meth:`run`."""
        table = table_of(type(self))
        await adrive(table._engine, run_workflow(self, table))
        return self

    @classmethod
    def resume(cls, workflow_id: str) -> Self:
        """Continue a workflow that was begun, here or elsewhere; one that is done is returned as it is.

        Raises:
            ItemNotFound: there is none.
            WorkflowFailed, StepConflict, Exception: as :meth:`run`.
        """
        table = cls._recorded_table()
        return drive(table._engine, _resumed(table, workflow_id))

    @classmethod
    async def aresume(cls, workflow_id: str) -> Self:
        """Continue a workflow that was begun. See :meth:`resume`."""
        table = cls._recorded_table()
        return await adrive(table._engine, _resumed(table, workflow_id))

    @classmethod
    def resume_all(cls, *, idle_for: float = 0.0, limit: int | None = None) -> WorkflowReport:
        """Continue every workflow of this class that is neither done nor failed, one after the other (Query).

        They are found on the index ``by_unfinished``, which follows the table by an instant.

        Args:
            idle_for: only those whose last step is so many seconds ago, so as to leave those that run to their runners.
                Others would not be harmed: each step is applied once.
            limit: how many at the most.

        Returns:
            Which are done, which failed, and the error of each that is stuck.
        """
        table = cls._recorded_table()
        return drive(table._engine, _resumed_all(table, idle_for, limit))

    @classmethod
    async def aresume_all(cls, *, idle_for: float = 0.0, limit: int | None = None) -> WorkflowReport:
        """Continue every workflow of this class that is neither done nor failed. See :meth:`resume_all`."""
        table = cls._recorded_table()
        return await adrive(table._engine, _resumed_all(table, idle_for, limit))

    @classmethod
    def _recorded_table(cls) -> Table[Self]:
        if cls.transient:
            raise ExpressionError(f"{cls.__name__} is transient: it is not recorded, so there is nothing to resume")
        return table_of(cls)


def _resumed(table: Table[W], workflow_id: str) -> Running[W]:
    workflow: W = yield from get_existing(table._target, (workflow_id,), None, True)
    yield from run_workflow(workflow, table)
    return workflow


def _resumed_all(table: Table[Any], idle_for: float, limit: int | None) -> Running[WorkflowReport]:
    if type(idle_for) not in (int, float) or idle_for < 0:
        raise ExpressionError("idle_for= is a number of seconds, 0 or more")
    if limit is not None:
        whole_number("limit=", limit, 1)
    report = WorkflowReport()
    misfits: list[DecodeError] = []
    target = table._target
    paths = target.mapped.paths
    idle: list[Condition] = []
    if idle_for:
        idle = [paths["changed"] < datetime.now(UTC) - timedelta(seconds=idle_for)]
    index = target.mapped.mapping.indexes["by_unfinished"]
    read = compile_read(read_of_query(target, index, (target.plan.name, *idle), {}))
    read.misfits = misfits
    reader = PageReader(read, limit)
    found: list[str] = []
    while (request := reader.next_request()) is not None:
        response = yield request
        found += [one.workflow_id for one in reader.take(response)]
    for error in misfits:
        report.stuck.append((str((error.key or {}).get("workflow_id", {}).get("S")), error))
    for workflow_id in found:
        workflow = None
        try:
            workflow = yield from get_existing(target, (workflow_id,), None, True)
            yield from run_workflow(workflow, table)
        except WorkflowFailed:
            report.failed.append(workflow)
        except Exception as error:  # noqa: BLE001 - of one of many, whatever its steps raised
            report.stuck.append((workflow_id, error))
        else:
            report.done.append(workflow)
    return report
