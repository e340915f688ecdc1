"""The one way out of the process: every line that is printed is made harmless, and printing never raises.

A terminal obeys escape sequences, and the runner of a workflow obeys lines such as `::error::`, whoever wrote them. A
stream may be closed, full, without a reader, or unable to encode what is printed, while an apply has to go on.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress

from rsspot.utils.status_area import StatusArea
from rsspot.utils.text import COMMAND_ANYWHERE, printable, starts_command

TYPE_CHECKING = False
"""Type checkers take it for theirs. Importing `typing` would take longer than printing the version."""
if TYPE_CHECKING:
    from typing import TextIO

OUR_COLORS = re.compile(r"(\x1b\[(?:[01]|3[0-7])m)")
"""The only escape sequences that are let through, and only to a terminal."""
KEPT = re.compile(r"(\t)")
USUAL_SIZE = (80, 24)
"""Columns and lines of a terminal that does not say."""


class SafeStream(io.TextIOBase):
    """Standard output or standard error, line by line. inner: the real stream; None if it was closed at the start.

    area: what is drawn at the bottom of the terminal; streams of one terminal share it
    """

    def __init__(self, inner: TextIO | None, area: StatusArea | None = None) -> None:
        self._inner = inner
        self._area = area or StatusArea()
        self._unfinished = ""
        self.failure: Exception | None = None
        """Why writing failed. Everything printed after that is dropped."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the real stream."""
        return getattr(self._inner, "encoding", None) or "utf-8"

    @property
    def usable(self) -> bool:
        """Whether what is printed arrives somewhere, as far as is known."""
        return self._inner is not None and self.failure is None

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        with suppress(ValueError):
            return self._inner is not None and self._inner.isatty()
        return False

    def fileno(self) -> int:
        if self._inner is None:
            raise io.UnsupportedOperation("the stream is closed")
        return self._inner.fileno()

    def write(self, text: str) -> int:
        lines, ended, self._unfinished = (self._unfinished + text).rpartition("\n")
        if ended:
            self._send(f"{self._harmless_lines(lines)}\n")
        return len(text)

    def flush(self) -> None:
        unfinished, self._unfinished = self._unfinished, ""
        self._send(self._harmless(unfinished), flush=True)

    def command(self, line: str) -> None:
        """Write a line that the runner of a workflow is to obey, `::error …`. The rest of it is made harmless."""
        self.flush()
        self._send(f"::{self._harmless(line.removeprefix('::'))}\n")

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines at the bottom of the terminal, in place of those drawn before, until something is printed."""
        if not self._unfinished and self.usable:
            encoding = self.encoding
            plain = [printable(line).encode(encoding, ESCAPING).decode(encoding) for line in lines]
            width, height = self._size()
            self._area.draw(plain[-max(1, height - 1) :], width, self._write_now)

    def _size(self) -> tuple[int, int]:
        with suppress(OSError, ValueError):
            width, height = os.get_terminal_size(self.fileno())
            return width or USUAL_SIZE[0], height or USUAL_SIZE[1]
        return USUAL_SIZE

    def _write_now(self, text: str) -> None:
        try:
            assert self._inner is not None
            self._inner.write(text)
            self._inner.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def _harmless_lines(self, lines: str) -> str:
        """Lines without anything that is obeyed. Most have nothing of it, which one look at all of them shows."""
        if "::" not in lines and "##" not in lines and lines.replace("\n", "").isprintable():
            return lines
        return "\n".join(map(self._harmless, lines.split("\n")))

    def _harmless(self, line: str) -> str:
        """A line without anything that a terminal or the runner of a workflow would obey."""
        if not line.isprintable():
            kept = OUR_COLORS if self.isatty() else KEPT
            line = "".join(part if kept.fullmatch(part) else printable(part) for part in kept.split(line))
        # Both escapes are also valid in JSON, and in YAML where `as_yaml` has put quotes around them.
        if starts_command(line):
            line = line.replace(":", r"\u003a", 1)
        return COMMAND_ANYWHERE.sub(r"#\\u0023", line) if "##" in line else line

    def _send(self, text: str, *, flush: bool = False) -> None:
        if self._inner is None or self.failure is not None:
            return
        if text:
            self._area.erase()
        try:
            try:
                self._inner.write(text)
            except UnicodeEncodeError:
                self._inner.write(text.encode(self.encoding, ESCAPING).decode(self.encoding))
            if flush:
                self._inner.flush()
        except (OSError, ValueError) as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.failure = error
        # The interpreter writes what is left in its buffers when it ends, and would complain about it.
        with suppress(OSError, ValueError, AttributeError):
            assert self._inner is not None
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._inner.fileno())
            os.close(nowhere)


@contextmanager
def safe_streams() -> Iterator[None]:
    """Make standard output and standard error safe for the length of a block."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _occupy_closed_descriptors()
    area = StatusArea()
    with redirect_stdout(SafeStream(sys.stdout, area)), redirect_stderr(SafeStream(sys.stderr, area)):
        try:
            yield
        finally:
            area.erase()
            sys.stdout.flush()
            sys.stderr.flush()


def print_command(line: str) -> None:
    """Print a line that the runner of a workflow is to obey, past what keeps it from obeying the texts of others."""
    command = getattr(sys.stdout, "command", None)
    if command is not None:
        command(line)
    else:
        print(line)


def output_failure() -> Exception | None:
    """Why standard output could not be written, or None. Flushes it, since a full disk is noticed only then."""
    sys.stdout.flush()
    failure: Exception | None = getattr(sys.stdout, "failure", None)
    return failure


def reader_left() -> bool:
    """Whether nobody reads standard output any more, who did when the command began."""
    return isinstance(getattr(sys.stdout, "failure", None), BrokenPipeError)


def output_usable() -> bool:
    """Whether standard output arrives somewhere, as far as is known."""
    return sys.stdout is not None and getattr(sys.stdout, "usable", True)


def on_terminal() -> bool:
    """Whether somebody reads standard output as it is printed."""
    return sys.stdout is not None and sys.stdout.isatty()


def terminal_width() -> int | None:
    """The columns of the terminal that standard output is; None if it is none, so that no line is cut for it.

    COLUMNS overrides it, as in other commands.
    """
    if not on_terminal():
        return None
    with suppress(ValueError):
        if (columns := int(os.environ.get("COLUMNS", ""))) > 0:
            return columns
    with suppress(OSError, ValueError):
        return os.get_terminal_size(sys.stdout.fileno()).columns or None
    return None


def _occupy_closed_descriptors() -> None:
    """A file opened later must not become standard output: what a child process prints would end up in it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _escape(error: UnicodeError) -> tuple[str, int]:
    """Escape what a stream cannot encode, in a way that is also valid in JSON and in quoted YAML."""
    assert isinstance(error, UnicodeEncodeError)
    return "".join(_escaped(ord(each)) for each in error.object[error.start : error.end]), error.end


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


ESCAPING = "rsspot.escape"
codecs.register_error(ESCAPING, _escape)
