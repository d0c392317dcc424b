"""Operations with the hooks of their class around them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

from ..expressions import Update
from .effects import Invoke, Operation, shown_only
from .hooks import Event, Hook, HookPair
from .target import Target
from .write import Write, send

__all__ = [
    "HookedCall",
    "HookedWrite",
    "after_all",
    "hooked",
    "hooked_call",
    "may_have_hooks",
    "send_hooked",
    "transact_hooked",
    "written_by",
]


class HookedCall:
    """One call of one operation, with the hooks around it.

    Args:
        target: the class and its table.
        pair: the hooks of the operation.
        operation: its name.
        instance: what it is called for; None: a key alone.
        key: the key's values, where there is no instance.
        updates: of an update, what it changes.

    Raises:
        ValidationError: it is no instance of the class.
    """

    __slots__ = ("_event", "_pair", "target")

    def __init__(
        self,
        target: Target,
        pair: HookPair,
        operation: str,
        instance: Any,
        key: tuple[Any, ...] | None = None,
        updates: list[Update] | None = None,
    ) -> None:
        if instance is not None and not isinstance(instance, target.kind):
            raise target.plan.refusal(instance)
        self.target = target
        self._pair = pair.by_key if instance is None else pair
        self._event = Event(target.plan, operation, instance, key, updates)

    def before(self) -> Generator[Invoke, None, None]:
        """Call what is called before. What it raises ends the operation, and nothing is sent."""
        pair = self._pair
        if pair.before or pair.asynchronous is not None:
            yield Invoke(pair.before, self._event, pair.asynchronous)

    def after(self) -> Generator[Invoke, None, None]:
        """Call what is called after the operation was applied."""
        if self._pair.after:
            try:
                yield Invoke(self._pair.after, self._event)
            except Exception as error:
                _say_applied(error, self._event)
                raise


def hooked_call(
    target: Target,
    operation: str,
    instance: Any,
    key: tuple[Any, ...] | None = None,
    updates: list[Update] | None = None,
) -> HookedCall | None:
    """A call of an operation with its hooks; None: there are none. What is given is as for :class:`HookedCall`."""
    target = target.of(instance)
    hooks = target.mapped.hooks
    pair = None if hooks is None else hooks.get(operation)
    return None if pair is None else HookedCall(target, pair, operation, instance, key, updates)


def may_have_hooks(target: Target) -> bool:
    """Whether there may be hooks around the operations of a class, or of one that shares its table."""
    return target.mapped.hooks is not None or target.family is not None


def hooked(
    target: Target,
    operation: str,
    instance: Any,
    write: Callable[[], Operation[Any]],
    *,
    key: tuple[Any, ...] | None = None,
    updates: list[Update] | None = None,
) -> Operation[Any]:
    """An operation with its hooks around it.

    Args:
        target: the class and its table.
        operation: its name.
        instance: what it is called for; None: a key alone.
        write: begins the operation itself, when what is called before has returned.
        key: the key's values, where there is no instance.
        updates: of an update, what it changes.
    """
    # Without a HookedCall: a put pays for each object and each frame.
    if target.family is not None:
        target = target.of(instance)
    hooks = target.mapped.hooks
    pair = None if hooks is None else hooks.get(operation)
    if pair is None:
        return (yield from write())
    if instance is None:
        pair = pair.by_key
    elif not isinstance(instance, target.kind):
        raise target.plan.refusal(instance)
    # Whoever waits for nothing is called here: to pass through the driver costs more than most hooks.
    by_driver = pair.asynchronous is not None or shown_only.get()
    event = Event(target.plan, operation, instance, key, updates) if by_driver or pair.takes_event else None
    if by_driver:
        assert event is not None
        yield Invoke(pair.before, event, pair.asynchronous)
    else:
        for hook in pair.before:
            returned = hook.call(instance) if event is None else hook.call_for(event)
            if returned is not None:
                yield from _awaited(hook, returned, event or Event(target.plan, operation, instance))
    result = yield from write()
    if pair.after and (operation != "save" or result):
        hook = pair.after[0]
        try:
            if by_driver:
                assert event is not None
                yield Invoke(pair.after, event)
            else:
                for hook in pair.after:
                    returned = hook.call(instance) if event is None else hook.call_for(event)
                    if returned is not None:
                        yield from _awaited(hook, returned, event or Event(target.plan, operation, instance))
        except Exception as error:
            _say_applied(error, event or Event(target.plan, operation, instance, name=hook.event))
            raise
    return result


def _awaited(hook: Hook, returned: Any, event: Event) -> Operation[None]:
    """Have the driver await what a plain function returned, or refuse that, if it is something to await."""
    if hasattr(type(returned), "__await__"):
        yield Invoke((Hook(hook.event, lambda _: returned, hook.label, True, True),), event)


def _say_applied(error: Exception, event: Event) -> None:
    what = f"the {event.operation} of this {event.model.__name__}"
    error.add_note(f"{what} was applied; only its {event.name} hook failed")


# ---------------------------------------------------------------------- transactions


class HookedWrite:
    """A write of a transaction that is prepared when the transaction is sent, after its hooks were called.

    Attributes:
        call: the call with its hooks.
        prepare: makes the write; None: there is nothing to write.
    """

    __slots__ = ("call", "prepare")

    def __init__(self, call: HookedCall, prepare: Callable[[], Write | None]) -> None:
        self.call = call
        self.prepare = prepare

    @property
    def operations(self) -> int:
        """How many of the hundred operations of a transaction it takes at the most."""
        upkeep = self.call.target.upkeep
        if upkeep is None or upkeep.keeping is None:
            return 1
        write = self.prepare()
        return 0 if write is None else write.operations


def written_by(entries: Sequence[Write | HookedWrite]) -> list[Write]:
    """The writes of a transaction as they now are, their hooks not called."""
    made = (entry if isinstance(entry, Write) else entry.prepare() for entry in entries)
    return [write for write in made if write is not None]


def send_hooked(entry: Write | HookedWrite) -> Operation[int]:
    """Send a write of a transaction alone, with its hooks around it; 1, or 0 when there was nothing to write."""
    if isinstance(entry, Write):
        yield from send(entry)
        return 1
    yield from entry.call.before()
    write = entry.prepare()
    if write is None:
        return 0
    yield from send(write)
    yield from entry.call.after()
    return 1


def transact_hooked(entries: Sequence[Write | HookedWrite], token: str) -> Operation[int]:
    """Apply all writes or none, with the hooks around it: those before in the order of the writes, until one raises;
    those after of every write, and the first error is raised at the end. Gives the number of writes.
    """
    for entry in entries:
        if isinstance(entry, HookedWrite):
            yield from entry.call.before()
    writes: list[Write] = []
    calls: list[HookedCall] = []
    for entry in entries:
        write = entry if isinstance(entry, Write) else entry.prepare()
        if write is not None:
            writes.append(write)
            if isinstance(entry, HookedWrite):
                calls.append(entry.call)
    from .transact import transact_write

    yield from transact_write(writes, token)
    yield from after_all(calls)
    return len(writes)


def after_all(calls: Sequence[HookedCall]) -> Operation[None]:
    """Call what is called after several writes that were applied, for each; the first error is raised at the end."""
    first: Exception | None = None
    for call in calls:
        try:
            yield from call.after()
        except Exception as error:  # noqa: BLE001 - hooks raise what they like
            if first is None:
                first = error
            else:
                first.add_note(f"another hook failed after it: {type(error).__name__}")
    if first is not None:
        raise first
