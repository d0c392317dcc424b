"""Cursors: where a page ended, as an opaque, URL-safe text that belongs to its query."""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import ExpressionError
from .expiry import Moment
from .target import encode_json

__all__ = ["decode_cursor", "encode_cursor"]

SETS = ("SS", "NS", "BS")
READ_ALIKE = ("Limit", "ConsistentRead")
"""Parameters that do not change what a read finds, nor in which order."""


def encode_cursor(operation: str, request: dict[str, Any], position: msgspec.Raw) -> str:
    """The cursor for a position in a read.

    Args:
        operation: ``Query`` or ``Scan``.
        request: the read's parameters.
        position: the ExclusiveStartKey with which it goes on.
    """
    from base64 import urlsafe_b64encode

    query = _query_digest(operation, request)
    content = encode_json((query, _digest([query, bytes(position)]), position))
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def decode_cursor(operation: str, request: dict[str, Any], cursor: str) -> msgspec.Raw:
    """The position a cursor stands for.

    Raises:
        ExpressionError: it is no cursor, was changed, or belongs to another query.
    """
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    try:
        content = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        # The decoder skips what is not base64.
        unchanged = urlsafe_b64encode(content).rstrip(b"=").decode() == cursor
        query, check, position = msgspec.json.decode(content, type=tuple[str, str, msgspec.Raw])
        unchanged = unchanged and check == _digest([query, bytes(position)])
    except (ValueError, TypeError, AttributeError, msgspec.MsgspecError):
        unchanged = False
        query, position = "", msgspec.Raw()
    if not unchanged:
        raise ExpressionError(
            "this is not a cursor dynawire made; pass page.cursor of the page before, unchanged, or None to begin"
        )
    if query != _query_digest(operation, request):
        raise ExpressionError(
            "this cursor belongs to another query; repeat the query it came from (same table, index, key, filter, "
            "projection, order and values), or pass None to begin"
        )
    return position


def _query_digest(operation: str, request: dict[str, Any]) -> str:
    shared = {name: value for name, value in request.items() if name not in READ_ALIKE}
    values = shared.get("ExpressionAttributeValues")
    if values:
        shared["ExpressionAttributeValues"] = {name: _sorted(value) for name, value in values.items()}
    return _digest([operation, shared])


def _sorted(wire: dict[str, Any]) -> Any:
    """The members of sets in one order: Python's differs from process to process."""
    if isinstance(wire, Moment):
        return None
    ((tag, payload),) = wire.items()
    if tag in SETS:
        return {tag: sorted(payload)}
    if tag == "L":
        return {tag: [_sorted(one) for one in payload]}
    if tag == "M":
        return {tag: {name: _sorted(one) for name, one in payload.items()}}
    return wire


def _digest(content: Any) -> str:
    from hashlib import blake2b

    return blake2b(encode_json(content), digest_size=6).hexdigest()
