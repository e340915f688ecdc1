"""Edits a config file in place: changes the given keys and keeps the rest of the file, including comments and order.

An edit holds a lock and replaces the file in one step, readable by its owner only. Before that, the new text is parsed
again and checked. An edit that fails leaves the file unchanged.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, MutableMapping
from io import StringIO
from pathlib import Path
from typing import Any

from rsspot.config.files import (
    MAX_BYTES,
    config_file,
    document,
    format_of,
    is_single_profile,
    legacy_file,
    parse,
    plain,
)
from rsspot.config.foreign import followed
from rsspot.config.models import ConfigFile, Profile, Section, spellings
from rsspot.config.problems import Keys
from rsspot.errors import ConfigError
from rsspot.settings import expanded, home
from rsspot.utils.files import file_lock, write_private
from rsspot.utils.reading import parse_json, read_text

DEFAULT_PROFILE = ("profiles", "default")
"""The path of the profile in a file whose top level is one profile."""


def file_to_edit(environ: Mapping[str, str], config_path: Path | None = None) -> Path:
    """The file to edit: the one in use, or the one to create."""
    return expanded(config_path) if config_path else config_file(environ) or home(environ) / "config.yml"


def edit(path: Path, changes: Mapping[Keys, Any], *, only_new: bool = False) -> bool:
    """Set values by key path. The value None removes a key. Raises ConfigError without changing anything.

    Where the file uses another spelling of a key (`org`, `refresh_token`), that key is changed.
    only_new: if the file already exists, do not change it and return False
    """
    try:
        # Take the lock of the target, so that edits through a symbolic link and edits of the target exclude each other.
        path = path.resolve()
        with file_lock(path):
            return _edit(path, changes, only_new)
    except RuntimeError:
        raise ConfigError(f"{path} is a link to itself or contains itself; it was not changed") from None
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def _edit(path: Path, changes: Mapping[Keys, Any], only_new: bool) -> bool:
    if only_new and path.exists():
        return False
    before = _text(path)
    expected = _unshared(plain(path, before))
    changes = followed(expected, changes)
    after = _edited(path, before, changes)
    _apply(expected, {keys: _unshared(value) for keys, value in changes.items()}, path)
    actual = plain(path, after)
    if actual != expected:
        # For example, a YAML anchor or merge key shares one mapping between two profiles.
        raise ConfigError(
            f"{path} cannot be edited in place: its layout does not allow this change; it was not changed"
        )
    parse(actual, str(path))
    write_private(path, after)
    return True


def _text(path: Path) -> str:
    """The text of the file, or "" if there is none yet. Raises ConfigError, and OSError if it cannot be read."""
    if not path.exists():
        return ""
    try:
        return read_text(path, most=MAX_BYTES)
    except ValueError as error:
        raise ConfigError(f"{path} is {error}; it was not changed") from None


def edit_in_use(environ: Mapping[str, str], config_path: Path | None, changes: Mapping[Keys, Any]) -> Path:
    """Edit the file in use, or create one. Returns its path. Raises ConfigError.

    A new file starts with the official CLI's settings, since the official CLI's file is no longer read once it exists.
    """
    if config_path is None:
        migrate(environ)
    path = file_to_edit(environ, config_path)
    edit(path, changes)
    return path


def migrate(environ: Mapping[str, str]) -> Path | None:
    """Copy the official CLI's settings into a new config file. Returns its path, or None if there is nothing to do.

    Never overwrites an existing config file, and never changes the official CLI's file.
    """
    legacy = legacy_file(environ)
    if legacy is None or config_file(environ) is not None:
        return None
    content = document(legacy)
    migrated = content if "profiles" in content else {"activeProfile": "default", "profiles": {"default": content}}
    parse(migrated, str(legacy))
    target = home(environ) / "config.yml"
    created = edit(target, {(key,): value for key, value in migrated.items()}, only_new=True)
    return target if created else None


def _edited(path: Path, text: str, changes: Mapping[Keys, Any]) -> str:
    editors = {"yaml": _edit_yaml, "toml": _edit_toml, "json": _edit_json}
    return editors[format_of(path, text)](path, text, changes)


def _edit_yaml(path: Path, text: str, changes: Mapping[Keys, Any]) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.explicit_start = text.startswith("---")
    try:
        content = yaml.load(text)
    except (YAMLError, ValueError, RecursionError):
        raise ConfigError(f"{path} is not valid YAML; it was not changed") from None
    content = {} if content is None else content
    _apply(content, {tuple(_quoted(key) for key in keys): _quoted(value) for keys, value in changes.items()}, path)
    out = StringIO()
    yaml.dump(content, out)
    return out.getvalue()


def _edit_toml(path: Path, text: str, changes: Mapping[Keys, Any]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        content = tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError):
        raise ConfigError(f"{path} is not valid TOML; it was not changed") from None
    _apply(content, changes, path)
    return tomlkit.dumps(content)


def _edit_json(path: Path, text: str, changes: Mapping[Keys, Any]) -> str:
    try:
        content = parse_json(text or "{}")
    except ValueError:
        raise ConfigError(f"{path} is not valid JSON; it was not changed") from None
    _apply(content, changes, path)
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _quoted(value: Any) -> Any:
    """Quote every string that a YAML parser might not read as the same string: `no`, 1:30, a line break."""
    import yaml
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, Mapping):
        return {_quoted(key): _quoted(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_quoted(each) for each in value]
    if not isinstance(value, str):
        return value
    word = re.fullmatch(r"[A-Za-z][A-Za-z0-9_:/.@-]*", value)
    return value if word and yaml.safe_load(value) == value else DoubleQuotedScalarString(value)


def _unshared(value: Any) -> Any:
    """A copy in which no mapping or list is shared, as YAML anchors do."""
    if isinstance(value, Mapping):
        return {key: _unshared(each) for key, each in value.items()}
    return [_unshared(each) for each in value] if isinstance(value, list | tuple) else value


def _apply(content: Any, changes: Mapping[Keys, Any], path: Path) -> None:
    if not isinstance(content, MutableMapping):
        raise ConfigError(f"{path} must contain a mapping; it was not changed")
    for keys, value in changes.items():
        if not is_single_profile(content):
            _change(content, keys, value, path, ConfigFile)
        elif keys[:2] == DEFAULT_PROFILE and len(keys) > 2:
            _change(content, keys[2:], value, path, Profile)
        else:
            _move_under_profiles(content)
            _change(content, keys, value, path, ConfigFile)


def _move_under_profiles(content: MutableMapping[str, Any]) -> None:
    """Make the single profile of a file `profiles.default`, so that the file can have other keys."""
    unwrap = getattr(content, "unwrap", None)
    profile = unwrap() if unwrap else copy.copy(content)
    for key in list(content):
        del content[key]
    content["profiles"] = {"default": profile}


def _change(content: Any, keys: Keys, value: Any, path: Path, model: type[Section] | None) -> None:
    section = content
    for depth, key in enumerate(keys):
        if not isinstance(section, MutableMapping):
            raise ConfigError(f"{path}: `{'.'.join(keys[:depth])}` is not a mapping; it was not changed")
        present = _present_spellings(section, key, model)
        name = present[0] if present else key
        below = keys[depth + 1 :]
        if not below or section.get(name) is None:
            _put(section, name, below, value)
            for duplicate in present[1:]:
                del section[duplicate]
            return
        section = section[name]
        model = Profile if keys[:depth] == ("profiles",) else _section(model, key)


def _put(section: Any, name: str, below: Keys, value: Any) -> None:
    """Set or remove a key of a section. below: the rest of the key path, for which mappings are created.

    They are inserted complete: tomlkit may lose a table that is inserted empty and filled later.
    """
    if value is None:
        if not below:
            section.pop(name, None)
        return
    for key in reversed(below):
        value = {key: value}
    section[name] = value


def _present_spellings(section: Mapping[str, Any], key: str, model: type[Section] | None) -> list[str]:
    """The spellings of a key that a section contains."""
    known = spellings(model) if model else {}
    present = [spelling for spelling in known if known[spelling] == known.get(key) and spelling in section]
    # YAML reads a profile name such as 123 as a number.
    return present or [each for each in section if str(each) == key]


def _section(model: type[Section] | None, key: str) -> type[Section] | None:
    """The model of the section at a key. None if the key is unknown, or if profile names are below it."""
    field = model.model_fields.get(spellings(model).get(key, "")) if model else None
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None
