"""RSSPOT_* and its aliases, read once and by one rule. Decides nothing: `config` weighs them against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ALIASES: dict[str, tuple[str, ...]] = {
    "profile": ("RSSPOT_PROFILE",),
    "organization": ("RSSPOT_ORG", "SPOT_ORG"),
    "region": ("RSSPOT_REGION", "SPOT_REGION"),
    "refresh_token": ("RSSPOT_REFRESH_TOKEN", "SPOT_REFRESH_TOKEN", "RACKSPACE_SPOT_TOKEN"),
    "base_url": ("RSSPOT_BASE_URL", "SPOT_BASE_URL"),
    "oauth_url": ("RSSPOT_OAUTH_URL", "SPOT_AUTH_URL"),
    "client_id": ("RSSPOT_CLIENT_ID", "RXTSPOT_CLIENT_ID"),
    "state_path": ("RSSPOT_STATE_PATH",),
}
"""Setting -> environment variables, the first one set wins."""

CONFIG_PATHS = ("RSSPOT_CONFIG", "RSSPOT_CONFIG_FILE", "SPOT_CONFIG_FILE")


@dataclass(frozen=True)
class Setting:
    """A value and the variable it came from."""

    value: str = field(repr=False)
    source: str


def from_environment(environ: Mapping[str, str]) -> dict[str, Setting]:
    """The settings that the environment gives. An empty variable counts as unset."""
    found = {}
    for name, variables in ALIASES.items():
        for variable in variables:
            if value := environ.get(variable, "").strip():
                found[name] = Setting(value, variable)
                break
    return found


def home(environ: Mapping[str, str]) -> Path:
    """Where rsspot keeps its files: `$XDG_CONFIG_HOME/rsspot` or `~/.config/rsspot`."""
    base = environ.get("XDG_CONFIG_HOME")
    return Path(base) / "rsspot" if base else Path(environ.get("HOME", str(Path.home()))) / ".config" / "rsspot"
