"""A registrar that is an executable: what it is told, what counts as an answer, and what becomes of it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sys
import time
from pathlib import Path

import pytest

from rsspot.services.registrations.registrars.exec import ProgramRegistrar
from rsspot.services.registrations.registrars.protocol import Question, RegistrarFailed, RegistrarSilent
from rsspot.utils.serialization import Document

SLOW = """
echo $$ > "$1"
exec sleep 600
"""
KEEPS_PIPES_OPEN = """
import subprocess, sys
child = "import fcntl, time, sys; held = open(sys.argv[1], 'w'); fcntl.flock(held, 2); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child, sys.argv[1]])
"""


async def ask(command: list[str], message: Document, timeout: float) -> Document:
    """The answer of a program."""
    return await ProgramRegistrar(command).ask(Question(message, "key", timeout))


@pytest.mark.parametrize("echo", ["echo $HOOK", "printf %s $HOOK | base64 -w0", "echo x${HOOK}x"])
async def test_a_secret_of_the_environment_is_not_kept(monkeypatch: pytest.MonkeyPatch, echo: str) -> None:
    """A registrar inherits the environment, and may print what it was called with."""
    monkeypatch.setenv("HOOK", "canary-492817-value")
    with pytest.raises(RegistrarFailed) as caught:
        await ask(["/bin/sh", "-c", f"{echo} >&2; echo near $HOME >&2; exit 3"], {}, 20)
    assert "canary-492817" not in caught.value.message
    assert "Y2FuYXJ5LTQ5MjgxNy" not in caught.value.message
    assert f"near {os.environ['HOME']}" in caught.value.message


@pytest.mark.parametrize("stream", ["1", "2"])
async def test_endless_output_is_cut_off(stream: str) -> None:
    """The registrar is killed, however fast it prints."""
    with pytest.raises(RegistrarFailed, match="printed more than 1048576 bytes"):
        await ask(["/bin/sh", "-c", f"yes >&{stream}"], {}, 60)


@pytest.mark.parametrize("text", ["", "hello", "[]", '"text"', "{} {}", "\\xff"])
async def test_output_that_is_not_a_json_object_is_a_failure(text: str) -> None:
    """Exactly one JSON object is required."""
    with pytest.raises(RegistrarFailed, match="did not print a JSON object"):
        await ask([sys.executable, "-c", f"print('{text}')"], {}, 20)


async def test_a_missing_program_is_a_failure() -> None:
    """With the system's reason."""
    with pytest.raises(RegistrarFailed, match="cannot run the registrar /nowhere"):
        await ask(["/nowhere"], {}, 20)


async def test_a_registrar_may_ignore_its_input() -> None:
    """However long the input is."""
    assert await ask([sys.executable, "-c", "print('{}')"], {"long": "x" * 1_000_000}, 20) == {}


async def test_a_long_error_output_is_cut() -> None:
    """Its end is kept."""
    with pytest.raises(RegistrarFailed) as caught:
        await ask([sys.executable, "-c", "import sys; sys.exit('x' * 10_000 + 'the end')"], {}, 20)
    assert str(caught.value).endswith("the end")
    assert len(str(caught.value)) < 1000


async def test_a_registrar_is_killed_after_its_timeout(tmp_path: Path) -> None:
    """It does not outlive the call."""
    (tmp_path / "slow.sh").write_text(SLOW)
    began = time.monotonic()
    with pytest.raises(RegistrarFailed, match="did not answer in 2 s"):
        await ask(["sh", str(tmp_path / "slow.sh"), str(tmp_path / "pid")], {}, 2)
    assert time.monotonic() - began < 60
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


async def test_a_registrars_children_are_killed_with_it(tmp_path: Path) -> None:
    """Otherwise a child could keep the pipes open."""
    (tmp_path / "parent.py").write_text(KEEPS_PIPES_OPEN)
    began = time.monotonic()
    with pytest.raises(RegistrarFailed, match="did not answer in 2 s"):
        await ask([sys.executable, str(tmp_path / "parent.py"), str(tmp_path / "lock")], {}, 2)
    assert time.monotonic() - began < 60
    with (tmp_path / "lock").open() as lock:
        for _ in range(1200):
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                await asyncio.sleep(0.05)
    raise AssertionError("the child still runs")


async def test_endless_output_ends_with_the_timeout_at_the_latest(tmp_path: Path) -> None:
    """Also when it comes from a process outside of the group, whose pipe nobody can close but us."""
    escaped = "import os; os.fork() or (os.setsid(), print('x' * 100, flush=True), __import__('time').sleep(5))"
    began = time.monotonic()
    with pytest.raises(RegistrarSilent, match="did not answer in 1 s"):
        await ask([sys.executable, "-c", escaped], {}, 1)
    assert time.monotonic() - began < 60


async def test_a_program_that_is_ended_by_a_signal_has_not_answered() -> None:
    """Nobody knows how far it came."""
    with pytest.raises(RegistrarSilent, match="was ended by SIGTERM"):
        await ask(["/bin/sh", "-c", "kill $$"], {}, 20)


async def test_a_refusal_is_an_answer() -> None:
    """Unlike silence."""
    with pytest.raises(RegistrarFailed) as caught:
        await ask(["/bin/false"], {}, 20)
    assert not isinstance(caught.value, RegistrarSilent)


async def test_a_cancelled_question_ends_its_program(tmp_path: Path) -> None:
    """Whoever cancels does not wait for the registrar."""
    started: list[str] = []
    question = Question({}, "key", 600, started.append)
    asking = asyncio.create_task(ProgramRegistrar(["/bin/sleep", "600"]).ask(question))
    while not started:
        await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    with pytest.raises(ProcessLookupError):
        os.kill(int(started[0].partition("#")[0]), 0)


async def test_the_process_is_told_before_it_has_its_question() -> None:
    """So that one which is not on record cannot do anything."""
    began: list[str] = []

    def note(process: str) -> None:
        began.append(process)
        raise KeyError("the ledger cannot be written")

    with pytest.raises(KeyError):
        await ProgramRegistrar(["/bin/sleep", "600"]).ask(Question({}, "key", 600, note))
    with pytest.raises(ProcessLookupError):
        os.kill(int(began[0].partition("#")[0]), 0)


async def test_a_program_can_say_that_nobody_knows() -> None:
    """By an exit code of its own, with the reason."""
    with pytest.raises(RegistrarSilent, match="exited with 75: the connection broke"):
        await ask(["/bin/sh", "-c", "echo the connection broke >&2; exit 75"], {}, 20)
