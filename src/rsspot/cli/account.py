"""The account commands: login, logout, whoami, configure and profiles. Never prints a credential."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.inputs import PUBLIC_ARGUMENTS
from rsspot.cli.session import CliSession, session
from rsspot.cli.tokens import checked_token, token_from
from rsspot.cli_history import shown
from rsspot.errors import ConfigError, UsageError
from rsspot.utils.clock import stamp

KEYRING = typer.Option(False, "--keyring", help="Store it in the system keyring, not in the config file.")
PROFILE = shown(typer.Argument(help="Name of the profile."))

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

profiles = App(help="List, show, select and delete profiles.")


def login(
    store: str | None = shown(
        typer.Option(None, "--store", help="Where to store it: file or keyring. Default: where the profile does.")
    ),
    keyring: bool = typer.Option(False, "--keyring", help="The same as --store keyring."),
) -> None:
    """Log in with a browser and store the refresh token for the profile in use."""
    from rsspot.cli.login import invite
    from rsspot.workflows.login import log_in

    here = real_session()
    done = here.run(
        log_in(
            here.resolved,
            invite,
            store=_store(store, keyring),
            token_folder=here.token_folder,
            config_file=here.config_file,
            hooks=here.hooks,
        )
    )
    here.emit({"profile": done.profile, "email": done.email, "until": stamp(done.until) if done.until else None})


def _store(name: str | None, keyring: bool) -> str | None:
    """The name of the store that the options choose; None for that of the profile."""
    from rsspot.auth.stores import STORES

    if name is not None and name not in STORES:
        raise UsageError(f"--store takes {', '.join(STORES)}, not {name!r}")
    if keyring and name not in (None, "keyring"):
        raise UsageError(f"cannot combine --keyring with --store {name}")
    return "keyring" if keyring else name


def logout() -> None:
    """Remove the tokens of the profile in use, wherever they are stored, and those cached for it."""
    from rsspot.config.loader import CREDENTIALS
    from rsspot.workflows.login import log_out

    here = real_session()
    log_out(here.resolved, token_folder=here.token_folder, config_file=here.config_file)
    left = here.resolve_again().settings
    remaining = next((left[name] for name in CREDENTIALS if name in left), None)
    here.emit({"profile": here.resolved.profile, "still given by": remaining.source if remaining else None})


def whoami() -> None:
    """Show the current user, the organization and when the token expires."""
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
    refresh_token: str | None = typer.Option(None, "--refresh-token", help="Refresh token. Arguments are public."),
    token_from_stdin: bool = typer.Option(False, "--token-stdin", help="Read the refresh token from standard input."),
    keyring: bool = KEYRING,
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
    from rsspot.state.preferences import forget_profile
    from rsspot.workflows.login import forget_moved, stored_in, stored_token

    here = real_session()
    profile = here.resolve_profile()
    values = {
        "organization": here.options.organization,
        "organizationId": organization_id,
        "region": here.options.region,
        "accessToken": checked_token(access_token, "--access-token"),
        "baseUrl": base_url,
        "oauthUrl": oauth_url,
        "clientId": client_id,
    }
    changes: dict[tuple[str, ...], Any] = {
        ("profiles", profile, name): value for name, value in values.items() if value is not None
    }
    if refresh_token or access_token:
        print(f"note: {PUBLIC_ARGUMENTS}; --token-stdin keeps a token private", file=sys.stderr)
    token = checked_token(refresh_token, "--refresh-token") or token_from(token_from_stdin)
    if keyring and token is None:
        raise UsageError("no token to store in the keyring", hint="type it at the prompt, or pipe it to --token-stdin")
    file = here.config_file
    new = file is not None and not file.exists()
    if not changes and token is None and (new or profile not in _known()):
        raise UsageError("nothing to write", hint="pass --org, --region, --base-url or a token")
    if verify:
        _verify(here, profile, values | {"refreshToken": token})
    if activate:
        changes[("activeProfile",)] = profile
    here.options.profile = profile
    if here.options.organization and not organization_id:
        # A stored id would take precedence over the new name.
        changes[("profiles", profile, "organizationId")] = None
    before = stored_in(profile, _file_to_read(here))
    if token:
        # An access token that is given with it stays.
        changes = stored_token(profile, token, keyring=keyring) | changes
    path = _edit(changes)
    forget_moved(profile, before, stored_in(profile, path))
    if activate:
        forget_profile(here.state_path, profile)
    here.emit(
        {
            "profile": profile,
            "file": str(path),
            "written": sorted(keys[-1] for keys, value in changes.items() if value is not None),
        }
    )


def _file_to_read(here: CliSession) -> Path | None:
    """The config file as it is before the command writes it; None if there is none yet."""
    from rsspot.config.files import config_file, legacy_file

    new = here.config_file is not None and not here.config_file.exists()
    return None if new else config_file(os.environ, here.config_file) or legacy_file(os.environ)


def _verify(here: CliSession, profile: str, values: dict[str, str | None]) -> None:
    """Check the given values by requests. Without any credential yet, nothing can be checked."""
    from rsspot.config.files import read
    from rsspot.config.models import ConfigFile
    from rsspot.workflows.verification import settings_with, verify

    path = _file_to_read(here)
    given = {NAMES[name]: value for name, value in values.items()}
    resolved = settings_with(read(path) if path else ConfigFile(), profile, **given)
    if not any(resolved.get(name) for name in ("refresh_token", "access_token", "keyring")):
        print("note: not verified, since there is no token yet", file=sys.stderr)
        return
    organizations = [value for name in ("organizationId", "organization") if (value := values[name])]
    folder = here.token_folder
    here.run(verify(resolved, organizations=organizations, region=values["region"], token_folder=folder))


def real_session() -> CliSession:
    """The session of a real account. Raises UsageError for the sandbox, which has no account."""
    here = session()
    if here.options.sandbox:
        raise UsageError("the sandbox has no account", hint="remove --sandbox")
    return here


def _edit(changes: dict[tuple[str, ...], Any]) -> Path:
    """Change the config file in use."""
    from rsspot.config.manager import edit_in_use

    return edit_in_use(os.environ, real_session().config_file, changes)


@profiles.command("list")
def list_() -> None:
    """List the profiles and mark the one in use."""
    here = session()
    in_use = _in_use(here)
    here.emit([{"name": name, "inUse": name == in_use} for name in _known()])


@profiles.command()
def show(name: str | None = shown(typer.Argument(None, help="Default: the profile in use."))) -> None:
    """Show the resolved settings of a profile; secrets are masked."""
    here = session()
    if name is not None:
        require_profile(name)
        here.options.profile = name
    here.emit({key: value for key, (value, _) in here.resolve_again().explain().items() if value is not None})


@profiles.command()
def use(name: str = PROFILE) -> None:
    """Make a profile the default. Writes it to the config file and removes any default set in state.db."""
    from rsspot.state.preferences import forget_profile

    here = real_session()
    require_profile(name)
    path = _edit({("activeProfile",): name})
    forget_profile(here.state_path, name)
    here.emit({"activeProfile": name, "file": str(path)})


@profiles.command()
def delete(name: str = PROFILE) -> None:
    """Delete a profile from the config file, unless it is in use."""
    here = session()
    require_profile(name)
    if name in (_in_use(here), _active(here)):
        raise UsageError(f"profile {name!r} is in use", hint="switch first with `rsspot profiles use NAME`")
    here.emit({"deleted": name, "file": str(_delete(here, name))})


def _delete(here: CliSession, name: str) -> Path:
    """Delete a profile from the config file, and its refresh token from the store that it names."""
    from rsspot.workflows.login import forget_moved, stored_in

    before = stored_in(name, _file_to_read(here))
    path = _edit({("profiles", name): None})
    forget_moved(name, before, stored_in(name, path))
    return path


def _in_use(here: CliSession) -> str | None:
    """The profile in use; None if the selected profile does not exist."""
    try:
        return here.resolve_profile()
    except ConfigError:
        return None


def _active(here: CliSession) -> str | None:
    """The active profile of the config file, regardless of the environment."""
    from rsspot.config.files import config_file, read

    path = config_file(os.environ, here.config_file)
    return read(path).active_profile if path else None


def _known() -> list[str]:
    from rsspot.client.singleton import list_profiles

    return list_profiles(config_path=session().config_file)


def require_profile(name: str) -> None:
    """Raise UsageError for a profile that the config file does not have."""
    from rsspot.utils.text import did_you_mean

    known = _known()
    if name not in known:
        names = ", ".join(known) or "none"
        raise UsageError(f"no profile {name!r}", hint=did_you_mean(name, known) or f"available profiles: {names}")


COMMANDS: dict[str, Any] = {
    "login": login,
    "logout": logout,
    "whoami": whoami,
    "configure": configure,
    "profiles": profiles,
}
