"""Kubeconfigs as text: what the service gave, put into a file beside what is there already. Sends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from rsspot.errors import ConfigError, UnexpectedShape
from rsspot.utils.files import file_lock, write_private

LISTS = ("clusters", "users", "contexts")


def merge(text: str, path: Path) -> str | None:
    """Put a kubeconfig's clusters, users and contexts into a file, over those of the same names; gives its context.

    Everything else in the file stays, its current context too unless it has none. The file is private and whole
    at every moment. Raises ConfigError when it cannot be read or written.
    """
    given = parse(text)
    try:
        # A link and the file it leads to are one file, with one lock.
        path = path.expanduser().resolve()
        with file_lock(path):
            there = _existing(path)
            write_private(path, yaml.safe_dump(merged(there, with_own_users(given)), sort_keys=False))
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from None
    context: str | None = given.get("current-context")
    return context


def parse(text: str) -> dict[str, Any]:
    """A kubeconfig that names at least one cluster. Raises UnexpectedShape, quoting nothing: it holds a token."""
    try:
        config = yaml.safe_load(text)
    except yaml.YAMLError:
        config = None
    if not isinstance(config, dict) or not all(isinstance(config.get(name), list) for name in LISTS):
        raise UnexpectedShape("the service's kubeconfig is not one")
    if not all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in _entries(config)):
        raise UnexpectedShape("the service's kubeconfig is not one")
    return config


def with_own_users(given: dict[str, Any]) -> dict[str, Any]:
    """A kubeconfig whose users are named after their clusters too.

    The service calls them `ngpc-user` and `oidc` in every kubeconfig, and so may somebody else.
    """
    known = {each["name"]: each for each in given["users"]}
    users: dict[str, Any] = {}
    contexts = []
    for each in given["contexts"]:
        context = each.get("context") or {}
        user = known.get(context.get("user"))
        if user is not None:
            name = f"{context.get('cluster')}-{user['name']}"
            users[name] = {**user, "name": name}
            context = {**context, "user": name}
        contexts.append({**each, "context": context})
    return {**given, "users": [*users.values()], "contexts": contexts}


def merged(there: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Two kubeconfigs in one; the given one's entries win over those of the same name."""
    whole = {"apiVersion": "v1", "kind": "Config", **there}
    for name in LISTS:
        fresh = {each["name"] for each in given[name]}
        whole[name] = [each for each in there.get(name) or [] if each.get("name") not in fresh] + given[name]
    whole["current-context"] = there.get("current-context") or given.get("current-context") or ""
    return whole


def _existing(path: Path) -> dict[str, Any]:
    if not path.is_file() or not path.stat().st_size:
        return {}
    try:
        there = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        there = None
    if (
        not isinstance(there, dict)
        or not all(isinstance(there.get(name) or [], list) for name in LISTS)
        or not all(isinstance(each, dict) for each in _entries(there))
    ):
        raise ConfigError(f"{path} is not a kubeconfig; it was not changed")
    return there


def _entries(config: dict[str, Any]) -> list[Any]:
    """Everything that has a name in a kubeconfig."""
    return [each for name in LISTS for each in config.get(name) or []]
