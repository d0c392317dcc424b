"""A relation of one class, resolved: which class it leads to, and by which attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import RelationError, SchemaError
from ..mapping.class_mapping import nearest
from ..mapping.relations import RelationDeclaration, RelationFacts, declared_relations, unknown_attribute
from ..operations.mapped import MappedClass, mapped
from .agreeing import disagreement
from .state import Known, forget, keep, known

__all__ = [
    "Links",
    "Relationship",
    "cascading_relationships",
    "is_unnumbered",
    "relationships",
]

Pairs = tuple[tuple[str, str], ...]


class Links:
    """The items that link the two sides of a many-to-many relation.

    Attributes:
        cls: their class.
        own: this side's key attributes, each with the link's attribute that holds it.
        other: the link's attributes, each with the key attribute of the other side that it holds.
        index: the index in which the links of one item of this side stand together; None: the table.
    """

    __slots__ = ("cls", "index", "other", "own")

    def __init__(self, cls: type[Any], own: Pairs, other: Pairs, index: str | None) -> None:
        self.cls = cls
        self.own = own
        self.other = other
        self.index = index


class Relationship:
    """One relation of one class.

    Attributes:
        owner: the class.
        name: the name of its attribute.
        facts: what was said of it.
        target: the class it leads to.
        pairs: attributes of the owner, each with the target's attribute that has the same value.
        by_key: whether they are the target's whole primary key.
        shares_key: whether the key of one is the key of the other.
        owner_follows: whether the owner's attributes take the values when another item is assigned; else the target's,
            unless the key is shared.
        links: what links the sides of a many-to-many relation; None of the others.
        back: the target's relation that leads back, or None.
    """

    def __init__(self, owner: type[Any], declaration: RelationDeclaration) -> None:
        self.owner = owner
        self.name = declaration.name
        self.facts: RelationFacts = declaration.facts
        self._declaration = declaration
        mine = _mapped(owner)
        if mine is None or mine.mapping.table is None:
            raise declaration.error(
                owner, f'is a relation, but {owner.__name__} has no table; write table="...", or drop it'
            )
        self.target = declaration.target(owner)
        theirs = self._with_table(self.target)
        self.links = self._links(mine, theirs) if self.facts.through is not None else None
        if self.links is not None:
            self.pairs: Pairs = tuple((name, name) for name, _ in self.links.own)
        else:
            self.pairs = () if self.facts.query is not None else self._pairs(mine, theirs)
        self._check_types(mine, theirs)
        self.by_key = self.facts.index is None and {name for _, name in self.pairs} == set(_key(theirs))
        if self.facts.is_to_one and self.facts.index is None and not self.by_key:
            raise self._error(
                f"names {_listed(own for own, _ in self.pairs)}; the key of {self.target.__name__} is "
                f"({', '.join(_key(theirs))}), and one attribute is needed for each of these"
            )
        self._own_key = set(_key(mine))
        self._target_key = set(_key(theirs))
        self.shares_key = (
            self.facts.kind == "one_to_one" and self.by_key and {own for own, _ in self.pairs} <= self._own_key
        )
        by_own_key = self.facts.kind == "one_to_one" and (self.facts.index is not None or self.shares_key)
        self.owner_follows = self.facts.is_to_one and not by_own_key
        self._back: Relationship | None = None
        self._back_known = self.facts.back is None
        self._names = tuple(own for own, _ in self.pairs)
        if self.facts.auto_create:
            self._check_auto_create(theirs)

    def __repr__(self) -> str:
        return f"{self.owner.__name__}.{self.name}"

    def _error(self, message: str) -> SchemaError:
        return self._declaration.error(self.owner, message)

    # ------------------------------------------------------------------ resolving

    def _with_table(self, cls: type[Any]) -> MappedClass:
        found = _mapped(cls)
        if found is None or found.mapping.table is None:
            raise self._error(
                f"leads to {cls.__name__}, which has no table of its own class; relations are for Model and "
                'PydanticModel classes with table="..."'
            )
        return found

    def _known(self, found: MappedClass, names: Iterable[Any]) -> None:
        attributes = [one.name for one in found.mapping.attributes.values() if not one.hidden]
        for name in names:
            if name not in attributes:
                raise self._error(unknown_attribute(name, found.cls, attributes))

    def _pairs(self, mine: MappedClass, theirs: MappedClass) -> Pairs:
        facts = self.facts
        key, needed = _key(theirs), len(_partition(theirs))
        if facts.index is not None:
            index = theirs.mapping.indexes.get(facts.index)
            if index is None:
                raise self._error(
                    f"names the index {facts.index!r}, which {self.target.__name__} does not have"
                    f"{nearest(facts.index, theirs.mapping.indexes)}"
                )
            key = _readable(theirs, index.key_names())
            needed = len(_readable(theirs, index.partition_key))
        if facts.by is not None:
            self._known(theirs, facts.by)
            self._known(mine, facts.by.values())
            return tuple((own, other) for other, own in facts.by.items())
        own = facts.attributes or _key(mine)[:needed]
        self._known(mine, own)
        where = f"the index {facts.index}" if facts.index is not None else "the table"
        if len(own) > len(key) or len(own) < needed:
            raise self._error(
                f"names {_listed(own)}; the key of {where} of {self.target.__name__} is ({', '.join(key)}): name "
                "the attributes that have the values of these, in their order, or write by={...}"
            )
        return tuple(zip(own, key, strict=False))

    def _check_types(self, mine: MappedClass, theirs: MappedClass) -> None:
        if self.links is None:
            wrong = disagreement(mine, theirs, self.pairs)
        else:
            between = self._with_table(self.links.cls)
            wrong = disagreement(mine, between, self.links.own) or disagreement(between, theirs, self.links.other)
        if wrong is not None:
            raise self._error(wrong)

    def _links(self, mine: MappedClass, theirs: MappedClass) -> Links:
        cls = self._declaration.through(self.owner)
        links = self._with_table(cls)
        sides: list[tuple[str, ...]] = []
        for what, given, side in (("own", self.facts.own, mine), ("other", self.facts.other, theirs)):
            names = (given,) if isinstance(given, str) else tuple(given)
            self._known(links, names)
            if len(names) != len(_key(side)):
                raise self._error(
                    f"has {what}= with {_listed(names)}; the key of {side.cls.__name__} is ({', '.join(_key(side))}), "
                    f"and {cls.__name__} needs one attribute for each of these"
                )
            sides.append(names)
        own, other = sides
        if {*own, *other} != set(_key(links)):
            raise self._error(
                f"goes through {cls.__name__}, whose key is ({', '.join(_key(links))}); its key must be made of "
                f"{_listed((*own, *other))}, so that every link is stored once, and no two are one item"
            )
        return Links(
            cls,
            tuple(zip(_key(mine), own, strict=True)),
            tuple(zip(other, _key(theirs), strict=True)),
            self._index_of(links, own),
        )

    def _index_of(self, links: MappedClass, own: tuple[str, ...]) -> str | None:
        wanted = self.facts.index
        if wanted is not None:
            if wanted not in links.mapping.indexes:
                raise self._error(
                    f"names the index {wanted!r}, which {links.cls.__name__} does not have"
                    f"{nearest(wanted, links.mapping.indexes)}"
                )
            return wanted
        if _begins(_partition(links), _key(links), own):
            return None
        for name, index in links.mapping.indexes.items():
            if _begins(_readable(links, index.partition_key), _readable(links, index.key_names()), own):
                return name
        raise self._error(
            f"goes through {links.cls.__name__}, where the links of one {self.owner.__name__} do not stand together; "
            f"declare an index there, such as GlobalIndex({own[0]!r})"
        )

    def _check_auto_create(self, theirs: MappedClass) -> None:
        given = {name for _, name in self.pairs}
        lacking = [
            one.name
            for one in theirs.mapping.attributes.values()
            if not one.has_default and one.computed is None and one.name not in given
        ]
        if lacking:
            raise self._error(
                f"has auto_create=True, but {self.target.__name__} can't be made without {_listed(lacking)}; give "
                "these a default"
            )

    @property
    def back(self) -> Relationship | None:
        """The target's relation that leads back, or None.

        Raises:
            SchemaError: there is none of this name, or it leads elsewhere.
        """
        if not self._back_known:
            self._back = self._found_back()
            self._back_known = True
        return self._back

    def _found_back(self) -> Relationship:
        name = str(self.facts.back)
        declared = declared_relations(self.target)
        if name not in declared:
            raise self._error(
                f"has back={name!r}, which is no relation of {self.target.__name__}{nearest(name, declared)}"
            )
        back = relationships(self.target)[name]
        mirrored = {(other, own) for own, other in self.pairs}
        if self.links is not None:
            there = back.links
            same = there is not None and there.cls is self.links.cls
            same = same and {a for _, a in self.links.own} == {a for a, _ in there.other}  # type: ignore[union-attr]
        else:
            same = set(back.pairs) == mirrored
        if not same or not issubclass(self.owner, back.target):
            raise self._error(
                f"has back={name!r}, but {back} does not lead back: it leads to {back.target.__name__} by "
                f"{_listed(f'{own} = {other}' for own, other in back.pairs)}"
            )
        return back

    # ------------------------------------------------------------------ of one instance

    def key_of(self, instance: Any) -> tuple[Any, ...]:
        """The values of the instance that tell the others."""
        return tuple([getattr(instance, name) for name in self._names])

    def known(self, instance: Any) -> Known | None:
        """What the instance knows of the others, if it still counts."""
        found = known(instance, self.name)
        if found is not None and found.key != self.key_of(instance):
            forget(instance, self.name)
            return None
        return found

    def keep(self, instance: Any, value: Any, *, is_loaded: bool = True) -> None:
        """Let the instance know of the others, and those of it where a relation leads back to one."""
        keep(instance, self.name, Known(self.key_of(instance), value, is_loaded))
        back = self.back
        if back is None or not back.facts.is_to_one:
            return
        for other in value if isinstance(value, list) else () if value is None else (value,):
            keep(other, back.name, Known(back.key_of(other), instance))

    def check(self, value: Any) -> None:
        """Refuse what is no item of the target's class.

        Raises:
            RelationError: it is none.
        """
        if not isinstance(value, self.target):
            raise RelationError(
                f"{self!r} leads to {self.target.__name__}, not {type(value).__name__}",
                model=self.owner.__name__,
                attribute=self.name,
            )

    def connect(self, instance: Any, other: Any) -> None:
        """Give the attributes that tell one from the other their values: on the side that follows.

        Raises:
            RelationError: it is not of the target's class, has no key yet, or can't be related to this instance.
        """
        self.check(other)
        backwards = tuple((theirs, own) for own, theirs in self.pairs)
        # Where one key is the key of both, an item that has none yet takes the other's.
        follows = _lacks_key(instance, self.pairs) if self.shares_key else self.owner_follows
        if follows:
            self._follow(instance, other, self.pairs, self._own_key)
        else:
            self._follow(other, instance, backwards, self._target_key)

    def _follow(self, follower: Any, leader: Any, pairs: Pairs, key: set[str]) -> None:
        changes: Mapping[str, Any] = {
            name: value for name, source in pairs if getattr(follower, name) != (value := getattr(leader, source))
        }
        for name, source in pairs:
            if getattr(leader, source) in _NO_KEY:
                raise self._refused(f"the {type(leader).__name__} has no {source} yet; give it one first")
            if is_unnumbered(leader, source):
                raise self._refused(f"the {type(leader).__name__} has no {source} yet: store it first, to be numbered")
            if name in changes and name in key and not _is_new(follower):
                raise self._refused(
                    f"{type(follower).__name__}.{name} is part of its key, which a stored item keeps for life"
                )
        attributes = mapped(type(follower)).mapping.attributes
        for name in changes:
            if sources := attributes[name].computed_from:
                raise self._refused(
                    f"{type(follower).__name__}.{name} is computed from {_listed(sources)}; give these values first"
                )
        for name, value in changes.items():
            setattr(follower, name, value)

    def disconnect(self, instance: Any) -> None:
        """Let the instance have no other.

        Raises:
            RelationError: the attributes that tell it are part of a key, or the other item's.
        """
        if not self.owner_follows or self._own_key & set(self._names):
            raise self._refused(
                f"None can't be assigned, since {_listed(self._names)} can't be None; delete the other item instead"
                if self.owner_follows or self.by_key
                else "None can't be assigned, since the other item holds the key; delete it, or change it there"
            )
        for name in self._names:
            setattr(instance, name, None)

    def _refused(self, message: str) -> RelationError:
        return RelationError(f"{self!r}: {message}", model=self.owner.__name__, attribute=self.name)


def is_unnumbered(instance: Any, name: str) -> bool:
    """Whether an attribute has a counter that has not numbered the instance yet, or is computed from one that has."""
    attributes = mapped(type(instance)).mapping.attributes
    return any(
        attributes[one].counter is not None and not getattr(instance, one)
        for one in (name, *attributes[name].computed_from)
    )


def relationships(cls: type[Any]) -> dict[str, Relationship]:
    """The relations of a class, by name; each is resolved when it is first asked for.

    Raises (when one is asked for):
        SchemaError: it can't work.
    """
    found: _Relationships | None = cls.__dict__.get("__relationships__")
    if found is None:
        found = _Relationships(cls)
        type.__setattr__(cls, "__relationships__", found)
    return found


class _Relationships(dict[str, Relationship]):
    def __init__(self, cls: type[Any]) -> None:
        super().__init__()
        self._cls = cls

    def __missing__(self, name: str) -> Relationship:
        made = self[name] = Relationship(self._cls, declared_relations(self._cls)[name])
        try:
            # Now, so that a mistake is told before anything is sent; the relation that leads back finds this one here.
            made.back  # noqa: B018
        except SchemaError:
            del self[name]
            raise
        return made


def cascading_relationships(cls: type[Any], write: str) -> list[Relationship]:
    """The relations of a class along which a kind of write goes on, in the order declared."""
    found = relationships(cls)
    return [found[name] for name, one in declared_relations(cls).items() if write in one.facts.cascades]


_NO_KEY = (None, "", b"")
"""What DynamoDB takes for no part of a key."""


def _lacks_key(instance: Any, pairs: Pairs) -> bool:
    return any(getattr(instance, name) in _NO_KEY for name, _ in pairs)


def _is_new(instance: Any) -> bool:
    return getattr(instance, "_loaded", None) is None


def _mapped(cls: type[Any]) -> MappedClass | None:
    return mapped(cls) if getattr(cls, "__mapped__", None) is not None else None


def _key(found: MappedClass) -> tuple[str, ...]:
    """Python names of the primary key's attributes."""
    return tuple(attribute.name for attribute in found.plan.key_attributes)


def _partition(found: MappedClass) -> tuple[str, ...]:
    """Python names of the attributes that tell the partition."""
    partition_key = found.mapping.partition_key
    assert partition_key is not None
    return _readable(found, (partition_key.name,))


def _readable(found: MappedClass, names: tuple[str, ...]) -> tuple[str, ...]:
    """These attributes of a key; instead of those that have no path, what they are composed of."""
    attributes = found.mapping.attributes
    sources = [(name,) if name in found.paths else attributes[name].computed_from for name in names]
    return tuple(dict.fromkeys(name for each in sources for name in each))


def _begins(partition_key: tuple[str, ...], key: tuple[str, ...], names: tuple[str, ...]) -> bool:
    """Whether these attributes are the beginning of a key, in any order."""
    return set(names) == set(key[: len(names)]) and len(names) >= len(partition_key)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "no attribute"
