"""GitLab, on gitlab.com or on a server of one's own: notes, issues, and the plan that a pipeline kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote

from rsspot.errors import UsageError, not_found
from rsspot.review.posts import IsOurs, PostShape, RestPosts
from rsspot.review.protocol import Review, Surroundings
from rsspot.review.rest import ApiAccess, RestApi
from rsspot.utils.serialization import Document

HINTS = {
    401: "give a token that is valid, in GITLAB_TOKEN or by --token-file; CI_JOB_TOKEN cannot write notes",
    403: "the token needs the scope `api` and at least the role Reporter, for editing its notes Developer",
    404: "check the project and the number; a token that may not see a project gets this answer, too",
    422: "correct what the message names",
    429: "GitLab limits the requests of a user; run the job again later",
}


class GitlabHost:
    """One project. repository: its path, such as `group/subgroup/name`, or its number"""

    name: ClassVar[str] = "gitlab"
    tokens: ClassVar[tuple[str, ...]] = ("GITLAB_TOKEN", "GITLAB_PRIVATE_TOKEN")
    longest: ClassVar[int] = 1_000_000
    default_url: ClassVar[str] = "https://gitlab.com/api/v4"

    def __init__(self, access: ApiAccess, repository: str) -> None:
        if not repository.strip("/"):
            raise UsageError(f"{repository!r} is no project of GitLab", hint="write it as GROUP/NAME")
        self._api = RestApi(access, HINTS, "application/json")
        self._project = f"/projects/{quote(repository.strip('/'), safe='')}"

    @staticmethod
    def is_here(environ: Mapping[str, str]) -> bool:
        return bool(environ.get("GITLAB_CI"))

    @staticmethod
    def surroundings(environ: Mapping[str, str]) -> Surroundings:
        number = environ.get("CI_MERGE_REQUEST_IID", "")
        return Surroundings(
            environ.get("CI_API_V4_URL"),
            # For a merge request from a fork, CI_PROJECT_ID is the fork.
            environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID"),
            int(number) if number.isdecimal() else None,
            # For a pipeline of merged results, CI_COMMIT_SHA is a merge that exists only for the job.
            environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or environ.get("CI_COMMIT_SHA"),
        )

    def comments(self, number: int) -> RestPosts:
        path = f"{self._project}/merge_requests/{number}/notes"
        params = {"sort": "asc", "order_by": "created_at"}
        return RestPosts(self._api, PostShape(path, path, "PUT", link="web_url", params=params), self._ours)

    def issues(self, title: str) -> RestPosts:
        path = f"{self._project}/issues"
        shape = PostShape(
            path,
            path,
            "PUT",
            text="description",
            link="web_url",
            id="iid",
            params={"state": "opened", "sort": "asc", "order_by": "created_at"},
            created={"title": title},
            closing={"state_event": "close"},
        )
        return RestPosts(self._api, shape, self._ours)

    async def review_of(self, commit: str) -> Review:
        path = f"{self._project}/repository/commits/{quote(commit, safe='')}/merge_requests"
        merged = [each for each in await self._api.pages(path) if each.get("state") == "merged"]
        if not merged:
            raise not_found(f"no merged merge request has the commit {commit}", hint="plan and review its change first")
        return Review(int(merged[0]["iid"]), str(merged[0].get("sha")))

    async def artifact(self, review: Review, name: str) -> bytes:
        for pipeline in await self._pipelines(review):
            jobs = await self._api.pages(f"{self._project}/pipelines/{pipeline['id']}/jobs")
            for job in jobs:
                if job.get("name") == name and job.get("artifacts_file"):
                    return await self._api.download(f"{self._project}/jobs/{job['id']}/artifacts/plan.json")
        hint = "artifacts are deleted after some time; make and review a new plan"
        raise not_found(f"no job {name!r} of this project kept a plan of {review.commit}", hint=hint)

    async def _pipelines(self, review: Review) -> list[Document]:
        """The pipelines of the commit of a merge request in this project, newest first: a fork keeps what it likes."""
        found = await self._api.pages(f"{self._project}/merge_requests/{review.number}/pipelines")
        here = (await self._api.get(self._project)).get("id")
        own = [each for each in found if each.get("sha") == review.commit and each.get("project_id") == here]
        return sorted(own, key=lambda each: int(each.get("id") or 0), reverse=True)

    async def _ours(self) -> IsOurs:
        us = (await self._api.get("/user")).get("id")
        return lambda post: (post.get("author") or {}).get("id") == us
