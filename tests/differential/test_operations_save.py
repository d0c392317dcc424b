"""save(): only what changed, on every engine, in both forms."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key
from tests.support.databases import Twins, at_once, case, raw, raw_update, recorded, stored_item
from tests.support.models import Address, Place, place


@pytest.fixture(autouse=True)
def tables(db: dw.Database) -> None:
    db.create_tables(Place)


def loaded(db: dw.Database, twin: Twins, **values: Any) -> Place:
    """A place that was stored and read again."""
    twin(place(**values)).put()
    found: Place = twin(Place).get("TX", "DFW")
    recorded(db).clear()
    return found


def test_a_new_instance_is_put(db: dw.Database, twin: Twins) -> None:
    mine = place(name="a")
    assert twin(mine).save() is True
    assert recorded(db).operations() == ["CreateTable", "DescribeTable", "PutItem"]
    assert twin(mine).save() is False
    assert stored_item(db, mine) == mine.to_item()


def test_nothing_changed_sends_nothing(db: dw.Database, twin: Twins) -> None:
    mine = loaded(
        db,
        twin,
        tags={"a", "b", "c", "d"},
        scores=[1, 2],
        names={"a": "b"},
        address=Address("A", "B"),
        extra={"x": {"y": [1, {"z": b"1"}]}, "s": {"p", "q", "r"}},
    )
    assert twin(mine).save() is False
    # Assigning what is there already is no change, whatever the order of sets and maps.
    mine.tags = set(mine.tags)
    mine.names = dict(mine.names)
    mine.scores = list(mine.scores)
    mine.address = Address("A", "B")
    mine.extra = {"s": {"r", "q", "p"}, "x": {"y": [1, {"z": b"1"}]}}
    assert twin(mine).save() is False
    assert Place.params.save(mine) == {}
    assert recorded(db).sent == []


ASSIGNED: list[tuple[str, Any, dict[str, Any]]] = [
    ("name", "new", {"S": "new"}),
    ("visits", 9, {"N": "9"}),
    ("tags", {"t"}, {"SS": ["t"]}),
    ("scores", [], {"L": []}),
    ("label", "other", {"S": "other"}),
    ("extra", False, {"BOOL": False}),
]


def test_only_the_changed_attribute_is_sent(db: dw.Database, twin: Twins) -> None:
    for attribute, value, wire in ASSIGNED:
        with case(attribute):
            mine = loaded(db, twin, scores=[1], extra=1, label="first")
            setattr(mine, attribute, value)
            assert twin(mine).save() is True
            (sent,) = recorded(db).sent
            assert sent.operation == "UpdateItem"
            assert sent.body["UpdateExpression"] == "SET #n0 = :v0"
            assert sent.body["ExpressionAttributeValues"] == {":v0": wire}
            assert sent.idempotent
            assert getattr(twin(Place).get("TX", "DFW"), attribute) == value
            assert twin(mine).save() is False


def change_list(mine: Place) -> None:
    mine.scores.append(7)


def change_set(mine: Place) -> None:
    mine.tags.discard("a")


def change_dict(mine: Place) -> None:
    mine.names["de"] = "neu"


def change_struct(mine: Place) -> None:
    assert mine.address is not None
    mine.address.city = "C"


def change_list_of_structs(mine: Place) -> None:
    mine.addresses[1].floor += 1


def change_deep(mine: Place) -> None:
    mine.extra["x"]["y"][1]["z"].append("deep")


def change_members(mine: Place) -> None:
    assert mine.address is not None
    mine.address.note = None
    mine.names.pop("en")
    mine.names["fr"] = "x"
    mine.extra["x"]["n"] = 5


def test_changes_in_place_are_found(db: dw.Database, twin: Twins) -> None:
    for change in (
        change_list,
        change_set,
        change_dict,
        change_struct,
        change_list_of_structs,
        change_deep,
        change_members,
    ):
        with case(change.__name__):
            mine = loaded(
                db,
                twin,
                tags={"a", "b"},
                scores=[1],
                names={"de": "alt", "en": "old"},
                address=Address("A", "B", note="n"),
                addresses=[Address("A", "B"), Address("C", "D")],
                extra={"x": {"y": [1, {"z": []}]}},
            )
            change(mine)
            assert twin(mine).save() is True
            assert twin(Place).get("TX", "DFW") == mine
            assert twin(mine).save() is False


def test_none_removes(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, city="Dallas", rank=1, tags={"a"}, address=Address("A", "B"))
    mine.city = mine.rank = mine.address = None
    mine.tags.clear()
    assert twin(mine).save() is True
    assert recorded(db).sent[0].body["UpdateExpression"].startswith("REMOVE ")
    stored = stored_item(db, mine)
    assert stored is not None
    assert {"city", "rank", "address", "tags"}.isdisjoint(stored)


def test_unknown_attributes_and_members_stay(db: dw.Database, twin: Twins) -> None:
    mine = place(address=Address("A", "B"))
    item = mine.to_item()
    item["unknown"] = {"S": "stays"}
    item["address"]["M"]["unknown"] = {"N": "1"}
    raw(db, Place, "PutItem", Item=item)
    mine = twin(Place).get("TX", "DFW")
    assert mine.address is not None
    mine.name, mine.address.city = "new", "C"
    assert twin(mine).save()
    stored = stored_item(db, mine)
    assert stored is not None
    assert stored["unknown"] == {"S": "stays"}
    assert stored["address"]["M"]["unknown"] == {"N": "1"}
    assert (stored["name"], stored["address"]["M"]["city"]) == ({"S": "new"}, {"S": "C"})


def test_defaults_that_were_never_stored_are_not_stored(db: dw.Database, twin: Twins) -> None:
    raw(db, Place, "PutItem", Item={"state": {"S": "TX"}, "code": {"S": "DFW"}, "name": {"S": "a"}})
    mine = twin(Place).get("TX", "DFW")
    recorded(db).clear()
    assert (mine.scores, mine.names, mine.visits) == ([], {}, 0)
    assert twin(mine).save() is False
    mine.city = "Dallas"
    assert twin(mine).save() is True
    assert sorted(stored_item(db, mine) or ()) == ["city", "code", "name", "state"]
    mine.visits = 1
    mine.scores.append(1)
    assert twin(mine).save() is True
    assert sorted(stored_item(db, mine) or ()) == ["city", "code", "name", "scores", "state", "visits"]
    # Once stored, the default is a value like any other.
    mine.visits = 0
    assert twin(mine).save() is True
    assert (stored_item(db, mine) or {})["visits"] == {"N": "0"}


def test_what_a_factory_makes_anew_each_time_is_stored_with_the_first_save(db: dw.Database, twin: Twins) -> None:
    class Session(Model, table="sessions"):
        id: Attr[str] = partition_key()
        token: Attr[UUID] = attr(default_factory=uuid4)

    twin(db).create_tables(Session)
    raw(db, Session, "PutItem", Item={"id": {"S": "a"}})
    mine, yours = twin(Session).get("a"), twin(Session).get("a")
    assert mine.token != yours.token
    assert twin(mine).save() is True
    assert twin(mine).save() is False
    assert twin(Session).get("a").token == mine.token


def test_a_deleted_item_is_not_brought_back(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin)
    twin(Place.key("TX", "DFW")).delete()
    mine.name = "new"
    for options in ({}, {"condition": Place.name == "name DFW"}):
        with pytest.raises(dw.ItemNotFound) as caught:
            twin(mine).save(**options)
        assert caught.value.key == {"state": {"S": "TX"}, "code": {"S": "DFW"}}
        assert "never brings a deleted item back" in caught.value.message
    assert stored_item(db, mine) is None
    assert mine.name == "new"
    # Its own delete() does not make it new either; only put() and insert() say so.
    twin(mine).delete()
    with pytest.raises(dw.ItemNotFound):
        twin(mine).save()
    twin(mine).insert()
    mine.name = "newer"
    assert twin(mine).save()


@pytest.mark.parametrize("attribute", ["state", "code"])
def test_a_changed_key_is_refused(db: dw.Database, twin: Twins, attribute: str) -> None:
    mine = loaded(db, twin)
    setattr(mine, attribute, "XX")
    with pytest.raises(dw.ValidationError, match=f"Place.{attribute} is part of the key") as caught:
        twin(mine).save()
    assert caught.value.attribute == attribute
    assert recorded(db).sent == []


# ---------------------------------------------------------------------- several writers


def test_two_writers_of_different_attributes_both_win(db: dw.Database, twin: Twins) -> None:
    mine, other = loaded(db, twin), twin(Place).get("TX", "DFW")
    mine.name, other.city = "mine", "other"
    assert twin(mine).save()
    assert twin(other).save()
    found = twin(Place).get("TX", "DFW")
    assert (found.name, found.city) == ("mine", "other")


def test_two_writers_of_different_members_both_win(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, names={"a": "1", "b": "2"}, address=Address("A", "B"), extra={"deep": {"a": 1, "b": 2}})
    other = twin(Place).get("TX", "DFW")
    assert mine.address is not None
    assert other.address is not None
    mine.names["a"], other.names["b"] = "mine", "other"
    del mine.names["b"]  # in mine's eyes
    mine.names["b"] = "2"
    mine.names["c"] = "new"
    mine.address.street, other.address.city = "mine", "other"
    mine.extra["deep"]["a"], other.extra["deep"]["b"] = "mine", "other"
    assert twin(other).save()
    assert twin(mine).save()
    found = twin(Place).get("TX", "DFW")
    assert found.names == {"a": "mine", "b": "other", "c": "new"}
    assert (found.address.street, found.address.city) == ("mine", "other")
    assert found.extra == {"deep": {"a": "mine", "b": "other"}}


def test_removing_every_member_keeps_what_another_writer_added(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, names={"a": "1"})
    raw_update(db, mine, "SET #names.#b = :b", b={"S": "2"})
    mine.names = {"c": "3"}
    assert twin(mine).save()
    assert twin(Place).get("TX", "DFW").names == {"b": "2", "c": "3"}
    mine.names.clear()
    assert twin(mine).save()
    assert twin(Place).get("TX", "DFW").names == {"b": "2"}


@pytest.mark.parametrize("other", ["REMOVE #address", "SET #address = :a"])
@pytest.mark.parametrize("once", [False, True])
def test_a_map_that_another_writer_took_away(db: dw.Database, twin: Twins, other: str, once: bool) -> None:
    mine = loaded(db, twin, address=Address("A", "B"))
    assert mine.address is not None
    mine.address.city = "C"
    mine.name = "new"
    if ":a" in other:
        raw_update(db, mine, other, a={"S": "a text"})
    else:
        raw_update(db, mine, other)
    before = stored_item(db, mine)
    with pytest.raises(dw.ConditionFailed) as caught:
        twin(mine).save(exactly_once=once)
    assert "Place.address" in caught.value.message
    assert "refresh()" in caught.value.message
    assert caught.value.model == "Place"
    assert stored_item(db, mine) == before
    if other.startswith("REMOVE"):
        twin(mine).refresh()
        assert mine.address is None


def test_removing_a_member_of_a_map_that_is_gone(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, names={"a": "1", "b": "2"})
    raw_update(db, mine, "REMOVE #names")
    del mine.names["a"]
    with pytest.raises(dw.ConditionFailed, match=r"Place\.names"):
        twin(mine).save()


def test_writers_at_the_same_time(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, names={str(number): "" for number in range(8)})
    at_once(twin, [partial(write_member, twin, Place.get_one("TX", "DFW"), str(number)) for number in range(8)])
    twin(mine).refresh()
    assert set(mine.names.values()) == {"written"}


def write_member(twin: Twins, own: Place, member: str) -> Any:
    own.names[member] = "written"
    return own.asave() if twin.is_async else own.save()


# ---------------------------------------------------------------------- many changes


@pytest.mark.parametrize("count", [150, 400])
def test_very_many_changed_members(db: dw.Database, twin: Twins, count: int) -> None:
    mine = loaded(db, twin, names={f"name {number}": "old" for number in range(count)}, address=Address("A", "B"))
    assert mine.address is not None
    mine.names = dict.fromkeys(mine.names, "new")
    mine.address.city = "C"
    assert twin(mine).save() is True
    assert twin(Place).get("TX", "DFW") == mine
    assert twin(mine).save() is False


def test_very_many_changed_members_never_overwrite_another_writers(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin, names={f"name {number}": "old" for number in range(400)})
    raw_update(db, mine, "SET #names.#other = :o", o={"S": "theirs"})
    before = stored_item(db, mine)
    mine.names = dict.fromkeys(mine.names, "new")
    with pytest.raises(dw.ConditionFailed) as caught:
        twin(mine).save()
    assert "Place.names has too many changes" in caught.value.message
    assert caught.value.item.names["other"] == "theirs"
    assert stored_item(db, mine) == before
    assert recorded(db).sent[-1].idempotent is False
    # Its remedy is what the message says.
    twin(mine).refresh()
    mine.names = dict.fromkeys(mine.names, "new")
    assert twin(mine).save() is True
    assert twin(Place).get("TX", "DFW").names["other"] == "new"


def test_more_attributes_than_one_update_can_name(db: dw.Database, twin: Twins) -> None:
    annotations = {f"a{number}": dw.Attr[int] for number in range(500)}
    defaults = {name: dw.attr(default=0) for name in annotations}
    wide: Any = type(dw.Model)(
        "Wide",
        (dw.Model,),
        {"__annotations__": {"id": dw.Attr[str], **annotations}, "id": dw.partition_key(), **defaults},
        table="wide",
    )
    twin(db).create_tables(wide)
    item = wide(id="x")
    twin(item).put()
    for name in annotations:
        setattr(item, name, 1)
    recorded(db).clear()
    with pytest.raises(dw.LimitExceeded, match=r"500 attributes .* put\(\)"):
        twin(item).save()
    assert recorded(db).sent == []
    twin(item).put()
    assert twin(wide).get("x").a499 == 1


# ---------------------------------------------------------------------- values


def test_what_breaks_a_rule_by_now_can_be_mended(db: dw.Database, twin: Twins) -> None:
    mine = place()
    item = mine.to_item()
    item["visits"] = {"N": "-5"}
    raw(db, Place, "PutItem", Item=item)
    mine = twin(Place).get("TX", "DFW")
    mine.name = "new"
    assert twin(mine).save() is True  # what breaks the rule is as it was
    mine.visits = -4
    with pytest.raises(dw.ValidationError, match="visits"):
        twin(mine).save()
    mine.visits = 5
    assert twin(mine).save() is True
    stored = stored_item(db, mine)
    assert stored is not None
    assert (stored["visits"], stored["name"]) == ({"N": "5"}, {"S": "new"})
    assert twin(mine).save() is False


def test_awkward_member_names(db: dw.Database, twin: Twins) -> None:
    names = {"a.b": "1", "a[0]": "2", "#n0": "3", ":v0": "4", "size": "5", "ä€😀": "6", " ": "7"}
    mine = loaded(db, twin, names=dict.fromkeys(names, "old"))
    mine.names = dict(names)
    assert twin(mine).save() is True
    assert twin(Place).get("TX", "DFW").names == names


def test_a_failed_save_leaves_the_instance_as_it_was(db: dw.Database, twin: Twins) -> None:
    mine = loaded(db, twin)
    mine.name = "new"
    with pytest.raises(dw.ConditionFailed):
        twin(mine).save(condition=Place.visits > 5)
    request = Place.params.save(mine)
    assert request["ExpressionAttributeValues"] == {":v0": {"S": "new"}}
    assert twin(mine).save()


def test_copies_know_what_was_loaded(db: dw.Database, twin: Twins) -> None:
    import copy
    import pickle

    mine = loaded(db, twin, scores=[1])
    for twinned in (copy.copy(mine), copy.deepcopy(mine), pickle.loads(pickle.dumps(mine))):
        assert twinned == mine
        assert twin(twinned).save() is False
        twinned.city = "Dallas"
        assert Place.params.save(twinned)["UpdateExpression"] == "SET #n0 = :v0"
