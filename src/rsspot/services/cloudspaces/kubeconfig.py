"""Parses a kubeconfig from the service, and merges it into kubeconfig files. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rsspot.errors import ConfigError, UnexpectedShape
from rsspot.services.cloudspaces.kubeconfig_entries import LISTS, Config, for_a_shared_file
from rsspot.utils.yaml_values import parse_yaml


def merge(
    text: str, into: Path | Sequence[Path], *, owner: str | None = None, context: str | None = None
) -> str | None:
    """Merge a kubeconfig's clusters, users and contexts into a file, or into several as kubectl does with KUBECONFIG.

    owner: which cloudspace it is of, such as `NAMESPACE/NAME`; older entries of the same one are replaced
    context: the name of the context, cluster and users in the file, instead of the one that the service chose

    Returns the name of the kubeconfig's context. Everything else in the files stays as it is, including a current
    context. Files are written atomically, readable by their owner only. Raises ConfigError if a file cannot be used or
    an entry of the same name belongs to another cluster; nothing was changed then.
    """
    from rsspot.services.cloudspaces.kubeconfig_files import merge_into

    files = [into] if isinstance(into, Path) else into
    if not files:
        raise ConfigError("no kubeconfig file to merge into", hint="name one, such as ~/.kube/config")
    config = for_a_shared_file(parse(text), owner, context)
    merge_into(files, config, owner)
    current: str | None = config.get("current-context")
    return current


def parse(text: str) -> Config:
    """The parsed kubeconfig. Raises UnexpectedShape, without quoting the text, since it holds a token."""
    try:
        config = parse_yaml(text)
    except ValueError:
        config = None
    if not isinstance(config, dict) or not all(isinstance(config.get(plural), list) for plural in LISTS):
        raise UnexpectedShape("the service did not return a valid kubeconfig")
    if not all(_is_complete(entry, key) for plural, key in LISTS.items() for entry in config[plural]):
        raise UnexpectedShape("the service did not return a valid kubeconfig")
    return config


def _is_complete(entry: Any, key: str) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("name"), str) and isinstance(entry.get(key), dict)
