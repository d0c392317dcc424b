"""Paths: how they are reached, what they refuse to be, and that they stay what they are."""

from __future__ import annotations

import copy
import inspect
import pickle
from typing import Any

import pytest

from dynawire.errors import ExpressionError
from dynawire.expressions.paths import Path, UnknownMember
from tests.expressions.support import CODECS, PATHS, Airport, Int, Str


def test_a_path_knows_its_stored_steps_and_its_python_name() -> None:
    path = Airport.address.zip_code
    assert (path._owner, path._steps, path._label) == (Airport, ("address", "zip"), "address.zip_code")
    assert repr(path) == "<Airport.address.zip_code>"
    assert repr(Path(None, ("x",), "x", Str())) == "<x>"


def test_elements_and_members_are_reached_by_brackets() -> None:
    assert Airport.scores[2]._steps == ("scores", 2)
    assert Airport.notes[0]._steps == ("notes", 0)
    assert Airport.names["odd name"]._steps == ("names", "odd name")
    assert Airport.names["odd name"]._label == "names['odd name']"
    assert Airport.names[5]._steps == ("names", "5")
    assert Airport.extra.a[0]["b"]._steps == ("extra", "a", 0, "b")
    assert Airport.extra.a[0]["b"]._label == "extra.a[0].b"


def test_a_member_named_like_a_method_is_reached_by_brackets() -> None:
    assert callable(Airport.address.size)
    assert Airport.address["size"]._steps == ("address", "size")
    assert isinstance(Airport.address["size"]._codec, Int)


@pytest.mark.parametrize(
    ("reach", "message"),
    [
        (lambda: Airport.address.zipcode, r"Airport\.address is Address, .*'zipcode'; did you mean 'zip_code'\?"),
        (lambda: Airport.address["q"], r"has no member 'q'; it has city, zip_code, size, type, lines"),
        (lambda: Airport.name.begin_with, r"Airport\.name is str, .*did you mean 'begins_with'\?"),
        (lambda: Airport.scores[-1], r"scores\[-1\]: DynamoDB counts list elements from 0 on"),
        (lambda: Airport.scores[2**31], r"scores\[2147483648\]: DynamoDB counts"),
        (lambda: Airport.visits[0], r"visits is int, which has no elements"),
        (lambda: Airport.pair[0], r"pair is tuple\[str, int\]: its elements differ in type"),
        (lambda: Airport.scores[True], r"name of a map member or the index of a list element"),
        (lambda: Airport.scores[0:2], r"name of a map member or the index of a list element"),
        (lambda: Airport.tags["x"], r"tags is set\[str\], which has no member 'x'"),
    ],
)
def test_what_is_not_there_is_refused_with_a_remedy(reach: Any, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        reach()


def test_a_path_is_at_most_32_steps_deep() -> None:
    path = Airport.extra
    for _ in range(31):
        path = path["x"]
    assert len(path._steps) == 32
    with pytest.raises(ExpressionError, match="32 steps deep"):
        path["x"]


def test_python_can_look_at_a_path() -> None:
    path = Airport.visits
    assert not hasattr(path, "__wrapped__")
    assert not hasattr(path, "unknown")
    assert hasattr(Airport.extra, "anything")
    assert not callable(path)
    assert not inspect.isroutine(path)
    assert inspect.getdoc(path)
    with pytest.raises(UnknownMember):
        path.unknown  # noqa: B018
    with pytest.raises(AttributeError):
        path.__html__  # noqa: B018


def test_copies_and_pickles_are_the_same_path() -> None:
    assert copy.copy(Airport.visits) is Airport.visits
    assert copy.deepcopy({"path": Airport.visits})["path"] is Airport.visits
    assert pickle.loads(pickle.dumps(Airport.visits)) is Airport.visits
    inner = pickle.loads(pickle.dumps(Airport.extra.a[3]["odd name"]))
    assert inner._steps == ("extra", "a", 3, "odd name")
    assert inner._owner is Airport


def test_a_path_inside_is_the_same_whenever_it_is_reached() -> None:
    assert Airport.address.city is Airport.address["city"]
    assert Airport.scores[3] is Airport.scores[3]
    assert Airport.address.lines[0] is Airport.address.lines[0]


def test_paths_inside_a_dict_do_not_pile_up() -> None:
    names = Path(None, ("names",), "names", CODECS["names"])
    every = [names[f"name {number}"] for number in range(1000)]
    kept = [path for path in every if names[str(path._steps[1])] is path]
    assert 0 < len(kept) < 500
    assert names["name 999"]._steps == ("names", "name 999")


def test_paths_are_hashed_by_identity() -> None:
    assert {Airport.visits: 1, Airport.name: 2}[Airport.name] == 2
    assert hash(Airport.visits) == hash(Airport.visits)


@pytest.mark.parametrize(
    ("misuse", "message"),
    [
        (lambda p: bool(p.visits), r"Airport\.visits is a path, neither true nor false"),
        (lambda p: p.open and p.visits, "write & | ~ instead of and, or, not"),
        (lambda p: "x" in p.tags, r"write tags\.contains\(value\) instead of in"),
        (lambda p: list(p.tags), "its elements are in the database"),
        (lambda p: setattr(p.address, "city", "x"), r"pass address\.city\.set\(value\) to update\(\)"),
        (lambda p: delattr(p.address, "city"), r"pass address\.city\.remove\(\) to update\(\)"),
        (lambda p: p.scores.__setitem__(0, 1), r"pass scores\[…\]\.set\(value\)"),
        (lambda p: p.scores.__delitem__(0), r"pass scores\[…\]\.remove\(\)"),
        (lambda p: p.visits.__iadd__(1), r"visits \+=: .* pass visits\.add\(number\) to update\(\)"),
        (lambda p: p.visits.__isub__(1), r"visits -=: .* pass visits\.add\(-number\)"),
        (lambda p: p.tags.__ior__({"a"}), r"tags \|=: .* pass tags\.add\(\{\.\.\.\}\)"),
    ],
)
def test_a_path_taken_for_a_value_is_refused_with_the_remedy(misuse: Any, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        misuse(Airport)


def test_every_attribute_has_one_path() -> None:
    assert set(PATHS) == set(CODECS)
    assert all(getattr(Airport, name) is path for name, path in PATHS.items())
