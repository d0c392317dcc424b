"""What would spare a scan: the index that would serve, or the change to the condition that lets one serve."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ScanNotAllowed
from ...expressions import Condition, Junction
from ...expressions.normal_form import conjuncts
from ...mapping.indexes import IndexDefinition
from ..target import Target
from .facts import Facts
from .planning import plan_access
from .plans import AccessPlan, Demand
from .statistics import known_statistics

__all__ = ["scan_not_allowed", "scan_refused", "suggested_index"]

KEY_TAGS = frozenset({"S", "N", "B"})


def scan_not_allowed(target: Target, plan: AccessPlan, *, consistent: bool) -> ScanNotAllowed:
    """The error for a plan that takes a scan where none is allowed."""
    scan = plan.scan
    assert scan is not None
    name = target.plan.name
    remedies = [f"{one.remedy} ({one.label})" for one in plan.refusals if one.remedy is not None]
    suggestion = None if remedies else suggested_index(target, plan.condition)
    if suggestion is not None:
        remedies.append(f"declare {suggestion} in {name}" + (" and leave out consistent()" if consistent else ""))
    if not remedies:
        remedies.append("narrow it by == or in_ on an attribute, for which an index can then be declared")
    remedies.append("or allow it with .allow_scan()")
    where = "" if plan.condition is None else f" where {plan.condition!r}"
    return ScanNotAllowed(
        f"finding {name}{where} would scan {scan.source.label} {target.table_name}, which is not allowed: "
        + "; ".join(remedies),
        model=name,
        suggestion=suggestion,
    )


def scan_refused(target: Target, index: IndexDefinition | None, condition: Condition | None) -> ScanNotAllowed:
    """The error for a scan that was asked for where none is allowed."""
    plan = plan_access(target, condition, Demand(), known_statistics(target))
    if plan.scan is not None:
        return scan_not_allowed(target, plan, consistent=False)
    return ScanNotAllowed(
        f"scan() of {target.plan.name} is not allowed: write find(), which reads these items without a scan; or allow "
        "it with .allow_scan()",
        model=target.plan.name,
        suggestion=None,
    )


def suggested_index(target: Target, condition: Condition | None) -> str | None:
    """The index by which a condition could be queried, as it is declared; None when there is none."""
    return None if condition is None else _of_all(target, conjuncts(condition))


def _of_all(target: Target, parts: Sequence[Condition]) -> str | None:
    facts = Facts(parts)
    equal = [name for name in facts.points if _can_be_key(target, name)]
    if not equal:
        # One side of an OR that has no key is enough to need a scan.
        always = [part for part in parts if not isinstance(part, Junction)]
        sides = [side for part in parts if isinstance(part, Junction) for side in part.conditions]
        suggestions = (_of_all(target, [*always, *conjuncts(side)]) for side in sides)
        return next((one for one in suggestions if one is not None), None)
    partition, *others = equal
    sort = [name for name in facts.names() if name != partition and name not in equal and _can_be_key(target, name)]
    labels = {name: target.mapped.paths_by_stored_name[name].label for name in (partition, *others, *sort)}
    sort_key = next(iter([*sort, *others]), None)
    if sort_key is None:
        return f'GlobalIndex(partition_key="{labels[partition]}")'
    return f'GlobalIndex(partition_key="{labels[partition]}", sort_key="{labels[sort_key]}")'


def _can_be_key(target: Target, name: str) -> bool:
    path = target.mapped.paths_by_stored_name.get(name)
    if path is None:
        return False
    tags = path.codec.tags - {"NULL"}
    return len(tags) == 1 and tags <= KEY_TAGS and not target.mapped.mapping.attributes[path.label].store_none
