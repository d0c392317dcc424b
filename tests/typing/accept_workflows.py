"""Workflows as type checkers see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_type

import dynawire as dw
from dynawire import Attr, Model, Step, Workflow, attr, partition_key, step


class Account(Model, table="accounts"):
    owner: Attr[str] = partition_key()
    balance: Attr[int] = attr(default=0)


class Transfer(Workflow, table="workflows"):
    source: Attr[str]
    amount: Attr[int]

    def setup(self) -> None:
        self.amount += 1

    def steps(self) -> Sequence[Step | Workflow]:
        return [step(self.withdraw, Account.key(self.source), retries=3, retry_on=TimeoutError)]

    async def withdraw(self, account: Account) -> None:
        account.balance -= self.amount


async def run() -> None:
    transfer = Transfer(source="ann", amount=1)
    assert_type(transfer.run(), Transfer)
    assert_type(await transfer.arun(), Transfer)
    assert_type(Transfer.resume("1"), Transfer)
    assert_type(await Transfer.aresume("1"), Transfer)
    assert_type(Transfer.resume_all(idle_for=60), dw.WorkflowReport)
    assert_type(transfer.steps_done, int)
    assert_type(Transfer.get("1"), Transfer | None)
    Transfer.by_unfinished.query("Transfer")
