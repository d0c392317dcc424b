"""What answers other than a success mean."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire import errors
from dynawire.engines.aws.http1 import Response
from dynawire.engines.aws.responses import read_error, service_time

URL = "http://somewhere"


def verdict_of(body: bytes, status: int = 400, headers: dict[bytes, bytes] | None = None) -> errors.DynawireError:
    return read_error(Response(status, headers or {}, body, True), URL).error


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", errors.ConditionFailed),
        ("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", errors.TableNotFound),
        ("com.amazonaws.dynamodb.v20120810#ResourceInUseException", errors.TableInUse),
        ("com.amazonaws.dynamodb.v20120810#TransactionConflictException", errors.TransactionConflict),
        ("com.amazonaws.dynamodb.v20120810#ItemCollectionSizeLimitExceededException", errors.LimitExceeded),
        ("com.amazon.coral.validate#ValidationException", errors.ServiceError),
        ("com.amazon.coral.service#SerializationException", errors.ServiceError),
        ("com.amazon.coral.service#UnrecognizedClientException", errors.CredentialsError),
        ("AccessDeniedException", errors.CredentialsError),
        ("ValidationException:http://internal.amazon.com/coral/com.amazon.coral.validate/", errors.ServiceError),
    ],
)
def test_codes(code: str, kind: type[errors.DynawireError]) -> None:
    for name in ("message", "Message"):
        body = json.dumps({"__type": code, name: "What happened."}).encode()
        found = verdict_of(body, headers={b"x-amzn-requestid": b"REQ1"})
        assert type(found) is kind
        short = code.rpartition("#")[2].partition(":")[0]
        assert str(found) == f"{short}: What happened."
        assert (found.code, found.request_id) == (short, "REQ1")  # type: ignore[attr-defined]


def test_the_code_may_stand_in_a_header() -> None:
    found = verdict_of(b"{}", headers={b"x-amzn-errortype": b"ThrottlingException:http://x/"})
    assert isinstance(found, errors.Throttled)


def test_cancellation_reasons() -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"pk": {"S": "hidden"}}}]
    body = {
        "__type": "x#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    }
    found = verdict_of(json.dumps(body).encode())
    assert isinstance(found, errors.TransactionCancelled)
    assert found.wire_reasons == reasons
    assert "hidden" not in str(found)


@given(
    body=st.binary(max_size=60)
    | st.sampled_from([b"", b"[]", b"null", b'"x"', b'{"__type":5}', b'{"a":"\xff"}', b'{"__type":""}']),
    status=st.sampled_from([200, 201, 302, 400, 403, 404, 413, 429, 500, 502, 503, 504]),
    kind=st.binary(max_size=100),
)
def test_anything_else_is_a_service_error_that_tells_nothing_of_it(body: bytes, status: int, kind: bytes) -> None:
    verdict = read_error(Response(status, {b"content-type": kind}, b"secret" + body, True), URL)
    assert isinstance(verdict.error, errors.ServiceError)
    assert (verdict.error.code, verdict.error.status) == (f"HTTP{status}", status)
    assert "secret" not in verdict.error.message
    assert verdict.error.message.isprintable()
    assert verdict.applied == (status < 300 or status >= 500)
    assert verdict.retry == (verdict.applied or status == 429)


def test_bodies_of_the_wrong_shape() -> None:
    for body in (b"", b"[]", b"null", b'{"__type":5}', b'{"a":"\xff"}', b'{"__type":""}', b'{"a":' * 100_000):
        found = verdict_of(body)
        assert isinstance(found, errors.ServiceError)
        assert found.code == "HTTP400"


def test_the_services_clock() -> None:
    def clock(date: bytes | None) -> float | None:
        return service_time(Response(400, {} if date is None else {b"date": date}, b"", True))

    assert clock(b"Sun, 09 Sep 2001 01:46:40 GMT") == 1_000_000_000
    assert clock(None) is None
    for wrong in (b"", b"yesterday", b"Sun, 99 Sep 2001 01:46:40 GMT", b"\xff"):
        assert clock(wrong) is None
