"""The one interface between the operations and the instances of a class, whatever library made the class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..records import RecordFields

__all__ = ["Adapter"]

Keep = Callable[[Any, Any], None]


class Adapter:
    """Instances with attributes, which keep what they were loaded from in ``_loaded``: those of a Model.

    Attributes:
        keeps_on_instance: whether what was loaded is the attribute ``_loaded`` of the instance.
        tracks: whether what was loaded is known of any instance at all.
        frozen: whether instances can't be changed, so that an update gives a new one.
        new_is_put: whether ``save()`` puts an instance of which nothing is known. Only where a copy takes along what
            its original was loaded from is such an instance surely new.
    """

    keeps_on_instance = True
    tracks = True
    frozen = False
    new_is_put = True

    def __init__(self, fields: RecordFields) -> None:
        self.fields = fields

    def keep(self, instance: Any, loaded: Any) -> None:
        """Remember what an instance was loaded from or last written as: a wire struct or an item."""
        instance._loaded = loaded

    def loaded(self, instance: Any) -> Any:
        """What an instance was loaded from or last written as; None when that is not known."""
        return getattr(instance, "_loaded", None)

    def why_unknown(self) -> str:
        """Why nothing is known of an instance that ``save()`` refuses."""
        return "it was not loaded"

    def value(self, instance: Any, name: str) -> Any:
        """The value of an attribute, by Python name."""
        return getattr(instance, name)

    def assign(self, instance: Any, name: str, value: Any) -> None:
        """Give an attribute another value."""
        setattr(instance, name, value)

    def take(self, instance: Any, current: Any, name: str) -> None:
        """Give an attribute the value it has in another instance."""
        self.assign(instance, name, self.value(current, name))

    def drop(self, instance: Any, name: str, default: Any) -> None:
        """An attribute is no longer stored."""
        self.assign(instance, name, default)
