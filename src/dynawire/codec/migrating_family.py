"""The codec plan of a class that has migrations, and shares its table with classes derived from it."""

from __future__ import annotations

from typing import Any

from .family_plan import FamilyPlan
from .migrated import MigratedItem
from .migrating import MigratingPlan
from .reading import WireItem

__all__ = ["MigratingFamilyPlan"]


class MigratingFamilyPlan(MigratingPlan, FamilyPlan):
    """A plan that looks at each item's discriminator first; the plan of the item's class migrates and reads the rest.

    So an item is of one class in all its versions, and migrations leave the discriminator alone.
    """

    def open(self, item: WireItem) -> tuple[Any, MigratedItem | None]:
        plan = self.plan_of_item(item)
        if plan is self:
            return super().open(item)
        if isinstance(plan, MigratingFamilyPlan):
            return plan.open(item)
        return (None if plan is None else plan.from_wire(item)), None
