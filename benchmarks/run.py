"""Runs all benchmarks once and writes docs/benchmarks.md and docs/benchmarks.svg. Run with `make benchmarks`.

run.py [--before COMMIT] [--all] [--write]: with --before, the same benchmarks measure the rsspot of a commit as well;
--all plans 100,000 objects too; --write measures nothing and writes the pages from the results of the last run.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from document import page
from growth import drawing

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / ".venv" / "benchmarks.json"
BEFORE = ("startup", "plan", "apply", "lists", "sdk")
"""What is measured of an earlier commit as well."""
WITHIN = ("sdk",)
"""What is measured in the process of the benchmark itself."""
loads: list[float] = []
"""What the machine had to do when each benchmark began."""
LIBRARIES = ("httpx", "pydantic", "pyyaml", "typer")


def results(name: str, *arguments: str, python: str = sys.executable) -> list[dict[str, Any]]:
    """What a benchmark printed. python: the one with the rsspot to measure"""
    loads.append(os.getloadavg()[0])
    print(name, *arguments, f"at {loads[-1]:.1f} of load", flush=True)
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [python if name in WITHIN else sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *arguments],
            env={**os.environ, "BENCHMARK_PYTHON": python, "HOME": home},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [json.loads(line) for line in done.stdout.splitlines()]


def text_of(name: str, *arguments: str) -> str:
    """What a benchmark printed that prints tables."""
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def measured(*, large: bool) -> dict[str, Any]:
    """The results of this rsspot."""
    now: dict[str, Any] = {name: results(name) for name in (*BEFORE, "beside", "released", "rooms")}
    if large:
        now["plan"] += results("plan", "100000")
    return {"now": now, "simulator": text_of("simulator", "growth", "lists", "days")}


def earlier(commit: str) -> dict[str, Any]:
    """The results of another commit, set up by its own Makefile in a folder that is deleted afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "rsspot"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
        subprocess.run(["git", "-C", str(folder), "checkout", "--quiet", commit], check=True)
        subprocess.run(["make", "--silent", "-C", str(folder), ".venv/run"], check=True)
        python = str(folder / ".venv" / "bin" / "python")
        return {"commit": commit, **{name: results(name, python=python) for name in BEFORE}}


def machine() -> dict[str, Any]:
    """What it was measured on, without a name of it."""
    about = dict(line.split(":", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if ":" in line)
    model = {key.strip(): value.strip() for key, value in about.items()}.get("model name", platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return {
        "processors": os.cpu_count(),
        "model": model,
        "memory": round(memory),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
    }


def printed(*command: str, pattern: str = "") -> str:
    """The first line that a program prints with a word in it; empty without the program."""
    try:
        lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return ""
    return next((line.strip() for line in lines if pattern in line), "")


def versions() -> dict[str, str]:
    """Of everything that was measured."""
    client = str(ROOT / ".venv" / "client-tools" / "bin" / "python")
    collection = "import json, pathlib, ansible_collections.kubernetes.core as c; p = list(c.__path__)[0]; "
    collection += "print(json.loads((pathlib.Path(p) / 'MANIFEST.json').read_text())['collection_info']['version'])"
    ours = {name: version(name) for name in ("rsspot", *LIBRARIES)}
    kubectl = printed("kubectl", "version", "--client", pattern="Client Version").rpartition(" ")[2]
    ansible = printed(client, "-c", "import ansible.release as r; print(r.__version__)")
    others = {"kubectl": kubectl, "ansible-core": ansible, "kubernetes.core": printed(client, "-c", collection)}
    return ours | {name: found for name, found in others.items() if found}


def main() -> None:
    """Measure, keep the results, and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", metavar="COMMIT")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if not options.write:
        commit = printed("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
        found = {"commit": commit, "machine": machine(), "versions": versions(), **measured(large=options.all)}
        found["before"] = earlier(options.before) if options.before else {}
        found["load"] = max(loads)
        RESULTS.write_text(json.dumps(found))
    found = json.loads(RESULTS.read_text())
    (ROOT / "docs" / "benchmarks.md").write_text(page(found), encoding="utf-8")
    (ROOT / "docs" / "benchmarks.svg").write_text(drawing(found), encoding="utf-8")


if __name__ == "__main__":
    main()
