"""Mutators: functions that whatever is assigned to an attribute passes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from ..errors import DynawireError, ValidationError
from .adapters.base import Adapter
from .records import RecordFields

__all__ = ["MutatingAdapter", "Mutator", "assign_as_it_is", "assigning", "made_as_stored", "mutated", "mutator_of"]

Mutator = Callable[[Any], Any]

assign_as_it_is: Any = msgspec.Struct.__setattr__
"""Gives an attribute of an instance a value, past any mutators."""


def mutator_of(model: str, name: str, function: Mutator) -> Mutator:
    """A declared mutator, made fit for every value: None stays None, and what it raises names the attribute.

    Args:
        model: name of the class.
        name: Python name of the attribute.
        function: what was declared.
    """

    def mutate(value: Any) -> Any:
        if value is None:
            return None
        try:
            return function(value)
        except DynawireError:
            raise
        except Exception as error:  # noqa: BLE001 - it raises what it likes
            kind = type(error).__name__
        # Not from inside the except clause: the other error may tell the value.
        label = getattr(function, "__name__", type(function).__name__)
        raise ValidationError(
            f"{model}.{name}: its mutator {label} takes no such {type(value).__name__} ({kind})",
            model=model,
            attribute=name,
            errors=((name, f"is no value for its mutator {label} ({kind})"),),
        )

    return mutate


def assigning(mutators: Mapping[str, Mutator]) -> Callable[[Any, str, Any], None]:
    """The ``__setattr__`` of a class with these mutators, by attribute."""
    find = mutators.get
    assign = assign_as_it_is

    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807 - what it becomes
        mutate = find(name)
        assign(self, name, value if mutate is None else mutate(value))

    return __setattr__


def mutated(mutators: Mapping[str, Mutator], values: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a constructor, passed through the mutators; defaults are not among them."""
    for name, mutate in mutators.items():
        if name in values:
            values[name] = mutate(values[name])
    return values


def made_as_stored(cls: Any) -> Callable[..., Any] | None:
    """What makes an instance of stored values, past the mutators; None: the class has none."""
    return partial(msgspec.StructMeta.__call__, cls) if getattr(cls, "__mutators__", None) else None


class MutatingAdapter(Adapter):
    """Instances of a Model with mutators: what was stored is assigned past them."""

    keeps_on_instance = False

    def __init__(self, fields: RecordFields, slot: Any) -> None:
        super().__init__(fields)
        self.keep = slot.__set__  # type: ignore[method-assign]

    def assign(self, instance: Any, name: str, value: Any) -> None:
        assign_as_it_is(instance, name, value)
