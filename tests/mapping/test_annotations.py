"""Names in annotations: found in the module, in functions around, or not yet."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from dynawire.mapping.annotations import Names, body_annotations, type_hints

here = "a global"


def test_local_names_come_before_global_ones() -> None:
    here = int
    names = Names(__name__, sys._getframe())
    assert names.resolve("list[here]") == list[int]
    assert names.head("here[x]") is here
    names.forget_frame()
    assert names.head("here") == "a global"


def test_a_local_name_without_value_is_not_a_global_one() -> None:
    names = Names(__name__, sys._getframe())
    with pytest.raises(NameError):
        names.resolve("here")
    here = str
    assert names.resolve("here") is here


def test_a_class_body_sees_the_function_around_it() -> None:
    outer = int

    class Body:
        inner = str
        frame = sys._getframe()

    names = Names(__name__, Body.frame)
    assert names.resolve("dict[outer, inner]") == dict[int, str]
    assert outer is int


def test_the_class_being_made_is_known() -> None:
    names = Names(__name__, None)
    with pytest.raises(NameError):
        names.resolve("list[Made]")
    Made = type("Made", (), {})  # noqa: N806
    names.add(Made)
    assert names.resolve("list[Made]") == list[Made]
    assert names.resolve(list["Made"]) == list[Made]


def test_heads() -> None:
    names = Names(__name__, None)
    assert names.head("pytest.raises[int]") is pytest.raises
    assert names.head("pytest.nothing.further[int]") is None
    assert names.head("missing") is None
    assert names.head("Any") is Any


def test_a_module_that_is_gone() -> None:
    names = Names("no.such.module", None)
    assert names.resolve("int") is int
    assert names.head("int") is None


def test_hints_of_a_class_of_another_module_see_no_local_names() -> None:
    secret = int
    names = Names(__name__, sys._getframe())
    mine = type("Mine", (), {"__annotations__": {"a": "secret"}, "__module__": __name__})
    other = type("Other", (), {"__annotations__": {"a": "secret"}, "__module__": "email"})
    assert type_hints(mine, names) == {"a": secret}
    with pytest.raises(NameError):
        type_hints(other, names)


def test_body_annotations() -> None:
    assert body_annotations({}) == {}
    assert body_annotations({"__annotations__": {"a": "int"}}) == {"a": "int"}
