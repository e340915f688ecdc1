"""`comment` and `reviewed` as a CI job runs them: found by the environment, with a token that nothing shows."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rsspot.cli.app import run
from rsspot.simulator.clock import ManualClock
from support.code_hosts import PROJECT, REPOSITORY, TOKEN, Answered, CodeHosts, serving
from support.shell import STACK, Command, write

HEAD, MERGE = "a" * 40, "b" * 40
OUTSIDE = ("GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN")


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[CodeHosts]:
    for name in OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    with serving(CodeHosts()) as served:
        yield served


@pytest.fixture(params=["github", "gitlab"])
def job(request: pytest.FixtureRequest, hosts: CodeHosts, monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment of a job about pull request 7 at HEAD."""
    Path("event.json").write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD}}}))
    environ = {
        "github": {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": hosts.github_url,
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SHA": MERGE,
            "GITHUB_EVENT_PATH": str(Path("event.json").resolve()),
            "GITHUB_SERVER_URL": "https://code.example",
            "GITHUB_RUN_ID": "12",
            "GITHUB_TOKEN": TOKEN,
        },
        "gitlab": {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": hosts.gitlab_url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_MERGE_REQUEST_IID": "7",
            "CI_COMMIT_SHA": HEAD,
            "CI_JOB_URL": "https://code.example/jobs/12",
            "GITLAB_TOKEN": TOKEN,
        },
    }[str(request.param)]
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return str(request.param)


@pytest.fixture
def plan(rsspot: Command) -> Path:
    rsspot(f"plan {write(STACK)} --out plan.json --report md=plan.md")
    return Path("plan.json")


def test_a_job_needs_no_options(job: str, hosts: CodeHosts, plan: Path, rsspot: Command) -> None:
    """Host, repository, number, API and commit are in its environment."""
    told = json.loads(rsspot("comment --plan plan.json -o json"))
    assert told["action"] == "created"
    (post,) = hosts.comments[7]
    assert post["body"].startswith("<!-- rsspot:plan:default -->") and "commit `aaaaaaaaaaaa`" in post["body"]
    assert "code.example" in post["body"]
    assert json.loads(rsspot("comment --plan plan.json -o json"))["action"] == "unchanged"


