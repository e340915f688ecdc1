"""Finds and reads config files: YAML, TOML, JSON and the official CLI's file. Writes none."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from rsspot.config.foreign import translated
from rsspot.config.models import SECRETS, ConfigFile, Profile, spellings, values
from rsspot.config.problems import Keys, Problems, check_spelling
from rsspot.errors import ConfigError
from rsspot.models.findings import findings
from rsspot.settings import CONFIG_PATHS, expanded, has_home, home, user_home
from rsspot.utils.files import others_can_read
from rsspot.utils.reading import TooDeep, parse_json, read_text, reason

NAMES = ("config.yml", "config.yaml", "config.toml", "config.json")
LEGACY = (".spot_config", ".spotctl/config.yaml", ".spotctl/config.yml", ".spotctl/config.json")
"""The files of the official CLI, in the home directory. The first one that exists is read."""
Format = Literal["yaml", "toml", "json"]
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
    """The official CLI's file, if it exists: `~/.spot_config`, or else `~/.spotctl/config.yaml`."""
    if not has_home(environ):
        return None
    return next((path for name in LEGACY if (path := user_home(environ) / name).is_file()), None)


def read(path: Path) -> ConfigFile:
    """Read and validate a file. Raises ConfigError with the position. Never quotes the file: it may hold a token."""
    text = _text(path)
    return parse(_mapping(path, text), str(path), text if format_of(path, text) == "yaml" else None)


def is_exposed(path: Path | None, file: ConfigFile) -> bool:
    """Whether a file holds a token, and users other than its owner can read it."""
    if path is None or not others_can_read(path):
        return False
    sections = (file.preferences, *file.profiles.values())
    return any(name in SECRETS for section in sections for name, _ in values(section))


def document(path: Path) -> dict[str, Any]:
    """Read a file as plain values, without validating its keys. Raises ConfigError."""
    return _mapping(path, _text(path))


def _text(path: Path) -> str:
    try:
        return read_text(path, most=MAX_BYTES)
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot read {path}: {reason(error)}") from None


def _mapping(path: Path, text: str) -> dict[str, Any]:
    content = plain(path, text)
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must contain a mapping with `profiles`")
    return content


def format_of(path: Path, text: str) -> Format:
    """The format that the file name implies. A name without an ending implies YAML, or TOML if the text is TOML."""
    formats: dict[str, Format] = {".toml": "toml", ".json": "json"}
    if path.suffix:
        return formats.get(path.suffix, "yaml")
    try:
        return "toml" if _toml(path, text) else "yaml"
    except (ConfigError, RecursionError):
        return "yaml"


def plain(path: Path, text: str) -> Any:
    """Parse text in its format. Raises ConfigError with the position, and quotes nothing."""
    readers = {"yaml": _yaml, "toml": _toml, "json": _json}
    try:
        return readers[format_of(path, text)](path, text)
    except (RecursionError, TooDeep):
        raise ConfigError(f"{path} is nested too deeply for a config file") from None


def is_single_profile(content: Mapping[str, Any]) -> bool:
    """Whether the top level of a file is one profile, as in the official CLI's file. It is the profile `default`."""
    if any(key in content for key in ("profiles", *spellings(ConfigFile))):
        return False
    return any(key in content for key in spellings(Profile))


def parse(content: Mapping[str, Any], source: str, text: str | None = None) -> ConfigFile:
    """Validate plain values as a config file.

    source: the name of the file · text: its text, if it is YAML, to name the line of each problem
    Raises ConfigError with the source and the invalid key, for several of them InvalidConfig. Quotes no value.
    """
    single = is_single_profile(content)
    normalized = {"profiles": {"default": dict(content)}} if single else dict(content)
    for key in ("profiles", "preferences"):
        if normalized.get(key) is None:
            normalized.pop(key, None)
    _check_mappings(normalized, source)
    ours = translated(normalized)
    problems = Problems(source, text, lambda keys: _in_file(ours.as_written(keys), single))
    check_spelling(ours.content, problems)
    file = None
    try:
        file = ConfigFile.model_validate(ours.content)
    except ValidationError as error:
        for finding in findings(error):
            problems.add(finding.path, finding.clause)
    problems.raise_any()
    assert file is not None
    return file


def _in_file(keys: Keys, single: bool) -> Keys:
    """A key path in a file whose top level may be one profile."""
    return keys[2:] if single and keys[:2] == ("profiles", "default") else keys


def _check_mappings(content: dict[str, Any], source: str) -> None:
    profiles = content.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(each, dict | None) for each in profiles.values()):
        raise ConfigError(f"{source}: `profiles` must be a mapping, and so must each profile in it")
    content["profiles"] = {str(name): each or {} for name, each in profiles.items()}


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
