"""Change a config file: only the keys that are named, everything else kept as it was written. Atomic, private, locked.

Comments and order survive in YAML and TOML; JSON has no comments. What is written is read back before it counts.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping, MutableMapping
from io import StringIO
from pathlib import Path
from typing import Any

from rsspot.config.files import config_file, document, is_one_profile, legacy_file, parse, plain
from rsspot.config.models import ConfigFile, Profile, Section, spellings
from rsspot.errors import ConfigError
from rsspot.settings import home
from rsspot.utils.files import file_lock, write_private

Keys = tuple[str, ...]
OF_THE_PROFILE = ("profiles", "default")
"""What the keys of a file that is one profile and nothing else belong to."""


def file_to_edit(environ: Mapping[str, str], asked: Path | None = None) -> Path:
    """The file that changes go into: the one in use, or the one that will be."""
    return asked.expanduser() if asked else config_file(environ) or home(environ) / "config.yml"


def edit(path: Path, changes: Mapping[Keys, Any], *, only_new: bool = False) -> bool:
    """Set keys by their path; None removes one. Raises ConfigError, and then nothing was changed.

    A key that the file spells otherwise (`org`, `refresh_token`) is changed where it stands.
    only_new: leave a file that is there already alone, and say False.
    """
    try:
        # A link and the file it leads to are one file, with one lock.
        path = path.resolve()
        with file_lock(path):
            return _edit(path, changes, only_new)
    except RuntimeError:
        raise ConfigError(f"{path} contains itself or is a link to itself; it was not changed") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not text; it was not changed") from None
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None


def _edit(path: Path, changes: Mapping[Keys, Any], only_new: bool) -> bool:
    if only_new and path.exists():
        return False
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    after = _edited(path, before, changes)
    meant = _unshared(plain(path, before))
    _apply(meant, {keys: _unshared(value) for keys, value in changes.items()}, path)
    said = plain(path, after)
    if said != meant:
        # Mappings that are shared by an anchor, or merged into another, for instance.
        raise ConfigError(
            f"{path} cannot be edited in place: its layout does not allow this change; it was not changed"
        )
    parse(said, str(path))
    write_private(path, after)
    return True


def edit_in_use(environ: Mapping[str, str], asked: Path | None, changes: Mapping[Keys, Any]) -> Path:
    """Change the file in use, or the one that will be; gives its path. Raises ConfigError.

    A file that is made for the change begins with what the official CLI's says: it hides that one from now on.
    """
    if asked is None:
        migrate(environ)
    path = file_to_edit(environ, asked)
    edit(path, changes)
    return path


def migrate(environ: Mapping[str, str]) -> Path | None:
    """Copy the official CLI's settings into a config file of our own; None when there is nothing to do.

    Nothing is ever overwritten: not a config file that is there, and not the file that was copied.
    """
    legacy = legacy_file(environ)
    if legacy is None or config_file(environ) is not None:
        return None
    written = document(legacy)
    whole = written if "profiles" in written else {"activeProfile": "default", "profiles": {"default": written}}
    parse(whole, str(legacy))
    target = home(environ) / "config.yml"
    made = edit(target, {(key,): value for key, value in whole.items()}, only_new=True)
    return target if made else None


def _edited(path: Path, text: str, changes: Mapping[Keys, Any]) -> str:
    editors = {".toml": _edit_toml, ".json": _edit_json}
    return editors.get(path.suffix, _edit_yaml)(path, text, changes)


def _edit_yaml(path: Path, text: str, changes: Mapping[Keys, Any]) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.explicit_start = text.startswith("---")
    try:
        written = yaml.load(text)
    except (YAMLError, ValueError, RecursionError):
        raise ConfigError(f"{path} is not valid YAML; it was not changed") from None
    written = {} if written is None else written
    _apply(written, {tuple(_quoted(key) for key in keys): _quoted(value) for keys, value in changes.items()}, path)
    out = StringIO()
    yaml.dump(written, out)
    return out.getvalue()


def _edit_toml(path: Path, text: str, changes: Mapping[Keys, Any]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        written = tomlkit.parse(text)
    except (TOMLKitError, ValueError, RecursionError):
        raise ConfigError(f"{path} is not valid TOML; it was not changed") from None
    _apply(written, changes, path)
    return tomlkit.dumps(written)


def _edit_json(path: Path, text: str, changes: Mapping[Keys, Any]) -> str:
    try:
        written = json.loads(text or "{}")
    except (ValueError, RecursionError):
        raise ConfigError(f"{path} is not valid JSON; it was not changed") from None
    _apply(written, changes, path)
    return json.dumps(written, indent=2, ensure_ascii=False) + "\n"


def _quoted(value: Any) -> Any:
    """With quotes around each text that some reader of YAML takes for something else: `no`, 1:30, a line break."""
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
    """A plain copy in which nothing stands in two places."""
    if isinstance(value, Mapping):
        return {key: _unshared(each) for key, each in value.items()}
    return [_unshared(each) for each in value] if isinstance(value, list | tuple) else value


def _apply(written: Any, changes: Mapping[Keys, Any], path: Path) -> None:
    if not isinstance(written, MutableMapping):
        raise ConfigError(f"{path} must hold a mapping; it was not changed")
    for keys, value in changes.items():
        if not is_one_profile(written):
            _change(written, keys, value, path, ConfigFile)
        elif keys[:2] == OF_THE_PROFILE and len(keys) > 2:
            _change(written, keys[2:], value, path, Profile)
        else:
            _name_the_profile(written)
            _change(written, keys, value, path, ConfigFile)


def _name_the_profile(written: MutableMapping[str, Any]) -> None:
    """Give a file that is one profile and nothing else room for more."""
    unwrap = getattr(written, "unwrap", None)
    profile = unwrap() if unwrap else copy.copy(written)
    for key in list(written):
        del written[key]
    written["profiles"] = {"default": profile}


def _change(written: Any, keys: Keys, value: Any, path: Path, model: type[Section] | None) -> None:
    section = written
    for depth, key in enumerate(keys):
        if not isinstance(section, MutableMapping):
            raise ConfigError(f"{path}: `{'.'.join(keys[:depth])}` is not a mapping; it was not changed")
        ways = _ways(section, key, model)
        name = ways[0] if ways else key
        below = keys[depth + 1 :]
        if not below or section.get(name) is None:
            _put(section, name, below, value)
            for way in ways[1:]:
                del section[way]
            return
        section = section[name]
        model = Profile if keys[:depth] == ("profiles",) else _section(model, key)


def _put(section: Any, name: str, below: Keys, value: Any) -> None:
    """Set or remove what a section lacks or what is at the end of a path, in one piece.

    A table that was put into a TOML document first, and filled after, may be lost.
    """
    if value is None:
        if not below:
            section.pop(name, None)
        return
    for key in reversed(below):
        value = {key: value}
    section[name] = value


def _ways(section: Mapping[str, Any], key: str, model: type[Section] | None) -> list[str]:
    """Every way in which a section spells a key already."""
    known = spellings(model) if model else {}
    ways = [way for way in known if known[way] == known.get(key) and way in section]
    # A profile may be called 123, which YAML reads as a number.
    return ways or [each for each in section if str(each) == key]


def _section(model: type[Section] | None, key: str) -> type[Section] | None:
    """Whose keys stand below a key; None: not ours, or the names of profiles."""
    field = model.model_fields.get(spellings(model).get(key, "")) if model else None
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None
