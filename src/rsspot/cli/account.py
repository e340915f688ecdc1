"""Who is asking: login, logout, whoami, configure, and the profiles of the config file. Prints no credential."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from rsspot.cli.app import SETTINGS
from rsspot.cli.session import CliSession, session
from rsspot.errors import Cancelled, ConfigError, UsageError
from rsspot.utils.clock import stamp

if TYPE_CHECKING:
    from rsspot.config.loader import Resolved

KEYRING = typer.Option(False, "--keyring", help="Keep it in the operating system's keyring, not in the config file.")

profiles = typer.Typer(help="The profiles of the config file.", **SETTINGS)


def login(keyring: bool = KEYRING) -> None:
    """Log in on another screen, and keep the refresh token for the profile in use."""
    from rsspot.auth.device import log_in
    from rsspot.auth.grants import Issuer
    from rsspot.auth.keyring import recall
    from rsspot.cli.login import invite
    from rsspot.client.factory import transport_options_of
    from rsspot.http.transport import SpotTransport
    from rsspot.utils.clock import SystemClock

    here = _real()
    resolved = here.resolved
    if keyring:
        # Before a person has approved what could not be kept.
        recall(resolved.profile)
    options, clock = resolved.options, SystemClock()
    # Any way to send will do that signs nothing.
    way = SpotTransport(options.oauth_url, None, clock, options=transport_options_of(options))

    async def work() -> Any:
        try:
            issuer = Issuer(options.oauth_url, options.client_id)
            return await log_in(issuer, way.transport.handle_async_request, clock, invite, resolved.get("organization"))
        finally:
            await way.aclose()

    grant = here.run(work())
    if grant.refresh_token is None:
        raise ConfigError("the login service gave no refresh token", hint="make one in the console under API Access")
    _forget_tokens(here, resolved)
    _edit(_kept_as(resolved.profile, grant.refresh_token, keyring))
    here.emit({"profile": resolved.profile, "email": grant.token.claims.get("email"), "until": _until(grant.token)})


def logout() -> None:
    """Forget the refresh token of the profile in use, and its cached token."""
    from rsspot.auth.keyring import forget
    from rsspot.config.files import legacy_file

    here = _real()
    resolved = here.resolved
    options = resolved.options
    _forget_tokens(here, resolved)
    if options.keyring:
        forget(resolved.profile)
    if resolved.config_file is not None and resolved.config_file != legacy_file(os.environ):
        _edit({("profiles", resolved.profile, "refreshToken"): None})
    left = here.resolve_again().settings.get("refresh_token")
    here.emit({"profile": resolved.profile, "still given by": left.source if left else None})


def _forget_tokens(here: CliSession, resolved: Resolved) -> None:
    """Forget what was made from the refresh tokens of a profile: the one in effect, and those it keeps itself."""
    from rsspot.auth.cache import TokenCache
    from rsspot.auth.keyring import recall
    from rsspot.config.files import read

    options = resolved.options
    kept = read(resolved.config_file).profiles.get(resolved.profile) if resolved.config_file else None
    secrets = [each.refresh_token for each in (options, kept) if each and each.refresh_token]
    tokens = {secret.get_secret_value() for secret in secrets}
    if options.keyring:
        tokens.add(recall(resolved.profile) or "")
    for token in tokens - {""}:
        TokenCache(here.token_folder, options.oauth_url, options.client_id, token).forget()


def whoami() -> None:
    """Show who the token is of, of which organization, and until when."""
    here = session()

    async def work() -> dict[str, Any]:
        persona = await here.client.whoami()
        return {
            "email": persona.email,
            "organization": await here.client.scope.organization_name(),
            "namespace": persona.namespace,
            "group": persona.group,
            "profile": here.client.config.profile,
            "until": stamp(persona.until) if persona.until else None,
        }

    here.emit(here.run(work()))


def configure(
    base_url: str | None = typer.Option(None, "--base-url", help="Where the API is."),
    oauth_url: str | None = typer.Option(None, "--oauth-url", help="Where tokens come from."),
    client_id: str | None = typer.Option(None, "--client-id", help="Another OAuth client."),
    token_from_stdin: bool = typer.Option(False, "--token-stdin", help="Read the refresh token from standard input."),
    keyring: bool = KEYRING,
    activate: bool = typer.Option(True, "--activate/--no-activate", help="Use this profile when none is named."),
) -> None:
    """Write a profile: only what is given here changes. --profile, --org and --region say which and what.

    The refresh token is asked for, or read from standard input; it is never an argument, since those are public.
    """
    from rsspot.state.preferences import forget_profile

    here = _real()
    profile = here.resolve_profile()
    given = {
        "organization": here.options.organization,
        "region": here.options.region,
        "baseUrl": base_url,
        "oauthUrl": oauth_url,
        "clientId": client_id,
    }
    changes: dict[tuple[str, ...], Any] = {
        ("profiles", profile, name): value for name, value in given.items() if value is not None
    }
    token = _token(token_from_stdin)
    if keyring and token is None:
        raise UsageError("there is no token to put into the keyring", hint="type it, or pipe it to --token-stdin")
    file = here.config_file
    new = file is not None and not file.exists()
    if not changes and token is None and (new or profile not in _known()):
        raise UsageError("nothing to write", hint="give --org, --region, --base-url or a token")
    if activate:
        changes[("activeProfile",)] = profile
    here.options.profile = profile
    if here.options.organization:
        # An id would win over the name in the same place.
        changes[("profiles", profile, "organizationId")] = None
    if token:
        changes |= _kept_as(profile, token, keyring)
    path = _edit(changes)
    if activate:
        forget_profile(here.state_path)
    here.emit(
        {
            "profile": profile,
            "file": str(path),
            "written": sorted(keys[-1] for keys, value in changes.items() if value is not None),
        }
    )


def _token(from_stdin: bool) -> str | None:
    """The refresh token, from a pipe or from a person who sees no echo."""
    if from_stdin:
        token = sys.stdin.readline().strip() if sys.stdin is not None else ""
        if not token:
            raise UsageError("standard input holds no token")
        if not token.isascii() or not token.isprintable() or " " in token:
            raise UsageError("what standard input holds is no token")
        return token
    if sys.stdin is None or not sys.stdin.isatty():
        return None
    import getpass

    try:
        return getpass.getpass("Refresh token (empty to leave as it is): ").strip() or None
    except (KeyboardInterrupt, EOFError):
        raise Cancelled("nothing was written") from None


def _kept_as(profile: str, token: str, keyring: bool) -> dict[tuple[str, ...], Any]:
    """What the config file says once a profile's refresh token is kept; puts it into the keyring if asked to."""
    if keyring:
        from rsspot.auth.keyring import keep

        keep(profile, token)
    return {
        ("profiles", profile, "keyring"): True if keyring else None,
        ("profiles", profile, "refreshToken"): None if keyring else token,
    }


