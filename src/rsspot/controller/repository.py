"""Manifests from git: a branch, tag or commit, fetched by the git command into a folder, without its history.

Git's own settings say how to log in: a credential helper, GIT_ASKPASS or an SSH key. A URL with a password is refused,
since the arguments of a process can be read by others.
"""

from __future__ import annotations

import asyncio
import os
import re
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from rsspot.errors import RsspotError, UsageError
from rsspot.utils.text import printable

PATIENCE = 120.0
"""Seconds that one git command may take."""
LONGEST_COMPLAINT = 300
"""Characters of git's own message that are told."""
HEAD = "HEAD"
_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./+-]*")
# No hooks, no questions, and no protocol that runs a program which the URL names.
_SETTINGS = ("-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=false", "-c", "advice.detachedHead=false")
_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:ssh:file:git", "LC_ALL": "C"}


class RepositoryError(RsspotError):
    """The git command failed, or there is none."""


@dataclass(frozen=True)
class GitAddress:
    """A repository and what to check out of it: a branch, a tag or a commit."""

    url: str
    ref: str = HEAD

    @classmethod
    def parse(cls, text: str) -> GitAddress:
        """`URL@REF`, or a URL alone for the repository's default branch. Raises UsageError."""
        url, ref = _divided(text)
        parts = urlsplit(url) if "://" in url else None
        if parts is not None and parts.password is not None:
            raise UsageError("--git: the URL holds a password", hint="use a credential helper, GIT_ASKPASS or ssh")
        if not url or url.startswith("-"):
            raise UsageError("--git: there is no URL", hint="write URL@REF, such as https://example.com/infra.git@main")
        if not _REF.fullmatch(ref) or ".." in ref:
            raise UsageError(f"--git: {ref!r} is no branch, tag or commit", hint="write URL@REF")
        return cls(url, ref)


def _divided(text: str) -> tuple[str, str]:
    """A URL and the ref behind it. An @ before the path, as in `git@host:infra`, belongs to the URL."""
    if Path(text).exists():
        return text, HEAD
    start = text.find("/", text.index("://") + 3) if "://" in text else text.find(":")
    host, path = text[: max(start, 0)], text[max(start, 0) :]
    before, separator, ref = path.rpartition("@")
    return (host + before, ref) if separator else (text, HEAD)


class Repository:
    """A checkout that follows a repository. folder: an empty one, which whoever made it removes"""

    def __init__(self, address: GitAddress, folder: Path) -> None:
        self.address, self.folder = address, folder
        self.revision = ""
        """The commit that is checked out; empty before the first one."""

    async def update(self) -> str:
        """Check out the newest commit. Returns why there is none newer to be had, or nothing if it is the newest.

        Raises RepositoryError as long as there is no commit at all. A later failure leaves the last commit, as git
        hosts have outages too, and what is declared there goes on being watched.
        """
        try:
            await self._fetch()
        except RepositoryError as error:
            if not self.revision:
                raise
            return error.message
        return ""

    async def _fetch(self) -> None:
        if not (self.folder / ".git").exists():
            await self._git("init", "--quiet", "--initial-branch", "watched")
        await self._git("fetch", "--quiet", "--depth", "1", "--no-tags", "--", self.address.url, self.address.ref)
        await self._git("checkout", "--quiet", "--force", "--detach", "FETCH_HEAD")
        await self._git("clean", "--quiet", "-xdff")
        self.revision = (await self._git("rev-parse", "HEAD")).strip()

    async def _git(self, *arguments: str) -> str:
        """The output of a git command. Raises RepositoryError."""
        what = f"git {arguments[0]} of {printable(self.address.url)}"
        try:
            process = await asyncio.create_subprocess_exec(
                "git",
                *_SETTINGS,
                *arguments,
                cwd=self.folder,
                env={**os.environ, **_ENVIRONMENT},
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
            )
        except OSError as error:
            raise RepositoryError(f"cannot run git: {error.strerror}", hint="install git") from None
        try:
            out, complaint = await asyncio.wait_for(process.communicate(), PATIENCE)
        except TimeoutError:
            raise RepositoryError(f"{what} took longer than {PATIENCE:g} s") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            lines = complaint.decode(errors="replace").strip().splitlines()
            told = printable(lines[-1])[:LONGEST_COMPLAINT] if lines else f"exit code {process.returncode}"
            raise RepositoryError(f"{what} failed: {told}", hint="check the URL, the ref, and git's login")
        return out.decode(errors="replace")
