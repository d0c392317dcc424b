"""A head recognised by one read before gives what the parser gives."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynawire.engines.aws.http1 import BadResponse, Response, ResponseReader
from dynawire.engines.aws.known_head import head_pattern

Headers = Sequence[tuple[bytes, bytes]]
BODY = b'{"Item":{}}'
USUAL: Headers = (
    (b"Server", b"Server"),
    (b"Date", b"Sat, 21 Nov 2026 00:00:00 GMT"),
    (b"Content-Type", b"application/x-amz-json-1.0"),
    (b"Connection", b"keep-alive"),
    (b"x-amzn-RequestId", b"QK8V5EXAMPLE"),
)
LESSONS = 3


def message(body: bytes, headers: Headers = USUAL, status: bytes = b"200 OK", colon: bytes = b": ") -> bytes:
    fields = [*headers, (b"Content-Length", b"%d" % len(body)), (b"x-amz-crc32", b"%d" % zlib.crc32(body))]
    return b"\r\n".join([b"HTTP/1.1 " + status, *(colon.join(field) for field in fields), b"", body])


def taught(first: bytes) -> ResponseReader:
    """A reader that has had this response often enough to know its head."""
    reader = ResponseReader()
    for _ in range(LESSONS):
        assert isinstance(reader.feed(first), Response)
    return reader


def outcome(reader: ResponseReader, pieces: Sequence[bytes]) -> tuple[object, ...]:
    """What a reader makes of a response, and whether its connection goes on."""
    try:
        found = None
        for piece in pieces:
            found = reader.feed(piece)
        found = found or reader.end()
    except BadResponse as error:
        return (str(error),)
    if isinstance(found, bytes):
        return 200, found, True
    return found.status, found.body, found.reusable


def test_a_head_that_comes_again_is_recognised() -> None:
    reader = taught(message(BODY))
    later = [(name, value.replace(b"00:00:00", b"23:59:59").replace(b"QK", b"ZZ9")) for name, value in USUAL]
    for body in (b"{}", BODY, b'{"a":"\r\n\r\n"}', b"{" + b" " * 100_000 + b"}"):
        assert reader.feed(message(body, later)) == body
        assert reader.feed(memoryview(message(body))) == body


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param([(b"Transfer-Encoding", b"chunked")], id="chunked"),
        pytest.param([(b"Content-Encoding", b"gzip")], id="compressed"),
        pytest.param([(b"content-length", b"2")], id="two lengths"),
        pytest.param([(b"X-Amz-Crc32", b"2")], id="two checksums"),
    ],
)
def test_what_is_framed_otherwise_is_left_to_the_parser(headers: Headers) -> None:
    head, _, _ = message(BODY, [*USUAL, *headers]).partition(b"\r\n\r\n")
    assert head_pattern(head + b"\r\n\r\n") is None


def test_what_lacks_length_or_checksum_is_left_to_the_parser() -> None:
    assert head_pattern(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n") is None
    assert head_pattern(b"HTTP/1.1 200 OK\r\nx-amz-crc32: 2\r\n\r\n") is None
    assert head_pattern(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nx-amz-crc32: 2\r\n\r\n") is None


def test_a_server_that_never_writes_the_same_is_read_all_the_same() -> None:
    reader = ResponseReader()
    for number in range(250):
        body = b'{"n":%d}' % number
        found = outcome(reader, [message(body, [*USUAL, (b"X-Number", b"%d" % number)])])
        assert found == (200, body, True)


@pytest.mark.parametrize("name", [b"Date", b"x-amzn-RequestId"])
@pytest.mark.parametrize("value", [b"a\0b", b"a\rb", b"a\rContent-Length: 3", b"a\nb", b"a\x7fb"])
def test_control_characters_are_left_to_the_parser(name: bytes, value: bytes) -> None:
    data = message(BODY, [(one, value if one == name else usual) for one, usual in USUAL])
    assert outcome(taught(message(BODY)), [data]) == outcome(ResponseReader(), [data])


def test_a_checksum_in_another_form_is_left_to_the_parser() -> None:
    data = message(BODY).replace(b"x-amz-crc32: ", b"x-amz-crc32: 0")
    assert outcome(taught(message(BODY)), [data]) == outcome(ResponseReader(), [data])


headers = st.lists(
    st.sampled_from(
        [
            *USUAL,
            (b"Date", b""),
            (b"date", b"Sun"),
            (b"X-Extra", b"1"),
            (b"Connection", b"close"),
            (b"Transfer-Encoding", b"chunked"),
            (b"Content-Encoding", b"gzip"),
            (b"Content-Length", b"3"),
            (b"x-amz-crc32", b"0"),
            (b"X-Bad\r\n", b""),
            (b"X-Bad", b"a\rb"),
            (b"Date", b"a\rb"),
            (b"Date", b"\x00"),
        ]
    ),
    max_size=6,
)


@given(
    learned=st.one_of(st.just(list(USUAL)), headers.filter(lambda names: len(names) < 3)),
    headers=st.one_of(st.just(list(USUAL)), headers),
    status=st.sampled_from([b"200 OK", b"200 Fine", b"400 Bad Request", b"204 No Content", b"101 Switching"]),
    colon=st.sampled_from([b": ", b":", b":  ", b" : "]),
    body=st.sampled_from([BODY, b"{}", b"", b"[]", b"{}{}", b'{"a":"\r\n\r\n"}']),
    damage=st.sampled_from([b"", b"x", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]),
    cut=st.one_of(st.none(), st.integers(0, 250)),
    lost=st.sampled_from([0, 0, 0, 1, 5]),
)
@example(list(USUAL), list(USUAL), b"200 OK", b": ", BODY, b"x", None, 0)
@example(list(USUAL), list(USUAL), b"200 OK", b": ", b"{}", b"", None, 1)
@example(list(USUAL), [*USUAL, (b"Date", b"a\rb")], b"200 OK", b": ", b"{}", b"", None, 0)
@example([(b"Date", b"")], [(b"Date", b"\x00")], b"200 OK", b": ", b"{}", b"", None, 0)
def test_a_reader_that_knows_a_head_reads_as_one_that_does_not(
    learned: Headers,
    headers: Headers,
    status: bytes,
    colon: bytes,
    body: bytes,
    damage: bytes,
    cut: int | None,
    lost: int,
) -> None:
    data = message(body, headers, status, colon) + damage
    data = data[: len(data) - lost]
    pieces = [data] if cut is None else [piece for piece in (data[:cut], data[cut:]) if piece]
    try:
        reader = taught(message(BODY, learned))
    except (BadResponse, AssertionError):
        return  # such a head ends the connection
    assert outcome(reader, pieces) == outcome(ResponseReader(), pieces)
