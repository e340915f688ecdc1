"""Resolve a profile: arguments over environment over the config file over defaults. Every value knows its source."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rsspot.constants import BASE_URL, CLIENT_ID, OAUTH_URL
from rsspot.errors import AuthError, ConfigError
from rsspot.settings import CONFIG_PATHS, Setting, from_environment, home
from rsspot.utils import did_you_mean

FILE_NAMES = ("config.yml", "config.yaml")
DEFAULTS = {"base_url": BASE_URL, "oauth_url": OAUTH_URL, "client_id": CLIENT_ID}
PROFILE_KEYS = {
    "organization": "organization",
    "org": "organization",
    "region": "region",
    "refreshToken": "refresh_token",
    "baseUrl": "base_url",
    "oauthUrl": "oauth_url",
    "clientId": "client_id",
}
SECRETS = frozenset({"refresh_token"})


@dataclass(frozen=True)
class Resolved:
    """The settings of one run."""

    profile: str
    settings: Mapping[str, Setting] = field(repr=False)
    state_path: Path

    def get(self, name: str) -> str | None:
        """A setting's value, or None."""
        setting = self.settings.get(name)
        return setting.value if setting else None

    def require(self, name: str) -> str:
        """A setting's value. Raises ConfigError, AuthError for a credential, naming the ways to give it."""
        value = self.get(name)
        if value is None:
            variables = {"refresh_token": "RSSPOT_REFRESH_TOKEN", "organization": "RSSPOT_ORG"}
            kind = AuthError if name in SECRETS else ConfigError
            raise kind(
                f"no {name.replace('_', ' ')} for profile {self.profile!r}",
                hint=f"set {variables.get(name, name)}, or write it into a profile of the config file,"
                " or add --sandbox to try the command without an account",
            )
        return value

    def explain(self) -> dict[str, tuple[str, str]]:
        """Every setting as (value, source), secrets masked."""
        return {
            name: ("(secret)" if name in SECRETS else setting.value, setting.source)
            for name, setting in sorted(self.settings.items())
        }


def resolve(
    *,
    environ: Mapping[str, str] | None = None,
    profile: str | None = None,
    config_path: Path | None = None,
    **arguments: str | None,
) -> Resolved:
    """Weigh every source. Raises ConfigError, naming the file and key, for one that cannot be used."""
    environ = os.environ if environ is None else environ
    from_env = from_environment(environ)
    path = _config_file(environ, config_path)
    written = _read(path) if path else {}
    name = profile or _value(from_env, "profile") or str(written.get("activeProfile") or "default")
    settings = {key: Setting(value, "default") for key, value in DEFAULTS.items()}
    settings |= _legacy(environ) if path is None else {}
    settings |= _profile(written, name, path, asked=profile)
    settings |= from_env
    settings |= {key: Setting(value, "argument") for key, value in arguments.items() if value}
    state = settings.get("state_path")
    beside = path.parent if path else home(environ)
    return Resolved(name, settings, Path(state.value) if state else beside / "state.db")


def _value(settings: Mapping[str, Setting], name: str) -> str | None:
    setting = settings.get(name)
    return setting.value if setting else None


def _config_file(environ: Mapping[str, str], asked: Path | None) -> Path | None:
    named = asked or next((Path(environ[name]) for name in CONFIG_PATHS if environ.get(name)), None)
    if named is not None:
        if not named.is_file():
            raise ConfigError(f"no config file at {named}")
        return named
    return next((path for name in FILE_NAMES if (path := home(environ) / name).is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
    except yaml.YAMLError as error:
        # The parser's own message quotes the text, which may be a token.
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{where} is not valid YAML") from None
    if not isinstance(written, dict):
        raise ConfigError(f"{path} must hold a mapping with `profiles`")
    return written


def _profile(written: Mapping[str, Any], name: str, path: Path | None, asked: str | None) -> dict[str, Setting]:
    profiles = written.get("profiles") or {}
    if not isinstance(profiles, dict) or not isinstance(profiles.get(name, {}), dict):
        raise ConfigError(f"{path}: `profiles` must map names to mappings")
    if name not in profiles:
        if asked or profiles:
            raise ConfigError(f"no profile {name!r} in {path or 'any config file'}", hint=did_you_mean(name, profiles))
        return {}
    settings = {}
    for key, value in profiles[name].items():
        if key not in PROFILE_KEYS:
            raise ConfigError(f"{path}: unknown key {key!r} in profile {name!r}", hint=did_you_mean(key, PROFILE_KEYS))
        if value is not None:
            settings[PROFILE_KEYS[key]] = Setting(str(value), f"{path} ({name})")
    return settings


def _legacy(environ: Mapping[str, str]) -> dict[str, Setting]:
    """What the official CLI's `~/.spot_config` says; read, never written."""
    path = Path(environ.get("HOME", str(Path.home()))) / ".spot_config"
    if not path.is_file():
        return {}
    written = _read(path)
    return {
        PROFILE_KEYS[key]: Setting(str(value), str(path))
        for key, value in written.items()
        if key in PROFILE_KEYS and value
    }
