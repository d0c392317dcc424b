"""A mapped class: what it means, how it is coded, and the paths of its attributes, found by the class itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..codec.plan import ClassPlan
from ..errors import DynawireError, SchemaError, UsageError
from ..expressions import Condition, Path, Update
from ..mapping.adapters.base import Adapter
from ..mapping.annotations import Names
from ..mapping.class_mapping import ClassMapping
from ..mapping.records import RecordFields
from .hooks import HookPair, maintain_hooks

if TYPE_CHECKING:
    from ..mapping.attributes import Attribute
    from .computed import ComputedAttributes
    from .upkeep import Upkeep

__all__ = ["MappedClass", "check_values", "mapped"]


class MappedClass:
    """Everything that belongs to one mapped class.

    Attributes:
        cls: the class.
        mapping: its attributes, keys and indexes.
        adapter: what differs in the instances of other libraries' classes.
        plan: its codec plan.
        paths: the path of each attribute, by Python name.
        computed: the attributes computed from others; None: there are none.
        upkeep: what writes maintain besides; None: nothing.
        hooks: what is called before and after each operation, by its name; None: nothing is.
    """

    def __init__(
        self, mapping: ClassMapping, fields: RecordFields, adapter: Adapter, names: Names | None = None
    ) -> None:
        self.cls = mapping.cls
        self.mapping = mapping
        self.adapter = adapter
        self.plan = _plan_kind(mapping)(mapping, fields, adapter, names)
        self.paths: dict[str, Path[Any]] = {
            attribute.name: Path(
                mapping.owner,
                (attribute.stored_name,),
                attribute.name,
                self.plan.codecs[attribute.name],
                stores_none=attribute.stores_none,
                mutate=_mutate(mapping, attribute),
            )
            for attribute in mapping.attributes.values()
        }
        self.paths_by_stored_name = {str(path._steps[0]): path for path in self.paths.values()}
        for attribute in mapping.attributes.values():
            if attribute.hidden:
                del self.paths[attribute.name]
        self.computed: ComputedAttributes | None = None
        if any(one.computed is not None for one in mapping.attributes.values()):
            from .computed import ComputedAttributes

            self.computed = ComputedAttributes(mapping, self.paths, self.paths_by_stored_name, self.plan)
            compile_key = None if mapping.placement is None else self.computed.compile_key
            self.plan.compute_with(self.computed.completing, compile_key)
            if self.plan.key_only is not None:
                self.plan.key_only.templates = self.computed.key_templates()
        self.upkeep: Upkeep | None = None
        if any(one.is_maintained for one in mapping.attributes.values()):
            from .upkeep import Upkeep

            self.upkeep = Upkeep(mapping, self.paths, self.plan, adapter, self.computed)
        self.hooks: dict[str, HookPair] | None = None
        maintain_hooks(self)


def _plan_kind(mapping: ClassMapping) -> type[ClassPlan]:
    if mapping.options.migrations is None:
        if mapping.family is None:
            return ClassPlan
        from ..codec.family_plan import FamilyPlan

        return FamilyPlan
    if mapping.family is not None:
        from ..codec.migrating_family import MigratingFamilyPlan

        return MigratingFamilyPlan
    from ..codec.migrating import MigratingPlan

    return MigratingPlan


def _mutate(mapping: ClassMapping, attribute: Attribute) -> Callable[[Any], Any] | None:
    if attribute.mutator is None:
        return None
    from ..mapping.mutators import mutator_of

    return mutator_of(mapping.name, attribute.name, attribute.mutator)


def not_a_class(found: object) -> UsageError:
    """The error for something else where a mapped class belongs."""
    kind = type(found).__name__
    if isinstance(found, (list, tuple, set, frozenset)):
        return UsageError(f"a mapped class is needed, not a {kind} of them; write them one by one, or *classes")
    if getattr(type(found), "__mapped__", None) is not None:
        return UsageError(f"a mapped class is needed, not an instance; write the class, {kind}")
    return UsageError(f"a mapped class is needed, not {kind}")


def mapped(cls: type[Any]) -> MappedClass:
    """The mapped class behind a class.

    Raises:
        SchemaError: the class is not mapped to a table.
    """
    found = getattr(cls, "__mapped__", None)
    if found is None or not isinstance(cls, type):
        if not isinstance(cls, type):
            raise not_a_class(cls)
        if issubclass(cls, (Condition, Update)):
            raise UsageError(
                f"{'an update' if issubclass(cls, Update) else 'a condition'} stands where an instance belongs: the "
                "operation is one of instances, and was called on the class; to write without reading first, write "
                "Airport.key(...).update(...)"
            )
        name = cls.__name__
        raise SchemaError(
            f'{name} is not mapped to a table; write class {name}(Model, table="..."), or, for a class of another '
            f'library, db.table({name}, name="...", partition_key="...")',
            model=name,
        )
    complete: MappedClass = found if isinstance(found, MappedClass) else found()
    return complete


def check_values(encode: Callable[[Any], Any], instance: Any) -> None:
    """Encode an instance that is not to be sent.

    Raises:
        ValidationError: a value does not fit.
        LimitExceeded: it is nested deeper than DynamoDB takes.
    """
    try:
        encode(instance)
    except DynawireError as error:
        # Nothing was to be sent.
        error.message = error.message.removesuffix("; nothing was sent")
        error.args = (error.message,)
        raise
