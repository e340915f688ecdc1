"""What can be said of a run: files for programs, resuming, stopping at a failure, waiting alone, and leases by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from support.shell import CLOUDSPACE, STACK, write

FAILS = "POST spotnodepools: 422 x1"


def sandbox(*words: str) -> int:
    """Run a command on the sandbox."""
    return run(["--sandbox", *words])


def fault(text: str) -> None:
    """Let requests go wrong from now on."""
    assert sandbox("simulator", "faults", "--add", text) == 0


def lines(path: str) -> list[dict[str, Any]]:
    """The events in a file."""
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_events_and_the_result_are_written_beside_what_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Every event with its number, and the end with all reasons; both files are private."""
    fault(FAILS)
    files = ["--events", "events.ndjson", "--result", "result.json"]
    assert sandbox("apply", write(STACK), "--yes", *files) == 7
    shown = capsys.readouterr().out
    assert "RECAP run=1" in shown.splitlines()[-1]
    events = lines("events.ndjson")
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert {event["v"] for event in events} == {1} and {event["run"] for event in events} == {1}
    assert events[0]["type"] == "RunStarted"
    result = json.loads(Path("result.json").read_text())
    assert {name: events[-1][name] for name in result} == result
    assert (result["type"], result["exitCode"], result["reasons"]) == ("Recap", 7, ["partial"])
    assert {Path(name).stat().st_mode & 0o777 for name in ("events.ndjson", "result.json")} == {0o600}


def test_a_file_that_cannot_be_written_is_told_before_anything_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped folder should not cost a run."""
    assert sandbox("apply", write(STACK), "--yes", "--events", "nowhere/events.ndjson") == 3
    assert "cannot write nowhere/events.ndjson" in capsys.readouterr().err
    assert sandbox("cloudspaces", "list", "-o", "name") == 0
    assert capsys.readouterr().out == ""


def test_no_secret_reaches_a_file_of_events() -> None:
    """Nor does the address of a webhook, which may hold one."""
    secret = "https://example.com/never-told"
    text = CLOUDSPACE.replace("spec: {", f"spec: {{webhook: '{secret}', ", 1)
    assert sandbox("apply", write(text), "--yes", "--events", "events.ndjson", "--result", "result.json") == 0
    assert all("never-told" not in Path(name).read_text() for name in ("events.ndjson", "result.json"))


def test_a_run_that_failed_is_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    """As it was approved, without a question; then there is nothing left to resume."""
    fault(FAILS)
    path = write(STACK)
    assert sandbox("apply", path, "--yes") == 7
    assert sandbox("apply", "--resume") == 0
    assert "created=1" in capsys.readouterr().out.splitlines()[-1]
    assert sandbox("apply", "--resume", path) == 0
    assert "nothing to resume" in capsys.readouterr().out
    assert sandbox("plan", path, "--detailed-exitcode") == 0


def test_a_run_whose_ground_moved_is_not_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody has given the field that was to be changed a third value."""
    assert sandbox("apply", write(STACK), "--yes", "--wait", "none") == 0
    fault("PATCH cloudspaces: 422 x1")
    assert sandbox("apply", write(STACK.replace("1.33.0", "1.34.0")), "--yes") == 1
    assert sandbox("cloudspaces", "update", "edge", "--kubernetes-version", "1.33.1") == 0
    assert sandbox("apply", "--resume") == 6
    assert "the saved plan no longer holds: cloudspace/edge" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--resume", "--plan", "plan.json"], "cannot combine --plan with --undo or --resume"),
        (["--resume", "--undo", "1"], "cannot combine --resume with --undo"),
        (["--resume", "--prune"], "the run is resumed as it is"),
        (["stack.yaml", "--wait-for", "redy"], "did you mean 'ready'?"),
        (["stack.yaml", "--wait", "never"], "--wait takes ready, accepted or none"),
    ],
)
def test_what_cannot_be_combined_is_told(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is read."""
    write(STACK)
    assert sandbox("apply", *words, "--yes") == 3
    assert said in capsys.readouterr().err


def test_waiting_alone_ends_with_the_code_of_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    """Ready, late, gone and not there."""
    path = write(CLOUDSPACE)
    assert sandbox("wait", path) == 7
    assert "there is no such object" in capsys.readouterr().out
    assert sandbox("apply", path, "--yes", "--wait", "none") == 0
    assert sandbox("wait", path, "--wait-timeout", "1") == 9
    assert sandbox("wait", path, "--events", "events.ndjson") == 0
    assert lines("events.ndjson")[-1]["outcome"] == "ok"
    assert sandbox("destroy", "--stack", "default", "--yes") == 0
    assert sandbox("wait", path, "--wait-for", "gone") == 0
    assert sandbox("apply", path, "--yes", "--wait-for", "gone") == 3


def test_a_stack_is_held_and_given_back(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever applies it meanwhile is told why it cannot be."""
    path = write(CLOUDSPACE)
    assert sandbox("lock", "hold", "--stack", "default", "--reason", "restoring") == 0
    assert "rsspot lock break 1 --stack default" in capsys.readouterr().out
    assert sandbox("apply", path, "--yes") == 10
    assert "restoring" in capsys.readouterr().err
    assert sandbox("lock", "status", "-o", "json") == 0
    (held,) = json.loads(capsys.readouterr().out)
    assert (held["fence"], held["state"], held["reason"], held["expires_at"]) == (1, "held", "restoring", None)
    assert sandbox("doctor") in (0, 1)
    assert "rsspot lock break 1" in capsys.readouterr().out
    assert sandbox("lock", "break", "2", "--yes") == 1
    assert sandbox("lock", "break", "1", "--yes") == 0
    assert sandbox("apply", path, "--yes") == 0


def test_a_token_that_is_refused_while_a_write_is_in_doubt_ends_with_the_doubt(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The worse of the two is the exit code; the message has both, and the next run finds what was made."""
    fault("POST cloudspaces: reset-after")
    fault("GET cloudspaces/edge: 401 always")
    assert sandbox("apply", write(CLOUDSPACE), "--yes", "--result", "result.json") == 11
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1].endswith("exit=11")
    assert "what became of a write that went out before is unknown" in printed.err
    result = json.loads(Path("result.json").read_text())
    assert (result["exitCode"], result["reasons"]) == (11, ["unknown", "unauthenticated"])
    assert sandbox("simulator", "faults", "--clear") == 0
    assert sandbox("apply", write(CLOUDSPACE), "--yes") == 0
