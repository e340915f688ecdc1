"""Resolves the settings of a profile: arguments, then environment, then state.db, then the config file.

Records the source of every value. Reads files and writes none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rsspot.config.files import config_file, is_exposed, legacy_file, parse, read
from rsspot.config.foreign import is_masked
from rsspot.config.models import SECRETS, ConfigFile, Profile, leaves, nested, values
from rsspot.errors import AuthError, ConfigError, InvalidConfig, Problem, RsspotError, StateError
from rsspot.models.findings import findings
from rsspot.settings import OWN, Setting, expanded, from_environment, home
from rsspot.utils.database_url import shown_url
from rsspot.utils.reading import read_text, reason
from rsspot.utils.text import choices
from rsspot.utils.tokens import LONGEST_TOKEN, is_token, trimmed

NAMES = frozenset(name for name, _ in leaves(Profile))
CREDENTIALS = ("refresh_token", "refresh_token_file", "access_token", "credential_command")
GLOBAL = frozenset({"profile", "state_path", "ledger"})
"""Settings that belong to no profile."""
URLS = frozenset({"base_url", "oauth_url", "feeds_url", "proxy"})
"""Settings whose value may contain a password before the @."""
Remembered = Callable[[str | None], Mapping[str, str]]
"""Looks up the defaults stored for a profile: setting -> value. For None: the default profile, as `profile`."""
Preferences = Callable[[Path], Remembered]
"""Opens the defaults stored in the state.db at a path."""


@dataclass(frozen=True)
class Resolved:
    """The settings of one run. config_file: the file they were read from, if any."""

    profile: str
    settings: Mapping[str, Setting] = field(repr=False)
    state_path: Path
    config_file: Path | None = None
    profile_source: str = "default"
    state_source: str = "default"
    ledger: Setting | None = None
    """The URL of the ledger; None if it is in state.db."""
    masked_token: bool = False
    """Whether the profile has asterisks in the place of its refresh token."""
    exposed: bool = False
    """Whether the config file holds a token and others can read it."""

    def get(self, name: str) -> Any:
        """A setting's value by its dotted name, or None."""
        setting = self.settings.get(name)
        return setting.value if setting else None

    @cached_property
    def options(self) -> Profile:
        """The settings validated and with defaults. Raises ConfigError with the source of an invalid value."""
        try:
            return Profile.model_validate(nested({name: each.value for name, each in self.settings.items()}))
        except ValidationError as error:
            problems = [Problem(f"{self._source_of(each.field)}: {each}") for each in findings(error)]
            if len(problems) == 1:
                raise ConfigError(str(problems[0])) from None
            raise InvalidConfig(problems) from None

    def _source_of(self, name: str) -> str:
        return next((each.source for key, each in self.settings.items() if f"{name}.".startswith(f"{key}.")), "?")

    def require(self, name: str) -> str:
        """A setting's value. If it is not set, raises ConfigError (AuthError for a credential) with ways to set it."""
        value = self.get(name)
        if value is None:
            raise self._missing(name)
        return str(value)

    def _missing(self, name: str) -> RsspotError:
        """The error for a setting that is not set."""
        variables = {"refresh_token": "RSSPOT_REFRESH_TOKEN", "organization": "RSSPOT_ORG"}
        is_secret = name in SECRETS
        masked = f": {self.config_file} has only asterisks in its place" if is_secret and self.masked_token else ""
        login = "run `rsspot login`, " if is_secret else ""
        return (AuthError if is_secret else ConfigError)(
            f"no {name.replace('_', ' ')} for profile {self.profile!r}{masked}",
            hint=f"{login}set {variables.get(name, name)}, add it to a profile in the config file,"
            " or use --sandbox to try the command without an account",
        )

    def explain(self) -> dict[str, tuple[Any, str]]:
        """Every setting as (value, source), including defaults. Secrets are masked."""
        explained: dict[str, tuple[Any, str]] = {
            "profile": (self.profile, self.profile_source),
            "config_file": (str(self.config_file) if self.config_file else None, "found" if self.config_file else "-"),
            "state_path": (str(self.state_path), self.state_source),
            "ledger": (shown_url(self.ledger.value), self.ledger.source) if self.ledger else (None, "default"),
        }
        for name, info in leaves(Profile):
            setting = self.settings.get(name)
            value = setting.value if setting else info.get_default(call_default_factory=True)
            value = without_password(value) if name in URLS else value
            value = _without_arguments(value) if name == "credential_command" else value
            value = "(secret)" if setting and name in SECRETS else value
            explained[name] = (value, setting.source if setting else "default")
        return explained


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
    """Merge all sources. Raises ConfigError for an invalid one, naming the file and key, or the variable.

    Settings: arguments > `overrides` > environment > `preferences` > profile > `preferences` in the file.
    Files: `config` > `config_path` > RSSPOT_CONFIG and its aliases > default paths > the official CLI's file.
    preferences: the defaults stored in state.db · overrides: set for a block of Python, such as by `use_org`
    """
    environ = os.environ if environ is None else environ
    unknown = [name for name in arguments if name not in (*NAMES, *GLOBAL)]
    if unknown:
        raise TypeError(f"unknown setting {unknown[0]!r}")
    # An empty string counts as not set, as in the environment.
    from_arguments = {name: Setting(value, "argument") for name, value in arguments.items() if value not in (None, "")}
    given = _over(_over(_from_environment(environ), dict(overrides or {})), from_arguments)
    path, file = _load(config, config_path, environ)
    state, state_source = _state_path(given, file, path, environ)
    remembered = preferences(state)
    selected = given.get("profile") if profile is None else Setting(profile, "argument")
    if selected is None and (default_profile := remembered(None).get("profile")):
        selected = Setting(default_profile, f"{state} (default profile)")
    if selected is None and file.active_profile:
        selected = Setting(file.active_profile, f"{path or 'config'} (activeProfile)")
    name = str(selected.value) if selected else "default"
    settings = _settings(file.preferences, f"{path or 'config'} (preferences)")
    settings = _over(settings, _profile(file, name, path, required=selected is not None))
    # If both are given, an unreadable state.db must not matter.
    defaults = {} if "organization" in given and "region" in given else _defaults(remembered, name, given)
    settings = _over(settings, {key: Setting(value, f"{state} (default {key})") for key, value in defaults.items()})
    settings = _over(settings, {key: each for key, each in given.items() if key not in GLOBAL})
    settings = _one_organization(_with_token(settings))
    source = selected.source if selected else "default"
    masked = _has_masked_token(file, name)
    ledger = _ledger(given, file, path)
    return Resolved(name, settings, state, path, source, state_source, ledger, masked, is_exposed(path, file))


