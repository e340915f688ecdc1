"""Resolve a profile: what was asked for over environment over preferences over files. Every value knows its source.

Reads files and writes none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rsspot.config.files import config_file, legacy_file, parse, read
from rsspot.config.models import SECRETS, ConfigFile, Profile, leaves, nested, values
from rsspot.errors import AuthError, ConfigError, StateError
from rsspot.models.findings import findings
from rsspot.settings import Setting, from_environment, home
from rsspot.utils.text import did_you_mean

NAMES = frozenset(name for name, _ in leaves(Profile))
CREDENTIALS = ("refresh_token", "refresh_token_file", "access_token")
GLOBAL = frozenset({"profile", "state_path"})
"""Settings that are not of a profile."""
ADDRESSES = frozenset({"base_url", "oauth_url", "feeds_url", "proxy"})
"""Where a password may stand before the @."""
Remembered = Callable[[str | None], Mapping[str, str]]
"""What is remembered for a profile; None: which profile. Setting -> value."""
Preferences = Callable[[Path], Remembered]
"""What a state.db remembers, by its path."""


@dataclass(frozen=True)
class Resolved:
    """The settings of one run. config_file: where they were read, if anywhere."""

    profile: str
    settings: Mapping[str, Setting] = field(repr=False)
    state_path: Path
    config_file: Path | None = None
    profile_source: str = "default"
    state_source: str = "default"

    def get(self, name: str) -> Any:
        """A setting's value by its dotted name, or None."""
        setting = self.settings.get(name)
        return setting.value if setting else None

    @cached_property
    def options(self) -> Profile:
        """The same with types and defaults. Raises ConfigError, naming where an unusable value came from."""
        try:
            return Profile.model_validate(nested({name: each.value for name, each in self.settings.items()}))
        except ValidationError as error:
            first = findings(error)[0]
            name = first.field
            source = next((each.source for key, each in self.settings.items() if f"{name}.".startswith(f"{key}.")), "?")
            raise ConfigError(f"{source}: {first}") from None

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
        return str(value)

    def explain(self) -> dict[str, tuple[Any, str]]:
        """Every setting as (value, source), defaults too, secrets masked."""
        shown: dict[str, tuple[Any, str]] = {
            "profile": (self.profile, self.profile_source),
            "config_file": (str(self.config_file) if self.config_file else None, "found" if self.config_file else "-"),
            "state_path": (str(self.state_path), self.state_source),
        }
        for name, info in leaves(Profile):
            setting = self.settings.get(name)
            value = setting.value if setting else info.get_default(call_default_factory=True)
            value = _without_password(value) if name in ADDRESSES else value
            value = "(secret)" if setting and name in SECRETS else value
            shown[name] = (value, setting.source if setting else "default")
        return shown


def resolve(
    *,
    config: ConfigFile | Mapping[str, Any] | None = None,
    config_path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    profile: str | None = None,
    preferences: Preferences = lambda path: lambda profile: {},
    overrides: Mapping[str, Setting] | None = None,
    **arguments: Any,
) -> Resolved:
    """Weigh every source. Raises ConfigError, naming file and key, or variable, for one that cannot be used.

    Settings: arguments > overrides (of the context) > environment > preferences > profile > the file's preferences.
    Files: `config` > `config_path` > RSSPOT_CONFIG and its aliases > the usual places > the official CLI's file.
    """
    environ = os.environ if environ is None else environ
    unknown = [name for name in arguments if name not in (*NAMES, *GLOBAL)]
    if unknown:
        raise TypeError(f"there is no setting {unknown[0]!r}")
    # As in the environment, an empty text says nothing.
    asked = {name: Setting(value, "argument") for name, value in arguments.items() if value not in (None, "")}
    given = _over(_over(from_environment(environ), dict(overrides or {})), asked)
    path, written = _written(config, config_path, environ)
    state, state_source = _state_path(given, written, path, environ)
    remembered = preferences(state)
    named = given.get("profile") if profile is None else Setting(profile, "argument")
    if named is None and (chosen := remembered(None).get("profile")):
        named = Setting(chosen, f"{state} (default profile)")
    if named is None and written.active_profile:
        named = Setting(written.active_profile, f"{path or 'config'} (activeProfile)")
    name = str(named.value) if named else "default"
    settings = _settings(written.preferences, f"{path or 'config'} (preferences)")
    settings = _over(settings, _profile(written, name, path, asked=named))
    # Whoever names the organization need not know what is remembered.
    remembered_here = () if "organization" in given and "region" in given else _of(remembered, name, given).items()
    settings = _over(settings, {key: Setting(value, f"{state} (default {key})") for key, value in remembered_here})
    settings = _over(settings, {key: each for key, each in given.items() if key not in GLOBAL})
    settings = _one_organization(_with_token(settings))
    return Resolved(name, settings, state, path, named.source if named else "default", state_source)


