"""What a response that is not a success means: its code, its error, and whether the request may be sent again."""

from __future__ import annotations

from typing import Any

import msgspec

from dynawire.engines.aws.http1 import Response
from dynawire.errors import THROTTLING_CODES, DynawireError, ServiceError, service_error

__all__ = ["Verdict", "answer_of", "read_error", "service_time"]

_NOT_APPLIED = THROTTLING_CODES | {
    # Not throttling, but as with it nothing was applied and the same request may pass a moment later.
    "LimitExceededException",
    "ReplicatedWriteConflictException",
    "RequestTimeout",
    "RequestTimeoutException",
    "TransactionInProgressException",
}
"""Codes after which any request may be sent again (AWS: "Error handling with DynamoDB", "OK to retry? Yes")."""
_NOT_APPLIED_STATUSES = frozenset({408, 425, 429})
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
_SKEWED = frozenset({"RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"})


_WITHOUT_OUTPUT = frozenset({"TagResource", "UntagResource"})


def answer_of(operation: str, response: Response) -> bytes | None:
    """The answer to a request, or None when the response is not a success of DynamoDB's."""
    if response.status == 200:
        body = response.body
        if body.startswith(b"{"):
            return body
        # Two operations answer with nothing. From any other, nothing would read as "no such item".
        if not body and operation in _WITHOUT_OUTPUT:
            return b"{}"
    return None


class Verdict:
    """What a response other than a success means.

    Attributes:
        error: the error to raise when the request is not sent again.
        retry: whether sending it again may help.
        applied: whether the service may have carried it out all the same.
        expired: whether the credentials were refused for their age.
        skewed: whether the signature's time was refused.
    """

    __slots__ = ("applied", "error", "expired", "retry", "skewed")

    def __init__(
        self,
        error: DynawireError,
        *,
        retry: bool = False,
        applied: bool = False,
        expired: bool = False,
        skewed: bool = False,
    ) -> None:
        self.error = error
        self.retry = retry
        self.applied = applied
        self.expired = expired
        self.skewed = skewed


def read_error(response: Response, url: str) -> Verdict:
    """Read a response that is not a success (:func:`answer_of`).

    Args:
        response: the response.
        url: the endpoint, for the message.
    """
    status = response.status
    headers = response.headers
    fields = _fields(response.body)
    code = _code(fields, headers)
    if status == 200 or code is None:
        # No DynamoDB says this. Whether it saw the request cannot be known when the answer is a success or a 5xx.
        error = _foreign(response, url)
        unsure = status < 300 or status >= 500
        return Verdict(error, retry=unsure or status in _NOT_APPLIED_STATUSES, applied=unsure)
    message = fields.get("message") or fields.get("Message") or ""
    request_id = headers.get(b"x-amzn-requestid", b"").decode("latin-1") or None
    refusal = service_error(code, str(message), request_id=request_id, status=status, fields=fields)
    if code in _EXPIRED:
        return Verdict(refusal, expired=True)
    if code in _SKEWED or (code == "InvalidSignatureException" and str(message).startswith("Signature ")):
        # "Signature expired: … is now earlier than …", "Signature not yet current: …"; a wrong secret reads otherwise.
        return Verdict(refusal, skewed=True)
    if code in _NOT_APPLIED or status in _NOT_APPLIED_STATUSES:
        return Verdict(refusal, retry=True)
    # AWS of 500: "the operation might have succeeded"; a gateway's 502 to 504 says no more.
    return Verdict(refusal, retry=status >= 500, applied=status >= 500)


def service_time(response: Response) -> float | None:
    """The service's clock when it answered, in seconds since the epoch, or None when it does not say."""
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(response.headers[b"date"].decode("latin-1")).timestamp()
    except (KeyError, ValueError):
        return None


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _code(fields: dict[str, Any], headers: dict[bytes, bytes]) -> str | None:
    """``com.amazonaws.dynamodb.v20120810#ResourceNotFoundException`` without its namespace."""
    code = fields.get("__type") or fields.get("code") or headers.get(b"x-amzn-errortype", b"").decode("latin-1")
    if not isinstance(code, str):
        return None
    return code.rpartition("#")[2].partition(":")[0] or None


def _foreign(response: Response, url: str) -> ServiceError:
    kind = response.headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip()[:60]
    kind = kind if kind.isascii() and kind.isprintable() and kind else "no content type"
    text = f"{url} answered HTTP {response.status} with {kind} and {len(response.body)} bytes that are not DynamoDB's"
    if 300 <= response.status < 400:
        text += ": it redirects, which DynamoDB never does; check the endpoint"
    else:
        text += ": a proxy or another server is answering; check the endpoint"
    return ServiceError(text, code=f"HTTP{response.status}", status=response.status, request_id=None)
