"""update(): atomic changes in place, on every engine, in both forms."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key
from tests.support.databases import Twins, at_once, case, raw_update, recorded, stored_item
from tests.support.models import Address, Place, place


class Strict(Model, table="strict"):
    """What an upsert must set."""

    id: Attr[str] = partition_key()
    needed: Attr[int]
    wanted: Attr[str]
    optional: Attr[str | None] = attr(default=None)
    maybe_null: Attr[str | None] = attr(default="text", store_none=True)


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Place, Strict)


def loaded(db: dw.Database, twin: Twins, **values: Any) -> Place:
    """A place that was stored and read again."""
    twin(place(**values)).put()
    found: Place = twin(Place).get("TX", "DFW")
    recorded(db).clear()
    return found


FULL: dict[str, Any] = {
    "city": "Dallas",
    "visits": 5,
    "rank": 2,
    "tags": {"a", "b"},
    "scores": [1, 2, 3],
    "names": {"de": "alt"},
    "address": Address("A", "B", 1, "n"),
    "addresses": [Address("A", "B")],
    "extra": {"n": 1, "l": [1]},
}

UPDATES: list[tuple[Any, dict[str, Any]]] = [
    (lambda: [Place.name.set("new")], {"name": "new"}),
    (lambda: [Place.city.set(None)], {"city": None}),
    (lambda: [Place.city.remove()], {"city": None}),
    (lambda: [Place.label.set("new")], {"label": "new"}),
    (lambda: [Place.visits.add(2)], {"visits": 7}),
    (lambda: [Place.visits.add(-2)], {"visits": 3}),
    (lambda: [Place.visits.set(Place.visits + 1)], {"visits": 6}),
    (lambda: [Place.visits.set(Place.visits - Place.rank)], {"visits": 3}),
    (lambda: [Place.visits.set(Place.rank), Place.rank.set(Place.visits)], {"visits": 2, "rank": 5}),
    (lambda: [Place.visits.set(Place.visits.if_not_exists(100))], {"visits": 5}),
    (lambda: [Place.extra["x"].set_if_not_exists(1)], {"extra": {"n": 1, "l": [1], "x": 1}}),
    (lambda: [Place.tags.add({"c", "a"})], {"tags": {"a", "b", "c"}}),
    (lambda: [Place.tags.delete({"a", "z"})], {"tags": {"b"}}),
    (lambda: [Place.tags.delete({"a", "b"})], {"tags": set()}),
    (lambda: [Place.tags.remove()], {"tags": set()}),
    (lambda: [Place.scores.append(4)], {"scores": [1, 2, 3, 4]}),
    (lambda: [Place.scores.prepend(0)], {"scores": [0, 1, 2, 3]}),
    (lambda: [Place.scores.extend([4, 5])], {"scores": [1, 2, 3, 4, 5]}),
    (lambda: [Place.scores[1].set(9)], {"scores": [1, 9, 3]}),
    (lambda: [Place.scores[9].set(9)], {"scores": [1, 2, 3, 9]}),
    (lambda: [Place.scores[0].remove()], {"scores": [2, 3]}),
    (lambda: [Place.scores.remove()], {"scores": []}),
    (lambda: [Place.names["fr"].set("x"), Place.names["de"].remove()], {"names": {"fr": "x"}}),
    (lambda: [Place.address.floor.add(2)], {"address": Address("A", "B", 3, "n")}),
    (lambda: [Place.address.note.set(None)], {"address": Address("A", "B", 1, None)}),
    (lambda: [Place.addresses[0].city.set("C")], {"addresses": [Address("A", "C")]}),
    (lambda: [Place.extra["l"][0].set("deep")], {"extra": {"n": 1, "l": ["deep"]}}),
    (
        lambda: [Place.name.set("n"), Place.visits.add(1), Place.tags.delete({"a"}), Place.city.remove()],
        {"name": "n", "visits": 6, "tags": {"b"}, "city": None},
    ),
]


def test_updates(db: dw.Database, twin: Twins) -> None:
    for number, (make, expected) in enumerate(UPDATES):
        with case(number, make()):
            mine = loaded(db, twin, **FULL)
            after = {**mine.to_dict(), **expected}
            assert twin(mine).update(*make()) is mine
            assert mine.to_dict() == after
            assert twin(Place).get("TX", "DFW").to_dict() == after
            assert twin(mine).save() is False
            assert recorded(db).operations() == ["UpdateItem", "GetItem"]


LOOKUPS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"name": "new"}, {"name": "new"}),
    ({"city": None}, {"city": None}),
    ({"visits__add": 2}, {"visits": 7}),
    ({"visits__plus": 2, "rank__minus": 2}, {"visits": 7, "rank": 0}),
    ({"tags__add": {"c"}, "scores__append": 4}, {"tags": {"a", "b", "c"}, "scores": [1, 2, 3, 4]}),
    ({"tags__delete": {"a"}}, {"tags": {"b"}}),
    ({"address__city": "C", "city__remove": True}, {"address": Address("A", "C", 1, "n"), "city": None}),
    ({"scores__0": 7}, {"scores": [7, 2, 3]}),
]


def test_updates_in_keyword_form(db: dw.Database, twin: Twins) -> None:
    for lookups, expected in LOOKUPS:
        with case(lookups):
            mine = loaded(db, twin, **FULL)
            after = {**mine.to_dict(), **expected}
            twin(mine).update(**lookups)
            assert mine.to_dict() == after


def test_an_update_by_key_gives_the_whole_item(db: dw.Database, twin: Twins) -> None:
    stored = loaded(db, twin, **FULL)
    found = twin(Place.key("TX", "DFW")).update(Place.visits.add(1), name="new")
    assert found.to_dict() == {**stored.to_dict(), "visits": 6, "name": "new"}
    found.city = "Austin"
    assert twin(found).save()
    assert recorded(db).operations() == ["UpdateItem", "UpdateItem"]


def test_by_table_an_update_takes_instances_keys_and_tuples(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin)
    table = db.table(Place)
    for visits, item in enumerate((mine, Place.key("TX", "DFW"), table.key("TX", "DFW"), ("TX", "DFW")), 1):
        assert twin(table).update(item, Place.visits.add(1)).visits == visits
    # The name of the parameter may be that of an attribute.
    assert mine.visits == 1


def test_local_changes_of_other_attributes_stay(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, **FULL)
    mine.name = "unsaved"
    mine.scores.append(99)
    raw_update(db, mine, "SET #city = :c", c={"S": "theirs"})
    twin(mine).update(Place.visits.add(1))
    assert (mine.name, mine.scores, mine.visits, mine.city) == ("unsaved", [1, 2, 3, 99], 6, "Dallas")
    assert twin(mine).save()
    found = twin(Place).get("TX", "DFW")
    assert (found.name, found.scores, found.city) == ("unsaved", [1, 2, 3, 99], "theirs")


def test_a_local_change_of_the_updated_attribute_is_replaced(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, **FULL)
    mine.visits = 1000
    mine.names["local"] = "change"
    twin(mine).update(Place.visits.add(1), Place.names["fr"].set("x"))
    assert (mine.visits, mine.names) == (6, {"de": "alt", "fr": "x"})
    assert twin(mine).save() is False


def test_an_instance_that_was_never_loaded(db: dw.Database, twin: Twins) -> None:
    loaded(db, twin, visits=5, city="Dallas")
    mine = place(name="local")
    twin(mine).update(Place.visits.add(1))
    assert (mine.visits, mine.name, mine.city) == (6, "local", None)
    # Its other values are changes of the stored item, which save() writes.
    assert twin(mine).save()
    found = twin(Place).get("TX", "DFW")
    assert (found.name, found.city, found.visits) == ("local", None, 6)


def test_of_a_missing_item(db: dw.Database, twin: Twins) -> None:
    mine = place()
    for owner in (mine, Place.key("TX", "DFW")):
        for options in ({}, {"condition": Place.visits < 3}):
            with pytest.raises(dw.ItemNotFound, match="upsert=True") as caught:
                twin(owner).update(Place.visits.add(1), **options)
            assert caught.value.key == {"state": {"S": "TX"}, "code": {"S": "DFW"}}
    assert stored_item(db, mine) is None
    assert mine.visits == 0
    assert Place.params.save(mine)["Item"]


def test_upsert(db: dw.Database, twin: Twins) -> None:
    key = Strict.key("x")
    found = twin(key).update(Strict.needed.add(5), Strict.wanted.set("w"), upsert=True)
    assert found.to_dict() == {"id": "x", "needed": 5, "wanted": "w", "optional": None, "maybe_null": "text"}
    assert twin(key).update(needed__add=1, wanted="v", upsert=True).needed == 6
    with pytest.raises(dw.ConditionFailed) as caught:
        twin(Strict.key("y")).update(needed=1, wanted="v", upsert=True, condition=Strict.needed == 3)
    assert type(caught.value) is dw.ConditionFailed
    assert not twin(Strict).exists("y")


@pytest.mark.parametrize(
    ("lookups", "missing"),
    [
        ({"optional": "x"}, "needed, wanted"),
        ({"needed": 1}, "wanted"),
        ({"needed": 1, "optional": None}, "wanted"),
    ],
)
def test_an_upsert_never_makes_what_cannot_be_read(
    db: dw.Database, twin: Twins, lookups: dict[str, Any], missing: str
) -> None:
    recorded(db).clear()
    with pytest.raises(dw.ExpressionError, match=f"without {missing}, which it must have"):
        twin(Strict.key("x")).update(upsert=True, **lookups)
    assert recorded(db).sent == []


def test_what_an_item_must_have_is_not_removed(db: dw.Database, twin: Twins) -> None:
    recorded(db).clear()
    with pytest.raises(dw.ExpressionError, match=r"Strict\.needed can't be removed"):
        twin(Strict.key("x")).update(Strict.needed.remove())
    assert recorded(db).sent == []


def test_none_is_stored_where_it_is_declared_so(db: dw.Database, twin: Twins) -> None:
    mine = Strict(id="x", needed=1, wanted="w")
    twin(mine).put()
    twin(mine).update(maybe_null=None)
    assert mine.maybe_null is None
    assert (stored_item(db, mine) or {})["maybe_null"] == {"NULL": True}
    twin(mine).update(Strict.maybe_null.remove())
    assert mine.maybe_null == "text"
    mine.maybe_null = None
    assert twin(mine).save()
    assert twin(Strict).get("x").maybe_null is None


@pytest.mark.parametrize("once", [False, True])
def test_a_part_of_what_is_not_there(db: dw.Database, twin: Twins, once: bool) -> None:
    mine = loaded(db, twin)
    before = stored_item(db, mine)
    for update in (Place.address.city.set("C"), Place.address.floor.add(1), Place.addresses[0].city.remove()):
        with pytest.raises(dw.ConditionFailed, match="no such map or list") as caught:
            twin(mine).update(update, exactly_once=once)
        assert "set the whole attribute first" in caught.value.message
    assert stored_item(db, mine) == before


def test_refused_by_the_service(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin)
    with pytest.raises(dw.ServiceError) as caught:
        twin(mine).update(Place.rank.set(Place.rank + 1))
    assert caught.value.code == "ValidationException"
    assert mine.rank is None


NO_UPDATES: list[Any] = [
    list,
    lambda: [Place.code.set("x")],
    lambda: [Place.name.set("a"), Place.name.set("b")],
    lambda: [Place.address.set(Address("A", "B")), Place.address.city.set("C")],
    lambda: [Place.visits > 3],
    lambda: [{"name": "x"}],
    lambda: [Strict.needed.add(1)],
]


def test_what_is_no_update(db: dw.Database, twin: Twins) -> None:
    recorded(db).clear()
    for number, make in enumerate(NO_UPDATES):
        with case(number), pytest.raises(dw.ExpressionError):
            twin(Place.key("TX", "DFW")).update(*make())
    assert recorded(db).sent == []


def test_after_an_update_whose_item_does_not_fit(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, visits=1)
    raw_update(db, mine, "SET lbl = :l", l={"N": "5"})
    with pytest.raises(dw.DecodeError) as caught:
        twin(mine).update(Place.visits.add(1))
    assert any("was applied" in note for note in caught.value.__notes__)
    assert mine.visits == 1
    assert (stored_item(db, mine) or {})["visits"] == {"N": "2"}


def test_counters_are_exact_under_contention(db: dw.Database, twin: Twins) -> None:
    twin(place()).put()

    def add() -> Any:
        key = Place.key("TX", "DFW")
        return key.aupdate(Place.visits.add(1)) if twin.is_async else key.update(Place.visits.add(1))

    outcomes = at_once(twin, [add] * 10)
    assert sorted(outcome.visits for outcome in outcomes) == list(range(1, 11))


def test_of_two_writers_with_one_condition_one_loses(db: dw.Database, twin: Twins) -> None:
    twin(place()).put()

    def take(name: str) -> Any:
        key = Place.key("TX", "DFW")
        change: dict[str, Any] = {"name": name, "condition": Place.visits == 0, "visits__add": 1}
        return key.aupdate(**change) if twin.is_async else key.update(**change)

    outcomes = at_once(twin, [partial(take, "one"), partial(take, "two")])
    (lost,) = [one for one in outcomes if isinstance(one, Exception)]
    (won,) = [one for one in outcomes if isinstance(one, Place)]
    assert type(lost) is dw.ConditionFailed
    assert lost.item == won == twin(Place).get("TX", "DFW")


IDEMPOTENT: list[tuple[Any, bool]] = [
    (lambda: Place.name.set("a"), True),
    (Place.city.remove, True),
    (lambda: Place.tags.add({"a"}), True),
    (lambda: Place.tags.delete({"a"}), True),
    (lambda: Place.names["a"].set("b"), True),
    (lambda: Place.addresses[0].city.set("b"), True),
    (lambda: Place.visits.add(1), False),
    (lambda: Place.visits.set(Place.visits + 1), False),
    (lambda: Place.scores.append(1), False),
    (lambda: Place.scores[0].set(1), False),
    (Place.scores[0].remove, False),
    (lambda: Place.rank.set(Place.visits), False),
    (lambda: Place.rank.set_if_not_exists(1), False),
]


def test_only_what_can_be_repeated_is_marked_so(db: dw.Database, twin: Twins) -> None:
    for number, (make, idempotent) in enumerate(IDEMPOTENT):
        with case(number):
            loaded(db, twin, **FULL)
            twin(Place.key("TX", "DFW")).update(make())
            assert recorded(db).sent[-1].idempotent is idempotent
            twin(Place.key("TX", "DFW")).update(make(), condition=Place.name.exists())
            assert recorded(db).sent[-1].idempotent is False
