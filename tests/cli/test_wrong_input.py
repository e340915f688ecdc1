"""Invalid commands and manifests change nothing and exit with the right code; secrets are never printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from support.shell import CLOUDSPACE, POOL, STACK, listed, write

SECRET = "https://hooks.example.com/hunter2-token"
WITH_SECRET = CLOUDSPACE + f"  webhook: {SECRET}\n"
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)


MISTAKES = {
    "unknown key": (STACK.replace("desired: 2", "desierd: 2\n  desired: 2"), 3, "stack.yaml:16:3:", "'desierd'"),
    "wrong type": (STACK.replace("desired: 2", "desired: two"), 3, "stack.yaml:16:3:", "whole number"),
    "bid far too high": (STACK.replace("0.03", "1e9"), 3, "stack.yaml:17:3:", "less than 1000"),
    "too many servers": (
        STACK.replace("desired: 2", "desired: 99999999999999999999"),
        3,
        "stack.yaml:16:3:",
        "less than or equal to 10000",
    ),
    "unknown class": (STACK.replace("gp.vs1.large-dfw", "gp.vs1.lage-dfw"), 5, "stack.yaml:15:3:", "does not exist"),
    "class of another region": (
        STACK.replace("large-dfw", "large-iad"),
        5,
        "stack.yaml:15:3:",
        "cannot be in two regions",
    ),
    "bid between two steps": (STACK.replace("0.03", "0.05"), 5, "stack.yaml:17:3:", "next valid bid is 0.06"),
    "bid under the minimum": (STACK.replace("0.03", "0.005"), 5, "stack.yaml:17:3:", "next valid bid is 0.01"),
    "bid under the market": (
        STACK.replace("gp.vs1.large-dfw", "ch.vs1.medium-dfw").replace("0.03", "0.01"),
        5,
        "stack.yaml:17:3:",
        "under the market price of 0.011",
    ),
    "pool without cloudspace": (POOL, 5, "stack.yaml:7:3:", "names the CloudSpace 'edge', which does not exist"),
    "duplicate names": (STACK + POOL, 3, "stack.yaml:22:3:", "declared twice"),
    "duplicate key": (CLOUDSPACE + "  region: x\n", 3, "stack.yaml:8:3:", "written twice"),
    "unknown kind": (STACK.replace("SpotNodePool", "SpotNodePol"), 3, "stack.yaml:10:1:", "did you mean"),
    "missing variable": (STACK.replace("us-central-dfw-1", "${var:region}"), 3, "stack.yaml:6:3:", "no variable"),
    "invalid YAML": (STACK + "  : : [\n", 3, "stack.yaml:18:", "invalid YAML"),
    "alias bomb": (BOMB, 3, "stack.yaml:", "aliases unfold"),
    "code in a tag": ("a: !!python/object/apply:os.system [id]\n", 3, "stack.yaml:1:4:", "not allowed"),
    "empty file": ("", 3, "stack.yaml", "no manifests here"),
}


@pytest.mark.parametrize("command", [["plan"], ["apply", "--yes"]], ids=["plan", "apply"])
@pytest.mark.parametrize(("text", "code", "place", "message"), MISTAKES.values(), ids=MISTAKES)
def test_an_invalid_manifest_changes_nothing(
    capsys: pytest.CaptureFixture[str], command: list[str], text: str, code: int, place: str, message: str
) -> None:
    """Standard error has the location and the message, the exit code fits, and no object is created."""
    assert run(["--sandbox", *command, write(text)]) == code
    captured = capsys.readouterr()
    assert place in captured.err
    assert message in captured.err
    assert "Traceback" not in captured.err + captured.out
    assert listed("spotnodepools", capsys) == []
    assert listed("cloudspaces", capsys) == []


@pytest.mark.parametrize(("text", "code", "place", "message"), MISTAKES.values(), ids=MISTAKES)
def test_an_invalid_manifest_is_reported_as_json(
    capsys: pytest.CaptureFixture[str], text: str, code: int, place: str, message: str
) -> None:
    """With -o json, standard output is one JSON document, errors included."""
    assert run(["--sandbox", "plan", write(text), "-o", "json"]) == code
    document = json.loads(capsys.readouterr().out)
    problems = document["refusals"] if "refusals" in document else document["error"]["problems"]
    assert problems
    assert all(set(problem) == {"rule", "message", "source", "hint"} for problem in problems)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "none.yaml"], "no such file or directory"),
        (["plan", "."], "no manifests here"),
        (["plan"], "no manifests given"),
        (["apply"], "no manifests given"),
        (["destroy"], "no stack given"),
        (["destroy", "--stack", ""], "'' is not a valid stack name"),
        (["destroy", "--stack", "Bad Name!"], "'Bad Name!' is not a valid stack name"),
        (["destroy", "x", "--stack", "y"], "either manifests or --stack"),
        (["plann"], "plann"),
        (["cloudspaces", "lst"], "lst"),
        (["cloudspaces", "get"], "name"),
        (["plan", "--bogus", "x"], "--bogus"),
        (["apply", "x", "--wait", "soon"], "--wait takes ready, accepted or none"),
        (["apply", "x", "-o", "yaml"], "leave -o yaml out"),
        (["apply", "x", "--parallelism", "many"], "--parallelism"),
        (["apply", "x", "--parallelism", "0"], "--parallelism"),
        (["apply", "x", "--wait-timeout", "-5"], "--wait-timeout"),
        (["plan", "x", "--max-deletes", "-1"], "--max-deletes"),
        (["plan", "x", "--var", "novalue"], "--var takes NAME=VALUE"),
        (["plan", "x", "--var", "=value"], "--var takes NAME=VALUE"),
        (["plan", "-o", "xml"], "unknown output format 'xml'"),
        (["plan", "-o"], "-o needs a value"),
        (["apply", "--plan", "none.json"], "cannot read none.json"),
        (["apply", "--plan", "none.json", "x"], "either --plan or paths"),
        (["cloudspaces", "patch", "edge", "{not json"], "invalid JSON"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "message",
)
def test_usage_errors(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """They exit with 3, not with click's 2, and print a message without a traceback."""
    assert run(["--sandbox", *arguments]) == 3
    captured = capsys.readouterr()
    assert message.lower() in captured.err.lower()
    assert "Traceback" not in captured.err


