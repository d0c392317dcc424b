"""Functions of the program's that are called before and after operations: found, checked and compiled for each class.

Marked methods belong to their class and those derived from it. Connected functions are for one class and those derived
from it, or for all. What a class has of both is compiled when the class is made, and again when a function is connected
or disconnected, so that a class without any pays nothing.
"""

from __future__ import annotations

from _thread import RLock
from _weakrefset import WeakSet
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ..errors import SchemaError
from ..expressions import Update

if TYPE_CHECKING:
    from ..codec.plan import ClassPlan
    from .mapped import MappedClass

__all__ = ["EVENTS", "Event", "Hook", "HookPair", "compile_hooks", "connect", "disconnect", "maintain_hooks", "mark"]

SUBJECTS = ("validate", "load", "insert", "save", "update", "delete")
EVENTS = tuple(f"{when}_{subject}" for subject in SUBJECTS for when in ("before", "after"))
OPERATIONS = {
    "insert": ("save", "insert"),
    "put": ("save",),
    "save": ("save",),
    "update": ("update",),
    "delete": ("delete",),
}
"""Whose hooks each operation calls, the outer first: what stores a whole instance is a save."""
MARK = "__dynawire_hook_of__"
OURS = ("dynawire", "msgspec", "pydantic", "builtins", "typing")


class Event(msgspec.Struct, eq=False):
    """What a hook is called for. One object serves all hooks of one call of one operation.

    Attributes:
        name: the hook's own: ``"before_save"`` …
        operation: what was called: ``"insert"``, ``"put"``, ``"save"``, ``"update"``, ``"delete"``, ``"validate"``, or
            ``"load"`` for all that reads.
        instance: the instance; None before it is loaded, and of an update or delete by key.
        item: of a load, the item in DynamoDB's JSON, by stored name; a hook before it may change it.
    """

    _plan: ClassPlan
    operation: str
    instance: Any
    _key: tuple[Any, ...] | None = None
    _updates: list[Update] | None = None
    item: dict[str, Any] | None = None
    name: str = ""

    @property
    def model(self) -> type[Any]:
        """The class."""
        return self._plan.mapping.cls

    @property
    def updates(self) -> list[Update]:
        """Of an update, what it changes; a hook before it may add to the list."""
        if self._updates is None:
            self._updates = []
        return self._updates

    @property
    def key(self) -> tuple[Any, ...]:
        """The primary key's values, partition key first; empty before an item is loaded."""
        if self._key is not None:
            return self._key
        return () if self.instance is None else self._plan.key_values(self.instance)

    def __repr__(self) -> str:
        return f"<Event {self.name} of {self.model.__name__}>"


class Hook:
    """One function for one event of one class.

    Attributes:
        event: the event's name.
        call: calls it with an event, or with an instance; what it returns may have to be awaited.
        takes_event: whether with an event.
        label: what it is called in messages.
        asynchronous: whether it is a coroutine function.
        by_key: whether it can be called without an instance.
    """

    __slots__ = ("asynchronous", "by_key", "call", "event", "label", "takes_event")

    def __init__(
        self,
        event: str,
        call: Callable[[Any], Any],
        label: str,
        asynchronous: bool,
        by_key: bool,
        takes_event: bool = True,
    ) -> None:
        self.event = event
        self.call = call
        self.takes_event = takes_event
        self.label = label
        self.asynchronous = asynchronous
        self.by_key = by_key

    def call_for(self, event: Event) -> Any:
        """Call it for an event, which takes the hook's name."""
        event.name = self.event
        return self.call(event if self.takes_event else event.instance)


class HookPair:
    """What is called before and after one operation of one class.

    Attributes:
        before, after: the hooks in their order.
        asynchronous: the first of all of them that is a coroutine function, by its label; or None.
        takes_event: whether one of them takes the event.
    """

    __slots__ = ("after", "asynchronous", "before", "by_key", "takes_event")

    def __init__(self, before: tuple[Hook, ...], after: tuple[Hook, ...]) -> None:
        self.before = before
        self.after = after
        self.asynchronous = next((hook.label for hook in (*before, *after) if hook.asynchronous), None)
        self.takes_event = any(hook.takes_event for hook in (*before, *after))
        kept = [tuple(hook for hook in hooks if hook.by_key) for hooks in (before, after)]
        same = [*kept] == [before, after]
        self.by_key: HookPair = self if same else HookPair(*kept)

    def __bool__(self) -> bool:
        return bool(self.before or self.after)


