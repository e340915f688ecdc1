"""Whether a process has ended: told of this machine only, and never by a number that another one may have."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rsspot.utils.process import has_ended, identity_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
SLEEPER = [sys.executable, "-S", "-c", "input()"]


def test_a_running_process_has_not_ended() -> None:
    """This one, for example."""
    assert not has_ended(os.getpid(), identity_of(os.getpid()))


def test_a_process_that_was_taken_note_of_has_ended() -> None:
    """Its number may be anybody's from now on."""
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE) as child:
        identity = identity_of(child.pid)
    assert has_ended(child.pid, identity)


def test_a_process_that_nobody_took_note_of_has_ended_too() -> None:
    """A container without an init keeps its dead processes in the list."""
    with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        identity = identity_of(child.pid)
        assert child.stdin and child.stdout
        child.stdin.close()
        # Its end closes the pipe; that nobody waited for it leaves it in the list.
        assert child.stdout.read() == b""
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert has_ended(child.pid, identity)


def test_another_process_of_the_same_number_has_not_the_same_identity() -> None:
    """Numbers are used again: the one that had it before has ended."""
    place, _, started = identity_of(os.getpid()).partition(".")
    assert has_ended(os.getpid(), f"{place}.{int(started) - 1}")


@pytest.mark.parametrize("identity", ["", "0123456789ab.1"], ids=["of an earlier rsspot", "of another container"])
def test_of_a_process_elsewhere_nothing_is_known(identity: str) -> None:
    """That no process here has its number says nothing."""
    assert not has_ended(2**22 + 1, identity)


def test_without_proc_the_number_decides(tmp_path: Path) -> None:
    """On systems without containers of their own."""
    assert identity_of(os.getpid(), tmp_path) == ""
    assert has_ended(2**22 + 1, "", tmp_path)
    assert not has_ended(os.getpid(), "", tmp_path)
