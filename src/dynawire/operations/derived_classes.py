"""Updates by a key of a base class, where only the service knows of which class of a family the item is.

A derived class may keep more with an update than its base class does: a version or a time, an attribute or index key
that is computed from what the update changes, the guard of a unique value. Such an update requires that the item is of
no such class. If it is, the refusal tells of which, and the update is made again by the rules of that class. An
instance of the base class whose item another writer replaced by one of such a class is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..errors import ConditionFailed, DynawireError, ExpressionError, ValidationError
from ..expressions import Condition, Update
from ..mapping.attributes import Attribute
from ..mapping.computed import ComputedDeclaration
from .effects import Operation
from .failures import converted
from .mapped import MappedClass, mapped
from .target import Target
from .write import Write

__all__ = [
    "DerivedClasses",
    "by_class_of_item",
    "changed_names",
    "classes_below",
    "classes_keeping_more",
    "is_of_one_item",
    "refuse_derived",
]

Explain = Callable[[ConditionFailed], DynawireError]
_OF_ONE_ITEM = "is_of_one_item"


class DerivedClasses:
    """The derived classes that keep more with one update.

    Attributes:
        condition: that the item is of none of them.
        found: of which of them the item is; None as long as it is not known to be of one.
    """

    __slots__ = ("_target", "condition", "found")

    def __init__(self, target: Target, classes: Sequence[type[Any]]) -> None:
        family = target.family
        assert family is not None
        self._target = target
        path = target.mapped.paths[family.name]
        tags = [family.tag_of(cls) for cls in classes]
        self.condition: Condition = ~(path == tags[0] if len(tags) == 1 else path.in_(tags))
        self.found: type[Any] | None = None

    def explained(self, classes: Sequence[type[Any]], explain: Explain, *, replaced: bool = False) -> Explain:
        """An explanation of a failed condition that knows an item of one of these classes from other reasons.

        Args:
            classes: the classes.
            explain: explains other reasons.
            replaced: whether the write is of an instance, whose item then was of its own class.
        """
        family = self._target.family
        assert family is not None

        def of_derived_or(error: ConditionFailed) -> DynawireError:
            tag = None if error.wire_item is None else error.wire_item.get(family.stored_name, {}).get("S")
            cls = None if tag is None else family.class_of(tag)
            if cls is None or cls not in classes:
                return explain(error)
            name = cls.__name__
            if replaced:
                return converted(
                    error,
                    self._target,
                    ConditionFailed,
                    f"the item with this key is of {name} now, and this instance of {self._target.plan.name}: another "
                    "writer replaced it; get() it again; nothing was written",
                )
            self.found = cls
            return ExpressionError(
                f"the item with this key is of {name}, for which more follows from this update than for "
                f"{self._target.plan.name}: write {name}.key(...).update(...), or update the instance; nothing was "
                "written"
            )

        return of_derived_or


def by_class_of_item(
    target: Target, prepare: Callable[[Target], Write], send: Callable[[Write], Operation[Any]]
) -> Operation[Any]:
    """Send an update of a key; where the item turns out to be of a derived class that keeps more, as one of that.

    Args:
        target: the class the key is of.
        prepare: makes the update for a class of the family.
        send: sends it.
    """
    own = target
    while True:
        write = None
        try:
            write = prepare(target)
            return (yield from send(write))
        except (ExpressionError, ValidationError) as error:
            found = None if write is None or write.derived is None else write.derived.found
            if found is None:
                if target is not own:
                    error.__dict__[_OF_ONE_ITEM] = True
                raise
            target = _as_derived(target, found)


def is_of_one_item(error: DynawireError) -> bool:
    """Whether an update was refused by the rules of the class of its item, and not by those of the class it was for."""
    return _OF_ONE_ITEM in error.__dict__


def _as_derived(target: Target, cls: type[Any]) -> Target:
    members: dict[type[Any], Target] = target.known.setdefault("as derived", {})
    found = members.get(cls)
    if found is None:
        found = members[cls] = Target(mapped(cls), target.table_name)
        # What the caller wrote is about the base class: its condition may look at attributes of any class below that.
        found.owner = target.owner
    return found


def refuse_derived(target: Target, updates: Sequence[Update]) -> None:
    """Refuse to update attributes of derived classes by a key of the base class.

    Raises:
        ExpressionError: one of them is.
    """
    for update in updates:
        owner = update.path._owner
        if owner is not None and not issubclass(target.cls, owner):
            name = owner.__name__
            raise ExpressionError(
                f"{name}.{update.path._label} is an attribute of {name}, and the key is one of {target.plan.name}: "
                f"write {name}.key(...).update(...)"
            )


def classes_keeping_more(target: Target, names: Collection[str]) -> list[type[Any]]:
    """The derived classes for which more follows from changes of these stored names than for the class itself."""
    family = target.family
    if family is None:
        return []
    # Worked out again when another class was declared.
    known: tuple[int, list[tuple[type[Any], bool, frozenset[str]]]] | None = target.known.get("keeping more")
    if known is None or known[0] != family.size:
        found = [(cls, *_kept_besides(target.mapped, mapped(cls))) for cls in classes_below(target)]
        known = target.known["keeping more"] = (family.size, [one for one in found if one[1] or one[2]])
    if not known[1]:
        return []
    return [cls for cls, always, sources in known[1] if always or not sources.isdisjoint(names)]


def classes_below(target: Target) -> list[type[Any]]:
    """The classes of the family that are derived from the class."""
    family = target.family
    if family is None:
        return []
    return [cls for cls in family.classes() if cls is not target.cls and issubclass(cls, target.cls)]


def _kept_besides(base: MappedClass, derived: MappedClass) -> tuple[bool, frozenset[str]]:
    """What updates keep of a derived class besides: whether always something, and if these attributes change."""
    always = bool(_by_itself(derived) - _by_itself(base)) or _tells_version(derived) not in (None, _tells_version(base))
    sources: set[str] = set()
    own = base.mapping.attributes
    for attribute in derived.mapping.attributes.values():
        known = own.get(attribute.name)
        if attribute.immutable and (known is None or not known.immutable):
            sources.add(attribute.stored_name)
        if attribute.computed is not None and not _same(attribute, known):
            assert derived.computed is not None
            sources |= derived.computed.by_name[attribute.stored_name].sources.keys()
    if derived.upkeep is not None and derived.upkeep.keeping is not None:
        unique = derived.upkeep.keeping.unique
        for one in () if unique is None else unique.attributes:
            known = own.get(one.label)
            if known is None or known.unique != derived.mapping.attributes[one.label].unique:
                sources |= set(one.names)
    return always, frozenset(sources)


def _by_itself(found: MappedClass) -> set[str]:
    """Stored names of what every update of a class sets by itself."""
    return set() if found.upkeep is None else found.upkeep.kept_by_save


def _tells_version(found: MappedClass) -> Any:
    """The migrations of a class whose updates require the latest version; None: they don't."""
    versions = found.plan.versions
    return None if versions is None or versions.attribute is None else found.mapping.options.migrations


def _same(attribute: Attribute, known: Attribute | None) -> bool:
    """Whether an attribute is computed as the base class computes it."""
    if known is None or known.computed is None or attribute.stored_name != known.stored_name:
        return False
    return attribute.computed is known.computed or _said(attribute.computed) == _said(known.computed)


def _said(declared: ComputedDeclaration | None) -> Any:
    assert declared is not None
    template = None if declared.template is None else declared.template.text
    return declared.sources, template, declared.function, declared.missing, declared.when


def changed_names(target: Target, updates: Sequence[Update]) -> set[str]:
    """Stored names of all that an update changes, of whatever class of the family the item is: what is given, what
    every write sets by itself, and what is computed from them.
    """
    names = {str(update.path._steps[0]) for update in updates}
    every = set(names)
    for one in (target.mapped, *map(mapped, classes_below(target))):
        own = names | _by_itself(one)
        every |= own
        if one.computed is not None:
            every |= {each.name for each in one.computed.by_name.values() if not own.isdisjoint(each.sources)}
    return every
