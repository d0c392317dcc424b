"""Key conditions: which items of an index a query wants, as values for its partition and sort key attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, NoReturn

from dynawire.engines.embedded.expressions.conditions import Condition
from dynawire.engines.embedded.expressions.parser import condition_tree
from dynawire.engines.embedded.expressions.placeholders import Placeholders
from dynawire.engines.embedded.expressions.tree import (
    And,
    Between,
    Call,
    Comparison,
    In,
    Node,
    Not,
    Or,
    Path,
    ValueReference,
)
from dynawire.engines.embedded.values import Value, type_of
from dynawire.errors import service_error

__all__ = ["KeyCondition", "parse_key_condition"]

_KIND: Final = "KeyConditionExpression"
_TURNED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class KeyCondition(NamedTuple):
    """What a query asks of an index's key.

    Attributes:
        partition: the values of the partition key attributes, in the key schema's order.
        sort: the values that the first sort key attributes must equal.
        range: what the sort key attribute after those must fulfil, or None: an operator (``< <= > >=``, ``BETWEEN`` or
            ``begins_with``) and its one or two values.
    """

    partition: tuple[Value, ...]
    sort: tuple[Value, ...]
    range: tuple[str, tuple[Value, ...]] | None


class _Part(NamedTuple):
    """The condition on one key attribute."""

    name: str
    operator: str
    values: tuple[Value, ...]


def parse_key_condition(
    text: str,
    placeholders: Placeholders,
    partition_keys: tuple[str, ...],
    sort_keys: tuple[str, ...],
    key_types: Mapping[str, str],
) -> KeyCondition:
    """Read a KeyConditionExpression.

    Args:
        text: the expression.
        placeholders: the request's names and values.
        partition_keys: the index's partition key attributes, up to four.
        sort_keys: its sort key attributes, up to four, in order.
        key_types: the type (``"S"``, ``"N"`` or ``"B"``) of each of them.

    Raises:
        ServiceError: ``ValidationException`` with the service's wording.
    """
    tree = condition_tree(_KIND, text)
    placeholders.use(tree.names, tree.values)
    # Binding it as any condition finds undefined placeholders and operands of the wrong type.
    Condition(tree, _KIND, placeholders)
    parts: dict[str, _Part] = {}
    for node in tree.root.parts if isinstance(tree.root, And) else (tree.root,):
        part = _read_part(node, placeholders)
        if part.name in parts:
            _refuse("KeyConditionExpressions must only contain one condition per key")
        parts[part.name] = part
    if len(partition_keys) == 1 and len(sort_keys) <= 1:
        _check_simple_key(parts, partition_keys + sort_keys)
    else:
        _check_long_key(parts, partition_keys, sort_keys)
    for part in parts.values():
        _check_values(part, key_types[part.name])
    sort: list[Value] = []
    last: tuple[str, tuple[Value, ...]] | None = None
    for name in sort_keys:
        found = parts.get(name)
        if found is None:
            break
        if found.operator != "=":
            last = (found.operator, found.values)
            break
        sort.append(found.values[0])
    return KeyCondition(tuple(parts[name].values[0] for name in partition_keys), tuple(sort), last)


def _read_part(node: Node, placeholders: Placeholders) -> _Part:
    """One condition on one attribute; anything else is refused."""
    operands: tuple[Node, ...]
    if isinstance(node, Comparison):
        if node.operator == "<>":
            _refuse_operator("<>")
        operator, operands = node.operator, (node.left, node.right)
        if isinstance(node.left, ValueReference) and isinstance(node.right, Path):
            operator, operands = _TURNED[operator], (node.right, node.left)
    elif isinstance(node, Between):
        operator, operands = "BETWEEN", (node.operand, node.low, node.high)
    elif isinstance(node, Call) and node.function == "begins_with":
        operator, operands = "begins_with", node.operands
    else:
        _refuse_operator(_operator_of(node))
    if any(isinstance(operand, Call) for operand in operands):
        _refuse("KeyConditionExpressions cannot contain nested operations")
    subject, *others = operands
    paths = [operand for operand in operands if isinstance(operand, Path)]
    if any(len(path.elements) > 1 for path in paths):
        _refuse("KeyConditionExpressions cannot have conditions on nested attributes")
    if not isinstance(subject, Path):
        if operator in ("BETWEEN", "begins_with"):
            _refuse(
                f"Invalid condition in KeyConditionExpression: "
                f"{operator} operator must have the key attribute as its first operand"
            )
        _refuse("Invalid condition in KeyConditionExpression: No key attribute specified")
    values = [placeholders.value(_KIND, operand.name) for operand in others if isinstance(operand, ValueReference)]
    if len(values) < len(others):
        _refuse("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
    (name,) = placeholders.path(_KIND, subject)
    return _Part(str(name), operator, tuple(values))


def _operator_of(node: Node) -> str:
    if isinstance(node, Call):
        return node.function
    return {Or: "OR", Not: "NOT", In: "IN"}.get(type(node), "AND")


def _check_simple_key(parts: Mapping[str, _Part], keys: Sequence[str]) -> None:
    """The rules for one partition key attribute and at most one sort key attribute."""
    if len(parts) > 2:
        _refuse("Conditions can be of length 1 or 2 only")
    if len(parts) > len(keys):
        _refuse("Query key condition not supported")
    for name in keys[: len(parts)]:
        if name not in parts:
            _refuse(f"Query condition missed key schema element: {name}")
    if parts[keys[0]].operator != "=":
        _refuse("Query key condition not supported")


def _check_long_key(parts: Mapping[str, _Part], partition_keys: Sequence[str], sort_keys: Sequence[str]) -> None:
    """The rules for keys of several attributes: all partition attributes by ``=``, sort attributes without a gap."""
    loose = [name for name in partition_keys if name not in parts or parts[name].operator != "="]
    if loose:
        _refuse(f"HASH key attributes {', '.join(loose)} must have equality conditions specified in the query")
    for name in parts:
        if name not in partition_keys and name not in sort_keys:
            _refuse(f"Query condition missed key schema element: {(*sort_keys, *partition_keys)[0]}")
    given = [name for name in sort_keys if name in parts]
    if not given:
        return
    last = given[-1]
    loose = [name for name in sort_keys[: sort_keys.index(last)] if name not in parts or parts[name].operator != "="]
    if loose:
        _refuse(
            f"RANGE key attributes {', '.join(loose)} must have equality conditions specified in the query "
            f"because a condition is present on key attribute {last}"
        )


def _check_values(part: _Part, key_type: str) -> None:
    for value in part.values:
        if type_of(value) != key_type:
            _refuse("One or more parameter values were invalid: Condition parameter type does not match schema type")
        if not value[key_type]:
            kind = "string" if key_type == "S" else "binary"
            _refuse(
                "One or more parameter values are not valid. The AttributeValue for a key attribute "
                f"cannot contain an empty {kind} value. Key: {part.name}"
            )


def _refuse_operator(operator: str) -> NoReturn:
    raise service_error("ValidationException", f"Invalid operator used in {_KIND}: {operator}")


def _refuse(message: str) -> NoReturn:
    raise service_error("ValidationException", message)
