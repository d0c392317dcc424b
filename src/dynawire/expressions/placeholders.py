"""The names and values of one request: every expression in it refers to them by placeholders."""

from __future__ import annotations

from typing import Any

from ..mapping.value_codec import WireValue

__all__ = ["Placeholders", "wire_key"]


class Placeholders:
    """Gives each stored name ``#n0``, ``#n1`` … and each value ``:v0``, ``:v1`` …, equal ones the same.

    One is shared by all expressions of a request, as DynamoDB wants.

    Attributes:
        names: DynamoDB's ``ExpressionAttributeNames``: stored names by placeholder.
        values: DynamoDB's ``ExpressionAttributeValues``: wire values by placeholder.
    """

    __slots__ = ("_by_key", "_by_name", "names", "values")

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: dict[str, WireValue] = {}
        self._by_name: dict[str, str] = {}
        self._by_key: dict[Any, str] = {}

    def name(self, stored_name: str) -> str:
        """The placeholder of an attribute's stored name."""
        found = self._by_name.get(stored_name)
        if found is None:
            found = self._by_name[stored_name] = f"#n{len(self._by_name)}"
            self.names[found] = stored_name
        return found

    def value(self, wire: WireValue) -> str:
        """The placeholder of a value."""
        key = wire_key(wire)
        if key is None:
            # Comparing with the few others of a request is cheaper than making a document hashable.
            found = next((placeholder for placeholder, other in self.values.items() if other == wire), None)
        else:
            found = self._by_key.get(key)
        if found is None:
            found = f":v{len(self.values)}"
            self.values[found] = wire
            if key is not None:
                self._by_key[key] = found
        return found

    def path(self, steps: tuple[str | int, ...]) -> str:
        """A document path of stored names and list indexes: ``#n0.#n1[2]``."""
        text = self.name(steps[0])  # type: ignore[arg-type]
        for step in steps[1:]:
            text += f"[{step}]" if type(step) is int else "." + self.name(step)  # type: ignore[arg-type]
        return text

    def apply(self, request: dict[str, Any]) -> None:
        """Put the names and values into a request. DynamoDB refuses empty ones, so those are left out."""
        if self.names:
            request["ExpressionAttributeNames"] = self.names
        if self.values:
            request["ExpressionAttributeValues"] = self.values


def wire_key(wire: WireValue) -> Any:
    """Something hashable that is equal for equal wire values of one type; None for a map or a list."""
    ((tag, payload),) = wire.items()
    if tag == "M" or tag == "L":
        return None
    return tag, tuple(payload) if type(payload) is list else payload
