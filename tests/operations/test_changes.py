"""What save() writes: applied to what was loaded, it gives what is there now."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dynawire import Attr, Model, attr, partition_key
from dynawire.operations.changes import Changes, changes_since
from dynawire.operations.mapped import mapped
from dynawire.operations.target import Target


class Document(Model, table="documents"):
    id: Attr[str] = partition_key()
    body: Attr[Any] = attr(default=None)
    other: Attr[Any] = attr(default=None)
    tags: Attr[set[str]] = attr(default_factory=set)


TARGET = Target(mapped(Document), "documents")
SCALARS = st.one_of(st.integers(-5, 5), st.text("ab", max_size=2), st.booleans(), st.none(), st.binary(max_size=2))
SETS = st.one_of(st.sets(st.integers(0, 4), min_size=1), st.sets(st.text("abc", max_size=1), min_size=1))
NAMES = st.text("abc", min_size=1, max_size=1)
VALUES = st.recursive(
    st.one_of(SCALARS, SETS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=8,
)
DOCUMENTS = st.builds(
    lambda body, other, tags: Document(id="x", body=body, other=other, tags=tags),
    VALUES,
    VALUES,
    st.sets(st.text("ab", max_size=1)),
)


def applied(item: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """The item after an UpdateItem of these changes."""
    item = copy.deepcopy(item)
    for path, value in changes.values.items():
        parent = inside(item, path[:-1])
        parent[path[-1]] = copy.deepcopy(value)
    for path in changes.removed:
        del inside(item, path[:-1])[path[-1]]
    return item


def inside(item: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    for name in path:
        item = item[name]["M"]
    return item


def comparable(wire: Any) -> Any:
    """The same for equal values: the order of sets' members means nothing."""
    if isinstance(wire, dict):
        return {
            name: sorted(one) if name in ("SS", "NS", "BS") and isinstance(one, list) else comparable(one)
            for name, one in wire.items()
        }
    return [comparable(one) for one in wire] if isinstance(wire, list) else wire


@given(DOCUMENTS, DOCUMENTS)
def test_the_changes_lead_from_one_to_the_other(old: Document, new: Document) -> None:
    loaded, current = old.to_item(), new.to_item()
    changes = changes_since(TARGET, loaded, current)
    assert comparable(applied(loaded, changes)) == comparable(current)
    assert bool(changes) == (comparable(loaded) != comparable(current))


@given(DOCUMENTS)
def test_nothing_changed_is_nothing_to_write(document: Document) -> None:
    item = document.to_item()
    assert not changes_since(TARGET, item, document.to_item())
    assert changes_since(TARGET, item, item).names() == set()


@given(DOCUMENTS, DOCUMENTS)
def test_no_path_overlaps_another(old: Document, new: Document) -> None:
    changes = changes_since(TARGET, old.to_item(), new.to_item())
    paths = [*changes.values, *changes.removed]
    for one in paths:
        assert not any(one[:length] in paths for length in range(1, len(one)))


def test_maps_are_compared_member_by_member_and_the_rest_as_a_whole() -> None:
    old = Document(id="x", body={"a": 1, "deep": {"x": 1, "y": 2}, "list": [{"m": 1}]}, tags={"t"})
    new = Document(id="x", body={"b": 1, "deep": {"x": 9, "y": 2}, "list": [{"m": 2}]}, tags={"t", "u"})
    changes = changes_since(TARGET, old.to_item(), new.to_item())
    assert sorted(changes.values) == [("body", "b"), ("body", "deep", "x"), ("body", "list"), ("tags",)]
    assert changes.removed == [("body", "a")]
    assert changes.nested() == {"body": 4}
    changes.write_whole("body", {"M": {}})
    assert (sorted(changes.values), changes.removed) == ([("body",), ("tags",)], [])


def test_another_type_is_another_value() -> None:
    for one, other in ((1, "1"), ({"a": 1}, ["a", 1]), (True, 1), (b"a", "a"), ({1}, [1])):
        old, new = Document(id="x", body=one), Document(id="x", body=other)
        assert list(changes_since(TARGET, old.to_item(), new.to_item()).values) == [("body",)]
