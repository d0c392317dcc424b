"""What the blocking and the asyncio transport share: where to connect, TLS, the tunnel through a proxy, and what
failures to connect mean.
"""

from __future__ import annotations

import os
import re
import select
import socket
import sys
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from dynawire.engines.aws.endpoints import Endpoint
from dynawire.engines.aws.retry import AttemptFailed
from dynawire.errors import ValidationError

if TYPE_CHECKING:
    import ssl

__all__ = ["IDLE_LIMIT", "JUST_USED", "READ_SIZE", "Origin", "Tunnel", "connect_share", "prepare", "unread_check"]

IDLE_LIMIT = 20.0
"""Seconds after which an idle connection is not used again: servers close idle ones, and a request sent at that very
moment would leave its outcome unknown."""
JUST_USED = 0.005
"""Seconds a connection may have been idle to carry an idempotent request without a look at its socket, which is a
system call: a server that ends connections waits longer before it does, and if not, the request is sent again."""

READ_SIZE = 64 * 1024
"""Bytes asked for at a time, into a buffer that a connection keeps: a new one for every call can cost as much as all
the rest of it, when the allocator gives its pages back to the system in between."""

_PROXY = (
    r"(?:http://)?(?:(?P<user>[^:@/]*)(?::(?P<password>[^@/]*))?@)?"
    r"(?:\[(?P<literal>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>\d{1,5})/?"
)


class Origin:
    """How to reach one endpoint.

    Args:
        endpoint: the endpoint.
        timeout: seconds from sending a request to the end of its response.
        connect_timeout: seconds a connection may take, TLS included.
        verify: whether to check the server's certificate.
        ca_bundle: file of CA certificates to trust instead of the system's; default ``AWS_CA_BUNDLE``.
        proxy: URL of an HTTP proxy to tunnel through, ``""`` for none; default: ``HTTPS_PROXY`` and ``NO_PROXY``.
        environment: read instead of ``os.environ``.
    """

    __slots__ = (
        "_authorization",
        "_ca_bundle",
        "_context",
        "_lock",
        "_verify",
        "connect_timeout",
        "endpoint",
        "peer",
        "timeout",
        "tunnelled",
    )

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        timeout: float,
        connect_timeout: float,
        verify: bool = True,
        ca_bundle: str | None = None,
        proxy: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        settings = os.environ if environment is None else environment
        self.endpoint = endpoint
        self.timeout = timeout
        self.connect_timeout = connect_timeout
        self._verify = verify
        self._ca_bundle = ca_bundle or settings.get("AWS_CA_BUNDLE") or None
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self.peer = (endpoint.host, endpoint.port)
        self.tunnelled = False
        self._authorization: bytes | None = None
        proxy = _environment_proxy(endpoint, settings) if proxy is None else proxy
        if proxy:
            self._use_proxy(proxy)

    def __repr__(self) -> str:
        return f"<Origin {self.endpoint.url}>"

    def tls(self) -> ssl.SSLContext | None:
        """The TLS settings, or None when the endpoint is spoken to in the clear.

        Raises:
            ValidationError: the CA bundle cannot be read.
        """
        if not self.endpoint.secure:
            return None
        with self._lock:
            if self._context is None:
                self._context = self._make_context()
            return self._context

    def tunnel(self) -> Tunnel | None:
        """A new tunnel to be opened through the proxy, or None when there is no proxy."""
        return Tunnel(self.endpoint, self._authorization) if self.tunnelled else None

    def unreachable(self, error: BaseException) -> AttemptFailed:
        """What a failure to connect means. Nothing had been sent."""
        if isinstance(error, AttemptFailed):
            return error
        name = f"{self.peer[0]}:{self.peer[1]}"
        if self.tunnelled:
            name = f"the proxy {name}"
        # Who has met an error of TLS has imported it; nobody else need.
        if "ssl" in sys.modules:
            failure = self._untrusted(error)
            if failure is not None:
                return failure
        if isinstance(error, socket.gaierror):
            return AttemptFailed(f"the host name {self.peer[0]!r} cannot be resolved: check it, and DNS", sent=False)
        if isinstance(error, ConnectionRefusedError):
            local = "" if self.endpoint.aws or self.tunnelled else ": is DynamoDB Local, or your server, running there?"
            return AttemptFailed(f"connection refused by {name}{local}", sent=False)
        if isinstance(error, TimeoutError):
            seconds = f"{self.connect_timeout:g} s"
            return AttemptFailed(
                f"no connection to {name} within {seconds}: check network, firewall, proxy", sent=False
            )
        what = getattr(error, "strerror", None) or type(error).__name__
        return AttemptFailed(f"connecting to {name} failed ({what})", sent=False)

    def after_fork(self) -> None:
        """Make it usable in a child process, where no other thread can give the lock back."""
        self._lock = threading.Lock()

    def _untrusted(self, error: BaseException) -> AttemptFailed | None:
        import ssl

        if isinstance(error, ssl.SSLCertVerificationError):
            reason = f"the certificate of {self.endpoint.host} is not trusted ({error.verify_message})"
            return AttemptFailed(f"{reason}: pass ca_bundle= with the CA to trust", sent=False, permanent=True)
        if isinstance(error, ssl.SSLError):
            what = (error.reason or type(error).__name__).replace("_", " ").lower()
            hint = "if it does not speak TLS, write http:// instead of https://"
            return AttemptFailed(f"the TLS handshake failed ({what}); {hint}", sent=False)
        return None

    def _make_context(self) -> ssl.SSLContext:
        import ssl

        try:
            context = ssl.create_default_context(cafile=self._ca_bundle)
        except OSError as error:
            unreadable = not isinstance(error, ssl.SSLError)
            what = error.strerror if unreadable else "it is not a file of PEM certificates"
            raise ValidationError(f"The CA bundle {self._ca_bundle!r} cannot be used: {what}.") from error
        context.set_alpn_protocols(["http/1.1"])
        if not self._verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _use_proxy(self, proxy: str) -> None:
        found = re.fullmatch(_PROXY, proxy)
        if found is None:
            # A proxy's URL often holds a password, so it is not shown.
            raise ValidationError("The proxy (proxy= or HTTPS_PROXY) must look like http://host:port.")
        self.peer = (found["literal"] or found["host"], int(found["port"]))
        self.tunnelled = True
        if found["user"]:
            from urllib.parse import unquote

            pair = f"{unquote(found['user'])}:{unquote(found['password'] or '')}"
            self._authorization = b"Basic " + b64encode(pair.encode())


