"""What the parser makes of an expression's text: nodes without names and values put in, so that they can be kept."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Path:
    """A document path: attribute names or ``#placeholders``, and list indexes. Bare when it has no placeholder."""

    elements: tuple[str | int, ...]
    bare: bool


@dataclass(frozen=True, slots=True)
class ValueReference:
    """A ``:placeholder`` of a value."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its operands: itself an operand (``size``, ``if_not_exists`` …) or a condition."""

    function: str
    operands: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """``= <> < <= > >=`` between two operands."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between:
    """``operand BETWEEN low AND high``."""

    operand: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class In:
    """``operand IN (choices)``."""

    operand: Node
    choices: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class And:
    """Two or more conditions that all must hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Two or more conditions of which one must hold."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A condition that must not hold."""

    part: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left + right`` or ``left - right`` in a SET action."""

    operator: str
    left: Node
    right: Node


Node = Path | ValueReference | Call | Comparison | Between | In | And | Or | Not | Arithmetic


@dataclass(frozen=True, slots=True)
class Action:
    """One action of an update: SET, REMOVE, ADD or DELETE, its target, and the operand (None for REMOVE)."""

    clause: str
    path: Path
    operand: Node | None


@dataclass(frozen=True, slots=True)
class ConditionTree:
    """A condition, all paths in it, those of them that go into an attribute, and the placeholders."""

    root: Node
    paths: tuple[Path, ...]
    nested: tuple[Path, ...]
    names: frozenset[str]
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class UpdateTree:
    """An update's actions as they were written, the paths that go into an attribute, and the placeholders."""

    actions: tuple[Action, ...]
    nested: tuple[Path, ...]
    names: frozenset[str]
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class ProjectionTree:
    """A projection's paths, those of them that go into an attribute, and the placeholders."""

    paths: tuple[Path, ...]
    nested: tuple[Path, ...]
    names: frozenset[str]
