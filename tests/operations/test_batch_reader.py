"""Batch reads take the short way into the class."""

from __future__ import annotations

import pytest

import dynawire as dw
from dynawire.codec.plan import ClassPlan
from tests.support.models import Place


def test_items_that_fit_are_not_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(self: object, item: object) -> None:
        raise AssertionError("an item that fits was read by the slow path")

    with dw.connect("memory:") as db:
        db.create_tables(Place)
        Place.put_many([Place(state="TX", code=str(number), name="n") for number in range(3)])
        monkeypatch.setattr(ClassPlan, "from_wire", slowly)
        assert len(Place.get_many([("TX", str(number)) for number in range(3)]).items) == 3
