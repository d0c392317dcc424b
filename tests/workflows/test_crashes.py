"""A process may end at any request, before or after that is applied: each step is applied once all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dynawire as dw
from dynawire.engines.protocol import Engine
from tests.support.databases import Twins
from tests.workflows.bank import Account, Entry, Salaries, Transfer, Vault, balances, entries

TABLES = (Account, Entry, Vault, Transfer)
ROOT = Path(__file__).resolve().parents[2]


class Killed(BaseException):
    """The process ends here."""


class Failing:
    """An engine at which something happens at one of its requests.

    Attributes:
        count: requests so far.
    """

    remote = False

    def __init__(self, inner: Engine, at: int, applied: bool, error: BaseException) -> None:
        self._inner = inner
        self._at = at
        self._applied = applied
        self._error = error
        self.count = 0

    def send(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        self.count += 1
        if self.count != self._at:
            return self._inner.send(operation, body, idempotent)
        if self._applied:
            self._inner.send(operation, body, idempotent)
        raise self._error

    async def asend(self, operation: str, body: bytes, idempotent: bool = True) -> bytes:
        return self.send(operation, body, idempotent)

    def close(self) -> None:
        self._inner.close()

    async def aclose(self) -> None:
        await self._inner.aclose()


@contextmanager
def bank() -> Iterator[dw.Database]:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(*TABLES)
        Account(owner="ann", balance=100).put()
        Account(owner="bob").put()
        Account(owner="bank").put()
        yield db


@contextmanager
def failing(db: dw.Database, at: int, applied: bool, error: BaseException) -> Iterator[Failing]:
    """Inside the block the database fails at a request."""
    healthy = db.engine
    engine = Failing(healthy, at, applied, error)
    try:
        _use(db, engine)
        yield engine
    finally:
        _use(db, healthy)


def _use(db: dw.Database, engine: Any) -> None:
    db.engine = engine
    for model in (*TABLES, Salaries):
        db.table(model)._engine = engine


def _new(which: str) -> Any:
    if which == "transfer":
        return Transfer(workflow_id="1", source="ann", target="bob", amount=10)
    return Salaries(workflow_id="1", payer="ann", payees=["bob", "bank"])


def _assert_done(which: str) -> None:
    if which == "transfer":
        assert balances() == {"ann": 89, "bank": 1, "bob": 10}
        assert entries() == [("ann", -11), ("bob", 10)]
        assert Transfer.get_one("1").seen == ["withdraw", "charge", "deposit"]
    else:
        assert balances() == {"ann": 78, "bank": 12, "bob": 10}
        assert Account.get_one("ann").note == "paid "
        assert len(entries()) == 4
    found: Any = Transfer if which == "transfer" else Salaries
    assert found.get_one("1").status == "done"


@pytest.mark.parametrize("which", ["transfer", "workflow of workflows"])
@pytest.mark.parametrize(
    ("error", "applied"),
    [
        pytest.param(Killed(), False, id="killed before"),
        pytest.param(Killed(), True, id="killed after"),
        pytest.param(dw.ConnectionFailed("no network"), False, id="no connection"),
        pytest.param(dw.OutcomeUnknown("no answer", operation="?"), False, id="no answer, not applied"),
        pytest.param(dw.OutcomeUnknown("no answer", operation="?"), True, id="no answer, applied"),
    ],
)
def test_whatever_happens_at_whichever_request(which: str, applied: bool, error: Any, twin: Twins) -> None:
    cls: Any = Transfer if which == "transfer" else Salaries
    at = 0
    while True:
        at += 1
        with bank() as db:
            ended = True
            with failing(db, at, applied, error) as engine:
                workflow = _new(which)
                try:
                    twin(workflow).run()
                except (Killed, dw.DynawireError):
                    ended = False
            if engine.count < at:
                break
            if not ended:
                stored = cls.get("1")
                if workflow.revision:  # what it knows of itself is true
                    assert workflow.revision <= stored.revision
                    assert workflow.steps_done <= stored.steps_done
                if stored is None:
                    assert balances()["ann"] == 100
                    twin(_new(which)).run()
                else:
                    report = twin(cls).resume_all()
                    assert report.stuck == []
                    assert [one.workflow_id for one in report.done] == ([] if stored.status == "done" else ["1"])
            _assert_done(which)
    assert at > 8


@settings(max_examples=40, deadline=None)
@given(crashes=st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=6))
def test_crash_after_crash(crashes: list[tuple[int, bool]]) -> None:
    """Each resumption may be killed as well."""
    with bank() as db:
        for at, applied in crashes:
            with failing(db, at, applied, Killed()):
                try:
                    if Salaries.get("1") is None:
                        _new("salaries").run()
                    else:
                        Salaries.resume("1")
                except Killed:
                    pass
        if Salaries.get("1") is None:
            _new("salaries").run()
        Salaries.resume("1")
        _assert_done("workflow of workflows")


PROGRAM = """
import os, signal, sys
import dynawire as dw
from tests.workflows.bank import Account, Salaries

url, at, applied = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "after"
db = dw.connect(url)

class Deadly:
    remote = False
    count = 0
    def send(self, operation, body, idempotent=True):
        self.count += 1
        if self.count == at and not applied:
            os.kill(os.getpid(), signal.SIGKILL)
        response = inner.send(operation, body, idempotent)
        if self.count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return response

inner, db.engine = db.engine, Deadly()
if Salaries.get("1", consistent=True) is None:
    Salaries(workflow_id="1", payer="ann", payees=["bob", "bank"]).run()
else:
    Salaries.resume("1")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that kills")
def test_a_process_that_is_killed_again_and_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'bank.db'}"
    with dw.connect(url) as db, db.use():
        db.create_tables(*TABLES)
        Account(owner="ann", balance=100).put()
        Account(owner="bob").put()
        Account(owner="bank").put()
    killed = 0
    for at in (2, 5, 4, 7, 60):
        command = [sys.executable, "-c", PROGRAM, url, str(at), "after" if at % 2 else "before"]
        ended = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=_environment())
        assert ended.returncode in (0, -signal.SIGKILL), ended.stderr
        killed += ended.returncode != 0
    assert killed >= 3
    with dw.connect(url) as db, db.use():
        _assert_done("workflow of workflows")


def _environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])}
