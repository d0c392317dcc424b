"""Attributes computed from others, kept by every write: so none ever holds what its sources do not say.

A put computes them of the whole item. A change computes those of which a source changes; what it then needs of sources
that do not change themselves it takes from the key, from what the instance was loaded as, or from the caller's
condition. What is taken from the instance is made a condition of the write, since another writer may have changed it
meanwhile. Where a source is not known nothing is sent, and the error says which to supply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..codec.plan import ClassPlan
from ..codec.source import Scope, made_later
from ..codec.unions import OptionalCodec
from ..errors import ExpressionError, ValidationError
from ..expressions import Comparison, Condition, Junction, Path, Update, Value
from ..mapping.attributes import Attribute
from ..mapping.class_mapping import ClassMapping
from ..mapping.templates import BoundTemplate
from .assumed import Assumed
from .changes import Changes, default_wire
from .computation import Computation, computation_of

__all__ = ["ComputedAttributes"]

SURELY_SHORT = 256
"""Text of so many characters is within every limit of a key, 1024 bytes for a sort key."""

WireItem = dict[str, Any]
_UNKNOWN: Any = object()


class ComputedAttributes:
    """The computed attributes of one class.

    Attributes:
        by_name: how each is computed, by stored name; those of the primary key first.
        names: Python names of those that developers see.
        of_maintained: whether one is computed from what every write sets by itself.
        add: puts them into an item that has their sources, as far as they are to be there.
    """

    def __init__(
        self,
        mapping: ClassMapping,
        paths: Mapping[str, Path[Any]],
        by_stored_name: Mapping[str, Path[Any]],
        plan: ClassPlan,
    ) -> None:
        self._mapping = mapping
        self._plan = plan
        self._paths = by_stored_name
        computed = sorted(
            (one for one in mapping.attributes.values() if one.computed is not None), key=lambda one: one.role is None
        )
        self.by_name = {one.stored_name: computation_of(mapping, one, plan.codecs, paths) for one in computed}
        self.names = frozenset(one.name for one in computed if not one.hidden)
        self._changing = [
            self.by_name[one.stored_name]
            for one in computed
            if one.role is None and self.by_name[one.stored_name].sources
        ]
        self._constant = [
            self.by_name[one.stored_name]
            for one in computed
            if one.role is None and not self.by_name[one.stored_name].sources
        ]
        self.of_maintained = any(one.upkeep for each in self._changing for one in each.sources.values())
        self._key_sources = {one.stored_name: one for one in plan.key_attributes}
        self.add: Callable[[WireItem], None] = made_later(self, "add", self._compile_items)

    # ------------------------------------------------------------------ whole items

    def _compile_items(self) -> Callable[[WireItem], None]:
        scope = Scope()
        return scope.function(f"compute_{self._mapping.name}", "w", self.completing(scope) or ["pass"])

    def completing(self, scope: Scope) -> list[str]:
        """Source lines that put everything into an item, ``w``: the fast path of every put."""
        lines: list[str] = []
        sources: dict[str, str] = {}
        for computation in self.by_name.values():
            slow = f"{scope.bind(self)}.put({scope.bind(computation)}, w)"
            if not self._is_simple(computation):
                lines.append(slow)
                continue
            constant = _constant(computation)
            if constant is not None:
                lines.append(f"w[{computation.name!r}] = {{'S': {constant!r}}}")
                continue
            text = self._text_source(scope, computation, sources)
            lines += [
                "try:",
                f"    t = {text}",
                f"except {scope.bind(ValueError)}:",
                "    t = ''",
                f"if {computation.least} < len(t) <= {SURELY_SHORT}:",
                f"    w[{computation.name!r}] = {{'S': t}}",
                "else:",
                f"    {slow}",
            ]
        return [*sources.values(), *lines]

    def compile_key(self) -> Callable[[WireItem], WireItem]:
        """A function that makes the primary key of the attributes it is composed of."""
        scope = Scope()
        sources: dict[str, str] = {}
        texts = [self._text_source(scope, self.by_name[name], sources) for name in self._plan.key_names]
        slow = f"{scope.bind(self)}.key_of(w)"
        variables = [f"t{place}" for place in range(len(texts))]
        members = ", ".join(
            f"{name!r}: {{'S': {one}}}" for name, one in zip(self._plan.key_names, variables, strict=True)
        )
        lengths = [
            f"{self.by_name[name].least} < len({one}) <= {SURELY_SHORT}"
            for name, one in zip(self._plan.key_names, variables, strict=True)
        ]
        lines = [
            *sources.values(),
            "try:",
            *(f"    {one} = {text}" for one, text in zip(variables, texts, strict=True)),
            f"except {scope.bind(ValueError)}:",
            f"    return {slow}",
            f"if {' and '.join(lengths)}:",
            f"    return {{{members}}}",
            f"return {slow}",
        ]
        return scope.function(f"compose_key_{self._mapping.name}", "w", lines)

    def _is_simple(self, computation: Computation) -> bool:
        return (
            computation.template is not None
            and computation.test is None
            and not any(map(self._may_lack, computation.sources.values()))
        )

    def _may_lack(self, attribute: Attribute) -> bool:
        return self._plan.record.may_be_absent(attribute) and (
            isinstance(self._plan.codecs[attribute.name], OptionalCodec) or attribute.name in self._optional_members()
        )

    def _optional_members(self) -> frozenset[str]:
        return self._plan.record.fields.optional_members

    def _text_source(self, scope: Scope, computation: Computation, sources: dict[str, str]) -> str:
        """Source of the text of a template whose sources are all there; what loads these is put into ``sources``."""
        bound = computation.template
        assert bound is not None
        literals = bound.template.literals
        pieces = [repr(literals[0])] if literals[0] or not bound.parts else []
        for place, (source, part) in enumerate(zip(bound.sources, bound.parts, strict=True)):
            key = f"{source}\0{part.tag}"
            variable = f"s{list(sources).index(key)}" if key in sources else f"s{len(sources)}"
            sources.setdefault(key, f"{variable} = w[{source!r}][{part.tag!r}]")
            text = part.fast.replace("{encode}", scope.bind(part.encode)).replace("{special}", scope.bind(part.special))
            pieces.append(text.replace("{}", variable))
            if literals[place + 1]:
                pieces.append(repr(literals[place + 1]))
        return " + ".join(pieces)

    def key_templates(self) -> dict[str, BoundTemplate]:
        """How the attributes of the primary key are composed, by stored name."""
        found = {name: self.by_name[name].template for name in self._plan.key_names if name in self.by_name}
        return {name: template for name, template in found.items() if template is not None}

    def key_of(self, wire: WireItem) -> WireItem:
        """The primary key of an item, or of the sources of its key."""
        key: WireItem = {}
        for name in self._plan.key_names:
            value = self.by_name[name].value(wire)
            assert value is not None
            key[name] = value
        return key

    def put(self, computation: Computation, wire: WireItem) -> None:
        """Put one of them into an item, or make sure that it is not there."""
        value = computation.value(wire)
        if value is None:
            wire.pop(computation.name, None)
        else:
            wire[computation.name] = value

    def value_of(self, instance: Any, name: str) -> Any:
        """The value of one of them for an instance, by Python name; None when the instance does not have it."""
        computation = self.by_name[self._mapping.attributes[name].stored_name]
        adapter = self._plan.adapter
        wire: WireItem = {}
        for stored_name, source in computation.sources.items():
            value = adapter.value(instance, source.name)
            if value is None:
                continue
            try:
                wire[stored_name] = self._plan.codecs[source.name].unconstrained.encode(value)
            except ValidationError as error:
                raise ValidationError(
                    f"{self._mapping.name}.{source.name} {error.message}, and {name} is computed from it",
                    model=self._mapping.name,
                    attribute=source.name,
                    errors=((source.name, error.message),),
                ) from None
        value = computation.value(wire)
        return None if value is None else computation.codec.unconstrained.decode(value)

    # ------------------------------------------------------------------ what changed in an instance

    def stage_save(self, changes: Changes, wire: WireItem, before: WireItem) -> Assumed:
        """Add to a save what follows from its changes.

        Args:
            changes: what it changes; what is computed is added.
            wire: the item as it is to be; what is computed is added.
            before: what the instance was loaded as.

        Returns:
            What must still be stored as it was loaded.
        """
        assumed = Assumed()
        changed = changes.names()
        for computation in self._changing:
            if changed.isdisjoint(computation.sources):
                continue
            self.put(computation, wire)
            if computation.name in wire:
                changes.values[(computation.name,)] = wire[computation.name]
            else:
                changes.removed.append((computation.name,))
            if computation.is_absent_for(wire, changed):
                continue
            for name in computation.sources:
                if name not in changed and name not in self._key_sources:
                    assumed.add(self._paths[name], before.get(name), computation.label)
        return assumed

    # ------------------------------------------------------------------ updates

    def stage_update(
        self,
        updates: list[Update],
        key: WireItem,
        condition: Condition | None,
        loaded: Callable[[], WireItem] | None,
        *,
        upsert: bool,
    ) -> Assumed:
        """Add to an update what follows from it.

        Args:
            updates: what it changes; what is computed is appended.
            key: the wire form of the item's key; empty: the update is only checked.
            condition: the caller's condition; what it requires to be equal is known.
            loaded: gives the item an instance was loaded as; None: there is no instance.
            upsert: whether the item may be created.

        Returns:
            What must be stored as the instance has it.

        Raises:
            ExpressionError: it changes what is computed, or a source that would have to be known is not.
        """
        new = self._new_values(updates)
        known: WireItem = {**_equalities(condition), **self.sources_of_key(key), **new}
        assumed = Assumed()
        added: list[Update] = []
        for computation in self._changing:
            touched = not new.keys().isdisjoint(computation.sources)
            if not touched and not upsert:
                continue
            if touched:
                values = self._known_of(computation, known, new, loaded, assumed)
            elif all(name in known for name in computation.sources):
                values = known
            else:
                self._refuse_uncertain(computation, known)
                continue
            # An empty key stands for any: then the update is only checked.
            value = computation.value(self._with_defaults(computation, values)) if key else None
            if value is not None:
                added.append(Update("SET", self._paths[computation.name], Value(None, value)))
            elif touched:
                added.append(Update("REMOVE", self._paths[computation.name]))
        if upsert and key:
            constant = {one.name: one.value({}) or {} for one in self._constant}
            if self._mapping.placement is not None and self._plan.key_only is None:
                constant |= {name: known[name] for name in self._key_sources}
            added += [Update("SET", self._paths[name], Value(None, wire)) for name, wire in constant.items()]
        updates += added
        return assumed

    def _known_of(
        self,
        computation: Computation,
        known: WireItem,
        new: WireItem,
        loaded: Callable[[], WireItem] | None,
        assumed: Assumed,
    ) -> WireItem:
        """The sources of a computed attribute of which one changes, by stored name; None for one that is absent."""
        told = {name: value for name, value in new.items() if value is not _UNKNOWN}
        sources = self._with_defaults(computation, told)
        if computation.is_absent_for(sources, told.keys()):
            return sources
        values: WireItem = {}
        for name in computation.sources:
            if name in known:
                values[name] = known[name]
            elif loaded is not None:
                values[name] = loaded().get(name)
                assumed.add(self._paths[name], values[name], computation.label)
            else:
                raise self._unknown(computation, name, new)
            if values[name] is _UNKNOWN:
                raise self._not_constant(computation, name)
        return values

    def _with_defaults(self, computation: Computation, values: WireItem) -> WireItem:
        """These values of its sources; an item without one of them is read as if it had the default."""
        found = {name: values[name] for name in computation.sources if values.get(name) is not None}
        for name in computation.sources.keys() & values.keys() - found.keys():
            default = default_wire(self._plan, computation.sources[name])
            # None is stored by leaving the attribute out.
            if default is not None and default != {"NULL": True}:
                found[name] = default
        return found

    def _new_values(self, updates: Sequence[Update]) -> dict[str, Any]:
        """What attributes are set to, by stored name: None when removed, _UNKNOWN when the service computes it."""
        found: dict[str, Any] = {}
        for update in updates:
            name = str(update.path._steps[0])
            computation = self.by_name.get(name)
            if computation is not None:
                raise ExpressionError(
                    f"{self._mapping.name}.{update.path._label} is computed from {', '.join(computation.labels())}; "
                    "update those instead"
                )
            if self._mapping.placement is not None and name in self._key_sources:
                raise ExpressionError(
                    f"{self._mapping.name}.{update.path._label} is part of the primary key, which cannot be updated; "
                    "delete the item and insert it anew"
                )
            if update.action == "REMOVE" and len(update.path._steps) == 1:
                found[name] = None
            elif update.action == "SET" and isinstance(update.operand, Value) and len(update.path._steps) == 1:
                found[name] = update.operand.wire
            else:
                found[name] = self._tag(name)
        return found

    def _tag(self, name: str) -> Any:
        """What an upsert sets a discriminator to, which is no other in an item that is there: no class is derived."""
        family = self._mapping.family
        if family is not None and name == family.stored_name:
            tags = family.tags_below(self._mapping.cls)
            if len(tags) == 1:
                return {"S": tags[0]}
        return _UNKNOWN

    def sources_of_key(self, key: WireItem) -> WireItem:
        """The attributes a primary key is made or composed of, wire values by stored name; None of an empty key."""
        if not key:
            return dict.fromkeys(self._key_sources)
        if self._mapping.placement is None:
            return dict(key)
        found: WireItem = {}
        for name in self._plan.key_names:
            template = self.by_name[name].template
            assert template is not None
            found |= template.read(key[name]["S"]) or {}
        return found

    def _refuse_uncertain(self, computation: Computation, known: Mapping[str, Any]) -> None:
        """Refuse an upsert that could create an item whose computed attributes were not those of what is read."""
        for name, source in computation.sources.items():
            if name not in known and source.has_default and source.make_default() is not None:
                raise ExpressionError(
                    f"upsert=True could create a {self._mapping.name} without {computation.label}, which is computed "
                    f"from {source.name} and its default: set {source.name} in this update"
                )

    def _unknown(self, computation: Computation, name: str, new: Mapping[str, Any]) -> ExpressionError:
        source = computation.sources[name].name
        changed = next(one.name for stored, one in computation.sources.items() if stored in new)
        return ExpressionError(
            f"{self._mapping.name}.{changed} is one of the sources of {computation.label}, and so is {source}, whose "
            f"value is not known here: set {source} in this update too, require it (condition={self._mapping.name}."
            f"{source} == ...), or update an instance that was loaded; nothing was sent"
        )

    def _not_constant(self, computation: Computation, name: str) -> ExpressionError:
        source = computation.sources[name].name
        return ExpressionError(
            f"{self._mapping.name}.{source} is a source of {computation.label}, which is computed before the update is "
            f"sent: give {source} a value, as in set(value), not what the service computes; nothing was sent"
        )


def _equalities(condition: Condition | None) -> WireItem:
    """Attributes whose value a condition tells, by stored name."""
    found: WireItem = {}
    parts: Iterable[Condition] = ()
    if condition is not None:
        is_and = isinstance(condition, Junction) and condition.operator == "AND"
        parts = condition.conditions if is_and and isinstance(condition, Junction) else (condition,)
    for part in parts:
        if not isinstance(part, Comparison) or part.sized or len(part.path._steps) != 1:
            continue
        name = str(part.path._steps[0])
        if part.operator == "attribute_not_exists":
            found[name] = None
        elif part.operator == "=" and isinstance(part.operands[0], Value):
            found[name] = part.operands[0].wire
    return found


def _constant(computation: Computation) -> str | None:
    """The text of a template without components."""
    template = computation.template
    text = "" if template is None or template.parts else template.template.literals[0]
    return text if 0 < len(text) <= SURELY_SHORT else None
