"""Rules on which parameters of a request go together, and the names and values its expressions share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from dynawire.engines.embedded.expressions import Placeholders
from dynawire.engines.embedded.failures import validation

__all__ = ["NO_PLACEHOLDERS", "placeholders_of", "refuse_legacy", "wants"]

NO_PLACEHOLDERS: Final = Placeholders(None, None)
"""Of a request without expressions."""


def wants(choice: str | None) -> bool:
    """Whether a ``Return…`` parameter asks for something."""
    return choice is not None and choice != "NONE"


def placeholders_of(
    names: dict[str, str] | None,
    values: dict[str, Any] | None,
    taking_values: Mapping[str, str | None],
    projection: str | None = None,
) -> Placeholders:
    """What the expressions of a request share.

    Args:
        names: its ExpressionAttributeNames.
        values: its ExpressionAttributeValues.
        taking_values: its expressions that may refer to values, by parameter.
        projection: its ProjectionExpression, which may only refer to names.

    Raises:
        ServiceError: ``ValidationException`` when there are names or values but no expressions for them, or they are
            not valid.
    """
    given = any(expression is not None for expression in taking_values.values())
    if names is not None and not given and projection is None:
        raise validation("ExpressionAttributeNames can only be specified when using expressions")
    if values is not None and not given:
        missing = " and ".join(taking_values)
        verb = "are" if len(taking_values) > 1 else "is"
        raise validation(
            f"ExpressionAttributeValues can only be specified when using expressions: {missing} {verb} null"
        )
    return Placeholders(names, values)


def refuse_legacy(given: Mapping[str, tuple[object, str]], expressions: Mapping[str, str | None]) -> NoReturn:
    """Refuse parameters from before expressions.

    Args:
        given: such parameters, each with its value and the parameter that took its place.
        expressions: the request's expressions by parameter.

    Raises:
        ServiceError: ``ValidationException``.
    """
    old = [name for name, (value, _) in given.items() if value is not None]
    new = [name for name, value in expressions.items() if value is not None]
    if new:
        raise validation(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(old)}}} Expression parameters: {{{', '.join(new)}}}"
        )
    raise validation(
        f"{old[0]} is a parameter from before expressions, which the embedded engine does not take; "
        f"use {given[old[0]][1]}"
    )
