"""What the engine does when the server, or the way to it, misbehaves: blocking and asynchronous alike."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import pytest

from dynawire.engines.aws import Credentials
from dynawire.errors import ConditionFailed, ConnectionFailed, OutcomeUnknown, ServiceError, Throttled, ValidationError
from tests.aws.conftest import Client
from tests.aws.scripted import (
    RELEASE_TIMEOUT,
    Gate,
    Peer,
    Request,
    ScriptedServer,
    echo,
    fault,
    hang_up,
    raw,
    reply,
    reset,
    response,
)

LOST = {
    "closed without an answer": hang_up,
    "reset": reset,
    "half a head": raw(b"HTTP/1.1 200 OK\r\nContent-"),
    "half a body": raw(response(b'{"a":1}')[:-3]),
    "half a chunk": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\r\n"),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "another protocol": raw(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n"),
    "endless header": raw(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000),
    "wrong checksum": reply(b'{"a":1}', headers={"x-amz-crc32": "12345"}),
    "compressed": reply(b"{}", headers={"Content-Encoding": "gzip"}),
    "a success that is not DynamoDB's": reply(b"<html>Please log in</html>", headers={"Content-Type": "text/html"}),
}
UNSURE = LOST | {
    "InternalServerError": fault("InternalServerError", status=500),
    "ServiceUnavailable": fault("ServiceUnavailable", status=503),
    "bad gateway": reply(b"<html>502</html>", 502, {"Content-Type": "text/html"}),
    "gateway timeout": reply(b"", 504),
}
NOT_APPLIED = {
    "throttled": fault("ProvisionedThroughputExceededException"),
    "ThrottlingException": fault("ThrottlingException"),
    "RequestLimitExceeded": fault("RequestLimitExceeded"),
    "throttled with 500": fault("ThrottlingException", status=500),
    "429 of a proxy": reply(b"slow down", 429, {"Content-Type": "text/plain"}),
    "in progress": fault("TransactionInProgressException"),
    "conflict between regions": fault("ReplicatedWriteConflictException", status=409),
}


@pytest.mark.parametrize("step", UNSURE.values(), ids=UNSURE.keys())
def test_a_lost_response_is_asked_for_again_when_that_is_safe(client: Client, step: Any) -> None:
    with ScriptedServer(step) as server:
        engine = client.connect(server.url)
        assert client.send(engine, "PutItem", b'{"n":1}', idempotent=True) == b'{"n":1}'
        assert server.bodies == [b'{"n":1}', b'{"n":1}']
        assert client.waits.seconds == [0.05]


@pytest.mark.parametrize("step", UNSURE.values(), ids=UNSURE.keys())
def test_a_lost_response_to_a_write_is_told_when_it_is_not(client: Client, step: Any) -> None:
    with ScriptedServer(step) as server:
        engine = client.connect(server.url)
        with pytest.raises(OutcomeUnknown) as caught:
            client.send(engine, "UpdateItem", b'{"secret":"value"}', idempotent=False)
        assert len(server.requests) == 1
        assert caught.value.operation == "UpdateItem"
        assert caught.value.endpoint == server.url
        assert "may or may not have been applied" in str(caught.value)
        assert "value" not in str(caught.value)
        # The next request has a connection that is in order.
        assert client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'


@pytest.mark.parametrize("step", NOT_APPLIED.values(), ids=NOT_APPLIED.keys())
def test_what_was_refused_for_the_moment_is_sent_again_always(client: Client, step: Any) -> None:
    with ScriptedServer(step, step, step) as server:
        engine = client.connect(server.url)
        assert client.send(engine, "UpdateItem", b'{"n":1}', idempotent=False) == b'{"n":1}'
        assert client.waits.seconds == [0.05, 0.1, 0.2]
        assert server.connections == 1


def test_a_condition_is_final(client: Client) -> None:
    step = fault("ConditionalCheckFailedException", "The conditional request failed", Item={"pk": {"S": "hidden"}})
    with ScriptedServer(step) as server:
        engine = client.connect(server.url)
        with pytest.raises(ConditionFailed) as caught:
            client.send(engine, "PutItem")
        assert len(server.requests) == 1
        assert caught.value.wire_item == {"pk": {"S": "hidden"}}
        assert (caught.value.code, caught.value.request_id) == ("ConditionalCheckFailedException", "REQUEST1")
        assert caught.value.status == 400
        assert "hidden" not in str(caught.value)
        assert client.send(engine, "PutItem", b'{"n":2}') == b'{"n":2}'
        assert server.connections == 1


def test_throttling_that_never_ends(client: Client) -> None:
    with ScriptedServer(*[fault("ProvisionedThroughputExceededException", "Too fast.")] * 5) as server:
        engine = client.connect(server.url, {"max_attempts": 4})
        with pytest.raises(Throttled, match="Too fast"):
            client.send(engine, "PutItem", idempotent=False)
        assert len(server.requests) == 4


def test_retries_end_at_the_deadline(client: Client) -> None:
    with ScriptedServer(*[fault("ThrottlingException")] * 20) as server:
        engine = client.connect(server.url, {"deadline": 1.0})
        with pytest.raises(Throttled):
            client.send(engine, "GetItem")
        assert sum(client.waits.seconds) <= 1.0
        assert client.waits.seconds == [0.05, 0.1, 0.2, 0.4]


def test_reads_never_leave_an_outcome_unknown(client: Client) -> None:
    with ScriptedServer(*[hang_up] * 3) as server:
        engine = client.connect(server.url, {"max_attempts": 3})
        with pytest.raises(ConnectionFailed, match=r"GetItem got no answer from .* \(3 attempts\)") as caught:
            client.send(engine, "GetItem", idempotent=False)
        assert caught.value.endpoint == server.url
        assert len(server.requests) == 3


def test_an_idempotent_write_that_stays_unanswered_is_not_called_unapplied(client: Client) -> None:
    with ScriptedServer(hang_up, *[fault("ThrottlingException")] * 3) as server:
        engine = client.connect(server.url, {"max_attempts": 3})
        # The last answer says "not applied", but the first request may have been.
        with pytest.raises(OutcomeUnknown, match="repeating it is safe"):
            client.send(engine, "PutItem", idempotent=True)


def test_a_server_that_goes_away_after_a_lost_write(client: Client) -> None:
    def vanish(peer: Peer, request: Request) -> bool:
        server._listener.shutdown(socket.SHUT_RDWR)
        server._listener.close()
        return False

    server = ScriptedServer(vanish)
    server._start(server._accept)
    engine = client.connect(server.url)
    with pytest.raises(OutcomeUnknown):
        client.send(engine, "PutItem", idempotent=True)


def test_an_idle_connection_the_server_closed_is_not_used(client: Client) -> None:
    def answer_and_close(peer: Peer, request: Request) -> bool:
        echo(peer, request)
        return False

    with ScriptedServer(answer_and_close) as server:
        engine = client.connect(server.url)
        client.send(engine, "UpdateItem", b'{"n":1}', idempotent=False)
        assert server.ended.wait(10)
        # Not idempotent: it works only because nothing is sent on the dead connection.
        assert client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'
        assert client.waits.seconds == []
        assert [request.connection for request in server.requests] == [1, 2]


def test_a_send_that_fails_before_its_first_byte_is_sent_again() -> None:
    def answer_and_reset(peer: Peer, request: Request) -> bool:
        echo(peer, request)
        asked.wait(RELEASE_TIMEOUT)
        return reset(peer, request)

    asked = threading.Event()
    client = Client("sync")
    with ScriptedServer(answer_and_reset) as server:
        engine = client.connect(server.url)
        client.send(engine, "GetItem")
        # The check sees nothing, as when the reset arrives right after it.
        engine._pool._idle[0].unread = lambda _: []
        asked.set()
        assert server.ended.wait(RELEASE_TIMEOUT)
        assert client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'
        assert client.waits.seconds == [0.0]
        client.close()


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
def test_every_address_of_a_host_is_tried(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()
    with ScriptedServer() as server:
        addresses = [closed, ("127.0.0.1", server.port)]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **keywords: found)
        client = Client(kind)
        engine = client.connect("http://two.example")
        assert client.send(engine, "UpdateItem", b'{"n":1}', idempotent=False) == b'{"n":1}'
        assert client.waits.seconds == []
        found.pop()
        with pytest.raises(ConnectionFailed, match="connection refused"):
            client.send(client.connect("http://two.example"), "GetItem")
        client.close()


def test_a_close_that_races_with_the_next_request_is_ambiguous(client: Client) -> None:
    with ScriptedServer(echo, hang_up, echo, reset) as server:
        engine = client.connect(server.url)
        for close in ("FIN", "RST"):
            client.send(engine, "UpdateItem")
            with pytest.raises(OutcomeUnknown):
                client.send(engine, "UpdateItem", close.encode(), idempotent=False)
        assert len(server.requests) == 4


def test_connections_are_kept_alive(client: Client) -> None:
    with ScriptedServer() as server:
        engine = client.connect(server.url)
        for n in range(5):
            assert client.send(engine, "GetItem", b'{"n":%d}' % n) == b'{"n":%d}' % n
        assert server.connections == 1


def test_connection_close_is_obeyed(client: Client) -> None:
    with ScriptedServer(reply(b'{"a":1}', headers={"Connection": "close"})) as server:
        engine = client.connect(server.url)
        assert client.send(engine, "GetItem") == b'{"a":1}'
        assert client.send(engine, "UpdateItem", b"{ }", idempotent=False) == b"{ }"
        assert [request.connection for request in server.requests] == [1, 2]


LEGAL = {
    "chunked": [
        b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4;x=y\r\n":1}\r\n0\r\nTrailer: z\r\n\r\n'
    ],
    "chunked, byte by byte": [
        bytes([byte]) for byte in b'HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n'
    ],
    "interim responses": [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + response(b'{"a":1}'),
    ],
    "no length": [b'HTTP/1.1 200 OK\r\n\r\n{"a"', b":1}"],
    "HTTP/1.0": [b'HTTP/1.0 200 OK\r\n\r\n{"a":1}'],
    "odd case and space": [b'HTTP/1.1 200\r\ncOnTeNt-LeNgTh:   7  \r\n\r\n{"a":1}'],
    "many headers": [response(b'{"a":1}', headers={f"X-{n}": "v" * 500 for n in range(100)})],
}


@pytest.mark.parametrize("parts", LEGAL.values(), ids=LEGAL.keys())
def test_every_legal_response_is_read(client: Client, parts: list[bytes]) -> None:
    with ScriptedServer(raw(*parts)) as server:
        engine = client.connect(server.url)
        assert client.send(engine, "UpdateItem", idempotent=False) == b'{"a":1}'
        assert server.ended.wait(10)
        assert client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'


def test_large_requests_and_responses(client: Client) -> None:
    body = json.dumps({"text": "x" * 3_000_000}).encode()
    with ScriptedServer() as server:
        engine = client.connect(server.url)
        assert client.send(engine, "BatchWriteItem", body) == body
        assert client.send(engine, "BatchWriteItem", b"{}") == b"{}"
        assert server.connections == 1


def test_a_server_that_stops_reading_a_large_request(client: Client) -> None:
    with ScriptedServer(greet=lambda peer: bool(peer.sock.recv(1000)) and False) as server:
        engine = client.connect(server.url)
        with pytest.raises(OutcomeUnknown):
            client.send(engine, "BatchWriteItem", b"x" * 30_000_000, idempotent=False)
        assert server.connections == 1


@pytest.mark.parametrize("known", [0, 5], ids=["first", "known"])
def test_what_follows_a_response_unasked_is_nobodys_answer(client: Client, known: int) -> None:
    stray = response(b'{"stray":true}')
    for step in (
        reply(b'{"a":1}', headers={"Content-Length": "7"}),
        lambda peer, request: peer.send(response(b'{"a":1}') + stray),
    ):
        with ScriptedServer(*[echo] * known, step) as server:
            engine = client.connect(server.url)
            for _ in range(known):
                client.send(engine, "GetItem")
            assert client.send(engine, "GetItem") == b'{"a":1}'
            assert client.send(engine, "GetItem", b'{"n":2}') == b'{"n":2}'
    assert server.connections == 2


def test_what_comes_unasked_later_is_nobodys_answer(client: Client) -> None:
    sent = threading.Event()

    def answer_and_mumble(peer: Peer, request: Request) -> None:
        peer.send(response(b'{"a":1}'))
        asked.wait(RELEASE_TIMEOUT)
        peer.send(response(b'{"stray":true}'))
        sent.set()

    asked = threading.Event()
    with ScriptedServer(answer_and_mumble) as server:
        engine = client.connect(server.url)
        assert client.send(engine, "GetItem") == b'{"a":1}'
        asked.set()
        assert sent.wait(RELEASE_TIMEOUT)
        assert client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'
        assert server.connections == 2


def test_an_empty_answer(client: Client) -> None:
    empty = reply(b"", headers={"x-amz-crc32": "0"})
    with ScriptedServer(empty, empty) as server:
        engine = client.connect(server.url)
        assert client.send(engine, "TagResource", idempotent=False) == b"{}"
        # From any other operation it is no answer: an empty item would look like a missing one.
        assert client.send(engine, "GetItem", b'{"n":1}') == b'{"n":1}'
        assert len(server.requests) == 3


def test_a_late_response_is_nobodys_answer(client: Client) -> None:
    gate = Gate()
    with ScriptedServer(gate) as server:
        engine = client.connect(server.url, timeout=0.2)
        with pytest.raises(OutcomeUnknown, match=r"no answer within 0\.2 s"):
            client.send(engine, "UpdateItem", b'{"late":1}', idempotent=False)
        gate.open.set()
        assert client.send(engine, "UpdateItem", b'{"n":2}', idempotent=False) == b'{"n":2}'


def test_a_response_that_drips_is_ended_by_the_timeout(client: Client) -> None:
    gate = Gate(hang_up)

    def drip(peer: Peer, request: Request) -> bool | None:
        peer.send(response(b'{"a":1}')[:-3])
        return gate(peer, request)

    with ScriptedServer(drip) as server:
        engine = client.connect(server.url, timeout=0.2)
        with pytest.raises(OutcomeUnknown, match=r"no answer within 0\.2 s"):
            client.send(engine, "UpdateItem", idempotent=False)
        gate.open.set()


def test_html_of_a_proxy(client: Client) -> None:
    page = reply(b"<html>Blocked: user bob, secret token</html>", 403, {"Content-Type": "text/html; charset=utf-8"})
    with ScriptedServer(page) as server:
        engine = client.connect(server.url)
        with pytest.raises(ServiceError, match="answered HTTP 403 with text/html and 44 bytes") as caught:
            client.send(engine, "PutItem", idempotent=False)
        assert (caught.value.code, caught.value.status) == ("HTTP403", 403)
        assert "bob" not in str(caught.value)


def test_redirects_are_not_followed(client: Client) -> None:
    with ScriptedServer(reply(b"", 301, {"Location": "http://127.0.0.1:1/"})) as server:
        engine = client.connect(server.url)
        with pytest.raises(ServiceError, match="redirects"):
            client.send(engine, "GetItem")
        assert len(server.requests) == 1


def test_nobody_listens(client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    engine = client.connect(f"http://localhost:{port}")
    with pytest.raises(ConnectionFailed, match=r"connection refused .* is DynamoDB Local") as caught:
        client.send(engine, "UpdateItem", idempotent=False)
    assert caught.value.endpoint == f"http://localhost:{port}"
    assert client.waits.seconds == [0.05, 0.1]


def test_a_server_that_comes_up_late(client: Client) -> None:
    server = ScriptedServer()
    server._listener.close()

    def come_up() -> None:
        server._listener = socket.create_server(("127.0.0.1", server.port))
        server._start(server._accept)

    engine = client.connect(server.url)
    wait = client.waits._wait

    def waiting(seconds: float) -> None:
        wait(seconds)
        if len(client.waits.seconds) == 1:
            come_up()

    client.waits._wait = waiting  # type: ignore[method-assign]
    engine._retry.sleep = waiting
    assert client.send(engine, "UpdateItem", b'{"n":1}', idempotent=False) == b'{"n":1}'
    server.__exit__()


def test_an_unknown_host(client: Client) -> None:
    engine = client.connect("http://no-such-host.invalid:8000")
    with pytest.raises(ConnectionFailed, match=r"'no-such-host\.invalid' cannot be resolved"):
        client.send(engine, "GetItem")


def test_a_host_that_does_not_answer(client: Client) -> None:
    # A listener whose queue is full drops further attempts, as a firewall does.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        engine = client.connect(f"http://127.0.0.1:{port}", {"max_connect_attempts": 1}, connect_timeout=0.2)
        with pytest.raises(ConnectionFailed, match=r"no connection to 127\.0\.0\.1:\d+ within 0\.2 s"):
            client.send(engine, "GetItem")
        for filler in fillers:
            filler.close()


def test_a_closed_engine_refuses(client: Client) -> None:
    with ScriptedServer() as server:
        engine = client.connect(server.url)
        client.send(engine, "GetItem")
        engine.close()
        with pytest.raises(ConnectionFailed, match="has been closed"):
            client.send(engine, "GetItem")
        assert len(server.requests) == 1


def test_a_closed_engine_looks_for_no_credentials(client: Client) -> None:
    asked: list[bool] = []

    def credentials() -> Credentials:
        asked.append(True)
        return Credentials("x", "y")

    with ScriptedServer() as server:
        engine = client.connect(server.url, credentials=credentials)
        engine.close()
        with pytest.raises(ConnectionFailed, match="has been closed"):
            client.send(engine, "GetItem")
        assert not asked
        assert not server.requests


def test_requests_are_what_dynamodb_expects(client: Client) -> None:
    with ScriptedServer() as server:
        engine = client.connect(
            f"{server.url}/some/path",
            region="eu-west-1",
            session_token="TOKEN",
            access_key_id="AKID",
            secret_access_key="SECRET",
        )
        client.send(engine, "DescribeTable", b'{"TableName":"t"}')
        request = server.requests[0]
        assert request.head.split(b"\r\n")[0] == b"POST /some/path HTTP/1.1"
        assert request.headers["x-amz-target"] == "DynamoDB_20120810.DescribeTable"
        assert request.headers["content-type"] == "application/x-amz-json-1.0"
        assert request.headers["host"] == f"localhost:{server.port}"
        assert request.headers["x-amz-security-token"] == "TOKEN"
        assert "Credential=AKID/" in request.headers["authorization"]
        assert "/eu-west-1/dynamodb/aws4_request" in request.headers["authorization"]
        assert b"SECRET" not in request.head


@pytest.mark.parametrize("option", ["timeout", "connect_timeout", "max_attempts", "max_connections"])
def test_limits_that_make_no_sense_are_refused(client: Client, option: str) -> None:
    for value in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ValidationError, match=option):
            client.connect("http://localhost:8000", **{option: value})