def _of(remembered: Remembered, profile: str, given: Mapping[str, Setting]) -> Mapping[str, str]:
    """What is remembered for a profile. A region alone is not worth failing for."""
    try:
        return remembered(profile)
    except StateError:
        if "organization" in given:
            return {}
        raise


def state_path_of(
    config_path: Path | None = None,
    *,
    config: ConfigFile | Mapping[str, Any] | None = None,
    state_path: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Path:
    """Where state.db is, which depends on no profile. Raises ConfigError for a file that cannot be used."""
    environ = os.environ if environ is None else environ
    asked = {"state_path": Setting(state_path, "argument")} if state_path else {}
    path, written = _written(config, config_path, environ)
    return _state_path(from_environment(environ) | asked, written, path, environ)[0]


def _written(
    config: ConfigFile | Mapping[str, Any] | None, config_path: Path | None, environ: Mapping[str, str]
) -> tuple[Path | None, ConfigFile]:
    if isinstance(config, ConfigFile):
        return None, config
    if config is not None:
        return None, parse(config, "config")
    path = config_file(environ, config_path) or legacy_file(environ)
    return path, read(path) if path else ConfigFile()


def _state_path(
    given: Mapping[str, Setting], written: ConfigFile, path: Path | None, environ: Mapping[str, str]
) -> tuple[Path, str]:
    if setting := given.get("state_path"):
        return Path(setting.value).expanduser(), setting.source
    if written.state_path:
        beside = path.parent if path else Path()
        return beside / Path(written.state_path).expanduser(), f"{path or 'config'} (statePath)"
    if path and path != legacy_file(environ):
        return path.parent / "state.db", "beside the config file"
    return home(environ) / "state.db", "default"


def _profile(written: ConfigFile, name: str, path: Path | None, asked: Setting | None) -> dict[str, Setting]:
    profile = written.profiles.get(name)
    if profile is not None:
        return _settings(profile, f"{path or 'config'} ({name})")
    if asked is not None or written.profiles:
        known = ", ".join(sorted(written.profiles)) or "none"
        hint = did_you_mean(name, written.profiles) or f"there are: {known}"
        raise ConfigError(f"no profile {name!r} in {path or 'any config file'}", hint=hint)
    return {}


def _settings(section: Profile, source: str) -> dict[str, Setting]:
    return {name: Setting(value, source) for name, value in values(section)}


def _over(lower: dict[str, Setting], higher: dict[str, Setting]) -> dict[str, Setting]:
    """Both, the higher one winning; whoever names an organization or a credential displaces every way of naming it."""
    rivals = (("organization", "organization_id"), CREDENTIALS)
    displaced = {name for group in rivals if _any(group, higher) for name in group}
    if _any(CREDENTIALS, higher):
        # A credential that is given is not to be mixed with one that a lower source keeps elsewhere.
        displaced.add("keyring")
    return {name: each for name, each in lower.items() if name not in displaced} | higher


def _any(names: Iterable[str], settings: Mapping[str, Setting]) -> bool:
    return any(name in settings for name in names)


def _one_organization(settings: dict[str, Setting]) -> dict[str, Setting]:
    """One selector: an id says more than a name from the same source."""
    by_id = settings.pop("organization_id", None)
    return settings | {"organization": by_id} if by_id else settings


def _with_token(settings: dict[str, Setting]) -> dict[str, Setting]:
    """The refresh token read from the file that is said to hold it."""
    place = settings.get("refresh_token_file")
    if place is None or "refresh_token" in settings:
        return settings
    try:
        token = Path(place.value).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the refresh token from {place.value} ({place.source}): {error}") from None
    if not token:
        raise ConfigError(f"{place.value} ({place.source}) contains no refresh token")
    return settings | {"refresh_token": Setting(token, f"{place.value} ({place.source})")}


def _without_password(value: Any) -> Any:
    """An address, with a scheme or without, is shown without what stands before its @."""
    if not isinstance(value, str) or "@" not in value:
        return value
    scheme, mark, _ = value.partition("://")
    return f"{scheme + mark if mark else ''}(secret)@{value.rpartition('@')[2]}"
