"""What may be written with unique attributes and counters."""

from __future__ import annotations

from typing import Annotated, Any, assert_type

from dynawire import Attr, Model, Path, Unique, attr, connect, counter, partition_key, sort_key
from dynawire.keeping import CounterOf
from dynawire.operations.rebuild_unique import UniqueReport
from dynawire.pydantic import PydanticModel


class Order(Model[str, int], table="orders"):
    customer: Attr[str] = partition_key()
    number: Attr[int] = sort_key(default=counter("customer", start=1000))
    receipt: Attr[int] = counter(gap_free=True)
    block: Attr[int] = attr(default=counter(block=100, series="blocks"), name="b")
    code: Attr[str | None] = attr(default=None, unique=True)
    nick: Attr[str] = attr(unique=Unique("customer", ignore_case=True, name="nicks"))


class Ticket(PydanticModel, table="tickets"):
    id: Annotated[int, partition_key(default=counter())] = 0
    seat: Annotated[str, attr(unique=True)] = ""
    number: int = counter()


order = Order(customer="a", nick="b")
Order(customer="a", number=3, receipt=4, block=5, nick="x", code="c")
assert_type(order.number, int)
assert_type(order.receipt, int)
assert_type(Order.receipt, Path[int])
assert_type(Order.code, Path[str | None])
assert_type(Order.counter_of("number", customer="a"), CounterOf)
assert_type(Order.counter_of("receipt").take(3), range)
assert_type(Order.counter_of("receipt").last(), int | None)
assert_type(Order.rebuild_unique(dry_run=True, segments=4), UniqueReport)
assert_type(connect("memory:").table(Order).rebuild_unique(), UniqueReport)


async def others() -> None:
    assert_type(await Order.arebuild_unique(), UniqueReport)
    assert_type(await Order.counter_of("receipt").atake(), range)
    assert_type(await Order.counter_of("receipt").araise_to(3), bool)


def seen(count: int) -> Any:
    return count


Order.rebuild_unique(progress=seen)
Ticket(seat="1")
Ticket(id=4)
