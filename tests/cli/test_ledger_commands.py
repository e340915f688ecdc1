"""`rsspot ledger …` as it is typed: which runs and steps are listed, what is asked before, and what is written."""

from __future__ import annotations

import hashlib
import json
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from rsspot.simulator.clock import ManualClock
from rsspot.state.database import Database
from rsspot.state.ledger.plans import CUT, packed
from rsspot.state.ledger.protocol import StepRecord, StepState
from support.ledgers import MADE_BY, START, Runs, edge
from support.shell import STACK, write

NOW = START + 100 * 86_400


@pytest.fixture(autouse=True)
def account(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of four runs: of two stacks, one killed, one partly done."""
    monkeypatch.setenv("RSSPOT_STATE_PATH", str(here / "state.db"))
    monkeypatch.setenv("RSSPOT_HISTORY", "false")
    with closing(Database(here / "state.db", durable=False)) as database:
        runs = Runs(database)
        runs.made(1, 2)
        runs.made(1, scope="spot/acme/db")
        runs.left_open(3)
        steps = [StepRecord(seq, f"cloudspace/{seq}", edge(seq), "create") for seq in range(3)]
        partly = runs.begin(steps)
        for answer in ("ServerError: 503", "ok"):
            runs.ledger.answered(partly, 0, runs.ledger.intend(partly, 0), answer)
        runs.ledger.settle(partly, 0, StepState.DONE)
        runs.ledger.settle(partly, 1, StepState.FAILED, detail="no quota")
        runs.ledger.settle(partly, 2, StepState.SKIPPED, detail="cloudspace/1 is not done")
        runs.end(partly, "partial")
    return here / "state.db"


def ledger(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """What a `ledger` command prints. Some time later, by the clock that it is given."""
    capsys.readouterr()
    assert run(["ledger", *words], ManualClock(NOW)) == code
    printed = capsys.readouterr()
    return printed.out + printed.err


def documents(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """What it prints as JSON."""
    return json.loads(ledger(capsys, *words, "-o", "json"))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [4, 3, 2, 1]),
        (("--stack", "web"), [4, 3, 1]),
        (("--stack", "db"), [2]),
        (("--stack", "b"), []),
        (("--limit", "2"), [4, 3]),
        (("--open",), [3]),
        (("--open", "--stack", "db"), []),
    ],
)
def test_runs_are_chosen_and_the_newest_are_first(
    options: tuple[str, ...], expected: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """By stack, number, or being open."""
    assert [each["id"] for each in documents(capsys, "runs", *options)] == expected


def test_a_run_says_who_and_how_much(capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON each in a field of its own."""
    last = documents(capsys, "runs")[0]
    who = {name: last[name] for name in ("user", "host", "ci", "commit", "stack")}
    assert who == {"user": "ada", "host": "laptop", "ci": MADE_BY["ci"], "commit": MADE_BY["commit"], "stack": "web"}
    assert last["steps"] == {"done": 1, "failed": 1, "skipped": 1}
    assert last["plan_digest"].startswith("sha256:") and last["started_at"] <= last["ended_at"]
    assert "1 done, 1 failed, 1 skipped" in ledger(capsys, "runs")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), [0, 1, 2]),
        (("--state", "failed"), [1]),
        (("--state", "failed", "--state", "done"), [0, 1]),
        (("--address", "cloudspace/[12]"), [1, 2]),
        (("--address", "cloudspace/*", "--state", "skipped"), [2]),
        (("--address", "spotnodepool/*"), []),
    ],
)
def test_steps_are_chosen(options: tuple[str, ...], expected: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    """By address and state."""
    assert [each["seq"] for each in documents(capsys, "steps", "4", *options)] == expected


def test_steps_have_their_requests(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each in a table; a step that sent none says why."""
    lines = ledger(capsys, "steps").splitlines()
    assert [line.split("  ")[-1].strip() for line in lines] == [
        "OUTCOME",
        "ServerError: 503",
        "ok",
        "no quota",
        "cloudspace/1 is not done",
    ]
    attempts = documents(capsys, "steps", "4")[0]["attempts"]
    assert [(each["number"], each["outcome"]) for each in attempts] == [(1, "ServerError: 503"), (2, "ok")]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("steps", "4", "--state", "faild"), "did you mean 'failed'?"),
        (("prune", "--keep", "soon"), "'soon' is not a valid duration"),
        (("prune", "--keep", "-1d"), "'-1d' is not a valid duration"),
        (("prune", "--keep", "90"), "'90' is not a valid duration"),
        (("prune", "--keep", "0s"), "'0s' would keep nothing"),
        (("prune",), "--keep"),
        (("import", "missing.json"), "cannot read missing.json"),
        (("export", "."), "cannot write ."),
    ],
)
def test_a_mistyped_command_is_answered(words: tuple[str, ...], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With what was meant, or how it is written."""
    assert named in ledger(capsys, *words, code=3)


@pytest.mark.parametrize("words", [("steps", "9"), ("show", "99999999999999999999")])
def test_a_run_that_there_is_not_is_named(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """It is not found, which is no mistake in the command."""
    assert f"the ledger has no run {words[1]}" in ledger(capsys, *words, code=1)


def test_nothing_is_forgotten_that_matters(capsys: pytest.CaptureFixture[str]) -> None:
    """Runs 1 and 2 made objects that are owned, run 3 is open, and run 4 is the last one."""
    assert "No run is old enough." in ledger(capsys, "prune", "--keep", "999999999w", "--yes")
    assert documents(capsys, "prune", "--keep", "1d", "--yes")["forgotten"] == []


def test_what_goes_is_asked_and_told(account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal it has to be said with --yes, as for everything that cannot be taken back."""
    with closing(Database(account, durable=False)) as database, database.transaction() as db:
        db.execute("DELETE FROM managed_objects")
    assert "Would forget 2 runs, with 3 steps and 3 attempts." in ledger(capsys, "prune", "--keep", "1d", "--dry-run")
    assert "--yes" in ledger(capsys, "prune", "--keep", "1d", code=5)
    assert len(documents(capsys, "runs")) == 4
    told = ledger(capsys, "prune", "--keep", "1d", "--yes")
    assert "Forgot 2 runs, with 3 steps and 3 attempts. Gave " in told and "KiB back" in told
    assert [each["id"] for each in documents(capsys, "runs")] == [4, 3]


def test_a_ledger_moves_to_another_machine(
    account: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a file that only its owner can read, or by a pipe."""
    assert ledger(capsys, "export", "ledger.json") == ""
    assert stat.S_IMODE(Path("ledger.json").stat().st_mode) == 0o600
    assert ledger(capsys, "export") == Path("ledger.json").read_text() == ledger(capsys, "export", "-")
    before = documents(capsys, "runs")
    monkeypatch.setenv("RSSPOT_STATE_PATH", str(account.with_name("other.db")))
    taken = documents(capsys, "import", "ledger.json")["taken"]
    assert taken == {"runs": 4, "steps": 7, "attempts": 6, "owned": 3, "registrations": 0}
    assert set(documents(capsys, "import", "ledger.json")["taken"].values()) == {0}
    assert documents(capsys, "runs") == before
    assert stat.S_IMODE(account.with_name("other.db").stat().st_mode) == 0o600


def test_a_damaged_export_is_refused_whole(account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the place: nothing of it is imported."""
    ledger(capsys, "export", "ledger.json")
    text = Path("ledger.json").read_text()
    Path("cut.json").write_text(text[: len(text) // 2])
    assert "cut.json is not valid JSON (line " in ledger(capsys, "import", "cut.json", code=3)
    Path("edited.json").write_text(text.replace('"user": "ada', '"user": "eve'))
    assert "was changed after it was written" in ledger(capsys, "import", "edited.json", code=1)
    Path("foreign.json").write_text("{}")
    assert "its schema is not rsspot.ledger/1" in ledger(capsys, "import", "foreign.json", code=1)


def test_a_plan_that_was_cut_says_so(account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In `show`, and to whoever would undo the run."""
    with closing(Database(account, durable=False)) as database:
        runs = Runs(database, NOW - 86_400)
        runs.end(runs.begin([], plan={CUT: 12_345_678}))
    assert "the plan has 12345678 bytes, which is more than one run may store" in ledger(capsys, "show")


def test_verify_finds_what_is_wrong(account: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And exits with 1; what an apply will settle is a note."""
    told = ledger(capsys, "verify")
    assert told.startswith("note  run 3: it goes on, or was killed\n      hint: the next apply of the stack ")
    with closing(Database(account, durable=False)) as database, database.transaction() as db:
        db.execute("UPDATE managed_objects SET applied_json = '{'")
    assert "error record: cannot read the record of CloudSpace/edge-1" in ledger(capsys, "verify", code=1)
    assert ledger(capsys, "verify", "-o", "json", code=1).startswith('{\n  "ok": false')


def test_an_export_holds_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in plans nor in what was applied, in any form."""
    secret = "https://hooks.example.com/canary-token"
    text = STACK.replace("kubernetesVersion", f'webhook: "{secret}"\n  kubernetesVersion')
    for each in (text, text.replace("canary-token", "canary-other")):
        assert run(["--sandbox", "apply", write(each), "--yes", "--wait", "none"]) == 0
    capsys.readouterr()
    for words in (["export"], ["show", "2", "-o", "json"], ["steps", "-o", "json"], ["runs", "-o", "json"]):
        assert run(["--sandbox", "ledger", *words]) == 0
        printed = capsys.readouterr().out
        assert "canary" not in printed and hashlib.sha256(secret.encode()).hexdigest() not in printed
        assert len(printed) > 100


def test_a_run_whose_changes_were_cut_cannot_be_undone(capsys: pytest.CaptureFixture[str]) -> None:
    """A part of an undo would be worse than none."""
    assert run(["--sandbox", "apply", write(STACK), "--yes", "--wait", "none"]) == 0
    with closing(Database(folder() / "state.db", durable=False)) as database, database.transaction() as db:
        cut = packed({"digest": "d", "changes": [{"address": "cloudspace/edge", "noise": "x" * 1000}]}, most=1)
        db.execute("UPDATE runs SET plan_json = ?", (cut,))
    capsys.readouterr()
    assert run(["--sandbox", "plan", "--undo", "1"]) == 3
    assert "run 1 was too large for its changes to be kept" in capsys.readouterr().err
