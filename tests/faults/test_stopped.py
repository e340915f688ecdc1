"""An apply that is told to stop at any moment at all begins no further write, says so by its code, and can be finished.

The command line runs whole, in a process of its own. A moment is before or after the effect of a request, or before a
wait; it is told by a signal, by two of them, or by the reader of its output that leaves. `make test` takes a few
moments of each, `make chaos` every one.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from support.amount import amount
from support.forked import Forked
from support.stopped_apply import WAYS

CODES = {"ok": 0, "cancelled": 8, "unknown": 11}
"""The exit code that the README has for each outcome of a run that was told to stop."""
STEP, LAST = amount(31, 1), amount(56, 10_000)
"""Which moments are taken: the first of each way, and so many on, up to the last."""
TEXTS = ("create", "change", "recover")[: amount(1, 3)]
AFTER_A_CREATE = 30
"""A moment in the middle of the run that makes everything."""

Tell = Callable[[Path, str, str, int], dict[str, Any]]
Begin = Callable[[str], tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="module")
def tell() -> Iterator[Tell]:
    """Runs the command in a process: it is told to stop, and then run once more."""
    program = Forked("stopped_apply")

    def run(folder: Path, text: str, way: str, number: int) -> dict[str, Any]:
        ended = program.run(folder, text, way, number)
        if way == "SIGKILL":
            assert ended.returncode == -signal.SIGKILL, ended.stderr
            return {}
        assert ended.returncode == 0, ended.stderr
        told: dict[str, Any] = json.loads((folder / "told.json").read_text())
        return told

    yield run
    program.close()


@pytest.fixture(scope="module")
def begin(tmp_path_factory: pytest.TempPathFactory, tell: Tell) -> Begin:
    """The folder in which a text is to be applied, and what comes of that when nobody stops it."""

    @cache
    def of(text: str) -> tuple[Path, dict[str, Any]]:
        folder = tmp_path_factory.mktemp(text)
        if text == "change":
            tell(folder, "create", "none", 0)
        elif text == "recover":
            tell(folder, "create", "SIGKILL", AFTER_A_CREATE)
        peace = shutil.copytree(folder, tmp_path_factory.mktemp("peace"), dirs_exist_ok=True)
        told = tell(peace, text, "none", 0)
        assert (told["code"], told["then"][0]) == (0, 0)
        return folder, told

    return of


def last_line(out: str) -> str:
    return out.splitlines()[-1] if out else ""


def assert_stopped(told: dict[str, Any], way: str, *, began: bool) -> None:
    """No write was begun once it was heard, and code, outcome and last line are those of the README.

    began: whether there is a run of it
    """
    assert not told["unheard"]
    if told["attempts when heard"] is not None:
        assert told["attempts"] == told["attempts when heard"], "a write was begun after that"
    outcome = told["outcomes"][-1] if began else "cancelled"
    assert told["code"] == CODES[outcome]
    assert (outcome == "unknown") == ("unknown" in told["states"])
    assert outcome != "unknown" or way == "SIGINT twice"
    if way != "reader left":
        recap = last_line(told["out"])
        assert recap.startswith("RECAP ") == began
        assert not began or recap.endswith(f" exit={told['code']}")
    assert "Traceback" not in told["errors"]


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("text", TEXTS)
def test_an_apply_that_is_stopped_anywhere_is_finished_by_the_next(
    tmp_path: Path, tell: Tell, begin: Begin, record_property: Callable[[str, object], None], text: str, way: str
) -> None:
    """Whatever asks for it. The next run ends well, and every object was made once."""
    before, wanted = begin(text)
    runs_before = len(wanted["outcomes"]) - 1
    stopped = 0
    # Each way has moments of its own in `make test`.
    for number in range(1 + WAYS.index(way) * 5 % STEP, LAST, STEP):
        folder = shutil.copytree(before, tmp_path / str(number))
        told = tell(folder, text, way, number)
        if not told["fired"]:
            assert told["code"] == 0
            break
        assert_stopped(told, way, began=len(told["outcomes"]) > runs_before)
        code, out, errors = told["then"]
        assert (code, last_line(out)[-7:]) == (0, " exit=0"), out + errors
        assert (told["births"], told["living"]) == (wanted["births"], wanted["living"])
        shutil.rmtree(folder)
        stopped += 1
    assert stopped
    record_property("moments at which an apply was stopped", stopped)
