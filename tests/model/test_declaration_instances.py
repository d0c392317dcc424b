"""Instances apart from any database: copies, pickles, texts that show no value, what checks and converts them."""

from __future__ import annotations

import copy
import pickle
import sys
from typing import Any

import msgspec
import pytest

from dynawire import Attr, DecodeError, Model, ValidationError, attr, partition_key
from dynawire.operations.mapped import mapped


class Part(Model):
    names: Attr[list[str]] = attr(default_factory=list)


class Whole(Model, table="wholes"):
    id: Attr[str] = partition_key()
    part: Attr[Part]
    tags: Attr[set[str]] = attr(default_factory=set)
    secret: Attr[bytes | None] = attr(default=None)
    parent: Attr[Whole | None] = attr(default=None)

    made = 0

    def __post_init__(self) -> None:
        type(self).made += 1


@pytest.fixture
def whole() -> Whole:
    return Whole(id="topsecret", part=Part(names=["topsecret"]), tags={"topsecret"}, secret=b"topsecret")


@pytest.fixture
def loaded(whole: Whole) -> Whole:
    found, _ = mapped(Whole).plan.read_item(msgspec.json.encode({"Item": whole.to_item()}))
    read: Whole = found
    return read


def base(instance: Whole) -> Any:
    """What it was loaded from, as save() compares it."""
    return mapped(Whole).plan.loaded_wire(instance._loaded)


def test_copy_shares_values_and_runs_no_constructor(loaded: Whole) -> None:
    made = Whole.made
    twin = copy.copy(loaded)
    assert Whole.made == made
    assert twin == loaded
    assert twin is not loaded
    assert twin.part is loaded.part
    assert base(twin) == base(loaded)


def test_deepcopy_shares_nothing_mutable(loaded: Whole) -> None:
    made = Whole.made
    twin = copy.deepcopy(loaded)
    assert Whole.made == made
    assert twin == loaded
    twin.part.names.append("x")
    twin.tags.add("x")
    assert loaded.part.names == ["topsecret"]
    assert loaded.tags == {"topsecret"}
    assert base(twin) == base(loaded)


def test_deepcopy_of_what_holds_itself(whole: Whole) -> None:
    whole.parent = whole
    twin = copy.deepcopy([whole, whole])
    assert twin[0] is twin[1] is twin[0].parent


def test_a_copy_of_a_new_instance_is_new(whole: Whole) -> None:
    for twin in (copy.copy(whole), copy.deepcopy(whole), pickle.loads(pickle.dumps(whole))):
        assert getattr(twin, "_loaded", None) is None
        assert twin == whole


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_keeps_what_was_loaded(loaded: Whole, protocol: int) -> None:
    loaded.part.names.append("changed")
    twin = pickle.loads(pickle.dumps(loaded, protocol))
    assert twin == loaded
    assert base(twin) == base(loaded)
    assert base(twin)["part"] == {"M": {"names": {"L": [{"S": "topsecret"}]}}}


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace came with Python 3.13")
def test_copy_replace(loaded: Whole) -> None:
    other = copy.replace(loaded, id="other")
    assert (other.id, other.part) == ("other", loaded.part)


def test_no_text_shows_a_value(whole: Whole) -> None:
    shown = [
        repr(whole),
        str(whole),
        f"{[whole]}",
        repr(list(whole.__rich_repr__())),
        repr(Whole.id),
        repr(Whole.id == "topsecret"),
    ]
    assert repr(whole) == "<Whole (id, part, tags, secret, parent)>"
    whole.tags = "topsecret"
    whole.part.names = ["ok", 5]
    with pytest.raises(ValidationError) as refused:
        whole.validate()
    shown += [str(refused.value), repr(refused.value), repr(refused.value.errors)]
    with pytest.raises(DecodeError) as misread:
        Whole.from_item({"id": {"S": "topsecret"}, "part": {"M": {}}, "tags": {"S": "topsecret"}})
    shown += [str(misread.value), repr(misread.value)]
    assert not [text for text in shown if "topsecret" in text]


def test_validation_collects_every_failure(whole: Whole) -> None:
    whole.id = ""
    whole.part.names = "x"
    whole.tags = {1}
    whole.parent = Part()
    with pytest.raises(ValidationError) as caught:
        whole.validate()
    assert [path for path, _ in caught.value.errors] == ["id", "part.names", "tags{}", "parent"]
    assert caught.value.model == "Whole"
    restored = pickle.loads(pickle.dumps(caught.value))
    assert (str(restored), restored.errors) == (str(caught.value), caught.value.errors)


def test_to_dict_and_back(whole: Whole) -> None:
    assert whole.to_dict() == {
        "id": "topsecret",
        "part": whole.part,
        "tags": {"topsecret"},
        "secret": b"topsecret",
        "parent": None,
    }
    assert Whole(**whole.to_dict()) == whole


def test_from_item_takes_bytes_and_base64(whole: Whole) -> None:
    item = whole.to_item()
    assert Whole.from_item(item) == whole
    assert Whole.from_item(msgspec.json.decode(msgspec.json.encode(item))) == whole


def test_an_instance_of_another_class_is_refused(whole: Whole) -> None:
    plan = mapped(Whole).plan

    class Other(Model, table="others"):
        id: Attr[str] = partition_key()
        part: Attr[Part]
        tags: Attr[set[str]] = attr(default_factory=set)
        secret: Attr[bytes | None] = attr(default=None)
        parent: Attr[Whole | None] = attr(default=None)

    class Below(Whole, table="below"):
        more: Attr[str] = attr(default="")

    for stranger in (Other(id="x", part=Part()), Below(id="x", part=Part()), Part(), "x", None):
        with pytest.raises(ValidationError, match=f"expected Whole, got {type(stranger).__name__}"):
            plan.encode(stranger)


def test_memory_of_what_was_loaded_is_not_the_instances(loaded: Whole) -> None:
    loaded.tags.clear()
    loaded.part.names.clear()
    assert base(loaded)["tags"] == {"SS": ["topsecret"]}
    assert base(loaded)["part"] == {"M": {"names": {"L": [{"S": "topsecret"}]}}}
