"""The scripts of the action and of the GitLab template, run in order where the life of a stack does not lead."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from support.code_hosts import PROJECT, TOKEN, CodeHosts
from support.composite_action import runner_environment

ROOT = Path(__file__).parents[2]
HEAD, MERGE = "a" * 40, "b" * 40
INPUTS = {"install": "false", "options": "--sandbox", "paths": "production"}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "examples" / "gitops", tmp_path / "infra"))


def test_a_refused_plan_is_shown_before_the_job_fails(workspace: Path, hosts: CodeHosts, job) -> None:
    """As an annotation at its line, a summary and a comment; there is nothing to apply."""
    overlay = workspace / "production" / "size.yaml"
    overlay.write_text(overlay.read_text().replace("desired: 5", "desired: 50"))
    ended = job(workspace, "pull_request", MERGE, HEAD).run(command="plan", **INPUTS)
    assert (ended.failed, ended.code, ended.outputs["exit-code"]) == ("Result of the plan", 5, "5"), ended.log
    assert "::error file=production/stack.yaml,line=" in ended.log and "title=budget" in ended.log
    assert "title=policy/few-servers" in ended.log
    assert "Refused: 2 objections" in ended.summary and "Refused" in hosts.comments[7][0]["body"]


def test_manifests_that_cannot_be_understood_are_annotated(workspace: Path, hosts: CodeHosts, job) -> None:
    (workspace / "base" / "cluster.yaml").write_text("kind: CloudSpace\nspec: {regoin: x}\n")
    ended = job(workspace, "pull_request", MERGE, HEAD).run(command="plan", **INPUTS)
    assert (ended.failed, ended.code) == ("Result of the plan", 3)
    assert "::error file=base/cluster.yaml" in ended.log and not hosts.asked


HOSTILE = "$(touch pwned) `touch pwned` ; touch pwned #\n\"; touch pwned; \"\n'; touch pwned; '"


@pytest.mark.parametrize(
    "names", [("command",), ("paths", "options"), ("comment_when", "number"), ("commit", "artifact")], ids=" ".join
)
def test_no_input_is_a_command(workspace: Path, hosts: CodeHosts, job, names: tuple[str, ...]) -> None:
    """Whatever a caller fills in from a title or a branch."""
    command = "apply" if "commit" in names else "plan"
    ended = job(workspace, "pull_request", MERGE, HEAD).run(
        **{"command": command, **INPUTS, **dict.fromkeys(names, HOSTILE)}
    )
    assert ended.failed, ended.log
    assert not list(workspace.rglob("pwned"))


def test_a_merge_without_a_reviewed_plan_applies_nothing(workspace: Path, hosts: CodeHosts, job) -> None:
    ended = job(workspace, "push", MERGE).run(command="apply", **INPUTS)
    assert (ended.failed, ended.code) == ("Find the reviewed plan", 1)
    assert "no merged pull request" in ended.log and "Apply" not in ended.ran


class Pipeline:
    """Jobs of the GitLab template, with the variables that GitLab gives them."""

    def __init__(self, workspace: Path, hosts: CodeHosts) -> None:
        self.template = yaml.safe_load((ROOT / "templates" / "rsspot.gitlab-ci.yml").read_text())
        self.workspace, self.hosts = workspace, hosts

    def run(self, job: str, **more: str) -> tuple[int, str]:
        environ = {
            **runner_environment(self.workspace.parent, Path(sys.executable)),
            **{name: str(value) for name, value in self.template["variables"].items()},
            "RSSPOT_PATHS": "production",
            "RSSPOT_PLAN_OPTIONS": "--sandbox --prune",
            "RSSPOT_DRIFT_OPTIONS": "--sandbox --prune",
            "RSSPOT_APPLY_OPTIONS": "--sandbox",
            "GITLAB_CI": "true",
            "CI_API_V4_URL": self.hosts.gitlab_url,
            "CI_PROJECT_ID": str(PROJECT),
            "GITLAB_TOKEN": TOKEN,
            "RSSPOT_PLAN_KEY": "a key that signs plans",
            **more,
        }
        script = "\n".join(self.template[job]["script"])
        line = ["bash", "-eo", "pipefail", "-c", script]
        done = subprocess.run(line, cwd=self.workspace, env=environ, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def test_the_gitlab_template_plans_applies_and_looks_for_drift(workspace: Path, hosts: CodeHosts) -> None:
    """With plans that are signed."""
    pipeline = Pipeline(workspace, hosts)
    code, log = pipeline.run("rsspot-plan", CI_MERGE_REQUEST_IID="7", CI_COMMIT_SHA=HEAD)
    assert code == 0, log
    assert "2 to create" in hosts.comments[7][0]["body"]
    for file in pipeline.template["rsspot-plan"]["artifacts"]["paths"]:
        assert (workspace / file).exists()
    hosts.keep("rsspot-plan", (workspace / "plan.json").read_bytes(), sha=HEAD)
    hosts.pulls.append({"number": 7, "head": {"sha": HEAD}, "merge_commit_sha": MERGE, "merged_at": "2026-09-21"})
    drift = {"CI_COMMIT_SHA": MERGE}
    assert pipeline.run("rsspot-drift", **drift)[0] == 0
    assert [each["title"] for each in hosts.issues] == ["Drift"]
    code, log = pipeline.run("rsspot-apply", CI_COMMIT_SHA=MERGE)
    assert code == 0 and "created=2" in log, log
    assert pipeline.run("rsspot-drift", **drift)[0] == 0
    assert hosts.issues[0]["state"] == "closed"
