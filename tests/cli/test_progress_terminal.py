"""An apply on a terminal: a bar that is replaced in place, follows the width, and is gone after Ctrl-C."""

from __future__ import annotations

import re
import signal

import pytest

from rsspot.cli.app import run
from support.shell import CLOUDSPACE, write
from support.terminal import Terminal

MANY = 60
STACK = "---\n".join(CLOUDSPACE.replace("name: edge", f"name: edge-{number}") for number in range(MANY))
APPLY = ("--sandbox", "apply", "--yes")
BAR = re.compile(r"\[[#-]{24}\] \d+ of 60 steps")
RECAP = re.compile(r"RECAP run=1 created=60 .* exit=\d+\r\n")
STOPPED = re.compile(r"RECAP run=1 created=\d+ .* exit=8\r\n")
"""How many were created until the signal came depends on the machine."""


def test_many_steps_are_one_bar() -> None:
    """It is taken away before the recap, which is the last line."""
    terminal = Terminal(*APPLY, write(STACK), TERM="xterm", NO_COLOR="")
    try:
        shown = terminal.read_until()
        assert terminal.process.wait(60) == 0
    finally:
        terminal.close()
    assert BAR.search(shown)
    last = RECAP.search(shown)
    assert last and last.end() == len(shown)
    assert shown[: last.start()].endswith("\x1b[J")
    assert shown.count("run 1: 60 steps") == 1


def test_a_resize_and_ctrl_c_leave_the_screen_clean() -> None:
    """No line is wider than the terminal; the message, the recap and the exit code are as without a terminal."""
    assert run(["--sandbox", "simulator", "faults", "--add", "cloudspaces: stuck always"]) == 0
    terminal = Terminal(*APPLY, write(STACK), "--wait-timeout", "100000", columns=100, TERM="xterm", NO_COLOR="")
    try:
        terminal.read_until("of 60 steps, waiting for cloudspace/edge-0 ")
        terminal.resize(40)
        terminal.read_until("of 60 s...")
        terminal.process.send_signal(signal.SIGINT)
        shown = terminal.read_until()
        assert terminal.process.wait(60) == 8
    finally:
        terminal.close()
    assert "Traceback" not in shown
    assert "stopping once the requests under way are done" in shown
    last = STOPPED.search(shown)
    assert last and last.end() == len(shown)
    # What was drawn last is erased; between a message and the end there may be no time to draw again.
    assert shown.rindex("\x1b[J") > shown.rindex(" of 60 s")


@pytest.mark.parametrize("plain", [{"TERM": "dumb"}, {"TERM": "xterm", "NO_COLOR": "1"}])
def test_a_dumb_terminal_gets_plain_lines(plain: dict[str, str]) -> None:
    """No cursor is moved and nothing is erased."""
    terminal = Terminal(*APPLY, write(STACK), **plain)
    try:
        shown = terminal.read_until()
        assert terminal.process.wait(60) == 0
    finally:
        terminal.close()
    assert "\x1b" not in shown
    assert RECAP.search(shown)


def test_without_a_terminal_every_line_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """A log has no bar, and fewer lines than there are steps."""
    assert run([*APPLY, write(STACK)]) == 0
    after_plan = capsys.readouterr().out.partition("Plan: 60 to create")[2].splitlines()[1:]
    assert len(after_plan) < MANY
    assert after_plan[-1].startswith("RECAP run=1 created=60")


def test_verbose_events_prints_every_line(capsys: pytest.CaptureFixture[str]) -> None:
    """As a run of few steps does."""
    assert run([*APPLY, "--verbose-events", write(STACK)]) == 0
    output = capsys.readouterr().out
    assert output.count(": creating") == MANY
    assert output.count(": created") == MANY
