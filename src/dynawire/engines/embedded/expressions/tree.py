"""What the parser makes of an expression's text: nodes without names and values put in, so that they can be kept."""

from __future__ import annotations

from msgspec import Struct

__all__ = [
    "Action",
    "And",
    "Arithmetic",
    "Between",
    "Call",
    "Comparison",
    "ConditionTree",
    "In",
    "Node",
    "Not",
    "Or",
    "Path",
    "ProjectionTree",
    "UpdateTree",
    "ValueReference",
]


class Path(Struct, frozen=True):
    """A document path: attribute names or ``#placeholders``, and list indexes. Bare when it has no placeholder."""

    elements: tuple[str | int, ...]
    bare: bool


class ValueReference(Struct, frozen=True):
    """A ``:placeholder`` of a value."""

    name: str


class Call(Struct, frozen=True):
    """A function with its operands: itself an operand (``size``, ``if_not_exists`` …) or a condition."""

    function: str
    operands: tuple[Node, ...]


class Comparison(Struct, frozen=True):
    """``= <> < <= > >=`` between two operands."""

    operator: str
    left: Node
    right: Node


class Between(Struct, frozen=True):
    """``operand BETWEEN low AND high``."""

    operand: Node
    low: Node
    high: Node


class In(Struct, frozen=True):
    """``operand IN (choices)``."""

    operand: Node
    choices: tuple[Node, ...]


class And(Struct, frozen=True):
    """Two or more conditions that all must hold."""

    parts: tuple[Node, ...]


class Or(Struct, frozen=True):
    """Two or more conditions of which one must hold."""

    parts: tuple[Node, ...]


class Not(Struct, frozen=True):
    """A condition that must not hold."""

    part: Node


class Arithmetic(Struct, frozen=True):
    """``left + right`` or ``left - right`` in a SET action."""

    operator: str
    left: Node
    right: Node


Node = Path | ValueReference | Call | Comparison | Between | In | And | Or | Not | Arithmetic


class Action(Struct, frozen=True):
    """One action of an update: SET, REMOVE, ADD or DELETE, its target, and the operand (None for REMOVE)."""

    clause: str
    path: Path
    operand: Node | None


class ConditionTree(Struct, frozen=True):
    """A condition, all paths in it, those of them that go into an attribute, and the placeholders."""

    root: Node
    paths: tuple[Path, ...]
    nested: tuple[Path, ...]
    names: frozenset[str]
    values: frozenset[str]


class UpdateTree(Struct, frozen=True):
    """An update's actions as they were written, the paths that go into an attribute, and the placeholders."""

    actions: tuple[Action, ...]
    nested: tuple[Path, ...]
    names: frozenset[str]
    values: frozenset[str]


class ProjectionTree(Struct, frozen=True):
    """A projection's paths, those of them that go into an attribute, and the placeholders."""

    paths: tuple[Path, ...]
    nested: tuple[Path, ...]
    names: frozenset[str]