def _defaults(remembered: Remembered, profile: str, given: Mapping[str, Setting]) -> Mapping[str, str]:
    """The defaults stored for a profile. If only the region is missing, an unreadable state.db is no error."""
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
    """The path of state.db, whichever profile is in use. Raises ConfigError for an invalid config file."""
    environ = os.environ if environ is None else environ
    argument = {"state_path": Setting(state_path, "argument")} if state_path else {}
    path, file = _load(config, config_path, environ)
    return _state_path(from_environment(environ) | argument, file, path, environ)[0]


def ledger_of(config_path: Path | None = None, *, environ: Mapping[str, str] | None = None) -> str | None:
    """The URL of the ledger; None if it is in state.db. Raises ConfigError for an invalid config file."""
    environ = os.environ if environ is None else environ
    path, file = _load(None, config_path, environ)
    setting = _ledger(from_environment(environ), file, path)
    return str(setting.value) if setting else None


def _ledger(given: Mapping[str, Setting], file: ConfigFile, path: Path | None) -> Setting | None:
    return given.get("ledger") or (Setting(file.ledger, f"{path or 'config'} (ledger)") if file.ledger else None)


def _load(
    config: ConfigFile | Mapping[str, Any] | None, config_path: Path | None, environ: Mapping[str, str]
) -> tuple[Path | None, ConfigFile]:
    if isinstance(config, ConfigFile):
        return None, config
    if config is not None:
        return None, parse(config, "config")
    path = config_file(environ, config_path) or legacy_file(environ)
    return path, read(path) if path else ConfigFile()


