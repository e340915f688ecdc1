"""The commands of fleets on the sandbox: what they print, ask and end with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rsspot.cli.app import run
from support.shell import STACK

NAMED = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: NAME}\n---\n"


@pytest.fixture
def fleet() -> str:
    """A folder with two stacks."""
    for name in ("east", "west"):
        folder = Path("stacks") / name
        folder.mkdir(parents=True)
        (folder / "stack.yaml").write_text(NAMED.replace("NAME", name) + STACK.replace("edge", name))
    return "stacks"


def fleets(*words: str) -> int:
    return run(["--sandbox", "fleet", *words])


def test_plan_apply_and_status(fleet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleets("plan", fleet) == 0
    shown = capsys.readouterr()
    assert [line.split()[:2] for line in shown.out.splitlines()[1:]] == [
        ["east", "out-of-sync"],
        ["west", "out-of-sync"],
    ]
    assert "east: " in shown.err
    assert fleets("apply", fleet, "--yes", "--wait", "none") == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()[1:]] == ["applied", "applied"]
    assert fleets("status", fleet, "-o", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["summary"] == {"in-sync": 2}
    assert {each["lastRun"]["outcome"] for each in document["stacks"]} == {"ok"}


def test_one_stack_alone(fleet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleets("apply", fleet, "--only", "west", "--yes", "--wait", "none") == 0
    assert "east" not in capsys.readouterr().out
    assert fleets("plan", fleet, "--only", "north") == 3
    assert "there is no stack 'north'" in capsys.readouterr().err


def test_a_stack_that_cannot_be_planned_is_told_and_ends_with_7(fleet: str, capsys: pytest.CaptureFixture[str]) -> None:
    (Path(fleet) / "east/broken.yaml").write_text("kind: Nothing\n")
    assert fleets("plan", fleet) == 7
    out = capsys.readouterr().out
    assert "failed" in out and "Nothing" in out
    assert fleets("status", fleet) == 0


def test_reports_are_private_files(fleet: str) -> None:
    assert fleets("plan", fleet, "--report", "md=fleet.md", "--report", "html=fleet.html") == 0
    assert Path("fleet.md").read_text().startswith("### Fleet `stacks`: 2 out-of-sync")
    assert "<table>" in Path("fleet.html").read_text()
    assert {Path(name).stat().st_mode & 0o777 for name in ("fleet.md", "fleet.html")} == {0o600}


def test_without_a_terminal_nothing_is_applied_unasked(fleet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleets("apply", fleet, "-o", "json") == 5
    assert "add --yes if the plans are approved" in capsys.readouterr().out
    assert fleets("status", fleet, "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["summary"] == {"out-of-sync": 2}


@pytest.mark.parametrize("report", ["pdf=x", "md", "html="])
def test_a_report_that_there_is_not(fleet: str, report: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert fleets("plan", fleet, "--report", report) == 3
    assert "write md=FILE or html=FILE" in capsys.readouterr().err


def test_looking_makes_no_ledger(fleet: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan writes nothing, that of a fleet neither."""
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path / "box"))
    monkeypatch.setenv("RSSPOT_HISTORY", "false")
    assert fleets("plan", fleet) == 0
    assert not (tmp_path / "box/state.db").exists()
    assert fleets("apply", fleet, "--yes", "--wait", "none") == 0
    assert (tmp_path / "box/state.db").exists()


@pytest.mark.parametrize("command", [["fleet", "apply"], ["watch"]])
@pytest.mark.parametrize("option", ["--events", "--result"])
def test_a_file_about_one_run_is_refused_where_there_are_many(
    fleet: str, command: list[str], option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--sandbox", *command, fleet, option, "file.json"]) == 3
    assert f"{option} is about one run" in capsys.readouterr().err
