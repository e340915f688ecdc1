"""Merges a cloudspace's kubeconfig into the user's kubeconfig files, by kubectl's rules. Changes nobody else's entries.

Each entry goes to the file that has one of that name. A new one goes to the first file that exists, or else to the
last. An entry of the same name that belongs to another cluster is never replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from rsspot.errors import ConfigError
from rsspot.services.cloudspaces.kubeconfig_entries import LISTS, Config, owner_of
from rsspot.services.cloudspaces.kubeconfig_text import with_changes
from rsspot.settings import expanded
from rsspot.utils.files import file_lock, write_private
from rsspot.utils.reading import read_text, reason
from rsspot.utils.yaml_values import compose, parse_yaml, value_of

Entries = dict[str, list[Config]]


@dataclass(frozen=True)
class KubeconfigFile:
    """A kubeconfig file as it is now. text and config: empty if there is no file yet."""

    path: Path
    exists: bool
    text: str = field(repr=False)
    config: Config = field(repr=False)

    def entries(self, plural: str) -> list[Config]:
        return self.config.get(plural) or []

    def entry(self, plural: str, name: str) -> Config | None:
        return next((entry for entry in self.entries(plural) if entry.get("name") == name), None)


def merge_into(paths: Sequence[Path], config: Config, owner: str | None) -> None:
    """Merge a kubeconfig whose entries have names of their own. See `kubeconfig.merge`."""
    resolved = [*dict.fromkeys(_resolved(path) for path in paths)]
    with ExitStack() as locks:
        for path in sorted(_changes(config, resolved, owner)):
            try:
                locks.enter_context(file_lock(path))
            except OSError as error:
                raise _cannot_write(path, error) from None
        # Read again: somebody may have written before we had the locks.
        for path, text in _changes(config, resolved, owner).items():
            try:
                write_private(path, text)
            except OSError as error:
                raise _cannot_write(path, error) from None


def _resolved(path: Path) -> Path:
    """The file that a path leads to, so that a link and its target share one lock."""
    try:
        return expanded(path).resolve()
    except (RuntimeError, OSError):
        raise ConfigError(f"{path} is a link to itself") from None


def _changes(config: Config, paths: Sequence[Path], owner: str | None) -> dict[Path, str]:
    """The new texts of the files that change. Raises ConfigError if an entry belongs to somebody else."""
    files = [_read(path) for path in paths]
    newcomers = next((file for file in files if file.exists), files[-1])
    rights = _Rights(config, files, owner)
    placed: dict[Path, Entries] = {}
    for plural in LISTS:
        for entry in config[plural]:
            holder = next((file for file in files if file.entry(plural, entry["name"])), None)
            if holder is not None:
                rights.check(holder, plural, entry)
            placed.setdefault((holder or newcomers).path, {}).setdefault(plural, []).append(entry)
    current = {} if any(file.config.get("current-context") for file in files) else _current_of(config)
    if current:
        placed.setdefault(newcomers.path, {})
    return {
        file.path: _merged(file, placed[file.path], current if file is newcomers else {})
        for file in files
        if file.path in placed
    }


def _current_of(config: Config) -> dict[str, str]:
    current = config.get("current-context")
    return {"current-context": current} if isinstance(current, str) and current else {}


@dataclass(frozen=True)
class _Rights:
    """Which entries of the files a kubeconfig may replace: those of the same cloudspace."""

    config: Config
    files: Sequence[KubeconfigFile]
    owner: str | None

    def check(self, file: KubeconfigFile, plural: str, entry: Config) -> None:
        """Raise ConfigError if the entry of this name in a file belongs to somebody else."""
        if not self._are_ours(plural, file.entry(plural, entry["name"]) or {}, entry):
            raise ConfigError(
                f"{file.path} has a {LISTS[plural]} {entry['name']!r} that belongs to another cluster;"
                " nothing was changed",
                hint="merge it under another name with --context NAME",
            )

    def _are_ours(self, plural: str, existing: Config, entry: Config) -> bool:
        before, after = _value(existing, plural), _value(entry, plural)
        if plural == "clusters":
            # A cloudspace that was made anew has another server.
            return before.get("server") == after.get("server") or self._made(before)
        if plural == "contexts":
            return before.get("cluster") == after.get("cluster")
        return self._is_ours_alone(entry["name"])

    def _is_ours_alone(self, user: str) -> bool:
        """Whether only contexts of this cluster use a user; one that nobody uses may be somebody's only login."""
        ours = {cluster for cluster, name in _logins(self.config) if name == user}
        uses = {cluster for file in self.files for cluster, name in _logins(file.config) if name == user}
        clusters = [file.entry("clusters", name) for file in self.files for name in ours]
        return uses <= ours and (bool(uses) or any(self._made(_value(each or {}, "clusters")) for each in clusters))

    def _made(self, cluster: Mapping[str, Any]) -> bool:
        """Whether a cluster has our mark for this cloudspace."""
        return self.owner is not None and owner_of(cluster) == self.owner


