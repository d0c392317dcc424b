"""What may not be written with finds."""

from __future__ import annotations

from dynawire import Attr, Model, attr, connect, partition_key


class Airport(Model, table="airports"):
    state: Attr[str] = partition_key()
    visits: Attr[int] = attr(default=0)


class Wrong(Model, table="wrong", allow_scan="no"):  # error: arg-type
    id: Attr[str] = partition_key()


connect("memory:", allow_scan="no")  # error: arg-type
find = Airport.find(Airport.visits > 3)
Airport.find("TX")  # error: arg-type
find.where(Airport.visits)  # error: arg-type
find.limit("3")  # error: arg-type
find.order_by("visits")  # error: arg-type
find.project("visits")  # error
find.page(size="3")  # error: arg-type
find.reverse()  # error: attr-defined
wrong: int = find.first()  # error: assignment
Airport.delete_where(Airport.visits > 3, visits=3)  # error: call-arg
Airport.update_where(Airport.visits > 3, Airport.visits > 4)  # error: arg-type
Airport.update_where(Airport.visits > 3, per_second="fast", visits=3)  # error: arg-type
