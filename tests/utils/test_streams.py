"""The streams of a command: what is printed is harmless, and printing never raises."""

from __future__ import annotations

import errno
import io
import json
import sys
from typing import TextIO, cast

import pytest

from rsspot.utils.streams import SafeStream, output_failure, output_usable, safe_streams


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    """A stream that cannot be written. error: what it raises."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


def printed(text: str, inner: TextIO | None = None) -> str:
    """What arrives of a text."""
    real = inner or io.StringIO()
    print(text, file=cast(TextIO, SafeStream(real)), flush=True)
    real.seek(0)
    return real.read()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\n  text\twith tab", "plain\n  text\twith tab\n"),
        ("\x1b[2J\x1b[31mred\r\x7f\u202e", "\\x1b[2J\\x1b[31mred\\r\\x7f\\u202e\n"),
        ("a\n::error::b\n  ::add-mask::c", "a\n\\u003a:error::b\n  \\u003a:add-mask::c\n"),
        ("a ##[error]b", "a #\\u0023[error]b\n"),
        ("##vso[task.complete]", "#\\u0023vso[task.complete]\n"),
        ("## heading [link] a::b::1", "## heading [link] a::b::1\n"),
    ],
)
def test_nothing_printed_is_obeyed(text: str, shown: str) -> None:
    """Not by a terminal, and not by the runner of a workflow."""
    assert printed(text) == shown


def test_a_command_is_recognized_when_it_comes_in_pieces() -> None:
    """A line is looked at when it is whole."""
    real = io.StringIO()
    stream = cast(TextIO, SafeStream(real))
    print(":", ":error::x", sep="", end="", file=stream)
    print("#", "#[error]", sep="", file=stream)
    assert real.getvalue() == "\\u003a:error::x#\\u0023[error]\n"


def test_our_colors_reach_a_terminal_and_nothing_else() -> None:
    """Other escape sequences stop at the stream."""
    assert printed("\x1b[31m-\x1b[0m \x1b[2J", Terminal()) == "\x1b[31m-\x1b[0m \\x1b[2J\n"
    assert "\x1b" not in printed("\x1b[31m-\x1b[0m")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_characters_that_cannot_be_encoded_are_escaped(encoding: str) -> None:
    """JSON stays JSON."""
    value = {"note": "Zoë 東京"}
    real = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    assert json.loads(printed(json.dumps(value, ensure_ascii=False), real)) == value


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), BrokenPipeError(errno.EPIPE, "gone"), ValueError("closed file")]
)
def test_a_stream_that_cannot_be_written_never_raises(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why it could not be written is kept."""
    monkeypatch.setattr(sys, "stdout", Broken(error))
    with safe_streams():
        print("a")
        assert output_failure() is error
        assert not output_usable()
        print("b", flush=True)


def test_a_closed_stream_takes_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error does not turn up on standard output because standard error is closed."""
    real = io.StringIO()
    monkeypatch.setattr(sys, "stdout", real)
    monkeypatch.setattr(sys, "stderr", None)
    with safe_streams():
        print("an error", file=sys.stderr)
        print("a result")
    assert real.getvalue() == "a result\n"


def test_the_streams_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that runs a command in its own process keeps its streams, with all that was printed."""
    real = io.StringIO()
    monkeypatch.setattr(sys, "stdout", real)
    with safe_streams():
        print("no newline", end="")
    assert sys.stdout is real
    assert real.getvalue() == "no newline"
