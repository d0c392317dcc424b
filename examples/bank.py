"""A bank: payments as transactions, and orders to other banks as workflows that survive a crash.

Run it: ``python examples/bank.py`` (in memory), or on any DynamoDB with ``--url http://localhost:8000`` or
``--url dynamodb://eu-west-1``. Each run opens accounts of its own.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import Any

import dynawire as dw
from dynawire import Attr, Model, Workflow, attr, partition_key, sort_key, step, version


class Account(Model, table="bank_accounts"):
    iban: Attr[str] = partition_key()
    owner: Attr[str] = attr(immutable=True)
    cents: Attr[int] = attr(default=0, ge=0)
    v: Attr[int] = version()


class Posting(Model, table="bank_postings"):
    """What happened to an account: written in the transaction in which it happened."""

    iban: Attr[str] = partition_key()
    id: Attr[str] = sort_key(default_factory=dw.ulid)
    cents: Attr[int]
    text: Attr[str]
    at: Attr[datetime] = attr(default_factory=lambda: datetime.now(UTC))


def pay(db: dw.Database, source: str, target: str, cents: int, text: str) -> None:
    """Move money between two accounts of this bank: all of it happens, or nothing."""
    payer = Account.get_one(source, consistent=True)
    payee = Account.get_one(target, consistent=True)
    if payer.cents < cents:
        raise ValueError(f"{payer.owner} has not enough money")
    payer.cents -= cents
    payee.cents += cents
    with db.transaction() as tx:
        tx.save(payer)  # their versions make sure that nobody changed them meanwhile
        tx.save(payee)
        tx.insert(Posting(iban=source, cents=-cents, text=text))
        tx.insert(Posting(iban=target, cents=cents, text=text))


class Order(Workflow, table="bank_orders"):
    """Money for an account at another bank: reserved here, sent there, and settled here."""

    source: Attr[str]
    recipient: Attr[str]
    cents: Attr[int]
    fee: Attr[int] = attr(default=0)

    def setup(self) -> None:
        self.fee = max(100, self.cents // 100)

    def steps(self) -> list[Any]:
        return [
            step(self.reserve, Account.key(self.source), Account.key(transit_of(self.source))),
            step(self.send, Account.key(transit_of(self.source))),
            step(self.charge, Account.key(self.source), Account.key(fees_of(self.source))),
        ]

    def reserve(self, account: Account, transit: Account) -> list[Posting]:
        if account.cents < self.cents + self.fee:
            raise dw.WorkflowFailed(f"{account.owner} has not enough money for the order and its fee")
        account.cents -= self.cents
        transit.cents += self.cents
        return [Posting(iban=self.source, cents=-self.cents, text=f"order to {self.recipient}")]

    def send(self, transit: Account) -> None:
        # The other bank knows the order by its workflow_id: it takes it once, however often it is asked.
        if not OTHER_BANK.take(self.workflow_id, self.recipient, self.cents):
            raise ConnectionError("the other bank does not answer")
        transit.cents -= self.cents

    def charge(self, account: Account, fees: Account) -> list[Posting]:
        account.cents -= self.fee
        fees.cents += self.fee
        return [Posting(iban=self.source, cents=-self.fee, text="fee")]


class OtherBank:
    """Stands for a service that takes each order once."""

    def __init__(self) -> None:
        self.orders: dict[str, tuple[str, int]] = {}
        self.answers = True

    def take(self, order: str, recipient: str, cents: int) -> bool:
        if self.answers:
            self.orders.setdefault(order, (recipient, cents))
        return self.answers


OTHER_BANK = OtherBank()


def main() -> None:
    parser = argparse.ArgumentParser(description="Payments and orders of a small bank.")
    parser.add_argument("--url", default="memory:", help="where to keep them (default: %(default)s)")
    arguments = parser.parse_args()
    try:
        with dw.connect(arguments.url) as db:
            run(db)
    except dw.DynawireError as error:
        sys.exit(f"{type(error).__name__}: {error}")


def run(db: dw.Database) -> None:
    db.create_tables(Account, Posting, Order)
    bank = dw.ulid()  # so that every run has accounts of its own
    ann, bob = f"{bank}-ann", f"{bank}-bob"
    for iban, owner, cents in (
        (ann, "Ann", 100_00),
        (bob, "Bob", 5_00),
        (transit_of(ann), "transit", 0),
        (fees_of(ann), "fees", 0),
    ):
        Account(iban=iban, owner=owner, cents=cents).insert()

    pay(db, ann, bob, 20_00, "dinner")
    print(f"Ann paid Bob: {show(ann)}, {show(bob)}")

    stale = Account.get_one(bob, consistent=True)
    pay(db, ann, bob, 1_00, "and the taxi")
    stale.cents = 0
    try:
        stale.save()
    except dw.VersionConflict:
        print(f"Nobody overwrites what another wrote: {show(bob)}")

    OTHER_BANK.answers = False
    order = Order(source=ann, recipient="Eve", cents=50_00)
    try:
        order.run()
    except ConnectionError as error:
        print(f"The order stopped ({error}) after {order.steps_done} of {len(order.plan)} steps: {show(ann)}")

    OTHER_BANK.answers = True
    order = Order.resume(order.workflow_id)  # in any process, at any time; Order.resume_all() finds all of them
    print(f"It was resumed, and is {order.status}: {show(ann)}, {show(fees_of(ann))}, {show(transit_of(ann))}")
    Order.resume(order.workflow_id)
    print(f"The other bank got {len(OTHER_BANK.orders)} order")

    try:
        Order(source=bob, recipient="Eve", cents=900_00).run()
    except dw.WorkflowFailed as failed:
        print(f"Another failed: {failed}")

    total = sum(posting.cents for posting in Posting.query(ann).all())
    print(f"Ann's {Posting.query(ann).count()} postings agree with her account: {100_00 + total == cents_of(ann)}")


def transit_of(iban: str) -> str:
    """The account of this bank that holds money on its way."""
    return iban.partition("-")[0] + "-transit"


def fees_of(iban: str) -> str:
    """The account of this bank that fees go to."""
    return iban.partition("-")[0] + "-fees"


def cents_of(iban: str) -> int:
    return Account.get_one(iban, consistent=True).cents


def show(iban: str) -> str:
    return f"{iban.partition('-')[2]} {cents_of(iban) / 100:.2f}"


if __name__ == "__main__":
    main()
