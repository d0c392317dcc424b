"""Hooks: functions that are called before and after operations, on a class or from outside of it.

In the body of a class a hook marks a method; from outside, functions are connected to it:

    class Book(Model, table="books"):
        @hooks.before_save
        def tidy(self) -> None:
            self.title = self.title.strip()

    @hooks.after_delete.connect(sender=Book)
    def log(event: hooks.Event) -> None:
        print(event.operation, event.key)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from .errors import SchemaError
from .operations.hooks import Event, connect, disconnect, mark

__all__ = [
    "Event",
    "HookPoint",
    "after_delete",
    "after_insert",
    "after_load",
    "after_save",
    "after_update",
    "after_validate",
    "before_delete",
    "before_insert",
    "before_load",
    "before_save",
    "before_update",
    "before_validate",
]

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M")


class HookPoint:
    """One event that functions can be called for.

    As a decorator it marks a method of a mapped class: ``def method(self)`` or ``(self, event)``. A method is called
    where there is an instance; a classmethod, ``(cls, event)``, also for updates and deletes by key. Classes derived
    from the class have the hook too, and a method that overrides it is called in its place.

    Attributes:
        name: the event's name, such as ``"before_save"``.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    @overload
    def __call__(self, method: M) -> M: ...
    @overload
    def __call__(self) -> NoReturn: ...
    def __call__(self, method: Any = None) -> Any:
        """Mark a method as this hook of its class.

        Raises:
            SchemaError: it is no method. That it takes other arguments is said when its class is made.
        """
        if method is None:
            raise SchemaError(f"write @hooks.{self.name} above a method, without parentheses")
        return mark(self.name, method)

    @overload
    def connect(self, function: F, /, *, sender: type[Any] | None = ...) -> F: ...
    @overload
    def connect(self, /, *, sender: type[Any] | None = ...) -> Callable[[F], F]: ...
    def connect(self, function: Any = None, /, *, sender: type[Any] | None = None) -> Any:
        """Have a function called with the :class:`Event`, from now on; also as a decorator.

        It is kept alive until it is disconnected. Connecting it twice calls it once.

        Args:
            function: takes the event; a coroutine function where the hook can wait.
            sender: the class whose operations it is called for, and those derived from it; None: all classes.

        Raises:
            SchemaError: it takes other arguments, must be awaited where nothing can wait, or the sender is no class.
        """
        if function is None:
            return lambda one: self.connect(one, sender=sender)
        connect(self.name, function, sender)
        return function

    def disconnect(self, function: Callable[..., Any], /, *, sender: type[Any] | None = None) -> None:
        """No longer call a function connected with this sender; nothing happens when it was not."""
        disconnect(self.name, function, sender)

    @contextmanager
    def connected(self, function: Callable[..., Any], /, *, sender: type[Any] | None = None) -> Iterator[None]:
        """Have a function called inside a ``with`` block, by whichever thread or task."""
        self.connect(function, sender=sender)
        try:
            yield
        finally:
            self.disconnect(function, sender=sender)

    def __repr__(self) -> str:
        return f"<hook {self.name}>"


before_validate = HookPoint("before_validate")
after_validate = HookPoint("after_validate")
before_load = HookPoint("before_load")
after_load = HookPoint("after_load")
before_insert = HookPoint("before_insert")
after_insert = HookPoint("after_insert")
before_save = HookPoint("before_save")
after_save = HookPoint("after_save")
before_update = HookPoint("before_update")
after_update = HookPoint("after_update")
before_delete = HookPoint("before_delete")
after_delete = HookPoint("after_delete")


if not TYPE_CHECKING:
    # Not for type checkers, to which a module with it has every name there is.

    def __getattr__(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        from .mapping.class_mapping import nearest

        known = [one for one in __all__ if one[0].islower()]
        remedy = "; put() calls before_save and after_save" if name.endswith("_put") else nearest(name, known)
        raise AttributeError(f"there is no hook {name!r}{remedy}; there are: {', '.join(known)}")
