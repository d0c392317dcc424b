"""Reading HTTP/1.1 responses without doing any input or output: bytes go in, a response comes out.

Used by the blocking and the asyncio transport alike. The parser is llhttp (through httptools), which knows chunked
bodies, interim responses and malformed ones; it is passed by only where a head it understood comes again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from zlib import crc32

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from dynawire.engines.aws.known_head import head_pattern

__all__ = ["BadResponse", "Response", "ResponseReader"]

MAX_HEAD = 64 * 1024
"""Bytes a response's status line and headers may take."""
MAX_RESPONSE = 128 * 1024 * 1024
"""Bytes a whole response may take. DynamoDB answers at most 16 MB of items, and the values with the most JSON per byte
of item (``{"NULL":true}``, 2 bytes of item in a list) are written seven times as long."""
_LESSONS = frozenset({3, 100, 10_000})
"""Which of the responses that the parser read on a connection are learned from: not the first, as a program that sends
one request has nothing from it, and not every one of a server that never writes the same."""


class BadResponse(Exception):
    """What came back is no HTTP response, or not a whole one. The text never holds any of its content."""


class Response:
    """One response.

    Attributes:
        status: the HTTP status.
        raw_headers: header values by name, as the server writes it.
        body: the body, decoded from its chunks.
        reusable: whether the connection may carry another request.
    """

    __slots__ = ("body", "raw_headers", "reusable", "status")

    def __init__(self, status: int, raw_headers: dict[bytes, bytes], body: bytes, reusable: bool) -> None:
        self.status = status
        self.raw_headers = raw_headers
        self.body = body
        self.reusable = reusable

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Header values by lower-case name."""
        # Only of errors and of other servers than DynamoDB's is more needed than one known header.
        return {name.lower(): value for name, value in self.raw_headers.items()}

    def __repr__(self) -> str:
        return f"<Response {self.status}, {len(self.body)} bytes>"


class ResponseReader:
    """Reads the responses of one connection, one after the other."""

    __slots__ = (
        "_chunks",
        "_head_done",
        "_headers",
        "_known",
        "_parsed",
        "_parser",
        "_received",
        "_response",
        "_surplus",
        "on_body",
        "on_header",
    )

    def __init__(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        # The parser's most frequent calls go straight to C.
        self.on_header = self._headers.__setitem__
        self.on_body = self._chunks.append
        self._parser = HttpResponseParser(self)
        self._parsed = 0
        self._known: Callable[[bytes | memoryview], re.Match[bytes] | None] | None = None
        self._head_done = False
        self._received = 0
        self._response: Response | None = None
        self._surplus = False

    def feed(self, data: bytes | memoryview) -> Response | bytes | None:
        """Take what was received.

        Returns:
            The response once it is complete, else None. Its body alone, when the head was recognised and it is a
            success: status 200, a JSON object, and a connection that may be used again.

        Raises:
            BadResponse: it is malformed, too large, or its checksum is wrong.
        """
        if self._known is not None and not self._received and (head := self._known(data)) is not None:
            length, checksum = head.group("length", "checksum")
            begin = head.end()
            if len(data) - begin == int(length):
                body = bytes(data[begin:])
                if checksum == b"%d" % crc32(body) and body.startswith(b"{"):
                    return body
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            raise BadResponse("the answer switches to another protocol") from None
        except HttpParserError:
            if self._response is None:
                raise BadResponse("the answer is not HTTP") from None
            self._surplus = True
        response = self._response
        if response is not None:
            if self._surplus:
                response.reusable = False
            self._parsed += 1
            if self._parsed in _LESSONS and not self._received and response.reusable:
                self._learn(bytes(data))
            self._response = None
            self._head_done = False
            self._received = 0
            self._headers.clear()
            self._chunks.clear()
            return _verified(response)
        self._received += len(data)
        if self._received > (MAX_RESPONSE if self._head_done else MAX_HEAD):
            raise BadResponse(f"the {'answer' if self._head_done else 'head of the answer'} is too large")
        return None

    def end(self) -> Response:
        """The connection ended: the response, if that is what completes it.

        Raises:
            BadResponse: it is not complete.
        """
        response = Response(self._parser.get_status_code(), self._headers, b"".join(self._chunks), False)
        headers = response.headers
        if self._head_done and b"content-length" not in headers and b"transfer-encoding" not in headers:
            # RFC 9112 §6.3: neither a length nor chunks, so the body reaches to the end of the connection.
            return _verified(response)
        if self._received:
            raise BadResponse("the connection ended in the middle of the answer")
        raise BadResponse("the connection ended without an answer")

    def _learn(self, data: bytes) -> None:
        pattern = head_pattern(data[: data.find(b"\r\n\r\n") + 4])
        if pattern is not None:
            self._known = pattern.match

    # Called by the parser.

    def on_message_begin(self) -> None:
        if self._response is not None:
            # A second response, unasked: its headers must not get among those of the first.
            self._surplus = True
            self._headers.clear()

    def on_headers_complete(self) -> None:
        self._head_done = True

    def on_message_complete(self) -> None:
        if self._response is not None:
            return
        status = self._parser.get_status_code()
        if status < 200:
            # An interim response (100 Continue, 103 Early Hints): the real one follows.
            self._headers.clear()
            self._head_done = False
            return
        chunks = self._chunks
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        self._response = Response(status, self._headers.copy(), body, self._parser.should_keep_alive())


def _verified(response: Response) -> Response:
    headers = response.raw_headers
    checksum = headers.get(b"x-amz-crc32")
    if checksum is None or b"content-encoding" in headers or b"Content-Encoding" in headers:
        headers = response.headers
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise BadResponse("the answer is compressed, though that was not asked for")
        checksum = headers.get(b"x-amz-crc32")
    if checksum is not None and checksum != b"%d" % crc32(response.body):
        raise BadResponse("the answer was damaged on its way (x-amz-crc32 does not match)")
    return response
