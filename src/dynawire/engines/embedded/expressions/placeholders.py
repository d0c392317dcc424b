"""ExpressionAttributeNames and ExpressionAttributeValues: checked once per request, shared by all its expressions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from dynawire.engines.embedded.expressions.lexer import invalid
from dynawire.engines.embedded.expressions.tree import Path
from dynawire.engines.embedded.values import MAX_NAME_SIZE, Value, check_value
from dynawire.errors import DynawireError, service_error

__all__ = ["Placeholders"]

_MAX_KEY: Final = 255


class Placeholders:
    """The names and values of one request, and which of them its expressions used."""

    __slots__ = ("_names", "_used", "_used_names", "_used_values", "_values")

    def __init__(self, names: dict[str, str] | None, values: dict[str, Value] | None) -> None:
        """Check both members as they came in the request; None: the request has none.

        Values become canonical in place.

        Raises:
            ServiceError: ``ValidationException`` when one is empty, or a key or value of it is not valid.
        """
        if names is not None:
            _check_names(names)
        if values is not None:
            _check_values(values)
        self._names = names or {}
        self._values = values or {}
        self._used = False
        self._used_names: set[str] = set()
        self._used_values: set[str] = set()

    def define(self, names: frozenset[str], values: frozenset[str]) -> bool:
        """Whether all of these are defined."""
        return names <= self._names.keys() and values <= self._values.keys()

    def use(self, names: frozenset[str], values: frozenset[str] = frozenset()) -> None:
        """Note that an expression refers to these."""
        self._used = True
        self._used_names |= names
        self._used_values |= values

    def value(self, kind: str, name: str) -> Value:
        """The value of a placeholder in an expression of this kind."""
        value = self._values.get(name)
        if value is None:
            raise invalid(
                kind,
                f"An expression attribute value used in expression is not defined; attribute value: {name}",
            )
        return value

    def path(self, kind: str, path: Path) -> tuple[str | int, ...]:
        """A path with its names put in."""
        if path.bare:
            return path.elements
        names = self._names
        elements: list[str | int] = []
        for element in path.elements:
            if type(element) is str and element[0] in "#:":
                name = names.get(element)
                if name is None:
                    raise invalid(
                        kind,
                        "An expression attribute name used in the document path is not defined; "
                        f"attribute name: {element}",
                    )
                elements.append(name)
            else:
                elements.append(element)
        return tuple(elements)

    def check_all_used(self, absent: str = "") -> None:
        """Refuse names and values that no expression referred to. Called after the last expression was parsed.

        Args:
            absent: for a request without any expression, which ones could have used values, as the service says it:
                ``"ConditionExpression is null"``.

        Raises:
            ServiceError: ``ValidationException``.
        """
        names, values = self._names, self._values
        if not self._used:
            if names:
                raise service_error(
                    "ValidationException", "ExpressionAttributeNames can only be specified when using expressions"
                )
            if values:
                suffix = f": {absent}" if absent else ""
                raise service_error(
                    "ValidationException",
                    f"ExpressionAttributeValues can only be specified when using expressions{suffix}",
                )
            return
        if not names.keys() <= self._used_names:
            raise _unused("ExpressionAttributeNames", names, self._used_names)
        if not values.keys() <= self._used_values:
            raise _unused("ExpressionAttributeValues", values, self._used_values)


def _unused(member: str, given: Iterable[str], used: set[str]) -> DynawireError:
    unused = ", ".join(name for name in given if name not in used)
    return service_error("ValidationException", f"Value provided in {member} unused in expressions: keys: {{{unused}}}")


def _check_names(names: Any) -> None:
    if type(names) is not dict:
        raise service_error("SerializationException", "ExpressionAttributeNames is not a map of strings")
    if not names:
        raise service_error("ValidationException", "ExpressionAttributeNames must not be empty")
    _check_keys("ExpressionAttributeNames", names, "#")
    for key, name in names.items():
        if type(name) is not str:
            raise service_error("SerializationException", "ExpressionAttributeNames is not a map of strings")
        if not name:
            raise service_error(
                "ValidationException",
                f"ExpressionAttributeNames contains invalid value: Empty attribute name for key {key}",
            )
        if len(name) > MAX_NAME_SIZE // 4 and len(name.encode()) > MAX_NAME_SIZE:
            raise service_error(
                "ValidationException",
                f"ExpressionAttributeNames contains invalid value: Attribute name is too large for key {key}",
            )


def _check_values(values: Any) -> None:
    if type(values) is not dict:
        raise service_error("SerializationException", "ExpressionAttributeValues is not a map of AttributeValues")
    if not values:
        raise service_error("ValidationException", "ExpressionAttributeValues must not be empty")
    _check_keys("ExpressionAttributeValues", values, ":")
    for key, value in values.items():
        try:
            check_value(value)
        except DynawireError as error:
            code = getattr(error, "code", "")
            if code != "ValidationException":
                raise
            reason = error.message.removeprefix("ValidationException: ")
            raise service_error(
                "ValidationException", f"ExpressionAttributeValues contains invalid value: {reason} for key {key}"
            ) from None


def _check_keys(member: str, keys: Iterable[str], mark: str) -> None:
    for key in keys:
        # The mark, then letters, digits and underscores.
        if key[:1] != mark or not key.isascii() or not key[1:].replace("_", "0").isalnum():
            raise service_error("ValidationException", f'{member} contains invalid key: Syntax error; key: "{key}"')
        if len(key) > _MAX_KEY:
            raise service_error(
                "ValidationException",
                f"{member} contains invalid key: The expression attribute map contains a key that is too long; "
                f"size of key: {len(key)}",
            )