class Tunnel:
    """The request that opens a tunnel through an HTTP proxy (CONNECT, RFC 9110 §9.3.6), and the reading of its answer.

    Attributes:
        request: the bytes to send.
    """

    __slots__ = ("_received", "request")

    def __init__(self, endpoint: Endpoint, authorization: bytes | None) -> None:
        name = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        target = f"{name}:{endpoint.port}".encode()
        credentials = b"" if authorization is None else b"proxy-authorization: %b\r\n" % authorization
        self.request = b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (target, target, credentials)
        self._received = b""

    def feed(self, data: bytes) -> bool:
        """Take what the proxy sent, ``b""`` when it closed the connection; whether the tunnel is open.

        Raises:
            AttemptFailed: the proxy refused.
        """
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            if not data or len(head) > 64 * 1024:
                raise AttemptFailed("the proxy's answer to CONNECT is not HTTP", sent=False)
            return False
        found = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        if found is None or rest:
            raise AttemptFailed("the proxy's answer to CONNECT is not HTTP", sent=False)
        status = int(found[1])
        if 200 <= status < 300:
            return True
        hint = ": it wants a user name and password, http://user:password@host:port" if status == 407 else ""
        raise AttemptFailed(
            f"the proxy refused the connection with HTTP {status}{hint}", sent=False, permanent=status < 500
        )


def prepare(sock: socket.socket) -> None:
    """Set the options every connection has: requests leave at once, dead peers are noticed."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def connect_share(remaining: float, addresses_left: int) -> float:
    """Seconds to give one of several addresses of a host, so that one that never answers leaves time for the next."""
    return max(remaining, 0.001) / (2 if addresses_left > 1 else 1)


def unread_check(sock: socket.socket) -> Callable[[int], Sequence[object]]:
    """A function that tells whether a socket has something to read, or was closed by its peer; else it gives nothing.

    On a connection that is idle, both mean that it must not be used again. The function takes how many milliseconds to
    wait, and is the system call itself: writes pay for everything around it.
    """
    if hasattr(select, "poll"):
        poller = select.poll()
        poller.register(sock, select.POLLIN)
        return poller.poll
    return lambda _: select.select([sock], [], [], 0)[0]


def _environment_proxy(endpoint: Endpoint, settings: Mapping[str, str]) -> str | None:
    # Only TLS is tunnelled. A plain-HTTP endpoint is a server of one's own, next door.
    if not endpoint.secure:
        return None
    proxy = next(
        (settings[name] for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY") if settings.get(name)),
        None,
    )
    if proxy is None:
        return None
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    exceptions = settings.get("no_proxy") or settings.get("NO_PROXY") or ""
    return None if proxy_bypass_environment(f"{endpoint.host}:{endpoint.port}", {"no": exceptions}) else proxy
