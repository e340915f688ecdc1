"""Records that rsspot did not write: each is refused with a sentence that says what it is and where."""

from __future__ import annotations

import json
import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from rsspot.cli.app import run
from rsspot.cli.sandbox import folder
from rsspot.planner.codec import digest_of
from support.shell import POOL, STACK, write

FUTURE = "2999-01-01T00:00:00+00:00"
HERE = socket.gethostname()
LEASE = f"UPDATE leases SET holder = 'x', host = '{HERE}', pid = 1, expires_at = '{FUTURE}'"
OPEN = "UPDATE runs SET outcome = NULL; UPDATE steps SET state = 'intent'"
FORGED = {
    "a lease until a word": (f"{LEASE}, expires_at = 'soon'", "the lease of"),
    "a lease without a time zone": (f"{LEASE}, expires_at = '2999-01-01T00:00:00'", "the lease of"),
    "a lease of a process with a name": (f"{LEASE}, pid = 'abc'", "the lease of"),
    "a lease of a process beyond all": (f"{LEASE}, pid = 99999999999999", "the lease of"),
    "a lease of every process": (f"{LEASE}, pid = -1", "the lease of"),
    "a lease of no process": (f"{LEASE}, pid = NULL", "the lease of"),
    "a fence that is no number": ("UPDATE leases SET fence = 'abc'", "the lease of"),
    "a last fence": ("UPDATE leases SET fence = 9223372036854775807", "the lease of"),
    "applied that is not JSON": ("UPDATE managed_objects SET applied_json = '{'", "the record of CloudSpace/edge"),
    "applied that is a list": ("UPDATE managed_objects SET applied_json = '[1]'", "the record of CloudSpace/edge"),
    "applied that is null": ("UPDATE managed_objects SET applied_json = 'null'", "the record of CloudSpace/edge"),
    "applied that is binary": ("UPDATE managed_objects SET applied_json = x'00ff'", "the record of CloudSpace/edge"),
    "applied that is deep": (
        f"UPDATE managed_objects SET applied_json = '{'[' * 100_000}{']' * 100_000}'",
        "the record of CloudSpace/edge",
    ),
    "applied that is long": (
        f"UPDATE managed_objects SET applied_json = '{{\"a\": {'9' * 5000}}}'",
        "the record of CloudSpace/edge",
    ),
    "an owned object of another kind": ("UPDATE managed_objects SET kind = 'Foo'", "'Foo'"),
    "a step of another kind": (f"{OPEN}; UPDATE steps SET kind = 'Foo'", "'Foo'"),
    "a step in no state": ("UPDATE steps SET state = 'odd'", "step 0 of run 1"),
    "an attempt with a binary outcome": (f"{OPEN}; UPDATE attempts SET outcome = x'00ff'", "attempt 1 of step 0"),
    "a run with a binary command": ("UPDATE runs SET command = x'00ff'", "run 1"),
}
COMMANDS = [["plan", "stack.yaml"], ["ledger", "runs"], ["ledger", "show", "1"], ["apply", "stack.yaml", "--yes"]]


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_ledger_is_an_ordinary_error(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """At least one command meets the record and names it; none takes it for a defect of its own."""
    forgery, named = FORGED[name]
    assert run(["--sandbox", "apply", write(STACK), "--yes", "--wait", "none"]) == 0
    with sqlite3.connect(folder() / "state.db") as database:
        database.executescript(forgery)
    database.close()
    capsys.readouterr()
    codes = [run(["--sandbox", *command]) for command in COMMANDS]
    errors = capsys.readouterr().err
    assert "internal error" not in errors
    assert 1 in codes
    assert named in errors


def saved() -> dict[str, Any]:
    """A saved plan that creates, updates and deletes a pool."""
    stack = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: s}\n---\n"
    file = write(stack + STACK + POOL.replace("workers", "gone"))
    assert run(["--sandbox", "apply", file, "--yes", "--wait", "none"]) == 0
    write(stack + STACK.replace("desired: 2", "desired: 3") + POOL.replace("workers", "fresh"))
    assert run(["--sandbox", "plan", file, "--prune", "--out", "plan.json"]) == 0
    plan: dict[str, Any] = json.loads(Path("plan.json").read_text())
    return plan


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("changes", 0, "kind"), "Foo", "changes[0].kind"),
        (("changes", 0, "kind"), "spotnodepool", "'SpotNodePool'"),
        (("changes", 0, "deferred"), True, "changes[0].deferred"),
        (("changes", 0, "body"), None, "changes[0].body"),
        (("changes", 0, "secrets"), [[]], "changes[0]."),
        (("changes", 1, "surge"), True, "changes[1].surge"),
        (("changes", 1, "base"), None, "changes[1].base"),
        (("changes", 2, "diff", 0, "path"), [], "changes[2]."),
        (("changes", 2, "secrets"), [["spec"]], "changes[2].body"),
    ],
)
def test_a_forged_plan_is_an_ordinary_error(
    path: tuple[str | int, ...], value: Any, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Anybody can write a plan file and work out its digest."""
    plan: Any = saved()
    place = plan
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    Path("plan.json").write_text(json.dumps(plan | {"digest": digest_of(plan)}))
    capsys.readouterr()
    assert run(["--sandbox", "apply", "--plan", "plan.json", "--yes"]) == 3
    assert named in capsys.readouterr().err
