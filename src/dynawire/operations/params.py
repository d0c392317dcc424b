"""Showing the request of an operation instead of sending it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from .effects import Invoke, Operation, Request, Together, shown_only
from .twins import operation_of

__all__ = ["Params", "first_request"]


class Params:
    """Shows requests instead of sending them: each method has the parameters of the operation it is named after.

    Args:
        kind: the class whose operations are shown: that of tables, keys, queries or databases.
        owner: gives the one whose operations are shown, when one is asked for.
        leading: first arguments of each operation.
        only: names of the operations that are shown; None: all of the owner.
    """

    __slots__ = ("_kind", "_leading", "_only", "_owner")

    def __init__(
        self, kind: type[Any], owner: Callable[[], Any], *leading: Any, only: Sequence[str] | None = None
    ) -> None:
        self._kind = kind
        self._owner = owner
        self._leading = leading
        self._only = only

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        if name.startswith("_") or name not in self.__dir__():
            advice = f"; write {name}(...).params()" if name in ("find", "query", "scan") and self._only is None else ""
            raise AttributeError(
                f"params shows the requests of: {', '.join(self.__dir__())}; not {name!r}{advice}", name=name
            )
        body = operation_of(getattr(self._kind, name))

        def show(*args: Any, **kwargs: Any) -> dict[str, Any]:
            owner = self._owner()
            # The owner may be of a class derived from the kind, with operations of its own.
            operation = operation_of(getattr(type(owner), name))
            return first_request(operation(owner, *self._leading, *args, **kwargs))

        show.__name__ = name
        show.__doc__ = body.__doc__
        return show

    def __dir__(self) -> list[str]:
        kind = self._kind
        # What twins.sync() made knows the operation behind it.
        names = [
            name for name in dir(kind) if hasattr(kind, f"a{name}") and operation_of(getattr(kind, name)) is not None
        ]
        return [name for name in names if self._only is None or name in self._only]

    def __repr__(self) -> str:
        return f"<params: {', '.join(self.__dir__())}>"


def first_request(operation: Operation[Any]) -> dict[str, Any]:
    """The first request of an operation as a dict; empty when it would send none."""
    token = shown_only.set(True)
    try:
        effect = operation.send(None)
        while isinstance(effect, Invoke):
            # Nothing is written, so nothing is called.
            effect = operation.send(None)
    except StopIteration:
        return {}
    finally:
        operation.close()
        shown_only.reset(token)
    request = effect.requests[0] if isinstance(effect, Together) else effect
    assert isinstance(request, Request)
    shown: dict[str, Any] = msgspec.json.decode(request.body)
    return shown
