"""Annotations as text, classes that refer to each other, and classes made in functions."""

from __future__ import annotations

import gc
import sys
import threading
import types
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, TypedDict

import msgspec
import pytest

import dynawire
from dynawire import Attr, EpochSeconds, Model, SchemaError, attr, partition_key
from dynawire import Attr as Column
from dynawire.operations.mapped import mapped

if TYPE_CHECKING:
    from datetime import datetime


class Node(Model, table="nodes"):
    id: Attr[str] = partition_key()
    parent: Attr[Node | None] = attr(default=None)
    children: Attr[list[Node]] = attr(default_factory=list)
    by_name: Attr[dict[str, Node]] = attr(default_factory=dict)
    later: Attr[Later | None] = attr(default=None)


class Later(Model):
    value: Attr[int]
    node: Attr[Node | None] = attr(default=None)


@dataclass
class Tree:
    value: int
    left: Tree | None = None
    right: Tree | None = None


class Forest(Model, table="forests"):
    id: Column[str] = partition_key()
    trees: dynawire.Attr[list[Tree]]


def round_trip(instance: Any) -> Any:
    return type(instance).from_item(instance.to_item())


def test_recursive_classes() -> None:
    leaf = Node(id="leaf", later=Later(value=1, node=Node(id="inner")))
    node = Node(id="root", parent=leaf, children=[leaf, leaf], by_name={"leaf": leaf})
    assert round_trip(node) == node
    forest = Forest(id="x", trees=[Tree(1, Tree(2), Tree(3, None, Tree(4)))])
    assert round_trip(forest) == forest


def test_recursive_paths_and_errors() -> None:
    condition = Node.parent.later.node.id == "x"
    assert "parent.later.node.id" in repr(condition) or condition is not None
    wire = Node(id="a", children=[Node(id="b", later=Later(value=1))]).to_item()
    wire["children"]["L"][0]["M"]["later"]["M"]["value"] = {"S": "x"}
    with pytest.raises(dynawire.DecodeError) as caught:
        Node.from_item(wire)
    assert caught.value.path == "children[0].later.value"
    broken = Node(id="a", children=[Node(id="b", later=Later(value="x"))])
    with pytest.raises(dynawire.ValidationError) as refused:
        broken.validate()
    assert refused.value.errors == (("children[0].later.value", "must be int, not str"),)


def test_an_instance_that_holds_itself_is_too_deep() -> None:
    node = Node(id="a")
    node.parent = node
    with pytest.raises(dynawire.LimitExceeded, match=r"Node\.parent is nested deeper than the 31 levels"):
        node.validate()
    tree = Tree(1)
    tree.left = tree.right = tree
    with pytest.raises(dynawire.LimitExceeded, match=r"Forest\.trees"):
        Forest(id="x", trees=[tree]).validate()


def test_classes_made_in_a_function() -> None:
    class Point(msgspec.Struct):
        x: int

    @dataclass
    class Line:
        start: Point
        more: list[Line]

    class Member(TypedDict):
        point: Point

    class Pair(NamedTuple):
        line: Line

    class Drawing(Model, table="drawings"):
        id: Attr[str] = partition_key()
        line: Attr[Line]
        pair: Attr[Pair]
        member: Attr[Member]
        later: Attr[list[Later]] = attr(default_factory=list)

    class Later(Model):
        drawing: Attr[Drawing | None]

    line = Line(Point(1), [Line(Point(2), [])])
    drawing = Drawing(id="x", line=line, pair=Pair(line), member={"point": Point(1)}, later=[Later(drawing=None)])
    assert round_trip(drawing) == drawing


def test_a_class_defined_further_down_is_found_after_the_function_returned() -> None:
    def make() -> tuple[type[Any], type[Any]]:
        class Early(Model, table="early"):
            id: Attr[str] = partition_key()
            inner: Attr[Inner]

        class Inner(msgspec.Struct):
            x: int

        return Early, Inner

    early, inner = make()
    instance = early(id="x", inner=inner(1))
    assert round_trip(instance) == instance


def test_classes_made_in_a_class() -> None:
    class Outer:
        class Inner(msgspec.Struct):
            x: int

        class Thing(Model, table="things"):
            id: Attr[str] = partition_key()
            inner: Attr[Inner]  # noqa: F821

    thing = Outer.Thing(id="x", inner=Outer.Inner(1))
    assert round_trip(thing) == thing


