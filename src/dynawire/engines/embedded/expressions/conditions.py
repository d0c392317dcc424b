"""Conditions and filters: a tree with names and values put in becomes one function from an item to true or false."""

from __future__ import annotations

import operator as operators
from collections.abc import Callable, Collection
from typing import Any, Final, Literal

from dynawire.engines.embedded.expressions.lexer import invalid
from dynawire.engines.embedded.expressions.operands import (
    Operand,
    Scope,
    bind_operand,
    bind_operands,
    refuse_key_paths,
    refuse_same_operands,
)
from dynawire.engines.embedded.expressions.parser import condition_tree
from dynawire.engines.embedded.expressions.placeholders import Placeholders
from dynawire.engines.embedded.expressions.tree import (
    And,
    Between,
    Call,
    Comparison,
    ConditionTree,
    In,
    Node,
    Not,
    Or,
)
from dynawire.engines.embedded.values import (
    TYPE_NAMES,
    Item,
    Value,
    compare_values,
    decode_binary,
    type_of,
    values_equal,
)

__all__ = ["Condition", "parse_condition"]

Matcher = Callable[[Item], bool]

_ORDERED: Final = frozenset({"S", "N", "B"})
_SCALARS: Final = frozenset({"S", "N", "B", "BOOL", "NULL"})
_TESTS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operators.lt,
    "<=": operators.le,
    ">": operators.gt,
    ">=": operators.ge,
}


class Condition:
    """A condition or filter of one request.

    Attributes:
        matches: whether an item fulfils it; an item that does not exist is ``{}``.
    """

    __slots__ = ("_placeholders", "_tree", "matches")

    def __init__(self, tree: ConditionTree, kind: str, placeholders: Placeholders) -> None:
        self._tree = tree
        self._placeholders = placeholders
        self.matches: Matcher = _bind(tree.root, Scope(kind, placeholders))

    @property
    def paths(self) -> frozenset[str]:
        """The top-level attributes it looks at."""
        path = self._placeholders.path
        return frozenset(str(path("", node)[0]) for node in self._tree.paths)

    def check_key_paths(self, key_names: Collection[str], index_key_names: Collection[str] = ()) -> None:
        """Refuse it when a path goes into a key attribute of the table or of one of its indexes.

        Raises:
            ServiceError: ``ValidationException``.
        """
        if self._tree.nested:
            refuse_key_paths(self._tree.nested, self._placeholders, key_names, index_key_names)


def parse_condition(
    text: str,
    placeholders: Placeholders,
    kind: Literal["ConditionExpression", "FilterExpression", "SearchConditionExpression"] = "ConditionExpression",
) -> Condition:
    """Read a condition.

    Args:
        text: the expression.
        placeholders: the request's names and values.
        kind: the member it came in; errors name it.

    Raises:
        ServiceError: ``ValidationException`` with the service's wording.
    """
    tree = condition_tree(kind, text)
    placeholders.use(tree.names, tree.values)
    return Condition(tree, kind, placeholders)


def _bind(node: Node, scope: Scope) -> Matcher:
    return _BINDERS[type(node)](node, scope)


def _bind_and(node: And, scope: Scope) -> Matcher:
    parts: list[Matcher] = []
    for part in node.parts:
        parts.append(_BINDERS[type(part)](part, scope))  # noqa: PERF401 - a comprehension is a stack frame more
    if len(parts) == 2:
        first, second = parts
        return lambda item: first(item) and second(item)

    def matches(item: Item) -> bool:
        for part in parts:  # noqa: SIM110 - all() costs a generator
            if not part(item):
                return False
        return True

    return matches


def _bind_or(node: Or, scope: Scope) -> Matcher:
    parts: list[Matcher] = []
    for part in node.parts:
        parts.append(_BINDERS[type(part)](part, scope))  # noqa: PERF401

    def matches(item: Item) -> bool:
        for part in parts:  # noqa: SIM110
            if part(item):
                return True
        return False

    return matches


def _bind_not(node: Not, scope: Scope) -> Matcher:
    part = _BINDERS[type(node.part)](node.part, scope)
    return lambda item: not part(item)


def _bind_comparison(node: Comparison, scope: Scope) -> Matcher:
    left = bind_operand(node.left, scope)
    right = bind_operand(node.right, scope)
    operator = node.operator
    if left.path is not None and left.path == right.path:
        refuse_same_operands(operator, [left, right], scope)
    if operator == "=":
        return _equals(left, right)
    if operator == "<>":
        equals = _equals(left, right)
        return lambda item: not equals(item)
    _require_order(operator, left, scope)
    _require_order(operator, right, scope)
    test = _TESTS[operator]
    get_left, get_right = left.get, right.get

    def matches(item: Item) -> bool:
        a = get_left(item)
        b = get_right(item)
        if a is None or b is None:
            return False
        order = compare_values(a, b)
        return order is not None and test(order, 0)

    return matches


def _equals(left: Operand, right: Operand) -> Matcher:
    get, value = left.get, right.value
    if value is None:
        get, value = right.get, left.value
    if value is not None:
        constant = value
        if type_of(value) in _SCALARS:
            # Canonical scalars are equal exactly when their members are.
            return lambda item: get(item) == constant

        def equals_constant(item: Item) -> bool:
            found = get(item)
            return found is not None and values_equal(found, constant)

        return equals_constant
    get_left, get_right = left.get, right.get

    def equals(item: Item) -> bool:
        a = get_left(item)
        b = get_right(item)
        return a is not None and b is not None and values_equal(a, b)

    return equals


