"""The account commands: login, logout and whoami. Never prints a credential."""

from __future__ import annotations

import sys
from typing import Any

import typer

from rsspot.cli.own_config import real_session
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import UsageError
from rsspot.utils.clock import stamp


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
    from rsspot.workflows.verification import other_organization

    here = session()

    async def work() -> dict[str, Any]:
        persona = await here.client.whoami()
        if differs := await other_organization(here.client):
            print(f"warning: {'; '.join(differs)}", file=sys.stderr)
        return {
            "email": persona.email,
            "organization": await here.client.organization.name(),
            "namespace": persona.namespace,
            "group": persona.group,
            "profile": here.client.config.profile,
            "until": stamp(persona.until) if persona.until else None,
        }

    here.emit(here.run(work()))


COMMANDS: dict[str, Any] = {
    "login": login,
    "logout": logout,
    "whoami": whoami,
}
