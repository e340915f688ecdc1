"""Every example runs as it is."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rsspot.manifests.parse import load

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A new home directory, and the sandbox for every command."""
    return {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), "RSSPOT_OPTIONS": "--sandbox"}


def run(environment: dict[str, str], *command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command as a user would."""
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=90, check=False)


def test_the_demo_runs(environment: dict[str, str]) -> None:
    """Plan, apply, an empty plan, a plan with drift, and the ledger."""
    done = run(environment, "sh", "scripts/demo.sh")
    assert done.returncode == 0, done.stderr
    for shown in ("8 to create", "RECAP run=1 created=7", "No changes.", "1 drifted", "0.08 -> 0.06", "run 1 (apply)"):
        assert shown in done.stdout
    assert "Note:" not in done.stdout


def test_the_gitops_pipeline_applies_the_reviewed_plan(environment: dict[str, str], tmp_path: Path) -> None:
    """plan exits with 2 and saves the plan, apply applies it, and the next plan exits with 0."""
    shutil.copytree(ROOT / "examples" / "gitops", tmp_path / "gitops")
    pipeline = str(tmp_path / "gitops" / "pipeline.sh")
    assert run(environment, pipeline, "plan", "staging").returncode == 2
    applied = run(environment, pipeline, "apply", "staging")
    assert applied.returncode == 0 and "created=2" in applied.stdout, applied.stdout + applied.stderr
    assert run(environment, pipeline, "plan", "staging").returncode == 0


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_every_example_manifest_is_valid(stack: str) -> None:
    """Each stack can be loaded."""
    assert load([ROOT / "examples" / "gitops" / stack]).stack == stack


def test_the_sdk_example_prints_a_class_for_each_region(environment: dict[str, str]) -> None:
    """Run with `simulator run`, as its docstring says."""
    done = run(environment, "rsspot", "simulator", "run", "--", "python", "examples/sdk/cheapest.py")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 8 and "ch.vs1.2xlarge-lon" in done.stdout
