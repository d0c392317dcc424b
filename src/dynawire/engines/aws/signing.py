"""Requests as bytes: HTTP/1.1 headers and AWS Signature Version 4, with everything that can be kept between calls kept.

The algorithm: "Create a signed AWS API request" in AWS's IAM user guide. What a second's requests have in common (date,
derived key, headers up to the body's hash) is computed once per second and operation; per request remain four SHA-256
blocks' worth of hashing and one string format.
"""

from __future__ import annotations

import hmac
import time
from binascii import hexlify
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from dynawire.engines.aws.credentials import Credentials
from dynawire.engines.aws.endpoints import Endpoint

__all__ = ["RequestSigner", "target"]

_SERVICE = "dynamodb"
_SKEW_WORTH_CORRECTING = 60.0
"""Seconds. The service tolerates five minutes, so a smaller difference was not why it refused."""

_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


def target(operation: str) -> str:
    """The ``X-Amz-Target`` of an operation: the API it belongs to, by name and version, and its name."""
    return f"DynamoDB_20120810.{operation}"


class _Second:
    """What all requests signed in one second with one set of credentials share."""

    __slots__ = ("credentials", "inner", "outer", "prefix", "requests", "scope", "second", "stamp")

    def __init__(self, second: int, credentials: Credentials, region: str) -> None:
        self.second = second
        self.credentials = credentials
        self.stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        date = self.stamp[:8]
        self.scope = f"{date}/{region}/{_SERVICE}/aws4_request"
        self.prefix = f"AWS4-HMAC-SHA256\n{self.stamp}\n{self.scope}\n".encode()
        key = b"AWS4" + credentials.secret_access_key.encode()
        for part in (date, region, _SERVICE, "aws4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        # HMAC (RFC 2104) with its two key blocks already hashed: copying them costs half of hmac.digest().
        block = key.ljust(64, b"\0")
        self.inner = sha256(block.translate(_INNER))
        self.outer = sha256(block.translate(_OUTER))
        self.requests: dict[str, tuple[bytes, Any]] = {}


class RequestSigner:
    """Writes the requests for one endpoint. Safe to share between threads.

    Args:
        endpoint: where they go.
        clock: seconds since the epoch.

    Attributes:
        offset: seconds added to the local clock, learned from the service when it called a request's time wrong.
    """

    __slots__ = ("_clock", "_current", "_endpoint", "_path", "offset")

    def __init__(self, endpoint: Endpoint, clock: Callable[[], float] = time.time) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._path = _canonical_path(endpoint.path)
        self._current: _Second | None = None
        self.offset = 0.0

    def request(self, operation: str, body: bytes, credentials: Credentials) -> bytes:
        """The signed request, head and body."""
        second = int(self._clock() + self.offset)
        current = self._current
        if current is None or current.second != second or current.credentials is not credentials:
            # Made whole before it is published: another thread uses the old or the new one, never a mixture.
            self._current = current = _Second(second, credentials, self._endpoint.region)
        try:
            head, canonical = current.requests[operation]
        except KeyError:
            head, canonical = current.requests[operation] = self._begin(current, operation)
        digest = canonical.copy()
        digest.update(sha256(body).hexdigest().encode())
        inner = current.inner.copy()
        inner.update(current.prefix + hexlify(digest.digest()))
        outer = current.outer.copy()
        outer.update(inner.digest())
        return b"%b%b\r\ncontent-length: %d\r\n\r\n%b" % (head, hexlify(outer.digest()), len(body), body)

    def correct_clock(self, service_time: float) -> bool:
        """Sign with the service's time from now on.

        Args:
            service_time: the service's clock, in seconds since the epoch.

        Returns:
            Whether that changed anything, so that signing again can help.
        """
        offset = service_time - self._clock()
        if abs(offset - self.offset) < _SKEW_WORTH_CORRECTING:
            return False
        self.offset = offset
        return True

    def _begin(self, current: _Second, operation: str) -> tuple[bytes, Any]:
        if not (operation.isascii() and operation.isalnum()):
            raise ValueError(f"{operation!r} is not an operation name")
        host = self._endpoint.host_header
        credentials = current.credentials
        signed = [
            ("content-type", "application/x-amz-json-1.0"),
            ("host", host),
            ("x-amz-date", current.stamp),
            ("x-amz-target", target(operation)),
        ]
        if credentials.session_token is not None:
            signed.insert(3, ("x-amz-security-token", credentials.session_token))
        names = ";".join(name for name, _ in signed)
        canonical = "".join(f"{name}:{value}\n" for name, value in signed)
        head = (
            f"POST {self._path[0]} HTTP/1.1\r\n"
            + "".join(f"{name}: {value}\r\n" for name, value in signed)
            + "accept-encoding: identity\r\nuser-agent: dynawire\r\n"
            + f"authorization: AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{current.scope}, "
            + f"SignedHeaders={names}, Signature="
        )
        return head.encode(), sha256(f"POST\n{self._path[1]}\n\n{canonical}\n{names}\n".encode())


def _canonical_path(path: str) -> tuple[str, str]:
    """The path as sent, and as Signature Version 4 wants it signed: normalised and encoded once more."""
    if path == "/":
        return "/", "/"
    from urllib.parse import quote

    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    normal = "/" + "/".join(kept) + ("/" if kept and path.endswith("/") else "")
    return path, quote(normal, safe="/~")
