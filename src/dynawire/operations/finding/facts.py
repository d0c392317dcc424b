"""What conditions that must all hold say of single attributes: the values one may have, or the range it lies in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ...expressions import Comparison, Condition, Negation, Path, Value
from ...expressions.evaluation import ordering
from ...expressions.normal_form import alternatives, conjuncts
from ...mapping.value_codec import WireValue
from ..identity import canonical_number

__all__ = ["SELECTIVITY", "Facts", "KeyRange", "follows", "is_present", "range_of", "value_identity"]

_KEY_TAGS = frozenset({"S", "N", "B"})
_SCALAR_TAGS = frozenset({*_KEY_TAGS, "BOOL", "NULL"})
_COMPLEMENTS = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
_RANGES = frozenset({"<", "<=", ">", ">=", "BETWEEN", "begins_with"})
_NEED_A_VALUE = frozenset({"<", "<=", ">", ">=", "BETWEEN", "begins_with", "contains"})

# System R's guesses of what part of the rows a predicate leaves: Selinger and others, "Access Path Selection in a
# Relational Database Management System", SIGMOD 1979, table 1. begins_with is not among them; like an equality.
SELECTIVITY = {"=": 1 / 10, "BETWEEN": 1 / 4, "begins_with": 1 / 10, "<": 1 / 3, "<=": 1 / 3, ">": 1 / 3, ">=": 1 / 3}


class _Fact(NamedTuple):
    """One of the conditions, where it compares an attribute with constants."""

    place: int
    operator: str
    wires: tuple[WireValue, ...]


class Facts:
    """What conditions in normal form, all of which must hold, say of each attribute they compare with constants.

    Attributes:
        points: by stored name, the values an attribute may have, each once, where they are given one by one.
        implied: places of conditions that hold whenever the others do.
        vacant: by stored name, attributes of which they say only what holds of every item of the class.
    """

    __slots__ = ("_by_name", "implied", "points", "vacant")

    def __init__(
        self, conditions: Sequence[Condition], implied: Iterable[int] = (), vacant: Iterable[str] = ()
    ) -> None:
        self.implied = frozenset(implied)
        self.vacant = frozenset(vacant)
        self._by_name: dict[str, list[_Fact]] = {}
        for place, condition in enumerate(conditions):
            found = _simple(condition) or _choice(condition)
            if found is not None:
                name, operator, wires = found
                self._by_name.setdefault(name, []).append(_Fact(place, operator, wires))
        self.points: dict[str, list[WireValue]] = {}
        for name, facts in self._by_name.items():
            points = _points(facts)
            if points is not None:
                self.points[name] = points

    def settled(self, names: Iterable[str]) -> frozenset[int]:
        """Places of the conditions that hold once these attributes have one of their points."""
        return frozenset(
            [fact.place for name in names for fact in self._by_name.get(name, ()) if fact.operator in ("=", "IN")]
        )

    def names(self) -> list[str]:
        """The attributes of which something is said."""
        return list(self._by_name)

    def of(self, name: str) -> Sequence[_Fact]:
        """What must hold of one attribute."""
        return self._by_name.get(name, ())


class KeyRange(NamedTuple):
    """The condition a Query puts on a sort key attribute.

    Attributes:
        comparison: it.
        implied: places of the conditions that hold of everything it finds.
        selectivity: what part of the entries it is guessed to leave, 0 to 1.
    """

    comparison: Comparison
    implied: frozenset[int]
    selectivity: float


def value_identity(wire: WireValue) -> tuple[str, Any]:
    """Something hashable that is equal for equal values of type S, N, B, BOOL or NULL."""
    ((tag, payload),) = wire.items()
    return tag, canonical_number(payload) if tag == "N" else payload


def _simple(condition: Condition) -> tuple[str, str, tuple[WireValue, ...]] | None:
    operator = None
    if isinstance(condition, Negation):
        # Of an attribute that is there with its type NOT < is >=; whether it is there is asked for elsewhere.
        assert isinstance(condition.condition, Comparison)
        operator = _COMPLEMENTS.get(condition.condition.operator, "")
        condition = condition.condition
    if not isinstance(condition, Comparison) or condition.sized or len(condition.path._steps) != 1:
        return None
    wires = tuple(one.wire for one in condition.operands if isinstance(one, Value))
    if not wires or len(wires) < len(condition.operands) or any(_KEY_TAGS.isdisjoint(wire) for wire in wires):
        return None
    operator = condition.operator if operator is None else operator
    if operator not in _RANGES and operator not in ("=", "IN"):
        return None
    return str(condition.path._steps[0]), operator, wires


def _choice(condition: Condition) -> tuple[str, str, tuple[WireValue, ...]] | None:
    """``a == 1 | a == 2`` says the same as ``a.in_([1, 2])``."""
    name = ""
    every: list[WireValue] = []
    for alternative in alternatives(condition):
        found = _simple(alternative)
        if found is None or found[1] not in ("=", "IN") or (name and found[0] != name):
            return None
        name = found[0]
        every += found[2]
    return name, "IN", tuple(every)


def _points(facts: Sequence[_Fact]) -> list[WireValue] | None:
    """The values that all of these leave, in the order given; None when they are not given one by one."""
    possible: dict[tuple[str, Any], WireValue] | None = None
    for fact in facts:
        if fact.operator == "=" or fact.operator == "IN":
            these = {value_identity(wire): wire for wire in reversed(fact.wires)}
            if possible is None:
                possible = {identity: these[identity] for identity in map(value_identity, fact.wires)}
            else:
                possible = {identity: wire for identity, wire in possible.items() if identity in these}
    return None if possible is None else list(possible.values())


class _Bound(NamedTuple):
    at: Any
    wire: WireValue
    included: bool


def range_of(path: Path[Any], facts: Facts) -> KeyRange | bool:
    """The narrowest range that one condition of a Query can give a sort key attribute.

    False when nothing can lie in it; True when nothing is said of the attribute.
    """
    name = str(path._steps[0])
    mine = facts.of(name)
    low, high, prefix = _bounds(mine)
    if prefix is not None:
        implied = [fact.place for fact in mine if fact.operator == "begins_with" and _has_prefix(prefix, fact.wires[0])]
        return _key_range(path, "begins_with", (prefix,), implied)
    if low is None or high is None:
        bound = low or high
        if bound is None:
            return True
        operator = (">" if bound is low else "<") + ("=" if bound.included else "")
        return _key_range(path, operator, (bound.wire,), _implied(mine, low, high))
    if low.at > high.at or (low.at == high.at and not (low.included and high.included)):
        return False
    if low.at == high.at:
        return _key_range(path, "=", (low.wire,), _implied(mine, low, high))
    # BETWEEN has both its ends; what excludes one of them is not implied.
    ends = low._replace(included=True), high._replace(included=True)
    return _key_range(path, "BETWEEN", (low.wire, high.wire), _implied(mine, *ends))


def _key_range(path: Path[Any], operator: str, wires: tuple[WireValue, ...], implied: Sequence[int]) -> KeyRange:
    comparison = Comparison(operator, path, tuple(Value(None, wire) for wire in wires))
    return KeyRange(comparison, frozenset(implied), SELECTIVITY[operator])


def _bounds(mine: Sequence[_Fact]) -> tuple[_Bound | None, _Bound | None, WireValue | None]:
    low: _Bound | None = None
    high: _Bound | None = None
    prefix: WireValue | None = None
    for _, operator, wires in mine:
        if operator == "begins_with":
            if _length(wires[0]) > _length(prefix):
                prefix = wires[0]
            continue
        if operator == "IN":
            ends = sorted(wires, key=ordering)
            wires = (ends[0], ends[-1])
        if operator in (">", ">=", "=", "BETWEEN", "IN"):
            bound = _Bound(ordering(wires[0]), wires[0], operator != ">")
            if low is None or bound.at > low.at or (bound.at == low.at and not bound.included):
                low = bound
        if operator in ("<", "<=", "=", "BETWEEN", "IN"):
            bound = _Bound(ordering(wires[-1]), wires[-1], operator != "<")
            if high is None or bound.at < high.at or (bound.at == high.at and not bound.included):
                high = bound
    return low, high, prefix


def _implied(mine: Sequence[_Fact], low: _Bound | None, high: _Bound | None) -> list[int]:
    """Places of those conditions that hold of everything between the bounds."""
    return [
        fact.place
        for fact in mine
        if (fact.operator == "begins_with" and not _length(fact.wires[0]))
        or (
            fact.operator in (">", ">=", "<", "<=", "BETWEEN")
            and (fact.operator[0] == "<" or _keeps_low(fact, low))
            and (fact.operator[0] == ">" or _keeps_high(fact, high))
        )
    ]


def _keeps_low(fact: _Fact, low: _Bound | None) -> bool:
    at = ordering(fact.wires[0])
    return low is not None and (low.at > at or (low.at == at and (fact.operator != ">" or not low.included)))


def _keeps_high(fact: _Fact, high: _Bound | None) -> bool:
    at = ordering(fact.wires[-1])
    return high is not None and (high.at < at or (high.at == at and (fact.operator != "<" or not high.included)))


def _length(wire: WireValue | None) -> int:
    return 0 if wire is None else len(ordering(wire))


def _has_prefix(wire: WireValue, prefix: WireValue) -> bool:
    return bool(ordering(wire).startswith(ordering(prefix)))


def follows(
    condition: Condition, conditions: Sequence[Condition], facts: Facts, holds_of_defaults: Callable[[Condition], bool]
) -> bool:
    """Whether a condition holds of every item of which all of others hold, as far as these compare with constants.

    Args:
        condition: it.
        conditions: the others.
        facts: what they say.
        holds_of_defaults: whether a condition holds of an item that is stored without what it looks at, and so is
            read with its defaults.
    """
    said = _said(condition)
    if said is not None and any(_said(one) == said for one in conditions):
        return is_present(said[0], conditions) or holds_of_defaults(condition)
    if said is not None and said[1] == "<>":
        # What has one of these values has not that one.
        return said[0] in facts.points and said[2][0] not in map(value_identity, facts.points[said[0]])
    if isinstance(condition, Comparison) and condition.operator == "attribute_exists":
        return len(condition.path._steps) == 1 and is_present(str(condition.path._steps[0]), conditions)
    found = None if isinstance(condition, Negation) else _simple(condition)
    if found is None:
        return False
    name, operator, wires = found
    if not is_present(name, conditions):
        return False  # NOT < holds of items without the attribute, too
    points = facts.points.get(name)
    if operator in ("=", "IN"):
        wanted = set(map(value_identity, wires))
        return points is not None and wanted.issuperset(map(value_identity, points))
    mine = facts.of(name)
    if len({tag for one in (wires, *(fact.wires for fact in mine)) for wire in one for tag in wire}) > 1:
        return False
    low, high, prefix = _bounds(mine)
    if operator == "begins_with":
        every = points if points is not None else [] if prefix is None else [prefix]
        return bool(every) and all(_has_prefix(one, wires[0]) for one in every)
    return bool(_implied([_Fact(0, operator, wires)], low, high))


def _said(condition: Condition) -> tuple[str, str, tuple[Any, ...]] | None:
    """What a condition says of one attribute and constants, equal for conditions that say the same."""
    operator = ""
    if isinstance(condition, Negation) and isinstance(condition.condition, Comparison):
        operator = {"=": "<>", "<>": "="}.get(condition.condition.operator, "")
        condition = condition.condition if operator else condition
    if not isinstance(condition, Comparison) or condition.sized or len(condition.path._steps) != 1:
        return None
    wires = [one.wire for one in condition.operands if isinstance(one, Value)]
    if len(wires) < len(condition.operands) or any(tag not in _SCALAR_TAGS for wire in wires for tag in wire):
        return None
    return str(condition.path._steps[0]), operator or condition.operator, tuple(map(value_identity, wires))


def is_present(name: str, conditions: Sequence[Condition]) -> bool:
    """Whether conditions that must all hold are only true of items that have a value of this attribute, not NULL."""
    not_null = any(_excludes_null(name, condition) for condition in conditions)
    return any(_needs(name, condition, not_null) for condition in conditions)


def _needs(name: str, condition: Condition, not_null: bool) -> bool:
    parts = alternatives(condition)
    if len(parts) > 1:
        return all(is_present(name, conjuncts(part)) for part in parts)
    if not isinstance(condition, Comparison) or condition.path._steps != (name,):
        return False
    operator = condition.operator
    if operator == "attribute_exists":
        return not_null or "NULL" not in condition.path._codec.tags
    if operator == "attribute_type":
        return any(isinstance(one, Value) and one.wire["S"] != "NULL" for one in condition.operands)
    if operator in ("=", "IN"):
        # NULL equals NULL, but has no order, no size and no parts.
        return condition.sized or not any(map(_may_be_null, condition.operands))
    return operator in _NEED_A_VALUE


def _may_be_null(operand: Any) -> bool:
    if isinstance(operand, Value):
        return "NULL" in operand.wire
    return isinstance(operand, Path) and "NULL" in operand._codec.tags


def _excludes_null(name: str, condition: Condition) -> bool:
    return (
        isinstance(condition, Comparison)
        and condition.operator == "<>"
        and condition.path._steps == (name,)
        and any(isinstance(one, Value) and "NULL" in one.wire for one in condition.operands)
    )
