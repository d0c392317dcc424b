"""What would spare a scan: the index that would serve, or the change to the condition that lets one serve."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ScanNotAllowed
from ...expressions import Condition
from ...expressions.normal_form import alternatives, conjuncts
from ...mapping.indexes import IndexDefinition
from ..target import Target
from .facts import Facts
from .planning import plan_access
from .plans import AccessPlan, Demand
from .sources import sources_of
from .statistics import known_statistics

__all__ = ["scan_not_allowed", "scan_refused", "suggested_index"]

KEY_TAGS = frozenset({"S", "N", "B"})


def scan_not_allowed(target: Target, plan: AccessPlan, *, consistent: bool) -> ScanNotAllowed:
    """The error for a plan that takes a scan where none is allowed."""
    scan = plan.scan
    assert scan is not None
    name = target.plan.name
    remedies = [f"{one.remedy}, for {one.label}" for one in plan.refusals if one.remedy is not None]
    suggestion = suggested_index(target, plan)
    if suggestion is not None:
        remedies.append(f"declare {suggestion} in {name}" + (" and leave out consistent()" if consistent else ""))
    if not remedies:
        remedies.append("narrow it by == or in_ on an attribute, for which an index can then be declared")
    remedies.append("or allow it with .allow_scan(), for update_where() and delete_where() with allow_scan=True")
    where = "" if plan.condition is None else f" where {plan.condition!r}"
    return ScanNotAllowed(
        f"finding {name}{where} would scan {scan.source.label} {target.table_name}, which is not allowed: "
        + "; ".join(remedies),
        model=name,
        suggestion=suggestion,
    )


def scan_refused(target: Target, index: IndexDefinition | None, condition: Condition | None) -> ScanNotAllowed:
    """The error for a scan that was asked for where none is allowed."""
    plan = plan_access(target, condition, Demand(), known_statistics(target), reasons=True)
    if plan.scan is not None:
        return scan_not_allowed(target, plan, consistent=False)
    return ScanNotAllowed(
        f"scan() of {target.plan.name} is not allowed: write find(), which reads these items without a scan; or allow "
        "it with .allow_scan()",
        model=target.plan.name,
        suggestion=None,
    )


def suggested_index(target: Target, plan: AccessPlan) -> str | None:
    """The index by which a condition could be queried, as it is declared; None when there is none, or need be none."""
    if any(refusal.remedy is not None for refusal in plan.refusals):
        return None
    return _of_all(target, conjuncts(plan.condition))


def _of_all(target: Target, parts: Sequence[Condition]) -> str | None:
    """The index for conditions that must all hold."""
    facts = Facts(parts)
    equal = [name for name in facts.points if _can_be_key(target, name)]
    if not equal:
        return _of_any(target, parts)
    partition, *rest = equal
    sort = [name for name in facts.names() if name not in equal and _can_be_key(target, name)]
    sort_key = next(iter([*sort, *rest]), None)
    if target.mapped.mapping.placement is not None:
        label = _label(target, partition)
        text = f'pk="{label.upper()}#{{{label}}}"'
        return (
            f"IndexMap(..., {text})"
            if sort_key is None
            else f'IndexMap(..., {text}, sk="{{{_label(target, sort_key)}}}")'
        )
    text = f'partition_key="{_label(target, partition)}"'
    return f"GlobalIndex({text})" if sort_key is None else f'GlobalIndex({text}, sort_key="{_label(target, sort_key)}")'


def _of_any(target: Target, parts: Sequence[Condition]) -> str | None:
    """The index for the first side of an OR that has none, if every side can have one."""
    always = [part for part in parts if len(alternatives(part)) == 1]
    there = {source.partition for source in sources_of(target)}
    for part in parts:
        sides = alternatives(part) if len(alternatives(part)) > 1 else ()
        every = [[*always, *conjuncts(side)] for side in sides]
        if every and all(_of_all(target, side) is not None for side in every):
            for side in every:
                if there.isdisjoint((name,) for name in Facts(side).points):
                    return _of_all(target, side)
    return None


def _label(target: Target, stored_name: str) -> str:
    return target.mapped.paths_by_stored_name[stored_name]._label


def _can_be_key(target: Target, name: str) -> bool:
    path = target.mapped.paths_by_stored_name.get(name)
    if path is None or target.mapped.mapping.attributes[path._label].hidden:
        return False
    tags = path._codec.tags - {"NULL"}
    return len(tags) == 1 and tags <= KEY_TAGS and not target.mapped.mapping.attributes[path._label].store_none
