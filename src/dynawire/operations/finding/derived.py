"""What conditions on readable attributes say of the generic keys of a single table, which are composed of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

from ...expressions import Comparison, Condition, Value
from ...expressions.evaluation import condition_test
from ...expressions.normal_form import conjuncts
from ...mapping.attributes import NO_DEFAULT
from ..changes import default_wire
from ..computation import Computation
from ..target import Target
from ..template_keys import constant_comparisons, sort_condition
from .facts import Facts, follows, is_present

__all__ = ["derived_conditions", "template_sources"]

MAX_VALUES = 100
"""Operands that DynamoDB takes of IN, and so many texts of a key are tried at the most."""


def template_sources(target: Target) -> frozenset[str]:
    """Stored names of all attributes that generic keys are composed of."""
    return frozenset(source for one in _compositions(target) if one.template is not None for source in one.sources)


def derived_conditions(target: Target, parts: Sequence[Condition]) -> tuple[list[Condition], list[str]]:
    """Conditions on generic keys that hold of every item of which all these hold.

    Returns:
        The conditions; and stored names of the keys of which they say no more than holds of every item of the class.
    """
    facts = Facts(parts)
    usable = constant_comparisons(parts)
    found: list[Condition] = []
    vacant: list[str] = []
    for composition in _compositions(target):
        condition, says_something = _derived(target, composition, parts, facts, usable)
        if condition is not None:
            found.append(condition)
        if not says_something:
            vacant.append(composition.name)
    return found, vacant


def _compositions(target: Target) -> list[Computation]:
    placement = target.mapped.mapping.placement
    if placement is None or target.computed is None:
        return []
    return [target.computed.by_name[name] for name in placement.keys]


def _derived(
    target: Target,
    computation: Computation,
    parts: Sequence[Condition],
    facts: Facts,
    usable: dict[str, list[Comparison]],
) -> tuple[Condition | None, bool]:
    template = computation.template
    assert template is not None
    points = {name: facts.points[name] for name in computation.sources if name in facts.points}
    single: dict[str, Any] = {name: values[0] for name, values in points.items() if len(values) == 1}
    if computation.test is not None:
        if single.keys() >= computation.sources.keys():
            fulfils = computation.test(single)
        else:
            fulfils = all(
                follows(one, parts, facts, lambda one: _holds_of_defaults(target, computation, one))
                for one in conjuncts(computation.when)
            )
        if not fulfils:
            # An item that does not fulfil it does not have the key.
            return None, True
    path = target.mapped.paths_by_stored_name[computation.name]
    sources = list(dict.fromkeys(template.sources))
    if all(name in points for name in sources):
        if prod(len(points[name]) for name in sources) > MAX_VALUES:
            return None, True
        texts = [
            computation.composed(dict(zip(sources, values, strict=True)))
            for values in product(*(points[name] for name in sources))
        ]
        operands = tuple(Value(None, {"S": text}) for text in dict.fromkeys(texts))
        return Comparison("=" if len(operands) == 1 else "IN", path, operands), bool(sources)
    for name in sources:
        if "NULL" in target.plan.codecs[computation.sources[name].name].tags and not is_present(name, parts):
            # It may be absent, and then so is the key.
            return None, True
    place, prefix = computation.beginning(single)
    ranges = usable.get(template.sources[place], ())
    condition, _ = sort_condition(target, computation, place, prefix, ranges)
    if condition is None:
        # That it is there counts, too: an index that it is a key of has the item.
        condition = Comparison("begins_with", path, (Value(None, {"S": ""}),))
    return condition, place > 0 or bool(ranges)


def _holds_of_defaults(target: Target, computation: Computation, condition: Condition) -> bool:
    wires: dict[str, Any] = {}
    for path in condition.paths():
        source = computation.sources[str(path._steps[0])]
        if source.default_factory is not NO_DEFAULT:
            return False
        wire = default_wire(target.plan, source)
        if wire is not None:
            wires[source.stored_name] = wire
    return condition_test(condition)(wires)
