"""What a Model offers beside its operations: dicts, items, copies, keys, checks, and a repr without values."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

import dynawire as dw
from tests.support.models import Address, Place, place


@pytest.fixture(autouse=True)
def db() -> Iterator[dw.Database]:
    with dw.connect("memory:") as database:
        database.create_tables(Place)
        yield database


def test_as_a_dict_and_as_an_item() -> None:
    mine = place("A", address=Address("S", "C"), tags={"t"}, extra=b"\x00")
    assert mine.to_dict() == {
        "state": "TX",
        "code": "A",
        "name": "name A",
        "city": None,
        "visits": 0,
        "rank": None,
        "tags": {"t"},
        "scores": [],
        "names": {},
        "address": Address("S", "C"),
        "addresses": [],
        "extra": b"\x00",
        "label": "none",
    }
    item = mine.to_item()
    assert item["lbl"] == {"S": "none"}
    assert item["extra"] == {"B": b"\x00"}
    assert "city" not in item
    assert Place(**mine.to_dict()) == mine


def test_from_an_item() -> None:
    item = {"state": {"S": "TX"}, "code": {"S": "A"}, "name": {"S": "n"}, "extra": {"B": "AA=="}, "unknown": {"S": "x"}}
    mine = Place.from_item(item)
    assert (mine.code, mine.extra, mine.scores) == ("A", b"\x00", [])
    # It counts as loaded: nothing changed, nothing to save.
    assert mine.save() is False
    with pytest.raises(dw.DecodeError) as caught:
        Place.from_item({**item, "visits": {"S": "x"}})
    assert caught.value.path == "visits"
    assert caught.value.key == {"state": {"S": "TX"}, "code": {"S": "A"}}


def test_validate() -> None:
    mine = place("A")
    mine.validate()
    mine.visits, mine.tags, mine.address = -1, {5}, Address("S", None)  # type: ignore[assignment, arg-type]
    with pytest.raises(dw.ValidationError) as caught:
        mine.validate()
    assert {path.rstrip("{}") for path, _ in caught.value.errors} == {"visits", "tags", "address.city"}
    # It was not about to send anything; a write was.
    assert "nothing was sent" not in f"{caught.value}{caught.value.message}"
    with pytest.raises(dw.ValidationError, match=r"; nothing was sent$"):
        mine.put()


def test_no_value_in_a_repr() -> None:
    mine = place("secret code", name="secret name")
    for shown in (repr(mine), str(mine), repr([mine]), repr(Place.key("TX", "secret code")), f"{mine}"):
        assert "secret" not in shown
    assert repr(mine).startswith("<Place (state, code, name")
    assert repr(Place.key("TX", "x")) == "<Key of Place>"
    assert repr(Place.query("secret")) == "<query of Place>"
    assert repr(Place.by_city.query("secret")) == "<query of Place.by_city>"
    assert repr(Place.scan()) == "<scan of Place>"
    assert repr(Place.by_city) == "<index by_city of Place>"


@pytest.mark.parametrize(
    "twinned", [copy.copy, copy.deepcopy, lambda mine: pickle.loads(pickle.dumps(mine))], ids=["copy", "deep", "pickle"]
)
def test_copies_know_what_was_loaded(twinned: Any) -> None:
    new = place("A", scores=[1], address=Address("S", "C"))
    assert "Item" in Place.params.save(twinned(new))
    new.put()
    loaded = Place.get_one("TX", "A")
    for one in (new, loaded):
        other = twinned(one)
        assert other == one
        assert other is not one
        assert other.save() is False
        other.city = "changed"
        assert Place.params.save(other)["ExpressionAttributeValues"] == {":v0": {"S": "changed"}}
        assert one.city is None
        assert one.save() is False


def test_a_deep_copy_shares_nothing() -> None:
    mine = place("A", scores=[1], address=Address("S", "C"), extra={"a": [1]})
    mine.put()
    other = copy.deepcopy(mine)
    other.scores.append(2)
    other.extra["a"].append(2)
    assert other.address is not None
    other.address.city = "D"
    assert (mine.scores, mine.extra, mine.address) == ([1], {"a": [1]}, Address("S", "C"))
    assert mine.save() is False
    assert other.save() is True


def test_keys_are_values() -> None:
    assert Place.key("TX", "A") == Place.key(state="TX", code="A") == Place.key("TX", code="A")
    assert Place.key("TX", "A") != Place.key("TX", "B")
    assert Place.key("TX", "A") != ("TX", "A")
    assert len({Place.key("TX", "A"), Place.key("TX", "A"), Place.key("TX", "B")}) == 2
    assert Place.key("TX", "A").values == ("TX", "A")
    assert Place.key("TX", "A").model is Place


def test_defaults_are_never_shared() -> None:
    one, other = place("A"), place("B")
    one.scores.append(1)
    one.names["a"] = "b"
    one.tags.add("t")
    assert (other.scores, other.names, other.tags) == ([], {}, set())
    one.put()
    first, second = Place.get_one("TX", "A"), Place.get_one("TX", "A")
    first.scores.append(2)
    assert second.scores == [1]


def test_what_is_loaded_is_not_what_is_changed() -> None:
    """Changing a container in place never changes what it is compared with."""
    mine = place("A", scores=[1], names={"a": "b"}, tags={"t"}, address=Address("S", "C"), extra={"l": [{"s": {"x"}}]})
    mine.put()
    for one in (mine, Place.get_one("TX", "A")):
        one.scores.append(2)
        one.names["c"] = "d"
        one.tags.add("u")
        assert one.address is not None
        one.address.city = "D"
        one.extra["l"][0]["s"].add("y")
        changed = Place.params.save(one)
        assert sorted(changed["ExpressionAttributeNames"].values()) == [
            "address", "c", "city", "extra", "l", "names", "scores", "state", "tags",
        ]  # fmt: skip


def test_instances_compare_by_value_and_take_no_positions() -> None:
    assert place("A") == place("A")
    assert place("A") != place("B")
    with pytest.raises(TypeError):
        Place("TX", "A")  # type: ignore[misc, call-arg]
    with pytest.raises(TypeError):
        Place(state="TX", code="A")  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        place("A", nothing=1)
