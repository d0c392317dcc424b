"""Annotations: what a class body holds, and what the names in it stand for, now or later."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any, get_args, get_origin, get_type_hints

__all__ = ["Names", "annotation_text", "body_annotations", "inside_brackets", "type_hints"]

_CO_OPTIMIZED = 1
"""Set in the code of functions, and not in that of modules and class bodies (inspect.CO_OPTIMIZED)."""


def body_annotations(namespace: dict[str, Any]) -> dict[str, Any]:
    """The annotations of a class body: types, text, or a mixture where names are not defined yet."""
    found = namespace.get("__annotations__")
    if found is None and sys.version_info >= (3, 14):
        # https://docs.python.org/3/library/annotationlib.html#using-annotations-in-a-metaclass
        import annotationlib

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        if annotate is not None:
            found = annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF)
    return dict(found or {})


def annotation_text(annotation: Any) -> str | None:
    """The text of an annotation that is text, as a ForwardRef is; None of a type."""
    if isinstance(annotation, str):
        return annotation
    text = getattr(annotation, "__forward_arg__", None)
    return text if isinstance(text, str) else None


def inside_brackets(annotation: Any) -> Any:
    """What stands first inside the brackets of an annotation that has some."""
    text = annotation_text(annotation)
    return get_args(annotation)[0] if text is None else text[text.index("[") + 1 : text.rindex("]")].strip()


def type_hints(cls: Any, names: Names | None = None) -> dict[str, Any]:
    """The resolved annotations of a class, markers included.

    Args:
        cls: the class.
        names: further names its annotations may use.

    Raises:
        NameError: an annotation names something that is not defined yet.
    """
    return get_type_hints(cls, localns=names.local_to(cls) if names is not None else None, include_extras=True)


class Names:
    """What the names in a class's annotations stand for: those of its module and of the functions around it.

    The frame of a function is held until all names were found once; nothing holds it afterwards.
    """

    def __init__(self, module: str, frame: FrameType | None) -> None:
        self.module = module
        self._frame = frame if frame is not None and frame.f_locals is not frame.f_globals else None
        self._own: dict[str, Any] = {}

    def add(self, cls: type[Any]) -> None:
        """Make the class that is being declared known: its name is not yet bound where it stands."""
        self._own[cls.__name__] = cls

    def forget_frame(self) -> None:
        """Let go of the function's local variables."""
        self._frame = None

    def local_to(self, cls: Any) -> dict[str, Any] | None:
        """The local names, if a class stands in the same module; None else."""
        return self._locals() if getattr(cls, "__module__", None) == self.module else None

    def resolve(self, annotation: Any) -> Any:
        """An annotation, or text, as a type.

        Raises:
            NameError: it names something that is not defined yet.
        """
        if isinstance(annotation, type) and get_origin(annotation) is None:
            return annotation
        module = sys.modules.get(self.module)
        scope = {**(module.__dict__ if module else {}), **self._locals()}
        for name in self._unbound():
            scope.pop(name, None)
        carrier = type("Carrier", (), {"__annotations__": {"it": annotation}, "__module__": self.module})
        return get_type_hints(carrier, scope, {}, include_extras=True)["it"]

    def head(self, text: str) -> Any:
        """What stands before the bracket of an annotation written as text; None when its name is not defined."""
        parts = text.partition("[")[0].strip().split(".")
        module = sys.modules.get(self.module)
        found = self._locals().get(parts[0], getattr(module, parts[0], None))
        for part in parts[1:]:
            found = getattr(found, part, None)
        return found

    def _locals(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for frame in reversed(self._frames()):
            found.update(frame.f_locals)
        return {**found, **self._own}

    def _unbound(self) -> set[str]:
        """Local names that have no value yet: a global of the same name is not what they mean."""
        codes = [(frame.f_code, frame.f_locals) for frame in self._frames() if frame.f_code.co_flags & _CO_OPTIMIZED]
        local = {name for code, bound in codes for name in (*code.co_varnames, *code.co_cellvars) if name not in bound}
        return local - self._own.keys()

    def _frames(self) -> list[FrameType]:
        frame = self._frame
        frames: list[FrameType] = []
        while frame is not None and frame.f_locals is not frame.f_globals:
            frames.append(frame)
            # A class body sees the function around it.
            is_body = not frame.f_code.co_flags & _CO_OPTIMIZED and frame.f_code.co_name != "<module>"
            frame = frame.f_back if is_body else None
        return frames
