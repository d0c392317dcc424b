"""A single-item write, prepared once for all ways of sending it: alone, exactly once, or inside a transaction.

PutItem, UpdateItem, DeleteItem and ConditionCheck differ in what they ask and in what a refusal means; a
:class:`Write` holds both, so that a transaction keeps the same rules as a single write.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ConditionFailed, DecodeError, DynawireError, ExpressionError, ServiceError
from ..expressions import Condition, Placeholders, all_of, compile_condition
from .effects import Operation, Request
from .failures import is_lost_path
from .target import Target, encode_request, raw_capacity
from .unstored import refuse_unstored

if TYPE_CHECKING:
    from .companions import Companions
    from .derived_classes import DerivedClasses

__all__ = ["Write", "add_condition", "send", "send_if_any", "send_write", "with_existence"]


class Write:
    """One write of one item, ready to be sent.

    Attributes:
        action: the member name of a TransactWriteItems entry: Put, Update, Delete or ConditionCheck.
        request: the parameters that a single write and a transaction share.
        key: the wire form of the item's primary key.
        return_values: ReturnValues of the single write, or None.
        idempotent: whether sending it twice does no more than sending it once.
        explain: makes the error of a failed condition.
        explain_path: makes the error of an update of a part of what is not stored; None: there is no such part.
        applied: takes over what was written, and gives the call's result; it receives the single write's response,
            or None when it was sent in a transaction.
        amend: makes another request of a failed condition, to be sent instead; None: nothing can be done about it.
        adopt: takes over the item as it now is, for an update that was sent in a transaction and read back; or None.
        companions: what is written besides, worked out when it is sent; None: nothing.
        derived: classes derived from the key's, of which the item must not be; None: it may be of any.
    """

    __slots__ = (
        "action",
        "adopt",
        "amend",
        "applied",
        "companions",
        "derived",
        "explain",
        "explain_path",
        "idempotent",
        "key",
        "request",
        "return_values",
        "target",
    )

    def __init__(
        self,
        target: Target,
        action: str,
        request: dict[str, Any],
        key: dict[str, Any],
        *,
        idempotent: bool,
        explain: Callable[[ConditionFailed], DynawireError],
        applied: Callable[[bytes | None], Any],
        return_values: str | None = None,
        explain_path: Callable[[ServiceError], DynawireError] | None = None,
        adopt: Callable[[Any], Any] | None = None,
        amend: Callable[[ConditionFailed], dict[str, Any] | None] | None = None,
    ) -> None:
        self.target = target
        self.action = action
        self.request = request
        self.key = key
        self.idempotent = idempotent
        self.explain = explain
        self.applied = applied
        self.return_values = return_values
        self.explain_path = explain_path
        self.adopt = adopt
        self.companions: Companions | None = None
        self.derived: DerivedClasses | None = None
        self.amend = amend

    def amended(self, error: DynawireError) -> dict[str, Any] | None:
        """The request to send instead of the one that was answered with this error; None: there is none."""
        if self.amend is None or not isinstance(error, ConditionFailed):
            return None
        return self.amend(error)

    @property
    def operations(self) -> int:
        """How many of the hundred operations of a transaction it takes at the most."""
        return 1 if self.companions is None else 1 + self.companions.most

    def explained(self, error: DynawireError) -> DynawireError:
        """The error of this call for what the service answered."""
        if isinstance(error, ConditionFailed):
            return self.explain(error)
        if isinstance(error, ServiceError) and self.explain_path is not None and is_lost_path(error):
            return self.explain_path(error)
        return error


def send_write(write: Write) -> Operation[Any]:
    """Send one write alone."""
    operation = f"{write.action}Item"
    while True:
        try:
            response = yield Request(operation, encode_request(_alone(write)), write.idempotent, write.target)
            break
        except ServiceError as error:
            amended = write.amended(error)
            if amended is not None:
                write.request = amended
                continue
            explained = write.explained(error)
            if explained is error:
                raise
            raise explained from None
    raw_capacity(operation, response)
    try:
        return write.applied(response)
    except DecodeError as error:
        error.add_note(f"the {operation} was applied; only the item it returned does not fit the class")
        raise


def send(write: Write, exactly_once: bool = False, return_old: bool = False) -> Operation[Any]:
    """Send one write alone, or as a transaction with a token."""
    companions = write.companions
    if companions is not None:
        from .companions import send_accompanied

        if return_old and companions.need_transaction:
            raise ExpressionError(
                f"{write.target.plan.name} has unique values or gap-free numbers, so that this is a transaction, which "
                "returns no old item; drop return_old=True, or read it first"
            )
        return send_accompanied(write, exactly_once)
    if not exactly_once:
        return send_write(write)
    if return_old:
        raise ExpressionError(
            "exactly_once sends a transaction, which returns no old item; drop return_old=True, or read it first"
        )
    from .transact import send_exactly_once

    return send_exactly_once(write)


def send_if_any(write: Write | None, exactly_once: bool) -> Operation[bool]:
    """Send one write if there is one; whether there was."""
    if write is None:
        return False
    yield from send(write, exactly_once)
    return True


def _alone(write: Write) -> dict[str, Any]:
    request = write.request
    if write.return_values is not None:
        request = {**request, "ReturnValues": write.return_values}
    if "ConditionExpression" in request:
        # Costs nothing when the condition holds, and tells a missing item from a false condition when it does not.
        request = {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return request


def add_condition(
    target: Target, request: dict[str, Any], condition: Condition | None, placeholders: Placeholders
) -> None:
    """Put the condition and every placeholder into a request."""
    if condition is not None:
        refuse_unstored(target, condition.paths(), "looked at by a condition")
        request["ConditionExpression"] = compile_condition(condition, placeholders, target.owner)
    placeholders.apply(request)


def with_existence(target: Target, condition: Condition | None) -> Condition:
    """The condition, and that the item is there, and of the class."""
    exists = target.key_path.exists() if target.belongs is None else target.belongs
    return exists if condition is None else all_of([exists, condition])
