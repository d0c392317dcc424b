"""Updates: SET, REMOVE, ADD and DELETE applied to an item, giving a new one.

Every operand is read from the item as it was. Nothing of that item is changed: what lies on the way to a changed value
is copied, the rest is shared between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import pairwise
from typing import Any, Final

from dynawire.engines.embedded.expressions.lexer import invalid
from dynawire.engines.embedded.expressions.operands import BoundPath, find
from dynawire.engines.embedded.expressions.parser import update_tree
from dynawire.engines.embedded.expressions.placeholders import Placeholders
from dynawire.engines.embedded.expressions.projections import Projection, refuse_overlaps
from dynawire.engines.embedded.expressions.tree import Action, Arithmetic, Call, Node, Path, ValueReference
from dynawire.engines.embedded.numbers import add_numbers
from dynawire.engines.embedded.values import MAX_NESTING, Item, Value
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

# Gives an operand's value in an item, or raises.
_Reader = Callable[[Item], Value]
# Gives the value an action leaves at its path, or None when it leaves nothing there.
_Step = tuple[str, BoundPath, Callable[[Item], Value | None]]


class Update:
    """An update of one request.

    Attributes:
        paths: the document paths it changes, as written.
        top_level_names: the attributes they begin with.
    """

    __slots__ = ("_has_lists", "_steps", "paths", "top_level_names")

    def __init__(self, steps: list[_Step]) -> None:
        self._steps = steps
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
            _write(updated, path, value)
        for path in removed:
            if len(path) == 1:
                updated.pop(str(path[0]), None)
            else:
                _remove(updated, path)
        return updated

    def project_updated(self, item: Item) -> Item:
        """Of an item before or after the update, what the update's paths select: UPDATED_OLD or UPDATED_NEW."""
        return Projection(self.paths).project(item)


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
    for nodes in (_paths_in, _values_in):
        # The service looks for undefined names first, then for undefined values, then at anything else.
        if len(actions) > 1:
            nodes(actions, placeholders)
    if len(actions) > 1:
        refuse_overlaps(_KIND, [placeholders.path(_KIND, action.path) for action in actions])
    return Update([_ACTIONS[action.clause](action, placeholders) for action in actions])


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
    if isinstance(node, Path | ValueReference):
        yield node
    elif isinstance(node, Call):
        for operand in node.operands:
            yield from _leaves(operand)
    elif isinstance(node, Arithmetic):
        yield from _leaves(node.left)
        yield from _leaves(node.right)


def _bind_set(action: Action, placeholders: Placeholders) -> _Step:
    path = placeholders.path(_KIND, action.path)
    assert action.operand is not None
    _, read = _bind(action.operand, placeholders)
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
            raise _wrong_data_type()
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
            raise _wrong_data_type()
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


def _bind(node: Node, placeholders: Placeholders) -> tuple[str | None, _Reader]:
    """An operand of SET: its type as far as it is known before an item is seen, and how to read it."""
    if isinstance(node, ValueReference):
        value = placeholders.value(_KIND, node.name)
        return next(iter(value)), lambda item: value
    if isinstance(node, Path):
        path = placeholders.path(_KIND, node)

        def read(item: Item) -> Value:
            found = find(item, path)
            if found is None:
                raise _missing()
            return found

        return None, read
    if isinstance(node, Arithmetic):
        return "N", _bind_arithmetic(node, placeholders)
    assert isinstance(node, Call)
    return _FUNCTIONS[node.function](node, placeholders)


def _bind_arithmetic(node: Arithmetic, placeholders: Placeholders) -> _Reader:
    readers = _bind_all((node.left, node.right), "N", node.operator, placeholders)
    left, right = readers
    sign = 1 if node.operator == "+" else -1

    def read(item: Item) -> Value:
        a = left(item).get("N")
        b = right(item).get("N")
        if a is None or b is None:
            raise _wrong_data_type()
        return {"N": add_numbers(a, b, sign)}

    return read


