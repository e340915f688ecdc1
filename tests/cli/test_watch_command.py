"""The command watch: what it prints, where it reads from, and how it ends."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from rsspot.cli.app import run
from support.shell import STACK, write


def watch(*words: str) -> int:
    """Run it on the sandbox, waiting for nothing."""
    return run(["--sandbox", "watch", *words, "--wait", "none"])


def test_a_line_for_each_round(capsys: pytest.CaptureFixture[str]) -> None:
    path = write(STACK)
    assert watch(path, "--rounds", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [re.sub(r"^\S+ ", "", line).partition(": out")[0] for line in lines] == [
        "default round 1",
        "default round 2",
    ]
    assert watch(path, "--rounds", "2", "--apply") == 0
    shown = capsys.readouterr().out
    assert "cloudspace/edge: created" in shown
    assert "round 1: applied: " in shown and "created" in shown
    assert shown.splitlines()[-1].endswith("round 2: in-sync")


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(write(STACK), "--rounds", "2", "--apply", "-o", "json") == 0
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rounds = [each for each in documents if each.get("schema") == "rsspot.round/1"]
    assert [each["outcome"] for each in rounds] == ["applied", "in-sync"]
    assert {each["type"] for each in documents if "type" in each} >= {"RunStarted", "StepEnded", "Recap"}
    assert rounds[0]["run"]["counts"]["created"] == len([e for e in documents if e.get("type") == "StepEnded"])


def test_manifests_from_git(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    (origin / "infra").mkdir(parents=True)
    (origin / "infra/stack.yaml").write_text(STACK)
    (origin / "stray.yaml").write_text("kind: Nothing\n")
    who = ["-c", "user.name=Anna", "-c", "user.email=anna@example.com", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *who, *words], cwd=origin, check=True)
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=origin, check=True, capture_output=True, text=True).stdout
    assert watch("infra", "--git", f"{origin.as_uri()}@main", "--rounds", "1", "-o", "json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["outcome"], document["revision"]) == ("out-of-sync", head.strip())


@pytest.mark.parametrize(
    "words, message",
    [
        (["--interval", "soon"], "--interval: 'soon' is not a valid duration"),
        (["--interval", "0s"], "--interval: 0s is too short"),
        (["--listen", "here"], "--listen: 'here' is no address"),
        (["--listen", "70000"], "--listen: '70000' is no address"),
        (["--git", "https://a:b@example.com/x@main"], "--git: the URL holds a password"),
        (["--git", "https://example.com/x@main", "/etc"], "/etc is not inside the repository"),
    ],
)
def test_mistakes(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [] if "--git" in words else [write(STACK)]
    assert watch(*paths, *words) == 3
    assert message in capsys.readouterr().err


def test_mistakes_in_manifests_end_it_at_the_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(write("kind: Nothing\n")) == 3
    assert capsys.readouterr().out == ""
