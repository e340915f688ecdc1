"""Signals, deadlines and a lost lease while the service answers 429: no write is begun afterwards, by the server's log.

The program and the service are processes of their own, and what counts is when requests arrive.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from rsspot.simulator.api import Api
from rsspot.simulator.clock import ScaledClock
from rsspot.simulator.front.server import Server
from rsspot.simulator.world import World
from rsspot.state.ledger import open_ledger
from rsspot.state.ledger.protocol import Holder
from rsspot.utils.clock import utc_now
from support.amount import FULL

POOLS = 12
PARALLEL = 4
CLOUDSPACE = """
apiVersion: ngpc.rxt.io/v1
kind: CloudSpace
metadata: {name: edge}
spec: {region: us-central-dfw-1, kubernetesVersion: 1.33.0}
"""
POOL = """
---
apiVersion: ngpc.rxt.io/v1
kind: OnDemandNodePool
metadata: {name: pool-%d}
spec: {cloudSpace: edge, serverClass: gp.vs1.medium-dfw, desired: 1}
"""


@pytest.fixture
def server() -> Iterator[Server]:
    """A service that refuses every pool for a second, again and again."""
    world = World(clock=ScaledClock(60))
    server = Server(Api(world))
    server.api.faults.add("status", "POST", "/ondemandnodepools$", status=429, retry_after=1, times=None)
    server.start()
    yield server
    server.close()
    world.close()


@pytest.fixture
def start(
    server: Server, environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `rsspot apply`; ends what is left."""
    about = server.describe()
    (tmp_path / "stack.yaml").write_text(CLOUDSPACE + "".join(POOL % number for number in range(POOLS)))
    variables = {
        "RSSPOT_BASE_URL": about["base_url"],
        "RSSPOT_OAUTH_URL": about["oauth_url"],
        "RSSPOT_REFRESH_TOKEN": about["refresh_token"],
        "RSSPOT_ORG": about["organization"],
        "RSSPOT_STATE_PATH": str(tmp_path / "state.db"),
    }
    started: list[subprocess.Popen[str]] = []

    def begin(*options: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rsspot", "apply", "stack.yaml", "--yes", "--wait", "accepted"]
        command += ["--parallelism", str(PARALLEL), *options]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command,
            env=environment | variables,
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=60)


def writes(server: Server, since: float = 0.0) -> int:
    """How many mutations have arrived after a moment of the server's clock."""
    entries = server.request_log.since(0)
    return sum(each["method"] != "GET" and "/apis/" in each["target"] and each["time"] > since for each in entries)


def refused(server: Server, count: int) -> None:
    """Wait until so many writes were answered with 429."""
    until = time.monotonic() + 60
    while len([each for each in server.request_log.since(0) if each["status"] == 429]) < count:
        assert time.monotonic() < until, "nothing was refused"
        time.sleep(0.02)


def quiet(server: Server) -> int:
    """Wait until no more writes arrive; every write sent before is in the request log by then. Returns their number."""
    arrived, since, until = writes(server), time.monotonic(), time.monotonic() + 60
    while time.monotonic() - since < 1.0:
        assert time.monotonic() < until, "writes keep arriving"
        time.sleep(0.02)
        if writes(server) != arrived:
            arrived, since = writes(server), time.monotonic()
    return arrived


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_no_write_arrives_after_a_signal_was_heard(
    server: Server, start: Callable[..., subprocess.Popen[str]], number: int
) -> None:
    """Once it has said that it stops, twelve writes that were told to come back never do."""
    process = start()
    refused(server, 8)
    process.send_signal(number)
    assert process.stderr is not None
    assert any("stopping" in line for line in process.stderr)
    heard = server.api.world.clock.time()
    told, said = process.communicate(timeout=60)
    assert process.returncode == 8, told + said
    # What was on the wire when the signal came may arrive late on a busy machine: no more than run side by side.
    assert writes(server, heard) <= PARALLEL
    assert told.splitlines()[-1].startswith("RECAP ")


def test_no_write_arrives_after_the_deadline(server: Server, start: Callable[..., subprocess.Popen[str]]) -> None:
    """The service would have to be asked for minutes; the run ends with 9 when its time is up, and is silent then."""
    process = start("--deadline", "2.5")
    told, said = process.communicate(timeout=60)
    assert process.returncode == 9, told + said
    assert told.splitlines()[-1].startswith("RECAP ")


def test_a_woken_holder_ends_10_and_writes_nothing(
    server: Server, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """It was put to sleep while its writes waited; another run took the lease when that had expired."""
    process = start()
    refused(server, 8)
    process.send_signal(signal.SIGSTOP)
    arrived = quiet(server)
    server.api.faults.script.clear()
    ledger = open_ledger(tmp_path / "state.db")
    scope = ledger.runs()[0].scope
    ledger.acquire(scope, Holder("another", "elsewhere", 1), utc_now() + timedelta(hours=1), 60)
    ledger.close()
    process.send_signal(signal.SIGCONT)
    told, said = process.communicate(timeout=60)
    assert process.returncode == 10, told + said
    assert writes(server) == arrived
    assert told.splitlines()[-1].startswith("RECAP ")
    assert "exit=10" in told.splitlines()[-1]
    assert json.dumps(said).count("another apply took over") == 1


full_only = pytest.mark.skipif(not FULL, reason="takes long; `make chaos` does it")


@full_only
@pytest.mark.timeout(600)
def test_a_woken_holder_writes_nothing_beside_the_run_that_took_over(
    server: Server, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """It slept for longer than a lease lasts, and another apply has made the pools meanwhile."""
    sleeper = start()
    refused(server, 8)
    sleeper.send_signal(signal.SIGSTOP)
    quiet(server)
    server.api.faults.script.clear()
    asked = 0
    while (other := start()).wait(200) == 10:
        # Nobody can see that the holder sleeps, until its lease has expired.
        asked += 1
        assert asked < 30
        time.sleep(5)
    told, said = other.communicate()
    assert other.returncode == 0, told + said
    assert asked > 0
    assert len(server.api.world.store.objects("ondemandnodepools")) == POOLS
    arrived = quiet(server)
    sleeper.send_signal(signal.SIGCONT)
    told, said = sleeper.communicate(timeout=60)
    assert sleeper.returncode == 10, told + said
    assert writes(server) == arrived
    assert told.splitlines()[-1].endswith("exit=10")


@full_only
def test_after_a_kill_another_apply_goes_on_at_once(
    server: Server, start: Callable[..., subprocess.Popen[str]]
) -> None:
    """Its lease is good for a minute, but its process is known to have ended."""
    killed = start()
    refused(server, 8)
    killed.kill()
    server.api.faults.script.clear()
    told, said = start().communicate(timeout=60)
    assert told.splitlines()[-1].endswith("exit=0"), said
    assert "still renews it" not in said
    assert len(server.api.world.store.objects("ondemandnodepools")) == POOLS
