"""GitHub, on github.com or on a server of one's own: comments, issues, and the plan that a workflow kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from rsspot.errors import Forbidden, NotFound, UsageError, not_found
from rsspot.review.archives import only_file
from rsspot.review.posts import IsOurs, PostShape, RestPosts
from rsspot.review.protocol import Review, Surroundings
from rsspot.review.rest import ApiAccess, RestApi
from rsspot.utils.reading import parse_json, read_text, reason
from rsspot.utils.serialization import Document

ACCEPT = "application/vnd.github+json"
NAME = re.compile(r"[\w-][\w.-]*/(?!\.{1,2}$)[\w.-]+", re.ASCII)
PULL = re.compile(r"refs/pull/(\d+)/")
HINTS = {
    401: "give a token that is valid, in GITHUB_TOKEN or by --token-file",
    403: "the job needs `permissions: {pull-requests: write}`, for issues `issues: write`, for artifacts"
    " `actions: read`; on pull requests from forks the token of the workflow can only read",
    404: "check the repository and the number; a token that may not see a repository gets this answer, too",
    422: "a comment has at most 65,536 characters; `plan --report md=FILE` never writes more than 60,000",
    429: "GitHub limits the requests of a token; run the job again later",
}


class GithubHost:
    """One repository. repository: `owner/name`"""

    name: ClassVar[str] = "github"
    tokens: ClassVar[tuple[str, ...]] = ("GITHUB_TOKEN", "GH_TOKEN")
    longest: ClassVar[int] = 65_536
    default_url: ClassVar[str] = "https://api.github.com"

    def __init__(self, access: ApiAccess, repository: str) -> None:
        if not NAME.fullmatch(repository):
            raise UsageError(f"{repository!r} is no repository of GitHub", hint="write it as OWNER/NAME")
        self._api = RestApi(access, HINTS, ACCEPT)
        self._repository = f"/repos/{repository}"

    @staticmethod
    def is_here(environ: Mapping[str, str]) -> bool:
        return bool(environ.get("GITHUB_ACTIONS"))

    @staticmethod
    def surroundings(environ: Mapping[str, str]) -> Surroundings:
        event = _event(environ)
        pull, issue = _part(event, "pull_request"), _part(event, "issue")
        named = PULL.match(environ.get("GITHUB_REF", ""))
        number = str(pull.get("number") or issue.get("number") or (named[1] if named else ""))
        return Surroundings(
            environ.get("GITHUB_API_URL"),
            environ.get("GITHUB_REPOSITORY"),
            int(number) if number.isdecimal() else None,
            # GITHUB_SHA is a merge that exists only for the job.
            _part(pull, "head").get("sha") or environ.get("GITHUB_SHA"),
        )

    def comments(self, number: int) -> RestPosts:
        issues = f"{self._repository}/issues"
        return RestPosts(self._api, PostShape(f"{issues}/{number}/comments", f"{issues}/comments", "PATCH"), self._ours)

    def issues(self, title: str) -> RestPosts:
        path = f"{self._repository}/issues"
        shape = PostShape(
            path,
            path,
            "PATCH",
            id="number",
            params={"state": "open", "sort": "created", "direction": "asc"},
            created={"title": title},
            closing={"state": "closed"},
        )
        return RestPosts(self._api, shape, self._our_issues)

    async def review_of(self, commit: str) -> Review:
        pulls = await self._api.pages(f"{self._repository}/commits/{quote(commit, safe='')}/pulls")
        merged = [each for each in pulls if each.get("merged_at")]
        # Of several that have the commit, the one that brought it in.
        merged.sort(key=lambda each: each.get("merge_commit_sha") != commit)
        if not merged:
            raise not_found(f"no merged pull request has the commit {commit}", hint="plan and review its change first")
        return Review(int(merged[0]["number"]), str(_part(merged[0], "head").get("sha")))

    async def artifact(self, review: Review, name: str) -> bytes:
        wanted = f"{name}-{review.commit}"
        found = await self._api.pages(f"{self._repository}/actions/artifacts", inside="artifacts", name=wanted)
        usable = [each for each in found if _is_trusted(each, review.commit)]
        if not usable:
            hint = "artifacts are deleted after some time; make and review a new plan"
            raise not_found(f"no artifact {wanted} of a workflow of this repository", hint=hint)
        newest = max(usable, key=lambda each: int(each.get("id") or 0))
        archive = await self._api.download(f"{self._repository}/actions/artifacts/{newest['id']}/zip")
        return only_file(archive, "plan.json")

    async def _ours(self) -> IsOurs:
        try:
            login = (await self._api.get("/user")).get("login")
        except (Forbidden, NotFound):
            # The token of a workflow is no user's. No person can write as a bot.
            return lambda post: _part(post, "user").get("type") == "Bot"
        return lambda post: _part(post, "user").get("login") == login

    async def _our_issues(self) -> IsOurs:
        ours = await self._ours()
        return lambda post: "pull_request" not in post and ours(post)


def _is_trusted(artifact: Document, commit: str) -> bool:
    """Whether an artifact can be used. A fork can change its workflow, and keep under any name what it likes."""
    run = _part(artifact, "workflow_run")
    own = run.get("repository_id") is not None and run.get("repository_id") == run.get("head_repository_id")
    return own and run.get("head_sha") == commit and not artifact.get("expired")


def _event(environ: Mapping[str, str]) -> Document:
    """The event that began the workflow; {} outside of one."""
    path = environ.get("GITHUB_EVENT_PATH")
    if not path:
        return {}
    try:
        event = parse_json(read_text(Path(path)))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the event in {path}: {reason(error)}") from None
    return event if isinstance(event, dict) else {}


def _part(document: Document, name: str) -> dict[str, Any]:
    part = document.get(name)
    return part if isinstance(part, dict) else {}
