"""Readable attributes to key conditions: what conditions on the sources of a key's templates say of the key itself.

Of the partition key every source must be given by ``==``. Of the sort key they may be, from the first on; the condition
on the next one becomes a range of texts, as far as its texts are ordered as its values are. Whatever is left filters.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from ..expressions import Comparison, Condition, KeySplit, Path, Value
from ..expressions.evaluation import check_owners
from ..expressions.key_conditions import taken_apart
from ..expressions.operands import called
from ..mapping.templates import BoundTemplate, successor
from .computation import Computation

if TYPE_CHECKING:
    from ..mapping.indexes import IndexDefinition
    from .target import Target

__all__ = [
    "KeyTemplates",
    "constant_comparisons",
    "key_templates",
    "sort_condition",
    "split_template_condition",
]

_RANGES = frozenset({"<", "<=", ">", ">=", "BETWEEN", "begins_with"})


class KeyTemplates(NamedTuple):
    """The templates of the key of a table or an index, as a placed class has it.

    Attributes:
        partition: how the partition key is composed.
        sort: how the sort key is composed, or None.
    """

    partition: Computation
    sort: Computation | None

    def names(self, target: Target) -> tuple[list[str], list[str]]:
        """Python names of the attributes both are composed of."""
        found: list[list[str]] = []
        for computation in self:
            template = None if computation is None else computation.template
            sources = () if template is None else dict.fromkeys(template.sources)
            found.append([_path(target, source)._label for source in sources])
        return found[0], [name for name in found[1] if name not in found[0]]


def key_templates(target: Target, index: IndexDefinition | None) -> KeyTemplates:
    """How a placed class composes the key of its table or of an index."""
    computed = target.computed
    assert computed is not None
    names = target.plan.key_names if index is None else index.key_names()
    every = [computed.by_name[name] for name in names]
    return KeyTemplates(every[0], every[1] if len(every) > 1 else None)


def split_template_condition(
    target: Target, index: IndexDefinition | None, conditions: Iterable[Condition]
) -> KeySplit:
    """Divide conditions on readable attributes into key condition and filter."""
    templates = key_templates(target, index)
    every = taken_apart(conditions)
    for condition in every:
        # Those that become part of a text are compiled no more.
        check_owners(condition, target.owner)
    usable = constant_comparisons(every)
    equal = {name: found for name, given in usable.items() if (found := _equal(given)) is not None}
    partition = templates.partition.template
    assert partition is not None
    missing = [name for name in dict.fromkeys(partition.sources) if name not in equal]
    if missing:
        return KeySplit((), tuple(every), tuple(_not_given(target, every, name) for name in missing))
    known = {name: _wire(comparison) for name, comparison in equal.items()}
    key = [_comparison(target, templates.partition, "=", templates.partition.composed(known))]
    used = [equal[name] for name in partition.sources]
    if templates.sort is not None:
        place, prefix = templates.sort.beginning(known)
        assert templates.sort.template is not None
        sources = templates.sort.template.sources
        used += [equal[name] for name in sources[:place]]
        ranges = usable.get(sources[place], ()) if place < len(sources) else ()
        found, said = sort_condition(target, templates.sort, place, prefix, ranges)
        key += [found] if found is not None else []
        used += said
    rest = [one for one in every if not any(one is each for each in used)]
    return KeySplit(tuple(key), tuple(rest), ())


def constant_comparisons(conditions: Iterable[Condition]) -> dict[str, list[Comparison]]:
    """Comparisons of whole attributes with constants, by stored name."""
    found: dict[str, list[Comparison]] = {}
    for condition in conditions:
        if (
            isinstance(condition, Comparison)
            and not condition.sized
            and len(condition.path._steps) == 1
            and condition.operands
            and all(isinstance(operand, Value) and "NULL" not in operand.wire for operand in condition.operands)
        ):
            found.setdefault(str(condition.path._steps[0]), []).append(condition)
    return found


def _equal(given: Sequence[Comparison]) -> Comparison | None:
    return next((one for one in given if one.operator == "="), None)


def _path(target: Target, name: str) -> Path[Any]:
    return target.mapped.paths_by_stored_name[name]


def _not_given(target: Target, conditions: Iterable[Condition], name: str) -> str:
    path = _path(target, name)
    if any(one._steps == path._steps for condition in conditions for one in condition.paths()):
        return f"{called(path)} is part of the partition key, which a query needs as == value"
    return f"{called(path)}, which the partition key is composed of, is not given"


def _wire(comparison: Comparison) -> Any:
    (operand,) = comparison.operands
    assert isinstance(operand, Value)
    return operand.wire


def _comparison(target: Target, computation: Computation, operator: str, *texts: str) -> Comparison:
    return Comparison(operator, _path(target, computation.name), tuple(Value(None, {"S": text}) for text in texts))


def sort_condition(
    target: Target, computation: Computation, place: int, prefix: str, ranges: Iterable[Comparison]
) -> tuple[Comparison | None, list[Comparison]]:
    """The condition on a sort key, and those of the ranges of which it says everything.

    Args:
        target: the class and its table.
        computation: how the sort key is composed.
        place: the component up to which it is known.
        prefix: the text before it.
        ranges: conditions on that component.
    """
    template = computation.template
    assert template is not None
    if place == len(template.sources):
        return _comparison(target, computation, "=", computation.checked(prefix)), []
    limits = _Limits(computation, template, place, prefix)
    said = [one for one in ranges if one.operator in _RANGES and limits.take(one)]
    return limits.condition(target), said


class _Limits:
    """What is between two texts: the sort keys of items of which one component is in a range."""

    def __init__(self, computation: Computation, template: BoundTemplate, place: int, prefix: str) -> None:
        self._computation = computation
        self._template = template
        self._place = place
        self._part = template.parts[place]
        self._prefix = prefix
        after = template.template.literals[place + 1]
        self._separator = after[:1]
        self.low: str | None = None
        self.high: str | None = None
        self.beginning: str | None = None

    def take(self, comparison: Comparison) -> bool:
        """Let a comparison narrow the range; whether it says everything."""
        texts = [
            self._prefix + self._computation.written(self._place, operand.wire)
            for operand in comparison.operands
            if isinstance(operand, Value) and self._part.tag in operand.wire
        ]
        if len(texts) < len(comparison.operands):
            return False
        operator = comparison.operator
        if operator == "begins_with":
            if not self._part.prefixes or self.beginning is not None or self.low is not None or self.high is not None:
                return False
            self.beginning = texts[0]
            return True
        if not self._part.ordered or self.beginning is not None:
            return False
        low, high, exact = self._bounds(operator, texts)
        # No key is empty, and DynamoDB compares none with what is.
        if high == "":
            return False
        low = low or None
        if (low is not None and self.low is not None) or (high is not None and self.high is not None):
            return False
        if (low or self.low or "") > (high or self.high or "\U0010ffff"):
            # Nothing is between them, and DynamoDB takes no such BETWEEN: the filter finds out.
            return False
        self.low = low if low is not None else self.low
        self.high = high if high is not None else self.high
        return exact

    def _bounds(self, operator: str, texts: list[str]) -> tuple[str | None, str | None, bool]:
        """The least text, the greatest, and whether nothing else is between them."""
        first, last = texts[0], texts[-1]
        # No component goes on with what follows the separator: texts with this value end before it.
        after = chr(ord(self._separator) + 1) if self._separator else ""
        if operator == ">=":
            return first, None, True
        if operator == ">":
            return (first + after if after else first + "\0"), None, True
        if operator == "<=":
            return None, last + after, True
        if operator == "<":
            return None, last, bool(after)
        return first, last + after, True

    def condition(self, target: Target) -> Comparison | None:
        """The comparison of the sort key; None when it may be anything."""
        compared = self._computation
        if self.low is None and self.high is None:
            beginning = self._prefix if self.beginning is None else self.beginning
            return _comparison(target, compared, "begins_with", beginning) if beginning else None
        if self._prefix:
            low = self._prefix if self.low is None else self.low
            high = successor(self._prefix) if self.high is None else self.high
            return _comparison(target, compared, "BETWEEN", low, high)
        if self.low is not None and self.high is not None:
            return _comparison(target, compared, "BETWEEN", self.low, self.high)
        if self.low is not None:
            return _comparison(target, compared, ">=", self.low)
        assert self.high is not None
        return _comparison(target, compared, "<=", self.high)
