"""Files that tell others how to reach a server: the ready file and a kubeconfig. Overwrites only files of its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from rsspot.errors import UsageError
from rsspot.simulator.accounts.people import Tenant
from rsspot.utils.files import write_private

CONTEXT = "rsspot-simulator"
READY_KEYS = {"base_url", "oauth_url", "feeds_url", "refresh_token", "organization", "pid"}
LARGEST = 1024 * 1024
"""Bytes. A larger file is not one of these."""


class ConnectionFile:
    """A file that a server writes for others.

    option: the command line option that names it · recognizes: whether a simulator wrote a document
    """

    def __init__(self, option: str, path: Path, recognizes: Callable[[Any], bool]) -> None:
        self._option, self._path, self._recognizes = option, path, recognizes
        self._written: str | None = None

    def check(self) -> None:
        """Raise UsageError if the path holds anything that no simulator wrote."""
        try:
            if not self._path.exists() or (self._path.is_file() and not self._path.stat().st_size):
                return
            if not self._path.is_file():
                raise UsageError(f"{self._option}: {self._path} is not a regular file")
            text = _beginning(self._path)
        except OSError as error:
            raise UsageError(f"{self._option}: cannot read {self._path}: {error.strerror}") from None
        if not self._recognizes(_document(text)):
            hint = f"choose another file for {self._option}"
            raise UsageError(f"{self._path} was not written by the simulator", hint=hint)

    def write(self, document: dict[str, Any]) -> None:
        """Write the file in one step. Raises UsageError."""
        self.check()
        text = json.dumps(document, indent=2) + "\n"
        try:
            write_private(self._path, text)
        except OSError as error:
            raise UsageError(f"{self._option}: cannot write {self._path}: {error.strerror}") from None
        self._written = text

    def remove(self) -> None:
        """Delete the file, unless something else is in its place by now."""
        with suppress(OSError):
            if self._written is not None and _beginning(self._path) == self._written:
                # A link stays; what it points to is ours.
                self._path.resolve().unlink()


def ready_file_at(path: Path) -> ConnectionFile:
    """The file whose appearance means that requests are answered. It holds the settings of a connection."""
    return ConnectionFile("--ready-file", path, lambda found: isinstance(found, dict) and found.keys() >= READY_KEYS)


def kubeconfig_file(path: Path) -> ConnectionFile:
    """A file for kubectl and client libraries."""
    return ConnectionFile("--kubeconfig", path, _is_kubeconfig_of_ours)


def _beginning(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.read(LARGEST)


def _document(text: str) -> Any:
    """The document in a text. YAML too, because kubectl rewrites a kubeconfig as YAML when it changes it."""
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _is_kubeconfig_of_ours(found: Any) -> bool:
    """Whether a kubeconfig holds our context and no other. One that users merged theirs into must not be lost."""
    contexts = found.get("contexts") if isinstance(found, dict) else None
    names = [each.get("name") for each in contexts if isinstance(each, dict)] if isinstance(contexts, list) else []
    return names == [CONTEXT]


def kubeconfig_for(url: str, authority: str, organization: Tenant, token: str) -> dict[str, Any]:
    """A kubeconfig for kubectl and client libraries. authority: the certificate to trust, in PEM

    Clients send tokens over TLS only. Some accept neither a user name (kr8s) nor credentials in a URL (aiohttp, fetch).
    """
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(authority.encode()).decode()}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "spot", "cluster": cluster}],
        "users": [{"name": "spot", "user": {"token": token}}],
        "contexts": [
            {"name": CONTEXT, "context": {"cluster": "spot", "user": "spot", "namespace": organization.namespace}}
        ],
        "current-context": CONTEXT,
    }
