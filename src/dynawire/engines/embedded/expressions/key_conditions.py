"""Key conditions: which items of an index a query wants, as values for its partition and sort key attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
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
from dynawire.engines.embedded.values import Value, compare_values, type_of
from dynawire.errors import DynawireError, service_error

__all__ = ["KeyCondition", "KeyConditions", "parse_key_condition", "read_key_conditions"]

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

    def __repr__(self) -> str:
        # Item values stay out of anything that may be logged.
        operator = self.range[0] if self.range else None
        return f"KeyCondition(partition: {len(self.partition)}, sort: {len(self.sort)}, range: {operator})"


class KeyConditions:
    """The conditions of a KeyConditionExpression, before it is known which index they are for.

    Attributes:
        names: the attributes they are on.
    """

    __slots__ = ("_parts",)

    def __init__(self, parts: dict[str, _Part]) -> None:
        self._parts = parts

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._parts)

    def resolve(
        self, partition_keys: tuple[str, ...], sort_keys: tuple[str, ...], key_types: Mapping[str, str]
    ) -> KeyCondition:
        """What they ask of an index's key.

        Args:
            partition_keys: the index's partition key attributes, up to four.
            sort_keys: its sort key attributes, up to four, in order.
            key_types: the type (``"S"``, ``"N"`` or ``"B"``) of each of them.

        Raises:
            ServiceError: ``ValidationException`` when they do not fit the key.
        """
        parts = self._parts
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
        return KeyCondition(tuple([parts[name].values[0] for name in partition_keys]), tuple(sort), last)


def read_key_conditions(text: str, placeholders: Placeholders) -> KeyConditions:
    """Read a KeyConditionExpression as far as that goes without a table: the service looks for the table after this.

    Args:
        text: the expression.
        placeholders: the request's names and values.

    Raises:
        ServiceError: ``ValidationException`` with the service's wording.
    """
    tree = condition_tree(_KIND, text)
    placeholders.use(tree.names, tree.values)
    try:
        outlines = _outlines(text)
    except DynawireError:
        # What is wrong in any condition comes before what is wrong in a key condition.
        Condition(tree, _KIND, placeholders)
        raise
    parts: dict[str, _Part] = {}
    twice = False
    plain = True
    for path, operator, references in outlines:
        name = str(placeholders.path(_KIND, path)[0])
        values = tuple([placeholders.value(_KIND, reference) for reference in references])
        plain = plain and _is_plain(operator, values)
        twice = twice or name in parts
        parts[name] = _Part(name, operator, values)
    if not plain:
        Condition(tree, _KIND, placeholders)
    if twice:
        _refuse("KeyConditionExpressions must only contain one condition per key")
    return KeyConditions(parts)


def parse_key_condition(
    text: str,
    placeholders: Placeholders,
    partition_keys: tuple[str, ...],
    sort_keys: tuple[str, ...],
    key_types: Mapping[str, str],
) -> KeyCondition:
    """Read a KeyConditionExpression for an index: :func:`read_key_conditions`, then :meth:`KeyConditions.resolve`."""
    return read_key_conditions(text, placeholders).resolve(partition_keys, sort_keys, key_types)


class _Part:
    """The condition on one key attribute."""

    __slots__ = ("name", "operator", "values")

    def __init__(self, name: str, operator: str, values: tuple[Value, ...]) -> None:
        self.name = name
        self.operator = operator
        self.values = values


class _Outline(NamedTuple):
    """The condition on one key attribute as it stands in the text."""

    path: Path
    operator: str
    references: tuple[str, ...]


@lru_cache(maxsize=512)
def _outlines(text: str) -> tuple[_Outline, ...]:
    root = condition_tree(_KIND, text).root
    return tuple(_outline(node) for node in (root.parts if isinstance(root, And) else (root,)))


def _outline(node: Node) -> _Outline:
    """One condition on one attribute; anything else is refused."""
    operands: tuple[Node, ...]
    if isinstance(node, Comparison) and node.operator != "<>":
        operator, operands = node.operator, (node.left, node.right)
    elif isinstance(node, Between):
        operator, operands = "BETWEEN", (node.operand, node.low, node.high)
    elif isinstance(node, Call) and node.function == "begins_with":
        operator, operands = "begins_with", node.operands
    else:
        _refuse(f"Invalid operator used in {_KIND}: {_operator_of(node)}")
    if operator in ("BETWEEN", "begins_with") and isinstance(operands[0], ValueReference):
        _refuse(
            "Invalid condition in KeyConditionExpression: "
            f"{operator} operator must have the key attribute as its first operand"
        )
    key: Path | None = None
    for operand in operands:
        if isinstance(operand, Call):
            _refuse("KeyConditionExpressions cannot contain nested operations")
        if isinstance(operand, Path):
            if key is not None:
                _refuse("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition")
            if len(operand.elements) > 1:
                _refuse("KeyConditionExpressions cannot have conditions on nested attributes")
            key = operand
    if key is None:
        _refuse("Invalid condition in KeyConditionExpression: No key attribute specified")
    if key is not operands[0]:
        operator = _TURNED[operator]
    return _Outline(key, operator, tuple(operand.name for operand in operands if isinstance(operand, ValueReference)))


def _is_plain(operator: str, values: tuple[Value, ...]) -> bool:
    """Whether any condition may have these values; when not, binding it says what is wrong."""
    tag = type_of(values[0])
    if tag not in ("S", "N", "B"):
        return False
    if operator == "begins_with":
        return tag != "N"
    if operator == "BETWEEN":
        order = compare_values(values[0], values[1])
        return order is not None and order <= 0
    return True


def _operator_of(node: Node) -> str:
    if isinstance(node, Call):
        return node.function
    if isinstance(node, Comparison):
        return node.operator
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
    before = sort_keys[: sort_keys.index(last)]
    loose = [name for name in before if name not in parts]
    loose = loose or [name for name in before if parts[name].operator != "="]
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


def _refuse(message: str) -> NoReturn:
    raise service_error("ValidationException", message)
