"""Which host a name stands for, and which host this process runs on.

A new host is one module with a class that fulfils `CodeHost`, and one line here.
"""

from __future__ import annotations

from collections.abc import Mapping

from rsspot.review.github import GithubHost
from rsspot.review.gitlab import GitlabHost

Host = type[GithubHost] | type[GitlabHost]
HOSTS: dict[str, Host] = {host.name: host for host in (GithubHost, GitlabHost)}


def host_here(environ: Mapping[str, str]) -> str | None:
    """The name of the host whose CI job this is; None outside of one."""
    return next((name for name, host in HOSTS.items() if host.is_here(environ)), None)
