"""Provenance: who started this process and for which commit, as far as the machine and the CI system tell."""

from __future__ import annotations

import getpass
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

JOBS = (
    "CI_JOB_URL",
    "BUILD_URL",
    "CIRCLE_BUILD_URL",
    "BUILDKITE_BUILD_URL",
    "DRONE_BUILD_LINK",
    "TRAVIS_BUILD_WEB_URL",
)
"""The variables with the address of the running job. Source: the documentation of GitLab, Jenkins, CircleCI, …"""
COMMITS = (
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "GIT_COMMIT",
    "CIRCLE_SHA1",
    "BUILDKITE_COMMIT",
    "DRONE_COMMIT_SHA",
    "TRAVIS_COMMIT",
    "BUILD_SOURCEVERSION",
)
"""The variables with the commit that the job is about."""
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
PATIENCE = 2.0
"""Seconds that git may take to say where it is."""


def provenance(environ: Mapping[str, str], folder: Path | None = None) -> dict[str, str]:
    """user: `name@host` · ci: the address of the job · commit: of the job, or of the repository that holds the folder.

    What is not known is left out. Whatever an address could carry as a credential is left out as well.
    """
    known = {"user": _user(), "ci": job_of(environ), "commit": _commit(environ, folder)}
    return {name: value for name, value in known.items() if value}


def _user() -> str:
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = "unknown"
    return f"{name}@{socket.gethostname()}"


def job_of(environ: Mapping[str, str]) -> str | None:
    """The address of the CI job that this process is a part of, without credentials; None if there is none."""
    server, repository, run = (environ.get(f"GITHUB_{name}") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    if server and repository and run:
        return _without_credentials(f"{server}/{repository}/actions/runs/{run}")
    found = next((environ[name] for name in JOBS if environ.get(name)), None)
    return _without_credentials(found) if found else None


def _without_credentials(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _commit(environ: Mapping[str, str], folder: Path | None) -> str | None:
    found = next((environ[name] for name in COMMITS if environ.get(name)), None) or _head(folder)
    return found if found and _COMMIT.fullmatch(found) else None


def _head(folder: Path | None) -> str | None:
    command = ["git", "-c", "core.fsmonitor=false", "rev-parse", "HEAD"]
    try:
        ended = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True, timeout=PATIENCE)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return ended.stdout.strip() if ended.returncode == 0 else None
