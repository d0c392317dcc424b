"""TLS with real certificates, and tunnels through a real proxy."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from dynawire.engines.aws import AwsEngine
from dynawire.engines.aws.endpoints import resolve_endpoint
from dynawire.engines.aws.transport import Origin
from dynawire.errors import ConnectionFailed, OutcomeUnknown, ValidationError
from tests.aws.conftest import Client
from tests.aws.scripted import RELEASE_TIMEOUT, Gate, Peer, Request, ScriptedServer, echo, hang_up, raw, response

Wrap = Callable[[socket.socket], ssl.SSLSocket]


def server_side(certificate: trustme.LeafCert) -> Wrap:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return lambda sock: context.wrap_socket(sock, server_side=True)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="module")
def wrap(authority: trustme.CA) -> Wrap:
    return server_side(authority.issue_cert("localhost", "127.0.0.1"))


def test_requests_over_tls(client: Client, wrap: Wrap, ca_bundle: str) -> None:
    with ScriptedServer(wrap=wrap) as server:
        engine = client.connect(server.url, ca_bundle=ca_bundle)
        for n in range(5):
            # One connection for all: the session tickets of TLS 1.3 are not mistaken for a stray answer.
            assert client.send(engine, "UpdateItem", b'{"n":%d}' % n, idempotent=False) == b'{"n":%d}' % n
        body = b'{"x":"%b"}' % (b"x" * 500_000)
        assert client.send(engine, "PutItem", body) == body
        assert server.connections == 1


def test_the_ca_bundle_of_the_environment(
    client: Client, wrap: Wrap, ca_bundle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", ca_bundle)
    with ScriptedServer(wrap=wrap) as server:
        assert client.send(client.connect(server.url), "GetItem", b'{"n":1}') == b'{"n":1}'


def test_an_unknown_authority_is_refused_at_once(client: Client, wrap: Wrap) -> None:
    with ScriptedServer(wrap=wrap) as server:
        engine = client.connect(server.url)
        with pytest.raises(ConnectionFailed, match=r"certificate of localhost is not trusted .*ca_bundle="):
            client.send(engine, "GetItem")
        assert client.waits.seconds == []
        assert server.connections == 1
        assert server.requests == []
        trusting = client.connect(server.url, verify=False)
        assert client.send(trusting, "GetItem", b'{"n":1}') == b'{"n":1}'


def test_a_certificate_of_another_host_is_refused(client: Client, authority: trustme.CA, ca_bundle: str) -> None:
    with ScriptedServer(wrap=server_side(authority.issue_cert("other.example"))) as server:
        engine = client.connect(server.url, ca_bundle=ca_bundle)
        with pytest.raises(ConnectionFailed, match="not trusted"):
            client.send(engine, "GetItem")
        assert server.requests == []


def test_a_ca_bundle_that_cannot_be_read(client: Client, tmp_path: Path) -> None:
    engine = client.connect("https://localhost:1", ca_bundle=str(tmp_path / "absent.pem"))
    with pytest.raises(ValidationError, match=r"absent\.pem' cannot be used: No such file"):
        client.send(engine, "GetItem")
    (tmp_path / "empty.pem").write_text("nothing")
    engine = client.connect("https://localhost:1", ca_bundle=str(tmp_path / "empty.pem"))
    with pytest.raises(ValidationError, match=r"empty\.pem' cannot be used: it is not a file of PEM certificates"):
        client.send(engine, "GetItem")


def test_https_to_a_server_of_plain_http(client: Client) -> None:
    def refuse(peer: Peer) -> bool:
        peer.sock.recv(65536)
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        return False

    with ScriptedServer(greet=refuse) as server:
        engine = client.connect(f"https://localhost:{server.port}")
        with pytest.raises(ConnectionFailed, match=r"TLS handshake failed \(wrong version number\); .*http://"):
            client.send(engine, "UpdateItem", idempotent=False)


def test_a_handshake_that_never_ends(client: Client) -> None:
    silence = threading.Event()
    with ScriptedServer(greet=lambda peer: silence.wait(RELEASE_TIMEOUT) and False) as server:
        engine = client.connect(f"https://localhost:{server.port}", {"max_connect_attempts": 1}, connect_timeout=0.2)
        with pytest.raises(ConnectionFailed, match=r"within 0\.2 s"):
            client.send(engine, "UpdateItem", idempotent=False)
        silence.set()


def test_a_slow_handshake_takes_no_time_from_the_request(client: Client, wrap: Wrap, ca_bundle: str) -> None:
    def slowly(sock: socket.socket) -> ssl.SSLSocket:
        time.sleep(1.1)
        return wrap(sock)

    with ScriptedServer(wrap=slowly) as server:
        engine = client.connect(server.url, ca_bundle=ca_bundle, timeout=1.0)
        # It comes in several reads; before each the time that is left is looked at.
        body = b'{"x":"%b"}' % (b"x" * 200_000)
        assert client.send(engine, "UpdateItem", body, idempotent=False) == body


def test_faults_inside_tls(client: Client, wrap: Wrap, ca_bundle: str) -> None:
    gate = Gate(hang_up)
    with ScriptedServer(hang_up, raw(response(b'{"a":1}')[:-2]), gate, wrap=wrap) as server:
        engine = client.connect(server.url, ca_bundle=ca_bundle, timeout=0.5)
        for reason in ("without an answer", "in the middle of the answer", "no answer within"):
            with pytest.raises(OutcomeUnknown, match=reason):
                client.send(engine, "UpdateItem", idempotent=False)
        gate.open.set()
        assert client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'
        # Idempotent requests survive all of it.
        server._script.extend([hang_up, raw(response(b'{"a":1}')[:-2])])
        assert client.send(engine, "PutItem", b'{"n":3}') == b'{"n":3}'


def test_an_idle_tls_connection_the_server_closed_is_not_used(client: Client, wrap: Wrap, ca_bundle: str) -> None:
    with ScriptedServer(raw(response(b'{"a":1}')), wrap=wrap) as server:
        engine = client.connect(server.url, ca_bundle=ca_bundle)
        assert client.send(engine, "UpdateItem", idempotent=False) == b'{"a":1}'
        assert server.ended.wait(RELEASE_TIMEOUT)
        assert client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'


class Goodbye:
    """Answers, ends the TLS session without waiting for the client to do the same, and keeps the connection open."""

    def __init__(self) -> None:
        self.said = threading.Event()
        self.close = threading.Event()

    def __call__(self, peer: Peer, request: Request) -> bool:
        assert isinstance(peer.sock, ssl.SSLSocket)
        peer.send(response(b'{"a":1}'))
        peer.sock.settimeout(0.01)
        with contextlib.suppress(OSError):
            peer.sock.unwrap()
        self.said.set()
        self.close.wait(RELEASE_TIMEOUT)
        return False


@pytest.mark.parametrize("kind", ["asyncio", "uvloop"])
def test_a_response_and_the_end_of_tls_in_one_read(kind: str, wrap: Wrap, ca_bundle: str) -> None:
    factory = asyncio.new_event_loop if kind == "asyncio" else pytest.importorskip("uvloop").new_event_loop
    goodbye = Goodbye()
    gate = Gate(goodbye)

    async def twice(engine: AwsEngine) -> list[bytes]:
        # The second goes out as soon as the answer to the first is in, and must not be lost with the connection.
        return [await engine.asend("UpdateItem", body, idempotent=False) for body in (b'{"n":1}', b'{"n":2}')]

    async def run(server: ScriptedServer) -> list[bytes]:
        engine = AwsEngine(server.url, ca_bundle=ca_bundle)
        task = asyncio.create_task(twice(engine))
        assert await asyncio.to_thread(gate.arrived.wait, RELEASE_TIMEOUT)
        gate.open.set()
        # The loop sees nothing until the server has said all.
        assert goodbye.said.wait(RELEASE_TIMEOUT)
        answers = await task
        goodbye.close.set()
        await engine.aclose()
        return answers

    with ScriptedServer(gate, wrap=wrap) as server, asyncio.Runner(loop_factory=factory) as runner:
        assert runner.run(run(server)) == [b'{"a":1}', b'{"n":2}']
        assert server.connections == 2


class Proxy:
    """An HTTP proxy that knows only CONNECT."""

    def __init__(self, answer: bytes = b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n") -> None:
        self.heads: list[bytes] = []
        self._answer = answer

    def __call__(self, peer: Peer) -> bool:
        request = peer.read_request()
        if request is None:
            return False
        self.heads.append(request.head)
        _, target, _ = request.head.split(b"\r\n")[0].split(b" ")
        host, _, port = target.decode().rpartition(":")
        for byte in self._answer[:20]:
            peer.send(bytes([byte]))
        peer.send(self._answer[20:])
        if b" 200 " in self._answer[:20]:
            with socket.create_connection((host, int(port))) as upstream:
                back = threading.Thread(target=self._pump, args=(upstream, peer.sock))
                back.start()
                self._pump(peer.sock, upstream)
                back.join(RELEASE_TIMEOUT)
        return False

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            try:
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass


@pytest.fixture
def proxy() -> Iterator[tuple[Proxy, ScriptedServer]]:
    proxy = Proxy()
    with ScriptedServer(echo, greet=proxy) as listening:
        yield proxy, listening


def test_a_proxy_is_tunnelled_through(
    client: Client, wrap: Wrap, ca_bundle: str, proxy: tuple[Proxy, ScriptedServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:p%40ss@127.0.0.1:{proxy[1].port}")
    with ScriptedServer(wrap=wrap) as server:
        engine = client.connect(server.url, ca_bundle=ca_bundle)
        for n in range(3):
            assert client.send(engine, "GetItem", b'{"n":%d}' % n) == b'{"n":%d}' % n
        assert len(proxy[0].heads) == 1
        assert proxy[0].heads[0].startswith(b"CONNECT localhost:%d HTTP/1.1\r\nhost: localhost:" % server.port)
        assert b"proxy-authorization: Basic dXNlcjpwQHNz" in proxy[0].heads[0]
        assert all("proxy-authorization" not in request.headers for request in server.requests)
        monkeypatch.setenv("NO_PROXY", "localhost,.example.org")
        direct = client.connect(server.url, ca_bundle=ca_bundle)
        client.send(direct, "GetItem")
        assert len(proxy[0].heads) == 1
        client.close()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "HTTP 407: it wants a user name"),
        (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", "proxy refused the connection with HTTP 403"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "HTTP 502"),
        (b"220 smtp.example.org ESMTP\r\n", "answer to CONNECT is not HTTP"),
    ],
)
def test_a_proxy_that_refuses(client: Client, answer: bytes, message: str) -> None:
    with ScriptedServer(greet=Proxy(answer)) as listening:
        engine = client.connect(
            "https://dynamodb.example.org", region="us-east-1", proxy=f"http://user:hunter2@localhost:{listening.port}"
        )
        with pytest.raises(ConnectionFailed, match=message) as caught:
            client.send(engine, "UpdateItem", idempotent=False)
        assert "hunter2" not in str(caught.value)


def test_a_proxy_that_is_not_there(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    engine = client.connect("dynamodb://eu-west-1", access_key_id="A", secret_access_key="s", proxy=f"127.0.0.1:{port}")
    with pytest.raises(ConnectionFailed, match=f"connection refused by the proxy 127.0.0.1:{port}"):
        client.send(engine, "GetItem")


@pytest.mark.parametrize(
    ("environment", "url", "peer"),
    [
        ({"HTTPS_PROXY": "http://p:3128"}, "https://host", ("p", 3128)),
        ({"https_proxy": "p:3128"}, "https://host", ("p", 3128)),
        ({"ALL_PROXY": "http://[::1]:3128/"}, "https://host", ("::1", 3128)),
        ({"HTTPS_PROXY": "http://p:3128"}, "http://host", ("host", 80)),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "*"}, "https://host", ("host", 443)),
        (
            {"HTTPS_PROXY": "http://p:3128", "no_proxy": "other, .org"},
            "https://host.example.org",
            ("host.example.org", 443),
        ),
        ({"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "host:444"}, "https://host", ("p", 3128)),
        ({"HTTPS_PROXY": ""}, "https://host", ("host", 443)),
    ],
)
def test_which_proxy_counts(environment: dict[str, str], url: str, peer: tuple[str, int]) -> None:
    endpoint = resolve_endpoint(url, environment={})
    assert Origin(endpoint, timeout=1, connect_timeout=1, environment=environment).peer == peer
    assert Origin(endpoint, timeout=1, connect_timeout=1, environment=environment, proxy="").peer[0] == endpoint.host


@pytest.mark.parametrize("url", ["https://user:hunter2@p:3128", "socks5://p:1080", "http://p", "http://user:hunter2@p"])
def test_proxies_that_cannot_be_used(url: str) -> None:
    endpoint = resolve_endpoint("https://host", environment={})
    with pytest.raises(ValidationError, match="must look like http://host:port") as caught:
        Origin(endpoint, timeout=1, connect_timeout=1, environment={"HTTPS_PROXY": url})
    assert "hunter2" not in str(caught.value)
