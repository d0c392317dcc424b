# pyright: strict
"""The attributes of errors are typed, and one except clause takes them all."""

from collections.abc import Mapping, Sequence
from typing import Any, assert_type

from dynawire.errors import ConditionFailed, DecodeError, DynawireError, ItemExists, TransactionCancelled


def reasons(error: TransactionCancelled) -> None:
    assert_type(error.reasons, Sequence[DynawireError | None])


def place(error: DecodeError) -> str:
    assert_type(error.key, Mapping[str, Any] | None)
    return error.path or "somewhere"


def attempt() -> str | None:
    try:
        return None
    except ItemExists as error:
        failed: ConditionFailed = error
        return failed.code
    except DynawireError as error:
        return error.message
