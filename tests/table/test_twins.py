"""Each operation exists twice, and a model's methods are its table's: same parameters, same documentation."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import dynawire as dw
from dynawire.operations.params import Params
from dynawire.table import Table

OWNERS = (Table, dw.Key, dw.Query, dw.Database, dw.Model)
"""Every class with operations."""

OF_ITEMS = {"delete", "delete_many", "exists", "get", "get_many", "get_one", "insert", "put", "put_many", "refresh"}
OF_ITEMS |= {"save", "update", "write_many"}
EXPECTED = {
    Table: OF_ITEMS | {"create", "describe", "drop", "update_definition"},
    dw.Key: {"delete", "exists", "get", "get_one", "update"},
    dw.Query: {"all", "count", "first", "one", "page"},
    dw.Database: {
        "create_tables",
        "describe_table",
        "drop_tables",
        "list_tables",
        "transact_get",
        "update_tables",
        "close",
    },
    dw.Model: OF_ITEMS,
}
BY_KEY = {"exists", "get", "get_one"}
"""Whose parameters a model gives types and names."""


def twins(owner: type[Any]) -> list[str]:
    """Names of the operations that have an a-twin."""
    names = [name for name in dir(owner) if not name.startswith("_")]
    return [name for name in names if f"a{name}" in names and callable(getattr(owner, name))]


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    """Name, kind and default of each parameter."""
    found = [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]
    return [one for one in found if one[0] != "self"]


@pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.__name__)
def test_which_operations_there_are(owner: type[Any]) -> None:
    assert EXPECTED[owner] <= set(twins(owner))


@pytest.mark.parametrize(("owner", "name"), [(owner, name) for owner in OWNERS for name in twins(owner)])
def test_both_forms_have_the_same_parameters(owner: type[Any], name: str) -> None:
    blocking, awaiting = getattr(owner, name), getattr(owner, f"a{name}")
    assert parameters(blocking) == parameters(awaiting)
    assert blocking.__doc__
    if name != "close":
        assert blocking.__doc__ == awaiting.__doc__
    assert (blocking.__name__, awaiting.__name__) == (name, f"a{name}")
    assert not inspect.iscoroutinefunction(blocking)


def test_whatever_ends_in_a_twin_has_one() -> None:
    for owner in OWNERS:
        names = {name for name in dir(owner) if not name.startswith("_")}
        for name in names:
            if name.startswith("a") and name not in ("add", "all", "allow_scan") and callable(getattr(owner, name)):
                assert name[1:] in names, f"{owner.__name__}.{name} has no blocking form"


@pytest.mark.parametrize("name", sorted(set(twins(dw.Model)) & set(twins(Table))))
def test_a_models_methods_are_its_tables(name: str) -> None:
    """The same parameters, but for the item itself, which is the instance."""
    by_table = parameters(getattr(Table, name))
    by_model = parameters(getattr(dw.Model, name))
    if name in BY_KEY:
        assert [one[0] for one in by_model[:2]] == ["partition_key", "sort_key"]
        by_model, by_table = by_model[2:], by_table[1:]
    is_about_one = bool(by_table) and by_table[0][0] == "item"
    assert by_model == (by_table[1:] if is_about_one else by_table)


@pytest.mark.parametrize("name", twins(dw.Key))
def test_a_keys_methods_are_its_tables(name: str) -> None:
    by_table = [one for one in parameters(getattr(Table, name)) if one[0] not in ("item", "key", "by_name")]
    assert parameters(getattr(dw.Key, name)) == by_table


def test_parameters_leave_room_for_attributes_of_any_name() -> None:
    """``item`` and ``self`` may be names of attributes in keyword form."""
    for name in ("update", "get", "get_one", "exists"):
        for one in inspect.signature(getattr(Table, name)).parameters.values():
            if one.name in ("self", "item"):
                assert one.kind is inspect.Parameter.POSITIONAL_ONLY, name


@pytest.mark.parametrize("owner", [Table, dw.Key, dw.Database, dw.Query], ids=lambda owner: owner.__name__)
def test_params_show_every_operation(owner: type[Any]) -> None:
    shown = Params(owner, lambda: None)
    assert set(dir(shown)) == set(twins(owner)) - {"all", "close"}
