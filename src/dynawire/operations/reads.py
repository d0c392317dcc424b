"""What a query or scan reads, and its compilation to a :class:`ReadPlan`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from ..errors import DecodeError, ExpressionError
from ..expressions import (
    Condition,
    KeySplit,
    Path,
    Placeholders,
    all_of,
    compile_condition,
    compile_projection,
    parse_lookups,
    split_key_condition,
)
from ..mapping.indexes import IndexDefinition
from .own_items import own_items
from .pages import PageReader, ReadPlan
from .projected import requested_paths, tuple_reader
from .reserved import hidden
from .target import Target, as_condition
from .unstored import refuse_unstored

__all__ = ["Read", "check_filter", "compile_read", "hiding_expired", "read_of_query", "readers", "segments"]

Purpose = Literal["items", "pages", "count"]


class Read(msgspec.Struct, frozen=True, kw_only=True):
    """What a query or scan was told.

    Attributes:
        target: the class and its table.
        index: the index that is read; None: the table.
        key_conditions: what selects the partition and the range of sort keys; None: a scan.
        filter: what items must fulfil besides; see check_filter().
        reverse: whether in descending order of the sort key.
        limit: how many items are returned at the most.
        consistent: whether reads are strongly consistent.
        segments: in how many parts a scan is read at the same time.
        fetch_ahead: whether the next page is fetched while this one is consumed.
        projection: the attributes that are read as tuples; none: whole instances.
        misfits: takes the errors of items that do not fit the class.
        scan_allowed: whether a scan may be sent.
        hide_expired: whether items past their time to live are left out.
    """

    target: Target
    index: IndexDefinition | None = None
    key_conditions: tuple[Condition, ...] | None = None
    filter: Condition | None = None
    reverse: bool = False
    limit: int | None = None
    consistent: bool = False
    segments: int = 1
    fetch_ahead: bool = True
    projection: tuple[Path[Any], ...] = ()
    misfits: list[DecodeError] | None = None
    scan_allowed: bool = True
    hide_expired: bool = False

    @property
    def what(self) -> str:
        """What is read, for messages."""
        name = self.target.plan.name
        return name if self.index is None else f"{name}.{self.index.name}"


def read_of_query(
    target: Target, index: IndexDefinition | None, arguments: Sequence[Any], lookups: Mapping[str, Any]
) -> Read:
    """The query of what a caller gives: values of the key attributes, then conditions, or lookups by name.

    Raises:
        ExpressionError: no value for the partition key, or more than one condition on the sort key.
    """
    placed = target.mapped.mapping.placement is not None
    partition, sort = _readable_key(target, index) if placed else _key_of(target, index)
    paths = target.mapped.paths
    conditions: list[Condition] = []
    names = iter((*partition, *sort))
    for argument in arguments:
        # To ask whether text is a Mapping takes longer than the rest of this loop.
        if argument.__class__ is not str and isinstance(argument, (Condition, Mapping, list, tuple)):
            found = as_condition(target, argument)
            if found is not None:
                conditions.append(found)
            continue
        name = next(names, None)
        if name is None:
            what = Read(target=target, index=index).what
            raise ExpressionError(f"too many key values for {what}, whose key is ({', '.join((*partition, *sort))})")
        if argument is None:
            raise ExpressionError(f"{target.plan.name}.{name} is part of the key, which is never None; give a value")
        conditions.append(paths[name] == argument)
    conditions += parse_lookups(paths, lookups, target.plan.name) if lookups else []
    split = _split(target, index, conditions)
    if split.reasons:
        read = Read(target=target, index=index)
        advice = "" if split.key else _elsewhere(read, conditions)
        raise ExpressionError(f"query of {read.what}: {'; '.join(split.reasons)}{advice}")
    own = own_items(target, {name for part in _key_of(target, index) for name in part}) if placed else None
    rest = (*split.rest, own) if own is not None else split.rest
    read = Read(
        target=target,
        index=index,
        key_conditions=split.key,
        filter=all_of(rest) if rest else None,
        hide_expired=target.hides is not None,
    )
    if rest:
        check_filter(read)
    return read


def _readable_key(target: Target, index: IndexDefinition | None) -> tuple[Sequence[str], Sequence[str]]:
    from .template_keys import key_templates

    return key_templates(target, index).names(target)


def _split(target: Target, index: IndexDefinition | None, conditions: list[Condition]) -> KeySplit:
    if target.mapped.mapping.placement is not None:
        from .template_keys import split_template_condition

        return split_template_condition(target, index, conditions)
    if index is None:
        names = target.plan.key_names
        return split_key_condition(conditions, names[:1], names[1:])
    paths = target.mapped.paths
    partition, sort = _key_of(target, index)
    return split_key_condition(
        conditions,
        [str(paths[name]._steps[0]) for name in partition],
        [str(paths[name]._steps[0]) for name in sort],
    )


def _elsewhere(read: Read, conditions: list[Condition]) -> str:
    """What to write when the partition key is not given: a query of what these conditions do give a partition key."""
    target = read.target
    name = target.plan.name
    is_named = target.mapped.mapping.owner is target.cls
    if not conditions:
        return f"; give its value, or write {name if is_named else 'table'}.scan() for all items"
    candidates: dict[str, IndexDefinition | None] = {}
    if read.index is not None:
        candidates[f"{name if is_named else 'table'}.query(...)"] = None
    for attribute, index in target.mapped.mapping.indexes.items():
        candidates[f"{name}.{attribute}.query(...)" if is_named else f'table.index("{attribute}").query(...)'] = index
    for call, candidate in candidates.items():
        split = _split(target, candidate, conditions)
        if split.key and not split.reasons:
            return f"; these are the key of another: write {call}"
    return f"; write {name if is_named else 'table'}.find(...), which chooses how these items are read"


def _key_of(target: Target, index: IndexDefinition | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Python names of the partition key's and of the sort key's attributes."""
    if index is not None:
        return index.partition_key, index.sort_key
    return target.key_of_table


