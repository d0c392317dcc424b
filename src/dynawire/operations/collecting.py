"""Reading items of several classes by one query: those that a single table keeps in one partition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ..codec.reading import Page
from ..errors import DecodeError, ExpressionError, UsageError
from ..expressions import Comparison, Condition, Placeholders, Value, all_of, compile_condition
from ..expressions.operands import encoded
from ..mapping.class_mapping import nearest
from ..mapping.indexes import IndexDefinition
from ..mapping.layout import TableLayout
from .cursors import decode_cursor
from .effects import Operation
from .mapped import MappedClass, not_a_class
from .pages import PageReader, ReadPlan, read_page
from .target import Target
from .template_keys import KeyTemplates, key_templates

__all__ = ["Member", "Unclaimed", "by_name", "collect", "collection_plan", "members_of", "refuse_others"]

WireItem = dict[str, Any]


class Member(NamedTuple):
    """One of the classes that are read together.

    Attributes:
        target: the class and its table.
        definition: the generic index as the class has it; None: the table is read.
        templates: how the key that is queried is composed.
    """

    target: Target
    definition: IndexDefinition | None
    templates: KeyTemplates


class Unclaimed(NamedTuple):
    """An item of none of the classes that were asked for, in DynamoDB's JSON."""

    item: WireItem


def members_of(layout: TableLayout, targets: Sequence[Target], index: str | None) -> list[Member]:
    """The classes as they are read together.

    Raises:
        ExpressionError: one is not in the table, or not in the index.
    """
    found: list[Member] = []
    for target in targets:
        mapping = target.mapped.mapping
        placement = mapping.placement
        if placement is None or placement.layout is not layout:
            raise _not_in(layout, mapping.name)
        definition = None
        if index is not None:
            name = next((name for name, generic in placement.indexes.items() if generic == index), None)
            if name is None:
                raise ExpressionError(
                    f'{mapping.name} is not in the index {index} of {layout.name}; map it with IndexMap("{index}", ...)'
                )
            definition = mapping.indexes[name]
        found.append(Member(target, definition, key_templates(target, definition)))
    return found


def refuse_others(layout: TableLayout, models: Iterable[Any]) -> None:
    """Refuse what is no class of a single table, before anything is read.

    A class that is not complete yet, for its annotations name one that is declared later, is tested when it is read.

    Raises:
        UsageError: one is no class.
        ExpressionError: one is not in the table.
    """
    for model in models:
        if not isinstance(model, type):
            raise not_a_class(model)
        found = getattr(model, "__mapped__", None)
        if found is None or isinstance(found, MappedClass):
            placement = None if found is None else found.mapping.placement
            if placement is None or placement.layout is not layout:
                raise _not_in(layout, model.__name__)


def _not_in(layout: TableLayout, name: str) -> ExpressionError:
    return ExpressionError(f"{name} is not in the single table {layout.name}; write table=... in its class")


def by_name(members: Sequence[Member]) -> UsageError:
    """The error for a partition key that was given by position."""
    needed, _ = members[0].templates.names(members[0].target)
    call = ", ".join(f"{name}=..." for name in needed)
    return UsageError(f"a collection takes its partition key by name: write query({call})")


