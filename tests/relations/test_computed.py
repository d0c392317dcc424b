"""Relations by attributes that are computed from others."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire import Attr, GlobalIndex, Model, ToMany, ToOne, joined, many_to_one, one_to_many, partition_key


class Region(Model, table="c-regions"):
    id: Attr[str] = partition_key()
    country: Attr[str]
    name: Attr[str]
    place: Attr[str] = joined("country", "name")

    shops: ToMany[Outlet] = one_to_many("place", index="by_place", back="region")
    by_place = GlobalIndex("place")


class Outlet(Model, table="c-outlets"):
    id: Attr[str] = partition_key()
    country: Attr[str]
    region_name: Attr[str]
    place: Attr[str] = joined("country", "region_name")

    region: ToOne[Region] = many_to_one("place", index="by_place", back="shops")
    by_place = GlobalIndex("place", "id")


def test_computed_attributes_lead() -> None:
    with dw.connect("memory:") as db, db.use():
        db.create_tables(Region, Outlet)
        region = Region(id="r", country="UK", name="York#shire")
        region.put()
        Outlet.put_many(Outlet(id=str(number), country="UK", region_name="York#shire") for number in range(3))
        assert [one.id for one in region.shops] == ["0", "1", "2"]
        assert all(one.region.value is region for one in region.shops.value)
        outlet = Outlet.scan().with_(Outlet.region).all()[0]
        assert outlet.region.value.id == "r"
        outlet.region_name = "Kent"
        assert not outlet.region.is_loaded
        assert outlet.region.get() is None
        region.shops.append(Outlet(id="3", country="UK", region_name="York#shire"))
        with pytest.raises(dw.RelationError, match=r"Outlet\.place is computed from country, region_name; give these"):
            region.shops.append(outlet)