# ---------------------------------------------------------------------- what an index holds


def check_filter(read: Read) -> None:
    """Refuse a filter that the service would refuse.

    Raises:
        ExpressionError: it looks at the key attributes of what is queried, or at what the index does not hold.
    """
    if read.filter is None:
        return
    names = [path for path in read.filter.paths() if path._owner is not None]
    refuse_unstored(read.target, names, "filtered by")
    if read.key_conditions is not None:
        key = {name for part in _key_of(read.target, read.index) for name in part}
        for path in names:
            stored = _attribute_name(read.target, path)
            if stored in key:
                raise ExpressionError(
                    f"{read.target.plan.name}.{stored} is part of the key of what is queried, and DynamoDB takes the "
                    "key's attributes in no filter; give its condition to query() itself"
                )
    _refuse_absent(read, [_attribute_name(read.target, path) for path in names], "filter by")


def _attribute_name(target: Target, path: Path[Any]) -> str:
    known = target.mapped.paths_by_stored_name.get(str(path._steps[0]))
    return path._label if known is None else known._label


def _held(read: Read) -> set[str] | None:
    """Python names of the attributes the index holds; None: all."""
    index = read.index
    if index is None or index.projection == "ALL":
        return None
    held = {*index.key_names(), *(attribute.name for attribute in read.target.mapped.mapping.key)}
    if isinstance(index.projection, tuple):
        held |= set(index.projection)
    return held


def _refuse_absent(read: Read, wanted: Iterable[str], purpose: str) -> None:
    held = _held(read)
    absent = [] if held is None else sorted({name for name in wanted if name not in held})
    if absent:
        assert read.index is not None
        remedies = {
            "read": "write .hydrate() to read the whole items by key, ask for what it holds with .project(...), or "
            "declare the index with projection='ALL'",
            "filter by": "filter the items in Python, or declare the index with a projection that includes it",
        }
        raise ExpressionError(
            f"the index {read.index.name} does not hold {', '.join(absent)}, so it can't {purpose} that: "
            f"{remedies[purpose]}"
        )


# ---------------------------------------------------------------------- compiling


def _of_the_class(read: Read, belongs: Condition) -> Read:
    """The read of items of the class alone, of those in its table."""
    family = read.target.family
    assert family is not None
    if read.key_conditions is not None and any(family.name in part for part in _key_of(read.target, read.index)):
        # DynamoDB takes no key in a filter; items of another class are then dropped as they are read.
        return read
    _refuse_absent(read, [family.name], "filter by")
    return msgspec.structs.replace(read, filter=belongs if read.filter is None else all_of([belongs, read.filter]))