def _bind_between(node: Between, scope: Scope) -> Matcher:
    operands = [bind_operand(part, scope) for part in (node.operand, node.low, node.high)]
    for operand in operands:
        _require_order("BETWEEN", operand, scope)
    refuse_same_operands("BETWEEN", operands, scope)
    value, low, high = operands
    if low.value is not None and high.value is not None:
        if low.type != high.type:
            raise invalid(scope.kind, "The BETWEEN operator requires same data type for lower and upper bounds")
        order = compare_values(low.value, high.value)
        if order is not None and order > 0:
            raise invalid(
                scope.kind, "The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
            )
    get, get_low, get_high = value.get, low.get, high.get

    def matches(item: Item) -> bool:
        found, bottom, top = get(item), get_low(item), get_high(item)
        if found is None or bottom is None or top is None:
            return False
        below = compare_values(bottom, found)
        if below is None or below > 0:
            return False
        above = compare_values(found, top)
        return above is not None and above <= 0

    return matches


def _bind_in(node: In, scope: Scope) -> Matcher:
    operand = bind_operand(node.operand, scope)
    choices = [bind_operand(choice, scope) for choice in node.choices]
    refuse_same_operands("IN", [operand, *choices], scope)
    get = operand.get
    getters = [choice.get for choice in choices]

    def matches(item: Item) -> bool:
        found = get(item)
        if found is None:
            return False
        for getter in getters:
            choice = getter(item)
            if choice is not None and (found == choice or values_equal(found, choice)):
                return True
        return False

    return matches


def _bind_call(node: Call, scope: Scope) -> Matcher:
    return _FUNCTIONS[node.function](node, scope)


def _bind_exists(node: Call, scope: Scope) -> Matcher:
    get = _only_path(node, scope)
    return lambda item: get(item) is not None


def _bind_not_exists(node: Call, scope: Scope) -> Matcher:
    get = _only_path(node, scope)
    return lambda item: get(item) is None


def _only_path(node: Call, scope: Scope) -> Callable[[Item], Value | None]:
    (operand,) = bind_operands(node, scope, 1)
    if operand.path is None:
        raise invalid(
            scope.kind,
            f"Operator or function requires a document path; operator or function: {node.function}",
        )
    return operand.get


def _bind_attribute_type(node: Call, scope: Scope) -> Matcher:
    operand, wanted = bind_operands(node, scope, 2)
    if wanted.type != "S" or wanted.value is None:
        raise _wrong_type(node.function, wanted.type or f"{{{','.join(TYPE_NAMES)}}}", scope)
    expected = wanted.value["S"]
    if expected not in TYPE_NAMES:
        raise invalid(scope.kind, f"Invalid attribute type name found; valid types: {{{','.join(TYPE_NAMES)}}}")
    get = operand.get

    def matches(item: Item) -> bool:
        found = get(item)
        return found is not None and expected in found

    return matches


def _bind_begins_with(node: Call, scope: Scope) -> Matcher:
    operand, prefix = bind_operands(node, scope, 2)
    for each in (operand, prefix):
        if each.type not in (None, "S", "B"):
            raise _wrong_type(node.function, each.type, scope)
    get, get_prefix = operand.get, prefix.get

    def matches(item: Item) -> bool:
        found, start = get(item), get_prefix(item)
        if found is None or start is None:
            return False
        if "S" in start:
            return "S" in found and found["S"].startswith(start["S"])
        if "B" in start:
            return "B" in found and decode_binary(found["B"]).startswith(decode_binary(start["B"]))
        return False

    return matches


def _bind_contains(node: Call, scope: Scope) -> Matcher:
    operand, member = bind_operands(node, scope, 2)
    get, get_member = operand.get, member.get

    def matches(item: Item) -> bool:
        found, wanted = get(item), get_member(item)
        return found is not None and wanted is not None and _contains(found, wanted)

    return matches


def _contains(found: Value, wanted: Value) -> bool:
    """Whether text or bytes have the wanted part, or a set or list the wanted member."""
    for tag, content in found.items():
        if tag == "L":
            return any(values_equal(member, wanted) for member in content)
        part = wanted.get(tag[0])
        if tag in ("S", "SS", "NS", "BS"):
            return part is not None and part in content
        if tag == "B":
            return part is not None and decode_binary(part) in decode_binary(content)
    return False


def _require_order(operator: str, operand: Operand, scope: Scope) -> None:
    if operand.type is not None and operand.type not in _ORDERED:
        raise _wrong_type(operator, operand.type, scope)


def _wrong_type(operator: str, found: str | None, scope: Scope) -> Exception:
    return invalid(
        scope.kind,
        f"Incorrect operand type for operator or function; operator or function: {operator}, operand type: {found}",
    )


_BINDERS: Final[dict[type, Callable[[Any, Scope], Matcher]]] = {
    And: _bind_and,
    Or: _bind_or,
    Not: _bind_not,
    Comparison: _bind_comparison,
    Between: _bind_between,
    In: _bind_in,
    Call: _bind_call,
}

_FUNCTIONS: Final[dict[str, Callable[[Call, Scope], Matcher]]] = {
    "attribute_exists": _bind_exists,
    "attribute_not_exists": _bind_not_exists,
    "attribute_type": _bind_attribute_type,
    "begins_with": _bind_begins_with,
    "contains": _bind_contains,
}