def _bind_list_append(node: Call, placeholders: Placeholders) -> tuple[str | None, _Reader]:
    _require_two(node)
    first, second = _bind_all(node.operands, "L", node.function, placeholders)

    def read(item: Item) -> Value:
        a = first(item).get("L")
        b = second(item).get("L")
        if a is None or b is None:
            raise _wrong_data_type()
        return {"L": [*a, *b]}

    return "L", read


def _bind_if_not_exists(node: Call, placeholders: Placeholders) -> tuple[str | None, _Reader]:
    _require_two(node)
    target, otherwise = node.operands
    if not isinstance(target, Path):
        raise invalid(_KIND, f"Operator or function requires a document path; operator or function: {node.function}")
    path = placeholders.path(_KIND, target)
    _, fallback = _bind(otherwise, placeholders)

    def read(item: Item) -> Value:
        # The service wants the second operand to exist even when it is not needed.
        value = fallback(item)
        found = find(item, path)
        return value if found is None else found

    return None, read


_FUNCTIONS: Final[dict[str, Callable[[Call, Placeholders], tuple[str | None, _Reader]]]] = {
    "list_append": _bind_list_append,
    "if_not_exists": _bind_if_not_exists,
}


def _bind_all(nodes: Iterable[Node], wanted: str, operator: str, placeholders: Placeholders) -> list[_Reader]:
    readers = []
    for node in nodes:
        known, read = _bind(node, placeholders)
        if known is not None and known != wanted:
            raise invalid(
                _KIND,
                "Incorrect operand type for operator or function; "
                f"operator or function: {operator}, operand type: {known}",
            )
        readers.append(read)
    return readers


def _require_two(node: Call) -> None:
    if len(node.operands) != 2:
        raise invalid(
            _KIND,
            "Incorrect number of operands for operator or function; "
            f"operator or function: {node.function}, number of operands: {len(node.operands)}",
        )


def _write(item: dict[Any, Any], path: BoundPath, value: Value) -> None:
    """Put a value at a nested path, copying what lies on the way."""
    if "M" in value or "L" in value:
        _check_nesting(value, len(path) - 1)
    container, last = _copy_way(item, path)
    if type(last) is int and last >= len(container):
        container.append(value)
    else:
        container[last] = value


def _remove(item: dict[Any, Any], path: BoundPath) -> None:
    """Take away what is at a nested path, if anything, copying what lies on the way."""
    container, last = _copy_way(item, path)
    if type(last) is not int:
        container.pop(last, None)
    elif last < len(container):
        del container[last]


def _copy_way(item: dict[Any, Any], path: BoundPath) -> tuple[Any, str | int]:
    """Copy every map and list on a path, and return the last of them with the path's last element."""
    container: Any = item
    for element, following in pairwise(path):
        if type(element) is int and element >= len(container):
            raise _invalid_path()
        value = container[element] if type(element) is int else container.get(element)
        inner: Any = None
        if value is not None:
            inner = value.get("L" if type(following) is int else "M")
        if inner is None:
            raise _invalid_path()
        copied: Any = list(inner) if type(following) is int else dict(inner)
        container[element] = {"L": copied} if type(following) is int else {"M": copied}
        container = copied
    return container, path[-1]


def _check_nesting(value: Value, depth: int) -> None:
    members = value.get("M")
    inner = members.values() if members is not None else value.get("L")
    if inner is None:
        return
    if depth >= MAX_NESTING:
        raise service_error("ValidationException", "Nesting Levels have exceeded supported limits")
    for member in inner:
        _check_nesting(member, depth + 1)


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


def _wrong_data_type() -> DynawireError:
    return service_error("ValidationException", "An operand in the update expression has an incorrect data type")


def _missing() -> DynawireError:
    return service_error(
        "ValidationException", "The provided expression refers to an attribute that does not exist in the item"
    )


def _invalid_path() -> DynawireError:
    return service_error(
        "ValidationException", "The document path provided in the update expression is invalid for update"
    )
