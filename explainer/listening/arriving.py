"""The bytes of one HTTP/1.1 request as they come: where it ends, and whether the rest may follow."""

from __future__ import annotations

import re

from explainer.errors import HeadTooLarge, MalformedRequest, TooLarge
from explainer.listening.limits import Limits

CRLF = b"\r\n"
FIELD = re.compile(rb"\r\n(content-length|transfer-encoding|expect):[ \t]*([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE)
SIZE = re.compile(rb"([0-9a-fA-F]{1,12})[ \t]*(?:;[^\r\n]*)?")
SIZE_LINE = 1024  # bytes of the line before a chunk
OVERHEAD = 1_000_000  # bytes that chunks may add to a body


class Arrival:
    """Collects bytes until one request is whole; bytes of the next one are kept for it.

    Where a request ends is decided here alone and strictly: one Content-Length, or `Transfer-Encoding: chunked`, or
    no body (RFC 9112, section 6). Everything else about the request is left to gunicorn's parser.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.buffer = bytearray()
        self._begin()

    def _begin(self) -> None:
        self._head = 0  # bytes of the head, its empty line included; 0 until it is there
        self._end = 0  # bytes of the request; 0 until they are known
        self._chunk = 0  # where the next chunk's line begins
        self._searched = 0
        self.expects_continue = False

    @property
    def begun(self) -> bool:
        return bool(self.buffer)

    @property
    def has_head(self) -> bool:
        return self._head > 0

    @property
    def whole(self) -> bool:
        return 0 < self._end <= len(self.buffer)

    @property
    def claim(self) -> int:
        """Bytes that this request holds or is going to."""
        return max(len(self.buffer), self._end, self._limits.body_bytes if self._is_large_and_chunked() else 0)

    def _is_large_and_chunked(self) -> bool:
        return self._chunk > 0 and not self._end and len(self.buffer) > self._limits.small_bytes

    def feed(self, data: bytes) -> None:
        """Take bytes; raises HeadTooLarge, TooLarge or MalformedRequest when the request cannot be read to its end."""
        self.buffer += data
        if not self._head:
            self._find_head()
        if self._chunk and not self._end:
            self._find_last_chunk()

    def take(self) -> bytes:
        """The whole request, without the `Expect` that was answered already; begins the next."""
        request = bytes(self.buffer[: self._end])
        if self.expects_continue:
            head = FIELD.sub(lambda m: b"" if m[1].lower() == b"expect" else m[0], request[: self._head])
            request = head + request[self._head :]
        del self.buffer[: self._end]
        self._begin()
        return request

    def _find_head(self) -> None:
        while self.buffer.startswith(CRLF):  # empty lines before a request are nothing
            del self.buffer[:2]
        found = self.buffer.find(b"\r\n\r\n", max(self._searched - 3, 0))
        self._searched = len(self.buffer)
        if (found if found >= 0 else self._searched) > self._limits.head_bytes:
            raise HeadTooLarge(
                f"The request's head is larger than {self._limits.head_bytes} bytes; send fewer headers."
            )
        if found >= 0:
            self._head = found + 4
            self._read_head()

    def _read_head(self) -> None:
        fields = [(m[1].lower(), m[2]) for m in FIELD.finditer(self.buffer, 0, self._head)]
        lengths = [value for name, value in fields if name == b"content-length"]
        codings = [value.lower() for name, value in fields if name == b"transfer-encoding"]
        if len(lengths) + len(codings) > 1:
            raise MalformedRequest("Say once how long the body is: one Content-Length, or Transfer-Encoding: chunked.")
        if codings:
            if codings != [b"chunked"]:
                raise MalformedRequest("Transfer-Encoding: only chunked is understood; send the body as it is.")
            self._chunk = self._head
        else:
            self._end = self._head + self._length(lengths[0] if lengths else b"0")
        self.expects_continue = any(name == b"expect" and value.lower() == b"100-continue" for name, value in fields)

    def _length(self, text: bytes) -> int:
        if not text.isdigit() or len(text) > 18:
            raise MalformedRequest("Content-Length: send the number of the body's bytes.")
        if int(text) > self._limits.body_bytes:
            raise self._too_large()
        return int(text)

    def _find_last_chunk(self) -> None:
        while (end := self.buffer.find(CRLF, self._chunk)) >= 0:
            line = SIZE.fullmatch(self.buffer, self._chunk, end)
            if line is None:
                break
            size = int(line[1], 16)
            if size == 0:
                self._find_trailers_end(end)
                return
            self._chunk = end + 2 + size + 2
            if self._chunk - self._head > self._limits.body_bytes + OVERHEAD:
                raise self._too_large()
        if end >= 0 or len(self.buffer) - self._chunk > SIZE_LINE:
            raise MalformedRequest("The body's chunks cannot be read: each begins with its size in hexadecimal digits.")

    def _find_trailers_end(self, last_line: int) -> None:
        found = self.buffer.find(b"\r\n\r\n", last_line)
        if found >= 0:
            self._end = found + 4
        elif len(self.buffer) - last_line > self._limits.head_bytes:
            raise HeadTooLarge(f"The trailers are larger than {self._limits.head_bytes} bytes; send fewer.")

    def _too_large(self) -> TooLarge:
        return TooLarge(f"The body is larger than {self._limits.body_bytes} bytes; send fewer rows.")
