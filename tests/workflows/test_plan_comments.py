"""When a plan is worth a comment, and what the comment says for people and for the next job."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from rsspot.errors import Problem, UsageError
from rsspot.models.costs import Cost
from rsspot.planner.change import Action
from rsspot.planner.codec import dump_plan
from rsspot.planner.money import Shift, StackCost
from rsspot.planner.plan import Plan
from rsspot.review.posts import RestPosts
from rsspot.review.registry import HOSTS
from rsspot.review.rest import ApiAccess
from rsspot.review.summary import CommentSummary, summary_of
from rsspot.simulator.clock import ManualClock
from rsspot.workflows.plan_comments import CommentWhen, plan_text, post_plan, reason_to_post, summary_for
from support.code_hosts import REPOSITORY, TOKEN, CodeHosts, InProcess
from support.plans import HOSTILE, plan_of_size

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NOTHING = Plan("scope", "org", "demo", "apply", (), unchanged=3)
UPDATES = replace(plan_of_size(2, actions=(Action.UPDATE,), hostile=False), refusals=(), cost=None)
DELETES = plan_of_size(1, actions=(Action.DELETE,), hostile=False)
REFUSED = replace(NOTHING, refusals=(Problem("no"),))
ALWAYS, CHANGES, WORSE = CommentWhen.ALWAYS, CommentWhen.CHANGES, CommentWhen.WORSE


def costing(before: str | None, after: str | None, plan: Plan = UPDATES) -> Plan:
    """A plan after which the stack costs so much by the hour; None for an unknown amount."""
    sides = [Cost(*[None if each is None else Decimal(each)] * 3) for each in (before, after)]
    return replace(plan, cost=StackCost((), unseen=Shift(*sides)))


def last(month: str | None) -> CommentSummary:
    return CommentSummary("sha256:00", COMMIT, None if month is None else Decimal(month))


@pytest.mark.parametrize(
    ("plan", "when", "said", "reason"),
    [
        (NOTHING, ALWAYS, None, "a comment is always wanted"),
        (NOTHING, CHANGES, None, None),
        (NOTHING, WORSE, None, None),
        (UPDATES, CHANGES, None, "there are changes"),
        (UPDATES, WORSE, None, None),
        (DELETES, WORSE, None, "1 object will be deleted or replaced"),
        (REFUSED, CHANGES, None, "there are changes"),
        (REFUSED, WORSE, None, "the plan is refused"),
        (costing("0.1", "0.2"), WORSE, None, "it costs 73.00 USD/month more"),
        (costing("0.2", "0.1"), WORSE, None, None),
        (costing("0.1", "0.2"), WORSE, last("146"), None),
        (costing("0.1", "0.2"), WORSE, last("145.99"), "it costs 0.01 USD/month more"),
        (costing("0.1", None), WORSE, None, "its cost is unknown"),
        (costing(None, None), WORSE, None, None),
        (costing(None, "0.2"), WORSE, last(None), None),
        (replace(NOTHING, command="refresh", drifted=UPDATES.changes), CHANGES, None, "there are changes"),
    ],
)
def test_when_a_plan_is_worth_a_comment(plan: Plan, when: CommentWhen, said, reason: str | None) -> None:
    """worse: something goes, is refused, or costs more than the last comment said, or else than now."""
    assert reason_to_post(plan, when, said) == reason


@pytest.mark.parametrize("plan", [NOTHING, UPDATES, DELETES, REFUSED, costing("0.1", "0.2"), costing("0.1", None)])
def test_the_next_job_reads_what_a_comment_says(plan: Plan) -> None:
    text = plan_text(plan, COMMIT, "https://code.example/octo/infra/actions/runs/1")
    assert summary_of(text) == summary_for(plan, COMMIT)
    assert str(dump_plan(plan)["digest"]) in text.rpartition("<!--")[0]
    assert "commit `0123456789ab`" in text and "[job](https://code.example/octo/infra/actions/runs/1)" in text


def test_nothing_in_a_plan_can_say_it_instead() -> None:
    """A name that looks like our last line is text like any other."""
    evil = f"{last('1').line()}"
    hostile = replace(plan_of_size(len(HOSTILE)), stack="demo", notes=(evil, f"\n{evil}\n"))
    assert summary_of(plan_text(hostile, None, None)) == summary_for(hostile, None)
    assert summary_of(f"{evil}\nx") is None
    assert summary_of("<!-- rsspot:summary per-month=1 -->") is None


def test_a_comment_with_its_last_lines_fits() -> None:
    for size in (0, 1, 10_000):
        assert len(plan_text(plan_of_size(size), COMMIT, "https://code.example/" + "x" * 200)) < 65_000


@pytest.fixture
def hosts() -> CodeHosts:
    return CodeHosts()


@pytest.fixture
def comments(hosts: CodeHosts) -> RestPosts:
    access = ApiAccess(hosts.github_url, TOKEN, InProcess(hosts), ManualClock())
    return HOSTS["github"](access, REPOSITORY).comments(7)


@pytest.mark.parametrize("when", [CHANGES, WORSE])
async def test_a_comment_that_is_there_never_stays_behind(hosts: CodeHosts, comments: RestPosts, when) -> None:
    """It would go on announcing a delete that is no longer planned."""
    clock = ManualClock()

    async def post(plan: Plan) -> str:
        return (await post_plan(comments, plan_text(plan, COMMIT, None), plan, when, clock)).action

    assert [await post(plan) for plan in (NOTHING, DELETES, NOTHING, NOTHING)] == [
        "skipped",
        "created",
        "updated",
        "unchanged",
    ]
    assert "No changes" in hosts.comments[7][0]["body"]


async def test_an_issue_is_closed_once_there_is_nothing_left(hosts: CodeHosts) -> None:
    clock = ManualClock()
    issues = HOSTS["github"](ApiAccess(hosts.github_url, TOKEN, InProcess(hosts), clock), REPOSITORY).issues("Drift")

    async def post(plan: Plan) -> str:
        text = plan_text(plan, COMMIT, None)
        return (await post_plan(issues, text, plan, CHANGES, clock, closes=True)).action

    assert [await post(plan) for plan in (NOTHING, DELETES, UPDATES, NOTHING, NOTHING)] == [
        "skipped",
        "created",
        "updated",
        "closed",
        "skipped",
    ]


async def test_a_text_without_a_marker_is_refused(comments: RestPosts, hosts: CodeHosts) -> None:
    """It could not be found again, so that each job would add one."""
    with pytest.raises(UsageError, match="cannot be found again"):
        await post_plan(comments, "hello", None, ALWAYS, ManualClock())
    assert not hosts.asked
