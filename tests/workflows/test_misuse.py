"""Mistakes with workflows, and what is said of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import dynawire as dw
from dynawire import step
from tests.workflows.bank import SCRIPTS, Account, Entry, Scripted, Transfer, open_accounts


@pytest.fixture(autouse=True)
def db() -> Iterator[dw.Database]:
    with dw.connect("memory:") as db, db.use():
        open_accounts(db)
        yield db
    SCRIPTS.clear()


def scripted(*steps: Any) -> Scripted:
    SCRIPTS["test"] = lambda self: list(steps)
    return Scripted(script="test")


def nothing(*items: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((Account.key("ann"), nothing), {}, "step() takes a function first, then keys; not Key"),
        ((None,), {}, "step() takes a function first, then keys; not NoneType"),
        ((Transfer(source="a", target="b", amount=1),), {}, "step() takes a function first, then keys; not Transfer"),
        ((nothing, "ann"), {}, "a target of a step is a key such as Account.key(...), or a function"),
        ((nothing, Account), {}, "a target of a step is a key"),
        ((nothing, Account(owner="ann")), {}, "a target of a step is a key"),
        ((nothing,), {"retries": -1}, "retries= takes a whole number, 0 to 1,000"),
        ((nothing,), {"retries": 1.5}, "retries= takes a whole number"),
        ((nothing,), {"retry_on": ValueError()}, "retry_on= takes classes of errors"),
        ((nothing,), {"retry_on": (ValueError, KeyboardInterrupt)}, "retry_on= takes classes of errors"),
    ],
)
def test_steps_that_are_none(arguments: Any, keywords: Any, message: str) -> None:
    with pytest.raises(dw.ExpressionError) as error:
        step(*arguments, **keywords)
    assert message in str(error.value)


def test_a_workflow_without_steps() -> None:
    class Idle(dw.Workflow, table="workflows"):
        pass

    with pytest.raises(dw.SchemaError, match=r"Idle has no steps; define steps\(self\)"):
        Idle().run()
    assert scripted().run().status == "done"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([nothing], "Scripted.steps(): step 1 is a function; write step(change, key, ...)"),
        ([step(nothing), None], "step 2 is a NoneType"),
    ],
)
def test_steps_that_are_no_steps(steps: list[Any], message: str) -> None:
    with pytest.raises(dw.ExpressionError) as error:
        scripted(*steps).run()
    assert message in str(error.value)


def test_steps_that_are_no_list() -> None:
    SCRIPTS["test"] = lambda self: 5
    with pytest.raises(dw.ExpressionError, match=r"Scripted.steps\(\) must give a list of steps, not int"):
        Scripted(script="test").run()

    async def later(self: Any) -> list[Any]:
        return []

    SCRIPTS["test"] = later
    with pytest.raises(dw.ExpressionError, match=r"Scripted.steps\(\) can't be async"):
        Scripted(script="test").run()


def test_a_transient_workflow_inside_a_recorded_one() -> None:
    class Quick(dw.Workflow, table="workflows"):
        transient = True

        def steps(self) -> list[Any]:
            return []

    with pytest.raises(dw.ExpressionError, match="the transient workflow Quick, which could be applied twice"):
        scripted(Quick()).run()


def test_steps_that_change_under_way() -> None:
    class Stop(Exception):
        pass

    def stop(account: Account) -> None:
        raise Stop

    workflow = scripted(step(stop, Account.key("ann")), step(nothing))
    with pytest.raises(Stop):
        workflow.run()
    SCRIPTS["test"] = lambda self: [step(nothing, name="other")]
    with pytest.raises(dw.ExpressionError) as error:
        Scripted.resume(workflow.workflow_id)
    assert "are not those it was started with: then (stop, nothing), now (other)" in str(error.value)


def test_a_workflow_of_another_class() -> None:
    workflow = scripted().run()
    raw_kind = Scripted.get_one(workflow.workflow_id)
    raw_kind.workflow, raw_kind.status = "Elsewhere", "running"
    raw_kind.save()
    with pytest.raises(dw.ExpressionError, match="was started as Elsewhere, not as Scripted"):
        Scripted.resume(workflow.workflow_id)


def test_one_that_is_not_there() -> None:
    with pytest.raises(dw.ItemNotFound):
        Transfer.resume("nothing")


def test_one_that_is_deleted_while_it_runs() -> None:
    def delete(account: Account) -> None:
        Scripted.key(workflow.workflow_id).delete()
        account.balance = 0

    workflow = scripted(step(delete, Account.key("ann")))
    with pytest.raises(dw.ItemNotFound) as error:
        workflow.run()
    assert "this Scripted was deleted while it was running" in error.value.__notes__
    assert Account.get_one("ann").balance == 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"idle_for": -1}, "idle_for= is a number of seconds"),
        ({"idle_for": "1"}, "idle_for= is a number of seconds"),
        ({"limit": 0}, "limit= takes a whole number, 1 or more"),
    ],
)
def test_arguments_out_of_range(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(dw.ExpressionError, match=message):
        Transfer.resume_all(**arguments)


def _run(*steps: Any) -> None:
    scripted(*steps).run()


def test_changes_that_can_not_be_written() -> None:
    def rename(account: Account) -> None:
        account.owner = "other"

    def overdraw(account: Account) -> None:
        account.balance = -1

    with pytest.raises(dw.ValidationError, match=r"Account\.owner is part of the key"):
        _run(step(rename, Account.key("ann")))
    with pytest.raises(dw.ValidationError, match=r"Account\.balance"):
        _run(step(overdraw, Account.key("ann")))
    with pytest.raises(dw.ExpressionError, match="are on one item, which DynamoDB refuses"):
        _run(step(nothing, Account.key("ann"), Account.key("ann")))
    with pytest.raises(dw.LimitExceeded, match="at most 100 operations"):
        _run(step(lambda *found: [Entry(owner="a", id=str(n), amount=n) for n in range(100)]))
    assert Account.get_one("ann").balance == 100
    assert Entry.scan().count() == 0


def test_every_error_of_a_step_says_which_one_it_was() -> None:
    def overdraw(account: Account) -> None:
        account.balance = -1

    several: list[tuple[type[Exception], Any, str]] = [
        (dw.ValidationError, step(overdraw, Account.key("ann")), "overdraw"),
        (dw.LimitExceeded, step(nothing, *(Account.key(str(n)) for n in range(100)), missing_ok=True), "nothing"),
        (dw.ItemNotFound, step(nothing, lambda: Account.get_one("nobody")), "nothing"),
        (KeyError, step(lambda account: {}["x"], Account.key("ann"), name="look"), "look"),
    ]
    for kind, failing, name in several:
        with pytest.raises(kind) as error:
            _run(step(nothing, Account.key("ann")), failing)
        assert error.value.__notes__ == [f"raised in step 2 ({name}) of Scripted; nothing of this step was applied"]
    for failing in (step(nothing, Account.key("nobody")), step(nothing, lambda: None)):
        with pytest.raises(dw.DynawireError) as missing:
            _run(failing)
        said = [str(missing.value), *getattr(missing.value, "__notes__", ())]
        assert sum("step 1 (nothing) of Scripted" in one for one in said) == 1


def test_a_workflow_that_leads_to_itself() -> None:
    class Endless(dw.Workflow, table="workflows"):
        def steps(self) -> list[Any]:
            return [Endless()]

    with pytest.raises(dw.ExpressionError, match=r"more than 32 deep; does Endless lead to itself\?"):
        Endless(workflow_id="1").run()
    assert Endless.scan().count() == 33


def test_what_a_change_must_not_return() -> None:
    for returned in ("text", 5, {"owner": "x"}):
        with pytest.raises(dw.ExpressionError, match="returns nothing, or new items to insert"):
            _run(step(lambda account, returned=returned: returned, Account.key("ann")))


def test_getters_that_give_nothing_useful() -> None:
    with pytest.raises(dw.ExpressionError, match=r"the getter of step 1 \(nothing\) of Scripted gave nothing"):
        _run(step(nothing, lambda: None))
    with pytest.raises(dw.SchemaError, match="str is not mapped to a table"):
        _run(step(nothing, lambda: "ann"))


def test_keys_of_another_database(db: dw.Database) -> None:
    message = "has a key of another database than the workflow's"
    with dw.connect("memory:") as other, db.use(), pytest.raises(dw.ExpressionError, match=message):
        _run(step(nothing, other.table(Account).key("ann")))


def test_an_item_to_insert_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(dw.StepConflict) as error:
        _run(step(lambda account: Account(owner="bob"), Account.key("ann"), retries=0))
    assert isinstance(error.value.__cause__, dw.ItemExists)


def test_failing_in_setup_and_before() -> None:
    class Careful(Transfer, table="workflows"):
        def setup(self) -> None:
            raise dw.WorkflowFailed("not today")

    careful = Careful(workflow_id="1", source="ann", target="bob", amount=1)
    with pytest.raises(dw.WorkflowFailed, match="not today") as failed:
        careful.run()
    assert failed.value.step == "setup"
    assert (careful.status, careful.failure) == ("failed", "not today")
    assert Careful.get_one("1").status == "failed"
