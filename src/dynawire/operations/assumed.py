"""What a write took for stored without reading it, and the error when another writer made it otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ConditionFailed, DynawireError
from ..expressions import Comparison, Condition, Path, Value
from .changes import canonical
from .failures import converted

if TYPE_CHECKING:
    from .target import Target

__all__ = ["Assumed"]


class Assumed:
    """What a write took for the stored values of sources it does not write.

    Attributes:
        conditions: say that they are stored so.
    """

    __slots__ = ("_values", "conditions", "labels")

    def __init__(self) -> None:
        self.conditions: list[Condition] = []
        self._values: dict[str, Any] = {}
        self.labels: dict[str, str] = {}

    def add(self, path: Path[Any], wire: Any, label: str) -> None:
        """A source has this wire value, or is absent; an attribute of this name is computed from it."""
        name = str(path._steps[0])
        if name not in self._values:
            self._values[name] = wire
            self.labels[name] = f"{path._label}, from which {label} is computed"
            self.conditions.append(path.not_exists() if wire is None else Comparison("=", path, (Value(None, wire),)))

    def explained(
        self, target: Target, explain: Callable[[ConditionFailed], DynawireError]
    ) -> Callable[[ConditionFailed], DynawireError]:
        """An explanation of a failed condition that knows a changed source from other reasons."""
        if not self.conditions:
            return explain

        def changed_or(error: ConditionFailed) -> DynawireError:
            stored = error.wire_item
            for name, wire in self._values.items() if stored is not None else ():
                found = stored.get(name) if stored is not None else None
                if (found is None) != (wire is None) or (found is not None and canonical(found) != canonical(wire)):
                    return converted(
                        error,
                        target,
                        ConditionFailed,
                        f"another writer changed {target.plan.name}.{self.labels[name]}, since the instance was "
                        "loaded; nothing was written; refresh() the instance, and make the changes again",
                    )
            return explain(error)

        return changed_or
