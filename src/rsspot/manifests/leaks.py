"""What must never be sent: masks that stand for a lost secret, private keys in public fields, our own credentials."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from rsspot.errors import Problem
from rsspot.manifests.manifest import Manifest
from rsspot.manifests.places import Place
from rsspot.manifests.rules import ManifestRule
from rsspot.manifests.source import Source
from rsspot.models.fields import SECRET
from rsspot.resources.kind import Kind
from rsspot.resources.secrecy import holds_mask
from rsspot.utils.serialization import has_text

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_CREDENTIALS_FILE = re.compile(r"(refresh|access)_?token[\"']?\s*[:=]", re.IGNORECASE)


SHORTEST = 8
"""Characters of a credential that is looked for inside longer texts. A shorter one would be found by chance."""


def is_credentials_file(text: str) -> bool:
    """Whether a file looks like one that credentials are kept in, such as rsspot's own."""
    return _CREDENTIALS_FILE.search(text) is not None


def unsendable(kind: Kind[Any], source: Source) -> Iterator[Problem]:
    """Each value of a manifest that must not be sent. The values are not quoted."""
    if not has_text(source.value, _is_unsendable):
        return
    secret = {("spec", *path) for path in kind.marked(SECRET)}
    for path, text in _texts(source.value, ()):
        where = ".".join(map(str, path))
        if holds_mask(text):
            message = f"{where} holds a mask instead of the secret that it stands for"
            hint = "write the secret itself: `get --show-secrets` prints it"
            yield Problem(message, source.origin(path), hint, ManifestRule.UNSENDABLE)
        elif path not in secret and _PRIVATE_KEY.search(text):
            message = f"{where} holds a private key, and the field is not secret"
            hint = "use the public key: a file that ends with .pub"
            yield Problem(message, source.origin(path), hint, ManifestRule.UNSENDABLE, quotable=False)


def _is_unsendable(text: str) -> bool:
    return holds_mask(text) or _PRIVATE_KEY.search(text) is not None


def own_credentials(manifests: Iterable[Manifest], credentials: Collection[str]) -> Iterator[Problem]:
    """Each value of a manifest that holds one of the credentials that requests are sent with."""
    inside = re.compile("|".join(re.escape(each) for each in credentials if len(each) >= SHORTEST) or r"(?!)").search
    for manifest in manifests:
        if has_text(manifest.body, lambda text: text in credentials or inside(text) is not None):
            yield from _own_credentials(manifest, credentials)


def _own_credentials(manifest: Manifest, credentials: Collection[str]) -> Iterator[Problem]:
    for path, text in _texts(manifest.body, ()):
        if any(holds(text, credential) for credential in credentials):
            message = f"{manifest.address}: {'.'.join(map(str, path))} holds the credential of this very account"
            hint = "anybody who may read the object could use it"
            yield Problem(message, manifest.where(*map(str, path)), hint, ManifestRule.UNSENDABLE)


def holds(text: str, credential: str) -> bool:
    """Whether a text is a credential or has one in it."""
    return text == credential or (len(credential) >= SHORTEST and credential in text)


def _texts(value: Any, path: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*path, index))
    elif isinstance(value, str):
        yield path, value
