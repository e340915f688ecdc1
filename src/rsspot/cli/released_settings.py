"""Settings in the shapes that rsspot 0.3 printed (`--format released`): those of `profiles` and `config info`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

    from rsspot.cli.session import CliSession
    from rsspot.compatibility.config import SDKConfig
    from rsspot.compatibility.config_files import ResolvedConfig
    from rsspot.state.store import StateStore

TOKENS = ("refresh_token", "access_token")
REDACTED = "<redacted>"
"""Stands for every token in `config info`, whether there is one or not."""


def profile_list(here: CliSession) -> dict[str, Any]:
    """What `profiles list` printed."""
    config = _config(here).data
    return {"active_profile": config.active_profile, "profiles": sorted(config.profiles)}


def profile_shown(here: CliSession) -> dict[str, Any]:
    """What `profiles show` printed: the settings of the profile in use, with asterisks for secrets."""
    from rsspot.compatibility.config import ProfileConfig

    return _profile(ProfileConfig.of(here.resolve_again().options))


def whole_config(here: CliSession) -> dict[str, Any]:
    """What `profiles use` and `profiles delete` printed: the config as it is now, with asterisks for secrets."""
    return _whole(here, _config(here).data)


def config_info(here: CliSession) -> dict[str, Any]:
    """What `config info` printed: the config, and where it and the history are."""
    from rsspot.state.history import MAX_COMMANDS

    found = _config(here)
    shown = _whole(here, found.data)
    for profile in shown["profiles"].values():
        profile.update(dict.fromkeys(TOKENS, REDACTED))
    with here.state() as state:
        history = {"history_count": state.history.count(), "history_max_entries": MAX_COMMANDS}
    return {**shown, "_source": found.source, "_path": str(found.path) if found.path else None, "_state": history}


def _config(here: CliSession) -> ResolvedConfig:
    """The config in use. Unlike `load_config`, this copies no file of the official CLI: it only looks."""
    from rsspot.compatibility.config import SDKConfig
    from rsspot.compatibility.config_files import ResolvedConfig, load_config
    from rsspot.config.files import config_file, legacy_file, read

    legacy = None if config_file(os.environ, here.config_file) else legacy_file(os.environ)
    if legacy is not None:
        return ResolvedConfig(source="legacy", path=legacy, data=SDKConfig.of(read(legacy)))
    return load_config(config_path=here.config_file)


def _whole(here: CliSession, config: SDKConfig) -> dict[str, Any]:
    shown = _fields(config)
    shown["profiles"] = {name: _profile(profile) for name, profile in config.profiles.items()}
    with here.state() as state:
        shown["preferences"] |= _preferences(state, list(config.profiles))
    return shown


def _preferences(state: StateStore, profiles: list[str]) -> dict[str, Any]:
    """The defaults in state.db, which rsspot 0.3 kept in the config file."""
    of = {name: state.preferences.of(name) for name in profiles}
    return {
        "default_profile": state.preferences.of(None).get("profile"),
        "profile_orgs": {name: each["organization"] for name, each in of.items() if "organization" in each},
        "profile_regions": {name: each["region"] for name, each in of.items() if "region" in each},
    }


def _profile(profile: BaseModel) -> dict[str, Any]:
    from rsspot.config.loader import URLS, without_password

    shown = _fields(profile)
    return {name: without_password(value) if name in URLS else value for name, value in shown.items()}


def _fields(model: BaseModel) -> dict[str, Any]:
    """The fields that rsspot 0.3 knew, secrets masked. Others may hold secrets that the model does not know of."""
    return model.model_dump(mode="json", include=set(type(model).model_fields))
