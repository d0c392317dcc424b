"""Updates: SET, REMOVE, ADD and DELETE applied to an item, giving a new one.

Every operand is read from the item as it was. Nothing of that item is changed: what lies on the way to a changed value
is copied, the rest is shared between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from dynawire.engines.embedded.expressions.document import remove_at, write_at
from dynawire.engines.embedded.expressions.lexer import invalid
from dynawire.engines.embedded.expressions.operands import BoundPath, find, refuse_key_paths
from dynawire.engines.embedded.expressions.parser import update_tree
from dynawire.engines.embedded.expressions.placeholders import Placeholders
from dynawire.engines.embedded.expressions.projections import Projection, refuse_overlaps
from dynawire.engines.embedded.expressions.tree import Action, Arithmetic, Call, Node, Path, ValueReference
from dynawire.engines.embedded.expressions.update_operands import bind_set_operand, wrong_data_type
from dynawire.engines.embedded.numbers import add_numbers
from dynawire.engines.embedded.values import Item, Value
from dynawire.errors import DynawireError, service_error

__all__ = ["Update", "parse_update"]

_KIND: Final = "UpdateExpression"
_SETS: Final = frozenset({"SS", "NS", "BS"})
_LONG_NAMES: Final = {
    "S": "STRING",
    "N": "NUMBER",
    "B": "BINARY",
    "NULL": "NULL",
    "BOOL": "BOOLEAN",
    "L": "LIST",
    "M": "MAP",
}

# Gives the value an action leaves at its path, or None when it leaves nothing there.
_Step = tuple[str, BoundPath, Callable[[Item], Value | None]]


class Update:
    """An update of one request.

    Attributes:
        paths: the document paths it changes, as written.
        top_level_names: the attributes they begin with.
    """

    __slots__ = ("_has_lists", "_nested_paths", "_placeholders", "_steps", "paths", "top_level_names")

    def __init__(self, steps: list[_Step], placeholders: Placeholders, nested_paths: tuple[Path, ...]) -> None:
        self._steps = steps
        self._placeholders = placeholders
        self._nested_paths = nested_paths
        self.paths = tuple(path for _, path, _ in steps)
        self.top_level_names = frozenset(str(path[0]) for path in self.paths)
        self._has_lists = any(type(path[-1]) is int for path in self.paths)

    @property
    def setting(self) -> int:
        """How many of its actions write a value (SET and ADD); the service's item size limit counts them."""
        return sum(clause in ("SET", "ADD") for clause, _, _ in self._steps)

    @property
    def clearing(self) -> int:
        """How many of its actions take something away (REMOVE and DELETE)."""
        return len(self._steps) - self.setting

    def check_key_names(self, key_names: Collection[str]) -> None:
        """Refuse an update of a key attribute.

        Raises:
            ServiceError: ``ValidationException``.
        """
        if not self.top_level_names.isdisjoint(key_names):
            name = next(str(path[0]) for path in self.paths if path[0] in key_names)
            raise service_error(
                "ValidationException",
                "One or more parameter values were invalid: "
                f"Cannot update attribute {name}. This attribute is part of the key",
            )

    def check_key_paths(self, key_names: Collection[str], index_key_names: Collection[str] = ()) -> None:
        """Refuse it when a path goes into a key attribute of the table or of one of its indexes.

        Raises:
            ServiceError: ``ValidationException``.
        """
        if self._nested_paths:
            refuse_key_paths(self._nested_paths, self._placeholders, key_names, index_key_names)

    def apply(self, item: Item, key_names: Collection[str] = ()) -> Item:
        """The item after the update.

        Args:
            item: the item as it is, or just its key attributes when it does not exist. It stays as it is.
            key_names: the table's key attributes, which may not be updated.

        Raises:
            ServiceError: ``ValidationException`` when a key attribute would change, an operand is missing or of the
                wrong type, a path does not fit the item, or the result nests too deep.
        """
        if key_names:
            self.check_key_names(key_names)
        updated = dict(item)
        removed: list[BoundPath] = []
        written: list[tuple[BoundPath, Value]] = []
        for _, path, value_in in self._steps:
            value = value_in(item)
            if value is None:
                if type(path[-1]) is int and find(item, path) is None:
                    # Nothing to remove, not even an element that another action is about to append.
                    remove_at(updated, path)
                else:
                    removed.append(path)
            elif len(path) == 1:
                updated[str(path[0])] = value
            else:
                written.append((path, value))
        if self._has_lists:
            # Elements beyond the end are appended in the order of their indexes; removal goes by the original
            # indexes, so from the last to the first.
            written.sort(key=_last_index)
            removed.sort(reverse=True, key=_sortable)
        for path, value in written:
            write_at(updated, path, value)
        for path in removed:
            if len(path) == 1:
                updated.pop(str(path[0]), None)
            else:
                remove_at(updated, path)
        return updated

    def project_updated(self, item: Item) -> Item:
        """Of an item before or after the update, what the update's paths select: UPDATED_OLD or UPDATED_NEW."""
        return Projection(self.paths, self._placeholders).project(item)


