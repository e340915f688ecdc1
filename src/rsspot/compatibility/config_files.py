"""load_config, save_config, ProfileManager: config files as SDKConfig objects. Parsing and editing is `config`'s."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rsspot.compatibility.config import ConfigInput, ProfileConfig, SDKConfig, plain
from rsspot.config.files import LEGACY, NAMES, config_file, read
from rsspot.config.loader import require_profile
from rsspot.config.manager import edit, migrate
from rsspot.config.models import ConfigFile
from rsspot.config.problems import Keys
from rsspot.errors import ConfigError
from rsspot.settings import CONFIG_PATHS, expanded, home, user_home

CONFIG_PATH_ENVS = CONFIG_PATHS
ACTIVE: Keys = ("activeProfile",)
"""The key of the default profile in a file."""


class ResolvedConfig(BaseModel):
    """A config and where it was found. path: of the file, also of one that does not exist yet."""

    model_config = ConfigDict(extra="forbid")

    source: str
    path: Path | None = None
    data: SDKConfig


def default_config_candidates() -> list[Path]:
    """The default paths, in the order in which they are looked for."""
    return [home(os.environ) / name for name in NAMES]


def legacy_config_path() -> Path:
    """The path of the official CLI's file."""
    return user_home(os.environ) / LEGACY[0]


def default_state_path(config_path: str | Path | None = None) -> Path:
    """The state.db beside a config file, or at the default path."""
    return (expanded(config_path).parent if config_path else home(os.environ)).resolve() / "state.db"


class ConfigPaths(BaseModel):
    """The default path of the config file."""

    model_config = ConfigDict(extra="forbid")

    config_file: Path = Field(default_factory=lambda: default_config_candidates()[0])


def load_config(
    config: ConfigInput | str | Path | None = None, *, config_path: str | Path | None = None
) -> ResolvedConfig:
    """The config: the one given, or the file at a path, that RSSPOT_CONFIG names, or at a default path.

    A file that does not exist counts as empty. The official CLI's file is copied to the default path first.
    Raises ConfigError for an invalid one.
    """
    if isinstance(config, str | Path):
        config, config_path = None, config_path or config
    if isinstance(config, SDKConfig):
        return ResolvedConfig(source="runtime-model", data=config)
    if config is not None:
        return ResolvedConfig(source="runtime-dict", data=_validated(config))
    named = next((name for name in CONFIG_PATH_ENVS if os.environ.get(name)), None)
    if config_path is not None:
        return _loaded(expanded(config_path), "explicit-path")
    if named is not None:
        return _loaded(expanded(os.environ[named]), f"env:{named}")
    return _found()


def _validated(content: Mapping[str, Any]) -> SDKConfig:
    try:
        return SDKConfig.model_validate(content)
    except ValueError:
        # The message of the original error quotes the values, of which some are secret.
        raise ConfigError("the mapping is not a config") from None


def _loaded(path: Path, source: str) -> ResolvedConfig:
    if not path.exists():
        return ResolvedConfig(source=f"{source}{MISSING[source.partition(':')[0]]}", path=path, data=SDKConfig())
    return ResolvedConfig(source=source, path=path.resolve(), data=SDKConfig.of(read(path)))


MISSING = {"explicit-path": "-missing", "env": ":missing"}


def _found() -> ResolvedConfig:
    migrated = migrate(os.environ)
    path = migrated or config_file(os.environ)
    if path is not None:
        return _loaded(path, "legacy-migrated" if migrated else "default-path")
    return ResolvedConfig(source="default-empty", path=default_config_candidates()[0], data=SDKConfig())


def save_config(config: SDKConfig, *, path: Path | None = None) -> Path:
    """Write a config to a file, readable by its owner only, and return its path. Keeps comments in it.

    What is not in the config is removed. Raises ConfigError if the file cannot be read or written.
    """
    target = expanded(path or default_config_candidates()[0])
    if target.suffix not in SUFFIXES:
        raise ConfigError(f"{target} is not the name of a config file", hint=f"end it in {', '.join(SUFFIXES[1:])}")
    before = read(target) if target.exists() else ConfigFile()
    target.parent.mkdir(parents=True, exist_ok=True)
    edit(target, _differences(_content(before), _content(config.file())))
    return target.resolve()


