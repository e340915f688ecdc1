"""The lease under many processes, which all want it at once and die while they have it, and through a very long run."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from rsspot.cli.app import run
from support import ENVIRONMENT, program
from support.amount import FULL, amount

PROCESSES, EACH = amount(4, 8), amount(20, 125)
OBJECTS = 3000
STACK = "apiVersion: rsspot.dev/v1\nkind: Stack\nmetadata: {name: many}\n"
CLOUDSPACE = """---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge-%d}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.33.0}
"""


@pytest.mark.timeout(300)
def test_of_many_processes_one_has_the_lease_at_a_time(tmp_path: Path) -> None:
    """Each time it has a number of its own. Of one that was killed, it is taken over at once."""
    command = [*program("contending"), str(tmp_path), str(PROCESSES), str(EACH)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=280, check=False)
    assert json.loads(done.stdout or "[]") == [-signal.SIGKILL] * PROCESSES, done.stderr
    fences = [int(line) for line in (tmp_path / "fences").read_text().split()]
    assert fences == list(range(1, PROCESSES * EACH + 1))


@pytest.mark.skipif(not FULL, reason="takes a minute; `make chaos` does it")
@pytest.mark.timeout(900)
def test_a_run_of_three_thousand_objects_keeps_its_lease(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Though its loop is busy from the first to the last."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path / "sandbox"))
    (tmp_path / "many.yaml").write_text(STACK + "".join(CLOUDSPACE % number for number in range(OBJECTS)))
    code = run(["--sandbox", "apply", str(tmp_path / "many.yaml"), "--yes", "--wait", "accepted"])
    recap = capsys.readouterr().out.splitlines()[-1]
    assert code == 0, recap
    assert f"created={OBJECTS} " in recap
    with closing(sqlite3.connect(tmp_path / "sandbox" / "state.db")) as db:
        ((fence, expires_at),) = db.execute("SELECT fence, expires_at FROM leases")
        ((ended_at,),) = db.execute("SELECT ended_at FROM runs")
    assert fence == 1
    assert datetime.fromisoformat(ended_at) < datetime.fromisoformat(expires_at), "it was not renewed to the end"