def parse_update(text: str, placeholders: Placeholders) -> Update:
    """Read an UpdateExpression.

    Args:
        text: the expression.
        placeholders: the request's names and values.

    Raises:
        ServiceError: ``ValidationException`` with the service's wording.
    """
    tree = update_tree(text)
    placeholders.use(tree.names, tree.values)
    actions = tree.actions
    if not placeholders.define(tree.names, tree.values):
        # The service looks for names first.
        _paths_in(actions, placeholders)
        _values_in(actions, placeholders)
    if len(actions) == 1:
        return Update([_ACTIONS[actions[0].clause](actions[0], placeholders)], placeholders, tree.nested)
    refuse_overlaps(_KIND, [placeholders.path(_KIND, action.path) for action in actions])
    steps: dict[int, _Step] = {}
    # The operands of ADD and DELETE are checked before those of SET.
    for clauses in (("ADD", "DELETE"), ("SET", "REMOVE")):
        for position, action in enumerate(actions):
            if action.clause in clauses:
                steps[position] = _ACTIONS[action.clause](action, placeholders)
    return Update([steps[position] for position in range(len(actions))], placeholders, tree.nested)


def _paths_in(actions: Iterable[Action], placeholders: Placeholders) -> None:
    for action in actions:
        placeholders.path(_KIND, action.path)
        for node in _leaves(action.operand):
            if isinstance(node, Path):
                placeholders.path(_KIND, node)


def _values_in(actions: Iterable[Action], placeholders: Placeholders) -> None:
    for action in actions:
        for node in _leaves(action.operand):
            if isinstance(node, ValueReference):
                placeholders.value(_KIND, node.name)


def _leaves(node: Node | None) -> Iterable[Path | ValueReference]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Path | ValueReference):
            yield node
        elif isinstance(node, Call):
            waiting += reversed(node.operands)
        elif isinstance(node, Arithmetic):
            waiting += (node.right, node.left)


def _bind_set(action: Action, placeholders: Placeholders) -> _Step:
    path = placeholders.path(_KIND, action.path)
    assert action.operand is not None
    _, read = bind_set_operand(action.operand, placeholders)
    return "SET", path, read


def _bind_remove(action: Action, placeholders: Placeholders) -> _Step:
    return "REMOVE", placeholders.path(_KIND, action.path), lambda item: None


def _bind_add(action: Action, placeholders: Placeholders) -> _Step:
    path = placeholders.path(_KIND, action.path)
    tag, operand = _constant(action, placeholders)
    if tag != "N" and tag not in _SETS:
        raise _wrong_clause_type("ADD", tag)

    def read(item: Item) -> Value:
        found = find(item, path)
        if found is None:
            return operand
        present = found.get(tag)
        if present is None:
            raise wrong_data_type()
        if tag == "N":
            return {"N": add_numbers(present, operand["N"])}
        known = set(present)
        return {tag: [*present, *(member for member in operand[tag] if member not in known)]}

    return "ADD", path, read


def _bind_delete(action: Action, placeholders: Placeholders) -> _Step:
    path = placeholders.path(_KIND, action.path)
    tag, operand = _constant(action, placeholders)
    if tag not in _SETS:
        raise _wrong_clause_type("DELETE", tag)
    unwanted = frozenset(operand[tag])

    def read(item: Item) -> Value | None:
        found = find(item, path)
        if found is None:
            return None
        present = found.get(tag)
        if present is None:
            raise wrong_data_type()
        left = [member for member in present if member not in unwanted]
        return {tag: left} if left else None

    return "DELETE", path, read


_ACTIONS: Final[dict[str, Callable[[Action, Placeholders], _Step]]] = {
    "SET": _bind_set,
    "REMOVE": _bind_remove,
    "ADD": _bind_add,
    "DELETE": _bind_delete,
}


def _constant(action: Action, placeholders: Placeholders) -> tuple[str, Value]:
    assert isinstance(action.operand, ValueReference)
    value = placeholders.value(_KIND, action.operand.name)
    return next(iter(value)), value


def _last_index(written: tuple[BoundPath, Value]) -> int:
    last = written[0][-1]
    return last if type(last) is int else -1


def _sortable(path: BoundPath) -> list[tuple[int, str | int]]:
    # Names and indexes never meet at one place of two paths with a common start; elsewhere any order will do.
    return [(0, element) if type(element) is int else (1, element) for element in path]


def _wrong_clause_type(clause: str, tag: str) -> DynawireError:
    return invalid(
        _KIND,
        f"Incorrect operand type for operator or function; operator: {clause}, "
        f"operand type: {_LONG_NAMES.get(tag, tag)}, typeSet: ALLOWED_FOR_{clause}_OPERAND",
    )