# ---------------------------------------------------------------------- marked methods


def mark(event: str, method: Any) -> Any:
    """Mark a method as a hook, and give it back.

    Raises:
        SchemaError: it is no method.
    """
    function = getattr(method, "__func__", method)
    if not hasattr(function, "__code__"):
        raise SchemaError(
            f"@{event} marks a method of a mapped class, and this is {type(method).__name__}; to have a function "
            f"called from outside of the class, write {event}.connect(function, sender=...)"
        )
    setattr(function, MARK, (*getattr(function, MARK, ()), event))
    _marked.add(event)
    return method


_marked: set[str] = set()
"""The events for which any method of the program is marked."""


def _marked_methods(cls: type[Any]) -> dict[str, list[str]]:
    """The names of methods that are hooks, with their events; those of base classes first.

    A method that overrides a hook is one too.
    """
    found: dict[str, list[str]] = {}
    if not _marked:
        return found
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] in OURS:
            continue
        for name, value in base.__dict__.items():
            events = getattr(getattr(value, "__func__", value), MARK, ())
            if events:
                known = found.setdefault(name, [])
                known += [event for event in reversed(events) if event not in known]
    return {name: events for name, events in found.items() if getattr(cls, name, None) is not None}


def _method_hook(cls: type[Any], name: str, event: str) -> Hook:
    label = f"{cls.__name__}.{name}"
    declared = next(base.__dict__[name] for base in cls.__mro__ if name in base.__dict__)
    bound = getattr(cls, name)
    takes_instance = not isinstance(declared, (classmethod, staticmethod))
    if takes_instance and event == "before_load":
        raise _wrong(
            cls, f"{name}: before_load comes before there is an instance; make it a classmethod with (cls, event)"
        )
    asynchronous = _is_asynchronous(bound)
    _refuse_asynchronous(cls.__name__, event, label, asynchronous)
    expected = "(self) or (self, event)" if takes_instance else "(cls) or (cls, event)"
    takes_event = _takes_event(bound, 1 if takes_instance else 0)
    if takes_event is None:
        raise _wrong(cls, f"{name} is called by {event} with other parameters than it has; write {name}{expected}")
    on_instance = takes_instance and not takes_event
    call = bound if on_instance else _called(bound, takes_instance, takes_event)
    return Hook(event, call, label, asynchronous, not takes_instance, not on_instance)


def _called(function: Callable[..., Any], takes_instance: bool, takes_event: bool) -> Callable[[Event], Any]:
    if takes_instance:
        return lambda event: function(event.instance, event)
    return function if takes_event else lambda event: function()


