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
len(find)  # error: arg-type
find[0]  # error: index
find.consistent("yes")  # error: arg-type
find.hydrate(1.5)  # error: arg-type
find.allow_scan(segments="4")  # error: arg-type
find.order_by(Airport.visits, "DESC")  # error: call-arg
find.collect_misfits([1])  # error: list-item
find.page(after=3)  # error: arg-type
find.explain(run="yes")  # error: arg-type
find.fetch_ahead("no")  # error: arg-type
find.with_(Airport.visits)  # error: arg-type
find.where(Airport.visits > "3")  # error: operator
find.where(Airport.visits.begins_with("x"))  # error
visits: list[str] = [one.visits for one in find]  # error
states: list[tuple[str]] = find.project(Airport.visits).all()  # error: assignment
rows: list[tuple[str, str]] = find.project(Airport.state, Airport.visits).all()  # error: assignment
first: Airport = find.first()  # error: assignment
counted: str = find.count()  # error: assignment
Airport.update_where(Airport.visits, visits=3)  # error: arg-type
Airport.update_where(visits=3)  # error
Airport.delete_where()  # error
Airport.delete_where(Airport.visits > 3, dry_run="yes")  # error: arg-type
Airport.delete_where(Airport.visits > 3, progress=3)  # error: arg-type


async def read() -> None:
    several: list[Airport] = await find.afirst()  # error: assignment
    print(several)
    for _ in await find.aone():  # error
        pass
    async for _ in find.all():  # error
        pass
