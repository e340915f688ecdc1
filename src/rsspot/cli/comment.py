"""The commands `comment` and `reviewed`: a plan on a pull request, and back from there. Contain no rules."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.option_groups import with_groups
from rsspot.cli.plan_options import PLAN_KEY
from rsspot.cli.review_options import FoundHost, HostFlags, commit_of, find_host
from rsspot.cli.saved_plans import plan_key_of, plan_of_file
from rsspot.cli.session import CliSession, session
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.utils.files import write_private
from rsspot.utils.reading import read_text, reason

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from rsspot.planner.plan import Plan
    from rsspot.review.protocol import CodeHost
    from rsspot.workflows.plan_comments import CommentWhen, PlanPost

    T = TypeVar("T")

ARTIFACT = "rsspot-plan"


@with_groups
def comment(
    saved: Path | None = shown(
        typer.Option(None, "--plan", help="A plan that `plan --out` or `plan --report json=` wrote.")
    ),
    file: Path | None = shown(
        typer.Option(None, "--file", help="Post this text instead, as `plan --report md=` wrote it.")
    ),
    number: int | None = shown(
        typer.Option(None, "--number", min=1, help="The pull or merge request. Default: the one of the CI job.")
    ),
    issue: str | None = shown(
        typer.Option(
            None,
            "--issue",
            metavar="TITLE",
            help="Write an issue with this title instead of a comment; it is closed when there are no changes.",
        )
    ),
    comment_when: str = shown(
        typer.Option(
            "always",
            "--comment-when",
            metavar="WHEN",
            help="always, changes, or worse: something is deleted, refused or costs more. A comment that is there"
            " already is always brought up to date.",
        )
    ),
    commit: str | None = shown(
        typer.Option(None, "--commit", metavar="SHA", help="The commit of the plan. Default: the one of the CI job.")
    ),
    plan_key: Path | None = PLAN_KEY,
    *,
    flags: HostFlags,
) -> None:
    """Post a plan as a comment on a pull or merge request, or update the comment that is there.

    The comment about a stack is found again by a marker in its first line, among those of the same user.
    The token is read from the environment or from a file, and is never an argument.
    """
    cli = session()
    when = _when(comment_when)
    plan = plan_of_file(saved, plan_key_of(plan_key)) if saved else None
    text = _text_of(file) if file else None
    if plan is None and (text is None or when != "always"):
        raise UsageError("no plan given", hint="give --plan; --file alone cannot tell whether there are changes")
    found = find_host(flags, os.environ)
    place = number or found.around.number
    if place is None and issue is None:
        raise UsageError("this is no job of a pull or merge request", hint="give --number, or --issue TITLE")

    async def work(host: CodeHost) -> PlanPost:
        from rsspot.workflows.plan_comments import post_plan

        posts = host.issues(issue) if issue else host.comments(place or 0)
        body = text or _rendered(plan, commit_of(commit, found.around))
        _check_length(body, host)
        return await post_plan(posts, body, plan, when, cli.clock, closes=issue is not None)

    posted = _run(cli, found, work)
    cli.emit({"action": posted.action, "reason": posted.reason, "url": posted.post.url if posted.post else None})


@with_groups
def reviewed(
    out: Path = shown(typer.Option(..., "--out", help="Write the plan to this file, for `apply --plan`.")),
    commit: str | None = shown(
        typer.Option(None, "--commit", metavar="SHA", help="A commit of the review. Default: the one of the CI job.")
    ),
    artifact: str = shown(
        typer.Option(
            ARTIFACT,
            "--artifact",
            metavar="NAME",
            help="What the plan is kept under: on GitHub the artifact NAME-COMMIT, on GitLab the job NAME.",
        )
    ),
    *,
    flags: HostFlags,
) -> None:
    """Download the plan that was shown on the pull or merge request of a commit, and print its digest.

    Exits with 6 if it is not the plan of the comment. `apply --plan FILE --approve DIGEST` applies exactly that plan.
    """
    cli = session()
    found = find_host(flags, os.environ)
    about = commit_of(commit, found.around)
    if about is None:
        raise UsageError("this is no job about a commit", hint="give --commit")

    async def work(host: CodeHost) -> ReviewedPlan:
        return await reviewed_plan(host, about, artifact)

    from rsspot.workflows.plan_comments import ReviewedPlan, reviewed_plan

    plan = _run(cli, found, work)
    try:
        write_private(out, plan.content.decode(), follow=False)
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror}") from None
    cli.emit({"digest": plan.digest, "number": plan.review.number, "commit": plan.review.commit, "plan": str(out)})


COMMANDS: dict[str, Any] = {"comment": comment, "reviewed": reviewed}


def _run(cli: CliSession, found: FoundHost, work: Callable[[CodeHost], Awaitable[T]]) -> T:
    """What some work with the host gives."""

    async def connected() -> T:
        access, host = found.opened(cli)
        try:
            return await work(host)
        finally:
            await access.transport.aclose()

    return cli.run(connected())


def _when(word: str) -> CommentWhen:
    from rsspot.workflows.plan_comments import CommentWhen

    try:
        return CommentWhen(word)
    except ValueError:
        raise UsageError(f"--comment-when takes {', '.join(CommentWhen)}, not {word!r}") from None


def _text_of(file: Path) -> str:
    try:
        return read_text(file)
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read {file}: {reason(error)}") from None


def _rendered(plan: Plan | None, commit: str | None) -> str:
    from rsspot.utils.provenance import job_of
    from rsspot.workflows.plan_comments import plan_text

    assert plan is not None
    return plan_text(plan, commit, job_of(os.environ))


def _check_length(text: str, host: CodeHost) -> None:
    """Refuse a text that the host would refuse. Raises UsageError."""
    if len(text) > host.longest:
        hint = "what `plan --report md=FILE` writes is never too long"
        raise UsageError(f"the text has {len(text):,} characters, and {host.name} takes {host.longest:,}", hint=hint)
