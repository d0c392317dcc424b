"""Signature Version 4 against botocore's own signer."""

from __future__ import annotations

import datetime
from unittest import mock

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.engines.aws.credentials import Credentials
from dynawire.engines.aws.endpoints import resolve_endpoint
from dynawire.engines.aws.signing import RequestSigner

# Credentials as AWS makes them, and any others that can stand in a header.
_TOKENS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=60)
_TIMES = st.integers(946_684_800, 4_102_444_800)
_PATHS = st.sampled_from(["", "/", "/prefix", "/a/b/", "/a//b", "/a/./b/../c", "/~user/x-y_z.0", "/50%25/a+b", "/a:b"])


def parts(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return first, dict(line.split(": ", 1) for line in lines), body


@given(
    key=_TOKENS,
    secret=_TOKENS,
    token=st.none() | _TOKENS,
    body=st.binary(max_size=200),
    now=_TIMES,
    region=st.sampled_from(["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1"]),
    operation=st.sampled_from(["GetItem", "TransactWriteItems"]),
    host=st.sampled_from(["dynamodb.eu-west-1.amazonaws.com", "localhost:8000", "[::1]:8000", "127.0.0.1:80"]),
    path=_PATHS,
)
def test_signatures_are_botocores(
    key: str, secret: str, token: str | None, body: bytes, now: int, region: str, operation: str, host: str, path: str
) -> None:
    endpoint = resolve_endpoint(f"http://{host}{path}", region=region)
    signer = RequestSigner(endpoint, clock=lambda: now + 0.9)
    credentials = Credentials(key, secret, token)
    first, headers, sent = parts(signer.request(operation, body, credentials))
    assert sent == body
    assert headers["content-length"] == str(len(body))
    assert first == f"POST {path or '/'} HTTP/1.1"

    theirs = botocore.awsrequest.AWSRequest(
        "POST",
        f"http://{host}{path or '/'}",
        {"Content-Type": headers["content-type"], "X-Amz-Target": f"DynamoDB_20120810.{operation}"},
        body,
    )
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC).replace(tzinfo=None)
    with mock.patch("botocore.auth.get_current_datetime", return_value=moment):
        botocore.auth.SigV4Auth(botocore.credentials.Credentials(key, secret, token), "dynamodb", region).add_auth(
            theirs
        )
    assert headers["authorization"] == theirs.headers["Authorization"]
    assert headers["x-amz-date"] == theirs.headers["X-Amz-Date"]
    assert headers.get("x-amz-security-token") == theirs.headers.get("X-Amz-Security-Token")


def test_nothing_kept_outlives_its_time() -> None:
    """What is kept between calls gives the same bytes as a signer that has kept nothing."""
    endpoint = resolve_endpoint("http://localhost:8000")
    one, two = Credentials("A", "x"), Credentials("A", "y", "token")
    times: list[float] = []
    kept = RequestSigner(endpoint, clock=lambda: times[-1])
    seen = set()
    for now in (1.0e9, 1.0e9 + 0.5, 1.0e9 + 1, 1.0e9 + 86_400, 1.0e9):
        times.append(now)
        for credentials in (one, two, one):
            for operation in ("GetItem", "PutItem"):
                for body in (b"{}", b'{"a":1}'):
                    request = kept.request(operation, body, credentials)
                    fresh = RequestSigner(endpoint, clock=lambda: times[-1])
                    assert request == fresh.request(operation, body, credentials)
                    seen.add(request)
    assert len(seen) == 3 * 2 * 2 * 2


def test_the_clock_is_corrected_only_when_that_explains_the_refusal() -> None:
    endpoint = resolve_endpoint("http://localhost:8000")
    signer = RequestSigner(endpoint, clock=lambda: 1_000_000_000.0)
    assert not signer.correct_clock(1_000_000_030.0)
    assert signer.offset == 0.0
    assert signer.correct_clock(1_000_003_600.0)
    _, headers, _ = parts(signer.request("GetItem", b"{}", Credentials("A", "s")))
    assert headers["x-amz-date"] == "20010909T024640Z"
    assert not signer.correct_clock(1_000_003_590.0)


def test_an_operation_name_cannot_break_out_of_its_header() -> None:
    signer = RequestSigner(resolve_endpoint("http://localhost:8000"))
    with pytest.raises(ValueError, match="not an operation name"):
        signer.request("GetItem\r\nX: y", b"{}", Credentials("A", "s"))