def test_names_known_to_type_checkers_only() -> None:
    class Dated(Model, table="dated"):
        id: Attr[str] = partition_key()
        at: Attr[Annotated[datetime, EpochSeconds]]

    with pytest.raises(
        SchemaError, match=r"Dated: an annotation names datetime, which is not defined in .*define or import"
    ):
        Dated.id  # noqa: B018
    with pytest.raises(SchemaError, match="datetime"):
        Dated(id="x", at=None).validate()
    assert Dated.__name__ == "Dated"
    assert not hasattr(Dated, "something_else")


def test_a_misspelt_name_is_guessed() -> None:
    class Misspelt(Model, table="misspelt"):
        id: Attr[str] = partition_key()
        tree: Attr[Treee]  # noqa: F821

    with pytest.raises(SchemaError, match="did you mean 'Tree'"):
        mapped(Misspelt)


def test_attr_imported_for_type_checkers_only() -> None:
    module = types.ModuleType("attr_hidden")
    sys.modules["attr_hidden"] = module
    try:
        exec(
            "from __future__ import annotations\n"
            "from dynawire import Model, partition_key\n"
            "class Hidden(Model, table='hidden'):\n"
            "    id: Attr[str] = partition_key()\n"
            "    x: dw.Attr[int]\n"
            "    y: ClassVar[int] = 3\n",
            module.__dict__,
        )
        assert list(mapped(module.Hidden).paths) == ["id", "x"]
    finally:
        del sys.modules["attr_hidden"]


def test_redefinition_refers_to_the_new_class() -> None:
    # As in a notebook, where the cell of a class is run again.
    module = types.ModuleType("notebook")
    sys.modules["notebook"] = module
    source = (
        "from dynawire import Model, Attr, attr, partition_key\n"
        "class Cell(Model, table='cells'):\n"
        "    id: Attr[str] = partition_key()\n"
        "    inner: Attr['Cell | None'] = attr(default=None)\n"
    )
    try:
        exec(source, module.__dict__)
        first = module.Cell
        exec(source, module.__dict__)
        second = module.Cell
        assert first is not second
        assert round_trip(second(id="x", inner=second(id="y"))).inner == second(id="y")
        with pytest.raises(dynawire.ValidationError, match="must be Cell, not another class of this name"):
            second(id="x", inner=first(id="y")).validate()
    finally:
        del sys.modules["notebook"]


def test_abstract_classes_resolve_names_where_they_stand() -> None:
    class Local(msgspec.Struct):
        x: int

    class Base(Model, abstract=True):
        local: Attr[Local | None] = attr(default=None)

    def elsewhere() -> type[Any]:
        class Concrete(Base, table="concrete"):
            id: Attr[str] = partition_key()

        return Concrete

    concrete = elsewhere()
    assert round_trip(concrete(id="x", local=Local(1))).local == Local(1)


def test_local_names_are_not_kept() -> None:
    class Big:
        pass

    def make() -> tuple[type[Any], weakref.ref[Big]]:
        big = Big()

        class Small(Model, table="small"):
            id: Attr[str] = partition_key()
            later: Attr[Later | None] = attr(default=None)

        class Later(msgspec.Struct):
            x: int

        class Done(Model, abstract=True):
            x: Attr[int]

        mapped(Small)
        return Small, weakref.ref(big)

    kept, reference = make()
    gc.collect()
    assert kept is not None
    assert reference() is None


def test_two_threads_complete_a_class_once() -> None:
    def make() -> type[Any]:
        class Shared(Model, table="shared"):
            id: Attr[str] = partition_key()
            others: Attr[list[Other]] = attr(default_factory=list)

        class Other(Model):
            shared: Attr[Shared | None] = attr(default=None)

        return Shared

    for _ in range(20):
        cls = make()
        barrier = threading.Barrier(4)
        found: list[Any] = []

        def look(cls: type[Any] = cls, barrier: threading.Barrier = barrier, found: list[Any] = found) -> None:
            barrier.wait()
            found.append((cls.id, mapped(cls)))

        threads = [threading.Thread(target=look) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 4
        assert len({(id(path), id(one)) for path, one in found}) == 1
