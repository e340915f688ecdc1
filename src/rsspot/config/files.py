"""Finds and reads config files: YAML, TOML, JSON and the official CLI's file. Writes none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from rsspot.config.models import ConfigFile, Profile, Section, spellings
from rsspot.errors import ConfigError
from rsspot.models.findings import findings
from rsspot.settings import CONFIG_PATHS, expanded, has_home, home, user_home
from rsspot.utils.reading import TooDeep, parse_json, read_text, reason
from rsspot.utils.text import did_you_mean

NAMES = ("config.yml", "config.yaml", "config.toml", "config.json")
LEGACY = ".spot_config"
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
"""The deepest nesting that is read. Deeper nesting can overflow the stack of a parser written in C."""


def config_file(environ: Mapping[str, str], config_path: Path | None = None) -> Path | None:
    """The config file in use, or None. Raises ConfigError if a file was named but does not exist."""
    named = config_path or next((Path(environ[name]) for name in CONFIG_PATHS if environ.get(name)), None)
    if named is not None:
        named = expanded(named)
        if not named.is_file():
            raise ConfigError(f"no config file at {named}")
        return named
    if not environ.get("XDG_CONFIG_HOME") and not has_home(environ):
        return None
    existing = [path for name in NAMES if (path := home(environ) / name).is_file()]
    return existing[0] if existing else None


def legacy_file(environ: Mapping[str, str]) -> Path | None:
    """The official CLI's `~/.spot_config`, if it exists."""
    path = user_home(environ) / LEGACY if has_home(environ) else None
    return path if path and path.is_file() else None


def read(path: Path) -> ConfigFile:
    """Read and validate a file. Raises ConfigError with the position. Never quotes the file: it may hold a token."""
    return parse(document(path), str(path))


def document(path: Path) -> dict[str, Any]:
    """Read a file as plain values, without validating its keys. Raises ConfigError."""
    try:
        text = read_text(path, most=MAX_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {reason(error)}") from None
    content = plain(path, text)
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must contain a mapping with `profiles`")
    return content


def plain(path: Path, text: str) -> Any:
    """Parse text in the format that the file name implies. Raises ConfigError with the position, and quotes nothing."""
    readers = {".toml": _toml, ".json": _json}
    try:
        return readers.get(path.suffix, _yaml)(path, text)
    except (RecursionError, TooDeep):
        raise ConfigError(f"{path} is nested too deeply for a config file") from None


def is_single_profile(content: Mapping[str, Any]) -> bool:
    """Whether the top level of a file is one profile, as in the official CLI's file. It is the profile `default`."""
    if any(key in content for key in ("profiles", *spellings(ConfigFile))):
        return False
    return any(key in content for key in spellings(Profile))


def parse(content: Mapping[str, Any], source: str) -> ConfigFile:
    """Validate plain values as a config file. Raises ConfigError with the source and the invalid key."""
    normalized = {"profiles": {"default": dict(content)}} if is_single_profile(content) else dict(content)
    for key in ("profiles", "preferences"):
        if normalized.get(key) is None:
            normalized.pop(key, None)
    _check_mappings(normalized, source)
    _check_spelling(normalized, source)
    try:
        return ConfigFile.model_validate(normalized)
    except ValidationError as error:
        raise ConfigError(f"{source}: {findings(error)[0]}") from None


def _check_mappings(content: dict[str, Any], source: str) -> None:
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(each, dict | None) for each in profiles.values()):
        raise ConfigError(f"{source}: `profiles` must be a mapping, and so must each profile in it")
    content["profiles"] = {str(name): each or {} for name, each in profiles.items()}


def _check_spelling(content: dict[str, Any], source: str) -> None:
    """Refuse an unknown key that resembles a known one. Other unknown keys may belong to other programs."""
    file_keys, profile_keys = spellings(ConfigFile), spellings(Profile)
    for key in content:
        if key not in file_keys and (key in profile_keys or _suggestion(key, profile_keys)):
            hint = _suggestion(key, profile_keys) if key not in profile_keys else None
            raise ConfigError(f"{source}: {key!r} belongs in a profile or in `preferences`", hint=hint)
    _check_keys(ConfigFile, content, source)
    for name, profile in content["profiles"].items():
        _check_keys(Profile, profile, f"{source}: profile {name!r}")


def _check_keys(model: type[BaseModel], content: Mapping[str, Any], source: str) -> None:
    known = spellings(model)
    for key, value in content.items():
        if key not in known:
            hint = _suggestion(key, known)
            if hint:
                raise ConfigError(f"{source}: unknown key {key!r}", hint=hint)
            continue
        section = model.model_fields[known[key]].annotation
        if isinstance(section, type) and issubclass(section, Section) and isinstance(value, dict):
            _check_keys(section, value, f"{source}: {key}")


def _suggestion(key: object, known: Iterable[str]) -> str | None:
    """A hint naming the known key that is almost the same. Keys such as `token` and `url` must not match."""
    return did_you_mean(str(key), known, closeness=0.77)


def _yaml(path: Path, text: str) -> Any:
    from rsspot.utils.yaml_values import InvalidYaml, parse_yaml

    try:
        return parse_yaml(text, deepest=MAX_DEPTH) or {}
    except InvalidYaml as error:
        position = f":{error.line}:{error.column}" if error.line else ""
        raise ConfigError(f"{path}{position} is not valid YAML{error.clause and f': {error.clause}'}") from None


def _toml(path: Path, text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError as error:
        # Take only the position from the parser's message: the rest may quote a token.
        match = re.search(r"\(at line (\d+), column (\d+)\)$", str(error))
        raise ConfigError(f"{path}{':{}:{}'.format(*match.groups()) if match else ''} is not valid TOML") from None


def _json(path: Path, text: str) -> Any:
    try:
        return parse_json(text or "{}")
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}:{error.colno} is not valid JSON") from None
    except TooDeep:
        raise
    except ValueError:
        raise ConfigError(f"{path} is not valid JSON: it contains an invalid number") from None
