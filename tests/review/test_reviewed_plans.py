"""The plan that was shown on a review, found by a commit: only what this repository kept for that very commit."""

from __future__ import annotations

import io
import zipfile

import pytest

from rsspot.errors import NotFound, RsspotError, StalePlan, UsageError
from rsspot.planner.change import Action
from rsspot.planner.codec import dump_plan
from rsspot.utils.output import as_json
from rsspot.workflows.plan_comments import plan_text, reviewed_plan
from support.code_hosts import PERSON, CodeHosts
from support.plans import plan_of_size

HEAD, MERGE = "a" * 40, "b" * 40
PLAN = plan_of_size(3, actions=(Action.DELETE, Action.UPDATE), hostile=False)
CONTENT = as_json(dump_plan(PLAN)).encode()


@pytest.fixture
def artifact(name: str) -> str:
    """The name under which the host finds a plan again: that of an artifact with its commit, or that of a job."""
    return f"rsspot-plan-{HEAD}" if name == "github" else "rsspot-plan"


@pytest.fixture(autouse=True)
def merged(hosts: CodeHosts) -> None:
    """A pull request that was merged, and others that have the commit too."""
    for number, commit, merge in ((5, HEAD, None), (6, "c" * 40, MERGE), (7, HEAD, MERGE)):
        when = "2026-09-21T12:00:00Z" if merge else None
        hosts.pulls.append(
            {"number": number, "head": {"sha": commit}, "merge_commit_sha": merge or "d" * 40, "merged_at": when}
        )
    hosts.pulls.pop(1)


async def test_it_is_the_plan_of_the_comment(opened, name, hosts: CodeHosts, artifact: str) -> None:
    hosts.keep(artifact, CONTENT, sha=HEAD)
    hosts.say(7, plan_text(PLAN, HEAD, None))
    found = await reviewed_plan(opened(name), MERGE, "rsspot-plan")
    assert (found.review.number, found.review.commit, found.content) == (7, HEAD, CONTENT)
    assert found.digest == dump_plan(PLAN)["digest"]


async def test_the_newest_counts(opened, name, hosts: CodeHosts, artifact: str) -> None:
    """The job may have run twice for one commit."""
    hosts.keep(artifact, b"{}", sha=HEAD)
    hosts.keep(artifact, CONTENT, sha=HEAD)
    assert (await reviewed_plan(opened(name), MERGE, "rsspot-plan")).content == CONTENT


async def test_another_plan_than_that_of_the_comment_is_stale(opened, name, hosts: CodeHosts, artifact: str) -> None:
    other = plan_of_size(2, actions=(Action.DELETE,), hostile=False)
    hosts.keep(artifact, CONTENT, sha=HEAD)
    hosts.say(7, plan_text(other, HEAD, None))
    with pytest.raises(StalePlan, match="the one that was shown"):
        await reviewed_plan(opened(name), MERGE, "rsspot-plan")


async def test_a_comment_of_somebody_else_says_nothing(opened, name, hosts: CodeHosts, artifact: str) -> None:
    """Neither approves nor stops."""
    hosts.keep(artifact, CONTENT, sha=HEAD)
    hosts.say(7, plan_text(plan_of_size(1, hostile=False), HEAD, None), PERSON)
    assert (await reviewed_plan(opened(name), MERGE, "rsspot-plan")).content == CONTENT


@pytest.mark.parametrize("kept", [{"sha": "c" * 40}, {"sha": HEAD, "fork": True}], ids=["other commit", "fork"])
async def test_what_others_keep_is_not_taken(opened, name, hosts: CodeHosts, artifact: str, kept) -> None:
    """A fork may change its workflow, and keep what it likes under this name."""
    hosts.keep(artifact, CONTENT, **kept)
    with pytest.raises(NotFound):
        await reviewed_plan(opened(name), MERGE, "rsspot-plan")


async def test_an_expired_artifact_is_gone(opened, hosts: CodeHosts) -> None:
    hosts.keep(f"rsspot-plan-{HEAD}", CONTENT, sha=HEAD, expired=True)
    with pytest.raises(NotFound, match="no artifact"):
        await reviewed_plan(opened("github"), MERGE, "rsspot-plan")


async def test_a_commit_without_a_merged_review_has_no_plan(opened, name, hosts: CodeHosts) -> None:
    """As one that was pushed past the review."""
    hosts.pulls = [each for each in hosts.pulls if not each["merged_at"]]
    for commit in (HEAD, "e" * 40):
        with pytest.raises(NotFound, match="no merged"):
            await reviewed_plan(opened(name), commit, "rsspot-plan")


@pytest.mark.parametrize("content", [b"[]", b"{}", b"\xff", b"", CONTENT.replace(b"pool-1", b"pool-9")])
async def test_what_is_no_plan_is_refused(opened, name, hosts: CodeHosts, artifact: str, content: bytes) -> None:
    """Also one that was changed after it was made."""
    hosts.keep(artifact, content, sha=HEAD)
    with pytest.raises(UsageError):
        await reviewed_plan(opened(name), MERGE, "rsspot-plan")


def archive(*names: str, content: bytes = b"x") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        for name in names:
            opened.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        archive("other.json"),
        archive("a/plan.json", "b/plan.json"),
        archive("plan.json", content=b"0" * (16 * 1024 * 1024 + 1)),
        archive("plan.json", content=b"hello" * 99).replace(b"\xcb\x48\xcd", b"\x00\x00\x00"),
    ],
    ids=["empty", "cut", "other name", "two", "bomb", "damaged"],
)
async def test_an_odd_archive_is_refused(opened, hosts: CodeHosts, content: bytes) -> None:
    number = hosts.keep(f"rsspot-plan-{HEAD}", CONTENT, sha=HEAD)
    hosts.files[number] = content
    with pytest.raises(RsspotError):
        await reviewed_plan(opened("github"), MERGE, "rsspot-plan")


async def test_the_storage_gets_no_token(opened, hosts: CodeHosts) -> None:
    """The address that GitHub redirects to is signed itself."""
    hosts.keep(f"rsspot-plan-{HEAD}", CONTENT, sha=HEAD)
    await reviewed_plan(opened("github"), MERGE, "rsspot-plan")
    (asked,) = [each for each in hosts.asked if each.path.startswith("/storage/")]
    assert "authorization" not in asked.headers