def _logins(config: Config) -> Iterator[tuple[str, object]]:
    """The cluster and user of each context."""
    for entry in config.get("contexts") or []:
        context = _value(entry, "contexts")
        yield str(context.get("cluster")), context.get("user")


def _value(entry: Config, plural: str) -> Mapping[str, Any]:
    value = entry.get(LISTS[plural])
    return value if isinstance(value, dict) else {}


def _merged(file: KubeconfigFile, entries: Entries, scalars: Mapping[str, str]) -> str:
    """The text of a file with entries replaced or added. Raises ConfigError if that cannot be done in place."""
    header = {key: value for key, value in {"apiVersion": "v1", "kind": "Config"}.items() if key not in file.config}
    expected = {**file.config, **header, **scalars}
    for plural, given in entries.items():
        by_name = {entry["name"]: entry for entry in given}
        there = [by_name.pop(entry.get("name"), entry) for entry in file.entries(plural)]
        expected[plural] = [*there, *by_name.values()]
    with suppress(ValueError):
        text = with_changes(file.text, entries, {**header, **scalars})
        # An alias, for example, stands for a part of the text that somebody else's entry uses, too.
        if parse_yaml(text) == expected:
            return text
    raise ConfigError(f"{file.path} cannot be changed in place: its layout does not allow it; it was not changed")


def _read(path: Path) -> KubeconfigFile:
    """A kubeconfig file. Raises ConfigError for one that cannot be read or is none, quoting nothing."""
    try:
        exists = path.exists()
        text = read_text(path) if exists else ""
        root = compose(text)
        config = value_of(root) if root else {}
    except OSError as error:
        raise _cannot_write(path, error) from None
    except ValueError as error:
        raise _no_kubeconfig(path, str(error)) from None
    if problem := _problem(config, root):
        raise _no_kubeconfig(path, problem)
    return KubeconfigFile(path, exists, text, config or {})


def _cannot_write(path: Path, error: OSError) -> ConfigError:
    return ConfigError(f"cannot write {path}: {reason(error)}")


def _no_kubeconfig(path: Path, problem: str) -> ConfigError:
    return ConfigError(f"{path} is not a kubeconfig; it was not changed", hint=problem)


def _problem(config: Any, root: yaml.Node | None) -> str | None:
    """What kubectl would refuse, as a clause, or None."""
    if config is None or config == {}:
        return None
    if not isinstance(config, dict) or not isinstance(root, yaml.MappingNode):
        return "it is not a mapping"
    lists = {key.value: value for key, value in root.value if key.value in LISTS}
    return next(
        (found for plural, node in lists.items() if (found := _list_problem(plural, config[plural], node))), None
    )


def _list_problem(plural: str, entries: Any, node: yaml.Node) -> str | None:
    if entries is None:
        return None
    if not isinstance(entries, list):
        return f"line {node.start_mark.line + 1}: `{plural}` is not a list"
    names = set()
    for entry, item in zip(entries, node.value, strict=True):
        place = f"line {item.start_mark.line + 1}"
        if not isinstance(entry, dict):
            return f"{place}: an entry of `{plural}` is not a mapping"
        name = entry.get("name")
        if not isinstance(name, str | None):
            return f"{place}: the name of a {LISTS[plural]} is not text"
        if name in names:
            return f"{place}: a second {LISTS[plural]} of the same name"
        names.add(name)
    return None
