"""A bank: accounts, and transfers between them that are workflows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dynawire as dw
from dynawire import Attr, attr, partition_key, sort_key, step


class Account(dw.Model, table="accounts"):
    owner: Attr[str] = partition_key()
    balance: Attr[int] = attr(default=0, ge=0)
    note: Attr[str | None] = attr(default=None)


class Entry(dw.Model, table="entries"):
    owner: Attr[str] = partition_key()
    id: Attr[str] = sort_key()
    amount: Attr[int]


class Vault(dw.Model, table="vaults"):
    """An account with a version."""

    id: Attr[str] = partition_key()
    gold: Attr[int] = attr(default=0)
    v: Attr[int] = dw.version()


class Transfer(dw.Workflow, table="workflows"):
    source: Attr[str]
    target: Attr[str]
    amount: Attr[int]
    fee: Attr[int] = attr(default=0)
    seen: Attr[list[str]] = attr(default_factory=list)

    def setup(self) -> None:
        self.fee = self.amount // 10

    def steps(self) -> list[Any]:
        return [
            step(self.withdraw, Account.key(self.source)),
            step(self.charge, Account.key("bank")),
            step(self.deposit, Account.key(self.target)),
        ]

    def withdraw(self, account: Account) -> Entry:
        if account.balance < self.amount + self.fee:
            raise dw.WorkflowFailed("not enough money")
        account.balance -= self.amount + self.fee
        self.seen.append("withdraw")
        return Entry(owner=self.source, id=self.workflow_id, amount=-self.amount - self.fee)

    def charge(self, account: Account) -> None:
        account.balance += self.fee
        self.seen.append("charge")

    def deposit(self, account: Account) -> list[Entry]:
        account.balance += self.amount
        self.seen.append("deposit")
        return [Entry(owner=self.target, id=self.workflow_id, amount=self.amount)]


class Salaries(dw.Workflow, table="workflows"):
    """Several transfers, one after the other, and a note of it."""

    payer: Attr[str]
    payees: Attr[list[str]]

    def steps(self) -> list[Any]:
        transfers = [Transfer(source=self.payer, target=payee, amount=10) for payee in self.payees]
        return [*transfers, step(self.sign, Account.key(self.payer))]

    def sign(self, account: Account) -> None:
        account.note = (account.note or "") + "paid "


class Scripted(dw.Workflow, table="workflows"):
    """A workflow whose steps a test gives."""

    script: Attr[str] = attr(default="")
    text: Attr[str] = attr(default="")

    def steps(self) -> Any:
        return SCRIPTS[self.script](self)

    def setup(self) -> Any:
        found = SETUPS.get(self.script)
        return None if found is None else found(self)


SCRIPTS: dict[str, Callable[[Scripted], Any]] = {}
SETUPS: dict[str, Callable[[Scripted], Any]] = {}


def open_accounts(db: dw.Database) -> None:
    """Three accounts with 100 in all."""
    db.create_tables(Account, Entry, Vault, Transfer)
    Account(owner="ann", balance=100).put()
    Account(owner="bob").put()
    Account(owner="bank").put()


def balances() -> dict[str, int]:
    return {one.owner: one.balance for one in Account.scan().all()}


def entries() -> list[tuple[str, int]]:
    return sorted((one.owner, one.amount) for one in Entry.scan().all())
