"""Workers of a fleet as processes, on one queue and one ledger in a real PostgreSQL: each stack once, none by two.

`make chaos` lets 20 workers apply 400 stacks, and kills some of them with SIGKILL.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rsspot.fleet.queue import SCHEMA, SILENT
from rsspot.simulator.accounts.people import SANDBOX_ORGANIZATION, SANDBOX_TOKEN
from rsspot.state.ledger import open_ledger
from rsspot.testing import SimulatedSpot
from support.amount import FULL, amount
from support.postgres import shared_server
from support.scenes import births

STACKS, WORKERS, KILLED = amount(6, 400), amount(2, 20), amount(0, 4)
STACK = """apiVersion: rsspot.dev/v1
kind: Stack
metadata: {name: NAME}
---
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: NAME}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.33.0}
---
apiVersion: ngpc.rxt.io/v1
kind: SpotNodePool
metadata: {name: workers}
spec: {cloudSpace: NAME, serverClass: gp.vs1.medium-dfw, desired: 1, bidPrice: 0.06}
"""


@pytest.fixture
def databases() -> Iterator[tuple[str, str]]:
    """The URLs of an empty queue and an empty ledger."""
    server = shared_server()
    queue = server.fresh("fleet")
    server.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE", database="fleet")
    yield queue, server.fresh("fleet_ledger")


class Fleet:
    """A folder of stacks, and what runs `rsspot fleet` on it."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder, self._environ = folder, environ
        for number in range(STACKS):
            place = folder / "stacks" / f"s{number}"
            place.mkdir(parents=True)
            (place / "stack.yaml").write_text(STACK.replace("NAME", f"s{number}"))
        self.started: list[subprocess.Popen[str]] = []

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start a command."""
        log = (self.folder / f"log-{len(self.started)}").open("w")
        command = [sys.executable, "-m", "rsspot", "fleet", words[0], "stacks", *words[1:]]
        with log:
            self.started.append(
                subprocess.Popen(
                    command, env=self._environ, cwd=self.folder, stdout=subprocess.PIPE, stderr=log, text=True
                )
            )
        return self.started[-1]

    def logs(self) -> str:
        """What all commands have said so far."""
        return "\n".join(each.read_text() for each in sorted(self.folder.glob("log-*")))

    def close(self) -> None:
        """End what is left."""
        for each in self.started:
            if each.poll() is None:
                each.kill()
            each.communicate()


@pytest.fixture
def fleet(
    spot_api: SimulatedSpot, environment: dict[str, str], tmp_path: Path, databases: tuple[str, str]
) -> Iterator[Fleet]:
    account = {f"RSSPOT_{name}_URL": spot_api.url for name in ("BASE", "OAUTH", "FEEDS")}
    urls = {"RSSPOT_QUEUE_URL": databases[0], "RSSPOT_LEDGER_URL": databases[1]}
    login = {"RSSPOT_REFRESH_TOKEN": SANDBOX_TOKEN, "RSSPOT_ORG": SANDBOX_ORGANIZATION}
    made = Fleet(tmp_path, {**os.environ, **environment, **account, **urls, **login})
    yield made
    made.close()


@pytest.mark.timeout(1800 if FULL else 120)
def test_every_stack_is_applied_once_whoever_dies(
    fleet: Fleet, spot_api: SimulatedSpot, databases: tuple[str, str]
) -> None:
    workers = [fleet.begin("worker", "--stacks-at-a-time", "2") for _ in range(WORKERS)]
    applying = fleet.begin("apply", "--yes", "-o", "json", "--wait", "accepted")
    for number in range(KILLED):
        _wait_for(lambda number=number: _results(databases[0]) > (number + 1) * STACKS // (KILLED + 2))
        workers[number].send_signal(signal.SIGKILL)
    out, _ = applying.communicate(timeout=60 + SILENT + STACKS * 3)
    assert applying.returncode == 0, fleet.logs()[-3000:]
    document = json.loads(out)
    assert sum(document["summary"].values()) == STACKS
    assert set(document["summary"]) <= {"applied", "in-sync"}, document["summary"]
    for each in workers[KILLED:]:
        each.terminate()
    assert {each.wait(60) for each in workers[KILLED:]} == {0}, fleet.logs()[-3000:]
    for plural in ("cloudspaces", "spotnodepools"):
        born = births(spot_api.world, plural)
        assert (len(born), set(born.values())) == (STACKS, {1})
    ledger = open_ledger(databases[1])
    assert len(ledger.scopes()) == STACKS
    assert [run.id for run in ledger.runs() if run.outcome is None] == []
    ledger.close()
    print(f"{STACKS} stacks by {WORKERS} workers, {KILLED} of them killed")


def test_a_stack_that_the_worker_does_not_know_ends_as_failed(fleet: Fleet) -> None:
    """Whoever enqueued it hears of it, and does not wait for ever. The worker ends once nothing is left."""
    planning = fleet.begin("plan", "-o", "json", "--only", "s0")
    _wait_for(lambda: "waiting" in fleet.logs() or planning.poll() is not None)
    shutil.move(fleet.folder / "stacks/s0", fleet.folder / "away")
    worker = fleet.begin("worker", "--until-idle")
    out, _ = planning.communicate(timeout=90)
    document = json.loads(out)
    assert (planning.returncode, document["summary"]) == (3, {"failed": 1}), fleet.logs()[-3000:]
    assert "no stack 's0'" in document["stacks"][0]["reason"]
    assert worker.wait(60) == 0


def _results(url: str) -> int:
    """How many stacks are done."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute("SELECT to_regclass(%s)", (f"{SCHEMA}.results",)).fetchone()
        if found is None or found[0] is None:
            return 0
        row = connection.execute(f"SELECT count(*) FROM {SCHEMA}.results".encode()).fetchone()
    return int(row[0]) if row else 0


def _wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 600
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)
