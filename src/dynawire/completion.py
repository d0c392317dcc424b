"""Completing a mapped class: its annotations resolved, its mapping checked, its codec plan and paths made."""

from __future__ import annotations

import sys
from _thread import RLock
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import SchemaError
from .mapping.adapters.base import Adapter
from .mapping.annotations import Names
from .mapping.class_body import DeclaredAttribute
from .mapping.class_mapping import ClassMapping, nearest
from .mapping.indexes import declared_indexes
from .mapping.key_types import check_key_types
from .mapping.placed import PlacedKeywords, class_mapping
from .mapping.records import record_fields
from .operations.mapped import MappedClass

if TYPE_CHECKING:
    from .mapping.families import Family

__all__ = ["Completion", "resolve_early"]

# One for all classes, since completing one may complete those it refers to.
_completing = RLock()


class Completion:
    """A class whose annotations may name what is not defined yet: completed when made, or else when first used."""

    def __init__(
        self,
        cls: Any,
        names: Names,
        declared: dict[str, DeclaredAttribute],
        table: str | None,
        placed_by: PlacedKeywords | None,
    ) -> None:
        self._cls = cls
        self._names = names
        self._declared = declared
        self._table = table
        self._placed_by = placed_by
        self._mapping: ClassMapping | None = None
        self._mapped: MappedClass | None = None
        self._family: Family | None = None
        names.add(cls)

    def join_family(self, discriminator: tuple[str, DeclaredAttribute]) -> None:
        """Let the class share the table of the class it is derived from, and be told apart by this attribute."""
        cls = self._cls
        name, declared = discriminator
        families = [base.__dict__["__family__"] for base in cls.__mro__[1:] if "__family__" in base.__dict__]
        if families and self._table is None:
            family = families[0]
            completion = family.root.__dict__["__completion__"]
            self._table, self._placed_by = completion._table, completion._placed_by
        else:
            from .mapping.families import Family

            family = Family(cls, name, declared.declaration.name or name)
        self._family = family
        type.__setattr__(cls, "__family__", family)
        family.add(cls, declared.declaration.default, lambda: self.mapped().plan)

    def begin(self) -> None:
        """Complete the class if every name is known; otherwise leave that to its first use."""
        cls = self._cls
        type.__setattr__(cls, "__completion__", self)
        type.__setattr__(cls, "__mapped__", staticmethod(self.mapped))
        type.__setattr__(cls, "__paths__", _LaterPaths(self.mapped, self._declared))
        try:
            with _completing:
                self._complete()
        except NameError:
            # Such as a class defined further down.
            if self._placed_by is not None:
                self._placed_by.layout.expect(self.mapped)

    def mapping(self) -> ClassMapping:
        """What the class means. It needs no other class to be complete, so that classes may refer to each other.

        Raises:
            NameError: an annotation names something that is not defined yet.
        """
        with _completing:
            if self._mapping is None:
                self._mapping = self._resolve()
            return self._mapping

    def mapped(self) -> MappedClass:
        """The complete class.

        Raises:
            SchemaError: an annotation names what is still not defined, or the declaration can't work.
        """
        try:
            with _completing:
                return self._mapped or self._complete()
        except NameError as error:
            missing = getattr(error, "name", None) or str(error)
            module = self._cls.__module__
            raise SchemaError(
                f"{self._cls.__name__}: an annotation names {missing}, which is not defined in "
                f"{module}{nearest(missing, vars(sys.modules.get(module, sys)))}; define or import it there before the "
                "class is used, and not only for type checkers",
                model=self._cls.__name__,
            ) from None

    def _resolve(self) -> ClassMapping:
        hints = {name: _resolved(self._cls, name, one) for name, one in self._declared.items()}
        attributes = [one.declaration.attribute(name, hints[name]) for name, one in self._declared.items()]
        cls = self._cls
        indexes = {name: one for name, one in declared_indexes(cls).items() if name not in self._declared}
        mapping = class_mapping(
            cls,
            self._table,
            attributes,
            indexes,
            cls.__dict__["__table_keywords__"],
            self._placed_by,
            family=self._family,
        )
        check_key_types(mapping, cls.__key_types__, self._names)
        # For whoever asks for the annotations, msgspec's own encoders and decoders among them.
        cls.__annotations__.update(hints)
        return mapping

    def _complete(self) -> MappedClass:
        mapping = self.mapping()
        fields = record_fields(self._cls)
        assert fields is not None
        adapter = Adapter(fields)
        if fields.make is not None:
            from .mapping.mutators import MutatingAdapter

            adapter = MutatingAdapter(fields, self._cls._loaded)
        found = MappedClass(mapping, fields, adapter, self._names)
        self._mapped = found
        type.__setattr__(self._cls, "__mapped__", found)
        type.__setattr__(self._cls, "__paths__", found.paths)
        self._names.forget_frame()
        return found


class _LaterPaths(dict[str, Any]):
    """The paths of a class that is not complete yet: it is completed at the first look at one."""

    def __init__(self, complete: Callable[[], MappedClass], names: dict[str, Any]) -> None:
        super().__init__()
        self._complete = complete
        self._names = names

    def get(self, name: str, default: Any = None) -> Any:
        return self._complete().paths[name] if name in self._names else default

    def __contains__(self, name: object) -> bool:
        return name in self._names


def _resolved(cls: Any, name: str, declared: DeclaredAttribute) -> Any:
    """The type of an attribute; NameError when it names something that is not defined yet."""
    try:
        return declared.resolve()
    except NameError:
        raise
    except (AttributeError, SyntaxError, TypeError) as error:
        raise SchemaError(
            f"{cls.__name__}.{name}: its annotation can't be evaluated: {error}; correct what stands inside Attr[...]",
            model=cls.__name__,
            attribute=name,
        ) from None


def resolve_early(cls: Any, names: Names, declared: dict[str, DeclaredAttribute]) -> None:
    """Resolve what can be, so that an abstract class does not hold on to the function it was made in."""
    try:
        for name, one in declared.items():
            _resolved(cls, name, one)
    except NameError:
        names.add(cls)
    else:
        names.forget_frame()
