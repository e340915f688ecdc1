"""The whole life of the GitOps example, with branches in git, the steps of the action, and a service that moves."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from rsspot.cli.app import run
from support.code_hosts import CodeHosts

ROOT = Path(__file__).parents[2]
INPUTS = {"artifact": "rsspot-plan-production", "install": "false", "options": "--sandbox"}


class Repository:
    """A repository of manifests, as a team has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "examples" / "gitops", folder)
        self.git("init", "-q", "-b", "main")
        self.commit("The stacks")

    def git(self, *arguments: str) -> str:
        settings = ("-c", "user.name=ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false")
        line = ["git", *settings, *arguments]
        return subprocess.run(line, cwd=self.folder, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, desired: int) -> str:
        """Another number of servers for production, on a branch."""
        self.git("switch", "-q", "-c", name)
        file = self.folder / "production" / "size.yaml"
        file.write_text(file.read_text().rpartition("desired:")[0] + f"desired: {desired}\n")
        return self.commit(f"{desired} servers")

    def merge(self, name: str) -> str:
        self.git("switch", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", f"Merge {name}", name)
        return self.git("rev-parse", "HEAD")


def merged(hosts: CodeHosts, head: str, merge: str) -> None:
    hosts.pulls[:] = [{"number": 7, "head": {"sha": head}, "merge_commit_sha": merge, "merged_at": "2026-09-21"}]


@pytest.fixture
def by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Somebody changes the live pool in the console."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RSSPOT_SANDBOX", str(tmp_path / "sandbox"))

    def change(desired: int) -> None:
        line = ["--sandbox", "spotnodepools", "update", "general", "--cloudspace", "production"]
        assert run([*line, "--desired", str(desired)]) == 0, capsys.readouterr()
        capsys.readouterr()

    return change


def test_the_life_of_a_change(tmp_path: Path, hosts: CodeHosts, job, by_hand) -> None:
    """Plan comment, approval, a service that moves, a stale refusal, another plan, apply, a policy, drift, healed."""
    repository = Repository(tmp_path / "infra")
    here, prune = repository.folder, {**INPUTS, "options": "--sandbox\n--prune"}
    paths = {"paths": "production"}

    # The first stack: planned on a branch, merged, applied as it was shown.
    head = repository.branch("first", 3)
    planned = job(here, "pull_request", "f" * 40, head).run(command="plan", **prune, **paths)
    assert planned.failed is None and planned.outputs["exit-code"] == "2", planned.log
    (comment,) = hosts.comments[7]
    assert "2 to create" in comment["body"] and planned.outputs["digest"] in comment["body"]
    assert "2 to create" in planned.summary
    merge = repository.merge("first")
    merged(hosts, head, merge)
    applied = job(here, "push", merge).run(command="apply", **INPUTS)
    assert applied.failed is None and "created=2" in applied.log, applied.log
    assert applied.outputs["digest"] == planned.outputs["digest"]

    # A change is reviewed; before it is merged, somebody else changes the same field of the live pool.
    head = repository.branch("grow", 4)
    job(here, "pull_request", "f" * 40, head).run(command="plan", **prune, **paths)
    assert len(hosts.comments[7]) == 1 and "-     desired: 3\n+     desired: 4" in comment["body"]
    by_hand(2)
    merge = repository.merge("grow")
    merged(hosts, head, merge)
    stale = job(here, "push", merge).run(command="apply", **INPUTS)
    assert (stale.failed, stale.code, stale.outputs["exit-code"]) == ("Apply", 6, "6"), stale.log
    assert "no longer holds" in stale.log and "RECAP" not in stale.log

    # The same pull request is planned again, against what lives now, and that is applied.
    replanned = job(here, "pull_request", "f" * 40, head).run(command="plan", **prune, **paths)
    assert replanned.outputs["digest"] in comment["body"] and len(hosts.comments[7]) == 1
    applied = job(here, "push", merge).run(command="apply", **INPUTS)
    assert applied.failed is None and "updated=1" in applied.log, applied.log

    # A policy denies the next pull request: told at its line and in the comment, with nothing to apply.
    head = repository.branch("too-many", 9)
    denied = job(here, "pull_request", "f" * 40, head).run(command="plan", **prune, **paths)
    assert (denied.failed, denied.code) == ("Result of the plan", 5), denied.log
    assert "title=policy/few-servers::spotnodepool/production/general" in denied.log
    assert (
        "No pool of production has more than 8 servers." in comment["body"]
        and "4 policies: 1 denied" in comment["body"]
    )
    repository.git("switch", "-q", "main")

    assert run(["policy", "test", str(here / "policies")]) == 0

    # Drift by hand: the schedule opens an issue, and closes it once an apply has healed it.
    by_hand(1)
    drifted = job(here, "schedule", merge).run(command="drift", **INPUTS, **paths, issue_title="Drift of production")
    assert drifted.failed is None and drifted.outputs["exit-code"] == "2", drifted.log
    (issue,) = hosts.issues
    assert issue["title"] == "Drift of production" and issue["state"] == "open"
    assert "## Drift of `production`" in issue["body"] and "-     desired: 4\n+     desired: 1" in issue["body"]
    assert "somebody else changed 1 object" in issue["body"] and len(hosts.comments[7]) == 1
    assert job(here, "schedule", merge).run(command="drift", **INPUTS, **paths, on_drift="fail").code == 2
    assert run(["--sandbox", "apply", str(here / "production"), "--yes", "--wait", "none"]) == 0
    healed = job(here, "schedule", merge).run(command="drift", **INPUTS, **paths)
    assert healed.outputs["exit-code"] == "0" and issue["state"] == "closed"
