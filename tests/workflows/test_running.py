"""Workflows that run to their end, or fail: on every engine, blocking and not."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import dynawire as dw
from dynawire import step
from tests.support.databases import Twins, at_once, connected, raw_update, recorded
from tests.workflows.bank import (
    SCRIPTS,
    SETUPS,
    Account,
    Entry,
    Salaries,
    Scripted,
    Transfer,
    Vault,
    balances,
    entries,
    open_accounts,
)


@pytest.fixture
def memory(twin: Twins) -> Iterator[dw.Database]:
    with connected("memory:") as db, db.use():
        open_accounts(db)
        yield db


@pytest.fixture
def script() -> Iterator[Callable[..., Scripted]]:
    """Makes a workflow of these steps."""

    def make(steps: Callable[[Scripted], Any], setup: Callable[[Scripted], Any] | None = None) -> Scripted:
        SCRIPTS["test"] = steps
        if setup is not None:
            SETUPS["test"] = setup
        return Scripted(script="test")

    yield make
    SCRIPTS.clear()
    SETUPS.clear()


def test_a_transfer(db: dw.Database, twin: Twins) -> None:
    open_accounts(db)
    recorded(db).clear()
    transfer = twin(Transfer(source="ann", target="bob", amount=40)).run()
    assert recorded(db).operations() == ["TransactWriteItems"] * 2 + ["GetItem", "TransactWriteItems"] * 3
    assert balances() == {"ann": 56, "bank": 4, "bob": 40}
    assert entries() == [("ann", -44), ("bob", 40)]
    assert (transfer.status, transfer.steps_done, transfer.fee) == ("done", 3, 4)
    assert transfer.plan == ["withdraw", "charge", "deposit"]
    assert (transfer.workflow, transfer.unfinished, transfer.failure) == ("Transfer", None, None)
    assert transfer.changed is not None
    assert transfer.seen == ["withdraw", "charge", "deposit"]
    stored = Transfer.get_one(transfer.workflow_id, consistent=True)
    assert stored.to_dict() == transfer.to_dict()
    recorded(db).clear()
    twin(transfer).run()
    assert recorded(db).operations() == []
    assert twin(Transfer).resume(transfer.workflow_id).to_dict() == transfer.to_dict()
    assert recorded(db).operations() == ["GetItem"]


def test_the_same_id_starts_one_workflow(db: dw.Database, twin: Twins) -> None:
    open_accounts(db)
    twin(Transfer(workflow_id="1", source="ann", target="bob", amount=10)).run()
    again = Transfer(workflow_id="1", source="ann", target="bob", amount=10)
    with pytest.raises(dw.ItemExists) as exists:
        twin(again).run()
    assert "was started already; resume() continues it" in exists.value.__notes__[0]
    assert (again.workflow, again.unfinished, again.revision) == ("", None, 0)
    assert balances()["bob"] == 10


def test_a_step_that_can_not_succeed(db: dw.Database, twin: Twins) -> None:
    open_accounts(db)
    transfer = Transfer(workflow_id="1", source="bob", target="ann", amount=40)
    for attempt in (twin(transfer).run, twin(transfer).run, lambda: twin(Transfer).resume("1")):
        with pytest.raises(dw.WorkflowFailed, match=r"^not enough money$") as failed:
            attempt()
        assert failed.value.step == "withdraw"
        assert failed.value.workflow.status == "failed"
    stored = Transfer.get_one("1", consistent=True)
    assert (stored.failure, stored.steps_done, stored.unfinished) == ("not enough money", 0, None)
    assert balances() == {"ann": 100, "bank": 0, "bob": 0}
    assert repr(twin(Transfer).resume_all()) == "<WorkflowReport: 0 done, 0 failed, 0 stuck>"


def test_workflows_of_workflows(db: dw.Database, twin: Twins) -> None:
    open_accounts(db)
    salaries = twin(Salaries(workflow_id="june", payer="ann", payees=["bob", "bank"])).run()
    assert (salaries.status, salaries.plan) == ("done", ["Transfer", "Transfer", "sign"])
    assert balances() == {"ann": 78, "bank": 12, "bob": 10}
    assert Account.get_one("ann", consistent=True).note == "paid "
    assert sorted(one.workflow_id for one in Transfer.scan(workflow="Transfer").all()) == ["june/1", "june/2"]
    with pytest.raises(dw.WorkflowFailed, match="its Transfer failed: not enough money") as failed:
        twin(Salaries(workflow_id="july", payer="bob", payees=["ann", "bank"])).run()
    assert failed.value.step == "Transfer"
    assert Salaries.get_one("july", consistent=True).status == "failed"
    assert Transfer.get_one("july/1", consistent=True).status == "failed"
    assert Transfer.get("july/2") is None


def test_what_was_changed_meanwhile_is_read_again(db: dw.Database, twin: Twins) -> None:
    open_accounts(db)
    transfer = Transfer(source="ann", target="bob", amount=40)
    raw = []

    def meanwhile(body: dict[str, Any]) -> None:
        if len(body["TransactItems"]) == 3 and not raw:  # withdraw: the record, the account, the entry
            raw.append(body)
            raw_update(db, Account(owner="ann"), "SET balance = balance + :n", n={"N": "7"})

    recorded(db).answer("TransactWriteItems", *[meanwhile] * 3)
    twin(transfer).run()
    assert raw
    assert balances() == {"ann": 63, "bank": 4, "bob": 40}
    assert transfer.seen == ["withdraw", "charge", "deposit"]


def test_a_budget_of_retries(memory: dw.Database, twin: Twins, script: Any, no_waiting: list[float]) -> None:
    def interfere(body: dict[str, Any]) -> None:
        raw_update(memory, Account(owner="ann"), "SET balance = balance + :n", n={"N": "1"})

    calls: list[int] = []

    def change(account: Account) -> None:
        calls.append(account.balance)
        account.note = "changed"

    workflow = script(lambda self: [step(change, Account.key("ann"), name="note it", retries=3)])
    recorded(memory).answer("TransactWriteItems", lambda body: None, lambda body: None, *[interfere] * 4)
    with pytest.raises(dw.StepConflict, match=r"step 1 \(note it\) of Scripted was given up after 3 retries") as error:
        twin(workflow).run()
    assert (error.value.workflow, error.value.step) == (workflow, "note it")
    assert isinstance(error.value.__cause__, dw.ConditionFailed)
    assert calls == [100, 101, 102, 103]
    assert len(no_waiting) == 3
    assert (workflow.status, workflow.steps_done) == ("running", 0)
    assert twin(Scripted).resume(workflow.workflow_id).status == "done"
    assert Account.get_one("ann").note == "changed"


class Busy(Exception):
    pass


def test_errors_after_which_a_step_is_tried_again(
    memory: dw.Database, twin: Twins, script: Any, no_waiting: list[float]
) -> None:
    calls: list[int] = []

    def change(account: Account) -> None:
        calls.append(len(calls))
        account.balance += 1
        if len(calls) < 3:
            raise Busy

    workflow = script(lambda self: [step(change, Account.key("ann"), retry_on=Busy, retries=5)])
    assert twin(workflow).run().status == "done"
    assert len(calls) == 3
    assert balances()["ann"] == 101
    calls.clear()
    with pytest.raises(dw.StepConflict) as error:
        twin(script(lambda self: [step(change, Account.key("ann"), retry_on=(Busy,), retries=1)])).run()
    assert isinstance(error.value.__cause__, Busy)


def test_any_other_error_leaves_it_to_be_resumed(memory: dw.Database, twin: Twins, script: Any) -> None:
    broken = [True]

    def change(account: Account) -> None:
        account.balance -= 1
        workflow.text = "half done"
        if broken:
            raise ZeroDivisionError

    workflow = script(lambda self: [step(change, Account.key("ann"))])
    with pytest.raises(ZeroDivisionError) as error:
        twin(workflow).run()
    assert error.value.__notes__ == ["raised in step 1 (change) of Scripted; nothing of this step was applied"]
    assert (workflow.status, workflow.text) == ("running", "")
    report = twin(Scripted).resume_all()
    ((stuck, why),) = report.stuck
    assert (stuck, type(why)) == (workflow.workflow_id, ZeroDivisionError)
    broken.clear()
    report = twin(Scripted).resume_all()
    assert [one.status for one in report.done] == ["done"]
    assert balances()["ann"] == 99
    assert repr(twin(Scripted).resume_all()) == "<WorkflowReport: 0 done, 0 failed, 0 stuck>"


def test_resume_all_tells_what_became_of_each(memory: dw.Database, twin: Twins) -> None:
    for workflow_id, source in (("rich", "ann"), ("poor", "bob")):
        recorded(memory).answer("TransactWriteItems", lambda body: None, dw.ConnectionFailed("no network"))
        with pytest.raises(dw.ConnectionFailed):
            twin(Transfer(workflow_id=workflow_id, source=source, target="bank", amount=10)).run()
    twin(Scripted(workflow_id="other", script="?")).insert()
    assert twin(Transfer).resume_all(idle_for=60).done == []
    assert len(twin(Transfer).resume_all(limit=1).failed) == 1  # in the order of their ids
    report = twin(Transfer).resume_all()
    assert ([one.workflow_id for one in report.done], report.failed, report.stuck) == (["rich"], [], [])
    assert balances() == {"ann": 89, "bank": 11, "bob": 0}


def test_an_item_that_is_no_workflow_any_more_is_stuck(memory: dw.Database, twin: Twins) -> None:
    transfer = Transfer(workflow_id="1", source="ann", target="bob", amount=1)
    recorded(memory).answer("TransactWriteItems", lambda body: None, dw.ConnectionFailed("no network"))
    with pytest.raises(dw.ConnectionFailed):
        twin(transfer).run()
    raw_update(memory, transfer, "SET amount = :n", n={"S": "much"})
    report = twin(Transfer).resume_all()
    assert [(one, type(error)) for one, error in report.stuck] == [("1", dw.DecodeError)]


# ---------------------------------------------------------------------- targets


def test_several_targets_of_one_step_are_changed_together(memory: dw.Database, twin: Twins, script: Any) -> None:
    def move(ann: Account, bob: Account, vault: Vault) -> None:
        ann.balance -= 30
        bob.balance += 30
        vault.gold += 1

    Vault(id="1").insert()
    workflow = script(lambda self: [step(move, Account.key("ann"), Account.key("bob"), Vault.key("1"))])
    twin(workflow).run()
    assert balances() == {"ann": 70, "bank": 0, "bob": 30}
    vault = Vault.get_one("1")
    assert (vault.gold, vault.v) == (1, 2)


def test_what_a_change_only_looked_at_must_still_be_so(memory: dw.Database, twin: Twins, script: Any) -> None:
    seen: list[tuple[int, int]] = []

    def look(ann: Account, vault: Vault) -> None:
        seen.append((ann.balance, vault.gold))
        workflow.text = "rich" if ann.balance > 50 and vault.gold < 5 else "poor"

    Vault(id="1").insert()
    workflow = script(lambda self: [step(look, Account.key("ann"), Vault.key("1"))])

    def spend(body: dict[str, Any]) -> None:
        raw_update(memory, Account(owner="ann"), "SET balance = :n", n={"N": "1"})

    def dig(body: dict[str, Any]) -> None:
        vault = Vault.get_one("1")
        vault.gold += 1
        vault.save()

    recorded(memory).answer("TransactWriteItems", lambda body: None, lambda body: None, spend, dig)
    twin(workflow).run()
    assert seen == [(100, 0), (1, 0), (1, 1)]
    assert Scripted.get_one(workflow.workflow_id).text == "poor"


def test_values_that_another_program_spells_differently(memory: dw.Database, twin: Twins, script: Any) -> None:
    class Dated(dw.Model, table="dated"):
        id: dw.Attr[str] = dw.partition_key()
        when: dw.Attr[Any]
        at: dw.Attr[Any] = dw.attr(default=None)

    twin(memory).create_tables(Dated)
    Dated(id="1", when="2026-01-01T00:00:00.000Z", at=1).put()

    import datetime

    class Typed(dw.Model, table="dated"):
        id: dw.Attr[str] = dw.partition_key()
        when: dw.Attr[datetime.datetime]
        at: dw.Attr[float] = dw.attr(default=0.0)

    def change(one: Typed) -> None:
        one.at = 2.5

    twin(script(lambda self: [step(change, Typed.key("1"), retries=0)])).run()
    assert Typed.get_one("1").at == 2.5


def test_a_target_that_may_be_missing(memory: dw.Database, twin: Twins, script: Any) -> None:
    def found(account: Account | None) -> Account | None:
        if account is None:
            return Account(owner="eve", balance=1)
        account.balance += 1
        return None

    workflow = script(lambda self: [step(found, Account.key("eve"), missing_ok=True, name=str(n)) for n in "ab"])
    twin(workflow).run()
    assert balances()["eve"] == 2

    def nothing(account: Account | None) -> None:
        workflow.text = "there" if account else "missing"

    workflow = script(lambda self: [step(nothing, Account.key("zoe"), missing_ok=True)])

    def create(body: dict[str, Any]) -> None:
        Account(owner="zoe").put()

    recorded(memory).answer("TransactWriteItems", lambda body: None, lambda body: None, create)
    assert twin(workflow).run().text == "there"
    with pytest.raises(dw.ItemNotFound) as missing:
        twin(script(lambda self: [step(found, Account.key("nobody"))])).run()
    assert "it is a target of step 1 (found) of Scripted" in missing.value.__notes__[0]


def test_getters(memory: dw.Database, twin: Twins, script: Any) -> None:
    def richest() -> Account:
        return max(Account.scan().all(), key=lambda one: one.balance)

    def tax(account: Account, bank: Account, nobody: None) -> Account:
        account.balance -= 5
        bank.balance += 5
        return account  # as it likes: it is a target, and no new item

    targets = (richest, lambda: Account.key("bank"), lambda: None)
    twin(script(lambda self: [step(tax, *targets, missing_ok=True)])).run()
    assert balances() == {"ann": 95, "bank": 5, "bob": 0}

    def fresh() -> Account:
        return Account(owner="new", balance=3)

    twin(script(lambda self: [step(lambda account: None, fresh)])).run()
    assert balances()["new"] == 3


@dataclasses.dataclass
class Plain:
    id: str
    count: int = 0


@dataclasses.dataclass(slots=True)
class Slotted:
    id: str
    count: int = 0


@pytest.mark.parametrize("cls", [Plain, Slotted])
def test_classes_of_other_libraries(cls: Any, memory: dw.Database, twin: Twins, script: Any) -> None:
    table = memory.table(cls, name="plain", partition_key="id")
    table.create()
    table.put(cls(id="1"))

    def count(one: Any) -> Any:
        one.count += 1
        return cls(id=f"copy {one.count}")

    twin(script(lambda self: [step(count, table.key("1")), step(count, table.key("1"))])).run()
    assert table.get("1").count == 2
    assert table.get("copy 2") is not None


def test_a_target_of_a_derived_class(memory: dw.Database, twin: Twins, script: Any) -> None:
    class Shape(dw.Model, table="shapes"):
        id: dw.Attr[str] = dw.partition_key()
        kind: dw.Attr[str] = dw.discriminator()

    class Circle(Shape):
        radius: dw.Attr[int] = dw.attr(default=1)

    twin(memory).create_tables(Shape)
    Circle(id="1").put()

    def grow(shape: Shape) -> Circle:
        assert isinstance(shape, Circle)
        shape.radius += 1
        return Circle(id=f"copy {shape.radius}")

    twin(script(lambda self: [step(grow, Shape.key("1")), step(grow, Shape.key("1"))])).run()
    assert Circle.get_one("1").radius == 3
    assert Circle.get("copy 3") is not None


def test_targets_in_a_single_table(memory: dw.Database, twin: Twins, script: Any) -> None:
    """With attributes in the keys alone, and index keys that follow the changes."""
    town = dw.SingleTable("town", global_indexes=1, store_keys=False)

    class House(dw.Model, table=town, pk="STREET#{street}", sk="HOUSE#{number}"):
        street: dw.Attr[str]
        number: dw.Attr[int]
        people: dw.Attr[int] = dw.attr(default=0)
        name: dw.Attr[str | None] = dw.attr(default=None, unique=True)

        by_people = dw.IndexMap("gsi0", pk="PEOPLE", sk="{people}")

    class Move(dw.Model, table=town, pk="STREET#{street}", sk="MOVE#{count}"):
        street: dw.Attr[str]
        count: dw.Attr[int] = dw.counter("street", gap_free=True)

    twin(memory).create_tables(town)
    first, second = House(street="a", number=1, people=3, name="Villa"), House(street="a", number=2)
    first.insert()
    second.insert()

    def move(one: House, other: House) -> list[Move]:
        one.people, other.people = other.people, one.people
        one.name, other.name = other.name, one.name
        return [Move(street="a"), Move(street="a")]

    def disturbed(one: House, other: House) -> list[Move]:
        if not interruptions:
            interruptions.append(1)
            House.key("a", 1).update(people=7)
        return move(one, other)

    interruptions: list[int] = []
    keys = House.key("a", 1), House.key("a", 2)
    getters = (lambda: House.get_one("a", 1)), (lambda: House.query("a", number=2).one())
    twin(script(lambda self: [step(move, *getters), step(disturbed, *keys)])).run()
    assert [(one.number, one.people, one.name) for one in House.query("a")] == [(1, 3, "Villa"), (2, 7, None)]
    assert [one.number for one in House.by_people.query()] == [1, 2]
    assert [one.count for one in Move.query("a")] == [1, 2, 3, 4]


def test_a_migrated_target(memory: dw.Database, twin: Twins, script: Any) -> None:
    class Renamed(dw.Migrations):
        def check_1(self, item: dict[str, Any]) -> bool:
            return "money" in item

        def check_2(self, item: dict[str, Any]) -> bool:
            return "balance" in item

        def migrate_to_2(self, item: dict[str, Any]) -> dict[str, Any]:
            item["balance"] = item.pop("money")
            return item

    class Old(dw.Model, table="migrated"):
        id: dw.Attr[str] = dw.partition_key()
        money: dw.Attr[int]

    class New(dw.Model, table="migrated", migrations=Renamed):
        id: dw.Attr[str] = dw.partition_key()
        balance: dw.Attr[int]

    twin(memory).create_tables(Old)
    Old(id="1", money=5).put()

    def add(one: New) -> None:
        one.balance += 1

    def interfere(body: dict[str, Any]) -> None:
        Old(id="1", money=7).put()

    recorded(memory).answer("TransactWriteItems", lambda body: None, lambda body: None, interfere)
    twin(script(lambda self: [step(add, New.key("1"))])).run()
    assert New.get_one("1").balance == 8


# ---------------------------------------------------------------------- async


def test_functions_may_be_async(script: Any) -> None:
    async def main() -> None:
        with dw.connect("memory:") as db, db.use():
            open_accounts(db)

            async def prepare(workflow: Scripted) -> None:
                await asyncio.sleep(0)
                workflow.text = "set up"

            async def get() -> Account | None:
                return await Account.aget("ann", consistent=True)

            async def change(account: Account) -> Entry:
                await asyncio.sleep(0)
                account.balance -= 1
                return Entry(owner="ann", id="1", amount=-1)

            workflow = script(lambda self: [step(change, get), step(fail, Account.key("ann"))], prepare)

            async def fail(account: Account) -> None:
                account.balance = 0
                raise KeyError

            with pytest.raises(KeyError) as error:
                await workflow.arun()
            assert "raised in step 2 (fail) of Scripted" in error.value.__notes__[0]
            assert (workflow.text, workflow.steps_done, balances()["ann"]) == ("set up", 1, 99)
            with pytest.raises(dw.ExpressionError, match=r"the change of step 2 \(fail\) of Scripted is async.*arun"):
                Scripted.resume(workflow.workflow_id)
            with pytest.raises(dw.ExpressionError, match=r"setup\(\) of Scripted is async"):
                script(lambda self: [], prepare).run()

    asyncio.run(main())


def test_a_task_that_is_cancelled_leaves_the_workflow_as_it_was(script: Any) -> None:
    async def main() -> None:
        with dw.connect("memory:") as db, db.use():
            open_accounts(db)
            waiting = asyncio.Event()

            async def change(account: Account) -> None:
                account.balance = 0
                workflow.text = "changed"
                waiting.set()
                await asyncio.sleep(3600)

            workflow = script(lambda self: [step(change, Account.key("ann"))])
            task = asyncio.create_task(workflow.arun())
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert (workflow.text, workflow.status, balances()["ann"]) == ("", "running", 100)

    asyncio.run(main())


# ---------------------------------------------------------------------- several runners


def test_runners_at_the_same_time_apply_each_step_once(db: dw.Database, twin: Twins) -> None:
    open_accounts(db)
    recorded(db).answer("TransactWriteItems", lambda body: None, dw.ConnectionFailed("no network"))
    with pytest.raises(dw.ConnectionFailed):
        twin(Transfer(workflow_id="1", source="ann", target="bob", amount=10)).run()
    resume = Transfer.aresume if twin.is_async else Transfer.resume
    outcomes = at_once(twin, [lambda: resume("1") for _ in range(4)])
    assert [getattr(one, "status", one) for one in outcomes] == ["done"] * 4
    assert balances() == {"ann": 89, "bank": 1, "bob": 10}
    assert outcomes[0].seen == ["withdraw", "charge", "deposit"]
    assert entries() == [("ann", -11), ("bob", 10)]


def test_transfers_at_the_same_time_lose_nothing(db: dw.Database, twin: Twins) -> None:
    open_accounts(db)
    transfers = [Transfer(source="ann", target="bob", amount=10) for _ in range(3)]
    outcomes = at_once(twin, [one.arun if twin.is_async else one.run for one in transfers])
    for outcome in outcomes:
        if isinstance(outcome, dw.StepConflict):
            twin(Transfer).resume(outcome.workflow.workflow_id)
    assert balances() == {"ann": 67, "bank": 3, "bob": 30}


# ---------------------------------------------------------------------- transient


class Quick(dw.Workflow, table="workflows"):
    transient = True
    amount: dw.Attr[int]

    def setup(self) -> None:
        self.amount += 1

    def steps(self) -> list[Any]:
        return [step(self.take, Account.key("ann")), step(self.give, Account.key("bob"))]

    def take(self, account: Account) -> None:
        if account.balance < self.amount:
            raise dw.WorkflowFailed("too little")
        account.balance -= self.amount

    def give(self, account: Account) -> None:
        account.balance += self.amount


def test_a_transient_workflow_is_not_recorded(db: dw.Database, twin: Twins) -> None:
    open_accounts(db)
    recorded(db).clear()
    quick = twin(Quick(amount=9)).run()
    assert (quick.status, quick.steps_done, quick.revision) == ("done", 2, 0)
    assert recorded(db).operations() == ["GetItem", "TransactWriteItems"] * 2
    assert balances() == {"ann": 90, "bank": 0, "bob": 10}
    assert Quick.get(quick.workflow_id) is None
    with pytest.raises(dw.WorkflowFailed, match="too little") as failed:
        twin(Quick(amount=1000)).run()
    assert (failed.value.step, failed.value.workflow.status) == ("take", "failed")
    for call in (lambda: twin(Quick).resume("1"), lambda: twin(Quick).resume_all()):
        with pytest.raises(dw.ExpressionError, match="Quick is transient: it is not recorded"):
            call()