def compile_read(read: Read, purpose: Purpose = "items") -> ReadPlan:
    """The plan of a read.

    Args:
        read: what is read.
        purpose: whether its items are wanted, its pages with their cursors, or only their number.
    """
    target = read.target
    if read.key_conditions is None and not read.scan_allowed:
        from .finding.suggesting import scan_refused

        raise scan_refused(target, read.index, read.filter)
    if read.hide_expired:
        read = hiding_expired(read)
    if target.belongs is not None:
        read = _of_the_class(read, target.belongs)
    placeholders = Placeholders()
    request: dict[str, Any] = {"TableName": target.table_name}
    if read.index is not None:
        request["IndexName"] = read.index.name
    keys = read.key_conditions
    if keys is not None:
        text = compile_condition(keys[0] if len(keys) == 1 else all_of(keys), placeholders, target.owner)
        request["KeyConditionExpression"] = text
        if read.reverse:
            request["ScanIndexForward"] = False
    if read.filter is not None:
        request["FilterExpression"] = compile_condition(read.filter, placeholders, target.owner)
    # Only a scan comes upon items whose keys are reserved.
    kept = None if read.key_conditions is not None else hidden(target, placeholders)
    if kept is not None:
        asked = request.get("FilterExpression")
        request["FilterExpression"] = kept if asked is None else f"({asked}) AND {kept}"
    key_names = _position_names(read)
    reader: Any = target.plan.read_page
    if purpose != "count":
        if read.projection:
            request["ProjectionExpression"] = _projection(read, placeholders, key_names if purpose == "pages" else ())
            reader = tuple_reader(target, read.projection)
        elif read.index is not None:
            _select_whole(read, request)
    placeholders.apply(request)
    if read.consistent:
        request["ConsistentRead"] = True
    operation = "Scan" if read.key_conditions is None else "Query"
    return ReadPlan(operation, request, reader, "FilterExpression" in request, key_names, target, read.misfits)


def hiding_expired(read: Read) -> Read:
    """The read with the condition that items have not expired.

    Raises:
        ExpressionError: no attribute says when they do; or it is part of the key of what is queried, and the query
            says already which times it wants.
    """
    from .expiry import expiry_of, no_expiry

    expiry = read.target.hides or expiry_of(read.target.mapped)
    if expiry is None:
        raise no_expiry(read.target.plan.name)
    partition, sort = _key_of(read.target, read.index)
    name = expiry.path._label
    if read.key_conditions is None or name not in (*partition, *sort):
        both = expiry.condition() if read.filter is None else all_of([read.filter, expiry.condition()])
        hiding = msgspec.structs.replace(read, filter=both)
        check_filter(hiding)
        return hiding
    # DynamoDB takes no filter on the key of what is queried.
    if name in sort and len(read.key_conditions) == len(partition) + sort.index(name):
        return msgspec.structs.replace(read, key_conditions=(*read.key_conditions, expiry.key_condition()))
    raise ExpressionError(
        f"query of {read.what}: {read.target.plan.name}.{name} is part of its key, and the query says already which "
        "times it wants; write .hide_expired(False), and let its condition leave out what has expired"
    )


def _position_names(read: Read) -> tuple[str, ...]:
    names = read.target.plan.key_names
    if read.index is None:
        return names
    attributes = read.target.mapped.mapping.attributes
    return tuple(dict.fromkeys((*names, *(attributes[name].stored_name for name in read.index.key_names()))))


def _projection(read: Read, placeholders: Placeholders, key_names: Sequence[str]) -> str:
    target = read.target
    if read.index is not None and read.index.is_global:
        _refuse_absent(read, [_attribute_name(target, path) for path in read.projection], "read")
    paths = requested_paths(read.projection)
    # A position is made of key attributes, so those must come along.
    present = {path._steps[0] for path in paths}
    paths += [target.mapped.paths_by_stored_name[name] for name in key_names if name not in present]
    return compile_projection(paths, placeholders, target.owner)


def _select_whole(read: Read, request: dict[str, Any]) -> None:
    """Make sure that whole items come, so that no attribute silently reads as its default."""
    held = _held(read)
    attributes = read.target.mapped.mapping.attributes
    if held is None or held >= attributes.keys():
        return
    if read.index is not None and read.index.is_global:
        _refuse_absent(read, attributes, "read")
    # A local index fetches what it does not hold from the table, for the read units of one item each.
    request["Select"] = "ALL_ATTRIBUTES"


def segments(read: Read) -> Iterator[dict[str, Any]]:
    """The further parameters of each part that is read at the same time."""
    total = read.segments
    return iter([{}]) if total == 1 else ({"Segment": number, "TotalSegments": total} for number in range(total))


def readers(read: Read) -> Iterator[PageReader]:
    """A reader for each part that is read at the same time."""
    plan = compile_read(read)
    if read.segments == 1:
        return iter([PageReader(plan, read.limit)])
    return (
        PageReader(msgspec.structs.replace(plan, request={**plan.request, **part}), read.limit)
        for part in segments(read)
    )