def _content(file: ConfigFile) -> dict[str, Any]:
    content: dict[str, Any] = plain(file.model_dump(by_alias=True, exclude_unset=True))
    return content


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], above: Keys = ()) -> dict[Keys, Any]:
    """What to edit so that one mapping becomes the other, by key path; None for what is removed."""
    changes: dict[Keys, Any] = {}
    for key in {**after, **before}:
        old, new, keys = before.get(key), after.get(key), (*above, key)
        # In TOML, a section goes with the last of its keys. So one that is to be empty is replaced.
        if isinstance(old, Mapping) and isinstance(new, Mapping) and new:
            changes |= _differences(old, new, keys)
        elif old != new:
            changes[keys] = new
    return changes


SUFFIXES = ("", ".yml", ".yaml", ".toml", ".json")


def dump_config(config: SDKConfig, path: Path) -> None:
    """`save_config`."""
    save_config(config, path=path)


def ensure_default_config_exists(path: Path | None = None) -> Path:
    """Create a config file with an empty profile unless there is one. Returns its path."""
    target = expanded(path or default_config_candidates()[0])
    if target.exists():
        return target.resolve()
    return save_config(SDKConfig(active_profile="default", profiles={"default": ProfileConfig()}), path=target)


class ProfileManager:
    """The profiles of a config file."""

    def __init__(self, config_file: str | Path | None = None) -> None:
        self._given = expanded(config_file) if config_file else None

    @property
    def path(self) -> Path:
        return self._given or load_config().path or default_config_candidates()[0]

    def load(self) -> SDKConfig:
        """The whole config. Raises ConfigError if it is invalid."""
        return load_config(config_path=self._given).data

    def save(self, config: SDKConfig) -> None:
        """Write the whole config."""
        save_config(config, path=self.path)

    def list_profiles(self) -> list[str]:
        """The names of the profiles, sorted."""
        return sorted(self.load().profiles)

    def get_profile(self, name: str | None = None) -> ProfileConfig:
        """One profile, or the default one. Raises ConfigError if there is none of this name."""
        config = self.load()
        return config.profiles[self._known(config, name or config.active_profile or "default")]

    def upsert_profile(self, name: str, profile: ProfileConfig, *, activate: bool = False) -> SDKConfig:
        """Add or replace a profile. activate: make it the default one, as the first one always becomes."""
        before = self._file()
        new = _content(SDKConfig(profiles={name: profile}).file())["profiles"][name]
        old = _content(before).get("profiles", {}).get(name)
        changes = _differences({name: old} if old else {}, {name: new}, ("profiles",))
        if activate or not before.active_profile:
            changes[ACTIVE] = name
        return self._edited(changes)

    def set_active_profile(self, name: str) -> SDKConfig:
        """Make a profile the default one. Raises ConfigError if there is none of this name."""
        return self._edited({ACTIVE: self._known(self.load(), name)})

    def delete_profile(self, name: str) -> SDKConfig:
        """Delete a profile. If it was the default one, another one is, if any is left.

        Raises ConfigError if there is none of this name.
        """
        config = self.load()
        others = [other for other in config.profiles if other != self._known(config, name)]
        changes: dict[Keys, Any] = {("profiles", name): None} if others else {("profiles",): {}}
        if config.active_profile == name:
            changes[ACTIVE] = others[0] if others else None
        return self._edited(changes)

    def _file(self) -> ConfigFile:
        return read(self.path) if self.path.exists() else ConfigFile()

    def _edited(self, changes: Mapping[Keys, Any]) -> SDKConfig:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        edit(self.path, changes)
        return self.load()

    def _known(self, config: SDKConfig, name: str) -> str:
        require_profile(name, config.profiles, self.path)
        return name
