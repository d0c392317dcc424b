"""What may be written with finds."""

from __future__ import annotations

from typing import Any, assert_type

from dynawire import (
    Attr,
    DecodeError,
    Explanation,
    Find,
    GlobalIndex,
    Model,
    Page,
    ScanNotAllowed,
    WhereResult,
    attr,
    connect,
    partition_key,
    sort_key,
)


class Airport(Model, table="airports", allow_scan=False):
    state: Attr[str] = partition_key()
    iata: Attr[str] = sort_key()
    city: Attr[str | None] = attr(default=None)
    visits: Attr[int] = attr(default=0)

    by_city = GlobalIndex("city", projection="KEYS_ONLY")


Found = list[tuple[int, str | None, str]]

db = connect("memory:", allow_scan=False)
find = Airport.find((Airport.city == "Austin") & (Airport.visits > 3), {"state": "TX"}, iata__begins_with="D")
assert_type(find, Find[Airport])
assert_type(db.table(Airport).find(city="x"), Find[Airport])
assert_type(Airport.find(), Find[Airport])
assert_type(Airport.by_city.query("x").hydrate(), Find[Airport])
assert_type(find.where(Airport.visits < 9).limit(3).consistent().hydrate(False).allow_scan(segments=4), Find[Airport])
assert_type(find.order_by(Airport.iata, reverse=True), Find[Airport])
assert_type(find.project(Airport.iata, Airport.city), Find[tuple[str, str | None]])
misfits: list[DecodeError] = []
assert_type(find.collect_misfits(misfits).fetch_ahead(False), Find[Airport])

assert_type(find.order_by(Airport.visits).limit(None).project(Airport.visits, Airport.city, Airport.state).all(), Found)
assert_type(find.project(Airport.visits).one(), tuple[int])
assert_type(find.project(Airport.visits).page(5).items, list[tuple[int]])
assert_type(find.hide_expired(False).where(city__exists=True), Find[Airport])
assert_type(Airport.by_city.query("x").hydrate().where(Airport.visits > 3).all(), list[Airport])
assert_type(Airport.find(Airport.visits > 3, {"state": "x"}, city=None), Find[Airport])

assert_type(find.all(), list[Airport])
assert_type(find.first(), Airport | None)
assert_type(find.one(), Airport)
assert_type(find.count(), int)
assert_type(find.exists(), bool)
assert_type(find.page(10, None), Page[Airport])
assert_type(find.explain(run=True), Explanation)
assert_type(find.params(), list[tuple[str, dict[str, Any]]])
assert_type([airport.visits for airport in find], list[int])
assert_type(Airport.scan().allow_scan().count(), int)

assert_type(Airport.update_where(Airport.city == "x", Airport.visits.add(1), dry_run=True, label="x"), WhereResult)
assert_type(Airport.delete_where({"city": "x"}, per_second=5, progress=print, allow_scan=True), WhereResult)
assert_type(db.table(Airport).delete_where(Airport.city == "x"), WhereResult)


async def read() -> None:
    assert_type(await find.aall(), list[Airport])
    assert_type(await find.project(Airport.visits).afirst(), tuple[int] | None)
    assert_type([airport async for airport in find], list[Airport])
    assert_type(await find.aexplain(), Explanation)
    assert_type(await find.acount(), int)
    assert_type(await Airport.aupdate_where(Airport.city == "x", visits=1), WhereResult)
    assert_type(await Airport.adelete_where(Airport.city == "x"), WhereResult)


def suggested(error: ScanNotAllowed) -> str | None:
    return error.suggestion