def collection_plan(
    layout: TableLayout,
    members: Sequence[Member],
    key: Mapping[str, Any],
    *,
    index: str | None,
    reverse: bool,
    consistent: bool,
) -> ReadPlan:
    """The query of one partition.

    Args:
        layout: the table.
        members: the classes that are read together.
        key: the attributes that the partition key is composed of, by Python name.
        index: the generic index that is read; None: the table.
        reverse: whether in descending order of the sort key.
        consistent: whether the reads are strongly consistent.

    Raises:
        ExpressionError: an attribute is missing or unknown, or the classes have not one partition key.
        ValidationError: a value can't be that of the attribute.
    """
    texts = {member.target.plan.name: _partition(member, key) for member in members}
    if len(set(texts.values())) > 1:
        raise ExpressionError(
            f"the items of {' and '.join(texts)} do not stand together in {layout.name if index is None else index}: "
            "their partition keys are composed by different templates"
        )
    first = members[0]
    target = first.target
    paths = target.mapped.paths_by_stored_name
    text = next(iter(texts.values()))
    conditions: list[Condition] = [Comparison("=", paths[first.templates.partition.name], (Value(None, {"S": text}),))]
    if first.templates.sort is not None:
        beginnings = [_beginning(member) for member in members]
        # Of texts in order the first and the last have the least in common.
        common = _common(min(beginnings), max(beginnings))
        if common:
            conditions.append(
                Comparison("begins_with", paths[first.templates.sort.name], (Value(None, {"S": common}),))
            )
    placeholders = Placeholders()
    request: dict[str, Any] = {"TableName": target.table_name}
    if first.definition is not None:
        request["IndexName"] = first.definition.name
    request["KeyConditionExpression"] = compile_condition(all_of(conditions), placeholders, target.owner)
    placeholders.apply(request)
    if reverse:
        request["ScanIndexForward"] = False
    if consistent:
        request["ConsistentRead"] = True
    names = dict.fromkeys(
        [*target.plan.key_names, *(first.definition.key_names() if first.definition is not None else ())]
    )
    return ReadPlan(
        target=target,
        operation="Query",
        request=request,
        read=_reader(layout, [member.target for member in members]),
        filtered=False,
        key_names=tuple(names),
    )


def _partition(member: Member, key: Mapping[str, Any]) -> str:
    target = member.target
    needed, _ = member.templates.names(target)
    missing = [name for name in needed if name not in key]
    unknown = [name for name in key if name not in needed]
    if missing or unknown:
        shown = ", ".join(needed) or "nothing, for it is constant"
        problem = (
            f"{unknown[0]!r} is none of it{nearest(unknown[0], needed)}" if unknown else f"{missing[0]} is missing"
        )
        raise ExpressionError(f"the partition key of {target.plan.name} here is composed of {shown}: {problem}")
    attributes = target.mapped.mapping.attributes
    paths = target.mapped.paths_by_stored_name
    wire: WireItem = {}
    for name, value in key.items():
        stored_name = attributes[name].stored_name
        wire[stored_name] = encoded(paths[stored_name], target.plan.codecs[name], value)
    return member.templates.partition.composed(wire)


def _beginning(member: Member) -> str:
    sort = member.templates.sort
    assert sort is not None
    assert sort.template is not None
    return sort.template.template.literals[0]


def _common(one: str, other: str) -> str:
    length = next((place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    return min(one, other, key=len) if length is None else one[:length]


def _reader(layout: TableLayout, targets: Sequence[Target]) -> Any:
    by_class: dict[Any, Target | None] = {target.cls: target for target in targets}
    by_class[None] = None

    def read(response: bytes, misfits: list[DecodeError] | None) -> tuple[list[Any], Any]:
        page = msgspec.json.decode(response, type=Page)
        found: list[Any] = []
        for item in page.Items:
            cls = layout.class_of(item)
            if cls not in by_class:
                # Of a class derived from one that was asked for, perhaps.
                by_class[cls] = next((one for one in targets if issubclass(cls, one.cls)), None)
            target = by_class[cls]
            if target is None:
                found.append(Unclaimed(item))
                continue
            instance = target.visible(target.plan.from_wire(item))
            if instance is not None:
                found.append(instance)
        return found, page

    return read


def collect(plan: ReadPlan, limit: int | None, after: str | None) -> Operation[tuple[list[Any], str | None]]:
    """The items of a partition, and the cursor with which to go on; None at the end."""
    if limit is not None:
        return (yield from read_page(plan, limit, after))
    items: list[Any] = []
    start = None if after is None else decode_cursor(plan.operation, plan.request, after)
    reader = PageReader(plan, None, start)
    while (request := reader.next_request()) is not None:
        response = yield request
        items += reader.take(response)
    return items, None
