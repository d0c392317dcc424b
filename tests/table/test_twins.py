"""Each operation exists twice, and a model's methods are its table's: same parameters, same documentation."""

from __future__ import annotations

import gc
import inspect
import re
import subprocess
import sys
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
        assert [one[0] for one in by_model[:3]] == ["partition_key", "sort_key", "further"]
        by_model, by_table = by_model[3:], by_table[1:]
    is_about_one = bool(by_table) and by_table[0][0] == "item"
    assert by_model == (by_table[1:] if is_about_one else by_table)


@pytest.mark.parametrize("name", twins(dw.Key))
def test_a_keys_methods_are_its_tables(name: str) -> None:
    # What was loaded is known only of an instance.
    of_instances = ("item", "key", "by_name", "check")
    by_table = [one for one in parameters(getattr(Table, name)) if one[0] not in of_instances]
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


def test_the_types_shown_are_those_of_the_results() -> None:
    shown = {
        (Table, "get"): "T | None",
        (Table, "aget"): "Coroutine[Any, Any, T | None]",
        (Table, "get_many"): "BatchGetResult[T]",
        (Table, "aput_many"): "Coroutine[Any, Any, BatchWriteResult]",
        (dw.Query, "first"): "T | None",
        (dw.Database, "acreate_tables"): "Coroutine[Any, Any, list[str]]",
    }
    for (owner, name), expected in shown.items():
        assert inspect.signature(getattr(owner, name)).return_annotation == expected
    for owner in OWNERS:
        for name in twins(owner):
            for one in (name, f"a{name}"):
                method = getattr(owner, one)
                assert "Operation" not in str(inspect.signature(method)), one
                assert inspect.unwrap(method).__qualname__ == method.__qualname__, one


def test_a_call_that_is_not_awaited_is_told_by_name() -> None:
    class Gate(dw.Model, table="gates"):
        id: dw.Attr[str] = dw.partition_key()

    gate = Gate(id="A1")
    with dw.connect("memory:") as db:
        calls: dict[str, Callable[[], Any]] = {
            "Gate.aget": lambda: Gate.aget("A1"),
            "Gate.aget_one": lambda: Gate.aget_one("A1"),
            "Gate.aput": gate.aput,
            "Gate.asave": gate.asave,
            "Gate.aput_many": lambda: Gate.aput_many([gate]),
            "Gate.aexists": lambda: db.table(Gate).aexists("A1"),
            "Query.afirst": lambda: Gate.query("A1").afirst(),
            "Key.adelete": lambda: Gate.key("A1").adelete(),
            "Find.acount": lambda: Gate.find(id="A1").acount(),
            "Database.alist_tables": db.alist_tables,
        }
        for name, call in calls.items():
            with pytest.warns(RuntimeWarning, match=rf"^coroutine '{re.escape(name)}' was never awaited"):
                _forget(call)


def _forget(call: Callable[[], Any]) -> None:
    call()
    gc.collect()


# It must not depend on what was loaded before.
ASK = """
{before}
import dynawire as dw
class Gate(dw.Model, table="gates"):
    id: dw.Attr[str] = dw.partition_key()
import asyncio, inspect
db = dw.connect("memory:")
is_one = inspect.iscoroutinefunction if sys.version_info >= (3, 12) else asyncio.iscoroutinefunction
for owner in (Gate, Gate(id="x"), db, db.table(Gate), Gate.query("x"), Gate.key("x"), Gate.find(id="x")):
    for name in dir(owner):
        if name[0] == "a" and not name.startswith("all") and callable(getattr(owner, name[1:], None)):
            assert is_one(getattr(owner, name)), name
            assert not is_one(getattr(owner, name[1:])), name
"""


@pytest.mark.parametrize("before", ["import sys", "import sys, asyncio", "import sys, inspect"])
def test_coroutine_functions_are_known_as_such(before: str) -> None:
    program = ASK.format(before=before)
    result = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
