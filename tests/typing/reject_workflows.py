"""Workflows as they must not be written."""

from __future__ import annotations

import dynawire as dw
from dynawire import Attr, Workflow, step


class Transfer(Workflow, table="workflows"):
    amount: Attr[int]


def change(item: object) -> None:
    pass


Transfer(amount="1")  # error
Transfer()  # error
Transfer.resume(1)  # error
Transfer.resume_all(idle_for="60")  # error
step("change")  # error
step(change, "ann")  # error
step(change, retry_on=5)  # error
dw.WorkflowFailed()  # error