def _takes_event(function: Callable[..., Any], given: int) -> bool | None:
    """Whether a function takes the event after so many other arguments; None when it can't be called either way."""
    from inspect import Parameter, signature

    try:
        parameters = list(signature(function).parameters.values())
    except (TypeError, ValueError):
        # Made in C, without saying what it takes.
        return True
    positional = [one for one in parameters if one.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    more = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    required = sum(one.default is Parameter.empty for one in positional)
    if any(one.kind is Parameter.KEYWORD_ONLY and one.default is Parameter.empty for one in parameters):
        return None
    if required > given + 1 or (len(positional) < given and not more):
        return None
    if required == given + 1 or more:
        return True
    # A parameter with a default is the event only if it says so.
    return len(positional) > given and positional[given].name == "event"


def _is_asynchronous(function: Any) -> bool:
    from inspect import iscoroutinefunction

    return iscoroutinefunction(function) or iscoroutinefunction(getattr(type(function), "__call__", None))  # noqa: B004


def _refuse_asynchronous(model: str, event: str, label: str, asynchronous: bool) -> None:
    if asynchronous and event.endswith(("_load", "_validate")):
        raise SchemaError(
            f"{label} is a coroutine function, and {event} can't wait: items are decoded and checked in the midst of "
            "an operation, sync and async alike; make it a plain function",
            model=model,
        )


def _wrong(cls: type[Any], message: str) -> SchemaError:
    return SchemaError(f"{cls.__name__}.{message}", model=cls.__name__)


# ---------------------------------------------------------------------- connected functions

_lock = RLock()
_connected: dict[str, list[tuple[type[Any] | None, Hook, Any]]] = {event: [] for event in EVENTS}
_maintained: WeakSet[MappedClass] = WeakSet()


def connect(event: str, function: Any, sender: Any) -> None:
    """Have a function called for an event of a class and those derived from it (None: of every class). Once is enough.

    Raises:
        SchemaError: it is no function of one parameter, or a coroutine function where nothing can wait; or the sender
            is no class.
    """
    label = getattr(function, "__qualname__", type(function).__name__)
    if not callable(function):
        raise SchemaError(f"{event}.connect() takes a function of one parameter, the event; not {label}")
    if sender is not None and not isinstance(sender, type):
        raise SchemaError(f"{event}.connect(sender=...) takes a class, not {type(sender).__name__}")
    if _takes_event(function, 0) is not True:
        raise SchemaError(f"{event}.connect(): {label} is called with the event; write {label}(event)")
    asynchronous = _is_asynchronous(function)
    _refuse_asynchronous(getattr(sender, "__name__", ""), event, label, asynchronous)
    with _lock:
        if any(one is sender and other == function for one, _, other in _connected[event]):
            return
        _connected[event].append((sender, Hook(event, function, label, asynchronous, True), function))
        _compile_again(sender)


def disconnect(event: str, function: Any, sender: Any) -> None:
    """No longer call a function that was connected with this sender; nothing happens when it was not."""
    with _lock:
        kept = [one for one in _connected[event] if not (one[0] is sender and one[2] == function)]
        if len(kept) < len(_connected[event]):
            _connected[event] = kept
            _compile_again(sender)


def _compile_again(sender: type[Any] | None) -> None:
    for mapped in list(_maintained):
        if sender is None or sender in mapped.cls.__mro__:
            compile_hooks(mapped)


# ---------------------------------------------------------------------- compiling


def maintain_hooks(mapped: MappedClass) -> None:
    """Compile the hooks of a class, now and whenever others are connected."""
    if mapped.mapping.table is None:
        # What is nested in items is stored and read with them.
        return
    with _lock:
        _maintained.add(mapped)
        compile_hooks(mapped)


def compile_hooks(mapped: MappedClass) -> None:
    """Compile the hooks of a class.

    Raises:
        SchemaError: a marked method can't be called as a hook.
    """
    by_event: dict[str, list[Hook]] = {event: [] for event in EVENTS}
    cls = mapped.cls
    for name, events in _marked_methods(cls).items():
        for event in events:
            by_event[event].append(_method_hook(cls, name, event))
    for event, connected in _connected.items():
        by_event[event] += [hook for sender, hook, _ in connected if sender is None or sender in cls.__mro__]
    pairs: dict[str, HookPair] = {}
    for operation, subjects in OPERATIONS.items():
        before = [hook for subject in subjects for hook in by_event[f"before_{subject}"]]
        after = [hook for subject in reversed(subjects) for hook in by_event[f"after_{subject}"]]
        pair = HookPair(tuple(before), tuple(after))
        if pair:
            pairs[operation] = pair
    mapped.hooks = pairs or None
    plan = mapped.plan
    plan.check_before = _caller(plan, "validate", by_event["before_validate"])
    plan.check_after = _caller(plan, "validate", by_event["after_validate"])
    called = plan.check_before is not None or plan.check_after is not None
    plan.encode_for_write = plan.encode_checked if called else plan.encode
    plan.load_before = _item_caller(plan, by_event["before_load"])
    plan.load_after = _caller(plan, "load", by_event["after_load"])


def _caller(plan: ClassPlan, operation: str, hooks: list[Hook]) -> Callable[[Any], None] | None:
    """A function that calls these hooks for an instance."""
    if not hooks:
        return None
    every = tuple(hooks)

    def call(instance: Any) -> None:
        event = Event(plan, operation, instance)
        for hook in every:
            hook.call_for(event)

    return call


def _item_caller(plan: ClassPlan, hooks: list[Hook]) -> Callable[[dict[str, Any]], None] | None:
    """A function that calls these hooks for an item that is about to be loaded."""
    if not hooks:
        return None
    every = tuple(hooks)

    def call(item: dict[str, Any]) -> None:
        event = Event(plan, "load", None, item=item)
        for hook in every:
            hook.call_for(event)

    return call
