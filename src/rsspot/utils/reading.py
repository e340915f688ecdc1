"""Reading what somebody else wrote, within bounds: JSON texts and files. Knows no kinds."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Iterable
from math import isfinite
from pathlib import Path
from typing import Any

MOST_BYTES = 16 * 1024 * 1024
"""The largest file that is read."""
DEEPEST_JSON = 64
"""The deepest nesting of JSON that is read. Code that walks a document recurses once or more per level."""
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATES = re.compile("[\ud800-\udfff]")
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class TooDeep(ValueError):
    """Nesting that could overflow the stack of a parser, or of code that walks the value."""

    def __init__(self, levels: int) -> None:
        super().__init__(f"nested deeper than {levels} levels")


def parse_json(text: str | bytes) -> Any:
    """The value of a JSON text that somebody else wrote. A byte order mark at its start is ignored.

    Lone surrogates become U+FFFD, as in Go, since such a string could be neither stored nor printed. NaN and floats out
    of range become None. Raises ValueError, and nothing else, for what is not JSON, an integer of thousands of
    digits and nesting deeper than DEEPEST_JSON.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig")
    text = text.removeprefix("\ufeff")
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite)
    except RecursionError:
        raise TooDeep(DEEPEST_JSON) from None
    if _may_be_deep(text) and _depth_exceeds(value, DEEPEST_JSON):
        raise TooDeep(DEEPEST_JSON)
    return _without_surrogates(value) if _may_have_surrogates(text) else value


def _finite(text: str) -> float | None:
    number = float(text)
    return number if isfinite(number) else None


def _may_have_surrogates(text: str) -> bool:
    # Most texts have neither, which two searches in C tell.
    escaped = "\\u" in text and _ESCAPED_SURROGATE.search(text)
    return bool(escaped or (not text.isascii() and _SURROGATES.search(text)))


def _may_be_deep(text: str) -> bool:
    """False if the brackets of a text surely nest no deeper than DEEPEST_JSON. Brackets in strings may make it True."""
    # Each pass removes the innermost pairs, in C, so that a list of ten thousand objects costs milliseconds.
    brackets = text.encode("utf-8", "replace").translate(None, _NOT_BRACKETS)
    for _ in range(DEEPEST_JSON):
        if not brackets:
            return False
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
    return bool(brackets)


def _depth_exceeds(value: Any, levels: int) -> bool:
    row = [value]
    for _ in range(levels + 1):
        row = [inner for each in row for inner in _inside(each)]
        if not row:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(inner) for key, inner in value.items()}
    return [_without_surrogates(item) for item in value] if isinstance(value, list) else value


def read_text(path: Path, *, most: int = MOST_BYTES, pipes: bool = False) -> str:
    """The text of a regular file, without a byte order mark. most: bytes · pipes: also read a pipe until its end.

    Raises ValueError for a file that is longer or is not UTF-8, and OSError for one that cannot be read, also for a
    device, which might never end.
    """
    # Opening a pipe that nobody writes to would wait forever, so it is opened without waiting and then looked at.
    handle = os.open(path, os.O_RDONLY | (0 if pipes else getattr(os, "O_NONBLOCK", 0)))
    with os.fdopen(handle, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(mode) or (pipes and stat.S_ISFIFO(mode))):
            what = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise OSError(errno.EINVAL, what, str(path))
        content = file.read(most + 1)
    if len(content) > most:
        raise ValueError(f"larger than {_size(most)}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8 (byte {error.start})") from None


def reason(error: OSError | ValueError) -> str:
    """Why `read_text` or `parse_json` failed, as a clause that names no file."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _size(number: int) -> str:
    """A number of bytes as people write it."""
    for unit, bytes_in in (("MiB", 1024 * 1024), ("KiB", 1024)):
        if number >= bytes_in and number % bytes_in == 0:
            return f"{number // bytes_in} {unit}"
    return f"{number} bytes"
