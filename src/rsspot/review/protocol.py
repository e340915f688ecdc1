"""CodeHost: what every host of reviews can do. Posts: the comments of one review, or the issues of one repository.

Hosts are listed in `registry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol


@dataclass(frozen=True)
class Post:
    """A comment or an issue. url: for people, where the host tells it"""

    id: str
    body: str
    url: str | None = None


class Posts(Protocol):
    """A place for posts. Gives only those that the owner of the token wrote: anybody can copy the text of a post."""

    async def ours(self) -> list[Post]:
        """Every open one of ours, oldest first."""
        ...

    async def create(self, body: str) -> Post:
        """Add one. Raises OutcomeUnknown if it may have been added."""
        ...

    async def update(self, post: Post, body: str, *, closed: bool = False) -> Post:
        """Replace the text of one. closed: whether to close it too, where it can be closed"""
        ...


@dataclass(frozen=True)
class Surroundings:
    """What the environment of a CI job tells. commit: the one that the job is about, never a merge made for the job."""

    api_url: str | None = None
    repository: str | None = None
    number: int | None = None
    commit: str | None = None


@dataclass(frozen=True)
class Review:
    """A pull or merge request. commit: the last one that was reviewed"""

    number: int
    commit: str


class CodeHost(Protocol):
    """The API of one repository on a host.

    tokens: the environment variables that may hold a token · longest: characters of a post
    """

    name: ClassVar[str]
    tokens: ClassVar[tuple[str, ...]]
    longest: ClassVar[int]
    default_url: ClassVar[str]

    @staticmethod
    def is_here(environ: Mapping[str, str]) -> bool:
        """Whether this process is a CI job of the host."""
        ...

    @staticmethod
    def surroundings(environ: Mapping[str, str]) -> Surroundings:
        """What the environment tells. Raises UsageError for a file of the job that cannot be read."""
        ...

    def comments(self, number: int) -> Posts:
        """The comments of a pull or merge request."""
        ...

    def issues(self, title: str) -> Posts:
        """The open issues of the repository. title: of those that are created"""
        ...

    async def review_of(self, commit: str) -> Review:
        """The pull or merge request that a commit came from. Raises NotFound."""
        ...

    async def artifact(self, review: Review, name: str) -> bytes:
        """The file `name` that a job of the host kept for the commit of a review. Raises NotFound."""
        ...