def test_options_win_over_the_environment(
    hosts: CodeHosts, plan: Path, rsspot: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are enough without any."""
    monkeypatch.setenv("GITLAB_CI", "true")
    Path("token").write_text(f"{TOKEN}\n")
    hosts.comments[9] = []
    rsspot(
        f"comment --plan plan.json --on github --repository {REPOSITORY} --number 9 --api-url {hosts.github_url}"
        f" --token-file token --commit {MERGE}"
    )
    assert "commit `bbbbbbbbbbbb`" in hosts.comments[9][0]["body"]


def test_a_text_is_posted_as_it_is(job: str, hosts: CodeHosts, plan: Path, rsspot: Command) -> None:
    """Also one that another job rendered."""
    rsspot("comment --file plan.md")
    assert hosts.comments[7][0]["body"] == Path("plan.md").read_text()


def test_a_first_comment_waits_for_a_reason(job: str, hosts: CodeHosts, rsspot: Command, plan: Path) -> None:
    rsspot("apply --plan plan.json --yes --wait none")
    rsspot("plan stack.yaml --out plan.json")
    for when in ("changes", "worse"):
        assert "skipped" in rsspot(f"comment --plan plan.json --comment-when {when}")
    assert not hosts.comments[7]
    assert "created" in rsspot("comment --plan plan.json --comment-when always")


def test_an_issue_needs_no_review(job: str, hosts: CodeHosts, plan: Path, rsspot: Command, monkeypatch) -> None:
    """As for a job by schedule; it has the title, and is found again."""
    for name in ("GITHUB_EVENT_PATH", "CI_MERGE_REQUEST_IID"):
        monkeypatch.delenv(name, raising=False)
    assert "--number" in rsspot("comment --plan plan.json", 3)
    assert "created" in rsspot("comment --plan plan.json --issue 'Drift of default'")
    assert [each["title"] for each in hosts.issues] == ["Drift of default"]
    rsspot("apply --plan plan.json --yes --wait none")
    rsspot("plan stack.yaml --out plan.json")
    assert "closed" in rsspot("comment --plan plan.json --comment-when changes --issue 'Drift of default'")


def test_the_reviewed_plan_is_applied_by_its_digest(job: str, hosts: CodeHosts, plan: Path, rsspot: Command) -> None:
    """As the job after the merge does it."""
    rsspot("comment --plan plan.json")
    name = f"rsspot-plan-{HEAD}" if job == "github" else "rsspot-plan"
    hosts.keep(name, plan.read_bytes(), sha=HEAD)
    hosts.pulls.append({"number": 7, "head": {"sha": HEAD}, "merge_commit_sha": MERGE, "merged_at": "2026-09-21"})
    digest = rsspot(f"reviewed --commit {MERGE} --out reviewed.json -o jsonpath={{.digest}}")
    assert digest == json.loads(plan.read_text())["digest"]
    assert Path("reviewed.json").read_bytes() == plan.read_bytes()
    assert stat.S_IMODE(Path("reviewed.json").stat().st_mode) == 0o600
    rsspot(f"apply --plan reviewed.json --approve sha256:{'0' * 64}", 6)
    assert "RECAP" in rsspot(f"apply --plan reviewed.json --approve {digest} --wait none")


def test_another_plan_is_not_the_reviewed_one(job: str, hosts: CodeHosts, plan: Path, rsspot: Command) -> None:
    rsspot("comment --plan plan.json")
    rsspot(f"plan {write(STACK.replace('desired: 2', 'desired: 3'))} --out other.json")
    name = f"rsspot-plan-{HEAD}" if job == "github" else "rsspot-plan"
    hosts.keep(name, Path("other.json").read_bytes(), sha=HEAD)
    hosts.pulls.append({"number": 7, "head": {"sha": HEAD}, "merge_commit_sha": MERGE, "merged_at": "2026-09-21"})
    assert "the one that was shown" in rsspot(f"reviewed --commit {MERGE} --out reviewed.json", 6)
    assert not Path("reviewed.json").exists()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (Answered(401, {"message": f"bad token {TOKEN}"}), 4),
        (Answered(403, {"message": f"{TOKEN} may not"}), 1),
        (Answered(404, {"message": "Not Found"}), 1),
        (Answered(422, {"message": f"too long for {TOKEN}"}), 1),
        (Answered(502, {"message": f"{TOKEN}"}), 11),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answered) else None,
)
def test_refusals_have_the_codes_of_the_table(
    job: str, hosts: CodeHosts, plan: Path, capsys: pytest.CaptureFixture[str], answer: Answered, code: int
) -> None:
    """And no stream has the token, neither with a traceback nor in the history."""
    hosts.script("^POST", *[answer] * 9)
    assert run(["--sandbox", "-vv", "comment", "--plan", "plan.json"], ManualClock()) == code
    printed = capsys.readouterr()
    assert "error:" in printed.err
    assert run(["--sandbox", "history", "list", "-o", "json"]) == 0
    shown = printed.out + printed.err + capsys.readouterr().out
    assert TOKEN[:12] not in shown


def test_without_a_token_nothing_is_sent(job: str, hosts: CodeHosts, plan: Path, rsspot: Command, monkeypatch) -> None:
    for name in OUTSIDE[2:]:
        monkeypatch.delenv(name, raising=False)
    assert "--token-file" in rsspot("comment --plan plan.json", 4)
    Path("token").write_text("two words\n")
    told = rsspot("comment --plan plan.json --token-file token", 3)
    assert "two words" not in told and "not a valid token" in told
    assert not hosts.asked


def test_no_option_takes_a_token(rsspot: Command) -> None:
    """Everybody on the machine can read the arguments of a process."""
    for command in ("comment", "reviewed"):
        assert "--token-file" in rsspot(f"{command} --help") and "--token " not in rsspot(f"{command} --help")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("comment", "no plan given"),
        ("comment --file plan.md --comment-when changes", "no plan given"),
        ("comment --plan plan.json --comment-when maybe", "always"),
        ("comment --plan plan.json --on bitbucket", "github, gitlab"),
        ("comment --plan plan.json", "no job of a known host"),
        ("comment --plan plan.json --on github", "no repository"),
        ("comment --plan stack.yaml --on github", "not a saved plan"),
        ("comment --plan plan.json --on github --repository a/b --number 1 --commit 'x y'", "is no commit"),
        ("comment --file absent.md --on github --repository a/b --number 1", "cannot read absent.md"),
        ("comment --file long.md --on github --repository a/b --number 1", "65,536"),
        ("reviewed --on github --repository a/b --out plan.json", "--commit"),
    ],
)
def test_what_cannot_be_understood_is_refused(
    hosts: CodeHosts, plan: Path, rsspot: Command, monkeypatch: pytest.MonkeyPatch, line: str, told: str
) -> None:
    """Before anything is sent."""
    Path("long.md").write_text("<!-- rsspot:plan:default -->\n" + "x" * 65_536)
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    assert told in rsspot(line, 3)
    assert not hosts.asked
