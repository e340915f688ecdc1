"""What is set and why: config explain, path, migrate, and the defaults that state.db remembers."""

from __future__ import annotations

import os
from typing import Any

import typer

from rsspot.cli.app import SETTINGS
from rsspot.cli.session import session
from rsspot.errors import UsageError

app = typer.Typer(help="What is set, and where it was set.", **SETTINGS)
NAMES = {"profile": "profile", "org": "organization", "region": "region"}
WHICH = typer.Argument(help="profile, org or region.")


@app.command()
def explain() -> None:
    """Show every setting with its value and where that came from; secrets are masked."""
    here = session()
    found = here.resolved.explain()
    here.emit([{"setting": name, "value": value, "source": source} for name, (value, source) in found.items()])


@app.command()
def path() -> None:
    """Show which files are read and written."""
    from rsspot.config.files import config_file, legacy_file

    here = session()
    file = config_file(os.environ, here.config_file) or legacy_file(os.environ)
    here.emit({"config": str(file) if file else None, "state": str(here.state_path)})


@app.command()
def migrate() -> None:
    """Copy the official CLI's settings into a config file of rsspot's own. Overwrites nothing."""
    from rsspot.config.manager import migrate as copy

    made = copy(os.environ)
    session().emit({"written": str(made) if made else None, "reason": None if made else "there is nothing to copy"})


@app.command("set-default")
def set_default(which: str = WHICH, value: str = typer.Argument(help="What to use from now on.")) -> None:
    """Remember a default in state.db: the profile to use, or the profile's organization or region."""
    _remember(which, value)


@app.command("unset-default")
def unset_default(which: str = WHICH) -> None:
    """Forget a remembered default."""
    _remember(which, None)


def _remember(which: str, value: str | None) -> None:
    from rsspot.state.preferences import open_preferences

    here = session()
    if which not in NAMES:
        raise UsageError(f"no default {which!r}", hint="profile, org or region")
    if which == "profile" and value is not None:
        from rsspot.cli.account import _require

        _require(value)
    of = None if which == "profile" else here.resolved.profile
    open_preferences(here.state_path).remember(NAMES[which], value, of)
    here.emit({"default": which, "value": value, "of profile": of, "state": str(here.state_path)})


COMMANDS: dict[str, Any] = {"config": app}
