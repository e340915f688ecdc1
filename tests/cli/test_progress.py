"""A run of many steps is one bar on a terminal, and elsewhere a few summaries; failures are always lines."""

from __future__ import annotations

import json

import pytest

from rsspot.applier.events import Recap, RunStarted, StepEnded, StepStarted, Waiting
from rsspot.cli.progress import BAR, LAST_EVENTS, MANY, SUMMARY_STEPS, Lines, Progress
from rsspot.cli.waits import Waits
from rsspot.reports.json import JsonReport
from rsspot.reports.protocol import Report, Traffic
from rsspot.reports.text import TextReport
from rsspot.simulator.clock import ManualClock
from rsspot.state.ledger.protocol import StepState


class Show:
    """The progress of a run, by a clock that stands still."""

    def __init__(self, steps: int, *, lines: Lines = Lines.FEW, live: bool = False) -> None:
        self.clock = ManualClock(0.0)
        self.drawn: list[list[str]] = []
        report: Report = JsonReport() if lines is Lines.REPEATED else TextReport()
        waits = Waits(self.clock, print, None)
        draw = (lambda lines: self.drawn.append([*lines])) if live else None
        self.progress = Progress(report, self.clock, waits, lines=lines, draw=draw)
        self.progress.show(RunStarted(1, steps))

    def start(self, *numbers: int) -> None:
        """Begin these steps."""
        for number in numbers:
            self.progress.show(StepStarted(f"pool/{number}", "create"))

    def end(self, *numbers: int, state: StepState = StepState.DONE, detail: str = "") -> None:
        """End these steps."""
        for number in numbers:
            self.progress.show(StepEnded(f"pool/{number}", "create", state, detail=detail))

    def pass_time(self, seconds: int) -> None:
        """Let whole seconds pass, with a tick after each."""
        for _ in range(seconds):
            self.clock.advance(1)
            self.progress.tick()


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The lines printed since the last call, without their times."""
    return [line.partition("s  ")[2] or line for line in capsys.readouterr().out.splitlines()]


def test_a_run_of_few_steps_prints_every_event(capsys: pytest.CaptureFixture[str]) -> None:
    """As many as fit on a screen."""
    show = Show(MANY)
    show.start(*range(MANY))
    show.end(*range(MANY))
    assert len(printed(capsys)) == 1 + 2 * MANY


def test_a_run_of_many_steps_prints_summaries(capsys: pytest.CaptureFixture[str]) -> None:
    """Each after a number of steps."""
    show = Show(300)
    for number in range(300):
        show.start(number)
        show.end(number)
        show.progress.tick()
    lines = printed(capsys)
    assert lines[0] == "run 1: 300 steps"
    assert lines[1:] == [f"{done} of 300 steps" for done in range(SUMMARY_STEPS, 301, SUMMARY_STEPS)]


def test_silence_lasts_ten_seconds_at_most(capsys: pytest.CaptureFixture[str]) -> None:
    """However few steps end, what is waited for longest is named."""
    show = Show(300)
    show.start(1, 2, 3)
    show.progress.show(Waiting("pool/1", "partial", "won 1 of 2"))
    show.pass_time(30)
    lines = printed(capsys)
    assert len(lines) == 4
    assert lines[-1] == "0 of 300 steps, waiting for pool/1 for 27 s: won 1 of 2; and 2 more"


def test_failures_are_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    """And are counted."""
    show = Show(300)
    show.start(1, 2)
    show.end(1, state=StepState.FAILED, detail="quota exceeded")
    show.end(2, state=StepState.REFUSED, detail="it changed")
    show.pass_time(9)
    show.start(3)
    show.pass_time(9)
    lines = printed(capsys)
    assert lines[1:3] == ["pool/1: FAILED (quota exceeded)", "pool/2: REFUSED (it changed)"]
    assert lines[3].startswith("2 of 300 steps, 2 failed, waiting for pool/3")


def test_every_event_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """--verbose-events."""
    show = Show(300, lines=Lines.ALL)
    show.start(*range(300))
    show.end(*range(300))
    assert len(printed(capsys)) == 601


def test_a_waiting_event_is_repeated_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """In the same form, at least every ten seconds, and not in between."""
    show = Show(2, lines=Lines.REPEATED)
    show.progress.show(Waiting("pool/1", "partial", "won 1 of 2"))
    show.progress.show(Waiting("pool/1", "partial", "won 1 of 2"))
    show.pass_time(20)
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    waiting = {"type": "Waiting", "address": "pool/1", "phase": "partial", "note": "won 1 of 2"}
    assert events[1:] == [waiting, waiting, waiting]


def test_a_step_that_has_ended_is_not_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is waited for any more."""
    show = Show(1, lines=Lines.REPEATED)
    show.start(1)
    show.end(1)
    show.pass_time(30)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_a_terminal_shows_the_last_events_and_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing scrolls by. Events between two ticks cost no drawing."""
    show = Show(300, live=True)
    show.start(*range(300))
    show.end(*range(150))
    show.pass_time(1)
    [lines] = show.drawn
    assert len(lines) == LAST_EVENTS + 1
    assert lines[-2].endswith("pool/149: created")
    assert lines[-1].startswith(f"[{'#' * (BAR // 2)}{'-' * (BAR // 2)}] 150 of 300 steps, waiting for pool/150")
    assert printed(capsys) == ["run 1: 300 steps"]


def test_a_run_without_steps_says_what_it_waits_for() -> None:
    """Objects that are as declared may not be ready yet."""
    show = Show(0, live=True)
    show.progress.show(Waiting("pool/1", "partial", "won 1 of 2"))
    show.pass_time(1)
    assert show.drawn == [["waiting for pool/1 for 1 s: won 1 of 2"]]


@pytest.mark.parametrize("live", [True, False])
def test_the_recap_is_the_last_line(capsys: pytest.CaptureFixture[str], live: bool) -> None:
    """A tick that comes after it shows nothing."""
    show = Show(300, live=live)
    show.start(*range(300))
    show.progress.finish(Recap(1), Traffic(5, 0, 0.0))
    show.pass_time(30)
    assert capsys.readouterr().out.splitlines()[-1].startswith("RECAP run=1")
    assert show.drawn == []
