"""No message holds data: neither values nor the keys of dicts. The error's attributes say where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st

import dynawire as dw
from dynawire import Attr, Model, attr, partition_key
from dynawire.mapping.value_codec import shown_path

SECRET = "sEcReT"


class Options(TypedDict):
    """A map of declared members."""

    colour: str
    size: int


class Account(Model, table="accounts"):
    """Dicts of every kind."""

    id: Attr[str] = partition_key()
    names: Attr[dict[str, int]] = attr(default_factory=dict)
    deep: Attr[dict[str, list[dict[str, int]]]] = attr(default_factory=dict)
    options: Attr[Options | None] = attr(default=None)


def account(**values: Any) -> Account:
    return Account(id="1", **values)


def item(**values: Any) -> dict[str, Any]:
    return {"id": {"S": "1"}, **values}


WRITES: list[tuple[Callable[[], Account], str, str]] = [
    (lambda: account(names={SECRET: "x"}), f"names['{SECRET}']", "Account.names[...] must be int, not str"),
    (
        lambda: account(deep={SECRET: [{SECRET: SECRET}]}),
        f"deep['{SECRET}'][0]['{SECRET}']",
        "Account.deep[...][0][...] must be int, not str",
    ),
    (
        lambda: account(options={"colour": "red", "size": 1, SECRET: 1}),
        "options",
        "Account.options has a member which Options does not have; it has colour, size",
    ),
    (
        lambda: account(options={"color": "red", "colour": "red", "size": 1}),
        "options",
        "Account.options has a member which Options does not have; did you mean 'colour'?",
    ),
]


@pytest.mark.parametrize(("make", "path", "message"), WRITES)
def test_what_can_not_be_written(make: Callable[[], Account], path: str, message: str) -> None:
    with pytest.raises(dw.ValidationError) as caught:
        make().validate()
    assert str(caught.value) == message
    assert (caught.value.attribute, SECRET in repr(caught.value)) == (path, False)


class Street(Model):
    """A class inside another."""

    name: Attr[str]


class Town(Model, table="towns"):
    """What an update sets whole, or adds to."""

    id: Attr[str] = partition_key()
    main: Attr[Street | None] = attr(default=None)
    streets: Attr[list[Street]] = attr(default_factory=list)
    counts: Attr[dict[str, list[int]]] = attr(default_factory=dict)
    tags: Attr[set[str]] = attr(default_factory=set)


WRONG: Any = 5


@pytest.mark.parametrize(
    ("make", "path", "message"),
    [
        (lambda: Town.main.set(Street(name=WRONG)), "main.name", "Town.main.name: must be str, not int"),
        (
            lambda: Town.streets.set([Street(name="a"), Street(name=WRONG)]),
            "streets[1].name",
            "Town.streets[1].name: must be str, not int",
        ),
        (
            lambda: Town.counts.set({SECRET: [1, "x"]}),  # type: ignore[dict-item, list-item]
            f"counts['{SECRET}'][1]",
            "Town.counts[...][1]: must be int, not str",
        ),
        (lambda: Town.streets.append(WRONG), "streets", "Town.streets: an element must be Street, not int"),
        (
            lambda: Town.streets.append(Street(name=WRONG)),
            "streets.name",
            "Town.streets: name of an element must be str, not int",
        ),
        (lambda: Town.tags.add({WRONG}), "tags", "Town.tags: a member must be str, not int"),
        (lambda: Town.tags.contains(WRONG), "tags", "Town.tags: a member must be str, not int"),
    ],
)
def test_what_can_not_be_in_an_expression(make: Callable[[], Any], path: str, message: str) -> None:
    """The value at fault may be deep inside what is set: the message says where, not only of which attribute."""
    with pytest.raises(dw.ValidationError) as caught:
        make()
    assert str(caught.value) == message
    assert (caught.value.attribute, SECRET in repr(caught.value)) == (path, False)


PLAIN = 'a plain value, not DynamoDB\'s JSON such as {"S": ...}'
READS: list[tuple[Any, str, str]] = [
    (item(names={"M": {SECRET: {"S": SECRET}}}), f"names['{SECRET}']", "DynamoDB type S"),
    (item(deep={"M": {SECRET: {"L": [{"S": SECRET}]}}}), f"deep['{SECRET}'][0]", "DynamoDB type S"),
    ({"id": SECRET}, "id", PLAIN),
    ({"id": 5}, "id", PLAIN),
    ({"id": {SECRET: "x"}}, "id", PLAIN),
    ({"id": {}}, "id", PLAIN),
    (item(names={SECRET: 5}), "names", PLAIN),
    (item(names={"M": SECRET}), "names", f"DynamoDB type M with {PLAIN} inside"),
    (item(names={"M": {SECRET: SECRET}}), f"names['{SECRET}']", PLAIN),
    (item(deep={"M": {SECRET: {"L": SECRET}}}), f"deep['{SECRET}']", f"DynamoDB type L with {PLAIN} inside"),
]


@pytest.mark.parametrize(("stored", "path", "found"), READS)
def test_what_can_not_be_read(stored: Any, path: str, found: str) -> None:
    with pytest.raises(dw.DecodeError) as caught:
        Account.from_item(stored)
    assert (caught.value.path, caught.value.found) == (path, found)
    assert f"found {found}, in an item of table accounts" in str(caught.value)
    assert SECRET not in repr(caught.value)
    assert f"Account.{shown_path(path)}: expected" in str(caught.value)


@given(st.text())
def test_any_key_is_hidden_and_nothing_else(key: str) -> None:
    assert shown_path(f"a[{key!r}][0].b{{}}[{key!r}]") == "a[...][0].b{}[...]"
