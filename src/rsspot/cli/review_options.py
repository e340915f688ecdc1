"""The options that say where a review is, and how they are completed from the environment of a CI job."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rsspot.cli_history import shown
from rsspot.errors import AuthError, UsageError
from rsspot.utils.reading import read_text, reason
from rsspot.utils.tokens import is_token, trimmed

if TYPE_CHECKING:
    from rsspot.cli.session import CliSession
    from rsspot.review.protocol import CodeHost, Surroundings
    from rsspot.review.registry import Host
    from rsspot.review.rest import ApiAccess

COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class HostFlags:
    """Where the review is. What is not given is found in the environment of the CI job."""

    on: str | None = shown(
        typer.Option(None, "--on", metavar="HOST", help="github or gitlab. Default: the one whose job this is.")
    )
    repository: str | None = shown(
        typer.Option(None, "--repository", metavar="NAME", help="OWNER/NAME on GitHub, GROUP/NAME on GitLab.")
    )
    api_url: str | None = shown(
        typer.Option(None, "--api-url", metavar="URL", help="The API of a server of your own, with its path.")
    )
    token_file: Path | None = shown(
        typer.Option(None, "--token-file", help="File with the token. Default: GITHUB_TOKEN, GH_TOKEN or GITLAB_TOKEN.")
    )


@dataclass(frozen=True)
class FoundHost:
    """A host, and all that was given or found of where the review is."""

    host: Host
    around: Surroundings
    token: str
    repository: str
    url: str

    def opened(self, cli: CliSession) -> tuple[ApiAccess, CodeHost]:
        """The way to its API, for the clock, the proxy and the hooks of this command; and the host."""
        from rsspot.client.factory import transport_options_of
        from rsspot.config.models import Profile
        from rsspot.http.transport import connections_of
        from rsspot.review.rest import ApiAccess
        from rsspot.settings import from_environment

        settings = from_environment(os.environ, lambda name: "PROXY" in name.upper())
        profile = Profile.model_validate({name: setting.value for name, setting in settings.items()})
        connections = connections_of(transport_options_of(profile))
        access = ApiAccess(self.url, self.token, connections, cli.clock, cli.hooks)
        return access, self.host(access, self.repository)


def find_host(flags: HostFlags, environ: Mapping[str, str]) -> FoundHost:
    """The host that options and environment name. Raises UsageError for what is missing, AuthError without a token."""
    from rsspot.review.registry import HOSTS, host_here
    from rsspot.utils.text import choices

    name = flags.on or host_here(environ)
    if name not in HOSTS:
        message = f"unknown host {name!r}" if name else "this is no job of a known host"
        raise UsageError(message, hint=choices("--on takes", name or "", HOSTS))
    host = HOSTS[name]
    around = host.surroundings(environ)
    repository = flags.repository or around.repository
    if not repository:
        raise UsageError("the environment names no repository", hint="give --repository")
    url = flags.api_url or around.api_url or host.default_url
    return FoundHost(host, around, _token(flags.token_file, host.tokens, environ), repository, url)


def commit_of(given: str | None, around: Surroundings) -> str | None:
    """The commit that options or the environment name. Raises UsageError for what is no commit."""
    commit = given or around.commit
    if commit is not None and not COMMIT.fullmatch(commit):
        raise UsageError(f"{commit!r} is no commit", hint="give its hash")
    return commit


def _token(file: Path | None, variables: tuple[str, ...], environ: Mapping[str, str]) -> str:
    """The token, from a file or else from the first variable that has one. Never quotes it."""
    source = str(file) if file else next((name for name in variables if environ.get(name, "").strip()), None)
    if source is None:
        hint = f"set {' or '.join(variables)}, or give --token-file"
        raise AuthError("no token for the API of the code host", hint=hint)
    try:
        token = trimmed(read_text(file) if file else environ[source])
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the token from {source}: {reason(error)}") from None
    if not is_token(token):
        raise UsageError(f"the text in {source} is not a valid token")
    return token
