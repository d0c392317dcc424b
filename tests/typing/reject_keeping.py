"""Mistakes with unique attributes and counters that type checkers must find."""

from __future__ import annotations

from dynawire import Attr, Model, Unique, attr, counter, partition_key


class Order(Model, table="orders"):
    id: Attr[int] = partition_key(default=counter())
    receipt: Attr[int] = counter(gap_free=True)
    code: Attr[str | None] = attr(default=None, unique=True)


Unique(3)  # error
Unique("a", ignore_cases=True)  # error
counter(1)  # error
counter(start="1")  # error
attr(default=None, unique="tenant")  # error
Order(receipt="1")  # error
Order(code=3)  # error
Order.counter_of(3)  # error
Order.counter_of("receipt").take("3")  # error
Order.rebuild_unique(segments="4")  # error