def _state_path(
    given: Mapping[str, Setting], file: ConfigFile, path: Path | None, environ: Mapping[str, str]
) -> tuple[Path, str]:
    if setting := given.get("state_path"):
        return expanded(setting.value), setting.source
    if file.state_path:
        folder = path.parent if path else Path()
        return folder / expanded(file.state_path), f"{path or 'config'} (statePath)"
    if path and path != legacy_file(environ):
        return path.parent / "state.db", "beside the config file"
    return home(environ) / "state.db", "default"


def _profile(file: ConfigFile, name: str, path: Path | None, *, required: bool) -> dict[str, Setting]:
    profile = file.profiles.get(name)
    if profile is not None:
        return _settings(profile, f"{path or 'config'} ({name})")
    if required or file.profiles:
        require_profile(name, file.profiles, path)
    return {}


def require_profile(name: str, known: Collection[str], file: Path | None = None) -> None:
    """Raise ConfigError for a profile that is not among the known ones, naming those. file: the one that has them"""
    if name not in known:
        where = f" in {file}" if file else ""
        raise ConfigError(f"no profile {name!r}{where}", hint=choices("profiles", name, sorted(known)))


def _has_masked_token(file: ConfigFile, name: str) -> bool:
    profile = file.profiles.get(name)
    token = profile.refresh_token if profile else None
    return token is not None and is_masked(token.get_secret_value())


def _settings(section: Profile, source: str) -> dict[str, Setting]:
    return {name: Setting(value, source) for name, value in values(section)}


def _over(lower: dict[str, Setting], higher: dict[str, Setting]) -> dict[str, Setting]:
    """Merge two sources. An organization or credential in the higher one replaces every form of it in the lower one."""
    alternatives = (("organization", "organization_id"), CREDENTIALS)
    replaced = {name for group in alternatives if _any(group, higher) for name in group}
    if _any(CREDENTIALS, higher):
        # Otherwise the keyring of a lower source could supply the token of another account.
        replaced.add("keyring")
    return {name: each for name, each in lower.items() if name not in replaced} | higher


def _from_environment(environ: Mapping[str, str]) -> dict[str, Setting]:
    """The settings from the environment. Those of other programs never mix with ours: they may be another account's."""
    others = from_environment(environ, lambda variable: not variable.startswith(OWN))
    return _over(others, from_environment(environ, lambda variable: variable.startswith(OWN)))


def _any(names: Iterable[str], settings: Mapping[str, Setting]) -> bool:
    return any(name in settings for name in names)


def _one_organization(settings: dict[str, Setting]) -> dict[str, Setting]:
    """Merge the two organization settings. An ID takes precedence over a name from the same source."""
    organization_id = settings.pop("organization_id", None)
    return settings | {"organization": organization_id} if organization_id else settings


def _with_token(settings: dict[str, Setting]) -> dict[str, Setting]:
    """Add the refresh token from `refresh_token_file`, unless a token is set."""
    file = settings.get("refresh_token_file")
    if file is None or "refresh_token" in settings:
        return settings
    path = expanded(file.value)
    try:
        # A shell's process substitution is a pipe.
        text = read_text(path, most=LONGEST_TOKEN, pipes=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read the refresh token from {file.value} ({file.source}): {reason(error)}") from None
    token = trimmed(text)
    if not token:
        raise ConfigError(f"{file.value} ({file.source}) contains no refresh token")
    if not is_token(token):
        raise ConfigError(f"the text in {file.value} ({file.source}) is not a valid token")
    return settings | {"refresh_token": Setting(token, f"{file.value} ({file.source})")}


def _without_arguments(command: Any) -> Any:
    """A command as text, with its arguments masked: one of them may be a password."""
    return f"{command[0]} (secret)" if command else None


def without_password(value: Any) -> Any:
    """Mask the part of a URL before its @. The URL may lack a scheme."""
    if not isinstance(value, str) or "@" not in value:
        return value
    scheme, separator, _ = value.partition("://")
    return f"{scheme + separator if separator else ''}(secret)@{value.rpartition('@')[2]}"
