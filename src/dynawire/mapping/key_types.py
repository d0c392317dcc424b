"""``Model[str, int]``: of which types the key is, said a second time for type checkers, and checked here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args, get_origin

from ..errors import SchemaError
from .annotations import Names
from .class_mapping import ClassMapping

__all__ = ["PK", "SK", "KeyTypes", "check_key_types"]

if TYPE_CHECKING:
    from datetime import date, time, timedelta
    from decimal import Decimal
    from enum import Enum
    from uuid import UUID

    # A default for a type variable (PEP 696) came with Python 3.13; type checkers have it in any.
    from typing_extensions import TypeVar

    KeyValue = str | int | float | bytes | Decimal | date | time | timedelta | UUID | Enum
    PK = TypeVar("PK", default=KeyValue)
    SK = TypeVar("SK", default=KeyValue)
else:
    PK = SK = None


class KeyTypes:
    """``Model[str, int]`` in a class statement: stands for Model, and says of which types the key is."""

    __slots__ = ("model", "types")

    def __init__(self, model: type[Any], types: Any) -> None:
        self.model = model
        self.types = types if isinstance(types, tuple) else (types,)
        if not 1 <= len(self.types) <= 2:
            raise SchemaError(
                f"{model.__name__}[...] takes the type of the partition key and, if there is one, that of the sort key"
            )

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type[Any], ...]:
        return (self.model,)

    def __repr__(self) -> str:
        return f"{self.model.__name__}[{', '.join(map(_shown, self.types))}]"


def check_key_types(mapping: ClassMapping, given: KeyTypes | None, names: Names) -> None:
    """Refuse key types that are not those of the attributes.

    Raises:
        SchemaError: they differ.
    """
    if given is None or mapping.table is None:
        return
    for role, attribute, said in zip(
        ("partition_key", "sort_key"), (mapping.partition_key, mapping.sort_key), given.types, strict=False
    ):
        said = names.resolve(said)
        if said is Any:
            continue
        if attribute is None:
            if said is type(None) or _shown(said).endswith("Never"):
                continue
            problem = f"it has no {role}; write {given.model.__name__}[{_shown(given.types[0])}, None]"
        elif _bare(attribute.annotation) == _bare(said):
            continue
        else:
            problem = (
                f"its {role} {attribute.name} is Attr[{_shown(attribute.annotation)}]; write the same type in both"
            )
        raise SchemaError(
            f"{mapping.name}: {given!r} says that its {role} is {_shown(said)}, but {problem}",
            model=mapping.name,
            attribute=attribute.name if attribute is not None else None,
        )


def _bare(annotation: Any) -> Any:
    """A type without its markers."""
    return _bare(get_args(annotation)[0]) if hasattr(annotation, "__metadata__") else annotation


def _shown(annotation: Any) -> str:
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    return str(annotation).replace("typing.", "")
