"""A terminal of a given width, as standard output of commands in this process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

import pytest


class TerminalStream(io.StringIO):
    """A text stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@contextmanager
def terminal(width: int, *, color: bool = False) -> Iterator[TerminalStream]:
    """Standard output as a terminal."""
    with pytest.MonkeyPatch.context() as environment, redirect_stdout(TerminalStream()) as stream:
        environment.setenv("COLUMNS", str(width))
        environment.setenv("TERM", "xterm")
        environment.delenv("NO_COLOR", raising=False)
        if not color:
            environment.setenv("NO_COLOR", "1")
        yield stream
