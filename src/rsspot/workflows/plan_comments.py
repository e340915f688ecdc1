"""The comment about a plan: whether it is worth one, what it says, and the plan that was reviewed with a commit.

    posted = await post_plan(host.comments(7), plan_text(plan, commit), Verdict.of(plan), CommentWhen.CHANGES, clock)

Prints nothing, and knows no host.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from rsspot.errors import StalePlan, UsageError
from rsspot.models.costs import Measure
from rsspot.planner.codec import dump_plan, load_plan
from rsspot.planner.plan import Plan
from rsspot.reports.markdown import MarkdownReport
from rsspot.reports.markdown_syntax import code, marker
from rsspot.review.protocol import CodeHost, Post, Posts, Review
from rsspot.review.sticky import last_post, marker_of, put
from rsspot.review.summary import CommentSummary, summary_of
from rsspot.utils.clock import Clock
from rsspot.utils.reading import parse_json

CENT = Decimal("0.01")
SHORT_COMMIT = 12


class CommentWhen(StrEnum):
    """When a first comment is written. One that is there already is always brought up to date."""

    CHANGES = "changes"
    WORSE = "worse"
    ALWAYS = "always"


@dataclass(frozen=True)
class PlanPost:
    """What became of the comment. action: created, updated, unchanged, closed or skipped · reason: why, for people"""

    action: str
    reason: str
    post: Post | None = None


@dataclass(frozen=True)
class ReviewedPlan:
    """A plan as a job kept it, with its digest, and the review that it was shown on. content: the file"""

    review: Review
    digest: str
    content: bytes


def summary_for(plan: Plan, commit: str | None) -> CommentSummary:
    """What a comment about a plan says for the next job."""
    return CommentSummary(str(dump_plan(plan)["digest"]), commit, _per_month(plan))


def plan_text(plan: Plan, commit: str | None, job: str | None) -> str:
    """A plan as markdown, with its digest and commit for people and for the next job. job: its address"""
    summary = summary_for(plan, commit)
    about = [f"Digest {code(summary.digest)}"]
    about += [f"commit {code(commit[:SHORT_COMMIT])}"] if commit else []
    about += [f"[job]({job})"] if job else []
    return "\n\n".join([MarkdownReport().plan(plan), ", ".join(about), summary.line()])


async def post_plan(
    posts: Posts, text: str, plan: Plan | None, when: CommentWhen, clock: Clock, *, closes: bool = False
) -> PlanPost:
    """Write or update the comment about a plan, if there is a reason to.

    plan: that the text is about, if it is at hand · closes: whether a post about a plan without changes is closed
    """
    mark = marker_of(text)
    if mark is None:
        hint = "its first line has to be a marker, as in what `plan --report md=FILE` writes"
        raise UsageError("the text cannot be found again as a comment", hint=hint)
    last = await last_post(posts, mark)
    reason = reason_to_post(plan, when, summary_of(last.body) if last else None)
    if last is None and reason is None:
        return PlanPost("skipped", f"not worth a comment: --comment-when {when}")
    closed = closes and last is not None and plan is not None and not _has_changes(plan)
    posted = await put(posts, last, text, clock, closed=closed)
    return PlanPost(posted.action, reason or "brought up to date", posted.post)


def reason_to_post(plan: Plan | None, when: CommentWhen, last: CommentSummary | None) -> str | None:
    """Why a plan is worth a comment, in words; None if it is not. last: what the last comment said"""
    if when is CommentWhen.ALWAYS or plan is None:
        return "a comment is always wanted"
    if when is CommentWhen.CHANGES:
        return "there are changes" if _has_changes(plan) else None
    return worse(plan, last)


def worse(plan: Plan, last: CommentSummary | None) -> str | None:
    """What a plan makes worse: it is refused, deletes something, or costs more than the last comment said.

    Without a last comment, it is compared with what the stack costs now.
    """
    if plan.refusals:
        return "the plan is refused"
    if gone := sum(change.destructive for change in plan.changes):
        return f"{gone} object{'' if gone == 1 else 's'} will be deleted or replaced"
    known = last.per_month if last else _per_month(plan, after=False)
    month = _per_month(plan)
    if month is None:
        return "its cost is unknown" if plan.cost and known is not None else None
    return f"it costs {month - known} USD/month more" if known is not None and month > known else None


async def reviewed_plan(host: CodeHost, commit: str, artifact: str) -> ReviewedPlan:
    """The plan that was shown on the review which brought a commit in. artifact: the name that it is kept under

    Raises NotFound, and StalePlan for a plan that is not the one of the comment.
    """
    review = await host.review_of(commit)
    content = await host.artifact(review, artifact)
    try:
        document = parse_json(content)
        plan, digest = load_plan(document), str(document["digest"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UsageError(f"what is kept as {artifact} is no saved plan") from None
    last = await last_post(host.comments(review.number), marker(plan.stack))
    shown = summary_of(last.body) if last else None
    if shown and shown.digest != digest:
        message = f"the plan that is kept has the digest {digest}, and the one that was shown {shown.digest}"
        raise StalePlan(message, hint="make and review a new plan")
    return ReviewedPlan(review, digest, content)


def _has_changes(plan: Plan) -> bool:
    return not plan.empty or bool(plan.drifted or plan.refusals)


def _per_month(plan: Plan, *, after: bool = True) -> Decimal | None:
    """What the stack is expected to cost in a month, after the plan or before it; None if that is unknown."""
    if plan.cost is None:
        return Decimal(0)
    cost = plan.cost.shift.after if after else plan.cost.shift.before
    month = cost.per_month(Measure.EXPECTED) if cost else Decimal(0)
    return None if month is None else month.quantize(CENT)
