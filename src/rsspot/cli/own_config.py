"""The config file of a real account, for the commands that change it, and the profiles in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rsspot.cli.session import CliSession, session
from rsspot.errors import UsageError


def real_session() -> CliSession:
    """The session of a real account. Raises UsageError for the sandbox, which has no account."""
    here = session()
    if here.options.sandbox:
        raise UsageError("the sandbox has no account", hint="remove --sandbox")
    return here


def is_new(file: Path | None) -> bool:
    """Whether a config file was chosen that is not there yet."""
    return file is not None and not file.exists()


def file_to_read(here: CliSession) -> Path | None:
    """The config file as it is before the command writes it; None if there is none yet."""
    from rsspot.config.files import config_file, legacy_file

    return None if is_new(here.config_file) else config_file(os.environ, here.config_file) or legacy_file(os.environ)


def edit(changes: dict[tuple[str, ...], Any]) -> Path:
    """Change the config file in use."""
    from rsspot.config.manager import edit_in_use

    return edit_in_use(os.environ, real_session().config_file, changes)


def known_profiles() -> list[str]:
    """The names of the profiles in the config file, sorted."""
    from rsspot.client.singleton import list_profiles

    return list_profiles(config_path=session().config_file)


def require_known(name: str) -> None:
    """Raise ConfigError for a profile that the config file does not have."""
    from rsspot.config.loader import require_profile

    require_profile(name, known_profiles())
