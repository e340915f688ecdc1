"""The `config` commands: explain settings, show paths, migrate from the official CLI, set defaults in state.db."""

from __future__ import annotations

import os
from typing import Any

import typer

from rsspot.cli.grammar import App
from rsspot.cli.history import history
from rsspot.cli.released_settings import config_info
from rsspot.cli.session import session
from rsspot.cli_history import shown
from rsspot.errors import UsageError

app = App(help="Show settings and their sources, and set defaults.")
app.add_typer(history, name="history")
NAMES = {"profile": "profile", "org": "organization", "region": "region"}
WHICH = shown(typer.Argument(help="profile, org or region."))


@app.command()
def explain() -> None:
    """Show every setting with its value and source. Secrets are masked."""
    current = session()
    settings = current.resolved.explain()
    current.emit([{"setting": name, "value": value, "source": source} for name, (value, source) in settings.items()])


@app.command()
def path() -> None:
    """Show the paths of the config file and state.db."""
    from rsspot.config.files import config_file, legacy_file
    from rsspot.state.first_release import own_file

    current = session()
    file = config_file(os.environ, current.config_file) or legacy_file(os.environ)
    current.emit({"config": str(file) if file else None, "state": str(own_file(current.state_path))})


@app.command()
def migrate() -> None:
    """Copy the official CLI's settings to a new config file. Never overwrites one."""
    from rsspot.config.manager import migrate as copy_settings

    created = copy_settings(os.environ)
    session().emit({"written": str(created) if created else None, "reason": None if created else "nothing to migrate"})


@app.command("set-default")
def set_default(which: str = WHICH, value: str = shown(typer.Argument(help="The new default."))) -> None:
    """Set a default in state.db.

    `profile` applies to all commands; `org` and `region` apply to the profile in use.
    """
    _remember(which, value)


@app.command("unset-default")
def unset_default(which: str = WHICH) -> None:
    """Remove a default from state.db."""
    _remember(which, None)


def _remember(which: str, value: str | None) -> None:
    from rsspot.cli.own_config import real_session, require_known
    from rsspot.state.first_release import own_file
    from rsspot.state.preferences import open_preferences

    current = real_session()
    if which not in NAMES:
        raise UsageError(f"unknown default {which!r}", hint="use profile, org or region")
    if which == "profile" and value is not None:
        require_known(value)
    profile = None if which == "profile" else current.resolved.profile
    open_preferences(current.state_path).remember(NAMES[which], value, profile)
    current.emit({"default": which, "value": value, "of profile": profile, "state": str(own_file(current.state_path))})


@app.command()
def info() -> None:
    """Show the config file in use, where state.db is, and every setting. Secrets are masked."""
    from rsspot.config.files import config_file, legacy_file

    current = session()
    file = config_file(os.environ, current.config_file) or legacy_file(os.environ)
    values = {name: value for name, (value, _) in current.resolved.explain().items()}
    with current.state() as state:
        count = state.history.count()
    values |= {"config_file": str(file) if file else None, "history_entries": count}
    current.emit_settings(values, config_info)


@app.command("set-default-profile")
def set_default_profile(name: str = shown(typer.Argument(help="The new default."))) -> None:
    """Set the default profile. Short for `set-default profile`."""
    _remember("profile", name)


@app.command("set-default-org")
def set_default_org(name: str = shown(typer.Argument(help="The new default."))) -> None:
    """Set the default organization of the profile in use. Short for `set-default org`."""
    _remember("org", name)


@app.command("set-default-region")
def set_default_region(name: str = shown(typer.Argument(help="The new default."))) -> None:
    """Set the default region of the profile in use. Short for `set-default region`."""
    _remember("region", name)


COMMANDS: dict[str, Any] = {"config": app}
