"""dynawire's embedded engine, in memory."""

from __future__ import annotations

import dynawire as dw
import sample
from rivals.dynawire_ import User, get, new, plain, put, query, stop

__all__ = ["get", "plain", "put", "query", "start", "stop", "update"]


def start(url: str) -> None:
    from rivals import dynawire_

    dynawire_._database = database = dw.connect("memory:")
    database.create_tables(User)
    for number in range(sample.PAGE_ITEMS):
        new(number).put()


def update() -> None:
    User.key("user#1", "order#000050").update(User.age.add(1))
