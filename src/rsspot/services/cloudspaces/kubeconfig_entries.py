"""Names and marks the entries of a kubeconfig for a file that has entries of other clusters, too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LISTS = {"clusters": "cluster", "users": "user", "contexts": "context"}
"""The lists of a kubeconfig, and the key under which an entry of each has its value."""
MARK = "rsspot"
"""The name of the extension by which we recognize a cluster that we made."""
Config = dict[str, Any]


def for_a_shared_file(config: Config, owner: str | None, context: str | None) -> Config:
    """The kubeconfig with names of its own and with our mark.

    owner: which cloudspace the entries are about; a later merge for the same one may replace them. None: no mark
    context: the name to use instead of the one that the service chose, or None
    """
    named = with_own_users(config if context is None else _renamed(config, context))
    if owner is None:
        return named
    return {**named, "clusters": [_marked(cluster, owner) for cluster in named["clusters"]]}


def _renamed(config: Config, name: str) -> Config:
    """The kubeconfig with its current context called `name`, and other contexts and clusters accordingly."""
    before = str(config.get("current-context") or "")

    def renamed(entry: Config) -> Config:
        return {**entry, "name": new(entry["name"])}

    def new(old: str) -> str:
        return name + (old.removeprefix(before) if old.startswith(before) else f"-{old}")

    contexts = []
    for entry in config["contexts"]:
        context = {**entry["context"], "cluster": new(str(entry["context"].get("cluster")))}
        contexts.append({**renamed(entry), "context": context})
    clusters = [renamed(entry) for entry in config["clusters"]]
    return {**config, "clusters": clusters, "contexts": contexts, "current-context": name}


def with_own_users(config: Config) -> Config:
    """The kubeconfig with each user's name prefixed by its cluster's name.

    The service names the users `ngpc-user` and `oidc` in every kubeconfig, so several would collide in one file.
    """
    users_by_name = {user["name"]: user for user in config["users"]}
    users: dict[str, Any] = {}
    contexts = []
    for entry in config["contexts"]:
        context = entry["context"]
        user = users_by_name.get(str(context.get("user")))
        if user is not None:
            name = f"{context.get('cluster')}-{user['name']}"
            users[name] = {**user, "name": name}
            context = {**context, "user": name}
        contexts.append({**entry, "context": context})
    return {**config, "users": [*users.values()], "contexts": contexts}


def owner_of(cluster: Mapping[str, Any]) -> object:
    """Which cloudspace a cluster is of, by our mark. None if somebody else made the entry."""
    extensions = cluster.get("extensions")
    marks = [each for each in extensions if isinstance(each, dict)] if isinstance(extensions, list) else []
    found = next((each.get("extension") for each in marks if each.get("name") == MARK), None)
    return found.get("cloudspace") if isinstance(found, dict) else None


def _marked(entry: Config, owner: str) -> Config:
    theirs = entry["cluster"].get("extensions") or []
    mark = {"name": MARK, "extension": {"cloudspace": owner}}
    return {**entry, "cluster": {**entry["cluster"], "extensions": [*theirs, mark]}}
