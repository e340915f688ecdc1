"""A runner of GitHub workflows with rsspot on its path, and the stand-in of the API that it would talk to."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.code_hosts import REPOSITORY, TOKEN, CodeHosts, serving
from support.composite_action import ActionRunner, runner_environment

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
Job = Callable[..., ActionRunner]


@pytest.fixture
def hosts() -> Iterator[CodeHosts]:
    with serving(CodeHosts()) as served:
        yield served


@pytest.fixture
def job(hosts: CodeHosts, tmp_path: Path) -> Job:
    """A job of a workflow in a workspace. event: its name · head: the commit of pull request 7, if it is about that"""
    environ = runner_environment(tmp_path, Path(sys.executable))

    def made(workspace: Path, event: str, sha: str, head: str | None = None) -> ActionRunner:
        happened: dict[str, Any] = {"pull_request": {"number": 7, "head": {"sha": head}}} if head else {"after": sha}
        (tmp_path / "event.json").write_text(json.dumps(happened))
        github = {"event_name": event, "sha": sha, "token": TOKEN, "event": happened}
        of_job = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": hosts.github_url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": sha,
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        }
        kept = {"actions/upload-artifact": lambda given: _keep(hosts, given, head or sha)}
        return ActionRunner(ACTION, workspace, tmp_path / "temp", environ | of_job, github, kept)

    return made


def _keep(hosts: CodeHosts, given: dict[str, str], sha: str) -> None:
    plan = Path(given["path"], "plan.json")
    # A plan that is refused is shown, and there is nothing to apply.
    hosts.keep(given["name"], plan.read_bytes() if plan.exists() else b"", sha=sha)
