"""A command of ours on a terminal: what it shows, and what a person does to it."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

RSSPOT = [sys.executable, "-m", "rsspot"]


class Terminal:
    """A command whose three streams are a terminal."""

    def __init__(self, *arguments: str, columns: int = 80, **environment: str) -> None:
        self._ours, theirs = pty.openpty()
        self.resize(columns)
        environ = {**os.environ, **environment}
        self.process = subprocess.Popen([*RSSPOT, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env=environ)
        os.close(theirs)
        self.shown = ""

    def resize(self, columns: int) -> None:
        """Give the terminal this width. The command is told by SIGWINCH, as by any terminal."""
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read_until(self, text: str | None = None, within: float = 60) -> str:
        """Wait for this text, or without one for the end of the command; returns everything shown so far."""
        deadline = time.monotonic() + within
        while text is None or text not in self.shown:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{text!r} was not shown in time: {self.shown}"
            try:
                read = os.read(self._ours, 65536)
            except OSError as error:
                assert error.errno == errno.EIO
                read = b""
            if not read:
                break
            self.shown += read.decode()
        return self.shown

    def close(self) -> None:
        os.close(self._ours)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(60)
