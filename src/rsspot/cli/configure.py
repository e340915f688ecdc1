"""`configure`: writes what it is given to a profile, after checking it. Never prints a credential."""

from __future__ import annotations

import sys
from typing import Any

import typer

from rsspot.cli.inputs import PUBLIC_ARGUMENTS
from rsspot.cli.own_config import edit, file_to_read, is_new, known_profiles, real_session
from rsspot.cli.session import CliSession
from rsspot.cli.tokens import checked_token, token_from
from rsspot.errors import UsageError

NAMES = {
    "organization": "organization",
    "organizationId": "organization_id",
    "region": "region",
    "refreshToken": "refresh_token",
    "accessToken": "access_token",
    "baseUrl": "base_url",
    "oauthUrl": "oauth_url",
    "clientId": "client_id",
}
"""The keys that `configure` writes -> settings."""
Keys = tuple[str, ...]
Values = dict[str, str | None]
"""The keys of a profile -> what is given for them."""


def configure(
    refresh_token: str | None = typer.Option(None, "--refresh-token", help="Refresh token. Arguments are public."),
    token_from_stdin: bool = typer.Option(False, "--token-stdin", help="Read the refresh token from standard input."),
    keyring: bool = typer.Option(False, "--keyring", help="Store it in the system keyring, not in the config file."),
    access_token: str | None = typer.Option(None, "--access-token", help="An id_token. Arguments are public."),
    organization_id: str | None = typer.Option(None, "--org-id", help="ID of the organization."),
    base_url: str | None = typer.Option(None, "--base-url", help="URL of the API."),
    oauth_url: str | None = typer.Option(None, "--oauth-url", help="URL of the login service."),
    client_id: str | None = typer.Option(None, "--client-id", help="OAuth client id."),
    activate: bool = typer.Option(True, "--activate/--no-activate", help="Make this the default profile."),
    verify: bool = typer.Option(True, "--verify/--no-verify", help="Check the values by requests before writing."),
) -> None:
    """Create or update a profile. Only the given values change.

    --profile selects the profile; --org and --region are stored in it. The refresh token is read from a prompt or from
    standard input, or given as an argument, which other users of the machine can see.
    """
    here = real_session()
    profile = here.resolve_profile()
    values = {
        "organization": here.options.organization,
        "organizationId": organization_id,
        "region": here.options.region,
        "refreshToken": checked_token(refresh_token, "--refresh-token"),
        "accessToken": checked_token(access_token, "--access-token"),
        "baseUrl": base_url,
        "oauthUrl": oauth_url,
        "clientId": client_id,
    }
    if refresh_token or access_token:
        print(f"note: {PUBLIC_ARGUMENTS}; --token-stdin keeps a token private", file=sys.stderr)
    values["refreshToken"] = values["refreshToken"] or token_from(token_from_stdin)
    _require_something(here, profile, values, keyring=keyring)
    if verify:
        _verify(here, profile, values)
    _store(here, profile, values, keyring=keyring, activate=activate)


def _store(here: CliSession, profile: str, values: Values, *, keyring: bool, activate: bool) -> None:
    """Write the values that are given, forget what was kept for earlier ones, and print what was written."""
    from rsspot.state.preferences import forget_profile
    from rsspot.workflows.login import forget_moved, stored_in

    before = stored_in(profile, file_to_read(here))
    changes = _changes(profile, values, keyring=keyring) | ({("activeProfile",): profile} if activate else {})
    path = edit(changes)
    forget_moved(profile, before, stored_in(profile, path))
    if activate:
        forget_profile(here.state_path, profile)
    here.options.profile = profile
    written = sorted(keys[-1] for keys, value in changes.items() if value is not None)
    here.emit({"profile": profile, "file": str(path), "written": written})


def _require_something(here: CliSession, profile: str, values: Values, *, keyring: bool) -> None:
    """Raise UsageError if there is nothing to store. A profile that exists can be made the default."""
    if keyring and values["refreshToken"] is None:
        raise UsageError("no token to store in the keyring", hint="type it at the prompt, or pipe it to --token-stdin")
    nothing = all(value is None for value in values.values())
    if nothing and (is_new(here.config_file) or profile not in known_profiles()):
        raise UsageError("nothing to write", hint="pass --org, --region, --base-url or a token")


def _verify(here: CliSession, profile: str, values: Values) -> None:
    """Check the given values by requests. Without any credential yet, nothing can be checked."""
    from rsspot.config.files import read
    from rsspot.config.models import ConfigFile
    from rsspot.workflows.verification import organization_of, settings_with, verify

    path = file_to_read(here)
    file = read(path) if path else ConfigFile()
    given = {NAMES[name]: value for name, value in values.items()}
    resolved = settings_with(file, profile, **given)
    if not any(resolved.get(name) for name in ("refresh_token", "access_token", "keyring")):
        print("note: not verified, since there is no token yet", file=sys.stderr)
        return
    stored = organization_of(file, profile) if values["refreshToken"] or values["accessToken"] else None
    organizations = [values["organizationId"], values["organization"]]
    to_check = list(filter(None, organizations if any(organizations) else [stored]))
    here.run(verify(resolved, organizations=to_check, region=values["region"], token_folder=here.token_folder))


def _changes(profile: str, values: Values, *, keyring: bool) -> dict[Keys, str | None]:
    """Put a refresh token into the keyring if asked to; gives the changes of the config file."""
    from rsspot.workflows.login import stored_token

    section = ("profiles", profile)
    token = values["refreshToken"]
    # An access token that is given with the refresh token stays.
    changes = stored_token(profile, token, keyring=keyring) if token else {}
    others = {name: value for name, value in values.items() if value is not None and name != "refreshToken"}
    changes |= {(*section, name): value for name, value in others.items()}
    if values["organization"] and not values["organizationId"]:
        # A stored id would take precedence over the new name.
        changes[*section, "organizationId"] = None
    return changes


COMMANDS: dict[str, Any] = {"configure": configure}
