"""Options of the engine that could not work, refused before anything is sent."""

from __future__ import annotations

from typing import Any

from dynawire.engines.aws.retry import RetryPolicy
from dynawire.errors import ValidationError

__all__ = ["check_options"]


def check_options(
    *,
    seconds: dict[str, Any],
    counts: dict[str, tuple[Any, int]],
    verify: Any,
    flags: dict[str, Any],
    credentials: Any,
    retry: Any,
) -> None:
    """Refuse what is of another type, or beyond its range. What else they hold is shown in no message.

    Args:
        seconds: numbers of seconds, at most a day.
        counts: whole numbers from 1 on, each with the most it may be.
        verify: a truth value.
        flags: others; None stands for a default.
        credentials: a function, or None.
        retry: a policy, or None.

    Raises:
        ValidationError: one of them cannot be used.
    """
    for name, value in seconds.items():
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise ValidationError(f"{name}= takes seconds, a number, not {type(value).__name__}.")
        if not 0.001 <= value <= 86_400:
            raise ValidationError(f"{name}={value!r} is not between 0.001 and 86400.")
    for name, (value, most) in counts.items():
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValidationError(f"{name}= takes a whole number, not {type(value).__name__}.")
        if not 1 <= value <= most:
            raise ValidationError(f"{name}={value!r} is not between 1 and {most}.")
    given = {name: value for name, value in flags.items() if value is not None}
    for name, value in {"verify": verify, **given}.items():
        if not isinstance(value, bool):
            raise ValidationError(f"{name}= takes True or False, not {type(value).__name__}.")
    if credentials is not None and not callable(credentials):
        raise ValidationError(
            f"credentials= takes a function that returns Credentials, not {type(credentials).__name__}; for a key that "
            "stays the same write access_key_id= and secret_access_key=."
        )
    if retry is not None and not isinstance(retry, RetryPolicy):
        raise ValidationError(
            f"retry= takes a RetryPolicy, not {type(retry).__name__}; for another number of attempts alone write "
            "max_attempts=."
        )