@pytest.mark.parametrize(
    "arguments", [["plann"], ["plan", "--bogus"], ["plan"], ["cloudspaces", "get"], ["plan", "x", "--var", "x"]]
)
def test_usage_errors_are_reported_as_json(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """With -o json, also for errors found by the command line parser."""
    assert run([*arguments, "--sandbox", "-o", "json"]) == 3
    assert json.loads(capsys.readouterr().out)["error"]["exitCode"] == 3


def test_only_very_verbose_prints_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """-vv prints the traceback of an error, -v only how long the command took."""
    assert run(["--sandbox", "plan", "none.yaml"]) == 3
    assert "Traceback" not in capsys.readouterr().err
    assert run(["--sandbox", "plan", "none.yaml", "-v"]) == 3
    assert "Traceback" not in capsys.readouterr().err
    for more in (["-vv"], ["-v", "--verbose"]):
        assert run(["--sandbox", "plan", "none.yaml", *more]) == 3
        assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("order", [["--sandbox", "-o", "json", "plan"], ["plan", "--sandbox", "-o", "json"]])
def test_global_options_are_accepted_anywhere(capsys: pytest.CaptureFixture[str], order: list[str]) -> None:
    """Before the command and after it."""
    assert run([*order, write(STACK)]) == 0
    assert json.loads(capsys.readouterr().out)["summary"]["create"] == 2


def test_detailed_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """2 when there are changes, 0 when there are none; without the option always 0."""
    file = write(STACK)
    assert run(["--sandbox", "plan", file]) == 0
    assert run(["--sandbox", "plan", file, "--detailed-exitcode"]) == 2
    assert run(["--sandbox", "apply", file, "--yes"]) == 0
    assert run(["--sandbox", "plan", file, "--detailed-exitcode"]) == 0
    assert capsys.readouterr().out.endswith("No changes.\n")


def test_the_last_line_of_an_apply_is_its_recap(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts can rely on it."""
    assert run(["--sandbox", "apply", write(STACK), "--yes"]) == 0
    assert capsys.readouterr().out.rstrip("\n").splitlines()[-1].startswith("RECAP ")
    assert len(listed("spotnodepools", capsys)) == 1


def test_apply_without_a_terminal_is_refused_at_once(here: Path) -> None:
    """It does not wait for an answer. Runs in a separate process, which has no terminal."""
    ended = subprocess.run(
        [sys.executable, "-m", "rsspot", "--sandbox", "apply", write(STACK)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 5
    assert "cannot prompt for approval without a terminal" in ended.stderr
    assert "--yes" in ended.stderr


def test_applying_a_saved_plan_twice_changes_nothing_the_second_time(capsys: pytest.CaptureFixture[str]) -> None:
    """All its steps are already satisfied."""
    file = write(STACK)
    assert run(["--sandbox", "plan", file, "--out", "plan.json"]) == 0
    assert Path("plan.json").stat().st_mode & 0o077 == 0
    assert run(["--sandbox", "apply", "--plan", "plan.json", "--yes"]) == 0
    before = listed("spotnodepools", capsys)
    assert run(["--sandbox", "apply", "--plan", "plan.json", "--yes"]) == 0
    after = listed("spotnodepools", capsys)
    assert [pool["metadata"]["uid"] for pool in after] == [pool["metadata"]["uid"] for pool in before]
    assert [pool["spec"] for pool in after] == [pool["spec"] for pool in before]


def test_a_saved_plan_is_stale_after_the_objects_changed(capsys: pytest.CaptureFixture[str]) -> None:
    """The approval no longer applies, so nothing is sent."""
    assert run(["--sandbox", "apply", write(STACK), "--yes"]) == 0
    assert run(["--sandbox", "plan", write(STACK.replace("0.03", "0.04")), "--out", "plan.json"]) == 0
    assert run(["--sandbox", "spotnodepools", "patch", "workers", '{"bidPrice": "0.06"}']) == 0
    capsys.readouterr()
    assert run(["--sandbox", "apply", "--plan", "plan.json", "--yes"]) == 6
    assert "spotnodepool/edge/workers" in capsys.readouterr().err
    assert [pool["spec"]["bidPrice"] for pool in listed("spotnodepools", capsys)] == ["0.06"]


@pytest.mark.parametrize(
    ("before", "after"),
    [('"0.03"', '"9.99"'), ("rsspot.plan/1", "rsspot.plan/9"), ("}", ""), ('"create"', '"delete"')],
)
def test_a_modified_saved_plan_is_refused(capsys: pytest.CaptureFixture[str], before: str, after: str) -> None:
    """Only what was approved can be applied."""
    assert run(["--sandbox", "plan", write(STACK), "--out", "plan.json"]) == 0
    saved = Path("plan.json").read_text()
    assert before in saved
    Path("plan.json").write_text(saved.replace(before, after, 1))
    capsys.readouterr()
    assert run(["--sandbox", "apply", "--plan", "plan.json", "--yes"]) == 3
    assert "plan" in capsys.readouterr().err
    assert listed("spotnodepools", capsys) == []


def test_a_refused_plan_is_not_saved() -> None:
    """Otherwise it could be applied by mistake."""
    assert run(["--sandbox", "plan", write(STACK.replace("0.03", "0.05")), "--out", "plan.json"]) == 5
    assert not Path("plan.json").exists()


@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_a_secret_is_neither_printed_nor_stored(capsys: pytest.CaptureFixture[str], output: str) -> None:
    """Not on either stream, in the saved plan or in the ledger. Only the manifest and the service have it."""
    file = write(WITH_SECRET)
    lines = output.replace("yaml", "table")  # a run is reported as text or as JSON lines
    assert run(["--sandbox", "plan", file, "--out", "plan.json", "-o", output]) == 0
    assert run(["--sandbox", "apply", "--plan", "plan.json", "--yes", "-o", lines]) == 0
    write(WITH_SECRET.replace("hunter2", "hunter3"))
    assert run(["--sandbox", "apply", file, "--yes", "-v", "-o", lines]) == 0
    assert run(["--sandbox", "ledger", "runs", "-o", output]) == 0
    assert run(["--sandbox", "ledger", "show", "-o", output]) == 0
    captured = capsys.readouterr()
    assert "hunter" not in captured.out + captured.err
    assert "hunter" not in Path("plan.json").read_text()
    for part in folder().glob("state.db*"):
        assert b"hunter" not in part.read_bytes()


@pytest.mark.parametrize("command", [["list"], ["get", "edge"]])
def test_a_secret_is_masked_when_objects_are_shown(capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    """The service returns it; the output masks it."""
    assert run(["--sandbox", "apply", write(WITH_SECRET), "--yes"]) == 0
    for output in ("table", "json", "yaml"):
        assert run(["--sandbox", "cloudspaces", *command, "-o", output]) == 0
    captured = capsys.readouterr()
    assert "hunter" not in captured.out + captured.err


@pytest.mark.parametrize(
    "wrong",
    [
        WITH_SECRET.replace("webhook:", "webhok:"),
        WITH_SECRET.replace(SECRET, f"[{SECRET}]"),
        WITH_SECRET.replace("webhook: ", "webhook: ${var:none}"),
        WITH_SECRET + "  webhook: again\n",
        WITH_SECRET.replace("webhook: ", "webhook: !mine "),
    ],
    ids=["misspelt", "wrong type", "missing variable", "written twice", "tag"],
)
def test_a_line_with_a_secret_is_not_quoted(capsys: pytest.CaptureFixture[str], wrong: str) -> None:
    """Errors quote the line they are about, unless it contains a secret."""
    assert run(["--sandbox", "plan", write(wrong)]) == 3
    assert "hunter2" not in "".join(capsys.readouterr())


def test_a_secret_from_the_environment_is_not_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error about its wrong type does not repeat the value."""
    monkeypatch.setenv("HOOK", "hunter2")
    file = write(STACK.replace("desired: 2", "desired: ${env:HOOK}"))
    assert run(["--sandbox", "plan", file]) == 3
    assert "hunter2" not in "".join(capsys.readouterr())
