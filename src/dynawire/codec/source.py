"""Generating Python source: one scope collects the names a generated function needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["Scope", "made_later"]


class Scope:
    """The globals of generated functions, with names that never clash."""

    def __init__(self) -> None:
        self.globals: dict[str, Any] = {}
        self._names_by_id: dict[int, str] = {}
        self._count = 0

    def fresh(self, stem: str = "v") -> str:
        """A variable name nobody else has."""
        self._count += 1
        return f"{stem}{self._count}"

    def bind(self, value: Any, stem: str = "g") -> str:
        """A global name that holds ``value``; one name per object."""
        name = self._names_by_id.get(id(value))
        if name is None:
            name = f"{stem}_{self.fresh('')}"
            self._names_by_id[id(value)] = name
            self.globals[name] = value  # also keeps the object alive, so that its id stays its own
        return name

    def function(self, name: str, parameters: str, lines: list[str]) -> Callable[..., Any]:
        """Compile a function of these body lines."""
        name = name if name.isidentifier() else "generated"
        body = "\n".join(f"    {line}" for line in lines)
        code = compile(f"def {name}({parameters}):\n{body}\n", f"<dynawire {name}>", "exec")
        space: dict[str, Any] = self.globals
        exec(code, space)
        function: Callable[..., Any] = space.pop(name)
        return function


def made_later(owner: Any, name: str, make: Callable[[], Callable[..., Any]]) -> Callable[..., Any]:
    """A function that is made when it is first called, and then replaces its stand-in as an attribute of its owner."""

    def stand_in(*args: Any) -> Any:
        if owner.__dict__[name] is stand_in:
            owner.__dict__[name] = make()
        return owner.__dict__[name](*args)

    return stand_in
