"""Projections: the part of an item that some document paths select."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from dynawire.engines.embedded.expressions.lexer import invalid
from dynawire.engines.embedded.expressions.operands import BoundPath, path_text, refuse_key_paths
from dynawire.engines.embedded.expressions.parser import projection_tree
from dynawire.engines.embedded.expressions.placeholders import Placeholders
from dynawire.engines.embedded.expressions.tree import Path
from dynawire.engines.embedded.values import Item, Value

__all__ = ["Projection", "parse_projection", "refuse_overlaps"]

# A selection: what is selected of each member or element; None selects it whole.
_Selection = dict[Any, Any]


class Projection:
    """Document paths, none inside another.

    Attributes:
        paths: the paths.
        top_level_names: the attributes they begin with.
    """

    __slots__ = ("_nested", "_nested_paths", "_placeholders", "_selection", "paths")

    def __init__(
        self, paths: Iterable[BoundPath], placeholders: Placeholders, nested_paths: tuple[Path, ...] = ()
    ) -> None:
        self.paths = tuple(paths)
        self._placeholders = placeholders
        self._nested_paths = nested_paths
        self._selection: _Selection = {}
        self._nested = False
        for path in self.paths:
            selection = self._selection
            for element in path[:-1]:
                selection = selection.setdefault(element, {})
                self._nested = True
            selection[path[-1]] = None

    @property
    def top_level_names(self) -> frozenset[str]:
        """The attributes the paths begin with."""
        return frozenset(self._selection)

    def check_key_paths(self, key_names: Collection[str], index_key_names: Collection[str] = ()) -> None:
        """Refuse it when a path goes into a key attribute of the table or of one of its indexes.

        Raises:
            ServiceError: ``ValidationException``.
        """
        if self._nested_paths:
            refuse_key_paths(self._nested_paths, self._placeholders, key_names, index_key_names)

    def project(self, item: Item) -> Item:
        """A new item with what the paths select: maps keep their structure, lists close their gaps."""
        if not self._nested:
            return {name: item[name] for name in self._selection if name in item}
        return _select_members(item, self._selection)


def parse_projection(text: str, placeholders: Placeholders) -> Projection:
    """Read a ProjectionExpression.

    Args:
        text: the expression.
        placeholders: the request's names and values.

    Raises:
        ServiceError: ``ValidationException`` with the service's wording.
    """
    kind = "ProjectionExpression"
    tree = projection_tree(text)
    placeholders.use(tree.names)
    paths = [placeholders.path(kind, path) for path in tree.paths]
    refuse_overlaps(kind, paths)
    return Projection(paths, placeholders, tree.nested)


def refuse_overlaps(kind: str, paths: Sequence[BoundPath]) -> None:
    """Refuse two paths of which one is inside the other, or that take one attribute for a map and for a list."""
    if len(paths) < 2:
        return
    names = {path[0] for path in paths}
    if len(names) == len(paths):
        return
    conflict: tuple[BoundPath, BoundPath] | None = None
    seen: dict[str | int, list[BoundPath]] = {}
    for path in paths:
        others = seen.setdefault(path[0], [])
        for other in others:
            for a, b in zip(other, path, strict=False):
                if type(a) is not type(b):
                    conflict = conflict or (other, path)
                    break
                if a != b:
                    break
            else:
                raise _two_paths(kind, "overlap", other, path)
        others.append(path)
    if conflict is not None:
        raise _two_paths(kind, "conflict", *conflict)


def _two_paths(kind: str, problem: str, one: BoundPath, two: BoundPath) -> Exception:
    return invalid(
        kind,
        f"Two document paths {problem} with each other; must remove or rewrite one of these paths; "
        f"path one: {path_text(one)}, path two: {path_text(two)}",
    )


def _select_members(members: dict[str, Value], selection: _Selection) -> dict[str, Value]:
    selected = {}
    for name, inner in selection.items():
        value = members.get(name)
        if value is not None:
            part = value if inner is None else _select(value, inner)
            if part is not None:
                selected[name] = part
    return selected


def _select(value: Value, selection: _Selection) -> Value | None:
    """The selected part of a map or list; None when nothing of it is."""
    members = value.get("M")
    if members is not None:
        selected = _select_members(members, selection)
        return {"M": selected} if selected else None
    elements = value.get("L")
    if elements is None:
        return None
    parts = []
    for index in sorted(key for key in selection if type(key) is int and key < len(elements)):
        inner = selection[index]
        part = elements[index] if inner is None else _select(elements[index], inner)
        if part is not None:
            parts.append(part)
    return {"L": parts} if parts else None
