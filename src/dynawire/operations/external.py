"""Mapping a class that is not ours: found fields, a codec plan and an adapter, kept beside the class."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

from ..errors import SchemaError
from ..mapping.adapters.external import ExternalDeclaration, external_adapter, external_mapping
from ..mapping.annotations import Names
from ..mapping.class_mapping import nearest
from .mapped import MappedClass

__all__ = ["map_external"]


def map_external(cls: Any, declaration: ExternalDeclaration) -> MappedClass:
    """Everything that belongs to a class that is not ours, as one table has it.

    Raises:
        SchemaError: the class can't be mapped, or the declaration can't work.
    """
    module = getattr(cls, "__module__", "")
    names = Names(module, _frame_of(module))
    try:
        mapping, fields = external_mapping(cls, declaration, names)
        return MappedClass(mapping, fields, external_adapter(cls, fields), names)
    except NameError as error:
        missing = getattr(error, "name", None) or str(error)
        raise SchemaError(
            f"{cls.__name__}: an annotation names {missing}, which is not defined in "
            f"{module}{nearest(missing, vars(sys.modules.get(module, sys)))}; define or import it there, and not only "
            "for type checkers",
            model=cls.__name__,
        ) from None
    finally:
        names.forget_frame()


def _frame_of(module: Any) -> FrameType | None:
    """The nearest caller in the class's module: its local names are for annotations of classes made in a function."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") != module:
        frame = frame.f_back
    return frame