def _real() -> CliSession:
    """The session, if it is about a real account. Raises UsageError for the sandbox, which has none to keep."""
    here = session()
    if here.options.sandbox:
        raise UsageError("the sandbox has no account", hint="leave --sandbox out")
    return here


def _edit(changes: dict[tuple[str, ...], Any]) -> Path:
    """Change the config file in use."""
    from rsspot.config.manager import edit_in_use

    return edit_in_use(os.environ, _real().config_file, changes)


def _until(token: Any) -> str | None:
    return stamp(token.expires_at) if token.expires_at else None


@profiles.command("list")
def list_() -> None:
    """List the profiles, the one in use marked."""
    here = session()
    used = _in_use(here)
    here.emit([{"name": name, "inUse": name == used} for name in _known()])


@profiles.command()
def show(name: str | None = typer.Argument(None, help="The profile in use when left out.")) -> None:
    """Show a profile as it is resolved, secrets masked."""
    here = session()
    if name is not None:
        _require(name)
        here.options.profile = name
    here.emit({key: value for key, (value, _) in here.resolve_again().explain().items() if value is not None})


@profiles.command()
def use(name: str) -> None:
    """Use a profile whenever none is named. Written into the config file; a default remembered before is forgotten."""
    from rsspot.state.preferences import forget_profile

    here = _real()
    _require(name)
    path = _edit({("activeProfile",): name})
    forget_profile(here.state_path)
    here.emit({"activeProfile": name, "file": str(path)})


@profiles.command()
def delete(name: str) -> None:
    """Remove a profile from the config file; never the one in use."""
    here = session()
    _require(name)
    if name in (_in_use(here), _active(here)):
        raise UsageError(f"{name!r} is in use", hint="`rsspot profiles use` another one first")
    here.emit({"deleted": name, "file": str(_edit({("profiles", name): None}))})


def _in_use(here: CliSession) -> str | None:
    """The profile in use; None where the one that is meant is not there."""
    try:
        return here.resolve_profile()
    except ConfigError:
        return None


def _active(here: CliSession) -> str | None:
    """The profile that the config file names, whatever the environment says."""
    from rsspot.config.files import config_file, read

    path = config_file(os.environ, here.config_file)
    return read(path).active_profile if path else None


def _known() -> list[str]:
    from rsspot.client.singleton import list_profiles

    return list_profiles(config_path=session().config_file)


def _require(name: str) -> None:
    from rsspot.utils.text import did_you_mean

    known = _known()
    if name not in known:
        there = ", ".join(known) or "none"
        raise UsageError(f"no profile {name!r}", hint=did_you_mean(name, known) or f"there are: {there}")


COMMANDS: dict[str, Any] = {
    "login": login,
    "logout": logout,
    "whoami": whoami,
    "configure": configure,
    "profiles": profiles,
}
