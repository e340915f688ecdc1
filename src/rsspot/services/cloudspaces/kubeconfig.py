"""Parses a kubeconfig from the service and merges it into a kubeconfig file. Sends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from rsspot.errors import ConfigError, UnexpectedShape
from rsspot.utils.files import file_lock, write_private

LISTS = ("clusters", "users", "contexts")


def merge(text: str, path: Path) -> str | None:
    """Merge a kubeconfig's clusters, users and contexts into a file, replacing entries of the same names.

    Returns the kubeconfig's current context. The rest of the file stays, including its current context if it has one.
    The file is written atomically, readable by its owner only. Raises ConfigError if it cannot be read or written.
    """
    given = parse(text)
    try:
        # Resolve links, so that a link and its target share one lock.
        path = path.expanduser().resolve()
        with file_lock(path):
            existing = _existing(path)
            write_private(path, yaml.safe_dump(merged(existing, with_own_users(given)), sort_keys=False))
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    context: str | None = given.get("current-context")
    return context


def parse(text: str) -> dict[str, Any]:
    """The parsed kubeconfig. Raises UnexpectedShape, without quoting the text, since it holds a token."""
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError:
        config = None
    if not isinstance(config, dict) or not all(isinstance(config.get(name), list) for name in LISTS):
        raise UnexpectedShape("the service did not return a valid kubeconfig")
    if not all(isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in _entries(config)):
        raise UnexpectedShape("the service did not return a valid kubeconfig")
    return config


def with_own_users(given: dict[str, Any]) -> dict[str, Any]:
    """The kubeconfig with each user's name prefixed by its cluster's name.

    The service names the users `ngpc-user` and `oidc` in every kubeconfig, so several would collide in one file.
    """
    users_by_name = {user["name"]: user for user in given["users"]}
    users: dict[str, Any] = {}
    contexts = []
    for entry in given["contexts"]:
        context = entry.get("context") or {}
        user = users_by_name.get(context.get("user"))
        if user is not None:
            name = f"{context.get('cluster')}-{user['name']}"
            users[name] = {**user, "name": name}
            context = {**context, "user": name}
        contexts.append({**entry, "context": context})
    return {**given, "users": [*users.values()], "contexts": contexts}


def merged(there: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Two kubeconfigs merged; entries of `given` replace those of the same name."""
    whole = {"apiVersion": "v1", "kind": "Config", **there}
    for name in LISTS:
        replaced = {entry["name"] for entry in given[name]}
        whole[name] = [entry for entry in there.get(name) or [] if entry.get("name") not in replaced] + given[name]
    whole["current-context"] = there.get("current-context") or given.get("current-context") or ""
    return whole


def _existing(path: Path) -> dict[str, Any]:
    if not path.is_file() or not path.stat().st_size:
        return {}
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        config = None
    if (
        not isinstance(config, dict)
        or not all(isinstance(config.get(name) or [], list) for name in LISTS)
        or not all(isinstance(entry, dict) for entry in _entries(config))
    ):
        raise ConfigError(f"{path} is not a kubeconfig; it was not changed")
    return config


def _entries(config: dict[str, Any]) -> list[Any]:
    """All named entries of a kubeconfig."""
    return [entry for name in LISTS for entry in config.get(name) or []]
