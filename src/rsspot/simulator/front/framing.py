"""Reads requests off a connection: how long each may take, and where its body ends. Refuses what is ambiguous.

A body whose end two programs see at different places lets somebody smuggle a request past one of them (RFC 9112, 11.2).
"""

from __future__ import annotations

import io
import re
import socket
import time
from email.errors import MissingHeaderBodySeparatorDefect
from email.message import Message

LARGEST_BODY = 16 * 1024 * 1024
LONGEST_LINE = 8192
MOST_TRAILERS = 100
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(;[^\r\n]*)?\r\n")
_LENGTH = re.compile(r"[0-9]{1,18}")


class BadRequest(Exception):
    """A request after which the connection cannot be used any more."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message, self.status = message, status


class TimedReader(io.RawIOBase):
    """The bytes of a connection. Reading raises TimeoutError after the deadline, however many bytes arrive until then.

    A time-out of the socket alone would start again with each byte.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._deadline: float | None = None

    def allow(self, seconds: float) -> None:
        """Set the deadline to so many seconds from now."""
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the request did not arrive in time")
            self._connection.settimeout(left)
        try:
            return self._connection.recv_into(buffer)
        finally:
            self._connection.settimeout(None)


def read_body(headers: Message, file: io.BufferedIOBase) -> bytes:
    """The body of a request. Raises BadRequest, and ConnectionError if the connection ends before the body does."""
    if any(isinstance(each, MissingHeaderBodySeparatorDefect) for each in headers.defects):
        raise BadRequest("a header line is malformed")
    if len(headers.get_all("Host", [])) > 1:
        raise BadRequest("more than one Host header")
    encodings, lengths = headers.get_all("Transfer-Encoding", []), headers.get_all("Content-Length", [])
    if encodings and lengths:
        raise BadRequest("Transfer-Encoding and Content-Length exclude each other")
    if encodings:
        if [each.strip().lower() for each in encodings] != ["chunked"]:
            raise BadRequest("the only supported Transfer-Encoding is chunked")
        return _chunked(file)
    return _exactly(file, _length(lengths))


def _length(headers: list[str]) -> int:
    texts = {each.strip() for each in headers} or {"0"}
    text = texts.pop()
    if texts or not _LENGTH.fullmatch(text):
        raise BadRequest("Content-Length is not a valid number")
    return _bounded(int(text))


def _bounded(length: int) -> int:
    if length > LARGEST_BODY:
        raise BadRequest("request body too large", 413)
    return length


def _exactly(file: io.BufferedIOBase, length: int) -> bytes:
    content = file.read(length)
    if len(content) < length:
        raise ConnectionResetError("the connection ended within a body")
    return content


def _line(file: io.BufferedIOBase) -> bytes:
    line = file.readline(LONGEST_LINE)
    if not line:
        raise ConnectionResetError("the connection ended within a body")
    return line


def _chunked(file: io.BufferedIOBase) -> bytes:
    body = bytearray()
    while size := _chunk_size(_line(file)):
        _bounded(len(body) + size)
        body += _exactly(file, size)
        if _exactly(file, 2) != b"\r\n":
            raise BadRequest("a chunk is longer than its size says")
    for _ in range(MOST_TRAILERS):
        if _line(file) in (b"\r\n", b"\n"):
            return bytes(body)
    raise BadRequest("too many trailer fields")


def _chunk_size(line: bytes) -> int:
    match = _CHUNK.fullmatch(line)
    if match is None:
        raise BadRequest("invalid chunk size")
    return int(match[1], 16)
