"""Config files: where they are and what they say, in YAML, TOML, JSON and the official CLI's form. Writes none."""

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
from rsspot.settings import CONFIG_PATHS, home, user_home
from rsspot.utils.text import did_you_mean

NAMES = ("config.yml", "config.yaml", "config.toml", "config.json")
LEGACY = ".spot_config"
LARGEST = 1024 * 1024
"""No config file is that long, in bytes."""
DEEPEST = 50
"""No config file nests that deep; parsers written in C die of it."""
NESTED = "maximum nesting depth"
"""How PyYAML, since 6.0.4, says that it went no deeper."""


def config_file(environ: Mapping[str, str], asked: Path | None = None) -> Path | None:
    """The config file in use. Raises ConfigError when one that is named is not there."""
    named = asked or next((Path(environ[name]) for name in CONFIG_PATHS if environ.get(name)), None)
    if named is not None:
        named = named.expanduser()
        if not named.is_file():
            raise ConfigError(f"no config file at {named}")
        return named
    found = [path for name in NAMES if (path := home(environ) / name).is_file()]
    return found[0] if found else None


def legacy_file(environ: Mapping[str, str]) -> Path | None:
    """The official CLI's `~/.spot_config`, if it is there."""
    path = user_home(environ) / LEGACY
    return path if path.is_file() else None


def read(path: Path) -> ConfigFile:
    """What a file says. Raises ConfigError, naming the place but never quoting it: it may hold a token."""
    return parse(document(path), str(path))


def document(path: Path) -> dict[str, Any]:
    """A file as plain values. Raises ConfigError."""
    try:
        if path.stat().st_size > LARGEST:
            raise ConfigError(f"{path} is too large for a config file")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None
    written = plain(path, text)
    if not isinstance(written, dict):
        raise ConfigError(f"{path} must hold a mapping with `profiles`")
    return written


def plain(path: Path, text: str) -> Any:
    """What a text is read as, by the name of its file. Raises ConfigError, naming the place and quoting nothing."""
    readers = {".toml": _toml, ".json": _json}
    try:
        return readers.get(path.suffix, _yaml)(path, text)
    except RecursionError:
        raise ConfigError(f"{path} is nested too deeply for a config file") from None


def is_one_profile(written: Mapping[str, Any]) -> bool:
    """Whether a file is one profile and nothing else, as the official CLI writes it: the profile `default`."""
    if any(key in written for key in ("profiles", *spellings(ConfigFile))):
        return False
    return any(key in written for key in spellings(Profile))


def parse(written: Mapping[str, Any], source: str) -> ConfigFile:
    """Plain values as a config file. Raises ConfigError, naming the key that cannot be used, and where."""
    lifted = {"profiles": {"default": dict(written)}} if is_one_profile(written) else dict(written)
    for key in ("profiles", "preferences"):
        if lifted.get(key) is None:
            lifted.pop(key, None)
    _check_mappings(lifted, source)
    _check_spelling(lifted, source)
    try:
        return ConfigFile.model_validate(lifted)
    except ValidationError as error:
        raise ConfigError(f"{source}: {findings(error)[0]}") from None


def _check_mappings(written: dict[str, Any], source: str) -> None:
    profiles = written.get("profiles", {})
    if not isinstance(profiles, dict) or not all(isinstance(each, dict | None) for each in profiles.values()):
        raise ConfigError(f"{source}: `profiles` must map names to mappings")
    written["profiles"] = {str(name): each or {} for name, each in profiles.items()}


def _check_spelling(written: dict[str, Any], source: str) -> None:
    """A key that is nearly one we know is a slip; any other is somebody else's and is let be."""
    ours, of_profiles = spellings(ConfigFile), spellings(Profile)
    for key in written:
        if key not in ours and (key in of_profiles or _near(key, of_profiles)):
            hint = _near(key, of_profiles) if key not in of_profiles else None
            raise ConfigError(f"{source}: {key!r} belongs in a profile, or in `preferences`", hint=hint)
    _check_keys(ConfigFile, written, source)
    for name, profile in written["profiles"].items():
        _check_keys(Profile, profile, f"{source}: profile {name!r}")


def _check_keys(model: type[BaseModel], written: Mapping[str, Any], source: str) -> None:
    known = spellings(model)
    for key, value in written.items():
        if key not in known:
            near = _near(key, known)
            if near:
                raise ConfigError(f"{source}: unknown key {key!r}", hint=near)
            continue
        section = model.model_fields[known[key]].annotation
        if isinstance(section, type) and issubclass(section, Section) and isinstance(value, dict):
            _check_keys(section, value, f"{source}: {key}")


def _near(key: object, known: Iterable[str]) -> str | None:
    """Only what is nearly the same: other programs have keys called `token` and `url` too."""
    return did_you_mean(str(key), known, closeness=0.77)


def _yaml(path: Path, text: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEEPEST:
                raise RecursionError
        return yaml.load(text, Loader=loader) or {}
    except yaml.YAMLError as error:
        if NESTED in str(error):
            raise RecursionError from None
        # The parser's own message quotes the text, which may be a token.
        mark = getattr(error, "problem_mark", None)
        where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{where} is not valid YAML") from None
    except ValueError:
        # 2024-99-99 is written like a date and is none.
        raise ConfigError(
            f"{path} is not valid YAML: it contains a date, or something that only looks like a number"
        ) from None


def _toml(path: Path, text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except ValueError as error:
        # Only the place is taken from the parser's message: the rest may quote a token.
        place = re.search(r"\(at line (\d+), column (\d+)\)$", str(error))
        raise ConfigError(f"{path}{':{}:{}'.format(*place.groups()) if place else ''} is not valid TOML") from None


def _json(path: Path, text: str) -> Any:
    try:
        return json.loads(text or "{}")
    except ValueError as error:
        where = f":{error.lineno}:{error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigError(f"{path}{where} is not valid JSON") from None
