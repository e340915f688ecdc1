"""Environment variables and the settings they provide. Does not decide precedence: `config` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rsspot.errors import ConfigError
from rsspot.utils.late_names import late_names

ALIASES: dict[str, tuple[str, ...]] = {
    "profile": ("RSSPOT_PROFILE", "SPOT_PROFILE", "RACKSPACE_SPOT_PROFILE"),
    "organization": ("RSSPOT_ORG", "RSSPOT_ORGANIZATION", "SPOT_ORG", "RACKSPACE_SPOT_ORG", "RACKSPACE_ORG"),
    "organization_id": ("RSSPOT_ORG_ID", "RSSPOT_ORGID", "SPOT_ORG_ID", "RACKSPACE_ORG_ID"),
    "region": ("RSSPOT_REGION", "SPOT_REGION", "RACKSPACE_SPOT_REGION", "RACKSPACE_REGION"),
    "refresh_token": (
        "RSSPOT_REFRESH_TOKEN",
        "SPOT_REFRESH_TOKEN",
        "RACKSPACE_SPOT_TOKEN",
        "RACKSPACE_REFRESH_TOKEN",
        "RXTSPOT_TOKEN",
    ),
    "refresh_token_file": ("RSSPOT_REFRESH_TOKEN_FILE", "RXTSPOT_TOKEN_FILE"),
    "access_token": ("RSSPOT_ACCESS_TOKEN", "SPOT_ACCESS_TOKEN", "RACKSPACE_ACCESS_TOKEN"),
    "client_id": ("RSSPOT_CLIENT_ID", "SPOT_CLIENT_ID", "RACKSPACE_CLIENT_ID", "RXTSPOT_CLIENT_ID"),
    "base_url": ("RSSPOT_BASE_URL", "SPOT_BASE_URL", "RACKSPACE_SPOT_BASE_URL", "RACKSPACE_BASE_URL"),
    "oauth_url": ("RSSPOT_OAUTH_URL", "SPOT_AUTH_URL", "RACKSPACE_SPOT_AUTH_URL", "RACKSPACE_OAUTH_URL"),
    "feeds_url": ("RSSPOT_FEEDS_URL",),
    "proxy": ("RSSPOT_PROXY", "HTTPS_PROXY", "https_proxy"),
    "no_proxy": ("RSSPOT_NO_PROXY", "NO_PROXY", "no_proxy"),
    "verify_ssl": ("RSSPOT_VERIFY_SSL", "SPOT_VERIFY_SSL"),
    "timeout": ("RSSPOT_TIMEOUT", "RSSPOT_REQUEST_TIMEOUT_SECONDS", "SPOT_REQUEST_TIMEOUT"),
    "rate_limit": ("RSSPOT_RATE_LIMIT",),
    "most_response_bytes": ("RSSPOT_MOST_RESPONSE_BYTES",),
    "keyring": ("RSSPOT_KEYRING",),
    "history": ("RSSPOT_HISTORY",),
    "retry.max_retries": ("RSSPOT_MAX_RETRIES", "SPOT_MAX_RETRIES"),
    "retry.base_delay": ("RSSPOT_RETRY_BASE_DELAY", "RSSPOT_RETRY_BACKOFF_FACTOR", "SPOT_RETRY_BACKOFF_FACTOR"),
    "retry.max_delay": ("RSSPOT_RETRY_MAX_DELAY", "SPOT_RETRY_WAIT_MAX"),
    "retry.deadline": ("RSSPOT_RETRY_DEADLINE",),
    "cache.enabled": ("RSSPOT_CACHE",),
    "cache.default_ttl": ("RSSPOT_CACHE_TTL",),
    "state_path": ("RSSPOT_STATE_PATH",),
    "ledger": ("RSSPOT_LEDGER_URL",),
}
"""Setting -> its environment variables. The first one that is set wins. A dot separates section and setting."""

OWN = "RSSPOT_"
"""The prefix of our own variables. The others belong to programs that may use another account."""

CONFIG_PATHS = ("RSSPOT_CONFIG", "RSSPOT_CONFIG_FILE", "SPOT_CONFIG_FILE")


@dataclass(frozen=True)
class Setting:
    """A value and where it came from."""

    value: Any = field(repr=False)
    source: str


def from_environment(
    environ: Mapping[str, str], wanted: Callable[[str], bool] = lambda variable: True
) -> dict[str, Setting]:
    """The settings from the wanted environment variables, as text. An empty variable counts as unset."""
    settings = {}
    for name, variables in ALIASES.items():
        for variable in variables:
            if wanted(variable) and (value := environ.get(variable, "").strip()):
                settings[name] = Setting(value, variable)
                break
    return settings


def home(environ: Mapping[str, str]) -> Path:
    """Where rsspot keeps its files: `$XDG_CONFIG_HOME/rsspot` or `~/.config/rsspot`."""
    base = environ.get("XDG_CONFIG_HOME")
    return Path(base) / "rsspot" if base else user_home(environ) / ".config" / "rsspot"


def user_home(environ: Mapping[str, str]) -> Path:
    """The user's home directory. Raises ConfigError if there is none, as for a numeric user of a container."""
    folder = environ.get("HOME")
    try:
        return Path(folder) if folder else Path.home()
    except RuntimeError:
        message = "there is no home directory: HOME is not set, and the system does not know this user"
        hint = "set HOME, or RSSPOT_CONFIG and RSSPOT_STATE_PATH; with --sandbox, set RSSPOT_SANDBOX"
        raise ConfigError(message, hint=hint) from None


def has_home(environ: Mapping[str, str]) -> bool:
    """Whether the user has a home directory. Without one there are no files at default paths."""
    try:
        user_home(environ)
    except ConfigError:
        return False
    return True


def expanded(path: str | Path) -> Path:
    """A path with a leading `~` replaced. Raises ConfigError if there is no such home directory."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise ConfigError(f"{path}: there is no such home directory", hint="set HOME, or write the full path") from None


if not TYPE_CHECKING:
    # Models of rsspot 0.3, from a room above this one.
    __getattr__ = late_names(
        __name__,
        {
            "RuntimeSettings": "rsspot.compatibility.settings:RuntimeSettings",
        },
    )
