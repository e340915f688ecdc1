"""The problems of a config file: collects all of them, each with its key, and with its line if the file is YAML."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from rsspot.config.models import ConfigFile, Profile, Section, spellings
from rsspot.errors import ConfigError, InvalidConfig, Origin, Problem
from rsspot.utils.text import did_you_mean

Keys = tuple[str, ...]


class Problems:
    """Collects problems.

    text: the text of a YAML file, to find lines in · as_written: the key path in the file for one of ours
    """

    def __init__(self, source: str, text: str | None, as_written: Callable[[Keys], Keys]) -> None:
        self._source = source
        self._text = text
        self._as_written = as_written
        self._found: list[Problem] = []

    def add(self, path: Iterable[str | int], clause: str, hint: str | None = None) -> None:
        """Add what is wrong with the value at a key path."""
        keys = self._as_written(tuple(map(str, path)))
        self._add(keys, f"{'.'.join(keys)}: {clause}" if keys else clause, hint)

    def add_key(self, path: Keys, message: str, hint: str | None) -> None:
        """Add what is wrong with a key itself."""
        self._add(self._as_written(path), message, hint)

    def raise_any(self) -> None:
        """Raise ConfigError for one problem, InvalidConfig for several."""
        if len(self._found) == 1:
            raise ConfigError(str(self._found[0]), hint=self._found[0].hint) from None
        if self._found:
            raise InvalidConfig(self._found) from None

    def _add(self, keys: Keys, message: str, hint: str | None) -> None:
        origin = _origin(self._source, self._text, keys) if self._text is not None else None
        text = message if origin else f"{self._source}: {message}"
        # The line of a config file is never quoted: it may hold a token.
        self._found.append(Problem(text, origin, hint, rule="config", quotable=False))


def check_spelling(content: Mapping[str, Any], problems: Problems) -> None:
    """Add each unknown key that resembles a known one. Other unknown keys may belong to other programs."""
    file_keys, profile_keys = spellings(ConfigFile), spellings(Profile)
    for key in content:
        if key not in file_keys and (key in profile_keys or _suggestion(key, profile_keys)):
            hint = _suggestion(key, profile_keys) if key not in profile_keys else None
            problems.add_key((str(key),), f"{key!r} belongs in a profile or in `preferences`", hint)
        elif key not in file_keys and (hint := _suggestion(key, file_keys)):
            problems.add_key((str(key),), f"unknown key {key!r}", hint)
    if isinstance(content.get("preferences"), dict):
        _check_keys(Profile, content["preferences"], ("preferences",), problems)
    for name, profile in content["profiles"].items():
        _check_keys(Profile, profile, ("profiles", name), problems)


def _check_keys(model: type[BaseModel], content: Mapping[str, Any], above: Keys, problems: Problems) -> None:
    known = spellings(model)
    for key, value in content.items():
        path = (*above, str(key))
        if key not in known:
            if hint := _suggestion(key, known):
                problems.add_key(path, f"{_place(above)}unknown key {key!r}", hint)
            continue
        section = model.model_fields[known[key]].annotation
        if isinstance(section, type) and issubclass(section, Section) and isinstance(value, dict):
            _check_keys(section, value, path, problems)


def _place(above: Keys) -> str:
    if above[:1] != ("profiles",):
        return f"{'.'.join(above)}: "
    section = "".join(f"{key}: " for key in above[2:])
    return f"profile {above[1]!r}: {section}"


def _suggestion(key: object, known: Iterable[str]) -> str | None:
    """A hint naming the known key that is almost the same. Keys such as `token` and `url` must not match."""
    return did_you_mean(str(key), known, closeness=0.77)


def _origin(source: str, text: str, keys: Keys) -> Origin | None:
    """Where a YAML text has a key, or else the closest one above it."""
    import yaml

    from rsspot.utils.yaml_values import compose

    node, mark = compose(text), None
    for key in keys:
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((name, value) for name, value in pairs if name.value == key), None)
        if found is None:
            break
        mark, node = found[0].start_mark, found[1]
    return Origin(source, mark.line + 1, mark.column + 1) if mark else None
