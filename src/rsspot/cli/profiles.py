"""`profiles`: lists, shows, selects and deletes the profiles of the config file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.own_config import edit, file_to_read, known_profiles, real_session, require_known
from rsspot.cli.released_settings import profile_list, profile_shown, whole_config
from rsspot.cli.session import CliSession, session
from rsspot.cli_history import shown
from rsspot.errors import ConfigError, UsageError

PROFILE = shown(typer.Argument(help="Name of the profile."))

profiles = App(help="List, show, select and delete profiles.")


@profiles.command("list")
def list_() -> None:
    """List the profiles and mark the one in use."""
    here = session()
    in_use = _in_use(here)
    here.emit([{"name": name, "inUse": name == in_use} for name in known_profiles()], profile_list)


@profiles.command()
def show(name: str | None = shown(typer.Argument(None, help="Default: the profile in use."))) -> None:
    """Show the resolved settings of a profile; secrets are masked."""
    here = session()
    if name is not None:
        require_known(name)
        here.options.profile = name
    settings = here.resolve_again().explain()
    here.emit_settings({name: value for name, (value, _) in settings.items() if value is not None}, profile_shown)


@profiles.command()
def use(name: str = PROFILE) -> None:
    """Make a profile the default. Writes it to the config file and removes any default set in state.db."""
    from rsspot.state.preferences import forget_profile

    here = real_session()
    require_known(name)
    path = edit({("activeProfile",): name})
    forget_profile(here.state_path, name)
    here.emit({"activeProfile": name, "file": str(path)}, whole_config)


@profiles.command()
def delete(name: str = PROFILE) -> None:
    """Delete a profile from the config file, unless it is in use."""
    here = session()
    require_known(name)
    if name in (_in_use(here), _active(here)):
        raise UsageError(f"profile {name!r} is in use", hint="switch first with `rsspot profiles use NAME`")
    here.emit({"deleted": name, "file": str(_delete(here, name))}, whole_config)


def _delete(here: CliSession, name: str) -> Path:
    """Delete a profile from the config file, and its refresh token from the store that it names."""
    from rsspot.workflows.login import forget_moved, stored_in

    before = stored_in(name, file_to_read(here))
    path = edit({("profiles", name): None})
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


COMMANDS: dict[str, Any] = {"profiles": profiles}
