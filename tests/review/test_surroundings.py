"""What the environment of a CI job tells: host, repository, number, API and commit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rsspot.errors import UsageError
from rsspot.review.protocol import Surroundings
from rsspot.review.registry import HOSTS, host_here

HEAD, MERGE = "a" * 40, "b" * 40
GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "octo/infra",
    "GITHUB_API_URL": "https://ghes.example/api/v3",
    "GITHUB_SHA": MERGE,
    "GITHUB_REF": "refs/heads/main",
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "9",
    "CI_COMMIT_SHA": MERGE,
}


@pytest.mark.parametrize(
    ("event", "reference", "number", "commit"),
    [
        ({"number": 7, "pull_request": {"number": 7, "head": {"sha": HEAD}}}, "refs/pull/7/merge", 7, HEAD),
        ({"issue": {"number": 8}, "comment": {"body": "x"}}, "refs/heads/main", 8, MERGE),
        ({}, "refs/pull/9/merge", 9, MERGE),
        ({"ref": "refs/heads/main"}, "refs/heads/main", None, MERGE),
        ([], "refs/heads/main", None, MERGE),
        ({"pull_request": {"number": "x", "head": None}}, "refs/heads/main", None, MERGE),
    ],
    ids=["pull request", "comment", "no event", "push", "odd event", "odd number"],
)
def test_a_github_workflow(tmp_path: Path, event: object, reference: str, number: int | None, commit: str) -> None:
    """The event says more than the reference, and its head is the commit that people see."""
    (tmp_path / "event.json").write_text(json.dumps(event))
    environ = {**GITHUB, "GITHUB_REF": reference, "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    assert host_here(environ) == "github"
    expected = Surroundings("https://ghes.example/api/v3", "octo/infra", number, commit)
    assert HOSTS["github"].surroundings(environ) == expected


def test_an_event_that_cannot_be_read(tmp_path: Path) -> None:
    for text in ("{", "\x00"):
        (tmp_path / "event.json").write_text(text)
        with pytest.raises(UsageError, match="cannot read the event"):
            HOSTS["github"].surroundings({**GITHUB, "GITHUB_EVENT_PATH": str(tmp_path / "event.json")})
    with pytest.raises(UsageError, match="cannot read the event"):
        HOSTS["github"].surroundings({**GITHUB, "GITHUB_EVENT_PATH": str(tmp_path / "absent")})


@pytest.mark.parametrize(
    ("more", "repository", "number", "commit"),
    [
        ({"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_PROJECT_ID": "4"}, "4", 7, MERGE),
        ({"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD}, "9", 7, HEAD),
        ({"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": ""}, "9", None, MERGE),
    ],
    ids=["fork", "merged results", "branch"],
)
def test_a_gitlab_pipeline(more: dict[str, str], repository: str, number: int | None, commit: str) -> None:
    """The target of a merge request is the project that has it."""
    environ = GITLAB | more
    assert host_here(environ) == "gitlab"
    expected = Surroundings("https://gitlab.example/api/v4", repository, number, commit)
    assert HOSTS["gitlab"].surroundings(environ) == expected


def test_no_job_at_all() -> None:
    assert host_here({"CI": "true"}) is None
    assert HOSTS["github"].surroundings({}) == HOSTS["gitlab"].surroundings({}) == Surroundings()
