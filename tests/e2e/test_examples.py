"""Every example runs as it stands."""

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
    """A home of its own, and the sandbox for every command."""
    return {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path), "RSSPOT_OPTIONS": "--sandbox"}


def run(environment: dict[str, str], *command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A command, as a user would run it."""
    return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, timeout=90, check=False)


def test_the_demo_shows_the_whole_idea(environment: dict[str, str]) -> None:
    """Plan, apply, an empty plan, a drift that is shown, and the ledger."""
    done = run(environment, "sh", "scripts/demo.sh")
    assert done.returncode == 0, done.stderr
    for shown in ("8 to create", "RECAP run=1 created=7", "No changes.", "1 drifted", "0.08 -> 0.06", "run 1 (apply)"):
        assert shown in done.stdout
    assert "Note:" not in done.stdout


def test_the_gitops_pipeline_applies_what_was_reviewed(environment: dict[str, str], tmp_path: Path) -> None:
    """plan ends with 2 and leaves a plan; apply applies it; the next plan ends with 0."""
    shutil.copytree(ROOT / "examples" / "gitops", tmp_path / "gitops")
    pipeline = str(tmp_path / "gitops" / "pipeline.sh")
    assert run(environment, pipeline, "plan", "staging").returncode == 2
    applied = run(environment, pipeline, "apply", "staging")
    assert applied.returncode == 0 and "created=2" in applied.stdout, applied.stdout + applied.stderr
    assert run(environment, pipeline, "plan", "staging").returncode == 0


@pytest.mark.parametrize("stack", ["staging", "production"])
def test_every_example_manifest_is_valid(stack: str) -> None:
    """What is shown can be used."""
    assert load([ROOT / "examples" / "gitops" / stack]).stack == stack


def test_the_sdk_example_prints_a_class_for_each_region(environment: dict[str, str]) -> None:
    """Through `simulator run`, as its own docstring says."""
    done = run(environment, "rsspot", "simulator", "run", "--", "python", "examples/sdk/cheapest.py")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 8 and "ch.vs1.2xlarge-lon" in done.stdout
