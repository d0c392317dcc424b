"""Reading responses from bytes, however they are cut."""

from __future__ import annotations

import itertools
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynawire.engines.aws import http1
from dynawire.engines.aws.http1 import BadResponse, Response, ResponseReader

_CRLF = b"\r\n"


def read(reader: ResponseReader, data: bytes, cuts: list[int]) -> Response:
    """Feed the data in pieces; the connection ends after the last."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {len(data)})
    begin, found = 0, None
    for end in places:
        if end > begin:
            found = reader.feed(data[begin:end])
        begin = end
    return found or reader.end()


def chunked(body: bytes, cuts: list[int]) -> bytes:
    places = sorted({cut % (len(body) + 1) for cut in cuts} | {0, len(body)})
    pieces = [body[begin:end] for begin, end in itertools.pairwise(places)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@given(
    body=st.binary(max_size=300),
    framing=st.sampled_from(["length", "chunked", "end"]),
    interim=st.integers(0, 2),
    cuts=st.lists(st.integers(0, 2000), max_size=12),
    chunk_cuts=st.lists(st.integers(0, 300), max_size=5),
)
def test_a_response_is_the_same_however_it_is_framed_and_cut(
    body: bytes, framing: str, interim: int, cuts: list[int], chunk_cuts: list[int]
) -> None:
    head = b"HTTP/1.1 200 OK\r\nx-amz-crc32: %d\r\nX-Name: value\r\n" % zlib.crc32(body)
    if framing == "length":
        data = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    elif framing == "chunked":
        data = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(body, chunk_cuts)
    else:
        data = head + _CRLF + body
    found = read(ResponseReader(), b"HTTP/1.1 100 Continue\r\n\r\n" * interim + data, cuts)
    assert (found.status, found.body) == (200, body)
    assert found.headers[b"x-name"] == b"value"
    assert found.reusable == (framing != "end")


@given(bodies=st.lists(st.binary(max_size=40), min_size=1, max_size=4), cut=st.integers(0, 200))
def test_a_reader_reads_one_response_after_the_other(bodies: list[bytes], cut: int) -> None:
    reader = ResponseReader()
    for number, body in enumerate(bodies):
        data = b"HTTP/1.1 20%d OK\r\nContent-Length: %d\r\n\r\n%b" % (number, len(body), body)
        found = read(reader, data, [cut])
        assert (found.status, found.body, found.reusable) == (200 + number, body, True)


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=4))
def test_garbage_is_refused_or_read_but_nothing_else(data: bytes, cuts: list[int]) -> None:
    try:
        found = read(ResponseReader(), b"HTTP/1.1 200 OK\r\n" + data, cuts)
    except BadResponse:
        return
    assert found.status == 200
    assert len(found.body) <= len(data)


@given(body=st.binary(min_size=1, max_size=100), place=st.integers(0, 99), bit=st.integers(0, 7))
def test_a_damaged_body_is_noticed(body: bytes, place: int, bit: int) -> None:
    damaged = bytearray(body)
    damaged[place % len(body)] ^= 1 << bit
    head = b"HTTP/1.1 200 OK\r\nx-amz-crc32: %d\r\nContent-Length: %d\r\n\r\n" % (zlib.crc32(body), len(body))
    with pytest.raises(BadResponse, match="crc32"):
        ResponseReader().feed(head + damaged)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http1, "MAX_RESPONSE", 100_000)
    monkeypatch.setattr(http1, "MAX_HEAD", 10_000)
    for head, more, what in (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n", b"x" * 1000, "the answer is too large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n", "the answer is too large"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1000, "the answer is too large"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 1000, "head of the answer is too large"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", "head of the answer is too large"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "head of the answer is too large"),
    ):
        limit = 101_000 if what.startswith("the answer") else 11_000
        with pytest.raises(BadResponse, match=what):
            feed_up_to(limit, head, more)


def feed_up_to(limit: int, head: bytes, more: bytes) -> None:
    reader = ResponseReader()
    reader.feed(head)
    for _ in range((limit - len(head)) // len(more)):
        reader.feed(more)


def test_repr_shows_no_body() -> None:
    assert repr(Response(200, {b"a": b"secret"}, b"secret", True)) == "<Response 200, 6 bytes>"
