"""Unique values and numbers: what the writes of a class with such attributes come with."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import TYPE_CHECKING, Any

from ..codec.plan import ClassPlan
from ..errors import ExpressionError, ValidationError
from ..expressions import Update
from ..mapping.adapters.base import Adapter
from ..mapping.class_mapping import ClassMapping
from .companions import Companions
from .counters import counter_attributes
from .numbering import Numbering
from .reserved import PREFIX, is_reserved
from .unique import UniqueChange, Uniqueness, updated_values

if TYPE_CHECKING:
    from .counters import CounterAttribute
    from .upkeep import Staged
    from .write import Write

__all__ = ["Keeping"]


class Keeping:
    """The unique and numbered attributes of one class.

    Attributes:
        unique: the attributes whose values are unique, or None.
        counters: the attributes that are numbered.
        fixed_keys: the keys of counters' items that were given; the others are reserved.
    """

    def __init__(self, mapping: ClassMapping, plan: ClassPlan, adapter: Adapter) -> None:
        self.name = mapping.name
        self.adapter = adapter
        self._plan = plan
        is_unique = any(one.unique is not None for one in mapping.attributes.values())
        self.unique = Uniqueness(mapping, plan) if is_unique else None
        self.counters = counter_attributes(mapping, plan, adapter)
        self.fixed_keys = [one.fixed_key for one in self.counters if one.fixed_key is not None]

    # ------------------------------------------------------------------ batches

    def refuse_unique_in_batch(self) -> None:
        """Refuse what a batch can't do with unique values.

        Raises:
            ExpressionError: the class has unique attributes.
        """
        if self.unique is not None:
            raise ExpressionError(
                f"{self.name}.{self.unique.attributes[0].label} is unique, which a batch can't make sure of: use "
                "single writes or db.transaction(); nothing of it was sent"
            )

    def refuse_put_in_batch(self, instance: Any) -> None:
        """Refuse what a batch can't do for an instance.

        Raises:
            ExpressionError: the class has unique attributes, or one with a counter has no number.
        """
        self.refuse_unique_in_batch()
        for one in self.counters:
            if self._has_no_number(instance, one):
                raise ExpressionError(
                    f"{self.name}.{one.label} has no number yet, and a batch gives none: insert() the item, or take "
                    f"numbers with counter_of({one.label!r}).take(...) first; nothing of it was sent"
                )

    # ------------------------------------------------------------------ writes

    def _has_no_number(self, instance: Any, counter: CounterAttribute) -> bool:
        try:
            return not self.adapter.value(instance, counter.label)
        except (AttributeError, KeyError):
            # Left out of a dict; of anything else the encoder says what is wrong.
            return isinstance(instance, dict)

    def _unnumbered(self, instance: Any) -> list[CounterAttribute]:
        return [one for one in self.counters if self._has_no_number(instance, one)]

    def numbered(self, instance: Any) -> Any:
        """The instance, or a copy with the first numbers where it has none yet, to be encoded."""
        if not self.counters or self.adapter.loaded(instance) is not None:
            return instance
        missing = self._unnumbered(instance)
        if not missing:
            return instance
        twin = copy(instance)
        for one in missing:
            self.adapter.assign(twin, one.label, one.start)
        return twin

    def put(
        self, write: Write, instance: Any, wire: dict[str, Any], staged: Staged, *, unnumbered: bool, insert: bool
    ) -> None:
        """Say what a put or an insert comes with."""
        self._refuse_reserved(write, wire)
        numbering = None
        if unnumbered:
            numbering = Numbering(write.target, instance, wire, staged, self._unnumbered(instance))
            insert = insert or numbering.in_key
        change = None
        if self.unique is not None:
            loaded = self.adapter.loaded(instance)
            # Of a new instance nothing is stored, as a rule.
            stored = {} if insert or loaded is None else self._plan.loaded_wire(loaded)
            attributes = list(self.unique.attributes)
            # An insert finds nothing stored, unless it replaces what has expired.
            conditional = not insert or write.target.hides is not None
            if conditional or any(one.code(wire) for one in attributes):
                change = UniqueChange(write, attributes, stored, lambda _: wire, conditional=conditional)
        if change is not None or numbering is not None:
            write.companions = Companions(change, numbering)

    def _refuse_reserved(self, write: Write, wire: dict[str, Any]) -> None:
        if is_reserved(write.target, wire):
            label = self._plan.key_attributes[0].name
            raise ValidationError(
                f"{self.name}.{label}: this key is reserved for guards of unique values and for counters (text that "
                f"begins with {PREFIX!r}, or the key= of a counter()); choose another; nothing was sent",
                model=self.name,
                attribute=label,
            )

    def save(self, write: Write, before: dict[str, Any], wire: dict[str, Any], names: set[str]) -> None:
        """Say what a save of these attributes comes with."""
        attributes = [] if self.unique is None else self.unique.touched(names)
        if attributes:

            def after(stored: Mapping[str, Any]) -> dict[str, Any]:
                # Another writer may have changed what this one did not.
                kept = {name: value for name, value in stored.items() if name not in names}
                return kept | {name: wire[name] for name in names if name in wire}

            write.companions = Companions(UniqueChange(write, attributes, before, after), None)

    def update(self, write: Write, updates: list[Update], *, upsert: bool) -> None:
        """Say what an update comes with.

        Raises:
            ExpressionError: the new value of a unique attribute would only be known to the service; or an upsert would
                store an item without number.
        """
        names = {str(one.path._steps[0]) for one in updates}
        for one in self.counters if upsert else ():
            if not one.in_key and one.stored_name not in names:
                raise ExpressionError(
                    f"upsert=True could create a {self.name} without {one.label}, which is numbered when an item is "
                    f"inserted: insert() new items, or set {one.label} in this update"
                )
        attributes = [] if self.unique is None else self.unique.touched(names)
        if attributes:
            after = updated_values(self.name, updates, attributes)
            write.companions = Companions(UniqueChange(write, attributes, None, after), None)

    def delete(self, write: Write, instance: Any) -> None:
        """Say what a delete comes with."""
        if self.unique is not None:
            loaded = None if instance is None else self.adapter.loaded(instance)
            stored = None if loaded is None else self._plan.loaded_wire(loaded)
            change = UniqueChange(write, list(self.unique.attributes), stored, lambda _: {})
            write.companions = Companions(change, None)
