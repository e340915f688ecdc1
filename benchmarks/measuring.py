"""What all benchmarks share: what a process costs, medians of alternating rounds, a simulator, and results as lines.

Each benchmark is a program that prints a JSON object for each result; `run.py` runs them all and writes the document.
The rsspot that is measured is that of the Python which BENCHMARK_PYTHON names; without it, that of the running one.
"""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any, TypeVar

Key = TypeVar("Key")
SUBJECT = os.environ.get("BENCHMARK_PYTHON", sys.executable)
RSSPOT = [SUBJECT, "-m", "rsspot"]
PATIENCE = 60.0
"""Seconds within which a server must be ready."""


@dataclass(frozen=True)
class Cost:
    """Of a process: seconds of CPU and of the clock, MiB at its peak, the server's CPU, seconds until a first line."""

    cpu: float
    wall: float
    memory: float
    server: float = 0.0
    first: float = 0.0


def cost(
    command: Sequence[str], environ: Mapping[str, str], *, codes: Sequence[int] = (0,), server: int | None = None
) -> Cost:
    """Run a command and read its output as it comes. codes: allowed exit codes · server: a process beside it"""
    before = cpu_of(server) if server else 0.0
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=dict(environ), stdout=subprocess.PIPE, stderr=errors)
        assert process.stdout is not None
        process.stdout.readline()
        first = time.perf_counter() - began
        while process.stdout.read(1 << 20):
            pass
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in codes:
            errors.seek(0)
            told = errors.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{Path(command[0]).name} {command[1:4]} ended with {process.returncode}: {told}")
    spent = cpu_of(server) - before if server else 0.0
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, spent, first)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a running process has used."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost(*(statistics.median(values) for values in zip(*map(astuple, costs), strict=True)))


def alternating(works: Mapping[Key, Callable[[], Cost]], rounds: int) -> dict[Key, Cost]:
    """Medians of rounds that alternate, so that a brief slowdown of the machine meets all of them."""
    found: dict[Key, list[Cost]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            found[name].append(work())
    return {name: median(costs) for name, costs in found.items()}


def tell(what: str, spent: Cost | None = None, **more: object) -> None:
    """Print one result."""
    figures = {key: round(value, 6) for key, value in asdict(spent).items()} if spent else {}
    print(json.dumps({"what": what, **more, **figures}), flush=True)


def environment(folder: Path | str, **settings: str) -> dict[str, str]:
    """The variables of a measured command: a home of its own, no settings but these, and bytecode is kept."""
    ours = ("RSSPOT_", "SPOT_", "RACKSPACE_", "PYTHONDONTWRITEBYTECODE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    given = {f"RSSPOT_{key}": value for key, value in settings.items()}
    return {**kept, "HOME": str(folder), "LC_ALL": "C.UTF-8", **given}


def at(url: str, folder: Path | str, organization: str) -> dict[str, str]:
    """The variables of a command that asks a server of responses made ahead."""
    urls = {"BASE_URL": url, "OAUTH_URL": url, "FEEDS_URL": url}
    most = {"MOST_RESPONSE_BYTES": str(1 << 30), "CACHE": "false"}
    return environment(folder, **urls, **most, ACCESS_TOKEN=token(), ORG=organization)


def token() -> str:
    """A bearer token with an expiry time, like real ones."""
    claims = json.dumps({"exp": int(time.time()) + 3600, "org_id": "org_bench"}).encode()
    return f"e30.{base64.urlsafe_b64encode(claims).decode().rstrip('=')}.c2ln"


@contextmanager
def listening(command: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Run a server that prints its port; yields its URL and its process ID."""
    process = subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}", process.pid
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


@dataclass(frozen=True)
class Simulator:
    """A simulator in a process of its own. environ: variables that lead commands to it"""

    pid: int
    environ: dict[str, str]
    kubeconfig: Path

    def listed(self, plural: str) -> list[dict[str, Any]]:
        """All objects of a kind, as they are."""
        command = [sys.executable, "-m", "rsspot", plural, "list", "-o", "json"]
        found: list[dict[str, Any]] = json.loads(
            subprocess.run(command, env=self.environ, capture_output=True, check=True).stdout
        )
        return found


@contextmanager
def simulator(folder: Path, *options: str) -> Iterator[Simulator]:
    """Run a simulator, always this one, whatever is measured, so that all ask the same service."""
    ready, kubeconfig = folder / "ready.json", folder / "kubeconfig"
    serve = [sys.executable, "-m", "rsspot", "simulator", "serve", "--ready-file", str(ready), "--time-scale", "0"]
    process = subprocess.Popen(
        [*serve, "--kubeconfig", str(kubeconfig), *options],
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + PATIENCE
        while not ready.exists():
            assert process.poll() is None and time.monotonic() < until, "the simulator did not come up"
            time.sleep(0.01)
        told = json.loads(ready.read_text())
        names = {"base_url": "BASE_URL", "oauth_url": "OAUTH_URL", "feeds_url": "FEEDS_URL", "organization": "ORG"}
        settings = {name: told[key] for key, name in (names | {"refresh_token": "REFRESH_TOKEN"}).items()}
        yield Simulator(process.pid, environment(folder, **settings, CACHE="false"), kubeconfig)
    finally:
        process.terminate()
        process.wait()
